//! The key of an instance: the values of the `by` fields of its alarm.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::core::base::limits::KEY_BYTES;

/// The values of an alarm's `by` fields, in the order of `by`. It is shared, because records, state and deadlines all have
/// it. It is one piece of memory, because each of a million keys is read rarely, when it is not in the cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

const END: char = '\0';
/// Escapes a character that has a meaning here. Logs contain neither, but senders might.
const INSTEAD: char = '\u{1}';
/// The escapes of [`END`] and [`INSTEAD`] in a value.
const SIGNS: [(char, char); 2] = [(END, '0'), (INSTEAD, '1')];

/// Bytes of the hash of a value that was cut, with its mark.
const SUM_BYTES: usize = "…#".len() + 16;

/// FNV-1a. It never changes, because keys are in journals.
fn sum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Key {
    pub fn of<V: AsRef<str>>(values: impl IntoIterator<Item = V>) -> Key {
        let mut text = String::new();
        values.into_iter().for_each(|value| Key::push(&mut text, value.as_ref()));
        Key::read(&text)
    }

    /// Adds a value to the text from which [`Key::read`] makes a key. A long value is cut and gets a hash of the whole, so
    /// that it differs from others with the same beginning.
    pub(super) fn push(text: &mut String, value: &str) {
        if value.len() > KEY_BYTES {
            let start = (0..=KEY_BYTES - SUM_BYTES).rev().find(|at| value.is_char_boundary(*at)).unwrap_or_default();
            return Key::push(text, &format!("{}…#{:016x}", value.get(..start).unwrap_or_default(), sum(value)));
        }
        if value.contains([END, INSTEAD]) {
            for c in value.chars() {
                match SIGNS.iter().find(|(sign, _)| *sign == c) {
                    Some((_, stands)) => text.extend([INSTEAD, *stands]),
                    None => text.push(c),
                }
            }
        } else {
            text.push_str(value);
        }
        text.push(END);
    }

    /// The key of the values that were pushed.
    pub(super) fn read(text: &str) -> Key {
        Key(text.into())
    }

    pub fn values(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.0.split_terminator(END).map(|value| {
            if !value.contains(INSTEAD) {
                return Cow::Borrowed(value);
            }
            Cow::Owned(SIGNS.iter().fold(value.to_owned(), |value, (sign, stands)| {
                value.replace(&String::from_iter([INSTEAD, *stands]), &sign.to_string())
            }))
        })
    }

    pub fn value(&self, place: usize) -> Option<Cow<'_, str>> {
        self.values().nth(place)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// True for an alarm without `by`.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.values().collect::<Vec<_>>().join(", "))
    }
}

/// In a journal, a key is the list of its values.
impl Serialize for Key {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.values())
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Key, D::Error> {
        Ok(Key::of(Vec::<Cow<'de, str>>::deserialize(from)?))
    }
}

/// Returns the first key that stays when the older half is dropped; `None` when none stays.
pub(super) fn first_of_young_half<'k, A: Ord>(keys: impl Iterator<Item = (A, &'k Key)>) -> Option<(A, Key)> {
    let mut order: Vec<(A, &Key)> = keys.collect();
    let half = (order.len() / 2).max(1);
    if half >= order.len() {
        return None;
    }
    order.select_nth_unstable(half);
    order.into_iter().nth(half).map(|(age, key)| (age, key.clone()))
}

/// An instance as people read it.
pub(super) fn shown(alarm: &str, key: &Key) -> String {
    if key.is_empty() { alarm.to_owned() } else { format!("{alarm} [{key}]") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_and_stay_apart() {
        let long = |end: &str| format!("{}{end}", "é".repeat(KEY_BYTES));
        let (a, b) = (Key::of([long("a")]), Key::of([long("b")]));
        assert_ne!(a, b);
        assert!(a.len() <= KEY_BYTES + 1);
        assert_eq!(serde_json::from_str::<Key>(&serde_json::to_string(&a).unwrap()).unwrap(), a, "read back it is the same");
        assert_eq!(Key::of([&"x".repeat(KEY_BYTES)]).value(0).unwrap(), "x".repeat(KEY_BYTES));
    }

    #[test]
    fn values_come_back_as_they_were() {
        let some: [&[&str]; 9] =
            [&[], &[""], &["", ""], &["a"], &["a", "b"], &["ab"], &["\0"], &["\u{1}0", "\u{1}"], &["\0\u{1}1\u{1}", "é"]];
        for one in some {
            let key = Key::of(one);
            assert_eq!(key.values().collect::<Vec<_>>(), one);
            assert_eq!((key.value(1).as_deref(), key.is_empty()), (one.get(1).copied(), one.is_empty()));
            assert_eq!(serde_json::from_str::<Key>(&serde_json::to_string(&key).unwrap()).unwrap(), key);
            assert_eq!(serde_json::to_value(&key).unwrap(), serde_json::json!(one));
            for other in some {
                assert_eq!(key == Key::of(other), one == other);
            }
        }
        // Keys are sorted as lists are.
        assert!(
            Key::of(["a", "b"]) < Key::of(["ab"]) && Key::of(["a"]) < Key::of(["a", ""]) && Key::of(["a", "z"]) < Key::of(["b"])
        );
    }
}
