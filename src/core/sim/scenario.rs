//! What happens in one simulation: claims and faults at their times, made up from a seed or read from a saved story.

use serde::{Deserialize, Serialize};

use crate::core::inventory::Takeover;

use super::rng::Rng;

/// Witnesses in the simulated network.
pub const WITNESSES: usize = 4;
/// Those that a scenario begins with.
pub(super) const FIRST_WITNESSES: [usize; 3] = [0, 1, 2];
/// Changes of the local network are at least so far apart: the assumption of `probe` is about states of the network that
/// last, and one that changes between any two probes has none.
const LAN_SLOT_MS: u64 = 800;
/// The shortest and the longest time that a scenario's faults last.
const MIN_MS: u64 = 4_000;
const MAX_MS: u64 = 30_000;

/// A simulation as data. Equal scenarios run equally, to the microsecond.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Decides delays, losses, clock drift and whatever else is left to chance.
    pub seed: u64,
    /// How many hosts have a placement, 2 to 5.
    pub hosts: usize,
    pub takeover: Takeover,
    /// Moves are limited to 4 in 10 minutes, else practically not.
    #[serde(default)]
    pub damped: bool,
    /// Hosts beyond those, whose agents only vote (`quorum`).
    #[serde(default)]
    pub voters: usize,
    /// The host that holds the address before anything starts.
    #[serde(default)]
    pub holder: Option<usize>,
    /// How far off the controller's wall clock is at the start, in milliseconds.
    #[serde(default)]
    pub wall: i64,
    /// What happens, in any order.
    pub acts: Vec<Act>,
}

/// Something that happens at a time, and ends by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// When, in milliseconds from the start.
    pub at: u64,
    /// For how long, in milliseconds, where it lasts.
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
    /// Takes half a second to six.
    Slow,
    /// Fails without doing anything.
    Failing,
    /// Says that it did what it did not do.
    Lying,
    /// Works, but can't say what it sees.
    Blind,
}

/// Something in the configuration of the controller that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Takeover(Takeover),
    /// The hosts that only vote.
    Voters(Vec<usize>),
    Witnesses(Vec<usize>),
    /// The isolation, in milliseconds.
    Isolation(u64),
    /// A host is taken out, with what runs on it.
    Without(usize),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The server on a host writes that it is primary now.
    Claim(usize),
    /// A process is killed, and started again at the end.
    Kill(Party),
    /// A process dies between two of its outputs, after so many more of them, and is started again so long after this act began.
    KillAfter(Party, u32),
    /// A process is stopped and continued.
    Stop(Party),
    /// A host loses its power and gets it back.
    PowerOff(usize),
    /// A host is frozen whole, its kernel with it (a paused virtual machine); only under `confirmed`.
    Freeze(usize),
    /// Nothing gets through from the controller to an agent (`true`), or back (`false`).
    CutControl(usize, bool),
    /// Nothing gets through on the local network into a host (`true`), or out of it (`false`).
    CutLan(usize, bool),
    /// A host does not reach one witness.
    CutWitness(usize, usize),
    /// Nothing gets from the agent of one host to that of another.
    CutPeer(usize, usize),
    /// Two hosts do not hear each other on the local network, whatever else they reach. `probe` does not cover that.
    CutLanPair(usize, usize),
    /// Controller (`true`: on the far side) and agents fall into two sides that do not reach each other; the local network too, but
    /// for the witnesses, which both sides reach.
    Partition(bool, Vec<usize>),
    /// The local network falls apart: these hosts and these witnesses on the far side.
    Split(Vec<usize>, Vec<usize>),
    /// Messages between controller and agents are lost (percent), doubled (percent), and late (up to so many milliseconds).
    Noise(u64, u64, u64),
    Drive(usize, DriverBehavior),
    /// The controller's wall clock steps by so many milliseconds.
    ClockStep(i64),
    /// The configuration is another one, by a reload or (`true`) by a restart of the controller, and in the end again what it was.
    Reconfigure(Change, bool),
    /// Whatever comes to a process comes this much later (milliseconds): its queue is long.
    Overload(Party, u64),
    /// The agent of a host is of a version that knows neither votes nor what its list says; then it is replaced.
    OldAgent(usize),
    /// A hand outside takes the address off a host.
    TakenOff(usize),
    /// An operator pauses everything (`true`) or the address, and resumes it in the end.
    Pause(bool),
    /// An operator drains a host, and ends that.
    Drain(usize),
}

/// So many of a hundred scenarios with two hosts are narrow ones.
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
        // Leases are long: what outlasts them must be long too.
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
                // Both say so at once, or one after another in a moment.
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
        if rng.percent(20) {
            for _ in 0..rng.between(1, 3) {
                let what = if rng.percent(60) { Fault::Pause(rng.percent(50)) } else { Fault::Drain(rng.index(hosts)) };
                let (at, lasts) = (rng.below(length), pace * rng.between(500, 15_000));
                scenario.acts.push(Act { at, lasts, what });
            }
        }
        scenario.acts.sort_by_key(|a| a.at);
        scenario
    }

    /// The scenario of a seed among those in which what is old and comes late does its worst.
    pub fn narrow_of_seed(seed: u64) -> Scenario {
        let mut rng = Rng::new(seed);
        let takeover =
            [Takeover::Quorum, Takeover::Quorum, Takeover::Confirmed, Takeover::Probe, Takeover::Probe, Takeover::Lease]
                [rng.index(6)];
        let pace = if takeover == Takeover::Lease { 4 } else { 1 };
        let holder = rng.percent(30).then(|| rng.index(2));
        let voters = if takeover == Takeover::Quorum { rng.index(2) } else { 0 };
        let mut scenario =
            Scenario { seed: rng.draw(), hosts: 2, takeover, damped: false, voters, holder, wall: 0, acts: Vec::new() };
        match rng.below(if takeover == Takeover::Quorum { 16 } else { 12 }) {
            10 | 11 => scenario.changed_terms(&mut rng),
            12.. => scenario.divided(&mut rng),
            0..5 => scenario.short_lives(&mut rng),
            5..7 => scenario.late_order(&mut rng, pace),
            7 => scenario.deaf_taker(&mut rng, pace),
            _ => scenario.narrow(&mut rng, pace),
        }
        scenario.acts.sort_by_key(|a| a.at);
        scenario
    }

    /// An order that is on its way for so long that its host is given up meanwhile and another one takes over.
    fn late_order(&mut self, rng: &mut Rng, pace: u64) {
        self.holder = Some(1);
        let at = rng.between(2_500, 4_000);
        self.acts.push(Act { at, lasts: 0, what: Fault::Claim(0) });
        let noise = Fault::Noise(0, rng.below(40), pace * rng.between(8_000, 20_000));
        // The release is quick, the order to take is not.
        self.acts.push(Act { at: at + rng.between(1, 20), lasts: rng.between(5, 30), what: noise });
        let away = pace * rng.between(3_000, 9_000);
        self.acts.push(Act { at: at + 50, lasts: away, what: Fault::Kill(Party::Agent(0)) });
        self.acts.push(Act { at: at + rng.between(100, 2_000), lasts: 0, what: Fault::Claim(1) });
        self.acts.push(Act { at: at + pace * 20_000, lasts: 0, what: Fault::Claim(rng.index(2)) });
    }

    /// The terms change under a holder that is out of reach, and the other host claims.
    fn changed_terms(&mut self, rng: &mut Rng) {
        self.holder = Some(0);
        let at = rng.between(1_500, 5_000);
        self.acts.push(Act { at: at / 2, lasts: 0, what: Fault::Claim(0) });
        let lasts = rng.between(5_000, 40_000);
        // Before the change is known, just when it is, or after the holder heard of it.
        let cut = (at + rng.below(2_000)).saturating_sub(1_000);
        self.acts.push(Act { at: cut, lasts, what: Fault::Partition(true, (1..self.agents()).collect()) });
        for _ in 0..rng.between(1, 3) {
            let change = Change::any(rng, self);
            let at = at + rng.below(1_500);
            self.acts.push(Act { at, lasts: rng.between(3_000, 40_000), what: Fault::Reconfigure(change, rng.percent(50)) });
        }
        self.acts.push(Act { at: at + rng.between(200, 12_000), lasts: 0, what: Fault::Claim(1) });
    }

    /// Everybody is cut from everybody in ever other ways, while servers claim by turns and voters restart.
    fn divided(&mut self, rng: &mut Rng) {
        let agents = self.agents();
        let mut at = rng.between(1_000, 3_000);
        for turn in 0..rng.between(2, 6) as usize {
            let host = if rng.percent(80) { turn % self.hosts } else { rng.index(self.hosts) };
            self.acts.push(Act { at, lasts: 0, what: Fault::Claim(host) });
            let begins = (at + rng.below(4_000)).saturating_sub(2_000);
            let what = if rng.percent(40) {
                Fault::Partition(rng.percent(40), (0..agents).filter(|_| rng.percent(50)).collect())
            } else {
                Fault::CutControl(rng.index(self.hosts), rng.percent(50))
            };
            self.acts.push(Act { at: begins, lasts: rng.between(1_000, 9_000), what });
            for _ in 0..rng.below(3) {
                let what = match rng.below(5) {
                    0 => Fault::CutPeer(rng.index(agents), rng.index(agents)),
                    1 => Fault::CutLanPair(0, 1),
                    2 => Fault::Kill(Party::Controller),
                    3 => Fault::Kill(Party::Agent(rng.index(agents))),
                    _ => Fault::Stop(Party::Agent(rng.index(agents))),
                };
                let begins = begins + rng.below(5_000);
                self.acts.push(Act { at: begins, lasts: rng.between(20, 6_000), what });
            }
            at += rng.between(500, 7_000);
        }
        if rng.percent(60) {
            let noise = Fault::Noise(rng.below(20), rng.below(60), rng.between(1, 6_000));
            self.acts.push(Act { at: 0, lasts: at, what: noise });
        }
    }

    /// The holder can't be asked, and the one that should take over hears nothing of the local network either.
    fn deaf_taker(&mut self, rng: &mut Rng, pace: u64) {
        self.holder = Some(0);
        let at = rng.between(3_000, 6_000);
        let lasts = pace * rng.between(4_000, 12_000);
        self.acts.push(Act { at, lasts, what: Fault::CutControl(0, rng.percent(50)) });
        let slot = at / LAN_SLOT_MS * LAN_SLOT_MS;
        self.acts.push(Act { at: slot, lasts: lasts / LAN_SLOT_MS * LAN_SLOT_MS, what: Fault::CutLan(1, rng.percent(50)) });
        self.acts.push(Act { at: at + rng.below(1_000), lasts: 0, what: Fault::Claim(1) });
    }

    /// Two hosts that claim by turns, in a network that delays and doubles for as long as it all lasts; the one that has just
    /// claimed falls silent for longer than it may hold. What is old and comes late does its worst here.
    fn narrow(&mut self, rng: &mut Rng, pace: u64) {
        let mut at = 0;
        for turn in 0..rng.between(3, 8) as usize {
            at += rng.between(500, 6_000) * pace;
            let host = if rng.percent(80) { turn % 2 } else { rng.index(2) };
            self.acts.push(Act { at, lasts: 0, what: Fault::Claim(host) });
            let agent = Party::Agent(if rng.percent(70) { host } else { 1 - host });
            let what = match rng.below(7) {
                0 | 1 => Fault::Kill(agent),
                2 => Fault::KillAfter(agent, rng.between(1, 12) as u32),
                3 => Fault::Stop(agent),
                4 => Fault::PowerOff(host),
                _ => Fault::CutControl(host, rng.percent(30)),
            };
            let begins = (at + rng.below(2_500)).saturating_sub(500);
            self.acts.push(Act { at: begins, lasts: pace * rng.between(500, 9_000), what });
        }
        let noise = Fault::Noise(rng.below(10), rng.between(30, 90), rng.between(3_000, 15_000));
        self.acts.push(Act { at: 0, lasts: at + 10_000, what: noise });
    }

    /// Agents that live for a few seconds again and again, so that one life looks like the last, while claims come by turns and
    /// messages of one life arrive in the next.
    fn short_lives(&mut self, rng: &mut Rng) {
        let period = rng.between(1_500, 4_000);
        let lives = rng.between(4, 9);
        let victim = rng.index(2);
        for life in 0..lives {
            let host = if rng.percent(70) { (life % 2) as usize } else { rng.index(2) };
            self.acts.push(Act { at: life * period + rng.below(period), lasts: 0, what: Fault::Claim(host) });
            let agent = if rng.percent(80) { victim } else { 1 - victim };
            let what = if rng.percent(70) { Fault::Kill(Party::Agent(agent)) } else { Fault::PowerOff(agent) };
            self.acts.push(Act { at: life * period + period / 2, lasts: rng.between(50, 900), what });
        }
        let noise = Fault::Noise(rng.below(10), rng.between(30, 90), rng.between(period / 2, 2 * period));
        self.acts.push(Act { at: 0, lasts: lives * period, what: noise });
    }

    /// Hosts with agents: those that may hold the address, then those that only vote.
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

    /// True when something happens that `probe` does not cover.
    pub fn is_beyond_probe(&self) -> bool {
        self.acts.iter().any(|a| matches!(a.what, Fault::CutLanPair(..) | Fault::Partition(..)))
    }

    /// When the last fault has ended, in milliseconds.
    pub fn faults_end(&self) -> u64 {
        self.acts.iter().map(|a| a.at + a.lasts).max().unwrap_or(0)
    }
}

impl Change {
    fn any(rng: &mut Rng, scenario: &Scenario) -> Change {
        let pick = |rng: &mut Rng, all: &[&[usize]]| all[rng.index(all.len())].to_vec();
        match rng.below(6) {
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
        match rng.below(if takeover == Takeover::Quorum { 25 } else { 19 }) {
            18 => Fault::Overload(party, rng.between(1, 1_500)),
            23 | 24 => Fault::CutPeer(rng.index(agents), agent),
            17 => Fault::CutLanPair(host, (host + 1) % hosts),
            19 => Fault::CutPeer(agent, rng.index(agents)),
            20 => Fault::CutControl(agent, rng.percent(50)),
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
            Fault::CutLan(..) | Fault::CutWitness(..) | Fault::Split(..) | Fault::CutLanPair(..) | Fault::Partition(..)
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
