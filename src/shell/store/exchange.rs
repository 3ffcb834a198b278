//! Replaces the files of a journal by prepared ones, in steps. A process that is killed between two steps changes nothing about the
//! result: what is in the folder shows the next step, and whoever runs the command again continues there.
//!
//! ```text
//!   replacement.new/          the prepared files; the journal is as it was
//!        | plan.json is written, the folder is renamed
//!   restore.unfinished/       the former files are moved to damaged-N/ or replaced-N/; from here on the journal is refused
//!        | plan.json is renamed to placing.json
//!   restore.unfinished/       the prepared files are moved to their place
//!        | the folder is renamed
//!   replacement.done/         removed; the journal is not refused any more
//! ```
//!
//! `restore.unfinished` without a plan is from an earlier version of the program. Only a complete restore ends that.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::format::UNFINISHED;
use super::{Error, copied, snapshot};

/// The files of a journal, in addition to snapshots.
const FILES: [&str; 4] = ["journal.db", "journal.db-wal", "journal.db-shm", "journal.end"];
const NEW: &str = "replacement.new";
const DONE: &str = "replacement.done";
const PLAN: &str = "plan.json";
const PLACING: &str = "placing.json";

/// Why the files of a journal are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reason {
    Restored,
    LossAccepted,
}

/// A replacement whose files are prepared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) reason: Reason,
    /// The number of the last record that was taken over.
    pub(super) last: u64,
    /// The number of records that are known to be missing after it.
    pub(super) missing: u64,
    /// The name of the folder for the former files; `None` if there were none.
    kept: Option<String>,
}

impl Plan {
    /// The folder with the former files of a journal in `folder`.
    pub(super) fn kept(&self, folder: &Path) -> Option<PathBuf> {
        self.kept.as_ref().map(|name| folder.join(name))
    }
}

/// One step. It is done completely or not at all.
#[derive(Debug)]
enum Step {
    Rename { from: PathBuf, to: PathBuf },
    Finish,
}

/// Makes an empty folder in which the new files are prepared.
pub(super) fn prepare(folder: &Path) -> Result<PathBuf, Error> {
    let new = folder.join(NEW);
    let io = |e: io::Error| Error::new(&new, format!("it cannot be written: {e}"));
    for left in [NEW, DONE, "accept.unfinished"] {
        let _ = fs::remove_dir_all(folder.join(left));
    }
    fs::create_dir(&new).map_err(io)?;
    sync_folder(folder)?;
    Ok(new)
}

/// Removes what was prepared.
pub(super) fn give_up(folder: &Path) {
    let _ = fs::remove_dir_all(folder.join(NEW));
}

/// Replaces the journal by the prepared files. Returns the plan that was carried out.
pub(super) fn replace(folder: &Path, reason: Reason, last: u64, missing: u64) -> Result<Plan, Error> {
    begin(folder, reason, last, missing)?;
    finish(folder)
}

/// Writes the plan. From here on the replacement can only be finished.
fn begin(folder: &Path, reason: Reason, last: u64, missing: u64) -> Result<(), Error> {
    let (new, unfinished) = (folder.join(NEW), folder.join(UNFINISHED));
    let io = |e: io::Error| Error::new(&new, format!("it cannot be written: {e}"));
    let name = match reason {
        Reason::Restored => "replaced",
        Reason::LossAccepted => "damaged",
    };
    let kept = if former_files(folder).is_empty() { None } else { Some(free_name(folder, name)) };
    let plan = Plan { reason, last, missing, kept };
    let text = serde_json::to_vec(&plan).map_err(|e| Error::new(&new, e.to_string()))?;
    fs::write(new.join(PLAN), text).and_then(|()| File::open(new.join(PLAN))?.sync_all()).map_err(io)?;
    sync_folder(&new)?;
    if unfinished.exists() {
        // What an earlier version left is replaced within its folder, so that the journal is refused all the time. The plan is last.
        for entry in fs::read_dir(&unfinished).map_err(io)?.flatten() {
            fs::remove_file(entry.path()).map_err(io)?;
        }
        for entry in fs::read_dir(&new).map_err(io)?.flatten().filter(|entry| entry.file_name() != PLAN) {
            fs::rename(entry.path(), unfinished.join(entry.file_name())).map_err(io)?;
        }
        sync_folder(&unfinished)?;
        fs::rename(new.join(PLAN), unfinished.join(PLAN)).map_err(io)?;
        fs::remove_dir(&new).map_err(io)?;
    } else {
        fs::rename(&new, &unfinished).map_err(io)?;
    }
    sync_folder(folder)
}

/// The replacement that was interrupted; `None` if there is none, or only what an earlier version left.
pub(super) fn interrupted(folder: &Path) -> Result<Option<Plan>, Error> {
    let unfinished = folder.join(UNFINISHED);
    for name in [PLAN, PLACING] {
        let path = unfinished.join(name);
        match fs::read(&path) {
            Ok(text) => {
                let wrong = |e: serde_json::Error| Error::new(&path, format!("it is not readable: {e}"));
                return serde_json::from_slice(&text).map(Some).map_err(wrong);
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(Error::new(&path, format!("it cannot be read: {e}"))),
        }
    }
    Ok(None)
}

/// Carries out all steps that are left. From then on the journal is not refused any more, and its files do not count as a copy.
pub(super) fn finish(folder: &Path) -> Result<Plan, Error> {
    let Some(plan) = interrupted(folder)? else {
        return Err(Error::new(&folder.join(UNFINISHED), "it has no plan; run `pointsman journal restore` again"));
    };
    while let Some(step) = next_step(folder, &plan)? {
        take(folder, &step)?;
    }
    Ok(plan)
}

/// The next step, as the folder shows it. `None` when everything is done.
fn next_step(folder: &Path, plan: &Plan) -> Result<Option<Step>, Error> {
    let unfinished = folder.join(UNFINISHED);
    if !unfinished.exists() {
        return Ok(None);
    }
    let (planned, placing) = (unfinished.join(PLAN), unfinished.join(PLACING));
    if planned.exists() {
        // The prepared files are not in place yet, so every file of a journal is a former one.
        let former = former_files(folder).into_iter().next().zip(plan.kept(folder));
        return Ok(Some(match former.and_then(|(from, kept)| Some((kept.join(from.file_name()?), from))) {
            Some((to, from)) => Step::Rename { from, to },
            None => Step::Rename { from: planned, to: placing },
        }));
    }
    let io = |e: io::Error| Error::new(&unfinished, format!("it cannot be read: {e}"));
    let mut files: Vec<PathBuf> = fs::read_dir(&unfinished).map_err(io)?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let next = files.into_iter().find(|file| *file != placing);
    Ok(Some(match next.and_then(|from| Some((folder.join(from.file_name()?), from))) {
        Some((to, from)) => Step::Rename { from, to },
        None => Step::Finish,
    }))
}

fn take(folder: &Path, step: &Step) -> Result<(), Error> {
    let io = |e: io::Error| Error::new(folder, format!("the files of the journal cannot be moved: {e}"));
    match step {
        Step::Rename { from, to } => {
            let (source, target) = (from.parent().unwrap_or(folder), to.parent().unwrap_or(folder));
            fs::create_dir_all(target).map_err(io)?;
            fs::rename(from, to).map_err(io)?;
            sync_folder(target)?;
            sync_folder(source)
        }
        Step::Finish => {
            copied::remember(&folder.join("journal.db")).map_err(io)?;
            sync_folder(folder)?;
            fs::rename(folder.join(UNFINISHED), folder.join(DONE)).map_err(io)?;
            sync_folder(folder)?;
            let _ = fs::remove_dir_all(folder.join(DONE));
            Ok(())
        }
    }
}

/// The files of a journal that are in a folder.
fn former_files(folder: &Path) -> Vec<PathBuf> {
    let snapshots = snapshot::list(folder).into_iter().map(|(_, path)| path);
    FILES.iter().map(|name| folder.join(name)).chain(snapshots).filter(|path| path.exists()).collect()
}

/// The first of `NAME-1`, `NAME-2` ... that does not exist.
fn free_name(folder: &Path, name: &str) -> String {
    let mut names = (1u64..).map(|n| format!("{name}-{n}"));
    names.find(|name| !folder.join(name).exists()).unwrap_or_default()
}

/// Syncs the names in a folder to the disk.
pub(super) fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| Error::new(folder, format!("it cannot be synced: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::journal::{Input, Record};
    use crate::shell::store::{Journal, accept_loss, backup, restore};

    /// A folder with a journal whose newest records are lost: the end file knows of more than the database has.
    fn damaged(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("pointsman-exchange-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        append(&folder, 3);
        let older = fs::read(folder.join("journal.db")).unwrap();
        append(&folder, 2);
        fs::write(folder.join("journal.db"), older).unwrap();
        folder
    }

    fn append(folder: &Path, records: u64) {
        let mut journal = Journal::open(folder).unwrap();
        journal.controller_id(|| 42).unwrap();
        for _ in 0..records {
            journal.append_input(Input::JournalTrusted).unwrap();
        }
        journal.sync().unwrap();
    }

    fn losses(folder: &Path) -> usize {
        let mut found = 0;
        let journal = Journal::open(folder).unwrap();
        let mut count = |_: u64, line: &str| {
            let loss = matches!(Record::read(line), Ok(Record::Input { input: Input::LossAccepted { .. }, .. }));
            found += usize::from(loss);
        };
        journal.lines(1, &mut count).unwrap();
        assert!(Journal::verify(folder).unwrap().wrong.is_empty());
        found
    }

    /// A process is killed after each of the steps. The journal is refused until the command is run again, which finishes it.
    #[test]
    fn an_interrupted_accept_loss_is_finished_by_running_it_again() {
        for taken in 0.. {
            let folder = damaged("accept");
            let old = fs::read(folder.join("journal.db")).unwrap();
            assert!(Journal::open(&folder).is_err(), "it ends too early");
            let (last, missing) = super::super::backup::prepare_loss(&folder, "ann", "a bad disk").unwrap();
            begin(&folder, Reason::LossAccepted, last, missing).unwrap();
            let plan = interrupted(&folder).unwrap().unwrap();
            for _ in 0..taken {
                if let Some(step) = next_step(&folder, &plan).unwrap() {
                    take(&folder, &step).unwrap();
                }
            }
            if next_step(&folder, &plan).unwrap().is_none() {
                assert!(taken > 5, "only {taken} steps");
                assert_eq!(losses(&folder), 1);
                fs::remove_dir_all(&folder).unwrap();
                break;
            }
            let why = Journal::open(&folder).unwrap_err().to_string();
            assert!(why.contains("interrupted; run it again"), "after {taken} steps: {why}");
            let done = accept_loss(&folder, "bob", "again").unwrap();
            assert_eq!((done.last, done.missing), (3, 2), "after {taken} steps");
            assert_eq!(fs::read(done.kept.join("journal.db")).unwrap(), old);
            assert!(!folder.join("damaged-2").exists());
            assert_eq!(losses(&folder), 1, "after {taken} steps");
            assert_eq!(Journal::open(&folder).unwrap().controller_id(|| 1).unwrap(), 42);
            fs::remove_dir_all(&folder).unwrap();
        }
    }

    /// While files are prepared, nothing is changed, so the journal is as it was.
    #[test]
    fn what_was_only_prepared_is_no_hindrance() {
        let folder = damaged("prepare");
        super::super::backup::prepare_loss(&folder, "ann", "a bad disk").unwrap();
        let why = Journal::open(&folder).unwrap_err().to_string();
        assert!(why.contains("its last record is number 3"), "{why}");
        accept_loss(&folder, "ann", "a bad disk").unwrap();
        assert!(!folder.join(NEW).exists() && !folder.join(DONE).exists() && !folder.join(UNFINISHED).exists());
        // A restore that was interrupted is finished before the next one begins.
        let copy = folder.join("copy");
        backup(&folder, &copy).unwrap();
        super::super::backup::prepare_restore(&folder, &copy).unwrap();
        begin(&folder, Reason::Restored, 1, 0).unwrap();
        assert!(accept_loss(&folder, "ann", "x").unwrap_err().to_string().contains("restore` was interrupted"));
        restore(&folder, &copy).unwrap();
        assert!(folder.join("replaced-1").exists() && folder.join("replaced-2").exists());
        Journal::open(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
    }
}
