//! A message of RFC 5424 behind its priority.
//!
//! The reader is strict where looseness would take text for a header: one blank between the parts, no control characters in them.
//! It is loose where nothing can be mistaken: parts may be longer than section 6 allows, and may contain more than US-ASCII. What
//! cannot be read stays in the text, from the part where reading ended, and the message is marked broken; the parts before it
//! count.

use std::borrow::Cow;

use memchr::memchr;

use crate::core::event::{EventId, Format, Value, vendor_id};

use super::envelope::{self, Envelope};
use super::message_head::take_id;
use super::{level, stamp, structured};

/// Reads what follows the priority; `None` if it is no header of this RFC, not even a broken one.
pub(super) fn message(rest: &str) -> Option<Envelope<'_>> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).take(4).count();
    if !(1..=3).contains(&digits) || rest.starts_with('0') {
        return None;
    }
    let header = rest[digits..].strip_prefix(' ')?;
    match header.as_bytes() {
        [b'-'] | [b'-', b' ', ..] => {}
        [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'-', ..] => {}
        _ => return None,
    }
    let mut envelope = Envelope { format: Format::Rfc5424, text: header, ..Envelope::default() };
    envelope.broken = parts(&mut envelope).is_none();
    if !envelope.broken {
        vendor(&mut envelope);
    }
    Some(envelope)
}

/// Takes a device's id, wherever the sender put it: in MSGID, in APP-NAME (as `%LINK-3-UPDOWN`) or before the text.
fn vendor<'a>(e: &mut Envelope<'a>) {
    if e.app.starts_with('%')
        && let Some((id, severity)) = vendor_id(e.app.trim_end_matches(':'))
    {
        e.app = "";
        e.id = e.id.take().or(Some(EventId::Word(Cow::Borrowed(id))));
        e.level = Some(envelope::severity(severity));
    }
    match &e.id {
        Some(EventId::Word(word)) => e.level = e.level.or(vendor_id(word).map(|(_, severity)| envelope::severity(severity))),
        Some(EventId::Number { .. }) => {}
        None => {
            take_id(e);
            // NXLog has the id of a Windows event in the structured data.
            if e.id.is_none()
                && let Some((_, Value::Text(Cow::Borrowed(id)))) = e.fields.iter().find(|(name, _)| name.ends_with(".EventID"))
            {
                e.id = EventId::parse(id);
            }
        }
    }
}

/// A message whose priority the writer of a file left out: version 1, a stamp and a host are enough to recognise it.
pub(super) fn without_priority(record: &str) -> Option<Envelope<'_>> {
    let header = record.strip_prefix("1 ")?;
    stamp::rfc5424(header).ok()?;
    // Check Point's structured data is none: `[action:"Drop"; flags:"400644"]`.
    message(record).filter(|e| !e.broken || !e.host.is_empty() && e.text.starts_with('['))
}

/// SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID SP STRUCTURED-DATA [SP MSG], from `text`, which always contains what
/// was not read yet. `None` if something is malformed.
fn parts<'a>(e: &mut Envelope<'a>) -> Option<()> {
    if let Some(rest) = e.text.strip_prefix('-') {
        e.text = blank(rest)?;
    } else {
        let (rest, stamp) = stamp::rfc5424(e.text).ok()?;
        if !rest.is_empty() && !rest.starts_with(' ') {
            return None;
        }
        e.stamp = Some(stamp);
        e.text = rest;
        e.text = blank(rest)?;
    }
    e.host = word(&mut e.text)?;
    // Some products put their own format directly behind the host.
    if e.text.starts_with("CEF:") || e.text.starts_with("LEEF:") {
        return Some(());
    }
    behind_host(e)
}

/// APP-NAME SP PROCID SP MSGID SP STRUCTURED-DATA [SP MSG], from `text`.
fn behind_host<'a>(e: &mut Envelope<'a>) -> Option<()> {
    let app = word(&mut e.text)?;
    // `PulseSecure:`: the colon of a tag.
    e.app = app.strip_suffix(':').unwrap_or(app);
    e.pid = word(&mut e.text)?;
    e.id = EventId::parse(word(&mut e.text)?);
    let (rest, (fields, dropped)) = structured::data(e.text).ok()?;
    let text = if rest.is_empty() { rest } else { blank(rest)? };
    e.fields = fields;
    e.fields_dropped = dropped;
    // rsyslog forwards a message of RFC 3164 with the blank that stood before it (`RSYSLOG_SyslogProtocol23Format`).
    let text = text.strip_prefix(' ').unwrap_or(text);
    // The BOM marks UTF-8 (section 6.4) and is not part of the message.
    e.text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Some(())
}

/// The parts of this RFC behind a host, in a head without priority and version (NSX and others write their files so). They must be
/// plain enough to be no text: a program, a process in digits, and structured data or two of the nil values.
pub(super) fn without_version<'a>(host: &'a str, text: &'a str) -> Option<Envelope<'a>> {
    let mut words = text.split(' ');
    let (app, pid, id, data) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let process = pid == "-" || pid.bytes().all(|b| b.is_ascii_digit()) && !pid.is_empty();
    let nil = [app, pid, id].iter().filter(|word| **word == "-").count();
    let named = app == "-" || app.bytes().any(|b| b.is_ascii_alphabetic()) && !app.contains(['/', '"', '(', '=', ',']);
    if !(process && named && (data == "-" && nil > 0 || data.starts_with('['))) {
        return None;
    }
    let mut e = Envelope { format: Format::Rfc5424, host, text, ..Envelope::default() };
    behind_host(&mut e)?;
    e.text = e.text.trim_start_matches(' ');
    let said = e.fields.iter().find(|(name, _)| name.ends_with(".level"));
    if let Some((_, Value::Text(word))) = said {
        e.level = level::word(word);
    }
    vendor(&mut e);
    Some(e)
}

fn blank(rest: &str) -> Option<&str> {
    rest.strip_prefix(' ')
}

/// One part and the blank behind it; `-` reads as empty.
fn word<'a>(text: &mut &'a str) -> Option<&'a str> {
    let all = *text;
    let end = memchr(b' ', all.as_bytes()).unwrap_or(all.len());
    let (word, rest) = all.split_at(end);
    // Nearly all words are ASCII only. This is not `all`, which would decide for each byte.
    let plain = word.bytes().fold(true, |plain, b| plain & b.is_ascii_graphic());
    if word.is_empty() || !plain && word.chars().any(char::is_control) {
        return None;
    }
    *text = rest.strip_prefix(' ').unwrap_or(rest);
    Some(if word == "-" { "" } else { word })
}
