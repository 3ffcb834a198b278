//! Recognizes a store that was copied, for example put back from a backup of the file system.
//!
//! A copy is complete in itself, so its content does not show that it may be older than what was acted on. But its files are new
//! files. Beside a database, a small file (`journal.place`, `agent.place`) has the identity of the database's file: its inode
//! number and its time of birth, which no copy shares. A snapshot of a whole file system or machine has the same identities, so
//! this does not recognize it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

fn place(file: &Path) -> PathBuf {
    file.with_extension("place")
}

fn identity(file: &Path) -> io::Result<String> {
    let meta = fs::metadata(file)?;
    // Some file systems do not know when a file was made.
    let born = meta.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map_or(0, |span| span.as_nanos());
    Ok(format!("{} {born}\n", meta.ino()))
}

/// True if the file is not the one that [`remember`] has seen. `has_place` is what the store itself says: whether it had a place
/// file. A copy without its place file is a copy too; a store of an earlier version never had one.
///
/// # Errors
/// The errors of the system.
pub(super) fn is_copy(file: &Path, has_place: bool) -> io::Result<bool> {
    match fs::read_to_string(place(file)) {
        Ok(known) => Ok(known != identity(file)?),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(has_place),
        Err(e) => Err(e),
    }
}

/// True if the file was deleted, moved or replaced since [`remember`] has seen it. A file that was never seen is in its place.
pub(super) fn is_moved(file: &Path) -> bool {
    fs::read_to_string(place(file)).is_ok_and(|known| identity(file).map_or(true, |now| now != known))
}

/// Remembers the identity of a file.
///
/// # Errors
/// The errors of the system.
pub(super) fn remember(file: &Path) -> io::Result<()> {
    let (place, identity) = (place(file), identity(file)?);
    if fs::read_to_string(&place).is_ok_and(|known| known == identity) {
        return Ok(());
    }
    let partial = place.with_extension("place.partial");
    let mut to = File::options().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    to.write_all(identity.as_bytes())?;
    to.sync_all()?;
    fs::rename(&partial, &place)
}
