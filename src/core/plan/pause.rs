//! Resources that an operator paused, and hosts that an operator drained.
//!
//! While a resource is paused no host is commanded to take or release it. Leases and votes of its holder are renewed as before: a
//! pause never makes an address disappear. For the same reason a move that began before the pause is finished first: its former
//! holder was commanded to release it, and otherwise no host would have it. Intents are recorded, and carried out when the
//! pause ends.
//!
//! A drained host gets nothing, and what it holds goes to the next host of the resource that can take it. If there is none, the
//! resource stays. The desired owner does not change: when the drain ends, the resource goes back. Tests:
//! `src/core/plan/tests/pause.rs`.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::base::time::Time;
use crate::core::inventory::{Name, Resource};
use crate::core::wire::{Generation, Presence};

use super::ledger::{Instruction, Record};
use super::planner::Planner;
use super::turn::Output;

impl Planner {
    /// Sets the paused resources, each with its reason. All others are not paused.
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

    /// As [`Planner::pause`], at a start: moves that had begun are known from the journal.
    pub fn begin_paused(&mut self, paused: BTreeMap<Name, String>) {
        self.paused = paused;
    }

    /// Sets the drained hosts. All others are not drained.
    pub fn drain(&mut self, now: Time, drained: BTreeSet<Name>, out: &mut Vec<Output>) {
        if self.drained != drained {
            self.drained = drained;
            self.reconcile_all(now, out);
        }
    }

    /// True if the resource is where it should be now: it is settled, or its desired owner is drained and the host that
    /// replaces it is the only holder.
    pub fn is_as_wanted(&self, resource: &str) -> bool {
        self.settled(resource) || self.replaces_drained(resource)
    }

    fn replaces_drained(&self, resource: &str) -> bool {
        let Some(entry) = self.ledger.entry(resource) else { return false };
        let (Some(desired), Some(target)) = (&entry.desired_owner, &entry.current_target) else { return false };
        self.drained.contains(&desired.host) && !self.drained.contains(target) && self.holders(resource).iter().eq([target])
    }

    /// As [`Planner::drain`], at a start.
    pub fn begin_drained(&mut self, drained: BTreeSet<Name>) {
        self.drained = drained;
    }

    /// True if an operator paused the resource.
    pub fn is_paused(&self, name: &str) -> bool {
        self.paused.contains_key(name)
    }

    /// Why the planner sends no commands for the resource; `None` if it is not paused, or if a move that began before is being
    /// finished.
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

    /// True if a move is under way: the last holder was commanded to release it or the next one to take it, and no host has the
    /// resource yet.
    fn is_under_way(&self, name: &str) -> bool {
        let Some(entry) = self.ledger.entry(name) else { return false };
        if entry.current_target.as_ref().is_none_or(|target| entry.banned.contains_key(target)) {
            return false;
        }
        match self.incumbent(name) {
            // The resource had arrived and is gone: somebody took it off by hand.
            Some(host) => {
                let granted = entry.placements.get(&host).map(|placement| placement.granted);
                let arrived = self.pursuits.get(name).is_some_and(|p| p.arrived.is_some() && p.arrived == granted);
                !arrived && self.seen(name, &host).holds != Presence::Yes
            }
            None => entry.placements.values().any(|placement| placement.granted != Generation::NONE),
        }
    }

    /// True if a paused resource is where it was brought, and nowhere else.
    pub(super) fn is_in_place(&self, name: &str, resource: &Resource) -> bool {
        let Some(target) = self.ledger.entry(name).and_then(|entry| entry.current_target.as_ref()) else { return false };
        let seen = self.seen(name, target);
        let holds = self.ledger.placement(name, target).is_some_and(|placement| {
            placement.instruction == Instruction::Take
                && seen.generation == placement.granted
                && seen.want
                && seen.holds == Presence::Yes
        });
        holds && resource.placements.iter().all(|placement| placement.host == *target || self.clear(name, &placement.host))
    }

    /// Why the resource is not brought to this host: the host is drained, or clients could not reach the resource there.
    pub(super) fn unfit(&self, name: &str, host: &str) -> Option<String> {
        if self.drained.contains(host) {
            return Some(format!("{host} is drained"));
        }
        self.unreachable_placement(name, host)
    }
}
