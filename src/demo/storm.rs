//! Kills programs at random moments during a stream of role changes, and checks the invariants afterwards.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::core::journal::{Input, Record};
use crate::core::react;
use crate::core::sim::Rng;
use crate::shell::linux::wall_time;
use crate::shell::store::Journal;

use super::network::{ControllerSite, Lab, Layout};

/// The longest pause between two lines of the log, and between a line and a kill.
const PAUSE_US: u64 = 60_000;
/// After one of this number of kills, the storm waits until everything has settled. Otherwise the next kill follows during the
/// recovery.
const SETTLE_ONE_IN: u64 = 4;

/// The counts of a storm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Storm {
    /// The number of lines that servers wrote about their roles.
    pub lines: u64,
    /// How often the controller was killed.
    pub controllers: u64,
    /// How often an agent was killed.
    pub agents: u64,
    /// The number of completed moves.
    pub moves: u64,
}

/// Kills the controller and agents this number of times each, with a seed. Afterwards it checks that no event of the followed
/// file was lost or counted twice, that no finished step was done again, that there were never two holders, and that the address
/// is where the last event says.
///
/// # Errors
/// Returns a text that says what was violated. The files are kept then.
pub fn storm(program: &Path, kills: u64, seed: u64, tell: &mut dyn FnMut(&str)) -> Result<Storm, String> {
    let mut lab = Lab::start(program, Layout::usual(ControllerSite::Apart))?;
    let done = run(&mut lab, kills, seed, tell);
    done.map_err(|why| format!("{why} (seed {seed}; files are kept in {})", lab.keep().display()))
}

fn run(lab: &mut Lab, kills: u64, seed: u64, tell: &mut dyn FnMut(&str)) -> Result<Storm, String> {
    let mut rng = Rng::new(seed);
    let mut storm = Storm::default();
    let mut last = "sip1";
    claim(lab, &mut storm, last)?;
    lab.until_settled(last)?;
    while storm.controllers < kills || storm.agents < kills {
        for _ in 0..rng.between(1, 4) {
            last = if rng.percent(60) { other(last) } else { last };
            claim(lab, &mut storm, last)?;
            thread::sleep(Duration::from_micros(rng.below(PAUSE_US)));
        }
        let controller = if storm.controllers >= kills { false } else { storm.agents >= kills || rng.percent(50) };
        if controller {
            lab.kill_controller();
            storm.controllers += 1;
            // What is written while nobody reads is a backlog.
            if rng.percent(50) {
                last = other(last);
                claim(lab, &mut storm, last)?;
            }
            lab.start_controller()?;
        } else {
            let host = if rng.percent(50) { last } else { other(last) };
            lab.kill_agent(host);
            storm.agents += 1;
            thread::sleep(Duration::from_micros(rng.below(PAUSE_US)));
            lab.start_agent(host)?;
        }
        if rng.below(SETTLE_ONE_IN) == 0 {
            lab.until_settled(last)?;
        }
        if let Some(span) = lab.overlap() {
            return Err(format!("two hosts had the address at once for {} us", span.as_micros()));
        }
        let kills_done = storm.controllers + storm.agents;
        if kills_done.is_multiple_of(20) {
            tell(&format!("{kills_done} kills, {} role changes", storm.lines));
        }
    }
    lab.until_settled(last)?;
    if let Some(why) = lab.false_word() {
        return Err(why);
    }
    lab.kill_controller();
    storm.moves = audit(lab, &storm)?;
    Ok(storm)
}

fn other(host: &str) -> &'static str {
    if host == "sip1" { "sip2" } else { "sip1" }
}

/// One server writes that it is backup now, the other that it is primary. Each line has its number.
fn claim(lab: &Lab, storm: &mut Storm, host: &str) -> Result<(), String> {
    let file = OpenOptions::new().append(true).open(lab.folder().join("sip.log"));
    let mut file = file.map_err(|e| format!("sip.log: {e}"))?;
    for (host, id) in [(other(host), "04561"), (host, "04563")] {
        storm.lines += 1;
        let app = if host == "sip1" { "SIP_SERVER_PRIMARY" } else { "SIP_SERVER_BACKUP" };
        let now = wall_time().to_string();
        let line = format!("{} Standard {host} {app} GCTI-00-{id} number {}\n", now.trim_end_matches('Z'), storm.lines);
        file.write_all(line.as_bytes()).map_err(|e| format!("sip.log: {e}"))?;
    }
    Ok(())
}

/// Checks the journal: every line occurs once and in order, and every step ended once.
fn audit(lab: &Lab, storm: &Storm) -> Result<u64, String> {
    let data = lab.folder().join("data");
    let found = Journal::verify(&data).map_err(|e| e.to_string())?;
    if let Some(wrong) = found.wrong.first() {
        return Err(format!("the journal: {wrong}"));
    }
    let journal = Journal::open(&data).map_err(|e| e.to_string())?;
    let mut wrong = None;
    let mut number = 0;
    let mut moves = 0;
    let mut asked: BTreeMap<u64, u32> = BTreeMap::new();
    let mut ended: BTreeMap<(u64, u32), u32> = BTreeMap::new();
    journal
        .lines(1, &mut |n, line| match Record::read(line) {
            Ok(Record::Input { input: Input::Event { event, .. }, .. }) => {
                number += 1;
                if *event.text != format!("number {number}") {
                    wrong.get_or_insert(format!("record {n} should be line {number} of the log, and is `{}`", event.text));
                }
            }
            Ok(Record::Run(react::Record::Asked { run, step, .. })) => {
                asked.insert(run, step.n);
            }
            Ok(Record::Run(react::Record::Answered { run, .. })) => {
                let step = asked.get(&run).copied().unwrap_or(u32::MAX);
                let times = ended.entry((run, step)).or_default();
                *times += 1;
                if *times > 1 {
                    wrong.get_or_insert(format!("record {n}: step {step} of run {run} ended before"));
                }
            }
            Ok(Record::Plan(crate::core::plan::Record::Move { .. })) => moves += 1,
            Ok(_) => {}
            Err(e) => drop(wrong.get_or_insert(format!("record {n}: {e}"))),
        })
        .map_err(|e| e.to_string())?;
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    if number != storm.lines {
        return Err(format!("{} lines were written, and {number} are in the journal", storm.lines));
    }
    Ok(moves)
}
