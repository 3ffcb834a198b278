//! What happened to one alarm through a whole log: the records that matched its condition, the closest others, the decisions
//! of the engine.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::base::time::Time;
use crate::core::event::Event;
use crate::core::lang::program::{Alarm, Atom, AtomId, Cancel, Program, Shape, Signal};
use crate::core::replay::{DecisionOfLine, EntryKind, TimelineEntry};
use crate::core::site::Site;

use super::condition::{ConditionReport, ConditionUse, LowerText, score};

/// Maximum number of nearly matching records that are kept for a part of a condition.
const NEAREST: usize = 3;
/// Maximum number of decisions and entries that are kept of an alarm; further ones are only counted.
const KEPT: usize = 10_000;
/// Maximum number of keys of an alarm that are remembered.
const KEYS: usize = 1_000;
/// Maximum depth to which alarms about alarms are followed.
const DEPTH: usize = 4;

/// A record that nearly matched a part of a condition.
#[derive(Clone, Debug)]
pub(super) struct NearRecord {
    pub(super) line: u64,
    pub(super) text: String,
    score: usize,
    pub(super) report: ConditionReport,
}

/// A part of an alarm's condition, or what cancels it.
#[derive(Clone, Debug)]
pub(super) struct PartStory {
    pub(super) is: ConditionUse,
    pub(super) atoms: Vec<AtomId>,
    /// Records that matched it, with the first and the last of them.
    pub(super) matched: u64,
    pub(super) first: Option<u64>,
    pub(super) last: Option<u64>,
    /// The closest records that did not match.
    pub(super) near: Vec<NearRecord>,
    /// The alarms whose changes it is about; empty when it is about records.
    pub(super) about: BTreeSet<String>,
}

/// What happened to one alarm.
#[derive(Clone, Debug)]
pub struct AlarmStory {
    pub(super) alarm: Alarm,
    /// Only this key is of interest, as people write it.
    pub(super) key: Option<String>,
    pub(super) parts: Vec<PartStory>,
    pub(super) decisions: Vec<DecisionOfLine>,
    /// Entries of the timeline about it: reactions, notices.
    pub(super) entries: Vec<TimelineEntry>,
    /// The keys of all decisions, as people write them.
    pub(super) keys: BTreeSet<String>,
    pub(super) lines: u64,
    pub(super) ignored: u64,
    /// The `ignore` rules that hid records, with their places.
    pub(super) ignored_by: BTreeSet<String>,
    /// True if it is read from logs: time goes on behind the last record only as far as pending decisions need.
    pub(super) of_logs: bool,
    /// The latest time of a record.
    pub(super) last_record: Option<Time>,
    /// The number of decisions that were not kept, because there were too many.
    pub(super) dropped: u64,
    /// The stories of the alarms that the condition of this one is about.
    pub(super) about: BTreeMap<String, AlarmStory>,
}

/// Empty stories of an alarm and of those that its condition is about, and the names of the alarms whose decisions they need.
///
/// # Errors
/// There is no such alarm; the message names the nearest.
pub fn stories_of(program: &Program, name: &str, key: Option<&str>) -> Result<(AlarmStory, BTreeSet<String>), String> {
    let mut names = BTreeSet::new();
    let found = story_of(program, name, key, DEPTH, &mut names);
    found.map(|story| (story, names)).ok_or_else(|| {
        let all = program.alarms.iter().map(|a| a.name.as_str());
        format!("the rules have no alarm {name}{}", crate::core::diag::suggest::hint(name, all))
    })
}

fn story_of(program: &Program, name: &str, key: Option<&str>, depth: usize, names: &mut BTreeSet<String>) -> Option<AlarmStory> {
    let alarm = program.alarms.iter().find(|a| a.name == name)?;
    names.insert(name.to_owned());
    let count = alarm.detect.parts.len();
    let is_state = matches!(alarm.detect.shape, Shape::States(_));
    let mut parts: Vec<PartStory> = Vec::new();
    for (n, atoms) in alarm.detect.parts.iter().enumerate() {
        let parts_of = if is_state { 1 } else { count };
        let is = ConditionUse::Detect { alarm: name.to_owned(), part: n + 1, parts: parts_of };
        parts.push(part(program, is, atoms));
    }
    for cancel in &alarm.cancel {
        if let Cancel::When(atoms) | Cancel::Measured { of: atoms, .. } = cancel {
            parts.push(part(program, ConditionUse::Cancel { alarm: name.to_owned() }, atoms));
        }
    }
    if !alarm.detect.unless.is_empty() {
        parts.push(part(program, ConditionUse::Unless { alarm: name.to_owned() }, &alarm.detect.unless));
    }
    let mut about = BTreeMap::new();
    let mut wanted: BTreeSet<String> = parts.iter().flat_map(|p| p.about.iter().cloned()).collect();
    if let Shape::States(states) = &alarm.detect.shape {
        wanted.extend(states.terms.iter().filter_map(|t| t.alarm().map(str::to_owned)));
    }
    if let Shape::Standing { alarm, .. } = &alarm.detect.shape {
        wanted.insert(alarm.clone());
    }
    wanted.extend(alarm.only_while.iter().cloned());
    if let Some(depth) = depth.checked_sub(1) {
        for other in wanted {
            if !names.contains(&other)
                && let Some(story) = story_of(program, &other, None, depth, names)
            {
                about.insert(other, story);
            }
        }
    }
    Some(AlarmStory {
        alarm: alarm.clone(),
        key: key.map(str::to_owned),
        parts,
        decisions: Vec::new(),
        entries: Vec::new(),
        keys: BTreeSet::new(),
        lines: 0,
        ignored: 0,
        ignored_by: BTreeSet::new(),
        of_logs: false,
        last_record: None,
        dropped: 0,
        about,
    })
}

fn part(program: &Program, is: ConditionUse, atoms: &[AtomId]) -> PartStory {
    let signals = atoms.iter().filter_map(|atom| program.atoms.get(atom.0 as usize)?.signal.as_ref());
    let about = signals.filter_map(|signal| match signal {
        Signal::Raised(alarm) | Signal::Cleared(alarm) | Signal::Acked(alarm) => Some(alarm.clone()),
        Signal::Occurrence(pattern) => Some(format!("pattern {pattern}")),
        _ => None,
    });
    let about = about.collect();
    PartStory { is, atoms: atoms.to_vec(), matched: 0, first: None, last: None, near: Vec::new(), about }
}

impl AlarmStory {
    /// The same story, read from logs.
    pub fn of_logs(mut self) -> AlarmStory {
        self.of_logs = true;
        self.about = self.about.into_iter().map(|(name, other)| (name, other.of_logs())).collect();
        self
    }

    /// Adds a record of the log, before the engine handles it.
    pub fn see(&mut self, site: &Site, line: u64, event: &Event<'_>) {
        self.see_lower(site, line, event, &LowerText::of(event));
    }

    fn see_lower(&mut self, site: &Site, line: u64, event: &Event<'_>, lower: &LowerText<'_, '_>) {
        self.lines += 1;
        self.last_record = self.last_record.max(event.at);
        if event.marks.ignored {
            self.ignored += 1;
            let hides = |atom: &&Atom| score(site, atom, lower) == usize::MAX;
            let ignored = site.program.ignored.iter().filter_map(|id| site.program.atoms.get(id.0 as usize));
            self.ignored_by.extend(ignored.filter(hides).map(|atom| {
                let (line, _) = atom.place.line_column();
                format!("ignore {} ({}:{line})", atom.name, atom.place.source.name)
            }));
        }
        // What raises the alarm is no record that should have cancelled it.
        let mut raises = false;
        for part in &mut self.parts {
            let matched = part.see(site, line, event, lower, !raises);
            raises |= matched && matches!(part.is, ConditionUse::Detect { .. });
        }
        self.about.values_mut().for_each(|other| other.see_lower(site, line, event, lower));
    }

    /// Adds a decision of the engine.
    pub fn decided(&mut self, decision: &DecisionOfLine) {
        self.about.values_mut().for_each(|other| other.decided(decision));
        if decision.decision.alarm != self.alarm.name {
            return;
        }
        let key = decision.decision.key.as_ref().map(ToString::to_string);
        let of_key = self.is_of_key(key.as_deref(), &decision.decision.reason);
        if self.keys.len() < KEYS {
            self.keys.extend(key);
        }
        if !of_key {
            return;
        }
        if self.decisions.len() < KEPT {
            self.decisions.push(decision.clone());
        } else {
            self.dropped += 1;
        }
    }

    /// True for something about the key of interest. What has no key may name one in its text.
    fn is_of_key(&self, key: Option<&str>, text: &str) -> bool {
        let Some(own) = &self.key else { return true };
        match key {
            Some(key) => key == own,
            None => !text.contains(&format!("{} [", self.alarm.name)) || text.contains(&format!("{} [{own}]", self.alarm.name)),
        }
    }

    /// Adds an entry of the timeline.
    pub fn add(&mut self, entry: &TimelineEntry) {
        let of_key = self.is_of_key(entry.key.as_deref(), entry.text.as_deref().unwrap_or_default());
        let wanted = matches!(entry.kind, EntryKind::RunStarted | EntryKind::RunFinished | EntryKind::Step | EntryKind::Notice);
        let reactions = || self.alarm.react.iter().chain(&self.alarm.on_cancel).flatten().map(|call| &call.reaction);
        let of_reaction =
            || entry.alarm.is_none() && entry.reaction.as_ref().is_some_and(|name| reactions().any(|own| own == name));
        let is_own = entry.alarm.as_ref() == Some(&self.alarm.name) || of_reaction();
        if wanted && of_key && is_own && self.entries.len() < KEPT {
            self.entries.push(entry.clone());
        }
    }
}

impl PartStory {
    /// Adds a record, and returns whether it matches. If it does not, it is kept as one that nearly matches if `nearly`.
    fn see(&mut self, site: &Site, line: u64, event: &Event<'_>, lower: &LowerText<'_, '_>, nearly: bool) -> bool {
        let mut matched = false;
        let mut best: Option<(usize, AtomId)> = None;
        for id in &self.atoms {
            let Some(atom) = site.program.atoms.get(id.0 as usize).filter(|atom| atom.signal.is_none()) else { continue };
            let score = score(site, atom, lower);
            matched |= score == usize::MAX;
            best = best.max(Some((score, *id)));
        }
        // A record that an `ignore` hides matches nothing.
        let taken_away = event.marks.ignored || event.marks.partial;
        if matched && !taken_away {
            self.matched += 1;
            self.first = self.first.or(Some(line));
            self.last = Some(line);
            return true;
        }
        if let Some((score, atom)) = best.filter(|_| nearly) {
            self.nearly(site, line, event, score, atom);
        }
        false
    }

    /// Keeps a record that nearly matches, if it is closer than those that are kept.
    fn nearly(&mut self, site: &Site, line: u64, event: &Event<'_>, score: usize, atom: AtomId) {
        let worst = self.near.iter().map(|near| near.score).min().filter(|_| self.near.len() >= NEAREST);
        if worst.is_some_and(|worst| worst >= score) || score == 0 && !self.near.is_empty() {
            return;
        }
        let Some(report) = ConditionReport::new(site, atom, event) else { return };
        let text = event.raw().to_owned();
        // A further record of the same kind adds no information.
        let same = |near: &NearRecord| {
            near.score == score && near.report.clauses.iter().map(|c| c.near).eq(report.clauses.iter().map(|c| c.near))
        };
        if self.near.iter().any(same) {
            return;
        }
        self.near.push(NearRecord { line, text, score, report });
        self.near.sort_by_key(|near| (usize::MAX - near.report.near(), near.line));
        self.near.truncate(NEAREST);
    }

    /// True when it is about records of a log.
    pub(super) fn is_about_records(&self, program: &Program) -> bool {
        self.atoms.iter().any(|atom| program.atoms.get(atom.0 as usize).is_some_and(|atom| atom.signal.is_none()))
    }
}
