//! `no A for D`: the events that are expected for each key, and what happens when they do not arrive.
//!
//! A key counts from the controller's start if the inventory has it, otherwise from its first event. A start begins to count
//! again, because what arrived while the controller did not listen is unknown. So does the end of a time in which a source
//! was unreadable: during it no silence fires. With `only during` or `not during` the time is measured within the calendars
//! (`calendars.rs`).

use std::time::Duration;

use crate::core::base::limits::CALENDAR_SEARCH;
use crate::core::base::time::{Time, duration_text};
use crate::core::event::Trust;
use crate::core::lang::program::{Alarm, Backoff, Mode, Shape};

use super::arrival::Match;
use super::calendars::calendar_clauses;
use super::key::Key;
use super::record::{PendingFire, Record};
use super::trace::Decision;
use super::turn::Output;
use super::{Engine, fields};

/// How long a silence has to last. It grows with each occurrence since the silence began.
fn patience(span: Duration, backoff: Option<Backoff>, round: u32) -> Duration {
    let times = backoff.map_or(1, |b| b.factor.checked_pow(round).unwrap_or(b.up_to).min(b.up_to));
    span * times
}

impl Engine {
    /// Handles a source that became unreadable or readable again. When the last one is readable again, all silences start
    /// again.
    pub(super) fn source_changed(&mut self, now: Time, source: String, away: bool, out: &mut Vec<Output>) {
        if self.state.is_away(&source) == away {
            return;
        }
        self.record(Record::Away { source, away }, out);
        if self.state.away.is_empty() {
            self.begin_silences(now, true, out);
        }
    }

    /// True when an alarm waits for a silence that cannot be judged, because a source is unreadable.
    pub(super) fn is_source_unreadable(&self, alarm: &Alarm) -> bool {
        !self.state.away.is_empty() && matches!(alarm.detect.shape, Shape::Silence { .. })
    }

    /// Starts to wait for silences; with `anew`, also restarts those that are waited for already.
    pub(super) fn begin_silences(&mut self, now: Time, anew: bool, out: &mut Vec<Output>) {
        let program = self.program.clone();
        for alarm in program.alarms.iter().filter(|a| a.mode != Mode::Off) {
            let (Shape::Silence { backoff, expected }, Some(span)) = (&alarm.detect.shape, alarm.detect.within) else { continue };
            let waited: Vec<(Key, PendingFire)> =
                self.state.pending_of(&alarm.name).filter(|_| anew).map(|(key, w)| (key.clone(), w.clone())).collect();
            for (key, waiting) in waited {
                let lasts = patience(span, *backoff, waiting.round);
                self.expect(alarm, key, now, lasts, waiting, out);
            }
            for key in expected.iter().map(Key::of) {
                let pending = self.state.pending(&alarm.name, &key).is_some() || self.state.instance(&alarm.name, &key).is_some();
                if !pending && self.has_room(alarm, Trust::Authenticated, out) {
                    let event = self.of_key(alarm, &key, Trust::Authenticated);
                    let waiting = PendingFire { due: now, event, late: None, round: 0, over: None };
                    self.expect(alarm, key, now, span, waiting, out);
                }
            }
        }
    }

    /// Waits until the silence has lasted long enough. If no period of the calendars is that long, it waits until the end of
    /// the calendar search: the pending entry keeps the key.
    fn expect(&mut self, alarm: &Alarm, key: Key, now: Time, lasts: Duration, waiting: PendingFire, out: &mut Vec<Output>) {
        let due = self.silent_until(alarm, now, lasts).unwrap_or(now + CALENDAR_SEARCH);
        self.record(Record::Pending { alarm: alarm.name.clone(), key, waiting: PendingFire { due, ..waiting } }, out);
    }

    /// Restarts a silence that falls due when its alarm may not be raised, because the rules have other calendars now.
    pub(super) fn silent_out_of_time(
        &mut self,
        now: Time,
        alarm: &Alarm,
        key: &Key,
        was: PendingFire,
        out: &mut Vec<Output>,
    ) -> bool {
        let (Shape::Silence { backoff, .. }, Some(span)) = (&alarm.detect.shape, alarm.detect.within) else { return false };
        if self.allowed_by_calendar(alarm, now) {
            return false;
        }
        let lasts = patience(span, *backoff, was.round);
        self.expect(alarm, key.clone(), now, lasts, was, out);
        true
    }

    /// Handles an expected event: the silence starts again.
    pub(super) fn restart_silence(&mut self, matched: Match<'_, '_>, out: &mut Vec<Output>) {
        let (arrival, alarm, key) = (matched.arrival, matched.alarm, matched.key);
        let Some(span) = alarm.detect.within else { return };
        if arrival.late.is_some() {
            return; // A late event says nothing about the present.
        }
        if self.trace.is_some() {
            let calendars = calendar_clauses(alarm);
            let within = if calendars.is_empty() { String::new() } else { format!(", within the times of {calendars}") };
            let due = match self.silent_until(alarm, arrival.now, span) {
                Some(due) => format!("so it is raised at {due} unless another comes"),
                None => "and no time of its calendars is that long".to_owned(),
            };
            let span = duration_text(span);
            let reason = format!("the event came that must not be missing: the silence of {span} counts from now{within}, {due}");
            self.decided(arrival.now, alarm, Some(&key), Decision::Forgotten, || reason);
        }
        let trust = self.trust_of_key(alarm, &key).max(matched.view.trust());
        self.clear(&arrival.ending(), &alarm.name, &key, out);
        if self.state.pending(&alarm.name, &key).is_some() || self.has_room(alarm, trust, out) {
            let event = self.of_key(alarm, &key, trust);
            let waiting = PendingFire { due: arrival.now, event, late: None, round: 0, over: None };
            self.expect(alarm, key, arrival.now, span, waiting, out);
        }
    }

    /// The trust of a key: the highest trust of the senders that reported it; keys of the inventory are authenticated.
    fn trust_of_key(&self, alarm: &Alarm, key: &Key) -> Trust {
        let waiting = self.state.pending(&alarm.name, key).map(|w| &w.event);
        let instance = self.state.instance(&alarm.name, key).map(|i| &i.event);
        match (waiting.or(instance), &alarm.detect.shape) {
            (Some(event), _) => fields::trust(event),
            (None, Shape::Silence { expected, .. }) if expected.iter().any(|values| Key::of(values) == *key) => {
                Trust::Authenticated
            }
            _ => Trust::default(),
        }
    }

    /// Waits for the next occurrence of a silence that has fired and goes on.
    pub(super) fn continue_silence(&mut self, at: Time, alarm: &Alarm, key: &Key, was: PendingFire, out: &mut Vec<Output>) {
        if let (Shape::Silence { backoff: Some(backoff), .. }, Some(span)) = (&alarm.detect.shape, alarm.detect.within) {
            let round = was.round.saturating_add(1);
            let lasts = patience(span, Some(*backoff), round);
            self.expect(alarm, key.clone(), at, lasts, PendingFire { round, ..was }, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_up_to_its_bound() {
        let of = |round| patience(Duration::from_secs(90), Some(Backoff { factor: 2, up_to: 4 }), round).as_secs();
        assert_eq!([of(0), of(1), of(2), of(3), of(99)], [90, 180, 360, 360, 360]);
        assert_eq!(patience(Duration::from_secs(9), None, 7).as_secs(), 9);
    }
}
