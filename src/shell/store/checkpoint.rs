//! Writes the pages of the journal's write-ahead log into the database, on a thread of its own: a sync of the deciding thread then
//! only appends to the log. Without it, each sync in a storm of alarms would also wait for the database.
//!
//! If the thread cannot keep up, the log grows to the pages of [`super::log_pages`]; then the deciding thread does the work itself.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{Error, LOG_PAGES, PAGE};

/// The bytes that are written between two checkpoints, roughly.
const EVERY: u64 = (LOG_PAGES * PAGE) as u64;
/// The bytes that each commit writes in addition to its records: two pages.
const COMMIT_BYTES: u64 = 2 * PAGE as u64;

/// The thread, and how much was written since it was woken.
#[derive(Debug)]
pub(super) struct Checkpointer {
    written: u64,
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread for a database that another connection writes.
    ///
    /// # Errors
    /// When the database cannot be opened, or no thread can be started.
    pub(super) fn start(path: &Path) -> Result<Checkpointer, Error> {
        let wrong = |e: rusqlite::Error| Error::of(path, &e);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(wrong)?;
        db.busy_timeout(Duration::ZERO).map_err(wrong)?;
        let (wake, woken): (SyncSender<()>, Receiver<()>) = sync_channel(1);
        let work = move || {
            while woken.recv().is_ok() {
                // `PASSIVE` waits for nobody. What it leaves, or a failure, is left to the next one.
                let _ = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            }
        };
        let named = thread::Builder::new().name("journal-pages".to_owned());
        let thread = named.spawn(work).map_err(|e| Error::new(path, format!("no thread can be started for it: {e}")))?;
        Ok(Checkpointer { written: 0, wake: Some(wake), thread: Some(thread) })
    }

    /// Takes note of a record with this many bytes.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64;
    }

    /// Takes note of a commit, and wakes the thread if enough was written.
    pub(super) fn committed(&mut self) {
        self.written += COMMIT_BYTES;
        if self.written >= EVERY
            && let Some(wake) = &self.wake
        {
            self.written = 0;
            // A full channel means that the thread is about to look anyway.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
