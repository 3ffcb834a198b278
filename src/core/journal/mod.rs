//! The journal: decisions as records in one sequence, and the fold over them from which all state is rebuilt.
//!
//! Nothing here decides: [`State::apply`] is all that a restart does with the past. A record is one JSON object on one line
//! ([`Record::line`], [`Record::read`]). The shell writes lines to disk and syncs them.
//!
//! Invariant: the state of the engine, of the runs and of the planner changes only by records in the journal. So the state after
//! a crash between any two records is a prefix of the journal, and what was not synced had no effect yet. Tests:
//! `tests/it/control.rs`; the simulator loses unsynced records at every point.

mod config_snapshot;
mod filter;
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
pub use filter::HistoryFilter;
pub use history::{HISTORY_KINDS, History, HistoryEntry, SILENCED};

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// An input that may have consequences. The records up to the next input are its consequences.
    Input {
        /// The sequence of the input, which all of its consequences carry.
        #[serde(rename = "order")]
        sequence: u64,
        /// When it arrived, in the engine's time.
        at: Time,
        input: Input,
    },
    Alarm(engine::Record),
    Run(react::Record),
    Plan(plan::Record),
    /// A change of overrides: pauses, silences, maintenance, drains.
    Override(overrides::Record),
    /// A decision about notifications, or the result of a delivery.
    Notify(notifications::Record),
    /// Something that people were notified of. It changes no state and is only there to be read.
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
    /// Bytes of the file, or the number of records for a source that is no file.
    pub at: u64,
    /// The identity of the file beyond its name (the inode); 0 for a source that is no file.
    #[serde(default)]
    pub file: u64,
    /// The check sum of the last bytes before the position. It tells apart files with the same number.
    #[serde(default)]
    pub check: u32,
    /// The check sum of the beginning of the file, as far as it was read; 0 if unknown.
    #[serde(default)]
    pub head: u32,
    /// When the source was read up to there: rotated files that were written later were not read yet.
    #[serde(default)]
    pub read_at: Time,
}

impl Position {
    /// True if both are the same place of the same file, whenever it was read.
    pub fn is_same_place(&self, other: &Position) -> bool {
        (self.at, self.file, self.check) == (other.at, other.file, other.check)
    }
}

/// An input of the controller, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A record of a log, up to this position of its source.
    Event {
        source: String,
        /// Where reading of the source continues.
        position: Position,
        event: Box<Event<'static>>,
    },
    /// A source was read up to here, and no rule wants anything of that part.
    Position {
        source: String,
        /// Where reading of the source continues.
        position: Position,
    },
    /// A file that was followed is gone, and will not be read any more.
    Forget {
        source: String,
    },
    /// The backlog of a source has been read.
    BacklogEnded {
        source: String,
    },
    /// A source can't be read, or can be read again.
    Source {
        source: String,
        away: Option<String>,
    },
    /// The usual age of a sender's records was learned.
    Offset {
        source: String,
    },
    Start,
    /// Deadlines passed. In journals of earlier versions this also stands for [`Input::HostLost`], [`Input::HostBack`],
    /// [`Input::Application`] and [`Input::Metrics`].
    Timer,
    /// The agent of a host is lost.
    HostLost {
        host: Name,
    },
    /// The agent of a host is connected again.
    #[serde(rename = "host_heard")]
    HostBack {
        host: Name,
    },
    /// An agent reported that an application stopped, or runs again.
    Application {
        /// The application, by its name in the inventory.
        app: Name,
        host: Name,
        stopped: bool,
    },
    /// An agent reported metrics that rules use.
    Metrics {
        host: Name,
        /// The metrics, each with its value.
        values: Vec<engine::MetricValue>,
    },
    /// A command of an operator, in journals of earlier versions.
    Operator(String),
    /// A command of an operator.
    OperatorCommand {
        by: String,
        /// Its name, as on the command line.
        command: String,
        /// Its arguments, by their names.
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
    /// The journal lacks its newest records, or may lack them.
    JournalDoubted {
        reason: String,
        /// True if it certainly lacks records: an agent reported newer ones.
        behind: bool,
    },
    /// Every agent has reported, and none has a newer generation than the journal.
    JournalTrusted,
    /// An operator continues without the missing records.
    LossAccepted {
        by: String,
        /// Why that is right.
        reason: String,
        /// The number of missing records, as far as it is known.
        missing: u64,
    },
    /// The wall clock was set, or found to be set. What was due remains due after the same time.
    ClockChanged {
        /// The change in microseconds; negative if the clock was set back.
        by: i64,
    },
    /// This configuration, these rules and scripts were accepted. The input's sequence is their number. They are in the journal
    /// so that a start can run them if the files are bad by then.
    Accepted(Arc<ConfigSnapshot>),
}

/// The state that survives a restart: the fold of all records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    #[serde(rename = "order")]
    pub sequence: u64,
    /// The latest time in the journal. Time never goes back behind it.
    pub newest: Option<Time>,
    /// Where each source continues to be read.
    pub positions: BTreeMap<String, Position>,
    pub alarms: engine::State,
    pub runs: react::State,
    pub ledger: plan::Ledger,
    /// The overrides in force.
    #[serde(default, skip_serializing_if = "overrides::State::is_empty")]
    pub overrides: overrides::State,
    /// The state of notifications, with those that were not delivered yet.
    #[serde(default, skip_serializing_if = "notifications::State::is_empty")]
    pub notify: notifications::State,
    /// Accepted sites by number: the newest, and earlier ones while runs that began with them last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accepted: BTreeMap<u64, Arc<ConfigSnapshot>>,
    /// Why the journal must not be acted on as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
}

/// The journal lacks its newest records, or may lack them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    pub reason: String,
    pub kind: DoubtKind,
}

/// What is known of a journal that may lack its newest records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtKind {
    /// It may lack records. It is trusted again when every agent has reported and none has a newer generation.
    Unproven,
    /// It does lack records, because an agent reported newer ones. An operator has to accept that.
    Behind,
    /// It does lack records, and an operator accepted that. What agents know beyond it is learned.
    Accepted,
}

impl DoubtKind {
    /// True if no command is sent to hosts.
    pub fn stops_commands(self) -> bool {
        match self {
            DoubtKind::Unproven | DoubtKind::Behind => true,
            DoubtKind::Accepted => false,
        }
    }
}

impl State {
    /// Applies one record. This is the only way in which the state changes.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Input { sequence, at, input } => {
                self.sequence = *sequence;
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
                        self.accepted.insert(*sequence, written.clone());
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
                    | Input::HostBack { .. }
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

    /// Moves every time in the state by this many microseconds.
    fn move_times(&mut self, micros: i64) {
        // This does not fail: a state that can be written as a snapshot can be moved.
        if let Ok(moved) = shift::moved(&*self, micros) {
            *self = moved;
        }
    }

    /// Applies only a part of a record: the sequence of the input, its time, and how far a source was read.
    pub fn apply_position(&mut self, record: &Record) {
        let Record::Input { sequence, at, input } = record else { return };
        self.sequence = *sequence;
        self.newest = if matches!(input, Input::ClockChanged { .. }) { Some(*at) } else { self.newest.max(Some(*at)) };
        if let Input::Event { source, position, .. } | Input::Position { source, position } = input {
            self.positions.insert(source.clone(), *position);
        }
    }

    /// The site that was accepted last, with its number; `None` if none was ever accepted.
    pub fn newest_accepted(&self) -> Option<(u64, &Arc<ConfigSnapshot>)> {
        self.accepted.last_key_value().map(|(number, written)| (*number, written))
    }

    /// Forgets earlier sites that no run needs any more. It does so with the next input, because one run of a chain ends before
    /// the next one begins.
    fn forget_earlier(&mut self) {
        let Some((newest, _)) = self.newest_accepted().filter(|_| self.accepted.len() > 1) else { return };
        let runs = &self.runs;
        self.accepted.retain(|number, _| *number == newest || runs.needs(*number));
    }

    /// The fold over all of the records.
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
    /// A number in it can't be written as JSON (not a number, or infinite).
    pub fn line(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Reads a line of the journal.
    ///
    /// # Errors
    /// The line is not a record of this version, for example a last line that a crash has cut.
    pub fn read(line: &str) -> Result<Record, serde_json::Error> {
        serde_json::from_str(line)
    }

    /// Refuses a record that is well-formed and can't be true.
    ///
    /// # Errors
    /// A text that says what is not credible.
    pub fn credible(&self) -> Result<(), String> {
        match self {
            Record::Plan(plan::Record::Epoch { epoch }) if *epoch > EPOCH_MOST => {
                Err(format!("epoch {epoch}, where one is used for each start of a controller"))
            }
            _ => Ok(()),
        }
    }
}
