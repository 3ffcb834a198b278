//! What the planner knows of one host since the controller's start, mostly from the host's last report.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::core::base::limits::{HEARTBEAT, HOST_LOST};
use crate::core::base::time::Time;
use crate::core::inventory::Name;
use crate::core::wire::{Echo, LinkState, LocalPlacement, ResourceStatus};

/// A host that has not reported for so long has missed two beats.
const SUSPECTED: Duration = Duration::from_millis(HEARTBEAT.as_millis() as u64 * 5 / 2);

/// What the planner knows of one host since the controller's start.
#[derive(Clone, Debug, Default)]
pub(super) struct HostView {
    pub(super) beat: Echo,
    pub(super) last_report_at: Option<Time>,
    /// The host missed two beats. Under `probe` a taker begins to listen, and stops when the host reports again.
    pub(super) suspected: bool,
    pub(super) lost: bool,
    /// The host obeys another controller.
    pub(super) foreign: bool,
    /// The links of its placements, by resource.
    pub(super) links: BTreeMap<Name, Link>,
    /// The agent supports `quorum`.
    pub(super) votes: bool,
    /// What the host's own list says.
    pub(super) places: BTreeMap<Name, LocalPlacement>,
    /// Resources that the host holds and that another station claims.
    pub(super) rivals: BTreeSet<Name>,
    /// The host reports what cannot be, and people have been notified of that.
    pub(super) implausible: bool,
    /// When the host was last told for which hosts it may vote.
    pub(super) electorates_sent_at: Option<Time>,
    pub(super) resources: BTreeMap<Name, ResourceStatus>,
}

/// The link of one placement, as its agent reported it last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Link {
    pub(super) state: LinkState,
    /// When the link was lost, or came back, on the controller's clock.
    pub(super) since: Time,
    /// The last state that people were notified of: lost (`true`) or not.
    pub(super) notified: Option<bool>,
}

impl HostView {
    pub(super) fn reachable(&self) -> bool {
        self.last_report_at.is_some() && !self.lost
    }

    /// True if the host is connected and obeys this controller.
    pub(super) fn obeys(&self) -> bool {
        self.reachable() && !self.foreign
    }

    pub(super) fn seen(&self, resource: &str) -> ResourceStatus {
        self.resources.get(resource).cloned().unwrap_or_default()
    }

    /// When the host counts as suspected or lost if it stays silent; `None` if it is lost, or was never heard.
    pub(super) fn silent_at(&self) -> Option<Time> {
        let last_report_at = self.last_report_at.filter(|_| !self.lost)?;
        Some(last_report_at + if self.suspected { HOST_LOST } else { SUSPECTED })
    }

    /// Counts the host as suspected, then as lost, if it has been silent for so long. True if that is new.
    pub(super) fn lose_if_silent(&mut self, now: Time) -> bool {
        let Some(last_report_at) = self.last_report_at.filter(|_| !self.lost) else { return false };
        let before = (self.suspected, self.lost);
        self.suspected |= now >= last_report_at + SUSPECTED;
        self.lost = now >= last_report_at + HOST_LOST;
        (self.suspected, self.lost) != before
    }
}
