//! The engine, pure: alarms that are raised and cleared by events and time, and the claims of pairs.
//!
//! ```text
//!   Arrived (event + the atoms it meets) --+                  +--> Record   (all that the state changes by)
//!   Clear, Lost, BacklogEnded -------------+--> turn(now) ----+--> Cue      (reactions to start)
//!   Timer ---------------------------------+                  +--> CatchUp  (a late claim that stands)
//!                                                             +--> Notice   (for people)
//! ```
//!
//! The life of an instance (one alarm, one key):
//!
//! ```text
//!            detect                     detect: refresh | ignore | rerun (by `while active`)
//!    (none) -------> active, count 1 ------------------------------------+
//!      ^                |      ^                                          |
//!      |  after, when,  |      +------------------------------------------+
//!      +-- by hand -----+          `cancel at once`: raised and cleared in one, nothing is kept
//! ```
//!
//! A condition of several events is noted and awaited before it is met (`condition.rs`); a limit puts reactions off (`limit.rs`).
//!
//! Invariants: the state changes only by [`Record`]s; one input gives the same outputs whenever its turn comes; a late
//! event changes alarms but starts no reaction. Does not know: clocks, scripts, hosts' agents, who owns what.
//! Tests: `tests/it/engine.rs` (the whole transition table), rule tests.

mod claims;
mod condition;
mod fields;
mod lateness;
mod limit;
mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::time::{Time, duration_text};
use crate::event::{Event, Provenance, Value};
use crate::inventory::{Index, Inventory, Name};
use crate::lang::program::{Alarm, AtomId, Call, Cancel, Category, Hit, Mode, Program, WhileActive};
use crate::lang::shape::Reset;

pub use fields::fields_of;
pub use record::{Cause, Claim, Fields, Instance, Key, Note, PutOff, Record, State, Waiting};

/// What the engine is told. Orders are the journal's numbers of inputs: strictly increasing.
#[derive(Clone, Debug)]
pub enum Input {
    /// An event that meets atoms, or is a claim ([`is_claim`]).
    Arrived {
        /// Its order.
        order: u64,
        /// Where it came from.
        source: String,
        /// The record.
        event: Box<Event<'static>>,
        /// The atoms that it meets, in order.
        hits: Vec<Hit>,
        /// It was written while nobody listened.
        backlog: bool,
    },
    /// An alarm is cleared by hand, of one key or of all.
    Clear {
        /// Its order.
        order: u64,
        /// Which alarm.
        alarm: String,
        /// Which key.
        key: Option<Key>,
        /// By whom.
        by: String,
    },
    /// What was written while nobody listened has been read.
    BacklogEnded {
        /// Its order.
        order: u64,
    },
    /// A host is lost, or is not any more.
    Lost {
        /// Which.
        host: Name,
        /// Lost.
        lost: bool,
    },
    /// A deadline passed.
    Timer {
        /// Its order.
        order: u64,
    },
}

/// What the engine wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Journal this.
    Record(Record),
    /// Start these reactions.
    Cue(Box<Cue>),
    /// A claim came too late to act, and stands: the host should have the pair's resource.
    CatchUp {
        /// Which pair.
        pair: Name,
        /// Its resource.
        resource: Name,
        /// Whose.
        host: Name,
        /// The claim's order.
        order: u64,
        /// How far the claimant is known.
        provenance: Provenance,
    },
    /// Something that people should know.
    Notice(Notice),
}

/// Reactions that an alarm starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Cue {
    /// Which alarm.
    pub alarm: String,
    /// Which instance.
    pub key: Key,
    /// Gravity.
    pub category: Category,
    /// Why it was cleared, when these are its reactions to that.
    pub cleared: Option<Cause>,
    /// Chains of calls: chains start together, in order.
    pub chains: Vec<Vec<Call>>,
    /// What becomes of the calls.
    pub mode: Mode,
    /// For people.
    pub summary: String,
    /// How often its condition was met.
    pub count: u64,
    /// When it was raised.
    pub raised_at: Time,
    /// The order of the input that caused it.
    pub order: u64,
    /// The event.
    pub event: Fields,
}

/// Something that people should know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// A stable word.
    pub kind: &'static str,
    /// What happened, and what to do.
    pub text: String,
    /// About which alarm.
    pub alarm: Option<String>,
    /// About which resource.
    pub resource: Option<Name>,
    /// About which host.
    pub host: Option<Name>,
}

impl Notice {
    fn new(kind: &'static str, text: impl Into<String>) -> Notice {
        Notice { kind, text: text.into(), ..Notice::default() }
    }
}

/// What an atom is to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// It cancels.
    Cancels,
    /// It is in this part of the condition.
    Part(usize),
}

/// What falls due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// What was awaited comes true.
    Awaited,
    /// What a limit put off may start.
    PutOff,
    /// An instance's time is over.
    Over,
}

/// An event on its way through the alarms.
struct Arrival<'a> {
    now: Time,
    order: u64,
    event: &'a Event<'static>,
    late: Option<String>,
}

/// When and why an alarm's condition is met.
struct Occasion {
    now: Time,
    order: u64,
    /// Why it may start nothing: what led to it came late.
    late: Option<String>,
    /// Why it may not start its reactions: what led to it is older than the alarm wants.
    old: Option<String>,
}

impl Arrival<'_> {
    fn occasion(&self, alarm: &Alarm) -> Occasion {
        Occasion { now: self.now, order: self.order, late: self.late.clone(), old: too_old(alarm, self) }
    }
}

/// The engine.
#[derive(Clone, Debug)]
pub struct Engine {
    program: Arc<Program>,
    inventory: Arc<Inventory>,
    index: Index,
    state: State,
    /// By atom: the alarms that it is something to, by index.
    roles: BTreeMap<AtomId, Vec<(usize, Role)>>,
    /// By name: the alarms, by index.
    names: BTreeMap<String, usize>,
    /// By time: what falls due then.
    due: BTreeSet<(Time, Due, String, Key)>,
}

impl Engine {
    /// An engine with these rules that goes on from a state.
    pub fn start(program: Arc<Program>, inventory: Arc<Inventory>, state: State) -> Engine {
        let mut roles: BTreeMap<AtomId, Vec<(usize, Role)>> = BTreeMap::new();
        for (index, alarm) in program.alarms.iter().enumerate() {
            let detects =
                alarm.detect.parts.iter().enumerate().flat_map(|(p, atoms)| atoms.iter().map(move |a| (a, Role::Part(p))));
            let cancels = alarm.cancel.iter().filter_map(|c| if let Cancel::When(atoms) = c { Some(atoms) } else { None });
            let all: BTreeSet<(&AtomId, Role)> = detects.chain(cancels.flatten().map(|a| (a, Role::Cancels))).collect();
            for (atom, role) in all {
                roles.entry(*atom).or_default().push((index, role));
            }
        }
        let over = state.active().filter_map(|(alarm, key, i)| Some((i.due?, Due::Over, alarm.to_owned(), key.clone())));
        let awaited = state.all_awaited().map(|(alarm, key, w)| (w.due, Due::Awaited, alarm.to_owned(), key.clone()));
        let put_off = state.all_put_off().map(|(alarm, group, p)| (p.due, Due::PutOff, alarm.to_owned(), group.clone()));
        let due = over.chain(awaited).chain(put_off).collect();
        let names = program.alarms.iter().enumerate().map(|(index, alarm)| (alarm.name.clone(), index)).collect();
        Engine { index: Index::new(&inventory), program, inventory, state, roles, names, due }
    }

    /// What it must not forget.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// When [`Input::Timer`] is due next.
    pub fn next_deadline(&self) -> Option<Time> {
        self.due.first().map(|(at, ..)| *at)
    }

    /// Takes one input.
    pub fn turn(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Arrived { order, source, event, hits, backlog } => {
                let late = self.lateness(now, &source, &event, backlog, out);
                self.claim(now, order, backlog, &event, out);
                self.arrived(&Arrival { now, order, event: &event, late }, &hits, out);
            }
            Input::Clear { order, alarm, key, by } => {
                let keys: Vec<Key> = match key {
                    Some(key) => vec![key],
                    None => self.state.alarms.get(&alarm).map(|k| k.keys().cloned().collect()).unwrap_or_default(),
                };
                for key in keys {
                    self.clear(now, order, &alarm, &key, Cause::ByHand(by.clone()), true, out);
                }
            }
            Input::BacklogEnded { .. } => self.weigh(out),
            Input::Lost { host, lost } => {
                if self.state.lost.contains(&host) != lost {
                    self.record(Record::Lost { host, lost }, out);
                }
            }
            Input::Timer { order } => {
                while let Some(entry) = self.due.first().cloned().filter(|(at, ..)| *at <= now) {
                    // Also one whose key was forgotten meanwhile.
                    self.due.remove(&entry);
                    let (at, what, alarm, key) = entry;
                    match what {
                        Due::Awaited => self.comes_true(at, order, &alarm, &key, out),
                        Due::PutOff => self.may_start(at, order, &alarm, &key, out),
                        Due::Over => self.clear(at, order, &alarm, &key, Cause::After, true, out),
                    }
                }
            }
        }
    }

    /// Goes on with other rules. All alarms keep their state but those in `reset`, which have another key or shape
    /// ([`crate::lang::shape::reset`]), and those that are gone.
    pub fn reload(
        &mut self,
        now: Time,
        order: u64,
        reset: &Reset,
        program: Arc<Program>,
        inventory: Arc<Inventory>,
        out: &mut Vec<Output>,
    ) {
        *self = Engine::start(program, inventory, std::mem::take(&mut self.state));
        let waits = self.state.all_put_off().filter(|(alarm, ..)| reset.contains_key(*alarm));
        let waits: Vec<(String, Key)> = waits.map(|(alarm, group, _)| (alarm.to_owned(), group.clone())).collect();
        for (alarm, group) in waits {
            self.record(Record::PutOff { alarm, group, what: None }, out);
        }
        self.drop_where(now, order, &Cause::Changed, |_, alarm| reset.contains_key(alarm), out);
        self.drop_removed(now, order, out);
    }

    /// Alarms that the rules no longer have are cleared with that cause.
    pub fn drop_removed(&mut self, now: Time, order: u64, out: &mut Vec<Output>) {
        self.drop_where(now, order, &Cause::Removed, |me, alarm| !me.names.contains_key(alarm), out);
    }

    /// Nothing is left of these alarms, and no reaction is started.
    fn drop_where(&mut self, now: Time, order: u64, cause: &Cause, these: impl Fn(&Engine, &str) -> bool, out: &mut Vec<Output>) {
        let own = |(alarm, key): (&str, &Key)| (alarm.to_owned(), key.clone());
        let active = self.state.active().map(|(alarm, key, _)| (alarm, key)).filter(|(alarm, _)| these(self, alarm));
        let active: Vec<(String, Key)> = active.map(own).collect();
        let begun: Vec<(String, Key)> = self.state.begun().into_iter().filter(|(alarm, _)| these(self, alarm)).map(own).collect();
        for (alarm, key) in active {
            self.clear(now, order, &alarm, &key, cause.clone(), false, out);
        }
        for (alarm, key) in begun {
            self.record(Record::Forgotten { alarm, key }, out);
        }
    }

    fn record(&mut self, record: Record, out: &mut Vec<Output>) {
        // The index of deadlines follows the state.
        let named = match &record {
            Record::Raised { alarm, key, .. }
            | Record::Repeated { alarm, key, .. }
            | Record::Cleared { alarm, key, .. }
            | Record::Awaited { alarm, key, .. }
            | Record::Started { alarm, group: key, .. }
            | Record::PutOff { alarm, group: key, .. }
            | Record::Forgotten { alarm, key } => Some((alarm.clone(), key.clone())),
            _ => None,
        };
        for due in named.as_ref().map(|(alarm, key)| self.dues(alarm, key)).unwrap_or_default() {
            self.due.remove(&due);
        }
        self.state.apply(&record);
        self.due.extend(named.map(|(alarm, key)| self.dues(&alarm, &key)).unwrap_or_default());
        out.push(Output::Record(record));
    }

    /// What falls due of a key.
    fn dues(&self, alarm: &str, key: &Key) -> Vec<(Time, Due, String, Key)> {
        let over = self.state.instance(alarm, key).and_then(|i| i.due).map(|at| (at, Due::Over));
        let awaited = self.state.waiting(alarm, key).map(|w| (w.due, Due::Awaited));
        let put_off = self.state.starts(alarm, key).and_then(|s| s.put_off.as_ref()).map(|p| (p.due, Due::PutOff));
        over.into_iter().chain(awaited).chain(put_off).map(|(at, what)| (at, what, alarm.to_owned(), key.clone())).collect()
    }

    /// Said once, restarts included.
    fn tell_once(&mut self, about: String, notice: Notice, out: &mut Vec<Output>) {
        if !self.state.told.contains(&about) {
            self.record(Record::Told { about }, out);
            out.push(Output::Notice(notice));
        }
    }

    fn arrived(&mut self, arrival: &Arrival<'_>, hits: &[Hit], out: &mut Vec<Output>) {
        let program = self.program.clone();
        // By alarm, in the order of the rules: what cancels goes before what detects.
        let mut met: BTreeMap<usize, (Option<&Hit>, Vec<Option<&Hit>>)> = BTreeMap::new();
        for hit in hits {
            for (index, role) in self.roles.get(&hit.atom).into_iter().flatten() {
                let (cancels, parts) = met.entry(*index).or_default();
                match role {
                    Role::Cancels => {
                        cancels.get_or_insert(hit);
                    }
                    Role::Part(part) => {
                        parts.resize(parts.len().max(*part + 1), None);
                        parts.get_mut(*part).map(|met| met.get_or_insert(hit));
                    }
                }
            }
        }
        for (index, (cancels, parts)) in met {
            let Some(alarm) = program.alarms.get(index).filter(|a| a.mode != Mode::Off) else { continue };
            if let Some(hit) = cancels {
                let fields = fields_of(arrival.event, &hit.captures, &self.index);
                if let Some(key) = self.key(alarm, &fields, out) {
                    if alarm.hold.is_some() {
                        self.forget(alarm, &key, out);
                    }
                    self.clear(arrival.now, arrival.order, &alarm.name, &key, Cause::When, arrival.late.is_none(), out);
                }
            }
            self.met(arrival, alarm, &parts, out);
        }
    }

    /// The instance that an event is about; `None` when it lacks a field of the key.
    fn key(&mut self, alarm: &Alarm, fields: &Fields, out: &mut Vec<Output>) -> Option<Key> {
        let mut key = Vec::with_capacity(alarm.by.len());
        for field in &alarm.by {
            match fields.get(field) {
                Some(value) => key.push(value.to_string()),
                None => {
                    self.lacks(alarm, field, "has in its `by`", out);
                    return None;
                }
            }
        }
        Some(Key(key))
    }

    /// An event without a field that an alarm needs is not taken.
    fn lacks(&mut self, alarm: &Alarm, field: &str, what: &str, out: &mut Vec<Output>) {
        let text = format!(
            "an event that {} wants has no {field}, which the alarm {what}; such events are not taken (said once)",
            alarm.name
        );
        let notice = Notice { alarm: Some(alarm.name.clone()), ..Notice::new("no_key", text) };
        self.tell_once(format!("no_key {} {field}", alarm.name), notice, out);
    }

    fn raise(&mut self, on: &Occasion, alarm: &Alarm, key: Key, fields: Fields, out: &mut Vec<Output>) {
        let (now, order) = (on.now, on.order);
        let at_once = alarm.cancel.contains(&Cancel::AtOnce);
        let active = self.state.instance(&alarm.name, &key).cloned();
        let acts = match &active {
            None => {
                if let Some(other) = self.inhibitor(alarm, &key) {
                    let text = format!("{} is not raised while {other} is active", alarm.name);
                    let notice = Notice { alarm: Some(alarm.name.clone()), ..Notice::new("inhibited", text) };
                    return out.push(Output::Notice(notice));
                }
                if !self.has_room(alarm, out) {
                    return;
                }
                let due = if at_once { None } else { deadline(alarm, now, now) };
                let summary = fill_summary(alarm, &fields);
                let event = fields.clone();
                self.record(
                    Record::Raised { alarm: alarm.name.clone(), key: key.clone(), order, at: now, due, event, summary },
                    out,
                );
                true
            }
            Some(instance) => {
                let due = match alarm.while_active {
                    WhileActive::Ignore => instance.due,
                    WhileActive::Refresh | WhileActive::Rerun => deadline(alarm, instance.raised_at, now),
                };
                self.record(Record::Repeated { alarm: alarm.name.clone(), key: key.clone(), order, at: now, due }, out);
                alarm.while_active == WhileActive::Rerun
            }
        };
        let instance = self.state.instance(&alarm.name, &key).cloned();
        if acts && !alarm.react.is_empty() {
            match on.late.as_ref().or(on.old.as_ref()) {
                Some(why) => {
                    let text = format!("{} acts on nothing here: {why}", alarm.name);
                    let notice = Notice { alarm: Some(alarm.name.clone()), ..Notice::new("late", text) };
                    out.push(Output::Notice(notice));
                }
                None => {
                    if let Some(instance) = instance {
                        self.start_reactions(now, order, alarm, &key, instance, fields, out);
                    }
                }
            }
        }
        if at_once {
            self.clear(now, order, &alarm.name, &key, Cause::AtOnce, on.late.is_none(), out);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "an instance, a cause, and where they go")]
    fn clear(&mut self, at: Time, order: u64, alarm: &str, key: &Key, cause: Cause, acts: bool, out: &mut Vec<Output>) {
        let Some(instance) = self.state.instance(alarm, key).cloned() else { return };
        if cause != Cause::AtOnce {
            self.drop_put_off(alarm, key, out);
        }
        let record = Record::Cleared { alarm: alarm.to_owned(), key: key.clone(), at, cause: cause.clone() };
        self.record(record, out);
        let program = self.program.clone();
        if let Some(alarm) = self.names.get(alarm).and_then(|index| program.alarms.get(*index))
            && acts
            && !alarm.on_cancel.is_empty()
        {
            let mut event = instance.event.clone();
            event.insert("cause".to_owned(), Value::from(cause.to_string().as_str()));
            out.push(cue(alarm, key, &instance, Some(cause), alarm.on_cancel.clone(), order, event));
        }
    }
}

/// True when the event says which of a pair is primary.
pub fn is_claim(inventory: &Inventory, index: &Index, event: &Event<'_>) -> bool {
    claims::claim_of(inventory, index, event).is_some()
}

/// When an instance's time is over; `None` when only an event or a hand ends it.
fn deadline(alarm: &Alarm, raised_at: Time, last_at: Time) -> Option<Time> {
    let ends = alarm.cancel.iter().filter_map(|cancel| match cancel {
        Cancel::After { span, since_raise: true } => Some(raised_at + *span),
        Cancel::After { span, since_raise: false } => Some(last_at + *span),
        _ => None,
    });
    ends.min()
}

fn too_old(alarm: &Alarm, arrival: &Arrival<'_>) -> Option<String> {
    let limit = alarm.max_age?;
    let age = arrival.now.since(arrival.event.at?);
    (age > limit).then(|| format!("the record is {} old, `max age` is {}", duration_text(age), duration_text(limit)))
}

fn fill_summary(alarm: &Alarm, fields: &Fields) -> String {
    fields::fill(&alarm.summary, fields)
}

fn cue(
    alarm: &Alarm,
    key: &Key,
    instance: &Instance,
    cleared: Option<Cause>,
    chains: Vec<Vec<Call>>,
    order: u64,
    event: Fields,
) -> Output {
    Output::Cue(Box::new(Cue {
        alarm: alarm.name.clone(),
        key: key.clone(),
        category: alarm.category,
        cleared,
        chains,
        mode: alarm.mode,
        summary: instance.summary.clone(),
        count: instance.count,
        raised_at: instance.raised_at,
        order,
        event,
    }))
}
