//! Replay time: the greater of the last and the record's stamp; a jump of over an hour is believed when the next dated
//! record agrees (DESIGN section 3, "Clocks").

use std::time::Duration;

use crate::base::time::Time;

/// A larger step of the stamps needs a second witness.
pub(super) const JUMP: Duration = Duration::from_secs(3_600);

/// The clock of a replay.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    now: Option<Time>,
    /// Jumps that no second record agreed with, and steps back of over an hour.
    pub(super) disbelieved: u64,
}

/// What a stamp says about the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It is this time now.
    Now(Time),
    /// It would be a jump: the next dated record decides.
    Doubtful,
}

impl Clock {
    /// Replay time, once a record had a stamp.
    pub(super) fn now(&self) -> Option<Time> {
        self.now
    }

    /// A record's stamp, `next` being the stamp of the next dated record where that is known.
    pub(super) fn read(&mut self, stamp: Option<Time>, next: Option<Option<Time>>) -> Reading {
        let Some(stamp) = stamp else {
            return Reading::Now(self.now.unwrap_or_default());
        };
        let jumps = |from: Time| stamp.since(from) > JUMP || from.since(stamp) > JUMP;
        let Some(now) = self.now else {
            // The first stamp is a jump from nowhere.
            return match next {
                None => Reading::Doubtful,
                Some(Some(next)) if next.since(stamp) > JUMP || stamp.since(next) > JUMP => {
                    self.disbelieved += 1;
                    Reading::Now(self.set(stamp.min(next)))
                }
                Some(_) => Reading::Now(self.set(stamp)),
            };
        };
        if !jumps(now) {
            return Reading::Now(self.set(now.max(stamp)));
        }
        match next {
            None => Reading::Doubtful,
            Some(Some(next))
                if stamp > now && next.since(now) > JUMP && !(next.since(stamp) > JUMP || stamp.since(next) > JUMP) =>
            {
                Reading::Now(self.set(stamp))
            }
            // The log ends with a jump, goes back, or nobody agrees.
            Some(_) => {
                self.disbelieved += 1;
                Reading::Now(now)
            }
        }
    }

    fn set(&mut self, now: Time) -> Time {
        self.now = Some(now);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn h(hours: i64) -> Time {
        Time::from_millis(hours * 3_600_000)
    }

    #[test]
    fn time_goes_on_and_never_back() {
        let mut clock = Clock::default();
        assert_eq!(clock.read(Some(h(100)), None), Reading::Doubtful);
        assert_eq!(clock.read(Some(h(100)), Some(Some(h(100)))), Reading::Now(h(100)));
        assert_eq!(clock.read(Some(h(100) - Duration::from_secs(5)), None), Reading::Now(h(100)));
        assert_eq!(clock.read(Some(h(101)), None), Reading::Now(h(101)));
        assert_eq!(clock.read(None, None), Reading::Now(h(101)));
        assert_eq!(clock.disbelieved, 0);
    }

    #[test]
    fn a_jump_needs_a_second_witness() {
        let mut clock = Clock::default();
        clock.read(Some(h(100)), Some(Some(h(100))));
        assert_eq!(clock.read(Some(h(9_000)), None), Reading::Doubtful);
        assert_eq!(clock.read(Some(h(9_000)), Some(Some(h(100)))), Reading::Now(h(100)), "nobody agrees");
        assert_eq!(clock.read(Some(h(9_000)), Some(Some(h(9_000)))), Reading::Now(h(9_000)), "the next agrees");
        assert_eq!(clock.read(Some(h(50)), Some(Some(h(50)))), Reading::Now(h(9_000)), "back is never believed");
        assert_eq!(clock.disbelieved, 2);
    }

    #[test]
    fn a_wrong_first_stamp_does_not_decide_the_time() {
        let mut clock = Clock::default();
        assert_eq!(clock.read(Some(h(9_000)), Some(Some(h(100)))), Reading::Now(h(100)));
    }
}
