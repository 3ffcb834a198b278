//! Which of many literals stand in a text, at a cost that hardly grows with their number.
//!
//! With a stride of four, seven bytes of every literal are chosen. Wherever it stands, one of the four 4-byte windows of these
//! seven begins at a multiple of four; so of a text only every fourth window is looked at, in one bitmap. What is set there is
//! compared in full. Shorter literals need a shorter stride. (The idea of q-gram filters: Wu and Manber, "A fast algorithm for multi-pattern searching", 1994.)
//!
//! Letter case of ASCII does not count. Invariant: every literal that stands in the text is found; found twice is allowed.

/// Bytes of a window.
const GRAM: usize = 4;
/// Bits of the bitmap for each window, so that few strange windows are set by chance, and bounds of them all.
const BITS_PER_GRAM: usize = 64;
const LEAST_BITS: usize = 1 << 10;
const MOST_BITS: usize = 1 << 23;

/// Literals, ready to be found.
#[derive(Debug)]
pub(super) struct Grams {
    stride: usize,
    literals: Vec<Vec<u8>>,
    bits: Vec<u64>,
    /// The hash has so many bits.
    width: u32,
    /// The chosen windows, sorted by hash.
    windows: Vec<Window>,
    /// By the highest bits of the hash: where in `windows` those begin that have them.
    begins: Vec<u32>,
    /// The hash less these lowest bits.
    drop: u32,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    hash: u32,
    gram: u32,
    literal: u32,
    /// Where in the literal it begins.
    offset: u32,
}

/// A window with the bit that tells letters' cases apart set: other bytes may fall together, which costs a comparison.
fn fold(bytes: [u8; GRAM]) -> u32 {
    u32::from_le_bytes(bytes) | 0x2020_2020
}

fn gram(text: &[u8], at: usize) -> Option<u32> {
    text.get(at..at + GRAM)?.try_into().ok().map(fold)
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
        let shared = |gram: u32| all.partition_point(|g| *g <= gram) - all.partition_point(|g| *g < gram);
        let mut windows = Vec::new();
        for (literal, n) in literals.iter().zip(0..) {
            let cost = |at: usize| {
                let grams: usize = (at..at + stride).filter_map(|i| gram(literal, i)).map(shared).sum();
                let common = literal[at..at + shortest].iter().filter(|b| b.is_ascii_lowercase() || **b == b' ').count();
                (grams, common)
            };
            let best = (0..=literal.len().saturating_sub(shortest)).min_by_key(|at| cost(*at)).unwrap_or(0);
            for offset in best..best + stride {
                if let Some(gram) = gram(literal, offset) {
                    windows.push(Window { hash: 0, gram, literal: n, offset: u32::try_from(offset).unwrap_or(u32::MAX) });
                }
            }
        }
        let bits = (windows.len() * BITS_PER_GRAM).next_power_of_two().clamp(LEAST_BITS, MOST_BITS);
        let width = bits.trailing_zeros();
        let rows = windows.len().next_power_of_two().clamp(1, bits);
        let drop = width - rows.trailing_zeros();
        let mut grams = Grams { stride, literals, bits: vec![0; bits / 64], width, windows, begins: Vec::new(), drop };
        for i in 0..grams.windows.len() {
            let hash = grams.hash(grams.windows[i].gram);
            grams.windows[i].hash = hash;
            grams.bits[(hash / 64) as usize] |= 1 << (hash % 64);
        }
        grams.windows.sort_by_key(|w| (w.hash, w.gram, w.literal));
        let row = |n: usize| grams.windows.partition_point(|w| ((w.hash >> drop) as usize) < n);
        grams.begins = (0..=rows).map(|n| u32::try_from(row(n)).unwrap_or(u32::MAX)).collect();
        grams
    }

    /// Multiplicative (Fibonacci) hashing: the highest bits are the best mixed.
    fn hash(&self, gram: u32) -> u32 {
        gram.wrapping_mul(0x9e37_79b1) >> (32 - self.width)
    }

    /// Tells the literals that stand in the text, by number.
    pub(super) fn find(&self, text: &str, mut found: impl FnMut(usize)) {
        if self.literals.is_empty() {
            return;
        }
        let text = text.as_bytes();
        for (window, n) in text.windows(GRAM).step_by(self.stride).zip(0_usize..) {
            let Ok(bytes) = <[u8; GRAM]>::try_from(window) else { continue };
            let gram = fold(bytes);
            let hash = self.hash(gram);
            if self.bits[(hash / 64) as usize] >> (hash % 64) & 1 == 1 {
                self.compare(text, n * self.stride, gram, hash, &mut found);
            }
        }
    }

    #[cold]
    fn compare(&self, text: &[u8], at: usize, gram: u32, hash: u32, found: &mut impl FnMut(usize)) {
        let row = (hash >> self.drop) as usize;
        let begin = self.begins[row] as usize..self.begins[row + 1] as usize;
        for window in self.windows[begin].iter().filter(|w| w.gram == gram) {
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
