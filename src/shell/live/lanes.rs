//! What waits for the controller's thread: lanes with room of their own, so that nobody who sends much delays what matters.
//!
//! ```text
//!   control   results, connections, the end of the program: as much as there is, which other bounds limit
//!   reports   of agents
//!   asks      of operators
//!   claims    of pairs' members over the network, with the trust that counts
//!   events    all else: by trust, and of one trust by sender, one after another
//! ```
//!
//! Lanes are served in turn, each for so many messages; of events those who are better trusted are taken more often. A sender
//! may fill a part of the room only, and all who are trusted as little together a part of it (`share_of`). A sender with an address
//! that has little waiting always has room. Of one file or sender the order is kept; a file's claims wait for what stands before
//! them, because how far was read is kept with each. What is dropped is counted by source. Does not know: what messages do.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::core::base::limits::{INBOX_EVENTS, INBOX_WAITING, UNVERIFIED_A_SECOND};
use crate::core::base::time::Time;
use crate::core::event::Trust;

/// Messages that a sender with an address may have waiting in any case.
const ALWAYS: usize = 16;
/// A sender may fill this part of the room.
const OF_ONE_SENDER: usize = 8;
/// Senders of one trust that are told apart. Further ones share one place.
const SENDERS: usize = 4_096;
/// Lanes in the order in which they are served, and how many messages of each in turn.
const TURNS: [(Lane, usize); 5] =
    [(Lane::Control, 64), (Lane::Reports, 64), (Lane::Claims, 64), (Lane::Asks, 8), (Lane::Events, 32)];
/// Of events, how many of each trust in turn, the best first.
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

/// Where a message waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LanePlace {
    /// With what is bounded elsewhere.
    Control,
    /// With the reports of agents.
    Reports,
    /// With what operators ask.
    Asks,
    /// With the claims of pairs, of this source.
    Claims(String),
    /// With all other events.
    Events {
        /// How far its sender is trusted.
        trust: Trust,
        /// Of whom the order is kept, and who shares its room with nobody.
        sender: String,
        /// How much memory it takes, in bytes.
        bytes: usize,
        /// Which source it is counted for.
        source: String,
    },
}

/// What became of a message that does not wait for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Yes,
    /// There was no room, or too much of it came: it is dropped and counted.
    Dropped,
    /// Nobody reads any more.
    Ended,
}

#[derive(Debug)]
pub(super) struct Lanes<M> {
    inner: Mutex<Inner<M>>,
    came: Condvar,
    room: Condvar,
    /// The same for tasks.
    freed: Notify,
}

#[derive(Debug)]
struct Inner<M> {
    control: VecDeque<M>,
    reports: VecDeque<M>,
    claims: VecDeque<M>,
    asks: VecDeque<M>,
    events: [Class<M>; 4],
    /// Which lane is served, and how many of it were.
    turn: (usize, usize),
    /// The same of the classes of events.
    class_turn: (usize, usize),
    /// Bytes of events that may wait.
    most: usize,
    /// Senders that wait for room.
    waiting: usize,
    rate: Rate,
    dropped: BTreeMap<String, u64>,
    ended: bool,
}

/// The events of one trust.
#[derive(Debug)]
struct Class<M> {
    senders: BTreeMap<String, VecDeque<(usize, M)>>,
    /// Senders of which something waits, in the order in which they are served.
    turn: VecDeque<String>,
    count: usize,
    bytes: usize,
}

/// How many unverified events come in a second.
#[derive(Debug, Default)]
struct Rate {
    since: Time,
    count: usize,
}

impl Rate {
    fn allows(&mut self, now: Time) -> bool {
        if now.since(self.since) >= Duration::from_secs(1) || now < self.since {
            *self = Rate { since: now, count: 0 };
        }
        self.count += 1;
        self.count <= UNVERIFIED_A_SECOND
    }
}

impl<M> Default for Class<M> {
    fn default() -> Class<M> {
        Class { senders: BTreeMap::new(), turn: VecDeque::new(), count: 0, bytes: 0 }
    }
}

impl<M> Class<M> {
    fn waiting_of(&self, sender: &str) -> usize {
        self.senders.get(sender).map_or(0, VecDeque::len)
    }

    fn push(&mut self, sender: String, bytes: usize, message: M) {
        let own = self.senders.entry(sender.clone()).or_default();
        if own.is_empty() {
            self.turn.push_back(sender);
        }
        own.push_back((bytes, message));
        self.count += 1;
        self.bytes += bytes;
    }

    fn pop(&mut self) -> Option<M> {
        let sender = self.turn.pop_front()?;
        let own = self.senders.get_mut(&sender)?;
        let (bytes, message) = own.pop_front()?;
        if own.is_empty() {
            self.senders.remove(&sender);
        } else {
            self.turn.push_back(sender);
        }
        self.count -= 1;
        self.bytes -= bytes;
        Some(message)
    }
}

impl<M> Lanes<M> {
    /// Lanes with room for so many bytes of events.
    pub(super) fn new(most: usize) -> Lanes<M> {
        let inner = Inner {
            control: VecDeque::new(),
            reports: VecDeque::new(),
            claims: VecDeque::new(),
            asks: VecDeque::new(),
            events: std::array::from_fn(|_| Class::default()),
            turn: (0, 0),
            class_turn: (0, 0),
            most,
            waiting: 0,
            rate: Rate::default(),
            dropped: BTreeMap::new(),
            ended: false,
        };
        Lanes { inner: Mutex::new(inner), came: Condvar::new(), room: Condvar::new(), freed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<M>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message where it waits; waits for room. False when nobody reads any more.
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
        inner.put(place, message);
        self.came.notify_one();
        true
    }

    /// The same for a task, whose thread goes on meanwhile.
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
                        inner.put(place, message);
                    }
                    self.came.notify_one();
                    return true;
                }
                inner.waiting += 1;
            }
            freed.await;
            self.lock().waiting -= 1;
        }
    }

    /// The same without waiting. `now` is what the rate of unverified events is measured by.
    pub(super) fn offer(&self, place: LanePlace, message: M, now: Time) -> Pushed {
        let mut inner = self.lock();
        if inner.ended {
            return Pushed::Ended;
        }
        let unverified = matches!(place, LanePlace::Events { trust: Trust::Unverified, .. });
        if !inner.has_room(&place) || unverified && !inner.rate.allows(now) {
            if let LanePlace::Events { source, .. } | LanePlace::Claims(source) = place {
                *inner.dropped.entry(source).or_default() += 1;
            }
            return Pushed::Dropped;
        }
        inner.put(place, message);
        self.came.notify_one();
        Pushed::Yes
    }

    /// The next message; waits so long for one.
    pub(super) fn next(&self, wait: Duration) -> Option<M> {
        let mut inner = self.lock();
        if !wait.is_zero() && inner.is_empty() {
            inner = self.came.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        let next = inner.pop();
        if next.is_some() && inner.waiting > 0 {
            self.room.notify_all();
            self.freed.notify_waiters();
        }
        next
    }

    /// Lanes are served from the first on again: what matters most goes first in each batch.
    pub(super) fn rewind(&self) {
        self.lock().turn = (0, 0);
    }

    /// How many events were dropped since the last call, by source.
    pub(super) fn take_dropped(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.lock().dropped)
    }

    /// Nobody reads any more: those who wait for room are told.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.room.notify_all();
        self.freed.notify_waiters();
    }
}

impl<M> Inner<M> {
    fn is_empty(&self) -> bool {
        let lanes = [&self.control, &self.reports, &self.claims, &self.asks];
        lanes.iter().all(|lane| lane.is_empty()) && self.events.iter().all(|class| class.count == 0)
    }

    fn lane(&mut self, lane: Lane) -> Option<&mut VecDeque<M>> {
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
            LanePlace::Reports => self.reports.len() < INBOX_WAITING,
            LanePlace::Asks => self.asks.len() < INBOX_WAITING,
            LanePlace::Claims(_) => self.claims.len() < INBOX_WAITING,
            LanePlace::Events { trust, sender, bytes, .. } => {
                let waits = self.class(*trust).waiting_of(sender);
                if waits < ALWAYS && *trust >= Trust::Address {
                    return true;
                }
                let as_little = BY_TRUST.iter().filter(|(t, _)| t <= trust).map(|(t, _)| self.class(*t));
                let (count, used) = as_little.fold((0, 0), |(n, b), class| (n + class.count, b + class.bytes));
                waits < INBOX_EVENTS / OF_ONE_SENDER
                    && count < trust.share_of(INBOX_EVENTS)
                    && used + bytes <= trust.share_of(self.most)
            }
        }
    }

    fn class(&self, trust: Trust) -> &Class<M> {
        &self.events[place_of(trust)]
    }

    fn put(&mut self, place: LanePlace, message: M) {
        match place {
            LanePlace::Control => self.control.push_back(message),
            LanePlace::Reports => self.reports.push_back(message),
            LanePlace::Asks => self.asks.push_back(message),
            LanePlace::Claims(_) => self.claims.push_back(message),
            LanePlace::Events { trust, sender, bytes, .. } => {
                let class = &mut self.events[place_of(trust)];
                // Files keep their order in any case: there are as many as the configuration has.
                let told_apart = trust >= Trust::Local || class.senders.len() < SENDERS || class.senders.contains_key(&sender);
                class.push(if told_apart { sender } else { String::new() }, bytes, message);
            }
        }
    }

    fn pop(&mut self) -> Option<M> {
        for _ in 0..=TURNS.len() {
            let (at, taken) = self.turn;
            let (lane, most) = TURNS[at];
            let message = if taken >= most {
                None
            } else if let Some(lane) = self.lane(lane) {
                lane.pop_front()
            } else {
                self.pop_event()
            };
            if message.is_some() {
                self.turn.1 += 1;
                return message;
            }
            self.turn = ((at + 1) % TURNS.len(), 0);
        }
        None
    }

    fn pop_event(&mut self) -> Option<M> {
        for _ in 0..=BY_TRUST.len() {
            let (at, taken) = self.class_turn;
            let (_, most) = BY_TRUST[at];
            if taken < most
                && let Some(message) = self.events[at].pop()
            {
                self.class_turn.1 += 1;
                return Some(message);
            }
            self.class_turn = ((at + 1) % BY_TRUST.len(), 0);
        }
        None
    }
}

/// Where the events of a trust stand: as in [`BY_TRUST`].
fn place_of(trust: Trust) -> usize {
    match trust {
        Trust::Authenticated => 0,
        Trust::Local => 1,
        Trust::Address => 2,
        Trust::Unverified => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 64 * 1024 * 1024;

    fn event(trust: Trust, sender: &str, bytes: usize) -> LanePlace {
        LanePlace::Events { trust, sender: sender.to_owned(), bytes, source: "s".to_owned() }
    }

    /// An unverified flood fills its part, and everybody who is better trusted has room and goes first.
    #[test]
    fn a_flood_leaves_room_and_waits_its_turn() {
        let lanes: Lanes<String> = Lanes::new(MOST);
        let now = Time::from_millis(0);
        let mut dropped = 0u64;
        for n in 0..200_000_usize {
            let at = now + Duration::from_secs((n / UNVERIFIED_A_SECOND) as u64);
            if lanes.offer(event(Trust::Unverified, &format!("forged{}", n % 7), 100), "forged".to_owned(), at) != Pushed::Yes {
                dropped += 1;
            }
        }
        assert_eq!(lanes.take_dropped(), BTreeMap::from([("s".to_owned(), dropped)]));
        assert!(dropped > 150_000 && lanes.take_dropped().is_empty());
        for n in 0..100 {
            assert_eq!(lanes.offer(event(Trust::Address, "sip1", 100), format!("sip1 {n}"), now), Pushed::Yes);
        }
        assert!(
            lanes.push(LanePlace::Claims("s".to_owned()), "claim".to_owned())
                && lanes.push(LanePlace::Reports, "report".to_owned())
        );
        assert!(lanes.push(LanePlace::Control, "result".to_owned()));
        lanes.rewind();
        let first: Vec<String> = (0..3).filter_map(|_| lanes.next(Duration::ZERO)).collect();
        assert_eq!(first, ["result", "report", "claim"]);
        let next: Vec<String> = (0..125).filter_map(|_| lanes.next(Duration::ZERO)).collect();
        assert_eq!(next.iter().filter(|m| m.starts_with("sip1")).count(), 100, "four of the better for one of the other");
        let own: Vec<&String> = next.iter().filter(|m| m.starts_with("sip1")).collect();
        assert!(own.iter().enumerate().all(|(n, m)| **m == format!("sip1 {n}")), "in their order");
    }

    /// Of one trust, a sender of much and one of little are served in turn, and the one of little always has room.
    #[test]
    fn a_quiet_sender_has_room_beside_a_loud_one() {
        let lanes: Lanes<u32> = Lanes::new(MOST);
        let now = Time::from_millis(0);
        let mut sent = 0;
        while lanes.offer(event(Trust::Address, &format!("loud{}", sent % 40), 64 * 1024), 0, now) == Pushed::Yes {
            sent += 1;
        }
        assert!(sent > 100 && sent * 64 * 1024 <= MOST + 40 * ALWAYS * 64 * 1024, "{sent}");
        assert_eq!(lanes.offer(event(Trust::Address, "quiet", 64 * 1024), 1, now), Pushed::Yes);
        let taken: Vec<u32> = (0..=41).filter_map(|_| lanes.next(Duration::ZERO)).collect();
        assert!(taken.contains(&1), "after one of each at most");
    }

    /// Who waits for room goes on when there is some, or when nobody reads any more.
    #[test]
    fn senders_wait_for_room_and_for_the_end() {
        let lanes: std::sync::Arc<Lanes<usize>> = std::sync::Arc::new(Lanes::new(MOST));
        let sender = lanes.clone();
        let thread = std::thread::spawn(move || {
            let place = || event(Trust::Local, "file", 64 * 1024);
            (0..).take_while(|n| sender.push(place(), *n)).count()
        });
        // It is read one by one, and in order, until it is ended.
        for n in 0..5_000 {
            let mut next = None;
            while next.is_none() {
                next = lanes.next(Duration::from_secs(10));
            }
            assert_eq!(next, Some(n));
        }
        lanes.end();
        assert!(thread.join().unwrap() >= 5_000);
        assert_eq!(lanes.offer(LanePlace::Control, 0, Time::from_millis(0)), Pushed::Ended);
    }
}
