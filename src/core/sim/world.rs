//! The simulated world: one heap of timed events, and what each does to hosts, controller and network.

mod faults;
mod parties;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use crate::core::agent::{self, AgentState, Operation};
use crate::core::base::time::Time;
use crate::core::inventory::Takeover;
use crate::core::wire::{Action, Command, PeerMessage, Report};

use super::audit::{Audit, Violation, holders};
use super::controller::{Happening, SimController};
use super::host::{HostClock, SimHost};
use super::network::Network;
use super::nuisance::Nuisance;
use super::rng::Rng;
use super::scenario::{Party, Scenario, SimPlace};
use super::site::{SiteSetup, VIP, host_name};
use super::tamper::Tamper;

/// The time of the controller's wall clock at which the simulation begins.
const BEGIN: Time = Time::from_millis(1_700_000_000_000);
/// Delay before a controller or agent that died is started again, if its fault does not last longer.
const RESTART_AFTER: Duration = Duration::from_millis(300);
/// After the last fault has ended everything must be settled within this time (I2): a lease's term and grace, a slow driver, a
/// backoff of ten seconds ...
const SETTLES_WITHIN: Duration = Duration::from_secs(150);
/// ... and if moves are damped, all the pauses.
const SETTLES_WITHIN_DAMPED: Duration = Duration::from_secs(3_600);
/// How long it must stay settled.
const STAYS: Duration = Duration::from_secs(3);
/// How often an operator checks whether the journal is in doubt, in scenarios in which that is possible.
const OPERATOR_LOOKS: Duration = Duration::from_secs(7);

/// An event that is due at a time.
#[derive(Debug)]
enum Due {
    Begin(usize),
    End(usize),
    /// The agent's deadline that was set for `at`. It is void if another one was set since.
    AgentTimer {
        host: usize,
        start: u64,
        at: Time,
    },
    /// The same for the controller.
    ControllerTimer {
        start: u64,
        at: Time,
    },
    Command {
        host: usize,
        command: Command,
    },
    Report(Report),
    Peer {
        from: usize,
        to: usize,
        message: PeerMessage,
    },
    Drive {
        host: usize,
        start: u64,
        operation: Operation,
    },
    Driven {
        host: usize,
        start: u64,
        input: agent::Input,
    },
    Leave {
        host: usize,
        start: u64,
        place: SimPlace,
    },
    /// The agent of a host gets the state of its link.
    Link {
        host: usize,
    },
    /// An operator checks whether the journal is in doubt.
    Operator,
    Witness {
        host: usize,
        start: u64,
        witness: IpAddr,
        sent: Time,
    },
    Rival {
        host: usize,
        start: u64,
    },
    KernelChanged {
        host: usize,
    },
    KernelDrops {
        host: usize,
    },
    /// The controller reads what is new in the logs.
    Read,
    Answered {
        start: u64,
        happening: Happening,
    },
    Start(Party),
    /// An event that arrived while the queue of a process was long.
    Late(Box<Due>),
}

struct Entry {
    at: Time,
    n: u64,
    /// Boxed, because the heap moves its entries.
    due: Box<Due>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.n == other.n
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.n).cmp(&(other.at, other.n))
    }
}

/// The result of a simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimOutcome {
    /// The invariant that was broken, if any.
    pub violation: Option<Violation>,
    /// The first breach of something that the policy does not promise under the faults of the scenario.
    pub tolerated: Option<Violation>,
    /// How often the address came to a host other than the last one.
    pub failovers: u64,
    pub lasted: Duration,
    /// What happened, line by line, if that was requested.
    pub story: Vec<String>,
}

pub(super) struct SimWorld<'a> {
    now: Time,
    n: u64,
    heap: BinaryHeap<Reverse<Entry>>,
    rng: Rng,
    scenario: &'a Scenario,
    tamper: Option<Tamper>,
    hosts: Vec<SimHost>,
    network: Network,
    controller: SimController,
    audit: Audit,
    waiting: VecDeque<(Party, Due)>,
    story: Option<Vec<String>>,
}

/// Runs a scenario, and records its story if `tell` is set.
pub(super) fn play(scenario: &Scenario, tamper: Option<Tamper>, narrate: bool) -> SimOutcome {
    let mut world = SimWorld::new(scenario, tamper, narrate);
    world.run();
    SimOutcome {
        violation: world.audit.violation.take(),
        tolerated: world.audit.tolerated.take(),
        failovers: world.audit.failovers,
        lasted: world.now.since(BEGIN),
        story: world.story.unwrap_or_default(),
    }
}

impl<'a> SimWorld<'a> {
    fn new(scenario: &'a Scenario, tamper: Option<Tamper>, narrate: bool) -> SimWorld<'a> {
        let mut rng = Rng::new(scenario.seed);
        let hosts: Vec<SimHost> = (0..scenario.agents()).map(|i| SimHost::new(host_name(i), BEGIN, &mut rng)).collect();
        let clock = HostClock::new(BEGIN, BEGIN.micros(), &mut rng);
        let mut world = SimWorld {
            now: BEGIN,
            n: 0,
            heap: BinaryHeap::new(),
            rng,
            scenario,
            tamper,
            network: Network::new(scenario.agents()),
            controller: SimController::new(SiteSetup::new(scenario), scenario.wall * 1_000, clock, Nuisance::of(scenario)),
            audit: Audit::new(scenario),
            hosts,
            waiting: VecDeque::new(),
            story: narrate.then(Vec::new),
        };
        for (i, act) in scenario.acts.iter().enumerate() {
            world.at(BEGIN + Duration::from_millis(act.at), Due::Begin(i));
        }
        if let Some(holder) = scenario.holder {
            world.hosts[holder].addresses.insert(SimPlace::Usual, super::host::Address { ends: None });
            world.audit.came(BEGIN, holder, SimPlace::Usual, &world.hosts);
        }
        for host in &mut world.hosts {
            host.reached_since = Some(BEGIN);
        }
        if scenario.loses_records() {
            world.after(OPERATOR_LOOKS, Due::Operator);
        }
        for i in 0..scenario.agents() {
            let delay = Duration::from_millis(world.rng.below(500));
            world.after(delay, Due::Start(Party::Agent(i)));
        }
        let delay = Duration::from_millis(world.rng.below(500));
        world.after(delay, Due::Start(Party::Controller));
        world
    }

    fn run(&mut self) {
        let faults_end = BEGIN + Duration::from_millis(self.scenario.faults_end()) + RESTART_AFTER * 2;
        let within = if self.scenario.damped { SETTLES_WITHIN_DAMPED } else { SETTLES_WITHIN };
        let mut in_place: Option<Time> = None;
        while let Some(Reverse(entry)) = self.heap.pop() {
            if self.audit.violation.is_some() {
                return;
            }
            self.now = entry.at;
            if self.now > faults_end {
                match (self.in_place(), in_place) {
                    (true, None) => in_place = Some(self.now),
                    (true, Some(since)) if self.now.since(since) >= STAYS => {
                        // A tamper that falsifies the journal must be found by its effects.
                        if self.tamper.is_none() {
                            self.audit.at_the_end(&self.controller);
                        }
                        return;
                    }
                    (true, Some(_)) => {}
                    (false, _) if self.now.since(faults_end) > within => {
                        let why = self.why_not_in_place();
                        self.audit.not_in_place(why);
                        return;
                    }
                    (false, _) => in_place = None,
                }
            }
            self.handle(*entry.due);
        }
    }

    /// I2: the desired owner holds the address and no other host does, everybody was notified, and nothing waits to be read.
    fn in_place(&self) -> bool {
        if self.hosts.iter().any(|h| h.has(SimPlace::OtherAddress)) {
            return false;
        }
        let Some(owner) = self.last_claimant() else {
            return self.controller.is_idle();
        };
        let sole = self.hosts.iter().enumerate().all(|(h, host)| host.has(SimPlace::Usual) == (h == owner));
        sole && self.audit.last_announcer == Some(owner) && self.controller.is_idle() && self.controller.settled()
    }

    fn why_not_in_place(&self) -> String {
        format!(
            "last claim by {}, held by {:?}, last announced by {}; the controller says: {}",
            self.last_claimant().map_or("nobody".to_owned(), host_name),
            holders(&self.hosts).into_iter().map(host_name).collect::<Vec<_>>(),
            self.audit.last_announcer.map_or("nobody".to_owned(), host_name),
            self.controller.says(),
        )
    }

    fn last_claimant(&self) -> Option<usize> {
        self.controller.last_claimant().or_else(|| self.controller.owner())
    }

    fn handle(&mut self, due: Due) {
        if let Some(delay) = self.queues(&due) {
            return self.after(delay, Due::Late(Box::new(due)));
        }
        let due = if let Due::Late(due) = due { *due } else { due };
        match due {
            Due::Late(_) => {}
            Due::Begin(i) => self.begin(i),
            Due::End(i) => self.end(i),
            Due::Start(party) => self.start(party),
            Due::AgentTimer { host, start, at } => {
                if self.hosts[host].starts == start && self.hosts[host].timer == Some(at) {
                    self.hosts[host].timer = None;
                    self.agent(host, Some(start), agent::Input::Timer);
                }
            }
            Due::ControllerTimer { start, at } => {
                if self.controller.starts == start && self.controller.timer == Some(at) {
                    self.controller.timer = None;
                    self.control(Some(start), Happening::Timer);
                }
            }
            Due::Command { host, command } => {
                let mut command = command;
                // An agent of an earlier version does not understand it.
                if self.hosts[host].old > 0 && is_of_a_quorum(&command) {
                    return;
                }
                if let Some(tamper) = self.tamper {
                    let beat = self.hosts[host].agent.as_ref().map(AgentState::beat);
                    let mark = self.hosts[host].disk.marks.get(VIP);
                    if !tamper.delivers(&mut command, beat, mark) {
                        return;
                    }
                }
                self.agent(host, None, agent::Input::Command(command));
            }
            Due::Report(mut report) => {
                if let Some(tamper) = self.tamper {
                    tamper.arrives(&mut report, self.controller.ledger());
                }
                self.control(None, Happening::Report(report));
            }
            Due::Peer { to, .. } if self.hosts[to].old > 0 => {}
            // An agent closes the connection of one that the controller did not name.
            Due::Peer { from, to, .. } if !self.hosts[to].peers.contains(&self.hosts[from].name) => {}
            Due::Peer { from, to, mut message } => {
                if let Some(tamper) = self.tamper {
                    tamper.votes(&mut message, self.hosts[to].asked);
                }
                self.agent(to, None, agent::Input::Peer(self.hosts[from].name.clone(), message));
            }
            Due::Drive { host, start, operation } => self.drive(host, start, operation),
            Due::Leave { host, start, place } => self.leave(host, start, place),
            Due::Link { host } => self.report_link(host),
            Due::Operator => {
                self.after(OPERATOR_LOOKS, Due::Operator);
                if let Some(command) = self.controller.accepts_loss() {
                    self.control(None, command);
                }
            }
            Due::Driven { host, start, input } => self.agent(host, Some(start), input),
            Due::Witness { host, start, witness, sent } => {
                let input = agent::Input::Witness { resource: VIP.to_owned(), witness, sent };
                self.agent(host, Some(start), input);
            }
            Due::Rival { host, start } => {
                if self.tamper != Some(Tamper::HearsNoRival) {
                    self.agent(host, Some(start), agent::Input::Rival { resource: VIP.to_owned() });
                }
            }
            Due::KernelChanged { host } => {
                let holds = match self.hosts[host].has(self.hosts[host].listed.unwrap_or_default()) {
                    true => crate::core::wire::Presence::Yes,
                    false => crate::core::wire::Presence::No,
                };
                self.agent(host, None, agent::Input::Changed { resource: VIP.to_owned(), holds });
            }
            Due::KernelDrops { host } => self.kernel_drops(host),
            Due::Read => self.control(None, Happening::Read),
            Due::Answered { start, happening } => self.control(Some(start), happening),
        }
    }

    /// How long an event has to wait in the queue of an overloaded process.
    fn queues(&self, due: &Due) -> Option<Duration> {
        let late = match due {
            Due::AgentTimer { host, .. }
            | Due::Command { host, .. }
            | Due::Peer { to: host, .. }
            | Due::Driven { host, .. }
            | Due::Witness { host, .. }
            | Due::Rival { host, .. }
            | Due::Link { host }
            | Due::KernelChanged { host } => self.hosts[*host].overload,
            Due::Report(_) | Due::ControllerTimer { .. } | Due::Read | Due::Answered { .. } => self.controller.overload,
            _ => 0,
        };
        (late > 0).then(|| Duration::from_millis(late))
    }

    /// Continues events that waited for stopped processes which run again.
    fn go_on(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for (party, due) in waiting {
            let runs = match party {
                Party::Controller => self.controller.stopped == 0,
                Party::Agent(h) => self.hosts[h].runs(),
            };
            if runs {
                self.after(Duration::ZERO, due);
            } else {
                self.waiting.push_back((party, due));
            }
        }
    }

    fn after(&mut self, delay: Duration, due: Due) {
        self.at(self.now + delay, due);
    }

    fn at(&mut self, at: Time, due: Due) {
        self.n += 1;
        self.heap.push(Reverse(Entry { at: at.max(self.now), n: self.n, due: Box::new(due) }));
    }

    fn narrate(&mut self, text: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            let at = self.now.since(BEGIN);
            story.push(format!("{:>9.3}s  {}", at.as_secs_f64(), text()));
        }
    }
}

fn is_of_a_quorum(command: &Command) -> bool {
    match &command.action {
        Action::Take { terms, .. } => terms.takeover == Takeover::Quorum,
        Action::Electorate(_) => true,
        Action::Release | Action::Renew => false,
    }
}
