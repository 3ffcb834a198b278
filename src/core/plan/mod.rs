//! The planner, pure: it decides which host should hold each resource, knows which one does, and sends the next commands.
//!
//! ```text
//!   intents (up, down) --+                            +--> Record   (journaled and synced before what follows it)
//!   reports of agents ---+--> turn -> reconcile() ----+--> Send     (a command to one agent)
//!   operator, time ------+    for each resource       +--> Step, Notice (for people)
//! ```
//!
//! What must survive a crash is in the [`Ledger`]. It changes only by applying [`Record`]s, so the journal folds to it. Reports
//! of agents are volatile: after a start, the agents send them again.
//!
//! One rule makes sure that a resource has only one holder (I1). A host may be granted a resource only while every other
//! placement is *clear*: the host there reported that it does not hold the resource, does not want it, and has obeyed a
//! generation at least as new as every grant that it was ever given. Then no grant on its way can still act. A placement that
//! can't be made clear is passed over only on the evidence that the terms of its own grants allow (`evidence.rs`). Under `quorum`
//! the votes of a majority are that evidence, and the controller is one of the voters (`voting.rs`).
//!
//! The planner is level-triggered. Every report and every deadline compares what is wanted with what is reported, and repeats
//! commands that were not obeyed yet. Nothing depends on the arrival of one message. The planner does not know sockets, drivers,
//! alarms or scripts. Tests: `tests.rs` beside this file for single decisions, `sim` for everything at once.

mod evidence;
mod foresight;
mod ledger;
mod link;
mod pause;
mod reconcile;
mod reload;
#[cfg(test)]
mod tests;
mod voting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::limits::{HEARTBEAT, HOST_LOST, SETTLE};
use crate::core::base::time::Time;
use crate::core::inventory::{Inventory, Name, Resource, Via};
use crate::core::notice::{Kind, Notice};
use crate::core::vote::Voter;
use crate::core::wire::{Command, Echo, Generation, LocalPlacement, Presence, Report, ResourceStatus, StatusNote};

pub use foresight::Pending;
pub use ledger::{DesiredOwner, Grant, Granted, Instruction, Ledger, PlacementLedger, Record, ResourceLedger, forget};
use reconcile::Pursuit;
pub use reload::{Left, Why, left_by};

/// What a script or an operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IntentVerb {
    /// The host becomes the desired owner, and the other hosts release the resource.
    Up,
    /// The host must not hold the resource; the desired owner does not change.
    Down,
}

/// An intent. It is recorded and does not wait for its effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    pub resource: Name,
    pub verb: IntentVerb,
    pub host: Name,
    /// The sequence of the input that caused the intent. Older intents are refused.
    #[serde(rename = "order")]
    pub sequence: u64,
    /// An operator asked for it. Intents of operators are not damped.
    pub operator: bool,
    /// When the cause of the intent happened: the claim, the event, the command. `None` in journals of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

/// The result of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The intent is recorded, and the planner carries it out.
    Yes,
    /// The intent is recorded and waits: the resource's blocked reason says why.
    Held,
    /// An intent with a higher sequence is recorded already. This is a normal result.
    Superseded,
    /// There is no such resource, or the host has no placement for it.
    Unknown,
}

/// An input of the planner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Report(Report),
    /// An agent has a new connection. Reports are numbered anew, whatever numbers an earlier connection had.
    Connected(Name),
    /// An operator confirms that a host does not hold a resource and will not take it.
    Released {
        resource: Name,
        host: Name,
    },
    /// An operator ends flap damping.
    Resume {
        resource: Name,
    },
    Timer,
}

/// What the planner wants done. The sequence of outputs matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write this to the journal, and sync it before sending what follows.
    Record(Record),
    /// Send this command to a host's agent.
    Send(Name, Command),
    /// A step of a move, for the timeline.
    Step(MoveStep),
    /// Something that people should know.
    Notice(Notice),
    /// The agent of a host is lost (`true`) or connected (`false`). Reported if this may have changed since the last record in
    /// the journal.
    Lost(Name, bool),
    /// The resource is settled on this host: the desired owner holds it and no other host does. Reported once for each time.
    Settled(Name, Name),
}

/// A step of a move, for the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveStep {
    pub resource: Name,
    pub host: Name,
    /// `release` (commanded), `released` (confirmed), `take` (commanded) or `taken` (reported as held and announced).
    pub verb: &'static str,
    /// The generation of the command.
    pub generation: Generation,
}

/// A host that has not reported for so long has missed two beats.
const SUSPECTED: Duration = Duration::from_millis(HEARTBEAT.as_millis() as u64 * 5 / 2);

/// The number of an agent's start comes from its host's clock, in seconds. A start after the year 2500 is not believed. The
/// controller's own clock does not decide this: if it were set to 1970, no agent would be believed, and no address would move.
const STARTS_MOST: u64 = 530 * 366 * 24 * 3_600;
/// The number of an agent's start may be lower than before if the host has been silent for so long.
const STARTS_FORGOTTEN: Duration = Duration::from_secs(60);

/// What the planner knows of one host since the controller's start.
#[derive(Clone, Debug, Default)]
struct View {
    beat: Echo,
    heard_at: Option<Time>,
    /// The host missed two beats. Under `probe` a taker begins to listen, and stops when the host reports again.
    suspected: bool,
    lost: bool,
    /// The host obeys another controller.
    foreign: bool,
    /// The links of its placements, by resource.
    links: BTreeMap<Name, link::Link>,
    /// The agent supports `quorum`.
    votes: bool,
    /// What the host's own list says.
    places: BTreeMap<Name, LocalPlacement>,
    /// Resources that the host holds and that another station claims.
    rivals: BTreeSet<Name>,
    /// The host reports what cannot be, and people have been notified of that.
    implausible: bool,
    /// When the host was last told for which hosts it may vote.
    told_at: Option<Time>,
    resources: BTreeMap<Name, ResourceStatus>,
}

impl View {
    fn reachable(&self) -> bool {
        self.heard_at.is_some() && !self.lost
    }

    /// True if the host is connected and obeys this controller.
    fn obeys(&self) -> bool {
        self.reachable() && !self.foreign
    }

    fn seen(&self, resource: &str) -> ResourceStatus {
        self.resources.get(resource).cloned().unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
pub struct Planner {
    controller: u64,
    resources: BTreeMap<Name, Arc<Resource>>,
    ledger: Ledger,
    /// How each host is reached.
    ways: BTreeMap<Name, Via>,
    /// The controller's own part as a voter.
    voter: Voter,
    electorates: voting::Electorates,
    views: BTreeMap<Name, View>,
    pursuits: BTreeMap<Name, Pursuit>,
    started: Time,
    /// Hosts that have not reported by this time are reported as missing: after a start, and after a reload that added hosts.
    looks_until: Time,
    /// The hosts that have not reported since the start were reported as missing.
    missing_told: bool,
    wake: Option<Time>,
    /// Why no command is sent to any host, while the journal must not be acted on.
    hold: Option<String>,
    /// Resources that an operator paused, with the reason.
    paused: BTreeMap<Name, String>,
    /// Hosts that an operator drained.
    drained: BTreeSet<Name>,
}

impl Planner {
    /// A planner that starts now with the ledger from the journal. `controller` is the id that agents obey.
    pub fn start(controller: u64, inventory: &Inventory, ledger: Ledger, now: Time, out: &mut Vec<Output>) -> Planner {
        let mut planner = Planner {
            controller,
            resources: inventory.resources.iter().map(|(name, resource)| (name.clone(), Arc::new(resource.clone()))).collect(),
            views: inventory.hosts.keys().map(|h| (h.clone(), View::default())).collect(),
            pursuits: inventory.resources.keys().map(|r| (r.clone(), Pursuit::default())).collect(),
            ways: inventory.hosts.iter().map(|(name, host)| (name.clone(), host.via)).collect(),
            voter: Voter::start(now, ledger.longest_promise().max(voting::longest_configured(inventory))),
            electorates: voting::electorates(inventory, &ledger),
            ledger,
            started: now,
            looks_until: now + SETTLE,
            missing_told: false,
            wake: Some(now + SETTLE),
            hold: None,
            paused: BTreeMap::new(),
            drained: BTreeSet::new(),
        };
        // The journal refuses epochs that are not credible, so there is always a next one.
        let epoch = planner.ledger.epoch().saturating_add(1);
        planner.record(Record::Epoch { epoch }, out);
        // A host with a lease may have got it a moment before the start.
        for (name, entry) in planner.ledger.entries() {
            let pursuit = planner.pursuits.entry(name.clone()).or_default();
            for (host, placement) in &entry.placements {
                let longest = placement.outstanding().into_iter().flatten().map(|g| g.terms.term).max();
                pursuit.lease_until.extend(longest.map(|term| (host.clone(), now + term)));
            }
        }
        planner
    }

    /// Takes an intent. The result is for the script that waits for it.
    pub fn intent(&mut self, now: Time, intent: Intent, out: &mut Vec<Output>) -> Accepted {
        let Some(resource) = self.resources.get(&intent.resource) else {
            return Accepted::Unknown;
        };
        if !resource.placements.iter().any(|s| s.host == intent.host) {
            return Accepted::Unknown;
        }
        let name = intent.resource.clone();
        if self.ledger.supersedes(&intent) {
            return Accepted::Superseded;
        }
        if self.ledger.changes(&intent) {
            self.record(Record::Intent(intent), out);
        }
        self.reconcile(now, &name, out);
        let waits = self.hold.is_some()
            || self.paused.contains_key(&name)
            || self.ledger.entry(&name).is_some_and(|e| e.held_until.is_some())
            || self.diverted(&name).is_some();
        if waits { Accepted::Held } else { Accepted::Yes }
    }

    pub fn turn(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        let timer = input == Input::Timer;
        match input {
            Input::Report(report) => self.report(now, report, out),
            Input::Connected(host) => {
                if let Some(view) = self.views.get_mut(&host) {
                    view.beat = Echo::default();
                }
            }
            Input::Released { resource, host } => {
                if self.resources.get(&resource).is_some_and(|r| r.placements.iter().any(|s| s.host == host)) {
                    // This also counts for a host that was never sent a command.
                    let generation = self.ledger.placement(&resource, &host).map_or(Generation::NONE, |s| s.granted);
                    self.pursue(&resource).vouched.insert(host.clone(), generation);
                    self.record(Record::Fenced { resource: resource.clone(), host, generation }, out);
                    self.reconcile(now, &resource, out);
                }
            }
            Input::Resume { resource } => {
                if self.ledger.entry(&resource).is_some_and(|e| e.held_until.is_some()) {
                    self.record(Record::Freed { resource: resource.clone() }, out);
                    self.reconcile(now, &resource, out);
                }
            }
            Input::Timer => {}
        }
        let lost = timer && self.lose_the_silent(now, out);
        if lost || self.wake.is_some_and(|at| at <= now) {
            self.wake = None;
            self.reconcile_all(now, out);
            if now < self.looks_until {
                self.wake_at(self.looks_until);
            } else if !self.missing_told {
                self.missing_told = true;
                self.tell_missing(out);
            }
        }
    }

    /// When [`Input::Timer`] is due next if every host continues to report.
    pub fn next_wake(&self) -> Option<Time> {
        self.wake
    }

    /// When [`Input::Timer`] is due next: a host becomes silent at that time, or something is delayed until then.
    pub fn next_deadline(&self) -> Option<Time> {
        let silent = |v: &View| v.heard_at.map(|at| at + if v.suspected { HOST_LOST } else { SUSPECTED });
        let lost = self.views.values().filter(|v| v.reachable()).filter_map(silent);
        lost.chain(self.wake).min()
    }

    /// The desired owner; `None` while it is unknown.
    pub fn owner(&self, resource: &str) -> Option<&Name> {
        self.ledger.entry(resource)?.desired_owner.as_ref().map(|w| &w.host)
    }

    /// The hosts that hold the resource, as their agents report now.
    pub fn holders(&self, resource: &str) -> Vec<Name> {
        self.hosts_with(resource).filter(|host| self.reachable(host)).cloned().collect()
    }

    /// The hosts of which nothing is heard and which held the resource when they were last heard.
    pub fn unheard_holders(&self, resource: &str) -> Vec<Name> {
        self.hosts_with(resource).filter(|host| !self.reachable(host)).cloned().collect()
    }

    /// The hosts whose last report says that they hold the resource.
    fn hosts_with<'p>(&'p self, resource: &'p str) -> impl Iterator<Item = &'p Name> {
        self.views.keys().filter(|host| self.seen(resource, host).holds == Presence::Yes)
    }

    /// Why the planner does not bring the resource to its desired owner; `None` if it is not blocked.
    pub fn held(&self, resource: &str) -> Option<String> {
        if let Some(why) = self.hold.as_ref().filter(|_| self.pursuits.contains_key(resource)) {
            return Some(why.clone());
        }
        if let Some(why) = self.pause_reason(resource) {
            return Some(why);
        }
        if let Some(entry) = self.ledger.entry(resource)
            && let (Some(until), Some(desired_owner)) = (entry.held_until, &entry.desired_owner)
            && entry.current_target.as_ref() != Some(&desired_owner.host)
        {
            return Some(format!("too many moves: it goes to {} at {until}", desired_owner.host));
        }
        if let Some(why) = self.diverted(resource).or_else(|| self.stays_drained(resource)) {
            return Some(why);
        }
        self.pursuits.get(resource)?.held.clone()
    }

    /// True if the desired owner holds the resource by its newest grant and no other host does.
    pub fn settled(&self, resource: &str) -> bool {
        let paused =
            self.ledger.entry(resource).is_some_and(|e| e.desired_owner.as_ref().map(|w| &w.host) != e.current_target.as_ref());
        let heard = self.owner(resource).is_some_and(|owner| self.reachable(owner));
        let sole = self.holders(resource).len() <= 1;
        sole && self.pursuits.get(resource).is_some_and(|p| p.converged) && !paused && (heard || self.owner(resource).is_none())
    }

    /// Stops all commands for this reason, or allows them again. Intents and reports are still taken.
    pub fn hold(&mut self, why: Option<String>) {
        self.hold = why;
    }

    /// Forgets what a journal with lost records can't prove. `sequence` is the number of the input that accepted the loss.
    pub fn forget(&mut self, sequence: u64, out: &mut Vec<Output>) {
        for record in forget(&self.ledger, sequence) {
            self.record(record, out);
        }
    }

    /// Compares what is wanted with what is reported, for all resources.
    pub fn reconcile_all(&mut self, now: Time, out: &mut Vec<Output>) {
        let names: Vec<Name> = self.resources.keys().cloned().collect();
        for name in names {
            self.reconcile(now, &name, out);
        }
    }

    /// The part of the state that survives a crash.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn record(&mut self, record: Record, out: &mut Vec<Output>) {
        self.ledger.apply(&record);
        out.push(Output::Record(record));
    }

    fn wake_at(&mut self, at: Time) {
        self.wake = Some(self.wake.map_or(at, |w| w.min(at)));
    }

    fn report(&mut self, now: Time, report: Report, out: &mut Vec<Output>) {
        let Some(view) = self.views.get_mut(&report.host) else {
            return;
        };
        // A number that is far ahead would make every later report look overtaken.
        if report.beat.incarnation > STARTS_MOST {
            let text = format!(
                "{} says that it is start {} of its agent, which cannot be; what it reports is not believed; is its clock far ahead, or its agent forged?",
                report.host, report.beat.incarnation
            );
            if !std::mem::replace(&mut view.implausible, true) {
                let host = Some(report.host);
                out.push(Output::Notice(Notice { host, ..Notice::new(Kind::ImplausibleReport, text) }));
            }
            return;
        }
        // An agent whose store was restored counts from a lower number. It is believed if nothing newer has arrived for long.
        let silent = view.heard_at.is_some_and(|at| now.since(at) >= STARTS_FORGOTTEN);
        if view.heard_at.is_some() && report.beat <= view.beat && !(silent && report.beat.incarnation != view.beat.incarnation) {
            return; // Overtaken by a newer one.
        }
        view.implausible = false;
        let back = view.lost || view.heard_at.is_none();
        if back || report.beat.incarnation != view.beat.incarnation {
            view.told_at = None;
        }
        view.votes = report.votes;
        view.places = report.places;
        let rivals = std::mem::replace(&mut view.rivals, report.rivals);
        view.beat = report.beat;
        view.heard_at = Some(now);
        view.lost = false;
        view.suspected = false;
        view.resources = report.resources;
        view.foreign = report.controller.is_some_and(|other| other != self.controller);
        for seen in view.resources.values_mut() {
            if view.foreign {
                // Another controller's generations say nothing about ours, even if they are equal, and it may command a take at
                // any time.
                *seen = ResourceStatus {
                    generation: Generation::NONE,
                    want: true,
                    note: Some(StatusNote::OtherController),
                    ..seen.clone()
                };
            } else if seen.note == Some(StatusNote::OtherController) {
                // The note belongs to the other controller's command.
                seen.note = None;
            }
        }
        let links = report.links;
        let seen: Vec<(Name, ResourceStatus)> = view.resources.iter().map(|(n, s)| (n.clone(), s.clone())).collect();
        if back {
            out.push(Output::Lost(report.host.clone(), false));
        }
        self.learn_links(now, &report.host, links);
        // A host must know its electorate before it votes for itself.
        self.tell_voter(now, &report.host, out);
        for (resource, seen) in seen {
            // A resource that the configuration does not have any more, or never had, is ignored.
            if !self.resources.contains_key(&resource)
                || (self.ledger.placement(&resource, &report.host).is_none() && !self.has_placement(&resource, &report.host))
            {
                continue;
            }
            self.learn(&resource, &report.host, &seen, now, out);
            self.reconcile(now, &resource, out);
        }
        self.tell_rivals(&report.host, &rivals, out);
    }

    fn has_placement(&self, resource: &str, host: &str) -> bool {
        self.resources.get(resource).is_some_and(|r| r.placements.iter().any(|s| s.host == host))
    }

    /// Learns from a report: generations that the journal lacks, and grants that can't act any more.
    fn learn(&mut self, resource: &str, host: &str, seen: &ResourceStatus, now: Time, out: &mut Vec<Output>) {
        if !seen.generation.is_plausible_after(self.known(resource)) {
            let text = format!(
                "{host} reports command {} about {resource}, which cannot be; nothing of that is believed; is its store damaged, or its agent forged? `pointsman enroll {host}` lets a new one in",
                seen.generation
            );
            return self.notice(resource, Kind::ImplausibleReport, host, text, out);
        }
        if seen.generation.epoch > self.ledger.epoch() {
            self.record(Record::Epoch { epoch: seen.generation.epoch.saturating_add(1) }, out);
        }
        if seen.generation > self.ledger.placement(resource, host).map_or(Generation::NONE, |p| p.ordered) {
            let record = Record::Ordered {
                resource: resource.to_owned(),
                host: host.to_owned(),
                instruction: Instruction::Take,
                generation: seen.generation,
                granted: None,
            };
            self.record(record, out);
            // This journal is behind, unless the command is of the time before the host was removed from the configuration. A
            // journal that is behind may also lack promises that the controller gave as a voter.
            if !self.ledger.is_dropped(resource, seen.generation) {
                self.voter.distrust_itself(now);
            }
        }
        // The absence of another address proves nothing about this one.
        let same = self.differs_on(resource, host).is_none();
        let placement = self.ledger.placement(resource, host);
        let granted = placement.map_or(Generation::NONE, |p| p.granted);
        let fenced = placement.and_then(|p| p.fenced);
        let ours = same && seen.want && seen.holds == Presence::Yes && seen.generation != Generation::NONE;
        let older = placement.is_some_and(|p| p.grants.iter().any(|g| g.generation < seen.generation));
        // Otherwise the grants in the ledger need not be those by which the host holds the resource.
        let granted_here = placement.is_some_and(|p| p.grants.iter().any(|g| g.generation == seen.generation));
        let lost = self.ledger.is_dropped(resource, seen.generation) || self.ledger.is_forgotten(seen.generation);
        let terms_known = granted_here || !lost;
        let binds = ours && terms_known && (older || !placement.is_some_and(|p| p.bound));
        let proof = same && !seen.want && seen.holds == Presence::No && seen.generation >= granted;
        if proof && fenced.is_none_or(|f| f < seen.generation) {
            let record = Record::Fenced { resource: resource.to_owned(), host: host.to_owned(), generation: seen.generation };
            self.record(record, out);
            if granted != Generation::NONE {
                let verb = "released";
                out.push(Output::Step(MoveStep {
                    resource: resource.to_owned(),
                    host: host.to_owned(),
                    verb,
                    generation: seen.generation,
                }));
                if seen.note.is_none()
                    && let Some(pursuit) = self.pursuits.get_mut(resource)
                {
                    pursuit.released_at = Some(now);
                }
            }
        }
        if binds {
            let generation = seen.generation;
            let record = Record::Bound { resource: resource.to_owned(), host: host.to_owned(), generation };
            self.record(record, out);
        }
        if let Some(note) = &seen.note {
            self.tell(resource, host, note, out);
        }
    }

    /// The newest generation of a resource that the planner knows.
    fn known(&self, resource: &str) -> Generation {
        let newest = self.ledger.entry(resource).map_or(Generation::NONE, |e| e.generation);
        Generation { epoch: self.ledger.epoch().max(newest.epoch), ..newest }
    }

    /// What the host's own list says about a resource, if that differs from the configuration.
    pub(super) fn differs_on(&self, resource: &str, host: &str) -> Option<&LocalPlacement> {
        let place = self.views.get(host)?.places.get(resource)?;
        (place.what != self.resources.get(resource)?.what).then_some(place)
    }

    /// Why the host's own list keeps it from taking the resource; `None` if the list agrees, or is not known.
    pub(super) fn list_fault(&self, name: &str, host: &str) -> Option<String> {
        let what = &self.resources.get(name)?.what;
        if let Some(place) = self.differs_on(name, host) {
            return Some(format!("{host}'s own list says that {name} is {}, and the configuration says {what}", place.what));
        }
        // An agent reports every resource of its list.
        let view = self.views.get(host).filter(|view| view.reachable())?;
        (!view.resources.contains_key(name))
            .then(|| format!("{host}'s own list does not have {name}, and the configuration does"))
    }

    /// Reports the beginning and the end of each claim of another station to an address which this host holds.
    fn tell_rivals(&mut self, host: &Name, before: &BTreeSet<Name>, out: &mut Vec<Output>) {
        let Some(now) = self.views.get(host).map(|v| v.rivals.clone()) else { return };
        let ours = |name: &&Name| self.resources.contains_key(*name);
        let mut say = |kind, name: &Name, text| {
            out.push(Output::Notice(Notice {
                resource: Some(name.clone()),
                host: Some(host.clone()),
                ..Notice::new(kind, text)
            }));
        };
        for name in now.difference(before).filter(ours) {
            let text = format!(
                "another station claims {name}, which {host} holds and defends; find it by its MAC address (`ip neigh`, the switch) and take the address off there"
            );
            say(Kind::Rival, name, text);
        }
        for name in before.difference(&now).filter(ours) {
            say(Kind::RivalGone, name, format!("no other station claims {name} any more; {host} has it"));
        }
    }

    fn tell(&mut self, resource: &str, host: &str, note: &StatusNote, out: &mut Vec<Output>) {
        let (kind, text) = match note {
            StatusNote::Conflict => (
                Kind::Conflict,
                format!(
                    "another station answers for {resource}; {host} does not take it; find it by its MAC address and remove the address there"
                ),
            ),
            StatusNote::Failed(words) => {
                (Kind::TakeFailed, format!("{host} could not take {resource}: {}", crate::core::base::text::printable(words)))
            }
            StatusNote::Isolated => {
                (Kind::Isolated, format!("{host} reached no majority of the witnesses of {resource} and gave it up"))
            }
            StatusNote::LeaseEnded => (
                Kind::LeaseEnded,
                format!("{host} gave {resource} up: for too long its lease was not renewed, or its agent not there"),
            ),
            StatusNote::QuorumLost => (
                Kind::QuorumLost,
                format!("{host} had no majority of the voters of {resource} and gave it up; look which voters it reaches"),
            ),
            StatusNote::Gone => (Kind::Drift, format!("{resource} went away from {host} without an order")),
            StatusNote::OtherController => (
                Kind::OtherController,
                format!("{host} obeys another controller; run `pointsman adopt` if this one is to take over"),
            ),
        };
        let pursuit = self.pursuits.entry(resource.to_owned()).or_default();
        if pursuit.notified.insert((kind, host.to_owned())) {
            out.push(Output::Notice(Notice {
                resource: Some(resource.to_owned()),
                host: Some(host.to_owned()),
                ..Notice::new(kind, text)
            }));
        }
    }

    /// Reports hosts that hold a resource, or may hold it, and have not reported since the start.
    fn tell_missing(&self, out: &mut Vec<Output>) {
        let wanted: BTreeSet<&Name> = self.resources.values().flat_map(|r| &r.placements).map(|s| &s.host).collect();
        let missing = |host: &&Name| self.views.get(*host).is_some_and(|v| v.heard_at.is_none());
        out.extend(wanted.into_iter().filter(missing).map(|host| Output::Lost(host.clone(), true)));
    }

    fn lose_the_silent(&mut self, now: Time, out: &mut Vec<Output>) -> bool {
        let mut any = false;
        for (host, view) in &mut self.views {
            let Some(heard_at) = view.heard_at.filter(|_| !view.lost) else { continue };
            if !view.suspected && now >= heard_at + SUSPECTED {
                view.suspected = true;
                any = true;
            }
            if now >= heard_at + HOST_LOST {
                view.lost = true;
                out.push(Output::Lost(host.clone(), true));
                any = true;
            }
        }
        any
    }
}
