//! The result of each clause of a condition for one event. [`super::matches`] reports it while it decides; nothing is
//! evaluated twice.

use crate::core::lang::expression::MatchProgress;

/// Receives the result of each clause. `()` receives nothing, and the compiler removes the code for it.
pub(super) trait ClauseTrace {
    /// True when all clauses of a condition are evaluated even if one failed.
    const ON: bool;

    /// One clause, in the order of the rule; `clause` is called only if the trace is on.
    fn clause(&mut self, holds: bool, clause: impl FnOnce() -> Clause);
}

impl ClauseTrace for () {
    const ON: bool = false;

    #[inline]
    fn clause(&mut self, _: bool, _: impl FnOnce() -> Clause) {}
}

impl ClauseTrace for Vec<Clause> {
    const ON: bool = true;

    fn clause(&mut self, holds: bool, clause: impl FnOnce() -> Clause) {
        let clause = clause();
        // A hint says what would make a clause hold.
        let whole = |c: Clause| Clause { holds: true, near: 100, hint: None, progress: None, ..c };
        self.push(if holds { whole(clause) } else { clause });
    }
}

/// The number of clauses of a condition that hold. It is enough to find the closest of many events cheaply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClauseCount {
    pub held: usize,
    pub failed: usize,
}

impl ClauseTrace for ClauseCount {
    const ON: bool = true;

    fn clause(&mut self, holds: bool, _: impl FnOnce() -> Clause) {
        *(if holds { &mut self.held } else { &mut self.failed }) += 1;
    }
}

/// The kind of a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClauseType {
    /// `event 00-04563`.
    Id,
    From,
    Match,
    /// A typed capture: its text cannot be read as its type.
    Capture,
    Where,
    /// `by peer as host`, and the event has no `peer`.
    Rename,
}

impl ClauseType {
    /// The word that introduces the clause in a rule, as messages show it.
    pub fn name(self) -> &'static str {
        match self {
            ClauseType::Id => "id",
            ClauseType::From => "from",
            ClauseType::Match => "match",
            ClauseType::Capture => "capture",
            ClauseType::Where => "where",
            ClauseType::Rename => "as",
        }
    }
}

/// One clause of a condition, and its result for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    pub kind: ClauseType,
    pub holds: bool,
    /// What the rule wants, as a rule would write it.
    pub wanted: String,
    /// What the event has instead; `None` when it has nothing of this kind.
    pub seen: Option<String>,
    /// How close the event is, from 0 (nothing in common) to 100 (it holds).
    pub near: u8,
    /// What would make it hold, if that is known.
    pub hint: Option<String>,
    /// For an expression that failed: how much of it matched.
    pub progress: Option<MatchProgress>,
}

impl Clause {
    /// A clause that holds.
    pub(super) fn holding(kind: ClauseType, wanted: String, seen: Option<String>) -> Clause {
        Clause { kind, holds: true, wanted, seen, near: 100, hint: None, progress: None }
    }
}
