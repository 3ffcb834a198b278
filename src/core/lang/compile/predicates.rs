//! Conditions on fields, with the meaning that each field gives to values.

use std::net::IpAddr;

use crate::core::base::limits::{LIST_ELEMENTS, LISTED};
use crate::core::base::text::printable_short;
use crate::core::diag::Code;
use crate::core::event::{BuiltIn, DERIVED, EventId, INSIDE_PREFIXES, Level, Trust, Value, unreadable};
use crate::core::lang::ast::{self, At, Element, File, Item, LiteralKind, Relation, Text, TextSpan};
use crate::core::lang::program::{Comparison, FieldTest, IdPattern, Operand, Predicate, Unit};

use super::Compiler;
use super::uses::called_otherwise;
use super::values::value_of;

const LEVELS: &[&str] = &["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

impl<'t> Compiler<'t, '_> {
    /// Compiles a condition; `None` when a part of it is wrong. The parser bounds the depth.
    pub(super) fn predicate(&mut self, file: &File, predicate: &ast::PredicateSyntax) -> Option<Predicate> {
        let compiled = self.condition(file, predicate)?;
        self.contradictions(file, predicate, &compiled);
        Some(compiled)
    }

    fn condition(&mut self, file: &File, predicate: &ast::PredicateSyntax) -> Option<Predicate> {
        // Every part is compiled, so that every mistake is found.
        let all = |me: &mut Self, parts: &[ast::PredicateSyntax]| {
            let parts: Vec<Option<Predicate>> = parts.iter().map(|p| me.condition(file, p)).collect();
            parts.into_iter().collect::<Option<Vec<_>>>()
        };
        match predicate {
            ast::PredicateSyntax::And(parts) => all(self, parts).map(Predicate::And),
            ast::PredicateSyntax::Or(parts) => all(self, parts).map(Predicate::Or),
            ast::PredicateSyntax::Not(inner) => self.condition(file, inner).map(|p| Predicate::Not(Box::new(p))),
            ast::PredicateSyntax::Test { field, relation } => self.test(file, field, &relation.it, &relation.span),
        }
    }

    /// Reports a field that no expression captures, if its name is similar to that of a built-in or captured field.
    pub(super) fn misspelled(&mut self, file: &File, field: &Text) {
        let name = field.it.as_str();
        let quoted = file.source.text.get(field.span.clone()).is_some_and(|text| text.starts_with('"'));
        let known =
            BuiltIn::is_fixed(name) || name == BuiltIn::Sender.name() || DERIVED.contains(&name) || self.captured.contains(name);
        if known || quoted || name.len() < 3 || name.contains('.') {
            return;
        }
        let captured = self.captured.clone();
        let names: Vec<&str> = captured.iter().map(String::as_str).chain(BuiltIn::fixed().map(|field| field.name())).collect();
        if let Some(near) = called_otherwise(name).or_else(|| self.near(name, &names)) {
            let message = format!("no event has a field `{name}` of itself, and nothing captures one");
            let help = format!("did you mean `{near}`? A field of the record is written in quotes: \"{name}\"");
            self.report(file, Code::NearlyCaptured, &field.span, message).help = Some(help);
        }
    }

    fn test(&mut self, file: &File, field: &Text, relation: &Relation, span: &TextSpan) -> Option<Predicate> {
        self.misspelled(file, field);
        let name = field.it.clone();
        let test = match relation {
            Relation::Compare(comparison, operand) => {
                let (value, at) = match operand {
                    ast::OperandSyntax::Literal(literal) => {
                        (self.literal_operand(file, &name, &literal.it, &literal.span)?, &literal.span)
                    }
                    ast::OperandSyntax::Bare(word) => (self.bare_operand(file, &name, word)?, &word.span),
                };
                self.ordered(file, &name, *comparison, at);
                FieldTest::Compare(*comparison, value)
            }
            Relation::Regex { regex, negated } => FieldTest::Regex { regex: self.regex(file, regex, false)?, negated: *negated },
            Relation::Contains(text) => FieldTest::Contains(text.it.clone()),
            Relation::StartsWith(text) => FieldTest::StartsWith(text.it.clone()),
            Relation::EndsWith(text) => FieldTest::EndsWith(text.it.clone()),
            Relation::InList(elements) => return self.in_list(file, &name, elements, span),
            Relation::InNamed(word) => return self.in_named(file, &name, word),
            Relation::InNetwork(word) => self.network(file, word)?,
        };
        Some(Predicate::Test { field: name, test })
    }

    /// The id that events have where a rule writes this one: `%SYS-5-CONFIG_I` and `SYS-5-CONFIG_I` are the same. Warns of an
    /// id that no decoder produces.
    pub(super) fn readable(&mut self, file: &File, id: &IdPattern, at: &TextSpan) -> IdPattern {
        let IdPattern::Word(text) = id else { return id.clone() };
        if let Some((what, meant)) = unreadable(text) {
            let shown = printable_short(text, 40);
            let message = format!("no event has the id `{shown}`: it has {what}");
            self.report(file, Code::UnreadableId, at, message).help = Some(match meant {
                Some(meant) => format!("write `{meant}`"),
                None => "an id is one word of the record; for words of the text write `where text contains \"...\"`".to_owned(),
            });
        }
        id_of(text)
    }

    /// Checks the comparison of ids and levels of trust: ids have no order.
    fn ordered(&mut self, file: &File, field: &str, comparison: Comparison, at: &TextSpan) {
        if field == "id" && !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            let message = "ids cannot be compared by size: write a range as `event 00-04560..00-04563`";
            self.report(file, Code::BadEventId, at, message);
        }
    }

    fn literal_operand(&mut self, file: &File, field: &str, literal: &LiteralKind, span: &TextSpan) -> Option<Operand> {
        match (field, literal) {
            ("level", LiteralKind::Text(text)) | ("trust", LiteralKind::Text(text)) => {
                self.bare_operand(file, field, &ast::At { it: text.clone(), span: span.clone() })
            }
            ("id", LiteralKind::Id(text) | LiteralKind::Text(text)) => {
                Some(Operand::Id(self.readable(file, &IdPattern::Word(text.clone()), span)))
            }
            ("id", LiteralKind::Int(n)) => Some(Operand::Id(id_of(&n.to_string()))),
            (_, LiteralKind::Duration(text)) => Unit::Seconds.read(text).map(|n| Operand::Amount(n, Unit::Seconds)),
            (_, LiteralKind::Size(text)) => Unit::Bytes.read(text).map(|n| Operand::Amount(n, Unit::Bytes)),
            (_, LiteralKind::Percent(text)) => Unit::Percent.read(text).map(|n| Operand::Amount(n, Unit::Percent)),
            _ => Some(Operand::Value(value_of(literal))),
        }
    }

    pub(super) fn bare_operand(&mut self, file: &File, field: &str, word: &Text) -> Option<Operand> {
        match field {
            "level" => match Level::parse(&word.it) {
                Some(level) => Some(Operand::Level(level)),
                None => {
                    self.unknown(
                        file,
                        Code::UnknownLevel,
                        word,
                        format!("there is no level `{}`", word.it),
                        LEVELS.iter().copied(),
                    );
                    None
                }
            },
            "trust" => match Trust::parse(&word.it) {
                Some(trust) => Some(Operand::Trust(trust)),
                None => {
                    let message = format!("there is no trust level `{}`", word.it);
                    self.unknown(file, Code::UnknownProvenance, word, message, Trust::ALL.map(Trust::name));
                    None
                }
            },
            _ => {
                let inside = INSIDE_PREFIXES.iter().any(|p| word.it.starts_with(p));
                if !BuiltIn::is_fixed(&word.it) && !inside && !self.captured.contains(&word.it) {
                    let message =
                        format!("`{}` is read as a field of the event, and no pattern captures one of that name", word.it);
                    let help = format!("if a text is meant, write it in quotes: \"{}\"", word.it);
                    self.report(file, Code::BareField, &word.span, message).help = Some(help);
                }
                Some(Operand::Field(word.it.clone()))
            }
        }
    }

    fn in_list(&mut self, file: &File, field: &str, elements: &[Element], span: &TextSpan) -> Option<Predicate> {
        if elements.is_empty() {
            self.report(file, Code::NeverMatches, span, "the list is empty, so no event matches this");
        }
        if !self.room_for_list(file, elements, span) {
            return None;
        }
        self.elements_twice(file, elements);
        let mut tests = Vec::new();
        let mut values = Vec::new();
        let mut whole = true;
        let compares = matches!(field, "level" | "trust" | "id");
        for element in elements {
            let test = match element {
                Element::Network(word) => self.network(file, word),
                Element::Literal(literal) if compares => self
                    .literal_operand(file, field, &literal.it, &literal.span)
                    .map(|o| FieldTest::Compare(Comparison::Equal, o)),
                Element::Bare(word) if compares => {
                    self.bare_operand(file, field, word).map(|o| FieldTest::Compare(Comparison::Equal, o))
                }
                Element::Literal(At { it: LiteralKind::Text(text), .. }) if network(text).is_some() => {
                    network(text).map(|(network, prefix)| FieldTest::InNetwork { network, prefix })
                }
                Element::Literal(literal) => {
                    values.push(value_of(&literal.it));
                    continue;
                }
                Element::Bare(word) if self.lists.contains_key(word.it.as_str()) => {
                    let message = format!("`{}` is a list, and is used here as a text", word.it);
                    let help = format!(
                        "write `{field} in {}` separately, joined by `or`; if a text is meant, write it in quotes",
                        word.it
                    );
                    self.report(file, Code::TwoReadings, &word.span, message).help = Some(help);
                    None
                }
                Element::Bare(word) => {
                    values.push(Value::from(word.it.as_str()));
                    continue;
                }
            };
            whole &= test.is_some();
            tests.extend(test);
        }
        if !values.is_empty() || tests.is_empty() {
            tests.insert(0, FieldTest::InList(values));
        }
        let mut any: Vec<_> = tests.into_iter().map(|test| Predicate::Test { field: field.to_owned(), test }).collect();
        whole.then(|| if any.len() == 1 { any.remove(0) } else { Predicate::Or(any) })
    }

    /// False when there are too many values.
    fn room_for_list(&mut self, file: &File, elements: &[Element], span: &TextSpan) -> bool {
        let before = self.listed;
        self.listed = before.saturating_add(elements.len());
        if elements.len() > LIST_ELEMENTS {
            let message = format!("this list has {} values; it may have {LIST_ELEMENTS}", elements.len());
            let help = "a network (10.0.0.0/8) stands for many addresses".to_owned();
            self.report(file, Code::TooManyAlternatives, span, message).help = Some(help);
        } else if before <= LISTED && self.listed > LISTED {
            let message =
                format!("with this one, the lists of all conditions have more than {LISTED} values, which is the limit");
            let help = "put the condition with the list into one pattern, and name that pattern".to_owned();
            self.report(file, Code::TooManyAlternatives, span, message).help = Some(help);
        }
        elements.len() <= LIST_ELEMENTS && self.listed <= LISTED
    }

    /// `in NAME`: a list of the rules, or the hosts and applications of a group.
    fn in_named(&mut self, file: &File, field: &str, word: &Text) -> Option<Predicate> {
        if let Some((place, list)) = self.lists.get(word.it.as_str()).copied() {
            self.used_lists.insert(word.it.clone());
            return self.in_list(place, field, &list.elements, &list.name.span);
        }
        let groups = self.world.inventory.map(|inventory| &inventory.groups);
        if let Some(group) = groups.and_then(|groups| groups.get(&word.it)) {
            let members = group.hosts.iter().chain(&group.applications).cloned().collect();
            return Some(one_of(field, members));
        }
        let known: Vec<&str> =
            self.lists.keys().copied().chain(groups.into_iter().flatten().map(|(name, _)| name.as_str())).collect();
        let message = format!("there is neither a list in the rules nor a group in the inventory named `{}`", word.it);
        match (known.is_empty(), groups) {
            (true, None) => {
                let help = format!("write list {} [...], or name the configuration that has the groups: -c FILE", word.it);
                self.report(file, Code::UnknownGroup, &word.span, message).help = Some(help);
            }
            _ => self.unknown(file, Code::UnknownGroup, word, message, known),
        }
        None
    }

    /// Registers all lists by name.
    pub(super) fn lists(&mut self, trees: &'t [File]) {
        for file in trees {
            for item in &file.items {
                let Item::List(list) = item else { continue };
                match self.lists.get(list.name.it.as_str()).copied() {
                    Some((first, other)) => {
                        let first = first.place(&other.name.span);
                        self.twice(file, &list.name, "lists", first);
                    }
                    None => {
                        self.lists.insert(&list.name.it, (file, list));
                    }
                }
            }
        }
    }

    fn network(&mut self, file: &File, word: &Text) -> Option<FieldTest> {
        match network(&word.it) {
            Some((network, prefix)) => Some(FieldTest::InNetwork { network, prefix }),
            None => {
                let message = format!("`{}` is not a network", word.it);
                let help = "write an address and the length of its prefix: 10.0.0.0/8, \"fe80::/10\"".to_owned();
                self.report(file, Code::BadNetwork, &word.span, message).help = Some(help);
                None
            }
        }
    }
}

/// A network: an address and the length of its prefix.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = text.split_once('/')?;
    let (network, prefix): (IpAddr, u8) = (address.parse().ok()?, prefix.parse().ok()?);
    let longest = if network.is_ipv4() { 32 } else { 128 };
    (prefix <= longest).then_some((network, prefix))
}

fn id_of(text: &str) -> IdPattern {
    EventId::parse(text).map_or_else(|| IdPattern::Word(text.to_owned()), |id| IdPattern::of(&id))
}

/// A condition over one event whose field is one of these.
pub(super) fn one_of(field: &str, names: Vec<String>) -> Predicate {
    let test = FieldTest::InList(names.into_iter().map(|n| crate::core::event::Value::Text(n.into())).collect());
    Predicate::Test { field: field.to_owned(), test }
}
