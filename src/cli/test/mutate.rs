//! `pointsman test --mutate`: changes the rules in many ways, one at a time, and shows the changes that no test notices.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::base::text::{printable, printable_json};
use crate::core::diag::LineIndex;
use crate::core::replay::rule_test;
use crate::core::replay::test_file::{RuleTest, TestFile};
use crate::core::site::{Site, mutants, samples};

use super::super::output::{FAILED, Format, wrong};
use super::{Args, in_parallel};

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
    for (site, tests) in sites {
        // A test that fails without a change notices nothing.
        let tests: Vec<&RuleTest> = tests.into_iter().filter(|test| rule_test::run(site, test).wrong.is_empty()).collect();
        let mut seen: BTreeMap<RuleChange, usize> = BTreeMap::new();
        let mut named = Vec::new();
        for mutant in mutants(&site.program) {
            let file = Path::new(&mutant.place.source.name).components().collect::<PathBuf>();
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
            Format::Human => {
                writeln!(out, "{}:{line}: no test notices: {}", printable(&file.display().to_string()), printable(what))?
            }
            Format::Json => {
                let object = serde_json::json!({ "file": file.display().to_string(), "line": line, "change": what });
                writeln!(out, "{}", printable_json(&object.to_string()))?;
            }
        }
    }
    let (killed, all) = (changes.values().filter(|noticed| **noticed).count(), changes.len());
    if args.format == Format::Human {
        match (killed * 100_usize).checked_div(all) {
            Some(share) => writeln!(out, "{killed} of {all} changes are noticed ({share} %)")?,
            None => writeln!(out, "nothing of these rules could be changed for a test to notice")?,
        }
    }
    Ok(if killed < all { FAILED } else { 0 })
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
