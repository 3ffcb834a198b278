//! Which records are new and which are late: the arrival of records of each sender, compared with their stamps.
//!
//! In: every record of a source, wanted by a rule or not, and when its bytes were read. Out: why a late record may start nothing,
//! and what was learned of a sender, for the journal.
//!
//! No clock or zone has to be right. A record's *age* is its arrival minus its stamp. The *usual* age of each sender (a host at
//! one level of trust) is kept, and a record is late if its age is greater than that by some tolerance:
//!
//! | what is known of the sender | usual age | late beyond it by |
//! |---|---|---|
//! | nothing | the least age so far, with a zone of whole quarters of an hour if stamps contain none | [`LATE_AT_FIRST`] |
//! | its last [`AGREE`] ages, taken over [`SPREAD`] or more, agree | the age on which they agree | [`LATE_AFTER`] |
//! | they agreed once and do not any more | the age on which they agreed | [`LATE_AT_FIRST`] |
//!
//! A sender that empties a queue sends many records within a moment, each with a smaller age than the one before. These are late
//! whatever is known, until the ages stop falling. If the sender was never heard before, the first record alone looks like a new
//! one of a slow clock: it counts as new up to [`LATE_AT_FIRST`]. If the sender was heard before and was silent, its first record
//! is recognised as well: it is not older than the silence. What a file held before its end was reached is a backlog; the source
//! says so.
//!
//! A stamp without a zone from the network is read in the zone, of those that exist, that brings it nearest to its arrival. The first
//! record of a sender may be old all the same: by that zone it is new only if it arrives within [`LATE_AT_FIRST`] of its stamp.
//! When the usual age is known, it is read in the zone that follows from that age. So an old record of a known sender is old, and
//! not in another zone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::core::base::limits::{LATE_AFTER, LATE_AT_FIRST, OFFSETS};
use crate::core::base::time::Time;
use crate::core::event::{Event, Stale, StaleRecord, Trust};

/// So many ages that agree make the usual age.
const AGREE: usize = 5;
/// Ages agree if they are within this range ...
const WITHIN_US: i64 = 2_000_000;
/// ... and were seen over this time: a burst of one delay proves nothing about a clock.
const SPREAD: Duration = Duration::from_secs(10);
/// The least time between two ages that are compared.
const APART: Duration = Duration::from_millis(2_500);
const MINUTE_US: i64 = 60_000_000;
/// Zones differ by whole multiples of this.
const QUARTER_US: i64 = 15 * MINUTE_US;
const DAY_US: i64 = 24 * 60 * MINUTE_US;
/// The offsets that clocks have somewhere in the world, in minutes west of UTC.
const ZONES: [i64; 40] = [
    -840, -825, -780, -765, -720, -660, -630, -600, -570, -540, -525, -480, -420, -390, -360, -345, -330, -300, -270, -240, -210,
    -180, -120, -60, 0, 60, 120, 150, 180, 210, 240, 300, 360, 420, 480, 540, 570, 600, 660, 720,
];
/// The differences between two zones, in minutes: all quarters of an hour from 26 hours east to 26 hours west.
const DIFFERENCES: [i64; 209] = {
    let mut all = [0; 209];
    let mut n = 0;
    while n < all.len() {
        all[n] = 15 * (n as i64 - 104);
        n += 1;
    }
    all
};
/// Records of one sender that come closer together than this may be a queue that is emptied.
const QUEUE_GAP: Duration = Duration::from_secs(1);
/// So many records in a row with falling ages are such a queue ...
const QUEUE_FALLS: u32 = 3;
/// ... or so many, if the sender has not paused since it was first heard: it may have come back with all that it kept ...
const QUEUE_FALLS_AT_FIRST: u32 = 1;
/// ... if the ages fall by this much altogether.
const QUEUE_FALL_US: i64 = 2_000_000;
/// A record that is older than this, and not older than its sender's silence, waited until the sender was heard again.
const QUEUE_SILENCE: Duration = Duration::from_secs(10);
/// An age that is smaller than the one before by less than this has not fallen: clocks and networks are not more exact.
const QUEUE_STEP_US: i64 = 1_000;
/// A change of the usual age is journaled if it is greater than this, at most once in [`JOURNAL_EVERY`].
const JOURNAL_US: i64 = 500_000;
const JOURNAL_EVERY: Duration = Duration::from_secs(60);

/// How stamps without a zone were read at a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamps {
    /// In the zone that a rule test means. Its senders have right clocks until their records say otherwise.
    #[default]
    Exact,
    /// In the zone that the configuration gives, which is not doubted.
    Stated,
    /// In this machine's zone. The sender may have another: a whole number of quarters of an hour is no lateness.
    Assumed,
    /// In UTC. They are moved to the zone that brings them nearest to their arrival.
    Nearest,
}

/// The usual age of a sender's records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// The host, as its records name it; empty if they name none.
    pub host: String,
    /// How far the sender is trusted. Records with less trust do not change what is known of a sender with more trust.
    pub trust: Trust,
    /// The usual age, in microseconds; negative if the stamps are ahead.
    pub usual: i64,
    /// The part of it that is a zone, which the stamps do not contain and which was found for them.
    pub zone: i64,
}

/// The senders of one source. All readers of the source share them.
#[derive(Clone, Debug, Default)]
pub struct Arrivals(Arc<Mutex<Senders>>);

#[derive(Debug, Default)]
struct Senders {
    stamps: Stamps,
    /// Senders by host, and then by trust.
    known: BTreeMap<String, [Option<Box<Sender>>; 4]>,
    count: usize,
    learned: Vec<Learned>,
}

#[derive(Clone, Debug, Default)]
struct Sender {
    usual: i64,
    /// The usual age is one on which ages have agreed.
    agreed_once: bool,
    agrees: bool,
    last: VecDeque<(Time, i64)>,
    heard: Time,
    /// The sender has paused since it was first heard.
    paused: bool,
    queue: Queue,
    journaled: Option<(Time, i64)>,
}

/// The records that came without a pause.
#[derive(Clone, Debug, Default)]
struct Queue {
    /// The age at which ages began to fall.
    peak: i64,
    least: i64,
    falls: u32,
    /// When the age fell last.
    fell: Option<Time>,
    emptied: bool,
}

/// How a record is late.
enum Lateness {
    /// Its age exceeds the usual age of its sender by this time.
    Behind(Duration),
    /// It comes from a queue of older records.
    Queued,
}

impl Arrivals {
    /// The senders of a source whose stamps are read in this way.
    pub fn of(stamps: Stamps) -> Arrivals {
        Arrivals(Arc::new(Mutex::new(Senders { stamps, ..Senders::default() })))
    }

    /// Continues with what was learned before.
    pub fn recall(&self, before: impl IntoIterator<Item = (Trust, String, i64)>) {
        let mut senders = self.senders();
        for (trust, host, usual) in before {
            let known =
                Sender { usual, agreed_once: true, agrees: true, journaled: Some((Time::MIN, usual)), ..Sender::default() };
            senders.with(&host, trust, |sender| *sender = known);
        }
    }

    /// What was learned since the last call.
    pub fn learned(&self) -> Vec<Learned> {
        std::mem::take(&mut self.senders().learned)
    }

    /// Why a late record may start nothing; `None` if it is not late. A stamp without a zone is moved to the zone that was found
    /// for its sender.
    ///
    /// `stated`: the zone of the stamp is known, from the record or from the configuration. `kept`: what is learned of this host
    /// is journaled, which excludes host names that a record makes up.
    pub fn judge(&self, event: &mut Event<'_>, arrived: Time, stated: bool, kept: bool) -> Option<Stale> {
        let mut at = event.at?;
        let mut senders = self.senders();
        let zoneless = !stated && matches!(senders.stamps, Stamps::Assumed | Stamps::Nearest);
        let shifts = zoneless && senders.stamps == Stamps::Nearest;
        // East of here, a time of day without a day is not one of the day before.
        if shifts && event.marks.guessed_date && arrived.offset_from(at) > DAY_US / 2 {
            at = Time::from_micros(at.micros().saturating_add(DAY_US));
            event.at = Some(at);
        }
        let trust = event.trust;
        let age = arrived.offset_from(at);
        let zones = if zoneless { senders.stamps.zones() } else { &[] };
        let (late, usual, news) = senders.with(&event.host, trust, |sender| {
            let late = sender.judge(arrived, age, zones);
            (late, sender.usual, if kept { sender.news(arrived) } else { None })
        });
        let zone = if zoneless { quarters(usual) } else { 0 };
        if shifts && zone != 0 {
            event.at = Some(Time::from_micros(at.micros().saturating_add(zone)));
        }
        if let Some(usual) = news {
            let zone = if shifts { quarters(usual) } else { 0 };
            senders.learned.push(Learned { host: event.host.to_string(), trust, usual, zone });
        }
        let record = || StaleRecord::of(event, arrived);
        late.map(|lateness| match lateness {
            Lateness::Behind(by) => Stale::Behind { by, record: record() },
            Lateness::Queued => Stale::Queued { record: record() },
        })
    }

    fn senders(&self) -> MutexGuard<'_, Senders> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Senders {
    /// Takes the sender's record. Its name is copied only when it is heard for the first time.
    fn with<T>(&mut self, host: &str, trust: Trust, take: impl FnOnce(&mut Sender) -> T) -> T {
        if let Some(sender) = self.known.get_mut(host).and_then(|by_trust| by_trust[trust as usize].as_mut()) {
            return take(sender);
        }
        if self.count >= OFFSETS {
            self.forget_half();
        }
        self.count += 1;
        let is_right = self.stamps == Stamps::Exact;
        let journaled = is_right.then_some((Time::MIN, 0));
        let mut sender = Box::new(Sender { agreed_once: is_right, agrees: is_right, journaled, ..Sender::default() });
        let taken = take(&mut sender);
        self.known.entry(host.to_owned()).or_default()[trust as usize] = Some(sender);
        taken
    }

    /// Forgets half of the senders: those with the least trust, and among them those heard longest ago. Their next record counts
    /// as a first one.
    fn forget_half(&mut self) {
        let of = |(host, by_trust): (&String, &[Option<Box<Sender>>; 4])| -> Vec<(usize, Time, String)> {
            let all = by_trust.iter().enumerate();
            all.filter_map(|(trust, sender)| Some((trust, sender.as_ref()?.heard, host.clone()))).collect()
        };
        let mut order: Vec<(usize, Time, String)> = self.known.iter().flat_map(of).collect();
        order.sort();
        for (trust, _, host) in order.into_iter().take(OFFSETS / 2) {
            if let Some(by_trust) = self.known.get_mut(&host) {
                by_trust[trust] = None;
                if by_trust.iter().all(Option::is_none) {
                    self.known.remove(&host);
                }
                self.count -= 1;
            }
        }
    }
}

impl Sender {
    /// Judges a record by its age. `zones`: in which of them its stamp may have been written, in minutes west of the zone in which it
    /// was read; none if the zone is known.
    fn judge(&mut self, arrived: Time, age: i64, zones: &[i64]) -> Option<Lateness> {
        let first = self.heard == Time::default();
        if !self.agreed_once {
            // A record may be delayed and is never ahead of its sender: the least age is nearest to the truth.
            let zone = likely_zone(age, zones);
            let likely = if age.saturating_sub(zone) <= us(LATE_AT_FIRST) { age } else { zone };
            self.usual = if first { likely } else { likely.min(self.usual) };
        }
        let silence = arrived.since(self.heard);
        self.paused |= !first && silence > QUEUE_GAP;
        let falls = if self.paused || self.agreed_once { QUEUE_FALLS } else { QUEUE_FALLS_AT_FIRST };
        let emptied = self.queue.take(silence <= QUEUE_GAP && !first, arrived, age, falls);
        // If the sender was heard before and the record is as old as the silence, it was written during that silence.
        let waited = age.saturating_sub(self.usual);
        let written_in_silence = !first && waited > us(QUEUE_SILENCE) && waited <= us(silence + LATE_AFTER);
        if written_in_silence {
            self.queue = Queue { peak: age, least: age, falls: QUEUE_FALLS, fell: Some(arrived), emptied: true };
        }
        let emptied = emptied || written_in_silence;
        self.heard = arrived;
        let tolerance = if self.agrees { LATE_AFTER } else { LATE_AT_FIRST };
        let behind = age.saturating_sub(self.usual);
        let late = behind > us(tolerance);
        let emptied = emptied && (late || !self.agrees);
        if !emptied {
            self.learn(arrived, age);
        }
        if late {
            return Some(Lateness::Behind(Duration::from_millis(u64::try_from(behind / 1_000).unwrap_or(0))));
        }
        emptied.then_some(Lateness::Queued)
    }

    fn learn(&mut self, at: Time, age: i64) {
        if self.last.back().is_some_and(|(last, _)| at.since(*last) < APART && at >= *last) {
            return;
        }
        if self.last.len() == AGREE {
            self.last.pop_front();
        }
        self.last.push_back((at, age));
        let (Some((first, _)), Some((last, _))) = (self.last.front(), self.last.back()) else { return };
        if self.last.len() < AGREE || last.since(*first) < SPREAD {
            return;
        }
        let mut ages: Vec<i64> = self.last.iter().map(|(_, age)| *age).collect();
        ages.sort_unstable();
        self.agrees = ages[AGREE - 1].saturating_sub(ages[0]) <= WITHIN_US;
        if self.agrees {
            (self.usual, self.agreed_once) = (ages[AGREE / 2], true);
        }
    }

    /// The usual age, if it is to be journaled.
    fn news(&mut self, now: Time) -> Option<i64> {
        let is_new = match self.journaled {
            None => true,
            Some((at, usual)) => now.since(at) >= JOURNAL_EVERY && usual.abs_diff(self.usual) >= JOURNAL_US.unsigned_abs(),
        };
        (self.agrees && is_new).then(|| {
            self.journaled = Some((now, self.usual));
            self.usual
        })
    }
}

impl Queue {
    /// Takes the age of one more record; returns true while a queue is being emptied. `on`: it came without a pause after the one
    /// before. `falls`: so many falling ages are a queue.
    fn take(&mut self, on: bool, arrived: Time, age: i64, falls: u32) -> bool {
        if !on || (self.emptied && self.fell.is_some_and(|fell| arrived.since(fell) > QUEUE_GAP)) {
            *self = Queue { peak: age, least: age, ..Queue::default() };
            return false;
        }
        if age.saturating_add(QUEUE_STEP_US) <= self.least {
            self.least = age;
            self.falls += 1;
            self.fell = Some(arrived);
        } else if age > self.least.saturating_add(QUEUE_FALL_US) {
            // The age rose: there are records of several origins, or the delay changed.
            *self = Queue { peak: age, least: age, ..Queue::default() };
        }
        self.emptied |= self.falls >= falls && self.peak.saturating_sub(self.least) > QUEUE_FALL_US;
        self.emptied
    }
}

fn us(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// The zone that brings a record with this age nearest to its arrival, without making it newer than a minute after its arrival: else
/// most old records would be new ones of some zone with a fast clock. The zone in which it was read is kept if its clock is ahead.
fn likely_zone(age: i64, zones: &[i64]) -> i64 {
    if quarters(age) == 0 {
        return 0;
    }
    let nearest =
        zones.iter().map(|minutes| minutes * MINUTE_US).filter(|zone| *zone <= age.saturating_add(us(LATE_AT_FIRST))).max();
    nearest.unwrap_or(0)
}

impl Stamps {
    /// The zones in which stamps may have been written, in minutes west of the zone in which they were read.
    fn zones(self) -> &'static [i64] {
        match self {
            Stamps::Exact | Stamps::Stated => &[],
            Stamps::Assumed => &DIFFERENCES,
            Stamps::Nearest => &ZONES,
        }
    }
}

/// The nearest whole number of quarters of an hour.
fn quarters(us: i64) -> i64 {
    us.saturating_add(QUARTER_US / 2).div_euclid(QUARTER_US).saturating_mul(QUARTER_US)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source, its time, and one sender of it.
    struct Heard {
        arrivals: Arrivals,
        now_ms: i64,
        trust: Trust,
    }

    impl Heard {
        fn of(stamps: Stamps) -> Heard {
            Heard { arrivals: Arrivals::of(stamps), now_ms: 1_000_000_000_000, trust: Trust::Address }
        }

        /// Takes a record with this age, `after_ms` after the one before. Returns whether it is late, and how old its stamp is
        /// after the move to its zone.
        fn hear(&mut self, after_ms: i64, age_ms: i64) -> (bool, i64) {
            self.now_ms += after_ms;
            let now = Time::from_millis(self.now_ms);
            let at = Some(Time::from_millis(self.now_ms - age_ms));
            let mut event = Event { at, host: "h".into(), trust: self.trust, ..Event::default() };
            let late = self.arrivals.judge(&mut event, now, false, true);
            (late.is_some(), now.offset_from(event.at.unwrap()) / 1_000)
        }

        fn is_late(&mut self, after_ms: i64, age_ms: i64) -> bool {
            self.hear(after_ms, age_ms).0
        }
    }

    #[test]
    fn a_slow_clock_is_not_lateness_and_a_steady_one_is_learned() {
        for slow in [0, 2_500, 3_000, 59_000] {
            let mut heard = Heard::of(Stamps::Stated);
            assert!(!heard.is_late(0, slow), "the first record of a sender");
            for _ in 0..6 {
                assert!(!heard.is_late(3_000, slow));
            }
            assert!(heard.is_late(3_000, slow + 2_100), "beyond what is usual");
            assert!(!heard.is_late(3_000, slow - 50_000));
            let learned = heard.arrivals.learned();
            let host = "h".to_owned();
            assert_eq!(learned, [Learned { host, trust: Trust::Address, usual: slow * 1_000, zone: 0 }]);
            // After a restart the age is known, for the same trust.
            let mut again = Heard::of(Stamps::Stated);
            again.arrivals.recall(learned.into_iter().map(|l| (l.trust, l.host, l.usual)));
            assert!(again.is_late(0, slow + 2_100) && !again.is_late(10, slow + 1_900));
            again.trust = Trust::Local;
            assert!(!again.is_late(3_000, slow.min(0) + 50_000));
        }
        let mut heard = Heard::of(Stamps::Stated);
        assert!(heard.is_late(0, 61_000), "a minute is the most that counts as new before anything is known");
    }

    #[test]
    fn a_burst_of_one_delay_proves_nothing_and_a_steady_hour_does() {
        let mut heard = Heard::of(Stamps::Stated);
        assert!((0..50).all(|_| heard.is_late(100, 3_600_000)));
        assert!(heard.is_late(10_000, 3_600_000));
        for _ in 0..3 {
            heard.hear(10_000, 3_600_000);
        }
        assert!(!heard.is_late(10_000, 3_600_000) && heard.is_late(10_000, 3_603_000));
    }

    #[test]
    fn ages_that_scatter_are_allowed_a_minute() {
        let mut heard = Heard::of(Stamps::Stated);
        for i in 0..20 {
            assert!(!heard.is_late(10_000, if i % 2 == 0 { 20_000 } else { 0 }), "{i}");
        }
        assert!(heard.is_late(10_000, 61_000));
    }

    #[test]
    fn the_zone_of_a_sender_is_the_one_that_brings_it_nearest_to_its_arrival() {
        for zone_minutes in [-300, 0, 345, 600, -210] {
            let west = -zone_minutes * 60_000;
            let mut heard = Heard::of(Stamps::Nearest);
            assert_eq!(heard.hear(0, west + 700), (false, 700), "{zone_minutes}");
            for _ in 0..6 {
                assert_eq!(heard.hear(3_000, west - 300), (false, -300));
            }
            // The record is an hour old, and not in the next zone.
            assert_eq!(heard.hear(3_000, west + 3_600_000), (true, 3_600_000));
            let zone = heard.arrivals.learned().pop().unwrap().zone;
            assert_eq!(zone, west * 1_000);
        }
        // The stamp of a file stays as it was read.
        assert_eq!(Heard::of(Stamps::Assumed).hear(0, 18_000_500), (false, 18_000_500));
        assert!(Heard::of(Stamps::Assumed).is_late(0, 18_000_000 + 120_000));
        assert!(Heard::of(Stamps::Stated).is_late(0, 18_000_000));
    }

    #[test]
    fn the_first_record_of_a_sender_is_new_only_if_it_fits_a_zone() {
        let hour = 3_600_000;
        let is_new = |stamps, age_ms| !Heard::of(stamps).is_late(0, age_ms);
        for stamps in [Stamps::Nearest, Stamps::Assumed] {
            // A claim out of a queue, hours old, is rarely a minute from a zone.
            for minutes in [5, 10, 122, 130, 178, 190, 307, 365, 552] {
                assert!(!is_new(stamps, minutes * 60_000), "{stamps:?} {minutes}");
            }
            for minutes in [0, -60, 300, -330, 60, -840] {
                for clock in [-59_000, 0, 59_000] {
                    assert!(is_new(stamps, minutes * 60_000 + clock), "{stamps:?} {minutes} {clock}");
                }
            }
            assert!(is_new(stamps, -300_000), "a clock that is ahead is no other zone");
        }
        assert!(
            !is_new(Stamps::Nearest, 5 * hour / 4)
                && !is_new(Stamps::Nearest, 13 * hour)
                && is_new(Stamps::Assumed, 5 * hour / 4)
        );
        let new = (0..26 * 60).filter(|minute| is_new(Stamps::Nearest, (minute - 2) * 60_000)).count();
        assert!(new < 100, "{new} minutes of a day");
    }

    #[test]
    fn a_zone_that_was_taken_from_an_old_record_is_given_up_for_a_nearer_one() {
        let mut heard = Heard::of(Stamps::Nearest);
        assert_eq!(heard.hear(0, 3_600_000), (false, 0), "nobody can know");
        assert_eq!(heard.hear(5_000, 200), (false, 200));
        assert_eq!(heard.hear(5_000, 3_600_000), (true, 3_600_000));
    }

    #[test]
    fn a_queue_that_is_emptied_is_late_whatever_the_clocks_say() {
        for (stamps, ahead) in
            [(Stamps::Stated, 0), (Stamps::Stated, 7_200_000), (Stamps::Nearest, 18_000_000), (Stamps::Nearest, 0)]
        {
            let mut heard = Heard::of(stamps);
            // 50 s of records arrive within half a second.
            let late: Vec<bool> = (0..50).map(|n| heard.is_late(10, 50_000 - n * 1_000 - ahead)).collect();
            assert!(late[4..].iter().all(|late| *late), "{late:?}");
            // After that, records are new.
            assert!(!heard.is_late(1_500, -ahead), "{stamps:?} {ahead}");
            assert!(!heard.is_late(10, -ahead));
        }
        // The first record that is ever heard of a sender looks new; the second shows that it is a queue.
        let mut heard = Heard::of(Stamps::Stated);
        assert_eq!([50_000, 40_000, 20_000, 0].map(|age| heard.is_late(10, age)), [false, true, true, true]);
        // A burst of a slow clock is no queue, and a sender that paused may well be out of order.
        let mut heard = Heard::of(Stamps::Stated);
        assert_eq!([50_000, 49_500, 50_300, 48_900].map(|age| heard.is_late(10, age)), [false; 4]);
        assert_eq!([(1_500, 50_000), (10, 46_000), (10, 50_000)].map(|(after, age)| heard.is_late(after, age)), [false; 3]);
        // The same with hours of records.
        let mut heard = Heard::of(Stamps::Nearest);
        let late = (0..1_000).filter(|n| heard.is_late(1, 36_000_000 - n * 36_000)).count();
        assert!(late >= 996, "{late}");
    }

    #[test]
    fn what_a_sender_wrote_while_it_was_cut_off_is_late_from_its_first_record_on() {
        for (stamps, slow) in
            [(Stamps::Stated, 0), (Stamps::Stated, 3_000), (Stamps::Nearest, 18_000_000), (Stamps::Assumed, -7_200_000)]
        {
            let mut heard = Heard::of(stamps);
            assert!((0..3).all(|_| !heard.is_late(2_000, slow)));
            let mut gap = 31_000;
            assert!(
                (0..30).all(|n| heard.is_late(std::mem::replace(&mut gap, 10), slow + 30_000 - n * 1_000)),
                "{stamps:?} {slow}"
            );
            assert!(!heard.is_late(1_500, slow) && !heard.is_late(10, slow));
            // A clock that is set back by some seconds is no queue.
            assert!(!heard.is_late(60_000, slow + 9_000));
        }
    }

    #[test]
    fn a_busy_sender_with_some_delay_is_no_queue() {
        let mut heard = Heard::of(Stamps::Stated);
        for n in 0..10_000_i64 {
            let age = [0, 3, 120, 1_500, 40, 4][usize::try_from(n % 6).unwrap()];
            assert!(!heard.is_late(7, age), "{n}");
        }
        // The queue is recognised by its ages, and its end at once.
        assert!(heard.is_late(10, 30_000) && heard.is_late(10, 20_000) && !heard.is_late(10, 100));
    }

    #[test]
    fn names_that_records_invent_are_bounded_and_push_nobody_out_who_is_trusted_more() {
        let arrivals = Arrivals::of(Stamps::Stated);
        arrivals.recall([(Trust::Address, "h".to_owned(), 5_000_000)]);
        for n in 0..3 * OFFSETS {
            let now = Time::from_millis(1_000_000 + i64::try_from(n).unwrap());
            let mut event = Event { at: Some(now), host: format!("h{n}").into(), ..Event::default() };
            arrivals.judge(&mut event, now, true, false);
        }
        let senders = arrivals.senders();
        assert!(senders.count <= OFFSETS && senders.known.len() == senders.count);
        assert!(senders.known["h"][Trust::Address as usize].is_some() && senders.learned.is_empty());
    }
}
