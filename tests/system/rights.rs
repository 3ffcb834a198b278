//! The rights that the running programs have given up, according to the kernel.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::site::{Ended, PROGRAM, Site, claim, ready, until};

/// The user that exists on every Linux.
const NOBODY: &str = "65534";

/// The content of `/proc/PID/task/*/status` for each thread of a process.
fn threads(pid: u32) -> Vec<BTreeMap<String, String>> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let of = |status: String| {
        let pair = |line: &str| line.split_once(':').map(|(k, v)| (k.to_owned(), v.trim().to_owned()));
        status.lines().filter_map(pair).collect()
    };
    tasks.filter_map(|task| fs::read_to_string(task.path().join("status")).ok()).map(of).collect()
}

/// Checks that every thread has this user, these effective capabilities (bits), no new privileges and a filter.
fn assert_rights(pid: u32, capabilities: u64) {
    let all = threads(pid);
    assert!(!all.is_empty());
    for thread in all {
        let name = &thread["Name"];
        assert!(thread["Uid"].split_whitespace().all(|uid| uid == NOBODY), "{name}: {}", thread["Uid"]);
        for set in ["CapEff", "CapPrm"] {
            assert_eq!(u64::from_str_radix(&thread[set], 16).unwrap(), capabilities, "{name} {set}");
        }
        assert_eq!((thread["NoNewPrivs"].as_str(), thread["Seccomp"].as_str()), ("1", "2"), "{name}");
    }
}

fn assert_private(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        // A file that is being replaced was renamed meanwhile.
        let Ok(meta) = entry.metadata() else { continue };
        let wanted = if meta.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(meta.permissions().mode() & 0o777, wanted, "{}", entry.path().display());
        assert_eq!(meta.uid().to_string(), NOBODY, "{}", entry.path().display());
        if meta.is_dir() {
            assert_private(&entry.path());
        }
    }
}

/// Both programs, started by root, run as another user with few capabilities, and still work. A umask that lets everybody write
/// does not change the modes of the files that they make.
#[test]
fn programs_started_by_root_give_up_its_rights() {
    let more = "user: nobody\nfiles: sip.log\nlisten: { agents: \"127.0.0.1:0\" }\n";
    let site = Site::new("rights-dropped", more, "agent");
    let config = fs::read_to_string(site.0.join("pointsman.yaml")).unwrap();
    let config: String = config.lines().take_while(|l| !l.starts_with("channels")).map(|l| format!("{l}\n")).collect();
    fs::write(site.0.join("pointsman.yaml"), config).unwrap();
    let mut command = Command::new("sh");
    let shell = format!("umask 0; exec {PROGRAM} run -c pointsman.yaml");
    command.args(["-c", &shell]).current_dir(&site.0).stdin(Stdio::null()).stderr(Stdio::piped());
    let (controller, line) = ready(command);
    until("scripts are evaluated", || {
        site.append(&claim(1));
        site.ask("history").contains("sip1 is primary")
    });
    assert_rights(controller.0.id(), 0);
    assert_eq!(fs::metadata(site.0.join("data")).unwrap().permissions().mode() & 0o777, 0o700);
    assert_private(&site.0.join("data"));

    let address = line.split("agents ").nth(1).unwrap().split([',', '\u{1b}']).next().unwrap().trim().to_owned();
    let out = Command::new(PROGRAM).args(["enroll", "sip1"]).current_dir(&site.0).output().unwrap();
    let said = String::from_utf8(out.stdout).unwrap();
    let token = said.lines().next().unwrap().to_owned();
    let agent = format!(
        "host: sip1\nuser: nobody\ncontroller: {address}\ndata: agent\nwatch: {{ SIP_SERVER_PRIMARY: {{ process: nothing }} }}\n"
    );
    fs::write(site.0.join("agent.yaml"), agent).unwrap();
    let enrolled = Command::new(PROGRAM).args(["enroll", "--token", &token]).current_dir(&site.0).output().unwrap();
    assert!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));
    let agent = Command::new(PROGRAM).args(["agent"]).current_dir(&site.0).stdin(Stdio::null()).spawn().unwrap();
    let agent = Ended(agent);
    until("the agent is connected", || site.ask("resources").contains("\"reachable\":true"));
    // CAP_NET_ADMIN is 12, CAP_NET_RAW 13 (capability.h).
    assert_rights(agent.0.id(), 1 << 12 | 1 << 13);
    assert_private(&site.0.join("agent"));
}
