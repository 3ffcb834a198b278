//! Users and groups of this machine, and what this process's user may change.

use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{AccessFlags, Group, User, access, geteuid};

/// True if this machine has such a user. It is also true if users cannot be looked up.
pub fn has_user(name: &str) -> bool {
    !matches!(User::from_name(name), Ok(None))
}

/// True if this machine has such a group. It is also true if groups cannot be looked up.
pub fn has_group(name: &str) -> bool {
    !matches!(Group::from_name(name), Ok(None))
}

/// True if this process runs as root.
pub fn is_root() -> bool {
    geteuid().is_root()
}

/// The name of the user that this process runs as, or its number.
pub fn current_user() -> String {
    let user = geteuid();
    User::from_uid(user).ok().flatten().map_or_else(|| user.to_string(), |user| user.name)
}

/// Why a folder cannot be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderRefusal {
    /// Its file system is read-only for everybody.
    ReadOnly,
    /// This process's user lacks the permission.
    Permission,
}

/// Whether files can be made in a folder. `None` means that they can, as far as the system says.
pub fn refused_by(folder: &Path) -> Option<FolderRefusal> {
    match access(folder, AccessFlags::W_OK | AccessFlags::X_OK) {
        Err(Errno::EROFS) => Some(FolderRefusal::ReadOnly),
        Err(Errno::EACCES) => Some(FolderRefusal::Permission),
        _ => None,
    }
}
