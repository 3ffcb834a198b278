//! Reads a journal before it is opened for writing, and refuses what a controller must not act on. Nothing is changed by that.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use rusqlite::Connection;

use crate::core::notice::Notice;

use super::end::{self, End};
use super::format::VERSION;
use super::reader::{Folded, JournalReader};
use super::{Error, snapshot};

/// What an operator can do about a journal that is refused.
const WAYS_OUT: &str = "nothing was changed. Put back the whole folder (journal.db, journal.db-wal, journal.end and the \
    snapshots), or restore a backup (`pointsman journal restore`), or continue without what is missing (`pointsman journal \
    accept-loss`)";

/// Further facts about the database that a start needs.
pub(super) struct Facts {
    pub(super) kept_from: u64,
    pub(super) earlier: bool,
}

type Looked = (Folded, Facts, Vec<Notice>, Option<String>);

/// Reads a journal without changing it. Returns `None` if none was ever begun. The text says why the journal is in doubt.
pub(super) fn look(folder: &Path, path: &Path, known: &Result<Option<End>, String>) -> Result<Option<Looked>, Error> {
    let size = fs::metadata(path).map(|m| m.len()).unwrap_or_default();
    let began = size > 0;
    if !began {
        let left = match known {
            Ok(Some(end)) if end.n > 0 => Some(format!("journal.end knows of {} records", end.n)),
            Ok(Some(end)) if end.controller != 0 => Some("journal.end knows of a journal".to_owned()),
            Err(_) => Some("a damaged journal.end is there".to_owned()),
            _ if !snapshot::list(folder).is_empty() => Some("snapshots of a journal are there".to_owned()),
            _ => None,
        };
        return match left {
            Some(what) => Err(Error::new(path, format!("the database is missing or empty, and {what}; {WAYS_OUT}"))),
            None => Ok(None),
        };
    }
    let reader = JournalReader::open_or_new(folder)?;
    let Some(reader) = reader else { return Ok(None) };
    let folded = reader.fold(&AtomicBool::new(false))?;
    check_snapshots(folder, path, &folded)?;
    let doubt = match known {
        Ok(Some(end)) => {
            check_end(path, &reader, &folded, *end)?;
            None
        }
        // Before version 2 there was no end file, and a first start may have been interrupted before it was created.
        Ok(None) if reader.is_earlier() || folded.last == 0 => None,
        Ok(None) => Some("journal.end is missing"),
        Err(_) => Some("journal.end is damaged"),
    };
    let doubt = doubt.map(|what| {
        format!(
            "{what}: the disk does not show whether the journal lost its newest records. Nothing is sent to hosts until every \
             agent has reported and none knows more than the journal; `pointsman journal accept-loss` ends the wait"
        )
    });
    let facts = Facts { kept_from: reader.kept_from, earlier: reader.is_earlier() };
    Ok(Some((folded, facts, Vec::new(), doubt)))
}

/// True if a start would accept the journal without any doubt.
pub(super) fn is_whole(folder: &Path) -> bool {
    let looked = look(folder, &folder.join("journal.db"), &end::read(folder));
    looked.is_ok_and(|found| found.is_some_and(|(.., doubt)| doubt.is_none()))
}

/// Refuses a journal that ends before its end file says, or that is another journal.
fn check_end(path: &Path, reader: &JournalReader, folded: &Folded, end: End) -> Result<(), Error> {
    if folded.last < end.n {
        let what = format!(
            "its last record is number {}, and number {} was written and acted on (journal.end): {} records are missing, because the database or \
             journal.db-wal was damaged, emptied, deleted or replaced by an older copy; {WAYS_OUT}",
            folded.last,
            end.n,
            end.n - folded.last
        );
        return Err(Error::new(path, what));
    }
    let same = end.n == 0
        || (end.n == folded.last && end.chain == folded.chain)
        || (end.n != folded.last && reader.chain_at(end.n)?.is_none_or(|chain| chain == end.chain));
    if !same {
        let what = format!(
            "record {} is not the one that was written there (journal.end): this is another journal, or an older copy that was continued; {WAYS_OUT}",
            end.n
        );
        return Err(Error::new(path, what));
    }
    Ok(())
}

/// Refuses a journal that ends before the record of a whole snapshot. A snapshot is made of records that are on the disk, so an older
/// copy was written over the journal.
fn check_snapshots(folder: &Path, path: &Path, folded: &Folded) -> Result<(), Error> {
    let newer = snapshot::list(folder).into_iter().take_while(|(n, _)| *n > folded.last);
    let mut whole = newer.filter(|(n, file)| snapshot::read(file).is_ok_and(|found| found.n == *n));
    let Some((n, _)) = whole.next() else { return Ok(()) };
    let what = format!(
        "its last record is number {}, and there is a snapshot of record {n}: an older copy was written over it; {WAYS_OUT}",
        folded.last
    );
    Err(Error::new(path, what))
}

/// Converts a journal of version 1 to this version. Its records stay unchanged, and the chain begins after them.
pub(super) fn upgrade(folder: &Path, path: &Path, db: &Connection, folded: &Folded) -> Result<(), Error> {
    if folded.last > 0 {
        snapshot::write(folder, folded.last, folded.chain, &folded.state, &AtomicBool::new(false))?;
    }
    let first: Option<i64> = db.query_row("SELECT min(n) FROM record", [], |row| row.get(0)).map_err(|e| Error::of(path, &e))?;
    let facts = BTreeMap::from([
        ("chained_from", folded.last + 1),
        ("kept_from", first.and_then(|n| u64::try_from(n).ok()).unwrap_or(1)),
    ]);
    let facts: String = facts.iter().map(|(name, n)| format!("INSERT OR REPLACE INTO fact VALUES ('{name}', '{n}');")).collect();
    db.execute_batch(&format!("BEGIN IMMEDIATE; {facts} DROP TABLE snapshot; PRAGMA user_version = {VERSION}; COMMIT"))
        .map_err(|e| Error::of(path, &e))
}

/// Marks a journal of an earlier version as one of this version, which is otherwise the same since version 2.
pub(super) fn raise_version(db: &Connection) -> rusqlite::Result<()> {
    let version: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == VERSION { Ok(()) } else { db.pragma_update(None, "user_version", VERSION) }
}
