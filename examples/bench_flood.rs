//! Measures moves under floods: `cargo run --release --example bench_flood -- 100`. It uses real programs in network namespaces.
//! A thread sends records as fast as it can while two servers claim alternately over TCP. `command` and `holder` are the mean
//! times from a claim's arrival to the first command and to the new holder's report, as the controller measures them. Floods are
//! named in the further arguments: `-- 100 quiet alarms`; without names, all are measured.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]

use std::path::PathBuf;
use std::time::Duration;

use pointsman::demo::{Flood, measure_floods};

fn main() {
    let count = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100);
    println!("{count} moves each, from a server's claim to the client's first answer (ms)");
    println!(
        "{:34} {:>8} {:>8} {:>8} {:>8}   {:>8} {:>8}   {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "median", "p90", "p99", "worst", "command", "holder", "sent/s", "records", "wanted", "dropped", "notified"
    );
    let named: Vec<String> = std::env::args().skip(2).collect();
    let is_named = |flood: &Flood| named.is_empty() || named.iter().any(|name| flood.name().contains(name.as_str()));
    let floods: Vec<Flood> = Flood::ALL.into_iter().filter(is_named).collect();
    let ended = measure_floods(&program(), count, &floods, &mut |flood, seen| {
        let at = |percent: usize| {
            let place = (seen.moves.len() * percent / 100).min(seen.moves.len().saturating_sub(1));
            seen.moves.get(place).copied().unwrap_or(Duration::ZERO).as_secs_f64() * 1_000.0
        };
        let [records, wanted, dropped] = seen.counts;
        let [command, holder] = seen.stages.map(|stage| stage.as_secs_f64() * 1_000.0);
        println!(
            "{:34} {:8.2} {:8.2} {:8.2} {:8.2}   {command:8.2} {holder:8.2}   {:9} {records:9} {wanted:9} {dropped:9} {:9}",
            flood.name(),
            at(50),
            at(90),
            at(99),
            at(100),
            seen.a_second,
            seen.notified
        );
    });
    if let Err(why) = ended {
        eprintln!("{why} (is target/release/pointsman built?)");
        std::process::exit(1);
    }
}

/// The program `pointsman` beside the folder of examples.
fn program() -> PathBuf {
    let me = std::env::current_exe().unwrap_or_default();
    me.parent().and_then(|p| p.parent()).map(|p| p.join("pointsman")).unwrap_or_default()
}
