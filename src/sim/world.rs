//! The simulated world: one heap of timed happenings, and what each does to hosts, controller and network.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::agent::{self, Agent, Operation};
use crate::base::time::Time;
use crate::event::EventId;
use crate::inventory::{self, Inventory, Moves, Resource, Takeover};
use crate::wire::{Command, Report};

use super::audit::{Audit, Violation};
use super::controller::{Controller, Happening};
use super::host::{Clock, Host};
use super::network::Network;
use super::rng::Rng;
use super::scenario::{Act, Party, Scenario, WITNESSES, What};
use super::tamper::Tamper;

/// The resource that moves.
pub(super) const VIP: &str = "vip";
/// The simulation begins at this time of the controller's wall clock.
const BEGIN: Time = Time::from_millis(1_700_000_000_000);
/// A controller or agent that died is started again after this, when its act does not last longer.
const RESTART_AFTER: Duration = Duration::from_millis(300);
/// After the last fault has ended everything must be in its place within this (I2): a lease's term and grace, a slow driver,
/// a backoff of ten seconds ...
const SETTLES_WITHIN: Duration = Duration::from_secs(150);
/// ... and where moves are damped, all the pauses.
const SETTLES_WITHIN_DAMPED: Duration = Duration::from_secs(3_600);
/// How long it must then stay so.
const STAYS: Duration = Duration::from_secs(3);
/// The term of simulated leases; the shortest that is allowed.
const TERM: Duration = Duration::from_secs(30);

/// Something due at a time.
#[derive(Debug)]
enum Due {
    Begin(usize),
    End(usize),
    AgentTimer {
        host: usize,
        start: u64,
    },
    ControllerTimer {
        start: u64,
    },
    Command {
        host: usize,
        command: Command,
    },
    Report(Report),
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
}

struct Entry {
    at: Time,
    n: u64,
    due: Due,
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

/// What came of a simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The invariant that was broken, when one was.
    pub violation: Option<Violation>,
    /// How often the address came to another host than had it last.
    pub failovers: u64,
    /// Virtual time.
    pub lasted: Duration,
    /// What happened, line by line, when it was asked for.
    pub story: Vec<String>,
}

pub(super) struct World<'a> {
    now: Time,
    n: u64,
    heap: BinaryHeap<Reverse<Entry>>,
    rng: Rng,
    scenario: &'a Scenario,
    tamper: Option<Tamper>,
    hosts: Vec<Host>,
    network: Network,
    controller: Controller,
    audit: Audit,
    waiting: VecDeque<(Party, Due)>,
    story: Option<Vec<String>>,
}

/// Runs a scenario, and tells its story when asked to.
pub(super) fn play(scenario: &Scenario, tamper: Option<Tamper>, tell: bool) -> Outcome {
    let mut world = World::new(scenario, tamper, tell);
    world.run();
    Outcome {
        violation: world.audit.violation.take(),
        failovers: world.audit.failovers,
        lasted: world.now.since(BEGIN),
        story: world.story.unwrap_or_default(),
    }
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario, tamper: Option<Tamper>, tell: bool) -> World<'a> {
        let mut rng = Rng::new(scenario.seed);
        let hosts: Vec<Host> = (0..scenario.hosts).map(|i| Host::new(host_name(i), BEGIN, &mut rng)).collect();
        let clock = Clock::new(BEGIN, BEGIN.micros(), &mut rng);
        let mut world = World {
            now: BEGIN,
            n: 0,
            heap: BinaryHeap::new(),
            rng,
            scenario,
            tamper,
            network: Network::new(scenario.hosts),
            controller: Controller::new(inventory_of(scenario), clock),
            audit: Audit::new(scenario),
            hosts,
            waiting: VecDeque::new(),
            story: tell.then(Vec::new),
        };
        for (i, act) in scenario.acts.iter().enumerate() {
            world.at(BEGIN + Duration::from_millis(act.at), Due::Begin(i));
        }
        if let Some(holder) = scenario.holder {
            world.hosts[holder].address = Some(super::host::Address { ends: None });
            world.audit.came(holder, &world.hosts);
        }
        for i in 0..scenario.hosts {
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
                        // A breakage that falsifies the journal is to be found by what it does.
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
            self.handle(entry.due);
        }
    }

    /// I2: the desired owner has it, nobody else, everybody was told, and nothing waits to be read.
    fn in_place(&self) -> bool {
        let Some(owner) = self.last_claimant() else {
            return self.controller.is_idle();
        };
        let held_by: Vec<usize> = holders(&self.hosts);
        held_by == [owner] && self.audit.last_announcer == Some(owner) && self.controller.is_idle() && self.controller.settled()
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
        self.controller.last_claimant().or(self.scenario.holder.filter(|_| self.controller.owner_is_known()))
    }

    fn handle(&mut self, due: Due) {
        match due {
            Due::Begin(i) => self.begin(i),
            Due::End(i) => self.end(i),
            Due::Start(party) => self.start(party),
            Due::AgentTimer { host, start } => {
                if self.hosts[host].starts == start {
                    self.hosts[host].timer = None;
                    self.agent(host, Some(start), agent::Input::Timer);
                }
            }
            Due::ControllerTimer { start } => {
                if self.controller.starts == start {
                    self.controller.timer = None;
                    self.control(Some(start), Happening::Timer);
                }
            }
            Due::Command { host, command } => {
                let mut command = command;
                if let Some(tamper) = self.tamper {
                    let beat = self.hosts[host].agent.as_ref().map(Agent::beat);
                    let mark = self.hosts[host].disk.marks.get(VIP);
                    if !tamper.delivers(&mut command, beat, mark) {
                        return;
                    }
                }
                self.agent(host, None, agent::Input::Command(command));
            }
            Due::Report(report) => self.control(None, Happening::Report(report)),
            Due::Drive { host, start, operation } => self.drive(host, start, operation),
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
                let holds = match self.hosts[host].address {
                    Some(_) => crate::wire::Holds::Yes,
                    None => crate::wire::Holds::No,
                };
                self.agent(host, None, agent::Input::Changed { resource: VIP.to_owned(), holds });
            }
            Due::KernelDrops { host } => self.kernel_drops(host),
            Due::Read => self.control(None, Happening::Read),
            Due::Answered { start, happening } => self.control(Some(start), happening),
        }
    }

    // Faults and claims.

    fn begin(&mut self, i: usize) {
        let Act { lasts, what, .. } = &self.scenario.acts[i];
        let (lasts, what) = (Duration::from_millis(*lasts), what.clone());
        if !matches!(what, What::Claim(_) | What::ClockStep(_) | What::TakenOff(_)) {
            self.after(lasts.max(Duration::from_millis(1)), Due::End(i));
        }
        self.tell(|| format!("** {}", describe(&what, lasts)));
        self.network.change(&what, true);
        match what {
            What::Claim(host) => {
                self.controller.claim(host);
                let delay = Duration::from_micros(self.rng.between(50, 2_000));
                self.after(delay, Due::Read);
            }
            What::Kill(party) => {
                *self.killed(party) += 1;
                self.die(party);
            }
            What::KillAfter(party, outputs) => *self.fuse(party) = Some(outputs),
            What::Stop(party) => *self.stopped(party) += 1,
            What::PowerOff(host) => {
                self.hosts[host].off += 1;
                self.hosts[host].killed += 1;
                self.die(Party::Agent(host));
                self.set_address(host, None);
            }
            What::Freeze(host) => self.hosts[host].frozen += 1,
            What::Drive(host, driver) => self.hosts[host].drivers.push(driver),
            What::ClockStep(ms) => self.controller.wall_offset += ms * 1_000,
            What::TakenOff(host) => {
                if self.hosts[host].address.is_some() && self.hosts[host].answers() {
                    self.set_address(host, None);
                    self.after(Duration::from_millis(1), Due::KernelChanged { host });
                }
            }
            What::CutControl(..) | What::CutLan(..) | What::CutWitness(..) | What::Split(..) | What::Noise(..) => {}
        }
    }

    fn end(&mut self, i: usize) {
        let what = self.scenario.acts[i].what.clone();
        self.tell(|| format!("** over: {}", describe(&what, Duration::ZERO)));
        self.network.change(&what, false);
        match what {
            What::Kill(party) => {
                *self.killed(party) -= 1;
                self.after(Duration::ZERO, Due::Start(party));
            }
            What::Stop(party) => {
                *self.stopped(party) -= 1;
                self.go_on();
            }
            What::PowerOff(host) => {
                self.hosts[host].off -= 1;
                self.hosts[host].killed -= 1;
                if self.hosts[host].off == 0 {
                    let base = self.rng.below(1 << 30) as i64;
                    self.hosts[host].clock = Clock::new(self.now, base, &mut self.rng);
                }
                self.after(Duration::from_millis(5), Due::Start(Party::Agent(host)));
            }
            What::Freeze(host) => {
                self.hosts[host].frozen -= 1;
                self.go_on();
            }
            What::Drive(host, driver) => {
                let drivers = &mut self.hosts[host].drivers;
                if let Some(i) = drivers.iter().position(|d| *d == driver) {
                    drivers.remove(i);
                }
            }
            _ => {}
        }
    }

    fn killed(&mut self, party: Party) -> &mut u32 {
        match party {
            Party::Controller => &mut self.controller.killed,
            Party::Agent(h) => &mut self.hosts[h].killed,
        }
    }

    fn stopped(&mut self, party: Party) -> &mut u32 {
        match party {
            Party::Controller => &mut self.controller.stopped,
            Party::Agent(h) => &mut self.hosts[h].stopped,
        }
    }

    fn fuse(&mut self, party: Party) -> &mut Option<u32> {
        match party {
            Party::Controller => &mut self.controller.fuse,
            Party::Agent(h) => &mut self.hosts[h].fuse,
        }
    }

    /// A process is gone, with everything that it had not written to its disk.
    fn die(&mut self, party: Party) {
        self.waiting.retain(|(p, _)| *p != party);
        match party {
            Party::Controller => self.controller.die(),
            Party::Agent(h) => {
                self.hosts[h].agent = None;
                self.hosts[h].fuse = None;
                self.hosts[h].timer = None;
                self.hosts[h].starts += 1;
            }
        }
    }

    /// True when the output that is about to be carried out is not, because the process dies before it.
    fn dies_here(&mut self, party: Party) -> bool {
        match self.fuse(party) {
            Some(0) => {
                self.tell(|| format!("   {} dies here", party_name(party)));
                self.die(party);
                self.after(RESTART_AFTER, Due::Start(party));
                true
            }
            Some(n) => {
                *n -= 1;
                false
            }
            None => false,
        }
    }

    fn start(&mut self, party: Party) {
        match party {
            Party::Controller if self.controller.killed == 0 && !self.controller.runs_or_stopped() => {
                self.tell(|| "   the controller starts".to_owned());
                let outputs = self.controller.start(self.now, self.tamper, &mut self.rng);
                self.carry_out_control(outputs);
                self.after(Duration::from_millis(1), Due::Read);
            }
            Party::Agent(h) if self.hosts[h].killed == 0 && self.hosts[h].agent.is_none() => {
                self.tell(|| format!("   the agent of {} starts", host_name(h)));
                let host = &mut self.hosts[h];
                host.starts += 1;
                let mut outputs = Vec::new();
                host.agent = Some(Agent::start(
                    host.name.clone(),
                    host.starts,
                    host.disk.clone(),
                    [VIP.to_owned()],
                    host.clock.local(self.now),
                    &mut outputs,
                ));
                self.carry_out_agent(h, outputs);
            }
            _ => {}
        }
    }

    // Processes.

    fn agent(&mut self, h: usize, start: Option<u64>, input: agent::Input) {
        let host = &mut self.hosts[h];
        if start.is_some_and(|s| s != host.starts) || host.agent.is_none() {
            return;
        }
        if !host.runs() {
            let due = Due::Driven { host: h, start: host.starts, input };
            self.waiting.push_back((Party::Agent(h), due));
            return;
        }
        let local = host.clock.local(self.now);
        let mut outputs = Vec::new();
        if let Some(agent) = &mut host.agent {
            agent.turn(local, input, &mut outputs);
        }
        self.carry_out_agent(h, outputs);
    }

    fn carry_out_agent(&mut self, h: usize, outputs: Vec<agent::Output>) {
        for output in outputs {
            if self.dies_here(Party::Agent(h)) {
                return;
            }
            let start = self.hosts[h].starts;
            match output {
                agent::Output::Persist(durable) => {
                    if self.tamper != Some(Tamper::AgentForgets) {
                        self.hosts[h].disk = durable;
                    }
                }
                agent::Output::Drive { operation, .. } => {
                    let takes = self.hosts[h].takes(&mut self.rng);
                    self.after(takes, Due::Drive { host: h, start, operation });
                }
                agent::Output::Ping { .. } => self.ping(h, start),
                agent::Output::Ask { .. } => {
                    for other in 0..self.hosts.len() {
                        let has = self.hosts[other].address.is_some() && self.hosts[other].answers();
                        if other != h && has && self.network.hear_each_other(h, other) {
                            let delay = Duration::from_micros(self.rng.between(50, 5_000));
                            self.after(delay, Due::Rival { host: h, start });
                        }
                    }
                }
                agent::Output::Announce { .. } => self.announce(h),
                agent::Output::Report(mut report) => {
                    if let Some(tamper) = self.tamper {
                        tamper.reports(&mut report);
                    }
                    for delay in self.network.control(h, false, &mut self.rng) {
                        self.after(delay, Due::Report(report.clone()));
                    }
                }
            }
        }
        let host = &mut self.hosts[h];
        if let Some(agent) = &host.agent {
            let at = host.clock.truly(agent.next_deadline()).max(self.now + Duration::from_micros(1));
            if host.timer.is_none_or(|t| at < t) {
                host.timer = Some(at);
                let start = host.starts;
                self.at(at, Due::AgentTimer { host: h, start });
            }
        }
    }

    fn ping(&mut self, h: usize, start: u64) {
        let sent = self.hosts[h].clock.local(self.now);
        for w in 0..WITNESSES {
            if self.network.reaches_witness(h, w) || self.tamper == Some(Tamper::WitnessesForged) {
                let delay = Duration::from_micros(self.rng.between(50, 5_000));
                self.after(delay, Due::Witness { host: h, start, witness: witness(w), sent });
            }
        }
    }

    fn announce(&mut self, h: usize) {
        self.tell(|| format!("   {} announces it", host_name(h)));
        self.audit.last_announcer = Some(h);
        for other in 0..self.hosts.len() {
            if other != h && self.hosts[other].answers() && self.network.broadcast_reaches(h, other) {
                let start = self.hosts[other].starts;
                let delay = Duration::from_micros(self.rng.between(50, 5_000));
                self.after(delay, Due::Rival { host: other, start });
            }
        }
    }

    fn drive(&mut self, h: usize, start: u64, operation: Operation) {
        // An operation is a call of the agent's own process: it ends with it, and waits while it is stopped.
        if self.hosts[h].starts != start {
            return;
        }
        if !self.hosts[h].runs() {
            self.waiting.push_back((Party::Agent(h), Due::Drive { host: h, start, operation }));
            return;
        }
        let before = self.hosts[h].address.is_some();
        let mut effect = self.hosts[h].drive(self.now, operation, &mut self.rng);
        let after = self.hosts[h].address;
        let refreshed = matches!(operation, Operation::Add { .. }) && before && effect.failed.is_none();
        if !refreshed {
            self.tell(|| {
                let failed = effect.failed.as_deref().map(|f| format!(", fails: {f}")).unwrap_or_default();
                format!("   {}: {} -> {:?}{failed}", host_name(h), describe_operation(operation), effect.holds)
            });
        }
        if effect.changed {
            self.address_changed(h, before);
        }
        if let Some(Tamper::AgentDoesNotLook) = self.tamper {
            if let Operation::Add { until, .. } = operation {
                effect.until = until;
            }
            effect.holds = match operation {
                Operation::Remove => crate::wire::Holds::No,
                Operation::Add { .. } => crate::wire::Holds::Yes,
                Operation::Observe => effect.holds,
            };
        }
        if let Some(ends) = after.and_then(|a| a.ends) {
            self.at(ends, Due::KernelDrops { host: h });
        }
        let input =
            agent::Input::Driven { resource: VIP.to_owned(), failed: effect.failed, holds: effect.holds, until: effect.until };
        let delay = Duration::from_micros(self.rng.between(10, 500));
        self.after(delay, Due::Driven { host: h, start, input });
    }

    fn kernel_drops(&mut self, h: usize) {
        let due = self.hosts[h].address.and_then(|a| a.ends).is_some_and(|ends| ends <= self.now);
        if due && self.tamper != Some(Tamper::KernelKeeps) {
            self.tell(|| format!("   the kernel of {} drops it", host_name(h)));
            self.set_address(h, None);
            self.after(Duration::from_millis(1), Due::KernelChanged { host: h });
        }
    }

    fn set_address(&mut self, h: usize, address: Option<super::host::Address>) {
        let before = self.hosts[h].address.is_some();
        self.hosts[h].address = address;
        self.address_changed(h, before);
    }

    fn address_changed(&mut self, h: usize, before: bool) {
        match (before, self.hosts[h].address.is_some()) {
            (false, true) => {
                self.tell(|| format!("== {} has it", host_name(h)));
                self.audit.came(h, &self.hosts);
            }
            (true, false) => self.tell(|| format!("== {} has it no more", host_name(h))),
            _ => {}
        }
    }

    fn control(&mut self, start: Option<u64>, happening: Happening) {
        if start.is_some_and(|s| s != self.controller.starts) || !self.controller.runs_or_stopped() {
            return;
        }
        if self.controller.stopped > 0 {
            let due = Due::Answered { start: self.controller.starts, happening };
            self.waiting.push_back((Party::Controller, due));
            return;
        }
        let outputs = self.controller.turn(self.now, happening, self.tamper);
        self.carry_out_control(outputs);
    }

    fn carry_out_control(&mut self, outputs: Vec<super::controller::Output>) {
        use super::controller::Output;
        for output in outputs {
            if self.dies_here(Party::Controller) {
                return;
            }
            match output {
                Output::Append(record) => {
                    self.tell(|| format!("   journal: {}", record.line().unwrap_or_default()));
                    self.controller.append(*record);
                }
                Output::Evaluate(run) => {
                    if let Some(next) = self.controller.evaluate(run) {
                        let start = self.controller.starts;
                        let delay = Duration::from_micros(self.rng.between(5, 500));
                        self.after(delay, Due::Answered { start, happening: Happening::Evaluated(run, next) });
                    }
                }
                Output::Do(run, attempt, step) => self.effect(run, attempt, &step),
                Output::Sync => self.controller.sync(),
                Output::Send(host, command) => {
                    let Some(h) = self.hosts.iter().position(|x| x.name == host) else {
                        continue;
                    };
                    for delay in self.network.control(h, true, &mut self.rng) {
                        self.after(delay, Due::Command { host: h, command: command.clone() });
                    }
                }
                Output::Say(text) => self.tell(|| format!("   controller: {text}")),
                Output::Later(delay, happening) => {
                    let start = self.controller.starts;
                    self.after(delay, Due::Answered { start, happening });
                }
            }
        }
        if let Some(at) = self.controller.next_deadline() {
            let at = at.max(self.now + Duration::from_micros(1));
            if self.controller.timer.is_none_or(|t| at < t) {
                self.controller.timer = Some(at);
                let start = self.controller.starts;
                self.at(at, Due::ControllerTimer { start });
            }
        }
    }

    /// A step of a script is done, and its result comes back; sometimes late, sometimes not at all.
    fn effect(&mut self, run: crate::react::RunId, attempt: u32, step: &crate::script::Step) {
        self.tell(|| format!("   run {run} does {} ({})", step.verb, step.n));
        self.controller.does(run, attempt, step);
        if let Some(text) = self.controller.done_twice() {
            let text = text.clone();
            self.audit.done_twice(text);
        }
        let delay = match self.rng.below(20) {
            0 => return,
            1 => Duration::from_millis(self.rng.between(500, 4_000)),
            _ => Duration::from_micros(self.rng.between(100, 50_000)),
        };
        let result = if self.rng.percent(5) { Err("exit status 1".to_owned()) } else { Ok(crate::event::Value::Unit) };
        let start = self.controller.starts;
        self.after(delay, Due::Answered { start, happening: Happening::Done(run, step.n, attempt, result) });
    }

    /// What waited for stopped processes that run again.
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
        self.heap.push(Reverse(Entry { at: at.max(self.now), n: self.n, due }));
    }

    fn tell(&mut self, text: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            let at = self.now.since(BEGIN);
            story.push(format!("{:>9.3}s  {}", at.as_secs_f64(), text()));
        }
    }
}

pub(super) fn holders(hosts: &[Host]) -> Vec<usize> {
    hosts.iter().enumerate().filter(|(_, h)| h.address.is_some()).map(|(i, _)| i).collect()
}

pub(super) fn app_name(i: usize) -> String {
    format!("server{}", i + 1)
}

pub(super) fn host_name(i: usize) -> String {
    format!("host{}", i + 1)
}

fn party_name(party: Party) -> String {
    match party {
        Party::Controller => "the controller".to_owned(),
        Party::Agent(h) => format!("the agent of {}", host_name(h)),
    }
}

fn witness(w: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, 250 + w as u8))
}

fn describe_operation(operation: Operation) -> &'static str {
    match operation {
        Operation::Observe => "look",
        Operation::Add { until: None, .. } => "add",
        Operation::Add { until: Some(_), .. } => "add for a while",
        Operation::Remove => "remove",
    }
}

/// One act as a sentence.
pub(super) fn describe(what: &What, lasts: Duration) -> String {
    let span = if lasts.is_zero() { String::new() } else { format!(" for {}", crate::base::time::duration_text(lasts)) };
    let side = |far: &[usize], prefix: &str| far.iter().map(|i| format!("{prefix}{}", i + 1)).collect::<Vec<_>>().join(" ");
    match what {
        What::Claim(h) => format!("the server on {} says that it is primary now", host_name(*h)),
        What::Kill(p) => format!("{} is killed{span}", party_name(*p)),
        What::KillAfter(p, n) => format!("{} dies after {n} more outputs", party_name(*p)),
        What::Stop(p) => format!("{} is stopped{span}", party_name(*p)),
        What::PowerOff(h) => format!("{} has no power{span}", host_name(*h)),
        What::Freeze(h) => format!("{} is frozen{span}", host_name(*h)),
        What::CutControl(h, true) => format!("nothing gets from the controller to {}{span}", host_name(*h)),
        What::CutControl(h, false) => format!("nothing gets from {} to the controller{span}", host_name(*h)),
        What::CutLan(h, true) => {
            format!("{} hears nothing on the local network{span}", host_name(*h))
        }
        What::CutLan(h, false) => {
            format!("{} is not heard on the local network{span}", host_name(*h))
        }
        What::CutWitness(h, w) => {
            format!("{} does not reach witness {}{span}", host_name(*h), w + 1)
        }
        What::Split(h, w) => format!("the local network is split{span}: apart are {} {}", side(h, "host"), side(w, "witness ")),
        What::Noise(loss, double, late) => {
            format!("messages are lost ({loss}%), doubled ({double}%) and up to {late} ms late{span}")
        }
        What::Drive(h, driver) => format!("the driver of {} is {driver:?}{span}", host_name(*h)),
        What::ClockStep(ms) => format!("the controller's wall clock steps by {ms} ms"),
        What::TakenOff(h) => format!("somebody takes the address off {}", host_name(*h)),
    }
}

/// The inventory that a scenario is about.
fn inventory_of(scenario: &Scenario) -> Inventory {
    let seats = (0..scenario.hosts)
        .map(|i| inventory::Seat { host: host_name(i), interface: "eth0".to_owned(), commands: None })
        .collect();
    let moves = if scenario.damped { Moves::default() } else { Moves { count: 1_000, ..Moves::default() } };
    let resource = Resource {
        what: inventory::What::Address(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 100)), 24),
        seats,
        takeover: scenario.takeover,
        witnesses: if scenario.takeover == Takeover::Probe { (0..WITNESSES).map(witness).collect() } else { Vec::new() },
        term: TERM,
        isolation: crate::base::limits::ISOLATION,
        moves,
        repair: true,
        provenance: crate::event::Provenance::Local,
    };
    let host = |_| inventory::Host {
        address: None,
        platform: "linux".to_owned(),
        via: inventory::Via::Agent,
        ..inventory::Host::default()
    };
    let app = |i| inventory::Application { kind: "server".to_owned(), host: host_name(i), aliases: Vec::new() };
    let id = |number| EventId::Number { code: Some(0), number };
    let pair = inventory::Pair {
        primary: app_name(0),
        backup: app_name(1),
        standby: inventory::Standby::Hot,
        resource: Some(VIP.to_owned()),
        catch_up: inventory::CatchUp::Move,
        says_primary: vec![id(4563)],
        says_backup: vec![id(4561)],
    };
    Inventory {
        applications: (0..scenario.hosts).map(|i| (app_name(i), app(i))).collect(),
        // Two hosts are a pair, and late claims are caught up with; of more, every claim acts whenever it is read.
        pairs: (scenario.hosts == 2).then(|| ("pair".to_owned(), pair)).into_iter().collect(),
        channels: [("noc".to_owned(), inventory::Channel::Log)].into(),
        hosts: (0..scenario.hosts).map(|i| (host_name(i), host(i))).collect(),
        resources: [(VIP.to_owned(), resource)].into(),
        ..Inventory::default()
    }
}
