//! The votes for one host about one resource, as that host counts them.

use std::collections::{BTreeMap, VecDeque};

use crate::core::base::time::Time;
use crate::core::inventory::Name;
use crate::core::wire::{Echo, Refusal};

/// Requests that are remembered. The answer to an older request is too old to be of use.
const REQUESTS_KEPT: usize = 256;

/// A voter, as a holder counts it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Elector {
    Controller,
    /// The agent of the named host.
    Agent(Name),
}

impl std::fmt::Display for Elector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Elector::Controller => f.write_str("the controller"),
            Elector::Agent(host) => f.write_str(host),
        }
    }
}

/// Votes for one command to hold a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Votes {
    /// The number of the last request, and when the newest requests were sent.
    pub(super) number: Echo,
    pub(super) sent: VecDeque<(u64, Time)>,
    /// For each voter, when the newest request that it granted was sent.
    pub(super) granted: BTreeMap<Elector, Time>,
    /// For each voter, why it did not grant the newest request.
    refused: BTreeMap<Elector, Refusal>,
}

impl Votes {
    /// Starts without votes, for a new command. The numbers of requests continue.
    pub fn begin(&mut self, incarnation: u64) {
        let beat = if self.number.incarnation == incarnation { self.number.beat } else { 0 };
        *self = Votes { number: Echo { incarnation, beat }, ..Votes::default() };
    }

    /// The number of a request that is sent now to all voters.
    pub fn ask(&mut self, now: Time) -> Echo {
        self.number.beat += 1;
        if self.sent.len() == REQUESTS_KEPT {
            self.sent.pop_front();
        }
        self.sent.push_back((self.number.beat, now));
        self.number
    }

    /// Takes a voter's answer to a request. An answer to a request of an earlier start, or to a forgotten one, is ignored.
    pub fn answered(&mut self, voter: Elector, number: Echo, refused: Option<Refusal>) {
        let of_this_start = number.incarnation == self.number.incarnation;
        let sent = self.sent.iter().find(|(n, _)| of_this_start && *n == number.beat).map(|(_, at)| *at);
        match (sent, refused) {
            (Some(at), None) => self.granted(voter, at),
            (Some(_), Some(why)) => {
                self.refused.insert(voter, why);
            }
            (None, _) => {}
        }
    }

    /// Takes the vote of a voter that granted a request sent at `asked`.
    pub fn granted(&mut self, voter: Elector, asked: Time) {
        self.refused.remove(&voter);
        let at = self.granted.entry(voter).or_insert(asked);
        *at = (*at).max(asked);
    }

    /// The latest time for which `majority` voters granted a request that was sent then or later.
    pub fn majority_at(&self, majority: usize) -> Option<Time> {
        let mut asked: Vec<Time> = self.granted.values().copied().collect();
        asked.sort_unstable_by(|a, b| b.cmp(a));
        asked.get(majority.checked_sub(1)?).copied()
    }

    /// The voters that granted a request which was sent then or later.
    pub fn granted_since(&self, at: Time) -> impl Iterator<Item = &Elector> {
        self.granted.iter().filter(move |(_, asked)| **asked >= at).map(|(voter, _)| voter)
    }

    /// Why voters refused last.
    pub fn refusals(&self) -> impl Iterator<Item = (&Elector, &Refusal)> {
        self.refused.iter()
    }
}
