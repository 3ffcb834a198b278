//! The decoder: from a record's bytes to an event.
//!
//! In: one line or one datagram at a time, and the time at which it arrived. Out: always one [`Event`] for each; a record in
//! which nothing is recognised is text. The decoder reads RFC 5424 and RFC 3164 as senders write them, the heads of vendors and
//! loggers ([`heads`]), Genesys records (short and full, bare in a file or inside a syslog message), lines with any stamp,
//! objects (JSON) and pairs (logfmt) with the keys of [`keyed`], wrappers around all of these ([`wrap`]), and plain lines.
//! `docs/reference/formats.md` lists every form with a sample.
//!
//! ```text
//! priority? --yes--> RFC 5424, else a vendor's head, else RFC 3164 ----> Genesys record in the text?
//!     no
//! stamp? ----yes--> wrapper, Genesys record, else RFC 3164, else a line with a time: its level and text
//!     no
//! stamp of a single program (audit, access log)? a line with a time; object or pairs? a line with what its keys say
//!     no, or no time in it
//! header line of a file? continuation of the record before? a line with a level? plain
//! ```
//!
//! Invariants: no input fails or panics. The text is the message without head, surrounding blanks and line end. The record as it
//! arrived is kept beside it ([`Event::raw`]), so nothing is lost. One record is one event, whatever it contains: a record that
//! directly follows another one stays text, and the event is marked broken. Otherwise a caller's name in a log could forge an
//! event. The same records and times give the same events: the decoder uses no clock and no zone of this machine.
//!
//! This decoder differs from others as follows. A byte order mark before a record or a message, and NULs, blanks and line ends
//! behind it, are no part of it (as in syslog-ng). Several lines in one datagram are one record (as in rsyslog and syslog-ng). Of
//! a repeated priority the last one counts. It is the sender's own: a relay put the first one before it (rsyslog and syslog-ng
//! leave the second one in the text).
//!
//! State belongs to one source: the file's header, the last time, the record that a line without a stamp continues. A body that
//! quotes a header must not rename its file. So a header is believed at a file's beginning, and later only if it names the same
//! program again. If a header is known, no line of the file is read as syslog, because bodies quote that as well. There, and
//! where Genesys records were seen, no line is read as an object or pairs either. Elsewhere such a line without a time of its own
//! continues an open record like any other line: it may be a line of its body.
//!
//! The decoder does not know inventory, rules or trust: a host is the name in the record. Tests: `tests.rs` here and beside each
//! reader, `tests/it/decode.rs` (cases of other programs, with the differences explained in `tests/decode/differences.tsv`).

mod calendar;
mod catalog;
mod clock;
mod encoding;
mod envelope;
mod genesys;
mod header;
mod heads;
mod keyed;
mod level;
mod line;
mod line_format;
mod lines;
mod object;
mod pairs;
mod rfc3164;
mod rfc5424;
mod span;
mod stamp;
mod structured;
mod unwrap;
mod wrap;
mod years;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::core::base::limits::{HEADER_LINES, RECORD_BYTES};
use crate::core::base::time::Time;
use crate::core::base::zone::Zone;
use crate::core::event::{Event, EventId, EventMarks, Format, Value};

use clock::{Resolved, StampClock};
use envelope::Envelope;
use header::{Header, HeaderLine};
use heads::HeadPlace;
use keyed::Keyed;
use stamp::Stamp;
use wrap::{Export, Pieces};

pub use catalog::page as formats_page;
pub use encoding::{ENCODING_BYTES, Encoding};
pub use line_format::LineFormat;
pub use lines::{Line, Lines};
pub use span::stamp_in;
pub use years::first_moment;

/// The decoder of one source, with what it must remember from record to record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Decoder {
    /// No record depends on another one.
    datagrams: bool,
    /// The zone of stamps that contain none, if no header has one.
    #[serde(default)]
    zone: Zone,
    heading: Heading,
    header: Header,
    /// A Genesys record was seen: lines with a stamp and no id are its debug records.
    genesys: bool,
    clock: StampClock,
    open: Option<Open>,
    /// Pieces of records that are not complete yet.
    #[serde(default)]
    pieces: Pieces,
    /// An entry of the journal's export that is not complete yet.
    #[serde(default)]
    export: Option<Export>,
    /// How the lines of this source begin, if the configuration declares it.
    #[serde(skip)]
    format: Option<LineFormat>,
    /// The kind of wrapper that was removed from the records.
    #[serde(skip)]
    inside: Inside,
    /// No stamp without a year is later than this.
    #[serde(skip)]
    latest: Option<Time>,
}

/// Whether header lines are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Heading {
    /// At the beginning of a file, with the number of lines so far.
    Open(u32),
    /// Within a later header that names the same program again.
    Again,
    Closed,
}

/// The kind of wrapper around the records of a decoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Nothing,
    /// A container's log: lines like those of a file.
    Lines,
    /// The journal: texts of messages.
    Messages,
}

impl Default for Heading {
    fn default() -> Heading {
        Heading::Open(0)
    }
}

/// The record that a line without a stamp continues.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Open {
    at: Option<Time>,
    host: String,
    app: String,
    app_type: String,
    format: Format,
    #[serde(default)]
    zoneless: bool,
}

impl Decoder {
    /// A decoder for a stream of lines: a file, a pipe, a connection.
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// A decoder for datagrams, which may have different senders: no record depends on the one before.
    pub fn datagrams() -> Decoder {
        Decoder { datagrams: true, ..Decoder::default() }
    }

    /// The same decoder, with stamps without a zone `seconds` west of UTC (-3600 in Berlin in winter). The default is UTC, except
    /// in files whose header has a zone.
    pub fn west_of_utc(self, seconds: i32) -> Decoder {
        self.in_zone(Zone::Fixed(-seconds))
    }

    /// The same decoder, with this zone for stamps that contain none, except if the file's header has another.
    pub fn in_zone(self, zone: Zone) -> Decoder {
        Decoder { zone, ..self }
    }

    /// The zone in which stamps without a zone are read.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// The same decoder, for lines that begin in this form. A line that does not is read as if no form were declared.
    pub fn with_format(self, format: LineFormat) -> Decoder {
        Decoder { format: Some(format), ..self }
    }

    /// From now on, no stamp without a year is later than this: no log is newer than the time at which it was written.
    pub fn not_after(&mut self, latest: Option<Time>) {
        self.latest = latest;
    }

    /// The records of a whole log are read, in sequence and from its beginning. It was last written at about `written`. Stamps
    /// without a year continue from year to year, and not beyond that time.
    pub fn whole_log(&mut self, written: Time) {
        self.clock.until = Some(written);
    }

    /// A new file of the same source begins: it may have a header, and its first line continues nothing. Until a header says
    /// otherwise, the decoder assumes that the same program writes it.
    pub fn next_file(&mut self) {
        self.heading = Heading::default();
        self.open = None;
        self.export = None;
    }

    /// The application that the file's header names; empty if no header was read. A source of short Genesys records without a
    /// header cannot name their application, and should report that.
    pub fn app(&self) -> &str {
        &self.header.app
    }

    /// Decodes one line, without its end, or one datagram. `reference` is the time of its arrival (live) or the replay's time; it
    /// supplies what the stamp leaves out. Longer records than [`RECORD_BYTES`] are cut and marked.
    pub fn decode<'a>(&mut self, record: &'a [u8], reference: Time) -> Event<'a> {
        let cut = record.len() > RECORD_BYTES;
        let record = &record[..record.len().min(RECORD_BYTES)];
        let mut event = match std::str::from_utf8(record) {
            Ok(text) => self.whole(text, reference),
            Err(_) => {
                let text = encoding::latin1(record);
                let mut event = self.whole(&text, reference).into_owned();
                event.marks.latin1 = true;
                event
            }
        };
        event.marks.cut |= cut;
        event
    }

    /// A record with its unchanged text beside what was read in it.
    fn whole<'a>(&mut self, record: &'a str, reference: Time) -> Event<'a> {
        let mut event = self.read(record, reference);
        // A wrapper has set it already.
        if event.raw.is_empty() {
            let raw = record.strip_suffix('\n').unwrap_or(record);
            let raw = raw.strip_suffix('\r').unwrap_or(raw);
            if raw.len() != event.text.len() {
                event.raw = Cow::Borrowed(raw);
            }
        }
        event
    }

    fn read<'a>(&mut self, record: &'a str, reference: Time) -> Event<'a> {
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
                self.heading = Heading::Closed;
                self.open = None;
                let mut message = rfc5424::message(rest).unwrap_or_else(|| rfc3164::message(rest));
                message.level = message.level.or(Some(envelope::severity(number & 7)));
                let mut event = self.message(message, reference);
                event.facility = Some(number >> 3);
                // Several messages in one record: it is impossible to say which of them is real.
                event.marks.broken |= glued(&event.text);
                return event;
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
                Some(b',' | b'|' | b';') => !of_genesys,
                Some(_) => false,
            }
        {
            return self.stamped(record, lead, stamp, behind, reference);
        }
        // In a Genesys file such lines belong to a body.
        if !of_genesys {
            // `[2016-05-23 10:18:16] NOTICE: ...`
            if let Some(inner) = lead.strip_prefix('[')
                && let Some((stamp, behind)) = line::bracketed(inner)
            {
                return match rfc3164::without_priority(lead, stamp, behind) {
                    Some(message) => self.bare_message(message, reference),
                    None => self.plain_at(record, Some(behind), stamp, reference),
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
                let message = rfc3164::envelope_of(found, Envelope::default());
                return self.bare_message(Envelope { stamp: Some(stamp), ..message }, reference);
            }
            // Behind a record with a time, a device's id may be quoted in that record's body.
            let device = self.open.as_ref().is_none_or(|open| open.at.is_none());
            if let Some(message) = rfc3164::without_head(record, device) {
                return self.bare_message(message, reference);
            }
        }
        if self.datagrams {
            return self.unstamped_text(record);
        }
        self.unstamped(record)
    }

    /// A line that begins as an object or pairs do. It is separate from [`Decoder::read`], so that other lines do not become
    /// slower.
    #[inline(never)]
    fn keyed<'a>(&mut self, record: &'a str, reference: Time) -> Event<'a> {
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
    fn declared<'a>(&mut self, record: &'a str, stamp: Stamp, behind: &'a str, reference: Time) -> Event<'a> {
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
    fn may_be_syslog(&self, stamp: &Stamp) -> bool {
        !self.header.known() && (!self.genesys || matches!(stamp.day, stamp::Day::Yearless(..)))
    }

    /// A line of a file that begins with a stamp.
    fn stamped<'a>(&mut self, record: &'a str, lead: &'a str, stamp: Stamp, behind: &'a str, reference: Time) -> Event<'a> {
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
        let mut event = Event {
            host: Cow::Owned(self.header.host.clone()),
            app: Cow::Owned(self.header.app.clone()),
            app_type: Cow::Owned(self.header.app_type.clone()),
            text: Cow::Borrowed(text.trim_start_matches(' ')),
            format: Format::Genesys,
            ..Event::default()
        };
        set_time(&mut event, time);
        self.keep_open(&event);
        event
    }

    /// A line with a time that is no syslog message. `behind` is what follows the stamp: it contains the level and the text.
    fn plain_at<'a>(&mut self, record: &'a str, behind: Option<&'a str>, stamp: Stamp, reference: Time) -> Event<'a> {
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
    fn dated<'a>(&mut self, record: &'a str, dated: stamp::dated::Dated<'a>, reference: Time) -> Event<'a> {
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

    fn genesys_record<'a>(&mut self, found: genesys::Record<'a>, time: Option<Resolved>) -> Event<'a> {
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
        keep_level_word(&mut event, found.level_word);
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

    /// A syslog message as a line of a file.
    fn bare_message<'a>(&mut self, message: Envelope<'a>, reference: Time) -> Event<'a> {
        if self.datagrams {
            return self.message(message, reference);
        }
        self.heading = Heading::Closed;
        let mut event = self.message(message, reference);
        if let Some(at) = event.at {
            event.marks.jump = !self.clock.show(self.zone.local_us(at), Some(at));
        }
        self.keep_open(&event);
        event
    }

    /// A syslog message, and the Genesys record that may be in its text.
    fn message<'a>(&self, message: Envelope<'a>, reference: Time) -> Event<'a> {
        let mut event = Event {
            host: Cow::Borrowed(message.host),
            app: Cow::Borrowed(message.app),
            pid: Cow::Borrowed(message.pid),
            id: message.id,
            level: message.level,
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
    fn take_text<'a>(&self, event: &mut Event<'a>, text: &'a str, reference: Time) {
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
    fn take_inner<'a>(&self, event: &mut Event<'a>, outer: Option<Stamp>, text: &'a str, reference: Time) {
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
        keep_level_word(event, found.level_word);
        event.text = Cow::Borrowed(found.text);
    }

    /// A line of a file without a stamp.
    fn unstamped<'a>(&mut self, record: &'a str) -> Event<'a> {
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
    fn unstamped_text<'a>(&self, record: &'a str) -> Event<'a> {
        let mut event = plain(record);
        if !self.genesys
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

    fn header_line<'a>(&self, record: &'a str) -> Event<'a> {
        let mut event = plain(record);
        event.host = Cow::Owned(self.header.host.clone());
        event.app = Cow::Owned(self.header.app.clone());
        event.app_type = Cow::Owned(self.header.app_type.clone());
        event.marks.header = true;
        event
    }

    fn continuation<'a>(&self, record: &'a str) -> Event<'a> {
        let mut event = self.unstamped_text(record);
        if let Some(open) = &self.open {
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

    /// The time of a line of a file, which moves the file's clock.
    fn tick(&mut self, stamp: &Stamp, reference: Time) -> Option<Resolved> {
        if self.datagrams {
            return StampClock::default().resolve(stamp, self.zone, reference, self.latest);
        }
        if self.heading != Heading::Closed {
            let begun = matches!(self.heading, Heading::Open(_));
            self.heading = Heading::Closed;
            if begun && let Some(last) = self.header.first_stamp(stamp.us) {
                self.clock.last = Some(last);
            }
        }
        let said = self.header.west_s().map(|west| clock::east(-west));
        let mut resolved = self.clock.advance(stamp, said.unwrap_or(self.zone), reference, self.latest)?;
        resolved.zoneless &= said.is_none();
        Some(resolved)
    }

    fn keep_open(&mut self, event: &Event<'_>) {
        if self.datagrams {
            return;
        }
        let open = self.open.get_or_insert_default();
        open.at = event.at;
        open.format = event.format;
        open.zoneless = event.marks.zoneless;
        for (kept, now) in [(&mut open.host, &event.host), (&mut open.app, &event.app), (&mut open.app_type, &event.app_type)] {
            // Empty values, which are most common, are not compared: comparing no bytes at no address costs some processors 50
            // ns.
            let same = kept.len() == now.len() && (now.is_empty() || kept == now);
            if !same {
                kept.clear();
                kept.push_str(now);
            }
        }
    }
}

/// Record 00-04110, `Option '...' has been set to the value '...'`.
const OPTION_SET: u32 = 4110;

fn plain(record: &str) -> Event<'_> {
    let after = record.trim_start().strip_prefix('<');
    Event {
        text: Cow::Borrowed(record),
        marks: EventMarks { broken: after.is_some_and(|a| a.starts_with(|c: char| c.is_ascii_digit())), ..EventMarks::default() },
        ..Event::default()
    }
}

/// True if a line of a text other than the first begins as a message of syslog does.
fn glued(text: &str) -> bool {
    let Some(end) = lines::find_end(text.as_bytes()) else { return false };
    text[end + 1..].lines().any(|line| envelope::priority(line).is_some())
}

fn keep_level_word<'a>(event: &mut Event<'a>, word: &'a str) {
    if !word.is_empty() {
        event.fields.push((Cow::Borrowed("level_word"), Value::Text(Cow::Borrowed(word))));
    }
}

fn set_time(event: &mut Event<'_>, time: Option<Resolved>) {
    if let Some(time) = time {
        event.at = Some(time.at);
        event.marks.guessed_year = time.guessed_year;
        event.marks.guessed_date = time.guessed_date;
        event.marks.jump = time.jump;
        event.marks.zoneless = time.zoneless;
    }
}

/// An extended attribute, ` CAT:Critical`: one blank, a key in capitals, a colon, the value.
fn attribute(record: &str) -> Option<(Cow<'_, str>, Value<'_>)> {
    let (key, value) = record.strip_prefix(' ')?.split_once(':')?;
    let is_key = (1..=32).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    is_key.then(|| (Cow::Borrowed(key), Value::Text(Cow::Borrowed(value.trim()))))
}

#[cfg(test)]
mod tests;
