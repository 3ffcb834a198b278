//! Attacks the real programs in every known way at once: `nice cargo run --release --example siege -- 30` (minutes). Reports at
//! the end whether the controller survived, how much memory it used, and which of the servers' claims moved the address.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]

use std::path::PathBuf;
use std::time::Duration;

use pointsman::demo::{Siege, siege};

fn main() {
    let minutes = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(30);
    match siege(&program(), Duration::from_secs(60 * minutes), &mut |seen| println!("{}", line(seen))) {
        Ok(seen) => {
            println!("{}", line(&seen));
            println!("{}", if seen.is_well() { "all is well" } else { "NOT well" });
            std::process::exit(i32::from(!seen.is_well()));
        }
        Err(why) => {
            eprintln!("{why} (is target/release/pointsman built?)");
            std::process::exit(1);
        }
    }
}

fn line(seen: &Siege) -> String {
    let [datagrams, connections] = seen.sent;
    let [memory, limit] = seen.memory.map(|bytes| bytes >> 20);
    let mut text = format!(
        "moved {} of {} claims; the controller ended by itself {} times; memory at most {memory} of {limit} MiB; {datagrams} datagrams, \
         {connections} connections; two owners: {}",
        seen.moved,
        seen.claims,
        seen.ended,
        seen.overlap.map_or("never".to_owned(), |span| format!("{} ms", span.as_millis()))
    );
    for (killed, delays) in &seen.delays {
        text.push_str(&format!("\n  {:5} claims while {:29}: {}", delays.len(), killed.name(), spread(delays)));
    }
    text.push_str(&format!("\n  {:5} answers of a controller that was killed   : {}", seen.answers.len(), spread(&seen.answers)));
    text
}

/// The median and the slowest of sorted times.
fn spread(sorted: &[Duration]) -> String {
    let ms = |percent: usize| {
        let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(place).copied().unwrap_or(Duration::ZERO).as_secs_f64() * 1_000.0
    };
    let [median, p90, p99, worst] = [50, 90, 99, 100].map(ms);
    format!("{median:8.1} ms in the median, 90 % {p90:8.1}, 99 % {p99:8.1}, worst {worst:8.1}")
}

/// The program `pointsman` beside the folder of examples.
fn program() -> PathBuf {
    let me = std::env::current_exe().unwrap_or_default();
    me.parent().and_then(|p| p.parent()).map(|p| p.join("pointsman")).unwrap_or_default()
}
