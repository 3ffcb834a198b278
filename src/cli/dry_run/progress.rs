//! How far a long log was read, for who waits: a bar with rate and time left on a terminal.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Lines after which the bar is looked at.
const LINES: u64 = 20_000;
/// Times in a second that it is drawn, at most.
const HERTZ: u8 = 5;

/// A file that counts what was read of it, as it lies on the disk: of what is packed the packed bytes.
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
    /// The line at which the bar is looked at.
    at: u64,
}

impl ReadProgress {
    /// Of logs with so many bytes, where that is known of all; `entries` are written to standard output meanwhile, which a bar would disturb on a
    /// terminal.
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

    /// So many lines were read.
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

    /// The bar goes.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
