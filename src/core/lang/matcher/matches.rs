//! Decides whether an event matches a condition: every part of it, exactly as LANGUAGE specifies.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use crate::core::event::{Event, Level, OWN_APP, Trust, Value};
use crate::core::inventory::{Index, Names};
use crate::core::lang::program::{Atom, CaptureKind, Comparison, FieldRegex, FieldTest, Operand, Predicate, Sender, Unit};

use super::trace::ClauseTrace;

/// What a match of a regular expression captured, by name.
pub(super) type Captures = Vec<(String, Value<'static>)>;
pub(super) type Captured = [(String, Value<'static>)];

/// An event with its names resolved.
pub(super) struct Scope<'e> {
    pub(super) event: &'e Event<'e>,
    pub(super) names: Names<'e>,
    pub(super) index: &'e Index,
}

impl<'e> Scope<'e> {
    pub(super) fn new(event: &'e Event<'e>, index: &'e Index) -> Scope<'e> {
        Scope { event, names: index.names(event), index }
    }

    /// What the expressions captured, if the event matches the condition.
    pub(super) fn matches(&self, atom: &Atom) -> Option<Captures> {
        self.matches_traced(atom, &mut ())
    }

    /// The same; `trace` receives the result of each clause. If it is on, it also receives the clauses after one that failed.
    pub(super) fn matches_traced<T: ClauseTrace>(&self, atom: &Atom, trace: &mut T) -> Option<Captures> {
        let id = self.event.id.as_ref();
        let id_matches = atom.ids.is_empty() || id.is_some_and(|id| atom.ids.iter().any(|want| want.matches(id)));
        let sender_matches = atom.from.is_empty() || atom.from.iter().any(|want| self.sent_by(want));
        if !atom.ids.is_empty() {
            trace.clause(id_matches, || self.id_clause(atom));
        }
        if !atom.from.is_empty() {
            trace.clause(sender_matches, || self.sender_clause(atom));
        }
        // Pointsman's own records quote others: what a log said must not count again when Pointsman reports it.
        let quotes = self.names.app == OWN_APP && atom.signal.is_none() && !names_own(atom);
        if quotes {
            trace.clause(false, || self.own_record_clause());
        }
        let sender_matches = sender_matches && !quotes;
        if !(T::ON || id_matches && sender_matches) {
            return None;
        }
        let mut captures = self.captures(atom, trace)?;
        for (name, operand) in &atom.sets {
            let value = match operand {
                Operand::Field(field) => self.field(field, &captures).map(Value::into_owned),
                Operand::Value(value) => Some(value.clone()),
                Operand::Level(_) | Operand::Trust(_) | Operand::Amount(..) | Operand::Id(_) => None,
            };
            if let Some(value) = value {
                captures.retain(|(taken, _)| taken != name);
                captures.push((name.clone(), value));
            }
        }
        let all_hold = self.all_hold(atom, atom.predicates.iter().map(AsRef::as_ref), &captures, trace);
        if !(all_hold && id_matches && sender_matches) {
            return None;
        }
        if atom.renames.is_empty() { Some(captures) } else { self.renamed(atom, captures, trace) }
    }

    /// True when all tests hold. Each test is a clause, and so is each part of an `and`.
    fn all_hold<'p, T: ClauseTrace>(
        &self,
        atom: &Atom,
        mut predicates: impl Iterator<Item = &'p Predicate>,
        captures: &Captured,
        trace: &mut T,
    ) -> bool {
        if !T::ON {
            return predicates.all(|p| self.holds(p, captures));
        }
        predicates.fold(true, |all, predicate| {
            let holds = match predicate {
                Predicate::And(parts) => self.all_hold(atom, parts.iter(), captures, trace),
                other => {
                    let holds = self.holds(other, captures);
                    trace.clause(holds, || self.where_clause(atom, other, captures));
                    holds
                }
            };
            all && holds
        })
    }

    /// Adds the renamed fields of the condition to the captures. An event without the field does not match if another field
    /// has that name.
    fn renamed<T: ClauseTrace>(&self, atom: &Atom, captures: Captures, trace: &mut T) -> Option<Captures> {
        let values: Vec<Option<Value<'static>>> =
            atom.renames.iter().map(|(_, field)| self.field(field, &captures).map(Value::into_owned)).collect();
        let mut named = captures.clone();
        for ((name, _), value) in atom.renames.iter().zip(values) {
            match value {
                Some(value) => {
                    named.retain(|(taken, _)| taken != name);
                    named.push((name.clone(), value));
                }
                // The event has no such key, and its own field does not replace it.
                None if name.starts_with('=') => named.push((name.clone(), Value::Unit)),
                None if self.field(name, &captures).is_some() => {
                    trace.clause(false, || self.rename_clause(name));
                    return None;
                }
                None => {}
            }
        }
        Some(named)
    }

    fn sent_by(&self, want: &Sender) -> bool {
        match want {
            Sender::App(name) => like(name, self.names.app),
            Sender::Type(name) => name == self.names.kind,
            Sender::Host(name) => like(name, self.names.host),
        }
    }

    /// The captures of the first alternative that matches; empty if there is no `match`.
    fn captures<T: ClauseTrace>(&self, atom: &Atom, trace: &mut T) -> Option<Captures> {
        if atom.matches.is_empty() {
            return Some(Captures::new());
        }
        let found = atom.matches.iter().find_map(|wanted| self.alternative(wanted));
        trace.clause(found.is_some(), || self.match_clause(atom, found.as_ref()));
        found
    }

    fn alternative(&self, wanted: &FieldRegex) -> Option<Captures> {
        let value = self.field(&wanted.field, &[])?;
        let text = as_text(&value);
        let found = wanted.regex.captures(&text)?;
        let mut captures = Captures::new();
        for (group, text) in found {
            let Some(capture) = wanted.captures.iter().find(|c| c.group == group) else { continue };
            if !captures.iter().any(|(name, _)| *name == capture.name) {
                captures.push((capture.name.clone(), self.read(text, capture.kind)?));
            }
        }
        Some(captures)
    }

    /// A captured text as its type; `None` when it cannot be read as that type.
    pub(super) fn read(&self, text: &str, kind: CaptureKind) -> Option<Value<'static>> {
        match kind {
            CaptureKind::Text => Some(Value::from(text)),
            CaptureKind::Number => match text.parse() {
                Ok(whole) => Some(Value::Int(whole)),
                Err(_) => text.parse().ok().filter(|n: &f64| n.is_finite()).map(Value::Float),
            },
            CaptureKind::Address => Some(Value::from(text.parse::<IpAddr>().ok()?.to_canonical().to_string().as_str())),
            CaptureKind::Host => Some(Value::from(self.index.host(text).map_or(text, String::as_str))),
            CaptureKind::App => Some(Value::from(self.index.app(text).map_or(text, String::as_str))),
        }
    }

    pub(super) fn field<'a>(&'a self, name: &str, captures: &'a [(String, Value<'static>)]) -> Option<Value<'a>> {
        let text = |t: &'a str| (!t.is_empty()).then_some(Value::Text(Cow::Borrowed(t)));
        match name {
            "app" => text(self.names.app),
            "type" => text(self.names.kind),
            "host" => text(self.names.host),
            "pair" => text(self.names.pair),
            "site" if !self.index.site(self.names.host).is_empty() => text(self.index.site(self.names.host)),
            "text" => Some(Value::Text(Cow::Borrowed(&self.event.text))),
            "time" => self.event.at.map(|at| Value::Text(Cow::Owned(at.to_string()))),
            _ => match captures.iter().find(|(n, _)| n == name) {
                Some((_, value)) => Some(value.clone()),
                None => self.event.field(name),
            },
        }
    }

    fn holds(&self, predicate: &Predicate, captures: &[(String, Value<'static>)]) -> bool {
        match predicate {
            Predicate::And(parts) => parts.iter().all(|p| self.holds(p, captures)),
            Predicate::Or(parts) => parts.iter().any(|p| self.holds(p, captures)),
            Predicate::Not(inner) => !self.holds(inner, captures),
            Predicate::Test { field, test } => {
                self.field(field, captures).is_some_and(|value| self.passes(&value, test, captures))
            }
        }
    }

    pub(super) fn passes(&self, value: &Value<'_>, test: &FieldTest, captures: &[(String, Value<'static>)]) -> bool {
        match test {
            FieldTest::Compare(comparison, operand) => self.compares(value, *comparison, operand, captures),
            FieldTest::Regex { regex, negated } => regex.is_match(&as_text(value)) != *negated,
            FieldTest::Contains(part) => as_text(value).contains(part.as_str()),
            FieldTest::StartsWith(part) => as_text(value).starts_with(part.as_str()),
            FieldTest::EndsWith(part) => as_text(value).ends_with(part.as_str()),
            FieldTest::InList(values) => values.iter().any(|v| ordering(value, v) == Some(Ordering::Equal)),
            FieldTest::InNetwork { network, prefix } => {
                as_text(value).parse().is_ok_and(|address| within(address, *network, *prefix))
            }
        }
    }

    fn compares(
        &self,
        value: &Value<'_>,
        comparison: Comparison,
        operand: &Operand,
        captures: &[(String, Value<'static>)],
    ) -> bool {
        let order = match operand {
            // A word is neither more nor less than a number.
            Operand::Value(number) if number.is_number() && value.as_number().is_none() => {
                return comparison == Comparison::NotEqual;
            }
            Operand::Value(other) => ordering(value, other),
            Operand::Level(want) => value.as_text().and_then(Level::parse).map(|have| have.cmp(want)),
            Operand::Trust(want) => value.as_text().and_then(Trust::parse).map(|have| have.cmp(want)),
            Operand::Amount(want, unit) => amount(value, *unit).and_then(|have| have.partial_cmp(want)),
            Operand::Id(want) => self.event.id.as_ref().map(|id| if want.matches(id) { Ordering::Equal } else { Ordering::Less }),
            Operand::Field(name) => self.field(name, captures).and_then(|other| ordering(value, &other)),
        };
        order.is_some_and(|order| comparison.holds(order))
    }
}

/// True if a condition may match Pointsman's own records: it has an id, or names the application `pointsman`.
fn names_own(atom: &Atom) -> bool {
    fn asks_who(predicate: &Predicate) -> bool {
        match predicate {
            Predicate::And(parts) | Predicate::Or(parts) => parts.iter().any(asks_who),
            Predicate::Not(inner) => asks_who(inner),
            Predicate::Test { field, .. } => field == "app" || field == "id",
        }
    }
    !atom.ids.is_empty()
        || atom.from.iter().any(|want| matches!(want, Sender::App(name) if name == OWN_APP))
        || atom.matches.iter().any(|m| m.field == "app" || m.field == "id")
        || atom.predicates.iter().any(|p| asks_who(p))
}

/// Compares as numbers when both sides are numbers, otherwise as text.
fn ordering(a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        return Some(a.cmp(b));
    }
    match (a.as_number(), b.as_number()) {
        (Some(a), Some(b)) => a.partial_cmp(&b),
        _ => Some(as_text(a).cmp(&as_text(b))),
    }
}

/// An amount with or without its unit.
fn amount(value: &Value<'_>, unit: Unit) -> Option<f64> {
    value.as_number().or_else(|| unit.read(value.as_text()?))
}

pub(super) fn as_text<'a>(value: &'a Value<'_>) -> Cow<'a, str> {
    match value {
        Value::Text(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// True when a name matches; `*` stands for any run of characters. The time is linear in the text for each star.
fn like(wanted: &str, have: &str) -> bool {
    let Some((head, tail)) = wanted.split_once('*') else { return wanted == have };
    let Some(mut rest) = have.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = tail.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    let same = |a: u128, b: u128, bits: u32| {
        let shift = bits.saturating_sub(u32::from(prefix));
        a.checked_shr(shift).unwrap_or(0) == b.checked_shr(shift).unwrap_or(0)
    };
    match (address.to_canonical(), network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => same(u128::from(a.to_bits()), u128::from(n.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(n)) => same(a.to_bits(), n.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_networks() {
        for (wanted, have, met) in [
            ("sip*", "sip1", true),
            ("sip*", "asip", false),
            ("*_B*P", "SIP_BACKUP", true),
            ("a*a", "a", false),
            ("*", "", true),
            ("a**b", "ab", true),
        ] {
            assert_eq!(like(wanted, have), met, "{wanted} {have}");
        }
        let ip = |t: &str| t.parse::<IpAddr>().expect("an address");
        assert!(within(ip("10.9.8.7"), ip("10.0.0.0"), 8));
        assert!(!within(ip("11.9.8.7"), ip("10.0.0.0"), 8));
        assert!(within(ip("11.9.8.7"), ip("0.0.0.0"), 0));
        assert!(within(ip("::ffff:10.1.1.1"), ip("10.0.0.0"), 8));
        assert!(within(ip("fe80::1"), ip("fe80::"), 10));
        assert!(!within(ip("10.1.1.1"), ip("::"), 0));
    }

    /// A text that is no number is neither more nor less than one, and is not equal to it.
    #[test]
    fn a_number_is_compared_with_numbers_only() {
        let event = Event { text: "none".into(), ..Event::default() };
        let index = Index::default();
        let scope = Scope::new(&event, &index);
        for (have, comparison, holds) in [
            ("none", Comparison::Greater, false),
            ("none", Comparison::LessOrEqual, false),
            ("none", Comparison::Equal, false),
            ("none", Comparison::NotEqual, true),
            ("700ms", Comparison::Greater, false),
            ("700", Comparison::Greater, true),
        ] {
            let operand = Operand::Value(Value::Int(500));
            assert_eq!(scope.compares(&Value::from(have), comparison, &operand, &[]), holds, "{have} {comparison:?}");
        }
        let operand = Operand::Value(Value::from("alpha"));
        assert!(scope.compares(&Value::from("beta"), Comparison::Greater, &operand, &[]), "texts are compared as texts");
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        let t = |s: &'static str| Value::from(s);
        assert_eq!(ordering(&t("9"), &t("10")), Some(Ordering::Less));
        assert_eq!(ordering(&t("9"), &t("x")), Some(Ordering::Less));
        assert_eq!(ordering(&t("b"), &t("a")), Some(Ordering::Greater));
        assert_eq!(ordering(&Value::Int(i64::MAX), &Value::Int(i64::MAX - 1)), Some(Ordering::Greater));
        assert_eq!(ordering(&t("inf"), &Value::Int(3)), Some(Ordering::Greater), "a word is no number");
    }
}
