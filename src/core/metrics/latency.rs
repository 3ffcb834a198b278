//! How long events take: to the journal, to the first command, to the new holder.

use std::collections::{BTreeMap, VecDeque};

use crate::core::base::limits::ARRIVALS_KEPT;
use crate::core::base::time::Time;
use crate::core::inventory::Name;

use super::histogram::Histogram;

/// Follows events from their arrival to what came of them.
#[derive(Clone, Debug, Default)]
pub(super) struct LatencyTracker {
    /// The sequences of the newest events with their arrival, oldest first.
    arrivals: VecDeque<(u64, Time)>,
    /// The arrivals of events that are not synced yet.
    unsynced: Vec<Time>,
    /// For each resource, the sequence of the event whose first command was counted, and the one whose holder was.
    commanded: BTreeMap<Name, u64>,
    held: BTreeMap<Name, u64>,
    pub(super) journaled: Histogram,
    pub(super) first_command: Histogram,
    pub(super) holder_seen: Histogram,
}

impl LatencyTracker {
    pub(super) fn arrived(&mut self, sequence: u64, arrived: Time) {
        self.unsynced.push(arrived);
        if self.arrivals.len() == ARRIVALS_KEPT {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back((sequence, arrived));
    }

    /// Everything so far is in the journal.
    pub(super) fn synced(&mut self, now: Time) {
        for arrived in self.unsynced.drain(..) {
            self.journaled.observe(now.since(arrived));
        }
    }

    /// A command for a resource left, because of the event with this sequence.
    pub(super) fn commanded(&mut self, resource: &Name, sequence: u64, now: Time) {
        if let Some(arrived) = self.first_of(sequence, self.commanded.get(resource)) {
            self.first_command.observe(now.since(arrived));
            self.commanded.insert(resource.clone(), sequence);
        }
    }

    /// The desired owner holds a resource, because of the event with this sequence.
    pub(super) fn held(&mut self, resource: &Name, sequence: u64, now: Time) {
        if let Some(arrived) = self.first_of(sequence, self.held.get(resource)) {
            self.holder_seen.observe(now.since(arrived));
            self.held.insert(resource.clone(), sequence);
        }
    }

    /// The arrival of an event that was not counted yet; `None` for one that arrived before the start, or too long ago.
    fn first_of(&self, sequence: u64, counted: Option<&u64>) -> Option<Time> {
        if counted == Some(&sequence) {
            return None;
        }
        let at = self.arrivals.binary_search_by_key(&sequence, |(sequence, _)| *sequence).ok()?;
        self.arrivals.get(at).map(|(_, arrived)| *arrived)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_event_is_followed_to_its_holder_and_counted_once() {
        let at = |ms: i64| Time::from_millis(ms);
        let mut latency = LatencyTracker::default();
        latency.arrived(7, at(0));
        latency.arrived(9, at(10));
        latency.synced(at(12));
        latency.synced(at(50));
        assert_eq!((latency.journaled.count(), latency.journaled.seconds()), (2, 0.014));
        let vip = "vip".to_owned();
        for _ in 0..2 {
            latency.commanded(&vip, 9, at(15));
            latency.held(&vip, 9, at(40));
        }
        // Not an event, or one of an earlier start.
        latency.commanded(&vip, 3, at(60));
        assert_eq!((latency.first_command.count(), latency.first_command.seconds()), (1, 0.005));
        assert_eq!((latency.holder_seen.count(), latency.holder_seen.seconds()), (1, 0.03));
    }

    #[test]
    fn a_flood_leaves_a_bounded_number_of_arrivals() {
        let mut latency = LatencyTracker::default();
        for n in 0..2 * ARRIVALS_KEPT as u64 {
            latency.arrived(n, Time::from_millis(0));
            latency.synced(Time::from_millis(0) + Duration::from_millis(1));
        }
        assert_eq!((latency.arrivals.len(), latency.unsynced.len()), (ARRIVALS_KEPT, 0));
    }
}
