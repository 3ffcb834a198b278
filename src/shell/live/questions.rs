//! The questions of operators, and what the answer to one may be.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::core::config::AccessLevel;
use crate::core::control::OperatorCommand;
use crate::core::inventory::Name;
use crate::core::journal::HistoryFilter;
use crate::core::overrides::SilenceMatcher;

/// A question or a command of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    Alarms,
    /// The resources, with their desired owners and holders.
    Resources,
    /// The runs that have not ended.
    Runs,
    /// The runs that failed or were cancelled, and those that wait to try a step again.
    Retryable,
    /// Sync everything that happened to the disk, so that it can be read there.
    History,
    /// A page of the history, for users who can't read the journal themselves.
    HistoryPage(HistoryFilter),
    /// Continue without the records that the journal lost. The text says why that is right.
    AcceptLoss(String),
    /// The counters of the sources.
    Sources,
    /// Everything that monitoring systems see.
    Metrics,
    Move(Name, Name),
    /// Confirm that a host does not hold a resource.
    Released(Name, Name),
    Resume(Name),
    /// Clear an alarm, for one key or for all.
    Clear {
        alarm: String,
        key: Option<String>,
        reason: Option<String>,
    },
    /// Acknowledge an alarm, for one key or for all.
    Ack {
        alarm: String,
        key: Option<String>,
        /// The name of the person who acknowledges it.
        by: Option<String>,
        comment: Option<String>,
        lasts: Option<Duration>,
    },
    /// Add a comment to an alarm, for one key or for all.
    Comment {
        alarm: String,
        key: Option<String>,
        text: String,
    },
    /// Raise an alarm as a test, as if by an application, with all its consequences.
    Test {
        alarm: String,
        app: Name,
        /// Further fields of its event.
        fields: BTreeMap<String, String>,
    },
    /// Approve a run that waits for an operator.
    Approve(u64),
    /// Cancel a run that has not ended.
    Cancel(u64),
    /// Start a failed run again.
    Retry(u64),
    /// All overrides in force: pauses, silences, maintenance, drains.
    Overrides,
    /// Set something aside for a time.
    Begin {
        scope: OverrideScope,
        /// The duration; `None` means until a command ends it.
        lasts: Option<Duration>,
        reason: String,
    },
    /// What will happen first when an override ends.
    After(OverrideScope),
    /// End an override that is in force.
    End(OverrideScope),
    /// The status of the notification channels.
    Channels,
    /// Test a notification channel.
    TestChannel(Name),
    /// The result of the delivery of a notification: `null` while it waits.
    Delivery(u64),
    /// Reload the files that were changed.
    Reload {
        /// Only show what would change.
        check: bool,
        /// Allow the removal of resources that hosts hold.
        abandon: bool,
    },
}

/// The override that an operator wants to begin or end, with names as they were entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverrideScope {
    /// A pause of everything.
    Everything,
    /// A pause of the resource or the reaction of this name.
    Named(Name),
    Silence {
        matcher: SilenceMatcher,
        /// Whether it may match every alarm.
        all: bool,
    },
    /// The silence of this number.
    SilenceNumber(u64),
    Maintenance(Name),
    Drain(Name),
}

impl OverrideScope {
    /// The command that begins it, and the command that ends it.
    pub(super) fn commands(&self) -> [&'static str; 2] {
        match self {
            OverrideScope::Everything | OverrideScope::Named(_) => ["pause", "resume"],
            OverrideScope::Silence { .. } | OverrideScope::SilenceNumber(_) => ["silence", "unsilence"],
            OverrideScope::Maintenance(_) => ["maintenance", "maintenance --end"],
            OverrideScope::Drain(_) => ["drain", "undrain"],
        }
    }
}

impl Question {
    /// The longest time that an answer may take.
    pub(super) fn patience(&self) -> Duration {
        match self {
            // The tests run before the answer.
            Question::Reload { .. } => Duration::from_secs(200),
            _ => Duration::from_secs(10),
        }
    }

    /// The command that asks this question.
    pub fn name(&self) -> &'static str {
        match self {
            Question::Alarms => "alarms",
            Question::Resources => "resources",
            Question::Runs => "runs",
            Question::Retryable => "runs retry",
            Question::History | Question::HistoryPage(_) => "history",
            Question::AcceptLoss(_) => "journal accept-loss",
            Question::Sources => "sources",
            Question::Metrics => "top",
            Question::Move(..) => "move",
            Question::Released(..) => "resources released",
            Question::Resume(_) => "resources resume",
            Question::Clear { .. } => "alarms clear",
            Question::Ack { .. } => "ack",
            Question::Comment { .. } => "alarms comment",
            Question::Test { .. } => "alarms test --live",
            Question::Approve(_) => "runs approve",
            Question::Cancel(_) => "runs cancel",
            Question::Retry(_) => "runs retry",
            Question::Overrides => "overrides",
            Question::Channels => "channels",
            Question::TestChannel(_) => "channels test",
            Question::Delivery(_) => "channels test",
            Question::Begin { scope, .. } => scope.commands()[0],
            Question::After(_) => "resume",
            Question::End(scope) => scope.commands()[1],
            Question::Reload { check: true, .. } => "reload --check",
            Question::Reload { .. } => "reload",
        }
    }

    /// The access level that this question requires.
    pub(super) fn level(&self) -> AccessLevel {
        match self {
            Question::Alarms
            | Question::Resources
            | Question::Runs
            | Question::Retryable
            | Question::History
            | Question::HistoryPage(_)
            | Question::Sources
            | Question::Metrics
            | Question::Overrides
            | Question::Channels
            | Question::Delivery(_)
            | Question::After(_) => AccessLevel::Viewer,
            Question::Move(..)
            | Question::Resume(_)
            | Question::Clear { .. }
            | Question::Ack { .. }
            | Question::Comment { .. }
            | Question::Test { .. }
            | Question::TestChannel(_)
            | Question::Approve(_)
            | Question::Cancel(_)
            | Question::Retry(_)
            | Question::Begin { .. }
            | Question::End(_) => AccessLevel::Operator,
            // These can cause two owners, or change the behaviour of everything.
            Question::Released(..) | Question::AcceptLoss(_) | Question::Reload { .. } => AccessLevel::Administrator,
        }
    }
}

/// The answer: data, or the reason for a refusal.
pub type Answer = Result<Json, String>;

/// The consequence of a question.
pub(super) enum Reply {
    /// Data to show to the operator.
    Shown(Json),
    /// Sync everything to the disk first.
    Synced,
    /// Test a channel and wait for the result.
    Tested(Name),
    /// A command for the controller.
    Asked(OperatorCommand),
}
