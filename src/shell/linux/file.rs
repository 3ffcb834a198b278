//! Files of an administrator, opened without trusting what their path refers to.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::libc;

/// S_IWOTH of chmod(2): others may write.
const OTHERS_WRITE: u32 = 0o002;
/// S_ISVTX: a user who may write a folder with this bit may not replace the files of others in it.
const STICKY: u32 = 0o1000;

/// Opens a regular file for reading. Anything else is refused at once: neither opening nor reading waits for another program.
///
/// # Errors
/// The errors of the system, or the kind of the file if it is not a regular file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {}, and must be a regular file", kind_of(kind))))
}

/// Creates a file of this length whose blocks belong to it, so that the disk has them for whoever removes the file.
///
/// # Errors
/// The errors of the system: no room, or a file system that cannot do this.
pub fn allocate(path: &Path, bytes: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let length = libc::off_t::try_from(bytes).map_err(io::Error::other)?;
    nix::fcntl::posix_fallocate(file, 0, length)?;
    Ok(())
}

/// The kind as a text: `a folder`, `a FIFO`, `a device`, `a socket`, `a regular file`.
pub fn kind_of(kind: fs::FileType) -> &'static str {
    match () {
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_char_device() || kind.is_block_device() => "a device",
        () if kind.is_socket() => "a socket",
        () => "a regular file",
    }
}

/// Returns the file, or the first folder above it, that every user of this machine may change. Folders in which users cannot
/// replace the files of others (such as /tmp) are accepted.
pub fn writable_by_others(path: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().ok()?;
    let mode = |path: &Path| fs::metadata(path).map_or(0, |m| m.mode());
    if mode(&path) & OTHERS_WRITE != 0 && !path.is_dir() {
        return Some(path);
    }
    let folders = path.ancestors().skip(usize::from(!path.is_dir()));
    folders.filter(|f| mode(f) & (OTHERS_WRITE | STICKY) == OTHERS_WRITE).map(Path::to_owned).next()
}
