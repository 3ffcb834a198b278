//! Checks of regular expressions: those that match no text, those that match every text, and those that cost more than
//! necessary.
//!
//! They use the library's own tree, which has the minimum length of a match and the anchors that a part needs at its edges.

use regex_syntax::hir::{Capture, Class, Dot, Hir, HirKind, Look};

use crate::core::base::limits::{REGEX_BYTES, REGEX_BYTES_ALL, REGEX_BYTES_WISE};
use crate::core::diag::Code;
use crate::core::lang::ast::{File, Regex};
use crate::core::lang::compile::Compiler;
use crate::core::lang::expression::Expression;

impl Compiler<'_, '_> {
    /// Counts an expression. Returns false when all expressions together are too large; then no further one is compiled.
    pub(in crate::core::lang::compile) fn room_for(&mut self, file: &File, tree: &Regex, hir: &Hir) -> bool {
        let before = self.regex_bytes;
        self.regex_bytes = before.saturating_add(size(hir).min(REGEX_BYTES));
        if before <= REGEX_BYTES_ALL && self.regex_bytes > REGEX_BYTES_ALL {
            let message = format!(
                "with this one, all regular expressions together take more than about {REGEX_BYTES_ALL} bytes, which is the limit"
            );
            let help = "this one and those after it are not compiled; `\\w` and `\\d` contain the letters and digits of all \
                scripts, `[a-z0-9_]` and `[0-9]` take a hundredth of that";
            self.report(file, Code::RegexTooLarge, &tree.span, message).help = Some(help.to_owned());
        }
        self.regex_bytes <= REGEX_BYTES_ALL
    }

    /// Checks an expression that the library accepted.
    pub(in crate::core::lang::compile) fn expression(&mut self, file: &File, tree: &Regex, built: &Expression, hir: &Hir) {
        let named = built.capture_names().next().is_some();
        if never(hir) {
            let message = "no text matches this expression";
            let help = "`^` is the beginning and `$` the end of the text; `\\^` and `\\$` are the characters themselves";
            self.report(file, Code::NeverMatches, &tree.span, message).help = Some(help.to_owned());
        } else if always(hir) && !named {
            let message = "every text matches this expression: it requires nothing";
            let help = "remove it, or write what the text must contain";
            self.report(file, Code::MatchesEverything, &tree.span, message).help = Some(help.to_owned());
        } else if begins_idly(hir, named) {
            let message = "`.*` at the beginning has no effect: an expression may match anywhere in the text";
            let help = "remove it; `^` stands for the beginning of the text";
            self.report(file, Code::CostlyRegex, &tree.span, message).help = Some(help.to_owned());
        }
        // The estimate is good to a factor of about four; what is reported must be exact.
        if size(hir) > REGEX_BYTES_WISE / 4
            && matches!(
                regex::RegexBuilder::new(built.as_str()).size_limit(REGEX_BYTES_WISE).build(),
                Err(regex::Error::CompiledTooBig(_))
            )
        {
            let message = format!(
                "this expression takes more than {REGEX_BYTES_WISE} bytes when compiled, which costs time with every record"
            );
            let help = if nested(hir, false) {
                "counted repeats inside counted repeats multiply: write `+` or `*` where the number does not matter"
            } else {
                "counted repeats of `\\w`, `\\d` and `.` are large: write `+` or `*` where the number does not matter, and `[a-z]` for `\\w`"
            };
            self.report(file, Code::CostlyRegex, &tree.span, message).help = Some(help.to_owned());
        }
    }
}

/// True when it matches no text, or every text. The expression itself has the diagnostic.
pub(super) fn pointless(built: &Expression) -> bool {
    regex_syntax::parse(built.as_str()).is_ok_and(|hir| never(&hir) || always(&hir))
}

/// Estimates the bytes that it takes when compiled, within a factor of four for usual expressions.
fn size(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty => 0,
        HirKind::Look(_) => 32,
        HirKind::Literal(literal) => literal.0.len().saturating_mul(32),
        HirKind::Class(Class::Bytes(_)) => 64,
        HirKind::Class(Class::Unicode(class)) if class.is_ascii() => 64,
        HirKind::Class(Class::Unicode(class)) => class.ranges().len().saturating_mul(64).saturating_add(512),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            size(&repetition.sub).saturating_add(64).saturating_mul(times as usize)
        }
        HirKind::Capture(capture) => size(&capture.sub).saturating_add(64),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(|p| size(p).saturating_add(8)).fold(0, usize::saturating_add)
        }
    }
}

/// True when no text matches it: it has an empty class, or an anchor at an impossible place.
fn never(hir: &Hir) -> bool {
    let takes = |h: &Hir| h.properties().minimum_len().is_some_and(|n| n > 0);
    let begins = |h: &Hir| h.properties().look_set_prefix().contains(Look::Start);
    let ends = |h: &Hir| h.properties().look_set_suffix().contains(Look::End);
    match hir.kind() {
        HirKind::Class(_) => hir.properties().minimum_len().is_none(),
        HirKind::Capture(Capture { sub, .. }) => never(sub),
        HirKind::Repetition(repetition) => repetition.min > 0 && never(&repetition.sub),
        HirKind::Alternation(parts) => parts.iter().all(never),
        HirKind::Concat(parts) => {
            let first = parts.iter().position(takes);
            let last = parts.iter().rposition(takes);
            parts.iter().any(never)
                || first.is_some_and(|first| parts.iter().skip(first + 1).any(begins))
                || last.is_some_and(|last| parts.iter().take(last).any(ends))
        }
        _ => false,
    }
}

/// True when every text matches it: it takes nothing, and needs at most one end of the text.
fn always(hir: &Hir) -> bool {
    fn takes_nothing(hir: &Hir) -> bool {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(Look::Start | Look::End) => true,
            HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
            HirKind::Repetition(repetition) => repetition.min == 0 || takes_nothing(&repetition.sub),
            HirKind::Capture(capture) => takes_nothing(&capture.sub),
            HirKind::Concat(parts) => parts.iter().all(takes_nothing),
            HirKind::Alternation(parts) => parts.iter().any(takes_nothing),
        }
    }
    let looks = hir.properties().look_set();
    takes_nothing(hir) && !(looks.contains(Look::Start) && looks.contains(Look::End))
}

/// True when it begins with `.*` and no capture depends on the length of that match. A greedy `.*` before a capture finds the
/// last place.
fn begins_idly(hir: &Hir, named: bool) -> bool {
    let HirKind::Concat(parts) = hir.kind() else { return false };
    let Some(HirKind::Repetition(first)) = parts.first().map(Hir::kind) else { return false };
    let dot = [Dot::AnyCharExceptLF, Dot::AnyChar].into_iter().any(|dot| *first.sub == Hir::dot(dot));
    dot && first.min == 0 && first.max.is_none() && !(named && first.greedy)
}

/// True when a counted repeat is within a counted repeat.
fn nested(hir: &Hir, within: bool) -> bool {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            let counted = repetition.min > 1 || repetition.max.is_some_and(|n| n > 1);
            counted && within || nested(&repetition.sub, within || counted)
        }
        HirKind::Capture(capture) => nested(&capture.sub, within),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(|p| nested(p, within)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_expression_can_match_is_known() {
        let hir = |text: &str| regex_syntax::parse(text).expect(text);
        for (text, wanted) in [
            ("a^b", true),
            ("$a", true),
            ("a($|^)b", false),
            ("(?m)a$.^b", false),
            ("a?^b", false),
            ("(a$)+b", true),
            ("x|a^b", false),
            ("a^b|$c", true),
            (r"[^\s\S]", true),
            (r"a\^b\$", false),
            ("^a$", false),
            (r"^\^", false),
        ] {
            assert_eq!(never(&hir(text)), wanted, "{text}");
            if wanted {
                let built = Expression::new(text, REGEX_BYTES).expect(text);
                assert!(["", "a", "b", "ab", "aab", "c", "a\nb", "x"].iter().all(|t| !built.is_match(t)), "{text}");
            }
        }
        for (text, wanted) in [
            (".*", true),
            ("^.*", true),
            ("a*|b", true),
            ("(a|)", true),
            ("^$", false),
            ("^.*$", false),
            ("a+", false),
            (r"\b", false),
            ("x?$", true),
        ] {
            assert_eq!(always(&hir(text)), wanted, "{text}");
            if wanted {
                let built = Expression::new(text, REGEX_BYTES).expect(text);
                assert!(["", "q", "\n", "ü\n\n"].iter().all(|t| built.is_match(t)), "{text}");
            }
        }
        for (text, named, wanted) in [
            (".*a", false, true),
            (".*a(?<x>b)", true, false),
            (".*?a(?<x>b)", true, true),
            ("^.*a", false, false),
            (".+a", false, false),
        ] {
            assert_eq!(begins_idly(&hir(text), named), wanted, "{text}");
        }
    }
}
