//! `inhibited by` and `only while`. While an inhibiting alarm is active, an alarm is suppressed until nothing inhibits it any
//! more. `only while` drops it.
//!
//! A suppressed alarm behaves like an active one: the newest event counts, and whatever would end an active instance ends it:
//! `cancel when`, `cancel after`, the end of a state, an operator. An alarm with `cancel at once` is a moment and is not
//! suppressed.

use std::sync::Arc;

use crate::core::base::time::Time;
use crate::core::event::{Stale, Trust};
use crate::core::lang::program::{Alarm, Cancel, Mode, WhileActive};

use super::arrival::Firing;
use super::fields::TriggerEvent;
use super::instance::{Ending, deadline, suppressed_notice};
use super::key::{Key, shown};
use super::record::{Cause, Fields, Record, Suppressed};
use super::turn::Output;
use super::{Engine, fields};

/// A suppressed alarm that the end of another alarm may release.
#[derive(Clone, Debug)]
pub(super) struct Freed {
    alarm: String,
    key: Key,
    /// Why it may start nothing: the event that ended the other alarm was late.
    late: Option<Stale>,
    pub(super) hops: usize,
}

impl Engine {
    /// Returns the alarm that inhibits another one: it is active for the same values of the keys that both have, and has at
    /// least this trust. A less trusted alarm does not suppress a more trusted event.
    pub(super) fn inhibitor<'a>(&self, alarm: &'a Alarm, key: &Key, trust: Trust) -> Option<&'a str> {
        alarm.inhibited_by.iter().find(|name| self.active_beside(alarm, key, name) >= Some(trust)).map(String::as_str)
    }

    /// Reports an active alarm whose trust is too low to inhibit.
    pub(super) fn report_untrusted_inhibitor(&self, alarm: &Alarm, key: &Key, trust: Trust, out: &mut Vec<Output>) {
        for name in alarm.inhibited_by.iter().chain(&alarm.only_while_not) {
            let Some(other) = self.active_beside(alarm, key, name).filter(|other| *other < trust) else { continue };
            let text = format!(
                "{} is raised although {name} is active: the trust of the active alarm is only `{}`, and that of this event is `{}`",
                shown(&alarm.name, key),
                other.name(),
                trust.name()
            );
            out.push(suppressed_notice(&alarm.name, text));
        }
    }

    /// Returns the trust of `only while`: the lowest trust of the alarms that must be active.
    pub(super) fn trust_of_only_while(&self, alarm: &Alarm, key: &Key) -> Trust {
        let beside = alarm.only_while.iter().filter_map(|name| self.active_beside(alarm, key, name));
        beside.min().unwrap_or(Trust::Authenticated)
    }

    /// Returns why `only while` does not allow an alarm; what would raise it is dropped.
    pub(super) fn why_not_only_while(&self, alarm: &Alarm, key: &Key, trust: Trust) -> Option<String> {
        let present = alarm.only_while_not.iter().find(|name| self.active_beside(alarm, key, name) >= Some(trust));
        let absent = alarm.only_while.iter().find(|name| self.active_beside(alarm, key, name).is_none());
        present
            .map(|other| format!("while {other} is active"))
            .or_else(|| absent.map(|other| format!("unless {other} is active")))
    }

    /// Returns the trust of an alarm that is active for the same values of the keys that both have.
    fn active_beside(&self, alarm: &Alarm, key: &Key, name: &str) -> Option<Trust> {
        let by = self.alarm(&self.program, name).map(|a| a.by.as_slice()).unwrap_or_default();
        if by == alarm.by {
            return self.state.instance(name, key).map(|instance| fields::trust(&instance.event));
        }
        let beside = self.state.active_of(name).filter(|(other, _)| in_common(alarm, key, by, other));
        beside.map(|(_, instance)| fields::trust(&instance.event)).max()
    }

    /// Suppresses a raise until nothing inhibits it.
    pub(super) fn suppress(
        &mut self,
        on: &Firing,
        alarm: &Alarm,
        key: &Key,
        other: &str,
        event: Arc<Fields>,
        out: &mut Vec<Output>,
    ) {
        let name = &alarm.name;
        if alarm.cancel.contains(&Cancel::AtOnce) {
            let text =
                format!("{} is not raised while {other} is active, and is dropped: it is `cancel at once`", shown(name, key));
            return out.push(suppressed_notice(name, text));
        }
        let waits = self.state.suppressed(name, key).cloned();
        if waits.is_none() && !self.has_room(alarm, fields::trust(&event), out) {
            return;
        }
        let late = on.late.clone().or(on.old.clone());
        // A less trusted event does not replace a more trusted one, and an event that may start nothing does not replace one
        // that may.
        let better = |w: &Suppressed| fields::trust(&w.event) > fields::trust(&event) || w.late.is_none() && late.is_some();
        if waits.as_ref().is_some_and(better) {
            return;
        }
        let since = waits.as_ref().map_or(on.now, |w| w.since);
        let over = match &waits {
            Some(w) if alarm.while_active == WhileActive::Ignore => w.over,
            _ => on.over.or_else(|| deadline(alarm, since, on.now)),
        };
        if waits.is_none() {
            let until = over.map(|over| format!(", at most until {over}")).unwrap_or_default();
            out.push(suppressed_notice(
                name,
                format!("{} is not raised while {other} is active: it waits{until}", shown(name, key)),
            ));
        }
        let event = self.keep(alarm, event, out);
        self.set_suppressed(name, key, Some(Suppressed { since, over, event, late }), out);
    }

    fn set_suppressed(&mut self, alarm: &str, key: &Key, what: Option<Suppressed>, out: &mut Vec<Output>) {
        self.record(Record::Suppressed { alarm: alarm.to_owned(), key: key.clone(), what: what.map(Box::new) }, out);
    }

    /// Ends a suppressed alarm by whatever would end an active instance.
    pub(super) fn end_suppressed(&mut self, end: &Ending, alarm: &str, key: &Key, out: &mut Vec<Output>) {
        if self.state.suppressed(alarm, key).is_none() {
            return;
        }
        let why = match &end.cause {
            Cause::ByHand(who) => Some(format!("it was cleared by {who}")),
            Cause::After => Some("it has expired (`cancel after`)".to_owned()),
            Cause::Removed | Cause::Changed => None,
            other => Some(format!("it ended meanwhile ({other})")),
        };
        if let Some(why) = why {
            out.push(suppressed_notice(
                alarm,
                format!("{} is not suppressed any more and was not raised: {why}", shown(alarm, key)),
            ));
        }
        self.set_suppressed(alarm, key, None, out);
    }

    /// Notes that an alarm has ended. Alarms that it may have suppressed are evaluated after this turn's changes.
    pub(super) fn frees(&mut self, end: &Ending, name: &str, key: &Key) {
        let program = self.program.clone();
        let by = self.alarm(&program, name).map(|a| a.by.as_slice()).unwrap_or_default();
        for index in self.inhibits.get(name).into_iter().flatten() {
            let Some(alarm) = program.alarms.get(*index) else { continue };
            let freed =
                |key: &Key| Freed { alarm: alarm.name.clone(), key: key.clone(), late: end.late.clone(), hops: self.hops };
            if by == alarm.by {
                self.freed.extend(self.state.suppressed(&alarm.name, key).map(|_| freed(key)));
            } else {
                let waits = self.state.suppressed_of(&alarm.name).map(|(own, _)| own);
                self.freed.extend(waits.filter(|own| in_common(alarm, own, by, key)).map(freed));
            }
        }
    }

    /// Raises an alarm that is no longer suppressed, unless something else inhibits it.
    pub(super) fn release(&mut self, now: Time, sequence: u64, freed: &Freed, out: &mut Vec<Output>) {
        let program = self.program.clone();
        let Some(alarm) = self.alarm(&program, &freed.alarm) else { return };
        let Some(suppressed) = self.state.suppressed(&alarm.name, &freed.key).cloned() else { return };
        // The event that ended the other alarm has no influence on what was suppressed: the next event would be raised as
        // well.
        if self.inhibitor(alarm, &freed.key, fields::trust(&suppressed.event)).is_some() {
            return;
        }
        self.set_suppressed(&alarm.name, &freed.key, None, out);
        // A newer event may have raised it in this turn.
        let active = self.state.instance(&alarm.name, &freed.key).map(|i| fields::trust(&i.event));
        if alarm.mode == Mode::Off || active.is_some_and(|active| active >= fields::trust(&suppressed.event)) {
            return;
        }
        let late = suppressed.late.or_else(|| freed.late.clone());
        let on = Firing { now, sequence, late, old: None, over: suppressed.over };
        self.raise(&on, alarm, freed.key.clone(), TriggerEvent::Kept(suppressed.event), out);
    }

    /// After a start or a reload, raises in this turn what nothing inhibits any more.
    pub(super) fn begin_suppressed(&mut self) {
        let all = self.state.all_suppressed().map(|(alarm, key, _)| Freed {
            alarm: alarm.to_owned(),
            key: key.clone(),
            late: None,
            hops: 0,
        });
        self.freed = all.collect();
    }
}

/// True when two keys have the same values in the fields that both have.
fn in_common(alarm: &Alarm, key: &Key, by: &[String], other: &Key) -> bool {
    let own = |field: &str| alarm.by.iter().position(|f| f == field).and_then(|i| key.value(i));
    by.iter().zip(other.values()).all(|(field, value)| own(field).is_none_or(|own| own == value))
}
