//! The default paths of configurations.

use std::path::{Path, PathBuf};

/// The configuration folder of an installed system.
pub const SYSTEM: &str = "/etc/pointsman";
/// The name of the controller's configuration.
const CONTROLLER: &str = "pointsman.yaml";
/// The name of the agent's configuration.
const AGENT: &str = "agent.yaml";

/// The controller's configuration: the given path, else `./pointsman.yaml`, else `/etc/pointsman/pointsman.yaml`. If neither
/// exists, it is the first, so that a message names the nearest file.
pub fn controller(given: Option<&Path>) -> PathBuf {
    find(given, CONTROLLER)
}

/// The agent's configuration: the same as [`controller`], for `agent.yaml`.
pub fn agent(given: Option<&Path>) -> PathBuf {
    find(given, AGENT)
}

/// What to do if there is no such file.
pub fn help_if_missing(path: &Path) -> &'static str {
    match path.to_str() {
        Some(CONTROLLER) => "there is none in /etc/pointsman either: go to the folder of the site, or name the file with -c",
        Some(AGENT) => {
            "there is none in /etc/pointsman either: write it, as `pointsman agent --help` shows, or name the file with -c"
        }
        _ => "is the path right? A path in a configuration is relative to the folder of that file",
    }
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
