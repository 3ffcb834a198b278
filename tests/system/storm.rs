//! Kills at random moments, a few of each in every run; `examples/storm.rs` does hundreds.

use std::path::Path;
use std::thread;

use pointsman::demo::storm;

const KILLS: u64 = 8;

#[test]
fn nothing_is_lost_or_done_twice_when_programs_are_killed() {
    // Its networks belong to this thread.
    let run = thread::spawn(|| storm(Path::new(env!("CARGO_BIN_EXE_pointsman")), KILLS, 20, &mut |_| {}));
    let storm = run.join().unwrap().unwrap_or_else(|why| panic!("{why}"));
    println!("{storm:?}");
    assert!(storm.controllers == KILLS && storm.agents == KILLS && storm.moves > KILLS);
}
