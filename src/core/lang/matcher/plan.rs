//! How each condition is found, for people: what makes it cheap, and what would make it cheaper.

use std::fmt;

use crate::core::lang::program::{Atom, IdPattern, Program, Sender};

use super::keys::{self, LookupKey};

/// The property of an event by which a condition is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lookup {
    /// One of its ids.
    Id,
    /// The event contains one of these texts.
    Text(Vec<String>),
    /// Its sender: every event of that sender is tried.
    Sender,
    /// It is about a change in the engine and is not tried with events of logs.
    Engine,
    /// None: every event is tried.
    Nothing,
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lookup::Id => "id",
            Lookup::Text(_) => "text",
            Lookup::Sender => "sender",
            Lookup::Engine => "engine",
            Lookup::Nothing => "nothing",
        })
    }
}

/// How each condition of a program is found, in order.
pub fn plan(program: &Program) -> Vec<Lookup> {
    let way = |keys: Vec<LookupKey>| match keys.first() {
        None => Lookup::Nothing,
        Some(LookupKey::Number(_) | LookupKey::Word(_) | LookupKey::NumberFrom(..) | LookupKey::WordFrom(..)) => Lookup::Id,
        Some(LookupKey::App(_) | LookupKey::Host(_) | LookupKey::Type(_)) => Lookup::Sender,
        Some(LookupKey::Literal(_) | LookupKey::Raw(_)) => Lookup::Text(
            keys.into_iter()
                .filter_map(|k| match k {
                    LookupKey::Literal(literal) | LookupKey::Raw(literal) => Some(literal),
                    _ => None,
                })
                .collect(),
        ),
    };
    let ways = keys::choose(&program.atoms).into_iter().map(way);
    ways.zip(&program.atoms).map(|(way, atom)| if atom.signal.is_some() { Lookup::Engine } else { way }).collect()
}

/// True when a condition is tried with every event, as [`plan`] reports it.
pub(crate) fn found_by_nothing(atom: &Atom) -> bool {
    atom.signal.is_none() && keys::none(atom)
}

/// Why a condition is tried with every event, and how to avoid it.
pub fn why_always(atom: &Atom) -> &'static str {
    if atom.ids.iter().any(|id| matches!(id, IdPattern::Numbers { .. })) {
        return "its range has more than 64 ids: name fewer of them, or a sender";
    }
    if atom.from.iter().any(|s| matches!(s, Sender::App(name) | Sender::Host(name) if name.contains('*')))
        && atom.matches.is_empty()
    {
        return "a sender with `*` is compared with every sender: name the senders, or a text that the event contains";
    }
    if atom.matches.is_empty() && atom.predicates.is_empty() {
        return "it names neither an id nor a sender nor a text";
    }
    "its expressions require no text of two letters or more: add one, or name the sender"
}
