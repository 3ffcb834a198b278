//! `grammar/pointsman.tmLanguage.json`: it is generated from the grammar, and it colours the shipped rules correctly.

use std::collections::{BTreeMap, BTreeSet};

use pointsman::core::lang::grammar::ebnf::{Part, is_terminal, productions, right_side};
use regex::Regex;
use serde_json::{Value as Json, json};

use crate::editor::below;
use crate::support::{expect, read};

const FILE: &str = "grammar/pointsman.tmLanguage.json";

/// The words of the language, and its terminals by name.
fn words_and_terminals() -> (BTreeSet<String>, BTreeMap<String, String>) {
    fn collect(part: &Part, words: &mut BTreeSet<String>) {
        match part {
            Part::Word(word) if word.starts_with(|c: char| c.is_ascii_alphabetic()) => drop(words.insert(word.clone())),
            Part::Word(_) | Part::Name(_) | Part::Pattern(_) => {}
            Part::Sequence(parts) | Part::Choice(parts) => parts.iter().for_each(|part| collect(part, words)),
            Part::Optional(part) | Part::Many(part, _) => collect(part, words),
        }
    }
    let (mut words, mut terminals) = (BTreeSet::new(), BTreeMap::new());
    for (name, right) in productions() {
        match right_side(right) {
            Part::Pattern(expression) => drop(terminals.insert(name.to_owned(), expression)),
            part => collect(&part, &mut words),
        }
        assert!(is_terminal(name) || name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
    }
    (words, terminals)
}

/// The grammar for editors: what stands first in the list is tried first.
fn text_mate() -> Json {
    let (words, terminals) = words_and_terminals();
    let of = |name: &str| terminals[name].as_str();
    let whole = |name: &str| format!("(?<![\\w.-])(?:{})(?!\\w)", of(name));
    let items = "alarm|pattern|ignore|piece|list|reaction|calendar";
    let values = ["true", "false", "live", "dry", "confirm", "off", "primary", "backup"];
    let keywords: Vec<&str> = words.iter().map(String::as_str).filter(|word| !values.contains(word)).collect();
    json!({
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "comment": "Generated from grammar/pointsman.ebnf; a test keeps it so.",
        "name": "Pointsman rules",
        "scopeName": "source.alarm",
        "fileTypes": ["alarm"],
        "patterns": [
            { "name": "comment.line.number-sign.alarm", "match": "#.*$" },
            { "name": "string.unquoted.record.alarm", "match": of("RECORD") },
            { "name": "string.regexp.alarm", "match": of("RAW_REGEX") },
            {
                "match": format!("\\b({items})\\s+({}|{})(?=\\s*([{{/\\[]|r\"|with\\b))", of("STRING"), of("NAME")),
                "captures": { "1": { "name": "keyword.declaration.alarm" }, "2": { "name": "entity.name.type.alarm" } },
            },
            { "name": "string.quoted.double.alarm", "match": of("STRING") },
            { "name": "constant.numeric.network.alarm", "match": whole("NETWORK") },
            { "name": "string.regexp.alarm", "match": of("REGEX") },
            { "name": "variable.parameter.row.alarm", "match": "\\$\\{[A-Za-z_][A-Za-z0-9_.-]*\\}" },
            { "name": "constant.numeric.address.alarm", "match": whole("ADDRESS") },
            { "name": "constant.numeric.date.alarm", "match": format!("{}|{}", whole("DATE"), whole("TIME")) },
            { "name": "constant.other.id.alarm", "match": whole("ID") },
            {
                "name": "constant.numeric.alarm",
                "match": format!("(?<![\\w-])(?:{}|{}|{}|{}|{})(?!\\w)", of("DURATION"), of("SIZE"), of("PERCENT"), of("FACTOR"), of("NUMBER")),
            },
            { "name": "constant.language.alarm", "match": format!("(?<![\\w.-])(?:{})(?![\\w.-])", values.join("|")) },
            { "name": "keyword.control.alarm", "match": format!("(?<![\\w.-])(?:{})(?![\\w.-])", keywords.join("|")) },
            { "name": "variable.other.alarm", "match": of("NAME") },
            { "name": "keyword.operator.alarm", "match": format!("{}|!?~|=|\\.\\.", of("COMPARISON")) },
        ],
    })
}

#[test]
fn the_text_mate_grammar_is_that_of_the_language() {
    expect(FILE, &(serde_json::to_string_pretty(&text_mate()).unwrap() + "\n"));
}

/// The scopes of a line, as an editor finds them: at each place the first pattern that matches earliest.
fn scopes(patterns: &[(Option<String>, Regex, bool)], line: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let first = patterns.iter().filter_map(|(name, regex, open)| {
            let mut from = at;
            loop {
                let found = regex.captures_at(line, from)?;
                let whole = found.get(0)?;
                let before = line[..whole.start()].chars().next_back();
                // The look-behind, which this library does not have.
                if *open || !before.is_some_and(|c| c.is_alphanumeric() || "_.-".contains(c)) {
                    return Some((whole.start(), name, found));
                }
                from = whole.start() + line[whole.start()..].chars().next()?.len_utf8();
            }
        });
        let Some((start, name, captures)) = first.min_by_key(|(start, ..)| *start) else { break };
        match name {
            Some(name) => found.push((name.clone(), captures[0].to_owned())),
            None => {
                found.push(("keyword.declaration.alarm".to_owned(), captures[1].to_owned()));
                found.push(("entity.name.type.alarm".to_owned(), captures[2].to_owned()));
            }
        }
        at = (start + captures[0].len()).max(at + 1);
        while !line.is_char_boundary(at) {
            at += 1;
        }
    }
    found
}

#[test]
fn the_shipped_rules_are_coloured() {
    let grammar: Json = serde_json::from_str(&read(FILE)).unwrap();
    let ends = Regex::new(r"\(\?![^)]*\)|\(\?=[^()]*(?:\([^)]*\))?\)").unwrap();
    let patterns: Vec<_> = grammar["patterns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pattern| {
            let text = pattern["match"].as_str().unwrap();
            let open = !text.contains("(?<!");
            // Without what this library lacks: the ends of words are given by `\b`.
            let text =
                text.replace("(?<![\\w.-])", "").replace("(?<![\\w-])", "").replace("(?![\\w.-])", "\\b").replace("(?!\\w)", "");
            let text = ends.replace_all(&text, "").into_owned();
            (pattern["name"].as_str().map(str::to_owned), Regex::new(&text).unwrap_or_else(|e| panic!("{text}: {e}")), open)
        })
        .collect();
    let reserved = ["detect", "cancel", "react", "without", "within", "where", "from", "unless", "then"];
    let word = Regex::new(r"[A-Za-z_]+").unwrap();
    let (mut keywords, mut declared, mut records) = (0, 0, 0);
    for file in ["rules", "examples", "tests/rules"].iter().flat_map(|folder| below(folder, ".alarm")) {
        for line in read(&file).lines() {
            let found = scopes(&patterns, line);
            let content = line.trim_start();
            if content.starts_with('#') {
                assert!(found.len() == 1 && found[0].0.starts_with("comment"), "{file}: {line}: {found:?}");
            } else if content.starts_with('|') {
                assert!(found.len() == 1 && found[0].0.starts_with("string.unquoted"), "{file}: {line}: {found:?}");
            }
            for (scope, text) in &found {
                // A word of the language is never a plain name, and strings are strings to their end.
                if reserved.contains(&text.as_str()) {
                    assert_eq!(scope, "keyword.control.alarm", "{file}: {line}");
                    keywords += 1;
                }
                if scope == "variable.other.alarm" {
                    assert!(word.find(text).is_some_and(|w| !reserved.contains(&w.as_str())), "{file}: {line}: {text}");
                }
                records += usize::from(scope == "string.unquoted.record.alarm");
                declared += usize::from(scope == "entity.name.type.alarm");
            }
        }
    }
    assert!(keywords > 500 && declared > 200 && records > 50, "{keywords} {declared} {records}");
}

/// `queries/highlights.scm` of the tree-sitter grammar, which itself reads the EBNF.
#[test]
fn the_highlights_name_each_word_and_terminal() {
    let (words, terminals) = words_and_terminals();
    let list = |all: &mut dyn Iterator<Item = String>| all.map(|one| format!("  {one}\n")).collect::<String>();
    let of = |kind: &[&str]| {
        kind.iter().for_each(|name| assert!(terminals.contains_key(*name), "{name}"));
        list(&mut kind.iter().map(|name| format!("({name})")))
    };
    let mut text = String::from("; Generated from grammar/pointsman.ebnf; a test keeps it so.\n\n");
    text += &format!("[\n{}] @keyword\n\n", list(&mut words.iter().map(|word| format!("\"{word}\""))));
    text += "(comment) @comment\n(STRING) @string\n(REGEX) @string.regex\n(RAW_REGEX) @string.regex\n(RECORD) @string.special\n(COMPARISON) @operator\n";
    text += &format!(
        "[\n{}] @number\n\n",
        of(&["ADDRESS", "DATE", "DURATION", "FACTOR", "ID", "INTEGER", "NETWORK", "NUMBER", "PERCENT", "SIZE", "TIME"])
    );
    for item in ["alarm", "pattern", "ignore", "piece", "named", "reaction", "calendar"] {
        text += &format!("({item} (name) @type)\n");
    }
    text += "(call (name) @function)\n(field) @property\n(binding (NAME) @variable.parameter)\n";
    expect("grammar/tree-sitter-pointsman/queries/highlights.scm", &text);
}
