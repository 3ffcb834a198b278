//! A regular expression that costs little until it is used much.
//!
//! Of ten thousand expressions most never see an event: the literals that an event must have keep it away. So an expression
//! is made in the form that is quick to build and small, and only one that has searched [`WARM_BYTES`] is built a second
//! time, in the form that is quick to search. Both are one library's and say the same of every text (a test compares them);
//! which of them was asked shows in nothing but time.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use regex::{Regex, RegexBuilder};
use regex_automata::nfa::thompson::{self, pikevm::PikeVM};

/// Bytes searched after which the quick form is worth being built: about what building costs.
const WARM_BYTES: usize = 16 * 1024;

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    text: String,
    limit: usize,
    small: PikeVM,
    searched: AtomicUsize,
    /// The quick form; `None` where the library refuses it.
    quick: OnceLock<Option<Regex>>,
}

/// Why an expression could not be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It takes more bytes than it may.
    TooLarge,
    /// It is not understood.
    Wrong,
}

impl Expression {
    /// Of a text that may take `limit` bytes when compiled.
    pub fn new(text: &str, limit: usize) -> Result<Expression, Refused> {
        let config = thompson::Config::new().nfa_size_limit(Some(limit));
        match PikeVM::builder().thompson(config).build(text) {
            Ok(small) => {
                Ok(Expression { text: text.to_owned(), limit, small, searched: AtomicUsize::new(0), quick: OnceLock::new() })
            }
            Err(e) if e.size_limit().is_some() => Err(Refused::TooLarge),
            Err(_) => Err(Refused::Wrong),
        }
    }

    /// As it was written, flags in front.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of its captures.
    pub fn capture_names(&self) -> impl Iterator<Item = &str> {
        self.small.get_nfa().group_info().all_names().filter_map(|(.., name)| name)
    }

    /// Whether it stands anywhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        match self.quick(text) {
            Some(quick) => quick.is_match(text),
            None => self.small.is_match(&mut self.small.create_cache(), text),
        }
    }

    /// The named captures of the first match, those that took part in it; `None` when it stands nowhere in the text.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Vec<(&str, &'t str)>> {
        if let Some(quick) = self.quick(text) {
            let found = quick.captures(text)?;
            return Some(self.capture_names().filter_map(|n| Some((n, found.name(n)?.as_str()))).collect());
        }
        let mut found = self.small.create_captures();
        self.small.captures(&mut self.small.create_cache(), text, &mut found);
        if !found.is_match() {
            return None;
        }
        Some(self.capture_names().filter_map(|n| Some((n, text.get(found.get_group_by_name(n)?.range())?))).collect())
    }

    /// The quick form, once so much was searched that it pays.
    fn quick(&self, text: &str) -> Option<&Regex> {
        // A lost addition delays it by one text: nothing hangs on the number.
        let searched = self.searched.load(Ordering::Relaxed).saturating_add(text.len());
        if searched < WARM_BYTES {
            self.searched.store(searched, Ordering::Relaxed);
            return None;
        }
        self.quick.get_or_init(|| RegexBuilder::new(&self.text).size_limit(2 * self.limit).build().ok()).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Rng;

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
    ];

    /// Random expressions on random texts: both forms find the same, and capture the same.
    #[test]
    fn small_and_quick_say_the_same() {
        let mut found = 0;
        for seed in 0..400 {
            let mut rng = Rng::new(seed);
            // A name may stand only once.
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
        assert_eq!(Expression::new("a(", 1 << 20).err(), Some(Refused::Wrong));
        assert_eq!(Expression::new("\\w{500}", 1 << 20).err(), Some(Refused::TooLarge));
    }
}
