//! Takes the reports of agents: what hosts hold, which generations they obeyed, and what went wrong there.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::core::base::text::printable;
use crate::core::base::time::Time;
use crate::core::inventory::Name;
use crate::core::notice::{Kind, Notice};
use crate::core::wire::{Generation, Presence, Report, ResourceStatus, StatusNote};

use super::ledger::{Instruction, Record};
use super::planner::Planner;
use super::turn::{MoveStep, Output};

/// The number of an agent's start comes from its host's clock, in seconds. A start after the year 2500 is not believed. The
/// controller's own clock does not decide this: if it were set to 1970, no agent would be believed, and no address would move.
const STARTS_MOST: u64 = 530 * 366 * 24 * 3_600;
/// The number of an agent's start may be lower than before if the host has been silent for so long.
const STARTS_FORGOTTEN: Duration = Duration::from_secs(60);

impl Planner {
    pub(super) fn report(&mut self, now: Time, report: Report, out: &mut Vec<Output>) {
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
        let silent = view.last_report_at.is_some_and(|at| now.since(at) >= STARTS_FORGOTTEN);
        if view.last_report_at.is_some()
            && report.beat <= view.beat
            && !(silent && report.beat.incarnation != view.beat.incarnation)
        {
            return; // Overtaken by a newer one.
        }
        view.implausible = false;
        let back = view.lost || view.last_report_at.is_none();
        if back || report.beat.incarnation != view.beat.incarnation {
            view.electorates_sent_at = None;
        }
        view.votes = report.votes;
        view.places = report.places;
        let rivals = std::mem::replace(&mut view.rivals, report.rivals);
        view.beat = report.beat;
        view.last_report_at = Some(now);
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
        self.send_electorates(now, &report.host, out);
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
        self.notify_rivals(&report.host, &rivals, out);
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
            self.notify_status(resource, host, note, out);
        }
    }

    /// The newest generation of a resource that the planner knows.
    fn known(&self, resource: &str) -> Generation {
        let newest = self.ledger.entry(resource).map_or(Generation::NONE, |e| e.generation);
        Generation { epoch: self.ledger.epoch().max(newest.epoch), ..newest }
    }

    /// Reports the beginning and the end of each claim of another station to an address which this host holds.
    fn notify_rivals(&mut self, host: &Name, before: &BTreeSet<Name>, out: &mut Vec<Output>) {
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

    fn notify_status(&mut self, resource: &str, host: &str, note: &StatusNote, out: &mut Vec<Output>) {
        let (kind, text) = match note {
            StatusNote::Conflict => (
                Kind::Conflict,
                format!(
                    "another station answers for {resource}; {host} does not take it; find it by its MAC address and remove the address there"
                ),
            ),
            StatusNote::Failed(words) => (Kind::TakeFailed, format!("{host} could not take {resource}: {}", printable(words))),
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
                format!("{host} obeys another controller; run `pointsman adopt` on {host} if this one is to take over"),
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
}
