//! Tests the shipped rules about intruders with log lines from elsewhere.
//!
//! The cases of a file of `../shared/corpora` pass in their order through decoder, matcher and engine, once for each mode that
//! they are meant for. Every case has a verdict, and most attempts have the peer's address. The mode `m` of the kind `k` is the
//! pattern `k_m`, if there is one. A case with another result in one of its modes must have a row in `tests/packs/left.tsv` with
//! a reason. A row whose case has the correct result fails as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use pointsman::core::base::time::Time;
use pointsman::core::decode::Decoder;
use pointsman::core::diag::render;
use pointsman::core::engine::{Engine, Input, Output, Record, State};
use pointsman::core::inventory::Inventory;
use pointsman::core::lang::program::Program;
use pointsman::core::lang::{Declarations, Matcher, compile};
use pointsman::core::site::samples;
use serde_json::Value as Json;

use crate::support::{files, read, root, say, source};

const CASES: usize = 1_093;

/// One line of a log, and its expected result.
struct Case {
    kind: String,
    line_no: u64,
    line: String,
    /// The time at which it was written, in two readings of its zone.
    times: Vec<Time>,
    attempt: bool,
    peer: Option<String>,
    /// The programs that wrote it, with their modes.
    runs: Vec<(String, String)>,
}

impl Case {
    fn read(line: &str) -> Case {
        let case: Json = serde_json::from_str(line).unwrap();
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let kind = text(&case["file"]).rsplit('/').next().unwrap().to_owned();
        let epoch = case["time_epoch"].as_f64().map(|s| Time::from_millis((s * 1_000.0) as i64));
        let local = case["time_local_zurich"].as_str().and_then(|t| Time::parse_rfc3339(&format!("{t}Z")));
        let options = case["filter_options"].as_array().unwrap();
        Case {
            kind,
            line_no: case["line_no"].as_u64().unwrap(),
            line: text(&case["line"]),
            times: epoch.into_iter().chain(local).collect(),
            attempt: case["match"] == true,
            peer: case["captures"]["host"].as_str().map(str::to_owned),
            runs: options.iter().map(|o| (format!("{} {o}", text(&case["filter"])), text(&o["mode"]))).collect(),
        }
    }

    /// Whether the time was read correctly, if the case has one.
    fn time_read(&self, at: Option<Time>) -> bool {
        at.is_some_and(|at| self.times.iter().any(|t| at.since(*t).as_secs() == 0 && t.since(at).as_secs() == 0))
    }

    /// The error, if its pattern fired for these peers.
    fn verdict(&self, peers: &BTreeSet<String>) -> Option<&'static str> {
        match (peers.is_empty(), self.attempt, &self.peer) {
            (false, true, Some(want)) if !peers.contains(want) || peers.len() > 1 => Some("another peer"),
            (false, true, _) | (true, false, _) => None,
            (true, true, _) => Some("not found"),
            (false, false, _) => Some("found"),
        }
    }
}

/// The shipped rules, which have no errors, and for each of their patterns an alarm that shows that it fired.
fn program() -> Program {
    let mut sources: Vec<_> = files("rules/intruders", "alarm").iter().map(|(name, text)| source(name, text)).collect();
    let (shipped, mut found) = compile(&sources, &Declarations::default());
    found.extend(samples::check(&shipped, &Matcher::new(&shipped, None)));
    assert!(found.is_empty(), "{}", render::human(&found, false));
    let told = patterns().iter().fold(String::new(), |mut told, name| {
        let _ = writeln!(told, "alarm \"found {name}\" {{ detect \"{name}\" cancel at once }}");
        told
    });
    sources.push(source("told.alarm", &told));
    compile(&sources, &Declarations::default()).0
}

/// The names of the shipped patterns.
fn patterns() -> BTreeSet<String> {
    let texts: String = files("rules/intruders", "alarm").into_iter().map(|(_, text)| text).collect();
    let named = texts.lines().filter_map(|l| l.strip_prefix("pattern "));
    named.map(|l| l.split_whitespace().next().unwrap().trim_matches('"').to_owned()).collect()
}

/// The lines of one log that are being read.
struct Log<'p> {
    matcher: &'p Matcher,
    engine: Engine,
    now: Time,
    sequence: u64,
    /// The decoder that read the last line with a time.
    before: Option<Decoder>,
}

impl Log<'_> {
    /// Reads the next line, written at about this time. Returns the time that was read, and the peers for which the pattern
    /// fired.
    fn line(&mut self, case: &Case, about: Option<Time>, pattern: &str) -> (Option<Time>, BTreeSet<String>) {
        let mut alone = Decoder::new();
        let mut event = alone.decode(case.line.as_bytes(), about.unwrap_or(self.now)).into_owned();
        // The cases are from many logs, but a line without a time of its own continues the one before it.
        if event.at.is_none()
            && let Some(before) = &mut self.before
        {
            event = before.decode(case.line.as_bytes(), about.unwrap_or(self.now)).into_owned();
        } else {
            self.before = Some(alone);
        }
        let at = event.at;
        self.now = at.unwrap_or(self.now);
        self.sequence += 1;
        let (mut hits, mut out) = (Vec::new(), Vec::new());
        self.matcher.matches(&event, &mut hits);
        let input = Input::Arrived {
            sequence: self.sequence,
            source: "log".into(),
            event: Box::new(event),
            hits,
            backlog: false,
            arrived: self.now,
            late: None,
        };
        self.engine.turn(self.now, input, &mut out);
        let told = format!("found {pattern}");
        let raised = out.into_iter().filter_map(|o| match o {
            Output::Record(Record::Raised { alarm, event, .. }) if alarm == told => Some(event),
            _ => None,
        });
        (at, raised.map(|event| event.get("peer").map(ToString::to_string).unwrap_or_default()).collect())
    }
}

#[test]
fn intruders_are_found_as_the_cases_say() {
    let program = Arc::new(program());
    let matcher = Matcher::new(&program, None);
    let Ok(cases) = std::fs::read_to_string(root().join("../shared/corpora/fail2ban_cases.jsonl")) else {
        return say(&format!("NOT RUN: {CASES} cases of intruders (../shared/corpora is absent)"));
    };
    let cases: Vec<Case> = cases.lines().map(Case::read).collect();
    assert_eq!(cases.len(), CASES);
    let mut runs: BTreeMap<(&str, &str, &str), Vec<usize>> = BTreeMap::new();
    for (n, case) in cases.iter().enumerate() {
        for (run, mode) in &case.runs {
            runs.entry((&case.kind, run, mode)).or_default().push(n);
        }
    }
    let patterns = patterns();
    let mut verdicts: Vec<Option<&str>> = vec![None; cases.len()];
    let mut timed = BTreeMap::new();
    for ((kind, _, mode), mut lines) in runs {
        let pattern = Some(format!("{kind}_{mode}")).filter(|p| patterns.contains(p)).unwrap_or_else(|| kind.to_owned());
        let engine = Engine::start(program.clone(), Arc::new(Inventory::default()), State::default());
        let mut log = Log { matcher: &matcher, engine, now: Time::default(), sequence: 0, before: None };
        lines.sort_by_key(|n| cases[*n].line_no);
        for (i, n) in lines.iter().copied().enumerate() {
            // Only attempts have a time. The others are about as old as the next attempt, because lines of one process are
            // together.
            let about = lines[i..].iter().find_map(|n| cases[*n].times.first().copied());
            let (at, peers) = log.line(&cases[n], about, &pattern);
            verdicts[n] = verdicts[n].or(cases[n].verdict(&peers));
            if cases[n].attempt && !cases[n].times.is_empty() {
                timed.insert(n, cases[n].time_read(at));
            }
        }
    }
    let share = |attempt: bool| {
        let all = cases.iter().zip(&verdicts).filter(|(c, _)| c.attempt == attempt);
        let (all, right) = (all.clone().count(), all.filter(|(_, v)| v.is_none()).count());
        (right, all, right as f64 * 100.0 / all as f64)
    };
    let ((found, attempts, of_attempts), (alone, others, of_others)) = (share(true), share(false));
    let (read_times, times) = (timed.values().filter(|right| **right).count(), timed.len());
    say(&format!(
        "intruders: {found} of {attempts} attempts found ({of_attempts:.1} %), {alone} of {others} other lines left alone ({of_others:.1} %), {read_times} of {times} times read"
    ));
    let late =
        timed.iter().filter(|(_, right)| !**right).map(|(n, _)| (cases[*n].kind.clone(), cases[*n].line_no, "another time"));
    let wrong = cases.iter().zip(verdicts).filter_map(|(c, v)| Some((c.kind.clone(), c.line_no, v?))).chain(late).collect();
    explained(wrong, &read("tests/packs/left.tsv"));
    assert!(of_attempts >= 98.0 && of_others >= 98.0);
}

/// Checks both directions: no wrong case without a row, and no row without a wrong case.
fn explained<'a>(mut wrong: BTreeSet<(String, u64, &'a str)>, rows: &'a str) {
    let mut other = String::new();
    for row in rows.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let &[service, line, verdict, reason] = &columns[..] else { panic!("four columns: {row}") };
        assert!(!reason.is_empty(), "{row}");
        if !wrong.remove(&(service.to_owned(), line.parse().unwrap(), verdict)) {
            let _ = writeln!(other, "{row}: comes out otherwise");
        }
    }
    for (service, line, verdict) in wrong {
        let _ = writeln!(other, "{service}\t{line}\t{verdict}\t?");
    }
    assert!(other.is_empty(), "service\tline\tverdict\treason\n{other}");
}
