//! What the engine decides, as the journal keeps it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::time::Time;
use crate::event::{Provenance, Value};
use crate::inventory::Name;

use super::claims::Stand;
use super::key::Key;
use super::state::Instance;

/// The fields of an event as rules and scripts see them, derived ones included.
pub type Fields = BTreeMap<String, Value<'static>>;

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
        /// Which.
        alarm: String,
        /// Of which key.
        key: Key,
        /// By the input of this order.
        order: u64,
        /// When.
        at: Time,
        /// When its time is over, if nothing refreshes it.
        due: Option<Time>,
        /// The event that raised it.
        event: Arc<Fields>,
        /// For people.
        summary: String,
        /// Its text, when the alarm keeps lines.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<String>,
        /// Why its reactions were not started, when they were not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        idle: Option<String>,
        /// The texts of the events that were counted before it, when the alarm keeps lines.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        before: Vec<String>,
    },
    /// An active alarm's condition was met again.
    Repeated {
        /// Which.
        alarm: String,
        /// Of which key.
        key: Key,
        /// By the input of this order.
        order: u64,
        /// When.
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
    /// An alarm ended.
    Cleared {
        /// Which.
        alarm: String,
        /// Of which key.
        key: Key,
        /// When.
        at: Time,
        /// Why.
        cause: Cause,
        /// What people read of the end, where the alarm says that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        summary: Option<String>,
    },
    /// An event counts towards an alarm's condition, which is not met yet.
    Noted {
        /// Which alarm.
        alarm: String,
        /// Of which key.
        key: Key,
        /// The event.
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
        /// For which alarm.
        alarm: String,
        /// For which key.
        key: Key,
        /// For its `detect` (0) or its `cancel` (1).
        slot: usize,
        /// When.
        at: Time,
        /// What of it.
        value: f64,
        /// How far its sender is known.
        #[serde(default)]
        known: Provenance,
        /// Over which window.
        over: Duration,
    },
    /// What is measured was compared.
    Judged {
        /// For which alarm.
        alarm: String,
        /// For which key.
        key: Key,
        /// Since when it has been so that it raises, and that it cancels.
        since: [Option<Time>; 2],
        /// How far the least known of those is known whose events made it so, all the while.
        #[serde(default)]
        known: [Provenance; 2],
        /// When it is looked at again.
        due: Option<Time>,
    },
    /// An alarm's condition comes true at a time, unless an event comes before.
    Awaited {
        /// Which alarm.
        alarm: String,
        /// Of which key.
        key: Key,
        /// What is awaited.
        waiting: PendingFire,
    },
    /// What would raise an alarm waits until nothing inhibits it.
    Inhibited {
        /// Which alarm.
        alarm: String,
        /// Of which key.
        key: Key,
        /// What waits; nothing any more when it is raised, or has ended.
        what: Option<Box<Suppressed>>,
    },
    /// Reactions of an alarm with a limit were started.
    Started {
        /// Which alarm.
        alarm: String,
        /// For which values of the limit's keys.
        group: Key,
        /// When.
        at: Time,
        /// How far the sender is trusted whose event they are about.
        #[serde(default)]
        known: Provenance,
        /// What was started before this does not count any more.
        since: Time,
    },
    /// They were not, because of the limit; the newest waits.
    PutOff {
        /// Which alarm.
        alarm: String,
        /// For which values of the limit's keys.
        group: Key,
        /// What waits; nothing any more when its alarm was cleared.
        what: Option<Box<Throttled>>,
    },
    /// Of what an alarm has noted, the half of the keys whose last event is oldest is forgotten: there is no more memory.
    ForgottenHalf {
        /// Which alarm.
        alarm: String,
    },
    /// What was noted and awaited of a key counts no more.
    Forgotten {
        /// Which alarm.
        alarm: String,
        /// Which key.
        key: Key,
        /// What is measured of it counts on: it is what ends the alarm.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        measures_on: bool,
    },
    /// An application said what it is.
    Claimed {
        /// Which application, by its name in the inventory.
        app: Name,
        /// The claim.
        claim: Claim,
    },
    /// Somebody took an active alarm on.
    Acked {
        /// Which.
        alarm: String,
        /// Of which key.
        key: Key,
        /// When.
        at: Time,
        /// Who.
        by: String,
    },
    /// An application stopped, or does not count as stopped any more.
    App {
        /// Which, by its name in the inventory.
        app: Name,
        /// Stopped.
        stopped: bool,
    },
    /// How far a source's records of one host are usually behind their arrival.
    Offset {
        /// Which source.
        source: String,
        /// Which host, as the record names it.
        host: String,
        /// When that was learned.
        at: Time,
        /// Microseconds.
        offset: i64,
        /// How much of it is a zone that the stamps do not say: events have their times without it.
        #[serde(default, skip_serializing_if = "is_zero")]
        zone: i64,
    },
    /// A source can't be read, or can be again.
    Away {
        /// Which.
        source: String,
        /// It can't.
        away: bool,
    },
    /// A host is lost, or is not any more.
    Lost {
        /// Which.
        host: Name,
        /// Lost.
        lost: bool,
    },
    /// How far the newest claim of an application has come.
    Stands {
        /// Which application.
        app: Name,
        /// How far.
        stand: Stand,
    },
    /// Whether nothing tells which of the claims of a pair is the newest.
    RoleUnclear {
        /// Which pair.
        pair: Name,
        /// Nothing does.
        unclear: bool,
    },
    /// The late claims of an application's pair were weighed.
    Weighed {
        /// Which application.
        app: Name,
    },
    /// Something was said that is said once.
    Told {
        /// About what.
        about: String,
    },
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
            | Record::Noted { alarm, key, .. }
            | Record::Measured { alarm, key, .. }
            | Record::Judged { alarm, key, .. }
            | Record::Awaited { alarm, key, .. }
            | Record::Inhibited { alarm, key, .. }
            | Record::Started { alarm, group: key, .. }
            | Record::PutOff { alarm, group: key, .. }
            | Record::Forgotten { alarm, key, .. } => Some((alarm, key)),
            _ => None,
        }
    }
}

impl Record {
    /// The key for which it may change what is kept of events.
    pub(super) fn keeps(&self) -> Option<(&str, &Key)> {
        match self {
            Record::Noted { .. } | Record::Measured { .. } | Record::Judged { .. } | Record::Repeated { better: None, .. } => {
                None
            }
            other => other.key(),
        }
    }
}

/// What an application said of its role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Primary; else backup.
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
    pub provenance: Provenance,
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
    pub known: Provenance,
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
    pub(super) fn new(part: usize, at: Time, known: Provenance) -> PartialMatch {
        PartialMatch { at, part: u32::try_from(part).unwrap_or(u32::MAX), known, kept: None }
    }

    /// With the value that has to be distinct (of parts that want several events, the place that it has among them), and with what it
    /// captured, and what the steps before it did: the coming-true has it, too.
    pub(super) fn keeping(self, value: Option<String>, seen: Fields) -> PartialMatch {
        let kept = (value.is_some() || !seen.is_empty()).then(|| Box::new(Kept { value, seen }));
        PartialMatch { kept, ..self }
    }

    /// Bytes of memory that it takes, roughly.
    pub(super) fn weight(&self) -> usize {
        let kept = |kept: &Kept| size_of::<Kept>() + kept.value.as_ref().map_or(0, String::len) + super::kept::weight(&kept.seen);
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
    /// When.
    pub due: Time,
    /// The event that began it.
    pub event: Arc<Fields>,
    /// Why it may start nothing, when that event was late.
    pub late: Option<String>,
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
    pub late: Option<String>,
}

/// Reactions that wait until a limit lets them start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Throttled {
    /// When.
    pub due: Time,
    /// Of which instance.
    pub key: Key,
    /// As it was.
    pub instance: Instance,
    /// The event that they are about.
    pub event: Arc<Fields>,
}
