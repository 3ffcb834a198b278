//! The settings of followed files (format, folder of rotated files), in the program, in `check` and in dry runs; and unusual
//! files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use pointsman::core::decode::LineFormat;
use pointsman::core::event::{Event, Trust};
use pointsman::shell::sources::Entry;

use crate::cli::pointsman;
use crate::sources::{Follower, append, claim, followed, fresh, numbers};
use crate::support::{Folder, gzip};

fn next(follower: &mut Follower) -> Event<'static> {
    loop {
        if let Some(heard) = follower.next() {
            return heard.event;
        }
    }
}

/// A log in a folder whose rotated files are moved to the folder `old` within it.
fn with_olddir(folder: &Folder) -> (PathBuf, PathBuf, Entry) {
    let (path, old) = (folder.join("sip.log"), folder.join("old"));
    fs::create_dir(&old).unwrap();
    let entry = Entry { olddir: Some("old".into()), ..Entry::new(&path) };
    (path, old, entry)
}

#[test]
fn rotated_files_in_another_folder_are_read() {
    let folder = Folder::new();
    let (path, old, entry) = with_olddir(&folder);
    append(&path, &claim(1));
    let mut follower = Follower::start(&entry, BTreeMap::new());
    follower.until_backlog_ended();
    append(&path, &claim(2));
    assert_eq!(follower.texts(1), numbers(2, 2));
    // Rotated while the follower runs.
    append(&path, &claim(3));
    fs::rename(&path, old.join("sip.log.1")).unwrap();
    append(&path, &claim(4));
    assert_eq!(follower.texts(2), numbers(3, 4));
    assert!(follower.gaps.is_empty(), "{:?}", follower.gaps);
    let places = follower.stop();
    // Rotated while it does not run: twice, and the older file is compressed.
    append(&path, &claim(5));
    fs::write(old.join("sip.log.2.gz"), gzip(fs::read(&path).unwrap())).unwrap();
    fs::remove_file(old.join("sip.log.1")).unwrap();
    fs::remove_file(&path).unwrap();
    append(&old.join("sip.log.1"), &claim(6));
    append(&path, &claim(7));
    let mut follower = Follower::start(&entry, places);
    assert_eq!(follower.until_backlog_ended(), numbers(5, 7));
    assert!(follower.gaps.is_empty(), "{:?}", follower.gaps);
    follower.stop();
}

#[test]
fn a_rotation_into_a_folder_that_is_not_named_is_reported() {
    let folder = Folder::new();
    let (path, old, _) = with_olddir(&folder);
    append(&path, &claim(1));
    let mut follower = fresh(&path);
    follower.until_backlog_ended();
    for n in [2, 4] {
        append(&path, &claim(n));
        fs::rename(&path, old.join(format!("sip.log.{n}"))).unwrap();
        append(&path, &claim(n + 1));
        assert_eq!(follower.texts(2), numbers(n, n + 1));
    }
    // Reported once, with the setting to write.
    let [told] = &follower.gaps[..] else { panic!("{:?}", follower.gaps) };
    let real = old.canonicalize().unwrap();
    assert!(told.contains(&format!("write `olddir: {}` for it", real.display())), "{told}");
    // A file that was deleted was not moved.
    let places = follower.stop();
    let mut follower = Follower::start(&Entry::new(&path), places);
    follower.until_backlog_ended();
    fs::remove_file(&path).unwrap();
    append(&path, &claim(6));
    assert_eq!(follower.texts(1), numbers(6, 6));
    assert!(follower.gaps.is_empty(), "{:?}", follower.gaps);
    follower.stop();
}

#[test]
fn a_declared_format_is_read_in_a_followed_file() {
    let folder = Folder::new();
    let path = folder.join("sip.log");
    append(&path, "");
    let format = LineFormat::parse("%d.%m.%Y-%H.%M.%S").unwrap();
    let entry = Entry { format: Some(format), host: "sip1".into(), app: "SIP_SERVER_PRIMARY".into(), ..Entry::new(&path) };
    let mut follower = Follower::start(&entry, BTreeMap::new());
    append(&path, "15.01.2027-08.00.00 Std 04563 number 1\n");
    let event = next(&mut follower);
    assert_eq!(event.at.unwrap().to_string(), "2027-01-15T08:00:00.000Z");
    assert_eq!(event.text, "number 1");
    follower.stop();
}

/// Nothing waits for a pipe, and a log that returns is read on.
#[test]
fn what_takes_a_logs_place_does_not_hold_it_up() {
    let folder = Folder::new();
    let (path, mut follower) = followed(&folder, 1);
    let mut n = 2;
    let mut goes_on = |follower: &mut Follower, said: usize, what: &str| {
        fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)).unwrap();
        append(&path, &claim(n));
        assert_eq!(follower.texts(1), numbers(n, n), "{what}");
        // Its return is reported before it disappears again.
        follower.until_said(said);
        n += 1;
    };
    goes_on(&mut follower, 1, "itself");
    fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    follower.until_said(2);
    goes_on(&mut follower, 3, "a pipe");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    follower.until_said(4);
    goes_on(&mut follower, 5, "a folder");
    fs::remove_file(&path).unwrap();
    symlink(&path, &path).unwrap();
    follower.until_said(6);
    goes_on(&mut follower, 7, "a link to itself");
    follower.stop();
}

/// A link that is changed to another file is treated as a rotation.
#[test]
fn a_link_may_be_led_elsewhere() {
    let folder = Folder::new();
    let path = folder.join("sip.log");
    for n in 1..=3 {
        append(&folder.join(&format!("{n}.txt")), "");
    }
    symlink(folder.join("1.txt"), &path).unwrap();
    let mut follower = fresh(&path);
    follower.until_backlog_ended();
    for n in 1..=3 {
        append(&folder.join(&format!("{n}.txt")), &claim(n));
        if n > 1 {
            let link = folder.join("link");
            symlink(folder.join(&format!("{n}.txt")), &link).unwrap();
            fs::rename(&link, &path).unwrap();
        }
        assert_eq!(follower.texts(1), numbers(n, n));
    }
    follower.stop();
}

#[test]
fn bytes_that_are_no_text_are_read_as_well_as_they_can_be() {
    let folder = Folder::new();
    let path = folder.join("sip.log");
    append(&path, "");
    let mut follower = fresh(&path);
    follower.until_backlog_ended();
    let line = |n: u32| claim(n).trim_end().as_bytes().to_vec();
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    bytes.extend([line(1), b"\r\n".to_vec(), vec![0; 300], b"\n".to_vec(), line(2), b" caf\xe9\n\n\r\n".to_vec()].concat());
    bytes.extend([line(3), vec![0; 7], b"\n".to_vec()].concat());
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(&bytes).unwrap();
    assert_eq!(follower.texts(3), ["number 1", "number 2 café", "number 3"]);
    follower.stop();
}

/// A site with one followed file.
fn site(folder: &Folder, entry: &str) -> String {
    let rules = folder.join("rules");
    fs::create_dir_all(&rules).unwrap();
    fs::write(rules.join("a.alarm"), "alarm full { detect event from host db1 where text contains \"full\" cancel at once }\n")
        .unwrap();
    let config = folder.join("pointsman.yaml");
    fs::write(&config, format!("hosts:\n  db1: {{ address: 10.0.0.5 }}\nfiles:\n  - {entry}\n")).unwrap();
    config.to_str().unwrap().to_owned()
}

#[test]
fn check_tries_a_format_with_the_first_lines() {
    let folder = Folder::new();
    let config = site(&folder, "{ path: \"log/*.log\", format: \"%d.%m.%Y %T\" }");
    fs::create_dir(folder.join("log")).unwrap();
    append(&folder.join("log/a.log"), "\n14.03.2026 02:11:57 full\n");
    append(&folder.join("log/b.log"), "");
    let good = pointsman(&["check", "-c", &config], b"");
    assert_eq!((good.status, good.err.as_str()), (0, ""), "{}", good.out);
    append(&folder.join("log/c.log"), "2026-03-14 02:11:57 full\n  at x\n");
    let bad = pointsman(&["check", "-c", &config], b"");
    let told = format!("{}{}", bad.out, bad.err);
    for part in
        ["C211", "any of the first 2 lines", "log/c.log: in the first, `.` does not read `26-03-14 02:11:57 full`", ":4:", "^^^"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(bad.status, 0, "it is a warning");
    // The folder of rotated files does not exist.
    let config = site(&folder, "{ path: log/a.log, olddir: odl }");
    let ended = pointsman(&["check", "-c", &config], b"");
    assert!(ended.err.contains("C212") || ended.out.contains("C212"), "{}{}", ended.out, ended.err);
}

/// A dry run of a followed file, or of its rotated version, reads it as the program does.
#[test]
fn a_dry_run_of_a_followed_file_knows_what_is_said_of_it() {
    let folder = Folder::new();
    let entry = "{ path: log/db.log, host: db1, timezone: Asia/Kolkata, format: \"%d.%m.%Y-%H.%M.%S\", olddir: old }";
    let config = site(&folder, entry);
    fs::create_dir_all(folder.join("log/old")).unwrap();
    let line = "14.03.2026-02.11.57 the disk is full\n";
    for name in ["db.log", "db.log.1", "old/db.log-20260314", "other.log"] {
        append(&folder.join(&format!("log/{name}")), line);
    }
    let linked = folder.join("link");
    symlink(folder.join("log"), &linked).unwrap();
    let run = |log: &Path| {
        let ended = pointsman(&["dry-run", "-c", &config, "--format", "json", log.to_str().unwrap()], b"");
        assert_eq!(ended.status, 0, "{}", ended.err);
        ended.out
    };
    for name in ["log/db.log", "log/db.log.1", "log/old/db.log-20260314", "link/db.log", "log/old/../db.log"] {
        let told = run(&folder.join(name));
        assert!(told.contains("alarm_raised") && told.contains("2026-03-13T20:41:57"), "{name}: {told}");
    }
    let other = folder.join("log/other.log");
    assert!(!run(&other).contains("alarm_raised"));
    // A copy is read like the followed file if the user says so; so is a record without a file.
    let other = other.to_str().unwrap();
    let of = |what: &str| folder.join(what).to_str().unwrap().to_owned();
    for followed in ["log/db.log".to_owned(), of("log/db.log")] {
        let ended = pointsman(&["dry-run", "-c", &config, "--format", "json", "--as", &followed, other], b"");
        assert!(ended.out.contains("alarm_raised") && ended.out.contains("2026-03-13T20:41:57"), "{}{}", ended.out, ended.err);
    }
    for (arguments, input) in [(vec![line.trim()], ""), (vec!["--as", "log/db.log", "-"], line)] {
        let arguments = [vec!["explain", "-c", config.as_str()], arguments].concat();
        let ended = pointsman(&arguments, input.as_bytes());
        assert!(ended.out.contains("2026-03-13T20:41:57") && ended.out.contains("db1"), "{}{}", ended.out, ended.err);
    }
    let ended = pointsman(&["dry-run", "-c", &config, "--as", "log/dbx.log", other], b"");
    assert!(ended.status == 3 && ended.err.contains("did you mean log/db.log?"), "{}", ended.err);
}

/// A log that two entries follow would count twice.
#[test]
fn check_warns_of_a_log_that_is_followed_twice() {
    let folder = Folder::new();
    let config = site(&folder, "{ path: log/a.log, host: db1 }\n  - log/*.log");
    fs::create_dir_all(folder.join("log")).unwrap();
    append(&folder.join("log/a.log"), &claim(1));
    let ended = pointsman(&["check", "-c", &config], b"");
    assert!(ended.err.contains("C213") || ended.out.contains("C213"), "{}{}", ended.out, ended.err);
    let config = site(&folder, "{ path: log/a.log, host: db1 }\n  - log/b*.log");
    let ended = pointsman(&["check", "-c", &config], b"");
    assert!(!ended.err.contains("C213") && !ended.out.contains("C213"), "{}{}", ended.out, ended.err);
}

/// A pattern that can match nothing is refused.
#[test]
fn check_refuses_a_pattern_that_is_none() {
    let folder = Folder::new();
    for pattern in ["log/b[0-9.log", "log/a**b"] {
        let config = site(&folder, &format!("\"{pattern}\""));
        let ended = pointsman(&["check", "-c", &config], b"");
        assert_eq!(ended.status, 2, "{pattern}: {}{}", ended.out, ended.err);
        assert!(format!("{}{}", ended.out, ended.err).contains("is not a pattern of files"));
    }
}

/// `**` ends although links lead back; links that a pattern names are followed.
#[test]
fn links_between_folders_have_an_end() {
    let folder = Folder::new();
    fs::create_dir_all(folder.join("logs/x/y")).unwrap();
    for name in ["logs/a.log", "logs/x/b.log", "logs/x/y/c.log", "logs/x/y/c.log.1", "logs/x/y/c-20261129.log", "logs/x/d.log.gz"]
    {
        append(&folder.join(name), &claim(1));
    }
    symlink(".", folder.join("logs/here")).unwrap();
    symlink("..", folder.join("logs/x/up")).unwrap();
    symlink("../..", folder.join("logs/x/y/top")).unwrap();
    let matches = |pattern: &str| {
        let found = Entry::new(folder.join(pattern)).matches();
        found.iter().map(|path| path.strip_prefix(folder.join("")).unwrap().display().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(matches("logs/**/*.log"), ["logs/a.log", "logs/x/b.log", "logs/x/y/c.log"]);
    assert_eq!(matches("logs/**/y/?.log"), ["logs/x/y/c.log"]);
    assert_eq!(matches("logs/x/up/*.log"), ["logs/x/up/a.log"]);
    assert_eq!(matches("logs/h*/x/[b-d].log"), ["logs/here/x/b.log"]);
    // What an entry is said to follow is what it follows.
    let entry = Entry::new(folder.join("logs/*.log"));
    assert!(entry.covers(&folder.join("logs/a.log")) && !entry.covers(&folder.join("logs/x/b.log")));
    // A folder of many folders takes one handle at a time.
    let deep = (0..300).fold(folder.join("logs"), |at, _| at.join("d"));
    fs::create_dir_all(&deep).unwrap();
    append(&deep.join("e.log"), &claim(1));
    assert_eq!(Entry::new(folder.join("logs/**/**/e.log")).matches(), [deep.join("e.log")]);
}

/// Whoever can write to the log of this machine can write a record that looks like one of another machine behind a relay's head.
#[test]
fn a_record_behind_the_head_of_a_relay_is_not_trusted() {
    let folder = Folder::new();
    let path = folder.join("all.log");
    append(&path, &claim(1));
    let mut follower = Follower::start(&Entry::new(&path), BTreeMap::new());
    follower.until_backlog_ended();
    append(&path, "Jan 15 08:00:01 sip1 SIP_SERVER_PRIMARY[7]: Std 04563 x\n");
    append(&path, "Jan 15 08:00:01 h1 1 2027-01-15T08:00:01Z sip1 SIP_SERVER_PRIMARY 7 00-04563 - x\n");
    let (own, relayed) = (next(&mut follower), next(&mut follower));
    assert_eq!((&*own.host, own.trust), ("sip1", Trust::Local));
    assert_eq!((&*relayed.host, relayed.trust), ("sip1", Trust::Unverified));
}
