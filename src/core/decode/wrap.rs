//! Wrappers: records around another program's record. The wrapper is removed, the inner record is decoded, and the wrapper's own
//! data are kept.
//!
//! | wrapper | how it is known |
//! |---|---|
//! | Docker's json-file, and what Fluent Bit makes of it | JSON with a text `log` beside `stream` or `time` |
//! | CRI (containerd, CRI-O) | stamp, `stdout` or `stderr`, tags of which the first is `F` or `P`, text |
//! | Docker Compose | a name, blanks, `|`, a blank, and a record with a stamp, an object or a level |
//! | the journal as JSON (`journalctl -o json`), and what syslog-ng writes as JSON | JSON with `MESSAGE` beside a key that begins with `_`, or `PRIORITY` |
//! | the journal as text (`journalctl -o export`) | lines `KEY=value` from `__CURSOR=` to an empty line |
//!
//! In: a record's text. Out: the inner text, and the wrapper's data ([`Outer`]). Pieces of a long line (`P` of CRI; Docker's have
//! no line end) are kept until the last one ([`Pieces`]).
//!
//! Invariants: nothing is unwrapped twice. What is kept is bounded by [`RECORD_BYTES`]; everything beyond is cut and marked.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::core::base::limits::{FIELDS_PER_EVENT, RECORD_BYTES};
use crate::core::event::{Event, Level, Value};

use super::stamp::{self, Stamp};
use super::{envelope, level, structured::StructuredFields};

/// Docker splits longer lines into pieces of this size.
const DOCKER_PIECE_BYTES: usize = 16 * 1024;
/// The greatest length of a container's name, in bytes.
const NAME_BYTES: usize = 64;
/// So many records without a line end, before any with one, show that their writer leaves the line end out.
const UNENDED: u8 = 8;
/// The number of streams whose pieces are kept at once: `stdout` and `stderr`, with room for other names.
const STREAMS: usize = 4;

/// The data of a wrapper.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outer {
    pub(super) stamp: Option<Stamp>,
    pub(super) host: String,
    pub(super) app: String,
    pub(super) pid: String,
    pub(super) level: Option<Level>,
    pub(super) facility: Option<u8>,
    pub(super) fields: StructuredFields<'static>,
    pub(super) fields_dropped: bool,
    /// The inner record is a message of syslog or the journal: a level word at its beginning stays in the text.
    pub(super) is_message: bool,
}

/// Whether more of the inner record follows in the next record of the same stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceKind {
    /// The record is complete: nothing follows.
    Whole,
    /// The record is complete, and a line end says so.
    Ended,
    /// A part of a record: more of it follows.
    Part,
    /// There is no line end, which Docker writes behind all but pieces and others write nowhere.
    Unended,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wrapped {
    pub(super) outer: Outer,
    pub(super) inner: String,
    pub(super) piece: PieceKind,
    /// The stream: its pieces belong together.
    pub(super) stream: String,
}

/// CRI's head behind the stamp: stream, whether it is a piece, and the inner text.
pub(super) fn cri(behind: &str) -> Option<(&str, bool, &str)> {
    let rest = behind.strip_prefix(' ')?;
    let stream = ["stdout", "stderr"].into_iter().find(|stream| rest.starts_with(stream))?;
    let (tags, text) = rest[stream.len()..].strip_prefix(' ').map(|rest| rest.split_once(' ').unwrap_or((rest, "")))?;
    match tags.split(':').next()? {
        "F" => Some((stream, false, text)),
        "P" => Some((stream, true, text)),
        _ => None,
    }
}

/// A record of CRI.
pub(super) fn of_cri(stamp: Stamp, (stream, partial, text): (&str, bool, &str)) -> Wrapped {
    let fields = vec![(Cow::Borrowed("stream"), Value::from(stream))];
    let outer = Outer { stamp: Some(stamp), fields, ..Outer::default() };
    let piece = if partial { PieceKind::Part } else { PieceKind::Whole };
    Wrapped { outer, inner: text.to_owned(), piece, stream: stream.to_owned() }
}

/// What Docker Compose prints before a line: the container's name and a bar. Returns the name and the line.
pub(super) fn compose(record: &str) -> Option<(&str, &str)> {
    let end = record.bytes().take(NAME_BYTES).position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')))?;
    let inner = record[end..].trim_start_matches(' ').strip_prefix("| ").filter(|_| end > 0 && record[end..].starts_with(' '))?;
    let begins = inner.starts_with('{') || level::scan(inner, 0).is_some_and(|found| found.behind.is_some());
    let stamped = || stamp::any(inner.strip_prefix('[').unwrap_or(inner)).is_ok();
    (begins || stamped()).then_some((&record[..end], inner))
}

/// A record of Docker Compose.
pub(super) fn of_compose((name, inner): (&str, &str)) -> Wrapped {
    let outer = Outer { app: name.to_owned(), ..Outer::default() };
    Wrapped { outer, inner: inner.to_owned(), piece: PieceKind::Whole, stream: String::new() }
}

/// A record that is JSON around another one.
pub(super) fn object(record: &str) -> Option<Wrapped> {
    let Json::Object(mut object) = serde_json::from_str(record).ok()? else { return None };
    if object.contains_key("MESSAGE") && object.keys().any(|key| key.starts_with('_') || key == "PRIORITY") {
        let inner = journal_text(&object.remove("MESSAGE")?)?;
        let mut outer = Outer { is_message: true, ..Outer::default() };
        for (key, value) in object {
            journal_field(&mut outer, key, &journal_text(&value).unwrap_or_else(|| value.to_string()));
        }
        return Some(Wrapped { outer, inner, piece: PieceKind::Whole, stream: String::new() });
    }
    if !object.contains_key("stream") && !object.contains_key("time") {
        return None;
    }
    let Some(Json::String(inner)) = object.remove("log") else { return None };
    let text = |key: &str| object.get(key).and_then(Json::as_str);
    let stream = text("stream").unwrap_or_default().to_owned();
    let stamp = ["time", "@timestamp"].into_iter().find_map(|key| stamp::alone(text(key)?));
    let is_docker = object.keys().all(|key| matches!(key.as_str(), "stream" | "time" | "attrs"));
    let piece = match inner.ends_with('\n') {
        true => PieceKind::Ended,
        false if inner.len() >= DOCKER_PIECE_BYTES => PieceKind::Part,
        false if is_docker => PieceKind::Unended,
        false => PieceKind::Whole,
    };
    let mut outer = Outer { stamp, ..Outer::default() };
    flatten(&mut outer, "", object);
    Some(Wrapped { outer, inner: inner.trim_end_matches(['\n', '\r']).to_owned(), piece, stream })
}

/// The keys of a wrapper as fields: `stream`, `kubernetes.pod_name`. Its time is the event's.
fn flatten(outer: &mut Outer, before: &str, object: Map<String, Json>) {
    for (key, value) in object {
        let name = if before.is_empty() { key } else { format!("{before}.{key}") };
        let value = match value {
            Json::Object(inner) => {
                flatten(outer, &name, inner);
                continue;
            }
            Json::Null => continue,
            Json::String(text) => Value::Text(Cow::Owned(text)),
            Json::Bool(is) => Value::Bool(is),
            Json::Number(n) => n.as_i64().map(Value::Int).or_else(|| n.as_f64().map(Value::Float)).unwrap_or_default(),
            list @ Json::Array(_) => Value::Text(Cow::Owned(list.to_string())),
        };
        if name != "time" {
            keep(outer, name, value);
        }
    }
}

fn keep(outer: &mut Outer, name: String, value: Value<'static>) {
    if outer.fields.len() < FIELDS_PER_EVENT {
        outer.fields.push((Cow::Owned(name), value));
    } else {
        outer.fields_dropped = true;
    }
}

/// A value of the journal: text, or the byte values of data that is no text.
fn journal_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Array(bytes) => {
            let bytes = bytes.iter().map(|b| u8::try_from(b.as_u64()?).ok()).collect::<Option<Vec<u8>>>()?;
            Some(super::encoding::latin1(&bytes))
        }
        _ => None,
    }
}

fn journal_field(outer: &mut Outer, key: String, value: &str) {
    match key.as_str() {
        "__REALTIME_TIMESTAMP" => outer.stamp = stamp::epoch(value).or(outer.stamp),
        "_HOSTNAME" => value.clone_into(&mut outer.host),
        "SYSLOG_IDENTIFIER" => value.clone_into(&mut outer.app),
        "_COMM" if outer.app.is_empty() => value.clone_into(&mut outer.app),
        "_PID" => value.clone_into(&mut outer.pid),
        "SYSLOG_PID" if outer.pid.is_empty() => value.clone_into(&mut outer.pid),
        // What syslog-ng writes as JSON has no `_` before its keys, and a word as the priority.
        "HOST" if outer.host.is_empty() => value.clone_into(&mut outer.host),
        "PROGRAM" if outer.app.is_empty() => value.clone_into(&mut outer.app),
        "PID" if outer.pid.is_empty() => value.clone_into(&mut outer.pid),
        "ISODATE" => outer.stamp = outer.stamp.or(stamp::alone(value)),
        "PRIORITY" => {
            let number = value.parse().ok().filter(|n| *n < 8).map(envelope::severity);
            outer.level = number.or_else(|| level::word(value)).or(outer.level);
        }
        "SYSLOG_FACILITY" => outer.facility = value.parse().ok().filter(|n| *n < 24).or(outer.facility),
        _ => keep(outer, key, Value::from(value)),
    }
}

/// Gives the decoded inner record the wrapper's data. The wrapper decides the sender and the time, if it has them; the inner
/// record decides its level.
pub(super) fn put_on(event: &mut Event<'static>, outer: Outer) {
    for (part, said) in [(&mut event.host, outer.host), (&mut event.app, outer.app), (&mut event.pid, outer.pid)] {
        if !said.is_empty() {
            *part = Cow::Owned(said);
        }
    }
    event.level = event.level.or(outer.level);
    event.facility = outer.facility.or(event.facility);
    let room = FIELDS_PER_EVENT.saturating_sub(event.fields.len());
    event.marks.fields_dropped |= outer.fields_dropped || outer.fields.len() > room;
    event.fields.extend(outer.fields.into_iter().take(room));
}

/// Pieces of records that are not complete yet, by stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pieces {
    /// Name, text, and whether a part of it was cut.
    streams: Vec<(String, String, bool)>,
    /// The number of records without a line end since the last one with it; [`UNENDED`] if none is written.
    #[serde(default)]
    unended: u8,
    /// A record had a line end.
    #[serde(default)]
    ended: bool,
}

impl Pieces {
    /// True if more of a record follows.
    pub(super) fn goes_on(&mut self, piece: PieceKind) -> bool {
        match piece {
            PieceKind::Whole => false,
            PieceKind::Part => true,
            PieceKind::Ended => {
                (self.unended, self.ended) = (0, true);
                false
            }
            PieceKind::Unended => {
                if !self.ended {
                    self.unended = self.unended.saturating_add(1).min(UNENDED);
                }
                self.unended < UNENDED
            }
        }
    }

    /// Keeps a piece. Returns false if there was no room for all of it.
    pub(super) fn push(&mut self, stream: &str, piece: &str) -> bool {
        if !self.streams.iter().any(|(name, ..)| name == stream) {
            if self.streams.len() == STREAMS {
                self.streams.remove(0);
            }
            self.streams.push((stream.to_owned(), String::new(), false));
        }
        let Some((_, text, cut)) = self.streams.iter_mut().find(|(name, ..)| name == stream) else { return false };
        let room = RECORD_BYTES.saturating_sub(text.len());
        let mut end = piece.len().min(room);
        while !piece.is_char_boundary(end) {
            end -= 1;
        }
        text.push_str(&piece[..end]);
        *cut |= end < piece.len();
        !*cut
    }

    /// The pieces of a stream, joined with the last one; and false if something was cut.
    pub(super) fn finish(&mut self, stream: &str, last: String) -> (String, bool) {
        let Some(at) = self.streams.iter().position(|(name, ..)| name == stream) else { return (last, true) };
        let whole = self.push(stream, &last);
        (self.streams.remove(at).1, whole)
    }
}

/// An entry of `journalctl -o export` that is not complete yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Export {
    fields: Vec<(String, String)>,
    /// The lines so far.
    lines: String,
    /// The name of a value that is on the next line, behind its length in eight bytes.
    named: Option<String>,
    cut: bool,
}

/// The role of a line in an entry.
pub(super) enum Exported {
    /// A line of the entry; more lines follow.
    More,
    /// The end, with the entry, its lines, and whether something was cut.
    End(Box<Wrapped>, String, bool),
}

impl Export {
    /// True for the line with which an entry begins.
    pub(super) fn begins(line: &str) -> bool {
        line.starts_with("__CURSOR=")
    }

    /// Takes the next line.
    pub(super) fn take(&mut self, line: &str) -> Exported {
        if line.is_empty() && self.named.is_none() {
            return self.end();
        }
        if self.lines.len() + line.len() < RECORD_BYTES {
            self.lines.push_str(line);
            self.lines.push('\n');
        } else {
            self.cut = true;
            return Exported::More;
        }
        if let Some(name) = self.named.take() {
            let value: String = line.chars().skip(8).collect();
            self.fields.push((name, value));
        } else if let Some((name, value)) = line.split_once('=').filter(|(name, _)| is_key(name)) {
            self.fields.push((name.to_owned(), value.to_owned()));
        } else if is_key(line) {
            self.named = Some(line.to_owned());
        } else if let Some((_, value)) = self.fields.last_mut() {
            value.push('\n');
            value.push_str(line);
        }
        Exported::More
    }

    fn end(&mut self) -> Exported {
        let Export { fields, lines, cut, .. } = std::mem::take(self);
        let mut outer = Outer { is_message: true, ..Outer::default() };
        let mut inner = String::new();
        for (key, value) in fields {
            match key.as_str() {
                "MESSAGE" => inner = value,
                _ => journal_field(&mut outer, key, &value),
            }
        }
        let wrapped = Wrapped { outer, inner, piece: PieceKind::Whole, stream: String::new() };
        Exported::End(Box::new(wrapped), lines, cut)
    }
}

fn is_key(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_without_a_line_end_is_a_piece_unless_none_has_one() {
        let mut pieces = Pieces::default();
        assert!((1..UNENDED).all(|_| pieces.goes_on(PieceKind::Unended)));
        assert!(!pieces.goes_on(PieceKind::Unended) && !pieces.goes_on(PieceKind::Unended));
        assert!(!pieces.goes_on(PieceKind::Ended));
        assert!((0..99).all(|_| pieces.goes_on(PieceKind::Unended)) && !pieces.goes_on(PieceKind::Whole));
    }

    #[test]
    fn pieces_are_bounded_and_kept_apart() {
        let mut pieces = Pieces::default();
        assert!(pieces.push("stdout", "a") && pieces.push("stderr", "b") && pieces.push("stdout", "c"));
        assert_eq!(pieces.finish("stdout", "d".to_owned()), ("acd".to_owned(), true));
        assert_eq!(pieces.finish("stdout", "e".to_owned()), ("e".to_owned(), true));
        assert!(!pieces.push("stderr", &"ü".repeat(RECORD_BYTES)));
        let (text, whole) = pieces.finish("stderr", "x".to_owned());
        assert!(text.len() <= RECORD_BYTES && !whole);
        for n in 0..9 {
            pieces.push(&n.to_string(), "x");
        }
        assert_eq!(pieces.streams.len(), STREAMS);
    }
}
