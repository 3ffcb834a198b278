//! The configuration (`pointsman.yaml`): the folders of rules and scripts, and the inventory, read and checked.
//!
//! ```text
//!   text --yaml--> tree with places --sections--> inventory --policy--> can each resource be moved as it asks?
//! ```
//!
//! Everything that is wrong is reported at once, each with its line and column. Unknown, duplicate and dangling names are
//! reported with the nearest valid name. This module does not know files, rules or scripts. Tests: `tests/it/config.rs` with
//! `tests/config/`.

mod access;
mod channels;
mod claims;
mod commands;
mod files;
mod groups;
pub mod keys;
mod listen;
mod metrics;
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
use crate::core::diag::{Diagnostic, Place, Source};
use crate::core::inventory::{Commands, Inventory, Listening, Measuring, Name, Sign};
use crate::core::yaml;

pub use access::{Access, AccessLevel};
pub use files::{DeclaredFormat, Followed, ListenerZones, Transport};
pub use metrics::{CertificateFiles, MetricsListener};
pub use policy::coverage;

/// A `pointsman.yaml` that was read and checked.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The hosts, applications, pairs, resources and channels.
    pub inventory: Inventory,
    /// Rule files and folders, relative to the folder of the configuration; default: `rules`.
    pub rules: Vec<PathBuf>,
    /// The listeners for events and agents.
    pub listen: Listen,
    /// The log files that are followed.
    pub files: Vec<Followed>,
    /// The folder of the journal and the keys, relative to the folder of the configuration; default: `data`.
    pub data: PathBuf,
    /// The folder of scripts, relative to the folder of the configuration; default: `scripts`, if there is such a folder.
    pub scripts: Option<PathBuf>,
    /// When changed files are loaded.
    pub reload: ReloadPolicy,
    /// The user that the controller runs as if root starts it; default: `pointsman`, if there is such a user.
    pub user: Option<String>,
    /// How much of the journal is kept.
    pub journal: JournalLimits,
    /// Who may use the control socket, in addition to root and the controller's own user.
    pub access: Access,
    /// Where monitoring systems ask; `None` means nowhere.
    pub metrics: Option<MetricsListener>,
    /// Where it names things of the machine.
    pub places: ConfigPlaces,
}

/// Where a configuration names things of the machine that it runs on, for diagnostics about them. `None` means that it names
/// none.
#[derive(Clone, Debug, Default)]
pub struct ConfigPlaces {
    /// The place of the data folder.
    pub data: Option<Place>,
    /// The place of the user.
    pub user: Option<Place>,
    /// The place of the rules.
    pub rules: Option<Place>,
}

/// How much of the journal is kept, in addition to what a start needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalLimits {
    /// Records that are older are removed.
    pub keep: Duration,
    /// The size of the database, in bytes, from which on the oldest records are removed.
    pub size: u64,
    /// The size of the records that no rule wants, in bytes; 0 keeps none.
    pub unwanted: u64,
}

impl Default for JournalLimits {
    fn default() -> JournalLimits {
        JournalLimits { keep: JOURNAL_AGE, size: JOURNAL_BYTES, unwanted: 0 }
    }
}

/// When changed files are loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReloadPolicy {
    /// When an operator asks for it, by command or signal.
    #[default]
    Ask,
    /// As soon as they change: the files are watched.
    Watch,
}

/// The addresses on which the controller listens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listen {
    pub udp: Vec<SocketAddr>,
    pub tcp: Vec<SocketAddr>,
    /// The time zones of stamps that contain none, for listeners with a declared zone.
    pub zones: ListenerZones,
    pub agents: Option<SocketAddr>,
}

/// An agent's own configuration (`agent.yaml`). The agent touches nothing else.
#[derive(Clone, Debug, Default)]
pub struct Agent {
    /// The agent's host, by its name in the controller's inventory.
    pub host: Name,
    /// The controller: a name or an address, and a port.
    pub controller: String,
    /// Where it listens for agents of other hosts.
    pub listen: Listening,
    /// The folder of its durable state and its keys, relative to the folder of the configuration; default: `data`.
    pub data: PathBuf,
    /// The user that the agent runs as if root starts it; default: `pointsman`, if there is such a user.
    pub user: Option<String>,
    /// What it may bring up and down, and how.
    pub resources: BTreeMap<Name, LocalResource>,
    /// Applications of the host, and how the agent sees that each runs.
    pub watch: BTreeMap<Name, Sign>,
    /// What it measures of the host.
    pub metrics: Measuring,
    /// Where it names things of the machine.
    pub places: ConfigPlaces,
    /// Where monitoring systems ask; `None` means nowhere.
    pub monitored: Option<MetricsListener>,
}

/// An entry of an agent's own list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalResource {
    /// An address, the length of its network prefix, and the interface.
    Address(IpAddr, u8, String),
    /// A resource that commands bring up and down.
    Commands(Commands),
}

/// Reads an agent's configuration; `None` if it must not be used.
pub fn load_agent(source: &Arc<Source>) -> (Option<Agent>, Vec<Diagnostic>) {
    yaml::load(source, HELP, |root, found| sections::agent(source, root, found))
}

/// Reads a configuration; `None` if it must not be used. Errors and warnings are in the diagnostics.
pub fn load(source: &Arc<Source>) -> (Option<Config>, Vec<Diagnostic>) {
    yaml::load(source, HELP, |root, found| sections::config(source, root, found))
}

/// The help for an empty configuration.
const HELP: &str = "docs/reference/configuration.md names every key; examples/ has complete ones";

/// The data folder of an installed controller.
const CONTROLLER_DATA: &str = "/var/lib/pointsman";
/// The data folder of an installed agent.
const AGENT_DATA: &str = "/var/lib/pointsman-agent";

/// The default of the data folder: `/var/lib/pointsman` for an installed system (a file in `/etc/pointsman`), else `data` beside
/// the file. An agent has a folder of its own.
fn default_data(source: &Source, installed: &str) -> PathBuf {
    PathBuf::from(if source.name.starts_with("/etc/pointsman/") { installed } else { "data" })
}

/// The data folder of a configuration that must not be used: its line `data: FOLDER`, or the default.
pub fn data_of(source: &Source) -> PathBuf {
    let line = source.text.lines().rev().find_map(|l| l.strip_prefix("data:"));
    let said = line.map(|l| l.split(" #").next().unwrap_or(l).trim().trim_matches(['"', '\''])).filter(|said| !said.is_empty());
    said.map_or_else(|| default_data(source, CONTROLLER_DATA), PathBuf::from)
}
