//! Failures around the controller: missing rights, occupied ports, silent connections.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use pointsman::shell::command::{Leftovers, run};

use crate::site::{Site, claim, ready, until};

#[test]
fn a_port_that_is_taken_and_a_second_controller() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let site = Site::new("port", &format!("listen: {{ syslog: tcp://{address} }}\n"), "agent");
    let out = site.command().output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(said.contains(&format!("tcp {address} can't be listened on")) && said.contains("ss -lpn"), "{said}");

    let site = Site::new("second", "files: sip.log\n", "agent");
    let (_first, _) = ready(site.command());
    let out = site.command().output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(said.contains("another process uses it"), "{said}");
    assert!(site.ask("resources").contains("sip_vip"), "the first goes on");
}

/// A user who may not change addresses learns at once what is missing.
#[test]
fn a_host_without_rights() {
    let site = Site::new("rights", "files: sip.log\n", "local");
    let out = Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(site.0.join("pointsman"))
        .args(["run", "-c", "pointsman.yaml"])
        .current_dir(&site.0)
        .output()
        .unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(said.contains("CAP_NET_ADMIN and CAP_NET_RAW"), "{said}");
}

#[test]
fn ten_thousand_silent_connections_keep_nobody_out() {
    const SILENT: usize = 10_000;
    let limit = SILENT as u64 + 2_000;
    let (_, most) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).unwrap();
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, limit.min(most), most).unwrap();
    let site = Site::new("silent", "listen: { syslog: tcp://127.0.0.1:0 }\n", "agent");
    let (_running, line) = ready(site.command());
    let address = line.split("tcp ").nth(1).unwrap().split([',', '\u{1b}']).next().unwrap().trim().to_owned();
    let mut early = TcpStream::connect(&address).unwrap();
    early.write_all(claim(1).as_bytes()).unwrap();
    let wanted = |n: u64| site.ask("sources").contains(&format!("\"wanted\":{n}"));
    until("the first is heard", || wanted(1));
    let silent: Vec<TcpStream> = (0..SILENT).map(|_| TcpStream::connect(&address).unwrap()).collect();
    // Senders that sent something before are read, and so are new ones.
    early.write_all(claim(2).as_bytes()).unwrap();
    let mut late = TcpStream::connect(&address).unwrap();
    late.write_all(claim(3).as_bytes()).unwrap();
    until("both are heard", || wanted(3));
    drop(silent);
}

/// A channel that is a program receives the text as its last argument, without a shell.
#[test]
fn a_script_tells_people_through_a_program() {
    let site = Site::new("notify", "files: sip.log\n", "agent");
    let told = site.0.join("told");
    fs::write(
        site.0.join("scripts/tell.rhai"),
        "const PARAMS = #{ text: \"text\" };\nfn react(alarm, event, params) { notify(\"note\", params.text); }\n",
    )
    .unwrap();
    fs::write(site.0.join("rules/tell.alarm"), "alarm tell { detect event 00-04563 cancel at once react tell(text = text) }\n")
        .unwrap();
    // `tee -a TOLD TEXT` writes its standard input, which is empty, to both files. The existence of TEXT shows its arguments.
    let (_running, _) = ready(site.command());
    until("the file is followed", || site.ask("sources").contains("sip.log"));
    let name = "a $(touch b); 'c' number 1";
    let now = || pointsman::shell::linux::wall_time().to_string();
    until("the program was called with the text", || {
        // What is written before the file is read for the first time is a backlog and starts nothing.
        site.append(&format!("{} Standard sip1 SIP_SERVER_PRIMARY GCTI-00-04563 {name}\n", now().trim_end_matches('Z')));
        site.0.join(name).exists()
    });
    assert!(told.exists() && !site.0.join("b").exists());
}

/// True if a process `sleep MARK` runs.
fn sleeps(mark: &str) -> bool {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|p| fs::read(p.path().join("cmdline")).ok()).any(|c| c.ends_with(format!("sleep\0{mark}\0").as_bytes()))
}

/// A command whose time is over ends with everything that it has started: in its group, in a session of its own, and as a daemon
/// whose parent has ended.
#[test]
fn a_command_that_hangs_leaves_nothing_behind() {
    let mark = format!("9{}", std::process::id());
    let script = format!("trap '' TERM; sleep {mark} & setsid sleep {mark} & (setsid setsid sleep {mark} &); sleep {mark}");
    for leftovers in [Leftovers::End, Leftovers::Stay] {
        let why = run("/bin/sh", &["-c".to_owned(), script.clone()], Duration::from_millis(300), leftovers).unwrap_err();
        assert!(why.contains("did not end within"), "{why}");
        until("none of it lives", || !sleeps(&mark));
    }
}

/// A notification or a command of a script leaves nothing behind, even if it ends in time.
#[test]
fn what_a_command_of_a_script_leaves_behind_ends_with_it() {
    let mark = format!("6{}", std::process::id());
    // The service runs before the command ends.
    let script = format!("(setsid sleep {mark} >/dev/null 2>&1 &); until pgrep -fx 'sleep {mark}' >/dev/null; do :; done");
    let ended = run("/bin/sh", &["-c".to_owned(), script], Duration::from_secs(60), Leftovers::End).unwrap();
    assert_eq!(ended.status, 0);
    until("none of it lives", || !sleeps(&mark));
}

/// A command that starts a service (with a session of its own) ends although the service keeps its output open. Its output is
/// read completely. What it left in its own group has ended.
#[test]
fn a_command_that_starts_a_service_ends() {
    let mark = format!("8{}", std::process::id());
    let script = format!(
        "setsid sleep {mark} & s=$!; while [ \"$(ps -o sid= $s)\" = \"$(ps -o sid= $$)\" ]; do :; done; sleep 7{mark} & echo $s $!; head -c 100000 /dev/zero | tr '\\0' x; echo last >&2"
    );
    let began = pointsman::shell::linux::boot_time();
    let ended = run("/bin/sh", &["-c".to_owned(), script], Duration::from_secs(600), Leftovers::Stay).unwrap();
    assert!(pointsman::shell::linux::boot_time().since(began) < Duration::from_secs(300), "it was not waited for");
    let (service, rest) = ended.stdout.split_once('\n').unwrap();
    let (service, left) = service.split_once(' ').unwrap();
    let left = PathBuf::from(format!("/proc/{left}"));
    // A killed process disappears after its parent has waited for it. Its parent is the process that adopts it.
    until("what was left in the group has ended", || {
        fs::read_to_string(left.join("stat")).is_ok_and(|s| s.contains(") Z ")) || !left.exists()
    });
    let service = nix::unistd::Pid::from_raw(service.parse().unwrap());
    nix::sys::signal::kill(service, nix::sys::signal::Signal::SIGKILL).expect("the service is left alone");
    assert_eq!((ended.status, ended.stderr.as_str()), (0, "last\n"));
    assert!(rest.starts_with("xxx") && rest.ends_with("bytes were not kept)"), "{}", &rest[rest.len() - 60..]);
}
