//! Mutants: rules that were changed in one place. Good tests notice the change. A change that no event can show is none.

use std::sync::Arc;
use std::time::Duration;

use crate::core::base::time::duration_text;
use crate::core::diag::Place;
use crate::core::event::OWN_APP;
use crate::core::lang::program::{
    Alarm, Atom, AtomId, Cancel, Comparison, FieldTest, IdPattern, Mode, Predicate, Program, Sender, Shape,
};
use crate::core::notice::Subject;

type Change<T> = Box<dyn Fn(&mut T) + Send + Sync>;

/// One change of rules.
pub struct Mutant {
    change: Change<Program>,
    /// The change, for people: `alarm x: 3 of ... becomes 4`.
    pub what: String,
    /// The rule that is changed.
    pub place: Place,
    /// The alarm that is changed; empty if it is a condition.
    pub alarm: String,
}

impl Mutant {
    /// The rules with this change.
    pub fn applied(&self, program: &Program) -> Program {
        let mut changed = program.clone();
        (self.change)(&mut changed);
        changed
    }

    /// True if events match other conditions than before: the matcher has to be made again.
    pub fn matches_otherwise(&self) -> bool {
        self.alarm.is_empty()
    }
}

/// All changes of these rules, one at a time: thresholds, windows, keys, cancels, reactions, ids, senders, tests of fields.
pub fn mutants(program: &Program) -> Vec<Mutant> {
    let mut all = Vec::new();
    for n in 0..program.alarms.len() {
        of_alarm(program, n, &mut all);
    }
    for n in 0..program.atoms.len() {
        of_condition(program, n, &mut all);
    }
    all
}

fn of_alarm(program: &Program, n: usize, all: &mut Vec<Mutant>) {
    // An alarm that is off does nothing, however it is changed.
    let Some(alarm) = program.alarms.get(n).filter(|alarm| alarm.mode != Mode::Off) else { return };
    let mut add = |what: String, change: Change<Alarm>| {
        let change = move |program: &mut Program| program.alarms.get_mut(n).into_iter().for_each(&change);
        let (what, place) = (format!("alarm {}: {what}", alarm.name), alarm.place.clone());
        all.push(Mutant { change: Box::new(change), what, place, alarm: alarm.name.clone() });
    };
    let half = |span: Duration| span / 2;
    let twice = |span: Duration| span * 2;
    if let Shape::Count { distinct: Some(field), .. } = &alarm.detect.shape {
        add(
            format!("`distinct {field}` is not asked for"),
            Box::new(move |alarm| {
                if let Shape::Count { distinct, .. } = &mut alarm.detect.shape {
                    *distinct = None;
                }
            }),
        );
    }
    if let Shape::Count { n: wanted, .. } = alarm.detect.shape {
        for other in [wanted + 1, wanted.saturating_sub(1)].into_iter().filter(|n| *n > 0) {
            add(
                format!("`{wanted} of` becomes `{other} of`"),
                Box::new(move |alarm| {
                    if let Shape::Count { n, .. } = &mut alarm.detect.shape {
                        *n = other;
                    }
                }),
            );
        }
    }
    if let Some(within) = alarm.detect.within {
        for other in [half(within), twice(within)] {
            let what = format!("the time {} becomes {}", duration_text(within), duration_text(other));
            add(what, Box::new(move |alarm| alarm.detect.within = Some(other)));
        }
    }
    if let Shape::Measure(measure) = &alarm.detect.shape {
        let wanted = measure.threshold.amount;
        add(
            format!("the threshold {wanted} is doubled"),
            Box::new(move |alarm| {
                if let Shape::Measure(measure) = &mut alarm.detect.shape {
                    measure.threshold.amount = wanted * 2.0 + 1.0;
                }
            }),
        );
    }
    if alarm.hold.is_some() {
        add("without its `hold`".to_owned(), Box::new(move |alarm| alarm.hold = None));
    }
    if !alarm.detect.unless.is_empty() {
        add("without its `unless`".to_owned(), Box::new(move |alarm| alarm.detect.unless.clear()));
    }
    if alarm.limit.is_some() {
        add("without its `limit`".to_owned(), Box::new(move |alarm| alarm.limit = None));
    } else {
        let own: &[String] = if has_keys_of_its_alarm(program, alarm) { &[] } else { &alarm.by };
        for field in own.iter().filter(|field| !follows_from_another(field, own)).cloned() {
            add(format!("`by` without {field}"), Box::new(move |alarm| alarm.by.retain(|f| *f != field)));
        }
    }
    for (names, word) in
        [(&alarm.inhibited_by, "inhibited by"), (&alarm.only_while, "only while"), (&alarm.only_while_not, "only while not")]
    {
        if !names.is_empty() {
            add(
                format!("without `{word}`"),
                Box::new(move |alarm| match word {
                    "inhibited by" => alarm.inhibited_by.clear(),
                    "only while" => alarm.only_while.clear(),
                    _ => alarm.only_while_not.clear(),
                }),
            );
        }
    }
    if !alarm.only_during.is_empty() || !alarm.not_during.is_empty() {
        add(
            "without its calendars".to_owned(),
            Box::new(move |alarm| {
                alarm.only_during.clear();
                alarm.not_during.clear();
            }),
        );
    }
    for (place, cancel) in alarm.cancel.iter().enumerate() {
        match cancel {
            Cancel::After { span, .. } => {
                for other in [half(*span), twice(*span)] {
                    add(
                        format!("`cancel after {}` becomes {}", duration_text(*span), duration_text(other)),
                        Box::new(move |alarm| {
                            if let Some(Cancel::After { span, .. }) = alarm.cancel.get_mut(place) {
                                *span = other;
                            }
                        }),
                    );
                }
            }
            Cancel::When(_) => add(
                "without a `cancel when`".to_owned(),
                Box::new(move |alarm| {
                    alarm.cancel.remove(place);
                }),
            ),
            Cancel::Falls(_) | Cancel::Measured { .. } | Cancel::AtOnce | Cancel::ByHand => {}
        }
    }
    for (place, chain) in alarm.react.iter().enumerate() {
        let names: Vec<&str> = chain.iter().map(|call| call.reaction.as_str()).collect();
        add(
            format!("without its reaction {}", names.join(" then ")),
            Box::new(move |alarm| {
                alarm.react.remove(place);
            }),
        );
    }
    for (place, chain) in alarm.on_cancel.iter().enumerate() {
        let names: Vec<&str> = chain.iter().map(|call| call.reaction.as_str()).collect();
        add(
            format!("without its reaction to the end {}", names.join(" then ")),
            Box::new(move |alarm| {
                alarm.on_cancel.remove(place);
            }),
        );
    }
}

/// True for a condition of several events in a `cancel`, if its keys are those of the alarm: they are, whether it says so or not.
fn has_keys_of_its_alarm(program: &Program, condition: &Alarm) -> bool {
    let of = condition.name.strip_prefix("pattern ").and_then(|name| Some(name.rsplit_once('/')?.0));
    condition.composite
        && program.alarms.iter().any(|alarm| !alarm.composite && Some(&*alarm.name) == of && alarm.by == condition.by)
}

/// True for a field of a key that says nothing new beside another one, so no event can show that it is missing: an application
/// is a member of one pair, runs on one host, and has one type; a host has one site.
fn follows_from_another(field: &str, by: &[String]) -> bool {
    let has = |name: &str| by.iter().any(|field| field == name);
    match field {
        "pair" | "type" => has("app"),
        "site" => has("app") || has("host"),
        _ => false,
    }
}

/// The subjects that no record of a log has.
const ONLY_OWN: [Subject; 5] = [Subject::Resource, Subject::Alarm, Subject::Reaction, Subject::Source, Subject::Scope];

/// True if each alarm that uses a condition is grouped by one of these subjects, and the condition itself gives no value to it.
/// A record that has no such field then does not matter, whatever it says.
fn grouped_by(program: &Program, atom: AtomId, subjects: &[Subject]) -> bool {
    let wanted = |field: &String| subjects.iter().any(|subject| subject.field() == field);
    let captures = |field: &String| {
        program.atoms.get(atom.0 as usize).is_some_and(|atom| {
            let captured = atom.matches.iter().flat_map(|m| &m.captures).map(|capture| &capture.name);
            captured.chain(atom.sets.iter().map(|(name, _)| name)).any(|name| name == field)
        })
    };
    let uses = |alarm: &&Alarm| {
        let cancels = alarm.cancel.iter().any(|cancel| matches!(cancel, Cancel::When(atoms) if atoms.contains(&atom)));
        cancels || alarm.detect.parts.iter().any(|part| part.contains(&atom))
    };
    let mut alarms = program.alarms.iter().filter(uses).peekable();
    alarms.peek().is_some() && alarms.all(|alarm| alarm.by.iter().any(|field| wanted(field) && !captures(field)))
}

fn of_condition(program: &Program, n: usize, all: &mut Vec<Mutant>) {
    let Some(atom) = program.atoms.get(n).filter(|atom| atom.signal.is_none()) else { return };
    // Only an event of Pointsman can match, so a test of the trust changes nothing: either no record has the fields of the group,
    // or the condition demands the app Pointsman, which is a member of no pair.
    let id = AtomId(u32::try_from(n).unwrap_or(u32::MAX));
    let own = grouped_by(program, id, &ONLY_OWN);
    let by_pointsman = atom.from.iter().all(|sender| matches!(sender, Sender::App(name) if name == OWN_APP));
    let authenticated = own || (!atom.from.is_empty() && by_pointsman && grouped_by(program, id, &[Subject::Pair]));
    // A use of a pattern with a `where` is a copy of its condition. A change of the pattern changes all copies, and only that
    // `where` is a change of the copy.
    let original = program.atoms.iter().take(n).find(|original| is_copy(atom, original));
    let inherited = original.map_or(0, |original| original.predicates.len());
    let copies: Vec<usize> =
        (n..program.atoms.len()).filter(|at| program.atoms.get(*at).is_some_and(|a| is_copy(a, atom))).collect();
    let mut add = |what: String, change: Change<Atom>| {
        let copies = copies.clone();
        let change = move |program: &mut Program| {
            copies.iter().for_each(|at| program.atoms.get_mut(*at).into_iter().for_each(&change));
        };
        let (what, place) = (format!("{}: {what}", atom.name), atom.place.clone());
        all.push(Mutant { change: Box::new(change), what, place, alarm: String::new() });
    };
    if original.is_none() {
        for (place, id) in atom.ids.iter().enumerate() {
            if let IdPattern::Numbers { code, first, last } = id {
                let other = IdPattern::Numbers { code: *code, first: first + 50_000, last: last + 50_000 };
                add(
                    format!("another id instead of {first:05}"),
                    Box::new(move |atom| {
                        if let Some(id) = atom.ids.get_mut(place) {
                            *id = other.clone();
                        }
                    }),
                );
            }
        }
        if !atom.from.is_empty() && !own {
            add("from anybody".to_owned(), Box::new(move |atom| atom.from.clear()));
        }
        for place in 0..atom.matches.len() {
            if atom.matches.len() > 1 {
                add(
                    format!("without its `match` {}", place + 1),
                    Box::new(move |atom| {
                        atom.matches.remove(place);
                    }),
                );
            }
        }
    }
    for (place, predicate) in atom.predicates.iter().enumerate().skip(inherited) {
        let about_trust = matches!(&**predicate, Predicate::Test { field, .. } if field == "trust");
        if !(authenticated && about_trust) {
            add(
                "without a test of its `where`".to_owned(),
                Box::new(move |atom| {
                    atom.predicates.remove(place);
                }),
            );
        }
        for (what, changed) in changed_tests(predicate) {
            let changed = Arc::new(changed);
            add(
                what,
                Box::new(move |atom| {
                    if let Some(predicate) = atom.predicates.get_mut(place) {
                        *predicate = changed.clone();
                    }
                }),
            );
        }
    }
}

/// True if a condition is made of another one by adding tests, or is that one.
fn is_copy(copy: &Atom, original: &Atom) -> bool {
    let tests = || copy.predicates.iter().zip(&original.predicates);
    copy.name == original.name
        && copy.place == original.place
        && copy.ids == original.ids
        && copy.from == original.from
        && copy.matches.len() == original.matches.len()
        && copy.predicates.len() >= original.predicates.len()
        && tests().all(|(one, other)| Arc::ptr_eq(one, other))
}

/// A predicate with one change: without a part of an `and` or `or`, or with another comparison.
fn changed_tests(predicate: &Predicate) -> Vec<(String, Predicate)> {
    let of_parts = |parts: &[Predicate], word: &str, joined: fn(Vec<Predicate>) -> Predicate| {
        let mut changed = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            let others = |instead: Option<Predicate>| {
                let mut parts = parts.to_vec();
                parts.splice(place..=place, instead);
                joined(parts)
            };
            changed.push((format!("without part {} of an `{word}`", place + 1), others(None)));
            changed.extend(changed_tests(part).into_iter().map(|(what, part)| (what, others(Some(part)))));
        }
        changed
    };
    match predicate {
        Predicate::And(parts) => of_parts(parts, "and", Predicate::And),
        Predicate::Or(parts) => of_parts(parts, "or", Predicate::Or),
        Predicate::Not(inner) => {
            changed_tests(inner).into_iter().map(|(what, inner)| (what, Predicate::Not(Box::new(inner)))).collect()
        }
        Predicate::Test { field, test: FieldTest::Compare(comparison, operand) } => {
            let other = neighbour(*comparison);
            let what = format!("`{field} {}` becomes `{}`", comparison.sign(), other.sign());
            vec![(what, Predicate::Test { field: field.clone(), test: FieldTest::Compare(other, operand.clone()) })]
        }
        Predicate::Test { .. } => Vec::new(),
    }
}

/// The comparison that differs in one case only.
fn neighbour(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::LessOrEqual,
        Comparison::LessOrEqual => Comparison::Less,
        Comparison::Greater => Comparison::GreaterOrEqual,
        Comparison::GreaterOrEqual => Comparison::Greater,
    }
}
