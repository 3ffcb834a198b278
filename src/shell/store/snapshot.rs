//! Snapshots: the fold of the records up to one of them, each in a separate file beside the database.
//!
//! A snapshot is one line of JSON (the state), then one line with the number of its record and the checksum of both. A separate
//! thread makes it from the database under another name, syncs it and renames it. The deciding thread neither waits for it nor
//! lends its state, and a snapshot that could not be finished only makes the next start longer.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::core::base::limits::SNAPSHOT_BYTES;
use crate::core::journal::State;

use super::Error;

/// The number of snapshots that are kept. If the newest one is damaged, the one before and the records since still give the
/// state.
const KEPT: usize = 2;

/// The last line of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seal {
    /// The number of the record.
    record: u64,
    /// The chain value of the record.
    chain: u32,
    /// The number of bytes of the state.
    bytes: u64,
    /// The checksum of the state and of the numbers above.
    sum: u32,
}

/// A snapshot that was read.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) n: u64,
    pub(super) chain: u32,
    pub(super) bytes: u64,
    pub(super) state: State,
}

/// The result of making a snapshot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made {
    pub(super) n: u64,
    pub(super) bytes: u64,
    /// Records below this number are older than the oldest snapshot that is kept, so they may be removed.
    pub(super) spare_below: u64,
}

fn name(n: u64) -> String {
    format!("snapshot-{n:020}.json")
}

/// The snapshots of a folder by the number of their record, the newest first.
pub(super) fn list(folder: &Path) -> Vec<(u64, PathBuf)> {
    let number = |path: PathBuf| {
        let text = path.file_name()?.to_str()?.strip_prefix("snapshot-")?.strip_suffix(".json")?.to_owned();
        Some((text.parse().ok()?, path))
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(u64, PathBuf)> = entries.filter_map(|e| number(e.path())).collect();
    found.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    found
}

fn seal(record: u64, chain: u32, bytes: u64, state: u32) -> Seal {
    let mut sum = crc32fast::Hasher::new_with_initial(state);
    sum.update(&record.to_le_bytes());
    sum.update(&chain.to_le_bytes());
    sum.update(&bytes.to_le_bytes());
    Seal { record, chain, bytes, sum: sum.finalize() }
}

/// Reads a snapshot. Returns an error text if it is damaged.
pub(super) fn read(path: &Path) -> Result<Snapshot, String> {
    let bytes = fs::read(path).map_err(|e| format!("it cannot be read: {e}"))?;
    parse(&bytes)
}

/// Parses the bytes of a snapshot. Returns an error text if they are damaged.
pub(super) fn parse(bytes: &[u8]) -> Result<Snapshot, String> {
    let cut = "it is cut short or damaged";
    let end = bytes.strip_suffix(b"\n").ok_or(cut)?;
    let at = end.iter().rposition(|b| *b == b'\n').ok_or(cut)?;
    let (state, last) = (&end[..at], &end[at + 1..]);
    let found: Seal = serde_json::from_slice(last).map_err(|_| cut)?;
    if found != seal(found.record, found.chain, state.len() as u64, crc32fast::hash(state)) {
        return Err(cut.to_owned());
    }
    let state = serde_json::from_slice(state).map_err(|e| format!("another version of the program wrote it ({e})"))?;
    Ok(Snapshot { n: found.record, chain: found.chain, bytes: found.bytes, state })
}

/// Passes on what is written, with its number of bytes and its checksum. Fails if there are too many bytes, or if the program ends.
struct SummingWriter<'c, W> {
    to: W,
    sum: crc32fast::Hasher,
    bytes: u64,
    stop: &'c AtomicBool,
}

impl<W: Write> Write for SummingWriter<'_, W> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("the program ends"));
        }
        if self.bytes + part.len() as u64 > SNAPSHOT_BYTES {
            return Err(io::Error::other(format!(
                "the state is larger than {} MiB; alarms keep too much, or for too many keys",
                SNAPSHOT_BYTES >> 20
            )));
        }
        let n = self.to.write(part)?;
        self.sum.update(&part[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Writes a snapshot and removes the oldest ones. On a full disk, the older of the two that are there makes room, if the newer one
/// is whole: without snapshots, no record could be removed, and the journal would not go on for long.
///
/// # Errors
/// When the disk refuses, or the state is too large.
pub(super) fn write(folder: &Path, n: u64, chain: u32, state: &State, stop: &AtomicBool) -> Result<Made, Error> {
    let mut written = write_once(folder, n, chain, state, stop);
    if written.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::StorageFull) {
        let there = list(folder);
        if let [(_, newest), .., (_, oldest)] = &there[..]
            && read(newest).is_ok()
            && fs::remove_file(oldest).is_ok()
        {
            written = write_once(folder, n, chain, state, stop);
        }
    }
    let bytes = written.map_err(|e| Error::new(&folder.join(name(n)), format!("the snapshot cannot be written: {e}")))?;
    let all = list(folder);
    for (_, old) in all.iter().skip(KEPT) {
        let _ = fs::remove_file(old);
    }
    Ok(Made { n, bytes, spare_below: spare_below(&all) })
}

/// Returns the number of bytes of the state.
fn write_once(folder: &Path, n: u64, chain: u32, state: &State, stop: &AtomicBool) -> io::Result<u64> {
    let partial = folder.join("snapshot.partial");
    let written = (|| {
        let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        let mut out = SummingWriter { to: BufWriter::new(file), sum: crc32fast::Hasher::new(), bytes: 0, stop };
        // The buffer is needed because the JSON is written in very small pieces.
        let mut buffered = BufWriter::with_capacity(64 * 1024, &mut out);
        serde_json::to_writer(&mut buffered, state)?;
        buffered.flush()?;
        drop(buffered);
        let SummingWriter { mut to, sum, bytes, .. } = out;
        to.write_all(b"\n")?;
        serde_json::to_writer(&mut to, &seal(n, chain, bytes, sum.finalize()))?;
        to.write_all(b"\n")?;
        to.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&partial, folder.join(name(n)))?;
        File::open(folder)?.sync_all()?;
        Ok(bytes)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written
}

/// The number below which no record is needed for a start from these snapshots, the newest first.
pub(super) fn spare_below(all: &[(u64, PathBuf)]) -> u64 {
    all.get(KEPT - 1).map_or(0, |(n, _)| *n)
}
