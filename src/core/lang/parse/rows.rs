//! One text for many alarms: the block is read once for each row, with `${name}` filled in.
//!
//! Spans are those of the block as it was written: what was filled in has the span of its `${name}`.

use std::collections::BTreeSet;

use crate::core::base::limits;
use crate::core::diag::Code;
use crate::core::diag::suggest::nearest;
use crate::core::lang::ast::{AlarmSyntax, At, Binding, Text};

use super::cursor::{Cursor, Parsed};

/// A value that a row fills in.
struct Filling {
    /// `${name}`.
    mark: String,
    /// The value as it was written; a string is without its quotes.
    value: String,
    name: Text,
}

/// The alarms of a block, one for each row; `one` reads the block.
pub(super) fn filled(
    c: &mut Cursor<'_>,
    name: &Text,
    rows: &[At<Vec<Binding>>],
    one: impl Fn(&mut Cursor<'_>, Text) -> Parsed<AlarmSyntax>,
) -> Parsed<Vec<AlarmSyntax>> {
    fit(c, name, rows)?;
    let rows: Vec<Vec<Filling>> = rows.iter().map(|row| row.it.iter().map(|b| filling(c, b)).collect()).collect();
    let block = c.block(&name.span)?;
    let text = &c.text()[block.clone()];
    let filled = |f: &Filling| text.matches(f.mark.as_str()).count().saturating_mul(f.value.len());
    let size = |row: &Vec<Filling>| row.iter().map(filled).fold(text.len(), usize::saturating_add);
    if rows.iter().map(size).fold(0, usize::saturating_add) > limits::FILLED_BYTES {
        let message = format!("with its rows this block has more than {} bytes, which is the limit", limits::FILLED_BYTES);
        return Err(c.fail_with(
            Code::BadRow,
            &name.span,
            message,
            "use fewer rows, or several alarms; write what several of them need in a pattern",
        ));
    }
    let mut alarms = Vec::new();
    let mut mistakes = Vec::new();
    for row in &rows {
        let (body, places) = fill(text, block.start, row);
        let mut inner = c.over(&body, places);
        let (called, _) = fill(&name.it, 0, row);
        alarms.extend(one(&mut inner, At { it: called, span: name.span.clone() }));
        c.mentions.extend(inner.mentions);
        // A mistake of the block is the same in all rows.
        let new: Vec<_> = inner.diagnostics.into_iter().filter(|d| !mistakes.contains(d)).collect();
        mistakes.extend(new);
    }
    mistakes.into_iter().for_each(|d| c.report(d));
    let known: Vec<&str> = rows.first().into_iter().flatten().map(|f| f.name.it.as_str()).collect();
    unfilled(c, text, block.start, &known);
    for Filling { mark, name: value, .. } in rows.first().into_iter().flatten() {
        if !text.contains(mark) && !name.it.contains(mark) {
            let message = format!("no part of `{}` uses the column `{}`", name.it, value.it);
            c.fail_with(Code::BadRow, &value.span, message, format!("write {mark} where its value belongs"));
        }
    }
    Ok(alarms)
}

/// Reports `${x}` that no row fills in. In an expression it is a piece and is not reported.
fn unfilled(c: &mut Cursor<'_>, text: &str, start: usize, known: &[&str]) {
    let mut reported = BTreeSet::new();
    for token in
        super::tokens(text).into_iter().filter(|t| t.kind != super::TokenKind::Regex && t.kind != super::TokenKind::Comment)
    {
        let marks = token.text.match_indices("${").filter_map(|(at, _)| Some((at, token.text[at + 2..].split_once('}')?.0)));
        for (at, name) in marks {
            let is_name = !name.is_empty() && name.chars().all(|ch| ch.is_ascii_alphanumeric() || "_.-".contains(ch));
            if !is_name || known.contains(&name) || !reported.insert(name.to_owned()) {
                continue;
            }
            let from = start + token.start + at;
            let help = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean ${{{near}}}?"),
                None => format!("the rows have the columns {}", known.join(", ")),
            };
            c.fail_with(Code::BadRow, &(from..from + name.len() + 3), format!("the rows have no column for ${{{name}}}"), help);
        }
    }
}

/// Checks that every row has the names of the first row, each once.
fn fit(c: &mut Cursor<'_>, name: &Text, rows: &[At<Vec<Binding>>]) -> Parsed<()> {
    if rows.len() > limits::ROWS {
        return Err(c.fail(Code::BadRow, &name.span, format!("an alarm has at most {} rows", limits::ROWS)));
    }
    let names = |row: &At<Vec<Binding>>| row.it.iter().map(|b| b.name.it.clone()).collect::<BTreeSet<_>>();
    let first = rows.first().map(names).unwrap_or_default();
    for row in rows {
        if names(row) != first || first.len() != row.it.len() {
            return Err(c.fail(Code::BadRow, &row.span, "every row must have the columns of the first row, each once"));
        }
    }
    Ok(())
}

fn filling(c: &Cursor<'_>, binding: &Binding) -> Filling {
    let written = c.text().get(binding.value.span.clone()).unwrap_or_default().trim();
    let inner = written.strip_prefix('"').and_then(|w| w.strip_suffix('"'));
    Filling { mark: format!("${{{}}}", binding.name.it), value: inner.unwrap_or(written).to_owned(), name: binding.name.clone() }
}

/// The text with a row filled in, and for its bytes the bytes of the file that they come from. What no row names stays.
fn fill(text: &str, start: usize, row: &[Filling]) -> (String, Vec<(usize, usize)>) {
    let mut filled = String::with_capacity(text.len());
    let mut places = vec![(0, start)];
    let mut at = 0;
    while let Some(next) = text[at..].find("${").map(|i| at + i) {
        filled.push_str(&text[at..next]);
        match row.iter().find(|f| text[next..].starts_with(&f.mark)) {
            Some(found) => {
                places.push((filled.len(), start + next));
                filled.push_str(&found.value);
                at = next + found.mark.len();
                places.push((filled.len(), start + at));
            }
            None => {
                filled.push_str("${");
                at = next + 2;
            }
        }
    }
    filled.push_str(&text[at..]);
    (filled, places)
}
