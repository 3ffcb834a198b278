//! The controller as a voter (`takeover: quorum`), what it tells other voters, and on what terms it grants.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::inventory::{Inventory, Name, Resource, Takeover, Via};
use crate::core::vote::promise_lasts;
use crate::core::wire::{Action, Command, Electorate, Generation, Presence, Terms};

use super::{Granted, Output, Planner};

/// Voters are told again so often who may ask them, beside when that changes and when they come back.
const TOLD_AGAIN: Duration = Duration::from_secs(10);

/// By resource, what each voter is told.
pub(super) type Electorates = BTreeMap<Name, (BTreeSet<Name>, Electorate)>;

/// Who votes about what, by an inventory.
pub(super) fn electorates(inventory: &Inventory) -> Electorates {
    let of = |resource: &Resource| {
        let voters = resource.voting_agents();
        let address = |host: &Name| inventory.hosts.get(host).and_then(crate::core::inventory::Host::peer);
        let peers = voters.iter().map(|host| (host.clone(), address(host))).collect();
        let placements = resource.placements.iter().map(|s| s.host.clone()).collect();
        (voters, Electorate { placements, peers })
    };
    let voted = inventory.resources.iter().filter(|(_, r)| r.takeover == Takeover::Quorum);
    voted.map(|(name, resource)| (name.clone(), of(resource))).collect()
}

/// How long the longest promise lasts by an inventory. A controller that starts waits for it even where its journal knows of none:
/// the journal may be an older copy, or empty because somebody deleted it.
pub(super) fn longest_configured(inventory: &Inventory) -> Duration {
    let voted = inventory.resources.values().filter(|r| r.takeover == Takeover::Quorum);
    voted.map(|r| promise_lasts(r.isolation)).max().unwrap_or_default()
}

impl Planner {
    /// The terms on which a host would be granted a resource now. An agent of an earlier version holds nothing by votes: it gets
    /// the resource, and nobody else does before its release is confirmed.
    pub(super) fn terms_now(&self, resource: &Resource, host: &str) -> Terms {
        let votes = self.views.get(host).is_some_and(|v| v.votes);
        let takeover = match resource.takeover {
            Takeover::Quorum if !votes => Takeover::Confirmed,
            takeover => takeover,
        };
        Terms {
            takeover,
            isolation: resource.isolation,
            term: resource.term,
            witnesses: resource.witnesses.clone(),
            voters: if takeover == Takeover::Quorum { resource.voting_agents() } else { BTreeSet::new() },
            on_quorum_loss: resource.on_quorum_loss,
        }
    }

    /// The same with what else evidence depends on later.
    pub(super) fn would_grant(&self, resource: &Resource, host: &str) -> Granted {
        let via = self.ways.get(host).copied().unwrap_or(Via::Agent);
        Granted { terms: self.terms_now(resource, host), what: resource.what.clone(), via }
    }

    /// The terms of the newest grant to a host; what is configured where the journal does not say.
    pub(super) fn granted_terms(&self, name: &str, host: &str) -> Option<Terms> {
        let granted = self.ledger.placement(name, host).and_then(|s| s.newest()).map(|g| g.terms.clone());
        granted.or_else(|| Some(self.terms_now(self.resources.get(name)?, host)))
    }

    /// Enough voters are heard and know how to vote: whoever is granted it on these terms can expect a majority.
    pub(super) fn can_expect_a_majority(&self, terms: &Terms) -> bool {
        let heard = |host: &&Name| self.views.get(*host).is_some_and(|v| v.obeys() && v.votes);
        terms.takeover != Takeover::Quorum || terms.voters.iter().filter(heard).count() + 1 >= terms.majority()
    }

    /// The controller's own vote for a host that is granted, or goes on holding, a resource.
    pub(super) fn vote(&mut self, now: Time, name: &str, host: &Name, generation: Generation, terms: &Terms) -> bool {
        if terms.takeover != Takeover::Quorum {
            return false;
        }
        for (other, generation) in self.known_clear(name, host) {
            self.voter.clear(name, &other, generation);
        }
        self.voter.ask(now, name, host, generation, terms.isolation).is_ok()
    }

    /// Hosts that showed that they do not hold a resource and obey only what is newer, and those for which an operator vouched.
    pub(super) fn known_clear(&self, name: &str, but: &str) -> BTreeMap<Name, Generation> {
        let shown = |host: &Name| {
            let seen = self.seen(name, host);
            let clear = !seen.want && seen.holds == Presence::No && seen.generation != Generation::NONE;
            (clear && !self.views.get(host)?.foreign).then_some(seen.generation)
        };
        let shown = self.views.keys().filter_map(|host| Some((host.clone(), shown(host)?)));
        let mut all = self.pursuits.get(name).map(|p| p.vouched.clone()).unwrap_or_default();
        for (host, generation) in shown {
            let known = all.entry(host).or_insert(generation);
            *known = (*known).max(generation);
        }
        all.remove(but);
        all
    }

    /// Another inventory: voters that are none any more are told so, the others what is new with their next beats.
    pub(super) fn replace_electorates(&mut self, after: &Inventory, out: &mut Vec<Output>) {
        let before = std::mem::replace(&mut self.electorates, electorates(after));
        for (name, (voters, _)) in before {
            let stays = |host: &Name| self.electorates.get(&name).is_some_and(|(voters, _)| voters.contains(host));
            // Who votes for a holder by its terms of before goes on until that one was granted it anew.
            let granted = |host: &Name| {
                let placements = self.ledger.entry(&name).into_iter().flat_map(|e| e.placements.values());
                placements.flat_map(|s| s.outstanding()).flatten().any(|g| g.terms.voters.contains(host))
            };
            for host in voters.iter().filter(|h| !stays(h) && !granted(h)) {
                if let Some(view) = self.views.get(host).filter(|v| v.votes && v.obeys()) {
                    let (generation, echo) = (Generation::NONE, view.beat);
                    let action = Action::Electorate(Electorate::default());
                    let command = Command { controller: self.controller, resource: name.clone(), generation, echo, action };
                    out.push(Output::Send(host.clone(), command));
                }
            }
        }
        self.views.values_mut().for_each(|view| view.told_at = None);
    }

    /// Tells a host that was just heard for whom it may vote.
    pub(super) fn tell_voter(&mut self, now: Time, host: &Name, out: &mut Vec<Output>) {
        let Some(view) = self.views.get_mut(host).filter(|v| v.votes && v.obeys()) else { return };
        if view.told_at.is_some_and(|at| now < at + TOLD_AGAIN) {
            return;
        }
        view.told_at = Some(now);
        let echo = view.beat;
        for (name, (voters, electorate)) in &self.electorates {
            if voters.contains(host) {
                let generation = self.ledger.entry(name).map_or(Generation::NONE, |e| e.generation);
                let action = Action::Electorate(electorate.clone());
                let command = Command { controller: self.controller, resource: name.clone(), generation, echo, action };
                out.push(Output::Send(host.clone(), command));
            }
        }
    }
}
