//! Alarms and defaults: their clauses.

use crate::core::lang::ast::{AlarmSyntax, At, Binding, CancelSyntax, ClauseKind, ClauseSyntax, Detect, Tail, Text};
use crate::core::lang::program::Shape;

use super::calendar::{not_during, only_during};
use super::cursor::{Cursor, Parsed};
use super::detect::{detect, threshold};
use super::keys::by;
use super::reaction::{bindings, chains};
use super::{block, duration, name, names, rows, string, terminal, unknown_clause, whole};

const CLAUSES: &[&str] = &[
    "category",
    "summary",
    "help",
    "detect",
    "hold",
    "cancel",
    "inhibited by",
    "only during",
    "not during",
    "limit",
    "react",
    "on cancel react",
    "on cancel summary",
    "while active",
    "mode",
    "max age",
    "max keys",
    "keep",
    "only while",
];

/// `alarm = "alarm" name row* "{" clause* "}"`
pub(super) fn alarm(c: &mut Cursor<'_>) -> Parsed<Vec<AlarmSyntax>> {
    c.want_word("alarm")?;
    let name = name(c, "the alarm's name")?;
    let mut rows = Vec::new();
    while c.sees_word("with") {
        rows.push(row(c)?);
    }
    let one = |c: &mut Cursor<'_>, name: Text| -> Parsed<AlarmSyntax> {
        let clauses = block(c, &name, begins, |c| clause(c, "an alarm"), later)?;
        Ok(AlarmSyntax { name, clauses })
    };
    if rows.is_empty() {
        return Ok(vec![one(c, name)?]);
    }
    rows::filled(c, &name, &rows, one)
}

/// `row = "with" bindings`
fn row(c: &mut Cursor<'_>) -> Parsed<At<Vec<Binding>>> {
    let start = c.here();
    c.want_word("with")?;
    let it = bindings(c)?;
    Ok(At { it, span: c.since(start) })
}

/// `defaults = "defaults" "{" clause* "}"`
pub(super) fn defaults(c: &mut Cursor<'_>) -> Parsed<Vec<ClauseSyntax>> {
    let span = c.want_word("defaults")?;
    let opened = At { it: "defaults".to_owned(), span };
    block(c, &opened, begins, |c| clause(c, "`defaults`"), later)
}

/// A clause that failed has a placeholder, so that it is not reported as missing.
fn later(word: Option<&str>) -> Option<ClauseKind> {
    let kind = CLAUSES.iter().filter_map(|clause| clause.split(' ').next()).find(|first| Some(*first) == word);
    Some(ClauseKind::Later(kind.unwrap_or("")))
}

fn begins(c: &mut Cursor<'_>) -> bool {
    match c.word_ahead() {
        Some(
            "category" | "summary" | "help" | "detect" | "cancel" | "react" | "mode" | "hold" | "limit" | "inhibited" | "only"
            | "keep",
        ) => true,
        Some("on") => c.sees_words("on", "cancel"),
        Some("while") => c.sees_words("while", "active"),
        Some("max") => c.sees_words("max", "age") || c.sees_words("max", "keys"),
        Some("not") => c.sees_words("not", "during"),
        _ => false,
    }
}

/// `clause = category | summary | help | detection | hold | cancel | inhibited | only_during | not_during | limit | react | on_cancel | while_active | mode | max_age | max_keys | keep | only_while`
fn clause(c: &mut Cursor<'_>, of: &str) -> Parsed<ClauseKind> {
    match c.word_ahead() {
        Some("category") => category(c),
        Some("summary") => summary(c),
        Some("help") => help(c),
        Some("detect") => detection(c),
        Some("hold") => hold(c),
        Some("cancel") => cancel(c),
        Some("inhibited") => inhibited(c),
        Some("only") if c.sees_words("only", "while") => only_while(c),
        Some("only") => only_during(c),
        Some("not") => not_during(c),
        Some("limit") => limit(c),
        Some("react") => react(c),
        Some("on") => on_cancel(c),
        Some("while") => while_active(c),
        Some("mode") => mode(c),
        Some("max") if c.sees_words("max", "keys") => max_keys(c),
        Some("max") => max_age(c),
        Some("keep") => keep(c),
        _ => Err(unknown_clause(c, of, CLAUSES)),
    }
}

/// `category = "category" NAME`
fn category(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("category")?;
    Ok(ClauseKind::Category(word(c, "a category")?))
}

/// `summary = "summary" STRING`
fn summary(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("summary")?;
    Ok(ClauseKind::Summary(string(c)?))
}

/// `help = "help" STRING`
fn help(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("help")?;
    Ok(ClauseKind::Help(string(c)?))
}

/// `detection = "detect" detect`
fn detection(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("detect")?;
    Ok(ClauseKind::Detect(detect(c)?))
}

/// `hold = "hold" DURATION`
fn hold(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("hold")?;
    Ok(ClauseKind::Hold(duration(c)?))
}

/// `inhibited = "inhibited" "by" names`
fn inhibited(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("inhibited")?;
    c.want_word("by")?;
    if c.sees_word("alarm") || c.sees_word("not") {
        let what = "only the name of an alarm";
        let help = "write `inhibited by NAME`: it is inhibited while that alarm is active; `only while not alarm NAME active` says the same";
        return Err(c.wanted_with(what, help));
    }
    Ok(ClauseKind::InhibitedBy(names(c, "an alarm's name")?))
}

/// `limit = "limit" INTEGER "per" DURATION by?`
fn limit(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("limit")?;
    let n = whole(c)?;
    c.want_word("per")?;
    let per = duration(c)?;
    let by = if c.sees_word("by") { by(c)? } else { Vec::new() };
    Ok(ClauseKind::Limit { n, per, by })
}

/// `cancel = "cancel" way`
fn cancel(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("cancel")?;
    Ok(ClauseKind::Cancel(way(c)?))
}

/// `way = "after" DURATION ("since" "raise")? | "when" (threshold | detect) | "at" "once" | "by" "hand"`
fn way(c: &mut Cursor<'_>) -> Parsed<CancelSyntax> {
    match c.word_ahead() {
        Some("after") => {
            c.want_word("after")?;
            let span = duration(c)?;
            let since_raise = c.word("since").is_some();
            if since_raise {
                c.want_word("raise")?;
            }
            Ok(CancelSyntax::After { span, since_raise })
        }
        Some("when") => {
            c.want_word("when")?;
            if c.sees(terminal::comparison) {
                return Ok(CancelSyntax::Falls(threshold(c)?));
            }
            let detect = detect(c)?;
            Ok(match detect {
                Detect { shape: Shape::Measure(_), .. } => CancelSyntax::Measured(Box::new(detect)),
                Detect { shape: Shape::One, unless: None, tail: Tail { keys, time: None }, mut parts } if parts.len() == 1 => {
                    CancelSyntax::When { choice: parts.remove(0), keys }
                }
                _ => CancelSyntax::Comes(Box::new(detect)),
            })
        }
        Some("at") => {
            c.want_word("at")?;
            c.want_word("once")?;
            Ok(CancelSyntax::AtOnce)
        }
        Some("by") => {
            c.want_word("by")?;
            c.want_word("hand")?;
            Ok(CancelSyntax::ByHand)
        }
        _ => Err(c.wanted("`after`, `when`, `at once` or `by hand`")),
    }
}

/// `react = "react" chains`
fn react(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("react")?;
    Ok(ClauseKind::React(chains(c)?))
}

/// `on_cancel = "on" "cancel" ("react" chains | "summary" STRING)`
fn on_cancel(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("on")?;
    c.want_word("cancel")?;
    if c.word("summary").is_some() {
        return Ok(ClauseKind::EndSummary(string(c)?));
    }
    if c.word("react").is_none() {
        return Err(c.wanted("`react` or `summary`"));
    }
    Ok(ClauseKind::OnCancel(chains(c)?))
}

/// `while_active = "while" "active" ("refresh" | "ignore" | "rerun")`
fn while_active(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("while")?;
    c.want_word("active")?;
    match c.word_ahead() {
        Some("refresh" | "ignore" | "rerun") => Ok(ClauseKind::WhileActive(word(c, "`refresh`, `ignore` or `rerun`")?)),
        _ => Err(c.wanted("`refresh`, `ignore` or `rerun`")),
    }
}

/// `mode = "mode" ("live" | "dry" | "confirm" ("within" DURATION)? | "off")`
fn mode(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("mode")?;
    let mode = word(c, "a mode")?;
    let within = if c.word("within").is_some() { Some(duration(c)?) } else { None };
    Ok(ClauseKind::Mode(mode, within))
}

/// `max_age = "max" "age" DURATION`
fn max_age(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("max")?;
    c.want_word("age")?;
    Ok(ClauseKind::MaxAge(duration(c)?))
}

/// `max_keys = "max" "keys" INTEGER`
fn max_keys(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("max")?;
    c.want_word("keys")?;
    Ok(ClauseKind::MaxKeys(whole(c)?))
}

/// `keep = "keep" INTEGER "lines"`
fn keep(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("keep")?;
    let n = whole(c)?;
    c.want_word("lines")?;
    Ok(ClauseKind::Keep(n))
}

/// `only_while = "only" "while" "not"? "alarm" name "active"`
fn only_while(c: &mut Cursor<'_>) -> Parsed<ClauseKind> {
    c.want_word("only")?;
    c.want_word("while")?;
    let active = c.word("not").is_none();
    c.want_word("alarm")?;
    let alarm = name(c, "an alarm's name")?;
    c.want_word("active")?;
    Ok(ClauseKind::OnlyWhile { alarm, active })
}

fn word(c: &mut Cursor<'_>, what: &str) -> Parsed<Text> {
    match c.word_ahead() {
        Some(_) => c.take(terminal::word).map(Cursor::own).ok_or(super::cursor::Failed),
        None => Err(c.wanted(what)),
    }
}
