//! All states of a small quorum: three voters (the controller and two hosts), two hosts that want the resource, messages that are lost,
//! doubled, delayed and reordered, voters and holders that crash and forget what was not on their disks, clocks that run
//! differently, releases and newer commands. The voters and the counting of votes are the program's own (`pointsman::core::vote`).
//!
//! An explicit search: a state is everything that may matter, an action anything that can happen next, time one
//! of them. States that were met before are not entered again.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::rc::Rc;
use std::time::Duration;

use pointsman::core::base::time::Time;
use pointsman::core::vote::{Elector, Voter, Votes};
use pointsman::core::wire::{Echo, Generation};

use crate::support::say;

const VIP: &str = "vip";
const HOSTS: [&str; 2] = ["a", "b"];
const TERM: Duration = Duration::from_secs(1);
/// How long a kernel may keep an address beyond the term: the agent's slack, and its own lateness.
const KERNEL: Duration = Duration::from_millis(950);
const TICK_US: i64 = 1_000_000;
/// A promise for a term lasts 2.01 s, a voter that starts waits as long: time for a promise, a crash and what comes of it.
/// Requests of one command.
const ASKS: u8 = 1;
/// Clocks may run wrong by so many parts in a thousand.
const SLOW_AND_FAST: [i64; 2] = [995, 1_005];

/// A way to break the rules, to see that the search finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    /// A voter that starts does not wait.
    StartsAtOnce,
    /// A holder counts on a vote for three times the term (a step of time is one term).
    CountsTooLong,
    /// A host is called clear that holds.
    ClearTooEarly,
}

/// A host that wants the resource.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Host {
    /// The command that it obeys; on its disk.
    wants: Option<u64>,
    /// It obeys only what is newer, and does not hold it.
    clear: u64,
    votes: Votes,
    incarnation: u64,
    asked: u8,
    /// When its kernel drops the address, on its own clock.
    kernel: Option<Time>,
}

/// A request on its way; it may arrive any number of times, at any time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Request {
    host: usize,
    generation: u64,
    number: Echo,
}

/// A part of a state, with its hash: most actions change one part, and share the others.
#[derive(Clone)]
struct Part<T>(Rc<(u64, T)>);

impl<T: Hash> Part<T> {
    fn new(value: T) -> Part<T> {
        Part(Rc::new((fingerprint(&value), value)))
    }
}

impl<T: Hash + Clone> Part<T> {
    fn changed(&self, change: impl FnOnce(&mut T)) -> Part<T> {
        let mut value = self.0.1.clone();
        change(&mut value);
        Part::new(value)
    }
}

impl<T> Deref for Part<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.1
    }
}

impl<T> Hash for Part<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.0.0);
    }
}

#[derive(Clone, Hash)]
struct State {
    tick: u8,
    voters: [Part<Voter>; 3],
    disks: [Duration; 3],
    hosts: [Part<Host>; 2],
    requests: Part<Vec<Request>>,
    generation: u64,
    crashes: u8,
}

struct Model {
    /// Of the controller's, a's and b's clock, in thousandths.
    rates: [i64; 3],
    broken: Option<Broken>,
    /// How much time goes by, how many processes crash, how many commands there are.
    ticks: u8,
    crashes: u8,
    generations: u64,
}

fn generation(n: u64) -> Generation {
    Generation { epoch: 1, n }
}

/// The machine of a host: the voter beside it.
fn machine(host: usize) -> usize {
    host + 1
}

impl Model {
    /// What a machine's clock shows.
    fn now(&self, state: &State, machine: usize) -> Time {
        Time::from_micros(i64::from(state.tick) * TICK_US / 1_000 * self.rates[machine])
    }

    fn begin(&self) -> State {
        let voter = || Part::new(Voter::start(Time::from_micros(0), Duration::ZERO));
        let host = |wants| Part::new(Host { wants, clear: 0, votes: begun(1), incarnation: 1, asked: 0, kernel: None });
        State {
            tick: 0,
            voters: [voter(), voter(), voter()],
            disks: [Duration::ZERO; 3],
            hosts: [host(Some(1)), host(Some(2))],
            requests: Part::new(Vec::new()),
            generation: 2,
            crashes: 0,
        }
    }

    /// The invariant.
    fn two_owners(&self, state: &State) -> bool {
        (0..2).all(|h| state.hosts[h].kernel.is_some_and(|until| self.now(state, machine(h)) < until))
    }

    fn next(&self, state: &State, found: &mut impl FnMut(State)) {
        if state.tick < self.ticks {
            found(self.tick(state));
        }
        for h in 0..2 {
            self.of_host(state, h, found);
        }
        for request in state.requests.iter() {
            self.of_request(state, request, found);
        }
        if state.crashes < self.crashes {
            for m in 0..3 {
                found(self.crash(state, m));
            }
        }
    }

    /// Time goes by. What has ended is dropped, so that states which differ in nothing else are one.
    fn tick(&self, state: &State) -> State {
        let mut next = State { tick: state.tick + 1, ..state.clone() };
        for m in 0..3 {
            let now = self.now(&next, m);
            next.voters[m] = next.voters[m].changed(|voter| voter.end_promises(now));
        }
        for h in 0..2 {
            let now = self.now(&next, machine(h));
            next.hosts[h] = next.hosts[h].changed(|host| host.kernel = host.kernel.filter(|until| now < *until));
        }
        next
    }

    fn of_host(&self, state: &State, h: usize, found: &mut impl FnMut(State)) {
        let host = &state.hosts[h];
        let with = |host: Host| {
            let mut next = state.clone();
            next.hosts[h] = Part::new(host);
            next
        };
        match host.wants {
            Some(wanted) => {
                if host.asked < ASKS {
                    let mut asking = Host::clone(host);
                    asking.asked += 1;
                    let number = asking.votes.ask(self.now(state, machine(h)));
                    let mut next = with(asking);
                    next.requests = next.requests.changed(|all| {
                        all.push(Request { host: h, generation: wanted, number });
                        all.sort();
                    });
                    found(next);
                }
                // It is told to let go, and does.
                let clear =
                    Host { wants: None, clear: wanted, kernel: None, votes: begun(host.incarnation), ..Host::clone(host) };
                found(with(clear));
            }
            None if state.generation < self.generations => {
                let generation = state.generation + 1;
                // Numbers of requests go on; each command counts from a start of its own here.
                let incarnation = host.incarnation + 1;
                let wants = Some(generation);
                let votes = begun(incarnation);
                let mut next = with(Host { wants, asked: 0, incarnation, votes, ..Host::clone(host) });
                next.generation = generation;
                found(next);
            }
            None => {}
        }
        // A voter hears that it is clear.
        let early = self.broken == Some(Broken::ClearTooEarly);
        let clear = if early { host.wants.unwrap_or(host.clear) } else { host.clear };
        for m in (0..3).filter(|_| clear > 0) {
            let voter = state.voters[m].changed(|voter| voter.clear(VIP, HOSTS[h], generation(clear)));
            if voter.0.0 != state.voters[m].0.0 {
                let mut next = state.clone();
                next.voters[m] = voter;
                found(next);
            }
        }
    }

    /// A request arrives at a voter, and the answer at once at the host: when the answer is late or lost, the voter has promised the
    /// same and the host holds later or not at all, so that what is safe with it is safe without.
    fn of_request(&self, state: &State, request: &Request, found: &mut impl FnMut(State)) {
        for m in 0..3 {
            let now = self.now(state, m);
            let mut asked = Ok(());
            let voter = state.voters[m].changed(|voter| {
                asked = voter.ask(now, VIP, HOSTS[request.host], generation(request.generation), TERM);
            });
            let mut next = state.clone();
            next.disks[m] = voter.longest();
            next.voters[m] = voter;
            if asked.is_ok() && next.hosts[request.host].wants == Some(request.generation) {
                next.hosts[request.host] = self.answered(state, request, m);
            }
            found(next);
        }
    }

    fn answered(&self, state: &State, request: &Request, voter: usize) -> Part<Host> {
        let now = self.now(state, machine(request.host));
        let elector = if voter == 0 { Elector::Controller } else { Elector::Agent(HOSTS[voter - 1].to_owned()) };
        state.hosts[request.host].changed(|host| {
            host.votes.answered(elector, request.number, None);
            let term = if self.broken == Some(Broken::CountsTooLong) { TERM * 3 } else { TERM };
            if let Some(at) = host.votes.majority_at(2)
                && now < at + term
            {
                host.kernel = host.kernel.max(Some(at + term + KERNEL));
            }
        })
    }

    /// A process ends and starts. What it promised is forgotten; a host's address stays until its kernel drops it.
    fn crash(&self, state: &State, m: usize) -> State {
        let mut next = state.clone();
        next.crashes += 1;
        let longest = if self.broken == Some(Broken::StartsAtOnce) { Duration::ZERO } else { next.disks[m] };
        next.voters[m] = Part::new(Voter::start(self.now(state, m), longest));
        if m > 0 {
            next.hosts[m - 1] = next.hosts[m - 1].changed(|host| {
                host.incarnation += 1;
                host.votes = begun(host.incarnation);
            });
        }
        next
    }

    /// How many states there are, and whether one of them has two owners.
    fn search(&self) -> (usize, bool) {
        let mut met = BTreeSet::new();
        let mut open = vec![self.begin()];
        let mut two = false;
        while let Some(state) = open.pop() {
            self.next(&state, &mut |next| {
                if !two && met.insert(fingerprint(&next)) {
                    two = self.two_owners(&next);
                    open.push(next);
                }
            });
            if two {
                break;
            }
        }
        (met.len(), two)
    }
}

fn begun(incarnation: u64) -> Votes {
    let mut votes = Votes::default();
    votes.begin(incarnation);
    votes
}

fn fingerprint(state: &impl Hash) -> u64 {
    let mut sum = Sum(0);
    state.hash(&mut sum);
    sum.finish()
}

/// A quick hash of 64 bits: of a million states two have one value once in ten million runs.
struct Sum(u64);

impl Hasher for Sum {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 29;
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

/// Time, crashes, commands.
const INSTANCES: [(u8, u8, u64); 2] = [(3, 0, 2), (1, 1, 2)];

#[test]
fn no_state_of_a_small_quorum_has_two_owners() {
    let mut all = 0;
    // The holder's clock slow and the other voters' fast is the worst.
    for (ticks, crashes, generations) in INSTANCES {
        let [slow, fast] = SLOW_AND_FAST;
        let model = Model { rates: [fast, slow, fast], broken: None, ticks, crashes, generations };
        let (states, two) = model.search();
        assert!(!two, "two owners: {ticks} s, {crashes} crashes, {generations} commands");
        all += states;
    }
    say(&format!("votes: {all} states of three voters and two hosts, none with two owners"));
}

#[test]
fn the_search_finds_what_is_broken() {
    for broken in [Broken::StartsAtOnce, Broken::CountsTooLong, Broken::ClearTooEarly] {
        let (crashes, ticks) = if broken == Broken::StartsAtOnce { (1, 1) } else { (0, 4) };
        let model = Model { rates: [1_000; 3], broken: Some(broken), ticks, crashes, generations: 2 };
        let (states, two) = model.search();
        assert!(two, "{broken:?} is not found in {states} states");
        say(&format!("votes: {broken:?} is found after {states} states"));
    }
}
