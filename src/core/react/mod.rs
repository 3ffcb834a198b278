//! Runs of reactions, without side effects: durable functions, executed step by step.
//!
//! ```text
//!   StartReactions --------------+                          +--> Record   (before the step that it is about is done)
//!   Evaluated (script's next) ---+--> turn(now) ------------+--> Evaluate (what is next, given the history?)
//!   Answered (step's result) ----+                          +--> Do       (this step)
//!   Approve, Timer --------------+                          +--> Notice   (for people)
//!
//!   wanted --(no run of its lane is active; approved)--> begun --> asked --> answered --+--> ended
//!     |                                                              ^   |  (retry)      |
//!     +--> replaced by a newer one, or expired                       +---+<--------------+
//! ```
//!
//! Invariants: a step is recorded before it is done, and a finished one is never done again (I4). Of one (reaction, key) one
//! run is active at a time, and of those that wait only the newest is kept, separately for each trust (`index.rs`). `wait`,
//! `state` and `log` are done here. This module does not know what a verb does or how a script is evaluated. Tests:
//! `tests/it/runs.rs`, `sim`.

mod arguments;
mod index;
mod kept;
mod record;
mod run;
mod state;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::core::base::limits::{CONFIRM_WITHIN, MEMORY_RUNS, share};
use crate::core::base::time::Time;
use crate::core::engine::StartReactions;
use crate::core::inventory::Inventory;
use crate::core::lang::program::{Mode, Program};
use crate::core::notice::{Kind, Notice};
use crate::core::script::{Next, Step, StepResult};

use index::RunIndex;
use record::LaneKey;
pub use record::{AskedStep, Bound, FailedRun, Record, Run, RunId, RunOutcome, State};

/// An input of the runs.
#[derive(Clone, Debug)]
pub enum Input {
    /// An alarm starts its reactions.
    StartReactions(Box<StartReactions>),
    /// What a script wants next.
    Evaluated {
        run: RunId,
        next: Next,
    },
    /// A step ended with this result.
    Answered {
        run: RunId,
        /// The number of the step.
        n: u32,
        /// The attempt; an answer to an earlier attempt is ignored.
        attempt: u32,
        result: StepResult,
    },
    /// A step was refused and would be refused again. Its script gets the error at once, whatever `retry` says.
    Refused {
        run: RunId,
        /// The number of the step.
        n: u32,
        attempt: u32,
        why: String,
    },
    /// An operator approves a run.
    Approve {
        run: RunId,
    },
    /// An operator ends a run.
    Cancel {
        run: RunId,
        by: String,
    },
    /// An operator starts a failed run again, or the next attempt of a run that waits for a retry.
    Retry {
        run: RunId,
    },
    Timer,
}

/// An output of the runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Record(Record),
    /// Evaluate the run's script with its history, and return what is next.
    Evaluate(RunId),
    /// Do this step, and return its result.
    Do {
        run: RunId,
        attempt: u32,
        step: Step,
    },
    /// A run that was started for the claim with this sequence has ended, or could not be started. `well` is false after an
    /// accident, and true after a decision of its script or an operator.
    ClaimRun {
        sequence: u64,
        well: bool,
    },
    /// Something that people should know.
    Notice(Notice),
}

/// The runs that have not ended, and what operators can start again.
#[derive(Clone, Debug)]
pub struct Runs {
    program: Arc<Program>,
    /// The number of the rules.
    rules: u64,
    inventory: Arc<Inventory>,
    state: State,
    index: RunIndex,
    /// Lanes in which a run waited and none was active at the start.
    idle: Vec<LaneKey>,
}

impl Runs {
    /// Starts from a state. Unfinished runs are evaluated again with their history. A step whose result is unknown is done
    /// again only if its verb allows it.
    pub fn start(program: Arc<Program>, inventory: Arc<Inventory>, state: State, out: &mut Vec<Output>) -> Runs {
        let index = RunIndex::new(&state);
        let idle = index.idle();
        let mut runs = Runs { program, rules: 0, inventory, state, index, idle };
        let begun: Vec<RunId> = runs.state.runs.iter().filter(|(_, r)| r.begun).map(|(id, _)| *id).collect();
        for run in &begun {
            runs.resume(*run, out);
        }
        let compartments: BTreeSet<String> =
            begun.iter().filter_map(|run| Some(runs.state.runs.get(run)?.bound.compartment())).collect();
        for compartment in &compartments {
            runs.give_state(compartment, out);
        }
        runs
    }

    /// Sets new rules. Runs that are wanted from now on use them; earlier runs end with the rules that they began with.
    pub fn reload(&mut self, rules: u64, program: Arc<Program>, inventory: Arc<Inventory>) {
        (self.rules, self.program, self.inventory) = (rules, program, inventory);
    }

    /// The state that must not be lost.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// When the next [`Input::Timer`] is due.
    pub fn next_deadline(&self) -> Option<Time> {
        self.index.next_due()
    }

    /// True when a run with this sequence has not ended.
    pub fn is_under_way(&self, sequence: u64) -> bool {
        self.index.has_sequence(sequence)
    }

    /// Takes one input, and everything that follows from it in the runs.
    pub fn turn(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        for lane in std::mem::take(&mut self.idle) {
            self.begin_next(now, &lane, out);
        }
        match input {
            Input::StartReactions(start) => self.start_reactions(now, &start, out),
            Input::Evaluated { run, next } => self.evaluated(now, run, next, out),
            Input::Answered { run, n, attempt, result } => {
                if self.expects(run, n, attempt) {
                    self.answered(now, run, result, out);
                }
            }
            Input::Refused { run, n, attempt, why } => {
                if self.expects(run, n, attempt) {
                    self.ended(run, Err(why), out);
                }
            }
            Input::Approve { run } => {
                if let Some(lane) = self.state.run(run).filter(|r| r.approve_by.is_some()).map(Run::lane) {
                    self.record(Record::Approved { run }, out);
                    self.begin_next(now, &lane, out);
                }
            }
            Input::Cancel { run, by } => self.end(now, run, RunOutcome::Cancelled(by), out),
            Input::Retry { run } => self.retry(now, run, out),
            Input::Timer => self.timer(now, out),
        }
    }

    /// True when the run waits for the result of this attempt of this step.
    fn expects(&self, run: RunId, n: u32, attempt: u32) -> bool {
        let asked = self.state.runs.get(&run).and_then(|r| r.asked.as_ref());
        asked.is_some_and(|a| a.step.n == n && a.attempt == attempt && a.again_at.is_none())
    }

    fn record(&mut self, record: Record, out: &mut Vec<Output>) {
        // The index follows the state.
        let run = record.run();
        if let Some((id, before)) = run.and_then(|id| Some((id, self.state.run(id)?))) {
            self.index.remove(id, before);
        }
        self.state.apply(&record);
        if let Some((id, after)) = run.and_then(|id| Some((id, self.state.run(id)?))) {
            self.index.add(id, after);
        }
        out.push(Output::Record(record));
    }

    fn start_reactions(&mut self, now: Time, start: &StartReactions, out: &mut Vec<Output>) {
        for chain in &start.chains {
            let bound: Result<Vec<Bound>, String> =
                chain.iter().map(|call| arguments::bind(&self.program, self.rules, &self.inventory, start, call)).collect();
            let mut bound = match bound {
                Ok(bound) => bound,
                Err(why) => {
                    let text = format!("{}: its reaction is not started: {why}", start.alarm);
                    let reaction = chain.first().map(|call| call.reaction.clone()).unwrap_or_default();
                    out.push(Output::Notice(Notice { reaction: Some(reaction), ..Notice::new(Kind::NotStarted, text) }));
                    if start.claim && start.mode != Mode::Dry {
                        // A reaction that nobody could approve is withheld.
                        out.push(Output::ClaimRun { sequence: start.sequence, well: start.mode != Mode::Live });
                    }
                    continue;
                }
            };
            if bound.is_empty() {
                continue;
            }
            let first = bound.remove(0);
            if start.mode == Mode::Dry {
                let text = format!("{} would start {} (mode dry)", start.alarm, first.reaction);
                let (alarm, reaction) = (Some(start.alarm.clone()), Some(first.reaction.clone()));
                out.push(Output::Notice(Notice { alarm, reaction, ..Notice::new(Kind::Dry, text) }));
            }
            let approve_by = match start.mode {
                Mode::Confirm { within } if within.is_zero() => Some(now + CONFIRM_WITHIN),
                Mode::Confirm { within } => Some(now + within),
                _ => None,
            };
            let claim = start.claim && start.mode != Mode::Dry;
            let wanted = Wanted { sequence: start.sequence, claim, key: start.key.to_string(), then: bound, approve_by };
            self.want(now, wanted, first, out);
        }
    }

    /// Why no further run of this call may start; `None` if one may.
    fn full(&self, claim: bool, bound: &Bound) -> Option<String> {
        let of = match (bound.dry, claim) {
            (true, _) => "`mode dry`".to_owned(),
            (false, true) => "claims".to_owned(),
            (false, false) => format!("events with the trust `{}`", bound.trust().name()),
        };
        if let Some(room) = self.index.full(claim, bound) {
            return Some(format!("{room} runs for {of} have not ended, which is the limit"));
        }
        let most = share(self.inventory.memory.0, MEMORY_RUNS);
        let room = self.index.lacks_memory(claim, bound, 1, most)?;
        Some(format!("runs that have not ended take up {} MiB, which is the limit for {of}", room >> 20))
    }

    /// Why this call may not be wanted in its lane; `None` if it may. A run that replaces another needs no room of its own.
    fn no_room(&self, claim: bool, lane: &LaneKey, bound: &Bound) -> Option<String> {
        if self.index.waiting(lane).is_empty() { self.full(claim, bound) } else { None }
    }

    /// Adds a wanted run. It begins as soon as its lane is free, and replaces the run that waits there.
    fn want(&mut self, now: Time, wanted: Wanted, bound: Bound, out: &mut Vec<Output>) {
        let Wanted { sequence, claim, key, then, approve_by } = wanted;
        let lane = bound.lane(&key);
        if let Some(why) = self.no_room(claim, &lane, &bound) {
            out.push(not_started(&bound, &why));
            if claim {
                out.push(Output::ClaimRun { sequence, well: approve_by.is_some() });
            }
            return;
        }
        let (run, waiting) = (self.state.last + 1, self.index.waiting(&lane));
        if approve_by.is_some() {
            let text = format!("{} waits for an operator's approval: `pointsman runs approve {run}`", bound.reaction);
            out.push(Output::Notice(Notice {
                run: Some(run),
                reaction: Some(bound.reaction.clone()),
                ..Notice::new(Kind::Confirm, text)
            }));
        }
        self.record(Record::Wanted { run, sequence, at: now, key, bound, then, approve_by, claim }, out);
        for older in waiting {
            let replaced = self.state.run(older).filter(|r| r.claim).map(|r| (r.sequence, r.approve_by.is_some()));
            self.record(Record::Ended { run: older, at: now, outcome: RunOutcome::Replaced }, out);
            out.extend(replaced.map(|(sequence, well)| Output::ClaimRun { sequence, well }));
        }
        self.begin_next(now, &lane, out);
    }

    /// Starts a failed run again with the current reaction. If the run waits for a retry of a step, the step starts at once.
    fn retry(&mut self, now: Time, run: RunId, out: &mut Vec<Output>) {
        if let Some(asked) = self.state.run(run).and_then(|r| r.asked.clone()).filter(|asked| asked.again_at.is_some()) {
            return self.ask(now, run, asked.step, asked.attempt + 1, out);
        }
        let Some(FailedRun { sequence, key, mut bound, mut then, .. }) = self.state.failed(run).cloned() else { return };
        for bound in std::iter::once(&mut bound).chain(&mut then) {
            bound.rules = self.rules;
        }
        // A run that cannot be started now can still be started later.
        if let Some(why) = self.no_room(false, &bound.lane(&key), &bound) {
            return out.push(not_started(&bound, &why));
        }
        self.record(Record::Retried { run }, out);
        self.want(now, Wanted { sequence, claim: false, key, then, approve_by: None }, bound, out);
    }

    /// Begins the waiting run of a lane, if nobody has to approve it and no run of the lane is active.
    fn begin_next(&mut self, now: Time, lane: &LaneKey, out: &mut Vec<Output>) {
        for run in self.index.next(lane) {
            if self.state.run(run).is_some_and(|r| r.approve_by.is_none()) {
                self.record(Record::Begun { run, at: now }, out);
                return out.push(Output::Evaluate(run));
            }
        }
    }
}

/// The notice that a reaction is not started because there is no room for its run.
fn not_started(bound: &Bound, why: &str) -> Output {
    let text = format!("{} is not started: {why}; see `pointsman runs`", bound.reaction);
    let kind = if bound.dry { Kind::Dry } else { Kind::NotStarted };
    Output::Notice(Notice { reaction: Some(bound.reaction.clone()), ..Notice::new(kind, text) })
}

/// Why and when a run is wanted, and what follows it.
struct Wanted {
    sequence: u64,
    claim: bool,
    key: String,
    then: Vec<Bound>,
    approve_by: Option<Time>,
}
