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

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::core::base::limits::EPOCH_MOST;
use crate::core::base::time::{Time, duration_text};
use crate::core::inventory::Name;
use crate::core::journal::{self, Doubt, DoubtKind};
use crate::core::notice::{Kind, Notice};
use crate::core::overrides::Override;
use crate::core::wire::{Generation, Report};

use super::{Controller, OperatorCommand, Output, Task};

/// What the controller has learnt since the start about agents and the journal.
#[derive(Clone, Debug, Default)]
pub(super) struct Confidence {
    doubt: Option<Doubt>,
    /// Hosts whose agent has reported.
    heard: BTreeSet<Name>,
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
        self.trust.doubt.as_ref().filter(|d| d.kind.holds())
    }

    /// Stops the planner if there is a doubt at the start, and notifies people.
    pub(super) fn begin_in_doubt(&mut self, now: Time, out: &mut Vec<Output>) {
        let Some(doubt) = self.trust.doubt.clone() else { return };
        if doubt.kind.holds() {
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
        if let Some((resource, seen)) = report.resources.iter().find(|(_, seen)| seen.generation.epoch > EPOCH_MOST) {
            if self.trust.disbelieved.insert(host.clone()) {
                let text = format!(
                    "the agent of {host} reports generation {} of {resource}, which no controller ever used: none of its reports is used \
                     (reported once); is its store damaged? `pointsman adopt` on {host} begins anew",
                    seen.generation
                );
                out.push(notice(Kind::ReportStrange, text, Some(host.clone())));
            }
            return false;
        }
        // Another controller's generations say nothing about ours.
        let ours = report.controller == Some(self.id);
        let newer = report.resources.iter().find(|(resource, seen)| ours && seen.generation > self.newest_known(resource, host));
        let learns = self.trust.doubt.as_ref().is_some_and(|d| matches!(d.kind, DoubtKind::Behind | DoubtKind::Accepted));
        if let Some((resource, seen)) = newer.filter(|_| !learns) {
            let reason = format!(
                "{host} obeyed generation {} of {resource}, and the journal knows none newer than {}: the journal lost its newest records, so \
                 nothing is sent to hosts; put back a newer copy of the data folder, or go on without them: `pointsman journal accept-loss`",
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
    pub(super) fn heard_of(&mut self, now: Time, host: &Name, out: &mut Vec<Output>) {
        if self.trust.doubt.is_some() && self.trust.heard.insert(host.clone()) {
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
        if !hosts.all(|host| self.trust.heard.contains(host)) {
            return;
        }
        let held = self.trust.doubt.take().is_some_and(|d| d.kind.holds());
        self.input(now, journal::Input::JournalTrusted, out);
        let text = "every agent has reported, and none knows more than the journal: it is acted on".to_owned();
        out.push(notice(Kind::JournalTrusted, text, None));
        if held {
            self.go_on(now, out);
        }
    }

    /// An operator continues without the missing records.
    pub(super) fn accept_loss(&mut self, now: Time, by: &str, reason: String, out: &mut Vec<Output>) {
        let text = format!(
            "{by} goes on without the records that the journal may lack ({reason}): who should have which resource is decided by the next \
             claim, by `pointsman move`, or by the only host that has it"
        );
        out.push(notice(Kind::JournalLossAccepted, text, None));
        let order = self.input(now, journal::Input::LossAccepted { by: by.to_owned(), reason: reason.clone(), missing: 0 }, out);
        let mut planned = Vec::new();
        self.planner.forget(order, &mut planned);
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

impl OperatorCommand {
    /// The name of the command, as on the command line, and its arguments, for the journal.
    pub(super) fn recorded(&self) -> (&'static str, BTreeMap<String, String>) {
        let pairs: Vec<(&str, Option<String>)> = match self {
            OperatorCommand::Move { resource, host } | OperatorCommand::Released { resource, host } => {
                vec![("resource", Some(resource.clone())), ("host", Some(host.clone()))]
            }
            OperatorCommand::Resume { resource } => vec![("resource", Some(resource.clone()))],
            OperatorCommand::Clear { alarm, key, reason } => {
                vec![("alarm", Some(alarm.clone())), ("key", key.clone()), ("reason", reason.clone())]
            }
            OperatorCommand::Ack { alarm, key, by, comment, lasts } => vec![
                ("alarm", Some(alarm.clone())),
                ("key", key.clone()),
                ("in the name of", Some(by.clone())),
                ("for", lasts.map(duration_text)),
                ("comment", comment.clone()),
            ],
            OperatorCommand::Comment { alarm, key, text } => {
                vec![("alarm", Some(alarm.clone())), ("key", key.clone()), ("comment", Some(text.clone()))]
            }
            OperatorCommand::Test { alarm, app, fields } => {
                let set: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let set = (!set.is_empty()).then(|| set.join(" "));
                vec![("alarm", Some(alarm.clone())), ("application", Some(app.clone())), ("set", set)]
            }
            OperatorCommand::Cancel { run } | OperatorCommand::Retry { run } | OperatorCommand::Approve { run } => {
                vec![("run", Some(run.to_string()))]
            }
            OperatorCommand::TestChannel { channel } => vec![("channel", Some(channel.clone()))],
            OperatorCommand::AcceptLoss { reason } => vec![("reason", Some(reason.clone()))],
            OperatorCommand::Begin { what, lasts, reason } => {
                let mut all = named(what);
                all.extend([("for", lasts.map(duration_text)), ("reason", Some(reason.clone()))]);
                all
            }
            OperatorCommand::End { what } => named(what),
        };
        let name = match self {
            OperatorCommand::Move { .. } => "move",
            OperatorCommand::Released { .. } => "released",
            OperatorCommand::Resume { .. } => "resume",
            OperatorCommand::Clear { .. } => "clear",
            OperatorCommand::Ack { .. } => "ack",
            OperatorCommand::Comment { .. } => "comment",
            OperatorCommand::Test { .. } => "test",
            OperatorCommand::Cancel { .. } => "cancel",
            OperatorCommand::Retry { .. } => "retry",
            OperatorCommand::TestChannel { .. } => "channels test",
            OperatorCommand::Approve { .. } => "approve",
            OperatorCommand::AcceptLoss { .. } => "accept-loss",
            OperatorCommand::Begin { what, .. } => what.commands()[0],
            OperatorCommand::End { what } => what.commands()[1],
        };
        (name, pairs.into_iter().filter_map(|(what, name)| Some((what.to_owned(), name?))).collect())
    }
}

/// The arguments of a command that begins or ends an override.
fn named(what: &Override) -> Vec<(&'static str, Option<String>)> {
    match what {
        Override::PauseAll => vec![("scope", Some("everything".to_owned()))],
        Override::PauseResource(name) => vec![("resource", Some(name.clone()))],
        Override::PauseReaction(name) => vec![("reaction", Some(name.clone()))],
        Override::Maintenance(host) | Override::Drain(host) => vec![("host", Some(host.clone()))],
        Override::Silence(matcher) => vec![
            ("scope", matcher.matches_everything().then(|| "every alarm".to_owned())),
            ("alarm", matcher.alarm.clone()),
            ("key", matcher.key.clone()),
            ("host", matcher.host.clone()),
            ("application", matcher.app.clone()),
            ("category", matcher.category.clone()),
        ],
    }
}

fn notice(kind: Kind, text: String, host: Option<Name>) -> Output {
    Output::Notice(Notice { host, ..Notice::new(kind, text) })
}
