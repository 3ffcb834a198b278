//! The condition of an alarm: how matches of several events, states and measures belong together.

use std::time::Duration;

use super::AtomId;
use super::atom::Comparison;

/// The condition of an alarm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detection {
    /// Conditions over single events, each matched by any of its atoms. The shape says what they are for.
    pub parts: Vec<Vec<AtomId>>,
    /// How the parts belong together.
    pub shape: Shape,
    /// An event that matches one of these drops partial matches and pending fires.
    pub unless: Vec<AtomId>,
    /// Its time: between the first event and the last (`within`), without any event (`for` of a silence), or the window of a
    /// measure (`over`). `None`: time does not matter.
    pub within: Option<Duration>,
    /// How much earlier an event may arrive than the one that it should follow: sources are not equally quick.
    pub slack: Option<Duration>,
}

impl Detection {
    /// True when it is about something that lasts. It then ends by itself, unless its alarm says what ends it.
    pub fn is_state(&self) -> bool {
        matches!(
            self.shape,
            Shape::Silence { .. } | Shape::Measure(_) | Shape::Standing { .. } | Shape::Members(_) | Shape::States(_)
        )
    }
}

/// How the parts of a condition belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Shape {
    /// An event of the only part.
    #[default]
    One,
    /// A number of events of the part.
    Count {
        n: usize,
        /// With the same number of different values of this field.
        distinct: Option<String>,
    },
    /// An event of each part, in this order.
    Sequence {
        /// After the first occurrence each further event of the last part is another.
        each: bool,
    },
    /// Events of each part, in any order.
    All {
        /// The number of events of each part.
        counts: Vec<usize>,
    },
    /// An event of the first part, and none of the second within the time after it.
    Without,
    /// An event of the first part, and none of the second within the time before it.
    NotPreceded,
    /// No event of the part for the time.
    Silence {
        /// How the time grows while the silence goes on.
        backoff: Option<Backoff>,
        /// The keys that are expected from the start: those of the inventory that the condition is about.
        expected: Vec<Vec<String>>,
    },
    /// An aggregate of the events of the part over the time.
    Measure(Measure),
    /// A number of members of a group are in this state at once.
    Members(Box<Counted>),
    /// A number of instances of this alarm are active at once, with these keys.
    Standing { n: usize, alarm: String },
    /// States of which all, or one, hold at once. Each has two parts: what begins it, and what ends it.
    States(Box<States>),
}

/// States that are joined with `and` or `or`.
#[derive(Clone, Debug, PartialEq)]
pub struct States {
    pub terms: Vec<Term>,
    /// True: all have to hold; false: one is enough.
    pub all: bool,
    /// The candidate keys of the inventory, sorted, if the condition may be true for a key that no active state has. `None`:
    /// only the keys of active states.
    pub candidates: Option<Vec<Vec<String>>>,
}

impl States {
    /// True when the condition holds while no state is active.
    pub fn at_rest(&self) -> bool {
        if self.all { self.terms.iter().all(|t| t.negated) } else { self.terms.iter().any(|t| t.negated) }
    }
}

/// One of several states that are joined.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The state that must hold, or, if negated, must not hold.
    pub what: StateHolds,
    /// True for `not`.
    pub negated: bool,
    /// True: the state holds for some values of the keys. False: it holds or does not hold for all of them.
    pub keyed: bool,
}

impl Term {
    /// The alarm that it is about.
    pub fn alarm(&self) -> Option<&str> {
        match &self.what {
            StateHolds::Any(MemberState::Active(alarm) | MemberState::Unacked(alarm), _)
            | StateHolds::Members(Counted { state: MemberState::Active(alarm) | MemberState::Unacked(alarm), .. }) => Some(alarm),
            _ => None,
        }
    }
}

/// When a state that is joined with others holds.
#[derive(Clone, Debug, PartialEq)]
pub enum StateHolds {
    /// For one of these hosts or applications; if the list is empty, for any that has the state.
    Any(MemberState, Vec<String>),
    /// For a number of members of a group.
    Members(Counted),
}

/// A count of members of groups in a state.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    pub state: MemberState,
    /// The field of an event that names the member.
    pub field: &'static str,
    /// The quantity as the rule writes it: two different quantities are not equal, even if no member exists.
    pub said: String,
    /// The groups: one, or each pair or site.
    pub groups: Vec<Members>,
}

/// A state that members of a group may be in.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberState {
    /// A host is lost.
    Lost,
    Stopped,
    /// This alarm is active for it.
    Active(String),
    /// This alarm is active, and nobody has acknowledged it.
    Unacked(String),
}

/// A group that a condition is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Members {
    /// The key: the pair or site; empty for a named group.
    pub key: Vec<String>,
    /// The names of its members, sorted.
    pub members: Vec<String>,
    /// The number of members that have to be in the state.
    pub n: usize,
}

impl Members {
    /// The index of a member in the group.
    pub fn place(&self, member: &str) -> Option<usize> {
        self.members.binary_search_by(|m| m.as_str().cmp(member)).ok()
    }

    /// True when the group has this member.
    pub fn has(&self, member: &str) -> bool {
        self.place(member).is_some()
    }
}

/// How the time of a silence grows: each occurrence waits `factor` times longer than the one before, up to `up_to` times the
/// first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "as said")]
pub struct Backoff {
    pub factor: u32,
    pub up_to: u32,
}

/// A measure of events over a window, and its comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    pub what: Aggregate,
    /// The measured field; `None` for a count and a rate.
    pub field: Option<String>,
    /// The comparison that has to be true.
    pub threshold: Threshold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Aggregate {
    Count,
    Rate,
    Sum,
    Average,
    Least,
    Most,
    /// The newest value of a metric.
    Last,
}

/// A comparison with a number, and for how long it must hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// How it is compared.
    pub comparison: Comparison,
    /// The number on the right side; durations in seconds, sizes in bytes.
    pub amount: f64,
    /// How long it must hold without a break.
    pub lasts: Option<Duration>,
}
