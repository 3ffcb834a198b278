//! Syslog over TCP (RFC 6587): the frames of many connections, each in its own task.
//!
//! ```text
//!   connection: readable --> a lent buffer --> frames --> a lent sieve --> Sink::deliver, which waits for room
//! ```
//!
//! A connection needs its task and the bytes of an unfinished frame. Buffers and sieves are lent while bytes are being processed,
//! so there are only as many of them as threads. No connection blocks a thread: if its events find no room, its task waits and
//! TCP slows the sender down. Connections of hosts that are not in the inventory are read by separate threads, so that they never
//! delay a host of the inventory. Which connections stay open when there are too many: [`crate::shell::handshakes`].

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpStream;
use tokio::runtime::Handle;

use crate::core::base::limits::{CONNECTIONS, RECORD_BYTES, RECORD_BYTES_WITHOUT_ROOM};
use crate::core::base::time::Time;
use crate::core::base::zone::Zone;
use crate::core::control::Input;
use crate::core::decode::Decoder;
use crate::core::journal::Position;
use crate::core::site::{Current, Sieve};
use crate::shell::budget::{Budget, Room};
use crate::shell::handshakes::{self, ConnectionLimiter, ConnectionSlot, HandshakeLimiter, Limits};

use super::frames::{Frame, Frames};
use super::{Named, Sink, from_sender, judged, log_event, trust};

/// The number of bytes that are read at once.
const READ: usize = 8 * 1024;

/// The data that all connections of a program share.
#[derive(Clone, Debug)]
pub struct Connections {
    limiter: ConnectionLimiter,
    long_frames: Budget,
    /// The threads that read connections of hosts that are not in the inventory.
    low_priority: Handle,
}

impl Connections {
    /// Room for `allowed` connections, [`CONNECTIONS`] at most, and `bytes` for the unfinished long frames of all of them. The
    /// threads of `low_priority` read the connections of hosts that are not in the inventory.
    pub fn new(allowed: usize, bytes: usize, low_priority: Handle) -> Connections {
        let limiter = ConnectionLimiter::new(Limits::of(allowed.min(CONNECTIONS)));
        Connections { limiter, long_frames: Budget::new(bytes), low_priority }
    }
}

/// A listener for syslog over TCP.
#[derive(Debug)]
pub struct Tcp {
    limiter: HandshakeLimiter,
    named: Named,
    long_frames: Budget,
    low_priority: Handle,
}

/// Listens on an address. Must be called within a `tokio` runtime.
///
/// # Errors
/// Returns an error text if the port is taken or needs a right.
pub fn listen(address: SocketAddr, shared: &Connections) -> Result<Tcp, String> {
    let Connections { limiter, long_frames, low_priority } = shared.clone();
    let limiter = HandshakeLimiter::open(address, limiter).map_err(|e| handshakes::cannot_listen("tcp", address, &e))?;
    let named = Named::listener(format!("tcp:{}", limiter.address()));
    Ok(Tcp { limiter, named, long_frames, low_priority })
}

impl Tcp {
    /// Sets the time zone of stamps without a zone. Call this before the source is shown and runs.
    pub fn in_zone(&mut self, zone: Zone) {
        self.named = self.named.in_zone(zone);
    }

    /// Its name and counters.
    pub fn named(&self) -> Named {
        self.named.clone()
    }

    pub fn address(&self) -> SocketAddr {
        self.limiter.address()
    }

    /// Accepts connections until this future is dropped.
    pub async fn run(self, current: Arc<Current>, sink: impl Sink) {
        let Tcp { limiter, named, long_frames, low_priority } = self;
        let (name, counts) = (named.name.clone(), named.counts.clone());
        let shared = Arc::new(Shared {
            named,
            tools: Mutex::default(),
            position: AtomicU64::new(0),
            current: current.clone(),
            long_frames,
            sink: sink.clone(),
        });
        sink.deliver(Input::BacklogEnded { source: name.clone() }).await;
        loop {
            let (stream, peer) = limiter.accept().await;
            crate::shell::linux::end_when_gone(&stream);
            let (_, site) = current.get();
            let expected = site.inventory.hosts.values().any(|h| h.address == Some(peer.ip().to_canonical()));
            let shared = shared.clone();
            let replaced = limiter.enter(stream, (peer.ip(), expected), &low_priority, move |stream, slot| {
                let arrived = shared.sink.now();
                let (frames, room, has_spoken) = (Frames::default(), None, false);
                let connection = Connection { shared, peer, expected, arrived, frames, room, has_spoken };
                connection.read(stream, slot)
            });
            if replaced && counts.refused.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!(
                    "{name}: too many connections are open; connections of the source with the most of them are closed and counted (`pointsman sources`: refused)"
                );
            }
        }
    }
}

/// The data that the connections of one listener share.
struct Shared<S> {
    named: Named,
    /// Free tools. There are never more of them than threads that have read at the same time.
    tools: Mutex<Vec<Tools>>,
    position: AtomicU64,
    current: Arc<Current>,
    long_frames: Budget,
    sink: S,
}

/// The buffer and the sieve, lent to a connection while it does not wait.
struct Tools {
    sieve: Sieve,
    buffer: Box<[u8]>,
}

impl<S> Shared<S> {
    /// Does work with lent tools.
    fn with_tools<T>(&self, work: impl FnOnce(&mut Tools) -> T) -> T {
        let free = self.tools.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // Records are independent, so any sieve is suitable for any connection.
        let mut tools = free.unwrap_or_else(|| Tools {
            sieve: self.named.sieve(&self.current, Decoder::datagrams()),
            buffer: vec![0; READ].into_boxed_slice(),
        });
        let done = work(&mut tools);
        self.tools.lock().unwrap_or_else(PoisonError::into_inner).push(tools);
        done
    }
}

struct Connection<S> {
    shared: Arc<Shared<S>>,
    peer: SocketAddr,
    expected: bool,
    /// The time at which its newest bytes were read.
    arrived: Time,
    frames: Frames,
    /// Room for a long unfinished frame.
    room: Option<Room>,
    /// Whether a whole frame arrived since the limiter was last informed.
    has_spoken: bool,
}

impl<S: Sink> Connection<S> {
    /// Reads to the end. If it is cancelled while it waits, the connection and its unfinished frame end there.
    async fn read(mut self, stream: TcpStream, slot: ConnectionSlot) {
        loop {
            // A broken connection counts as an ended one.
            if stream.readable().await.is_err() {
                break;
            }
            let shared = self.shared.clone();
            match shared.with_tools(|tools| {
                let length = stream.try_read(&mut tools.buffer)?;
                self.frames.push(&tools.buffer[..length]);
                // Events that wait for room later keep the time at which they were read.
                self.arrived = shared.sink.now();
                Ok::<_, io::Error>(length)
            }) {
                Ok(0) => break,
                Ok(_) => {}
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => continue,
                Err(_) => break,
            }
            while let Some(input) = self.next_wanted() {
                // A sender that writes faster than the controller reads has to wait. Nothing of a connection is dropped.
                if !shared.sink.deliver(input).await {
                    return;
                }
            }
            if std::mem::take(&mut self.has_spoken) {
                slot.message_came();
            }
            if self.frames.held() <= RECORD_BYTES_WITHOUT_ROOM {
                self.room = None;
            }
            self.frames.tidy();
        }
        if let Some(input) = self.last_wanted() {
            self.shared.sink.deliver(input).await;
        }
    }

    /// The next frame that a rule wants.
    fn next_wanted(&mut self) -> Option<Input> {
        if self.room.is_none() && self.frames.held() > RECORD_BYTES_WITHOUT_ROOM {
            self.room = self.shared.long_frames.try_take(RECORD_BYTES, self.expected);
        }
        // Without room a long record is cut sooner. It is marked and counted like any record that is too long.
        let most = if self.room.is_some() { RECORD_BYTES } else { RECORD_BYTES_WITHOUT_ROOM };
        let Connection { shared, peer, arrived, frames, has_spoken, .. } = self;
        shared.with_tools(|tools| {
            while let Some(frame) = frames.next(most) {
                *has_spoken = true;
                if let Some(input) = sift(shared, Sender { peer: *peer, arrived: *arrived }, &mut tools.sieve, &frame) {
                    return Some(input);
                }
            }
            None
        })
    }

    /// The rest when the connection ends.
    fn last_wanted(&mut self) -> Option<Input> {
        let Connection { shared, peer, arrived, frames, .. } = self;
        let frame = frames.rest()?;
        shared.with_tools(|tools| sift(shared, Sender { peer: *peer, arrived: *arrived }, &mut tools.sieve, &frame))
    }
}

/// The sender of a record, and the time at which its bytes were read.
#[derive(Clone, Copy)]
struct Sender {
    peer: SocketAddr,
    arrived: Time,
}

fn sift<S: Sink>(shared: &Shared<S>, sender: Sender, sieve: &mut Sieve, frame: &Frame<'_>) -> Option<Input> {
    let (event, matched) = sieve.sift(frame.record, sender.arrived, |site, event| {
        from_sender(site, event, sender.peer.ip());
        // A connection lasts longer than a configuration.
        event.trust = trust(site, event, judged(site.inventory.privileged_senders, sender.peer));
        event.marks.cut |= frame.cut;
    });
    shared.named.counts.count(event.marks, matched.is_some());
    let Some(matched) = matched else {
        shared.sink.unwanted(&shared.named.name, &event, sender.arrived);
        return None;
    };
    let at = shared.position.fetch_add(1, Ordering::Relaxed) + 1;
    let position = Position { at, ..Position::default() };
    Some(log_event(&shared.named.name, position, event.into_owned(), matched, false))
}
