//! Compares what is wanted of a resource with what is reported of it, and sends the next commands.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::core::base::limits::{DRIVER_TIMEOUT, SETTLE};
use crate::core::base::time::{Time, duration_text};
use crate::core::inventory::{Name, Resource, Takeover};
use crate::core::notice::{Kind, Notice};
use crate::core::wire::{Action, Command, Echo, Generation, Presence, Probe, ResourceStatus, StatusNote};

use super::evidence::Proof;
use super::{Granted, Instruction, MoveStep, Output, Planner, Record};

/// Delay before a failed take is commanded again. It doubles each time.
const TAKE_AGAIN: Duration = Duration::from_secs(1);
const TAKE_AGAIN_MAX: Duration = Duration::from_secs(10);
/// Minimum time between two commands to remove what somebody put on a host by hand.
const REPAIR_AGAIN: Duration = Duration::from_secs(1);
/// The pause of flap damping doubles at most so often for damping periods in a row.
const PAUSE_DOUBLINGS: u32 = 2;

/// The volatile state of one resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Pursuit {
    /// Why the resource is not where it should be.
    pub(super) held: Option<String>,
    /// The desired owner holds the resource by its newest grant, and no other host does.
    pub(super) converged: bool,
    /// The resource was settled when it was last evaluated.
    settled: bool,
    /// When a former holder's release was last confirmed.
    pub(super) released_at: Option<Time>,
    /// The resource came with a reload. Until this time it is only observed, except if all its hosts have reported it before.
    pub(super) observed_until: Option<Time>,
    /// The latest time at which each host's lease can end.
    pub(super) lease_until: BTreeMap<Name, Time>,
    /// A holder that clients cannot reach, as last reported.
    pub(super) unreachable_holder: Option<Name>,
    /// Hosts that are clear because an operator vouched for them, each up to this generation.
    pub(super) vouched: BTreeMap<Name, Generation>,
    /// Several hosts held the resource when it was last evaluated.
    two: bool,
    /// What people were notified of already. Each is notified once.
    pub(super) told: BTreeSet<(Kind, Name)>,
    /// For each host, the beat that the last command answered. Commands are repeated once a beat.
    answered: BTreeMap<Name, Echo>,
    /// When a host that got the resource by hand was last told to release it.
    repaired: BTreeMap<Name, Time>,
    /// Since when a release has been asked for without effect.
    pub(super) asking_since: BTreeMap<Name, Time>,
    /// What the last grant told the taker to listen for, and the time before which the next grant is not given.
    probe: Option<Probe>,
    again_at: Option<Time>,
    failures: u32,
    /// The grant whose success was reported.
    pub(super) arrived: Option<Generation>,
}

/// Where a resource should be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// Unknown: the planner touches nothing.
    Unknown,
    /// On no host: the desired owner was told to release it.
    Nobody,
    Host(Name),
}

impl Planner {
    pub(super) fn reconcile(&mut self, now: Time, name: &str, out: &mut Vec<Output>) {
        let Some(resource) = self.resources.get(name).cloned() else {
            return;
        };
        if let Some(why) = self.hold.clone() {
            return self.block(name, &why);
        }
        self.renew(now, name, out);
        if self.left_alone(name).is_some() {
            self.pursue(name).converged = self.is_in_place(name, &resource);
            self.count_holders(name, out);
            return self.report_links(now, name, &resource, out);
        }
        let observing = resource.placements.iter().any(|s| self.views.get(&s.host).is_none_or(|v| v.heard_at.is_none()));
        if observing && now < self.started + SETTLE {
            return self.block(name, "observing after the start");
        }
        let told = |v: &super::View| v.heard_at.is_some() && v.resources.contains_key(name);
        let new = resource.placements.iter().any(|s| self.views.get(&s.host).is_none_or(|v| !told(v)));
        if new && self.pursuits.get(name).and_then(|p| p.observed_until).is_some_and(|until| now < until) {
            return self.block(name, "observing after it came with a reload");
        }
        // A pause is in force: only a move that began before is finished.
        let finishing = self.is_finishing(name);
        if !finishing {
            self.adopt(name, &resource, out);
            self.damp(now, name, &resource, out);
        }
        let target = self.target(name);
        if finishing && !matches!(target, Target::Host(_)) {
            return self.finish(name, false, out);
        }
        self.release_others(now, name, &resource, &target, out);
        match target {
            Target::Host(owner) => self.grant(now, name, &resource, &owner, out),
            Target::Nobody => {
                let gone = resource.placements.iter().all(|s| self.clear(name, &s.host));
                self.pursue(name).converged = gone;
                if gone {
                    self.pursue(name).held = None;
                } else {
                    self.block(name, "waiting for its release");
                }
            }
            Target::Unknown => self.block(name, "the owner is unknown until a claim or an operator names it"),
        }
        self.count_holders(name, out);
        if finishing && self.pursue(name).converged {
            self.finish(name, false, out);
        }
        let settled = self.settled(name);
        if std::mem::replace(&mut self.pursue(name).settled, settled) != settled
            && settled
            && let Some(owner) = self.owner(name).cloned()
        {
            out.push(Output::Settled(name.to_owned(), owner));
            // A reader of a settled notice assumes that clients can reach the holder.
            self.pursue(name).unreachable_holder = None;
        }
        self.report_links(now, name, &resource, out);
    }

    /// Reports two holders at once, whatever the cause, and that there is only one again.
    fn count_holders(&mut self, name: &str, out: &mut Vec<Output>) {
        let holders = self.holders(name);
        let two = holders.len() > 1;
        if std::mem::replace(&mut self.pursue(name).two, two) == two {
            return;
        }
        let (kind, text) = if two {
            let text = format!(
                "{name} is held by {} hosts at once ({}): clients may reach either. If it is not gone in a moment from the host where it does not belong, remove it there by hand",
                holders.len(),
                holders.join(", ")
            );
            (Kind::TwoHolders, text)
        } else {
            (Kind::OneHolder, format!("{name} is not held by several hosts any more"))
        };
        out.push(Output::Notice(Notice { resource: Some(name.to_owned()), ..Notice::new(kind, text) }));
    }

    pub(super) fn pursue(&mut self, name: &str) -> &mut Pursuit {
        self.pursuits.entry(name.to_owned()).or_default()
    }

    pub(super) fn block(&mut self, name: &str, why: &str) {
        let pursuit = self.pursue(name);
        pursuit.converged = false;
        if pursuit.held.as_deref() != Some(why) {
            pursuit.held = Some(why.to_owned());
        }
    }

    /// What a host reported of a resource. What it reports of an address other than the configured one is ignored.
    pub(super) fn seen(&self, name: &str, host: &str) -> ResourceStatus {
        let seen = self.views.get(host).map(|v| v.seen(name)).unwrap_or_default();
        if self.differs_on(name, host).is_some() { ResourceStatus { holds: Presence::Unknown, ..seen } } else { seen }
    }

    /// True if the host's agent reported recently.
    pub fn reachable(&self, host: &str) -> bool {
        self.views.get(host).is_some_and(super::View::reachable)
    }

    /// True if no command that was ever sent to this host can make it hold the resource, and it does not report to hold it.
    pub(super) fn clear(&self, name: &str, host: &str) -> bool {
        let fenced = self.ledger.placement(name, host).is_some_and(super::ledger::PlacementLedger::is_fenced);
        let seen = self.seen(name, host);
        // A host that was passed over and is connected again may still take the resource by an old command.
        fenced && !(self.reachable(host) && (seen.holds == Presence::Yes || seen.want))
    }

    fn target(&self, name: &str) -> Target {
        let Some(entry) = self.ledger.entry(name) else {
            return Target::Unknown;
        };
        let (Some(desired_owner), Some(current_target)) = (&entry.desired_owner, &entry.current_target) else {
            return Target::Unknown;
        };
        if entry.held_until.is_none() && desired_owner.host == *current_target && entry.banned.contains_key(current_target) {
            return Target::Nobody;
        }
        Target::Host(current_target.clone())
    }

    /// Finds the first desired owner: if all agents report and exactly one host holds the resource, that host becomes the owner.
    fn adopt(&mut self, name: &str, resource: &Resource, out: &mut Vec<Output>) {
        if self.ledger.entry(name).is_some_and(|e| e.desired_owner.is_some() || !e.banned.is_empty()) {
            return;
        }
        let all =
            resource.placements.iter().all(|s| self.reachable(&s.host) && self.seen(name, &s.host).holds != Presence::Unknown);
        let holders: Vec<&Name> =
            resource.placements.iter().map(|s| &s.host).filter(|h| self.seen(name, h).holds == Presence::Yes).collect();
        match holders[..] {
            [sole] if all => {
                let host = sole.clone();
                self.record(Record::Adopted { resource: name.to_owned(), host }, out);
            }
            [] | [_] => self.notice(
                name,
                Kind::OwnerUnknown,
                "",
                format!(
                    "it is not known which host should hold {name}; a claim in the logs or `pointsman move {name} HOST` decides"
                ),
                out,
            ),
            _ => {
                let text = format!(
                    "{name} is held by {} hosts ({}); nothing is changed until a claim or `pointsman move {name} HOST` decides",
                    holders.len(),
                    holders.iter().map(|h| h.as_str()).collect::<Vec<_>>().join(", ")
                );
                self.notice(name, Kind::TwoHolders, "", text, out);
                self.pursue(name).two = true;
            }
        }
    }

    /// Begins a move to a new desired owner, except if there were too many moves.
    fn damp(&mut self, now: Time, name: &str, resource: &Resource, out: &mut Vec<Output>) {
        let Some(entry) = self.ledger.entry(name) else {
            return;
        };
        let Some(desired_owner) = entry.desired_owner.clone() else {
            return;
        };
        let held = entry.held_until;
        // Nobody is served where nothing is heard of the host: a failover does not wait.
        let target = entry.current_target.as_ref();
        let from_lost = target.is_some_and(|target| !self.reachable(target)) && self.reachable(&desired_owner.host);
        if held.is_some_and(|until| now >= until) || (held.is_some() && (desired_owner.operator || from_lost)) {
            self.record(Record::Freed { resource: name.to_owned() }, out);
        } else if let Some(until) = held {
            self.wake_at(until);
            return;
        }
        let to = self.destination(now, name, resource, &desired_owner.host, out);
        let Some(entry) = self.ledger.entry(name).filter(|e| e.current_target.as_ref() != Some(&to)) else {
            return;
        };
        let from_drained = entry.current_target.as_ref().is_some_and(|target| self.drained.contains(target));
        let at_once = (desired_owner.operator && to == desired_owner.host) || from_drained || from_lost;
        if at_once || entry.may_move(now, resource.moves) {
            self.pursue(name).told.clear();
            self.pursue(name).failures = 0;
            self.pursue(name).again_at = None;
            self.record(Record::Move { resource: name.to_owned(), to, at: now }, out);
            return;
        }
        let recent = entry.moves.back().is_some_and(|at| now.since(*at) < resource.moves.per);
        let holds = if recent { entry.holds + 1 } else { 1 };
        let pause = resource.moves.per / resource.moves.count.max(1) * 2u32.pow((holds - 1).min(PAUSE_DOUBLINGS));
        let until = now + pause;
        self.record(Record::Held { resource: name.to_owned(), until, holds }, out);
        let text = format!(
            "{name} moved {} times in {}; it stays for {}, then goes to {}; `pointsman move` goes at once",
            resource.moves.count,
            duration_text(resource.moves.per),
            duration_text(pause),
            to
        );
        self.pursue(name).told.remove(&(Kind::Flapping, String::new()));
        self.notice(name, Kind::Flapping, "", text, out);
        self.wake_at(until);
    }

    /// Tells every host that should not hold the resource, and may hold it, to release it.
    fn release_others(&mut self, now: Time, name: &str, resource: &Resource, target: &Target, out: &mut Vec<Output>) {
        let incumbent = self.incumbent(name);
        for placement in &resource.placements {
            let host = &placement.host;
            let wanted_here = match target {
                Target::Host(owner) => owner == host,
                Target::Nobody => false,
                Target::Unknown => !self.ledger.entry(name).is_some_and(|e| e.banned.contains_key(host)),
            };
            if wanted_here || self.clear(name, host) {
                self.pursue(name).asking_since.remove(host);
                continue;
            }
            // The present holder continues to serve while the host that should take over is lost, does not obey, or cannot take it.
            if let Target::Host(owner) = target
                && (!self.views.get(owner).is_some_and(super::View::obeys)
                    || self.unfit(name, owner).is_some()
                    || self.list_fault(name, owner).is_some())
                && incumbent.as_ref() == Some(host)
            {
                continue;
            }
            // A move needs the release, whatever `repair` says. If somebody also took the address off its owner, the move was made
            // by hand.
            let moves = match target {
                Target::Host(owner) => {
                    let seen = self.seen(name, owner);
                    seen.holds != Presence::Yes && seen.note != Some(StatusNote::Gone)
                }
                Target::Nobody | Target::Unknown => false,
            };
            self.release(now, name, host, resource.repair || moves, out);
        }
    }

    /// Tells a host to release the resource. If it got the resource by hand, this is done only if that is to be corrected.
    fn release(&mut self, now: Time, name: &str, host: &Name, corrects: bool, out: &mut Vec<Output>) {
        let placement = self.ledger.placement(name, host);
        let (order, ordered, granted) = placement.map(|p| (p.order, p.ordered, p.granted)).unwrap_or_default();
        let fenced = placement.and_then(|p| p.fenced);
        let seen = self.seen(name, host);
        // A host that was seen without the resource after its last command and reports it again got it by hand.
        let drifted = fenced.is_some_and(|f| f >= ordered) && seen.holds == Presence::Yes;
        if drifted {
            let text = format!(
                "something other than Pointsman put {name} on {host}{}",
                if corrects { "; it is removed" } else { "; repair is off" }
            );
            self.notice(name, Kind::Drift, host, text, out);
            if !corrects {
                return;
            }
            // Somebody who puts it back at once would otherwise keep the planner busy for ever.
            let again = self.pursue(name).repaired.get(host).map(|at| *at + REPAIR_AGAIN);
            if let Some(at) = again.filter(|at| now < *at) {
                return self.wake_at(at);
            }
            self.pursue(name).repaired.insert(host.clone(), now);
        }
        let since = *self.pursue(name).asking_since.entry(host.clone()).or_insert(now);
        if self.reachable(host) {
            self.release_lasts(now, since, name, host, &seen, out);
        }
        // A host that holds the resource by the generation of its release obeyed another command of that generation, which the journal
        // has lost: an older copy of it gives generations again.
        let given_twice = seen.generation == ordered && seen.want;
        let again = order == Instruction::Release && ordered > granted;
        let generation = if again && !drifted && !given_twice {
            ordered
        } else {
            let generation = self.ledger.next_generation(name);
            self.order(name, host, Instruction::Release, generation, None, out);
            generation
        };
        if seen.generation < generation {
            self.send(now, name, host, generation, Action::Release, out);
        }
    }

    /// Notifies people of a host that answers and has not released the resource when its driver's time is over.
    fn release_lasts(&mut self, now: Time, since: Time, name: &str, host: &Name, seen: &ResourceStatus, out: &mut Vec<Output>) {
        if now < since + DRIVER_TIMEOUT {
            return self.wake_at(since + DRIVER_TIMEOUT);
        }
        let why = match &seen.note {
            Some(StatusNote::Failed(why)) => format!(" ({why})"),
            _ => String::new(),
        };
        let text = format!(
            "{host} was commanded to release {name} and has not done so for {}{why}. No other host takes it meanwhile. Check {host}, or remove it there by hand",
            duration_text(DRIVER_TIMEOUT)
        );
        self.notice(name, Kind::ReleaseFailed, host, text, out);
    }

    /// Grants the resource to its owner as soon as no other host can hold it.
    fn grant(&mut self, now: Time, name: &str, resource: &Resource, owner: &Name, out: &mut Vec<Output>) {
        let others: Vec<Name> =
            resource.placements.iter().map(|s| &s.host).filter(|h| *h != owner && !self.clear(name, h)).cloned().collect();
        let placement = self.ledger.placement(name, owner);
        let (order, ordered, granted) = placement.map(|p| (p.order, p.ordered, p.granted)).unwrap_or_default();
        let voted = placement.and_then(|p| p.newest()).is_some_and(|g| g.terms.takeover == Takeover::Quorum);
        let seen = self.seen(name, owner);
        if order == Instruction::Take && seen.generation == granted && seen.want && seen.holds == Presence::Yes {
            self.arrived(now, name, owner, others, granted, out);
            return self.renegotiate(now, name, resource, owner, out);
        }
        self.pursue(name).converged = false;
        if !self.reachable(owner) {
            let text = format!("{name} should be on {owner}, whose agent does not report; it goes there when the host is back");
            self.notice(name, Kind::OwnerUnreachable, owner, text, out);
            return self.block(name, "its owner is not reachable");
        }
        if !self.views.get(owner).is_some_and(super::View::obeys) {
            return self.block(name, "its owner obeys another controller");
        }
        if let Some(why) = self.unfit(name, owner).filter(|_| !self.is_finishing(name)) {
            self.notice(name, Kind::PlacementUnreachable, owner, format!("{name} can't be taken by {owner}: {why}"), out);
            return self.block(name, &why);
        }
        if let Some(fault) = self.list_fault(name, owner) {
            self.notice(name, Kind::ListDiffers, owner, format!("{fault}; it is not taken there until both agree"), out);
            return self.block(name, &fault);
        }
        let would_grant = self.would_grant(name, resource, owner);
        if would_grant.terms.takeover != resource.takeover {
            let text = format!(
                "the agent of {owner} has an earlier version, which cannot hold resources by votes. {name} goes there as under `takeover: confirmed`. Upgrade the agent"
            );
            self.notice(name, Kind::AgentTooOld, owner, text, out);
        }
        let Some(probe) = self.evidence(now, name, &would_grant.terms, &others, out) else {
            return;
        };
        let under_way = order == Instruction::Take && (seen.want || seen.generation < ordered);
        // What the taker must listen for has changed since the command, because a host came back or was lost, or the terms have:
        // it might wait for votes that nobody has to give any more. For a command from before a loss of records nobody votes. The
        // take is commanded anew.
        let silence = |p: Probe| matches!(p, Probe::Silence(_));
        let other_terms = self.ledger.placement(name, owner).and_then(|p| p.newest()).is_some_and(|g| *g != would_grant)
            && self.can_expect_a_majority(&would_grant.terms);
        let other_probe = self.pursue(name).probe.is_some_and(|given| silence(given) != silence(probe));
        let outdated = under_way && (other_terms || other_probe || self.ledger.is_forgotten(ordered));
        if under_way && !outdated {
            self.block(name, if voted { "being taken; a majority of its voters must agree" } else { "being taken" });
            // A grant is sent once. A command to listen for silence is repeated with every beat, because it lapses otherwise.
            // Under `quorum` each repetition is a vote, and says which hosts became clear.
            let listens = (voted || self.pursue(name).probe.is_some_and(silence)) && seen.holds != Presence::Yes;
            if seen.generation < granted || listens {
                let probe = self.pursue(name).probe.unwrap_or(probe);
                self.take(now, name, owner, granted, probe, out);
            }
            return;
        }
        if order == Instruction::Take && granted != Generation::NONE && !outdated && !self.may_try_again(now, name) {
            return self.block(name, "the last take failed; it is tried again");
        }
        if !resource.repair && seen.note == Some(StatusNote::Gone) {
            return self.block(name, "something other than Pointsman removed it, and repair is off");
        }
        let probe = if self.pursue(name).failures > 0 && probe == Probe::Nothing { Probe::Once } else { probe };
        self.block(name, "being taken");
        self.grant_anew(now, name, owner, probe, would_grant, out);
    }

    fn grant_anew(&mut self, now: Time, name: &str, owner: &Name, probe: Probe, granted: Granted, out: &mut Vec<Output>) {
        let generation = self.ledger.next_generation(name);
        self.order(name, owner, Instruction::Take, generation, Some(granted), out);
        self.pursue(name).probe = Some(probe);
        self.take(now, name, owner, generation, probe, out);
    }

    /// Grants the resource anew to a holder whose terms differ from the present ones, as soon as no other host can hold it and
    /// the holder can expect a majority.
    fn renegotiate(&mut self, now: Time, name: &str, resource: &Resource, owner: &Name, out: &mut Vec<Output>) {
        let granted = self.would_grant(name, resource, owner);
        let same = self.ledger.placement(name, owner).is_some_and(|s| s.newest() == Some(&granted));
        let alone = resource.placements.iter().all(|s| s.host == *owner || self.clear(name, &s.host));
        if same || !alone || !self.views.get(owner).is_some_and(super::View::obeys) || !self.can_expect_a_majority(&granted.terms)
        {
            return;
        }
        self.block(name, "its holder gets the present terms");
        self.grant_anew(now, name, owner, Probe::Once, granted, out);
    }

    /// A take that ended without success is tried again after a pause. `repair: false` leaves a resource that went away by
    /// itself.
    fn may_try_again(&mut self, now: Time, name: &str) -> bool {
        let pursuit = self.pursue(name);
        match pursuit.again_at {
            Some(at) if now >= at => {
                pursuit.again_at = None;
                true
            }
            Some(at) => {
                self.wake_at(at);
                false
            }
            None => {
                let pause = (TAKE_AGAIN * 2u32.pow(pursuit.failures.min(4))).min(TAKE_AGAIN_MAX);
                pursuit.failures += 1;
                pursuit.again_at = Some(now + pause);
                self.wake_at(now + pause);
                false
            }
        }
    }

    fn arrived(
        &mut self,
        now: Time,
        name: &str,
        owner: &Name,
        mut others: Vec<Name>,
        generation: Generation,
        out: &mut Vec<Output>,
    ) {
        let silence = matches!(self.pursue(name).probe.take(), Some(Probe::Silence(_)));
        // Silence for so long proved that the hosts which could not be asked do not hold it, and their grants are too old to act.
        let unreachable: Vec<Name> = others.extract_if(.., |h| !self.reachable(h)).collect();
        let terms = if unreachable.is_empty() { None } else { self.granted_terms(name, owner) };
        for host in unreachable {
            match terms.as_ref().map(|terms| self.proof(now, name, &host, terms)) {
                // A host that holds only by votes does not hold it while another one does. It may later, by votes: nothing is fenced.
                Some(Proof::Votes) => {}
                Some(Proof::Silence(_)) if silence => self.pass_over(name, &host, out),
                _ => others.push(host),
            }
        }
        let pursuit = self.pursue(name);
        pursuit.failures = 0;
        pursuit.again_at = None;
        pursuit.held = None;
        pursuit.converged = others.is_empty();
        if pursuit.arrived != Some(generation) {
            pursuit.arrived = Some(generation);
            pursuit.told.clear();
            let step = MoveStep { resource: name.to_owned(), host: owner.clone(), verb: "taken", generation };
            out.push(Output::Step(step));
        }
    }

    /// The host that was last told to take the resource, and got no other command since.
    pub(super) fn incumbent(&self, name: &str) -> Option<Name> {
        let entry = self.ledger.entry(name)?;
        let taking = entry.placements.iter().filter(|(_, s)| s.order == Instruction::Take);
        taking.max_by_key(|(_, s)| s.granted).map(|(h, _)| h.clone())
    }

    /// Renews leases and votes before anything else: the incumbent's are renewed with every beat until it is told to release.
    fn renew(&mut self, now: Time, name: &str, out: &mut Vec<Output>) {
        let Some(host) = self.incumbent(name) else {
            return;
        };
        let Some(granted) = self.ledger.placement(name, &host).map(|s| s.granted) else {
            return;
        };
        let Some(terms) = self.granted_terms(name, &host) else {
            return;
        };
        let seen = self.seen(name, &host);
        // A host that does not hold the resource yet gets its grant by the repeated Take.
        let holds = terms.takeover == Takeover::Lease || (terms.takeover == Takeover::Quorum && seen.holds == Presence::Yes);
        let wanted = holds && self.can_send(name, &host) && seen.want && seen.generation == granted;
        if wanted && (terms.takeover == Takeover::Lease || self.vote(now, name, &host, granted, &terms)) {
            self.send(now, name, &host, granted, Action::Renew, out);
        }
    }

    fn order(
        &mut self,
        name: &str,
        host: &Name,
        order: Instruction,
        generation: Generation,
        granted: Option<Granted>,
        out: &mut Vec<Output>,
    ) {
        let granted = granted.map(Box::new);
        let record = Record::Ordered { resource: name.to_owned(), host: host.clone(), order, generation, granted };
        self.record(record, out);
        self.pursue(name).answered.remove(host);
        let verb = match order {
            Instruction::Take => "take",
            Instruction::Release => "release",
        };
        out.push(Output::Step(MoveStep { resource: name.to_owned(), host: host.clone(), verb, generation }));
    }

    /// Sends a Take on the terms that the journal has, with the controller's vote if it gives one.
    fn take(&mut self, now: Time, name: &str, host: &Name, generation: Generation, probe: Probe, out: &mut Vec<Output>) {
        let Some(terms) = self.granted_terms(name, host).filter(|_| self.can_send(name, host)) else {
            return;
        };
        let vote = self.vote(now, name, host, generation, &terms);
        let clear = if terms.takeover == Takeover::Quorum { self.known_clear(name, host) } else { BTreeMap::new() };
        self.send(now, name, host, generation, Action::Take { probe, terms, vote, clear }, out);
    }

    /// True if the host is connected and its last beat was not answered by a command yet.
    fn can_send(&self, name: &str, host: &str) -> bool {
        let Some(echo) = self.views.get(host).filter(|v| v.reachable()).map(|v| v.beat) else {
            return false;
        };
        self.pursuits.get(name).is_none_or(|p| p.answered.get(host) != Some(&echo))
    }

    /// Sends a command, at most once a beat. A command that was not obeyed by the next beat is repeated.
    fn send(&mut self, now: Time, name: &str, host: &Name, generation: Generation, action: Action, out: &mut Vec<Output>) {
        let Some(echo) = self.views.get(host).map(|v| v.beat).filter(|_| self.can_send(name, host)) else {
            return;
        };
        self.pursue(name).answered.insert(host.clone(), echo);
        if let (Action::Take { .. } | Action::Renew, Some(terms)) = (&action, self.granted_terms(name, host)) {
            let until = now + terms.term;
            let ends = self.pursue(name).lease_until.entry(host.clone()).or_insert(until);
            *ends = (*ends).max(until);
        }
        let command = Command { controller: self.controller, resource: name.to_owned(), generation, echo, action };
        out.push(Output::Send(host.clone(), command));
    }

    pub(super) fn notice(&mut self, name: &str, kind: Kind, host: &str, text: String, out: &mut Vec<Output>) {
        if self.pursue(name).told.insert((kind, host.to_owned())) {
            let host = (!host.is_empty()).then(|| host.to_owned());
            out.push(Output::Notice(Notice { resource: Some(name.to_owned()), host, ..Notice::new(kind, text) }));
        }
    }
}
