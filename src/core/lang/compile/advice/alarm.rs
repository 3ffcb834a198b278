//! Checks of one alarm: keys that its events lack, reactions that occur twice, and ends that never come.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::diag::{Code, suggest::nearest};
use crate::core::event::{BuiltIn, DERIVED, INSIDE_PREFIXES};
use crate::core::lang::ast::{self, CancelSyntax, ClauseKind, ClauseSyntax, ExpressionKind, File, Text, TextSpan};
use crate::core::lang::compile::Compiler;
use crate::core::lang::compile::uses::{called_otherwise, in_braces};
use crate::core::lang::program::{Alarm, Atom, AtomId, Cancel, Sender, Shape};

use super::same::same;

/// A way in which an event matches a condition: by one of its expressions, or by its ids and senders alone.
struct Alternative<'a> {
    atom: &'a Atom,
    /// The fields that the expression captures; `None` if there is no expression, and the fields are those of the record.
    captures: Option<BTreeSet<&'a str>>,
}

/// What an alarm needs a field for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It is one of the keys: an event without it does not count.
    Key,
    /// It is an argument of a reaction, where a text may have been meant.
    Argument,
    /// It is shown, counted, or looked up.
    Value,
}

impl Compiler<'_, '_> {
    /// Checks an alarm after it is compiled. `clauses` are its own and those that it takes from `defaults`.
    pub(in crate::core::lang::compile) fn doubts(
        &mut self,
        file: &File,
        tree: &ast::AlarmSyntax,
        clauses: &[&ClauseSyntax],
        alarm: &Alarm,
    ) {
        let own = |clause: &ClauseSyntax| tree.clauses.iter().any(|c| c.span == clause.span);
        for clause in clauses {
            match &clause.it {
                ClauseKind::Detect(detect) => {
                    self.names_twice(file, &detect.tail.keys.by, "`by`");
                    self.keys(file, &detect.tail.keys, alarm);
                    for word in &detect.tail.keys.by {
                        self.nearly(file, &word.it, &word.span, alarm, Role::Key);
                    }
                    let counted = match &detect.shape {
                        Shape::Count { distinct, .. } => distinct.as_deref(),
                        Shape::Measure(measure) => measure.field.as_deref(),
                        _ => None,
                    };
                    if let Some(field) = counted {
                        self.nearly(file, field, &clause.span, alarm, Role::Value);
                    }
                }
                ClauseKind::Summary(text) | ClauseKind::EndSummary(text) if own(clause) => {
                    for field in in_braces(&text.it) {
                        self.nearly(file, field, &text.span, alarm, Role::Value);
                    }
                    self.open_brace(file, text);
                }
                ClauseKind::Limit { by, .. } => self.names_twice(file, by, "`limit`"),
                ClauseKind::InhibitedBy(words) => {
                    self.names_twice(file, words, "`inhibited by`");
                    if let Some(word) = words.iter().find(|w| w.it == alarm.name && own(clause)) {
                        self.inhibits_itself(file, word);
                    }
                }
                ClauseKind::OnlyWhile { alarm: word, active: false } if word.it == alarm.name && own(clause) => {
                    self.inhibits_itself(file, word);
                }
                ClauseKind::React(chains) => {
                    self.calls_twice(file, chains, "`react`");
                    self.arguments_nearly(file, chains, alarm);
                }
                ClauseKind::OnCancel(chains) => {
                    self.calls_twice(file, chains, "`on cancel react`");
                    self.arguments_nearly(file, chains, alarm);
                }
                _ => {}
            }
        }
        let whens: Vec<&ClauseSyntax> =
            clauses.iter().copied().filter(|c| matches!(c.it, ClauseKind::Cancel(CancelSyntax::When { .. }))).collect();
        let atoms: Vec<&Vec<AtomId>> =
            alarm.cancel.iter().filter_map(|c| if let Cancel::When(atoms) = c { Some(atoms) } else { None }).collect();
        // A clause that could not be compiled has its own diagnostic, and then clauses and atoms cannot be paired.
        if whens.len() == atoms.len() {
            for (clause, atoms) in whens.into_iter().zip(atoms) {
                self.end(file, &clause.span, alarm, atoms);
            }
        }
    }

    fn inhibits_itself(&mut self, file: &File, word: &Text) {
        let message = format!("`{}` is inhibited by itself: an active instance stays active, so this has no effect", word.it);
        self.report(file, Code::NoEffect, &word.span, message).help = Some("name another alarm".to_owned());
    }

    /// Reports a chain of calls that occurs twice among those that start together.
    fn calls_twice(&mut self, file: &File, chains: &[ast::Chain], what: &str) {
        let text = |call: &ast::CallSyntax| {
            let arguments: Vec<(Option<&str>, &str)> = call
                .arguments
                .iter()
                .map(|a| (a.name.as_ref().map(|n| n.it.as_str()), file.source.text.get(a.value.span.clone()).unwrap_or_default()))
                .collect();
            format!("{} {arguments:?}", call.name.it)
        };
        let mut seen = BTreeMap::new();
        for chain in chains {
            let key: Vec<String> = chain.iter().map(text).collect();
            let Some(call) = chain.first() else { continue };
            if let Some(first) = seen.insert(key, &call.name.span) {
                self.stands_twice(
                    file,
                    &call.name.span,
                    first,
                    format!("{what} starts `{}` twice with the same arguments", call.name.it),
                );
            }
        }
    }

    fn ways(&self, atoms: &[AtomId]) -> Vec<Alternative<'_>> {
        let mut all = Vec::new();
        // A change in the engine has the fields of its subject.
        for atom in atoms.iter().filter_map(|id| self.atom(*id)).filter(|a| a.signal.is_none()) {
            if atom.matches.is_empty() {
                all.push(Alternative { atom, captures: None });
            }
            for one in &atom.matches {
                let given = atom.sets.iter().map(|(n, _)| n.as_str()).chain(atom.renames.iter().map(|(n, _)| n.as_str()));
                all.push(Alternative {
                    atom,
                    captures: Some(one.captures.iter().map(|c| c.name.as_str()).chain(given).collect()),
                });
            }
        }
        all
    }

    /// Reports keys that only some expressions of the condition capture: events that match the others are never used. Keys
    /// that operands rename have a diagnostic already.
    fn keys(&mut self, file: &File, keys: &ast::Keys, alarm: &Alarm) {
        let renamed = |word: &&Text| keys.renames.iter().any(|rename| rename.key == word.it);
        let by = keys.by.iter().filter(|word| !renamed(word));
        let atoms: Vec<AtomId> = alarm.detect.parts.iter().flatten().copied().collect();
        let mut found = Vec::new();
        for word in by.filter(|w| !BuiltIn::is_fixed(&w.it)) {
            let ways = self.ways(&atoms);
            let has = |w: &Alternative<'_>| w.captures.as_ref().is_some_and(|c| c.contains(word.it.as_str()));
            let lacks = ways.iter().find(|w| w.captures.is_some() && !has(w));
            if let (true, Some(lacks)) = (ways.iter().any(has), lacks) {
                found.push((word, lacks.atom.name.clone(), lacks.atom.place.clone()));
            }
        }
        for (word, name, place) in found {
            let message = format!(
                "an expression of `{name}` does not capture `{}`, and others of this condition do: events that match only this one are not used",
                word.it
            );
            let found = self.report(file, Code::KeyMissing, &word.span, message);
            found.context.push((place, "here".to_owned()));
            found.help = Some(format!("capture `(?<{}>...)` in each of them, or remove it from `by`", word.it));
        }
    }

    /// Reports a brace that begins the name of a field and is not closed: people would read the name itself.
    fn open_brace(&mut self, file: &File, text: &Text) {
        let open =
            text.it.split('{').skip(1).find(|part| !part.contains('}') && part.starts_with(|c: char| c.is_ascii_alphabetic()));
        if let Some(part) = open {
            let word: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || "_.-".contains(*c)).collect();
            let message = format!("the brace of `{{{word}` is not closed: people read it as it is written here");
            self.report(file, Code::OpenBrace, &text.span, message).help = Some(format!("write `{{{word}}}`"));
        }
    }

    /// Checks the fields that are handed to reactions.
    fn arguments_nearly(&mut self, file: &File, chains: &[ast::Chain], alarm: &Alarm) {
        for argument in chains.iter().flatten().flat_map(|call| &call.arguments) {
            match &argument.value.it {
                ExpressionKind::Field(name) => self.nearly(file, name, &argument.value.span, alarm, Role::Argument),
                ExpressionKind::PairOf(name) | ExpressionKind::HostOf(name) => {
                    self.nearly(file, &name.it, &name.span, alarm, Role::Value);
                }
                ExpressionKind::Literal(_) | ExpressionKind::List(_) => {}
            }
        }
    }

    /// Reports a field that nothing in the condition captures: it is misspelled, or will be missing.
    fn nearly(&mut self, file: &File, field: &str, span: &TextSpan, alarm: &Alarm, role: Role) {
        let atoms: Vec<AtomId> = alarm.detect.parts.iter().flatten().copied().collect();
        let ways = self.ways(&atoms);
        let captured: BTreeSet<&str> = ways.iter().filter_map(|w| w.captures.as_ref()).flatten().copied().collect();
        let key = |name: &str| alarm.by.iter().any(|by| by == name);
        let inside = INSIDE_PREFIXES.iter().any(|prefix| field.starts_with(prefix));
        // A name in quotes is a field of the record, even if a similar name exists.
        let quoted = file.source.text.get(span.clone()).is_some_and(|text| text == format!("\"{field}\""));
        let standard = BuiltIn::parse(field).is_some() || DERIVED.contains(&field);
        if standard || captured.contains(field) || inside || quoted {
            return;
        }
        let name = |c: char| c.is_ascii_alphanumeric() || "_.-@".contains(c);
        if field.is_empty() || !field.chars().all(name) || field.contains('.') {
            return;
        }
        let known: Vec<&str> = captured.iter().copied().chain(BuiltIn::fixed().map(|field| field.name())).collect();
        let near =
            called_otherwise(field).or_else(|| if field.len() > 2 { nearest(field, known) } else { None }).map(str::to_owned);
        // In a text for people a key of the alarm always has a value, whatever its name.
        let is_key = alarm.by.iter().filter(|by| *by == field).count() > 0 && !alarm.detect.parts.is_empty();
        if let Some(near) = near.filter(|near| !(is_key && key(near))) {
            let message = format!("nothing here captures `{field}`: events have it only if their record does");
            let help = format!("did you mean `{near}`? A field of the record is written in quotes: \"{field}\"");
            self.report(file, Code::NearlyCaptured, span, message).help = Some(help);
            return;
        }
        if role == Role::Argument && self.found.iter().any(|f| f.code == Code::BadArgument && f.place == Some(file.place(span))) {
            // It was reported already, as a name of the inventory without quotes.
            return;
        }
        let all_captured = !ways.is_empty() && ways.iter().all(|w| w.captures.is_some());
        if all_captured && (role == Role::Key || !is_key) {
            let message = match role {
                Role::Key => {
                    format!("nothing here captures `{field}`: events count only if their record brings a field of that name")
                }
                _ => format!("nothing here captures `{field}`: it is missing unless the record has a field of that name"),
            };
            let help = match role {
                Role::Argument => format!("if a text is meant, write it in quotes: \"{field}\""),
                _ if captured.is_empty() => format!("capture it: (?<{field}>...)"),
                _ => format!("captured are {}", captured.iter().copied().collect::<Vec<_>>().join(", ")),
            };
            self.report(file, Code::UnknownField, span, message).help = Some(help);
        }
    }

    /// Reports a `cancel when` that ends nothing.
    fn end(&mut self, file: &File, span: &TextSpan, alarm: &Alarm, atoms: &[AtomId]) {
        let detects: Vec<AtomId> = alarm.detect.parts.iter().flatten().copied().collect();
        let mut found = None;
        for key in alarm.by.iter().filter(|key| !BuiltIn::is_fixed(key)) {
            let has = |w: &Alternative<'_>| w.captures.as_ref().is_some_and(|c| c.contains(key.as_str()));
            let (raises, ends) = (self.ways(&detects), self.ways(atoms));
            if ends.is_empty() || !raises.iter().any(has) {
                continue;
            }
            let help = format!("capture `(?<{key}>...)` in the pattern, or remove `{key}` from `by`");
            // The record of an event without expressions may have the field.
            let lacks = ends.iter().find(|w| w.captures.is_some() && !has(w));
            if !ends.iter().any(has) {
                let message =
                    format!("nothing here captures `{key}`, which is a key of `{}`: no instance is ever ended by it", alarm.name);
                found = Some((message, help));
            } else if let Some(lacks) = lacks {
                let message = format!(
                    "an expression of `{}` does not capture `{key}`, which is a key of `{}`: events that match only this one end no instance",
                    lacks.atom.name, alarm.name
                );
                found = Some((message, help));
            }
        }
        for key in alarm.by.iter().filter(|key| ["app", "host"].contains(&key.as_str())) {
            if let (Some(raises), Some(ends)) = (self.senders_of(&detects, key), self.senders_of(atoms, key))
                && raises.is_disjoint(&ends)
            {
                found = Some((
                    format!(
                        "`{}` has the key `{key}`, and no event that raises it comes from a sender that is named here: this ends no instance",
                        alarm.name
                    ),
                    format!("remove `{key}` from `by`, or name the same senders"),
                ));
            }
        }
        let again = |id: &AtomId| {
            let Some(atom) = self.atom(*id) else { return false };
            detects.iter().filter_map(|d| self.atom(*d)).any(|d| same(d, atom))
        };
        // With `hold` this is useful: it means a time after the last event.
        if alarm.hold.is_none() && alarm.detect.shape == Shape::One && !atoms.is_empty() && atoms.iter().all(again) {
            found = Some((
                format!("every event that ends `{}` here raises it again at once", alarm.name),
                "`cancel at once` keeps no state; `cancel after 1h` ends it when no more events come".to_owned(),
            ));
        }
        if let Some((message, help)) = found {
            self.report(file, Code::NeverEnds, span, message).help = Some(help);
        }
    }

    /// The applications or hosts from which the events must come; `None` when they may come from others.
    fn senders_of(&self, atoms: &[AtomId], key: &str) -> Option<BTreeSet<&str>> {
        let mut all = BTreeSet::new();
        for atom in atoms.iter().map(|id| self.atom(*id)) {
            let from = &atom?.from;
            if from.is_empty() {
                return None;
            }
            for sender in from {
                match sender {
                    Sender::App(name) if key == "app" && !name.contains('*') => all.insert(name.as_str()),
                    Sender::Host(name) if key == "host" && !name.contains('*') => all.insert(name.as_str()),
                    _ => return None,
                };
            }
        }
        (!all.is_empty()).then_some(all)
    }
}
