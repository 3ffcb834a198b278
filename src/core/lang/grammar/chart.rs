//! A recogniser after Earley: it follows all readings of a text at once, so at every place it knows what may come next.
//!
//! Positions are bytes at which a token may begin. What cannot be read is skipped up to the next clause or item, as the parser
//! does it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::parse::{TokenKind, tokens};
use super::rules::{GrammarRules, Symbol};

/// A rule of which a part was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RuleReading {
    pub(super) rule: usize,
    /// The number of its symbols that were read.
    pub(super) done: usize,
    /// The position at which the rule began.
    pub(super) from: usize,
}

/// The readings at one position.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    pub(super) readings: BTreeSet<RuleReading>,
    /// Those that go on with a production, by production.
    pub(super) waiting: BTreeMap<usize, Vec<RuleReading>>,
}

/// All readings of a text up to its end.
#[derive(Debug)]
pub(super) struct Chart<'t> {
    rules: &'static GrammarRules,
    text: &'t str,
    pub(super) at: BTreeMap<usize, Column>,
    /// Positions at which a clause or an item may begin.
    boundaries: Vec<usize>,
    /// Where tokens begin; filled in when something has to be skipped.
    starts: Vec<usize>,
    /// The text could not be read without skipping something.
    pub(super) skipped: bool,
}

/// The greatest number of positions that are read. The readings of a longer text are of its beginning alone.
const POSITIONS: usize = 1_500;

/// Where reading continues after a mistake.
const BOUNDARIES: [&str; 5] = ["clause", "pattern_clause", "reaction_clause", "calendar_clause", "item"];

impl<'t> Chart<'t> {
    /// Reads a text as a production, and returns the chart with the position of its end.
    pub(super) fn read(text: &'t str, production: &str) -> (Chart<'t>, usize) {
        let rules = GrammarRules::get();
        let mut chart = Chart { rules, text, at: BTreeMap::new(), boundaries: Vec::new(), starts: Vec::new(), skipped: false };
        let first = chart.after_blanks(0);
        let begin = rules.named(production).map(|p| rules.of[p].as_slice()).unwrap_or_default();
        let readings = begin.iter().map(|rule| RuleReading { rule: *rule, done: 0, from: first }).collect();
        chart.at.insert(first, Column { readings, waiting: BTreeMap::new() });
        let end = text.len();
        let mut position = first;
        loop {
            chart.complete(position);
            chart.scan(position);
            let next = chart.at.range(position + 1..).next().map(|(next, _)| *next);
            match next {
                Some(next) if chart.at.len() > POSITIONS => return (chart, end.max(next + 1)),
                Some(next) => position = next,
                None if position >= end => return (chart, position),
                None => position = chart.skip(position),
            }
        }
    }

    fn after_blanks(&self, at: usize) -> usize {
        self.text.len() - super::super::parse::without_blanks(&self.text[at..]).len()
    }

    fn next(&self, reading: RuleReading) -> Option<Symbol> {
        self.rules.rules[reading.rule].1.get(reading.done).copied()
    }

    /// Adds what follows from the readings at a position: rules that begin there, and rules that go on because one ended.
    fn complete(&mut self, position: usize) {
        let Column { readings: mut seen, .. } = self.at.remove(&position).unwrap_or_default();
        let mut waiting: BTreeMap<usize, Vec<RuleReading>> = BTreeMap::new();
        let mut open: Vec<RuleReading> = seen.iter().copied().collect();
        let mut ended: BTreeSet<usize> = BTreeSet::new();
        let mut begins = false;
        while let Some(reading) = open.pop() {
            let mut found = Vec::new();
            match self.next(reading) {
                Some(Symbol::Production(next)) => {
                    let others = waiting.entry(next).or_default();
                    if others.is_empty() {
                        found.extend(self.rules.of[next].iter().map(|rule| RuleReading { rule: *rule, done: 0, from: position }));
                        begins |= self.rules.names[next].as_deref().is_some_and(|name| BOUNDARIES.contains(&name));
                    }
                    others.push(reading);
                    if self.rules.empty[next] || ended.contains(&next) {
                        found.push(RuleReading { done: reading.done + 1, ..reading });
                    }
                }
                Some(Symbol::Terminal(_)) => {}
                None => {
                    let of = self.rules.rules[reading.rule].0;
                    let here = reading.from == position;
                    if here {
                        ended.insert(of);
                    }
                    let before = if here { Some(&waiting) } else { self.at.get(&reading.from).map(|column| &column.waiting) };
                    let waits = before.and_then(|waiting| waiting.get(&of));
                    found.extend(waits.into_iter().flatten().map(|r| RuleReading { done: r.done + 1, ..*r }));
                }
            }
            open.extend(found.into_iter().filter(|reading| seen.insert(*reading)));
        }
        if begins {
            self.boundaries.push(position);
        }
        self.at.insert(position, Column { readings: seen, waiting });
    }

    /// Reads each terminal that is expected and stands at the position.
    fn scan(&mut self, position: usize) {
        for (length, reading) in self.scanned(position, position) {
            let at = self.after_blanks(position + length);
            self.at.entry(at).or_default().readings.insert(RuleReading { done: reading.done + 1, ..reading });
        }
    }

    /// What is expected at one position and stands at another one, with its length.
    fn scanned(&self, expected: usize, position: usize) -> Vec<(usize, RuleReading)> {
        let text = &self.text[position..];
        let word = word_at(text);
        let mut lengths: BTreeMap<usize, Option<usize>> = BTreeMap::new();
        let mut found = Vec::new();
        for reading in self.at.get(&expected).into_iter().flat_map(|column| &column.readings) {
            let Some(Symbol::Terminal(terminal)) = self.next(*reading) else { continue };
            let length = *lengths.entry(terminal).or_insert_with(|| self.rules.length(terminal, text, word));
            found.extend(length.map(|length| (length, *reading)));
        }
        found
    }

    /// The readings that go on at a boundary, without those that begin there.
    fn kept(&self, boundary: usize) -> Column {
        let first = self.boundaries.first() == Some(&boundary);
        let all = self.at.get(&boundary).into_iter().flat_map(|column| &column.readings);
        Column { readings: all.filter(|r| first || r.from != boundary).copied().collect(), waiting: BTreeMap::new() }
    }

    /// Skips what cannot be read at a position, and returns the position at which reading continues.
    fn skip(&mut self, position: usize) -> usize {
        self.skipped = true;
        let end = self.text.len();
        let Some(boundary) = self.boundaries.last().copied() else {
            self.at.insert(end, Column::default());
            return end;
        };
        if self.starts.is_empty() {
            let all = tokens(self.text).into_iter().filter(|token| token.kind != TokenKind::Comment);
            self.starts = all.map(|token| token.start).collect();
        }
        for next in self.starts.partition_point(|start| *start <= position)..self.starts.len() {
            let start = self.starts[next];
            if !self.scanned(boundary, start).is_empty() {
                self.at.insert(start, self.kept(boundary));
                return start;
            }
        }
        self.at.insert(end, self.kept(boundary));
        end
    }
}

/// The word at the beginning of a text.
fn word_at(text: &str) -> Option<&str> {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c)));
    Some(&text[..end.unwrap_or(text.len())])
}
