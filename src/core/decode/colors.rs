//! Colours that programs write for terminals: escape sequences (ECMA-48), which are no part of what a record says.

use memchr::{memchr2, memchr2_iter};

const ESCAPE: u8 = 0x1b;
/// How rsyslog writes an escape character.
const OCTAL: &str = "#033";

/// The text without its escape sequences; `None` if it has none.
pub(super) fn without(text: &str) -> Option<String> {
    // Nearly every record ends here.
    let first = memchr2(ESCAPE, b'#', text.as_bytes())?;
    let mut plain = String::new();
    let mut copied = 0;
    for at in memchr2_iter(ESCAPE, b'#', &text.as_bytes()[first..]).map(|at| first + at) {
        if at < copied {
            continue;
        }
        let Some(behind) = sequence(&text[at..]) else { continue };
        plain.push_str(&text[copied..at]);
        copied = text.len() - behind.len();
    }
    (copied > 0).then(|| plain + &text[copied..])
}

/// What follows the escape sequence with which a text begins.
fn sequence(text: &str) -> Option<&str> {
    let octal = text.strip_prefix(OCTAL);
    let rest = octal.or_else(|| text.strip_prefix(char::from(ESCAPE)))?;
    if let Some(inner) = rest.strip_prefix('[') {
        // CSI: parameters, intermediate characters, and a final character. A sequence that was cut has none.
        let end = inner.bytes().position(|b| !(0x20..=0x3f).contains(&b)).unwrap_or(inner.len());
        return match inner.as_bytes().get(end) {
            Some(0x40..=0x7e) => inner.get(end + 1..),
            _ => octal.is_none().then(|| &inner[end..]),
        };
    }
    if octal.is_some() {
        return None;
    }
    if let Some(inner) = rest.strip_prefix(']') {
        // OSC, such as a link: up to BEL or ESC and a backslash.
        let end = inner.bytes().position(|b| b == 0x07 || b == ESCAPE)?;
        let behind = &inner[end..];
        return Some(behind.strip_prefix("\x1b\\").or_else(|| behind.strip_prefix('\x07')).unwrap_or(behind));
    }
    match rest.as_bytes() {
        // A character set, such as `ESC ( B`.
        [b'(' | b')', 0x20..=0x7e, ..] => Some(&rest[2..]),
        [0x40..=0x7e | b'=' | b'>', ..] => Some(&rest[1..]),
        // A lone escape character is data.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_removed_and_nothing_else() {
        for (text, plain) in [
            ("\x1b[32mINFO\x1b[0m started", "INFO started"),
            ("\x1b[1;38;5;196mü\x1b[m", "ü"),
            ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1b]0;title\x07text", "text"),
            ("\x1b(Btext\x1b[K", "text"),
            ("#033[31mERROR#033[0m #1 #033", "ERROR #1 #033"),
            ("cut \x1b[3", "cut "),
        ] {
            assert_eq!(without(text).as_deref(), Some(plain), "{text:?}");
        }
        for text in ["", "#12: x", "a#033 b", "#033[", "#033[3", "binary\x1b", "\x1bü"] {
            assert_eq!(without(text), None, "{text}");
        }
    }
}
