//! The inventory: hosts, applications on them, primary/backup pairs, and the resources that move.
//!
//! This is the model only; `config` reads it from YAML. Everything in it is checked: names resolve, and resources name hosts that
//! exist. Maps are sorted, so that equal inventories give equal outputs.

mod channels;
mod index;
mod maintenance;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::limits::MEMORY;
use crate::core::base::zone::Zone;
use crate::core::event::{EventId, Trust};

pub use channels::{
    Channel, ChannelKind, ChannelLimit, Escalation, HttpTarget, MailEncryption, MailServer, MaybeSecret, NotifyRoute, Preset,
    Secret, SnmpTarget, SyslogServer, SyslogTransport, Webhook,
};
pub use index::{Index, Names};
pub use maintenance::MaintenanceCalendars;
pub use watch::{METRICS, Measuring, OF_MOUNTS, Sign};

/// The name of a host, application, pair or resource.
pub type Name = String;

/// The words by which rules mean each pair and each site, in the place of a group.
pub const EACH: [&str; 2] = ["pair", "site"];

/// Everything that rules, scripts and the planner may name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    pub hosts: BTreeMap<Name, Host>,
    pub applications: BTreeMap<Name, Application>,
    /// Primary/backup pairs by name.
    pub pairs: BTreeMap<Name, Pair>,
    /// The resources that move, by name.
    pub resources: BTreeMap<Name, Resource>,
    /// The channels of notifications, by name.
    pub channels: BTreeMap<Name, Channel>,
    /// Which alarms people are notified of, by name of the route.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<Name, NotifyRoute>,
    /// Groups of hosts and applications for rules, by name.
    #[serde(default)]
    pub groups: BTreeMap<Name, Group>,
    /// The memory that the controller may use.
    #[serde(default)]
    pub memory: Memory,
    /// A sender over TCP has the trust `address` only if its source port is below 1024, which no ordinary user of its host may
    /// use.
    #[serde(default)]
    pub privileged_senders: bool,
    /// The calendars of recurring maintenance.
    #[serde(default, skip_serializing_if = "MaintenanceCalendars::is_empty")]
    pub maintenance: MaintenanceCalendars,
}

/// The memory that the controller may use, in bytes. Its queues, its buffers and the state of alarms have shares of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory(pub usize);

impl Default for Memory {
    fn default() -> Memory {
        Memory(MEMORY)
    }
}

/// A group of hosts and applications that rules name together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its hosts, in the sequence of the configuration.
    pub hosts: Vec<Name>,
    /// Its applications, in the sequence of the configuration.
    pub applications: Vec<Name>,
}

/// How the controller reaches a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// The agent on the host.
    #[default]
    Agent,
    Ssh,
    /// The host is the controller's own machine.
    Local,
}

/// A host of the inventory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// The host's own address, if it is known. It is never one that moves.
    pub address: Option<IpAddr>,
    /// `linux`, `windows`, `aix`, `solaris`, ...
    pub platform: String,
    /// How the controller reaches it.
    pub via: Via,
    /// Other names that logs use for it.
    pub aliases: Vec<String>,
    /// The site of the host; empty if the configuration has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub site: String,
    /// The port on which its agent listens for other agents, if it is not [`AGENT_PORT`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_port: Option<u16>,
    /// The time zone of stamps in its records that contain none, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
}

/// The default port on which agents listen for other agents.
pub const AGENT_PORT: u16 = 5751;

/// Where an agent listens for agents of other hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listening {
    /// On [`AGENT_PORT`] of every address. If that is not possible, the agent reports it and continues without.
    #[default]
    Usual,
    /// At this address. The agent does not start if that is not possible.
    At(SocketAddr),
    /// Nowhere: the agent only connects to others.
    Off,
}

impl Host {
    /// Where its agent listens for other agents, if that is known.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.address.map(|address| SocketAddr::new(address, self.agent_port.unwrap_or(AGENT_PORT)))
    }
}

/// A program on a host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// Its type, as rules select it: `SIP Server`.
    pub kind: String,
    pub host: Name,
    /// Other names that logs use for it. If applications on several hosts share an alias, the host decides which of them is
    /// meant.
    pub aliases: Vec<String>,
    /// The name that logs of its host use for it if the same program runs on several hosts: `keepalived`. Together with the host
    /// it names one application. Empty if the name and the aliases are enough.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub program: String,
}

/// How a member of a pair claims its role, if not by an event id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimPattern {
    /// A regular expression that matches the text of the record, as written: `/role changed to MASTER/`.
    Match(String),
    /// The name of a pattern of the rules.
    Pattern(String),
}

/// The default event ids by which members of a pair claim to be primary: for hot and for warm standby.
pub const SAYS_PRIMARY: [&str; 2] = ["00-04563", "00-04562"];
/// The default event ids by which they claim to be backup.
pub const SAYS_BACKUP: [&str; 2] = ["00-04561", "00-04560"];

/// The kind of standby of the backup of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standby {
    /// The backup has the primary's state.
    Hot,
    Warm,
}

/// What to do with late claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CatchUp {
    /// The claimant becomes the desired owner if no other claim contradicts it.
    #[default]
    Move,
    /// An operator has to decide.
    Ask,
}

/// A primary and a backup application that swap roles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The application that is primary by configuration.
    pub primary: Name,
    pub backup: Name,
    pub standby: Standby,
    /// The resource that follows the primary, if there is one.
    pub resource: Option<Name>,
    /// What to do with late claims.
    pub catch_up: CatchUp,
    /// Event ids by which a member claims to be primary now (default 00-04563 and 00-04562).
    pub says_primary: Vec<EventId<'static>>,
    /// Event ids by which a member claims to be backup now (default 00-04561 and 00-04560).
    pub says_backup: Vec<EventId<'static>>,
    /// Patterns by which a member claims to be primary now.
    #[serde(default)]
    pub primary_patterns: Vec<ClaimPattern>,
    /// Patterns by which a member claims to be backup now.
    #[serde(default)]
    pub backup_patterns: Vec<ClaimPattern>,
}

/// A host that may hold a resource, with the interface there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    pub host: Name,
    /// The network interface of an address on this host; empty for a resource that is no address.
    pub interface: String,
    /// How it is brought up and down there, if the controller does that itself (`via: local`).
    #[serde(default)]
    pub commands: Option<Commands>,
}

/// Programs with their arguments that bring a resource up and down on a host, and observe it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commands {
    pub up: Vec<Vec<String>>,
    pub down: Vec<Vec<String>>,
    /// The program that prints the state of the resource.
    pub observe: Vec<String>,
    /// An expression that matches this output if the resource is up.
    pub up_when: String,
    /// An expression that matches this output if the resource is down.
    pub down_when: String,
}

/// What a resource is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceKind {
    /// An address with the length of its network prefix.
    Address(IpAddr, u8),
    /// A load-balanced port. The hosts know the commands.
    Port(u16),
}

impl ResourceKind {
    /// The name for it in scripts: `vip` or `port`.
    pub fn handle(&self) -> &'static str {
        match self {
            ResourceKind::Address(..) => "vip",
            ResourceKind::Port(_) => "port",
        }
    }
}

impl std::fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ResourceKind::Address(address, prefix) => write!(f, "{address}/{prefix}"),
            ResourceKind::Port(number) => write!(f, "port {number}"),
        }
    }
}

/// The takeover policy: what is done if a release can't be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Takeover {
    /// A majority of voters allows the holder a time, and allows no other host meanwhile: one owner under every partition.
    Quorum,
    /// Nothing happens without confirmation, by a report or an operator.
    Confirmed,
    /// Take after isolation + 1 s of silence, on hosts that reach a majority of witnesses.
    Probe,
    /// Take after the holder's lease has certainly ended.
    Lease,
    /// Take after the time-out, as the generalised model did, with an alarm first.
    Forced,
}

/// What a holder under `quorum` does if it has no majority of the voters any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnQuorumLoss {
    /// It releases the address in time, by itself. No host serves, and another host may take over.
    #[default]
    Release,
    /// It keeps the address. No other host takes over before its release is confirmed.
    Keep,
}

impl OnQuorumLoss {
    /// True for the default, which need not be written.
    pub fn is_default(&self) -> bool {
        *self == OnQuorumLoss::default()
    }
}

/// At most `count` moves per time; then flap damping begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moves {
    pub count: u32,
    pub per: Duration,
}

impl Default for Moves {
    fn default() -> Self {
        Moves { count: 4, per: Duration::from_secs(600) }
    }
}

/// What the planner does if the holder's network interface loses its link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnLinkLoss {
    /// It notifies people. The resource follows claims and operators, and a server that is not primary serves no client.
    #[default]
    Stay,
    /// Moves the resource to the next host that clients can reach.
    Move,
}

/// A resource: what moves. (DNS records and pool members join with their drivers.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    pub what: ResourceKind,
    /// The hosts that may hold it, in the sequence of the configuration.
    #[serde(alias = "seats")]
    pub placements: Vec<Placement>,
    /// What to do if a release can't be confirmed.
    pub takeover: Takeover,
    /// For `probe`: addresses reached over the resource's own interface; an odd number.
    pub witnesses: Vec<IpAddr>,
    /// For `lease`: how long a lease lasts; 30 s or more.
    pub term: Duration,
    /// For `probe` and `quorum`: a holder that has reached no majority for so long gives up.
    pub isolation: Duration,
    /// For `quorum`: hosts whose agents vote although they are no placement. An odd number of voters is of most use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voters: Vec<Name>,
    /// For `quorum`: what a holder does without a majority.
    #[serde(default, skip_serializing_if = "OnQuorumLoss::is_default")]
    pub on_quorum_loss: OnQuorumLoss,
    pub moves: Moves,
    /// What to do if the holder's interface loses its link.
    #[serde(default)]
    pub on_link_loss: OnLinkLoss,
    /// Drift is repaired, in addition to an alarm.
    pub repair: bool,
    /// The least trust of events that may move it.
    #[serde(alias = "provenance")]
    pub trust: Trust,
}

impl Application {
    /// True if logs of its host call the application by this name.
    pub fn is_called(&self, name: &str) -> bool {
        !name.is_empty() && (self.program == name || self.aliases.iter().any(|alias| alias == name))
    }
}

impl Resource {
    /// The hosts whose agents vote about it: those that may hold it, and those that only vote. The controller is one more voter.
    pub fn voting_agents(&self) -> BTreeSet<Name> {
        self.placements.iter().map(|s| &s.host).chain(&self.voters).cloned().collect()
    }
}

impl Inventory {
    /// The application that logs mean by `name`: its own name, else an alias or a program that only one application has.
    pub fn application(&self, name: &str) -> Option<(&Name, &Application)> {
        self.applications.get_key_value(name).or_else(|| {
            let mut all = self.applications.iter().filter(|(_, a)| a.is_called(name));
            all.next().filter(|_| all.next().is_none())
        })
    }

    /// The applications that logs mean by this alias or program. If there are several, each is on a host of its own.
    pub fn of_program<'a>(&'a self, program: &'a str) -> impl Iterator<Item = (&'a Name, &'a Application)> {
        self.applications.iter().filter(move |(_, a)| a.is_called(program))
    }

    /// The host that logs mean by `name`: its own name, an alias, its address, or its name before the first dot.
    pub fn host(&self, name: &str) -> Option<(&Name, &Host)> {
        let by =
            |n: &str| self.hosts.get_key_value(n).or_else(|| self.hosts.iter().find(|(_, h)| h.aliases.iter().any(|a| a == n)));
        by(name)
            .or_else(|| {
                let address: IpAddr = name.parse().ok()?;
                self.hosts.iter().find(|(_, h)| h.address == Some(address))
            })
            .or_else(|| by(name.split_once('.')?.0))
    }

    /// The host on which an application (by name or alias) runs: `host_of(app)` in rules.
    pub fn host_of(&self, app: &str) -> Option<&Name> {
        self.application(app).map(|(_, a)| &a.host)
    }

    /// Whether a script may run commands on a host: only on the controller's own machine.
    ///
    /// # Errors
    /// The reason why it may not.
    pub fn runs_commands(&self, host: &str) -> Result<(), String> {
        match self.host(host).map(|(name, host)| (name, host.via)) {
            Some((_, Via::Local)) => Ok(()),
            Some((name, Via::Agent)) => {
                Err(format!("commands are not run on {name}: its agent runs none, and only a host with `via: local` does"))
            }
            Some((name, Via::Ssh)) => Err(format!(
                "commands are not run on {name}: `via: ssh` does not exist yet, and only a host with `via: local` runs them"
            )),
            None => Err(format!("the inventory has no host {host}")),
        }
    }

    /// The pair that an application (by name or alias) belongs to: `pair_of(app)` in rules.
    pub fn pair_of(&self, app: &str) -> Option<(&Name, &Pair)> {
        let (name, _) = self.application(app)?;
        self.pairs.iter().find(|(_, p)| &p.primary == name || &p.backup == name)
    }
}
