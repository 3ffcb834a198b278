//! What a fault of a scenario does, and what happens when it ends.

use std::time::Duration;

use crate::core::agent::{AgentState, Durable};
use crate::core::control::OperatorCommand;
use crate::core::overrides::Override;
use crate::core::sim::controller::Happening;
use crate::core::sim::host::HostClock;
use crate::core::sim::scenario::{Act, Change, Fault, Party, SimPlace};
use crate::core::sim::tamper::Tamper;
use crate::core::vote::promise_lasts_most;

use super::{Due, RESTART_AFTER, SimWorld, VIP};
use crate::core::sim::site::{describe, host_name, party_name, place};

impl SimWorld<'_> {
    pub(super) fn begin(&mut self, i: usize) {
        let Act { lasts, what, .. } = &self.scenario.acts[i];
        let (lasts, what) = (Duration::from_millis(*lasts), what.clone());
        if !matches!(what, Fault::Claim(_) | Fault::Flood(..) | Fault::ClockStep(_) | Fault::TakenOff(_)) {
            self.after(lasts.max(Duration::from_millis(1)), Due::End(i));
        }
        self.narrate(|| format!("** {}", describe(&what, lasts)));
        self.network.change(&what, true);
        match what {
            Fault::Claim(host) => {
                // The controller ignores what is not in the configuration.
                if !self.controller.knows(host) {
                    return;
                }
                self.controller.claim(host);
                let delay = Duration::from_micros(self.rng.between(50, 2_000));
                self.after(delay, Due::Read);
            }
            Fault::Flood(last, claims) => {
                if !(self.controller.knows(0) && self.controller.knows(1)) {
                    return;
                }
                for n in 0..claims {
                    self.controller.claim((last + claims + 1 - n) % 2);
                }
                self.controller.claim(last);
                self.after(Duration::from_millis(1), Due::Read);
            }
            Fault::Unplug(host) => {
                self.hosts[host].unplugged += 1;
                self.hosts[host].unplugged_since.get_or_insert(self.now);
                self.hosts[host].reached_since = None;
                self.after(Duration::from_millis(1), Due::Link { host });
            }
            Fault::OwnList(host, place) => {
                self.hosts[host].lists.push(place);
                self.list_changed(host);
            }
            Fault::OlderJournal(hundredths) => {
                *self.killed(Party::Controller) += 1;
                self.die(Party::Controller);
                self.controller.goes_back(hundredths);
            }
            Fault::LostStore(host) => {
                *self.killed(Party::Agent(host)) += 1;
                self.die(Party::Agent(host));
                self.hosts[host].disk = Durable::default();
            }
            Fault::Kill(party) => {
                *self.killed(party) += 1;
                self.die(party);
            }
            Fault::KillAfter(party, outputs) => *self.fuse(party) = Some(outputs),
            Fault::Stop(party) => *self.stopped(party) += 1,
            Fault::PowerOff(host) => {
                self.hosts[host].off += 1;
                self.hosts[host].killed += 1;
                self.die(Party::Agent(host));
                self.take_off(host, |_| true);
            }
            Fault::Freeze(host) => self.hosts[host].frozen += 1,
            Fault::Drive(host, driver) => self.hosts[host].drivers.push(driver),
            Fault::Reconfigure(change, restart) => {
                if self.controller.reconfigure(&change, true) {
                    self.reconfigured(&change, restart);
                }
            }
            Fault::Overload(party, ms) => *self.overload(party) += ms,
            Fault::OldAgent(host) => self.hosts[host].old += 1,
            Fault::ClockStep(ms) => self.controller.wall_offset += ms * 1_000,
            Fault::TakenOff(host) => {
                if self.hosts[host].has(SimPlace::Usual) && self.hosts[host].answers() {
                    self.take_off(host, |place| place != SimPlace::OtherAddress);
                    self.after(Duration::from_millis(1), Due::KernelChanged { host });
                }
            }
            Fault::Pause(all) => self.begin_override(paused(all), lasts),
            Fault::Drain(host) => self.begin_override(Override::Drain(host_name(host)), lasts),
            Fault::CutControl(..)
            | Fault::CutLan(..)
            | Fault::CutWitness(..)
            | Fault::CutPeer(..)
            | Fault::CutLanPair(..)
            | Fault::CutLanWay(..)
            | Fault::Partition(..)
            | Fault::Split(..)
            | Fault::Noise(..) => {}
        }
    }

    pub(super) fn end(&mut self, i: usize) {
        let what = self.scenario.acts[i].what.clone();
        self.narrate(|| format!("** over: {}", describe(&what, Duration::ZERO)));
        self.network.change(&what, false);
        match what {
            Fault::Kill(party) => {
                *self.killed(party) -= 1;
                self.after(Duration::ZERO, Due::Start(party));
            }
            Fault::LostStore(host) => {
                *self.killed(Party::Agent(host)) -= 1;
                self.after(Duration::ZERO, Due::Start(Party::Agent(host)));
            }
            Fault::Stop(party) => {
                *self.stopped(party) -= 1;
                self.go_on();
            }
            Fault::PowerOff(host) => {
                self.hosts[host].off -= 1;
                self.hosts[host].killed -= 1;
                if self.hosts[host].off == 0 {
                    let base = self.rng.below(1 << 30) as i64;
                    self.hosts[host].clock = HostClock::new(self.now, base, &mut self.rng);
                }
                self.after(Duration::from_millis(5), Due::Start(Party::Agent(host)));
            }
            Fault::Freeze(host) => {
                self.hosts[host].frozen -= 1;
                self.go_on();
            }
            Fault::Reconfigure(change, restart) if self.controller.reconfigure(&change, false) => {
                self.reconfigured(&change, restart);
            }
            Fault::OlderJournal(_) => {
                *self.killed(Party::Controller) -= 1;
                self.after(Duration::ZERO, Due::Start(Party::Controller));
            }
            Fault::Unplug(host) => {
                self.audit.plugged_in(self.now, host, &self.hosts);
                self.hosts[host].unplugged -= 1;
                if self.hosts[host].unplugged == 0 {
                    self.hosts[host].unplugged_since = None;
                    self.hosts[host].reached_since = Some(self.now);
                }
                self.after(Duration::from_millis(1), Due::Link { host });
            }
            Fault::OwnList(host, place) => {
                let lists = &mut self.hosts[host].lists;
                if let Some(i) = lists.iter().position(|l| *l == place) {
                    lists.remove(i);
                }
                self.list_changed(host);
            }
            Fault::Overload(party, ms) => *self.overload(party) -= ms,
            Fault::OldAgent(host) => {
                self.hosts[host].old -= 1;
                self.die(Party::Agent(host));
                self.after(RESTART_AFTER, Due::Start(Party::Agent(host)));
            }
            Fault::Drive(host, driver) => {
                let drivers = &mut self.hosts[host].drivers;
                if let Some(i) = drivers.iter().position(|d| *d == driver) {
                    drivers.remove(i);
                }
            }
            Fault::Pause(all) => self.control(None, Happening::Operator(OperatorCommand::End { what: paused(all) })),
            Fault::Drain(host) => {
                let what = Override::Drain(host_name(host));
                self.control(None, Happening::Operator(OperatorCommand::End { what }));
            }
            _ => {}
        }
    }

    /// An operator begins an override. It ends by itself, in case the command that ends it is lost.
    fn begin_override(&mut self, what: Override, lasts: Duration) {
        let command = OperatorCommand::Begin { what, lasts: Some(lasts), reason: "the scenario says so".to_owned() };
        self.control(None, Happening::Operator(command));
    }

    pub(super) fn killed(&mut self, party: Party) -> &mut u32 {
        match party {
            Party::Controller => &mut self.controller.killed,
            Party::Agent(h) => &mut self.hosts[h].killed,
        }
    }

    pub(super) fn stopped(&mut self, party: Party) -> &mut u32 {
        match party {
            Party::Controller => &mut self.controller.stopped,
            Party::Agent(h) => &mut self.hosts[h].stopped,
        }
    }

    fn overload(&mut self, party: Party) -> &mut u64 {
        match party {
            Party::Controller => &mut self.controller.overload,
            Party::Agent(h) => &mut self.hosts[h].overload,
        }
    }

    /// The controller's configuration has changed: the controller reads it at a restart or by a reload.
    fn reconfigured(&mut self, change: &Change, restart: bool) {
        // A reload abandons what a start would refuse.
        if !restart || matches!(change, Change::OtherAddress | Change::NoResource) {
            return self.control(None, Happening::Reload);
        }
        if self.controller.killed == 0 {
            self.die(Party::Controller);
            self.after(RESTART_AFTER, Due::Start(Party::Controller));
        }
    }

    /// The list of a host has changed, and its agent reads it by a restart.
    fn list_changed(&mut self, host: usize) {
        self.die(Party::Agent(host));
        self.after(RESTART_AFTER, Due::Start(Party::Agent(host)));
    }

    pub(super) fn fuse(&mut self, party: Party) -> &mut Option<u32> {
        match party {
            Party::Controller => &mut self.controller.fuse,
            Party::Agent(h) => &mut self.hosts[h].fuse,
        }
    }

    /// A process is gone, with everything that it had not written to its disk.
    pub(super) fn die(&mut self, party: Party) {
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

    /// True if the process dies before the output that is about to be carried out.
    pub(super) fn dies_here(&mut self, party: Party) -> bool {
        match self.fuse(party) {
            Some(0) => {
                self.narrate(|| format!("   {} dies here", party_name(party)));
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

    pub(super) fn start(&mut self, party: Party) {
        match party {
            Party::Controller if self.controller.killed == 0 && !self.controller.runs_or_stopped() => {
                self.narrate(|| "   the controller starts".to_owned());
                let outputs = self.controller.start(self.now, self.tamper, &mut self.rng);
                self.carry_out_control(outputs);
                self.after(Duration::from_millis(1), Due::Read);
                // Its operator sees that the start refused the configuration, and loads it.
                if self.controller.is_behind() {
                    self.control(None, Happening::Reload);
                }
            }
            Party::Agent(h) if self.hosts[h].killed == 0 && self.hosts[h].agent.is_none() => {
                self.narrate(|| format!("   the agent of {} starts", host_name(h)));
                let host = &mut self.hosts[h];
                host.starts += 1;
                let mut outputs = Vec::new();
                let mut disk = host.disk.clone();
                if self.tamper == Some(Tamper::VoterForgets) {
                    disk.longest_promise = Duration::ZERO;
                }
                host.listed = host.lists.last().copied().unwrap_or(Some(SimPlace::Usual)).filter(|_| h < self.scenario.hosts);
                let list = host.listed.map(|at| (VIP.to_owned(), Some(place(at)))).into_iter().collect();
                if self.tamper == Some(Tamper::EarlierListForgotten) {
                    disk.marks.values_mut().for_each(|mark| mark.place = None);
                }
                let local = host.clock.local(self.now);
                // An agent that started long ago has no earlier promise that could still last.
                let started = if self.tamper == Some(Tamper::VoterForgets) { local - promise_lasts_most() } else { local };
                let mut agent = AgentState::start(host.name.clone(), host.starts, disk, list, started, &mut outputs);
                agent.distrust_store(started, false);
                host.agent = Some(agent);
                // It exchanges no messages with other agents until the controller has sent their names.
                host.peers.clear();
                self.carry_out_agent(h, outputs);
                self.report_link(h);
            }
            _ => {}
        }
    }
}

/// What an operator pauses: everything, or the address.
fn paused(all: bool) -> Override {
    if all { Override::PauseAll } else { Override::PauseResource(VIP.to_owned()) }
}
