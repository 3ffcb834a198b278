//! The two programs as a system runs them: supervised, adopted by another controller, writing to the system's log.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use pointsman::shell::linux::lab;

use crate::site::{Ended, PROGRAM, Site, claim, ready, until};

/// The protocol of systemd (sd_notify(3)): ready when everything is open, alive while the loop runs, stopping when it ends.
#[test]
fn a_supervisor_is_notified() {
    let site = Site::new("notify-socket", "files: sip.log\n", "agent");
    let socket = UnixDatagram::bind(site.0.join("notify.sock")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut command = site.command();
    command.env("NOTIFY_SOCKET", site.0.join("notify.sock"));
    let (mut running, _) = ready(command);
    assert_eq!(next(&socket), "READY=1");
    let said: Vec<String> = (0..3).map(|_| next(&socket)).collect();
    assert_eq!(said.iter().filter(|said| *said == "WATCHDOG=1").count(), 2, "{said:?}");
    let status = said.iter().find(|said| said.starts_with("STATUS=")).unwrap();
    assert_eq!(status, "STATUS=0 of 1 resources settled, 0 of 2 hosts connected, 0 alarms active");
    let process = nix::unistd::Pid::from_raw(running.0.id().cast_signed());
    nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM).unwrap();
    let last = (0..100).map(|_| next(&socket)).find(|said| said != "WATCHDOG=1" && !said.starts_with("STATUS="));
    assert_eq!(last.as_deref(), Some("STOPPING=1"));
    assert!(running.0.wait().unwrap().success());
}

/// The next message of a program to its supervisor.
fn next(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let length = socket.recv(&mut buffer).expect("it says something");
    String::from_utf8_lossy(&buffer[..length]).trim().to_owned()
}

/// A failing script raises an alarm if the shipped rules about Pointsman itself are loaded.
#[test]
fn a_script_that_fails_is_an_alarm() {
    let site = Site::new("own", "files: sip.log\n", "agent");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/pointsman/own.alarm");
    fs::copy(own, site.0.join("rules/own.alarm")).unwrap();
    fs::write(site.0.join("scripts/fails.rhai"), "fn react(alarm, event, params) { throw \"no such luck\"; }\n").unwrap();
    fs::write(site.0.join("rules/fails.alarm"), "alarm fails { detect event 00-04563 cancel at once react fails }\n").unwrap();
    let (_running, _) = ready(site.command());
    until("the alarm is raised", || {
        // What is written before the file is read for the first time is a backlog and starts nothing.
        site.append(&claim(1));
        let alarms = site.ask("alarms");
        alarms.contains("script_failed") && alarms.contains("no such luck")
    });
}

/// A missing file raises an alarm that names it, until the file returns. Meanwhile no silence fires.
#[test]
fn a_file_that_is_gone_is_an_alarm() {
    let site = Site::new("away", "files: sip.log\n", "agent");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/pointsman/own.alarm");
    fs::copy(own, site.0.join("rules/own.alarm")).unwrap();
    fs::write(site.0.join("rules/quiet.alarm"), "alarm quiet { detect no event 00-04563 by host for 20s }\n").unwrap();
    let (running, _) = ready(site.command());
    fs::remove_file(site.0.join("sip.log")).unwrap();
    let away = || site.ask("alarms").lines().any(|row| row.contains("log_away") && row.contains("sip.log can't be read"));
    until("it is away", away);
    drop(running);
    // A start does not change this.
    let (_running, _) = ready(site.command());
    until("it is still away", away);
    fs::write(site.0.join("sip.log"), claim(2)).unwrap();
    until("it is back", || !away());
    assert!(site.ask("history").contains("sip.log can be read again") && !site.ask("alarms").contains("quiet"));
}

/// The system's log receives what a script sends to a channel of that kind.
#[test]
fn a_script_tells_the_systems_log() {
    let site = Site::new("syslog", "files: sip.log\n", "agent");
    let config = fs::read_to_string(site.0.join("pointsman.yaml")).unwrap();
    fs::write(site.0.join("pointsman.yaml"), config.replace("channels:\n", "channels:\n  system: syslog\n")).unwrap();
    fs::write(site.0.join("scripts/tell.rhai"), "fn react(alarm, event, params) { notify(\"system\", \"it moved\"); }\n")
        .unwrap();
    fs::write(site.0.join("rules/tell.alarm"), "alarm tell { detect event 00-04563 cancel at once react tell }\n").unwrap();
    // The path of the log socket is the same for everybody on a machine, so the controller gets its own view of the file system.
    let socket = UnixDatagram::bind(site.0.join("log.sock")).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let script = "\
        if [ -S /dev/log ]; then touch /dev/log && mount --bind log.sock /dev/log; \
        else mount -t tmpfs none /dev/shm && cp -a /dev/null /dev/zero /dev/urandom /dev/random /dev/shm/ \
             && touch /dev/shm/log && mount --bind log.sock /dev/shm/log && mount --rbind /dev/shm /dev; fi \
        && exec \"$PROGRAM\" run -c pointsman.yaml";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).env("PROGRAM", PROGRAM).current_dir(&site.0);
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    let (_running, _) = ready(command);
    let mut told = String::new();
    until("the log is told", || {
        site.append(&claim(1));
        let mut buffer = [0; 1024];
        if let Ok(length) = socket.recv(&mut buffer) {
            told = String::from_utf8_lossy(&buffer[..length]).into_owned();
        }
        told.contains("it moved")
    });
    // The daemon facility (3), a notice (5): RFC 3164 section 4.1.1.
    assert!(told.starts_with("<29>") && told.contains("pointsman["), "{told}");
}

/// An agent obeys the controller that it knows, and after `adopt` the next one.
#[test]
fn an_agent_is_adopted_by_another_controller() {
    let new_network = std::thread::spawn(|| {
        lab::new_network().expect("tests of the system run as root");
        let site = Site::new("adopt", "files: sip.log\nlisten: { agents: 127.0.0.1:5750 }\n", "agent");
        let run = |arguments: &[&str]| {
            let out = Command::new(PROGRAM).args(arguments).current_dir(&site.0).output().unwrap();
            let said = String::from_utf8_lossy(&out.stdout).into_owned() + String::from_utf8_lossy(&out.stderr).as_ref();
            assert!(out.status.success(), "{arguments:?}: {said}");
            said
        };
        fs::create_dir(site.0.join("sip1")).unwrap();
        let agent = "host: sip1\ncontroller: 127.0.0.1:5750\nresources:\n  sip_vip: { address: 10.77.0.100/24, interface: lo }\n";
        fs::write(site.0.join("sip1/agent.yaml"), agent).unwrap();
        let enroll = || {
            let token = run(&["enroll", "sip1"]).lines().next().unwrap().to_owned();
            run(&["enroll", "--token", &token, "-c", "sip1/agent.yaml"]);
        };
        let supervisor = UnixDatagram::bind(site.0.join("notify.sock")).unwrap();
        supervisor.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let start_agent = || {
            let mut command = Command::new(PROGRAM);
            command.env("NOTIFY_SOCKET", site.0.join("notify.sock"));
            command.args(["agent", "-c", "sip1/agent.yaml"]).current_dir(&site.0).stdin(Stdio::null()).stderr(Stdio::null());
            Ended(command.spawn().unwrap())
        };
        let on_sip1 = || site.ask("resources").contains("\"holders\":[\"sip1\"]");
        let heard = || site.ask("resources").contains("\"reachable\":true");
        let moved = || {
            // The second host has no agent here: an operator confirms that it does not have the address.
            run(&["move", "sip_vip", "sip1"]);
            run(&["resources", "released", "sip_vip", "sip2"]);
        };

        let (first, _) = ready(site.command());
        enroll();
        let running = start_agent();
        until("the agent is heard", heard);
        let mut told = std::iter::repeat_with(|| next(&supervisor)).filter(|told| !told.starts_with("STATUS="));
        assert_eq!([told.next(), told.next()].map(Option::unwrap), ["READY=1", "WATCHDOG=1"]);
        moved();
        until("sip1 has the address", on_sip1);
        drop((first, running));

        // A controller that knows nothing of the first one: other keys, another journal.
        fs::remove_dir_all(site.0.join("data")).unwrap();
        let (_second, _) = ready(site.command());
        enroll();
        let running = start_agent();
        until("the agent is heard", heard);
        moved();
        until("the agent says that it obeys another", || site.ask("history").contains("pointsman adopt"));
        drop(running);
        run(&["adopt", "-c", "sip1/agent.yaml"]);
        let running = start_agent();
        until("sip1 has the address by the second's word", || on_sip1() && site.ask("resources").contains("\"settled\":true"));

        // The agent's store is lost: it begins a new one, and is accepted.
        drop(running);
        until("the agent is not heard", || !heard());
        for name in ["agent.db", "agent.db-wal", "agent.db-shm"] {
            let _ = fs::remove_file(site.0.join("sip1/data").join(name));
        }
        let _running = start_agent();
        until("the agent reports again", heard);
    });
    new_network.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}
