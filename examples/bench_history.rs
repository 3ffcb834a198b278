//! Measures how the journal of a busy controller grows: `cargo run --release --example bench_history -- 10000 600 512 /var/tmp/j`
//! (wanted events per second, or 0 for as fast as possible; seconds, or the number of events if the first is 0; the size in MiB
//! above which old records are removed; an empty folder). The controller, its alarms and its journal are the real ones; events
//! come from the program itself. Reports the size of the files, the records that are kept, memory, the longest sync, how long a
//! start takes afterwards, and how long queries of the history take.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman::core::base::limits::JOURNAL_AGE;
use pointsman::core::base::time::Time;
use pointsman::core::config;
use pointsman::core::control::{Controller, Input, LogEvent, Output};
use pointsman::core::diag::Source;
use pointsman::core::event::{Event, Trust};
use pointsman::core::journal::{HistoryFilter, Position};
use pointsman::core::lang::{Declarations, Matcher, compile};
use pointsman::shell::linux::wall_time;
use pointsman::shell::store::{Journal, JournalReader, PageBounds, Retention, history_page};

type Failed = Box<dyn std::error::Error>;

/// Most events are counted, one in a thousand raises an alarm, and one in a thousand ends it.
const RULES: &str = "
pattern failed { match /Failed password for \\S+ from (?<peer>\\S+)/ }
pattern down { match /interface (?<port>\\S+) is down/ }
pattern up { match /interface (?<port>\\S+) is up/ }
alarm guessing { detect 1000 of failed by peer within 1m cancel after 1m }
alarm interface { category major detect down by port cancel when up }
";
/// The events of one sync.
const BATCH: u64 = 64;
const REPORTS: u64 = 10;

fn text(n: u64) -> String {
    match n % 1_000 {
        0 => format!("interface eth{} is down: carrier lost on the switch side of the rack", n / 1_000 % 40),
        1 => format!("interface eth{} is up: carrier regained on the switch side of the rack", n / 1_000 % 40),
        _ => format!("Failed password for root from 10.1.{}.{} port 40022 ssh2", n / 250 % 40, n % 250),
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1 << 20) as f64
}

/// The bytes of the files of the journal.
fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

/// The memory of this process, in KB.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

fn main() -> Result<(), Failed> {
    let argument = |n: usize, default: u64| std::env::args().nth(n).and_then(|a| a.parse().ok()).unwrap_or(default);
    let (rate, length, keep) = (argument(1, 10_000), argument(2, 60), argument(3, 512));
    let folder = std::env::args().nth(4).map_or_else(|| std::env::temp_dir().join("pointsman-bench-history"), PathBuf::from);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let events = if rate == 0 { length } else { rate * length };

    let source = |name: &str, text: &str| Arc::new(Source { name: name.to_owned(), text: text.to_owned() });
    let (config, _) = config::load(&source("bench", "channels: { people: log }\n"));
    let inventory = Arc::new(config.ok_or("the configuration is wrong")?.inventory);
    let (program, found) = compile(&[source("rules", RULES)], &Declarations { inventory: Some(&inventory), scripts: None });
    if !found.is_empty() {
        return Err(format!("the rules are wrong: {found:?}").into());
    }
    let matcher = Matcher::new(&program, Some(&inventory));
    let mut journal = Journal::open(&folder)?;
    journal.make_room()?;
    journal.keep(Retention { age: JOURNAL_AGE, bytes: keep << 20, ..Retention::default() });
    let mut out = Vec::new();
    let mut controller = Controller::start(7, Arc::new(program), inventory, journal.take_state(), wall_time(), &mut out);

    println!(
        "{events} wanted events, at {}; at most {keep} MiB are kept",
        if rate == 0 { "once".to_owned() } else { format!("{rate} a second") }
    );
    println!(
        "{:>10} {:>10} {:>12} {:>12} {:>9} {:>9} {:>9} {:>12}",
        "events", "events/s", "from record", "to record", "files MiB", "live MiB", "RSS MiB", "longest sync"
    );
    let began = Instant::now();
    let (mut hits, mut longest) = (Vec::new(), Duration::ZERO);
    let mut done = 0;
    for report in 1..=REPORTS {
        let stage = Instant::now();
        let first = done;
        while done < events * report / REPORTS {
            let now = wall_time();
            for n in done..(done + BATCH).min(events) {
                hear(&mut controller, &matcher, &mut hits, now, n, &mut out);
            }
            done = (done + BATCH).min(events);
            for output in out.drain(..) {
                if let Output::Record(record) = output {
                    journal.append(&record)?;
                }
            }
            let sync = Instant::now();
            journal.sync()?;
            longest = longest.max(sync.elapsed());
            if let Some(due) = (done * 1_000_000).checked_div(rate) {
                std::thread::sleep(Duration::from_micros(due).saturating_sub(began.elapsed()));
            }
        }
        let reader = JournalReader::open(&folder)?;
        let (from, to) = reader.range()?;
        let a_second = (done - first) as f64 / stage.elapsed().as_secs_f64();
        println!(
            "{done:>10} {a_second:>10.0} {from:>12} {to:>12} {:>9.1} {:>9.1} {:>9.1} {longest:>12.2?}",
            mib(size(&folder)),
            mib(live(&reader)?),
            memory() as f64 / 1_024.0
        );
        longest = Duration::ZERO;
    }
    let reader = JournalReader::open(&folder)?;
    let (from, to) = reader.range()?;
    let a_record = live(&reader)? as f64 / (to - from + 1) as f64;
    println!("bytes per record: {a_record:.0}; per wanted event: {:.0}", a_record * to as f64 / events.max(1) as f64);
    drop(journal);
    let opened = Instant::now();
    drop(Journal::open(&folder)?);
    println!("a start with {} records: {:.2?}", to - from + 1, opened.elapsed());

    let asked = Instant::now();
    let page = history_page(&reader, &HistoryFilter { limit: 500, ..HistoryFilter::default() }, &PageBounds::NONE)?;
    println!("the newest {} entries of the history: {:.2?}", page.entries.len(), asked.elapsed());
    for sql in [
        "SELECT count(*) FROM alarms",
        "SELECT count(*) FROM occurrences",
        "SELECT count(*) FROM moves",
        "SELECT count(*) FROM audit",
    ] {
        let asked = Instant::now();
        reader.query(sql, &mut |_, _| true)?;
        println!("{sql}: {:.2?}", asked.elapsed());
    }
    Ok(())
}

/// The bytes of the records that are kept, without free pages.
fn live(reader: &JournalReader) -> Result<u64, Failed> {
    let mut bytes = 0;
    let pages =
        "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    reader.query(pages, &mut |_, row| {
        bytes = row.first().and_then(serde_json::Value::as_u64).unwrap_or_default();
        true
    })?;
    Ok(bytes)
}

fn hear(
    controller: &mut Controller,
    matcher: &Matcher,
    hits: &mut Vec<pointsman::core::lang::program::Hit>,
    now: Time,
    n: u64,
    out: &mut Vec<Output>,
) {
    let mut event = Event { host: "sip1".into(), app: "sshd".into(), text: text(n).into(), at: Some(now), ..Event::default() };
    event.trust = Trust::Local;
    matcher.matches(&event, hits);
    let position = Position { at: (n + 1) * 90, file: 11, check: 7, ..Position::default() };
    let source = "/var/log/auth.log".to_owned();
    let heard = LogEvent { source, position, event, hits: hits.clone(), ..LogEvent::default() };
    controller.turn(now, Input::Event(Box::new(heard)), out);
}
