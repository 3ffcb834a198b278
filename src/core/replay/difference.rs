//! Compares what a site decided with what other rules decide from the same inputs.
//!
//! Decisions are about alarms and reactions: an alarm is raised or cleared, a reaction is started. Two decisions are equal if they
//! are about the same and nearly at the same time ([`SiteDecision::tolerance`]). A decision without an equal one on the other side
//! is a [`Difference`] when that time has passed. So only the decisions of the last minute are kept.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde::Serialize;

use crate::core::base::time::Time;
use crate::core::engine;
use crate::core::journal::Record;
use crate::core::react;

/// A running controller reads its clock, and takes inputs one after the other.
const SOON: Duration = Duration::from_secs(1);
/// How long a reaction may wait for the run before it, and a script's `alarm.clear` for the steps before it. A replay's hosts obey
/// at once.
const AFTER_A_RUN: Duration = Duration::from_secs(60);

/// What a decision does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteDecisionKind {
    Raised,
    Cleared,
    /// A reaction is started.
    Started,
}

impl SiteDecisionKind {
    pub fn name(self) -> &'static str {
        match self {
            SiteDecisionKind::Raised => "raised",
            SiteDecisionKind::Cleared => "cleared",
            SiteDecisionKind::Started => "started",
        }
    }
}

/// The subject of a decision: kind, alarm, key, reaction.
type Identity = (SiteDecisionKind, String, String, String);

/// A decision about an alarm or a reaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SiteDecision {
    pub at: Time,
    pub kind: SiteDecisionKind,
    pub alarm: String,
    /// The key, as shown; empty if the alarm has none.
    pub key: String,
    /// The reaction that is started; empty for alarms.
    pub reaction: String,
    /// The summary of an alarm, or why it is cleared.
    pub text: String,
    /// It follows from a run, which takes longer with real hosts.
    #[serde(skip)]
    of_run: bool,
}

impl SiteDecision {
    /// The decision of a record of the journal; `None` for other records.
    pub fn of(record: &Record) -> Option<SiteDecision> {
        let (at, kind, alarm, key) = match record {
            Record::Alarm(engine::Record::Raised { alarm, key, at, .. }) => {
                (*at, SiteDecisionKind::Raised, alarm.clone(), key.to_string())
            }
            Record::Alarm(engine::Record::Cleared { alarm, key, at, .. }) => {
                (*at, SiteDecisionKind::Cleared, alarm.clone(), key.to_string())
            }
            Record::Run(react::Record::Wanted { bound, key, at, .. }) => {
                let alarm = bound.call.alarm.get("name").map(ToString::to_string).unwrap_or_default();
                (*at, SiteDecisionKind::Started, alarm, key.clone())
            }
            _ => return None,
        };
        // A pattern that is a condition of its own is not an alarm of anybody.
        if alarm.starts_with("pattern ") {
            return None;
        }
        let mut decision = SiteDecision { at, kind, alarm, key, reaction: String::new(), text: String::new(), of_run: false };
        match record {
            Record::Alarm(engine::Record::Raised { summary, .. }) => decision.text.clone_from(summary),
            Record::Alarm(engine::Record::Cleared { cause, .. }) => {
                decision.text = cause.to_string();
                decision.of_run = matches!(cause, engine::Cause::ByHand(_));
            }
            Record::Run(react::Record::Wanted { bound, .. }) => {
                decision.reaction.clone_from(&bound.reaction);
                decision.of_run = true;
            }
            _ => {}
        }
        Some(decision)
    }

    /// How far apart in time two equal decisions may be.
    fn tolerance(&self) -> Duration {
        if self.of_run { AFTER_A_RUN } else { SOON }
    }

    fn identity(&self) -> Identity {
        (self.kind, self.alarm.clone(), self.key.clone(), self.reaction.clone())
    }
}

/// Who made a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// The site that wrote the journal.
    Site,
    /// The rules that are compared with it.
    Rules,
}

/// A decision that only one side made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub by: DecidedBy,
    #[serde(flatten)]
    pub decision: SiteDecision,
    /// The number of the journal's record that caused it; 0 if time passed, or if the site's rules did not want the record.
    pub record: u64,
    /// What the input was that caused it.
    pub cause: String,
}

/// Two streams of decisions, side by side.
#[derive(Debug, Default)]
pub(super) struct DecisionStreams {
    waiting: BTreeMap<Identity, VecDeque<(u64, Difference)>>,
    /// When each of them becomes a difference.
    due: BTreeSet<(Time, u64, Identity)>,
    /// Instances that were active at the site before the comparison began, and that neither side has changed since.
    before: BTreeSet<(String, String)>,
    /// An instance that is active by the other rules now as well, and since when: what it starts is not compared.
    adopted: Option<((String, String), Time)>,
    /// Instances that were raised since the comparison began. Of others, only one side knows.
    raised: [BTreeSet<(String, String)>; 2],
    next: u64,
    pub(super) equal: u64,
}

impl DecisionStreams {
    /// The comparison begins now: what differed up to here is forgotten. These instances are active at the site: alarm and key, as
    /// shown.
    pub(super) fn begin(&mut self, active: impl IntoIterator<Item = (String, String)>) {
        self.certain(None);
        self.equal = 0;
        let [by_site, _] = &self.raised;
        self.before = active.into_iter().filter(|instance| !by_site.contains(instance)).collect();
    }

    /// True for a decision that follows from what was before the comparison began.
    fn is_of_before(&mut self, one: &Difference, instance: &(String, String)) -> bool {
        match (one.by, one.decision.kind) {
            (DecidedBy::Rules, SiteDecisionKind::Raised) if self.before.remove(instance) => {
                for raised in &mut self.raised {
                    raised.insert(instance.clone());
                }
                self.adopted = Some((instance.clone(), one.decision.at));
                true
            }
            (DecidedBy::Rules, SiteDecisionKind::Started) => {
                self.adopted.as_ref().is_some_and(|(same, at)| same == instance && *at == one.decision.at)
            }
            (DecidedBy::Site, SiteDecisionKind::Cleared) => self.before.remove(instance),
            _ => false,
        }
    }

    /// Takes the next decision of one side.
    pub(super) fn decided(&mut self, one: Difference) {
        let instance = (one.decision.alarm.clone(), one.decision.key.clone());
        if self.is_of_before(&one, &instance) {
            return;
        }
        let raised = &mut self.raised[usize::from(one.by == DecidedBy::Rules)];
        let known = match one.decision.kind {
            SiteDecisionKind::Raised => {
                raised.insert(instance);
                true
            }
            SiteDecisionKind::Cleared => raised.remove(&instance),
            SiteDecisionKind::Started => true,
        };
        if !known {
            return;
        }
        let identity = one.decision.identity();
        let tolerance = one.decision.tolerance();
        let queue = self.waiting.entry(identity.clone()).or_default();
        let near = |other: &Difference| {
            other.by != one.by && other.decision.at.offset_from(one.decision.at).unsigned_abs() <= tolerance.as_micros() as u64
        };
        match queue.iter().position(|(_, other)| near(other)) {
            Some(n) => {
                if let Some((number, other)) = queue.remove(n) {
                    self.due.remove(&(other.decision.at + tolerance, number, identity.clone()));
                }
                self.equal += 1;
            }
            None => {
                self.next += 1;
                self.due.insert((one.decision.at + tolerance, self.next, identity.clone()));
                queue.push_back((self.next, one));
            }
        }
        if queue.is_empty() {
            self.waiting.remove(&identity);
        }
    }

    /// The differences that are certain at this time, in the order of time; all of them if there is no time.
    pub(super) fn certain(&mut self, now: Option<Time>) -> Vec<Difference> {
        let mut found = Vec::new();
        while let Some((at, number, identity)) = self.due.first().cloned() {
            if now.is_some_and(|now| at >= now) {
                break;
            }
            self.due.pop_first();
            let Some(queue) = self.waiting.get_mut(&identity) else { continue };
            let place = queue.iter().position(|(other, _)| *other == number);
            found.extend(place.and_then(|n| queue.remove(n)).map(|(_, difference)| difference));
            if queue.is_empty() {
                self.waiting.remove(&identity);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(by: DecidedBy, ms: i64, kind: SiteDecisionKind, key: &str) -> Difference {
        let (alarm, at) = ("a".to_owned(), Time::from_millis(ms));
        let (reaction, text) = (String::new(), String::new());
        let decision =
            SiteDecision { at, kind, alarm, key: key.to_owned(), reaction, text, of_run: kind == SiteDecisionKind::Started };
        Difference { by, decision, record: 0, cause: String::new() }
    }

    #[test]
    fn what_was_active_before_is_no_difference() {
        use DecidedBy::{Rules, Site};
        use SiteDecisionKind::{Cleared, Raised, Started};
        let mut both = DecisionStreams::default();
        both.begin(["x", "y"].map(|key| ("a".to_owned(), key.to_owned())));
        // The site counts a repeat, and the other rules raise it. Then both end it.
        both.decided(one(Rules, 1_000, Raised, "x"));
        both.decided(one(Rules, 1_000, Started, "x"));
        both.decided(one(Rules, 2_000, Cleared, "x"));
        both.decided(one(Site, 2_000, Cleared, "x"));
        // The other rules never process this one.
        both.decided(one(Site, 3_000, Cleared, "y"));
        both.decided(one(Rules, 9_000, Raised, "y"));
        assert_eq!(both.certain(None), [one(Rules, 9_000, Raised, "y")]);
        assert_eq!(both.equal, 1);
    }

    #[test]
    fn equal_decisions_meet_and_others_are_differences() {
        use DecidedBy::{Rules, Site};
        use SiteDecisionKind::{Cleared, Raised, Started};
        let mut both = DecisionStreams::default();
        // One side knows of an alarm that was raised before.
        both.decided(one(Site, 0, Cleared, "before"));
        both.decided(one(Site, 1_000, Raised, "x"));
        both.decided(one(Rules, 1_400, Raised, "x"));
        both.decided(one(Site, 1_000, Started, "x"));
        both.decided(one(Rules, 3_000, Raised, "y"));
        both.decided(one(Site, 9_000, Raised, "y"));
        assert_eq!(both.certain(Some(Time::from_millis(4_000))), []);
        assert_eq!(both.certain(Some(Time::from_millis(4_001))), [one(Rules, 3_000, Raised, "y")]);
        both.decided(one(Rules, 40_000, Started, "x"));
        both.decided(one(Site, 41_000, Cleared, "x"));
        assert_eq!(both.certain(None), [one(Site, 9_000, Raised, "y"), one(Site, 41_000, Cleared, "x")]);
        assert_eq!((both.equal, both.waiting.len()), (2, 0));
    }
}
