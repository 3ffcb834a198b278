//! The journal's database for other processes: read only, also while the controller writes.
//!
//! Records are read in batches, each in a separate transaction. A process that reads a journal for a long time therefore does not
//! prevent the write-ahead log from starting again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::core::base::time::Time;
use crate::core::journal::{Record, State};

use super::format::{KIND, VERSION, chained};
use super::{Error, damaged, snapshot};

/// The number of records of one transaction.
const AT_ONCE: i64 = 1_000;

/// One row of the database.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) n: u64,
    /// `None` if it is not text.
    pub(super) line: Option<String>,
    /// `None` if it is not a checksum.
    pub(super) sum: Option<u32>,
}

/// The fold of a journal.
#[derive(Debug, Default)]
pub(super) struct Folded {
    pub(super) state: State,
    /// The number of the last record.
    pub(super) last: u64,
    pub(super) chain: u32,
    /// The record number and the size of the snapshot with which it began.
    pub(super) snapshot: (u64, u64),
    /// The number of bytes of the records since then.
    pub(super) bytes: u64,
    /// The snapshots that were skipped, with the reasons.
    pub(super) passed_over: Vec<String>,
}

/// A journal that is opened for reading only.
#[derive(Debug)]
pub struct JournalReader {
    folder: PathBuf,
    path: PathBuf,
    db: Connection,
    version: i32,
    /// Records from this number on form a chain. An earlier version wrote the records before, each with a checksum of its own.
    chained_from: u64,
    /// The oldest record that retention has not removed.
    pub(super) kept_from: u64,
}

impl JournalReader {
    /// Opens the journal of a folder for reading.
    ///
    /// # Errors
    /// When there is none, it is damaged, it has another version, or the file system refuses.
    pub fn open(folder: &Path) -> Result<JournalReader, Error> {
        let path = folder.join("journal.db");
        if !path.exists() {
            return Err(Error::new(&path, "there is no journal here; name the folder that the configuration has as `data`"));
        }
        JournalReader::of(folder, path)
    }

    /// Opens the journal of a folder, or a backup of one, for reading.
    ///
    /// # Errors
    /// As [`JournalReader::open`].
    pub fn open_or_backup(path: &Path) -> Result<JournalReader, Error> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if path.is_file() { JournalReader::of(folder, path.to_owned()) } else { JournalReader::open(path) }
    }

    /// Opens a database that may not have tables yet. In that case it returns `None`.
    pub(super) fn open_or_new(folder: &Path) -> Result<Option<JournalReader>, Error> {
        let path = folder.join("journal.db");
        let wrong = |e: rusqlite::Error| Error::of(&path, &e);
        let db = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(wrong)?;
        db.busy_timeout(Duration::from_millis(2_000)).map_err(wrong)?;
        let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(wrong);
        let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(wrong)?;
        if (number("application_id")?, number("user_version")?, tables) == (0, 0, 0) {
            return match super::end::read(folder) {
                Ok(Some(end)) if end.n > 0 => Err(damaged(&path, "it has no records any more")),
                _ => Ok(None),
            };
        }
        JournalReader::open(folder).map(Some)
    }

    /// The number of bytes of the pages that are in use.
    pub(super) fn live_bytes(&self) -> Result<u64, Error> {
        let number = |name: &str| self.db.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(|e| self.wrong(&e));
        let pages = number("page_count")?.saturating_sub(number("freelist_count")?);
        Ok(u64::try_from(pages.saturating_mul(number("page_size")?)).unwrap_or_default())
    }

    /// Opens a database by its own path, such as a backup.
    pub(super) fn of(folder: &Path, path: PathBuf) -> Result<JournalReader, Error> {
        let wrong = |e: rusqlite::Error| Error::of(&path, &e);
        let db = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(wrong)?;
        db.busy_timeout(Duration::from_millis(2_000)).map_err(wrong)?;
        let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(wrong);
        let (kind, version) = (number("application_id")?, number("user_version")?);
        if kind != KIND || !(1..=VERSION).contains(&version) {
            return Err(super::not_ours(&path, kind == KIND, version, VERSION));
        }
        let mut reader = JournalReader { folder: folder.to_owned(), path, db, version, chained_from: u64::MAX, kept_from: 1 };
        if version >= 2 {
            reader.chained_from = reader.number("chained_from")?.unwrap_or(1);
            reader.kept_from = reader.number("kept_from")?.unwrap_or(1);
        }
        Ok(reader)
    }

    /// A fact of the journal that is a number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Error> {
        let text: Option<String> = self
            .db
            .query_row("SELECT value FROM fact WHERE name = ?1", [name], |row| row.get(0))
            .optional()
            .map_err(|e| self.wrong(&e))?;
        match text {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| self.damaged(&format!("`{name}` is no number"))),
        }
    }

    fn wrong(&self, e: &rusqlite::Error) -> Error {
        Error::of(&self.path, e)
    }

    fn damaged(&self, what: &str) -> Error {
        damaged(&self.path, what)
    }

    /// The path of the database.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The database's connection, for copying and querying it.
    pub(super) fn connection(&self) -> &Connection {
        &self.db
    }

    /// True if an earlier version wrote it.
    pub(super) fn is_earlier(&self) -> bool {
        self.version < 2
    }

    /// The number of the oldest record that exists, and of the newest. Zeros if there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn range(&self) -> Result<(u64, u64), Error> {
        let of = |what: &str| -> Result<i64, Error> {
            let found: Option<i64> =
                self.db.query_row(&format!("SELECT {what}(n) FROM record"), [], |row| row.get(0)).map_err(|e| self.wrong(&e))?;
            Ok(found.unwrap_or_default())
        };
        Ok((u64::try_from(of("min")?).unwrap_or_default(), u64::try_from(of("max")?).unwrap_or_default()))
    }

    /// The chain value that is stored with a record.
    pub(super) fn chain_at(&self, n: u64) -> Result<Option<u32>, Error> {
        self.db
            .query_row("SELECT sum FROM record WHERE n = ?1", [signed(n)], |row| row.get(0))
            .optional()
            .map_err(|e| self.wrong(&e))
    }

    /// The checksum that a row must have.
    pub(super) fn expected(&self, before: u32, n: u64, line: &str) -> u32 {
        if n < self.chained_from { crc32fast::hash(line.as_bytes()) } else { chained(before, n, line) }
    }

    /// Visits the rows from a number on, until `each` returns false.
    pub(super) fn rows(&self, from: u64, each: &mut dyn FnMut(Row) -> bool) -> Result<(), Error> {
        let mut query =
            self.db.prepare("SELECT n, line, sum FROM record WHERE n >= ?1 ORDER BY n LIMIT ?2").map_err(|e| self.wrong(&e))?;
        let mut from = from;
        loop {
            let mut rows = query.query([signed(from), AT_ONCE]).map_err(|e| self.wrong(&e))?;
            let mut some = Vec::new();
            while let Some(row) = rows.next().map_err(|e| self.wrong(&e))? {
                let n: i64 = row.get(0).map_err(|e| self.wrong(&e))?;
                let line = match row.get_ref(1) {
                    Ok(ValueRef::Text(bytes)) => std::str::from_utf8(bytes).ok().map(str::to_owned),
                    _ => None,
                };
                some.push(Row { n: u64::try_from(n).unwrap_or_default(), line, sum: row.get(2).ok() });
            }
            drop(rows);
            let whole = some.len() as i64 == AT_ONCE;
            let Some(last) = some.last().map(|r| r.n) else { return Ok(()) };
            for row in some {
                if !each(row) {
                    return Ok(());
                }
            }
            if !whole {
                return Ok(());
            }
            from = last + 1;
        }
    }

    /// Visits the records from a number on, with their numbers, as they were written. It ends when `each` returns false. A record
    /// that cannot be read is an empty text.
    ///
    /// # Errors
    /// When the database cannot be read further.
    pub fn lines(&self, from: u64, each: &mut dyn FnMut(u64, &str) -> bool) -> Result<(), Error> {
        self.rows(from, &mut |row| each(row.n, row.line.as_deref().unwrap_or_default()))
    }

    /// The number of a record from which on everything happened at or after a time. It may be one input too early.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn first_since(&self, at: Time) -> Result<u64, Error> {
        let (mut low, mut high) = self.range()?;
        while low < high {
            let middle = low + (high - low) / 2;
            // The first input from there on contains the time.
            let mut found = None;
            self.rows(middle, &mut |row| {
                if row.n > high {
                    return false;
                }
                found = row.line.as_deref().and_then(input_time).map(|at| (row.n, at));
                found.is_none()
            })?;
            match found {
                Some((n, then)) if then < at => low = n + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Folds the newest whole snapshot and every record after it.
    pub(super) fn fold(&self, stop: &AtomicBool) -> Result<Folded, Error> {
        self.fold_while(stop, |_| true)
    }

    /// Folds the newest whole snapshot and the records after it, as long as `more` wants a further one.
    pub(super) fn fold_while(&self, stop: &AtomicBool, more: impl Fn(&Folded) -> bool) -> Result<Folded, Error> {
        let mut folded = self.base()?;
        let mut bad = None;
        self.rows(folded.last + 1, &mut |row| {
            if stop.load(Ordering::Relaxed) {
                bad = Some("the program ends".to_owned());
                return false;
            }
            if !more(&folded) {
                return false;
            }
            match self.checked(&folded, &row) {
                Ok((record, sum, bytes)) => {
                    folded.state.apply(&record);
                    (folded.last, folded.chain) = (row.n, sum);
                    folded.bytes += bytes;
                    true
                }
                Err(why) => {
                    bad = Some(why);
                    false
                }
            }
        })?;
        match bad {
            Some(why) => Err(self.damaged(&why)),
            None => Ok(folded),
        }
    }

    /// Checks that a row is the next record after the fold. Returns an error text if it is not.
    pub(super) fn checked(&self, folded: &Folded, row: &Row) -> Result<(Record, u32, u64), String> {
        let (n, next) = (row.n, folded.last + 1);
        if n != next {
            let missing = if n == next + 1 {
                format!("record {next} is missing")
            } else {
                format!("records {next} to {} are missing", n.wrapping_sub(1))
            };
            return Err(missing);
        }
        let damaged = || format!("record {n} is damaged");
        let line = row.line.as_deref().ok_or_else(damaged)?;
        let sum = row.sum.filter(|sum| *sum == self.expected(folded.chain, n, line)).ok_or_else(damaged)?;
        let record =
            Record::read(line).map_err(|e| format!("record {n} is not understood ({e}); did a newer version write it?"))?;
        record.credible().map_err(|why| format!("record {n} is not credible: {why}"))?;
        Ok((record, sum, line.len() as u64))
    }

    /// The newest snapshot that is whole and belongs to these records. Without one, the empty state.
    pub(super) fn base(&self) -> Result<Folded, Error> {
        if self.is_earlier() {
            return self.earlier_base();
        }
        let mut passed_over = Vec::new();
        for (n, path) in snapshot::list(&self.folder) {
            let fits = snapshot::read(&path).and_then(|found| {
                // The record itself is kept as long as its snapshot, so that the two can be compared.
                let chain = self.chain_at(n).map_err(|e| e.to_string())?;
                let same = found.n == n && (chain == Some(found.chain) || (chain.is_none() && self.kept_from == n + 1));
                if same { Ok(found) } else { Err("it is not of this journal's records".to_owned()) }
            });
            match fits {
                Ok(found) => {
                    let snapshot = (n, found.bytes);
                    return Ok(Folded { state: found.state, last: n, chain: found.chain, snapshot, bytes: 0, passed_over });
                }
                Err(why) => passed_over.push(format!("{}: {why}", path.display())),
            }
        }
        if self.kept_from > 1 {
            let why = passed_over.first().cloned().unwrap_or_else(|| "there is none".to_owned());
            return Err(
                self.damaged(&format!("records before {} were removed, and no snapshot is whole ({why})", self.kept_from))
            );
        }
        Ok(Folded { passed_over, ..Folded::default() })
    }

    /// Before version 2, snapshots were in the database.
    fn earlier_base(&self) -> Result<Folded, Error> {
        let newest: Option<(i64, String, u32)> = self
            .db
            .query_row("SELECT n, state, sum FROM snapshot ORDER BY n DESC LIMIT 1", [], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?))
            })
            .optional()
            .map_err(|e| self.wrong(&e))?;
        let Some((n, text, sum)) = newest else { return Ok(Folded::default()) };
        let n = u64::try_from(n).unwrap_or_default();
        let whole = crc32fast::hash(text.as_bytes()) == sum;
        match serde_json::from_str(&text) {
            Ok(state) if whole => {
                let chain = self.chain_at(n)?.unwrap_or_default();
                Ok(Folded { state, last: n, chain, snapshot: (n, text.len() as u64), ..Folded::default() })
            }
            _ => Err(self.damaged(&format!("the snapshot at record {n} is damaged"))),
        }
    }
}

/// The time at which the input of a record arrived. `None` for records that are not inputs.
pub(super) fn input_time(line: &str) -> Option<Time> {
    // All inputs begin like this, so the rest of a record need not be parsed.
    let rest = line.strip_prefix("{\"input\":{\"order\":")?;
    let at = rest.split_once("\"at\":")?.1;
    let end = at.find(|c: char| c != '-' && !c.is_ascii_digit())?;
    at[..end].parse().ok().map(Time::from_micros)
}

/// SQLite has only signed numbers.
pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
