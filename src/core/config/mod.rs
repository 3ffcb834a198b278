//! The configuration (`pointsman.yaml`): where rules and scripts are, and the inventory, read and checked.
//!
//! ```text
//!   text --yaml--> tree with places --sections--> inventory --policy--> can each resource be moved as it asks?
//! ```
//!
//! Everything that is wrong is reported at once, each with its line and column; unknown, duplicate and dangling names with
//! the near miss. Does not know: files, rules, scripts. Tests: `tests/it/config.rs` with `tests/config/`.

mod access;
mod channels;
mod claims;
mod commands;
mod files;
mod groups;
pub mod keys;
mod policy;
mod routes;
mod sections;
mod sizes;
mod watch;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::core::base::limits::{JOURNAL_AGE, JOURNAL_BYTES};
use crate::core::diag::{Diagnostic, Source};
use crate::core::inventory::{Commands, Inventory, Listening, Measuring, Name, Sign};
use crate::core::yaml;

pub use access::{Access, AccessLevel};
pub use files::{DeclaredFormat, Followed, ListenerZones, Way};
pub use policy::coverage;

#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Machines, programs, pairs, resources, channels.
    pub inventory: Inventory,
    /// Rule files and folders, relative to the configuration's own folder; `rules` unless said.
    pub rules: Vec<PathBuf>,
    /// Where events come from.
    pub listen: Listen,
    /// Files that are followed.
    pub files: Vec<Followed>,
    /// The folder of the journal and the keys, relative to the configuration's own folder; `data` unless said.
    pub data: PathBuf,
    /// The folder of scripts, relative to the configuration's own folder; `scripts`, where that is, unless said.
    pub scripts: Option<PathBuf>,
    /// Who says when files that were changed are taken over.
    pub reload: ReloadPolicy,
    /// The user that the controller runs as when it is started by root; `pointsman`, where there is such a user, unless said.
    pub user: Option<String>,
    /// How much of the journal is kept.
    pub journal: JournalLimits,
    /// Who may use the control socket beside root and the controller's own user.
    pub access: Access,
}

/// How much of the journal is kept, beside what a start needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalLimits {
    /// Records that are older are removed.
    pub keep: Duration,
    /// Bytes of the database from which on the oldest records are removed.
    pub size: u64,
}

impl Default for JournalLimits {
    fn default() -> JournalLimits {
        JournalLimits { keep: JOURNAL_AGE, size: JOURNAL_BYTES }
    }
}

/// Who says when files that were changed are taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReloadPolicy {
    /// An operator, by command or signal.
    #[default]
    Ask,
    /// The files themselves: they are watched.
    Watch,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listen {
    pub udp: Vec<SocketAddr>,
    pub tcp: Vec<SocketAddr>,
    /// The zones of stamps that do not say theirs, of listeners of which that is known.
    pub zones: ListenerZones,
    pub agents: Option<SocketAddr>,
}

/// An agent's own configuration (`agent.yaml`): all that it ever touches.
#[derive(Clone, Debug, Default)]
pub struct Agent {
    /// The host that it is on, as the controller's inventory calls it.
    pub host: Name,
    /// Where the controller is: a name or an address, and a port.
    pub controller: String,
    /// Where it listens for agents of other hosts.
    pub listen: Listening,
    /// The folder of what it obeys and of its keys, relative to the configuration's own folder; `data` unless said.
    pub data: PathBuf,
    /// The user that the agent runs as when it is started by root; `pointsman`, where there is such a user, unless said.
    pub user: Option<String>,
    /// What it may bring up and down, and how.
    pub resources: BTreeMap<Name, LocalResource>,
    /// Applications of the host, and by what each is seen to run.
    pub watch: BTreeMap<Name, Sign>,
    /// What is measured of the host.
    pub metrics: Measuring,
}

/// Something on an agent's own list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalResource {
    /// An address, the length of its network prefix, and the interface.
    Address(IpAddr, u8, String),
    /// What programs bring up and down.
    Commands(Commands),
}

/// Reads an agent's configuration; `None` when it must not be used.
pub fn load_agent(source: &Arc<Source>) -> (Option<Agent>, Vec<Diagnostic>) {
    yaml::load(source, HELP, |root, found| sections::agent(source, root, found))
}

/// Reads a configuration; `None` when it must not be used. What is wrong or unwise is in the diagnostics.
pub fn load(source: &Arc<Source>) -> (Option<Config>, Vec<Diagnostic>) {
    yaml::load(source, HELP, |root, found| sections::config(source, root, found))
}

/// What to do about a configuration that says nothing.
const HELP: &str = "docs/reference/configuration.md names every key; examples/ has complete ones";

/// The data folder of an installed controller.
const CONTROLLER_DATA: &str = "/var/lib/pointsman";
/// The data folder of an installed agent.
const AGENT_DATA: &str = "/var/lib/pointsman-agent";

/// Where the data folder is when the configuration does not say: `/var/lib/pointsman` for an installed system (a file in
/// `/etc/pointsman`), else `data` beside the file. An agent's is apart from the controller's.
fn default_data(source: &Source, installed: &str) -> PathBuf {
    PathBuf::from(if source.name.starts_with("/etc/pointsman/") { installed } else { "data" })
}

/// Where the data folder is, as far as a configuration that must not be used tells: its line `data: FOLDER`, or the default.
pub fn data_of(source: &Source) -> PathBuf {
    let line = source.text.lines().rev().find_map(|l| l.strip_prefix("data:"));
    let said = line.map(|l| l.split(" #").next().unwrap_or(l).trim().trim_matches(['"', '\''])).filter(|said| !said.is_empty());
    said.map_or_else(|| default_data(source, CONTROLLER_DATA), PathBuf::from)
}
