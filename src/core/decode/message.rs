//! Syslog messages: what the head says, and what it leaves out and the text says.

use std::borrow::Cow;

use crate::core::base::time::Time;
use crate::core::event::{Event, EventId, EventMarks, Format, Value};

use super::clock::{self, StampClock};
use super::envelope::Envelope;
use super::stamp::{self, Stamp};
use super::{Decoder, Heading, genesys, keyed, level, line, pairs, repetition, set_time};

impl Decoder {
    /// A syslog message as a line of a file.
    pub(super) fn bare_message<'a>(&mut self, message: Envelope<'a>, reference: Time) -> Event<'a> {
        if self.datagrams {
            return self.message(message, reference);
        }
        self.heading = Heading::Closed;
        self.note(message.stamp);
        let mut event = self.message(message, reference);
        if let Some(at) = event.at {
            event.marks.jump = !self.clock.show(self.zone.local_us(at), Some(at));
        }
        self.keep_open(&event);
        event
    }

    /// A syslog message, and the Genesys record that may be in its text.
    pub(super) fn message<'a>(&self, mut message: Envelope<'a>, reference: Time) -> Event<'a> {
        let repeated = repetition::take_message(&mut message);
        let mut event = Event {
            host: Cow::Borrowed(message.host),
            app: Cow::Borrowed(message.app),
            pid: Cow::Borrowed(message.pid),
            id: message.id,
            level: message.level,
            repeated,
            text: Cow::Borrowed(message.text),
            fields: message.fields,
            format: message.format,
            marks: EventMarks { broken: message.broken, fields_dropped: message.fields_dropped, ..EventMarks::default() },
            ..Event::default()
        };
        if let Some(stamp) = &message.stamp {
            // In a file the sequence of records is more reliable than each record alone.
            let clock = if self.datagrams { StampClock::default() } else { self.clock };
            set_time(&mut event, clock.resolve(stamp, self.zone, reference, self.latest));
        }
        if !message.broken {
            self.take_inner(&mut event, message.stamp, message.text, reference);
        }
        self.take_text(&mut event, message.text, reference);
        event
    }

    /// Takes from the text of a message what its head leaves out. Only the head decides the sender and the time.
    pub(super) fn take_text<'a>(&self, event: &mut Event<'a>, text: &'a str, reference: Time) {
        if event.app.is_empty() && event.id.is_none() && event.format == Format::Rfc3164 && pairs::begins(text) {
            // Fortinet, Sophos and others send pairs without a tag.
            if let Some(said) = keyed::read(text) {
                if event.at.is_none()
                    && let Some(stamp) = said.stamp()
                {
                    set_time(event, StampClock::default().resolve(&stamp, self.zone, reference, self.latest));
                }
                said.complete_message(event);
            }
        }
        // The text of a Genesys record was taken already.
        let whole = event.text.len() == text.len();
        if event.level.is_none() && !(whole && line::complete_message(event, text)) {
            event.level = match text.as_bytes().first() {
                Some(b'{' | b'@') => keyed::level(text),
                _ => level::scan(text, 0).map(|found| found.level),
            };
            if event.level.is_none() && pairs::begins(text) {
                event.level = keyed::level(text);
            }
        }
    }

    /// A Genesys record inside a syslog message: its own parts have precedence, and the envelope supplies what it leaves out.
    pub(super) fn take_inner<'a>(&self, event: &mut Event<'a>, outer: Option<Stamp>, text: &'a str, reference: Time) {
        let (stamp, found) = match stamp::any(text) {
            Ok((behind, stamp)) => (Some(stamp), genesys::after_stamp(behind)),
            Err(_) => (None, genesys::without_stamp(text)),
        };
        let Some(found) = found else { return };
        if let Some(stamp) = stamp {
            let said = outer.and_then(|o| o.east_s).map(clock::east);
            let reference = event.at.unwrap_or(reference);
            set_time(event, StampClock::default().resolve(&stamp, said.unwrap_or(self.zone), reference, self.latest));
            event.marks.zoneless &= said.is_none();
        }
        for (part, inner, relay) in [(&mut event.host, found.host, "relay_host"), (&mut event.app, found.app, "relay_app")] {
            if inner.is_empty() || *part == inner {
                continue;
            }
            // The sender is kept: a rule may need to know whether a program quotes what others wrote.
            let outer = std::mem::replace(part, Cow::Borrowed(inner));
            if !outer.is_empty() {
                event.fields.push((Cow::Borrowed(relay), Value::Text(outer)));
            }
        }
        event.id = Some(EventId::Number { code: found.code, number: found.number });
        event.level = found.level.or(event.level);
        found.keep_level_word(event);
        event.text = Cow::Borrowed(found.text);
    }
}
