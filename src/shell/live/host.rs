//! A target host: the agent's state machine with the host's clock, disk, addresses and neighbours.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::core::agent::{AgentState, Input, Operation, OperationResult, Output};
use crate::core::base::time::{Time, duration_text};
use crate::core::inventory::{Commands, Measuring, Name, ResourceKind, Sign};
use crate::core::metrics::{AgentCounts, Samples};
use crate::core::wire::{Command, LinkState, LocalPlacement, PeerMessage, Report};
use crate::shell::command;
use crate::shell::linux::{
    AddressDriver, Announcer, Meter, NeighborMonitor, NetworkEvent, Processes, Spot, boot_time, wall_time,
};
use crate::shell::store::AgentStore;
use crate::shell::tls::Peers;

use super::failures::{Failures, HostTask};
use super::watch;

/// The number of messages that may wait for the host's thread. The sender of a further message waits. Network events are dropped
/// instead, because they are repeated.
const INBOX: usize = 1_024;
/// The time until the place of the store is remembered again after that failed.
const AGAIN: Duration = Duration::from_secs(60);
/// The number of operations that may wait for one driver: the current one, and observations that the kernel caused.
const OPERATIONS: usize = 4;
/// The times at which a burst repeats an announcement, after the first.
const BURST: [Duration; 5] = [
    Duration::from_millis(20),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// A message to the host's thread.
#[derive(Debug)]
pub enum HostMessage {
    /// A command of the controller.
    Command(Command),
    /// A message of another host's agent.
    Peer(Name, PeerMessage),
    /// Something was seen on the network.
    Network(NetworkEvent),
    /// The result of an operation, or of an observation that the kernel caused.
    Driven(Name, Operation, OperationResult, AskedBy),
    /// The result of an attempt to remove an address that is not listed any more.
    Left(Name, OperationResult),
    /// Applications were checked, or the host was measured: an input for the agent.
    Seen(Input),
    /// A monitoring system asks how the agent is.
    Observe(SyncSender<Samples>),
    /// The program ends. Addresses stay as they are.
    Stop,
}

/// Something that can be brought up and down on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    Address(Spot),
    /// A resource that programs bring up and down.
    Commands(Commands),
}

/// The origin of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    Agent,
    /// A notification of the kernel.
    Kernel,
}

/// A host that is ready to run.
pub struct HostThread {
    name: Name,
    things: BTreeMap<Name, Thing>,
    marks: AgentStore,
    watch: BTreeMap<Name, Sign>,
    metrics: Measuring,
    peers: Option<Peers>,
    inbox: Receiver<HostMessage>,
    sender: SyncSender<HostMessage>,
}

struct Running<R> {
    agent: AgentState,
    spots: BTreeMap<Name, Spot>,
    marks: AgentStore,
    /// Until then the store counts as a copy if it is one. `None` after that.
    distrusted_until: Option<Time>,
    monitor: NeighborMonitor,
    drivers: BTreeMap<Name, SyncSender<(Operation, AskedBy)>>,
    announcers: BTreeMap<Name, Announcer>,
    /// Resources whose driver will observe because of a notification of the kernel.
    looking: BTreeSet<Name>,
    /// The agents of other hosts. `None` if the host is the controller's own machine.
    peers: Option<Peers>,
    /// The remaining times of announcement bursts.
    bursts: BTreeMap<Name, Vec<Time>>,
    failures: Failures,
    counts: AgentCounts,
    /// Sends messages to its own thread.
    sender: SyncSender<HostMessage>,
    report: R,
}

impl HostThread {
    /// Makes a host with the resources of its own list. It never touches anything else on the host.
    pub fn new(name: Name, things: BTreeMap<Name, Thing>, marks: AgentStore) -> HostThread {
        let (sender, inbox) = sync_channel(INBOX);
        let (watch, metrics) = (BTreeMap::new(), Measuring::default());
        HostThread { name, things, marks, watch, metrics, peers: None, inbox, sender }
    }

    /// Makes the host also check these applications and measure these values.
    pub fn watching(self, watch: BTreeMap<Name, Sign>, metrics: Measuring) -> HostThread {
        HostThread { watch, metrics, ..self }
    }

    /// Makes its agent exchange messages with the agents of other hosts.
    pub fn speaking(self, peers: Peers) -> HostThread {
        HostThread { peers: Some(peers), ..self }
    }

    /// Sends messages to the host's thread.
    pub fn sender(&self) -> SyncSender<HostMessage> {
        self.sender.clone()
    }

    /// Runs until it is stopped. `report` sends a report to the controller or drops it, because the next report contains the
    /// same.
    ///
    /// # Errors
    /// When the host cannot be observed at all, or when obeyed commands cannot be written to the disk any more.
    pub fn run(self, report: impl FnMut(Report)) -> Result<(), String> {
        let HostThread { name, things, marks, watch, metrics, peers, inbox, sender } = self;
        let spot = |(name, thing): (&Name, &Thing)| match thing {
            Thing::Address(spot) => Some((name.clone(), spot.clone())),
            Thing::Commands(_) => None,
        };
        let spots: BTreeMap<Name, Spot> = things.iter().filter_map(spot).collect();
        marks.make_room().map_err(|e| e.to_string())?;
        let durable = marks.load().map_err(|e| e.to_string())?;
        let start = marks.next_start(u64::try_from(wall_time().micros() / 1_000_000).unwrap_or(0)).map_err(|e| e.to_string())?;
        let monitor = NeighborMonitor::open(spots.values().cloned().collect(), {
            let sender = sender.clone();
            // An event that is dropped now is repeated or observed later.
            move |event| drop(sender.try_send(HostMessage::Network(event)))
        })?;
        let mut drivers = BTreeMap::new();
        for (resource, thing) in &things {
            let sender = match thing {
                Thing::Address(spot) => {
                    let address = AddressDriver::new(spot.clone());
                    driver(resource.clone(), move |operation| address.drive(operation), sender.clone())?
                }
                Thing::Commands(commands) => {
                    let commands = command::CommandDriver::new(commands.clone()).map_err(|e| format!("{resource}: {e}"))?;
                    driver(resource.clone(), move |operation| commands.drive(operation), sender.clone())?
                }
            };
            drivers.insert(resource.clone(), sender);
        }
        let measures = !(metrics.of.is_empty() && metrics.mounts.is_empty());
        let interval = metrics.every;
        let meter = measures.then(|| (Meter::new(metrics), interval));
        // If the inbox is full, the next check reports the same.
        let seen = {
            let sender = sender.clone();
            move |seen| drop(sender.try_send(HostMessage::Seen(seen)))
        };
        let _watching = watch::start(Processes::new(watch), meter, seen)?;
        let announcers = spots.iter().map(|(name, spot)| (name.clone(), Announcer::new(spot))).collect();
        let mut outputs = Vec::new();
        let place = |spot: &Spot| LocalPlacement {
            what: ResourceKind::Address(spot.address, spot.prefix),
            interface: spot.interface.clone(),
        };
        let list = things.keys().map(|name| (name.clone(), spots.get(name).map(place))).collect();
        let mut agent = AgentState::start(name, start, durable, list, boot_time(), &mut outputs);
        let is_copy = marks.is_copy().map_err(|e| e.to_string())?;
        let now = boot_time();
        let distrusted_until = agent.distrust_store(now, is_copy);
        if is_copy {
            let wait = duration_text(distrusted_until.since(now));
            tracing::warn!(
                "the agent's store is a copy, which may be older than its last promise, so it votes for nobody for {wait}"
            );
        }
        let (bursts, failures, looking) = (BTreeMap::new(), Failures::default(), BTreeSet::new());
        let counts = AgentCounts::default();
        let mut running = Running {
            agent,
            spots,
            marks,
            distrusted_until: Some(distrusted_until),
            monitor,
            drivers,
            announcers,
            looking,
            peers,
            bursts,
            failures,
            counts,
            sender,
            report,
        };
        running.carry_out(outputs)?;
        running.run(&inbox)
    }
}

impl<R: FnMut(Report)> Running<R> {
    fn run(&mut self, inbox: &Receiver<HostMessage>) -> Result<(), String> {
        loop {
            let burst = self.bursts.values().flatten().min().copied();
            let due = self.agent.next_deadline().min(burst.unwrap_or(Time::from_micros(i64::MAX)));
            let inputs = match inbox.recv_timeout(due.since(boot_time())) {
                Ok(HostMessage::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(message) => self.inputs(message),
                Err(RecvTimeoutError::Timeout) => Vec::new(),
            };
            let now = boot_time();
            if self.distrusted_until.is_some_and(|until| until <= now) {
                // Until this succeeds, the store counts as a copy at the next start, which is the safe side.
                self.distrusted_until = self.marks.remember_place().err().map(|e| {
                    tracing::warn!("{e}; it is tried again in a minute");
                    now + AGAIN
                });
            }
            let mut outputs = Vec::new();
            for input in inputs {
                self.counts.input(&input);
                self.agent.turn(now, input, &mut outputs);
            }
            if self.agent.next_deadline() <= now {
                self.agent.turn(now, Input::Timer, &mut outputs);
            }
            self.carry_out(outputs)?;
            self.go_on_announcing(boot_time());
        }
    }

    fn inputs(&mut self, message: HostMessage) -> Vec<Input> {
        match message {
            HostMessage::Stop => Vec::new(),
            HostMessage::Command(command) => vec![Input::Command(command)],
            HostMessage::Peer(from, message) => vec![Input::Peer(from, message)],
            HostMessage::Seen(input) => vec![input],
            HostMessage::Observe(reply) => {
                let mut samples = Samples::default();
                self.counts.add_to(&self.agent, &mut samples);
                // Who asked may have given up.
                let _ = reply.try_send(samples);
                Vec::new()
            }
            HostMessage::Driven(resource, operation, done, asked) => {
                self.counts.operation(operation, done.failed.is_some());
                self.log_failure(&resource, operation.into(), done.failed.as_deref());
                if asked == AskedBy::Kernel {
                    self.looking.remove(&resource);
                }
                vec![match asked {
                    AskedBy::Agent => Input::Driven { resource, failed: done.failed, holds: done.holds, until: done.until },
                    AskedBy::Kernel => Input::Changed { resource, holds: done.holds },
                }]
            }
            HostMessage::Left(resource, done) => {
                self.log_failure(&resource, HostTask::Leave, done.failed.as_deref());
                vec![Input::Left { resource, holds: done.holds }]
            }
            HostMessage::Network(event) => self.network_event(event),
        }
    }

    fn network_event(&mut self, event: NetworkEvent) -> Vec<Input> {
        let at = |address: IpAddr| -> Vec<Name> {
            self.spots.iter().filter(|(_, s)| s.address == address).map(|(name, _)| name.clone()).collect()
        };
        match event {
            // A notification describes a past state. An observation, in turn with the operations, finds the present state.
            NetworkEvent::Changed(address, _) => at(address).iter().for_each(|name| self.look(name)),
            NetworkEvent::Missed => self.drivers.keys().cloned().collect::<Vec<_>>().iter().for_each(|name| self.look(name)),
            NetworkEvent::Rival(address) => return at(address).into_iter().map(|resource| Input::Rival { resource }).collect(),
            NetworkEvent::Link(interface, state) => {
                let there: Vec<Name> =
                    self.spots.iter().filter(|(_, s)| s.interface == interface).map(|(name, _)| name.clone()).collect();
                // The link may now lead to other neighbours.
                if state == LinkState::Up {
                    there
                        .iter()
                        .filter(|n| self.agent.holds(n))
                        .cloned()
                        .collect::<Vec<_>>()
                        .iter()
                        .for_each(|name| self.announce_in_a_burst(name));
                }
                return there.into_iter().map(|resource| Input::Link { resource, state }).collect();
            }
            NetworkEvent::Witness { interface, witness, sent } => {
                let on = self.spots.iter().filter(|(_, s)| s.interface == interface);
                return on.map(|(name, _)| Input::Witness { resource: name.clone(), witness, sent }).collect();
            }
        }
        Vec::new()
    }

    fn look(&mut self, resource: &Name) {
        // One waiting observation covers all changes until it runs.
        if let Some(driver) = self.drivers.get(resource)
            && self.looking.insert(resource.clone())
        {
            let _ = driver.try_send((Operation::Observe, AskedBy::Kernel));
        }
    }

    fn carry_out(&mut self, outputs: Vec<Output>) -> Result<(), String> {
        for output in outputs {
            self.counts.output(&output);
            match output {
                Output::Persist(durable) => self.marks.save(&durable).map_err(|e| e.to_string())?,
                Output::Drive { resource, operation } => {
                    if let Some(driver) = self.drivers.get(&resource)
                        && let Err(TrySendError::Disconnected(_)) = driver.try_send((operation, AskedBy::Agent))
                    {
                        return Err(format!("the driver of {resource} has ended; this is an error in the program"));
                    }
                }
                Output::Leave { resource, place } => self.leave(resource, place)?,
                Output::Ping { resource } => self.ping(&resource),
                Output::Ask { resource } => {
                    let sent = self.announcers.get_mut(&resource).map(Announcer::ask);
                    self.log_failure(&resource, HostTask::Probe, sent.and_then(Result::err).as_deref());
                }
                Output::Announce { resource, burst: false } => self.announce(&resource),
                Output::Announce { resource, burst: true } => self.announce_in_a_burst(&resource),
                Output::Report(report) => (self.report)(report),
                Output::Peer(to, message) => {
                    if let Some(peers) = &self.peers {
                        peers.send(&to, message);
                    }
                }
                Output::Peers(peers) => {
                    if let Some(known) = &self.peers {
                        known.set(peers);
                    }
                }
            }
        }
        Ok(())
    }

    /// Removes an address that is not listed any more. This runs on a temporary thread, because netlink may be slow.
    fn leave(&self, resource: Name, place: LocalPlacement) -> Result<(), String> {
        let ResourceKind::Address(address, prefix) = place.what else { return Ok(()) };
        let listed = self.spots.get(&resource).is_some_and(|spot| spot.address == address);
        let (driver, sender) = (AddressDriver::new(Spot { address, prefix, interface: place.interface }), self.sender.clone());
        let work = move || drop(sender.send(HostMessage::Left(resource, driver.leave(listed))));
        let started = thread::Builder::new().name("leave".to_owned()).spawn(work);
        started.map(drop).map_err(|e| format!("no thread can be started: {e}"))
    }

    fn ping(&mut self, resource: &str) {
        let Some(spot) = self.spots.get(resource) else { return };
        let terms = self.agent.durable().marks.get(resource).and_then(|m| m.terms.as_ref());
        let witnesses = terms.map(|t| t.witnesses.clone()).unwrap_or_default();
        let failed: Vec<String> = witnesses.iter().filter_map(|w| self.monitor.ping(&spot.interface, *w).err()).collect();
        // The agent handles a witness that does not answer. If no witness can be asked at all, the operator must know.
        let failed = failed.first().filter(|_| failed.len() == witnesses.len());
        self.log_failure(&resource.to_owned(), HostTask::Ping, failed.map(String::as_str));
    }

    fn announce_in_a_burst(&mut self, resource: &Name) {
        let now = boot_time();
        // A machine that claims the address a thousand times a second is not answered as often: the first announcement of the
        // burst was just sent.
        if self.bursts.get(resource).is_some_and(|said| said.len() == BURST.len()) {
            return;
        }
        self.announce(resource);
        self.bursts.insert(resource.clone(), BURST.iter().map(|after| now + *after).collect());
    }

    fn announce(&mut self, resource: &Name) {
        let sent = self.announcers.get_mut(resource).map(Announcer::announce);
        self.log_failure(resource, HostTask::Announce, sent.and_then(Result::err).as_deref());
    }

    fn go_on_announcing(&mut self, now: Time) {
        // What was given up or lost is not announced any more: neighbours would send to the wrong host.
        let agent = &self.agent;
        self.bursts.retain(|resource, _| agent.wants(resource));
        let due: Vec<Name> =
            self.bursts.iter().filter(|(_, at)| at.iter().any(|at| *at <= now)).map(|(n, _)| n.clone()).collect();
        for resource in due {
            self.announce(&resource);
            if let Some(at) = self.bursts.get_mut(&resource) {
                at.retain(|at| *at > now);
            }
        }
        self.bursts.retain(|_, at| !at.is_empty());
    }

    /// Logs the failure of a task, if there is one and it is new.
    fn log_failure(&mut self, resource: &Name, task: HostTask, failed: Option<&str>) {
        if self.failures.is_new(resource, task, failed) {
            tracing::warn!(%resource, "{}", failed.unwrap_or_default());
        }
    }
}

/// Starts a thread that runs the operations on one resource one after another.
fn driver(
    resource: Name,
    drive: impl Fn(Operation) -> OperationResult + Send + 'static,
    host: SyncSender<HostMessage>,
) -> Result<SyncSender<(Operation, AskedBy)>, String> {
    let (sender, operations) = sync_channel::<(Operation, AskedBy)>(OPERATIONS);
    let work = move || {
        while let Ok((operation, asked)) = operations.recv() {
            let done = drive(operation);
            if host.send(HostMessage::Driven(resource.clone(), operation, done, asked)).is_err() {
                return;
            }
        }
    };
    let started = thread::Builder::new().name("driver".to_owned()).spawn(work);
    started.map(|_| sender).map_err(|e| format!("no thread can be started: {e}"))
}
