//! Alarms about alarms, patterns of several events and lost hosts: changes in the engine that conditions match like events.
//!
//! The consequences of a change are handled within the same turn, after those of the event that caused it. The number of hops
//! is limited; a change beyond the limit is dropped and reported once.

use std::sync::Arc;
use std::time::Duration;

use crate::core::base::limits::HOPS;
use crate::core::base::time::Time;
use crate::core::event::{OWN_APP, Stale, Trust, Value};
use crate::core::lang::matches;
use crate::core::lang::program::{Alarm, Hit, Shape, Signal};

use super::arrival::{Arrival, Firing, Match};
use super::fields::{TriggerEvent, trust_field};
use super::key::Key;
use super::record::{AlarmComment, Fields, Record};
use super::trace::Decision;
use super::turn::Output;
use super::{Engine, fields};
use crate::core::notice::{Kind, Notice};

/// A change on its way to the conditions that are about it.
#[derive(Clone, Debug)]
pub(super) struct StateChange {
    pub(super) signal: Signal,
    pub(super) event: Arc<Fields>,
    pub(super) late: Option<Stale>,
    pub(super) hops: usize,
}

impl Engine {
    /// True when a condition is about such changes.
    pub(super) fn is_wanted(&self, signal: &Signal) -> bool {
        self.signals.contains_key(signal)
    }

    /// Queues a change for the conditions that are about it.
    pub(super) fn signal(&mut self, signal: Signal, event: Arc<Fields>, late: Option<Stale>) {
        if self.is_wanted(&signal) {
            self.changes.push_back(StateChange { signal, event, late, hops: self.hops + 1 });
        }
    }

    /// Queues the raise or the end of an alarm.
    pub(super) fn changed(&mut self, signal: Signal, alarm: &str, event: &Arc<Fields>, late: Option<Stale>) {
        if !self.is_wanted(&signal) {
            return;
        }
        let mut event = event.clone();
        Arc::make_mut(&mut event).insert("alarm".to_owned(), Value::from(alarm));
        self.signal(signal, event, late);
    }

    /// Acknowledges an active alarm; the first acknowledgement counts.
    pub(super) fn ack(
        &mut self,
        now: Time,
        alarm: &str,
        key: &Key,
        (by, comment, lasts): (&str, Option<String>, Option<Duration>),
        out: &mut Vec<Output>,
    ) {
        let Some(instance) = self.state.instance(alarm, key) else { return };
        if self.state.acked(alarm, key).is_some() {
            return;
        }
        let mut event = instance.event.clone();
        Arc::make_mut(&mut event).insert("by".to_owned(), Value::from(by).into_owned());
        self.changed(Signal::Acked(alarm.to_owned()), alarm, &event, None);
        let until = lasts.map(|lasts| now + lasts);
        let (alarm, key, by) = (alarm.to_owned(), key.clone(), by.to_owned());
        self.record(Record::Acked { alarm, key, at: now, by, comment, until }, out);
    }

    /// Ends an acknowledgement that has expired: the alarm counts as not acknowledged.
    pub(super) fn end_ack(&mut self, at: Time, alarm: &str, key: &Key, out: &mut Vec<Output>) {
        if self.state.acked(alarm, key).is_none() {
            return;
        }
        self.record(Record::AckEnded { alarm: alarm.to_owned(), key: key.clone(), at }, out);
        if let Some(event) = self.state.instance(alarm, key).map(|instance| instance.event.clone()) {
            self.changed(Signal::AckEnded(alarm.to_owned()), alarm, &event, None);
        }
    }

    /// Adds an operator's comment to an active alarm.
    pub(super) fn comment(&mut self, now: Time, alarm: &str, key: &Key, by: &str, text: &str, out: &mut Vec<Output>) {
        if self.state.instance(alarm, key).is_some() {
            let comment = AlarmComment { at: now, by: by.to_owned(), text: text.to_owned() };
            self.record(Record::Commented { alarm: alarm.to_owned(), key: key.clone(), comment }, out);
        }
    }

    /// Queues the loss or the return of a host.
    pub(super) fn host_changed(&mut self, host: &str, lost: bool) {
        let (signal, says) = if lost { (Signal::HostLost, "lost") } else { (Signal::HostBack, "back") };
        let text = format!("{host} is {says}");
        self.signal(signal, Arc::new(fields::authenticated([("host", host), ("app", OWN_APP), ("text", &text)])), None);
    }

    /// Handles the changes of this turn.
    pub(super) fn follow(&mut self, now: Time, sequence: u64, out: &mut Vec<Output>) {
        let program = self.program.clone();
        let index = self.index.clone();
        loop {
            let Some(change) = self.changes.pop_front() else {
                let Some(freed) = self.freed.pop_front() else { break };
                self.hops = freed.hops;
                self.release(now, sequence, &freed, out);
                continue;
            };
            if change.hops > HOPS {
                let text =
                    format!("more than {HOPS} alarms or patterns in a row caused each other: {:?} is ignored", change.signal);
                self.notify_once(format!("hops {:?}", change.signal), Notice::new(Kind::Limit, text), out);
                continue;
            }
            self.hops = change.hops;
            let event = fields::event_of(&change.event);
            let atoms = self.signals.get(&change.signal).cloned().unwrap_or_default();
            let matched = atoms.into_iter().filter_map(|atom| {
                let captures = matches(program.atoms.get(super::place(atom))?, &event, &index)?;
                Some(Hit { atom, captures })
            });
            let hits: Vec<Hit> = matched.collect();
            let arrival = Arrival { now, sequence, event: &event, index: &index, late: change.late };
            self.arrived(&arrival, &hits, out);
        }
        self.hops = 0;
    }

    /// Handles the raise or the end of an alarm that is counted: counts the active instances that share the keys of this
    /// event.
    pub(super) fn standing<'a>(&mut self, arrival: &Arrival<'a>, alarm: &Alarm, hit: &'a Hit, out: &mut Vec<Output>) {
        let Shape::Standing { n, alarm: counted } = &alarm.detect.shape else { return };
        let Some(matched) = self.match_part(arrival, alarm, Some(hit), out) else { return };
        let same = |event: &Fields| {
            alarm
                .by
                .iter()
                .zip(matched.key.values())
                .all(|(field, value)| event.get(field).is_some_and(|v| v.to_string() == value))
        };
        let standing = self.state.active_of(counted).filter(|(_, instance)| same(&instance.event));
        let trust: Vec<Trust> = standing.map(|(_, instance)| fields::trust(&instance.event)).collect();
        self.count_states(matched, *n, trust, Fields::new(), out);
    }

    /// Counts states, each with its trust: enough of them raise the alarm, and too few end it. `more` are fields that are not
    /// in the event.
    pub(super) fn count_states(
        &mut self,
        matched: Match<'_, '_>,
        n: usize,
        mut trust: Vec<Trust>,
        mut more: Fields,
        out: &mut Vec<Output>,
    ) {
        let Match { arrival, alarm, .. } = matched;
        let active = self.state.instance(&alarm.name, &matched.key).is_some();
        if trust.len() >= n && !active {
            // The wanted number of states with the highest trust is enough.
            trust.sort_unstable_by(|a, b| b.cmp(a));
            let least = n.checked_sub(1).and_then(|n| trust.get(n)).copied().unwrap_or(Trust::Authenticated);
            self.lower_pending_trust(alarm, &matched.key, least, out);
            more.extend(trust_field(least));
            more.insert("count".to_owned(), Value::Int(i64::try_from(trust.len()).unwrap_or(i64::MAX)));
            self.fire(matched, more, out);
        } else if trust.len() < n {
            let key = matched.key;
            self.decided(arrival.now, alarm, Some(&key), Decision::NoState, || {
                format!("{} of {n} are in the state at once", trust.len())
            });
            self.drop_begun(alarm, &key, out);
            if alarm.cancel.is_empty() {
                self.clear(&arrival.ending(), &alarm.name, &key, out);
            }
        }
    }

    /// Lowers the trust of a pending state to the lowest trust that the state had in all that time.
    pub(super) fn lower_pending_trust(&mut self, alarm: &Alarm, key: &Key, trust: Trust, out: &mut Vec<Output>) {
        let Some(waiting) = self.state.pending(&alarm.name, key).filter(|w| trust < fields::trust(&w.event)) else { return };
        let mut waiting = waiting.clone();
        Arc::make_mut(&mut waiting.event).extend(trust_field(trust));
        self.record(Record::Pending { alarm: alarm.name.clone(), key: key.clone(), waiting }, out);
    }

    /// Handles the occurrence of a composite pattern.
    pub(super) fn occurred(&mut self, on: &Firing, alarm: &Alarm, seen: TriggerEvent<'_>) {
        let name = alarm.name.strip_prefix("pattern ").unwrap_or(&alarm.name).to_owned();
        self.signal(Signal::Occurrence(name), seen.fields(), on.late.clone().or(on.old.clone()));
    }

    /// The fields of a key without an event: its values, what the inventory derives from them, and the trust of those that
    /// reported it.
    pub(super) fn of_key(&self, alarm: &Alarm, key: &Key, trust: Trust) -> Arc<Fields> {
        let mut fields: Fields = alarm.by.iter().zip(key.values()).map(|(f, v)| (f.clone(), Value::from(&*v))).collect();
        fields.insert("trust".to_owned(), Value::from(trust.name()));
        let mut all = fields::fields_of(&fields::event_of(&fields), &[], &self.index);
        all.remove("text");
        // A key is what the alarm is about, whatever the inventory derives from the rest: the pair of a silence `by pair`.
        all.extend(fields);
        Arc::new(all)
    }
}
