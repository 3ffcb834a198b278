//! The decoder: from a record's bytes to an event.
//!
//! In: one line or one datagram at a time, and the time at which it arrived. Out: always one [`Event`] for each; a record in
//! which nothing is recognised is text. The decoder reads RFC 5424 and RFC 3164 as senders write them, the heads of vendors and
//! loggers ([`heads`]), Genesys records (short and full, bare in a file or inside a syslog message), lines with any stamp,
//! objects (JSON) and pairs (logfmt) with the keys of [`keys`], wrappers around all of these ([`wrap`]), and plain lines.
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
//! Invariants: no input fails or panics. The text is the message without head, surrounding blanks, line end and colours for
//! terminals. The record as it arrived is kept beside it ([`Event::raw`]), so nothing is lost. One record is one event, whatever
//! it contains: a record that directly follows another one stays text, and the event is marked broken. Otherwise a caller's name
//! in a log could forge an event. The same records and times give the same events: the decoder uses no clock and no zone of this
//! machine.
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
mod colors;
mod encoding;
mod envelope;
mod genesys;
mod header;
mod heads;
mod keyed;
mod keys;
mod level;
mod line;
mod line_format;
mod lines;
mod message;
mod message_head;
mod object;
mod pairs;
mod record;
mod repetition;
mod rfc3164;
mod rfc5424;
mod span;
mod stamp;
mod structured;
mod unstamped;
mod unwrap;
mod wrap;
mod years;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::core::base::limits::RECORD_BYTES;
use crate::core::base::time::Time;
use crate::core::base::zone::Zone;
use crate::core::event::{Event, Format};

use clock::{Resolved, StampClock};
use header::Header;
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
    /// No stamp without a year is later than this; without it, none is later than a day after its arrival.
    #[serde(skip)]
    latest: Option<Time>,
    /// The stamp of the last record as it was written, if it is asked for.
    #[serde(skip)]
    stamp: Option<Option<Stamp>>,
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
    ///
    /// ```
    /// use pointsman::core::base::time::Time;
    /// use pointsman::core::decode::Decoder;
    ///
    /// let line = b"<34>1 2026-11-30T10:00:00Z sip1 sshd 7 - - link down";
    /// let event = Decoder::new().decode(line, Time::from_micros(0));
    /// assert_eq!((&*event.host, &*event.app, &*event.text), ("sip1", "sshd", "link down"));
    /// ```
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
        match colors::without(record) {
            Some(plain) => self.colored(record, &plain, reference),
            None => self.uncolored(record, reference),
        }
    }

    fn colored(&mut self, record: &str, plain: &str, reference: Time) -> Event<'static> {
        let mut event = self.read(plain, reference).into_owned();
        // What a wrapper has set is this record without its colours, and trimmed.
        if plain.contains(&*event.raw) {
            event.raw = Cow::Owned(record.trim_end_matches(['\r', '\n']).to_owned());
        }
        event
    }

    fn uncolored<'a>(&mut self, record: &'a str, reference: Time) -> Event<'a> {
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

    /// The stamp of a line as it is written; `None` for a line without one.
    fn stamp_of(&mut self, line: &[u8], reference: Time) -> Option<Stamp> {
        self.stamp = Some(None);
        self.decode(line, reference);
        self.stamp.take().flatten()
    }

    /// Keeps the stamp of a record, if it is asked for.
    fn note(&mut self, stamp: Option<Stamp>) {
        if let (Some(asked), Some(stamp)) = (&mut self.stamp, stamp) {
            *asked = Some(stamp);
        }
    }

    /// The time of a line of a file, which moves the file's clock.
    fn tick(&mut self, stamp: &Stamp, reference: Time) -> Option<Resolved> {
        self.note(Some(*stamp));
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

fn set_time(event: &mut Event<'_>, time: Option<Resolved>) {
    if let Some(time) = time {
        event.at = Some(time.at);
        event.marks.guessed_year = time.guessed_year;
        event.marks.guessed_date = time.guessed_date;
        event.marks.jump = time.jump;
        event.marks.zoneless = time.zoneless;
    }
}

#[cfg(test)]
mod tests;
