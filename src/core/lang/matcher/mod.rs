//! Finds the conditions that an event matches, for all conditions at once.
//!
//! ```text
//!   event --id (and app)---> conditions with that id ----------+
//!         --text-----------> one scan for all literals that ---+--> candidates --every part, exactly--> hits
//!         --raw record-----> the same, if one requires it -----+
//!                            a condition requires              |
//!         --app, host, type> conditions on that sender --------+
//!                            conditions without any of these --+
//! ```
//!
//! [`keys`] chooses by which of these each condition is found.
//!
//! Invariant: the index only leaves out conditions that cannot match; [`matches`] alone decides. So an additional index can
//! make the matcher faster and never changes its result (a test compares it with trying every condition).

mod clauses;
mod grams;
mod keys;
mod literals;
mod matches;
mod plan;
mod table;
mod trace;

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use crate::core::event::{Event, EventId, Value};
use crate::core::inventory::{Index, Inventory};
use crate::core::lang::program::{Atom, AtomId, Hit, Program};

pub(crate) use plan::found_by_nothing;
pub use plan::{Lookup, plan, why_always};
pub use trace::{Clause, ClauseCount, ClauseType};

use grams::Grams;
use keys::LookupKey;
use table::Table;

/// Conditions by a property that an event must have.
type By<K> = BTreeMap<K, Vec<u32>>;

/// The kind of a text, as the beginning of its hash.
const ID: u32 = 1;
const APP: u32 = 2;
const HOST: u32 = 3;
const TYPE: u32 = 4;
const RAW: u32 = 5;

fn of_number(number: u32) -> u32 {
    table::of_number(u64::from(number))
}

/// The conditions of a program, ready to match.
#[derive(Debug, Default)]
pub struct Matcher {
    atoms: Vec<Atom>,
    index: Index,
    by_id: Table<u32>,
    by_id_and_app: Table<u32>,
    /// By application, host and type.
    by_sender: Table<u32>,
    in_text: Literals,
    /// Literals in the raw record. Few rules need one; without them, the raw record is not searched.
    in_raw: Literals,
    always: Vec<u32>,
    /// Fields inside texts that a hit includes.
    inside: Vec<String>,
}

/// Literals, and the conditions that want each.
#[derive(Debug, Default)]
struct Literals {
    /// By their minimum length.
    grams: Vec<(Grams, Vec<Vec<u32>>)>,
    /// Literals that are shorter than a window, if there are any.
    short: Option<(AhoCorasick, Vec<Vec<u32>>)>,
}

/// What the expressions captured and the condition sets, if the event matches the condition. Signals are ignored.
pub fn matches(atom: &Atom, event: &Event<'_>, index: &Index) -> Option<Vec<(String, Value<'static>)>> {
    matches::Scope::new(event, index).matches(atom)
}

impl Literals {
    /// Builds an index. Conditions that it cannot contain are added to `always`.
    fn new(mut literals: By<String>, always: &mut Vec<u32>) -> Literals {
        let mut index = Literals::default();
        for &size in grams::sizes(literals.keys().map(String::len)) {
            let (long, short): (By<_>, _) = literals.into_iter().partition(|(l, _)| l.len() >= Grams::shortest(size));
            literals = short;
            if !long.is_empty() {
                let (texts, conditions): (Vec<_>, Vec<_>) = long.into_iter().map(|(l, n)| (l.into_bytes(), n)).unzip();
                index.grams.push((Grams::new(texts, size), conditions));
            }
        }
        // If the library refuses the set as too large, its conditions are tried one by one.
        match AhoCorasickBuilder::new().ascii_case_insensitive(true).match_kind(MatchKind::Standard).build(literals.keys()) {
            Ok(built) if !literals.is_empty() => index.short = Some((built, literals.into_values().collect())),
            _ => always.extend(literals.into_values().flatten()),
        }
        index
    }

    /// Calls `add` with the conditions of each literal in a text.
    #[inline]
    fn find<'a>(&'a self, text: &str, add: &mut impl FnMut(Option<&'a Vec<u32>>)) {
        for (grams, conditions) in &self.grams {
            grams.find(text, |n| add(conditions.get(n)));
        }
        if let Some((short, conditions)) = &self.short {
            for found in short.find_overlapping_iter(text) {
                add(conditions.get(found.pattern().as_usize()));
            }
        }
    }
}

impl Matcher {
    /// A matcher for the conditions of a program. The inventory resolves the names of applications and hosts in records.
    pub fn new(program: &Program, inventory: Option<&Inventory>) -> Matcher {
        let index = inventory.map(Index::new).unwrap_or_default();
        let mut matcher = Matcher { atoms: program.atoms.clone(), index, inside: program.inside.clone(), ..Matcher::default() };
        let (mut in_text, mut in_raw): (By<String>, By<String>) = Default::default();
        let (mut by_id, mut by_id_and_app, mut by_sender) = (Vec::new(), Vec::new(), Vec::new());
        for (keys, n) in keys::choose(&program.atoms).into_iter().zip(0..) {
            if program.atoms[n as usize].signal.is_some() {
                continue;
            }
            if keys.is_empty() {
                matcher.always.push(n);
            }
            for key in keys {
                let hash = key.hash();
                match key {
                    LookupKey::Number(_) | LookupKey::Word(_) => by_id.push((hash, n)),
                    LookupKey::NumberFrom(..) | LookupKey::WordFrom(..) => by_id_and_app.push((hash, n)),
                    LookupKey::Literal(literal) => in_text.entry(literal).or_default().push(n),
                    LookupKey::Raw(literal) => in_raw.entry(literal).or_default().push(n),
                    LookupKey::App(_) | LookupKey::Host(_) | LookupKey::Type(_) => by_sender.push((hash, n)),
                }
            }
        }
        matcher.by_id = Table::new(by_id);
        matcher.by_id_and_app = Table::new(by_id_and_app);
        matcher.by_sender = Table::new(by_sender);
        matcher.in_text = Literals::new(in_text, &mut matcher.always);
        matcher.in_raw = Literals::new(in_raw, &mut matcher.always);
        matcher
    }

    /// Replaces `hits` with the conditions that the event matches, in order.
    pub fn matches(&self, event: &Event<'_>, hits: &mut Vec<Hit>) {
        hits.clear();
        // Most events have no candidate; then nothing is allocated.
        let mut candidates: Vec<u32> = Vec::new();
        candidates.extend_from_slice(&self.always);
        if let Some(id) = &event.id {
            let id = match id {
                EventId::Number { number, .. } => of_number(*number),
                EventId::Word(word) => table::of_text(word, ID),
            };
            candidates.extend(self.by_id.get(id));
            if !self.by_id_and_app.is_empty() {
                candidates.extend(self.by_id_and_app.get(table::of_text(self.index.names(event).app, id)));
            }
        }
        if !self.by_sender.is_empty() {
            let names = self.index.names(event);
            for (name, what) in [(names.app, APP), (names.host, HOST), (names.kind, TYPE)] {
                candidates.extend(self.by_sender.get(table::of_text(name, what)));
            }
        }
        let mut add = |found: Option<&Vec<u32>>| candidates.extend(found.into_iter().flatten());
        self.in_text.find(&event.text, &mut add);
        self.in_raw.find(event.raw(), &mut add);
        if candidates.is_empty() {
            return;
        }
        candidates.sort_unstable();
        candidates.dedup();
        let scope = matches::Scope::new(event, &self.index);
        for n in candidates {
            if let Some(mut captures) = self.atoms.get(n as usize).and_then(|atom| scope.matches(atom)) {
                captures.extend(self.inside.iter().filter_map(|f| Some((f.clone(), event.field(f)?.into_owned()))));
                hits.push(Hit { atom: AtomId(n), captures });
            }
        }
    }

    /// The result of each clause of a condition for an event, and what the condition captured if it matches.
    pub fn explain(&self, atom: &Atom, event: &Event<'_>) -> (Vec<Clause>, Option<Vec<(String, Value<'static>)>>) {
        let mut clauses = Vec::new();
        let captures = matches::Scope::new(event, &self.index).matches_traced(atom, &mut clauses);
        (clauses, captures)
    }

    /// The number of clauses of a condition that hold for an event.
    pub fn count_clauses(&self, atom: &Atom, event: &Event<'_>) -> ClauseCount {
        let mut count = ClauseCount::default();
        matches::Scope::new(event, &self.index).matches_traced(atom, &mut count);
        count
    }

    /// As [`Matcher::matches`], by trying every condition; the index is tested against it.
    #[cfg(test)]
    fn matches_without_index(&self, event: &Event<'_>) -> Vec<Hit> {
        let scope = matches::Scope::new(event, &self.index);
        let all = self.atoms.iter().zip(0..).filter(|(atom, _)| atom.signal.is_none());
        all.filter_map(|(atom, n)| Some(Hit { atom: AtomId(n), captures: scope.matches(atom)? })).collect()
    }
}

#[cfg(test)]
mod tests;
