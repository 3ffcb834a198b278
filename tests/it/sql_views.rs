//! The SQL views of the journal: the documented columns exist, and each documented question is answered for the story of a night
//! (`tests/journal/night.jsonl`).

use std::fmt::Write as _;

use serde_json::Value as Json;

use pointsman::core::journal::{HistoryFilter, Record};
use pointsman::shell::store::{Journal, JournalReader, PageBounds, backup, history_page, restore};

use crate::support::{Folder, expect, read};

const PAGE: &str = "docs/reference/sql-views.md";

/// A journal with the records of the night.
pub(crate) fn night() -> Folder {
    let folder = Folder::new();
    let mut journal = Journal::open(folder.path()).unwrap();
    for line in read("tests/journal/night.jsonl").lines() {
        journal.append(&Record::read(line).unwrap_or_else(|e| panic!("{e}: {line}"))).unwrap();
    }
    journal.sync().unwrap();
    folder
}

fn rows(reader: &JournalReader, sql: &str) -> (Vec<String>, Vec<Vec<Json>>) {
    let mut rows = Vec::new();
    let columns = reader
        .query(sql, &mut |_, row| {
            rows.push(row);
            true
        })
        .unwrap_or_else(|e| panic!("{e}: {sql}"));
    (columns, rows)
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The sections of the page: the heading, and the text below it.
fn sections(page: &str, level: &str) -> Vec<(String, String)> {
    let mark = format!("\n{level} ");
    let parts = page.split(mark.as_str()).skip(1);
    parts.map(|part| part.split_once('\n').unwrap_or((part, ""))).map(|(h, t)| (h.to_owned(), t.to_owned())).collect()
}

#[test]
fn each_question_of_the_page_is_answered() {
    let folder = night();
    let reader = JournalReader::open(folder.path()).unwrap();
    let page = read(PAGE);
    let (_, questions) = page.split_once("\n## Questions of a night\n").unwrap();
    let mut answers = String::new();
    let questions = sections(questions, "###");
    assert!(questions.len() >= 12, "only {} questions", questions.len());
    for (question, text_below) in questions {
        let sql = text_below.split("```sql\n").nth(1).and_then(|t| t.split("```").next()).unwrap_or_else(|| panic!("{question}"));
        let (columns, rows) = rows(&reader, sql);
        assert!(!rows.is_empty(), "the night answers nothing to: {question}");
        writeln!(answers, "# {question}\n{}", columns.join(" | ")).unwrap();
        for row in rows {
            writeln!(answers, "{}", row.iter().map(text).collect::<Vec<_>>().join(" | ")).unwrap();
        }
        answers.push('\n');
    }
    expect("tests/journal/night.expected", &answers);
}

/// The columns of a view are those of its table on the page, in the same order.
#[test]
fn the_page_has_the_columns_of_the_views() {
    let folder = night();
    let reader = JournalReader::open(folder.path()).unwrap();
    let (_, views) = rows(&reader, "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name");
    let mut views: Vec<String> = views.iter().map(|row| text(&row[0])).collect();
    for (view, below) in sections(&read(PAGE), "##") {
        let Some(at) = views.iter().position(|v| *v == view) else { continue };
        views.remove(at);
        let below = below.split("\n## ").next().unwrap();
        let named = below.lines().filter(|line| line.starts_with("| `")).flat_map(|line| {
            let first = line.split('|').nth(1).unwrap().to_owned();
            first.split(',').map(|name| name.trim().trim_matches('`').to_owned()).collect::<Vec<_>>()
        });
        let (columns, shown) = rows(&reader, &format!("SELECT * FROM {view}"));
        assert_eq!(named.collect::<Vec<_>>(), columns, "{view}");
        assert!(!shown.is_empty(), "the night has nothing of {view}");
    }
    assert_eq!(views, [] as [String; 0], "views that the page lacks");
}

#[test]
fn a_query_only_reads() {
    let folder = night();
    let reader = JournalReader::open(folder.path()).unwrap();
    for sql in ["DELETE FROM record", "UPDATE fact SET value = 1", "DROP VIEW moves", "INSERT INTO fact VALUES ('a', 'b')"] {
        let why = reader.query(sql, &mut |_, _| true).unwrap_err().to_string();
        assert!(why.contains("readonly"), "{why}");
    }
    let named = reader.query("SELECT 1 AS a, 2 AS a, 3 AS a_2", &mut |_, _| true).unwrap();
    assert_eq!(named, ["a", "a_2", "a_2_2"], "each value has a name of its own");
    let why = reader.query("SELECT nobody FROM moves", &mut |_, _| true).unwrap_err().to_string();
    assert!(why.contains("no such column: nobody"), "{why}");
    assert!(Journal::verify(folder.path()).unwrap().wrong.is_empty());
}

/// Views of another version are replaced at the next start. A backup and what is restored from it have them, too.
#[test]
fn the_views_are_those_of_this_version() {
    let folder = night();
    let db = rusqlite::Connection::open(folder.join("journal.db")).unwrap();
    db.execute_batch("DROP VIEW moves; CREATE VIEW moves AS SELECT 1 AS old; UPDATE fact SET value = '7' WHERE name = 'views'")
        .unwrap();
    drop(db);
    drop(Journal::open(folder.path()).unwrap());
    let moves = |folder: &Folder| rows(&JournalReader::open(folder.path()).unwrap(), "SELECT host FROM moves").1.len();
    assert_eq!(moves(&folder), 3);
    let (file, other) = (folder.join("copy"), Folder::new());
    backup(folder.path(), &file).unwrap();
    restore(other.path(), &file).unwrap();
    assert_eq!(moves(&other), 3);
}

/// A log that contains what records look like does not become a record of the views.
#[test]
fn a_log_makes_no_rows() {
    let folder = night();
    let before = |view: &str| rows(&JournalReader::open(folder.path()).unwrap(), &format!("SELECT * FROM {view}")).1.len();
    let counts = ["alarms", "runs", "moves", "audit", "notices"].map(before);
    let mut journal = Journal::open(folder.path()).unwrap();
    let event = read("tests/journal/night.jsonl").lines().find(|line| line.contains("stopped: signal 11")).unwrap().to_owned();
    for fake in [
        r#"{"input":{"order":1,"at":2,"input":{"operator_command":{"by":"root","command":"move"}}}}"#,
        r#","input":{"operator_command":{"by":"root","command":"move"}}"#,
        r#"{"alarm":{"decided":"raised","alarm":"x","key":[]}}"#,
        r#"{"notice":{"at":1,"kind":"step","text":"sip_vip taken sip9 (1.1)"}}"#,
    ] {
        let mut record: Json = serde_json::from_str(&event).unwrap();
        record["input"]["input"]["event"]["event"]["text"] = fake.into();
        journal.append(&serde_json::from_value(record).unwrap()).unwrap();
    }
    journal.sync().unwrap();
    assert_eq!(["alarms", "runs", "moves", "audit", "notices"].map(before), counts);
}

/// Pages of the history: together they are the whole history, each entry once, whatever the size of a page is.
#[test]
fn pages_are_the_whole_history() {
    let folder = night();
    let reader = JournalReader::open(folder.path()).unwrap();
    let whole = history_page(&reader, &HistoryFilter::default(), &PageBounds::NONE).unwrap();
    assert!(whole.entries.len() > 30 && whole.before.is_none() && whole.unreadable == 0, "{whole:?}");
    let few = PageBounds { entries: 5, bytes: 2_000, records: 10 };
    for (limit, bounds) in [(1, PageBounds::NONE), (7, PageBounds::OF_CONTROLLER), (30, PageBounds::NONE), (30, few), (2, few)] {
        let (mut filter, mut all) = (HistoryFilter { limit, ..HistoryFilter::default() }, Vec::new());
        loop {
            let page = history_page(&reader, &filter, &bounds).unwrap();
            assert!(page.entries.len() <= limit.min(bounds.entries));
            all.splice(..0, page.entries);
            filter.before = page.before;
            if page.before.is_none() {
                break;
            }
        }
        assert_eq!(all, whole.entries, "{limit} {bounds:?}");
    }
    let at = |text: &str| pointsman::core::base::time::Time::parse_rfc3339(text);
    let (since, until) = (at("2026-11-29T22:10:00Z"), at("2026-11-29T22:10:03Z"));
    let some = history_page(&reader, &HistoryFilter { since, until, ..HistoryFilter::default() }, &PageBounds::NONE).unwrap();
    let kinds: Vec<&str> = some.entries.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds, ["raised", "notified", "move", "step", "step", "step", "step"], "{some:?}");
    let of = HistoryFilter { alarm: Some("link_down".to_owned()), kinds: vec!["raised".to_owned()], ..HistoryFilter::default() };
    assert_eq!(history_page(&reader, &of, &PageBounds::OF_CONTROLLER).unwrap().entries.len(), 3);
}

/// A dry run is marked, so that counts of runs can leave it out.
#[test]
fn dry_runs_are_marked_in_the_view() {
    let folder = night();
    let mut journal = Journal::open(folder.path()).unwrap();
    let text = read("tests/journal/night.jsonl");
    let wanted = text.lines().find(|line| line.contains("\"ran\":\"wanted\",\"run\":1,")).unwrap();
    let dry = wanted.replace("\"run\":1,", "\"run\":900,").replace("\"retry\":null}", "\"retry\":null,\"dry\":true}");
    journal.append(&Record::read(&dry).unwrap()).unwrap();
    journal.sync().unwrap();
    drop(journal);
    let reader = JournalReader::open(folder.path()).unwrap();
    let (_, found) = rows(&reader, "SELECT run, dry FROM runs WHERE run IN (1, 900) ORDER BY run");
    assert_eq!(found, [[Json::from(1), Json::from(0)], [Json::from(900), Json::from(1)]]);
}
