//! Tests that no input causes a panic, and that nothing of it is lost.

use proptest::prelude::*;

use super::*;

/// Records of valid shapes, with anything in the gaps.
fn nearly() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<34>"),
        Just("1 "),
        Just("Jan 12 06:30:00"),
        Just("2003-10-11T22:14:15.003Z"),
        Just("13:54:59.856"),
        Just(" "),
        Just("  "),
        Just(": "),
        Just(":"),
        Just("-"),
        Just("host"),
        Just("app"),
        Just("[7]"),
        Just("[a b=\"c\"]"),
        Just("\\\""),
        Just("\""),
        Just("="),
        Just("Std "),
        Just("04561 "),
        Just("GCTI-00-04563"),
        Just("*"),
        Just("29: "),
        Just("\u{feff}"),
        Just("Ü"),
        Just("\u{2028}"),
        Just("Application name: "),
        Just("Time zone: "),
        Just("Local time: "),
        Just(" ID:"),
        Just("99999999999999999999"),
        Just("Tue 14 Dec 2010 09:15:02 AM CET.118"),
        Just("%SYS-5-X: "),
    ];
    let other = "[ -~]{0,6}";
    prop::collection::vec(prop_oneof![3 => piece.prop_map(str::to_owned), 1 => other], 0..12).prop_map(|p| p.concat())
}

/// Checks that the unchanged record is kept, and that it ends with the text.
fn nothing_lost(record: &str, event: &Event<'_>) {
    let raw = record.strip_suffix('\n').unwrap_or(record);
    let raw = raw.strip_suffix('\r').unwrap_or(raw);
    assert_eq!(event.raw(), raw, "{event:?}");
    // Escape sequences for terminals are in the unchanged record only.
    let plain = colors::without(record);
    let record = plain.as_deref().unwrap_or(record).trim_end_matches([' ', '\t', '\r', '\n', '\0']);
    assert!(record.ends_with(&*event.text), "{record:?} {event:?}");
    if event.marks.header || event.marks.continuation {
        assert_eq!(record.strip_prefix('\u{feff}').unwrap_or(record), event.text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn no_bytes_panic(records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..4), at in any::<i64>()) {
        let mut decoder = Decoder::new();
        for record in &records {
            let event = decoder.decode(record, Time::from_micros(at));
            if event.format == Format::Plain && !event.marks.latin1 {
                nothing_lost(std::str::from_utf8(record).unwrap(), &event);
            }
        }
    }

    #[test]
    fn nearly_right_records_lose_nothing(records in prop::collection::vec(nearly(), 1..6), at in any::<i64>()) {
        let mut decoder = Decoder::new();
        for record in &records {
            let event = decoder.decode(record.as_bytes(), Time::from_micros(at));
            nothing_lost(record, &event);
        }
    }

    #[test]
    fn the_text_of_a_message_is_what_was_sent(text in "[!-~]([ -~äöü]{0,60}[!-~])?") {
        for header in ["<34>Jan 12 06:30:00 h app[7]: ", "<34>1 2003-10-11T22:14:15Z h app 7 - - ", "Jan 12 06:30:00 h app[7]: "] {
            let record = format!("{header}{text}");
            let event = decode(&record);
            if event.id.is_none() {
                prop_assert_eq!(&*event.text, &text);
                prop_assert_eq!((&*event.host, &*event.app, &*event.pid), ("h", "app", "7"));
            }
        }
    }
}
