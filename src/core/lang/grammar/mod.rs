//! The normative grammar at work: what may stand at a place of a rule file.
//!
//! Completion in editors asks it. The parser does not use it: it has one function for each production, which reports mistakes
//! in words. Tests compare the two.

mod chart;
pub mod ebnf;
mod rules;

use std::collections::BTreeSet;

use chart::{Chart, RuleReading};
use rules::{GrammarRules, Symbol, Terminal};

/// The greatest number of bytes before the cursor that are read. An item that begins earlier has no completions.
const BYTES: usize = 32 * 1024;
/// The greatest number of ways in which productions contain each other that are followed for one terminal.
const WAYS: usize = 64;
/// The greatest number of productions of one way. The outer ones of a deep nest say nothing more.
const DEEP: usize = 64;

/// What may stand at a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expected {
    pub terminal: ExpectedTerminal,
    /// The productions that it would be a part of, the innermost first, each with the byte at which it begins.
    pub within: Vec<(&'static str, usize)>,
}

/// A terminal of the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExpectedTerminal {
    /// A word of the language or punctuation.
    Word(&'static str),
    /// A terminal by its name in the grammar: `NAME`, `DURATION`.
    Class(&'static str),
}

/// What may stand at the end of a text, which is the beginning of a rule file up to a place between two tokens.
pub fn expected(text: &str) -> Vec<Expected> {
    let start = item_before(text);
    let Some(text) = text.get(start..).filter(|text| text.len() <= BYTES) else { return Vec::new() };
    let (chart, end) = Chart::read(text, "file");
    let rules = GrammarRules::get();
    let mut found = BTreeSet::new();
    for reading in chart.at.get(&end).into_iter().flat_map(|column| &column.readings) {
        let (_, symbols) = &rules.rules[reading.rule];
        let Some(Symbol::Terminal(terminal)) = symbols.get(reading.done) else { continue };
        let terminal = match &rules.terminals[*terminal] {
            Terminal::Word(word) => ExpectedTerminal::Word(word),
            Terminal::Class(name, _) => ExpectedTerminal::Class(name),
        };
        let mut ways = Vec::new();
        climb(&chart, rules, *reading, &mut Vec::new(), &mut BTreeSet::new(), &mut ways);
        for way in ways {
            let within = way.into_iter().map(|(name, at)| (name, at + start)).collect();
            found.insert(Expected { terminal, within });
        }
    }
    found.into_iter().collect()
}

/// True if a whole text is a sentence of a production.
pub fn is_sentence(text: &str, production: &str) -> bool {
    let (chart, end) = Chart::read(text, production);
    let rules = GrammarRules::get();
    let whole = |r: &RuleReading| {
        let (of, symbols) = &rules.rules[r.rule];
        r.done == symbols.len() && rules.names[*of].as_deref() == Some(production)
    };
    !chart.skipped && chart.at.get(&end).is_some_and(|column| column.readings.iter().any(whole))
}

/// Follows a reading to the productions that contain it, up to a clause.
fn climb(
    chart: &Chart<'_>,
    rules: &'static GrammarRules,
    reading: RuleReading,
    way: &mut Vec<(&'static str, usize)>,
    seen: &mut BTreeSet<(usize, usize)>,
    ways: &mut Vec<Vec<(&'static str, usize)>>,
) {
    let of = rules.rules[reading.rule].0;
    if ways.len() == WAYS || !seen.insert((of, reading.from)) {
        return;
    }
    let name = rules.names[of].as_deref();
    way.extend(name.map(|name| (name, reading.from)));
    let above = chart.at.get(&reading.from).and_then(|column| column.waiting.get(&of));
    let above: &[RuleReading] = above.map_or(&[], Vec::as_slice);
    if name == Some("item") || above.is_empty() || way.len() == DEEP || seen.len() == 4 * DEEP {
        ways.push(way.clone());
    } else {
        for parent in above {
            climb(chart, rules, *parent, way, seen, ways);
        }
    }
    if name.is_some() {
        way.pop();
    }
    seen.remove(&(of, reading.from));
}

/// The byte at which the last item of a text begins; 0 if none is found. Items that do not begin a line are read together with
/// those before them.
fn item_before(text: &str) -> usize {
    let mut end = text.len();
    loop {
        let start = text[..end].rfind('\n').map_or(0, |at| at + 1);
        if start == 0 || text.len() - start > BYTES || begins_item(&text[start..]) {
            return start;
        }
        end = start - 1;
    }
}

/// True if the line at the beginning of a text begins an item: its word, a name, and what opens it.
fn begins_item(text: &str) -> bool {
    // Most lines are seen at once not to begin one.
    let items = ["alarm", "pattern", "ignore", "piece", "list", "reaction", "calendar", "defaults"];
    let line = text.trim_start_matches([' ', '\t']);
    if !items.iter().any(|item| line.starts_with(item)) {
        return false;
    }
    let mut tokens =
        super::parse::tokens(text.get(..200.min(text.len())).unwrap_or(text.lines().next().unwrap_or(""))).into_iter();
    let Some(first) = tokens.next().filter(|token| token.line == 0) else { return false };
    if first.text == "defaults" {
        return tokens.next().is_some_and(|token| token.is("{"));
    }
    let opens: &[&str] = match first.text {
        "alarm" => &["{", "with"],
        "pattern" | "ignore" | "reaction" | "calendar" => &["{"],
        "piece" => &["/", "r\""],
        "list" => &["["],
        _ => return false,
    };
    let _name = tokens.next();
    tokens.next().is_some_and(|third| opens.iter().any(|open| third.text.starts_with(open)))
}
