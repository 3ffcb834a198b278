//! What the engine decides, as the journal keeps it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::time::Time;
use crate::core::event::{Stale, Trust};
use crate::core::inventory::Name;

use super::bounds::weight;
use super::key::Key;

pub use super::bounds::Fields;

/// Why an alarm ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its time was over.
    After,
    /// An event said so.
    When,
    /// It keeps no state.
    AtOnce,
    /// Somebody said so: an operator, or the script of a run.
    ByHand(String),
    /// The rules do not have it any more.
    Removed,
    /// Its rule has another key or shape than before.
    Changed,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::After => f.write_str("after"),
            Cause::When => f.write_str("when"),
            Cause::AtOnce => f.write_str("at once"),
            Cause::ByHand(who) => write!(f, "by {who}"),
            Cause::Removed => f.write_str("removed from the rules"),
            Cause::Changed => f.write_str("its rule was changed"),
        }
    }
}

/// A decision of the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "decided")]
pub enum Record {
    /// An alarm became active.
    Raised {
        alarm: String,
        key: Key,
        /// By the input of this order.
        order: u64,
        at: Time,
        /// When its time is over, if nothing refreshes it.
        due: Option<Time>,
        /// The event that raised it.
        event: Arc<Fields>,
        summary: String,
        /// Its text, when the alarm keeps lines.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<String>,
        /// Why its reactions were not started, when they were not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        idle: Option<Stale>,
        /// The texts of the events that were counted before it, when the alarm keeps lines.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        before: Vec<String>,
    },
    /// An active alarm's condition was met again.
    Repeated {
        alarm: String,
        key: Key,
        /// By the input of this order.
        order: u64,
        at: Time,
        /// When its time is over now.
        due: Option<Time>,
        /// The event and what people read of it, when its sender is better known than the one whose event the alarm was raised for: they
        /// take its place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        better: Option<Box<(Arc<Fields>, String)>>,
        /// The event's text, when the alarm keeps one more line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<String>,
        /// The texts of the events that were counted before it, likewise.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        before: Vec<String>,
    },
    Cleared {
        alarm: String,
        key: Key,
        at: Time,
        cause: Cause,
        /// What people read of the end, where the alarm says that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        summary: Option<String>,
    },
    /// An event counts towards an alarm's condition, which is not met yet.
    PartialMatches {
        alarm: String,
        key: Key,
        note: PartialMatch,
        /// It stands for all that was noted of this part with this value.
        alone: bool,
        /// What was noted before this does not count any more.
        since: Option<Time>,
        /// For how many keys the alarm notes at most, when it says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        most: Option<usize>,
    },
    /// An event is measured.
    Measured {
        alarm: String,
        key: Key,
        /// For its `detect` (0) or its `cancel` (1).
        slot: usize,
        at: Time,
        value: f64,
        /// How far its sender is known.
        #[serde(default)]
        known: Trust,
        over: Duration,
    },
    /// What is measured was compared.
    Judged {
        alarm: String,
        key: Key,
        /// Since when it has been so that it raises, and that it cancels.
        since: [Option<Time>; 2],
        /// How far the least known of those is known whose events made it so, all the while.
        #[serde(default)]
        known: [Trust; 2],
        /// When it is looked at again.
        due: Option<Time>,
    },
    /// An alarm's condition comes true at a time, unless an event comes before.
    Awaited { alarm: String, key: Key, waiting: PendingFire },
    /// What would raise an alarm waits until nothing inhibits it.
    Inhibited {
        alarm: String,
        key: Key,
        /// What waits; nothing any more when it is raised, or has ended.
        what: Option<Box<Suppressed>>,
    },
    /// Reactions of an alarm with a limit were started.
    Started {
        alarm: String,
        /// For which values of the limit's keys.
        group: Key,
        at: Time,
        /// How far the sender is trusted whose event they are about.
        #[serde(default)]
        known: Trust,
        /// What was started before this does not count any more.
        since: Time,
    },
    /// They were not, because of the limit; the newest waits.
    PutOff {
        alarm: String,
        /// For which values of the limit's keys.
        group: Key,
        /// What waits; nothing any more when its alarm was cleared.
        what: Option<Box<Throttled>>,
    },
    /// Of what an alarm has noted, the half of the keys whose last event is oldest is forgotten: there is no more memory.
    ForgottenHalf { alarm: String },
    /// What was noted and awaited of a key counts no more.
    Forgotten {
        alarm: String,
        key: Key,
        /// What is measured of it counts on: it is what ends the alarm.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        measures_on: bool,
    },
    /// An application said what it is.
    Claimed {
        /// Which application, by its name in the inventory.
        app: Name,
        claim: Claim,
    },
    /// Somebody acknowledged an active alarm.
    Acked {
        alarm: String,
        key: Key,
        at: Time,
        by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
        /// The acknowledgement ends then; `None`: with the alarm.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Time>,
    },
    /// The time of an acknowledgement is over.
    AckEnded { alarm: String, key: Key, at: Time },
    /// Somebody commented on an active alarm.
    Commented { alarm: String, key: Key, comment: AlarmComment },
    /// An application stopped, or does not count as stopped any more.
    App {
        /// Which, by its name in the inventory.
        app: Name,
        stopped: bool,
    },
    /// How far a source's records of one host are usually behind their arrival.
    Offset {
        source: String,
        /// Which host, as the record names it.
        host: String,
        /// When that was learned.
        at: Time,
        offset: i64,
        /// How much of it is a zone that the stamps do not say: events have their times without it.
        #[serde(default, skip_serializing_if = "is_zero")]
        zone: i64,
    },
    /// A source can't be read, or can be again.
    Away { source: String, away: bool },
    /// A host is lost, or is not any more.
    Lost { host: Name, lost: bool },
    /// How far the newest claim of an application has come.
    Stands { app: Name, stand: Stand },
    /// Whether nothing tells which of the claims of a pair is the newest.
    RoleUnclear { pair: Name, unclear: bool },
    /// The late claims of an application's pair were weighed.
    Weighed { app: Name },
    /// Something was said that is said once.
    Told { about: String },
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

impl Record {
    /// The key of an alarm, or the group of its limit, that it is about.
    pub(super) fn key(&self) -> Option<(&str, &Key)> {
        match self {
            Record::Raised { alarm, key, .. }
            | Record::Repeated { alarm, key, .. }
            | Record::Cleared { alarm, key, .. }
            | Record::PartialMatches { alarm, key, .. }
            | Record::Measured { alarm, key, .. }
            | Record::Judged { alarm, key, .. }
            | Record::Awaited { alarm, key, .. }
            | Record::Inhibited { alarm, key, .. }
            | Record::Started { alarm, group: key, .. }
            | Record::PutOff { alarm, group: key, .. }
            | Record::Acked { alarm, key, .. }
            | Record::AckEnded { alarm, key, .. }
            | Record::Forgotten { alarm, key, .. } => Some((alarm, key)),
            _ => None,
        }
    }
}

impl Record {
    /// The key for which it may change what is kept of events.
    pub(super) fn keeps(&self) -> Option<(&str, &Key)> {
        match self {
            Record::PartialMatches { .. }
            | Record::Measured { .. }
            | Record::Judged { .. }
            | Record::Acked { .. }
            | Record::AckEnded { .. }
            | Record::Repeated { better: None, .. } => None,
            other => other.key(),
        }
    }
}

/// What somebody wrote about an active alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmComment {
    pub at: Time,
    pub by: String,
    pub text: String,
}

/// Who acknowledged an active alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "AcknowledgementForm")]
pub struct Acknowledgement {
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// It ends then; `None`: with the alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// An acknowledgement as states of this version and of earlier ones have it.
#[derive(Deserialize)]
#[serde(untagged)]
enum AcknowledgementForm {
    Name(String),
    Whole {
        by: String,
        #[serde(default)]
        comment: Option<String>,
        #[serde(default)]
        until: Option<Time>,
    },
}

impl From<AcknowledgementForm> for Acknowledgement {
    fn from(form: AcknowledgementForm) -> Acknowledgement {
        match form {
            AcknowledgementForm::Name(by) => Acknowledgement { by, comment: None, until: None },
            AcknowledgementForm::Whole { by, comment, until } => Acknowledgement { by, comment, until },
        }
    }
}

/// What an application said of its role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub primary: bool,
    /// By the input of this order.
    pub order: u64,
    /// By the record's own time, or its arrival.
    pub at: Time,
    /// It came late, or out of a backlog: no run was started for it.
    #[serde(default)]
    pub late: bool,
    /// It came out of a backlog: it was written while nobody listened.
    pub backlog: bool,
    /// When it was probably written, in our clock: its arrival, where it came in time.
    #[serde(default)]
    pub written: Time,
    /// How far it has come.
    #[serde(default)]
    pub stand: Stand,
    /// How far its sender is known.
    #[serde(alias = "provenance")]
    pub trust: Trust,
}

/// An event that counts towards a condition. Small, because there may be a million of them: most are only counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartialMatch {
    /// When; of a sequence, when it began.
    pub at: Time,
    /// Which part of the condition.
    part: u32,
    /// How far the least known of the senders up to it is known.
    #[serde(default)]
    pub known: Trust,
    /// What has to be kept of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept: Option<Box<Kept>>,
}

/// What is kept of an event that is not only counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Kept {
    value: Option<String>,
    seen: Fields,
}

impl PartialMatch {
    /// An event of a part that is only counted.
    pub(super) fn new(part: usize, at: Time, known: Trust) -> PartialMatch {
        PartialMatch { at, part: u32::try_from(part).unwrap_or(u32::MAX), known, kept: None }
    }

    /// With the value that has to be distinct (of parts that want several events, the place that it has among them), and with what it
    /// captured, and what the steps before it did: the occurrence has it, too.
    pub(super) fn keeping(self, value: Option<String>, seen: Fields) -> PartialMatch {
        let kept = (value.is_some() || !seen.is_empty()).then(|| Box::new(Kept { value, seen }));
        PartialMatch { kept, ..self }
    }

    /// Bytes of memory that it takes, roughly.
    pub(super) fn weight(&self) -> usize {
        let kept = |kept: &Kept| size_of::<Kept>() + kept.value.as_ref().map_or(0, String::len) + weight(&kept.seen);
        size_of::<Self>() + self.kept.as_deref().map_or(0, kept)
    }

    /// Which part of the condition.
    pub fn part(&self) -> usize {
        self.part as usize
    }

    /// The value that has to be distinct, or the place.
    pub fn value(&self) -> Option<&str> {
        self.kept.as_ref()?.value.as_deref()
    }

    /// What it and those before it captured.
    pub(super) fn seen(&self) -> Fields {
        self.kept.as_ref().map(|kept| kept.seen.clone()).unwrap_or_default()
    }
}

/// A condition that comes true at a time, unless an event comes before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingFire {
    pub due: Time,
    /// The event that began it.
    pub event: Arc<Fields>,
    /// Why it may start nothing, when that event was late.
    pub late: Option<Stale>,
    /// Of a silence: how often it came true since something was heard.
    #[serde(default)]
    pub round: u32,
    /// Of what a calendar holds back: when it would be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Time>,
}

/// An alarm that is not raised while another one is active.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suppressed {
    /// When it would have been raised.
    pub since: Time,
    /// When it would be over.
    pub over: Option<Time>,
    /// The event that it would have been raised for.
    pub event: Arc<Fields>,
    /// Why it may start nothing, when that event was late.
    pub late: Option<Stale>,
}

/// Reactions that wait until a limit lets them start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Throttled {
    pub due: Time,
    pub key: Key,
    pub instance: Instance,
    /// The event that they are about.
    pub event: Arc<Fields>,
}

/// How far a claim has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stand {
    /// No rule reacts to it, or none may: it is known, and moves nothing.
    #[default]
    Withheld,
    /// Rules react to it, and it is not carried out yet.
    Owed,
    /// The same, and a run that was started for it did not end well.
    Failed,
    /// It came late: rules would have reacted.
    Late,
    /// It came late: rules would have reacted with an operator's agreement.
    Ask,
    /// It is carried out, or something newer is.
    Settled,
}

impl Stand {
    /// True when the controller has to see that it is carried out.
    pub fn is_owed(self) -> bool {
        matches!(self, Stand::Owed | Stand::Failed)
    }
}

/// An alarm that is active for a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// When it was raised.
    pub raised_at: Time,
    /// When its condition was last met.
    pub last_at: Time,
    /// How often its condition was met.
    pub count: u64,
    /// The input that met it last.
    pub order: u64,
    /// When its time is over.
    pub due: Option<Time>,
    /// The event that raised it.
    pub event: Arc<Fields>,
    pub summary: String,
    /// Texts of the events that met its condition, the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// Why its reactions were not started, when they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Stale>,
    /// What people wrote about it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<AlarmComment>,
}
