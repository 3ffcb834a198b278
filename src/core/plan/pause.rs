//! Resources that an operator paused, and hosts that an operator drained.
//!
//! While a resource is paused no host is told to take it or to let it go. Leases and votes of its holder are renewed as before:
//! a pause never makes an address disappear. Therefore a move that has begun when the pause begins is finished first: its former
//! holder was told to let go, and the resource would be nowhere. Intents are recorded and carried out when the pause ends.
//!
//! A drained host gets nothing, and what it has goes to the next host of the resource that can take it. Where there is none, the
//! resource stays. The desired owner stays who it is: when the drain ends, the resource goes back.
//! Tests: `src/core/plan/tests/pause.rs`.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::base::time::Time;
use crate::core::inventory::{Name, Resource};
use crate::core::wire::Presence;

use super::{Instruction, Output, Planner, Record};

/// What a paused planner would do with a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pending {
    /// It is moved to this host.
    Move(Name),
    /// This host is told to take it.
    Take(Name),
    /// This host is told to let it go.
    Release(Name),
}

impl Planner {
    /// From now on these resources are paused, each for this reason, and no others.
    pub fn pause(&mut self, now: Time, paused: BTreeMap<Name, String>, out: &mut Vec<Output>) {
        let before = std::mem::replace(&mut self.paused, paused);
        let names: Vec<Name> = self.resources.keys().cloned().collect();
        for name in names {
            match (before.contains_key(&name), self.paused.contains_key(&name)) {
                (false, true) if self.is_under_way(&name) => self.finish(&name, true, out),
                (true, false) => {
                    self.finish(&name, false, out);
                    self.reconcile(now, &name, out);
                }
                _ => {}
            }
        }
    }

    /// As [`Planner::pause`], at a start: what was under way is known from the journal.
    pub fn begin_paused(&mut self, paused: BTreeMap<Name, String>) {
        self.paused = paused;
    }

    /// From now on these hosts are drained, and no others.
    pub fn drain(&mut self, now: Time, drained: BTreeSet<Name>, out: &mut Vec<Output>) {
        if self.drained != drained {
            self.drained = drained;
            self.reconcile_all(now, out);
        }
    }

    /// As [`Planner::drain`], at a start.
    pub fn begin_drained(&mut self, drained: BTreeSet<Name>) {
        self.drained = drained;
    }

    /// What would be done first if no resource were paused but these, by resource.
    pub fn would_do(&self, now: Time, still_paused: BTreeMap<Name, String>) -> BTreeMap<Name, Vec<Pending>> {
        let mut planner = self.clone();
        let mut outputs = Vec::new();
        planner.pause(now, still_paused, &mut outputs);
        let mut all: BTreeMap<Name, Vec<Pending>> = BTreeMap::new();
        for output in outputs {
            let (resource, pending) = match output {
                Output::Record(Record::Move { resource, to, .. }) => (resource, Pending::Move(to)),
                Output::Record(Record::Ordered { resource, host, order: Instruction::Take, .. }) => {
                    (resource, Pending::Take(host))
                }
                Output::Record(Record::Ordered { resource, host, order: Instruction::Release, .. }) => {
                    (resource, Pending::Release(host))
                }
                _ => continue,
            };
            all.entry(resource).or_default().push(pending);
        }
        all
    }

    /// True when an operator paused the resource.
    pub fn is_paused(&self, name: &str) -> bool {
        self.paused.contains_key(name)
    }

    /// Why the resource is left alone now; `None` when it is not paused, or a move that had begun is being finished.
    pub(super) fn left_alone(&self, name: &str) -> Option<String> {
        let why = self.paused.get(name)?;
        (!self.is_finishing(name)).then(|| why.clone())
    }

    /// Why the resource is paused, for people.
    pub(super) fn pause_reason(&self, name: &str) -> Option<String> {
        let why = self.paused.get(name)?;
        Some(if self.is_finishing(name) { format!("{why}; the move that had begun is finished first") } else { why.clone() })
    }

    pub(super) fn is_finishing(&self, name: &str) -> bool {
        self.ledger.entry(name).is_some_and(|entry| entry.finishing)
    }

    pub(super) fn finish(&mut self, name: &str, finishing: bool, out: &mut Vec<Output>) {
        if self.is_finishing(name) != finishing {
            self.record(Record::Finishing { resource: name.to_owned(), finishing }, out);
        }
    }

    /// A move has begun and has not ended: the last holder was told to let go, or the next one to take it, and nobody has it yet.
    fn is_under_way(&self, name: &str) -> bool {
        let Some(entry) = self.ledger.entry(name) else { return false };
        if entry.current_target.as_ref().is_none_or(|target| entry.banned.contains_key(target)) {
            return false;
        }
        match self.incumbent(name) {
            // What arrived once and is gone was taken off by other hands.
            Some(host) => {
                let granted = entry.placements.get(&host).map(|placement| placement.granted);
                let arrived = self.pursuits.get(name).is_some_and(|p| p.arrived.is_some() && p.arrived == granted);
                !arrived && self.seen(name, &host).holds != Presence::Yes
            }
            None => entry.placements.values().any(|placement| placement.granted != crate::core::wire::Generation::NONE),
        }
    }

    /// A paused resource is where it was brought, and nowhere else.
    pub(super) fn is_in_place(&self, name: &str, resource: &Resource) -> bool {
        let Some(target) = self.ledger.entry(name).and_then(|entry| entry.current_target.as_ref()) else { return false };
        let seen = self.seen(name, target);
        let holds = self.ledger.placement(name, target).is_some_and(|placement| {
            placement.order == Instruction::Take
                && seen.generation == placement.granted
                && seen.want
                && seen.holds == Presence::Yes
        });
        holds && resource.placements.iter().all(|placement| placement.host == *target || self.clear(name, &placement.host))
    }

    /// Why a resource is not brought to this host: it is drained, or clients could not reach the resource there.
    pub(super) fn unfit(&self, name: &str, host: &str) -> Option<String> {
        if self.drained.contains(host) {
            return Some(format!("{host} is drained"));
        }
        self.unreachable_placement(name, host)
    }
}
