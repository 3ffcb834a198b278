//! Times as people write and read them: spans, moments, and the zone of this machine.

use std::time::Duration;

use chrono::{FixedOffset, LocalResult, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone as _};

use crate::core::base::text::printable;
use crate::core::base::time::{Time, parse_duration};
use crate::core::base::zone::{Moments, Zone};
use crate::shell::linux::wall_time;
use crate::shell::live;

/// Parses a span with its unit.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "write a number with its unit: 30m, 2h, 1d".to_owned())
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
