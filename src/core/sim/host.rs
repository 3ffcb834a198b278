//! A simulated host: its kernel's address, its clock, its disk, its driver, and the agent on it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::core::agent::{AgentState, Durable, Operation};
use crate::core::base::time::Time;
use crate::core::wire::{Echo, Presence};

use super::rng::Rng;
use super::scenario::{DriverBehavior, SimPlace};

/// A boot clock: it starts at any value, and runs a little fast or slow.
#[derive(Clone, Copy, Debug)]
pub(super) struct HostClock {
    base: i64,
    from: i64,
    drift: i64,
}

/// The greatest drift of a clock. Beyond it the margins of `quorum`, `probe` and `lease` do not hold.
const DRIFT_PPM: u64 = 4_000;
const PPM: i64 = 1_000_000;

impl HostClock {
    pub(super) fn new(at: Time, base: i64, rng: &mut Rng) -> HostClock {
        HostClock { base, from: at.micros(), drift: rng.between(0, 2 * DRIFT_PPM) as i64 - DRIFT_PPM as i64 }
    }

    /// What the clock shows at a true time.
    pub(super) fn local(&self, at: Time) -> Time {
        let run = at.micros() - self.from;
        Time::from_micros(self.base + run + run * self.drift / PPM)
    }

    /// The first true time at which the clock shows this or more. It is exact: a timer that fires early would be set again and again.
    pub(super) fn truly(&self, local: Time) -> Time {
        // Beyond this a clock does not get in any simulation; the products below stay in range.
        let run = local.micros().saturating_sub(self.base).clamp(-(1 << 42), 1 << 42);
        let mut at = self.from + run * PPM / (PPM + self.drift) - 1;
        while self.local(Time::from_micros(at)).micros() - self.base < run {
            at += 1;
        }
        Time::from_micros(at)
    }
}

/// The address on a host's interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// When the kernel drops it by itself (true time).
    pub(super) ends: Option<Time>,
}

#[derive(Debug)]
pub(super) struct SimHost {
    pub(super) name: String,
    pub(super) clock: HostClock,
    pub(super) disk: Durable,
    pub(super) agent: Option<AgentState>,
    /// The number of starts of the agent. What belonged to an earlier start is void.
    pub(super) starts: u64,
    /// The addresses on its interfaces.
    pub(super) addresses: BTreeMap<SimPlace, Address>,
    /// What its own list has instead of the usual place; the last one counts.
    pub(super) lists: Vec<Option<SimPlace>>,
    /// What the list had when the agent started.
    pub(super) listed: Option<SimPlace>,
    /// How many faults keep the interface without a carrier.
    pub(super) unplugged: u32,
    pub(super) unplugged_since: Option<Time>,
    /// Since when the interface has a carrier.
    pub(super) reached_since: Option<Time>,
    pub(super) drivers: Vec<DriverBehavior>,
    pub(super) killed: u32,
    pub(super) stopped: u32,
    pub(super) off: u32,
    pub(super) frozen: u32,
    /// How many faults make its agent one of an earlier version.
    pub(super) old: u32,
    /// The delay of everything that arrives at its agent, in milliseconds.
    pub(super) overload: u64,
    /// The number of its last request for votes.
    pub(super) asked: Echo,
    /// The hosts with whose agents its agent exchanges messages, as the controller told it.
    pub(super) peers: BTreeSet<String>,
    /// The agent dies after so many more outputs.
    pub(super) fuse: Option<u32>,
    /// The timer that is set, so that none is set twice.
    pub(super) timer: Option<Time>,
}

/// The result of a driver operation: whether it has its effect, what the driver says, and what is seen afterwards.
pub(super) struct Effect {
    pub(super) failed: Option<String>,
    pub(super) holds: Presence,
    /// When the kernel drops the address, as the driver sees it.
    pub(super) until: Option<Time>,
    pub(super) changed: bool,
}

impl SimHost {
    pub(super) fn new(name: String, at: Time, rng: &mut Rng) -> SimHost {
        let base = rng.below(1 << 40) as i64;
        SimHost {
            name,
            clock: HostClock::new(at, base, rng),
            disk: Durable::default(),
            agent: None,
            starts: 0,
            addresses: BTreeMap::new(),
            lists: Vec::new(),
            listed: Some(SimPlace::Usual),
            unplugged: 0,
            unplugged_since: None,
            reached_since: None,
            drivers: Vec::new(),
            killed: 0,
            stopped: 0,
            off: 0,
            frozen: 0,
            old: 0,
            overload: 0,
            asked: Echo::default(),
            peers: BTreeSet::new(),
            fuse: None,
            timer: None,
        }
    }

    /// True if the agent's process may run.
    pub(super) fn runs(&self) -> bool {
        self.agent.is_some() && self.stopped == 0 && self.frozen == 0
    }

    /// True if the kernel answers on the network.
    pub(super) fn answers(&self) -> bool {
        self.off == 0 && self.frozen == 0
    }

    pub(super) fn driver(&self) -> DriverBehavior {
        self.drivers.last().copied().unwrap_or_default()
    }

    /// How long an operation takes until it has its effect.
    pub(super) fn takes(&self, rng: &mut Rng) -> Duration {
        match self.driver() {
            DriverBehavior::Slow => Duration::from_millis(rng.between(500, 6_000)),
            _ => Duration::from_micros(rng.between(50, 3_000)),
        }
    }

    /// Applies the effect of an operation to the kernel now.
    pub(super) fn drive(&mut self, now: Time, operation: Operation, rng: &mut Rng) -> Effect {
        let before = self.addresses.clone();
        let place = self.listed.unwrap_or_default();
        let failed = match (operation, self.driver()) {
            (Operation::Observe, _) => None,
            (_, DriverBehavior::Failing) => Some("device is busy".to_owned()),
            (_, DriverBehavior::Lying) => None,
            (Operation::Add { until, not_after }, _) => self.add(now, place, until, not_after, rng),
            (Operation::Remove, _) => {
                self.addresses.remove(&place);
                None
            }
        };
        let there: Vec<&Address> = self.on_any_interface(place).collect();
        let holds = match self.driver() {
            DriverBehavior::Blind => Presence::Unknown,
            _ if there.is_empty() => Presence::No,
            _ => Presence::Yes,
        };
        let ends = there.iter().map(|a| a.ends).collect::<Option<Vec<Time>>>().and_then(|all| all.into_iter().max());
        let until = ends.filter(|_| holds == Presence::Yes).map(|ends| self.clock.local(ends));
        Effect { failed, holds, until, changed: before != self.addresses }
    }

    /// Removes what an earlier list brought up, and looks whether it is gone.
    pub(super) fn leave(&mut self, place: SimPlace) -> Presence {
        match self.driver() {
            DriverBehavior::Failing | DriverBehavior::Lying => {}
            _ => drop(self.addresses.remove(&place)),
        }
        let listed = self.listed.is_some_and(|now| same_address(now, place));
        let there = if listed { self.addresses.contains_key(&place) } else { self.has(place) };
        match self.driver() {
            DriverBehavior::Blind => Presence::Unknown,
            _ if there => Presence::Yes,
            _ => Presence::No,
        }
    }

    fn on_any_interface(&self, place: SimPlace) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(move |(there, _)| same_address(**there, place)).map(|(_, address)| address)
    }

    /// True if the host has the address of this place, on any interface.
    pub(super) fn has(&self, place: SimPlace) -> bool {
        self.on_any_interface(place).next().is_some()
    }

    fn add(&mut self, now: Time, place: SimPlace, until: Option<Time>, not_after: Time, rng: &mut Rng) -> Option<String> {
        let local = self.clock.local(now);
        if local > not_after {
            return Some("too late to begin".to_owned());
        }
        let ends = match until {
            None => None,
            Some(until) => {
                let seconds = until.since(local).as_secs();
                if seconds == 0 {
                    return Some("less than a second is left".to_owned());
                }
                Some(now + Duration::from_secs(seconds) + Duration::from_millis(rng.below(350)))
            }
        };
        self.addresses.insert(place, Address { ends });
        None
    }
}

/// True if two places have the same address.
pub(super) fn same_address(a: SimPlace, b: SimPlace) -> bool {
    (a == SimPlace::OtherAddress) == (b == SimPlace::OtherAddress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_fires_at_the_first_moment_at_which_its_clock_shows_its_time() {
        let mut rng = Rng::new(1);
        for _ in 0..200 {
            let begin = Time::from_millis(1_700_000_000_000);
            let base = rng.below(1 << 40) as i64;
            let clock = HostClock::new(begin, base, &mut rng);
            for _ in 0..50 {
                let local = Time::from_micros(base + rng.below(7_200_000_000) as i64 - 60_000_000);
                let at = clock.truly(local);
                assert!(clock.local(at) >= local, "{clock:?} {local:?}");
                assert!(clock.local(Time::from_micros(at.micros() - 1)) < local, "{clock:?} {local:?}");
            }
        }
    }
}
