//! The output of the formatter: the position in the last line, and the places of comments.

use crate::core::lang::parse::{Token, TokenKind};

/// Minimum blanks before a comment that follows something.
const BEFORE_COMMENT: usize = 2;

/// The text so far. Further output continues its last line.
#[derive(Default)]
pub(super) struct Out {
    text: String,
    /// The column in the last line, in characters.
    column: usize,
    indent: usize,
    /// The line and the column in the file of its first token, if that began a line of the file as well.
    first: Option<(usize, usize)>,
    /// The line cannot continue, because it ends with a comment or a record.
    ended: bool,
    /// The line opened a block; no blank line follows it.
    opened: bool,
    /// The width of the widest line since the last mark, the current line included.
    widest: usize,
}

/// A position to which [`Out::back_to`] returns.
pub(super) struct OutMark {
    bytes: usize,
    column: usize,
    indent: usize,
    first: Option<(usize, usize)>,
    ended: bool,
    opened: bool,
}

impl Out {
    /// Marks the current position, and resets [`Out::widest`].
    pub(super) fn mark(&mut self) -> OutMark {
        self.widest = 0;
        let Out { column, indent, first, ended, opened, .. } = *self;
        OutMark { bytes: self.text.len(), column, indent, first, ended, opened }
    }

    /// Removes what was written since the mark.
    pub(super) fn back_to(&mut self, mark: OutMark) {
        let OutMark { bytes, column, indent, first, ended, opened } = mark;
        self.text.truncate(bytes);
        (self.column, self.indent, self.first, self.ended, self.opened) = (column, indent, first, ended, opened);
        self.widest = 0;
    }

    /// Columns of the widest line since the last mark, without comments.
    pub(super) fn widest(&self) -> usize {
        self.widest
    }

    pub(super) fn column(&self) -> usize {
        self.column
    }

    /// True when what follows has to begin a new line.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Begins a line with a token, after a blank line if there was one and one is allowed.
    pub(super) fn line(&mut self, token: &Token<'_>, indent: usize, blank: bool) {
        let begins = token.breaks > 0 || self.text.is_empty();
        if !self.text.is_empty() {
            self.text.push('\n');
            if blank && token.breaks > 1 && !self.opened {
                self.text.push('\n');
            }
        }
        self.text.extend(std::iter::repeat_n(' ', indent));
        (self.column, self.indent) = (indent, indent);
        self.first = begins.then_some((token.line, token.column));
        self.put(token);
    }

    /// Continues the line with a token.
    pub(super) fn after(&mut self, token: &Token<'_>, blanks: usize) {
        self.text.extend(std::iter::repeat_n(' ', blanks));
        self.column += blanks;
        self.put(token);
    }

    /// Writes a comment after the token that it followed, at its old distance from the beginning of the line, or on a line of
    /// its own.
    pub(super) fn comment(&mut self, token: &Token<'_>, indent: usize, blank: bool) {
        if token.breaks > 0 || self.ended || self.text.is_empty() {
            return self.line(token, indent, blank);
        }
        let was = match self.first {
            Some((line, column)) if line == token.line => self.indent + token.column.saturating_sub(column),
            _ => 0,
        };
        // After `{ # ...` there is no blank line either.
        let opened = self.opened;
        self.after(token, was.saturating_sub(self.column).max(BEFORE_COMMENT));
        self.opened = opened;
    }

    /// The whole text, its last line ended.
    pub(super) fn end(mut self) -> String {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text
    }

    fn put(&mut self, token: &Token<'_>) {
        self.text.push_str(token.text);
        self.column += token.width();
        self.ended = token.ends_line();
        self.opened = token.is("{");
        if token.kind != TokenKind::Comment {
            self.widest = self.widest.max(self.column);
        }
    }
}
