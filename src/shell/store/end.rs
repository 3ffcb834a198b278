//! Records where the journal ends, beside the database: a journal that lost its newest records cannot detect that by itself.
//!
//! The file has two slots of fixed size, which are written in turn, so that an interrupted write leaves the other slot whole. A
//! slot names the newest record that is on the disk, with its chain value. It is written after the database was synced, so it is
//! never ahead of the database. If it is behind, that means nothing. A separate thread syncs this file: the deciding thread only
//! needs one `pwrite`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::Error;

const MAGIC: [u8; 8] = *b"PMend2\0\0";
/// Magic, count, record, chain, controller, checksum.
const SLOT: usize = 8 + 8 + 8 + 4 + 8 + 4;
/// The slots are in different sectors, so that a torn sector damages only one of them.
const APART: u64 = 4096;

/// The newest record that is known to be on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct End {
    /// The number of the record; 0 if nothing was written yet.
    pub(super) n: u64,
    /// The chain value of the record.
    pub(super) chain: u32,
    /// The identity by which agents recognize the controller of this journal; 0 before it was drawn.
    pub(super) controller: u64,
}

/// The end file of a journal that is being written.
#[derive(Debug)]
pub(super) struct EndFile {
    path: PathBuf,
    file: File,
    count: u64,
    wake: Option<SyncSender<()>>,
    syncer: Option<JoinHandle<()>>,
}

/// The path of the end file in a folder.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("journal.end")
}

/// Reads the end file. Returns `Ok(None)` if there is none, and an error text if it cannot be read.
pub(super) fn read(folder: &Path) -> Result<Option<End>, String> {
    match std::fs::read(path(folder)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(format!("it cannot be read: {e}")),
        Ok(bytes) => match newest(&bytes) {
            Some((_, end)) => Ok(Some(end)),
            None => Err("neither of its two slots is whole".to_owned()),
        },
    }
}

fn newest(bytes: &[u8]) -> Option<(u64, End)> {
    let slot = |i: usize| bytes.get(i * APART as usize..).and_then(|b| b.get(..SLOT)).and_then(decode);
    [slot(0), slot(1)].into_iter().flatten().max_by_key(|(count, _)| *count)
}

fn encode(count: u64, end: End) -> [u8; SLOT] {
    let mut bytes = Vec::with_capacity(SLOT);
    bytes.extend(MAGIC);
    bytes.extend(count.to_le_bytes());
    bytes.extend(end.n.to_le_bytes());
    bytes.extend(end.chain.to_le_bytes());
    bytes.extend(end.controller.to_le_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    let mut slot = [0; SLOT];
    slot.copy_from_slice(&bytes);
    slot
}

fn decode(slot: &[u8]) -> Option<(u64, End)> {
    let (body, sum) = slot.split_at_checked(SLOT - 4)?;
    if crc32fast::hash(body).to_le_bytes() != sum || body[..8] != MAGIC {
        return None;
    }
    let long = |at: usize| body[at..at + 8].try_into().map(u64::from_le_bytes).unwrap_or_default();
    let chain = body[24..28].try_into().map(u32::from_le_bytes).unwrap_or_default();
    Some((long(8), End { n: long(16), chain, controller: long(28) }))
}

impl EndFile {
    /// Opens the file for writing, or creates it. Its content stays until the next [`EndFile::write`].
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn open(folder: &Path) -> Result<EndFile, Error> {
        let path = path(folder);
        let wrong = |e: io::Error| Error::new(&path, format!("it cannot be opened for writing: {e}"));
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(wrong)?;
        let mut bytes = vec![0; APART as usize + SLOT];
        let mut read = 0;
        while read < bytes.len() {
            match file.read_at(&mut bytes[read..], read as u64).map_err(wrong)? {
                0 => break,
                n => read += n,
            }
        }
        let count = newest(&bytes[..read]).map_or(0, |(count, _)| count);
        let (wake, woken): (SyncSender<()>, Receiver<()>) = sync_channel(1);
        let synced = file.try_clone().map_err(wrong)?;
        let work = move || {
            while woken.recv().is_ok() {
                // If a sync fails, only the knowledge about the last moments is lost. The database was synced before.
                let _ = synced.sync_data();
            }
        };
        let syncer = thread::Builder::new().name("journal-end".to_owned()).spawn(work).map_err(wrong)?;
        Ok(EndFile { path, file, count, wake: Some(wake), syncer: Some(syncer) })
    }

    /// Writes the end. Other processes see it at once, and a separate thread syncs it soon.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn write(&mut self, end: End) -> Result<(), Error> {
        self.count += 1;
        let at = (self.count % 2) * APART;
        self.file
            .write_all_at(&encode(self.count, end), at)
            .map_err(|e| Error::new(&self.path, format!("it cannot be written: {e}")))?;
        if let Some(wake) = &self.wake {
            // A full channel means that the syncing thread is about to sync anyway.
            let _ = wake.try_send(());
        }
        Ok(())
    }

    /// Writes the end into both slots and syncs before returning.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn write_now(&mut self, end: End) -> Result<(), Error> {
        self.write(end)?;
        self.write(end)?;
        self.file.sync_all().map_err(|e| Error::new(&self.path, format!("it cannot be synced: {e}")))
    }
}

impl Drop for EndFile {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(syncer) = self.syncer.take() {
            let _ = syncer.join();
        }
        let _ = self.file.sync_data();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_of_a_slot_is_noticed() {
        let end = End { n: 77, chain: 0xdead_beef, controller: 1 << 60 };
        let slot = encode(3, end);
        assert_eq!(decode(&slot), Some((3, end)));
        for bit in 0..SLOT * 8 {
            let mut damaged = slot;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&damaged), None, "{bit}");
        }
        for short in 0..SLOT {
            assert_eq!(decode(&slot[..short]), None);
        }
    }
}
