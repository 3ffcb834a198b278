//! The waiting events of one trust level: in order within a sender, and one sender after another.

use std::collections::{BTreeMap, VecDeque};

use crate::core::event::Trust;

/// The maximum number of senders of one trust level that are distinguished. Further ones share one place.
const SENDERS: usize = 4_096;

/// The events of one trust.
#[derive(Debug)]
pub(super) struct TrustClass<M> {
    senders: BTreeMap<String, Own<M>>,
    /// The senders with waiting events, in the order in which they are served.
    turn: VecDeque<String>,
    pub(super) count: usize,
    pub(super) bytes: usize,
}

/// The waiting events of one sender.
#[derive(Debug)]
struct Own<M> {
    waiting: VecDeque<WaitingEvent<M>>,
    bytes: usize,
}

/// An event, the memory that it needs, and its place in the order in which events of all trust levels arrived.
#[derive(Debug)]
struct WaitingEvent<M> {
    message: M,
    bytes: usize,
    arrival: u64,
}

impl<M> Default for TrustClass<M> {
    fn default() -> TrustClass<M> {
        TrustClass { senders: BTreeMap::new(), turn: VecDeque::new(), count: 0, bytes: 0 }
    }
}

impl<M> TrustClass<M> {
    /// The name under which a sender is counted.
    pub(super) fn name<'a>(&self, trust: Trust, sender: &'a str) -> &'a str {
        // Files always keep their order: there are only as many as the configuration has.
        let counted_apart = trust >= Trust::Local || self.senders.len() < SENDERS || self.senders.contains_key(sender);
        if counted_apart { sender } else { "" }
    }

    /// The number of waiting events of a sender, and their bytes.
    pub(super) fn waiting_of(&self, sender: &str) -> (usize, usize) {
        self.senders.get(sender).map_or((0, 0), |own| (own.waiting.len(), own.bytes))
    }

    pub(super) fn push(&mut self, sender: String, bytes: usize, arrival: u64, message: M) {
        let own = self.senders.entry(sender.clone()).or_insert_with(|| Own { waiting: VecDeque::new(), bytes: 0 });
        if own.waiting.is_empty() {
            self.turn.push_back(sender);
        }
        own.waiting.push_back(WaitingEvent { message, bytes, arrival });
        own.bytes += bytes;
        self.count += 1;
        self.bytes += bytes;
    }

    /// The place in the order of arrival of the event that is taken next.
    pub(super) fn next_arrival(&self) -> Option<u64> {
        self.senders.get(self.turn.front()?)?.waiting.front().map(|event| event.arrival)
    }

    pub(super) fn pop(&mut self) -> Option<M> {
        let sender = self.turn.pop_front()?;
        let own = self.senders.get_mut(&sender)?;
        let WaitingEvent { message, bytes, .. } = own.waiting.pop_front()?;
        own.bytes -= bytes;
        if own.waiting.is_empty() {
            self.senders.remove(&sender);
        } else {
            self.turn.push_back(sender);
        }
        self.count -= 1;
        self.bytes -= bytes;
        Some(message)
    }
}
