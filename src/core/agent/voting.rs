//! The agent as a voter: for which hosts it votes, what it keeps on disk, and its votes for its own host.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::core::base::limits::{BALLOTS, VOTE_TERM_MOST};
use crate::core::base::time::Time;
use crate::core::inventory::Name;
use crate::core::vote::promise_lasts;
use crate::core::wire::{Electorate, PeerMessage, Presence, Refusal, Vote, VoteRequest};

use super::agent_state::AgentState;
use super::turn::Output;

impl AgentState {
    /// Takes a message of another host's agent.
    pub(super) fn peer(&mut self, now: Time, from: Name, message: PeerMessage, out: &mut Vec<Output>) {
        match message {
            PeerMessage::Request(request) => {
                let vote = self.vote(now, &from, &request);
                out.push(Output::Peer(from, PeerMessage::Vote(vote)));
            }
            PeerMessage::Vote(vote) => {
                if let Some(placement) = self.placements.get_mut(&vote.resource) {
                    placement.voted(now, &from, vote, out);
                }
            }
        }
    }

    /// Answers requests that this host's resources address to its own agent, by the same voter.
    pub(super) fn deliver_to_itself(&mut self, now: Time, mark: usize, out: &mut Vec<Output>) {
        let own = |output: &Output, host: &Name| matches!(output, Output::Peer(to, _) if to == host);
        let mut from = mark;
        while let Some(i) = out[from..].iter().position(|o| own(o, &self.host)) {
            from += i;
            if let Output::Peer(host, PeerMessage::Request(request)) = out.remove(from) {
                let vote = self.vote(now, &host, &request);
                if let Some(placement) = self.placements.get_mut(&vote.resource) {
                    placement.voted(now, &host, vote, out);
                }
            }
        }
    }

    fn vote(&mut self, now: Time, from: &Name, request: &VoteRequest) -> Vote {
        let VoteRequest { resource, generation, number, .. } = request;
        let refused = self.promise(now, from, request).err();
        Vote { resource: resource.clone(), generation: *generation, number: *number, refused }
    }

    fn promise(&mut self, now: Time, from: &Name, request: &VoteRequest) -> Result<(), Refusal> {
        let VoteRequest { controller, resource, generation, term, clear, .. } = request;
        if self.durable.controller != Some(*controller) {
            return Err(Refusal::OtherController);
        }
        // Its own host is no exception: only with the electorate does an agent learn how long its earlier promises may last.
        let may = |e: &Electorate| e.placements.contains(from);
        if !self.durable.electorates.get(resource).is_some_and(may) {
            return Err(Refusal::NotAPlacement);
        }
        for (host, generation) in clear {
            self.voter.clear(resource, host, *generation);
        }
        if let Some(placement) = self.placements.get(resource) {
            let (seen, host) = (placement.seen(), &self.host);
            if !seen.want && seen.holds == Presence::No {
                self.voter.clear(resource, host, seen.generation);
            }
            if seen.want {
                self.voter.learn_command(now, resource, seen.generation);
            }
        }
        // Who asks for so long may have asked before this start, and the store need not know it.
        if *term <= VOTE_TERM_MOST {
            self.voter.may_have_promised(self.started, promise_lasts(*term));
        }
        self.voter.ask(now, resource, from, *generation, *term)
    }

    /// Takes from the controller who may ask for votes, and how to reach the other voters.
    pub(super) fn electorate(&mut self, resource: Name, electorate: Electorate, out: &mut Vec<Output>) {
        self.voter.may_have_promised(self.started, electorate.longest);
        let known = &mut self.durable.electorates;
        let changes = if electorate.placements.is_empty() {
            known.remove(&resource).is_some()
        } else if known.len() < BALLOTS || known.contains_key(&resource) {
            known.insert(resource, electorate.clone()).as_ref() != Some(&electorate)
        } else {
            false
        };
        if changes {
            self.unsaved = true;
            out.push(Output::Peers(self.peers()));
        }
    }

    /// The hosts whose agents this agent communicates with, and their addresses.
    pub(super) fn peers(&self) -> BTreeMap<Name, Option<SocketAddr>> {
        let all = self.durable.electorates.values().flat_map(|e| &e.peers);
        all.filter(|(host, _)| **host != self.host).map(|(host, at)| (host.clone(), *at)).collect()
    }
}
