//! Decides which connections stay open when there are too many.
//!
//! ```text
//!   all connections:  [ other sources ........................ | reserved for expected sources ]
//!   full?             close one of the source with the most: the oldest that has sent nothing yet, else the one
//!                     that sent something least recently
//! ```
//!
//! A source is an IPv4 address or an IPv6 /64 network, which one machine can use alone. A source is expected if the caller knows
//! it (a host of the inventory). No connection of an expected source is closed for one of another source, so a flood from one
//! address closes only its own connections. Time plays no part: a connection may be silent for any time while there is room. Pure
//! except for the task handles, which it only passes on. Tests: below.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use crate::core::base::network::network_of;

/// The maximum numbers of open connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub connections: usize,
    /// The number of these that only expected sources may use.
    pub reserved: usize,
    pub per_source: usize,
}

impl Limits {
    /// Limits for this number of connections. A quarter of them is reserved, and one source may use a quarter.
    pub fn of(connections: usize) -> Limits {
        let quarter = (connections / 4).max(1);
        Limits { connections, reserved: quarter, per_source: quarter }
    }
}

/// The value of `last_message` for a connection that has sent nothing yet.
const SILENT: u64 = 0;

/// Counts open connections by source, and decides which one is closed for a new one.
#[derive(Clone, Debug)]
pub struct ConnectionLimiter {
    limits: Limits,
    /// Counts every message; the count says which connection sent something least recently.
    messages: Arc<AtomicU64>,
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    connections: BTreeMap<u64, Connection>,
    sources: BTreeMap<Source, BTreeSet<u64>>,
    /// Sources by their number of connections. Those that are not expected come first.
    by_count: BTreeSet<(bool, usize, IpAddr)>,
    /// The number of connections of expected sources.
    expected: usize,
}

/// The origin of connections. A source that becomes expected by a reload counts as another source from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    expected: bool,
    network: IpAddr,
}

#[derive(Debug)]
struct Connection {
    source: Source,
    last_message: Arc<AtomicU64>,
    close: Option<AbortHandle>,
}

/// The slot of one open connection. It becomes free when this is dropped.
#[derive(Debug)]
pub struct ConnectionSlot {
    limiter: ConnectionLimiter,
    number: u64,
    last_message: Arc<AtomicU64>,
}

impl ConnectionSlot {
    /// Records that a complete message was received. Connections without any message are closed before this one.
    pub fn message_came(&self) {
        self.last_message.store(self.limiter.messages.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.limiter.lock().leave(self.number);
    }
}

/// The result of admitting a connection.
pub(super) struct Admitted {
    pub(super) slot: ConnectionSlot,
    /// The connection that has to be closed. Do not close it under the lock, because its task returns its slot.
    pub(super) closed: Option<AbortHandle>,
    /// True if a connection was closed for this one.
    pub(super) replaced: bool,
}

impl ConnectionLimiter {
    /// Makes a limiter without connections.
    pub fn new(limits: Limits) -> ConnectionLimiter {
        ConnectionLimiter { limits, messages: Arc::default(), open: Arc::default() }
    }

    /// Admits a connection, if necessary in place of another one. Returns `None` if no open connection may be closed for it.
    pub(super) fn admit(&self, peer: IpAddr, expected: bool) -> Option<Admitted> {
        let source = Source { expected, network: network_of(peer) };
        let mut open = self.lock();
        let victim = open.victim(&self.limits, source)?;
        let closed = victim.and_then(|number| open.leave(number)).and_then(|c| c.close);
        let number = open.next;
        open.next += 1;
        let last_message = Arc::new(AtomicU64::new(SILENT));
        open.enter(number, Connection { source, last_message: last_message.clone(), close: None });
        drop(open);
        let slot = ConnectionSlot { limiter: self.clone(), number, last_message };
        Some(Admitted { slot, closed, replaced: victim.is_some() })
    }

    /// Registers the task of a connection, so that it can be ended for another connection.
    pub(super) fn runs(&self, number: u64, close: AbortHandle) {
        match self.lock().connections.get_mut(&number) {
            Some(connection) => connection.close = Some(close),
            // The connection has ended already, or was to be closed before its task was registered.
            None => close.abort(),
        }
    }

    /// The number of open connections.
    pub fn connections(&self) -> usize {
        self.lock().connections.len()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionSlot {
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Open {
    /// The connection to close for a new one: `Some(None)` if there is room, `None` if the new one is refused.
    fn victim(&self, limits: &Limits, source: Source) -> Option<Option<u64>> {
        if let Some(own) = self.sources.get(&source).filter(|own| own.len() >= limits.per_source) {
            return Some(self.least_recent(own.iter()));
        }
        let (all, others) = (self.connections.len(), self.connections.len() - self.expected);
        let full = all >= limits.connections || (!source.expected && others >= limits.connections - limits.reserved);
        match (full, others > 0) {
            (false, _) => Some(None),
            (true, true) => Some(self.of_largest(false)),
            (true, false) if source.expected => Some(self.of_largest(true)),
            (true, false) => None,
        }
    }

    /// The connection that sent something least recently, of the source that has the most connections.
    fn of_largest(&self, expected: bool) -> Option<u64> {
        let lowest = IpAddr::from([0, 0, 0, 0]);
        let of_kind = || match expected {
            true => self.by_count.range((true, 0, lowest)..).rev(),
            false => self.by_count.range(..(true, 0, lowest)).rev(),
        };
        let (_, most, _) = *of_kind().next()?;
        let largest = of_kind().take_while(|(_, count, _)| *count == most).map(|(_, _, network)| *network);
        let connections = largest.filter_map(|network| self.sources.get(&Source { expected, network })).flatten();
        self.least_recent(connections)
    }

    fn least_recent<'a>(&self, numbers: impl Iterator<Item = &'a u64>) -> Option<u64> {
        let known = numbers.filter_map(|n| Some((self.connections.get(n)?.last_message.load(Ordering::Relaxed), *n)));
        known.min().map(|(_, number)| number)
    }

    fn enter(&mut self, number: u64, connection: Connection) {
        self.change(connection.source, |own| own.insert(number));
        self.expected += usize::from(connection.source.expected);
        self.connections.insert(number, connection);
    }

    fn leave(&mut self, number: u64) -> Option<Connection> {
        let connection = self.connections.remove(&number)?;
        self.expected -= usize::from(connection.source.expected);
        self.change(connection.source, |own| own.remove(&number));
        Some(connection)
    }

    /// Changes the connections of a source and keeps the index by count correct.
    fn change(&mut self, source: Source, change: impl FnOnce(&mut BTreeSet<u64>) -> bool) {
        let own = self.sources.entry(source).or_default();
        let before = own.len();
        change(own);
        let after = own.len();
        self.by_count.remove(&(source.expected, before, source.network));
        if after == 0 {
            self.sources.remove(&source);
        } else {
            self.by_count.insert((source.expected, after, source.network));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { connections: 8, reserved: 2, per_source: 4 };

    fn ip(n: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, n])
    }

    /// Admits a connection and returns the number of the one that was closed for it.
    fn admit(limiter: &ConnectionLimiter, n: u8, expected: bool, slots: &mut BTreeMap<u64, ConnectionSlot>) -> Option<bool> {
        let before = limiter.open.lock().unwrap().connections.keys().copied().collect::<BTreeSet<_>>();
        let admitted = limiter.admit(ip(n), expected)?;
        let replaced = admitted.replaced;
        slots.insert(admitted.slot.number(), admitted.slot);
        let after = limiter.open.lock().unwrap().connections.keys().copied().collect::<BTreeSet<_>>();
        for gone in before.difference(&after) {
            slots.remove(gone);
        }
        Some(replaced)
    }

    fn open_of(limiter: &ConnectionLimiter, n: u8) -> usize {
        let open = limiter.open.lock().unwrap();
        let own = |expected| open.sources.get(&Source { expected, network: ip(n) }).map_or(0, BTreeSet::len);
        own(true) + own(false)
    }

    #[test]
    fn a_crowd_of_one_source_closes_its_own_connections_only() {
        let limiter = ConnectionLimiter::new(LIMITS);
        let mut slots = BTreeMap::new();
        // Two silent connections that are never closed: a host of the inventory, and an unexpected source with one connection.
        admit(&limiter, 1, true, &mut slots);
        admit(&limiter, 2, false, &mut slots);
        for _ in 0..100 {
            admit(&limiter, 66, false, &mut slots);
        }
        assert_eq!((open_of(&limiter, 1), open_of(&limiter, 2), open_of(&limiter, 66)), (1, 1, 4));
        // Two floods share what is left, and the single unexpected connection stays.
        for _ in 0..100 {
            admit(&limiter, 67, false, &mut slots);
            admit(&limiter, 66, false, &mut slots);
        }
        assert_eq!((open_of(&limiter, 1), open_of(&limiter, 2)), (1, 1));
        assert_eq!(limiter.connections() - 1, LIMITS.connections - LIMITS.reserved, "the reserved places stay free");
        // Hosts of the inventory take the reserved slots without replacing a connection, then the slots of the floods.
        assert_eq!(admit(&limiter, 3, true, &mut slots), Some(false));
        for n in 4..10 {
            assert_eq!(admit(&limiter, n, true, &mut slots), Some(true), "{n}");
        }
        assert_eq!(open_of(&limiter, 66) + open_of(&limiter, 67) + open_of(&limiter, 2), 0);
        assert_eq!(admit(&limiter, 66, false, &mut slots), None, "nothing is closed for an unexpected source");
        assert_eq!(limiter.connections(), 8);
        slots.clear();
        let open = limiter.open.lock().unwrap();
        assert!(open.connections.is_empty() && open.sources.is_empty() && open.by_count.is_empty() && open.expected == 0);
    }

    #[test]
    fn of_many_sources_with_one_connection_the_one_silent_for_longest_goes() {
        let limiter = ConnectionLimiter::new(LIMITS);
        let mut slots = BTreeMap::new();
        for n in 1..=6 {
            admit(&limiter, n, false, &mut slots);
        }
        slots[&0].message_came();
        admit(&limiter, 7, false, &mut slots);
        assert_eq!((open_of(&limiter, 1), open_of(&limiter, 2), open_of(&limiter, 7)), (1, 0, 1));
        // If all connections have sent something, the one that sent something least recently is closed.
        slots.values().for_each(ConnectionSlot::message_came);
        slots[&0].message_came();
        admit(&limiter, 8, false, &mut slots);
        assert_eq!((open_of(&limiter, 1), open_of(&limiter, 3), open_of(&limiter, 8)), (1, 0, 1));
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        let a: IpAddr = "2001:db8:1:2:3::4".parse().unwrap();
        let b: IpAddr = "2001:db8:1:2:ffff::9".parse().unwrap();
        assert_eq!(network_of(a), network_of(b));
        assert_ne!(network_of(a), network_of("2001:db8:1:3::4".parse().unwrap()));
        assert_eq!(network_of("::ffff:10.0.0.1".parse().unwrap()), ip(1));
    }
}
