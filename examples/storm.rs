//! Kills controller and agents at random moments: `cargo run --release --example storm -- 200 1` (kills of each, seed).
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]

use std::path::PathBuf;

fn main() {
    let number = |n: usize, unless: u64| std::env::args().nth(n).and_then(|a| a.parse().ok()).unwrap_or(unless);
    let me = std::env::current_exe().unwrap_or_default();
    let program: PathBuf = me.parent().and_then(|p| p.parent()).map(|p| p.join("pointsman")).unwrap_or_default();
    match pointsman::demo::storm(&program, number(1, 200), number(2, 1), &mut |line| println!("{line}")) {
        Ok(storm) => println!("nothing lost, nothing twice, never two holders: {storm:?}"),
        Err(why) => {
            eprintln!("{why}");
            std::process::exit(1);
        }
    }
}
