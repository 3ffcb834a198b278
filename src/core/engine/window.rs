//! Windows of measured events. They are kept in buckets, so that their memory is bounded for any input.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::time::Time;
use crate::core::event::Trust;
use crate::core::lang::program::Aggregate;

/// Number of buckets of a window.
const BUCKETS: u32 = 60;

/// Maximum bytes of one window, when all its buckets are used.
pub(super) const WINDOW_BYTES: usize = size_of::<Measured>() + BUCKETS as usize * size_of::<Bucket>();

/// The measures of a key of an alarm: for its `detect` and for its `cancel when`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) windows: [MeasureWindow; 2],
    /// Since when the comparison that raises, and the one that cancels, have been true.
    pub(super) since: [Option<Time>; 2],
    /// The lowest trust of the senders whose events made them true since then.
    #[serde(default, rename = "known")]
    pub(super) trust: [Trust; 2],
    /// When it has to be evaluated again.
    pub(super) due: Option<Time>,
}

/// One of an alarm's two measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MeasureSlot {
    Detect = 0,
    Cancel = 1,
}

/// Events of a window, in buckets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct MeasureWindow(Vec<Bucket>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Bucket {
    at: Time,
    count: u32,
    sum: f64,
    least: f64,
    most: f64,
    /// The lowest trust of the senders.
    #[serde(default, rename = "known")]
    trust: Trust,
    #[serde(default)]
    last: f64,
}

/// Adds without becoming infinite, because a journal cannot store an infinite number.
fn plus(a: f64, b: f64) -> f64 {
    (a + b).clamp(f64::MIN, f64::MAX)
}

impl MeasureWindow {
    /// Adds an event with the value `value`, which stands for `times` events.
    fn add(&mut self, at: Time, (value, times): (f64, u16), trust: Trust, over: Duration) {
        let (count, sum) = (u32::from(times), value * f64::from(times));
        let step = (over / BUCKETS).max(Duration::from_millis(1));
        let begin = at.floor(step);
        self.0.retain(|b| b.at + over > at);
        match self.0.iter_mut().find(|b| b.at == begin) {
            Some(bucket) => {
                bucket.count = bucket.count.saturating_add(count);
                bucket.sum = plus(bucket.sum, sum);
                bucket.trust = bucket.trust.min(trust);
                bucket.least = bucket.least.min(value);
                bucket.most = bucket.most.max(value);
                bucket.last = value;
            }
            None if begin + over > at => {
                let place = self.0.partition_point(|b| b.at < begin);
                self.0.insert(
                    place,
                    Bucket { at: begin, count, sum: plus(0.0, sum), least: value, most: value, trust, last: value },
                );
            }
            None => {}
        }
    }

    /// The aggregate of the window now; `None` when there is nothing to measure.
    pub(super) fn amount(&self, now: Time, over: Duration, what: Aggregate) -> Option<f64> {
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

    /// The lowest trust of the senders of the events in the window.
    pub(super) fn trust(&self, now: Time, over: Duration) -> Trust {
        self.0.iter().filter(|b| b.at + over > now).map(|b| b.trust).min().unwrap_or(Trust::Authenticated)
    }

    /// When the next bucket leaves; for `last`, when the newest event does.
    pub(super) fn leaves(&self, now: Time, over: Duration, what: Aggregate) -> Option<Time> {
        let mut inside = self.0.iter().map(|b| b.at + over).filter(|at| *at > now);
        if what == Aggregate::Last { inside.next_back() } else { inside.next() }
    }
}

impl Measured {
    pub(super) fn add(&mut self, slot: usize, at: Time, amount: (f64, u16), trust: Trust, over: Duration) {
        if let Some(window) = self.windows.get_mut(slot) {
            window.add(at, amount, trust, over);
        }
    }

    pub(super) fn judged(&mut self, since: [Option<Time>; 2], trust: [Trust; 2], due: Option<Time>) {
        self.since = since;
        self.trust = trust;
        self.due = due;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Buckets give the same result as all events of the window, except for the sixtieth that leaves early.
    #[test]
    fn windows_amount_to_what_is_in_them() {
        let mut rng = crate::core::sim::Rng::new(5);
        let over = Duration::from_secs(60);
        let mut window = MeasureWindow::default();
        let mut all: Vec<(Time, f64)> = Vec::new();
        let mut now = Time::from_millis(1_000_000);
        for _ in 0..5_000 {
            now = now + Duration::from_millis(rng.below(3_000));
            #[allow(clippy::cast_precision_loss, reason = "small numbers")]
            let value = rng.below(100) as f64 - 50.0;
            window.add(now, (value, 1), Trust::Local, over);
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

    /// A record that stands for several events is counted as that many, each with its value.
    #[test]
    fn a_repeated_event_counts_as_often_as_it_says() {
        let (over, mut window) = (Duration::from_secs(60), MeasureWindow::default());
        window.add(Time::from_millis(1_000), (2.0, 5), Trust::Local, over);
        window.add(Time::from_millis(1_100), (8.0, 1), Trust::Local, over);
        let now = Time::from_millis(1_200);
        let amounts = [Aggregate::Count, Aggregate::Sum, Aggregate::Average, Aggregate::Most];
        assert_eq!(amounts.map(|what| window.amount(now, over, what)), [Some(6.0), Some(18.0), Some(3.0), Some(8.0)]);
    }

    /// A sum that is too large stays at the largest number, because a journal cannot store an infinite one.
    #[test]
    fn sums_are_finite() {
        let (over, mut measured) = (Duration::from_secs(60), Measured::default());
        for n in 0..4 {
            measured.add(0, Time::from_millis(n * 700), (1e308, 1), Trust::Local, over);
        }
        let again: Measured = serde_json::from_str(&serde_json::to_string(&measured).unwrap()).unwrap();
        assert_eq!(again, measured);
        assert_eq!(again.windows[0].amount(Time::from_millis(3_000), over, Aggregate::Sum), Some(f64::MAX));
    }
}
