//! `pointsman test --coverage`: the parts of the rules that the tests exercise.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::core::base::text::{printable, printable_json};
use crate::core::diag::Place;
use crate::core::engine::Decision;
use crate::core::lang::program::{AtomId, Cancel};
use crate::core::replay::EntryKind;
use crate::core::replay::rule_test::{TestTrace, Verdict};
use crate::core::script::BUILT_IN_SCRIPT;
use crate::core::site::Site;

use super::{Done, Job};

/// How the coverage is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum CoverageFormat {
    Table,
    /// For `genhtml` and build servers.
    Lcov,
    Json,
}

impl CoverageFormat {
    /// True if programs read it.
    pub(super) fn is_for_programs(self) -> bool {
        match self {
            CoverageFormat::Table => false,
            CoverageFormat::Lcov | CoverageFormat::Json => true,
        }
    }
}

/// A part of a rule file that a test can exercise: file, line, and its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    file: String,
    line: usize,
    what: String,
}

/// How often a test exercised each part of its rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Covered(BTreeMap<Item, u64>);

impl Covered {
    /// The parts that a test exercised.
    pub(super) fn of(site: &Site, verdict: &Verdict, trace: &TestTrace) -> Covered {
        let mut atoms: BTreeMap<AtomId, u64> = BTreeMap::new();
        let mut hits = Vec::new();
        for (_, event) in &trace.events {
            let mut event = event.clone();
            for hit in site.wants(&mut event, &mut hits).unwrap_or_default() {
                *atoms.entry(hit.atom).or_default() += 1;
            }
        }
        let mut raised: BTreeMap<&str, u64> = BTreeMap::new();
        let mut cleared: BTreeMap<&str, u64> = BTreeMap::new();
        for d in &trace.decisions {
            let of = match d.decision.decision {
                Decision::Raised => &mut raised,
                Decision::Cleared => &mut cleared,
                _ => continue,
            };
            *of.entry(d.decision.alarm.as_str()).or_default() += 1;
        }
        let mut runs: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for entry in verdict.entries.iter().filter(|e| e.kind == EntryKind::RunStarted) {
            if let (Some(alarm), Some(reaction)) = (&entry.alarm, &entry.reaction) {
                *runs.entry((alarm, reaction)).or_default() += 1;
            }
        }
        let mut covered = Covered::default();
        for alarm in &site.program.alarms {
            let title = if alarm.composite { alarm.name.clone() } else { format!("alarm {}", alarm.name) };
            covered.add(&alarm.place, format!("{title}: raised"), raised.get(alarm.name.as_str()).copied().unwrap_or(0));
            if !alarm.composite && !alarm.cancel.is_empty() && !alarm.cancel.contains(&Cancel::AtOnce) {
                covered.add(&alarm.place, format!("{title}: cleared"), cleared.get(alarm.name.as_str()).copied().unwrap_or(0));
            }
            let mut conditions: Vec<(AtomId, &str)> = alarm.detect.parts.iter().flatten().map(|atom| (*atom, "detect")).collect();
            conditions.extend(alarm.detect.unless.iter().map(|atom| (*atom, "unless")));
            let cancels = alarm.cancel.iter().filter_map(|c| if let Cancel::When(atoms) = c { Some(atoms) } else { None });
            conditions.extend(cancels.flatten().map(|atom| (*atom, "cancel when")));
            let mut seen = BTreeSet::new();
            for (atom, clause) in conditions {
                let Some(compiled) = site.program.atoms.get(atom.0 as usize).filter(|a| a.signal.is_none()) else { continue };
                if seen.insert((atom, clause)) {
                    let what = format!("{title}: `{clause}` by {}", compiled.name);
                    covered.add(&compiled.place, what, atoms.get(&atom).copied().unwrap_or(0));
                }
            }
            for call in alarm.react.iter().chain(&alarm.on_cancel).flatten() {
                let times = runs.get(&(alarm.name.as_str(), call.reaction.as_str())).copied().unwrap_or(0);
                covered.add(&alarm.place, format!("{title}: reaction {}", call.reaction), times);
            }
        }
        covered.add_scripts(site, trace);
        covered
    }

    /// The lines of scripts that call verbs, of all reactions that alarms start.
    fn add_scripts(&mut self, site: &Site, trace: &TestTrace) {
        let calls = site.program.alarms.iter().flat_map(|alarm| alarm.react.iter().chain(&alarm.on_cancel).flatten());
        let reactions = calls.filter_map(|call| site.program.reactions.get(&call.reaction));
        let names: BTreeSet<&str> =
            reactions.map(|reaction| reaction.script.as_str()).filter(|name| *name != BUILT_IN_SCRIPT).collect();
        for name in names {
            let Some(script) = site.scripts.get(name) else { continue };
            for (line, verbs) in script.verb_lines() {
                let times = trace.steps.iter().filter(|(of, at)| of == name && *at == line).count();
                let what = format!("script {name}: {}", verbs.join(", "));
                self.add_line(&script.source.name, line as usize, what, times as u64);
            }
        }
    }

    fn add(&mut self, place: &Place, what: String, times: u64) {
        self.add_line(&place.source.name, place.line_column().0, what, times);
    }

    fn add_line(&mut self, file: &str, line: usize, what: String, times: u64) {
        // One file may be named in several ways, for example with `.` as a folder in its path.
        let file = Path::new(file).components().collect::<PathBuf>().display().to_string();
        let item = Item { file, line, what };
        *self.0.entry(item).or_default() += times;
    }
}

/// Writes the coverage of all tests together.
pub(super) fn write(out: &mut impl Write, how: CoverageFormat, jobs: &[Job<'_>], done: &[Done]) -> io::Result<()> {
    let mut all: BTreeMap<Item, u64> = BTreeMap::new();
    for (_, done) in jobs.iter().zip(done) {
        for (item, times) in done.covered.iter().flat_map(|covered| &covered.0) {
            *all.entry(item.clone()).or_default() += times;
        }
    }
    let covered = all.values().filter(|times| **times > 0).count();
    match how {
        CoverageFormat::Table => {
            for (item, _) in all.iter().filter(|(_, times)| **times == 0) {
                writeln!(out, "{}:{}: no test exercises {}", printable(&item.file), item.line, printable(&item.what))?;
            }
            let share = if all.is_empty() { 100 } else { covered * 100 / all.len() };
            writeln!(out, "{covered} of {} exercised ({share} %)", all.len())
        }
        CoverageFormat::Json => {
            for (item, times) in &all {
                let object = json!({ "file": item.file, "line": item.line, "what": item.what, "times": times });
                writeln!(out, "{}", printable_json(&object.to_string()))?;
            }
            Ok(())
        }
        CoverageFormat::Lcov => {
            let mut files: BTreeMap<&str, Vec<(&Item, u64)>> = BTreeMap::new();
            for (item, times) in &all {
                files.entry(&item.file).or_default().push((item, *times));
            }
            for (file, items) in files {
                writeln!(out, "TN:\nSF:{}", printable(file))?;
                let mut lines: BTreeMap<usize, (u64, usize)> = BTreeMap::new();
                for (item, times) in items {
                    let (most, branch) = lines.entry(item.line).or_default();
                    writeln!(out, "BRDA:{},0,{branch},{times}", item.line)?;
                    *most = times.max(*most);
                    *branch += 1;
                }
                for (line, (times, _)) in &lines {
                    writeln!(out, "DA:{line},{times}")?;
                }
                writeln!(
                    out,
                    "LF:{}\nLH:{}\nend_of_record",
                    lines.len(),
                    lines.values().filter(|(times, _)| *times > 0).count()
                )?;
            }
            Ok(())
        }
    }
}
