//! The format of the journal: the kind and version of its database, its tables, the chain of checksums, and the mark of an
//! unfinished restore.

use std::path::Path;

/// The application id of a journal's database.
pub(super) const KIND: i32 = 0x504d_6a31;
/// Increased when an older program would misread a journal: it then refuses the journal. 2: records form a chain, snapshots are
/// files. 3: there are runs with `mode dry`, which an older program would carry out.
pub(super) const VERSION: i32 = 3;
/// The versions that this program continues.
pub(super) const KNOWN_VERSIONS: [i32; 3] = [1, 2, VERSION];
pub(super) const TABLES: &str = "
    CREATE TABLE record (n INTEGER PRIMARY KEY, line TEXT NOT NULL, sum INTEGER NOT NULL) STRICT;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT";

/// The chain value of a record: the checksum of everything up to it.
pub(super) fn chained(before: u32, n: u64, line: &str) -> u32 {
    let mut sum = crc32fast::Hasher::new_with_initial(before);
    sum.update(&n.to_le_bytes());
    sum.update(line.as_bytes());
    sum.finalize()
}

/// The folder that exists while a restore has not ended. The journal is refused until then.
pub(super) const UNFINISHED: &str = "restore.unfinished";

/// True if a restore was interrupted.
pub(super) fn is_unfinished(folder: &Path) -> bool {
    folder.join(UNFINISHED).exists()
}
