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
//! The shell carries outputs out in their order, and syncs the journal before the first that leaves the process. The same
//! controller runs live, in the simulator and in dry runs; nothing in it knows which.
//! Does not know: sockets, files, clocks, how a script is evaluated. Tests: `sim`, `replay`, `tests/it`.

mod claims;
mod doubt;
mod notifications;
mod overrides;
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
    /// Where the source is read on after it.
    pub position: Position,
    pub event: Event<'static>,
    /// The conditions that it matches.
    pub hits: Vec<Hit>,
    /// The number of the rules whose conditions these are. By others they mean nothing, and are found again.
    pub rules: u64,
    /// It comes out of a backlog: it was written while nobody listened.
    pub backlog: bool,
    /// When the source read its bytes; `None`: now. How long it waits for the controller after that does not make it late.
    pub arrived: Option<Time>,
    /// Why it may start nothing: it came late.
    pub late: Option<Stale>,
}

impl LogEvent {
    /// Bytes of memory that it takes, roughly.
    pub fn weight(&self) -> usize {
        let captures =
            |hit: &Hit| hit.captures.iter().map(|(name, value)| size_of::<String>() + name.len() + value.weight()).sum::<usize>();
        let hits: usize = self.hits.iter().map(|hit| size_of::<Hit>() + captures(hit)).sum();
        size_of::<Self>() + self.event.weight() + hits
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorCommand {
    /// The resource goes to the host.
    Move {
        resource: Name,
        host: Name,
    },
    /// The host surely does not hold the resource.
    Released {
        resource: Name,
        host: Name,
    },
    Resume {
        resource: Name,
    },
    /// An alarm is cleared, of one key or of all.
    Clear {
        alarm: String,
        /// Which key, as shown.
        key: Option<String>,
        /// Why, where that was said.
        reason: Option<String>,
    },
    /// Somebody takes an alarm on, of one key or of all.
    Ack {
        alarm: String,
        /// Which key, as shown.
        key: Option<String>,
        by: String,
        comment: Option<String>,
        /// How long; `None`: until the alarm ends.
        lasts: Option<Duration>,
    },
    /// Somebody writes something about an alarm, of one key or of all.
    Comment {
        alarm: String,
        /// Which key, as shown.
        key: Option<String>,
        text: String,
    },
    /// An alarm is raised to be tried, as if by this application. Everything that comes of it is done, and marked as a test.
    Test {
        alarm: String,
        app: Name,
        /// What else its event says.
        fields: BTreeMap<String, String>,
    },
    /// A run is ended.
    Cancel {
        run: RunId,
    },
    /// A run that failed is started again.
    Retry {
        run: RunId,
    },
    /// A run that waits for a yes may go on.
    Approve {
        run: RunId,
    },
    /// A channel is tried.
    TestChannel {
        channel: Name,
    },
    /// The controller goes on without the records that the journal lost.
    AcceptLoss {
        /// Why that is right.
        reason: String,
    },
    /// Something is set aside: a pause, a silence, maintenance, a drain.
    Begin {
        what: Override,
        /// How long; `None`: until a command ends it.
        lasts: Option<Duration>,
        reason: String,
    },
    /// It is not set aside any more.
    End {
        what: Override,
    },
}

/// What the controller is told.
#[derive(Clone, Debug)]
pub enum Input {
    Heard(Box<LogEvent>),
    /// A source was read up to here without anything that a rule wants.
    Position {
        source: String,
        /// Where it is read on.
        position: Position,
    },
    /// A file of a pattern is gone, and will not be read on.
    Forget {
        source: String,
    },
    /// What a source had kept while nobody listened has been read. Told once after each start, also when there was nothing.
    BacklogEnded {
        source: String,
    },
    /// A source can't be read, or can be again.
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
        /// The host, as its records name it; empty where they name none.
        host: String,
        /// How far it is trusted.
        trust: Trust,
        /// The usual age of its records, in microseconds; negative when they are ahead.
        usual: i64,
        /// How much of it is a zone that the stamps do not say and that was found for them.
        zone: i64,
    },
    Report(Report),
    /// An agent is connected anew. What it reported by an earlier connection has all come.
    Connected(Name),
    /// A script's next step, asked for by [`Output::Evaluate`].
    Evaluated {
        run: RunId,
        next: Next,
    },
    /// How an effect ended, asked for by [`Output::Do`].
    Done {
        run: RunId,
        /// Number of the step.
        n: u32,
        attempt: u32,
        result: StepResult,
    },
    /// How an attempt to deliver a notification ended, asked for by [`Output::Deliver`].
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

/// What the controller wants done, in this order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Journal this; sync before the first output that leaves the process.
    Record(Record),
    /// Evaluate the run's script with its history, and tell what is next.
    Evaluate(RunId),
    /// Do this step of a run, and tell its result.
    Do {
        run: RunId,
        /// Which attempt; the result names it.
        attempt: u32,
        step: Step,
    },
    /// Deliver a notification by its channel, and tell how that ended.
    Deliver(Box<Delivery>),
    /// Send this to a host's agent.
    Send(Name, Command),
    /// A step of a move, for the timeline.
    Step(plan::MoveStep),
    /// A resource is where it should be and nowhere else: on this host.
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
    /// The number of the rules: the order in which they were accepted; 0 when they never were.
    rules: u64,
    /// Once they were reloaded: finds the conditions of events that were matched by earlier ones.
    matcher: Option<Arc<Matcher>>,
    /// What came of agents' reports beside resources.
    reported: reported::Reported,
    /// Orders of claims that have to be looked at: whether a run carries them out, or we do.
    claims_due: BTreeSet<u64>,
    /// Pairs whose roles may have changed.
    roles_due: BTreeSet<Name>,
    /// Pairs without a primary.
    vacancies: BTreeMap<Name, vacancy::Vacancy>,
    /// What agents know it by.
    id: u64,
    /// Whether the journal is to be acted on.
    trust: doubt::Confidence,
    /// What operators set aside.
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
    /// A controller that starts now with what the journal folded to. `id` is what agents know it by.
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

    /// Takes one input. Deadlines that passed before `now` are handled first, each at its own time.
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
                // That a host is back goes before what runs on it.
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

    /// When [`Input::Timer`] is due next although every host goes on reporting.
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

    /// Keeps the reasons of the engine's decisions from now on: for people who ask why.
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

    /// What people are told, and what was not delivered yet.
    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// Journals an input and gives it its order.
    fn input(&mut self, at: Time, input: journal::Input, out: &mut Vec<Output>) -> u64 {
        self.order += 1;
        out.push(Output::Record(Record::Input { order: self.order, at, input }));
        self.order
    }

    /// Does what the parts owe each other until nothing is owed.
    fn work(&mut self, now: Time, mut tasks: VecDeque<Task>, out: &mut Vec<Output>) {
        loop {
            while let Some(task) = tasks.pop_front() {
                // What comes of a task is done before what waits: causes before later causes.
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
                let text = if lost { format!("nothing is heard of {host}") } else { format!("{host} is heard again") };
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

    /// What the planner decided is journaled before it decides anything else: what follows from it within the turn may be a new intent.
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
                let intent =
                    Intent { resource: resource.clone(), verb: IntentVerb::Up, host: host.clone(), order, operator: true };
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

    /// Why an alarm can't be tried now.
    ///
    /// # Errors
    /// In words, with what to add.
    pub fn may_be_tried(&self, alarm: &str, app: &str, fields: &BTreeMap<String, String>) -> Result<(), String> {
        self.engine.test_event(alarm, app, &test_fields(fields)).map(drop)
    }

    /// The key of an active alarm that is shown so; of one that is not active, a key that nothing has.
    fn shown(&self, alarm: &str, key: Option<String>) -> Option<engine::Key> {
        key.map(|shown| self.engine.state().key_shown(alarm, &shown).cloned().unwrap_or_default())
    }
}

fn test_fields(given: &BTreeMap<String, String>) -> engine::Fields {
    let value = |text: &String| crate::core::event::Value::from(text.as_str()).into_owned();
    given.iter().map(|(name, text)| (name.clone(), value(text))).collect()
}
