//! The metrics of this host: processors, load, memory and file systems. They are read from `/proc` and by statvfs(3).
//!
//! A value that cannot be read, or that does not have the format of proc(5), is left out. No number is guessed.

use std::path::{Path, PathBuf};

use crate::core::inventory::{Measuring, OF_MOUNTS};
use crate::core::wire::Metric;

use super::beginning;

/// The number of bytes of one file that are read.
const BYTES: u64 = 64 * 1_024;

/// Measures one host again and again.
#[derive(Clone, Debug)]
pub struct Meter {
    proc: PathBuf,
    measuring: Measuring,
    /// The processor times of the previous measurement: busy ticks and total ticks.
    before: Option<(u64, u64)>,
}

impl Meter {
    /// Measures this machine. The processor load is available from the second measurement on.
    pub fn new(measuring: Measuring) -> Meter {
        let mut meter = Meter { proc: "/proc".into(), measuring, before: None };
        meter.before = meter.processors();
        meter
    }

    /// Measures now everything that was asked for.
    pub fn measure(&mut self) -> Vec<Metric> {
        let mut all = Vec::new();
        for name in self.measuring.of.clone() {
            let value = match name {
                "cpu" => self.busy(),
                "load1" => self.read("loadavg").and_then(|t| t.split_whitespace().next()?.parse().ok()),
                "memory_used" => self.read("meminfo").and_then(|t| used(field(&t, "MemTotal:")?, field(&t, "MemAvailable:")?)),
                "swap_used" => self.read("meminfo").and_then(|t| match field(&t, "SwapTotal:")? {
                    0 => Some(0.0),
                    total => used(total, field(&t, "SwapFree:")?),
                }),
                "open_files" => self.read("sys/fs/file-nr").and_then(|t| t.split_whitespace().next()?.parse().ok()),
                _ => None,
            };
            all.extend(value.and_then(thousandths).map(|thousandths| Metric {
                name: name.to_owned(),
                mount: String::new(),
                thousandths,
            }));
        }
        for mount in &self.measuring.mounts {
            let value = disk_used(Path::new(mount)).and_then(thousandths);
            all.extend(value.map(|thousandths| Metric { name: OF_MOUNTS.to_owned(), mount: mount.clone(), thousandths }));
        }
        all
    }

    /// The busy time since the previous measurement, in percent.
    fn busy(&mut self) -> Option<f64> {
        let now = self.processors()?;
        let (worked, all) = self.before.replace(now)?;
        let passed = now.1.checked_sub(all).filter(|passed| *passed > 0)?;
        percent(now.0.saturating_sub(worked).min(passed), passed)
    }

    /// The busy time and the total time of all processors together, in ticks. Time that other guests of the machine used counts
    /// as busy, because it was not available.
    fn processors(&self) -> Option<(u64, u64)> {
        let text = self.read("stat")?;
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        // user nice system idle iowait irq softirq steal. The later columns are included in user and nice.
        let ticks: Vec<u64> = line.split_whitespace().take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
        let idle = ticks.get(3)?.checked_add(ticks.get(4).copied().unwrap_or(0))?;
        let all = ticks.iter().try_fold(0_u64, |sum, n| sum.checked_add(*n))?;
        Some((all - idle, all))
    }

    fn read(&self, path: &str) -> Option<String> {
        String::from_utf8(beginning::of(&self.proc.join(path), BYTES).ok()?).ok()
    }
}

/// The used part of the file system as df(1) reports it: without the blocks that are reserved for root.
fn disk_used(mount: &Path) -> Option<f64> {
    let stat = nix::sys::statvfs::statvfs(mount).ok()?;
    let used = stat.blocks().checked_sub(stat.blocks_free())?;
    percent(used, used.checked_add(stat.blocks_available())?)
}

/// The bytes that the file system of a path has free for this user, and all its bytes; `None` if the system does not say.
pub fn disk_bytes(path: &Path) -> Option<(u64, u64)> {
    let stat = nix::sys::statvfs::statvfs(path).ok()?;
    let bytes = |blocks: u64| blocks.checked_mul(stat.fragment_size());
    Some((bytes(stat.blocks_available())?, bytes(stat.blocks())?))
}

/// A line of meminfo(5), in KB.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|l| l.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

fn used(total: u64, free: u64) -> Option<f64> {
    percent(total.saturating_sub(free), total)
}

#[allow(clippy::cast_precision_loss, reason = "a percentage has a few digits")]
fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}

fn thousandths(value: f64) -> Option<i64> {
    let scaled = (value * 1_000.0).round();
    #[allow(clippy::cast_possible_truncation, reason = "it is within the bounds of i64")]
    (scaled.is_finite() && scaled.abs() < 9e15).then_some(scaled as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn measured(name: &str, files: &[(&str, &str)], of: &[&'static str]) -> Vec<(String, i64)> {
        let proc = std::env::temp_dir().join(format!("pointsman-metrics-{name}-{}", std::process::id()));
        for (path, text) in files {
            fs::create_dir_all(proc.join(path).parent().unwrap()).unwrap();
            fs::write(proc.join(path), text).unwrap();
        }
        let measuring = Measuring { of: of.to_vec(), ..Measuring::default() };
        let mut meter = Meter { proc: proc.clone(), measuring, before: Some((1_000, 10_000)) };
        let all = meter.measure().into_iter().map(|m| (m.name, m.thousandths)).collect();
        let _ = fs::remove_dir_all(proc);
        all
    }

    #[test]
    fn numbers_are_those_of_proc() {
        let files = [
            ("stat", "cpu  1500 0 250 10000 250 0 0 0 7 7\ncpu0 1 2 3\n"),
            ("loadavg", "1.25 0.5 0.1 2/300 4711\n"),
            ("meminfo", "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"),
            ("sys/fs/file-nr", "1234\t0\t9223372036854775807\n"),
        ];
        let all = measured("good", &files, &["cpu", "load1", "memory_used", "swap_used", "open_files"]);
        // Of 2,000 ticks since then, 750 were busy.
        let want = [("cpu", 37_500), ("load1", 1_250), ("memory_used", 60_000), ("swap_used", 0), ("open_files", 1_234_000)];
        assert_eq!(all, want.map(|(n, v)| (n.to_owned(), v)));
    }

    /// Values in an unexpected format are left out, and nothing panics.
    #[test]
    fn odd_contents_are_no_numbers() {
        let all = ["cpu", "load1", "memory_used", "swap_used", "open_files"];
        let huge = u64::MAX.to_string();
        for text in [
            "",
            "\0",
            "cpu ",
            "cpu  -1 2 3",
            "cpu  1 2",
            "MemTotal: 0 kB\nMemAvailable: 5",
            "NaN",
            "inf x",
            "SwapTotal:",
            "1e300",
        ] {
            let files = all_files(text);
            assert_eq!(measured("odd", &files, &all), [], "{text:?}");
        }
        let sum = format!("cpu  {huge} {huge} 1 1 1 1 1 1");
        assert_eq!(measured("sum", &[("stat", &sum)], &["cpu"]), []);
        assert_eq!(measured("back", &[("stat", "cpu  1 1 1 1")], &["cpu"]), [], "the counters went back");
        assert_eq!(measured("none", &[], &all), []);
        assert_eq!(disk_used(Path::new("/no/such/place")), None);
    }

    fn all_files(text: &str) -> [(&str, &str); 4] {
        ["stat", "loadavg", "meminfo", "sys/fs/file-nr"].map(|path| (path, text))
    }

    /// Measures the machine that runs the test.
    #[test]
    fn this_machine_is_measured() {
        let measuring = Measuring { of: vec!["load1", "memory_used"], mounts: vec!["/".to_owned()], ..Measuring::default() };
        let all = Meter::new(measuring).measure();
        assert_eq!(all.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["load1", "memory_used", "disk_used"]);
        assert!(all.iter().all(|m| m.thousandths >= 0), "{all:?}");
    }
}
