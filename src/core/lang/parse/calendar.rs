//! Calendars, and the clauses of an alarm that name them.

use crate::core::diag::Code;
use crate::core::lang::ast::{At, CalendarClause, CalendarSyntax, ClauseKind, Days, Text};

use super::cursor::{Cursor, Parsed};
use super::{block, duration, name, names, string, terminal, unknown_clause};

const CLAUSES: &[&str] = &["zone", "every", "on", "cron", "except"];

/// `calendar = "calendar" name "{" calendar_clause* "}"`
pub(super) fn calendar(c: &mut Cursor<'_>) -> Parsed<CalendarSyntax> {
    c.want_word("calendar")?;
    let name = name(c, "the calendar's name")?;
    let clauses = block(c, &name, begins, calendar_clause, |_| Some(CalendarClause::Later))?;
    Ok(CalendarSyntax { name, clauses })
}

fn begins(c: &mut Cursor<'_>) -> bool {
    c.word_ahead().is_some_and(|word| CLAUSES.contains(&word))
}

/// `calendar_clause = zone | every | on | cron | except`
fn calendar_clause(c: &mut Cursor<'_>) -> Parsed<CalendarClause> {
    match c.word_ahead() {
        Some("zone") => zone(c),
        Some("every") => every(c),
        Some("on") => on(c),
        Some("cron") => cron(c),
        Some("except") => except(c),
        _ => Err(unknown_clause(c, "a calendar", CLAUSES)),
    }
}

/// `zone = "zone" STRING`
fn zone(c: &mut Cursor<'_>) -> Parsed<CalendarClause> {
    c.want_word("zone")?;
    Ok(CalendarClause::Zone(string(c)?))
}

/// `every = "every" days hours?`
fn every(c: &mut Cursor<'_>) -> Parsed<CalendarClause> {
    c.want_word("every")?;
    if c.sees(terminal::duration) {
        let at = c.here();
        c.skip_token();
        let span = c.since(at);
        let message = "`every` is followed by days of the week, or `day`";
        return Err(c.fail_with(Code::RuleSyntax, &span, message, "for every ten minutes write cron \"*/10 * * * *\""));
    }
    let days = days(c)?;
    Ok(CalendarClause::Every(days, hours(c)?))
}

/// `days = day ("," day)*`
fn days(c: &mut Cursor<'_>) -> Parsed<Vec<Days>> {
    let mut all = vec![day(c)?];
    while c.symbol(",").is_some() {
        all.push(day(c)?);
    }
    Ok(all)
}

/// `day = DAY (".." DAY)?`
fn day(c: &mut Cursor<'_>) -> Parsed<Days> {
    let first = token(c, terminal::day, "a day (mon, tue, wed, thu, fri, sat, sun, or `day`)")?;
    let last = if c.symbol("..").is_some() { Some(token(c, terminal::day, "a day of the week")?) } else { None };
    Ok(Days { first, last })
}

/// `on = "on" DATE (".." DATE)? hours?`
fn on(c: &mut Cursor<'_>) -> Parsed<CalendarClause> {
    c.want_word("on")?;
    let first = token(c, terminal::date, "a date (2026-12-24)")?;
    let last = if c.symbol("..").is_some() { Some(token(c, terminal::date, "a date (2026-12-26)")?) } else { None };
    Ok(CalendarClause::On { first, last, hours: hours(c)? })
}

/// `hours = "from" TIME "to" TIME | "at" TIME`
fn hours(c: &mut Cursor<'_>) -> Parsed<Option<At<crate::core::lang::ast::HoursSyntax>>> {
    use crate::core::lang::ast::HoursSyntax;
    let start = c.here();
    let it = match c.word_ahead() {
        Some("from") => {
            c.want_word("from")?;
            let from = token(c, terminal::time, "a time of day (08:00)")?;
            c.want_word("to")?;
            HoursSyntax::FromTo(from, token(c, terminal::time, "a time of day (18:00)")?)
        }
        Some("at") => {
            c.want_word("at")?;
            HoursSyntax::At(token(c, terminal::time, "a time of day (02:00)")?)
        }
        _ => return Ok(None),
    };
    Ok(Some(At { it, span: c.since(start) }))
}

/// `cron = "cron" STRING ("for" DURATION)?`
fn cron(c: &mut Cursor<'_>) -> Parsed<CalendarClause> {
    c.want_word("cron")?;
    let expression = string(c)?;
    let mut lasts = None;
    if c.word("for").is_some() {
        let start = c.here();
        let it = duration(c)?;
        lasts = Some(At { it, span: c.since(start) });
    }
    Ok(CalendarClause::Cron(expression, lasts))
}

/// `except = "except" names`
fn except(c: &mut Cursor<'_>) -> Parsed<CalendarClause> {
    c.want_word("except")?;
    Ok(CalendarClause::Except(names(c, "a calendar's name")?))
}

/// `only_during = "only" "during" names`
pub(super) fn only_during(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("only")?;
    c.want_word("during")?;
    Ok(ClauseKind::OnlyDuring(names(c, "a calendar's name")?))
}

/// `not_during = "not" "during" names`
pub(super) fn not_during(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("not")?;
    c.want_word("during")?;
    Ok(ClauseKind::NotDuring(names(c, "a calendar's name")?))
}

fn token(c: &mut Cursor<'_>, read: fn(&str) -> terminal::TerminalResult<'_>, what: &str) -> Parsed<Text> {
    match c.take(read) {
        Some(found) => Ok(Cursor::own(found)),
        None => Err(c.wanted(what)),
    }
}
