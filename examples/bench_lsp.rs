//! Measures what an editor waits for: answers on a site of many rules, and at each prefix of the shipped files.
//!
//!     cargo run --release --example bench_lsp            (10,000 alarms)
//!     cargo run --release --example bench_lsp -- prefixes
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads clocks and files")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::path::Path;
use std::time::{Duration, Instant};

use pointsman::core::editor::{Documents, Language};

const ALARMS: usize = 10_000;
const TIMES: u32 = 20;

fn main() {
    if std::env::args().nth(1).is_some_and(|word| word == "prefixes") { prefixes() } else { many_rules() }
}

/// One alarm with its pattern.
fn rule(n: usize) -> String {
    format!(
        "pattern failed_{n} {{ match /service {n}: failed (?<user_{n}>\\S+) from (?<peer:ip>)/ }}\nalarm failing_{n} {{\n    category major\n    summary  \"{{peer}} fails at {n}\"\n    detect   5 of failed_{n} by peer within 1m\n    cancel   after 10m\n    react    report\n}}\n\n"
    )
}

fn many_rules() {
    for (what, files) in [("in 100 files", 100), ("in one file", 1)] {
        let mut documents = Documents::default();
        let began = Instant::now();
        for file in 0..files {
            let text: String = (0..ALARMS / files).map(|n| rule(file * (ALARMS / files) + n)).collect();
            documents.set(&format!("/site/rules/{file}.alarm"), Language::Rules, &text);
        }
        documents.set("/site/scripts/report.rhai", Language::Script, "fn react(alarm, event, params) { }\n");
        println!("{ALARMS} alarms {what}: read in {:?}", began.elapsed());
        let name = "/site/rules/0.alarm";
        let text = documents.text(name).unwrap().text.clone();
        let place = |word: &str| text.rfind(word).unwrap() + 2;
        let keyed = text.rfind("by peer").unwrap() + 3;
        let of_pattern = text.rfind("of failed_").unwrap() + 4;
        measure("completion of a field", || drop(documents.completions(name, keyed)));
        measure("completion of a pattern", || drop(documents.completions(name, of_pattern)));
        measure("completion of a clause", || drop(documents.completions(name, place("cancel") - 2)));
        measure("hover on a word", || drop(documents.hover(name, place("cancel"))));
        measure("hover on a pattern", || drop(documents.hover(name, of_pattern)));
        measure("definition", || drop(documents.definitions(name, of_pattern)));
        measure("references", || drop(documents.references(name, of_pattern, true)));
        measure("rename", || drop(documents.rename(name, of_pattern, "another")));
        let mut typed = text.clone();
        measure("a typed letter", || {
            typed.insert(place("cancel"), 'x');
            documents.clone().set(name, Language::Rules, &typed);
        });
    }
}

fn measure(what: &str, mut work: impl FnMut()) {
    let mut longest = Duration::ZERO;
    let began = Instant::now();
    for _ in 0..TIMES {
        let one = Instant::now();
        work();
        longest = longest.max(one.elapsed());
    }
    println!("  {what}: {:?} on average, {longest:?} at most", began.elapsed() / TIMES);
}

/// Each prefix of each shipped file is answered.
fn prefixes() {
    let mut files = Vec::new();
    for folder in ["rules", "examples", "scripts", "tests/rules"] {
        below(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).as_path(), &mut files);
    }
    let (mut places, mut longest) = (0, (Duration::ZERO, String::new()));
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let Some(language) = Language::of(file) else { continue };
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let began = Instant::now();
            let mut documents = Documents::default();
            documents.set(file, language, &text[..at]);
            documents.completions(file, at);
            documents.hover(file, at);
            documents.hover(file, at / 2);
            documents.definitions(file, at);
            documents.references(file, at, true);
            let _ = documents.rename(file, at, "x");
            let _ = documents.formatted(file);
            places += 1;
            if began.elapsed() > longest.0 {
                longest = (began.elapsed(), format!("{file} at {at}"));
            }
        }
    }
    println!("{places} prefixes of {} files: at most {:?} ({})", files.len(), longest.0, longest.1);
}

fn below(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            below(&path, found);
        } else if Language::of(&path.to_string_lossy()).is_some() {
            found.push(path.to_string_lossy().into_owned());
        }
    }
}
