//! Conditions on fields that no event can match, because their parts contradict each other.
//!
//! All parts of an `and` that test one field are tried with every value that the field could have: all levels of severity or
//! trust, or the texts that a part names. An undecidable part counts as a match.

use crate::core::diag::Code;
use crate::core::event::{Level, Trust, Value};
use crate::core::lang::ast::{self, File, Relation, TextSpan};
use crate::core::lang::compile::Compiler;
use crate::core::lang::program::{Comparison, FieldTest, Operand, Predicate};

/// Maximum number of parts of one `and` that are compared: more parts are a generated list.
const PARTS: usize = 64;

/// A value that a field may have.
#[derive(Clone, Debug)]
enum Candidate<'v> {
    Level(Level),
    Trust(Trust),
    Text(&'v str),
    Number(f64),
    /// The event does not have the field.
    Absent,
}

/// A part of an `and`, in the tree and compiled.
type Part<'p> = (&'p ast::PredicateSyntax, &'p Predicate);

impl Compiler<'_, '_> {
    /// Checks a condition, and every `and` in it.
    pub(in crate::core::lang::compile) fn contradictions(
        &mut self,
        file: &File,
        tree: &ast::PredicateSyntax,
        compiled: &Predicate,
    ) {
        let mut parts = Vec::new();
        conjunction(tree, compiled, &mut parts);
        if parts.len() <= PARTS {
            self.contradiction(file, &parts);
        }
        for (tree, compiled) in parts {
            match (tree, compiled) {
                (ast::PredicateSyntax::Or(trees), Predicate::Or(all)) => {
                    trees.iter().zip(all).for_each(|(t, c)| self.contradictions(file, t, c));
                }
                (ast::PredicateSyntax::Not(tree), Predicate::Not(inner)) => self.contradictions(file, tree, inner),
                (ast::PredicateSyntax::Test { field, relation }, _) => self.value(file, &field.it, relation),
                _ => {}
            }
        }
    }

    fn contradiction(&mut self, file: &File, parts: &[Part<'_>]) {
        let mut fields: Vec<&str> = parts.iter().filter_map(|(_, p)| only_field(p)).collect();
        fields.sort_unstable();
        fields.dedup();
        for field in fields {
            let about: Vec<&Part<'_>> = parts.iter().filter(|(_, p)| only_field(p) == Some(field)).collect();
            let all: Vec<&Predicate> = about.iter().map(|(_, p)| *p).collect();
            if !impossible(field, &all) {
                continue;
            }
            let spans: Vec<TextSpan> = about.iter().filter_map(|(t, _)| span(t)).collect();
            let (Some(start), Some(end)) = (spans.iter().map(|s| s.start).min(), spans.iter().map(|s| s.end).max()) else {
                continue;
            };
            let texts: Vec<String> = about.iter().filter_map(|(t, _)| Some(format!("`{}`", said(file, t)?))).collect();
            let message = match texts.as_slice() {
                [one] => format!("no event matches {one}"),
                several => format!("no event matches all of {}", several.join(", ")),
            };
            let help = "tests that are joined by `and` must all be true; with `or` and `in [..]` one is enough";
            let found = self.report(file, Code::NeverMatches, &(start..end), message);
            found.help = (texts.len() > 1).then(|| help.to_owned());
        }
    }

    /// Reports a name that the inventory resolves to another: the field has that other name.
    fn value(&mut self, file: &File, field: &str, relation: &ast::At<Relation>) {
        let Some(inventory) = self.world.inventory else { return };
        let name = |text: &str| match field {
            "host" => inventory.host(text).map(|(name, _)| name.clone()),
            "app" => inventory.application(text).map(|(name, _)| name.clone()),
            _ => None,
        };
        let texts: Vec<(&str, &TextSpan)> = match &relation.it {
            Relation::Compare(Comparison::Equal | Comparison::NotEqual, ast::OperandSyntax::Literal(literal)) => {
                text(&literal.it).map(|t| (t, &literal.span)).into_iter().collect()
            }
            Relation::InList(elements) => elements
                .iter()
                .filter_map(|e| match e {
                    ast::Element::Literal(literal) => Some((text(&literal.it)?, &literal.span)),
                    ast::Element::Bare(word) => Some((word.it.as_str(), &word.span)),
                    ast::Element::Network(_) => None,
                })
                .collect(),
            _ => return,
        };
        for (text, span) in texts {
            let programs: Vec<&str> = match field {
                "app" if name(text).is_none() => inventory.of_program(text).map(|(name, _)| name.as_str()).collect(),
                _ => Vec::new(),
            };
            if programs.len() > 1 {
                let message = format!("`app` is never \"{text}\" in this inventory: there it is {}", programs.join(" or "));
                self.report(file, Code::NeverMatches, span, message).help =
                    Some(format!("write `from app {text}`, which means all of them"));
            }
            if let Some(name) = name(text).filter(|name| name.as_str() != text) {
                let message =
                    format!("`{field}` is never \"{text}\": the inventory calls it `{name}`, and events have that name");
                self.report(file, Code::NeverMatches, span, message).help = Some(format!("write \"{name}\""));
            }
        }
    }
}

fn text(literal: &ast::LiteralKind) -> Option<&str> {
    match literal {
        ast::LiteralKind::Text(text) | ast::LiteralKind::Address(text) => Some(text),
        _ => None,
    }
}

/// The parts that must all hold, without the parentheses around them.
fn conjunction<'p>(tree: &'p ast::PredicateSyntax, compiled: &'p Predicate, parts: &mut Vec<Part<'p>>) {
    match (tree, compiled) {
        (ast::PredicateSyntax::And(trees), Predicate::And(all)) => {
            trees.iter().zip(all).for_each(|(t, c)| conjunction(t, c, parts));
        }
        both => parts.push(both),
    }
}

fn span(tree: &ast::PredicateSyntax) -> Option<TextSpan> {
    match tree {
        ast::PredicateSyntax::Test { field, relation } => Some(field.span.start..relation.span.end),
        ast::PredicateSyntax::Not(inner) => span(inner),
        ast::PredicateSyntax::And(parts) | ast::PredicateSyntax::Or(parts) => {
            let (first, last) = (span(parts.first()?)?, span(parts.last()?)?);
            Some(first.start..last.end)
        }
    }
}

/// A part as it was written.
fn said(file: &File, tree: &ast::PredicateSyntax) -> Option<String> {
    match tree {
        ast::PredicateSyntax::Not(inner) => Some(format!("not {}", said(file, inner)?)),
        other => file.source.text.get(span(other)?).map(str::to_owned),
    }
}

/// The field that a condition tests, if it tests only one.
fn only_field(predicate: &Predicate) -> Option<&str> {
    match predicate {
        Predicate::And(parts) | Predicate::Or(parts) => {
            let first = only_field(parts.first()?)?;
            parts.iter().all(|p| only_field(p) == Some(first)).then_some(first)
        }
        Predicate::Not(inner) => only_field(inner),
        Predicate::Test { test: FieldTest::Compare(_, Operand::Field(_)), .. } => None,
        Predicate::Test { field, .. } => Some(field),
    }
}

/// True when no value of the field matches all parts.
fn impossible(field: &str, all: &[&Predicate]) -> bool {
    let candidates: Vec<Candidate<'_>> = match field {
        "level" => Level::ALL.into_iter().map(Candidate::Level).chain([Candidate::Absent]).collect(),
        "trust" => Trust::ALL.into_iter().map(Candidate::Trust).collect(),
        _ => match all.iter().find_map(|p| named(p)) {
            Some(values) => values.into_iter().map(candidate).collect(),
            None => return no_number(all) || no_beginning(all),
        },
    };
    // An empty list has its own diagnostic.
    !candidates.is_empty() && candidates.iter().all(|c| all.iter().any(|p| holds(p, c) == Some(false)))
}

/// The values of which the field must have one.
fn named(predicate: &Predicate) -> Option<Vec<&Value<'static>>> {
    match predicate {
        Predicate::Test { test: FieldTest::Compare(Comparison::Equal, Operand::Value(value)), .. } => Some(vec![value]),
        Predicate::Test { test: FieldTest::InList(values), .. } => Some(values.iter().collect()),
        Predicate::Or(parts) => Some(parts.iter().map(named).collect::<Option<Vec<_>>>()?.concat()),
        _ => None,
    }
}

fn candidate<'v>(value: &'v Value<'static>) -> Candidate<'v> {
    match (value.as_number(), value) {
        (Some(n), _) => Candidate::Number(n),
        (None, Value::Text(text)) => Candidate::Text(text),
        // Boolean and similar values are compared by their text, which is not worth a check.
        (None, _) => Candidate::Number(f64::NAN),
    }
}

/// Whether a field with this value matches the condition; `None` when that is not certain.
fn holds(predicate: &Predicate, candidate: &Candidate<'_>) -> Option<bool> {
    match predicate {
        Predicate::And(parts) => all_of(parts.iter().map(|p| holds(p, candidate)), false),
        Predicate::Or(parts) => all_of(parts.iter().map(|p| holds(p, candidate)), true),
        Predicate::Not(inner) => holds(inner, candidate).map(|b| !b),
        Predicate::Test { test, .. } => passes(test, candidate),
    }
}

/// The `and` of three-valued results, or the `or`.
fn all_of(parts: impl Iterator<Item = Option<bool>>, or: bool) -> Option<bool> {
    let mut known = Some(!or);
    for part in parts {
        match part {
            Some(value) if value == or => return Some(or),
            Some(_) => {}
            None => known = None,
        }
    }
    known
}

fn passes(test: &FieldTest, candidate: &Candidate<'_>) -> Option<bool> {
    match (test, candidate) {
        (_, Candidate::Absent) => Some(false),
        (FieldTest::Compare(c, Operand::Level(want)), Candidate::Level(have)) => Some(c.holds(have.cmp(want))),
        (FieldTest::Compare(c, Operand::Trust(want)), Candidate::Trust(have)) => Some(c.holds(have.cmp(want))),
        (FieldTest::Compare(c, Operand::Value(want)), Candidate::Number(have)) => {
            Some(c.holds(have.partial_cmp(&want.as_number()?)?))
        }
        (FieldTest::Compare(c, Operand::Value(Value::Text(want))), Candidate::Text(have)) => {
            Some(c.holds((*have).cmp(want.as_ref())))
        }
        (FieldTest::InList(values), Candidate::Text(have)) => {
            let texts: Option<Vec<&str>> = values.iter().map(Value::as_text).collect();
            texts.map(|all| all.contains(have))
        }
        (FieldTest::InList(values), Candidate::Number(have)) => {
            let numbers: Option<Vec<f64>> = values.iter().map(Value::as_number).collect();
            numbers.filter(|_| !have.is_nan()).map(|all| all.contains(have))
        }
        (FieldTest::Contains(part), Candidate::Text(have)) => Some(have.contains(part.as_str())),
        (FieldTest::StartsWith(part), Candidate::Text(have)) => Some(have.starts_with(part.as_str())),
        (FieldTest::EndsWith(part), Candidate::Text(have)) => Some(have.ends_with(part.as_str())),
        (FieldTest::Regex { regex, negated }, Candidate::Text(have)) => Some(regex.is_match(have) != *negated),
        _ => None,
    }
}

/// True when no number lies within all bounds. A text might, in alphabetical order, but no rule means that.
fn no_number(all: &[&Predicate]) -> bool {
    let (mut low, mut high) = ((f64::NEG_INFINITY, true), (f64::INFINITY, true));
    for predicate in all {
        let Predicate::Test { test: FieldTest::Compare(comparison, Operand::Value(value)), .. } = predicate else { continue };
        let Some(n) = value.as_number() else { continue };
        match comparison {
            Comparison::Greater if n >= low.0 => low = (n, false),
            Comparison::GreaterOrEqual if n > low.0 => low = (n, true),
            Comparison::Less if n <= high.0 => high = (n, false),
            Comparison::LessOrEqual if n < high.0 => high = (n, true),
            _ => {}
        }
    }
    low.0 > high.0 || low.0 == high.0 && !(low.1 && high.1)
}

/// True when two texts are required at the beginning, or at the end, and neither begins (or ends) with the other.
fn no_beginning(all: &[&Predicate]) -> bool {
    let mut starts: Vec<&str> = Vec::new();
    let mut ends: Vec<&str> = Vec::new();
    for predicate in all {
        match predicate {
            Predicate::Test { test: FieldTest::StartsWith(text), .. } => starts.push(text),
            Predicate::Test { test: FieldTest::EndsWith(text), .. } => ends.push(text),
            _ => {}
        }
    }
    let apart = |all: &[&str], fits: fn(&str, &str) -> bool| {
        all.iter().enumerate().any(|(i, a)| all.iter().skip(i + 1).any(|b| !fits(a, b) && !fits(b, a)))
    };
    apart(&starts, |a, b| a.starts_with(b)) || apart(&ends, |a, b| a.ends_with(b))
}
