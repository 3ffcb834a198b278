//! Where the configuration is when the command line does not say.

use std::path::{Path, PathBuf};

/// The folder of an installed system.
pub const SYSTEM: &str = "/etc/pointsman";

/// The controller's configuration: the one that was given, else `./pointsman.yaml`, else `/etc/pointsman/pointsman.yaml`. When
/// neither exists it is the first, so that a message names the nearest file.
pub fn controller(given: Option<&Path>) -> PathBuf {
    find(given, "pointsman.yaml")
}

/// The agent's configuration: as [`controller`], for `agent.yaml`.
pub fn agent(given: Option<&Path>) -> PathBuf {
    find(given, "agent.yaml")
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
