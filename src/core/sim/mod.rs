//! The simulator: controller, planner, scripts, agents and journal in one process, on a network and disks that a seed determines.
//!
//! ```text
//!   seed -> Scenario (claims, faults) -> World: heap of timed events
//!                                          | control, agents: the state machines that also run on real machines
//!                                          | network, kernel, disk, clocks: simulated, with every fault
//!                                          v
//!                                        Audit after each step -> outcome, and a story if it failed
//! ```
//!
//! Faults: messages lost, doubled, delayed, overtaken; partitions per direction; crash and restart of each party between any two
//! of its outputs; unsynced writes lost; stopped processes, frozen hosts, power losses; clock steps and drift; slow, failing,
//! lying, blind drivers; addresses taken off by hand. The same scenario runs the same way, to the microsecond. [`Tamper`] breaks
//! the parts on purpose, to see that the audits find it. Tests: `tests/it/sim.rs`.

mod audit;
mod controller;
mod host;
mod narrow;
mod network;
mod nuisance;
mod rng;
mod scenario;
mod site;
mod story;
mod tamper;
mod world;

pub use audit::Violation;
pub use rng::Rng;
pub use scenario::{Act, Change, DriverBehavior, Fault, Party, Scenario, SimPlace, WITNESSES};
pub use story::{shorten, story_text};
pub use tamper::Tamper;
pub use world::SimOutcome;

/// Runs a scenario, without its story.
///
/// ```
/// use pointsman::core::sim::{self, Scenario};
///
/// assert!(sim::run(&Scenario::of_seed(1), None).violation.is_none());
/// ```
pub fn run(scenario: &Scenario, tamper: Option<Tamper>) -> SimOutcome {
    world::play(scenario, tamper, false)
}

/// Runs a scenario and records its story, line by line.
pub fn story(scenario: &Scenario, tamper: Option<Tamper>) -> SimOutcome {
    world::play(scenario, tamper, true)
}
