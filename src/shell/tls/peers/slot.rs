//! The messages that wait for one host's agent, and the connections by which they may be sent.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::core::wire::PeerMessage;

/// The number of messages that may wait for one agent. The oldest of more is dropped, because the newest describes the present
/// state.
const WAITING: usize = 1_024;
/// The number of concurrent connections with one agent: both sides may have opened one at the same time. A further one replaces
/// the oldest.
const CONNECTIONS: usize = 2;

/// The messages and connections of one host.
#[derive(Debug)]
pub(super) struct Slot {
    state: Mutex<State>,
    /// Signals changes of the state.
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<PeerMessage>,
    next: u64,
    /// The newest connection is last, and messages are sent by it.
    connections: Vec<(u64, watch::Sender<bool>)>,
}

/// A connection, until this is dropped.
pub(super) struct Connection<'s> {
    slot: &'s Slot,
    number: u64,
    replaced: watch::Receiver<bool>,
}

impl Default for Slot {
    fn default() -> Slot {
        Slot { state: Mutex::default(), changed: watch::Sender::new(()) }
    }
}

impl Slot {
    fn change<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        let done = what(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.send_replace(());
        done
    }

    fn look<T>(&self, what: impl FnOnce(&State) -> T) -> T {
        what(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until the state fulfils a condition.
    async fn until(&self, is: impl Fn(&State) -> bool) {
        let mut changed = self.changed.subscribe();
        while !self.look(&is) {
            // The sender exists as long as this slot.
            let _ = changed.changed().await;
        }
    }

    /// Adds a message to be sent soon.
    pub(super) fn push(&self, message: PeerMessage) {
        self.change(|state| {
            if state.waiting.len() >= WAITING {
                state.waiting.pop_front();
            }
            state.waiting.push_back(message);
        });
    }

    /// Drops all waiting messages.
    pub(super) fn clear(&self) {
        self.change(|state| state.waiting.clear());
    }

    /// True when there is a connection.
    pub(super) fn is_connected(&self) -> bool {
        self.look(|state| !state.connections.is_empty())
    }

    /// Waits until there is a message and no connection to send it by.
    pub(super) async fn until_needed(&self) {
        self.until(|state| !state.waiting.is_empty() && state.connections.is_empty()).await;
    }

    /// Adds a new connection. Messages are sent by it from now on.
    pub(super) fn connect(&self) -> Connection<'_> {
        self.change(|state| {
            let (end, replaced) = watch::channel(false);
            let number = state.next;
            state.next += 1;
            state.connections.push((number, end));
            if state.connections.len() > CONNECTIONS {
                state.connections.remove(0).1.send_replace(true);
            }
            Connection { slot: self, number, replaced }
        })
    }

    pub(super) fn end_all(&self) {
        self.change(|state| {
            state.connections.drain(..).for_each(|(_, end)| {
                end.send_replace(true);
            })
        });
    }

    /// The next message for the connection of this number. Only the newest connection receives any.
    pub(super) async fn next(&self, number: u64) -> PeerMessage {
        let newest = |state: &State| state.connections.last().is_some_and(|(newest, _)| *newest == number);
        loop {
            self.until(|state| newest(state) && !state.waiting.is_empty()).await;
            let message = self.change(|state| if newest(state) { state.waiting.pop_front() } else { None });
            if let Some(message) = message {
                return message;
            }
        }
    }
}

impl Connection<'_> {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Waits until this connection has to end because of newer ones.
    pub(super) async fn replaced(&mut self) {
        let _ = self.replaced.wait_for(|replaced| *replaced).await;
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        self.slot.change(|state| state.connections.retain(|(number, _)| *number != self.number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::wire::{Echo, Generation, Vote};

    fn message(beat: u64) -> PeerMessage {
        let number = Echo { incarnation: 1, beat };
        PeerMessage::Vote(Vote { resource: "vip".to_owned(), generation: Generation::NONE, number, refused: None })
    }

    fn run<T>(what: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(what)
    }

    /// The newest messages are kept, and the newest connection sends them.
    #[test]
    fn the_newest_waits_and_leaves_by_the_newest() {
        let slot = Slot::default();
        for beat in 0..WAITING as u64 + 10 {
            slot.push(message(beat));
        }
        let (older, newer) = (slot.connect(), slot.connect());
        assert_eq!(run(slot.next(newer.number())), message(10));
        run(async {
            tokio::select! {
                biased;
                _ = slot.next(older.number()) => panic!("it is not the newest"),
                next = slot.next(newer.number()) => assert_eq!(next, message(11)),
            }
        });
        drop(newer);
        assert_eq!(run(slot.next(older.number())), message(12));
        slot.clear();
        drop(older);
        assert!(!slot.is_connected());
    }

    /// A host that connects repeatedly has at most two connections.
    #[test]
    fn connections_are_bounded() {
        let slot = Slot::default();
        let (mut first, second, third) = (slot.connect(), slot.connect(), slot.connect());
        run(first.replaced());
        drop((first, third));
        slot.push(message(1));
        assert_eq!(run(slot.next(second.number())), message(1));
        slot.end_all();
        assert!(!slot.is_connected());
    }
}
