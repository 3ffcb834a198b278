//! Formats the clauses of a block, each on its own lines.

use std::collections::BTreeSet;

use crate::core::lang::parse::{Token, TokenKind, reserved};

use super::out::Out;

/// Maximum columns of a line, if it can be broken.
pub(super) const COLUMNS: usize = 130;
/// Blanks before a clause.
pub(super) const INDENT: usize = 4;
/// In patterns, clauses are aligned to the longest clause word, even if that clause is absent.
const SAMPLE: usize = "sample".len();

/// Maximum number of tokens that form one word, when a row fills in a part of it.
const PARTS: usize = 8;

/// Blanks between a token and the one before it on the same line.
pub(super) fn blanks(tokens: &[Token<'_>], i: usize) -> usize {
    let Some(before) = i.checked_sub(1).map(|n| &tokens[n]) else { return 0 };
    let token = &tokens[i];
    let apart = |t: &Token<'_>| t.gap > 0 || t.breaks > 0;
    if token.is(",") || token.is(")") || token.is("]") || before.is("(") || before.is("[") {
        return 0;
    }
    // Both sides of a range have the same blanks.
    if token.is("..") {
        return usize::from(apart(token) || tokens.get(i + 1).is_some_and(apart));
    }
    if before.is("..") {
        return usize::from(apart(token) || apart(before));
    }
    // What a row fills in may be a part of a word, as in `10.0.${n}.0/8`.
    let unknown = |t: &Token<'_>| matches!(t.kind, TokenKind::Mark | TokenKind::Other);
    let parts = tokens[..i].iter().rev().take(PARTS);
    let mut glued = std::iter::once(token).chain(parts).scan(true, |joined, t| {
        let it = joined.then_some(t);
        *joined &= !apart(t);
        it
    });
    if glued.any(unknown) || unknown(before) {
        return usize::from(apart(token));
    }
    // `of (A or B)` is a group, `vip_down("sip_vip")` a call.
    let called =
        matches!(before.kind, TokenKind::Text | TokenKind::Word) && !(before.kind == TokenKind::Word && reserved(before.text));
    usize::from(!(token.is("(") && called))
}

/// Writes the clauses of a block; `sample` is true in patterns.
pub(super) fn block(out: &mut Out, body: &[Token<'_>], starts: &BTreeSet<usize>, sample: bool) {
    // Before the first clause there may be comments; anything else is filled in by a row.
    let first = body.iter().position(|t| t.kind != TokenKind::Comment);
    let begins: Vec<usize> = (0..body.len()).filter(|i| Some(*i) == first || starts.contains(&body[*i].start)).collect();
    let first = begins.first().copied().unwrap_or(body.len());
    let ends = begins.iter().skip(1).copied().chain([body.len()]);
    let clauses: Vec<&[Token<'_>]> = begins.iter().zip(ends).map(|(start, end)| &body[*start..end]).collect();
    let padded = clauses.iter().filter(|c| words(c) == 1).map(|c| c[0].width()).max().unwrap_or(0);
    let padded = if sample { padded.max(SAMPLE) } else { padded };
    for token in &body[..first] {
        out.comment(token, INDENT, true);
    }
    for tokens in clauses {
        clause(out, tokens, padded);
    }
}

/// The number of words that identify the clause; zero when a row fills them in.
fn words(clause: &[Token<'_>]) -> usize {
    let mut said = clause.iter().filter(|t| t.kind != TokenKind::Comment);
    let first = said.next().filter(|t| t.kind == TokenKind::Word).map_or("", |t| t.text);
    let second = said.next().map_or("", |t| t.text);
    match (first, second) {
        ("", _) => 0,
        ("on", "cancel") => 3,
        ("inhibited" | "only" | "not" | "while" | "max", _) => 2,
        _ => 1,
    }
}

/// Writes a clause, and the comments up to the next.
fn clause(out: &mut Out, tokens: &[Token<'_>], padded: usize) {
    let said: Vec<usize> = (0..tokens.len()).filter(|i| tokens[*i].kind != TokenKind::Comment).collect();
    let words = words(tokens);
    // The column at which its further lines are aligned.
    let column = INDENT
        + match words {
            0 => INDENT,
            1 => padded + 1,
            n => said.iter().take(n).map(|i| tokens[*i].width() + 1).sum(),
        };
    let value = Value { at: said.get(words).copied().unwrap_or(tokens.len()), column, padded: words == 1 };
    let breaks = breaks(tokens, &value);
    let last = said.last().copied().unwrap_or(0);
    // The column of the record before.
    let mut record = None;
    for (i, token) in tokens.iter().enumerate() {
        if token.kind == TokenKind::Comment {
            let between = i > last;
            out.comment(token, if between { INDENT } else { column }, between);
            continue;
        }
        if i == 0 {
            out.line(token, INDENT, true);
        } else if breaks[i] {
            out.line(token, record.filter(|_| token.kind == TokenKind::Record).unwrap_or(column), false);
        } else {
            out.after(token, value.blanks(tokens, i, out.column()));
        }
        record = (token.kind == TokenKind::Record).then(|| out.column() - token.width());
    }
}

/// The beginning of the value of a clause.
struct Value {
    at: usize,
    column: usize,
    /// It is aligned with the values of the other clauses.
    padded: bool,
}

impl Value {
    /// Blanks before a token when the line has reached this column.
    fn blanks(&self, tokens: &[Token<'_>], i: usize, column: usize) -> usize {
        let between = blanks(tokens, i);
        if self.padded && i == self.at { self.column.saturating_sub(column).max(between) } else { between }
    }
}

/// The tokens of a clause that begin a line. These are the tokens that began one, except the first of its value and commas.
/// In a line that is too long, the alternatives that do not fit also begin a line.
fn breaks(tokens: &[Token<'_>], value: &Value) -> Vec<bool> {
    let mut breaks: Vec<bool> = (0..tokens.len())
        .map(|i| (i > 0 && tokens[i - 1].ends_line()) || (i > value.at && tokens[i].breaks > 0 && !tokens[i].is(",")))
        .collect();
    let alternatives = alternatives(tokens);
    let mut column = INDENT;
    for (i, token) in tokens.iter().enumerate().filter(|(_, t)| t.kind != TokenKind::Comment) {
        if !breaks[i] && alternatives.contains(&i) {
            let end = (i + 1..tokens.len()).find(|n| breaks[*n] || alternatives.contains(n)).unwrap_or(tokens.len());
            let all = (i..end).filter(|n| tokens[*n].kind != TokenKind::Comment).map(|n| blanks(tokens, n) + tokens[n].width());
            breaks[i] = column + all.sum::<usize>() > COLUMNS;
        }
        column = if breaks[i] { value.column } else { column + if i > 0 { value.blanks(tokens, i, column) } else { 0 } };
        column += token.width();
    }
    breaks
}

/// The `or`s of a clause that are in the fewest parentheses.
fn alternatives(tokens: &[Token<'_>]) -> BTreeSet<usize> {
    let mut open = 0_usize;
    let mut all = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        if token.is("(") || token.is("[") {
            open += 1;
        } else if token.is(")") || token.is("]") {
            open = open.saturating_sub(1);
        } else if token.is_word("or") {
            all.push((open, i));
        }
    }
    let least = all.iter().map(|(depth, _)| *depth).min();
    all.into_iter().filter(|(depth, _)| Some(*depth) == least).map(|(_, i)| i).collect()
}
