//! All states of a small quorum: three voters (the controller and the agents of two hosts) and both hosts, which want the
//! resource. The voters and the counting of votes are the program's own ([`Voter`], [`Votes`]).
//!
//! Messages are lost, doubled, delayed and reordered. Processes crash at any time, and lose everything that was not on their
//! disks. A voter that starts waits for its whole waiting time. Clocks run at the bounds of what is allowed. Commands are
//! withdrawn and replaced.
//!
//! The search covers the whole behaviour, not only its beginning: a state has only the time that is left of each deadline, and so
//! does not depend on how long the system has been running. The search ends when it finds no new state. Only the numbers of
//! commands, of crashes and of requests under way are bounded (a host that sends another request gives up the oldest).
//!
//! Time passes in steps. `steps` of them make a promise, as a voter with the fastest clock keeps it, so the search always sees
//! the moment in which a voter becomes free. A message that arrives a step later stands for a holder with less time than in the
//! worst case.
//!
//! A part of a state is a number that stands for a voter or a holder. What a part becomes is computed once, so most of the search
//! compares numbers. Tests: `tests/it/vote_model.rs`; larger instances: `examples/votes.rs`.

mod parts;
mod rebase;

use std::collections::BTreeSet;
use std::time::Duration;

use parts::{HolderEvent, HolderPart, NumberedParts, VoteUnderWay, VoterEvent, VoterPart};

use super::promise_lasts;

const VOTERS: usize = 3;
const HOSTS: usize = 2;

/// A way to break the rules of voting. Tests use it to see that the search finds the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenRule {
    /// A voter that starts does not wait.
    StartsAtOnce,
    /// A vote leaves before the length of the promise is on disk.
    SentBeforeSynced,
    /// A holder relies on a vote for half a term longer.
    CountsTooLong,
    /// A vote counts from the newest request, whichever request it answers.
    CountsFromNewest,
    /// A host that holds the resource is called clear.
    ClearTooEarly,
    /// A promise has no margin for the difference of clocks.
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
    /// How long a vote allows a host to hold.
    pub term: Duration,
    /// The rates of the clocks of the controller and of the two hosts, in thousandths.
    pub rates: [i64; VOTERS],
    /// Steps of time that a promise lasts, 2 or more.
    pub steps: u32,
    /// The number of commands to hold. The first two are given at the start, one to each host.
    pub commands: u64,
    /// How many processes crash.
    pub crashes: u8,
    /// Requests of one host that may still be answered.
    pub requests: usize,
    pub broken: Option<BrokenRule>,
}

/// The result of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Searched {
    pub states: usize,
    /// A state with two owners was found, which ended the search.
    pub two_owners: bool,
    /// Every state was looked at.
    pub complete: bool,
}

/// The numbers of the parts, and what is common to all.
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
    /// How far the clock of each machine advances in a step.
    step: [Duration; VOTERS],
}

/// The machine of a host; that of the controller comes first.
fn machine(host: usize) -> usize {
    host + 1
}

impl VoteModel {
    /// Searches every state that can be reached, up to `most` states.
    pub fn search(&self, most: usize) -> Searched {
        let mut search = Search {
            model: self,
            voters: NumberedParts::default(),
            holders: NumberedParts::default(),
            step: self.rates.map(|rate| self.true_step() / 1_000 * u32::try_from(rate).unwrap_or(1_000)),
        };
        let begin = search.begin();
        let mut reached = BTreeSet::from([begin]);
        let mut open = vec![begin];
        let mut next = Vec::new();
        while let Some(state) = open.pop() {
            search.next(state, &mut next);
            for after in next.drain(..) {
                if after == state || !reached.insert(after) {
                    continue;
                }
                let two_owners = search.has_two_owners(after);
                if two_owners || reached.len() >= most {
                    return Searched { states: reached.len(), two_owners, complete: false };
                }
                open.push(after);
            }
        }
        Searched { states: reached.len(), two_owners: false, complete: true }
    }

    fn promise_lasts(&self) -> Duration {
        let rates = if self.broken == Some(BrokenRule::NoRateMargin) { self.term / super::RATE_PARTS } else { Duration::ZERO };
        promise_lasts(self.term) - rates
    }

    /// A step in true time. A whole number of steps is a promise on the fastest clock. Rounded up so that each clock advances by
    /// whole microseconds.
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

    /// True if both hosts hold the resource. The invariant is that there is no such state.
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
            found.push(self.voter(obeyed, machine(host), VoterEvent::Learned(u64::from(commands))).0);
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

    /// A process ends and starts again. Its promises are forgotten; a host's address stays until its kernel drops it.
    fn crash(&mut self, state: State, m: usize) -> State {
        let (mut next, _) = self.voter(state, m, VoterEvent::Crash);
        next.crashes += 1;
        match m.checked_sub(1) {
            Some(host) => self.holder(next, host, HolderEvent::Crash),
            None => next,
        }
    }
}
