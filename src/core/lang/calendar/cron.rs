//! Cron expressions of five fields: minute, hour, day of month, month, day of week.
//!
//! The crate reads the fields and decides the days; this module makes the moments, by the rule of [`super::wall`]. There is
//! one exception: an expression for every hour follows the hours as they pass. A time that exists twice counts twice, and one
//! that does not exist does not count. Otherwise `*/10 * * * *` would be silent for an hour in autumn.

use std::time::Duration;

use chrono::{Datelike, LocalResult, NaiveDate};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds, Year};

use super::DAY_US;
use super::spans::{TimeSpan, Window, note};
use super::wall::{MINUTE_US, moment, moments};

/// For each field: its name, its values, and the words that it accepts.
const FIELDS: [(&str, &str, &[&str]); 5] = [
    ("minute", "0 to 59", &[]),
    ("hour", "0 to 23", &[]),
    ("day of month", "1 to 31, L for the last", &["L", "W", "LW"]),
    ("month", "1 to 12, jan to dec", &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]),
    ("day of week", "0 to 7, sun to sat, 5#2 for the second Friday", &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "L"]),
];

/// In this number of years every date from 1901 to 2099 falls on every day of the week.
const CYCLE: std::ops::Range<i32> = 2001..2029;

/// A cron expression, and how long each of its times lasts.
#[derive(Clone, Debug)]
pub(in crate::core::lang) struct Cron {
    cron: croner::Cron,
    hours: Vec<u32>,
    minutes: Vec<u32>,
    lasts: i64,
}

impl Cron {
    /// Reads an expression; a time without a length lasts a minute. The error is one sentence.
    pub(in crate::core::lang) fn read(text: &str, lasts: Option<Duration>) -> Result<Cron, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() != FIELDS.len() {
            return Err(format!(
                "a cron expression has five fields (minute, hour, day of month, month, day of week), and this one has {}",
                fields.len()
            ));
        }
        for (i, field) in fields.iter().enumerate() {
            let (name, wants, words) = FIELDS[i];
            if !understood(i, field, words) {
                let shown = crate::core::base::text::printable_short(field, 40);
                return Err(format!(
                    "`{shown}` is not valid as the {name} of a cron expression: {wants}; *, lists, ranges upwards, steps (*/5)"
                ));
            }
        }
        let cron = parser().parse(text).map_err(|_| "this cron expression is not understood".to_owned())?;
        let of = |values: Vec<u16>| values.into_iter().map(u32::from).collect();
        let (hours, minutes) = (of(cron.pattern.hours.values()), of(cron.pattern.minutes.values()));
        let lasts = lasts.map_or(MINUTE_US, |lasts| i64::try_from(lasts.as_micros()).unwrap_or(MINUTE_US));
        Ok(Cron { cron, hours, minutes, lasts })
    }

    /// True when it has a day of month and a day of week, and either is enough.
    pub(in crate::core::lang) fn either(&self) -> bool {
        let pattern = &self.cron.pattern;
        !pattern.is_dom_wildcard() && !pattern.is_dow_wildcard() && !pattern.matches_dom_and_dow()
    }

    /// The maximum number of days by which a time extends beyond its own day.
    pub(super) fn lasts_days(&self) -> u64 {
        u64::try_from(self.lasts / DAY_US + 1).unwrap_or(1)
    }

    /// False when no year has such a day.
    pub(super) fn ever(&self) -> bool {
        let day = |year: i32, n: u32| NaiveDate::from_yo_opt(year, n).is_some_and(|date| self.has(date));
        CYCLE.into_iter().any(|year| (1..=366).any(|n| day(year, n)))
    }

    /// Adds the spans that begin on a day of the wall clock.
    pub(super) fn spans(&self, zone: Tz, date: NaiveDate, window: Window, found: &mut Vec<TimeSpan>) {
        if !self.has(date) {
            return;
        }
        let mut begins = |at: i64| note(found, window, at, at.saturating_add(self.lasts));
        let every_hour = self.hours.len() == 24;
        for hour in self.hours.iter().map(|hour| hour * 60) {
            let (first, last) = (moments(zone, date, hour), moments(zone, date, hour + 59));
            if let (LocalResult::Single(first), LocalResult::Single(last)) = (first, last)
                && last - first == 59 * MINUTE_US
            {
                self.minutes.iter().for_each(|minute| begins(first + i64::from(*minute) * MINUTE_US));
                continue;
            }
            // An hour in which clocks change.
            for minute in &self.minutes {
                match moments(zone, date, hour + minute) {
                    LocalResult::Single(at) => begins(at),
                    LocalResult::Ambiguous(at, again) => {
                        begins(at);
                        if every_hour {
                            begins(again);
                        }
                    }
                    LocalResult::None if every_hour => {}
                    LocalResult::None => begins(moment(zone, date, hour + minute)),
                }
            }
        }
    }

    fn has(&self, date: NaiveDate) -> bool {
        let pattern = &self.cron.pattern;
        let weekday = croner::Weekday::from_days_from_sunday(date.weekday().num_days_from_sunday());
        pattern.month_match(date.month()).unwrap_or(false)
            && pattern.day_match(date.year(), date.month(), date.day(), weekday).unwrap_or(false)
    }
}

fn parser() -> CronParser {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build()
}

/// True when the field alone can be read and is valid.
fn understood(i: usize, field: &str, words: &[&str]) -> bool {
    let upper = field.to_ascii_uppercase();
    let known = upper.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty()).all(|word| words.contains(&word));
    let mut alone = ["*"; FIELDS.len()];
    alone[i] = field;
    let Ok(read) = parser().parse(&alone.join(" ")) else { return false };
    let pattern = &read.pattern;
    let component = [&pattern.minutes, &pattern.hours, &pattern.days, &pattern.months, &pattern.days_of_week][i];
    known && (!component.values().is_empty() || component.has_modifiers())
}
