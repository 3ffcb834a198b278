//! The tokens of a file, comments included, for the formatter.
//!
//! The parser asks for the terminal that it wants, so a token here may be several of its terminals (`00-04560..00-04563`),
//! but none of its terminals is ever several tokens. In the block of an alarm with rows this holds except for what a row
//! fills in.

use nom::Parser;
use nom::bytes::complete::tag;
use nom::combinator::recognize;

use super::terminal::{self, TerminalResult};

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core::lang) enum TokenKind {
    /// A word, a number, an address.
    Word,
    /// `"..."`.
    Text,
    /// `/.../`, `r"..."`.
    Regex,
    /// `# ...`: what follows is on another line.
    Comment,
    /// `| ...`, and text that cannot be read before a row fills it in: what follows is on another line.
    Record,
    /// `${name}`.
    Mark,
    /// A comparison or punctuation.
    Symbol,
    Other,
}

/// A token and its place.
#[derive(Clone, Copy, Debug)]
pub(in crate::core::lang) struct Token<'s> {
    pub(in crate::core::lang) kind: TokenKind,
    /// Its text; a comment is without blanks at its end.
    pub(in crate::core::lang) text: &'s str,
    /// Its first byte in the file.
    pub(in crate::core::lang) start: usize,
    /// Its line, and its column in characters; both from 0.
    pub(in crate::core::lang) line: usize,
    pub(in crate::core::lang) column: usize,
    /// Line feeds between the previous token and this one.
    pub(in crate::core::lang) breaks: usize,
    /// Blanks between them, if they are on one line.
    pub(in crate::core::lang) gap: usize,
}

impl Token<'_> {
    pub(in crate::core::lang) fn width(&self) -> usize {
        self.text.chars().count()
    }

    pub(in crate::core::lang) fn is(&self, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text == symbol
    }

    pub(in crate::core::lang) fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text == word
    }

    /// True when what follows has to be on another line.
    pub(in crate::core::lang) fn ends_line(&self) -> bool {
        matches!(self.kind, TokenKind::Comment | TokenKind::Record)
    }
}

/// All tokens of a text.
pub(in crate::core::lang) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut all = Vec::new();
    let (mut at, mut line, mut column) = (0, 0, 0);
    let (mut breaks, mut gap) = (0, 0);
    while let Some(c) = text[at..].chars().next() {
        match c {
            '\n' => (line, column, breaks, gap) = (line + 1, 0, breaks + 1, 0),
            ' ' | '\t' => (column, gap) = (column + 1, gap + 1),
            // Both are blanks to the language, and invisible in an editor.
            '\r' | '\u{FEFF}' => {}
            _ => {
                let (kind, length) = one(&text[at..]);
                let read = &text[at..at + length];
                // A carriage return before the line feed belongs to neither.
                let text = match kind {
                    TokenKind::Comment => read.trim_end_matches([' ', '\t', '\r']),
                    TokenKind::Record => read.trim_end_matches('\r'),
                    _ => read,
                };
                all.push(Token { kind, text, start: at, line, column, breaks, gap });
                (at, column, breaks, gap) = (at + length, column + read.chars().count(), 0, 0);
                continue;
            }
        }
        at += c.len_utf8();
    }
    all
}

/// The kind and the length of the first token of a text.
fn one(text: &str) -> (TokenKind, usize) {
    type Reader = fn(&str) -> TerminalResult<'_>;
    const READERS: [(Reader, TokenKind); 11] = [
        (terminal::string, TokenKind::Text),
        (terminal::regex, TokenKind::Regex),
        (terminal::raw_regex, TokenKind::Regex),
        (terminal::network, TokenKind::Word),
        (terminal::time, TokenKind::Word),
        (terminal::word, TokenKind::Word),
        (terminal::numberish, TokenKind::Word),
        (terminal::record, TokenKind::Record),
        (terminal::comparison, TokenKind::Symbol),
        (mark, TokenKind::Mark),
        (symbol, TokenKind::Symbol),
    ];
    if let Some((kind, read)) = READERS.into_iter().find_map(|(read, kind)| Some((kind, read(text).ok()?.1))) {
        return (kind, read.len());
    }
    let line = text.find('\n').unwrap_or(text.len());
    match text.chars().next() {
        Some('#') => (TokenKind::Comment, line),
        // The parser skips them in the same way.
        Some('"') => super::cursor::closed_at(text).map_or((TokenKind::Record, line), |end| (TokenKind::Text, end)),
        Some('/') => (TokenKind::Record, line),
        c => (TokenKind::Other, c.map_or(0, char::len_utf8)),
    }
}

fn mark(i: &str) -> TerminalResult<'_> {
    recognize((tag("${"), terminal::word, tag("}"))).parse(i)
}

fn symbol(i: &str) -> TerminalResult<'_> {
    let two = ["!~", ".."].into_iter().find(|s| i.starts_with(s));
    let length = two.map_or_else(|| usize::from(i.starts_with(['~', '=', ',', '(', ')', '[', ']', '{', '}'])), str::len);
    if length == 0 { tag("=").parse(i) } else { Ok((&i[length..], &i[..length])) }
}
