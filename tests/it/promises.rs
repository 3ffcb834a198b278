//! What `check` refuses because a start would fail, and what commands say when there is nothing to show.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use pointsman::core::base::time::Time;
use pointsman::core::journal::{Input, Record};
use pointsman::shell::store::Journal;

use crate::support::{Folder, gzip};

const RULES: &str = "\
pattern down { from app net  match /link (?<port>\\S+) is down/ }
pattern up   { from app net  match /link (?<port>\\S+) is up/ }
alarm link   { detect down by port  cancel when up }
alarm quiet  { detect no down for 20s  cancel when down }
";

const LOG: &str = "\
2026-01-01T10:00:00Z sip1 net[3]: link eth0 is down
2026-01-01T10:00:30Z sip1 net[3]: link eth0 is up
2026-01-01T10:05:00Z sip1 net[3]: link eth1 is down
";

/// A site with this configuration.
fn site(config: &str) -> Folder {
    let folder = Folder::new();
    fs::create_dir_all(folder.join("rules")).unwrap();
    fs::write(folder.join("rules/links.alarm"), RULES).unwrap();
    fs::write(folder.join("app.log"), LOG).unwrap();
    fs::write(folder.join("pointsman.yaml"), config).unwrap();
    folder
}

/// The exit status of a command, and all that it prints.
fn told(folder: &Folder, arguments: &str) -> (i32, String) {
    let output = folder.pointsman(&arguments.split(' ').collect::<Vec<_>>());
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), text)
}

/// Runs commands and compares the exit status of each, and a part of what it prints.
fn all_told(folder: &Folder, expected: &[(&str, i32, &str)]) {
    for (arguments, status, wanted) in expected {
        let (code, text) = told(folder, arguments);
        assert!(code == *status && text.contains(wanted), "{arguments}: {code}: {text}");
    }
}

fn refused(config: &str, wanted: &[&str]) {
    let folder = site(config);
    fs::create_dir(folder.join("logs")).unwrap();
    fs::create_dir(folder.join("data")).unwrap();
    fs::write(folder.join("data/journal.db"), "").unwrap();
    symlink(folder.join("nowhere"), folder.join("dangling")).unwrap();
    symlink(folder.join("rules/links.alarm"), folder.join("link.log")).unwrap();
    let pipe = Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap();
    assert!(pipe.success());
    let (status, text) = told(&folder, "check");
    assert_eq!(status, 2, "{config}: {text}");
    for part in wanted {
        assert!(text.contains(part), "{config}: no `{part}` in {text}");
    }
    // A start judges as `check` does. A dry run may be anywhere, and needs nothing of this machine.
    let (status, text) = told(&folder, "run");
    assert_eq!(status, 2, "{config}: {text}");
    assert!(text.contains(wanted[0]), "{config}: {text}");
    let (status, text) = told(&folder, "dry-run app.log");
    assert_eq!(status, 0, "{config}: {text}");
}

#[test]
fn what_is_no_log_is_not_followed() {
    refused("files: [logs]\n", &["C116", "is a folder", "pointsman.yaml:1:9", "logs/*.log"]);
    refused("files: [{ path: pipe }]\n", &["C116", "is a FIFO", "pointsman.yaml:1:17"]);
    refused("files: [/dev/null]\n", &["C116", "is a device"]);
    refused("files: [data/journal.db]\n", &["C116", "is in the data folder"]);
    refused("files: [\"data/*\"]\n", &["C116", "is in the data folder"]);
    refused("files: [rules/links.alarm]\n", &["C116", "is a file of this site"]);
    refused("files: [link.log]\n", &["C116", "is a file of this site"]);
    refused("files: [pointsman.yaml]\n", &["C116", "is a file of this site"]);
}

#[test]
fn a_data_folder_has_to_be_possible() {
    refused("data: app.log\n", &["C115", "app.log is a regular file", "pointsman.yaml:1:7"]);
    refused("data: app.log/data\n", &["C115", "can't be made", "app.log is a regular file"]);
    refused("data: dangling\n", &["C115", "is a link whose target does not exist"]);
    let folder = site("data: app.log\n");
    fs::write(folder.join("agent.yaml"), "host: h\ncontroller: c:5750\ndata: app.log\nlisten: off\n").unwrap();
    let (status, text) = told(&folder, "agent --check");
    assert!(status == 2 && text.contains("C115"), "{text}");
}

/// Root would become the user, and fails without it. Others stay who they are.
#[test]
fn a_user_that_is_missing_is_reported() {
    let folder = site("user: no_such_user\naccess: { viewer: { groups: [no_such_group] } }\nfiles: [app.log]\n");
    let (status, text) = told(&folder, "check");
    assert!(text.contains("no user `no_such_user`") && text.contains("pointsman.yaml:1:7"), "{text}");
    assert!(text.contains("no_such_group"), "{text}");
    assert_eq!(status, if text.contains("C115") { 2 } else { 0 }, "{text}");
}

#[test]
fn what_cannot_be_read_says_what_to_do() {
    for (config, wanted) in [
        ("rules: nowhere\n", "is the path right?"),
        ("rules: app.log/x\n", "could not be read"),
        ("rules: data\n", "write a rule file there"),
        ("scripts: app.log\n", "must be a folder"),
    ] {
        let folder = site(config);
        fs::create_dir(folder.join("data")).unwrap();
        let (status, text) = told(&folder, "check");
        assert!(status == 2 && text.contains(wanted), "{config}: {text}");
    }
}

/// Nothing after the moment is replayed, and the state at the end is that of the moment.
#[test]
fn a_dry_run_ends_at_a_moment() {
    let folder = site("files: []\n");
    let run = |until: &str| told(&folder, &format!("dry-run --until {until} app.log")).1;
    let text = run("2026-01-01T10:00:10Z");
    assert!(text.contains("1 alarm active at the end: link [eth0]") && text.contains("\n1 line, 1 wanted"), "{text}");
    // Time goes on to the moment, although no line has it: the silence is over 20 s after the first line.
    let text = run("2026-01-01T10:00:29Z");
    assert!(text.contains("2 alarms active at the end: link [eth0], quiet"), "{text}");
    assert!(!run("2026-01-01T10:05:00Z").contains("no alarm is active"));
    let several = told(&folder, "dry-run --until 2026-01-01T10:00:10Z app.log app.log").1;
    assert!(several.contains("1 alarm active at the end: link [eth0]"), "{several}");
}

#[test]
fn an_empty_result_says_why() {
    let folder = site("files: []\n");
    let expected = [
        ("dry-run --since 2027-01-01 app.log", 0, "before --since"),
        ("dry-run --until 2025-01-01 app.log", 0, "nothing was replayed: the log begins at 2026-01-01T10:00:00.000Z"),
        ("dry-run --from-line 9 app.log", 0, "the log ends before --from-line"),
        ("dry-run --since 2026-01-02 --until 2026-01-01 app.log", 3, "is later than --until"),
        ("dry-run --only lnk app.log", 3, "did you mean link?"),
        ("dry-run --only something_else app.log", 3, "there are link, quiet"),
        ("history --since 1h --until 2h", 3, "is later than --until"),
        ("history --kind raisd", 3, "did you mean raised?"),
        ("test --mutate", 2, "there is no test"),
        ("test --only x", 2, "there is no test with `x` in its name"),
        ("explain --alarm lnk app.log", 2, "did you mean link?"),
        ("explain --rule dwn app.log:1", 2, "did you mean down?"),
        ("explain app.log:9", 2, "has fewer than 9 lines"),
        ("alarms test link --app ap", 2, "there is none"),
    ];
    all_told(&folder, &expected);
}

/// A name that neither the journal nor the site has is a mistake; one that nothing happened to is not.
#[test]
fn history_knows_the_names_of_the_site() {
    let folder = site("files: []\nhosts: { sip1: { address: 10.0.0.1 } }\n");
    fs::create_dir(folder.join("data")).unwrap();
    let mut journal = Journal::open(&folder.join("data")).unwrap();
    journal.controller_id(|| 42).unwrap();
    journal.append(&Record::Input { sequence: 1, at: Time::from_millis(1_767_261_600_000), input: Input::Start }).unwrap();
    journal.sync().unwrap();
    drop(journal);
    let expected = [
        ("history --alarm link", 0, "the journal has nothing about the alarm link"),
        ("history --alarm lnk", 3, "did you mean link?"),
        ("history --host sip2", 3, "did you mean sip1?"),
        ("history --resource vip", 3, "there is none"),
        ("history --reaction x", 3, "there is none"),
        ("history --run 7", 0, "the journal has nothing of run 7"),
    ];
    all_told(&folder, &expected);
}

/// A log that is damaged in its middle makes no test of its first half.
#[test]
fn a_damaged_log_makes_no_first_test() {
    let folder = site("files: []\n");
    let line = |n| format!("2026-01-01T10:00:00Z sip1 net[{n}]: link eth{} is down {}\n", n % 7, n * 7_919);
    let mut bytes = gzip((0..20_000).map(line).collect::<String>());
    bytes.truncate(bytes.len() / 2);
    fs::write(folder.join("cut.log.gz"), bytes).unwrap();
    let (status, text) = told(&folder, "test --from cut.log.gz");
    assert!(status == 2 && text.contains("cut.log.gz: line") && !text.contains("output"), "{text}");
}

/// A record without a host is its log's, as it is when the log is followed.
#[test]
fn explain_knows_the_host_of_a_log() {
    let folder =
        site("hosts: { sip1: { address: 10.0.0.1, via: local }, sip2: {} }\nfiles: [{ path: app.log, host: sip2, app: net }]\n");
    fs::write(folder.join("app.log"), "2026-01-01T10:00:00Z link eth0 of sip2 is down\n").unwrap();
    for arguments in [&["explain", "app.log:1"][..], &["explain", "2026-01-01T10:00:00Z link eth0 of sip2 is down"][..]] {
        let text = String::from_utf8(folder.pointsman(arguments).stdout).unwrap();
        assert!(text.contains("host   sip2   (not in the record: its log's, by the configuration)"), "{text}");
        assert!(text.contains("app    net   (not in the record: its log's, by the configuration)"), "{text}");
        assert!(text.contains("stamp: ISO 8601;") && text.contains("t~~~~~~~~~~~~~~~~~~~ t~~~~"), "{text}");
    }
    // A listener's record may be anybody's.
    fs::write(
        folder.join("pointsman.yaml"),
        "hosts: { sip1: { via: local }, sip2: {} }\nfiles: [app.log]\nlisten: { syslog: udp://127.0.0.1:0 }\n",
    )
    .unwrap();
    let text = String::from_utf8(folder.pointsman(&["explain", "2026-01-01T10:00:00Z link x is down"]).stdout).unwrap();
    assert!(!text.contains("its log's"), "{text}");
}
