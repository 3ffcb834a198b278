//! Grants a resource to the host that should hold it, as soon as no other host can hold it.

use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::inventory::{Name, Resource, Takeover};
use crate::core::notice::Kind;
use crate::core::wire::{Generation, Presence, Probe, StatusNote};

use super::evidence::Proof;
use super::host_view::HostView;
use super::ledger::{Granted, Instruction};
use super::planner::Planner;
use super::turn::{MoveStep, Output};

/// Delay before a failed take is commanded again. It doubles each time.
const TAKE_AGAIN: Duration = Duration::from_secs(1);
const TAKE_AGAIN_MAX: Duration = Duration::from_secs(10);

impl Planner {
    /// Grants the resource to its owner as soon as no other host can hold it.
    pub(super) fn grant(&mut self, now: Time, name: &str, resource: &Resource, owner: &Name, out: &mut Vec<Output>) {
        let others: Vec<Name> =
            resource.placements.iter().map(|s| &s.host).filter(|h| *h != owner && !self.clear(name, h)).cloned().collect();
        let placement = self.ledger.placement(name, owner);
        let (instruction, ordered, granted) = placement.map(|p| (p.instruction, p.ordered, p.granted)).unwrap_or_default();
        let voted = placement.and_then(|p| p.newest()).is_some_and(|g| g.terms.takeover == Takeover::Quorum);
        let seen = self.seen(name, owner);
        if instruction == Instruction::Take && seen.generation == granted && seen.want && seen.holds == Presence::Yes {
            self.arrived(now, name, owner, others, granted, out);
            return self.renegotiate(now, name, resource, owner, out);
        }
        self.pursue(name).converged = false;
        if !self.reachable(owner) {
            let text = format!("{name} should be on {owner}, whose agent does not report; it goes there when the host is back");
            self.notice(name, Kind::OwnerUnreachable, owner, text, out);
            return self.block(name, "its owner is not reachable");
        }
        if !self.views.get(owner).is_some_and(HostView::obeys) {
            return self.block(name, "its owner obeys another controller");
        }
        if let Some(why) = self.unfit(name, owner).filter(|_| !self.is_finishing(name)) {
            self.notice(name, Kind::PlacementUnreachable, owner, format!("{name} can't be taken by {owner}: {why}"), out);
            return self.block(name, &why);
        }
        if let Some(fault) = self.list_fault(name, owner) {
            self.notice(name, Kind::ListDiffers, owner, format!("{fault}; it is not taken there until both agree"), out);
            return self.block(name, &fault);
        }
        let would_grant = self.would_grant(name, resource, owner);
        if would_grant.terms.takeover != resource.takeover {
            let text = format!(
                "the agent of {owner} has an earlier version, which cannot hold resources by votes. {name} goes there as under `takeover: confirmed`. Upgrade the agent"
            );
            self.notice(name, Kind::AgentTooOld, owner, text, out);
        }
        let Some(probe) = self.evidence(now, name, &would_grant.terms, &others, out) else {
            return;
        };
        let under_way = instruction == Instruction::Take && (seen.want || seen.generation < ordered);
        // What the taker must listen for has changed since the command, because a host came back or was lost, or the terms have:
        // it might wait for votes that nobody has to give any more. For a command from before a loss of records nobody votes. The
        // take is commanded anew.
        let silence = |p: Probe| matches!(p, Probe::Silence(_));
        let other_terms = self.ledger.placement(name, owner).and_then(|p| p.newest()).is_some_and(|g| *g != would_grant)
            && self.can_expect_a_majority(&would_grant.terms);
        let other_probe = self.pursue(name).probe.is_some_and(|given| silence(given) != silence(probe));
        let outdated = under_way && (other_terms || other_probe || self.ledger.is_forgotten(ordered));
        if under_way && !outdated {
            self.block(name, if voted { "being taken; a majority of its voters must agree" } else { "being taken" });
            // A grant is sent once. A command to listen for silence is repeated with every beat, because it lapses otherwise.
            // Under `quorum` each repetition is a vote, and says which hosts became clear.
            let listens = (voted || self.pursue(name).probe.is_some_and(silence)) && seen.holds != Presence::Yes;
            if seen.generation < granted || listens {
                let probe = self.pursue(name).probe.unwrap_or(probe);
                self.take(now, name, owner, granted, probe, out);
            }
            return;
        }
        if instruction == Instruction::Take && granted != Generation::NONE && !outdated && !self.may_try_again(now, name) {
            return self.block(name, "the last take failed; it is tried again");
        }
        if !resource.repair && seen.note == Some(StatusNote::Gone) {
            return self.block(name, "something other than Pointsman removed it, and repair is off");
        }
        let probe = if self.pursue(name).failures > 0 && probe == Probe::Nothing { Probe::Once } else { probe };
        self.block(name, "being taken");
        self.grant_anew(now, name, owner, probe, would_grant, out);
    }

    fn grant_anew(&mut self, now: Time, name: &str, owner: &Name, probe: Probe, granted: Granted, out: &mut Vec<Output>) {
        let generation = self.ledger.next_generation(name);
        self.instruct(name, owner, Instruction::Take, generation, Some(granted), out);
        self.pursue(name).probe = Some(probe);
        self.take(now, name, owner, generation, probe, out);
    }

    /// Grants the resource anew to a holder whose terms differ from the present ones, as soon as no other host can hold it and
    /// the holder can expect a majority.
    fn renegotiate(&mut self, now: Time, name: &str, resource: &Resource, owner: &Name, out: &mut Vec<Output>) {
        let granted = self.would_grant(name, resource, owner);
        let same = self.ledger.placement(name, owner).is_some_and(|s| s.newest() == Some(&granted));
        let alone = resource.placements.iter().all(|s| s.host == *owner || self.clear(name, &s.host));
        if same || !alone || !self.views.get(owner).is_some_and(HostView::obeys) || !self.can_expect_a_majority(&granted.terms) {
            return;
        }
        self.block(name, "its holder gets the present terms");
        self.grant_anew(now, name, owner, Probe::Once, granted, out);
    }

    /// A take that ended without success is tried again after a pause. `repair: false` leaves a resource that went away by
    /// itself.
    fn may_try_again(&mut self, now: Time, name: &str) -> bool {
        let pursuit = self.pursue(name);
        match pursuit.again_at {
            Some(at) if now >= at => {
                pursuit.again_at = None;
                true
            }
            Some(at) => {
                self.wake_at(at);
                false
            }
            None => {
                let pause = (TAKE_AGAIN * 2u32.pow(pursuit.failures.min(4))).min(TAKE_AGAIN_MAX);
                pursuit.failures += 1;
                pursuit.again_at = Some(now + pause);
                self.wake_at(now + pause);
                false
            }
        }
    }

    fn arrived(
        &mut self,
        now: Time,
        name: &str,
        owner: &Name,
        mut others: Vec<Name>,
        generation: Generation,
        out: &mut Vec<Output>,
    ) {
        let silence = matches!(self.pursue(name).probe.take(), Some(Probe::Silence(_)));
        // Silence for so long proved that the hosts which could not be asked do not hold it, and their grants are too old to act.
        let unreachable: Vec<Name> = others.extract_if(.., |h| !self.reachable(h)).collect();
        let terms = if unreachable.is_empty() { None } else { self.granted_terms(name, owner) };
        for host in unreachable {
            match terms.as_ref().map(|terms| self.proof(now, name, &host, terms)) {
                // A host that holds only by votes does not hold it while another one does. It may later, by votes: nothing is fenced.
                Some(Proof::Votes) => {}
                Some(Proof::Silence(_)) if silence => self.pass_over(name, &host, out),
                _ => others.push(host),
            }
        }
        let pursuit = self.pursue(name);
        pursuit.failures = 0;
        pursuit.again_at = None;
        pursuit.held = None;
        pursuit.converged = others.is_empty();
        if pursuit.arrived != Some(generation) {
            pursuit.arrived = Some(generation);
            pursuit.notified.clear();
            let step = MoveStep { resource: name.to_owned(), host: owner.clone(), verb: "taken", generation };
            out.push(Output::Step(step));
        }
    }
}
