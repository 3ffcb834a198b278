//! All states of a small quorum: three voters (the controller and the agents of two hosts) and both hosts, which want the resource. The
//! voters and the counting of votes are the program's own ([`Voter`], [`Votes`]).
//!
//! Messages are lost, doubled, delayed and reordered; processes crash at any time, with all that was not on their disks; a
//! voter that starts waits its whole wait; clocks run at the bounds of what is allowed; commands are withdrawn and replaced.
//!
//! Why this is all of it, and not only the beginning: times are kept as what is left of them, so a state says nothing about how
//! long the system has been running, and the search ends when no new state is found. What is bounded is the number of
//! commands, of crashes and of requests under way (a host that sends another one gives up the oldest).
//!
//! Time goes by in steps of which `steps` are a promise, as a voter with the fastest clock keeps it: the moment in which a voter
//! becomes free is always looked at. A holder that is given less time than in the worst case is given it by a message that
//! arrives a step later.
//!
//! A part of a state is a number that stands for a voter or a holder; what a part becomes is computed once. So most of the search
//! compares numbers. Tests: `tests/it/vote_model.rs`; larger instances: `examples/votes.rs`.

mod parts;
mod rebase;

use std::collections::BTreeSet;
use std::time::Duration;

use parts::{HolderEvent, HolderPart, NumberedParts, VoteUnderWay, VoterEvent, VoterPart};

use super::promise_lasts;

const VOTERS: usize = 3;
const HOSTS: usize = 2;

/// A way to break the rules, to see that the search finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenRule {
    /// A voter that starts does not wait.
    StartsAtOnce,
    /// A vote leaves before the length of the promise is on the disk.
    SentBeforeSynced,
    /// A holder counts on a vote for half a term longer.
    CountsTooLong,
    /// A vote counts from the newest request, whichever it answers.
    CountsFromNewest,
    /// A host is called clear that holds.
    ClearTooEarly,
    /// A promise allows for no difference of the clocks.
    NoRateMargin,
    /// One vote is enough.
    NoMajority,
    /// A voter lets a newer command of another host have the resource at once.
    NewerWins,
}

impl BrokenRule {
    pub const ALL: [BrokenRule; 8] = [
        BrokenRule::StartsAtOnce,
        BrokenRule::SentBeforeSynced,
        BrokenRule::CountsTooLong,
        BrokenRule::CountsFromNewest,
        BrokenRule::ClearTooEarly,
        BrokenRule::NoRateMargin,
        BrokenRule::NoMajority,
        BrokenRule::NewerWins,
    ];
}

/// An instance that is searched as a whole.
#[derive(Clone, Debug)]
pub struct VoteModel {
    /// How long a vote lets a host hold.
    pub term: Duration,
    /// How fast the clocks of the controller and of the two hosts run, in thousandths.
    pub rates: [i64; VOTERS],
    /// Steps of time that a promise lasts, 2 or more.
    pub steps: u32,
    /// Commands to hold that are ever given. The first two are given at the start, one to each host.
    pub commands: u64,
    /// How many processes crash.
    pub crashes: u8,
    /// Requests of one host that may be answered yet.
    pub requests: usize,
    pub broken: Option<BrokenRule>,
}

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Searched {
    pub states: usize,
    /// A state with two owners was found, which ended the search.
    pub two_owners: bool,
    /// Every state was looked at.
    pub complete: bool,
}

/// Numbers of parts, and what is common to all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    voters: [u32; VOTERS],
    holders: [u32; HOSTS],
    commands: u8,
    crashes: u8,
}

struct Search<'a> {
    model: &'a VoteModel,
    voters: NumberedParts<VoterPart, VoterEvent>,
    holders: NumberedParts<HolderPart, HolderEvent>,
    /// How far the clock of each machine goes in a step.
    step: [Duration; VOTERS],
}

/// The machine of a host; that of the controller comes first.
fn machine(host: usize) -> usize {
    host + 1
}

impl VoteModel {
    /// Looks at every state that can be reached, or at so many.
    pub fn search(&self, most: usize) -> Searched {
        let mut search = Search {
            model: self,
            voters: NumberedParts::default(),
            holders: NumberedParts::default(),
            step: self.rates.map(|rate| self.true_step() / 1_000 * u32::try_from(rate).unwrap_or(1_000)),
        };
        let begin = search.begin();
        let mut met = BTreeSet::from([begin]);
        let mut open = vec![begin];
        let mut next = Vec::new();
        while let Some(state) = open.pop() {
            search.next(state, &mut next);
            for after in next.drain(..) {
                if after == state || !met.insert(after) {
                    continue;
                }
                let two_owners = search.has_two_owners(after);
                if two_owners || met.len() >= most {
                    return Searched { states: met.len(), two_owners, complete: false };
                }
                open.push(after);
            }
        }
        Searched { states: met.len(), two_owners: false, complete: true }
    }

    fn promise_lasts(&self) -> Duration {
        let rates = if self.broken == Some(BrokenRule::NoRateMargin) { self.term / super::RATE_PARTS } else { Duration::ZERO };
        promise_lasts(self.term) - rates
    }

    /// A step in true time: a whole number of them is a promise on the fastest clock, rounded up so that each clock goes whole microseconds.
    fn true_step(&self) -> Duration {
        let fastest = self.rates.into_iter().max().unwrap_or(1_000);
        let micros = i64::try_from(self.promise_lasts().as_micros()).unwrap_or(i64::MAX / 1_000_000) * 1_000 / fastest;
        let each = micros / i64::from(self.steps.max(1));
        Duration::from_micros(u64::try_from(each / 1_000 + 1).unwrap_or(1) * 1_000)
    }
}

impl Search<'_> {
    fn begin(&mut self) -> State {
        let voter = self.voters.number(VoterPart::new());
        let holders = [1, 2].map(|command| self.holders.number(HolderPart::new(command)));
        State { voters: [voter; VOTERS], holders, commands: 2, crashes: 0 }
    }

    /// The invariant is that there are none.
    fn has_two_owners(&self, state: State) -> bool {
        state.holders.iter().all(|h| self.holders.part(*h).holds())
    }

    fn next(&mut self, state: State, found: &mut Vec<State>) {
        found.push(self.time_goes_by(state));
        for host in 0..HOSTS {
            self.of_host(state, host, found);
            for voter in 0..VOTERS {
                self.between(state, host, voter, found);
            }
        }
        if state.crashes < self.model.crashes {
            found.extend((0..VOTERS).map(|m| self.crash(state, m)));
        }
    }

    fn voter(&mut self, mut state: State, m: usize, event: VoterEvent) -> (State, bool) {
        let (number, granted) = self.voters.after(state.voters[m], event, |part| part.after(event, self.model));
        state.voters[m] = number;
        (state, granted)
    }

    fn holder(&mut self, mut state: State, host: usize, event: HolderEvent) -> State {
        let (number, _) = self.holders.after(state.holders[host], event, |part| (part.after(event, self.model), true));
        state.holders[host] = number;
        state
    }

    fn time_goes_by(&mut self, mut state: State) -> State {
        for m in 0..VOTERS {
            (state, _) = self.voter(state, m, VoterEvent::Passed(self.step[m]));
        }
        for host in 0..HOSTS {
            state = self.holder(state, host, HolderEvent::Passed(self.step[machine(host)]));
        }
        state
    }

    /// What a host does by itself, or because of a command.
    fn of_host(&mut self, state: State, host: usize, found: &mut Vec<State>) {
        let part = self.holders.part(state.holders[host]);
        let (wants, holds) = (part.wants.is_some(), part.holds());
        if wants {
            found.push(self.holder(state, host, HolderEvent::Ask));
            found.push(self.holder(state, host, HolderEvent::GiveUp));
        }
        if holds {
            found.push(self.holder(state, host, HolderEvent::TakenOff));
        }
        if u64::from(state.commands) < self.model.commands {
            let commands = state.commands + 1;
            let obeyed = self.holder(State { commands, ..state }, host, HolderEvent::Obey(u64::from(commands)));
            found.push(self.voter(obeyed, machine(host), VoterEvent::Heard(u64::from(commands))).0);
        }
    }

    /// What arrives at a voter from a host, and at the host from the voter: any message that was ever sent, any number of times.
    fn between(&mut self, state: State, host: usize, voter: usize, found: &mut Vec<State>) {
        let part = self.holders.part(state.holders[host]);
        let (wants, clear) = (part.wants, part.shown_clear(self.model));
        let (live, asked, answers) = (part.live(), part.asked, part.answers_of(voter));
        for command in (1..=u64::from(state.commands)).filter(|command| asked & (1 << command) != 0) {
            let (next, granted) = self.voter(state, voter, VoterEvent::Asked { host, command });
            found.push(next);
            if granted && wants == Some(command) {
                for number in live.clone() {
                    found.push(self.holder(next, host, HolderEvent::Granted(VoteUnderWay { voter, number })));
                }
            }
        }
        for answer in answers {
            found.push(self.holder(state, host, HolderEvent::Counted(answer)));
        }
        if clear > 0 {
            found.push(self.voter(state, voter, VoterEvent::Clear { host, command: clear }).0);
        }
    }

    /// A process ends and starts. What it promised is forgotten; a host's address stays until its kernel drops it.
    fn crash(&mut self, state: State, m: usize) -> State {
        let (mut next, _) = self.voter(state, m, VoterEvent::Crash);
        next.crashes += 1;
        match m.checked_sub(1) {
            Some(host) => self.holder(next, host, HolderEvent::Crash),
            None => next,
        }
    }
}
