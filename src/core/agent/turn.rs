//! What goes into a turn of an agent, and what comes out of it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::core::base::time::Time;
use crate::core::inventory::Name;
use crate::core::wire::{AppStatus, Command, LinkState, LocalPlacement, Metric, PeerMessage, Presence, Report};

use super::durable::Durable;

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
