//! What falls due: the deadlines of a state, which the engine keeps sorted by time.

use std::collections::BTreeSet;

use crate::core::base::time::Time;

use super::key::Key;
use super::record::Record;
use super::state::State;

/// What happens at a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A pending condition fires.
    Pending,
    /// A measure is evaluated again.
    Measured,
    /// A calendar begins or ends.
    Calendar,
    /// Throttled reactions may start.
    Throttled,
    /// A suppressed alarm would expire.
    Suppressed,
    /// The acknowledgement of an alarm expires.
    AckExpires,
    /// An instance of an alarm expires.
    Expires,
}

impl State {
    /// All deadlines, with their alarms and keys.
    pub(super) fn all_due(&self) -> BTreeSet<(Time, Due, String, Key)> {
        let expires = self.active().filter_map(|(alarm, key, i)| Some((i.due?, Due::Expires, alarm.to_owned(), key.clone())));
        let suppressed =
            self.all_suppressed().filter_map(|(alarm, key, s)| Some((s.over?, Due::Suppressed, alarm.to_owned(), key.clone())));
        let pending = self.all_pending().map(|(alarm, key, p)| (p.due, Due::Pending, alarm.to_owned(), key.clone()));
        let throttled = self.all_throttled().map(|(alarm, group, t)| (t.due, Due::Throttled, alarm.to_owned(), group.clone()));
        let measured =
            self.all_measured().filter_map(|(alarm, key, m)| Some((m.due?, Due::Measured, alarm.to_owned(), key.clone())));
        let acked = self.acks_that_end().map(|(at, alarm, key)| (at, Due::AckExpires, alarm.to_owned(), key.clone()));
        expires.chain(suppressed).chain(pending).chain(throttled).chain(measured).chain(acked).collect()
    }

    /// The deadlines that a record may change, as they are now.
    pub(super) fn due_of(&self, record: &Record) -> [Option<(Time, Due)>; 2] {
        let expires = |alarm, key| self.instance(alarm, key).and_then(|i| i.due).map(|at| (at, Due::Expires));
        let pending = |alarm, key| self.pending(alarm, key).map(|p| (p.due, Due::Pending));
        let suppressed = |alarm, key| self.suppressed(alarm, key).and_then(|s| s.over).map(|at| (at, Due::Suppressed));
        let measured = |alarm, key| self.measured(alarm, key).and_then(|m| m.due).map(|at| (at, Due::Measured));
        let acked = |alarm, key| self.acknowledgement(alarm, key).and_then(|a| a.until).map(|at| (at, Due::AckExpires));
        let throttled =
            |alarm, group| self.starts(alarm, group).and_then(|s| s.throttled.as_ref()).map(|p| (p.due, Due::Throttled));
        match record {
            Record::Raised { alarm, key, .. } | Record::Repeated { alarm, key, .. } | Record::Cleared { alarm, key, .. } => {
                [expires(alarm, key), acked(alarm, key)]
            }
            Record::Acked { alarm, key, .. } | Record::AckEnded { alarm, key, .. } => [acked(alarm, key), None],
            Record::Pending { alarm, key, .. } => [pending(alarm, key), None],
            Record::Suppressed { alarm, key, .. } => [suppressed(alarm, key), None],
            Record::Judged { alarm, key, .. } => [measured(alarm, key), None],
            Record::Forgotten { alarm, key, .. } => [pending(alarm, key), measured(alarm, key)],
            Record::Started { alarm, group, .. } | Record::Throttled { alarm, group, .. } => [throttled(alarm, group), None],
            _ => [None, None],
        }
    }
}
