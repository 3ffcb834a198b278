//! What the engine decides, as the journal keeps it, and the state that it folds to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::limits::OFFSETS;
use crate::base::pairs;
use crate::base::time::Time;
use crate::event::{Provenance, Value};
use crate::inventory::Name;

/// The values of an alarm's `by` fields, in its order: which instance it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(pub Vec<String>);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

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
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::After => f.write_str("after"),
            Cause::When => f.write_str("when"),
            Cause::AtOnce => f.write_str("at once"),
            Cause::ByHand(who) => write!(f, "by {who}"),
            Cause::Removed => f.write_str("removed from the rules"),
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
        event: Fields,
        /// For people.
        summary: String,
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
    },
    /// An application said what it is.
    Claimed {
        /// Which application, by its name in the inventory.
        app: Name,
        /// The claim.
        claim: Claim,
    },
    /// How far a source's records of one host were behind their arrival.
    Offset {
        /// Which source.
        source: String,
        /// Which host, as the record names it.
        host: String,
        /// Arrival.
        at: Time,
        /// Microseconds.
        offset: i64,
    },
    /// A host is lost, or is not any more.
    Lost {
        /// Which.
        host: Name,
        /// Lost.
        lost: bool,
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

/// What an application said of its role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Primary; else backup.
    pub primary: bool,
    /// By the input of this order.
    pub order: u64,
    /// By the record's own time, or its arrival.
    pub at: Time,
    /// It came out of a backlog, and no run was started for it.
    pub backlog: bool,
    /// How far its sender is known.
    pub provenance: Provenance,
}

/// An active alarm.
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
    pub event: Fields,
    /// For people.
    pub summary: String,
}

/// How far a source's records of one host are usually behind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Offsets {
    pub(super) usual: i64,
    pub(super) last: VecDeque<(Time, i64)>,
}

/// Everything that the engine must not forget.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    #[serde(with = "pairs::within")]
    pub(super) alarms: BTreeMap<String, BTreeMap<Key, Instance>>,
    pub(super) claims: BTreeMap<Name, Claim>,
    #[serde(with = "pairs")]
    pub(super) offsets: BTreeMap<(String, String), Offsets>,
    pub(super) lost: BTreeSet<Name>,
    pub(super) unweighed: BTreeSet<Name>,
    pub(super) told: BTreeSet<String>,
}

impl State {
    /// Active instances, in order of alarm and key.
    pub fn active(&self) -> impl Iterator<Item = (&str, &Key, &Instance)> {
        self.alarms.iter().flat_map(|(alarm, keys)| keys.iter().map(move |(key, i)| (alarm.as_str(), key, i)))
    }

    /// One active instance.
    pub fn instance(&self, alarm: &str, key: &Key) -> Option<&Instance> {
        self.alarms.get(alarm)?.get(key)
    }

    /// Forgets the half of the offsets that was heard longest ago; by time and then by name, so that every fold does the same.
    fn forget_old_offsets(&mut self) {
        let heard = |o: &Offsets| o.last.back().map(|(at, _)| *at);
        let mut order: Vec<(Option<Time>, (String, String))> =
            self.offsets.iter().map(|(name, o)| (heard(o), name.clone())).collect();
        order.sort();
        for (_, name) in order.into_iter().take(OFFSETS / 2) {
            self.offsets.remove(&name);
        }
    }

    /// Applies one record. The only way in which the state changes.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Raised { alarm, key, order, at, due, event, summary } => {
                let instance = Instance {
                    raised_at: *at,
                    last_at: *at,
                    count: 1,
                    order: *order,
                    due: *due,
                    event: event.clone(),
                    summary: summary.clone(),
                };
                self.alarms.entry(alarm.clone()).or_default().insert(key.clone(), instance);
            }
            Record::Repeated { alarm, key, order, at, due } => {
                if let Some(instance) = self.alarms.get_mut(alarm).and_then(|keys| keys.get_mut(key)) {
                    instance.last_at = *at;
                    instance.count += 1;
                    instance.order = *order;
                    instance.due = *due;
                }
            }
            Record::Cleared { alarm, key, .. } => {
                if let Some(keys) = self.alarms.get_mut(alarm) {
                    keys.remove(key);
                    if keys.is_empty() {
                        self.alarms.remove(alarm);
                    }
                }
            }
            Record::Claimed { app, claim } => {
                self.claims.insert(app.clone(), claim.clone());
                if claim.backlog {
                    self.unweighed.insert(app.clone());
                }
            }
            Record::Offset { source, host, at, offset } => {
                let offsets = self.offsets.entry((source.clone(), host.clone())).or_default();
                offsets.learn(*at, *offset);
                if self.offsets.len() > OFFSETS {
                    self.forget_old_offsets();
                }
            }
            Record::Lost { host, lost: true } => {
                self.lost.insert(host.clone());
            }
            Record::Lost { host, lost: false } => {
                self.lost.remove(host);
            }
            Record::Weighed { app } => {
                self.unweighed.remove(app);
            }
            Record::Told { about } => {
                self.told.insert(about.clone());
            }
        }
    }
}
