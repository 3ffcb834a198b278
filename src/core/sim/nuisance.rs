//! What keeps reactions from carrying out genuine claims: forged records around each of them, evaluations that fail, records that
//! arrive late. A genuine newest claim of a host that can be reached takes effect even so (I2): it is carried out, whatever
//! becomes of its runs.

use super::rng::Rng;
use super::scenario::Scenario;

/// The nuisance of one scenario.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Nuisance {
    seed: u64,
    forges: bool,
    /// Percentage of evaluations that fail.
    fails: u64,
    /// Percentage of lines that are read so late that they start nothing by themselves.
    late: u64,
}

impl Nuisance {
    /// The nuisance of a scenario with a pair. Without a pair, only the script knows what a claim asks for, so there is none.
    pub(super) fn of(scenario: &Scenario) -> Nuisance {
        let mut rng = Rng::new(scenario.seed ^ 0x5eed_c1a1);
        if scenario.hosts != 2 || rng.percent(60) {
            return Nuisance::default();
        }
        Nuisance {
            seed: scenario.seed,
            forges: rng.percent(60),
            fails: [0, 20, 100][rng.index(3)],
            late: [0, 0, 30, 100][rng.index(4)],
        }
    }

    /// True if each genuine line has forged ones around it.
    pub(super) fn forges(self) -> bool {
        self.forges
    }

    /// True if the line at this position of the log arrives late.
    pub(super) fn is_late(self, position: usize) -> bool {
        self.late > 0 && Rng::new(self.seed ^ 0x1a7e ^ (position as u64) << 8).percent(self.late)
    }

    /// True if this evaluation of a run fails, now and after each restart.
    pub(super) fn fails(self, run: u64, step: usize) -> bool {
        self.fails > 0 && Rng::new(self.seed ^ (run << 16) ^ step as u64).percent(self.fails)
    }
}
