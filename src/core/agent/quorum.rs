//! A resource that is held by votes (`takeover: quorum`): how a host asks for votes, and how long they allow it to hold.

use crate::core::base::limits::{DRIVER_TIMEOUT, HEARTBEAT};
use crate::core::base::time::Time;
use crate::core::inventory::{Name, OnQuorumLoss, Takeover};
use crate::core::vote::{Elector, promise_lasts};
use crate::core::wire::{PeerMessage, Presence, Probe, StatusNote, Terms, Vote, VoteRequest};

use super::listening::ProbeListening;
use super::resource_agent::{Phase, ResourceAgent};
use super::turn::Output;

impl ResourceAgent {
    /// The terms, if they are those of a quorum.
    pub(super) fn quorum(&self) -> Option<&Terms> {
        self.mark().terms.as_ref().filter(|t| t.takeover == Takeover::Quorum)
    }

    /// How long after the answered beat a Take under these terms is started or continued. Votes, not this time, keep owners
    /// single. It only lets a command lapse that is not repeated, after voters had time to become free.
    pub(super) fn asks_for(terms: &Terms) -> std::time::Duration {
        promise_lasts(terms.isolation) + DRIVER_TIMEOUT
    }

    /// Until when votes allow it to hold; `None` without a majority.
    pub(super) fn voted_until(&self) -> Option<Time> {
        let terms = self.quorum()?;
        let voted = self.votes.majority_at(terms.majority()).map(|at| at + terms.isolation);
        voted.max(self.found_until)
    }

    /// When it must have given up if no more votes come; `None` if it need not.
    pub(super) fn quorum_ends(&self) -> Option<Time> {
        let terms = self.quorum()?;
        // Under `keep`, an address that was taken with votes is kept without them. Taking it requires votes in both cases.
        let kept = terms.on_quorum_loss == OnQuorumLoss::Keep && self.phase == Phase::Holding;
        if kept || matches!(self.phase, Phase::Idle | Phase::Electing { .. } | Phase::Releasing) {
            return None;
        }
        Some(self.voted_until().unwrap_or(Time::MIN))
    }

    /// Why the resource may not be wanted any more at this time.
    pub(super) fn lapsed(&self, now: Time) -> Option<StatusNote> {
        if !self.mark().want {
            return None;
        }
        if self.lease_over(now) {
            return Some(StatusNote::LeaseEnded);
        }
        self.quorum_ends().is_some_and(|at| now >= at).then_some(StatusNote::QuorumLost)
    }

    /// Begins a Take under a quorum: votes come first.
    pub(super) fn begin_election(&mut self, now: Time, probe: Probe, out: &mut Vec<Output>) {
        self.votes.begin(self.incarnation);
        self.found_until = None;
        self.phase = Phase::Electing { probe };
        self.ask_votes(now, out);
    }

    /// Asks all voters when that is due.
    pub(super) fn poll(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.quorum().is_some() && now >= self.ask_at {
            self.ask_votes(now, out);
        }
    }

    fn ask_votes(&mut self, now: Time, out: &mut Vec<Output>) {
        let Some(terms) = self.quorum() else { return };
        let (voters, term) = (terms.voters.clone(), terms.isolation);
        self.ask_at = now + HEARTBEAT;
        let number = self.votes.ask(now);
        for voter in voters.iter().cloned() {
            let request = VoteRequest {
                controller: self.controller,
                resource: self.resource.clone(),
                generation: self.mark().generation,
                term,
                number,
                clear: self.clear.clone(),
            };
            out.push(Output::Peer(voter, PeerMessage::Request(request)));
        }
    }

    /// Takes the vote of another host's agent.
    pub(super) fn voted(&mut self, now: Time, from: &Name, vote: Vote, out: &mut Vec<Output>) {
        let asked = vote.generation == self.mark().generation && self.quorum().is_some_and(|t| t.voters.contains(from));
        if asked {
            self.count(now, out, |placement| placement.votes.answered(Elector::Agent(from.clone()), vote.number, vote.refused));
        }
    }

    /// Takes the vote of the controller, which answers the beat sent at `answered`.
    pub(super) fn controller_voted(&mut self, now: Time, answered: Time, out: &mut Vec<Output>) {
        self.count(now, out, |placement| placement.votes.granted(Elector::Controller, answered));
    }

    /// Applies a change of votes, and does what follows from it.
    fn count(&mut self, now: Time, out: &mut Vec<Output>, change: impl FnOnce(&mut ResourceAgent)) {
        if !self.mark().want || self.quorum().is_none() {
            return;
        }
        if let Some(note) = self.lapsed(now) {
            return self.give_up(now, Some(note), out);
        }
        let before = self.voted_until();
        change(self);
        match &self.phase {
            Phase::Electing { probe } if self.voted_until().is_some_and(|until| now < until) => {
                self.take_by = now + DRIVER_TIMEOUT;
                self.phase = match *probe {
                    // The address is here already: the only station to listen for is this one.
                    Probe::Once if self.holds == Presence::Yes => Phase::Adding { tries: 0 },
                    Probe::Nothing => Phase::Adding { tries: 0 },
                    probe => Phase::Probing(ProbeListening::begin(probe)),
                };
                self.proceed(now, out);
            }
            Phase::Holding if self.voted_until() > before => self.refresh(now, out),
            _ => {}
        }
    }

    /// There is no majority yet: asks again until the command lapses.
    pub(super) fn elect(&mut self, now: Time, out: &mut Vec<Output>) {
        if now >= self.take_by {
            let words = self.why_no_majority(now);
            return self.give_up(now, Some(StatusNote::Failed(words)), out);
        }
        self.poll(now, out);
        self.wake = Some(self.ask_at.min(self.take_by));
    }

    fn why_no_majority(&self, now: Time) -> String {
        let Some(terms) = self.quorum() else { return String::new() };
        let granted = self.votes.granted_since(now - terms.isolation).count();
        let refused = self.votes.refusals().map(|(voter, why)| format!("; {voter}: {why}")).collect::<String>();
        format!("{granted} of {} voters voted for it, and {} are needed{refused}", terms.voters.len() + 1, terms.majority())
    }
}
