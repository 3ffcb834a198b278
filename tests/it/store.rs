//! The data on disk: read back as written, refused if it belongs to another program or version, checked.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pointsman::core::agent::{AgentMark, Durable};
use pointsman::core::control::{Controller, Input, LogEvent, Output};
use pointsman::core::decode::Decoder;
use pointsman::core::event::Trust;
use pointsman::core::journal::{DoubtKind, Position, Record, State};
use pointsman::core::wire::{Echo, Generation, Presence, Report, ResourceStatus};
use pointsman::shell::store::{AgentStore, Journal, JournalReader, Retention, accept_loss, backup, restore};

use crate::control::{at, site};
use crate::support::{Folder, root};

/// The records of a small story: claims, pending and finished runs, offsets, a host that was connected.
pub(crate) fn records() -> Vec<Record> {
    let site = site();
    let mut out = Vec::new();
    let mut controller = Controller::start(7, site.program.clone(), site.inventory.clone(), State::default(), at(0), &mut out);
    let mut hits = Vec::new();
    for (n, (host, app, id)) in
        [("sip1", "SIP_SERVER_PRIMARY", "04563"), ("sip2", "SIP_SERVER_BACKUP", "04561"), ("sip2", "SIP_SERVER_BACKUP", "04563")]
            .into_iter()
            .enumerate()
    {
        let now = at(1_000 * n as i64);
        let seen = [("sip_vip".to_owned(), ResourceStatus { holds: Presence::No, ..ResourceStatus::default() })];
        let beat = Echo { incarnation: 1, beat: n as u64 + 1 };
        let report = Report { host: host.to_owned(), beat, controller: None, resources: seen.into(), ..Report::default() };
        controller.turn(now, Input::Report(report), &mut out);
        let line = format!("{} Standard {host} {app} GCTI-00-{id} mode activated", now.to_string().trim_end_matches('Z'));
        let mut event = Decoder::new().decode(line.as_bytes(), now).into_owned();
        event.trust = Trust::Local;
        site.matcher.matches(&event, &mut hits);
        let position = Position { at: n as u64 + 1, file: 5, check: 9, ..Position::default() };
        let heard = LogEvent { source: "log".to_owned(), position, event, hits: hits.clone(), ..LogEvent::default() };
        controller.turn(now, Input::Event(Box::new(heard)), &mut out);
        // All runs except the last one end.
        if n == 2 {
            break;
        }
        loop {
            let waits = controller.runs().runs().find(|(_, r)| r.asked.is_none()).map(|(run, r)| (run, site.next(r)));
            let Some((run, next)) = waits else { break };
            controller.turn(now, Input::Evaluated { run, next }, &mut out);
        }
    }
    out.into_iter().filter_map(|o| if let Output::Record(r) = o { Some(r) } else { None }).collect()
}

/// The files of a folder whose names begin with this, in order.
fn files(folder: &Folder, name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|p| p.file_name().unwrap().to_str().unwrap().starts_with(name)).collect();
    found.sort();
    found
}

/// A journal with the records of the story, written and closed.
pub(crate) fn written(folder: &Path) -> Vec<Record> {
    let records = records();
    let mut journal = Journal::open(folder).unwrap();
    journal.controller_id(|| 42).unwrap();
    for record in &records {
        journal.append(record).unwrap();
    }
    journal.sync().unwrap();
    records
}

#[test]
fn a_journal_reads_back_as_it_was_written() {
    let folder = Folder::new();
    let records = records();
    assert!(records.len() > 15, "{}", records.len());
    let mut journal = Journal::open(folder.path()).unwrap();
    let id = journal.controller_id(|| 42).unwrap();
    for record in &records {
        journal.append(record).unwrap();
    }
    assert!(journal.is_dirty());
    journal.sync().unwrap();
    // A record that was not synced was not acted on, and is missing.
    journal.append(&records[0]).unwrap();
    drop(journal);
    let mut journal = Journal::open(folder.path()).unwrap();
    assert_eq!(journal.state(), &State::fold(&records));
    assert_eq!((id, journal.controller_id(|| 43).unwrap()), (42, 42));
    let mut lines = Vec::new();
    journal.lines(1, &mut |n, line| lines.push((n, Record::read(line).unwrap()))).unwrap();
    let wanted: Vec<(u64, Record)> = (1..).zip(records).collect();
    assert!(lines == wanted);
}

#[test]
fn a_snapshot_is_the_fold_and_a_start_reads_only_what_came_after_it() {
    let folder = Folder::new();
    let story = records();
    let mut journal = Journal::open(folder.path()).unwrap();
    let mut all = Vec::new();
    while all.len() < 25_000 {
        for record in &story {
            journal.append(record).unwrap();
            all.push(record.clone());
        }
        journal.sync().unwrap();
        // A snapshot is made in the background. The test waits for it, so that there are as many as possible.
        journal.wait_for_snapshot();
    }
    drop(journal);
    let found = Journal::verify(folder.path()).unwrap();
    assert_eq!((found.records, found.snapshots, &found.wrong[..]), (all.len() as u64, 2, &[][..]));
    let mut journal = Journal::open(folder.path()).unwrap();
    assert!(journal.state() == &State::fold(&all));
    assert_eq!(journal.take_findings(), []);
    drop(journal);
    // The newest snapshot is damaged: the one before and the records since give the same state, and this is reported.
    let snapshots = files(&folder, "snapshot-");
    assert_eq!(snapshots.len(), 2);
    let mut bytes = fs::read(&snapshots[1]).unwrap();
    bytes[500] ^= 4;
    fs::write(&snapshots[1], &bytes).unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    assert!(journal.state() == &State::fold(&all));
    assert!(journal.take_findings()[0].text.contains("is not used"));
    drop(journal);
    bytes[500] ^= 4;
    fs::write(&snapshots[1], &bytes).unwrap();
    // An error before the snapshot does not prevent a start. A check finds it.
    let db = rusqlite::Connection::open(folder.join("journal.db")).unwrap();
    let n: u64 = db.query_row("SELECT min(n) FROM record WHERE line LIKE '%sip1%'", [], |row| row.get(0)).unwrap();
    db.execute("UPDATE record SET line = replace(line, 'sip1', 'sip2') WHERE n = ?1", [n]).unwrap();
    drop(db);
    assert!(Journal::open(folder.path()).is_ok());
    let found = Journal::verify(folder.path()).unwrap();
    assert!(found.wrong[0].contains(&format!("record {n} is damaged")), "{:?}", found.wrong);
}

#[test]
fn what_is_not_ours_to_use_is_refused_with_what_to_do() {
    let refused = |break_it: &dyn Fn(&Folder), says: &str| {
        let folder = Folder::new();
        let mut journal = Journal::open(folder.path()).unwrap();
        for record in records() {
            journal.append(&record).unwrap();
        }
        journal.sync().unwrap();
        drop(journal);
        break_it(&folder);
        let why = Journal::open(folder.path()).unwrap_err().to_string();
        assert!(why.contains(says) && why.contains("journal.db"), "{why}");
    };
    let sql = |text: &'static str| {
        move |folder: &Folder| rusqlite::Connection::open(folder.join("journal.db")).unwrap().execute_batch(text).unwrap()
    };
    refused(&sql("UPDATE record SET line = replace(line, 'sip1', 'sip2') WHERE n = 4"), "journal verify");
    refused(&sql("DELETE FROM record WHERE n = 4"), "record 4 is missing");
    refused(&sql("PRAGMA user_version = 4"), "of version 4");
    refused(&sql("PRAGMA application_id = 5"), "another program");
    refused(
        &|folder| {
            let path = folder.join("journal.db");
            let mut bytes = fs::read(&path).unwrap();
            bytes[..16].copy_from_slice(b"this is no store");
            fs::write(&path, bytes).unwrap();
        },
        "damaged",
    );

    let folder = Folder::new();
    let first = Journal::open(folder.path()).unwrap();
    let why = Journal::open(folder.path()).unwrap_err().to_string();
    assert!(why.contains("another process uses it"), "{why}");
    drop(first);
    Journal::open(folder.path()).unwrap();
    let why = Journal::open(&folder.join("not there")).unwrap_err().to_string();
    assert!(why.contains("can't be opened"), "{why}");
}

#[test]
fn an_agent_remembers_what_it_obeyed() {
    let folder = Folder::new();
    let marks = AgentStore::open(folder.path()).unwrap();
    assert_eq!(marks.load().unwrap(), Durable::default());
    let mark = AgentMark { generation: Generation { epoch: 2, n: 9 }, want: true, terms: None, place: None };
    let durable = Durable { controller: Some(42), marks: [("vip".to_owned(), mark)].into(), ..Durable::default() };
    marks.save(&durable).unwrap();
    assert_eq!(marks.next_start(0).unwrap(), 1);
    assert!(AgentStore::open(folder.path()).unwrap_err().to_string().contains("another process"));
    drop(marks);
    let marks = AgentStore::open(folder.path()).unwrap();
    assert_eq!(marks.load().unwrap(), durable);
    assert_eq!(marks.next_start(0).unwrap(), 2);
    assert_eq!(marks.next_start(1_000).unwrap(), 1_000, "what was lost is not counted again");
    assert_eq!(marks.next_start(900).unwrap(), 1_001, "also when the clock was set back");
    assert!(Journal::open(folder.path()).unwrap().state().newest.is_none(), "another file");
}

/// Others read a journal while it is written. Only the owner may read its files.
#[test]
fn a_journal_is_read_while_it_is_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let records = written(folder.path());
    let mut journal = Journal::open(folder.path()).unwrap();
    journal.append(&records[0]).unwrap();
    journal.sync().unwrap();
    let found = Journal::verify(folder.path()).unwrap();
    assert_eq!((found.records, &found.wrong[..]), (records.len() as u64 + 1, &[][..]));
    for name in ["journal.db", "journal.db-wal", "journal.end", "journal.lock"] {
        let mode = fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    journal.append(&records[1]).unwrap();
    journal.sync().unwrap();
}

/// A journal of version 1 can be read, and continues as a chain.
#[test]
fn a_journal_of_version_1_is_read_and_goes_on() {
    let folder = Folder::new();
    let text = fs::read_to_string(root().join("tests/journal/version-1.jsonl")).unwrap();
    let mut records = Vec::new();
    let db = rusqlite::Connection::open(folder.join("journal.db")).unwrap();
    db.execute_batch(
        "CREATE TABLE record (n INTEGER PRIMARY KEY, line TEXT NOT NULL, sum INTEGER NOT NULL) STRICT;
         CREATE TABLE snapshot (n INTEGER PRIMARY KEY, state TEXT NOT NULL, sum INTEGER NOT NULL) STRICT;
         CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
         INSERT INTO fact VALUES ('controller', '77');
         PRAGMA application_id = 0x504d6a31; PRAGMA user_version = 1",
    )
    .unwrap();
    for (n, line) in (1u64..).zip(text.lines()) {
        let line = line.strip_prefix(&format!("{{\"n\":{n},\"record\":")).unwrap().strip_suffix('}').unwrap();
        records.push(Record::read(line).unwrap());
        let sum = crc32fast::hash(line.as_bytes());
        db.execute("INSERT INTO record VALUES (?1, ?2, ?3)", rusqlite::params![n, line, sum]).unwrap();
    }
    drop(db);
    let found = Journal::verify(folder.path()).unwrap();
    assert_eq!((found.records, &found.wrong[..]), (records.len() as u64, &[][..]));
    for _ in 0..2 {
        let mut journal = Journal::open(folder.path()).unwrap();
        assert!(journal.state() == &State::fold(&records));
        assert_eq!((journal.controller_id(|| 1).unwrap(), journal.take_findings()), (77, Vec::new()));
        journal.append(&records[0]).unwrap();
        journal.sync().unwrap();
        records.push(records[0].clone());
    }
    let found = Journal::verify(folder.path()).unwrap();
    assert_eq!((found.records, found.snapshots, &found.wrong[..]), (records.len() as u64, 1, &[][..]));
}

/// An older program refuses what this one has written: it would carry out runs with `mode dry`.
#[test]
fn a_journal_of_version_2_goes_on_and_is_of_version_3_then() {
    let folder = Folder::new();
    let records = written(folder.path());
    let version = |set: Option<i32>| {
        let db = rusqlite::Connection::open(folder.join("journal.db")).unwrap();
        if let Some(set) = set {
            db.pragma_update(None, "user_version", set).unwrap();
        }
        db.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0)).unwrap()
    };
    version(Some(2));
    assert_eq!(Journal::verify(folder.path()).unwrap().wrong, Vec::<String>::new());
    assert!(Journal::open(folder.path()).unwrap().state() == &State::fold(&records));
    assert_eq!(version(None), 3);
}

/// A journal that ends too early, or has disappeared, is refused. Nothing is changed, so that it can be restored.
#[test]
fn a_journal_that_ends_too_early_is_refused() {
    let folder = Folder::new();
    let records = written(folder.path());
    let older = fs::read(folder.join("journal.db")).unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    for record in &records {
        journal.append(record).unwrap();
    }
    journal.sync().unwrap();
    drop(journal);
    let whole = fs::read(folder.join("journal.db")).unwrap();
    let n = records.len();
    let refused = |bytes: Option<&[u8]>, says: &str| {
        match bytes {
            Some(bytes) => fs::write(folder.join("journal.db"), bytes).unwrap(),
            None => fs::remove_file(folder.join("journal.db")).unwrap(),
        }
        for _ in 0..2 {
            let why = Journal::open(folder.path()).unwrap_err().to_string();
            assert!(why.contains(says) && why.contains("accept-loss"), "{why}");
            assert_eq!(fs::read(folder.join("journal.db")).ok().as_deref(), bytes, "nothing is changed");
        }
        assert!(!Journal::verify(folder.path()).is_ok_and(|v| v.wrong.is_empty()));
    };
    refused(Some(&older), &format!("its last record is number {n}, and number {} was written", 2 * n));
    refused(Some(&[]), "missing or empty");
    refused(None, "missing or empty");
    fs::write(folder.join("journal.db"), &whole).unwrap();
    assert!(Journal::open(folder.path()).unwrap().state().doubt.is_none());
    // Without the end file this cannot be detected: the controller asks the agents first.
    fs::remove_file(folder.join("journal.end")).unwrap();
    assert!(Journal::verify(folder.path()).unwrap().wrong[0].contains("journal.end is missing"));
    let journal = Journal::open(folder.path()).unwrap();
    assert_eq!(journal.state().doubt.as_ref().map(|d| d.kind), Some(DoubtKind::Unproven));
    drop(journal);
    // The journal stays in doubt until that is settled.
    assert!(Journal::open(folder.path()).unwrap().state().doubt.is_some());
}

/// Accepting a loss keeps the whole part, the previous files, and the identity that agents obey.
#[test]
fn a_loss_is_accepted_by_name_and_reason() {
    let folder = Folder::new();
    let records = written(folder.path());
    let why = accept_loss(folder.path(), "ann", "because").unwrap_err().to_string();
    assert!(why.contains("no loss to accept"), "{why}");
    let db = rusqlite::Connection::open(folder.join("journal.db")).unwrap();
    db.execute("UPDATE record SET line = replace(line, 'sip', 'SIP') WHERE n = ?1", [records.len() - 3]).unwrap();
    drop(db);
    assert!(Journal::open(folder.path()).is_err());
    let done = accept_loss(folder.path(), "ann", "the disk of Monday").unwrap();
    let whole = records.len() as u64 - 4;
    assert_eq!((done.last, done.missing), (whole, 4));
    assert!(done.kept.join("journal.db").exists());
    let mut journal = Journal::open(folder.path()).unwrap();
    assert_eq!(journal.controller_id(|| 1).unwrap(), 42);
    let state = journal.state();
    assert_eq!(state.doubt.as_ref().map(|d| d.kind), Some(DoubtKind::Accepted));
    assert!(state.order > State::fold(&records[..whole as usize]).order + 4, "no number of a lost input is used again");
    assert!(state.ledger.epoch() > 1_000_000);
    drop(journal);
    let found = Journal::verify(folder.path()).unwrap();
    assert_eq!(found.wrong, Vec::<String>::new());
    // Also if only the end file is left.
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let _ = fs::remove_file(folder.join(name));
    }
    accept_loss(folder.path(), "ann", "all gone").unwrap();
    assert_eq!(Journal::open(folder.path()).unwrap().controller_id(|| 1).unwrap(), 42);
}

/// A copy is complete or does not exist. A restored journal records that it was restored, and an interrupted restore is refused.
#[test]
fn a_backup_is_put_back() {
    let folder = Folder::new();
    let copies = Folder::new();
    let story = records();
    let mut journal = Journal::open(folder.path()).unwrap();
    journal.controller_id(|| 42).unwrap();
    let mut all = Vec::new();
    while all.len() < 11_000 {
        for record in &story {
            journal.append(record).unwrap();
            all.push(record.clone());
        }
        journal.sync().unwrap();
    }
    journal.wait_for_snapshot();
    let copy = copies.join("copy");
    // The controller continues meanwhile.
    assert_eq!(backup(folder.path(), &copy).unwrap(), all.len() as u64);
    journal.append(&story[0]).unwrap();
    journal.sync().unwrap();
    assert!(backup(folder.path(), &copy).unwrap_err().to_string().contains("it is there already"));
    assert!(restore(folder.path(), &copy).unwrap_err().to_string().contains("another process"));
    drop(journal);
    let restored = restore(folder.path(), &copy).unwrap();
    assert_eq!(restored.last, all.len() as u64);
    assert!(restored.kept.unwrap().join("journal.db").exists());
    let mut journal = Journal::open(folder.path()).unwrap();
    assert_eq!(journal.controller_id(|| 1).unwrap(), 42);
    assert_eq!(journal.state().doubt.as_ref().map(|d| d.kind), Some(DoubtKind::Unproven));
    let without = State { doubt: None, order: journal.state().order - 1, ..journal.state().clone() };
    assert!(without == State::fold(&all));
    drop(journal);
    assert_eq!(Journal::verify(folder.path()).unwrap().wrong, Vec::<String>::new());
    // Also into an empty folder.
    let fresh = Folder::new();
    restore(fresh.path(), &copy).unwrap();
    assert_eq!(Journal::open(fresh.path()).unwrap().state(), Journal::open(folder.path()).unwrap().state());
    // A damaged or incomplete copy is refused, and the journal stays as it was.
    let bytes = fs::read(&copy).unwrap();
    fs::write(copies.join("part"), &bytes[..bytes.len() / 2]).unwrap();
    assert!(restore(fresh.path(), &copies.join("part")).is_err());
    assert!(restore(fresh.path(), &folder.join("journal.db")).unwrap_err().to_string().contains("not a backup"));
    Journal::open(fresh.path()).unwrap();
    // Interrupted.
    fs::create_dir(fresh.join("restore.unfinished")).unwrap();
    fs::remove_file(fresh.join("journal.db")).unwrap();
    fs::remove_file(fresh.join("journal.end")).unwrap();
    assert!(Journal::open(fresh.path()).unwrap_err().to_string().contains("run it again"));
    restore(fresh.path(), &copy).unwrap();
    Journal::open(fresh.path()).unwrap();
}

/// A controller that is killed before its snapshots are made does not read the same records at each start: the first start makes
/// a snapshot of what it read.
#[test]
fn a_start_saves_what_it_read() {
    let folder = Folder::new();
    let story = records();
    let mut all = Vec::new();
    let mut journal = Journal::open(folder.path()).unwrap();
    assert_eq!(journal.read_at_start(), 0);
    while all.len() < 12_000 {
        for record in &story {
            journal.append(record).unwrap();
            all.push(record.clone());
        }
    }
    journal.sync().unwrap();
    // As if it was killed: its snapshot was not made.
    drop(journal);
    files(&folder, "snapshot-").iter().for_each(|path| fs::remove_file(path).unwrap());
    let last = all.len() as u64;
    assert_eq!(Journal::open(folder.path()).unwrap().read_at_start(), last);
    assert_eq!(files(&folder, "snapshot-").len(), 1);
    let mut journal = Journal::open(folder.path()).unwrap();
    assert_eq!(journal.read_at_start(), 0);
    assert!(journal.state() == &State::fold(&all));
    journal.append(&story[0]).unwrap();
    journal.sync().unwrap();
    drop(journal);
    assert_eq!(Journal::open(folder.path()).unwrap().read_at_start(), 1);
    assert_eq!(Journal::verify(folder.path()).unwrap().wrong, Vec::<String>::new());
}

/// A snapshot thread that starts late makes several snapshots of a bounded number of records each.
#[test]
fn a_snapshot_folds_a_bounded_number_of_records() {
    let folder = Folder::new();
    let record = records().remove(0);
    let mut journal = Journal::open(folder.path()).unwrap();
    for _ in 0..45_000 {
        journal.append(&record).unwrap();
    }
    journal.sync().unwrap();
    let mut made = Vec::new();
    for _ in 0..3 {
        journal.wait_for_snapshot();
        made.extend(files(&folder, "snapshot-").last().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()));
    }
    let of = |n: u64| format!("snapshot-{n:020}");
    assert_eq!(made, [of(20_000), of(40_000), of(40_000)], "the rest is too small for another one");
    drop(journal);
    assert_eq!(Journal::open(folder.path()).unwrap().read_at_start(), 5_000);
}

/// Old records are removed by size or by age, and never one that a start needs.
#[test]
fn old_records_are_removed_and_a_start_needs_none_of_them() {
    let folder = Folder::new();
    let story = records();
    let mut journal = Journal::open(folder.path()).unwrap();
    journal.keep(Retention { age: Duration::from_secs(400 * 24 * 3_600), bytes: 1 << 20, ..Retention::default() });
    let mut all = Vec::new();
    while all.len() < 45_000 {
        for record in &story {
            journal.append(record).unwrap();
            all.push(record.clone());
        }
        journal.sync().unwrap();
        journal.wait_for_snapshot();
    }
    drop(journal);
    let (first, last) = JournalReader::open(folder.path()).unwrap().range().unwrap();
    assert!(first > 10_000 && last == all.len() as u64, "{first} {last}");
    assert!(Journal::open(folder.path()).unwrap().state() == &State::fold(&all));
    assert_eq!(Journal::verify(folder.path()).unwrap().wrong, Vec::<String>::new());
}

/// An incredible number, whatever its cause, leads to an error and not to a wrong epoch.
#[test]
fn an_epoch_that_is_not_credible_is_refused() {
    let folder = Folder::new();
    written(folder.path());
    let mut journal = Journal::open(folder.path()).unwrap();
    journal.append(&Record::Plan(pointsman::core::plan::Record::Epoch { epoch: u64::MAX })).unwrap();
    journal.sync().unwrap();
    drop(journal);
    let why = Journal::open(folder.path()).unwrap_err().to_string();
    assert!(why.contains("not credible") && why.contains("epoch"), "{why}");
}

/// Killed while it made room for the log: nothing of that prevents the next start.
#[test]
fn a_start_that_was_broken_off_is_no_hindrance() {
    let folder = Folder::new();
    drop(AgentStore::open(folder.path()).unwrap());
    let left = rusqlite::Connection::open(folder.join("agent.db")).unwrap();
    left.execute_batch("CREATE TABLE room (filler BLOB); INSERT INTO room VALUES (zeroblob(1000))").unwrap();
    drop(left);
    let marks = AgentStore::open(folder.path()).unwrap();
    marks.make_room().unwrap();
    assert_eq!(marks.next_start(0).unwrap(), 1);
}

/// A thread writes the log to the database while records are appended, long before the journal would have to do it itself.
#[test]
fn the_log_is_written_to_the_database_meanwhile() {
    let folder = Folder::new();
    let mut journal = Journal::open(folder.path()).unwrap();
    journal.make_room().unwrap();
    let size = |name: &str| fs::metadata(folder.join(name)).map_or(0, |file| file.len());
    let before = size("journal.db");
    let text = "x".repeat(1_000);
    for n in 1..=6_000 {
        let line = format!("{{\"notice\":{{\"at\":{n},\"kind\":\"log\",\"text\":\"{text}\"}}}}");
        journal.append(&Record::read(&line).unwrap()).unwrap();
        if n % 20 == 0 {
            journal.sync().unwrap();
        }
    }
    let until = std::time::Instant::now() + Duration::from_secs(30);
    while size("journal.db") < before + (2 << 20) {
        assert!(std::time::Instant::now() < until, "{} and {}", size("journal.db"), size("journal.db-wal"));
        std::thread::yield_now();
    }
    assert!(size("journal.db-wal") < 20 << 20, "{}", size("journal.db-wal"));
    drop(journal);
    assert_eq!(size("journal.db-wal"), 0, "the last to close writes everything");
    let verified = Journal::verify(folder.path()).unwrap();
    assert!(verified.wrong.is_empty(), "{:?}", verified.wrong);
}
