//! Carries out what the controller wants done: first the records on the disk, then the commands to hosts, then what people see.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::core::base::time::duration_text;
use crate::core::control::{Input, Output, SelfEvent};
use crate::core::event::Level;
use crate::core::journal::Record;
use crate::core::notice::{Kind, Notice};
use crate::core::notifications::Delivery;
use crate::core::react::{AskedStep, Record as RunRecord};
use crate::shell::sources::Sink as _;

use super::controller::Running;
use super::notice_budget::record_of;
use super::urgency::Urgency;

/// How often dropped events are reported.
const REPORT_DROPPED: Duration = Duration::from_secs(10);

impl Running {
    /// Syncs everything to the disk before the first output leaves.
    pub(super) fn carry_out(&mut self, outputs: Vec<Output>) -> Result<(), String> {
        // Evaluating a script changes nothing outside, so it begins while the disk works.
        for output in &outputs {
            if let Output::Evaluate(run) = output
                && let Some(state) = self.controller.runs().run(*run)
            {
                self.sites.evaluate(*run, state, self.controller.rules());
            }
        }
        let mut leaves = false;
        let mut answered = BTreeSet::new();
        for output in &outputs {
            self.counts.written(output);
            match output {
                Output::Record(record) => {
                    if let Record::Run(
                        RunRecord::Ended { run, .. } | RunRecord::Answered { run, .. } | RunRecord::Again { run, .. },
                    ) = record
                    {
                        answered.insert(*run);
                    }
                    self.journal.append(record).map_err(|e| e.to_string())?;
                    self.dirty_since.get_or_insert(self.clock.now());
                }
                Output::Evaluate(_) => {}
                Output::Send(..) | Output::Do { .. } | Output::Deliver(_) => leaves = true,
                Output::Step(_) | Output::Notice(_) | Output::Settled(..) => {}
            }
        }
        if leaves && self.journal.is_dirty() {
            self.sync()?;
        }
        self.effects.drop_waiting(&answered);
        self.sites.drop_unused(self.controller.rules(), self.controller.runs());
        let now = self.clock.now();
        // People are notified after the commands to hosts are sent.
        let mut to_log = Vec::new();
        for output in outputs {
            self.counts.carried_out(now, &output, &self.controller);
            match output {
                Output::Record(_) | Output::Evaluate(_) => {}
                Output::Send(host, command) => {
                    // If a command is lost, the next report shows that and the command is sent again.
                    if let Some((_, route)) = self.routes.get(&host) {
                        route(command);
                    }
                }
                Output::Do { run, attempt, step } => {
                    let inbox = self.inbox.clone();
                    let n = step.n;
                    let done = move |result| {
                        inbox.send(Input::Done { run, n, attempt, result });
                    };
                    // A later input of the same batch may have ended the run or answered the step.
                    let waits = |asked: &AskedStep| asked.step.n == n && asked.attempt == attempt && asked.again_at.is_none();
                    let Some(state) = self.controller.runs().run(run) else { continue };
                    let Some(asked) = state.asked.as_ref().filter(|asked| waits(asked)) else { continue };
                    let site = self.sites.site_of(state).unwrap_or(&self.site);
                    self.effects.perform(site.inventory.clone(), (run, step), asked.due, Urgency::of(state), done);
                }
                Output::Deliver(delivery) => self.deliver(delivery),
                Output::Step(_) | Output::Notice(_) | Output::Settled(..) => to_log.push(output),
            }
        }
        for output in to_log {
            match self.own_events.event_of(self.clock.now(), &output, &self.site.matcher, self.controller.rules()) {
                SelfEvent::Input(input) => self.own.push(input),
                SelfEvent::Withheld(notice) => self.notice(&notice)?,
                SelfEvent::Nothing => {}
            }
            match output {
                Output::Step(step) => {
                    let text = format!("{} {} {} ({})", step.resource, step.verb, step.host, step.generation);
                    let (resource, host) = (Some(step.resource.clone()), Some(step.host.clone()));
                    self.write_notice(Notice { resource, host, ..Notice::new(Kind::Step, text) })?;
                }
                Output::Notice(notice) => self.notice(&notice)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn deliver(&mut self, delivery: Box<Delivery>) {
        let inbox = self.inbox.clone();
        let (id, attempt, channel) = (delivery.notification.id, delivery.attempt, delivery.notification.channel.clone());
        self.channels.deliver(&self.site.inventory.channels, delivery, move |result| {
            inbox.send(Input::Delivered { channel, id, attempt, result });
        });
    }

    /// Reports events that were dropped because there was no room, by source and at intervals.
    pub(super) fn report_dropped(&mut self) -> Result<(), String> {
        let now = self.clock.now();
        if now.since(self.dropped_reported_at) < REPORT_DROPPED {
            return Ok(());
        }
        self.dropped_reported_at = now;
        for (source, dropped) in self.inbox.lanes.take_dropped() {
            let most = dropped.worst().map(|(sender, n)| format!(", {n} of them from {sender}")).unwrap_or_default();
            let text = format!(
                "{} events from {source} were dropped within {}{most}: more arrive than the controller accepts from senders \
                 with this trust. Events of other senders are still accepted. `pointsman sources` has the totals; senders that \
                 use TCP wait instead",
                dropped.count,
                duration_text(REPORT_DROPPED)
            );
            let notice = Notice { source: Some(source), ..Notice::new(Kind::EventsDropped, text) };
            let output = Output::Notice(notice);
            match self.own_events.event_of(now, &output, &self.site.matcher, self.controller.rules()) {
                SelfEvent::Input(input) => self.own.push(input),
                SelfEvent::Withheld(_) | SelfEvent::Nothing => {}
            }
            if let Output::Notice(notice) = output {
                self.notice(&notice)?;
            }
        }
        Ok(())
    }

    fn notice(&mut self, notice: &Notice) -> Result<(), String> {
        match self.notice_budget.unless_repeated(notice) {
            Some(notice) => self.write_notice(notice),
            None => Ok(()),
        }
    }

    /// Writes a notice to the log and to the journal, unless there are too many. In that case the number of omitted notices
    /// follows.
    fn write_notice(&mut self, notice: Notice) -> Result<(), String> {
        let now = self.clock.now();
        for notice in self.notice_budget.take(now, notice) {
            let (kind, text) = (notice.kind, &notice.text);
            match kind.level() {
                _ if kind == Kind::Step => tracing::info!("{text}"),
                Level::Notice => tracing::info!(kind = kind.name(), "{text}"),
                _ => tracing::warn!(kind = kind.name(), "{text}"),
            }
            // The log output of a script is already in the journal as a step.
            if kind == Kind::Log {
                continue;
            }
            self.journal.append(&Record::Notice(record_of(now, notice))).map_err(|e| e.to_string())?;
            self.counts.noticed();
            self.dirty_since.get_or_insert(now);
        }
        Ok(())
    }
}
