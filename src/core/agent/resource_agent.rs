//! One resource on one host: the state machine that the module head of `agent` draws.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::core::base::limits::{DRIVER_TIMEOUT, HEARTBEAT, HOST_LOST};
use crate::core::base::time::Time;
use crate::core::inventory::{Name, OnQuorumLoss, Takeover};
use crate::core::vote::Votes;
use crate::core::wire::{Generation, LocalPlacement, Presence, Probe, ResourceStatus, StatusNote, Terms};

use super::{AgentMark, Operation, Output};

/// Rounds of conflict probes before an unconfirmed take, and the time between them (RFC 5227 section 2.1.1, shortened as its
/// section 2.2 permits on media that are known to be fast).
const PROBE_ROUNDS: u32 = 3;
const PROBE_EVERY: Duration = Duration::from_millis(200);
/// A longer gap between two rounds of listening for silence (a paused process) starts the listening again.
const SILENCE_GAP: Duration = Duration::from_millis(600);
/// Delay before a driver operation without effect is repeated.
const RETRY: Duration = Duration::from_millis(200);
/// Attempts to add the address before the take counts as failed.
const ADD_ATTEMPTS: u32 = 3;
/// How often a held address is announced again. Switches and hosts forget it in minutes.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(30);
/// How often held addresses are looked at, in addition to the kernel's own notices.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How often a rival is asked for. It counts as gone after the same time without a sign of it.
const RIVAL_EVERY: Duration = Duration::from_secs(5);
const RIVAL_LASTS: Duration = Duration::from_secs(16);
/// A lease is given up this long before its end, because the kernel counts lifetimes in whole seconds.
const LEASE_MARGIN: Duration = Duration::from_secs(1);
/// How much longer than the isolation the kernel may keep an address under `probe`. It rounds down to seconds and may be a third
/// of a second late, and a taker listens a second longer than the isolation.
const KERNEL_SLACK: Duration = Duration::from_millis(600);
/// How much later than requested the kernel may say that it drops an address.
const KERNEL_LATE: Duration = Duration::from_secs(1);
/// After enough silence, the address must be brought up within this time.
const ADD_WITHIN: Duration = Duration::from_millis(500);

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

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProbeListening {
    probe: Probe,
    rounds: u32,
    last_round: Option<Time>,
    silent_since: Option<Time>,
}

impl ProbeListening {
    pub(super) fn begin(probe: Probe) -> ProbeListening {
        ProbeListening { probe, rounds: 0, last_round: None, silent_since: None }
    }
}

/// The state machine of one resource on one host.
#[derive(Clone, Debug)]
pub(super) struct ResourceAgent {
    pub(super) resource: Name,
    mark: AgentMark,
    pub(super) phase: Phase,
    pub(super) holds: Presence,
    note: Option<StatusNote>,
    /// The driver operation that is under way.
    busy: Option<Operation>,
    /// The driver has looked at the host since the start.
    looked: bool,
    /// The address and interface in the host's own list; `None` if the resource is no address.
    place: Option<LocalPlacement>,
    /// An earlier list put the resource elsewhere on this host, and it was not seen gone from there yet.
    leaving: bool,
    /// A take must have brought the address up by this time.
    pub(super) take_by: Time,
    /// When the phase has to do something next.
    pub(super) wake: Option<Time>,
    /// When each witness was last certain to be reachable: the time at which the answered ping was sent.
    heard: BTreeMap<IpAddr, Time>,
    /// When the address was brought up or found. A holder that could not have heard any witness yet counts from here.
    held_since: Time,
    lease_until: Option<Time>,
    announce_at: Time,
    look_at: Time,
    ping_at: Time,
    /// Until this time, another station counts as claiming the address.
    rival_until: Option<Time>,
    /// When the neighbourhood is asked next for rivals.
    rival_at: Time,
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

    /// True if another station claims an address that is held here.
    pub(super) fn has_rival(&self) -> bool {
        self.rival_until.is_some()
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

    pub(super) fn look(&mut self, now: Time, out: &mut Vec<Output>) {
        self.look_at = now + LOOK_EVERY;
        self.drive(Operation::Observe, out);
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
            if let Phase::Probing(ProbeListening { probe: Probe::Silence(_), .. }) = self.phase {
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
        let fresh_for = match terms.takeover {
            Takeover::Probe => HOST_LOST,
            Takeover::Lease => terms.term.saturating_sub(LEASE_MARGIN),
            Takeover::Confirmed | Takeover::Forced => DRIVER_TIMEOUT,
            Takeover::Quorum => ResourceAgent::asks_for(&terms),
        };
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

    /// Renews a lease, counted from the beat that is answered.
    pub(super) fn renew(&mut self, now: Time, generation: Generation, answered: Time, out: &mut Vec<Output>) {
        if self.quorum().is_some() {
            return;
        }
        let Some(terms) = self.mark.terms.as_ref().filter(|t| t.takeover == Takeover::Lease) else {
            return;
        };
        let until = answered + terms.term;
        if generation != self.mark.generation || !self.mark.want || self.lease_until.is_some_and(|old| until <= old) {
            return;
        }
        // A lease that ended is not revived: the controller may have relied on its end.
        if self.lease_until.is_some_and(|old| now + LEASE_MARGIN >= old) {
            return;
        }
        self.lease_until = Some(until);
        if self.phase == Phase::Holding {
            self.refresh(now, out);
        }
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
        // A holder must not rely on a kernel that was not seen to know when to drop the address.
        let bounded = match ended {
            Some(Operation::Add { until: Some(asked), .. }) => until.is_some_and(|seen| seen <= asked + KERNEL_LATE),
            _ => true,
        };
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

    pub(super) fn witness(&mut self, now: Time, witness: IpAddr, sent: Time, out: &mut Vec<Output>) {
        if !self.mark.terms.as_ref().is_some_and(|t| t.witnesses.contains(&witness)) {
            return;
        }
        let before = self.majority_at();
        let at = self.heard.entry(witness).or_insert(sent);
        *at = (*at).max(sent);
        if self.phase == Phase::Holding && self.majority_at() > before && now < self.isolated_at() {
            self.refresh(now, out);
        }
    }

    pub(super) fn rival(&mut self, now: Time, out: &mut Vec<Output>) {
        match &mut self.phase {
            Phase::Probing(ProbeListening { probe: Probe::Silence(_), silent_since, .. }) => *silent_since = None,
            Phase::Probing(_) => self.give_up(now, Some(StatusNote::Conflict), out),
            Phase::Holding => {
                self.rival_until = Some(now + RIVAL_LASTS);
                self.rival_at = self.rival_at.min(now + RIVAL_EVERY);
                let wake = self.wake.map_or(self.rival_at, |at| at.min(self.rival_at));
                self.wake = Some(wake);
                self.announce(now, true, out);
            }
            Phase::Idle | Phase::Electing { .. } | Phase::Adding { .. } | Phase::Releasing => {}
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

    fn listen(&mut self, now: Time, mut l: ProbeListening, out: &mut Vec<Output>) {
        // A command to listen for silence is valid only while it is repeated. If the controller does not hear us it passes us
        // over, and the old command must not take effect when the next owner becomes silent.
        if matches!(l.probe, Probe::Silence(_)) && now >= self.take_by {
            return self.give_up(now, Some(StatusNote::Failed("the command to take it was not repeated".to_owned())), out);
        }
        let enough = match l.probe {
            Probe::Nothing => true,
            Probe::Once => l.rounds >= PROBE_ROUNDS,
            Probe::Silence(span) => {
                let broken =
                    l.last_round.is_some_and(|at| now.since(at) > SILENCE_GAP) || now.since(self.majority_at()) > SILENCE_GAP;
                if broken {
                    l.silent_since = None;
                }
                l.silent_since.is_some_and(|since| now.since(since) >= span)
            }
        };
        if enough {
            if matches!(l.probe, Probe::Silence(_)) {
                self.take_by = now + ADD_WITHIN;
            }
            self.phase = Phase::Adding { tries: 0 };
            return self.proceed(now, out);
        }
        l.rounds += 1;
        l.last_round = Some(now);
        l.silent_since.get_or_insert(now);
        let every = if matches!(l.probe, Probe::Silence(_)) {
            out.push(Output::Ping { resource: self.resource.clone() });
            HEARTBEAT
        } else {
            PROBE_EVERY
        };
        out.push(Output::Ask { resource: self.resource.clone() });
        self.phase = Phase::Probing(l);
        self.wake = Some(now + every);
    }

    pub(super) fn lease_over(&self, now: Time) -> bool {
        self.lease_until.is_some_and(|until| now + LEASE_MARGIN >= until)
    }

    /// The periodic work of a holder: witnesses, lifetime, announcements, looking at the address.
    fn keep(&mut self, now: Time, out: &mut Vec<Output>) {
        let mut wake = now + ANNOUNCE_EVERY;
        if self.watched() {
            if now >= self.isolated_at() {
                return self.give_up(now, Some(StatusNote::Isolated), out);
            }
            if now >= self.ping_at {
                self.ping_at = now + HEARTBEAT;
                out.push(Output::Ping { resource: self.resource.clone() });
            }
            wake = wake.min(self.ping_at).min(self.isolated_at());
        }
        if self.quorum().is_some() {
            if let Some(note) = self.lapsed(now) {
                return self.give_up(now, Some(note), out);
            }
            self.poll(now, out);
            wake = wake.min(self.ask_at).min(self.quorum_ends().unwrap_or(wake));
        }
        if let Some(until) = self.lease_until {
            wake = wake.min(until - LEASE_MARGIN);
        }
        if self.rival_until.is_some_and(|until| now >= until) {
            self.rival_until = None;
        }
        // Not every station announces what it claims, but it answers when it is asked.
        if now >= self.rival_at {
            let every = if self.rival_until.is_some() { RIVAL_EVERY } else { LOOK_EVERY };
            self.rival_at = now + every;
            out.push(Output::Ask { resource: self.resource.clone() });
        }
        wake = wake.min(self.rival_at).min(self.rival_until.unwrap_or(wake));
        if now >= self.announce_at {
            self.announce(now, false, out);
        }
        if now >= self.look_at {
            self.look(now, out);
        }
        self.wake = Some(wake.min(self.announce_at).min(self.look_at).max(now + Duration::from_millis(1)));
    }

    /// The address is seen here and is ours.
    fn hold(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.phase == Phase::Idle {
            // The address was found after a restart: it is unknown which witnesses were reachable before.
            self.held_since = now;
        }
        self.phase = Phase::Holding;
        self.rival_until = None;
        self.rival_at = now + LOOK_EVERY;
        self.note = None;
        self.announce(now, true, out);
        self.keep(now, out);
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

    pub(super) fn refresh(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.kept_until(now).is_some() {
            self.take_by = now + ADD_WITHIN;
            self.add(now, out);
        }
    }

    fn add(&mut self, now: Time, out: &mut Vec<Output>) -> bool {
        // An address that is kept without an end must be added while a majority still supports it.
        let not_after = if self.quorum().is_some() { self.take_by.min(self.voted_until().unwrap_or(now)) } else { self.take_by };
        self.drive(Operation::Add { until: self.kept_until(now), not_after }, out)
    }

    /// Starts an operation if none is under way. What is due then is done when that one ends.
    fn drive(&mut self, operation: Operation, out: &mut Vec<Output>) -> bool {
        if self.busy.is_some() {
            return false;
        }
        self.busy = Some(operation);
        out.push(Output::Drive { resource: self.resource.clone(), operation });
        true
    }

    fn announce(&mut self, now: Time, burst: bool, out: &mut Vec<Output>) {
        self.announce_at = now + ANNOUNCE_EVERY;
        out.push(Output::Announce { resource: self.resource.clone(), burst });
    }

    fn watched(&self) -> bool {
        self.mark.terms.as_ref().is_some_and(|t| t.takeover == Takeover::Probe)
    }

    /// The latest time at which a majority of the witnesses was reachable.
    fn majority_at(&self) -> Time {
        let Some(terms) = &self.mark.terms else {
            return Time::MIN;
        };
        let mut heard: Vec<Time> = self.heard.values().copied().collect();
        heard.sort_unstable_by(|a, b| b.cmp(a));
        heard.get(terms.witnesses.len() / 2).copied().unwrap_or(Time::MIN)
    }

    /// When a holder under `probe` must have given the address up.
    fn isolated_at(&self) -> Time {
        let isolation = self.mark.terms.as_ref().map_or(Duration::ZERO, |t| t.isolation);
        self.majority_at().max(self.held_since) + isolation
    }

    /// True if the kernel will drop an address that was found, as its terms require.
    fn found_bounded(&self, now: Time, until: Option<Time>) -> bool {
        let Some(terms) = &self.mark.terms else {
            return true;
        };
        let longest = match terms.takeover {
            Takeover::Confirmed | Takeover::Forced => return true,
            Takeover::Quorum if terms.on_quorum_loss == OnQuorumLoss::Keep => return true,
            Takeover::Probe | Takeover::Quorum => terms.isolation + KERNEL_SLACK,
            Takeover::Lease => terms.term,
        };
        until.is_some_and(|until| until <= now + longest + KERNEL_LATE)
    }

    /// When the kernel must drop the address if the agent does not renew it.
    fn kept_until(&self, now: Time) -> Option<Time> {
        let terms = self.mark.terms.as_ref()?;
        match terms.takeover {
            Takeover::Confirmed | Takeover::Forced => None,
            Takeover::Quorum if terms.on_quorum_loss == OnQuorumLoss::Keep => None,
            // Without a majority no time is left. It must never read as "for ever".
            Takeover::Quorum => Some(self.voted_until().map_or(now, |until| until + KERNEL_SLACK)),
            Takeover::Probe if self.phase == Phase::Holding => Some(self.isolated_at() + KERNEL_SLACK),
            Takeover::Probe => Some(now + terms.isolation + KERNEL_SLACK),
            Takeover::Lease => self.lease_until,
        }
    }
}
