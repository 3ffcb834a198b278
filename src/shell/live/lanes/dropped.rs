//! Counts events that were dropped because there was no room, by source and by sender, for people.

use std::collections::BTreeMap;

/// The number of senders of dropped events that are counted by name for each source. Further ones are counted together.
const DROPPERS: usize = 64;

/// The dropped events of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::shell::live) struct Dropped {
    pub(in crate::shell::live) count: u64,
    /// The number of dropped events of each sender.
    senders: BTreeMap<String, u64>,
}

impl Dropped {
    pub(super) fn add(&mut self, sender: Option<String>) {
        self.count += 1;
        let Some(sender) = sender else { return };
        if self.senders.len() < DROPPERS || self.senders.contains_key(&sender) {
            *self.senders.entry(sender).or_default() += 1;
        }
    }

    /// The sender with the most dropped events, and their number.
    pub(in crate::shell::live) fn worst(&self) -> Option<(&str, u64)> {
        self.senders.iter().max_by_key(|(_, count)| **count).map(|(sender, count)| (sender.as_str(), *count))
    }
}
