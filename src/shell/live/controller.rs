//! The controller's thread: it takes messages, lets the pure controller decide, writes the results to the disk and carries them
//! out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::core::base::limits::{MEMORY_QUEUE, share};
use crate::core::base::text::printable;
use crate::core::base::time::{Time, duration_text};
use crate::core::config::JournalLimits;
use crate::core::control::{Controller, Input, Output, SelfEvent, SelfEvents};
use crate::core::event::{Level, Trust};
use crate::core::inventory::Name;
use crate::core::journal::{self, Position, Record};
use crate::core::metrics::ControllerCounts;
use crate::core::notice::{Kind, Notice};
use crate::core::notifications::Delivery;
use crate::core::react::Run;
use crate::core::site::{Current, Learned, Site};
use crate::shell::channels::Workers;
use crate::shell::site_files::{Disk, Good};
use crate::shell::sources::{self, Entry, Named, Sink as _};
use crate::shell::store::{self, Journal, Retention, UnwantedRecords};

use super::clock::{self, EngineClock};
use super::effects::Effects;
use super::evaluator::{Evaluators, Task};
use super::following::Following;
use super::inbox::{ControllerMessage, Inbox, Route};
use super::lanes::Lanes;
use super::notice_budget::{NoticeBudget, record_of};
use super::questions::Answer;
use super::reloading::{Begin, Reloading, reload_of};
use super::supervisor::Pulse;
use super::urgency::Urgency;

/// The number of messages that are taken together. They share one sync of the journal.
const AT_ONCE: usize = 256;
/// The maximum duration of such a batch. More important messages wait no longer than that.
const BATCH: Duration = Duration::from_millis(3);
/// How long waiting messages are still taken at the end of the program.
const DRAIN: Duration = Duration::from_millis(500);
/// How often systemd is shown how the site is.
const SHOW_STATUS: Duration = Duration::from_secs(5);
/// How often dropped events are reported.
const TELL_DROPPED: Duration = Duration::from_secs(10);
/// How soon records are synced if nothing that depends on them leaves the process.
const SYNC_WITHIN: Duration = Duration::from_millis(20);
/// The longest wait for a message, which is also how often the thread shows that it is alive.
const ALIVE: Duration = Duration::from_secs(1);

/// The controller's thread before it is started.
pub struct Thread {
    begin: Begin,
    files: Arc<Disk>,
    current: Arc<Current>,
    journal: Journal,
    id: u64,
    clock: EngineClock,
    /// The microseconds by which the clock was found to have been set.
    changed: Option<i64>,
    inbox: Inbox,
    sources: Vec<Named>,
    following: Following,
}

/// A site that is kept because it runs or because runs need it.
pub(super) struct Set {
    site: Arc<Site>,
    evaluators: Evaluators,
}

pub(super) struct Running {
    pub(super) site: Arc<Site>,
    /// Sites by number: the current site, and those to which unfinished runs are bound.
    pub(super) sets: BTreeMap<u64, Set>,
    /// The current site, for the sources.
    pub(super) current: Arc<Current>,
    pub(super) reloading: Reloading,
    pub(super) journal: Journal,
    pub(super) clock: EngineClock,
    pub(super) controller: Controller,
    program: PathBuf,
    routes: BTreeMap<Name, (u64, Route)>,
    pub(super) inbox: Inbox,
    pub(super) sources: Vec<Named>,
    pub(super) following: Following,
    /// What monitoring systems see.
    pub(super) counts: ControllerCounts,
    /// Limits how many notices are written to the journal and the log.
    notice_budget: NoticeBudget,
    /// The number by which agents recognize this controller.
    id: u64,
    /// Answers for operators, and whether the answer reports a change.
    pub(super) answers: Vec<(oneshot::Sender<Answer>, Answer, bool)>,
    /// Inputs from this thread to itself. They do not pass through the inbox, which may be full, because this thread is the one
    /// that reads it.
    pub(super) own: Vec<Input>,
    /// Events about the controller itself.
    own_events: SelfEvents,
    dirty_since: Option<Time>,
    /// The last notice, and how often it occurred in a row.
    last_notice: Option<(Notice, u64)>,
    pulse: Pulse,
    /// When systemd was last shown how the site is.
    shown_at: Time,
    effects: Effects,
    channels: Workers,
    /// The time of the last report about dropped events.
    dropped_told_at: Time,
    /// The number of refused commands that were recorded, and the time from which they are counted.
    pub(super) refused: (Time, u32),
}

impl Thread {
    /// Makes a controller that continues where the journal ends.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn new(
        begin: Begin,
        files: Arc<Disk>,
        mut journal: Journal,
        draw_id: impl FnOnce() -> u64,
    ) -> Result<Thread, String> {
        let id = journal.controller_id(draw_id).map_err(|e| e.to_string())?;
        let (now, changed) = clock::begin(journal.state().newest);
        if let Some(by) = changed {
            let record =
                Record::Input { sequence: journal.state().sequence + 1, at: now, input: journal::Input::ClockChanged { by } };
            journal.append(&record).and_then(|()| journal.sync()).map_err(|e| e.to_string())?;
        }
        let clock = EngineClock::start(now);
        // A site that is not accepted yet gets its number when it is. Events that were matched before are then matched again.
        let current = Current::new(begin.number.unwrap_or(0), begin.good.site.clone());
        let bytes = share(begin.good.site.inventory.memory.0, MEMORY_QUEUE);
        let inbox = Inbox::new(bytes, clock.clone(), current.clone());
        Ok(Thread {
            begin,
            files,
            current,
            journal,
            id,
            clock,
            changed,
            inbox,
            sources: Vec::new(),
            following: Following::default(),
        })
    }

    /// Sets how much of the journal is kept.
    pub(super) fn keep(&mut self, limits: JournalLimits) {
        let retention = retention(&self.journal, limits);
        self.journal.keep(retention);
    }

    /// Keeps records that no rule wants. To be called before the inbox is handed out.
    pub(super) fn keep_unwanted(&mut self, records: UnwantedRecords) {
        self.inbox.unwanted = Some(Arc::new(records));
    }

    /// The current site, for the sources.
    pub fn current(&self) -> Arc<Current> {
        self.current.clone()
    }

    /// The inbox of the thread.
    pub fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// Follows the files of an entry. The position in a new file is on the disk before the file is read.
    ///
    /// # Errors
    /// When the disk refuses, or no thread can be started.
    pub(super) fn follow(&mut self, entry: Entry) -> Result<(), String> {
        let named = entry.named();
        self.show(named.clone());
        let (places, new) = sources::places(&entry, &self.journal.state().positions, self.clock.now());
        let words = |e: store::Error| e.to_string();
        for (source, position) in new {
            let input = journal::Input::Position { source, position };
            let record = Record::Input { sequence: self.journal.state().sequence + 1, at: self.clock.now(), input };
            self.journal.append(&record).map_err(words)?;
        }
        self.journal.sync().map_err(words)?;
        self.following.start(entry, places, named, &self.current, &self.inbox)
    }

    /// Adds a source whose counters are shown. It continues with what was learned of its senders.
    pub fn show(&mut self, source: Named) {
        source.arrivals.recall(self.journal.state().alarms.offsets_of(&source.name));
        self.sources.push(source);
    }

    /// Runs until a message stops it. `program evaluate` evaluates scripts.
    ///
    /// # Errors
    /// When the journal cannot be written any more: nothing is done that is not on the disk.
    pub(super) fn run(self, program: PathBuf, pulse: Pulse) -> Result<(), String> {
        let Thread { begin, files, current, mut journal, id, clock, changed, inbox, sources, following } = self;
        let Begin { good, written, number, reset, earlier, refused, folders } = begin;
        let Good { site, config } = good;
        let mut outputs = Vec::new();
        let now = clock.now();
        let state = journal.take_state();
        let controller = Controller::start(id, site.program.clone(), site.inventory.clone(), state, clock.now(), &mut outputs);
        let mut running = Running {
            site: site.clone(),
            sets: BTreeMap::new(),
            current,
            reloading: Reloading::new(files, written.clone(), config.clone(), refused),
            journal,
            clock: clock.clone(),
            counts: ControllerCounts::start(controller.runs()),
            controller,
            program,
            routes: BTreeMap::new(),
            inbox,
            effects: Effects::start(&clock).map_err(|e| format!("no thread can be started: {e}"))?,
            channels: Workers::default(),
            dropped_told_at: now,
            refused: (now, 0),
            sources,
            following,
            notice_budget: NoticeBudget::default(),
            id,
            own: Vec::new(),
            answers: Vec::new(),
            own_events: SelfEvents::default(),
            dirty_since: None,
            last_notice: None,
            pulse,
            shown_at: Time::default(),
        };
        for (number, site) in earlier {
            let set = running.set_of(site)?;
            running.sets.insert(number, set);
        }
        if number.is_none() {
            // The acceptance of this site has already decided about resources that it removed.
            let reload = reload_of(&site, written, reset, true);
            running.controller.turn(running.clock.now(), Input::Reload(Box::new(reload)), &mut outputs);
        }
        let number = running.controller.rules();
        let set = running.set_of(site.clone())?;
        running.sets.insert(number, set);
        running.current.exchange(number, site);
        if let Some(why) = &running.reloading.refused {
            let text = format!("the files are refused, and the site that was accepted last runs: {why}");
            outputs.push(Output::Notice(Notice::new(Kind::ReloadRefused, text)));
        }
        if let Some(by) = changed {
            running.sources.iter().for_each(|source| source.arrivals.clock_changed(by));
            outputs.push(clock_changed(by));
        }
        running.own = running.following.unfollowed(running.controller.alarms().away());
        running.watch(config.reload, &folders);
        running.carry_out(outputs)?;
        let lanes = running.inbox.lanes.clone();
        let ended = running.run(&lanes);
        lanes.end();
        ended
    }
}

impl Running {
    fn run(&mut self, lanes: &Lanes<ControllerMessage>) -> Result<(), String> {
        let mut stop_at: Option<Time> = None;
        loop {
            let sync_at = self.dirty_since.map(|at| at + SYNC_WITHIN);
            let due = self.controller.next_deadline().into_iter().chain(sync_at).min();
            let wait = due.map_or(ALIVE, |due| due.since(self.clock.now())).min(ALIVE);
            let wait = if self.own.is_empty() { wait } else { Duration::ZERO };
            self.pulse.beat();
            self.show_status();
            self.following.look();
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
            if self.dirty_since.is_some_and(|at| at + SYNC_WITHIN <= self.clock.now()) {
                self.sync()?;
            }
            self.give_answers()?;
            self.tell_dropped()?;
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

    /// Reports events that were dropped because there was no room, by source and at intervals.
    fn tell_dropped(&mut self) -> Result<(), String> {
        let now = self.clock.now();
        if now.since(self.dropped_told_at) < TELL_DROPPED {
            return Ok(());
        }
        self.dropped_told_at = now;
        for (source, dropped) in self.inbox.lanes.take_dropped() {
            let most = dropped.worst().map(|(sender, n)| format!(", {n} of them from {sender}")).unwrap_or_default();
            let text = format!(
                "{} events from {source} were dropped within {}{most}: more arrive than the controller accepts from senders \
                 with this trust. Events of other senders are still accepted. `pointsman sources` has the totals; senders that \
                 use TCP wait instead",
                dropped.count,
                duration_text(TELL_DROPPED)
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

    fn take(&mut self, message: ControllerMessage, outputs: &mut Vec<Output>) {
        match message {
            ControllerMessage::Input(input) if self.following.is_over(&input) => {}
            ControllerMessage::Input(input) => self.turn(self.clock.now(), input, outputs),
            ControllerMessage::Observe(reply) => {
                // Who asked may have given up.
                let _ = reply.try_send(self.observation());
            }
            ControllerMessage::Reached { host, serial, route } => {
                tracing::info!(%host, "the agent is connected");
                self.turn(self.clock.now(), Input::Connected(host.clone()), outputs);
                self.routes.insert(host, (serial, route));
            }
            ControllerMessage::Gone { host, serial } => {
                if self.routes.get(&host).is_some_and(|(now, _)| *now == serial) {
                    tracing::warn!(%host, "the agent's connection is gone");
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

    /// Syncs everything to the disk before the first output leaves.
    pub(super) fn carry_out(&mut self, outputs: Vec<Output>) -> Result<(), String> {
        // Evaluating a script changes nothing outside, so it begins while the disk works.
        for output in &outputs {
            if let Output::Evaluate(run) = output {
                self.evaluate(*run);
            }
        }
        let mut leaves = false;
        for output in &outputs {
            self.counts.written(output);
            match output {
                Output::Record(record) => {
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
        self.drop_sets();
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
                    let state = self.controller.runs().run(run);
                    let due = state.and_then(|r| r.asked.as_ref()).and_then(|asked| asked.due);
                    let urgency = state.map(urgency_of).unwrap_or_default();
                    self.effects.perform(self.site_of(run).inventory.clone(), step, due, urgency, done);
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

    fn evaluate(&mut self, run: u64) {
        let Some(state) = self.controller.runs().run(run) else { return };
        let Some(set) = self.sets.get(&state.bound.rules).or_else(|| self.sets.get(&self.controller.rules())) else { return };
        let task = Task {
            run,
            script: set.site.script_of(state).unwrap_or_default().to_owned(),
            call: state.bound.call.clone(),
            history: state.history.clone(),
        };
        set.evaluators.evaluate(urgency_of(state), task);
    }

    /// The site to which a run is bound.
    fn site_of(&self, run: u64) -> &Arc<Site> {
        let rules = self.controller.runs().run(run).map(|r| r.bound.rules);
        rules.and_then(|rules| self.sets.get(&rules)).map_or(&self.site, |set| &set.site)
    }

    /// The hosts whose agents are connected.
    pub(super) fn connected(&self) -> BTreeSet<&Name> {
        self.routes.keys().collect()
    }

    /// A site together with the processes that evaluate its scripts.
    pub(super) fn set_of(&self, site: Arc<Site>) -> Result<Set, String> {
        let inbox = self.inbox.clone();
        let answer = move |run, next| {
            inbox.send(Input::Evaluated { run, next });
        };
        let evaluators = Evaluators::start(self.program.clone(), &site, answer);
        Ok(Set { evaluators: evaluators.map_err(|e| format!("scripts can't be evaluated: {e}"))?, site })
    }

    /// Drops earlier sites that no run needs any more.
    fn drop_sets(&mut self) {
        if self.sets.len() > 1 {
            let (now, runs) = (self.controller.rules(), self.controller.runs());
            self.sets.retain(|number, _| *number == now || runs.needs(*number));
        }
    }

    fn notice(&mut self, notice: &Notice) -> Result<(), String> {
        // The text may contain parts of a log.
        let mut text = printable(&notice.text);
        // A repeated notice is reported at the tenth, the hundredth and the thousandth repetition.
        let before = self.last_notice.take().filter(|(last, _)| last == notice).map_or(0, |(_, times)| times);
        self.last_notice = Some((notice.clone(), before + 1));
        match before + 1 {
            1 => {}
            times if times == 10u64.pow(times.ilog10()) => {
                text.push_str(&format!(" ({times} times now)"));
            }
            _ => return Ok(()),
        }
        self.write_notice(Notice { text, ..notice.clone() })
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

    /// Adjusts the engine's time after somebody has set the wall clock: the state is folded again with its times moved, as at a
    /// start.
    fn follow_clock(&mut self) -> Result<(), String> {
        let Some(by) = self.clock.changed() else { return Ok(()) };
        let words = |e: crate::shell::store::Error| e.to_string();
        self.clock.change(by);
        self.sources.iter().for_each(|source| source.arrivals.clock_changed(by));
        let now = self.clock.now();
        let record =
            Record::Input { sequence: self.journal.state().sequence + 1, at: now, input: journal::Input::ClockChanged { by } };
        self.journal.append(&record).map_err(words)?;
        self.sync()?;
        let state = self.journal.fold_again().map_err(words)?;
        let mut outputs = vec![clock_changed(by)];
        let (program, inventory) = (self.site.program.clone(), self.site.inventory.clone());
        self.controller = Controller::start(self.id, program, inventory, state, now, &mut outputs);
        self.controller.match_by(self.site.matcher.clone());
        // The backlog of the sources was read long ago.
        self.own.extend(self.sources.iter().map(|s| Input::BacklogEnded { source: s.name.clone() }));
        self.carry_out(outputs)
    }
}

/// The urgency of a run's requests.
fn urgency_of(run: &Run) -> Urgency {
    Urgency { claim: run.claim, trust: run.bound.trust() }
}

/// How long records of a journal are kept by these limits.
pub(super) fn retention(journal: &Journal, limits: JournalLimits) -> Retention {
    Retention::of_folder(journal.folder(), limits.keep, limits.size)
}

/// The notice about a clock that was set.
fn clock_changed(by: i64) -> Output {
    let span = duration_text(Duration::from_secs((by.unsigned_abs() + 500_000) / 1_000_000));
    let way = if by < 0 { "back" } else { "forward" };
    let text = format!(
        "the wall clock was set {way} by {span}: the engine's time follows, and every deadline stays as far away as before"
    );
    Output::Notice(Notice::new(Kind::ClockChanged, text))
}
