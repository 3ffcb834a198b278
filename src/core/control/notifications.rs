//! What the controller passes to the notifier: alarms, texts of scripts, and results of deliveries.

use std::sync::Arc;

use crate::core::base::time::Time;
use crate::core::engine;
use crate::core::event::Value;
use crate::core::inventory::{Inventory, Name};
use crate::core::journal::Record;
use crate::core::lang::program::Program;
use crate::core::notice::{Kind, Notice};
use crate::core::notifications::{self, AlarmFacts, Undelivered, kept_fields};
use crate::core::react::RunId;
use crate::core::script::{Step, StepResult};

use super::{Controller, Output};

impl Controller {
    pub(super) fn begin_notifications(&mut self, now: Time, out: &mut Vec<Output>) {
        let mut outputs = Vec::new();
        self.notifier.begin(now, &mut outputs);
        pass_on(outputs, out);
    }

    pub(super) fn reload_notifications(
        &mut self,
        now: Time,
        program: Arc<Program>,
        inventory: Arc<Inventory>,
        out: &mut Vec<Output>,
    ) {
        let mut outputs = Vec::new();
        self.notifier.reload(now, program, inventory, &mut outputs);
        pass_on(outputs, out);
    }

    pub(super) fn notifications_due(&mut self, now: Time, out: &mut Vec<Output>) {
        let mut outputs = Vec::new();
        let (overrides, inventory, program) = (&self.overrides, &self.inventory, self.engine.program());
        self.notifier.fall_due(now, &|facts| overrides.withhold_news_of(now, facts, inventory, program), &mut outputs);
        pass_on(outputs, out);
    }

    /// The notifications that follow from a record of the engine. Their records come after that record.
    pub(super) fn observed(&mut self, now: Time, record: &engine::Record) -> Vec<notifications::Output> {
        let mut outputs = Vec::new();
        if !self.is_withheld(now, record) {
            self.notifier.observed(now, record, &mut outputs);
        }
        outputs
    }

    pub(super) fn delivered(
        &mut self,
        now: Time,
        channel: &Name,
        attempt: (u64, u32),
        result: Result<(), Undelivered>,
        out: &mut Vec<Output>,
    ) {
        let mut outputs = Vec::new();
        self.notifier.delivered(now, channel, attempt, result, &mut outputs);
        pass_on(outputs, out);
    }

    pub(super) fn test_channel(&mut self, now: Time, channel: &Name, by: &str, out: &mut Vec<Output>) {
        let mut outputs = Vec::new();
        if let Err(text) = self.notifier.test(now, channel, by, &mut outputs) {
            out.push(Output::Notice(Notice::new(Kind::Unknown, text)));
        }
        pass_on(outputs, out);
    }

    /// A script notifies people of a text, or of its alarm if there is no text. The step is done as soon as it is journaled.
    pub(super) fn notify(&mut self, now: Time, run: RunId, step: &Step, out: &mut Vec<Output>) -> StepResult {
        let Some(state) = self.runs.state().run(run) else { return Err("the run has ended".to_owned()) };
        let bound = &state.bound;
        let field = |name: &str| bound.of_alarm(name);
        let (alarm, key, cause) = (field("name"), field("key"), field("cause"));
        let has_ended = !cause.is_empty();
        let facts = AlarmFacts {
            category: field("category"),
            summary: field("summary"),
            help: self.notifier.help_of(&alarm),
            raised_at: Time::parse_rfc3339(&field("raised_at")).unwrap_or(now),
            cleared_at: has_ended.then_some(now),
            cause: has_ended.then_some(cause),
            reaction: Some(bound.reaction.clone()),
            trust: bound.trust(),
            fields: kept_fields(&bound.call.event),
            alarm,
            key,
            ..AlarmFacts::default()
        }
        .summarized();
        let channel = step.args.first().map(ToString::to_string).unwrap_or_default();
        let text = self.marked_as_test(run, step.clone()).args.get(1).map(ToString::to_string).unwrap_or_default();
        let mut outputs = Vec::new();
        let result = if text.is_empty() {
            let active = !has_ended && self.engine.state().key_shown(&facts.alarm, &facts.key).is_some();
            self.notifier.announce(now, &channel, facts, active, &mut outputs)
        } else {
            self.notifier.say(now, &channel, &text, facts, (run, step.n), &mut outputs)
        };
        pass_on(outputs, out);
        result.map(|()| Value::Unit)
    }
}

/// Passes on what the notifications decided.
pub(super) fn pass_on(outputs: Vec<notifications::Output>, out: &mut Vec<Output>) {
    out.extend(outputs.into_iter().map(|output| match output {
        notifications::Output::Record(record) => Output::Record(Record::Notify(record)),
        notifications::Output::Deliver(delivery) => Output::Deliver(delivery),
        notifications::Output::Notice { kind, text } => Output::Notice(Notice::new(kind, text)),
    }));
}
