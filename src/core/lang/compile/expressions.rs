//! Regular expressions: fills in pieces, gives captures types, compiles within limits.
//!
//! `${name}` stands for a piece, `(?<field:name>)` captures one; the built-in pieces are the types of captures. Groups may
//! share a name. The library requires unique names, so later groups get a number, and the field keeps the name.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::core::base::limits::{EXPRESSION_BYTES, NESTING, REGEX_BYTES, REGEX_BYTES_ALL};
use crate::core::diag::Code;
use crate::core::diag::suggest::{did_you_mean, nearest};
use crate::core::event::BuiltIn;
use crate::core::lang::ast::{At, File, Piece, Regex, TextSpan};
use crate::core::lang::expression::{Expression, Refused};
use crate::core::lang::program::{Capture, CaptureKind, FieldRegex};

use super::Compiler;

/// Built-in pieces: name, expression, and the type of a capture.
const TYPES: &[(&str, &str, CaptureKind)] = &[
    ("int", r"[-+]?\d+", CaptureKind::Number),
    ("number", r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?", CaptureKind::Number),
    (
        "ip",
        r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{1,4})?|(?:\d{1,3}\.){3}\d{1,3}",
        CaptureKind::Address,
    ),
    ("host", r"[0-9A-Za-z_](?:[0-9A-Za-z_.:-]*[0-9A-Za-z_])?|::[0-9A-Fa-f:]*", CaptureKind::Host),
    ("app", r"[0-9A-Za-z_](?:[0-9A-Za-z_.@-]*[0-9A-Za-z_])?", CaptureKind::App),
    ("site", r"[0-9A-Za-z_](?:[0-9A-Za-z_.-]*[0-9A-Za-z_])?", CaptureKind::Text),
    ("word", r"\S+", CaptureKind::Text),
    ("duration", r"(?:\d+(?:\.\d+)?(?:ns|us|µs|μs|min|ms|[smhdw]))+", CaptureKind::Text),
    ("size", r"\d+(?:\.\d+)?(?:[kKMGT]i?B?|B)?", CaptureKind::Text),
];

/// An expression on its way to the library's form.
#[derive(Default)]
struct Filled {
    text: String,
    /// The groups so far: the library's name, the field's name, and the type.
    groups: Vec<(String, String, CaptureKind)>,
    taken: BTreeSet<String>,
    /// Pairs of a byte of `text` and the byte of the written expression that it comes from.
    places: Vec<(usize, usize)>,
}

/// Why an expression cannot be filled in: code, message, help.
type Unfilled = (Code, String, Option<String>);

impl<'t> Compiler<'t, '_> {
    /// Compiles all pieces. An unused piece is compiled as well, so that its mistakes are reported.
    pub(super) fn pieces(&mut self, trees: &'t [File]) {
        for (file, piece) in super::pieces_of(trees) {
            if TYPES.iter().any(|(name, ..)| *name == piece.name.it) {
                let message = format!("`{}` is a built-in type", piece.name.it);
                self.report(file, Code::DuplicateName, &piece.name.span, message);
            } else if let Some((first, other)) = self.pieces.get(piece.name.it.as_str()).copied() {
                let first = first.place(&other.name.span);
                self.twice(file, &piece.name, "pieces", first);
            } else {
                self.pieces.insert(&piece.name.it, (file, piece));
            }
        }
        let all: Vec<(&File, &Piece)> = self.pieces.values().copied().collect();
        for (file, piece) in all {
            self.compiled(file, &piece.regex, false, true);
        }
    }

    /// A compiled expression with its captures, or a diagnostic at the exact character if that can be found.
    pub(super) fn field_regex(&mut self, file: &File, regex: &Regex, field: String) -> Option<FieldRegex> {
        let (regex, captures) = self.compiled(file, regex, true, false)?;
        Some(FieldRegex { field, regex, captures })
    }

    /// The same, where nothing is captured.
    pub(super) fn regex(&mut self, file: &File, regex: &Regex, captures: bool) -> Option<Arc<Expression>> {
        self.compiled(file, regex, captures, false).map(|(regex, _)| regex)
    }

    fn compiled(&mut self, file: &File, regex: &Regex, captures: bool, piece: bool) -> Option<(Arc<Expression>, Vec<Capture>)> {
        let text = joined(regex);
        let mut filled = Filled::default();
        if let Err((at, (code, message, help))) = self.fill(&text, &mut filled, 0) {
            self.report(file, code, &within(regex, at), message).help = help;
            return None;
        }
        // The flags are in the expression itself, so that the matcher, which parses it again, sees them.
        let whole = format!("{}{}", flags(regex), filled.text);
        if self.regex_bytes > REGEX_BYTES_ALL {
            return None; // This was reported already.
        }
        match Expression::parsed(&whole, REGEX_BYTES) {
            Ok((built, hir)) => {
                if !self.room_for(file, regex, &hir) {
                    return None;
                }
                let built = Arc::new(built.written_as(as_written(regex, &text)));
                let groups = filled.groups.into_iter();
                let found: Vec<Capture> = groups.map(|(group, name, kind)| Capture { name, group, kind }).collect();
                let hidden: BTreeSet<&str> =
                    found.iter().map(|c| c.name.as_str()).filter(|n| captures && BuiltIn::is_fixed(n)).collect();
                for name in hidden {
                    let message = format!("every event already has a field `{name}`, so this capture is never seen");
                    self.report(file, Code::HiddenCapture, &regex.span, message).help = Some("give it another name".to_owned());
                }
                // What a piece alone matches says nothing.
                if !piece {
                    self.expression(file, regex, &built, &hir);
                }
                Some((built, found))
            }
            Err(Refused::TooLarge) => {
                let message = format!("this regular expression takes more than {REGEX_BYTES} bytes when compiled");
                let help =
                    "bounded repeats of large character classes multiply: shorten them, or use several patterns".to_owned();
                self.report(file, Code::RegexTooLarge, &regex.span, message).help = Some(help);
                None
            }
            Err(Refused::Wrong) => {
                let (message, at) = why(&filled.text);
                let span = at.map_or(regex.span.clone(), |at| within(regex, filled.as_written(at)));
                self.report(file, Code::BadRegex, &span, format!("the regular expression is not valid: {message}")).help =
                    instead(&filled.text, at).map(str::to_owned);
                None
            }
        }
    }

    /// Fills in pieces from the first byte to the last. The error has the place and the reason.
    fn fill(&mut self, text: &str, filled: &mut Filled, depth: usize) -> Result<(), (usize, Unfilled)> {
        let mut at = 0;
        let mut classes = 0_usize;
        while let Some(c) = text[at..].chars().next() {
            let rest = &text[at..];
            let mut end = at + c.len_utf8();
            if depth == 0 {
                filled.places.push((filled.text.len(), at));
            }
            if filled.text.len() > EXPRESSION_BYTES {
                let message = format!(
                    "with its pieces this regular expression is longer than {EXPRESSION_BYTES} bytes, which is the limit"
                );
                let help = "use several `match` clauses or several patterns instead".to_owned();
                return Err((at, (Code::RegexTooLarge, message, Some(help))));
            }
            match c {
                '\\' => {
                    end += text[end..].chars().next().map_or(0, char::len_utf8);
                    filled.text.push_str(&text[at..end]);
                }
                '[' => {
                    classes += 1;
                    // A bracket directly at the beginning belongs to the class.
                    for first in ["[^]", "[]"] {
                        if rest.starts_with(first) && classes == 1 {
                            end = at + first.len();
                        }
                    }
                    filled.text.push_str(&text[at..end]);
                }
                ']' => {
                    classes = classes.saturating_sub(1);
                    filled.text.push(c);
                }
                '$' if classes == 0 && named(rest, "${", '}').is_some() => {
                    let name = named(rest, "${", '}').unwrap_or_default();
                    end = at + name.len() + 3;
                    filled.text.push_str("(?:");
                    self.piece(name, filled, depth).map_err(|why| (at, why))?;
                    filled.text.push(')');
                }
                '(' if classes == 0 && capture(rest).is_some() => {
                    let (name, of, length) = capture(rest).unwrap_or_default();
                    end = at + length;
                    let kind = of.and_then(|of| TYPES.iter().find(|(t, ..)| *t == of)).map_or(CaptureKind::Text, |t| t.2);
                    let unique = filled.unique(name);
                    filled.text.push_str("(?<");
                    filled.text.push_str(&unique);
                    filled.text.push('>');
                    filled.groups.push((unique, name.to_owned(), kind));
                    // Without an expression of its own it captures the piece.
                    if let Some(of) = of {
                        if kind == CaptureKind::Text && self.expression_of(of).is_none() {
                            return Err((at, self.unknown_piece(of, true)));
                        }
                        if text[end..].starts_with(')') {
                            self.piece(of, filled, depth).map_err(|why| (at, why))?;
                        }
                    }
                }
                other => filled.text.push(other),
            }
            at = end;
        }
        Ok(())
    }

    fn piece(&mut self, name: &str, filled: &mut Filled, depth: usize) -> Result<(), Unfilled> {
        if depth >= NESTING {
            let message = format!("the piece `{name}` contains itself, or is nested deeper than {NESTING}");
            return Err((Code::PieceInItself, message, None));
        }
        let Some((flags, text)) = self.expression_of(name) else { return Err(self.unknown_piece(name, false)) };
        self.used_pieces.insert(name.to_owned());
        if !flags.is_empty() {
            filled.text.push_str(flags);
        }
        self.fill(&text, filled, depth + 1).map_err(|(_, why)| why)
    }

    fn expression_of(&self, name: &str) -> Option<(&'static str, String)> {
        match self.pieces.get(name) {
            Some((_, piece)) => Some((flags(&piece.regex), joined(&piece.regex))),
            None => TYPES.iter().find(|(t, ..)| *t == name).map(|(_, text, _)| ("", (*text).to_owned())),
        }
    }

    fn unknown_piece(&self, name: &str, field: bool) -> Unfilled {
        let known: Vec<&str> = self.pieces.keys().copied().chain(TYPES.iter().map(|(name, ..)| *name)).collect();
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => did_you_mean(near),
            None if field => {
                let types: Vec<&str> = TYPES.iter().map(|(name, ..)| *name).collect();
                format!("a capture has a type ({}) or the name of a piece: write piece {name} /.../", types.join(", "))
            }
            None => format!("write piece {name} /.../; write a dollar sign and a brace as \\$\\{{"),
        };
        (Code::UnknownPiece, format!("there is no piece `{name}`"), Some(help))
    }
}

impl Filled {
    /// A group name that no other group of the expression has.
    fn unique(&mut self, name: &str) -> String {
        let mut unique = name.to_owned();
        let mut n = 2;
        while !self.taken.insert(unique.clone()) {
            unique = format!("{name}.{n}");
            n += 1;
        }
        unique
    }

    /// The byte of the written expression that a byte of the filled expression comes from.
    fn as_written(&self, at: usize) -> usize {
        let after = self.places.partition_point(|(filled, _)| *filled <= at);
        after.checked_sub(1).and_then(|i| self.places.get(i)).map_or(0, |(_, written)| *written)
    }
}

/// The names that an expression captures, pieces not filled in.
pub(super) fn captured(regex: &Regex) -> Vec<String> {
    let text = joined(regex);
    let starts = text.match_indices('(').filter_map(|(at, _)| capture(&text[at..]));
    starts.map(|(name, ..)| name.to_owned()).collect()
}

fn joined(regex: &Regex) -> String {
    regex.pieces.iter().map(|p| p.it.as_str()).collect()
}

/// An expression as the rule has it, in slashes and with its flags.
fn as_written(regex: &Regex, text: &str) -> String {
    let flags = [(regex.ignore_case, "i"), (regex.dot_all, "s")].map(|(is, flag)| if is { flag } else { "" });
    format!("/{}/{}", text.replace('/', "\\/"), flags.concat())
}

fn flags(regex: &Regex) -> &'static str {
    match (regex.ignore_case, regex.dot_all) {
        (false, false) => "",
        (true, false) => "(?i)",
        (false, true) => "(?s)",
        (true, true) => "(?is)",
    }
}

/// The name between an opening and a closing mark.
fn named<'a>(text: &'a str, open: &str, close: char) -> Option<&'a str> {
    let (name, _) = text.strip_prefix(open)?.split_once(close)?;
    let word = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(word)).then_some(name)
}

/// A named group that begins here: its name, its type, and the length of its beginning.
fn capture(text: &str) -> Option<(&str, Option<&str>, usize)> {
    let open = ["(?<", "(?P<"].into_iter().find(|open| text.starts_with(open))?;
    let (inner, _) = text[open.len()..].split_once('>')?;
    let length = open.len() + inner.len() + 1;
    let (name, of) = match inner.split_once(':') {
        Some((name, of)) => (name, Some(of)),
        None => (inner, None),
    };
    (!name.is_empty() && !name.starts_with(['=', '!'])).then_some((name, of, length))
}

/// Why the library refuses an expression, in its words, and at which byte.
fn why(text: &str) -> (String, Option<usize>) {
    match regex_syntax::ast::parse::Parser::new().parse(text) {
        Err(e) => (e.kind().to_string(), Some(e.span().start.offset)),
        Ok(_) => match regex_syntax::parse(text) {
            Err(regex_syntax::Error::Translate(e)) => (e.kind().to_string(), Some(e.span().start.offset)),
            Err(e) => (e.to_string(), None),
            Ok(_) => ("it can't be compiled".to_owned(), None),
        },
    }
}

/// Suggests a replacement for features of other libraries which this one, with its linear time, does not have.
fn instead(text: &str, at: Option<usize>) -> Option<&'static str> {
    let rest = text.get(at?..)?;
    let not = "if a text must not be there, write a second test: `match /A/ where not text ~ /B/`, or `where text !~ /B/`";
    let also = "if a further text must be there, write a second test: `match /A/ where text ~ /B/`; text around a capture can be in the expression itself, outside the capture";
    [
        ("(?!", not),
        ("(?<!", not),
        ("(?=", also),
        ("(?<=", also),
        ("(?>", "write (?:...): no expression backtracks here, so there is nothing to prevent"),
        ("(?(", "write both ways, (A|B), or two patterns joined by `or`"),
        ("(?R", "an expression cannot contain itself; a named part is a `piece`: ${name}"),
        ("\\", "a group cannot be referred to by its number: capture both, (?<a>...) and (?<b>...), and write `where a == b`"),
    ]
    .into_iter()
    .find_map(|(begins, help)| rest.starts_with(begins).then_some(help))
}

/// The place in the file of a byte of the joined expression. Escaped slashes before it shift it; it is close enough for a
/// caret.
fn within(regex: &Regex, at: usize) -> TextSpan {
    let mut left = at;
    for At { it, span } in &regex.pieces {
        if left < it.len() {
            let start = (span.start + left).min(span.end.saturating_sub(1));
            return start..start + 1;
        }
        left -= it.len();
    }
    regex.span.clone()
}
