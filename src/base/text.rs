//! Text that came from outside, made safe to show.
//!
//! What arrives in a log is hostile (DESIGN I8): it may carry terminal escapes, line breaks that forge records, and
//! characters that turn the reading direction round. It is kept as it came and escaped wherever it is shown.

use std::borrow::Cow;

/// True for a character that must not reach a terminal, a log or a mail as it is: controls (C0, DEL, C1), line and
/// paragraph separators, and the characters that change the reading direction.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// `text` with every unsafe character written as `\n`, `\t`, `\x1b` or `\u{202e}`.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if !is_unsafe(c) => out.push(c),
            c if (c as u32) < 0x100 => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
        }
    }
    out
}

/// [`printable`], cut to `max` characters with `…` at the end where something was cut.
pub fn printable_short(text: &str, max: usize) -> String {
    let safe = printable(text);
    if safe.chars().count() <= max {
        return safe;
    }
    let mut out: String = safe.chars().take(max.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// The longest beginning of `text` that takes at most `max` bytes as JSON, with `…` (not counted) where something was cut.
pub fn cut(text: &str, max: usize) -> Cow<'_, str> {
    // Written as JSON a control character takes six bytes.
    if text.len() <= max / 6 {
        return Cow::Borrowed(text);
    }
    let mut bytes = 0;
    for (at, c) in text.char_indices() {
        bytes += match c {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            c if c.is_ascii_control() => 6,
            c => c.len_utf8(),
        };
        if bytes > max {
            return Cow::Owned(format!("{}…", &text[..at]));
        }
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        assert_eq!(printable("a\x1b]0;x\x07b\nc\u{202e}d\u{9b}"), "a\\x1b]0;x\\x07b\\nc\\u{202e}d\\x9b");
        assert_eq!(printable("Grüße"), "Grüße");
        assert_eq!(printable_short("abcdef", 4), "abc…");
    }
}
