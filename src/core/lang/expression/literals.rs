//! Finds the literals of which every match of an expression must contain one.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Minimum length of a literal: too many texts contain a shorter one.
const SHORTEST: usize = 2;
/// Maximum number of literals in one set.
const MOST: usize = 64;
/// Maximum number of texts from joining alternatives with their neighbours.
const JOINED: usize = 8;

/// The text contains one of these, in any letter case; `None` when nothing is certain.
pub(in crate::core::lang) type Literals = Option<Vec<String>>;

/// Every set of which a match must contain one literal.
pub(super) fn sets(hir: &Hir) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    add_sets(hir, &mut all);
    all.into_iter().filter_map(long_enough).collect()
}

/// The library's own limit on nesting bounds the depth, here and below.
fn add_sets(hir: &Hir, all: &mut Vec<Vec<String>>) {
    match hir.kind() {
        HirKind::Capture(capture) => add_sets(&capture.sub, all),
        HirKind::Repetition(repetition) if repetition.min > 0 => add_sets(&repetition.sub, all),
        HirKind::Concat(parts) => all.extend(runs(parts).into_iter().flatten()),
        _ => all.extend(required(hir)),
    }
}

fn required(hir: &Hir) -> Literals {
    if let Some(texts) = exact(hir) {
        return Some(texts);
    }
    match hir.kind() {
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Concat(parts) => best(runs(parts)),
        HirKind::Alternation(parts) => union(parts.iter().map(required)),
        _ => None,
    }
}

/// The sets of a sequence. Adjacent parts that stand for a few texts each are joined, each text with each.
fn runs(parts: &[Hir]) -> Vec<Literals> {
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
fn exact(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![std::str::from_utf8(&literal.0).ok()?.to_ascii_lowercase()]),
        HirKind::Class(class) => letter(class).map(|c| vec![c.to_string()]),
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Alternation(parts) => {
            let all: Vec<String> = parts.iter().map(exact).collect::<Option<Vec<_>>>()?.concat();
            (all.len() <= JOINED).then_some(all)
        }
        HirKind::Concat(parts) => {
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
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
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
fn letter(class: &Class) -> Option<char> {
    let (first, second) = match class {
        Class::Unicode(class) => match class.ranges() {
            [a, b] if a.start() == a.end() && b.start() == b.end() => (a.start(), b.start()),
            _ => return None,
        },
        Class::Bytes(class) => match class.ranges() {
            [a, b] if a.start() == a.end() && b.start() == b.end() => (a.start().into(), b.start().into()),
            _ => return None,
        },
    };
    (first.is_ascii_uppercase() && second == first.to_ascii_lowercase()).then_some(second)
}

/// All parts must hold: the part whose shortest literal is longest.
pub(in crate::core::lang) fn best(parts: impl IntoIterator<Item = Literals>) -> Literals {
    let shortest = |all: &Vec<String>| all.iter().map(String::len).min().unwrap_or(0);
    parts.into_iter().flatten().filter_map(long_enough).max_by_key(|all| (shortest(all), std::cmp::Reverse(all.len())))
}

/// One part must hold: the literals of all.
pub(in crate::core::lang) fn union(parts: impl IntoIterator<Item = Literals>) -> Literals {
    let mut all = Vec::new();
    for part in parts {
        all.extend(part?);
    }
    all.sort();
    all.dedup();
    (all.len() <= MOST).then_some(all).and_then(long_enough)
}

pub(in crate::core::lang) fn long_enough(all: Vec<String>) -> Literals {
    (!all.is_empty() && all.iter().all(|l| l.len() >= SHORTEST)).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_expression_cannot_do_without() {
        let of = |text: &str| best(sets(&regex_syntax::parse(text).expect("a test's expression")).into_iter().map(Some));
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
        assert_eq!(of("(?i-u)timeout"), all(&["timeout"]));
        assert_eq!(of("(?i)disk"), all(&["di"]), "k and s have a third form");
        assert_eq!(of("abc|.*"), None);
        assert_eq!(of("(abc){2,}x?"), all(&["abc"]));
    }
}
