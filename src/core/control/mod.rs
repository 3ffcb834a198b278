//! The controller, pure: the engine, the runs and the planner as one state machine.
//!
//! ```text
//!   events that a rule wants --+                                        +--> Record   (journaled; synced before what leaves)
//!   reports of agents ---------+--> turn: engine -> runs -> planner ----+--> Evaluate (a script's next step is wanted)
//!   evaluations, results ------+                                        +--> Do       (an effect: a command)
//!                                                                       +--> Deliver  (a notification, by a channel)
//!   operators, time -----------+                                        +--> Send     (a command to an agent)
//!                                                                       +--> Step, Notice (for people)
//! ```
//!
//! The shell carries outputs out in sequence, and syncs the journal before the first output that leaves the process. The same
//! controller runs live, in the simulator and in dry runs; nothing in it knows which. It does not know sockets, files, clocks, or
//! how a script is evaluated. Tests: `sim`, `replay`, `tests/it`.

mod claims;
mod doubt;
mod notifications;
mod overrides;
mod recorded;
mod reload;
mod reported;
mod self_events;
mod sources;
mod steps;
mod time;
mod vacancy;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::engine::{self, Engine};
use crate::core::event::{Event, Stale, Trust};
use crate::core::inventory::{Inventory, Name};
use crate::core::journal::{self, Position, Record, State};
use crate::core::lang::Matcher;
use crate::core::lang::program::{Hit, Program};
use crate::core::notice::{Kind, Notice};
use crate::core::notifications::{Delivery, Notifier, Undelivered};
use crate::core::overrides::Override;
use crate::core::plan::{self, Accepted, Intent, IntentVerb, Planner};
use crate::core::react::{self, RunId, Runs};
use crate::core::script::{Next, Step, StepResult};
use crate::core::wire::{Command, Report};

pub use overrides::AlarmMarks;
pub use reload::{NewSite, what_is_left};
pub use self_events::{SelfEvent, SelfEvents};
use steps::WaitingStep;

/// A record of a log that a rule wants, or that is a claim.
#[derive(Clone, Debug, Default)]
pub struct LogEvent {
    pub source: String,
    /// Where the source continues to be read after this event.
    pub position: Position,
    pub event: Event<'static>,
    /// The conditions that the event matches.
    pub hits: Vec<Hit>,
    /// The number of the rules that these conditions belong to. If the controller has other rules, it finds the conditions again.
    pub rules: u64,
    /// The event comes from a backlog: it was written while the controller did not listen.
    pub backlog: bool,
    /// When the source read its bytes; `None` means now. The time that it waits for the controller after that does not make it
    /// late.
    pub arrived: Option<Time>,
    /// Why the event may start nothing: it arrived late.
    pub late: Option<Stale>,
}

impl LogEvent {
    /// The memory that the event takes, in bytes, roughly.
    pub fn weight(&self) -> usize {
        let captures =
            |hit: &Hit| hit.captures.iter().map(|(name, value)| size_of::<String>() + name.len() + value.weight()).sum::<usize>();
        let hits: usize = self.hits.iter().map(|hit| size_of::<Hit>() + captures(hit)).sum();
        size_of::<Self>() + self.event.weight() + hits
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorCommand {
    /// Move the resource to the host.
    Move {
        resource: Name,
        host: Name,
    },
    /// Confirm that the host certainly does not hold the resource.
    Released {
        resource: Name,
        host: Name,
    },
    Resume {
        resource: Name,
    },
    /// Clear an alarm, for one key or for all keys.
    Clear {
        alarm: String,
        /// The key, as shown.
        key: Option<String>,
        /// The reason, if one was given.
        reason: Option<String>,
    },
    /// Acknowledge an alarm, for one key or for all keys.
    Ack {
        alarm: String,
        /// The key, as shown.
        key: Option<String>,
        by: String,
        comment: Option<String>,
        /// How long; `None` means until the alarm ends.
        lasts: Option<Duration>,
    },
    /// Write a comment on an alarm, for one key or for all keys.
    Comment {
        alarm: String,
        /// The key, as shown.
        key: Option<String>,
        text: String,
    },
    /// Raise an alarm as a test, as if by this application. Everything that follows is done, and marked as a test.
    Test {
        alarm: String,
        app: Name,
        /// Further fields of its event.
        fields: BTreeMap<String, String>,
    },
    /// End this run at once.
    Cancel {
        run: RunId,
    },
    /// Start a failed run again.
    Retry {
        run: RunId,
    },
    /// Approve a run that waits for approval.
    Approve {
        run: RunId,
    },
    /// Send a test notification by a channel.
    TestChannel {
        channel: Name,
    },
    /// Continue without the records that the journal lost.
    AcceptLoss {
        /// Why that is right.
        reason: String,
    },
    /// Begin a pause, a silence, maintenance or a drain.
    Begin {
        what: Override,
        /// How long; `None` means until a command ends it.
        lasts: Option<Duration>,
        reason: String,
    },
    /// End a pause, a silence, maintenance or a drain.
    End {
        what: Override,
    },
}

/// An input of the controller.
#[derive(Clone, Debug)]
pub enum Input {
    Heard(Box<LogEvent>),
    /// A source was read up to here, and no rule wants anything of that part.
    Position {
        source: String,
        /// Where it continues to be read.
        position: Position,
    },
    /// A file of a pattern is gone, and will not be read any more.
    Forget {
        source: String,
    },
    /// The backlog of a source has been read. Reported once after each start, even if there was no backlog.
    BacklogEnded {
        source: String,
    },
    /// A source can't be read, or can be read again.
    Source {
        source: String,
        away: Option<String>,
    },
    /// Records of a source may be lost.
    Gap {
        source: String,
        /// Which records, why, and what to do.
        text: String,
    },
    /// How far the records of a sender are usually behind their arrival.
    Offset {
        source: String,
        /// The host, as its records name it; empty if they name none.
        host: String,
        /// How far the sender is trusted.
        trust: Trust,
        /// The usual age of its records, in microseconds; negative if they are ahead.
        usual: i64,
        /// The part of it that is a time zone, which the stamps do not contain and which was found for them.
        zone: i64,
    },
    Report(Report),
    /// An agent has a new connection. Everything that it reported by an earlier connection has arrived.
    Connected(Name),
    /// The next step of a script, requested by [`Output::Evaluate`].
    Evaluated {
        run: RunId,
        next: Next,
    },
    /// The result of an effect, requested by [`Output::Do`].
    Done {
        run: RunId,
        /// The number of the step.
        n: u32,
        attempt: u32,
        result: StepResult,
    },
    /// The result of an attempt to deliver a notification, requested by [`Output::Deliver`].
    Delivered {
        channel: Name,
        /// The number of the notification.
        id: u64,
        attempt: u32,
        result: Result<(), Undelivered>,
    },
    Operator {
        /// Who the operator is, as far as that is known.
        by: String,
        word: OperatorCommand,
    },
    /// Somebody asked for something that the configuration does not allow.
    Refused {
        /// Who the operator is, as far as that is known.
        by: String,
        /// The command, as on the command line.
        command: String,
        /// Why it was refused.
        why: String,
    },
    /// Another configuration, other rules and scripts, which were checked as a whole.
    Reload(Box<NewSite>),
    Timer,
}

/// What the controller wants done. The sequence of outputs matters.
#[derive(Clone, Debug)]
pub enum Output {
    /// Write this to the journal, and sync it before the first output that leaves the process.
    Record(Record),
    /// Evaluate the run's script with its history, and report the next step.
    Evaluate(RunId),
    /// Do this step of a run, and report its result.
    Do {
        run: RunId,
        /// The number of the attempt; the result names it.
        attempt: u32,
        step: Step,
    },
    /// Deliver a notification by its channel, and report the result.
    Deliver(Box<Delivery>),
    /// Send this command to a host's agent.
    Send(Name, Command),
    /// A step of a move, for the timeline.
    Step(plan::MoveStep),
    /// The resource is settled on this host: the desired owner holds it and no other host does.
    Settled(Name, Name),
    /// Something that people should know.
    Notice(Notice),
}

#[derive(Clone, Debug)]
pub struct Controller {
    inventory: Arc<Inventory>,
    engine: Engine,
    runs: Runs,
    planner: Planner,
    notifier: Notifier,
    order: u64,
    waiting: Vec<WaitingStep>,
    /// The number of the rules, in the sequence in which rules were accepted; 0 if they never were.
    rules: u64,
    /// After a reload: finds the conditions of events that were matched by earlier rules.
    matcher: Option<Arc<Matcher>>,
    /// What agents report besides resources.
    reported: reported::Reported,
    /// Sequences of claims to evaluate: either a run carries a claim out, or the controller does.
    claims_due: BTreeSet<u64>,
    /// Pairs whose roles may have changed.
    roles_due: BTreeSet<Name>,
    /// Pairs without a primary.
    vacancies: BTreeMap<Name, vacancy::Vacancy>,
    /// The id by which agents know this controller.
    id: u64,
    /// Whether the journal may be acted on.
    trust: doubt::Confidence,
    /// The pauses, silences, maintenance and drains in force.
    overrides: overrides::Overrides,
}

/// What one part of the controller owes another within a turn.
enum Task {
    Engine(engine::Input),
    Alarmed(engine::Output),
    Runs(react::Input),
    Ran(react::Output),
    Planned(plan::Output),
}

impl Controller {
    /// A controller that starts now with the state from the journal. `id` is the id by which agents know it.
    pub fn start(
        id: u64,
        program: Arc<Program>,
        inventory: Arc<Inventory>,
        state: State,
        now: Time,
        out: &mut Vec<Output>,
    ) -> Controller {
        let (mut ran, mut planned, mut alarmed) = (Vec::new(), Vec::new(), Vec::new());
        let rules = state.newest_accepted().map_or(0, |(number, _)| number);
        let mut controller = Controller {
            engine: Engine::start(program.clone(), inventory.clone(), state.alarms),
            runs: Runs::start(program.clone(), inventory.clone(), state.runs, &mut ran),
            planner: Planner::start(id, &inventory, state.ledger, now, &mut planned),
            notifier: Notifier::start(id, program.clone(), inventory.clone(), state.notify),
            inventory,
            order: state.order,
            waiting: Vec::new(),
            rules,
            matcher: None,
            reported: reported::Reported::default(),
            claims_due: BTreeSet::new(),
            roles_due: BTreeSet::new(),
            vacancies: BTreeMap::new(),
            id,
            trust: doubt::Confidence::new(state.doubt),
            overrides: overrides::Overrides::new(state.overrides),
        };
        controller.begin_claims();
        controller.all_roles_changed();
        controller.runs.reload(rules, program, controller.inventory.clone());
        let order = controller.input(now, journal::Input::Start, out);
        controller.begin_in_doubt(now, out);
        controller.begin_overrides(now, out);
        controller.engine.begin(now, order, &mut alarmed);
        let mut tasks: VecDeque<Task> = planned.into_iter().map(Task::Planned).collect();
        tasks.extend(alarmed.into_iter().map(Task::Alarmed));
        tasks.extend(ran.into_iter().map(Task::Ran));
        controller.begin_notifications(now, out);
        controller.work(now, tasks, out);
        controller
    }

    /// Takes one input. Deadlines before `now` are handled first, each at its own time.
    pub fn turn(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        self.catch_up_with(now, out);
        let task = match input {
            Input::Heard(heard) => {
                let LogEvent { source, position, event, hits, rules, backlog, arrived, late } = *heard;
                let hits = self.hits_now(&event, hits, rules);
                let kept = journal::Input::Event { source: source.clone(), position, event: Box::new(event.kept()) };
                let order = self.input(now, kept, out);
                Task::Engine(engine::Input::Arrived {
                    order,
                    source,
                    event: Box::new(event),
                    hits,
                    backlog,
                    arrived: arrived.map_or(now, |at| at.min(now)),
                    late,
                })
            }
            Input::Position { source, position } => {
                self.input(now, journal::Input::Position { source, position }, out);
                return;
            }
            Input::Forget { source } => {
                self.input(now, journal::Input::Forget { source }, out);
                return;
            }
            Input::BacklogEnded { source } => {
                let order = self.input(now, journal::Input::BacklogEnded { source: source.clone() }, out);
                Task::Engine(engine::Input::BacklogEnded { order, source })
            }
            Input::Source { source, away } => return self.source(now, source, away, out),
            Input::Gap { source, text } => {
                let notice = Notice { source: Some(source), ..Notice::new(Kind::RecordsLost, text) };
                return out.push(Output::Notice(notice));
            }
            Input::Offset { source, host, trust, usual, zone } => {
                let order = self.input(now, journal::Input::Offset { source: source.clone() }, out);
                Task::Engine(engine::Input::Offset { order, source, host, trust, usual, zone })
            }
            Input::Connected(host) => {
                self.reported.connected(&host);
                self.plan(now, plan::Input::Connected(host), out);
                return self.work(now, VecDeque::new(), out);
            }
            Input::Report(mut report) => {
                if !self.compare(now, &report, out) {
                    return;
                }
                let host = report.host.clone();
                let of_host = self.reported.take(&mut report);
                self.plan(now, plan::Input::Report(report), out);
                self.heard_of(now, &host, out);
                // The news that a host is back comes before what runs on it.
                let tasks = of_host.map(|of_host| self.of_host(now, of_host, out)).unwrap_or_default();
                return self.work(now, tasks.into(), out);
            }
            Input::Evaluated { run, next } => Task::Runs(react::Input::Evaluated { run, next }),
            Input::Done { run, n, attempt, result } => Task::Runs(react::Input::Answered { run, n, attempt, result }),
            Input::Delivered { channel, id, attempt, result } => {
                self.delivered(now, &channel, (id, attempt), result, out);
                return self.work(now, VecDeque::new(), out);
            }
            Input::Operator { by, word } => return self.operator(now, &by, word, out),
            Input::Refused { by, command, why } => {
                self.input(now, journal::Input::CommandRefused { by, command, why }, out);
                return;
            }
            Input::Reload(reload) => return self.reload(now, *reload, out),
            Input::Timer => {
                if self.planner.next_deadline().is_some_and(|at| at <= now) {
                    self.plan(now, plan::Input::Timer, out);
                }
                return self.work(now, VecDeque::new(), out);
            }
        };
        self.work(now, VecDeque::from([task]), out);
    }

    /// When [`Input::Timer`] is due next.
    pub fn next_deadline(&self) -> Option<Time> {
        self.planner.next_deadline().into_iter().chain(self.next_wake()).min()
    }

    /// When [`Input::Timer`] is due next if every host continues to report.
    pub fn next_wake(&self) -> Option<Time> {
        let alarms = self.engine.next_deadline();
        let runs = self.runs.next_deadline();
        let waiting = self.waiting.iter().map(|w| w.until).min();
        let told = self.notifier.next_deadline();
        [alarms, runs, self.planner.next_wake(), waiting, self.next_vacancy(), told, self.overrides.next_end()]
            .into_iter()
            .flatten()
            .min()
    }

    /// A host is lost, or heard again, as a journal recorded it: a replay of that journal has no reports from which to conclude it.
    pub fn record_lost(&mut self, now: Time, host: Name, lost: bool, out: &mut Vec<Output>) {
        self.catch_up_with(now, out);
        let mut tasks = VecDeque::new();
        self.planned(now, plan::Output::Lost(host, lost), &mut tasks, out);
        self.work(now, tasks, out);
    }

    /// Keeps the reasons of the engine's decisions from now on, for `explain`.
    pub fn trace(&mut self, trace: engine::Trace) {
        self.engine.trace(Some(trace));
    }

    /// The decisions since the last call.
    pub fn take_traced(&mut self) -> Vec<engine::TracedDecision> {
        self.engine.take_traced()
    }

    pub fn alarms(&self) -> &engine::State {
        self.engine.state()
    }

    /// The runs that have not ended.
    pub fn runs(&self) -> &react::State {
        self.runs.state()
    }

    pub fn planner(&self) -> &Planner {
        &self.planner
    }

    /// The notifier: routes, and notifications that were not delivered yet.
    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// Writes an input to the journal and gives it its sequence.
    fn input(&mut self, at: Time, input: journal::Input, out: &mut Vec<Output>) -> u64 {
        self.order += 1;
        out.push(Output::Record(Record::Input { order: self.order, at, input }));
        self.order
    }

    /// Works on what the parts owe each other until nothing is owed.
    fn work(&mut self, now: Time, mut tasks: VecDeque<Task>, out: &mut Vec<Output>) {
        loop {
            while let Some(task) = tasks.pop_front() {
                // What follows from a task is done before what waits: the consequences of one cause come before the next cause.
                let mut owed = VecDeque::new();
                match task {
                    Task::Engine(input) => {
                        let mut outputs = Vec::new();
                        self.engine.turn(now, input, &mut outputs);
                        owed.extend(outputs.into_iter().map(Task::Alarmed));
                    }
                    Task::Alarmed(output) => self.alarmed(now, output, &mut owed, out),
                    Task::Runs(input) => {
                        let mut outputs = Vec::new();
                        self.runs.turn(now, input, &mut outputs);
                        owed.extend(outputs.into_iter().map(Task::Ran));
                    }
                    Task::Ran(output) => self.ran(now, output, &mut owed, out),
                    Task::Planned(output) => self.planned(now, output, &mut owed, out),
                }
                owed.append(&mut tasks);
                tasks = owed;
            }
            tasks.extend(self.settled(now));
            if tasks.is_empty() {
                tasks = self.carry_out_claims(now, out);
            }
            if tasks.is_empty() {
                self.look_at_roles(now, out);
                return self.notifications_due(now, out);
            }
        }
    }

    fn alarmed(&mut self, now: Time, output: engine::Output, owed: &mut VecDeque<Task>, out: &mut Vec<Output>) {
        match output {
            engine::Output::Record(record) => {
                match &record {
                    engine::Record::Claimed { app, .. } => {
                        self.roles_due.extend(self.inventory.pair_of(app).map(|(pair, _)| pair.clone()));
                    }
                    engine::Record::Lost { .. } => self.all_roles_changed(),
                    _ => {}
                }
                let told = self.observed(now, &record);
                out.push(Output::Record(Record::Alarm(record)));
                notifications::notified(told, out);
            }
            engine::Output::ClaimOwed(order) => self.claim_is_owed(order),
            engine::Output::StartReactions(start) => {
                let start = self.allowed_reactions(now, start, out);
                owed.extend(start.map(|start| Task::Runs(react::Input::StartReactions(start))));
            }
            engine::Output::CatchUp { pair, resource, host, order, written } => {
                self.catch_up(now, claims::Late { pair, resource, host, order, written }, owed, out);
            }
            engine::Output::Notice(notice) => out.push(Output::Notice(notice)),
        }
    }

    fn ran(&mut self, now: Time, output: react::Output, owed: &mut VecDeque<Task>, out: &mut Vec<Output>) {
        match output {
            react::Output::Record(record) => out.push(Output::Record(Record::Run(record))),
            react::Output::ClaimRun { order, well } => self.claim_run_ended(order, well, owed),
            react::Output::Evaluate(run) => out.push(Output::Evaluate(run)),
            react::Output::Do { run, attempt, step } => self.step(now, run, attempt, step, owed, out),
            react::Output::Notice(notice) => out.push(Output::Notice(notice)),
        }
    }

    fn planned(&mut self, now: Time, output: plan::Output, owed: &mut VecDeque<Task>, out: &mut Vec<Output>) {
        match output {
            plan::Output::Record(record) => out.push(Output::Record(Record::Plan(record))),
            plan::Output::Send(host, command) => out.push(Output::Send(host, command)),
            plan::Output::Step(step) => out.push(Output::Step(step)),
            plan::Output::Notice(notice) => out.push(Output::Notice(notice)),
            plan::Output::Settled(resource, host) => {
                if self.without_primary(&resource).is_none() {
                    out.push(Output::Settled(resource, host));
                }
            }
            plan::Output::Lost(host, lost) if self.engine.state().is_lost(&host) == lost => {}
            plan::Output::Lost(host, lost) => {
                let text = if lost { format!("{host} sends no reports") } else { format!("{host} sends reports again") };
                let kind = if lost { Kind::HostLost } else { Kind::HostBack };
                out.push(Output::Notice(Notice { host: Some(host.clone()), ..Notice::new(kind, text) }));
                let kept = match lost {
                    true => journal::Input::HostLost { host: host.clone() },
                    false => journal::Input::HostHeard { host: host.clone() },
                };
                let order = self.input(now, kept, out);
                owed.push_back(Task::Engine(engine::Input::Lost { order, host, lost }));
            }
        }
    }

    fn plan(&mut self, now: Time, input: plan::Input, out: &mut Vec<Output>) {
        let (mut outputs, mut tasks) = (Vec::new(), VecDeque::new());
        self.planner.turn(now, input, &mut outputs);
        self.at_once(now, outputs, &mut tasks, out);
        self.work(now, tasks, out);
    }

    /// The planner's decision is journaled before it decides anything else, because the consequences within the turn may be a new
    /// intent.
    fn at_once(&mut self, now: Time, outputs: Vec<plan::Output>, owed: &mut VecDeque<Task>, out: &mut Vec<Output>) {
        for output in outputs {
            self.planned(now, output, owed, out);
        }
    }

    fn intend(&mut self, now: Time, intent: Intent, owed: &mut VecDeque<Task>, out: &mut Vec<Output>) -> Accepted {
        let mut outputs = Vec::new();
        let accepted = self.planner.intent(now, intent, &mut outputs);
        self.at_once(now, outputs, owed, out);
        accepted
    }

    fn operator(&mut self, now: Time, by: &str, word: OperatorCommand, out: &mut Vec<Output>) {
        let (command, of) = word.recorded();
        let kept = journal::Input::OperatorCommand { by: by.to_owned(), command: command.to_owned(), of };
        let order = self.input(now, kept, out);
        let mut tasks = VecDeque::new();
        match word {
            OperatorCommand::Move { resource, host } => {
                let (verb, at) = (IntentVerb::Up, Some(now));
                let intent = Intent { resource: resource.clone(), verb, host: host.clone(), order, operator: true, at };
                if self.intend(now, intent, &mut tasks, out) == Accepted::Unknown {
                    let text = format!("{resource} has no placement on {host}; see `pointsman resources`");
                    out.push(Output::Notice(Notice::new(Kind::Unknown, text)));
                }
            }
            OperatorCommand::Released { resource, host } => return self.plan(now, plan::Input::Released { resource, host }, out),
            OperatorCommand::Resume { resource } => return self.plan(now, plan::Input::Resume { resource }, out),
            OperatorCommand::Clear { alarm, key, reason } => {
                let key = self.shown(&alarm, key);
                let by = reason.map_or(by.to_owned(), |reason| format!("{by}: {reason}"));
                tasks.push_back(Task::Engine(engine::Input::Clear { order, alarm, key, by }));
            }
            OperatorCommand::Ack { alarm, key, by, comment, lasts } => {
                let key = self.shown(&alarm, key);
                tasks.push_back(Task::Engine(engine::Input::Ack { order, alarm, key, by, comment, lasts }));
            }
            OperatorCommand::Comment { alarm, key, text } => {
                let key = self.shown(&alarm, key);
                tasks.push_back(Task::Engine(engine::Input::Comment { order, alarm, key, by: by.to_owned(), text }));
            }
            OperatorCommand::Test { alarm, app, fields } => {
                let fields = test_fields(&fields);
                tasks.push_back(Task::Engine(engine::Input::Test { order, alarm, app, fields }));
            }
            OperatorCommand::Cancel { run } => tasks.push_back(Task::Runs(react::Input::Cancel { run, by: by.to_owned() })),
            OperatorCommand::Retry { run } => tasks.push_back(Task::Runs(react::Input::Retry { run })),
            OperatorCommand::Begin { what, lasts, reason } => {
                return self.begin_override(now, (order, by), what, (lasts, reason), out);
            }
            OperatorCommand::End { what } => return self.end_override(now, by, &what, out),
            OperatorCommand::AcceptLoss { reason } => return self.accept_loss(now, by, reason, out),
            OperatorCommand::TestChannel { channel } => self.test_channel(now, &channel, by, out),
            OperatorCommand::Approve { run } => tasks.push_back(Task::Runs(react::Input::Agree { run })),
        }
        self.work(now, tasks, out);
    }

    /// Checks whether an alarm can be raised as a test now.
    ///
    /// # Errors
    /// Why not, as a text that says what to add.
    pub fn may_be_tried(&self, alarm: &str, app: &str, fields: &BTreeMap<String, String>) -> Result<(), String> {
        self.engine.test_event(alarm, app, &test_fields(fields)).map(drop)
    }

    /// The key of the active instance with this text. If there is none, a key that no instance has.
    fn shown(&self, alarm: &str, key: Option<String>) -> Option<engine::Key> {
        key.map(|shown| self.engine.state().key_shown(alarm, &shown).cloned().unwrap_or_default())
    }
}

fn test_fields(given: &BTreeMap<String, String>) -> engine::Fields {
    let value = |text: &String| crate::core::event::Value::from(text.as_str()).into_owned();
    given.iter().map(|(name, text)| (name.clone(), value(text))).collect()
}
