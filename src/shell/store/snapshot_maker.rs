//! When the next snapshot of a journal is due, the thread that makes it, and which records may be removed after it.
//!
//! The thread reads the journal as another process would. It also finds out which records have expired, because that takes long
//! too.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::core::base::time::Time;
use crate::core::journal::State;
use crate::core::notice::{Kind, Notice};
use crate::shell::linux::give_way;

use super::reader::{Folded, JournalReader};
use super::retention::{Retention, expired_below};
use super::{Error, snapshot};

/// The minimum number of records between two snapshots. They must also have as many bytes as the last snapshot. A start reads no
/// more records than these, and making snapshots costs no more than writing the records did.
const SNAPSHOT_EVERY: u64 = 10_000;
/// One snapshot folds at most this many times the records that make it due, so that each ends although more records arrive, and
/// the next one begins there. With this many times as many records, its thread does not give way to others any more. A start
/// therefore never finds many more records than these.
const SNAPSHOT_FOLDS: u64 = 2;
const SNAPSHOT_LATE: u64 = 4;

/// The last snapshot, and the thread that makes the next one.
#[derive(Debug)]
pub(super) struct SnapshotMaker {
    folder: PathBuf,
    /// The record number and the size of the last snapshot.
    n: u64,
    bytes: u64,
    /// The number of bytes of the records since then.
    since: u64,
    /// After a failure, the next attempt waits for this record.
    not_before: u64,
    spare_below: u64,
    /// Records below this number have expired.
    remove_below: u64,
    stop: Arc<AtomicBool>,
    done: Arc<Mutex<Option<Done>>>,
    thread: Option<JoinHandle<()>>,
    /// Whether a failure was reported. It is reported once, until a snapshot succeeds.
    failed: bool,
    /// Whether it was reported that nobody can tell which records have expired, likewise.
    keeps_all: bool,
}

/// What the thread found.
#[derive(Debug)]
struct Done {
    /// The snapshot, and the number of bytes of the records that it folded; or why there is none.
    made: Result<(snapshot::Made, u64), String>,
    /// The number below which records have expired; or why that is not known.
    remove_below: Result<u64, String>,
}

impl SnapshotMaker {
    /// Continues after the snapshot with which a start began.
    pub(super) fn start(folder: &Path, folded: &Folded) -> SnapshotMaker {
        let (n, bytes) = folded.snapshot;
        SnapshotMaker {
            folder: folder.to_owned(),
            n,
            bytes,
            since: folded.bytes,
            not_before: 0,
            spare_below: snapshot::spare_below(&snapshot::list(folder)),
            remove_below: 0,
            stop: Arc::default(),
            done: Arc::default(),
            thread: None,
            failed: false,
            keeps_all: false,
        }
    }

    /// Takes note of a record with this many bytes.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.since += bytes as u64;
    }

    /// Records below this number have expired, and no start needs them.
    pub(super) fn removable_below(&self) -> u64 {
        self.remove_below.min(self.spare_below)
    }

    /// True if the thread is at work, or its result was not taken yet.
    pub(super) fn is_busy(&self) -> bool {
        self.thread.is_some()
    }

    /// True if the next snapshot is due after the record `last`.
    pub(super) fn is_due(&self, last: u64) -> bool {
        self.is_due_times(1, last) && last >= self.not_before
    }

    /// True if there are this many times the records that make a snapshot due.
    fn is_due_times(&self, times: u64, last: u64) -> bool {
        is_due(times, last.saturating_sub(self.n), self.since, self.bytes)
    }

    /// Makes a snapshot of what the start has folded, if one is due. Otherwise a controller that is killed often would read the
    /// same records each time, and more of them.
    pub(super) fn save_start(&mut self, (last, chain): (u64, u32), state: &State, findings: &mut Vec<Notice>) {
        if !self.is_due_times(1, last) {
            return;
        }
        match snapshot::write(&self.folder, last, chain, state, &self.stop) {
            Ok(made) => self.made(made, self.since),
            Err(why) => findings.extend(self.failed(last, &why.to_string())),
        }
    }

    /// Makes a snapshot of everything that was synced, on the calling thread.
    ///
    /// # Errors
    /// When the disk refuses, or the state is too large.
    pub(super) fn make_now(&mut self) -> Result<(), Error> {
        let folded = JournalReader::open(&self.folder)?.fold(&self.stop)?;
        let made = snapshot::write(&self.folder, folded.last, folded.chain, &folded.state, &self.stop)?;
        self.made(made, self.since);
        Ok(())
    }

    /// True if a new snapshot costs no more than the records that it lets go.
    pub(super) fn can_remove(&self) -> bool {
        self.since >= self.bytes
    }

    /// Starts the thread. If that fails, the next sync tries again. It does not give way if it is `urgent`. `newest` is the time of the
    /// newest record.
    pub(super) fn begin(&mut self, last: u64, retention: Retention, urgent: bool, newest: Option<Time>) {
        let (folder, stop, done) = (self.folder.clone(), self.stop.clone(), self.done.clone());
        let late = urgent || self.is_due_times(SNAPSHOT_LATE, last);
        let work = move || {
            if !late {
                give_way();
            }
            let made = make_snapshot(&folder, &stop).map_err(|e| e.to_string());
            // A full disk has no room for a snapshot, and records must be removed even so.
            let remove_below = expired_below(&folder, retention, newest).map_err(|e| e.to_string());
            if let Ok(mut done) = done.lock() {
                *done = Some(Done { made, remove_below });
            }
        };
        self.thread = thread::Builder::new().name("journal-snapshot".to_owned()).spawn(work).ok();
    }

    /// Takes the result of the thread, if it has one.
    pub(super) fn take_result(&mut self, last: u64, findings: &mut Vec<Notice>) {
        let Some(done) = self.done.lock().ok().and_then(|mut done| done.take()) else { return };
        self.join();
        findings.extend(self.expired(done.remove_below));
        match done.made {
            Ok((made, folded)) => {
                self.failed = false;
                self.made(made, folded);
            }
            Err(why) => findings.extend(self.failed(last, &why)),
        }
    }

    /// Waits until the thread has ended.
    pub(super) fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    /// A snapshot was made, which folded records with this many bytes.
    fn made(&mut self, made: snapshot::Made, folded: u64) {
        (self.n, self.bytes) = (made.n, made.bytes);
        self.since = self.since.saturating_sub(folded);
        self.spare_below = made.spare_below;
    }

    /// Reports a failure once, until a snapshot succeeds.
    fn failed(&mut self, last: u64, why: &str) -> Option<Notice> {
        self.not_before = last + SNAPSHOT_EVERY;
        let reported = std::mem::replace(&mut self.failed, true);
        let text = || format!("{why}; no record is lost, but a start takes longer, and meanwhile old records are not removed");
        (!reported).then(|| Notice::new(Kind::JournalSnapshot, text()))
    }

    /// Takes the number below which records have expired. If it is not known, what is removed stays as it was, and this is reported
    /// once.
    fn expired(&mut self, below: Result<u64, String>) -> Option<Notice> {
        let why = match below {
            Ok(below) => {
                (self.remove_below, self.keeps_all) = (below, false);
                return None;
            }
            Err(why) => why,
        };
        let reported = std::mem::replace(&mut self.keeps_all, true);
        let text = || format!("{why}; so it is not known which records of the journal are too old, and no more are removed");
        (!reported).then(|| Notice::new(Kind::JournalSnapshot, text()))
    }
}

impl Drop for SnapshotMaker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.join();
    }
}

/// True if a snapshot is due this many times over: so many records, and so many bytes, came since the last one of this size.
fn is_due(times: u64, records: u64, bytes: u64, snapshot: u64) -> bool {
    records >= times * SNAPSHOT_EVERY && bytes >= times * snapshot
}

/// Makes the next snapshot from the last one and records since, as they are on the disk. Returns it with the bytes of these
/// records.
///
/// # Errors
/// When the disk refuses, the journal is damaged, or the state is too large.
fn make_snapshot(folder: &Path, stop: &AtomicBool) -> Result<(snapshot::Made, u64), Error> {
    let reader = JournalReader::open(folder)?;
    let more = |folded: &Folded| !is_due(SNAPSHOT_FOLDS, folded.last - folded.snapshot.0, folded.bytes, folded.snapshot.1);
    let folded = reader.fold_while(stop, more)?;
    let made = snapshot::write(folder, folded.last, folded.chain, &folded.state, stop)?;
    Ok((made, folded.bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Journal;
    use super::*;
    use crate::core::journal::Input;

    /// Records are not removed because nobody knows which have expired, and people are told once.
    #[test]
    fn an_error_of_the_database_is_reported_and_removes_nothing() {
        let folder = std::env::temp_dir().join(format!("pointsman-snapshot-maker-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let mut maker = SnapshotMaker::start(&folder, &Folded::default());
        let mut findings = Vec::new();
        findings.extend(maker.expired(Ok(7)));
        for _ in 0..3 {
            findings.extend(maker.expired(Err("the disk fails".to_owned())));
        }
        assert_eq!((maker.remove_below, findings.len()), (7, 1));
        findings.extend(maker.expired(Ok(9)));
        findings.extend(maker.expired(Err("the disk fails".to_owned())));
        assert_eq!((maker.remove_below, findings.len()), (9, 2));
        assert!(findings.iter().all(|notice| notice.kind == Kind::JournalSnapshot));
        // As the thread reports it: the database is gone.
        let mut journal = Journal::open(&folder).unwrap();
        journal.append_input(Input::JournalTrusted).unwrap();
        journal.sync().unwrap();
        drop(journal);
        assert!(expired_below(&folder, Retention::default(), None).is_ok());
        fs::rename(folder.join("journal.db"), folder.join("elsewhere")).unwrap();
        assert!(expired_below(&folder, Retention::default(), None).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
