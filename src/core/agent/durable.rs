//! What an agent keeps on disk.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::inventory::Name;
use crate::core::wire::{Electorate, Generation, LocalPlacement, Terms};

/// What an agent keeps on disk: the controller that it obeys, and what it obeyed last. Written and synced before it takes effect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durable {
    /// The only controller that it obeys: the first one that sent a command.
    pub controller: Option<u64>,
    pub marks: BTreeMap<Name, AgentMark>,
    /// For each resource, the hosts for which it may vote.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub electorates: BTreeMap<Name, Electorate>,
    /// The longest promise that it ever gave as a voter. Zero if it never gave one.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub longest_promise: Duration,
}

impl Durable {
    /// Allows the next controller that sends a command to be obeyed. Generations of the last one are forgotten; what is held
    /// stays.
    pub fn adopt(&mut self) {
        self.controller = None;
        self.electorates.clear();
        self.marks.values_mut().for_each(|mark| mark.generation = Generation::NONE);
    }
}

/// What is on disk about one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentMark {
    /// The newest generation that was obeyed.
    pub generation: Generation,
    /// Its command was to hold the resource, and that has not ended.
    pub want: bool,
    pub terms: Option<Terms>,
    /// Where it was last brought up, by the host's own list at that time; `None` if an earlier version did that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<LocalPlacement>,
}
