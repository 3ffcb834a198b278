//! Joined states: active alarms, lost hosts, stopped applications, counts of groups, and their negation with `not`.
//!
//! ```text
//!   a state begins or ends --> which keys does it concern? --> evaluate all terms of each key from the state --+--> fires
//!   a start, a reload -----------> all candidate keys ---------/                                               +--> ends
//! ```
//!
//! All terms are evaluated again at each change of a term, so no stored result can become wrong. A change makes the condition
//! fire only if it is a change towards it: a state that began, or a negated one that ended.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::core::base::time::Time;
use crate::core::event::{Event, Trust, Value};
use crate::core::lang::program::{Alarm, Hit, MemberState, Mode, Shape, StateHolds, States, Term};

use super::Engine;
use super::arrival::{Arrival, Match};
use super::fields::trust_field;
use super::fields::{self, EventView};
use super::key::Key;
use super::record::Fields;
use super::trace::Decision;
use super::turn::Output;

/// The keys for which one term is true, with their trust. A term without keys has only the empty key.
type Table = BTreeMap<Key, Trust>;

/// A change of a term of joined states.
struct Turn<'m, 'a> {
    arrival: &'m Arrival<'a>,
    /// A view of the event; `None` when there was none.
    view: Option<EventView<'a>>,
    /// The change may make the condition true.
    towards: bool,
    /// The trust of the sender that ended a negated state. Whoever can end a state can cause what depends on its absence.
    most: Trust,
}

impl Engine {
    /// Handles the beginning or the end of states that an alarm joins.
    pub(super) fn states<'a>(&mut self, arrival: &Arrival<'a>, alarm: &Alarm, parts: &[Option<&'a Hit>], out: &mut Vec<Output>) {
        let Shape::States(states) = &alarm.detect.shape else { return };
        let mut turn = Turn { arrival, view: None, towards: false, most: Trust::Authenticated };
        let mut keys = Some(BTreeSet::new());
        // One change may belong to several terms.
        for (part, hit) in parts.iter().enumerate() {
            let (Some(hit), Some(term)) = (hit, states.terms.get(part / 2)) else { continue };
            let view = arrival.view(hit);
            let ended = part % 2 == 1;
            turn.towards |= ended == term.negated;
            if ended && term.negated {
                turn.most = arrival.event.trust;
            }
            keys = keys.zip(self.concerned(alarm, term, &view, out)).map(|(keys, more)| &keys | &more);
            turn.view = Some(view);
        }
        self.evaluate_keys(&turn, alarm, states, keys, out);
    }

    /// After a start, raises conditions that are true from the beginning, for all candidate keys.
    pub(super) fn begin_states(&mut self, now: Time, sequence: u64, out: &mut Vec<Output>) {
        let (program, index) = (self.program.clone(), self.index.clone());
        let event = Event { trust: Trust::Authenticated, ..Event::default() };
        for alarm in program.alarms.iter().filter(|a| a.mode != Mode::Off) {
            if let Shape::States(states) = &alarm.detect.shape
                && states.at_rest()
            {
                let arrival = Arrival { now, sequence, event: &event, index: &index, late: None };
                let turn = Turn { arrival: &arrival, view: None, towards: true, most: Trust::Authenticated };
                self.evaluate_keys(&turn, alarm, states, None, out);
            }
        }
    }

    /// The keys that a change of a term concerns; `None`: all keys.
    fn concerned(&mut self, alarm: &Alarm, term: &Term, view: &EventView<'_>, out: &mut Vec<Output>) -> Option<BTreeSet<Key>> {
        if !term.keyed {
            return None;
        }
        match &term.what {
            StateHolds::Members(counted) => {
                let member = view.text(counted.field).unwrap_or_default();
                Some(counted.groups.iter().filter(|group| group.has(&member)).map(|group| Key::of(&group.key)).collect())
            }
            StateHolds::Any(MemberState::Lost, _) if of_apps(alarm) => {
                let host = view.text("host").unwrap_or_default();
                Some(self.as_apps(alarm, |of| *of == *host))
            }
            StateHolds::Any(..) => Some(self.key(alarm, view, out).into_iter().collect()),
        }
    }

    /// The keys of the applications of hosts.
    fn as_apps(&self, alarm: &Alarm, wanted: impl Fn(&str) -> bool) -> BTreeSet<Key> {
        let apps = self.inventory.applications.iter().filter(|(_, app)| wanted(&app.host));
        apps.filter_map(|(name, _)| key_of(&alarm.by, &self.all_of(&self.of_app(name)))).collect()
    }

    /// Adds the fields that the inventory derives.
    fn all_of(&self, fields: &Fields) -> Fields {
        fields::fields_of(&fields::event_of(fields), &[], &self.index)
    }

    /// Evaluates the joined states of these keys now.
    fn evaluate_keys(
        &mut self,
        turn: &Turn<'_, '_>,
        alarm: &Alarm,
        states: &States,
        keys: Option<BTreeSet<Key>>,
        out: &mut Vec<Output>,
    ) {
        if keys.as_ref().is_some_and(BTreeSet::is_empty) {
            return;
        }
        let only = keys.as_ref().filter(|keys| keys.len() == 1).and_then(BTreeSet::first);
        let tables: Vec<Table> = states.terms.iter().map(|term| self.holding(alarm, term, only)).collect();
        let keys = keys.unwrap_or_else(|| self.candidate_keys(alarm, states, &tables));
        for key in keys {
            match evaluate(states, &tables, &key, turn.most) {
                Some(trust) => self.raise_for_key(turn, alarm, states, key, trust, out),
                None => {
                    self.decided(turn.arrival.now, alarm, Some(&key), Decision::NoState, || missing(states, &tables, &key));
                    self.drop_begun(alarm, &key, out);
                    if alarm.cancel.is_empty() {
                        self.clear(&turn.arrival.ending(), &alarm.name, &key, out);
                    }
                }
            }
        }
    }

    /// All keys for which the condition may be true or false: those of its terms, its own, and those of the inventory.
    fn candidate_keys(&self, alarm: &Alarm, states: &States, tables: &[Table]) -> BTreeSet<Key> {
        if alarm.by.is_empty() {
            return [Key::default()].into();
        }
        let keyed = states.terms.iter().zip(tables).filter(|(term, _)| term.keyed).flat_map(|(_, table)| table.keys().cloned());
        let own = self.state.active_of(&alarm.name).map(|(key, _)| key.clone());
        let pending = self.state.pending_of(&alarm.name).map(|(key, _)| key.clone());
        let candidates = states.candidates.iter().flatten().map(Key::of);
        keyed.chain(own).chain(pending).chain(candidates).collect()
    }

    /// Raises the alarm for a key for which the condition is true.
    fn raise_for_key(
        &mut self,
        turn: &Turn<'_, '_>,
        alarm: &Alarm,
        states: &States,
        key: Key,
        mut trust: Trust,
        out: &mut Vec<Output>,
    ) {
        if self.state.instance(&alarm.name, &key).is_some() {
            return;
        }
        if let Some(waiting) = self.state.pending(&alarm.name, &key)
            && states.terms.iter().any(|term| term.negated)
        {
            // The trust of the sender that ended a negated state is lost by now.
            trust = trust.min(fields::trust(&waiting.event));
        }
        self.lower_pending_trust(alarm, &key, trust, out);
        if !turn.towards {
            return;
        }
        let values = || alarm.by.iter().zip(key.values());
        let mut more: Fields = values().map(|(field, value)| (field.clone(), Value::from(&*value).into_owned())).collect();
        more.extend(trust_field(trust));
        // The event may be about another key; then its fields do not belong to this one.
        let own = turn.view.filter(|view| values().all(|(f, value)| view.text(f).is_none_or(|own| own == value)));
        let event = fields::event_of(&self.of_key(alarm, &key, trust));
        let arrival = match own {
            Some(_) => Arrival { late: turn.arrival.late.clone(), ..*turn.arrival },
            None => Arrival { event: &event, late: turn.arrival.late.clone(), ..*turn.arrival },
        };
        let view = own.unwrap_or_else(|| EventView::new(&event, &[], turn.arrival.index));
        self.fire(Match { arrival: &arrival, alarm, at: arrival.now, key: key.clone(), view }, more, out);
    }

    /// The keys for which a term is true, without its `not`; only the key `only`, if it is set.
    fn holding(&self, alarm: &Alarm, term: &Term, only: Option<&Key>) -> Table {
        let mut table = Table::new();
        let mut add = |key: Key, trust: Trust| {
            if !term.keyed || only.is_none_or(|only| *only == key) {
                table.entry(key).and_modify(|so_far| *so_far = trust.max(*so_far)).or_insert(trust);
            }
        };
        let by = if term.keyed { alarm.by.as_slice() } else { &[] };
        match &term.what {
            StateHolds::Members(counted) => {
                for group in &counted.groups {
                    let key = if term.keyed { Key::of(&group.key) } else { Key::default() };
                    let mut trust = self.in_state(&counted.state, counted.field, group);
                    // The wanted number of members with the highest trust is enough.
                    trust.sort_unstable_by(|a, b| b.cmp(a));
                    if let Some(trust) = group.n.checked_sub(1).and_then(|n| trust.get(n)) {
                        add(key, *trust);
                    }
                }
            }
            StateHolds::Any(state @ (MemberState::Active(name) | MemberState::Unacked(name)), _) => {
                // Most have the keys of the alarm that they are about.
                let same = term.keyed && self.alarm(&self.program, name).is_some_and(|about| about.by == alarm.by);
                match only.filter(|_| same) {
                    Some(key) => {
                        let instance = self.state.instance(name, key).filter(|_| self.is_in(state, key));
                        instance.into_iter().for_each(|i| add(key.clone(), fields::trust(&i.event)));
                    }
                    None => {
                        for (_, instance) in self.state.active_of(name).filter(|(key, _)| self.is_in(state, key)) {
                            key_of(by, &instance.event).into_iter().for_each(|key| add(key, fields::trust(&instance.event)));
                        }
                    }
                }
            }
            StateHolds::Any(state, names) => {
                let (field, all) =
                    if *state == MemberState::Lost { ("host", &self.state.lost) } else { ("app", &self.state.stopped) };
                let wanted = |name: &str| names.is_empty() || names.binary_search_by(|n| n.as_str().cmp(name)).is_ok();
                // Most have the one key that tells them apart.
                let same = term.keyed && alarm.by == [field];
                match only.filter(|_| same) {
                    Some(key) => {
                        let named = key.value(0).filter(|name| all.contains(&**name) && wanted(name));
                        named.into_iter().for_each(|_| add(key.clone(), Trust::Authenticated));
                    }
                    None if *state == MemberState::Lost && term.keyed && of_apps(alarm) => {
                        let keys = self.as_apps(alarm, |host| all.contains(host) && wanted(host));
                        keys.into_iter().for_each(|key| add(key, Trust::Authenticated));
                    }
                    None => {
                        for name in all.iter().filter(|name| wanted(name)) {
                            let of = if field == "host" { fields::authenticated([("host", name)]) } else { self.of_app(name) };
                            key_of(by, &self.all_of(&of)).into_iter().for_each(|key| add(key, Trust::Authenticated));
                        }
                    }
                }
            }
        }
        table
    }

    /// True when an active instance is in this state of its alarm.
    fn is_in(&self, state: &MemberState, key: &Key) -> bool {
        !matches!(state, MemberState::Unacked(name) if self.state.acked(name, key).is_some())
    }
}

/// True when the keys tell applications apart: a lost host then counts for each of its applications.
fn of_apps(alarm: &Alarm) -> bool {
    !alarm.by.iter().all(|field| field == "host" || field == "site")
}

/// Describes which of the joined states do not hold for a key.
fn missing(states: &States, tables: &[Table], key: &Key) -> String {
    let none = Key::default();
    let each = states.terms.iter().zip(tables).zip(1..).filter_map(|((term, table), n)| {
        let holds = table.contains_key(if term.keyed { key } else { &none });
        let what = term.alarm().map_or_else(|| format!("state {n}"), |alarm| format!("alarm {alarm} active"));
        match (holds, term.negated) {
            (false, false) => Some(format!("`{what}` does not hold")),
            (true, true) => Some(format!("`not {what}` does not hold")),
            _ => None,
        }
    });
    let each: Vec<String> = each.collect();
    if each.is_empty() { "the key is none of those that its states are about".to_owned() } else { each.join(", ") }
}

/// The key that these fields have.
fn key_of(by: &[String], fields: &Fields) -> Option<Key> {
    by.iter().map(|field| fields.get(field).map(Value::to_string)).collect::<Option<Vec<_>>>().map(Key::of)
}

/// Returns whether the condition is true for a key, as its trust: the lowest trust of all terms, or the highest of
/// alternative terms. A negated state has the trust of the sender that ended it, if its end makes the condition true.
fn evaluate(states: &States, tables: &[Table], key: &Key, most: Trust) -> Option<Trust> {
    if let Some(candidates) = &states.candidates {
        let values: Vec<Cow<'_, str>> = key.values().collect();
        let by_value = |k: &Vec<String>| k.iter().map(String::as_str).cmp(values.iter().map(|v| &**v));
        candidates.binary_search_by(by_value).ok()?;
    }
    let none = Key::default();
    let terms = states.terms.iter().zip(tables);
    let mut terms = terms.map(|(term, table)| (term.negated, table.get(if term.keyed { key } else { &none }).copied()));
    if states.all {
        return terms.try_fold(most, |least, term| match term {
            (false, Some(trust)) => Some(least.min(trust)),
            (true, None) => Some(least),
            _ => None,
        });
    }
    let (mut best, mut rests) = (None, false);
    for term in terms {
        match term {
            (false, trust) => best = best.max(trust),
            (true, holds) => rests |= holds.is_none(),
        }
    }
    best.or(rests.then_some(most))
}
