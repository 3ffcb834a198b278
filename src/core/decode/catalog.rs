//! The list of everything that is read, with its samples: `docs/reference/formats.md` shows it, and the tests run it.
//!
//! In: the tables of [`super::heads`] and [`super::stamp::forms`], and the samples below for what is in no table. Out: the page.
//! `tests/it/decode.rs` compares the page with the document.

use std::fmt::Write as _;

use crate::core::base::text::printable_short;
use crate::core::base::time::Time;
use crate::core::base::zone::Zone;
use crate::core::event::Event;

use super::heads::{self, HeadPlace};
use super::stamp::forms::FORMS;
use super::{Decoder, LineFormat};

/// When the file of the samples was written.
const WRITTEN: &str = "2026-11-29T12:00:00Z";
/// How much of a sample and of its reading the page shows, in bytes.
const SHOWN_BYTES: usize = 400;

/// A name, the records that make an event (one or several), and what is read from the last one.
type Sample = (&'static str, &'static [&'static str], &'static str);

const STANDARD: &[Sample] = &[
    (
        "RFC 5424",
        &["<34>1 2026-03-14T02:11:57.003Z h1 su 7 ID47 [ex@1 k=\"v\"] failed"],
        "at=2026-03-14T02:11:57.003Z host=h1 app=su pid=7 id=ID47 level=critical ex@1.k=v text=failed",
    ),
    (
        "RFC 5424 in a file, without a priority",
        &["1 2026-03-14T02:11:57Z h1 su - - - failed"],
        "at=2026-03-14T02:11:57Z host=h1 app=su text=failed",
    ),
    (
        "RFC 3164",
        &["<34>Mar 14 02:11:57 h1 sshd[12]: Connection closed"],
        "at=2026-03-14T02:11:57Z host=h1 app=sshd pid=12 level=critical text=Connection closed",
    ),
    (
        "RFC 3164 in a file",
        &["Mar 14 02:11:57 h1 sshd[12]: Connection closed"],
        "at=2026-03-14T02:11:57Z host=h1 app=sshd pid=12 text=Connection closed",
    ),
    (
        "RFC 3164, messages that rsyslog has replaced by one record",
        &["Mar 14 02:11:57 h1 sshd[12]: message repeated 3 times: [ Connection closed]"],
        "at=2026-03-14T02:11:57Z host=h1 app=sshd pid=12 repeated=3 text=Connection closed",
    ),
    (
        "RFC 3164 with a known program and no host",
        &["Apr 03 11:01:18 corosync [QUORUM] Members[1]: 1"],
        "at=2026-04-03T11:01:18Z app=corosync text=[QUORUM] Members[1]: 1",
    ),
    (
        "syslog with a stamp of ISO 8601",
        &["2026-03-14T02:11:57.602061 h1 app[764]: job done"],
        "at=2026-03-14T02:11:57.602061Z host=h1 app=app pid=764 text=job done",
    ),
    (
        "syslog with a stamp of ISO 8601 and a zone's name",
        &["2026-03-14 02:11:57 UTC h1 app[7]: job done"],
        "at=2026-03-14T02:11:57Z host=h1 app=app pid=7 text=job done",
    ),
    (
        "journalctl -o short-full",
        &["Sat 2026-03-14 02:11:57 CET h1 sshd[12]: hello"],
        "at=2026-03-14T01:11:57Z host=h1 app=sshd pid=12 text=hello",
    ),
    (
        "AIX, forwarded",
        &["<38>Mar 14 02:11:57 Message forwarded from aix-1: sshd[679960]: Accepted publickey"],
        "at=2026-03-14T02:11:57Z host=aix-1 app=sshd pid=679960 level=info text=Accepted publickey",
    ),
    (
        "Cisco IOS",
        &["<189>29: rtr1: *Mar 14 02:11:57.000: %SYS-5-CONFIG_I: Configured from console"],
        "at=2026-03-14T02:11:57Z host=rtr1 id=SYS-5-CONFIG_I level=notice meta.sequenceId=29 timeQuality.isSynced=0 text=Configured from console",
    ),
    (
        "a priority and text: the host is the sender's address, or what the inventory calls it",
        &["<30>Network link has gone down on interface 1."],
        "level=info text=Network link has gone down on interface 1.",
    ),
    (
        "a priority before another one: the second is the sender's own",
        &["<13><34>Mar 14 02:11:57 h1 su: failed"],
        "at=2026-03-14T02:11:57Z host=h1 app=su level=critical text=failed",
    ),
    (
        "Genesys, short",
        &["2026-03-14T02:11:57.123 Std 04561 Hot Standby (backup) mode activated"],
        "at=2026-03-14T02:11:57.123Z id=04561 level=notice text=Hot Standby (backup) mode activated",
    ),
    (
        "Genesys, full",
        &["2026-03-14T02:11:57.123 Standard sip1 SIP_P GCTI-00-04563 Hot Standby (primary) mode activated"],
        "at=2026-03-14T02:11:57.123Z host=sip1 app=SIP_P id=00-04563 level=notice text=Hot Standby (primary) mode activated",
    ),
    (
        "Fortinet",
        &[
            "<185>date=2026-03-14 time=02:11:57 devname=\"fg-1\" devid=\"FG1\" logid=\"0100032002\" type=\"event\" level=\"alert\" msg=\"login failed\"",
        ],
        "at=2026-03-14T02:11:57Z host=fg-1 id=0100032002 level=alert text=date=2026-03-14 time=02:11:57 devname=\"fg-1\" devid=\"FG1\" logid=\"0100032002\" type=\"event\" level=\"alert\" msg=\"login failed\"",
    ),
    (
        "Sophos",
        &["<30>device_name=\"XG\" timestamp=\"2026-03-14T02:11:57+0100\" log_id=062009617502 priority=Information message=\"x\""],
        "host=XG id=062009617502 level=info at=2026-03-14T01:11:57Z text=device_name=\"XG\" timestamp=\"2026-03-14T02:11:57+0100\" log_id=062009617502 priority=Information message=\"x\"",
    ),
    (
        "JSON: the keys of time, level, host, application and process",
        &["{\"time\":\"2026-03-14T02:11:57Z\",\"level\":\"warn\",\"hostname\":\"h1\",\"app\":\"shop\",\"pid\":7,\"msg\":\"x\"}"],
        "at=2026-03-14T02:11:57Z host=h1 app=shop pid=7 level=warning text={\"time\":\"2026-03-14T02:11:57Z\",\"level\":\"warn\",\"hostname\":\"h1\",\"app\":\"shop\",\"pid\":7,\"msg\":\"x\"}",
    ),
    (
        "pairs (logfmt)",
        &["ts=2026-03-14T02:11:57Z level=error msg=\"no room\""],
        "at=2026-03-14T02:11:57Z level=error text=ts=2026-03-14T02:11:57Z level=error msg=\"no room\"",
    ),
];

/// Lines with and without a stamp and a level.
const LINES: &[Sample] = &[
    (
        "a level first",
        &["2026-03-14 02:11:57,123 ERROR [main] org.x.Y: failed"],
        "at=2026-03-14T02:11:57.123Z level=error text=[main] org.x.Y: failed",
    ),
    ("a level with a colon", &["2026-03-14 02:11:57 fatal: no room"], "at=2026-03-14T02:11:57Z level=critical text=no room"),
    (
        "a level in brackets",
        &["[Sat Mar 14 02:11:57 2026] [error] [client 192.0.2.7] denied"],
        "at=2026-03-14T02:11:57Z level=error text=[client 192.0.2.7] denied",
    ),
    (
        "a level between dashes",
        &["2026-03-14 02:11:57,123 - WARN  [main:Quorum@774] - timeout"],
        "at=2026-03-14T02:11:57.123Z level=warning text=[main:Quorum@774] - timeout",
    ),
    (
        "a level behind other parts: the text begins behind the stamp",
        &["2026-03-14 02:11:57 [db-3] [main] ERROR failed"],
        "at=2026-03-14T02:11:57Z level=error text=[db-3] [main] ERROR failed",
    ),
    (
        "Windows setup",
        &["2026-03-14 02:11:57, Info                  CBS    Loaded stack"],
        "at=2026-03-14T02:11:57Z level=info text=CBS    Loaded stack",
    ),
    (
        "colours of a terminal, also as rsyslog writes them: not part of the text",
        &["2026-03-14 02:11:57 \u{1b}[31mERROR\u{1b}[0m no room"],
        "at=2026-03-14T02:11:57Z level=error text=no room",
    ),
    ("a level without a stamp", &["ERROR: no room"], "level=error text=no room"),
    ("a level in brackets without a stamp", &["[warn] queue is full"], "level=warning text=queue is full"),
];

const WRAPPERS: &[Sample] = &[
    (
        "Docker Compose",
        &["shop-1  | 2026-03-14 02:11:57,123 ERROR no room"],
        "at=2026-03-14T02:11:57.123Z app=shop-1 level=error text=no room",
    ),
    (
        "syslog-ng's JSON",
        &[
            "{\"PROGRAM\":\"sshd\",\"PRIORITY\":\"err\",\"PID\":\"12\",\"MESSAGE\":\"no key\",\"HOST\":\"h1\",\"ISODATE\":\"2026-03-14T02:11:57+01:00\"}",
        ],
        "at=2026-03-14T01:11:57Z host=h1 app=sshd pid=12 level=error text=no key",
    ),
    (
        "Docker",
        &["{\"log\":\"ERROR no room\\n\",\"stream\":\"stderr\",\"time\":\"2026-03-14T02:11:57.123456789Z\"}"],
        "at=2026-03-14T02:11:57.123456Z level=error stream=stderr text=no room",
    ),
    (
        "Docker with what Fluent Bit adds",
        &[
            "{\"log\":\"{\\\"level\\\":\\\"warn\\\",\\\"order\\\":\\\"o1\\\"}\",\"stream\":\"stdout\",\"time\":\"2026-03-14T02:11:57Z\",\"kubernetes\":{\"pod_name\":\"shop-1\"}}",
        ],
        "at=2026-03-14T02:11:57Z level=warning kubernetes.pod_name=shop-1 stream=stdout text={\"level\":\"warn\",\"order\":\"o1\"}",
    ),
    (
        "Docker in pieces, which have no line end and are joined",
        &[
            "{\"log\":\"ERROR no \",\"stream\":\"stderr\",\"time\":\"2026-03-14T02:11:57.1Z\"}",
            "{\"log\":\"room\\n\",\"stream\":\"stderr\",\"time\":\"2026-03-14T02:11:57.2Z\"}",
        ],
        "at=2026-03-14T02:11:57.200Z level=error stream=stderr text=no room",
    ),
    (
        "CRI: containerd and CRI-O",
        &["2026-03-14T02:11:57.123456789Z stderr F [error] no room"],
        "at=2026-03-14T02:11:57.123456Z level=error stream=stderr text=no room",
    ),
    (
        "CRI in pieces, which are joined",
        &["2026-03-14T02:11:57.1Z stdout P {\"level\":\"error\",", "2026-03-14T02:11:57.2Z stdout F \"order\":\"o5\"}"],
        "at=2026-03-14T02:11:57.200Z level=error stream=stdout text={\"level\":\"error\",\"order\":\"o5\"}",
    ),
    (
        "the journal as JSON",
        &[
            "{\"__REALTIME_TIMESTAMP\":\"1773454317000000\",\"PRIORITY\":\"3\",\"_HOSTNAME\":\"h1\",\"SYSLOG_IDENTIFIER\":\"sshd\",\"_PID\":\"12\",\"_SYSTEMD_UNIT\":\"ssh.service\",\"MESSAGE\":\"error: no key\"}",
        ],
        "at=2026-03-14T02:11:57Z host=h1 app=sshd pid=12 level=error _SYSTEMD_UNIT=ssh.service text=error: no key",
    ),
    (
        "the journal's export",
        &[
            "__CURSOR=s=1;i=2",
            "__REALTIME_TIMESTAMP=1773454317000000",
            "PRIORITY=4",
            "_HOSTNAME=h1",
            "SYSLOG_IDENTIFIER=sshd",
            "MESSAGE=no key",
            "",
        ],
        "at=2026-03-14T02:11:57Z host=h1 app=sshd level=warning __CURSOR=s=1;i=2 text=no key",
    ),
];

/// The event of the last record, if the records are read in sequence.
fn read(records: &[&str]) -> Event<'static> {
    let written = Time::parse_rfc3339(WRITTEN).unwrap_or_default();
    let mut decoder = Decoder::new();
    decoder.not_after(Some(written));
    let mut last = Event::default();
    for record in records {
        last = decoder.decode(record.as_bytes(), written).into_owned();
    }
    last
}

/// An event in one line: the parts that it has by name, the text last.
pub(super) fn shown(event: &Event<'_>) -> String {
    let mut line = String::new();
    let at = event.at.map(|at| at.to_string().replace(".000Z", "Z")).unwrap_or_default();
    let id = event.id.as_ref().map(ToString::to_string).unwrap_or_default();
    let level = event.level.map_or("", |level| level.name());
    for (name, value) in
        [("at", &*at), ("host", &event.host), ("app", &event.app), ("pid", &event.pid), ("id", &id), ("level", level)]
    {
        if !value.is_empty() {
            let _ = write!(line, "{name}={value} ");
        }
    }
    if let Some(times) = event.repeated {
        let _ = write!(line, "repeated={times} ");
    }
    for (name, value) in &event.fields {
        let _ = write!(line, "{name}={value} ");
    }
    let _ = write!(line, "text={}", event.text);
    line
}

/// The page of the documentation: every head, stamp and wrapper that is read, each with a sample.
pub fn page() -> String {
    let mut page = String::from(HEAD);
    let samples = |page: &mut String, samples: &[Sample]| {
        page.push_str("| what | record | what is read |\n|---|---|---|\n");
        for (name, records, _) in samples {
            row(page, &[name, &records.iter().map(|r| code(r)).collect::<Vec<_>>().join(" "), &code(&shown(&read(records)))]);
        }
    };
    page.push_str("\n## Standard heads\n\n");
    samples(&mut page, STANDARD);
    for (place, title) in [
        (HeadPlace::Device, "Heads of network devices behind the stamp of a syslog message"),
        (HeadPlace::Syslog, "Other heads behind the stamp of a syslog message"),
        (HeadPlace::Text, "Ids and levels of vendors at the beginning of a message's text"),
        (HeadPlace::Front, "Heads that begin before the stamp"),
        (HeadPlace::Level, "Heads of loggers behind the stamp of a line, the level first"),
        (HeadPlace::Line, "Heads of loggers behind the stamp of a line, something else first"),
        (HeadPlace::Bare, "Heads of lines without a stamp"),
    ] {
        let _ = write!(page, "\n## {title}\n\n| whose | form | record | what is read |\n|---|---|---|---|\n");
        for head in heads::all().filter(|head| head.place == place) {
            for (record, _) in head.samples {
                row(&mut page, &[head.name, &code(head.form), &code(record), &code(&shown(&read(&[record])))]);
            }
        }
    }
    page.push_str("\n## Levels of lines\n\n");
    page.push_str(LEVELS);
    samples(&mut page, LINES);
    page.push_str("\n## Wrappers\n\n");
    page.push_str(WRAPPED);
    samples(&mut page, WRAPPERS);
    page.push_str("\n## Stamps\n\n");
    page.push_str(STAMPS);
    page.push_str("| form | record | time |\n|---|---|---|\n");
    for form in FORMS {
        row(&mut page, &[form.name, &code(form.sample), form.at]);
    }
    page.push_str(FORMAT);
    for (form, record) in DECLARED {
        let written = Time::parse_rfc3339(WRITTEN).unwrap_or_default();
        let found = LineFormat::parse(form)
            .ok()
            .and_then(|format| format.read(record.as_bytes(), Zone::default(), written).map(|(at, _)| at));
        row(&mut page, &[&code(form), &code(record), &found.map(|at| at.to_string().replace(".000Z", "Z")).unwrap_or_default()]);
    }
    page
}

const DECLARED: &[(&str, &str)] = &[
    ("%d.%m.%Y %H:%M:%S", "14.03.2026 02:11:57 started"),
    ("[%d/%b/%Y:%T %z]", "[14/Mar/2026:02:11:57 +0100] started"),
    ("%m/%d/%y %I:%M:%S %p", "3/14/26 2:11:57 PM started"),
    ("%* %F %T,%3f", "srv-1 2026-03-14 02:11:57,123 started"),
    ("%s", "1773454317.5 started"),
];

fn row(page: &mut String, cells: &[&str]) {
    for cell in cells {
        let _ = write!(page, "| {cell} ");
    }
    page.push_str("|\n");
}

/// A text as code in a cell of a table.
fn code(text: &str) -> String {
    let text = printable_short(text, SHOWN_BYTES).replace('|', "\\|");
    let fence = if text.contains('`') { "``" } else { "`" };
    if text.is_empty() { "(empty line)".to_owned() } else { format!("{fence}{text}{fence}") }
}

const HEAD: &str = "\
# What is read in a record

This page is generated from the tables of the decoder (`src/core/decode`). Every sample is run as a test. To renew it: `UPDATE_EXPECTED=1 cargo test
--test it formats`.

An event has these parts. A part that the record does not name is absent.

| part | what |
|---|---|
| `at` | when it was written |
| `host` | who wrote it. A record from the network that names no host has the sender's: what the inventory calls its address, else the address |
| `app`, `pid` | the program and its process |
| `id` | the event's id: MSGID of RFC 5424, a Genesys id, a device's id. `%SYS-5-CONFIG_I` and `SYS-5-CONFIG_I` are one |
| `level` | how grave it is: what a device's id says (`-5-`) or a level word of the head, else the priority, else a level word before the text |
| `text` | what the record says, without its head. Rules match this |
| `raw` | the record as it came |
| `sender` | the address that it came from, for records from the network |

In a column `form` a blank stands for one or more blanks, `~` for any number of them, `{x}` for a part, and `{text}` for the place where the text
begins. Every other character stands for itself. `{-}` is anything up to the next character; `{=x}` is kept as the field `x`.

Where readers of syslog differ, this one does as follows.

| input | what happens | rsyslog | syslog-ng |
|---|---|---|---|
| two messages in one datagram | one record; the second one stays in the text, and the record counts as broken | one record | one record |
| colours for terminals (`ESC [ 31 m`, `#033[31m`) | not part of the text; `raw` keeps them | stay as `#033[31m` | stay |
| a byte order mark before the record or the message | not part of it | stays | taken off before the message of RFC 5424 |
| NULs and line ends behind the message | not part of it | taken off | taken off |
| two priorities | the second one, which is the sender's own | the first; the second stays in the text | the first; the second stays in the text |
| a whole message behind a relay's stamp and host | the sender's own parts count; the relay is the field `relay_host` | stays in the text | stays in the text |
| a host in brackets (`[localhost]`, `[2001:db8::1]`) | the host without its brackets | refused, unless `permit.squareBracketsInHostname` is set | stays as it is |
| `message repeated 3 times: [ text]` of rsyslog (`RepeatedMsgReduction`) | the message `text`. It stands for three: a condition on a number of events counts it as three, at most as 1,000 | written so, or stays | stays |
| `last message repeated 3 times` of other daemons | stays; nobody can tell which message it was. Turn it off at the sender | stays | stays |
| a process with its thread (`[7:8]`) | the process; the thread is the field `thread` | stays as it is | stays as it is |
| bytes that are not UTF-8 | read as Latin-1; the record is counted as such | stay | stay, or are replaced |
| UTF-16 in a file, with a byte order mark or without | read | not read | not read |
";

const LEVELS: &str = "\
A level is a word in capitals, in brackets, with a colon or in a column of its own (`,Error,`), among the first words behind the stamp. German, French,
Spanish and Italian words are read as well (`WARNUNG:`, `ERREUR:`). Of alarms, `MAJOR` is an error and `MINOR` a warning. Stamp and level are taken off the text; where
other parts stand before the level, only the stamp is. A message of syslog keeps its text whole, whatever level stands in it.

Colours and other escape sequences for terminals are taken off before a record is read, also as rsyslog writes them (`#033[31m`). `raw` keeps them.

";

const WRAPPED: &str = "\
The wrapper is taken off and the record inside of it is decoded. What the wrapper says stays: time, host, application and process are the wrapper's,
the level is the inner record's own, everything else is a field of the event. `json.x` reads the inner record first.

A record in pieces is one record: it is read, and counted, when its last piece is there. Docker writes a line end behind every record, and none behind
a piece. If none of the first eight records of a source has a line end, its writer leaves it out: these
eight are read as one record, and each later one is whole.

";

const STAMPS: &str = "\
A stamp without a zone is of the source's zone (UTC here). A stamp without a year is of the year that brings it nearest to its arrival, or in
a file to its last record. No stamp is in the future: see [time](../explanation/time.md).

";

const FORMAT: &str = "
## A form of your own

A file whose stamps are none of these has a `format`, in the manner of `strftime`. Known are `%Y %y %m %b %B %d %e %j %a %A %H %I %p %M %S %f %3f %6f
%9f %L %z %Z %s %F %T %D %R %%`; `%*` stands for anything up to the next character of the form, and a blank for one or more blanks.

| form | line | time |
|---|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_read_as_its_entry_says() {
        let mut wrong = String::new();
        let mut check = |name: &str, records: &[&str], wanted: &str| {
            let found = shown(&read(records));
            // The sequence of the parts does not matter.
            let parts = |line: &str| {
                let (parts, text) = line.split_once("text=").unwrap();
                let mut parts: Vec<String> = parts.split_whitespace().map(str::to_owned).collect();
                parts.sort();
                (parts, text.to_owned())
            };
            if parts(&found) != parts(wanted) {
                let _ = writeln!(wrong, "{name}\n  {}\n  found  {found}\n  wanted {wanted}", records.join(" / "));
            }
        };
        for (name, records, wanted) in STANDARD.iter().chain(LINES).chain(WRAPPERS) {
            check(name, records, wanted);
        }
        for head in heads::all() {
            for (record, wanted) in head.samples {
                check(head.name, &[record], wanted);
            }
        }
        for form in FORMS {
            let found = read(&[form.sample]).at.map(|at| at.to_string().replace(".000Z", "Z")).unwrap_or_default();
            if found != form.at {
                let _ = writeln!(wrong, "{}\n  {}\n  found  {found}\n  wanted {}", form.name, form.sample, form.at);
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    }

    #[test]
    fn a_sample_is_cut_anywhere_and_nothing_breaks() {
        let all = heads::all().flat_map(|head| head.samples.iter().map(|(record, _)| *record));
        let more = STANDARD.iter().chain(LINES).chain(WRAPPERS).flat_map(|(_, records, _)| records.iter().copied());
        for record in all.chain(more).chain(FORMS.iter().map(|form| form.sample)) {
            let bytes = record.as_bytes();
            let mut decoder = Decoder::new();
            for end in 0..=bytes.len() {
                for input in [&bytes[..end], &bytes[end..]] {
                    let alone = Decoder::datagrams().decode(input, Time::default()).into_owned();
                    if let Ok(input) = std::str::from_utf8(input) {
                        assert_eq!(alone.raw().trim_end(), input.trim_end(), "{alone:?}");
                    }
                    decoder.decode(input, Time::default());
                }
            }
        }
    }
}
