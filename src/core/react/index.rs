//! Indexes of the runs, so that nothing searches thousands of runs: lanes, deadlines, counts. They follow from the state of
//! the runs.
//!
//! A lane is one reaction, one key and one trust. One run of a lane is active, and one waits. So a less trusted sender
//! neither replaces nor delays a run that a more trusted sender started.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::base::limits::{CLAIM_RUNS, DRY_RUNS, RUNS};
use crate::core::base::time::Time;
use crate::core::event::Trust;

use super::record::{Bound, LaneKey, Run, RunId, State};

/// A lane that is not empty.
#[derive(Clone, Debug, Default)]
struct Lane {
    under_way: Option<RunId>,
    /// More than one only in journals of earlier versions.
    waiting: BTreeSet<RunId>,
}

/// Indexes that follow from the state of the runs.
#[derive(Clone, Debug, Default)]
pub(super) struct RunIndex {
    lanes: BTreeMap<LaneKey, Lane>,
    due: BTreeSet<(Time, RunId)>,
    /// The number of runs, by sequence.
    orders: BTreeMap<u64, usize>,
    /// Runs that were not started for claims, by trust.
    counts: BTreeMap<Trust, usize>,
    /// Runs that were started for claims.
    claims: usize,
    /// Dry runs. They take no room from the others.
    dry: usize,
    /// Bytes of all runs, by the trust of the share that they use.
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
        // A dry run decides nothing about the claim that it is about.
        if !run.bound.dry {
            *self.orders.entry(run.order).or_default() += 1;
        }
        *self.bytes.entry(payer(run.claim, &run.bound)).or_default() += run.weight();
        if run.bound.dry {
            self.dry += 1;
        } else if run.claim {
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
        if let Some(count) = self.orders.get_mut(&run.order).filter(|_| !run.bound.dry) {
            *count -= 1;
            if *count == 0 {
                self.orders.remove(&run.order);
            }
        }
        if let Some(bytes) = self.bytes.get_mut(&payer(run.claim, &run.bound)) {
            *bytes = bytes.saturating_sub(run.weight());
        }
        if run.bound.dry {
            self.dry = self.dry.saturating_sub(1);
        } else if run.claim {
            self.claims = self.claims.saturating_sub(1);
        } else if let Some(count) = self.counts.get_mut(&run.bound.trust()) {
            *count = count.saturating_sub(1);
        }
    }

    /// The runs of a lane that wait.
    pub(super) fn waiting(&self, lane: &LaneKey) -> Vec<RunId> {
        self.lanes.get(lane).map(|lane| lane.waiting.iter().copied().collect()).unwrap_or_default()
    }

    /// The waiting runs of a lane that may begin: none while a run of the lane is active.
    pub(super) fn next(&self, lane: &LaneKey) -> Vec<RunId> {
        if self.lanes.get(lane).is_none_or(|lane| lane.under_way.is_some()) { Vec::new() } else { self.waiting(lane) }
    }

    /// Every lane in which a run waits and none is active.
    pub(super) fn idle(&self) -> Vec<LaneKey> {
        self.lanes.iter().filter(|(_, lane)| lane.under_way.is_none()).map(|(key, _)| key.clone()).collect()
    }

    /// When a run is due next.
    pub(super) fn next_due(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The runs that are due now, sorted by number.
    pub(super) fn due(&self, now: Time) -> Vec<RunId> {
        let mut due: Vec<RunId> = self.due.range(..=(now, RunId::MAX)).map(|(_, id)| *id).collect();
        due.sort_unstable();
        due
    }

    /// True when a run with this sequence has not ended.
    pub(super) fn has_order(&self, order: u64) -> bool {
        self.orders.contains_key(&order)
    }

    /// The limit of runs that prevents a further run of this call; `None` when it may start. Less trusted senders leave room
    /// for the others. Claims and dry runs have limits of their own.
    pub(super) fn full(&self, claim: bool, bound: &Bound) -> Option<usize> {
        if bound.dry {
            return (self.dry >= DRY_RUNS).then_some(DRY_RUNS);
        }
        if claim {
            return (self.claims >= CLAIM_RUNS).then_some(CLAIM_RUNS);
        }
        let trust = bound.trust();
        let room = trust.share_of(RUNS);
        let all: usize = self.counts.values().sum();
        let as_little: usize = self.counts.range(..=trust).map(|(_, n)| n).sum();
        (all >= RUNS || as_little >= room).then_some(room)
    }

    /// The bytes of `most` that runs of this call may take, if `more` bytes exceed them; `None` when there is room.
    pub(super) fn lacks_memory(&self, claim: bool, bound: &Bound, more: usize, most: usize) -> Option<usize> {
        let trust = payer(claim, bound);
        let room = trust.share_of(most);
        let as_little: usize = self.bytes.range(..=trust).map(|(_, bytes)| bytes).sum();
        (as_little + more > room).then_some(room)
    }
}

/// The trust whose share of the memory a run uses. Claims have the largest share. Dry runs have the smallest one, whoever sent
/// their event: what changes nothing must not take room from what does.
fn payer(claim: bool, bound: &Bound) -> Trust {
    match (bound.dry, claim) {
        (true, _) => Trust::Unverified,
        (false, true) => Trust::Authenticated,
        (false, false) => bound.trust(),
    }
}
