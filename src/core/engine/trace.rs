//! The trace: why the engine treated an event as it did. It exists only for `pointsman explain`.
//!
//! A live controller has no trace, and a decision then costs one check of an empty option: the texts are made only on demand.

use std::collections::BTreeSet;

use crate::core::base::time::{Time, duration_text};
use crate::core::lang::program::{Alarm, Operand, Program};

use super::Engine;
use super::arrival::Match;
use super::key::Key;
use super::record::PartialMatch;

/// Maximum number of keys that a reason names.
const KEYS: usize = 3;

/// What was decided about an alarm, from the earliest stage to the latest. The latest stage explains best why an alarm was
/// not raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// Its mode is `off`.
    Off,
    /// The event lacks a field that the alarm needs.
    NoField,
    /// An event that cancels it is about a key for which it is not active.
    CancelsNothing,
    /// A part of its condition was matched and is not used: it is out of order, too late or a duplicate.
    NotUsed,
    /// What was measured does not compare as required.
    Measured,
    /// States that are joined do not all hold.
    NoState,
    /// A part of its condition was matched, and other parts are missing.
    Partial,
    /// Partial matches or a pending fire were dropped: `unless`, `cancel when`, the second part of a `without`.
    Forgotten,
    /// It is pending: it has to last (`hold`, `without`, a silence).
    Pending,
    /// Its condition fired while `only while` did not allow it.
    NotWhile,
    /// Its calendars do not allow it at this time.
    NotNow,
    /// Another alarm suppresses it.
    Suppressed,
    /// It is active for too many keys.
    NoRoom,
    /// It was raised or repeated, and started no reactions: late, too old, throttled.
    NotStarted,
    /// It is active already.
    Repeated,
    Cleared,
    Raised,
}

impl Decision {
    /// The stable name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Decision::Off => "off",
            Decision::NoField => "no_field",
            Decision::CancelsNothing => "cancels_nothing",
            Decision::NotUsed => "not_used",
            Decision::Measured => "measured",
            Decision::NoState => "no_state",
            Decision::Partial => "partial",
            Decision::Forgotten => "forgotten",
            Decision::Pending => "pending",
            Decision::NotWhile => "not_while",
            Decision::NotNow => "not_now",
            Decision::Suppressed => "suppressed",
            Decision::NoRoom => "no_room",
            Decision::NotStarted => "not_started",
            Decision::Repeated => "repeated",
            Decision::Cleared => "cleared",
            Decision::Raised => "raised",
        }
    }
}

/// One decision about an alarm, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedDecision {
    /// The time of the decision, by the engine's clock.
    pub at: Time,
    pub alarm: String,
    /// The key of the instance; `None` if the event has no key.
    pub key: Option<Key>,
    pub decision: Decision,
    /// The reason, as a sentence without its subject.
    pub reason: String,
    /// The value that a count of different values counts.
    pub value: Option<String>,
}

/// Decisions that a user wants to see.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The alarms of interest; empty: all.
    alarms: BTreeSet<String>,
    found: Vec<TracedDecision>,
}

impl Trace {
    /// Makes a trace of these alarms; of all alarms if the set is empty.
    pub fn of(alarms: BTreeSet<String>) -> Trace {
        Trace { alarms, found: Vec::new() }
    }
}

/// Why an event has no field that a pattern of the alarm sets to the value of another field; empty if none does.
pub(super) fn missing_source(program: &Program, alarm: &Alarm, field: &str) -> String {
    let atoms = alarm.detect.parts.iter().flatten().filter_map(|atom| program.atoms.get(super::place(*atom)));
    let source = atoms.flat_map(|atom| &atom.sets).find_map(|(name, value)| match value {
        Operand::Field(source) if name == field => Some(source),
        _ => None,
    });
    source.map(|source| format!("; its pattern sets it to `{source}`, which the event does not have")).unwrap_or_default()
}

impl Engine {
    /// Starts or stops the trace of decisions.
    pub fn trace(&mut self, trace: Option<Trace>) {
        self.trace = trace.map(Box::new);
    }

    /// The decisions since the last call.
    pub fn take_traced(&mut self) -> Vec<TracedDecision> {
        self.trace.as_mut().map(|trace| std::mem::take(&mut trace.found)).unwrap_or_default()
    }

    #[inline]
    pub(super) fn decided(
        &mut self,
        at: Time,
        alarm: &Alarm,
        key: Option<&Key>,
        decision: Decision,
        reason: impl FnOnce() -> String,
    ) {
        if let Some(trace) = &mut self.trace
            && (trace.alarms.is_empty() || trace.alarms.contains(&alarm.name))
        {
            let (alarm, key) = (alarm.name.clone(), key.cloned());
            trace.found.push(TracedDecision { at, alarm, key, decision, reason: reason(), value: None });
        }
    }
}

impl Engine {
    /// Traces that the partial matches or the pending fire of a key will be dropped, and why.
    pub(super) fn trace_forgotten(&mut self, at: Time, alarm: &Alarm, key: &Key, why: &str) {
        if self.trace.is_none() {
            return;
        }
        let partial = self.state.partial_matches(&alarm.name, key).len();
        let waiting = self.state.pending(&alarm.name, key).map(|w| w.due);
        let what = match (partial, waiting) {
            (_, Some(due)) => format!("it was pending until {due}, and counts no more"),
            (0, None) => return,
            (1, None) => "1 event that was counted counts no more".to_owned(),
            (n, None) => format!("{n} events that were counted count no more"),
        };
        self.decided(at, alarm, Some(key), Decision::Forgotten, || format!("{why}: {what}"));
    }

    /// Traces an event that cancels, if nothing of its key is active. It is mostly about another key.
    pub(super) fn trace_cancels_nothing(&mut self, at: Time, alarm: &Alarm, key: &Key) {
        let own = self.state.instance(&alarm.name, key).is_some() || self.state.suppressed(&alarm.name, key).is_some();
        if self.trace.is_none() || own {
            return;
        }
        let elsewhere = match self.active_for(&alarm.name) {
            Some(keys) => format!("it is active for {keys}"),
            None => "it is not active for any".to_owned(),
        };
        self.decided(at, alarm, Some(key), Decision::CancelsNothing, || {
            format!("the event matches `cancel when`, and the alarm is not active for its key: {elsewhere}")
        });
    }

    /// The first keys for which an alarm is active, in brackets; `None` if it is not active.
    pub(super) fn active_for(&self, alarm: &str) -> Option<String> {
        let mut keys = self.state.active_of(alarm).map(|(key, _)| format!("[{key}]"));
        let first: Vec<String> = keys.by_ref().take(KEYS).collect();
        let more = keys.count();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!first.is_empty()).then(|| format!("{}{more}", first.join(", ")))
    }

    /// Traces a raise that `only while` does not allow, with the keys for which the other alarms are active.
    pub(super) fn trace_not_only_while(&mut self, at: Time, alarm: &Alarm, key: &Key, why: &str) {
        if self.trace.is_none() {
            return;
        }
        let active = alarm.only_while.iter().filter_map(|name| Some(format!("{name} is active for {}", self.active_for(name)?)));
        let active: Vec<String> = active.collect();
        let beside = if active.is_empty() { String::new() } else { format!("; {}", active.join(", ")) };
        self.decided(at, alarm, Some(key), Decision::NotWhile, || {
            format!("its condition is true, and it is not raised {why} (`only while`){beside}")
        });
    }

    /// Traces an event that counts, when the count is not reached.
    pub(super) fn trace_count(&mut self, matched: &Match<'_, '_>, n: usize, since: Option<Time>, distinct: Option<(&str, &str)>) {
        let notes = self.state.partial_matches(&matched.alarm.name, &matched.key);
        let inside = |note: &&PartialMatch| since.is_none_or(|since| note.at >= since);
        let gone = notes.iter().filter(|note| !inside(note)).map(|note| note.at).max();
        let within = matched.alarm.detect.within.map(|w| format!(" within {}", duration_text(w))).unwrap_or_default();
        let (have, of) = match distinct {
            None => {
                let before = notes.iter().filter(inside).map(PartialMatch::times).sum::<usize>();
                (before + usize::from(matched.arrival.event.times()), "events".to_owned())
            }
            Some((field, value)) => {
                let others = notes.iter().filter(inside).filter(|note| note.value() != Some(value)).count();
                (others + 1, format!("different values of `{field}` (this is {value})"))
            }
        };
        let gone = gone.map(|at| format!("; an earlier one counts no more: it is {} old", duration_text(matched.at.since(at))));
        let reason = format!("{have} of {n} {of}{within}{}", gone.unwrap_or_default());
        self.decided(matched.at, matched.alarm, Some(&matched.key), Decision::Partial, || reason);
        if let (Some(trace), Some((_, value))) = (&mut self.trace, distinct) {
            let last = trace.found.last_mut().filter(|decision| decision.alarm == matched.alarm.name);
            last.into_iter().for_each(|decision| decision.value = Some(value.to_owned()));
        }
    }

    /// Traces a step of a sequence that arrives without the step before.
    pub(super) fn trace_step(&mut self, matched: &Match<'_, '_>, part: usize) {
        let notes = self.state.partial_matches(&matched.alarm.name, &matched.key);
        let last = matched.alarm.detect.parts.len();
        let reason = match notes.iter().filter(|note| note.part() + 1 == part).max_by_key(|note| note.at) {
            Some(note) if note.at > matched.at => format!("step {} of {last} is older than the step before it", part + 1),
            Some(note) => format!(
                "step {} of {last} comes too late: the sequence began {} before, and `within` is {}",
                part + 1,
                duration_text(matched.at.since(note.at)),
                duration_text(matched.alarm.detect.within.unwrap_or_default())
            ),
            None => format!("step {} of {last} comes, and step {part} did not come before it for this key", part + 1),
        };
        self.decided(matched.at, matched.alarm, Some(&matched.key), Decision::NotUsed, || reason);
    }
}
