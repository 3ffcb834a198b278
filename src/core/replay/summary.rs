//! The counts of a dry run by alarm, reaction and resource, made from the entries of a timeline.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::notice::Kind;

use super::timeline::{EntryKind, TimelineEntry};

/// The greatest number of instances whose beginning is remembered.
const ACTIVE: usize = 100_000;

/// The counts of one alarm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmSummary {
    pub raised: u64,
    pub first: Option<Time>,
    pub last: Option<Time>,
    /// The longest time for which an instance was active. For one that is active at the end, the time up to the end counts.
    pub longest: Option<Duration>,
    /// How often it was suppressed or delayed by its calendars.
    pub suppressed: u64,
    /// How often its reactions were throttled or not started.
    pub throttled: u64,
}

/// The counts of the runs of one reaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReactionSummary {
    pub runs: u64,
    pub finished: u64,
    pub failed: u64,
    /// Runs that ended in another way: replaced, expired.
    pub other: u64,
}

/// The counts of a dry run.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    pub alarms: BTreeMap<String, AlarmSummary>,
    pub reactions: BTreeMap<String, ReactionSummary>,
    /// By resource and host: how often the host took the resource.
    pub moves: BTreeMap<(String, String), u64>,
    active: BTreeMap<(String, String), Time>,
}

impl Summary {
    /// Counts one entry of the timeline.
    pub fn add(&mut self, entry: &TimelineEntry) {
        let key = || entry.key.clone().unwrap_or_default();
        match (entry.kind, &entry.alarm) {
            (EntryKind::AlarmRaised, Some(alarm)) => {
                let of = self.alarms.entry(alarm.clone()).or_default();
                of.raised += 1;
                of.first = of.first.or(Some(entry.at));
                of.last = Some(entry.at);
                if self.active.len() < ACTIVE {
                    self.active.insert((alarm.clone(), key()), entry.at);
                }
            }
            (EntryKind::AlarmCleared, Some(alarm)) => {
                if let Some(since) = self.active.remove(&(alarm.clone(), key())) {
                    let of = self.alarms.entry(alarm.clone()).or_default();
                    of.longest = of.longest.max(Some(entry.at.since(since)));
                }
            }
            (EntryKind::Notice, Some(alarm)) => match entry.result.as_deref().and_then(Kind::parse) {
                Some(Kind::Suppressed | Kind::NotNow) => self.alarms.entry(alarm.clone()).or_default().suppressed += 1,
                Some(Kind::Throttled | Kind::Late | Kind::NotStarted) => {
                    self.alarms.entry(alarm.clone()).or_default().throttled += 1
                }
                _ => {}
            },
            (EntryKind::RunStarted, _) => self.reactions.entry(entry.reaction.clone().unwrap_or_default()).or_default().runs += 1,
            (EntryKind::RunFinished, _) => {
                let of = self.reactions.entry(entry.reaction.clone().unwrap_or_default()).or_default();
                match entry.result.as_deref() {
                    Some("finished") => of.finished += 1,
                    Some("failed") => of.failed += 1,
                    _ => of.other += 1,
                }
            }
            (EntryKind::Step, _) if entry.verb.as_deref() == Some("taken") => {
                if let (Some(resource), Some(host)) = (&entry.resource, &entry.host) {
                    *self.moves.entry((resource.clone(), host.clone())).or_default() += 1;
                }
            }
            _ => {}
        }
    }

    /// The log has ended: what is still active was active up to here.
    pub fn end(&mut self, at: Time) {
        for ((alarm, _), since) in std::mem::take(&mut self.active) {
            if let Some(of) = self.alarms.get_mut(&alarm) {
                of.longest = of.longest.max(Some(at.since(since)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_counted() {
        let entry = |s: i64, kind, result: Option<&str>| {
            let mut entry = TimelineEntry::new(Time::from_millis(s * 1_000), kind);
            (entry.alarm, entry.key, entry.reaction) = (Some("a".to_owned()), Some("k".to_owned()), Some("r".to_owned()));
            entry.result = result.map(str::to_owned);
            entry
        };
        let mut summary = Summary::default();
        for one in [
            entry(1, EntryKind::AlarmRaised, None),
            entry(1, EntryKind::RunStarted, None),
            entry(2, EntryKind::RunFinished, Some("failed")),
            entry(9, EntryKind::AlarmCleared, Some("after")),
            entry(10, EntryKind::Notice, Some("put_off")),
            entry(11, EntryKind::AlarmRaised, None),
        ] {
            summary.add(&one);
        }
        summary.end(Time::from_millis(14_000));
        let of = &summary.alarms["a"];
        assert_eq!((of.raised, of.throttled, of.longest), (2, 1, Some(Duration::from_secs(8))));
        assert_eq!(of.first.zip(of.last), Some((Time::from_millis(1_000), Time::from_millis(11_000))));
        assert_eq!(summary.reactions["r"], ReactionSummary { runs: 1, failed: 1, ..ReactionSummary::default() });
    }
}
