//! Finds the literals of which a text (or the raw record) must contain one, or else a condition cannot hold.

use crate::core::event::Value;
use crate::core::lang::expression::{Expression, Literals, best, long_enough, union};
use crate::core::lang::program::{Atom, Comparison, FieldTest, Operand, Predicate};

/// What this field of an event (`text` or `raw`) must contain for the condition to hold: one literal of each of these sets.
pub(super) fn of_atom(atom: &Atom, field: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    match atom.matches.as_slice() {
        [] => {}
        [one] if one.field == field => all.extend_from_slice(one.regex.literals()),
        // One alternative must match, so the set has the literals of each.
        several => all.extend(union(several.iter().map(|m| (m.field == field).then(|| of_regex(&m.regex))?))),
    }
    atom.predicates.iter().for_each(|p| sets_of_predicate(p, field, &mut all));
    all.into_iter().filter_map(long_enough).collect()
}

fn sets_of_predicate(predicate: &Predicate, wanted: &str, all: &mut Vec<Vec<String>>) {
    match predicate {
        Predicate::And(parts) => parts.iter().for_each(|p| sets_of_predicate(p, wanted, all)),
        Predicate::Test { field, test: FieldTest::Regex { regex, negated: false } } if field == wanted => {
            all.extend_from_slice(regex.literals())
        }
        other => all.extend(of_predicate(other, wanted)),
    }
}

fn of_predicate(predicate: &Predicate, wanted: &str) -> Literals {
    match predicate {
        Predicate::And(parts) => best(parts.iter().map(|p| of_predicate(p, wanted))),
        Predicate::Or(parts) => union(parts.iter().map(|p| of_predicate(p, wanted))),
        Predicate::Not(_) => None,
        Predicate::Test { field, test } if field == wanted => of_test(test),
        Predicate::Test { .. } => None,
    }
}

fn of_test(test: &FieldTest) -> Literals {
    let one = |text: &str| long_enough(vec![text.to_owned()]);
    match test {
        FieldTest::Compare(Comparison::Equal, Operand::Value(Value::Text(text))) if text.parse::<f64>().is_err() => one(text),
        FieldTest::Regex { regex, negated: false } => of_regex(regex),
        FieldTest::Contains(text) | FieldTest::StartsWith(text) | FieldTest::EndsWith(text) => one(text),
        FieldTest::InList(values) => union(values.iter().map(|v| match v {
            Value::Text(text) if text.parse::<f64>().is_err() => one(text),
            _ => None,
        })),
        _ => None,
    }
}

fn of_regex(regex: &Expression) -> Literals {
    best(regex.literals().iter().cloned().map(Some))
}
