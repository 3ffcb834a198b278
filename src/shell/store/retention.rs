//! Which records are kept: by age, by the size of the database, and by the room on its disk.
//!
//! A journal that fills its disk ends the controller, and a start needs room as well. Therefore records expire before their time
//! if the disk has little room left. The file does not shrink, but its free pages are used again, so the database does not grow.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::core::base::limits::{JOURNAL_AGE, JOURNAL_BYTES, JOURNAL_DISK_FREE};
use crate::core::base::time::{Time, duration_text};
use crate::shell::linux::disk_bytes;

use super::Error;
use super::reader::JournalReader;

/// How long records are kept, in addition to those that a start needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Records that are older than this may be removed.
    pub age: Duration,
    /// The size of the database in bytes from which on the oldest records are removed.
    pub bytes: u64,
    /// The number of bytes that the disk must have free. If it has fewer, the oldest records are removed.
    pub free: u64,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention { age: JOURNAL_AGE, bytes: JOURNAL_BYTES, free: JOURNAL_DISK_FREE }
    }
}

impl Retention {
    /// How long records are kept in a folder. On a small disk, a quarter of it is left free.
    pub fn of_folder(folder: &Path, age: Duration, bytes: u64) -> Retention {
        let quarter = disk_bytes(folder).map_or(u64::MAX, |(_, all)| all / 4);
        Retention { age, bytes, free: JOURNAL_DISK_FREE.min(quarter) }
    }
}

/// The text for messages: `400d and 4096 MiB`.
impl std::fmt::Display for Retention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} and {} MiB", duration_text(self.age), self.bytes >> 20)
    }
}

/// The number below which records are too old, or exceed the size limit or the room on the disk.
///
/// # Errors
/// When the database cannot be read.
pub(super) fn expired_below(folder: &Path, retention: Retention, newest: Option<Time>) -> Result<u64, Error> {
    let reader = JournalReader::open(folder)?;
    let (first, last) = reader.range()?;
    let by_age = match newest {
        Some(newest) => reader.first_since(newest - retention.age)?,
        None => first,
    };
    // The database may grow until the disk has only left what must stay free. Its own free pages belong to the room that it has.
    let file = fs::metadata(reader.path()).map(|meta| meta.len()).unwrap_or_default();
    let room = disk_bytes(folder).map_or(u64::MAX, |(free, _)| file.saturating_add(free).saturating_sub(retention.free));
    let bytes = reader.live_bytes()?;
    let excess = bytes.saturating_sub(retention.bytes.min(room));
    // The average length of records is stable in the long run, and the next snapshot checks this again.
    let by_size = match u128::from(excess) * u128::from(last.saturating_sub(first)) / u128::from(bytes.max(1)) {
        0 => first,
        n => first + u64::try_from(n).unwrap_or_default(),
    };
    Ok(by_age.max(by_size))
}
