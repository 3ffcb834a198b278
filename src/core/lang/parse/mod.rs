//! Parses rule files to trees. There is one function for each production of `grammar/pointsman.ebnf`, with the production as
//! its first line.
//!
//! A mistake is reported at its place, then the parser continues at the next clause or item: one mistake, one diagnostic, and
//! all mistakes of a file at once. Nothing is resolved here. [`crate::core::base::limits::NESTING`] bounds recursion.

mod alarm;
mod atom;
mod calendar;
mod cursor;
mod detect;
mod keys;
mod later;
mod meant;
mod pattern;
mod predicate;
mod reaction;
mod rows;
mod terminal;
mod token;

use std::sync::Arc;

use crate::core::base::limits::RULE_FILE_BYTES;
use crate::core::base::text::printable_short;
use crate::core::diag::suggest::{did_you_mean, nearest};
use crate::core::diag::{Code, Diagnostic, Source};

use super::ast::{At, File, Item, Text};
pub(super) use cursor::reserved;
use cursor::{Cursor, ITEMS, Parsed};
pub(super) use token::{Token, TokenKind, tokens};

/// The text behind the blanks and comments at its beginning.
pub(super) fn without_blanks(text: &str) -> &str {
    terminal::blank(text).map_or(text, |(rest, _)| rest)
}

/// Reads one file, and reports all mistakes in its syntax.
pub(super) fn parse(source: &Arc<Source>) -> (File, Vec<Diagnostic>) {
    let mut file = File { source: source.clone(), items: Vec::new(), mentions: Vec::new() };
    if source.text.len() > RULE_FILE_BYTES {
        // The exact size is unknown, because the caller stops reading at the limit.
        let message =
            format!("{} has more than {RULE_FILE_BYTES} bytes, which is the limit of a rule file; split it", source.name);
        return (file, vec![Diagnostic::whole(Code::RuleFileTooLarge, message)]);
    }
    let mut cursor = Cursor::new(source);
    file.items = items(&mut cursor);
    file.mentions = std::mem::take(&mut cursor.mentions);
    (file, cursor.diagnostics)
}

/// Reads a text that is one expression with its delimiters: `/role changed to MASTER/i`.
pub(super) fn expression(source: &Arc<Source>) -> (Option<super::ast::Regex>, Vec<Diagnostic>) {
    let mut cursor = Cursor::new(source);
    let regex = predicate::regex(&mut cursor).ok();
    if regex.is_some() && !cursor.at_end() {
        cursor.wanted("the end of the expression");
        return (None, cursor.diagnostics);
    }
    (regex, cursor.diagnostics)
}

/// `file = item*`
fn items(c: &mut Cursor<'_>) -> Vec<Item> {
    let mut items = Vec::new();
    while !c.at_end() {
        c.commit();
        match item(c) {
            Ok(read) => items.extend(read),
            Err(_) => c.skip_to_item(),
        }
    }
    items
}

/// `item = alarm | pattern | ignore | piece | named | reaction | calendar | defaults`
fn item(c: &mut Cursor<'_>) -> Parsed<Vec<Item>> {
    let one = |item: Item| vec![item];
    match c.word_ahead() {
        Some("alarm") => alarm::alarm(c).map(|all| all.into_iter().map(Item::Alarm).collect()),
        Some("defaults") => alarm::defaults(c).map(Item::Defaults).map(one),
        Some("pattern") => pattern::pattern(c).map(Item::Pattern).map(one),
        Some("ignore") => pattern::ignore(c).map(Item::Ignore).map(one),
        Some("piece") => pattern::piece(c).map(Item::Piece).map(one),
        Some("list") => pattern::named(c).map(Item::List).map(one),
        Some("reaction") => reaction::reaction(c).map(Item::Reaction).map(one),
        Some("calendar") => calendar::calendar(c).map(Item::Calendar).map(one),
        Some(other) => {
            let at = c.here();
            c.skip_token();
            let span = c.since(at);
            let message = format!(
                "expected `alarm`, `pattern`, `ignore`, `piece`, `list`, `reaction`, `calendar` or `defaults`, found `{other}`"
            );
            Err(match nearest(other, ITEMS) {
                Some(near) => c.fail_with(Code::RuleSyntax, &span, message, did_you_mean(near)),
                None => c.fail(Code::RuleSyntax, &span, message),
            })
        }
        None => {
            let what = "`alarm`, `pattern`, `ignore`, `piece`, `list`, `reaction`, `calendar` or `defaults`";
            let failed = if c.sees_symbol("/") { c.wanted_with(what, "write a comment with #") } else { c.wanted(what) };
            c.skip_token();
            Err(failed)
        }
    }
}

/// Reads the clauses of a block up to its closing brace. A clause that fails is skipped, and `failed` makes its placeholder.
fn block<T>(
    c: &mut Cursor<'_>,
    opened: &At<String>,
    begins: fn(&mut Cursor<'_>) -> bool,
    mut clause: impl FnMut(&mut Cursor<'_>) -> Parsed<T>,
    mut failed: impl FnMut(Option<&str>) -> Option<T>,
) -> Parsed<Vec<At<T>>> {
    if c.symbol("{").is_none() {
        return Err(c.wanted_with("`{`", &format!("write the contents of `{}` in braces: {{ ... }}", opened.it)));
    }
    let mut clauses = Vec::new();
    loop {
        c.commit();
        if c.symbol("}").is_some() {
            return Ok(clauses);
        }
        if c.at_end() || c.sees_item() {
            let message = format!("the block of `{}` is not closed", opened.it);
            let end = c.here();
            let lines = c.text().get(opened.span.end..end).unwrap_or_default().lines();
            let swallowed = |line: &str| line.split_once('|').is_some_and(|(_, record)| record.trim_end().ends_with('}'));
            let help = match lines.into_iter().any(swallowed) {
                true => "close it with } on a line of its own: everything after | belongs to the record, to the end of the line",
                false => "close it with }",
            };
            c.fail_with(Code::Unclosed, &opened.span, message, help);
            // The clauses that were read are kept, so that the block's name exists.
            return Ok(clauses);
        }
        let start = c.here();
        let word = c.word_ahead().map(str::to_owned);
        match clause(c) {
            Ok(it) => clauses.push(At { it, span: c.since(start) }),
            Err(_) => {
                let span = c.since(start);
                if c.here() == start {
                    c.skip_token();
                }
                clauses.extend(failed(word.as_deref()).map(|it| At { it, span }));
                c.skip_to_clause(begins);
            }
        }
    }
}

/// Words that continue a condition; a misspelled one looks like a clause.
const JOINING: &[&str] = &[
    "without",
    "within",
    "unless",
    "where",
    "then",
    "for",
    "from",
    "over",
    "and",
    "or",
    "by",
    "not preceded by",
    "slack",
    "backoff",
];

/// Reports a clause that the block does not have: it is of a later version, or misspelled.
fn unknown_clause(c: &mut Cursor<'_>, block: &str, known: &[&'static str]) -> cursor::Failed {
    let at = c.here();
    let Some(word) = c.word_ahead() else {
        let helps = [
            ("&", "events and tests are joined by `and`"),
            ("|", "events and tests are joined by `or`"),
            (";", "write nothing between clauses"),
            (",", "write a clause for each: cancel after 1h cancel when ..."),
            ("//", "write a comment with #"),
        ];
        let what = format!("a clause of {block}");
        return match helps.into_iter().find(|(symbol, _)| c.sees_symbol(symbol)) {
            Some((_, help)) => c.wanted_with(&what, help),
            None => c.wanted(&what),
        };
    };
    c.skip_token();
    let span = c.since(at);
    let belongs = match word {
        "where" => {
            "write `where` after an event; if the event is part of a count, a silence or a condition on several events, put both in parentheses: `no (event ... where ...) for 5m`"
        }
        "unless" => "write `unless B` before `by` and `within`",
        "and" | "or" | "then" | "without" => {
            "it joins what comes before `by` and `within`; parentheses show what belongs together"
        }
        "from" => "`from` stands behind `event`, as in `event from host x`, or is a clause of a pattern",
        "by" | "within" | "for" | "over" => "write it once, at the end of the whole condition",
        _ => "",
    };
    if !belongs.is_empty() {
        return c.fail_with(Code::UnknownClause, &span, format!("`{word}` cannot stand here"), belongs);
    }
    let message = format!("{block} has no clause `{word}`");
    if let Some(help) = meant::instead(word) {
        return c.fail_with(Code::UnknownClause, &span, message, help);
    }
    // Words that continue a condition, possibly misspelled.
    let joining = JOINING.iter().copied().filter(|_| word.len() > 2);
    // Of a clause of several words, such as `inhibited by`, the first one is compared.
    let first = known.iter().filter_map(|clause| Some(clause.split_once(' ')?.0)).filter(|first| first.len() > 3);
    match nearest(word, known.iter().copied().chain(joining).chain(first)) {
        Some(near) => c.fail_with(Code::UnknownClause, &span, message, did_you_mean(near)),
        None => c.fail_with(Code::UnknownClause, &span, message, format!("it has {}", known.join(", "))),
    }
}

/// `name = NAME | STRING`
fn name(c: &mut Cursor<'_>, what: &str) -> Parsed<Text> {
    if c.sees(terminal::string) {
        return string(c);
    }
    match c.word_ahead() {
        Some(word) if cursor::reserved(word) => {
            let at = c.here();
            c.skip_token();
            let span = c.since(at);
            let message = format!("`{word}` is a keyword, and {what} is expected here");
            Err(c.fail_with(Code::ReservedWord, &span, message, format!("to use it as a name, write it in quotes: \"{word}\"")))
        }
        Some(_) => c.take(terminal::name).map(Cursor::own).ok_or(cursor::Failed),
        None => Err(c.wanted(what)),
    }
}

/// `names = name ("," name)*`
fn names(c: &mut Cursor<'_>, what: &str) -> Parsed<Vec<Text>> {
    let mut all = vec![name(c, what)?];
    while c.symbol(",").is_some() {
        all.push(name(c, what)?);
    }
    Ok(all)
}

/// `field = NAME | STRING`
fn field(c: &mut Cursor<'_>) -> Parsed<Text> {
    name(c, "a field")
}

/// Reads a string and resolves its escapes.
fn string(c: &mut Cursor<'_>) -> Parsed<Text> {
    let Some(token) = c.take(terminal::string) else {
        return Err(if c.sees_symbol("\"") { c.broken_text() } else { c.wanted("a text in quotes") });
    };
    let inner = &token.it[1..token.it.len() - 1];
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(ch) = chars.next() {
        match (ch, if ch == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => text.push('\n'),
            ('\\', Some('r')) => text.push('\r'),
            ('\\', Some('t')) => text.push('\t'),
            ('\\', Some(escaped)) => text.push(escaped),
            (ch, _) => text.push(ch),
        }
    }
    Ok(At { it: text, span: token.span })
}

/// Reads an `INTEGER`. The caller checks its limits, so a number that is too long becomes the largest one.
fn whole(c: &mut Cursor<'_>) -> Parsed<At<usize>> {
    let Some(token) = c.take(terminal::numberish) else { return Err(c.wanted("a number")) };
    if token.it.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(At { it: token.it.parse().unwrap_or(usize::MAX), span: token.span });
    }
    let shown = printable_short(token.it, 40);
    Err(c.fail_with(
        Code::RuleSyntax,
        &token.span,
        format!("`{shown}` is not a whole number"),
        "write digits only, for example 1000",
    ))
}

/// Reads a duration with its unit, or reports the mistake in it.
fn duration(c: &mut Cursor<'_>) -> Parsed<std::time::Duration> {
    if let Some(token) = c.take(terminal::duration) {
        if c.follows(terminal::duration)
            && let Some(more) = c.take(terminal::duration)
        {
            let message = format!("a duration is one word, and `{}` is separate", more.it);
            return Err(c.fail_with(Code::BadDuration, &more.span, message, format!("write {}{}", token.it, more.it)));
        }
        return match crate::core::base::time::parse_duration(token.it) {
            Some(span) if span <= MAX_DURATION => Ok(span),
            _ => Err(c.fail(
                Code::BadDuration,
                &token.span,
                format!("`{}` is longer than a duration may be (1000 weeks)", token.it),
            )),
        };
    }
    if let Some(token) = c.take(terminal::numberish) {
        let (shown, units) = (printable_short(token.it, 40), "the units are ms, s, m (minutes), h, d, w: 500ms, 2s, 1m30s");
        let (number, unit) = token.it.split_at(token.it.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(token.it.len()));
        let apart = if unit.is_empty() { c.word_ahead().filter(|word| unit_meant(word).is_some()) } else { None };
        let message = match apart {
            Some(_) => format!("`{shown}` is not a duration: write its unit without a blank"),
            None if unit.is_empty() => format!("`{shown}` is not a duration: the unit is missing"),
            None if unit_meant(unit) != Some(unit) && unit.bytes().all(|b| b.is_ascii_alphabetic()) => {
                format!("`{shown}` is not a duration: there is no unit `{unit}`")
            }
            None => format!("`{shown}` is not a duration"),
        };
        let help = match unit_meant(apart.unwrap_or(unit)) {
            Some(meant) if crate::core::base::time::parse_duration(&format!("{number}{meant}")).is_some() => {
                format!("write {number}{meant}; {units}")
            }
            _ => units.to_owned(),
        };
        return Err(c.fail_with(Code::BadDuration, &token.span, message, help));
    }
    Err(c.wanted("a duration"))
}

/// The unit that people mean by a word.
fn unit_meant(word: &str) -> Option<&'static str> {
    Some(match word {
        "ms" | "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" | "S" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" | "M" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" | "H" => "h",
        "d" | "day" | "days" | "D" => "d",
        "w" | "week" | "weeks" | "W" => "w",
        _ => return None,
    })
}

/// Longer than anybody keeps an alarm.
const MAX_DURATION: std::time::Duration = std::time::Duration::from_secs(1_000 * 7 * 24 * 3_600);

/// True for a text that is a name without quotes.
pub fn is_plain_name(text: &str) -> bool {
    terminal::name(text).is_ok_and(|(rest, _)| rest.is_empty()) && !reserved(text)
}
