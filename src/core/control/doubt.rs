//! A journal that lacks its newest records, or may lack them: no command is sent to a host until that is settled.
//!
//! ```text
//!   restored, end file missing --> Unproven --every agent reported, none knows more--> trusted
//!                                     |
//!   an agent knows more -----------> Behind --an operator accepts the loss--> Accepted --every agent reported--> trusted
//! ```
//!
//! An agent knows the generation of the newest command that it obeyed, and a command is sent only after it was journaled. So a
//! report with a newer generation than the journal has proves that records are missing. Meanwhile agents are observed, events
//! raise alarms, intents are recorded and notifications are sent. Recorded intents are carried out when the doubt ends.

use std::collections::{BTreeSet, VecDeque};

use crate::core::base::limits::EPOCH_REPORTED;
use crate::core::base::time::Time;
use crate::core::inventory::Name;
use crate::core::journal::{self, Doubt, DoubtKind};
use crate::core::notice::{Kind, Notice};
use crate::core::wire::{Generation, Report};

use super::{Controller, Output, Task};

/// What the controller has learnt since the start about agents and the journal.
#[derive(Clone, Debug, Default)]
pub(super) struct Confidence {
    doubt: Option<Doubt>,
    /// Hosts whose agent has reported.
    reported: BTreeSet<Name>,
    /// Hosts whose agent is not believed, which people were notified of.
    disbelieved: BTreeSet<Name>,
}

impl Confidence {
    pub(super) fn new(doubt: Option<Doubt>) -> Confidence {
        Confidence { doubt, ..Confidence::default() }
    }
}

impl Controller {
    /// Why no command is sent to hosts; `None` if there is no doubt.
    pub fn doubt(&self) -> Option<&Doubt> {
        self.trust.doubt.as_ref().filter(|d| d.kind.stops_commands())
    }

    /// Stops the planner if there is a doubt at the start, and notifies people.
    pub(super) fn begin_in_doubt(&mut self, now: Time, out: &mut Vec<Output>) {
        let Some(doubt) = self.trust.doubt.clone() else { return };
        if doubt.kind.stops_commands() {
            let kind = if doubt.kind == DoubtKind::Behind { Kind::JournalBehind } else { Kind::JournalUnproven };
            out.push(notice(kind, doubt.reason.clone(), None));
            self.planner.hold(Some(doubt.reason));
        }
        self.trust_if_all_agree(now, out);
    }

    /// Compares a report with the journal. Returns false if the report must not be used at all.
    pub(super) fn compare(&mut self, now: Time, report: &Report, out: &mut Vec<Output>) -> bool {
        let host = &report.host;
        if !self.inventory.hosts.contains_key(host) {
            return true;
        }
        let most = EPOCH_REPORTED.max(self.planner.ledger().epoch());
        if let Some((resource, seen)) = report.resources.iter().find(|(_, seen)| seen.generation.epoch > most) {
            if self.trust.disbelieved.insert(host.clone()) {
                let text = format!(
                    "the agent of {host} reports generation {} of {resource}, which no controller ever used, so its reports \
                     are ignored (reported once). Is its store damaged? `pointsman adopt` on {host} starts a new one",
                    seen.generation
                );
                out.push(notice(Kind::ReportStrange, text, Some(host.clone())));
            }
            return false;
        }
        // Another controller's generations say nothing about ours. After `pointsman adopt` an agent reports those of the former one,
        // and no controller.
        let ours = report.controller == Some(self.id);
        let newer = report.resources.iter().find(|(resource, seen)| ours && seen.generation > self.newest_known(resource, host));
        let learns = self.trust.doubt.as_ref().is_some_and(|d| matches!(d.kind, DoubtKind::Behind | DoubtKind::Accepted));
        if let Some((resource, seen)) = newer.filter(|_| !learns) {
            let reason = format!(
                "{host} obeyed generation {} of {resource}, and the newest one in the journal is {}: the journal lost its \
                 newest records, so nothing is sent to hosts. Put back a newer copy of the data folder, or continue without \
                 them: `pointsman journal accept-loss`",
                seen.generation,
                self.newest_known(resource, host)
            );
            out.push(notice(Kind::JournalBehind, reason.clone(), Some(host.clone())));
            self.input(now, journal::Input::JournalDoubted { reason: reason.clone(), behind: true }, out);
            self.planner.hold(Some(reason.clone()));
            self.trust.doubt = Some(Doubt { reason, kind: DoubtKind::Behind });
        }
        true
    }

    /// After a report was taken: a doubt may end when every agent has reported.
    pub(super) fn host_reported(&mut self, now: Time, host: &Name, out: &mut Vec<Output>) {
        if self.trust.doubt.is_some() && self.trust.reported.insert(host.clone()) {
            self.trust_if_all_agree(now, out);
        }
    }

    /// The newest generation of a resource that the journal has for a host.
    fn newest_known(&self, resource: &str, host: &str) -> Generation {
        let ledger = self.planner.ledger();
        let Some(entry) = ledger.entry(resource) else { return Generation::NONE };
        entry.placements.get(host).map_or(entry.generation, |placement| placement.ordered.max(entry.dropped))
    }

    fn trust_if_all_agree(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.trust.doubt.as_ref().is_none_or(|d| d.kind == DoubtKind::Behind) {
            return;
        }
        let mut hosts = self.inventory.resources.values().flat_map(|r| &r.placements).map(|placement| &placement.host);
        if !hosts.all(|host| self.trust.reported.contains(host)) {
            return;
        }
        let held = self.trust.doubt.take().is_some_and(|d| d.kind.stops_commands());
        self.input(now, journal::Input::JournalTrusted, out);
        let text = "every agent has reported, and none knows more than the journal, so the controller acts on the journal again"
            .to_owned();
        out.push(notice(Kind::JournalTrusted, text, None));
        if held {
            self.go_on(now, out);
        }
    }

    /// An operator continues without the missing records.
    pub(super) fn accept_loss(&mut self, now: Time, by: &str, reason: String, out: &mut Vec<Output>) {
        let text = format!(
            "{by} continues without the records that the journal may lack ({reason}). The next claim, `pointsman move`, or the \
             only host that holds a resource decides which host should hold it"
        );
        out.push(notice(Kind::JournalLossAccepted, text, None));
        let sequence =
            self.input(now, journal::Input::LossAccepted { by: by.to_owned(), reason: reason.clone(), missing: 0 }, out);
        let mut planned = Vec::new();
        self.planner.forget(sequence, &mut planned);
        self.trust.doubt = Some(Doubt { reason, kind: DoubtKind::Accepted });
        self.work(now, planned.into_iter().map(Task::Planned).collect(), out);
        self.go_on(now, out);
        self.trust_if_all_agree(now, out);
    }

    fn go_on(&mut self, now: Time, out: &mut Vec<Output>) {
        let mut planned = Vec::new();
        self.planner.hold(None);
        self.planner.reconcile_all(now, &mut planned);
        let tasks: VecDeque<Task> = planned.into_iter().map(Task::Planned).collect();
        self.work(now, tasks, out);
    }
}

fn notice(kind: Kind, text: String, host: Option<Name>) -> Output {
    Output::Notice(Notice { host, ..Notice::new(kind, text) })
}
