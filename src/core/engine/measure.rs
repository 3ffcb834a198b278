//! Measures: what events amount to over a window, when that compares as an alarm wants it, and when it no longer does.
//!
//! A window is kept as sixty buckets: a count, a sum, the least and the most of each. So its memory is bounded whatever comes, and an
//! event leaves it up to a sixtieth of the window early. Time passes by deadlines: when the oldest bucket leaves, and when a
//! comparison has been true for long enough.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::limits::METRIC_LASTS;
use crate::core::base::time::{Time, duration_text};
use crate::core::event::{Trust, Value};
use crate::core::lang::program::{Aggregate, Alarm, Cancel, Hit, Measure, Shape, Threshold};

use super::condition::trust_field;
use super::instance::Ending;
use super::key::Key;
use super::record::{Cause, Record};
use super::{Arrival, Engine, Occasion, Output, TriggerEvent, fields};
use crate::core::notice::{Kind, Notice};

/// Parts of a window.
const BUCKETS: u32 = 60;

/// What a key of an alarm is measured by: its `detect`, and its `cancel when`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured {
    windows: [Window; 2],
    /// Since when the comparison to raise, and that to cancel, has been true.
    since: [Option<Time>; 2],
    /// How far the least known of those is known whose events made it so, since then.
    #[serde(default)]
    known: [Trust; 2],
    /// When it has to be looked at again.
    pub(super) due: Option<Time>,
}

/// Which of an alarm's measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MeasureSlot {
    Detect = 0,
    Cancel = 1,
}

/// Events of a while, in parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Window(Vec<Bucket>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Bucket {
    at: Time,
    count: u32,
    sum: f64,
    least: f64,
    most: f64,
    /// How far the least known of the senders is known.
    #[serde(default)]
    known: Trust,
    #[serde(default)]
    last: f64,
}

/// A sum is never infinite: a journal could not say it.
fn plus(a: f64, b: f64) -> f64 {
    (a + b).clamp(f64::MIN, f64::MAX)
}

impl Window {
    /// An event, `value` of it.
    fn add(&mut self, at: Time, value: f64, known: Trust, over: Duration) {
        let step = (over / BUCKETS).max(Duration::from_millis(1));
        let begin = at.floor(step);
        self.0.retain(|b| b.at + over > at);
        match self.0.iter_mut().find(|b| b.at == begin) {
            Some(bucket) => {
                bucket.count = bucket.count.saturating_add(1);
                bucket.sum = plus(bucket.sum, value);
                bucket.known = bucket.known.min(known);
                bucket.least = bucket.least.min(value);
                bucket.most = bucket.most.max(value);
                bucket.last = value;
            }
            None if begin + over > at => {
                let place = self.0.partition_point(|b| b.at < begin);
                self.0.insert(place, Bucket { at: begin, count: 1, sum: value, least: value, most: value, known, last: value });
            }
            None => {}
        }
    }

    /// What it amounts to now; `None` when there is nothing to measure.
    fn amount(&self, now: Time, over: Duration, what: Aggregate) -> Option<f64> {
        let inside = || self.0.iter().filter(|b| b.at + over > now);
        let count = inside().map(|b| f64::from(b.count)).sum::<f64>();
        let sum = || inside().map(|b| b.sum).fold(0.0, plus);
        match what {
            Aggregate::Count => Some(count),
            Aggregate::Rate => Some(count / over.as_secs_f64().max(0.001)),
            Aggregate::Sum => Some(sum()),
            Aggregate::Average => (count > 0.0).then(|| sum() / count),
            Aggregate::Least => inside().map(|b| b.least).reduce(f64::min),
            Aggregate::Most => inside().map(|b| b.most).reduce(f64::max),
            Aggregate::Last => inside().next_back().map(|b| b.last),
        }
    }

    /// How far the least known of the senders of what is in it is known.
    fn known(&self, now: Time, over: Duration) -> Trust {
        self.0.iter().filter(|b| b.at + over > now).map(|b| b.known).min().unwrap_or(Trust::Authenticated)
    }

    /// When the next bucket leaves; of the newest event alone, when it does.
    fn leaves(&self, now: Time, over: Duration, what: Aggregate) -> Option<Time> {
        let mut inside = self.0.iter().map(|b| b.at + over).filter(|at| *at > now);
        if what == Aggregate::Last { inside.next_back() } else { inside.next() }
    }
}

impl Measured {
    pub(super) fn add(&mut self, slot: usize, at: Time, value: f64, known: Trust, over: Duration) {
        if let Some(window) = self.windows.get_mut(slot) {
            window.add(at, value, known, over);
        }
    }

    pub(super) fn judged(&mut self, since: [Option<Time>; 2], known: [Trust; 2], due: Option<Time>) {
        self.since = since;
        self.known = known;
        self.due = due;
    }
}

/// The window and measure of a slot.
fn measure_of(alarm: &Alarm, slot: MeasureSlot) -> Option<(Duration, &Measure)> {
    match slot {
        MeasureSlot::Detect => match (&alarm.detect.shape, alarm.detect.within) {
            (Shape::Measure(measure), Some(over)) => Some((over, measure)),
            _ => None,
        },
        MeasureSlot::Cancel => alarm.cancel.iter().find_map(|c| match c {
            Cancel::Measured { over, measure, .. } => Some((*over, measure)),
            _ => None,
        }),
    }
}

/// The metric that an alarm is raised by.
fn metric_of(alarm: &Alarm) -> Option<&Measure> {
    measure_of(alarm, MeasureSlot::Detect).map(|(_, measure)| measure).filter(|measure| measure.what == Aggregate::Last)
}

fn compares(amount: f64, threshold: &Threshold) -> bool {
    amount.partial_cmp(&threshold.amount).is_some_and(|order| threshold.comparison.holds(order))
}

/// What was found of a key.
struct Verdict {
    since: [Option<Time>; 2],
    due: Option<Time>,
    /// The measure of the `detect`, now.
    amount: Option<f64>,
    raises: bool,
    /// It is true now, however long.
    stands: bool,
    cancels: bool,
    /// How far the least known of those whose events are measured to raise it, and to cancel it, is known.
    known: [Trust; 2],
    /// Nothing is measured any more.
    empty: bool,
    /// It is raised by a metric of which nothing is known.
    gone: bool,
}

impl Engine {
    /// An event that an alarm measures.
    pub(super) fn measure<'a>(
        &mut self,
        arrival: &Arrival<'a>,
        alarm: &Alarm,
        slot: MeasureSlot,
        hit: &'a Hit,
        out: &mut Vec<Output>,
    ) {
        let Some((over, measure)) = measure_of(alarm, slot) else { return };
        let Some(met) = self.match_part(arrival, alarm, Some(hit), out) else { return };
        let value = match &measure.field {
            None => 1.0,
            Some(field) => match met.facts.number(field) {
                Some(value) => value,
                None => return self.lacks(alarm, field, "measures as a number", out),
            },
        };
        if self.state.measured(&alarm.name, &met.key).is_none() && !self.has_room(alarm, met.facts.trust(), out) {
            return;
        }
        let (alarm_name, key, known) = (alarm.name.clone(), met.key.clone(), met.facts.trust());
        self.record(Record::Measured { alarm: alarm_name, key, slot: slot as usize, at: met.at, value, known, over }, out);
        let occasion = arrival.occasion(alarm);
        self.judge(&occasion, alarm, &met.key, Some(TriggerEvent::Now(met.facts)), out);
    }

    /// Time passed for a key that is measured.
    pub(super) fn measured_on(&mut self, at: Time, order: u64, name: &str, key: &Key, out: &mut Vec<Output>) {
        let program = self.program.clone();
        if let Some(alarm) = self.alarm(&program, name) {
            self.judge(&Occasion { now: at, order, late: None, old: None, over: None }, alarm, key, None, out);
        }
    }

    /// Raises or clears by what is measured now.
    fn judge(&mut self, on: &Occasion, alarm: &Alarm, key: &Key, seen: Option<TriggerEvent<'_>>, out: &mut Vec<Output>) {
        let Some(verdict) = self.measured_now(on.now, alarm, key) else { return };
        let active = self.state.instance(&alarm.name, key).is_some();
        let in_season = self.allowed_by_calendar(alarm, on.now);
        // Looked at again when it may be raised.
        let season = if active || in_season { None } else { self.next_season(alarm, on.now) };
        let due = verdict.due.into_iter().chain(season).min();
        let (since, known) = (verdict.since, verdict.known);
        let record = Record::Judged { alarm: alarm.name.clone(), key: key.clone(), since, known, due };
        self.record(record, out);
        if !active && verdict.raises && in_season {
            let [known, _] = verdict.known;
            let mut event = seen.unwrap_or_else(|| TriggerEvent::Kept(self.of_key(alarm, key, known))).fields();
            let fields = Arc::make_mut(&mut event);
            fields.extend(trust_field(known));
            fields.insert("value".to_owned(), verdict.amount.map_or(Value::Unit, fields::number));
            self.raise(on, alarm, key.clone(), TriggerEvent::Kept(event), out);
        } else if (active || self.state.inhibited(&alarm.name, key).is_some())
            && (verdict.cancels || alarm.cancel.is_empty() && !verdict.stands)
        {
            let [stood, calm] = verdict.known;
            let known = if verdict.cancels { calm } else { stood };
            let ending = Ending { known, late: on.late.clone(), ..Ending::at(on.now, on.order, Cause::When) };
            self.clear(&ending, &alarm.name, key, out);
        }
        if verdict.empty || active && verdict.gone {
            self.metric_gone(alarm, key, out);
        }
        if verdict.empty && self.state.instance(&alarm.name, key).is_none() {
            self.forget_partial_matches(alarm, key, out);
        }
    }

    /// Nothing came of a metric for as long as it is believed: what it is about is not known any more, and that is told.
    fn metric_gone(&mut self, alarm: &Alarm, key: &Key, out: &mut Vec<Output>) {
        if metric_of(alarm).is_none() {
            return;
        }
        let lasts = duration_text(METRIC_LASTS);
        let text = format!(
            "{} [{key}] is about a metric of which nothing came for {lasts}: it can't be raised until one comes; is the agent there, does its `metrics` have it?",
            alarm.name
        );
        let host = alarm.by.iter().position(|f| f == "host").and_then(|i| key.value(i)).map(Cow::into_owned);
        out.push(Output::Notice(Notice { alarm: Some(alarm.name.clone()), host, ..Notice::new(Kind::MetricGone, text) }));
    }

    fn measured_now(&self, now: Time, alarm: &Alarm, key: &Key) -> Option<Verdict> {
        let measured = self.state.measured(&alarm.name, key)?;
        let amount = |slot: MeasureSlot| {
            let (over, measure) = measure_of(alarm, slot)?;
            measured.windows[slot as usize].amount(now, over, measure.what)
        };
        let lasting = |slot: MeasureSlot, amount: Option<f64>, threshold: Option<&Threshold>| {
            let is = threshold.is_some_and(|t| amount.is_some_and(|a| compares(a, t)));
            let since = is.then(|| measured.since[slot as usize].unwrap_or(now));
            let lasts = threshold.and_then(|t| t.lasts).unwrap_or_default();
            (is, since, since.map(|since| since + lasts))
        };
        // Of what has to last all that it was made of counts, not only what is in the window at its end.
        let known = |slot: MeasureSlot, window: MeasureSlot| {
            let over = measure_of(alarm, window).map_or(Duration::ZERO, |(over, _)| over);
            let now_known = measured.windows[window as usize].known(now, over);
            let lasts = measured.since[slot as usize].is_some();
            if lasts { now_known.min(measured.known[slot as usize]) } else { now_known }
        };
        let detect = measure_of(alarm, MeasureSlot::Detect).map(|(_, measure)| &measure.threshold);
        let measure = amount(MeasureSlot::Detect);
        let (stands, since, from) = lasting(MeasureSlot::Detect, measure, detect);
        let falls = alarm.cancel.iter().find_map(|c| if let Cancel::Falls(threshold) = c { Some(threshold) } else { None });
        let own = measure_of(alarm, MeasureSlot::Cancel).map(|(_, measure)| &measure.threshold);
        let (compared, threshold) = if own.is_some() { (amount(MeasureSlot::Cancel), own) } else { (measure, falls) };
        let (_, calm, until) = lasting(MeasureSlot::Cancel, compared, threshold);
        // Nothing is left of what raised it, and nothing can be compared: that ends it as well.
        let metric = metric_of(alarm).is_some();
        let nothing = detect.is_some() && measure.is_none() && (falls.is_some() || metric && own.is_some());
        let leaves = [MeasureSlot::Detect, MeasureSlot::Cancel].into_iter().filter_map(|slot| {
            let (over, measure) = measure_of(alarm, slot)?;
            measured.windows[slot as usize].leaves(now, over, measure.what)
        });
        let leaves: Vec<Time> = leaves.collect();
        let waits = [from, until].into_iter().flatten().filter(|at| *at > now);
        Some(Verdict {
            since: [since, calm],
            due: leaves.iter().copied().chain(waits).min(),
            amount: measure,
            raises: from.is_some_and(|at| at <= now),
            stands,
            cancels: until.is_some_and(|at| at <= now) || nothing,
            known: [
                known(MeasureSlot::Detect, MeasureSlot::Detect),
                known(MeasureSlot::Cancel, if own.is_some() { MeasureSlot::Cancel } else { MeasureSlot::Detect }),
            ],
            empty: leaves.is_empty(),
            gone: metric && measure.is_none(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Buckets say the same as all events of the window would, but for the sixtieth that leaves early.
    #[test]
    fn windows_amount_to_what_is_in_them() {
        let mut rng = crate::core::sim::Rng::new(5);
        let over = Duration::from_secs(60);
        let mut window = Window::default();
        let mut all: Vec<(Time, f64)> = Vec::new();
        let mut now = Time::from_millis(1_000_000);
        for _ in 0..5_000 {
            now = now + Duration::from_millis(rng.below(3_000));
            #[allow(clippy::cast_precision_loss, reason = "small numbers")]
            let value = rng.below(100) as f64 - 50.0;
            window.add(now, value, Trust::Local, over);
            all.push((now, value));
            let inside: Vec<f64> =
                all.iter().filter(|(at, _)| at.floor(Duration::from_secs(1)) + over > now).map(|(_, v)| *v).collect();
            #[allow(clippy::cast_precision_loss, reason = "small numbers")]
            let count = inside.len() as f64;
            assert_eq!(window.amount(now, over, Aggregate::Count), Some(count));
            assert_eq!(window.amount(now, over, Aggregate::Sum), Some(inside.iter().sum()));
            assert_eq!(window.amount(now, over, Aggregate::Average), Some(inside.iter().sum::<f64>() / count));
            assert_eq!(window.amount(now, over, Aggregate::Most), inside.iter().copied().reduce(f64::max));
            assert_eq!(window.amount(now, over, Aggregate::Least), inside.iter().copied().reduce(f64::min));
            assert!(window.0.len() <= 61);
        }
        let later = now + Duration::from_secs(61);
        assert_eq!(
            (window.amount(later, over, Aggregate::Average), window.amount(later, over, Aggregate::Count)),
            (None, Some(0.0))
        );
    }

    /// A sum that is too large stands at the largest number, which a journal can say; what is infinite it could not.
    #[test]
    fn sums_are_finite() {
        let (over, mut measured) = (Duration::from_secs(60), Measured::default());
        for n in 0..4 {
            measured.add(0, Time::from_millis(n * 700), 1e308, Trust::Local, over);
        }
        let again: Measured = serde_json::from_str(&serde_json::to_string(&measured).unwrap()).unwrap();
        assert_eq!(again, measured);
        assert_eq!(again.windows[0].amount(Time::from_millis(3_000), over, Aggregate::Sum), Some(f64::MAX));
    }
}
