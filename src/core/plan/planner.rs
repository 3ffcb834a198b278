//! The planner's state, and its turns: each input changes what is wanted or what is known, and then each resource that it concerns
//! is reconciled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::core::base::limits::SETTLE;
use crate::core::base::time::Time;
use crate::core::inventory::{Inventory, Name, Resource, Via};
use crate::core::notice::{Kind, Notice};
use crate::core::vote::Voter;
use crate::core::wire::{Echo, Generation};

use super::electorates::{Electorates, electorates, longest_configured};
use super::host_view::HostView;
use super::intent::{Accepted, Intent};
use super::ledger::{Ledger, Record, forget};
use super::pursuit::Pursuit;
use super::turn::{Input, Output};

#[derive(Clone, Debug)]
pub struct Planner {
    pub(super) controller: u64,
    pub(super) resources: BTreeMap<Name, Arc<Resource>>,
    pub(super) ledger: Ledger,
    /// How each host is reached.
    pub(super) ways: BTreeMap<Name, Via>,
    /// The controller's own part as a voter.
    pub(super) voter: Voter,
    pub(super) electorates: Electorates,
    pub(super) views: BTreeMap<Name, HostView>,
    pub(super) pursuits: BTreeMap<Name, Pursuit>,
    pub(super) started: Time,
    /// Hosts that have not reported by this time are reported as missing: after a start, and after a reload that added hosts.
    pub(super) looks_until: Time,
    /// The hosts that have not reported since the start were reported as missing.
    pub(super) missing_notified: bool,
    pub(super) wake: Option<Time>,
    /// Why no command is sent to any host, while the journal must not be acted on.
    pub(super) hold: Option<String>,
    /// Resources that an operator paused, with the reason.
    pub(super) paused: BTreeMap<Name, String>,
    /// Hosts that an operator drained.
    pub(super) drained: BTreeSet<Name>,
}

impl Planner {
    /// A planner that starts now with the ledger from the journal. `controller` is the id that agents obey.
    pub fn start(controller: u64, inventory: &Inventory, ledger: Ledger, now: Time, out: &mut Vec<Output>) -> Planner {
        let mut planner = Planner {
            controller,
            resources: inventory.resources.iter().map(|(name, resource)| (name.clone(), Arc::new(resource.clone()))).collect(),
            views: inventory.hosts.keys().map(|h| (h.clone(), HostView::default())).collect(),
            pursuits: inventory.resources.keys().map(|r| (r.clone(), Pursuit::default())).collect(),
            ways: inventory.hosts.iter().map(|(name, host)| (name.clone(), host.via)).collect(),
            voter: Voter::start(now, ledger.longest_promise().max(longest_configured(inventory))),
            electorates: electorates(inventory, &ledger),
            ledger,
            started: now,
            looks_until: now + SETTLE,
            missing_notified: false,
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
                    self.pursue(&resource).cleared_by_operator.insert(host.clone(), generation);
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
            } else if !self.missing_notified {
                self.missing_notified = true;
                self.notify_missing(out);
            }
        }
    }

    /// When [`Input::Timer`] is due next if every host continues to report.
    pub fn next_wake(&self) -> Option<Time> {
        self.wake
    }

    /// When [`Input::Timer`] is due next: a host becomes silent at that time, or something is delayed until then.
    pub fn next_deadline(&self) -> Option<Time> {
        let lost = self.views.values().filter_map(HostView::silent_at);
        lost.chain(self.wake).min()
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

    pub(super) fn record(&mut self, record: Record, out: &mut Vec<Output>) {
        self.ledger.apply(&record);
        out.push(Output::Record(record));
    }

    pub(super) fn wake_at(&mut self, at: Time) {
        self.wake = Some(self.wake.map_or(at, |w| w.min(at)));
    }

    /// The volatile state of a resource.
    pub(super) fn pursue(&mut self, name: &str) -> &mut Pursuit {
        self.pursuits.entry(name.to_owned()).or_default()
    }

    /// The resource is not where it should be, for this reason.
    pub(super) fn block(&mut self, name: &str, why: &str) {
        self.pursue(name).block(why);
    }

    /// Notifies people once of something about a resource on a host; the empty host is none.
    pub(super) fn notice(&mut self, name: &str, kind: Kind, host: &str, text: String, out: &mut Vec<Output>) {
        if self.pursue(name).notified.insert((kind, host.to_owned())) {
            let host = (!host.is_empty()).then(|| host.to_owned());
            out.push(Output::Notice(Notice { resource: Some(name.to_owned()), host, ..Notice::new(kind, text) }));
        }
    }

    /// Reports hosts that hold a resource, or may hold it, and have not reported since the start.
    fn notify_missing(&self, out: &mut Vec<Output>) {
        let wanted: BTreeSet<&Name> = self.resources.values().flat_map(|r| &r.placements).map(|s| &s.host).collect();
        let missing = |host: &&Name| self.views.get(*host).is_some_and(|v| v.last_report_at.is_none());
        out.extend(wanted.into_iter().filter(missing).map(|host| Output::Lost(host.clone(), true)));
    }

    fn lose_the_silent(&mut self, now: Time, out: &mut Vec<Output>) -> bool {
        let mut any = false;
        for (host, view) in &mut self.views {
            if view.lose_if_silent(now) {
                any = true;
                out.extend(view.lost.then(|| Output::Lost(host.clone(), true)));
            }
        }
        any
    }
}
