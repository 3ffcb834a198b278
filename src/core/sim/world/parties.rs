//! Agents, their hosts and the controller: their inputs, and the effects of their outputs.

use std::time::Duration;

use crate::core::agent::{self, Operation};
use crate::core::notifications::{Delivery, Undelivered};
use crate::core::sim::controller::Happening;
use crate::core::sim::scenario::{Party, SimPlace, WITNESSES};
use crate::core::sim::tamper::Tamper;
use crate::core::wire::{LinkState, PeerMessage};

use super::{Due, SimWorld, VIP};
use crate::core::sim::site::{describe_operation, host_name, witness};

impl SimWorld<'_> {
    pub(super) fn agent(&mut self, h: usize, start: Option<u64>, input: agent::Input) {
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

    pub(super) fn carry_out_agent(&mut self, h: usize, outputs: Vec<agent::Output>) {
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
                agent::Output::Leave { place, .. } => {
                    let takes = self.hosts[h].takes(&mut self.rng);
                    if let Some(place) = [SimPlace::Usual, SimPlace::OtherAddress, SimPlace::OtherInterface]
                        .into_iter()
                        .find(|p| crate::core::sim::site::place(*p) == place)
                    {
                        self.after(takes, Due::Leave { host: h, start, place });
                    }
                }
                agent::Output::Ping { .. } => self.ping(h, start),
                agent::Output::Ask { .. } => {
                    let asked = self.hosts[h].listed.unwrap_or_default();
                    for other in 0..self.hosts.len() {
                        let has = self.hosts[other].has(asked) && self.hosts[other].answers();
                        if other != h && has && self.network.hear_each_other(h, other) {
                            let delay = Duration::from_micros(self.rng.between(50, 5_000));
                            self.after(delay, Due::Rival { host: h, start });
                        }
                    }
                }
                agent::Output::Announce { .. } => self.announce(h),
                agent::Output::Peer(_, _) if self.hosts[h].old > 0 => {}
                agent::Output::Peer(to, message) => {
                    if let PeerMessage::Request(request) = &message {
                        self.hosts[h].asked = request.number;
                    }
                    let known = self.hosts[h].peers.contains(&to);
                    let Some(to) = self.hosts.iter().position(|x| known && x.name == to) else { continue };
                    for (delay, message) in copies(self.network.peers(h, to, &mut self.rng), message) {
                        self.after(delay, Due::Peer { from: h, to, message });
                    }
                }
                agent::Output::Peers(peers) => self.hosts[h].peers = peers.into_keys().collect(),
                agent::Output::Report(mut report) => {
                    if let Some(tamper) = self.tamper {
                        tamper.reports(&mut report);
                    }
                    if self.hosts[h].old > 0 {
                        (report.votes, report.places) = (false, Default::default());
                    }
                    for (delay, report) in copies(self.network.control(h, false, &mut self.rng), report) {
                        self.after(delay, Due::Report(report));
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
                self.at(at, Due::AgentTimer { host: h, start, at });
            }
        }
    }

    pub(super) fn ping(&mut self, h: usize, start: u64) {
        let sent = self.hosts[h].clock.local(self.now);
        for w in 0..WITNESSES {
            if self.network.reaches_witness(h, w) || self.tamper == Some(Tamper::WitnessesForged) {
                let delay = Duration::from_micros(self.rng.between(50, 5_000));
                self.after(delay, Due::Witness { host: h, start, witness: witness(w), sent });
            }
        }
    }

    pub(super) fn announce(&mut self, h: usize) {
        self.narrate(|| format!("   {} announces it", host_name(h)));
        let announced = self.hosts[h].listed.unwrap_or_default();
        if announced != SimPlace::OtherAddress {
            self.audit.last_announcer = Some(h);
        }
        for other in 0..self.hosts.len() {
            let listens = self.hosts[other].listed.is_some_and(|l| super::super::host::same_address(l, announced));
            if other != h && listens && self.hosts[other].answers() && self.network.broadcast_reaches(h, other) {
                let start = self.hosts[other].starts;
                let delay = Duration::from_micros(self.rng.between(50, 5_000));
                self.after(delay, Due::Rival { host: other, start });
            }
        }
    }

    pub(super) fn drive(&mut self, h: usize, start: u64, operation: Operation) {
        // An operation is a call within the agent's process: it ends with the process, and waits while the process is stopped.
        if self.hosts[h].starts != start {
            return;
        }
        if !self.hosts[h].runs() {
            self.waiting.push_back((Party::Agent(h), Due::Drive { host: h, start, operation }));
            return;
        }
        let before = self.held(h);
        let mut effect = self.hosts[h].drive(self.now, operation, &mut self.rng);
        let after = self.hosts[h].addresses.get(&self.hosts[h].listed.unwrap_or_default()).copied();
        let refreshed = matches!(operation, Operation::Add { .. }) && before == self.held(h) && effect.failed.is_none();
        if !refreshed {
            self.narrate(|| {
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
                Operation::Remove => crate::core::wire::Presence::No,
                Operation::Add { .. } => crate::core::wire::Presence::Yes,
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

    pub(super) fn kernel_drops(&mut self, h: usize) {
        let now = self.now;
        let due: Vec<SimPlace> =
            self.hosts[h].addresses.iter().filter(|(_, a)| a.ends.is_some_and(|ends| ends <= now)).map(|(p, _)| *p).collect();
        if !due.is_empty() && self.tamper != Some(Tamper::KernelKeeps) {
            self.narrate(|| format!("   the kernel of {} drops it", host_name(h)));
            self.take_off(h, |place| due.contains(&place));
            self.after(Duration::from_millis(1), Due::KernelChanged { host: h });
        }
    }

    /// Removes what an earlier list brought up.
    pub(super) fn leave(&mut self, h: usize, start: u64, place: SimPlace) {
        if self.hosts[h].starts != start {
            return;
        }
        if !self.hosts[h].runs() {
            return self.waiting.push_back((Party::Agent(h), Due::Leave { host: h, start, place }));
        }
        let before = self.held(h);
        let holds = self.hosts[h].leave(place);
        self.narrate(|| format!("   {}: takes off what was listed ({place:?}) -> {holds:?}", host_name(h)));
        self.address_changed(h, before);
        let input = agent::Input::Left { resource: VIP.to_owned(), holds };
        self.after(Duration::from_micros(100), Due::Driven { host: h, start, input });
    }

    /// Tells the agent the state of its interface.
    pub(super) fn report_link(&mut self, h: usize) {
        if self.hosts[h].agent.is_some() && !self.hosts[h].runs() {
            return self.waiting.push_back((Party::Agent(h), Due::Link { host: h }));
        }
        let state = if self.hosts[h].unplugged > 0 { LinkState::NoCarrier } else { LinkState::Up };
        self.agent(h, None, agent::Input::Link { resource: VIP.to_owned(), state });
    }

    pub(super) fn take_off(&mut self, h: usize, what: impl Fn(SimPlace) -> bool) {
        let before = self.held(h);
        self.hosts[h].addresses.retain(|place, _| !what(*place));
        self.address_changed(h, before);
    }

    /// Whether a host has the address that moves, and the other one.
    pub(super) fn held(&self, h: usize) -> [bool; 2] {
        [SimPlace::Usual, SimPlace::OtherAddress].map(|place| self.hosts[h].has(place))
    }

    pub(super) fn address_changed(&mut self, h: usize, before: [bool; 2]) {
        let after = self.held(h);
        for (n, place) in [SimPlace::Usual, SimPlace::OtherAddress].into_iter().enumerate() {
            let what = if n == 0 { "it" } else { "the other address" };
            match (before[n], after[n]) {
                (false, true) => {
                    self.narrate(|| format!("== {} has {what}", host_name(h)));
                    self.audit.came(self.now, h, place, &self.hosts);
                }
                (true, false) => self.narrate(|| format!("== {} has {what} no more", host_name(h))),
                _ => {}
            }
        }
    }

    pub(super) fn control(&mut self, start: Option<u64>, happening: Happening) {
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

    pub(super) fn carry_out_control(&mut self, outputs: Vec<crate::core::sim::controller::Output>) {
        use crate::core::sim::controller::Output;
        for output in outputs {
            if self.dies_here(Party::Controller) {
                return;
            }
            match output {
                Output::Append(record) => {
                    self.narrate(|| format!("   journal: {}", record.line().unwrap_or_default()));
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
                Output::Deliver(delivery) => self.deliver(&delivery),
                Output::Sync => self.controller.sync(),
                Output::Send(host, command) => {
                    let Some(h) = self.hosts.iter().position(|x| x.name == host) else {
                        continue;
                    };
                    for (delay, command) in copies(self.network.control(h, true, &mut self.rng), command) {
                        self.after(delay, Due::Command { host: h, command });
                    }
                }
                Output::Say(text) => self.narrate(|| format!("   controller: {text}")),
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
                self.at(at, Due::ControllerTimer { start, at });
            }
        }
    }

    /// Delivers a notification; every fifth only after a retry. No random number is drawn, so notifications change no scenario.
    fn deliver(&mut self, delivery: &Delivery) {
        let (id, attempt, channel) = (delivery.notification.id, delivery.attempt, delivery.notification.channel.clone());
        let busy = Undelivered { why: "busy".to_owned(), ..Undelivered::default() };
        let result = if attempt == 1 && id.is_multiple_of(5) { Err(busy) } else { Ok(()) };
        let start = self.controller.starts;
        let happening = Happening::Delivered { channel, id, attempt, result };
        self.after(Duration::from_millis(1 + id % 50), Due::Answered { start, happening });
    }

    /// Does a step of a script. Its result comes back, sometimes late, and sometimes not at all.
    pub(super) fn effect(&mut self, run: crate::core::react::RunId, attempt: u32, step: &crate::core::script::Step) {
        self.narrate(|| format!("   run {run} does {} ({})", step.verb, step.n));
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
        let result = if self.rng.percent(5) { Err("exit status 1".to_owned()) } else { Ok(crate::core::event::Value::Unit) };
        let start = self.controller.starts;
        self.after(delay, Due::Answered { start, happening: Happening::Done(run, step.n, attempt, result) });
    }
}

/// A message and when each copy of it arrives.
fn copies<T: Clone>(delays: Vec<Duration>, message: T) -> impl Iterator<Item = (Duration, T)> {
    let messages = std::iter::repeat_n(message, delays.len());
    delays.into_iter().zip(messages)
}
