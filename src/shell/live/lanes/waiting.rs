//! The waiting messages of one lane, with the bytes of each.

use std::collections::VecDeque;

use crate::core::base::limits::INBOX_WAITING;

/// Messages in order, and their bytes together.
#[derive(Debug)]
pub(super) struct WaitingMessages<M> {
    messages: VecDeque<(usize, M)>,
    bytes: usize,
}

impl<M> WaitingMessages<M> {
    pub(super) fn new() -> WaitingMessages<M> {
        WaitingMessages { messages: VecDeque::new(), bytes: 0 }
    }

    /// True if one more message of this size may wait. A single one always may.
    pub(super) fn has_room(&self, bytes: usize, most: usize) -> bool {
        self.messages.is_empty() || (self.messages.len() < INBOX_WAITING && self.bytes + bytes <= most)
    }

    /// The number of messages that wait.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn push(&mut self, bytes: usize, message: M) {
        self.bytes += bytes;
        self.messages.push_back((bytes, message));
    }

    pub(super) fn pop(&mut self) -> Option<M> {
        let (bytes, message) = self.messages.pop_front()?;
        self.bytes -= bytes;
        Some(message)
    }
}
