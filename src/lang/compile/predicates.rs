//! Conditions on fields, with the meaning that each field gives to values.

use std::net::IpAddr;

use crate::diag::Code;
use crate::event::{EventId, INSIDE_PREFIXES, Level, Provenance, Value};
use crate::lang::ast::{self, Element, File, LiteralKind, Relation, Span, Word};
use crate::lang::program::{Comparison, IdPattern, Operand, Predicate, Test, Unit};

use super::Compiler;
use super::atoms::BUILT_IN;
use super::values::value_of;

const LEVELS: &[&str] = &["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];
const PROVENANCES: &[&str] = &["unverified", "address", "local", "authenticated"];

impl Compiler<'_, '_> {
    /// Compiles a condition; `None` when a part of it is wrong. Depth is bounded by the parser.
    pub(super) fn predicate(&mut self, file: &File, predicate: &ast::Predicate) -> Option<Predicate> {
        let compiled = self.condition(file, predicate)?;
        self.contradictions(file, predicate, &compiled);
        Some(compiled)
    }

    fn condition(&mut self, file: &File, predicate: &ast::Predicate) -> Option<Predicate> {
        // Every part is looked at, so that every mistake is found.
        let all = |me: &mut Self, parts: &[ast::Predicate]| {
            let parts: Vec<Option<Predicate>> = parts.iter().map(|p| me.condition(file, p)).collect();
            parts.into_iter().collect::<Option<Vec<_>>>()
        };
        match predicate {
            ast::Predicate::And(parts) => all(self, parts).map(Predicate::And),
            ast::Predicate::Or(parts) => all(self, parts).map(Predicate::Or),
            ast::Predicate::Not(inner) => self.condition(file, inner).map(|p| Predicate::Not(Box::new(p))),
            ast::Predicate::Test { field, relation } => self.test(file, field, &relation.it, &relation.span),
        }
    }

    fn test(&mut self, file: &File, field: &Word, relation: &Relation, span: &Span) -> Option<Predicate> {
        let name = field.it.clone();
        let test = match relation {
            Relation::Compare(comparison, operand) => {
                let (value, at) = match operand {
                    ast::Operand::Literal(literal) => {
                        (self.literal_operand(file, &name, &literal.it, &literal.span)?, &literal.span)
                    }
                    ast::Operand::Bare(word) => (self.bare_operand(file, &name, word)?, &word.span),
                };
                self.ordered(file, &name, *comparison, at);
                Test::Compare(*comparison, value)
            }
            Relation::Regex { regex, negated } => Test::Regex { regex: self.regex(file, regex, false)?, negated: *negated },
            Relation::Contains(text) => Test::Contains(text.it.clone()),
            Relation::StartsWith(text) => Test::StartsWith(text.it.clone()),
            Relation::EndsWith(text) => Test::EndsWith(text.it.clone()),
            Relation::InList(elements) => return self.in_list(file, &name, elements, span),
            Relation::InNetwork(word) => self.network(file, word)?,
        };
        Some(Predicate::Test { field: name, test })
    }

    /// Ids and provenances: an order of ids says nothing.
    fn ordered(&mut self, file: &File, field: &str, comparison: Comparison, at: &Span) {
        if field == "id" && !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            let message = "ids have no order: a range is written `event 00-04560..00-04563`";
            self.report(file, Code::BadEventId, at, message);
        }
    }

    fn literal_operand(&mut self, file: &File, field: &str, literal: &LiteralKind, span: &Span) -> Option<Operand> {
        match (field, literal) {
            ("level", LiteralKind::Text(text)) | ("provenance", LiteralKind::Text(text)) => {
                self.bare_operand(file, field, &ast::At { it: text.clone(), span: span.clone() })
            }
            ("id", LiteralKind::Id(text) | LiteralKind::Text(text)) => Some(Operand::Id(id_of(text))),
            ("id", LiteralKind::Int(n)) => Some(Operand::Id(id_of(&n.to_string()))),
            (_, LiteralKind::Duration(text)) => Unit::Seconds.read(text).map(|n| Operand::Amount(n, Unit::Seconds)),
            (_, LiteralKind::Size(text)) => Unit::Bytes.read(text).map(|n| Operand::Amount(n, Unit::Bytes)),
            (_, LiteralKind::Percent(text)) => Unit::Percent.read(text).map(|n| Operand::Amount(n, Unit::Percent)),
            _ => Some(Operand::Value(value_of(literal))),
        }
    }

    pub(super) fn bare_operand(&mut self, file: &File, field: &str, word: &Word) -> Option<Operand> {
        match field {
            "level" => match Level::parse(&word.it) {
                Some(level) => Some(Operand::Level(level)),
                None => {
                    self.unknown(
                        file,
                        Code::UnknownLevel,
                        word,
                        format!("no level has the name `{}`", word.it),
                        LEVELS.iter().copied(),
                    );
                    None
                }
            },
            "provenance" => match Provenance::parse(&word.it) {
                Some(provenance) => Some(Operand::Provenance(provenance)),
                None => {
                    let message = format!("no provenance has the name `{}`", word.it);
                    self.unknown(file, Code::UnknownProvenance, word, message, PROVENANCES.iter().copied());
                    None
                }
            },
            _ => {
                let inside = INSIDE_PREFIXES.iter().any(|p| word.it.starts_with(p));
                if !BUILT_IN.contains(&word.it.as_str()) && !inside && !self.captured.contains(&word.it) {
                    let message =
                        format!("`{}` is read as a field of the event, and no pattern captures one of that name", word.it);
                    let help = format!("a text stands in quotes: \"{}\"", word.it);
                    self.report(file, Code::BareField, &word.span, message).help = Some(help);
                }
                Some(Operand::Field(word.it.clone()))
            }
        }
    }

    fn in_list(&mut self, file: &File, field: &str, elements: &[Element], span: &Span) -> Option<Predicate> {
        if elements.is_empty() {
            self.report(file, Code::NeverMatches, span, "nothing is in an empty list: no event meets this");
        }
        self.elements_twice(file, elements);
        if !matches!(field, "level" | "provenance" | "id") {
            let values = elements.iter().map(|e| match e {
                Element::Literal(literal) => value_of(&literal.it),
                Element::Bare(word) => Value::from(word.it.as_str()),
            });
            return Some(Predicate::Test { field: field.to_owned(), test: Test::InList(values.collect()) });
        }
        let mut tests = Vec::new();
        let mut whole = true;
        for element in elements {
            let operand = match element {
                Element::Literal(literal) => self.literal_operand(file, field, &literal.it, &literal.span),
                Element::Bare(word) => self.bare_operand(file, field, word),
            };
            match operand {
                Some(operand) => {
                    let test = Test::Compare(Comparison::Equal, operand);
                    tests.push(Predicate::Test { field: field.to_owned(), test });
                }
                None => whole = false,
            }
        }
        whole.then_some(Predicate::Or(tests))
    }

    fn network(&mut self, file: &File, word: &Word) -> Option<Test> {
        let parsed = word.it.split_once('/').and_then(|(address, prefix)| {
            let network: IpAddr = address.parse().ok()?;
            let prefix: u8 = prefix.parse().ok()?;
            let longest = if network.is_ipv4() { 32 } else { 128 };
            (prefix <= longest).then_some((network, prefix))
        });
        match parsed {
            Some((network, prefix)) => Some(Test::InNetwork { network, prefix }),
            None => {
                let message = format!("`{}` is not a network", word.it);
                let help = "write an address and the length of its prefix: 10.0.0.0/8, \"fe80::/10\"".to_owned();
                self.report(file, Code::BadNetwork, &word.span, message).help = Some(help);
                None
            }
        }
    }
}

fn id_of(text: &str) -> IdPattern {
    EventId::parse_number(text).map_or_else(|| IdPattern::Word(text.to_owned()), |id| IdPattern::of(&id))
}
