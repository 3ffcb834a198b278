//! Another inventory: resources and hosts come and go while all else goes on.
//!
//! What a holder was told when it was granted a resource (policy, terms, witnesses, and what the resource is) stays as it was until
//! the next start: it may be out of reach, and then keeps what it was told, not what is written now (I1).

use std::collections::BTreeSet;

use crate::base::limits::SETTLE;
use crate::base::time::Time;
use crate::inventory::{Inventory, Name, Resource};
use crate::wire::{Generation, Holds};

use super::reconcile::Pursuit;
use super::{Entry, Ledger, Notice, Output, Planner, Record};

/// A host that has, or could have, what an inventory does not have there any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// Which resource.
    pub resource: Name,
    /// On which host.
    pub host: Name,
}

/// The keys of a resource that change only with a start.
fn needs_a_start(before: &Resource, after: &Resource) -> Vec<&'static str> {
    let changed = [
        ("address", before.what != after.what),
        ("takeover", before.takeover != after.takeover),
        ("witnesses", before.witnesses != after.witnesses),
        ("term", before.term != after.term),
        ("isolation", before.isolation != after.isolation),
    ];
    changed.into_iter().filter_map(|(key, is)| is.then_some(key)).collect()
}

/// What the journal alone says that hosts may have and the inventory does not have there.
pub fn left_by(ledger: &Ledger, after: &Inventory) -> Vec<Left> {
    let granted = |(host, seat): (&Name, &super::ledger::SeatLedger)| {
        let may = seat.granted != Generation::NONE && seat.fenced.is_none_or(|f| f < seat.granted);
        may.then(|| host.clone())
    };
    let all = ledger.entries().flat_map(|(resource, entry)| {
        let hosts = entry.seats.iter().filter_map(granted).collect::<Vec<_>>();
        hosts.into_iter().map(|host| Left { resource: resource.clone(), host })
    });
    all.filter(|left| !has(after, left)).collect()
}

fn has(inventory: &Inventory, left: &Left) -> bool {
    inventory.hosts.contains_key(&left.host)
        && inventory.resources.get(&left.resource).is_some_and(|r| r.seats.iter().any(|s| s.host == left.host))
}

impl Planner {
    /// What hosts have, or could have, and the inventory does not have there any more.
    pub fn left_by(&self, after: &Inventory) -> Vec<Left> {
        let seen = |name: &str, host: &str| {
            self.views.get(host).map(|v| v.seen(name)).is_some_and(|seen| seen.holds == Holds::Yes || seen.want)
        };
        let seats = self.resources.iter().flat_map(|(name, r)| r.seats.iter().map(move |s| (name, &s.host)));
        let held = seats.filter(|(name, host)| seen(name, host));
        let held = held.map(|(name, host)| Left { resource: name.clone(), host: host.clone() });
        let all: BTreeSet<Left> = held.filter(|left| !has(after, left)).chain(left_by(&self.ledger, after)).collect();
        all.into_iter().collect()
    }

    /// The keys of resources that are other than what is in force, and come into force with a start.
    pub fn needs_a_start(&self, after: &Inventory) -> Vec<(Name, Vec<&'static str>)> {
        let keys = |(name, new): (&Name, &Resource)| Some((name.clone(), needs_a_start(self.resources.get(name)?, new)));
        after.resources.iter().filter_map(keys).filter(|(_, keys)| !keys.is_empty()).collect()
    }

    /// Goes on with another inventory. What is left on hosts that do not have it any more is told.
    pub fn reload(&mut self, now: Time, after: &Inventory, out: &mut Vec<Output>) {
        for left in self.left_by(after) {
            let Left { resource, host } = left;
            let text = format!(
                "{resource} is not looked after on {host} any more, and {host} may have it: take it off there by hand, or nobody will"
            );
            out.push(Output::Notice(Notice { kind: "abandoned", resource, host: Some(host), text }));
        }
        for (resource, host) in self.gone(after) {
            if let (Some(host), Some(pursuit)) = (&host, self.pursuits.get_mut(&resource)) {
                pursuit.forget(host);
            }
            self.record(Record::Dropped { resource, host }, out);
        }
        let mut others = false;
        for (name, new) in &after.resources {
            let before = self.resources.get(name);
            let resource = match before {
                Some(old) => Resource {
                    what: old.what.clone(),
                    takeover: old.takeover,
                    witnesses: old.witnesses.clone(),
                    term: old.term,
                    isolation: old.isolation,
                    ..new.clone()
                },
                None => new.clone(),
            };
            let known: BTreeSet<&Name> = before.into_iter().flat_map(|r| &r.seats).map(|s| &s.host).collect();
            let pursuit = self.pursuits.entry(name.clone()).or_default();
            for seat in resource.seats.iter().filter(|s| !known.contains(&s.host)) {
                // As after a start: it may have it by a lease of which nothing is known.
                pursuit.lease_until.insert(seat.host.clone(), now + resource.term);
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
            (self.looks_until, self.missing_told) = (now + SETTLE, false);
            self.wake_at(now + SETTLE);
        }
        let names: Vec<Name> = self.resources.keys().cloned().collect();
        for name in names {
            self.reconcile(now, &name, out);
        }
    }

    /// What the ledger knows and the inventory does not have: whole resources, and single hosts of others.
    fn gone(&self, after: &Inventory) -> Vec<(Name, Option<Name>)> {
        let mut gone = Vec::new();
        for (name, entry) in self.ledger.entries() {
            if !after.resources.contains_key(name) {
                let numbers_only = Entry { generation: entry.generation, ..Entry::default() };
                gone.extend((*entry != numbers_only).then(|| (name.clone(), None)));
                continue;
            }
            let wished = entry.wish.as_ref().map(|w| &w.host);
            let hosts: BTreeSet<&Name> = entry.seats.keys().chain(entry.banned.keys()).chain(wished).collect();
            let left = |host: &&Name| !has(after, &Left { resource: name.clone(), host: (*host).clone() });
            gone.extend(hosts.into_iter().filter(left).map(|host| (name.clone(), Some(host.clone()))));
        }
        gone
    }
}

impl Pursuit {
    /// A host can't have it any more.
    fn forget(&mut self, host: &str) {
        self.lease_until.remove(host);
        self.asking_since.remove(host);
    }
}
