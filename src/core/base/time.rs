//! Points in time and durations as the rules and the journal write them.
//!
//! `Time` is a number of microseconds since 1970-01-01T00:00:00Z. The caller always passes it; nothing here reads a clock.
//! Durations are [`std::time::Duration`]; this module writes and reads them as the rule language does (`1m30s`, `250ms`).

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// A point in time: microseconds since 1970-01-01T00:00:00Z, by the engine's clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Time(i64);

impl Time {
    /// Its name in its serialization as a number, by which a serializer tells times from numbers.
    pub(super) const NAME: &str = "Time";
    /// The earliest time that can be written.
    pub const MIN: Time = Time(i64::MIN);

    /// The time that is `us` microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_micros(us: i64) -> Time {
        Time(us)
    }

    /// The time that is `ms` milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(ms: i64) -> Time {
        Time(ms.saturating_mul(1_000))
    }

    pub const fn micros(self) -> i64 {
        self.0
    }

    /// How long `self` is after `earlier`; zero when it is not after it.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The latest moment, not after this one, that is a whole number of steps since 1970.
    pub fn floor(self, step: Duration) -> Time {
        let step = i64::try_from(step.as_micros()).unwrap_or(i64::MAX).max(1);
        Time(self.0 - self.0.rem_euclid(step))
    }

    /// `self` minus `other` in microseconds, signed.
    pub fn offset_from(self, other: Time) -> i64 {
        self.0.saturating_sub(other.0)
    }

    /// Reads an RFC 3339 time (`2010-12-14T09:15:02.131Z`).
    pub fn parse_rfc3339(text: &str) -> Option<Time> {
        let at = DateTime::parse_from_rfc3339(text).ok()?;
        Some(Time(at.timestamp_micros()))
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, d: Duration) -> Time {
        Time(self.0.saturating_add(i64::try_from(d.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, d: Duration) -> Time {
        Time(self.0.saturating_sub(i64::try_from(d.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC with milliseconds, or with microseconds if there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp_micros(self.0) {
            Some(at) => {
                let parts = if self.0 % 1_000 == 0 { SecondsFormat::Millis } else { SecondsFormat::Micros };
                f.write_str(&at.to_rfc3339_opts(parts, true))
            }
            None => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Writes a duration as the rule language does: the largest whole units first, `1m30s`, `250ms`, `0s`.
pub fn duration_text(d: Duration) -> String {
    let mut ms = d.as_millis();
    let mut out = String::new();
    for (unit, size) in [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if ms >= size {
            out.push_str(&format!("{}{unit}", ms / size));
            ms %= size;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

/// Reads a duration: numbers with the units `ms s m h d w` of the rule language, `1m30s`, `1.5s`, and the units of other
/// programs, `us`, `µs`, `ns` and `min`. A unit is always required.
///
/// ```
/// use std::time::Duration;
///
/// use pointsman::core::base::time::parse_duration;
///
/// assert_eq!(parse_duration("1m30s"), Some(Duration::from_secs(90)));
/// assert_eq!(parse_duration("90"), None);
/// ```
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit_len = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let unit_ms = match &rest[..unit_len] {
            "ns" => 1e-6,
            // Two characters look like this: the micro sign and the Greek letter.
            "us" | "\u{b5}s" | "\u{3bc}s" => 1e-3,
            "ms" => 1.0,
            "s" => 1e3,
            "m" | "min" => 6e4,
            "h" => 3.6e6,
            "d" => 8.64e7,
            "w" => 6.048e8,
            _ => return None,
        };
        let micros = number * unit_ms * 1e3;
        if !(0.0..=1e18).contains(&micros) {
            return None;
        }
        total = total.checked_add(Duration::from_micros(micros.round() as u64))?;
        rest = &rest[unit_len..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back_as_written() {
        for text in ["0s", "250ms", "1s", "1m30s", "2h", "1d2h3m4s5ms", "3w"] {
            assert_eq!(duration_text(parse_duration(text).unwrap()), text);
        }
        assert_eq!(parse_duration("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(parse_duration("523.3µs"), Some(Duration::from_micros(523)));
        assert_eq!(parse_duration("2min30s"), parse_duration("2m30s"));
        assert_eq!(parse_duration("90us"), parse_duration("90000ns"));
        for bad in ["", "5", "s", "5x", "1m30", "-1s", "1..5s", "99999999999999999999w"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_are_written_in_utc() {
        let t = Time::parse_rfc3339("2010-12-14T09:15:02.131+01:00").unwrap();
        assert_eq!(t.to_string(), "2010-12-14T08:15:02.131Z");
        assert_eq!((t + Duration::from_micros(5)).to_string(), "2010-12-14T08:15:02.131005Z");
        assert_eq!(t.since(t + Duration::from_secs(1)), Duration::ZERO);
    }
}
