//! A record that is pairs `key=value` (logfmt), read forward once for the keys that [`super::keyed`] wants.
//!
//! ```text
//! record = pair *(blanks pair)
//! pair   = key "=" ( value up to a blank / <"> value <"> )
//! ```
//!
//! In: text that begins with a word. Out: what its pairs say, as far as they go: at a word that is no pair, at a quote that does not end
//! before a blank and at a value that begins with `'` (which some writers end a value with and some do not) reading ends, and what was read
//! before counts: what follows may be what somebody else said.
//!
//! A record is taken for pairs when it begins with three of them, or is two and no more, or begins with its day and time and goes on behind
//! them.

use std::borrow::Cow;

use super::keyed::{Key, Keyed};
use super::stamp;

/// Pairs at the beginning that are enough to know such a record.
const ENOUGH: u32 = 3;

/// Reads pairs; `None` when the text is none.
pub(super) fn read(text: &str) -> Option<Keyed<'_>> {
    let mut keyed = Keyed::default();
    let (mut rest, mut count, mut time_first) = (text, 0, false);
    while let Some((name, behind)) = key(rest) {
        let key = Key::of(name);
        let Some((value, behind)) = value(behind, key == Some(Key::Time)) else { break };
        if let Some(key) = key {
            keyed.take(key, value);
        }
        rest = behind.trim_start_matches([' ', '\t']);
        count += 1;
        time_first |= count == 1 && keyed.dated() && !rest.is_empty();
        if keyed.complete() {
            break;
        }
    }
    let all = count + 1 == ENOUGH && rest.is_empty();
    (count >= ENOUGH || all || time_first).then_some(keyed)
}

/// True for a text that begins with a key and `=`.
pub(super) fn begins(text: &str) -> bool {
    key(text).is_some()
}

/// A key, and what stands behind its `=`.
fn key(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'@' | b'-' | b'/')))?;
    let (key, rest) = text.split_at(end);
    Some((key, rest.strip_prefix('=').filter(|_| end > 0)?))
}

/// A value, and what stands behind it.
fn value(text: &str, is_time: bool) -> Option<(Cow<'_, str>, &str)> {
    if text.starts_with('\'') {
        return None;
    }
    let Some(inner) = text.strip_prefix('"') else {
        let end = text.bytes().position(is_blank).unwrap_or(text.len());
        // Some write a time with its blank and without quotes.
        let end = match stamp::any(text) {
            Ok((behind, _)) if is_time && (behind.is_empty() || behind.starts_with([' ', '\t', ','])) => {
                end.max(text.len() - behind.len())
            }
            _ => end,
        };
        let (value, behind) = text.split_at(end);
        return Some((Cow::Borrowed(value.trim_end_matches([',', ';'])), behind));
    };
    let mut owned: Option<String> = None;
    let (mut from, mut at) = (0, 0);
    loop {
        at += inner.as_bytes().get(at..)?.iter().position(|b| matches!(b, b'"' | b'\\'))?;
        let part = inner.get(from..at)?;
        if inner.as_bytes()[at] == b'\\' {
            owned.get_or_insert_default().push_str(part);
            (from, at) = (at + 1, at + 2);
            continue;
        }
        let value = match owned {
            Some(before) => Cow::Owned(before + part),
            None => Cow::Borrowed(part),
        };
        let behind = inner[at + 1..].trim_start_matches([',', ';']);
        return (behind.is_empty() || is_blank(behind.as_bytes()[0])).then_some((value, behind));
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}
