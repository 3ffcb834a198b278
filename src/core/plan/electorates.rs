//! The voters of each resource.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::core::inventory::{Inventory, Name, Resource, Takeover};
use crate::core::vote::promise_lasts;
use crate::core::wire::Electorate;

use super::ledger::{Granted, Ledger};

/// For each resource: the configured voters (none without `quorum`), and the electorate, which is sent to its voters. These include
/// the voters of grants that may still act.
pub(super) type Electorates = BTreeMap<Name, (Arc<BTreeSet<Name>>, Electorate)>;

/// The voters of each resource: those of its configuration, and those of grants by votes that may still act. Such a holder, or a
/// host that is to take it, needs them, whatever the configuration says by now.
pub(super) fn electorates(inventory: &Inventory, ledger: &Ledger) -> Electorates {
    let of = |(name, resource): (&Name, &Resource)| {
        let configured = if resource.takeover == Takeover::Quorum { resource.voting_agents() } else { BTreeSet::new() };
        let granted = granted_by_votes(ledger, name).flat_map(|g| g.terms.voters.iter().cloned());
        let all: BTreeSet<Name> = configured.iter().cloned().chain(granted).collect();
        let address = |host: &Name| inventory.hosts.get(host).and_then(crate::core::inventory::Host::peer);
        let peers = all.iter().map(|host| (host.clone(), address(host))).collect();
        let placements = resource.placements.iter().map(|s| s.host.clone()).collect();
        let electorate = Electorate { placements, peers, longest: promise_lasts(resource.isolation) };
        (!all.is_empty()).then(|| (name.clone(), (Arc::new(configured), electorate)))
    };
    inventory.resources.iter().filter_map(of).collect()
}

/// The grants by votes that may still act.
pub(super) fn granted_by_votes<'l>(ledger: &'l Ledger, name: &str) -> impl Iterator<Item = &'l Granted> {
    let placements = ledger.entry(name).into_iter().flat_map(|e| e.placements.values());
    placements.flat_map(|s| s.outstanding()).flatten().filter(|g| g.terms.takeover == Takeover::Quorum)
}

/// The longest promise that an inventory allows. A controller that starts waits for it even if its journal has no promise: the
/// journal may be an older copy, or empty because somebody deleted it.
pub(super) fn longest_configured(inventory: &Inventory) -> Duration {
    let voted = inventory.resources.values().filter(|r| r.takeover == Takeover::Quorum);
    voted.map(|r| promise_lasts(r.isolation)).max().unwrap_or_default()
}
