//! The journal on disk as the controller writes it: a sequence of records, each with a checksum over itself and all records
//! before it.
//!
//! ```text
//!   append --> journal.db (WAL) --sync--> journal.end        now and then, by other threads: snapshot-N.json
//!              n, line, chain value       n, chain value     what the records up to N fold to
//! ```
//!
//! The chain value of a record covers the record and the chain value of the record before it. A record that was changed, removed
//! or inserted is therefore detected at its place. The end file shows if the newest records are missing. A journal that ends
//! before its end file says is refused, and [`Journal::open`] then changes nothing.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params};

use crate::core::base::time::Time;
use crate::core::journal::{Input, Record, State};
use crate::core::notice::{Kind, Notice};
use crate::shell::linux::{boot_time, give_way};

use super::checkpoint::Checkpointer;
use super::end::{self, End, EndFile};
use super::format::{KIND, KNOWN_VERSIONS, TABLES, VERSION, chained, is_unfinished};
use super::inspect::{Facts, look, raise_version, upgrade};
use super::reader::{Folded, JournalReader, signed};
use super::reserve::DiskReserve;
use super::retention::{DiskRoom, LOOK_AT_DISK, LOOKS_AT_DISK, Retention, expired_below};
use super::{Error, copied, damaged, limit_log, log_pages, make_room, open_shared, snapshot};

/// The minimum number of records between two snapshots. They must also have as many bytes as the last snapshot. A start reads no
/// more records than these, and making snapshots costs no more than writing the records did.
const SNAPSHOT_EVERY: u64 = 10_000;
/// One snapshot folds at most this many times the records that make it due, so that each ends although more records arrive, and
/// the next one begins there. With this many times as many records, its thread does not give way to others any more. A start
/// therefore never finds many more records than these.
const SNAPSHOT_FOLDS: u64 = 2;
const SNAPSHOT_LATE: u64 = 4;
/// The number of expired records that one sync removes, in addition to twice those that it writes, so that removing never takes
/// long and is not slower than writing.
const REMOVED_AT_ONCE: u64 = 512;

/// The fact that the journal has a place file.
const PLACED: &str = "placed";

#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    path: PathBuf,
    db: Connection,
    /// The fold of everything that was appended. Only the positions after [`Journal::take_state`] was called.
    state: State,
    folds: bool,
    last: u64,
    chain: u32,
    end: EndFile,
    controller: u64,
    snapshots: Snapshots,
    /// Writes the log to the database, for a caller that writes much.
    checkpointer: Option<Checkpointer>,
    retention: Retention,
    kept_from: u64,
    /// The number of records that were read at the start, after its snapshot.
    read: u64,
    /// The number of the last record that was on the disk before the open transaction.
    synced: u64,
    /// When the room on the disk is looked at next; `None` until the retention is known.
    look_at_disk: Option<Time>,
    /// The bytes that were appended since it was looked at.
    unlooked: u64,
    /// Whether there was enough.
    disk: DiskRoom,
    reserve: DiskReserve,
    /// Whether the database was deleted, moved or replaced when it was last looked at.
    moved: bool,
    /// Whether a transaction is open.
    open: bool,
    /// The records of the open transaction. They are written again if the disk was full and its reserve is given back.
    unsynced: Vec<Row>,
    findings: Vec<Notice>,
    /// The lock, held as long as the journal is open for writing.
    _lock: File,
}

/// One record of the database.
#[derive(Debug)]
struct Row {
    n: u64,
    line: String,
    chain: u32,
}

/// The state of snapshots, and the thread that makes the next one.
#[derive(Debug, Default)]
struct Snapshots {
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

#[derive(Debug)]
struct Done {
    /// The snapshot, and the number of bytes of the records that it folded; or why there is none.
    made: Result<(snapshot::Made, u64), String>,
    /// The number below which records have expired; or why that is not known.
    remove_below: Result<u64, String>,
}

/// Takes the lock for writing the journal of a folder.
pub(super) fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join("journal.lock");
    let wrong = |e: std::io::Error| {
        Error::new(
            &path,
            format!("it can't be opened for writing ({e}); does the folder exist, and does it belong to this user?"),
        )
    };
    let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(wrong)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(Error::new(
            &folder.join("journal.db"),
            "another process uses it: is it running already? (`systemctl status`, `fuser` on the file)",
        )),
    }
}

impl Journal {
    /// True if a journal was begun in a folder, or existed there before.
    pub fn is_in(folder: &Path) -> bool {
        folder.join("journal.db").exists() || end::path(folder).exists()
    }

    /// Opens the journal in a folder, or begins one, and folds it.
    ///
    /// # Errors
    /// When another process writes it, it is damaged, it ends before its end file says, it has another version, or the disk
    /// refuses.
    pub fn open(folder: &Path) -> Result<Journal, Error> {
        if is_unfinished(folder) {
            let what = "a `pointsman journal restore` or `accept-loss` was interrupted; run it again";
            return Err(Error::new(&folder.join("journal.db"), what));
        }
        Journal::open_prepared(folder)
    }

    /// Opens the journal of a folder that is being prepared.
    pub(super) fn open_prepared(folder: &Path) -> Result<Journal, Error> {
        let path = folder.join("journal.db");
        let lock = lock(folder)?;
        let reserve = DiskReserve::of(folder, Retention::default().free);
        reserve.give_back_for_start();
        let known = end::read(folder);
        let (folded, facts, mut findings, doubt) = match look(folder, &path, &known)? {
            Some(found) => found,
            None => (Folded::default(), Facts { kept_from: 1, earlier: false }, Vec::new(), None),
        };
        super::create_private(&path)?;
        let db = open_shared(&path, KIND, &KNOWN_VERSIONS, VERSION, TABLES)?;
        if facts.earlier {
            upgrade(folder, &path, &db, &folded)?;
        }
        raise_version(&db).map_err(|e| Error::of(&path, &e))?;
        super::views::ensure(&db).map_err(|e| Error::of(&path, &e))?;
        findings.extend(folded.passed_over.iter().map(|why| {
            let text = format!(
                "a snapshot of the journal is not used ({why}); the state comes from an earlier one and the records since"
            );
            Notice::new(Kind::JournalSnapshot, text)
        }));
        let (snapshot, bytes) = folded.snapshot;
        let (since, read) = (folded.bytes, folded.last - snapshot);
        let spare_below = snapshot::spare_below(&snapshot::list(folder));
        let mut journal = Journal {
            folder: folder.to_owned(),
            path,
            db,
            state: folded.state,
            folds: true,
            last: folded.last,
            chain: folded.chain,
            end: EndFile::open(folder)?,
            controller: 0,
            snapshots: Snapshots { n: snapshot, bytes, since, spare_below, ..Snapshots::default() },
            checkpointer: None,
            retention: Retention::default(),
            kept_from: facts.kept_from,
            read,
            synced: folded.last,
            look_at_disk: None,
            unlooked: 0,
            disk: DiskRoom::Enough,
            reserve,
            moved: false,
            open: false,
            unsynced: Vec::new(),
            findings,
            _lock: lock,
        };
        journal.controller = journal.known_controller()?.unwrap_or_default();
        if let Ok(Some(End { controller, .. })) = known
            && controller != 0
            && controller != journal.controller
        {
            return Err(damaged(&journal.path, "the identity of the controller is not the one in journal.end"));
        }
        if let Some(reason) = doubt {
            journal.findings.push(Notice::new(Kind::JournalEnd, reason.clone()));
            journal.append_input(Input::JournalDoubted { reason, behind: false })?;
            journal.sync()?;
        }
        journal.end.write_now(journal.known_end())?;
        journal.save_start();
        Ok(journal)
    }

    /// Puts the journal in doubt if its files are a copy: they may be older than what was acted on.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn doubt_if_copied(&mut self) -> Result<(), Error> {
        let path = self.path.clone();
        let wrong = |e: std::io::Error| Error::new(&path, format!("it can't be checked whether it is a copy: {e}"));
        let has_place = self.fact(PLACED)?.is_some();
        let holds = self.state.doubt.as_ref().is_some_and(|doubt| doubt.kind.holds());
        if copied::is_copy(&self.path, has_place).map_err(wrong)? && self.last > 0 && !holds {
            let reason = "the data folder is a copy, which may be older than what was acted on. Nothing is sent to hosts until every agent has \
                          reported and none knows more than the journal; `pointsman journal accept-loss` ends the wait"
                .to_owned();
            self.findings.push(Notice::new(Kind::JournalEnd, reason.clone()));
            self.append_input(Input::JournalDoubted { reason, behind: false })?;
            self.sync()?;
        }
        copied::remember(&self.path).map_err(wrong)?;
        if has_place { Ok(()) } else { self.set_fact(PLACED, "1") }
    }

    /// Makes a snapshot of what the start has folded, if one is due. Otherwise a controller that is killed often would read the
    /// same records each time, and more of them.
    fn save_start(&mut self) {
        if !self.is_due(1) {
            return;
        }
        match snapshot::write(&self.folder, self.last, self.chain, &self.state, &self.snapshots.stop) {
            Ok(made) => {
                (self.snapshots.n, self.snapshots.bytes, self.snapshots.since) = (made.n, made.bytes, 0);
                self.snapshots.spare_below = made.spare_below;
            }
            Err(why) => self.snapshot_failed(&why.to_string()),
        }
    }

    /// The folder of the journal.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The number of records that were read at the start, after the snapshot with which it began.
    pub fn read_at_start(&self) -> u64 {
        self.read
    }

    /// True if there are this many times the records that make a snapshot due.
    fn is_due(&self, times: u64) -> bool {
        is_due(times, self.last.saturating_sub(self.snapshots.n), self.snapshots.since, self.snapshots.bytes)
    }

    /// Reports a failure once, until a snapshot succeeds.
    fn snapshot_failed(&mut self, why: &str) {
        self.snapshots.not_before = self.last + SNAPSHOT_EVERY;
        if !std::mem::replace(&mut self.snapshots.failed, true) {
            let text = format!("{why}; no record is lost, but a start takes longer, and meanwhile old records are not removed");
            self.findings.push(Notice::new(Kind::JournalSnapshot, text));
        }
    }

    /// Takes the number below which records have expired. If it is not known, what is removed stays as it was, and this is reported
    /// once.
    fn expired(&mut self, below: Result<u64, String>) {
        match below {
            Ok(below) => (self.snapshots.remove_below, self.snapshots.keeps_all) = (below, false),
            Err(why) => {
                if !std::mem::replace(&mut self.snapshots.keeps_all, true) {
                    let text =
                        format!("{why}; so it is not known which records of the journal are too old, and no more are removed");
                    self.findings.push(Notice::new(Kind::JournalSnapshot, text));
                }
            }
        }
    }

    /// Makes syncs fast for a caller that will write much.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn make_room(&mut self) -> Result<(), Error> {
        make_room(&self.db, log_pages(self.retention.free)).map_err(|e| Error::of(&self.path, &e))?;
        self.checkpointer = Some(Checkpointer::start(&self.path)?);
        Ok(())
    }

    /// Sets how long records are kept from now on, and takes the reserve of the disk.
    pub fn keep(&mut self, retention: Retention) {
        self.retention = retention;
        // If the limit cannot be set, that of a large disk remains.
        let _ = limit_log(&self.db, log_pages(retention.free));
        self.reserve = DiskReserve::of(&self.folder, retention.free);
        self.reserve.take();
        self.look_at_disk.get_or_insert(Time::MIN);
    }

    /// The fold of the journal. Only the positions after [`Journal::take_state`] was called.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Hands over the fold of the journal to the caller who continues it. From then on the journal keeps only the positions of
    /// sources.
    pub fn take_state(&mut self) -> State {
        self.folds = false;
        let kept = State {
            sequence: self.state.sequence,
            newest: self.state.newest,
            positions: self.state.positions.clone(),
            ..State::default()
        };
        std::mem::replace(&mut self.state, kept)
    }

    /// The notices since the last call.
    pub fn take_findings(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.findings)
    }

    /// The identity by which agents recognize this journal's controller. It is drawn once, when the journal begins.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn controller_id(&mut self, draw: impl FnOnce() -> u64) -> Result<u64, Error> {
        if self.controller != 0 {
            return Ok(self.controller);
        }
        self.set_controller(draw())?;
        Ok(self.controller)
    }

    /// Sets the identity of the controller.
    pub(super) fn set_controller(&mut self, id: u64) -> Result<(), Error> {
        self.set_fact("controller", &id.to_string())?;
        self.controller = id;
        self.end.write_now(self.known_end())
    }

    fn known_controller(&self) -> Result<Option<u64>, Error> {
        Ok(self.fact("controller")?.and_then(|id| id.parse().ok()))
    }

    fn fact(&self, name: &str) -> Result<Option<String>, Error> {
        let found = self.db.query_row("SELECT value FROM fact WHERE name = ?1", [name], |row| row.get(0)).optional();
        found.map_err(|e| Error::of(&self.path, &e))
    }

    fn set_fact(&self, name: &str, value: &str) -> Result<(), Error> {
        let set = self.db.execute("INSERT OR REPLACE INTO fact VALUES (?1, ?2)", [name, value]);
        set.map(drop).map_err(|e| Error::of(&self.path, &e))
    }

    fn known_end(&self) -> End {
        End { n: self.last, chain: self.chain, controller: self.controller }
    }

    /// Appends a record. It is on the disk after the next [`Journal::sync`].
    ///
    /// # Errors
    /// When the disk refuses. The caller must not act on the record then.
    pub fn append(&mut self, record: &Record) -> Result<(), Error> {
        if !self.open {
            self.db.execute_batch("BEGIN IMMEDIATE").map_err(|e| Error::of(&self.path, &e))?;
            self.open = true;
        }
        let line = record.line().map_err(|e| Error::new(&self.path, format!("a record can't be written: {e}")))?;
        let n = self.last + 1;
        let chain = chained(self.chain, n, &line);
        self.snapshots.since += line.len() as u64;
        self.unlooked += line.len() as u64;
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.wrote(line.len());
        }
        let row = Row { n, line, chain };
        let inserted = insert(&self.db, &row);
        self.unsynced.push(row);
        inserted.or_else(|e| self.write_with_reserve(e)).map_err(|e| Error::of(&self.path, &e))?;
        if self.folds {
            self.state.apply(record);
        } else {
            self.state.apply_position(record);
        }
        (self.last, self.chain) = (n, chain);
        Ok(())
    }

    /// Appends an input with the next number and the newest time in the journal.
    pub(super) fn append_input(&mut self, input: Input) -> Result<(), Error> {
        let at = self.state.newest.unwrap_or(Time::from_micros(0));
        self.append(&Record::Input { sequence: self.state.sequence + 1, at, input })
    }

    /// Syncs everything that was appended to the disk.
    ///
    /// # Errors
    /// When the disk refuses. The caller must not act on the records then.
    pub fn sync(&mut self) -> Result<(), Error> {
        if !self.open {
            return Ok(());
        }
        let committed = self.remove_oldest().and_then(|()| self.db.execute_batch("COMMIT"));
        let committed = committed.or_else(|e| {
            self.write_with_reserve(e)?;
            self.db.execute_batch("COMMIT")
        });
        committed.map_err(|e| Error::of(&self.path, &e))?;
        (self.open, self.synced) = (false, self.last);
        self.unsynced.clear();
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.committed();
        }
        self.end.write(self.known_end())?;
        self.make_snapshots();
        Ok(())
    }

    /// After an error because the disk is full: gives the reserve back to the disk, and writes the open transaction again.
    /// Returns the error if it was another one, or if there is no reserve.
    fn write_with_reserve(&mut self, e: rusqlite::Error) -> rusqlite::Result<()> {
        if e.sqlite_error_code() != Some(ErrorCode::DiskFull) || !self.reserve.give_back() {
            return Err(e);
        }
        // Records are removed as soon as possible.
        self.look_at_disk = Some(Time::MIN);
        if !self.db.is_autocommit() {
            self.db.execute_batch("ROLLBACK")?;
        }
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        self.unsynced.iter().try_for_each(|row| insert(&self.db, row))
    }

    /// True if something was appended and is not on the disk yet.
    pub fn is_dirty(&self) -> bool {
        self.open
    }

    /// The records from a number on, with their numbers, as they were written.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn lines(&self, from: u64, tell: &mut dyn FnMut(u64, &str)) -> Result<(), Error> {
        JournalReader::open(&self.folder)?.lines(from, &mut |n, line| {
            tell(n, line);
            true
        })
    }

    /// Removes the oldest expired records, a limited number at a time, within the open transaction.
    fn remove_oldest(&mut self) -> rusqlite::Result<()> {
        let at_once = REMOVED_AT_ONCE + 2 * (self.last - self.synced);
        let below = self.snapshots.remove_below.min(self.snapshots.spare_below).min(self.kept_from + at_once);
        if below <= self.kept_from {
            return Ok(());
        }
        self.db.execute("DELETE FROM record WHERE n < ?1", [signed(below)])?;
        self.db.execute("INSERT OR REPLACE INTO fact VALUES ('kept_from', ?1)", [below.to_string()])?;
        self.kept_from = below;
        Ok(())
    }

    /// Takes the result of the snapshot thread, and starts the thread when the next snapshot is due. On a disk without room, a flood
    /// waits for the thread: records must not arrive faster than they can be removed.
    fn make_snapshots(&mut self) {
        let grown = self.has_grown();
        let needs_room = self.disk_needs_room();
        if needs_room
            && grown
            && let Some(thread) = self.snapshots.thread.take()
        {
            let _ = thread.join();
        }
        let done = self.snapshots.done.lock().ok().and_then(|mut done| done.take());
        match done {
            None => {}
            Some(done) => {
                if let Some(thread) = self.snapshots.thread.take() {
                    let _ = thread.join();
                }
                self.expired(done.remove_below);
                match done.made {
                    Ok((made, folded)) => {
                        self.snapshots.failed = false;
                        (self.snapshots.n, self.snapshots.bytes) = (made.n, made.bytes);
                        self.snapshots.since = self.snapshots.since.saturating_sub(folded);
                        self.snapshots.spare_below = made.spare_below;
                    }
                    Err(why) => self.snapshot_failed(&why),
                }
            }
        }
        if self.snapshots.thread.is_some() {
            return;
        }
        let due = needs_room || (self.is_due(1) && self.last >= self.snapshots.not_before);
        if !due {
            return;
        }
        let (folder, retention, newest) = (self.folder.clone(), self.retention, self.state.newest);
        let (stop, done) = (self.snapshots.stop.clone(), self.snapshots.done.clone());
        let late = self.is_due(SNAPSHOT_LATE) || self.disk == DiskRoom::Short;
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
        // If the thread cannot be started, the next sync tries again.
        self.snapshots.thread = thread::Builder::new().name("journal-snapshot".to_owned()).spawn(work).ok();
    }

    /// Looks at the disk and at the database's file now and then, and reports when the room begins or ceases to be short. True if
    /// records must be removed now: the room has just become short, or it is short and the journal has grown since the last
    /// snapshot, before which no record can be removed. A small disk fills long before the next snapshot would be due.
    fn disk_needs_room(&mut self) -> bool {
        let now = boot_time();
        if self.look_at_disk.is_none_or(|at| now < at && !self.has_grown()) {
            return false;
        }
        (self.look_at_disk, self.unlooked) = (Some(now + LOOK_AT_DISK), 0);
        self.look_at_place();
        let room = self.disk.look(&self.folder, self.retention);
        let changed = std::mem::replace(&mut self.disk, room) != room;
        if changed {
            self.findings.push(room.notice(&self.folder, self.retention));
        }
        match room {
            // The reserve may have been used although the room was never seen to be short.
            DiskRoom::Enough => {
                self.reserve.take();
                false
            }
            DiskRoom::Short => changed || self.snapshots.since >= self.snapshots.bytes,
        }
    }

    /// True if the journal has grown much since the disk was looked at. A flood fills a small disk between two looks.
    fn has_grown(&self) -> bool {
        self.unlooked >= self.retention.free / LOOKS_AT_DISK
    }

    /// Reports when the database is not in its place any more, and when it is there again.
    fn look_at_place(&mut self) {
        let moved = copied::is_moved(&self.path);
        if std::mem::replace(&mut self.moved, moved) == moved {
            return;
        }
        let path = self.path.display();
        self.findings.push(match moved {
            true => Notice::new(
                Kind::JournalMoved,
                format!(
                    "{path} was deleted, moved or replaced while it is written. The controller goes on, but a restart would not find \
                     what it writes now. Put the file back if it was moved. Otherwise restart the controller at a quiet time, and \
                     continue with `pointsman journal accept-loss`"
                ),
            ),
            false => Notice::new(Kind::JournalInPlace, format!("{path} is in its place again")),
        });
    }

    /// Folds the journal again, as a start would.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn fold_again(&mut self) -> Result<State, Error> {
        self.sync()?;
        Ok(JournalReader::open(&self.folder)?.fold(&AtomicBool::new(false))?.state)
    }

    /// Makes a snapshot of everything that was synced, on the calling thread.
    ///
    /// # Errors
    /// When the disk refuses, or the state is too large.
    pub fn make_snapshot(&mut self) -> Result<(), Error> {
        self.wait_for_snapshot();
        let folded = JournalReader::open(&self.folder)?.fold(&self.snapshots.stop)?;
        let made = snapshot::write(&self.folder, folded.last, folded.chain, &folded.state, &self.snapshots.stop)?;
        (self.snapshots.n, self.snapshots.bytes, self.snapshots.since) = (made.n, made.bytes, 0);
        self.snapshots.spare_below = made.spare_below;
        Ok(())
    }

    /// Waits until the current snapshot is finished, if one is being made.
    pub fn wait_for_snapshot(&mut self) {
        if let Some(thread) = self.snapshots.thread.take() {
            let _ = thread.join();
        }
        self.make_snapshots();
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // The last connection to close writes the log to the database, and that is this journal's own.
        self.checkpointer = None;
        self.snapshots.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.snapshots.thread.take() {
            let _ = thread.join();
        }
    }
}

fn insert(db: &Connection, row: &Row) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached("INSERT INTO record VALUES (?1, ?2, ?3)")?;
    insert.execute(params![signed(row.n), row.line, row.chain]).map(drop)
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
mod tests;
