//! A Genesys record behind its stamp, in its two forms. What follows the level shows which form it is.
//!
//! ```text
//! short = [":"] blanks level blanks id5 [blanks text]                          Std 04561 Hot Standby (backup) mode activated
//! full  = [":"] blanks level blanks host blanks app blanks id [blanks text]    Standard host1 SIP GCTI-00-04561 Hot ...
//! ```
//!
//! A level that no manual names (`Trouble`) is accepted in the full form if the id has its `GCTI-`: nothing else looks like that.
//! The word is kept as field `level_word`.
//!
//! An application's name may contain blanks: it ends before the first id. A short form has no type code. The file's header
//! ([`super::header`]) shows whether the number is common or the type's own.

use memchr::memchr2;

use crate::core::event::{EventId, Level, TypeCode};

/// The greatest length of a host's and an application's name, in bytes. A longer "name" is text that happens to contain an id.
pub(super) const NAME_BYTES: usize = 255;
/// The greatest length of a level that no manual names, in bytes.
const LEVEL_BYTES: usize = 16;

/// What follows the stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) level: Option<Level>,
    /// The level's word if no manual names it; otherwise empty.
    pub(super) level_word: &'a str,
    /// The host; empty in the short form.
    pub(super) host: &'a str,
    /// The application; empty in the short form.
    pub(super) app: &'a str,
    pub(super) code: Option<TypeCode>,
    pub(super) number: u32,
    pub(super) text: &'a str,
}

/// Reads what follows a stamp; `None` if it is neither form.
pub(super) fn after_stamp(rest: &str) -> Option<Record<'_>> {
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let body = rest.trim_start_matches([' ', '\t']);
    if body.len() == rest.len() {
        return None;
    }
    match level(body) {
        Some((level, body)) => short(level, body).or_else(|| full(level, body)),
        None => odd(body),
    }
}

/// A full record with a level that no manual names.
fn odd(body: &str) -> Option<Record<'_>> {
    if !body.as_bytes().first().is_some_and(u8::is_ascii_uppercase) || !body.contains(" GCTI-") {
        return None;
    }
    let (level_word, rest) = word(body);
    let is_word = level_word.len() <= LEVEL_BYTES && level_word.bytes().all(|b| b.is_ascii_alphabetic());
    let record = is_word.then(|| full(None, rest)).flatten()?;
    let level = Level::parse(&level_word.to_ascii_lowercase());
    // `full` took the first id; it must be the one with the prefix.
    let id = &body[..body.len() - record.text.len()];
    id.trim_end().rsplit([' ', '\t']).next()?.starts_with("GCTI-").then_some(Record { level, level_word, ..record })
}

/// Reads a record whose stamp a relay removed. Words like `Alarm 12345` are common, so here the short form has a level of three
/// letters and an id of five digits.
pub(super) fn without_stamp(text: &str) -> Option<Record<'_>> {
    let (found, body) = level(text)?;
    match text.as_bytes() {
        [_, _, _, b' ', b'0'..=b'9', _, _, _, b'0'..=b'9', ..] => short(found, body),
        _ => full(found, body),
    }
}

fn level(text: &str) -> Option<(Option<Level>, &str)> {
    // Nearly every text of other programs ends here.
    if !matches!(text.as_bytes().first(), Some(b'A' | b'S' | b'I' | b'T' | b'D' | b'N' | b'U')) {
        return None;
    }
    let (word, rest) = word(text);
    let level = match word {
        "Std" | "Standard" => Some(Level::Notice),
        "Trc" | "Trace" => Some(Level::Trace),
        "Int" | "Interaction" => Some(Level::Info),
        "Dbg" | "Debug" => Some(Level::Debug),
        "Alr" | "Alarm" => Some(Level::Critical),
        "Non" | "None" | "Unk" | "Unknown" => None,
        _ => return None,
    };
    (!rest.is_empty()).then_some((level, rest))
}

fn short(level: Option<Level>, body: &str) -> Option<Record<'_>> {
    // In a full record, the host is here.
    if !body.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let (id, text) = word(body);
    if !(4..=5).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(Record { level, level_word: "", host: "", app: "", code: None, number: id.parse().ok()?, text })
}

fn full(level: Option<Level>, body: &str) -> Option<Record<'_>> {
    let (host, names) = word(body);
    if host.len() > NAME_BYTES {
        return None;
    }
    let mut rest = names;
    loop {
        let app = names[..names.len() - rest.len()].trim_end_matches([' ', '\t']);
        if rest.is_empty() || app.len() > NAME_BYTES {
            return None;
        }
        let (id, text) = word(rest);
        if let (false, Some(EventId::Number { code: Some(code), number })) = (app.is_empty(), id_with_code(id)) {
            return Some(Record { level, level_word: "", host, app, code: Some(code), number, text });
        }
        rest = text;
    }
}

fn id_with_code(word: &str) -> Option<EventId<'static>> {
    let bare = word.strip_prefix("GCTI-").unwrap_or(word);
    (bare.len() == 8 && bare.as_bytes()[2] == b'-').then(|| EventId::parse_number(bare)).flatten()
}

/// A word, and what follows the blanks behind it.
fn word(text: &str) -> (&str, &str) {
    let end = memchr2(b' ', b'\t', text.as_bytes()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let blanks = rest.bytes().take_while(|b| matches!(b, b' ' | b'\t')).count();
    (word, &rest[blanks..])
}
