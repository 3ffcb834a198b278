//! Replay: the controller with another clock, hosts that obey at once, and effects that are only reported.
//!
//! ```text
//!   lines of a log --> decode --> match --> Replay: clock, hosts --> control::Controller --> Entry, Entry, ...
//!   rule tests (YAML) -------------------------^
//! ```
//!
//! A replay opens no connection and changes nothing. It reports what a live run with the same inputs would have done, with the
//! same code. A log contains no reports of agents, so hosts are up and obey at once. It does not know the command line or files.
//! Tests: `tests/it/cli.rs`, `tests/it/control.rs`, and every rule test.

mod clock;
mod difference;
mod dry_run;
mod entries;
mod hosts;
mod judge;
mod rerun;
pub mod rule_test;
mod seen;
mod summary;
pub mod test_file;
mod test_names;
pub mod timeline;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::core::base::limits::DEADLINES_OF_A_JUMP;
use crate::core::base::time::Time;
use crate::core::control::{Controller, Input, LogEvent, OperatorCommand, Output, SelfEvent, SelfEvents};
use crate::core::decode::Decoder;
use crate::core::engine::{Trace, TracedDecision};
use crate::core::event::{Event, Stale, Trust, Value};
use crate::core::inventory::Name;
use crate::core::journal::{Position, Record, State};
use crate::core::lang::program::Hit;
use crate::core::react;
use crate::core::script::{Next, Step, StepResult, Verb};
use crate::core::site::{Current, Learned, Sieve, Site};

pub use difference::{DecidedBy, Difference, SiteDecision, SiteDecisionKind};
pub use dry_run::{
    Acting, DecisionOfLine, DryRun, DryRunCounts, LINES_OF_A_LOG, LogReader, Origin, ReadLine, Settling, SiftRoom, Sifted,
    Sifting,
};
use entries::TimelineBuilder;
use hosts::Hosts;
pub use rerun::{Rerun, RerunCounts};
pub use seen::{LogCounts, Seen, ShapeCount};
pub use summary::{AlarmSummary, ReactionSummary, Summary};
pub use timeline::{EntryKind, TimelineEntry};

/// The id of the controller of a replay.
const CONTROLLER: u64 = 1;
/// The greatest number of deadlines at one time: a guard against a deadline that does not pass.
const AT_ONE_TIME: u32 = 10_000;

/// A controller in virtual time.
pub struct Replay {
    site: Arc<Site>,
    current: Arc<Current>,
    now: Time,
    controller: Option<Controller>,
    hosts: Hosts,
    timeline: TimelineBuilder,
    /// The fold of the journal, kept if the controller may be stopped and started again.
    folded: Option<State>,
    /// The records since they were last taken, if somebody wants them.
    records: Option<Vec<Record>>,
    /// Self events come from a journal. The controller's own outputs are none.
    recorded_self_events: bool,
    failing: Vec<Verb>,
    sieves: BTreeMap<String, Sieve>,
    /// The self events of the controller.
    own: SelfEvents,
    positions: BTreeMap<String, Position>,
    /// The alarms whose decisions are kept with their reasons; `None` means no alarms.
    traced: Option<BTreeSet<String>>,
    /// The records that were read while decisions are kept, with their lines.
    events: Vec<(u64, Event<'static>)>,
}

impl Replay {
    /// A replay that starts now, with these hosts as holders of these resources.
    pub fn start(site: Arc<Site>, holders: &BTreeMap<Name, Name>, now: Time) -> Replay {
        let mut replay = Replay {
            hosts: Hosts::new(&site.inventory, holders),
            current: Current::new(0, site.clone()),
            site,
            now,
            controller: None,
            timeline: TimelineBuilder::default(),
            folded: None,
            records: None,
            recorded_self_events: false,
            failing: Vec::new(),
            sieves: BTreeMap::new(),
            own: SelfEvents::default(),
            positions: BTreeMap::new(),
            traced: None,
            events: Vec::new(),
        };
        replay.start_controller();
        replay
    }

    /// A replay of a journal's inputs that starts now: its decisions are kept for [`Replay::take_records`], and only the journal
    /// has self events.
    pub(super) fn of_records(
        site: Arc<Site>,
        holders: &BTreeMap<Name, Name>,
        now: Time,
        traced: Option<BTreeSet<String>>,
    ) -> Replay {
        let mut replay = Replay::start(site, holders, now);
        (replay.records, replay.recorded_self_events, replay.traced) = (Some(Vec::new()), true, traced);
        replay.begin_again();
        replay
    }

    /// Starts the controller once more, with a journal to write to: the start is a record too.
    pub(super) fn begin_again(&mut self) {
        self.folded = Some(State::default());
        self.take_entries();
        self.restart();
    }

    /// Stops the controller and starts it with what it recorded.
    pub(super) fn restart(&mut self) {
        self.controller = None;
        self.start_controller();
    }

    /// The records since the last call.
    pub(super) fn take_records(&mut self) -> Vec<Record> {
        self.timeline.take();
        self.records.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// A host is lost from now on, or reports again, as a journal says.
    pub(super) fn host_lost(&mut self, now: Time, host: &str, lost: bool) {
        let Some(controller) = &mut self.controller else { return };
        let mut outputs = Vec::new();
        controller.record_lost(now, host.to_owned(), lost, &mut outputs);
        self.carry_out(outputs);
        if lost {
            self.hosts.lose(now, host)
        } else {
            self.hosts.find(now, host)
        }
        self.report_all();
    }

    pub fn now(&self) -> Time {
        self.now
    }

    /// The entries since the last call.
    pub fn take_entries(&mut self) -> Vec<TimelineEntry> {
        self.timeline.take()
    }

    /// The controller; `None` while it is stopped.
    pub fn controller(&self) -> Option<&Controller> {
        self.controller.as_ref()
    }

    /// Keeps the reasons of decisions about these alarms from now on; about all alarms if the set is empty.
    pub fn trace(&mut self, alarms: BTreeSet<String>) {
        if let Some(controller) = &mut self.controller {
            controller.trace(Trace::of(alarms.clone()));
        }
        self.traced = Some(alarms);
    }

    /// The decisions since the last call.
    pub fn take_traced(&mut self) -> Vec<TracedDecision> {
        self.controller.as_mut().map(Controller::take_traced).unwrap_or_default()
    }

    /// Lets time pass; what is due happens.
    pub fn pass(&mut self, to: Time) {
        self.pass_to(to, None);
    }

    /// Lets time pass up to the time of a line.
    pub(super) fn pass_to(&mut self, to: Time, line: Option<u64>) {
        let mut at_one_time = 0;
        let mut passed = 0;
        while let Some(due) = self.next_due().filter(|due| *due <= to) {
            at_one_time = if due > self.now { 0 } else { at_one_time + 1 };
            if at_one_time > AT_ONE_TIME {
                break;
            }
            passed += 1;
            if passed > DEADLINES_OF_A_JUMP {
                self.skip(to, line);
                break;
            }
            self.now = self.now.max(due);
            self.hosts.pass(self.now);
            self.report_all();
            self.drive(Input::Timer);
        }
        self.now = self.now.max(to);
    }

    /// Everything that is left up to this time happens at this time.
    fn skip(&mut self, to: Time, line: Option<u64>) {
        self.now = to;
        let mut outputs = Vec::new();
        if let Some(controller) = &mut self.controller {
            controller.skip_to(to, &mut outputs);
        }
        self.timeline.line = line;
        self.carry_out(outputs);
        self.timeline.line = None;
        self.hosts.pass(to);
        self.report_all();
        self.drive(Input::Timer);
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<Time> {
        let controller = self.controller.as_ref();
        let wake = controller.and_then(Controller::next_wake);
        [wake, self.hosts.next_take(), self.hosts.next_loss(self.now)].into_iter().flatten().min()
    }

    /// Takes a record of a source, now or from a backlog: decodes it, matches it, and acts on it if a rule wants it. Returns true
    /// if one does.
    pub fn receive(&mut self, source: &str, record: &[u8], trust: Trust, backlog: bool, line: Option<u64>) -> bool {
        let current = &self.current;
        let sieve = self.sieves.entry(source.to_owned()).or_insert_with(|| Sieve::new(current, Decoder::new()));
        let (event, matched) = sieve.sift(record, self.now, |_, event| event.trust = trust);
        let event = event.into_owned();
        if self.traced.is_some() {
            self.events.push((line.unwrap_or_default(), event.clone()));
        }
        let learned = sieve.learned();
        self.learn(source, learned);
        let Some(matched) = matched else { return false };
        self.act(source, event, matched.hits, backlog, matched.late, line);
        true
    }

    /// Takes what was learned of a source's senders.
    pub(super) fn learn(&mut self, source: &str, learned: Vec<Learned>) {
        for Learned { host, trust, usual, zone } in learned {
            self.drive(Input::Offset { source: source.to_owned(), host, trust, usual, zone });
        }
    }

    /// A source can't be read, or can be read again.
    pub fn source(&mut self, source: &str, away: bool) {
        let why = away.then(|| "as is said here".to_owned());
        self.drive(Input::Source { source: source.to_owned(), away: why });
    }

    pub(super) fn act(
        &mut self,
        source: &str,
        event: Event<'static>,
        hits: Vec<Hit>,
        backlog: bool,
        late: Option<Stale>,
        line: Option<u64>,
    ) {
        self.timeline.line = line;
        let position = self.positions.entry(source.to_owned()).or_default();
        position.at += 1;
        let log_event =
            LogEvent { source: source.to_owned(), position: *position, event, hits, backlog, late, ..LogEvent::default() };
        self.drive(Input::Event(Box::new(log_event)));
        self.timeline.line = None;
    }

    fn start_controller(&mut self) {
        let state = self.folded.clone().unwrap_or_default();
        let mut outputs = Vec::new();
        let site = self.site.clone();
        let controller =
            Controller::start(CONTROLLER, site.program.clone(), site.inventory.clone(), state, self.now, &mut outputs);
        self.controller = Some(controller);
        if let Some(alarms) = self.traced.clone() {
            self.trace(alarms);
        }
        self.carry_out(outputs);
        self.report_all();
    }

    fn report_all(&mut self) {
        for report in self.hosts.reports() {
            self.drive(Input::Report(report));
        }
    }

    /// An operator raises an alarm as a test, as if by this application.
    ///
    /// # Errors
    /// A text that says why the alarm can't be raised as a test.
    pub fn try_alarm(&mut self, by: &str, alarm: String, app: Name, fields: BTreeMap<String, String>) -> Result<(), String> {
        if let Some(controller) = &self.controller {
            controller.may_be_tried(&alarm, &app, &fields)?;
        }
        let command = OperatorCommand::Test { alarm, app, fields };
        self.drive(Input::Operator { by: by.to_owned(), command });
        Ok(())
    }

    /// Passes an input to the controller, with all that follows from it at once.
    pub(super) fn drive(&mut self, input: Input) {
        let Some(controller) = &mut self.controller else { return };
        let mut outputs = Vec::new();
        controller.turn(self.now, input, &mut outputs);
        self.carry_out(outputs);
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        let mut waiting = VecDeque::from([outputs]);
        while let Some(outputs) = waiting.pop_front() {
            let mut inputs = Vec::new();
            self.timeline.add(self.now, &outputs, self.controller.as_ref());
            for output in outputs {
                match output {
                    Output::Record(record) => {
                        if let Some(folded) = &mut self.folded {
                            folded.apply(&record);
                        }
                        if let Some(records) = &mut self.records {
                            records.push(record);
                        }
                    }
                    Output::Evaluate(run) => {
                        if let Some(next) = self.evaluate(run) {
                            inputs.push(Input::Evaluated { run, next });
                        }
                    }
                    Output::Do { run, attempt, step } => {
                        let result = self.effect(&step);
                        inputs.push(Input::Done { run, n: step.n, attempt, result });
                    }
                    // A replay delivers nothing: people are not notified of what a log would have caused.
                    Output::Deliver(delivery) => {
                        let (id, attempt) = (delivery.notification.id, delivery.attempt);
                        inputs.push(Input::Delivered { channel: delivery.notification.channel, id, attempt, result: Ok(()) });
                    }
                    Output::Send(host, command) => {
                        inputs.extend(self.hosts.command(self.now, &host, &command).map(Input::Report));
                    }
                    Output::Step(_) | Output::Notice(_) | Output::Settled(..) if self.recorded_self_events => {}
                    Output::Step(_) | Output::Notice(_) | Output::Settled(..) => {
                        match self.own.event_of(self.now, &output, &self.site.matcher, 0) {
                            SelfEvent::Input(input) => inputs.push(input),
                            SelfEvent::Withheld(notice) => {
                                self.timeline.add(self.now, &[Output::Notice(notice)], self.controller.as_ref());
                            }
                            SelfEvent::Nothing => {}
                        }
                    }
                }
            }
            for input in inputs {
                let Some(controller) = &mut self.controller else { return };
                let mut outputs = Vec::new();
                controller.turn(self.now, input, &mut outputs);
                waiting.push_back(outputs);
            }
        }
    }

    fn evaluate(&self, run: react::RunId) -> Option<Next> {
        Some(self.site.next(self.controller.as_ref()?.runs().run(run)?))
    }

    /// An effect is reported and not done. It succeeds, except if a test makes it fail.
    fn effect(&self, step: &Step) -> StepResult {
        if self.failing.contains(&step.verb) {
            return Err(format!("{} fails, as the test says", step.verb));
        }
        match step.verb {
            Verb::HostRun => {
                let host = step.args.first().map(ToString::to_string).unwrap_or_default();
                self.site.inventory.runs_commands(&host)?;
                Ok(Value::Map(BTreeMap::from([
                    ("status".to_owned(), Value::Int(0)),
                    ("stdout".to_owned(), Value::from("")),
                    ("stderr".to_owned(), Value::from("")),
                ])))
            }
            Verb::Notify
            | Verb::Vip(_)
            | Verb::Port(_)
            | Verb::PairSwitchover
            | Verb::Wait
            | Verb::AlarmClear
            | Verb::Log
            | Verb::State(_) => Err(format!("`{}` is no effect: this is an error in the program", step.verb)),
        }
    }
}
