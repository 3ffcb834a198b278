//! The steady rate at which unverified events are taken, so that a flood never keeps the controller's thread busy for long.

use std::time::Duration;

use crate::core::base::limits::UNVERIFIED_A_SECOND;
use crate::core::base::time::Time;

/// The burst in microseconds: how much of the rate may be used at once after a pause.
pub(super) const BURST: u64 = 10_000;
/// The average number of microseconds between two unverified events.
pub(super) const EVERY: u64 = 1_000_000 / UNVERIFIED_A_SECOND as u64;

/// The rate at which unverified events are taken: [`UNVERIFIED_A_SECOND`].
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// The time at which the rate has caught up with all events that were taken.
    paid: Time,
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
        self.paid = now + self.wait(now) + Duration::from_micros(EVERY);
    }
}
