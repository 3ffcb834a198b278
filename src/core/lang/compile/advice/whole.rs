//! Checks of all rules together: one alarm under two names, captures that nothing uses, conditions that are tried with every
//! record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::core::diag::{Code, Diagnostic, Place, Source};
use crate::core::event::BuiltIn;
use crate::core::lang::ast::{self, File, Item, PatternClause};
use crate::core::lang::compile::Compiler;
use crate::core::lang::matcher::{found_by_nothing, why_always};
use crate::core::lang::program::{Alarm, Atom, AtomId, Cancel, FieldTest, Operand, Predicate, Signal};

use super::expressions::pointless;
use super::same::same;

/// Maximum number of similar alarms that are compared with one.
const ALIKE: usize = 16;
/// Characters of an expression by which alarms are distinguished before they are compared.
const HEAD: usize = 256;

/// The place of a pattern: the index of its file, and the first byte.
type Key = (usize, usize);

impl<'t> Compiler<'t, '_> {
    /// Checks all rules after they are compiled.
    pub(in crate::core::lang::compile) fn advise(&mut self, trees: &'t [File]) {
        for file in trees {
            for item in &file.items {
                let Item::Pattern(pattern) = item else { continue };
                for clause in &pattern.clauses {
                    if let PatternClause::From(from) = &clause.it {
                        self.senders_twice(file, from);
                    }
                }
            }
        }
        self.same_alarms(trees);
        self.waits(trees);
        self.tried_with_all();
        self.unused_captures(trees);
    }

    /// Reports alarms that differ only in their names and in texts for people.
    fn same_alarms(&mut self, trees: &[File]) {
        // An alarm that could not be read completely may differ.
        let unread = |clause: &ast::ClauseSyntax| matches!(clause.it, ast::ClauseKind::Later(_));
        let unread: BTreeSet<&str> = crate::core::lang::compile::alarms_of(trees)
            .filter(|alarm| alarm.clauses.iter().any(unread))
            .map(|alarm| alarm.name.it.as_str())
            .collect();
        let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let nowhere = nowhere();
        let mut found = Vec::new();
        for (n, alarm) in self.program.alarms.iter().enumerate() {
            if alarm.detect.parts.iter().all(Vec::is_empty) || unread.contains(alarm.name.as_str()) {
                continue;
            }
            let firsts = alike.entry(self.head(alarm, &nowhere)).or_default();
            let first = firsts.iter().filter_map(|f| self.program.alarms.get(*f)).find(|f| self.same_alarm(f, alarm));
            match first {
                Some(first) => found.push((alarm.place.clone(), alarm.name.clone(), first.place.clone(), first.name.clone())),
                None if firsts.len() < ALIKE => firsts.push(n),
                None => {}
            }
        }
        for (place, name, first, first_name) in found {
            let message =
                format!("`{name}` is the same as `{first_name}`: the same events raise it, end it and start its reactions");
            self.found.push(
                Diagnostic::new(Code::SameAlarm, place, message)
                    .context(first, "this one")
                    .help("remove one of them, or write how they should differ"),
            );
        }
    }

    /// The properties of an alarm as text, without texts for people. Only short conditions are included.
    fn head(&self, alarm: &Alarm, nowhere: &Arc<Source>) -> String {
        let (bare, conditions) = without_conditions(alarm, nowhere);
        let short: Vec<Vec<_>> = conditions
            .iter()
            .map(|part| {
                let atoms = part.iter().filter_map(|id| self.atom(*id));
                atoms
                    .map(|a| {
                        let regexes = a.matches.iter().map(|m| m.regex.as_str().chars().take(HEAD).collect::<String>());
                        (&a.ids, &a.from, regexes.take(1).collect::<Vec<_>>(), a.predicates.len())
                    })
                    .collect()
            })
            .collect();
        format!("{bare:?} {short:?}")
    }

    fn same_alarm(&self, a: &Alarm, b: &Alarm) -> bool {
        let equal = |a: &AtomId, b: &AtomId| match (self.atom(*a), self.atom(*b)) {
            (Some(a), Some(b)) => same(a, b),
            _ => false,
        };
        all_parts(a).count() == all_parts(b).count()
            && all_parts(a).zip(all_parts(b)).all(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)))
    }

    /// Reports conditions with expressions for which there is no index.
    fn tried_with_all(&mut self) {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for atom in &self.program.atoms {
            let expressions = || !atom.matches.is_empty() && !atom.matches.iter().any(|m| pointless(&m.regex));
            let costs = found_by_nothing(atom) && (expressions() || atom.predicates.iter().any(|p| has_regex(p)));
            if costs && seen.insert((&atom.place.source.name, atom.place.bytes.start)) {
                let message = format!("the expressions of `{}` are tried with every record", atom.name);
                found.push(Diagnostic::new(Code::TriedWithAll, atom.place.clone(), message).help(why_always(atom)));
            }
        }
        self.found.extend(found);
    }

    /// Reports named groups of used patterns that no rule uses and no script receives.
    fn unused_captures(&mut self, trees: &'t [File]) {
        let nowhere = nowhere();
        let mut used: BTreeMap<Key, Option<BTreeSet<String>>> = BTreeMap::new();
        let key = |place: &Place| {
            let file = trees.iter().position(|f| Arc::ptr_eq(&f.source, &place.source))?;
            Some((file, place.bytes.start))
        };
        let about: BTreeSet<&String> = self
            .program
            .atoms
            .iter()
            .filter_map(|a| match &a.signal {
                Some(Signal::Raised(name) | Signal::Cleared(name)) => Some(name),
                _ => None,
            })
            .collect();
        for alarm in &self.program.alarms {
            let capturing: Vec<&Atom> =
                all_parts(alarm).flatten().filter_map(|id| self.atom(*id)).filter(|a| captures_any(a)).collect();
            // Without captures there is nothing to check, and to collect the names of an alarm takes long.
            if capturing.is_empty() {
                continue;
            }
            // A script receives all fields of the event, and so do conditions about the alarm.
            let all = !alarm.react.is_empty() || !alarm.on_cancel.is_empty() || alarm.composite || about.contains(&alarm.name);
            let named = if all { BTreeSet::new() } else { named_by(alarm, &nowhere) };
            for atom in capturing {
                let Some(key) = key(&atom.place) else { continue };
                let names = used.entry(key).or_insert_with(|| Some(BTreeSet::new()));
                match names {
                    _ if all => *names = None,
                    Some(names) => {
                        names.extend(named.iter().cloned());
                        atom.predicates.iter().for_each(|p| fields(p, names));
                        names.extend(atom.renames.iter().map(|(_, field)| field.clone()));
                        names.extend(
                            atom.sets.iter().filter_map(|(_, o)| if let Operand::Field(f) = o { Some(f.clone()) } else { None }),
                        );
                    }
                    None => {}
                }
            }
        }
        let mut samples: BTreeMap<AtomId, BTreeSet<&str>> = BTreeMap::new();
        for sample in &self.program.samples {
            samples.entry(sample.atom).or_default().extend(sample.fields.iter().map(|(name, _)| name.as_str()));
        }
        let mut found = Vec::new();
        for (n, file) in trees.iter().enumerate() {
            for item in &file.items {
                let Item::Pattern(pattern) = item else { continue };
                let Some(Some(names)) = used.get(&(n, pattern.name.span.start)) else { continue };
                let tried = self.pattern_atoms.get(&pattern.name.it).copied().flatten().and_then(|id| samples.get(&id));
                let wanted = |name: &str| {
                    name.starts_with('_')
                        || BuiltIn::is_fixed(name)
                        || names.contains(name)
                        || tried.is_some_and(|t| t.contains(name))
                };
                let mut reported = BTreeSet::new();
                for (name, span) in pattern.clauses.iter().flat_map(|c| captures(&c.it)) {
                    if !wanted(name) && reported.insert(name) {
                        let message = format!(
                            "the capture `{name}` is not used: no alarm of this pattern names it, and none starts a script"
                        );
                        let help = format!(
                            "write `(...)`, use it in a `summary` (`{{{name}}}`), or name it `_{name}` if it is only for people"
                        );
                        found.push(Diagnostic::new(Code::UnusedCapture, file.place(&span), message).help(help));
                    }
                }
            }
        }
        self.found.extend(found);
    }
}

/// The place of a node without a place.
fn nowhere() -> Arc<Source> {
    Arc::new(Source { name: String::new(), text: String::new() })
}

/// The conditions of an alarm: those of its detect, then those that end it.
fn all_parts(alarm: &Alarm) -> impl Iterator<Item = &Vec<AtomId>> {
    let ends = alarm.cancel.iter().filter_map(|c| match c {
        Cancel::When(atoms) | Cancel::Measured { of: atoms, .. } => Some(atoms),
        _ => None,
    });
    alarm.detect.parts.iter().chain([&alarm.detect.unless]).chain(ends)
}

/// Every word of an alarm that could be a field name. It reads all parts of the alarm, so that no clause is missed.
fn named_by(alarm: &Alarm, nowhere: &Arc<Source>) -> BTreeSet<String> {
    let (bare, _) = without_conditions(alarm, nowhere);
    let texts = [&alarm.summary, &alarm.end_summary, &alarm.help];
    let templates = texts.into_iter().flat_map(|t| t.split('{').skip(1)).filter_map(|t| Some(t.split_once('}')?.0.to_owned()));
    let words = format!("{bare:?}");
    let words = words.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).map(str::to_owned);
    words.chain(templates).collect()
}

/// Splits an alarm into the alarm without its name, texts and conditions, and the conditions.
fn without_conditions(alarm: &Alarm, nowhere: &Arc<Source>) -> (Alarm, Vec<Vec<AtomId>>) {
    let conditions = all_parts(alarm).cloned().collect();
    let mut bare = alarm.clone();
    (bare.name, bare.summary, bare.help, bare.category) = Default::default();
    bare.end_summary.clear();
    bare.by.sort();
    bare.place = Place { source: nowhere.clone(), bytes: 0..0 };
    bare.detect.parts.clear();
    bare.detect.unless.clear();
    for cancel in &mut bare.cancel {
        if let Cancel::When(atoms) | Cancel::Measured { of: atoms, .. } = cancel {
            atoms.clear();
        }
    }
    (bare, conditions)
}

/// Adds the fields that a condition tests.
fn fields(predicate: &Predicate, names: &mut BTreeSet<String>) {
    match predicate {
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().for_each(|p| fields(p, names)),
        Predicate::Not(inner) => fields(inner, names),
        Predicate::Test { field, test } => {
            names.insert(field.clone());
            if let FieldTest::Compare(_, Operand::Field(other)) = test {
                names.insert(other.clone());
            }
        }
    }
}

fn captures_any(atom: &Atom) -> bool {
    atom.matches.iter().any(|m| !m.captures.is_empty())
}

fn has_regex(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().any(has_regex),
        Predicate::Not(inner) => has_regex(inner),
        Predicate::Test { test, .. } => matches!(test, FieldTest::Regex { .. }),
    }
}

/// The named groups of a pattern's clause, with their spans.
fn captures(clause: &PatternClause) -> Vec<(&str, ast::TextSpan)> {
    let PatternClause::Match { regex, .. } = clause else { return Vec::new() };
    let mut all = Vec::new();
    for piece in &regex.pieces {
        let starts = ["(?<", "(?P<"].into_iter().flat_map(|mark| piece.it.match_indices(mark).map(|(i, m)| i + m.len()));
        for at in starts {
            if let Some((name, _)) = piece.it.get(at..).and_then(|rest| rest.split_once('>')) {
                let name = name.split(':').next().unwrap_or(name);
                let start = (piece.span.start + at).min(piece.span.end);
                all.push((name, start..(start + name.len()).min(piece.span.end)));
            }
        }
    }
    all
}
