//! Calendars: named times, by the wall clocks of a zone. For a moment they answer whether a calendar is active, and when that
//! changes next.
//!
//! A calendar is a set of half-open spans of time: the union of its clauses, without the times of the calendars that it
//! excepts. The set is never complete; only a window is computed, of as many days as a question needs. There are no side
//! effects: the caller passes the moment, and the rules of the zones are compiled in.
//!
//! Wall clocks are not always unambiguous. A time that does not exist, because clocks go forward, is the moment after the
//! gap. A time that exists twice means its first. [`wall`] has the rule, [`cron`] its one exception.

mod clause;
mod cron;
mod spans;
mod wall;

use std::time::Duration;

use chrono_tz::Tz;

use crate::core::base::limits::CALENDAR_SEARCH;
use crate::core::base::time::Time;
use spans::Window;

pub(in crate::core::lang) use chrono::NaiveDate as Date;
pub(in crate::core::lang) use chrono_tz::Tz as Zone;
pub(in crate::core::lang) use clause::{CalendarSpan, Hours};
pub(in crate::core::lang) use cron::Cron;
pub(in crate::core::lang) use wall::{clock, date, day, zone, zone_like};

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// 2026-01-01T00:00:00Z: the beginning of the times that are searched for the longest.
const LOOKED_AT: i64 = 1_767_225_600_000_000;
/// Number of changes to search: those of a daily calendar for two months.
const TIMES: usize = 120;

/// A named set of times.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// The calendars that it excepts directly or indirectly, each before those that need it, and itself at the end.
    parts: Vec<CalendarPart>,
}

/// One calendar of the file.
#[derive(Clone, Debug)]
pub(in crate::core::lang) struct CalendarPart {
    pub(in crate::core::lang) zone: Tz,
    /// The calendar is active when one of them is.
    pub(in crate::core::lang) clauses: Vec<CalendarSpan>,
    /// Indices, in [`Calendar::parts`], of the calendars whose times are subtracted.
    pub(in crate::core::lang) except: Vec<usize>,
}

impl Calendar {
    /// A calendar of parts, of which the last is the calendar itself; each excepts only earlier ones.
    pub(in crate::core::lang) fn new(parts: Vec<CalendarPart>) -> Calendar {
        Calendar { parts }
    }

    /// True when the moment is one of the calendar's times. A span includes its beginning and not its end.
    pub fn active(&self, at: Time) -> bool {
        let at = at.micros();
        !self.spans(Window { from: at, to: at.saturating_add(1) }).is_empty()
    }

    /// What the clocks of its zone show at a moment, for people.
    pub fn wall_clock(&self, at: Time) -> String {
        let zone = self.parts.last().map_or(Tz::UTC, |own| own.zone);
        wall::shown(zone, at.micros())
    }

    /// The next later moment at which the result of [`Calendar::active`] changes; `None` when there is none within
    /// [`CALENDAR_SEARCH`].
    pub fn next_change(&self, after: Time) -> Option<Time> {
        let now = self.active(after);
        let mut from = after.micros();
        let end = (after + CALENDAR_SEARCH).micros();
        // Most changes are near, so the windows begin small.
        let mut days = 2;
        while from < end {
            let window = Window { from, to: from.saturating_add(days * DAY_US).min(end) };
            let spans = self.spans(window);
            let change = match spans.first() {
                // It is active from the first moment of the window until the first span ends.
                Some(first) if first.from == from && now => Some(first.to).filter(|to| *to < window.to),
                Some(first) if now => Some(from).filter(|_| first.from > from),
                Some(first) => Some(first.from),
                None => now.then_some(from),
            };
            if change.is_some() {
                return change.map(Time::from_micros);
            }
            from = window.to;
            days = (days * 2).min(64);
        }
        None
    }

    /// The longest of some hundred successive times from a fixed day on; `None` when none of them ends.
    pub(in crate::core::lang) fn longest(&self) -> Option<Duration> {
        let mut at = Time::from_micros(LOOKED_AT);
        let mut longest = None;
        for _ in 0..TIMES {
            let Some(next) = self.next_change(at) else { break };
            if self.active(at) {
                longest = longest.max(Some(next.since(at)));
            }
            at = next;
        }
        longest
    }

    /// True when it certainly is never active: no clause can match, or all time is subtracted.
    pub(in crate::core::lang) fn never(&self) -> bool {
        let Some(own) = self.parts.last() else { return true };
        let all_taken = own.except.iter().filter_map(|i| self.parts.get(*i)).any(CalendarPart::always);
        all_taken || !own.clauses.iter().any(|clause| clause.ever(own.zone))
    }

    /// The spans of a window, sorted and disjoint.
    fn spans(&self, window: Window) -> Vec<spans::TimeSpan> {
        let mut sets: Vec<Vec<spans::TimeSpan>> = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let mut found = Vec::new();
            for clause in &part.clauses {
                clause.spans(part.zone, window, &mut found);
            }
            let mut own = spans::union(found);
            for taken in part.except.iter().filter_map(|i| sets.get(*i)) {
                own = spans::without(&own, taken);
            }
            sets.push(own);
        }
        sets.pop().unwrap_or_default()
    }
}

impl CalendarPart {
    /// True when it certainly is always active.
    fn always(&self) -> bool {
        self.except.is_empty() && self.clauses.iter().any(CalendarSpan::always)
    }
}
