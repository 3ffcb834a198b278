//! `pointsman test --from LOG`: writes a first test to edit: the log's lines that a rule wants, and their consequences.

use std::io::{self, BufReader, Write as _};
use std::path::Path;

use serde_json::json;

use crate::core::base::time::{Time, duration_text};
use crate::core::decode::Lines;
use crate::core::event::Trust;
use crate::core::replay::rule_test;
use crate::core::replay::test_file;
use crate::core::replay::{DryRun, EntryKind, Settling, SiftRoom, TimelineEntry};

use super::super::dry_run;
use super::super::output::{OutputFormat, WRONG, report, wrong};
use super::args::Args;

/// The maximum number of log lines in a first test.
const LINES: usize = 200;

pub(super) fn run(args: &Args, path: &Path) -> io::Result<u8> {
    let setup = args.given.load();
    report(&setup.diagnostics, OutputFormat::Human)?;
    let Some(site) = setup.site else { return Ok(WRONG) };
    let log = match dry_run::open(path) {
        Ok(log) => log,
        Err(why) => return Ok(wrong(&why)),
    };
    let origin = dry_run::origin(setup.config.as_ref(), &dry_run::Zones::new(None), None, path, &log, 0);
    let mut run = DryRun::new(site.clone(), dry_run::holders(&site, &[]).unwrap_or_default(), Trust::Local);
    let mut reader = run.reader(origin);
    let mut lines = Lines::new(BufReader::new(log.text));
    let (mut settling, mut room) = (Settling::default(), SiftRoom::default());
    let (sifting, _) = run.parts();
    let mut kept: Vec<(u64, String)> = Vec::new();
    let mut times: Vec<(u64, Time)> = Vec::new();
    let mut more = 0;
    loop {
        let record = match lines.next_line() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            // What was read up to here would be a test of half a log.
            Err(e) => {
                return Ok(wrong(&format!(
                    "{}: line {} could not be read: {e}; is the log damaged or cut?",
                    path.display(),
                    reader.lines() + 1
                )));
            }
        };
        let sifted = sifting.sift(&mut reader.read(record.bytes, record.cut), &mut room);
        if sifted.is_wanted() {
            if kept.len() < LINES {
                kept.push((sifted.line(), String::from_utf8_lossy(record.bytes).into_owned()));
            } else {
                more += 1;
            }
        }
        settling.take(sifted, &mut |sifted| times.extend(sifted.at().map(|at| (sifted.line(), at))));
    }
    if let Some(end) = reader.end() {
        settling.take(end, &mut |sifted| times.extend(sifted.at().map(|at| (sifted.line(), at))));
    }
    if kept.is_empty() {
        return Ok(wrong(&format!("{}: no rule wants any of its records; `pointsman explain` says why", path.display())));
    }
    let at = |line: u64| times.iter().filter(|(n, _)| *n == line).map(|(_, at)| *at).next_back();
    let mut text = "tests:\n".to_owned();
    let name = format!("what came of {}", path.display());
    text.push_str(&format!("  - name: {}\n", json!(name)));
    let mut last = kept.first().and_then(|(line, _)| at(*line)).unwrap_or_default();
    text.push_str(&format!("    start: \"{last}\"\n    steps:\n"));
    for (line, record) in &kept {
        let now = at(*line).unwrap_or(last);
        let after = now.since(last);
        let after = if after.is_zero() { String::new() } else { format!(", after: {}", duration_text(after)) };
        // Tests replace text in braces.
        text.push_str(&format!("      - {{ log: {}{after} }}\n", json!(record)));
        last = now.max(last);
    }
    let source = std::sync::Arc::new(crate::core::diag::Source { name: path.display().to_string(), text: text.clone() });
    let (Some(file), _) = test_file::read(&source) else {
        return Ok(wrong("the log has a line that no test can hold; leave it out"));
    };
    let entries = file.tests.first().map(|test| rule_test::run(&site, test).entries).unwrap_or_default();
    let must: Vec<String> = entries.iter().filter_map(expectation).collect();
    if !must.is_empty() {
        text.push_str("    must:\n");
        must.iter().for_each(|line| text.push_str(&format!("      - {line}\n")));
    }
    let mut out = io::stdout().lock();
    write!(out, "{text}")?;
    out.flush()?;
    if more > 0 {
        eprintln!("pointsman: {more} more lines are wanted by a rule; the test has the first {LINES}");
    }
    Ok(0)
}

/// An entry in the form in which a test expects it.
pub(super) fn expectation(entry: &TimelineEntry) -> Option<String> {
    let fields: &[&str] = match entry.kind {
        EntryKind::AlarmRaised => &["kind", "alarm", "key", "line"],
        EntryKind::AlarmCleared => &["kind", "alarm", "key", "result"],
        EntryKind::RunStarted => &["kind", "alarm", "reaction"],
        EntryKind::RunFinished => &["kind", "reaction", "result"],
        EntryKind::Step if entry.verb.as_deref() == Some("taken") => &["kind", "verb", "resource", "host"],
        EntryKind::Step | EntryKind::Notice => return None,
    };
    let word = |text: &str| {
        let plain = !text.is_empty()
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if plain || text.parse::<u64>().is_ok() { text.to_owned() } else { json!(text).to_string() }
    };
    let parts = fields.iter().filter_map(|name| Some(format!("{name}: {}", word(&entry.field(name).filter(|v| !v.is_empty())?))));
    Some(format!("{{ {} }}", parts.collect::<Vec<_>>().join(", ")))
}
