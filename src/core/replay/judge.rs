//! Compares a rule test with what happened: what was expected, what happened, and what came nearest.

use std::collections::BTreeMap;

use crate::core::base::time::Time;
use crate::core::control::Controller;

use super::Replay;
use super::test_file::RuleTest;
use super::timeline::{EntryKind, TimelineEntry};

/// How many entries are shown as what happened instead.
const GOT: usize = 3;

/// An expectation of a test that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was expected and did not happen, or happened and must not.
    pub text: String,
    /// The expectation in the test.
    pub at: MismatchPlace,
    /// The entries of the timeline that came nearest to it.
    pub got: Vec<String>,
    /// The alarm that was expected to be raised or cleared, with its key if the test names one.
    pub alarm: Option<(String, Option<String>)>,
}

/// The expectation of a test that was not met, by its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MismatchPlace {
    /// The test cannot be carried out as it is written.
    Test,
    Must(usize),
    MustNot(usize),
    Ends,
}

impl Mismatch {
    pub(super) fn new(at: MismatchPlace, text: String) -> Mismatch {
        Mismatch { text, at, got: Vec::new(), alarm: None }
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// The result of a test.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The expectations that were not met; empty if the test passed.
    pub wrong: Vec<Mismatch>,
    /// The timeline, for people who look into it.
    pub entries: Vec<TimelineEntry>,
}

pub(super) fn judge(test: &RuleTest, entries: &[TimelineEntry], replay: &Replay, wrong: &mut Vec<Mismatch>) {
    let mut from = 0;
    for (n, want) in test.must.iter().enumerate() {
        match entries[from..].iter().position(|e| fits(e, want)) {
            Some(at) => from += at + 1,
            None => {
                let before = entries.iter().any(|e| fits(e, want));
                let hint = if before { " (it happened, but earlier than what is listed before it)" } else { "" };
                wrong.push(Mismatch {
                    got: if before { Vec::new() } else { nearest(entries, want) },
                    alarm: if before { None } else { alarm_of(want) },
                    ..Mismatch::new(MismatchPlace::Must(n), format!("must: {} did not happen{hint}", shown(want)))
                });
            }
        }
    }
    for (n, want) in test.must_not.iter().enumerate() {
        if let Some(entry) = entries.iter().find(|e| fits(e, want)) {
            let text = format!("must_not: {} happened: {}", shown(want), entry.human(false));
            wrong.push(Mismatch { alarm: alarm_of(want), ..Mismatch::new(MismatchPlace::MustNot(n), text) });
        }
    }
    let mut at_the_end = |text: String| wrong.push(Mismatch::new(MismatchPlace::Ends, text));
    let Some(controller) = replay.controller() else {
        if !test.ends.owners.is_empty() {
            at_the_end("ends: the controller is stopped at the end".to_owned());
        }
        return;
    };
    ends(test, replay, controller, &mut at_the_end);
}

fn fits(entry: &TimelineEntry, want: &BTreeMap<String, String>) -> bool {
    want.iter().all(|(name, value)| fits_field(entry, name, value))
}

fn fits_field(entry: &TimelineEntry, name: &str, value: &str) -> bool {
    match name {
        "at" => Time::parse_rfc3339(value) == Some(entry.at),
        name => entry.field(name).is_some_and(|have| have == value),
    }
}

/// The entries that have most in common with an expected one.
fn nearest(entries: &[TimelineEntry], want: &BTreeMap<String, String>) -> Vec<String> {
    let alike = |e: &TimelineEntry| want.iter().filter(|(name, value)| fits_field(e, name, value)).count();
    let most = entries.iter().map(alike).max().unwrap_or_default();
    // An entry that has only its kind in common is no help.
    if most < 2 && want.len() > 1 {
        return Vec::new();
    }
    entries.iter().filter(|e| alike(e) == most && most > 0).take(GOT).map(|e| e.human(false)).collect()
}

/// The alarm of an expected entry, if it says that an alarm was raised or cleared, or that a run of its reactions began.
fn alarm_of(want: &BTreeMap<String, String>) -> Option<(String, Option<String>)> {
    let text = |name: &str| want.get(name).cloned();
    let kinds = [EntryKind::AlarmRaised, EntryKind::AlarmCleared, EntryKind::RunStarted, EntryKind::Notice].map(EntryKind::name);
    text("kind").filter(|kind| kinds.contains(&kind.as_str()))?;
    Some((text("alarm")?, text("key")))
}

fn ends(test: &RuleTest, replay: &Replay, controller: &Controller, wrong: &mut dyn FnMut(String)) {
    let planner = controller.planner();
    for (resource, owner) in &test.ends.owners {
        let have = planner.owner(resource).map_or("nobody", String::as_str);
        if have != owner {
            wrong(format!("ends: the desired owner of {resource} is {have}, not {owner}"));
        }
    }
    for (resource, holders) in &test.ends.holders {
        let have = replay.hosts.holders(resource);
        if &have != holders {
            wrong(format!("ends: {resource} is held by [{}], not by [{}]", have.join(", "), holders.join(", ")));
        }
    }
    for (resource, reason) in &test.ends.held {
        let have = planner.held(resource).unwrap_or_else(|| "in its place".to_owned());
        if !have.contains(reason.as_str()) {
            wrong(format!("ends: {resource} is {have}, not held because of `{reason}`"));
        }
    }
    if let Some(want) = &test.ends.alarms {
        let mut have: Vec<String> = controller
            .alarms()
            .active()
            .map(|(alarm, key, _)| if key.is_empty() { alarm.to_owned() } else { format!("{alarm} [{key}]") })
            .collect();
        have.sort();
        let mut want = want.clone();
        want.sort();
        if have != want {
            wrong(format!("ends: the active alarms are [{}], not [{}]", have.join(", "), want.join(", ")));
        }
    }
}

fn shown(want: &BTreeMap<String, String>) -> String {
    let parts: Vec<String> = want.iter().map(|(k, v)| format!("{k}: {v}")).collect();
    format!("{{ {} }}", parts.join(", "))
}
