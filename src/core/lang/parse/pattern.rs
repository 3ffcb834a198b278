//! Named patterns, with their samples.

use crate::core::diag::Code;
use crate::core::lang::ast::{List, Pattern, PatternClause, Piece, SampleSyntax};

use super::atom::from;
use super::cursor::{Cursor, Failed, Parsed};
use super::detect::detect;
use super::predicate::{list, operand, predicate, regex};
use super::reaction::bindings;
use super::{block, field, name, terminal, unknown_clause};

const CLAUSES: &[&str] = &["from", "match", "where", "set", "detect", "sample", "not sample"];

/// `pattern = "pattern" name "{" (composite | pattern_clause*) "}"`
pub(super) fn pattern(c: &mut Cursor<'_>) -> Parsed<Pattern> {
    c.want_word("pattern")?;
    let name = name(c, "the pattern's name")?;
    let clauses = block(c, &name, begins, pattern_clause, |_| Some(PatternClause::Later))?;
    Ok(Pattern { name, clauses })
}

/// `ignore = "ignore" name "{" pattern_clause* "}"`
pub(super) fn ignore(c: &mut Cursor<'_>) -> Parsed<Pattern> {
    c.want_word("ignore")?;
    let name = name(c, "a name for what is ignored")?;
    let clauses = block(c, &name, begins, pattern_clause, |_| Some(PatternClause::Later))?;
    Ok(Pattern { name, clauses })
}

/// `piece = "piece" name regex`
pub(super) fn piece(c: &mut Cursor<'_>) -> Parsed<Piece> {
    c.want_word("piece")?;
    Ok(Piece { name: name(c, "the piece's name")?, regex: regex(c)? })
}

fn begins(c: &mut Cursor<'_>) -> bool {
    matches!(c.word_ahead(), Some("from" | "match" | "where" | "sample" | "set" | "detect")) || c.sees_words("not", "sample")
}

/// `pattern_clause = from | matching | condition | setting | sample | not_sample`
fn pattern_clause(c: &mut Cursor<'_>) -> Parsed<PatternClause> {
    match c.word_ahead() {
        Some("from") => from(c).map(PatternClause::From),
        Some("match") => matching(c),
        Some("where") => condition(c),
        Some("sample") => sample(c),
        Some("not") if c.sees_words("not", "sample") => not_sample(c),
        Some("set") => setting(c),
        Some("detect") => composite(c),
        _ => Err(unknown_clause(c, "a pattern", CLAUSES)),
    }
}

/// `matching = "match" field? regex`
fn matching(c: &mut Cursor<'_>) -> Parsed<PatternClause> {
    c.want_word("match")?;
    let raw = c.sees(terminal::regex) || c.sees(terminal::raw_regex) || c.sees_symbol("/");
    if !raw && let Some(failed) = quoted(c) {
        return Err(failed);
    }
    let field = if raw { None } else { Some(field(c)?) };
    Ok(PatternClause::Match { field, regex: regex(c)? })
}

/// `match "..."`: an expression in quotes, as other languages have it. An expression follows a field in quotes.
fn quoted(c: &mut Cursor<'_>) -> Option<Failed> {
    if !c.sees_symbol("\"") {
        return None;
    }
    let start = c.here();
    let token = c.skip_token()?;
    let span = c.since(start);
    if c.sees_symbol("/") || c.sees(terminal::raw_regex) {
        c.back_to(start);
        return None;
    }
    let written = c.text().get(token).unwrap_or_default().to_owned();
    let inner = written.trim_matches('"').replace("\\\\", "\\").replace("\\\"", "\"").replace('/', "\\/");
    let help = format!("write match /{inner}/; for a text that is not an expression: where text contains \"...\"");
    Some(c.fail_with(Code::RuleSyntax, &span, "write a regular expression between slashes, not in quotes", help))
}

/// `named = "list" name list`
pub(super) fn named(c: &mut Cursor<'_>) -> Parsed<List> {
    c.want_word("list")?;
    let name = name(c, "the list's name")?;
    Ok(List { name, elements: list(c)? })
}

/// `condition = "where" predicate`
fn condition(c: &mut Cursor<'_>) -> Parsed<PatternClause> {
    c.want_word("where")?;
    Ok(PatternClause::Where(predicate(c)?))
}

/// `setting = "set" field "=" operand`
fn setting(c: &mut Cursor<'_>) -> Parsed<PatternClause> {
    c.want_word("set")?;
    let name = field(c)?;
    c.want_symbol("=")?;
    Ok(PatternClause::Set(name, operand(c)?))
}

/// `composite = "detect" detect`
fn composite(c: &mut Cursor<'_>) -> Parsed<PatternClause> {
    c.want_word("detect")?;
    Ok(PatternClause::Detect(Box::new(detect(c)?)))
}

/// `sample = "sample" bindings? RECORD+`
fn sample(c: &mut Cursor<'_>) -> Parsed<PatternClause> {
    c.want_word("sample")?;
    let fields = if c.sees_symbol("|") { Vec::new() } else { bindings(c)? };
    Ok(PatternClause::Sample(SampleSyntax { matches: true, fields, record: record(c)? }))
}

/// `not_sample = "not" "sample" RECORD+`
fn not_sample(c: &mut Cursor<'_>) -> Parsed<PatternClause> {
    c.want_word("not")?;
    c.want_word("sample")?;
    Ok(PatternClause::Sample(SampleSyntax { matches: false, fields: Vec::new(), record: record(c)? }))
}

fn record(c: &mut Cursor<'_>) -> Parsed<String> {
    let mut lines: Vec<String> = Vec::new();
    while let Some(token) = c.take(terminal::record) {
        let line = token.it[1..].trim_end_matches('\r');
        lines.push(line.strip_prefix(' ').unwrap_or(line).to_owned());
    }
    if lines.is_empty() {
        return Err(c.wanted("a record (a line that begins with |)"));
    }
    Ok(lines.join("\n"))
}
