//! Regular expressions that cost little until they are used often.
//!
//! Most of ten thousand expressions never see an event, because the literals that an event must contain exclude it. So an
//! expression is only parsed and measured at first. The first text that is tried builds a small automaton. After
//! [`WARM_BYTES`] have been searched, a form that searches quickly is built. Both give the same result for every text (a test
//! compares them); they differ only in time and memory.

mod literals;
mod progress;

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use regex::{Regex, RegexBuilder};
use regex_automata::nfa::thompson::{self, NFA, pikevm::PikeVM};
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{self, Hir, HirKind};

pub(in crate::core::lang) use literals::{Literals, best, long_enough, union};
pub use progress::{MatchProgress, Would};

/// Bytes searched after which the quick form is worth building: about the cost of building it.
const WARM_BYTES: usize = 16 * 1024;
/// More bytes than one state takes, and more states than one range of a class makes in UTF-8.
const STATE_BYTES: usize = 64;
const STATES_PER_RANGE: usize = 12;

/// A regular expression of a rule. It is compiled when it is used often.
pub struct Expression {
    text: Box<str>,
    /// As the rule has it, `/from ${peer}/i`, if that differs from the text between slashes.
    written: Option<Box<str>>,
    /// Every match contains a literal of each of these sets, in any letter case.
    literals: Vec<Vec<String>>,
    /// The names of its captures, in order.
    names: Box<[Box<str>]>,
    limit: usize,
    /// The small form. The library refuses it only for its size, which [`Expression::new`] has checked; then it is `None`.
    small: OnceLock<Option<PikeVM>>,
    searched: AtomicUsize,
    /// The quick form; `None` if the library refuses it.
    quick: OnceLock<Option<Regex>>,
}

/// Why an expression could not be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It takes more bytes than allowed.
    TooLarge,
    /// Its syntax is not valid.
    Wrong,
}

impl Expression {
    /// Makes an expression that may take `limit` bytes when compiled.
    pub fn new(text: &str, limit: usize) -> Result<Expression, Refused> {
        Expression::parsed(text, limit).map(|(expression, _)| expression)
    }

    /// The same, with the library's tree, which has more information than is kept.
    pub(in crate::core::lang) fn parsed(text: &str, limit: usize) -> Result<(Expression, Hir), Refused> {
        let hir = parse(text)?;
        let small = OnceLock::new();
        // If the estimate is within the limit, a trial is not necessary.
        if most_bytes(&hir) > limit {
            let built = compile(&hir, Some(limit))?;
            small.get_or_init(|| Some(built));
        }
        let mut names = Vec::new();
        names_of(&hir, &mut names);
        let names = names.into_iter().map(Box::from).collect();
        let (literals, searched) = (literals::sets(&hir), AtomicUsize::new(0));
        let quick = OnceLock::new();
        Ok((Expression { text: text.into(), written: None, literals, names, limit, small, searched, quick }, hir))
    }

    /// Some texts that it matches: those with which all of its matches begin, as far as they are matches themselves.
    pub(in crate::core::lang) fn some_texts(&self) -> Vec<String> {
        let Ok(hir) = parse(&self.text) else { return Vec::new() };
        let begins = Extractor::new().extract(&hir);
        let texts = begins.literals().unwrap_or_default().iter();
        texts.filter_map(|text| String::from_utf8(text.as_bytes().to_vec()).ok()).filter(|text| self.is_match(text)).collect()
    }

    /// The same expression, which people see as `written`: with the names of pieces and types, and the flags behind it.
    pub(in crate::core::lang) fn written_as(self, written: String) -> Expression {
        let plain = written.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) == Some(&*self.text);
        Expression { written: (!plain).then(|| written.into()), ..self }
    }

    /// The expression as a rule has it, in slashes.
    pub fn as_written(&self) -> String {
        self.written.as_ref().map_or_else(|| format!("/{}/", self.text), |written| written.to_string())
    }

    /// The complete text for the library, with the flags in front.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Every match contains a literal of each of these sets, in any letter case.
    pub(super) fn literals(&self) -> &[Vec<String>] {
        &self.literals
    }

    /// The names of its captures, in order.
    pub fn capture_names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    /// True when the expression matches anywhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        match self.quick(text) {
            Some(quick) => quick.is_match(text),
            None => self.small().is_some_and(|small| small.is_match(&mut small.create_cache(), text)),
        }
    }

    /// The named captures of the first match that took part in it; `None` when the expression does not match.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Vec<(&str, &'t str)>> {
        // Most expressions capture nothing; the end of the match is then not needed.
        if self.names.is_empty() {
            return self.is_match(text).then(Vec::new);
        }
        if let Some(quick) = self.quick(text) {
            let found = quick.captures(text)?;
            return Some(self.capture_names().filter_map(|n| Some((n, found.name(n)?.as_str()))).collect());
        }
        let small = self.small()?;
        let mut found = small.create_captures();
        small.captures(&mut small.create_cache(), text, &mut found);
        if !found.is_match() {
            return None;
        }
        Some(self.capture_names().filter_map(|n| Some((n, text.get(found.get_group_by_name(n)?.range())?))).collect())
    }

    /// How much of the expression matches a text that it does not match as a whole. It takes about a millisecond: for people
    /// who ask why.
    pub fn progress(&self, text: &str) -> Option<MatchProgress> {
        progress::progress(&self.text, text)
    }

    fn small(&self) -> Option<&PikeVM> {
        self.small.get_or_init(|| compile(&parse(&self.text).ok()?, None).ok()).as_ref()
    }

    /// The quick form, once enough was searched to justify it.
    fn quick(&self, text: &str) -> Option<&Regex> {
        // A lost addition only delays the quick form by one text.
        let searched = self.searched.load(Ordering::Relaxed).saturating_add(text.len());
        if searched < WARM_BYTES {
            self.searched.store(searched, Ordering::Relaxed);
            return None;
        }
        self.quick.get_or_init(|| RegexBuilder::new(&self.text).size_limit(2 * self.limit).build().ok()).as_ref()
    }
}

/// Shows only the text: rules are compared by their contents, and the use of an expression is not part of them.
impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.text)
    }
}

fn parse(text: &str) -> Result<Hir, Refused> {
    regex_syntax::parse(text).map_err(|_| Refused::Wrong)
}

fn compile(hir: &Hir, limit: Option<usize>) -> Result<PikeVM, Refused> {
    let config = thompson::Config::new().nfa_size_limit(limit);
    let built = NFA::compiler().configure(config).build_from_hir(hir).and_then(PikeVM::new_from_nfa);
    built.map_err(|e| if e.size_limit().is_some() { Refused::TooLarge } else { Refused::Wrong })
}

/// Estimates the maximum bytes of the small form, rather too high than too low.
fn most_bytes(hir: &Hir) -> usize {
    let states = |n: usize| n.saturating_mul(STATE_BYTES);
    let of_all = |parts: &[Hir]| parts.iter().fold(states(2 + parts.len()), |sum, part| sum.saturating_add(most_bytes(part)));
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => states(1),
        HirKind::Literal(literal) => states(literal.0.len()),
        HirKind::Class(hir::Class::Unicode(class)) => states(STATES_PER_RANGE.saturating_mul(1 + class.ranges().len())),
        HirKind::Class(hir::Class::Bytes(class)) => states(1 + class.ranges().len()),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).saturating_add(1);
            states(3).saturating_add(most_bytes(&repetition.sub)).saturating_mul(times as usize)
        }
        HirKind::Capture(capture) => states(2).saturating_add(most_bytes(&capture.sub)),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => of_all(parts),
    }
}

/// The library's own limit on nesting bounds the depth.
fn names_of<'h>(hir: &'h Hir, names: &mut Vec<&'h str>) {
    match hir.kind() {
        HirKind::Capture(capture) => {
            names.extend(capture.name.as_deref());
            names_of(&capture.sub, names);
        }
        HirKind::Repetition(repetition) => names_of(&repetition.sub, names),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().for_each(|part| names_of(part, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::sim::Rng;

    const PARTS: &[&str] = &[
        "a",
        "b",
        "ab",
        "ü",
        ".",
        "[^a]",
        "\\d",
        "\\w+",
        "\\b",
        "^",
        "$",
        "a*",
        "b+?",
        "(?<x>a|ab)",
        "(?<y>b?)",
        "(a|bb){1,3}",
        "K",
        "\\s",
        "(?:ab|)",
        "9",
        "(?:a|)*",
        "(?:b?a{0,2}){2,4}",
        "(?m:^|$)",
        "(?-u:\\b)",
        "\\B",
        "(?:aü)*?",
    ];

    /// Random expressions on random texts: the small form and the quick form find and capture the same.
    #[test]
    fn all_forms_say_the_same() {
        let mut found = 0;
        for seed in 0..400 {
            let mut rng = Rng::new(seed);
            // A name may occur only once.
            let mut text = ["", "(?i)", "(?s)", "(?is)"][rng.index(4)].to_owned();
            for _ in 0..=rng.index(5) {
                let part = PARTS[rng.index(PARTS.len())];
                if !(part.starts_with("(?<") && text.contains(part)) {
                    text.push_str(part);
                }
            }
            let expression = Expression::new(&text, 1 << 20).unwrap();
            let quick = Regex::new(&text).unwrap();
            let names = |r: &Regex| r.capture_names().flatten().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(expression.capture_names().collect::<Vec<_>>(), names(&quick));
            for _ in 0..50 {
                let length = rng.index(12);
                let text: String = (0..length).map(|_| ["a", "b", "A", "ü", "9", " ", "\n", "k"][rng.index(8)]).collect();
                let wanted = quick.captures(&text).map(|c| {
                    let one = |n: &String| Some((n.clone(), c.name(n)?.as_str().to_owned()));
                    names(&quick).iter().filter_map(one).collect::<Vec<_>>()
                });
                let owned =
                    |all: Vec<(&str, &str)>| all.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect::<Vec<_>>();
                assert_eq!(expression.captures(&text).map(owned), wanted, "{} on {text:?}", expression.as_str());
                assert_eq!(expression.is_match(&text), wanted.is_some(), "{} on {text:?}", expression.as_str());
                let small = expression.small().unwrap();
                assert_eq!(small.is_match(&mut small.create_cache(), &text), wanted.is_some());
                found += usize::from(wanted.is_some());
            }
        }
        assert!(found > 5_000, "{found}");
    }

    #[test]
    fn much_used_it_becomes_quick_and_still_says_the_same() {
        let expression = Expression::new("(?<n>[0-9]+) of", 1 << 20).unwrap();
        let text = format!("{} 17 of 20", "x".repeat(1_000));
        for _ in 0..50 {
            assert_eq!(expression.captures(&text), Some(vec![("n", "17")]));
        }
        assert!(expression.quick.get().is_some_and(Option::is_some));
        assert_eq!(format!("{expression:?}"), "/(?<n>[0-9]+) of/", "as before: rules are compared by it");
        assert_eq!(Expression::new("a(", 1 << 20).err(), Some(Refused::Wrong));
        assert_eq!(Expression::new("\\w{500}", 1 << 20).err(), Some(Refused::TooLarge));
    }
}
