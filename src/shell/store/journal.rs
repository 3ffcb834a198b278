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
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::journal::{Input, Record, State};
use crate::core::notice::{Kind, Notice};
use crate::shell::linux::boot_time;

use super::disk_watch::DiskWatch;
use super::end::{self, End, EndFile};
use super::format::{KIND, KNOWN_VERSIONS, TABLES, VERSION, is_unfinished};
use super::inspect::{Facts, look, raise_version, upgrade};
use super::reader::{Folded, JournalReader};
use super::retention::Retention;
use super::snapshot_maker::SnapshotMaker;
use super::writer::JournalWriter;
use super::{Error, copied, damaged, open_shared};

/// The fact that the journal has a place file.
const PLACED: &str = "placed";

#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    /// The fold of everything that was appended. Only the positions after [`Journal::take_state`] was called.
    state: State,
    folds: bool,
    /// Ends before the writer: the writer's connection is the last to close.
    snapshots: SnapshotMaker,
    writer: JournalWriter,
    end: EndFile,
    controller: u64,
    /// The number of records that were read at the start, after its snapshot.
    read: u64,
    disk: DiskWatch,
    findings: Vec<Notice>,
    /// The lock, held as long as the journal is open for writing.
    _lock: File,
}

/// How long a start waits for the lock. A process that a killed controller had just forked has it until it executes its program.
const LOCK_WAIT: Duration = Duration::from_secs(2);

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
    let until = boot_time() + LOCK_WAIT;
    while file.try_lock().is_err() {
        if boot_time() >= until {
            return Err(Error::new(
                &folder.join("journal.db"),
                "another process uses it: is it running already? (`systemctl status`, `fuser` on the file)",
            ));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(file)
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
        let disk = DiskWatch::start(folder, &path);
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
        let mut journal = Journal {
            folder: folder.to_owned(),
            folds: true,
            snapshots: SnapshotMaker::start(folder, &folded),
            writer: JournalWriter::new(&path, db, &folded, facts.kept_from),
            end: EndFile::open(folder)?,
            controller: 0,
            read: folded.last - folded.snapshot.0,
            state: folded.state,
            disk,
            findings,
            _lock: lock,
        };
        journal.controller = journal.known_controller()?.unwrap_or_default();
        if let Ok(Some(End { controller, .. })) = known
            && controller != 0
            && controller != journal.controller
        {
            return Err(damaged(&path, "the identity of the controller is not the one in journal.end"));
        }
        if let Some(reason) = doubt {
            journal.findings.push(Notice::new(Kind::JournalEnd, reason.clone()));
            journal.append_input(Input::JournalDoubted { reason, behind: false })?;
            journal.sync()?;
        }
        journal.end.write_now(journal.known_end())?;
        let saved = (journal.writer.last(), journal.writer.chain());
        journal.snapshots.save_start(saved, &journal.state, &mut journal.findings);
        Ok(journal)
    }

    /// Puts the journal in doubt if its files are a copy: they may be older than what was acted on.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn doubt_if_copied(&mut self) -> Result<(), Error> {
        let path = self.writer.path().to_owned();
        let wrong = |e: std::io::Error| Error::new(&path, format!("it can't be checked whether it is a copy: {e}"));
        let has_place = self.writer.fact(PLACED)?.is_some();
        let holds = self.state.doubt.as_ref().is_some_and(|doubt| doubt.kind.stops_commands());
        if copied::is_copy(&path, has_place).map_err(wrong)? && self.writer.last() > 0 && !holds {
            let reason = "the data folder is a copy, which may be older than what was acted on. Nothing is sent to hosts until every agent has \
                          reported and none knows more than the journal; `pointsman journal accept-loss` ends the wait"
                .to_owned();
            self.findings.push(Notice::new(Kind::JournalEnd, reason.clone()));
            self.append_input(Input::JournalDoubted { reason, behind: false })?;
            self.sync()?;
        }
        copied::remember(&path).map_err(wrong)?;
        if has_place { Ok(()) } else { self.writer.set_fact(PLACED, "1") }
    }

    /// The folder of the journal.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The number of records that were read at the start, after the snapshot with which it began.
    pub fn read_at_start(&self) -> u64 {
        self.read
    }

    /// Makes syncs fast for a caller that will write much.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn make_room(&mut self) -> Result<(), Error> {
        self.writer.make_room()
    }

    /// Sets how long records are kept from now on, and takes the reserve of the disk.
    pub fn keep(&mut self, retention: Retention) {
        self.writer.limit_log(retention.free);
        self.disk.keep(retention);
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
        self.writer.set_fact("controller", &id.to_string())?;
        self.controller = id;
        self.end.write_now(self.known_end())
    }

    fn known_controller(&self) -> Result<Option<u64>, Error> {
        Ok(self.writer.fact("controller")?.and_then(|id| id.parse().ok()))
    }

    fn known_end(&self) -> End {
        End { n: self.writer.last(), chain: self.writer.chain(), controller: self.controller }
    }

    /// Appends a record. It is on the disk after the next [`Journal::sync`].
    ///
    /// # Errors
    /// When the disk refuses. The caller must not act on the record then.
    pub fn append(&mut self, record: &Record) -> Result<(), Error> {
        let line = record.line().map_err(|e| Error::new(self.writer.path(), format!("a record can't be written: {e}")))?;
        self.snapshots.wrote(line.len());
        self.writer.append(line, &mut self.disk)?;
        if self.folds {
            self.state.apply(record);
        } else {
            self.state.apply_position(record);
        }
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
        if !self.writer.is_open() {
            return Ok(());
        }
        self.writer.commit(self.snapshots.removable_below(), &mut self.disk)?;
        self.end.write(self.known_end())?;
        self.make_snapshots();
        Ok(())
    }

    /// True if something was appended and is not on the disk yet.
    pub fn is_dirty(&self) -> bool {
        self.writer.is_open()
    }

    /// True if much was appended for the room on the disk. It should be synced now: a small disk has no room for a long transaction.
    pub fn has_grown(&self) -> bool {
        self.disk.has_grown()
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

    /// Takes the result of the snapshot thread, and starts the thread when the next snapshot is due. On a disk without room, a flood
    /// waits for the thread: records must not arrive faster than they can be removed.
    fn make_snapshots(&mut self) {
        let grown = self.disk.has_grown();
        let needs_room = self.disk.needs_room(self.snapshots.can_remove(), &mut self.findings);
        if needs_room && grown {
            self.snapshots.join();
            self.writer.restart_log();
        }
        self.snapshots.take_result(self.writer.last(), &mut self.findings);
        if self.snapshots.is_busy() {
            return;
        }
        if needs_room || self.snapshots.is_due(self.writer.last()) {
            self.snapshots.begin(self.writer.last(), self.disk.retention(), self.disk.is_short(), self.state.newest);
        }
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
        self.snapshots.make_now()
    }

    /// Waits until the current snapshot is finished, if one is being made.
    pub fn wait_for_snapshot(&mut self) {
        self.snapshots.join();
        self.make_snapshots();
    }
}
