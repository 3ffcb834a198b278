//! Formats one item of a file: its head, and its block on one line or on several.

use std::collections::BTreeSet;

use crate::core::lang::parse::{Token, TokenKind};

use super::clause::COLUMNS;
use super::clause::{self, INDENT, blanks};
use super::out::Out;

/// Minimum blanks between clauses on one line.
const BETWEEN_CLAUSES: usize = 2;

/// The number of tokens of the item that begins here.
pub(super) fn length(tokens: &[Token<'_>]) -> usize {
    let piece = tokens.first().is_some_and(|t| t.is_word("piece"));
    if tokens.first().is_some_and(|t| t.is_word("list")) {
        return tokens.iter().position(|t| t.is("]")).map_or(tokens.len(), |end| end + 1);
    }
    let mut open = 0_usize;
    let mut end = tokens.len();
    for (i, token) in tokens.iter().enumerate() {
        if piece {
            match token.kind {
                TokenKind::Regex => end = i + 1,
                TokenKind::Comment => {}
                _ if end < tokens.len() => break,
                _ => {}
            }
        } else if token.is("{") {
            open += 1;
        } else if token.is("}") {
            open = open.saturating_sub(1);
            if open == 0 {
                return i + 1;
            }
        }
    }
    end
}

pub(super) fn lay(out: &mut Out, item: &[Token<'_>], starts: &BTreeSet<usize>) {
    if item.first().is_some_and(|t| t.is_word("list")) {
        return list(out, item);
    }
    let Some(open) = item.iter().position(|t| t.is("{")) else { return piece(out, item) };
    let (head, rest) = item.split_at(open + 1);
    let Some((close, body)) = rest.split_last() else { return piece(out, item) };
    let mut mark = out.mark();
    if rest.iter().all(|t| t.breaks == 0) {
        opening(out, head, Head { columns: true, broken: false });
        on_one_line(out, body, close, starts);
        if out.widest() <= COLUMNS {
            return;
        }
        out.back_to(mark);
        mark = out.mark();
    }
    opening(out, head, Head { columns: false, broken: false });
    if out.widest() > COLUMNS {
        out.back_to(mark);
        opening(out, head, Head { columns: false, broken: true });
    }
    if body.is_empty() && !out.ended() {
        return out.after(close, 0);
    }
    let sample = head.first().is_some_and(|t| t.is_word("pattern") || t.is_word("ignore"));
    clause::block(out, body, starts, sample);
    out.line(close, 0, false);
}

/// `list name [a, b]`: line breaks stay.
fn list(out: &mut Out, item: &[Token<'_>]) {
    for (i, token) in item.iter().enumerate() {
        let closes = token.is("]");
        if i == 0 {
            out.line(token, 0, true);
        } else if token.kind == TokenKind::Comment {
            out.comment(token, INDENT, false);
        } else if out.ended() || (i > 2 && token.breaks > 0 && !token.is(",")) {
            out.line(token, if closes { 0 } else { INDENT }, false);
        } else {
            out.after(token, if token.is("[") { 1 } else { blanks(item, i) });
        }
    }
}

/// `piece name /.../ /.../`
fn piece(out: &mut Out, item: &[Token<'_>]) {
    let mut column = None;
    for (i, token) in item.iter().enumerate() {
        let again = token.kind == TokenKind::Regex && column.is_some();
        if i == 0 {
            out.line(token, 0, true);
        } else if token.kind == TokenKind::Comment {
            out.comment(token, INDENT, false);
        } else if out.ended() || (again && token.breaks > 0) {
            out.line(token, column.unwrap_or(INDENT), false);
        } else {
            out.after(token, if token.breaks > 0 { 1 } else { token.gap.max(1) });
        }
        if token.kind == TokenKind::Regex {
            column.get_or_insert(out.column() - token.width());
        }
    }
}

/// How the head of a block is written.
#[derive(Clone, Copy)]
struct Head {
    /// The user aligned its blanks to columns.
    columns: bool,
    /// Each row begins a line.
    broken: bool,
}

/// `alarm name with a = 1 with a = 2 {`
fn opening(out: &mut Out, head: &[Token<'_>], how: Head) {
    // The column of the first row, to which the others are aligned.
    let mut rows: Option<usize> = None;
    let mut newest = None;
    for (i, token) in head.iter().enumerate() {
        let before = i.checked_sub(1).map(|n| &head[n]);
        // A name may be `with`: after a row's own `with` and after a comma.
        let named = before.is_some_and(|b| b.is(",")) || newest == i.checked_sub(1);
        let row = i > 1 && token.is_word("with") && !named;
        let kept = if how.columns && token.breaks == 0 { token.gap.max(1) } else { 1 };
        if i == 0 {
            out.line(token, 0, true);
        } else if token.kind == TokenKind::Comment {
            out.comment(token, INDENT, false);
        } else if row {
            if out.ended() || token.breaks > 0 || (how.broken && rows.is_some()) {
                out.line(token, rows.unwrap_or(INDENT), false);
            } else {
                out.after(token, 1);
            }
            rows.get_or_insert(out.column() - token.width());
            newest = Some(i);
        } else if token.is("{") {
            if out.ended() { out.line(token, 0, false) } else { out.after(token, kept) }
        } else if out.ended() || (token.breaks > 0 && before.is_some_and(|b| b.is(","))) {
            let within = rows.map_or(INDENT, |c| c + "with ".len());
            out.line(token, within, false);
        } else {
            out.after(token, if i == 1 { kept } else { blanks(head, i) });
        }
    }
}

/// `{ clause  clause }`: the columns of clauses stay.
fn on_one_line(out: &mut Out, body: &[Token<'_>], close: &Token<'_>, starts: &BTreeSet<usize>) {
    for (i, token) in body.iter().enumerate() {
        let between = match i {
            0 => 1,
            _ if starts.contains(&token.start) => token.gap.max(BETWEEN_CLAUSES),
            _ => blanks(body, i),
        };
        out.after(token, between);
    }
    out.after(close, usize::from(!body.is_empty()));
}
