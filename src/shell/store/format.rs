//! The form of the journal's database: its kind and version, its tables, and the chain of sums.

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
