//! Which entries of the history somebody wants to read.

use serde::{Deserialize, Serialize};

use crate::core::base::time::Time;
use crate::core::inventory::Name;
use crate::core::react::RunId;

use super::HistoryEntry;

/// Selects entries of the history: those that match every part that is given, the newest first to be chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoryFilter {
    /// Only entries from this time on.
    pub since: Option<Time>,
    /// Only entries up to this time.
    pub until: Option<Time>,
    /// Only entries of records with a lower number.
    pub before: Option<u64>,
    pub alarm: Option<String>,
    /// The key of the alarm, as shown.
    pub key: Option<String>,
    pub host: Option<Name>,
    pub resource: Option<Name>,
    pub reaction: Option<String>,
    pub run: Option<RunId>,
    /// The kinds of entries; empty for all.
    pub kinds: Vec<String>,
    /// The maximum number of entries; 0 for no maximum.
    pub limit: usize,
}

impl HistoryFilter {
    /// True if an entry is wanted.
    pub fn matches(&self, entry: &HistoryEntry) -> bool {
        let same = |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || wanted == has;
        self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at <= until)
            && self.before.is_none_or(|before| entry.n < before)
            && same(&self.alarm, &entry.alarm)
            && same(&self.key, &entry.key)
            && same(&self.host, &entry.host)
            && same(&self.resource, &entry.resource)
            && same(&self.reaction, &entry.reaction)
            && self.run.is_none_or(|run| entry.run == Some(run))
            && (self.kinds.is_empty() || self.kinds.contains(&entry.kind))
    }
}
