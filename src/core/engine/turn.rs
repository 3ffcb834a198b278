//! What goes into a turn of the engine and what comes out of it.

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

/// What the engine is told. Orders are the journal's numbers of inputs: strictly increasing.
#[derive(Clone, Debug)]
pub enum Input {
    /// An event that matches atoms, or is a claim ([`super::is_claim`]).
    Arrived {
        order: u64,
        /// Where it came from.
        source: String,
        event: Box<Event<'static>>,
        /// The atoms that it matches, in order.
        hits: Vec<Hit>,
        /// It was written while nobody listened.
        backlog: bool,
        /// When its bytes were read.
        arrived: Time,
        /// Why it may start nothing, when it came late.
        late: Option<Stale>,
    },
    /// How far the records of a sender are usually behind their arrival.
    Offset {
        order: u64,
        source: String,
        /// The host, as its records name it; empty where they name none.
        host: String,
        /// How far it is trusted.
        trust: Trust,
        /// The usual age of its records, in microseconds.
        usual: i64,
        /// How much of it is a zone that the stamps do not say and that was found for them.
        zone: i64,
    },
    /// An alarm is cleared by hand, of one key or of all.
    Clear {
        order: u64,
        alarm: String,
        key: Option<Key>,
        by: String,
    },
    /// Somebody acknowledges an alarm, of one key or of all.
    Ack {
        order: u64,
        alarm: String,
        key: Option<Key>,
        by: String,
        comment: Option<String>,
        /// How long; `None`: until the alarm ends.
        lasts: Option<Duration>,
    },
    /// An alarm is raised to be tried, as if by this application.
    Test {
        order: u64,
        alarm: String,
        app: Name,
        /// What else its event says.
        fields: Fields,
    },
    /// Somebody comments on an alarm, of one key or of all.
    Comment {
        order: u64,
        alarm: String,
        key: Option<Key>,
        by: String,
        text: String,
    },
    /// What was written while nobody listened has been read.
    BacklogEnded {
        order: u64,
        source: String,
    },
    /// A source can't be read, or can be again.
    Source {
        order: u64,
        source: String,
        away: bool,
    },
    /// A host is lost, or is not any more.
    Lost {
        order: u64,
        host: Name,
        lost: bool,
    },
    /// An application stopped, or does not count as stopped any more.
    App {
        order: u64,
        /// Which, by its name in the inventory.
        app: Name,
        stopped: bool,
        text: String,
    },
    /// A host was measured: what rules want of that.
    Metrics {
        order: u64,
        host: Name,
        values: Vec<MetricValue>,
    },
    Timer {
        order: u64,
    },
    /// Too many deadlines passed to go through them: those that are left come to pass now.
    Skipped {
        order: u64,
    },
}

impl Input {
    pub(super) fn order(&self) -> u64 {
        match self {
            Input::Arrived { order, .. }
            | Input::Offset { order, .. }
            | Input::Clear { order, .. }
            | Input::Ack { order, .. }
            | Input::Comment { order, .. }
            | Input::Test { order, .. }
            | Input::BacklogEnded { order, .. }
            | Input::Source { order, .. }
            | Input::Lost { order, .. }
            | Input::App { order, .. }
            | Input::Metrics { order, .. }
            | Input::Timer { order }
            | Input::Skipped { order } => *order,
        }
    }
}

/// Something that was measured of a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricValue {
    pub name: String,
    /// Of which mount point; empty where it is of none.
    pub mount: String,
    pub value: f64,
}

/// What the engine wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Record(Record),
    StartReactions(Box<StartReactions>),
    /// The claim of this order has to be carried out: by what rules start for it, or else by the controller.
    ClaimOwed(u64),
    /// A claim came too late to act, and stands: the host should have the pair's resource.
    CatchUp {
        pair: Name,
        resource: Name,
        host: Name,
        order: u64,
        /// When it was probably written; `None` of one out of a backlog.
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
    /// Why it was cleared, when these are its reactions to that.
    pub cleared: Option<Cause>,
    /// Chains of calls: chains start together, in order.
    pub chains: Vec<Vec<ReactionCall>>,
    /// What becomes of the calls.
    pub mode: Mode,
    pub summary: String,
    /// How often its condition was met.
    pub count: u64,
    /// When it was raised.
    pub raised_at: Time,
    /// Texts of the events that met its condition, when it keeps lines.
    pub lines: Vec<String>,
    /// The order of the input that caused it.
    pub order: u64,
    /// They are about the newest claim of a member of a pair, and `order` is its order.
    pub claim: bool,
    pub event: Arc<Fields>,
}
