//! Measures the cost of the journal: `cargo run --release --example bench_journal -- 1000000 /var/tmp/j` (records, an empty
//! folder on the disk to measure). Reports how long a sync takes, and the write of the end file that is a part of it, how large
//! records are, and how long opening takes with few records and with many.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pointsman::core::base::time::Time;
use pointsman::core::event::Event;
use pointsman::core::journal::{Input, Position, Record};
use pointsman::shell::store::Journal;

fn record(n: u64) -> Record {
    let event = Event {
        host: format!("host{}", n % 50).into(),
        app: "SIP_SERVER_PRIMARY".into(),
        text: format!("connection of client {n} to 10.10.11.{} was closed after {} ms: peer went away", n % 250, n % 7_000)
            .into(),
        ..Event::default()
    };
    let position = Position { at: n * 140, file: 11, check: 7, ..Position::default() };
    let input = Input::Event { source: "/var/log/sip.log".to_owned(), position, event: Box::new(event) };
    Record::Input { sequence: n, at: Time::from_millis(1_700_000_000_000 + 10 * i64::try_from(n).unwrap_or_default()), input }
}

fn median(mut spans: Vec<Duration>) -> Duration {
    spans.sort();
    spans.get(spans.len() / 2).copied().unwrap_or_default()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let records: u64 = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(100_000);
    let folder = std::env::args().nth(2).map_or_else(|| std::env::temp_dir().join("pointsman-bench-journal"), PathBuf::from);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let mut journal = Journal::open(&folder)?;
    journal.make_room()?;
    let _ = journal.take_state();
    let mut syncs = Vec::new();
    for n in 1..=1_000 {
        journal.append(&record(n))?;
        let began = Instant::now();
        journal.sync()?;
        syncs.push(began.elapsed());
    }
    println!("a sync of one record, with its end: {:?} (median of {})", median(syncs.clone()), syncs.len());
    let probe = fs::File::create(folder.join("probe"))?;
    let mut writes = Vec::new();
    for _ in 0..1_000 {
        let began = Instant::now();
        probe.write_all_at(&[0; 40], 0)?;
        writes.push(began.elapsed());
    }
    println!("of that, a write as large as the end: {:?}", median(writes));
    let mut next = 1_001;
    for stage in [10_000, records] {
        while next <= stage {
            for _ in 0..256 {
                journal.append(&record(next))?;
                next += 1;
            }
            let began = Instant::now();
            journal.sync()?;
            syncs.push(began.elapsed());
        }
        let worst = syncs.iter().max().copied().unwrap_or_default();
        // As after a kill: whatever snapshot is being made is given up. The second start follows a clean end.
        for end in ["killed while it wrote", "ended and started again"] {
            drop(journal);
            let began = Instant::now();
            journal = Journal::open(&folder)?;
            println!(
                "opening with {} records, {end}: {:?}, of which it read {} records after its snapshot",
                next - 1,
                began.elapsed(),
                journal.read_at_start()
            );
            let _ = journal.take_state();
        }
        println!("the longest sync up to there: {worst:?}");
    }
    drop(journal);
    let size = |path: &Path| fs::metadata(path).map(|m| m.len()).unwrap_or_default();
    println!("the database has {} bytes for each record of one event", size(&folder.join("journal.db")) / (next - 1));
    let began = Instant::now();
    let found = Journal::verify(&folder)?;
    println!("verifying all: {:?}, {} records, {} wrong", began.elapsed(), found.records, found.wrong.len());
    fs::remove_dir_all(&folder)?;
    Ok(())
}
