//! The index and trying every condition give the same result for random rules and records.

use std::sync::Arc;

use super::Matcher;
use crate::core::base::time::Time;
use crate::core::decode::Decoder;
use crate::core::diag::{Source, has_errors, render};
use crate::core::inventory::{Application, Host, Inventory, Via};
use crate::core::lang::{Declarations, compile};
use crate::core::sim::Rng;

const WORDS: &[&str] =
    &["link", "LINK", "down", "up", "disk", "Disk", "sk", "node-1", "node-2", "timeout", "ss", "grün", "9", "10", "4561"];
const APPS: &[&str] = &["alpha", "beta", "alias-of-alpha", "gamma"];

fn inventory() -> Inventory {
    let alpha = Application {
        kind: "T".to_owned(),
        host: "h1".to_owned(),
        aliases: vec!["alias-of-alpha".to_owned()],
        ..Default::default()
    };
    let host =
        Host { address: None, platform: "linux".to_owned(), via: Via::Agent, aliases: vec!["h2".to_owned()], ..Host::default() };
    Inventory {
        applications: [("alpha".to_owned(), alpha)].into(),
        hosts: [("h1".to_owned(), host)].into(),
        ..Inventory::default()
    }
}

fn word(rng: &mut Rng) -> &'static str {
    WORDS[rng.index(WORDS.len())]
}

fn rule(rng: &mut Rng, n: usize) -> String {
    let (a, b, app) = (word(rng), word(rng), APPS[rng.index(APPS.len())]);
    let condition = match rng.index(19) {
        0 => format!("where text contains \"{a}\""),
        1 => format!("match /{a} {b}/"),
        2 => format!("match /{a}/ match app /{b}/"),
        3 => format!("match /(?<x>{a}|{b}) x/i"),
        4 => format!("where text ~ /{a}.*{b}/is or text ends with \"{b}\""),
        5 => format!("from app {app} where text starts with \"{a}\""),
        6 => format!("from app \"*{}\"", &app[1..]),
        7 => format!("from type T where not text contains \"{a}\""),
        8 => format!("match /({a})?x*/ where app == \"{app}\""),
        9 => format!("where text in [\"{a} {b}\", \"{b}\"]"),
        10 => format!("match /[{}]{b}{{2}}/", a.chars().next().unwrap_or('x')),
        11 => format!("where text == \"{a}\" and text !~ /{b}/"),
        13 => format!("from host h1, \"h3*\" where text contains \"{a}\" or level >= error"),
        15 => format!("match raw /{a}.*{b}/"),
        16 => format!("match raw /{app}: /i match /{a}/"),
        17 => format!("where raw contains \"{app}\" and text contains \"{a}\""),
        14 => "from host \"h*\" where pid == 1".to_owned(),
        12 => format!("match /(?<v>\\S+) {b}/ where v == \"{a}\""),
        _ => format!("from app {app}"),
    };
    let ids = match rng.index(4) {
        0 => format!("alarm i{n} {{ detect event 4561, \"{a}\" from app {app} cancel at once }}\n"),
        1 => format!("alarm i{n} {{ detect event 00-04500..00-0{} cancel at once }}\n", 4_510 + 60 * rng.index(3)),
        _ => String::new(),
    };
    format!("pattern p{n} {{ {condition} }}\nalarm a{n} {{ detect p{n} cancel at once }}\n{ids}")
}

fn record(rng: &mut Rng) -> String {
    let app = APPS[rng.index(APPS.len())];
    let count = rng.index(5);
    let text: Vec<&str> = (0..count).map(|_| word(rng)).collect();
    let text = text.join(if rng.percent(50) { " " } else { "" });
    let host = ["h1", "h1.example.com", "h2", "h3", "h4"][rng.index(5)];
    match rng.index(4) {
        0 => format!("<11>1 2026-03-14T09:15:02Z {host} {app} 1 {} - {text}", word(rng)),
        1 => format!("2026-03-14T09:15:02.118 Standard {host} {app} GCTI-00-0{} {text}", 4_490 + rng.index(150)),
        2 => format!("<14>Mar 14 09:15:02 {host} {app}: {text}"),
        _ => text,
    }
}

#[test]
fn the_index_leaves_nothing_out() {
    let inventory = inventory();
    let mut matched = 0;
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let text: String = (0..30).map(|n| rule(&mut rng, n)).collect();
        let source = Arc::new(Source { name: "r.alarm".to_owned(), text });
        let (program, found) = compile(&[source], &Declarations { inventory: Some(&inventory), scripts: None });
        assert!(!has_errors(&found), "{}", render::human(&found, false));
        let matcher = Matcher::new(&program, Some(&inventory));
        let mut hits = Vec::new();
        for _ in 0..200 {
            let record = record(&mut rng);
            let mut decoder = Decoder::new();
            let event = decoder.decode(record.as_bytes(), Time::default());
            matcher.matches(&event, &mut hits);
            assert_eq!(hits, matcher.matches_without_index(&event), "seed {seed}: {record}");
            matched += hits.len();
        }
    }
    assert!(matched > 5_000, "the records meet something: {matched}");
}
