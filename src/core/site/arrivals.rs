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
//! whatever is known, until the ages stop falling. If the sender never sent anything before, the first record alone looks like a new
//! one of a slow clock: it counts as new up to [`LATE_AT_FIRST`]. If the sender sent records before and then paused, its first record
//! is recognised as well: it is not older than the pause. The lines that a file had before its end was reached are a backlog; the
//! source says so.
//!
//! If a stamp from the network has no zone, it is read in the zone that brings it nearest to its arrival. Only zones that exist
//! are tried. The first record of a sender may be old all the same: in that zone, it is new only if it arrives within
//! [`LATE_AT_FIRST`] of its stamp. When the usual age is known, stamps are read in the zone that follows from that age. So an old
//! record of a known sender is old, and not a new one in another zone.
//!
//! When this machine's clock is set, the ages of senders with other clocks change by as much, and those of senders on this machine
//! stay. The next record of each sender shows which of the two it is.

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
/// ... or so many, if the sender has not paused since its first record: it may have come back with all that it kept ...
const QUEUE_FALLS_AT_FIRST: u32 = 1;
/// ... if the ages fall by this much altogether.
const QUEUE_FALL_US: i64 = 2_000_000;
/// A record that is older than this, and not older than its sender's pause, waited until the sender sent again.
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
    /// When its newest record arrived; the default before the first one.
    last_arrival: Time,
    /// The sender has paused since its first record.
    paused: bool,
    queue: Queue,
    journaled: Option<(Time, i64)>,
    /// By how much this machine's clock was set since the sender's last record, in microseconds.
    clock_set: i64,
    /// By how much it was set since the first record of the sender, if that changed the sender's ages.
    shift: i64,
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

    /// This machine's clock was set by this number of microseconds: what is known of senders follows.
    pub fn clock_changed(&self, by: i64) {
        let mut senders = self.senders();
        for sender in senders.known.values_mut().flatten().flatten() {
            sender.clock_changed(by);
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
    /// Passes a sender to `take`. Its name is copied only for its first record.
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

    /// Forgets half of the senders: those with the least trust, and among them those whose last record is oldest. Their next record
    /// counts as a first one.
    fn forget_half(&mut self) {
        let of = |(host, by_trust): (&String, &[Option<Box<Sender>>; 4])| -> Vec<(usize, Time, String)> {
            let all = by_trust.iter().enumerate();
            all.filter_map(|(trust, sender)| Some((trust, sender.as_ref()?.last_arrival, host.clone()))).collect()
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
    fn clock_changed(&mut self, by: i64) {
        let moved = |at: Time| Time::from_micros(at.micros().saturating_add(by));
        // A sender that sent nothing since the start has no time.
        let times = self.last.iter_mut().map(|(at, _)| at).chain(self.queue.fell.as_mut()).chain([&mut self.last_arrival]);
        times.filter(|at| **at != Time::default()).for_each(|at| *at = moved(*at));
        self.journaled = self.journaled.map(|(at, usual)| (if at == Time::MIN { at } else { moved(at) }, usual));
        self.clock_set = self.clock_set.saturating_add(by);
    }

    /// Takes the age of the first record after this machine's clock was set: the usual age is the nearer of the two that it may have
    /// now.
    fn follow_clock(&mut self, age: i64) {
        let by = std::mem::take(&mut self.clock_set);
        let moved = self.usual.saturating_add(by);
        if age.abs_diff(moved) < age.abs_diff(self.usual) {
            self.usual = moved;
            self.shift = self.shift.saturating_add(by);
            self.last.iter_mut().for_each(|(_, age)| *age = age.saturating_add(by));
        }
    }

    /// Judges a record by its age. `zones`: in which of them its stamp may have been written, in minutes west of the zone in which it
    /// was read; none if the zone is known.
    fn judge(&mut self, arrived: Time, age: i64, zones: &[i64]) -> Option<Lateness> {
        self.follow_clock(age);
        let first = self.last_arrival == Time::default();
        if !self.agreed_once {
            // A record may be delayed and is never ahead of its sender: the least age is nearest to the truth.
            let zone = if zones.is_empty() { self.shift } else { likely_zone(age, zones) };
            let likely = if age.saturating_sub(zone) <= us(LATE_AT_FIRST) { age } else { zone };
            self.usual = if first { likely } else { likely.min(self.usual) };
        }
        let silence = arrived.since(self.last_arrival);
        self.paused |= !first && silence > QUEUE_GAP;
        let falls = if self.paused || self.agreed_once { QUEUE_FALLS } else { QUEUE_FALLS_AT_FIRST };
        let emptied = self.queue.take(silence <= QUEUE_GAP && !first, arrived, age, falls);
        // A record that is not older than the pause of its sender was written during that pause.
        let waited = age.saturating_sub(self.usual);
        let written_in_silence = !first && waited > us(QUEUE_SILENCE) && waited <= us(silence + LATE_AFTER);
        if written_in_silence {
            self.queue = Queue { peak: age, least: age, falls: QUEUE_FALLS, fell: Some(arrived), emptied: true };
        }
        let emptied = emptied || written_in_silence;
        self.last_arrival = arrived;
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
mod tests;
