//! Measures moves under floods: `cargo run --release --example bench_flood -- 100`. It uses real programs in network namespaces.
//! A thread sends records as fast as it can while two servers claim alternately over TCP.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]

use std::path::PathBuf;
use std::time::Duration;

use pointsman::demo::{Flood, measure_floods};

fn main() {
    let count = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100);
    println!("{count} moves each, from a server's claim to the client's first answer (ms)");
    println!(
        "{:34} {:>8} {:>8} {:>8} {:>8}   {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "median", "p90", "p99", "worst", "sent/s", "records", "wanted", "dropped", "notified"
    );
    let ended = measure_floods(&program(), count, &Flood::ALL, &mut |flood, seen| {
        let at = |percent: usize| {
            let place = (seen.moves.len() * percent / 100).min(seen.moves.len().saturating_sub(1));
            seen.moves.get(place).copied().unwrap_or(Duration::ZERO).as_secs_f64() * 1_000.0
        };
        let [records, wanted, dropped] = seen.counts;
        println!(
            "{:34} {:8.2} {:8.2} {:8.2} {:8.2}   {:9} {records:9} {wanted:9} {dropped:9} {:9}",
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
