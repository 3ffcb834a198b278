//! `pointsman explain`: finds planted mistakes (`tests/explain`), and agrees with the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use pointsman::core::base::time::Time;
use pointsman::core::diag::has_errors;
use pointsman::core::event::Trust;
use pointsman::core::explain::{conditions, stories_of};
use pointsman::core::inventory::Inventory;
use pointsman::core::lang::{Declarations, Matcher, compile};
use pointsman::core::replay::{DryRun, EntryKind, Origin, Settling, SiftRoom};
use pointsman::core::script::Evaluator;
use pointsman::core::sim::Rng;
use pointsman::core::site::Site;

use crate::support::{Folder, files, say, source};

/// The number of lines in which the cause must appear.
const FIRST: usize = 3;

/// A section of a case: the text after `--- name`.
fn section<'t>(case: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = case.split_once(&format!("--- {name}\n"))?;
    Some(rest.split("\n--- ").next().unwrap_or(rest).trim_end_matches('\n'))
}

/// Each mistake is named in the first three lines.
#[test]
fn planted_mistakes_are_named_first() {
    let folder = Folder::new();
    fs::create_dir_all(folder.join("scripts")).unwrap();
    fs::write(
        folder.join("scripts/tell.rhai"),
        "const PARAMS = #{ port: \"text\" };\n\nfn react(alarm, event, params) {\n    log.info(`${params.port} is told`);\n}\n",
    )
    .unwrap();
    let fails =
        "const PARAMS = #{ port: \"text\" };\n\nfn react(alarm, event, params) {\n    throw `cannot reach ${params.port}`;\n}\n";
    fs::write(folder.join("scripts/fail.rhai"), fails).unwrap();
    let mut missed = Vec::new();
    let cases = files("tests/explain", "case");
    for (name, case) in &cases {
        let part = |name: &str| section(case, name).unwrap_or_default();
        fs::write(folder.join("rules.alarm"), part("rules")).unwrap();
        fs::write(folder.join("log"), format!("{}\n", part("log"))).unwrap();
        let mut arguments = vec!["explain"];
        match section(case, "config") {
            Some(config) => {
                fs::write(folder.join("pointsman.yaml"), config).unwrap();
                arguments.extend(["-c", "pointsman.yaml"]);
            }
            None => arguments.extend(["--rules", "rules.alarm", "--scripts", "scripts"]),
        }
        arguments.extend(part("explain").split(' '));
        let output = folder.pointsman(&arguments);
        let out = String::from_utf8_lossy(&output.stdout);
        let first: String = out.lines().take(FIRST).map(|line| format!("{line}\n")).collect();
        if !first.contains(part("cause")) {
            missed.push(format!("{name}: wanted: {}\n{first}{}", part("cause"), String::from_utf8_lossy(&output.stderr)));
        }
    }
    say(&format!(
        "explain: {} of {} planted mistakes are named in the first {FIRST} lines",
        cases.len() - missed.len(),
        cases.len()
    ));
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    let names: BTreeSet<&str> = cases.iter().filter_map(|(name, _)| name.split_once('-').map(|(_, name)| name)).collect();
    assert!(names.len() >= 40);
}

const WORDS: [&str; 8] = ["link", "down", "up", "disk", "full", "eth0", "eth1", "7"];
const APPS: [&str; 3] = ["net", "kernel", "app"];

/// Random rules of several kinds with few words, so that records match them often, nearly and partly.
fn random_rules(rng: &mut Rng) -> String {
    let mut text = String::new();
    for n in 0..6 {
        let (a, b, app) = (WORDS[rng.index(8)], WORDS[rng.index(8)], APPS[rng.index(3)]);
        let condition = match rng.index(6) {
            0 => format!("from app {app}  match /{a} (?<x>\\S+)/"),
            1 => format!("match /^{a} (?<x>\\w+) {b}/"),
            2 => format!("match /(?<x>{a}|{b})$/i"),
            3 => format!("match /(?<x>\\S+) {a}/  where text contains \"{b}\" or level >= error"),
            4 => format!("from app {app}  match /(?<x>\\S+)/  where not text contains \"{a}\" and x != \"{b}\""),
            _ => format!("match /{a} (?<x:int>)/  where x > 3"),
        };
        text.push_str(&format!("pattern p{n} {{ {condition} }}\n"));
        let (i, j) = (rng.index(n + 1), rng.index(n + 1));
        let alarm = match rng.index(7) {
            0 => format!("detect p{n} by x  cancel when p{i}"),
            1 => format!("detect {} of p{n} by x within 9s  cancel after 5s", 2 + rng.index(2)),
            2 => format!("detect p{n} then p{i} by x within 10s  cancel after 4s"),
            3 => format!("detect p{n} by x  hold 3s  cancel when p{i}"),
            4 => format!("detect p{n} without p{i} by x within 6s  cancel after 9s"),
            5 => format!("detect 2 of p{n} unless p{i} by x  cancel at once"),
            _ => format!("detect p{n} and p{j} by x within 8s  cancel after 3s"),
        };
        let more = if n > 0 && rng.percent(30) { format!("  inhibited by a{}", rng.index(n)) } else { String::new() };
        text.push_str(&format!("alarm a{n} {{ {alarm}{more} }}\n"));
    }
    if rng.percent(30) {
        text.push_str(&format!("ignore noise {{ where text contains \"{}\" }}\n", WORDS[rng.index(8)]));
    }
    text
}

fn random_log(rng: &mut Rng) -> Vec<String> {
    let mut second = 0;
    let line = |rng: &mut Rng, second: usize| {
        let words: Vec<&str> = (0..1 + rng.index(4)).map(|_| WORDS[rng.index(8)]).collect();
        let stamp = format!("2026-01-01T10:{:02}:{:02}Z", second / 60, second % 60);
        format!("<{}>1 {stamp} h {} - - - {}", 8 + rng.index(8), APPS[rng.index(3)], words.join(" "))
    };
    (0..60)
        .map(|_| {
            second += rng.index(5);
            line(rng, second)
        })
        .collect()
}

/// The matches that explain reports are those of the matcher, and the alarms that it reports are those that the engine raises
/// without a trace.
#[test]
fn explain_says_what_matcher_and_engine_do() {
    let (mut matched, mut raised, mut not_raised) = (0, 0, 0);
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let rules = random_rules(&mut rng);
        let (program, found) = compile(&[source("r.alarm", &rules)], &Declarations::default());
        if has_errors(&found) {
            // Two words of a rule may contradict each other.
            continue;
        }
        let inventory = Arc::new(Inventory::default());
        let matcher = Matcher::new(&program, None);
        let evaluator = Evaluator::new(inventory.clone());
        let site = Arc::new(Site::new(inventory, Arc::new(program), matcher, BTreeMap::new(), evaluator));
        let log = random_log(&mut rng);
        let origin = || Origin { written: Time::parse_rfc3339("2026-01-01T12:00:00Z").unwrap(), ..Origin::default() };
        let names: Vec<String> = site.program.alarms.iter().map(|a| a.name.clone()).collect();
        // Once without a trace, and once for each alarm with a trace.
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for asked in std::iter::once(None).chain(names.iter().map(Some)) {
            let mut run = DryRun::new(site.clone(), BTreeMap::new(), Trust::Local);
            let mut story = asked.map(|name| stories_of(&site.program, name, None).unwrap());
            if let Some((_, names)) = &story {
                run.trace(names.clone());
            }
            let mut reader = run.reader(origin());
            let (mut settling, mut room, mut told) = (Settling::default(), SiftRoom::default(), Vec::new());
            let (sifting, acting) = run.parts();
            for line in &log {
                let mut read = reader.read(line.as_bytes(), false);
                let mut hits = Vec::new();
                match &mut story {
                    Some((story, _)) => sifting.look(&read, &mut room, |event| story.see(&site, read.line(), event)),
                    None => {
                        site.matcher.matches(read.event(), &mut hits);
                        let explained = conditions(&site, read.event(), usize::MAX);
                        let says: Vec<_> = explained.iter().filter(|c| c.matches()).map(|c| c.atom).collect();
                        assert_eq!(says, hits.iter().map(|hit| hit.atom).collect::<Vec<_>>(), "seed {seed}: {line}\n{rules}");
                        assert!(explained.iter().all(|c| c.matches() == c.failed().is_none()), "seed {seed}: {line}\n{rules}");
                        matched += says.len();
                    }
                }
                settling
                    .take(sifting.sift(&mut read, &mut room), &mut |sifted| acting.take(sifted, &mut |entry| told.push(entry)));
            }
            for end in reader.end().into_iter() {
                settling.take(end, &mut |sifted| acting.take(sifted, &mut |entry| told.push(entry)));
            }
            run.finish(&mut |entry| told.push(entry));
            let Some((mut story, _)) = story else {
                for entry in told.iter().filter(|e| e.kind == EntryKind::AlarmRaised) {
                    *counts.entry(entry.alarm.clone().unwrap()).or_default() += 1;
                }
                continue;
            };
            run.parts().1.decisions().iter().for_each(|decision| story.decided(decision));
            let first = story.verdict(&site.program, &|line| format!("line {line}")).swap_remove(0);
            let wanted = match counts.get(asked.unwrap()) {
                None => "was not raised".to_owned(),
                Some(1) => "was raised once".to_owned(),
                Some(n) => format!("was raised {n} times"),
            };
            assert!(
                first.contains(&wanted),
                "seed {seed}, {asked:?}: {first}, and the engine: {wanted}\n{rules}\n{}",
                log.join("\n")
            );
            *(if wanted.contains("not") { &mut not_raised } else { &mut raised }) += 1;
        }
    }
    assert!(matched > 1_000 && raised > 30 && not_raised > 30, "{matched}, {raised}, {not_raised}");
}
