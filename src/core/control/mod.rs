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
mod input;
mod notifications;
mod operator;
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

use crate::core::base::time::Time;
use crate::core::engine::{self, Engine};
use crate::core::inventory::{Inventory, Name};
use crate::core::journal::{self, Record, State};
use crate::core::lang::Matcher;
use crate::core::lang::program::Program;
use crate::core::notice::{Kind, Notice};
use crate::core::notifications::{Delivery, Notifier};
use crate::core::plan::{self, Accepted, Intent, Planner};
use crate::core::react::{self, RunId, Runs};
use crate::core::script::Step;
use crate::core::wire::Command;

pub use input::{Input, LogEvent};
pub use operator::OperatorCommand;
pub use overrides::AlarmMarks;
pub use reload::{NewSite, what_is_left};
pub use self_events::{SelfEvent, SelfEvents};
use steps::WaitingStep;

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

/// The engine, the runs, the planner and the notifier, with what connects them.
#[derive(Clone, Debug)]
pub struct Controller {
    inventory: Arc<Inventory>,
    engine: Engine,
    runs: Runs,
    planner: Planner,
    notifier: Notifier,
    sequence: u64,
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

/// What one part of the controller passes to another within a turn: an input for it, or an output of it.
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
            sequence: state.sequence,
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
        let sequence = controller.input(now, journal::Input::Start, out);
        controller.begin_in_doubt(now, out);
        controller.begin_overrides(now, out);
        controller.engine.begin(now, sequence, &mut alarmed);
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
            Input::Event(log_event) => {
                let LogEvent { source, position, event, hits, rules, backlog, arrived, late } = *log_event;
                let hits = self.hits_now(&event, hits, rules);
                let kept = journal::Input::Event { source: source.clone(), position, event: Box::new(event.kept()) };
                let sequence = self.input(now, kept, out);
                Task::Engine(engine::Input::Arrived {
                    sequence,
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
                let sequence = self.input(now, journal::Input::BacklogEnded { source: source.clone() }, out);
                Task::Engine(engine::Input::BacklogEnded { sequence, source })
            }
            Input::Source { source, away } => return self.source(now, source, away, out),
            Input::Gap { source, text } => {
                let notice = Notice { source: Some(source), ..Notice::new(Kind::RecordsLost, text) };
                return out.push(Output::Notice(notice));
            }
            Input::Offset { source, host, trust, usual, zone } => {
                let sequence = self.input(now, journal::Input::Offset { source: source.clone() }, out);
                Task::Engine(engine::Input::Offset { sequence, source, host, trust, usual, zone })
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
                let host_report = self.reported.take(&mut report);
                self.plan(now, plan::Input::Report(report), out);
                self.host_reported(now, &host, out);
                // The news that a host is back comes before what runs on it.
                let tasks = host_report.map(|host_report| self.host_report(now, host_report, out)).unwrap_or_default();
                return self.work(now, tasks.into(), out);
            }
            Input::Evaluated { run, next } => Task::Runs(react::Input::Evaluated { run, next }),
            Input::Done { run, n, attempt, result } => Task::Runs(react::Input::Answered { run, n, attempt, result }),
            Input::Delivered { channel, id, attempt, result } => {
                self.delivered(now, &channel, (id, attempt), result, out);
                return self.work(now, VecDeque::new(), out);
            }
            Input::Operator { by, command } => return self.operator(now, &by, command, out),
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
        let notifications = self.notifier.next_deadline();
        [alarms, runs, self.planner.next_wake(), waiting, self.next_vacancy(), notifications, self.overrides.next_end()]
            .into_iter()
            .flatten()
            .min()
    }

    /// A host is lost, or reports again, as a journal recorded it: a replay of that journal has no reports from which to conclude it.
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
        self.sequence += 1;
        out.push(Output::Record(Record::Input { sequence: self.sequence, at, input }));
        self.sequence
    }

    /// Carries out tasks, and those that follow from them, until none is left.
    fn work(&mut self, now: Time, mut tasks: VecDeque<Task>, out: &mut Vec<Output>) {
        loop {
            while let Some(task) = tasks.pop_front() {
                // What follows from a task is done before what waits: the consequences of one cause come before the next cause.
                let mut following = VecDeque::new();
                match task {
                    Task::Engine(input) => {
                        let mut outputs = Vec::new();
                        self.engine.turn(now, input, &mut outputs);
                        following.extend(outputs.into_iter().map(Task::Alarmed));
                    }
                    Task::Alarmed(output) => self.alarmed(now, output, &mut following, out),
                    Task::Runs(input) => {
                        let mut outputs = Vec::new();
                        self.runs.turn(now, input, &mut outputs);
                        following.extend(outputs.into_iter().map(Task::Ran));
                    }
                    Task::Ran(output) => self.ran(now, output, &mut following, out),
                    Task::Planned(output) => self.planned(now, output, &mut following, out),
                }
                following.append(&mut tasks);
                tasks = following;
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

    fn alarmed(&mut self, now: Time, output: engine::Output, tasks: &mut VecDeque<Task>, out: &mut Vec<Output>) {
        match output {
            engine::Output::Record(record) => {
                match &record {
                    engine::Record::Claimed { app, .. } => {
                        self.roles_due.extend(self.inventory.pair_of(app).map(|(pair, _)| pair.clone()));
                    }
                    engine::Record::Lost { .. } => self.all_roles_changed(),
                    _ => {}
                }
                let outputs = self.observed(now, &record);
                out.push(Output::Record(Record::Alarm(record)));
                notifications::pass_on(outputs, out);
            }
            engine::Output::ClaimOpened(sequence) => self.claim_opened(sequence),
            engine::Output::StartReactions(start) => {
                let start = self.allowed_reactions(now, start, out);
                tasks.extend(start.map(|start| Task::Runs(react::Input::StartReactions(start))));
            }
            engine::Output::CatchUp { pair, resource, host, sequence, written } => {
                self.catch_up(now, claims::LateClaim { pair, resource, host, sequence, written }, tasks, out);
            }
            engine::Output::Notice(notice) => out.push(Output::Notice(notice)),
        }
    }

    fn ran(&mut self, now: Time, output: react::Output, tasks: &mut VecDeque<Task>, out: &mut Vec<Output>) {
        match output {
            react::Output::Record(record) => out.push(Output::Record(Record::Run(record))),
            react::Output::ClaimRun { sequence, well } => self.claim_run_ended(sequence, well, tasks),
            react::Output::Evaluate(run) => out.push(Output::Evaluate(run)),
            react::Output::Do { run, attempt, step } => self.step(now, run, attempt, step, tasks, out),
            react::Output::Notice(notice) => out.push(Output::Notice(notice)),
        }
    }

    fn planned(&mut self, now: Time, output: plan::Output, tasks: &mut VecDeque<Task>, out: &mut Vec<Output>) {
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
                let text = if lost { format!("{host} does not report any more") } else { format!("{host} reports again") };
                let kind = if lost { Kind::HostLost } else { Kind::HostBack };
                out.push(Output::Notice(Notice { host: Some(host.clone()), ..Notice::new(kind, text) }));
                let kept = match lost {
                    true => journal::Input::HostLost { host: host.clone() },
                    false => journal::Input::HostBack { host: host.clone() },
                };
                let sequence = self.input(now, kept, out);
                tasks.push_back(Task::Engine(engine::Input::Lost { sequence, host, lost }));
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
    fn at_once(&mut self, now: Time, outputs: Vec<plan::Output>, tasks: &mut VecDeque<Task>, out: &mut Vec<Output>) {
        for output in outputs {
            self.planned(now, output, tasks, out);
        }
    }

    fn intend(&mut self, now: Time, intent: Intent, tasks: &mut VecDeque<Task>, out: &mut Vec<Output>) -> Accepted {
        let mut outputs = Vec::new();
        let accepted = self.planner.intent(now, intent, &mut outputs);
        self.at_once(now, outputs, tasks, out);
        accepted
    }
}
