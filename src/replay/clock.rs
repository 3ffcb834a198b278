//! Replay time: the greater of the last and the record's stamp; a jump of over an hour is believed unless the next dated record
//! contradicts it (DESIGN section 3, "Clocks").
//!
//! In: the stamps of a log, line by line, and about when the log was written. Out: the time, or that the records have to wait
//! for it. A log whose times go on after hours was quiet for hours; one line with a time of its own, which the line after it
//! does not share, was written by a wrong clock, or quotes something.

use std::time::Duration;

use crate::base::time::Time;

/// A larger step of the stamps is looked at twice.
const JUMP: Duration = Duration::from_secs(3_600);
/// How much later than the log was written its stamps may be: they may be of any zone, and do not always say so.
pub(super) const ZONES: Duration = Duration::from_secs(24 * 3_600);

/// The clock of a replay.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    now: Option<Time>,
    /// A jump, and its line, about which the next dated record decides.
    doubted: Option<(u64, Time)>,
    written: Time,
    /// Stamps that were not believed: jumps that were contradicted, and steps back of over an hour.
    pub(super) disbelieved: u64,
    /// The first of them, with its line.
    pub(super) first: Option<(u64, Time)>,
}

impl Clock {
    /// The clock for a log that was written about then.
    pub(super) fn new(written: Time) -> Clock {
        Clock { now: None, doubted: None, written, disbelieved: 0, first: None }
    }

    /// Replay time, once it is known.
    pub(super) fn now(&self) -> Option<Time> {
        self.now
    }

    /// Records have to wait: a further stamp says what time it is.
    pub(super) fn waits(&self) -> bool {
        self.now.is_none() || self.doubted.is_some()
    }

    /// The stamp of a record while none waits. False when it is a jump, so that this record has to.
    pub(super) fn read(&mut self, line: u64, stamp: Time) -> bool {
        let now = self.now.unwrap_or(stamp);
        if stamp.since(now) > JUMP {
            self.doubted = Some((line, stamp));
            return false;
        }
        if now.since(stamp) > JUMP {
            self.disbelieve(line, stamp);
        }
        self.now = Some(now.max(stamp));
        true
    }

    /// The next dated record after those that wait; without one there is none, or none for long. False when they have to wait on.
    pub(super) fn settle(&mut self, line: u64, next: Option<Time>) -> bool {
        match (self.now, self.doubted) {
            (None, None) => match next {
                // The first stamp is a jump from nowhere.
                Some(next) => {
                    self.doubted = Some((line, next));
                    return false;
                }
                None => self.now = Some(self.written),
            },
            (None, Some((first_line, first))) => {
                let wrong = next.filter(|next| first.since(*next) > JUMP);
                if wrong.is_some() {
                    self.disbelieve(first_line, first);
                }
                self.now = Some(wrong.unwrap_or(first));
            }
            (Some(_), None) => {}
            (Some(now), Some((jump_line, jump))) => {
                if let Some(next) = next.filter(|next| now.since(*next) > JUMP) {
                    // A step back is wrong itself: it says nothing about the jump.
                    self.disbelieve(line, next);
                    return false;
                }
                let possible = jump.since(self.written) <= ZONES;
                let believed = match next {
                    Some(next) => jump.since(next) <= JUMP && (possible || next.since(jump) <= JUMP),
                    None => possible,
                };
                if believed {
                    self.now = Some(jump);
                } else {
                    self.disbelieve(jump_line, jump);
                }
            }
        }
        self.doubted = None;
        true
    }

    fn disbelieve(&mut self, line: u64, stamp: Time) {
        self.disbelieved += 1;
        self.first.get_or_insert((line, stamp));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: i64 = 500;

    fn h(hours: i64) -> Time {
        Time::from_millis(hours * 3_600_000)
    }

    /// The times at which the records act that have these stamps, in hours, and how many stamps were not believed.
    fn times(stamps: &[Option<i64>]) -> (Vec<i64>, u64) {
        let mut clock = Clock::new(h(WRITTEN));
        let (mut times, mut waiting) = (Vec::new(), 0);
        let mut go_on = |clock: &Clock, waiting: &mut usize, also: usize| {
            let now = clock.now().unwrap().micros() / 3_600_000_000;
            times.extend(std::iter::repeat_n(now, std::mem::take(waiting) + also));
        };
        for (line, stamp) in (1..).zip(stamps.iter().map(|s| s.map(h))) {
            if clock.waits() {
                if stamp.is_none_or(|stamp| !clock.settle(line, Some(stamp))) {
                    waiting += 1;
                    continue;
                }
                go_on(&clock, &mut waiting, 0);
            }
            if stamp.is_none_or(|stamp| clock.read(line, stamp)) {
                go_on(&clock, &mut waiting, 1);
            } else {
                waiting += 1;
            }
        }
        if clock.waits() {
            clock.settle(0, None);
            go_on(&clock, &mut waiting, 0);
        }
        (times, clock.disbelieved)
    }

    #[test]
    fn time_goes_on_and_never_back() {
        assert_eq!(times(&[Some(100), Some(99), Some(101), None]), (vec![100, 100, 101, 101], 0));
        assert_eq!(times(&[Some(100), Some(100), Some(50), Some(50), Some(101)]), (vec![100, 100, 100, 100, 101], 2));
    }

    #[test]
    fn a_log_with_hours_between_its_lines_was_quiet() {
        assert_eq!(times(&[Some(100), Some(103), None, Some(200), Some(320)]), (vec![100, 103, 103, 200, 320], 0));
        assert_eq!(times(&[Some(100), Some(100), Some(103)]), (vec![100, 100, 103], 0), "the last line, too");
    }

    #[test]
    fn one_wild_stamp_moves_nothing() {
        assert_eq!(times(&[Some(100), Some(9_000), Some(101), Some(102)]), (vec![100, 100, 101, 102], 1));
        assert_eq!(times(&[Some(100), Some(9_000), Some(110), Some(120)]), (vec![100, 100, 110, 120], 1), "nor in a sparse log");
        assert_eq!(
            times(&[Some(100), Some(110), Some(5), Some(120)]),
            (vec![100, 110, 110, 120], 1),
            "a step back is no witness"
        );
        assert_eq!(
            times(&[Some(100), Some(100), Some(9_000)]),
            (vec![100, 100, 100], 1),
            "nor at the end: the log was not written then"
        );
    }

    #[test]
    fn later_than_the_log_was_written_takes_two_that_agree() {
        assert_eq!(times(&[Some(100), Some(9_000), Some(9_000), Some(9_001)]), (vec![100, 9_000, 9_000, 9_001], 0));
        assert_eq!(times(&[Some(100), Some(9_000), Some(9_500), Some(101)]), (vec![100, 100, 100, 101], 2));
    }

    #[test]
    fn the_first_stamp_that_is_believed_is_the_time_of_what_stands_before_it() {
        assert_eq!(times(&[None, None, Some(100), Some(100)]), (vec![100; 4], 0));
        assert_eq!(times(&[Some(9_000), Some(100)]), (vec![100, 100], 1));
        assert_eq!(times(&[Some(100)]), (vec![100], 0));
        assert_eq!(times(&[None, None]), (vec![WRITTEN; 2], 0));
    }
}
