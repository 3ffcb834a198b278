//! How each clause of a condition went for one event. [`super::matches`] reports it while it decides; nothing evaluates a second time.

use crate::core::lang::expression::MatchProgress;

/// Receives how each clause went. `()` receives nothing, and the compiler leaves out what nobody receives.
pub(super) trait ClauseTrace {
    /// True when a condition is examined to its end although a clause failed.
    const ON: bool;

    /// One clause, in the order of the rule; `clause` is made only for who wants to see it.
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
        // Hints say what would make it hold.
        let whole = |c: Clause| Clause { holds: true, near: 100, hint: None, progress: None, ..c };
        self.push(if holds { whole(clause) } else { clause });
    }
}

/// How many clauses of a condition hold: enough to find the nearest of many events cheaply.
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

/// Which kind of clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClauseType {
    /// `event 00-04563`.
    Id,
    From,
    Match,
    /// A typed capture: its text does not read as what the expression says it is.
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

/// One clause of a condition, and how it went for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    pub kind: ClauseType,
    pub holds: bool,
    /// What the rule wants, as a rule would write it.
    pub wanted: String,
    /// What the event has instead; `None` when it has nothing of the kind.
    pub seen: Option<String>,
    /// How near it came, from 0 (nothing in common) to 100 (it holds).
    pub near: u8,
    /// What would make it hold, where that can be told.
    pub hint: Option<String>,
    /// Of an expression that failed: how far it matched.
    pub progress: Option<MatchProgress>,
}

impl Clause {
    /// A clause that holds.
    pub(super) fn holding(kind: ClauseType, wanted: String, seen: Option<String>) -> Clause {
        Clause { kind, holds: true, wanted, seen, near: 100, hint: None, progress: None }
    }
}
