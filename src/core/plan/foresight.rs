//! What the planner would do. It is found out with a copy of the planner that decides for real, so no second rule can disagree.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::base::time::Time;
use crate::core::inventory::Name;

use super::intent::{Accepted, Intent};
use super::ledger::{Instruction, Record};
use super::planner::Planner;
use super::turn::Output;

/// What a paused planner would do with a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pending {
    /// Move the resource to this host.
    Move(Name),
    /// Command this host to take it.
    Take(Name),
    /// Command this host to release it.
    Release(Name),
}

impl Planner {
    /// What the planner would do first with each resource if only `still_paused` were paused.
    pub fn would_do(&self, now: Time, still_paused: BTreeMap<Name, String>) -> BTreeMap<Name, Vec<Pending>> {
        let mut planner = self.clone();
        let mut outputs = Vec::new();
        planner.pause(now, still_paused, &mut outputs);
        let mut all: BTreeMap<Name, Vec<Pending>> = BTreeMap::new();
        for output in outputs {
            let (resource, pending) = match output {
                Output::Record(Record::Move { resource, to, .. }) => (resource, Pending::Move(to)),
                Output::Record(Record::Ordered { resource, host, instruction: Instruction::Take, .. }) => {
                    (resource, Pending::Take(host))
                }
                Output::Record(Record::Ordered { resource, host, instruction: Instruction::Release, .. }) => {
                    (resource, Pending::Release(host))
                }
                _ => continue,
            };
            all.entry(resource).or_default().push(pending);
        }
        all
    }

    /// The result that an intent would have now.
    pub fn would_accept(&self, now: Time, intent: Intent) -> Accepted {
        self.with_only(&intent.resource).intent(now, intent, &mut Vec::new())
    }

    /// A copy that knows one resource and the hosts that matter for it: a copy of everything takes long on a large site.
    fn with_only(&self, name: &Name) -> Planner {
        let resource = self.resources.get(name);
        let placed = resource.into_iter().flat_map(|r| r.placements.iter().map(|placement| placement.host.clone()));
        let hosts: BTreeSet<Name> = placed.chain(resource.into_iter().flat_map(|r| r.voting_agents())).collect();
        Planner {
            controller: self.controller,
            resources: resource.map(|r| (name.clone(), r.clone())).into_iter().collect(),
            ledger: self.ledger.with_only(name),
            ways: self.ways.clone(),
            voter: self.voter.clone(),
            electorates: self.electorates.get_key_value(name).map(|(n, e)| (n.clone(), e.clone())).into_iter().collect(),
            views: self.views.iter().filter(|(host, _)| hosts.contains(*host)).map(|(h, v)| (h.clone(), v.clone())).collect(),
            pursuits: self.pursuits.get_key_value(name).map(|(n, p)| (n.clone(), p.clone())).into_iter().collect(),
            started: self.started,
            looks_until: self.looks_until,
            missing_notified: self.missing_notified,
            wake: self.wake,
            hold: self.hold.clone(),
            paused: self.paused.clone(),
            drained: self.drained.clone(),
        }
    }
}
