//! Damages a journal in every known way: `cargo run --release --example damage -- 10000 1` (damages, seed). It works in memory if
//! possible, because nothing here waits for a disk.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]

fn main() {
    let number = |n: usize, unless: u64| std::env::args().nth(n).and_then(|a| a.parse().ok()).unwrap_or(unless);
    let memory = std::path::Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = base.join(format!("pointsman-damage-{}", std::process::id()));
    match pointsman::demo::damage(&folder, number(1, 10_000), number(2, 1), &mut |line| println!("{line}")) {
        Ok(damages) => {
            println!("{:<40} {:>10} {:>10} {:>10}", "damage", "recovered", "held", "refused");
            for (kind, [recovered, held, refused]) in &damages.outcomes {
                println!("{kind:<40} {recovered:>10} {held:>10} {refused:>10}");
            }
            println!("never silently shorter: {:?} recovered, held, refused", damages.totals());
        }
        Err(why) => {
            eprintln!("{why}");
            std::process::exit(1);
        }
    }
}
