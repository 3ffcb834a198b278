//! The journal of a running controller: read meanwhile and afterwards, damaged, copied, restored.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use pointsman::core::base::time::Time;
use pointsman::core::journal::{Input, Record};
use pointsman::core::sim::Rng;
use pointsman::shell::linux::wall_time;
use pointsman::shell::store::{Journal, JournalReader};

use crate::site::{Ended, PROGRAM, Site, ready, until};

/// Runs the program in the site's folder.
fn run(site: &Site, arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).current_dir(&site.0).stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn history(site: &Site, more: &[&str]) -> String {
    said(&run(site, &[&["history", "--all", "--format", "json"], more].concat()))
}

/// A controller that has read the content of its file: what is written from now on is new.
fn listening(site: &Site) -> (Ended, String) {
    let before = said(&run(site, &["journal", "show"])).matches("\"backlog_ended\"").count();
    let started = ready(site.command());
    until("it has read its file", || said(&run(site, &["journal", "show"])).matches("\"backlog_ended\"").count() > before);
    started
}

/// A site whose rules notify of each event. Lines have no stamp, so that none is late on a busy machine.
fn site(name: &str) -> Site {
    let site = Site::new(name, "files: sip.log\nlisten: { agents: 127.0.0.1:0 }\n", "agent");
    fs::write(site.0.join("rules/tell.alarm"), "pattern n { match /number (?<n>\\d+)/ }\nreaction tell { script \"tell.rhai\" }\nalarm numbers { detect n by n cancel by hand react tell summary \"number {n}\" }\n").unwrap();
    fs::write(
        site.0.join("scripts/tell.rhai"),
        "const PARAMS = #{};\nfn react(alarm, event, params) { notify(\"note\", alarm.summary); log.info(\"told\"); }\n",
    )
    .unwrap();
    site
}

#[test]
fn history_outlives_the_controller() {
    let site = site("history");
    let (ended, _) = listening(&site);
    site.append("number 1\n");
    site.append("number 2\n");
    until("both are notified", || history(&site, &["--kind", "notified"]).lines().count() == 2);
    assert!(run(&site, &["alarms", "clear", "numbers", "1"]).status.success());
    let verified = run(&site, &["journal", "verify"]);
    assert!(verified.status.success() && said(&verified).contains("all is well"), "{}", said(&verified));
    drop(ended);
    let (ended, _) = listening(&site);
    let all = history(&site, &[]);
    for part in
        ["\"kind\":\"raised\"", "\"kind\":\"log\"", "note: number 2", "\"kind\":\"operator\"", "\"by\":\"", "clear numbers [1]"]
    {
        assert!(all.contains(part), "{part}: {all}");
    }
    drop(ended);
    // No controller runs now.
    assert_eq!(history(&site, &[]).lines().count(), all.lines().count());
    let about = |more: &[&str]| history(&site, more).lines().count();
    assert_eq!(about(&["--alarm", "numbers", "--kind", "raised"]), 2);
    assert_eq!((about(&["--run", "1"]) > 0, about(&["--limit", "3"])), (true, 3));
    assert_eq!((about(&["--since", "1h", "--kind", "cleared"]), about(&["--until", "1h"])), (1, 0));
    let table = said(&run(&site, &["history", "--all", "--limit", "1"]));
    assert!(table.starts_with("at ") && table.lines().count() == 3, "{table}");
    // The last line names the record before which it continues.
    let before =
        table.split("--before ").nth(1).and_then(|rest| rest.split(['`', ' ']).next()).unwrap_or_else(|| panic!("{table}"));
    let earlier = history(&site, &["--before", before, "--limit", "0"]);
    assert_eq!(earlier.lines().count() + 1, all.lines().count(), "{earlier}");
    let past = said(&run(&site, &["alarms", "--all", "--format", "csv"]));
    assert!(past.starts_with("alarm,key,raised_at,cleared_at,lasted,acked,summary\n") && past.lines().count() == 3, "{past}");
    let asked =
        run(&site, &["journal", "query", "SELECT key, cause FROM alarms WHERE cleared_at IS NOT NULL", "--format", "csv"]);
    assert_eq!(said(&asked).lines().next(), Some("key,cause"), "{}", said(&asked));
    assert!(said(&asked).lines().nth(1).is_some_and(|line| line.starts_with("1,by ")), "{}", said(&asked));
    let why = run(&site, &["history", "--since", "soon"]);
    assert!(!why.status.success() && said(&why).contains("is not a time"), "{}", said(&why));
}

/// A clock that was ten years ahead when the journal began: the next start corrects it.
#[test]
fn a_clock_that_was_ahead_is_followed_back() {
    let site = site("clock");
    fs::create_dir(site.0.join("data")).unwrap();
    let ahead = wall_time() + Duration::from_secs(10 * 365 * 24 * 3_600);
    let mut journal = Journal::open(&site.0.join("data")).unwrap();
    journal.append(&Record::Input { sequence: 1, at: ahead, input: Input::Start }).unwrap();
    journal.sync().unwrap();
    drop(journal);
    let (ended, _) = listening(&site);
    until("it is told", || history(&site, &[]).contains("clock_changed"));
    drop(ended);
    let journal = Journal::open(&site.0.join("data")).unwrap();
    let newest = journal.state().newest.unwrap();
    assert!(newest.offset_from(wall_time()).abs() < 60_000_000, "{newest}");
}

/// Confirmed records are missing: the controller does not start and says why. After an operator accepts the loss, it continues.
#[test]
fn a_log_that_lost_its_end_is_refused_until_that_is_accepted() {
    let site = site("lost");
    let (mut ended, _) = listening(&site);
    site.append("number 1\n");
    until("it is notified", || history(&site, &["--kind", "notified"]).lines().count() == 1);
    ended.0.kill().unwrap();
    ended.0.wait().unwrap();
    let wal = site.0.join("data/journal.db-wal");
    let bytes = fs::read(&wal).unwrap();
    for damaged in [None, Some(&bytes[..0]), Some(&bytes[..32])] {
        match damaged {
            Some(part) => fs::write(&wal, part).unwrap(),
            None => fs::remove_file(&wal).unwrap(),
        }
        let out = site.command().output().unwrap();
        assert!(!out.status.success() && said(&out).contains("accept-loss"), "{}", said(&out));
        assert!(!run(&site, &["journal", "verify"]).status.success());
    }
    // With the original file, everything is valid again.
    fs::write(&wal, &bytes).unwrap();
    assert!(run(&site, &["journal", "verify"]).status.success());
    fs::remove_file(&wal).unwrap();
    assert!(!run(&site, &["journal", "accept-loss"]).status.success(), "a reason is wanted");
    let out = run(&site, &["journal", "accept-loss", "--reason", "the disk of Monday"]);
    assert!(out.status.success(), "{}", said(&out));
    let (_ended, _) = listening(&site);
    assert!(history(&site, &[]).contains("the disk of Monday"));
    site.append("number 2\n");
    until("it goes on", || history(&site, &["--kind", "notified"]).contains("number 2"));
}

/// A data folder that was put back from a copy is complete in itself, but may be older than what was acted on: nothing is sent to
/// hosts until that is settled.
#[test]
fn a_folder_that_was_put_back_from_a_copy_is_held() {
    let site = site("copied");
    let doubts = || history(&site, &["--kind", "journal_end"]).lines().count();
    let line = |n: u32| {
        let notified = || history(&site, &["--kind", "notified"]).contains(&format!("number {n}"));
        site.append(&format!("number {n}\n"));
        until("it is notified", notified);
    };
    let (data, copy) = (site.0.join("data"), site.0.join("copy"));
    for n in 1..=2 {
        let (mut ended, _) = listening(&site);
        line(n);
        ended.0.kill().unwrap();
        ended.0.wait().unwrap();
    }
    assert_eq!(doubts(), 0, "a start in the same folder is no copy");
    let copied = Command::new("cp").arg("-a").arg(&data).arg(&copy).status().unwrap();
    assert!(copied.success());
    let (mut ended, _) = listening(&site);
    line(3);
    ended.0.kill().unwrap();
    ended.0.wait().unwrap();
    fs::rename(&data, site.0.join("newer")).unwrap();
    fs::rename(&copy, &data).unwrap();
    let (mut ended, _) = listening(&site);
    until("it is reported", || doubts() == 1);
    assert!(history(&site, &["--kind", "journal_end"]).contains("is a copy"));
    let shown = said(&run(&site, &["resources"]));
    assert!(shown.contains("is a copy"), "{shown}");
    ended.0.kill().unwrap();
    ended.0.wait().unwrap();
    // It is still held after another start, although that is no copy any more. An operator ends it.
    let (_ended, _) = listening(&site);
    assert!(said(&run(&site, &["resources"])).contains("is a copy"));
    let out = run(&site, &["journal", "accept-loss", "--reason", "nothing moved since"]);
    assert!(out.status.success(), "{}", said(&out));
    until("it goes on", || !said(&run(&site, &["resources"])).contains("is a copy"));
}

/// A restore that is killed at any moment leaves the journal as it was, or one that is refused until the restore is run again.
#[test]
fn a_restore_may_be_killed() {
    let site = site("restore");
    let (ended, _) = listening(&site);
    site.append("number 1\n");
    until("it is notified", || history(&site, &["--kind", "notified"]).lines().count() == 1);
    let copy = site.0.join("copy");
    let copy = copy.to_str().unwrap();
    let out = run(&site, &["journal", "backup", copy]);
    assert!(out.status.success(), "{}", said(&out));
    assert!(said(&run(&site, &["journal", "restore", copy])).contains("another process"));
    drop(ended);
    let mut rng = Rng::new(5);
    let mut refused = 0;
    for _ in 0..30 {
        let mut child = Command::new(PROGRAM)
            .args(["journal", "restore", copy])
            .current_dir(&site.0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_micros(rng.below(40_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        match Journal::open(&site.0.join("data")) {
            Ok(journal) => assert!(journal.state().sequence > 3),
            Err(why) => {
                refused += 1;
                assert!(why.to_string().contains("run it again"), "{why}");
            }
        }
    }
    let _ = writeln!(std::io::stderr(), "a restore that was killed 30 times left a journal that is refused {refused} times");
    assert!(run(&site, &["journal", "restore", copy]).status.success());
    let (_ended, _) = listening(&site);
    until("it is known", || history(&site, &[]).contains("journal_unproven"));
    // There is no agent that could agree, so an operator does.
    let out = run(&site, &["journal", "accept-loss", "--reason", "sip1 and sip2 were looked at"]);
    assert!(out.status.success(), "{}", said(&out));
    assert!(!run(&site, &["journal", "accept-loss", "--reason", "twice"]).status.success());
    assert!(Time::MIN < wall_time() && history(&site, &["--kind", "journal_loss_accepted"]).contains("were looked at"));
}

/// Backups of a controller that is busy, killed at any moment: the file is whole or not there, the controller goes on, and a
/// whole one is restored.
#[test]
fn a_backup_under_load_may_be_killed() {
    let site = site("backup");
    let rule = "pattern n { match /number (?<n>\\d+)/ }\nalarm numbers { detect 1000 of n within 1m cancel after 1m }\n";
    fs::write(site.0.join("rules/tell.alarm"), rule).unwrap();
    let (_ended, _) = listening(&site);
    let stop = Arc::new(AtomicBool::new(false));
    let load = {
        let (stop, log) = (stop.clone(), site.0.join("sip.log"));
        thread::spawn(move || {
            let mut log = fs::OpenOptions::new().append(true).open(log).unwrap();
            let mut n = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                let lines: String = (n..n + 200).map(|n| format!("number {n}\n")).collect();
                log.write_all(lines.as_bytes()).unwrap();
                n += 200;
                thread::sleep(Duration::from_millis(10));
            }
        })
    };
    let last = || JournalReader::open(&site.0.join("data")).unwrap().range().unwrap().1;
    until("the journal grows", || last() > 2_000);
    let copy = |n: u64| site.0.join(format!("copy-{n}")).to_str().unwrap().to_owned();
    let backup = |to: &str| {
        let mut command = Command::new(PROGRAM);
        command.args(["journal", "backup", to]).current_dir(&site.0).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    let mut rng = Rng::new(7);
    for n in 0..20 {
        let mut child = backup(&copy(n)).spawn().unwrap();
        thread::sleep(Duration::from_micros(rng.below(150_000)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let before = last();
    let out = backup(&copy(20)).output().unwrap();
    assert!(out.status.success(), "{}", said(&out));
    until("the controller goes on", || last() > before);
    stop.store(true, Ordering::Relaxed);
    load.join().unwrap();
    let whole: Vec<u64> = (0..=20).filter(|n| Path::new(&copy(*n)).exists()).collect();
    for n in &whole {
        let other = site.0.join(format!("restored-{n}"));
        fs::create_dir(&other).unwrap();
        let out = run(&site, &["journal", "restore", &copy(*n), "--data", other.to_str().unwrap()]);
        assert!(out.status.success(), "{n}: {}", said(&out));
        let found = Journal::verify(&other).unwrap();
        assert!(found.wrong.is_empty() && found.records > 2_000, "{n}: {found:?}");
    }
    let found = Journal::verify(&site.0.join("data")).unwrap();
    assert!(found.wrong.is_empty(), "{found:?}");
    let _ = writeln!(std::io::stderr(), "of 20 backups that were killed, {} were whole already", whole.len() - 1);
}

/// The reader of the output may stop. This is not an error of any command.
#[test]
fn a_closed_pipe_is_no_panic() {
    let site = site("pipe");
    let (_ended, _) = listening(&site);
    site.append("number 1\n");
    until("it is notified", || history(&site, &["--kind", "notified"]).lines().count() == 1);
    let commands: [&[&str]; 14] = [
        &["history"],
        &["history", "--format", "json"],
        &["journal", "show"],
        &["journal", "verify"],
        &["alarms"],
        &["resources"],
        &["runs"],
        &["sources"],
        &["check"],
        &["test"],
        &["verbs"],
        &["fmt", "--check"],
        &["dry-run", "sip.log"],
        &["--help"],
    ];
    for arguments in commands {
        for (out, err) in [(true, false), (false, true), (true, true)] {
            let closed = || {
                let (reader, writer) = std::io::pipe().unwrap();
                drop(reader);
                Stdio::from(writer)
            };
            let mut command = Command::new(PROGRAM);
            command.args(arguments).current_dir(&site.0).stdin(Stdio::null());
            command.stdout(if out { closed() } else { Stdio::null() }).stderr(if err { closed() } else { Stdio::null() });
            let status = command.status().unwrap();
            assert!(status.code().is_some_and(|code| code < 100), "{arguments:?}: {status}");
        }
    }
}
