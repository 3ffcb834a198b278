//! What a record is: the first reader that recognises it reads it.

use std::borrow::Cow;

use crate::core::base::time::Time;
use crate::core::event::{Event, EventId, Format};

use super::clock::Resolved;
use super::envelope::{self, Envelope};
use super::heads::{self, HeadPlace};
use super::keys::Keyed;
use super::stamp::{self, Stamp};
use super::unstamped::plain;
use super::{Decoder, Heading, Inside, genesys, keyed, line, message_head, rfc3164, rfc5424, set_time, wrap};

/// Record 00-04110, `Option '...' has been set to the value '...'`.
const OPTION_SET: u32 = 4110;

impl Decoder {
    /// Reads a record by the first form that it has, in the order of the picture in `mod.rs`.
    pub(super) fn read<'a>(&mut self, record: &'a str, reference: Time) -> Event<'a> {
        let record = record.trim_end_matches([' ', '\t', '\r', '\n', '\0']);
        let record = record.strip_prefix('\u{feff}').unwrap_or(record);
        if let Some(event) = self.exported(record, reference) {
            return event;
        }
        if let Some(format) = &self.format
            && let Some((stamp, behind)) = format.stamp(record)
        {
            return self.declared(record, stamp, behind, reference);
        }
        if !self.header.known() {
            if let Some((mut number, mut rest)) = envelope::priority(record.trim_start()) {
                // A relay's priority comes before the sender's own.
                if let Some((own, behind)) = envelope::priority(rest) {
                    (number, rest) = (own, behind);
                }
                return self.with_priority(number, rest, reference);
            }
            if let Some(message) = rfc5424::without_priority(record) {
                return self.bare_message(message, reference);
            }
        }
        // The locale's stamp may have one blank before it; more blanks are the indentation of a body.
        let lead = record.strip_prefix(' ').unwrap_or(record);
        let of_genesys = self.genesys || self.header.known();
        if let Ok((behind, stamp)) = if of_genesys { stamp::of_genesys(lead) } else { stamp::any(lead) }
            && match behind.as_bytes().first() {
                None | Some(b' ' | b':' | b'_' | b'\t') => true,
                Some(b',' | b'|' | b';' | b'[') => !of_genesys,
                Some(_) => false,
            }
        {
            return self.stamped(record, lead, stamp, behind, reference);
        }
        // In a Genesys file such lines belong to a body.
        if !of_genesys {
            // `[2016-05-23 10:18:16] NOTICE: ...`
            if let Some((stamp, behind)) = line::in_brackets(lead) {
                return match rfc3164::without_priority(lead, stamp, behind) {
                    Some(message) => self.bare_message(message, reference),
                    None => {
                        let mut event = self.plain_at(record, Some(behind), stamp, reference);
                        // A `<` at the beginning belongs to the stamp.
                        event.marks.broken = false;
                        event
                    }
                };
            }
            // This comes before the keys: a `hostname` in an audit record is a client.
            if let Some(dated) = stamp::dated::begun(record) {
                return self.dated(record, dated, reference);
            }
            if keyed::begins(record) {
                return self.keyed(record, reference);
            }
            if let Some(stamp) = stamp::dated::access(record) {
                return self.plain_at(record, None, stamp, reference);
            }
            if let Some(found) = heads::read(HeadPlace::Front, record)
                && let Some(stamp) = found.stamp
            {
                let message = message_head::envelope_of(found, Envelope::default());
                return self.bare_message(Envelope { stamp: Some(stamp), ..message }, reference);
            }
            if self.inside == Inside::Nothing
                && !self.datagrams
                && let Some(found) = wrap::compose(record)
            {
                return self.take_wrapped(record, wrap::of_compose(found), reference);
            }
            // Behind a record with a time, a device's id may be quoted in that record's body.
            let device = self.open.as_ref().is_none_or(|open| open.at.is_none());
            if let Some(message) = message_head::without_head(record, device) {
                return self.bare_message(message, reference);
            }
        }
        if self.datagrams {
            return self.unstamped_text(record);
        }
        self.unstamped(record)
    }

    /// A syslog message behind its priority.
    fn with_priority<'a>(&mut self, number: u8, rest: &'a str, reference: Time) -> Event<'a> {
        self.heading = Heading::Closed;
        self.open = None;
        let mut message = rfc5424::message(rest).unwrap_or_else(|| rfc3164::message(rest));
        message.level = message.level.or(Some(envelope::severity(number & 7)));
        self.note(message.stamp);
        let mut event = self.message(message, reference);
        event.facility = Some(number >> 3);
        // Several messages in one record: it is impossible to say which of them is real.
        event.marks.broken |= envelope::glued(&event.text);
        event
    }

    /// A line that begins as an object or pairs do. It is separate from [`Decoder::read`], so that other lines do not become
    /// slower.
    #[inline(never)]
    pub(super) fn keyed<'a>(&mut self, record: &'a str, reference: Time) -> Event<'a> {
        let said = keyed::read(record);
        if self.inside == Inside::Nothing
            && said.as_ref().is_some_and(Keyed::may_wrap)
            && let Some(wrapped) = wrap::object(record)
        {
            return self.take_wrapped(record, wrapped, reference);
        }
        let Some(stamp) = said.as_ref().and_then(Keyed::stamp) else {
            let mut event = if self.datagrams { self.unstamped_text(record) } else { self.unstamped(record) };
            if let Some(said) = said.filter(|_| !event.marks.continuation) {
                said.fill(&mut event);
            }
            return event;
        };
        let mut event = plain(record);
        set_time(&mut event, self.tick(&stamp, reference));
        if let Some(said) = said {
            said.fill(&mut event);
        }
        self.keep_open(&event);
        event
    }

    /// A line that begins as the configuration declares it.
    pub(super) fn declared<'a>(&mut self, record: &'a str, stamp: Stamp, behind: &'a str, reference: Time) -> Event<'a> {
        if let Some(found) = genesys::after_stamp(behind) {
            let time = self.tick(&stamp, reference);
            return self.genesys_record(found, time);
        }
        if self.may_be_syslog(&stamp)
            && let Some(message) = rfc3164::behind_declared(record, stamp, behind)
        {
            return self.bare_message(message, reference);
        }
        let mut event = self.plain_at(record, Some(behind), stamp, reference);
        // A `<` at the beginning is part of the declared form.
        event.marks.broken = false;
        event
    }

    /// True if a line with this stamp may be a syslog message. No Genesys stamp has a date without a year.
    pub(super) fn may_be_syslog(&self, stamp: &Stamp) -> bool {
        !self.header.known() && (!self.genesys || matches!(stamp.day, stamp::Day::Yearless(..)))
    }

    /// A line of a file that begins with a stamp.
    pub(super) fn stamped<'a>(
        &mut self,
        record: &'a str,
        lead: &'a str,
        stamp: Stamp,
        behind: &'a str,
        reference: Time,
    ) -> Event<'a> {
        if let Some(found) = genesys::after_stamp(behind) {
            let time = self.tick(&stamp, reference);
            return self.genesys_record(found, time);
        }
        if self.inside == Inside::Nothing
            && !self.header.known()
            && let Some(found) = wrap::cri(behind)
        {
            return self.take_wrapped(record, wrap::of_cri(stamp, found), reference);
        }
        if self.may_be_syslog(&stamp)
            && let Some(message) = rfc3164::without_priority(lead, stamp, behind)
        {
            return self.bare_message(message, reference);
        }
        if !self.genesys && !self.header.known() {
            return self.plain_at(record, Some(behind), stamp, reference);
        }
        let time = self.tick(&stamp, reference);
        let text = behind.strip_prefix(':').unwrap_or(behind);
        let text = Cow::Borrowed(text.trim_start_matches(' '));
        let mut event = Event { text, format: Format::Genesys, ..Event::default() };
        self.header.name(&mut event);
        set_time(&mut event, time);
        self.keep_open(&event);
        event
    }

    /// A line with a time that is no syslog message. `behind` is what follows the stamp: it contains the level and the text.
    pub(super) fn plain_at<'a>(&mut self, record: &'a str, behind: Option<&'a str>, stamp: Stamp, reference: Time) -> Event<'a> {
        let time = self.tick(&stamp, reference);
        let mut event = plain(record);
        set_time(&mut event, time);
        if let Some(behind) = behind {
            line::read(&mut event, behind);
        }
        self.keep_open(&event);
        event
    }

    /// A line with a stamp of one kind of program.
    pub(super) fn dated<'a>(&mut self, record: &'a str, dated: stamp::dated::Dated<'a>, reference: Time) -> Event<'a> {
        if let Some(behind) = dated.behind
            && record.starts_with(|c: char| c.is_ascii_digit())
            && let Some(message) = rfc3164::without_priority(record, dated.stamp, behind)
        {
            return self.bare_message(message, reference);
        }
        let mut event = self.plain_at(record, dated.behind, dated.stamp, reference);
        event.level = dated.level.or(event.level);
        for (part, said) in [(&mut event.pid, dated.pid), (&mut event.host, dated.host)] {
            if !said.is_empty() {
                *part = Cow::Borrowed(said);
            }
        }
        event
    }

    pub(super) fn genesys_record<'a>(&mut self, found: genesys::Record<'a>, time: Option<Resolved>) -> Event<'a> {
        // The header applies to its own program, not to another one that a full record names.
        let own = found.app.is_empty() || found.app == self.header.app;
        let or_header = |found: &'a str, header: &str| match found {
            "" => Cow::Owned(header.to_owned()),
            found => Cow::Borrowed(found),
        };
        let mut event = Event {
            host: or_header(found.host, &self.header.host),
            app: or_header(found.app, &self.header.app),
            app_type: Cow::Owned(if own { self.header.app_type.clone() } else { String::new() }),
            id: Some(EventId::Number { code: found.code.or_else(|| self.header.code_of(found.number)), number: found.number }),
            level: found.level,
            text: Cow::Borrowed(found.text),
            format: Format::Genesys,
            ..Event::default()
        };
        found.keep_level_word(&mut event);
        set_time(&mut event, time);
        if !self.datagrams {
            self.genesys = true;
            if found.number == OPTION_SET && own {
                self.header.option_set(found.text);
            }
            self.keep_open(&event);
        }
        event
    }
}
