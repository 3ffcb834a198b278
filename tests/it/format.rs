//! Formatting of rule files: the result, that its meaning is the same, and that formatting it again changes nothing.

use std::fs;
use std::sync::Arc;

use pointsman::core::base::limits::{RULE_FILE_BYTES, SOURCE_BYTES};
use pointsman::core::diag::{Code, Place, Source, render};
use pointsman::core::lang::format::formatted;
use pointsman::core::lang::{Declarations, compile};
use pointsman::core::sim::Rng;

use crate::grammar::Sentences;
use crate::support::{expect, files, inventory, root, source};

/// The meaning of a file without locations: the program that it compiles to, and its errors.
fn said(text: &str) -> String {
    let inventory = inventory();
    let (mut program, found) = compile(&[source("said", text)], &Declarations { inventory: Some(&inventory), scripts: None });
    let nowhere = Place { source: Arc::new(Source { name: String::new(), text: String::new() }), bytes: 0..0 };
    let places = program.atoms.iter_mut().map(|a| &mut a.place).chain(program.alarms.iter_mut().map(|a| &mut a.place));
    places.chain(program.samples.iter_mut().map(|s| &mut s.place)).for_each(|place| *place = nowhere.clone());
    format!("{program:?} {:?}", found.iter().map(|d| d.code).collect::<Vec<_>>())
}

/// All characters except blanks.
fn ink(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '\u{FEFF}').collect()
}

/// The beginning of comments in these tests, which occurs in no string.
const COMMENT: &str = "#~";

/// Each such comment, and the character before it in its line.
fn comments(text: &str) -> Vec<(Option<char>, String)> {
    let lines = text.lines().map(|l| l.trim_start_matches('\u{FEFF}'));
    let parts = lines.filter_map(|l| l.split_once(COMMENT));
    parts.map(|(before, after)| (before.trim_end().chars().next_back(), after.trim_end().to_owned())).collect()
}

/// Formats the file if it can be parsed, and checks that its meaning is the same, that nothing is lost, and that formatting it
/// again changes nothing.
fn checked(name: &str, text: &str) -> Option<String> {
    let result = formatted(&source(name, text)).ok()?;
    assert_eq!(ink(text), ink(&result), "{name}: nothing is lost\n{result}");
    assert_eq!(comments(text), comments(&result), "{name}: comments stay where they are\n{result}");
    assert_eq!(said(text), said(&result), "{name}: it says the same\n{text}\n-----\n{result}");
    let again = formatted(&source(name, &result)).unwrap_or_else(|found| panic!("{name}: {}", render::human(&found, false)));
    assert_eq!(again, result, "{name}: a second time changes nothing\n{text}");
    assert!(result.is_empty() || (result.ends_with('\n') && !result.ends_with("\n\n")), "{name}");
    assert!(!result.contains("\n\n\n") && !result.contains("\r\n") && !result.starts_with('\n'), "{name}");
    Some(result)
}

#[test]
fn the_form_is_as_stands_beside_them() {
    for (name, text) in files("tests/format", "alarm") {
        let result = checked(&name, &text).unwrap_or_else(|| panic!("{name} can be read"));
        expect(format!("tests/format/{}", name.replace(".alarm", ".expected")), &result);
    }
}

#[test]
fn shipped_rules_are_in_the_form() {
    for folder in fs::read_dir(root().join("rules")).unwrap().map(|e| e.unwrap()).filter(|e| e.path().is_dir()) {
        let folder = format!("rules/{}", folder.file_name().to_str().unwrap());
        for (name, text) in files(&folder, "alarm") {
            assert_eq!(checked(&name, &text).as_deref(), Some(text.as_str()), "`pointsman fmt rules` changes {folder}/{name}");
        }
    }
}

#[test]
fn rules_of_the_tests_say_the_same() {
    let mut read = 0;
    for folder in [
        "tests/lang/err",
        "tests/lang/match",
        "tests/lang/calendars",
        "tests/rules",
        "tests/rules/forms",
        "tests/rules/groups",
        "tests/rules/states",
    ] {
        read += files(folder, "alarm").into_iter().filter(|(name, text)| checked(name, text).is_some()).count();
    }
    assert!(read > 10, "{read}");
}

/// Tokens with random allowed blanks and comments between them.
fn scattered(tokens: &[String], rng: &mut Rng) -> String {
    const BETWEEN: [&str; 10] =
        [" ", "   ", "\t", "\n", "\n\n\n", " \r\n ", "\n\n    ", " #~ why, \"how\" | {\n", "\n  #~   \u{e9}  \n", "  #~\r\n\n"];
    let glue = |t: &str| matches!(t, "," | "(" | ")" | "[" | "]" | "{" | "}");
    let mut text = String::new();
    for (i, token) in tokens.iter().enumerate() {
        let glued = i > 0 && (glue(token) || glue(&tokens[i - 1]));
        match rng.index(3) {
            0 if glued => {}
            0 | 1 => text.push(' '),
            _ => text.push_str(BETWEEN[rng.index(BETWEEN.len())]),
        }
        text.push_str(token);
    }
    text
}

/// Everything that can be parsed can be formatted without changing its meaning.
#[test]
fn derived_sentences_say_the_same() {
    let sentences = Sentences::new();
    let mut read = 0;
    for seed in 0..4_000 {
        let (tokens, mut rng) = sentences.derive(seed);
        let text = scattered(&tokens, &mut rng);
        read += usize::from(checked(&format!("seed {seed}"), &text).is_some());
    }
    assert!(read > 2_000, "{read}");
}

/// Rows that fill in one or two tokens of a derived alarm, or parts of them.
#[test]
fn whatever_rows_fill_in_says_the_same() {
    let sentences = Sentences::new();
    let (mut read, mut refused) = (0, 0);
    for seed in 0..6_000 {
        let (tokens, mut rng) = sentences.derive_alarm(seed);
        let Some(open) = tokens.iter().position(|t| t == "{").filter(|at| *at == 2 && tokens.len() > 4) else { continue };
        let at = open + 1 + rng.index(tokens.len() - open - 2);
        let (token, rest) = match rng.index(3) {
            // The beginning of a token. The block has the rest of it.
            0 => {
                let part = tokens[at].char_indices().nth(1).map_or(tokens[at].len(), |(i, _)| i);
                tokens[at].split_at(part)
            }
            _ => (tokens[at].as_str(), ""),
        };
        if token.contains(['"', '\\', '\n']) {
            continue;
        }
        let mut filled = tokens[..open].to_vec();
        for _ in 0..1 + rng.index(2) {
            filled.extend(["with", "x", "="].map(str::to_owned));
            filled.push(format!("\"{token}\""));
        }
        filled.extend_from_slice(&tokens[open..at]);
        filled.push(format!("${{x}}{rest}"));
        filled.extend_from_slice(&tokens[at + 1..]);
        let text = scattered(&filled, &mut rng);
        match formatted(&source("rows", &text)) {
            Ok(_) => read += usize::from(checked(&format!("seed {seed}"), &text).is_some()),
            Err(found) => refused += usize::from(found.iter().any(|d| d.message.contains("left unchanged"))),
        }
    }
    assert!(read > 500 && refused * 20 < read, "{read} {refused}");
}

/// The text of a row may begin an expression, where blanks are significant.
#[test]
fn blanks_that_rows_make_texts_of_are_left() {
    let text =
        "alarm \"a${x}\" with x = \"/a\" with x = \"/b\" {\n    detect event where text ~ ${x}   b/\n    cancel at once\n}\n";
    let found = formatted(&source("rows.alarm", text)).unwrap_err();
    assert_eq!(found[0].code, Code::BadRow);
    assert!(found[0].message.contains("rows.alarm is left unchanged"), "{}", found[0].message);
}

#[test]
fn hostile_files_are_survived() {
    let much = |part: &str| part.repeat(SOURCE_BYTES / part.len());
    let parts = [
        "(",
        "{",
        "alarm a {",
        "pattern p { match /",
        "\"",
        "#",
        "| ",
        "${",
        "a ",
        "\n",
        "alarm a with x = ",
        "not ",
        "\u{FEFF}",
    ];
    for part in parts {
        // Blanks and comments alone are a valid file.
        if let Some(text) = checked(part, &much(part)) {
            assert!(ink(&text).is_empty() || part == "#", "{part}");
        }
    }
    let one_line = format!("alarm a {{ detect event where {} cancel at once }}", vec!["a == 1"; 40_000].join(" or "));
    let text = formatted(&source("wide", &one_line)).unwrap();
    assert!(text.lines().count() > 1_000 && text.lines().all(|l| l.len() <= 130));
    let many = "pattern p{match/a/}".repeat(40_000);
    assert_eq!(formatted(&source("many", &many)).unwrap().lines().count(), 40_000);
    // A file of the maximum size, which becomes a little larger when it is formatted.
    let grown = format!("# {}\npattern p{{match/a/}}\n", "x".repeat(RULE_FILE_BYTES - 23));
    let found = formatted(&source("grown", &grown)).unwrap_err();
    assert!(found[0].message.contains("after formatting"), "{}", found[0].message);
    assert!(formatted(&source("large", &"#".repeat(RULE_FILE_BYTES + 1))).is_err());
    let bom = "\u{FEFF}alarm a {\r\n  detect event 1\r\n}";
    assert_eq!(formatted(&source("bom", bom)).unwrap(), "alarm a {\n    detect event 1\n}\n");
}
