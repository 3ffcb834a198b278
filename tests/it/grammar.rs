//! The grammar and the parser agree: every production has its function, the parser accepts sentences derived from the grammar,
//! and sentences with a missing or additional token never make it panic.

use std::collections::BTreeMap;
use std::fs;

use pointsman::core::diag::Diagnostic;
use pointsman::core::lang::grammar::ebnf::{Part, is_terminal, productions, right_side};
use pointsman::core::lang::grammar::is_sentence;
use pointsman::core::lang::{Declarations, compile};
use pointsman::core::sim::Rng;

use crate::support::{read, root, source};

/// Texts of each terminal. A test checks them against the terminal's own expression.
fn samples(terminal: &str) -> &'static [&'static str] {
    match terminal {
        "NAME" => &["alpha", "_b.c-d", "SIP_SERVER_1", "on", "script", "max", "type", "level"],
        "WORD" => &["vip", "host", "by", "from"],
        "FIELD_OF" => &["alpha.user", "b-1.json.a.0", "host.by"],
        "STRING" => &["\"a b\"", "\"\"", "\"\\\"q\\\\ \\n\"", "\"grün # | /\""],
        "REGEX" => &["/a+/", "/(?<x>\\d+) \\/ z/i", "/./is"],
        "RAW_REGEX" => &["r\"C:\\\\x\"", "r\"(?<y>[a-z]+)/\"s"],
        "RECORD" => &["| a record\n", "|\n", "| with \"everything\" # { } |\n"],
        "ID" => &["00-04561", "GCTI-00-04563", "43-1"],
        "NETWORK" => &["10.0.0.0/8", "192.168.7.0/24"],
        "ADDRESS" => &["10.10.11.103"],
        "DURATION" => &["1s", "500ms", "1m30s", "1.5h", "2w"],
        "FACTOR" => &["2x", "4x"],
        "SIZE" => &["10MB", "1.5GB"],
        "PERCENT" => &["90%", "2.5%"],
        "NUMBER" => &["0", "-7", "3.25"],
        "INTEGER" => &["1", "4561", "00017"],
        "DATE" => &["2026-12-24", "2028-02-29", "2026-02-30"],
        "TIME" => &["08:00", "2:30", "24:00"],
        "DAY" => &["mon", "sun", "day"],
        "COMPARISON" => &["==", "!=", "<=", ">=", "<", ">"],
        other => panic!("no samples for {other}"),
    }
}

struct Derive<'g> {
    grammar: &'g BTreeMap<String, Part>,
    rng: Rng,
    tokens: Vec<String>,
}

impl Derive<'_> {
    /// Appends a sentence. At great depth, the shortest alternatives are used.
    fn derive(&mut self, part: &Part, depth: usize) {
        match part {
            Part::Word(word) => self.tokens.push(word.clone()),
            Part::Pattern(_) => panic!("a terminal is derived by its name"),
            Part::Name(name) if is_terminal(name) => {
                let all = samples(name);
                let n = self.rng.index(all.len());
                self.tokens.push(all[n].to_owned());
            }
            Part::Name(name) => {
                let grammar = self.grammar;
                self.derive(&grammar[name], depth + 1);
            }
            Part::Sequence(parts) => parts.iter().for_each(|p| self.derive(p, depth)),
            Part::Choice(parts) => {
                let n = if depth > 14 { self.cheapest(parts) } else { self.rng.index(parts.len()) };
                self.derive(&parts[n], depth);
            }
            Part::Optional(part) => {
                if depth <= 14 && self.rng.index(2) == 0 {
                    self.derive(part, depth);
                }
            }
            Part::Many(part, least) => {
                let more = if depth > 10 { 0 } else { self.rng.index(4) };
                for _ in 0..(*least).max(more) {
                    self.derive(part, depth + 1);
                }
            }
        }
    }

    /// The alternative that ends soonest.
    fn cheapest(&self, parts: &[Part]) -> usize {
        (0..parts.len()).min_by_key(|n| self.cost(&parts[*n], 6)).unwrap()
    }

    fn cost(&self, part: &Part, budget: usize) -> usize {
        match part {
            Part::Word(_) | Part::Pattern(_) => 1,
            Part::Name(name) if is_terminal(name) => 1,
            Part::Name(_) if budget == 0 => 1_000,
            Part::Name(name) => 1 + self.cost(&self.grammar[name], budget - 1),
            Part::Sequence(parts) => parts.iter().map(|p| self.cost(p, budget)).sum(),
            Part::Choice(parts) => parts.iter().map(|p| self.cost(p, budget)).min().unwrap(),
            Part::Optional(_) => 0,
            Part::Many(part, least) => {
                if *least > 0 {
                    self.cost(part, budget)
                } else {
                    0
                }
            }
        }
    }
}

/// Sentences of the grammar, each from its seed.
pub(crate) struct Sentences(BTreeMap<String, Part>);

impl Sentences {
    pub(crate) fn new() -> Sentences {
        Sentences(grammar())
    }

    /// The tokens of a file, and the random generator for further use.
    pub(crate) fn derive(&self, seed: u64) -> (Vec<String>, Rng) {
        self.of("file", seed)
    }

    /// The tokens of one alarm.
    pub(crate) fn derive_alarm(&self, seed: u64) -> (Vec<String>, Rng) {
        self.of("alarm", seed)
    }

    fn of(&self, production: &str, seed: u64) -> (Vec<String>, Rng) {
        let mut derive = Derive { grammar: &self.0, rng: Rng::new(seed), tokens: Vec::new() };
        derive.derive(&self.0[production], 0);
        (derive.tokens, derive.rng)
    }
}

fn grammar() -> BTreeMap<String, Part> {
    productions().into_iter().map(|(n, r)| (n.to_owned(), right_side(r))).collect()
}

/// Syntax errors only. Names and types do not belong to the grammar.
fn syntax(text: &str) -> Vec<Diagnostic> {
    let (_, found) = compile(&[source("derived.alarm", text)], &Declarations::default());
    // An empty range and an invalid expression are not syntax errors.
    found.into_iter().filter(|d| d.code.text() < "R100" && d.code.text() != "R010").collect()
}

fn joined(tokens: &[String]) -> String {
    let mut text = String::new();
    for token in tokens {
        text.push_str(token);
        text.push(if token.ends_with('\n') { ' ' } else { [' ', '\n'][text.len() % 2] });
    }
    text
}

#[test]
fn samples_are_what_the_terminals_say() {
    for (name, right) in productions() {
        let Part::Pattern(expression) = right_side(right) else { continue };
        let whole = regex::Regex::new(&format!("^(?:{expression})$")).unwrap();
        for sample in samples(name) {
            assert!(whole.is_match(sample.trim_end_matches('\n')), "{name}: {sample}");
        }
    }
}

#[test]
fn derived_sentences_are_taken_and_broken_ones_are_survived() {
    let sentences = Sentences::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..4_000 {
        let (mut tokens, mut rng) = sentences.derive(seed);
        let text = joined(&tokens);
        let found = syntax(&text);
        assert!(found.is_empty(), "seed {seed}: {}\n{text}", pointsman::core::diag::render::human(&found, false));
        if seed % 20 == 0 {
            assert!(is_sentence(&text, "file"), "seed {seed}: the recogniser refuses\n{text}");
        }
        for word in [
            "calendar",
            "cron",
            "alpha.user",
            "2:30",
            "where",
            "sample",
            "then",
            "pair_of",
            "confirm",
            "..",
            "in",
            "not",
            "r\"C:\\\\x\"",
        ] {
            *seen.entry(word).or_default() += usize::from(tokens.iter().any(|t| t == word));
        }
        if tokens.is_empty() {
            continue;
        }
        // A token is removed, doubled, or exchanged with another one.
        let at = rng.index(tokens.len());
        let other = rng.index(tokens.len());
        match seed % 3 {
            0 => drop(tokens.remove(at)),
            1 => tokens.insert(at, tokens[other].clone()),
            _ => tokens.swap(at, other),
        }
        let text = joined(&tokens);
        for diagnostic in syntax(&text) {
            let place = diagnostic.place.expect("a mistake of syntax has a place");
            assert!(
                place.bytes.start <= place.bytes.end && place.bytes.end <= text.len() && text.is_char_boundary(place.bytes.start)
            );
        }
    }
    assert!(seen.values().all(|n| *n > 20), "every form is derived often: {seen:?}");
}

#[test]
fn no_bytes_make_the_parser_panic() {
    let rules =
        ["rules/ip_takeover/hot.alarm", "rules/ip_takeover/reactions.alarm", "rules/pairs/roles.alarm"].map(read).concat();
    let mut rng = Rng::new(7);
    for _ in 0..2_000 {
        let mut bytes = rules.clone().into_bytes();
        for _ in 0..rng.below(8) {
            let at = rng.index(bytes.len());
            bytes[at] = b"\"/|{}()#,.=\\\n\x00\xffx0-~"[rng.index(19)];
        }
        bytes.truncate(rng.index(bytes.len()));
        syntax(&String::from_utf8_lossy(&bytes));
    }
}

/// The first doc line of each function is its production, literally.
#[test]
fn every_production_has_its_function() {
    let mut functions = BTreeMap::new();
    for entry in fs::read_dir(root().join("src/core/lang/parse")).unwrap() {
        let path = entry.unwrap().path();
        for line in fs::read_to_string(&path).unwrap().lines() {
            if let Some(production) = line.strip_prefix("/// `").and_then(|l| l.strip_suffix('`'))
                && let Some((name, right)) = production.split_once(" = ")
            {
                let twice = functions.insert(name.to_owned(), right.to_owned());
                assert!(twice.is_none(), "{name} stands twice");
            }
        }
    }
    let wanted: BTreeMap<String, String> = productions().into_iter().map(|(n, r)| (n.to_owned(), r.to_owned())).collect();
    for (name, right) in &wanted {
        assert_eq!(functions.get(name), Some(right), "the parser's `{name}`");
    }
    let more: Vec<&String> = functions.keys().filter(|n| !wanted.contains_key(*n)).collect();
    assert!(more.is_empty(), "not in the grammar: {more:?}");
}
