//! Completion in YAML files: keys by the declared ones, words of closed sets, names of the inventory.
//!
//! The text need not be YAML yet: the path of a place is read from blanks, dashes and braces.

use crate::core::lang::names::NameKind;
use crate::core::replay::EntryKind;
use crate::core::yaml::{KeySet, ValueForm};

use super::super::yaml::{entry, has_entries, named, top};
use super::super::{Documents, Language, docs};
use super::{Completion, CompletionKind, Completions};

/// What stands at a path of a file.
#[derive(Clone, Copy)]
pub(in crate::core::editor) enum YamlLevel {
    /// A map with these keys.
    Keys(&'static KeySet),
    /// A map from names to maps with these keys.
    Names(&'static KeySet),
    /// The value of this key of a map.
    Value(&'static KeySet, &'static str),
    /// An entry of the timeline, and the value of one of its keys.
    Entry,
    EntryValue(Option<NameKind>),
}

/// A place of a YAML file.
pub(in crate::core::editor) struct YamlPlace {
    /// The keys above it, the outermost first.
    pub(in crate::core::editor) path: Vec<String>,
    /// What is typed there begins at this byte.
    pub(in crate::core::editor) start: usize,
    /// It is the value of the last key of the path.
    pub(in crate::core::editor) value: bool,
    /// It is the beginning of an element of a list, behind its dash: a text, or the first key of a map.
    pub(in crate::core::editor) element: bool,
}

pub(super) fn completions(documents: &Documents, language: Language, text: &str, at: usize) -> Vec<Completion> {
    let Some(place) = place(&text[..at]) else { return Vec::new() };
    let mut found = Completions::new(text, place.start..at);
    match level(top(language), &place.path) {
        Some(YamlLevel::Keys(set)) if !place.value => {
            for key in set.keys {
                if let Some(completion) = found.add_as(CompletionKind::Keyword, key.name, &format!("{}: ", key.name), "") {
                    completion.docs = docs::of_key(key);
                }
            }
        }
        // A single value may stand for a list of maps: a text has no keys.
        Some(YamlLevel::Keys(_) | YamlLevel::Names(_)) => {}
        Some(YamlLevel::Value(set, key)) => value(documents, set, key, place.value || place.element, &mut found),
        Some(YamlLevel::Entry) if !place.value => {
            for key in ["kind", "alarm", "key", "reaction", "verb", "host", "resource", "result", "line", "cause"] {
                found.add_as(CompletionKind::Keyword, key, &format!("{key}: "), "of the timeline");
            }
        }
        Some(YamlLevel::EntryValue(Some(kind))) if place.value => names(documents, kind, &mut found),
        Some(YamlLevel::EntryValue(None)) if place.value && place.path.last().is_some_and(|key| key == "kind") => {
            found.add_all(CompletionKind::Value, EntryKind::ALL.iter().map(|kind| (kind.name(), "of the timeline")));
        }
        Some(YamlLevel::Entry | YamlLevel::EntryValue(_)) | None => {}
    }
    found.all
}

fn value(documents: &Documents, set: &'static KeySet, key: &str, is_value: bool, found: &mut Completions) {
    let Some(decl) = set.keys.iter().find(|decl| decl.name == key) else { return };
    let names_of = named(set, key);
    if is_value {
        match decl.form {
            ValueForm::Truth => found.add_all(CompletionKind::Value, ["true", "false"].iter().map(|word| (*word, ""))),
            ValueForm::Word(words) | ValueForm::Words(words) => {
                found.add_all(CompletionKind::Value, words.iter().map(|word| (*word, "")));
            }
            _ => {}
        }
        if let Some((kind, _)) = names_of.values {
            names(documents, kind, found);
            if key == "groups" {
                names(documents, NameKind::Application, found);
            }
        } else if let Some((kind, false)) = names_of.keys {
            names(documents, kind, found);
        }
    } else if let Some((kind, false)) = names_of.keys {
        for name in documents.defined(kind) {
            found.add_as(CompletionKind::Name, name, &format!("{name}: "), kind.noun());
        }
    }
}

fn names(documents: &Documents, kind: NameKind, found: &mut Completions) {
    for name in documents.defined(kind) {
        found.add(CompletionKind::Name, name, kind.noun());
    }
}

/// What stands at a path; `None` if nothing is declared there.
pub(in crate::core::editor) fn level(top: &'static KeySet, path: &[String]) -> Option<YamlLevel> {
    let mut level = YamlLevel::Keys(top);
    for part in path {
        level = match level {
            YamlLevel::Keys(set) if has_entries(set, part) => YamlLevel::Entry,
            YamlLevel::Keys(set) => {
                let decl = set.keys.iter().find(|decl| decl.name == *part)?;
                match decl.form {
                    ValueForm::Map(inner) | ValueForm::Maps(inner) | ValueForm::TextsOrMaps(inner) => YamlLevel::Keys(inner),
                    ValueForm::Named(inner) => YamlLevel::Names(inner),
                    _ => YamlLevel::Value(set, decl.name),
                }
            }
            YamlLevel::Names(inner) => YamlLevel::Keys(inner),
            // `holders: { vip: host }`: the value of a name.
            YamlLevel::Value(set, key) => YamlLevel::Value(set, key),
            YamlLevel::Entry => YamlLevel::EntryValue(entry(part)),
            YamlLevel::EntryValue(_) => return None,
        };
    }
    Some(level)
}

/// The place at the end of a text; `None` in a comment.
pub(in crate::core::editor) fn place(before: &str) -> Option<YamlPlace> {
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = &before[line_start..];
    if line.trim_start().starts_with('#') || line.contains(" #") {
        return None;
    }
    let indent = indent_of(line);
    let mut path = above(&before[..line_start], indent);
    // The line itself: dashes, then keys, and maps in braces.
    let content = line.trim_start_matches([' ', '-']);
    let mut start = line_start + line.len() - content.len();
    let base = path.len();
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut value = false;
    let mut quote = None;
    for (at, c) in content.char_indices() {
        let after = line_start + line.len() - content.len() + at + c.len_utf8();
        match c {
            _ if quote == Some(c) => quote = None,
            _ if quote.is_some() => {}
            '"' | '\'' => quote = Some(c),
            ':' if content[at..].starts_with(": ") || at + 1 == content.len() => {
                let key = content[..at].rsplit(['{', ',', '[']).next().unwrap_or_default();
                path.push(key.trim().trim_matches(['"', '\'']).to_owned());
                value = true;
                start = after;
            }
            '{' | '[' => {
                open.push((c, path.len()));
                value = c == '[';
                start = after;
            }
            '}' | ']' => {
                let (_, depth) = open.pop()?;
                path.truncate(depth);
                start = after;
            }
            ',' if !open.is_empty() => {
                let (kind, depth) = open.last().copied()?;
                path.truncate(depth.max(base));
                value = kind == '[';
                start = after;
            }
            _ => {}
        }
    }
    let typed = &before[start..];
    start += typed.len() - typed.trim_start().len();
    let dash = line.trim_start().starts_with('-');
    let element = dash && open.is_empty() && !content.contains(':');
    Some(YamlPlace { path, start, value, element })
}

/// The columns of blanks before a line's content. A dash counts as one: what stands behind it is deeper.
fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-']).len()
}

/// The keys above a line with this indentation.
fn above(text: &str, indent: usize) -> Vec<String> {
    let mut path = Vec::new();
    let mut indent = indent;
    for line in text.lines().rev() {
        let content = line.trim_start_matches([' ', '-']);
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let own = line.len() - line.trim_start().len();
        let deep = indent_of(line);
        // A list may stand in the column of its key.
        if deep < indent || (own < indent && deep != own) {
            if let Some((key, _)) = content.split_once(':').filter(|_| deep < indent) {
                path.push(key.trim().trim_matches(['"', '\'']).to_owned());
                indent = own.min(deep);
            }
            if indent == 0 {
                break;
            }
        }
    }
    path.reverse();
    path
}
