//! Conditions of several events: partial matches, pending fires, and when conditions fire.
//!
//! ```text
//!   count      partial matches within the time                                fires at N of them
//!   sequence   for each step, when the newest chain that came so far began    fires at the last step
//!   all        the newest events of each part, as many as it wants            fires when each part has enough of them
//!   without    pending from the first event on; the second part cancels it    fires when its time expires
//!   preceded   the newest event of the second part, for the time              fires at the first part without one
//!   silence    (silence.rs)    measure (measure.rs)    standing (signals.rs)    members (members.rs)    states (states.rs)
//! ```
//!
//! `unless` drops the partial matches and the pending fire of a key.
//!
//! A record that stands for several equal events (`message repeated N times`) counts as that many.
//!
//! An event counts towards one occurrence: when the condition fires, all partial matches of the key are dropped. Times are
//! times of arrival. For a late event its own time counts, so that an hour of backlog is not one second.

use std::borrow::Cow;
use std::time::Duration;

use crate::core::base::limits::{COUNTED_KEYS, INSTANCES_PER_ALARM, MEMORY_PARTIAL_MATCHES, PARTIAL_MATCHES, share};
use crate::core::base::time::{Time, duration_text};
use crate::core::event::{Trust, Value};
use crate::core::lang::program::{Alarm, Hit, Shape};

use super::arrival::{Arrival, Firing, Match};
use super::fields::TriggerEvent;
use super::key::Key;
use super::lines::{counted_line, counted_lines};
use super::partial_matches::Forgot;
use super::record::{Fields, PartialMatch, PendingFire, Record};
use super::trace::Decision;
use super::turn::Output;
use super::window::MeasureSlot;
use super::{Engine, fields};
use crate::core::notice::{Kind, Notice};

impl Engine {
    /// Handles an event that matches parts of an alarm's condition; for each part, its hit.
    pub(super) fn match_parts<'a>(
        &mut self,
        arrival: &Arrival<'a>,
        alarm: &Alarm,
        parts: &[Option<&'a Hit>],
        out: &mut Vec<Output>,
    ) {
        let match_of =
            |engine: &mut Engine, part: usize, out: &mut Vec<Output>| engine.match_part(arrival, alarm, *parts.get(part)?, out);
        match &alarm.detect.shape {
            Shape::One => {
                if let Some(matched) = match_of(self, 0, out) {
                    self.fire(matched, Fields::new(), out);
                }
            }
            Shape::Count { n, distinct } => {
                if let Some(matched) = match_of(self, 0, out) {
                    self.count(matched, *n, distinct.as_deref(), out);
                }
            }
            Shape::Sequence { .. } => {
                // The last step first: one event makes only one step.
                for part in (0..parts.len()).rev() {
                    if let Some(matched) = match_of(self, part, out) {
                        self.step(matched, part, out);
                    }
                }
            }
            Shape::Silence { .. } => {
                if let Some(matched) = match_of(self, 0, out) {
                    self.restart_silence(matched, out);
                }
            }
            Shape::Measure(_) => {
                if let Some(hit) = parts.first().copied().flatten() {
                    self.measure(arrival, alarm, MeasureSlot::Detect, hit, out);
                }
            }
            Shape::Members(_) => {
                for hit in parts.iter().copied().flatten() {
                    self.members(arrival, alarm, hit, out);
                }
            }
            Shape::Standing { .. } => {
                for hit in parts.iter().copied().flatten() {
                    self.standing(arrival, alarm, hit, out);
                }
            }
            Shape::States(_) => self.states(arrival, alarm, parts, out),
            Shape::All { counts } => {
                for part in 0..parts.len() {
                    if let Some(matched) = match_of(self, part, out) {
                        self.one_of_all(matched, part, counts, out);
                    }
                }
            }
            Shape::NotPreceded => {
                if let Some(matched) = match_of(self, 0, out) {
                    if let Some(earlier) = self.preceded_at(&matched) {
                        self.decided(matched.at, alarm, Some(&matched.key), Decision::NotUsed, || {
                            let before = duration_text(matched.at.since(earlier));
                            format!("the event that must not come before (`not preceded by`) came within the time before: {before} earlier")
                        });
                    } else {
                        self.fire(matched, Fields::new(), out);
                    }
                }
                if let Some(matched) = match_of(self, 1, out) {
                    // One for each trust: a less trusted sender does not hide the event of a more trusted one.
                    let trust = matched.view.trust();
                    let note = PartialMatch::new(1, matched.at, trust).keeping(Some(trust.name().to_owned()), Fields::new());
                    let since = alarm.detect.within.map(|within| matched.at - within);
                    self.add_partial_match(matched, note, true, since, out);
                }
            }
            Shape::Without => {
                if let Some(matched) = match_of(self, 1, out) {
                    self.trace_forgotten(matched.at, alarm, &matched.key, "the event after `without` came");
                    self.drop_begun(alarm, &matched.key, out);
                    self.keep_early(matched, 1, out);
                }
                if let Some(matched) = match_of(self, 0, out) {
                    if self.early(&matched, 1).is_some() {
                        self.decided(matched.at, alarm, Some(&matched.key), Decision::NotUsed, || {
                            "the event after `without` came a little before (`slack`)".to_owned()
                        });
                        return; // It already arrived.
                    }
                    let due = matched.at + alarm.detect.within.unwrap_or(Duration::ZERO);
                    self.wait(matched, due, Fields::new(), out);
                }
            }
        }
    }

    pub(super) fn match_part<'m, 'a>(
        &mut self,
        arrival: &'m Arrival<'a>,
        alarm: &'m Alarm,
        hit: Option<&'a Hit>,
        out: &mut Vec<Output>,
    ) -> Option<Match<'m, 'a>> {
        let view = arrival.view(hit?);
        let key = self.key(alarm, &view, out)?;
        let at = match (&arrival.late, arrival.event.at) {
            (Some(_), Some(own)) => own.min(arrival.now),
            _ => arrival.now,
        };
        Some(Match { arrival, alarm, at, key, view })
    }

    /// The condition fires: the alarm is raised, or is pending until its `hold` has passed. `more` are fields that are not in
    /// the event.
    pub(super) fn fire(&mut self, matched: Match<'_, '_>, more: Fields, out: &mut Vec<Output>) {
        if !matches!(matched.alarm.detect.shape, Shape::Sequence { each: true } | Shape::NotPreceded) {
            self.drop_partial_matches(matched.alarm, &matched.key, out);
        }
        match matched.alarm.hold {
            Some(hold) if self.state.instance(&matched.alarm.name, &matched.key).is_none() => {
                let due = matched.arrival.now + hold;
                self.wait(matched, due, more, out);
            }
            _ => self.raise(&matched.arrival.firing(matched.alarm), matched.alarm, matched.key, matched.view.with(more), out),
        }
    }

    /// Fires what is pending.
    pub(super) fn fire_pending(&mut self, at: Time, sequence: u64, name: &str, key: &Key, out: &mut Vec<Output>) {
        let Some(waiting) = self.state.pending(name, key).cloned() else { return };
        let program = self.program.clone();
        let alarm = self.alarm(&program, name);
        if alarm.is_some_and(|alarm| self.is_source_unreadable(alarm)) {
            return; // It counts again when every source can be read.
        }
        if alarm.is_some_and(|alarm| self.silent_out_of_time(at, alarm, key, waiting.clone(), out)) {
            return;
        }
        let measures_on = alarm.is_some_and(measures_on);
        self.record(Record::Forgotten { alarm: name.to_owned(), key: key.clone(), measures_on }, out);
        if let Some(alarm) = alarm {
            let firing = Firing { now: at, sequence, late: waiting.late.clone(), old: None, over: waiting.over };
            self.raise(&firing, alarm, key.clone(), TriggerEvent::Kept(waiting.event.clone()), out);
            self.continue_silence(at, alarm, key, waiting, out);
        }
    }

    /// Makes the condition pending until a time. The time of the first event stays, except when a more trusted sender
    /// follows: a sender does not take another's place by being early.
    fn wait(&mut self, matched: Match<'_, '_>, due: Time, more: Fields, out: &mut Vec<Output>) {
        let Match { arrival, alarm, key, view, .. } = matched;
        let firing = arrival.firing(alarm);
        let trust = if more.contains_key("trust") { fields::trust(&more) } else { view.trust() };
        if let Some(waiting) = self.state.pending(&alarm.name, &key) {
            let idle = firing.late.is_some() || firing.old.is_some();
            if idle || trust <= fields::trust(&waiting.event) {
                let due = waiting.due;
                self.decided(arrival.now, alarm, Some(&key), Decision::Pending, || format!("it is pending already, until {due}"));
                return;
            }
        } else if !self.has_room(alarm, trust, out) {
            return;
        }
        self.decided(arrival.now, alarm, Some(&key), Decision::Pending, || {
            let (what, span) = match alarm.hold {
                Some(hold) => ("`hold`", hold),
                None => ("the time of its condition", alarm.detect.within.unwrap_or_default()),
            };
            format!(
                "it is pending: {what} is {}, so it is raised at {due} unless something cancels it before",
                duration_text(span)
            )
        });
        // For a late event the time may have expired already.
        let event = self.keep(alarm, view.with(more).fields(), out);
        let waiting = PendingFire { due: due.max(arrival.now), event, late: firing.late.or(firing.old), round: 0, over: None };
        self.record(Record::Pending { alarm: alarm.name.clone(), key, waiting }, out);
    }

    /// Drops the partial matches and the pending fire of a key.
    pub(super) fn drop_begun(&mut self, alarm: &Alarm, key: &Key, out: &mut Vec<Output>) {
        let state = &self.state;
        let measures_on = measures_on(alarm);
        let measured = !measures_on && state.measured(&alarm.name, key).is_some();
        if !state.partial_matches(&alarm.name, key).is_empty() || state.pending(&alarm.name, key).is_some() || measured {
            self.record(Record::Forgotten { alarm: alarm.name.clone(), key: key.clone(), measures_on }, out);
        }
    }

    /// The same, if nothing is pending.
    fn drop_partial_matches(&mut self, alarm: &Alarm, key: &Key, out: &mut Vec<Output>) {
        if self.state.pending(&alarm.name, key).is_none() {
            self.drop_begun(alarm, key, out);
        }
    }

    fn count(&mut self, matched: Match<'_, '_>, n: usize, distinct: Option<&str>, out: &mut Vec<Output>) {
        let value = match distinct {
            None => None,
            Some(field) => match matched.view.text(field) {
                // It is cut like a value of a key, because it serves as one.
                Some(value) => Key::of([value]).value(0).map(Cow::into_owned),
                None => return self.lacks(matched.alarm, field, "counts different values of", out),
            },
        };
        let notes = self.state.partial_matches(&matched.alarm.name, &matched.key);
        let newest = notes.last().map_or(matched.at, |n| n.at.max(matched.at));
        let since = matched.alarm.detect.within.map(|within| newest - within);
        if since.is_some_and(|since| matched.at < since) {
            self.decided(matched.arrival.now, matched.alarm, Some(&matched.key), Decision::NotUsed, || {
                format!("the event is late: it is of {}, before the window that counts", matched.at)
            });
            return; // A late event, from before the time that counts.
        }
        let counts =
            |n: &&PartialMatch| since.is_none_or(|since| n.at >= since) && (distinct.is_none() || n.value() != value.as_deref());
        let trust = matched.view.trust();
        // A value counts once, however often its record says that it came.
        let times = if distinct.is_none() { matched.arrival.event.times() } else { 1 };
        if notes.iter().filter(counts).map(PartialMatch::times).sum::<usize>() + usize::from(times) >= n {
            let least = notes.iter().filter(counts).map(|n| n.trust).min().map_or(trust, |least| least.min(trust));
            let mut more = fields::trust_field(least);
            more.insert("count".to_owned(), Value::Int(i64::try_from(n).unwrap_or(i64::MAX)));
            more.extend(counted_lines(matched.alarm, notes.iter().filter(counts)));
            return self.fire(matched, more, out);
        }
        if self.trace.is_some() {
            self.trace_count(&matched, n, since, distinct.zip(value.as_deref()));
        }
        let text = if matched.alarm.keep > 0 { matched.view.text("text").map(Cow::into_owned) } else { None };
        let note = PartialMatch::new(0, matched.at, trust).standing_for(times).keeping(value, counted_line(matched.alarm, text));
        self.add_partial_match(matched, note, distinct.is_some(), since, out);
    }

    fn step(&mut self, matched: Match<'_, '_>, part: usize, out: &mut Vec<Output>) {
        let notes = self.state.partial_matches(&matched.alarm.name, &matched.key);
        let near =
            |began: &Time| *began <= matched.at && matched.alarm.detect.within.is_none_or(|w| matched.at.since(*began) <= w);
        // The newest chain that came so far.
        let before = match part.checked_sub(1) {
            None => None,
            Some(before) => match notes.iter().filter(|n| n.part() == before).max_by_key(|n| n.at).filter(|n| near(&n.at)) {
                Some(note) => Some(note),
                None => {
                    if self.trace.is_some() {
                        self.trace_step(&matched, part);
                    }
                    return self.keep_early(matched, part, out);
                }
            },
        };
        let began = before.map_or(matched.at, |n| n.at);
        let mut trust = before.map_or(matched.view.trust(), |n| n.trust.min(matched.view.trust()));
        let mut seen = before.map(PartialMatch::seen).unwrap_or_default();
        let last = matched.alarm.detect.parts.len() - 1;
        let mut part = part;
        if part < last {
            seen.extend(matched.view.captured());
        }
        while part < last
            && let Some(early) = self.early(&matched, part + 1)
        {
            seen.extend(early.seen());
            trust = trust.min(early.trust);
            part += 1;
        }
        if part == last {
            seen.extend(fields::trust_field(trust));
            return self.fire(matched, seen, out);
        }
        self.decided(matched.at, matched.alarm, Some(&matched.key), Decision::Partial, || {
            let within = matched.alarm.detect.within.map(|w| format!(" within {}", duration_text(w))).unwrap_or_default();
            format!("step {} of {}{within}; it began at {began}", part + 1, last + 1)
        });
        self.add_partial_match(matched, PartialMatch::new(part, began, trust).keeping(None, seen), true, None, out);
    }

    /// When an event of the second part arrived within the time before, from a sender with at least the trust of this one.
    fn preceded_at(&self, matched: &Match<'_, '_>) -> Option<Time> {
        let within = matched.alarm.detect.within;
        let trust = matched.view.trust();
        let notes = self.state.partial_matches(&matched.alarm.name, &matched.key).iter().filter(|note| note.part() == 1);
        let counts = notes
            .filter(|n| n.trust >= trust && n.at <= matched.at && within.is_none_or(|within| matched.at.since(n.at) <= within));
        counts.map(|note| note.at).max()
    }

    /// Stores an event that arrived before the one that it should follow, where `slack` allows this.
    fn keep_early(&mut self, matched: Match<'_, '_>, part: usize, out: &mut Vec<Output>) {
        if matched.alarm.detect.slack.is_some() {
            let note = PartialMatch::new(place_of_early(matched.alarm, part), matched.at, matched.view.trust())
                .keeping(None, matched.view.captured());
            self.add_partial_match(matched, note, true, None, out);
        }
    }

    /// Returns the event of a part that arrived a little before this one.
    fn early(&self, matched: &Match<'_, '_>, part: usize) -> Option<&PartialMatch> {
        let slack = matched.alarm.detect.slack?;
        let notes = self.state.partial_matches(&matched.alarm.name, &matched.key).iter();
        let mut of_part = notes.filter(|n| n.part() == place_of_early(matched.alarm, part));
        of_part.find(|n| n.at <= matched.at && matched.at.since(n.at) <= slack)
    }

    fn one_of_all(&mut self, matched: Match<'_, '_>, part: usize, counts: &[usize], out: &mut Vec<Output>) {
        let notes = self.state.partial_matches(&matched.alarm.name, &matched.key);
        let since = matched.alarm.detect.within.map(|within| matched.at - within);
        let within = |n: &&PartialMatch| since.is_none_or(|since| n.at >= since);
        let mut missing = counts.to_vec();
        let times = matched.arrival.event.times();
        let counted = notes.iter().filter(within).map(|note| (note.part(), note.times()));
        for (part, times) in counted.chain([(part, usize::from(times))]) {
            if let Some(n) = missing.get_mut(part) {
                *n = n.saturating_sub(times);
            }
        }
        let n = counts.get(part).copied().unwrap_or(1);
        if missing.iter().all(|n| *n == 0) {
            // A part that wants one event has it in this one.
            let others = notes.iter().filter(within).filter(|note| note.part() != part || n > 1);
            let (mut seen, mut trust) = (Fields::new(), matched.view.trust());
            for note in others {
                seen.extend(note.seen());
                trust = trust.min(note.trust);
            }
            seen.extend(fields::trust_field(trust));
            return self.fire(matched, seen, out);
        }
        let value = place(notes, part, n, matched.at);
        let old_notes = if self.trace.is_some() { notes.to_vec() } else { Vec::new() };
        let within_time = |note: &PartialMatch| since.is_none_or(|since| note.at >= since);
        self.decided(matched.at, matched.alarm, Some(&matched.key), Decision::Partial, || {
            let left = missing.iter().zip(1..).filter(|(n, _)| **n > 0).map(|(n, part)| format!("{n} of part {part}"));
            let left = left.collect::<Vec<_>>().join(" and ");
            let within = matched.alarm.detect.within.map(|w| format!(" within {}", duration_text(w))).unwrap_or_default();
            // Events of the missing parts that are too old.
            let old = |note: &&PartialMatch| !within_time(note) && missing.get(note.part()).is_some_and(|n| *n > 0);
            let gone = old_notes.iter().filter(old).max_by_key(|note| note.at).map(|note| {
                format!(
                    "; an event of part {} came {} before, which is too long",
                    note.part() + 1,
                    duration_text(matched.at.since(note.at))
                )
            });
            format!("part {} of {} matches; {left} must still come{within}{}", part + 1, counts.len(), gone.unwrap_or_default())
        });
        let Some(value) = value else { return };
        let note = PartialMatch::new(part, matched.at, matched.view.trust()).standing_for(times);
        let note = note.keeping(value, matched.view.captured());
        self.add_partial_match(matched, note, true, since, out);
    }

    /// Stores a partial match. If there are too many, the oldest keys are dropped; this is reported once.
    fn add_partial_match(
        &mut self,
        matched: Match<'_, '_>,
        note: PartialMatch,
        alone: bool,
        since: Option<Time>,
        out: &mut Vec<Output>,
    ) {
        let Match { alarm, key, .. } = matched;
        let most = alarm.max_keys;
        match self.record(Record::PartialMatches { alarm: alarm.name.clone(), key, note, alone, since, most }, out) {
            None => self.bound_partial_matches(out),
            Some(Forgot::Own) => self.too_many_keys(alarm, "counts for", "`by`, or shorten `within`", out),
            Some(Forgot::Of(most)) => self.report_too_many(&most, out),
        }
    }

    /// When partial matches take more memory than their share, the alarm that takes most drops the older half of its keys.
    fn bound_partial_matches(&mut self, out: &mut Vec<Output>) {
        let most = share(self.inventory.memory.0, MEMORY_PARTIAL_MATCHES);
        // Most alarms measure nothing, so the sum is made only when it can matter.
        if self.state.partial_matches.bytes() <= most / 2 || self.state.partial_matches.bytes() + self.measured_bytes() <= most {
            return;
        }
        let Some(alarm) = self.state.partial_matches.heaviest().cloned() else { return };
        self.record(Record::ForgottenHalf { alarm: alarm.clone() }, out);
        let text = format!(
            "events that conditions count have used up their {} MiB, most of them for {alarm}; the older half of its keys is dropped: narrow its `by`, shorten `within`, or raise `limits: {{ memory: ... }}`",
            most >> 20
        );
        self.notify_once(format!("notes of {alarm}"), Notice { alarm: Some(alarm), ..Notice::new(Kind::Limit, text) }, out);
    }

    /// Reports once for each alarm that it dropped half of its keys, because all alarms together have too many partial matches.
    fn report_too_many(&mut self, alarm: &str, out: &mut Vec<Output>) {
        let text = format!(
            "conditions remember more than {PARTIAL_MATCHES} events at once, most of them for {alarm}; the older half of its keys is dropped: narrow its `by`, or shorten `within`"
        );
        let notice = Notice { alarm: Some(alarm.to_owned()), ..Notice::new(Kind::Limit, text) };
        self.notify_once(format!("notes of {alarm}"), notice, out);
    }

    /// Reports once that the oldest keys are dropped because there are too many.
    pub(super) fn too_many_keys(&mut self, alarm: &Alarm, does: &str, narrow: &str, out: &mut Vec<Output>) {
        let most = alarm.max_keys.unwrap_or(COUNTED_KEYS);
        let text = format!(
            "{} {does} more than {most} keys at once; those with the oldest last event are dropped: narrow its {narrow}",
            alarm.name
        );
        let notice = Notice { alarm: Some(alarm.name.clone()), ..Notice::new(Kind::Limit, text) };
        self.notify_once(format!("{does} {}", alarm.name), notice, out);
    }

    /// True when one more key may be active or pending for an event of this trust. Less trusted senders leave room for the
    /// others.
    pub(super) fn has_room(&mut self, alarm: &Alarm, trust: Trust, out: &mut Vec<Output>) -> bool {
        // A number that the rules set applies to all senders.
        let unless = INSTANCES_PER_ALARM + if trust >= Trust::Address { INSTANCES_PER_ALARM / 4 } else { 0 };
        let most = alarm.max_keys.unwrap_or(unless);
        if self.state.keys_of(&alarm.name) < most {
            return self.has_memory(alarm, trust, out);
        }
        let text = format!(
            "{} is active for {most} keys; further ones are dropped until some are cleared: narrow its `by`, or give it `cancel after`",
            alarm.name
        );
        self.decided(self.now, alarm, None, Decision::NoRoom, || format!("it is active for {most} keys, which is its limit"));
        let notice = Notice { alarm: Some(alarm.name.clone()), ..Notice::new(Kind::Limit, text) };
        self.notify_once(format!("instances {}", alarm.name), notice, out);
        false
    }
}

/// Early events are stored with a part number behind those of the parts.
fn place_of_early(alarm: &Alarm, part: usize) -> usize {
    alarm.detect.parts.len() + part
}

/// True when a measure of a key belongs to the end of the alarm. It is then no part of the condition that fired or was
/// dropped.
fn measures_on(alarm: &Alarm) -> bool {
    !matches!(alarm.detect.shape, Shape::Measure(_))
}

/// For a part that wants several events, returns the place for its newest; `None` when all stored events are newer.
fn place(notes: &[PartialMatch], part: usize, n: usize, at: Time) -> Option<Option<String>> {
    if n == 1 {
        return Some(None);
    }
    let mut of = notes.iter().filter(|note| note.part() == part);
    let mut free = vec![true; n];
    for place in of.clone().filter_map(|note| note.value()?.parse::<usize>().ok()) {
        if let Some(free) = free.get_mut(place) {
            *free = false;
        }
    }
    match free.iter().position(|free| *free) {
        Some(place) => Some(Some(place.to_string())),
        None => of.next().filter(|oldest| oldest.at <= at).map(|oldest| oldest.value().map(str::to_owned)),
    }
}
