//! The default paths of configurations.

use std::path::{Path, PathBuf};

/// The configuration folder of an installed system.
pub const SYSTEM: &str = "/etc/pointsman";

/// The controller's configuration: the given path, else `./pointsman.yaml`, else `/etc/pointsman/pointsman.yaml`. If neither
/// exists, it is the first, so that a message names the nearest file.
pub fn controller(given: Option<&Path>) -> PathBuf {
    find(given, "pointsman.yaml")
}

/// The agent's configuration: the same as [`controller`], for `agent.yaml`.
pub fn agent(given: Option<&Path>) -> PathBuf {
    find(given, "agent.yaml")
}

/// The folder to which the paths in a configuration are relative.
pub fn folder(config: &Path) -> &Path {
    config.parent().unwrap_or(Path::new(""))
}

fn find(given: Option<&Path>, name: &str) -> PathBuf {
    let here = PathBuf::from(name);
    let installed = Path::new(SYSTEM).join(name);
    match given {
        Some(given) => given.to_owned(),
        None if !here.exists() && installed.exists() => installed,
        None => here,
    }
}
