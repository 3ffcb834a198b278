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
    /// For each resource, the sequence of the event whose first command was counted last.
    commanded: BTreeMap<Name, u64>,
    /// The moves under way: where to, and when the event arrived that began the move. Further events about the same host do not
    /// make a move shorter.
    moving: BTreeMap<Name, (Name, Time)>,
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

    /// A command of a move to a host left, because of the event with this sequence.
    pub(super) fn commanded(&mut self, resource: &Name, host: &Name, sequence: u64, now: Time) {
        if self.moving.get(resource).is_some_and(|(to, _)| to == host) || self.commanded.get(resource) == Some(&sequence) {
            return;
        }
        // Another move, which may be an operator's.
        self.moving.remove(resource);
        if let Some(arrived) = self.arrival_of(sequence) {
            self.first_command.observe(now.since(arrived));
            self.commanded.insert(resource.clone(), sequence);
            self.moving.insert(resource.clone(), (host.clone(), arrived));
        }
    }

    /// A host holds a resource.
    pub(super) fn held(&mut self, resource: &Name, host: &Name, now: Time) {
        if self.moving.get(resource).is_some_and(|(to, _)| to == host)
            && let Some((_, arrived)) = self.moving.remove(resource)
        {
            self.holder_seen.observe(now.since(arrived));
        }
    }

    /// When an event arrived; `None` for one that arrived before the start, or too long ago.
    fn arrival_of(&self, sequence: u64) -> Option<Time> {
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
        let [vip, sip1, sip2] = ["vip", "sip1", "sip2"].map(str::to_owned);
        latency.commanded(&vip, &sip1, 9, at(15));
        // The same claim again, in the middle of the move, and the commands that follow.
        latency.arrived(11, at(30));
        latency.commanded(&vip, &sip1, 9, at(31));
        latency.commanded(&vip, &sip1, 11, at(32));
        latency.held(&vip, &sip2, at(35));
        latency.held(&vip, &sip1, at(40));
        latency.held(&vip, &sip1, at(90));
        assert_eq!((latency.first_command.count(), latency.first_command.seconds()), (1, 0.005));
        assert_eq!((latency.holder_seen.count(), latency.holder_seen.seconds()), (1, 0.03));
        // An operator's move, and an event of an earlier start.
        latency.commanded(&vip, &sip2, 3, at(100));
        latency.held(&vip, &sip2, at(110));
        assert_eq!((latency.first_command.count(), latency.holder_seen.count()), (1, 1));
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
