//! `pointsman history`: shows what happened according to the journal, whether the controller runs or not.

mod names;

use std::collections::VecDeque;
use std::io::{self, Write as _};

use chrono::{LocalResult, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone as _};
use chrono_tz::Tz;

use crate::core::base::text::printable;
use crate::core::base::time::{Time, parse_duration};
use crate::core::journal::{History, HistoryEntry, Record};
use crate::shell::linux::wall_time;
use crate::shell::live::control_socket;
use crate::shell::live::questions::Question;
use crate::shell::store::JournalReader;

use super::ask::{ControllerArgs, data, table};
use super::{Format, USAGE, WRONG, wrong};
use names::{Named, SeenNames, kind};

const EXAMPLES: &str = "\
Examples:
  pointsman history                                    the newest 500 entries since the controller started
  pointsman history --all                              also what was before
  pointsman history --since 2h --resource sip_vip      what happened to an address within the last two hours
  pointsman history --since '2026-11-29 14:00' --until '2026-11-29 15:00' --limit 0
  pointsman history --alarm app_stopped --format json
  pointsman history --audit                            who asked for what, and what was refused

Times are local on a terminal and in tables, and UTC as JSON. A moment is a span before now (90s, 2h, 3d), a date, a date with a
time in local time, or RFC 3339.";

/// The default of `--limit`.
const LIMIT: usize = 500;
/// The number of earlier records that are read to find the reactions of runs that began before the shown entries.
const CONTEXT: u64 = 5_000;
/// The number of records that are read from the end first when the newest entries are wanted. It grows each time that it does not
/// suffice.
const WINDOW: u64 = 20_000;

/// Shows what happened: alarms, moves, notifications, commands of operators, refusals
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// From this moment on
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    since: Option<Time>,
    /// Up to this moment
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    until: Option<Time>,
    /// Only entries about this alarm
    #[arg(long, value_name = "ALARM")]
    alarm: Option<String>,
    /// Only entries about this host
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Only entries about this resource
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    /// Only entries about runs of this reaction
    #[arg(long, value_name = "REACTION")]
    reaction: Option<String>,
    /// Only entries of this run
    #[arg(long, value_name = "RUN")]
    run: Option<u64>,
    /// Only entries of this kind: raised, cleared, acked, notified, ran, move, operator ...
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<String>,
    /// Only what people asked for, and what was refused to them
    #[arg(long)]
    audit: bool,
    /// Everything that the journal has [default: since the controller started, unless something is selected]
    #[arg(long)]
    all: bool,
    /// The newest so many entries; 0 for all
    #[arg(long, value_name = "N", default_value_t = LIMIT)]
    limit: usize,
    #[command(flatten)]
    whom: ControllerArgs,
}

impl Args {
    /// True if a filter is set. Entries before the last start are then shown as well.
    fn selects(&self) -> bool {
        let named = [&self.alarm, &self.host, &self.resource, &self.reaction, &self.kind];
        let times = self.since.is_some() || self.until.is_some();
        self.all || self.audit || self.run.is_some() || times || named.iter().any(|text| text.is_some())
    }
}

/// The kinds of entries about requests of operators.
const AUDIT: [&str; 3] = ["operator", "command_refused", "journal_loss_accepted"];
/// The kind of the entry about a start of the controller.
const START: &str = "start";

pub(super) fn run(args: &Args) -> io::Result<u8> {
    let zone = local_zone();
    if let Some(why) = backwards(args.since, args.until) {
        wrong(&why);
        return Ok(USAGE);
    }
    let Some(data) = data(&args.whom)? else { return Ok(WRONG) };
    // A running controller may have records that are not on the disk yet. If it does not answer, the rest can still be read.
    let _ = control_socket::ask(&data, &Question::History);
    let found = JournalReader::open(&data).map_err(|e| e.to_string()).and_then(|reader| read(&reader, args));
    let Found { mut entries, unread, names } = match found {
        Ok(found) => found,
        Err(why) => return Ok(wrong(&why)),
    };
    if !args.selects()
        && let Some(start) = entries.iter().rposition(|entry| entry.kind == START).filter(|start| *start > 0)
    {
        entries.drain(..start);
        eprintln!("since the controller started; `pointsman history --all` shows what was before");
    }
    if entries.is_empty()
        && let Some(why) = names.unknown(args)
    {
        wrong(&why);
        return Ok(USAGE);
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.whom.format {
        Format::Json => {
            for entry in &entries {
                writeln!(out, "{}", entry.json())?;
            }
        }
        Format::Human if entries.is_empty() => writeln!(out, "{}", names::nothing(args))?,
        Format::Human => {
            let row = |entry: &HistoryEntry| {
                let by = entry.by.as_deref().map(printable);
                serde_json::json!({ "at": local(entry.at, zone), "kind": entry.kind, "text": entry.text, "by": by })
            };
            let rows: Vec<_> = entries.iter().map(row).collect();
            table(&mut out, &rows, &["at", "kind", "text"])?;
        }
    }
    out.flush()?;
    if let Some(why) = unread {
        return Ok(wrong(&why));
    }
    Ok(0)
}

/// What was read of a journal.
struct Found {
    entries: VecDeque<HistoryEntry>,
    /// Why something could not be read.
    unread: Option<String>,
    names: SeenNames,
}

/// Reads the wanted entries.
fn read(reader: &JournalReader, args: &Args) -> Result<Found, String> {
    let words = |e: crate::shell::store::Error| e.to_string();
    let (first, last) = reader.range().map_err(words)?;
    let lowest = match args.since {
        Some(since) => reader.first_since(since).map_err(words)?.max(first),
        None => first,
    };
    let mut window = if args.limit == 0 { u64::MAX } else { WINDOW };
    loop {
        let from = last.saturating_sub(window).max(lowest);
        let found = read_from(reader, args, from);
        if found.entries.len() >= args.limit && args.limit > 0 || from <= lowest {
            return Ok(found);
        }
        window = window.saturating_mul(8);
    }
}

fn read_from(reader: &JournalReader, args: &Args, from: u64) -> Found {
    let mut history = History::default();
    let (mut entries, mut names) = (VecDeque::new(), SeenNames::default());
    let mut bad = 0u64;
    let read = reader.lines(from.saturating_sub(CONTEXT), &mut |n, line| {
        let Ok(record) = Record::read(line) else {
            bad += 1;
            return true;
        };
        let entry = history.entry(n, &record);
        entry.iter().for_each(|entry| names.add(entry));
        if let Some(entry) = entry.filter(|e| n >= from && wanted(e, args)) {
            if args.limit > 0 && entries.len() == args.limit {
                entries.pop_front();
            }
            entries.push_back(entry);
        }
        true
    });
    let unread = match (read, bad) {
        (Err(e), _) => Some(e.to_string()),
        (Ok(()), 0) => None,
        (Ok(()), n) => Some(format!("{n} records of the journal can't be read; see `pointsman journal verify`")),
    };
    Found { entries, unread, names }
}

fn wanted(entry: &HistoryEntry, args: &Args) -> bool {
    args.since.is_none_or(|since| entry.at >= since)
        && args.until.is_none_or(|until| entry.at <= until)
        && Named::ALL.into_iter().all(|what| what.wanted(args).is_none_or(|wanted| Some(wanted) == what.of(entry)))
        && args.kind.as_ref().is_none_or(|kind| *kind == entry.kind)
        && args.run.is_none_or(|run| entry.run == Some(run))
        && (!args.audit || AUDIT.contains(&entry.kind.as_str()))
}

/// A time in the zone of this machine.
fn local(at: Time, zone: Tz) -> String {
    match zone.timestamp_micros(at.micros()) {
        LocalResult::Single(at) => at.to_rfc3339_opts(SecondsFormat::Millis, true),
        _ => at.to_string(),
    }
}

/// The zone of this machine: `TZ`, else the target of the link `/etc/localtime`, else UTC.
pub(super) fn local_zone() -> Tz {
    let named = |text: &str| text.trim().trim_start_matches(':').parse::<Tz>().ok();
    if let Some(zone) = std::env::var("TZ").ok().filter(|tz| !tz.is_empty()) {
        return named(&zone).unwrap_or(Tz::UTC);
    }
    let link = std::fs::read_link("/etc/localtime").ok();
    let linked = link.as_ref().and_then(|l| l.to_str()).and_then(|l| l.split_once("zoneinfo/")).and_then(|(_, name)| named(name));
    linked.or_else(|| named(&std::fs::read_to_string("/etc/timezone").ok()?)).unwrap_or(Tz::UTC)
}

/// Parses the value of an option that is a moment.
pub(super) fn moment(text: &str) -> Result<Time, String> {
    parse_moment(text, wall_time(), local_zone())
}

/// Why there can be nothing between two moments.
pub(super) fn backwards(since: Option<Time>, until: Option<Time>) -> Option<String> {
    let (since, until) = (since?, until?);
    (since > until).then(|| format!("--since ({since}) is later than --until ({until}): nothing is between them"))
}

/// Parses a moment: a span before now, a date, a date with a time, or RFC 3339.
fn parse_moment(text: &str, now: Time, zone: Tz) -> Result<Time, String> {
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
    let at = naive.and_then(|naive| zone.from_local_datetime(&naive).earliest());
    at.map(|at| Time::from_micros(at.timestamp_micros())).ok_or_else(|| {
        format!("`{}` is no moment; write 2h, 2026-11-29, '2026-11-29 14:30' or 2026-11-29T14:30:00Z", printable(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let now = Time::parse_rfc3339("2026-11-29T12:00:00Z").unwrap();
        let berlin = Tz::Europe__Berlin;
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
