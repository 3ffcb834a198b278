//! What is kept on disk: the controller's journal, and what an agent obeys. SQLite, synced before anything is acted on.
//!
//! One process has a store at a time; a second one is refused with a message. A store of another version, a damaged one and
//! a full disk are errors that say what to do; nothing is repaired silently. Does not know: what the records decide.
//! Tests: `tests/it/store.rs`.

mod journal;
mod marks;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

pub use journal::{Journal, Verified};
pub use marks::Marks;

/// Pages of the log of what is written, after which it goes into the database: few, so that this does not take long either.
const LOG_PAGES: i64 = 256;

/// A store can't be used, in words: what happened, to which file, and what to do.
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
                format!("it is damaged ({e}); keep it for an inquiry, and put a copy or an empty folder in its place")
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

/// Opens a file for one process, and makes its tables when it is new. `kind` tells stores apart ("application id").
fn open(path: &Path, kind: i32, version: i32, tables: &str) -> Result<Connection, Error> {
    let wrong = |e: rusqlite::Error| Error::of(path, &e);
    let db = Connection::open(path).map_err(wrong)?;
    db.busy_timeout(Duration::from_millis(500)).map_err(wrong)?;
    // The lock is taken with the first write and kept: no other process reads half of what we do.
    db.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(wrong)?;
    db.pragma_update(None, "journal_mode", "WAL").map_err(wrong)?;
    // A commit is on the disk when it returns.
    db.pragma_update(None, "synchronous", "FULL").map_err(wrong)?;
    db.execute_batch("BEGIN IMMEDIATE; COMMIT").map_err(wrong)?;
    let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(wrong);
    match (number("application_id")?, number("user_version")?) {
        (0, 0) => {
            let header = format!("PRAGMA application_id = {kind}; PRAGMA user_version = {version}");
            db.execute_batch(&format!("BEGIN; {tables}; {header}; COMMIT")).map_err(wrong)?;
        }
        (k, v) if k == kind && v == version => {}
        (k, v) if k == kind => {
            let what = format!(
                "it is of version {v}, and this program writes version {version}; start the program that wrote it, or move it away"
            );
            return Err(Error::new(path, what));
        }
        _ => return Err(Error::new(path, "it is a database of another program; name another folder as `data`")),
    }
    Ok(db)
}

/// The log of what is written begins with all the room that it uses before it starts anew: a sync that also has to note a new
/// length of the file takes longer.
fn make_room(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    let size: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let filler = LOG_PAGES * size;
    // Whoever was killed in the middle of this left the table.
    db.execute_batch(&format!("DROP TABLE IF EXISTS room; CREATE TABLE room (filler BLOB); INSERT INTO room VALUES (zeroblob({filler})); DROP TABLE room"))?;
    // Everything goes into the database itself, and the log is written from its beginning again.
    db.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))
}
