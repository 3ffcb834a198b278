//! The data on disk: the controller's journal, and what an agent obeys. It uses SQLite, and syncs before anything is acted on.
//!
//! One process writes a store at a time. A second one is refused with a message. Others may read a journal meanwhile
//! ([`JournalReader`]). A store of another version, a damaged store and a full disk are errors that say what to do. Nothing is
//! repaired silently. This module does not know what the records decide. Tests: `tests/it/store.rs`, `tests/it/damage.rs`.

mod backup;
mod checkpoint;
mod copied;
mod disk_watch;
mod end;
mod exchange;
mod format;
mod history;
mod inspect;
mod journal;
mod marks;
mod reader;
mod reserve;
mod retention;
mod snapshot;
mod snapshot_maker;
mod unwanted;
mod verify;
mod views;
mod writer;

use std::fmt;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

pub use backup::{AcceptedLoss, Restored, accept_loss, backup, restore};
pub use history::{HistoryPage, PageBounds, history_page};
pub use journal::Journal;
pub use marks::AgentStore;
pub use reader::JournalReader;
pub use retention::Retention;
pub use unwanted::{UnwantedReader, UnwantedRecord, UnwantedRecords};
pub use verify::{Verified, check_chain};

/// The number of pages of the write-ahead log after which it is written to the database. It is small, so that this does not take
/// long either.
const LOG_PAGES: i64 = 256;
/// The number of pages after which a connection that leaves this to another thread (`checkpoint`) does it itself. The log gets so
/// long only if the thread cannot keep up.
const LOG_PAGES_MOST: i64 = 4_096;
/// The log gets at most as long as this part of what the journal leaves free on its disk: a small disk has no room for the whole
/// [`LOG_PAGES_MOST`].
const LOG_IN_FREE: i64 = 8;
/// The bytes of a page of a database.
const PAGE: i64 = 4_096;

/// The reason why a store cannot be used: what happened, to which file, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    path: PathBuf,
    what: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

impl std::error::Error for Error {}

impl Error {
    fn new(path: &Path, what: impl Into<String>) -> Error {
        Error { path: path.to_owned(), what: what.into() }
    }

    fn of(path: &Path, e: &rusqlite::Error) -> Error {
        let what = match e.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "another process uses it: is it running already? (`systemctl status`, `fuser` on the file)".to_owned()
            }
            Some(ErrorCode::DiskFull) => {
                "the disk is full; make room, then start again: nothing that was acted on is lost".to_owned()
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                format!(
                    "it is damaged ({e}); keep it for an inquiry, and put a backup in its place (a journal: `pointsman journal restore`)"
                )
            }
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                format!("it can't be opened for writing ({e}); does the folder exist, and is it ours?")
            }
            None if matches!(e, rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..)) => {
                format!("it is damaged ({e}); see `pointsman journal verify`, and keep the file")
            }
            Some(ErrorCode::SystemIoFailure) => format!("the disk fails ({e})"),
            _ => e.to_string(),
        };
        Error::new(path, what)
    }
}

/// Opens a file for one process, and creates its tables if it is new. `kind` distinguishes stores ("application id").
fn open(path: &Path, kind: i32, version: i32, tables: &str) -> Result<Connection, Error> {
    let wrong = |e: rusqlite::Error| Error::of(path, &e);
    let db = Connection::open(path).map_err(wrong)?;
    db.busy_timeout(Duration::from_millis(500)).map_err(wrong)?;
    // The lock is taken with the first write and kept, so that no other process reads unfinished data.
    db.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(wrong)?;
    db.pragma_update(None, "journal_mode", "WAL").map_err(wrong)?;
    // A commit is on the disk when it returns.
    db.pragma_update(None, "synchronous", "FULL").map_err(wrong)?;
    begin(path, &db, kind, &[version], version, tables)?;
    Ok(db)
}

/// Opens a file that others may read meanwhile. The caller ensures that only one process writes. Versions in `known` are accepted
/// unchanged.
fn open_shared(path: &Path, kind: i32, known: &[i32], version: i32, tables: &str) -> Result<Connection, Error> {
    let wrong = |e: rusqlite::Error| Error::of(path, &e);
    let db = Connection::open(path).map_err(wrong)?;
    // Readers hold no lock for which a writer waits. A program of an earlier version does.
    db.busy_timeout(Duration::from_millis(500)).map_err(wrong)?;
    db.pragma_update(None, "journal_mode", "WAL").map_err(wrong)?;
    db.pragma_update(None, "synchronous", "FULL").map_err(wrong)?;
    begin(path, &db, kind, known, version, tables)?;
    Ok(db)
}

/// Creates a file that only its owner may read, whatever the umask is. Does nothing if the file exists.
fn create_private(path: &Path) -> Result<(), Error> {
    let opened = std::fs::File::options().write(true).create(true).truncate(false).mode(0o600).open(path);
    opened
        .map(drop)
        .map_err(|e| Error::new(path, format!("it can't be opened for writing ({e}); does the folder exist, and is it ours?")))
}

/// An error that says that a journal is damaged, and what to do.
fn damaged(path: &Path, what: &str) -> Error {
    let ways = "see `pointsman journal verify`, and keep the file; a backup can take its place (`pointsman journal restore`), or \
                what is whole (`pointsman journal accept-loss`)";
    Error::new(path, format!("{what}; {ways}"))
}

/// An error that says to which program or version a file belongs.
fn not_ours(path: &Path, ours: bool, found: i32, version: i32) -> Error {
    let what = match ours {
        true => format!(
            "it is of version {found}, and this program writes version {version}; start the program that wrote it, or move it away"
        ),
        false => "it is a database of another program; name another folder as `data`".to_owned(),
    };
    Error::new(path, what)
}

/// Takes the lock with a first write, and creates the tables if there are none.
fn begin(path: &Path, db: &Connection, kind: i32, known: &[i32], version: i32, tables: &str) -> Result<(), Error> {
    let wrong = |e: rusqlite::Error| Error::of(path, &e);
    db.execute_batch("BEGIN IMMEDIATE; COMMIT").map_err(wrong)?;
    let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(wrong);
    match (number("application_id")?, number("user_version")?) {
        (0, 0) => {
            let header = format!("PRAGMA application_id = {kind}; PRAGMA user_version = {version}");
            db.execute_batch(&format!("BEGIN; {tables}; {header}; COMMIT")).map_err(wrong)?;
        }
        (k, v) if k == kind && known.contains(&v) => {}
        (k, v) => return Err(not_ours(path, k == kind, v, version)),
    }
    Ok(())
}

/// Extends the write-ahead log at once to [`LOG_PAGES`], with which it is usually written to the database and starts again: a sync
/// takes longer if it also has to record a new file length. A log that grows further does so once, because the file is not
/// shortened. A full disk has no room for that, and syncs only take longer then. The connection writes the log to the database
/// itself when it has `pages` pages.
fn make_room(db: &Connection, pages: i64) -> rusqlite::Result<()> {
    db.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    match extend_log(db) {
        Err(e) if e.sqlite_error_code() != Some(ErrorCode::DiskFull) => return Err(e),
        _ => {}
    }
    limit_log(db, pages)
}

/// The number of pages from which on the log is written to the database without a thread, on a disk of which the journal leaves so
/// many bytes free.
fn log_pages(free: u64) -> i64 {
    (i64::try_from(free).unwrap_or(i64::MAX) / LOG_IN_FREE / PAGE).clamp(LOG_PAGES, LOG_PAGES_MOST)
}

/// Lets the connection write the log to the database when it has so many pages. A file that became longer meanwhile, because a
/// reader needed the old pages, is shortened to that.
fn limit_log(db: &Connection, pages: i64) -> rusqlite::Result<()> {
    let bytes = pages.saturating_mul(PAGE);
    db.pragma_update_and_check(None, "journal_size_limit", bytes, |_| Ok(()))?;
    db.pragma_update(None, "wal_autocheckpoint", pages)
}

fn extend_log(db: &Connection) -> rusqlite::Result<()> {
    let size: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let filler = LOG_PAGES * size;
    // A process that was killed during this left the table.
    db.execute_batch(&format!("DROP TABLE IF EXISTS room; CREATE TABLE room (filler BLOB); INSERT INTO room VALUES (zeroblob({filler})); DROP TABLE room"))?;
    // All pages are written to the database itself, and the log is written from its beginning again.
    db.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))
}
