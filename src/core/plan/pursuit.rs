//! What the planner remembers of one resource while it brings the resource to where it should be. A restart forgets this.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::base::time::Time;
use crate::core::inventory::Name;
use crate::core::notice::Kind;
use crate::core::wire::{Echo, Generation, Probe};

/// The volatile state of one resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Pursuit {
    /// Why the resource is not where it should be.
    pub(super) held: Option<String>,
    /// The desired owner holds the resource by its newest grant, and no other host does.
    pub(super) converged: bool,
    /// The resource was settled when it was last evaluated.
    pub(super) settled: bool,
    /// When a former holder's release was last confirmed.
    pub(super) released_at: Option<Time>,
    /// The resource came with a reload. Until this time it is only observed, except if all its hosts have reported it before.
    pub(super) observed_until: Option<Time>,
    /// The latest time at which each host's lease can end.
    pub(super) lease_until: BTreeMap<Name, Time>,
    /// A holder that clients cannot reach, as last reported.
    pub(super) unreachable_holder: Option<Name>,
    /// Hosts that are clear because an operator vouched for them, each up to this generation.
    pub(super) cleared_by_operator: BTreeMap<Name, Generation>,
    /// Several hosts held the resource when it was last evaluated.
    pub(super) two: bool,
    /// What people were notified of already. Each is notified once.
    pub(super) notified: BTreeSet<(Kind, Name)>,
    /// For each host, the beat that the last command answered. Commands are repeated once a beat.
    pub(super) answered: BTreeMap<Name, Echo>,
    /// When a host that got the resource by hand was last told to release it.
    pub(super) repaired: BTreeMap<Name, Time>,
    /// Since when a release has been asked for without effect.
    pub(super) asking_since: BTreeMap<Name, Time>,
    /// What the last grant told the taker to listen for, and the time before which the next grant is not given.
    pub(super) probe: Option<Probe>,
    pub(super) again_at: Option<Time>,
    pub(super) failures: u32,
    /// The grant whose success was reported.
    pub(super) arrived: Option<Generation>,
}

impl Pursuit {
    /// The resource is not where it should be, for this reason.
    pub(super) fn block(&mut self, why: &str) {
        self.converged = false;
        if self.held.as_deref() != Some(why) {
            self.held = Some(why.to_owned());
        }
    }

    /// Forgets that this host may hold the resource.
    pub(super) fn forget(&mut self, host: &str) {
        self.lease_until.remove(host);
        self.asking_since.remove(host);
    }
}
