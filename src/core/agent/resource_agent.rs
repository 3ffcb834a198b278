//! One resource on one host: the state machine that the module head of `agent` draws.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::core::base::limits::HOST_LOST;
use crate::core::base::time::Time;
use crate::core::inventory::{Name, Takeover};
use crate::core::vote::Votes;
use crate::core::wire::{Generation, LocalPlacement, Presence, Probe, ResourceStatus, StatusNote, Terms};

use super::durable::AgentMark;
use super::listening::ProbeListening;
use super::turn::{Operation, Output};

/// Delay before a driver operation without effect is repeated.
const RETRY: Duration = Duration::from_millis(200);
/// Attempts to add the address before the take counts as failed.
const ADD_ATTEMPTS: u32 = 3;
/// After enough silence, the address must be brought up within this time.
pub(super) const ADD_WITHIN: Duration = Duration::from_millis(500);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Has nothing to do: it does not want the resource, or has not looked at the host yet.
    Idle,
    /// Wants the resource by votes and has no majority yet. Afterwards it listens as the command said.
    Electing { probe: Probe },
    /// Wants the resource, and listens first.
    Probing(ProbeListening),
    /// Wants the resource; `tries` operations to add it were started.
    Adding { tries: u32 },
    /// Wants the resource and holds it.
    Holding,
    /// Does not want the resource and makes sure that it is gone.
    Releasing,
}

/// The state machine of one resource on one host.
#[derive(Clone, Debug)]
pub(super) struct ResourceAgent {
    pub(super) resource: Name,
    pub(super) mark: AgentMark,
    pub(super) phase: Phase,
    pub(super) holds: Presence,
    pub(super) note: Option<StatusNote>,
    /// The driver operation that is under way.
    pub(super) busy: Option<Operation>,
    /// The driver has looked at the host since the start.
    pub(super) looked: bool,
    /// The address and interface in the host's own list; `None` if the resource is no address.
    pub(super) place: Option<LocalPlacement>,
    /// An earlier list put the resource elsewhere on this host, and it was not seen gone from there yet.
    pub(super) leaving: bool,
    /// A take must have brought the address up by this time.
    pub(super) take_by: Time,
    /// When the phase has to do something next.
    pub(super) wake: Option<Time>,
    /// When each witness was last certain to be reachable: the time at which the answered ping was sent.
    pub(super) heard: BTreeMap<IpAddr, Time>,
    /// When the address was brought up or found. A holder that could not have heard any witness yet counts from here.
    pub(super) held_since: Time,
    pub(super) lease_until: Option<Time>,
    pub(super) announce_at: Time,
    pub(super) look_at: Time,
    pub(super) ping_at: Time,
    /// Until this time, another station counts as claiming the address.
    pub(super) rival_until: Option<Time>,
    /// When the neighbourhood is asked next for rivals.
    pub(super) rival_at: Time,
    pub(super) incarnation: u64,
    pub(super) controller: u64,
    /// The votes for the command that the agent obeys.
    pub(super) votes: Votes,
    /// When the voters are asked next.
    pub(super) ask_at: Time,
    /// After a restart: until when the kernel keeps the address that was found, by earlier votes.
    pub(super) found_until: Option<Time>,
    /// Hosts that are clear according to the controller, for voters.
    pub(super) clear: BTreeMap<Name, Generation>,
}

impl ResourceAgent {
    pub(super) fn new(resource: Name, mark: AgentMark, incarnation: u64, controller: u64) -> ResourceAgent {
        let mut votes = Votes::default();
        votes.begin(incarnation);
        ResourceAgent {
            resource,
            mark,
            phase: Phase::Idle,
            holds: Presence::Unknown,
            note: None,
            busy: None,
            looked: false,
            place: None,
            leaving: false,
            take_by: Time::MIN,
            wake: None,
            heard: BTreeMap::new(),
            held_since: Time::MIN,
            lease_until: None,
            announce_at: Time::MIN,
            look_at: Time::MIN,
            ping_at: Time::MIN,
            rival_until: None,
            rival_at: Time::MIN,
            incarnation,
            controller,
            votes,
            ask_at: Time::MIN,
            found_until: None,
            clear: BTreeMap::new(),
        }
    }

    /// Sets the address and interface in the host's own list, and whether a place of an earlier list must still be removed.
    pub(super) fn is_at(&mut self, place: Option<LocalPlacement>, leaving: bool) {
        (self.place, self.leaving) = (place, leaving);
    }

    /// The place of an earlier list was seen gone.
    pub(super) fn has_left(&mut self) {
        self.leaving = false;
        self.mark.place = None;
        self.note = None;
    }

    pub(super) fn mark(&self) -> &AgentMark {
        &self.mark
    }

    pub(super) fn seen(&self) -> ResourceStatus {
        // What was seen before an operation that is still under way proves nothing. An address that was there before a take is on
        // our terms only when the take has set it.
        let adding = matches!(self.busy, Some(Operation::Add { .. }));
        let found = matches!(self.phase, Phase::Electing { .. } | Phase::Probing(_)) && self.holds == Presence::Yes;
        // What is not at the place in the present list may be at the place in an earlier one.
        let elsewhere = self.leaving && self.holds == Presence::No;
        let unproven = found || elsewhere || matches!(self.phase, Phase::Adding { .. }) || (adding && self.holds == Presence::No);
        ResourceStatus {
            generation: self.mark.generation,
            want: self.mark.want,
            holds: if unproven { Presence::Unknown } else { self.holds },
            note: self.note.clone(),
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.wake
    }

    pub(super) fn note(&mut self, note: StatusNote) {
        self.note = Some(note);
    }

    pub(super) fn obeys(&mut self, controller: u64) {
        self.controller = controller;
    }

    /// Takes hosts that are clear, as the controller said with a command that is not older than the obeyed one.
    pub(super) fn relays(&mut self, generation: Generation, clear: BTreeMap<Name, Generation>) {
        if generation >= self.mark.generation {
            self.clear = clear;
        }
    }

    /// Obeys a command not to hold the resource, if it is newer: refusing to release is never safe.
    pub(super) fn release(&mut self, now: Time, generation: Generation, out: &mut Vec<Output>) {
        if generation <= self.mark.generation {
            return;
        }
        self.mark.generation = generation;
        self.give_up(now, None, out);
    }

    /// Obeys a command to hold the resource. The command answers a beat sent at `answered`.
    ///
    /// A Take that is too old is not obeyed: the controller may have passed over this host since. While the grant stands, the
    /// controller repeats it with a younger echo.
    pub(super) fn take(
        &mut self,
        now: Time,
        generation: Generation,
        answered: Time,
        probe: Probe,
        terms: Terms,
        out: &mut Vec<Output>,
    ) {
        if generation == self.mark.generation {
            if matches!(&self.phase, Phase::Probing(listening) if listening.is_for_silence()) {
                self.take_by = self.take_by.max(answered + HOST_LOST);
            }
            if matches!(self.phase, Phase::Electing { .. }) {
                self.take_by = self.take_by.max(answered + ResourceAgent::asks_for(&terms));
            }
            return self.renew(now, generation, answered, out);
        }
        if self.leaving {
            let words = "an address from an earlier list of this host was added, and is not removed yet".to_owned();
            return self.note(StatusNote::Failed(words));
        }
        let fresh_for = ResourceAgent::obeyed_for(&terms);
        if generation < self.mark.generation || now >= answered + fresh_for {
            return;
        }
        self.lease_until = (terms.takeover == Takeover::Lease).then(|| answered + terms.term);
        let by_votes = terms.takeover == Takeover::Quorum;
        self.mark = AgentMark { generation, want: true, terms: Some(terms), place: self.place.clone() };
        self.take_by = answered + fresh_for;
        self.note = None;
        self.heard.clear();
        if by_votes {
            self.begin_election(now, probe, out);
            return self.proceed(now, out);
        }
        self.phase = match probe {
            // The address is here already (adopted, or granted anew): the only station to listen for is this one.
            Probe::Once if self.holds == Presence::Yes => Phase::Adding { tries: 0 },
            Probe::Nothing => Phase::Adding { tries: 0 },
            Probe::Once | Probe::Silence(_) => Phase::Probing(ProbeListening::begin(probe)),
        };
        self.proceed(now, out);
    }

    pub(super) fn driven(
        &mut self,
        now: Time,
        failed: Option<String>,
        holds: Presence,
        until: Option<Time>,
        out: &mut Vec<Output>,
    ) {
        let first = !self.looked;
        let ended = self.busy.take();
        let bounded = ResourceAgent::is_bounded(ended, until);
        self.looked = self.looked || holds != Presence::Unknown;
        self.holds = holds;
        match (&self.phase, holds) {
            // The address was found after a restart. Adding it again would prolong what no command or vote allows.
            (Phase::Idle, Presence::Yes) if self.mark.want && self.found_bounded(now, until) => {
                self.found_until = until;
                self.hold(now, out);
            }
            (Phase::Idle, Presence::Yes) if self.mark.want => {
                let words = "it was found on the host, and the kernel was not going to drop it by itself";
                self.give_up(now, Some(StatusNote::Failed(words.to_owned())), out);
            }
            // The resource was given up before a restart, and removing it was not finished.
            (Phase::Idle, Presence::Yes) if first && self.mark.generation != Generation::NONE => self.give_up(now, None, out),
            // The kernel dropped the address as it was told to, while no process was there to renew it.
            (Phase::Idle, Presence::No) if self.mark.want => self.lapse(match self.mark.terms.as_ref().map(|t| t.takeover) {
                Some(Takeover::Probe | Takeover::Lease | Takeover::Quorum) => StatusNote::LeaseEnded,
                _ => StatusNote::Gone,
            }),
            (Phase::Idle, Presence::Unknown) => self.wake = Some(now + RETRY),
            (Phase::Idle, _) => self.wake = Some(self.look_at),
            (Phase::Releasing, Presence::No) => self.rest(),
            (Phase::Releasing, _) if ended != Some(Operation::Remove) => self.proceed(now, out),
            (Phase::Releasing, _) => self.wake = Some(now + RETRY),
            (Phase::Adding { tries: 0 } | Phase::Probing(_) | Phase::Electing { .. }, _) => self.proceed(now, out),
            (Phase::Adding { .. }, Presence::Yes) if bounded => self.hold(now, out),
            (Phase::Adding { tries }, _) if *tries >= ADD_ATTEMPTS || now >= self.take_by => {
                let words = failed.unwrap_or_else(|| match holds {
                    Presence::Yes => "the kernel was not seen to drop the address by itself in time".to_owned(),
                    _ => "the address was not there after it was added".to_owned(),
                });
                self.give_up(now, Some(StatusNote::Failed(words)), out);
            }
            (Phase::Adding { .. }, _) => self.wake = Some(now + RETRY),
            (Phase::Holding, Presence::No) => self.lapse(StatusNote::Gone),
            (Phase::Holding, _) => {}
        }
    }

    pub(super) fn changed(&mut self, holds: Presence) {
        if self.busy.is_some() {
            return; // The operation under way will say what it saw.
        }
        self.holds = holds;
        match self.phase {
            Phase::Holding if holds == Presence::No => self.lapse(StatusNote::Gone),
            Phase::Releasing if holds == Presence::No => self.rest(),
            _ => {}
        }
    }

    pub(super) fn timer(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.wake.is_some_and(|at| at <= now) {
            self.wake = None;
            self.proceed(now, out);
        }
    }

    /// Does what the phase has to do now, and sets when it has to do something again.
    pub(super) fn proceed(&mut self, now: Time, out: &mut Vec<Output>) {
        if let Some(note) = self.lapsed(now) {
            return self.give_up(now, Some(note), out);
        }
        if matches!(self.phase, Phase::Probing(_) | Phase::Adding { .. }) {
            self.poll(now, out);
        }
        match self.phase.clone() {
            Phase::Idle => self.look(now, out),
            Phase::Releasing => {
                self.drive(Operation::Remove, out);
            }
            Phase::Adding { tries } => {
                self.held_since = now;
                if self.add(now, out) {
                    self.phase = Phase::Adding { tries: tries + 1 };
                }
                if self.quorum().is_some() {
                    self.wake = Some(self.ask_at);
                }
            }
            Phase::Electing { .. } => self.elect(now, out),
            Phase::Probing(listening) => self.listen(now, listening, out),
            Phase::Holding => self.keep(now, out),
        }
    }

    fn listen(&mut self, now: Time, mut listening: ProbeListening, out: &mut Vec<Output>) {
        let for_silence = listening.is_for_silence();
        // A command to listen for silence is valid only while it is repeated. If the controller does not hear us it passes us
        // over, and the old command must not take effect when the next owner becomes silent.
        if for_silence && now >= self.take_by {
            return self.give_up(now, Some(StatusNote::Failed("the command to take it was not repeated".to_owned())), out);
        }
        if listening.is_enough(now, self.majority_at()) {
            if for_silence {
                self.take_by = now + ADD_WITHIN;
            }
            self.phase = Phase::Adding { tries: 0 };
            return self.proceed(now, out);
        }
        let every = listening.begin_round(now);
        if for_silence {
            out.push(Output::Ping { resource: self.resource.clone() });
        }
        out.push(Output::Ask { resource: self.resource.clone() });
        self.phase = Phase::Probing(listening);
        self.wake = Some(now + every);
    }

    /// Gives the resource up, by command or because it may not be kept: first on disk, then on the host.
    pub(super) fn give_up(&mut self, now: Time, note: Option<StatusNote>, out: &mut Vec<Output>) {
        self.mark.want = false;
        self.mark.terms = None;
        self.lease_until = None;
        self.rival_until = None;
        self.note = note;
        self.phase = Phase::Releasing;
        self.wake = None;
        self.proceed(now, out);
    }

    /// The address is gone already. Only the state and the report change.
    fn lapse(&mut self, note: StatusNote) {
        self.mark.want = false;
        self.mark.terms = None;
        self.lease_until = None;
        self.rival_until = None;
        self.note = Some(note);
        self.rest();
    }

    fn rest(&mut self) {
        self.phase = Phase::Idle;
        self.wake = Some(self.look_at);
    }

    pub(super) fn add(&mut self, now: Time, out: &mut Vec<Output>) -> bool {
        // An address that is kept without an end must be added while a majority still supports it.
        let not_after = if self.quorum().is_some() { self.take_by.min(self.voted_until().unwrap_or(now)) } else { self.take_by };
        self.drive(Operation::Add { until: self.kept_until(now), not_after }, out)
    }

    /// Starts an operation if none is under way. What is due then is done when that one ends.
    pub(super) fn drive(&mut self, operation: Operation, out: &mut Vec<Output>) -> bool {
        if self.busy.is_some() {
            return false;
        }
        self.busy = Some(operation);
        out.push(Output::Drive { resource: self.resource.clone(), operation });
        true
    }
}
