//! Tests of Genesys records, files and headers.

use super::*;

#[test]
fn genesys_records_in_every_time_format() {
    let short = "- - - 04561 notice - || Hot Standby (backup) mode activated";
    for (stamp, at) in [
        ("2010-12-14T09:15:02.118", "2010-12-14T09:15:02.118Z"),
        ("2010-12-14T09:15:02", "2010-12-14T09:15:02Z"),
        ("2010/12/14T09:15:02.118", "2010-12-14T09:15:02.118Z"),
        ("2010-12-14 09:15:02.118", "2010-12-14T09:15:02.118Z"),
        ("2010/12/14 09:15:02.118", "2010-12-14T09:15:02.118Z"),
        ("12/14/2010 09:15:02.118", "2010-12-14T09:15:02.118Z"),
        ("12/14/10 09:15:02", "2010-12-14T09:15:02Z"),
        ("12/14/10@09:15:02.118", "2010-12-14T09:15:02.118Z"),
        ("Tue Dec 14 09:15:02 2010.118", "2010-12-14T09:15:02.118Z"),
        ("Tue 14 Dec 2010 09:15:02 AM CET.118", "2010-12-14T08:15:02.118Z"),
        (" Tue 14 Dec 2010 09:15:02 AM CET.118", "2010-12-14T08:15:02.118Z"),
    ] {
        let record = format!("{stamp} Std 04561 Hot Standby (backup) mode activated");
        assert_eq!(shown(&decode(&record)), format!("{at} {short}"), "{record}");
    }
    check(&[
        ("09:15:02.118 Std 04561 x", "2019-02-07T09:15:02.118Z - - - 04561 notice - || x <- date?"),
        ("09:15:02.118: Std 04561 x", "2019-02-07T09:15:02.118Z - - - 04561 notice - || x <- date?"),
        ("09:15:02 Std 04561", "2019-02-07T09:15:02Z - - - 04561 notice - ||  <- date?"),
    ]);
}

#[test]
fn genesys_levels_and_forms() {
    for (word, level) in [
        ("Alr", "critical"),
        ("Alarm", "critical"),
        ("Std", "notice"),
        ("Standard", "notice"),
        ("Int", "info"),
        ("Interaction", "info"),
        ("Trc", "trace"),
        ("Trace", "trace"),
        ("Dbg", "debug"),
        ("Debug", "debug"),
        ("Non", "-"),
        ("Unknown", "-"),
    ] {
        let at = "2002-05-07T18:11:38.196";
        let record = format!("{at} {word} 05060 Application started");
        let expected = format!("{at}Z - - - 05060 {level} - || Application started");
        assert_eq!(shown(&decode(&record)), expected);
        let record = format!("{at} {word} localhost cfg_dbserver GCTI-00-05060 Application started");
        let expected = format!("{at}Z localhost cfg_dbserver - 00-05060 {level} - || Application started");
        assert_eq!(shown(&decode(&record)), expected);
    }
    check(&[
        (
            "2010-12-14T09:15:02.131   Standard   sip-host-2   SIP_SERVER_BACKUP   GCTI-00-04563   Hot Standby (Primary) mode activated",
            "2010-12-14T09:15:02.131Z sip-host-2 SIP_SERVER_BACKUP - 00-04563 notice - || Hot Standby (Primary) mode activated",
        ),
        (
            "2010-12-14T09:15:02.131 Alarm h1 Name With Blanks 43-10612 x GCTI-00-04561 y",
            "2010-12-14T09:15:02.131Z h1 Name With Blanks - 43-10612 critical - || x GCTI-00-04561 y",
        ),
        // A short record's text cannot make it a full one; customers' ids have four digits.
        (
            "16:56:45.741 Int 9001 h a GCTI-00-04563 x",
            "2019-02-07T16:56:45.741Z - - - 09001 info - || h a GCTI-00-04563 x <- date?",
        ),
        (
            "07:47:39.182 Trc 09900  [qtp747464370-17] >>> /1/service",
            "2019-02-08T07:47:39.182Z - - - 09900 trace - || [qtp747464370-17] >>> /1/service <- date?",
        ),
        // Neither form: everything is text.
        ("2010-12-14T09:15:02 Std", "2010-12-14T09:15:02Z - - - - - - || Std"),
        ("2010-12-14T09:15:02 Std 045610 x", "2010-12-14T09:15:02Z - - - - - - || Std 045610 x"),
    ]);
}

const HEADER: &[&str] = &[
    "\u{feff}Application name: SIP_P",
    "Application type: TServer (1)",
    r"Command line:     D:\gcti_apps\SIP_P\sip_server.exe -host GenUAT02 -port 2020",
    "Host name:        GenUAT02",
    "DST:              TZ = 0, timeb = 0",
    "Time zone:        -19800, India Standard Time, India Daylight Time",
    "UTC time:         2026-02-02T08:24:59.852",
    "Local time:       2026-02-02T13:54:59.852",
    "Start time (UTC): 2026-02-02T08:24:59",
    "Running time:     0:00:00:00",
    "Host info:       Windows Server 2019 Standard (17763.rs5_release.180914-1434.5830)",
    r"File:             (1) D:\gcti_logs\SIP_P\SIP_P-001.20260202_135459_850.log",
    "",
];

pub(super) fn with_header() -> Decoder {
    let mut decoder = Decoder::new();
    for line in HEADER {
        let event = decoder.decode(line.as_bytes(), time(REFERENCE));
        assert_eq!((event.marks.header, event.marks.continuation), (!line.is_empty(), false), "{line}");
        assert_eq!(event.text, line.trim_start_matches('\u{feff}'));
    }
    decoder
}

#[test]
fn a_file_with_a_header() {
    let who = "GenUAT02 SIP_P TServer";
    let mut decoder = with_header();
    let cases = [
        ("2026-02-02T13:54:59.852 Trc 04112 created", "2026-02-02T08:24:59.852Z {} 00-04112 trace - || created"),
        ("2026-02-02T13:54:59.845 Std 20001 link", "2026-02-02T08:24:59.845Z {} 01-20001 notice - || link"),
        // Debug records have a time and no id.
        ("13:54:59.856: SIPCM: id=1", "2026-02-02T08:24:59.856Z {} - - - || SIPCM: id=1 <- date?"),
        ("13:55:00.384: Sending  [0,UDP] 494 bytes", "2026-02-02T08:25:00.384Z {} - - - || Sending  [0,UDP] 494 bytes <- date?"),
        // The body: without indentation, with empty lines, and with anything that a caller writes.
        ("SIP/2.0 200 OK", "2026-02-02T08:25:00.384Z {} - - - || SIP/2.0 200 OK <- continuation"),
        ("", "2026-02-02T08:25:00.384Z {} - - - ||  <- continuation"),
        (
            "<134>1 2026-02-02T13:55:00Z h2 SIP_B - GCTI-00-04563 - x",
            "2026-02-02T08:25:00.384Z {} - - - || <134>1 2026-02-02T13:55:00Z h2 SIP_B - GCTI-00-04563 - x <- continuation",
        ),
        ("Host name: evil", "2026-02-02T08:25:00.384Z {} - - - || Host name: evil <- continuation"),
        ("Application name: SIP_B", "2026-02-02T08:25:00.384Z {} - - - || Application name: SIP_B <- broken continuation"),
        (
            "log-filter: Filtering is enabled.",
            "2026-02-02T08:25:00.384Z {} - - - || log-filter: Filtering is enabled. <- continuation",
        ),
        // Two records in one line are one event: the second one may be a caller's text.
        (
            "13:55:01.000: Wrong Checksum.13:55:01.001 Std 04563 Hot",
            "2026-02-02T08:25:01Z {} - - - || Wrong Checksum.13:55:01.001 Std 04563 Hot <- date?",
        ),
        ("17:33:04.587_M_I_01d9 [07:0c] default", "2026-02-02T12:03:04.587Z {} - - - || _M_I_01d9 [07:0c] default <- date?"),
    ];
    for (record, expected) in cases {
        let event = decoder.decode(record.as_bytes(), time(REFERENCE));
        assert_eq!(shown(&event), expected.replace("{}", who), "{record}");
    }
    // A full record of another program: the header does not apply to it.
    check_source(
        &mut decoder,
        &[("17:33:05 Std h9 other GCTI-43-10611 x", "2026-02-02T12:03:05Z h9 other - 43-10611 notice - || x <- date?")],
    );
}

#[test]
fn midnight_and_small_steps_back() {
    let mut decoder = with_header();
    for (record, at) in [
        ("23:59:59.990: a", "2026-02-02T18:29:59.990Z"),
        ("23:59:59.983: b", "2026-02-02T18:29:59.983Z"),
        ("00:00:00.003: c", "2026-02-02T18:30:00.003Z"),
        ("23:59:59.996: late", "2026-02-02T18:29:59.996Z"),
        ("00:00:00.010: d", "2026-02-02T18:30:00.010Z"),
        ("13:00:00: e", "2026-02-03T07:30:00.000Z"),
        ("02:00:00: f", "2026-02-03T20:30:00.000Z"),
    ] {
        let event = decoder.decode(record.as_bytes(), time(REFERENCE));
        assert_eq!(event.at.unwrap().to_string(), at, "{record}");
    }
}

#[test]
fn a_second_header_of_the_same_program_and_one_of_another() {
    let mut decoder = with_header();
    let first = "2026-02-02T13:55:00 Std 04561 x";
    decoder.decode(first.as_bytes(), time(REFERENCE));
    for line in HEADER {
        assert_eq!(decoder.decode(line.as_bytes(), time(REFERENCE)).marks.header, !line.is_empty());
    }
    decoder.decode(first.as_bytes(), time(REFERENCE));
    // In the middle of a file another name is not believed; at the beginning of the next file it is.
    let other = ["Application name: URS", "Application type: RouterServer (15)", "Host name: h2"];
    for line in other {
        assert!(!decoder.decode(line.as_bytes(), time(REFERENCE)).marks.header, "{line}");
    }
    assert_eq!(decoder.app(), "SIP_P");
    decoder.next_file();
    assert_eq!(decoder.app(), "SIP_P");
    for line in other {
        assert!(decoder.decode(line.as_bytes(), time(REFERENCE)).marks.header, "{line}");
    }
    check_source(
        &mut decoder,
        &[("2026-02-02T13:55:01 Std 20003 x", "2026-02-02T13:55:01Z h2 URS RouterServer 15-20003 notice - || x")],
    );
}

#[test]
fn stamps_in_utc_are_known_by_the_first_one_or_by_the_option() {
    let mut decoder = with_header();
    check_source(
        &mut decoder,
        &[
            ("08:24:59.900: x", "2026-02-02T08:24:59.900Z GenUAT02 SIP_P TServer - - - || x <- date?"),
            ("08:25:00 Std 04561", "2026-02-02T08:25:00Z GenUAT02 SIP_P TServer 00-04561 notice - ||  <- date?"),
        ],
    );
    let option = "13:55:00 Trc 04110 Option 'time-convert' has been set to the value 'utc'";
    let mut decoder = with_header();
    decoder.decode(option.as_bytes(), time(REFERENCE));
    let event = decoder.decode(b"13:55:01: x", time(REFERENCE));
    assert_eq!(event.at.unwrap().to_string(), "2026-02-02T13:55:01.000Z");
}

#[test]
fn syslog_lines_among_genesys_records_of_a_stream() {
    check_source(
        &mut Decoder::new(),
        &[
            ("2019-01-12T06:29:59 Std 04561 x", "2019-01-12T06:29:59Z - - - 04561 notice - || x"),
            ("Jan 12 06:30:00 h app[7]: t", "2019-01-12T06:30:00Z h app[7] - - - - || t <- year?"),
            ("06:30:01: t", "2019-01-12T06:30:01Z - - - - - - || t <- date?"),
            ("body", "2019-01-12T06:30:01Z - - - - - - || body <- continuation"),
        ],
    );
}

#[test]
fn headers_of_other_programs() {
    for (line, host) in
        [("APPLICATION HOST NAME: gms1", "gms1"), ("MachineName: agent7", "agent7"), ("PID@host: [4711@gws1]", "gws1")]
    {
        let mut decoder = Decoder::new();
        decoder.decode(b"Application name: A", time(REFERENCE));
        assert!(decoder.decode(line.as_bytes(), time(REFERENCE)).marks.header, "{line}");
        let event = decoder.decode(b"10:00:00 Std 04561 x", time(REFERENCE)).into_owned();
        assert_eq!(event.host, host);
    }
}

#[test]
fn attributes_of_a_record_are_fields_of_their_line() {
    let at = "2010-12-14T09:15:02Z scs-host scs -";
    check_source(
        &mut Decoder::new(),
        &[
            (
                "2010-12-14T09:15:02 Alarm scs-host scs GCTI-00-04210 Active Alarm \"x\" Cleared",
                &format!("{at} 00-04210 critical - || Active Alarm \"x\" Cleared"),
            ),
            (" ID:4711", &format!("{at} - - - |ID=4711|  ID:4711 <- continuation")),
            (" CLEARRSN:by: hand", &format!("{at} - - - |CLEARRSN=by: hand|  CLEARRSN:by: hand <- continuation")),
            ("  CAT:Critical", &format!("{at} - - - ||   CAT:Critical <- continuation")),
            (" attr: x", &format!("{at} - - - ||  attr: x <- continuation")),
        ],
    );
}

#[test]
fn genesys_inside_syslog() {
    check(&[
        (
            "<134>Dec 14 09:15:02 sip-host-1 SIP_SERVER_PRIMARY: 2010-12-14T09:15:02.118 Std 04561 Hot Standby (backup) mode activated",
            "2010-12-14T09:15:02.118Z sip-host-1 SIP_SERVER_PRIMARY - 04561 notice 16 || Hot Standby (backup) mode activated",
        ),
        (
            "<134>1 2010-12-14T09:15:02.118+01:00 sip-host-1 SIP_SERVER_PRIMARY 4711 GCTI-00-04561 - Hot Standby (backup) mode activated",
            "2010-12-14T08:15:02.118Z sip-host-1 SIP_SERVER_PRIMARY[4711] - 00-04561 info 16 || Hot Standby (backup) mode activated",
        ),
        // The envelope's offset applies to the record inside, and its day to a time of day.
        (
            "<134>1 2010-12-14T00:00:01+01:00 h a - - - 23:59:59.118 Standard h2 b GCTI-00-04563 x",
            "2010-12-13T22:59:59.118Z h2 b - 00-04563 notice 16 |relay_host=h relay_app=a| x <- date?",
        ),
        ("<134>Dec 14 09:15:02 h app: Std 04561 Hot", "2018-12-14T09:15:02Z h app - 04561 notice 16 || Hot <- year?"),
        ("<134>2010-12-14T09:15:02.118 Std 04561 Hot", "2010-12-14T09:15:02.118Z - - - 04561 notice 16 || Hot"),
        // Words of other programs.
        (
            "<134>Dec 14 09:15:02 h app: Alarm 12345 cleared",
            "2018-12-14T09:15:02Z h app - - info 16 || Alarm 12345 cleared <- year?",
        ),
    ]);
}

#[test]
fn a_level_that_no_manual_names_is_kept() {
    let record = "2010-12-01T12:00:00.015 Trouble host-n089 URS ROUTER GCTI-06-10006 alarm state entered";
    let event = Decoder::new().decode(record.as_bytes(), Time::default());
    assert_eq!((event.format, &*event.host, &*event.app, event.level), (Format::Genesys, "host-n089", "URS ROUTER", None));
    assert_eq!(event.field("level_word"), Some(Value::from("Trouble")));
    assert_eq!(event.text, "alarm state entered");
    for other in [
        "2010-12-01T12:00:00.015 Trouble host URS 06-10006 no prefix",
        "2010-12-01T12:00:00.015 Tr0uble host URS GCTI-06-10006 no word",
    ] {
        assert_ne!(Decoder::new().decode(other.as_bytes(), Time::default()).format, Format::Genesys, "{other}");
    }
}

#[test]
fn who_relays_a_record_is_kept() {
    let record = "<14>1 2026-03-14T09:15:01Z web nginx 1 - - 2026-03-14T09:15:02.131 Standard sip2 SIP_B GCTI-00-04563 x";
    let event = Decoder::new().decode(record.as_bytes(), Time::default());
    assert_eq!((&*event.host, &*event.app), ("sip2", "SIP_B"));
    assert_eq!(event.field("relay_host"), Some(Value::from("web")));
    assert_eq!(event.field("relay_app"), Some(Value::from("nginx")));
    let own = record.replace("web nginx", "sip2 SIP_B");
    let event = Decoder::new().decode(own.as_bytes(), Time::default());
    assert!(event.fields.is_empty(), "{:?}", event.fields);
}
