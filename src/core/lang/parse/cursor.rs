//! The position of the parser in a file: tokens ahead, depth, and the mistakes so far.
//!
//! A production that cannot continue reports why, once, and returns [`Failed`]. The owner of a commit point (a block's
//! clause, the file's item) then skips to the next place where it can continue. So one mistake gives one diagnostic.

use std::sync::Arc;

use super::later;
use super::terminal::{self, TerminalResult};
use crate::core::base::{limits, text};
use crate::core::diag::{Code, Diagnostic, Place, Source};
use crate::core::lang::ast::{At, Text, TextSpan};

/// The diagnostic exists already; the caller with the commit point skips ahead.
#[derive(Debug)]
pub(super) struct Failed;

pub(super) type Parsed<T> = Result<T, Failed>;

/// A position in a file.
pub(super) struct Cursor<'s> {
    source: &'s Arc<Source>,
    text: &'s str,
    at: usize,
    /// Number of open parentheses and `not`s in this clause.
    depth: usize,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Names in parts that were skipped.
    pub(super) mentions: Vec<String>,
    /// Pairs of a byte of the text and the byte of the file that it comes from, if the text was filled in.
    places: Vec<(usize, usize)>,
}

/// Words that begin an item of the file.
pub(super) const ITEMS: [&str; 8] = ["alarm", "pattern", "reaction", "defaults", "ignore", "piece", "list", "calendar"];

/// Words that cannot be a name without quotes (`RESERVED` in the grammar).
const RESERVED: &[&str] = &[
    "alarm", "pattern", "reaction", "defaults", "ignore", "piece", "calendar", "event", "detect", "cancel", "react", "and", "or",
    "not", "then", "without", "unless", "by", "within", "for", "over", "where", "from", "of", "in", "no", "each", "distinct",
    "when", "true", "false",
];

/// `RESERVED = "alarm" | "pattern" | "reaction" | "defaults" | "ignore" | "piece" | "calendar" | "event" | "detect" | "cancel" | "react" | "and" | "or" | "not" | "then" | "without" | "unless" | "by" | "within" | "for" | "over" | "where" | "from" | "of" | "in" | "no" | "each" | "distinct" | "when" | "true" | "false"`
pub(in crate::core::lang) fn reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

impl<'s> Cursor<'s> {
    pub(super) fn new(source: &'s Arc<Source>) -> Cursor<'s> {
        let (diagnostics, mentions, places) = (Vec::new(), Vec::new(), Vec::new());
        Cursor { source, text: &source.text, at: 0, depth: 0, diagnostics, mentions, places }
    }

    /// A cursor over a part of the file that was filled in, with the places that its bytes come from.
    pub(super) fn over<'f>(&self, text: &'f str, places: Vec<(usize, usize)>) -> Cursor<'f>
    where
        's: 'f,
    {
        let (diagnostics, mentions) = (Vec::new(), Vec::new());
        Cursor { source: self.source, text, at: 0, depth: 0, diagnostics, mentions, places }
    }

    pub(super) fn text(&self) -> &'s str {
        self.text
    }

    /// Converts a span of the text to a span of the file.
    fn in_file(&self, span: TextSpan) -> TextSpan {
        if self.places.is_empty() {
            return span;
        }
        let place = |at: usize| match self.places.partition_point(|(filled, ..)| *filled <= at).checked_sub(1) {
            Some(i) => {
                let (filled, written) = self.places[i];
                // Everything that was filled in has the place of its name.
                let ahead = self.places.get(i + 1).map_or(usize::MAX, |(_, next)| next.saturating_sub(written));
                written + (at - filled).min(ahead)
            }
            None => at,
        };
        let (start, end) = (place(span.start), place(span.end));
        start..end.max(start)
    }

    /// The text ahead, after blanks and comments.
    pub(super) fn rest(&mut self) -> &'s str {
        // Most calls stand at a token.
        if self.text[self.at..].starts_with(|c: char| c.is_ascii_graphic() && c != '#') {
            return &self.text[self.at..];
        }
        if let Ok((rest, _)) = terminal::blank(&self.text[self.at..]) {
            self.at = self.text.len() - rest.len();
        }
        &self.text[self.at..]
    }

    /// The byte at which the next token begins.
    pub(super) fn here(&mut self) -> usize {
        self.rest();
        self.at
    }

    pub(super) fn at_end(&mut self) -> bool {
        self.rest().is_empty()
    }

    /// The span from `start` to the end of the last token.
    pub(super) fn since(&self, start: usize) -> TextSpan {
        self.in_file(start..self.at.max(start))
    }

    /// Returns to a byte that [`Cursor::here`] gave.
    pub(super) fn back_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Reads a terminal if it is ahead.
    pub(super) fn take(&mut self, read: fn(&str) -> TerminalResult<'_>) -> Option<At<&'s str>> {
        let rest = self.rest();
        let (_, it) = read(rest).ok()?;
        let start = self.at;
        self.at += it.len();
        Some(At { it, span: self.in_file(start..self.at) })
    }

    /// True when the terminal is ahead.
    pub(super) fn sees(&mut self, read: fn(&str) -> TerminalResult<'_>) -> bool {
        read(self.rest()).is_ok()
    }

    /// True when the terminal is ahead. Unlike [`Cursor::sees`] it does not move the end of the last token.
    pub(super) fn follows(&self, read: fn(&str) -> TerminalResult<'_>) -> bool {
        let rest = &self.text[self.at..];
        terminal::blank(rest).is_ok_and(|(rest, _)| read(rest).is_ok())
    }

    /// The same for a word.
    pub(super) fn follows_word(&self, word: &str) -> bool {
        let rest = terminal::blank(&self.text[self.at..]).map_or("", |(rest, _)| rest);
        terminal::word(rest).is_ok_and(|(_, it)| it == word)
    }

    /// The word ahead, if there is one.
    pub(super) fn word_ahead(&mut self) -> Option<&'s str> {
        // `r"..."` is a regular expression and `GCTI-00-04561` an id.
        let rest = self.rest();
        let (_, word) = terminal::word(rest).ok()?;
        let is_other =
            word == "r" && terminal::raw_regex(rest).is_ok() || word.starts_with("GCTI-") && terminal::id(rest).is_ok();
        (!is_other).then_some(word)
    }

    pub(super) fn sees_word(&mut self, word: &str) -> bool {
        self.word_ahead() == Some(word)
    }

    /// True when these two words are ahead, in this order.
    pub(super) fn sees_words(&mut self, first: &str, second: &str) -> bool {
        let at = self.here();
        let both = self.word(first).is_some() && self.sees_word(second);
        self.at = at;
        both
    }

    pub(super) fn word(&mut self, word: &str) -> Option<TextSpan> {
        self.sees_word(word).then(|| self.take(terminal::word).map(|w| w.span))?
    }

    /// Reads this word, or reports that it is missing.
    pub(super) fn want_word(&mut self, word: &str) -> Parsed<TextSpan> {
        match self.word(word) {
            Some(span) => Ok(span),
            None => Err(self.wanted(&format!("`{word}`"))),
        }
    }

    pub(super) fn sees_symbol(&mut self, symbol: &str) -> bool {
        self.rest().starts_with(symbol)
    }

    pub(super) fn symbol(&mut self, symbol: &str) -> Option<TextSpan> {
        let found = self.rest().starts_with(symbol);
        found.then(|| {
            let start = self.at;
            self.at += symbol.len();
            self.in_file(start..self.at)
        })
    }

    /// Reads this punctuation, or reports that it is missing.
    pub(super) fn want_symbol(&mut self, symbol: &str) -> Parsed<TextSpan> {
        match self.symbol(symbol) {
            Some(span) => Ok(span),
            None => Err(self.wanted(&format!("`{symbol}`"))),
        }
    }

    pub(super) fn place(&self, span: &TextSpan) -> Place {
        Place { source: self.source.clone(), bytes: span.clone() }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports a mistake at a place.
    pub(super) fn fail(&mut self, code: Code, span: &TextSpan, message: impl Into<String>) -> Failed {
        let diagnostic = Diagnostic::new(code, self.place(span), message);
        self.report(diagnostic);
        Failed
    }

    /// As [`Cursor::fail`], with help.
    pub(super) fn fail_with(
        &mut self,
        code: Code,
        span: &TextSpan,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Failed {
        let diagnostic = Diagnostic::new(code, self.place(span), message).help(help);
        self.report(diagnostic);
        Failed
    }

    /// Reports what should be here, and what is here instead.
    pub(super) fn wanted(&mut self, what: &str) -> Failed {
        let start = self.here();
        // A string that does not end is a mistake of its own, at any place.
        if self.sees_symbol("\"") && !self.sees(terminal::string) {
            return self.broken_text();
        }
        let (found, span) = self.found();
        self.at = start;
        self.fail(Code::RuleSyntax, &span, format!("expected {what}, found {found}"))
    }

    /// As [`Cursor::wanted`], with help.
    pub(super) fn wanted_with(&mut self, what: &str, help: &str) -> Failed {
        let failed = self.wanted(what);
        if let Some(last) = self.diagnostics.last_mut() {
            last.help.get_or_insert_with(|| help.to_owned());
        }
        failed
    }

    /// Reports the string ahead, which does not end or has an unknown escape.
    pub(super) fn broken_text(&mut self) -> Failed {
        let start = self.here();
        let line = self.rest().split(['\r', '\n']).next().unwrap_or("");
        let mut chars = line.char_indices().skip(1);
        while let Some((i, c)) = chars.next() {
            if c == '\\'
                && let Some((_, escaped)) = chars.next()
                && !"\"\\nrt".contains(escaped)
            {
                let span = self.in_file(start + i..start + i + 1 + escaped.len_utf8());
                let escape = text::printable(&line[i..i + 1 + escaped.len_utf8()]);
                return self.fail_with(
                    Code::BadText,
                    &span,
                    format!("`{escape}` is not an escape of a string"),
                    "the escapes are \\\" \\\\ \\n \\r \\t; write \\\\ for a backslash",
                );
            }
        }
        let span = self.in_file(start..start + line.len());
        self.fail_with(
            Code::BadText,
            &span,
            "this string is not closed on its line",
            "close it with \"; write a line feed in it as \\n",
        )
    }

    /// What is ahead, for a message, and its span.
    fn found(&mut self) -> (String, TextSpan) {
        let start = self.here();
        let Some(token) = self.skip_token() else {
            return ("the end of the file".to_owned(), self.in_file(start..start));
        };
        let shown = text::printable_short(&self.text[token.clone()], 40);
        (format!("`{shown}`"), self.in_file(token))
    }

    /// Skips one token of any kind, and returns its span in the text.
    pub(super) fn skip_token(&mut self) -> Option<TextSpan> {
        let rest = self.rest();
        let start = self.at;
        let first = rest.chars().next()?;
        // Recovery skips megabytes of tokens, so only what can begin like this is tried. A network contains a slash that does not
        // begin an expression.
        let read: &[fn(&str) -> TerminalResult<'_>] = match first {
            '"' => &[terminal::string],
            '/' => &[terminal::regex],
            'r' => &[terminal::raw_regex, terminal::word],
            '|' => &[terminal::record],
            '-' => &[terminal::numberish],
            '0'..='9' => &[terminal::network, terminal::numberish],
            'a'..='z' | 'A'..='Z' | '_' => &[terminal::word],
            _ => &[],
        };
        if let Some(length) = read.iter().find_map(|read| read(rest).ok()).map(|(_, it)| it.len()) {
            self.at += length;
            return Some(start..self.at);
        }
        // A string with a wrong escape ends where it is closed. A string that is not closed, and a regular expression, take
        // the rest of their line.
        self.at += match first {
            '"' => closed_at(rest).unwrap_or_else(|| rest.split('\n').next().unwrap_or("").len().max(1)),
            '/' => rest.split('\n').next().unwrap_or("").len().max(1),
            '.' if rest.starts_with("..") => 2,
            _ => first.len_utf8(),
        };
        Some(start..self.at)
    }

    /// Skips a block, and returns its span in the text, braces included.
    pub(super) fn block(&mut self, named: &TextSpan) -> Parsed<TextSpan> {
        let start = self.here();
        self.want_symbol("{")?;
        let mut open = 1_usize;
        while open > 0 {
            if self.at_end() || self.sees_item() {
                return Err(self.fail_with(Code::Unclosed, named, "this block is not closed", "close it with }"));
            }
            match self.skip_token().map(|token| &self.text[token]) {
                Some("{") => open += 1,
                Some("}") => open -= 1,
                _ => {}
            }
        }
        Ok(start..self.at)
    }

    /// Increases the depth, or reports that it is too deep.
    pub(super) fn deeper(&mut self, at: &TextSpan) -> Parsed<()> {
        if self.depth == limits::NESTING {
            return Err(self.fail_with(
                Code::TooDeep,
                at,
                format!("this is nested more than {} deep", limits::NESTING),
                "name a part of it as a `pattern` and use the name here",
            ));
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) fn shallower(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// A commit point: depth counts from here.
    pub(super) fn commit(&mut self) {
        self.depth = 0;
    }

    /// True when an item of the file begins here: its word, a name, a brace.
    pub(super) fn sees_item(&mut self) -> bool {
        let at = self.here();
        let found = match self.word_ahead() {
            Some("defaults") => {
                self.skip_token();
                self.sees_symbol("{")
            }
            Some(word) if ITEMS.contains(&word) => {
                self.skip_token();
                let named = self.take(terminal::word).is_some() || self.take(terminal::string).is_some();
                let opens = match word {
                    "piece" => self.sees_symbol("/") || self.sees(terminal::raw_regex),
                    "list" => self.sees_symbol("["),
                    "alarm" => self.sees_symbol("{") || self.sees_word("with"),
                    _ => self.sees_symbol("{"),
                };
                named && opens
            }
            _ => false,
        };
        self.at = at;
        found
    }

    /// Skips to the next clause of a block, its end, or the next item. Names on the way count as mentioned.
    pub(super) fn skip_to_clause(&mut self, begins: fn(&mut Cursor<'s>) -> bool) {
        self.give_up_when_hopeless();
        let mut open = 0_usize;
        while !self.at_end() && !self.sees_item() {
            if open == 0 && (self.sees_symbol("}") || begins(self)) {
                return;
            }
            if self.symbol("(").is_some() || self.symbol("[").is_some() || self.symbol("{").is_some() {
                open += 1;
            } else if self.symbol(")").is_some() || self.symbol("]").is_some() || self.symbol("}").is_some() {
                open = open.saturating_sub(1);
            } else {
                self.skip_mentioned();
            }
        }
    }

    /// Skips to the next item of the file.
    pub(super) fn skip_to_item(&mut self) {
        self.give_up_when_hopeless();
        while !self.at_end() && !self.sees_item() {
            self.skip_mentioned();
        }
    }

    fn skip_mentioned(&mut self) {
        if let Some(token) = self.skip_token() {
            let text = &self.text[token];
            if text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !reserved(text) && !later::WORDS.contains(&text)
            {
                self.mentions.push(text.to_owned());
            } else if terminal::string(text).is_ok() && text.len() > 2 {
                self.mentions.push(text[1..text.len() - 1].to_owned());
            }
        }
    }

    /// Stops reading the file after too many mistakes.
    fn give_up_when_hopeless(&mut self) {
        if self.diagnostics.len() >= limits::MISTAKES_PER_FILE && !self.at_end() {
            let start = self.at;
            self.at = self.text.len();
            let span = self.in_file(start..start);
            self.fail(
                Code::RuleSyntax,
                &span,
                format!("more than {} errors: the rest of this file was not read", limits::MISTAKES_PER_FILE),
            );
        }
    }

    /// A word with its span, from a token.
    pub(super) fn own(token: At<&str>) -> Text {
        At { it: token.it.to_owned(), span: token.span }
    }
}

/// Where a string that begins here is closed on its line, whatever escapes it has.
pub(super) fn closed_at(text: &str) -> Option<usize> {
    let line = text.split('\n').next()?;
    let mut escaped = false;
    for (i, c) in line.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(i + 1),
            _ => {}
        }
    }
    None
}
