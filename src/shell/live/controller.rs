//! The controller's thread as it runs: it takes messages in batches and lets the pure controller decide. What that wants done is
//! carried out after each batch (`outputs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::core::base::time::Time;
use crate::core::control::{Controller, Input, Output, SelfEvents};
use crate::core::event::Trust;
use crate::core::inventory::Name;
use crate::core::journal::{self, Position, Record};
use crate::core::metrics::ControllerCounts;
use crate::core::site::{Current, Learned, Site};
use crate::shell::channels::Workers;
use crate::shell::sources::Named;
use crate::shell::store::{self, Journal};

use super::clock::{self, EngineClock};
use super::connection_log::ConnectionLog;
use super::effects::Effects;
use super::following::Following;
use super::inbox::{ControllerMessage, Inbox, Route};
use super::lanes::Lanes;
use super::notice_budget::NoticeBudget;
use super::questions::Answer;
use super::reloading::Reloading;
use super::run_sites::RunSites;
use super::supervisor::Pulse;

/// The number of messages that are taken together. They share one sync of the journal.
const AT_ONCE: usize = 256;
/// The maximum duration of such a batch. More important messages wait no longer than that.
const BATCH: Duration = Duration::from_millis(3);
/// How long waiting messages are still taken at the end of the program.
const DRAIN: Duration = Duration::from_millis(500);
/// How often systemd is shown how the site is.
const SHOW_STATUS: Duration = Duration::from_secs(5);
/// How soon records are synced if nothing that depends on them leaves the process.
const SYNC_WITHIN: Duration = Duration::from_millis(20);
/// The longest wait for a message, which is also how often the thread shows that it is alive.
const ALIVE: Duration = Duration::from_secs(1);

pub(super) struct Running {
    pub(super) site: Arc<Site>,
    pub(super) sites: RunSites,
    /// The current site, for the sources.
    pub(super) current: Arc<Current>,
    pub(super) reloading: Reloading,
    pub(super) journal: Journal,
    pub(super) clock: EngineClock,
    pub(super) controller: Controller,
    pub(super) routes: BTreeMap<Name, (u64, Route)>,
    pub(super) connection_log: ConnectionLog,
    pub(super) inbox: Inbox,
    pub(super) sources: Vec<Named>,
    pub(super) following: Following,
    /// What monitoring systems see.
    pub(super) counts: ControllerCounts,
    /// Limits how many notices are written to the journal and the log.
    pub(super) notice_budget: NoticeBudget,
    /// The number by which agents recognize this controller.
    pub(super) id: u64,
    /// Answers for operators, and whether the answer reports a change.
    pub(super) answers: Vec<(oneshot::Sender<Answer>, Answer, bool)>,
    /// Inputs from this thread to itself. They do not pass through the inbox, which may be full, because this thread is the one
    /// that reads it.
    pub(super) own: Vec<Input>,
    /// Events about the controller itself.
    pub(super) own_events: SelfEvents,
    pub(super) dirty_since: Option<Time>,
    pub(super) pulse: Pulse,
    /// When systemd was last shown how the site is.
    pub(super) shown_at: Time,
    pub(super) effects: Effects,
    pub(super) channels: Workers,
    /// The time of the last report about dropped events.
    pub(super) dropped_reported_at: Time,
    /// The number of refused commands that were recorded, and the time from which they are counted.
    pub(super) refused: (Time, u32),
}

impl Running {
    /// Runs until a message stops it.
    ///
    /// # Errors
    /// When the journal cannot be written any more: nothing is done that is not on the disk.
    pub(super) fn run(&mut self) -> Result<(), String> {
        let lanes = self.inbox.lanes.clone();
        let ended = self.take_batches(&lanes);
        lanes.end();
        ended
    }

    fn take_batches(&mut self, lanes: &Lanes<ControllerMessage>) -> Result<(), String> {
        let mut stop_at: Option<Time> = None;
        loop {
            let sync_at = self.dirty_since.map(|at| at + SYNC_WITHIN);
            let due = self.controller.next_deadline().into_iter().chain(sync_at).min();
            let wait = due.map_or(ALIVE, |due| due.since(self.clock.now())).min(ALIVE);
            let wait = if self.own.is_empty() { wait } else { Duration::ZERO };
            self.pulse.beat();
            self.show_status();
            self.following.look();
            self.connection_log.look(self.clock.now());
            let mut outputs = Vec::new();
            lanes.begin_batch();
            let mut next = lanes.next(if stop_at.is_some() { Duration::ZERO } else { wait }, self.clock.now());
            let began = self.clock.now();
            let mut taken = 0;
            let mut all_read = next.is_none();
            while let Some(message) = next {
                match message {
                    ControllerMessage::Stop => stop_at = Some(self.clock.now() + DRAIN),
                    ControllerMessage::Failed(why) => {
                        self.carry_out(outputs)?;
                        self.sync()?;
                        return Err(why);
                    }
                    message => self.take(message, &mut outputs),
                }
                taken += 1;
                next = None;
                let now = self.clock.now();
                if taken < AT_ONCE && now.since(began) < BATCH {
                    next = lanes.next(Duration::ZERO, now);
                    all_read = next.is_none();
                }
            }
            self.learn();
            let now = self.clock.now();
            outputs.extend(self.journal.take_findings().into_iter().map(Output::Notice));
            for input in std::mem::take(&mut self.own) {
                self.turn(now, input, &mut outputs);
            }
            if self.controller.next_deadline().is_some_and(|at| at <= now) {
                self.turn(now, Input::Timer, &mut outputs);
            }
            self.carry_out(outputs)?;
            lanes.end_batch(began, self.clock.now());
            if self.dirty_since.is_some_and(|at| at + SYNC_WITHIN <= self.clock.now()) || self.journal.has_grown() {
                self.sync()?;
            }
            self.give_answers()?;
            self.report_dropped()?;
            self.follow_clock()?;
            self.begin_to_follow(all_read)?;
            if stop_at.is_some_and(|at| all_read || at <= self.clock.now()) {
                return self.sync();
            }
        }
    }

    /// Shows systemd how the site is.
    fn show_status(&mut self) {
        let now = self.clock.now();
        if now.since(self.shown_at) >= SHOW_STATUS || now < self.shown_at {
            self.shown_at = now;
            self.pulse.show(self.status_line());
        }
    }

    fn take(&mut self, message: ControllerMessage, outputs: &mut Vec<Output>) {
        match message {
            ControllerMessage::Input(input) if self.following.is_over(&input) => {}
            ControllerMessage::Input(input) => self.turn(self.clock.now(), input, outputs),
            ControllerMessage::Observe(reply) => {
                // Who asked may have given up.
                let _ = reply.try_send(self.observation());
            }
            ControllerMessage::Reached { host, serial, route } => {
                self.connection_log.changed(self.clock.now(), &host, true);
                self.turn(self.clock.now(), Input::Connected(host.clone()), outputs);
                self.routes.insert(host, (serial, route));
            }
            ControllerMessage::Gone { host, serial } => {
                if self.routes.get(&host).is_some_and(|(now, _)| *now == serial) {
                    self.connection_log.changed(self.clock.now(), &host, false);
                    self.routes.remove(&host);
                }
            }
            ControllerMessage::Ask(by, question, reply) => self.ask(&by, question, reply, outputs),
            ControllerMessage::Reload(trigger) => self.reload(trigger),
            ControllerMessage::Reread(attempt) => self.reread(*attempt, outputs),
            ControllerMessage::Notice(notice) => outputs.push(Output::Notice(notice)),
            ControllerMessage::Stop | ControllerMessage::Failed(_) => {}
        }
    }

    /// Records what the sources learned of their senders.
    fn learn(&mut self) {
        for source in &self.sources {
            for Learned { host, trust, usual, zone } in source.arrivals.learned() {
                self.own.push(Input::Offset { source: source.name.clone(), host, trust, usual, zone });
            }
        }
    }

    /// The position up to which each source was read.
    pub(super) fn positions(&self) -> &BTreeMap<String, Position> {
        &self.journal.state().positions
    }

    /// The usual ages of the records of a source's senders.
    pub(super) fn offsets_of(&self, source: &str) -> Vec<(Trust, String, i64)> {
        self.journal.state().alarms.offsets_of(source)
    }

    /// Syncs the records of this batch before anybody gets an answer, also if nothing of them leaves the process.
    pub(super) fn sync_with_batch(&mut self) {
        self.dirty_since = Some(Time::MIN);
    }

    pub(super) fn sync(&mut self) -> Result<(), String> {
        self.dirty_since = None;
        if !self.journal.is_dirty() {
            return Ok(());
        }
        let began = self.clock.now();
        self.journal.sync().map_err(|e| e.to_string())?;
        self.counts.synced(began, self.clock.now());
        Ok(())
    }

    /// The hosts whose agents are connected.
    pub(super) fn connected(&self) -> BTreeSet<&Name> {
        self.routes.keys().collect()
    }

    /// Adjusts the engine's time after somebody has set the wall clock: the state is folded again with its times moved, as at a
    /// start.
    fn follow_clock(&mut self) -> Result<(), String> {
        let Some(by) = self.clock.changed() else { return Ok(()) };
        let words = |e: store::Error| e.to_string();
        self.clock.change(by);
        self.sources.iter().for_each(|source| source.arrivals.clock_changed(by));
        let now = self.clock.now();
        let record =
            Record::Input { sequence: self.journal.state().sequence + 1, at: now, input: journal::Input::ClockChanged { by } };
        self.journal.append(&record).map_err(words)?;
        self.sync()?;
        let state = self.journal.fold_again().map_err(words)?;
        let mut outputs = vec![Output::Notice(clock::changed_notice(by))];
        let (program, inventory) = (self.site.program.clone(), self.site.inventory.clone());
        self.controller = Controller::start(self.id, program, inventory, state, now, &mut outputs);
        self.controller.match_by(self.site.matcher.clone());
        // The backlog of the sources was read long ago.
        self.own.extend(self.sources.iter().map(|s| Input::BacklogEnded { source: s.name.clone() }));
        self.carry_out(outputs)
    }
}
