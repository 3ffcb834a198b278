//! Time zones of written time stamps: a fixed offset from UTC, or a place whose clocks change twice a year.
//!
//! A zone converts what a wall clock shows (local microseconds since 1970) to moments, and back. When the clocks go back, an
//! hour is shown twice: [`Zone::moments`] returns both, and the caller knows more (the order of a file, the time of arrival).
//! A time that no clock shows, because the clocks went forward, is read as if they had not.

use std::fmt;

use chrono::{DateTime, MappedLocalTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use serde::{Deserialize, Serialize};

use super::time::Time;

const SECOND_US: i64 = 1_000_000;
/// The maximum offset of a zone from UTC.
const FURTHEST_S: i32 = 18 * 3_600;

/// A time zone, as a configuration names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Zone {
    /// Always this number of seconds east of UTC.
    Fixed(i32),
    /// A place of the IANA time zone database, with its clock changes.
    Place(Tz),
}

/// The moments at which a zone's clocks show a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moments {
    /// One moment, the usual case.
    One(Time),
    /// Two, the earlier one first: the clocks went back.
    Two(Time, Time),
}

impl Default for Zone {
    fn default() -> Zone {
        Zone::UTC
    }
}

impl Zone {
    pub const UTC: Zone = Zone::Fixed(0);

    /// Reads a zone as people and systems write it: `Europe/Berlin`, `UTC`, `+05:30`, `-0500`. `None` for anything else.
    pub fn parse(text: &str) -> Option<Zone> {
        if matches!(text, "UTC" | "Z" | "GMT" | "Etc/UTC" | "Etc/GMT" | "Etc/UCT" | "Etc/Zulu" | "Universal" | "Zulu" | "UCT") {
            return Some(Zone::UTC);
        }
        if text.starts_with(['+', '-']) {
            return fixed(text).map(Zone::Fixed);
        }
        text.parse().ok().map(Zone::Place)
    }

    /// Reads the value of the environment variable `TZ` (POSIX): a name, with or without a leading colon, or an offset such
    /// as `EST5` or `<+0330>-3:30`. Rules for clock changes in the value itself (`CET-1CEST,M3.5.0,M10.5.0`) are not read;
    /// `None` for these.
    pub fn parse_posix(text: &str) -> Option<Zone> {
        let name = text.strip_prefix(':').unwrap_or(text);
        if let Some(zone) = Zone::parse(name) {
            return Some(zone);
        }
        let rest = match name.strip_prefix('<') {
            Some(quoted) => quoted.split_once('>')?.1,
            None => name.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
        };
        // POSIX counts to the west.
        let (west, sign) = match rest.as_bytes().first()? {
            b'-' => (&rest[1..], '+'),
            b'+' => (&rest[1..], '-'),
            _ => (rest, '-'),
        };
        let (hours, minutes) = west.split_once(':').unwrap_or((west, "00"));
        fixed(&format!("{sign}{hours:0>2}:{minutes}")).map(Zone::Fixed)
    }

    /// The names of all places, to suggest a similar one or that of a city.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        TZ_VARIANTS.iter().map(|zone| zone.name())
    }

    /// What the zone's clocks show at a moment, in microseconds since 1970.
    pub fn local_us(self, at: Time) -> i64 {
        at.micros().saturating_add(self.east_us(at))
    }

    /// The moments at which the zone's clocks show a time.
    pub fn moments(self, local_us: i64) -> Moments {
        let fixed = |east_us: i64| Time::from_micros(local_us.saturating_sub(east_us));
        let zone = match self {
            Zone::Fixed(east_s) => return Moments::One(fixed(i64::from(east_s) * SECOND_US)),
            Zone::Place(zone) => zone,
        };
        let Some(shown) = DateTime::<Utc>::from_timestamp_micros(local_us).map(|t| t.naive_utc()) else {
            return Moments::One(fixed(0));
        };
        let time = |at: DateTime<Tz>| Time::from_micros(at.timestamp_micros());
        match zone.from_local_datetime(&shown) {
            MappedLocalTime::Single(at) => Moments::One(time(at)),
            MappedLocalTime::Ambiguous(first, second) => {
                Moments::Two(time(first).min(time(second)), time(first).max(time(second)))
            }
            // The offset before the clocks went forward.
            MappedLocalTime::None => {
                let before = shown.checked_sub_signed(TimeDelta::hours(3)).unwrap_or(shown);
                let east_s = match zone.from_local_datetime(&before) {
                    MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(_, at) => at.offset().fix().local_minus_utc(),
                    MappedLocalTime::None => 0,
                };
                Moments::One(fixed(i64::from(east_s) * SECOND_US))
            }
        }
    }

    fn east_us(self, at: Time) -> i64 {
        match self {
            Zone::Fixed(east_s) => i64::from(east_s) * SECOND_US,
            Zone::Place(zone) => DateTime::<Utc>::from_timestamp_micros(at.micros())
                .map_or(0, |at| i64::from(at.with_timezone(&zone).offset().fix().local_minus_utc()) * SECOND_US),
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Zone::Fixed(0) => f.write_str("UTC"),
            Zone::Fixed(east_s) => {
                let minutes = east_s.abs() / 60;
                write!(f, "{}{:02}:{:02}", if *east_s < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
            }
            Zone::Place(zone) => f.write_str(zone.name()),
        }
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> String {
        zone.to_string()
    }
}

impl TryFrom<String> for Zone {
    type Error = String;
    fn try_from(text: String) -> Result<Zone, String> {
        Zone::parse(&text).ok_or_else(|| format!("`{text}` is not a time zone"))
    }
}

/// Seconds east of UTC of `+05:30`, `+0530` or `+05`.
fn fixed(text: &str) -> Option<i32> {
    let (sign, rest) = (if text.starts_with('-') { -1 } else { 1 }, text.get(1..)?);
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() == 4 => rest.split_at_checked(2)?,
        None => (rest, "00"),
    };
    let number = |t: &str| (t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<i32>().ok()).flatten();
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let seconds = hours * 3_600 + minutes * 60;
    (minutes < 60 && seconds <= FURTHEST_S).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        Time::parse_rfc3339(text).unwrap()
    }

    fn shown(text: &str) -> i64 {
        time(text).micros()
    }

    #[test]
    fn zones_are_read_as_they_are_written() {
        for (text, shows) in [
            ("UTC", "UTC"),
            ("Etc/UTC", "UTC"),
            ("Europe/Berlin", "Europe/Berlin"),
            ("+05:30", "+05:30"),
            ("-0500", "-05:00"),
            ("+14", "+14:00"),
        ] {
            assert_eq!(Zone::parse(text).unwrap().to_string(), shows, "{text}");
        }
        for bad in ["", "Berlin", "+5", "+24:00", "+05:60", "europe/berlin ", "+05:3", "CET-1CEST,M3.5.0,M10.5.0"] {
            assert_eq!(Zone::parse(bad), None, "{bad}");
        }
        for (text, shows) in [
            (":America/New_York", "America/New_York"),
            ("EST5", "-05:00"),
            ("<+0330>-3:30", "+03:30"),
            ("UTC0", "UTC"),
            ("CET-1", "+01:00"),
        ] {
            assert_eq!(Zone::parse_posix(text).unwrap().to_string(), shows, "{text}");
        }
        for bad in ["CET-1CEST,M3.5.0,M10.5.0", "", "nowhere"] {
            assert_eq!(Zone::parse_posix(bad), None, "{bad}");
        }
    }

    #[test]
    fn clocks_that_change() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        assert_eq!(berlin.moments(shown("2026-07-01T12:00:00Z")), Moments::One(time("2026-07-01T10:00:00Z")));
        assert_eq!(berlin.local_us(time("2026-01-01T11:00:00Z")), shown("2026-01-01T12:00:00Z"));
        // 25 October 2026, 03:00 is 02:00 again.
        let twice = Moments::Two(time("2026-10-25T00:30:00Z"), time("2026-10-25T01:30:00Z"));
        assert_eq!(berlin.moments(shown("2026-10-25T02:30:00Z")), twice);
        // 29 March 2026 has no 02:30.
        assert_eq!(berlin.moments(shown("2026-03-29T02:30:00Z")), Moments::One(time("2026-03-29T01:30:00Z")));
        for zone in [Zone::UTC, Zone::Fixed(-34_200), berlin] {
            let at = time("2026-05-05T05:05:05.000005Z");
            assert_eq!(zone.moments(zone.local_us(at)), Moments::One(at), "{zone}");
        }
    }
}
