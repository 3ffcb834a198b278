//! Narrow scenarios: two hosts and one kind of fault, again and again with other times. Each was designed for an error that is
//! possible.

use super::rng::Rng;
use super::scenario::{Act, Change, Fault, LAN_SLOT_MS, Party, Scenario, SimPlace};

impl Scenario {
    /// A command is under way for so long that its host is passed over meanwhile and another one takes over.
    pub(super) fn late_order(&mut self, rng: &mut Rng, pace: u64) {
        self.holder = Some(1);
        let at = rng.between(2_500, 4_000);
        self.acts.push(Act { at, lasts: 0, what: Fault::Claim(0) });
        let noise = Fault::Noise(0, rng.below(40), pace * rng.between(8_000, 20_000));
        // The release is quick, the command to take is not.
        self.acts.push(Act { at: at + rng.between(1, 20), lasts: rng.between(5, 30), what: noise });
        let away = pace * rng.between(3_000, 9_000);
        self.acts.push(Act { at: at + 50, lasts: away, what: Fault::Kill(Party::Agent(0)) });
        self.acts.push(Act { at: at + rng.between(100, 2_000), lasts: 0, what: Fault::Claim(1) });
        self.acts.push(Act { at: at + pace * 20_000, lasts: 0, what: Fault::Claim(rng.index(2)) });
    }

    /// The terms change while the holder is out of reach, and the other host claims.
    pub(super) fn changed_terms(&mut self, rng: &mut Rng) {
        self.holder = Some(0);
        let at = rng.between(1_500, 5_000);
        self.acts.push(Act { at: at / 2, lasts: 0, what: Fault::Claim(0) });
        let lasts = rng.between(5_000, 40_000);
        // The cut comes before the change is known, just when it is, or after the holder heard of it.
        let cut = (at + rng.below(2_000)).saturating_sub(1_000);
        self.acts.push(Act { at: cut, lasts, what: Fault::Partition(true, (1..self.agents()).collect()) });
        for _ in 0..rng.between(1, 3) {
            let change = Change::any(rng, self);
            let at = at + rng.below(1_500);
            self.acts.push(Act { at, lasts: rng.between(3_000, 40_000), what: Fault::Reconfigure(change, rng.percent(50)) });
        }
        self.acts.push(Act { at: at + rng.between(200, 12_000), lasts: 0, what: Fault::Claim(1) });
    }

    /// All parties are cut from each other in changing ways, while servers claim by turns and voters restart.
    pub(super) fn divided(&mut self, rng: &mut Rng) {
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

    /// The holder can't be asked, and the host that should take over hears nothing of the local network either.
    pub(super) fn taker_that_hears_nothing(&mut self, rng: &mut Rng, pace: u64) {
        self.holder = Some(0);
        let at = rng.between(3_000, 6_000);
        let lasts = pace * rng.between(4_000, 12_000);
        self.acts.push(Act { at, lasts, what: Fault::CutControl(0, rng.percent(50)) });
        let slot = at / LAN_SLOT_MS * LAN_SLOT_MS;
        self.acts.push(Act { at: slot, lasts: lasts / LAN_SLOT_MS * LAN_SLOT_MS, what: Fault::CutLan(1, rng.percent(50)) });
        self.acts.push(Act { at: at + rng.below(1_000), lasts: 0, what: Fault::Claim(1) });
    }

    /// Two hosts claim by turns, in a network that always delays and doubles messages. The host that has just claimed becomes
    /// silent for longer than it may hold. This makes old and late messages most dangerous.
    pub(super) fn narrow(&mut self, rng: &mut Rng, pace: u64) {
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

    /// Agents live for a few seconds again and again, so that one life looks like the last, while claims come by turns and
    /// messages of one life arrive in the next.
    pub(super) fn short_lives(&mut self, rng: &mut Rng) {
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

    /// Cables are pulled and plugged in again, and nothing else goes wrong.
    pub(super) fn links(&mut self, rng: &mut Rng) {
        self.moves_off = rng.percent(60);
        let mut at = rng.between(8_000, 12_000);
        self.acts.push(Act { at: 1_000, lasts: 0, what: Fault::Claim(rng.index(2)) });
        for _ in 0..rng.between(1, 3) {
            // Longer than a take that began before, so a host that takes the address afterwards was told to although it is not
            // reached.
            let lasts = rng.between(2, 45) * LAN_SLOT_MS;
            self.acts.push(Act { at: at / LAN_SLOT_MS * LAN_SLOT_MS, lasts, what: Fault::Unplug(rng.index(2)) });
            self.acts.push(Act { at: at + rng.below(lasts), lasts: 0, what: Fault::Claim(rng.index(2)) });
            at += lasts + rng.between(12_000, 20_000);
        }
    }

    /// Hosts' own lists differ for a while, as they do when somebody edits them one after another; the configuration does too.
    pub(super) fn other_lists(&mut self, rng: &mut Rng) {
        let places = [None, Some(SimPlace::OtherAddress), Some(SimPlace::OtherInterface)];
        let mut at = rng.between(1_500, 4_000);
        for turn in 0..rng.between(2, 6) as usize {
            let host = if rng.percent(80) { turn % 2 } else { rng.index(2) };
            self.acts.push(Act { at, lasts: 0, what: Fault::Claim(host) });
            let listed = if rng.percent(70) { host } else { 1 - host };
            let begins = (at + rng.below(3_000)).saturating_sub(500);
            let lasts = rng.between(300, 9_000);
            self.acts.push(Act { at: begins, lasts, what: Fault::OwnList(listed, places[rng.index(3)]) });
            if rng.percent(30) {
                self.acts.push(Act { at: begins, lasts, what: Fault::Reconfigure(Change::OtherAddress, false) });
            }
            if rng.percent(30) {
                let what = Fault::CutControl(rng.index(2), rng.percent(50));
                self.acts.push(Act { at: begins, lasts: rng.between(500, 9_000), what });
            }
            at += rng.between(800, 6_000);
        }
    }

    /// The controller restarts, as in an upgrade, just when the primary dies, and the other server claims.
    pub(super) fn restart_at_a_death(&mut self, rng: &mut Rng) {
        let at = rng.between(6_000, 12_000);
        self.acts.push(Act { at: 1_000, lasts: 0, what: Fault::Claim(0) });
        let dies = (at + rng.below(3_000)).saturating_sub(1_500);
        self.acts.push(Act { at: dies, lasts: rng.between(2_000, 30_000), what: Fault::PowerOff(0) });
        self.acts.push(Act { at, lasts: rng.between(100, 1_500), what: Fault::Kill(Party::Controller) });
        self.acts.push(Act { at: dies + rng.below(3_000), lasts: 0, what: Fault::Claim(1) });
        if rng.percent(50) {
            let step = rng.below(20_000) as i64 - 10_000;
            self.acts.push(Act { at: at + rng.below(1_000), lasts: 0, what: Fault::ClockStep(step) });
        }
    }

    /// The controller continues with a copy of its data that is older than what agents obeyed, while the holder is out of reach.
    pub(super) fn older_journal(&mut self, rng: &mut Rng) {
        let at = rng.between(5_000, 12_000);
        self.acts.push(Act { at: rng.between(500, 4_000), lasts: 0, what: Fault::Claim(0) });
        let lasts = rng.between(100, 2_500);
        self.acts.push(Act { at, lasts, what: Fault::OlderJournal(rng.below(100)) });
        let cut = (at + rng.below(2_000)).saturating_sub(1_000);
        let away = rng.between(2_000, 25_000);
        for to_agent in [true, false] {
            self.acts.push(Act { at: cut, lasts: away, what: Fault::CutControl(0, to_agent) });
        }
        if rng.percent(60) {
            let slot = cut / LAN_SLOT_MS * LAN_SLOT_MS;
            self.acts.push(Act { at: slot, lasts: away / LAN_SLOT_MS * LAN_SLOT_MS, what: Fault::CutLanPair(0, 1) });
        }
        if rng.percent(30) {
            self.acts.push(Act { at: 0, lasts: at, what: Fault::Reconfigure(Change::Isolation(10_000), false) });
        }
        self.acts.push(Act { at: at + rng.below(6_000), lasts: 0, what: Fault::Claim(1) });
    }

    /// A holder lives on the votes of its peer, whose answers come so late that they hardly count.
    pub(super) fn late_answers(&mut self, rng: &mut Rng) {
        self.holder = Some(0);
        let lasts = rng.between(12_000, 35_000);
        let cut = rng.between(4_000, 7_000);
        self.acts.push(Act { at: 2_000, lasts: 0, what: Fault::Claim(0) });
        for to_agent in [true, false] {
            self.acts.push(Act { at: cut, lasts, what: Fault::CutControl(0, to_agent) });
        }
        self.acts.push(Act { at: cut - 2_000, lasts: lasts + 2_000, what: Fault::CutLanPair(0, 1) });
        let late = rng.between(1_800, 2_900);
        self.acts.push(Act { at: cut + rng.below(2_500), lasts, what: Fault::Noise(0, 0, late) });
        self.acts.push(Act { at: cut + rng.between(4_000, 8_000), lasts: 0, what: Fault::Claim(1) });
    }
}
