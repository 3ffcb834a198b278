//! Shows how much of a long log was read: a bar with rate and remaining time on a terminal.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The number of lines after which the bar is updated.
const LINES: u64 = 20_000;
/// The maximum number of updates per second.
const HERTZ: u8 = 5;

/// A file that counts how much of it was read on the disk: for a compressed file, the compressed bytes.
pub(super) struct CountedFile {
    file: File,
    read: Arc<AtomicU64>,
}

impl CountedFile {
    pub(super) fn new(file: File) -> (CountedFile, Arc<AtomicU64>) {
        let read = Arc::new(AtomicU64::new(0));
        (CountedFile { file, read: read.clone() }, read)
    }
}

impl Read for CountedFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// How much of the logs was read.
pub(super) struct ReadProgress {
    bar: Option<ProgressBar>,
    read: Vec<Arc<AtomicU64>>,
    /// The line at which the bar is updated next.
    at: u64,
}

impl ReadProgress {
    /// Makes a progress bar for logs with this total size, if all sizes are known. `entries` says that entries are written to
    /// standard output meanwhile. On a terminal, a bar would disturb them.
    pub(super) fn new(bytes: Option<u64>, read: Vec<Arc<AtomicU64>>, entries: bool) -> ReadProgress {
        let shows = io::stderr().is_terminal() && !(entries && io::stdout().is_terminal());
        let bar = shows.then(|| {
            let bar = ProgressBar::with_draw_target(bytes, ProgressDrawTarget::stderr_with_hz(HERTZ));
            let form = match bytes {
                Some(_) => "{bar:30} {percent:>3} %  {msg}  {bytes_per_sec}  {eta} left",
                None => "{spinner} {msg}  {elapsed}",
            };
            bar.set_style(ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        ReadProgress { bar, read, at: 0 }
    }

    /// Updates the bar after this number of lines.
    pub(super) fn at_line(&mut self, line: u64) {
        if line < self.at {
            return;
        }
        self.at = line + LINES;
        if let Some(bar) = &self.bar {
            bar.set_position(self.read.iter().map(|read| read.load(Ordering::Relaxed)).sum());
            bar.set_message(format!("{line} lines"));
        }
    }

    /// Removes the bar.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
