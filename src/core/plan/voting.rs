//! The controller as a voter (`takeover: quorum`), what it sends to other voters, and the terms of its grants.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::inventory::{Inventory, Name, Resource, Takeover, Via};
use crate::core::vote::promise_lasts;
use crate::core::wire::{Action, Command, Electorate, Generation, Presence, Terms};

use super::electorates::{electorates, granted_by_votes};
use super::ledger::Granted;
use super::planner::Planner;
use super::turn::Output;

/// How often the controller repeats to each voter which hosts may ask for its vote. It also says so on every change and every
/// connection.
const REPEAT_ELECTORATE: Duration = Duration::from_secs(10);

impl Planner {
    /// The terms on which a host would be granted a resource now. An agent of an earlier version holds nothing by votes. It gets
    /// the resource on other terms, and no other host gets it before its release is confirmed.
    pub(super) fn terms_now(&self, name: &str, resource: &Resource, host: &str) -> Terms {
        let votes = self.views.get(host).is_some_and(|v| v.votes);
        let takeover = match resource.takeover {
            Takeover::Quorum if !votes => Takeover::Confirmed,
            takeover => takeover,
        };
        let voters = self.electorates.get(name).filter(|_| takeover == Takeover::Quorum);
        Terms {
            takeover,
            isolation: resource.isolation,
            term: resource.term,
            witnesses: resource.witnesses.clone(),
            voters: voters.map(|(voters, _)| voters.clone()).unwrap_or_default(),
            on_quorum_loss: resource.on_quorum_loss,
        }
    }

    /// The terms of a grant now, together with what later evidence depends on.
    pub(super) fn would_grant(&self, name: &str, resource: &Resource, host: &str) -> Granted {
        let via = self.ways.get(host).copied().unwrap_or(Via::Agent);
        Granted { terms: self.terms_now(name, resource, host), what: resource.what.clone(), via }
    }

    /// The terms of the newest grant to a host; the configured terms if the journal does not say.
    pub(super) fn granted_terms(&self, name: &str, host: &str) -> Option<Terms> {
        let granted = self.ledger.placement(name, host).and_then(|s| s.newest()).map(|g| g.terms.clone());
        granted.or_else(|| Some(self.terms_now(name, self.resources.get(name)?, host)))
    }

    /// True if enough voters are connected and support votes, so that a host with a grant on these terms can expect a majority.
    pub(super) fn can_expect_a_majority(&self, terms: &Terms) -> bool {
        let can_vote = |host: &&Name| self.views.get(*host).is_some_and(|v| v.obeys() && v.votes);
        terms.takeover != Takeover::Quorum || terms.voters.iter().filter(can_vote).count() + 1 >= terms.majority()
    }

    /// Gives the controller's own vote to a host that is granted a resource, or continues to hold it.
    pub(super) fn vote(&mut self, now: Time, name: &str, host: &Name, generation: Generation, terms: &Terms) -> bool {
        if terms.takeover != Takeover::Quorum {
            return false;
        }
        for (other, generation) in self.known_clear(name, host) {
            self.voter.clear(name, &other, generation);
        }
        self.voter.ask(now, name, host, generation, terms.isolation).is_ok()
    }

    /// Hosts that reported that they do not hold a resource and obey only newer commands, and hosts for which an operator
    /// confirmed this.
    pub(super) fn known_clear(&self, name: &str, but: &str) -> BTreeMap<Name, Generation> {
        let shown = |host: &Name| {
            let seen = self.seen(name, host);
            let clear = !seen.want && seen.holds == Presence::No && seen.generation != Generation::NONE;
            (clear && !self.views.get(host)?.foreign).then_some(seen.generation)
        };
        let shown = self.views.keys().filter_map(|host| Some((host.clone(), shown(host)?)));
        let mut all = self.pursuits.get(name).map(|p| p.cleared_by_operator.clone()).unwrap_or_default();
        for (host, generation) in shown {
            let known = all.entry(host).or_insert(generation);
            *known = (*known).max(generation);
        }
        all.remove(but);
        all
    }

    /// Takes over another inventory. Agents that are no longer voters get an empty electorate now, and the others get theirs when
    /// they report next.
    pub(super) fn replace_electorates(&mut self, after: &Inventory, out: &mut Vec<Output>) {
        let before = std::mem::replace(&mut self.electorates, electorates(after, &self.ledger));
        for (name, (_, electorate)) in before {
            let stays = |host: &Name| self.electorates.get(&name).is_some_and(|(_, now)| now.peers.contains_key(host));
            for host in electorate.peers.keys().filter(|host| !stays(host)) {
                if let Some(view) = self.views.get(host).filter(|v| v.votes && v.obeys()) {
                    let (generation, echo) = (Generation::NONE, view.beat);
                    let action = Action::Electorate(Electorate::default());
                    let command = Command { controller: self.controller, resource: name.clone(), generation, echo, action };
                    out.push(Output::Send(host.clone(), command));
                }
            }
        }
        self.views.values_mut().for_each(|view| view.electorates_sent_at = None);
    }

    /// The longest promise that a grant which may still act allows.
    fn longest_granted(&self, name: &str) -> Duration {
        granted_by_votes(&self.ledger, name).map(|g| promise_lasts(g.terms.isolation)).max().unwrap_or_default()
    }

    /// Sends a host that has just reported the electorates in which it votes, unless that was done a moment ago.
    pub(super) fn send_electorates(&mut self, now: Time, host: &Name, out: &mut Vec<Output>) {
        let Some(view) = self.views.get_mut(host).filter(|v| v.votes && v.obeys()) else { return };
        if view.electorates_sent_at.is_some_and(|at| now < at + REPEAT_ELECTORATE) {
            return;
        }
        view.electorates_sent_at = Some(now);
        let echo = view.beat;
        for (name, (_, electorate)) in &self.electorates {
            if electorate.peers.contains_key(host) {
                let generation = self.ledger.entry(name).map_or(Generation::NONE, |e| e.generation);
                let longest = electorate.longest.max(self.longest_granted(name));
                let action = Action::Electorate(Electorate { longest, ..electorate.clone() });
                let command = Command { controller: self.controller, resource: name.clone(), generation, echo, action };
                out.push(Output::Send(host.clone(), command));
            }
        }
    }
}
