//! Tests of lines with a stamp of one kind of program, valid and nearly valid.

use super::*;

/// Each line once valid, and twice nearly valid.
const LINES: &[(&str, &str, [&str; 2])] = &[
    (
        "1.2.3.4 - user [05/Mar/2007:14:39:21 +0100] \"GET / HTTP/1.0\" 301",
        "2007-03-05T13:39:21Z",
        ["said \"1.2.3.4 - user [05/Mar/2007:14:39:21 +0100] x", "1.2.3.4 - user [32/Mar/2007:14:39:21 +0100] \"GET\""],
    ),
    (
        "www.site.com 1.2.3.4 - root [05/Mar/2007:14:39:21] \"GET /\"",
        "2007-03-05T14:39:21Z",
        ["one two three four five six [05/Mar/2007:14:39:21] x", "a b [05/Mar/2007:14:39:21] x"],
    ),
    (
        "::1 - - [05/Mar/2007:14:39:21 GMT] \"GET /\"",
        "2007-03-05T14:39:21Z",
        ["::1 - - [05/Mar/2007:14:39:21 Nowhere] \"GET /\"", " ::1 - - [05/Mar/2007:14:39:21 GMT] \"GET /\""],
    ),
    ("130324  0:04:00 [Warning] x", "2013-03-24T00:04:00Z", ["131324  0:04:00 x", "130324  0:4:00 x"]),
    ("130324 17:56:13 [Warning] x", "2013-03-24T17:56:13Z", ["130324 24:56:13 x", "1303240 17:56:13 x"]),
    ("2015-10-07  8:25:38 1398 [Warning] x", "2015-10-07T08:25:38Z", ["2015-10-07   8:25:38 x", "2015-10-07  8:65:38 x"]),
    ("11-06-2013 02:09:43 +0300 P", "2013-06-10T23:09:43Z", ["11-32-2013 02:09:43 x", "11-06-13 02:09:43 x"]),
    ("03-07-2005 23:07:20   SMTP", "2005-07-03T23:07:20Z", ["32-07-2005 23:07:20 x", "03-07-2005 23:07:20x"]),
    ("2011.11.21 14:29:16 LOG3[2]: x", "2011-11-21T14:29:16Z", ["2011.11.31 14:29:16 x", "2011.11.21-14:29:16 x"]),
    ("2014:07:02-00:17:45: 'x'", "2014-07-02T00:17:45Z", ["2014:07:02 00:17:45: x", "2014:07:02-00:17: x"]),
    ("2019-10-21 18:55:15|x", "2019-10-21T18:55:15Z", ["2019-10-21 18|x", "2019-10-21 18:55:15/x"]),
    (
        "[10-May-2015 13:02:52 -0400]: x",
        "2015-05-10T17:02:52Z",
        ["[10-May-2015 13:02:52 -0400 x", "[10-Maz-2015 13:02:52 -0400]: x"],
    ),
    ("[20220407-12:11:06] [INFO ] x", "2022-04-07T12:11:06Z", ["[20221307-12:11:06] x", "[2022040 12:11:06] x"]),
    ("1386543323.000      4 91.188.124.227 T", "2013-12-08T22:55:23Z", ["9138654332.000 x", "1386543323,000 4 x"]),
    (
        "@400000004c91b044077a9e94 imap: x",
        "2010-09-16T05:50:50.125476Z",
        ["@400000004c91b044077a9e9 x", "@400000004c91b044ffffffff x"],
    ),
    (
        "1234:M 14 Mar 2026 09:15:02.123 # x",
        "2026-03-14T09:15:02.123Z",
        ["1234:Q 14 Mar 2026 09:15:02.123 # x", "1234:M 14 Mar 2026 09:15:02.123 x"],
    ),
    ("E0114 09:15:02.123456   12 a.go:7] x", "2019-01-14T09:15:02.123456Z", ["E0114 09:15:02.123 x", "G0114 09:15:02.123456 x"]),
    (
        "type=USER_AUTH msg=audit(1373129280.000:9): user pid=1277 hostname=1.2.3.4",
        "2013-07-06T16:48:00Z",
        ["type=user msg=audit(1373129280.000:9): x", "type=USER_AUTH msg=audit(1373129280:9): x"],
    ),
];

#[test]
fn a_stamp_of_one_kind_of_program_dates_its_line() {
    for (record, at, nearly) in LINES {
        let event = decode(record);
        assert_eq!(event.at, Some(time(at)), "{record}");
        assert_eq!((event.raw(), &*event.host, &*event.app), (*record, "", ""), "{record}");
        assert!(record.ends_with(&*event.text));
        for record in nearly {
            assert_eq!(decode(record).at, None, "{record}");
        }
    }
}

#[test]
fn in_a_genesys_file_no_such_line_is_dated() {
    for (record, ..) in LINES {
        let mut decoder = with_header();
        let before = decoder.decode(b"13:55:00 Std 04561 x", time(REFERENCE)).at;
        let event = decoder.decode(record.as_bytes(), time(REFERENCE));
        assert_eq!((event.at, event.marks.continuation), (before, true), "{record}");
    }
}

#[test]
fn a_declared_stamp_in_angle_brackets_is_no_broken_header() {
    let format = LineFormat::parse("<%y%m%d %T.%3f>").unwrap();
    let mut decoder = Decoder::new().with_format(format);
    check_source(
        &mut decoder,
        &[
            ("<260314 02:11:57.123> y", "2026-03-14T02:11:57.123Z - - - - - - || y"),
            ("<260314 02:11:58.123> b1 sshd[3]: y", "2026-03-14T02:11:58.123Z b1 sshd[3] - - - - || y"),
        ],
    );
}
