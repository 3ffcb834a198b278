//! What raises and clears: conditions over single events.

use crate::base::limits;
use crate::diag::Code;
use crate::event::{EventId, TypeCode};
use crate::lang::ast::{At, Atom, Choice, Detect, Event, From, Span, Word};
use crate::lang::program::IdPattern;

use super::cursor::{Cursor, Failed, Parsed};
use super::predicate::predicate;
use super::{field, later, name, names, string, terminal};

/// `detect = choice by?`
pub(super) fn detect(c: &mut Cursor<'_>) -> Parsed<Detect> {
    let choice = choice(c)?;
    let by = if c.sees_word("by") { by(c)? } else { Vec::new() };
    refuse_later(c)?;
    Ok(Detect { choice, by })
}

/// `choice = atom ("where" predicate | ("or" atom)+)?`
fn choice(c: &mut Cursor<'_>) -> Parsed<Choice> {
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
    refuse_later(c)?;
    Ok(Choice { atoms, condition: None })
}

/// `atom = name | event | "(" choice ")"`
fn atom(c: &mut Cursor<'_>) -> Parsed<Atom> {
    if c.sees(terminal::integer) && !c.sees(terminal::id) {
        let at = c.here();
        c.skip_token();
        let span = c.since(at);
        return Err(c.fail(Code::NotYet, &span, "`N of` (a threshold) is not in this version of the language yet"));
    }
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
    const HERE: [&str; 9] = ["then", "and", "without", "unless", "within", "for", "over", "slack", "backoff"];
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
        return Err(c.fail(Code::BadEventId, &span, "both ends of a range of ids have the same type code"));
    }
    if last < first {
        return Err(c.fail_with(Code::BadEventId, &span, "this range of ids is empty", "the smaller number stands first"));
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
fn by(c: &mut Cursor<'_>) -> Parsed<Vec<Word>> {
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
