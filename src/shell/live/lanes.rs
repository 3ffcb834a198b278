//! The messages that wait for the controller's thread: lanes with separate room, so that a sender of many messages does not delay
//! important ones.
//!
//! ```text
//!   control   results, connections, the end of the program: limited by other bounds
//!   reports   of agents
//!   asks      of operators
//!   claims    of pairs' members over the network, with the trust that counts
//!   events    all other events: by trust, and within one trust level one sender after another
//! ```
//!
//! Lanes are served in turn, each for some messages. Events with more trust are taken more often. All senders of one trust level
//! share a part of the room (`share_of`). A single sender may use as much as is left free of it: one flooding sender fills half
//! of it, and the next sender still finds room. A sender with an address always has room for a few messages. Unverified events
//! are taken at a steady rate, one sender after another, so a flood of any size costs the controller's thread the same small part
//! of its time. The order within a file or a sender is kept. The claims in a file wait for the lines before them, because each
//! carries the position up to which the file was read. Dropped messages are counted by source and sender. This module does not know
//! what messages do.

mod class;
mod dropped;
mod rate;
mod waiting;

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::core::base::limits::INBOX_EVENTS;
use crate::core::base::time::Time;
use crate::core::event::Trust;

use class::TrustClass;
use dropped::Dropped;
use rate::Rate;
use waiting::WaitingMessages;

/// The number of messages that a sender with an address may always have waiting, and their bytes. A single message always may.
const ALWAYS: usize = 16;
const ALWAYS_BYTES: usize = 16 * 1024;
/// The reports of agents may have this part of the room of events, in addition to it, and so may claims.
const LANE_SHARE: usize = 4;
/// While no more events than this wait, they are taken in the order of their arrival. So the records that a host sends by different
/// ways stay in order, and a flood of unverified ones still delays no other by more.
const CALM: usize = 64;
/// Lanes in the order in which they are served, with the number of messages of each turn.
const TURNS: [(Lane, usize); 5] =
    [(Lane::Control, 64), (Lane::Reports, 64), (Lane::Claims, 64), (Lane::Asks, 8), (Lane::Events, 32)];
/// The number of events of each trust level per turn, the highest level first.
const BY_TRUST: [(Trust, usize); 4] =
    [(Trust::Authenticated, 16), (Trust::Local, 8), (Trust::Address, 4), (Trust::Unverified, 1)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    Control,
    Reports,
    Claims,
    Asks,
    Events,
}

/// The lane in which a message waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LanePlace {
    /// Messages that are bounded elsewhere.
    Control,
    /// The reports of agents, with the memory that each needs in bytes.
    Reports { bytes: usize },
    /// The questions of operators. The control socket bounds their number and size.
    Asks,
    /// Claims of pairs, from this source, with the memory that each needs in bytes.
    Claims { source: String, bytes: usize },
    /// The events that belong to no other lane.
    Events {
        /// The trust of its sender.
        trust: Trust,
        /// The sender, whose events stay in order and who has room of its own.
        sender: String,
        /// The memory that it needs, in bytes.
        bytes: usize,
        /// The source for which it is counted.
        source: String,
    },
}

impl LanePlace {
    fn is_unverified(&self) -> bool {
        matches!(self, LanePlace::Events { trust: Trust::Unverified, .. })
    }
}

/// The result for a message that does not wait for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Yes,
    /// There was no room, so the message was dropped and counted.
    Dropped,
    /// The reader has ended.
    Ended,
}

/// The lanes, shared by the threads and tasks that add messages and the thread that takes them.
#[derive(Debug)]
pub(super) struct Lanes<M> {
    inner: Mutex<Inner<M>>,
    /// Wakes the reader when a message was added.
    came: Condvar,
    /// Wakes threads that wait for room.
    room: Condvar,
    /// Wakes tasks that wait for room.
    freed: Notify,
}

#[derive(Debug)]
struct Inner<M> {
    control: WaitingMessages<M>,
    reports: WaitingMessages<M>,
    claims: WaitingMessages<M>,
    asks: WaitingMessages<M>,
    events: [TrustClass<M>; 4],
    /// The number of events that arrived so far.
    arrived: u64,
    /// The lane that is being served, and how many of its messages were taken in this turn.
    turn: (usize, usize),
    /// The same for the trust classes of events.
    class_turn: (usize, usize),
    /// The maximum number of bytes of waiting events.
    most: usize,
    /// The number of senders that wait for room.
    waiting: usize,
    rate: Rate,
    /// The reader waits, and waiting unverified events must not wake it.
    paced: bool,
    /// Something was taken since senders that wait for room were last woken.
    taken: bool,
    dropped: BTreeMap<String, Dropped>,
    ended: bool,
}

impl<M> Lanes<M> {
    /// Makes lanes with room for this number of bytes of events.
    pub(super) fn new(most: usize) -> Lanes<M> {
        let inner = Inner {
            control: WaitingMessages::new(),
            reports: WaitingMessages::new(),
            claims: WaitingMessages::new(),
            asks: WaitingMessages::new(),
            events: std::array::from_fn(|_| TrustClass::default()),
            arrived: 0,
            turn: (0, 0),
            class_turn: (0, 0),
            most,
            waiting: 0,
            rate: Rate::default(),
            paced: false,
            taken: false,
            dropped: BTreeMap::new(),
            ended: false,
        };
        Lanes { inner: Mutex::new(inner), came: Condvar::new(), room: Condvar::new(), freed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<M>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message to its lane and waits for room. Returns false when the reader has ended.
    pub(super) fn push(&self, place: LanePlace, message: M) -> bool {
        let mut inner = self.lock();
        while !inner.ended && !inner.has_room(&place) {
            inner.waiting += 1;
            inner = self.room.wait(inner).unwrap_or_else(PoisonError::into_inner);
            inner.waiting -= 1;
        }
        if inner.ended {
            return false;
        }
        self.put(&mut inner, place, message);
        true
    }

    /// Adds a message to its lane and wakes the reader.
    fn put(&self, inner: &mut Inner<M>, place: LanePlace, message: M) {
        let wakes = !(inner.paced && place.is_unverified());
        inner.put(place, message);
        if wakes {
            self.came.notify_one();
        }
    }

    /// Adds a message from a task, and does not block its thread while it waits for room.
    pub(super) async fn deliver(&self, place: LanePlace, message: M) -> bool {
        let mut message = Some(message);
        loop {
            let freed = self.freed.notified();
            {
                let mut inner = self.lock();
                if inner.ended {
                    return false;
                }
                if inner.has_room(&place) {
                    if let Some(message) = message.take() {
                        self.put(&mut inner, place, message);
                    }
                    return true;
                }
                inner.waiting += 1;
            }
            // A task that is ended while it waits is not counted any more either.
            let _waits = Waits(self);
            freed.await;
        }
    }

    /// Adds a message without waiting.
    pub(super) fn offer(&self, place: LanePlace, message: M) -> Pushed {
        let mut inner = self.lock();
        if inner.ended {
            return Pushed::Ended;
        }
        if !inner.has_room(&place) {
            match place {
                LanePlace::Events { source, sender, .. } => inner.dropped.entry(source).or_default().add(Some(sender)),
                LanePlace::Claims { source, .. } => inner.dropped.entry(source).or_default().add(None),
                LanePlace::Control | LanePlace::Reports { .. } | LanePlace::Asks => {}
            }
            return Pushed::Dropped;
        }
        self.put(&mut inner, place, message);
        Pushed::Yes
    }

    /// True if an unverified event of this sender would be dropped now. It is counted as dropped then.
    pub(super) fn refuses(&self, source: &str, sender: String, bytes: usize) -> bool {
        let place = LanePlace::Events { trust: Trust::Unverified, sender: sender.clone(), bytes, source: String::new() };
        let mut inner = self.lock();
        if inner.ended || inner.has_room(&place) {
            return false;
        }
        match inner.dropped.get_mut(source) {
            Some(dropped) => dropped.add(Some(sender)),
            None => inner.dropped.entry(source.to_owned()).or_default().add(Some(sender)),
        }
        true
    }

    /// Takes the next message, and waits for one up to `wait`. `now` is the time for the rate of unverified events. If only those
    /// wait and the rate is used up, there is no message.
    pub(super) fn next(&self, wait: Duration, now: Time) -> Option<M> {
        let mut inner = self.lock();
        if !wait.is_zero() && inner.is_empty(now) {
            inner.paced = inner.class(Trust::Unverified).count > 0;
            let wait = if inner.paced { wait.min(inner.rate.wait(now)) } else { wait };
            inner = self.came.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner).0;
            inner.paced = false;
        }
        let next = inner.pop(now);
        inner.taken |= next.is_some();
        next
    }

    /// Begins a batch: lanes are served from the first one again, so that the most important messages come first, and senders
    /// that wait for room try again.
    pub(super) fn begin_batch(&self) {
        let mut inner = self.lock();
        inner.turn = (0, 0);
        if std::mem::take(&mut inner.taken) && inner.waiting > 0 {
            self.room.notify_all();
            self.freed.notify_waiters();
        }
    }

    /// Ends a batch, with which the thread was busy from its first message until now.
    pub(super) fn end_batch(&self, began: Time, now: Time) {
        self.lock().rate.end_batch(now, now.since(began));
    }

    /// The events that were dropped since the last call, by source.
    pub(super) fn take_dropped(&self) -> BTreeMap<String, Dropped> {
        std::mem::take(&mut self.lock().dropped)
    }

    /// The number of messages that wait in each lane, by its name.
    pub(super) fn lengths(&self) -> [(&'static str, usize); 8] {
        let inner = self.lock();
        let events = |trust| inner.class(trust).count;
        [
            ("control", inner.control.len()),
            ("reports", inner.reports.len()),
            ("claims", inner.claims.len()),
            ("asks", inner.asks.len()),
            ("events_authenticated", events(Trust::Authenticated)),
            ("events_local", events(Trust::Local)),
            ("events_address", events(Trust::Address)),
            ("events_unverified", events(Trust::Unverified)),
        ]
    }

    /// The bytes of waiting events, and the maximum.
    pub(super) fn bytes(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.events.iter().map(|class| class.bytes).sum(), inner.most)
    }

    /// Ends reading, and wakes the senders that wait for room.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.room.notify_all();
        self.freed.notify_waiters();
    }
}

/// A task that waits for room, and is counted until this is dropped.
struct Waits<'l, M>(&'l Lanes<M>);

impl<M> Drop for Waits<'_, M> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

impl<M> Inner<M> {
    /// True if no message may be taken now.
    fn is_empty(&self, now: Time) -> bool {
        let lanes = [&self.control, &self.reports, &self.claims, &self.asks];
        let may_be_taken = |(trust, _): &(Trust, usize)| self.may_be_taken(*trust, now);
        lanes.iter().all(|lane| lane.is_empty()) && !BY_TRUST.iter().any(may_be_taken)
    }

    /// True if events of this trust wait and the rate allows one.
    fn may_be_taken(&self, trust: Trust, now: Time) -> bool {
        self.class(trust).count > 0 && (trust > Trust::Unverified || self.rate.allows(now))
    }

    fn lane(&mut self, lane: Lane) -> Option<&mut WaitingMessages<M>> {
        match lane {
            Lane::Control => Some(&mut self.control),
            Lane::Reports => Some(&mut self.reports),
            Lane::Claims => Some(&mut self.claims),
            Lane::Asks => Some(&mut self.asks),
            Lane::Events => None,
        }
    }

    fn has_room(&self, place: &LanePlace) -> bool {
        match place {
            LanePlace::Control => true,
            LanePlace::Reports { bytes } => self.reports.has_room(*bytes, self.most / LANE_SHARE),
            LanePlace::Asks => self.asks.has_room(0, 0),
            LanePlace::Claims { bytes, .. } => self.claims.has_room(*bytes, self.most / LANE_SHARE),
            LanePlace::Events { trust, sender, bytes, .. } => {
                let (waits, own) = self.class(*trust).waiting_of(self.class(*trust).name(*trust, sender));
                if *trust >= Trust::Address && (waits == 0 || (waits < ALWAYS && own + bytes <= ALWAYS_BYTES)) {
                    return true;
                }
                let as_little = BY_TRUST.iter().filter(|(t, _)| t <= trust).map(|(t, _)| self.class(*t));
                let (count, used) = as_little.fold((0, 0), |(n, b), class| (n + class.count, b + class.bytes));
                // A sender may use as much as is left free, so that however many senders flood, the next one finds room.
                waits < trust.share_of(INBOX_EVENTS).saturating_sub(count)
                    && own + bytes <= trust.share_of(self.most).saturating_sub(used)
            }
        }
    }

    fn class(&self, trust: Trust) -> &TrustClass<M> {
        &self.events[place_of(trust)]
    }

    fn put(&mut self, place: LanePlace, message: M) {
        match place {
            LanePlace::Control => self.control.push(0, message),
            LanePlace::Reports { bytes } => self.reports.push(bytes, message),
            LanePlace::Asks => self.asks.push(0, message),
            LanePlace::Claims { bytes, .. } => self.claims.push(bytes, message),
            LanePlace::Events { trust, sender, bytes, .. } => {
                let class = &mut self.events[place_of(trust)];
                let sender = if class.name(trust, &sender).is_empty() { String::new() } else { sender };
                self.arrived += 1;
                class.push(sender, bytes, self.arrived, message);
            }
        }
    }

    fn pop(&mut self, now: Time) -> Option<M> {
        for _ in 0..=TURNS.len() {
            let (at, taken) = self.turn;
            let (lane, most) = TURNS[at];
            let message = if taken >= most {
                None
            } else if let Some(lane) = self.lane(lane) {
                lane.pop()
            } else {
                self.pop_event(now)
            };
            if message.is_some() {
                self.turn.1 += 1;
                return message;
            }
            self.turn = ((at + 1) % TURNS.len(), 0);
        }
        None
    }

    fn pop_event(&mut self, now: Time) -> Option<M> {
        if self.events.iter().map(|class| class.count).sum::<usize>() <= CALM {
            let may_be_taken = (0..BY_TRUST.len()).filter(|at| self.may_be_taken(BY_TRUST[*at].0, now));
            let oldest = may_be_taken.min_by_key(|at| self.events[*at].next_arrival())?;
            return self.take_event(oldest, now);
        }
        for _ in 0..=BY_TRUST.len() {
            let (at, taken) = self.class_turn;
            let (trust, most) = BY_TRUST[at];
            if taken < most
                && self.may_be_taken(trust, now)
                && let Some(message) = self.take_event(at, now)
            {
                self.class_turn.1 += 1;
                return Some(message);
            }
            self.class_turn = ((at + 1) % BY_TRUST.len(), 0);
        }
        None
    }

    /// Takes an event of the trust level with this index.
    fn take_event(&mut self, at: usize, now: Time) -> Option<M> {
        let message = self.events[at].pop()?;
        if BY_TRUST[at].0 == Trust::Unverified {
            self.rate.take(now);
        }
        Some(message)
    }
}

/// The index of a trust level in [`BY_TRUST`].
fn place_of(trust: Trust) -> usize {
    match trust {
        Trust::Authenticated => 0,
        Trust::Local => 1,
        Trust::Address => 2,
        Trust::Unverified => 3,
    }
}

#[cfg(test)]
mod tests;
