//! The program understands every command that a message, a help text or a document names.

use std::fs;
use std::path::Path;

use pointsman::cli::understands;

use crate::support::root;

/// Replaces placeholders in a document, such as `pointsman move RESOURCE HOST`.
fn word(word: &str) -> String {
    let inner = word.trim_matches(['"', '\'', '[', ']', ',', '.', ')', ';']);
    if inner.contains('{') || ["N", "RUN"].contains(&inner) { "1".to_owned() } else { inner.to_owned() }
}

/// The commands in a text: between backticks, in examples, and after a prompt.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let mut take = |from: &str| {
        // The text after two blanks is a description, and the text after a pipe belongs to another program.
        let end = ["  ", " | ", " > ", " #", "`", "\\n", "\n", "\",", " && "].iter().filter_map(|end| from.find(end)).min();
        let line = from[..end.unwrap_or(from.len())].trim();
        let mut words: Vec<String> = Vec::new();
        let mut quoted: Option<String> = None;
        for part in line.split(' ').filter(|part| !part.is_empty() && *part != "..." && *part != "\\") {
            match &mut quoted {
                Some(text) => {
                    text.push(' ');
                    text.push_str(part);
                }
                None if part.starts_with(['"', '\'']) => quoted = Some(part.to_owned()),
                None => words.push(word(part)),
            }
            if let Some(text) = quoted.take_if(|text| text.len() > 1 && text.ends_with(['"', '\''])) {
                words.push(word(&text));
            }
        }
        if words.len() > 1 {
            all.push(words);
        }
    };
    for begins in ["`pointsman ", "\n  pointsman ", "\\n  pointsman ", "$ pointsman ", "\n    pointsman "] {
        for (at, _) in text.match_indices(begins) {
            take(&text[at + begins.find("pointsman").unwrap_or_default()..]);
        }
    }
    all
}

fn texts(folder: &Path, extensions: &[&str], found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            texts(&path, extensions, found);
        } else if path.extension().is_some_and(|e| extensions.iter().any(|x| e == *x)) {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap_or_default()));
        }
    }
}

#[test]
fn every_command_that_is_named_exists() {
    let mut all = Vec::new();
    for folder in ["src", "docs", "rules", "grammar", "scripts", "examples"] {
        texts(&root().join(folder), &["rs", "md", "alarm", "yaml", "service"], &mut all);
    }
    for file in ["README.md", "CONTRIBUTING.md"] {
        all.push((file.to_owned(), fs::read_to_string(root().join(file)).unwrap_or_default()));
    }
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (name, text) in &all {
        for words in commands(text) {
            seen += 1;
            let line = words.join(" ");
            if let Err(why) = understands(&words) {
                wrong.push(format!("{name}: {line}: {}", why.lines().next().unwrap_or_default()));
            }
        }
    }
    assert!(seen > 50, "only {seen} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_command_that_there_is_not_is_found() {
    let found = commands(
        "see `pointsman clear x`, `pointsman alarms --cleer x`, and\n  pointsman resources resume sip_vip   ends a pause\n",
    );
    let told: Vec<bool> = found.iter().map(|words| understands(words).is_ok()).collect();
    assert_eq!(told, [false, false, true], "{found:?}");
}
