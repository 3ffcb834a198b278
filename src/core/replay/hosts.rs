//! The hosts of a replay. They are up, and every command succeeds at once, except if a rule test says otherwise.
//!
//! They report to the planner as agents do, but only if there is something to do: a log of a year need not become a year of
//! heartbeats.

use std::collections::BTreeMap;

use crate::core::base::limits::HOST_LOST;
use crate::core::base::time::Time;
use crate::core::inventory::{Inventory, Name, OnQuorumLoss, Takeover};
use crate::core::vote::promise_lasts;
use crate::core::wire::{Action, AppStatus, Command, Echo, Metric, Presence, Probe, Report, ResourceStatus, StatusNote, Terms};

/// A resource on one host.
#[derive(Clone, Debug, Default)]
struct Seat {
    seen: ResourceStatus,
    terms: Option<Terms>,
    /// A take that listens first takes effect at this time.
    taken_at: Option<Time>,
}

#[derive(Clone, Debug, Default)]
struct Host {
    placements: BTreeMap<Name, Seat>,
    beat: u64,
    /// Since when the host is lost.
    lost: Option<Time>,
    fails: bool,
    /// Applications whose state a test has given.
    watched: Option<BTreeMap<Name, AppStatus>>,
    /// Metrics that a test has given, for the next report.
    metrics: Vec<Metric>,
}

/// All hosts of the inventory.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    hosts: BTreeMap<Name, Host>,
}

impl Hosts {
    /// Hosts that are up, and hold what `holders` says.
    pub(super) fn new(inventory: &Inventory, holders: &BTreeMap<Name, Name>) -> Hosts {
        let mut hosts: BTreeMap<Name, Host> = inventory.hosts.keys().map(|h| (h.clone(), Host::default())).collect();
        for (name, resource) in &inventory.resources {
            for place in &resource.placements {
                let holds = if holders.get(name) == Some(&place.host) { Presence::Yes } else { Presence::No };
                let placement = Seat { seen: ResourceStatus { holds, ..ResourceStatus::default() }, ..Seat::default() };
                hosts.entry(place.host.clone()).or_default().placements.insert(name.clone(), placement);
            }
        }
        Hosts { hosts }
    }

    pub(super) fn is_known(&self, host: &str) -> bool {
        self.hosts.contains_key(host)
    }

    /// The reports of all connected hosts.
    pub(super) fn reports(&mut self) -> Vec<Report> {
        let names: Vec<Name> = self.hosts.iter().filter(|(_, h)| h.lost.is_none()).map(|(n, _)| n.clone()).collect();
        names.iter().filter_map(|n| self.report(n)).collect()
    }

    fn report(&mut self, name: &str) -> Option<Report> {
        let host = self.hosts.get_mut(name)?;
        host.beat += 1;
        Some(Report {
            host: name.to_owned(),
            beat: Echo { incarnation: 1, beat: host.beat },
            controller: None,
            resources: host.placements.iter().map(|(r, s)| (r.clone(), s.seen.clone())).collect(),
            watched: host.watched.clone(),
            metrics: std::mem::take(&mut host.metrics),
            votes: true,
            ..Report::default()
        })
    }

    /// A command arrives and is obeyed. Returns the report that follows from it, if the host is connected.
    pub(super) fn command(&mut self, now: Time, name: &str, command: &Command) -> Option<Report> {
        let free_at = self.votes_end(name, command);
        let host = self.hosts.get_mut(name).filter(|h| h.lost.is_none())?;
        let fails = host.fails;
        let free_at = free_at.filter(|at| *at > now);
        let placement = host.placements.get_mut(&command.resource)?;
        // Votes, and who may ask for them, are no commands to hold.
        if matches!(command.action, Action::Electorate(_)) || command.generation <= placement.seen.generation {
            return None;
        }
        placement.seen.generation = command.generation;
        placement.seen.note = None;
        match &command.action {
            Action::Renew | Action::Electorate(_) => return None,
            Action::Release => {
                placement.seen.want = false;
                placement.terms = None;
                placement.taken_at = None;
                if fails {
                    placement.seen.note = Some(StatusNote::Failed("the driver fails, as the test says".to_owned()));
                } else {
                    placement.seen.holds = Presence::No;
                }
            }
            Action::Take { probe, terms, .. } => {
                placement.seen.want = !fails;
                placement.terms = Some(terms.clone());
                match probe {
                    _ if fails => placement.seen.note = Some(StatusNote::Failed("the driver fails, as the test says".to_owned())),
                    Probe::Silence(span) => placement.taken_at = Some(now + *span),
                    Probe::Nothing | Probe::Once if free_at.is_some() => placement.taken_at = free_at,
                    Probe::Nothing | Probe::Once => placement.seen.holds = Presence::Yes,
                }
            }
        }
        self.report(name)
    }

    /// When the votes for a lost holder have ended, so that a majority can vote for this host.
    fn votes_end(&self, name: &str, command: &Command) -> Option<Time> {
        let Action::Take { terms, .. } = &command.action else { return None };
        if terms.takeover != Takeover::Quorum {
            return None;
        }
        let holds = |h: &Host| h.placements.get(&command.resource).is_some_and(|s| s.seen.want && s.seen.holds == Presence::Yes);
        let lost = self.hosts.iter().filter(|(other, h)| *other != name && holds(h)).filter_map(|(_, h)| h.lost);
        lost.max().map(|since| since + promise_lasts(terms.isolation))
    }

    /// Does what is due by now. Losses that are due only need the planner to look at the time.
    pub(super) fn pass(&mut self, now: Time) {
        for host in self.hosts.values_mut() {
            for placement in host.placements.values_mut() {
                if placement.taken_at.is_some_and(|at| at <= now) && host.lost.is_none() {
                    placement.taken_at = None;
                    placement.seen.holds = Presence::Yes;
                }
            }
        }
    }

    /// The next loss after this time that the planner has not seen.
    pub(super) fn next_loss(&self, after: Time) -> Option<Time> {
        self.hosts.values().filter_map(|h| h.lost.map(|at| at + HOST_LOST)).filter(|at| *at > after).min()
    }

    /// When a take that listens takes effect.
    pub(super) fn next_take(&self) -> Option<Time> {
        self.hosts.values().filter(|h| h.lost.is_none()).flat_map(|h| h.placements.values().filter_map(|s| s.taken_at)).min()
    }

    /// The host is lost from now on, and reaches no other host.
    pub(super) fn lose(&mut self, now: Time, name: &str) {
        if let Some(host) = self.hosts.get_mut(name) {
            host.lost.get_or_insert(now);
        }
    }

    /// The host is connected again. It has released in the meantime what its terms required.
    pub(super) fn find(&mut self, now: Time, name: &str) {
        let Some(host) = self.hosts.get_mut(name) else { return };
        let Some(since) = host.lost.take() else { return };
        for placement in host.placements.values_mut() {
            placement.taken_at = None;
            let kept_for = placement.terms.as_ref().and_then(|t| match t.takeover {
                Takeover::Quorum if t.on_quorum_loss == OnQuorumLoss::Release => Some((t.isolation, StatusNote::QuorumLost)),
                Takeover::Probe => Some((t.isolation, StatusNote::Isolated)),
                Takeover::Lease => Some((t.term, StatusNote::LeaseEnded)),
                Takeover::Quorum | Takeover::Confirmed | Takeover::Forced => None,
            });
            if let Some((_, note)) = kept_for.filter(|(span, _)| now.since(since) >= *span)
                && placement.seen.want
            {
                placement.seen =
                    ResourceStatus { generation: placement.seen.generation, want: false, holds: Presence::No, note: Some(note) };
            } else if placement.seen.holds != Presence::Yes && placement.seen.want {
                placement.seen.want = false;
            }
        }
    }

    /// The host's driver fails from now on, or works again.
    pub(super) fn fail(&mut self, name: &str, fails: bool) {
        if let Some(host) = self.hosts.get_mut(name) {
            host.fails = fails;
            for placement in host.placements.values_mut().filter(|s| !fails && !s.seen.want) {
                placement.seen.holds = Presence::No;
            }
        }
    }

    /// An application stops on its host, or runs again. The host's agent watches it from now on.
    pub(super) fn runs(&mut self, host: &str, app: &str, runs: bool) {
        if let Some(host) = self.hosts.get_mut(host) {
            let runs = if runs { AppStatus::Yes } else { AppStatus::No };
            host.watched.get_or_insert_default().insert(app.to_owned(), runs);
        }
    }

    /// Takes metrics of the host.
    pub(super) fn measured(&mut self, host: &str, metrics: Vec<Metric>) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.metrics = metrics;
        }
    }

    /// Somebody brings a resource up on a host by hand, or takes it off.
    pub(super) fn by_hand(&mut self, host: &str, resource: &str, on: bool) {
        if let Some(placement) = self.hosts.get_mut(host).and_then(|h| h.placements.get_mut(resource)) {
            placement.seen.holds = if on { Presence::Yes } else { Presence::No };
            if !on && placement.seen.want {
                placement.seen.want = false;
                placement.seen.note = Some(StatusNote::Gone);
            }
        }
    }

    /// The actual holders of a resource.
    pub(super) fn holders(&self, resource: &str) -> Vec<Name> {
        let holds = |h: &Host| h.placements.get(resource).is_some_and(|s| s.seen.holds == Presence::Yes);
        self.hosts.iter().filter(|(_, h)| holds(h)).map(|(n, _)| n.clone()).collect()
    }
}
