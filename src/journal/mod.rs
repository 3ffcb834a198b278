//! The journal: what was decided, as records in one order, and the fold over them from which everything is rebuilt.
//!
//! Nothing here decides: [`State::apply`] is all that a restart does with the past. A record is one JSON object on one
//! line ([`Record::line`], [`Record::read`]); how lines reach a disk, synced, is the shell's affair.
//!
//! Invariant: the state of the engine, of the runs and of the planner changes only by records that stand here, so a crash
//! between any two of them is a prefix of the journal, and what was not synced was not yet acted on.
//! Tests: `tests/it/control.rs`; the simulator loses unsynced records at every point.

mod written;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::time::Time;
use crate::event::Event;
use crate::{engine, plan, react};

pub use written::{Text, Written};

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// An input that something may come of; what follows up to the next one came of it.
    Input {
        /// The number of the input: the order of everything that it causes.
        order: u64,
        /// When it arrived, in the engine's time.
        at: Time,
        /// What it was.
        input: Input,
    },
    /// The engine's decision.
    Alarm(engine::Record),
    /// A run's step.
    Run(react::Record),
    /// The planner's decision.
    Plan(plan::Record),
}

/// How far a source was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Bytes of the file, or records of a source that is no file.
    pub at: u64,
    /// Which file it was, by what its name does not say (the inode); 0 for what is no file.
    #[serde(default)]
    pub file: u64,
    /// The check sum of the last bytes before, by which another file of the same number is told.
    #[serde(default)]
    pub check: u32,
    /// The check sum of the beginning of the file, of what was read of it; 0 where that is not known.
    #[serde(default)]
    pub head: u32,
    /// When it was read up to there: rotated files that were written later were not read.
    #[serde(default)]
    pub read_at: Time,
}

impl Position {
    /// True when both are one place of one file, whenever it was read.
    pub fn is_same_place(&self, other: &Position) -> bool {
        (self.at, self.file, self.check) == (other.at, other.file, other.check)
    }
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A record of a log, up to this position of its source.
    Event {
        /// Which source.
        source: String,
        /// Where reading goes on.
        position: Position,
        /// The record.
        event: Box<Event<'static>>,
    },
    /// A source was read up to here, and nothing that any rule wants was in it.
    Position {
        /// Which source.
        source: String,
        /// Where reading goes on.
        position: Position,
    },
    /// A file that was followed is gone, and will not be read on.
    Forget {
        /// Which source.
        source: String,
    },
    /// What a source had kept while nobody listened has been read.
    BacklogEnded {
        /// Which source.
        source: String,
    },
    /// A source can't be read, or can be again.
    Source {
        /// Which source.
        source: String,
        /// Why it can't.
        away: Option<String>,
    },
    /// The usual age of a sender's records was learned.
    Offset {
        /// Of which source.
        source: String,
    },
    /// The controller started.
    Start,
    /// Deadlines passed.
    Timer,
    /// An operator said something, as shown.
    Operator(String),
    /// This configuration, these rules and scripts were accepted; the input's order is their number. They stand here so that a
    /// start can run them when the files are bad by then.
    Accepted(Arc<Written>),
}

/// Everything that survives: the fold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The newest order.
    pub order: u64,
    /// The latest time that stands in the journal: time never goes back behind it.
    pub newest: Option<Time>,
    /// Where each source is read on.
    pub positions: BTreeMap<String, Position>,
    /// Alarms.
    pub alarms: engine::State,
    /// Runs.
    pub runs: react::State,
    /// Resources.
    pub ledger: plan::Ledger,
    /// What was accepted, by number: the newest, and earlier ones while runs that were bound by them last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accepted: BTreeMap<u64, Arc<Written>>,
}

impl State {
    /// Applies one record.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Input { order, at, input } => {
                self.order = *order;
                self.newest = self.newest.max(Some(*at));
                match input {
                    Input::Event { source, position, .. } | Input::Position { source, position } => {
                        self.positions.insert(source.clone(), *position);
                    }
                    Input::Forget { source } => {
                        self.positions.remove(source);
                    }
                    Input::Accepted(written) => {
                        self.accepted.insert(*order, written.clone());
                    }
                    _ => {}
                }
                self.forget_earlier();
            }
            Record::Alarm(record) => self.alarms.apply(record),
            Record::Run(record) => self.runs.apply(record),
            Record::Plan(record) => self.ledger.apply(record),
        }
    }

    /// What was accepted last, with its number; `None` before anything was.
    pub fn newest_accepted(&self) -> Option<(u64, &Arc<Written>)> {
        self.accepted.last_key_value().map(|(number, written)| (*number, written))
    }

    /// Earlier sets that no run needs any more are forgotten: with the next input, for one run of a chain ends before the next
    /// is wanted.
    fn forget_earlier(&mut self) {
        let Some((newest, _)) = self.newest_accepted().filter(|_| self.accepted.len() > 1) else { return };
        let runs = &self.runs;
        self.accepted.retain(|number, _| *number == newest || runs.needs(*number));
    }

    /// The fold over all of them.
    pub fn fold<'a>(records: impl IntoIterator<Item = &'a Record>) -> State {
        let mut state = State::default();
        for record in records {
            state.apply(record);
        }
        state
    }
}

impl Record {
    /// The record as one line of JSON.
    ///
    /// # Errors
    /// When a number in it can't be written as JSON (not a number, or infinite).
    pub fn line(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Reads a line back.
    ///
    /// # Errors
    /// When the line is not a record of this version; a last line that was cut by a crash is one of these.
    pub fn read(line: &str) -> Result<Record, serde_json::Error> {
        serde_json::from_str(line)
    }
}
