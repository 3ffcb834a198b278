//! `dry-run --against`: the journals of a running controller and of the demo, through the same rules and through others.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::site::{PROGRAM, Site, ready, until};

const RULES: &str = "\
pattern link_down { match /link (?<port>\\S+) is down/ }
pattern link_up   { match /link (?<port>\\S+) is up/ }
reaction tell { script \"tell.rhai\" }
alarm link  { detect link_down by port  cancel when link_up  react tell summary \"link {port}\" }
alarm storm { detect 3 of link_down within 10s  cancel after 1m }
";

fn against(folder: &std::path::Path, arguments: &[&str]) -> (Option<i32>, String) {
    let out: Output = Command::new(PROGRAM).arg("dry-run").args(arguments).current_dir(folder).output().unwrap();
    (out.status.code(), format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
}

/// A controller records lines, commands of an operator and a restart. The same rules decide the same; an edited rule makes exactly
/// the difference that was made.
#[test]
fn a_journal_through_the_same_and_other_rules() {
    let site = Site::new("against", "files: sip.log\n", "agent");
    fs::write(site.0.join("rules/links.alarm"), RULES).unwrap();
    let script = "const PARAMS = #{};\nfn react(alarm, event, params) { notify(\"note\", alarm.summary); }\n";
    fs::write(site.0.join("scripts/tell.rhai"), script).unwrap();
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
    fs::write(
        site.0.join("rules/links.alarm"),
        RULES.replace("3 of link_down", "4 of link_down").replace("within 10s", "within 1s"),
    )
    .unwrap();
    let (code, other) = against(&site.0, &["-c", "pointsman.yaml", "--against", "copy"]);
    assert_eq!(code, Some(1), "{other}");
    let differences: Vec<&str> = other.lines().filter(|l| l.starts_with(['+', '-'])).collect();
    assert!(differences.len() == 1 && differences[0].contains("raised storm"), "{other}");
    assert!(other.contains("link eth3 is down") && other.contains("why: alarm storm was not raised"), "{other}");

    // A rule that is gone, and one that is new; for programs.
    let new = RULES.replace("alarm storm { detect 3 of", "alarm several { detect 2 of").replace("within 10s", "within 10m");
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
    assert!(code == Some(0), "{same}");
    eprintln!("{same}");
    fs::remove_dir_all(folder).unwrap();
}
