//! The processes that a program has started and left running, in whatever session they are.
//!
//! ```text
//!   command --POINTSMAN_COMMAND=<process>-<number>--> inherited by all that it starts --> found in /proc, and ended
//! ```
//!
//! Ending a process group ends only the processes in it. A process with a session of its own (`setsid`, a daemon) has left the
//! group, and its parent may have ended. The variable that it inherited still says which command started it. A process that
//! clears its environment is not found. Tests: `tests/system/bad.rs`.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The variable that says which command a process comes from.
const VARIABLE: &str = "POINTSMAN_COMMAND";
/// The number of searches for processes that were started while others were being ended.
const ROUNDS: usize = 16;

/// What happens to processes in sessions of their own when a command ends in time. If a command does not end in time, they are
/// always ended with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftovers {
    /// Every process of the command is ended.
    End,
    /// Processes in sessions of their own stay, because bringing a resource up may mean starting a service.
    Stay,
}

/// Distinguishes the processes of one command from all others.
#[derive(Debug)]
pub(super) struct Mark(String);

impl Mark {
    pub(super) fn new() -> Mark {
        static COMMANDS: AtomicU64 = AtomicU64::new(0);
        Mark(format!("{}-{}", std::process::id(), COMMANDS.fetch_add(1, Ordering::Relaxed)))
    }

    /// The variable and its value, for the command's environment.
    pub(super) fn variable(&self) -> (&'static str, &str) {
        (VARIABLE, &self.0)
    }

    /// Ends every process that has the mark.
    pub(super) fn end_all(&self) {
        let entry = format!("{VARIABLE}={}", self.0);
        for _ in 0..ROUNDS {
            let marked = marked(entry.as_bytes());
            if marked.is_empty() {
                return;
            }
            for process in marked {
                // The process may have ended meanwhile.
                let _ = kill(process, Signal::SIGKILL);
            }
        }
    }
}

/// The processes that have this text in their environment. A process that has ended has no environment.
fn marked(entry: &[u8]) -> Vec<Pid> {
    let own = std::process::id();
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = all.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok()).filter(|process| *process != own);
    let has_mark = |process: &u32| {
        // The processes of other users cannot be read. They were not started here.
        let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == entry)
    };
    processes.filter(has_mark).filter_map(|process| i32::try_from(process).ok()).map(Pid::from_raw).collect()
}
