//! What a clause wants, what an event has instead, and how close that is: the texts of [`super::trace`].

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::core::diag::{lookalikes, suggest};
use crate::core::event::{EventId, INSIDE_PREFIXES, Level, OWN_APP, Value, names_inside};
use crate::core::lang::expression::{MatchProgress, Would};
use crate::core::lang::program::{Atom, CaptureKind, Comparison, FieldTest, IdPattern, Operand, Predicate, Sender, Unit};

use super::matches::{Captured, Captures, Scope, as_text};
use super::trace::{Clause, ClauseType};

/// Maximum number of names of an event that hints consider.
const NAMES: usize = 64;

impl Scope<'_> {
    /// The ids that a condition wants, and the event's own.
    pub(super) fn id_clause(&self, atom: &Atom) -> Clause {
        let wanted = joined(atom.ids.iter().map(id_text));
        let Some(have) = self.event.id.as_ref() else {
            let stands = atom.ids.iter().map(id_text).find(|id| self.event.text.contains(id.trim_start_matches("GCTI-")));
            let hint = stands.map(|id| {
                format!("`{id}` stands in the text, and an id counts only in the record's own id field: write `match /{id}/`")
            });
            let near = if hint.is_some() { 40 } else { 0 };
            return Clause { hint, ..failed(ClauseType::Id, wanted, None, near) };
        };
        let near = atom.ids.iter().map(|want| id_near(want, have)).max().unwrap_or(0);
        let same_number = atom.ids.iter().any(|want| {
            matches!((want, have), (IdPattern::Numbers { first, last, .. }, EventId::Number { number, .. }) if (first..=last).contains(&number))
        });
        let hint = same_number.then(|| "the number is the same, and the type code in front of it is not".to_owned());
        let suggested = || near_name(&wanted, &have.to_string());
        Clause { hint: hint.or_else(suggested), ..failed(ClauseType::Id, wanted, Some(have.to_string()), near) }
    }

    /// The senders that a condition wants, and the sender of the event.
    pub(super) fn sender_clause(&self, atom: &Atom) -> Clause {
        let wanted = joined(atom.from.iter().map(sender_text));
        let mut near = 0;
        let mut hint = None;
        let mut seen = Vec::new();
        for want in &atom.from {
            let (what, name, have) = match want {
                Sender::App(name) => ("app", name, self.names.app),
                Sender::Type(name) => ("type", name, self.names.kind),
                Sender::Host(name) => ("host", name, self.names.host),
            };
            let written = match want {
                Sender::App(_) => &*self.event.app,
                Sender::Type(_) => &*self.event.app_type,
                Sender::Host(_) => &*self.event.host,
            };
            let text = if have.is_empty() {
                format!("no {what}")
            } else if written == have || written.is_empty() {
                format!("{what} {}", quoted(have))
            } else {
                format!("{what} {} (the record says {})", quoted(have), quoted(written))
            };
            if !seen.contains(&text) {
                seen.push(text);
            }
            let of_this = likeness(name, have);
            if of_this >= near {
                near = of_this;
                let others = [("app", self.names.app), ("host", self.names.host), ("type", self.names.kind)];
                let elsewhere = others
                    .into_iter()
                    .find(|(other, value)| *other != what && !value.is_empty() && value.eq_ignore_ascii_case(name));
                hint = match elsewhere {
                    Some((other, _)) => {
                        near = near.max(80);
                        Some(format!("{} is the record's {other}: write `from {other} {}`", quoted(name), quoted(name)))
                    }
                    None if have.is_empty() => None,
                    None => self.other_sender(want, what, name, have),
                };
            }
        }
        Clause { hint, ..failed(ClauseType::From, wanted, Some(seen.join(", ")), near) }
    }

    /// Why a condition about any sender does not match a record of Pointsman itself.
    pub(super) fn own_record_clause(&self) -> Clause {
        let hint = format!("a record of Pointsman itself quotes other records: write `from app {OWN_APP}` to match it");
        let wanted = format!("any application but {OWN_APP}");
        Clause { hint: Some(hint), ..failed(ClauseType::From, wanted, Some(format!("app {OWN_APP}")), 50) }
    }

    /// A hint why the sender of an event is not the one that a condition names.
    fn other_sender(&self, want: &Sender, what: &str, name: &str, have: &str) -> Option<String> {
        if name.eq_ignore_ascii_case(have) {
            return Some(format!("only the letter case differs: write `from {what} {}`", quoted(have)));
        }
        let is_known = |name: &str| match want {
            Sender::App(_) => self.index.app(name).is_some(),
            Sender::Host(_) => self.index.host(name).is_some(),
            Sender::Type(_) => false,
        };
        if is_known(name) {
            // Two names of the configuration are similar on purpose.
            let aliases = || format!("the configuration has no {what} {}: is it an alias of {}?", quoted(have), quoted(name));
            return (!is_known(have)).then(aliases);
        }
        if let Some((program, _)) = name.split_once('[').filter(|(program, _)| *program == have) {
            return Some(format!("the number in brackets is the field `pid`: write `from {what} {}`", quoted(program)));
        }
        if have.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')) {
            return Some(format!("the record has the full name: write `from {what} {}` or `\"{name}.*\"`", quoted(have)));
        }
        if name.strip_prefix(have).is_some_and(|rest| rest.starts_with('.')) {
            return Some(format!("the record has the short name: write `from {what} {}`", quoted(have)));
        }
        near_name(name, have)
    }

    /// The expressions of a condition, and what they captured, or how much the closest one matched.
    pub(super) fn match_clause(&self, atom: &Atom, found: Option<&Captures>) -> Clause {
        let text = |wanted: &crate::core::lang::program::FieldRegex| {
            let field = if wanted.field == "text" { String::new() } else { format!("{} ", wanted.field) };
            format!("{field}{}", wanted.regex.as_written())
        };
        let wanted = joined(atom.matches.iter().map(text));
        if let Some(captures) = found {
            let captured: Vec<String> =
                captures.iter().map(|(name, value)| format!("{name} = {}", quoted(&as_text(value)))).collect();
            return Clause::holding(ClauseType::Match, wanted, Some(captured.join(", ")).filter(|s| !s.is_empty()));
        }
        let mut best: Option<Clause> = None;
        for alternative in &atom.matches {
            let one = self.alternative_clause(alternative, text(alternative));
            if best.as_ref().is_none_or(|best| one.near > best.near) {
                best = Some(one);
            }
        }
        best.unwrap_or_else(|| failed(ClauseType::Match, wanted, None, 0))
    }

    fn alternative_clause(&self, wanted: &crate::core::lang::program::FieldRegex, text: String) -> Clause {
        let Some(value) = self.field(&wanted.field, &[]) else {
            let hint = self.no_field(&wanted.field, &[]);
            return Clause { hint, ..failed(ClauseType::Match, text, None, 10) };
        };
        let seen = as_text(&value);
        if let Some(found) = wanted.regex.captures(&seen) {
            // The expression matches, and the text of a typed capture cannot be read as its type.
            let unread = found.into_iter().find_map(|(group, text)| {
                let capture = wanted.captures.iter().find(|c| c.group == group)?;
                self.read(text, capture.kind).is_none().then(|| (capture, text.to_owned()))
            });
            if let Some((capture, text)) = unread {
                let wanted = format!("{} as {}", capture.name, kind_name(capture.kind));
                let hint = Some("the expression matches, and what it captured does not read so".to_owned());
                return Clause { hint, ..failed(ClauseType::Capture, wanted, Some(text), 90) };
            }
        }
        let progress = wanted.regex.progress(&seen);
        let mut near = progress.as_ref().map_or(0, |p| if p.would.is_some() { 90 } else { p.share.saturating_mul(9) / 10 });
        let mut hint = progress.as_ref().and_then(|p| p.would.as_ref()).map(Would::advice);
        if hint.is_none() && wanted.field == "text" && wanted.regex.is_match(self.event.raw()) {
            near = 90;
            hint = Some("it matches the whole record, and `match` looks at the text behind the head: write `match raw /.../`, or leave the head out".to_owned());
        }
        Clause { hint, progress, ..failed(ClauseType::Match, text, Some(seen.into_owned()), near) }
    }

    /// A test of fields, and the values of the fields.
    pub(super) fn where_clause(&self, atom: &Atom, predicate: &Predicate, captures: &Captured) -> Clause {
        let wanted = predicate_text(predicate);
        let mut seen = Vec::new();
        let mut near = 0;
        let mut hint = None;
        leaves(predicate, &mut |field, test| {
            let value = self.field(field, captures);
            let text = match &value {
                Some(value) => format!("{field} is {}", quoted(&as_text(value))),
                None => format!("there is no {field}"),
            };
            if !seen.contains(&text) {
                seen.push(text);
            }
            let (of_this, advice) = match &value {
                // Of an `or`, what holds explains nothing.
                Some(value) if self.passes(value, test, captures) => (60, None),
                Some(value) => self.test_near(value, test),
                None if atom.matches.iter().flat_map(|m| &m.captures).any(|capture| capture.name == field) => {
                    (40, Some(format!("the expression matches without its group `{field}`")))
                }
                None => (10, self.no_field(field, captures)),
            };
            if of_this > near || hint.is_none() {
                near = near.max(of_this);
                hint = advice.or_else(|| hint.take());
            }
        });
        if let Predicate::Not(inner) = predicate {
            near = near.max(60);
            let stands = self.word_with(inner, captures);
            hint = Some(stands.unwrap_or_else(|| "what must not be so is so".to_owned()));
        }
        Clause { hint, ..failed(ClauseType::Where, wanted, Some(seen.join(", ")), near) }
    }

    /// Where a text that must not be there is, if it is a part of a longer word.
    fn word_with(&self, predicate: &Predicate, captures: &Captured) -> Option<String> {
        let Predicate::Test { field, test: FieldTest::Contains(part) } = predicate else { return None };
        let have = self.field(field, captures)?;
        let have = as_text(&have);
        let (before, behind) = have.split_once(part.as_str())?;
        let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
        let begin = before.trim_end_matches(is_of_word).len();
        let end = have.len() - behind.trim_start_matches(is_of_word).len();
        let word = have.get(begin..end).filter(|word| word.len() > part.len())?;
        let (part, word) = (quoted(part), quoted(word));
        Some(format!("{part} stands in {word}, and must not; for whole words write `not {field} ~ /\\b...\\b/`"))
    }

    fn test_near(&self, value: &Value<'_>, test: &FieldTest) -> (u8, Option<String>) {
        let have = as_text(value);
        let case = |want: &str| Some(format!("only the letter case differs from {}", quoted(want)));
        match test {
            FieldTest::Compare(_, Operand::Value(want)) if want.is_number() && value.as_number().is_none() => {
                (50, Some(no_number(want, &have)))
            }
            FieldTest::Compare(Comparison::Equal, Operand::Value(want)) => {
                let want = as_text(want).into_owned();
                if want.eq_ignore_ascii_case(&have) {
                    (95, case(&want))
                } else if is_same_address(&want, &have) {
                    (
                        90,
                        Some(
                            "it is the same address, written otherwise: capture it as `:ip`, or test `in` its network".to_owned(),
                        ),
                    )
                } else if let Some(apart) = small_difference(&want, &have, |want, have| want == have) {
                    (90, Some(apart))
                } else {
                    (likeness(&want, &have), near_name(&want, &have))
                }
            }
            FieldTest::Compare(_, Operand::Level(_)) => {
                (60, Level::parse(&have).filter(|level| level.name() != have).map(|level| format!("its level is {level}")))
            }
            FieldTest::Compare(_, Operand::Field(other)) if self.field(other, &[]).is_none() => {
                (20, Some(format!("there is no {other}")))
            }
            FieldTest::Compare(..) => (60, None),
            FieldTest::Contains(part) | FieldTest::StartsWith(part) | FieldTest::EndsWith(part) => {
                let low = have.to_lowercase();
                if low.contains(&part.to_lowercase()) {
                    return match have.contains(part.as_str()) {
                        true => (80, Some(format!("it contains {}, elsewhere", quoted(part)))),
                        false => (90, case(part)),
                    };
                }
                if let Some(apart) = small_difference(part, &have, |part, have| have.contains(part)) {
                    return (85, Some(apart));
                }
                let words = || have.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
                match suggest::nearest(part, words().filter(|w| w.len() > 2)) {
                    Some(word) => (70, Some(format!("{} stands there, and {} is wanted", quoted(word), quoted(part)))),
                    None => (20, None),
                }
            }
            FieldTest::Regex { negated: true, .. } => (60, Some("the expression stands there, and must not".to_owned())),
            FieldTest::Regex { regex, .. } => {
                let progress = regex.progress(&have);
                let near = progress.as_ref().map_or(0, |p| if p.would.is_some() { 90 } else { p.share });
                let far = |p: &MatchProgress| match p.matched.as_str() {
                    "" => "it stands nowhere in it".to_owned(),
                    matched => format!("it stands there up to /{matched}/, and /{}/ does not follow", p.rest),
                };
                (near, progress.as_ref().map(|p| p.would.as_ref().map_or_else(|| far(p), Would::advice)))
            }
            FieldTest::InList(all) => {
                let all: Vec<String> = all.iter().map(|v| as_text(v).into_owned()).collect();
                match suggest::nearest(&have, all.iter().map(String::as_str)) {
                    Some(want) => (80, Some(format!("the nearest of the list is {}", quoted(want)))),
                    None => (30, None),
                }
            }
            FieldTest::InNetwork { .. } => {
                (50, have.parse::<IpAddr>().is_err().then(|| format!("{} is no address", quoted(&have))))
            }
        }
    }

    /// A hint that a field is missing, with a similar field. Fields inside the text are looked for as well.
    fn no_field(&self, field: &str, captures: &Captured) -> Option<String> {
        let inside = names_inside(&self.event.text);
        let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let same = inside.iter().find(|name| *name != field && last(name) == last(field));
        let is_inside = INSIDE_PREFIXES.iter().any(|prefix| field.starts_with(prefix));
        if let Some(name) = same.map(String::as_str).or_else(|| {
            let all = inside.iter().map(String::as_str);
            is_inside.then(|| suggest::nearest(field, all)).flatten()
        }) {
            return Some(format!("the record has no `{field}`, and its text has `{name}`: write that, or capture it"));
        }
        let fields = || self.event.fields.iter().map(|(name, _)| &**name).take(NAMES);
        if let Some(name) = fields().find(|name| *name != field && last(name) == last(field)) {
            return Some(format!("the record has no `{field}`, and it has `{name}`"));
        }
        // `status: down` is prose for the decoder.
        let begin = format!("{field}: ");
        if let Some((_, behind)) = self.event.text.split_once(&begin) {
            let value: String = behind.chars().take_while(|c| !c.is_whitespace()).collect();
            let hint = "is a part of its text: capture it";
            return Some(format!(
                "the record has no field `{field}`; `{begin}{value}` {hint}, `match /{begin}(?<{field}>\\S+)/`"
            ));
        }
        let mut names: Vec<&str> =
            ["host", "app", "type", "pair", "site", "text", "raw", "level", "trust", "pid", "id", "facility", "sender", "time"]
                .to_vec();
        names.extend(captures.iter().map(|(name, _)| name.as_str()));
        names.extend(fields());
        Some(match suggest::nearest(field, names.into_iter().filter(|name| *name != field)) {
            Some(name) => format!("the record has no `{field}`; did you mean `{name}`?"),
            None => format!("the record has no `{field}`, and the pattern captures none"),
        })
    }

    /// The clause of a renamed key whose field is missing.
    pub(super) fn rename_clause(&self, name: &str) -> Clause {
        let name = name.trim_start_matches('=');
        let seen = self.event.field(name).map(|v| as_text(&v).into_owned());
        let hint = Some("the field that the key is renamed from is missing".to_owned());
        Clause { hint, ..failed(ClauseType::Rename, name.to_owned(), seen, 50) }
    }
}

/// Why a text does not compare with a number.
fn no_number(wanted: &Value<'_>, have: &str) -> String {
    let unit = match (Unit::Seconds.read(have), Unit::Bytes.read(have), Unit::Percent.read(have)) {
        (Some(_), ..) => Some("ms"),
        (_, Some(_), _) => Some("KB"),
        (.., Some(_)) => Some("%"),
        _ => None,
    };
    match unit {
        Some(unit) => format!("{} has a unit, and {wanted} has none: write one, as in `{wanted}{unit}`", quoted(have)),
        None => format!("{} is no number", quoted(have)),
    }
}

fn is_same_address(wanted: &str, have: &str) -> bool {
    let read = |text: &str| text.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    read(wanted).is_some_and(|wanted| read(have) == Some(wanted))
}

/// A difference between two texts that people do not see at once: blanks, quotes, or characters that look alike. `is` tells
/// whether a test would hold.
fn small_difference(wanted: &str, have: &str, is: impl Fn(&str, &str) -> bool) -> Option<String> {
    let without_blanks = |text: &str| text.split_whitespace().collect::<String>();
    if is(&without_blanks(wanted), &without_blanks(have)) {
        let at_an_end = wanted.trim() != wanted;
        let more = if at_an_end { format!(": {} has a blank at its end", quoted(wanted)) } else { String::new() };
        return Some(format!("only blanks differ{more}"));
    }
    let same_quotes = |text: &str| text.replace(['\'', '`', '\u{b4}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}'], "\"");
    if is(&same_quotes(wanted), &same_quotes(have)) {
        return Some("only the quotes differ".to_owned());
    }
    let alike = is(&lookalikes::folded(wanted), &lookalikes::folded(have));
    alike.then(|| lookalikes::difference(wanted, have)).flatten()
}

/// The tests of single fields in a test, in order.
fn leaves<'p>(predicate: &'p Predicate, each: &mut dyn FnMut(&'p str, &'p FieldTest)) {
    match predicate {
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().for_each(|part| leaves(part, each)),
        Predicate::Not(inner) => leaves(inner, each),
        Predicate::Test { field, test } => each(field, test),
    }
}

fn failed(kind: ClauseType, wanted: String, seen: Option<String>, near: u8) -> Clause {
    Clause { kind, holds: false, wanted, seen, near, hint: None, progress: None }
}

fn joined(all: impl Iterator<Item = String>) -> String {
    all.collect::<Vec<_>>().join(", ")
}

/// Quotes a text that is not a plain word.
pub(super) fn quoted(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_.-:*/".contains(c));
    if plain { text.to_owned() } else { format!("\"{text}\"") }
}

/// The similarity of two names in percent; below 100 for names that differ.
fn likeness(wanted: &str, have: &str) -> u8 {
    if have.is_empty() {
        return 0;
    }
    if wanted.eq_ignore_ascii_case(have) {
        return 95;
    }
    if suggest::nearest(wanted, [have]).is_some() {
        return 85;
    }
    let (a, b) = (wanted.to_lowercase(), have.to_lowercase());
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let behind = a.bytes().rev().zip(b.bytes().rev()).take_while(|(a, b)| a == b).count();
    let most = a.len().max(b.len()).max(1);
    u8::try_from((same.max(behind)) * 70 / most).unwrap_or(70)
}

fn near_name(wanted: &str, have: &str) -> Option<String> {
    suggest::nearest(wanted, [have]).map(|have| format!("did you mean {}?", quoted(have)))
}

fn id_near(want: &IdPattern, have: &EventId<'_>) -> u8 {
    match (want, have) {
        (IdPattern::Numbers { first, last, .. }, EventId::Number { number, .. }) => {
            if (first..=last).contains(&number) {
                return 90;
            }
            let away = if number < first { first - number } else { number - last };
            let digits = |n: u32| format!("{n:05}");
            let same = digits(*first).bytes().zip(digits(*number).bytes()).filter(|(a, b)| a == b).count();
            if away <= 10 { 75 } else { u8::try_from(same * 12).unwrap_or(60) }
        }
        (IdPattern::Word(want), EventId::Word(have)) => likeness(want, have),
        _ => 10,
    }
}

fn id_text(id: &IdPattern) -> String {
    match id {
        IdPattern::Word(word) => quoted(word),
        IdPattern::Numbers { code, first, last } => {
            let code = code.map(|code| format!("{code:02}-")).unwrap_or_default();
            if first == last { format!("{code}{first:05}") } else { format!("{code}{first:05}..{code}{last:05}") }
        }
    }
}

fn sender_text(sender: &Sender) -> String {
    match sender {
        Sender::App(name) => format!("app {}", quoted(name)),
        Sender::Type(name) => format!("type {}", quoted(name)),
        Sender::Host(name) => format!("host {}", quoted(name)),
    }
}

/// The name of a capture's type, for messages.
fn kind_name(kind: CaptureKind) -> &'static str {
    match kind {
        CaptureKind::Text => "text",
        CaptureKind::Number => "a number",
        CaptureKind::Address => "an address",
        CaptureKind::Host => "a host",
        CaptureKind::App => "an application",
    }
}

/// A test as a rule would write it.
pub(super) fn predicate_text(predicate: &Predicate) -> String {
    let parts = |parts: &[Predicate], word: &str| {
        let one = |part: &Predicate| match part {
            Predicate::Or(_) | Predicate::And(_) => format!("({})", predicate_text(part)),
            other => predicate_text(other),
        };
        parts.iter().map(one).collect::<Vec<_>>().join(word)
    };
    match predicate {
        Predicate::And(all) => parts(all, " and "),
        Predicate::Or(all) => parts(all, " or "),
        Predicate::Not(inner) => match &**inner {
            Predicate::Test { .. } => format!("not {}", predicate_text(inner)),
            other => format!("not ({})", predicate_text(other)),
        },
        Predicate::Test { field, test } => format!("{field} {}", test_text(test)),
    }
}

fn test_text(test: &FieldTest) -> String {
    let value = |v: &Value<'_>| match v {
        Value::Text(text) => format!("\"{text}\""),
        other => other.to_string(),
    };
    match test {
        FieldTest::Compare(comparison, operand) => {
            let sign = comparison.sign();
            let operand = match operand {
                Operand::Value(v) => value(v),
                Operand::Level(level) => level.name().to_owned(),
                Operand::Trust(trust) => trust.name().to_owned(),
                Operand::Amount(n, Unit::Seconds) => format!("{n}s"),
                Operand::Amount(n, Unit::Bytes) => format!("{n}B"),
                Operand::Amount(n, Unit::Percent) => format!("{n}%"),
                Operand::Id(id) => id_text(id),
                Operand::Field(name) => name.clone(),
            };
            format!("{sign} {operand}")
        }
        FieldTest::Regex { regex, negated } => format!("{} {}", if *negated { "!~" } else { "~" }, regex.as_written()),
        FieldTest::Contains(part) => format!("contains \"{part}\""),
        FieldTest::StartsWith(part) => format!("starts with \"{part}\""),
        FieldTest::EndsWith(part) => format!("ends with \"{part}\""),
        FieldTest::InList(all) => {
            let mut text = "in [".to_owned();
            for (n, v) in all.iter().enumerate() {
                let _ = write!(text, "{}{}", if n > 0 { ", " } else { "" }, value(v));
            }
            text + "]"
        }
        FieldTest::InNetwork { network, prefix } => format!("in {network}/{prefix}"),
    }
}
