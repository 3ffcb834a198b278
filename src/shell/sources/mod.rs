//! The sources of events in a running program: syslog over UDP and TCP, and followed files. Also the notifications about changed
//! files of an administrator.
//!
//! ```text
//!   datagram, frame, line --> site::Sieve: decode, match --> Sink: only what a rule wants, and how far was read
//! ```
//!
//! Each source decodes and matches in its own thread or task, and its output is in order. Every record is counted, including
//! dropped ones. Does not know: alarms, the journal. Tests: `tests/it/sources.rs`.

mod archive;
mod catch_up;
mod entry;
mod file;
mod frames;
mod log;
mod news;
pub mod packed;
mod pattern;
mod reading;
mod rotated;
mod tcp;
mod udp;
mod watch;
mod xz;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::core::base::zone::Zone;
use crate::core::control::{Input, LogEvent};
use crate::core::decode::Decoder;
use crate::core::event::{Event, EventMarks, Trust};
use crate::core::journal::Position;
use crate::core::site::{Arrivals, Current, Matched, Sieve, Site, Stamps};

pub use entry::{Entry, Places, places};
pub use file::follow;
pub use tcp::{Connections, Tcp, listen};
pub use udp::Udp;
pub use watch::{FileWatch, watch};

/// The receiver of the results of sources: the controller's inbox.
pub trait Sink: Clone + Send + Sync + 'static {
    /// Waits until there is room. Returns false when the reader has ended.
    fn send(&self, input: Input) -> bool;

    /// Waits until there is room, without blocking a thread. Returns false when the reader has ended. Cancelling the wait drops
    /// the input.
    fn deliver(&self, input: Input) -> impl Future<Output = bool> + Send {
        async { tokio::task::block_in_place(|| self.send(input)) }
    }

    /// Does not wait. Returns false if there was no room and the input was dropped.
    fn offer(&self, input: Input) -> bool;

    /// True if an unverified event of this sender would be dropped now. It is counted as dropped then, and need not be decoded.
    fn refuses(&self, _source: &str, _peer: IpAddr) -> bool {
        false
    }
    /// Gets a record that no rule wants, with the time at which it arrived. Only a sink that keeps such records uses it.
    fn unwanted(&self, _source: &str, _event: &Event<'_>, _arrived: crate::core::base::time::Time) {}

    /// The time of the engine's clock.
    fn now(&self) -> crate::core::base::time::Time;
}

/// The counters of a source since the start.
#[derive(Debug, Default)]
pub struct SourceCounts {
    pub records: AtomicU64,
    /// Records that a rule wanted.
    pub wanted: AtomicU64,
    /// Records that were dropped, because the controller was too slow or the kernel had no room for them.
    pub dropped: AtomicU64,
    /// Records that were too long and were cut.
    pub cut: AtomicU64,
    /// Records that were not UTF-8.
    pub latin1: AtomicU64,
    /// Records whose header could not be read completely, and frames without a beginning or an end.
    pub broken: AtomicU64,
    /// Records that an `ignore` of the rules matched.
    pub ignored: AtomicU64,
    /// Connections that were closed or refused because there were too many.
    pub refused: AtomicU64,
}

impl SourceCounts {
    /// Counts a record that the sieve has handled. A piece is not a record: the record is counted when its last piece is there.
    fn count(&self, marks: EventMarks, wanted: bool) {
        if marks.partial {
            return;
        }
        let all = [
            (&self.records, true),
            (&self.wanted, wanted),
            (&self.cut, marks.cut),
            (&self.latin1, marks.latin1),
            (&self.broken, marks.broken),
            (&self.ignored, marks.ignored),
        ];
        for (counter, is) in all {
            if is {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// The counters by name, in order.
    pub fn all(&self) -> [(&'static str, u64); 8] {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("records", of(&self.records)),
            ("wanted", of(&self.wanted)),
            ("dropped", of(&self.dropped)),
            ("cut", of(&self.cut)),
            ("latin1", of(&self.latin1)),
            ("broken", of(&self.broken)),
            ("ignored", of(&self.ignored)),
            ("refused", of(&self.refused)),
        ]
    }
}

/// One source, for people: its name and its counters.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// `udp:0.0.0.0:514`, `tcp:...`, or a file's path.
    pub name: String,
    pub counts: Arc<SourceCounts>,
    /// What was learned of its senders.
    pub arrivals: Arrivals,
    /// The time zone of stamps without a zone, if the configuration sets it.
    pub zone: Option<Zone>,
}

impl Named {
    fn listener(name: String) -> Named {
        Named { name, arrivals: Arrivals::of(Stamps::Nearest), ..Named::default() }
    }

    /// The same source with this time zone for stamps without a zone.
    fn in_zone(&self, zone: Zone) -> Named {
        Named { arrivals: Arrivals::of(Stamps::Stated), zone: Some(zone), ..self.clone() }
    }

    /// The sieve that decodes its records and finds those that a rule wants.
    fn sieve(&self, current: &Arc<Current>, decoder: Decoder) -> Sieve {
        let sieve = Sieve::new(current, decoder).of_senders(&self.arrivals);
        match self.zone {
            Some(zone) => sieve.in_zone(zone),
            None => sieve,
        }
    }
}

/// Adds what the connection says about a record: the sender's address. If the record names no host, the host is the sender, by
/// its name in the inventory.
fn from_sender(site: &Site, event: &mut Event<'_>, peer: IpAddr) {
    let peer = peer.to_canonical();
    event.sender = Some(peer);
    if event.host.is_empty() && site.index.names(event).host.is_empty() {
        let address = peer.to_string();
        let host = site.index.host(&address).cloned().unwrap_or(address);
        event.host = host.into();
    }
}

/// Only a privileged process of a host may use source ports below this (IPPORT_RESERVED).
const PRIVILEGED: u16 = 1024;

/// The address by which a sender's trust is decided. If a privileged source port is required and this one is not, it is an
/// address that belongs to no host.
fn judged(privileged: bool, peer: SocketAddr) -> IpAddr {
    if privileged && peer.port() >= PRIVILEGED { Ipv4Addr::UNSPECIFIED.into() } else { peer.ip() }
}

/// The trust of the sender at an address: `address` if every host that the record speaks for is at that address.
fn trust(site: &Site, event: &Event<'_>, peer: IpAddr) -> Trust {
    let names = site.index.names(event);
    let at_peer = |host: &str| site.inventory.hosts.get(host).is_some_and(|h| h.address == Some(peer.to_canonical()));
    let of_app = site.inventory.applications.get(names.app).map(|a| a.host.as_str()).unwrap_or_default();
    let said: Vec<&str> = [names.host, of_app].into_iter().filter(|h| !h.is_empty()).collect();
    if !said.is_empty() && said.iter().all(|h| at_peer(h)) { Trust::Address } else { Trust::Unverified }
}

fn log_event(source: &str, position: Position, event: Event<'static>, matched: Matched, backlog: bool) -> Input {
    let Matched { hits, rules, arrived, late } = matched;
    let arrived = Some(arrived);
    Input::Event(Box::new(LogEvent { source: source.to_owned(), position, event, hits, rules, backlog, arrived, late }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_no_record() {
        let counts = SourceCounts::default();
        counts.count(EventMarks { partial: true, ..EventMarks::default() }, false);
        counts.count(EventMarks::default(), true);
        assert_eq!(counts.all()[..2], [("records", 1), ("wanted", 1)]);
    }

    #[test]
    fn an_ordinary_port_is_nobody_where_a_privileged_one_is_required() {
        let (ordinary, privileged) = (SocketAddr::from(([10, 0, 0, 1], 40_000)), SocketAddr::from(([10, 0, 0, 1], 1_023)));
        let address = IpAddr::from([10, 0, 0, 1]);
        assert_eq!([judged(false, ordinary), judged(false, privileged), judged(true, privileged)], [address; 3]);
        assert_ne!(judged(true, ordinary), address);
    }
}
