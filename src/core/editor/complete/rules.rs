//! Completion in rule files: the grammar says which words and names may come next; here these names are looked up.

use crate::core::event::{BuiltIn, DERIVED, Level, Trust};
use crate::core::inventory::METRICS;
use crate::core::lang::grammar::{Expected, ExpectedTerminal, expected};
use crate::core::lang::names::{NameKind, ParameterOf, is_plain_name};
use crate::core::lang::program::Category;

use super::super::{Documents, docs, word_before};
use super::{Completion, CompletionKind, Completions};

/// What is wanted at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Slot {
    Names(NameKind),
    Fields,
    /// The value of a test of this field.
    ValueOf(String),
    /// The parameters of this reaction.
    Parameters(String),
    /// The value of an argument of this reaction.
    ArgumentOf(String, ParameterOf),
    Words(&'static [&'static str]),
    Categories,
    Trusts,
    Metrics,
    Summary,
    Nothing,
}

const UNITS: [&str; 6] = ["ms", "s", "m", "h", "d", "w"];
const DAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun", "day"];
/// Types of captures: `(?<peer:ip>)`.
const TYPES: [&str; 9] = ["int", "number", "ip", "host", "app", "site", "word", "duration", "size"];

/// What surrounds a place of a rule file.
enum Around {
    /// Between tokens, or in a word that begins at this byte.
    Code(usize),
    /// In a string that begins at this byte.
    Text(usize),
    /// In an expression, behind `${` or `:` of a capture at this byte.
    Piece(usize),
    Type(usize),
    Nothing,
}

pub(super) fn completions(documents: &Documents, name: &str, text: &str, at: usize) -> Vec<Completion> {
    let before = &text[..at];
    match around(before) {
        Around::Nothing => Vec::new(),
        Around::Piece(start) => {
            let mut found = Completions::new(text, start..at);
            names(documents, &mut found, NameKind::Piece, false);
            found.all
        }
        Around::Type(start) => {
            let mut found = Completions::new(text, start..at);
            for of in TYPES {
                found.add(CompletionKind::Value, of, "type of a capture");
            }
            found.all
        }
        Around::Code(start) => {
            let mut found = Completions::new(text, start..at);
            code(documents, name, &before[..start], &mut found);
            found.all
        }
        Around::Text(start) => {
            let slots = slots(&before[..start]);
            if slots.iter().any(|(slot, _)| *slot == Slot::Summary) {
                let Some(open) = before[start..].rfind('{').filter(|open| !before[start + open..].contains('}')) else {
                    return Vec::new();
                };
                let mut found = Completions::new(text, start + open + 1..at);
                fields(documents, name, start, &mut found);
                return found.all;
            }
            // The closing quote stands there already, or is added.
            let closed = text[at..].starts_with('"');
            let mut found = Completions::new(text, start..if closed { at + 1 } else { at });
            found.typed = before[start + 1..].to_ascii_lowercase();
            for (slot, class) in &slots {
                if *class == "STRING" {
                    fill(documents, name, start, slot, &mut found, true);
                }
            }
            found.all
        }
    }
}

/// What surrounds the end of a text.
fn around(before: &str) -> Around {
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    // No token but a record or a comment reaches over the end of its line, and both end with it.
    let mut at = line;
    let bytes = before.as_bytes();
    while at < before.len() {
        let rest = &before[at..];
        match bytes[at] {
            b'#' | b'|' => return Around::Nothing,
            b'"' => match end_of(rest, b'"') {
                Some(length) => at += length,
                None => return Around::Text(at),
            },
            // A network has a slash behind a digit.
            b'/' if at == line || !bytes[at - 1].is_ascii_digit() => match end_of(rest, b'/') {
                Some(length) => at += length,
                None => return within_expression(before, at),
            },
            b'r' if rest.starts_with("r\"") && (at == line || !is_name(bytes[at - 1])) => match rest[2..].find('"') {
                Some(length) => at += length + 3,
                None => return within_expression(before, at),
            },
            _ => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    Around::Code(word_before(before, before.len()))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The length of a string or expression that begins here and is closed.
fn end_of(text: &str, close: u8) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == close => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn within_expression(before: &str, start: usize) -> Around {
    let inside = &before[start..];
    if let Some(open) = inside.rfind("${").filter(|open| !inside[*open..].contains('}')) {
        return Around::Piece(start + open + 2);
    }
    match inside.rfind("(?<").filter(|open| !inside[*open..].contains('>')) {
        Some(open) => match inside[open..].find(':') {
            Some(colon) => Around::Type(start + open + colon + 1),
            None => Around::Nothing,
        },
        None => Around::Nothing,
    }
}

/// Completions between tokens, behind this text.
fn code(documents: &Documents, name: &str, before: &str, found: &mut Completions) {
    let item = item_word(before);
    let all = expected(before);
    for e in &all {
        if let ExpectedTerminal::Word(word) = e.terminal
            && word.starts_with(|c: char| c.is_ascii_alphabetic())
            && let Some(completion) = found.add(CompletionKind::Keyword, word, "")
        {
            completion.docs = docs::of_word(word, item).unwrap_or_default();
        }
    }
    let mut wanted: Vec<(Slot, bool)> = Vec::new();
    for e in &all {
        let ExpectedTerminal::Class(class) = e.terminal else { continue };
        // A name that only stands in quotes: a script.
        let named = |o: &Expected| o.terminal == ExpectedTerminal::Class("NAME") && o.within == e.within;
        let quoted = match class {
            "DURATION" => {
                units(found);
                continue;
            }
            "NAME" | "WORD" | "DAY" => false,
            "STRING" if !all.iter().any(named) => true,
            _ => continue,
        };
        let slot = (slot(before, e), quoted);
        if !wanted.contains(&slot) {
            wanted.push(slot);
        }
    }
    for (slot, quoted) in wanted {
        fill(documents, name, before.len(), &slot, found, quoted);
    }
}

/// What is wanted behind a text, with the class of the terminal.
fn slots(before: &str) -> Vec<(Slot, &'static str)> {
    let classes = expected(before).into_iter().filter_map(|e| match e.terminal {
        ExpectedTerminal::Class(class) => Some((slot(before, &e), class)),
        ExpectedTerminal::Word(_) => None,
    });
    let mut all = Vec::new();
    for slot in classes {
        if !all.contains(&slot) {
            all.push(slot);
        }
    }
    all
}

/// The first word of the item that a text ends in; empty between items.
pub(in crate::core::editor) fn item_word(before: &str) -> &'static str {
    let first = expected_item(before);
    first.unwrap_or("")
}

fn expected_item(before: &str) -> Option<&'static str> {
    let items = ["alarm", "pattern", "ignore", "reaction", "calendar", "defaults", "piece", "list"];
    for line in before.rsplit('\n') {
        let word = line.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        if let Some(item) = items.into_iter().find(|item| *item == word) {
            let closed = line.trim_end().ends_with('}') || before.trim_end().ends_with("\n}");
            return (!closed).then_some(item);
        }
    }
    None
}

/// What is wanted where this terminal is expected.
fn slot(before: &str, e: &Expected) -> Slot {
    let class = e.terminal;
    // The word before a byte, and the name that begins at one.
    let last = |at: usize| before.get(..at).unwrap_or_default().trim_end().rsplit(|c: char| !c.is_ascii_alphabetic()).next();
    let named = |at: usize| name_at(before.get(at..).unwrap_or_default());
    let mut names_from = before.len();
    let mut grouped = false;
    for (production, from) in &e.within {
        let found = match *production {
            "names" => {
                names_from = *from;
                continue;
            }
            "inhibited" | "alarm_change" | "only_while" => Slot::Names(NameKind::Alarm),
            "calendar_change" | "only_during" | "not_during" | "except" => Slot::Names(NameKind::Calendar),
            "argument" => {
                let call = e.within.iter().find(|(name, _)| *name == "call").map_or("", |(_, from)| named(*from)).to_owned();
                if class == ExpectedTerminal::Class("WORD") {
                    Slot::Parameters(call)
                } else if class == ExpectedTerminal::Class("STRING") {
                    let parameter =
                        before.get(*from..).unwrap_or_default().split_once('=').map(|(name, _)| name.trim().to_owned());
                    let call_from = e.within.iter().find(|(name, _)| *name == "call").map_or(*from, |(_, from)| *from);
                    let number = before.get(call_from..).unwrap_or_default().matches(',').count();
                    Slot::ArgumentOf(call, parameter.map_or(ParameterOf::Number(number), ParameterOf::Named))
                } else {
                    Slot::Fields
                }
            }
            "call" => Slot::Names(NameKind::Reaction),
            "binding" => {
                let reaction = e.within.iter().any(|(name, _)| *name == "reaction_clause");
                let item =
                    e.within.iter().find(|(name, _)| *name == "reaction").map_or("", |(_, from)| named(from + "reaction".len()));
                let class_is = |wanted| class == ExpectedTerminal::Class(wanted);
                if reaction && class_is("WORD") {
                    Slot::Parameters(item.to_owned())
                } else if reaction && class_is("STRING") {
                    let parameter = named(*from).to_owned();
                    Slot::ArgumentOf(item.to_owned(), ParameterOf::Named(parameter))
                } else {
                    Slot::Nothing
                }
            }
            "source" => match last(names_from).unwrap_or_default() {
                "app" => Slot::Names(NameKind::Application),
                "type" => Slot::Names(NameKind::Type),
                "host" => Slot::Names(NameKind::Host),
                "group" => Slot::Names(NameKind::Group),
                "site" => Slot::Names(NameKind::Site),
                _ => Slot::Nothing,
            },
            "from" => Slot::Names(NameKind::Host),
            "those" => {
                grouped = last(before.len()) == Some("in");
                continue;
            }
            "host_change" if grouped => Slot::Names(NameKind::Group),
            "app_change" if grouped => Slot::Names(NameKind::Group),
            "host_change" => Slot::Names(NameKind::Host),
            "app_change" => Slot::Names(NameKind::Application),
            "members" => Slot::Names(NameKind::Group),
            "metric" => Slot::Metrics,
            "atom" => Slot::Names(NameKind::Pattern),
            "field" | "key" | "by" => Slot::Fields,
            "set" | "element" => Slot::Names(NameKind::List),
            "operand" => match e.within.iter().find(|(name, _)| *name == "test") {
                Some((_, from)) => Slot::ValueOf(named(*from).to_owned()),
                None => Slot::Fields,
            },
            "category" => Slot::Categories,
            "trust" => Slot::Trusts,
            "script" => Slot::Names(NameKind::Script),
            "summary" | "on_cancel" => Slot::Summary,
            "day" => Slot::Words(DAYS),
            "alarm" | "pattern" | "ignore" | "piece" | "named" | "reaction" | "calendar" | "help" | "zone" | "cron" => {
                Slot::Nothing
            }
            _ => continue,
        };
        return found;
    }
    Slot::Nothing
}

/// The name at the beginning of a text, without quotes.
fn name_at(text: &str) -> &str {
    let text = text.trim_start();
    match text.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default(),
        None => text.split(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c))).next().unwrap_or_default(),
    }
}

/// Adds what fits a slot. `quoted`: it is written in quotes.
fn fill(documents: &Documents, name: &str, at: usize, slot: &Slot, found: &mut Completions, quoted: bool) {
    match slot {
        Slot::Names(kind) => {
            names(documents, found, *kind, quoted);
            if *kind == NameKind::List {
                names(documents, found, NameKind::Group, quoted);
            }
            if *kind == NameKind::Reaction {
                names(documents, found, NameKind::Script, quoted);
                found.add(CompletionKind::Function, crate::core::script::BUILT_IN, "notifies people by a channel");
            }
        }
        Slot::Fields => fields(documents, name, at, found),
        Slot::ValueOf(field) => match field.as_str() {
            "level" => found.add_all(CompletionKind::Value, Level::ALL.iter().map(|level| (level.name(), "level"))),
            "trust" => trusts(found),
            "host" => names(documents, found, NameKind::Host, true),
            "app" => names(documents, found, NameKind::Application, true),
            "pair" => names(documents, found, NameKind::Pair, true),
            "type" => names(documents, found, NameKind::Type, true),
            "site" => names(documents, found, NameKind::Site, true),
            _ if quoted => {}
            _ => fields(documents, name, at, found),
        },
        Slot::Parameters(reaction) => {
            for (parameter, kind) in documents.parameters(reaction) {
                found.add_as(CompletionKind::Parameter, &parameter, &format!("{parameter} = "), kind);
            }
        }
        Slot::ArgumentOf(reaction, of) => {
            if let Some(kind) = documents.parameter_kind(reaction, of) {
                names(documents, found, kind, true);
            }
        }
        Slot::Words(words) => found.add_all(CompletionKind::Value, words.iter().map(|word| (*word, ""))),
        Slot::Categories => {
            found.add_all(CompletionKind::Value, Category::ALL.iter().map(|category| (category.name(), "category")));
        }
        Slot::Trusts => trusts(found),
        Slot::Metrics => found.add_all(CompletionKind::Value, METRICS.iter().map(|metric| (*metric, "metric"))),
        Slot::Summary | Slot::Nothing => {}
    }
}

fn trusts(found: &mut Completions) {
    for trust in Trust::ALL {
        found.add(CompletionKind::Value, trust.name(), "trust");
    }
}

/// The names of a kind. A script as a reaction is without its extension.
fn names(documents: &Documents, found: &mut Completions, kind: NameKind, quoted: bool) {
    let detail = kind.noun();
    if kind == NameKind::Script {
        for file in documents.scripts() {
            if quoted {
                found.add_as(CompletionKind::File, file, &format!("\"{file}\""), detail);
            } else if let Some(reaction) = file.strip_suffix(".rhai") {
                found.add(CompletionKind::Function, reaction, "script");
            }
        }
        return;
    }
    for name in documents.defined(kind) {
        if quoted || !is_plain_name(name) {
            found.add_as(CompletionKind::Name, name, &format!("\"{name}\""), detail);
        } else {
            found.add(CompletionKind::Name, name, detail);
        }
    }
}

/// The fields that can be meant at a byte: built-in ones, and captures in scope.
fn fields(documents: &Documents, name: &str, at: usize, found: &mut Completions) {
    for field in documents.fields_of(name, at) {
        found.add(CompletionKind::Field, field, "captured");
    }
    for field in BuiltIn::ALL {
        found.add(CompletionKind::Field, field.name(), field.meaning());
    }
    for field in DERIVED {
        found.add(CompletionKind::Field, field, "");
    }
}

/// The number that was typed, with each unit.
fn units(found: &mut Completions) {
    let digits = found.typed.trim_end_matches(|c: char| c.is_ascii_alphabetic()).to_owned();
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') {
        return;
    }
    for unit in UNITS {
        found.add(CompletionKind::Value, &format!("{digits}{unit}"), "duration");
    }
}
