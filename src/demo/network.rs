//! The networks of the demo, and the programs in them.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::inventory::AGENT_PORT;
use crate::shell::linux::lab::{self, AddressWatch, LabHost};
use crate::shell::linux::{Spot, boot_time};
use crate::shell::live::control_socket::ask;
use crate::shell::live::questions::{Answer, Question};

/// The address that moves.
pub(super) const VIP: &str = "10.77.0.100";

/// The networks, with the last octet of their addresses: two hosts, the controller, and a client.
const NODES: [(&str, u8); 4] = [("sip1", 1), ("sip2", 2), ("control", 3), ("client", 4)];
/// Further agents that hold nothing, if a layout has any.
const VOTERS: [(&str, u8); 2] = [("voter1", 5), ("voter2", 6)];
/// The time after which anything that did not happen counts as failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How late a watching thread may run.
const HEARD_LATE: Duration = Duration::from_millis(250);
/// How often a state that is waited for is checked.
const LOOK: Duration = Duration::from_millis(2);

const CONFIG: &str = "\
# The demo's controller.
data: data
rules: rules
scripts: scripts
listen:
  syslog: [udp://10.77.0.3:514]
  agents: 10.77.0.3:5750
files: [sip.log]

hosts:
  sip1: { address: 10.77.0.1, via: agent }
  sip2: { address: 10.77.0.2, via: agent }
VOTERS
applications:
  SIP_SERVER_PRIMARY: { type: SIP Server, host: sip1 }
  SIP_SERVER_BACKUP: { type: SIP Server, host: sip2 }
pairs:
  sip: { primary: SIP_SERVER_PRIMARY, backup: SIP_SERVER_BACKUP, standby: hot, resource: sip_vip }
resources:
  sip_vip:
    address: 10.77.0.100/24
    hosts: { sip1: eth0, sip2: eth0 }
    TAKEOVER
    moves: 1000 per 10m          # a demo moves it more often than a day does
    trust: unverified       # whoever can send a datagram can move it: in a demo nobody else can
";

const RULES: &str = include_str!("../../rules/pairs/roles.alarm");
const SCRIPTS: [(&str, &str); 2] = [
    ("vip_follows_primary.rhai", include_str!("../../scripts/vip_follows_primary.rhai")),
    ("vip_leaves_backup.rhai", include_str!("../../scripts/vip_leaves_backup.rhai")),
];

/// The switch of the network over which the programs communicate, if that is not the network of the address; and the number from
/// which its interfaces are counted.
const MANAGEMENT: &str = "management";
const MANAGEMENT_PORTS: u32 = 100;
/// The number of labs that this process has made.
static LABS: AtomicU32 = AtomicU32::new(0);

fn own_address(number: u8) -> IpAddr {
    [10, 77, 0, number].into()
}

/// A process that is ended when this is dropped.
#[derive(Debug)]
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The times at which the address appeared on a host or disappeared.
pub(super) type Sightings = Arc<Mutex<Vec<(Time, &'static str, bool)>>>;

/// The times at which the address was announced, with the link address of the sender.
type Announced = Arc<Mutex<Vec<(Time, [u8; 6])>>>;

/// The location of the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControllerSite {
    /// On a separate machine, with an agent on each host.
    Apart,
    /// On the first host, which then needs no agent.
    OnSip1,
}

impl ControllerSite {
    fn node(self) -> &'static str {
        match self {
            ControllerSite::Apart => "control",
            ControllerSite::OnSip1 => "sip1",
        }
    }

    pub(super) fn address(self) -> &'static str {
        match self {
            ControllerSite::Apart => "10.77.0.3",
            ControllerSite::OnSip1 => "10.77.0.1",
        }
    }
}

/// The layout of a lab, and how its resource is taken over.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The location of the controller.
    pub placement: ControllerSite,
    /// The number of agents that hold nothing: two at most.
    pub voters: usize,
    /// Whether the address that moves is on a separate network (`eth0`), beside the network over which the programs communicate.
    pub apart: bool,
    /// The takeover settings of the resource: keys with their values, as in the configuration.
    pub takeover: &'static [&'static str],
}

impl Layout {
    /// The layout of the demo. Two agents and the controller are three voters, so `takeover: quorum` is the default. A controller
    /// on the first host leaves two voters, so witnesses are asked.
    pub fn usual(placement: ControllerSite) -> Layout {
        let takeover: &[&str] = match placement {
            ControllerSite::Apart => &[],
            ControllerSite::OnSip1 => &["takeover: probe", "witnesses: [10.77.0.3]"],
        };
        Layout { placement, voters: 0, apart: false, takeover }
    }
}

/// The networks and the programs.
#[derive(Debug)]
pub struct Lab {
    program: PathBuf,
    layout: Layout,
    folder: PathBuf,
    keep: bool,
    nodes: BTreeMap<&'static str, LabHost>,
    controller: Option<Running>,
    agents: BTreeMap<&'static str, Running>,
    watches: Vec<AddressWatch>,
    sightings: Sightings,
    /// The announcements of the address on the switch.
    announced: Announced,
    /// The hosts' link addresses.
    links: BTreeMap<&'static str, [u8; 6]>,
}

impl Lab {
    /// Makes the networks in the network of this thread, and starts the programs. A user who is not root may call this only from
    /// a process that has not started a thread yet. `program` is `pointsman`.
    ///
    /// # Errors
    /// Returns an error text if a right is missing, or a program does not start.
    pub fn start(program: &Path, layout: Layout) -> Result<Lab, String> {
        let placement = layout.placement;
        lab::become_root()?;
        lab::new_network()?;
        let wrong = |what: &str, e: &dyn std::fmt::Display| format!("{what}: {e}");
        lab::make_switch("switch").map_err(|e| wrong("no switch can be made", &e))?;
        if layout.apart {
            lab::make_switch(MANAGEMENT).map_err(|e| wrong("no switch can be made", &e))?;
        }
        let number = LABS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("pointsman-demo-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|e| wrong(&folder.display().to_string(), &e))?;
        let mut lab = Lab {
            program: program.to_owned(),
            layout,
            folder,
            keep: false,
            nodes: BTreeMap::new(),
            controller: None,
            agents: BTreeMap::new(),
            watches: Vec::new(),
            sightings: Arc::default(),
            announced: Arc::default(),
            links: BTreeMap::new(),
        };
        for (name, number) in NODES.into_iter().chain(lab.voters()) {
            let node = lab.node(name, number).map_err(|e| wrong(&format!("the network of {name} can't be made"), &e))?;
            lab.nodes.insert(name, node);
        }
        lab.write_files().map_err(|e| wrong(&lab.folder.display().to_string(), &e))?;
        lab.start_controller()?;
        lab.watch().map_err(|e| wrong("the hosts' addresses can't be watched", &e))?;
        lab.listen_on_the_switch().map_err(|e| wrong("the switch can't be listened to", &e))?;
        for host in ["sip1", "sip2"].into_iter().chain(lab.voters().map(|(name, _)| name)) {
            if host != placement.node() {
                lab.enroll(host)?;
                lab.start_agent(host)?;
            }
        }
        Ok(lab)
    }

    fn voters(&self) -> impl Iterator<Item = (&'static str, u8)> + use<> {
        VOTERS.into_iter().take(self.layout.voters)
    }

    fn node(&self, name: &'static str, number: u8) -> std::io::Result<LabHost> {
        let node = LabHost::start(&self.program, "switch", name, number.into())?;
        let mut interface = "eth0";
        if self.layout.apart {
            interface = "mgmt";
            node.plug(MANAGEMENT, &format!("mgmt-{name}"), interface, MANAGEMENT_PORTS + u32::from(number))?;
            let address = [10, 78, 0, number].into();
            lab::within(node.process(), || lab::give(&Spot { address, prefix: 24, interface: "eth0".to_owned() }))?;
        }
        let address = own_address(number);
        lab::within(node.process(), || lab::give(&Spot { address, prefix: 24, interface: interface.to_owned() }))?;
        Ok(node)
    }

    fn write_files(&self) -> std::io::Result<()> {
        let at = |name: &str| self.folder.join(name);
        fs::create_dir_all(at("rules"))?;
        fs::create_dir_all(at("scripts"))?;
        fs::create_dir_all(at("messages"))?;
        let placement = self.layout.placement;
        let mut config = CONFIG.replace("10.77.0.3:", &format!("{}:", placement.address()));
        config = config.replace("TAKEOVER", &self.layout.takeover.join("\n    "));
        let voters = self.voters().map(|(name, n)| format!("  {name}: {{ address: {}, via: agent }}\n", own_address(n)));
        config = config.replace("VOTERS\n", &voters.collect::<String>());
        if placement == ControllerSite::OnSip1 {
            config = config.replace("sip1: { address: 10.77.0.1, via: agent }", "sip1: { address: 10.77.0.1, via: local }");
        }
        fs::write(at("pointsman.yaml"), config)?;
        fs::write(at("rules/roles.alarm"), RULES)?;
        for (name, text) in SCRIPTS {
            fs::write(at("scripts").join(name), text)?;
        }
        fs::write(at("sip.log"), "")?;
        for host in ["sip1", "sip2"] {
            fs::create_dir_all(at(host))?;
            let text = format!(
                "host: {host}\ncontroller: {}:5750\nresources:\n  sip_vip: {{ address: {VIP}/24, interface: eth0 }}\n",
                placement.address()
            );
            fs::write(at(host).join("agent.yaml"), text)?;
        }
        for (host, _) in self.voters() {
            fs::create_dir_all(at(host))?;
            let text = format!("host: {host}\ncontroller: {}:5750\nlisten: 0.0.0.0:{AGENT_PORT}\n", placement.address());
            fs::write(at(host).join("agent.yaml"), text)?;
        }
        Ok(())
    }

    /// The address to which servers send their records.
    pub(super) fn syslog(&self) -> String {
        format!("{}:514", self.layout.placement.address())
    }

    /// The process that keeps a node's network.
    pub fn process(&self, node: &str) -> u32 {
        self.nodes.get(node).map_or(0, LabHost::process)
    }

    /// The folder of the controller's files, which contains a folder for each agent.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps the files after the demo.
    pub fn keep(&mut self) -> &Path {
        self.keep = true;
        &self.folder
    }

    /// A command of this program in a node's network.
    fn command(&self, node: &str, arguments: &[&str]) -> Command {
        let namespace = lab::namespace_of(self.process(node));
        let mut command = Command::new(&self.program);
        command.arg("within").arg(namespace).arg("--").args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command
    }

    fn start_in(&self, node: &str, arguments: &[&str], log: &Path) -> Result<Running, String> {
        let log = fs::OpenOptions::new().append(true).create(true).open(log).map_err(|e| e.to_string())?;
        let mut command = self.command(node, arguments);
        command.stdout(Stdio::null()).stderr(log);
        command.spawn().map(Running).map_err(|e| format!("{}: {e}", arguments.join(" ")))
    }

    /// Starts the controller, and waits until it answers.
    ///
    /// # Errors
    /// Returns an error text if it does not answer.
    pub fn start_controller(&mut self) -> Result<(), String> {
        self.start_controller_alone()?;
        self.until("the controller answers", |lab| lab.ask(&Question::Resources).is_ok())
    }

    /// Starts the controller, and does not wait for it.
    ///
    /// # Errors
    /// Returns an error text if its process cannot be started.
    pub fn start_controller_alone(&mut self) -> Result<(), String> {
        // The controller's output is not in the folder of the followed log, because each of its lines would wake the controller.
        let log = self.folder.join("messages").join("controller.log");
        self.controller = Some(self.start_in(self.layout.placement.node(), &["run", "-c", "pointsman.yaml"], &log)?);
        Ok(())
    }

    /// Ends the programs. The networks stay, and the addresses in them are removed.
    pub(super) fn take_down_programs(&mut self) {
        self.controller = None;
        self.agents.clear();
        self.watches.clear();
        for host in ["sip1", "sip2"] {
            let process = self.process(host);
            let _ = lab::within(process, || {
                let address = VIP.parse().map_err(std::io::Error::other)?;
                lab::take(&Spot { address, prefix: 24, interface: "eth0".to_owned() })
            });
        }
    }

    /// Kills the controller, as a power loss would.
    pub fn kill_controller(&mut self) {
        self.controller = None;
    }

    /// The process of the controller, if it runs.
    pub(super) fn controller_process(&mut self) -> Option<u32> {
        let child = &mut self.controller.as_mut()?.0;
        matches!(child.try_wait(), Ok(None)).then(|| child.id())
    }

    /// Kills a host's agent. Addresses stay.
    pub fn kill_agent(&mut self, host: &str) {
        self.agents.remove(host);
    }

    /// Stops a host's agent as if its machine were frozen, or lets it continue.
    ///
    /// # Errors
    /// Returns an error text if it does not run.
    pub fn freeze_agent(&self, host: &str, frozen: bool) -> Result<(), String> {
        let agent = self.agents.get(host).ok_or_else(|| format!("no agent runs on {host}"))?;
        lab::freeze(agent.0.id(), frozen).map_err(|e| e.to_string())
    }

    /// Cuts two nodes off from each other in both directions, or reconnects them. Traffic with other nodes continues.
    ///
    /// # Errors
    /// Returns a text that describes the failure.
    pub fn cut(&self, one: &str, other: &str, cut: bool) -> Result<(), String> {
        for (from, to) in [(one, other), (other, one)] {
            let number = NODES.into_iter().chain(VOTERS).find(|(name, _)| *name == to).map(|(_, number)| number);
            let address = own_address(number.ok_or_else(|| format!("there is no node {to}"))?);
            lab::within(self.process(from), || lab::cut_off(address, cut)).map_err(|e| format!("{from} to {to}: {e}"))?;
        }
        Ok(())
    }

    fn enroll(&self, host: &str) -> Result<(), String> {
        let out = self
            .command(self.layout.placement.node(), &["enroll", host, "-c", "pointsman.yaml"])
            .output()
            .map_err(|e| e.to_string())?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let token = text.lines().next().unwrap_or_default();
        let config = format!("{host}/agent.yaml");
        let out = self.command(host, &["enroll", "--token", token, "-c", &config]).output().map_err(|e| e.to_string())?;
        if out.status.success() {
            return Ok(());
        }
        Err(format!("{host} could not enroll: {}", String::from_utf8_lossy(&out.stderr).trim()))
    }

    /// Starts a host's agent while there is no controller.
    ///
    /// # Errors
    /// Returns an error text if it does not start.
    pub fn start_agent_alone(&mut self, host: &'static str) -> Result<(), String> {
        let log = self.folder.join(host).join("agent.log");
        let agent = self.start_in(host, &["agent", "-c", &format!("{host}/agent.yaml")], &log)?;
        self.agents.insert(host, agent);
        Ok(())
    }

    /// Starts a host's agent, and waits until it is connected to the controller.
    ///
    /// # Errors
    /// Returns an error text if it does not connect.
    pub fn start_agent(&mut self, host: &'static str) -> Result<(), String> {
        self.start_agent_alone(host)?;
        self.until(&format!("the agent of {host} reports"), |lab| {
            let resources = lab.ask(&Question::Resources).unwrap_or_default();
            let hosts = resources[0]["hosts"].as_array().cloned().unwrap_or_default();
            // The table does not show an agent that holds nothing.
            let connected = || lab.said("controller.log").contains(&format!("the agent is connected host={host}"));
            let holds_nothing = VOTERS.iter().any(|(name, _)| *name == host);
            hosts.iter().any(|h| h["host"] == host && h["reachable"] == true) || (holds_nothing && connected())
        })
    }

    /// The content of a log file of the lab's programs.
    pub fn said(&self, log: &str) -> String {
        fs::read_to_string(self.folder.join("messages").join(log)).unwrap_or_default()
    }

    fn watch(&mut self) -> std::io::Result<()> {
        let address = VIP.parse().map_err(std::io::Error::other)?;
        let sightings = self.sightings.clone();
        let watch = AddressWatch::start(address, move |at, number, came| {
            if let Some((host, _)) = NODES.iter().find(|(_, n)| u32::from(*n) == number) {
                sightings.lock().unwrap_or_else(PoisonError::into_inner).push((at, host, came));
            }
        })?;
        self.watches.push(watch);
        Ok(())
    }

    fn listen_on_the_switch(&mut self) -> std::io::Result<()> {
        for host in ["sip1", "sip2"] {
            let link = lab::within(self.process(host), || lab::link_address("eth0"))?;
            self.links.insert(host, link);
        }
        let announced = self.announced.clone();
        let address = VIP.parse().map_err(std::io::Error::other)?;
        let watch = lab::overhear("switch", address, move |at, link| {
            announced.lock().unwrap_or_else(PoisonError::into_inner).push((at, link));
        })?;
        self.watches.push(watch);
        Ok(())
    }

    /// The first host that announced the address while its kernel did not have it, if there was any.
    pub fn false_word(&self) -> Option<String> {
        let sightings = self.sightings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let false_word = |(at, link): &(Time, [u8; 6])| {
            let (host, _) = self.links.iter().find(|(_, l)| *l == link)?;
            // Changes in a kernel are observed a moment later.
            let before = |t: &Time| *t <= *at + HEARD_LATE;
            let last = sightings.iter().filter(|(t, h, _)| h == host && before(t)).max_by_key(|(t, ..)| *t);
            let has = last.is_some_and(|(t, _, came)| *came || t.since(*at) > Duration::ZERO || at.since(*t) < HEARD_LATE);
            (!has).then(|| format!("{host} said that the address is its own when it was not"))
        };
        announced.iter().find_map(false_word)
    }

    /// Asks the controller.
    ///
    /// # Errors
    /// Returns an error text if it does not run or refuses.
    pub fn ask(&self, question: &Question) -> Answer {
        ask(&self.folder.join("data"), question)
    }

    /// What happened since the lab was made, the oldest first, from `pointsman history`.
    ///
    /// # Errors
    /// Returns an error text if the command failed.
    pub fn history(&self) -> Result<Vec<serde_json::Value>, String> {
        let arguments = ["history", "-c", "pointsman.yaml", "--all", "--limit", "0", "--format", "json"];
        let output = self.command(self.layout.placement.node(), &arguments).output().map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines().map(|line| serde_json::from_str(line).map_err(|e| e.to_string())).collect()
    }

    /// Pulls a node's cable, or plugs it in again.
    ///
    /// # Errors
    /// Returns a text that describes the failure.
    pub fn cable(&self, node: &str, in_place: bool) -> Result<(), String> {
        lab::set_up(&format!("to-{node}"), in_place).map_err(|e| format!("the cable of {node}: {e}"))
    }

    /// Waits until a state is reached.
    ///
    /// # Errors
    /// Returns an error text if it is not reached in time.
    pub fn until(&self, what: &str, mut there: impl FnMut(&Lab) -> bool) -> Result<(), String> {
        let end = boot_time() + PATIENCE;
        while !there(self) {
            if boot_time() > end {
                return Err(format!("within {} s it did not come to this: {what}", PATIENCE.as_secs()));
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Waits until a host has the address, the controller reports that, and no other host has it.
    ///
    /// # Errors
    /// Returns an error text if this does not happen in time.
    pub fn until_settled(&self, host: &str) -> Result<(), String> {
        self.until(&format!("{host} has the address, and nobody else"), |lab| {
            let resources = lab.ask(&Question::Resources).unwrap_or_default();
            let row = &resources[0];
            row["owner"] == host
                && row["holders"] == serde_json::json!([host])
                && row["unheard_holders"] == serde_json::json!([])
                && row["settled"] == true
                && lab.holders() == [host]
        })
    }

    /// The hosts that have the address now, according to the kernels.
    pub fn holders(&self) -> Vec<&'static str> {
        let all = self.sightings.lock().unwrap_or_else(PoisonError::into_inner);
        let last = |host: &str| all.iter().rev().find(|(_, h, _)| *h == host).is_some_and(|(.., came)| *came);
        ["sip1", "sip2"].into_iter().filter(|h| last(h)).collect()
    }

    /// How long two hosts had the address at once, if they ever did, according to the kernels.
    pub fn overlap(&self) -> Option<Duration> {
        // The kernel's single queue gives the order. Only the duration depends on when the queue was read.
        let all = self.sightings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut holders: Vec<&str> = Vec::new();
        let mut worst: Option<Duration> = None;
        let mut both_since: Option<Time> = None;
        for (at, host, came) in all {
            if let Some(since) = both_since {
                worst = worst.max(Some(at.since(since)));
            }
            holders.retain(|h| *h != host);
            if came {
                holders.push(host);
            }
            both_since = (holders.len() > 1).then_some(at);
        }
        worst.max(both_since.map(|since| boot_time().since(since)))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.watches.clear();
        self.agents.clear();
        self.controller = None;
        self.nodes.clear();
        if !self.keep {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}
