//! Measures: an aggregate of events over a window, when its comparison becomes true, and when it becomes false.
//!
//! A window has sixty buckets, each with a count, a sum, a minimum and a maximum. So its memory is bounded for any input, and
//! an event leaves the window up to a sixtieth early. Time passes by deadlines: when the oldest bucket leaves, and when a
//! comparison has been true for long enough.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::core::base::limits::{MEMORY_PARTIAL_MATCHES, METRIC_LASTS, share};
use crate::core::base::time::{Time, duration_text};
use crate::core::event::{Trust, Value};
use crate::core::lang::program::{Aggregate, Alarm, Cancel, Hit, Measure, Shape, Threshold};

use super::arrival::{Arrival, Firing};
use super::fields::{TriggerEvent, trust_field};
use super::instance::Ending;
use super::key::Key;
use super::record::{Cause, Record};
use super::trace::Decision;
use super::turn::Output;
use super::window::{MeasureSlot, WINDOW_BYTES};
use super::{Engine, fields};
use crate::core::notice::{Kind, Notice};

/// The number of windows of each key of an alarm.
fn windows(alarm: &Alarm) -> usize {
    [MeasureSlot::Detect, MeasureSlot::Cancel].into_iter().filter(|slot| measure_of(alarm, *slot).is_some()).count()
}

/// The window and the measure of a slot.
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

/// The metric that raises an alarm.
fn metric_of(alarm: &Alarm) -> Option<&Measure> {
    measure_of(alarm, MeasureSlot::Detect).map(|(_, measure)| measure).filter(|measure| measure.what == Aggregate::Last)
}

fn compares(amount: f64, threshold: &Threshold) -> bool {
    amount.partial_cmp(&threshold.amount).is_some_and(|ordering| threshold.comparison.holds(ordering))
}

/// Describes the measured amount and the wanted one.
fn measured_text(alarm: &Alarm, verdict: &Verdict) -> String {
    let Some((over, measure)) = measure_of(alarm, MeasureSlot::Detect) else { return String::new() };
    let amount = verdict.amount.map_or("nothing".to_owned(), |amount| fields::number(amount).to_string());
    let Threshold { comparison, amount: wanted, lasts } = measure.threshold;
    let what = match (verdict.stands, lasts) {
        (true, Some(lasts)) => format!(", and has not been so for {} yet", duration_text(lasts)),
        _ => String::new(),
    };
    format!(
        "the measure over {} is {amount}, and {} {} is required{what}",
        duration_text(over),
        comparison.sign(),
        fields::number(wanted)
    )
}

/// The result of evaluating the measures of a key.
struct Verdict {
    since: [Option<Time>; 2],
    due: Option<Time>,
    /// The amount of the `detect` measure now.
    amount: Option<f64>,
    raises: bool,
    /// The comparison is true now, for whatever time.
    stands: bool,
    cancels: bool,
    /// The lowest trust of the senders whose events are measured to raise it, and to cancel it.
    trust: [Trust; 2],
    /// The windows are empty.
    empty: bool,
    /// A metric that has no value any more raised it.
    gone: bool,
}

impl Engine {
    /// Handles an event that an alarm measures.
    pub(super) fn measure<'a>(
        &mut self,
        arrival: &Arrival<'a>,
        alarm: &Alarm,
        slot: MeasureSlot,
        hit: &'a Hit,
        out: &mut Vec<Output>,
    ) {
        let Some((over, measure)) = measure_of(alarm, slot) else { return };
        let Some(matched) = self.match_part(arrival, alarm, Some(hit), out) else { return };
        let value = match &measure.field {
            None => 1.0,
            Some(field) => match matched.view.number(field) {
                Some(value) => value,
                None => return self.lacks(alarm, field, "measures as a number", out),
            },
        };
        let is_new = self.state.measured(&alarm.name, &matched.key).is_none();
        if is_new && !(self.has_room(alarm, matched.view.trust(), out) && self.may_measure(alarm, matched.view.trust(), out)) {
            return;
        }
        let (alarm_name, key, trust) = (alarm.name.clone(), matched.key.clone(), matched.view.trust());
        let (slot, at, times) = (slot as usize, matched.at, arrival.event.times());
        self.record(Record::Measured { alarm: alarm_name, key, slot, at, value, times, trust, over }, out);
        let firing = arrival.firing(alarm);
        self.judge(&firing, alarm, &matched.key, Some(TriggerEvent::Now(matched.view)), out);
    }

    /// The maximum memory of all measures, in bytes: as if every bucket of every key were used.
    pub(super) fn measured_bytes(&self) -> usize {
        let windows = |name: &str| self.alarm(&self.program, name).map_or(1, windows);
        self.state.measured_keys().map(|(name, keys)| keys * windows(name) * WINDOW_BYTES).sum()
    }

    /// True if there is memory for the measures of one more key: half of the share of partial matches, of which less trusted
    /// senders may use a part.
    fn may_measure(&mut self, alarm: &Alarm, trust: Trust, out: &mut Vec<Output>) -> bool {
        let most = share(self.inventory.memory.0, MEMORY_PARTIAL_MATCHES) / 2;
        if self.measured_bytes() + windows(alarm) * WINDOW_BYTES <= trust.share_of(most) {
            return true;
        }
        let text = format!(
            "the measures of all alarms have used up their {} MiB: {} measures no further key for senders with this trust \
             until some end; narrow its `by`, or raise `limits: {{ memory: ... }}`",
            most >> 20,
            alarm.name
        );
        self.decided(self.now, alarm, None, Decision::NoRoom, || "the measures of all alarms use up their memory".to_owned());
        let notice = Notice { alarm: Some(alarm.name.clone()), ..Notice::new(Kind::Limit, text) };
        self.notify_once(format!("measures of {}", alarm.name), notice, out);
        false
    }

    /// Evaluates a measured key again because time has passed.
    pub(super) fn measured_on(&mut self, at: Time, sequence: u64, name: &str, key: &Key, out: &mut Vec<Output>) {
        let program = self.program.clone();
        if let Some(alarm) = self.alarm(&program, name) {
            self.judge(&Firing { now: at, sequence, late: None, old: None, over: None }, alarm, key, None, out);
        }
    }

    /// Raises or clears an alarm by its current measures.
    fn judge(&mut self, on: &Firing, alarm: &Alarm, key: &Key, seen: Option<TriggerEvent<'_>>, out: &mut Vec<Output>) {
        let Some(verdict) = self.measured_now(on.now, alarm, key) else { return };
        let active = self.state.instance(&alarm.name, key).is_some();
        let is_allowed = self.allowed_by_calendar(alarm, on.now);
        // Evaluated again when the calendars allow it.
        let allowed_at = if active || is_allowed { None } else { self.next_allowed(alarm, on.now) };
        let due = verdict.due.into_iter().chain(allowed_at).min();
        let (since, trust) = (verdict.since, verdict.trust);
        if seen.is_some() && !active && !verdict.raises {
            self.decided(on.now, alarm, Some(key), Decision::Measured, || measured_text(alarm, &verdict));
        }
        let record = Record::Judged { alarm: alarm.name.clone(), key: key.clone(), since, trust, due };
        self.record(record, out);
        if !active && verdict.raises && is_allowed {
            let [trust, _] = verdict.trust;
            let mut event = seen.unwrap_or_else(|| TriggerEvent::Kept(self.of_key(alarm, key, trust))).fields();
            let fields = Arc::make_mut(&mut event);
            fields.extend(trust_field(trust));
            fields.insert("value".to_owned(), verdict.amount.map_or(Value::Unit, fields::number));
            self.raise(on, alarm, key.clone(), TriggerEvent::Kept(event), out);
        } else if (active || self.state.suppressed(&alarm.name, key).is_some())
            && (verdict.cancels || alarm.cancel.is_empty() && !verdict.stands)
        {
            let [stood, calm] = verdict.trust;
            let trust = if verdict.cancels { calm } else { stood };
            let ending = Ending { trust, late: on.late.clone(), ..Ending::at(on.now, on.sequence, Cause::When) };
            self.clear(&ending, &alarm.name, key, out);
        }
        if verdict.empty || active && verdict.gone {
            self.metric_gone(alarm, key, out);
        }
        if verdict.empty && self.state.instance(&alarm.name, key).is_none() {
            self.drop_begun(alarm, key, out);
        }
    }

    /// Reports a metric that has not arrived for as long as a value is valid: its value is unknown now.
    fn metric_gone(&mut self, alarm: &Alarm, key: &Key, out: &mut Vec<Output>) {
        if metric_of(alarm).is_none() {
            return;
        }
        let lasts = duration_text(METRIC_LASTS);
        let text = format!(
            "{} [{key}] needs a metric that has not arrived for {lasts}, so it cannot be raised. Does the agent run, and does its `metrics` include it?",
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
        // If a comparison has to last, all events since its beginning count, not only those in the window at its end.
        let trust = |slot: MeasureSlot, window: MeasureSlot| {
            let over = measure_of(alarm, window).map_or(Duration::ZERO, |(over, _)| over);
            let trust_now = measured.windows[window as usize].trust(now, over);
            let lasts = measured.since[slot as usize].is_some();
            if lasts { trust_now.min(measured.trust[slot as usize]) } else { trust_now }
        };
        let detect = measure_of(alarm, MeasureSlot::Detect).map(|(_, measure)| &measure.threshold);
        let measure = amount(MeasureSlot::Detect);
        let (stands, since, from) = lasting(MeasureSlot::Detect, measure, detect);
        let falls = alarm.cancel.iter().find_map(|c| if let Cancel::Falls(threshold) = c { Some(threshold) } else { None });
        let own = measure_of(alarm, MeasureSlot::Cancel).map(|(_, measure)| &measure.threshold);
        let (compared, threshold) = if own.is_some() { (amount(MeasureSlot::Cancel), own) } else { (measure, falls) };
        let (_, calm, until) = lasting(MeasureSlot::Cancel, compared, threshold);
        // Nothing is left of what raised it, and nothing can be compared: that ends the alarm as well.
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
            trust: [
                trust(MeasureSlot::Detect, MeasureSlot::Detect),
                trust(MeasureSlot::Cancel, if own.is_some() { MeasureSlot::Cancel } else { MeasureSlot::Detect }),
            ],
            empty: leaves.is_empty(),
            gone: metric && measure.is_none(),
        })
    }
}
