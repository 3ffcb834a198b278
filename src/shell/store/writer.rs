//! The journal's database for the process that writes it: records with their chain values, in transactions, and the facts beside
//! them.
//!
//! A transaction is written again if the disk was full and its reserve is given back. Expired records are removed a limited number
//! at a time, in the transactions that write new ones.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params};

use super::checkpoint::Checkpointer;
use super::disk_watch::DiskWatch;
use super::format::chained;
use super::reader::{Folded, signed};
use super::{Error, LOG_PAGES_MOST, limit_log, log_pages, make_room};

/// The number of expired records that one sync removes, in addition to twice those that it writes, so that removing never takes
/// long and is not slower than writing.
const REMOVED_AT_ONCE: u64 = 512;

/// The connection that writes the journal's database.
#[derive(Debug)]
pub(super) struct JournalWriter {
    path: PathBuf,
    db: Connection,
    /// The number and the chain value of the last record.
    last: u64,
    chain: u32,
    /// The number of the last record that was on the disk before the open transaction.
    synced: u64,
    /// The oldest record that was not removed.
    kept_from: u64,
    /// Whether a transaction is open.
    open: bool,
    /// The records of the open transaction.
    unsynced: Vec<NewRow>,
    /// Writes the log to the database, for a caller that writes much.
    checkpointer: Option<Checkpointer>,
}

/// A record as it is inserted.
#[derive(Debug)]
struct NewRow {
    n: u64,
    line: String,
    chain: u32,
}

impl NewRow {
    fn insert(&self, db: &Connection) -> rusqlite::Result<()> {
        let mut insert = db.prepare_cached("INSERT INTO record VALUES (?1, ?2, ?3)")?;
        insert.execute(params![signed(self.n), self.line, self.chain]).map(drop)
    }
}

impl JournalWriter {
    /// Continues a database from what it folds to.
    pub(super) fn new(path: &Path, db: Connection, folded: &Folded, kept_from: u64) -> JournalWriter {
        JournalWriter {
            path: path.to_owned(),
            db,
            last: folded.last,
            chain: folded.chain,
            synced: folded.last,
            kept_from,
            open: false,
            unsynced: Vec::new(),
            checkpointer: None,
        }
    }

    /// The path of the database.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the last record.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The chain value of the last record.
    pub(super) fn chain(&self) -> u32 {
        self.chain
    }

    /// True if a transaction is open.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Makes commits fast for a caller that will write much.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn make_room(&mut self) -> Result<(), Error> {
        make_room(&self.db, LOG_PAGES_MOST).map_err(|e| Error::of(&self.path, &e))?;
        self.checkpointer = Some(Checkpointer::start(&self.path)?);
        Ok(())
    }

    /// Limits the write-ahead log for a disk of which the journal leaves so many bytes free.
    pub(super) fn limit_log(&self, free: u64) {
        // If the limit cannot be set, that of a large disk remains.
        let _ = limit_log(&self.db, log_pages(free));
    }

    /// Writes the log to the database and begins it anew. Otherwise it grows as long as others read the journal all the time. This waits
    /// for them; if it fails, the next time will do.
    pub(super) fn restart_log(&self) {
        let _ = self.db.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()));
    }

    /// A fact beside the records.
    pub(super) fn fact(&self, name: &str) -> Result<Option<String>, Error> {
        let found = self.db.query_row("SELECT value FROM fact WHERE name = ?1", [name], |row| row.get(0)).optional();
        found.map_err(|e| Error::of(&self.path, &e))
    }

    /// Sets a fact beside the records.
    pub(super) fn set_fact(&self, name: &str, value: &str) -> Result<(), Error> {
        let set = self.db.execute("INSERT OR REPLACE INTO fact VALUES (?1, ?2)", [name, value]);
        set.map(drop).map_err(|e| Error::of(&self.path, &e))
    }

    /// Appends a record to the open transaction, or begins one.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn append(&mut self, line: String, disk: &mut DiskWatch) -> Result<(), Error> {
        if !self.open {
            self.db.execute_batch("BEGIN IMMEDIATE").map_err(|e| Error::of(&self.path, &e))?;
            self.open = true;
        }
        let n = self.last + 1;
        let chain = chained(self.chain, n, &line);
        disk.wrote(line.len());
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.wrote(line.len());
        }
        let row = NewRow { n, line, chain };
        let inserted = row.insert(&self.db);
        self.unsynced.push(row);
        inserted.or_else(|e| self.write_with_reserve(e, disk)).map_err(|e| Error::of(&self.path, &e))?;
        (self.last, self.chain) = (n, chain);
        Ok(())
    }

    /// Ends the open transaction: its records are on the disk. Records below `removable` may be removed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn commit(&mut self, removable: u64, disk: &mut DiskWatch) -> Result<(), Error> {
        let committed = self.remove_oldest(removable).and_then(|()| self.db.execute_batch("COMMIT"));
        let committed = committed.or_else(|e| {
            self.write_with_reserve(e, disk)?;
            self.db.execute_batch("COMMIT")
        });
        committed.map_err(|e| Error::of(&self.path, &e))?;
        (self.open, self.synced) = (false, self.last);
        self.unsynced.clear();
        if let Some(checkpointer) = &mut self.checkpointer {
            checkpointer.committed();
        }
        Ok(())
    }

    /// After an error because the disk is full: gives the reserve back to the disk, and writes the open transaction again.
    /// Returns the error if it was another one, or if there is no reserve.
    fn write_with_reserve(&mut self, e: rusqlite::Error, disk: &mut DiskWatch) -> rusqlite::Result<()> {
        if e.sqlite_error_code() != Some(ErrorCode::DiskFull) || !disk.give_reserve_back() {
            return Err(e);
        }
        if !self.db.is_autocommit() {
            self.db.execute_batch("ROLLBACK")?;
        }
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        self.unsynced.iter().try_for_each(|row| row.insert(&self.db))
    }

    /// Removes the oldest records below a number, a limited number at a time, within the open transaction.
    fn remove_oldest(&mut self, removable: u64) -> rusqlite::Result<()> {
        let at_once = REMOVED_AT_ONCE + 2 * (self.last - self.synced);
        let below = removable.min(self.kept_from + at_once);
        if below <= self.kept_from {
            return Ok(());
        }
        self.db.execute("DELETE FROM record WHERE n < ?1", [signed(below)])?;
        self.db.execute("INSERT OR REPLACE INTO fact VALUES ('kept_from', ?1)", [below.to_string()])?;
        self.kept_from = below;
        Ok(())
    }
}

impl Drop for JournalWriter {
    fn drop(&mut self) {
        // The last connection to close writes the log to the database, and that is this writer's own.
        self.checkpointer = None;
    }
}
