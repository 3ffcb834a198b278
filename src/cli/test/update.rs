//! `pointsman test --update`: replaces expectations that fail by the actual results, and shows the difference.
//!
//! A line of a test that stands for one entry (`- { kind: ..., ... }`) is changed or removed. Everything else in the file stays
//! as it is. An expectation that is not on one line is reported and left to its author.

use std::io::{self, Write as _};
use std::path::Path;

use crate::core::base::text::printable;
use crate::core::replay::TimelineEntry;
use crate::core::replay::rule_test::MismatchPlace;
use crate::core::replay::test_file::RuleTest;

use super::super::output::{FAILED, wrong};
use super::{Done, Job};

pub(super) fn run(jobs: &[Job<'_>], done: &[Done]) -> io::Result<u8> {
    let mut out = io::stdout().lock();
    let mut left = 0;
    let mut paths: Vec<&Path> = jobs.iter().map(|job| job.path).collect();
    paths.dedup();
    for path in paths {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) => return Ok(wrong(&format!("{}: {e}", path.display()))),
        };
        let mut lines: Vec<Option<String>> = text.lines().map(|line| Some(line.to_owned())).collect();
        for (job, done) in jobs.iter().zip(done).filter(|(job, _)| job.path == path) {
            for mismatch in &done.verdict.wrong {
                if !change(&mut lines, job.test, &done.verdict.entries, mismatch.at) {
                    left += 1;
                    writeln!(
                        out,
                        "{}: {}: left as it is: {}",
                        path.display(),
                        printable(&job.test.name),
                        printable(&mismatch.text)
                    )?;
                }
            }
        }
        let before: Vec<&str> = text.lines().collect();
        if lines.iter().map(Option::as_deref).eq(before.iter().map(|line| Some(*line))) {
            continue;
        }
        writeln!(out, "--- {}", path.display())?;
        for (n, (was, is)) in before.iter().zip(&lines).enumerate() {
            if is.as_deref() != Some(*was) {
                writeln!(out, "@@ line {}\n-{}", n + 1, printable(was))?;
                is.iter().try_for_each(|is| writeln!(out, "+{}", printable(is)))?;
            }
        }
        let new: String = lines.into_iter().flatten().map(|line| line + "\n").collect();
        if let Err(e) = std::fs::write(path, new) {
            return Ok(wrong(&format!("{}: {e}", path.display())));
        }
    }
    Ok(if left > 0 { FAILED } else { 0 })
}

/// Changes the line of an expectation. Returns false if the expectation has no line of its own.
fn change(lines: &mut [Option<String>], test: &RuleTest, entries: &[TimelineEntry], at: MismatchPlace) -> bool {
    let (list, n) = match at {
        MismatchPlace::Must(n) => ("must:", n),
        MismatchPlace::MustNot(n) => ("must_not:", n),
        MismatchPlace::Test | MismatchPlace::Ends => return false,
    };
    let Some((head, items)) = items_of(lines, &test.name, list) else { return false };
    let Some(place) = items.get(n).copied() else { return false };
    let Some(line) = lines.get(place).cloned().flatten() else { return false };
    let Some(whole) = line.trim().strip_prefix("- {").and_then(|rest| rest.strip_suffix('}')) else { return false };
    let MismatchPlace::Must(n) = at else {
        remove(lines, head, &items, place);
        return true;
    };
    let Some(want) = test.must.get(n) else { return false };
    // The entry of the same kind and about the same alarm that has most in common with the expected one.
    let same = |entry: &&TimelineEntry| {
        ["kind", "alarm", "reaction", "verb", "resource"]
            .iter()
            .all(|name| want.get(*name).is_none_or(|value| entry.field(name) == Some(value.clone())))
    };
    let alike = |entry: &&TimelineEntry| want.iter().filter(|(name, value)| entry.field(name).as_ref() == Some(*value)).count();
    let best = entries.iter().filter(same).max_by_key(alike);
    let Some(entry) = best else {
        remove(lines, head, &items, place);
        return true;
    };
    let names = whole.split(',').filter_map(|part| part.split_once(':')).map(|(name, _)| name.trim().to_owned());
    let names: Vec<String> = names.filter(|name| want.contains_key(name)).collect();
    let parts = names.iter().filter_map(|name| Some(format!("{name}: {}", word(&entry.field(name)?))));
    let indent = &line[..line.len() - line.trim_start().len()];
    lines[place] = Some(format!("{indent}- {{ {} }}", parts.collect::<Vec<_>>().join(", ")));
    true
}

/// A value in YAML, quoted if necessary.
fn word(text: &str) -> String {
    let plain =
        text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain || text.parse::<u64>().is_ok() { text.to_owned() } else { serde_json::json!(text).to_string() }
}

/// Removes an item, and its list with the last item, because the block notation of YAML has no empty list.
fn remove(lines: &mut [Option<String>], head: usize, items: &[usize], place: usize) {
    lines[place] = None;
    if items.iter().all(|item| lines[*item].is_none()) {
        lines[head] = None;
    }
}

/// The line at which a list of a test begins, and the lines of its items.
fn items_of(lines: &[Option<String>], test: &str, list: &str) -> Option<(usize, Vec<usize>)> {
    let text = |at: usize| lines.get(at)?.as_deref();
    let names = |at: &usize| {
        let said = text(*at).and_then(|line| line.trim().strip_prefix("- name:")).map(str::trim);
        said.is_some_and(|said| {
            said == test || said.trim_matches(['"', '\'']) == test || serde_json::from_str(said).ok() == Some(test.to_owned())
        })
    };
    let begin = (0..lines.len()).find(names)?;
    let depth = |line: &str| line.len() - line.trim_start().len();
    let of_test = depth(text(begin)?);
    let ends = |at: &usize| text(*at).is_some_and(|line| !line.trim().is_empty() && depth(line) <= of_test);
    let end = (begin + 1..lines.len()).find(ends).unwrap_or(lines.len());
    let list = (begin..end).find(|at| text(*at).is_some_and(|line| line.trim() == list))?;
    let of_list = depth(text(list)?);
    let items = (list + 1..end)
        .take_while(|at| {
            lines.get(*at).is_some_and(|line| {
                line.as_deref().is_none_or(|line| {
                    line.trim().is_empty() || line.trim().starts_with(['#', '-', '}']) || depth(line) > of_list
                })
            })
        })
        .filter(|at| lines.get(*at).is_some_and(|line| line.as_deref().is_none_or(|line| line.trim().starts_with('-'))));
    Some((list, items.collect()))
}
