//! Copies a journal, restores it, or continues with the part of it that is whole.
//!
//! A backup is one database file: the records, and the newest snapshot in pieces. It is made while the controller runs. Restoring
//! a backup and accepting a loss are done while the controller does not run. Both keep the previous files in a separate folder,
//! and record in the journal that it is not to be trusted blindly ([`Input::JournalDoubted`], [`Input::LossAccepted`]).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::core::base::limits::EPOCH_MOST;
use crate::core::journal::{Input, Record};
use crate::core::plan;

use super::end::{self, End, EndFile};
use super::exchange::{self, Reason, sync_folder};
use super::format::{KIND, TABLES, VERSION, is_unfinished};
use super::journal::lock;
use super::reader::{Folded, JournalReader, signed};
use super::{Error, Journal, create_private, open_shared, snapshot};

/// The size of one piece of the snapshot in a backup, in bytes.
const PIECE: usize = 1 << 20;

/// The result of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The number of the last record of the backup.
    pub last: u64,
    /// The folder with the previous files, if there were any.
    pub kept: Option<PathBuf>,
}

/// The result of accepting a loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedLoss {
    /// The number of the last record that was whole.
    pub last: u64,
    /// The number of records that are known to be missing after it.
    pub missing: u64,
    /// The folder with the previous files.
    pub kept: PathBuf,
}

/// Copies a journal to a file, completely or not at all. The journal may be written meanwhile. Returns the number of its last
/// record.
///
/// # Errors
/// When the journal is damaged, the file exists already, or the disk refuses.
pub fn backup(folder: &Path, to: &Path) -> Result<u64, Error> {
    if to.exists() {
        return Err(Error::new(to, "it is there already; name a file that is not"));
    }
    let partial = with_suffix(to, ".partial");
    let io = |e: io::Error| Error::new(to, format!("it cannot be written: {e}"));
    match fs::remove_file(&partial) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(io(e)),
        _ => {}
    }
    let made = (|| {
        create_private(&partial)?;
        let reader = JournalReader::open(folder)?;
        let name = partial.to_str().ok_or_else(|| Error::new(to, "its name is not UTF-8"))?;
        reader.connection().execute("VACUUM INTO ?1", [name]).map_err(|e| Error::of(to, &e))?;
        add_snapshot(folder, &partial)?;
        let last = check(&partial)?.last;
        File::open(&partial).and_then(|f| f.sync_all()).map_err(io)?;
        fs::rename(&partial, to).map_err(io)?;
        sync_folder(to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
        Ok(last)
    })();
    if made.is_err() {
        let _ = fs::remove_file(&partial);
    }
    made
}

/// Adds the newest snapshot whose record is in the copy to the copy.
fn add_snapshot(folder: &Path, copy: &Path) -> Result<(), Error> {
    let wrong = |e: rusqlite::Error| Error::of(copy, &e);
    let db = Connection::open(copy).map_err(wrong)?;
    db.pragma_update(None, "journal_mode", "DELETE").map_err(wrong)?;
    db.execute_batch("CREATE TABLE IF NOT EXISTS piece (part INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT").map_err(wrong)?;
    for (n, path) in snapshot::list(folder) {
        let there: Option<u32> =
            db.query_row("SELECT sum FROM record WHERE n = ?1", [signed(n)], |row| row.get(0)).optional().map_err(wrong)?;
        let Ok(bytes) = fs::read(&path) else { continue };
        if !snapshot::parse(&bytes).is_ok_and(|s| there == Some(s.chain)) {
            continue;
        }
        db.execute_batch("BEGIN").map_err(wrong)?;
        for (part, piece) in (0i64..).zip(bytes.chunks(PIECE)) {
            db.execute("INSERT INTO piece VALUES (?1, ?2)", params![part, piece]).map_err(wrong)?;
        }
        return db.execute_batch("COMMIT").map_err(wrong);
    }
    Ok(())
}

/// The fold of a backup. Its snapshot is written to a folder beside it.
fn check(copy: &Path) -> Result<Folded, Error> {
    let beside = with_suffix(copy, ".check");
    let _ = fs::remove_dir_all(&beside);
    let io = |e: io::Error| Error::new(copy, format!("it cannot be checked: {e}"));
    fs::create_dir(&beside).map_err(io)?;
    let folded = take_snapshot_out(copy, &beside)
        .and_then(|()| JournalReader::of(&beside, copy.to_owned()))
        .and_then(|reader| reader.fold(&AtomicBool::new(false)));
    let _ = fs::remove_dir_all(&beside);
    folded
}

fn take_snapshot_out(copy: &Path, folder: &Path) -> Result<(), Error> {
    let wrong = |e: rusqlite::Error| Error::of(copy, &e);
    let db = Connection::open_with_flags(copy, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(wrong)?;
    let there: i64 =
        db.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'piece'", [], |row| row.get(0)).map_err(wrong)?;
    if there == 0 {
        return Err(Error::new(copy, "it is not a backup of a journal (`pointsman journal backup` makes one)"));
    }
    let mut query = db.prepare("SELECT bytes FROM piece ORDER BY part").map_err(wrong)?;
    let mut rows = query.query([]).map_err(wrong)?;
    let mut bytes: Vec<u8> = Vec::new();
    while let Some(row) = rows.next().map_err(wrong)? {
        bytes.extend(row.get::<_, Vec<u8>>(0).map_err(wrong)?);
    }
    if bytes.is_empty() {
        return Ok(());
    }
    let found = snapshot::parse(&bytes).map_err(|why| Error::new(copy, format!("its snapshot: {why}")))?;
    snapshot::write(folder, found.n, found.chain, &found.state, &AtomicBool::new(false)).map(drop)
}

/// Replaces a journal by a backup. The journal is refused until the restore is finished, and also if it is interrupted. The
/// journal records that it was restored, so the controller sends nothing until the agents agree.
///
/// # Errors
/// When a controller runs, the backup is damaged, or the disk refuses.
pub fn restore(folder: &Path, from: &Path) -> Result<Restored, Error> {
    let _lock = lock(folder)?;
    if exchange::interrupted(folder)?.is_some() {
        exchange::finish(folder)?;
    }
    let last = prepare_restore(folder, from).inspect_err(|_| exchange::give_up(folder))?;
    let plan = exchange::replace(folder, Reason::Restored, last, 0)?;
    Ok(Restored { last, kept: plan.kept(folder) })
}

/// Prepares the files of a restore. Returns the number of the last record.
pub(super) fn prepare_restore(folder: &Path, from: &Path) -> Result<u64, Error> {
    let new = exchange::prepare(folder)?;
    prepare(from, &new)
}

/// Makes a whole journal from a backup, in a folder.
fn prepare(from: &Path, new: &Path) -> Result<u64, Error> {
    let io = |e: io::Error| Error::new(from, format!("it cannot be copied: {e}"));
    let db = new.join("journal.db");
    create_private(&db)?;
    let mut copied = File::options().write(true).truncate(true).open(&db).map_err(io)?;
    io::copy(&mut File::open(from).map_err(io)?, &mut copied).map_err(io)?;
    copied.sync_all().map_err(io)?;
    take_snapshot_out(&db, new)?;
    let reader = JournalReader::open(new)?;
    let folded = reader.fold(&AtomicBool::new(false))?;
    let controller = reader.number("controller")?.unwrap_or_default();
    drop(reader);
    let wrong = |e: rusqlite::Error| Error::of(from, &e);
    Connection::open(&db).and_then(|db| db.execute_batch("DROP TABLE piece")).map_err(wrong)?;
    EndFile::open(new)?.write_now(End { n: folded.last, chain: folded.chain, controller })?;
    // Opening the journal proves that it is whole, and allows a record to be added.
    let mut journal = Journal::open_prepared(new)?;
    let reason = format!(
        "the journal was restored from a backup whose last record is {}: nothing is sent to hosts until every agent has reported and none \
         knows more than the journal",
        folded.last
    );
    journal.append_input(Input::JournalDoubted { reason, behind: false })?;
    journal.sync()?;
    drop(journal);
    for left in ["journal.lock", "journal.db-wal", "journal.db-shm"] {
        let _ = fs::remove_file(new.join(left));
    }
    sync_folder(new)?;
    Ok(folded.last)
}

/// Continues with the whole part of a damaged journal: all records before the first one that is damaged. The journal records who
/// accepted the loss and why. The desired owners are then unknown, and no host counts as fenced because of the journal. If this was
/// interrupted before, it is finished, with the name and reason of that time.
///
/// # Errors
/// When a controller runs, nothing is missing or damaged, or the disk refuses.
pub fn accept_loss(folder: &Path, by: &str, why: &str) -> Result<AcceptedLoss, Error> {
    let _lock = lock(folder)?;
    let plan = match exchange::interrupted(folder)? {
        Some(plan) if plan.reason == Reason::LossAccepted => exchange::finish(folder)?,
        None if !is_unfinished(folder) => {
            let (last, missing) = prepare_loss(folder, by, why).inspect_err(|_| exchange::give_up(folder))?;
            exchange::replace(folder, Reason::LossAccepted, last, missing)?
        }
        Some(_) | None => {
            let what = "a `pointsman journal restore` was interrupted; run it again";
            return Err(Error::new(&folder.join("journal.db"), what));
        }
    };
    let kept = plan.kept(folder).unwrap_or_else(|| folder.to_owned());
    Ok(AcceptedLoss { last: plan.last, missing: plan.missing, kept })
}

/// Prepares the files with which a journal continues after a loss. Returns the number of the last record that is whole, and how
/// many are missing.
pub(super) fn prepare_loss(folder: &Path, by: &str, why: &str) -> Result<(u64, u64), Error> {
    let known = end::read(folder).ok().flatten().unwrap_or_default();
    let new = exchange::prepare(folder)?;
    let (folded, controller) = salvage(folder, &new)?;
    let controller = controller.filter(|id| *id != 0).unwrap_or(known.controller);
    if super::inspect::is_whole(folder) {
        return Err(Error::new(
            &folder.join("journal.db"),
            "nothing is missing or damaged for which a start would be refused; there is no loss to accept",
        ));
    }
    let missing = known.n.saturating_sub(folded.last);
    // The new database has no identity yet. It is set when the journal is open.
    EndFile::open(&new)?.write_now(End { n: folded.last, chain: folded.chain, controller: 0 })?;
    let mut journal = Journal::open_prepared(&new)?;
    if controller != 0 {
        journal.set_controller(controller)?;
    }
    let sequence = journal.state().sequence + missing + 1;
    let at = journal.state().newest.unwrap_or_default();
    let input = Input::LossAccepted { by: by.to_owned(), reason: why.to_owned(), missing };
    journal.append(&Record::Input { sequence, at, input })?;
    for record in plan::forget(&journal.state().ledger.clone(), sequence) {
        journal.append(&Record::Plan(record))?;
    }
    journal.sync()?;
    drop(journal);
    for left in ["journal.lock", "journal.db-shm"] {
        let _ = fs::remove_file(new.join(left));
    }
    sync_folder(&new)?;
    Ok((folded.last, missing))
}

/// Copies the whole records, up to the first damaged one, and the identity of the controller into a new journal.
fn salvage(folder: &Path, new: &Path) -> Result<(Folded, Option<u64>), Error> {
    for (_, path) in snapshot::list(folder) {
        if let (Some(name), Ok(_)) = (path.file_name(), snapshot::read(&path)) {
            fs::copy(&path, new.join(name)).map_err(|e| Error::new(&path, format!("it cannot be copied: {e}")))?;
        }
    }
    let to = new.join("journal.db");
    create_private(&to)?;
    let wrong = |e: rusqlite::Error| Error::of(&to, &e);
    let db = open_shared(&to, KIND, &[VERSION], VERSION, TABLES)?;
    db.pragma_update(None, "synchronous", "OFF").map_err(wrong)?;
    let reader = JournalReader::open(folder).ok().filter(|r| !r.is_earlier());
    let controller = reader.as_ref().and_then(|r| r.number("controller").ok().flatten());
    let set = |name: &str, n: u64| {
        db.execute("INSERT OR REPLACE INTO fact VALUES (?1, ?2)", params![name, n.to_string()]).map_err(wrong)
    };
    let base = reader.as_ref().and_then(|r| Some((r.base().ok()?, r)));
    let mut folded = Folded::default();
    db.execute_batch("BEGIN").map_err(wrong)?;
    match base {
        Some((base, reader)) => {
            // All rows up to the snapshot are kept unchanged, so that people can examine them. The rows after it must be whole.
            folded = base;
            let began = folded.last;
            let mut failed = None;
            let mut insert = db.prepare("INSERT INTO record VALUES (?1, ?2, ?3)").map_err(wrong)?;
            let _ = reader.rows(1, &mut |row| {
                let (Some(line), Some(sum)) = (&row.line, row.sum) else { return row.n <= began };
                if row.n > began {
                    let Ok((record, sum, _)) = reader.checked(&folded, &row) else { return false };
                    folded.state.apply(&record);
                    (folded.last, folded.chain) = (row.n, sum);
                }
                failed = insert.execute(params![signed(row.n), line, sum]).err();
                failed.is_none()
            });
            if let Some(e) = failed {
                return Err(wrong(e));
            }
            set("chained_from", reader.number("chained_from")?.unwrap_or(1))?;
            set("kept_from", reader.kept_from.min(folded.last + 1))?;
        }
        // Nothing in the database is usable. The newest snapshot is all that is left, if there is one.
        None => {
            if let Some(found) = snapshot::list(new).into_iter().find_map(|(_, path)| snapshot::read(&path).ok()) {
                folded = Folded { state: found.state, last: found.n, chain: found.chain, ..Folded::default() };
                set("kept_from", found.n + 1)?;
            }
        }
    }
    db.execute_batch("COMMIT; PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)").map_err(wrong)?;
    // A snapshot of records that are missing now would belong to none of the records that follow.
    for (_, path) in snapshot::list(new).into_iter().take_while(|(n, _)| *n > folded.last) {
        fs::remove_file(&path).map_err(|e| Error::new(&path, format!("it cannot be removed: {e}")))?;
    }
    // A state that no program accepts counts as damaged.
    if folded.state.ledger.epoch() > EPOCH_MOST {
        return Err(Error::new(&to, "its newest snapshot has an epoch that is not possible"));
    }
    Ok((folded, controller))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
