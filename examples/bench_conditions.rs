//! Measures the engine alone: conditions over several events for very many keys, on one core. Reports the events per second that
//! matched a condition, the records that resulted, and the memory.
//!
//!     cargo run --release --example bench_conditions -- [SHAPE ...]
//!
//! Events are made in portions before the clock is read, and their times are virtual. Every shape runs in a separate process, so
//! that its peak memory is its own: that of the state, of one portion of events, and of the compiled rules.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman::core::base::time::Time;
use pointsman::core::diag::Source;
use pointsman::core::engine::{Engine, Input, Output, State};
use pointsman::core::event::{Event, Value};
use pointsman::core::inventory::Inventory;
use pointsman::core::lang::program::{AtomId, Hit};
use pointsman::core::lang::{Declarations, compile};
use pointsman::core::sim::Rng;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// The number of events that are made before each reading of the clock.
const PORTION: u64 = 1_000;

/// One kind of measurement.
struct Shape {
    name: &'static str,
    /// The alarm of each rule; `{n}` is the rule's number.
    alarm: &'static str,
    rules: u64,
    /// The number of sources of each rule.
    sources: u64,
    /// The number of patterns of each rule.
    patterns: u64,
    events: u64,
    /// The virtual time from one event to the next.
    apart: Duration,
}

const SHAPES: [Shape; 5] = [
    // Three events of a key per minute: some keys reach five, and for others the minute is over first.
    Shape {
        name: "count",
        alarm: "alarm r{n} { detect 5 of p{n}_0 by src within 1m cancel after 10s }",
        rules: 1_000,
        sources: 1_000,
        patterns: 1,
        events: 4_000_000,
        apart: Duration::from_micros(20),
    },
    Shape {
        name: "distinct",
        alarm: "alarm r{n} { detect 5 distinct port of p{n}_0 by src within 1m cancel after 10s }",
        rules: 1_000,
        sources: 1_000,
        patterns: 1,
        events: 4_000_000,
        apart: Duration::from_micros(20),
    },
    Shape {
        name: "sequence",
        alarm: "alarm r{n} { detect p{n}_0 then p{n}_1 then p{n}_2 by src within 1m cancel after 10s }",
        rules: 1_000,
        sources: 1_000,
        patterns: 3,
        events: 4_000_000,
        apart: Duration::from_micros(20),
    },
    Shape {
        name: "one_rule",
        alarm: "alarm r{n} { detect 5 of p{n}_0 by src within 1m cancel after 10s }",
        rules: 1,
        sources: 1_000_000,
        patterns: 1,
        events: 2_000_000,
        apart: Duration::from_micros(20),
    },
    Shape {
        name: "active",
        alarm: "alarm r{n} { detect p{n}_0 by src cancel after 10m }",
        rules: 1,
        sources: 10_000,
        patterns: 1,
        events: 1_000_000,
        apart: Duration::from_millis(2),
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let ended = match args.as_slice() {
        [one, name] if one == "--one" => SHAPES.iter().find(|s| s.name == name).map_or(Err("no such shape".into()), measure),
        names => each(names),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// Measures each shape in a separate process.
fn each(names: &[String]) -> Fallible<()> {
    println!(
        "{:<9} {:>6} {:>10} {:>9} {:>10} {:>10} {:>9} {:>8} {:>10}",
        "shape", "rules", "keys", "events", "per cpu s", "per s", "records", "peak MB", "keys noted"
    );
    for shape in SHAPES.iter().filter(|s| names.is_empty() || names.iter().any(|n| n == s.name)) {
        if !Command::new(std::env::current_exe()?).args(["--one", shape.name]).status()?.success() {
            return Err(format!("{} failed", shape.name).into());
        }
    }
    Ok(())
}

fn measure(shape: &Shape) -> Fallible<()> {
    let mut text = String::new();
    for n in 0..shape.rules {
        for p in 0..shape.patterns {
            text.push_str(&format!("pattern p{n}_{p} {{ match r\"failed{n}_{p} from (?P<src>\\S+) port (?P<port>\\S+)\" }}\n"));
        }
        text.push_str(&shape.alarm.replace("{n}", &n.to_string()));
        text.push('\n');
    }
    let (program, found) = compile(&[Arc::new(Source { name: "bench.alarm".to_owned(), text })], &Declarations::default());
    if pointsman::core::diag::has_errors(&found) {
        return Err(pointsman::core::diag::render::human(&found, false).into());
    }
    // By rule and pattern, whatever order the compiler gives them.
    let mut atoms: BTreeMap<String, AtomId> = BTreeMap::new();
    for (atom, n) in program.atoms.iter().zip(0..) {
        atoms.insert(atom.name.clone(), AtomId(n));
    }
    let atoms: Vec<AtomId> = (0..shape.rules * shape.patterns)
        .filter_map(|i| atoms.get(&format!("p{}_{}", i / shape.patterns, i % shape.patterns)).copied())
        .collect();
    let mut engine = Engine::start(Arc::new(program), Arc::new(Inventory::default()), State::default());

    let mut rng = Rng::new(7);
    let (mut took, mut worked, mut records, mut out) = (Duration::ZERO, Duration::ZERO, 0_usize, Vec::new());
    let keys = shape.rules * shape.sources;
    let mut sequence = 0;
    while sequence < shape.events {
        let portion: Vec<(Time, Input)> = (0..PORTION)
            .map(|_| {
                sequence += 1;
                // Each key once in a shuffled order (the factor has no divisor in common with the numbers of keys), then random
                // keys.
                let key = if sequence <= keys { sequence * 7_919 % keys } else { rng.below(keys) };
                let (rule, source) = (key % shape.rules, key / shape.rules);
                let atom = atoms[usize::try_from(rule * shape.patterns + rng.below(shape.patterns)).unwrap_or_default()];
                let now = Time::from_millis(1_800_000_000_000) + shape.apart * u32::try_from(sequence).unwrap_or_default();
                (now, arrived(sequence, now, atom, source, rng.below(60_000)))
            })
            .collect();
        let (began, cpu) = (Instant::now(), on_cpu()?);
        for (now, input) in portion {
            if engine.next_deadline().is_some_and(|due| due <= now) {
                engine.turn(now, Input::Timer { sequence }, &mut out);
            }
            engine.turn(now, input, &mut out);
            records += out.iter().filter(|o| matches!(o, Output::Record(_))).count();
            out.clear();
        }
        took += began.elapsed();
        worked += on_cpu()?.saturating_sub(cpu);
    }
    let peak = std::fs::read_to_string("/proc/self/status")?;
    let peak = peak.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    let state = serde_json::to_value(engine.state())?;
    let noted = state["noted"].as_object().map_or(0, |all| all.values().filter_map(|keys| Some(keys.as_array()?.len())).sum());
    println!(
        "{:<9} {:>6} {keys:>10} {:>9} {:>10.0} {:>10.0} {records:>9} {:>8.0} {noted:>10}",
        shape.name,
        shape.rules,
        shape.events,
        shape.events as f64 / worked.as_secs_f64(),
        shape.events as f64 / took.as_secs_f64(),
        peak.unwrap_or_default() / 1024.0,
    );
    Ok(())
}

/// The processor time of this process: on a shared machine it also waits.
fn on_cpu() -> Fallible<Duration> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    Ok(Duration::from_nanos(text.split_whitespace().next().ok_or("no time")?.parse()?))
}

/// A record of a login log, and the captures of its pattern.
fn arrived(sequence: u64, now: Time, atom: AtomId, source: u64, port: u64) -> Input {
    let source = format!("10.{}.{}.{}", source >> 16, source >> 8 & 255, source & 255);
    let event = Event {
        at: Some(now),
        host: "gate".into(),
        app: "sshd".into(),
        pid: "4711".into(),
        text: format!("failed{} from {source} port {port}", atom.0).into(),
        ..Event::default()
    };
    let text = |s: String| Value::Text(s.into());
    let captures = vec![("src".to_owned(), text(source)), ("port".to_owned(), text(port.to_string()))];
    let hits = vec![Hit { atom, captures }];
    Input::Arrived { sequence, source: "log".to_owned(), event: Box::new(event), hits, backlog: false, arrived: now, late: None }
}
