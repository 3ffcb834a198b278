//! Which conditions an event meets, for all of them at once.
//!
//! ```text
//!   event --id--------> conditions with that id ----------+
//!         --text------> one scan for all literals that ---+--> candidates --every part, exactly--> hits
//!                       a condition cannot do without     |
//!         --app-------> conditions on that application ---+
//!                       conditions without any of these --+
//! ```
//!
//! Invariant: the index only ever leaves out what could not match; [`meets`] alone decides. So adding an index can make the
//! matcher faster and never different (a test compares it with trying every condition).

mod grams;
mod literals;
mod meets;

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use crate::event::{Event, EventId};
use crate::inventory::Inventory;
use crate::lang::program::{Atom, AtomId, Hit, IdPattern, Program, Sender};
use grams::Grams;

/// A range of ids no wider than this is indexed number by number.
const RANGE_INDEXED: u32 = 64;

/// The conditions of a program, ready to match.
#[derive(Debug)]
pub struct Matcher {
    atoms: Vec<Atom>,
    inventory: Option<Inventory>,
    by_number: BTreeMap<u32, Vec<u32>>,
    by_word: BTreeMap<String, Vec<u32>>,
    /// By the application as records write it: names and aliases.
    by_app: BTreeMap<String, Vec<u32>>,
    /// The literals, by how long they are, with the conditions that want each.
    grams: Vec<(Grams, Vec<Vec<u32>>)>,
    /// The literals that are shorter than a window, if there are any.
    short: Option<(AhoCorasick, Vec<Vec<u32>>)>,
    always: Vec<u32>,
}

impl Matcher {
    /// The conditions of a program; an inventory resolves what records call applications and hosts.
    pub fn new(program: &Program, inventory: Option<&Inventory>) -> Matcher {
        let mut matcher = Matcher {
            atoms: program.atoms.clone(),
            inventory: inventory.cloned(),
            by_number: BTreeMap::new(),
            by_word: BTreeMap::new(),
            by_app: BTreeMap::new(),
            grams: Vec::new(),
            short: None,
            always: Vec::new(),
        };
        let options: Vec<Vec<Vec<String>>> = program.atoms.iter().map(literals::of_atom).collect();
        // A literal that many conditions have (`process `) tells less than one of a single condition (`-0042 `).
        let mut shared: BTreeMap<&str, usize> = BTreeMap::new();
        for literal in options.iter().flatten().flatten() {
            *shared.entry(literal).or_default() += 1;
        }
        let cost = |set: &Vec<String>| {
            let shortest = set.iter().map(String::len).min().unwrap_or(0);
            let most = set.iter().filter_map(|l| shared.get(l.as_str())).max().copied().unwrap_or(0);
            (shortest < Grams::shortest(1), most, std::cmp::Reverse(shortest), set.len())
        };
        let mut literals: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for ((atom, options), n) in program.atoms.iter().zip(&options).zip(0..) {
            matcher.index(atom, n, options.iter().min_by_key(|set| cost(set)), &mut literals);
        }
        for stride in [4, 2, 1] {
            let (long, short): (BTreeMap<_, _>, _) = literals.into_iter().partition(|(l, _)| l.len() >= Grams::shortest(stride));
            literals = short;
            if !long.is_empty() {
                let (texts, atoms): (Vec<_>, Vec<_>) = long.into_iter().map(|(l, atoms)| (l.into_bytes(), atoms)).unzip();
                matcher.grams.push((Grams::new(texts, stride), atoms));
            }
        }
        // A set that the library refuses (too large for its numbers) is tried condition by condition.
        match AhoCorasickBuilder::new().ascii_case_insensitive(true).match_kind(MatchKind::Standard).build(literals.keys()) {
            Ok(built) if !literals.is_empty() => matcher.short = Some((built, literals.into_values().collect())),
            _ => matcher.always.extend(literals.into_values().flatten()),
        }
        matcher
    }

    fn index(&mut self, atom: &Atom, n: u32, wanted: Option<&Vec<String>>, literals: &mut BTreeMap<String, Vec<u32>>) {
        if !atom.ids.is_empty() && self.index_ids(atom, n) {
            return;
        }
        if let Some(wanted) = wanted {
            for literal in wanted {
                literals.entry(literal.clone()).or_default().push(n);
            }
            return;
        }
        let apps: Option<Vec<&String>> = atom
            .from
            .iter()
            .map(|sender| match sender {
                Sender::App(name) if !name.contains('*') => Some(name),
                _ => None,
            })
            .collect();
        match apps {
            Some(apps) if !apps.is_empty() => {
                for app in apps {
                    let aliases = self.inventory.iter().filter_map(|i| i.applications.get(app)).flat_map(|a| &a.aliases);
                    for written in std::iter::once(app).chain(aliases).cloned().collect::<Vec<_>>() {
                        self.by_app.entry(written).or_default().push(n);
                    }
                }
            }
            _ => self.always.push(n),
        }
    }

    /// True when all ids of the condition could be indexed.
    fn index_ids(&mut self, atom: &Atom, n: u32) -> bool {
        let wide =
            |id: &IdPattern| matches!(id, IdPattern::Numbers { first, last, .. } if last.saturating_sub(*first) >= RANGE_INDEXED);
        if atom.ids.iter().any(wide) {
            return false;
        }
        for id in &atom.ids {
            match id {
                IdPattern::Numbers { first, last, .. } => {
                    for number in *first..=*last {
                        self.by_number.entry(number).or_default().push(n);
                    }
                }
                IdPattern::Word(word) => self.by_word.entry(word.clone()).or_default().push(n),
            }
        }
        true
    }

    /// Puts into `hits` the conditions that the event meets, in their order, instead of what was there.
    pub fn matches(&self, event: &Event<'_>, hits: &mut Vec<Hit>) {
        hits.clear();
        // Most events have no candidate; then nothing is allocated.
        let mut candidates: Vec<u32> = Vec::new();
        candidates.extend_from_slice(&self.always);
        let mut add = |found: Option<&Vec<u32>>| candidates.extend(found.into_iter().flatten());
        match &event.id {
            Some(EventId::Number { number, .. }) => add(self.by_number.get(number)),
            Some(EventId::Word(word)) => add(self.by_word.get(word.as_ref())),
            None => {}
        }
        if !self.by_app.is_empty() && !event.app.is_empty() {
            add(self.by_app.get(event.app.as_ref()));
        }
        for (grams, atoms) in &self.grams {
            grams.find(&event.text, |n| add(atoms.get(n)));
        }
        if let Some((short, atoms)) = &self.short {
            for found in short.find_overlapping_iter(event.text.as_ref()) {
                add(atoms.get(found.pattern().as_usize()));
            }
        }
        if candidates.is_empty() {
            return;
        }
        candidates.sort_unstable();
        candidates.dedup();
        let scope = meets::Scope::new(event, self.inventory.as_ref());
        for n in candidates {
            if let Some(captures) = self.atoms.get(n as usize).and_then(|atom| scope.meets(atom)) {
                hits.push(Hit { atom: AtomId(n), captures });
            }
        }
    }

    /// As [`Matcher::matches`], by trying every condition: what the index is tested against.
    #[cfg(test)]
    fn matches_without_index(&self, event: &Event<'_>) -> Vec<Hit> {
        let scope = meets::Scope::new(event, self.inventory.as_ref());
        let all = self.atoms.iter().zip(0..);
        all.filter_map(|(atom, n)| Some(Hit { atom: AtomId(n), captures: scope.meets(atom)? })).collect()
    }
}

#[cfg(test)]
mod tests;
