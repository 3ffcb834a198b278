//! A table of values by hash. A missing hash, which is the usual case, costs one access to one word.
//!
//! A [`Filter`] in front of the rows is so small that it stays in the cache. Two values with one hash share their rows, so
//! the caller compares. Sorted rows are used instead of a map of the library: no output can depend on an order of hashes, and
//! no log can make the table slow, because only rules fill it.

/// Bits of the filter for each hash, and the limits of its size.
const BITS_PER_HASH: usize = 16;
const LEAST_BITS: usize = 1 << 10;
const MOST_BITS: usize = 1 << 23;
/// 2^64 divided by the golden ratio: multiplication by it moves neighbours far apart.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hashes that may exist: two bits for each, both in one word.
#[derive(Debug)]
pub(super) struct Filter {
    words: Vec<u64>,
    /// The index of a word is the hash without this number of lowest bits.
    drop: u32,
}

impl Filter {
    pub(super) fn new(hashes: impl ExactSizeIterator<Item = u32>) -> Filter {
        let size = (hashes.len() * BITS_PER_HASH).next_power_of_two().clamp(LEAST_BITS, MOST_BITS);
        let drop = 32 - (size / 64).trailing_zeros();
        let mut words = vec![0; size / 64];
        hashes.for_each(|hash| words[(hash >> drop) as usize] |= bits(hash));
        Filter { words, drop }
    }

    /// False when nothing has this hash; true when something may have it.
    #[inline]
    pub(super) fn may_have(&self, hash: u32) -> bool {
        let word = self.words[(hash >> self.drop) as usize];
        (word >> (hash & 63)) & (word >> (hash >> 6 & 63)) & 1 != 0
    }
}

/// The two bits of a hash in its word. They come from its lowest bits, which do not choose the word.
#[inline]
fn bits(hash: u32) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63)
}

#[derive(Debug)]
pub(super) struct Table<V> {
    filter: Filter,
    /// Sorted by the hash.
    rows: Vec<(u32, V)>,
}

impl<V> Default for Table<V> {
    fn default() -> Table<V> {
        Table::new(Vec::new())
    }
}

impl<V> Table<V> {
    pub(super) fn new(mut rows: Vec<(u32, V)>) -> Table<V> {
        // The sort is stable: values with one hash stay in the given order.
        rows.sort_by_key(|(hash, _)| *hash);
        let filter = Filter::new(rows.iter().map(|(hash, _)| *hash));
        Table { filter, rows }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The values with this hash.
    #[inline]
    pub(super) fn get(&self, hash: u32) -> impl Iterator<Item = &V> {
        let rows = if self.filter.may_have(hash) { self.rows_of(hash) } else { &[] };
        rows.iter().map(|(_, v)| v)
    }

    #[cold]
    fn rows_of(&self, hash: u32) -> &[(u32, V)] {
        let rows = &self.rows[self.rows.partition_point(|(h, _)| *h < hash)..];
        &rows[..rows.iter().take_while(|(h, _)| *h == hash).count()]
    }
}

/// How often each hash occurs. Two things with one hash count together; the only effect is a worse choice.
pub(super) fn counts(hashes: impl Iterator<Item = u32>) -> Table<usize> {
    let mut all: Vec<u32> = hashes.collect();
    all.sort_unstable();
    Table::new(all.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect())
}

/// The hash of a number. It combines all halves of the product, because each depends on other bits.
#[inline]
pub(super) fn of_number(number: u64) -> u32 {
    let product = u128::from(number) * u128::from(GOLDEN);
    let mixed = (product >> 64) as u64 ^ product as u64;
    (mixed >> 32) as u32 ^ mixed as u32
}

/// A faster hash of a number, for filters alone: its low bits depend only on the low half of the number.
#[inline]
pub(super) fn of_window(number: u64) -> u32 {
    (number.wrapping_mul(GOLDEN) >> 32) as u32
}

/// The hash of a text, continued from another hash (0 for the first text).
#[inline]
pub(super) fn of_text(text: &str, after: u32) -> u32 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut hash = u64::from(after) ^ (text.len() as u64) << 32;
    let mut mix = |word: u64| {
        let product = u128::from(hash ^ word) * u128::from(GOLDEN);
        hash = (product >> 64) as u64 ^ product as u64;
    };
    words.iter().for_each(|w| mix(u64::from_le_bytes(*w)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(u64::from_le_bytes(last));
    (hash >> 32) as u32 ^ hash as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::sim::Rng;

    #[test]
    fn what_was_put_in_is_found_and_hardly_anything_else() {
        for count in [0_u64, 1, 3, 100, 20_000] {
            let hash = |n: u64| if n.is_multiple_of(2) { of_number(n) } else { of_text(&format!("application {n}"), 7) };
            let table = Table::new((0..count).map(|n| (hash(n), n)).collect());
            for n in 0..count {
                assert!(table.get(hash(n)).any(|found| *found == n), "{n} of {count}");
            }
            let others = (0..10_000).filter(|n| table.filter.may_have(hash(n + 1_000_000))).count();
            assert!(others < 500, "{others} of 10,000 strange ones pass a filter of {count}");
        }
    }

    #[test]
    fn texts_of_a_kind_have_hashes_of_their_own() {
        let mut rng = Rng::new(1);
        let mut all: Vec<u32> = (0..50_000).map(|n| of_text(&format!("APP_{:03}_{n}", rng.index(1_000)), 0)).collect();
        all.sort_unstable();
        all.dedup();
        assert!(all.len() > 49_980, "{}", all.len());
        assert_ne!(of_text("a", 0), of_text("a\0", 0));
        assert_ne!(of_text("a", 1), of_text("a", 2));
    }
}
