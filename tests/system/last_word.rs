//! Operators decide: pauses that survive a crash, the audit trail of a night, and viewers who change nothing.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;

use crate::site::{Ended, PROGRAM, Site, claim, ready, until};

/// A user that exists on every Linux.
const NOBODY: u32 = 65_534;
const DAEMON: u32 = 1;

/// A network namespace of its own.
struct Network(String);

impl Network {
    fn new(name: &str) -> Network {
        let network = Network(format!("pm-{name}-{}", std::process::id()));
        for words in [vec!["netns", "add", &network.0], vec!["-n", &network.0, "link", "set", "lo", "up"]] {
            assert!(Command::new("ip").args(words).status().unwrap().success());
        }
        network
    }

    fn controller(&self, site: &Site) -> Ended {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, PROGRAM, "run", "-c", "pointsman.yaml"]);
        command.current_dir(&site.0).stdin(Stdio::null()).stderr(Stdio::piped());
        ready(command).0
    }

    fn addresses(&self) -> String {
        let out = Command::new("ip").args(["-n", &self.0, "-o", "address"]).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

fn pointsman(site: &Site, words: &[&str]) -> Output {
    Command::new(PROGRAM).args(words).current_dir(&site.0).stdin(Stdio::null()).output().unwrap()
}

/// Runs a command that must succeed.
fn done(site: &Site, words: &[&str]) -> String {
    let out = pointsman(site, words);
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn resource(site: &Site) -> Json {
    serde_json::from_str(site.ask("resources").lines().next().unwrap_or("null")).unwrap_or_default()
}

fn other_claims(n: u32) -> String {
    claim(n).replace("sip1 SIP_SERVER_PRIMARY", "sip2 SIP_SERVER_BACKUP")
}

/// A link flaps, so the servers claim alternately. An operator begins a maintenance late, another one pauses everything, the
/// controller is killed, and after the night everything is resumed. The address never leaves its host, and the audit trail tells
/// the story.
#[test]
fn a_night() {
    let site = Site::new("night", "files: sip.log\n", "local");
    let network = Network::new("night");
    let controller = network.controller(&site);
    done(&site, &["resources", "released", "sip_vip", "sip2"]);
    site.append(&claim(1));
    until("sip1 has the address", || network.addresses().contains("10.77.0.100"));

    let mut pause = Command::new(PROGRAM);
    pause.args(["pause", "--all", "--for", "8h", "--reason", "the link flaps"]).current_dir(&site.0).env("SUDO_USER", "ann");
    assert!(pause.status().unwrap().success());
    for n in 0..6 {
        site.append(&if n % 2 == 0 { other_claims(10 + n) } else { claim(10 + n) });
    }
    site.append(&other_claims(20));
    until("the newest claim is known", || resource(&site)["owner"] == "sip2");
    let seen = resource(&site);
    assert_eq!((&seen["holders"][0], &seen["paused"]), (&Json::from("sip1"), &Json::from(true)), "{seen}");
    assert!(seen["would_do"].as_str().unwrap().contains("moved to sip2"), "{seen}");
    assert!(seen["held"].as_str().unwrap().contains("the link flaps"), "{seen}");
    done(&site, &["maintenance", "sip2", "--for", "1h", "--reason", "begun late"]);
    let refused = pointsman(&site, &["move", "sip_vip", "sip2"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("everything is paused by ann (sudo as root)"), "{refused:?}");

    // Killed in the night: the overrides stay in force.
    drop(controller);
    let _controller = network.controller(&site);
    until("the address is seen", || resource(&site)["holders"][0] == "sip1");
    assert!(network.addresses().contains("10.77.0.100"));
    assert!(done(&site, &["overrides"]).contains("begun late"));
    assert!(done(&site, &["status"]).contains("pause of everything"));
    site.append(&claim(21));
    until("sip1 claims again", || resource(&site)["owner"] == "sip1");

    let shown = pointsman(&site, &["resume", "--all"]);
    assert_eq!(shown.status.code(), Some(1), "{shown:?}");
    assert!(String::from_utf8_lossy(&shown.stdout).contains("sip_vip: nothing is done"), "{shown:?}");
    assert!(done(&site, &["overrides"]).contains("the link flaps"), "only shown");
    done(&site, &["resume", "--all", "--yes"]);
    until("it is settled", || resource(&site)["settled"] == true);
    assert!(network.addresses().contains("10.77.0.100"));

    let trail = done(&site, &["history", "--audit", "--all"]);
    let story = ["released", "ann (sudo as root): pause", "root: maintenance", "root: resume"];
    let mut from = 0;
    for step in story {
        let at = trail[from..].find(step).unwrap_or_else(|| panic!("{step} is not in its place:\n{trail}"));
        from += at;
    }
    let moves = done(&site, &["history", "--all", "--kind", "step", "--format", "json"]);
    assert!(!moves.contains("release"), "nothing was released all night:\n{moves}");
}

/// A user who opens many connections and says nothing shuts out neither root nor another user, and learns why it is refused.
#[test]
fn a_user_who_fills_the_control_socket_shuts_nobody_out() {
    let access = "files: sip.log\naccess: { viewer: { users: [nobody, daemon] } }\n";
    let site = Site::new("greedy", access, "agent");
    let (_controller, _) = ready(site.command());
    let opens = "import socket, sys\n\
        all = [socket.socket(socket.AF_UNIX) for _ in range(200)]\n\
        for s in all: s.connect('data/control.sock'); s.settimeout(20)\n\
        print(all[-1].recv(1000).decode().strip(), flush=True)\n\
        sys.stdin.read()\n";
    let mut greedy = Command::new("python3");
    greedy.args(["-c", opens]).current_dir(&site.0).uid(NOBODY).gid(NOBODY).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut greedy = greedy.spawn().unwrap();
    let mut refused = String::new();
    BufReader::new(greedy.stdout.take().unwrap()).read_line(&mut refused).unwrap();
    assert!(refused.contains("too many questions of this user"), "{refused}");
    let ask = |uid: u32| {
        let mut command = Command::new(site.0.join("pointsman"));
        command.arg("alarms").current_dir(&site.0).uid(uid).gid(uid).stdin(Stdio::null()).output().unwrap()
    };
    for uid in [0, DAEMON] {
        let out = ask(uid);
        assert!(out.status.success(), "uid {uid}: {out:?}");
    }
    drop(greedy.stdin.take());
    greedy.wait().unwrap();
    until("it may ask again", || ask(NOBODY).status.success());
}

/// A viewer sees everything, and every command that changes something is refused and recorded. An operator may do what operators
/// may, and other users nothing at all.
#[test]
fn a_viewer_changes_nothing() {
    let access = "files: sip.log\naccess: { viewer: { users: [nobody] }, operator: { users: [daemon] } }\n";
    let site = Site::new("viewer", access, "agent");
    let (_controller, _) = ready(site.command());
    done(&site, &["pause", "--all", "--reason", "a drill"]);
    done(&site, &["drain", "sip2", "--reason", "a drill"]);
    done(&site, &["maintenance", "sip2", "--reason", "a drill"]);
    let silence = ["silence", "--host", "sip2", "--for", "1h", "--reason", "a drill"];
    done(&site, &silence);
    let row = done(&site, &["silences", "--format", "json"]);
    let number = serde_json::from_str::<Json>(row.trim()).unwrap()["number"].to_string();
    let by = |uid: u32, words: &[&str]| {
        let mut command = Command::new(site.0.join("pointsman"));
        command.args(words).current_dir(&site.0).uid(uid).gid(uid).stdin(Stdio::null()).env("SUDO_USER", "root").output().unwrap()
    };
    let looks = ["status", "alarms", "resources", "runs", "sources", "silences", "overrides", "history"];
    let state = || ["alarms", "resources", "runs", "overrides"].map(|what| site.ask(what));
    let before = state();
    for look in looks {
        let out = by(NOBODY, &[look]);
        assert!(out.status.success(), "{look}: {}", String::from_utf8_lossy(&out.stderr));
    }
    // The journal's files are not for others, so the controller reads the pages of the history for them.
    let all = ["history", "--all", "--format", "json"];
    assert!(fs::metadata(site.0.join("data/journal.db")).unwrap().permissions().mode() & 0o077 == 0);
    // An entry may come between the two.
    until("a viewer reads what root reads", || {
        let (own, theirs) = (done(&site, &all), by(NOBODY, &all));
        own.contains("pause everything: a drill") && own == String::from_utf8_lossy(&theirs.stdout)
    });
    let csv = by(NOBODY, &["history", "--audit", "--limit", "2", "--format", "csv"]);
    assert_eq!(String::from_utf8_lossy(&csv.stdout).lines().count(), 3, "{csv:?}");
    assert!(by(NOBODY, &["alarms", "--all"]).status.success());
    assert!(!by(2, &all).status.success(), "who has no access reads nothing");
    let changes: &[&[&str]] = &[
        &["move", "sip_vip", "sip1"],
        &["resources", "released", "sip_vip", "sip2"],
        &["resources", "resume", "sip_vip"],
        &["alarms", "clear", "is_primary"],
        &["alarms", "comment", "is_primary", "hello"],
        &["alarms", "test", "is_primary", "--app", "SIP_SERVER_PRIMARY", "--live"],
        &["ack", "is_primary"],
        &["runs", "approve", "1"],
        &["runs", "cancel", "1"],
        &["runs", "retry", "1"],
        &["pause", "--all", "--reason", "x"],
        &["resume", "--all", "--yes"],
        &["silence", "--all", "--for", "1h", "--reason", "x"],
        &["unsilence", &number],
        &["maintenance", "sip1", "--reason", "x"],
        &["maintenance", "sip2", "--end"],
        &["drain", "sip1", "--reason", "x"],
        &["undrain", "sip2"],
        &["reload"],
        &["journal", "accept-loss", "--reason", "x"],
    ];
    for words in changes {
        let out = by(NOBODY, words);
        assert_eq!(out.status.code(), Some(2), "{words:?}: {out:?}");
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(said.contains("nobody has the access `viewer`") && said.contains("needs `"), "{words:?}: {said}");
    }
    assert_eq!(state(), before, "nothing has changed");
    let stranger = by(2, &["status"]);
    assert!(String::from_utf8_lossy(&stranger.stderr).contains("no access at all"), "{stranger:?}");
    let operator = by(DAEMON, &["undrain", "sip2"]);
    assert!(operator.status.success(), "{operator:?}");
    let operator = by(DAEMON, &["resources", "released", "sip_vip", "sip2"]);
    assert!(String::from_utf8_lossy(&operator.stderr).contains("needs `administrator`"), "{operator:?}");

    let trail = done(&site, &["history", "--audit", "--all", "--limit", "0", "--format", "json"]);
    let refused = trail.lines().filter(|line| line.contains("command_refused")).count();
    assert_eq!(
        refused,
        changes.len() + 3,
        "each attempt is recorded, those of the stranger and of the operator among them:\n{trail}"
    );
    assert!(trail.lines().any(|line| line.contains("daemon: undrain")), "{trail}");
    assert!(!trail.contains("sudo"), "who can't do everything is not believed about sudo:\n{trail}");
    assert!(fs::read_dir(site.0.join("data")).is_ok());
}

/// A test of an alarm: first only shown, without any action of the controller, and then for real with every text marked.
#[test]
fn an_alarm_is_tried() {
    let site = Site::new("drill", "files: sip.log\n", "agent");
    let rule = "alarm frozen { detect event 00-09999 by app  summary \"{app} is frozen\"  cancel by hand  react tell }\n";
    fs::write(site.0.join("rules/frozen.alarm"), rule).unwrap();
    fs::write(site.0.join("scripts/tell.rhai"), "fn react(alarm, event, params) { notify(\"note\", \"look at it\"); }\n")
        .unwrap();
    let (_controller, _) = ready(site.command());
    // The channel's command creates a file of this name.
    let told = || site.0.join("TEST: look at it").exists();
    let test = ["alarms", "test", "frozen", "--app", "SIP_SERVER_PRIMARY"];
    let shown = done(&site, &test);
    assert!(shown.contains("notify") && shown.contains("TEST: SIP_SERVER_PRIMARY is frozen"), "{shown}");
    assert!(site.ask("alarms").is_empty() && !told(), "only shown");
    done(&site, &[&test[..], &["--live"]].concat());
    until("it is told", told);
    let alarm = site.ask("alarms");
    assert!(alarm.contains("TEST: SIP_SERVER_PRIMARY is frozen") && alarm.contains("\"key\":\"SIP_SERVER_PRIMARY\""), "{alarm}");
    let again = pointsman(&site, &[&test[..], &["--live"]].concat());
    assert!(String::from_utf8_lossy(&again.stderr).contains("is active"), "{again:?}");
    let unknown = pointsman(&site, &["alarms", "test", "frozen", "--app", "SIP_SERVER_PRIMERY", "--live"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("did you mean SIP_SERVER_PRIMARY?"), "{unknown:?}");
    assert!(done(&site, &["history", "--audit"]).contains("test frozen application SIP_SERVER_PRIMARY"));
}
