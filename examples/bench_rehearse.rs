//! Measures what people wait for while they write rules: 1,000 rule tests, and what a summary adds to a dry run of a million lines.
//!
//!     cargo build --release && cargo run --release --example bench_rehearse -- [--lines N] [--tests N] [--rounds N]
//!
//! Prints each time beside its limit: the tests take two seconds at most, and the summary adds a tenth at most to the same dry run
//! without it, in processor time. Of several rounds the fastest counts. The program beside this example is measured, whatever
//! profile built both.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "only the core of the program is pure")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// The longest time for 1,000 rule tests.
const TESTS_TAKE: Duration = Duration::from_secs(2);
/// The largest share that a summary adds.
const SUMMARY_ADDS: f64 = 0.10;
const RULES: &str = "\
pattern link_down { from app net  match /link (?<port>\\S+) is down/ }
pattern link_up   { from app net  match /link (?<port>\\S+) is up/ }
pattern slow      { from app shop match /request (?<n>\\d+) took (?<ms>\\d+) ms/ where ms > 5000 }
alarm link  { detect link_down by port  cancel when link_up }
alarm storm { detect 3 of link_down within 10s  cancel after 1m }
alarm slow_requests { detect 20 of slow within 1m  cancel after 5m }
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, unless: u64| -> u64 {
        let at = args.iter().position(|a| a == name);
        at.and_then(|i| args.get(i + 1)?.parse().ok()).unwrap_or(unless)
    };
    let folder = std::env::temp_dir().join(format!("pointsman-rehearse-{}", std::process::id()));
    let ended = measure(&folder, number("--lines", 1_000_000), number("--tests", 1_000), number("--rounds", 5));
    let _ = fs::remove_dir_all(&folder);
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn measure(folder: &Path, lines: u64, tests: u64, rounds: u64) -> Fallible<bool> {
    let program = program()?;
    fs::create_dir_all(folder.join("rules"))?;
    fs::write(folder.join("rules/links.alarm"), RULES)?;
    write_tests(&folder.join("rules/links.test.yaml"), tests)?;
    write_log(&folder.join("app.log"), lines)?;
    // The time that passes, and the processor's.
    let run = |arguments: &[&str]| -> Fallible<[Duration; 2]> {
        let mut least = [Duration::MAX; 2];
        for _ in 0..rounds {
            let (began, used) = (Instant::now(), processor()?);
            let ended = Command::new(&program)
                .args(arguments)
                .current_dir(folder)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()?;
            if !ended.success() {
                return Err(format!("{} {}: {ended}", program.display(), arguments.join(" ")).into());
            }
            least = [least[0].min(began.elapsed()), least[1].min(processor()?.saturating_sub(used))];
        }
        Ok(least)
    };
    let [tested, _] = run(&["test", "rules"])?;
    println!("{tests} rule tests: {:.2} s (limit {} s)", tested.as_secs_f64(), TESTS_TAKE.as_secs());
    let [_, quiet] = run(&["dry-run", "--rules", "rules", "--quiet", "app.log"])?;
    let [_, summary] = run(&["dry-run", "--rules", "rules", "--summary", "app.log"])?;
    let adds = summary.as_secs_f64() / quiet.as_secs_f64() - 1.0;
    println!(
        "dry run of {lines} lines: {:.2} s without a summary, {:.2} s with one: {:+.1} % (limit {:.0} %)",
        quiet.as_secs_f64(),
        summary.as_secs_f64(),
        adds * 100.0,
        SUMMARY_ADDS * 100.0
    );
    Ok(tested <= TESTS_TAKE && adds <= SUMMARY_ADDS)
}

/// The processor time of all ended programs that this one started.
fn processor() -> Fallible<Duration> {
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = used.user_time().num_microseconds() + used.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(micros)?))
}

/// The program that was built together with this example.
fn program() -> Fallible<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).ok_or("this example is in no folder")?;
    let program = folder.join("pointsman");
    if program.exists() { Ok(program) } else { Err(format!("{} is not here: build it first", program.display()).into()) }
}

fn write_tests(path: &Path, tests: u64) -> Fallible<()> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "tests:")?;
    for n in 0..tests {
        writeln!(out, "  - name: link {n} is lost and found")?;
        writeln!(out, "    steps:")?;
        writeln!(out, "      - {{ log: \"<13>1 {{now}}Z h net - - - link eth{n} is down\" }}")?;
        writeln!(out, "      - {{ log: \"<13>1 {{now}}Z h net - - - link eth{n} is up\", after: 5s }}")?;
        writeln!(out, "    must:")?;
        writeln!(out, "      - {{ kind: alarm_raised, alarm: link, key: eth{n}, line: 1 }}")?;
        writeln!(out, "      - {{ kind: alarm_cleared, alarm: link, key: eth{n} }}")?;
    }
    Ok(out.flush()?)
}

/// A line in a hundred is wanted. The others have numbers, addresses and texts of a few dozen forms.
fn write_log(path: &Path, lines: u64) -> Fallible<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let forms = [
        "connection from 10.0.{a}.{b} accepted",
        "request {n} took {a} ms",
        "user u{n} logged in",
        "cache {a} has {b} entries",
        "job {n} done",
    ];
    for n in 0..lines {
        let (hour, minute, second) = (n / 360_000 % 24, n / 6_000 % 60, n / 100 % 60);
        let (a, b, port) = (n % 251, n % 97, n / 200 % 8);
        let stamp = format!("2026-03-14T{hour:02}:{minute:02}:{second:02}.{:03}Z", n * 10 % 1_000);
        if n % 100 == 0 {
            let state = if n % 200 == 0 { "down" } else { "up" };
            writeln!(out, "{stamp} sip{} net[7]: link eth{port} is {state}", n % 2 + 1)?;
        } else {
            let form = forms[(n % 5) as usize]
                .replace("{a}", &a.to_string())
                .replace("{b}", &b.to_string())
                .replace("{n}", &n.to_string());
            writeln!(out, "{stamp} web{} shop{}[{b}]: {form}", n % 3, n % 7)?;
        }
    }
    Ok(out.flush()?)
}
