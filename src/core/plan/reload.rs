//! Another inventory: resources and hosts come and go while everything else continues.
//!
//! A holder continues on the terms of its grant until it gets a new grant, which happens as soon as that is safe. Evidence
//! follows from what was granted (I1), so policies, voters and times may change at any time. What a resource is and how a host is
//! reached may not change while an earlier grant may still act: the same name would mean two things.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::core::base::limits::SETTLE;
use crate::core::base::time::Time;
use crate::core::inventory::{Inventory, Name, ResourceKind, Via};
use crate::core::notice::{Kind, Notice};
use crate::core::wire::Presence;

use super::ledger::{Ledger, PlacementLedger, Record, ResourceLedger};
use super::planner::Planner;
use super::turn::Output;

/// A host that holds, or may hold, a resource which an inventory does not have there any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    pub resource: Name,
    pub host: Name,
    /// What differs in the inventory.
    pub why: Why,
}

/// Why an inventory does not cover what a host may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The inventory does not have the resource, or not on this host.
    Gone,
    /// The resource has another address or port.
    OtherAddress,
    /// The host is reached in another way: the command would go to another agent than the one that was commanded to hold the
    /// resource.
    OtherWay,
}

/// What hosts may hold according to the journal alone, and the inventory does not have there.
pub fn left_by(ledger: &Ledger, after: &Inventory) -> Vec<Left> {
    let all = ledger
        .entries()
        .flat_map(|(resource, entry)| entry.placements.iter().map(move |(host, placement)| (resource, host, placement)));
    let left = |(resource, host, placement): (&Name, &Name, &PlacementLedger)| {
        let why = placement.outstanding().into_iter().find_map(|granted| {
            let (what, via) = granted.map(|g| (&g.what, g.via)).unzip();
            uncovered(after, resource, host, what, via)
        })?;
        Some(Left { resource: resource.clone(), host: host.clone(), why })
    };
    all.filter_map(left).collect()
}

/// Why an inventory does not cover a resource on a host. `what` and `via` describe the grant, if they are known.
fn uncovered(after: &Inventory, resource: &str, host: &str, what: Option<&ResourceKind>, via: Option<Via>) -> Option<Why> {
    let (Some(r), Some(h)) = (after.resources.get(resource), after.hosts.get(host)) else {
        return Some(Why::Gone);
    };
    if !r.placements.iter().any(|s| s.host == host) {
        Some(Why::Gone)
    } else if what.is_some_and(|what| *what != r.what) {
        Some(Why::OtherAddress)
    } else if via.is_some_and(|via| via != h.via) {
        Some(Why::OtherWay)
    } else {
        None
    }
}

impl Planner {
    /// What hosts hold, or may hold, and the inventory does not have there any more.
    pub fn left_by(&self, after: &Inventory) -> Vec<Left> {
        let seen = |name: &str, host: &str| {
            self.views.get(host).map(|v| v.seen(name)).is_some_and(|seen| seen.holds == Presence::Yes || seen.want)
        };
        let placements = self.resources.iter().flat_map(|(name, r)| r.placements.iter().map(move |s| (name, r, &s.host)));
        let held = placements.filter(|(name, _, host)| seen(name, host));
        let held = held.filter_map(|(name, r, host)| {
            let why = uncovered(after, name, host, Some(&r.what), self.ways.get(host).copied())?;
            Some(Left { resource: name.clone(), host: host.clone(), why })
        });
        let all: BTreeSet<Left> = held.chain(left_by(&self.ledger, after)).collect();
        all.into_iter().collect()
    }

    /// Takes over another inventory. What is left on hosts that do not have the resource any more is reported.
    pub fn reload(&mut self, now: Time, after: &Inventory, out: &mut Vec<Output>) {
        let mut gone = self.gone(after);
        for left in self.left_by(after) {
            let Left { resource, host, why } = left;
            if why != Why::Gone {
                gone.push((resource.clone(), Some(host.clone())));
            }
            let text =
                format!("{resource} is not managed on {host} any more, and {host} may still hold it: remove it there by hand");
            out.push(Output::Notice(Notice { resource: Some(resource), host: Some(host), ..Notice::new(Kind::Abandoned, text) }));
        }
        for (resource, host) in gone {
            if let (Some(host), Some(pursuit)) = (&host, self.pursuits.get_mut(&resource)) {
                pursuit.forget(host);
            }
            self.record(Record::Dropped { resource, host }, out);
        }
        self.ways = after.hosts.iter().map(|(name, host)| (name.clone(), host.via)).collect();
        self.replace_electorates(after, out);
        let mut others = false;
        for (name, new) in &after.resources {
            let before = self.resources.get(name);
            let resource = Arc::new(new.clone());
            let known: BTreeSet<&Name> = before.into_iter().flat_map(|r| &r.placements).map(|s| &s.host).collect();
            let pursuit = self.pursuits.entry(name.clone()).or_default();
            for placement in resource.placements.iter().filter(|s| !known.contains(&s.host)) {
                // As after a start: the host may hold the resource, and nothing is known of it.
                pursuit.forget(&placement.host);
                others = true;
            }
            if before.is_none() {
                pursuit.observed_until = Some(now + SETTLE);
            }
            self.resources.insert(name.clone(), resource);
        }
        self.resources.retain(|name, _| after.resources.contains_key(name));
        self.pursuits.retain(|name, _| after.resources.contains_key(name));
        self.views.retain(|host, _| after.hosts.contains_key(host));
        for host in after.hosts.keys() {
            self.views.entry(host.clone()).or_default();
        }
        if others {
            (self.looks_until, self.missing_notified) = (now + SETTLE, false);
            self.wake_at(now + SETTLE);
        }
        let names: Vec<Name> = self.resources.keys().cloned().collect();
        for name in names {
            self.reconcile(now, &name, out);
        }
    }

    /// What the ledger has and the inventory does not: whole resources (`None`), and single hosts of other resources.
    fn gone(&self, after: &Inventory) -> Vec<(Name, Option<Name>)> {
        let mut gone = Vec::new();
        for (name, entry) in self.ledger.entries() {
            if !after.resources.contains_key(name) {
                gone.extend((*entry != ResourceLedger::dropped(entry.generation)).then(|| (name.clone(), None)));
                continue;
            }
            let desired = entry.desired_owner.as_ref().map(|w| &w.host);
            let hosts: BTreeSet<&Name> = entry.placements.keys().chain(entry.banned.keys()).chain(desired).collect();
            let left = |host: &&Name| uncovered(after, name, host, None, None).is_some();
            gone.extend(hosts.into_iter().filter(left).map(|host| (name.clone(), Some(host.clone()))));
        }
        gone
    }
}
