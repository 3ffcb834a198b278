//! The steady rate at which unverified events are taken, so that a flood never keeps the controller's thread busy for long.

use std::time::Duration;

use crate::core::base::limits::UNVERIFIED_A_SECOND;
use crate::core::base::time::Time;

/// The burst in microseconds: how much of the rate may be used at once after a pause.
pub(super) const BURST: u64 = 10_000;
/// The average number of microseconds between two unverified events.
pub(super) const EVERY: u64 = 1_000_000 / UNVERIFIED_A_SECOND as u64;

/// The part of the deciding thread's time that unverified events may take: one part of so many. Events that are expensive, such as
/// those that raise alarms, are taken less often than [`UNVERIFIED_A_SECOND`] times a second.
pub(super) const SHARE: u32 = 4;

/// The rate at which unverified events are taken: [`UNVERIFIED_A_SECOND`], and no more than their [`SHARE`] of the thread's time.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// The time at which the rate has caught up with all events that were taken.
    paid: Time,
    /// The same before the first event of this batch; `None` if the batch has none.
    before: Option<Time>,
}

impl Rate {
    pub(super) fn allows(&self, now: Time) -> bool {
        self.wait(now) <= Duration::from_micros(BURST)
    }

    /// The time until the rate has caught up.
    pub(super) fn wait(&self, now: Time) -> Duration {
        let wait = self.paid.since(now);
        // The clock was set back.
        if wait > Duration::from_micros(2 * BURST) { Duration::ZERO } else { wait }
    }

    pub(super) fn take(&mut self, now: Time) {
        let paid = now + self.wait(now);
        self.before.get_or_insert(paid);
        self.paid = paid + Duration::from_micros(EVERY);
    }

    /// Ends a batch, with which the deciding thread was busy for this time. Other messages of a batch with unverified events count
    /// as well: what a sender has to wait for is the whole batch.
    pub(super) fn end_batch(&mut self, now: Time, busy: Duration) {
        if let Some(before) = self.before.take() {
            self.paid = self.paid.max(before + busy * SHARE).min(now + Duration::from_micros(2 * BURST));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of events that are taken within a second, if each keeps the thread busy for so long.
    fn taken(busy: Duration) -> usize {
        let begin = Time::from_millis(1_000);
        let (mut rate, mut now, mut taken) = (Rate::default(), begin, 0);
        while now.since(begin) < Duration::from_secs(1) {
            if !rate.allows(now) {
                now = now + Duration::from_micros(50);
                continue;
            }
            rate.take(now);
            now = now + busy;
            rate.end_batch(now, busy);
            taken += 1;
        }
        taken
    }

    #[test]
    fn expensive_events_take_no_more_than_their_share() {
        let a_second = |busy| taken(Duration::from_micros(busy));
        assert!((4_900..=5_200).contains(&a_second(10)), "{}", a_second(10));
        assert!((240..=270).contains(&a_second(1_000)), "{}", a_second(1_000));
        // A single batch that took long is no reason to take nothing for long.
        assert!((10..=30).contains(&a_second(50_000)), "{}", a_second(50_000));
    }
}
