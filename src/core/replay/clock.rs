//! The time of a log: the later of the last time and the record's stamp. A jump of over an hour is believed if the next dated
//! record does not contradict it. A step back is believed if several records of the same sender agree on it.
//!
//! In: the stamps of a log, line by line, and about when the log was written. Out: the time, or that the records have to wait for
//! it. A log whose times continue hours later was quiet for hours. If one line has a time that the line after it does not share,
//! a wrong clock wrote it, or it quotes something. A log that continues hours earlier was begun with a wrong clock.
//!
//! The engine's time never goes back. After a step back it is the log's time plus [`Moment::ahead`].

use std::time::Duration;

use crate::core::base::time::Time;

/// A larger step of the stamps needs a second record to be believed.
const JUMP: Duration = Duration::from_secs(3_600);
/// How much later than the log was written its stamps may be: they may be of any zone, and do not always contain it.
pub(super) const ZONES: Duration = Duration::from_secs(24 * 3_600);
/// A step back is believed if so many dated records in a row agree on it, from the host whose record came before the step ...
const AGREE: u32 = 5;
/// ... or so many of any hosts: a log may contain records of two hosts in two zones.
const AGREE_ANY: u32 = 50;
/// At the end of a log fewer records are enough.
const AGREE_AT_END: u32 = 3;

/// A time of the log, and how far the engine's time is ahead of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    /// The time as in the log.
    pub(super) log: Time,
    /// The sum of all steps back.
    pub(super) ahead: Duration,
}

impl Moment {
    pub(super) fn engine(self) -> Time {
        self.log + self.ahead
    }
}

/// The result for the records that waited: when they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    /// The time of the first of them.
    pub(super) from: Moment,
    /// Each counts at its own stamp, from there on.
    pub(super) each: bool,
}

/// A step back, until it is believed or not.
#[derive(Clone, Debug)]
struct Back {
    line: u64,
    first: Time,
    last: Time,
    same_host: u32,
    any: u32,
}

/// The clock of one log.
#[derive(Clone, Debug)]
pub(super) struct LogClock {
    now: Option<Time>,
    ahead: Duration,
    /// A jump with its line. The next dated record decides about it.
    doubted: Option<(u64, Time)>,
    back: Option<Back>,
    /// The host of the record that gave the time.
    host: String,
    written: Time,
    /// Stamps that were not believed: jumps that were contradicted, and steps back of over an hour.
    pub(super) disbelieved: u64,
    /// The first of them, with its line.
    pub(super) first: Option<(u64, Time)>,
    /// The first step back that was believed, with its line and the time before it.
    pub(super) stepped: Option<(u64, Time, Time)>,
}

impl LogClock {
    /// The clock for a log that was written at about this time.
    pub(super) fn new(written: Time) -> LogClock {
        LogClock {
            now: None,
            ahead: Duration::ZERO,
            doubted: None,
            back: None,
            host: String::new(),
            written,
            disbelieved: 0,
            first: None,
            stepped: None,
        }
    }

    /// The time, if it is known.
    pub(super) fn now(&self) -> Option<Moment> {
        self.now.map(|log| Moment { log, ahead: self.ahead })
    }

    /// True if records have to wait until a further stamp shows what time it is.
    pub(super) fn waits(&self) -> bool {
        self.now.is_none() || self.doubted.is_some() || self.back.is_some()
    }

    /// Takes the stamp of a record while none waits. Returns false if it is a jump, so that this record has to wait.
    pub(super) fn read(&mut self, line: u64, stamp: Time, host: &str) -> bool {
        let now = self.now.unwrap_or(stamp);
        if stamp.since(now) > JUMP {
            self.doubted = Some((line, stamp));
            return false;
        }
        if now.since(stamp) > JUMP {
            let same_host = u32::from(self.host == host);
            self.back = Some(Back { line, first: stamp, last: stamp, same_host, any: 1 });
            return false;
        }
        self.now = Some(now.max(stamp));
        if self.host != host {
            self.host.clear();
            self.host.push_str(host);
        }
        true
    }

    /// Takes the next dated record after those that wait; `None` as `next` if there is none, or none for long. Returns `None` if
    /// they must wait.
    pub(super) fn settle(&mut self, line: u64, next: Option<(Time, &str)>) -> Option<Settled> {
        if self.back.is_some() {
            return self.settle_back(next);
        }
        let next = next.map(|(next, _)| next);
        match (self.now, self.doubted) {
            (None, None) => match next {
                // The first stamp is a jump from an unknown time.
                Some(next) => {
                    self.doubted = Some((line, next));
                    return None;
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
                    return None;
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
        self.now().map(|from| Settled { from, each: false })
    }

    /// Takes one more record after a step back.
    fn settle_back(&mut self, next: Option<(Time, &str)>) -> Option<Settled> {
        let (Some(now), Some(mut back)) = (self.now, self.back.take()) else { return None };
        let agrees = |next: Time| now.since(next) > JUMP && back.last.since(next).max(next.since(back.last)) <= JUMP;
        let believed = match next {
            Some((next, host)) if agrees(next) => {
                back.any += 1;
                back.same_host += u32::from(self.host == host);
                back.last = back.last.max(next);
                back.same_host >= AGREE || back.any >= AGREE_ANY
            }
            Some(_) => {
                self.disbelieve_all(&back);
                return self.now().map(|from| Settled { from, each: false });
            }
            None if back.same_host >= AGREE_AT_END => true,
            None => {
                self.disbelieve_all(&back);
                return self.now().map(|from| Settled { from, each: false });
            }
        };
        if !believed {
            self.back = Some(back);
            return None;
        }
        self.stepped.get_or_insert((back.line, now, back.first));
        self.ahead += now.since(back.first);
        let from = Moment { log: back.first, ahead: self.ahead };
        self.now = Some(back.last);
        Some(Settled { from, each: true })
    }

    fn disbelieve_all(&mut self, back: &Back) {
        self.disbelieve(back.line, back.first);
        self.disbelieved += u64::from(back.any) - 1;
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

    /// For records of one host with these stamps (in hours): the times at which they act, and the number of stamps that were not
    /// believed.
    fn times(stamps: &[Option<i64>]) -> (Vec<i64>, u64) {
        let (times, clock) = run(&stamps.iter().map(|s| (*s, "")).collect::<Vec<_>>());
        (times, clock.disbelieved)
    }

    fn run(stamps: &[(Option<i64>, &str)]) -> (Vec<i64>, LogClock) {
        let mut clock = LogClock::new(h(WRITTEN));
        let (mut times, mut waiting) = (Vec::new(), Vec::new());
        let hours = |t: Time| t.micros() / 3_600_000_000;
        let settle = |waiting: &mut Vec<Option<Time>>, settled: Settled, times: &mut Vec<i64>| {
            let mut at = settled.from.log;
            for stamp in waiting.drain(..) {
                at = stamp.filter(|stamp| settled.each && *stamp >= at).unwrap_or(at);
                times.push(hours(at));
            }
        };
        for (line, (stamp, host)) in (1..).zip(stamps.iter().map(|(s, host)| (s.map(h), *host))) {
            if clock.waits() {
                match stamp.and_then(|stamp| clock.settle(line, Some((stamp, host)))) {
                    Some(settled) => settle(&mut waiting, settled, &mut times),
                    None => {
                        waiting.push(stamp);
                        continue;
                    }
                }
            }
            if stamp.is_none_or(|stamp| clock.read(line, stamp, host)) {
                times.push(hours(clock.now().unwrap().log));
            } else {
                waiting.push(stamp);
            }
        }
        if clock.waits()
            && let Some(settled) = clock.settle(0, None)
        {
            settle(&mut waiting, settled, &mut times);
        }
        (times, clock)
    }

    #[test]
    fn a_log_that_begins_hours_ahead_steps_back_when_its_records_agree() {
        let ahead: Vec<Option<i64>> = (0..10).map(|_| Some(108)).collect();
        let behind: Vec<Option<i64>> = (0..20).map(|n| Some(100 + n / 5)).collect();
        let all = [ahead, behind].concat();
        let (times, disbelieved) = times(&all);
        assert_eq!((times, disbelieved), (all.iter().map(|s| s.unwrap()).collect(), 0));
        // The engine's time continues to grow.
        let (_, clock) = run(&all.iter().map(|s| (*s, "")).collect::<Vec<_>>());
        assert_eq!(clock.now().unwrap().engine(), h(108 + 3));
        assert_eq!(clock.stepped.map(|(line, ..)| line), Some(11));
    }

    #[test]
    fn two_hosts_in_two_zones_in_one_log_are_no_step_back() {
        let mut stamps = Vec::new();
        for n in 0..40 {
            stamps.push((Some(108), "a"));
            stamps.extend(std::iter::repeat_n((Some(100), "b"), n % 7));
        }
        let (times, clock) = run(&stamps);
        assert!(times.iter().all(|t| *t == 108) && clock.stepped.is_none());
        // It is believed if nothing else follows.
        let stamps = [vec![(Some(108), "a"); 10], vec![(Some(100), "b"); 100]].concat();
        let (times, clock) = run(&stamps);
        assert!(times[10..].iter().all(|t| *t == 100) && clock.stepped.is_some());
    }

    #[test]
    fn time_goes_on_and_never_back() {
        assert_eq!(times(&[Some(100), Some(99), Some(101), None]), (vec![100, 100, 101, 101], 0));
        assert_eq!(times(&[Some(100), Some(100), Some(50), Some(50), Some(101)]), (vec![100, 100, 100, 100, 101], 2));
        assert_eq!(
            times(&[Some(100), Some(100), Some(50), Some(50), Some(50)]),
            (vec![100, 100, 50, 50, 50], 0),
            "at the end three agree"
        );
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
