//! Messages between agents: requests for votes, and votes (`takeover: quorum`).
//!
//! A holder asks all voters again and again, with a growing number. A voter answers each request with its number, so the holder
//! knows, on its own clock, when it sent the request. Any message may be lost, doubled, delayed or overtaken. The controller gets
//! no requests: an agent's heartbeat asks for its vote, and a `Take` or `Renew` is the answer.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::inventory::Name;

use super::{Echo, Generation};

/// A message from one agent to another, best effort.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerMessage {
    /// The sender holds a resource, or is to hold it, and asks for a vote.
    Request(VoteRequest),
    Vote(Vote),
}

/// A host asks one voter to promise its vote to no other host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteRequest {
    /// The controller that the host obeys. Generations of different controllers can't be compared.
    pub controller: u64,
    pub resource: Name,
    /// The generation of the command to hold the resource.
    pub generation: Generation,
    /// How long the vote must last.
    pub term: Duration,
    /// The number of the request: the host's start and a count.
    pub number: Echo,
    /// Hosts that do not hold the resource any more, relayed from the controller's `Take`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clear: BTreeMap<Name, Generation>,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    pub resource: Name,
    /// The generation of the command that the vote is for.
    pub generation: Generation,
    /// The number of the request that is answered.
    pub number: Echo,
    /// Why the voter does not vote for the host; `None` if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
}

/// Why a voter does not vote for a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It has promised its vote to another host, and the promise still lasts.
    Promised(Name),
    /// It knows of a newer command about the resource.
    Newer,
    /// It started a short while ago, and does not know what it promised before.
    Started,
    /// It obeys another controller, or none yet.
    OtherController,
    /// The host has no placement of the resource, according to the controller.
    NotAPlacement,
    /// The request has an impossible term or generation.
    Implausible,
    /// It votes about as many resources as it can remember.
    Full,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Promised(host) => write!(f, "its vote for {host} has not expired"),
            Refusal::Newer => f.write_str("it knows a newer command"),
            Refusal::Started => f.write_str("it started a short while ago and must wait"),
            Refusal::OtherController => f.write_str("it obeys another controller"),
            Refusal::NotAPlacement => f.write_str("this host is no placement of the resource"),
            Refusal::Implausible => f.write_str("the request is not plausible"),
            Refusal::Full => f.write_str("it votes about too many resources"),
        }
    }
}
