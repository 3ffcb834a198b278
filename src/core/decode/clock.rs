//! Makes a point in time from a stamp as written: supplies the year, the day and the zone that a source leaves out.
//!
//! In: a stamp, the reference time (arrival, or the replay's), and what the source has shown so far. Out: the time, and what was
//! guessed. State: the local time of the last stamp, kept with the source's offset. Rules:
//!
//! - A written offset has precedence, then the zone of the file's header, then the source's zone.
//! - A local time that the clocks showed twice is the one that agrees with the arrival, or else the first one that is not before
//!   the file's last record: a file is in sequence.
//! - Nothing is written in the future. A stamp without a year is at most a day after its arrival, and one without a day at most
//!   [`STAMP_AHEAD`], which is room for other zones and for clocks that are ahead.
//! - A stamp without a year gets the year nearest to the reference. In a file it does not go back by more than [`YEAR_BACK_US`]:
//!   then the file was quiet for so long, and the year is the next one.
//! - A record with a date that differs by more than [`JUMP_US`] from the last one is marked. It moves the source's time only if a
//!   further record agrees with it.
//! - A time of day gets the day of the last stamp, or else of the header's local time, or else the day nearest to the reference.
//!   A step back by [`MIDNIGHT_BACK_US`] or more means the next day. Smaller steps back are kept, because records are a little out
//!   of sequence. For the same reason a time that would jump ahead to within [`OUT_OF_ORDER_US`] before the last stamp of the day
//!   before belongs to that day. Otherwise each such record would gain a day for ever.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::limits::STAMP_AHEAD;
use crate::core::base::time::Time;
use crate::core::base::zone::{Moments, Zone};

use super::calendar::{self, DAY_US, SECOND_US};
use super::stamp::{Day, Stamp};

/// A time of day that is earlier than the last one by this much is of the next day.
pub(super) const MIDNIGHT_BACK_US: i64 = 10 * 3600 * SECOND_US;
/// How far out of sequence the records of one file are, at most, around midnight.
pub(super) const OUT_OF_ORDER_US: i64 = 60 * SECOND_US;

/// A step between two dated records that one record alone does not prove.
pub(super) const JUMP_US: i64 = 3600 * SECOND_US;
/// A stamp without a year that is before the last one of its file by this much is of the next year.
const YEAR_BACK_US: i64 = 30 * DAY_US;
/// Of two possible moments, the one within this time of its record's arrival is right.
const AGREES_US: i64 = 900 * SECOND_US;
/// About half a year. Of two years, the one nearer to a time that is so long before the latest time is never after the latest
/// time.
const HALF_YEAR_US: i64 = 182 * DAY_US;

/// What a source has shown of its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StampClock {
    /// Local microseconds since 1970 of the last stamp, or of the file's header.
    pub(super) last: Option<i64>,
    /// The time of a dated record that is far from `last`, until another record agrees.
    pub(super) doubted: Option<i64>,
    /// The moment of `last`, if it was a stamp.
    #[serde(default)]
    pub(super) last_at: Option<Time>,
    /// The end of a whole log that is read in sequence.
    #[serde(skip)]
    pub(super) until: Option<Time>,
}

/// A stamp with everything that was missing supplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) at: Time,
    /// Microseconds since 1970 in the zone of the record.
    pub(super) local_us: i64,
    pub(super) guessed_year: bool,
    pub(super) guessed_date: bool,
    pub(super) jump: bool,
    /// The stamp has no zone.
    pub(super) zoneless: bool,
}

impl StampClock {
    /// Completes `stamp`; `zone` is for a stamp without one. A missing year is never one in which the stamp would be after
    /// `latest`.
    pub(super) fn resolve(&self, stamp: &Stamp, zone: Zone, reference: Time, latest: Option<Time>) -> Option<Resolved> {
        let zone = stamp.east_s.map_or(zone, east);
        let near = || zone.local_us(reference);
        let (local_us, guessed_year, guessed_date) = match stamp.day {
            Day::Full(day) => (day * DAY_US + stamp.us, false, false),
            Day::Yearless(month, day) => {
                let latest = latest.map(|t| zone.local_us(t));
                let most =
                    self.until.map(|until| zone.local_us(until)).or(latest).unwrap_or_else(|| near().saturating_add(DAY_US));
                let before_latest = latest.map_or_else(near, |latest| latest.saturating_sub(HALF_YEAR_US).min(near()));
                let nearest = calendar::nearest_year(month, day, stamp.us, before_latest)?;
                let nearest = match nearest * DAY_US + stamp.us > most {
                    true => calendar::last_year(month, day, stamp.us, most)?,
                    false => nearest,
                };
                let last = self.last.map(|last| last.saturating_sub(YEAR_BACK_US));
                let next = last.filter(|last| nearest * DAY_US + stamp.us < *last).and_then(|_| calendar::a_year_later(nearest));
                let day = next.filter(|next| next * DAY_US + stamp.us <= most).unwrap_or(nearest);
                (day * DAY_US + stamp.us, true, false)
            }
            Day::Unknown => {
                let local = match self.last {
                    Some(last) => after(last, stamp.us),
                    None => nearest(near(), stamp.us),
                };
                // In a whole log the reference is the record before, and not the arrival.
                let most = match (self.last, self.until) {
                    (Some(_), Some(until)) => zone.local_us(until),
                    _ => near().saturating_add(micros(STAMP_AHEAD)),
                };
                // A clock that is ahead goes on from its last record in small steps.
                let is_sudden = |last: i64| last <= most && local.saturating_sub(last) > AGREES_US;
                let is_ahead = local > most && self.last.is_none_or(is_sudden);
                (if is_ahead { local.saturating_sub(DAY_US) } else { local }, false, true)
            }
        };
        let at = self.moment(zone, local_us, reference);
        Some(Resolved { jump: false, at, local_us, guessed_year, guessed_date, zoneless: stamp.east_s.is_none() })
    }

    /// The moment of a local time. Of two it is the one that agrees with the reference, or else the first that the file's
    /// sequence allows.
    fn moment(&self, zone: Zone, local_us: i64, reference: Time) -> Time {
        match zone.moments(local_us) {
            Moments::One(at) => at,
            Moments::Two(first, second) => {
                let agrees = |t: Time| t.offset_from(reference).saturating_abs() <= AGREES_US;
                let is_before = |last: Time| last.offset_from(first) > OUT_OF_ORDER_US;
                if (agrees(second) && !agrees(first)) || self.last_at.is_some_and(is_before) { second } else { first }
            }
        }
    }

    /// [`StampClock::resolve`] for the records of a file, one after the other: what a record shows is kept for the next one.
    pub(super) fn advance(&mut self, stamp: &Stamp, zone: Zone, reference: Time, latest: Option<Time>) -> Option<Resolved> {
        let mut resolved = self.resolve(stamp, zone, reference, latest)?;
        if resolved.guessed_date {
            self.agree(&mut resolved, stamp.us, zone);
        } else {
            resolved.jump = !self.show(resolved.local_us, Some(resolved.at));
        }
        Some(resolved)
    }

    /// Takes a local time with a date, and its moment. Returns false if it is too far from the last one to be believed at once.
    pub(super) fn show(&mut self, local_us: i64, at: Option<Time>) -> bool {
        let near = |t: Option<i64>| t.is_some_and(|t| within(t, local_us, JUMP_US));
        if self.last.is_none() || near(self.last) || near(self.doubted) {
            *self = StampClock { last: Some(local_us), doubted: None, last_at: at, ..*self };
            return true;
        }
        self.doubted = Some(local_us);
        false
    }

    /// A time of day that fits a doubted date, and not the last one, is the further record that agrees.
    fn agree(&mut self, resolved: &mut Resolved, us: i64, zone: Zone) {
        let fits = |t: i64| within(t, nearest(t, us), JUMP_US);
        if let (Some(last), Some(doubted)) = (self.last, self.doubted)
            && !fits(last)
            && fits(doubted)
        {
            resolved.local_us = nearest(doubted, us);
            resolved.at = self.moment(zone, resolved.local_us, resolved.at);
            self.doubted = None;
        }
        self.last = Some(resolved.local_us);
        self.last_at = Some(resolved.at);
    }
}

/// The zone of an offset in a stamp.
pub(super) fn east(seconds: i64) -> Zone {
    i32::try_from(seconds).map_or(Zone::UTC, Zone::Fixed)
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

fn within(a: i64, b: i64, distance: i64) -> bool {
    a.saturating_sub(b).saturating_abs() <= distance
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
        let clock = StampClock { last: last.map(|l| time(l).micros()), ..StampClock::default() };
        let (_, stamp) = stamp::any(text).unwrap();
        let reference = time("2019-02-08T08:37:49Z");
        clock.resolve(&stamp, east(-west_s), reference, None).unwrap().at.to_string()
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
    fn a_time_of_day_is_not_in_the_future() {
        let at = |last: Option<&str>, text: &str, arrived: &str| {
            let clock = StampClock { last: last.map(|l| time(l).micros()), ..StampClock::default() };
            let (_, stamp) = stamp::any(text).unwrap();
            clock.resolve(&stamp, Zone::UTC, time(arrived), None).unwrap().at.to_string()
        };
        assert_eq!(at(None, "20:00:00", "2026-11-29T12:00:00Z"), "2026-11-28T20:00:00.000Z");
        assert_eq!(at(None, "12:00:30", "2026-11-29T12:00:00Z"), "2026-11-29T12:00:30.000Z", "a clock that is ahead");
        assert_eq!(at(None, "12:34:56", "2026-11-29T00:40:00Z"), "2026-11-28T12:34:56.000Z");
        assert_eq!(at(None, "00:00:20", "2026-11-29T23:59:50Z"), "2026-11-30T00:00:20.000Z");
        assert_eq!(at(None, "00:10:00", "2026-11-29T23:59:50Z"), "2026-11-29T00:10:00.000Z");
        // A record that was held back for half a day does not move the file to tomorrow.
        let last = Some("2026-11-29T12:34:00Z");
        assert_eq!(at(last, "02:00:00", "2026-11-29T12:34:05Z"), "2026-11-29T02:00:00.000Z");
        // The file's own clock is ahead, and goes over midnight.
        let last = Some("2026-11-29T23:59:58Z");
        assert_eq!(at(last, "00:00:01", "2026-11-30T00:00:02Z"), "2026-11-30T00:00:01.000Z");
        assert_eq!(at(last, "00:00:01", "2026-11-29T23:50:02Z"), "2026-11-30T00:00:01.000Z");
        assert_eq!(at(last, "23:59:59", "2026-11-29T23:50:02Z"), "2026-11-29T23:59:59.000Z");
    }

    #[test]
    fn the_year_is_the_nearest_and_a_written_offset_wins() {
        assert_eq!(at(None, "Aug 29 02:00:00", 0), "2018-08-29T02:00:00.000Z");
        assert_eq!(at(None, "Jan 10 01:00:00", -3600), "2019-01-10T00:00:00.000Z");
        assert_eq!(at(None, "2006-10-29T02:00:00.156+01:00", -7200), "2006-10-29T01:00:00.156Z");
    }

    #[test]
    fn a_year_that_is_left_out_is_not_after_the_latest() {
        let at = |text: &str, latest: Option<&str>| {
            let (_, stamp) = stamp::any(text).unwrap();
            let resolved = StampClock::default().resolve(&stamp, Zone::UTC, time("2026-11-21T00:00:00Z"), latest.map(time));
            resolved.unwrap().at.to_string()
        };
        assert_eq!(at("Mar 14 09:15:02", None), "2026-03-14T09:15:02.000Z");
        assert_eq!(at("Nov 21 20:00:00", None), "2026-11-21T20:00:00.000Z", "another zone");
        assert_eq!(at("Feb 29 09:15:02", None), "2024-02-29T09:15:02.000Z");
        let latest = Some("2026-11-22T00:00:00Z");
        for (text, wanted) in [
            ("Mar 14 09:15:02", "2026-03-14T09:15:02.000Z"),
            ("Nov 21 23:00:00", "2026-11-21T23:00:00.000Z"),
            ("Nov 24 09:15:02", "2025-11-24T09:15:02.000Z"),
            ("Jan  2 09:15:02", "2026-01-02T09:15:02.000Z"),
            ("Feb 29 09:15:02", "2024-02-29T09:15:02.000Z"),
        ] {
            assert_eq!(at(text, latest), wanted);
        }
    }

    #[test]
    fn a_jump_is_believed_when_the_next_record_agrees() {
        let mut clock = StampClock::default();
        let mut shown = |text: &str| {
            let (_, stamp) = stamp::any(text).unwrap();
            let r = clock.advance(&stamp, Zone::UTC, time("2019-02-08T08:37:49Z"), None).unwrap();
            format!("{} {}", r.at, if r.jump { "jump" } else { "" })
        };
        assert_eq!(shown("2016-06-05T10:00:00"), "2016-06-05T10:00:00.000Z ");
        // One record from elsewhere is marked, and does not move the time of the others.
        assert_eq!(shown("2030-01-01T10:00:00"), "2030-01-01T10:00:00.000Z jump");
        assert_eq!(shown("10:00:01"), "2016-06-05T10:00:01.000Z ");
        assert_eq!(shown("2016-06-05T10:00:02"), "2016-06-05T10:00:02.000Z ");
        // A silence of two days: the second record, dated or not, agrees.
        assert_eq!(shown("2016-06-07T13:00:00"), "2016-06-07T13:00:00.000Z jump");
        assert_eq!(shown("2016-06-07T13:00:01"), "2016-06-07T13:00:01.000Z ");
        assert_eq!(shown("2016-06-09T19:00:00"), "2016-06-09T19:00:00.000Z jump");
        assert_eq!(shown("19:00:01"), "2016-06-09T19:00:01.000Z ");
    }

    /// The times of a file's stamps without a zone, read one after the other in the zone of Berlin.
    fn in_berlin(stamps: &[&str], reference: &str) -> Vec<String> {
        let mut clock = StampClock::default();
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let mut read = |text: &&str| {
            let (_, stamp) = stamp::any(text).unwrap();
            clock.advance(&stamp, berlin, time(reference), None).unwrap().at.to_string()
        };
        stamps.iter().map(&mut read).collect()
    }

    #[test]
    fn the_order_or_the_arrival_decides_in_the_hour_that_is_shown_twice() {
        let stamps =
            ["2026-10-25 01:59:00", "2026-10-25 02:50:00", "2026-10-25 02:05:00", "2026-10-25 02:50:00", "2026-10-25 03:00:00"];
        let wanted = [
            "2026-10-24T23:59:00.000Z",
            "2026-10-25T00:50:00.000Z",
            "2026-10-25T01:05:00.000Z",
            "2026-10-25T01:50:00.000Z",
            "2026-10-25T02:00:00.000Z",
        ];
        assert_eq!(in_berlin(&stamps, "2026-11-01T00:00:00Z"), wanted);
        // Nothing before it shows which hour is meant: the arrival does.
        let once = |arrival| in_berlin(&["Oct 25 02:30:00"], arrival);
        assert_eq!(once("2026-10-25T00:30:01Z"), ["2026-10-25T00:30:00.000Z"]);
        assert_eq!(once("2026-10-25T01:30:01Z"), ["2026-10-25T01:30:00.000Z"]);
    }

    #[test]
    fn a_file_that_was_quiet_for_most_of_a_year_goes_on_in_the_next() {
        let mut clock = StampClock { until: Some(time("2026-11-30T00:00:00Z")), ..StampClock::default() };
        let mut now = time("2024-02-01T00:00:00Z");
        let mut read = |text: &str| {
            let (_, stamp) = stamp::any(text).unwrap();
            now = clock.advance(&stamp, Zone::UTC, now, None).unwrap().at;
            now.to_string()
        };
        assert_eq!(read("Feb  1 00:00:00"), "2024-02-01T00:00:00.000Z");
        // This is nearer to the year before.
        assert_eq!(read("Oct  1 00:00:00"), "2024-10-01T00:00:00.000Z");
        assert_eq!(read("Sep 20 00:00:00"), "2024-09-20T00:00:00.000Z", "out of order");
    }
}
