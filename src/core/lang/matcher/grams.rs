//! Finds which of many literals are in a text, at a cost that hardly grows with their number.
//!
//! With a stride of eight and windows of eight bytes, fifteen bytes of every literal are chosen: its block. Wherever the
//! literal is, one of the eight windows of its block begins at a multiple of eight. So only every eighth window of a text is
//! looked up, in one [`Filter`]. If a window may belong to a block, the eight blocks to which it may belong are looked up, and
//! then the whole literal is compared. Shorter literals need a shorter stride, or narrower windows. (The idea is that of
//! q-gram filters: Wu and Manber, "A fast algorithm for multi-pattern searching", 1994.)
//!
//! ASCII letter case does not count. Invariant: every literal in the text is found; it may be found twice.

use super::table::{self, Filter, Table};

/// Bytes of a window. Wide windows are more selective (four digits are in any log), narrow ones find shorter literals.
const WIDE: usize = 8;
const NARROW: usize = 4;
/// The bit by which ASCII letters differ in case.
const LETTER_CASE: u8 = 0x20;
/// Number of windows that are decided together with a stride of four or eight.
const TOGETHER: usize = 4;

/// Width and stride of the windows, from those that find only long literals to those that find the shortest.
const SIZES: [(usize, usize); 5] = [(WIDE, 8), (WIDE, 4), (NARROW, 4), (NARROW, 2), (NARROW, 1)];

/// The sizes to use for literals of these lengths. If some of them need wide windows with a stride of four, the longer ones use
/// it too, because each size costs one more search of every text.
pub(super) fn sizes(mut lengths: impl Iterator<Item = usize>) -> &'static [(usize, usize)] {
    let needs_four = |length| (Grams::shortest(SIZES[1])..Grams::shortest(SIZES[0])).contains(&length);
    if lengths.any(needs_four) { &SIZES[1..] } else { &SIZES }
}

/// Literals, ready to be searched.
#[derive(Debug)]
pub(super) struct Grams {
    width: usize,
    stride: usize,
    literals: Vec<Vec<u8>>,
    /// The windows of all blocks.
    windows: Filter,
    /// For each place of a window in its block, the bytes that occur next to it: after the window, or before it for the last
    /// place.
    beside: Vec<[bool; 256]>,
    blocks: Table<Block>,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    literal: u32,
    /// Where it begins in the literal.
    offset: u32,
}

/// A narrow window with the bit of the letter case set. Other bytes may become equal, which costs a comparison.
#[inline]
fn narrow(text: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(text.get(at..at + NARROW)?.try_into().ok()?) | 0x2020_2020)
}

#[inline]
fn gram<const WIDTH: usize>(text: &[u8], at: usize) -> Option<u64> {
    if WIDTH == NARROW {
        return narrow(text, at).map(u64::from);
    }
    Some(u64::from_le_bytes(text.get(at..at + WIDE)?.try_into().ok()?) | 0x2020_2020_2020_2020)
}

fn gram_of(width: usize, text: &[u8], at: usize) -> Option<u64> {
    if width == NARROW { gram::<NARROW>(text, at) } else { gram::<WIDE>(text, at) }
}

/// The index, from the beginning of the block, of the byte next to its window at `place`; `None` when the window is the whole
/// block.
fn beside((width, stride): (usize, usize), place: usize) -> Option<usize> {
    if place + 1 < stride { Some(place + width) } else { place.checked_sub(1) }
}

/// The hash of the block that begins at this byte: of its first and its last window.
fn block((width, stride): (usize, usize), text: &[u8], at: usize) -> Option<u32> {
    let (first, last) = (gram_of(width, text, at)?, gram_of(width, text, at + stride - 1)?);
    Some(table::of_number(first ^ u64::from(table::of_number(last))))
}

impl Grams {
    /// The length of the shortest literal that this width and stride always find.
    pub(super) const fn shortest((width, stride): (usize, usize)) -> usize {
        width + stride - 1
    }

    /// An index of literals with at least [`Grams::shortest`] bytes.
    pub(super) fn new(literals: Vec<Vec<u8>>, (width, stride): (usize, usize)) -> Grams {
        let shortest = Grams::shortest((width, stride));
        let gram = |literal: &[u8], at: usize| gram_of(width, literal, at);
        // Windows that many literals contain (`failed `) are not selective; those of one rule alone (`/0/0042`) are very
        // selective.
        let counts = table::counts(literals.iter().flat_map(|l| (0..l.len()).filter_map(|at| gram(l, at))).map(table::of_number));
        let (mut windows, mut blocks) = (Vec::new(), Vec::new());
        let mut known = vec![[false; 256]; stride];
        let mut shared: Vec<usize> = Vec::new();
        for (literal, n) in literals.iter().zip(0..) {
            shared.clear();
            let hashes = (0..literal.len()).filter_map(|at| gram(literal, at)).map(table::of_number);
            shared.extend(hashes.filter_map(|hash| counts.get(hash).next()));
            let cost = |at: usize| {
                let grams: usize = shared[at..at + stride].iter().sum();
                let common = literal[at..at + shortest].iter().filter(|b| b.is_ascii_lowercase() || **b == b' ').count();
                (grams, common)
            };
            let best = (0..=literal.len().saturating_sub(shortest)).min_by_key(|at| cost(*at)).unwrap_or(0);
            windows.extend((best..best + stride).filter_map(|at| gram(literal, at)).map(table::of_window));
            for (place, known) in known.iter_mut().enumerate() {
                if let Some(byte) = beside((width, stride), place).and_then(|at| literal.get(best + at)) {
                    known[usize::from(byte | LETTER_CASE)] = true;
                }
            }
            let offset = u32::try_from(best).unwrap_or(u32::MAX);
            blocks.extend(block((width, stride), literal, best).map(|hash| (hash, Block { literal: n, offset })));
        }
        Grams { width, stride, literals, windows: Filter::new(windows.into_iter()), beside: known, blocks: Table::new(blocks) }
    }

    /// Calls `found` with the number of each literal in the text.
    #[inline]
    pub(super) fn find(&self, text: &str, mut found: impl FnMut(usize)) {
        if self.literals.is_empty() {
            return;
        }
        let text = text.as_bytes();
        match (self.width, self.stride) {
            (WIDE, 8) => self.together::<WIDE, 8>(text, &mut found),
            (WIDE, _) => self.together::<WIDE, 4>(text, &mut found),
            (_, 4) => self.together::<NARROW, 4>(text, &mut found),
            (_, 2) => self.each::<NARROW, 2>(text, 0, &mut found),
            _ => self.each::<NARROW, 1>(text, 0, &mut found),
        }
    }

    #[inline]
    fn has(&self, gram: Option<u64>) -> bool {
        gram.is_some_and(|gram| self.windows.may_have(table::of_window(gram)))
    }

    /// With a long stride: one decision for four windows.
    #[inline]
    fn together<const WIDTH: usize, const STRIDE: usize>(&self, text: &[u8], found: &mut impl FnMut(usize)) {
        let mut at = 0;
        while let Some(block) = text.get(at..at + STRIDE * (TOGETHER - 1) + WIDTH) {
            // This is not `any`, which would make four decisions again.
            if (0..TOGETHER).fold(false, |some, i| some | self.has(gram::<WIDTH>(block, STRIDE * i))) {
                for i in (0..TOGETHER).filter(|i| self.has(gram::<WIDTH>(block, STRIDE * i))) {
                    self.compare(text, at + STRIDE * i, found);
                }
            }
            at += STRIDE * TOGETHER;
        }
        self.each::<WIDTH, STRIDE>(text, at, found);
    }

    #[inline]
    fn each<const WIDTH: usize, const STRIDE: usize>(&self, text: &[u8], from: usize, found: &mut impl FnMut(usize)) {
        let mut at = from;
        while let Some(gram) = gram::<WIDTH>(text, at) {
            if self.has(Some(gram)) {
                self.compare(text, at, found);
            }
            at += STRIDE;
        }
    }

    #[inline(never)]
    fn compare(&self, text: &[u8], at: usize, found: &mut impl FnMut(usize)) {
        for (place, known) in self.beside.iter().enumerate() {
            let Some(begins) = at.checked_sub(place) else { break };
            // Many texts contain digits in a row, and few of them have a colon after the digits.
            let byte = beside((self.width, self.stride), place).and_then(|at| text.get(begins + at));
            if byte.is_some_and(|byte| !known[usize::from(byte | LETTER_CASE)]) {
                continue;
            }
            let Some(hash) = block((self.width, self.stride), text, begins) else { continue };
            for Block { literal, offset } in self.blocks.get(hash) {
                let whole = &self.literals[*literal as usize];
                let Some(start) = begins.checked_sub(*offset as usize) else { continue };
                if text.get(start..start + whole.len()).is_some_and(|t| t.eq_ignore_ascii_case(whole)) {
                    found(*literal as usize);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::core::sim::Rng;

    /// Random literals of a small alphabet in random texts: exactly those in the text are found.
    #[test]
    fn exactly_what_stands_there_is_found() {
        let mut hits = 0;
        for seed in 0..300 {
            let size = SIZES[seed as usize % SIZES.len()];
            let mut rng = Rng::new(seed);
            let mut word = |least: usize, most: usize| -> String {
                let length = least + rng.index(most - least + 1);
                (0..length).map(|_| ["a", "b", "0", "-", "ü"][rng.index(5)]).collect()
            };
            let literals: Vec<String> = (0..20).map(|_| word(Grams::shortest(size), 20)).collect();
            let texts: Vec<String> = (0..20).map(|_| word(0, 40)).collect();
            let grams = Grams::new(literals.iter().map(|l| l.clone().into_bytes()).collect(), size);
            for (i, text) in texts.iter().enumerate() {
                // One literal is certainly in it, in upper case, at any place.
                let text = format!("{text}{}{text}", literals[i % 20].to_ascii_uppercase());
                let mut found = BTreeSet::new();
                grams.find(&text, |n| {
                    found.insert(n);
                });
                let low = text.to_ascii_lowercase();
                let wanted: BTreeSet<usize> = (0..20).filter(|n| low.contains(literals[*n].as_str())).collect();
                assert_eq!(found, wanted, "seed {seed}: {text}");
                hits += found.len();
            }
        }
        assert!(hits > 6_000);
    }

    #[test]
    fn nothing_is_found_by_nothing() {
        Grams::new(Vec::new(), SIZES[0]).find("a text that is long enough", |_| panic!("there is no literal"));
    }
}
