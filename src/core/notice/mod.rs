//! Notices: what people should know. Each notice has a declared [`Kind`], is an event of the application `pointsman` for rules,
//! and is recorded in the journal.
//!
//! The parts of the core make notices, and the shell shows and journals them. This module does not know who reads them. Tests:
//! `tests/it/lang.rs`.

mod kinds;

pub use kinds::{Audience, Kind, Subject, reference};

/// Something that people should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub kind: Kind,
    /// What happened, and what to do.
    pub text: String,
    pub alarm: Option<String>,
    pub resource: Option<String>,
    pub host: Option<String>,
    /// The number of a run.
    pub run: Option<u64>,
    pub reaction: Option<String>,
    pub source: Option<String>,
    pub pair: Option<String>,
    /// The subject of an override: `everything`, or its name.
    pub scope: Option<String>,
}

impl Notice {
    /// A notice with a kind and a text; the caller adds what it is about.
    pub fn new(kind: Kind, text: impl Into<String>) -> Notice {
        let text = text.into();
        Notice {
            kind,
            text,
            alarm: None,
            resource: None,
            host: None,
            run: None,
            reaction: None,
            source: None,
            pair: None,
            scope: None,
        }
    }

    /// Each name that the notice has, with the kind of thing that it names.
    pub fn named(&self) -> impl Iterator<Item = (Subject, &str)> {
        let all = [
            (Subject::Host, &self.host),
            (Subject::Resource, &self.resource),
            (Subject::Pair, &self.pair),
            (Subject::Alarm, &self.alarm),
            (Subject::Reaction, &self.reaction),
            (Subject::Source, &self.source),
            (Subject::Scope, &self.scope),
        ];
        all.into_iter().filter_map(|(about, name)| Some((about, name.as_deref()?)))
    }
}
