//! Finds the literals of which a text (or the raw record) must contain one, or else a condition cannot hold.

use crate::core::event::Value;
use crate::core::lang::expression::{Class, Expression, NodeKind, Parts, TreePart};
use crate::core::lang::program::{Atom, Comparison, FieldTest, Operand, Predicate};

/// Minimum length of a literal: too many texts contain a shorter one.
const SHORTEST: usize = 2;
/// Maximum number of literals for one condition.
const MOST: usize = 64;
/// Maximum number of texts from joining alternatives with their neighbours.
const JOINED: usize = 8;

/// The text contains one of these, in any letter case; `None` when nothing is certain.
type Literals = Option<Vec<String>>;

/// What this field of an event (`text` or `raw`) must contain for the condition to hold: one literal of each of these sets.
pub(super) fn of_atom(atom: &Atom, field: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    match atom.matches.as_slice() {
        [] => {}
        [one] if one.field == field => all.extend(sets_of_regex(&one.regex)),
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
            all.extend(sets_of_regex(regex))
        }
        other => all.extend(of_predicate(other, wanted)),
    }
}

fn sets_of_regex(regex: &Expression) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    sets(regex.tree(), &mut all);
    all
}

/// Adds every set that an expression gives.
fn sets(part: TreePart<'_>, all: &mut Vec<Vec<String>>) {
    match part.kind() {
        NodeKind::Capture(sub) | NodeKind::Repetition { sub, min: 1.., .. } => sets(sub, all),
        NodeKind::Concat(parts) => all.extend(runs(parts).into_iter().flatten()),
        _ => all.extend(required(part)),
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
    long_enough(required(regex.tree())?)
}

/// The literals of an expression. The library's own limit on nesting bounds the depth.
fn required(part: TreePart<'_>) -> Literals {
    if let Some(texts) = exact(part) {
        return Some(texts);
    }
    match part.kind() {
        NodeKind::Capture(sub) | NodeKind::Repetition { sub, min: 1.., .. } => required(sub),
        NodeKind::Concat(parts) => best(runs(parts)),
        NodeKind::Alternation(parts) => union(parts.map(required)),
        _ => None,
    }
}

/// The sets of a sequence. Adjacent parts that stand for a few texts each are joined, each text with each.
fn runs(parts: Parts<'_>) -> Vec<Literals> {
    let mut found = Vec::new();
    let mut run = vec![String::new()];
    for part in parts {
        match exact(part) {
            Some(texts) if run.len() * texts.len() <= JOINED => run = joined(run, &texts),
            Some(texts) => found.push(Some(std::mem::replace(&mut run, texts))),
            None => {
                found.push(Some(std::mem::replace(&mut run, vec![String::new()])));
                found.push(required(part));
            }
        }
    }
    found.push(Some(run));
    found
}

/// All texts for which an expression stands, in lower case, if there are few.
fn exact(part: TreePart<'_>) -> Option<Vec<String>> {
    match part.kind() {
        NodeKind::Literal(literal) => Some(vec![std::str::from_utf8(literal).ok()?.to_ascii_lowercase()]),
        NodeKind::Class(class) => letter(class).map(|c| vec![c.to_string()]),
        NodeKind::Capture(sub) => exact(sub),
        NodeKind::Alternation(parts) => {
            let all: Vec<String> = parts.map(exact).collect::<Option<Vec<_>>>()?.concat();
            (all.len() <= JOINED).then_some(all)
        }
        NodeKind::Concat(parts) => {
            let mut all = vec![String::new()];
            for part in parts {
                let texts = exact(part)?;
                if all.len() * texts.len() > JOINED {
                    return None;
                }
                all = joined(all, &texts);
            }
            Some(all)
        }
        NodeKind::Empty | NodeKind::Look(_) | NodeKind::Repetition { .. } => None,
    }
}

fn joined(mut heads: Vec<String>, tails: &[String]) -> Vec<String> {
    // Letter by letter, as in expressions that ignore letter case.
    if let [tail] = tails {
        heads.iter_mut().for_each(|head| head.push_str(tail));
        return heads;
    }
    heads.iter().flat_map(|head| tails.iter().map(move |tail| format!("{head}{tail}"))).collect()
}

/// The letter of `[Aa]`, as in an expression that ignores letter case. `[KkK]` (with the Kelvin sign) is not a letter.
fn letter(class: Class<'_>) -> Option<char> {
    let set = class.ascii()?;
    let first = u8::try_from(set.trailing_zeros()).ok().filter(u8::is_ascii_uppercase)?;
    let lower = first.to_ascii_lowercase();
    (set == 1 << first | 1 << lower).then_some(char::from(lower))
}

/// All parts must hold: the part whose shortest literal is longest.
fn best(parts: impl IntoIterator<Item = Literals>) -> Literals {
    let shortest = |all: &Vec<String>| all.iter().map(String::len).min().unwrap_or(0);
    parts.into_iter().flatten().filter_map(long_enough).max_by_key(|all| (shortest(all), std::cmp::Reverse(all.len())))
}

/// One part must hold: the literals of all.
fn union(parts: impl IntoIterator<Item = Literals>) -> Literals {
    let mut all = Vec::new();
    for part in parts {
        all.extend(part?);
    }
    all.sort();
    all.dedup();
    (all.len() <= MOST).then_some(all).and_then(long_enough)
}

fn long_enough(all: Vec<String>) -> Literals {
    (!all.is_empty() && all.iter().all(|l| l.len() >= SHORTEST)).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_expression_cannot_do_without() {
        let of = |text: &str| of_regex(&Expression::new(text, 1 << 20).expect("a test's expression"));
        let all = |texts: &[&str]| Some(texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
        assert_eq!(of("Failed password for (\\S+) from"), all(&["failed password for "]));
        let each = ["link up", "link down", "port up", "port down"];
        assert_eq!(of("(link|port) (up|down)"), all(&each), "each with each");
        assert_eq!(
            of("-00(42|43) (exited|was killed) with"),
            all(&["-0042 exited with", "-0042 was killed with", "-0043 exited with", "-0043 was killed with"])
        );
        assert_eq!(of("^a?b+$"), None, "too short");
        assert_eq!(of("(?i)timeout"), all(&["timeout"]));
        assert_eq!(of("(?i)disk"), all(&["di"]), "k and s have a third form");
        assert_eq!(of("abc|.*"), None);
        assert_eq!(of("(abc){2,}x?"), all(&["abc"]));
    }
}
