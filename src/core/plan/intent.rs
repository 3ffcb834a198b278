//! Intents: what a script or an operator asks of the planner.

use serde::{Deserialize, Serialize};

use crate::core::base::time::Time;
use crate::core::inventory::Name;

/// What a script or an operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IntentVerb {
    /// The host becomes the desired owner, and the other hosts release the resource.
    Up,
    /// The host must not hold the resource; the desired owner does not change.
    Down,
}

/// An intent. It is recorded and does not wait for its effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    pub resource: Name,
    pub verb: IntentVerb,
    pub host: Name,
    /// The sequence of the input that caused the intent. Older intents are refused.
    #[serde(rename = "order")]
    pub sequence: u64,
    /// An operator asked for it. Intents of operators are not damped.
    pub operator: bool,
    /// When the cause of the intent happened: the claim, the event, the command. `None` in journals of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

/// The result of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The intent is recorded, and the planner carries it out.
    Yes,
    /// The intent is recorded and waits: the resource's blocked reason says why.
    Held,
    /// An intent with a higher sequence is recorded already. This is a normal result.
    Superseded,
    /// There is no such resource, or the host has no placement for it.
    Unknown,
}
