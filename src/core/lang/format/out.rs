//! Lines as they are written: where the last one stands, and where a comment goes.

use crate::core::lang::parse::{Token, TokenKind};

/// Blanks before a comment that follows something, at least.
const BEFORE_COMMENT: usize = 2;

/// The text so far. What is to come goes on in its last line.
#[derive(Default)]
pub(super) struct Out {
    text: String,
    /// Where the last line is, in characters.
    column: usize,
    indent: usize,
    /// What it began with: line and column there, if it began a line of the file as well.
    first: Option<(usize, usize)>,
    /// It can't go on: a comment or a record ends it.
    ended: bool,
    /// A block was opened by it, where no blank line follows.
    opened: bool,
    /// The widest line that ended, and that goes on, since this was last asked for.
    widest: usize,
}

/// Where [`Out::back_to`] goes.
pub(super) struct OutMark {
    bytes: usize,
    column: usize,
    indent: usize,
    first: Option<(usize, usize)>,
    ended: bool,
    opened: bool,
}

impl Out {
    /// Where it stands; [`Out::widest`] is about what follows.
    pub(super) fn mark(&mut self) -> OutMark {
        self.widest = 0;
        let Out { column, indent, first, ended, opened, .. } = *self;
        OutMark { bytes: self.text.len(), column, indent, first, ended, opened }
    }

    /// Forgets what was written since.
    pub(super) fn back_to(&mut self, mark: OutMark) {
        let OutMark { bytes, column, indent, first, ended, opened } = mark;
        self.text.truncate(bytes);
        (self.column, self.indent, self.first, self.ended, self.opened) = (column, indent, first, ended, opened);
        self.widest = 0;
    }

    /// Columns of the widest line since the last mark, comments apart.
    pub(super) fn widest(&self) -> usize {
        self.widest
    }

    pub(super) fn column(&self) -> usize {
        self.column
    }

    /// True when what follows has to begin a line.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Begins a line with a token, after a blank line if there was one and there may be.
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

    /// Goes on in the line.
    pub(super) fn after(&mut self, token: &Token<'_>, blanks: usize) {
        self.text.extend(std::iter::repeat_n(' ', blanks));
        self.column += blanks;
        self.put(token);
    }

    /// A comment: behind what it followed, as far from the line's beginning as it was, or on a line of its own.
    pub(super) fn comment(&mut self, token: &Token<'_>, indent: usize, blank: bool) {
        if token.breaks > 0 || self.ended || self.text.is_empty() {
            return self.line(token, indent, blank);
        }
        let was = match self.first {
            Some((line, column)) if line == token.line => self.indent + token.column.saturating_sub(column),
            _ => 0,
        };
        // A blank line after `{ # ...` is none too.
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
