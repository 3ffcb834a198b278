//! Tests of the system. They need Linux, root for network namespaces, and util-linux, and fail if they cannot run. (sshd,
//! HAProxy, BIND, rsyslog and Neovim are used by the tests that need them.)
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod address;
mod against;
mod bad;
mod carrier;
mod cases;
mod demo;
mod editor;
mod explain;
mod full_disk;
mod journal;
mod last_word;
mod monitoring;
mod network;
mod notify;
mod page;
mod port;
mod presets;
mod programs;
mod quorum;
mod reload;
mod reports;
mod rights;
mod site;
mod storm;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The peak memory of a process so far, in KB.
fn peak(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Lines of 100 MB, lines without end, keys without end: the memory of a dry run is bounded, whatever the log contains.
#[test]
fn the_memory_of_a_dry_run_is_bounded() {
    let folder = std::env::temp_dir().join(format!("pointsman-system-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let rules = folder.join("a.alarm");
    fs::write(&rules, "pattern p { match /user (?<user>\\S+)/ }\nalarm a { detect p by user cancel by hand }\n").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .args(["dry-run", "--format", "json", "--rules"])
        .arg(&rules)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(fs::File::create(folder.join("out")).unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines: u64 = 0;
    for n in 0..300_000 {
        writeln!(stdin, "<14>1 2026-03-14T09:15:02Z host{n} app 1 - - user u{n} {}", "x".repeat(n % 300)).unwrap();
        lines += 1;
    }
    for _ in 0..2 {
        for _ in 0..100 {
            stdin.write_all(&vec![b'y'; 1024 * 1024]).unwrap();
        }
        stdin.write_all(b"\n").unwrap();
        lines += 1;
    }
    // It has read everything except what the pipe and its buffer contain.
    let peak = peak(&child).expect("/proc has the peak memory of a running process");
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let _ = fs::remove_dir_all::<PathBuf>(folder);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("{lines} lines")) && said.contains("2 cut"), "{said}");
    let _ = writeln!(std::io::stderr(), "dry run of {lines} lines, 200 MB of it in two: {} MB at its peak", peak / 1024);
    assert!(peak < 150 * 1024, "{peak} KB");
}
