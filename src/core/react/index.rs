//! What is looked up about runs, so that nothing is gone through for each of thousands: lanes, deadlines, counts. All of it follows
//! from the runs' state.
//!
//! A lane is one reaction, one key and one trust: of a lane one run is under way, and one waits. So whoever is less trusted
//! neither replaces nor delays what somebody better trusted started.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::base::limits::{CLAIM_RUNS, RUNS};
use crate::core::base::time::Time;
use crate::core::event::Trust;

use super::record::{LaneKey, Run, RunId, State};

/// A lane that is not empty.
#[derive(Clone, Debug, Default)]
struct Lane {
    under_way: Option<RunId>,
    /// May be more than one only in journals of earlier versions.
    waiting: BTreeSet<RunId>,
}

/// What is looked up.
#[derive(Clone, Debug, Default)]
pub(super) struct RunIndex {
    lanes: BTreeMap<LaneKey, Lane>,
    due: BTreeSet<(Time, RunId)>,
    /// By order: how many runs.
    orders: BTreeMap<u64, usize>,
    /// Runs that were not started for claims, by trust.
    counts: BTreeMap<Trust, usize>,
    /// Runs that were started for claims.
    claims: usize,
    /// Bytes of all runs, by the trust of those whose room they take: claims have what authenticated senders have.
    bytes: BTreeMap<Trust, usize>,
}

impl RunIndex {
    pub(super) fn new(state: &State) -> RunIndex {
        let mut index = RunIndex::default();
        for (id, run) in state.runs() {
            index.add(id, run);
        }
        index
    }

    pub(super) fn add(&mut self, id: RunId, run: &Run) {
        let lane = self.lanes.entry(run.lane()).or_default();
        if run.begun {
            lane.under_way = Some(id);
        } else {
            lane.waiting.insert(id);
        }
        self.due.extend(run.due().map(|at| (at, id)));
        *self.orders.entry(run.order).or_default() += 1;
        *self.bytes.entry(payer(run.claim, run.bound.trust())).or_default() += run.weight();
        if run.claim {
            self.claims += 1;
        } else {
            *self.counts.entry(run.bound.trust()).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, id: RunId, run: &Run) {
        let key = run.lane();
        if let Some(lane) = self.lanes.get_mut(&key) {
            lane.waiting.remove(&id);
            lane.under_way = lane.under_way.filter(|under_way| *under_way != id);
            if lane.under_way.is_none() && lane.waiting.is_empty() {
                self.lanes.remove(&key);
            }
        }
        if let Some(at) = run.due() {
            self.due.remove(&(at, id));
        }
        if let Some(count) = self.orders.get_mut(&run.order) {
            *count -= 1;
            if *count == 0 {
                self.orders.remove(&run.order);
            }
        }
        if let Some(bytes) = self.bytes.get_mut(&payer(run.claim, run.bound.trust())) {
            *bytes = bytes.saturating_sub(run.weight());
        }
        if run.claim {
            self.claims = self.claims.saturating_sub(1);
        } else if let Some(count) = self.counts.get_mut(&run.bound.trust()) {
            *count = count.saturating_sub(1);
        }
    }

    /// The runs of a lane that wait.
    pub(super) fn waiting(&self, lane: &LaneKey) -> Vec<RunId> {
        self.lanes.get(lane).map(|lane| lane.waiting.iter().copied().collect()).unwrap_or_default()
    }

    /// The runs of a lane that wait and may begin as far as the lane is concerned: none while one is under way.
    pub(super) fn next(&self, lane: &LaneKey) -> Vec<RunId> {
        if self.lanes.get(lane).is_none_or(|lane| lane.under_way.is_some()) { Vec::new() } else { self.waiting(lane) }
    }

    /// Every lane in which something waits and nothing is under way.
    pub(super) fn idle(&self) -> Vec<LaneKey> {
        self.lanes.iter().filter(|(_, lane)| lane.under_way.is_none()).map(|(key, _)| key.clone()).collect()
    }

    /// When something falls due next, and the runs of which something falls due by then.
    pub(super) fn next_due(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The runs of which something is due by now, in the order of their numbers.
    pub(super) fn due(&self, now: Time) -> Vec<RunId> {
        let mut due: Vec<RunId> = self.due.range(..=(now, RunId::MAX)).map(|(_, id)| *id).collect();
        due.sort_unstable();
        due
    }

    /// True when a run of this order has not ended.
    pub(super) fn has_order(&self, order: u64) -> bool {
        self.orders.contains_key(&order)
    }

    /// How many runs there may be beside a further one of this trust, where that is fewer than there are; `None` when it may start.
    /// Those who are less trusted leave room for the others, and claims have room of their own.
    pub(super) fn full(&self, claim: bool, trust: Trust) -> Option<usize> {
        if claim {
            return (self.claims >= CLAIM_RUNS).then_some(CLAIM_RUNS);
        }
        let room = trust.share_of(RUNS);
        let all: usize = self.counts.values().sum();
        let as_little: usize = self.counts.range(..=trust).map(|(_, n)| n).sum();
        (all >= RUNS || as_little >= room).then_some(room)
    }

    /// How many bytes of `most` runs like this may take, where so many more are beyond that; `None` when there is room.
    pub(super) fn lacks_memory(&self, claim: bool, trust: Trust, more: usize, most: usize) -> Option<usize> {
        let trust = payer(claim, trust);
        let room = trust.share_of(most);
        let as_little: usize = self.bytes.range(..=trust).map(|(_, bytes)| bytes).sum();
        (as_little + more > room).then_some(room)
    }
}

/// Whose room a run takes.
fn payer(claim: bool, trust: Trust) -> Trust {
    if claim { Trust::Authenticated } else { trust }
}
