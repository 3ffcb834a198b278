//! Syslog over UDP (RFC 5426): each datagram is one record, and its sender is not authenticated.

use std::fs;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::core::base::limits::RECORD_BYTES;
use crate::core::base::time::Time;
use crate::core::base::zone::Zone;
use crate::core::control::Input;
use crate::core::decode::Decoder;
use crate::core::event::Trust;
use crate::core::journal::Position;
use crate::core::site::Current;
use crate::shell::linux::give_way;

use super::{Named, Sink, from_sender, log_event};

/// The longest wait for a datagram before the thread checks whether it should end and what the kernel dropped.
const LOOK_AROUND: Duration = Duration::from_millis(500);
/// After an event found no room, room is looked for before a datagram is decoded, for this time.
const PRESSED: Duration = Duration::from_millis(10);
/// The size of the receive buffer that is requested from the kernel, in bytes.
const KERNEL_BYTES: usize = 8 * 1024 * 1024;

/// A listener for syslog over UDP.
#[derive(Debug)]
pub struct Udp {
    socket: UdpSocket,
    named: Named,
}

impl Udp {
    /// Binds a port.
    ///
    /// # Errors
    /// Returns an error text if the port is taken or needs a right.
    pub fn bind(address: SocketAddr) -> Result<Udp, String> {
        let words = |e: io::Error| crate::shell::handshakes::cannot_listen("udp", address, &e);
        let socket = UdpSocket::bind(address).map_err(words)?;
        socket.set_read_timeout(Some(LOOK_AROUND)).map_err(words)?;
        crate::shell::linux::receive_buffer(&socket, KERNEL_BYTES);
        let address = socket.local_addr().map_err(words)?;
        Ok(Udp { socket, named: Named::listener(format!("udp:{address}")) })
    }

    /// Sets the time zone of stamps without a zone. Call this before the source is shown and runs.
    pub fn in_zone(&mut self, zone: Zone) {
        self.named = self.named.in_zone(zone);
    }

    /// Its name and counters.
    pub fn named(&self) -> Named {
        self.named.clone()
    }

    /// The address to which it is bound.
    ///
    /// # Errors
    /// The errors of the system.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Reads until `stop`.
    pub fn run(self, current: &Arc<Current>, sink: &impl Sink, stop: &AtomicBool) {
        let Udp { socket, named } = self;
        let mut sieve = named.sieve(current, Decoder::datagrams());
        let Named { name, counts, .. } = named;
        let mut buffer = vec![0; RECORD_BYTES + 1];
        let mut position = Position::default();
        let mut kernel = Dropped::of(&socket);
        sink.send(Input::BacklogEnded { source: name.clone() });
        let mut look_at = sink.now() + LOOK_AROUND;
        let mut pressed_until = Time::default();
        // From the first loss on, this thread leaves the processor to the one that decides.
        let mut gives_way = false;
        let mut loses = || {
            if !std::mem::replace(&mut gives_way, true) {
                give_way();
            }
        };
        while !stop.load(Ordering::Relaxed) {
            // This check is also made if datagrams arrive so fast that the thread never waits.
            if sink.now() >= look_at {
                let dropped = kernel.more();
                if dropped > 0 {
                    loses();
                }
                counts.dropped.fetch_add(dropped, Ordering::Relaxed);
                look_at = sink.now() + LOOK_AROUND;
            }
            let (length, peer) = match socket.recv_from(&mut buffer) {
                Ok((length, peer)) => (length, peer.ip()),
                // A time-out, an ICMP answer to something that was never sent, or a signal.
                Err(_) => continue,
            };
            let now = sink.now();
            // What a sender without room says would be dropped, so nothing is lost by not decoding it. Under a flood this leaves the
            // processor to the thread that decides.
            if now < pressed_until && sink.refuses(&name, peer) {
                counts.records.fetch_add(1, Ordering::Relaxed);
                counts.dropped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let (event, matched) = sieve.sift(&buffer[..length], now, |site, event| {
                event.trust = Trust::Unverified;
                from_sender(site, event, peer);
            });
            counts.count(event.marks, matched.is_some());
            let Some(matched) = matched else {
                sink.unwanted(&name, &event, now);
                continue;
            };
            position.at += 1;
            if sink.offer(log_event(&name, position, event.into_owned(), matched, false)) {
                continue;
            }
            pressed_until = now + PRESSED;
            loses();
            if counts.dropped.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!(
                    "{name}: more comes than the controller can take; what it can't is dropped and counted (`pointsman sources`); senders over TCP would wait"
                );
            }
        }
    }
}

/// Datagrams that the kernel dropped for lack of room, as `/proc/net/udp` counts them (proc(5)).
struct Dropped {
    table: &'static str,
    ending: String,
    known: u64,
}

impl Dropped {
    fn of(socket: &UdpSocket) -> Dropped {
        let address = socket.local_addr().ok();
        let table = if address.is_some_and(|a| a.is_ipv6()) { "/proc/net/udp6" } else { "/proc/net/udp" };
        let mut dropped = Dropped { table, ending: format!(":{:04X}", address.map_or(0, |a| a.port())), known: 0 };
        dropped.known = dropped.now();
        dropped
    }

    fn now(&self) -> u64 {
        let text = fs::read_to_string(self.table).unwrap_or_default();
        let rows = text.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
        let ours = rows.filter(|row| row.get(1).is_some_and(|local| local.ends_with(&self.ending)));
        ours.filter_map(|row| row.last()?.parse::<u64>().ok()).sum()
    }

    fn more(&mut self) -> u64 {
        let now = self.now();
        now.saturating_sub(std::mem::replace(&mut self.known, now))
    }
}
