//! Carries out the overrides of operators. Pauses stop the planner and effects of scripts, silences withhold notifications,
//! maintenance withholds reactions, and drains keep hosts empty.
//!
//! What was withheld is not done later. Resources are the exception: they are compared with what is wanted when a pause ends, and
//! a withheld claim moves its resource then if no newer claim has arrived.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::engine::{self, Instance, Key, StartReactions};
use crate::core::inventory::{Inventory, Name};
use crate::core::journal::Record;
use crate::core::lang::program::{Mode, Program};
use crate::core::notice::{Kind, Notice};
use crate::core::notifications::AlarmFacts;
use crate::core::overrides::{self, AlarmSubject, Override, OverrideEnd, StandingOverride, WithheldBy};
use crate::core::plan::Pending;
use crate::core::react::RunId;
use crate::core::script::{Requirement, Step};

use super::{Controller, Output, Task};

/// The overrides in force, and when a calendar that withholds something must be evaluated again.
#[derive(Clone, Debug, Default)]
pub(super) struct Overrides {
    state: overrides::State,
    /// When a calendar that withholds a claim changes.
    window: Option<Time>,
}

impl Overrides {
    pub(super) fn new(state: overrides::State) -> Overrides {
        Overrides { state, window: None }
    }

    /// Why the claim with this sequence moves nothing for now.
    pub(super) fn withholds(&self, sequence: u64) -> Option<&WithheldBy> {
        self.state.withholds(sequence)
    }

    /// True if no override is in force and no maintenance window is configured.
    fn withhold_nothing(&self, inventory: &Inventory) -> bool {
        self.state.is_empty() && inventory.maintenance.is_empty()
    }

    /// True if notifications of this subject are withheld now: it is silenced, or in maintenance.
    fn withhold_news(&self, now: Time, subject: &AlarmSubject<'_>, inventory: &Inventory, program: &Program) -> bool {
        self.state.silence_of(subject).is_some() || subject.maintenance(now, &self.state, inventory, program).is_some()
    }

    /// True if people are not notified of an alarm now.
    pub(super) fn withhold_news_of(&self, now: Time, facts: &AlarmFacts, inventory: &Inventory, program: &Program) -> bool {
        if self.withhold_nothing(inventory) {
            return false;
        }
        let text = |name: &str| facts.fields.get(name).map(String::as_str);
        let subject = AlarmSubject::of_fields(&facts.alarm, &facts.key, &facts.category, text, inventory);
        self.withhold_news(now, &subject, inventory, program)
    }

    /// When the next override ends by itself.
    pub(super) fn next_end(&self) -> Option<Time> {
        self.state.next_end().into_iter().chain(self.window).min()
    }
}

/// How an active alarm is marked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmMarks {
    /// Who silenced it, why and until when.
    pub silenced: Option<String>,
    /// Why the alarm is in maintenance.
    pub maintenance: Option<String>,
}

impl Controller {
    /// The overrides in force.
    pub fn overrides(&self) -> &overrides::State {
        &self.overrides.state
    }

    /// The name of an alarm's category; empty if the rules have no such alarm.
    pub fn category_of(&self, alarm: &str) -> &'static str {
        self.engine.definition(alarm).map(|a| a.category.name()).unwrap_or_default()
    }

    /// How an active alarm is marked now.
    pub fn marks(&self, now: Time, alarm: &str, key: &Key, instance: &Instance) -> AlarmMarks {
        let (program, category) = (self.engine.program(), self.category_of(alarm));
        let key = key.to_string();
        let subject = AlarmSubject::of(alarm, &key, category, &instance.event, &self.inventory);
        AlarmMarks {
            silenced: self.overrides.state.silence_of(&subject).map(StandingOverride::origin),
            maintenance: subject.maintenance(now, &self.overrides.state, &self.inventory, program),
        }
    }

    /// What the planner would do first with each resource if this override ended, and which claims would be carried out.
    pub fn preview_of_end(&self, now: Time, what: &Override) -> Vec<String> {
        let remaining = self.paused_resources(Some(what));
        let resources = self
            .inventory
            .resources
            .keys()
            .filter(|name| self.overrides.state.pause_of_resource(name, None).is_some() && !remaining.contains_key(*name));
        let would = self.planner.would_do(now, remaining.clone());
        let mut lines: Vec<String> = resources
            .map(|name| match would.get(name) {
                Some(pending) => format!("{name}: {}", pending.iter().map(pending_text).collect::<Vec<_>>().join(", then ")),
                None => format!("{name}: nothing is done"),
            })
            .collect();
        let freed = self.overrides.state.withheld().filter(|(_, by)| is_freed(by, what));
        let claims = freed.filter_map(|(sequence, _)| self.intent_of_claim(sequence));
        lines.extend(claims.map(|(pair, app, intent)| {
            format!("{}: goes to {}, because {app} of {pair} claimed it meanwhile", intent.resource, intent.host)
        }));
        // A pause of everything does not replace the pauses of single resources and reactions.
        let others = self.overrides.state.standing().map(|(_, standing)| standing);
        let others = others.filter(|other| other.what != *what && other.what.notices()[0] == Kind::Paused);
        let others = others.filter(|_| *what == Override::PauseAll);
        lines.extend(others.map(|other| format!("still paused: {}", other.text())));
        lines
    }

    /// What the planner would do with each paused resource if it were not paused.
    pub fn would_do(&self, now: Time) -> BTreeMap<Name, String> {
        if self.paused_resources(None).is_empty() {
            return BTreeMap::new();
        }
        let would = self.planner.would_do(now, BTreeMap::new());
        let text = |pending: Vec<Pending>| pending.iter().map(pending_text).collect::<Vec<_>>().join(", then ");
        would.into_iter().map(|(name, pending)| (name, text(pending))).collect()
    }

    /// Continues the overrides that were in force when the controller stopped. People are notified of them again.
    pub(super) fn begin_overrides(&mut self, now: Time, out: &mut Vec<Output>) {
        self.planner.begin_paused(self.paused_resources(None));
        self.planner.begin_drained(self.overrides.state.drained().cloned().collect());
        let paused = self.overrides.state.standing().filter(|(_, s)| s.what.notices()[0] == Kind::Paused);
        let texts: Vec<Output> = paused.map(|(_, standing)| notice(Kind::Paused, &standing.what, standing.text())).collect();
        out.extend(texts);
        self.end_overdue(now, out);
    }

    /// An operator begins an override. It replaces an earlier one of the same subject.
    pub(super) fn begin_override(
        &mut self,
        now: Time,
        (sequence, by): (u64, &str),
        what: Override,
        (lasts, reason): (Option<Duration>, String),
        out: &mut Vec<Output>,
    ) {
        if let Some(why) = self.overrides.state.refusal(&what) {
            return out.push(notice(Kind::OverrideRefused, &what, why));
        }
        if let Some((id, _)) = self.overrides.state.find(&what) {
            self.record_override(overrides::Record::Ended { id, at: now, why: OverrideEnd::Replaced, what: what.clone() }, out);
        }
        let until = lasts.map(|lasts| now + lasts);
        let standing = StandingOverride { what: what.clone(), by: by.to_owned(), since: now, until, reason };
        out.push(notice(what.notices()[0], &what, standing.text()));
        self.record_override(overrides::Record::Begun { id: sequence, standing }, out);
        self.apply_override(now, &what, out);
    }

    /// An operator ends an override.
    pub(super) fn end_override(&mut self, now: Time, by: &str, what: &Override, out: &mut Vec<Output>) {
        if let Some((id, _)) = self.overrides.state.find(what) {
            self.end(now, id, OverrideEnd::By(by.to_owned()), out);
        }
    }

    /// Ends overrides whose time has expired, and evaluates calendars that withheld claims.
    pub(super) fn end_overdue(&mut self, now: Time, out: &mut Vec<Output>) {
        let over = |standing: &StandingOverride| standing.until.is_some_and(|until| until <= now);
        let ended: Vec<u64> = self.overrides.state.standing().filter(|(_, s)| over(s)).map(|(id, _)| id).collect();
        for id in ended {
            self.end(now, id, OverrideEnd::Time, out);
        }
        if self.overrides.window.is_some_and(|at| at <= now) {
            self.overrides.window = None;
            self.look_at_withheld(|by| *by == WithheldBy::Maintenance);
        }
    }

    fn end(&mut self, now: Time, id: u64, why: OverrideEnd, out: &mut Vec<Output>) {
        let Some((_, standing)) = self.overrides.state.standing().find(|(other, _)| *other == id) else { return };
        let (what, text) = (standing.what.clone(), standing.end_text(&why));
        out.push(notice(what.notices()[1], &what, text));
        self.record_override(overrides::Record::Ended { id, at: now, why, what: what.clone() }, out);
        self.look_at_withheld(|by| is_freed(by, &what));
        self.apply_override(now, &what, out);
    }

    fn record_override(&mut self, record: overrides::Record, out: &mut Vec<Output>) {
        self.overrides.state.apply(&record);
        out.push(Output::Record(Record::Override(record)));
    }

    /// Carries out the beginning or the end of an override.
    fn apply_override(&mut self, now: Time, what: &Override, out: &mut Vec<Output>) {
        let mut planned = Vec::new();
        match what {
            Override::PauseAll | Override::PauseResource(_) => {
                self.planner.pause(now, self.paused_resources(None), &mut planned);
            }
            Override::Drain(_) => {
                let drained: BTreeSet<Name> = self.overrides.state.drained().cloned().collect();
                self.planner.drain(now, drained, &mut planned);
            }
            Override::PauseReaction(_) | Override::Silence(_) | Override::Maintenance(_) => {}
        }
        self.work(now, planned.into_iter().map(Task::Planned).collect(), out);
    }

    /// After a reload: applies the pauses to the resources of the new configuration.
    pub(super) fn apply_pauses(&mut self, now: Time, planned: &mut Vec<crate::core::plan::Output>) {
        self.planner.pause(now, self.paused_resources(None), planned);
    }

    /// The paused resources, each with its reason, without those of the override `but`.
    fn paused_resources(&self, but: Option<&Override>) -> BTreeMap<Name, String> {
        let pause = |name: &Name| {
            let standing = self.overrides.state.pause_of_resource(name, but)?;
            Some((name.clone(), format!("paused {}", standing.origin())))
        };
        self.inventory.resources.keys().filter_map(pause).collect()
    }

    /// Marks claims that were withheld for such a reason to be evaluated again.
    fn look_at_withheld(&mut self, these: impl Fn(&WithheldBy) -> bool) {
        let due = self.overrides.state.withheld().filter(|(_, by)| these(by)).map(|(sequence, _)| sequence);
        self.claims_due.extend(due);
    }

    /// The reactions of an alarm without those that are withheld; `None` if nothing is left.
    pub(super) fn allowed_reactions(
        &mut self,
        now: Time,
        mut start: Box<StartReactions>,
        out: &mut Vec<Output>,
    ) -> Option<Box<StartReactions>> {
        if self.overrides.withhold_nothing(&self.inventory) {
            return Some(start);
        }
        let key = start.key.to_string();
        let subject = AlarmSubject::of(&start.alarm, &key, start.category.name(), &start.event, &self.inventory);
        if let Some(why) = subject.maintenance(now, &self.overrides.state, &self.inventory, self.engine.program()) {
            let reactions: Vec<&str> = start.chains.iter().flatten().map(|call| call.reaction.as_str()).collect();
            if !reactions.is_empty() {
                let text =
                    format!("{}: its reactions are not started ({}): {why}", shown(&start.alarm, &key), reactions.join(", "));
                out.push(Output::Notice(Notice { alarm: Some(start.alarm.clone()), ..withheld(text) }));
            }
            if start.claim && start.mode != Mode::Dry {
                self.withhold_claim(start.sequence, WithheldBy::Maintenance, out);
            }
            return None;
        }
        let (mut allowed, mut paused) = (Vec::new(), Vec::new());
        for chain in std::mem::take(&mut start.chains) {
            let pause = chain.iter().find_map(|call| Some((call, self.overrides.state.reaction_is_paused(&call.reaction)?)));
            match pause {
                Some((call, standing)) => paused.push((call.reaction.clone(), standing.text())),
                None => allowed.push(chain),
            }
        }
        for (reaction, why) in paused {
            let text = format!("{} would start {reaction}: {why}", shown(&start.alarm, &key));
            let alarm = Some(start.alarm.clone());
            out.push(Output::Notice(Notice { alarm, reaction: Some(reaction.clone()), ..withheld(text) }));
            if start.claim && start.mode != Mode::Dry {
                self.withhold_claim(start.sequence, WithheldBy::Reaction(reaction), out);
            }
        }
        start.chains = allowed;
        (!start.chains.is_empty()).then_some(start)
    }

    /// Why a step of a run changes nothing outside; `None` if it may.
    pub(super) fn withheld_step(&mut self, run: RunId, step: &Step, out: &mut Vec<Output>) -> Option<String> {
        let state = self.runs.state().run(run)?;
        let reaction = state.bound.reaction.clone();
        let requires = step.verb.decl().requires;
        let changes_outside = requires != Requirement::Nothing;
        let standing = match self.overrides.state.reaction_is_paused(&reaction) {
            Some(standing) if changes_outside => standing,
            // Intents on resources are accepted: the planner waits.
            None if changes_outside && requires != Requirement::Resource => self.overrides.state.pause_of_reaction(&reaction)?,
            _ => return None,
        };
        let why = standing.text();
        let of_claim = (state.claim && matches!(standing.what, Override::PauseReaction(_))).then_some(state.sequence);
        let args: Vec<String> = step.args.iter().map(ToString::to_string).collect();
        let text = format!("{reaction} would do {}({}): {why}", step.verb, args.join(", "));
        out.push(Output::Notice(Notice { run: Some(run), reaction: Some(reaction.clone()), ..withheld(text) }));
        if let Some(sequence) = of_claim {
            self.withhold_claim(sequence, WithheldBy::Reaction(reaction), out);
        }
        Some(format!("not done: {why}"))
    }

    /// True if notifications of this run are withheld because its alarm is silenced.
    pub(super) fn is_silenced(&self, run: RunId) -> bool {
        let Some(state) = self.runs.state().run(run) else { return false };
        let [alarm, key, category] = ["name", "key", "category"].map(|field| state.bound.of_alarm(field));
        let subject = AlarmSubject::of(&alarm, &key, &category, &state.bound.call.event, &self.inventory);
        self.overrides.state.silence_of(&subject).is_some()
    }

    /// True if nobody is notified of this record of the engine: the alarm is silenced, or in maintenance.
    pub(super) fn is_withheld(&self, now: Time, record: &engine::Record) -> bool {
        let engine::Record::Raised { alarm, key, event, .. } = record else { return false };
        if self.overrides.withhold_nothing(&self.inventory) {
            return false;
        }
        let key = key.to_string();
        let subject = AlarmSubject::of(alarm, &key, self.category_of(alarm), event, &self.inventory);
        self.overrides.withhold_news(now, &subject, &self.inventory, self.engine.program())
    }

    fn withhold_claim(&mut self, sequence: u64, by: WithheldBy, out: &mut Vec<Output>) {
        if self.overrides.state.withholds(sequence) != Some(&by) {
            // Claims that newer ones replaced need not be remembered.
            let open = |sequence: u64| self.engine.state().open_claim(sequence).is_some();
            let past: Vec<u64> =
                self.overrides.state.withheld().map(|(sequence, _)| sequence).filter(|sequence| !open(*sequence)).collect();
            for sequence in past {
                self.record_override(overrides::Record::ClaimFreed { sequence }, out);
            }
            self.record_override(overrides::Record::ClaimWithheld { sequence, by }, out);
        }
    }

    /// True if the claim with this sequence moves nothing for now.
    pub(super) fn claim_is_withheld(&mut self, now: Time, sequence: u64, out: &mut Vec<Output>) -> bool {
        if self.overrides.withhold_nothing(&self.inventory) {
            return false;
        }
        let state = &self.overrides.state;
        let Some(app) = self.engine.state().open_claim(sequence).cloned() else { return self.free_claim(sequence, out) };
        let inventory = self.inventory.clone();
        let subject = AlarmSubject::of_claim(&app, &inventory);
        let program = self.engine.program();
        if subject.maintenance(now, state, &inventory, program).is_some() {
            let next = subject.next_window(now, &inventory, program);
            self.overrides.window = self.overrides.window.into_iter().chain(next).min();
            self.withhold_claim(sequence, WithheldBy::Maintenance, out);
            return true;
        }
        // A further claim of the same pair waits like the one whose reaction is paused.
        let of_pair = |other: u64| {
            let app = self.engine.state().open_claim(other)?;
            inventory.pair_of(app).map(|(name, _)| name.as_str())
        };
        let by = state.withheld().find_map(|(other, by)| match by {
            WithheldBy::Reaction(name) if (other == sequence || of_pair(other) == subject.pair) => {
                state.reaction_is_paused(name).map(|_| by.clone())
            }
            _ => None,
        });
        match by {
            Some(by) => {
                self.withhold_claim(sequence, by, out);
                true
            }
            None => self.free_claim(sequence, out),
        }
    }

    fn free_claim(&mut self, sequence: u64, out: &mut Vec<Output>) -> bool {
        if self.overrides.state.withholds(sequence).is_some() {
            self.record_override(overrides::Record::ClaimFreed { sequence }, out);
        }
        false
    }

    /// Ends overrides whose time has expired.
    pub(super) fn pass_overrides(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.overrides.next_end().is_some_and(|at| at <= now) {
            self.end_overdue(now, out);
            self.work(now, VecDeque::new(), out);
        }
    }
}

/// True if a claim that is withheld for this reason moves its resource after `what` has ended.
fn is_freed(by: &WithheldBy, what: &Override) -> bool {
    match (by, what) {
        (WithheldBy::Reaction(name), Override::PauseReaction(other)) => name == other,
        (WithheldBy::Maintenance, Override::Maintenance(_)) => true,
        _ => false,
    }
}

fn pending_text(pending: &Pending) -> String {
    match pending {
        Pending::Move(host) => format!("it is moved to {host}"),
        Pending::Take(host) => format!("{host} is commanded to take it"),
        Pending::Release(host) => format!("{host} is commanded to release it"),
    }
}

fn shown(alarm: &str, key: &str) -> String {
    if key.is_empty() { alarm.to_owned() } else { format!("{alarm} [{key}]") }
}

fn withheld(text: String) -> Notice {
    Notice::new(Kind::WouldDo, text)
}

fn notice(kind: Kind, what: &Override, text: String) -> Output {
    Output::Notice(Notice {
        resource: what.resource().cloned(),
        host: what.host().cloned(),
        scope: Some(what.target()),
        reaction: if let Override::PauseReaction(name) = what { Some(name.clone()) } else { None },
        alarm: if let Override::Silence(matcher) = what { matcher.alarm.clone() } else { None },
        ..Notice::new(kind, text)
    })
}
