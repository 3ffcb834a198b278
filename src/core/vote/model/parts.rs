//! The parts of a state: a voter with its disk, a host that wants the resource, and the numbers that stand for them.
//!
//! Every part is kept as it is at time zero of its machine's clock: when time passes, all its times are moved back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::wire::Generation;

use super::super::{Elector, Voter, Votes};
use super::{BrokenRule, VoteModel};

const RESOURCE: &str = "vip";
const NAMES: [&str; 2] = ["a", "b"];
/// How long a kernel may keep an address beyond the term: what the agent allows on purpose, and the kernel's own lateness.
const KERNEL: Duration = Duration::from_millis(950);
const NOW: Time = Time::from_micros(0);

/// Parts by their numbers, and what each becomes by an event.
pub(super) struct NumberedParts<T, E> {
    all: Vec<T>,
    numbers: BTreeMap<String, u32>,
    /// For each part, what it becomes by the events that were computed already.
    after: Vec<BTreeMap<E, (u32, bool)>>,
}

impl<T, E> Default for NumberedParts<T, E> {
    fn default() -> Self {
        NumberedParts { all: Vec::new(), numbers: BTreeMap::new(), after: Vec::new() }
    }
}

impl<T: Debug, E: Ord + Copy> NumberedParts<T, E> {
    pub(super) fn number(&mut self, part: T) -> u32 {
        let next = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(format!("{part:?}")).or_insert(next);
        if number == next {
            self.all.push(part);
            self.after.push(BTreeMap::new());
        }
        number
    }

    pub(super) fn part(&self, number: u32) -> &T {
        &self.all[number as usize]
    }

    pub(super) fn after(&mut self, number: u32, event: E, step: impl FnOnce(&T) -> (T, bool)) -> (u32, bool) {
        if let Some(known) = self.after[number as usize].get(&event) {
            return *known;
        }
        let (part, said) = step(self.part(number));
        let after = (self.number(part), said);
        self.after[number as usize].insert(event, after);
        after
    }
}

fn generation(command: u64) -> Generation {
    Generation { epoch: 1, n: command }
}

fn back(at: Time, by: Duration) -> Time {
    if at == Time::MIN { at } else { at - by }
}

/// What happens to a voter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum VoterEvent {
    Passed(Duration),
    Crash,
    Asked {
        host: usize,
        command: u64,
    },
    /// It learned that this command exists.
    Learned(u64),
    Clear {
        host: usize,
        command: u64,
    },
}

#[derive(Clone, Debug)]
pub(super) struct VoterPart {
    voter: Voter,
    /// The longest promise, as it is on the voter's disk.
    disk: Duration,
}

impl VoterPart {
    pub(super) fn new() -> VoterPart {
        VoterPart { voter: Voter::start(NOW, Duration::ZERO), disk: Duration::ZERO }
    }

    /// What the voter becomes, and whether it votes for the host that asks.
    pub(super) fn after(&self, event: VoterEvent, model: &VoteModel) -> (VoterPart, bool) {
        let mut next = self.clone();
        let mut granted = false;
        match event {
            VoterEvent::Passed(by) => next.voter.rebase(by),
            VoterEvent::Crash => {
                let longest = if model.broken == Some(BrokenRule::StartsAtOnce) { Duration::ZERO } else { self.disk };
                next.voter = Voter::start(NOW, longest);
            }
            VoterEvent::Asked { host, command } => {
                if model.broken == Some(BrokenRule::NewerWins) {
                    next.voter.clear(RESOURCE, NAMES[1 - host], generation(command - 1));
                }
                granted = next.voter.ask(NOW, RESOURCE, NAMES[host], generation(command), model.term).is_ok();
                if model.broken == Some(BrokenRule::NoRateMargin) {
                    next.voter.shorten(model.promise_lasts());
                }
                // The length must be on disk before the vote leaves.
                if model.broken != Some(BrokenRule::SentBeforeSynced) {
                    next.disk = next.voter.longest();
                }
            }
            VoterEvent::Learned(command) => next.voter.learn_command(NOW, RESOURCE, generation(command)),
            VoterEvent::Clear { host, command } => next.voter.clear(RESOURCE, NAMES[host], generation(command)),
        }
        (next, granted)
    }
}

/// A vote on its way: the voter, and the request that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VoteUnderWay {
    pub(super) voter: usize,
    pub(super) number: u64,
}

/// What happens to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HolderEvent {
    Passed(Duration),
    Crash,
    /// The host sends a request.
    Ask,
    /// A voter has granted a request, and its answer is on its way.
    Granted(VoteUnderWay),
    /// The answer of a voter arrives.
    Counted(VoteUnderWay),
    /// The host does not want the resource any more; that is on its disk.
    GiveUp,
    /// The address is taken off.
    TakenOff,
    /// A newer command to hold the resource, which is on the host's disk.
    Obey(u64),
}

#[derive(Clone, Debug)]
pub(super) struct HolderPart {
    /// The command that the host obeys, as on its disk.
    pub(super) wants: Option<u64>,
    /// The newest command that the host ever obeyed.
    obeyed: u64,
    /// The newest command after which the host was seen without wanting or holding. A message that says so may still arrive.
    clear: u64,
    /// Commands for which voters were ever asked, one bit for each. Such a request may arrive at any time.
    pub(super) asked: u64,
    votes: Votes,
    /// Votes that are on their way.
    answers: BTreeSet<VoteUnderWay>,
    /// When the kernel drops the address.
    kernel: Option<Time>,
}

impl HolderPart {
    pub(super) fn new(command: u64) -> HolderPart {
        HolderPart {
            wants: Some(command),
            obeyed: command,
            clear: 0,
            asked: 0,
            votes: begun(),
            answers: BTreeSet::new(),
            kernel: None,
        }
    }

    /// True if its kernel has the address.
    pub(super) fn holds(&self) -> bool {
        self.kernel.is_some()
    }

    /// Requests whose answers count.
    pub(super) fn live(&self) -> RangeInclusive<u64> {
        1..=self.votes.requests()
    }

    /// Votes of a voter that are on their way.
    pub(super) fn answers_of(&self, voter: usize) -> Vec<VoteUnderWay> {
        self.answers.iter().filter(|a| a.voter == voter).copied().collect()
    }

    /// The command up to which the host is reported as clear.
    pub(super) fn shown_clear(&self, model: &VoteModel) -> u64 {
        if model.broken == Some(BrokenRule::ClearTooEarly) { self.obeyed } else { self.clear }
    }

    pub(super) fn after(&self, event: HolderEvent, model: &VoteModel) -> HolderPart {
        let mut next = self.clone();
        match event {
            HolderEvent::Passed(by) => {
                next.kernel = self.kernel.map(|at| back(at, by)).filter(|at| NOW < *at);
                let gone = next.votes.rebase(by, model.term);
                next.forget(gone);
            }
            HolderEvent::Crash => next.begin(),
            HolderEvent::Ask => {
                if self.votes.requests() >= model.requests as u64 {
                    let gone = next.votes.forget_oldest();
                    next.forget(gone);
                }
                next.votes.ask(NOW);
                next.asked |= self.wants.map_or(0, |command| 1 << command);
            }
            HolderEvent::Granted(answer) => {
                next.answers.insert(answer);
            }
            HolderEvent::Counted(answer) => {
                next.answers.remove(&answer);
                next.count(answer, model);
            }
            HolderEvent::GiveUp => {
                next.wants = None;
                next.begin();
            }
            HolderEvent::TakenOff => next.kernel = None,
            HolderEvent::Obey(command) => {
                (next.wants, next.obeyed) = (Some(command), command);
                next.begin();
            }
        }
        if next.wants.is_none() && next.kernel.is_none() {
            next.clear = next.obeyed;
        }
        next
    }

    fn count(&mut self, answer: VoteUnderWay, model: &VoteModel) {
        let elector = match answer.voter {
            0 => Elector::Controller,
            m => Elector::Agent(NAMES[m - 1].to_owned()),
        };
        let number = if model.broken == Some(BrokenRule::CountsFromNewest) { self.votes.requests() } else { answer.number };
        self.votes.answered(elector, self.votes.echo(number), None);
        let term = if model.broken == Some(BrokenRule::CountsTooLong) { model.term * 3 / 2 } else { model.term };
        let majority = if model.broken == Some(BrokenRule::NoMajority) { 1 } else { 2 };
        if let Some(at) = self.votes.majority_at(majority)
            && NOW < at + term
        {
            self.kernel = self.kernel.max(Some(at + term + KERNEL));
        }
    }

    /// Counts votes anew, for a new command.
    fn begin(&mut self) {
        self.votes = begun();
        self.answers.clear();
    }

    /// Forgets so many of the oldest requests.
    fn forget(&mut self, requests: u64) {
        let kept = self.answers.iter().filter(|a| a.number > requests);
        self.answers = kept.map(|a| VoteUnderWay { number: a.number - requests, ..*a }).collect();
    }
}

fn begun() -> Votes {
    let mut votes = Votes::default();
    votes.begin(1);
    votes
}
