//! The agent's state, and its turns: each input goes to the resource that it concerns, and what must be on disk comes before what
//! follows from it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::core::base::limits::{HEARTBEAT, ISOLATION};
use crate::core::base::time::Time;
use crate::core::inventory::Name;
use crate::core::vote::{Voter, promise_lasts, promise_lasts_most};
use crate::core::wire::{
    Action, AppStatus, Command, Echo, LinkState, LocalPlacement, Metric, Presence, Report, ResourceStatus, StatusNote,
};

use super::durable::{AgentMark, Durable};
use super::left::LeftOvers;
use super::resource_agent::ResourceAgent;
use super::turn::{Input, Output};

/// Beats whose sending time is remembered. An echo of an older beat counts as too old.
const BEATS_KEPT: usize = 256;

/// An agent: what it knows of its host's resources, what it obeyed and promised, and what it does next.
#[derive(Clone, Debug)]
pub struct AgentState {
    pub(super) host: Name,
    pub(super) started: Time,
    pub(super) beat: Echo,
    pub(super) sent: VecDeque<(u64, Time)>,
    pub(super) next_beat: Time,
    pub(super) durable: Durable,
    /// The durable state has changes that are not on disk yet.
    pub(super) unsaved: bool,
    pub(super) voter: Voter,
    pub(super) placements: BTreeMap<Name, ResourceAgent>,
    pub(super) reported: BTreeMap<Name, ResourceStatus>,
    /// The state of each resource's network interface, if it has one.
    pub(super) links: BTreeMap<Name, LinkState>,
    /// Resources for which another station's claim was reported.
    pub(super) rivals: BTreeSet<Name>,
    /// What the host's own list says of each resource.
    pub(super) places: BTreeMap<Name, LocalPlacement>,
    /// Left-overs of an earlier list that are still to be removed.
    pub(super) left: LeftOvers,
    /// The state of applications, as last read.
    pub(super) watched: Option<BTreeMap<Name, AppStatus>>,
    /// The state of applications was not reported yet.
    pub(super) news: bool,
    /// Metrics for the next report.
    pub(super) metrics: Vec<Metric>,
}

impl AgentState {
    /// An agent that starts with what is on its disk. It looks at the resources of its local list first. `list` has the address
    /// and interface of each resource on this host; `None` for a resource that is no address.
    ///
    /// `incarnation` differs from that of every earlier start.
    pub fn start(
        host: Name,
        incarnation: u64,
        mut durable: Durable,
        list: BTreeMap<Name, Option<LocalPlacement>>,
        now: Time,
        out: &mut Vec<Output>,
    ) -> AgentState {
        let left = LeftOvers::begin(&mut durable, &list, now);
        if !left.is_empty() {
            out.push(Output::Persist(durable.clone()));
        }
        let mut placements = BTreeMap::new();
        for (resource, place) in &list {
            let mark = durable.marks.get(resource).cloned().unwrap_or_default();
            let controller = durable.controller.unwrap_or_default();
            let mut placement = ResourceAgent::new(resource.clone(), mark, incarnation, controller);
            placement.is_at(place.clone(), left.contains(resource));
            placement.look(now, out);
            placements.insert(resource.clone(), placement);
        }
        let places = list.into_iter().filter_map(|(resource, place)| Some((resource, place?))).collect();
        let voter = Voter::start(now, durable.longest_promise);
        let mut agent = AgentState {
            host,
            started: now,
            beat: Echo { incarnation, beat: 0 },
            sent: VecDeque::new(),
            next_beat: now,
            durable,
            unsaved: false,
            voter,
            placements,
            reported: BTreeMap::new(),
            links: BTreeMap::new(),
            rivals: BTreeSet::new(),
            places,
            left,
            watched: None,
            news: false,
            metrics: Vec::new(),
        };
        agent.left.attempt(now, out);
        let peers = agent.peers();
        if !peers.is_empty() {
            out.push(Output::Peers(peers));
        }
        agent
    }

    /// Votes for nobody until a promise that its store does not know of has ended. The store may have been lost, so this is at least
    /// as long as a promise of the default length lasts. If the store is a copy, it may be older than any promise, so it is as
    /// long as any promise may last. Returns that time. Call this right after the start.
    pub fn distrust_store(&mut self, now: Time, is_copy: bool) -> Time {
        let until = now + if is_copy { promise_lasts_most() } else { promise_lasts(ISOLATION) };
        self.voter.stay_silent(until);
        until
    }

    /// Takes one input and yields what is to be done.
    pub fn turn(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        let mark = out.len();
        match input {
            Input::Command(command) => self.command(now, command, out),
            Input::Driven { resource, failed, holds, until } => {
                if let Some(placement) = self.placements.get_mut(&resource) {
                    placement.driven(now, failed, holds, until, out);
                }
            }
            Input::Changed { resource, holds } => {
                if let Some(placement) = self.placements.get_mut(&resource) {
                    placement.changed(holds);
                }
            }
            Input::Witness { resource, witness, sent } => {
                if let Some(placement) = self.placements.get_mut(&resource) {
                    placement.witness(now, witness, sent, out);
                }
            }
            Input::Rival { resource } => {
                if let Some(placement) = self.placements.get_mut(&resource) {
                    placement.rival(now, out);
                }
            }
            Input::Link { resource, state } => {
                if self.placements.contains_key(&resource) {
                    self.news |= self.links.insert(resource, state) != Some(state);
                }
            }
            Input::Peer(from, message) => self.peer(now, from, message, out),
            Input::Looked(watched) => {
                self.news |= self.watched.as_ref() != Some(&watched);
                self.watched = Some(watched);
            }
            Input::Measured(metrics) => self.metrics = metrics,
            Input::Left { resource, holds } => {
                if self.left.ended(now, &resource, holds) {
                    self.has_left(&resource);
                }
            }
            Input::Timer => {
                for placement in self.placements.values_mut() {
                    placement.timer(now, out);
                }
                self.left.attempt(now, out);
            }
        }
        self.deliver_to_itself(now, mark, out);
        self.persist_before(mark, out);
        if now >= self.next_beat
            || self.news
            || self.placements.iter().any(|(name, placement)| {
                self.reported.get(name) != Some(&placement.seen()) || self.rivals.contains(name) != placement.has_rival()
            })
        {
            self.report(now, out);
        }
    }

    /// When [`Input::Timer`] is due next.
    pub fn next_deadline(&self) -> Time {
        let placements = self.placements.values().filter_map(ResourceAgent::next_deadline);
        placements.chain(self.left.next_deadline()).fold(self.next_beat, Time::min)
    }

    /// The last beat that was sent.
    pub fn beat(&self) -> Echo {
        self.beat
    }

    /// True if the host holds the resource and wants it.
    pub fn holds(&self, resource: &str) -> bool {
        self.placements.get(resource).map(ResourceAgent::seen).is_some_and(|s| s.want && s.holds == Presence::Yes)
    }

    /// The resources of its own list.
    pub fn resources(&self) -> impl Iterator<Item = &Name> {
        self.placements.keys()
    }

    /// True if the last command about the resource was to hold it, and that has not ended.
    pub fn wants(&self, resource: &str) -> bool {
        self.placements.get(resource).map(ResourceAgent::seen).is_some_and(|s| s.want)
    }

    /// The state that is on disk.
    pub fn durable(&self) -> &Durable {
        &self.durable
    }

    fn command(&mut self, now: Time, command: Command, out: &mut Vec<Output>) {
        let listed = self.placements.contains_key(&command.resource);
        // The resource is not on the local list. The report does not have it either, which tells the controller. The agent may
        // still vote.
        if !listed && !matches!(command.action, Action::Electorate(_)) {
            return;
        }
        match self.durable.controller {
            Some(known) if known != command.controller => {
                if let Some(placement) = self.placements.get_mut(&command.resource) {
                    placement.note(StatusNote::OtherController);
                }
                return;
            }
            Some(_) => {}
            None => {
                self.durable.controller = Some(command.controller);
                self.unsaved = true;
            }
        }
        if let Action::Electorate(electorate) = command.action {
            return self.electorate(command.resource, electorate, out);
        }
        let Some(placement) = self.placements.get_mut(&command.resource) else { return };
        placement.obeys(command.controller);
        let age = (command.echo.incarnation == self.beat.incarnation)
            .then(|| self.sent.iter().find(|(beat, _)| *beat == command.echo.beat))
            .flatten()
            .map(|(_, sent)| *sent);
        match command.action {
            Action::Release => placement.release(now, command.generation, out),
            Action::Take { probe, terms, vote, clear } => {
                self.voter.learn_command(now, &command.resource, command.generation);
                if let Some(answered) = age {
                    for (host, generation) in &clear {
                        self.voter.clear(&command.resource, host, *generation);
                    }
                    placement.relays(command.generation, clear);
                    placement.take(now, command.generation, answered, probe, terms, out);
                    if vote && placement.mark().generation == command.generation {
                        placement.controller_voted(now, answered, out);
                    }
                }
            }
            Action::Renew => {
                if let Some(answered) = age {
                    placement.renew(now, command.generation, answered, out);
                    if placement.mark().generation == command.generation {
                        placement.controller_voted(now, answered, out);
                    }
                }
            }
            Action::Electorate(_) => {}
        }
    }

    /// A left-over was seen gone.
    fn has_left(&mut self, resource: &Name) {
        match self.placements.get_mut(resource) {
            Some(placement) => placement.has_left(),
            None => {
                if let Some(mark) = self.durable.marks.get_mut(resource) {
                    mark.place = None;
                    self.unsaved = true;
                }
            }
        }
    }

    /// Puts a write of changed durable state in front of the outputs of this turn.
    fn persist_before(&mut self, mark: usize, out: &mut Vec<Output>) {
        let mut changed = std::mem::take(&mut self.unsaved);
        if self.durable.longest_promise < self.voter.longest() {
            self.durable.longest_promise = self.voter.longest();
            changed = true;
        }
        for (name, placement) in &self.placements {
            let on_disk = self.durable.marks.get(name);
            if on_disk != Some(placement.mark()) && (on_disk.is_some() || *placement.mark() != AgentMark::default()) {
                self.durable.marks.insert(name.clone(), placement.mark().clone());
                changed = true;
            }
        }
        if changed {
            out.insert(mark, Output::Persist(self.durable.clone()));
        }
    }

    fn report(&mut self, now: Time, out: &mut Vec<Output>) {
        self.beat.beat += 1;
        if self.sent.len() == BEATS_KEPT {
            self.sent.pop_front();
        }
        self.sent.push_back((self.beat.beat, now));
        self.next_beat = now + HEARTBEAT;
        self.reported = self.placements.iter().map(|(name, placement)| (name.clone(), placement.seen())).collect();
        let (host, beat, controller) = (self.host.clone(), self.beat, self.durable.controller);
        self.news = false;
        let (watched, metrics) = (self.watched.clone(), std::mem::take(&mut self.metrics));
        self.rivals =
            self.placements.iter().filter(|(_, placement)| placement.has_rival()).map(|(name, _)| name.clone()).collect();
        let (resources, rivals, places) = (self.reported.clone(), self.rivals.clone(), self.places.clone());
        let links = self.links.clone();
        let report = Report { host, beat, controller, resources, links, watched, metrics, votes: true, places, rivals };
        out.push(Output::Report(report));
    }
}
