//! Records that are objects or pairs, read for the keys of [`super::keys`].

use crate::core::event::Level;

use super::keys::Keyed;
use super::{object, pairs};

/// True for a text that begins as an object or as pairs do. Most lines end here at their first byte or word.
pub(super) fn begins(record: &str) -> bool {
    match record.as_bytes() {
        // The attributes of CEF and LEEF are pairs behind a head.
        [b'C', b'E', b'F', b':', ..] | [b'L', b'E', b'E', b'F', b':', ..] => false,
        [b'{', ..] | [b'@', b'c', b'e', b'e', b':', ..] => true,
        [b'A'..=b'Z' | b'a'..=b'z' | b'_', ..] => pairs::begins(record),
        _ => false,
    }
}

/// Reads such a record; `None` if it is neither an object nor pairs.
pub(super) fn read(record: &str) -> Option<Keyed<'_>> {
    object::read(record).or_else(|| pairs::read(record))
}

/// The level of a message that is an object or pairs.
#[inline(never)]
pub(super) fn level(message: &str) -> Option<Level> {
    read(message)?.level()
}
