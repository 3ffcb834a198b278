//! `pointsman test --mutate`: changes the rules in many ways, one at a time, and shows the changes that no test notices.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::core::base::text::{printable, printable_json};
use crate::core::diag::LineIndex;
use crate::core::replay::rule_test;
use crate::core::replay::test_file::{RuleTest, TestFile};
use crate::core::site::{Site, mutants, samples};

use super::super::output::{FAILED, OutputFormat, wrong};
use super::args::Args;
use super::folder_of;
use super::parallel::in_parallel;
use crate::shell::site_files::read;

pub(super) fn run(args: &Args, loaded: &[(PathBuf, TestFile, Arc<Site>)]) -> io::Result<u8> {
    let mut sites: Vec<(&Arc<Site>, Vec<&RuleTest>)> = Vec::new();
    for (_, file, site) in loaded {
        let tests = file.tests.iter().filter(|t| args.only.as_ref().is_none_or(|only| t.name.contains(only)));
        match sites.iter_mut().find(|(known, _)| Arc::ptr_eq(known, site)) {
            Some((_, all)) => all.extend(tests),
            None => sites.push((site, tests.collect())),
        }
    }
    if sites.iter().all(|(_, tests)| tests.is_empty()) {
        return Ok(wrong("there is no test that could notice a change; `pointsman test --from LOG` writes a first one"));
    }
    // A rule file may be part of several sites: a change is noticed if the tests of one of them notice it.
    let mut lines = LineIndex::default();
    let mut changes: BTreeMap<RuleChange, bool> = BTreeMap::new();
    let mut tested = RulesWithTests::new(loaded);
    for (site, tests) in sites {
        // A test that fails without a change notices nothing.
        let tests: Vec<&RuleTest> = tests.into_iter().filter(|test| rule_test::run(site, test).wrong.is_empty()).collect();
        let mut seen: BTreeMap<RuleChange, usize> = BTreeMap::new();
        let mut named = Vec::new();
        for mutant in mutants(&site.program) {
            let file = plain(Path::new(&mutant.place.source.name));
            if !tested.has(&file) {
                continue;
            }
            let mut change = RuleChange { file, line: lines.line_column(&mutant.place).0, what: mutant.what.clone(), nth: 0 };
            let nth = seen.entry(change.clone()).or_default();
            change.nth = *nth;
            *nth += 1;
            if !changes.get(&change).is_some_and(|noticed| *noticed) {
                named.push((change, mutant));
            }
        }
        let samples_hold = samples::check(&site.program, &site.matcher).is_empty();
        let noticed = in_parallel(&named, |(_, mutant)| {
            let site = Arc::new(site.changed(mutant));
            // Samples are tests of their patterns.
            if mutant.matches_otherwise() && samples_hold && !samples::check(&site.program, &site.matcher).is_empty() {
                return true;
            }
            let (likely, others): (Vec<&RuleTest>, Vec<&RuleTest>) = tests.iter().partition(|test| mentions(test, &mutant.alarm));
            likely.iter().chain(&others).any(|test| !rule_test::run(&site, test).wrong.is_empty())
        });
        for ((change, _), noticed) in named.into_iter().zip(noticed) {
            *changes.entry(change).or_default() |= noticed;
        }
    }
    let mut out = io::stdout().lock();
    for (change, _) in changes.iter().filter(|(_, noticed)| !**noticed) {
        let RuleChange { file, line, what, .. } = change;
        match args.format {
            OutputFormat::Human => {
                writeln!(out, "{}:{line}: no test notices: {}", printable(&file.display().to_string()), printable(what))?
            }
            OutputFormat::Json => {
                let object = serde_json::json!({ "file": file.display().to_string(), "line": line, "change": what });
                writeln!(out, "{}", printable_json(&object.to_string()))?;
            }
        }
    }
    for file in tested.left() {
        eprintln!(
            "pointsman: {} is not changed: the tests beside it are not among these",
            printable(&file.display().to_string())
        );
    }
    let (killed, all) = (changes.values().filter(|noticed| **noticed).count(), changes.len());
    if args.format == OutputFormat::Human {
        match (killed * 100_usize).checked_div(all) {
            Some(share) => writeln!(out, "{killed} of {all} changes are noticed ({share} %)")?,
            None => writeln!(out, "nothing of these rules could be changed for a test to notice")?,
        }
    }
    Ok(if killed < all { FAILED } else { 0 })
}

/// Which rule files have their tests among those that run. A site may use rules of another folder, which has tests of its own:
/// only these say whether a change there is noticed.
struct RulesWithTests {
    /// The files of the tests that run.
    tests: Vec<PathBuf>,
    /// Rule files, and whether they are changed.
    files: BTreeMap<PathBuf, bool>,
}

impl RulesWithTests {
    fn new(loaded: &[(PathBuf, TestFile, Arc<Site>)]) -> RulesWithTests {
        RulesWithTests { tests: loaded.iter().map(|(path, ..)| whole(path)).collect(), files: BTreeMap::new() }
    }

    fn has(&mut self, file: &Path) -> bool {
        let tests = &self.tests;
        // A condition of the configuration is in no rule file.
        if !file.is_file() {
            return false;
        }
        *self.files.entry(file.to_owned()).or_insert_with(|| {
            let folder = whole(&folder_of(file));
            tests.iter().any(|test| test.starts_with(&folder)) || read::files(&folder, "test.yaml", &mut Vec::new()).is_empty()
        })
    }

    /// The rule files whose tests do not run.
    fn left(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.iter().filter(|(_, tested)| !**tested).map(|(file, _)| file)
    }
}

/// The absolute path of a file or folder.
fn whole(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// A path without `.` and, as far as it is written there, without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            _ => plain.push(part),
        }
    }
    plain
}

/// A change of a rule file. Several on one line may have the same text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RuleChange {
    file: PathBuf,
    line: usize,
    what: String,
    nth: usize,
}

/// Whether a test says something about an alarm. Such a test is likely to notice a change of it.
fn mentions(test: &RuleTest, alarm: &str) -> bool {
    let named = |entry: &BTreeMap<String, String>| entry.get("alarm").is_some_and(|name| name == alarm);
    let active = test.ends.alarms.iter().flatten().any(|named| named.split(' ').next() == Some(alarm));
    test.must.iter().chain(&test.must_not).any(named) || active
}
