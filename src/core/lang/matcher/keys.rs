//! Chooses the key by which a condition is found: the most selective one of those that it requires.

use std::cmp::Reverse;

use crate::core::lang::program::{Atom, IdPattern, Sender};

use super::{literals, table};

/// Maximum width of a range of ids that is found number by number.
const RANGE: u32 = 64;
/// Maximum number of pairs of an id and an application; more are found by one of the two.
const BOTH: usize = 64;

/// The kind of a text, as the beginning of its hash.
pub(super) const ID: u32 = 1;
pub(super) const APP: u32 = 2;
pub(super) const HOST: u32 = 3;
pub(super) const TYPE: u32 = 4;
const RAW: u32 = 5;

/// The hash of a number in an id.
pub(super) fn of_number(number: u32) -> u32 {
    table::of_number(u64::from(number))
}

/// A property that an event must have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LookupKey {
    /// This number in its id.
    Number(u32),
    /// This word as its id.
    Word(String),
    /// This number in its id, and this application, names resolved.
    NumberFrom(u32, String),
    /// This word as its id, and this application.
    WordFrom(String, String),
    /// This literal in its text.
    Literal(String),
    /// This literal in the raw record.
    Raw(String),
    /// This application, host or type, names resolved.
    App(String),
    Host(String),
    Type(String),
}

impl LookupKey {
    /// The cost of a key relative to an id: how often it occurs in events that do not match.
    fn weight(&self) -> usize {
        match self {
            LookupKey::Number(_) | LookupKey::Word(_) | LookupKey::NumberFrom(..) | LookupKey::WordFrom(..) => 1,
            LookupKey::Literal(literal) | LookupKey::Raw(literal) => match literal.len() {
                7.. => 1,
                5 | 6 => 2,
                4 => 4,
                _ => 64,
            },
            LookupKey::App(_) | LookupKey::Host(_) => 8,
            LookupKey::Type(_) => 16,
        }
    }

    /// The hash by which it is looked up and counted.
    pub(super) fn hash(&self) -> u32 {
        match self {
            LookupKey::Number(number) => of_number(*number),
            LookupKey::Word(word) => table::of_text(word, ID),
            LookupKey::NumberFrom(number, app) => table::of_text(app, of_number(*number)),
            LookupKey::WordFrom(word, app) => table::of_text(app, table::of_text(word, ID)),
            LookupKey::Literal(literal) => table::of_text(literal, 0),
            LookupKey::Raw(literal) => table::of_text(literal, RAW),
            LookupKey::App(name) => table::of_text(name, APP),
            LookupKey::Host(name) => table::of_text(name, HOST),
            LookupKey::Type(name) => table::of_text(name, TYPE),
        }
    }

    fn length(&self) -> usize {
        match self {
            LookupKey::Literal(literal) | LookupKey::Raw(literal) => literal.len(),
            _ => usize::MAX,
        }
    }
}

/// For each condition, the keys of which an event must have one; empty when every event has to be tried.
pub(super) fn choose(atoms: &[Atom]) -> Vec<Vec<LookupKey>> {
    let options: Vec<Vec<Vec<LookupKey>>> = atoms.iter().map(options).collect();
    // A key that many conditions share (`process `, one id of all pairs) is less selective than one of a single condition.
    let shared = table::counts(options.iter().flatten().flatten().map(LookupKey::hash));
    let cost = |keys: &&Vec<LookupKey>| {
        let count = |k: &LookupKey| shared.get(k.hash()).next().copied().unwrap_or(1);
        let most = keys.iter().map(|k| k.weight() * count(k)).max().unwrap_or(usize::MAX);
        let shortest = keys.iter().map(LookupKey::length).min().unwrap_or(0);
        (most, Reverse(shortest), keys.len())
    };
    options.iter().map(|all| all.iter().min_by_key(cost).cloned().unwrap_or_default()).collect()
}

/// True when every event has to be tried.
pub(super) fn none(atom: &Atom) -> bool {
    options(atom).is_empty()
}

/// Every set of keys of which an event must have one.
fn options(atom: &Atom) -> Vec<Vec<LookupKey>> {
    let ids = atom.ids.iter().map(of_id).collect::<Option<Vec<_>>>().map(|ids| ids.concat());
    let from = atom.from.iter().map(of_sender).collect::<Option<Vec<_>>>();
    let within = |field, key: fn(String) -> LookupKey| {
        literals::of_atom(atom, field).into_iter().map(move |set| set.into_iter().map(key).collect())
    };
    let literals = within("text", LookupKey::Literal).chain(within("raw", LookupKey::Raw));
    let both = ids.as_ref().zip(from.as_ref()).and_then(|(ids, from)| both(ids, from));
    ids.into_iter().chain(both).chain(from).chain(literals).filter(|keys: &Vec<LookupKey>| !keys.is_empty()).collect()
}

/// Each id from each application, if there are few.
fn both(ids: &[LookupKey], from: &[LookupKey]) -> Option<Vec<LookupKey>> {
    if ids.len() * from.len() > BOTH {
        return None;
    }
    let pairs = ids.iter().flat_map(|id| from.iter().map(move |app| (id, app)));
    pairs
        .map(|pair| match pair {
            (LookupKey::Number(number), LookupKey::App(app)) => Some(LookupKey::NumberFrom(*number, app.clone())),
            (LookupKey::Word(word), LookupKey::App(app)) => Some(LookupKey::WordFrom(word.clone(), app.clone())),
            _ => None,
        })
        .collect()
}

fn of_id(id: &IdPattern) -> Option<Vec<LookupKey>> {
    match id {
        IdPattern::Numbers { first, last, .. } if last.saturating_sub(*first) < RANGE => {
            Some((*first..=*last).map(LookupKey::Number).collect())
        }
        IdPattern::Numbers { .. } => None,
        IdPattern::Word(word) => Some(vec![LookupKey::Word(word.clone())]),
    }
}

fn of_sender(sender: &Sender) -> Option<LookupKey> {
    match sender {
        Sender::App(name) | Sender::Host(name) if name.contains('*') => None,
        Sender::App(name) => Some(LookupKey::App(name.clone())),
        Sender::Host(name) => Some(LookupKey::Host(name.clone())),
        Sender::Type(name) => Some(LookupKey::Type(name.clone())),
    }
}
