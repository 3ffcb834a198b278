//! The simulated controller: the real state machine, a journal on a disk that loses what was not synced, and a log with a
//! position.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::control::{self, LogEvent, OperatorCommand};
use crate::core::diag::{Place, Source};
use crate::core::event::{Event, EventId, Stale, Trust, Value};
use crate::core::inventory::{Inventory, Name};
use crate::core::journal::{Position, Record, State};
use crate::core::lang::Matcher;
use crate::core::lang::program::{Alarm, Argument, AtomId, Cancel, Category, Detection, Hit, Program, Reaction, ReactionCall};
use crate::core::lang::shape::Reset;
use crate::core::notice::Kind;
use crate::core::notifications::{Delivery, Undelivered};
use crate::core::react;
use crate::core::script::{Compiled, Evaluator, Next, ResourceVerb, Step, StepResult, Verb};
use crate::core::wire::{Command, Report};

use super::host::HostClock;
use super::nuisance::Nuisance;
use super::rng::Rng;
use super::scenario::Change;
use super::site::{SiteSetup, VIP, app_name, host_name};
use super::tamper::Tamper;

/// The id of the controller in this world.
const CONTROLLER: u64 = 7;
/// The log that servers write to.
const LOG: &str = "log";
/// The event ids by which servers claim to be primary or backup.
const PRIMARY: EventId<'static> = EventId::Number { code: Some(0), number: 4563 };
const BACKUP: EventId<'static> = EventId::Number { code: Some(0), number: 4561 };

/// What every claim starts: an effect that must not be done twice, the move, an effect again, and a helper's memory.
const SCRIPT: &str = r#"
const PARAMS = #{ vip: "resource", host: "host" };

fn count() {
    let n = state.get("claims");
    state.set("claims", if n == () { 1 } else { n + 1 });
}

fn react(alarm, event, params) {
    count();
    try { host(params.host).run("/bin/before", [params.vip]); } catch (why) { log.warn(why); }
    vip(params.vip).up(params.host);
    wait("20ms");
    try { notify("noc", `${params.host} is primary`); } catch (why) { log.warn(why); }
}
"#;

/// An event for the controller.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Report(Report),
    Timer,
    /// There may be new lines in the log.
    Read,
    Evaluated(react::RunId, Next),
    Done(react::RunId, u32, u32, StepResult),
    Delivered {
        channel: String,
        id: u64,
        attempt: u32,
        result: Result<(), Undelivered>,
    },
    /// The configuration is read again, as it is then.
    Reload,
    /// A command of an operator, or of a tamper in an operator's name.
    Operator(OperatorCommand),
}

/// Outputs are carried out one by one, so that the process may die between any two.
#[derive(Debug)]
pub(super) enum Output {
    Append(Box<Record>),
    Sync,
    Send(String, Command),
    Evaluate(react::RunId),
    Do(react::RunId, u32, Step),
    Deliver(Box<Delivery>),
    Say(String),
    Later(Duration, Happening),
}

/// A line of the log.
#[derive(Clone, Copy, Debug)]
struct Line {
    host: usize,
    primary: bool,
    /// An unauthenticated sender wrote it.
    forged: bool,
}

pub(super) struct SimController {
    inventory: Arc<Inventory>,
    program: Arc<Program>,
    matcher: Arc<Matcher>,
    scripts: Rc<(Evaluator, Arc<Compiled>)>,
    clock: HostClock,
    pub(super) wall_offset: i64,
    setup: SiteSetup,
    first_setup: SiteSetup,
    /// The changes of the configuration that are in force.
    changes: Vec<Change>,
    /// The delay of everything that arrives at the controller, in milliseconds.
    pub(super) overload: u64,
    running: Option<control::Controller>,
    position: usize,
    /// Lines before this one were written while the controller was down; `None` after the end of the backlog was reported.
    backlog: Option<usize>,
    log: Vec<Line>,
    /// Claims before this line do not count for the desired owner: the resource was removed since, or a loss of records was
    /// accepted.
    claims_from: usize,
    /// Lengths of the journal after each sync.
    syncs: Vec<usize>,
    journal: Vec<Record>,
    synced: usize,
    /// The latest time that the process saw.
    newest: Time,
    /// Effects that were done, and steps whose end is on disk.
    done: BTreeSet<(react::RunId, u32, u32)>,
    ended: BTreeSet<(react::RunId, u32)>,
    twice: Option<String>,
    pub(super) starts: u64,
    pub(super) killed: u32,
    pub(super) stopped: u32,
    pub(super) fuse: Option<u32>,
    pub(super) timer: Option<Time>,
    nuisance: Nuisance,
}

impl SimController {
    pub(super) fn new(setup: SiteSetup, wall_offset: i64, clock: HostClock, nuisance: Nuisance) -> SimController {
        thread_local!(static RULES: (Arc<Program>, Arc<Matcher>) = {
            let program = program();
            let matcher = Matcher::new(&program, None);
            (Arc::new(program), Arc::new(matcher))
        });
        let (program, matcher) = RULES.with(Clone::clone);
        let inventory = Arc::new(setup.inventory());
        SimController {
            scripts: scripts(&inventory),
            matcher,
            program,
            inventory,
            clock,
            wall_offset,
            first_setup: setup.clone(),
            setup,
            changes: Vec::new(),
            overload: 0,
            running: None,
            position: 0,
            backlog: None,
            log: Vec::new(),
            claims_from: 0,
            syncs: vec![0],
            journal: Vec::new(),
            synced: 0,
            newest: Time::MIN,
            done: BTreeSet::new(),
            ended: BTreeSet::new(),
            twice: None,
            starts: 0,
            killed: 0,
            stopped: 0,
            fuse: None,
            timer: None,
            nuisance,
        }
    }

    /// A server claims to be primary now, and the other one of a pair claims to be backup.
    pub(super) fn claim(&mut self, host: usize) {
        let line = |host, primary| Line { host, primary, forged: false };
        if self.inventory.pairs.is_empty() {
            return self.log.push(line(host, true));
        }
        // Somebody who can send datagrams claims the contrary before, between and after.
        let forged = |host, primary| Line { host, primary, forged: true };
        let contrary = self.nuisance.forges().then(|| [forged(1 - host, true), forged(host, false)]);
        self.log.extend(contrary.into_iter().flatten());
        self.log.push(line(1 - host, false));
        self.log.extend(contrary.into_iter().flatten());
        self.log.push(line(host, true));
        self.log.extend(contrary.into_iter().flatten());
    }

    /// The configuration changes, or (`begins` is false) changes back, for the next start or reload. False if the change would make
    /// no sense now.
    pub(super) fn reconfigure(&mut self, change: &Change, begins: bool) -> bool {
        if begins {
            // The last claimant is not removed, and no claim is left that the planner could not carry out.
            let claimant = matches!(change, Change::Without(h) if self.log.iter().rev().take(8).any(|l| l.host == *h));
            let takes_out = matches!(change, Change::Without(_) | Change::OtherAddress | Change::NoResource);
            // If a second host were removed, the first one would come back meanwhile, claim, and be removed again.
            let removes = |c: &Change| matches!(c, Change::Without(_));
            let second = removes(change) && self.changes.iter().any(removes);
            // Only its administrator knows what a host had before its first report, and removes it there first.
            let unknown = matches!(change, Change::Without(h) if !self.has_seen(*h));
            if claimant || second || unknown || (takes_out && !self.is_idle()) || (takes_out && self.running.is_none()) {
                return false;
            }
            self.changes.push(change.clone());
        } else if let Some(i) = self.changes.iter().position(|c| c == change) {
            self.changes.remove(i);
        } else {
            return false;
        }
        self.setup = self.first_setup.clone().changed(&self.changes);
        if matches!(change, Change::OtherAddress | Change::NoResource) {
            self.claims_from = self.log.len();
        }
        true
    }

    /// True if this host once had the resource by our grant, or reported that it did not have it.
    fn has_seen(&self, host: usize) -> bool {
        let ledger = self.running.as_ref().map(|r| r.planner().ledger());
        ledger.and_then(|l| l.placement(VIP, &host_name(host))).is_some_and(|p| p.bound)
    }

    /// True if the configuration has a server on this host.
    pub(super) fn knows(&self, host: usize) -> bool {
        let resource = self.setup.has_resource() && self.inventory.resources.contains_key(VIP);
        resource && self.inventory.applications.contains_key(&app_name(host)) && self.setup.placements().any(|h| h == host)
    }

    /// True if the controller does not have the present configuration: a start refused it, or no controller ran since it changed.
    pub(super) fn is_behind(&self) -> bool {
        *self.inventory != self.setup.inventory()
    }

    pub(super) fn runs_or_stopped(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn die(&mut self) {
        self.running = None;
        self.fuse = None;
        self.timer = None;
        self.journal.truncate(self.synced);
    }

    pub(super) fn start(&mut self, now: Time, tamper: Option<Tamper>, rng: &mut Rng) -> Vec<Output> {
        self.starts += 1;
        // The wall clock at the start, continued by the boot clock; never before an earlier time.
        let wall = Time::from_micros(now.micros() + self.wall_offset).max(self.newest);
        self.clock = HostClock::new(now, wall.micros(), rng);
        let wanted = self.setup.inventory();
        let state = match tamper {
            None => State::fold(&self.journal),
            Some(tamper) => {
                let read = |r: &Record| match r {
                    Record::Plan(record) => tamper.reads(record, &wanted).map(Record::Plan),
                    _ => Some(r.clone()),
                };
                State::fold(&self.journal.iter().filter_map(read).collect::<Vec<_>>())
            }
        };
        // As the program does: a configuration that does not cover what a host may hold is refused, and the last one continues.
        if crate::core::plan::left_by(&state.ledger, &wanted).is_empty() {
            self.inventory = Arc::new(wanted);
            self.scripts = scripts(&self.inventory);
        }
        let position = state.positions.get(LOG).map_or(0, |p| p.at);
        self.position = usize::try_from(position).unwrap_or(usize::MAX);
        self.backlog = Some(self.log.len());
        let mut outputs = Vec::new();
        self.running =
            Some(control::Controller::start(CONTROLLER, self.program.clone(), self.inventory.clone(), state, wall, &mut outputs));
        carried(outputs, tamper)
    }

    pub(super) fn turn(&mut self, now: Time, happening: Happening, tamper: Option<Tamper>) -> Vec<Output> {
        let local = self.clock.local(now);
        self.newest = self.newest.max(local);
        let mut outputs = Vec::new();
        let read = matches!(happening, Happening::Read);
        let input = match happening {
            Happening::Report(report) => control::Input::Report(report),
            Happening::Timer => control::Input::Timer,
            Happening::Evaluated(run, next) => control::Input::Evaluated { run, next },
            Happening::Delivered { channel, id, attempt, result } => control::Input::Delivered { channel, id, attempt, result },
            Happening::Done(run, n, attempt, result) => control::Input::Done { run, n, attempt, result },
            Happening::Operator(command) => control::Input::Operator { by: "the simulation".to_owned(), command },
            Happening::Reload => {
                let inventory = Arc::new(self.setup.inventory());
                let left = self.running.as_ref().is_some_and(|r| !r.left_by(&inventory).is_empty());
                let what = |i: &Inventory| i.resources.get(VIP).map(|r| r.what.clone());
                let abandon = what(&self.inventory) != what(&inventory);
                if (left && !abandon) || self.inventory == inventory {
                    return Vec::new();
                }
                self.inventory = inventory.clone();
                self.scripts = scripts(&inventory);
                let program = self.program.clone();
                let matcher = self.matcher.clone();
                let (written, reset) = (Arc::default(), Reset::new());
                let reload = control::NewSite { written, program, matcher, inventory, reset, abandon };
                control::Input::Reload(Box::new(reload))
            }
            Happening::Read => match self.next_line() {
                Some(input) => input,
                // Also if there was no backlog: what was read before a crash may still have to be evaluated.
                None if self.backlog.take().is_some() => control::Input::BacklogEnded { source: LOG.to_owned() },
                None => return Vec::new(),
            },
        };
        let Some(running) = &mut self.running else { return Vec::new() };
        running.turn(local, input, &mut outputs);
        let mut all = carried(outputs, tamper);
        if read && (self.position < self.log.len() || self.backlog.is_some()) {
            all.push(Output::Later(Duration::from_micros(20), Happening::Read));
        }
        all
    }

    fn next_line(&mut self) -> Option<control::Input> {
        let end = self.backlog.unwrap_or(self.log.len());
        let line = *self.log[..end].get(self.position)?;
        self.position += 1;
        let event = Event {
            host: host_name(line.host).into(),
            app: app_name(line.host).into(),
            id: Some(if line.primary { PRIMARY } else { BACKUP }),
            trust: if line.forged { Trust::Unverified } else { Trust::Authenticated },
            ..Event::default()
        };
        // The number of the present rules, which are the same with every inventory.
        let rules = self.running.as_ref().map_or(0, control::Controller::rules);
        let hits = if line.primary { vec![Hit { atom: AtomId(0), captures: Vec::new() }] } else { Vec::new() };
        let backlog = self.backlog.is_some_and(|end| self.position <= end) && !self.inventory.pairs.is_empty();
        let log_event = LogEvent {
            source: LOG.to_owned(),
            position: Position { at: self.position as u64, ..Position::default() },
            event,
            hits,
            rules,
            backlog,
            late: (!line.forged && self.nuisance.is_late(self.position)).then(|| Stale::Earlier("it came late".to_owned())),
            ..LogEvent::default()
        };
        Some(control::Input::Event(Box::new(log_event)))
    }

    /// The next step of a run's script.
    pub(super) fn evaluate(&self, run: react::RunId) -> Option<Next> {
        let number = run;
        let run = self.running.as_ref()?.runs().run(run)?;
        if self.nuisance.fails(number, run.history.len()) {
            return Some(Next::Failed("its evaluation was ended".to_owned()));
        }
        Some(self.scripts.0.next(&self.scripts.1, &run.bound.call, &run.history))
    }

    /// Does an effect (I4: a finished step never again, and one that may not be done twice only once).
    pub(super) fn does(&mut self, run: react::RunId, attempt: u32, step: &Step) {
        if self.ended.contains(&(run, step.n)) {
            self.twice = Some(format!("step {} of run {run} (`{}`) is done again after it had ended", step.n, step.verb));
        }
        if !self.done.insert((run, step.n, attempt)) {
            self.twice = Some(format!("step {} of run {run} (`{}`) is done twice", step.n, step.verb));
        }
    }

    pub(super) fn append(&mut self, record: Record) {
        self.journal.push(record);
    }

    pub(super) fn sync(&mut self) {
        let mut open: BTreeMap<react::RunId, u32> = BTreeMap::new();
        for record in &self.journal[self.synced..] {
            match record {
                Record::Run(react::Record::Asked { run, step, .. }) => {
                    open.insert(*run, step.n);
                }
                Record::Run(react::Record::Answered { run, .. }) => {
                    if let Some(n) = open.get(run) {
                        self.ended.insert((*run, *n));
                    }
                }
                _ => {}
            }
        }
        self.synced = self.journal.len();
        self.syncs.push(self.synced);
    }

    /// Replaces the controller's data with an older copy, with about so many hundredths of the records.
    pub(super) fn goes_back(&mut self, hundredths: u64) {
        let wanted = self.journal.len() * usize::try_from(hundredths).unwrap_or(0) / 100;
        self.synced = self.syncs.iter().copied().filter(|at| *at <= wanted).max().unwrap_or(0);
        self.syncs.retain(|at| *at <= self.synced);
        self.journal.truncate(self.synced);
    }

    /// If the journal is in doubt, an operator accepts the loss: earlier claims do not count any more.
    pub(super) fn accepts_loss(&mut self) -> Option<Happening> {
        self.running.as_ref()?.doubt()?;
        self.claims_from = self.log.len();
        Some(Happening::Operator(OperatorCommand::AcceptLoss { reason: "it is a copy".to_owned() }))
    }

    /// The ledger of the running process.
    pub(super) fn ledger(&self) -> Option<&crate::core::plan::Ledger> {
        self.running.as_ref().map(|r| r.planner().ledger())
    }

    /// When the controller has something to do next (true time).
    pub(super) fn next_deadline(&self) -> Option<Time> {
        Some(self.clock.truly(self.running.as_ref()?.next_deadline()?))
    }

    /// True if everything was read, and no run is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.position == self.log.len() && self.running.as_ref().is_some_and(|r| r.runs().runs().next().is_none())
    }

    pub(super) fn settled(&self) -> bool {
        self.running.as_ref().is_some_and(|r| r.planner().settled(VIP))
    }

    /// The desired owner, as the planner has it.
    pub(super) fn owner(&self) -> Option<usize> {
        let owner = self.running.as_ref()?.planner().owner(VIP)?;
        (0..self.setup.agents()).find(|h| owner.strip_prefix("host").is_some_and(|n| n.parse() == Ok(h + 1)))
    }

    /// The desired owner, by what servers wrote.
    pub(super) fn last_claimant(&self) -> Option<usize> {
        self.log[self.claims_from..].iter().rev().find(|l| !l.forged).map(|l| l.host)
    }

    pub(super) fn done_twice(&self) -> Option<&String> {
        self.twice.as_ref()
    }

    /// True if the journal folds to the state of the process.
    pub(super) fn folds(&self) -> bool {
        let Some(running) = &self.running else { return true };
        let state = State::fold(&self.journal);
        &state.alarms == running.alarms() && &state.runs == running.runs() && &state.ledger == running.planner().ledger()
    }

    /// The state, for a story's last line.
    pub(super) fn says(&self) -> String {
        match &self.running {
            None => "nothing, it does not run".to_owned(),
            Some(r) => format!(
                "owner {:?}, held by {:?}, {}, {} runs, read {} of {}",
                r.planner().owner(VIP),
                r.planner().holders(VIP),
                r.planner().held(VIP).unwrap_or_else(|| "in place".to_owned()),
                r.runs().runs().count(),
                self.position,
                self.log.len()
            ),
        }
    }
}

/// The controller's outputs, with a sync before the first that leaves the process and one at the end.
fn carried(outputs: Vec<control::Output>, tamper: Option<Tamper>) -> Vec<Output> {
    let mut all = Vec::with_capacity(outputs.len() + 2);
    let mut unsynced = false;
    let syncs = tamper != Some(Tamper::SentBeforeSynced);
    for output in outputs {
        let leaves = matches!(output, control::Output::Send(..) | control::Output::Do { .. } | control::Output::Deliver(_));
        if leaves && std::mem::take(&mut unsynced) && syncs {
            all.push(Output::Sync);
        }
        match output {
            control::Output::Record(record) => {
                if let (Some(Tamper::LowerOrderAccepted), Some(command)) = (tamper, superseded(&record)) {
                    all.push(Output::Later(Duration::ZERO, Happening::Operator(command)));
                }
                all.push(Output::Append(Box::new(record)));
                unsynced = true;
            }
            control::Output::Evaluate(run) => all.push(Output::Evaluate(run)),
            control::Output::Do { run, attempt, step } => all.push(Output::Do(run, attempt, step)),
            control::Output::Deliver(delivery) => all.push(Output::Deliver(delivery)),
            control::Output::Send(host, command) => all.push(Output::Send(host, command)),
            control::Output::Step(step) => all.push(Output::Say(format!("{} {} ({})", step.verb, step.host, step.generation))),
            control::Output::Notice(notice) => {
                if let (Some(Tamper::LostMeansReleased), Kind::HostLost, Some(host)) = (tamper, notice.kind, notice.host) {
                    let command = OperatorCommand::Released { resource: VIP.to_owned(), host };
                    all.push(Output::Later(Duration::ZERO, Happening::Operator(command)));
                }
                all.push(Output::Say(notice.text));
            }
            control::Output::Settled(..) => {}
        }
    }
    if unsynced && syncs {
        all.push(Output::Sync);
    }
    all
}

/// The move that a script was refused because a newer intent was there.
fn superseded(record: &Record) -> Option<OperatorCommand> {
    thread_local!(static ASKED: RefCell<BTreeMap<react::RunId, Step>> = const { RefCell::new(BTreeMap::new()) });
    match record {
        Record::Run(react::Record::Asked { run, step, .. }) if step.verb == Verb::Vip(ResourceVerb::Up) => {
            ASKED.with_borrow_mut(|asked| asked.insert(*run, step.clone()));
            None
        }
        Record::Run(react::Record::Answered { run, result: Ok(Value::Text(said)) }) if said == "superseded" => {
            let step = ASKED.with_borrow_mut(|asked| asked.remove(run))?;
            let host = step.args.get(1)?.to_string();
            Some(OperatorCommand::Move { resource: VIP.to_owned(), host })
        }
        _ => None,
    }
}

/// The evaluator and the script. A thread makes them once for all inventories that look the same to the script: those with the same
/// hosts, and with the resource or without it.
fn scripts(inventory: &Arc<Inventory>) -> Rc<(Evaluator, Arc<Compiled>)> {
    type Made = Rc<(Evaluator, Arc<Compiled>)>;
    thread_local!(static MADE: RefCell<BTreeMap<(Vec<Name>, bool), Made>> = const { RefCell::new(BTreeMap::new()) });
    let looks = (inventory.hosts.keys().cloned().collect(), inventory.resources.contains_key(VIP));
    MADE.with_borrow_mut(|made| {
        made.entry(looks)
            .or_insert_with(|| {
                let evaluator = Evaluator::new(inventory.clone());
                let source = Arc::new(Source { name: "follow.rhai".to_owned(), text: SCRIPT.to_owned() });
                let script = evaluator.compile(&source).expect("the script is a constant that compiles");
                Rc::new((evaluator, script))
            })
            .clone()
    })
}

/// The rules: one alarm, in which every claim moves the address.
fn program() -> Program {
    let place = Place { source: Arc::new(Source { name: "sim".to_owned(), text: String::new() }), bytes: 0..0 };
    let args = vec![("vip".to_owned(), Argument::Value(VIP.into())), ("host".to_owned(), Argument::HostOf("app".to_owned()))];
    let alarm = Alarm {
        category: Category::Critical,
        detect: Detection { parts: vec![vec![AtomId(0)]], ..Detection::default() },
        by: vec!["app".to_owned()],
        cancel: vec![Cancel::AtOnce],
        react: vec![vec![ReactionCall { reaction: "follow".to_owned(), args }]],
        ..Alarm::new("claims".to_owned(), place)
    };
    let reaction = Reaction {
        name: "follow".to_owned(),
        script: "follow.rhai".to_owned(),
        with: Vec::new(),
        timeout: Duration::from_secs(2),
        retry: None,
        requires: Trust::Local,
    };
    Program { alarms: vec![alarm], reactions: [("follow".to_owned(), reaction)].into(), ..Program::default() }
}
