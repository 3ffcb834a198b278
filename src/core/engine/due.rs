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
        let over = self.active().filter_map(|(alarm, key, i)| Some((i.due?, Due::Expires, alarm.to_owned(), key.clone())));
        let held =
            self.all_inhibited().filter_map(|(alarm, key, h)| Some((h.over?, Due::Suppressed, alarm.to_owned(), key.clone())));
        let awaited = self.all_pending().map(|(alarm, key, w)| (w.due, Due::Pending, alarm.to_owned(), key.clone()));
        let put_off = self.all_throttled().map(|(alarm, group, p)| (p.due, Due::Throttled, alarm.to_owned(), group.clone()));
        let measured =
            self.all_measured().filter_map(|(alarm, key, m)| Some((m.due?, Due::Measured, alarm.to_owned(), key.clone())));
        let acked = self.acks_that_end().map(|(at, alarm, key)| (at, Due::AckExpires, alarm.to_owned(), key.clone()));
        over.chain(held).chain(awaited).chain(put_off).chain(measured).chain(acked).collect()
    }

    /// The deadlines that a record may change, as they are now.
    pub(super) fn due_of(&self, record: &Record) -> [Option<(Time, Due)>; 2] {
        let over = |alarm, key| self.instance(alarm, key).and_then(|i| i.due).map(|at| (at, Due::Expires));
        let awaited = |alarm, key| self.waiting(alarm, key).map(|w| (w.due, Due::Pending));
        let held = |alarm, key| self.inhibited(alarm, key).and_then(|h| h.over).map(|at| (at, Due::Suppressed));
        let measured = |alarm, key| self.measured(alarm, key).and_then(|m| m.due).map(|at| (at, Due::Measured));
        let acked = |alarm, key| self.acknowledgement(alarm, key).and_then(|a| a.until).map(|at| (at, Due::AckExpires));
        let put_off = |alarm, group| self.starts(alarm, group).and_then(|s| s.put_off.as_ref()).map(|p| (p.due, Due::Throttled));
        match record {
            Record::Raised { alarm, key, .. } | Record::Repeated { alarm, key, .. } | Record::Cleared { alarm, key, .. } => {
                [over(alarm, key), acked(alarm, key)]
            }
            Record::Acked { alarm, key, .. } | Record::AckEnded { alarm, key, .. } => [acked(alarm, key), None],
            Record::Awaited { alarm, key, .. } => [awaited(alarm, key), None],
            Record::Inhibited { alarm, key, .. } => [held(alarm, key), None],
            Record::Judged { alarm, key, .. } => [measured(alarm, key), None],
            Record::Forgotten { alarm, key, .. } => [awaited(alarm, key), measured(alarm, key)],
            Record::Started { alarm, group, .. } | Record::PutOff { alarm, group, .. } => [put_off(alarm, group), None],
            _ => [None, None],
        }
    }
}
