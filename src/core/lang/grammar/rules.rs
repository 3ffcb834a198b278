//! The grammar as rules for the recogniser: sequences of symbols, without repetitions and options.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::ebnf::{Part, is_terminal, productions, right_side};

/// A symbol of a rule, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Symbol {
    Terminal(usize),
    Production(usize),
}

/// What can stand in the text.
#[derive(Debug)]
pub(super) enum Terminal {
    /// A word of the language or punctuation.
    Word(String),
    /// A terminal by name, with its expression, which begins where it is tried.
    Class(String, Regex),
}

/// All rules, by production.
#[derive(Debug, Default)]
pub(super) struct GrammarRules {
    /// The name of each production; `None` for a part of one.
    pub(super) names: Vec<Option<String>>,
    pub(super) terminals: Vec<Terminal>,
    /// Each rule: its production and its symbols.
    pub(super) rules: Vec<(usize, Vec<Symbol>)>,
    /// The rules of each production.
    pub(super) of: Vec<Vec<usize>>,
    /// The productions that may be empty.
    pub(super) empty: Vec<bool>,
    reserved: Vec<String>,
}

impl GrammarRules {
    /// The rules of the language.
    pub(super) fn get() -> &'static GrammarRules {
        static RULES: LazyLock<GrammarRules> = LazyLock::new(GrammarRules::read);
        &RULES
    }

    fn read() -> GrammarRules {
        let mut rules = GrammarRules::default();
        let all: BTreeMap<&str, Part> = productions().into_iter().map(|(name, right)| (name, right_side(right))).collect();
        if let Some(Part::Choice(words)) = all.get("RESERVED") {
            rules.reserved = words.iter().filter_map(|w| if let Part::Word(w) = w { Some(w.clone()) } else { None }).collect();
        }
        let mut indices = BTreeMap::new();
        for name in all.keys().filter(|name| !is_terminal(name)) {
            indices.insert(*name, rules.production(Some((*name).to_owned())));
        }
        for (name, index) in &indices {
            rules.define(*index, &all[name], &all, &indices);
        }
        rules.find_empty();
        rules
    }

    fn production(&mut self, name: Option<String>) -> usize {
        self.names.push(name);
        self.of.push(Vec::new());
        self.names.len() - 1
    }

    fn rule(&mut self, production: usize, symbols: Vec<Symbol>) {
        self.of[production].push(self.rules.len());
        self.rules.push((production, symbols));
    }

    /// Adds the rules of a production: one for each alternative.
    fn define(&mut self, production: usize, part: &Part, all: &BTreeMap<&str, Part>, indices: &BTreeMap<&str, usize>) {
        let alternatives = if let Part::Choice(parts) = part { parts.as_slice() } else { std::slice::from_ref(part) };
        for alternative in alternatives {
            let symbols = self.symbols(alternative, all, indices);
            self.rule(production, symbols);
        }
    }

    fn symbols(&mut self, part: &Part, all: &BTreeMap<&str, Part>, indices: &BTreeMap<&str, usize>) -> Vec<Symbol> {
        match part {
            Part::Word(word) => vec![self.terminal(Terminal::Word(word.clone()))],
            Part::Name(name) => match (indices.get(name.as_str()), all.get(name.as_str())) {
                (Some(index), _) => vec![Symbol::Production(*index)],
                (None, Some(Part::Pattern(expression))) => match Regex::new(&format!("^(?:{expression})")) {
                    Ok(expression) => vec![self.terminal(Terminal::Class(name.clone(), expression))],
                    Err(_) => Vec::new(),
                },
                _ => Vec::new(),
            },
            // Only a terminal has an expression, and its name stands for it.
            Part::Pattern(_) => Vec::new(),
            Part::Sequence(parts) => parts.iter().flat_map(|part| self.symbols(part, all, indices)).collect(),
            Part::Choice(_) => {
                let group = self.production(None);
                self.define(group, part, all, indices);
                vec![Symbol::Production(group)]
            }
            Part::Optional(inner) => {
                let group = self.production(None);
                self.rule(group, Vec::new());
                self.define(group, inner, all, indices);
                vec![Symbol::Production(group)]
            }
            Part::Many(inner, least) => {
                let group = self.production(None);
                let one = self.symbols(inner, all, indices);
                let more = [&[Symbol::Production(group)], one.as_slice()].concat();
                self.rule(group, if *least == 0 { Vec::new() } else { one });
                self.rule(group, more);
                vec![Symbol::Production(group)]
            }
        }
    }

    fn terminal(&mut self, terminal: Terminal) -> Symbol {
        let same = |other: &Terminal| match (other, &terminal) {
            (Terminal::Word(a), Terminal::Word(b)) | (Terminal::Class(a, _), Terminal::Class(b, _)) => a == b,
            _ => false,
        };
        Symbol::Terminal(self.terminals.iter().position(same).unwrap_or_else(|| {
            self.terminals.push(terminal);
            self.terminals.len() - 1
        }))
    }

    fn find_empty(&mut self) {
        self.empty = vec![false; self.names.len()];
        loop {
            let found = self.rules.iter().find(|(production, symbols)| {
                let empty = |symbol: &Symbol| matches!(symbol, Symbol::Production(p) if self.empty[*p]);
                !self.empty[*production] && symbols.iter().all(empty)
            });
            match found {
                Some((production, _)) => self.empty[*production] = true,
                None => return,
            }
        }
    }

    /// The production with this name.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n.as_deref() == Some(name))
    }

    /// The length of a terminal that stands at the beginning of a text; `word` is the word there.
    pub(super) fn length(&self, terminal: usize, text: &str, word: Option<&str>) -> Option<usize> {
        match &self.terminals[terminal] {
            Terminal::Word(wanted) if wanted.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                (word == Some(wanted)).then_some(wanted.len())
            }
            Terminal::Word(wanted) => text.starts_with(wanted.as_str()).then_some(wanted.len()),
            Terminal::Class(name, expression) => {
                if text.starts_with("${") {
                    // What a row fills in may be any of them.
                    return Some(text.find('}')? + 1);
                }
                let found = expression.find(text)?.as_str();
                let open = found.ends_with(is_word) && text[found.len()..].starts_with(is_word);
                let reserved = name == "NAME" && self.reserved.iter().any(|word| word == found);
                (!open && !reserved && !found.is_empty()).then_some(found.len())
            }
        }
    }
}

/// True for a character that continues a word or a number.
pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
