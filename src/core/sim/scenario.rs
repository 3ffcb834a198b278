//! What happens in one simulation: claims and faults at their times, generated from a seed or read from a saved story.

use serde::{Deserialize, Serialize};

use crate::core::inventory::Takeover;

use super::rng::Rng;

/// The number of witnesses in the simulated network.
pub const WITNESSES: usize = 4;
/// The witnesses that a scenario begins with.
pub(super) const FIRST_WITNESSES: [usize; 3] = [0, 1, 2];
/// The least time between changes of the local network. The assumption of `probe` is about states of the network that last, and a
/// network that changes between any two probes has none.
pub(super) const LAN_SLOT_MS: u64 = 800;
/// The shortest and the longest time that a scenario's faults last.
const MIN_MS: u64 = 4_000;
const MAX_MS: u64 = 30_000;

/// A simulation as data. Equal scenarios run equally, to the microsecond.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Determines delays, losses, clock drift and everything else that is random.
    pub seed: u64,
    /// How many hosts have a placement, 2 to 5.
    pub hosts: usize,
    pub takeover: Takeover,
    /// Moves are limited to 4 in 10 minutes; otherwise there is practically no limit.
    #[serde(default)]
    pub damped: bool,
    /// The number of further hosts, whose agents only vote (`quorum`).
    #[serde(default)]
    pub voters: usize,
    /// The host that holds the address before anything starts.
    #[serde(default)]
    pub holder: Option<usize>,
    /// The offset of the controller's wall clock at the start, in milliseconds.
    #[serde(default)]
    pub wall: i64,
    /// The resource has `on_link_loss: move`.
    #[serde(default)]
    pub moves_off: bool,
    /// What happens, in any sequence.
    pub acts: Vec<Act>,
}

/// Something that happens at a time, and ends by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// When, in milliseconds from the start.
    pub at: u64,
    /// For how long, in milliseconds, if it lasts.
    #[serde(default)]
    pub lasts: u64,
    pub what: Fault,
}

/// A process that may die or be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    Controller,
    /// The agent of a host.
    Agent(usize),
}

/// What a driver does with commands for a while. What it *observes* stays true, or is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriverBehavior {
    /// Does what it is told in a few milliseconds.
    #[default]
    Well,
    /// Takes half a second to six seconds.
    Slow,
    /// Fails without doing anything.
    Failing,
    /// Reports success without doing anything.
    Lying,
    /// Works, but can't observe.
    Blind,
}

/// The resource's place by a host's own list, or by the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SimPlace {
    #[default]
    Usual,
    OtherAddress,
    /// The usual address on another interface.
    OtherInterface,
}

/// A change of the controller's configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Takeover(Takeover),
    /// The hosts that only vote.
    Voters(Vec<usize>),
    Witnesses(Vec<usize>),
    /// The isolation, in milliseconds.
    Isolation(u64),
    /// A host is removed, with what runs on it.
    Without(usize),
    /// The resource gets another address; what hosts hold of the old one is abandoned to their agents.
    OtherAddress,
    /// The resource is removed; what hosts hold is abandoned.
    NoResource,
}

/// What happens in an act of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The server on a host claims to be primary now.
    Claim(usize),
    /// A process is killed, and started again at the end.
    Kill(Party),
    /// A process dies between two of its outputs, after so many more of them. It is started again after the time of this act.
    KillAfter(Party, u32),
    /// A process is stopped and continued.
    Stop(Party),
    /// A host loses its power and gets it back.
    PowerOff(usize),
    /// A whole host is frozen with its kernel (a paused virtual machine); only under `confirmed`.
    Freeze(usize),
    /// Nothing gets through from the controller to an agent (`true`), or back (`false`).
    CutControl(usize, bool),
    /// Nothing gets through on the local network into a host (`true`), or out of it (`false`).
    CutLan(usize, bool),
    /// A host does not reach one witness.
    CutWitness(usize, usize),
    /// Nothing gets from the agent of one host to that of another.
    CutPeer(usize, usize),
    /// Messages of the first host on the local network do not reach the other. `probe` does not cover that.
    CutLanWay(usize, usize),
    /// Two hosts do not hear each other on the local network, whatever else they reach. `probe` does not cover that.
    CutLanPair(usize, usize),
    /// Controller (`true`: on the far side) and agents fall into two sides that do not reach each other. The local network does
    /// too, except for the witnesses, which both sides reach.
    Partition(bool, Vec<usize>),
    /// The local network falls into two sides: these hosts and these witnesses are on the far side.
    Split(Vec<usize>, Vec<usize>),
    /// Messages between controller and agents are lost (percent), doubled (percent), and late (up to so many milliseconds).
    Noise(u64, u64, u64),
    Drive(usize, DriverBehavior),
    /// The controller's wall clock steps by so many milliseconds.
    ClockStep(i64),
    /// The configuration changes, by a reload or (`true`) by a restart of the controller, and changes back at the end.
    Reconfigure(Change, bool),
    /// Everything that arrives at a process is this much later (milliseconds): its queue is long.
    Overload(Party, u64),
    /// The agent of a host is of a version that supports neither votes nor reports of its list. Then it is replaced.
    OldAgent(usize),
    /// Somebody takes the address off a host by hand.
    TakenOff(usize),
    /// An operator pauses everything (`true`) or the address, and resumes it at the end.
    Pause(bool),
    /// An operator drains a host, and ends the drain.
    Drain(usize),
    /// The interface of a host has no carrier.
    Unplug(usize),
    /// The agent of a host starts with another list of its own; `None`: the resource is not on it.
    OwnList(usize, Option<SimPlace>),
    /// The controller is ended, and starts with a copy of its data that has only so many hundredths of the journal. An operator
    /// accepts the loss when it is noticed.
    OlderJournal(u64),
    /// So many claims at once, by both hosts in turn; this host's claim is the last.
    Flood(usize, usize),
    /// The agent of a host is ended, and starts again without its store.
    LostStore(usize),
}

/// Percentage of scenarios with two hosts that are narrow ones.
const NARROW: u64 = 40;

impl Scenario {
    /// The scenario of a seed.
    pub fn of_seed(seed: u64) -> Scenario {
        let mut rng = Rng::new(seed);
        let takeover = match rng.below(10) {
            0..5 => Takeover::Quorum,
            5 | 6 => Takeover::Confirmed,
            7 => Takeover::Probe,
            8 => Takeover::Lease,
            _ => [Takeover::Forced, Takeover::Confirmed, Takeover::Probe, Takeover::Lease][rng.index(4)],
        };
        let hosts = match rng.below(6) {
            0..3 => 2,
            3 => 3,
            4 => 4,
            _ => 5,
        };
        // Leases are long: faults that outlast them must be long too.
        let pace = if takeover == Takeover::Lease { 4 } else { 1 };
        let length = rng.between(MIN_MS, MAX_MS) * pace;
        let mut scenario = Scenario {
            seed: rng.draw(),
            hosts,
            takeover,
            damped: rng.percent(3),
            voters: if takeover == Takeover::Quorum { [0, 0, 0, 1, 1, 2, 3][rng.index(7)] } else { 0 },
            holder: rng.percent(30).then(|| rng.index(hosts)),
            wall: if rng.percent(10) { rng.below(1 << 40) as i64 - (1 << 39) } else { 0 },
            moves_off: rng.percent(20),
            acts: Vec::new(),
        };
        if hosts == 2 && rng.percent(NARROW) {
            return Scenario::narrow_of_seed(seed);
        }
        let mut lan = LanSlots::default();
        for _ in 0..rng.between(1, 12) {
            let at = rng.below(length);
            let host = rng.index(hosts);
            scenario.acts.push(Act { at, lasts: 0, what: Fault::Claim(host) });
            if rng.percent(10) {
                // Both claim at once, or one shortly after the other.
                let other = (host + 1) % hosts;
                let at = at + rng.below(10);
                scenario.acts.push(Act { at, lasts: 0, what: Fault::Claim(other) });
            }
        }
        for _ in 0..rng.below(12) {
            // Half of the faults begin about when a claim comes.
            let near = scenario.acts[rng.index(scenario.acts.len())].at;
            let at = if rng.percent(50) { (near + rng.below(1_000)).saturating_sub(500) } else { rng.below(length) };
            let lasts = pace
                * match rng.below(10) {
                    0..4 => rng.between(10, 2_000),
                    4..9 => rng.between(2_000, 12_000),
                    _ => rng.between(12_000, 30_000),
                };
            let what = Fault::any(&mut rng, &scenario);
            let (at, lasts) = if what.is_lan() { lan.fit(at, lasts) } else { (at, lasts) };
            scenario.acts.push(Act { at, lasts, what });
        }
        if rng.percent(25) {
            for _ in 0..rng.between(1, 3) {
                let change = Change::any(&mut rng, &scenario);
                let at = rng.below(length);
                let lasts = pace * rng.between(500, 15_000);
                scenario.acts.push(Act { at, lasts, what: Fault::Reconfigure(change, rng.percent(50)) });
            }
        }
        if takeover == Takeover::Quorum && rng.percent(8) {
            let lasts = rng.between(1_000, 20_000);
            scenario.acts.push(Act { at: 0, lasts, what: Fault::OldAgent(rng.index(scenario.agents())) });
        }
        if rng.percent(12) {
            let lasts = rng.between(1_000, 15_000);
            let place = [None, Some(SimPlace::OtherAddress), Some(SimPlace::OtherInterface)][rng.index(3)];
            let (at, listed) = (rng.below(length), rng.index(hosts));
            // An agent of an earlier version does not report its list, and one that lies to it is not found out.
            if !scenario.acts.iter().any(|a| matches!(a.what, Fault::OldAgent(host) if host == listed)) {
                scenario.acts.push(Act { at, lasts, what: Fault::OwnList(listed, place) });
            }
        }
        if rng.percent(6) {
            let lasts = rng.between(10, 4_000);
            scenario.acts.push(Act { at: rng.below(length), lasts, what: Fault::OlderJournal(rng.below(100)) });
        }
        if hosts == 2 && rng.percent(5) {
            let what = Fault::Flood(rng.index(2), rng.between(20, 200) as usize);
            scenario.acts.push(Act { at: rng.below(length), lasts: 0, what });
        }
        if rng.percent(20) {
            for _ in 0..rng.between(1, 3) {
                let what = if rng.percent(60) { Fault::Pause(rng.percent(50)) } else { Fault::Drain(rng.index(hosts)) };
                let (at, lasts) = (rng.below(length), pace * rng.between(500, 15_000));
                scenario.acts.push(Act { at, lasts, what });
            }
        }
        // A lost store also forgets what an earlier list brought up.
        let lists = scenario.acts.iter().any(|a| matches!(a.what, Fault::OwnList(..)));
        if takeover == Takeover::Quorum && !lists && rng.percent(15) {
            let (at, lasts) = (rng.below(length), rng.between(10, 4_000));
            scenario.acts.push(Act { at, lasts, what: Fault::LostStore(rng.index(scenario.agents())) });
        }
        scenario.acts.sort_by_key(|a| a.at);
        scenario
    }

    /// The narrow scenario of a seed.
    pub fn narrow_of_seed(seed: u64) -> Scenario {
        let mut rng = Rng::new(seed);
        let takeover =
            [Takeover::Quorum, Takeover::Quorum, Takeover::Confirmed, Takeover::Probe, Takeover::Probe, Takeover::Lease]
                [rng.index(6)];
        let pace = if takeover == Takeover::Lease { 4 } else { 1 };
        let holder = rng.percent(30).then(|| rng.index(2));
        let voters = if takeover == Takeover::Quorum { rng.index(2) } else { 0 };
        let mut scenario = Scenario {
            seed: rng.draw(),
            hosts: 2,
            takeover,
            damped: false,
            voters,
            holder,
            wall: 0,
            moves_off: false,
            acts: Vec::new(),
        };
        match rng.below(if takeover == Takeover::Quorum { 22 } else { 16 }) {
            10 | 11 => scenario.changed_terms(&mut rng),
            12 => scenario.links(&mut rng),
            13 => scenario.other_lists(&mut rng),
            14 => scenario.restart_at_a_death(&mut rng),
            15 => scenario.older_journal(&mut rng),
            20 | 21 => scenario.late_answers(&mut rng),
            16.. => scenario.divided(&mut rng),
            0..5 => scenario.short_lives(&mut rng),
            5..7 => scenario.late_order(&mut rng, pace),
            7 => scenario.taker_that_hears_nothing(&mut rng, pace),
            _ => scenario.narrow(&mut rng, pace),
        }
        scenario.acts.sort_by_key(|a| a.at);
        scenario
    }

    /// The number of hosts with agents: those that may hold the address, and those that only vote.
    pub fn agents(&self) -> usize {
        self.hosts + self.voters
    }

    /// The policies that are ever in force.
    pub fn policies(&self) -> Vec<Takeover> {
        let changed = self.acts.iter().filter_map(|a| match &a.what {
            Fault::Reconfigure(Change::Takeover(takeover), _) => Some(*takeover),
            _ => None,
        });
        changed.chain([self.takeover]).collect()
    }

    /// True if something happens that `probe` does not cover.
    pub fn is_beyond_probe(&self) -> bool {
        self.acts.iter().any(|a| matches!(a.what, Fault::CutLanPair(..) | Fault::CutLanWay(..) | Fault::Partition(..)))
    }

    /// True if nothing but links and claims changes: then the states of links are known at once.
    pub fn is_about_links(&self) -> bool {
        !self.damped && self.acts.iter().all(|a| matches!(a.what, Fault::Claim(_) | Fault::Unplug(_)))
    }

    /// True if records of the controller may be lost.
    pub fn loses_records(&self) -> bool {
        self.acts.iter().any(|a| matches!(a.what, Fault::OlderJournal(_)))
    }

    /// True if an agent is of an earlier version at some time. It neither votes nor holds by votes.
    pub fn has_an_old_agent(&self) -> bool {
        self.acts.iter().any(|a| matches!(a.what, Fault::OldAgent(_)))
    }

    /// True if what a host holds may be abandoned (`reload --abandon`) and the host removed as well. Its operator has to remove it
    /// there by hand: nobody hears of that host any more.
    pub fn abandons_on_a_removed_host(&self) -> bool {
        let any =
            |of: fn(&Change) -> bool| self.acts.iter().any(|a| matches!(&a.what, Fault::Reconfigure(change, _) if of(change)));
        any(|change| matches!(change, Change::NoResource | Change::OtherAddress))
            && any(|change| matches!(change, Change::Without(_)))
    }

    /// When the last fault has ended, in milliseconds.
    pub fn faults_end(&self) -> u64 {
        self.acts.iter().map(|a| a.at + a.lasts).max().unwrap_or(0)
    }
}

impl Change {
    pub(super) fn any(rng: &mut Rng, scenario: &Scenario) -> Change {
        let pick = |rng: &mut Rng, all: &[&[usize]]| all[rng.index(all.len())].to_vec();
        match rng.below(7) {
            6 => [Change::OtherAddress, Change::NoResource][rng.index(2)].clone(),
            0 | 1 => {
                let all = [Takeover::Quorum, Takeover::Confirmed, Takeover::Probe, Takeover::Lease];
                Change::Takeover(all[rng.index(all.len())])
            }
            2 => {
                let some = (scenario.hosts..scenario.agents()).filter(|_| rng.percent(50)).collect();
                Change::Voters(some)
            }
            3 => Change::Witnesses(pick(rng, &[&[1, 2, 3], &[3], &[0], &[0, 2, 3]])),
            4 => Change::Isolation([1_000, 2_000, 5_000, 10_000][rng.index(4)]),
            _ if scenario.hosts > 2 => Change::Without(rng.index(scenario.hosts)),
            _ => Change::Isolation(6_000),
        }
    }
}

impl Fault {
    fn any(rng: &mut Rng, scenario: &Scenario) -> Fault {
        let (hosts, agents, takeover) = (scenario.hosts, scenario.agents(), scenario.takeover);
        let host = rng.index(hosts);
        let agent = rng.index(agents);
        let party = if rng.percent(50) { Party::Controller } else { Party::Agent(agent) };
        match rng.below(if takeover == Takeover::Quorum { 27 } else { 21 }) {
            0 if rng.percent(40) => Fault::Unplug(host),
            1 if rng.percent(20) => Fault::CutLanWay(host, (host + 1) % hosts),
            18 => Fault::Overload(party, rng.between(1, 1_500)),
            23 | 24 => Fault::CutPeer(rng.index(agents), agent),
            17 => Fault::CutLanPair(host, (host + 1) % hosts),
            19 => Fault::Unplug(host),
            20 => Fault::CutControl(agent, rng.percent(50)),
            25 | 26 => Fault::CutPeer(agent, rng.index(agents)),
            21 | 22 => Fault::Partition(rng.percent(40), (0..agents).filter(|_| rng.percent(50)).collect()),
            0 => Fault::Kill(party),
            1 | 2 => Fault::KillAfter(party, rng.between(1, 12) as u32),
            3 => Fault::Stop(party),
            15 | 16 => Fault::Stop(Party::Agent(host)),
            4 => Fault::PowerOff(host),
            5 if takeover == Takeover::Confirmed => Fault::Freeze(host),
            5 | 6 => Fault::CutControl(host, rng.percent(50)),
            7 => Fault::CutLan(host, rng.percent(50)),
            8 => Fault::CutWitness(host, rng.index(WITNESSES)),
            9 => {
                let far = (0..hosts).filter(|_| rng.percent(50)).collect();
                Fault::Split(far, (0..WITNESSES).filter(|_| rng.percent(40)).collect())
            }
            10 | 11 => Fault::Noise(
                rng.below(40),
                rng.below(40),
                if rng.percent(80) { rng.between(1, 3_000) } else { rng.between(3_000, 15_000) },
            ),
            12 => {
                let driver = [DriverBehavior::Slow, DriverBehavior::Failing, DriverBehavior::Lying, DriverBehavior::Blind];
                Fault::Drive(host, driver[rng.index(driver.len())])
            }
            13 => Fault::ClockStep(rng.between(0, 7_200_000) as i64 - 3_600_000),
            _ => Fault::TakenOff(host),
        }
    }

    fn is_lan(&self) -> bool {
        matches!(
            self,
            Fault::CutLan(..)
                | Fault::CutWitness(..)
                | Fault::Split(..)
                | Fault::CutLanPair(..)
                | Fault::CutLanWay(..)
                | Fault::Unplug(..)
                | Fault::Partition(..)
        )
    }
}

/// Keeps changes of the local network apart.
#[derive(Default)]
struct LanSlots(std::collections::BTreeSet<u64>);

impl LanSlots {
    fn fit(&mut self, at: u64, lasts: u64) -> (u64, u64) {
        let from = self.free(at / LAN_SLOT_MS);
        let to = self.free((at + lasts) / LAN_SLOT_MS + 1);
        (from.min(to) * LAN_SLOT_MS, from.abs_diff(to) * LAN_SLOT_MS)
    }

    fn free(&mut self, mut slot: u64) -> u64 {
        while !self.0.insert(slot) {
            slot += 1;
        }
        slot
    }
}
