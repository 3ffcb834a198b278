//! From a stamp as written to a point in time: supplies the year, the day and the zone that a source leaves out.
//!
//! In: a stamp, the reference time (arrival, or the replay's), and what the source has shown so far. Out: the time, and
//! what was guessed. State: the local time of the last stamp, kept with the source's offset. Rules (DESIGN 3, "Clocks"):
//!
//! - A written offset wins, then the zone of the file's header, then the source's configured zone.
//! - A stamp without a year takes the year nearest to the reference.
//! - A time of day takes the day of the last stamp, else of the header's local time, else the day nearest to the
//!   reference. Back by [`MIDNIGHT_BACK_US`] or more means the next day; smaller steps back stay, for records are a
//!   little out of order. For the same reason a time that would jump ahead to within [`OUT_OF_ORDER_US`] before the last
//!   stamp of the day before belongs to that day: else each such record would gain a day for ever.

use serde::{Deserialize, Serialize};

use crate::base::time::Time;

use super::calendar::{self, DAY_US, SECOND_US};
use super::stamp::{Day, Stamp};

/// A time of day that is so much earlier than the last one is of the next day.
pub(super) const MIDNIGHT_BACK_US: i64 = 10 * 3600 * SECOND_US;
/// How far out of order the records of one file stand, at most, around midnight.
pub(super) const OUT_OF_ORDER_US: i64 = 60 * SECOND_US;

/// What a source has shown of its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Clock {
    /// Local microseconds since 1970 of the last stamp, or of the file's header.
    pub(super) last: Option<i64>,
}

/// A stamp made whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) at: Time,
    /// Microseconds since 1970 in the zone of the record.
    pub(super) local_us: i64,
    pub(super) guessed_year: bool,
    pub(super) guessed_date: bool,
}

impl Clock {
    /// Makes `stamp` whole; `west_s` is the zone for a stamp without one, in seconds west of UTC.
    pub(super) fn resolve(&self, stamp: &Stamp, west_s: i64, reference: Time) -> Option<Resolved> {
        let west_us = stamp.east_s.map_or(west_s, |east| -east) * SECOND_US;
        let near = reference.micros().saturating_sub(west_us);
        let (local_us, guessed_year, guessed_date) = match stamp.day {
            Day::Full(day) => (day * DAY_US + stamp.us, false, false),
            Day::Yearless(month, day) => {
                let day = calendar::nearest_year(month, day, stamp.us, near)?;
                (day * DAY_US + stamp.us, true, false)
            }
            Day::Unknown => {
                let local = match self.last {
                    Some(last) => after(last, stamp.us),
                    None => nearest(near, stamp.us),
                };
                (local, false, true)
            }
        };
        Some(Resolved {
            at: Time::from_micros(local_us.saturating_add(west_us)),
            local_us,
            guessed_year,
            guessed_date,
        })
    }
}

/// The time of day `us` on the day that the midnight rule gives after `last`.
fn after(last: i64, us: i64) -> i64 {
    let same_day = last.div_euclid(DAY_US).saturating_mul(DAY_US).saturating_add(us);
    let day_before = same_day.saturating_sub(DAY_US);
    if last.saturating_sub(same_day) >= MIDNIGHT_BACK_US {
        same_day.saturating_add(DAY_US)
    } else if last.saturating_sub(day_before) <= OUT_OF_ORDER_US {
        day_before
    } else {
        same_day
    }
}

/// The time of day `us` on the day that brings it nearest to `near`.
fn nearest(near: i64, us: i64) -> i64 {
    let same_day = near.div_euclid(DAY_US).saturating_mul(DAY_US).saturating_add(us);
    [same_day.saturating_sub(DAY_US), same_day, same_day.saturating_add(DAY_US)]
        .into_iter()
        .min_by_key(|t| t.saturating_sub(near).saturating_abs())
        .unwrap_or(same_day)
}

#[cfg(test)]
mod tests {
    use super::super::stamp;
    use super::*;

    fn time(text: &str) -> Time {
        Time::parse_rfc3339(text).unwrap()
    }

    fn at(last: Option<&str>, text: &str, west_s: i64) -> String {
        let clock = Clock {
            last: last.map(|l| time(l).micros()),
        };
        let (_, stamp) = stamp::any(text).unwrap();
        let reference = time("2019-02-08T08:37:49Z");
        clock.resolve(&stamp, west_s, reference).unwrap().at.to_string()
    }

    #[test]
    fn a_time_of_day_goes_over_midnight_and_not_over_a_small_step_back() {
        let last = Some("2016-06-05T23:59:59.990Z");
        assert_eq!(at(last, "00:00:00.010", 0), "2016-06-06T00:00:00.010Z");
        assert_eq!(at(last, "23:59:59.983", 0), "2016-06-05T23:59:59.983Z");
        assert_eq!(at(last, "13:59:59.991", 0), "2016-06-05T13:59:59.991Z");
        assert_eq!(at(last, "13:59:59.990", 0), "2016-06-06T13:59:59.990Z");
        let last = Some("2016-06-06T00:00:00.003Z");
        assert_eq!(at(last, "23:59:59.996", 0), "2016-06-05T23:59:59.996Z");
        assert_eq!(at(last, "23:58:00", 0), "2016-06-06T23:58:00.000Z");
    }

    #[test]
    fn without_a_last_date_the_day_nearest_to_the_reference() {
        assert_eq!(at(None, "08:00:00", 0), "2019-02-08T08:00:00.000Z");
        assert_eq!(at(None, "23:59:00", 0), "2019-02-07T23:59:00.000Z");
        assert_eq!(at(None, "23:59:00", -19_800), "2019-02-07T18:29:00.000Z");
    }

    #[test]
    fn the_year_is_the_nearest_and_a_written_offset_wins() {
        assert_eq!(at(None, "Aug 29 02:00:00", 0), "2018-08-29T02:00:00.000Z");
        assert_eq!(at(None, "Jan 10 01:00:00", -3600), "2019-01-10T00:00:00.000Z");
        assert_eq!(
            at(None, "2006-10-29T02:00:00.156+01:00", -7200),
            "2006-10-29T01:00:00.156Z"
        );
    }
}
