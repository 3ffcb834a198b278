//! What is kept on disk: read back as it was written, refused when it is not ours to use, checked.

use std::fs;

use pointsman::agent::{Durable, Mark};
use pointsman::control::{Controller, Heard, Input, Output};
use pointsman::decode::Decoder;
use pointsman::event::Provenance;
use pointsman::journal::{Position, Record, State};
use pointsman::script::verbs;
use pointsman::store::{Journal, Marks};
use pointsman::wire::{Echo, Generation, Holds, Report, Seen};

use crate::control::{at, site};
use crate::support::Folder;

/// The records of a small story: claims, runs that wait and runs that ended, offsets, a host that was heard.
fn records() -> Vec<Record> {
    let site = site();
    let mut out = Vec::new();
    let mut controller =
        Controller::start(7, site.program.clone(), site.inventory.clone(), verbs::again, State::default(), at(0), &mut out);
    let mut hits = Vec::new();
    for (n, (host, app, id)) in
        [("sip1", "SIP_SERVER_PRIMARY", "04563"), ("sip2", "SIP_SERVER_BACKUP", "04561"), ("sip2", "SIP_SERVER_BACKUP", "04563")]
            .into_iter()
            .enumerate()
    {
        let now = at(1_000 * n as i64);
        let seen = [("sip_vip".to_owned(), Seen { holds: Holds::No, ..Seen::default() })];
        let beat = Echo { incarnation: 1, beat: n as u64 + 1 };
        let report = Report { host: host.to_owned(), beat, controller: None, resources: seen.into(), ..Report::default() };
        controller.turn(now, Input::Report(report), &mut out);
        let line = format!("{} Standard {host} {app} GCTI-00-{id} mode activated", now.to_string().trim_end_matches('Z'));
        let mut event = Decoder::new().decode(line.as_bytes(), now).into_owned();
        event.provenance = Provenance::Local;
        site.matcher.matches(&event, &mut hits);
        let position = Position { at: n as u64 + 1, file: 5, check: 9, ..Position::default() };
        let heard = Heard { source: "log".to_owned(), position, event, hits: hits.clone(), ..Heard::default() };
        controller.turn(now, Input::Heard(Box::new(heard)), &mut out);
        // All but the last run come to their end.
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
    // What was not synced was not acted on, and is not there.
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
    }
    drop(journal);
    let found = Journal::verify(folder.path()).unwrap();
    assert_eq!((found.records, found.snapshots, &found.wrong[..]), (all.len() as u64, 2, &[][..]));
    let journal = Journal::open(folder.path()).unwrap();
    assert!(journal.state() == &State::fold(&all));
    drop(journal);
    // A mistake before the snapshot does not stop a start; a check finds it.
    let db = rusqlite::Connection::open(folder.join("journal.db")).unwrap();
    let n: u64 = db.query_row("SELECT min(n) FROM record WHERE line LIKE '%sip1%'", [], |row| row.get(0)).unwrap();
    db.execute("UPDATE record SET line = replace(line, 'sip1', 'sip2') WHERE n = ?1", [n]).unwrap();
    drop(db);
    assert!(Journal::open(folder.path()).is_ok());
    let found = Journal::verify(folder.path()).unwrap();
    assert!(found.wrong[0].contains(&format!("record {n} was changed")), "{:?}", found.wrong);
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
    refused(&sql("DELETE FROM record WHERE n = 4"), "damaged, or one before it is missing");
    refused(&sql("PRAGMA user_version = 2"), "of version 2");
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
    let marks = Marks::open(folder.path()).unwrap();
    assert_eq!(marks.load().unwrap(), Durable::default());
    let mark = Mark { generation: Generation { epoch: 2, n: 9 }, want: true, terms: None };
    let durable = Durable { controller: Some(42), marks: [("vip".to_owned(), mark)].into() };
    marks.save(&durable).unwrap();
    assert_eq!(marks.next_start(0).unwrap(), 1);
    assert!(Marks::open(folder.path()).unwrap_err().to_string().contains("another process"));
    drop(marks);
    let marks = Marks::open(folder.path()).unwrap();
    assert_eq!(marks.load().unwrap(), durable);
    assert_eq!(marks.next_start(0).unwrap(), 2);
    assert_eq!(marks.next_start(1_000).unwrap(), 1_000, "what was lost is not counted again");
    assert_eq!(marks.next_start(900).unwrap(), 1_001, "also when the clock was set back");
    assert!(Journal::open(folder.path()).unwrap().state().newest.is_none(), "another file");
}

/// Killed while it made room for what is to be written: nothing of that is in the way of the next start.
#[test]
fn a_start_that_was_broken_off_is_no_hindrance() {
    let folder = Folder::new();
    drop(Marks::open(folder.path()).unwrap());
    let left = rusqlite::Connection::open(folder.join("agent.db")).unwrap();
    left.execute_batch("CREATE TABLE room (filler BLOB); INSERT INTO room VALUES (zeroblob(1000))").unwrap();
    drop(left);
    let marks = Marks::open(folder.path()).unwrap();
    marks.make_room().unwrap();
    assert_eq!(marks.next_start(0).unwrap(), 1);
}
