//! The shipped rules about intruders against log lines that nobody here wrote.
//!
//! Every case of `../shared/corpora` has a verdict and, where it is an attempt, mostly the peer's address. A case that comes out
//! otherwise must have a row in `tests/packs/left.tsv` with a reason, and a row whose case comes out right fails as well.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use pointsman::base::time::Time;
use pointsman::decode::Decoder;
use pointsman::diag::render;
use pointsman::engine::fields_of;
use pointsman::inventory::Index;
use pointsman::lang::{Matcher, World, compile};
use serde_json::Value as Json;

use crate::support::{files, read, root, say, source};

const CASES: usize = 1_093;

#[test]
fn intruders_are_found_as_the_cases_say() {
    let sources: Vec<_> = files("rules/intruders", "alarm").iter().map(|(name, text)| source(name, text)).collect();
    let (program, found) = compile(&sources, &World::default());
    assert!(found.is_empty(), "{}", render::human(&found, false));
    let matcher = Matcher::new(&program, None);
    let Ok(cases) = std::fs::read_to_string(root().join("../shared/corpora/fail2ban_cases.jsonl")) else {
        return say(&format!("NOT RUN: {CASES} cases of intruders (../shared/corpora is absent)"));
    };
    let mut wrong = BTreeSet::new();
    let (mut yes, mut no, mut times) = ((0, 0), (0, 0), (0, 0));
    let mut hits = Vec::new();
    for case in cases.lines() {
        let case: Json = serde_json::from_str(case).unwrap();
        let service = case["file"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let about = case["time_epoch"].as_f64().map(|s| Time::from_millis((s * 1_000.0) as i64));
        let event = Decoder::new().decode(case["line"].as_str().unwrap().as_bytes(), about.unwrap_or_default());
        matcher.matches(&event, &mut hits);
        let hit = hits.iter().find(|h| program.atoms[h.atom.0 as usize].name == service);
        let peer = hit.and_then(|h| fields_of(&event, &h.captures, &Index::default()).get("peer").map(ToString::to_string));
        let verdict = match (hit.is_some(), case["match"].as_bool().unwrap(), case["captures"]["host"].as_str()) {
            (true, true, Some(want)) if peer.as_deref() != Some(want) => Some("another peer"),
            (true, true, _) | (false, false, _) => None,
            (false, true, _) => Some("not found"),
            (true, false, _) => Some("found"),
        };
        let count = if case["match"] == true { &mut yes } else { &mut no };
        *count = (count.0 + usize::from(verdict.is_none()), count.1 + 1);
        if let (Some(about), true) = (about, case["match"] == true) {
            let local = case["time_local_zurich"].as_str().and_then(|t| Time::parse_rfc3339(&format!("{t}Z")));
            let right = event.at.is_some_and(|at| {
                [Some(about), local].iter().flatten().any(|want| at.since(*want).as_secs() == 0 && want.since(at).as_secs() == 0)
            });
            times = (times.0 + usize::from(right), times.1 + 1);
        }
        if let Some(verdict) = verdict {
            wrong.insert((service, case["line_no"].as_u64().unwrap(), verdict));
        }
    }
    assert_eq!(yes.1 + no.1, CASES);
    let percent = |(right, all): (usize, usize)| right as f64 * 100.0 / all as f64;
    say(&format!(
        "intruders: {} of {} attempts found ({:.1} %), {} of {} other lines left alone ({:.1} %), {} of {} times read",
        yes.0,
        yes.1,
        percent(yes),
        no.0,
        no.1,
        percent(no),
        times.0,
        times.1
    ));
    explained(wrong, &read("tests/packs/left.tsv"));
}

/// Both ways: no wrong case without a row, no row without a wrong case.
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
