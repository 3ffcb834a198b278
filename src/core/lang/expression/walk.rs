//! Decides whether an expression matches a text by its tree alone, without building an automaton.
//!
//! To build an automaton takes as long as decoding a hundred lines, and many expressions are tried once or never. So the tree
//! itself is used: given a set of places in the text, each node returns the places where its match can end. Sets are never
//! larger than the text, so the time is never exponential. A search that would still take long is given up.

use regex_automata::util::look::LookMatcher;
use regex_syntax::hir::Look;

use super::tree::{Class, NodeKind, TreePart};

/// Maximum length of a text: for longer texts the sets of places cost too much.
const LONGEST: usize = 4096;
/// Limits of visited places, for each byte of the text and for any text. Above both the search is given up, because an
/// automaton is worth building.
const STEPS_PER_BYTE: usize = 16;
const STEPS: usize = 2_000;

/// Whether the expression matches anywhere in the text; `None` when that would take too long.
pub(super) fn stands(tree: TreePart<'_>, text: &str) -> Option<bool> {
    if text.len() > LONGEST {
        return None;
    }
    let mut walk = Walk { text, looks: LookMatcher::new(), left: STEPS + STEPS_PER_BYTE * text.len() };
    let mut all = Places::none(text);
    text.char_indices().for_each(|(at, _)| all.add(at));
    all.add(text.len());
    walk.ends(tree, all).map(|ends| !ends.is_empty())
}

/// Places in a text: before each of its bytes, and after the last.
#[derive(Clone)]
struct Places(Vec<u64>);

impl Places {
    fn none(text: &str) -> Places {
        Places(vec![0; text.len() / 64 + 1])
    }

    fn add(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    fn add_all(&mut self, others: &Places) {
        self.0.iter_mut().zip(&others.0).for_each(|(a, b)| *a |= b);
    }

    fn remove_all(&mut self, others: &Places) {
        self.0.iter_mut().zip(&others.0).for_each(|(a, b)| *a &= !b);
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The first place that is not before `at`.
    fn next(&self, at: usize) -> Option<usize> {
        let first = self.0.get(at / 64)? & (u64::MAX << (at % 64));
        let rest = self.0.iter().enumerate().skip(at / 64 + 1).map(|(n, word)| (n, *word));
        let (n, word) = std::iter::once((at / 64, first)).chain(rest).find(|(_, word)| *word != 0)?;
        Some(n * 64 + word.trailing_zeros() as usize)
    }
}

struct Walk<'t> {
    text: &'t str,
    looks: LookMatcher,
    /// Number of places that may still be visited.
    left: usize,
}

impl Walk<'_> {
    /// The places where a match of the node can end if it begins at one of these. The library's own limit on nesting bounds
    /// the depth.
    fn ends(&mut self, part: TreePart<'_>, from: Places) -> Option<Places> {
        match part.kind() {
            NodeKind::Empty => Some(from),
            NodeKind::Literal(literal) => {
                let text = self.text.as_bytes();
                self.each(&from, |at| text.get(at..)?.starts_with(literal).then_some(at + literal.len()))
            }
            NodeKind::Class(class) => {
                let text = self.text;
                self.each(&from, |at| behind(class, text, at))
            }
            NodeKind::Look(look) => self.looks(look, &from),
            NodeKind::Capture(sub) => self.ends(sub, from),
            NodeKind::Concat(parts) => {
                let mut at = from;
                for part in parts {
                    if at.is_empty() {
                        break;
                    }
                    at = self.ends(part, at)?;
                }
                Some(at)
            }
            NodeKind::Alternation(parts) => {
                let mut all = Places::none(self.text);
                for part in parts {
                    all.add_all(&self.ends(part, from.clone())?);
                }
                Some(all)
            }
            NodeKind::Repetition { sub, min, max } => self.repeated(sub, min, max, from),
        }
    }

    fn repeated(&mut self, sub: TreePart<'_>, min: u32, max: Option<u32>, from: Places) -> Option<Places> {
        let mut last = from;
        for _ in 0..min {
            if last.is_empty() {
                return Some(last);
            }
            last = self.ends(sub, last)?;
        }
        let mut all = last.clone();
        if let (NodeKind::Class(class), None) = (sub.kind(), max) {
            // Handles `.*` and similar repeats in one pass: a new place is always after the one that it was found from.
            let mut next = all.next(0);
            while let Some(at) = next {
                self.step()?;
                if let Some(end) = behind(class, self.text, at) {
                    all.add(end);
                }
                next = all.next(at + 1);
            }
            return Some(all);
        }
        let mut times = min;
        while max.is_none_or(|max| times < max) {
            last = self.ends(sub, last)?;
            // Places that were reached with fewer repeats lead to no new places.
            last.remove_all(&all);
            if last.is_empty() {
                break;
            }
            all.add_all(&last);
            times += 1;
        }
        Some(all)
    }

    fn looks(&mut self, look: Look, from: &Places) -> Option<Places> {
        let (looks, text) = (self.looks.clone(), self.text.as_bytes());
        let holds: fn(&LookMatcher, &[u8], usize) -> bool = match look {
            Look::Start => LookMatcher::is_start,
            Look::End => LookMatcher::is_end,
            Look::StartLF => LookMatcher::is_start_lf,
            Look::EndLF => LookMatcher::is_end_lf,
            Look::WordAscii => LookMatcher::is_word_ascii,
            Look::WordUnicode => |looks, text, at| looks.is_word_unicode(text, at).unwrap_or(false),
            // The other anchors are rare.
            _ => return None,
        };
        self.each(from, |at| holds(&looks, text, at).then_some(at))
    }

    fn each(&mut self, from: &Places, end: impl Fn(usize) -> Option<usize>) -> Option<Places> {
        let mut found = Places::none(self.text);
        let mut next = from.next(0);
        while let Some(at) = next {
            self.step()?;
            if let Some(end) = end(at) {
                found.add(end);
            }
            next = from.next(at + 1);
        }
        Some(found)
    }

    fn step(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        Some(())
    }
}

/// The place after one character of the class, if there is one at this place.
#[inline]
fn behind(class: Class<'_>, text: &str, at: usize) -> Option<usize> {
    match *text.as_bytes().get(at)? {
        ascii @ ..128 => class.has(char::from(ascii)).then_some(at + 1),
        _ => text.get(at..)?.chars().next().filter(|c| class.has(*c)).map(|c| at + c.len_utf8()),
    }
}
