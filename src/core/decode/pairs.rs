//! Records that are pairs `key=value` (logfmt), read forward once for the keys that [`super::keys`] wants.
//!
//! ```text
//! record = pair *(blanks pair)
//! pair   = key "=" ( value up to a blank or separator / <"> value <"> )
//! ```
//!
//! In: text that begins with a word. Out: what its pairs say. Reading ends at a word that is no pair, at a quote that does not
//! end before a blank, and at a value that begins with `'` (some writers end such a value with `'` and some do not). What was
//! read before counts; what follows may be quoted from somebody else.
//!
//! If a comma, a semicolon or a bar follows the first value, and then another key, it separates all pairs
//! (`date=2026-03-14,time=02:11:57`).
//!
//! A record counts as pairs in three cases. It begins with three pairs; it is two pairs and nothing else; or it begins with its
//! day and time, and something follows. If the time is a number, that must be a pair, because a session description (RFC 8866)
//! has `t=3034423619 3042462419`.

use std::borrow::Cow;

use super::keys::{Keyed, KnownKey};
use super::stamp;

/// The number of pairs at the beginning that is enough to recognise such a record.
const ENOUGH: u32 = 3;
/// The greatest length of the first key, in bytes.
const KEY_BYTES: usize = 64;

/// Reads pairs; `None` if the text is none.
pub(super) fn read(text: &str) -> Option<Keyed<'_>> {
    let mut keyed = Keyed::default();
    let (mut rest, mut count, mut time_first, mut written) = (text, 0, false, false);
    let mut separator = None;
    while let Some((name, behind)) = key(rest) {
        let key = KnownKey::of(name);
        if count == 0 {
            separator = first_separator(behind);
        }
        let Some((raw, behind)) = value(behind, key == Some(KnownKey::Time), separator) else { break };
        rest = behind.trim_start_matches([' ', '\t']);
        if let Some(separator) = separator {
            rest = rest.trim_start_matches([separator, ' ']);
        }
        count += 1;
        if let Some(key) = key {
            let value = unescaped(raw);
            let number = count == 1 && stamp::epoch(&value).is_some();
            keyed.take(key, value);
            time_first |= count == 1 && keyed.dated();
            written |= time_first && !number && !rest.is_empty();
        }
        if keyed.complete() {
            break;
        }
    }
    let all = count + 1 == ENOUGH && rest.is_empty();
    (count >= ENOUGH || all || written || (time_first && count > 1)).then_some(keyed)
}

/// True for a text that may begin with a key and `=`. This is quick, because every line without a time is checked.
pub(super) fn begins(text: &str) -> bool {
    text.bytes().take(KEY_BYTES).find(|b| *b == b'=' || *b <= b' ') == Some(b'=')
}

/// A key, and what follows its `=`.
fn key(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'@' | b'-' | b'/')))?;
    let (key, rest) = text.split_at(end);
    Some((key, rest.strip_prefix('=').filter(|_| end > 0)?))
}

/// A value as it is written between its quotes, or without quotes.
#[derive(Clone, Copy)]
enum Raw<'a> {
    Bare(&'a str),
    Quoted(&'a str),
}

/// The character between the first value and the next key, if it is no blank.
fn first_separator(value: &str) -> Option<char> {
    let end = match value.strip_prefix('"') {
        Some(inner) => inner.find('"')? + 2,
        None => value.find([',', ';', '|', ' ', '\t'])?,
    };
    let separator = value[end..].chars().next().filter(|c| matches!(c, ',' | ';' | '|'))?;
    key(&value[end + 1..]).is_some().then_some(separator)
}

/// A value, and what follows it.
fn value(text: &str, is_time: bool, separator: Option<char>) -> Option<(Raw<'_>, &str)> {
    if text.starts_with('\'') {
        return None;
    }
    let Some(inner) = text.strip_prefix('"') else {
        let end = match separator {
            Some(separator) => text.find(separator).unwrap_or(text.len()),
            None => text.bytes().position(is_blank).unwrap_or(text.len()),
        };
        let end = if is_time { end.max(stamp_end(text)) } else { end };
        let (value, behind) = text.split_at(end);
        return Some((Raw::Bare(value.trim_end_matches([',', ';'])), behind));
    };
    let mut at = 0;
    loop {
        at += inner.as_bytes().get(at..)?.iter().position(|b| matches!(b, b'"' | b'\\'))?;
        if inner.as_bytes()[at] == b'"' {
            break;
        }
        at += 2;
    }
    let behind = inner[at + 1..].trim_start_matches([',', ';', '|']);
    (behind.is_empty() || separator.is_some() || behind.starts_with([' ', '\t'])).then_some((Raw::Quoted(&inner[..at]), behind))
}

/// The end of a stamp at the beginning of the text: some writers leave its blank without quotes.
fn stamp_end(text: &str) -> usize {
    match stamp::any(text) {
        Ok((behind, _)) if behind.is_empty() || behind.starts_with([' ', '\t', ',']) => text.len() - behind.len(),
        _ => 0,
    }
}

/// The text of a value. A character behind a backslash stands for itself.
fn unescaped(raw: Raw<'_>) -> Cow<'_, str> {
    match raw {
        Raw::Quoted(text) if text.contains('\\') => {
            let mut plain = String::with_capacity(text.len());
            let mut chars = text.chars();
            while let Some(c) = chars.next() {
                plain.extend(if c == '\\' { chars.next() } else { Some(c) });
            }
            Cow::Owned(plain)
        }
        Raw::Quoted(text) | Raw::Bare(text) => Cow::Borrowed(text),
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}
