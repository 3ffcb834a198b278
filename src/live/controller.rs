//! The controller's thread: takes what comes, lets the pure controller decide, keeps it on the disk, carries it out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use serde_json::Value as Json;

use crate::base::text::printable;
use crate::base::time::{Time, duration_text};
use crate::config::JournalLimits;
use crate::control::{Controller, Input, Notice, Output, Own, OwnHeard};
use crate::inventory::Name;
use crate::journal::{self, Position, Record};
use crate::script::{Next, verbs};
use crate::site::{Current, Site};
use crate::sources::{Named, Sink, place};
use crate::store::{Journal, Retention};
use crate::wire::Command;

use super::clock::{self, Clock};
use super::effects;
use super::evaluator::{Evaluators, Task};
use super::following::{self, Following};
use super::journaled::Journaled;
use super::questions::{Answer, Desk, Question, Reply};
use super::reload::{Attempt, Begin, Files, Good, Reloading, Trigger, reload_of};
use super::supervisor::Pulse;

/// Messages that wait for the controller. Sources that can wait do, the others drop and count.
const INBOX: usize = 65_536;
/// Messages that are taken together: one sync of the journal for all that comes of them.
const AT_ONCE: usize = 256;
/// Records of which nothing left the process are on the disk within this.
const SYNC_WITHIN: Duration = Duration::from_millis(20);
/// How long it waits for a message at most: so often it shows that it is alive.
const ALIVE: Duration = Duration::from_secs(1);

/// Sends a command to a host's agent, or drops it: it is said again.
pub type Route = Box<dyn Fn(Command) + Send>;

/// Something that the controller's thread is told.
pub enum Message {
    /// An input of the pure controller.
    Input(Input),
    /// A host can be reached from now on; `serial` tells this way from an earlier one.
    Reached {
        /// Which host.
        host: Name,
        /// Of this connection.
        serial: u64,
        /// How.
        route: Route,
    },
    /// It can't be any more.
    Gone {
        /// Which host.
        host: Name,
        /// Of which connection.
        serial: u64,
    },
    /// Somebody asks: who, what.
    Ask(String, Question, SyncSender<Answer>),
    /// Something that people, and rules, should know.
    Notice(Notice),
    /// The files are to be read anew.
    Reload(Trigger),
    /// They were.
    Reread(Box<Attempt>),
    /// A part that nothing works without has failed, in words.
    Failed(String),
    /// The program ends. Nothing is released.
    Stop,
}

/// The way to the controller's thread.
#[derive(Clone)]
pub struct Inbox {
    sender: SyncSender<Message>,
    clock: Clock,
}

impl Inbox {
    /// Tells the controller; waits for room. False when it has ended.
    pub fn tell(&self, message: Message) -> bool {
        self.sender.send(message).is_ok()
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// What the controller says, or that it has ended.
    pub fn ask(&self, question: Question, by: String) -> Answer {
        let (reply, answer) = sync_channel(1);
        if !self.tell(Message::Ask(by, question, reply)) {
            return Err("the controller is ending".to_owned());
        }
        answer.recv().unwrap_or_else(|_| Err("the controller is ending".to_owned()))
    }
}

impl Sink for Inbox {
    fn send(&self, input: Input) -> bool {
        self.tell(Message::Input(input))
    }

    fn offer(&self, input: Input) -> bool {
        !matches!(self.sender.try_send(Message::Input(input)), Err(TrySendError::Full(_) | TrySendError::Disconnected(_)))
    }

    fn now(&self) -> Time {
        self.clock.now()
    }
}

/// The controller's thread before it runs.
pub struct Thread {
    begin: Begin,
    files: Arc<dyn Files>,
    current: Arc<Current>,
    journal: Journal,
    id: u64,
    clock: Clock,
    /// By how many microseconds the clock was found to be set.
    changed: Option<i64>,
    inbox: Receiver<Message>,
    sender: Inbox,
    sources: Vec<Named>,
    following: Following,
}

/// A set of rules that is kept, because it runs or because runs need it.
pub(super) struct Set {
    site: Arc<Site>,
    evaluators: Evaluators,
}

pub(super) struct Running {
    pub(super) site: Arc<Site>,
    /// By number: what runs, and what runs that have not ended were bound by.
    pub(super) sets: BTreeMap<u64, Set>,
    /// The same for the sources.
    pub(super) current: Arc<Current>,
    pub(super) reloading: Reloading,
    pub(super) journal: Journal,
    pub(super) clock: Clock,
    pub(super) controller: Controller,
    /// What evaluates scripts.
    program: PathBuf,
    routes: BTreeMap<Name, (u64, Route)>,
    pub(super) inbox: Inbox,
    pub(super) sources: Vec<Named>,
    pub(super) following: Following,
    /// Limits how many notices are journaled.
    journaled: Journaled,
    /// What agents know it by.
    id: u64,
    /// What this thread tells itself. Not through the inbox, which may be full: this thread is the one that reads it.
    pub(super) own: Vec<Input>,
    /// What happens to the controller, as events.
    own_events: Own,
    dirty_since: Option<Time>,
    /// The last one that was told, and how often in a row.
    last_notice: (Notice, u64),
    pulse: Pulse,
}

impl Thread {
    /// A controller that goes on where the journal ends.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn new(
        begin: Begin,
        files: Arc<dyn Files>,
        mut journal: Journal,
        draw_id: impl FnOnce() -> u64,
    ) -> Result<Thread, String> {
        let id = journal.controller_id(draw_id).map_err(|e| e.to_string())?;
        journal.make_room().map_err(|e| e.to_string())?;
        let (now, changed) = clock::begin(journal.state().newest);
        if let Some(by) = changed {
            let record = Record::Input { order: journal.state().order + 1, at: now, input: journal::Input::ClockChanged { by } };
            journal.append(&record).and_then(|()| journal.sync()).map_err(|e| e.to_string())?;
        }
        let clock = Clock::start(now);
        let (sender, inbox) = sync_channel(INBOX);
        // What is not accepted yet gets its number with that; what was matched before is matched again then.
        let current = Current::new(begin.number.unwrap_or(0), begin.good.site.clone());
        let sender = Inbox { sender, clock: clock.clone() };
        Ok(Thread {
            begin,
            files,
            current,
            journal,
            id,
            clock,
            changed,
            inbox,
            sender,
            sources: Vec::new(),
            following: Following::default(),
        })
    }

    /// How much of the journal is kept.
    pub(super) fn keep(&mut self, limits: JournalLimits) {
        self.journal.keep(retention(limits));
    }

    /// The site of now, for the sources.
    pub fn current(&self) -> Arc<Current> {
        self.current.clone()
    }

    /// The way to it.
    pub fn inbox(&self) -> Inbox {
        self.sender.clone()
    }

    /// Where a source was read up to. One that is new begins at `first`, and that is on the disk when this returns.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn position(&mut self, source: &str, first: impl FnOnce() -> Position) -> Result<Position, String> {
        if let Some(known) = self.journal.state().positions.get(source) {
            return Ok(*known);
        }
        let position = first();
        let input = journal::Input::Position { source: source.to_owned(), position };
        let record = Record::Input { order: self.journal.state().order + 1, at: self.clock.now(), input };
        self.journal.append(&record).and_then(|()| self.journal.sync()).map_err(|e| e.to_string())?;
        Ok(position)
    }

    /// Follows a file.
    ///
    /// # Errors
    /// When the disk refuses, or no thread can be started.
    pub(super) fn follow(&mut self, path: &Path) -> Result<(), String> {
        let named = following::named(path);
        self.show(named.clone());
        let from = self.position(&named.name, || place(path))?;
        self.following.start(path, from, named, &self.current, &self.sender)
    }

    /// A source whose counters are shown.
    pub fn show(&mut self, source: Named) {
        self.sources.push(source);
    }

    /// Runs until it is told to stop. `program evaluate` evaluates scripts.
    ///
    /// # Errors
    /// When the journal can't be written any more: what is not on the disk is not acted on.
    pub(super) fn run(self, program: PathBuf, pulse: Pulse) -> Result<(), String> {
        let Thread { begin, files, current, mut journal, id, clock, changed, inbox, sender, sources, following } = self;
        let Begin { good, written, number, reset, earlier, refused, folders } = begin;
        let Good { site, config } = good;
        let mut outputs = Vec::new();
        let state = journal.take_state();
        let controller =
            Controller::start(id, site.program.clone(), site.inventory.clone(), verbs::again, state, clock.now(), &mut outputs);
        let mut running = Running {
            site: site.clone(),
            sets: BTreeMap::new(),
            current,
            reloading: Reloading::new(files, written.clone(), config.clone(), refused),
            journal,
            clock,
            controller,
            program,
            routes: BTreeMap::new(),
            inbox: sender,
            sources,
            following,
            journaled: Journaled::default(),
            id,
            own: Vec::new(),
            own_events: Own::default(),
            dirty_since: None,
            last_notice: (Notice::default(), 0),
            pulse,
        };
        for (number, site) in earlier {
            let set = running.set_of(site)?;
            running.sets.insert(number, set);
        }
        if number.is_none() {
            // It was decided that nothing is left on a host by it.
            let reload = reload_of(&site, written, reset, true);
            running.controller.turn(running.clock.now(), Input::Reload(Box::new(reload)), &mut outputs);
        }
        let number = running.controller.rules();
        let set = running.set_of(site.clone())?;
        running.sets.insert(number, set);
        running.current.exchange(number, site);
        if let Some(why) = &running.reloading.refused {
            let text = format!("the files are not taken over, and what was accepted last runs: {why}");
            outputs.push(Output::Notice(Notice { kind: "reload_refused".to_owned(), text, ..Notice::default() }));
        }
        outputs.extend(changed.map(clock_changed));
        running.own = running.following.unfollowed(running.controller.alarms().away());
        running.watch(config.reload, &folders);
        running.carry_out(outputs)?;
        running.run(&inbox)
    }
}

impl Running {
    fn run(&mut self, inbox: &Receiver<Message>) -> Result<(), String> {
        loop {
            let sync_at = self.dirty_since.map(|at| at + SYNC_WITHIN);
            let due = self.controller.next_deadline().into_iter().chain(sync_at).min();
            let wait = due.map_or(ALIVE, |due| due.since(self.clock.now())).min(ALIVE);
            let wait = if self.own.is_empty() { wait } else { Duration::ZERO };
            self.pulse.beat();
            self.following.look();
            let mut outputs = Vec::new();
            let mut next = match inbox.recv_timeout(wait) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Message::Stop),
            };
            let mut taken = 0;
            while let Some(message) = next {
                match message {
                    Message::Stop => {
                        self.carry_out(outputs)?;
                        return self.sync();
                    }
                    Message::Failed(why) => {
                        self.carry_out(outputs)?;
                        self.sync()?;
                        return Err(why);
                    }
                    message => self.take(message, &mut outputs),
                }
                taken += 1;
                next = if taken < AT_ONCE { inbox.try_recv().ok() } else { None };
            }
            let now = self.clock.now();
            for finding in self.journal.take_findings() {
                outputs.push(Output::Notice(Notice { kind: finding.kind.to_owned(), text: finding.text, ..Notice::default() }));
            }
            for input in std::mem::take(&mut self.own) {
                self.controller.turn(now, input, &mut outputs);
            }
            if self.controller.next_deadline().is_some_and(|at| at <= now) {
                self.controller.turn(now, Input::Timer, &mut outputs);
            }
            self.carry_out(outputs)?;
            self.follow_clock()?;
            self.begin_to_follow(taken < AT_ONCE)?;
            if self.dirty_since.is_some_and(|at| at + SYNC_WITHIN <= self.clock.now()) {
                self.sync()?;
            }
        }
    }

    fn take(&mut self, message: Message, outputs: &mut Vec<Output>) {
        match message {
            Message::Input(input) if self.following.is_over(&input) => {}
            Message::Input(input) => self.controller.turn(self.clock.now(), input, outputs),
            Message::Reached { host, serial, route } => {
                tracing::info!(%host, "the agent is connected");
                self.routes.insert(host, (serial, route));
            }
            Message::Gone { host, serial } => {
                if self.routes.get(&host).is_some_and(|(now, _)| *now == serial) {
                    tracing::warn!(%host, "the agent's connection is gone");
                    self.routes.remove(&host);
                }
            }
            Message::Ask(_, Question::Reload { check, abandon }, reply) => {
                self.reload(Trigger::Command { check, abandon, reply });
            }
            Message::Reload(trigger) => self.reload(trigger),
            Message::Reread(attempt) => self.reread(*attempt, outputs),
            Message::Ask(by, question, reply) => {
                let answer = self.answer(by, question, outputs);
                let _ = reply.try_send(answer);
            }
            Message::Notice(notice) => outputs.push(Output::Notice(notice)),
            Message::Stop | Message::Failed(_) => {}
        }
    }

    /// Where a source was read up to.
    pub(super) fn position(&self, source: &str) -> Option<Position> {
        self.journal.state().positions.get(source).copied()
    }

    pub(super) fn sync(&mut self) -> Result<(), String> {
        self.dirty_since = None;
        self.journal.sync().map_err(|e| e.to_string())
    }

    /// Everything is on the disk before the first thing leaves.
    pub(super) fn carry_out(&mut self, outputs: Vec<Output>) -> Result<(), String> {
        // Evaluating does nothing in the world: it begins while the disk works.
        for output in &outputs {
            if let Output::Evaluate(run) = output {
                self.evaluate(*run);
            }
        }
        let mut leaves = false;
        for output in &outputs {
            match output {
                Output::Record(record) => {
                    self.journal.append(record).map_err(|e| e.to_string())?;
                    self.dirty_since.get_or_insert(self.clock.now());
                }
                Output::Evaluate(_) => {}
                Output::Send(..) | Output::Do { .. } => leaves = true,
                Output::Step(_) | Output::Notice(_) | Output::Settled(..) => {}
            }
        }
        if leaves && self.journal.is_dirty() {
            self.sync()?;
        }
        self.drop_sets();
        // People are told after the hosts are.
        let mut told = Vec::new();
        for output in outputs {
            match output {
                Output::Record(_) | Output::Evaluate(_) => {}
                Output::Send(host, command) => {
                    // What does not arrive is said again when the next report shows that.
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
                    effects::perform(self.site_of(run).inventory.clone(), step, done);
                }
                Output::Step(_) | Output::Notice(_) | Output::Settled(..) => told.push(output),
            }
        }
        for output in told {
            match self.own_events.heard(self.clock.now(), &output, &self.site.matcher, self.controller.rules()) {
                OwnHeard::Input(input) => self.own.push(input),
                OwnHeard::Withheld(notice) => self.notice(&notice)?,
                OwnHeard::Nothing => {}
            }
            match output {
                Output::Step(step) => {
                    let text = format!("{} {} {} ({})", step.resource, step.verb, step.host, step.generation);
                    tracing::info!("{text}");
                    let (resource, host) = (Some(step.resource.clone()), Some(step.host.clone()));
                    self.record_notice(&Notice { kind: "step".to_owned(), text, resource, host, ..Notice::default() })?;
                }
                Output::Notice(notice) => self.notice(&notice)?,
                _ => {}
            }
        }
        Ok(())
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
        if let Err(run) = set.evaluators.evaluate(task) {
            let next = Next::Failed("too many scripts wait to be evaluated".to_owned());
            self.own.push(Input::Evaluated { run, next });
        }
    }

    /// The site that a run was bound by.
    fn site_of(&self, run: u64) -> &Arc<Site> {
        let rules = self.controller.runs().run(run).map(|r| r.bound.rules);
        rules.and_then(|rules| self.sets.get(&rules)).map_or(&self.site, |set| &set.site)
    }

    /// A site with what evaluates its scripts.
    pub(super) fn set_of(&self, site: Arc<Site>) -> Result<Set, String> {
        let inbox = self.inbox.clone();
        let answer = move |run, next| {
            inbox.send(Input::Evaluated { run, next });
        };
        let evaluators = Evaluators::start(self.program.clone(), &site, answer);
        Ok(Set { evaluators: evaluators.map_err(|e| format!("scripts can't be evaluated: {e}"))?, site })
    }

    /// Earlier sets that no run needs any more are let go.
    fn drop_sets(&mut self) {
        if self.sets.len() > 1 {
            let (now, runs) = (self.controller.rules(), self.controller.runs());
            self.sets.retain(|number, _| *number == now || runs.needs(*number));
        }
    }

    fn notice(&mut self, notice: &Notice) -> Result<(), String> {
        // What came in a log is in the text, too.
        let mut text = printable(&notice.text);
        // The same again and again is told at the tenth, the hundredth, the thousandth time.
        let same = self.last_notice.0 == *notice;
        self.last_notice = (notice.clone(), if same { self.last_notice.1 + 1 } else { 1 });
        match self.last_notice.1 {
            1 => {}
            times if times == 10u64.pow(times.ilog10()) => {
                text.push_str(&format!(" ({times} times now)"));
            }
            _ => return Ok(()),
        }
        match notice.kind.as_str() {
            "log" | "catch_up" | "dry" | "certificate_good" | "reloaded" => tracing::info!(kind = notice.kind, "{text}"),
            _ => tracing::warn!(kind = notice.kind, "{text}"),
        }
        // What scripts log stands in the journal as the step that it is.
        if notice.kind == "log" {
            return Ok(());
        }
        self.record_notice(&Notice { text, ..notice.clone() })
    }

    /// Appends what people were notified of to the journal, unless there is too much of it; how much that was follows.
    fn record_notice(&mut self, notice: &Notice) -> Result<(), String> {
        let now = self.clock.now();
        for notice in self.journaled.take(now, notice) {
            self.journal.append(&Record::Notice(notice)).map_err(|e| e.to_string())?;
            self.dirty_since.get_or_insert(now);
        }
        Ok(())
    }

    /// When somebody set the wall clock, the engine's time follows: the state is folded again with its times moved, as at a start.
    fn follow_clock(&mut self) -> Result<(), String> {
        let Some(by) = self.clock.changed() else { return Ok(()) };
        let words = |e: crate::store::Error| e.to_string();
        self.clock.change(by);
        let now = self.clock.now();
        let record = Record::Input { order: self.journal.state().order + 1, at: now, input: journal::Input::ClockChanged { by } };
        self.journal.append(&record).map_err(words)?;
        self.sync()?;
        let state = self.journal.fold_again().map_err(words)?;
        let mut outputs = vec![clock_changed(by)];
        let (program, inventory) = (self.site.program.clone(), self.site.inventory.clone());
        self.controller = Controller::start(self.id, program, inventory, verbs::again, state, now, &mut outputs);
        self.controller.match_by(self.site.matcher.clone());
        // What sources had kept was read long ago.
        self.own.extend(self.sources.iter().map(|s| Input::BacklogEnded { source: s.name.clone() }));
        self.carry_out(outputs)
    }

    fn answer(&mut self, by: String, question: Question, outputs: &mut Vec<Output>) -> Answer {
        let connected = self.routes.keys().collect();
        let desk = Desk { site: &self.site, controller: &self.controller, connected, sources: &self.sources };
        match desk.reply(question)? {
            Reply::Shown(table) => Ok(table),
            Reply::Synced => {
                let before = std::mem::take(outputs);
                self.carry_out(before)?;
                self.sync()?;
                Ok(Json::Null)
            }
            Reply::Asked(word) => {
                self.controller.turn(self.clock.now(), Input::Operator { by, word }, outputs);
                Ok(Json::Null)
            }
        }
    }
}

pub(super) fn retention(limits: JournalLimits) -> Retention {
    Retention { age: limits.keep, bytes: limits.size }
}

/// What people are notified of when the clock was set.
fn clock_changed(by: i64) -> Output {
    let span = duration_text(Duration::from_secs((by.unsigned_abs() + 500_000) / 1_000_000));
    let way = if by < 0 { "back" } else { "forward" };
    let text = format!(
        "the wall clock was set {way} by {span}: the engine's time follows, and what was due stays due after the same time"
    );
    Output::Notice(Notice { kind: "clock_changed".to_owned(), text, ..Notice::default() })
}
