//! Tests of what the journal reports about its disk and its files. Other tests: `tests/it/store.rs`.

use std::fs;

use super::*;

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("pointsman-journal-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn kinds(journal: &mut Journal) -> Vec<Kind> {
    journal.take_findings().into_iter().map(|notice| notice.kind).collect()
}

/// Records are not removed because nobody knows which have expired, and people are told once.
#[test]
fn an_error_of_the_database_is_reported_and_removes_nothing() {
    let folder = folder("expired");
    let mut journal = Journal::open(&folder).unwrap();
    journal.expired(Ok(7));
    for _ in 0..3 {
        journal.expired(Err("the disk fails".to_owned()));
    }
    assert_eq!((journal.snapshots.remove_below, kinds(&mut journal)), (7, vec![Kind::JournalSnapshot]));
    journal.expired(Ok(9));
    journal.expired(Err("the disk fails".to_owned()));
    assert_eq!((journal.snapshots.remove_below, kinds(&mut journal)), (9, vec![Kind::JournalSnapshot]));
    // As the thread reports it: the database is gone.
    journal.append_input(Input::JournalTrusted).unwrap();
    journal.sync().unwrap();
    fs::rename(folder.join("journal.db"), folder.join("elsewhere")).unwrap();
    assert!(expired_below(&folder, Retention::default(), None).is_err());
    drop(journal);
    fs::remove_dir_all(&folder).unwrap();
}

/// A controller whose database is taken away notices that, and that it is back.
#[test]
fn a_database_that_was_moved_is_reported() {
    let folder = folder("moved");
    let mut journal = Journal::open(&folder).unwrap();
    journal.doubt_if_copied().unwrap();
    let (here, there) = (folder.join("journal.db"), folder.join("elsewhere"));
    journal.look_at_place();
    assert_eq!(kinds(&mut journal), []);
    fs::rename(&here, &there).unwrap();
    journal.look_at_place();
    journal.look_at_place();
    assert_eq!(kinds(&mut journal), [Kind::JournalMoved]);
    fs::copy(&there, &here).unwrap();
    journal.look_at_place();
    assert_eq!(kinds(&mut journal), [], "a copy is another file");
    fs::rename(&there, &here).unwrap();
    journal.look_at_place();
    assert_eq!(kinds(&mut journal), [Kind::JournalInPlace]);
    drop(journal);
    fs::remove_dir_all(&folder).unwrap();
}
