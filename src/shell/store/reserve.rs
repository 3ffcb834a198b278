//! A file that keeps a part of the disk for the journal: `journal.reserve`. When the disk is full, it is removed, and the journal
//! goes on while old records are removed and people make room. Otherwise another program that fills the disk within seconds would
//! end the controller.

use std::fs;
use std::path::{Path, PathBuf};

use crate::core::base::limits::JOURNAL_RESERVE;
use crate::shell::linux::{disk_bytes, file::allocate};

/// A start requires so many bytes. If fewer are free, it takes the reserve.
const START_BYTES: u64 = 4 << 20;

/// The reserve of a journal.
#[derive(Debug)]
pub(super) struct DiskReserve {
    path: PathBuf,
    /// The number of bytes that the reserve should have.
    bytes: u64,
}

impl DiskReserve {
    /// The reserve of a folder, for a journal that leaves `free` bytes of its disk. A reserve that is there stays.
    pub(super) fn of(folder: &Path, free: u64) -> DiskReserve {
        DiskReserve { path: folder.join("journal.reserve"), bytes: JOURNAL_RESERVE.min(free / 2) }
    }

    /// Takes the room for the reserve, if the disk has twice as much free. A file system that cannot do so has no reserve.
    pub(super) fn take(&self) {
        let there = fs::metadata(&self.path).map_or(0, |meta| meta.len());
        let free = self.path.parent().and_then(disk_bytes).map_or(0, |(free, _)| free);
        if there < self.bytes && free >= 2 * self.bytes && allocate(&self.path, self.bytes).is_err() {
            let _ = fs::remove_file(&self.path);
        }
    }

    /// Gives the room back to the disk. Returns false if there was none.
    pub(super) fn give_back(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|meta| meta.len() > 0) && fs::remove_file(&self.path).is_ok()
    }

    /// Gives the room back if the disk has too little for a start.
    pub(super) fn give_back_for_start(&self) {
        if self.path.parent().and_then(disk_bytes).is_some_and(|(free, _)| free < START_BYTES) {
            self.give_back();
        }
    }
}
