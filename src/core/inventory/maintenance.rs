//! The calendars of recurring maintenance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Name;

/// The calendars of recurring maintenance: names of calendars in the rules, by the name of a part of the inventory.
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
    /// True if no part of the inventory has recurring maintenance.
    pub fn is_empty(&self) -> bool {
        *self == MaintenanceCalendars::default()
    }

    /// The kind and the name of each part with recurring maintenance, and its calendar.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Name, &String)> {
        let named =
            [("host", &self.hosts), ("application", &self.applications), ("pair", &self.pairs), ("resource", &self.resources)];
        named.into_iter().flat_map(|(what, map)| map.iter().map(move |(name, calendar)| (what, name, calendar)))
    }
}
