//! How the characters of a log file stand in bytes: UTF-8 (and what is not, read as Latin-1 by the decoder), or UTF-16.
//!
//! A file of UTF-16 is told by its byte order mark, or by the zeros that every second byte of plain text is. Its lines are cut in its own
//! bytes, so that a place in the file stays one, and each is read as UTF-8 from there on.

use std::borrow::Cow;
use std::io::{self, Read};

/// Bytes of a file's beginning that tell its encoding.
pub const ENCODING_BYTES: usize = 64;
/// Bytes that [`Utf8Reader`] reads at once.
const CHUNK: usize = 64 * 1024;

/// An encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, ASCII, Latin-1.
    #[default]
    Bytes,
    /// UTF-16, the low byte first, as Windows writes it.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
}

impl Encoding {
    /// The encoding of a file that begins so; `None` when more of it is needed, unless this is `all`.
    pub fn of(begin: &[u8], all: bool) -> Option<Encoding> {
        match begin {
            [0xff, 0xfe, ..] => return Some(Encoding::Utf16Le),
            [0xfe, 0xff, ..] => return Some(Encoding::Utf16Be),
            [] | [_] if !all => return None,
            _ => {}
        }
        let begin = &begin[..begin.len().min(ENCODING_BYTES)];
        let zeros = |from: usize| begin.iter().skip(from).step_by(2).filter(|b| **b == 0).count();
        let (even, odd, half) = (zeros(0), zeros(1), begin.len() / 2);
        // Text of other scripts has few zeros; blanks, digits and line ends have them in each.
        if odd > 0 && even == 0 && odd * 4 >= half {
            return Some(Encoding::Utf16Le);
        }
        if even > 0 && odd == 0 && even * 4 >= half {
            return Some(Encoding::Utf16Be);
        }
        Some(Encoding::Bytes)
    }

    /// Where the first line of these bytes ends, its end included. The bytes begin with a whole character.
    pub fn line_end(self, bytes: &[u8]) -> Option<usize> {
        let pair = match self {
            Encoding::Bytes => return bytes.iter().position(|b| *b == b'\n').map(|at| at + 1),
            Encoding::Utf16Le => [b'\n', 0],
            Encoding::Utf16Be => [0, b'\n'],
        };
        bytes.as_chunks::<2>().0.iter().position(|two| *two == pair).map(|at| 2 * at + 2)
    }

    /// True when the bytes end with a line end.
    pub fn ends_line(self, bytes: &[u8]) -> bool {
        match self {
            Encoding::Bytes => bytes.ends_with(b"\n"),
            Encoding::Utf16Le => bytes.ends_with(b"\n\0"),
            Encoding::Utf16Be => bytes.ends_with(b"\0\n"),
        }
    }

    /// The bytes as UTF-8. What is no character becomes U+FFFD.
    pub fn to_utf8(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        let unit: fn([u8; 2]) -> u16 = match self {
            Encoding::Bytes => return Cow::Borrowed(bytes),
            Encoding::Utf16Le => u16::from_le_bytes,
            Encoding::Utf16Be => u16::from_be_bytes,
        };
        let units = bytes.as_chunks::<2>().0.iter().map(|two| unit(*two));
        let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        Cow::Owned(text.into_bytes())
    }
}

/// A file of any encoding, read as UTF-8 (bytes that are not UTF-16 pass as they are).
#[derive(Debug)]
pub struct Utf8Reader<R> {
    inner: R,
    encoding: Option<Encoding>,
    /// Read and not yet converted; converted and not yet handed on.
    raw: Vec<u8>,
    ready: Vec<u8>,
    given: usize,
}

impl<R: Read> Utf8Reader<R> {
    /// Reads `inner` from its beginning.
    pub fn new(inner: R) -> Utf8Reader<R> {
        Utf8Reader { inner, encoding: None, raw: Vec::new(), ready: Vec::new(), given: 0 }
    }

    /// Makes something ready; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        loop {
            let before = self.raw.len();
            self.raw.resize(before + CHUNK, 0);
            let read = self.inner.read(&mut self.raw[before..]);
            self.raw.truncate(before + *read.as_ref().unwrap_or(&0));
            let ended = read? == 0;
            if self.encoding.is_none() {
                self.encoding = Encoding::of(&self.raw, ended);
            }
            let Some(encoding) = self.encoding else { continue };
            // A character of two units is not torn apart.
            let whole = if ended { self.raw.len() } else { whole(encoding, &self.raw) };
            self.ready = encoding.to_utf8(&self.raw[..whole]).into_owned();
            self.raw.drain(..whole);
            self.given = 0;
            if !self.ready.is_empty() || ended {
                return Ok(!self.ready.is_empty());
            }
        }
    }
}

/// How many of the bytes are whole characters.
fn whole(encoding: Encoding, bytes: &[u8]) -> usize {
    let even = bytes.len() & !1;
    let high = match encoding {
        Encoding::Bytes => return bytes.len(),
        Encoding::Utf16Le => even.checked_sub(1),
        Encoding::Utf16Be => even.checked_sub(2),
    };
    let begins_pair = high.is_some_and(|at| bytes[at] & 0xfc == 0xd8);
    if begins_pair { even - 2 } else { even }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // What needs no conversion is not copied.
        if self.encoding == Some(Encoding::Bytes) && self.given == self.ready.len() && self.raw.is_empty() {
            return self.inner.read(into);
        }
        if self.given == self.ready.len() && !self.fill()? {
            return Ok(0);
        }
        let length = into.len().min(self.ready.len() - self.given);
        into[..length].copy_from_slice(&self.ready[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    }

    /// Gives so many bytes at once.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(into.len());
            into[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    #[test]
    fn encodings_are_told_by_mark_or_by_zeros_and_read_in_any_pieces() {
        let text = "2026-03-14 09:15:02.12 Logon Error: 18456 \u{1F600} für Łódź\r\nzweite\n";
        for (big, wanted) in [(false, Encoding::Utf16Le), (true, Encoding::Utf16Be)] {
            for marked in ["\u{feff}", ""] {
                let bytes = utf16(&format!("{marked}{text}"), big);
                assert_eq!(Encoding::of(&bytes, false), Some(wanted));
                for step in [1, 2, 3, 7, 100_000] {
                    let mut read = String::new();
                    Utf8Reader::new(Slow(&bytes, step)).read_to_string(&mut read).unwrap();
                    assert_eq!(read, format!("{marked}{text}"), "{wanted:?} {step}");
                }
                let end = wanted.line_end(&bytes).unwrap();
                assert!(
                    wanted.ends_line(&bytes[..end])
                        && String::from_utf8_lossy(&wanted.to_utf8(&bytes[..end])).ends_with("Łódź\r\n")
                );
            }
        }
        for bytes in [text.as_bytes(), b"caf\xe9 latin-1\n", b"x", b"", b"\0\0\0\0 zeros only", b"1\0"] {
            let mut read = Vec::new();
            Utf8Reader::new(Slow(bytes, 3)).read_to_end(&mut read).unwrap();
            if bytes != b"1\0" {
                assert_eq!(read, bytes);
            }
        }
        assert_eq!(Encoding::of(b"2", false), None);
    }

    #[test]
    fn what_is_no_utf16_fails_nothing() {
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend([0x00, 0xd8, b'a', 0, 0x00, 0xdc, b'\n', 0, 7]);
        let mut read = String::new();
        Utf8Reader::new(Slow(&bytes, 2)).read_to_string(&mut read).unwrap();
        assert_eq!(read, "\u{feff}\u{fffd}a\u{fffd}\n");
    }
}
