//! How a resource stands: where it should be, which hosts have it or may have it, and why it is not elsewhere.

use crate::core::inventory::Name;
use crate::core::wire::{LocalPlacement, Presence, ResourceStatus};

use super::host_view::HostView;
use super::ledger::{Instruction, PlacementLedger};
use super::planner::Planner;

/// Where a resource should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Unknown: the planner touches nothing.
    Unknown,
    /// On no host: the desired owner was told to release it.
    Nobody,
    Host(Name),
}

impl Planner {
    /// The desired owner; `None` while it is unknown.
    pub fn owner(&self, resource: &str) -> Option<&Name> {
        self.ledger.entry(resource)?.desired_owner.as_ref().map(|w| &w.host)
    }

    /// The hosts that hold the resource, as their agents report now.
    pub fn holders(&self, resource: &str) -> Vec<Name> {
        self.hosts_with(resource).filter(|host| self.reachable(host)).cloned().collect()
    }

    /// The hosts of which nothing is heard and which held the resource when they were last heard.
    pub fn unheard_holders(&self, resource: &str) -> Vec<Name> {
        self.hosts_with(resource).filter(|host| !self.reachable(host)).cloned().collect()
    }

    /// The hosts whose last report says that they hold the resource.
    fn hosts_with<'p>(&'p self, resource: &'p str) -> impl Iterator<Item = &'p Name> {
        self.views.keys().filter(|host| self.seen(resource, host).holds == Presence::Yes)
    }

    /// Why the planner does not bring the resource to its desired owner; `None` if it is not blocked.
    pub fn held(&self, resource: &str) -> Option<String> {
        if let Some(why) = self.hold.as_ref().filter(|_| self.pursuits.contains_key(resource)) {
            return Some(why.clone());
        }
        if let Some(why) = self.pause_reason(resource) {
            return Some(why);
        }
        if let Some(entry) = self.ledger.entry(resource)
            && let (Some(until), Some(desired_owner)) = (entry.held_until, &entry.desired_owner)
            && entry.current_target.as_ref() != Some(&desired_owner.host)
        {
            return Some(format!("too many moves: it goes to {} at {until}", desired_owner.host));
        }
        if let Some(why) = self.diverted(resource).or_else(|| self.stays_drained(resource)) {
            return Some(why);
        }
        self.pursuits.get(resource)?.held.clone()
    }

    /// True if the desired owner holds the resource by its newest grant and no other host does.
    pub fn settled(&self, resource: &str) -> bool {
        let paused =
            self.ledger.entry(resource).is_some_and(|e| e.desired_owner.as_ref().map(|w| &w.host) != e.current_target.as_ref());
        let heard = self.owner(resource).is_some_and(|owner| self.reachable(owner));
        let sole = self.holders(resource).len() <= 1;
        sole && self.pursuits.get(resource).is_some_and(|p| p.converged) && !paused && (heard || self.owner(resource).is_none())
    }

    /// What a host reported of a resource. What it reports of an address other than the configured one is ignored.
    pub(super) fn seen(&self, name: &str, host: &str) -> ResourceStatus {
        let seen = self.views.get(host).map(|v| v.seen(name)).unwrap_or_default();
        if self.differs_on(name, host).is_some() { ResourceStatus { holds: Presence::Unknown, ..seen } } else { seen }
    }

    /// True if the host's agent reported recently.
    pub fn reachable(&self, host: &str) -> bool {
        self.views.get(host).is_some_and(HostView::reachable)
    }

    /// True if no command that was ever sent to this host can make it hold the resource, and it does not report to hold it.
    pub(super) fn clear(&self, name: &str, host: &str) -> bool {
        let fenced = self.ledger.placement(name, host).is_some_and(PlacementLedger::is_fenced);
        let seen = self.seen(name, host);
        // A host that was passed over and is connected again may still take the resource by an old command.
        fenced && !(self.reachable(host) && (seen.holds == Presence::Yes || seen.want))
    }

    pub(super) fn target(&self, name: &str) -> Target {
        let Some(entry) = self.ledger.entry(name) else {
            return Target::Unknown;
        };
        let (Some(desired_owner), Some(current_target)) = (&entry.desired_owner, &entry.current_target) else {
            return Target::Unknown;
        };
        if entry.held_until.is_none() && desired_owner.host == *current_target && entry.banned.contains_key(current_target) {
            return Target::Nobody;
        }
        Target::Host(current_target.clone())
    }

    /// The host that was last told to take the resource, and got no other command since.
    pub(super) fn incumbent(&self, name: &str) -> Option<Name> {
        let entry = self.ledger.entry(name)?;
        let taking = entry.placements.iter().filter(|(_, s)| s.instruction == Instruction::Take);
        taking.max_by_key(|(_, s)| s.granted).map(|(h, _)| h.clone())
    }

    pub(super) fn has_placement(&self, resource: &str, host: &str) -> bool {
        self.resources.get(resource).is_some_and(|r| r.placements.iter().any(|s| s.host == host))
    }

    /// What the host's own list says about a resource, if that differs from the configuration.
    pub(super) fn differs_on(&self, resource: &str, host: &str) -> Option<&LocalPlacement> {
        let place = self.views.get(host)?.places.get(resource)?;
        (place.what != self.resources.get(resource)?.what).then_some(place)
    }

    /// Why the host's own list keeps it from taking the resource; `None` if the list agrees, or is not known.
    pub(super) fn list_fault(&self, name: &str, host: &str) -> Option<String> {
        let what = &self.resources.get(name)?.what;
        if let Some(place) = self.differs_on(name, host) {
            return Some(format!("{host}'s own list says that {name} is {}, and the configuration says {what}", place.what));
        }
        // An agent reports every resource of its list.
        let view = self.views.get(host).filter(|view| view.reachable())?;
        (!view.resources.contains_key(name))
            .then(|| format!("{host}'s own list does not have {name}, and the configuration does"))
    }
}
