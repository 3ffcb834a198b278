//! What raises and clears: conditions over events.

use std::time::Duration;

use crate::base::limits;
use crate::diag::Code;
use crate::event::{EventId, TypeCode};
use crate::lang::ast::{At, Atom, Choice, Detect, Event, From, Span, Word};
use crate::lang::program::{IdPattern, Shape};

use super::cursor::{Cursor, Failed, Parsed};
use super::predicate::predicate;
use super::{duration, field, later, name, names, string, terminal};

/// `detect = occurrence tail`
pub(super) fn detect(c: &mut Cursor<'_>) -> Parsed<Detect> {
    let (parts, shape) = occurrence(c)?;
    let (by, within) = tail(c)?;
    refuse_later(c)?;
    Ok(Detect { parts, shape, by, within })
}

/// `tail = by within? | (within by?)?`
fn tail(c: &mut Cursor<'_>) -> Parsed<(Vec<Word>, Option<At<Duration>>)> {
    let (mut keys, mut span) = (Vec::new(), None);
    if c.sees_word("by") {
        keys = by(c)?;
        if c.sees_word("within") {
            span = Some(within(c)?);
        }
    } else if c.sees_word("within") {
        span = Some(within(c)?);
        if c.sees_word("by") {
            keys = by(c)?;
        }
    }
    Ok((keys, span))
}

/// `within = "within" DURATION`
fn within(c: &mut Cursor<'_>) -> Parsed<At<Duration>> {
    let start = c.here();
    c.want_word("within")?;
    let it = duration(c)?;
    Ok(At { it, span: c.since(start) })
}

/// `occurrence = count | joined | choice`
fn occurrence(c: &mut Cursor<'_>) -> Parsed<(Vec<Choice>, Shape)> {
    if c.sees(terminal::integer) && !c.sees(terminal::id) {
        return count(c);
    }
    let start = c.here();
    let first = choice(c)?;
    if !c.word_ahead().is_some_and(|w| JOINS.contains(&w)) {
        return Ok((vec![first], Shape::One));
    }
    if first.atoms.len() > 1 || first.condition.is_some() {
        let span = c.since(start);
        return Err(two_readings(c, &span));
    }
    joined(c, first)
}

/// What joins events; of these one kind stands in a condition.
const JOINS: [&str; 3] = ["then", "and", "without"];

fn two_readings(c: &mut Cursor<'_>, span: &Span) -> Failed {
    c.fail_with(
        Code::TwoReadings,
        span,
        "what belongs together here is not clear",
        "put parentheses: `(A or B) then C`, `(event 1 where ...) and B`",
    )
}

/// `joined = atom (("then" atom)+ | ("and" atom)+ | "without" atom)`
fn joined(c: &mut Cursor<'_>, first: Choice) -> Parsed<(Vec<Choice>, Shape)> {
    let mut parts = vec![first];
    let start = c.here();
    let join = c.word_ahead().unwrap_or_default();
    while c.word(join).is_some() {
        if parts.len() >= limits::PARTS {
            let span = c.since(start);
            let message = format!("a condition joins at most {} events", limits::PARTS);
            return Err(c.fail(Code::TooManyAlternatives, &span, message));
        }
        parts.push(alone(c)?);
        if join == "without" {
            break;
        }
    }
    if c.word_ahead().is_some_and(|w| JOINS.contains(&w) || w == "or" || w == "where") {
        let span = c.since(start);
        return Err(two_readings(c, &span));
    }
    let shape = match join {
        "then" => Shape::Sequence,
        "and" => Shape::All,
        _ => Shape::Without,
    };
    Ok((parts, shape))
}

/// `count = INTEGER ("distinct" field)? "of" atom ("unless" atom)?`
fn count(c: &mut Cursor<'_>) -> Parsed<(Vec<Choice>, Shape)> {
    let Some(token) = c.take(terminal::integer) else { return Err(c.wanted("a number")) };
    let n: usize = token.it.parse().unwrap_or(usize::MAX);
    if n == 0 || n > limits::COUNT {
        let message = format!("a condition counts from 1 to {}", limits::COUNT);
        c.fail(Code::BadCount, &token.span, message);
    }
    let distinct = if c.word("distinct").is_some() { Some(field(c)?.it) } else { None };
    c.want_word("of")?;
    let start = c.here();
    let mut parts = vec![alone(c)?];
    if c.word("unless").is_some() {
        parts.push(alone(c)?);
    }
    if c.word_ahead().is_some_and(|w| JOINS.contains(&w) || w == "or" || w == "where") {
        let span = c.since(start);
        return Err(two_readings(c, &span));
    }
    Ok((parts, Shape::Count { n, distinct }))
}

/// One atom as a choice of its own.
fn alone(c: &mut Cursor<'_>) -> Parsed<Choice> {
    Ok(Choice { atoms: vec![atom(c)?], condition: None })
}

/// `choice = atom ("where" predicate | ("or" atom)+)?`
pub(super) fn choice(c: &mut Cursor<'_>) -> Parsed<Choice> {
    let start = c.here();
    let mut atoms = vec![atom(c)?];
    if c.word("where").is_some() {
        return Ok(Choice { atoms, condition: Some(predicate(c)?) });
    }
    while c.word("or").is_some() {
        if atoms.len() >= limits::ALTERNATIVES {
            let span = c.since(start);
            return Err(c.fail(
                Code::TooManyAlternatives,
                &span,
                format!("a condition has at most {} alternatives", limits::ALTERNATIVES),
            ));
        }
        atoms.push(atom(c)?);
        if c.sees_word("where") {
            let span = c.since(start);
            return Err(c.fail_with(
                Code::TwoReadings,
                &span,
                "whether `where` is about all of these or about the last one only is not clear",
                "put parentheses: `(A or B) where ...`, or `A or (B where ...)`",
            ));
        }
    }
    Ok(Choice { atoms, condition: None })
}

/// `atom = name | event | "(" choice ")"`
fn atom(c: &mut Cursor<'_>) -> Parsed<Atom> {
    if c.sees_symbol("(") {
        let start = c.here();
        c.want_symbol("(")?;
        let span = c.since(start);
        c.deeper(&span)?;
        let inner = choice(c)?;
        c.want_symbol(")")?;
        c.shallower();
        return Ok(Atom::Group(Box::new(inner)));
    }
    if c.sees_word("event") {
        let start = c.here();
        let event = event(c)?;
        return Ok(Atom::Event(At { it: event, span: c.since(start) }));
    }
    // `max(...)` too is a measure; as a bare word it may be a pattern.
    if let Some(word) = c.word_ahead()
        && let Some(what) = later::detection(word)
    {
        return Err(not_yet(c, what));
    }
    Ok(Atom::Named(name(c, "an event, or the name of a pattern,")?))
}

fn not_yet(c: &mut Cursor<'_>, what: &str) -> Failed {
    let at = c.here();
    c.skip_token();
    let span = c.since(at);
    c.fail(Code::NotYet, &span, format!("{what} is not in this version of the language yet"))
}

/// What may follow in a later version.
fn refuse_later(c: &mut Cursor<'_>) -> Parsed<()> {
    const HERE: [&str; 5] = ["unless", "for", "over", "slack", "backoff"];
    match c.word_ahead().filter(|w| HERE.contains(w)).and_then(later::detection) {
        Some(what) => Err(not_yet(c, what)),
        None => Ok(()),
    }
}

/// `event = "event" ids? from?`
fn event(c: &mut Cursor<'_>) -> Parsed<Event> {
    c.want_word("event")?;
    let numbered = c.sees(terminal::id) || c.sees(terminal::string) || c.sees(terminal::numberish);
    let ids = if numbered { ids(c)? } else { Vec::new() };
    let from = if c.sees_word("from") {
        let start = c.here();
        let it = from(c)?;
        Some(At { it, span: c.since(start) })
    } else {
        None
    };
    Ok(Event { ids, from })
}

/// `ids = id ("," id)*`
fn ids(c: &mut Cursor<'_>) -> Parsed<Vec<At<IdPattern>>> {
    let mut all = vec![id(c)?];
    while c.symbol(",").is_some() {
        all.push(id(c)?);
    }
    Ok(all)
}

/// `id = STRING | number ".." number | number`
fn id(c: &mut Cursor<'_>) -> Parsed<At<IdPattern>> {
    if c.sees(terminal::string) {
        let text = string(c)?;
        // In quotes it is another program's id, unless it is written as one of ours.
        let it = match EventId::parse_number(&text.it) {
            Some(id) => IdPattern::of(&id),
            None => IdPattern::Word(text.it),
        };
        return Ok(At { it, span: text.span });
    }
    let start = c.here();
    let (code, first) = number(c)?;
    if c.symbol("..").is_none() {
        return Ok(At { it: IdPattern::Numbers { code, first, last: first }, span: c.since(start) });
    }
    let (last_code, last) = number(c)?;
    let span = c.since(start);
    if last_code.is_some() && last_code != code {
        c.fail(Code::BadEventId, &span, "both ends of a range of ids have the same type code");
    }
    if last < first {
        // What it means is wrong; what follows can be read.
        c.fail_with(Code::BadEventId, &span, "this range of ids is empty", "the smaller number stands first");
    }
    Ok(At { it: IdPattern::Numbers { code, first, last }, span })
}

/// `number = ID | INTEGER`
fn number(c: &mut Cursor<'_>) -> Parsed<(Option<TypeCode>, u32)> {
    let token = match c.take(terminal::id) {
        Some(token) => token,
        None => match c.take(terminal::integer) {
            Some(token) => token,
            None => return Err(bad_id(c)),
        },
    };
    match EventId::parse_number(token.it) {
        Some(EventId::Number { code, number }) => Ok((code, number)),
        _ => Err(c.fail(Code::BadEventId, &token.span, format!("`{}` is not an event id", token.it))),
    }
}

fn bad_id(c: &mut Cursor<'_>) -> Failed {
    match c.take(terminal::numberish) {
        Some(token) => {
            let shown = crate::base::text::printable_short(token.it, 40);
            c.fail_with(
                Code::BadEventId,
                &token.span,
                format!("`{shown}` is not an event id"),
                "an id is 00-04561, 4561 or GCTI-00-04561; another program's id stands in quotes: event \"CVE-ID\"",
            )
        }
        None => c.wanted("an event id"),
    }
}

/// `from = "from" source`
pub(super) fn from(c: &mut Cursor<'_>) -> Parsed<From> {
    c.want_word("from")?;
    let source = source(c)?;
    if c.sees_words("on", "host") || c.sees_words("on", "group") || c.sees_words("on", "site") {
        return Err(not_yet(c, "`on` after a sender"));
    }
    Ok(source)
}

/// `source = "any" | ("app" | "type" | "host") names`
fn source(c: &mut Cursor<'_>) -> Parsed<From> {
    match c.word_ahead() {
        Some("any") => c.want_word("any").map(|_| From::Any),
        Some("app") => {
            c.want_word("app")?;
            Ok(From::Apps(names(c, "an application's name")?))
        }
        Some("type") => {
            c.want_word("type")?;
            Ok(From::Types(names(c, "an application type")?))
        }
        Some("host") => {
            c.want_word("host")?;
            Ok(From::Hosts(names(c, "a host's name")?))
        }
        Some("group" | "site") => Err(not_yet(c, "`from group`")),
        _ => Err(c.wanted("`any`, `app`, `type` or `host`")),
    }
}

/// `by = "by" field ("," field)*`
pub(super) fn by(c: &mut Cursor<'_>) -> Parsed<Vec<Word>> {
    c.want_word("by")?;
    let mut all = vec![key(c)?];
    while c.symbol(",").is_some() {
        all.push(key(c)?);
    }
    Ok(all)
}

fn key(c: &mut Cursor<'_>) -> Parsed<Word> {
    let field = field(c)?;
    if c.sees_word("as") || c.sees_symbol("=") {
        let at: Span = field.span.clone();
        return Err(c.fail(Code::NotYet, &at, "keys with another name (`as`, `=`) are not in this version of the language yet"));
    }
    Ok(field)
}
