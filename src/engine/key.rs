//! Which instance of an alarm: the values of its `by` fields.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The values of an alarm's `by` fields, in its order. Shared, because records, state and deadlines all have it; and one piece of memory,
/// because of a million keys each is looked at seldom, when it is not at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

/// Ends each value.
const END: char = '\0';
/// Goes before what stands for a sign that has a meaning here. Logs have neither, senders might.
const INSTEAD: char = '\u{1}';
/// What stands for [`END`] and [`INSTEAD`] in a value.
const SIGNS: [(char, char); 2] = [(END, '0'), (INSTEAD, '1')];

impl Key {
    /// Of these values.
    pub fn of<V: AsRef<str>>(values: impl IntoIterator<Item = V>) -> Key {
        let mut text = String::new();
        values.into_iter().for_each(|value| Key::push(&mut text, value.as_ref()));
        Key::read(&text)
    }

    /// One more value of what [`Key::read`] makes a key of.
    pub(super) fn push(text: &mut String, value: &str) {
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

    /// Its values.
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

    /// One of them.
    pub fn value(&self, place: usize) -> Option<Cow<'_, str>> {
        self.values().nth(place)
    }

    /// True of an alarm without `by`.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.values().collect::<Vec<_>>().join(", "))
    }
}

/// As a journal has it: the list of the values.
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

#[cfg(test)]
mod tests {
    use super::*;

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
        // Sorted as the lists are.
        assert!(
            Key::of(["a", "b"]) < Key::of(["ab"]) && Key::of(["a"]) < Key::of(["a", ""]) && Key::of(["a", "z"]) < Key::of(["b"])
        );
    }
}
