//! The compiled form of checked rule files: the only view that the matcher and the engine have of them.
//!
//! An alarm's conditions over single events are *atoms*: numbered, stateless, matched by `lang::matcher` for all alarms at
//! once. What an alarm does with its matches (raise, clear, count) is the task of the engine.

mod alarm;
mod atom;
mod detection;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::diag::Place;
use crate::core::event::{Trust, Value};
use crate::core::lang::calendar::Calendar;

pub use alarm::{Alarm, Argument, Cancel, Category, Limit, Mode, ReactionCall, WhileActive};
pub use atom::{
    Atom, Capture, CaptureKind, Comparison, FieldRegex, FieldTest, IdPattern, Operand, Predicate, REPLACED, Sender, Signal, Unit,
    replacing,
};
pub use detection::{
    Aggregate, Backoff, Counted, Detection, Measure, MemberState, Members, Shape, StateHolds, States, Term, Threshold,
};

/// Index into [`Program::atoms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct AtomId(pub u32);

/// An atom that an event matches, with the captures of its regular expressions.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Hit {
    pub atom: AtomId,
    /// Captures by name, in order of the expression.
    pub captures: Vec<(String, Value<'static>)>,
}

/// Index into [`Program::alarms`], in order of files (sorted by name) and of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlarmId(pub u32);

/// All rules, checked and compiled.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Conditions over single events.
    pub atoms: Vec<Atom>,
    /// Alarms in order of definition. Names are unique.
    pub alarms: Vec<Alarm>,
    /// Named bindings of scripts, by name. They include every reaction that an alarm calls, also the implicit ones.
    pub reactions: BTreeMap<String, Reaction>,
    /// Lines that patterns have as their own tests, in order of files and lines.
    pub samples: Vec<Sample>,
    /// Fields inside texts (`json.path`) that alarms use as keys, in summaries or as arguments. They are added to the
    /// captures of an event.
    pub inside: Vec<String>,
    /// An event that matches one of these is hidden from every rule.
    pub ignored: Vec<AtomId>,
    /// Named calendars, to which alarms refer.
    pub calendars: BTreeMap<String, Calendar>,
    /// Conditions by which members of pairs claim a role, in addition to the ids of the inventory.
    pub claims: Vec<ClaimCondition>,
}

/// A condition that is a claim when a member of its pair matches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimCondition {
    pub atom: AtomId,
    pub pair: String,
    /// True: the member claims to be primary; false: backup.
    pub primary: bool,
}

/// A line that a pattern has as its own test; `check` and `test` run it through the decoder and the matcher.
#[derive(Clone, Debug)]
pub struct Sample {
    pub atom: AtomId,
    /// The record, as in the log file; several lines are joined by a line feed.
    pub record: String,
    /// `sample`: the record must match the atom. `not sample`: it must not.
    pub matches: bool,
    /// Fields that the record must have after the match, captures included.
    pub fields: Vec<(String, Value<'static>)>,
    /// The place in the rule file.
    pub place: Place,
}

/// A named binding of a script to parameters, time-out and retries.
#[derive(Clone, Debug, PartialEq)]
pub struct Reaction {
    pub name: String,
    /// The script's file name within the script folder: `vip_down.rhai`.
    pub script: String,
    pub with: Vec<(String, Value<'static>)>,
    /// The time limit of one attempt of a step; waiting does not count.
    pub timeout: Duration,
    /// The number of retries of a failed step, and the time between them.
    pub retry: Option<(u32, Duration)>,
    /// The trust that an event requires for its runs to change anything outside of Pointsman.
    pub requires: Trust,
}

/// The default trust that an event requires for its runs to change anything outside of Pointsman.
pub const EFFECTS_REQUIRE: Trust = Trust::Address;
