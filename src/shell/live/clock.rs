//! The engine's clock in a running program: the wall clock at the start, continued by the boot clock.
//!
//! If somebody sets the wall clock, or if it was wrong at the start and is corrected later, the engine's time follows. The state
//! is recorded again with all its times moved by the same span ([`crate::core::journal::Input::ClockChanged`]). Timers therefore
//! expire after the same span as before, and nothing expires early or years late.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::core::base::limits::{CLOCK_FOLLOWED, CLOCK_STEP};
use crate::core::base::time::{Time, duration_text};
use crate::core::notice::{Kind, Notice};
use crate::shell::linux::{boot_time, wall_time};

/// The longest time between two readings of the boot clock with the wall clock between them. If it took longer, the process was
/// stopped meanwhile and the reading is not used.
const LOOK: Duration = Duration::from_millis(20);

/// The engine's clock, shared by all its users.
#[derive(Clone, Debug)]
pub struct EngineClock {
    /// The engine's time at which the boot clock was zero.
    base: Arc<AtomicI64>,
    /// The time of the boot clock from which on the wall clock is followed again.
    rests_until: Arc<AtomicI64>,
}

impl EngineClock {
    /// Starts a clock at this time.
    pub fn start(now: Time) -> EngineClock {
        EngineClock { base: Arc::new(AtomicI64::new(now.offset_from(boot_time()))), rests_until: Arc::default() }
    }

    pub fn now(&self) -> Time {
        Time::from_micros(boot_time().micros().saturating_add(self.base.load(Ordering::Relaxed)))
    }

    /// The difference between the wall clock and the engine's clock in microseconds, if somebody set the wall clock and it is time to
    /// follow it.
    pub fn changed(&self) -> Option<i64> {
        let before = boot_time();
        if before.micros() < self.rests_until.load(Ordering::Relaxed) {
            return None;
        }
        let wall = wall_time();
        let after = boot_time();
        if after.since(before) > LOOK {
            return None;
        }
        step(wall.offset_from(Time::from_micros(before.micros().saturating_add(self.base.load(Ordering::Relaxed)))))
    }

    /// Moves the clock by this number of microseconds. It is not moved again soon.
    pub fn change(&self, by: i64) {
        self.base.fetch_add(by, Ordering::Relaxed);
        self.rests_until.store((boot_time() + CLOCK_FOLLOWED).micros(), Ordering::Relaxed);
    }
}

/// The time at which a clock starts, and the microseconds by which the wall clock is before the journal's last time. In that case
/// the wall clock was wrong then or is wrong now.
pub fn begin(newest: Option<Time>) -> (Time, Option<i64>) {
    let wall = wall_time();
    match newest {
        Some(newest) if newest > wall => match step(wall.offset_from(newest)) {
            Some(by) => (wall, Some(by)),
            None => (newest, None),
        },
        _ => (wall, None),
    }
}

/// The difference, if it is too large for a clock that is only being adjusted.
fn step(by: i64) -> Option<i64> {
    (by.unsigned_abs() > CLOCK_STEP.as_micros() as u64).then_some(by)
}

/// The notice about a clock that was set by so many microseconds.
pub(super) fn changed_notice(by: i64) -> Notice {
    let span = duration_text(Duration::from_secs((by.unsigned_abs() + 500_000) / 1_000_000));
    let way = if by < 0 { "back" } else { "forward" };
    let text = format!(
        "the wall clock was set {way} by {span}: the engine's time follows, and every deadline stays as far away as before"
    );
    Notice::new(Kind::ClockChanged, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_noticed_and_followed() {
        let hour = 3_600_000_000;
        let clock = EngineClock::start(wall_time() + Duration::from_secs(3_600));
        let by = clock.changed().unwrap_or(-hour);
        assert!((by + hour).abs() < 1_000_000, "{by}");
        clock.change(by);
        assert_eq!(clock.changed(), None);
        let (now, before) = (clock.now(), wall_time());
        assert!(now.offset_from(before).abs() < 1_000_000, "{now} {before}");
        // It is set again at once, as by two programs that disagree: that is followed later.
        clock.base.fetch_add(hour, Ordering::Relaxed);
        assert_eq!(clock.changed(), None);
        clock.rests_until.store(boot_time().micros(), Ordering::Relaxed);
        assert!(clock.changed().is_some_and(|by| (by + hour).abs() < 1_000_000));
    }

    #[test]
    fn a_start_goes_back_only_behind_a_time_that_is_far_ahead() {
        let wall = wall_time();
        assert_eq!(begin(Some(wall + CLOCK_STEP / 2)), (wall + CLOCK_STEP / 2, None));
        let (now, by) = begin(Some(wall + Duration::from_secs(315_360_000)));
        assert!(now < wall + Duration::from_secs(60) && by.is_some_and(|by| by < -315_000_000_000_000), "{now} {by:?}");
        assert_eq!(begin(Some(wall - Duration::from_secs(60))).1, None);
    }
}
