//! Runs of reactions, pure: durable functions, step by step (DESIGN sections 3 and 6).
//!
//! ```text
//!   Cue (an alarm's reactions) --+                          +--> Record   (before the step that it is about is done)
//!   Evaluated (script's next) ---+--> turn(now) ------------+--> Evaluate (what is next, given the history?)
//!   Answered (step's result) ----+                          +--> Do       (this step)
//!   Agree, Timer ----------------+                          +--> Notice   (for people)
//!
//!   wanted --(none of its reaction and key runs; agreed)--> begun --> asked --> answered --+--> ended
//!     |                                                                ^   |  (retry: again)
//!     +--> replaced by a newer one, or expired                         +---+<--------------+
//! ```
//!
//! Invariants: a step is asked for on record before it is done, and a finished one is never done again (I4); runs of one
//! (reaction, key) are one at a time, and of those that wait only the newest. `wait`, `state` and `log` are done here.
//! Does not know: what a verb does, how a script is evaluated. Tests: `tests/it/runs.rs`, `sim`.

mod arguments;
mod kept;
mod record;
mod run;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::limits::{CONFIRM_WITHIN, RUNS};
use crate::base::time::Time;
use crate::engine::Cue;
use crate::inventory::Inventory;
use crate::lang::program::{Mode, Program};
use crate::script::{Again, Next, Step, StepResult};

pub use record::{Asked, Bound, Outcome, Record, Run, RunId, State};

/// What the runs are told.
#[derive(Clone, Debug)]
pub enum Input {
    /// An alarm starts its reactions.
    Cue(Box<Cue>),
    /// What a script wants next.
    Evaluated {
        /// Of which run.
        run: RunId,
        /// What.
        next: Next,
    },
    /// How a step ended.
    Answered {
        /// Of which run.
        run: RunId,
        /// Number of the step.
        n: u32,
        /// Which attempt; an answer to an earlier one is late and void.
        attempt: u32,
        /// How.
        result: StepResult,
    },
    /// A step was refused, and would be refused again: its script is told at once, whatever `retry` says.
    Refused {
        /// Of which run.
        run: RunId,
        /// Number of the step.
        n: u32,
        /// Which attempt.
        attempt: u32,
        /// Why.
        why: String,
    },
    /// An operator agrees.
    Agree {
        /// To which run.
        run: RunId,
    },
    /// A deadline passed.
    Timer,
}

/// What the runs want.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Journal this.
    Record(Record),
    /// Evaluate the run's script with its history, and tell what is next.
    Evaluate(RunId),
    /// Do this step, and tell how it ended.
    Do {
        /// Of which run.
        run: RunId,
        /// Which attempt.
        attempt: u32,
        /// The step.
        step: Step,
    },
    /// Something that people should know.
    Notice {
        /// A stable word.
        kind: &'static str,
        /// About which run, where it has a number.
        run: Option<RunId>,
        /// About which reaction.
        reaction: String,
        /// What happened, and what to do.
        text: String,
    },
}

/// The runs.
#[derive(Clone, Debug)]
pub struct Runs {
    program: Arc<Program>,
    /// The number of the rules.
    rules: u64,
    inventory: Arc<Inventory>,
    again: fn(&str) -> Again,
    state: State,
}

impl Runs {
    /// Runs that go on from a state: unfinished ones are evaluated again with their history, and a step whose end is not
    /// known is done again only where its verb allows that. `again` says so for each verb.
    pub fn start(
        program: Arc<Program>,
        inventory: Arc<Inventory>,
        again: fn(&str) -> Again,
        state: State,
        out: &mut Vec<Output>,
    ) -> Runs {
        let mut runs = Runs { program, rules: 0, inventory, again, state };
        let begun: Vec<RunId> = runs.state.runs.iter().filter(|(_, r)| r.begun).map(|(id, _)| *id).collect();
        for run in begun {
            runs.resume(run, out);
        }
        runs
    }

    /// What is wanted from now on is bound by these rules; what was wanted before ends on what it began with.
    pub fn reload(&mut self, rules: u64, program: Arc<Program>, inventory: Arc<Inventory>) {
        (self.rules, self.program, self.inventory) = (rules, program, inventory);
    }

    /// Everything that must not be forgotten.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// When [`Input::Timer`] is due next.
    pub fn next_deadline(&self) -> Option<Time> {
        let due = |r: &Run| match &r.asked {
            Some(asked) => asked.again_at.or(asked.due),
            None if !r.begun => r.agree_by,
            None => None,
        };
        self.state.runs.values().filter_map(due).min()
    }

    /// Takes one input.
    pub fn turn(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Cue(cue) => self.cue(now, &cue, out),
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
            Input::Agree { run } => {
                if self.state.runs.get(&run).is_some_and(|r| r.agree_by.is_some()) {
                    self.record(Record::Agreed { run }, out);
                    self.begin_next(now, out);
                }
            }
            Input::Timer => self.timer(now, out),
        }
    }

    /// True when the run waits for the end of this attempt of this step.
    fn expects(&self, run: RunId, n: u32, attempt: u32) -> bool {
        let asked = self.state.runs.get(&run).and_then(|r| r.asked.as_ref());
        asked.is_some_and(|a| a.step.n == n && a.attempt == attempt && a.again_at.is_none())
    }

    fn record(&mut self, record: Record, out: &mut Vec<Output>) {
        self.state.apply(&record);
        out.push(Output::Record(record));
    }

    fn cue(&mut self, now: Time, cue: &Cue, out: &mut Vec<Output>) {
        for chain in &cue.chains {
            let bound: Result<Vec<Bound>, String> =
                chain.iter().map(|call| arguments::bind(&self.program, self.rules, &self.inventory, cue, call)).collect();
            let mut bound = match bound {
                Ok(bound) => bound,
                Err(why) => {
                    let text = format!("{}: its reaction is not started: {why}", cue.alarm);
                    let reaction = chain.first().map(|call| call.reaction.clone()).unwrap_or_default();
                    out.push(Output::Notice { kind: "not_started", run: None, reaction, text });
                    continue;
                }
            };
            if bound.is_empty() {
                continue;
            }
            let first = bound.remove(0);
            if cue.mode == Mode::Dry {
                let text = format!("{} would start {} (mode dry)", cue.alarm, first.reaction);
                out.push(Output::Notice { kind: "dry", run: None, reaction: first.reaction, text });
                continue;
            }
            let agree_by = match cue.mode {
                Mode::Confirm { within } if within.is_zero() => Some(now + CONFIRM_WITHIN),
                Mode::Confirm { within } => Some(now + within),
                _ => None,
            };
            self.want(now, cue.order, cue.key.to_string(), first, bound, agree_by, out);
        }
        self.begin_next(now, out);
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one record")]
    fn want(
        &mut self,
        now: Time,
        order: u64,
        key: String,
        bound: Bound,
        then: Vec<Bound>,
        agree_by: Option<Time>,
        out: &mut Vec<Output>,
    ) {
        if self.state.runs.len() >= RUNS {
            let text = format!(
                "{} is not started: {RUNS} runs have not ended, which is the limit; see `pointsman runs`",
                bound.reaction
            );
            return out.push(Output::Notice { kind: "not_started", run: None, reaction: bound.reaction, text });
        }
        let run = self.state.last + 1;
        let waiting: Vec<RunId> = self
            .state
            .runs
            .iter()
            .filter(|(_, r)| !r.begun && r.bound.reaction == bound.reaction && r.key == key)
            .map(|(id, _)| *id)
            .collect();
        if agree_by.is_some() {
            let text = format!("{} waits for an operator's yes: `pointsman runs approve {run}`", bound.reaction);
            out.push(Output::Notice { kind: "confirm", run: Some(run), reaction: bound.reaction.clone(), text });
        }
        self.record(Record::Wanted { run, order, at: now, key, bound, then, agree_by }, out);
        for older in waiting {
            self.record(Record::Ended { run: older, at: now, outcome: Outcome::Replaced }, out);
        }
    }

    /// Begins every run that may: agreed to, and alone with its reaction and key.
    fn begin_next(&mut self, now: Time, out: &mut Vec<Output>) {
        let lane = |r: &Run| (r.bound.reaction.clone(), r.key.clone());
        let busy: BTreeSet<(String, String)> = self.state.runs.values().filter(|r| r.begun).map(lane).collect();
        let ready = self.state.runs.iter().filter(|(_, r)| !r.begun && r.agree_by.is_none() && !busy.contains(&lane(r)));
        let may: Vec<RunId> = ready.map(|(id, _)| *id).collect();
        for run in may {
            self.record(Record::Begun { run, at: now }, out);
            out.push(Output::Evaluate(run));
        }
    }
}
