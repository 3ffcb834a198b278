//! Reaction scripts: Rhai functions from their history to their next step.
//!
//! [`Evaluator::next`] is a pure function: given a script, its call (alarm, event, parameters) and the results of the steps
//! it has done so far, it returns the next step, or the end. Nothing is done here; the runs in `react` do it.
//!
//! ```text
//!   verbs (declared once) --> bind (Rhai functions) --> evaluator --> tape: recorded results, then the first new step
//!                        \--> check (names, arguments, parameters)
//!                        \--> scripts/verbs.md
//! ```
//!
//! A script cannot access files, the network, clocks or random numbers: except for its arguments, all input comes from
//! recorded steps. So it does the same again after a crash. All limits of the library are set; see `evaluator`. This module
//! does not know who does the steps. Tests: `tests/it/script.rs`.

mod bind;
mod check;
mod escapes;
mod evaluator;
mod lines;
mod params;
mod reference;
mod tape;
mod value;
mod value_kinds;
mod verbs;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::core::diag::Source;
use crate::core::event::Value;

/// The reaction that needs no script of the site: `react notify("noc")`.
pub const BUILT_IN: &str = "notify";
/// The file name of its script. A site's own script with this name replaces it.
pub const BUILT_IN_SCRIPT: &str = "notify.rhai";

/// The script of [`BUILT_IN`].
pub fn built_in() -> Arc<Source> {
    Arc::new(Source { name: BUILT_IN_SCRIPT.to_owned(), text: include_str!("notify.rhai").to_owned() })
}

pub use check::{ALARM_PROPERTIES, Declared, Param, check, inspect, unknown_name};
pub use evaluator::{Compiled, Evaluator};
pub use params::{HANDLES, HandleDecl, ParamKind};
pub use reference::reference;
pub use verbs::{Executor, Requirement, ResourceVerb, StateVerb, Verb, VerbDecl};

/// The arguments of a script. They are journaled as a whole when the run starts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScriptCall {
    /// The alarm as the script sees it: `name key category summary count cause raised_at lines`.
    pub alarm: BTreeMap<String, Value<'static>>,
    /// The event as the script sees it: its fields and captures by name.
    pub event: BTreeMap<String, Value<'static>>,
    /// The values of the parameters, by name.
    pub params: BTreeMap<String, Value<'static>>,
}

/// A step that a script wants: a verb with its arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// 0-based index in the run's history.
    pub n: u32,
    pub verb: Verb,
    /// Its arguments, in declared order; the handle's name is first (`vip("x").up("h")` is `["x", "h"]`).
    pub args: Vec<Value<'static>>,
    /// 1-based line of the script that asked for it.
    pub line: u32,
}

/// The result of a step: its value, or why it failed.
pub type StepResult = Result<Value<'static>, String>;

/// A step that was done, with its result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinishedStep {
    pub step: Step,
    pub result: StepResult,
}

/// What a script does next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Next {
    /// It wants this step done.
    Step(Step),
    /// It succeeded, with this value.
    Finished(Value<'static>),
    /// It failed: an uncaught error, a limit, a step that differs from the recorded one.
    Failed(String),
}

/// What a restart does with a step that was begun and whose result is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Again {
    /// It is done again, because a repetition has no further effect.
    Safe,
    /// Its target is asked for the result where possible; otherwise the result is unknown.
    Ask,
    /// It is never done again: its result is unknown, and the script may catch this.
    Never,
}
