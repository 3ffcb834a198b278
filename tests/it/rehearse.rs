//! Tools for trying rules: dry runs with counts, rule tests with coverage, updates, first tests and mutants.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use crate::support::Folder;

const RULES: &str = "\
pattern link_down { from app net  match /link (?<port>\\S+) is down/ }
pattern link_up   { from app net  match /link (?<port>\\S+) is up/ }
alarm link  { detect link_down by port  cancel when link_up }
alarm storm { detect 3 of link_down within 10s  cancel after 1m }
";

const TESTS: &str = "\
tests:
  - name: a link is lost and found
    steps:
      - { log: \"<13>1 {now}Z h net - - - link eth0 is down\" }
      # it comes back
      - { log: \"<13>1 {now}Z h net - - - link eth0 is up\", after: 5s }
    must:
      - { kind: alarm_raised, alarm: link, key: eth0, line: 1 }
      - { kind: alarm_cleared, alarm: link, key: eth0 }
    must_not:
      - { kind: alarm_raised, alarm: storm }
";

const LOG: &str = "\
2026-01-01T10:00:00Z sip1 net[3]: link eth0 is down
2026-01-01T10:00:02Z sip1 app[9]: request 17 from 10.0.0.1 took 12 ms
2026-01-01T10:00:03Z sip1 app[9]: request 18 from 10.0.0.7 took 1 ms
2026-01-01T10:00:30Z sip1 net[3]: link eth0 is up
2026-01-01T10:05:00Z sip1 net[3]: link eth1 is down
";

fn site() -> Folder {
    let folder = Folder::new();
    fs::create_dir_all(folder.join("rules")).unwrap();
    fs::write(folder.join("rules/links.alarm"), RULES).unwrap();
    fs::write(folder.join("rules/links.test.yaml"), TESTS).unwrap();
    fs::write(folder.join("app.log"), LOG).unwrap();
    folder
}

fn pointsman(folder: &Folder, arguments: &str) -> Output {
    folder.pointsman(&arguments.split(' ').collect::<Vec<_>>())
}

fn shown(folder: &Folder, arguments: &str, code: i32) -> String {
    let output = pointsman(folder, arguments);
    let (out, err) = (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert_eq!(output.status.code(), Some(code), "{arguments}: {out}{err}");
    out
}

#[test]
fn a_dry_run_is_counted() {
    let folder = site();
    let json = shown(&folder, "dry-run --rules rules --summary --format json app.log", 0);
    let summary: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    let link = &summary["alarms"][0];
    assert_eq!((&link["alarm"], &link["raised"], &link["longest"]), (&"link".into(), &2.into(), &"30s".into()));
    let log = &summary["logs"][0];
    assert_eq!((&log["records"], &log["wanted"], &log["decoded"]), (&5.into(), &3.into(), &"100 %".into()));
    let shape = &summary["unwanted_records"][0];
    assert_eq!((&shape["shape"], &shape["records"]), (&"request # from #.#.#.# took # ms".into(), &2.into()));
    assert!(shown(&folder, "dry-run --rules rules --summary app.log", 0).contains("request # from #.#.#.# took # ms"));
    assert!(shown(&folder, "dry-run --rules rules --summary --format csv app.log", 0).contains("alarms,link,raised,2"));
}

#[test]
fn entries_are_chosen() {
    let folder = site();
    let count = |arguments: &str| {
        let out = shown(&folder, &format!("dry-run --rules rules --format json {arguments} app.log"), 0);
        out.lines().filter(|line| line.contains("\"alarm_raised\"")).count()
    };
    assert_eq!(count("--only link"), 2);
    assert_eq!(count("--only storm"), 0);
    assert_eq!(count("--since 2026-01-01T10:01:00Z"), 1);
    assert_eq!(count("--until 2026-01-01T10:01:00Z"), 1);
    assert_eq!(count("--from-line 2"), 1);
    assert_eq!(count("--quiet"), 0);
    assert!(shown(&folder, "dry-run --rules rules --quiet app.log", 0).starts_with("5 lines, 3 wanted by a rule"));
    let csv = shown(&folder, "dry-run --rules rules --format csv --only link app.log", 0);
    assert!(csv.starts_with("at,kind,line,") && csv.contains(",alarm_raised,1,link,eth0,"), "{csv}");
    let unknown = pointsman(&folder, "dry-run --rules rules --only lnk app.log");
    assert_eq!(unknown.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("did you mean link?"));
}

#[test]
fn a_failing_test_says_why() {
    let folder = site();
    fs::write(folder.join("rules/links.test.yaml"), TESTS.replace("link eth0 is down", "link eth0 is dwn")).unwrap();
    let out = shown(&folder, "test rules --junit results.xml", 1);
    assert!(out.contains("must: { alarm: link, key: eth0, kind: alarm_raised, line: 1 } did not happen"), "{out}");
    assert!(out.contains("why: alarm link [eth0] was not raised") && out.contains("`own` is wanted"), "{out}");
    let xml = fs::read_to_string(folder.join("results.xml")).unwrap();
    assert!(xml.contains("tests=\"1\" failures=\"1\"") && xml.contains("<failure message=\"must:"), "{xml}");
}

#[test]
fn what_no_test_exercises_is_shown() {
    let folder = site();
    let table = shown(&folder, "test rules --coverage", 0);
    assert!(table.contains("rules/links.alarm:4: no test exercises alarm storm: raised"), "{table}");
    assert!(!table.contains("alarm link: raised"), "{table}");
    // Programs read these: nothing else is on standard output.
    let lcov = shown(&folder, "test rules --coverage=lcov", 0);
    assert!(lcov.starts_with("TN:") && lcov.contains("SF:rules/links.alarm\n"), "{lcov}");
    let json = shown(&folder, "test rules --coverage=json", 0);
    assert!(json.contains("\"what\":\"alarm link: cleared\""), "{json}");
    assert!(json.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{json}");
}

/// A script's lines are covered one by one.
#[test]
fn lines_of_scripts_that_no_test_exercises_are_shown() {
    let folder = site();
    fs::create_dir_all(folder.join("rules/scripts")).unwrap();
    let script = "const PARAMS = #{};\nfn react(alarm, event, params) {\n  log.info(\"it is\");\n  if alarm.count > 5 {\n    log.warn(\"again\");\n  }\n}\n";
    fs::write(folder.join("rules/scripts/say.rhai"), script).unwrap();
    let rules = RULES.replace("cancel when link_up }", "cancel when link_up react say }");
    fs::write(folder.join("rules/links.alarm"), format!("reaction say {{ script \"say.rhai\" }}\n{rules}")).unwrap();
    let table = shown(&folder, "test rules --coverage", 0);
    assert!(table.contains("say.rhai:5: no test exercises script say.rhai: warn"), "{table}");
    assert!(!table.contains("say.rhai:3"), "{table}");
    let lcov = shown(&folder, "test rules --coverage=lcov", 0);
    assert!(lcov.contains("say.rhai\nBRDA:3,0,0,1\nBRDA:5,0,0,0\nDA:3,1\nDA:5,0\n"), "{lcov}");
    assert!(
        shown(&folder, "test rules --coverage=json", 0).contains("\"line\":5,\"times\":0,\"what\":\"script say.rhai: warn\"")
    );
}

#[test]
fn tests_run_again_after_a_change() {
    let folder = site();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .args(["test", "rules", "--watch"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut until = |wanted: &str| while !lines.next().expect("it goes on").contains(wanted) {};
    until("1 passed, 0 failed");
    until("waiting for changes");
    fs::write(folder.join("rules/links.alarm"), RULES.replace("cancel when link_up", "cancel by hand")).unwrap();
    until("0 passed, 1 failed");
    until("waiting for changes");
    fs::write(folder.join("rules/links.alarm"), RULES).unwrap();
    until("1 passed, 0 failed");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn expectations_are_updated_and_nothing_else() {
    let folder = site();
    let old = TESTS
        .replace("key: eth0, line: 1 }", "key: eth0, line: 2 }")
        .replace("      - { kind: alarm_raised, alarm: storm }", "      - { kind: alarm_cleared, alarm: link }");
    fs::write(folder.join("rules/links.test.yaml"), &old).unwrap();
    let out = shown(&folder, "test rules --update", 0);
    assert!(out.contains("-      - { kind: alarm_raised, alarm: link, key: eth0, line: 2 }"), "{out}");
    let new = fs::read_to_string(folder.join("rules/links.test.yaml")).unwrap();
    assert_eq!(new, TESTS.replace("    must_not:\n      - { kind: alarm_raised, alarm: storm }\n", ""));
    shown(&folder, "test rules", 0);
}

#[test]
fn a_first_test_passes() {
    let folder = site();
    let first = shown(&folder, "test --rules rules --from app.log", 0);
    assert!(first.contains("- { kind: alarm_raised, alarm: link, key: eth0, line: 1 }"), "{first}");
    fs::write(folder.join("rules/links.test.yaml"), &first).unwrap();
    assert!(shown(&folder, "test rules", 0).contains("1 passed, 0 failed"), "{first}");
}

/// The tests that are written from samples pass, and notice every change of the alarms that they are about.
#[test]
fn first_tests_from_samples_notice_changes() {
    let folder = site();
    let rules = "\
pattern failed {
    from app sshd
    match /failed (?<user>\\S+) from (?<peer:ip>)/
    sample user = \"ann\", peer = \"203.0.113.9\" | <13>1 2026-03-14T09:15:02Z h1 sshd 7 - - failed ann from 203.0.113.9
    not sample | <13>1 2026-03-14T09:15:02Z h1 sshd 7 - - accepted ann from 203.0.113.9
    not sample | <13>1 2026-03-14T09:15:02Z h1 web 7 - - failed ann from 203.0.113.9
}
pattern missed {
    match /^missed by (?<peer:ip>\\S+)$/
    not sample | missed by ann
}
alarm guessing { detect 5 of failed by peer within 10m  cancel after 20m }
alarm twice    { detect 2 of failed by user, peer within 1m  cancel after 5m }
alarm tried    { detect failed by user, peer  cancel after 5m }
pattern some   { detect failed or missed }
alarm guesses  { detect 3 of some by peer within 10m  cancel after 20m }
alarm drained  {
    detect event \"drained\" from app pointsman where trust == \"authenticated\" by host
    cancel when event \"undrained\" where trust == \"authenticated\"
}
alarm stuck {
    detect event \"take_failed\" from app pointsman where trust == \"authenticated\" by resource, host
    cancel when event \"settled\" where trust == \"authenticated\"
    cancel after 1d
}
";
    fs::write(folder.join("rules/links.alarm"), rules).unwrap();
    let first = shown(&folder, "test --rules rules --from-samples", 0);
    fs::write(folder.join("rules/links.test.yaml"), &first).unwrap();
    assert!(shown(&folder, "test rules", 0).contains("6 passed, 0 failed"), "{first}");
    let out = shown(&folder, "test rules --mutate", 0);
    assert!(out.ends_with("(100 %)\n"), "{out}{first}");
}

/// The tests of the shipped rules notice at least 95 of 100 changes. `rules/README.md` has the figures, and that of `intruders`,
/// which takes minutes without optimization.
#[test]
fn the_tests_of_the_shipped_rules_notice_changes() {
    for pack in ["hosts", "ip_takeover", "nlb", "pairs", "pointsman", "sec"] {
        let output = Command::new(env!("CARGO_BIN_EXE_pointsman")).args(["test", "--mutate", &format!("rules/{pack}")]).output();
        let out = String::from_utf8(output.unwrap().stdout).unwrap();
        let last = out.lines().last().unwrap_or_default();
        let numbers: Vec<u32> = last.split(' ').filter_map(|word| word.parse().ok()).collect();
        let [noticed, all] = numbers.as_slice() else { panic!("{pack}: {out}") };
        assert!(*all > 20 && noticed * 100 >= all * 95, "{pack}: {out}");
    }
}

/// A site may use rules of another folder. Only the tests beside those say whether a change there is noticed.
#[test]
fn rules_whose_tests_do_not_run_are_not_changed() {
    let folder = site();
    fs::create_dir_all(folder.join("more")).unwrap();
    fs::write(folder.join("more/own.alarm"), "alarm own { detect alarm link raised  cancel after 1m }\n").unwrap();
    let test = "rules: [., ../rules]\ntests:\n  - name: own\n    steps: [{ log: \"<13>1 {now}Z h net - - - link eth0 is down\" }]\n    must: [{ alarm: own }]\n";
    fs::write(folder.join("more/own.test.yaml"), test).unwrap();
    let of = |paths: &str| shown(&folder, &format!("test {paths} --mutate"), 1);
    assert!(!of("more").contains("links.alarm"), "{}", of("more"));
    let both = of("rules more");
    assert!(
        both.contains("rules/links.alarm:4: no test notices: alarm storm: `3 of` becomes `4 of`") && !both.contains(".."),
        "{both}"
    );
}

/// A change of a pattern changes each use of it, and a part of an `or` is a change of its own.
#[test]
fn patterns_are_changed_wherever_they_are_used() {
    let folder = site();
    let rules = "\
pattern failed {
    from app sshd
    match /^failed (?<user>\\S+)$/
    match /^refused (?<user>\\S+)$/
    where user == \"root\" or user == \"ann\"
    sample | <13>1 2026-03-14T09:15:02Z h1 sshd 7 - - failed ann
    sample | <13>1 2026-03-14T09:15:02Z h1 sshd 7 - - failed root
    not sample | <13>1 2026-03-14T09:15:02Z h1 sshd 7 - - failed bob
    not sample | <13>1 2026-03-14T09:15:02Z h1 web 7 - - failed ann
}
alarm x { detect failed where user != \"ann\"  cancel at once }
";
    fs::write(folder.join("rules/links.alarm"), rules).unwrap();
    let test = "tests:\n  - name: x\n    steps: [{ log: \"<13>1 {now}Z h1 sshd 7 - - failed {n}\", times: 2 }]\n    must_not: [{ alarm: x }]\n";
    fs::write(folder.join("rules/links.test.yaml"), test).unwrap();
    let out = shown(&folder, "test rules --mutate", 1);
    let lines: Vec<&str> = out.lines().map(|line| line.trim_start_matches("rules/links.alarm:")).collect();
    assert_eq!(
        lines,
        [
            "1: no test notices: failed: `user !=` becomes `==`",
            "1: no test notices: failed: without a test of its `where`",
            "1: no test notices: failed: without its `match` 2",
            "7 of 10 changes are noticed (70 %)"
        ],
        "{out}"
    );
}

#[test]
fn changes_that_no_test_notices_are_shown() {
    let folder = site();
    let out = shown(&folder, "test rules --mutate", 1);
    assert!(out.contains("alarm storm: `3 of` becomes `4 of`"), "{out}");
    assert!(!out.contains("alarm link: without a `cancel when`"), "{out}");
    assert!(out.lines().last().is_some_and(|line| line.ends_with("%)")), "{out}");
}
