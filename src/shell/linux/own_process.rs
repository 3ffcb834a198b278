//! What this process uses: processor time, memory, file descriptors.

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};
use nix::sys::time::TimeValLike as _;

use super::beginning;

/// The number of bytes of `/proc/self/status` that are read.
const BYTES: u64 = 64 * 1_024;

/// What this process uses now. A value that the kernel does not tell is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessUse {
    /// Processor time since its start, user and system, in microseconds.
    pub processor_micros: Option<u64>,
    pub resident_bytes: Option<u64>,
    pub open_files: Option<u64>,
    /// The number of files that it may open.
    pub open_files_most: Option<u64>,
}

impl ProcessUse {
    /// Asks the kernel what this process uses.
    pub fn now() -> ProcessUse {
        let processor = getrusage(UsageWho::RUSAGE_SELF).ok();
        let status = beginning::of(std::path::Path::new("/proc/self/status"), BYTES).unwrap_or_default();
        let status = String::from_utf8_lossy(&status);
        let resident = Some(&status).and_then(|text| text.lines().find_map(|l| l.strip_prefix("VmRSS:")));
        let kilobytes = resident.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        let files = std::fs::read_dir("/proc/self/fd").ok().map(|all| all.count() as u64);
        ProcessUse {
            processor_micros: processor
                .and_then(|u| u64::try_from(u.user_time().num_microseconds() + u.system_time().num_microseconds()).ok()),
            resident_bytes: kilobytes.map(|kb| kb * 1_024),
            // The folder itself is open while it is read.
            open_files: files.map(|n| n.saturating_sub(1)),
            open_files_most: getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_what_this_process_uses() {
        let used = ProcessUse::now();
        assert!(used.processor_micros.is_some() && used.open_files.is_some_and(|n| n >= 3), "{used:?}");
        assert!(used.resident_bytes.is_some_and(|bytes| bytes > 1_000_000), "{used:?}");
        assert!(used.open_files <= used.open_files_most, "{used:?}");
    }
}
