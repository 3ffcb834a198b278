//! Records that are objects (RFC 8259), read forward once for the keys that [`super::keys`] wants; also after `@cee:`.
//!
//! In: text that begins with `{`. Out: the values of keys at its top level. Of nested objects only those of [`KnownKey::within`]
//! are read, one level down. Nothing is copied except wanted values with escapes.
//!
//! Invariants: text inside a value is never a key. Where the object breaks (it was cut, or is none), or where it is deeper than
//! [`DEPTH`], reading ends, and what was read before counts. A key is recognised as it is written: a key with escapes is not
//! recognised.

use std::borrow::Cow;

use super::keys::{Keyed, KnownKey};

/// The greatest depth of lists and objects. `json.x` of a rule reads to the same depth.
const DEPTH: u32 = 127;

/// Reads an object; `None` if the text does not begin as one.
pub(super) fn read(text: &str) -> Option<Keyed<'_>> {
    let object = text.strip_prefix("@cee:").map_or(text, |rest| rest.trim_start_matches(' '));
    let inner = object.strip_prefix('{')?;
    let mut keyed = Keyed::default();
    let mut cursor = Cursor { text: inner, at: 0 };
    // It makes no difference whether the object ended by its brace or broke.
    let _ = members(&mut cursor, &mut |cursor, name| {
        member(cursor, name, &mut keyed)?;
        (!keyed.complete()).then_some(())
    });
    Some(keyed)
}

/// A place in a text.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// A string as it is written between its quotes, and whether it has escapes.
type Raw<'a> = (&'a str, bool);

/// Reads an object from behind its `{` to behind its `}`. `member` is called with each key and must pass over the value. `None`
/// if the object is malformed, or if `member` returns `None`.
fn members<'a>(cursor: &mut Cursor<'a>, member: &mut dyn FnMut(&mut Cursor<'a>, &'a str) -> Option<()>) -> Option<()> {
    if cursor.next() == Some(b'}') {
        cursor.at += 1;
        return Some(());
    }
    loop {
        let (name, escaped) = cursor.string()?;
        cursor.eat(b':')?;
        member(cursor, if escaped { "" } else { name })?;
        if cursor.next() == Some(b'}') {
            cursor.at += 1;
            return Some(());
        }
        cursor.eat(b',')?;
    }
}

/// Reads one member of the top level.
fn member<'a>(cursor: &mut Cursor<'a>, name: &'a str, keyed: &mut Keyed<'a>) -> Option<()> {
    if cursor.next() == Some(b'{')
        && let Some((wanted, key)) = KnownKey::within(name)
    {
        cursor.at += 1;
        return members(cursor, &mut |cursor, inner| {
            if inner != wanted {
                return cursor.skip();
            }
            value(cursor, key, keyed)?;
            if wanted == "$date" && keyed.dated() {
                keyed.take_mongo();
            }
            Some(())
        });
    }
    match KnownKey::of(name) {
        Some(key) => value(cursor, key, keyed),
        None => cursor.skip(),
    }
}

/// Reads a wanted value: a string, or a number if the key allows one.
fn value<'a>(cursor: &mut Cursor<'a>, key: KnownKey, keyed: &mut Keyed<'a>) -> Option<()> {
    match cursor.next()? {
        // It is enough that the key is present.
        _ if matches!(key, KnownKey::ShortMessage | KnownKey::Wrapped) => {
            keyed.take(key, Cow::Borrowed(""));
            return cursor.skip();
        }
        b'"' => {
            let raw = cursor.string()?;
            if let Some(text) = unescaped(raw) {
                keyed.take(key, text);
            }
        }
        b'0'..=b'9' if !matches!(key, KnownKey::Host | KnownKey::App) => keyed.take(key, Cow::Borrowed(cursor.scalar()?)),
        _ => return cursor.skip(),
    }
    Some(())
}

/// The text of a string; `None` if its escapes are invalid.
fn unescaped((raw, escaped): Raw<'_>) -> Option<Cow<'_, str>> {
    if !escaped {
        return Some(Cow::Borrowed(raw));
    }
    serde_json::from_str(&format!("\"{raw}\"")).ok().map(Cow::Owned)
}

impl<'a> Cursor<'a> {
    /// The next byte that is no blank, without passing over it.
    fn next(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Passes over this byte.
    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.at += 1)
    }

    /// Passes over a string.
    fn string(&mut self) -> Option<Raw<'a>> {
        self.eat(b'"')?;
        let bytes = self.text.as_bytes();
        let (from, mut escaped) = (self.at, false);
        loop {
            self.at += bytes.get(self.at..)?.iter().position(|b| matches!(b, b'"' | b'\\'))?;
            if bytes[self.at] == b'"' {
                break;
            }
            escaped = true;
            self.at += 2;
        }
        let raw = self.text.get(from..self.at)?;
        self.at += 1;
        Some((raw, escaped))
    }

    /// Passes over a number, `true`, `false` or `null`.
    fn scalar(&mut self) -> Option<&'a str> {
        let from = self.at;
        let rest = self.text.as_bytes().get(from..)?;
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        self.at += rest.iter().position(|b| !is_part(b)).unwrap_or(rest.len());
        // A scalar at the end of the text may have been cut.
        (self.at > from && self.at < self.text.len()).then(|| &self.text[from..self.at])
    }

    /// Passes over any value, however deep.
    fn skip(&mut self) -> Option<()> {
        // The last bit is the innermost open bracket: 1 for an object, 0 for a list.
        let (mut open, mut depth): (u128, u32) = (0, 0);
        loop {
            match self.next()? {
                b'"' => {
                    self.string()?;
                }
                begin @ (b'{' | b'[') => {
                    if depth == DEPTH {
                        return None;
                    }
                    (open, depth) = (open << 1 | u128::from(begin == b'{'), depth + 1);
                    self.at += 1;
                }
                end @ (b'}' | b']') => {
                    if depth == 0 || (open & 1 == 1) != (end == b'}') {
                        return None;
                    }
                    (open, depth) = (open >> 1, depth - 1);
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => self.at += 1,
                _ => {
                    self.scalar()?;
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}
