//! What an agent can watch on its host: whether applications run, and metrics of the host.

use std::path::PathBuf;
use std::time::Duration;

use crate::core::base::limits::METRICS_EVERY;

/// The metrics that an agent can measure. [`OF_MOUNTS`] has one value for each mount point.
pub const METRICS: [&str; 6] = ["cpu", "load1", "memory_used", "swap_used", OF_MOUNTS, "open_files"];

/// The only metric with one value for each mount point.
pub const OF_MOUNTS: &str = "disk_used";

/// How an agent sees that an application runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The process whose number is in this file. If there is a name, the process must have it.
    PidFile(PathBuf, Option<String>),
    /// A unit of systemd: its control group, below `system.slice` if it is not a path.
    Unit(String),
    /// A process of this name, or of this program if it is a whole path.
    Process(String),
}

/// What an agent measures of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measuring {
    pub every: Duration,
    /// Which of [`METRICS`] except `disk_used`.
    pub of: Vec<&'static str>,
    /// The mount points of `disk_used`.
    pub mounts: Vec<String>,
}

impl Default for Measuring {
    fn default() -> Measuring {
        Measuring { every: METRICS_EVERY, of: Vec::new(), mounts: Vec::new() }
    }
}
