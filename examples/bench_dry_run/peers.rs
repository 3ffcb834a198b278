//! Compares this program with others by the shared harness, which runs each of them in turn, pinned to one core, and compares the
//! exact set of lines that fired.
//!
//! A copy of ../shared/bench/match gets this program as one more tool. Everything else is unchanged. A program that is not
//! installed is reported as `NOT RUN`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Fallible, write_rules};

/// The variants that were the best at some number of rules (peers.md), and the maximum number of rules with which they are run.
const PEERS: [(&str, &str, usize); 6] = [
    ("sec_expert", "/usr/bin/sec", usize::MAX),
    ("rsyslog_sens", "/usr/sbin/rsyslogd", 100),
    ("rsyslog_expert", "/usr/sbin/rsyslogd", usize::MAX),
    ("syslogng_naive", "root/usr/sbin/syslog-ng", 100),
    ("syslogng_sens", "root/usr/sbin/syslog-ng", 10),
    ("syslogng_pdb", "root/usr/sbin/syslog-ng", usize::MAX),
];
/// The name of this program in the results.
const US: &str = "pointsman";

const TOOL: &str = r#"
def pointsman(n):
    def post(t):
        told = (json.loads(l) for l in t.splitlines())
        return [e["alarm"] for e in told if e["kind"] == "alarm_raised"]
    return dict(cmd=["PROGRAM", "dry-run", "--format", "json", "--rules", f"{ROOT}/rules-{n}", W + "/in.log"], out=W + "/pointsman.out", stdout=True, sentinel=False, post=post)
TOOLS["pointsman"] = (pointsman, {10: M, 100: M, 1000: M, 10000: M}, "whole program")
main()
"#;

/// Prints the results of each program. Returns true if this program was exact everywhere.
pub(super) fn run(generator: &Path, program: &Path, folder: &Path, lines: &str, sets: &str, rounds: usize) -> Fallible<bool> {
    let shared = generator.parent().ok_or("the generator has no folder")?;
    for sub in ["match", "data", "out"] {
        fs::create_dir_all(folder.join(sub))?;
    }
    for name in ["gen.py", "mkrules.py"] {
        fs::copy(shared.join(name), folder.join("match").join(name))?;
    }
    let harness = fs::read_to_string(shared.join("bench_match.py"))?;
    let (before, _) = harness.trim_end().rsplit_once("main()").ok_or("the harness does not end with main()")?;
    let script = folder.join("match/bench_match.py");
    fs::write(&script, format!("{before}{}", TOOL.replace("PROGRAM", &program.display().to_string())))?;
    // syslog-ng may be installed, or unpacked beside rsyslog, because the two packages conflict.
    let unpacked = std::env::var("SYSLOG_NG_ROOT").unwrap_or_else(|_| "/".to_owned());
    std::os::unix::fs::symlink(unpacked, folder.join("root"))?;
    let sets: Vec<&str> = sets.split(',').collect();
    let made = Command::new("python3").arg(folder.join("match/mkrules.py")).args(&sets).status()?;
    if !made.success() {
        return Err("the rules of the other programs could not be made".into());
    }
    let mut all_exact = true;
    println!(
        "{:>7} {:<16} {:>11} {:>11} {:>13} {:>8} {:>8}  exact",
        "rules", "program", "lines/s", "with start", "ours is times", "peak MB", "start s"
    );
    for rules in sets {
        let log = folder.join(format!("data/c{rules}.log"));
        let expected = folder.join(format!("data/c{rules}.exp"));
        super::generate(generator, rules, lines, &log, &expected)?;
        write_rules(generator, folder, rules)?;
        let mut figures: BTreeMap<&str, Vec<serde_json::Value>> = BTreeMap::new();
        let count: usize = rules.parse()?;
        let installed = |at: &str| Path::new(at).exists() || (at.starts_with("root/") && folder.join(at).exists());
        for _ in 0..rounds {
            for (tool, at, most) in [(US, "/", usize::MAX)].iter().chain(&PEERS) {
                if count > *most || !installed(at) {
                    continue;
                }
                let told = Command::new("taskset")
                    .args(["-c", "0", "python3"])
                    .arg(&script)
                    .args(["--reps", "1", "--only", tool, "--n", rules])
                    .stderr(Stdio::null())
                    .output()?;
                let line = String::from_utf8_lossy(&told.stdout).lines().last().unwrap_or_default().to_owned();
                figures.entry(tool).or_default().extend(serde_json::from_str::<serde_json::Value>(&line).ok());
            }
        }
        let ours = figures.get(US).map_or(0.0, |all| median(all, "lines_s"));
        for (tool, at, most) in [(US, "/", usize::MAX)].iter().chain(&PEERS) {
            if count > *most {
                continue;
            }
            let Some(all) = figures.get(tool).filter(|all| !all.is_empty()) else {
                println!("{rules:>7} {tool:<16} NOT RUN: {}", if installed(at) { "it failed" } else { "it is not installed" });
                all_exact &= *tool != US;
                continue;
            };
            let exact = all.iter().all(|f| f["exact"] == true);
            all_exact &= exact || *tool != US;
            let speed = median(all, "lines_s");
            println!(
                "{rules:>7} {tool:<16} {speed:>11.0} {:>11.0} {:>13.1} {:>8.1} {:>8.2}  {}",
                median(all, "lines_s_gross"),
                ours / speed,
                median(all, "rss_mb"),
                median(all, "idle_s"),
                if exact { "yes".to_owned() } else { format!("NO: {} missed, {} too many", all[0]["missed"], all[0]["extra"]) },
            );
        }
    }
    Ok(all_exact)
}

fn median(all: &[serde_json::Value], field: &str) -> f64 {
    let mut values: Vec<f64> = all.iter().filter_map(|f| f[field].as_f64()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
