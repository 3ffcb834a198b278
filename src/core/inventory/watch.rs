//! What an agent may be asked to look at on its host: whether applications run, and what the host measures.

use std::path::PathBuf;
use std::time::Duration;

use crate::core::base::limits::METRICS_EVERY;

/// What an agent can measure of its host. Those of [`OF_MOUNTS`] are of a mount point each.
pub const METRICS: [&str; 6] = ["cpu", "load1", "memory_used", "swap_used", OF_MOUNTS, "open_files"];

/// The one of which there is a number for each mount point.
pub const OF_MOUNTS: &str = "disk_used";

/// By what an agent sees that an application runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The process whose number stands in this file; of this name, where one is said.
    PidFile(PathBuf, Option<String>),
    /// A unit of systemd: its control group, below `system.slice` unless a path is said.
    Unit(String),
    /// A process of this name, or of this program when it is a whole path.
    Process(String),
}

/// What an agent measures of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measuring {
    pub every: Duration,
    /// Which of [`METRICS`], `disk_used` apart.
    pub of: Vec<&'static str>,
    /// Of which mount points `disk_used`.
    pub mounts: Vec<String>,
}

impl Default for Measuring {
    fn default() -> Measuring {
        Measuring { every: METRICS_EVERY, of: Vec::new(), mounts: Vec::new() }
    }
}
