//! The controller and the agent, assembled. Everything is opened first, so that errors are reported before anything runs.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::core::base::limits::{MEMORY_CONNECTIONS, share};
use crate::core::base::time::duration_text;
use crate::core::config::{Agent, LocalResource, Transport};
use crate::core::control::Input;
use crate::core::inventory::{ChannelKind, Inventory, Name, ResourceKind, Via};
use crate::core::notice::{Kind, Notice};
use crate::core::site::Current;
use crate::core::wire::{Command, Presence, Report};
use crate::shell::linux::rights::{self, Needs, ProgramStarts};
use crate::shell::linux::{Spot, boot_time, give_way};
use crate::shell::monitoring::Monitoring;
use crate::shell::site_files::{Disk, Reading, UsableSite};
use crate::shell::sources::{self, Sink as _, Udp};
use crate::shell::store::{AgentStore, Journal, UnwantedRecords, check_chain};
use crate::shell::tls::{self, Agents, Authority, Identity, Peers};

use super::control_socket;
use super::controller_setup::ControllerSetup;
use super::following;
use super::host::{self, HostThread, Thing};
use super::inbox::{ControllerMessage, Inbox};
use super::observing;
use super::reload::{self, MYSELF};
use super::reloading::Trigger;
use super::supervisor::{self, Pulse};

/// The least and the greatest number of threads for connections. Between these there are as many as the machine has processors.
/// The thread that decides is separate.
const WORKERS: [usize; 2] = [2, 16];
/// Threads for blocking work, which also limit the number of concurrent questions of operators.
const BLOCKING: usize = 32;
/// The number of reports that may wait for the connection to the controller. The newest of more are dropped, because the next
/// report contains the same.
const REPORTS: usize = 16;

/// How often the program checks whether certificates of agents expire soon.
const LOOK_AT_CERTIFICATES: Duration = Duration::from_secs(3_600);

/// Reading the journal is reported if it takes longer than this.
const READ_LONG: Duration = Duration::from_secs(1);

/// Creates the folder of the journal and the keys, for its owner only, if it does not exist.
///
/// # Errors
/// Returns an error text if it cannot be created.
pub fn data_folder(folder: &Path) -> Result<(), String> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|e| format!("the data folder {} can't be made: {e}", folder.display()))
}

pub use crate::shell::linux::rights::{end_with, make_files_for_owner_only};

/// The folder of an installation's keys.
pub fn keys(data: &Path) -> PathBuf {
    data.join("keys")
}

/// Makes the failure of any thread end the whole program. A program that continues without some of its parts is worse than none,
/// and its supervisor (systemd) starts it again.
pub fn fail_as_a_whole() {
    std::panic::set_hook(Box::new(|what| {
        eprintln!("pointsman: an error in the program, which ends now: {what}");
        std::process::abort();
    }));
}

/// Runs a controller until a signal ends it, or until a part fails that it cannot work without.
///
/// `reading` is the content of `files`. `ready` is called when everything is open, with the addresses on which it listens.
///
/// # Errors
/// Returns an error text for an operator.
pub fn controller(files: Arc<Disk>, reading: Reading, ready: impl FnOnce(&Opened)) -> Result<(), String> {
    let base = files.base().to_owned();
    let data = reading.good.as_ref().map_or_else(|| files.data(), |good| base.join(&good.config.data));
    data_folder(&data)?;
    let (network, programs) = reading.good.as_ref().map_or((false, true), |good| needs_of(&good.config.inventory));
    let user = reading.good.as_ref().and_then(|good| good.config.user.clone());
    give_up_rights(&Needs {
        user: user.as_deref(),
        data: &data,
        network,
        listens: true,
        programs,
        starts: ProgramStarts::Programs,
    })?;
    if let Err(e) = fs::File::open(&files.config) {
        tracing::warn!("{} can't be read any more, so no reload will succeed: {e}", files.config.display());
    }
    let began = boot_time();
    // The journal's own threads never bind a port, so they begin with the rights that all threads have in the end.
    let journal = thread::scope(|scope| {
        let opening = scope.spawn(|| {
            rights::keep(network, programs)?;
            let mut journal = Journal::open(&data).map_err(|e| e.to_string())?;
            journal.doubt_if_copied().map_err(|e| e.to_string())?;
            journal.make_room().map_err(|e| e.to_string())?;
            Ok::<_, String>(journal)
        });
        opening.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    let took = boot_time().since(began);
    if took >= READ_LONG {
        tracing::info!(
            "reading the journal took {}: {} records since its last snapshot",
            duration_text(took),
            journal.read_at_start()
        );
    }
    let begin = reload::begin(&files, reading, journal.state())?;
    let UsableSite { site, config } = begin.good.clone();
    if config.listen.udp.is_empty() && config.listen.tcp.is_empty() && config.files.is_empty() {
        tracing::warn!("no events will arrive: the configuration has neither `listen: {{ syslog: [...] }}` nor `files`");
    }
    let allowed = rights::connections_allowed();
    let id = tls::random_id()?;
    let mut controller = ControllerSetup::new(begin, files, journal, || id)?;
    controller.keep(config.journal);
    if config.journal.unwanted > 0 {
        controller.keep_unwanted(UnwantedRecords::open(&data, config.journal.unwanted).map_err(|e| e.to_string())?);
    }
    let inbox = controller.inbox();
    let current = controller.current();
    let keep = move || rights::keep(network, programs);
    let runtime = runtime(keep)?;
    let low_priority = self::runtime(move || {
        give_way();
        keep()
    })?;
    let within = runtime.enter();
    let mut opened = Opened::default();

    // Sockets are bound first, while all rights are available.
    let mut udp: Vec<Udp> = config.listen.udp.iter().map(|a| Udp::bind(*a)).collect::<Result<_, _>>()?;
    let mut tcp = Vec::new();
    let connections = sources::Connections::new(
        connections_of(allowed),
        share(site.inventory.memory.0, MEMORY_CONNECTIONS),
        low_priority.handle().clone(),
    );
    for address in &config.listen.tcp {
        tcp.push(sources::listen(*address, &connections)?);
    }
    let zone = |transport: Transport, address: &SocketAddr| config.listen.zones.get(&(transport, *address)).copied();
    for (source, address) in udp.iter_mut().zip(&config.listen.udp) {
        zone(Transport::Udp, address).into_iter().for_each(|zone| source.in_zone(zone));
    }
    for (source, address) in tcp.iter_mut().zip(&config.listen.tcp) {
        zone(Transport::Tcp, address).into_iter().for_each(|zone| source.in_zone(zone));
    }
    let mut known_agents = None;
    let agents = match config.listen.agents {
        Some(address) => {
            let authority = Arc::new(Authority::open(&keys(&data))?);
            known_agents = Some(authority.clone());
            runtime.spawn(watch_certificates(authority.clone(), current.clone(), inbox.clone()));
            Some(tls::listen(address, authority, low_priority.handle().clone())?)
        }
        None => None,
    };
    let monitoring = config.metrics.as_ref().map(|metrics| {
        let observe = observing::of_controller(inbox.clone(), current.clone(), known_agents, &data);
        Monitoring::open(metrics, low_priority.handle().clone(), observe)
    });
    let monitoring = monitoring.transpose()?;
    let control = control_socket::open(&data)?;
    control_socket::admit(&data, !config.access.is_empty())?;
    // All ports are bound.
    rights::keep(network, programs)?;
    opened.udp = udp.iter().filter_map(|u| u.address().ok()).collect();
    opened.tcp = tcp.iter().map(sources::Tcp::address).collect();
    opened.agents = agents.as_ref().map(tls::Listener::address);
    opened.metrics = monitoring.as_ref().map(Monitoring::address);

    local_hosts(&site.inventory, &data, &inbox)?;
    let stop = Arc::new(AtomicBool::new(false));
    for source in udp {
        controller.show(source.named());
        let (current, inbox, stop) = (current.clone(), inbox.clone(), stop.clone());
        start("udp", move || source.run(&current, &inbox, &stop))?;
    }
    for entry in following::entries(&config, &base) {
        opened.files.push(entry.name());
        controller.follow(entry)?;
    }
    for source in tcp {
        controller.show(source.named());
        runtime.spawn(source.run(current.clone(), inbox.clone()));
    }
    if let Some(listener) = agents {
        runtime.spawn(listener.run(Gate { current, inbox: inbox.clone() }));
    }
    if let Some(monitoring) = monitoring {
        runtime.spawn(monitoring.run());
    }
    runtime.spawn(control_socket::serve(control, inbox.clone(), data.clone()));
    start("journal-check", {
        let (inbox, data) = (inbox.clone(), data.clone());
        move || {
            give_way();
            check_journal(&inbox, &data);
        }
    })?;
    end_by_signal(&runtime, {
        let inbox = inbox.clone();
        move || {
            inbox.push(ControllerMessage::Stop);
        }
    })?;
    reload_by_signal(&runtime, inbox.clone())?;
    drop(within);
    ready(&opened);
    let ended = controller.run(PathBuf::from(MYSELF), Pulse::start()?);
    supervisor::stopping();
    // The threads that still read have no receiver any more.
    low_priority.shutdown_background();
    runtime.shutdown_background();
    ended
}

/// The addresses on which a controller listens, as the system reports them. The system chooses the port if port 0 was configured.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    pub udp: Vec<SocketAddr>,
    pub tcp: Vec<SocketAddr>,
    pub agents: Option<SocketAddr>,
    /// Where monitoring systems ask.
    pub metrics: Option<SocketAddr>,
    /// The files that are followed.
    pub files: Vec<String>,
}

/// Runs an agent until a signal ends it. Addresses stay as they are.
///
/// # Errors
/// Returns an error text for an operator.
pub fn agent(config: Agent, base: &Path) -> Result<(), String> {
    let data = base.join(&config.data);
    let programs = config.resources.values().any(|r| matches!(r, LocalResource::Commands(_)));
    let starts = if programs { ProgramStarts::Programs } else { ProgramStarts::Nothing };
    give_up_rights(&Needs { user: config.user.as_deref(), data: &data, network: true, listens: false, programs, starts })?;
    let identity = Identity::open(&keys(&data), &config.host)?;
    let marks = AgentStore::open(&data).map_err(|e| e.to_string())?;
    let thing = |r: LocalResource| match r {
        LocalResource::Address(address, prefix, interface) => Thing::Address(Spot { address, prefix, interface }),
        LocalResource::Commands(commands) => Thing::Commands(commands),
    };
    let things = config.resources.into_iter().map(|(name, r)| (name, thing(r))).collect();
    let name = config.host.clone();
    let host = HostThread::new(config.host, things, marks).watching(config.watch, config.metrics);
    let inbox = host.sender();
    let runtime = runtime(|| Ok(()))?;
    let peers = {
        let (_within, inbox) = (runtime.enter(), inbox.clone());
        // A message that finds no room is sent again by its sender.
        let receive = move |from, message| drop(inbox.try_send(host::HostMessage::Peer(from, message)));
        let (peers, address) = Peers::start(identity.clone(), config.listen, receive)?;
        if let Some(address) = address {
            tracing::info!("other agents can connect to {address}");
        }
        peers
    };
    let host = host.speaking(peers);
    end_by_signal(&runtime, {
        let inbox = inbox.clone();
        move || {
            let _ = inbox.send(host::HostMessage::Stop);
        }
    })?;
    // What monitoring systems ask does not delay votes.
    let low_priority = config.monitored.map(|metrics| {
        let low_priority = self::runtime(|| {
            give_way();
            Ok(())
        })?;
        let own = identity.clone();
        let ends = identity.clone();
        let observe = observing::of_agent(name, inbox.clone(), move || ends.ends(), move || own.is_connected());
        let monitoring = {
            let _within = low_priority.enter();
            Monitoring::open(&metrics, low_priority.handle().clone(), observe)?
        };
        tracing::info!("monitoring systems can ask {}", monitoring.address());
        low_priority.spawn(monitoring.run());
        Ok::<_, String>(low_priority)
    });
    let low_priority = low_priority.transpose()?;
    let (reports, waiting) = mpsc::channel(REPORTS);
    let connected = identity.clone();
    runtime.spawn(async move {
        tls::connect(&config.controller, &identity, waiting, move |command| {
            let _ = inbox.try_send(host::HostMessage::Command(command));
        })
        .await;
    });
    let pulse = Pulse::start()?;
    let ended = host.run(move |report| {
        pulse.beat();
        let held = report.resources.values().filter(|status| status.want && status.holds == Presence::Yes).count();
        let link = if connected.is_connected() { "connected to the controller" } else { "no connection to the controller" };
        pulse.show(format!("{link}, holds {held} of {} resources", report.resources.len()));
        let _ = reports.try_send(report);
    });
    supervisor::stopping();
    low_priority.into_iter().for_each(Runtime::shutdown_background);
    runtime.shutdown_background();
    ended
}

/// Gives up rights, and logs what is left.
fn give_up_rights(needs: &Needs<'_>) -> Result<(), String> {
    for said in rights::give_up(needs)? {
        if said.contains("as root") { tracing::warn!("{said}") } else { tracing::info!("{said}") }
    }
    Ok(())
}

/// Whether a controller brings addresses up itself, and whether its configuration makes it start programs.
fn needs_of(inventory: &Inventory) -> (bool, bool) {
    let local = inventory.hosts.values().any(|h| h.via == Via::Local);
    let commands = inventory.channels.values().any(|c| matches!(c.kind, ChannelKind::Command(_)));
    // Scripts run commands on a host that is this machine (`host.run`).
    (local, local || commands)
}

/// The number of connections for syslog over TCP, of those that the system allows. Agents have the rest.
fn connections_of(allowed: usize) -> usize {
    allowed - allowed / 4
}

/// Checks all records of the journal in the background. The start needed only the newest ones.
fn check_journal(inbox: &Inbox, data: &Path) {
    let wrong = match check_chain(data) {
        Ok(wrong) => wrong,
        Err(e) => Some(e.to_string()),
    };
    if let Some(wrong) = wrong {
        let text = format!(
            "the journal is damaged in a part on which the state does not depend: {wrong}. `pointsman journal verify` lists \
             everything. Is the disk in order?"
        );
        inbox.push(ControllerMessage::Notice(Notice::new(Kind::JournalDamaged, text)));
    }
}

/// Reports agents' certificates that expire soon. Agents renew their certificates while they are connected, so this indicates a
/// problem.
async fn watch_certificates(authority: Arc<Authority>, current: Arc<Current>, inbox: Inbox) {
    let mut known: BTreeMap<Name, Kind> = BTreeMap::new();
    let mut look = tokio::time::interval(LOOK_AT_CERTIFICATES);
    loop {
        look.tick().await;
        let (_, site) = current.get();
        for (host, _) in site.inventory.hosts.iter().filter(|(_, h)| h.via == Via::Agent) {
            let Some(days) = authority.days_left(host) else { continue };
            let (kind, text) = if days >= tls::RENEW_DAYS / 2 {
                (Kind::CertificateGood, format!("the certificate of {host} is valid for {days} days"))
            } else {
                let when = if days < 0 { "has ended".to_owned() } else { format!("ends in {days} days") };
                let what_to_do =
                    format!("is its agent connected, and its disk in order? Otherwise run `pointsman enroll {host}`");
                (Kind::CertificateEnds, format!("the certificate of {host} {when} and was not renewed: {what_to_do}"))
            };
            if known.insert(host.clone(), kind) != Some(kind) {
                let notice = Notice { host: Some(host.clone()), ..Notice::new(kind, text) };
                tokio::task::block_in_place(|| inbox.push(ControllerMessage::Notice(notice)));
            }
        }
    }
}

/// Makes the runtime. Each of its threads calls `rights` first.
fn runtime(rights: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Result<Runtime, String> {
    let processors = thread::available_parallelism().map_or(WORKERS[0], std::num::NonZero::get);
    Builder::new_multi_thread()
        .worker_threads(processors.clamp(WORKERS[0], WORKERS[1]))
        .max_blocking_threads(BLOCKING)
        .on_thread_start(move || {
            if let Err(why) = rights() {
                panic!("{why}");
            }
        })
        .enable_all()
        .build()
        .map_err(|e| format!("no threads can be started: {e}"))
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop).map_err(|e| format!("no thread can be started: {e}"))
}

fn end_by_signal(runtime: &Runtime, end: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let _within = runtime.enter();
    let words = |e: std::io::Error| format!("signals can't be waited for: {e}");
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate()).map_err(words)?, signal(SignalKind::interrupt()).map_err(words)?);
    runtime.spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::task::block_in_place(end);
    });
    Ok(())
}

/// Reloads changed files on SIGHUP.
fn reload_by_signal(runtime: &Runtime, inbox: Inbox) -> Result<(), String> {
    let _within = runtime.enter();
    let mut hangup = signal(SignalKind::hangup()).map_err(|e| format!("signals can't be waited for: {e}"))?;
    runtime.spawn(async move {
        while hangup.recv().await.is_some() {
            tokio::task::block_in_place(|| inbox.push(ControllerMessage::Reload(Trigger::Signal)));
        }
    });
    Ok(())
}

/// Starts the agents of hosts that are this machine. They run in the controller's process.
fn local_hosts(inventory: &Inventory, data: &Path, inbox: &Inbox) -> Result<(), String> {
    let local: Vec<&Name> = inventory.hosts.iter().filter(|(_, h)| h.via == Via::Local).map(|(name, _)| name).collect();
    if let [first, second, ..] = local[..] {
        return Err(format!("{first} and {second} can't both be this machine (`via: local`)"));
    }
    let Some(name) = local.first() else { return Ok(()) };
    let things: BTreeMap<Name, Thing> = inventory
        .resources
        .iter()
        .filter_map(|(resource, r)| {
            let placement = r.placements.iter().find(|s| &s.host == *name)?;
            let thing = match r.what {
                ResourceKind::Address(address, prefix) => {
                    Thing::Address(Spot { address, prefix, interface: placement.interface.clone() })
                }
                ResourceKind::Port(_) => Thing::Commands(placement.commands.clone()?),
            };
            Some((resource.clone(), thing))
        })
        .collect();
    let marks = AgentStore::open(data).map_err(|e| e.to_string())?;
    let host = HostThread::new((*name).clone(), things, marks);
    let commands = host.sender();
    let route = Box::new(move |command| drop(commands.try_send(host::HostMessage::Command(command))));
    inbox.push(ControllerMessage::Reached { host: (*name).clone(), serial: u64::MAX, route });
    let inbox = inbox.clone();
    start("host", move || {
        let reports = inbox.clone();
        let ended = host.run(move |report| {
            reports.offer(Input::Report(report));
        });
        if let Err(why) = ended {
            inbox.push(ControllerMessage::Failed(why));
        }
    })
}

/// Passes the messages of agents to the controller's thread.
#[derive(Clone)]
struct Gate {
    current: Arc<Current>,
    inbox: Inbox,
}

impl Agents for Gate {
    fn expects(&self, host: &str) -> bool {
        self.current.get().1.inventory.hosts.get(host).is_some_and(|h| h.via == Via::Agent)
    }

    fn hosts(&self) -> Vec<Name> {
        let (_, site) = self.current.get();
        site.inventory.hosts.iter().filter(|(_, h)| h.via == Via::Agent).map(|(name, _)| name.clone()).collect()
    }

    fn cloned(&self, host: &str, first: IpAddr, second: IpAddr) {
        let text = format!(
            "two agents have the identity of {host}: one on {first}, and one on {second} that was refused; was the machine copied? \
             Stop one, or `pointsman enroll {host} --revoke` and enroll the right one again"
        );
        let notice = Notice { host: Some(host.to_owned()), ..Notice::new(Kind::ClonedIdentity, text) };
        self.inbox.push(ControllerMessage::Notice(notice));
    }

    fn enrolled(&self, host: &str, from: IpAddr) {
        let text = format!("an agent on {from} has enrolled as {host}");
        let notice = Notice { host: Some(host.to_owned()), ..Notice::new(Kind::AgentEnrolled, text) };
        self.inbox.push(ControllerMessage::Notice(notice));
    }

    fn revoked(&self, host: &str) {
        let text = format!("the certificates of {host} were revoked; `pointsman enroll {host}` makes a token for a new one");
        let notice = Notice { host: Some(host.to_owned()), ..Notice::new(Kind::AgentRevoked, text) };
        self.inbox.push(ControllerMessage::Notice(notice));
    }

    fn knows(&self, peer: IpAddr) -> bool {
        self.current.get().1.inventory.hosts.values().any(|h| h.address == Some(peer.to_canonical()))
    }

    fn reached(&self, host: &str, serial: u64, commands: mpsc::Sender<Command>) {
        let route = Box::new(move |command| drop(commands.try_send(command)));
        let host = host.to_owned();
        tokio::task::block_in_place(|| self.inbox.push(ControllerMessage::Reached { host, serial, route }));
    }

    fn gone(&self, host: &str, serial: u64) {
        let host = host.to_owned();
        tokio::task::block_in_place(|| self.inbox.push(ControllerMessage::Gone { host, serial }));
    }

    fn reports(&self, report: Report) {
        self.inbox.send(Input::Report(report));
    }
}
