//! Compares this decoder with other programs' test cases for syslog.
//!
//! Goal: every difference to a reference was examined by a person. Method: every case of `../shared/corpora` is decoded and
//! compared part by part. Each difference must have a row in `tests/decode/differences.tsv` with a verdict and a reason. A row
//! without a difference fails as well. Failures are printed as rows, ready to be judged.
//!
//! Not compared: the version of RFC 5424, which an event does not keep. For messages that a reference refuses, only the refusal
//! and the header parts that its lenient mode keeps are compared.

#![expect(clippy::unwrap_used, reason = "a case that is not as expected ends the test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use pointsman::core::base::text::printable_short;
use pointsman::core::base::time::Time;
use pointsman::core::decode::Decoder;
use pointsman::core::event::{Event, EventId, Format, Value};
use serde_json::Value as Json;

use crate::support::say;

const CASES: usize = 874;

/// (case, part) -> (ours, theirs)
type Differences = BTreeMap<(String, String), (String, String)>;

#[test]
fn every_difference_to_another_reader_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = root.join("../shared/corpora/syslog_cases.jsonl");
    let Ok(cases) = std::fs::read_to_string(&corpus) else {
        say(&format!("NOT RUN: {CASES} syslog cases (../shared/corpora is absent)"));
        return;
    };
    let mut found = Differences::new();
    let mut ordinals = BTreeMap::new();
    for line in cases.lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let source = text(&case, "source");
        let ordinal: &mut usize = ordinals.entry(source.clone()).or_default();
        let mut compared = Comparison::new(&case);
        match source.split(['/', '-']).next().unwrap() {
            "go" => compared.go_syslog(),
            "syslog" => compared.syslog_ng(),
            "rsyslog" => compared.rsyslog(),
            "syslog_loose" => compared.syslog_loose(),
            "vrl" => compared.vrl(),
            other => panic!("no comparison for {other}"),
        }
        for (part, ours, theirs) in compared.differences {
            found.insert((format!("{source}#{ordinal}"), part), (ours, theirs));
        }
        *ordinal += 1;
    }
    assert_eq!(ordinals.values().sum::<usize>(), CASES);
    check(&found, &std::fs::read_to_string(root.join("tests/decode/differences.tsv")).unwrap());
}

/// Checks both directions: no difference without a row, and no row without a difference.
fn check(found: &Differences, rows: &str) {
    let lines = rows.lines().count() - 1;
    let mut rows: BTreeMap<_, _> = rows
        .lines()
        .skip(1)
        .map(|row| {
            let columns: Vec<&str> = row.split('\t').collect();
            let &[case, part, ours, theirs, verdict, reason] = &columns[..] else {
                panic!("six columns: {row}");
            };
            assert!(["ours", "theirs", "ambiguous"].contains(&verdict), "{row}");
            assert!(!reason.is_empty(), "{row}");
            ((case.to_owned(), part.to_owned()), (ours.to_owned(), theirs.to_owned()))
        })
        .collect();
    assert_eq!(rows.len(), lines, "a case and part has one row");
    let mut wrong = String::new();
    for (key, values) in found {
        if rows.remove(key).as_ref() != Some(values) {
            let _ = writeln!(wrong, "{}\t{}\t{}\t{}\t?\t?", key.0, key.1, values.0, values.1);
        }
    }
    for (case, part) in rows.keys() {
        let _ = writeln!(wrong, "{case}\t{part}: has a row, and does not differ");
    }
    assert!(wrong.is_empty(), "case\tpart\tours\ttheirs\tverdict\treason\n{wrong}");
}

struct Comparison<'a> {
    case: &'a Json,
    input: Vec<u8>,
    differences: Vec<(String, String, String)>,
}

impl<'a> Comparison<'a> {
    fn new(case: &'a Json) -> Comparison<'a> {
        let input = match case.get("input_hex") {
            Some(hex) => bytes(hex.as_str().unwrap()),
            None => text(case, "input").into_bytes(),
        };
        Comparison { case, input, differences: Vec::new() }
    }

    fn differ(&mut self, part: &str, ours: &str, theirs: &str) {
        let as_id = EventId::parse(theirs).map(|id| id.to_string());
        let theirs = match as_id {
            // Numbers have leading zeros as an id: `1` is `00001`.
            Some(ref id) if part.eq_ignore_ascii_case("msgid") => id,
            _ => theirs,
        };
        if ours != theirs {
            let short = |s| printable_short(s, 160).replace('"', "'");
            self.differences.push((part.to_owned(), short(ours), short(theirs)));
        }
    }

    /// Compares a part of the reference, or nothing if the reference has none.
    fn part(&mut self, part: &str, ours: &str, theirs: &Json) {
        self.differ(part, ours, &plain(theirs));
    }

    fn accepted(&mut self, event: &Event<'_>, theirs: bool) {
        let ours = event.format != Format::Plain && !event.marks.broken;
        self.differ("accepted", yes(ours), yes(theirs));
    }

    fn decode(&self, reference: &str, west_s: i64) -> Event<'static> {
        let reference = Time::parse_rfc3339(reference).unwrap();
        let mut decoder = Decoder::datagrams().west_of_utc(i32::try_from(west_s).unwrap());
        decoder.decode(&self.input, reference).into_owned()
    }

    fn go_syslog(&mut self) {
        let event = self.decode("2019-02-08T08:37:49Z", 0);
        let valid = self.case["valid"].as_bool().unwrap();
        if text(self.case, "source") == "go-syslog/rfc3164" {
            self.accepted(&event, valid);
        } else {
            let ours = event.format == Format::Rfc5424 && !event.marks.broken;
            self.differ("accepted", yes(ours), yes(valid));
        }
        let expected = &self.case[if valid { "expected" } else { "partial_expected" }];
        if expected.is_null() {
            return;
        }
        for (part, ours) in [
            ("facility", number(event.facility)),
            ("severity", severity(&event)),
            ("hostname", event.host.to_string()),
            ("appname", event.app.to_string()),
            ("procid", event.pid.to_string()),
            ("msgid", id(&event)),
            ("message", event.text.to_string()),
        ] {
            let hex = &expected["message_hex"];
            let theirs = match part {
                "message" if hex.is_string() => latin1(hex.as_str().unwrap()),
                _ => plain(&expected[part]),
            };
            if valid || !theirs.is_empty() {
                self.differ(part, &ours, &theirs);
            }
        }
        let stamp = plain(&expected["timestamp"]);
        // This reader does not know the year: month, day and time are compared.
        match stamp.strip_prefix("0000-") {
            Some(rest) => {
                let ours = time(&event).split_off(5).replace(".000Z", "Z");
                self.differ("timestamp", &ours, rest);
            }
            None if valid || !stamp.is_empty() => self.moment("timestamp", &event, &stamp),
            None => {}
        }
        if valid {
            self.fields(&event, &expected["structured_data"]);
        }
    }

    fn syslog_ng(&mut self) {
        let expected = &self.case["expected"];
        if self.case.get("fragment").is_some() {
            self.input.splice(0..0, *b"<13>1 - - - - - ");
        }
        let west_s = -expected["utc_offset_s"].as_i64().unwrap_or(0);
        let event = self.decode("2019-02-08T08:37:49Z", west_s);
        if let Some(ok) = expected["parse_ok"].as_bool() {
            self.syslog_ng_format(&event, expected, ok);
            return;
        }
        if plain(&expected["msg"]).starts_with("Error processing log message") {
            self.accepted(&event, false);
            return;
        }
        let priority = event.facility.map(|f| f * 8 + severity(&event).parse::<u8>().unwrap());
        self.part("pri", &number(priority), &expected["pri"]);
        let ours = event.at.map(|at| at.micros());
        let us = expected["usec"].as_i64().unwrap_or(0);
        if let Some(epoch) = expected["time"]["epoch"].as_i64() {
            let shown = |us: i64| Time::from_micros(us).to_string();
            let theirs = epoch * 1_000_000 + us;
            self.differ("time", &ours.map_or(String::new(), shown), &shown(theirs));
        } else if expected["time"] == "received-time" {
            self.differ("time", &ours.map_or(String::new(), |_| time(&event)), "");
        } else {
            let ours = ours.map_or(String::new(), |t| t.rem_euclid(1_000_000).to_string());
            self.differ("usec", &ours, &us.to_string());
        }
        for (part, ours) in [
            ("host", event.host.to_string()),
            ("program", event.app.to_string()),
            ("pid", event.pid.to_string()),
            ("msgid", id(&event)),
            ("msg", event.text.to_string()),
        ] {
            if expected.get(part).is_some() {
                self.part(part, &ours, &expected[part]);
            }
        }
        if let Some(pairs) = expected["sd_pairs"].as_object() {
            for (name, value) in pairs {
                let name = name.strip_prefix(".SDATA.").unwrap();
                self.part(name, &field(&event, name), value);
            }
        }
    }

    fn syslog_ng_format(&mut self, event: &Event<'_>, expected: &Json, ok: bool) {
        if !ok || self.case.get("fragment").is_some() {
            self.accepted(event, ok);
        }
        for (name, theirs) in expected["values"].as_object().unwrap() {
            let ours = match name.as_str() {
                "HOST" => event.host.to_string(),
                "PROGRAM" => event.app.to_string(),
                "PID" => event.pid.to_string(),
                "MSGID" => id(event),
                "MSG" => event.text.to_string(),
                // The element as text, and the format of a refused message.
                "SDATA" => continue,
                "MSGFORMAT" if !ok => continue,
                "MSGFORMAT" => match event.format {
                    Format::Rfc5424 => "rfc5424".to_owned(),
                    Format::Rfc3164 => "rfc3164".to_owned(),
                    other => format!("{other:?}"),
                },
                other => field(event, other.strip_prefix(".SDATA.").unwrap()),
            };
            self.part(name, &ours, theirs);
        }
        for tag in expected["tags"].as_array().into_iter().flatten() {
            let holds = match tag.as_str().unwrap() {
                "syslog.invalid_pri" | "syslog.rfc5424_invalid_sdata" => event.marks.broken,
                "syslog.missing_timestamp" | "syslog.rfc3164_missing_header" => event.at.is_none(),
                "syslog.rfc3164_invalid_program" => event.app.is_empty(),
                // Framing belongs to the source. For the decoder, such a record is plain.
                "syslog.unexpected_framing" => event.format == Format::Plain,
                other => panic!("unknown tag {other}"),
            };
            self.differ(tag.as_str().unwrap(), yes(holds), "yes");
        }
    }

    fn rsyslog(&mut self) {
        let template = text(self.case, "rendered_template");
        let expected = text(self.case, "expected_rendered");
        let event = self.decode("2010-06-15T00:00:00Z", 0);
        let columns: Vec<&str> = template.trim_end_matches("\\n").split("%,").collect();
        let theirs: Vec<String> = if template.contains("csv") {
            expected.split(", ").map(|c| c.trim_matches('"').to_owned()).collect()
        } else {
            expected.splitn(columns.len(), ',').map(str::to_owned).collect()
        };
        for (column, theirs) in columns.iter().zip(theirs) {
            let column = column.trim_matches(['%', ' ']);
            let name = column.split(':').next().unwrap();
            let theirs = theirs.trim();
            match name {
                // A message without a priority has 13 there.
                "PRI" => {
                    let ours = event.facility.map_or(13, |f| f * 8 + severity(&event).parse::<u8>().unwrap());
                    self.differ("PRI", &ours.to_string(), theirs);
                }
                "timestamp" => {
                    let ours = event.at.map_or(String::new(), |_| rsyslog_stamp(&time(&event)));
                    let theirs: Vec<&str> = theirs.split_whitespace().map(|w| w.trim_start_matches('0')).collect();
                    self.differ("timestamp", &ours, &theirs.join(" "));
                }
                "timereported" => self.differ("timestamp", &time(&event)[..19], theirs),
                // The source adds the host to an event without one.
                "hostname" if theirs == "$RS_HOSTNAME" => self.differ("hostname", &event.host, ""),
                "hostname" => self.differ("hostname", &event.host, theirs),
                "programname" => self.differ("programname", &event.app, theirs),
                "syslogseverity" => self.differ("severity", &severity(&event), theirs),
                "syslogtag" if column.contains('R') && !theirs.starts_with("**") => {
                    self.differ("pid", &event.pid, theirs);
                }
                "msg" => self.differ("msg", &event.text, theirs),
                // Names of the numbers, and the tag, which repeats name and pid.
                "syslogfacility-text" | "syslogseverity-text" | "syslogtag" => {}
                other => panic!("unknown column {other}"),
            }
        }
    }

    fn syslog_loose(&mut self) {
        let west_s = match text(self.case, "tz").as_str() {
            "local" => 0,
            "Some(Europe/Paris)" => -3600,
            "Some(+05:00)" => -18_000,
            other => panic!("unknown zone {other}"),
        };
        let event = self.decode("2020-02-15T00:00:00Z", west_s);
        let expected = &self.case["expected"];
        if expected.is_null() {
            self.accepted(&event, false);
            return;
        }
        self.named_priority(&event, expected);
        self.moment("timestamp", &event, &plain(&expected["timestamp"]));
        for (part, ours) in [
            ("hostname", event.host.to_string()),
            ("appname", event.app.to_string()),
            ("procid", event.pid.to_string()),
            ("msgid", id(&event)),
            ("msg", event.text.to_string()),
        ] {
            self.part(part, &ours, &expected[part]);
        }
        let mut elements = serde_json::Map::new();
        for element in expected["structured_data"].as_array().unwrap() {
            let params = element["params"].as_array().unwrap().iter();
            let params = params.map(|p| (plain(&p[0]), p[1].clone())).collect();
            elements.insert(plain(&element["id"]), Json::Object(params));
        }
        self.fields(&event, &Json::Object(elements));
    }

    fn vrl(&mut self) {
        let event = self.decode("2020-06-15T00:00:00Z", 0);
        if !self.case["valid"].as_bool().unwrap() {
            self.accepted(&event, false);
            return;
        }
        let expected = self.case["expected"].as_object().unwrap();
        self.named_priority(&event, &self.case["expected"]);
        let stamp = plain(&self.case["expected"]["timestamp"]).replace("<current year>", "2020");
        self.moment("timestamp", &event, &stamp);
        for (part, ours) in [
            ("hostname", event.host.to_string()),
            ("appname", event.app.to_string()),
            ("procid", event.pid.to_string()),
            ("msgid", id(&event)),
            ("message", event.text.to_string()),
        ] {
            self.part(part, &ours, expected.get(part).unwrap_or(&Json::Null));
        }
        let elements = expected.iter().filter(|(_, v)| v.is_object());
        let elements = elements.map(|(k, v)| (k.clone(), v.clone())).collect();
        self.fields(&event, &Json::Object(elements));
    }

    fn named_priority(&mut self, event: &Event<'_>, expected: &Json) {
        let facility = event.facility.map_or("", |f| FACILITIES[usize::from(f)]);
        self.part("facility", facility, &expected["facility"]);
        let severity = severity(event).parse().map_or("", |s: usize| SEVERITIES[s]);
        self.part("severity", severity, &expected["severity"]);
    }

    fn moment(&mut self, part: &str, event: &Event<'_>, theirs: &str) {
        let theirs = Time::parse_rfc3339(theirs).map_or(theirs.to_owned(), |t| t.to_string());
        self.differ(part, &event.at.map_or(String::new(), |t| t.to_string()), &theirs);
    }

    /// All fields at once, sorted. An element without parameters is its id with an empty text.
    fn fields(&mut self, event: &Event<'_>, elements: &Json) {
        let mut theirs = Vec::new();
        for (id, params) in elements.as_object().into_iter().flatten() {
            let params = params.as_object().unwrap();
            if params.is_empty() {
                theirs.push(format!("{id}="));
            }
            theirs.extend(params.iter().map(|(k, v)| format!("{id}.{k}={}", plain(v))));
        }
        let mut ours: Vec<String> = event.fields.iter().map(|(k, v)| format!("{k}={v}")).collect();
        theirs.sort();
        ours.sort();
        self.differ("structured_data", &ours.join(" "), &theirs.join(" "));
    }
}

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit",
    "alert", "clockd", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// The number of the severity, 0 to 7, or an empty text if the record has none.
fn severity(event: &Event<'_>) -> String {
    let names = ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"];
    let number = event.level.and_then(|l| names.iter().position(|n| *n == l.name()));
    number.map_or(String::new(), |n| n.to_string())
}

fn number(n: Option<u8>) -> String {
    n.map_or(String::new(), |n| n.to_string())
}

fn id(event: &Event<'_>) -> String {
    event.id.as_ref().map_or(String::new(), ToString::to_string)
}

fn time(event: &Event<'_>) -> String {
    event.at.map_or(String::new(), |t| t.to_string())
}

fn field(event: &Event<'_>, name: &str) -> String {
    event.field(name).as_ref().and_then(Value::as_text).unwrap_or("(none)").to_owned()
}

/// Converts `2010-03-06T16:57:54.000Z` to `Mar 6 16:57:54`.
fn rsyslog_stamp(time: &str) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month: usize = time[5..7].parse().unwrap();
    let clock = time[11..19].trim_start_matches('0');
    format!("{} {} {clock}", MONTHS[month - 1], time[8..10].trim_start_matches('0'))
}

fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

fn text(case: &Json, name: &str) -> String {
    case[name].as_str().unwrap_or_else(|| panic!("{name}: {case}")).to_owned()
}

fn plain(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(s) => s.clone(),
        other => other.to_string(),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks_exact(2);
    digits.map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap()).collect()
}

fn latin1(hex: &str) -> String {
    bytes(hex).into_iter().map(char::from).collect()
}
