//! The names in a rule file, each with its kind and place: definitions and references, for editors.
//!
//! A file with mistakes has the names of what could be read. Tests: `tests/it/editor.rs`.

mod walk;

use std::ops::Range;
use std::sync::Arc;

use crate::core::diag::Source;

use super::ast::{ClauseKind, File, Item, PatternClause, ReactionClause};
use super::parse::parse;

pub use super::parse::is_plain_name;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameKind {
    Alarm,
    Pattern,
    Piece,
    List,
    Reaction,
    Calendar,
    Script,
    /// A parameter of a script; its owner is the script, or a reaction.
    Parameter,
    /// A text that a script gets for a parameter; its owner is the reaction. The parameter says what it stands for.
    Argument,
    Field,
    Host,
    Application,
    /// The type of an application.
    Type,
    Pair,
    Resource,
    Channel,
    Group,
    Site,
}

impl NameKind {
    /// The noun for a thing of this kind, as people read it.
    pub fn noun(self) -> &'static str {
        match self {
            NameKind::Alarm => "alarm",
            NameKind::Pattern => "pattern",
            NameKind::Piece => "piece",
            NameKind::List => "list",
            NameKind::Reaction => "reaction",
            NameKind::Calendar => "calendar",
            NameKind::Script => "script",
            NameKind::Parameter => "parameter",
            NameKind::Argument => "value",
            NameKind::Field => "field",
            NameKind::Host => "host",
            NameKind::Application => "application",
            NameKind::Type => "type",
            NameKind::Pair => "pair",
            NameKind::Resource => "resource",
            NameKind::Channel => "channel",
            NameKind::Group => "group",
            NameKind::Site => "site",
        }
    }
}

/// A name at a place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePlace {
    pub kind: NameKind,
    pub text: String,
    /// Its bytes, with quotes if it has them.
    pub span: Range<usize>,
    pub defines: bool,
    /// It is written there as it is. A name into which a row filled something is not.
    pub written: bool,
    /// Parameters and arguments: the script or the reaction, and the parameter's name or number.
    pub owner: Option<(String, ParameterOf)>,
}

/// How an argument says which parameter it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterOf {
    Named(String),
    /// Its place among the arguments, counted from 0.
    Number(usize),
}

/// An item of a rule file, as an outline shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlineItem {
    pub kind: NameKind,
    pub name: String,
    pub name_span: Range<usize>,
    /// From its first word to the end of what was read of it.
    pub span: Range<usize>,
    /// What people want to know of it: a title and a text each.
    pub about: Vec<(&'static str, String)>,
}

/// The names and items of one file.
#[derive(Clone, Debug, Default)]
pub struct FileNames {
    /// All names, in the order of their places.
    pub names: Vec<NamePlace>,
    pub items: Vec<OutlineItem>,
}

/// The names of a rule file.
pub fn names(source: &Arc<Source>) -> FileNames {
    let (file, _) = parse(source);
    let mut walk = walk::Walk { text: &source.text, names: Vec::new() };
    let mut items: Vec<OutlineItem> = Vec::new();
    for item in &file.items {
        walk.item(item);
        // Each row of an alarm gives one alarm with the same place.
        if let Some(item) = outline(&file, item)
            && items.last().is_none_or(|last| last.name_span != item.name_span)
        {
            items.push(item);
        }
    }
    let mut names = walk.names;
    names.sort_by_key(|name| (name.span.start, name.span.end, name.kind));
    names.dedup();
    FileNames { names, items }
}

/// The names of a rule file after a change, from those before it: only the items near the change are read again. In a file with
/// mistakes this may find more than [`names`], because the items behind a mistake stay known.
pub fn names_after(mut before: FileNames, old: &str, new: &Arc<Source>) -> FileNames {
    let (same, rest) = equal_ends(old, &new.text);
    let changed = same..old.len() - rest;
    // From the item before the one that changed to the next one that did not, or to the ends of the file. What seems to begin
    // within a line may come from a mistake.
    let begins_line = |item: &OutlineItem| old[..item.span.start].ends_with('\n');
    let near = before.items.partition_point(|item| item.span.start < changed.start).saturating_sub(2);
    let first = before.items[..near + usize::from(near < before.items.len())].iter().rposition(begins_line).unwrap_or(0);
    let begin = if first == 0 { 0 } else { before.items.get(first).map_or(0, |item| item.span.start) };
    let last = before.items.partition_point(|item| item.span.start <= changed.end);
    let last = last + before.items[last..].iter().position(begins_line).unwrap_or(before.items.len() - last);
    let end = before.items.get(last).map_or(old.len(), |item| item.span.start);
    let new_end = new.text.len() - (old.len() - end);
    let Some(text) = new.text.get(begin..new_end) else { return names(new) };
    let mut between = names(&Arc::new(Source { name: new.name.clone(), text: text.to_owned() }));
    between.shift(|at| at + begin);
    let names_from = before.names.partition_point(|name| name.span.start < begin);
    let names_to = before.names.partition_point(|name| name.span.start < end);
    let mut behind = FileNames { names: before.names.split_off(names_to), items: before.items.split_off(last) };
    behind.shift(|at| at - end + new_end);
    before.names.truncate(names_from);
    before.items.truncate(first);
    for part in [between, behind] {
        before.names.extend(part.names);
        before.items.extend(part.items);
    }
    before
}

/// The number of bytes that two texts have in common at their beginnings, and at their ends behind those.
fn equal_ends(old: &str, new: &str) -> (usize, usize) {
    /// Blocks are compared faster than bytes.
    const BLOCK: usize = 4_096;
    let (a, b) = (old.as_bytes(), new.as_bytes());
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK)).take_while(|(a, b)| a == b).count() * BLOCK;
    let mut same = blocks + a[blocks..].iter().zip(&b[blocks..]).take_while(|(a, b)| a == b).count();
    while !(old.is_char_boundary(same) && new.is_char_boundary(same)) {
        same -= 1;
    }
    let (a, b) = (&a[same..], &b[same..]);
    let blocks = a.rchunks_exact(BLOCK).zip(b.rchunks_exact(BLOCK)).take_while(|(a, b)| a == b).count() * BLOCK;
    let (a, b) = (&a[..a.len() - blocks], &b[..b.len() - blocks]);
    let mut rest = blocks + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    while !(old.is_char_boundary(old.len() - rest) && new.is_char_boundary(new.len() - rest)) {
        rest -= 1;
    }
    (same, rest)
}

impl FileNames {
    fn shift(&mut self, to: impl Fn(usize) -> usize) {
        let spans = self.items.iter_mut().flat_map(|item| [&mut item.name_span, &mut item.span]);
        for span in self.names.iter_mut().map(|name| &mut name.span).chain(spans) {
            *span = to(span.start)..to(span.end);
        }
    }
}

fn outline(file: &File, item: &Item) -> Option<OutlineItem> {
    let text = &file.source.text;
    let (kind, name, end) = match item {
        Item::Alarm(it) => (NameKind::Alarm, &it.name, it.clauses.last().map(|c| c.span.end)),
        Item::Pattern(it) | Item::Ignore(it) => (NameKind::Pattern, &it.name, it.clauses.last().map(|c| c.span.end)),
        Item::Piece(it) => (NameKind::Piece, &it.name, Some(it.regex.span.end)),
        Item::List(it) => (NameKind::List, &it.name, it.elements.last().map(|e| e.span().end)),
        Item::Reaction(it) => (NameKind::Reaction, &it.name, it.clauses.last().map(|c| c.span.end)),
        Item::Calendar(it) => (NameKind::Calendar, &it.name, it.clauses.last().map(|c| c.span.end)),
        Item::Defaults(_) => return None,
    };
    let start = text[..name.span.start].rfind(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
    let start = text[..start].rfind(|c: char| !c.is_ascii_alphabetic()).map_or(0, |at| at + 1);
    let end = end.unwrap_or(name.span.end).max(name.span.end);
    // The closing brace or bracket, if it is the next thing.
    let closed = text[end..].trim_start().starts_with(['}', ']']);
    let end = if closed { text[end..].find(['}', ']']).map_or(end, |at| end + at + 1) } else { end };
    let about = about(item, text);
    Some(OutlineItem { kind, name: name.it.clone(), name_span: name.span.clone(), span: start..end, about })
}

fn about(item: &Item, text: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    match item {
        Item::Alarm(alarm) => {
            for clause in &alarm.clauses {
                match &clause.it {
                    ClauseKind::Category(it) => found.push(("category", it.it.clone())),
                    ClauseKind::Summary(it) => found.push(("summary", it.it.clone())),
                    ClauseKind::Help(it) => found.push(("help", it.it.clone())),
                    ClauseKind::Detect(it) if !it.tail.keys.by.is_empty() => {
                        let keys: Vec<&str> = it.tail.keys.by.iter().map(|key| key.it.as_str()).collect();
                        found.push(("key", keys.join(", ")));
                    }
                    _ => {}
                }
            }
        }
        Item::Pattern(pattern) | Item::Ignore(pattern) => {
            for clause in &pattern.clauses {
                match &clause.it {
                    PatternClause::Match { regex, .. } => {
                        found.push(("match", text.get(regex.span.clone()).unwrap_or_default().to_owned()));
                    }
                    PatternClause::Sample(sample) => {
                        let title = if sample.matches { "sample" } else { "not sample" };
                        found.push((title, sample.record.clone()));
                    }
                    _ => {}
                }
            }
        }
        Item::Piece(piece) => found.push(("match", text.get(piece.regex.span.clone()).unwrap_or_default().to_owned())),
        Item::Reaction(reaction) => {
            for clause in &reaction.clauses {
                if let ReactionClause::Script(script) = &clause.it {
                    found.push(("script", script.it.clone()));
                }
            }
        }
        Item::List(_) | Item::Calendar(_) | Item::Defaults(_) => {}
    }
    found
}
