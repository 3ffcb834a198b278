//! Messages between controller and agents. They are values only; the shells do framing and encryption.
//!
//! An agent sends a [`Report`] on every heartbeat, and at once when something changed. The controller sends [`Command`]s, and
//! repeats them until a report shows that they arrived. Any message may be lost, doubled, delayed or overtaken: (incarnation,
//! beat) puts reports into sequence, and [`Generation`] does the same for commands.
//!
//! **Echo.** A command names the last beat that the controller has from that agent. The agent knows when it sent that beat, on
//! its own clock, and so how old the command can be at most. No clock is ever compared with another machine's.

mod vote;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::inventory::{Name, OnQuorumLoss, ResourceKind, Takeover};

pub use vote::{PeerMessage, Refusal, Vote, VoteRequest};

/// The number of a command (a fencing token). It only grows for each resource. A host refuses a command that is not newer than
/// what it obeyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Generation {
    /// 1 + the highest epoch that any agent or the journal had when the controller started.
    pub epoch: u64,
    /// Counts commands within the epoch.
    pub n: u64,
}

impl Generation {
    /// The generation before every generation that a controller issues.
    pub const NONE: Generation = Generation { epoch: 0, n: 0 };

    /// How far ahead of the known generation a number from another machine may be and still be believed. An epoch grows by one
    /// with each start of a controller and `n` with each command, so a number that is further ahead was made up, or is damaged.
    /// Believing it could use up all numbers that there are.
    const AHEAD: u64 = 1 << 40;

    /// True if this generation can come from commands that follow on `known`.
    pub fn is_plausible_after(self, known: Generation) -> bool {
        self.epoch <= known.epoch.saturating_add(Self::AHEAD) && self.n <= known.n.saturating_add(Self::AHEAD)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.n)
    }
}

/// The last heartbeat of an agent that reached the controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Echo {
    /// The number of the agent's start. A restarted agent recognises no earlier beat.
    pub incarnation: u64,
    /// The number of the beat within the incarnation.
    pub beat: u64,
}

/// The terms on which a host holds a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub takeover: Takeover,
    /// `probe`: give up after this time without a majority of witnesses. `quorum`: how long a vote lasts.
    pub isolation: Duration,
    /// `lease`: how long a lease lasts from the beat that it answers.
    pub term: Duration,
    /// `probe`: the addresses of which a majority must be reached.
    pub witnesses: Vec<IpAddr>,
    /// `quorum`: the hosts whose agents vote. The controller is one more voter.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub voters: Arc<BTreeSet<Name>>,
    /// `quorum`: what a holder does if it has no majority any more.
    #[serde(default, skip_serializing_if = "OnQuorumLoss::is_default")]
    pub on_quorum_loss: OnQuorumLoss,
}

impl Terms {
    /// How many votes are a majority of all voters, with the controller.
    pub fn majority(&self) -> usize {
        let all = self.voters.len() + 1;
        all / 2 + 1
    }
}

/// What the taker listens for before it takes an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Probe {
    /// Nothing: the former holder's release is confirmed.
    Nothing,
    /// One round of conflict probes (RFC 5227 section 2.1.1).
    Once,
    /// Silence for this time without a break, while a majority of witnesses is reached.
    Silence(Duration),
}

/// An instruction for one agent about one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Do not hold it, and refuse every older command.
    Release,
    Take {
        /// What to listen for first.
        probe: Probe,
        /// The terms on which it is held.
        terms: Terms,
        /// `quorum`: the controller votes for the taker.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        vote: bool,
        /// `quorum`: hosts that do not hold the resource, and obey only commands that are newer than this generation. Each
        /// reported that itself, or an operator confirms it. What a voter promised them up to this generation is void.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        clear: BTreeMap<Name, Generation>,
    },
    /// Continue to hold it. This renews a lease; under `quorum` it is the controller's vote.
    Renew,
    /// The hosts for which this agent may vote, and the other voters. Sent to all voters, also to those that have no placement of
    /// the resource, and never to an agent that does not report that it [votes](Report::votes).
    Electorate(Electorate),
}

/// The hosts that may hold a resource, and its voters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Electorate {
    /// Hosts that may ask for votes. A request of any other host is refused.
    #[serde(alias = "seats")]
    pub placements: BTreeSet<Name>,
    /// The addresses at which the agents of these hosts and of the other voters listen for each other; `None` if unknown.
    pub peers: BTreeMap<Name, Option<SocketAddr>>,
    /// The longest time for which this agent may have promised its vote to a host: its own store may have been lost. Zero from a
    /// controller of an earlier version.
    #[serde(default)]
    pub longest: Duration,
}

/// A command to one agent about one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The controller that sends it. An agent obeys only one controller.
    pub controller: u64,
    pub resource: Name,
    pub generation: Generation,
    /// The last beat that the controller has from this agent.
    pub echo: Echo,
    pub action: Action,
}

/// Whether a host holds a resource in fact. `Unknown` is a state of its own, and is never replaced by a guess.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Presence {
    /// The driver saw the resource.
    Yes,
    /// The driver saw that it is not there.
    No,
    /// The driver could not tell, or has not been asked yet.
    #[default]
    Unknown,
}

/// Why an agent does not hold a resource that it was commanded to take.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StatusNote {
    /// Another station answered for the address before it was taken.
    Conflict,
    /// The driver failed with this message.
    Failed(String),
    /// It reached no majority of witnesses for the isolation time, and gave the address up.
    Isolated,
    /// Its lease ended before it was renewed.
    LeaseEnded,
    /// It had no majority of the voters for as long as a vote lasts, and gave the address up.
    QuorumLost,
    /// The address went away without an action of the agent.
    Gone,
    /// Commands come from a controller other than the one that it obeys.
    OtherController,
}

/// The state of one resource on one host, as its agent knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceStatus {
    /// The newest generation that was obeyed. It was on disk before it took effect.
    pub generation: Generation,
    /// True while that generation's command is to hold the resource and has not ended.
    pub want: bool,
    /// Whether the host holds it.
    pub holds: Presence,
    /// Why it does not hold the resource, if there is something to say.
    pub note: Option<StatusNote>,
}

/// Whether a network interface can carry traffic, as its host's agent sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// The agent is older and does not report it, or could not ask the kernel.
    #[default]
    Unknown,
    /// The interface is up and has a carrier.
    Up,
    /// The interface is up without a carrier: the cable, the port of the switch or the lower interface is down.
    NoCarrier,
    /// The interface was shut down on the host.
    Down,
    /// The host has no such interface.
    Missing,
}

impl LinkState {
    /// True if no client can reach an address on the interface. An unknown state does not count as lost.
    pub fn is_lost(self) -> bool {
        match self {
            LinkState::Unknown | LinkState::Up => false,
            LinkState::NoCarrier | LinkState::Down | LinkState::Missing => true,
        }
    }
}

impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LinkState::Unknown => "is in an unknown state",
            LinkState::Up => "is up",
            LinkState::NoCarrier => "has no carrier",
            LinkState::Down => "is down",
            LinkState::Missing => "is missing",
        })
    }
}

/// Whether an application runs, as its host's agent sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AppStatus {
    /// A process of it is there.
    Yes,
    No,
    /// The agent could not see whether it runs. This changes nothing.
    #[default]
    Unknown,
}

/// A metric that an agent measured on its host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// The name of the metric: one of [`crate::core::inventory::METRICS`].
    pub name: String,
    /// The mount point, for a metric of one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mount: String,
    pub thousandths: i64,
}

/// What a resource is on one host, by the host's own list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalPlacement {
    /// The address or port.
    pub what: ResourceKind,
    /// The network interface of an address; empty for a resource that is no address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub interface: String,
}

/// An agent's heartbeat with everything that it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub host: Name,
    /// The number of the beat and of the start.
    pub beat: Echo,
    /// The controller that it obeys; `None` if it is new, or was adopted.
    #[serde(default)]
    pub controller: Option<u64>,
    /// Resources of the host's local list.
    pub resources: BTreeMap<Name, ResourceStatus>,
    /// The state of the interface of each address of the local list, by resource. Older agents do not report it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<Name, LinkState>,
    /// Applications that it watches; `None` before its first look, and from an agent that does not support it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<BTreeMap<Name, AppStatus>>,
    /// True if this agent supports `quorum`. An agent of an earlier version can neither vote nor hold by votes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub votes: bool,
    /// The address and interface of each resource in the agent's own list. Empty from an agent of an earlier version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<Name, LocalPlacement>,
    /// Resources held here that another station claims now.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rivals: BTreeSet<Name>,
    /// Metrics since the report before. They are not repeated: if this report is lost, the next measurement follows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
}

/// Estimated bytes of one entry of a report in memory, in addition to its name.
const ENTRY_BYTES: usize = 256;

impl Report {
    /// Estimates its memory in bytes.
    pub fn weight(&self) -> usize {
        let said = |status: &ResourceStatus| match &status.note {
            Some(StatusNote::Failed(text)) => text.len(),
            _ => 0,
        };
        let entries = (self.resources.iter().map(|(name, status)| name.len() + said(status)))
            .chain(self.places.iter().map(|(name, place)| name.len() + place.interface.len()))
            .chain(self.links.keys().chain(&self.rivals).map(String::len))
            .chain(self.watched.iter().flatten().map(|(name, _)| name.len()))
            .chain(self.metrics.iter().map(|metric| metric.name.len() + metric.mount.len()));
        entries.map(|text| ENTRY_BYTES + text).sum::<usize>() + self.host.len() + ENTRY_BYTES
    }
}
