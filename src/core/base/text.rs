//! Makes text from outside safe to show.
//!
//! Text in a log is hostile: it may contain terminal escapes, line breaks that forge records, and characters that reverse the
//! reading direction. It is stored as it came and escaped wherever it is shown.

use std::borrow::Cow;

/// Ranges of characters above ASCII and C1 that are not shown as they are: those that change the reading direction, that have
/// no width, that break lines, and the invisible tags.
const INVISIBLE: [(char, char); 20] = [
    ('\u{AD}', '\u{AD}'),
    ('\u{34F}', '\u{34F}'),
    ('\u{61C}', '\u{61C}'),
    ('\u{115F}', '\u{1160}'),
    ('\u{17B4}', '\u{17B5}'),
    ('\u{180B}', '\u{180F}'),
    ('\u{200B}', '\u{200F}'),
    ('\u{2028}', '\u{202E}'),
    ('\u{2060}', '\u{206F}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{FE00}', '\u{FE0F}'),
    ('\u{FEFF}', '\u{FEFF}'),
    ('\u{FFA0}', '\u{FFA0}'),
    ('\u{FFF0}', '\u{FFFB}'),
    ('\u{FFFE}', '\u{FFFF}'),
    ('\u{13430}', '\u{13440}'),
    ('\u{1BCA0}', '\u{1BCA3}'),
    ('\u{1D159}', '\u{1D159}'),
    ('\u{1D173}', '\u{1D17A}'),
    ('\u{E0000}', '\u{E0FFF}'),
];

/// True for a character that must not reach a terminal, a log or a mail unescaped: controls (C0, DEL, C1), line and paragraph
/// separators, characters that change the reading direction, characters without width, and tags.
pub fn is_unsafe(c: char) -> bool {
    c.is_control() || (!c.is_ascii() && INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&c)))
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

/// [`printable`] for a text of several lines: its line breaks stay.
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// A JSON text with every unsafe character of its strings written as `\u202e`: it has the same meaning, and is safe to show.
pub fn printable_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_unsafe) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if is_unsafe(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// [`printable`], cut to `max` characters with `…` at the end if something was cut.
pub fn printable_short(text: &str, max: usize) -> String {
    let safe = printable(text);
    if safe.chars().count() <= max {
        return safe;
    }
    let mut out: String = safe.chars().take(max.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// The longest beginning of `text` that takes at most `max` bytes as JSON, with `…` (not counted) if something was cut.
pub fn cut(text: &str, max: usize) -> Cow<'_, str> {
    // In JSON a control character takes six bytes.
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
    fn escapes_what_is_not_seen() {
        for c in ['\u{7f}', '\u{80}', '\u{85}', '\u{9f}', '\u{ad}', '\u{200b}', '\u{200d}', '\u{2066}', '\u{feff}', '\u{e0041}'] {
            let text = format!("a{c}b");
            assert!(!printable(&text).contains(c) && printable(&text).is_ascii(), "{c:?}");
            let json = serde_json::to_string(&text).unwrap();
            let safe = printable_json(&json);
            assert!(safe.is_ascii(), "{safe}");
            assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text, "it means the same");
        }
        assert_eq!(printable_lines("a\u{9b}\nb\r"), "a\\x9b\nb\\r");
        assert!(matches!(printable_json("{\"a\":\"Grüße\"}"), Cow::Borrowed(_)));
    }

    #[test]
    fn cuts_by_the_bytes_that_json_takes() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "abc…");
        assert_eq!(cut("ééé", 4), "éé…");
        assert_eq!(cut("\u{1}\u{1}\u{1}", 12), "\u{1}\u{1}…");
    }

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        assert_eq!(printable("a\x1b]0;x\x07b\nc\u{202e}d\u{9b}"), "a\\x1b]0;x\\x07b\\nc\\u{202e}d\\x9b");
        assert_eq!(printable("Grüße"), "Grüße");
        assert_eq!(printable_short("abcdef", 4), "abc…");
    }
}
