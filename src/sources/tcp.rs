//! Syslog over TCP (RFC 6587): frames of many connections, each in its own task.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::control::Input;
use crate::decode::Decoder;
use crate::door::{self, Door, Stranger};
use crate::journal::Position;
use crate::site::{Current, Sieve};

use super::frames::{Frame, Frames};
use super::{Counts, Named, Sink, heard, judged, provenance};

/// Connections that have said something, at once. A further one is closed and counted.
const CONNECTIONS: usize = 4_096;
/// Bytes read at once.
const READ: usize = 16 * 1024;
/// A connection that says nothing within this after it was opened is closed; later it may be silent for as long as it likes.
const FIRST_WORD: Duration = Duration::from_secs(60);
/// A listening socket.
#[derive(Debug)]
pub struct Tcp {
    door: Door,
    named: Named,
}

/// Listens. Only within a runtime of `tokio`.
///
/// # Errors
/// In words: the port is taken, or needs a right.
pub fn listen(address: SocketAddr) -> Result<Tcp, String> {
    let door = Door::open(address).map_err(|e| door::cannot_listen("tcp", address, &e))?;
    let named = Named { name: format!("tcp:{}", door.address()), counts: Arc::default() };
    Ok(Tcp { door, named })
}

impl Tcp {
    /// Its name and counters.
    pub fn named(&self) -> Named {
        self.named.clone()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.door.address()
    }

    /// Takes connections until it is dropped.
    pub async fn run(self, current: Arc<Current>, sink: impl Sink) {
        let Tcp { door, named: Named { name, counts } } = self;
        let free = Arc::new(Semaphore::new(CONNECTIONS));
        let position = Arc::new(AtomicU64::new(0));
        tokio::task::block_in_place(|| sink.send(Input::BacklogEnded { source: name.clone() }));
        loop {
            let (stream, peer) = door.accept().await;
            let connection = Connection {
                sieve: Sieve::new(&current, Decoder::datagrams()),
                name: name.clone(),
                peer: judged(current.get().1.inventory.privileged_senders, peer),
                position: position.clone(),
                counts: counts.clone(),
                sink: sink.clone(),
            };
            let free = free.clone();
            if door.enter(|stranger| connection.read(stream, stranger, free))
                && counts.refused.fetch_add(1, Ordering::Relaxed) == 0
            {
                tracing::warn!(
                    "{name}: more connections than may are open and say nothing; the oldest of them are closed and counted"
                );
            }
        }
    }
}

struct Connection<S> {
    sieve: Sieve,
    name: String,
    peer: IpAddr,
    position: Arc<AtomicU64>,
    counts: Arc<Counts>,
    sink: S,
}

impl<S: Sink> Connection<S> {
    async fn read(mut self, mut stream: TcpStream, stranger: Stranger, free: Arc<Semaphore>) {
        // Memory is for those who speak.
        let Ok(Ok(1..)) = tokio::time::timeout(FIRST_WORD, stream.peek(&mut [0])).await else { return };
        let Ok(_place) = free.try_acquire_owned() else {
            if self.counts.refused.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!(
                    "{}: {CONNECTIONS} connections are open, which is the limit; further ones are closed and counted",
                    self.name
                );
            }
            return;
        };
        drop(stranger);
        let mut frames = Frames::default();
        let mut buffer = vec![0; READ];
        let mut length = stream.read(&mut buffer).await.unwrap_or_default();
        while length > 0 {
            frames.push(&buffer[..length]);
            // Whoever writes faster than the controller reads waits: nothing of a connection is dropped.
            let goes_on = tokio::task::block_in_place(|| {
                while let Some(frame) = frames.next() {
                    if !self.hear(&frame) {
                        return false;
                    }
                }
                true
            });
            if !goes_on {
                return;
            }
            // A connection that breaks is one that ends.
            length = stream.read(&mut buffer).await.unwrap_or_default();
        }
        if let Some(frame) = frames.rest() {
            tokio::task::block_in_place(|| self.hear(&frame));
        }
    }

    fn hear(&mut self, frame: &Frame<'_>) -> bool {
        let peer = self.peer;
        let (event, met) = self.sieve.sift(frame.record, self.sink.now(), |site, event| {
            event.provenance = provenance(site, event, peer);
            event.marks.cut |= frame.cut;
        });
        self.counts.count(event.marks, met.is_some());
        let Some(met) = met else { return true };
        let at = self.position.fetch_add(1, Ordering::Relaxed) + 1;
        let position = Position { at, ..Position::default() };
        self.sink.send(heard(&self.name, position, event.into_owned(), met, false))
    }
}
