//! Tests of objects (JSON) and pairs (logfmt): what their keys say, and what must not be taken for them.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::core::sim::Rng;

/// A line alone: `time host app[pid] level`, `-` for missing parts. The text is always the whole line.
fn parts(record: &str) -> String {
    let event = decode(record);
    assert_eq!(event.text, record);
    // MongoDB's messages have ids.
    assert!((event.id.is_none() || record.contains("$date")) && event.fields.is_empty() && event.app_type.is_empty(), "{record}");
    short(&event)
}

fn short(event: &Event<'_>) -> String {
    let or = |s: &str| if s.is_empty() { "-".to_owned() } else { s.to_owned() };
    let at = event.at.map_or("-".to_owned(), |t| t.to_string().replace(".000Z", "Z"));
    let pid = if event.pid.is_empty() { String::new() } else { format!("[{}]", event.pid) };
    assert_eq!(EventMarks { zoneless: false, ..event.marks }, EventMarks::default());
    format!("{at} {} {}{pid} {}", or(&event.host), or(&event.app), event.level.map_or("-", Level::name))
}

fn check_parts(cases: &[(&str, &str)]) {
    for (record, expected) in cases {
        assert_eq!(parts(record), *expected, "{record}");
    }
}

#[test]
fn objects_as_loggers_write_them() {
    check_parts(&[
        // zap, zerolog, logrus, slog
        (
            r#"{"level":"info","ts":1603043411.2345,"caller":"main.go:12","msg":"started","port":80}"#,
            "2020-10-18T17:50:11.234500Z - - info",
        ),
        (
            r#"{"level":"dpanic","ts":"2020-10-18T17:50:11.234Z","logger":"db","msg":"x"}"#,
            "2020-10-18T17:50:11.234Z - - critical",
        ),
        (r#"{"level":"warn","time":1603043411,"message":"x"}"#, "2020-10-18T17:50:11Z - - warning"),
        (
            r#"{"level":"fatal","msg":"x","time":"2014-03-10T19:57:38-04:00","animal":"walrus"}"#,
            "2014-03-10T23:57:38Z - - critical",
        ),
        (
            r#"{"time":"2022-11-08T15:28:26.000000000-05:00","level":"INFO+2","source":{"function":"main","line":1},"msg":"hello"}"#,
            "2022-11-08T20:28:26Z - - info",
        ),
        // pino, bunyan
        (
            r#"{"level":30,"time":1531171074631,"pid":657,"hostname":"Davids-MBP-3.fritz.box","msg":"hello world"}"#,
            "2018-07-09T21:17:54.631Z Davids-MBP-3.fritz.box -[657] info",
        ),
        (
            r#"{"name":"myapp","hostname":"banana.local","pid":40161,"level":60,"msg":"hi","time":"2013-01-04T18:46:23.851Z","v":0}"#,
            "2013-01-04T18:46:23.851Z banana.local -[40161] critical",
        ),
        // GELF: the mark may stand behind the level
        (
            r#"{"version":"1.1","host":"example.org","short_message":"A short\nmessage","timestamp":1385053862.3072,"level":1,"_user":9}"#,
            "2013-11-21T17:11:02.307200Z example.org - alert",
        ),
        (r#"{"level":3,"host":"h","short_message":"x","version":"1.1"}"#, "- h - error"),
        (r#"{"level":3,"host":"h","message":"x","version":"1.1"}"#, "- - - -"),
        (r#"{"level":3,"host":"h","short_message":"x","version":"HTTP/1.1"}"#, "- - - -"),
        (r#"{"time":"2020-01-01T00:00:00Z","host":"shop.example","method":"GET"}"#, "2020-01-01T00:00:00Z - - -"),
        (r#"{"@timestamp":"2020-01-01T00:00:00Z","@version":"1","host":"h"}"#, "2020-01-01T00:00:00Z h - -"),
        // Elastic Common Schema, nested and dotted
        (
            r#"{"@timestamp":"2019-08-06T12:09:12.375Z","log.level":"INFO","message":"x","service.name":"petclinic","host.name":"h1"}"#,
            "2019-08-06T12:09:12.375Z h1 petclinic info",
        ),
        (
            r#"{"@timestamp":"2019-08-06T12:09:12.375Z","log":{"logger":"a","level":"error"},"host":{"os":{"name":"linux"},"name":"h1"},"service":{"name":"shop","id":"7"},"process":{"pid":8}}"#,
            "2019-08-06T12:09:12.375Z h1 shop error",
        ),
        // Caddy, Traefik
        (
            r#"{"level":"error","ts":1646861401.5241024,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"127.0.0.1","proto":"HTTP/2.0","host":"localhost","headers":{"User-Agent":["curl/7.82.0"]}},"status":500}"#,
            "2022-03-09T21:30:01.524102Z - - error",
        ),
        (
            r#"{"ClientHost":"10.0.0.1","Duration":12,"RequestHost":"shop","StartUTC":"2020-10-18T17:50:10Z","level":"info","msg":"","time":"2020-10-18T19:50:11+02:00"}"#,
            "2020-10-18T17:50:11Z - - info",
        ),
        // PostgreSQL, MongoDB, CloudTrail, PHP
        (
            r#"{"timestamp":"2022-08-18 12:00:00.123 CEST","user":"joe","pid":1234,"session_id":"62fe","line_num":1,"error_severity":"FATAL","state_code":"28P01","message":"x"}"#,
            "2022-08-18T10:00:00.123Z - -[1234] critical",
        ),
        (
            r#"{"t":{"$date":"2020-05-01T15:16:17.180+00:00"},"s":"E","c":"NETWORK","id":12345,"ctx":"listener","msg":"x","attr":{"port":1}}"#,
            "2020-05-01T15:16:17.180Z - - error",
        ),
        (r#"{"s":"E","msg":"not MongoDB","ts":"2020-05-01T15:16:17Z"}"#, "2020-05-01T15:16:17Z - - -"),
        (r#"{"eventVersion":"1.08","eventTime":"2021-02-03T04:05:06Z","eventName":"x"}"#, "2021-02-03T04:05:06Z - - -"),
        (r#"{"datetime":"2021\/02\/03 04:05:06","level":200,"level_name":"INFO"}"#, "2021-02-03T04:05:06Z - - info"),
        (r#"@cee: {"time":"2021-02-03T04:05:06Z","hostname":"h","pid":"9"}"#, "2021-02-03T04:05:06Z h -[9] -"),
        // Blanks in every allowed place
        ("{ \"time\" :\t\"2021-02-03T04:05:06Z\" , \"level\" : \"Error\" }", "2021-02-03T04:05:06Z - - error"),
    ]);
}

#[test]
fn pairs_as_loggers_write_them() {
    check_parts(&[
        (r#"time="2014-03-10T19:57:38-04:00" level=warning msg="say \"hi\"" hostname=h1"#, "2014-03-10T23:57:38Z h1 - warning"),
        (
            r#"t=2020-10-19T17:44:33+0200 lvl=eror msg="Invalid username or password" logger=context userId=0 uname= remote_addr=182.56.23.12"#,
            "2020-10-19T15:44:33Z - - error",
        ),
        ("ts=2020-10-19T15:44:33.123Z caller=main.go:1 level=info component=tsdb", "2020-10-19T15:44:33.123Z - - info"),
        ("level=info ts=1603043411.2 msg=x app=shop pid=7", "2020-10-18T17:50:11.200Z - shop[7] info"),
        ("time=2020-10-19 15:44:33.5 level=INFO", "2020-10-19T15:44:33.500Z - - info"),
        (
            r#"at=info method=GET path="/a?host=evil" host=shop.example.com fwd="1.2.3.4" dyno=web.1 connect=1ms status=200"#,
            // The caller asked for that host.
            "- - - -",
        ),
        // Day and time apart
        (r#"date=2019-05-10 time=11:37:47 type="traffic" level="notice" vd="vdom1" msg="x""#, "2019-05-10T11:37:47Z - - notice"),
        ("level=error msg=x", "- - - error"),
        ("level=error", "- - - -"),
        ("level=error msg", "- - - -"),
        // Not pairs
        ("time=2020-10-19T17:44:33Z", "- - - -"),
        ("time=soon hostname=h1 the end", "- - - -"),
        ("x=1", "- - - -"),
        ("t=3034423619 3042462419", "- - - -"),
        ("t=1603043411 hostname=h1 goes on", "2020-10-18T17:50:11Z h1 - -"),
        ("SELECT a=1 level=error hostname=h", "- - - -"),
        (r#"a="x\y" level="er\ror" hostname="h\"" hostname="h\1""#, "- h1 - error"),
        ("a=1 level=error, level=info hostname=h1;", "- h1 - error"),
    ]);
}

#[test]
fn what_somebody_else_said_is_no_key() {
    check_parts(&[
        // Keys inside values do not count
        (r#"{"msg":"\",\"hostname\":\"evil\",\"time\":\"2020-01-01T00:00:00Z","hostname":"good"}"#, "- good - -"),
        (r#"{"msg":"a\\","hostname":"good"}"#, "- good - -"),
        (
            r#"{"a":{"hostname":"evil","x":[{"time":1603043411}]},"b":["hostname",{"hostname":"evil"}],"hostname":"good"}"#,
            "- good - -",
        ),
        (r#"{"a":"}","b":"{\"","c":["]","}"],"hostname":"good"}"#, "- good - -"),
        (r#"{"log":{"x":{"level":"error"},"level":"info"},"service":{"x":{"name":"evil"}}}"#, "- - - info"),
        (r#"t=2020-10-19T17:44:33Z msg="x\" hostname=evil y=\"" hostname=good"#, "2020-10-19T17:44:33Z good - -"),
        (r#"t=2020-10-19T17:44:33Z user=' agent="' hostname=evil " hostname=good"#, "2020-10-19T17:44:33Z - - -"),
        (r#"t=2020-10-19T17:44:33Z msg="said "hi" hostname=evil x="" hostname=good"#, "2020-10-19T17:44:33Z - - -"),
        ("t=2020-10-19T17:44:33Z text goes on hostname=evil", "2020-10-19T17:44:33Z - - -"),
        // The first key counts
        (r#"{"hostname":"first","hostname":"second","hostname":"third","level":"info","level":"error"}"#, "- first - info"),
        (r#"{"time":"2020-01-01T00:00:00Z","ts":1603043411}"#, "2020-01-01T00:00:00Z - - -"),
        ("a=1 b=2 hostname=first hostname=second", "- first - -"),
        // A value that is ignored leaves the place to the next key
        (
            r#"{"time":0.012,"ts":"soon","hostname":"","hostname":null,"hostname":["x"],"hostname":"a b","hostname":"h","date":"2020-01-01T00:00:00Z"}"#,
            "2020-01-01T00:00:00Z h - -",
        ),
        (r#"{"level":"loud","severity":35,"lvl":true,"loglevel":"Err"}"#, "- - - error"),
        (r#"{"app":"a\u0000b","service":7,"program":"-","application":"my shop","pid":true,"pid":"1 2"}"#, "- - my shop -"),
        // Broken and cut
        (r#"{"hostname":"h","app":"a"#, "- h - -"),
        (r#"{"hostname":"h","pid":12"#, "- h - -"),
        (r#"{"hostname":"h" "app":"a"}"#, "- h - -"),
        (r#"{"hostname":"h",app:"a","pid":7}"#, "- h - -"),
        (r#"{"hostname":"h","x":[},"app":"a"}"#, "- h - -"),
        (r#"{"hostname":"h","app":"\x"}"#, "- h - -"),
        (r#"{"hostname":"h","app":"a\"#, "- h - -"),
        (r#"{"hostname":"h"} {"app":"a"}"#, "- h - -"),
        ("{", "- - - -"),
        ("{}", "- - - -"),
        ("@cee:", "- - - -"),
        ("{host: h}", "- - - -"),
        // An escaped key is not recognised, and neither is one in other letter case
        (r#"{"h\u006fst":"x","Host":"y"}"#, "- - - -"),
    ]);
    let deep = |n: usize| format!(r#"{{"x":{}{},"hostname":"h"}}"#, "[".repeat(n), "]".repeat(n));
    check_parts(&[(&deep(127), "- h - -"), (&deep(128), "- - - -"), (&format!("{{\"x\":{}", "[{\"".repeat(9_000)), "- - - -")]);
    let long = format!(r#"{{"hostname":"{}","app":"a"}}"#, "h".repeat(256));
    check_parts(&[(&long, "- - a -")]);
}

#[test]
fn numbers_are_times_by_their_size() {
    for (number, expected) in [
        ("1603043411", "2020-10-18T17:50:11Z"),
        ("1603043411.000001", "2020-10-18T17:50:11.000001Z"),
        ("1603043411234", "2020-10-18T17:50:11.234Z"),
        ("1603043411234.5", "2020-10-18T17:50:11.234500Z"),
        ("1603043411234567", "2020-10-18T17:50:11.234567Z"),
        ("1603043411234567890", "2020-10-18T17:50:11.234567Z"),
        ("1.603043411e9", "2020-10-18T17:50:11Z"),
        ("9999999999", "2286-11-20T17:46:39Z"),
        // Durations, counters and dates as one number are no times
        ("12", "-"),
        ("0.25", "-"),
        ("202010181750", "-"),
        ("20201018175011", "-"),
        ("20201018175011234", "-"),
        ("99999999999999999999", "-"),
        ("1e999", "-"),
    ] {
        for record in [format!("{{\"ts\":{number}}}"), format!("{{\"ts\":\"{number}\"}}"), format!("a=1 b=2 ts={number}")] {
            assert_eq!(parts(&record), format!("{expected} - - -"), "{record}");
        }
    }
}

#[test]
fn a_source_of_objects_has_the_time_as_other_lines_have() {
    check_source(
        &mut Decoder::new(),
        &[
            (r#"{"hostname":"h","msg":"before any time"}"#, r#"- h - - - - - || {"hostname":"h","msg":"before any time"}"#),
            (r#"{"ts":1603043411,"app":"a"}"#, r#"2020-10-18T17:50:11Z - a - - - - || {"ts":1603043411,"app":"a"}"#),
            ("  at x.y(z)", "2020-10-18T17:50:11Z - a - - - - ||   at x.y(z) <- continuation"),
            // Without a time it may be a line of a body.
            (r#"{"hostname":"evil"}"#, r#"2020-10-18T17:50:11Z - a - - - - || {"hostname":"evil"} <- continuation"#),
            ("{", "2020-10-18T17:50:11Z - a - - - - || { <- continuation"),
            (r#"  {"ts":1503043411}"#, r#"2020-10-18T17:50:11Z - a - - - - ||   {"ts":1503043411} <- continuation"#),
            (r#"{"ts":1803043411}"#, r#"2027-02-19T13:23:31Z - - - - - - || {"ts":1803043411} <- jump"#),
            (r#"{"ts":1603043412}"#, r#"2020-10-18T17:50:12Z - - - - - - || {"ts":1603043412}"#),
            ("time=17:50:13 a=b c=d", "2020-10-18T17:50:13Z - - - - - - || time=17:50:13 a=b c=d <- date?"),
        ],
    );
    // An object over several lines is one record.
    check_source(
        &mut Decoder::new(),
        &[
            ("Jan 12 06:30:00 h app: t", "2019-01-12T06:30:00Z h app - - - - || t <- year?"),
            ("{", "2019-01-12T06:30:00Z h app - - - - || { <- continuation"),
            (
                r#"  "time": "2020-01-01T00:00:00Z","#,
                r#"2019-01-12T06:30:00Z h app - - - - ||   "time": "2020-01-01T00:00:00Z", <- continuation"#,
            ),
            ("}", "2019-01-12T06:30:00Z h app - - - - || } <- continuation"),
        ],
    );
}

#[test]
fn no_object_in_a_genesys_file() {
    let object = r#"{"time":"2020-01-01T00:00:00Z","hostname":"evil","level":"error"}"#;
    let pairs = "time=2020-01-01T00:00:00Z hostname=evil level=error";
    let mut seen = Decoder::new();
    seen.decode(b"2016-06-05T10:00:00.000 Std 04561 x", time(REFERENCE));
    for mut decoder in [with_header(), seen] {
        for line in [object, pairs] {
            let event = decoder.decode(line.as_bytes(), time(REFERENCE));
            assert!(event.host != "evil" && event.level != Some(Level::Error) && event.text == line, "{event:?}");
            assert!(event.at.is_none_or(|at| at != time("2020-01-01T00:00:00Z")));
        }
    }
}

#[test]
fn an_object_in_a_syslog_message_says_the_level_alone() {
    let text = r#"{"time":"2020-01-01T00:00:00Z","hostname":"x","app":"y","pid":"1","level":"error"}"#;
    for (header, expected) in [
        ("Jan 12 06:30:00 h app[7]: ", "2019-01-12T06:30:00Z h app[7] - - error - || {} <- year?"),
        ("Jan 12 06:30:00 h app[7]: @cee: ", "2019-01-12T06:30:00Z h app[7] - - error - || @cee: {} <- year?"),
        ("<34>Jan 12 06:30:00 h app[7]: ", "2019-01-12T06:30:00Z h app[7] - - critical 4 || {} <- year?"),
        ("1 2003-10-11T22:14:15Z h app 7 - - ", "2003-10-11T22:14:15Z h app[7] - - error - || {}"),
        ("<34>", "- - - - - critical 4 || {}"),
    ] {
        let record = format!("{header}{text}");
        assert_eq!(shown(&decode(&record)), expected.replace("{}", text), "{record}");
    }
}

#[test]
fn a_datagram_is_read_alone() {
    let mut decoder = Decoder::datagrams();
    for (record, expected) in [
        (
            r#"{"version":"1.1","short_message":"x","host":"h","timestamp":1603043411,"level":4}"#,
            "2020-10-18T17:50:11Z h - warning",
        ),
        (r#"{"hostname":"h"}"#, "- h - -"),
        ("t=2020-10-19T17:44:33Z x", "2020-10-19T17:44:33Z - - -"),
    ] {
        let event = decoder.decode(record.as_bytes(), time(REFERENCE)).into_owned();
        assert_eq!(short(&event), expected);
        assert_eq!(decoder, Decoder::datagrams());
    }
}

#[test]
fn an_object_is_read_without_a_copy() {
    let record = br#"{"ts":1603043411,"hostname":"h","app":"a","pid":7,"level":"info","msg":"\n"}"#;
    let event = Decoder::new().decode(record, time(REFERENCE));
    for part in [&event.host, &event.app, &event.pid, &event.text] {
        assert!(matches!(part, Cow::Borrowed(_)) && !part.is_empty());
    }
}

/// Any value, a few levels deep, with the special characters of the format in its texts.
fn value() -> impl Strategy<Value = Json> {
    let text = prop_oneof![
        "[a-z]{1,5}",
        Just("\",\"hostname\":\"evil\"".to_owned()),
        Just("\\".to_owned()),
        Just("}]".to_owned()),
        any::<String>()
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        text.prop_map(Json::from)
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::vec((key(), inner), 0..3).prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("hostname".to_owned()),
        Just("host".to_owned()),
        Just("app".to_owned()),
        Just("name".to_owned()),
        "[a-z\"\\\\{}]{0,3}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn an_object_is_read_as_another_reader_reads_it(members in prop::collection::vec((key(), value()), 0..6)) {
        let written: Vec<String> = members.iter().map(|(k, v)| format!("{}:{v}", json!(k))).collect();
        let record = format!("{{{}}}", written.join(","));
        let event = decode(&record);
        let is_host = |name: &str| {
            !name.is_empty() && name != "-" && name.len() < 256
                && name.chars().all(|c| c.is_alphanumeric() || "-._:%#@/+~()".contains(c))
        };
        let is_app = |name: &str| !name.is_empty() && name != "-" && name.len() < 256 && !name.chars().any(char::is_control);
        let host = members.iter().find_map(|(k, v)| {
            let said = match k.as_str() {
                "hostname" => v.as_str(),
                "host" => v.get("name")?.as_str(),
                _ => None,
            };
            said.filter(|name| is_host(name))
        });
        let app = members.iter().filter(|(k, _)| k == "app").find_map(|(_, v)| v.as_str().filter(|name| is_app(name)));
        prop_assert_eq!((&*event.host, &*event.app), (host.unwrap_or_default(), app.unwrap_or_default()), "{}", record);
    }
}

#[test]
fn lines_that_were_changed_anywhere_are_read_without_panic_and_twice_alike() {
    let lines = [
        r#"{"level":30,"time":1531171074631,"pid":657,"hostname":"box","msg":"a\"b","x":{"y":[1,{"z":"}"}]}}"#,
        r#"{"t":{"$date":"2020-05-01T15:16:17.180+00:00"},"s":"E","log":{"level":"error"},"host":{"name":"h"},"msg":"\u00e9"}"#,
        r#"@cee: {"@timestamp":"2019-08-06T12:09:12.375Z","log.level":"INFO","service.name":"päckchen"}"#,
        r#"time="2014-03-10T19:57:38-04:00" level=warning msg="say \"hi\"" hostname=h1 date=2019-05-10 pid=7"#,
        r#"date=2019-05-10 time=11:37:47 level="notice" msg='x' app=Ü"#,
    ];
    let mut rng = Rng::new(20_261_121);
    let pieces: [&[u8]; 12] =
        [b"\"", b"\\", b"{", b"}", b"[", b"]", b",", b":", b"=", b"\xff", b"\"hostname\":\"x\"", b"99999999999999999999"];
    for _ in 0..20_000 {
        let mut line = lines[rng.index(lines.len())].as_bytes().to_vec();
        for _ in 0..=rng.below(4) {
            let at = rng.index(line.len() + 1);
            match rng.below(4) {
                0 => line.truncate(at),
                1 => drop(line.splice(at..at, pieces[rng.index(pieces.len())].iter().copied())),
                2 if at < line.len() => line[at] = rng.below(256) as u8,
                _ => drop(line.drain(at..(at + 3).min(line.len()))),
            }
        }
        let (mut once, mut again) = (Decoder::new(), Decoder::new());
        for decoder in [&mut once, &mut again] {
            decoder.decode(b"2020-01-01 00:00:00 x", time(REFERENCE));
        }
        let event = once.decode(&line, time(REFERENCE));
        assert_eq!(event, again.decode(&line, time(REFERENCE)));
        assert!([&event.host, &event.app, &event.pid].iter().all(|part| !part.contains('\n')));
        assert_eq!(once, again);
    }
}
