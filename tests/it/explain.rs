//! `pointsman explain`: planted mistakes as data (`tests/explain`), and that it says what the engine does.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::support::{Folder, files, say};

/// Lines in which the cause has to stand.
const FIRST: usize = 3;

/// A part of a case: what stands behind `--- name`.
fn section<'t>(case: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = case.split_once(&format!("--- {name}\n"))?;
    Some(rest.split("\n--- ").next().unwrap_or(rest).trim_end_matches('\n'))
}

/// Each mistake is named in the first three lines.
#[test]
fn planted_mistakes_are_named_first() {
    let folder = Folder::new();
    fs::create_dir_all(folder.join("scripts")).unwrap();
    fs::write(folder.join("scripts/tell.rhai"), "let params = #{ port: \"\" };\nlog(`${params.port} is told`);\n").unwrap();
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
        let output = Command::new(env!("CARGO_BIN_EXE_pointsman")).args(&arguments).current_dir(folder.path()).output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout);
        let first: String = out.lines().take(FIRST).map(|line| format!("{line}\n")).collect();
        if !first.contains(part("cause")) {
            missed.push(format!("{name}: wanted: {}\n{first}{}", part("cause"), String::from_utf8_lossy(&output.stderr)));
        }
    }
    say(&format!("explain: {} of {} planted mistakes are named in the first {FIRST} lines", cases.len() - missed.len(), cases.len()));
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    let names: BTreeSet<&str> = cases.iter().filter_map(|(name, _)| name.split_once('-').map(|(_, name)| name)).collect();
    assert!(names.len() >= 40);
}
