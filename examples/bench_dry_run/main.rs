//! Measures dry runs of a million lines: lines per second and memory, side by side for growing rule sets. Checks that exactly the
//! expected lines matched.
//!
//!     cargo build --release && cargo run --release --example bench_dry_run -- [--lines N] [--rules N,N,...] [--rounds N]
//!         [--peers]               beside SEC, rsyslog and syslog-ng, where they are installed (SYSLOG_NG_ROOT: unpacked there)
//!         [--shape NAME|all] [--seed N]    rules and lines of other shapes, made here
//!
//! Below each row are the times of the stages for a line: reading, decoding, matching, engine, output.
//!
//! Corpus and rules come from the generator in ../shared/bench (Python 3), except with `--shape`. Without the generator, nothing
//! runs. Everything is pinned to one core. Except with `--peers`, seconds are processor time.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use pointsman::core::base::time::Time;
use pointsman::core::decode::{Decoder, Lines};

mod peers;
mod shapes;
mod stages;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let said = |name: &str, unless: &str| {
        let at = args.iter().position(|a| a == name);
        at.and_then(|i| args.get(i + 1)).map_or(unless.to_owned(), String::clone)
    };
    let (lines, sets) = (said("--lines", "1000000"), said("--rules", "10,100,1000,10000"));
    let (shape, seed, rounds) = (said("--shape", ""), said("--seed", "1"), said("--rounds", "3"));
    let generator = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/bench/match/gen.py");
    if shape.is_empty() && !generator.exists() {
        println!("NOT RUN: the generator ../shared/bench/match/gen.py is not here");
        return ExitCode::SUCCESS;
    }
    let folder = std::env::temp_dir().join(format!("pointsman-bench-{}", std::process::id()));
    let ended = program().and_then(|program| {
        fs::create_dir_all(&folder)?;
        if !shape.is_empty() {
            of_shapes(&program, &folder, &shape, seed.parse()?, lines.parse()?, rounds.parse()?)
        } else if args.iter().any(|a| a == "--peers") {
            peers::run(&generator, &program, &folder, &lines, &sets, rounds.parse()?)
        } else {
            bench(&generator, &program, &folder, &lines, &sets)
        }
    });
    let _ = fs::remove_dir_all(&folder);
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// The program that was built together with this example.
fn program() -> Fallible<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("").join("../pointsman").canonicalize()?)
}

/// Runs ten rules and ten thousand rules of each shape, alternately. Reports lines per second without the start.
fn of_shapes(program: &Path, folder: &Path, only: &str, seed: u64, lines: usize, rounds: usize) -> Fallible<bool> {
    let mut all_exact = true;
    println!("{:>8} {:>12} {:>12} {:>6} {:>9} {:>8}  exact", "shape", "10 rules", "10,000", "ratio", "peak MB", "start s");
    for (shape, about) in shapes::SHAPES.iter().filter(|(name, _)| only == "all" || only == *name) {
        let sets = [10, 10_000].map(|rules| (rules, folder.join(format!("{shape}-{rules}"))));
        let (mut exact, mut times, mut peak, mut started) = (true, [Vec::new(), Vec::new()], 0.0_f64, Duration::MAX);
        let mut wanted = Vec::new();
        for (rules, folder) in &sets {
            wanted.push(shapes::write(folder, shape, seed, *rules, lines)?);
            File::create(folder.join("nothing"))?;
        }
        for _ in 0..rounds {
            for (i, (_, folder)) in sets.iter().enumerate() {
                let (start, ..) = dry_run(program, folder, &folder.join("nothing"))?;
                let (took, high, raised) = dry_run(program, folder, &folder.join("log"))?;
                exact &= raised == wanted[i];
                times[i].push(took.saturating_sub(start));
                if i == 1 {
                    (peak, started) = (high / 1024.0, started.min(start));
                }
            }
        }
        all_exact &= exact;
        let [few, many] = times.map(|mut all| {
            all.sort_unstable();
            lines as f64 / all[all.len() / 2].as_secs_f64()
        });
        println!(
            "{shape:>8} {few:>12.0} {many:>12.0} {:>6.2} {peak:>9.1} {:>8.2}  {}: {about}",
            many / few,
            started.as_secs_f64(),
            if exact { "yes" } else { "NO" },
        );
    }
    Ok(all_exact)
}

fn generate(generator: &Path, rules: &str, lines: &str, corpus: &Path, expected: &Path) -> Fallible<()> {
    let made = Command::new("python3")
        .arg(generator)
        .args(["corpus", "--rules", rules, "--lines", lines, "--out"])
        .arg(corpus)
        .arg("--expected")
        .arg(expected)
        .status()?;
    if made.success() { Ok(()) } else { Err("the generator failed".into()) }
}

fn bench(generator: &Path, program: &Path, folder: &Path, lines: &str, sets: &str) -> Fallible<bool> {
    let mut first = None;
    let mut all_exact = true;
    println!("{:>7} {:>8} {:>12} {:>7} {:>9} {:>8}  exact matches", "rules", "seconds", "lines/s", "ratio", "peak MB", "start s");
    for rules in sets.split(',') {
        let (corpus, expected) = (folder.join(format!("{rules}.log")), folder.join(format!("{rules}.expected")));
        generate(generator, rules, lines, &corpus, &expected)?;
        let count: f64 = lines.parse()?;
        if first.is_none() {
            floors(&corpus, count)?;
        }
        let folder = write_rules(generator, folder, rules)?;
        let nothing = folder.join("nothing.log");
        File::create(&nothing)?;
        let (start, ..) = dry_run(program, &folder, &nothing)?;
        let (took, peak, raised) = dry_run(program, &folder, &corpus)?;
        let wanted: Vec<String> = BufReader::new(File::open(&expected)?).lines().collect::<Result<_, _>>()?;
        let exact = raised == wanted;
        all_exact &= exact;
        let speed = count / took.saturating_sub(start).as_secs_f64();
        let ratio = speed / *first.get_or_insert(speed);
        println!(
            "{rules:>7} {:>8.2} {speed:>12.0} {ratio:>7.2} {:>9.1} {:>8.2}  {} of {}{}",
            took.as_secs_f64(),
            peak / 1024.0,
            start.as_secs_f64(),
            wanted.iter().collect::<BTreeSet<_>>().intersection(&raised.iter().collect()).count(),
            wanted.len(),
            if exact { ", all in order" } else { ": NOT EXACT" },
        );
        stages::print(&folder, &corpus, count)?;
    }
    Ok(all_exact)
}

/// The times for reading alone and decoding alone, in this process.
fn floors(corpus: &Path, count: f64) -> Fallible<()> {
    let began = Instant::now();
    let mut lines = Lines::new(BufReader::with_capacity(256 * 1024, File::open(corpus)?));
    let mut bytes = 0;
    while let Some(line) = lines.next_line()? {
        bytes += line.bytes.len();
    }
    println!("reading alone  {:>12.0} lines/s ({} MB)", count / began.elapsed().as_secs_f64(), bytes / 1_000_000);
    let began = Instant::now();
    let mut lines = Lines::new(BufReader::with_capacity(256 * 1024, File::open(corpus)?));
    let mut decoder = Decoder::new();
    let mut named = 0;
    while let Some(line) = lines.next_line()? {
        named += u64::from(!decoder.decode(line.bytes, Time::default()).app.is_empty());
    }
    println!("and decoding   {:>12.0} lines/s ({named} name an application)", count / began.elapsed().as_secs_f64());
    Ok(())
}

/// Writes the generator's rules in the rule language.
fn write_rules(generator: &Path, folder: &Path, rules: &str) -> Fallible<PathBuf> {
    let made = Command::new("python3").arg(generator).args(["rules", "--rules", rules]).output()?;
    let folder = folder.join(format!("rules-{rules}"));
    fs::create_dir_all(&folder)?;
    let mut file: Option<File> = None;
    for (i, line) in made.stdout.split(|b| *b == b'\n').filter(|l| !l.is_empty()).enumerate() {
        if i % 5_000 == 0 {
            file = Some(File::create(folder.join(format!("{:05}.alarm", i / 5_000)))?);
        }
        let rule: serde_json::Value = serde_json::from_slice(line)?;
        let field = |name: &str| rule[name].as_str().unwrap_or_default();
        let name = field("name");
        let text = match field("kind") {
            "idapp" => format!("alarm {name} {{ detect event {} from app {} cancel at once }}\n", field("id"), field("app")),
            "lit" => format!(
                "pattern p{name} {{ where text contains \"{}\" }}\nalarm {name} {{ detect p{name} cancel at once }}\n",
                field("text")
            ),
            _ => format!("pattern p{name} {{ match r\"{}\" }}\nalarm {name} {{ detect p{name} cancel at once }}\n", field("re")),
        };
        file.as_mut().ok_or("no rules")?.write_all(text.as_bytes())?;
    }
    Ok(folder)
}

/// The processor time of all programs that were run.
fn worked() -> Fallible<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let one = |t: TimeVal| Duration::from_micros(u64::try_from(t.num_microseconds()).unwrap_or(0));
    Ok(one(usage.user_time()) + one(usage.system_time()))
}

/// The processor time of a dry run (other users of the core do not count), its peak memory in KB, and `line TAB alarm` for every
/// alarm that was raised.
fn dry_run(program: &Path, rules: &Path, corpus: &Path) -> Fallible<(Duration, f64, Vec<String>)> {
    let out = rules.join("out.json");
    let before = worked()?;
    let mut child = Command::new("taskset")
        .args(["-c", "0"])
        .arg(program)
        .args(["dry-run", "--format", "json", "--rules"])
        .arg(rules)
        .arg(corpus)
        .stdout(File::create(&out)?)
        .stderr(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak: f64 = 0.0;
    let ended = loop {
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let high = text.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
        peak = peak.max(high.unwrap_or(0.0));
        std::thread::sleep(Duration::from_millis(2));
    };
    let took = worked()?.saturating_sub(before);
    if !ended.success() {
        return Err(format!("the dry run failed: {ended}").into());
    }
    let mut raised = Vec::new();
    for line in BufReader::new(File::open(&out)?).lines() {
        let entry: serde_json::Value = serde_json::from_str(&line?)?;
        if entry["kind"] == "alarm_raised" {
            raised.push(format!("{}\t{}", entry["line"], entry["alarm"].as_str().unwrap_or_default()));
        }
    }
    Ok((took, peak, raised))
}
