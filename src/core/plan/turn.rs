//! What goes into a turn of the planner, and what comes out of it.

use crate::core::inventory::Name;
use crate::core::notice::Notice;
use crate::core::wire::{Command, Generation, Report};

use super::ledger::Record;

/// An input of the planner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Report(Report),
    /// An agent has a new connection. Reports are numbered anew, whatever numbers an earlier connection had.
    Connected(Name),
    /// An operator confirms that a host does not hold a resource and will not take it.
    Released {
        resource: Name,
        host: Name,
    },
    /// An operator ends flap damping.
    Resume {
        resource: Name,
    },
    Timer,
}

/// What the planner wants done. The sequence of outputs matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write this to the journal, and sync it before sending what follows.
    Record(Record),
    /// Send this command to a host's agent.
    Send(Name, Command),
    /// A step of a move, for the timeline.
    Step(MoveStep),
    /// Something that people should know.
    Notice(Notice),
    /// The agent of a host is lost (`true`) or connected (`false`). Reported if this may have changed since the last record in
    /// the journal.
    Lost(Name, bool),
    /// The resource is settled on this host: the desired owner holds it and no other host does. Reported once for each time.
    Settled(Name, Name),
}

/// A step of a move, for the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveStep {
    pub resource: Name,
    pub host: Name,
    /// `release` (commanded), `released` (confirmed), `take` (commanded) or `taken` (reported as held and announced).
    pub verb: &'static str,
    /// The generation of the command.
    pub generation: Generation,
}
