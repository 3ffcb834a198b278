//! `dry-run --against`: the journals of a running controller and of the demo, through the same rules and through others.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::site::{PROGRAM, Site, ready, until};

const RULES: &str = "\
pattern link_down { match /link (?<port>\\S+) is down/ }
pattern link_up   { match /link (?<port>\\S+) is up/ }
reaction tell { script \"tell.rhai\" }
alarm link  { detect link_down by port  cancel when link_up  react tell summary \"link {port}\" }
alarm storm { detect 3 of link_down within 10m  cancel after 1h }
";

/// A site with rules about links, whose reaction notifies. Its lines have no stamp, so that none is late on a busy machine.
pub(crate) fn links(name: &str, more: &str) -> Site {
    let site = Site::new(name, more, "agent");
    fs::write(site.0.join("rules/links.alarm"), RULES).unwrap();
    let script = "const PARAMS = #{};\nfn react(alarm, event, params) { notify(\"note\", alarm.summary); }\n";
    fs::write(site.0.join("scripts/tell.rhai"), script).unwrap();
    site
}

fn against(folder: &std::path::Path, arguments: &[&str]) -> (Option<i32>, String) {
    let out: Output = Command::new(PROGRAM).arg("dry-run").args(arguments).current_dir(folder).output().unwrap();
    (out.status.code(), format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
}

/// A controller records lines, commands of an operator and a restart. The same rules decide the same; an edited rule makes exactly
/// the difference that was made.
#[test]
fn a_journal_through_the_same_and_other_rules() {
    let site = links("against", "files: sip.log\n");
    let ask = |what: &[&str]| {
        let out = Command::new(PROGRAM).args(what).current_dir(&site.0).output().unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let raised = |alarm: &str, key: &str| {
        let shown = ask(&["alarms", "--format", "json"]);
        shown.lines().any(|l| l.contains(&format!("\"alarm\":\"{alarm}\"")) && l.contains(&format!("\"key\":\"{key}\"")))
    };
    let before = || ask(&["journal", "show"]).matches("\"backlog_ended\"").count();
    let (running, _) = ready(site.command());
    until("it has read its file", || before() > 0);
    // Lines without a stamp are never late.
    for n in 1..=3 {
        site.append(&format!("link eth{n} is down\n"));
        until("the link's alarm", || raised("link", &format!("eth{n}")));
    }
    site.append("link eth2 is up\n");
    until("it is cleared", || !raised("link", "eth2"));
    ask(&["alarms", "clear", "link", "eth3"]);
    ask(&["silence", "link", "--reason", "known", "--for", "1h"]);
    drop(running);
    let ended = before();
    let (running, _) = ready(site.command());
    until("it has started again", || before() > ended);
    site.append("link eth4 is down\n");
    until("the last alarm", || raised("link", "eth4"));

    let (code, same) = against(&site.0, &["-c", "pointsman.yaml", "--against", "data"]);
    assert!(code == Some(0) && same.contains("0 only by the site (-), 0 only by these rules (+)"), "{same}");
    assert!(same.contains("11 decisions equal"), "{same}");

    // The edited rules are beside the running ones, and a backup is read as well.
    let backup = Command::new(PROGRAM).args(["journal", "backup", "copy"]).current_dir(&site.0).output().unwrap();
    assert!(backup.status.success(), "{backup:?}");
    drop(running);
    fs::write(site.0.join("rules/links.alarm"), RULES.replace("3 of link_down", "9 of link_down")).unwrap();
    let (code, other) = against(&site.0, &["-c", "pointsman.yaml", "--against", "copy"]);
    assert_eq!(code, Some(1), "{other}");
    let differences: Vec<&str> = other.lines().filter(|l| l.starts_with(['+', '-'])).collect();
    assert!(differences.len() == 1 && differences[0].contains("raised storm"), "{other}");
    assert!(other.contains("link eth3 is down") && other.contains("why: alarm storm was not raised"), "{other}");

    // A rule that is gone, and one that is new; for programs.
    let new = RULES.replace("alarm storm { detect 3 of", "alarm several { detect 2 of");
    fs::write(site.0.join("rules/links.alarm"), new).unwrap();
    let (_, json) = against(&site.0, &["-c", "pointsman.yaml", "--against", "data", "--format", "json"]);
    assert!(json.contains("these rules have no alarm storm"), "{json}");
    assert!(json.lines().any(|l| l.contains("\"by\":\"rules\"") && l.contains("\"alarm\":\"several\"")), "{json}");

    for (path, what) in [("nowhere", "there is no journal"), ("pointsman.yaml", "not a database")] {
        let (code, said) = against(&site.0, &["-c", "pointsman.yaml", "--against", path]);
        assert!(code == Some(2) && said.contains(what), "{said}");
    }
}

#[test]
fn the_journal_of_the_demo_replays_to_equal_decisions() {
    let demo = Command::new(PROGRAM).args(["demo", "--keep"]).output().unwrap();
    let said = String::from_utf8_lossy(&demo.stdout).into_owned();
    assert!(demo.status.success(), "{said}");
    let (_, folder) = said.split_once("files are kept in ").unwrap();
    let folder = PathBuf::from(folder.lines().next().unwrap());
    let (code, same) = against(&folder, &["-c", "pointsman.yaml", "--against", "data"]);
    assert!(code == Some(0) && same.contains("0 only by the site (-), 0 only by these rules (+)"), "{same}");
    let equal: u32 = same.lines().find_map(|l| l.split(" decisions equal").next()?.parse().ok()).unwrap();
    assert!(equal >= 15, "{same}");

    // A reaction is taken out of one rule: exactly its starts are missing.
    let rules = folder.join("rules/roles.alarm");
    let text = fs::read_to_string(&rules).unwrap();
    let (before, after) = text.split_once("  react ").unwrap();
    let (reaction, rest) = after.split_once('\n').unwrap();
    fs::write(&rules, format!("{before}{rest}")).unwrap();
    let (code, other) = against(&folder, &["-c", "pointsman.yaml", "--against", "data"]);
    let differences: Vec<&str> = other.lines().filter(|l| l.starts_with(['+', '-'])).collect();
    assert!(code == Some(1) && !differences.is_empty(), "{reaction}: {other}");
    assert!(differences.iter().all(|l| l.starts_with('-') && l.contains("started")), "{reaction}: {other}");
    fs::remove_dir_all(folder).unwrap();
}

/// Records that the running rules do not want are kept, so that rules which want them can be tried: afterwards and beside them.
#[test]
fn rules_that_want_more_are_tried_with_records_that_nobody_wanted() {
    let site = links("shadow", "files: sip.log\njournal: { unwanted: 8MiB }\n");
    let other = site.0.join("other.alarm");
    fs::write(
        &other,
        format!("{RULES}pattern fan {{ match /fan (?<n>\\d+) failed/ }}\nalarm fans {{ detect fan by n cancel by hand }}\n"),
    )
    .unwrap();
    let ask = |what: &[&str]| {
        let out = Command::new(PROGRAM).args(what).current_dir(&site.0).output().unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let raised = |key: &str| ask(&["alarms", "--format", "json"]).contains(&format!("\"key\":\"{key}\""));
    let (running, _) = ready(site.command());
    until("it has read its file", || ask(&["journal", "show"]).contains("\"backlog_ended\""));
    site.append("link eth1 is down\nfan 3 failed\n");
    until("the link's alarm", || raised("eth1"));
    let arguments = ["-c", "pointsman.yaml", "--rules", "other.alarm", "--against", "data"];
    until("the fan's record is kept", || against(&site.0, &arguments).1.contains("raised fans [3]"));
    let (code, said) = against(&site.0, &arguments);
    assert!(
        code == Some(1) && said.contains("a record that the site's rules do not match: ") && said.contains("fan 3 failed"),
        "{said}"
    );

    // The shadow begins when a link is down already: that both know of it is no difference.
    let mut shadow = Command::new(PROGRAM)
        .args(["shadow", "-c", "pointsman.yaml", "--rules", "other.alarm", "--for", "5m"])
        .current_dir(&site.0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(shadow.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.next().is_some_and(|line| line.contains("comparing with the controller")));
    site.append("link eth1 is down\nlink eth2 is down\nfan 4 failed\nlink eth1 is up\n");
    until("the links' alarms", || raised("eth2") && !raised("eth1"));
    let mut said: Vec<String> = Vec::new();
    while !said.last().is_some_and(|line| line.contains("raised fans [4]")) {
        said.push(lines.next().expect("the shadow goes on"));
    }
    let pid = Pid::from_raw(i32::try_from(shadow.id()).unwrap());
    kill(pid, Signal::SIGINT).unwrap();
    said.extend(lines);
    let (ended, said) = (shadow.wait().unwrap(), said.join("\n"));
    let differences: Vec<&str> = said.lines().filter(|l| l.starts_with(['+', '-'])).collect();
    assert!(ended.code() == Some(1) && differences.len() == 1, "{said}");
    assert!(differences[0].contains("raised fans [4]") && said.contains("1 only by these rules (+)"), "{said}");
    // The shadow raised nothing in the controller.
    assert!(!ask(&["alarms", "--format", "json"]).contains("fans"), "{said}");
    drop(running);
}
