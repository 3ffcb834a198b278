//! How a record was read: each field with the place in the record that it came from.

use std::borrow::Cow;
use std::ops::Range;

use crate::core::base::time::Time;
use crate::core::decode::stamp_in;
use crate::core::event::{Event, EventId, Format};
use crate::core::inventory::Index;

/// A record, and what the decoder read in it.
#[derive(Clone, Debug)]
pub struct RecordReading {
    /// The raw record; bytes that are not UTF-8 are read as Latin-1.
    pub record: String,
    /// The form of its head, and so the reader that accepted it.
    pub head: String,
    pub fields: Vec<FieldReading>,
    /// Its irregularities, in words.
    pub marks: Vec<&'static str>,
    /// An `ignore` of the rules matches it, so no rule receives it.
    pub ignored: bool,
}

/// One field of a record.
#[derive(Clone, Debug)]
pub struct FieldReading {
    /// Its name in rules.
    pub name: String,
    pub value: String,
    /// The bytes of the record that it came from, if it is there unchanged.
    pub span: Option<Range<usize>>,
    /// Additional information: the inventory's name, the zone.
    pub note: Option<String>,
}

/// Why time stamps without a zone are read in a certain one.
#[derive(Clone, Debug)]
pub enum ZoneReason {
    /// The command line sets it, with this name.
    CommandLine(String),
    /// The configuration's entry of the file sets it.
    File(String),
    /// The zone of this machine.
    Machine(String),
}

impl ZoneReason {
    fn words(&self) -> String {
        match self {
            ZoneReason::CommandLine(zone) => format!("{zone}, as `--timezone` says"),
            ZoneReason::File(zone) => format!("{zone}, as the configuration's entry of this file says"),
            ZoneReason::Machine(zone) => format!("{zone}, the zone of this machine"),
        }
    }
}

impl RecordReading {
    /// The reading of a record, from the event that the decoder made of it. `defaults` are the host and the application of records
    /// that name none, if the log has such.
    pub fn new(record: &[u8], event: &Event<'_>, index: &Index, zone: &ZoneReason, defaults: [&str; 2]) -> RecordReading {
        let text: Cow<'_, str> = match std::str::from_utf8(record) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(event.raw().to_owned()),
        };
        let mut fields = Vec::new();
        let mut add = |name: &str, value: &str, span: Option<Range<usize>>, note: Option<String>| {
            if !value.is_empty() {
                fields.push(FieldReading { name: name.to_owned(), value: value.to_owned(), span, note });
            }
        };
        let stamp = stamp_in(&text);
        if let Some(at) = event.at {
            add(
                "time",
                &at.to_string(),
                stamp.as_ref().map(|(span, _)| span.clone()),
                Some(time_note(event, stamp.as_ref().map(|s| s.1), zone)),
            );
        }
        let names = index.names(event);
        for ((field, value), (name, default)) in
            [("host", &event.host), ("app", &event.app)].into_iter().zip([names.host, names.app].into_iter().zip(defaults))
        {
            let own = (value != name && !name.is_empty()).then(|| format!("the inventory's {name}"));
            // A record may happen to have the word, but it is not what was read.
            let is_default = !default.is_empty() && value == default && borrowed(&text, value).is_none();
            let said = is_default.then(|| "not in the record: its log's, by the configuration".to_owned());
            let note = said.into_iter().chain(own).collect::<Vec<_>>().join("; ");
            let span = if is_default { None } else { span_of(&text, value) };
            add(field, value, span, Some(note).filter(|note| !note.is_empty()));
        }
        add(
            "type",
            names.kind,
            span_of(&text, &event.app_type),
            (event.app_type != names.kind).then(|| "by the inventory".to_owned()),
        );
        add("pair", names.pair, None, Some("by the inventory".to_owned()));
        add("pid", &event.pid, span_of(&text, &event.pid), None);
        if let Some(id) = &event.id {
            let id = id.to_string();
            let number = id.rsplit('-').next().unwrap_or(&id);
            let span =
                found(&text, &id).or_else(|| found(&text, number)).or_else(|| found(&text, number.trim_start_matches('0')));
            add("id", &id, span, None);
        }
        if let Some(level) = event.level {
            let word = event.fields.iter().find(|(name, _)| name == "level_word").map(|(_, value)| value.to_string());
            let span = word.as_deref().and_then(|word| found(&text, word)).or_else(|| found_apart_from_case(&text, level.name()));
            let note = (span.is_none() && event.facility.is_some()).then(|| "by the priority, or an id that holds it".to_owned());
            add("level", level.name(), span, note);
        }
        if let Some(facility) = event.facility {
            add("facility", &facility.to_string(), None, Some("by the priority".to_owned()));
        }
        for (name, value) in event.fields.iter().filter(|(name, _)| name != "level_word") {
            let value = value.to_string();
            add(name, &value, found(&text, &value), None);
        }
        add("trust", event.trust.name(), None, None);
        add("text", &event.text, span_of(&text, &event.text), None);
        RecordReading { head: head(event), fields, marks: marks(event), ignored: event.marks.ignored, record: text.into_owned() }
    }
}

/// The form of the head of a record.
fn head(event: &Event<'_>) -> String {
    let form = match event.format {
        Format::Rfc5424 => "a syslog message (RFC 5424)",
        Format::Rfc3164 => "a syslog message (RFC 3164)",
        Format::Genesys => "a Genesys record",
        Format::Plain if event.text.starts_with('{') => "a JSON object",
        Format::Plain if event.marks.header => "a line of the file's header",
        Format::Plain if event.at.is_some() => "a line with a time",
        Format::Plain => "a line without a head that is known",
    };
    let raw = event.raw();
    let wrapped = raw.starts_with('{') && !event.text.starts_with('{');
    let mut text = form.to_owned();
    let syslog = matches!(event.format, Format::Rfc3164 | Format::Rfc5424);
    if syslog && event.facility.is_some() {
        text.push_str(" with a priority");
    }
    if syslog && matches!(event.id, Some(EventId::Number { .. })) {
        text.push_str(", in whose text stands a Genesys record");
    }
    if wrapped {
        text.push_str(", taken out of a JSON wrapper");
    }
    if let Some(times) = event.repeated {
        text.push_str(&format!(", which stands for {times} equal messages"));
    }
    if event.marks.continuation {
        text = format!("a further line of the record before it, which is {form}");
    }
    text
}

fn time_note(event: &Event<'_>, form: Option<&'static str>, zone: &ZoneReason) -> String {
    let mut parts: Vec<String> = form.map(|form| format!("stamp: {form}")).into_iter().collect();
    parts.push(if event.marks.zoneless {
        format!("zone: {}", zone.words())
    } else {
        "zone: said by the record, its file's header or its host's `timezone`".to_owned()
    });
    if event.marks.guessed_year {
        parts.push("the year is not in the record".to_owned());
    }
    if event.marks.guessed_date {
        parts.push("the date is not in the record".to_owned());
    }
    parts.join("; ")
}

fn marks(event: &Event<'_>) -> Vec<&'static str> {
    let marks = event.marks;
    let all = [
        (marks.cut, "longer than is read: it was cut"),
        (marks.latin1, "not UTF-8: read as Latin-1"),
        (marks.broken, "a head was begun that could not be read to its end: it stands in the text"),
        (marks.continuation, "a further line of the record before it: time, host and application are that record's"),
        (marks.header, "a line of the file's header"),
        (marks.jump, "its time lies more than an hour from the line before"),
        (marks.partial, "a piece of a record whose end comes later: no rule sees it"),
        (marks.fields_dropped, "it has more fields than are read"),
    ];
    all.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect()
}

/// The place in the record of a part that was borrowed from it; a copied part is searched.
fn span_of(record: &str, part: &str) -> Option<Range<usize>> {
    borrowed(record, part).or_else(|| found(record, part))
}

/// The place of a part that the decoder borrowed from the record: its address shows it, even if the same word occurs twice.
fn borrowed(record: &str, part: &str) -> Option<Range<usize>> {
    let begin = (part.as_ptr() as usize).checked_sub(record.as_ptr() as usize)?;
    (!part.is_empty() && record.get(begin..begin + part.len()) == Some(part)).then(|| begin..begin + part.len())
}

fn found(record: &str, part: &str) -> Option<Range<usize>> {
    if part.is_empty() {
        return None;
    }
    record.find(part).map(|at| at..at + part.len())
}

fn found_apart_from_case(record: &str, part: &str) -> Option<Range<usize>> {
    let low = record.to_ascii_lowercase();
    low.find(part).map(|at| at..at + part.len())
}

impl RecordReading {
    /// The time that the record states, for messages.
    pub fn time(&self) -> Option<Time> {
        let field = self.fields.iter().find(|field| field.name == "time")?;
        Time::parse_rfc3339(&field.value)
    }
}
