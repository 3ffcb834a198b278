//! `pointsman test --mutate`: changes the rules in many ways, one at a time, and shows the changes that no test notices.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use crate::core::base::text::{printable, printable_json};
use crate::core::diag::LineIndex;
use crate::core::lang::Matcher;
use crate::core::replay::rule_test;
use crate::core::replay::test_file::{RuleTest, TestFile};
use crate::core::script::Evaluator;
use crate::core::site::{Mutant, Site, mutants};

use super::super::{FAILED, Format, wrong};
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
    let mut out = io::stdout().lock();
    let (mut killed, mut all, mut lines) = (0, 0, LineIndex::default());
    for (site, tests) in sites {
        // A test that fails without a change notices nothing.
        let passed = in_parallel(&tests, |test| rule_test::run(site, test).wrong.is_empty());
        let tests: Vec<&RuleTest> = tests.into_iter().zip(passed).filter(|(_, passed)| *passed).map(|(test, _)| test).collect();
        let changed = mutants(&site.program);
        let noticed = in_parallel(&changed, |mutant| {
            let site = changed_site(site, mutant);
            tests.iter().any(|test| !rule_test::run(&site, test).wrong.is_empty())
        });
        for (mutant, noticed) in changed.iter().zip(noticed) {
            all += 1;
            killed += usize::from(noticed);
            if noticed {
                continue;
            }
            let (line, _) = lines.line_column(&mutant.place);
            let file = &mutant.place.source.name;
            match args.format {
                Format::Human => writeln!(out, "{}:{line}: no test notices: {}", printable(file), printable(&mutant.what))?,
                Format::Json => {
                    let object = serde_json::json!({ "file": file, "line": line, "change": mutant.what });
                    writeln!(out, "{}", printable_json(&object.to_string()))?;
                }
            }
        }
    }
    if args.format == Format::Human {
        match (killed * 100_usize).checked_div(all) {
            Some(share) => writeln!(out, "{killed} of {all} changes are noticed ({share} %)")?,
            None => writeln!(out, "nothing of these rules could be changed for a test to notice")?,
        }
    }
    Ok(if killed < all { FAILED } else { 0 })
}

fn changed_site(site: &Site, mutant: &Mutant) -> Arc<Site> {
    let matcher = Matcher::new(&mutant.program, Some(&site.inventory));
    let evaluator = Evaluator::new(site.inventory.clone());
    Arc::new(Site::new(site.inventory.clone(), Arc::new(mutant.program.clone()), matcher, site.scripts.clone(), evaluator))
}
