//! Tests of both syslog formats, well-formed and malformed.

use super::*;

#[test]
fn rfc3164_as_senders_write_it() {
    let at = "2019-01-12T06:30:00Z";
    for (record, expected) in [
        ("<34>Jan 12 06:30:00 h app[7]: t", "{} h app[7] - - critical 4 || t <- year?"),
        ("<34>Jan 12 06:30:00 h app[7]:t", "{} h app[7] - - critical 4 || t <- year?"),
        ("<34>Jan 12 06:30:00 h app:  t  ", "{} h app - - critical 4 || t <- year?"),
        ("<34>Jan 12 06:30:00 app: t", "{} - app - - critical 4 || t <- year?"),
        ("Jan 12 06:30:00 h app: t", "{} h app - - - - || t <- year?"),
        ("<34>JAN 12 2019 06:30:00 h app: t", "{} h app - - critical 4 || t"),
        ("<34>Jan 12 06:30:00 2019 h app: t", "{} h app - - critical 4 || t"),
        ("<34>2019-01-12T06:30:00Z h app: t", "{} h app - - critical 4 || t"),
        ("2019-01-12T07:30:00+01:00 h app[1]: t", "{} h app[1] - - - - || t"),
        (
            "<34>Jan 12 06:30:00 h last message repeated 3 times",
            "{} h - - - critical 4 || last message repeated 3 times <- year?",
        ),
        ("<34>Jan 12 06:30:00 last message repeated 3 times", "{} - - - - critical 4 || last message repeated 3 times <- year?"),
        ("<34>Jan 12 06:30:00 h message repeated 2 times: [ x: y]", "{} h - - - critical 4 || x: y <- year? x2"),
        ("<34>Jan 12 06:30:00 h Foo::Bar[3]: t", "{} h Foo::Bar[3] - - critical 4 || t <- year?"),
        ("<34>Jan 12 06:30:00 h 10.0.0.1:5060 lost", "{} h - - - critical 4 || 10.0.0.1:5060 lost <- year?"),
        ("<34>Jan 12 06:30:00 10.0.0.1: lost", "{} 10.0.0.1 - - - critical 4 || lost <- year?"),
        ("<34>Jan 12 06:30:00 ::1 app: t", "{} ::1 app - - critical 4 || t <- year?"),
        ("<34>Jan 12 06:30:00 {\"a\": 1}", "{} - - - - critical 4 || {\"a\": 1} <- year?"),
        (
            "<189>29: *Jan 12 06:30:00.000: %SYS-5-CONFIG_I: t",
            "{} - - - SYS-5-CONFIG_I notice 23 |meta.sequenceId=29 timeQuality.isSynced=0| t <- year?",
        ),
        (
            "<189>29: rtr1: .Jan 12 06:30:00 UTC: %LINEPROTO-SP-3-UPDOWN: t",
            "{} rtr1 - - LINEPROTO-SP-3-UPDOWN error 23 |meta.sequenceId=29 timeQuality.isSynced=1| t <- year?",
        ),
        ("Jan 12 06:30:00 rtr1 %SYS-3-X: t", "{} rtr1 - - SYS-3-X error - || t <- year?"),
    ] {
        assert_eq!(shown(&decode(record)), expected.replace("{}", at), "{record}");
    }
    check(&[
        ("<27>xapi: [error] x", "- - xapi - - error 3 || [error] x"),
        ("<27>some words", "- - - - - error 3 || some words"),
        ("<192>x", "- - - - - - - || <192>x <- broken"),
        ("<034>x", "- - - - - - - || <034>x <- broken"),
        ("2019-02-13T21:53:30Z INFO starting server: x", "2019-02-13T21:53:30Z - - - - info - || starting server: x"),
        ("[2016-05-23 10:18:16] NOTICE[19388] x", "2016-05-23T10:18:16Z - -[19388] - - notice - || x"),
        ("[Wed Mar 28 01:31:42.355210 2018] [error] x", "2018-03-28T01:31:42.355210Z - - - - error - || x"),
        ("2019-02-13 21:53:30,123 INFO x", "2019-02-13T21:53:30.123Z - - - - info - || x"),
    ]);
}

#[test]
fn rfc5424_and_what_is_broken_in_it() {
    let at = "2003-10-11T22:14:15.003Z";
    for (record, expected) in [
        ("<34>1 2003-10-11T22:14:15.003Z h su 7 ID47 - \u{feff}t", "{} h su[7] - ID47 critical 4 || t"),
        ("<34>1 2003-10-11T22:14:15.003Z - - - - -", "{} - - - - critical 4 || "),
        ("<34>1 2003-10-11T22:14:15.003000000Z h su - - [a b=\"\\\"\\]\\\\\\n\"] t", "{} h su - - critical 4 |a.b=\"]\\\\n| t"),
        ("<34>1 2003-10-11T22:14:15.003Z h su - - [a b=c d= \"e\" ][f] t", "{} h su - - critical 4 |a.b=c a.d=e f=| t"),
        ("<34>1 2003-10-11T22:14:15.003Z h su - - [a b] t", "{} h su - - critical 4 || [a b] t <- broken"),
        ("<34>1 2003-10-11T22:14:15.003Z h su - - [a b=\"x\"]t", "{} h su - - critical 4 || [a b=\"x\"]t <- broken"),
        ("<34>1 2003-10-11T22:14:15.003Z h su - ID47", "{} h su - ID47 critical 4 ||  <- broken"),
        ("<34>1 2003-10-11T22:14:15.003Z h  su - - - t", "{} h - - - critical 4 ||  su - - - t <- broken"),
        ("1 2003-10-11T22:14:15.003Z h su - - - t", "{} h su - - - - || t"),
    ] {
        assert_eq!(shown(&decode(record)), expected.replace("{}", at), "{record}");
    }
    check(&[
        ("<34>1 2003-10-11t22:14:15z h su - - - t", "- - - - - critical 4 || 2003-10-11t22:14:15z h su - - - t <- broken"),
        ("<34>1 thing happened", "- - - - - critical 4 || 1 thing happened"),
    ]);
}

#[test]
fn what_follows_a_weekday_and_a_year_is_no_host() {
    let text = "Sat Mar 14 09:15:02 2026 203.0.113.9:1194 TLS Error: TLS handshake failed";
    for mut decoder in [Decoder::new(), Decoder::datagrams()] {
        check_source(&mut decoder, &[(text, &format!("2026-03-14T09:15:02Z - - - - - - || {}", &text[25..]))]);
    }
    let text = "Sat Mar 14 09:15:02 2026 TLS: Initial packet from 203.0.113.9:1194";
    check(&[(text, "2026-03-14T09:15:02Z - - - - - - || TLS: Initial packet from 203.0.113.9:1194")]);
}

#[test]
fn a_device_id_without_a_head_is_no_record_within_the_body_of_another() {
    let mut decoder = Decoder::new();
    let mut decode = |line: &str| decoder.decode(line.as_bytes(), time(REFERENCE)).into_owned();
    for _ in 0..2 {
        let event = decode("%ASA-5-111008: User 'ann' executed the command");
        assert!(event.id.is_some() && event.level == Some(Level::Notice) && !event.marks.continuation);
    }
    assert!(decode("2019-02-08T08:37:49Z ERROR a body follows").at.is_some());
    let event = decode("%ASA-5-111008: User 'ann' executed the command");
    assert!(event.id.is_none() && event.marks.continuation);
}

#[test]
fn the_stamp_and_level_of_a_logger_in_a_text_are_removed_together() {
    for (text, level, left) in [
        ("2019-02-08 08:37:49 ERROR x", Some(Level::Error), "x"),
        ("[2019-02-08 08:37:49] WARN: x", Some(Level::Warning), "x"),
        ("2019-02-08 08:37:49 the disk has an ERROR", None, "2019-02-08 08:37:49 the disk has an ERROR"),
        ("02/08/2019 x", None, "02/08/2019 x"),
    ] {
        let event = decode(&format!("Feb  8 08:37:50 h1 app[7]: {text}"));
        assert_eq!((event.level, &*event.text, &*event.pid), (level, left, "7"), "{text}");
        assert_eq!(event.at, Some(time("2019-02-08T08:37:50Z")), "{text}");
    }
    // A priority decides the level, and the text stays whole.
    let event = decode("<14>Feb  8 08:37:50 h1 app[7]: 2019-02-08 08:37:49 ERROR x");
    assert_eq!((event.level, &*event.text), (Some(Level::Info), "2019-02-08 08:37:49 ERROR x"));
}
