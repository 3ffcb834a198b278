//! The calendars of recurring maintenance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Name;

/// The calendars by which parts of the inventory are in maintenance: names of calendars in the rules, by name of the part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceCalendars {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<Name, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub applications: BTreeMap<Name, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pairs: BTreeMap<Name, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<Name, String>,
}

impl MaintenanceCalendars {
    /// True when nothing has recurring maintenance.
    pub fn is_empty(&self) -> bool {
        *self == MaintenanceCalendars::default()
    }

    /// What each calendar is for, with the name of the part and of its calendar.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Name, &String)> {
        let named =
            [("host", &self.hosts), ("application", &self.applications), ("pair", &self.pairs), ("resource", &self.resources)];
        named.into_iter().flat_map(|(what, map)| map.iter().map(move |(name, calendar)| (what, name, calendar)))
    }
}
