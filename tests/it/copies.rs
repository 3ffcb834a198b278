//! A data folder that was put back from a copy, and a journal whose disk fills.

use std::fs;
use std::path::{Path, PathBuf};

use pointsman::core::journal::{DoubtKind, Input, Record, State};
use pointsman::core::notice::Kind;
use pointsman::shell::store::{AgentStore, Journal, JournalReader, Retention, accept_loss, backup, restore};

use crate::control::at;
use crate::store::{records, written};
use crate::support::Folder;

/// The files of a journal and their contents.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file());
    files.map(|p| (p.clone(), fs::read(p).unwrap())).collect()
}

/// Opens a journal as a controller does, and says whether it is in a doubt that holds.
fn holds_at_start(folder: &Path) -> Option<DoubtKind> {
    let mut journal = Journal::open(folder).unwrap();
    journal.doubt_if_copied().unwrap();
    journal.state().doubt.as_ref().map(|doubt| doubt.kind).filter(|kind| kind.stops_commands())
}

/// Makes new files of the same names and contents.
fn replace_by_copies(folder: &Path) {
    for (path, bytes) in contents(folder) {
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn only_doubts_that_are_not_settled_hold() {
    assert!(DoubtKind::Unproven.stops_commands() && DoubtKind::Behind.stops_commands() && !DoubtKind::Accepted.stops_commands());
}

/// An older copy that is written into the existing files has their identities. What it does not overwrite shows it.
#[test]
fn an_older_copy_that_is_written_over_a_journal_is_refused() {
    let folder = Folder::new();
    let story = written(folder.path());
    let older = contents(folder.path());
    let mut journal = Journal::open(folder.path()).unwrap();
    journal.doubt_if_copied().unwrap();
    for record in &story {
        journal.append(record).unwrap();
    }
    journal.sync().unwrap();
    journal.make_snapshot().unwrap();
    drop(journal);
    assert_eq!(holds_at_start(folder.path()), None);
    for (path, bytes) in older {
        fs::write(path, bytes).unwrap();
    }
    let why = Journal::open(folder.path()).unwrap_err().to_string();
    assert!(why.contains("an older copy was written over it") && why.contains("accept-loss"), "{why}");
    // The way out leads to a journal that starts.
    let accepted = accept_loss(folder.path(), "ann", "the disk was replaced").unwrap();
    assert_eq!(accepted.last, story.len() as u64);
    assert_eq!(holds_at_start(folder.path()), None);
    assert_eq!(Journal::verify(folder.path()).unwrap().wrong, Vec::<String>::new());
}

/// After an accepted loss, the files are new ones and no copy. A copy that is made later is one.
#[test]
fn a_copy_is_doubted_also_while_an_accepted_loss_is_open() {
    let folder = Folder::new();
    written(folder.path());
    let mut journal = Journal::open(folder.path()).unwrap();
    journal.doubt_if_copied().unwrap();
    let loss = Input::LossAccepted { by: "ann".to_owned(), reason: "old disk".to_owned(), missing: 0 };
    let sequence = journal.state().sequence + 1;
    journal.append(&Record::Input { sequence, at: at(9_000), input: loss }).unwrap();
    journal.sync().unwrap();
    drop(journal);
    assert_eq!(holds_at_start(folder.path()), None);
    replace_by_copies(folder.path());
    assert_eq!(holds_at_start(folder.path()), Some(DoubtKind::Unproven));
    assert_eq!(holds_at_start(folder.path()), Some(DoubtKind::Unproven), "it stays until agents agree");
}

/// A copy may lack the file that would show it. A journal of an earlier version lacks it too, and is no copy.
#[test]
fn a_copy_without_its_place_file_is_a_copy() {
    let folder = Folder::new();
    written(folder.path());
    let place = folder.path().join("journal.place");
    assert!(!place.exists());
    assert_eq!(holds_at_start(folder.path()), None);
    fs::remove_file(&place).unwrap();
    assert_eq!(holds_at_start(folder.path()), Some(DoubtKind::Unproven));
    let agent = Folder::new();
    let store = || AgentStore::open(agent.path()).unwrap();
    assert!(!store().is_copy().unwrap());
    store().remember_place().unwrap();
    assert!(!store().is_copy().unwrap());
    fs::remove_file(agent.path().join("agent.place")).unwrap();
    assert!(store().is_copy().unwrap());
}

/// A restore and an accepted loss make new files. These do not count as a copy.
#[test]
fn files_that_the_program_puts_in_place_are_no_copy() {
    let (folder, copies) = (Folder::new(), Folder::new());
    written(folder.path());
    assert_eq!(holds_at_start(folder.path()), None);
    let copy = copies.path().join("copy");
    backup(folder.path(), &copy).unwrap();
    restore(folder.path(), &copy).unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    journal.append(&Record::Input { sequence: 9_999, at: at(9_000), input: Input::JournalTrusted }).unwrap();
    journal.sync().unwrap();
    drop(journal);
    assert_eq!(holds_at_start(folder.path()), None);
}

/// A disk with little room left makes records expire before their time, and people are told.
#[test]
fn records_are_removed_before_the_disk_is_full() {
    let folder = Folder::new();
    let story = records();
    let mut journal = Journal::open(folder.path()).unwrap();
    journal.keep(Retention { free: u64::MAX / 2, ..Retention::default() });
    let mut all = Vec::new();
    while all.len() < 45_000 {
        for record in &story {
            journal.append(record).unwrap();
            all.push(record.clone());
        }
        journal.sync().unwrap();
        journal.wait_for_snapshot();
    }
    let told = journal.take_findings();
    assert_eq!(told.iter().filter(|n| n.kind == Kind::JournalDisk).count(), 1, "{told:?}");
    drop(journal);
    let (first, last) = JournalReader::open(folder.path()).unwrap().range().unwrap();
    assert!(first > 20_000 && last == all.len() as u64, "{first} {last}");
    assert!(Journal::open(folder.path()).unwrap().state() == &State::fold(&all));
    assert_eq!(Journal::verify(folder.path()).unwrap().wrong, Vec::<String>::new());
}
