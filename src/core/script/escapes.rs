//! Expands `\n` and `\t` in strings between backticks, which the library does not: everybody who writes `` `${n} failed:\n`
//! `` means a line feed.
//!
//! Before a script is compiled, each such escape becomes an interpolation of the library: `${"\n"}`. Line numbers stay the
//! same; columns are converted back ([`written_at`]). A backslash before a backslash is one backslash.

use std::sync::Arc;

use rhai::Position;

use crate::core::diag::{Place, Source};

/// The context of the scanner.
enum Within {
    /// Code, with the number of braces that are open in it.
    Code(usize),
    /// A string between backticks.
    Ticks,
}

/// The script as it is compiled, and the position in it of each inserted byte.
pub(super) fn expand(text: &str) -> (String, Vec<usize>) {
    let mut out = String::with_capacity(text.len());
    let mut added = Vec::new();
    let mut stack = vec![Within::Code(0)];
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match stack.last_mut() {
            Some(Within::Ticks) => {
                let escape = ["\\n", "\\t", "\\r", "\\\\"].into_iter().find(|escape| rest.starts_with(escape));
                if let Some(escape) = escape {
                    added.extend((0..5).map(|n| out.len() + n));
                    out.push_str("${\"");
                    out.push_str(escape);
                    out.push_str("\"}");
                    at += escape.len();
                    continue;
                }
                if rest.starts_with("${") {
                    stack.push(Within::Code(0));
                    2
                } else if rest.starts_with("``") {
                    2
                } else {
                    if c == '`' {
                        stack.pop();
                    }
                    c.len_utf8()
                }
            }
            Some(Within::Code(open)) => match c {
                '`' => {
                    stack.push(Within::Ticks);
                    1
                }
                '{' => {
                    *open += 1;
                    1
                }
                '}' if *open > 0 => {
                    *open -= 1;
                    1
                }
                '}' if stack.len() > 1 => {
                    stack.pop();
                    1
                }
                _ => skipped(rest),
            },
            None => c.len_utf8(),
        };
        out.push_str(&rest[..length]);
        at += length;
    }
    (out, added)
}

/// The length in bytes of the next item without code: a comment, a string, a character literal; otherwise one character.
fn skipped(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    if hashes > 0 && rest[hashes..].starts_with('"') {
        let close = format!("\"{}", "#".repeat(hashes));
        return rest[hashes + 1..].find(&close).map_or(rest.len(), |end| hashes + 1 + end + close.len());
    }
    let Some(quote @ ('"' | '\'')) = rest.chars().next() else { return rest.chars().next().map_or(0, char::len_utf8) };
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return i + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The written position of a byte of the compiled text.
pub(super) fn written_at(added: &[usize], at: usize) -> usize {
    at - added.partition_point(|byte| *byte < at)
}

/// Converts a position of the library: `length` characters from line and column on.
pub(super) fn place(source: &Arc<Source>, at: Position, length: usize) -> Place {
    let (Some(line), column) = (at.line(), at.position().unwrap_or(1)) else {
        let end = source.text.len();
        return Place { source: source.clone(), bytes: end..end };
    };
    // The library received the text with its escapes expanded.
    let (whole, added) = expand(&source.text);
    let start: usize = whole.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let begin: usize = whole[start.min(whole.len())..].chars().take(column - 1).map(char::len_utf8).sum();
    let at = written_at(&added, start + begin).min(source.text.len());
    let text = source.text.get(at..).unwrap_or_default();
    let span: usize = text.chars().take(length).take_while(|c| *c != '\n').map(char::len_utf8).sum();
    Place { source: source.clone(), bytes: at..at + span }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strings_between_backticks_change() {
        let (text, added) =
            expand("let a = `x\\n${f(\"}\\n`\") + `\\t`}`; // `\\n`\nlet b = \"\\n\"; '`'; /* ` */ #\"`\\n\"#; #{ a: `\\\\n` }");
        let want = "let a = `x${\"\\n\"}${f(\"}\\n`\") + `${\"\\t\"}`}`; // `\\n`\nlet b = \"\\n\"; '`'; /* ` */ #\"`\\n\"#; #{ a: `${\"\\\\\"}n` }";
        assert_eq!((text.as_str(), added.len()), (want, 15));
        assert_eq!(expand("`a``\\n"), ("`a``${\"\\n\"}".to_owned(), (4..9).collect()));
    }

    #[test]
    fn places_are_counted_back() {
        let source = "`a\\nb` + nobody";
        let (text, added) = expand(source);
        let at = text.find("nobody").unwrap();
        assert_eq!(written_at(&added, at), source.find("nobody").unwrap());
    }
}
