//! The state of channels, for people.

use crate::core::base::time::Time;
use crate::core::inventory::Name;

use super::Notifier;

/// The state of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelStatus {
    pub channel: Name,
    /// Its kind: `mail`, `webhook` ...
    pub kind: &'static str,
    /// How many notifications wait for it.
    pub waiting: usize,
    /// How often the first of them was tried.
    pub tries: u32,
    /// How many are withheld by its limit.
    pub held: u64,
    pub delivered: u64,
    /// The number of notifications that were given up.
    pub failed: u64,
    pub last_delivered: Option<Time>,
    /// When it failed last, and why.
    pub last_failure: Option<(Time, String)>,
}

impl Notifier {
    /// The state of the channels of the configuration.
    pub fn channels(&self) -> Vec<ChannelStatus> {
        let status = |(name, config): (&Name, &crate::core::inventory::Channel)| {
            let queue = self.queues.get(name);
            let first = queue.and_then(|queue| self.state.outbox.get(queue.first()?));
            let known = self.state.channels.get(name).cloned().unwrap_or_default();
            ChannelStatus {
                channel: name.clone(),
                kind: config.kind.name(),
                waiting: queue.map_or(0, std::collections::BTreeSet::len),
                tries: first.map_or(0, |w| w.tries),
                held: known.held.values().sum(),
                delivered: known.delivered,
                failed: known.failed,
                last_delivered: known.last_delivered,
                last_failure: known.last_failure,
            }
        };
        self.inventory.channels.iter().map(status).collect()
    }

    /// The number of the notification that was queued last; 0 before there was one.
    pub fn last(&self) -> u64 {
        self.state.last
    }

    /// The result of one of the last deliveries; `None` while the notification waits.
    pub fn end_of(&self, id: u64) -> Option<&Result<(), String>> {
        self.ends.iter().find(|(of, _)| *of == id).map(|(_, result)| result)
    }
}
