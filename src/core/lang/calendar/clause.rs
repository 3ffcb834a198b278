//! One clause of a calendar: days, and hours of each day.

use chrono::{Datelike, Days, NaiveDate};
use chrono_tz::Tz;

use super::cron::Cron;
use super::spans::{TimeSpan, Window, note};
use super::wall::{DAY_MINUTES, MINUTE_US, moment, utc_date};

/// Number of days before a window whose spans may reach into it: over midnight, by the zone's offset from UTC, over a gap.
const BEFORE: u64 = 3;
/// Maximum number of days of a span of dates to check when all of them may lie in a gap.
const LOOKED_AT: usize = 366;

/// One clause of a calendar.
#[derive(Clone, Debug)]
pub(in crate::core::lang) enum CalendarSpan {
    /// On these days of the week, Monday first.
    Every([bool; 7], Hours),
    /// On each day from the first to the last.
    Dates(NaiveDate, NaiveDate, Hours),
    Cron(Box<Cron>),
}

/// Hours of a day, in minutes since midnight.
#[derive(Clone, Copy, Debug)]
pub(in crate::core::lang) enum Hours {
    Whole,
    /// From and to; if `to` is not later than `from`, it is on the next day.
    FromTo(u32, u32),
    At(u32),
}

impl Hours {
    /// The beginning and the end of these hours on a day.
    fn of(self, zone: Tz, date: NaiveDate) -> (i64, i64) {
        let (from, to) = match self {
            Hours::Whole => (0, DAY_MINUTES),
            Hours::FromTo(from, to) if to <= from => (from, to + DAY_MINUTES),
            Hours::FromTo(from, to) => (from, to),
            Hours::At(at) => {
                let at = moment(zone, date, at);
                return (at, at + MINUTE_US);
            }
        };
        (moment(zone, date, from), moment(zone, date, to))
    }
}

impl CalendarSpan {
    /// Adds the spans that touch the window.
    pub(super) fn spans(&self, zone: Tz, window: Window, found: &mut Vec<TimeSpan>) {
        let (Some(first), Some(last)) = (utc_date(window.from), utc_date(window.to)) else { return };
        let lasts = if let CalendarSpan::Cron(cron) = self { cron.lasts_days() } else { 0 };
        let mut first = first.checked_sub_days(Days::new(BEFORE + lasts)).unwrap_or(first);
        let mut last = last.checked_add_days(Days::new(1)).unwrap_or(last);
        if let CalendarSpan::Dates(from, to, _) = self {
            (first, last) = (first.max(*from), last.min(*to));
        }
        for date in first.iter_days().take_while(|date| *date <= last) {
            match self {
                CalendarSpan::Every(days, hours) => {
                    if days[date.weekday().num_days_from_monday() as usize] {
                        let (from, to) = hours.of(zone, date);
                        note(found, window, from, to);
                    }
                }
                CalendarSpan::Dates(_, _, hours) => {
                    let (from, to) = hours.of(zone, date);
                    note(found, window, from, to);
                }
                CalendarSpan::Cron(cron) => cron.spans(zone, date, window, found),
            }
        }
    }

    /// False when it certainly never matches: there is no such day, or all of it is where clocks go forward.
    pub(super) fn ever(&self, zone: Tz) -> bool {
        match self {
            CalendarSpan::Every(..) => true,
            CalendarSpan::Dates(first, last, hours) => {
                first.iter_days().take(LOOKED_AT).take_while(|date| date <= last).any(|date| {
                    let (from, to) = hours.of(zone, date);
                    from < to
                })
            }
            CalendarSpan::Cron(cron) => cron.ever(),
        }
    }

    /// True when it certainly always matches.
    pub(super) fn always(&self) -> bool {
        let whole = |hours: &Hours| matches!(hours, Hours::Whole | Hours::FromTo(0, DAY_MINUTES));
        matches!(self, CalendarSpan::Every(days, hours) if days.iter().all(|day| *day) && whole(hours))
    }
}
