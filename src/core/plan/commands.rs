//! Commands to agents, with what each must carry: its generation, the beat that it answers, terms and votes.

use std::collections::BTreeMap;

use crate::core::base::time::Time;
use crate::core::inventory::{Name, Takeover};
use crate::core::wire::{Action, Command, Generation, Presence, Probe};

use super::ledger::{Granted, Instruction, Record};
use super::planner::Planner;
use super::turn::{MoveStep, Output};

impl Planner {
    /// Renews leases and votes before anything else: the incumbent's are renewed with every beat until it is told to release.
    pub(super) fn renew(&mut self, now: Time, name: &str, out: &mut Vec<Output>) {
        let Some(host) = self.incumbent(name) else {
            return;
        };
        let Some(granted) = self.ledger.placement(name, &host).map(|s| s.granted) else {
            return;
        };
        let Some(terms) = self.granted_terms(name, &host) else {
            return;
        };
        let seen = self.seen(name, &host);
        // A host that does not hold the resource yet gets its grant by the repeated Take.
        let holds = terms.takeover == Takeover::Lease || (terms.takeover == Takeover::Quorum && seen.holds == Presence::Yes);
        let wanted = holds && self.can_send(name, &host) && seen.want && seen.generation == granted;
        if wanted && (terms.takeover == Takeover::Lease || self.vote(now, name, &host, granted, &terms)) {
            self.send(now, name, &host, granted, Action::Renew, out);
        }
    }

    pub(super) fn instruct(
        &mut self,
        name: &str,
        host: &Name,
        instruction: Instruction,
        generation: Generation,
        granted: Option<Granted>,
        out: &mut Vec<Output>,
    ) {
        let granted = granted.map(Box::new);
        let record = Record::Ordered { resource: name.to_owned(), host: host.clone(), instruction, generation, granted };
        self.record(record, out);
        self.pursue(name).answered.remove(host);
        let verb = match instruction {
            Instruction::Take => "take",
            Instruction::Release => "release",
        };
        out.push(Output::Step(MoveStep { resource: name.to_owned(), host: host.clone(), verb, generation }));
    }

    /// Sends a Take on the terms that the journal has, with the controller's vote if it gives one.
    pub(super) fn take(
        &mut self,
        now: Time,
        name: &str,
        host: &Name,
        generation: Generation,
        probe: Probe,
        out: &mut Vec<Output>,
    ) {
        let Some(terms) = self.granted_terms(name, host).filter(|_| self.can_send(name, host)) else {
            return;
        };
        let vote = self.vote(now, name, host, generation, &terms);
        let clear = if terms.takeover == Takeover::Quorum { self.known_clear(name, host) } else { BTreeMap::new() };
        self.send(now, name, host, generation, Action::Take { probe, terms, vote, clear }, out);
    }

    /// True if the host is connected and its last beat was not answered by a command yet.
    pub(super) fn can_send(&self, name: &str, host: &str) -> bool {
        let Some(echo) = self.views.get(host).filter(|v| v.reachable()).map(|v| v.beat) else {
            return false;
        };
        self.pursuits.get(name).is_none_or(|p| p.answered.get(host) != Some(&echo))
    }

    /// Sends a command, at most once a beat. A command that was not obeyed by the next beat is repeated.
    pub(super) fn send(
        &mut self,
        now: Time,
        name: &str,
        host: &Name,
        generation: Generation,
        action: Action,
        out: &mut Vec<Output>,
    ) {
        let Some(echo) = self.views.get(host).map(|v| v.beat).filter(|_| self.can_send(name, host)) else {
            return;
        };
        self.pursue(name).answered.insert(host.clone(), echo);
        if let (Action::Take { .. } | Action::Renew, Some(terms)) = (&action, self.granted_terms(name, host)) {
            let until = now + terms.term;
            let ends = self.pursue(name).lease_until.entry(host.clone()).or_insert(until);
            *ends = (*ends).max(until);
        }
        let command = Command { controller: self.controller, resource: name.to_owned(), generation, echo, action };
        out.push(Output::Send(host.clone(), command));
    }
}
