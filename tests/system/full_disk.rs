//! A data folder on a small disk: what the controller does while records or another program fill it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::site::{PROGRAM, Site, claim, until};

/// A controller whose data folder is on a disk of its own.
struct SmallDisk {
    site: Site,
    shell: Child,
    said: Receiver<String>,
    written: u32,
}

/// The controller ends, its disk gets larger after a word, and it is started again.
const ENDS_ONCE: &str = "\"$PROGRAM\" run -c pointsman.yaml; echo \"ended $?\" >&2; read WORD; mount -o remount,size=100m data;";

impl SmallDisk {
    /// Mounts a disk of this size, and starts the controller there after what the shell does `before`. At the end its journal is
    /// verified and shown.
    fn new(name: &str, size: &str, before: &str) -> SmallDisk {
        let site = Site::new(name, "files: sip.log\n", "agent");
        let script = format!(
            "mkdir data && mount -t tmpfs -o size={size} none data && {{ {before} \
               \"$PROGRAM\" run -c pointsman.yaml & RUN=$!; read WORD; kill $RUN; wait $RUN; \
               \"$PROGRAM\" journal verify --data data && \"$PROGRAM\" journal show --data data; }}"
        );
        let mut shell = Command::new("unshare")
            .args(["--mount", "sh", "-c", &script])
            .env("PROGRAM", PROGRAM)
            .current_dir(&site.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(shell.stderr.take().unwrap()).lines().map_while(Result::ok);
        let (says, said) = channel();
        thread::spawn(move || lines.for_each(|line| drop(says.send(line))));
        let disk = SmallDisk { site, shell, said, written: 0 };
        disk.says(&["ready:"]);
        disk
    }

    /// Waits until the controller says a line with all these parts.
    fn says(&self, parts: &[&str]) -> String {
        let mut found = None;
        until(&format!("{parts:?} is said"), || {
            found = self.said.try_iter().find(|line| parts.iter().all(|part| line.contains(part)));
            found.is_some()
        });
        found.unwrap()
    }

    /// A path in the data folder, as other processes see it.
    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}/data/{name}", self.shell.id(), self.site.0.display()))
    }

    /// Another program writes until the disk has no free block.
    fn fill(&self) {
        let mut other = fs::File::create(self.path("other")).unwrap();
        while other.write(&[b'x'; 4_096]).is_ok_and(|n| n > 0) {}
    }

    /// Writes so many records, each of which takes about a thousand bytes in the journal.
    fn write(&mut self, lines: u32) {
        self.site.append(&(1..=lines).map(|n| claim(self.written + n)).collect::<String>());
        self.written += lines;
    }

    /// Waits until the journal has every record. The controller must not end meanwhile.
    fn until_journaled(&self) {
        let last = format!("\"text\":\"number {}\"", self.written);
        until("every record is in the journal", || {
            let ended = self.said.try_iter().find(|line| line.contains("nothing that was acted on is lost"));
            assert_eq!(ended, None, "the controller ended");
            self.journal_has(&last)
        });
    }

    /// True if the journal has this text. It is read at its mount: SQLite resolves links, and `/proc/N/root` leads out of there.
    fn journal_has(&self, text: &str) -> bool {
        let out = Command::new("nsenter")
            .args(["--mount", "--target", &self.shell.id().to_string(), PROGRAM, "journal", "show", "--data"])
            .arg(self.site.0.join("data"))
            .output()
            .unwrap();
        String::from_utf8(out.stdout).unwrap().contains(text)
    }

    /// Ends the controller, and verifies that its journal is whole and has every record once and in order, up to the last one.
    /// Returns the number of the first record that was not removed.
    fn end(self) -> u32 {
        let SmallDisk { mut shell, site: _site, written, .. } = self;
        shell.stdin.take().unwrap().write_all(b"enough\n").unwrap();
        let out = shell.wait_with_output().unwrap();
        let shown = String::from_utf8(out.stdout).unwrap();
        let verified = shown.lines().next().unwrap_or_default();
        assert!(verified.starts_with("data:") && verified.ends_with("all is well"), "{verified}");
        let number = |line: &str| line.split("\"text\":\"number ").nth(1)?.split('"').next()?.parse().ok();
        let events = shown.lines().filter(|l| l.contains("\"input\":{\"event\":{"));
        let numbers: Vec<u32> = events.filter_map(number).collect();
        let gap = numbers.windows(2).find(|pair| pair[0] + 1 != pair[1]);
        assert_eq!((gap, numbers.last()), (None, Some(&written)));
        numbers[0]
    }
}

/// Without its reserve, the controller ends with a message, and nothing that was acted on is lost. With free space it continues.
#[test]
fn a_full_disk_without_a_reserve_ends_the_controller_and_loses_nothing() {
    let mut disk = SmallDisk::new("disk", "3m", ENDS_ONCE);
    let _ = fs::remove_file(disk.path("journal.reserve"));
    // Without snapshots no record is removed, so that the disk is surely full in the end.
    fs::create_dir(disk.path("snapshot.partial")).unwrap();
    disk.fill();
    disk.write(6_000);
    disk.says(&["disk is full", "journal.db"]);
    assert!(disk.says(&["ended "]).contains("ended 2"));
    fs::remove_dir(disk.path("snapshot.partial")).unwrap();
    disk.shell.stdin.as_mut().unwrap().write_all(b"larger\n").unwrap();
    disk.says(&["ready:"]);
    disk.write(1);
    // What was read before the end is not read again.
    disk.until_journaled();
    disk.end();
}

/// Another program fills the disk to the last block. The controller uses the room of its reserve and removes old records, and takes
/// its reserve again when there is room.
#[test]
fn a_full_disk_with_a_reserve_does_not_end_the_controller() {
    let mut disk = SmallDisk::new("reserve", "40m", "");
    assert_eq!(fs::metadata(disk.path("journal.reserve")).unwrap().len(), 5 << 20);
    disk.fill();
    // Several times what the reserve has room for.
    disk.write(12_000);
    disk.until_journaled();
    assert!(!disk.path("journal.reserve").exists(), "its room is used");
    fs::remove_file(disk.path("other")).unwrap();
    until("there is a reserve again", || {
        disk.write(1);
        disk.path("journal.reserve").exists()
    });
    disk.until_journaled();
    assert!(disk.end() > 1, "old records were removed");
}

/// Records come faster than snapshots would be due on a large disk, and their log would be longer than what the disk has free.
#[test]
fn a_flood_does_not_fill_a_small_disk() {
    let mut disk = SmallDisk::new("flood", "16m", "");
    disk.write(12_000);
    disk.until_journaled();
    assert!(disk.path("journal.reserve").exists(), "the reserve was not needed");
    disk.end();
}
