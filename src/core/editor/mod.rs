//! What an editor asks about the texts of a site: completions, explanations, definitions, references, new names, outlines.
//!
//! Texts in, answers out: no files, no threads. A text with mistakes is answered from what can be read of it. Diagnostics come
//! from [`crate::core::site`]. Tests: `tests/it/editor.rs`.

mod actions;
mod complete;
mod docs;
mod hover;
mod rename;
mod scripts;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use crate::core::diag::Source;
use crate::core::lang::names::{FileNames, NameKind, NamePlace, OutlineItem, ParameterOf, names, names_after};
use crate::core::lang::{format, grammar};
use crate::core::script::{BUILT_IN, BUILT_IN_SCRIPT};

pub use actions::{CodeAction, code_action};
pub use complete::{Completion, CompletionKind};
pub use hover::Hover;

/// The languages of a site's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `*.alarm`
    Rules,
    /// `*.rhai`
    Script,
    /// `pointsman.yaml`, or another configuration of a controller.
    Configuration,
    /// `agent.yaml`
    Agent,
    /// `*.test.yaml`
    Tests,
}

impl Language {
    /// The language of a file, by its name; `None` if it is none of a site's.
    pub fn of(path: &str) -> Option<Language> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        Some(match name {
            _ if ends(&[".alarm"]) => Language::Rules,
            _ if ends(&[".rhai"]) => Language::Script,
            _ if ends(&[".test.yaml"]) => Language::Tests,
            _ if name == "agent.yaml" || ends(&[".agent.yaml"]) => Language::Agent,
            _ if ends(&[".yaml"]) => Language::Configuration,
            _ => return None,
        })
    }
}

/// A text of the site.
#[derive(Clone, Debug)]
struct Document {
    language: Language,
    source: Arc<Source>,
    names: Arc<FileNames>,
}

/// A place in a document: the document's name, and bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentPlace {
    pub document: String,
    pub bytes: Range<usize>,
}

/// The documents of one site, by name.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    all: BTreeMap<String, Document>,
}

impl Documents {
    /// Adds a document, or replaces its text. The same text again costs nothing.
    pub fn set(&mut self, name: &str, language: Language, text: &str) {
        if self.all.get(name).is_some_and(|d| d.language == language && d.source.text == text) {
            return;
        }
        let source = Arc::new(Source { name: name.to_owned(), text: text.to_owned() });
        let before = self.all.remove(name).filter(|before| before.language == language);
        let names = Arc::new(match language {
            Language::Rules => match before {
                // A typed letter changes one item of thousands.
                Some(Document { source: old, names, .. }) => names_after(Arc::unwrap_or_clone(names), &old.text, &source),
                None => names(&source),
            },
            Language::Script => scripts::names(&source),
            Language::Configuration | Language::Agent | Language::Tests => yaml::names(&source, language),
        });
        self.all.insert(name.to_owned(), Document { language, source, names });
    }

    /// Removes the documents for which `keep` is false.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.all.retain(|name, _| keep(name));
    }

    /// The text of a document.
    pub fn text(&self, name: &str) -> Option<&Arc<Source>> {
        self.all.get(name).map(|document| &document.source)
    }

    /// The items of a document, with their names and places.
    pub fn outline(&self, name: &str) -> &[OutlineItem] {
        self.all.get(name).map_or(&[], |document| &document.names.items)
    }

    /// The formatted text of a rule file, if it can be read and is not formatted yet.
    ///
    /// # Errors
    /// Why it cannot be formatted, in a sentence.
    pub fn formatted(&self, name: &str) -> Result<Option<String>, String> {
        let Some(document) = self.all.get(name) else { return Ok(None) };
        if document.language != Language::Rules {
            return Ok(None);
        }
        match format::formatted(&document.source) {
            Ok(text) => Ok((text != document.source.text).then_some(text)),
            Err(found) => Err(found.first().map_or_else(String::new, |d| format!("it cannot be read: {}", d.message))),
        }
    }

    /// Where the thing is defined whose name stands at a byte.
    pub fn definitions(&self, document: &str, at: usize) -> Vec<DocumentPlace> {
        let Some(name) = self.name_at(document, at) else { return Vec::new() };
        if let (NameKind::Script, Some(script)) = (name.kind, self.script(&name.text)) {
            return vec![DocumentPlace { document: script.to_owned(), bytes: 0..0 }];
        }
        let all = self.same(document, &name);
        let mut places: Vec<DocumentPlace> =
            all.into_iter().filter(|(_, name)| name.defines).map(|(document, name)| place(document, name)).collect();
        if places.is_empty()
            && name.kind == NameKind::Reaction
            && let Some(script) = self.script(&format!("{}.rhai", name.text))
        {
            places.push(DocumentPlace { document: script.to_owned(), bytes: 0..0 });
        }
        places
    }

    /// Where the name at a byte stands, in all documents.
    pub fn references(&self, document: &str, at: usize, with_definition: bool) -> Vec<DocumentPlace> {
        let Some(name) = self.name_at(document, at) else { return Vec::new() };
        let all = self.same(document, &name);
        all.into_iter().filter(|(_, n)| with_definition || !n.defines).map(|(document, name)| place(document, name)).collect()
    }

    /// How often alarms were raised, at the places where they are defined: `counts` has a number for each that was.
    pub fn hints(&self, document: &str, counts: &BTreeMap<String, u64>) -> Vec<(usize, String)> {
        let alarms = self.outline(document).iter().filter(|item| item.kind == NameKind::Alarm);
        alarms
            .map(|item| {
                let count = counts.get(&item.name).copied().unwrap_or(0);
                (item.name_span.end, if count == 1 { "raised once".to_owned() } else { format!("raised {count} times") })
            })
            .collect()
    }

    /// The name at a byte; the byte behind it counts as well. Arguments have the kind of their parameter.
    fn name_at(&self, document: &str, at: usize) -> Option<NamePlace> {
        let names = &self.all.get(document)?.names.names;
        let found = names.iter().filter(|name| name.span.start <= at && at <= name.span.end);
        let found = found.min_by_key(|name| (name.span.len(), !name.defines))?;
        Some(self.resolved(found))
    }

    /// The name with the kind that its parameter has, if it is an argument.
    fn resolved(&self, name: &NamePlace) -> NamePlace {
        let mut name = name.clone();
        match name.kind {
            NameKind::Argument => {
                let kind = name.owner.as_ref().and_then(|(owner, of)| self.parameter_kind(owner, of));
                name.kind = kind.unwrap_or(NameKind::Argument);
            }
            NameKind::List if !self.defines(NameKind::List, &name.text) => name.kind = NameKind::Group,
            NameKind::Host if !self.defines(NameKind::Host, &name.text) && self.defines(NameKind::Application, &name.text) => {
                name.kind = NameKind::Application;
            }
            _ => {}
        }
        name
    }

    fn defines(&self, kind: NameKind, text: &str) -> bool {
        self.everywhere().any(|(_, name)| name.defines && name.kind == kind && name.text == text)
    }

    fn everywhere(&self) -> impl Iterator<Item = (&str, &NamePlace)> {
        self.all.iter().flat_map(|(document, d)| d.names.names.iter().map(move |name| (document.as_str(), name)))
    }

    /// Every place of the same name. Fields are looked for where they can be meant: see [`Documents::fields_of`].
    fn same(&self, document: &str, name: &NamePlace) -> Vec<(&str, &NamePlace)> {
        let script = match name.kind {
            NameKind::Parameter => name.owner.as_ref().map(|(owner, _)| self.script_name(owner)),
            _ => None,
        };
        let is_same = |other: &NamePlace| {
            if other.text != name.text {
                return false;
            }
            match name.kind {
                NameKind::Parameter => {
                    other.kind == NameKind::Parameter && other.owner.as_ref().map(|(o, _)| self.script_name(o)) == script
                }
                NameKind::Argument => false,
                NameKind::Script => other.kind == NameKind::Script,
                kind => self.resolved(other).kind == kind,
            }
        };
        let found: Vec<_> = self.everywhere().filter(|(_, other)| is_same(other)).collect();
        // A field is the one that the same document captures, if it captures it.
        if name.kind == NameKind::Field && found.iter().any(|(of, other)| *of == document && other.defines) {
            let near = |(of, other): &(&str, &NamePlace)| *of == document || !other.defines;
            return found.into_iter().filter(near).collect();
        }
        found
    }

    /// The script file of a reaction. A script is its own.
    fn script_name(&self, owner: &str) -> String {
        if owner.ends_with(".rhai") {
            return owner.to_owned();
        }
        let items = self.all.values().flat_map(|document| &document.names.items);
        let reaction = items.filter(|item| item.kind == NameKind::Reaction).find(|item| item.name == owner);
        let script = reaction.and_then(|item| item.about.iter().find(|(title, _)| *title == "script"));
        script.map_or_else(|| format!("{owner}.rhai"), |(_, script)| script.clone())
    }

    /// The document of a script, by its file name as rules write it.
    fn script(&self, file: &str) -> Option<&str> {
        let scripts = self.all.iter().filter(|(_, document)| document.language == Language::Script);
        scripts
            .map(|(name, _)| name.as_str())
            .find(|name| name.rsplit('/').next() == Some(file) || name.ends_with(&format!("/{file}")))
    }

    /// The parameters of a reaction's script: name and kind, in their order.
    fn parameters(&self, owner: &str) -> Vec<(String, &'static str)> {
        let file = self.script_name(owner);
        match self.script(&file).and_then(|script| self.all.get(script)) {
            Some(document) => scripts::parameters(&document.source),
            None if file == BUILT_IN_SCRIPT || owner == BUILT_IN => scripts::parameters(&crate::core::script::built_in()),
            None => Vec::new(),
        }
    }

    /// What the value of a parameter names, if it names something.
    fn parameter_kind(&self, owner: &str, of: &ParameterOf) -> Option<NameKind> {
        let all = self.parameters(owner);
        let (_, kind) = match of {
            ParameterOf::Named(name) => all.iter().find(|(parameter, _)| parameter == name)?,
            ParameterOf::Number(number) => all.get(*number)?,
        };
        scripts::kind_of(kind)
    }

    /// The defined names of a kind, sorted, each once.
    fn defined(&self, kind: NameKind) -> Vec<&str> {
        let mut all: Vec<&str> =
            self.everywhere().filter(|(_, name)| name.defines && name.kind == kind).map(|(_, name)| name.text.as_str()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The fields that can be meant at a byte of a rule file: those that the item captures, and those of the patterns and pieces
    /// whose names are in it. The item may be half typed, so every word of it counts.
    fn fields_of(&self, document: &str, at: usize) -> Vec<&str> {
        let mut fields: Vec<&str> = Vec::new();
        let mut open: Vec<(&Document, Range<usize>)> = Vec::new();
        if let Some(own) = self.all.get(document) {
            let starts = || own.names.items.iter().map(|item| item.span.start);
            let start = starts().rfind(|start| *start <= at).unwrap_or(0);
            let end = starts().find(|start| *start > at).unwrap_or(own.source.text.len());
            open.push((own, start..end));
        }
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        while let Some((document, span)) = open.pop() {
            let names = &document.names.names;
            let first = names.partition_point(|name| name.span.start < span.start);
            let inside = names[first..].iter().take_while(|name| name.span.start < span.end);
            fields.extend(inside.filter(|name| name.kind == NameKind::Field && name.defines).map(|name| name.text.as_str()));
            let text = document.source.text.get(span).unwrap_or_default();
            let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c)));
            let new: BTreeSet<&str> = words.filter(|word| !word.is_empty() && seen.insert(word)).collect();
            let is_named = |item: &&OutlineItem| {
                matches!(item.kind, NameKind::Pattern | NameKind::Piece) && new.contains(item.name.as_str())
            };
            for document in self.all.values() {
                open.extend(document.names.items.iter().filter(is_named).map(|item| (document, item.span.clone())));
            }
        }
        fields.sort_unstable();
        fields.dedup();
        fields
    }
}

fn place(document: &str, name: &NamePlace) -> DocumentPlace {
    DocumentPlace { document: document.to_owned(), bytes: name.span.clone() }
}

/// The beginning of the word that ends at a byte of a rule file or script.
fn word_before(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || "_.-%".contains(c)))
        .map_or(0, |last| last + before[last..].chars().next().map_or(1, char::len_utf8))
}

/// True if a word of the language may stand where this word of a rule file stands.
fn is_keyword(text: &str, start: usize, word: &str) -> bool {
    let before = text.get(..start).unwrap_or_default();
    grammar::expected(before).iter().any(|e| matches!(e.terminal, grammar::ExpectedTerminal::Word(w) if w == word))
}
