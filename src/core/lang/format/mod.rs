//! Formats rule files: from a text to the same text with other blanks, or to the mistakes in it.
//!
//! ```text
//!   text --parse--> tree: where clauses begin --\
//!        \--tokens, comments among them ----------> items --> clauses --> lines --> text --parse--> the same tree?
//! ```
//!
//! A clause has its own line, indented by four blanks, and its value is aligned with those of its block. A block on one line
//! stays on one line while it fits. Line breaks within a clause, and columns of blocks on one line, stay. Strings,
//! expressions, records and comments do not change, no token is lost, and the order of tokens stays the same.
//!
//! This module does not know names, types or the meaning of clauses. Tests: `tests/it/format.rs` with `tests/format/`.

mod clause;
mod item;
mod out;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::core::base::limits::RULE_FILE_BYTES;
use crate::core::diag::{Code, Diagnostic, Source, has_errors};

use super::ast::{At, File, Item};
use super::parse::{TokenKind, parse, tokens};
use out::Out;

/// Returns the formatted file, or the mistakes that prevent reading it.
pub fn formatted(source: &Arc<Source>) -> Result<String, Vec<Diagnostic>> {
    let (tree, found) = parse(source);
    if has_errors(&found) {
        return Err(found);
    }
    let starts = clauses(&tree);
    let all = tokens(&source.text);
    let mut out = Out::default();
    let mut rest = all.as_slice();
    while let Some(first) = rest.first() {
        let length = if first.kind == TokenKind::Comment { 1 } else { item::length(rest) };
        let (one, after) = rest.split_at(length);
        if first.kind == TokenKind::Comment {
            out.comment(first, 0, true)
        } else {
            item::lay(&mut out, one, &starts)
        }
        rest = after;
    }
    let text = out.end();
    if text.len() > RULE_FILE_BYTES {
        let message =
            format!("{} would have more than {RULE_FILE_BYTES} bytes after formatting: it is left unchanged", source.name);
        return Err(vec![Diagnostic::whole(Code::RuleFileTooLarge, message).help("split it")]);
    }
    let (again, _) = parse(&Arc::new(Source { name: source.name.clone(), text: text.clone() }));
    // What a row fills in may open a string or a comment; then a blank of the block is significant.
    if again.items != tree.items {
        let message = format!("{} is left unchanged: with its rows filled in, its meaning would change", source.name);
        let help = "let rows fill in whole strings, expressions and records, not the beginning of one";
        return Err(vec![Diagnostic::whole(Code::BadRow, message).help(help)]);
    }
    Ok(text)
}

/// The bytes at which clauses begin.
fn clauses(tree: &File) -> BTreeSet<usize> {
    fn begin<T>(clauses: &[At<T>]) -> Vec<usize> {
        clauses.iter().map(|c| c.span.start).collect()
    }
    let of = |item: &Item| match item {
        Item::Alarm(alarm) => begin(&alarm.clauses),
        Item::Defaults(clauses) => begin(clauses),
        Item::Pattern(pattern) | Item::Ignore(pattern) => begin(&pattern.clauses),
        Item::Reaction(reaction) => begin(&reaction.clauses),
        Item::Calendar(calendar) => begin(&calendar.clauses),
        Item::Piece(_) | Item::List(_) => Vec::new(),
    };
    tree.items.iter().flat_map(of).collect()
}
