//! The commands of operators, and how the controller carries them out.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::engine;
use crate::core::inventory::Name;
use crate::core::journal;
use crate::core::notice::{Kind, Notice};
use crate::core::overrides::Override;
use crate::core::plan::{self, Accepted, Intent, IntentVerb};
use crate::core::react::{self, RunId};

use super::{Controller, Output, Task};

/// A command of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorCommand {
    /// Move the resource to the host.
    Move {
        resource: Name,
        host: Name,
    },
    /// Confirm that the host certainly does not hold the resource.
    Released {
        resource: Name,
        host: Name,
    },
    Resume {
        resource: Name,
    },
    /// Clear an alarm, for one key or for all keys.
    Clear {
        alarm: String,
        /// The key, as shown.
        key: Option<String>,
        /// The reason, if one was given.
        reason: Option<String>,
    },
    /// Acknowledge an alarm, for one key or for all keys.
    Ack {
        alarm: String,
        /// The key, as shown.
        key: Option<String>,
        by: String,
        comment: Option<String>,
        /// How long; `None` means until the alarm ends.
        lasts: Option<Duration>,
    },
    /// Write a comment on an alarm, for one key or for all keys.
    Comment {
        alarm: String,
        /// The key, as shown.
        key: Option<String>,
        text: String,
    },
    /// Raise an alarm as a test, as if by this application. Everything that follows is done, and marked as a test.
    Test {
        alarm: String,
        app: Name,
        /// Further fields of its event.
        fields: BTreeMap<String, String>,
    },
    /// End this run at once.
    Cancel {
        run: RunId,
    },
    /// Start a failed run again.
    Retry {
        run: RunId,
    },
    /// Approve a run that waits for approval.
    Approve {
        run: RunId,
    },
    /// Send a test notification by a channel.
    TestChannel {
        channel: Name,
    },
    /// Continue without the records that the journal lost.
    AcceptLoss {
        /// Why that is right.
        reason: String,
    },
    /// Begin a pause, a silence, maintenance or a drain.
    Begin {
        what: Override,
        /// How long; `None` means until a command ends it.
        lasts: Option<Duration>,
        reason: String,
    },
    /// End a pause, a silence, maintenance or a drain.
    End {
        what: Override,
    },
}

impl Controller {
    /// Carries out a command of an operator.
    pub(super) fn operator(&mut self, now: Time, by: &str, command: OperatorCommand, out: &mut Vec<Output>) {
        let (name, of) = command.recorded();
        let kept = journal::Input::OperatorCommand { by: by.to_owned(), command: name.to_owned(), of };
        let sequence = self.input(now, kept, out);
        let mut tasks = VecDeque::new();
        match command {
            OperatorCommand::Move { resource, host } => {
                let (verb, at) = (IntentVerb::Up, Some(now));
                let intent = Intent { resource: resource.clone(), verb, host: host.clone(), sequence, operator: true, at };
                if self.intend(now, intent, &mut tasks, out) == Accepted::Unknown {
                    let text = format!("{resource} has no placement on {host}; see `pointsman resources`");
                    out.push(Output::Notice(Notice::new(Kind::Unknown, text)));
                }
            }
            OperatorCommand::Released { resource, host } => return self.plan(now, plan::Input::Released { resource, host }, out),
            OperatorCommand::Resume { resource } => return self.plan(now, plan::Input::Resume { resource }, out),
            OperatorCommand::Clear { alarm, key, reason } => {
                let key = self.shown(&alarm, key);
                let by = reason.map_or(by.to_owned(), |reason| format!("{by}: {reason}"));
                tasks.push_back(Task::Engine(engine::Input::Clear { sequence, alarm, key, by }));
            }
            OperatorCommand::Ack { alarm, key, by, comment, lasts } => {
                let key = self.shown(&alarm, key);
                tasks.push_back(Task::Engine(engine::Input::Ack { sequence, alarm, key, by, comment, lasts }));
            }
            OperatorCommand::Comment { alarm, key, text } => {
                let key = self.shown(&alarm, key);
                tasks.push_back(Task::Engine(engine::Input::Comment { sequence, alarm, key, by: by.to_owned(), text }));
            }
            OperatorCommand::Test { alarm, app, fields } => {
                let fields = test_fields(&fields);
                tasks.push_back(Task::Engine(engine::Input::Test { sequence, alarm, app, fields }));
            }
            OperatorCommand::Cancel { run } => tasks.push_back(Task::Runs(react::Input::Cancel { run, by: by.to_owned() })),
            OperatorCommand::Retry { run } => tasks.push_back(Task::Runs(react::Input::Retry { run })),
            OperatorCommand::Begin { what, lasts, reason } => {
                return self.begin_override(now, (sequence, by), what, (lasts, reason), out);
            }
            OperatorCommand::End { what } => return self.end_override(now, by, &what, out),
            OperatorCommand::AcceptLoss { reason } => return self.accept_loss(now, by, reason, out),
            OperatorCommand::TestChannel { channel } => self.test_channel(now, &channel, by, out),
            OperatorCommand::Approve { run } => tasks.push_back(Task::Runs(react::Input::Approve { run })),
        }
        self.work(now, tasks, out);
    }

    /// Checks whether an alarm can be raised as a test now.
    ///
    /// # Errors
    /// Why not, as a text that says what to add.
    pub fn may_be_tried(&self, alarm: &str, app: &str, fields: &BTreeMap<String, String>) -> Result<(), String> {
        self.engine.test_event(alarm, app, &test_fields(fields)).map(drop)
    }

    /// The key of the active instance with this text. If there is none, a key that no instance has.
    pub(super) fn shown(&self, alarm: &str, key: Option<String>) -> Option<engine::Key> {
        key.map(|shown| self.engine.state().key_shown(alarm, &shown).cloned().unwrap_or_default())
    }
}

fn test_fields(given: &BTreeMap<String, String>) -> engine::Fields {
    let value = |text: &String| crate::core::event::Value::from(text.as_str()).into_owned();
    given.iter().map(|(name, text)| (name.clone(), value(text))).collect()
}
