//! The decisions of the engine, as the journal stores them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::time::Time;
use crate::core::event::{Stale, Trust};
use crate::core::inventory::Name;
use crate::core::lang::program::Category;

use super::bounds::weight;
use super::key::Key;

pub use super::bounds::Fields;

/// Why an alarm ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It expired (`cancel after`).
    After,
    /// An event or a state ended it (`cancel when`).
    When,
    /// It is a moment and has no state (`cancel at once`).
    AtOnce,
    /// Somebody cleared it: an operator, or the script of a run.
    ByHand(String),
    /// The rules no longer have it.
    Removed,
    /// Its rule has another key or shape than before.
    Changed,
}

impl Cause {
    /// Why the alarm ended, for people. Scripts and records have the short words of [`Display`](fmt::Display).
    pub fn for_people(&self) -> String {
        match self {
            Cause::After => "expired".to_owned(),
            Cause::When => "its condition ended it".to_owned(),
            other => other.to_string(),
        }
    }
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
        /// The category that the rules gave it; journals of earlier versions have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<Category>,
        /// The sequence of the input that raised it.
        #[serde(rename = "order")]
        sequence: u64,
        at: Time,
        /// When it expires, if nothing refreshes it.
        due: Option<Time>,
        /// The event that raised it.
        event: Arc<Fields>,
        summary: String,
        /// The text of the event, if the alarm keeps lines.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<String>,
        /// Why its reactions were not started, if they were not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        idle: Option<Stale>,
        /// The texts of the events that were counted before it, if the alarm keeps lines.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        before: Vec<String>,
    },
    /// The condition of an active alarm fired again.
    Repeated {
        alarm: String,
        key: Key,
        /// The sequence of the input that repeated it.
        #[serde(rename = "order")]
        sequence: u64,
        at: Time,
        /// When it expires now.
        due: Option<Time>,
        /// The event and its summary, if its sender is more trusted than the sender of the event for which the alarm was
        /// raised. They replace the earlier ones.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        better: Option<Box<(Arc<Fields>, String)>>,
        /// The event's text, if the alarm keeps one more line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<String>,
        /// The texts of the events that were counted before it, if the alarm keeps them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        before: Vec<String>,
    },
    Cleared {
        alarm: String,
        key: Key,
        at: Time,
        cause: Cause,
        /// The summary of the end, if the alarm has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        summary: Option<String>,
    },
    /// An event counts towards an alarm's condition, which has not fired yet.
    PartialMatches {
        alarm: String,
        key: Key,
        note: PartialMatch,
        /// It replaces all partial matches of this part with this value.
        alone: bool,
        /// Partial matches before this time no longer count.
        since: Option<Time>,
        /// Maximum number of keys with partial matches, if the alarm sets one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        most: Option<usize>,
    },
    /// An event is measured.
    Measured {
        alarm: String,
        key: Key,
        /// It belongs to the alarm's `detect` (0) or `cancel` (1).
        slot: usize,
        at: Time,
        value: f64,
        /// For how many equal events it stands.
        #[serde(default = "once", skip_serializing_if = "is_once")]
        times: u16,
        /// The trust of its sender.
        #[serde(default, rename = "known")]
        trust: Trust,
        over: Duration,
    },
    /// The comparisons of a measure were evaluated.
    Judged {
        alarm: String,
        key: Key,
        /// Since when the comparison that raises, and the one that cancels, have been true.
        since: [Option<Time>; 2],
        /// The lowest trust of the senders whose events made them true for all of that time.
        #[serde(default, rename = "known")]
        trust: [Trust; 2],
        /// When it is evaluated again.
        due: Option<Time>,
    },
    /// An alarm's condition is pending: it fires at a time, unless an event comes before.
    #[serde(rename = "awaited")]
    Pending { alarm: String, key: Key, waiting: PendingFire },
    /// An alarm is suppressed until nothing inhibits it.
    #[serde(rename = "inhibited")]
    Suppressed {
        alarm: String,
        key: Key,
        /// What is suppressed; `None` when it is raised or has ended.
        what: Option<Box<Suppressed>>,
    },
    /// Reactions of an alarm with a limit were started.
    Started {
        alarm: String,
        /// The values of the limit's keys.
        group: Key,
        at: Time,
        /// The trust of the sender of the event that they are about.
        #[serde(default, rename = "known")]
        trust: Trust,
        /// Starts before this time no longer count.
        since: Time,
    },
    /// Reactions were throttled by the limit; the newest wait.
    #[serde(rename = "put_off")]
    Throttled {
        alarm: String,
        /// The values of the limit's keys.
        group: Key,
        /// What waits; `None` when its alarm was cleared.
        what: Option<Box<Throttled>>,
    },
    /// There was no more memory: an alarm dropped the half of its keys whose last event is oldest.
    ForgottenHalf { alarm: String },
    /// The partial matches and the pending fire of a key were dropped.
    Forgotten {
        alarm: String,
        key: Key,
        /// Its measure continues, because it ends the alarm.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        measures_on: bool,
    },
    /// An application claimed a role.
    Claimed {
        /// The name of the application in the inventory.
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
        /// When the acknowledgement expires; `None`: when the alarm ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Time>,
    },
    /// The acknowledgement of an alarm expired.
    AckEnded { alarm: String, key: Key, at: Time },
    /// Somebody commented on an active alarm.
    Commented { alarm: String, key: Key, comment: AlarmComment },
    /// An application stopped, or no longer counts as stopped.
    App {
        /// The name of the application in the inventory.
        app: Name,
        stopped: bool,
    },
    /// How far a source's records of one host are usually behind their arrival.
    Offset {
        source: String,
        /// The host, as the record names it.
        host: String,
        /// When this was learned.
        at: Time,
        offset: i64,
        /// The part of it that is a time zone which the time stamps do not state: events have their times without it.
        #[serde(default, skip_serializing_if = "is_zero")]
        zone: i64,
    },
    /// A source became unreadable, or readable again.
    Away { source: String, away: bool },
    /// A host is lost, or is no longer lost.
    Lost { host: Name, lost: bool },
    /// The status of the newest claim of an application changed.
    #[serde(rename = "stands")]
    ClaimStatus {
        app: Name,
        #[serde(rename = "stand")]
        status: ClaimStatus,
    },
    /// Whether nothing shows which of the claims of a pair is the newest.
    RoleUnclear { pair: Name, unclear: bool },
    /// The late claims of an application's pair were evaluated.
    #[serde(rename = "weighed")]
    ClaimsEvaluated { app: Name },
    /// Something was reported that is reported once.
    #[serde(rename = "told")]
    Notified { about: String },
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

impl Record {
    /// The key of the alarm, or the group of its limit, that the record is about.
    pub(super) fn key(&self) -> Option<(&str, &Key)> {
        match self {
            Record::Raised { alarm, key, .. }
            | Record::Repeated { alarm, key, .. }
            | Record::Cleared { alarm, key, .. }
            | Record::PartialMatches { alarm, key, .. }
            | Record::Measured { alarm, key, .. }
            | Record::Judged { alarm, key, .. }
            | Record::Pending { alarm, key, .. }
            | Record::Suppressed { alarm, key, .. }
            | Record::Started { alarm, group: key, .. }
            | Record::Throttled { alarm, group: key, .. }
            | Record::Acked { alarm, key, .. }
            | Record::AckEnded { alarm, key, .. }
            | Record::Forgotten { alarm, key, .. } => Some((alarm, key)),
            _ => None,
        }
    }
}

impl Record {
    /// The key for which the record may change the stored events.
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

/// Who acknowledged an active alarm, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "AcknowledgementForm")]
pub struct Acknowledgement {
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When it expires; `None`: when the alarm ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// An acknowledgement as states of this version and of earlier versions store it.
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

/// What an application claimed about its role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub primary: bool,
    /// The sequence of the input with the claim.
    #[serde(rename = "order")]
    pub sequence: u64,
    /// The record's own time, or else its arrival.
    pub at: Time,
    /// It arrived late, or came out of a backlog: no run was started for it.
    #[serde(default)]
    pub late: bool,
    /// It came out of a backlog: it was written while the controller did not listen.
    pub backlog: bool,
    /// When it was probably written, by the controller's clock. For a claim that is not late this is its arrival.
    #[serde(default)]
    pub written: Time,
    /// How far it has been carried out.
    #[serde(rename = "stand", default)]
    pub status: ClaimStatus,
    /// The trust of its sender.
    #[serde(alias = "provenance")]
    pub trust: Trust,
}

fn once() -> u16 {
    1
}

fn is_once(times: &u16) -> bool {
    *times == 1
}

/// An event that counts towards a condition. It is small, because there may be a million of them: most are only counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartialMatch {
    /// The time of the event; for a sequence, the time when it began.
    pub at: Time,
    /// The index of the part of the condition.
    part: u32,
    /// The lowest trust of the senders up to it.
    #[serde(default, rename = "known")]
    pub trust: Trust,
    /// For how many equal events it stands.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    times: u16,
    /// What has to be kept of the event.
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
    pub(super) fn new(part: usize, at: Time, trust: Trust) -> PartialMatch {
        PartialMatch { at, part: u32::try_from(part).unwrap_or(u32::MAX), trust, times: 1, kept: None }
    }

    /// Adds the value that has to be distinct, and the fields that the event and the steps before it captured, which the
    /// occurrence has as well. For parts that want several events, the value is the place of the event among them.
    pub(super) fn keeping(self, value: Option<String>, seen: Fields) -> PartialMatch {
        let kept = (value.is_some() || !seen.is_empty()).then(|| Box::new(Kept { value, seen }));
        PartialMatch { kept, ..self }
    }

    /// Makes it stand for so many equal events.
    pub(super) fn standing_for(self, times: u16) -> PartialMatch {
        PartialMatch { times, ..self }
    }

    /// The number of events that it counts for.
    pub fn times(&self) -> usize {
        usize::from(self.times)
    }

    /// Estimates its memory in bytes.
    pub(super) fn weight(&self) -> usize {
        let kept = |kept: &Kept| size_of::<Kept>() + kept.value.as_ref().map_or(0, String::len) + weight(&kept.seen);
        size_of::<Self>() + self.kept.as_deref().map_or(0, kept)
    }

    /// The index of the part of the condition.
    pub fn part(&self) -> usize {
        self.part as usize
    }

    /// The value that has to be distinct, or the place.
    pub fn value(&self) -> Option<&str> {
        self.kept.as_ref()?.value.as_deref()
    }

    /// What this event and those before it captured.
    pub(super) fn seen(&self) -> Fields {
        self.kept.as_ref().map(|kept| kept.seen.clone()).unwrap_or_default()
    }
}

/// A condition that fires at a time, unless an event comes before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingFire {
    pub due: Time,
    /// The event that started the time.
    pub event: Arc<Fields>,
    /// Why it may start nothing, if that event was late.
    pub late: Option<Stale>,
    /// For a silence: how often it fired since the last event.
    #[serde(default)]
    pub round: u32,
    /// For a raise that a calendar delays: when it would expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Time>,
}

/// An alarm that is not raised while another one is active.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suppressed {
    /// When it would have been raised.
    pub since: Time,
    /// When it would expire.
    pub over: Option<Time>,
    /// The event for which it would have been raised.
    pub event: Arc<Fields>,
    /// Why it may start nothing, if that event was late.
    pub late: Option<Stale>,
}

/// Reactions that wait until a limit allows them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Throttled {
    pub due: Time,
    pub key: Key,
    pub instance: Instance,
    /// The event that they are about.
    pub event: Arc<Fields>,
}

/// How far a claim has been carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimStatus {
    /// No rule reacts to it, or no rule may. It is stored and moves nothing.
    #[default]
    Withheld,
    /// Rules react to it, and it is not carried out yet.
    #[serde(rename = "owed")]
    Open,
    /// As `Open`, and a run that was started for it did not succeed.
    Failed,
    /// It arrived late: rules would have reacted.
    Late,
    /// It arrived late: rules would have reacted after an operator's agreement.
    Ask,
    /// It, or something newer, is carried out, or a reaction decided that it moves nothing.
    #[serde(rename = "settled")]
    Done,
}

/// An alarm that is active for a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// When it was raised.
    pub raised_at: Time,
    /// When its condition fired last.
    pub last_at: Time,
    /// How often its condition fired.
    pub count: u64,
    /// The sequence of the input that made it fire last.
    #[serde(rename = "order")]
    pub sequence: u64,
    /// The time when it expires.
    pub due: Option<Time>,
    /// The event that raised it.
    pub event: Arc<Fields>,
    pub summary: String,
    /// Texts of the first events for which its condition fired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// Why its reactions were not started, if they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Stale>,
    /// What people wrote about it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<AlarmComment>,
}
