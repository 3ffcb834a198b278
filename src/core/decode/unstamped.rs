//! Lines without a stamp: of a file's header, of the record before, or of their own.

use std::borrow::Cow;

use crate::core::base::limits::HEADER_LINES;
use crate::core::event::{Event, EventMarks, Format, Value};

use super::clock::StampClock;
use super::header::{self, Header, HeaderLine};
use super::heads::{self, HeadPlace};
use super::{Decoder, Heading, Inside, level, line};

impl Decoder {
    /// A line of a file without a stamp.
    pub(super) fn unstamped<'a>(&mut self, record: &'a str) -> Event<'a> {
        let entry = header::entry(record);
        match (self.heading, entry) {
            (Heading::Open(lines), Some(entry)) if lines < HEADER_LINES => {
                self.heading = Heading::Open(lines + 1);
                // A new header replaces the old one: what it leaves out is unknown.
                if matches!(entry, HeaderLine::App(_)) && self.header.known() {
                    self.header = Header::default();
                }
                self.header.learn(entry);
                if let HeaderLine::Local(us) = entry {
                    self.clock = StampClock { last: Some(us), until: self.clock.until, ..StampClock::default() };
                }
                return self.header_line(record);
            }
            (Heading::Open(lines), None) => self.heading = Heading::Open(lines.saturating_add(1)),
            (Heading::Again, Some(entry)) if self.header.agrees(entry) => {
                if let HeaderLine::Local(us) = entry {
                    self.clock.show(us, None);
                }
                return self.header_line(record);
            }
            (Heading::Closed, Some(entry @ HeaderLine::App(_))) if self.header.agrees(entry) => {
                self.heading = Heading::Again;
                return self.header_line(record);
            }
            _ => {}
        }
        let mut event = self.continuation(record);
        // A header that contradicts the file's own is not believed, and the line is marked.
        event.marks.broken |= self.header.known() && matches!(entry, Some(HeaderLine::App(_)));
        event
    }

    /// A line without a stamp that continues no record: its level, if it begins with one.
    pub(super) fn unstamped_text<'a>(&self, record: &'a str) -> Event<'a> {
        let mut event = plain(record);
        if !self.genesys
            && !self.header.known()
            && self.inside != Inside::Messages
            && let Some(found) = heads::read(HeadPlace::Bare, record)
        {
            line::take_head(&mut event, found);
        } else if !self.genesys
            && !self.header.known()
            && let Some(level::LevelFound { level, behind: Some(_), .. }) = level::scan(record, 0)
        {
            if self.inside == Inside::Messages {
                event.level = Some(level);
            } else {
                line::read(&mut event, record);
            }
        }
        event
    }

    pub(super) fn header_line<'a>(&self, record: &'a str) -> Event<'a> {
        let mut event = plain(record);
        self.header.name(&mut event);
        event.marks.header = true;
        event
    }

    pub(super) fn continuation<'a>(&self, record: &'a str) -> Event<'a> {
        let mut event = self.unstamped_text(record);
        if let Some(open) = &self.open {
            // A body may quote the head of another record.
            event.id = None;
            event.pid = Cow::Borrowed("");
            event.fields.clear();
            event.text = Cow::Borrowed(record);
            event.at = open.at;
            event.host = Cow::Owned(open.host.clone());
            event.app = Cow::Owned(open.app.clone());
            event.app_type = Cow::Owned(open.app_type.clone());
            event.format = open.format;
            event.marks.continuation = true;
            event.marks.zoneless = open.zoneless;
            event.marks.broken = false;
            if open.format == Format::Genesys {
                event.fields.extend(attribute(record));
            }
        }
        event
    }
}

pub(super) fn plain(record: &str) -> Event<'_> {
    let after = record.trim_start().strip_prefix('<');
    Event {
        text: Cow::Borrowed(record),
        marks: EventMarks { broken: after.is_some_and(|a| a.starts_with(|c: char| c.is_ascii_digit())), ..EventMarks::default() },
        ..Event::default()
    }
}

/// An extended attribute, ` CAT:Critical`: one blank, a key in capitals, a colon, the value.
fn attribute(record: &str) -> Option<(Cow<'_, str>, Value<'_>)> {
    let (key, value) = record.strip_prefix(' ')?.split_once(':')?;
    let is_key = (1..=32).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    is_key.then(|| (Cow::Borrowed(key), Value::Text(Cow::Borrowed(value.trim()))))
}
