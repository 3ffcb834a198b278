//! The agent on a target host, pure: what it does with commands, with time, and with what its driver saw.
//!
//! ```text
//!              Take (newer generation, fresh echo)
//!    +------+ ------------------> +---------+ silent +--------+ seen there +---------+
//!    | Idle |                     | Probing | -----> | Adding | ---------> | Holding |
//!    +------+ <------------+      +---------+        +--------+            +---------+
//!        ^     seen gone   |           | found a rival    | failed             | newer Release, isolated,
//!        |                 |           v                  v                    | lease ended
//!        |            +-----------+ <------------------------------------------+
//!        +------------| Releasing |   (want = false is on disk before anything is removed)
//!                     +-----------+
//! ```
//!
//! Flows in: [`Input`]s with the host's boot-clock time. Flows out: [`Output`]s. The shell must carry them out in sequence: what
//! must be on disk ([`Output::Persist`]) comes before everything that depends on it.
//!
//! Invariants: a generation is obeyed once, so a doubled or late Take never takes again what was given up. Only one driver
//! operation of a resource is under way. Nothing is touched before a first command. What the driver *saw* counts, not what an
//! operation returned: an address is not held if the kernel should drop it by itself and was not seen to do so. This module does
//! not know netlink, sockets or other hosts. Tests: `tests.rs` beside this file, and `sim`.

mod left;
mod quorum;
mod resource_agent;
#[cfg(test)]
mod tests;
mod voting;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::limits::{HEARTBEAT, ISOLATION};
use crate::core::base::time::Time;
use crate::core::inventory::Name;
use crate::core::vote::{Voter, promise_lasts, promise_lasts_most};
use crate::core::wire::{
    Action, AppStatus, Command, Echo, Electorate, Generation, LinkState, LocalPlacement, Metric, PeerMessage, Presence, Report,
    ResourceStatus, StatusNote, Terms,
};

use resource_agent::ResourceAgent;

/// Beats whose sending time is remembered. An echo of an older beat counts as too old.
const BEATS_KEPT: usize = 256;

/// What an agent keeps on disk: the controller that it obeys, and what it obeyed last. Written and synced before it takes effect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durable {
    /// The only controller that it obeys: the first one that sent a command.
    pub controller: Option<u64>,
    pub marks: BTreeMap<Name, AgentMark>,
    /// For each resource, the hosts for which it may vote.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub electorates: BTreeMap<Name, Electorate>,
    /// The longest promise that it ever gave as a voter. Zero if it never gave one.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub longest_promise: Duration,
}

impl Durable {
    /// Allows the next controller that sends a command to be obeyed. Generations of the last one are forgotten; what is held
    /// stays.
    pub fn adopt(&mut self) {
        self.controller = None;
        self.electorates.clear();
        self.marks.values_mut().for_each(|mark| mark.generation = Generation::NONE);
    }
}

/// What is on disk about one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentMark {
    /// The newest generation that was obeyed.
    pub generation: Generation,
    /// Its command was to hold the resource, and that has not ended.
    pub want: bool,
    pub terms: Option<Terms>,
    /// Where it was last brought up, by the host's own list at that time; `None` if an earlier version did that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<LocalPlacement>,
}

/// An operation of the driver. Each ends with an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Observe,
    /// Bring the address up, or set its remaining lifetime. Succeeds if the address is there already.
    Add {
        /// The kernel drops the address by this time. The lifetime is in whole seconds, rounded down, and calculated
        /// right before the call; less than a second is a failure. `None` means for ever.
        until: Option<Time>,
        /// The operation fails if it cannot be started by this time: the command would be too old.
        not_after: Time,
    },
    /// Take the address off. Succeeds if the address is not there.
    Remove,
}

/// How a driver operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationResult {
    /// The driver's message if the operation failed.
    pub failed: Option<String>,
    /// What was seen afterwards.
    pub holds: Presence,
    /// When the kernel drops the address by itself (boot clock).
    pub until: Option<Time>,
}

/// An input of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Command(Command),
    /// A driver operation ended.
    Driven {
        resource: Name,
        /// The driver's message if it says that it failed.
        failed: Option<String>,
        /// What the driver saw afterwards.
        holds: Presence,
        /// When the kernel drops the address by itself, as seen; `None` if never, or if that was not seen.
        until: Option<Time>,
    },
    /// The kernel says that the address came or went while no operation was under way.
    Changed {
        resource: Name,
        /// What is seen now.
        holds: Presence,
    },
    /// A witness answered the ping that was sent at `sent`.
    Witness {
        resource: Name,
        witness: IpAddr,
        /// When the ping was sent.
        sent: Time,
    },
    /// A message of another host's agent. Its certificate names the host.
    Peer(Name, PeerMessage),
    /// Another station answered for, or announced, the resource's address.
    Rival {
        resource: Name,
    },
    /// The state of a resource's network interface changed, or was read for the first time.
    Link {
        resource: Name,
        /// The state of the interface now.
        state: LinkState,
    },
    /// The state of all applications that the host watches was read.
    Looked(BTreeMap<Name, AppStatus>),
    /// An attempt to remove a left-over ([`Output::Leave`]) ended with this observation.
    Left {
        resource: Name,
        holds: Presence,
    },
    /// Metrics of the host were measured.
    Measured(Vec<Metric>),
    Timer,
}

/// What an agent wants done. The sequence of outputs matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write and sync this before anything that follows.
    Persist(Durable),
    /// Start a driver operation.
    Drive { resource: Name, operation: Operation },
    /// Remove this, which an earlier list put there, and look whether it is gone: nowhere on the host, or, if the address is
    /// still listed on another interface, not on this one.
    Leave { resource: Name, place: LocalPlacement },
    /// Ping the witnesses over the resource's interface.
    Ping { resource: Name },
    /// Ask the neighbourhood which station has the address (ARP or neighbour probe).
    Ask { resource: Name },
    /// Announce to the neighbourhood that the address is here: a burst after a take or a rival, a single message periodically.
    Announce {
        resource: Name,
        /// The burst of announcements, or a single one.
        burst: bool,
    },
    /// Send this to the controller.
    Report(Report),
    /// Send this to another host's agent, best effort: a message that does not arrive soon is of no use later.
    Peer(Name, PeerMessage),
    /// This agent communicates with the agents of these hosts, at these addresses if they are known. Replaces the earlier set.
    Peers(BTreeMap<Name, Option<SocketAddr>>),
}

/// An agent: what it knows of its host's resources, what it obeyed and promised, and what it does next.
#[derive(Clone, Debug)]
pub struct AgentState {
    host: Name,
    started: Time,
    beat: Echo,
    sent: VecDeque<(u64, Time)>,
    next_beat: Time,
    durable: Durable,
    /// The durable state has changes that are not on disk yet.
    unsaved: bool,
    voter: Voter,
    placements: BTreeMap<Name, ResourceAgent>,
    reported: BTreeMap<Name, ResourceStatus>,
    /// The state of each resource's network interface, if it has one.
    links: BTreeMap<Name, LinkState>,
    /// Resources for which another station's claim was reported.
    rivals: BTreeSet<Name>,
    /// What the host's own list says of each resource.
    places: BTreeMap<Name, LocalPlacement>,
    /// Left-overs of an earlier list that are still to be removed.
    left: BTreeMap<Name, left::LeftOver>,
    /// The state of applications, as last read.
    watched: Option<BTreeMap<Name, AppStatus>>,
    /// The state of applications was not reported yet.
    news: bool,
    /// Metrics for the next report.
    metrics: Vec<Metric>,
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
        let left = left::begin(&mut durable, &list, now);
        if !left.is_empty() {
            out.push(Output::Persist(durable.clone()));
        }
        let mut placements = BTreeMap::new();
        for (resource, place) in &list {
            let mark = durable.marks.get(resource).cloned().unwrap_or_default();
            let controller = durable.controller.unwrap_or_default();
            let mut placement = ResourceAgent::new(resource.clone(), mark, incarnation, controller);
            placement.is_at(place.clone(), left.contains_key(resource));
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
        agent.leave(now, out);
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
            Input::Left { resource, holds } => self.left(now, &resource, holds),
            Input::Timer => {
                for placement in self.placements.values_mut() {
                    placement.timer(now, out);
                }
                self.leave(now, out);
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
        placements.chain(self.next_leave()).fold(self.next_beat, Time::min)
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
