//! The encoding of a file: UTF-8 (with single bytes read as Latin-1 if they are no UTF-8), or UTF-16.
//!
//! In: the first bytes of a file; later the bytes of one line. Out: the encoding; the line as UTF-8. Pure: [`super::Lines`],
//! which cuts lines, calls it for files that are followed and for dry runs.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Bytes at a file's beginning that are enough to recognise its encoding.
pub const ENCODING_BYTES: usize = 64;
/// The least number of bytes from which UTF-16 is recognised without a byte order mark.
const ENOUGH: usize = 8;

/// The encoding of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, ASCII or any encoding of single bytes: lines are passed on as they are.
    #[default]
    Bytes,
    /// UTF-16, low byte first, as Windows writes it.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
}

impl Encoding {
    /// The encoding of a file that begins with these bytes: the first [`ENCODING_BYTES`], or all if the file is shorter. A byte
    /// order mark decides. Without one, a file is UTF-16 if one byte is zero in three quarters of all pairs of bytes, always the
    /// same one.
    pub fn of(beginning: &[u8]) -> Encoding {
        match beginning {
            [0xff, 0xfe, ..] => return Encoding::Utf16Le,
            [0xfe, 0xff, ..] => return Encoding::Utf16Be,
            _ => {}
        }
        let pairs = &beginning[..beginning.len().min(ENCODING_BYTES)];
        // Most characters of a log are ASCII, whatever the others are.
        let most = |first_is_zero: bool| {
            let ascii =
                pairs.chunks_exact(2).filter(|pair| (pair[0] == 0) == first_is_zero && (pair[1] == 0) != first_is_zero).count();
            ascii * 4 >= pairs.len() / 2 * 3
        };
        if pairs.len() < ENOUGH {
            Encoding::Bytes
        } else if most(false) {
            Encoding::Utf16Le
        } else if most(true) {
            Encoding::Utf16Be
        } else {
            Encoding::Bytes
        }
    }

    /// The bytes of a unit. A line feed is one unit.
    pub fn unit_bytes(self) -> usize {
        match self {
            Encoding::Bytes => 1,
            Encoding::Utf16Le | Encoding::Utf16Be => 2,
        }
    }

    /// Where the first line of the buffer ends, and where the next one begins, in bytes; `None` if no line ends in it. The buffer
    /// begins at the first byte of a unit.
    pub fn line_end(self, buffer: &[u8]) -> Option<(usize, usize)> {
        let unit = self.unit_bytes();
        let at = match self {
            Encoding::Bytes => find_end(buffer)?,
            _ => buffer.chunks_exact(unit).position(|pair| self.unit([pair[0], pair[1]]) == u16::from(b'\n'))? * unit,
        };
        Some((at, at + unit))
    }

    /// The bytes of a line as UTF-8. Single bytes stay as they are, because the decoder reads those. A byte order mark is
    /// removed. Half of a character becomes U+FFFD; an odd last byte is dropped.
    pub fn text(self, line: &[u8]) -> Cow<'_, [u8]> {
        if self == Encoding::Bytes {
            return Cow::Borrowed(line);
        }
        let units: Vec<u16> = line.chunks_exact(2).map(|pair| self.unit([pair[0], pair[1]])).collect();
        let mut text = Vec::with_capacity(units.len());
        append(units.strip_prefix(&[0xfeff]).unwrap_or(&units), &mut text);
        Cow::Owned(text)
    }

    /// A unit of UTF-16 from its two bytes, in the sequence of the file.
    fn unit(self, bytes: [u8; 2]) -> u16 {
        match self {
            Encoding::Utf16Be => u16::from_be_bytes(bytes),
            Encoding::Bytes | Encoding::Utf16Le => u16::from_le_bytes(bytes),
        }
    }
}

/// The position of the first LF.
pub(super) fn find_end(buffer: &[u8]) -> Option<usize> {
    memchr::memchr(b'\n', buffer)
}

/// Appends units of UTF-16 as UTF-8. A unit that is half of a character, without the other half, becomes U+FFFD.
fn append(units: &[u16], text: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    for c in char::decode_utf16(units.iter().copied()) {
        let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
        text.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    }
}

/// The text of bytes that are not UTF-8. Valid parts stay, and each other byte is the Latin-1 character of its number.
pub(super) fn latin1(record: &[u8]) -> String {
    let mut text = String::with_capacity(record.len() + record.len() / 4);
    for chunk in record.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().copied().map(char::from));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_file_tells_its_encoding() {
        let wide = |text: &str, be: bool| -> Vec<u8> {
            text.encode_utf16().flat_map(|u| if be { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        };
        for (bytes, encoding) in [
            (wide("\u{feff}2026", false), Encoding::Utf16Le),
            (wide("\u{feff}ä", true), Encoding::Utf16Be),
            (wide("2026-03-14 09:15:02.12 Logon", false), Encoding::Utf16Le),
            (wide("2026-03-14 09:15:02.12 Logon", true), Encoding::Utf16Be),
            (wide("202", false), Encoding::Bytes),
            (b"2026-03-14 09:15:02".to_vec(), Encoding::Bytes),
            (b"\xef\xbb\xbf2026".to_vec(), Encoding::Bytes),
            (vec![0; 64], Encoding::Bytes),
            (Vec::new(), Encoding::Bytes),
        ] {
            assert_eq!(Encoding::of(&bytes), encoding, "{bytes:?}");
        }
    }

    #[test]
    fn lines_of_utf16_are_cut_at_their_units() {
        // Both bytes of U+0A0A look like a line feed.
        for encoding in [Encoding::Utf16Le, Encoding::Utf16Be] {
            let be = encoding == Encoding::Utf16Be;
            let bytes: Vec<u8> = "\u{feff}a\u{a0a}ü😀\r\nb"
                .encode_utf16()
                .flat_map(|u| if be { u.to_be_bytes() } else { u.to_le_bytes() })
                .collect();
            let (end, next) = encoding.line_end(&bytes).unwrap();
            assert_eq!(encoding.text(&bytes[..end]), "a\u{a0a}ü😀\r".as_bytes());
            assert_eq!(encoding.line_end(&bytes[next..]), None);
            assert_eq!(encoding.text(&bytes[next..]), &b"b"[..]);
        }
        assert_eq!(Encoding::Utf16Le.text(&[0x00, 0xd8, b'x']), "\u{fffd}".as_bytes());
        assert_eq!(Encoding::Bytes.line_end(b"a\nb"), Some((1, 2)));
    }
}
