//! Which of many literals stand in a text, at a cost that hardly grows with their number.
//!
//! With a stride of four, seven bytes of every literal are chosen. Wherever it stands, one of the four 4-byte windows of these
//! seven begins at a multiple of four; so of a text only every fourth window is looked up, in one [`Table`]. For what is there, a second window
//! beside it is compared, then all of the literal. Shorter literals need a shorter stride. (The idea of q-gram filters: Wu
//! and Manber, "A fast algorithm for multi-pattern searching", 1994.)
//!
//! Letter case of ASCII does not count. Invariant: every literal that stands in the text is found; found twice is allowed.

use super::table::{self, Table};

/// Bytes of a window.
const GRAM: usize = 4;
/// Bytes that a stride of four looks at together.
const BLOCK: usize = 16;

/// Literals, ready to be found.
#[derive(Debug)]
pub(super) struct Grams {
    stride: usize,
    literals: Vec<Vec<u8>>,
    /// The chosen windows, by what they hold.
    windows: Table<Window>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    gram: u32,
    literal: u32,
    /// Where in the literal it begins.
    offset: u32,
    /// Where a second window begins, seen from this one, and what it holds.
    beside: i32,
    second: u32,
}

/// A window with the bit that tells letters' cases apart set: other bytes may fall together, which costs a comparison.
#[inline]
fn fold(bytes: [u8; GRAM]) -> u32 {
    u32::from_le_bytes(bytes) | 0x2020_2020
}

fn gram(text: &[u8], at: usize) -> Option<u32> {
    text.get(at..at + GRAM)?.try_into().ok().map(fold)
}

#[inline]
fn hash(gram: u32) -> u32 {
    table::of_number(u64::from(gram))
}

impl Window {
    fn new(literal: &[u8], number: u32, offset: usize) -> Option<Window> {
        let last = literal.len().checked_sub(GRAM)?;
        let second = match offset {
            _ if offset + GRAM <= last => offset + GRAM,
            _ if last > offset => last,
            _ => offset.saturating_sub(GRAM),
        };
        Some(Window {
            gram: gram(literal, offset)?,
            literal: number,
            offset: u32::try_from(offset).ok()?,
            beside: i32::try_from(second).ok()? - i32::try_from(offset).ok()?,
            second: gram(literal, second)?,
        })
    }
}

impl Grams {
    /// The shortest literal that a stride finds wherever it stands.
    pub(super) const fn shortest(stride: usize) -> usize {
        GRAM + stride - 1
    }

    /// Of literals of [`Grams::shortest`] bytes or more.
    pub(super) fn new(literals: Vec<Vec<u8>>, stride: usize) -> Grams {
        let shortest = Grams::shortest(stride);
        // Windows that stand in many literals (`failed `) tell little; those of one rule alone (`/0/0042`) tell most.
        let mut all: Vec<u32> = literals.iter().flat_map(|l| (0..l.len()).filter_map(|at| gram(l, at))).collect();
        all.sort_unstable();
        let counts: Vec<(u32, u32)> = all.chunk_by(|a, b| a == b).map(|g| (hash(g[0]), g.len() as u32)).collect();
        let counts = Table::new(counts);
        let mut windows = Vec::new();
        let mut shared: Vec<u32> = Vec::new();
        for (literal, n) in literals.iter().zip(0..) {
            // Two windows of one hash would count as the rarer one: a choice, not an error.
            shared.clear();
            shared.extend((0..literal.len()).filter_map(|at| counts.get(hash(gram(literal, at)?)).next()));
            let cost = |at: usize| {
                let grams: u32 = shared[at..at + stride].iter().sum();
                let common = literal[at..at + shortest].iter().filter(|b| b.is_ascii_lowercase() || **b == b' ').count();
                (grams, common)
            };
            let best = (0..=literal.len().saturating_sub(shortest)).min_by_key(|at| cost(*at)).unwrap_or(0);
            windows.extend((best..best + stride).filter_map(|offset| Window::new(literal, n, offset)).map(|w| (hash(w.gram), w)));
        }
        Grams { stride, literals, windows: Table::new(windows) }
    }

    /// Tells the literals that stand in the text, by number.
    #[inline]
    pub(super) fn find(&self, text: &str, mut found: impl FnMut(usize)) {
        if self.literals.is_empty() {
            return;
        }
        let text = text.as_bytes();
        match self.stride {
            4 => self.blocks(text, &mut found),
            2 => self.scan::<2>(text, 0, &mut found),
            _ => self.scan::<1>(text, 0, &mut found),
        }
    }

    /// With a stride of four: four windows for each decision.
    #[inline]
    fn blocks(&self, text: &[u8], found: &mut impl FnMut(usize)) {
        let (blocks, _) = text.as_chunks::<BLOCK>();
        for (block, n) in blocks.iter().zip(0..) {
            let (grams, _) = block.as_chunks::<GRAM>();
            // No `any`: that would be four decisions again.
            if grams.iter().fold(false, |some, g| some | self.windows.may_have(hash(fold(*g)))) {
                for (g, i) in grams.iter().zip(0..).filter(|(g, _)| self.windows.may_have(hash(fold(**g)))) {
                    self.compare(text, n * BLOCK + i * GRAM, fold(*g), found);
                }
            }
        }
        self.scan::<4>(text, blocks.len() * BLOCK, found);
    }

    #[inline]
    fn scan<const STRIDE: usize>(&self, text: &[u8], from: usize, found: &mut impl FnMut(usize)) {
        for (window, n) in text[from..].windows(GRAM).step_by(STRIDE).zip(0..) {
            let Ok(bytes) = <[u8; GRAM]>::try_from(window) else { continue };
            let gram = fold(bytes);
            if self.windows.may_have(hash(gram)) {
                self.compare(text, from + n * STRIDE, gram, found);
            }
        }
    }

    #[inline(never)]
    fn compare(&self, text: &[u8], at: usize, held: u32, found: &mut impl FnMut(usize)) {
        for window in self.windows.get(hash(held)).filter(|w| w.gram == held) {
            let second = at.checked_add_signed(window.beside as isize).and_then(|at| gram(text, at));
            if second != Some(window.second) {
                continue;
            }
            let literal = &self.literals[window.literal as usize];
            let Some(start) = at.checked_sub(window.offset as usize) else { continue };
            if text.get(start..start + literal.len()).is_some_and(|t| t.eq_ignore_ascii_case(literal)) {
                found(window.literal as usize);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::sim::Rng;

    /// Random literals of a small alphabet in random texts: exactly those that stand there are found.
    #[test]
    fn exactly_what_stands_there_is_found() {
        let mut hits = 0;
        for seed in 0..300 {
            let stride = [1, 2, 4][seed as usize % 3];
            let mut rng = Rng::new(seed);
            let mut word = |least: usize, most: usize| -> String {
                let length = least + rng.index(most - least + 1);
                (0..length).map(|_| ["a", "b", "0", "-", "ü"][rng.index(5)]).collect()
            };
            let literals: Vec<String> = (0..20).map(|_| word(Grams::shortest(stride), 12)).collect();
            let texts: Vec<String> = (0..20).map(|_| word(0, 40)).collect();
            let grams = Grams::new(literals.iter().map(|l| l.clone().into_bytes()).collect(), stride);
            for (i, text) in texts.iter().enumerate() {
                // One literal is surely in it, in either case, wherever it comes to stand.
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
        Grams::new(Vec::new(), 4).find("a text that is long enough", |_| panic!("there is no literal"));
    }
}
