//! The decisions about runs, as the journal stores them, and the state to which they fold.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::limits::{RUNS_RETRIED, STEP_TIMEOUT};
use crate::core::base::time::Time;
use crate::core::event::{Trust, Value};
use crate::core::lang::program::EFFECTS_REQUIRE;
use crate::core::script::{FinishedStep, ScriptCall, Step, StepResult};

/// The number of a run; never used twice.
pub type RunId = u64;

/// A call of a reaction with everything that it needs; its arguments are evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    pub reaction: String,
    /// The arguments of its script.
    pub call: ScriptCall,
    /// The number of the rules that it was bound by. It keeps their script and their view of the inventory to its end.
    #[serde(default)]
    pub rules: u64,
    /// The time limit of one attempt of a step.
    #[serde(default = "step_timeout")]
    pub timeout: Duration,
    /// The number of retries of a failed step, and the time between them.
    #[serde(default)]
    pub retry: Option<(u32, Duration)>,
    /// The trust that an event requires for the run to change anything outside.
    #[serde(default = "effects_require")]
    pub requires: Trust,
    /// `mode dry`: its steps are evaluated and reported, and nothing outside is changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry: bool,
}

/// What the names of dry runs have in addition: they have lanes and stored values of their own.
pub(super) const DRY: &str = " (mode dry)";

impl Bound {
    /// The trust of the event that the run is about.
    pub fn trust(&self) -> Trust {
        self.call.event.get("trust").and_then(Value::as_text).and_then(Trust::parse).unwrap_or_default()
    }

    /// What the call says of its alarm, such as `name` or `key`; empty if it says nothing of that.
    pub fn of_alarm(&self, field: &str) -> String {
        self.call.alarm.get(field).map(ToString::to_string).unwrap_or_default()
    }

    /// The name under which values of its reaction are stored. Values that senders without the required trust set are stored
    /// separately, so that they change nothing that others read.
    pub(super) fn compartment(&self) -> String {
        let dry = if self.dry { DRY } else { "" };
        let less = if self.trust() < self.requires { format!(" ({})", self.trust().name()) } else { String::new() };
        format!("{}{less}{dry}", self.reaction)
    }

    /// The lane of its runs about a key. A dry run neither delays nor replaces another one.
    pub(super) fn lane(&self, key: &str) -> LaneKey {
        (format!("{}{}", self.reaction, if self.dry { DRY } else { "" }), key.to_owned(), self.trust())
    }
}

/// The least trust of the senders that may store values under this name (see [`Bound::compartment`]). `requires` is what the
/// reaction requires.
pub(super) fn trust_of_compartment(compartment: &str, requires: impl Fn(&str) -> Trust) -> Trust {
    let compartment = compartment.strip_suffix(DRY).unwrap_or(compartment);
    let named = compartment.strip_suffix(')').and_then(|rest| Trust::parse(rest.split_once(" (")?.1));
    named.unwrap_or_else(|| requires(compartment))
}

fn effects_require() -> Trust {
    EFFECTS_REQUIRE
}

fn step_timeout() -> Duration {
    STEP_TIMEOUT
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// It succeeded, with the script's value.
    Finished(Value<'static>),
    /// It failed, with the reason.
    Failed(String),
    /// A newer run of the same reaction and key replaced it before it began.
    Replaced,
    /// Nobody approved it in time.
    Expired,
    /// An operator ended it.
    Cancelled(String),
}

impl RunOutcome {
    pub const NAMES: [&'static str; 5] = ["finished", "failed", "replaced", "expired", "cancelled"];

    pub fn name(&self) -> &'static str {
        match self {
            RunOutcome::Finished(_) => "finished",
            RunOutcome::Failed(_) => "failed",
            RunOutcome::Replaced => "replaced",
            RunOutcome::Expired => "expired",
            RunOutcome::Cancelled(_) => "cancelled",
        }
    }
}

/// A decision about a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ran")]
pub enum Record {
    /// A run is wanted. It begins when no other run of its lane is active and, if required, when an operator has approved it.
    Wanted {
        run: RunId,
        /// The sequence of its cause.
        #[serde(rename = "order")]
        sequence: u64,
        at: Time,
        /// The key of the instance, as shown.
        key: String,
        bound: Bound,
        /// The calls that follow when it has succeeded.
        then: Vec<Bound>,
        /// An operator must approve it by this time.
        #[serde(rename = "agree_by")]
        approve_by: Option<Time>,
        /// It is about the newest claim of a member of a pair, and `sequence` is the sequence of that claim.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        claim: bool,
    },
    /// An operator approved a run.
    #[serde(rename = "agreed")]
    Approved {
        run: RunId,
    },
    Begun {
        run: RunId,
        at: Time,
    },
    /// Its script wants a step; this is journaled before the step is done.
    Asked {
        run: RunId,
        step: Step,
        /// 1 for the first attempt.
        attempt: u32,
        /// A wait ends at this time; any other step has failed by then.
        due: Option<Time>,
    },
    /// The step failed and is retried at this time.
    Again {
        run: RunId,
        at: Time,
    },
    Answered {
        run: RunId,
        result: StepResult,
    },
    /// A reaction stores a value, or deletes it.
    Kept {
        reaction: String,
        key: String,
        value: Option<Value<'static>>,
    },
    Ended {
        run: RunId,
        at: Time,
        outcome: RunOutcome,
    },
    /// An operator starts a failed run again; a new run follows.
    Retried {
        run: RunId,
    },
}

impl Record {
    /// The run that it is about.
    pub(super) fn run(&self) -> Option<RunId> {
        match self {
            Record::Wanted { run, .. }
            | Record::Approved { run }
            | Record::Begun { run, .. }
            | Record::Asked { run, .. }
            | Record::Again { run, .. }
            | Record::Answered { run, .. }
            | Record::Ended { run, .. } => Some(*run),
            Record::Kept { .. } | Record::Retried { .. } => None,
        }
    }
}

/// A step that was asked for and has not ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AskedStep {
    pub step: Step,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// A wait ends at this time; any other step has failed by then.
    pub due: Option<Time>,
    /// It failed, and is retried at this time.
    pub again_at: Option<Time>,
}

/// A lane: one reaction, one key, one trust.
pub(super) type LaneKey = (String, String, Trust);

/// A run that has not ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The sequence of its cause.
    #[serde(rename = "order")]
    pub sequence: u64,
    /// When it was wanted; `None` in snapshots of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// The key of the instance, as shown.
    pub key: String,
    pub bound: Bound,
    /// The calls that follow when it has succeeded.
    pub then: Vec<Bound>,
    /// An operator must approve it by this time; `None` if nobody has to, or somebody has.
    #[serde(rename = "agree_by")]
    pub approve_by: Option<Time>,
    /// It is about the claim of a member of a pair with the same sequence.
    #[serde(default)]
    pub claim: bool,
    pub begun: bool,
    /// The steps that ended.
    pub history: Vec<FinishedStep>,
    /// The step that has not ended.
    pub asked: Option<AskedStep>,
}

impl Run {
    /// The lane of the run.
    pub(super) fn lane(&self) -> LaneKey {
        self.bound.lane(&self.key)
    }

    /// When the run is due next.
    pub(super) fn due(&self) -> Option<Time> {
        match &self.asked {
            Some(asked) => asked.again_at.or(asked.due),
            None if !self.begun => self.approve_by,
            None => None,
        }
    }
}

/// The state of runs that must not be lost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub(super) last: RunId,
    pub(super) runs: BTreeMap<RunId, Run>,
    pub(super) kept: BTreeMap<String, BTreeMap<String, Value<'static>>>,
    /// Runs that failed or were cancelled, by number: they can be started again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) failed: BTreeMap<RunId, FailedRun>,
}

/// A run that failed or was cancelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailedRun {
    /// The sequence of its cause.
    #[serde(rename = "order")]
    pub sequence: u64,
    /// The key of the instance, as shown.
    pub key: String,
    pub bound: Bound,
    /// The calls that would have followed it.
    pub then: Vec<Bound>,
    pub ended_at: Time,
}

impl State {
    /// The runs that have not ended.
    pub fn runs(&self) -> impl Iterator<Item = (RunId, &Run)> {
        self.runs.iter().map(|(id, run)| (*id, run))
    }

    pub fn run(&self, run: RunId) -> Option<&Run> {
        self.runs.get(&run)
    }

    /// The runs that failed or were cancelled and can be started again, oldest first.
    pub fn failed_runs(&self) -> impl Iterator<Item = (RunId, &FailedRun)> {
        self.failed.iter().map(|(id, run)| (*id, run))
    }

    /// A run that failed or was cancelled.
    pub fn failed(&self, run: RunId) -> Option<&FailedRun> {
        self.failed.get(&run)
    }

    /// True when a run that has not ended was bound by these rules.
    pub fn needs(&self, rules: u64) -> bool {
        self.runs.values().any(|r| r.bound.rules == rules || r.then.iter().any(|b| b.rules == rules))
    }

    /// Applies one record. This is the only way in which the state changes.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Wanted { run, sequence, at, key, bound, then, approve_by, claim } => {
                self.last = self.last.max(*run);
                let wanted = Run {
                    sequence: *sequence,
                    at: Some(*at),
                    key: key.clone(),
                    bound: bound.clone(),
                    then: then.clone(),
                    approve_by: *approve_by,
                    claim: *claim,
                    begun: false,
                    history: Vec::new(),
                    asked: None,
                };
                self.runs.insert(*run, wanted);
            }
            Record::Approved { run } => self.with(*run, |r| r.approve_by = None),
            Record::Begun { run, .. } => self.with(*run, |r| r.begun = true),
            Record::Asked { run, step, attempt, due } => self.with(*run, |r| {
                r.asked = Some(AskedStep { step: step.clone(), attempt: *attempt, due: *due, again_at: None });
            }),
            Record::Again { run, at } => self.with(*run, |r| {
                if let Some(asked) = &mut r.asked {
                    asked.again_at = Some(*at);
                }
            }),
            Record::Answered { run, result } => self.with(*run, |r| {
                if let Some(asked) = r.asked.take() {
                    r.history.push(FinishedStep { step: asked.step, result: result.clone() });
                }
            }),
            Record::Kept { reaction, key, value } => {
                let kept = self.kept.entry(reaction.clone()).or_default();
                match value {
                    Some(value) => kept.insert(key.clone(), value.clone()),
                    None => kept.remove(key),
                };
            }
            Record::Ended { run, at, outcome } => {
                let Some(ended) = self.runs.remove(run) else { return };
                if matches!(outcome, RunOutcome::Failed(_) | RunOutcome::Cancelled(_)) {
                    let Run { sequence, key, bound, then, .. } = ended;
                    self.failed.insert(*run, FailedRun { sequence, key, bound, then, ended_at: *at });
                    if self.failed.len() > RUNS_RETRIED {
                        self.failed.pop_first();
                    }
                }
            }
            Record::Retried { run } => {
                self.failed.remove(run);
            }
        }
    }

    fn with(&mut self, run: RunId, change: impl FnOnce(&mut Run)) {
        if let Some(run) = self.runs.get_mut(&run) {
            change(run);
        }
    }
}
