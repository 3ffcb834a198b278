//! An alarm: what raises it, what clears it, what it starts.

use std::time::Duration;

use crate::core::diag::Place;
use crate::core::event::Value;

use super::AtomId;
use super::detection::{Detection, Measure, Threshold};

/// The severity of an alarm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Category {
    Critical,
    #[default]
    Major,
    Minor,
    /// Kept as state but not listed as an alarm.
    None,
}

impl Category {
    pub const ALL: [Category; 4] = [Category::Critical, Category::Major, Category::Minor, Category::None];

    /// The name that rules use.
    pub fn name(self) -> &'static str {
        match self {
            Category::Critical => "critical",
            Category::Major => "major",
            Category::Minor => "minor",
            Category::None => "none",
        }
    }
}

/// How an alarm carries out its reactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Live,
    /// Reports what it would run.
    Dry,
    /// Runs them when an operator agrees within the time.
    Confirm {
        /// How long it waits; then the run ends.
        within: Duration,
    },
    /// The alarm is not raised at all.
    Off,
}

/// What a repeat does while the alarm is active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhileActive {
    /// Counts, and restarts the cancel time-out.
    #[default]
    Refresh,
    /// Counts; the time-out does not change.
    Ignore,
    /// As `Refresh`, and the reactions run again.
    Rerun,
}

/// An alarm: what raises it, what clears it and what it starts.
#[derive(Clone, Debug)]
pub struct Alarm {
    pub name: String,
    pub category: Category,
    /// Summary with `{field}` in it; empty if there is none.
    pub summary: String,
    /// Summary of its end, likewise; empty if `summary` serves for both.
    pub end_summary: String,
    /// What an operator should know or do; empty if there is none.
    pub help: String,
    pub detect: Detection,
    /// Fields (of the event, its captures, or derived: `pair`) that form the key of an instance, in order. Empty: one
    /// instance.
    pub by: Vec<String>,
    /// What clears it. Empty: only an operator.
    pub cancel: Vec<Cancel>,
    /// Reactions. Chains start together, in order; each call of a chain starts when the one before succeeded.
    pub react: Vec<Vec<ReactionCall>>,
    /// Reactions when it is cleared, for any cause; the script finds the cause in `alarm.cause`.
    pub on_cancel: Vec<Vec<ReactionCall>>,
    /// How long its condition must stay true before it is raised (`hold`): no `cancel when` may come meanwhile.
    pub hold: Option<Duration>,
    /// While one of these alarms is active for the same values of the keys that both have, this one is suppressed.
    pub inhibited_by: Vec<String>,
    /// It is raised only while these alarms are active for the same values of the keys that both have.
    pub only_while: Vec<String>,
    /// It is raised only while none of these is active.
    pub only_while_not: Vec<String>,
    /// Maximum number of keys that are active or counted; `None`: [`crate::core::base::limits::INSTANCES_PER_ALARM`] and
    /// [`crate::core::base::limits::COUNTED_KEYS`].
    pub max_keys: Option<usize>,
    /// Number of texts to keep of events for which its condition fired, while it is active; the script finds them in
    /// `alarm.lines`.
    pub keep: usize,
    /// It is a pattern of several events: when its condition fires, the only effect is an event ([`Signal::Occurrence`]).
    pub composite: bool,
    /// Keys of [`super::Program::calendars`]: it is raised only during one of these; empty: always.
    pub only_during: Vec<String>,
    /// Keys of [`super::Program::calendars`]: it is not raised during any of these.
    pub not_during: Vec<String>,
    /// The maximum rate of its reactions.
    pub limit: Option<Limit>,
    /// What a repeat does.
    pub while_active: WhileActive,
    /// How its reactions are carried out.
    pub mode: Mode,
    /// Events older than this (record time against arrival) raise it but start no run; `None`: only lateness counts.
    pub max_age: Option<Duration>,
    /// The place in the rule file.
    pub place: Place,
}

impl Alarm {
    /// An alarm with a name and defaults.
    pub fn new(name: String, place: Place) -> Alarm {
        Alarm {
            name,
            category: Category::default(),
            summary: String::new(),
            end_summary: String::new(),
            help: String::new(),
            detect: Detection::default(),
            by: Vec::new(),
            hold: None,
            inhibited_by: Vec::new(),
            only_while: Vec::new(),
            only_while_not: Vec::new(),
            only_during: Vec::new(),
            not_during: Vec::new(),
            max_keys: None,
            keep: 0,
            composite: false,
            limit: None,
            cancel: Vec::new(),
            react: Vec::new(),
            on_cancel: Vec::new(),
            while_active: WhileActive::default(),
            mode: Mode::default(),
            max_age: None,
            place,
        }
    }
}

/// The maximum rate of an alarm's reactions. Reactions above it are throttled, and the newest start as soon as allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    pub n: usize,
    pub per: Duration,
    /// The fields that share a limit, as indices into the alarm's `by`.
    pub by: Vec<usize>,
}

/// What clears an alarm.
#[derive(Clone, Debug, PartialEq)]
pub enum Cancel {
    /// A time after it was last refreshed, or after it was raised.
    After {
        span: Duration,
        /// `since raise`: repeats do not prolong it.
        since_raise: bool,
    },
    /// An event that matches one of these atoms with the same key. The `by` of the detect applies.
    When(Vec<AtomId>),
    /// The measure of the `detect` compares in this way.
    Falls(Threshold),
    /// A measure of its own is true.
    Measured {
        /// The atoms of the events that it measures.
        of: Vec<AtomId>,
        over: Duration,
        measure: Measure,
    },
    /// At once: no state is kept, every event acts.
    AtOnce,
    ByHand,
}

/// A call of a reaction with arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct ReactionCall {
    /// Key of [`super::Program::reactions`].
    pub reaction: String,
    /// Arguments by parameter name, in the script's order.
    pub args: Vec<(String, Argument)>,
}

/// The expression of an argument. There are no others.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    Value(Value<'static>),
    /// A field of the event, a capture, or a derived one (`pair`, `alarm`, `cause`).
    Field(String),
    /// `pair_of(field)`: the pair of the application that the field names.
    PairOf(String),
    /// `host_of(field)`: the host of the application that the field names.
    HostOf(String),
}
