//! The form of the journal: the kind and version of its database, its tables, the chain of sums, and the mark of a restore under way.

use std::path::Path;

/// The application id of a journal's database.
pub(super) const KIND: i32 = 0x504d_6a31;
/// Raised when a program could not read what an older one wrote. 2: records form a chain; snapshots are files.
pub(super) const VERSION: i32 = 2;
pub(super) const TABLES: &str = "
    CREATE TABLE record (n INTEGER PRIMARY KEY, line TEXT NOT NULL, sum INTEGER NOT NULL) STRICT;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT";

/// The chain value of a record: the sum of everything up to it.
pub(super) fn chained(before: u32, n: u64, line: &str) -> u32 {
    let mut sum = crc32fast::Hasher::new_with_initial(before);
    sum.update(&n.to_le_bytes());
    sum.update(line.as_bytes());
    sum.finalize()
}

/// While a restore has not ended this folder is there, and the journal is refused.
pub(super) const UNFINISHED: &str = "restore.unfinished";

/// True when a restore was broken off.
pub(super) fn is_unfinished(folder: &Path) -> bool {
    folder.join(UNFINISHED).exists()
}
