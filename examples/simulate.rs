//! Simulates failovers from many seeds. Prints progress every 30 seconds, and at the end how many failovers there were by takeover
//! policy and how many faults of each kind. Stops at the first violation and prints its story.
//!
//!     cargo run --release --example simulate -- [FAILOVERS] [FIRST SEED] [THREADS]
//!     cargo run --release --example simulate -- tests/sim/STORY.json
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pointsman::core::sim::{self, Scenario, SimOutcome};

/// How often progress is printed.
const PROGRESS: Duration = Duration::from_secs(30);

/// What was simulated so far.
#[derive(Default)]
struct Counts {
    seeds: u64,
    failovers: u64,
    /// Simulated time, in seconds.
    simulated: f64,
    /// Seeds and failovers by the takeover policy with which a scenario begins.
    policies: BTreeMap<String, (u64, u64)>,
    /// How often each kind of act happened.
    acts: BTreeMap<String, u64>,
    /// Scenarios with two owners where the policy does not promise one.
    tolerated: u64,
}

impl Counts {
    fn add(&mut self, scenario: &Scenario, outcome: &SimOutcome) {
        self.seeds += 1;
        self.failovers += outcome.failovers;
        self.simulated += outcome.lasted.as_secs_f64();
        self.tolerated += u64::from(outcome.tolerated.is_some());
        let policy = format!("{:?}", scenario.takeover).to_lowercase();
        let (seeds, failovers) = self.policies.entry(policy).or_default();
        (*seeds, *failovers) = (*seeds + 1, *failovers + outcome.failovers);
        for act in &scenario.acts {
            let described = format!("{:?}", act.what);
            let kind = described.split(['(', ' ']).next().unwrap_or_default();
            match self.acts.get_mut(kind) {
                Some(count) => *count += 1,
                None => drop(self.acts.insert(kind.to_owned(), 1)),
            }
        }
    }

    fn line(&self, began: Instant) -> String {
        let spent = began.elapsed().as_secs_f64();
        format!(
            "{} failovers from {} seeds in {spent:.1} s ({:.0} seeds/s, {:.0} failovers/s, {:.1} simulated hours)",
            self.failovers,
            self.seeds,
            self.seeds as f64 / spent,
            self.failovers as f64 / spent,
            self.simulated / 3_600.0
        )
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [file] = &args[..]
        && file.ends_with(".json")
    {
        return tell(file);
    }
    let numbers: Vec<u64> = args.iter().map_while(|a| a.parse().ok()).collect();
    if numbers.len() != args.len() || args.len() > 3 {
        eprintln!("usage: simulate [FAILOVERS] [FIRST SEED] [THREADS], or simulate STORY.json");
        return ExitCode::from(2);
    }
    let number = |n: usize, default: u64| numbers.get(n).copied().unwrap_or(default);
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    simulate(number(0, 20_000), number(1, 1), number(2, cores))
}

fn simulate(wanted: u64, first: u64, threads: u64) -> ExitCode {
    let began = Instant::now();
    let next = AtomicU64::new(first);
    let counts = Mutex::new(Counts::default());
    let failed = AtomicBool::new(false);
    let running = AtomicUsize::new(0);
    let failovers = || counts.lock().map_or(0, |counts| counts.failovers);
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            running.fetch_add(1, Ordering::Relaxed);
            scope.spawn(|| {
                while failovers() < wanted && !failed.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let scenario = Scenario::of_seed(seed);
                    let outcome = sim::run(&scenario, None);
                    if let Ok(mut counts) = counts.lock() {
                        counts.add(&scenario, &outcome);
                    }
                    if let Some(violation) = &outcome.violation
                        && !failed.swap(true, Ordering::Relaxed)
                    {
                        println!("seed {seed} fails: {} ({})", violation.invariant, violation.text);
                        let (short, outcome) = sim::shorten(&scenario, None);
                        println!("seed {seed} fails:\n{}", sim::story_text(&short, &outcome));
                        println!("{}", serde_json::to_string(&short).unwrap_or_default());
                    }
                }
                running.fetch_sub(1, Ordering::Relaxed);
            });
        }
        scope.spawn(|| {
            let mut printed = Instant::now();
            while running.load(Ordering::Relaxed) > 0 {
                std::thread::sleep(Duration::from_millis(200));
                if printed.elapsed() >= PROGRESS {
                    printed = Instant::now();
                    eprintln!("{}", counts.lock().map_or(String::new(), |counts| counts.line(began)));
                }
            }
        });
    });
    let Ok(counts) = counts.into_inner() else { return ExitCode::FAILURE };
    let violations = if failed.into_inner() { "a violation" } else { "no violation" };
    println!("{violations}: {}, seeds {first} to {}", counts.line(began), next.into_inner() - 1);
    println!("  two owners where that is not promised otherwise: {} seeds", counts.tolerated);
    for (policy, (seeds, failovers)) in &counts.policies {
        println!("  begins with {policy}: {failovers} failovers from {seeds} seeds");
    }
    let acts: Vec<String> = counts.acts.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    println!("  acts: {}", acts.join(", "));
    if violations == "a violation" { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Tells a saved story, or that it can't be read.
fn tell(file: &str) -> ExitCode {
    let read = std::fs::read_to_string(file).map_err(|e| e.to_string());
    match read.and_then(|text| serde_json::from_str::<Scenario>(&text).map_err(|e| e.to_string())) {
        Ok(scenario) => {
            let outcome = sim::story(&scenario, None);
            println!("{}", sim::story_text(&scenario, &outcome));
            if outcome.violation.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(why) => {
            eprintln!("{file}: {why}");
            ExitCode::from(2)
        }
    }
}
