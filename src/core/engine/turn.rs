//! The input and the output of a turn of the engine.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::time::Time;
use crate::core::event::{Event, Stale, Trust};
use crate::core::inventory::Name;
use crate::core::lang::program::{Category, Hit, Mode, ReactionCall};

use super::key::Key;
use super::record::{Cause, Fields, Record};
use crate::core::notice::Notice;

/// An input of the engine. `sequence` is its sequence in the journal and strictly increases.
#[derive(Clone, Debug)]
pub enum Input {
    /// An event that matches atoms, or is a claim ([`super::is_claim`]).
    Arrived {
        sequence: u64,
        /// The source of the event.
        source: String,
        event: Box<Event<'static>>,
        /// The atoms that it matches, in order.
        hits: Vec<Hit>,
        /// It was written while the controller did not listen.
        backlog: bool,
        /// When its bytes were read.
        arrived: Time,
        /// Why it may start nothing, if it was late.
        late: Option<Stale>,
    },
    /// How far the records of a sender are usually behind their arrival.
    Offset {
        sequence: u64,
        source: String,
        /// The host, as its records name it; empty if they name none.
        host: String,
        /// The trust of the sender.
        trust: Trust,
        /// The usual age of its records, in microseconds.
        usual: i64,
        /// The part of it that is a time zone which the time stamps do not state and which was inferred.
        zone: i64,
    },
    /// An operator clears an alarm, for one key or for all.
    Clear {
        sequence: u64,
        alarm: String,
        key: Option<Key>,
        by: String,
    },
    /// Somebody acknowledges an alarm, for one key or for all.
    Ack {
        sequence: u64,
        alarm: String,
        key: Option<Key>,
        by: String,
        comment: Option<String>,
        /// How long it lasts; `None`: until the alarm ends.
        lasts: Option<Duration>,
    },
    /// An operator raises a test alarm, as if this application had caused it.
    Test {
        sequence: u64,
        alarm: String,
        app: Name,
        /// Additional fields of its event.
        fields: Fields,
    },
    /// Somebody comments on an alarm, for one key or for all.
    Comment {
        sequence: u64,
        alarm: String,
        key: Option<Key>,
        by: String,
        text: String,
    },
    /// The backlog of a source has been read.
    BacklogEnded {
        sequence: u64,
        source: String,
    },
    /// A source became unreadable, or readable again.
    Source {
        sequence: u64,
        source: String,
        away: bool,
    },
    /// A host is lost, or is no longer lost.
    Lost {
        sequence: u64,
        host: Name,
        lost: bool,
    },
    /// An application stopped, or no longer counts as stopped.
    App {
        sequence: u64,
        /// The name of the application in the inventory.
        app: Name,
        stopped: bool,
        text: String,
    },
    /// Metrics of a host that rules use.
    Metrics {
        sequence: u64,
        host: Name,
        values: Vec<MetricValue>,
    },
    Timer {
        sequence: u64,
    },
    /// Too many deadlines passed to handle each at its own time: the rest is handled now.
    Skipped {
        sequence: u64,
    },
}

impl Input {
    pub(super) fn sequence(&self) -> u64 {
        match self {
            Input::Arrived { sequence, .. }
            | Input::Offset { sequence, .. }
            | Input::Clear { sequence, .. }
            | Input::Ack { sequence, .. }
            | Input::Comment { sequence, .. }
            | Input::Test { sequence, .. }
            | Input::BacklogEnded { sequence, .. }
            | Input::Source { sequence, .. }
            | Input::Lost { sequence, .. }
            | Input::App { sequence, .. }
            | Input::Metrics { sequence, .. }
            | Input::Timer { sequence }
            | Input::Skipped { sequence } => *sequence,
        }
    }
}

/// A metric that was measured on a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricValue {
    pub name: String,
    /// The mount point; empty if it has none.
    pub mount: String,
    pub value: f64,
}

/// An output of the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Record(Record),
    StartReactions(Box<StartReactions>),
    /// The claim with this sequence is open: it has to be carried out, by reactions that rules start or else by the controller.
    ClaimOpened(u64),
    /// A claim came too late to start reactions and counts: the host should have the pair's resource.
    CatchUp {
        pair: Name,
        resource: Name,
        host: Name,
        sequence: u64,
        /// When it was probably written; `None` for a claim out of a backlog.
        written: Option<Time>,
    },
    /// Something that people should know.
    Notice(Notice),
}

/// Reactions that an alarm starts.
#[derive(Clone, Debug, PartialEq)]
pub struct StartReactions {
    pub alarm: String,
    pub key: Key,
    pub category: Category,
    /// Why it was cleared, if these are the reactions to its end.
    pub cleared: Option<Cause>,
    /// Chains of calls. The chains start together; the calls of a chain run in order.
    pub chains: Vec<Vec<ReactionCall>>,
    /// How the calls are carried out.
    pub mode: Mode,
    pub summary: String,
    /// How often its condition fired.
    pub count: u64,
    /// When it was raised.
    pub raised_at: Time,
    /// Texts of the events for which its condition fired, if it keeps lines.
    pub lines: Vec<String>,
    /// The sequence of the input that caused it.
    pub sequence: u64,
    /// They are about the newest claim of a member of a pair, and `sequence` is the sequence of that claim.
    pub claim: bool,
    pub event: Arc<Fields>,
}
