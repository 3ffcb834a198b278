//! The journal: what was decided, as records in one order, and the fold over them from which everything is rebuilt.
//!
//! Nothing here decides: [`State::apply`] is all that a restart does with the past. A record is one JSON object on one
//! line ([`Record::line`], [`Record::read`]); how lines reach a disk, synced, is the shell's affair.
//!
//! Invariant: the state of the engine, of the runs and of the planner changes only by records that stand here, so a crash
//! between any two of them is a prefix of the journal, and what was not synced was not yet acted on.
//! Tests: `tests/it/control.rs`; the simulator loses unsynced records at every point.

mod config_snapshot;
mod history;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::core::base::limits::EPOCH_MOST;
use crate::core::base::shift;
use crate::core::base::time::Time;
use crate::core::event::Event;
use crate::core::inventory::Name;
use crate::{core::engine, core::notifications, core::overrides, core::plan, core::react};

pub use config_snapshot::{ConfigSnapshot, FileText};
pub use history::{History, HistoryEntry, SILENCED};

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
        input: Input,
    },
    Alarm(engine::Record),
    Run(react::Record),
    Plan(plan::Record),
    /// What operators set aside: pauses, silences, maintenance, drains.
    Override(overrides::Record),
    /// What is told by channels, and what was delivered.
    Notify(notifications::Record),
    /// Something that people were notified of. Nothing is folded from it: it is there to be read.
    Notice(NoticeRecord),
}

/// Something that people were notified of, as it is read later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeRecord {
    pub at: Time,
    /// A stable word; `step` for a step of a move.
    pub kind: String,
    /// What happened, and what to do.
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<react::RunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaction: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<Name>,
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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A record of a log, up to this position of its source.
    Event {
        source: String,
        /// Where reading goes on.
        position: Position,
        event: Box<Event<'static>>,
    },
    /// A source was read up to here, and nothing that any rule wants was in it.
    Position {
        source: String,
        /// Where reading goes on.
        position: Position,
    },
    /// A file that was followed is gone, and will not be read on.
    Forget {
        source: String,
    },
    /// What a source had kept while nobody listened has been read.
    BacklogEnded {
        source: String,
    },
    /// A source can't be read, or can be again.
    Source {
        source: String,
        away: Option<String>,
    },
    /// The usual age of a sender's records was learned.
    Offset {
        source: String,
    },
    Start,
    /// Deadlines passed. In journals of earlier versions also what [`Input::HostLost`], [`Input::HostHeard`], [`Input::Application`] and
    /// [`Input::Metrics`] are now.
    Timer,
    /// Nothing is heard of a host's agent any more.
    HostLost {
        host: Name,
    },
    /// A host's agent is heard again.
    HostHeard {
        host: Name,
    },
    /// An agent reported that an application stopped, or runs again.
    Application {
        /// Which application, by its name in the inventory.
        app: Name,
        host: Name,
        stopped: bool,
    },
    /// An agent reported metrics that rules are about.
    Metrics {
        host: Name,
        /// Each with its value.
        values: Vec<engine::MetricValue>,
    },
    /// What an operator asked for, as journals of earlier versions have it.
    Operator(String),
    /// What an operator asked for.
    OperatorCommand {
        by: String,
        /// Its name, as on the command line.
        command: String,
        /// What it names, by what it is.
        #[serde(flatten)]
        of: BTreeMap<String, String>,
    },
    /// Somebody asked for something that the configuration does not allow.
    CommandRefused {
        by: String,
        /// Its name, as on the command line.
        command: String,
        /// Why it was refused.
        why: String,
    },
    /// The journal may lack its newest records, or does.
    JournalDoubted {
        reason: String,
        /// It does: somebody knows of more.
        behind: bool,
    },
    /// Every agent reported, and none knows more than the journal.
    JournalTrusted,
    /// An operator goes on without the records that are missing.
    LossAccepted {
        by: String,
        /// Why that is right.
        reason: String,
        /// How many records are known to be missing.
        missing: u64,
    },
    /// The wall clock was set, or found to be set: what was due stays due after the same time.
    ClockChanged {
        /// By so many microseconds; back when it is negative.
        by: i64,
    },
    /// This configuration, these rules and scripts were accepted; the input's order is their number. They stand here so that a
    /// start can run them when the files are bad by then.
    Accepted(Arc<ConfigSnapshot>),
}

/// Everything that survives: the fold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub order: u64,
    /// The latest time that stands in the journal: time never goes back behind it.
    pub newest: Option<Time>,
    /// Where each source is read on.
    pub positions: BTreeMap<String, Position>,
    pub alarms: engine::State,
    pub runs: react::State,
    pub ledger: plan::Ledger,
    /// What operators set aside.
    #[serde(default, skip_serializing_if = "overrides::State::is_empty")]
    pub overrides: overrides::State,
    /// What people are told by channels, and what was not delivered yet.
    #[serde(default, skip_serializing_if = "notifications::State::is_empty")]
    pub notify: notifications::State,
    /// What was accepted, by number: the newest, and earlier ones while runs that were bound by them last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accepted: BTreeMap<u64, Arc<ConfigSnapshot>>,
    /// Why the journal is not to be acted on as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
}

/// The journal may lack its newest records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    pub reason: String,
    pub kind: DoubtKind,
}

/// What is known of a journal that may lack its newest records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtKind {
    /// It may lack records. It is trusted again once every agent has reported and none knows more.
    Unproven,
    /// It does lack records: somebody knows of more. An operator has to accept that.
    Behind,
    /// It does, and an operator accepted it: what agents know beyond it is learned.
    Accepted,
}

impl DoubtKind {
    /// True when nothing is sent to hosts.
    pub fn holds(self) -> bool {
        match self {
            DoubtKind::Unproven | DoubtKind::Behind => true,
            DoubtKind::Accepted => false,
        }
    }
}

impl State {
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Input { order, at, input } => {
                self.order = *order;
                self.newest = self.newest.max(Some(*at));
                match input {
                    Input::ClockChanged { by } => {
                        self.move_times(*by);
                        self.newest = Some(*at);
                    }
                    Input::Event { source, position, .. } | Input::Position { source, position } => {
                        self.positions.insert(source.clone(), *position);
                    }
                    Input::Forget { source } => {
                        self.positions.remove(source);
                    }
                    Input::Accepted(written) => {
                        self.accepted.insert(*order, written.clone());
                    }
                    Input::JournalDoubted { reason, behind } => {
                        let kind = if *behind { DoubtKind::Behind } else { DoubtKind::Unproven };
                        self.doubt = Some(Doubt { reason: reason.clone(), kind });
                    }
                    Input::JournalTrusted => self.doubt = None,
                    Input::LossAccepted { reason, .. } => {
                        self.doubt = Some(Doubt { reason: reason.clone(), kind: DoubtKind::Accepted });
                    }
                    Input::BacklogEnded { .. }
                    | Input::Source { .. }
                    | Input::Offset { .. }
                    | Input::Start
                    | Input::Timer
                    | Input::HostLost { .. }
                    | Input::HostHeard { .. }
                    | Input::Application { .. }
                    | Input::Metrics { .. }
                    | Input::Operator(_)
                    | Input::CommandRefused { .. }
                    | Input::OperatorCommand { .. } => {}
                }
                self.forget_earlier();
            }
            Record::Alarm(record) => self.alarms.apply(record),
            Record::Run(record) => self.runs.apply(record),
            Record::Plan(record) => self.ledger.apply(record),
            Record::Override(record) => self.overrides.apply(record),
            Record::Notify(record) => self.notify.apply(record),
            Record::Notice(_) => {}
        }
    }

    /// Everything that has a time is that much later.
    fn move_times(&mut self, micros: i64) {
        // What was read from JSON, or will be written as such, can be: every snapshot is that.
        if let Ok(moved) = shift::moved(&*self, micros) {
            *self = moved;
        }
    }

    /// Applies of a record only the number of the input, its time, and how far a source was read.
    pub fn apply_position(&mut self, record: &Record) {
        let Record::Input { order, at, input } = record else { return };
        self.order = *order;
        self.newest = if matches!(input, Input::ClockChanged { .. }) { Some(*at) } else { self.newest.max(Some(*at)) };
        if let Input::Event { source, position, .. } | Input::Position { source, position } = input {
            self.positions.insert(source.clone(), *position);
        }
    }

    /// What was accepted last, with its number; `None` before anything was.
    pub fn newest_accepted(&self) -> Option<(u64, &Arc<ConfigSnapshot>)> {
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

    /// Refuses what is written as it should be and can't be true.
    ///
    /// # Errors
    /// In words, what is not credible.
    pub fn credible(&self) -> Result<(), String> {
        match self {
            Record::Plan(plan::Record::Epoch { epoch }) if *epoch > EPOCH_MOST => {
                Err(format!("epoch {epoch}, where one is used for each start of a controller"))
            }
            _ => Ok(()),
        }
    }
}
