//! Splits a stream of bytes into lines.
//!
//! In: anything that reads. Out: one line at a time, without its end. It is borrowed from the reader's own buffer if it is whole
//! there; only a line that crosses the end of the buffer is copied. A line ends with LF, and one CR before it belongs to the end.
//! Any other CR is text, so a CR can't forge a record. The last line may have no end.
//!
//! A stream that begins as UTF-16 does ([`Encoding::of`]) is cut at that encoding's line feeds, and its lines are returned as
//! UTF-8.
//!
//! Invariants: a line has at most [`RECORD_BYTES`]. A longer line is cut there, the rest of it is skipped, and it is marked.
//! [`Lines::position`] is always behind the last returned line and its end.

use std::io::{self, BufRead, ErrorKind};

use crate::core::base::limits::RECORD_BYTES;

use super::encoding::{Encoding, find_end};

/// A line of a stream, as [`Lines`] returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The line without its end.
    pub bytes: &'a [u8],
    /// It was longer than [`RECORD_BYTES`].
    pub cut: bool,
    /// It had an end. False only for the last line of the stream, which may still grow: a follower of a file reads it again,
    /// whole, from the position before it.
    pub ended: bool,
}

/// The lines of the reader `R`.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    /// A line that was not whole in the reader's buffer.
    spill: Vec<u8>,
    /// Bytes of the reader's buffer that were returned and are to be consumed before the next line.
    lent: usize,
    position: u64,
    /// The encoding of the stream; `None` before its first line was requested.
    encoding: Option<Encoding>,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `reader` from its present place, which is position 0.
    pub fn new(reader: R) -> Lines<R> {
        Lines { reader, spill: Vec::new(), lent: 0, position: 0, encoding: None }
    }

    /// The lines of `reader`, which is at `position` of a stream in this encoding.
    pub fn at(reader: R, position: u64, encoding: Encoding) -> Lines<R> {
        Lines { reader, spill: Vec::new(), lent: 0, position, encoding: Some(encoding) }
    }

    /// The end of the last returned line, in bytes: where to continue reading later.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next line; `None` at the end of the stream. Errors are the reader's; an interrupted read is repeated.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.reader.consume(std::mem::take(&mut self.lent));
        let encoding = match self.encoding {
            Some(encoding) => encoding,
            None => *self.encoding.insert(Encoding::of(fill(&mut self.reader)?)),
        };
        if encoding != Encoding::Bytes {
            return self.wide(encoding);
        }
        let end = find_end(fill(&mut self.reader)?);
        match end {
            Some(end) if end <= RECORD_BYTES => {
                self.lent = end + 1;
                self.position += end as u64 + 1;
                let bytes = without_cr(&self.reader.fill_buf()?[..end]);
                Ok(Some(Line { bytes, cut: false, ended: true }))
            }
            _ => self.gather(),
        }
    }

    /// A line of UTF-16. Such files are rare, so every line is copied.
    fn wide(&mut self, encoding: Encoding) -> io::Result<Option<Line<'_>>> {
        // A character with one byte in UTF-8 has two bytes here. One character more than the limit, in case it is the CR of the end.
        const MOST: usize = 2 * (RECORD_BYTES + 1);
        let mut cut = false;
        let mut raw = Vec::new();
        let mut length = 0;
        // The first byte of a unit that is split between two buffers.
        let mut half = None;
        let ended = loop {
            let buffer = fill(&mut self.reader)?;
            let Some(first) = buffer.first() else { break false };
            let pair;
            let (units, used) = match half.take() {
                Some(before) => {
                    pair = [before, *first];
                    (&pair[..], 1)
                }
                None if buffer.len() == 1 => {
                    half = Some(*first);
                    (&[][..], 1)
                }
                None => {
                    let whole = &buffer[..buffer.len() & !1];
                    (whole, whole.len())
                }
            };
            let end = encoding.line_end(units);
            let (units, used) = end.map_or((units, used), |(end, next)| (&units[..end], used - (units.len() - next)));
            let room = MOST.saturating_sub(raw.len());
            raw.extend_from_slice(&units[..units.len().min(room)]);
            cut |= units.len() > room;
            length += used;
            self.reader.consume(used);
            self.position += used as u64;
            if end.is_some() {
                break true;
            }
        };
        if length == 0 {
            return Ok(None);
        }
        self.spill = encoding.text(&raw).into_owned();
        let bytes = if ended && !cut { without_cr(&self.spill) } else { &self.spill };
        cut |= bytes.len() > RECORD_BYTES;
        Ok(Some(Line { bytes: &bytes[..bytes.len().min(RECORD_BYTES)], cut, ended }))
    }

    /// A line that crosses the end of the buffer, or is too long.
    fn gather(&mut self) -> io::Result<Option<Line<'_>>> {
        self.spill.clear();
        let mut length = 0;
        let ended = loop {
            let buffer = fill(&mut self.reader)?;
            if buffer.is_empty() {
                break false;
            }
            let end = find_end(buffer);
            let part = &buffer[..end.unwrap_or(buffer.len())];
            // One byte more than the limit, in case it is the CR of the end.
            let room = (RECORD_BYTES + 1).saturating_sub(self.spill.len());
            self.spill.extend_from_slice(&part[..part.len().min(room)]);
            length += part.len();
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            self.position += used as u64;
            if end.is_some() {
                break true;
            }
        };
        if length == 0 && !ended {
            return Ok(None);
        }
        let whole = length == self.spill.len();
        let bytes = if whole && ended { without_cr(&self.spill) } else { &self.spill };
        let cut = !whole || bytes.len() > RECORD_BYTES;
        Ok(Some(Line { bytes: &bytes[..bytes.len().min(RECORD_BYTES)], cut, ended }))
    }
}

impl<R: io::Read> Lines<io::BufReader<R>> {
    /// True if everything that was read has been returned: for the next line the reader may have to wait.
    pub fn is_drained(&self) -> bool {
        self.reader.buffer().len() <= self.lent
    }
}

#[inline]
fn fill<R: BufRead>(reader: &mut R) -> io::Result<&[u8]> {
    loop {
        match reader.fill_buf() {
            Ok(_) => break,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    // The buffer is filled: this returns it again, and reads nothing.
    reader.fill_buf()
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn split(input: &[u8], buffer: usize) -> Vec<(Vec<u8>, bool, bool, u64)> {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, input));
        let mut out = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            let (bytes, cut, ended) = (line.bytes.to_vec(), line.cut, line.ended);
            out.push((bytes, cut, ended, lines.position()));
        }
        out
    }

    #[test]
    fn every_end_in_every_buffer() {
        let input = b"one\r\n\ntwo\rhalf\r\r\n0123456789abcdef\nlast";
        for buffer in [1, 2, 3, 7, 8, 9, 16, 64] {
            let line = |t: &str, ended, at| (t.as_bytes().to_vec(), false, ended, at);
            assert_eq!(
                split(input, buffer),
                [
                    line("one", true, 5),
                    line("", true, 6),
                    line("two\rhalf\r", true, 17),
                    line("0123456789abcdef", true, 34),
                    line("last", false, 38),
                ],
                "{buffer}"
            );
        }
        assert!(split(b"", 8).is_empty());
        assert_eq!(split(b"\n", 8).len(), 1);
    }

    #[test]
    fn a_line_is_cut_at_the_limit_and_the_rest_skipped() {
        for (extra, end) in [(0, "\n"), (0, "\r\n"), (1, "\n"), (1, "\r\n"), (200_000, "\n"), (1, "")] {
            let mut input = vec![b'x'; RECORD_BYTES + extra];
            input.extend_from_slice(end.as_bytes());
            let whole = input.len() as u64;
            for buffer in [8 * 1024, 1024 * 1024] {
                let mut input = input.clone();
                input.extend_from_slice(if end.is_empty() { b"" } else { b"next\n" });
                let lines = split(&input, buffer);
                let (bytes, cut, ended, position) = &lines[0];
                assert_eq!((bytes.len(), *cut), (RECORD_BYTES, extra > 0), "{extra} {end:?}");
                assert_eq!((*ended, *position), (!end.is_empty(), whole));
                assert_eq!(lines.len(), 1 + usize::from(!end.is_empty()));
            }
        }
    }

    #[test]
    fn utf16_in_every_buffer() {
        for be in [false, true] {
            for mark in ["\u{feff}", ""] {
                let text = format!("{mark}2026-03-14 one\r\n\nü😀\u{a0a}\nlast");
                let input: Vec<u8> =
                    text.encode_utf16().flat_map(|u| if be { u.to_be_bytes() } else { u.to_le_bytes() }).collect();
                for buffer in [16, 17, 31, 64, 4096] {
                    // Without a mark the first buffer must be enough to recognise the encoding.
                    let lines = split(&input, if mark.is_empty() { buffer.max(64) } else { buffer });
                    let texts: Vec<_> =
                        lines.iter().map(|(bytes, cut, ..)| (std::str::from_utf8(bytes).unwrap(), *cut)).collect();
                    assert_eq!(
                        texts,
                        [("2026-03-14 one", false), ("", false), ("ü😀\u{a0a}", false), ("last", false)],
                        "{be} {buffer}"
                    );
                    assert_eq!(lines.last().unwrap().3, input.len() as u64);
                    assert_eq!(lines.iter().map(|line| line.2).collect::<Vec<_>>(), [true, true, true, false]);
                }
            }
        }
    }

    #[test]
    fn a_line_of_utf16_is_cut_at_the_same_limit() {
        for (extra, end) in [(0, "\n"), (0, "\r\n"), (1, "\n"), (1, "\r\n")] {
            let text = format!("\u{feff}first\n{}{end}next\n", "x".repeat(RECORD_BYTES + extra));
            let input: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let lines = split(&input, 8 * 1024);
            assert_eq!((lines[1].0.len(), lines[1].1), (RECORD_BYTES, extra > 0), "{extra} {end:?}");
            assert_eq!(lines[2].0, b"next");
        }
    }

    #[test]
    fn a_long_line_of_utf16_is_cut_and_the_rest_skipped() {
        let text = format!("\u{feff}{}\nnext\n", "ü".repeat(200_000));
        let input: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let lines = split(&input, 8 * 1024);
        assert_eq!((lines.len(), lines[0].0.len(), lines[0].1), (2, RECORD_BYTES, true));
        assert_eq!(lines[1].0, b"next");
    }
}
