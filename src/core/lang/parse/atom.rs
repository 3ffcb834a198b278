//! Conditions on single events: inline, by a pattern's name, and changes of state; and the senders of events.

use crate::core::base::limits;
use crate::core::diag::Code;
use crate::core::event::{EventId, TypeCode};
use crate::core::lang::ast::{
    At, AtomSyntax, ChangeSyntax, Choice, EventSyntax, From, MembersSyntax, Quantity, SenderSyntax, Text, TextSpan,
};
use crate::core::lang::program::IdPattern;

use super::cursor::{Cursor, Failed, Parsed};
use super::detect::joined_metric;
use super::predicate::predicate;
use super::{detect, name, names, string, terminal};

/// Reads one atom as a choice of its own.
pub(super) fn alone(c: &mut Cursor<'_>) -> Parsed<Choice> {
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
                "it is not clear whether `where` applies to all of these or only to the last one",
                "add parentheses: `(A or B) where ...`, or `A or (B where ...)`",
            ));
        }
    }
    Ok(Choice { atoms, condition: None })
}

/// `atom = event | claim | alarm_change | host_change | app_change | calendar_change | negated | name | "(" choice ")"`
fn atom(c: &mut Cursor<'_>) -> Parsed<AtomSyntax> {
    if c.sees_symbol("(") {
        let start = c.here();
        c.want_symbol("(")?;
        let span = c.since(start);
        c.deeper(&span)?;
        if detect::several(c) {
            return Err(within_another(c, &span));
        }
        let inner = choice(c)?;
        if detect::joins(c) {
            return Err(within_another(c, &span));
        }
        c.want_symbol(")")?;
        c.shallower();
        return Ok(AtomSyntax::Group(Box::new(inner)));
    }
    match c.word_ahead() {
        Some("event") => {
            let start = c.here();
            let event = event(c)?;
            Ok(AtomSyntax::Event(At { it: event, span: c.since(start) }))
        }
        Some("alarm") => alarm_change(c),
        Some("host") => host_change(c),
        Some("app") => app_change(c),
        Some("calendar") => calendar_change(c),
        Some("claim") if c.sees_words("claim", "primary") || c.sees_words("claim", "backup") => claim(c),
        Some("not") => negated(c),
        Some("metric") => {
            let at = c.here();
            c.skip_token();
            let span = c.since(at);
            Err(joined_metric(c, &span))
        }
        _ if c.sees(terminal::regex) || c.sees(terminal::raw_regex) => Err(c.wanted_with(
            "an event or the name of a pattern",
            "write `event where text ~ /.../`, or give it a name: `pattern p { match /.../ }`",
        )),
        _ => Ok(AtomSyntax::Named(name(c, "an event or the name of a pattern")?)),
    }
}

fn within_another(c: &mut Cursor<'_>, span: &TextSpan) -> Failed {
    c.fail_with(
        Code::TwoReadings,
        span,
        "a condition on several events, or on silence, cannot be in parentheses",
        "give it a name, `pattern many { detect 2 of A within 1m }`, and write the name here; if they enclose the whole condition, remove them",
    )
}

/// `negated = "not" (alarm_change | host_change | app_change)`
fn negated(c: &mut Cursor<'_>) -> Parsed<AtomSyntax> {
    let start = c.here();
    c.want_word("not")?;
    let state = match c.word_ahead() {
        Some("alarm") => alarm_change(c)?,
        Some("host") => host_change(c)?,
        Some("app") => app_change(c)?,
        _ => {
            let help =
                "`not alarm X active`, `not host h lost`, `not app X stopped`; for an event write `A without B within 30s`";
            return Err(c.wanted_with("a state", help));
        }
    };
    Ok(AtomSyntax::Not { state: Box::new(state), span: c.since(start) })
}

/// `alarm_change = "alarm" name ("raised" | "cleared" | "active" members? | "unacked")`
fn alarm_change(c: &mut Cursor<'_>) -> Parsed<AtomSyntax> {
    c.want_word("alarm")?;
    let name = name(c, "an alarm's name")?;
    let words = [
        ("raised", ChangeSyntax::Began),
        ("cleared", ChangeSyntax::Ended),
        ("active", ChangeSyntax::Lasts),
        ("unacked", ChangeSyntax::Unacked),
    ];
    let change = change(c, &words)?;
    let on = members(c, change)?;
    Ok(AtomSyntax::Alarm { name, change, on })
}

/// `host_change = "host" those? ("lost" members? | "back")`
fn host_change(c: &mut Cursor<'_>) -> Parsed<AtomSyntax> {
    let (names, group, change, on, span) = state(c, "host", "a host's name", ["lost", "back"])?;
    Ok(AtomSyntax::Host { names, group, change, on, span })
}

/// `app_change = "app" those? ("stopped" members? | "running")`
fn app_change(c: &mut Cursor<'_>) -> Parsed<AtomSyntax> {
    let (names, group, change, on, span) = state(c, "app", "an application's name", ["stopped", "running"])?;
    Ok(AtomSyntax::App { names, group, change, on, span })
}

/// Names, their group, the change, the quantity of members, and the span.
type StateOf = (Vec<Text>, Option<Text>, ChangeSyntax, Option<At<MembersSyntax>>, TextSpan);

/// Reads a state of named members or of all. The parameters are its word, what a name is, and the words for its duration and
/// its end.
fn state(c: &mut Cursor<'_>, word: &str, what: &str, [lasts, ended]: [&str; 2]) -> Parsed<StateOf> {
    let start = c.here();
    c.want_word(word)?;
    let any = c.sees_word(lasts) || c.sees_word(ended);
    let (names, group) = if any { (Vec::new(), None) } else { those(c, what)? };
    let change = change(c, &[(lasts, ChangeSyntax::Lasts), (ended, ChangeSyntax::Ended)])?;
    let span = c.since(start);
    let on = members(c, change)?;
    Ok((names, group, change, on, span))
}

/// `those = "in" name | names`
fn those(c: &mut Cursor<'_>, what: &str) -> Parsed<(Vec<Text>, Option<Text>)> {
    if c.word("in").is_some() {
        return Ok((Vec::new(), Some(name(c, "a group's name")?)));
    }
    Ok((names(c, what)?, None))
}

/// `members = "on" ("any" | "all" ("but" INTEGER)? | INTEGER) "of" name`
///
/// It follows a state; `on cancel` is the next clause.
fn members(c: &mut Cursor<'_>, change: ChangeSyntax) -> Parsed<Option<At<MembersSyntax>>> {
    if !c.sees_word("on") || c.sees_words("on", "cancel") {
        return Ok(None);
    }
    let start = c.here();
    c.want_word("on")?;
    if change != ChangeSyntax::Lasts {
        let span = c.since(start);
        let message = "`on ... of` counts only what is stopped, lost or active";
        let help =
            "for fewer than 2 that run write `app stopped on all but 1 of G`, for 2 or more `not app stopped on all but 1 of G`";
        return Err(c.fail_with(Code::RuleSyntax, &span, message, help));
    }
    let quantity = match c.word_ahead() {
        Some("any") => c.want_word("any").map(|_| Quantity::Any)?,
        Some("all") => {
            c.want_word("all")?;
            if c.word("but").is_some() { Quantity::AllBut(how_many(c)?) } else { Quantity::All }
        }
        _ => Quantity::Some(how_many(c)?),
    };
    c.want_word("of")?;
    let of = name(c, "a group's name, `pair` or `site`")?;
    Ok(Some(At { it: MembersSyntax { quantity, of }, span: c.since(start) }))
}

fn how_many(c: &mut Cursor<'_>) -> Parsed<usize> {
    match c.take(terminal::integer) {
        Some(token) => Ok(token.it.parse().unwrap_or(usize::MAX)),
        None => Err(c.wanted("`any`, `all` or a number")),
    }
}

/// `calendar_change = "calendar" name ("begins" | "ends")`
fn calendar_change(c: &mut Cursor<'_>) -> Parsed<AtomSyntax> {
    c.want_word("calendar")?;
    let name = name(c, "a calendar's name")?;
    let change = change(c, &[("begins", ChangeSyntax::Began), ("ends", ChangeSyntax::Ended)])?;
    Ok(AtomSyntax::Calendar { name, change })
}

/// `claim = "claim" ("primary" | "backup")`
fn claim(c: &mut Cursor<'_>) -> Parsed<AtomSyntax> {
    let start = c.here();
    c.want_word("claim")?;
    let primary = c.word("primary").is_some();
    if !primary {
        c.want_word("backup")?;
    }
    Ok(AtomSyntax::Claim { primary, span: c.since(start) })
}

/// Reads the change of something by its word.
fn change(c: &mut Cursor<'_>, words: &[(&str, ChangeSyntax)]) -> Parsed<ChangeSyntax> {
    for (word, change) in words {
        if c.word(word).is_some() {
            return Ok(*change);
        }
    }
    let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    let (last, others) = words.split_last().map_or(("", &[][..]), |(last, others)| (last.as_str(), others));
    Err(c.wanted(&format!("{} or {last}", others.join(", "))))
}

/// `event = "event" ids? from?`
fn event(c: &mut Cursor<'_>) -> Parsed<EventSyntax> {
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
    Ok(EventSyntax { ids, from })
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
        // An id in quotes belongs to another program, unless it has the form of a numbered id. The compiler reads a device's
        // id without its marks.
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
        c.fail(Code::BadEventId, &span, "both ends of a range of ids must have the same type code");
    }
    if last < first {
        // The meaning of the range is wrong; what follows can be read.
        c.fail_with(Code::BadEventId, &span, "this range of ids is empty", "write the smaller number first");
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
            let shown = crate::core::base::text::printable_short(token.it, 40);
            c.fail_with(
                Code::BadEventId,
                &token.span,
                format!("`{shown}` is not an event id"),
                "write an id as 00-04561, 4561 or GCTI-00-04561; write the id of another program in quotes: event \"CVE-ID\"",
            )
        }
        None => c.wanted("an event id"),
    }
}

/// `from = "from" source ("on" "host" names)?`
pub(super) fn from(c: &mut Cursor<'_>) -> Parsed<From> {
    c.want_word("from")?;
    let whom = source(c)?;
    let mut on = Vec::new();
    if c.sees_words("on", "host") {
        c.want_word("on")?;
        c.want_word("host")?;
        on = names(c, "a host's name")?;
    }
    Ok(From { whom, on })
}

/// `source = "any" | ("app" | "type" | "host" | "group" | "site") names`
fn source(c: &mut Cursor<'_>) -> Parsed<SenderSyntax> {
    match c.word_ahead() {
        Some("any") => c.want_word("any").map(|_| SenderSyntax::Any),
        Some("app") => {
            c.want_word("app")?;
            Ok(SenderSyntax::Apps(names(c, "an application's name")?))
        }
        Some("type") => {
            c.want_word("type")?;
            Ok(SenderSyntax::Types(names(c, "an application type")?))
        }
        Some("host") => {
            c.want_word("host")?;
            Ok(SenderSyntax::Hosts(names(c, "a host's name")?))
        }
        Some("group") => {
            c.want_word("group")?;
            Ok(SenderSyntax::Groups(names(c, "a group's name")?))
        }
        Some("site") => {
            c.want_word("site")?;
            Ok(SenderSyntax::Sites(names(c, "a site's name")?))
        }
        other => {
            let what = "`any`, `app`, `type`, `host`, `group` or `site`";
            let name = other.map(str::to_owned);
            Err(match name {
                Some(name) => c.wanted_with(what, &format!("write `from app {name}` or `from host {name}`")),
                None => c.wanted(what),
            })
        }
    }
}
