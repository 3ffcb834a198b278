//! The engine's time, live: the wall clock at the start, carried on by the boot clock (DESIGN section 3).

use crate::base::time::Time;
use crate::linux::{boot_time, wall_time};

/// The engine's clock. It never goes back, whatever hands do to the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: Time,
    boot: Time,
}

impl Clock {
    /// A clock that begins now, and not before the latest time that stands in the journal.
    pub fn start(newest: Option<Time>) -> Clock {
        Clock { base: newest.unwrap_or(Time::MIN).max(wall_time()), boot: boot_time() }
    }

    /// Now.
    pub fn now(&self) -> Time {
        self.base + boot_time().since(self.boot)
    }
}
