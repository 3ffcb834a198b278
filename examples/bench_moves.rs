//! Measures planned moves: `cargo run --release --example bench_moves -- 100`. It uses real programs in network namespaces,
//! mutual TLS, and a journal and agents' marks that are synced to disk. For comparison, the same run also moves the addresses by
//! hand.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]

use std::path::PathBuf;
use std::time::Duration;

use pointsman::demo::{ControllerSite, Move, measure};

fn main() {
    let count = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100);
    for placement in [ControllerSite::Apart, ControllerSite::OnSip1] {
        match measure(&program(), placement, count) {
            Ok((moves, floor)) => print(placement, &moves, floor),
            Err(why) => {
                eprintln!("{why} (is target/release/pointsman built?)");
                std::process::exit(1);
            }
        }
    }
}

/// The program `pointsman` beside the folder of examples.
fn program() -> PathBuf {
    let me = std::env::current_exe().unwrap_or_default();
    me.parent().and_then(|p| p.parent()).map(|p| p.join("pointsman")).unwrap_or_default()
}

fn print(placement: ControllerSite, moves: &[Move], floor: Vec<Duration>) {
    match placement {
        ControllerSite::Apart => println!("{} planned moves, two agents over mutual TLS (ms)", moves.len()),
        ControllerSite::OnSip1 => {
            println!("\n{} planned moves, the controller on sip1 itself, an agent on sip2 (ms)", moves.len())
        }
    }
    println!("{:44} {:>8} {:>8} {:>8} {:>8}", "", "median", "p90", "p99", "worst");
    row("from the datagram to the client's first answer", moves.iter().map(|m| m.whole).collect());
    if placement == ControllerSite::OnSip1 {
        row("  of these to sip1", moves.iter().filter(|m| m.to == "sip1").map(|m| m.whole).collect());
    }
    row("  until the release was ordered", moves.iter().map(|m| m.decided).collect());
    row("  until the old host was seen without it", moves.iter().map(|m| m.released).collect());
    row("  until the client was answered", moves.iter().map(|m| m.answered).collect());
    row("outage", moves.iter().map(|m| m.outage).collect());
    let by_hand = median(floor.clone());
    row("by hand: off, on, announced, answered", floor);
    let ours = median(moves.iter().map(|m| m.whole).collect());
    println!("ratio of the medians: {:.1}", ours.as_secs_f64() / by_hand.as_secs_f64());
}

fn median(mut spans: Vec<Duration>) -> Duration {
    spans.sort();
    spans.get(spans.len() / 2).copied().unwrap_or_default()
}

fn row(name: &str, mut spans: Vec<Duration>) {
    spans.sort();
    let at =
        |percent: usize| spans.get((spans.len() * percent / 100).min(spans.len().saturating_sub(1))).copied().unwrap_or_default();
    let ms = |span: Duration| format!("{:8.2}", span.as_secs_f64() * 1_000.0);
    println!("{name:46} {} {} {} {}", ms(at(50)), ms(at(90)), ms(at(99)), ms(at(100)));
}
