//! Every form of a stamp that is read, each with a sample, which is a test and a row of `docs/reference/formats.md`.

#[derive(Clone, Copy, Debug)]
pub(in crate::core::decode) struct StampForm {
    /// The form, or the program that writes it.
    pub(in crate::core::decode) name: &'static str,
    /// A record that begins with the stamp, or has it in the place of this form.
    pub(in crate::core::decode) sample: &'static str,
    /// The stamp within the sample, where its beginning alone does not show where it ends.
    pub(in crate::core::decode) stamp: Option<&'static str>,
    /// The time that is read, if stamps without a zone are UTC and the file was written on 2026-11-29.
    pub(in crate::core::decode) at: &'static str,
}

const fn form(name: &'static str, sample: &'static str, at: &'static str) -> StampForm {
    StampForm { name, sample, stamp: None, at }
}

const fn form_at(name: &'static str, sample: &'static str, stamp: &'static str, at: &'static str) -> StampForm {
    StampForm { name, sample, stamp: Some(stamp), at }
}

pub(in crate::core::decode) const FORMS: &[StampForm] = &[
    form("RFC 5424", "<34>1 2026-03-14T02:11:57.000003-07:00 h1 app - - - x", "2026-03-14T09:11:57.000003Z"),
    form("ISO 8601", "2026-03-14T02:11:57.123Z x", "2026-03-14T02:11:57.123Z"),
    form("ISO 8601 with a blank", "2026-03-14 02:11:57,123 x", "2026-03-14T02:11:57.123Z"),
    form("ISO 8601 with slashes", "2026/03/14 02:11:57 x", "2026-03-14T02:11:57Z"),
    form("ISO 8601 with an offset close behind", "2026-03-14T02:11:57.123+0100 x", "2026-03-14T01:11:57.123Z"),
    form("ISO 8601 with an offset behind a blank", "2026-03-14 02:11:57 +08:00 x", "2026-03-13T18:11:57Z"),
    form("ISO 8601 with a zone's name behind a blank", "2026-07-14 02:11:57.123 CEST x", "2026-07-14T00:11:57.123Z"),
    form(
        "ISO 8601 with a name that means several offsets: the source's zone holds",
        "2026-03-14 02:11:57 CST x",
        "2026-03-14T02:11:57Z",
    ),
    form("ISO 8601 with a dash or an underscore between", "2026/03/14-02:11:57 x", "2026-03-14T02:11:57Z"),
    form("ISO 8601 with a weekday, as journalctl writes it", "Sat 2026-03-14 02:11:57 CET x", "2026-03-14T01:11:57Z"),
    form("ISO 8601 without separators", "20260314T021157Z x", "2026-03-14T02:11:57Z"),
    form("a date without separators", "20260314-02:11:57.123 x", "2026-03-14T02:11:57.123Z"),
    form_at("an hour padded with a blank", "2026-03-14  2:11:57 x", "2026-03-14  2:11:57", "2026-03-14T02:11:57Z"),
    form("RFC 3164", "Mar 14 02:11:57 h1 app: x", "2026-03-14T02:11:57Z"),
    form("RFC 3164 with a fraction", "Mar 14 02:11:57.123 h1 app: x", "2026-03-14T02:11:57.123Z"),
    form("RFC 3164 with the year before the time", "Mar 14 2026 02:11:57 h1 app: x", "2026-03-14T02:11:57Z"),
    form("RFC 3164 with the year behind the time", "Mar 14 02:11:57 2026 h1 app: x", "2026-03-14T02:11:57Z"),
    form("RFC 3164 with an hour of one digit", "<34>Mar 14 2:11:57 h1 app: x", "2026-03-14T02:11:57Z"),
    form("RFC 3164 with the day first", "<34>14 Mar 2026 02:11:57 h1 app: x", "2026-03-14T02:11:57Z"),
    form("RFC 3164 with the day first and no year", "14 Mar 02:11:57.123 x", "2026-03-14T02:11:57.123Z"),
    form("RFC 3164 with a zone", "Mar 14 02:11:57.123 CET: %SYS-5-RESTART: x", "2026-03-14T01:11:57.123Z"),
    form("RFC 3164 with an offset", "Mar 14 02:11:57 +0100 h1 app: x", "2026-03-14T01:11:57Z"),
    form("a year first, as Cisco NX-OS writes it", "2026 Mar 14 02:11:57.123 UTC: %SYS-5-RESTART: x", "2026-03-14T02:11:57.123Z"),
    form("month, day and year with dashes", "Mar-14-26 02:11:57 x", "2026-03-14T02:11:57Z"),
    form("Java", "Mar 14, 2026 2:11:57 AM org.x.Y z", "2026-03-14T02:11:57Z"),
    form("a C library's words", "Sat Mar 14 02:11:57.123456 2026 x", "2026-03-14T02:11:57.123456Z"),
    form("a locale's words", "Sat 14 Mar 2026 02:11:57 AM CET x", "2026-03-14T01:11:57Z"),
    form("what `date` prints", "Sat Mar 14 02:11:57 CET 2026: x", "2026-03-14T01:11:57Z"),
    form("what `date` prints in British English", "Sat 14 Mar 02:11:57 GMT 2026: x", "2026-03-14T02:11:57Z"),
    form("RFC 5322, as mail and `date -R` write it", "Sat, 14 Mar 2026 02:11:57 +0100 x", "2026-03-14T01:11:57Z"),
    form("day, month's name, year with dashes", "14-Mar-2026 02:11:57.123 x", "2026-03-14T02:11:57.123Z"),
    form("day, month's name, year with slashes", "[14/Mar/2026:02:11:57 +0100] x", "2026-03-14T01:11:57Z"),
    form("day, month's name, year, a blank", "[14/Mar/2026 02:11:57] x", "2026-03-14T02:11:57Z"),
    form("month, day and year with slashes", "03/14/2026 02:11:57 x", "2026-03-14T02:11:57Z"),
    form("month, day and year with slashes, twelve hours", "3/14/2026 2:11:57 PM x", "2026-03-14T14:11:57Z"),
    form("day, month and year with slashes, where the first is no month", "14/03/2026 02:11:57 x", "2026-03-14T02:11:57Z"),
    form("month, day and year with slashes, a dash or a comma", "03/14/2026-02:11:57.123 x", "2026-03-14T02:11:57.123Z"),
    form("Snort: no year", "03/14-02:11:57.123456  [**] x", "2026-03-14T02:11:57.123456Z"),
    form("Db2: minutes east of UTC", "2026-03-14-02.11.57.123456+060 x", "2026-03-14T01:11:57.123456Z"),
    form("a year of two digits first, as Spark writes it", "26/03/14 02:11:57 INFO x", "2026-03-14T02:11:57Z"),
    form("Genesys", "03/14/26@02:11:57.379 Std 04561 x", "2026-03-14T02:11:57.379Z"),
    form_at("day, month and year with points", "14.03.2026 02:11:57 x", "14.03.2026 02:11:57", "2026-03-14T02:11:57Z"),
    form("day, month and year with dashes", "14-03-2026 02:11:57 +0300 x", "2026-03-13T23:11:57Z"),
    form_at("year, month and day with points", "2026.03.14 02:11:57 x", "2026.03.14 02:11:57", "2026-03-14T02:11:57Z"),
    form_at("year, month and day with colons", "2026:03:14-02:11:57: x", "2026:03:14-02:11:57", "2026-03-14T02:11:57Z"),
    form_at("six digits, as old MySQL writes it", "260314  2:11:57 x", "260314  2:11:57", "2026-03-14T02:11:57Z"),
    form("logcat: no year", "03-14 02:11:57.123  1702  2395 E Tag: x", "2026-03-14T02:11:57.123Z"),
    form("any of these in brackets", "[2026-03-14T02:11:57,123] x", "2026-03-14T02:11:57.123Z"),
    form("a zone before the stamp, as monit writes it", "[CET Mar 14 02:11:57] error : x", "2026-03-14T01:11:57Z"),
    form_at("a time of day: the day of the line before", "02:11:57.123 x", "02:11:57", "2026-11-29T02:11:57.123Z"),
    form("an access log", "192.0.2.1 - ann [14/Mar/2026:02:11:57 +0100] \"GET / HTTP/1.1\" 200 9", "2026-03-14T01:11:57Z"),
    form_at(
        "Nagios: seconds since 1970 in brackets",
        "[1773454317] SERVICE ALERT: h1;PING;CRITICAL",
        "1773454317",
        "2026-03-14T02:11:57Z",
    ),
    form_at(
        "Squid: seconds since 1970",
        "1773454317.123      4 192.0.2.1 TCP_DENIED/403",
        "1773454317.123",
        "2026-03-14T02:11:57.123Z",
    ),
    form_at(
        "Zeek, and journalctl -o short-unix: microseconds",
        "1773454317.123456 x",
        "1773454317.123456",
        "2026-03-14T02:11:57.123456Z",
    ),
    form("multilog: TAI64N", "@400000004c91b044077a9e94 x", "2010-09-16T05:50:50.125476Z"),
    form_at("Linux audit", "type=USER_AUTH msg=audit(1773454317.000:9): pid=7", "1773454317.000", "2026-03-14T02:11:57Z"),
    form_at(
        "Linux audit with its node",
        "node=h1 type=AVC msg=audit(1773454317.000:9): x",
        "1773454317.000",
        "2026-03-14T02:11:57Z",
    ),
    form_at("Redis", "1234:M 14 Mar 2026 02:11:57.123 # x", "14 Mar 2026 02:11:57", "2026-03-14T02:11:57.123Z"),
    form_at("klog", "E0314 02:11:57.123456    1702 kubelet.go:2190] x", "0314 02:11:57", "2026-03-14T02:11:57.123456Z"),
    form_at("CockroachDB", "E260314 02:11:57.123456 77 server/x.go:1 x", "260314 02:11:57", "2026-03-14T02:11:57.123456Z"),
    form_at(
        "glog with a year",
        "W20260314 02:11:57.123456  1702 main.cc:9] x",
        "20260314 02:11:57",
        "2026-03-14T02:11:57.123456Z",
    ),
    form(
        "JSON and pairs: any of these as a value, or a number since 1970",
        "{\"ts\":1773454317.123,\"msg\":\"x\"}",
        "2026-03-14T02:11:57.123Z",
    ),
];
