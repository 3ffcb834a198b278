//! What found no room, for people: of which source, and of which sender most.

use std::collections::BTreeMap;

/// Senders of dropped events that are counted by name, for each source. Further ones are counted together.
const DROPPERS: usize = 64;

/// Events of one source that found no room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::shell::live) struct Dropped {
    pub(in crate::shell::live) count: u64,
    /// How many of them by sender.
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

    /// The sender that most of them came from, and how many.
    pub(in crate::shell::live) fn worst(&self) -> Option<(&str, u64)> {
        self.senders.iter().max_by_key(|(_, count)| **count).map(|(sender, count)| (sender.as_str(), *count))
    }
}
