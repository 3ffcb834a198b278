//! Open claims: the newest claim of a pair moves the pair's resource, however its runs end.
//!
//! Rules decide whether a claim moves anything. An alarm that is dry, off, not approved or throttled starts nothing, and the
//! claim is not opened. A reaction that ends well has decided, even if it moved nothing. But a run that fails, or is refused,
//! replaced or lost, was an accident. The claim stays open then, and its intent goes directly to the planner, with the sequence
//! of the claim.

use std::collections::VecDeque;

use crate::core::base::time::Time;
use crate::core::engine::ClaimStatus;
use crate::core::inventory::Name;
use crate::core::notice::{Kind, Notice};
use crate::core::plan::{Accepted, Intent, IntentVerb};

use super::{Controller, Output, Task};

/// A late claim that is the newest of its pair.
pub(super) struct LateClaim {
    pub(super) pair: Name,
    pub(super) resource: Name,
    pub(super) host: Name,
    pub(super) sequence: u64,
    /// When the claim was probably written; `None` for a claim from a backlog, which was there before the start.
    pub(super) written: Option<Time>,
}

impl Controller {
    /// A run that was started for a claim has ended, or could not be started.
    pub(super) fn claim_run_ended(&mut self, sequence: u64, well: bool, tasks: &mut VecDeque<Task>) {
        let mut outputs = Vec::new();
        let state = self.engine.state();
        let status = state.open_claim(sequence).and_then(|app| state.claim(app)).map(|claim| claim.status);
        if !well {
            self.engine.claim_failed(sequence, &mut outputs);
        } else if status == Some(ClaimStatus::Open)
            && !self.runs.is_under_way(sequence)
            && self.overrides.withholds(sequence).is_none()
        {
            self.engine.claim_done(sequence, &mut outputs);
        }
        tasks.extend(outputs.into_iter().map(Task::Alarmed));
        self.claims_due.insert(sequence);
    }

    /// Carries out the claims that no run carries out any more.
    pub(super) fn carry_out_claims(&mut self, now: Time, out: &mut Vec<Output>) -> VecDeque<Task> {
        let mut tasks = VecDeque::new();
        for sequence in std::mem::take(&mut self.claims_due) {
            if self.engine.state().open_claim(sequence).is_none() || self.runs.is_under_way(sequence) {
                continue;
            }
            if self.claim_is_withheld(now, sequence, out) {
                continue;
            }
            if let Some((pair, app, intent)) = self.intent_of_claim(sequence) {
                let says = if intent.verb == IntentVerb::Up { "primary" } else { "backup" };
                let (resource, host) = (intent.resource.clone(), intent.host.clone());
                let moved = match (self.intend(now, intent, &mut tasks, out), says) {
                    (Accepted::Yes | Accepted::Held, "primary") => Some(format!("{resource} goes to {host}")),
                    (Accepted::Yes | Accepted::Held, _) => Some(format!("{resource} leaves {host}")),
                    (Accepted::Superseded, _) => None,
                    (Accepted::Unknown, _) => Some(format!("{resource} has no placement on {host}, so nothing is moved")),
                };
                if let Some(moved) = moved {
                    let text = format!(
                        "{app} claims to be {says} of {pair}, and no reaction has carried that out (it failed, was withheld or could not be started, or its alarm was active already): {moved}"
                    );
                    out.push(Output::Notice(Notice {
                        resource: Some(resource),
                        host: Some(host),
                        pair: Some(pair),
                        ..Notice::new(Kind::ClaimApplied, text)
                    }));
                }
            }
            let mut outputs = Vec::new();
            self.engine.claim_done(sequence, &mut outputs);
            tasks.extend(outputs.into_iter().map(Task::Alarmed));
        }
        tasks
    }

    /// What the claim with this sequence asks of its pair's resource; `None` if this claim or something newer has moved the
    /// resource.
    pub(super) fn intent_of_claim(&self, sequence: u64) -> Option<(Name, Name, Intent)> {
        let state = self.engine.state();
        let app = state.open_claim(sequence)?;
        let claim = state.claim(app)?;
        let (pair_name, pair) = self.inventory.pair_of(app)?;
        let resource = pair.resource.clone()?;
        let host = self.inventory.host_of(app)?.clone();
        let other = if *app == pair.primary { &pair.backup } else { &pair.primary };
        let newer_primary = state.claim(other).is_some_and(|c| c.primary && c.sequence > sequence);
        let entry = self.planner.ledger().entry(&resource);
        let desired_owner = entry.and_then(|e| e.desired_owner.as_ref());
        let decided = if claim.primary {
            newer_primary || desired_owner.is_some_and(|w| w.sequence >= sequence)
        } else {
            desired_owner.is_some_and(|w| w.host != host || w.sequence > sequence)
                || entry.is_some_and(|e| e.banned.get(&host).is_some_and(|by| *by >= sequence))
        };
        if decided {
            return None;
        }
        let verb = if claim.primary { IntentVerb::Up } else { IntentVerb::Down };
        let at = Some(claim.written);
        Some((pair_name.clone(), app.clone(), Intent { resource, verb, host, sequence, operator: false, at }))
    }

    /// Handles a late claim that is the newest of its pair, if rules would have moved the resource for it.
    pub(super) fn catch_up(&mut self, now: Time, late: LateClaim, tasks: &mut VecDeque<Task>, out: &mut Vec<Output>) {
        let LateClaim { pair, resource, host, sequence, written } = late;
        let entry = self.planner.ledger().entry(&resource);
        let desired_owner = entry.and_then(|e| e.desired_owner.as_ref());
        // What counts is when the desired owner was decided. Its move may have waited since, for the end of a pause or of a drain.
        // An owner that was found at the start (its sequence is 0) was not decided, and makes no claim outdated.
        let decided = desired_owner.filter(|w| w.sequence > 0);
        let decided_at = decided.and_then(|w| w.at.or_else(|| entry.and_then(|e| e.moves.back()).copied()));
        let here = desired_owner.is_some_and(|w| w.host == host);
        let notice = |kind: Kind, text: String| {
            Output::Notice(Notice {
                resource: Some(resource.clone()),
                host: Some(host.clone()),
                pair: Some(pair.clone()),
                ..Notice::new(kind, text)
            })
        };
        if !here && written.is_some_and(|written| decided_at.is_some_and(|decided| decided > written)) {
            let text = format!(
                "{host} claimed to be primary of {pair} in a record that arrived late. A newer claim or command has decided where {resource} is, so it stays there. If {host} is primary now, run `pointsman move {resource} {host}`"
            );
            return out.push(notice(Kind::ClaimOutdated, text));
        }
        let at = Some(written.unwrap_or(now));
        let intent =
            Intent { resource: resource.clone(), verb: IntentVerb::Up, host: host.clone(), sequence, operator: false, at };
        match self.intend(now, intent, tasks, out) {
            Accepted::Superseded => {}
            Accepted::Unknown => {
                out.push(notice(Kind::Unknown, format!("{resource} cannot be on {host}; see `pointsman resources`")))
            }
            Accepted::Yes | Accepted::Held => {
                let when = if written.is_some() { "in a record that arrived late" } else { "while nobody listened" };
                let text = format!(
                    "{host} claimed to be primary of {pair} {when}, and no other claim contradicts it: {resource} goes there"
                );
                out.push(notice(Kind::CatchUp, text));
            }
        }
    }

    /// Continues with claims that were open when the controller stopped.
    pub(super) fn begin_claims(&mut self) {
        self.claims_due = self.engine.state().open_claims().collect();
    }

    /// Takes from the engine that this claim is open.
    pub(super) fn claim_opened(&mut self, sequence: u64) {
        self.claims_due.insert(sequence);
    }
}
