//! The effect of calendars on alarms. `not during` and `only during` delay a raise until the calendars allow it. The
//! beginning and the end of a calendar are themselves changes that conditions can match. A silence (`no A for 15m`) is
//! measured within the calendars.
//!
//! A delayed raise is never lost: the newest event is raised when the calendars allow it. The exceptions are a cancellation
//! in the meantime and a `cancel after` that has expired by then.

use std::sync::Arc;
use std::time::Duration;

use crate::core::base::time::{Time, duration_text};
use crate::core::event::OWN_APP;
use crate::core::lang::calendar::Calendar;
use crate::core::lang::program::{Alarm, Cancel, Signal};

use super::arrival::Firing;
use super::due::Due;
use super::instance::deadline;
use super::key::Key;
use super::record::{Fields, PendingFire, Record};
use super::trace::Decision;
use super::turn::Output;
use super::{Engine, fields};
use crate::core::notice::{Kind, Notice};

/// Maximum number of calendar changes to search for the end of a delay. A later end counts as never.
const CHANGES: usize = 1_000;

/// The clauses of an alarm that name calendars, as a rule has them; empty if it has none.
pub(super) fn calendar_clauses(alarm: &Alarm) -> String {
    let clauses = [("only during", &alarm.only_during), ("not during", &alarm.not_during)];
    let named = clauses.into_iter().filter(|(_, names)| !names.is_empty());
    named.map(|(word, names)| format!("`{word} {}`", names.join(", "))).collect::<Vec<_>>().join(" ")
}

impl Engine {
    /// True when the calendars allow an alarm to be raised at a time.
    pub(super) fn allowed_by_calendar(&self, alarm: &Alarm, at: Time) -> bool {
        let active = |names: &[String]| names.iter().filter_map(|name| self.program.calendars.get(name)).any(|c| c.active(at));
        !active(&alarm.not_during) && (alarm.only_during.is_empty() || active(&alarm.only_during))
    }

    /// When the calendars next allow an alarm to be raised; `None` if never, or too far away.
    pub(super) fn next_allowed(&self, alarm: &Alarm, now: Time) -> Option<Time> {
        let calendars = self.calendars_of(alarm);
        let mut at = now;
        for _ in 0..CHANGES {
            at = calendars.iter().filter_map(|c| c.next_change(at)).min()?;
            if self.allowed_by_calendar(alarm, at) {
                return Some(at);
            }
        }
        None
    }

    /// When a silence that begins now has lasted long enough, counted within one period of the alarm's calendars. A night
    /// outside the calendars is not a silence, and each morning counting starts again. `None` when no period of the calendars
    /// is long enough.
    pub(super) fn silent_until(&self, alarm: &Alarm, now: Time, lasts: Duration) -> Option<Time> {
        let calendars = self.calendars_of(alarm);
        if calendars.is_empty() {
            return Some(now + lasts);
        }
        let mut begins = now;
        for _ in 0..CHANGES {
            if !self.allowed_by_calendar(alarm, begins) {
                begins = self.next_allowed(alarm, begins)?;
            }
            let due = begins + lasts;
            // The first moment, at the latest `due`, at which the alarm may not be raised.
            let mut at = begins;
            let ends = loop {
                match calendars.iter().filter_map(|c| c.next_change(at)).min().filter(|next| *next <= due) {
                    Some(next) if self.allowed_by_calendar(alarm, next) => at = next,
                    other => break other,
                }
            };
            match ends {
                None => return Some(due),
                Some(ends) => begins = ends,
            }
        }
        None
    }

    fn calendars_of(&self, alarm: &Alarm) -> Vec<&Calendar> {
        let names = alarm.not_during.iter().chain(&alarm.only_during);
        names.filter_map(|name| self.program.calendars.get(name)).collect()
    }

    /// Delays a raise until the calendars allow it. Of several raises the newest is kept.
    pub(super) fn delay(&mut self, on: &Firing, alarm: &Alarm, key: &Key, event: Arc<Fields>, out: &mut Vec<Output>) {
        let at_once = alarm.cancel.contains(&Cancel::AtOnce);
        let over = if at_once { None } else { on.over.or_else(|| deadline(alarm, on.now, on.now)) };
        let name = &alarm.name;
        let next = self.next_allowed(alarm, on.now);
        let text = match next.filter(|due| over.is_none_or(|over| *due < over)) {
            Some(due) => {
                if self.state.pending(name, key).is_none() && !self.has_room(alarm, fields::trust(&event), out) {
                    return;
                }
                // An event of a less trusted sender does not replace one of a more trusted sender.
                let better = |w: &PendingFire| fields::trust(&w.event) > fields::trust(&event);
                if self.state.pending(name, key).is_some_and(better) {
                    return;
                }
                let late = on.late.clone().or(on.old.clone());
                let event = self.keep(alarm, event, out);
                let waiting = PendingFire { due, event, late, round: 0, over };
                self.record(Record::Pending { alarm: name.clone(), key: key.clone(), waiting }, out);
                format!(
                    "{name} is not raised now, because its calendars do not allow it: it waits until {due}, for {}",
                    duration_text(due.since(on.now))
                )
            }
            None if next.is_none() => {
                format!("{name} is not raised at this time, and its calendars never allow it again: it is dropped")
            }
            None => format!(
                "{name} is not raised now, because its calendars do not allow it, and it would expire before they do: it is dropped"
            ),
        };
        if self.trace.is_some() {
            let reason = format!(
                "its condition is true outside of its calendar: {} does not allow it now{}; {text}",
                calendar_clauses(alarm),
                self.wall_clock(alarm, on.now)
            );
            self.decided(on.now, alarm, Some(key), Decision::NotNow, || reason);
        }
        out.push(Output::Notice(Notice { alarm: Some(name.clone()), ..Notice::new(Kind::NotNow, text) }));
    }

    /// What the clocks of an alarm's calendars show, in brackets. A calendar is often written for another zone than the log.
    fn wall_clock(&self, alarm: &Alarm, now: Time) -> String {
        let mut shown: Vec<String> = self.calendars_of(alarm).iter().map(|calendar| calendar.wall_clock(now)).collect();
        shown.dedup();
        if shown.is_empty() { String::new() } else { format!(" (it is {})", shown.join(", ")) }
    }

    /// Starts to watch the calendars that conditions are about.
    pub(super) fn begin_calendars(&mut self, now: Time) {
        let names =
            self.signals.keys().filter_map(|s| if let Signal::Begins(n) | Signal::Ends(n) = s { Some(n.clone()) } else { None });
        let names: std::collections::BTreeSet<String> = names.collect();
        for name in names {
            self.watch(name, now);
        }
    }

    fn watch(&mut self, name: String, after: Time) {
        if let Some(at) = self.program.calendars.get(&name).and_then(|c| c.next_change(after)) {
            self.due.insert((at, Due::Calendar, name, Key::default()));
        }
    }

    /// Handles the beginning or the end of a calendar.
    pub(super) fn calendar_changed(&mut self, at: Time, name: &str) {
        let begins = self.program.calendars.get(name).is_some_and(|c| c.active(at));
        let text = format!("{name} {}", if begins { "begins" } else { "ends" });
        let event = fields::authenticated([("calendar", name), ("app", OWN_APP), ("text", &text)]);
        let signal = if begins { Signal::Begins(name.to_owned()) } else { Signal::Ends(name.to_owned()) };
        self.signal(signal, Arc::new(event), None);
        self.watch(name.to_owned(), at);
    }
}
