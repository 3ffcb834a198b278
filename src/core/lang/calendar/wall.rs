//! Wall clocks: dates, times of day and zones as texts, and the moments that they denote.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::{GapInfo, TZ_VARIANTS, Tz};

use crate::core::diag::suggest::nearest;

/// Minutes of a day.
pub(super) const DAY_MINUTES: u32 = 24 * 60;
/// Microseconds of a minute.
pub(super) const MINUTE_US: i64 = 60_000_000;

/// Names of days in rules, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A zone by its IANA name.
pub(in crate::core::lang) fn zone(name: &str) -> Option<Tz> {
    name.parse().ok()
}

/// The zone that was probably meant: a similar name, or the zone of that city.
pub(in crate::core::lang) fn zone_like(name: &str) -> Option<&'static str> {
    let city = name.replace(' ', "_");
    let of_city = |zone: &str| zone.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&city));
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    names().find(|zone| of_city(zone)).or_else(|| nearest(name, names()))
}

/// A date as written, if the day exists.
pub(in crate::core::lang) fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// Minutes since midnight of a time of day; 24:00 is the end of the day.
pub(in crate::core::lang) fn clock(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let since = hours * 60 + minutes;
    (minutes < 60 && since <= DAY_MINUTES).then_some(since)
}

/// The index of a day of the week by its name, Monday first; the error is a similar name.
pub(in crate::core::lang) fn day(name: &str) -> Result<usize, Option<&'static str>> {
    let near = || nearest(name, DAYS).or_else(|| DAYS.into_iter().find(|day| name.to_ascii_lowercase().starts_with(day)));
    DAYS.iter().position(|day| *day == name).ok_or_else(near)
}

/// The date of a moment in UTC, if its year has at most four digits.
pub(super) fn utc_date(at: i64) -> Option<NaiveDate> {
    let date = DateTime::from_timestamp_micros(at)?.date_naive();
    (1..=9_998).contains(&chrono::Datelike::year(&date)).then_some(date)
}

/// What the zone's clocks show at a moment, for people: `Sun 2026-01-04 23:30 in Europe/Paris`.
pub(super) fn shown(zone: Tz, at: i64) -> String {
    match DateTime::from_timestamp_micros(at) {
        Some(at) => format!("{} in {}", at.with_timezone(&zone).format("%a %Y-%m-%d %H:%M"), zone.name()),
        None => format!("a time that no calendar has in {}", zone.name()),
    }
}

/// The moments at which the zone's clocks show a time: one, two when clocks go back, none when they go forward.
pub(super) fn moments(zone: Tz, date: NaiveDate, minutes: u32) -> LocalResult<i64> {
    zone.from_local_datetime(&naive(date, minutes)).map(|at| at.timestamp_micros())
}

/// The moment that a time of the wall clock means: the first of two, or the one after the gap if there is none.
pub(super) fn moment(zone: Tz, date: NaiveDate, minutes: u32) -> i64 {
    match moments(zone, date, minutes) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at,
        LocalResult::None => {
            let shown = naive(date, minutes);
            let after = GapInfo::new(&shown, &zone).and_then(|gap| gap.end);
            after.map_or(shown.and_utc().timestamp_micros(), |at| at.timestamp_micros())
        }
    }
}

fn naive(date: NaiveDate, minutes: u32) -> NaiveDateTime {
    let midnight = date.and_time(NaiveTime::MIN);
    midnight.checked_add_signed(TimeDelta::minutes(i64::from(minutes))).unwrap_or(midnight)
}
