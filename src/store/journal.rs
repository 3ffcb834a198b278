//! The journal on disk: records in one order, and now and then the state that they fold to.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::journal::{Record, State};

use super::{Error, make_room, open};

/// "PMj1".
const KIND: i32 = 0x504d_6a31;
/// Raised when a program could not read what an older one wrote.
const VERSION: i32 = 1;
const TABLES: &str = "
    CREATE TABLE record (n INTEGER PRIMARY KEY, line TEXT NOT NULL, sum INTEGER NOT NULL) STRICT;
    CREATE TABLE snapshot (n INTEGER PRIMARY KEY, state TEXT NOT NULL, sum INTEGER NOT NULL) STRICT;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT";
/// So many records after the last snapshot the next one is made: a start reads no more than these.
const SNAPSHOT_EVERY: u64 = 10_000;
/// Records that are kept for people to look into. Of more, the oldest before the last snapshot are removed.
const RECORDS_KEPT: u64 = 1_000_000;

/// The controller's journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    db: Connection,
    /// The fold over everything appended.
    state: State,
    last: u64,
    snapshot: u64,
    /// A transaction is open.
    open: bool,
}

/// What a check of a journal found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Records that were read.
    pub records: u64,
    /// Snapshots that equal the fold over the records up to them.
    pub snapshots: u64,
    /// What is wrong, in words.
    pub wrong: Vec<String>,
}

impl Journal {
    /// True when a journal was begun in a folder.
    pub fn is_in(folder: &Path) -> bool {
        folder.join("journal.db").exists()
    }

    /// Opens the journal in a folder, or begins one, and folds it.
    ///
    /// # Errors
    /// When another process has it, it is damaged or of another version, or the disk refuses.
    pub fn open(folder: &Path) -> Result<Journal, Error> {
        let path = folder.join("journal.db");
        let db = open(&path, KIND, VERSION, TABLES)?;
        let mut journal = Journal { path, db, state: State::default(), last: 0, snapshot: 0, open: false };
        journal.fold()?;
        Ok(journal)
    }

    /// Whoever is going to write much makes syncs quick with this.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn make_room(&self) -> Result<(), Error> {
        make_room(&self.db).map_err(|e| Error::of(&self.path, &e))
    }

    /// What the journal folds to.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What agents know this journal's controller by: drawn once, when the journal began.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn controller_id(&mut self, draw: impl FnOnce() -> u64) -> Result<u64, Error> {
        let wrong = |e: rusqlite::Error| Error::of(&self.path, &e);
        let known: Option<String> = self
            .db
            .query_row("SELECT value FROM fact WHERE name = 'controller'", [], |row| row.get(0))
            .optional()
            .map_err(wrong)?;
        if let Some(id) = known.and_then(|id| id.parse().ok()) {
            return Ok(id);
        }
        let id = draw();
        self.db.execute("INSERT OR REPLACE INTO fact VALUES ('controller', ?1)", [id.to_string()]).map_err(wrong)?;
        Ok(id)
    }

    /// Appends a record. It is on the disk after the next [`Journal::sync`].
    ///
    /// # Errors
    /// When the disk refuses. Nothing may be acted on then.
    pub fn append(&mut self, record: &Record) -> Result<(), Error> {
        let wrong = |path: &Path, e: rusqlite::Error| Error::of(path, &e);
        if !self.open {
            self.db.execute_batch("BEGIN IMMEDIATE").map_err(|e| wrong(&self.path, e))?;
            self.open = true;
        }
        let line = record.line().map_err(|e| Error::new(&self.path, format!("a record can't be written: {e}")))?;
        let sum = crc32fast::hash(line.as_bytes());
        let n = self.last + 1;
        self.db
            .prepare_cached("INSERT INTO record VALUES (?1, ?2, ?3)")
            .and_then(|mut insert| insert.execute(params![number(n), line, sum]))
            .map_err(|e| wrong(&self.path, e))?;
        self.state.apply(record);
        self.last = n;
        Ok(())
    }

    /// Everything appended is on the disk when this returns.
    ///
    /// # Errors
    /// When the disk refuses. Nothing may be acted on then.
    pub fn sync(&mut self) -> Result<(), Error> {
        if !self.open {
            return Ok(());
        }
        if self.last - self.snapshot >= SNAPSHOT_EVERY {
            self.write_snapshot()?;
        }
        self.db.execute_batch("COMMIT").map_err(|e| Error::of(&self.path, &e))?;
        self.open = false;
        Ok(())
    }

    /// True when something was appended and is not on the disk yet.
    pub fn is_dirty(&self) -> bool {
        self.open
    }

    /// The records from a number on, with their numbers, as they were written.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn lines(&self, from: u64, tell: &mut dyn FnMut(u64, &str)) -> Result<(), Error> {
        let wrong = |e: rusqlite::Error| Error::of(&self.path, &e);
        let mut query = self.db.prepare("SELECT n, line FROM record WHERE n >= ?1 ORDER BY n").map_err(wrong)?;
        let mut rows = query.query([number(from)]).map_err(wrong)?;
        while let Some(row) = rows.next().map_err(wrong)? {
            let n: i64 = row.get(0).map_err(wrong)?;
            let line: String = row.get(1).map_err(wrong)?;
            tell(u64::try_from(n).unwrap_or_default(), &line);
        }
        Ok(())
    }

    /// Reads everything again, and compares: the file's own structure, every record's sum, the numbers without a gap, and
    /// every snapshot with the fold over the records before it, where they are all there.
    ///
    /// # Errors
    /// When the disk refuses; what is wrong with the journal is in the result.
    pub fn verify(folder: &Path) -> Result<Verified, Error> {
        let path = folder.join("journal.db");
        if !path.exists() {
            return Err(Error::new(&path, "there is no journal here; name the folder that the configuration has as `data`"));
        }
        let db = open(&path, KIND, VERSION, TABLES)?;
        let wrong = |e: rusqlite::Error| Error::of(&path, &e);
        let mut found = Verified::default();
        let said: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(wrong)?;
        if said != "ok" {
            found.wrong.push(format!("the file's structure is damaged: {said}"));
        }
        let mut snapshots: Vec<(i64, String, u32)> = Vec::new();
        let mut query = db.prepare("SELECT n, state, sum FROM snapshot ORDER BY n").map_err(wrong)?;
        for row in query.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).map_err(wrong)? {
            snapshots.push(row.map_err(wrong)?);
        }
        let mut query = db.prepare("SELECT n, line, sum FROM record ORDER BY n").map_err(wrong)?;
        let rows =
            query.query_map([], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?, r.get::<_, u32>(2)?))).map_err(wrong)?;
        // When the oldest records were removed, the fold begins with the snapshot that was made then.
        let mut state: Option<State> = None;
        let mut last: Option<i64> = None;
        for row in rows {
            let (n, line, sum) = row.map_err(wrong)?;
            found.records += 1;
            if last.is_none() {
                state = (n == 1).then(State::default);
            } else if last != Some(n - 1) {
                found.wrong.push(format!("records {} to {} are missing", last.unwrap_or(0) + 1, n - 1));
            }
            last = Some(n);
            if crc32fast::hash(line.as_bytes()) != sum {
                found.wrong.push(format!("record {n} was changed after it was written"));
            }
            match Record::read(&line) {
                Ok(record) => state.iter_mut().for_each(|s| s.apply(&record)),
                Err(e) => found.wrong.push(format!("record {n} can't be read: {e}")),
            }
            for (_, text, sum) in snapshots.iter().filter(|(at, ..)| *at == n) {
                let whole = crc32fast::hash(text.as_bytes()) == *sum;
                match (serde_json::from_str::<State>(text), &state) {
                    (Ok(kept), Some(folded)) if whole && kept == *folded => found.snapshots += 1,
                    (Ok(kept), None) if whole => {
                        state = Some(kept);
                        found.snapshots += 1;
                    }
                    _ => found.wrong.push(format!("the snapshot at record {n} is not what the records before it come to")),
                }
            }
        }
        Ok(found)
    }

    fn fold(&mut self) -> Result<(), Error> {
        let path = self.path.clone();
        let wrong = |e: rusqlite::Error| Error::of(&path, &e);
        let damaged = |what: String| Error::new(&path, format!("{what}; see `pointsman journal verify`, and keep the file"));
        let snapshot: Option<(i64, String, u32)> = self
            .db
            .query_row("SELECT n, state, sum FROM snapshot ORDER BY n DESC LIMIT 1", [], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?))
            })
            .optional()
            .map_err(wrong)?;
        if let Some((n, text, sum)) = snapshot {
            let whole = crc32fast::hash(text.as_bytes()) == sum;
            self.state = match serde_json::from_str(&text) {
                Ok(state) if whole => state,
                _ => return Err(damaged(format!("the snapshot at record {n} is damaged"))),
            };
            self.snapshot = u64::try_from(n).unwrap_or_default();
            self.last = self.snapshot;
        }
        let mut query = self.db.prepare("SELECT n, line, sum FROM record WHERE n > ?1 ORDER BY n").map_err(wrong)?;
        let mut rows = query.query([number(self.last)]).map_err(wrong)?;
        let (mut state, mut last) = (std::mem::take(&mut self.state), self.last);
        while let Some(row) = rows.next().map_err(wrong)? {
            let (n, line, sum): (i64, String, u32) =
                (row.get(0).map_err(wrong)?, row.get(1).map_err(wrong)?, row.get(2).map_err(wrong)?);
            let n = u64::try_from(n).unwrap_or_default();
            let record = Record::read(&line).ok().filter(|_| n == last + 1 && crc32fast::hash(line.as_bytes()) == sum);
            let Some(record) = record else { return Err(damaged(format!("record {n} is damaged, or one before it is missing"))) };
            state.apply(&record);
            last = n;
        }
        drop(rows);
        drop(query);
        (self.state, self.last) = (state, last);
        Ok(())
    }

    /// Within the open transaction.
    fn write_snapshot(&mut self) -> Result<(), Error> {
        let wrong = |e: rusqlite::Error| Error::of(&self.path, &e);
        let text =
            serde_json::to_string(&self.state).map_err(|e| Error::new(&self.path, format!("the state can't be written: {e}")))?;
        let sum = crc32fast::hash(text.as_bytes());
        self.db
            .execute("INSERT OR REPLACE INTO snapshot VALUES (?1, ?2, ?3)", params![number(self.last), text, sum])
            .map_err(wrong)?;
        let keep = self.last.saturating_sub(RECORDS_KEPT);
        let oldest: Option<i64> =
            self.db.query_row("SELECT max(n) FROM snapshot WHERE n <= ?1", [number(keep)], |row| row.get(0)).map_err(wrong)?;
        if let Some(oldest) = oldest {
            // The record at the snapshot itself stays, so that a check finds where to begin.
            self.db.execute("DELETE FROM record WHERE n < ?1", [oldest]).map_err(wrong)?;
            self.db.execute("DELETE FROM snapshot WHERE n < ?1", [oldest]).map_err(wrong)?;
        }
        self.snapshot = self.last;
        Ok(())
    }
}

/// SQLite's numbers have a sign.
fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
