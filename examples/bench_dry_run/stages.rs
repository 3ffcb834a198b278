//! Measures the stages of a dry run: the log is replayed in this process on one thread, each time up to one stage further.
//!
//! ```text
//!   reading --> decoding (and the log's clock) --> matching --> engine (alarms, reactions, planner) --> output (JSON)
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use pointsman::core::base::time::Time;
use pointsman::core::decode::Lines;
use pointsman::core::diag::{Source, has_errors, render};
use pointsman::core::event::Trust;
use pointsman::core::inventory::Inventory;
use pointsman::core::lang::{Declarations, Matcher, compile};
use pointsman::core::replay::{DryRun, Origin, Settling, SiftRoom, Sifted};
use pointsman::core::script::Evaluator;
use pointsman::core::site::Site;

use super::Fallible;

const STAGES: [&str; 5] = ["reading", "decoding", "matching", "engine", "output"];
/// The number of rounds. The fastest one counts.
const ROUNDS: usize = 3;

/// Prints the share of each stage.
pub(super) fn print(rules: &Path, corpus: &Path, lines: f64) -> Fallible<()> {
    let site = site(rules)?;
    let mut took = [Duration::MAX; STAGES.len()];
    for _ in 0..ROUNDS {
        for (up_to, took) in took.iter_mut().enumerate() {
            *took = (*took).min(replay(&site, corpus, up_to)?);
        }
    }
    let all = took[STAGES.len() - 1].as_secs_f64();
    let mut before = 0.0;
    print!("        stages:");
    for (stage, took) in STAGES.iter().zip(took) {
        let own = (took.as_secs_f64() - before).max(0.0);
        print!(" {stage} {:.0} ns {:.0} %;", own * 1e9 / lines, own * 100.0 / all);
        before = took.as_secs_f64().max(before);
    }
    println!(" one thread {:.0} lines/s", lines / all);
    Ok(())
}

fn site(rules: &Path) -> Fallible<Arc<Site>> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(rules)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "alarm") {
            sources.push(Arc::new(Source { name: path.display().to_string(), text: fs::read_to_string(&path)? }));
        }
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    let (program, found) = compile(&sources, &Declarations::default());
    if has_errors(&found) {
        return Err(render::human(&found, false).into());
    }
    let inventory = Arc::new(Inventory::default());
    let (matcher, evaluator) = (Matcher::new(&program, None), Evaluator::new(inventory.clone()));
    Ok(Arc::new(Site::new(inventory, Arc::new(program), matcher, BTreeMap::new(), evaluator)))
}

/// The processor time of the thread for the first stages of all lines.
fn replay(site: &Arc<Site>, corpus: &Path, up_to: usize) -> Fallible<Duration> {
    let mut out = File::create("/dev/null")?;
    let mut run = DryRun::new(site.clone(), BTreeMap::new(), Trust::Local);
    let written = Time::parse_rfc3339("2026-03-14T12:00:00Z").unwrap_or_default();
    let mut reader = run.reader(Origin { written, ..Origin::default() });
    let mut lines = Lines::new(BufReader::with_capacity(256 * 1024, File::open(corpus)?));
    let (mut room, mut settling, mut bytes, mut failed) = (SiftRoom::default(), Settling::default(), 0_usize, Ok(()));
    let began = worked()?;
    let (sifting, acting) = run.parts();
    let mut act = |sifted: Sifted| {
        settling.take(sifted, &mut |sifted| {
            acting.take(sifted, &mut |entry| {
                if up_to == 4 && failed.is_ok() {
                    failed = writeln!(out, "{}", entry.json());
                }
            });
        });
    };
    while let Some(line) = lines.next_line()? {
        bytes += line.bytes.len();
        if up_to == 0 {
            continue;
        }
        let mut read = reader.read(line.bytes, line.cut);
        if up_to == 1 {
            std::hint::black_box(&read);
            continue;
        }
        let sifted = sifting.sift(&mut read, &mut room);
        if up_to == 2 {
            std::hint::black_box(&sifted);
            continue;
        }
        act(sifted);
    }
    if up_to > 2 {
        reader.end().into_iter().for_each(&mut act);
    }
    failed?;
    std::hint::black_box(bytes);
    Ok(worked()?.saturating_sub(began))
}

/// The processor time of this thread.
fn worked() -> Fallible<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}
