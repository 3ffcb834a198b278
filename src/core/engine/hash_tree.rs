//! A map by a hash of its keys, for very many keys.
//!
//! The cost of a look-up is access to memory that is not in the cache. Small trees, each with a few keys, are found by the
//! last bits of the hash. That is one place in a list and mostly one node of a tree, however many keys there are. Keys with
//! the same hash are distinguished as usual. Keys that senders choose cost little more than others: keys whose hashes end alike
//! make a larger tree and no list, and nobody knows how to make many keys with the same hash (SipHash). Nothing depends on
//! the order of iteration, because no output uses it.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Maximum keys of a tree on average; above it, the number of trees doubles.
const KEYS_OF_A_TREE: usize = 8;

/// Values by key, in no meaningful order.
#[derive(Clone, Debug)]
pub(super) struct HashTree<K, V> {
    /// By the last bits of the hash. The number of trees is zero or a power of two.
    trees: Vec<Tree<K, V>>,
    len: usize,
}

/// By hash; several keys with one hash are numbered without a gap.
type Tree<K, V> = BTreeMap<At, (K, V)>;
type At = (u64, u32);

impl<K, V> Default for HashTree<K, V> {
    fn default() -> HashTree<K, V> {
        HashTree { trees: Vec::new(), len: 0 }
    }
}

fn sum<Q: Hash + ?Sized>(key: &Q) -> u64 {
    // The hash has no secret, so that equal inputs give equal states.
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// Returns the index of the tree of a hash; without trees, an index that does not exist.
fn place(sum: u64, trees: usize) -> usize {
    #[allow(clippy::cast_possible_truncation, reason = "the last bits are what is wanted")]
    let sum = sum as usize;
    sum & trees.wrapping_sub(1)
}

impl<K: Hash + Eq, V> HashTree<K, V> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let sum = sum(key);
        let tree = self.trees.get(place(sum, self.trees.len()))?;
        let mut of_sum = (0..).map_while(|n| tree.get(&(sum, n)));
        of_sum.find(|(k, _)| k.borrow() == key).map(|(_, value)| value)
    }

    pub(super) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (tree, at) = self.find(key)?;
        tree.get_mut(&at).map(|(_, value)| value)
    }

    /// Returns the value of a key, and inserts a default first if there is none.
    pub(super) fn or_default(&mut self, key: &K) -> &mut V
    where
        K: Clone,
        V: Default,
    {
        self.make_room();
        let sum = sum(key);
        let place = place(sum, self.trees.len());
        let tree = &mut self.trees[place];
        let n = number(tree, sum, key).unwrap_or_else(|free| {
            self.len += 1;
            free
        });
        &mut tree.entry((sum, n)).or_insert_with(|| (key.clone(), V::default())).1
    }

    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (tree, (sum, n)) = self.find(key)?;
        let removed = tree.remove(&(sum, n))?;
        // The last one with this hash takes the free number.
        if let Some(last) = (n + 1..).take_while(|n| tree.contains_key(&(sum, *n))).last()
            && let Some(moved) = tree.remove(&(sum, last))
        {
            tree.insert((sum, n), moved);
        }
        self.len -= 1;
        Some(removed.1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.trees.iter().flat_map(BTreeMap::values).map(|(key, value)| (key, value))
    }

    /// Returns all entries, sorted by key.
    pub(super) fn sorted(&self) -> Vec<(&K, &V)>
    where
        K: Ord,
    {
        let mut all: Vec<(&K, &V)> = self.iter().collect();
        all.sort_by_key(|(key, _)| *key);
        all
    }

    /// Keeps the entries for which `stays` is true.
    pub(super) fn retain(&mut self, stays: impl Fn(&K, &V) -> bool) {
        self.len = 0;
        for tree in &mut self.trees {
            tree.retain(|_, (key, value)| stays(key, value));
            // Keys with one hash are numbered again without a gap.
            if tree.keys().any(|(_, n)| *n > 0) {
                let mut last: Option<At> = None;
                for ((sum, _), entry) in std::mem::take(tree) {
                    let n = last.filter(|(of, _)| *of == sum).map_or(0, |(_, n)| n + 1);
                    last = Some((sum, n));
                    tree.insert((sum, n), entry);
                }
            }
            self.len += tree.len();
        }
    }

    /// Finds the place of a key.
    fn find<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<(&mut Tree<K, V>, At)>
    where
        K: Borrow<Q>,
    {
        let sum = sum(key);
        let trees = self.trees.len();
        let tree = self.trees.get_mut(place(sum, trees))?;
        let n = number(tree, sum, key).ok()?;
        Some((tree, (sum, n)))
    }

    /// Makes room for one more key: doubles the number of trees when they are full.
    fn make_room(&mut self) {
        if self.len < self.trees.len() * KEYS_OF_A_TREE {
            return;
        }
        let trees = (self.trees.len() * 2).max(1);
        let before = std::mem::take(&mut self.trees);
        self.trees.resize_with(trees, BTreeMap::new);
        for ((sum, n), entry) in before.into_iter().flatten() {
            self.trees[place(sum, trees)].insert((sum, n), entry);
        }
    }
}

/// Returns the number of a key among those with its hash; the error is the first free number.
fn number<K: Borrow<Q>, V, Q: Eq + ?Sized>(tree: &Tree<K, V>, sum: u64, key: &Q) -> Result<u32, u32> {
    let mut n = 0;
    while let Some((k, _)) = tree.get(&(sum, n)) {
        if k.borrow() == key {
            return Ok(n);
        }
        n += 1;
    }
    Err(n)
}

/// Two maps are equal when the same keys have the same values.
impl<K: Hash + Eq, V: PartialEq> PartialEq for HashTree<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of which many have the same hash: they behave as in any map.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct Alike(u64);

    impl Hash for Alike {
        fn hash<H: Hasher>(&self, state: &mut H) {
            (self.0 % 7).hash(state);
        }
    }

    #[test]
    fn it_is_a_map_also_of_keys_with_one_sum() {
        let mut rng = crate::core::sim::Rng::new(11);
        let (mut summed, mut map) = (HashTree::default(), BTreeMap::new());
        for n in 0..20_000_u64 {
            let key = Alike(rng.below(100));
            match rng.below(5) {
                0 | 1 => {
                    *summed.or_default(&key) = n;
                    map.insert(key, n);
                }
                2 => assert_eq!(summed.remove(&key), map.remove(&key)),
                3 => assert_eq!(summed.get_mut(&key), map.get_mut(&key)),
                _ if n % 500 == 4 => {
                    summed.retain(|key, _| key.0 % 2 == 0);
                    map.retain(|key, _| key.0 % 2 == 0);
                }
                _ => assert_eq!(summed.get(&key), map.get(&key)),
            }
            assert_eq!((summed.len(), summed.is_empty()), (map.len(), map.is_empty()));
        }
        let all: BTreeMap<Alike, u64> = summed.iter().map(|(key, value)| (key.clone(), *value)).collect();
        assert_eq!(all, map);
        assert!(!map.is_empty() && summed == summed.clone() && summed != HashTree::default());
    }
}
