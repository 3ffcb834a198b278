//! The past as the journal has it: which part somebody wants, and its pages, from the files or from the running controller.

use std::io;
use std::path::Path;

use chrono::{FixedOffset, LocalResult, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone as _};

use crate::core::base::text::printable;
use crate::core::base::time::{Time, parse_duration};
use crate::core::base::zone::{Moments, Zone};
use crate::core::journal::{HistoryEntry, HistoryFilter};
use crate::shell::linux::wall_time;
use crate::shell::live;
use crate::shell::live::control_socket;
use crate::shell::live::questions::Question;
use crate::shell::store::{HistoryPage, JournalReader, PageBounds, history_page};

use super::ask::{ControllerArgs, data};
use super::wrong;

/// The default of `--limit`.
const LIMIT: usize = 500;

/// Which part of the past.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct PastArgs {
    /// Only what happened since this time: 2h, 2026-11-29, '2026-11-29 14:30'
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    pub(super) since: Option<Time>,
    /// Only what happened up to this time
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    pub(super) until: Option<Time>,
    /// Only what is about this alarm
    #[arg(long = "alarm", value_name = "ALARM")]
    pub(super) of_alarm: Option<String>,
    /// Only what is about this host
    #[arg(long, value_name = "HOST")]
    pub(super) host: Option<String>,
    /// How many, the newest; 0 means all [default: 500]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Only what precedes this record; the end of an earlier output names its number
    #[arg(long, value_name = "RECORD")]
    before: Option<u64>,
}

impl PastArgs {
    /// True if a part is chosen.
    pub(super) fn selects(&self) -> bool {
        let times = self.since.is_some() || self.until.is_some();
        times || self.limit.is_some() || self.before.is_some() || self.of_alarm.is_some() || self.host.is_some()
    }

    /// True if the part ends before the present.
    pub(super) fn has_an_end(&self) -> bool {
        self.before.is_some() || self.until.is_some()
    }

    /// The maximum number of entries.
    pub(super) fn limit(&self) -> usize {
        match self.limit {
            None => LIMIT,
            Some(0) => usize::MAX,
            Some(limit) => limit,
        }
    }

    /// Why there can be nothing in that part.
    pub(super) fn backwards(&self) -> Option<String> {
        backwards(self.since, self.until)
    }

    /// The filter for pages of the history.
    pub(super) fn filter(&self) -> HistoryFilter {
        HistoryFilter {
            since: self.since,
            until: self.until,
            before: self.before,
            alarm: self.of_alarm.clone(),
            host: self.host.clone(),
            limit: self.limit(),
            ..HistoryFilter::default()
        }
    }
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The entries, the oldest first.
    pub(super) entries: Vec<HistoryEntry>,
    /// The number of the record before which there is more that was not read.
    pub(super) before: Option<u64>,
    /// Why something is missing.
    pub(super) unread: Option<String>,
}

/// Reads pages of the history, the newest first, until `enough` says so of a page. A user who may not read the files asks the
/// controller. Returns `None` if nothing can be read; the reason has been reported then.
pub(super) fn read(
    whom: &ControllerArgs,
    mut filter: HistoryFilter,
    enough: &mut dyn FnMut(&[HistoryEntry]) -> bool,
) -> io::Result<Option<Past>> {
    let Some(data) = data(whom)? else { return Ok(None) };
    // A running controller may have records that are not on the disk yet. If it does not answer, the rest can still be read.
    let synced = control_socket::ask(&data, &Question::History);
    let reader = match (JournalReader::open(&data), synced) {
        (Ok(reader), _) => Some(reader),
        (Err(_), Ok(_)) => None,
        (Err(_), Err(why)) if data.join("journal.db").exists() => {
            wrong(&why);
            return Ok(None);
        }
        (Err(why), Err(_)) => {
            wrong(&why.to_string());
            return Ok(None);
        }
    };
    let (mut past, mut pages, mut unreadable) = (Past::default(), Vec::new(), 0);
    loop {
        let page = match &reader {
            Some(reader) => history_page(reader, &filter, &PageBounds::NONE).map_err(|e| e.to_string()),
            None => page_of_controller(&data, &filter),
        };
        let page = match page {
            Ok(page) => page,
            Err(why) => {
                past.unread = Some(why);
                break;
            }
        };
        unreadable += page.unreadable;
        // A page before the same record would not end.
        past.before = page.before.filter(|before| filter.before.is_none_or(|last| *before < last));
        filter.before = past.before;
        let ends = enough(&page.entries) || past.before.is_none();
        pages.push(page.entries);
        if ends {
            break;
        }
    }
    past.entries = pages.into_iter().rev().flatten().collect();
    if unreadable > 0 {
        let why = format!("{unreadable} records of the journal can't be read; see `pointsman journal verify`");
        past.unread.get_or_insert(why);
    }
    Ok(Some(past))
}

fn page_of_controller(data: &Path, filter: &HistoryFilter) -> Result<HistoryPage, String> {
    let answer = control_socket::ask(data, &Question::HistoryPage(filter.clone()))?;
    serde_json::from_value(answer).map_err(|e| format!("the controller's answer is no page ({e}); is it of another version?"))
}

/// A time in the zone of this machine.
pub(super) fn local(at: Time, zone: Zone) -> String {
    let east_s = zone.local_us(at).saturating_sub(at.micros()).div_euclid(1_000_000);
    let offset = i32::try_from(east_s).ok().and_then(FixedOffset::east_opt);
    match offset.map(|offset| offset.timestamp_micros(at.micros())) {
        Some(LocalResult::Single(at)) => at.to_rfc3339_opts(SecondsFormat::Millis, true),
        _ => at.to_string(),
    }
}

/// A text in which each time of the form `2026-11-29T22:10:00.123456Z` is replaced by the time in a zone.
pub(super) fn localized(text: &str, zone: Zone) -> String {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | ':' | '.' | 'T' | 'Z');
    let mut shown = String::new();
    let mut rest = text;
    while let Some(begin) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(begin);
        let end = from.find(|c: char| !is_part(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        shown.push_str(before);
        match Time::parse_rfc3339(word) {
            Some(at) => shown.push_str(&local(at, zone)),
            None => shown.push_str(word),
        }
        rest = after;
    }
    shown + rest
}

/// Parses the value of an option that is a moment.
pub(super) fn moment(text: &str) -> Result<Time, String> {
    parse_moment(text, wall_time(), live::machine_zone().unwrap_or_default())
}

/// Why there can be nothing between two moments.
pub(super) fn backwards(since: Option<Time>, until: Option<Time>) -> Option<String> {
    let (since, until) = (since?, until?);
    (since > until).then(|| format!("--since ({since}) is later than --until ({until}): nothing is between them"))
}

/// Parses a moment: a span before now, a date, a date with a time, or RFC 3339.
fn parse_moment(text: &str, now: Time, zone: Zone) -> Result<Time, String> {
    if let Some(span) = parse_duration(text) {
        return Ok(now - span);
    }
    if let Some(at) = Time::parse_rfc3339(text) {
        return Ok(at);
    }
    let text = text.trim();
    let with_time = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
    let naive = with_time.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let naive = naive.or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0));
    let at = naive.map(|naive| match zone.moments(naive.and_utc().timestamp_micros()) {
        Moments::One(at) | Moments::Two(at, _) => at,
    });
    at.ok_or_else(|| {
        format!("`{}` is not a time; write 2h, 2026-11-29, '2026-11-29 14:30' or 2026-11-29T14:30:00Z", printable(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let now = Time::parse_rfc3339("2026-11-29T12:00:00Z").unwrap();
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let read = |text: &str| parse_moment(text, now, berlin).map(|at| at.to_string());
        for (text, at) in [
            ("2h", "2026-11-29T10:00:00.000Z"),
            ("1d12h", "2026-11-28T00:00:00.000Z"),
            ("2026-11-29T14:30:00Z", "2026-11-29T14:30:00.000Z"),
            ("2026-11-29 14:30", "2026-11-29T13:30:00.000Z"),
            ("2026-07-01", "2026-06-30T22:00:00.000Z"),
            ("2026-07-01T10:00:05.5", "2026-07-01T08:00:05.500Z"),
        ] {
            assert_eq!(read(text), Ok(at.to_owned()), "{text}");
        }
        assert!(read("yesterday\u{1b}").unwrap_err().contains("\\x1b"));
        assert_eq!(local(now, berlin), "2026-11-29T13:00:00.000+01:00");
    }
}
