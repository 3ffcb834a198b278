//! Tests of the decoder as a whole. The folder beside this file has one file for each kind of record.

use self::genesys::with_header;
use super::*;
use crate::core::event::{EventMarks, Level, Value};

mod dated;
mod genesys;
mod keyed;
mod loss;
mod syslog;

const REFERENCE: &str = "2019-02-08T08:37:49Z";

fn time(text: &str) -> Time {
    Time::parse_rfc3339(text).unwrap()
}

fn decode(record: &str) -> Event<'static> {
    let mut decoder = Decoder::new();
    decoder.decode(record.as_bytes(), time(REFERENCE)).into_owned()
}

/// An event in one line: `time host app[pid] type id level facility | fields | text`, `-` for missing parts, marks last.
fn shown(e: &Event<'_>) -> String {
    let or = |s: &str| {
        if s.is_empty() { "-".to_owned() } else { s.to_owned() }
    };
    let pid = if e.pid.is_empty() { String::new() } else { format!("[{}]", e.pid) };
    let fields: Vec<String> = e.fields.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let m = e.marks;
    let marks: String = [
        (m.cut, " cut"),
        (m.latin1, " latin1"),
        (m.broken, " broken"),
        (m.guessed_year, " year?"),
        (m.guessed_date, " date?"),
        (m.continuation, " continuation"),
        (m.header, " header"),
        (m.jump, " jump"),
    ]
    .iter()
    .filter_map(|(set, name)| set.then_some(*name))
    .collect();
    let repeated = e.repeated.map(|times| format!(" x{times}")).unwrap_or_default();
    let marks = format!("{marks}{repeated}");
    format!(
        "{} {} {}{pid} {} {} {} {} |{}| {}{}",
        e.at.map_or("-".to_owned(), |t| t.to_string().replace(".000Z", "Z")),
        or(&e.host),
        or(&e.app),
        or(&e.app_type),
        e.id.as_ref().map_or("-".to_owned(), ToString::to_string),
        e.level.map_or("-", Level::name),
        e.facility.map_or("-".to_owned(), |f| f.to_string()),
        fields.join(" "),
        e.text,
        if marks.is_empty() { String::new() } else { format!(" <-{marks}") },
    )
}

/// Decodes each record alone and compares its event.
fn check(cases: &[(&str, &str)]) {
    for (record, expected) in cases {
        assert_eq!(shown(&decode(record)), *expected, "{record}");
    }
}

/// Decodes the records of one source in sequence.
fn check_source(decoder: &mut Decoder, cases: &[(&str, &str)]) {
    for (record, expected) in cases {
        let event = decoder.decode(record.as_bytes(), time(REFERENCE));
        assert_eq!(shown(&event), *expected, "{record}");
    }
}

#[test]
fn more_fields_than_an_event_takes_are_dropped_and_marked() {
    let params: String = (0..300).map(|i| format!(" p{i}=\"{i}\"")).collect();
    for data in [format!("[a{params}]"), format!("[a{params}][b c=\"d\"]"), "[x]".repeat(200)] {
        let event = decode(&format!("<34>1 - h su - - {data} t"));
        assert_eq!(event.fields.len(), crate::core::base::limits::FIELDS_PER_EVENT);
        assert!(event.marks.fields_dropped && !event.marks.broken);
        assert_eq!(event.text, "t");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_latin1_and_long_records_are_cut() {
    let mut decoder = Decoder::new();
    let event = decoder.decode(b"<34>Jan 12 06:30:00 h app: Gr\xfc\xdfe \xc3\xbc\xff", time(REFERENCE));
    assert_eq!(shown(&event), "2019-01-12T06:30:00Z h app - - critical 4 || Grüße üÿ <- latin1 year?");
    let event = decoder.decode(&vec![b'x'; RECORD_BYTES + 1], time(REFERENCE)).into_owned();
    assert!(event.marks.cut && event.text.len() == RECORD_BYTES);
}

/// `raw` keeps the colours, also inside a wrapper and with the end of the line.
#[test]
fn raw_keeps_colours() {
    for end in ["", "\n"] {
        let record = format!("2026-03-14T02:11:57Z stderr F \x1b[31mERROR\x1b[0m x{end}");
        let event = decode(&record);
        assert_eq!((event.level, &*event.text, &*event.raw), (Some(Level::Error), "x", record.trim_end()));
    }
}

#[test]
fn datagrams_take_nothing_from_each_other() {
    let mut decoder = Decoder::datagrams();
    for record in ["Jan 12 06:30:00 h app: t", "2026-02-02T13:54:59 Std 04561 x", "Application name: SIP_P"] {
        decoder.decode(record.as_bytes(), time(REFERENCE));
        assert_eq!(decoder, Decoder::datagrams(), "{record}");
    }
    check_source(&mut decoder, &[("text", "- - - - - - - || text")]);
    // A record with a priority does not continue another one, and is not continued either.
    check_source(
        &mut Decoder::new(),
        &[
            ("Jan 12 06:30:00 h app: t", "2019-01-12T06:30:00Z h app - - - - || t <- year?"),
            ("<34>x: y", "- - x - - critical 4 || y"),
            ("z", "- - - - - - - || z"),
        ],
    );
}

#[test]
fn a_common_line_is_borrowed() {
    let record = b"<34>Jan 12 06:30:00 host sshd[712]: Failed password for root from 10.0.0.1 port 22 ssh2";
    let event = Decoder::new().decode(record, time(REFERENCE));
    for part in [&event.host, &event.app, &event.pid, &event.text] {
        assert!(matches!(part, Cow::Borrowed(_)) && !part.is_empty());
    }
}

#[test]
fn the_state_is_kept_as_json() {
    let mut decoder = with_header();
    decoder.decode(b"13:55:00 Std 04561 x", time(REFERENCE));
    let json = serde_json::to_string(&decoder).unwrap();
    assert_eq!(serde_json::from_str::<Decoder>(&json).unwrap(), decoder);
}
