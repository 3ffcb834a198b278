//! Simulates failovers from many seeds on all cores. Prints how many there were, how fast, and the story of the first one that
//! fails.
//!
//!     cargo run --release --example simulate -- [FAILOVERS] [FIRST SEED]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]
#![expect(clippy::disallowed_methods, reason = "the speed is printed")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pointsman::core::sim::{self, Scenario};

fn main() -> std::process::ExitCode {
    let mut args = std::env::args().skip(1).map(|a| a.parse::<u64>());
    let (Ok(wanted), Ok(first)) = (args.next().unwrap_or(Ok(20_000)), args.next().unwrap_or(Ok(1))) else {
        eprintln!("usage: simulate [FAILOVERS] [FIRST SEED]");
        return std::process::ExitCode::from(2);
    };
    let started = std::time::Instant::now();
    let (next, failovers, seeds) = (AtomicU64::new(first), AtomicU64::new(0), AtomicU64::new(0));
    let failed = AtomicBool::new(false);
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while failovers.load(Ordering::Relaxed) < wanted && !failed.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let scenario = Scenario::of_seed(seed);
                    let outcome = sim::run(&scenario, None);
                    failovers.fetch_add(outcome.failovers, Ordering::Relaxed);
                    seeds.fetch_add(1, Ordering::Relaxed);
                    if let Some(violation) = &outcome.violation
                        && !failed.swap(true, Ordering::Relaxed)
                    {
                        println!("seed {seed} fails: {} ({})", violation.invariant, violation.text);
                        let (short, outcome) = sim::shorten(&scenario, None);
                        println!("seed {seed} fails:\n{}", sim::tell(&short, &outcome));
                        println!("{}", serde_json::to_string(&short).unwrap_or_default());
                    }
                }
            });
        }
    });
    let spent = started.elapsed().as_secs_f64();
    let (failovers, seeds) = (failovers.into_inner(), seeds.into_inner());
    println!(
        "{failovers} failovers from {seeds} seeds in {spent:.1} s: {:.0} seeds/s, {:.0} failovers/s",
        seeds as f64 / spent,
        failovers as f64 / spent
    );
    if failed.into_inner() { std::process::ExitCode::FAILURE } else { std::process::ExitCode::SUCCESS }
}
