//! What may be written at a place of a document.

pub(super) mod rules;
pub(super) mod script;
pub(super) mod yaml;

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Documents, Language};

/// The greatest number of completions of one place.
const MOST: usize = 1_000;

/// What may be written at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    pub label: String,
    pub kind: CompletionKind,
    /// A few words beside the label.
    pub detail: String,
    /// What the reference says about it, as Markdown; may be empty.
    pub docs: String,
    /// The bytes that it replaces: what was typed of it so far.
    pub replaces: Range<usize>,
    pub insert: String,
}

/// What a completion is, for an editor's icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CompletionKind {
    /// A word of the language, or a key.
    Keyword,
    /// The name of something that is defined in the site.
    Name,
    Field,
    /// One of a few words or a unit.
    Value,
    Parameter,
    /// A function of scripts, or a verb.
    Function,
    File,
}

/// The completions of one place, as they are collected.
struct Completions {
    replaces: Range<usize>,
    /// What was typed so far.
    typed: String,
    all: Vec<Completion>,
    labels: BTreeSet<(CompletionKind, String)>,
}

impl Completions {
    fn new(text: &str, replaces: Range<usize>) -> Completions {
        let typed = text.get(replaces.clone()).unwrap_or_default().to_ascii_lowercase();
        Completions { replaces, typed, all: Vec::new(), labels: BTreeSet::new() }
    }

    fn add(&mut self, kind: CompletionKind, label: &str, detail: &str) -> Option<&mut Completion> {
        self.add_as(kind, label, label, detail)
    }

    /// Adds labels, each with a few words beside it.
    fn add_all<'l>(&mut self, kind: CompletionKind, all: impl Iterator<Item = (&'l str, &'l str)>) {
        for (label, detail) in all {
            self.add(kind, label, detail);
        }
    }

    /// Adds a completion if what was typed is in it, in this order of letters.
    fn add_as(&mut self, kind: CompletionKind, label: &str, insert: &str, detail: &str) -> Option<&mut Completion> {
        let mut letters = label.chars().map(|c| c.to_ascii_lowercase());
        let fits = self.typed.chars().filter(|c| *c != '"').all(|typed| letters.any(|letter| letter == typed));
        if !fits || self.all.len() == MOST || !self.labels.insert((kind, label.to_owned())) {
            return None;
        }
        self.all.push(Completion {
            label: label.to_owned(),
            kind,
            detail: detail.to_owned(),
            docs: String::new(),
            replaces: self.replaces.clone(),
            insert: insert.to_owned(),
        });
        self.all.last_mut()
    }
}

impl Documents {
    /// What may be written at a byte of a document.
    pub fn completions(&self, name: &str, at: usize) -> Vec<Completion> {
        let Some(document) = self.all.get(name) else { return Vec::new() };
        let text = &document.source.text;
        if !text.is_char_boundary(at) {
            return Vec::new();
        }
        match document.language {
            Language::Rules => rules::completions(self, name, text, at),
            Language::Script => script::completions(self, text, at),
            Language::Configuration | Language::Agent | Language::Tests => yaml::completions(self, document.language, text, at),
        }
    }
}
