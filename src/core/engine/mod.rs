//! The engine, without side effects: events and time raise and clear alarms, and pairs make claims.
//!
//! ```text
//!   Arrived (event + the atoms it matches) --+                +--> Record          (everything that changes the state)
//!   Clear, Ack, Lost, App, Metrics ----------+--> turn(now) --+--> StartReactions
//!   Timer -----------------------------------+                +--> CatchUp         (a late claim that is carried out)
//!                                                             +--> Notice          (for people)
//! ```
//!
//! The life of an instance (one alarm, one key):
//!
//! ```text
//!            detect                     detect: refresh | ignore | rerun (by `while active`)
//!    (none) -------> active, count 1 ------------------------------------+
//!      ^                |      ^                                          |
//!      |  after, when,  |      +------------------------------------------+
//!      +-- operator ----+          `cancel at once`: raised and cleared in one step, nothing is kept
//! ```
//!
//! A condition of several events has partial matches and is pending before it fires (`condition.rs`), as are silences
//! (`silence.rs`) and measures (`measure.rs`). Joined states are evaluated (`states.rs`). Calendars delay a raise
//! (`calendars.rs`), active alarms suppress it (`inhibited.rs`), and a limit throttles reactions (`limit.rs`). An alarm that
//! is raised or cleared, and a condition that fires, are themselves changes that conditions can match (`signals.rs`), within
//! the same turn.
//!
//! Invariants: the state changes only by [`Record`]s. One input gives the same outputs whenever its turn comes. A late event
//! changes alarms but starts no reaction. The engine does not know clocks, scripts, agents or owners of resources. Tests:
//! `tests/it/engine.rs` (the whole transition table), rule tests.

mod arrival;
mod bounds;
mod calendars;
mod claims;
mod condition;
mod drill;
mod due;
mod fields;
mod hash_tree;
mod inhibited;
mod instance;
mod kept;
mod key;
mod lateness;
mod limit;
mod lines;
mod measure;
mod members;
mod partial_matches;
mod record;
mod reported;
mod signals;
mod silence;
mod state;
mod states;
mod trace;
mod turn;
mod window;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::core::base::time::Time;
use crate::core::event::Stale;
use crate::core::inventory::{Index, Inventory};
use crate::core::lang::program::{Alarm, AtomId, Cancel, Hit, Mode, Program, Signal};
use crate::core::lang::shape::Reset;
use crate::core::notice::{Kind, Notice};

use arrival::Arrival;
use due::Due;
use fields::EventView;
use instance::Ending;
use partial_matches::Forgot;
use window::MeasureSlot;

pub use claims::{is_claim, is_credible_claim, trust_required};
pub use drill::{TEST_FIELD, TEST_MARK, is_test};
pub use fields::fields_of;
pub use instance::cause_text;
pub use key::Key;
pub use record::{
    Acknowledgement, AlarmComment, Cause, Claim, ClaimStatus, Fields, Instance, PartialMatch, PendingFire, Record, Suppressed,
    Throttled,
};
pub use state::State;
pub use trace::{Decision, Trace, TracedDecision};
pub use turn::{Input, MetricValue, Output, StartReactions};

/// Bytes in which most keys fit.
const KEY_TEXT: usize = 48;

/// The use of an atom in an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Cancels,
    /// It is measured for `cancel when`.
    Measured,
    /// It drops partial matches and pending fires.
    Unless,
    /// It belongs to this part of the condition.
    Part(usize),
}

/// The rules in force and the state of their alarms: takes inputs one after another, and yields records, reactions and notices.
#[derive(Clone, Debug)]
pub struct Engine {
    program: Arc<Program>,
    inventory: Arc<Inventory>,
    index: Arc<Index>,
    state: State,
    /// By atom: the alarms that use it, by index.
    roles: Vec<Vec<(usize, Role)>>,
    /// By name: the alarms, by index.
    names: BTreeMap<String, usize>,
    /// By time: what falls due.
    due: BTreeSet<(Time, Due, String, Key)>,
    /// By change: the conditions that are about it.
    signals: BTreeMap<Signal, Vec<AtomId>>,
    /// By name: the alarms that it inhibits, by index.
    inhibits: BTreeMap<String, Vec<usize>>,
    /// Changes of this turn that are not handled yet.
    changes: VecDeque<signals::StateChange>,
    /// Alarms that this turn may have released from suppression.
    freed: VecDeque<inhibited::Freed>,
    /// The number of changes that led to the current one.
    hops: usize,
    /// The time of the turn, for the trace.
    now: Time,
    /// When late claims are evaluated.
    evaluation: claims::ClaimEvaluation,
    /// The trace of decisions, if it is on.
    trace: Option<Box<Trace>>,
}

impl Engine {
    /// Starts an engine with these rules and a state.
    pub fn start(program: Arc<Program>, inventory: Arc<Inventory>, mut state: State) -> Engine {
        // A state of an earlier version does not have it.
        state.kept_bytes = state.count_kept();
        let mut roles: Vec<Vec<(usize, Role)>> = Vec::new();
        for (index, alarm) in program.alarms.iter().enumerate() {
            let detects =
                alarm.detect.parts.iter().enumerate().flat_map(|(p, atoms)| atoms.iter().map(move |a| (a, Role::Part(p))));
            let cancels = alarm.cancel.iter().filter_map(|c| if let Cancel::When(atoms) = c { Some(atoms) } else { None });
            let measured = alarm.cancel.iter().filter_map(|c| if let Cancel::Measured { of, .. } = c { Some(of) } else { None });
            let all: BTreeSet<(&AtomId, Role)> = detects
                .chain(cancels.flatten().map(|a| (a, Role::Cancels)))
                .chain(measured.flatten().map(|a| (a, Role::Measured)))
                .chain(alarm.detect.unless.iter().map(|a| (a, Role::Unless)))
                .collect();
            for (atom, role) in all {
                let place = place(*atom);
                roles.resize(roles.len().max(place + 1), Vec::new());
                roles[place].push((index, role));
            }
        }
        let mut signals: BTreeMap<Signal, Vec<AtomId>> = BTreeMap::new();
        for (atom, n) in program.atoms.iter().zip(0..) {
            if let Some(signal) = &atom.signal {
                signals.entry(signal.clone()).or_default().push(AtomId(n));
            }
        }
        let mut inhibits: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, alarm) in program.alarms.iter().enumerate() {
            for other in alarm.inhibited_by.iter().collect::<BTreeSet<_>>() {
                inhibits.entry(other.clone()).or_default().push(index);
            }
        }
        let names = program.alarms.iter().enumerate().map(|(index, alarm)| (alarm.name.clone(), index)).collect();
        Engine {
            index: Arc::new(Index::new(&inventory)),
            program,
            inventory,
            due: state.all_due(),
            state,
            roles,
            names,
            signals,
            inhibits,
            changes: VecDeque::new(),
            freed: VecDeque::new(),
            hops: 0,
            now: Time::default(),
            evaluation: claims::ClaimEvaluation::default(),
            trace: None,
        }
    }

    /// The rules that are in force now.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The state that the engine must not lose.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// When the next [`Input::Timer`] is due.
    pub fn next_deadline(&self) -> Option<Time> {
        self.due.first().map(|(at, ..)| *at).into_iter().chain(self.evaluates_claims_at()).min()
    }

    /// Takes one input, and everything that follows from it in the engine.
    pub fn turn(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        self.now = now;
        let last = input.sequence();
        match input {
            Input::Arrived { sequence, source, mut event, hits, backlog, arrived, late } => {
                let late = if backlog { Some(Stale::Backlog { at: event.at }) } else { late };
                // Only an operator raises test alarms.
                event.fields.retain(|(name, _)| name != TEST_FIELD);
                self.mark_claim(&mut event, &hits);
                self.claim((now, arrived), sequence, &source, (late.is_some(), backlog), &event, out);
                let index = self.index.clone();
                self.arrived(&Arrival { now, sequence, event: &event, index: &index, late }, &hits, out);
            }
            Input::Offset { source, host, trust, usual, zone, .. } => {
                self.learn_offset(now, &source, host, trust, usual, zone, out);
            }
            Input::Clear { sequence, alarm, key, by } => {
                let keys: Vec<Key> = match key {
                    Some(key) => vec![key],
                    None => self.state.clearable(&alarm).cloned().collect(),
                };
                for key in keys {
                    self.clear(&Ending::at(now, sequence, Cause::ByHand(by.clone())), &alarm, &key, out);
                }
            }
            Input::Test { sequence, alarm, app, fields } => self.try_alarm(now, sequence, (&alarm, &app), &fields, out),
            Input::Comment { alarm, key, by, text, .. } => {
                let active = self.state.alarms.get(&alarm).map(|keys| keys.keys().cloned().collect()).unwrap_or_default();
                for key in key.map_or(active, |key| vec![key]) {
                    self.comment(now, &alarm, &key, &by, &text, out);
                }
            }
            Input::Ack { alarm, key, by, comment, lasts, .. } => {
                let active = self.state.alarms.get(&alarm).map(|keys| keys.keys().cloned().collect()).unwrap_or_default();
                for key in key.map_or(active, |key| vec![key]) {
                    self.ack(now, &alarm, &key, (&by, comment.clone(), lasts), out);
                }
            }
            Input::BacklogEnded { source, .. } => self.backlog_ended(now, &source),
            Input::Source { source, away, .. } => self.source_changed(now, source, away, out),
            Input::Lost { host, lost, .. } => {
                if self.state.lost.contains(&host) != lost {
                    self.host_changed(&host, lost);
                    self.record(Record::Lost { host, lost }, out);
                    self.evaluate_claims_again(now);
                }
            }
            Input::App { app, stopped, text, .. } => self.app_changed(app, stopped, &text, out),
            Input::Metrics { host, values, .. } => self.was_measured(&host, values),
            Input::Timer { sequence } => self.fall_due(now, sequence, false, out),
            Input::Skipped { sequence } => self.fall_due(now, sequence, true, out),
        }
        self.follow(now, last, out);
        self.evaluate_all_claims(now, out);
    }

    /// Handles everything that is due up to now: each at its own time, or, with `skip`, all at this moment.
    fn fall_due(&mut self, now: Time, sequence: u64, skip: bool, out: &mut Vec<Output>) {
        while let Some(entry) = self.due.first().cloned().filter(|(at, ..)| *at <= now) {
            // This also removes an entry whose key was dropped meanwhile.
            self.due.remove(&entry);
            let (at, what, alarm, key) = entry;
            let at = if skip { now } else { at };
            self.now = at;
            match what {
                Due::Pending => self.fire_pending(at, sequence, &alarm, &key, out),
                Due::Calendar => self.calendar_changed(at, &alarm),
                Due::Measured => self.measured_on(at, sequence, &alarm, &key, out),
                Due::Throttled => self.may_start(at, sequence, &alarm, &key, out),
                Due::AckExpires => self.end_ack(at, &alarm, &key, out),
                Due::Suppressed => self.end_suppressed(&Ending::at(at, sequence, Cause::After), &alarm, &key, out),
                Due::Expires => self.clear(&Ending::at(at, sequence, Cause::After), &alarm, &key, out),
            }
            self.follow(at, sequence, out);
        }
    }

    /// Begins after a start of the controller. Alarms that the rules no longer have are cleared with that cause, and silences
    /// count from now.
    pub fn begin(&mut self, now: Time, sequence: u64, out: &mut Vec<Output>) {
        self.drop_removed(now, sequence, out);
        self.forget_unknown_apps(out);
        self.begin_silences(now, true, out);
        self.begin_states(now, sequence, out);
        self.begin_calendars(now);
        self.begin_suppressed();
        self.follow(now, sequence, out);
    }

    /// Continues with other rules. Alarms keep their state, except those in `reset`, whose key or shape differs
    /// ([`crate::core::lang::shape::reset`]), and those that no longer exist.
    pub fn reload(
        &mut self,
        now: Time,
        sequence: u64,
        reset: &Reset,
        program: Arc<Program>,
        inventory: Arc<Inventory>,
        out: &mut Vec<Output>,
    ) {
        let (evaluation, trace) = (std::mem::take(&mut self.evaluation), self.trace.take());
        *self = Engine { evaluation, trace, ..Engine::start(program, inventory, std::mem::take(&mut self.state)) };
        let throttled = self.state.all_throttled().filter(|(alarm, ..)| reset.contains_key(*alarm));
        let throttled: Vec<(String, Key)> = throttled.map(|(alarm, group, _)| (alarm.to_owned(), group.clone())).collect();
        for (alarm, group) in throttled {
            self.record(Record::Throttled { alarm, group, what: None }, out);
        }
        self.drop_where(now, sequence, &Cause::Changed, |_, alarm| reset.contains_key(alarm), out);
        self.drop_removed(now, sequence, out);
        self.forget_unknown_apps(out);
        self.begin_silences(now, false, out);
        self.begin_states(now, sequence, out);
        self.begin_calendars(now);
        self.begin_suppressed();
        self.follow(now, sequence, out);
    }

    /// Clears alarms that the rules no longer have, with that cause.
    fn drop_removed(&mut self, now: Time, sequence: u64, out: &mut Vec<Output>) {
        self.drop_where(now, sequence, &Cause::Removed, |me, alarm| !me.names.contains_key(alarm), out);
    }

    /// Removes everything that belongs to these alarms.
    fn drop_where(
        &mut self,
        now: Time,
        sequence: u64,
        cause: &Cause,
        these: impl Fn(&Engine, &str) -> bool,
        out: &mut Vec<Output>,
    ) {
        let own = |(alarm, key): (&str, &Key)| (alarm.to_owned(), key.clone());
        let active = self.state.active().map(|(alarm, key, _)| (alarm, key)).filter(|(alarm, _)| these(self, alarm));
        let suppressed = self.state.all_suppressed().map(|(alarm, key, _)| (alarm, key)).filter(|(alarm, _)| these(self, alarm));
        let active: BTreeSet<(String, Key)> = active.chain(suppressed).map(own).collect();
        let begun: Vec<(String, Key)> = self.state.begun().into_iter().filter(|(alarm, _)| these(self, alarm)).map(own).collect();
        for (alarm, key) in active {
            self.clear(&Ending::at(now, sequence, cause.clone()), &alarm, &key, out);
        }
        for (alarm, key) in begun {
            self.record(Record::Forgotten { alarm, key, measures_on: false }, out);
        }
    }

    /// Applies a record and journals it. Returns whose partial matches were dropped because there were too many.
    fn record(&mut self, record: Record, out: &mut Vec<Output>) -> Option<Forgot> {
        // The index of deadlines follows the state.
        let before = self.state.due_of(&record);
        let forgot = self.state.applied(&record);
        let after = self.state.due_of(&record);
        if before != after
            && let Some((alarm, key)) = record.key()
        {
            for (at, what) in before.into_iter().flatten() {
                self.due.remove(&(at, what, alarm.to_owned(), key.clone()));
            }
            self.due.extend(after.into_iter().flatten().map(|(at, what)| (at, what, alarm.to_owned(), key.clone())));
        }
        out.push(Output::Record(record));
        forgot
    }

    /// The definition of the alarm of this name.
    pub fn definition(&self, name: &str) -> Option<&Alarm> {
        self.alarm(&self.program, name)
    }

    fn alarm<'p>(&self, program: &'p Program, name: &str) -> Option<&'p Alarm> {
        program.alarms.get(*self.names.get(name)?)
    }

    /// Sends a notice once, even across restarts.
    fn notify_once(&mut self, about: String, notice: Notice, out: &mut Vec<Output>) {
        if !self.state.notified.contains(&about) {
            self.record(Record::Notified { about }, out);
            out.push(Output::Notice(notice));
        }
    }

    fn arrived<'a>(&mut self, arrival: &Arrival<'a>, hits: &'a [Hit], out: &mut Vec<Output>) {
        let program = self.program.clone();
        // By alarm, in the order of the rules: cancelling roles go before detecting ones. Of two hits for one role the first
        // counts.
        let roles =
            |hit: &'a Hit| self.roles.get(place(hit.atom)).into_iter().flatten().map(move |(index, role)| (*index, *role, hit));
        let mut matched: Vec<(usize, Role, &Hit)> = hits.iter().flat_map(roles).collect();
        matched.sort_by_key(|(index, role, _)| (*index, *role));
        matched.dedup_by_key(|(index, role, _)| (*index, *role));
        let mut parts = Vec::new();
        for matched in matched.chunk_by(|one, other| one.0 == other.0) {
            let Some(alarm) = matched.first().and_then(|(index, ..)| program.alarms.get(*index)) else { continue };
            if alarm.mode == Mode::Off {
                self.decided(arrival.now, alarm, None, Decision::Off, || "its `mode` is `off`: it is never raised".to_owned());
                continue;
            }
            parts.clear();
            for (_, role, hit) in matched {
                match role {
                    Role::Cancels => self.cancelled(arrival, alarm, hit, out),
                    Role::Measured => self.measure(arrival, alarm, MeasureSlot::Cancel, hit, out),
                    Role::Unless => {
                        if let Some(key) = self.key(alarm, &arrival.view(hit), out) {
                            self.trace_forgotten(arrival.now, alarm, &key, "`unless`");
                            self.drop_begun(alarm, &key, out);
                        }
                    }
                    Role::Part(part) => {
                        parts.resize(*part, None);
                        parts.push(Some(*hit));
                    }
                }
            }
            self.match_parts(arrival, alarm, &parts, out);
        }
    }

    /// Handles an event that matches a `cancel` of an alarm.
    fn cancelled<'a>(&mut self, arrival: &Arrival<'a>, alarm: &Alarm, hit: &'a Hit, out: &mut Vec<Output>) {
        if let Some(key) = self.key(alarm, &arrival.view(hit), out) {
            let waits = alarm.hold.is_some() || !alarm.not_during.is_empty() || !alarm.only_during.is_empty();
            if waits && self.state.pending(&alarm.name, &key).is_some() {
                self.trace_forgotten(arrival.now, alarm, &key, "`cancel when`");
                self.drop_begun(alarm, &key, out);
            } else {
                self.trace_cancels_nothing(arrival.now, alarm, &key);
            }
            self.clear(&arrival.ending(), &alarm.name, &key, out);
        }
    }

    /// Returns the key of the instance that an event is about; `None` when the event lacks a field of the key.
    fn key(&mut self, alarm: &Alarm, view: &EventView<'_>, out: &mut Vec<Output>) -> Option<Key> {
        let mut values = String::with_capacity(KEY_TEXT);
        for field in &alarm.by {
            match view.text(field) {
                Some(value) => Key::push(&mut values, &value),
                None => {
                    self.lacks(alarm, field, "needs for its `by`", out);
                    return None;
                }
            }
        }
        Some(Key::read(&values))
    }

    /// Reports an event that is not used because it lacks a field that an alarm needs.
    fn lacks(&mut self, alarm: &Alarm, field: &str, what: &str, out: &mut Vec<Output>) {
        let program = self.program.clone();
        self.decided(self.now, alarm, None, Decision::NoField, || {
            let set = trace::missing_source(&program, alarm, field);
            format!("the event has no `{field}`, which the alarm {what}, so it is not used{set}")
        });
        let text = format!(
            "an event that matches {} has no `{field}`, which the alarm {what}, so it is not used (reported once)",
            alarm.name
        );
        let notice = Notice { alarm: Some(alarm.name.clone()), ..Notice::new(Kind::NoKey, text) };
        self.notify_once(format!("no_key {} {field}", alarm.name), notice, out);
    }
}

/// The index of an atom in the program.
fn place(atom: AtomId) -> usize {
    atom.0 as usize
}
