//! The inputs of the controller: everything that reaches it from sources, agents, scripts, channels, operators and time.

use crate::core::base::time::Time;
use crate::core::event::{Event, Stale, Trust};
use crate::core::inventory::Name;
use crate::core::journal::Position;
use crate::core::lang::program::Hit;
use crate::core::notifications::Undelivered;
use crate::core::react::RunId;
use crate::core::script::{Next, StepResult};
use crate::core::wire::Report;

use super::{NewSite, OperatorCommand};

/// A record of a log that a rule wants, or that is a claim.
#[derive(Clone, Debug, Default)]
pub struct LogEvent {
    pub source: String,
    /// Where the source continues to be read after this event.
    pub position: Position,
    pub event: Event<'static>,
    /// The conditions that the event matches.
    pub hits: Vec<Hit>,
    /// The number of the rules that these conditions belong to. If the controller has other rules, it finds the conditions again.
    pub rules: u64,
    /// The event comes from a backlog: it was written while the controller did not listen.
    pub backlog: bool,
    /// When the source read its bytes; `None` means now. The time that it waits for the controller after that does not make it
    /// late.
    pub arrived: Option<Time>,
    /// Why the event may start nothing: it arrived late.
    pub late: Option<Stale>,
}

impl LogEvent {
    /// The memory that the event takes, in bytes, roughly.
    pub fn weight(&self) -> usize {
        let captures =
            |hit: &Hit| hit.captures.iter().map(|(name, value)| size_of::<String>() + name.len() + value.weight()).sum::<usize>();
        let hits: usize = self.hits.iter().map(|hit| size_of::<Hit>() + captures(hit)).sum();
        size_of::<Self>() + self.event.weight() + hits
    }
}

/// An input of the controller.
#[derive(Clone, Debug)]
pub enum Input {
    /// A record of a log that a rule wants, or that is a claim.
    Event(Box<LogEvent>),
    /// A source was read up to here, and no rule wants anything of that part.
    Position {
        source: String,
        /// Where it continues to be read.
        position: Position,
    },
    /// A file of a pattern is gone, and will not be read any more.
    Forget {
        source: String,
    },
    /// The backlog of a source has been read. Reported once after each start, even if there was no backlog.
    BacklogEnded {
        source: String,
    },
    /// A source can't be read, or can be read again.
    Source {
        source: String,
        away: Option<String>,
    },
    /// Records of a source may be lost.
    Gap {
        source: String,
        /// Which records, why, and what to do.
        text: String,
    },
    /// How far the records of a sender are usually behind their arrival.
    Offset {
        source: String,
        /// The host, as its records name it; empty if they name none.
        host: String,
        /// How far the sender is trusted.
        trust: Trust,
        /// The usual age of its records, in microseconds; negative if they are ahead.
        usual: i64,
        /// The part of it that is a time zone, which the stamps do not contain and which was found for them.
        zone: i64,
    },
    Report(Report),
    /// An agent has a new connection. Everything that it reported by an earlier connection has arrived.
    Connected(Name),
    /// The next step of a script, requested by [`Output::Evaluate`].
    Evaluated {
        run: RunId,
        next: Next,
    },
    /// The result of an effect, requested by [`Output::Do`].
    Done {
        run: RunId,
        /// The number of the step.
        n: u32,
        attempt: u32,
        result: StepResult,
    },
    /// The result of an attempt to deliver a notification, requested by [`Output::Deliver`].
    Delivered {
        channel: Name,
        /// The number of the notification.
        id: u64,
        attempt: u32,
        result: Result<(), Undelivered>,
    },
    Operator {
        /// Who the operator is, as far as that is known.
        by: String,
        command: OperatorCommand,
    },
    /// Somebody asked for something that the configuration does not allow.
    Refused {
        /// Who the operator is, as far as that is known.
        by: String,
        /// The command, as on the command line.
        command: String,
        /// Why it was refused.
        why: String,
    },
    /// Another configuration, other rules and scripts, which were checked as a whole.
    Reload(Box<NewSite>),
    Timer,
}
