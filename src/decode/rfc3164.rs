//! A message of RFC 3164 behind its priority, as senders write it.
//!
//! ```text
//! message = [seq ":" blanks] [host ":" blanks] ["*" / "."] [stamp [":"]] blanks [host blanks] [tag] text
//! tag     = name ":"  /  name "[" pid "]" [":"]
//! ```
//!
//! Choices where senders and other readers disagree:
//! - A tag ends with a colon or has a pid. A bare word is the beginning of the text, for nothing tells it from one, and a
//!   text that lost its first word is worse than a name that was not found.
//! - The word behind the stamp is the host, unless it is a tag itself. A stamp is needed: without one there is no host.
//! - `:` behind a name is no tag before a digit or a slash (`10.0.0.1:5060 lost`, `http://x`), and an address is a host.
//! - Structured data is text here; the RFC has none.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::event::{EventId, Format, Value};

use super::envelope::{self, Envelope};
use super::genesys;
use super::stamp::{self, Stamp};

/// Reads what follows a priority. Always something: where nothing is recognised, all is text.
pub(super) fn message(rest: &str) -> Envelope<'_> {
    let rest = rest.trim_start_matches(' ');
    let mut before = Envelope { format: Format::Rfc3164, text: rest, ..Envelope::default() };
    if let Some((stamp, behind)) = stamp(rest) {
        // A priority before a Genesys record, and no header: the record is the text.
        return match genesys::after_stamp(behind) {
            Some(_) => before,
            None => behind_stamp(stamp, behind),
        };
    }
    let rest = cisco(rest, &mut before);
    if let Some((stamp, behind)) = stamp(rest) {
        let e = behind_stamp(stamp, behind);
        return Envelope { host: if e.host.is_empty() { before.host } else { e.host }, fields: before.fields, ..e };
    }
    before.text = rest;
    take_tag(&mut before);
    before
}

/// Reads what follows the stamp of a line that has no priority. A stamp of this RFC is enough to know such a line; one
/// with a zone (`2019-02-13T21:53:30+00:00`) is written by much else too, so that there a host and a tag must follow.
pub(super) fn without_priority<'a>(record: &'a str, stamp: Stamp, behind: &'a str) -> Option<Envelope<'a>> {
    let first = record.as_bytes().first()?;
    if first.is_ascii_digit() {
        let zoned = stamp.east_s.is_some() && record.as_bytes().get(10) == Some(&b'T');
        return (zoned && behind.starts_with(' '))
            .then(|| behind_stamp(stamp, behind))
            .filter(|e| !e.host.is_empty() && !e.app.is_empty());
    }
    // A weekday is no syslog's: programs write it with `ctime`, and behind it who came, which is no host of ours.
    if stamp::weekday(record).is_ok() {
        return None;
    }
    Some(behind_stamp(stamp, behind))
}

fn behind_stamp(stamp: Stamp, behind: &str) -> Envelope<'_> {
    let rest = behind.strip_prefix(':').unwrap_or(behind);
    let mut e =
        Envelope { format: Format::Rfc3164, stamp: Some(stamp), text: rest.trim_start_matches(' '), ..Envelope::default() };
    // AIX: `Message forwarded from cdaix66: sshd[679960]: ...`
    if let Some(forwarded) = e.text.strip_prefix("Message forwarded from ")
        && let Some((host, text)) = forwarded.split_once(": ")
        && is_host(host)
    {
        e.host = host;
        e.text = text.trim_start_matches(' ');
    } else if !is_repetition(e.text) {
        take_host(&mut e);
    }
    if !is_repetition(e.text) {
        take_tag(&mut e);
    }
    e
}

/// `last message repeated 3 times` and `message repeated 3 times: [ ... ]` are text, not a host and a tag.
fn is_repetition(text: &str) -> bool {
    text.strip_prefix("last ").unwrap_or(text).starts_with("message repeated ")
}

fn take_host(e: &mut Envelope<'_>) {
    let end = e.text.bytes().position(|b| b == b' ').unwrap_or(e.text.len());
    let (word, rest) = e.text.split_at(end);
    let host = match word.strip_suffix(':') {
        _ if is_ipv6(word) => word,
        Some(address) if address.parse::<IpAddr>().is_ok() => address,
        _ if tag(e.text).is_some() => return,
        _ => word,
    };
    if is_host(host) {
        e.host = host;
        e.text = rest.trim_start_matches(' ');
    }
}

/// Asked of every host, so that what has no two colons is not parsed.
fn is_ipv6(word: &str) -> bool {
    word.bytes().filter(|&b| b == b':').nth(1).is_some() && word.parse::<IpAddr>().is_ok()
}

/// True for what may be a host's name or address.
pub(super) fn is_host(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '%' | '#' | '@' | '/' | '+' | '~' | '(' | ')'))
}

/// Moves the tag from the front of the text to its places.
fn take_tag(e: &mut Envelope<'_>) {
    if let Some((name, pid, rest)) = tag(e.text) {
        e.app = name;
        e.pid = pid;
        e.text = rest.trim_start_matches(' ');
        if let Some(number) = mnemonic(name) {
            e.id = Some(EventId::Word(Cow::Borrowed(&name[1..])));
            e.level = Some(envelope::severity(number));
        }
    }
}

/// Name, pid and what follows.
fn tag(text: &str) -> Option<(&str, &str, &str)> {
    let bytes = text.as_bytes();
    let mut i = 0;
    loop {
        match *bytes.get(i)? {
            // Perl's and C++'s names: `Foo::Bar[12]:`
            b':' if bytes.get(i + 1) == Some(&b':') && i > 0 => i += 2,
            b':' if i > 0 => {
                let free = !matches!(bytes.get(i + 1), Some(b'0'..=b'9' | b'/' | b'\\'));
                return free.then(|| (&text[..i], "", &text[i + 1..]));
            }
            b'[' if i > 0 => break,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | 0x80.. => i += 1,
            b'-' | b'_' | b'.' | b'/' | b'(' | b')' | b'%' | b'@' | b'+' | b'#' | b'$' | b'~' | b'*' => i += 1,
            _ => return None,
        }
    }
    let (pid, rest) = text[i + 1..].split_once(']')?;
    if pid.bytes().any(|b| b <= b' ' || b == b'[') {
        return None;
    }
    let rest = match rest.as_bytes().first() {
        Some(b':') => &rest[1..],
        None | Some(b' ') => rest,
        _ => return None,
    };
    Some((&text[..i], pid, rest))
}

/// The severity digit of `%FACILITY-[SUBFACILITY-]5-MNEMONIC`.
fn mnemonic(name: &str) -> Option<u8> {
    let mut parts = name.strip_prefix('%')?.rsplitn(3, '-');
    let (mnemonic, digit, facility) = (parts.next()?, parts.next()?, parts.next()?);
    match digit.as_bytes() {
        [d @ b'0'..=b'7'] if !mnemonic.is_empty() && !facility.is_empty() => Some(d - b'0'),
        _ => None,
    }
}

/// A stamp with at least a day, and what follows; a time alone is not one.
fn stamp(rest: &str) -> Option<(Stamp, &str)> {
    let (behind, stamp) = stamp::any(rest).ok()?;
    let ends = matches!(behind.as_bytes().first(), None | Some(b' ' | b':'));
    (ends && stamp.day != stamp::Day::Unknown).then_some((stamp, behind))
}

/// Takes away what Cisco writes before the stamp: sequence numbers, the sender's name, and `*` or `.` for a clock that
/// was never, or is no longer, synchronised.
fn cisco<'a>(mut rest: &'a str, e: &mut Envelope<'a>) -> &'a str {
    for _ in 0..2 {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).take(11).count();
        let Some(behind) = rest[digits..].strip_prefix(':').filter(|_| (1..=10).contains(&digits)) else {
            break;
        };
        if !behind.is_empty() && !behind.starts_with(' ') {
            break;
        }
        let number = Value::Text(Cow::Borrowed(&rest[..digits]));
        e.fields.push((Cow::Borrowed("meta.sequenceId"), number));
        rest = behind.trim_start_matches(' ');
    }
    if let Some((host, behind)) = rest.split_once(": ")
        && is_host(host)
        && stamp(unmarked(behind.trim_start_matches(' ')).0).is_some()
        && stamp(rest).is_none()
    {
        e.host = host;
        rest = behind.trim_start_matches(' ');
    }
    let (behind, synchronised) = unmarked(rest);
    if let Some(flag) = synchronised
        && stamp(behind).is_some()
    {
        let flag = Value::Text(Cow::Borrowed(flag));
        e.fields.push((Cow::Borrowed("timeQuality.isSynced"), flag));
        return behind;
    }
    rest
}

fn unmarked(rest: &str) -> (&str, Option<&'static str>) {
    match rest.as_bytes().first() {
        Some(b'*') => (&rest[1..], Some("0")),
        Some(b'.') => (&rest[1..], Some("1")),
        _ => (rest, None),
    }
}
