//! Alarms that wait (`only while`) for what never happens: for each other, for themselves, for an alarm that is off or keeps
//! no state, or for one that inhibits them.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::diag::{Code, Diagnostic, Place};
use crate::core::lang::ast::{ClauseKind, File, Item};
use crate::core::lang::compile::Compiler;
use crate::core::lang::program::{Alarm, Cancel, Mode, Shape, Term};

impl Compiler<'_, '_> {
    /// Reports alarms that are never raised, because an alarm that they need (`only while`) is never active.
    pub(super) fn waits(&mut self, trees: &[File]) {
        let alarms: BTreeMap<&str, &Alarm> = self.program.alarms.iter().map(|a| (a.name.as_str(), a)).collect();
        let raised = raised(&alarms);
        // A name that does not exist has its own diagnostic.
        let never = |name: &str| alarms.get(name).is_some_and(|alarm| keeps_nothing(alarm) || !raised.contains(name));
        let mut found = Vec::new();
        for file in trees {
            let defaults =
                || file.items.iter().filter_map(|i| if let Item::Defaults(clauses) = i { Some(clauses) } else { None });
            for item in &file.items {
                let Item::Alarm(tree) = item else { continue };
                let name = tree.name.it.as_str();
                let Some(alarm) = alarms.get(name).filter(|a| a.mode != Mode::Off && !raised.contains(name)) else { continue };
                let clauses = tree.clauses.iter().chain(defaults().flatten());
                let awaited = clauses.filter_map(|c| match &c.it {
                    ClauseKind::OnlyWhile { alarm, active: true } => Some(alarm),
                    _ => None,
                });
                let Some(word) = awaited
                    .into_iter()
                    .find(|w| alarm.only_while.contains(&w.it) && (never(&w.it) || never_beside(alarm, &w.it)))
                else {
                    continue;
                };
                if let Some(awaited) = alarms.get(word.it.as_str()) {
                    found.push(waits_for(alarm, awaited, file.place(&word.span)));
                }
            }
        }
        found.extend(alarms.values().filter_map(|alarm| never_so(alarm, &alarms)));
        self.found.extend(found);
    }
}

/// Reports an alarm of joined states if an alarm that it needs is never active.
fn never_so(alarm: &Alarm, alarms: &BTreeMap<&str, &Alarm>) -> Option<Diagnostic> {
    let Shape::States(states) = &alarm.detect.shape else { return None };
    let about = |term: &Term| alarms.get(term.alarm().filter(|_| !term.negated)?).copied();
    let never = |term: &Term| about(term).filter(|other| other.mode == Mode::Off || keeps_nothing(other));
    if !states.all && !states.terms.iter().all(|term| never(term).is_some()) {
        return None;
    }
    let other = states.terms.iter().find_map(never)?;
    let (name, why) = (&alarm.name, if other.mode == Mode::Off { "is `mode off`" } else { "is cancelled at once" });
    let message = format!("`{name}` requires that `{}` is active, and that {why}: `{name}` is never raised", other.name);
    let help = "let that alarm last, or write the event: `alarm X raised`";
    Some(Diagnostic::new(Code::NeverRaised, alarm.place.clone(), message).help(help).context(other.place.clone(), "this one"))
}

fn waits_for(alarm: &Alarm, awaited: &Alarm, place: Place) -> Diagnostic {
    let (name, other) = (&alarm.name, &awaited.name);
    let (message, help) = if name == other {
        (format!("`{name}` is raised only while it is active itself: it is never raised"), "name another alarm")
    } else if awaited.mode == Mode::Off {
        (
            format!("`{name}` is raised only while `{other}` is active, and that has `mode off`: `{name}` is never raised"),
            "give that alarm another mode, or remove this clause",
        )
    } else if keeps_nothing(awaited) {
        (
            format!("`{name}` is raised only while `{other}` is active, and that is cancelled at once: `{name}` is never raised"),
            "let that alarm last (`cancel after 1h`), or remove this clause",
        )
    } else if never_beside(alarm, other) {
        (
            format!("`{name}` is raised only while `{other}` is active, but is inhibited by it: it is never raised"),
            "remove one of the two",
        )
    } else if awaited.only_while.contains(name) {
        (
            format!("`{name}` and `{other}` are raised only while the other is active: neither is ever raised"),
            "remove the clause from one of them",
        )
    } else {
        (
            format!(
                "`{name}` is raised only while `{other}` is active, and that waits for an alarm that is never raised: `{name}` is never raised"
            ),
            "remove this clause, or let the other alarm not wait for this one",
        )
    };
    let found = Diagnostic::new(Code::NeverRaised, place, message).help(help);
    if name == other { found } else { found.context(awaited.place.clone(), "this one") }
}

/// True when the alarm is not raised while the other one is active.
fn never_beside(alarm: &Alarm, other: &str) -> bool {
    alarm.inhibited_by.iter().chain(&alarm.only_while_not).any(|name| name == other)
}

/// True when the alarm ends with the event that raises it.
fn keeps_nothing(alarm: &Alarm) -> bool {
    alarm.cancel.contains(&Cancel::AtOnce)
}

/// The alarms that can be raised: those that wait for none, then those that wait only for such alarms.
fn raised<'a>(alarms: &BTreeMap<&'a str, &'a Alarm>) -> BTreeSet<&'a str> {
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    let mut awaited_by: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    for (name, alarm) in alarms {
        let awaited: BTreeSet<&str> = alarm.only_while.iter().map(String::as_str).filter(|n| alarms.contains_key(n)).collect();
        if awaited.iter().any(|n| never_beside(alarm, n) || alarms.get(n).is_some_and(|a| keeps_nothing(a))) {
            continue;
        }
        waiting.insert(name, awaited.len());
        for other in awaited {
            awaited_by.entry(other).or_default().push(name);
        }
    }
    let mut next: Vec<&str> = alarms.keys().copied().filter(|name| waiting.get(name) == Some(&0)).collect();
    let mut raised = BTreeSet::new();
    while let Some(name) = next.pop() {
        if alarms.get(name).is_none_or(|a| a.mode == Mode::Off) {
            continue;
        }
        raised.insert(name);
        for other in awaited_by.get(name).into_iter().flatten() {
            if let Some(left) = waiting.get_mut(other) {
                *left -= 1;
                if *left == 0 {
                    next.push(other);
                }
            }
        }
    }
    raised
}
