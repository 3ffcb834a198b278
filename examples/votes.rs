//! Searches all states of a small quorum for one with two owners, for each way in which the clocks may run, and prints the number
//! of states.
//!
//!     cargo run --release --example votes -- [COMMANDS] [CRASHES] [REQUESTS] [STEPS] [TERM IN SECONDS] [STATES AT MOST]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]

use std::time::{Duration, Instant};

use pointsman::core::vote::VoteModel;

fn main() -> std::process::ExitCode {
    let given: Result<Vec<u64>, _> = std::env::args().skip(1).map(|a| a.parse()).collect();
    let Ok(given) = given else {
        eprintln!("usage: votes [COMMANDS] [CRASHES] [REQUESTS] [STEPS] [TERM IN SECONDS] [STATES AT MOST]");
        return std::process::ExitCode::from(2);
    };
    let number = |i: usize, default: u64| given.get(i).copied().unwrap_or(default);
    let (slow, fast) = (995, 1_005);
    let rates =
        [[fast, slow, fast], [slow, slow, fast], [fast, slow, slow], [slow, slow, slow], [fast, fast, slow], [fast, fast, fast]];
    for rates in rates {
        let model = VoteModel {
            term: Duration::from_secs(number(4, 10)),
            rates,
            steps: u32::try_from(number(3, 2)).unwrap_or(2),
            commands: number(0, 3).min(60),
            crashes: u8::try_from(number(1, 1)).unwrap_or(1),
            requests: usize::try_from(number(2, 2)).unwrap_or(2),
            broken: None,
        };
        let began = Instant::now();
        let found = model.search(usize::try_from(number(5, 200_000_000)).unwrap_or(usize::MAX));
        println!(
            "clocks {rates:?}: {} states in {:.1} s, {}{}",
            found.states,
            began.elapsed().as_secs_f64(),
            if found.two_owners { "TWO OWNERS" } else { "none with two owners" },
            if found.complete { ", which are all" } else { "" }
        );
        if found.two_owners {
            return std::process::ExitCode::FAILURE;
        }
    }
    std::process::ExitCode::SUCCESS
}
