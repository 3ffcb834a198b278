//! What controller and agents say to each other. Values only; framing and encryption are the shells' affair.
//!
//! An agent sends a [`Report`] on every heartbeat and at once when something changed. The controller sends [`Command`]s,
//! and sends them again until a report shows that they arrived. Any message may be lost, doubled, delayed or overtaken:
//! reports are ordered by (incarnation, beat), commands by [`Generation`].
//!
//! **Echo.** A command names the last beat that the controller has from that agent. The agent knows when it sent that
//! beat, on its own clock, and so how old the command can be at most: no clock is ever compared with another machine's.

mod vote;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::inventory::{Name, OnQuorumLoss, ResourceKind, Takeover};

pub use vote::{PeerMessage, Refusal, Vote, VoteRequest};

/// The fencing number of a command. Each resource's only grows; targets refuse what is not newer than what they obeyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Generation {
    /// 1 + the highest epoch that any agent or the journal knew when the controller started.
    pub epoch: u64,
    /// Counts within the epoch.
    pub n: u64,
}

impl Generation {
    /// Before every generation that a controller issues.
    pub const NONE: Generation = Generation { epoch: 0, n: 0 };

    /// How far ahead of what is known a number from another machine may be and still be believed. An epoch grows by one with
    /// each start of a controller and `n` with each command, so that what is further ahead was made up, or is damaged; to
    /// believe it could use up all numbers there are.
    const AHEAD: u64 = 1 << 40;

    /// True when this can have come from commands that follow on `known`.
    pub fn is_plausible_after(self, known: Generation) -> bool {
        self.epoch <= known.epoch.saturating_add(Self::AHEAD) && self.n <= known.n.saturating_add(Self::AHEAD)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.n)
    }
}

/// Which of its heartbeats an agent last got through to the controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Echo {
    /// The agent's start; a restarted agent recognises no earlier beat.
    pub incarnation: u64,
    /// Number of the beat within the incarnation.
    pub beat: u64,
}

/// The terms on which a resource is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub takeover: Takeover,
    /// `probe`: give up after so long without a majority of witnesses. `quorum`: how long a vote lasts.
    pub isolation: Duration,
    /// `lease`: how long a lease lasts from the beat that it answers.
    pub term: Duration,
    /// `probe`: who must be reached.
    pub witnesses: Vec<IpAddr>,
    /// `quorum`: the hosts whose agents vote. The controller is one more voter.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub voters: BTreeSet<Name>,
    /// `quorum`: what a holder does that has no majority any more.
    #[serde(default, skip_serializing_if = "OnQuorumLoss::is_default")]
    pub on_quorum_loss: OnQuorumLoss,
}

impl Terms {
    /// How many votes are a majority of all voters, the controller among them.
    pub fn majority(&self) -> usize {
        let all = self.voters.len() + 1;
        all / 2 + 1
    }
}

/// What is listened for before an address is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Probe {
    /// Nothing: the former holder's release is confirmed.
    Nothing,
    /// One round of conflict probes (RFC 5227 section 2.1.1).
    Once,
    /// Silence for so long without a break, while a majority of witnesses is reached.
    Silence(Duration),
}

/// What an agent is told to do with one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Not to hold it, and to refuse every older command.
    Release,
    Take {
        /// What to listen for first.
        probe: Probe,
        /// On what terms it is held.
        terms: Terms,
        /// `quorum`: the controller votes for it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        vote: bool,
        /// `quorum`: hosts that do not hold the resource, and obey only commands that are newer than this. Each showed that
        /// itself (or an operator vouches for it), so what a voter promised them up to there is void.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        clear: BTreeMap<Name, Generation>,
    },
    /// To go on holding it: renews a lease; under `quorum` it is the controller's vote.
    Renew,
    /// Not about holding: whom this agent may vote for, and who else votes. Sent to all voters, also to those that are no
    /// placement of the resource, and never to an agent that does not say that it [votes](Report::votes).
    Electorate(Electorate),
}

/// Who may hold a resource, and who votes about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Electorate {
    /// Hosts that may ask for votes. A request of any other host is refused.
    #[serde(alias = "seats")]
    pub placements: BTreeSet<Name>,
    /// Where the agents of all these hosts and of the other voters listen for each other; `None` where that is not known.
    pub peers: BTreeMap<Name, Option<SocketAddr>>,
}

/// A command to one agent about one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Which controller says so; an agent obeys one only.
    pub controller: u64,
    pub resource: Name,
    pub generation: Generation,
    /// The last beat that the controller has from this agent.
    pub echo: Echo,
    pub action: Action,
}

/// Whether a host has a resource, in fact. Unknown is a state; it is not guessed away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Presence {
    /// The driver saw it.
    Yes,
    /// The driver saw that it is not there.
    No,
    /// The driver could not tell, or has not been asked yet.
    #[default]
    Unknown,
}

/// Why an agent does not hold what it was told to take.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StatusNote {
    /// Somebody answered for the address before it was taken.
    Conflict,
    /// The driver failed, with its words.
    Failed(String),
    /// It reached no majority of witnesses for the isolation time and gave the address up.
    Isolated,
    /// Its lease ended before it was renewed.
    LeaseEnded,
    /// It had no majority of the voters for as long as a vote lasts, and gave the address up.
    QuorumLost,
    /// The address went away without the agent's doing.
    Gone,
    /// Commands come from another controller than the one it obeys.
    OtherController,
}

/// The state of one resource on one host, as its agent knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceStatus {
    /// The newest generation obeyed; on disk before it was acted on.
    pub generation: Generation,
    /// True while that generation's command is to hold the resource and has not ended.
    pub want: bool,
    /// Whether the host has it.
    pub holds: Presence,
    /// Why not, where there is something to say.
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
    /// True when nobody can reach an address on the interface. An unknown state is not lost.
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
    /// That could not be seen. It changes nothing.
    #[default]
    Unknown,
}

/// Something that an agent measured of its host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// One of [`crate::core::inventory::METRICS`].
    pub name: String,
    /// Of which mount point, where it is of one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mount: String,
    pub thousandths: i64,
}

/// What a resource is on one host, by the host's own list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalPlacement {
    /// The address or port.
    pub what: ResourceKind,
    /// The network interface of an address; empty for what is no address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub interface: String,
}

/// An agent's heartbeat with everything that it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub host: Name,
    /// Which beat of which start.
    pub beat: Echo,
    /// Whom it obeys; none yet when it is new, or adopted.
    #[serde(default)]
    pub controller: Option<u64>,
    /// Resources of the host's local list.
    pub resources: BTreeMap<Name, ResourceStatus>,
    /// State of the interface of each address of the local list, by resource. Older agents do not report it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<Name, LinkState>,
    /// Applications that it watches; none before its first look, nor from an agent that does not know of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<BTreeMap<Name, AppStatus>>,
    /// True when this agent knows `quorum`. One of an earlier version does not: it can neither vote nor hold by votes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub votes: bool,
    /// What the agent's own list says that each resource is, and where. Empty from an agent of an earlier version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<Name, LocalPlacement>,
    /// Resources held here that another station claims now.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rivals: BTreeSet<Name>,
    /// What it measured since the report before. Not said again: when this report is lost, the next measurement tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
}
