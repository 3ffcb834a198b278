//! Whether two conditions are the same, or one holds whenever the other does. In doubt the answer is no.

use std::sync::Arc;

use crate::core::lang::expression::Expression;
use crate::core::lang::program::{Atom, FieldRegex, FieldTest, IdPattern, Predicate, Sender};

/// True when every event that matches `inner` matches `outer`, with the same captures.
pub(super) fn covers(outer: &Atom, inner: &Atom) -> bool {
    let among = |all: &[Arc<Predicate>], p: &Arc<Predicate>| all.iter().any(|q| Arc::ptr_eq(p, q) || same_predicate(p, q));
    (outer.ids.is_empty() || !inner.ids.is_empty() && inner.ids.iter().all(|i| outer.ids.iter().any(|o| id_within(i, o))))
        && (outer.from.is_empty() || !inner.from.is_empty() && inner.from.iter().all(|s| sender_among(s, &outer.from)))
        && outer.signal == inner.signal
        && outer.sets == inner.sets
        && outer.renames == inner.renames
        && same_matches(&outer.matches, &inner.matches)
        && outer.predicates.iter().all(|p| among(&inner.predicates, p))
}

/// True when the same events match both.
pub(super) fn same(a: &Atom, b: &Atom) -> bool {
    covers(a, b) && covers(b, a)
}

/// True when every event with an id of `inner` has one of `outer`.
pub(super) fn id_within(inner: &IdPattern, outer: &IdPattern) -> bool {
    match (inner, outer) {
        (IdPattern::Numbers { code, first, last }, IdPattern::Numbers { code: wide, first: from, last: to }) => {
            (wide.is_none() || wide == code) && from <= first && last <= to
        }
        (a, b) => a == b,
    }
}

fn sender_among(sender: &Sender, all: &[Sender]) -> bool {
    all.contains(sender)
}

fn same_matches(a: &[FieldRegex], b: &[FieldRegex]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| a.field == b.field && a.captures == b.captures && same_regex(&a.regex, &b.regex))
}

fn same_regex(a: &Expression, b: &Expression) -> bool {
    // Clones share their text.
    std::ptr::eq(a.as_str(), b.as_str()) || a.as_str() == b.as_str()
}

fn same_predicate(a: &Predicate, b: &Predicate) -> bool {
    match (a, b) {
        (Predicate::And(a), Predicate::And(b)) | (Predicate::Or(a), Predicate::Or(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_predicate(a, b))
        }
        (Predicate::Not(a), Predicate::Not(b)) => same_predicate(a, b),
        (Predicate::Test { field: a, test: s }, Predicate::Test { field: b, test: t }) => a == b && same_test(s, t),
        _ => false,
    }
}

fn same_test(a: &FieldTest, b: &FieldTest) -> bool {
    match (a, b) {
        (FieldTest::Compare(a, x), FieldTest::Compare(b, y)) => a == b && x == y,
        (FieldTest::Regex { regex: a, negated: x }, FieldTest::Regex { regex: b, negated: y }) => x == y && same_regex(a, b),
        (FieldTest::Contains(a), FieldTest::Contains(b))
        | (FieldTest::StartsWith(a), FieldTest::StartsWith(b))
        | (FieldTest::EndsWith(a), FieldTest::EndsWith(b)) => a == b,
        (FieldTest::InList(a), FieldTest::InList(b)) => a == b,
        (FieldTest::InNetwork { network: a, prefix: x }, FieldTest::InNetwork { network: b, prefix: y }) => a == b && x == y,
        _ => false,
    }
}
