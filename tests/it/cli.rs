//! The program as its user calls it: output, exit status, and the results of bad input.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::{expect, gzip, read, root};

pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn pointsman(args: &[&str], input: &[u8]) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .args(args)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let feeder = std::thread::spawn(move || {
        // A program that does not read its input closes it.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    Ended {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder for one test, which is removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("pointsman-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const CONFIG: &str = "examples/sip-pair/pointsman.yaml";

#[test]
fn the_readmes_first_command() {
    let ended = pointsman(&["dry-run", "-c", CONFIG, "examples/sip-pair/failover.log"], b"");
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    expect("examples/sip-pair/failover.expected", &ended.out);
    assert!(read("README.md").contains("dry-run -c examples/sip-pair/pointsman.yaml examples/sip-pair/failover.log"));
}

/// One object per line with the fields of its kind. The line number is that of the input.
#[test]
fn json_has_what_programs_need() {
    let log = read("examples/sip-pair/failover.log");
    let ended = pointsman(&["dry-run", "-c", CONFIG, "--format", "json", "-"], log.as_bytes());
    assert_eq!(ended.status, 0, "{}", ended.err);
    let wanted = |kind: &str| -> &[&str] {
        match kind {
            "alarm_raised" => &["alarm", "key", "event_id", "line", "host"],
            "alarm_cleared" => &["alarm", "key"],
            "run_started" => &["alarm", "key", "reaction", "event_id", "line", "run"],
            "step" => &["verb"],
            "run_finished" => &["reaction", "result", "run"],
            "notice" => &["result", "text"],
            other => panic!("{other}"),
        }
    };
    let mut kinds = std::collections::BTreeSet::new();
    let mut last = String::new();
    for line in ended.out.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        let kind = object["kind"].as_str().unwrap().to_owned();
        for field in wanted(&kind) {
            assert!(!object[field].is_null(), "{field} of {line}");
        }
        let at = object["at"].as_str().unwrap().to_owned();
        assert!(at >= last, "in order of time: {line}");
        last = at;
        if kind == "alarm_raised" {
            let number = usize::try_from(object["line"].as_u64().unwrap()).unwrap();
            let record = log.lines().nth(number - 1).unwrap();
            assert!(record.contains(object["event_id"].as_str().unwrap()), "{line}");
        }
        if object["verb"] == "taken" {
            assert_eq!(object["resource"], "sip_vip");
            assert!(object["host"].is_string());
        }
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
}

/// Unverified events raise their alarms and move nothing.
#[test]
fn an_unverified_log_moves_nothing() {
    let ended = pointsman(&["dry-run", "-c", CONFIG, "--trust", "unverified", "examples/sip-pair/failover.log"], b"");
    assert_eq!(ended.status, 0, "{}", ended.err);
    assert!(ended.out.contains("ALARM ALRM_BACKUP_4563_HAPrimary") && ended.out.contains("requires more"), "{}", ended.out);
    assert!(!ended.out.contains("take sip_vip on sip2"), "{}", ended.out);
    assert_eq!(pointsman(&["dry-run", "-c", CONFIG, "--trust", "certain", "-"], b"").status, 3);
}

/// A claim of an application that has another name in the inventory is reported.
#[test]
fn a_claim_of_an_unknown_application_is_reported() {
    let line = "2026-03-14T09:15:02.118 Standard sip2 SipServerB GCTI-00-04563 Hot Standby (Primary) mode activated\n";
    let ended = pointsman(&["dry-run", "-c", CONFIG, "-"], line.repeat(3).as_bytes());
    assert_eq!(ended.out.matches("unknown_claimant: SipServerB claimed a role 3 times").count(), 1, "{}", ended.out);
}

/// The same input gives the same bytes, however it is read.
#[test]
fn equal_inputs_give_equal_outputs() {
    let file = pointsman(&["dry-run", "-c", CONFIG, "--format", "json", "examples/sip-pair/failover.log"], b"");
    let stdin = pointsman(&["dry-run", "-c", CONFIG, "--format", "json"], read("examples/sip-pair/failover.log").as_bytes());
    assert_eq!(file.out, stdin.out);
}

#[test]
fn the_shipped_tests_pass_and_a_failing_one_is_reported() {
    let ended = pointsman(&["test", "rules"], b"");
    assert_eq!(ended.status, 0, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("W3R") && ended.out.ends_with("270 passed, 0 failed\n"), "{}", ended.out);
    // The example rules cause no warnings, with their configuration and without.
    for args in [["check", "--rules", "rules/sec"], ["check", "-c", "rules/sec/site.yaml"]] {
        let ended = pointsman(&args, b"");
        assert!(ended.status == 0 && ended.err.is_empty() && ended.out.starts_with("all is well"), "{}{}", ended.out, ended.err);
    }
    // The rules that prove the statements of the documentation.
    let ended = pointsman(&["test", "tests/rules"], b"");
    assert!(ended.status == 0 && ended.out.ends_with("215 passed, 0 failed\n"), "{}{}", ended.out, ended.err);
    let ended = pointsman(&["test", "examples"], b"");
    assert!(ended.status == 0 && ended.out.ends_with("8 passed, 0 failed\n"), "{}{}", ended.out, ended.err);
    let scratch = Scratch::new("failing");
    scratch.write("a.alarm", "alarm a { detect event 1 cancel after 1s }\n");
    let line = "{now} Standard h x GCTI-00-00001 one";
    let test = format!(
        "tests:\n  - name: wrong\n    steps: [{{ log: \"{line}\" }}]\n    must: [{{ kind: alarm_raised, alarm: b }}]\n    ends: {{ alarms: [a] }}\n  - name: right\n    steps: [{{ log: \"{line}\" }}]\n    must: [{{ kind: alarm_raised, alarm: a }}, {{ kind: alarm_cleared }}]\n    ends: {{ alarms: [] }}\n"
    );
    scratch.write("a.test.yaml", test);
    let ended = pointsman(&["test", "-v", scratch.path()], b"");
    assert_eq!(ended.status, 1, "{}{}", ended.out, ended.err);
    for part in
        ["FAIL wrong", "{ alarm: b, kind: alarm_raised } did not happen", "not [a]", "| ", "ok   right", "1 passed, 1 failed"]
    {
        assert!(ended.out.contains(part), "{part}: {}", ended.out);
    }
    let ended = pointsman(&["test", "--format", "json", scratch.path()], b"");
    let objects: Vec<serde_json::Value> = ended.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(objects.iter().map(|o| o["passed"].as_bool().unwrap()).collect::<Vec<_>>(), [false, true]);
    scratch.write("b.test.yaml", "tests:\n  - name: x\n    stepz: []\n");
    let ended = pointsman(&["test", scratch.path()], b"");
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("C101") && ended.err.contains("stepz") && ended.err.contains("b.test.yaml:3"), "{}", ended.err);
    let ended = pointsman(&["test", scratch.path(), "--only", "nothing of that name"], b"");
    assert_eq!(ended.status, 2);
}

/// The names in `must_not` must exist, or the expectation would hold for any rules. The same applies to every other name.
#[test]
fn a_rule_test_that_names_what_is_not_there_fails() {
    let scratch = Scratch::new("names");
    let config = root().join("examples/sip-pair/general.yaml");
    let test = |part: &str| {
        let line = "{now} Standard sip2 SIP_SERVER_BACKUP GCTI-00-04563 Hot Standby (Primary) mode activated";
        let logged = if part.starts_with("steps") { "" } else { &format!("steps: [{{ log: \"{line}\" }}]\n    ") };
        let text = format!("config: {}\ntests:\n  - name: x\n    {logged}{part}\n", config.display());
        let path = scratch.write("a.test.yaml", text);
        let ended = pointsman(&["test", &path], b"");
        (ended.status, format!("{}{}", ended.out, ended.err))
    };
    for (part, want) in [
        ("must_not: [{ kind: alarm_raisd }]", "must_not: there is no kind of entry `alarm_raisd`; did you mean `alarm_raised`?"),
        ("must_not: [{ alarm: became_primry }]", "there is no alarm `became_primry`; did you mean `became_primary`?"),
        ("must_not: [{ reaction: vip_follow_primary }]", "no reaction `vip_follow_primary`; did you mean `vip_follows_primary`?"),
        ("must_not: [{ resource: sip_vpi }]", "no resource `sip_vpi`; did you mean `sip_vip`?"),
        ("must_not: [{ host: spi2 }]", "no host `spi2`; did you mean `sip2`?"),
        ("must_not: [{ verb: tkaen }]", "no verb `tkaen`; did you mean `taken`?"),
        ("must_not: [{ verb: vip.move }]", "no verb `vip.move`"),
        ("must_not: [{ kind: run_finished, result: faild }]", "no end of a run `faild`; did you mean `failed`?"),
        ("must_not: [{ kind: alarm_cleared, result: whn }]", "no end of an alarm `whn`; did you mean `when`?"),
        ("must_not: [{ alrm: became_primary }]", "no field of an entry `alrm`; did you mean `alarm`?"),
        ("must_not: [{ line: two }]", "`line` is a number, not `two`"),
        ("must_not: [{ at: yesterday }]", "`yesterday` is not a time"),
        ("ends: { alarms: [\"became_primry [x]\"] }", "no alarm `became_primry`"),
        ("ends: { owners: { sip_vpi: sip2 } }", "no resource `sip_vpi`"),
        ("ends: { holders: { sip_vip: [spi2] } }", "no host `spi2`"),
        ("ends: { held: { sip_vpi: pause } }", "no resource `sip_vpi`"),
        ("steps: [{ lose: spi2 }]", "step 1: there is no host `spi2`; did you mean `sip2`?"),
        ("steps: [{ put_on: { sip_vpi: sip2 } }]", "no resource `sip_vpi`"),
        ("steps: [{ move: { sip_vip: spi2 } }]", "no host `spi2`"),
        ("steps: [{ clear: became_primry }]", "no alarm `became_primry`"),
        ("steps: [{ verb_fails: notfy }]", "no verb `notfy`; did you mean `notify`?"),
        ("steps: [{ approve: 7 }]", "step 1: approve: there is no run 7 at this time"),
        ("must: []", "nothing is expected of it: write `must`, `must_not` or `ends`"),
        ("must_not: [{}]", "must_not: `{}` would match any entry"),
    ] {
        let (status, said) = test(part);
        assert!(status == 1 && said.contains(want), "{part}: {said}");
    }
    let at = "must_not: [{ kind: alarm_raised, at: 2026-01-01T00:00:00Z }]";
    assert!(test(at).1.contains("must_not: { at: 2026-01-01T00:00:00Z, kind: alarm_raised } happened"), "{}", test(at).1);
    assert_eq!(
        test("must_not: [{ host: sip1, kind: alarm_raised }, { verb: host.run }, { key: nobody }, { result: flapping }]").0,
        0
    );
}

/// Deeply nested brackets are refused before they are parsed, in rule tests and in a configuration.
#[test]
fn deep_yaml_is_one_clear_message() {
    let scratch = Scratch::new("deep");
    for (name, many) in [("flow", "[".repeat(300_000)), ("block", "- ".repeat(300_000)), ("map", "{a: ".repeat(200_000))] {
        let path = scratch.write("a.test.yaml", format!("tests: {}{many}", if name == "block" { "\n" } else { "" }));
        let ended = pointsman(&["test", &path], b"");
        let one = ended.err.matches("error").count() == 1;
        assert!(ended.status == 2 && one && ended.err.contains("more than 64 levels"), "{name}: {:.500}", ended.err);
        let path = scratch.write("c.yaml", format!("hosts: {}{many}", if name == "block" { "\n" } else { "" }));
        let ended = pointsman(&["check", "-c", &path], b"");
        assert!(ended.status == 2 && ended.err.contains("C005"), "{name}: {:.500}", ended.err);
    }
}

#[test]
fn the_plan_says_what_is_looked_at_with_every_event() {
    let scratch = Scratch::new("plan");
    let rules = scratch.write(
        "a.alarm",
        "pattern slow { match /^[0-9]+s$/ }\npattern quick { match /took (?<ms>[0-9]+) ms/ }\n\
         alarm a { detect slow or quick or event 00-04561 or (event from app cron where level >= error) cancel by hand }\n\
         alarm b { detect (event from host \"web*\" where level >= error) or event 1..9999 cancel by hand }\n",
    );
    let ended = pointsman(&["check", "--plan", "--rules", &rules], b"");
    assert_eq!(ended.status, 0, "{}", ended.err);
    let plan = ended.out.split_once("\n\n").unwrap().1.replace(&rules, "a.alarm");
    assert_eq!(
        plan,
        "6 conditions:\n       1  found by an id of the event\n       1  found by a text that the event must contain (one search finds all such texts)\n       \
         1  evaluated for every event of their senders\n       3  evaluated for every event\n\
         a.alarm:1 slow: its expressions require no text of two letters or more: add one, or name the sender\n\
         a.alarm:3 a/detect: only its sender limits it\n\
         a.alarm:4 b/detect: a sender with `*` is compared with every sender: name the senders, or a text that the event contains\n\
         a.alarm:4 b/detect: its range has more than 64 ids: name fewer of them, or a sender\n"
    );
    let ended = pointsman(&["check", "--plan", "--format", "json", "--rules", &rules], b"");
    assert_eq!(ended.out.lines().filter(|l| l.contains("found_by")).count(), 6, "{}", ended.out);
    assert!(ended.out.contains("\"texts\":[\" ms\"]") || ended.out.contains("\"texts\":[\"took \"]"), "{}", ended.out);
}

#[test]
fn exit_status_says_what_happened() {
    let scratch = Scratch::new("status");
    let good = scratch.write("good/a.alarm", "alarm a { detect event 1 cancel by hand }\n");
    let bad = scratch.write("bad/a.alarm", "alarm a { detect nope cancel by hnd }\n");
    let latin1 = scratch.write("latin1/a.alarm", b"# gr\xfcn\nalarm a { detect event 1 cancel by hand }\n");
    let packed = scratch.write("log.gz", b"BZh91AY&SY");
    std::os::unix::fs::symlink(format!("{}/good", scratch.path()), format!("{}/good/self", scratch.path())).unwrap();
    let looped = format!("{}/good", scratch.path());
    let absent = format!("{}/absent", scratch.path());
    let fifo = format!("{}/fifo", scratch.path());
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let piped = format!("{}/piped", scratch.path());
    scratch.write("piped/a.alarm", "alarm a { detect event 1 cancel by hand }\n");
    std::os::unix::fs::symlink("nowhere", format!("{piped}/.#a.alarm")).unwrap();
    assert!(Command::new("mkfifo").arg(format!("{piped}/b.alarm")).status().unwrap().success());
    let open = scratch.write("open.alarm", "alarm a { detect event x cancel by hand }\n");
    fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["check", "-c", CONFIG], 0, ""),
        (&["check", "--rules", &good], 0, ""),
        (&["check", "--plan", "--rules", &good], 0, ""),
        (&["check", "--rules", "/dev/null"], 2, "it is a device"),
        (&["check", "-c", "/dev/zero"], 2, "it is a device, and must be a regular file"),
        (&["check", "-c", &fifo], 2, "it is a FIFO"),
        (&["check", "--rules", &fifo], 2, "it is a FIFO"),
        (&["check", "--rules", &piped], 2, "b.alarm could not be read: it is a FIFO"),
        (&["check", "--rules", &open], 2, "chmod o-w"),
        (&["dry-run", "--rules", &good, "/dev/zero"], 2, "it is a device"),
        (&["check", "--rules", &looped], 0, ""),
        (&["dry-run", "--rules", &good, &packed], 2, "unpack it with bzcat"),
        (&["check", "--rules", &bad], 2, "there is no pattern `nope`"),
        (&["check", "--rules", &latin1], 2, "is not UTF-8"),
        (&["check", "--rules", &absent], 2, "could not be read"),
        (&["check", "-c", &absent], 2, "could not be read"),
        (&["dry-run", "--rules", &good, &absent], 2, "absent"),
        (&["dry-run", "--rules", &good, scratch.path()], 2, "it is a folder"),
        (&["dry-run", "--rules", &bad, "-"], 2, "R101"),
        (&["dry-run", "-c", CONFIG, "--holder", "sip_vpi=sip1"], 3, "no resource sip_vpi"),
        (&["dry-run", "-c", CONFIG, "--holder", "sip_vip=sip3"], 3, "it can be on sip1, sip2"),
        (&["dry-run", "-c", CONFIG, "--written", "yesterday"], 3, "not a time"),
        (&["chekc"], 3, "check"),
        (&["check", "--nonsense"], 3, "--nonsense"),
        (&["--help"], 0, ""),
        (&["dry-run", "--help"], 0, ""),
        (&["--version"], 0, ""),
        (&["verbs"], 0, ""),
    ];
    for (args, status, said) in cases {
        let ended = pointsman(args, b"");
        assert_eq!(ended.status, *status, "{args:?}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains(said), "{args:?}: {}", ended.err);
        assert!(!ended.out.contains('\x1b') && !ended.err.contains('\x1b'), "no colour where no terminal is: {args:?}");
    }
    for args in [&["--help"][..], &["check", "--help"], &["test", "--help"], &["dry-run", "--help"]] {
        assert!(pointsman(args, b"").out.contains("Examples:"), "{args:?}");
    }
    assert_eq!(pointsman(&["verbs"], b"").out, read("scripts/verbs.md"));
}

/// `check` reports all errors in rules, scripts and configuration at once, for people and for programs.
#[test]
fn check_tells_all_mistakes_at_once() {
    let scratch = Scratch::new("mistakes");
    scratch.write(
        "rules/a.alarm",
        "alarm a { detect event 1 cancel by hand react up(vip = \"sip_vop\") }\nalarm b { detect nope cancel by hand }\n",
    );
    scratch.write("rules/b.alarm", "pattern p { match /one/ sample | two\n}\nalarm c { detect p cancel by hand }\n");
    scratch.write(
        "scripts/up.rhai",
        "const PARAMS = #{ vip: \"resource\" };\nfn react(alarm, event, params) { vip(params.vip).upp(\"h1\"); }\n",
    );
    let config = scratch.write(
        "pointsman.yaml",
        "hosts: { h1: , h2: }\nresources: { sip_vip: { address: 10.0.0.9/24, hosts: { h1: eth0, h2: eth0 } } }\n",
    );
    let ended = pointsman(&["check", "-c", &config], b"");
    assert_eq!(ended.status, 2);
    for code in ["R101", "R108", "R124", "S102"] {
        assert!(ended.err.contains(code), "{code}: {}", ended.err);
    }
    assert!(ended.err.contains("did you mean `sip_vip`?"), "{}", ended.err);
    let ended = pointsman(&["check", "-c", &config, "--format", "json"], b"");
    let lines: Vec<serde_json::Value> = ended.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(lines.len() >= 4 && lines.iter().all(|l| l["line"].is_u64() && l["severity"] == "error"), "{}", ended.out);
}

/// Every line is counted, whatever it contains. Unusual lines are listed at the end.
#[test]
fn bad_lines_are_kept_and_counted() {
    let scratch = Scratch::new("bad");
    let rules = scratch
        .write("r.alarm", "pattern p { match /needle (?<n>\\S+)/ }\nalarm a { detect p cancel at once summary \"{n}\" }\n");
    let mut log: Vec<u8> = Vec::new();
    log.extend(b"<14>1 2026-03-14T09:15:02Z h app 1 - - needle plain\n");
    log.extend(b"<14>1 2026-03-14T09:15:03Z h app 1 - - gr\xfcn needle latin1\n");
    log.extend([vec![b'x'; 200_000], b"needle beyond the cut\n".to_vec()].concat());
    log.extend(b"needle after-the-long-line\n");
    log.extend(b"\x00\x01\x02\x1b[2Jneedle binary\x1b\n");
    log.extend(b"\r\n\n");
    log.extend(b"<14>1 2026-03-14T09:15:04Z h app 1 - [broken needle broken-header\n");
    log.extend(b"<14>1 2031-03-14T09:15:05Z h app 1 - - needle five-years-ahead\n");
    log.extend(b"<14>1 2026-03-14T09:15:06Z h app 1 - - needle back-again\n");
    log.extend(b"<14>1 1999-01-01T00:00:00Z h app 1 - - needle long-ago\n");
    log.extend(b"<14>1 2026-03-14T09:15:07Z h app 1 - - needle truncated-last-line");
    let ended = pointsman(&["dry-run", "--rules", &rules, "--format", "json", "-"], &log);
    assert_eq!(ended.status, 0, "{}", ended.err);
    let raised: Vec<serde_json::Value> = ended
        .out
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .filter(|o: &serde_json::Value| o["kind"] == "alarm_raised")
        .collect();
    let texts: Vec<&str> = raised.iter().map(|o| o["text"].as_str().unwrap()).collect();
    let all = [
        "plain",
        "latin1",
        "after-the-long-line",
        "binary\u{1b}",
        "broken-header",
        "five-years-ahead",
        "back-again",
        "long-ago",
        "truncated-last-line",
    ];
    assert_eq!(texts, all);
    assert!(
        raised.iter().all(|o| o["at"].as_str().unwrap().starts_with("2026-03-14T09:15:0")),
        "no jump was believed: {}",
        ended.out
    );
    for part in ["12 lines, 9 wanted", "1 cut", "1 not UTF-8", "1 with a broken header", "2 with an implausible time"] {
        assert!(ended.err.contains(part), "{part}: {}", ended.err);
    }
    let human = pointsman(&["dry-run", "--rules", &rules, "-"], &log);
    assert!(!human.out.contains('\x1b'), "what a log says never reaches a terminal as it is");
}

/// A log whose time jumps and stays there is followed: two records agree.
#[test]
fn a_jump_that_lasts_is_believed() {
    let scratch = Scratch::new("jump");
    let rules = scratch.write("r.alarm", "alarm a { detect event \"A\" cancel after 1h }\n");
    let log = b"<14>1 2026-03-14T09:15:02Z h app 1 A - one\n<14>1 2027-03-14T09:15:02Z h app 1 A - two\n<14>1 2027-03-14T09:15:03Z h app 1 - - three\n";
    let ended = pointsman(&["dry-run", "--rules", &rules, "-"], log);
    assert_eq!(ended.status, 0);
    let raised: Vec<&str> = ended.out.lines().filter(|l| l.contains("ALARM")).collect();
    assert_eq!(raised.len(), 2, "{}", ended.out);
    assert!(raised[1].starts_with("2027-"), "{}", ended.out);
}

/// The alarms that a dry run of these lines raised, with time of day and name.
fn raised(rules: &str, log: &[u8]) -> (Vec<String>, Ended) {
    let ended = pointsman(&["dry-run", "--rules", rules, "--format", "json", "--written", "2026-03-16T00:00:00Z", "-"], log);
    assert_eq!(ended.status, 0, "{}", ended.err);
    let entries = ended.out.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
    let raised = entries
        .filter(|o| o["kind"] == "alarm_raised")
        .map(|o| format!("{} {}", &o["at"].as_str().unwrap()[..16], o["alarm"].as_str().unwrap()))
        .collect();
    (raised, ended)
}

const QUIET: &str = "pattern beat { match /beat/ }
alarm quiet { detect no beat for 10m }
alarm dead  { detect no beat for 2h }
alarm shift { detect calendar shift begins  cancel at once }
calendar shift { every day from 09:05 to 17:00 }
";

/// Lines of JSON and of pairs have times, so windows and silences work in such a log.
#[test]
fn a_log_of_objects_goes_by_their_times() {
    let scratch = Scratch::new("objects");
    let rules = scratch.write("r.alarm", "pattern beat { match /beat/ }\nalarm quiet { detect no beat for 10m }\nalarm bad { detect 2 of (event from host h1 where level >= error) within 1m  cancel after 1h }\n");
    let log = br#"{"time":"2026-03-14T09:00:00Z","level":"info","msg":"beat"}
{"ts":1773479100,"level":"error","hostname":"h1"}
time=2026-03-14T09:05:30Z level=error hostname=h1 msg="x"
{"time":"2026-03-14T09:30:00Z","level":"info","msg":"beat"}
"#;
    let (raised, ended) = raised(&rules, log);
    assert_eq!(raised, ["2026-03-14T09:05 bad", "2026-03-14T09:10 quiet", "2026-03-14T09:40 quiet"], "{}", ended.out);
    assert!(!ended.err.contains("without a time"), "{}", ended.err);
}

/// Several logs are read as one continued log. Headers and days belong to their file, and entries name the file.
#[test]
fn several_logs_are_read_one_after_the_other() {
    let scratch = Scratch::new("several");
    let rules =
        scratch.write("r.alarm", "pattern beat { match /beat/ }\nalarm twice { detect 2 of beat within 1m  cancel at once }\n");
    let old = scratch.write("a.log.1", "2026-03-14 09:00:00 up\n2026-03-14 09:00:50 beat\n");
    let new = scratch.write("a.log", "a line that continues nothing of another file\n2026-03-14 09:01:10 beat\n");
    let ended = pointsman(&["dry-run", "--rules", &rules, "--format", "json", &old, &new], b"");
    assert_eq!(ended.status, 0, "{}", ended.err);
    let raised = ended.out.lines().find(|l| l.contains("alarm_raised")).unwrap();
    let entry: serde_json::Value = serde_json::from_str(raised).unwrap();
    assert_eq!((entry["file"].as_str(), entry["line"].as_u64()), (Some(new.as_str()), Some(2)), "{raised}");
    assert!(ended.err.starts_with("4 lines, 2 wanted by a rule"), "{}", ended.err);
    let human = pointsman(&["dry-run", "--rules", &rules, &old, &new], b"");
    assert!(human.out.contains(&format!("{new}:2")), "{}", human.out);
    // Entries of a single log show only the line. A missing log is reported before anything else.
    let alone = pointsman(&["dry-run", "--rules", &rules, "--format", "json", &new], b"");
    assert!(!alone.out.contains("\"file\"") && alone.err.starts_with("2 lines, 1 wanted"), "{}{}", alone.out, alone.err);
    let absent = pointsman(&["dry-run", "--rules", &rules, &old, &format!("{new}.9")], b"");
    assert!(absent.status == 2 && absent.out.is_empty() && absent.err.contains("a.log.9"), "{}{}", absent.out, absent.err);
}

/// Two hosts' logs of one day, compressed or not, are merged by their times.
#[test]
fn logs_of_one_day_are_merged_by_their_times() {
    let scratch = Scratch::new("merged");
    let rules = "alarm a { detect event from app shop where text contains \"order\"  cancel at once  summary \"{host}\" }\n";
    let rules = scratch.write("r.alarm", rules);
    let log = |host: &str, minutes: &[u32]| {
        minutes.iter().map(|m| format!("2026-03-14T09:{m:02}:00Z {host} shop[1]: order\n")).collect::<String>()
    };
    let first = scratch.write("one.log", log("h1", &[0, 2, 4, 6]));
    let second = scratch.write("two.log.gz", gzip(log("h2", &[1, 3, 5])));
    let ended = pointsman(&["dry-run", "--rules", &rules, "--format", "json", &first, &second], b"");
    let entries = ended.out.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
    let raised: Vec<String> = entries
        .filter(|o| o["kind"] == "alarm_raised")
        .map(|o| format!("{} {} {}", &o["at"].as_str().unwrap()[11..16], o["text"].as_str().unwrap_or_default(), o["line"]))
        .collect();
    assert_eq!(raised, ["09:00 h1 1", "09:01 h2 1", "09:02 h1 2", "09:03 h2 2", "09:04 h1 3", "09:05 h2 3", "09:06 h1 4"]);
}

/// A log in UTF-16, as Windows writes it, is read like any other.
#[test]
fn a_log_of_utf16_is_read() {
    let scratch = Scratch::new("utf16");
    let rules =
        scratch.write("r.alarm", "alarm a { detect event where text contains \"nicht verf\u{fc}gbar\"  cancel at once }\n");
    let line = "2026-03-14 09:15:40.50 spid51 Die Datenbank ist nicht verf\u{fc}gbar.\r\n";
    for (mark, unit) in [("\u{feff}", u16::to_le_bytes as fn(u16) -> [u8; 2]), ("", u16::to_be_bytes)] {
        let bytes: Vec<u8> = format!("{mark}{line}").encode_utf16().flat_map(unit).collect();
        let ended = pointsman(&["dry-run", "--rules", &rules, "--timezone", "UTC", "-"], &bytes);
        assert!(ended.out.contains("ALARM") && ended.out.contains("2026-03-14T09:15:40"), "{}", ended.out);
    }
}

/// A machine whose clock was hours ahead until it was corrected: later events have their own times.
#[test]
fn a_log_that_begins_hours_ahead_goes_on_at_its_own_times() {
    let scratch = Scratch::new("ahead");
    let rules =
        scratch.write("r.alarm", "alarm a { detect 3 of (event where text contains \"beat\") within 1m  cancel after 5m }\n");
    let at = |hour: u32, second: u32, text: &str| {
        format!("2026-03-14T{hour:02}:{:02}:{:02}Z h app: {text}\n", second / 60, second % 60)
    };
    let mut log: String = (0..200).map(|n| at(17, n, "nothing")).collect();
    log.extend((0..300).map(|n| at(9, 4 * n, if n % 10 == 0 { "beat" } else { "nothing" })));
    log.extend((0..3).map(|n| at(9, 1_200 + n, "beat")));
    let (times, ended) = raised(&rules, log.as_bytes());
    assert_eq!(times, ["2026-03-14T09:20 a"], "{}", ended.out);
    assert!(ended.out.contains("time_stepped_back") && !ended.err.contains("implausible"), "{}{}", ended.out, ended.err);
    let cleared = ended.out.lines().find(|l| l.contains("alarm_cleared")).unwrap();
    assert!(cleared.contains("2026-03-14T09:25"), "{cleared}");
}

/// Stamps without a zone use the machine's zone, or the given one.
#[test]
fn a_dry_run_reads_stamps_in_a_zone() {
    let scratch = Scratch::new("zone");
    let rules = scratch.write("r.alarm", "alarm a { detect event where text contains \"order\"  cancel at once }\n");
    let log = scratch.write("a.log", "2026-10-25 02:30:00 order\n2026-10-25 02:10:00 order\n2026-10-25 03:00:00 order\n");
    let ended = pointsman(&["dry-run", "--rules", &rules, "--timezone", "Europe/Berlin", "--format", "json", &log], b"");
    let times: Vec<String> = ended
        .out
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap())
        .filter(|o| o["kind"] == "alarm_raised")
        .map(|o| o["at"].as_str().unwrap()[11..16].to_owned())
        .collect();
    assert_eq!(times, ["00:30", "01:10", "02:00"], "{}", ended.out);
    let wrong = pointsman(&["dry-run", "--rules", &rules, "--timezone", "Berlin", &log], b"");
    assert!(wrong.status != 0 && wrong.err.contains("Europe/Berlin"), "{}", wrong.err);
}

/// 29 February determines the year of a log without years.
#[test]
fn the_years_of_a_log_are_those_of_all_its_dates() {
    let scratch = Scratch::new("leap");
    let rules = "pattern started { match /backup (?<job>\\S+) started/ }
pattern finished { match /backup (?<job>\\S+) finished/ }
alarm hangs { detect started without finished by job within 2h  cancel when finished  summary \"{job}\" }
";
    let rules = scratch.write("r.alarm", rules);
    let log = "Feb 28 23:59:58 db-a backup[7]: backup nightly started
Feb 29 01:30:00 db-a backup[7]: backup nightly finished
Feb 29 23:59:58 db-a backup[8]: backup nightly started
Mar  1 01:40:00 db-a backup[8]: backup nightly finished
Mar  1 23:59:58 db-a backup[9]: backup nightly started
Mar  2 03:00:00 db-a cron[1]: tick
";
    let log = scratch.write("a.log", log);
    let written = ["--written", "2026-11-29T12:00:00Z"];
    let ended =
        pointsman(&["dry-run", "--rules", &rules, written[0], written[1], "--format", "json", "--timezone", "UTC", &log], b"");
    let raised: Vec<&str> = ended.out.lines().filter(|l| l.contains("alarm_raised")).collect();
    assert!(raised.len() == 1 && raised[0].contains("2024-03-02T01:59:58.000Z"), "{}", ended.out);
}

/// `check` says how many files match a pattern. A pattern without a match causes a warning.
#[test]
fn check_says_how_many_files_match() {
    let scratch = Scratch::new("patterns");
    scratch.write("rules/r.alarm", "alarm a { detect event 1 cancel by hand }\n");
    scratch.write("log/sip.1.log", "");
    scratch.write("log/sip.2.log", "");
    let config = scratch.write(
        "pointsman.yaml",
        "rules: rules\nfiles: [\"log/sip.*.log\", { path: \"log/none*.log\", timezone: Europe/Berlin }]\n",
    );
    let ended = pointsman(&["check", "-c", &config], b"");
    assert!(ended.status == 0 && ended.out.contains("sip.*.log: 2 files match now"), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("C210") && ended.err.contains("none*.log"), "{}", ended.err);
}

/// A followed file that does not exist is a warning, with the name that was probably meant.
#[test]
fn check_warns_of_a_file_that_is_not_there() {
    let scratch = Scratch::new("not-there");
    scratch.write("rules/r.alarm", "alarm a { detect event 1 cancel by hand }\n");
    scratch.write("log/app.log", "");
    for (written, help) in [
        ("log/ap.log", "did you mean"),
        ("lgo/app.log", "/log? Otherwise it is followed"),
        ("log/quite-another.txt", "= help: it is followed from its beginning when it is made"),
        ("~/app.log", "no shell replaces"),
        ("$HOME/app.log", "no shell replaces"),
    ] {
        let config = scratch.write("pointsman.yaml", format!("rules: rules\nfiles: [\"{written}\"]\n"));
        let ended = pointsman(&["check", "-c", &config], b"");
        assert!(ended.status == 0 && ended.err.contains("C210") && ended.err.contains(help), "{written}: {}", ended.err);
    }
    let config = scratch.write("pointsman.yaml", "rules: rules\nfiles: [log/app.log]\n");
    assert!(!pointsman(&["check", "-c", &config], b"").err.contains("C210"));
}

/// What is right is not warned about: programs that no inventory lists, and a calendar of which only a route speaks.
#[test]
fn check_has_nothing_against_what_is_right() {
    let scratch = Scratch::new("right");
    let rules = scratch.write(
        "rules/r.alarm",
        "calendar night { every day from 20:00 to 07:00 }\nalarm a { detect event from app sshd by host cancel after 1m }\n",
    );
    let site = |of_route: &str| {
        scratch.write(
            "pointsman.yaml",
            format!(
                "rules: rules\nhosts: {{ h1: {{ via: local }} }}\napplications: {{ till: {{ host: h1, program: shopd }} }}\n\
                 channels: {{ noc: log }}\nroutes: {{ r: {{ to: noc, {of_route} }} }}\n"
            ),
        )
    };
    let ended = pointsman(&["check", "-c", &site("during: night")], b"");
    assert!(ended.status == 0 && ended.out.starts_with("all is well"), "{}{}", ended.out, ended.err);
    let ended = pointsman(&["check", "-c", &site("not_during: daytime")], b"");
    assert!(ended.err.contains("[C112]") && ended.err.contains("there is night"), "{}", ended.err);
    fs::write(&rules, fs::read_to_string(&rules).unwrap().replace("sshd", "shopdd")).unwrap();
    let ended = pointsman(&["check", "-c", &site("during: night")], b"");
    assert!(ended.err.contains("[R208]") && ended.err.contains("did you mean `shopd`?"), "{}", ended.err);
}

/// An expression of one role that matches the other role's texts as well makes those records claim nothing.
#[test]
fn check_warns_of_an_expression_for_both_roles() {
    let scratch = Scratch::new("both-roles");
    scratch.write("rules/r.alarm", "alarm a { detect claim primary by app cancel at once }\n");
    let site = |primary: &str, backup: &str| {
        scratch.write(
            "pointsman.yaml",
            format!(
                "rules: rules\nhosts: {{ h1: {{ address: 10.0.0.1, via: local }}, h2: {{ address: 10.0.0.2, via: ssh }} }}\n\
                 applications: {{ a1: {{ host: h1 }}, a2: {{ host: h2 }} }}\n\
                 pairs: {{ p: {{ primary: a1, backup: a2, says_primary: {primary}, says_backup: {backup} }} }}\n"
            ),
        )
    };
    for (primary, backup, wanted) in [
        ("/role changed to/", "/role changed to (BACKUP|FAULT)/", true),
        ("/is primary/", "/primary/", true),
        ("/role changed to MASTER/", "/role changed to (BACKUP|FAULT)/", false),
        ("/I am .*leader/", "/I am a secondary/", false),
    ] {
        let ended = pointsman(&["check", "-c", &site(primary, backup)], b"");
        let told = ended.err.contains("a record that matches both is not a claim");
        assert!(ended.status == 0 && told == wanted, "{primary} {backup}: {}{}", ended.out, ended.err);
    }
}

/// The program of a channel is looked for when the machine is looked at.
#[test]
fn check_warns_of_a_channel_whose_program_is_not_there() {
    let scratch = Scratch::new("no-program");
    scratch.write("rules/r.alarm", "alarm a { detect event 1 cancel by hand }\n");
    let plain = scratch.write("notes.txt", "");
    for (program, why) in
        [("/bin/no-such-program", "is not there"), ("/tmp", "is a folder"), (plain.as_str(), "is not executable")]
    {
        let config = scratch.write("pointsman.yaml", format!("rules: rules\nchannels: {{ noc: {{ command: [{program}] }} }}\n"));
        let ended = pointsman(&["check", "-c", &config], b"");
        assert!(ended.status == 0 && ended.err.contains("C215") && ended.err.contains(why), "{program}: {}", ended.err);
    }
}

#[test]
fn an_empty_log_raises_nothing_and_one_line_is_one() {
    let scratch = Scratch::new("empty");
    let rules = scratch.write("r.alarm", QUIET);
    let (none, ended) = raised(&rules, b"");
    assert!(none.is_empty() && ended.out.is_empty(), "{}", ended.out);
    assert!(ended.err.starts_with("the log is empty"), "{}", ended.err);
    assert!(pointsman(&["dry-run", "--rules", &rules, "-"], b"").out.starts_with("the log is empty"));
    let (_, ended) = raised(&rules, b"2026-03-14 09:00:00 beat\n");
    assert!(ended.err.starts_with("1 line, 1 wanted by a rule"), "{}", ended.err);
}

/// Without an inventory, groups and sites would silently be empty.
#[test]
fn rules_that_need_an_inventory_say_so() {
    let scratch = Scratch::new("inventory");
    for (i, detect) in ["event from group front", "event from site paris", "app stopped on any of front", "host in front lost"]
        .iter()
        .enumerate()
    {
        let rules = scratch.write(&format!("{i}/r.alarm"), format!("alarm a {{ detect {detect}  cancel by hand }}\n"));
        for command in ["check", "dry-run", "test"] {
            let ended = pointsman(&[command, "--rules", &rules], b"x\n");
            assert_eq!(ended.status, 2, "{command} {detect}: {}{}", ended.out, ended.err);
            let said = format!("{}{}", ended.out, ended.err);
            assert!(
                said.contains("in the inventory, and none was given") && said.contains("-c FILE"),
                "{command} {detect}: {said}"
            );
        }
    }
}

/// Silences, timers and calendars begin at the first line's time and end at the last line's time, whether or not a rule wants
/// these lines.
#[test]
fn a_dry_run_lasts_from_its_first_line_to_its_last() {
    let scratch = Scratch::new("lasts");
    let rules = scratch.write("r.alarm", QUIET);
    let log = b"what has no time stands before it
2026-03-14T09:00:00Z begin
2026-03-14T09:20:00Z beat
2026-03-14T09:21:00Z beat
2026-03-14T10:15:00Z nothing
2026-03-14T11:10:00Z nothing
2026-03-14T12:05:00Z end
";
    let want = ["2026-03-14T09:05 shift", "2026-03-14T09:10 quiet", "2026-03-14T09:31 quiet", "2026-03-14T11:21 dead"];
    assert_eq!(raised(&rules, log).0, want);
}

/// Gaps of hours between all lines are accepted. A single line with a different time is not.
#[test]
fn a_sparse_log_is_believed_and_a_wild_line_is_not() {
    let scratch = Scratch::new("sparse");
    let rules = scratch.write("r.alarm", "alarm a { detect event where text contains \"beat\"  cancel at once }\n");
    let log = |wild: &str| {
        format!(
            "2026-03-14T09:00:00Z beat\n2026-03-14T12:00:00Z beat\n{wild}2026-03-14T15:00:00Z beat\n2026-03-15T09:00:00Z beat\n"
        )
    };
    let want = ["2026-03-14T09:00 a", "2026-03-14T12:00 a", "2026-03-14T15:00 a", "2026-03-15T09:00 a"];
    let (times, ended) = raised(&rules, log("").as_bytes());
    assert_eq!(times, want);
    assert!(!ended.err.contains("implausible"), "{}", ended.err);
    for wild in ["2099-01-01T00:00:00Z wild\n", "2001-01-01T00:00:00Z wild\n", "2026-03-14T18:00:00Z wild\n"] {
        let (times, ended) = raised(&rules, log(wild).as_bytes());
        assert_eq!(times, want, "{wild}");
        assert!(ended.err.contains("1 with an implausible time"), "{}", ended.err);
        let told: Vec<&str> = ended.out.lines().filter(|l| l.contains("time_not_believed")).collect();
        assert!(told.len() == 1 && told[0].contains("\"line\":3"), "{}", ended.out);
    }
}

/// The reader of the output may stop: `... | head -1`.
#[test]
fn a_reader_that_stops_ends_the_run() {
    let log = "<14>1 2026-03-14T09:15:02Z h SIP_SERVER_PRIMARY 1 00-04563 - x\n".repeat(200_000);
    let mut child = Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .args(["dry-run", "-c", "examples/sip-pair/general.yaml", "--format", "json", "-"])
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || {
        let _ = stdin.write_all(log.as_bytes());
    });
    let mut first = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

/// A rule file of gigabytes is refused without being read, although the limit cuts a character in two.
#[test]
fn a_huge_rule_file_is_refused_in_little_memory() {
    let scratch = Scratch::new("huge");
    let path = scratch.write("huge.alarm", "é".repeat(600_000));
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    // The file is sparse on the disk. Reading it would need more memory than the process may use.
    file.set_len(4 << 30).unwrap();
    let ended = Command::new("sh")
        .args(["-c", "ulimit -v 1000000; exec \"$0\" check --rules \"$1\"", env!("CARGO_BIN_EXE_pointsman"), &path])
        .output()
        .unwrap();
    let err = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{err}");
    assert!(err.starts_with("error[R004]: ") && err.contains("huge.alarm has more than 67108864 bytes"), "{err}");
    assert_eq!(err.matches("error[").count(), 1, "{err}");
}

#[test]
fn fmt_writes_the_one_form_and_leaves_what_is_wrong() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new("fmt");
    let (loose, form) = ("alarm a{detect event 1 cancel at once}", "alarm a { detect event 1  cancel at once }\n");
    let (good, bad) = (scratch.write("good.alarm", form), scratch.write("bad.alarm", "alarm {\n"));
    let late = scratch.write("in/late.alarm", loose);
    let other = scratch.write("in/other.txt", loose);
    fs::set_permissions(&late, fs::Permissions::from_mode(0o640)).unwrap();

    let ended = pointsman(&["fmt", "--check", &good, &late], b"");
    assert_eq!((ended.status, ended.out.as_str()), (1, format!("{late}\n").as_str()), "{}", ended.err);
    assert_eq!(fs::read_to_string(&late).unwrap(), loose);

    let ended = pointsman(&["fmt", scratch.path()], b"");
    assert_eq!((ended.status, ended.out.as_str()), (2, format!("{late}\n").as_str()));
    assert!(ended.err.contains("bad.alarm:1:7") && ended.err.contains("1 of 3 rule files changed"), "{}", ended.err);
    assert_eq!((fs::read_to_string(&bad).unwrap().as_str(), fs::read_to_string(&late).unwrap().as_str()), ("alarm {\n", form));
    assert_eq!(fs::read_to_string(&other).unwrap(), loose);
    assert_eq!(fs::metadata(&late).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(scratch.0.join("in")).unwrap().count(), 2, "nothing is left beside");

    let ended = pointsman(&["fmt", "--check", &good, &late], b"");
    assert_eq!((ended.status, ended.out.as_str()), (0, ""));

    // A link stays a link, and its target is written.
    let link = scratch.0.join("link.alarm");
    std::os::unix::fs::symlink(scratch.write("far.alarm", loose), &link).unwrap();
    assert_eq!(pointsman(&["fmt", link.to_str().unwrap()], b"").status, 0);
    assert!(link.is_symlink());
    assert_eq!(fs::read_to_string(scratch.0.join("far.alarm")).unwrap(), form);

    let ended = pointsman(&["fmt", "-"], loose.as_bytes());
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, form, ""));
    assert_eq!(pointsman(&["fmt", "--check", "-"], loose.as_bytes()).status, 1);
    let ended = pointsman(&["fmt", "-"], b"alarm \xff {}");
    assert!(ended.status == 2 && ended.out.is_empty() && ended.err.contains("not UTF-8"), "{}", ended.err);
    let ended = pointsman(&["fmt", "-"], b"alarm {");
    assert!(ended.status == 2 && ended.out.is_empty() && ended.err.contains("standard input:1:7"), "{}", ended.err);
    let ended = pointsman(&["fmt", "/nowhere"], b"");
    assert!(ended.status == 2 && ended.err.contains("/nowhere"), "{}", ended.err);
}

/// In no format can a record control a terminal, hide a text or reverse its direction.
#[test]
fn what_a_log_says_is_shown_escaped_in_every_format() {
    let scratch = Scratch::new("hidden");
    let hidden: String =
        ['\u{1b}', '\u{9b}', '\u{202e}', '\u{200b}', '\u{2066}', '\u{e0041}', '\u{feff}', '\u{7f}'].into_iter().collect();
    let rules = scratch.write(
        "a.alarm",
        "pattern p { match /user (?<user>\\S+)/ }\nalarm a { detect p by user cancel by hand summary \"of {user}: {text}\" }\n",
    );
    for format in ["human", "json"] {
        let ended =
            pointsman(&["dry-run", "--rules", &rules, "--format", format, "-"], format!("user x{hidden}y {hidden}\n").as_bytes());
        assert_eq!(ended.status, 0, "{}", ended.err);
        assert!(ended.out.contains("of x"), "{}", ended.out);
        for c in hidden.chars() {
            assert!(!ended.out.contains(c) && !ended.err.contains(c), "{format}: {c:?} is shown as it came: {}", ended.out);
        }
    }
}

/// The shipped rules, copied as rules/README.md says, are a valid site. `check` refuses what a start and a reload refuse.
#[test]
fn copied_rules_are_a_site_and_its_tests_belong_to_it() {
    let scratch = Scratch::new("copied");
    for folder in ["rules/ip_takeover", "scripts"] {
        for entry in fs::read_dir(root().join(folder)).unwrap().map(|e| e.unwrap().path()) {
            let name = entry.file_name().unwrap().to_str().unwrap().to_owned();
            scratch.write(&format!("{folder}/{name}"), fs::read_to_string(&entry).unwrap());
        }
    }
    let example = fs::read_to_string(root().join("examples/sip-pair/pointsman.yaml")).unwrap();
    let own: Vec<&str> = example.lines().filter(|l| !l.starts_with("rules:") && !l.starts_with("scripts:")).collect();
    let config = scratch.write("pointsman.yaml", own.join("\n"));
    let ended = pointsman(&["check", "-c", &config], b"");
    assert!(ended.status == 0 && ended.out.starts_with("all is well: 3 rule files"), "{}{}", ended.out, ended.err);
    // Tests without a configuration belong to the site of their folder.
    let one =
        "tests:\n  - name: mine\n    holders: { sip_vip: sip2 }\n    steps: []\n    ends: { holders: { sip_vip: [sip2] } }\n";
    scratch.write("rules/mine/own.test.yaml", one);
    let ended = pointsman(&["test", &format!("{}/rules/mine", scratch.path())], b"");
    assert!(ended.status == 0 && ended.out.contains("1 passed"), "{}{}", ended.out, ended.err);
    scratch.write("rules/mine/own.test.yaml", one.replace("[sip2]", "[sip1]"));
    let ended = pointsman(&["check", "-c", &config], b"");
    assert!(ended.status == 2 && ended.err.contains("error[T002]") && ended.err.contains("`mine`"), "{}{}", ended.out, ended.err);
    assert_eq!(pointsman(&["check", "--no-tests", "-c", &config], b"").status, 0);
}

/// A file with ten thousand rules is accepted.
#[test]
fn ten_thousand_rules_are_one_file() {
    let scratch = Scratch::new("many");
    let rule = |n: usize| {
        format!(
            "alarm a{n} {{\n    summary  \"{{host}}: the service number {n} of the long list is away\"\n    detect   event from app \"service-{n}\" where text contains \"connection number {n} refused\" by host\n    cancel   after 1h\n}}\n"
        )
    };
    let path = scratch.write("many.alarm", (0..10_000).map(rule).collect::<String>());
    assert!(fs::metadata(&path).unwrap().len() > 1 << 20);
    let ended = pointsman(&["check", "--rules", &path], b"");
    assert!(ended.status == 0 && ended.out.contains("10000 alarms"), "{}{}", ended.out, ended.err);
}
