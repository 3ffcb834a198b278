//! How much of an expression matches a text that the whole expression does not match: its longest matching beginning, and
//! where that ends.
//!
//! A beginning ends where a part of the parser's tree ends, so each is an expression of its own. If a beginning matches, all
//! shorter ones match as well, so binary search finds the longest.

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::{Ast, parse};

use crate::core::diag::lookalikes;

/// Maximum bytes of a compiled beginning.
const LIMIT: usize = 1 << 20;
/// Maximum depth of nested groups that are taken apart.
const DEPTH: usize = 4;
/// Maximum parts of an expression that are tried as characters that stand for themselves.
const SPECIAL: usize = 32;
/// Quotes that people and programs exchange for each other.
const QUOTES: &str = "\"'`\u{b4}\u{2018}\u{2019}\u{201c}\u{201d}";

/// How much of an expression matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchProgress {
    /// The longest matching beginning of the expression; empty when not even its first part matches.
    pub matched: String,
    /// The rest of the expression, which does not match after it.
    pub rest: String,
    /// Where that beginning ends in the text, in bytes.
    pub at: usize,
    /// The share of the expression that matched, in percent.
    pub share: u8,
    /// A change with which it would match.
    pub would: Option<Would>,
}

/// A change of an expression with which it matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Would {
    /// It matches if letter case is ignored.
    IgnoreCase,
    /// It matches without `^` at its beginning.
    NoStart,
    /// It matches without `$` at its end.
    NoEnd,
    /// It matches if any number of blanks may stand where it has blanks.
    OtherBlanks,
    /// It matches if its quotes may be other quotes.
    OtherQuotes,
    /// It matches if characters may stand for those that look like them: the difference.
    Lookalike(String),
    /// It matches if a part of it stands for its own characters.
    Literal { part: String, escaped: String },
}

impl Would {
    /// What to write instead.
    pub fn advice(&self) -> String {
        match self {
            Would::IgnoreCase => "only the letter case differs: write `i` behind the expression".to_owned(),
            Would::NoStart => "it stands further on in the text, and `^` wants it at the beginning".to_owned(),
            Would::NoEnd => "the text goes on behind it, and `$` wants its end".to_owned(),
            Would::OtherBlanks => {
                "only blanks differ: write `\\s*` or `\\s+` where the text has other blanks, or none".to_owned()
            }
            Would::OtherQuotes => "only the quotes differ: write those of the text, or `[\"']`".to_owned(),
            Would::Lookalike(difference) => difference.clone(),
            Would::Literal { part, escaped } => {
                format!("`{part}` stands in the text as it is, and in an expression it means something else: write `{escaped}`")
            }
        }
    }
}

/// How much of an expression matches a text that it does not match as a whole.
pub(super) fn progress(expression: &str, text: &str) -> Option<MatchProgress> {
    let (flags, body) = flags_of(expression);
    let tree = parse::Parser::new().parse(body).ok()?;
    let best = alternatives(&tree)
        .into_iter()
        .filter_map(|alternative| {
            let begin = alternative.span().start.offset;
            let found = longest(alternative, flags, body, &format!("{flags}(?:"), 1, text, DEPTH)?;
            let whole = alternative.span().end.offset - begin;
            Some((found, begin, whole))
        })
        .max_by_key(|((end, _), begin, whole)| (end - begin) * 100 / (*whole).max(1));
    let ((end, at), begin, whole) = best?;
    let share = u8::try_from((end - begin) * 100 / whole.max(1)).unwrap_or(100);
    let behind = body.get(end..begin + whole).unwrap_or_default();
    Some(MatchProgress {
        matched: body.get(begin..end)?.to_owned(),
        rest: behind.to_owned(),
        at,
        share,
        would: would(flags, body, &tree, text),
    })
}

/// Splits an expression into its leading flags and the rest.
fn flags_of(expression: &str) -> (&str, &str) {
    let is_flags = |inside: &str| !inside.is_empty() && inside.bytes().all(|b| b.is_ascii_lowercase() || b == b'U' || b == b'-');
    match expression.strip_prefix("(?").and_then(|rest| rest.split_once(')')) {
        Some((inside, behind)) if is_flags(inside) => expression.split_at(expression.len() - behind.len()),
        _ => ("", expression),
    }
}

/// The alternatives of an expression, without groups around the whole.
fn alternatives(tree: &Ast) -> Vec<&Ast> {
    match tree {
        Ast::Alternation(all) => all.asts.iter().collect(),
        Ast::Group(group) => alternatives(&group.ast),
        other => vec![other],
    }
}

fn parts(tree: &Ast) -> Vec<&Ast> {
    match tree {
        Ast::Concat(all) => all.asts.iter().collect(),
        other => vec![other],
    }
}

/// Where the longest matching beginning of a tree ends, in the expression and in the text. `before` is the expression that
/// has to match before it, with `open` unclosed groups.
fn longest(tree: &Ast, flags: &str, body: &str, before: &str, open: usize, text: &str, depth: usize) -> Option<(usize, usize)> {
    let parts = parts(tree);
    let begin = tree.span().start.offset;
    let end_of = |n: usize| n.checked_sub(1).and_then(|n| parts.get(n)).map_or(begin, |part| part.span().end.offset);
    let built = |end: usize| Some(format!("{before}{}", body.get(begin..end)?));
    let stands = |n: usize| built(end_of(n)).and_then(|whole| end_in(&whole, open, flags, text));
    let (mut least, mut most) = (0, parts.len());
    while least < most {
        let middle = (least + most).div_ceil(2);
        if stands(middle).is_some() { least = middle } else { most = middle - 1 }
    }
    let at = stands(least)?;
    let failed = parts.get(least);
    if let (Some(Ast::Group(group)), Some(depth)) = (failed, depth.checked_sub(1)) {
        let before = format!("{}(?:", built(end_of(least))?);
        let inside = alternatives(&group.ast)
            .into_iter()
            .filter_map(|alternative| {
                let found = longest(alternative, flags, body, &before, open + 1, text, depth)?;
                Some((found.0 - alternative.span().start.offset, found))
            })
            .max_by_key(|(length, _)| *length);
        if let Some((1.., found)) = inside {
            return Some(found);
        }
    }
    Some((end_of(least), at))
}

/// Where the first match of a beginning ends in the text.
fn end_in(beginning: &str, open: usize, flags: &str, text: &str) -> Option<usize> {
    let whole = format!("{beginning}{}", ")".repeat(open));
    let end = regex(&whole)?.find(text)?.end();
    if end < text.len() {
        return Some(end);
    }
    // A `.*` at its end took the rest of the text: where it could begin says more.
    let lazy = regex(&format!("(?U){whole}")).filter(|_| !flags.contains('U'));
    Some(lazy.and_then(|lazy| Some(lazy.find(text)?.end())).unwrap_or(end))
}

fn regex(text: &str) -> Option<Regex> {
    RegexBuilder::new(text).size_limit(LIMIT).build().ok()
}

fn would(flags: &str, body: &str, tree: &Ast, text: &str) -> Option<Would> {
    let matches = |flags: &str, body: &str| regex(&format!("{flags}{body}")).is_some_and(|r| r.is_match(text));
    if matches(&format!("(?i){flags}"), body) {
        return Some(Would::IgnoreCase);
    }
    if let Some(rest) = body.strip_prefix('^')
        && matches(flags, rest)
    {
        return Some(Would::NoStart);
    }
    if let Some(rest) = body.strip_suffix('$').filter(|rest| !rest.ends_with('\\'))
        && matches(flags, rest)
    {
        return Some(Would::NoEnd);
    }
    let literal = |part: &Ast| if let Ast::Literal(literal) = part { Some(literal.c) } else { None };
    // The expression with some of its parts replaced.
    let replaced = |replace: &dyn Fn(&Ast, &str) -> Option<String>| -> String {
        let of = |part: &&Ast| body.get(part.span().start.offset..part.span().end.offset).unwrap_or_default();
        parts(tree).iter().map(|part| replace(part, of(part)).unwrap_or_else(|| of(part).to_owned())).collect()
    };
    let blanks = |part: &Ast, _: &str| literal(part).filter(|c| c.is_whitespace()).map(|_| r"\s*".to_owned());
    if matches(flags, &replaced(&blanks)) {
        return Some(Would::OtherBlanks);
    }
    let quotes = |part: &Ast, _: &str| literal(part).filter(|c| QUOTES.contains(*c)).map(|_| format!("[{QUOTES}]"));
    if matches(flags, &replaced(&quotes)) {
        return Some(Would::OtherQuotes);
    }
    let alike = |text: &str| lookalikes::folded(text);
    if regex(&format!("{flags}{}", alike(body))).is_some_and(|r| r.is_match(&alike(text)))
        && let Some(difference) = lookalikes::difference(body, text)
    {
        return Some(Would::Lookalike(difference));
    }
    let special = parts(tree).into_iter().filter(|part| literal(part).is_none()).take(SPECIAL);
    special.into_iter().find_map(|own| {
        let part = body.get(own.span().start.offset..own.span().end.offset)?;
        let escaped = regex_syntax::escape(part);
        let as_it_is = |other: &Ast, _: &str| (other.span() == own.span()).then(|| escaped.clone());
        matches(flags, &replaced(&as_it_is)).then(|| Would::Literal { part: part.to_owned(), escaped: escaped.clone() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_is_found() {
        for (expression, text, matched, rest, at) in [
            ("Host (?<h>\\S+) is down", "the Host sip1 is dwn", "Host (?<h>\\S+) is d", "own", 18),
            ("^disk", "a disk", "^", "disk", 0),
            ("link .* down", "link up at last", "link .* ", "down", 11),
            ("(?i)LINK (?:gone|down)", "link dowm", "LINK (?:gone|dow", "n)", 8),
            ("a|bcd", "bcx", "bc", "d", 2),
            ("xyz", "none of it", "", "xyz", 0),
            ("peer (?<n>\\d+)$", "peer 7 x", "peer (?<n>\\d+)", "$", 6),
        ] {
            let found = progress(expression, text).unwrap();
            assert_eq!((found.matched.as_str(), found.rest.as_str(), found.at), (matched, rest, at), "{expression}");
        }
        let would = |expression, text| progress(expression, text).unwrap().would;
        assert_eq!(would("Link down", "link DOWN"), Some(Would::IgnoreCase));
        assert_eq!(would("^down", "link down"), Some(Would::NoStart));
        assert_eq!(would("down$", "down again"), Some(Would::NoEnd));
        assert_eq!(would("down\\$", "down again"), None);
        assert_eq!(would("link down $", "link down"), Some(Would::OtherBlanks));
        assert_eq!(would("user \"(?<u>\\w+)\"", "user 'ann'"), Some(Would::OtherQuotes));
        let dash = "`\u{2013}` (U+2013) stands there, and `-` is wanted".to_owned();
        assert_eq!(would("down - (?<c>\\w+)$", "link down \u{2013} again"), Some(Would::Lookalike(dash)));
        for (expression, text, part, escaped) in [
            ("code [17] (?<x>\\w+)", "code [17] failed", "[17]", "\\[17\\]"),
            ("really? yes", "really? yes", "y?", "y\\?"),
            ("price $5", "the price $5", "$", "\\$"),
            ("\\w+ (17)", "value (17)", "(17)", "\\(17\\)"),
        ] {
            let literal = Would::Literal { part: part.to_owned(), escaped: escaped.to_owned() };
            assert_eq!(would(expression, text), Some(literal), "{expression}");
        }
    }
}
