//! Frames of syslog over TCP: counted octets or lines, distinguished for each frame (RFC 6587 section 3.4).

/// The maximum number of digits of a length.
const DIGITS: usize = 9;

/// The frames of one connection.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: Vec<u8>,
    /// The number of bytes of the buffer that were taken.
    taken: usize,
    /// The rest of a long frame to skip: a number of octets, or `None` up to the end of the line.
    skip: Option<Option<usize>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) record: &'a [u8],
    /// Whether the frame was too long and was cut.
    pub(super) cut: bool,
}

impl Frames {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..std::mem::take(&mut self.taken));
        self.buffer.extend_from_slice(bytes);
    }

    /// The number of bytes of frames that were not taken yet.
    pub(super) fn held(&self) -> usize {
        self.buffer.len() - self.taken
    }

    /// Releases unused memory, so that a silent connection needs none.
    pub(super) fn tidy(&mut self) {
        self.buffer.drain(..std::mem::take(&mut self.taken));
        if self.buffer.capacity() > 2 * self.buffer.len() {
            self.buffer.shrink_to_fit();
        }
    }

    /// The next whole frame. A frame of more than `most` bytes is cut there, and its rest is skipped.
    pub(super) fn next(&mut self, most: usize) -> Option<Frame<'_>> {
        loop {
            self.skip_on();
            if self.skip.is_some() {
                return None;
            }
            let rest = &self.buffer[self.taken..];
            // Some senders write line ends after a counted frame. They are skipped.
            let blank = rest.iter().take_while(|b| matches!(b, b'\n' | b'\r' | 0)).count();
            self.taken += blank;
            let rest = &self.buffer[self.taken..];
            let (start, length) = match counted(rest) {
                Counted::Wait => return None,
                Counted::Yes(start, length) => {
                    let kept = length.min(most);
                    if rest.len() < start + kept {
                        return None;
                    }
                    (start, length)
                }
                Counted::No => match rest.iter().take(most + 1).position(|b| *b == b'\n') {
                    Some(end) => (0, end),
                    None if rest.len() > most => {
                        self.skip = Some(None);
                        (0, most)
                    }
                    None => return None,
                },
            };
            let cut = length > most || self.skip.is_some();
            if length > most {
                self.skip = Some(Some(length - most));
            }
            let from = self.taken + start;
            let to = from + length.min(most);
            self.taken = to;
            if from < to {
                return Some(Frame { record: trimmed(&self.buffer[from..to]), cut });
            }
        }
    }

    /// The rest when the connection ends: a line without its end, or a part of a counted frame.
    pub(super) fn rest(&mut self) -> Option<Frame<'_>> {
        self.skip_on();
        if self.skip.is_some() || self.taken >= self.buffer.len() {
            return None;
        }
        let rest = &self.buffer[self.taken..];
        let (start, cut) = match counted(rest) {
            Counted::Yes(start, _) => (start, true),
            Counted::Wait | Counted::No => (0, false),
        };
        self.taken = self.buffer.len();
        let record = trimmed(&rest[start..]);
        (!record.is_empty()).then_some(Frame { record, cut })
    }

    fn skip_on(&mut self) {
        let rest = self.buffer.len() - self.taken;
        match self.skip {
            Some(Some(octets)) => {
                self.taken += octets.min(rest);
                self.skip = (octets > rest).then(|| Some(octets - rest));
            }
            Some(None) => match self.buffer[self.taken..].iter().position(|b| *b == b'\n') {
                Some(end) => {
                    self.taken += end + 1;
                    self.skip = None;
                }
                None => self.taken = self.buffer.len(),
            },
            None => {}
        }
    }
}

enum Counted {
    Yes(usize, usize),
    No,
    Wait,
}

/// Recognizes MSG-LEN SP and a message that begins correctly, because a line may begin with a number, too.
fn counted(rest: &[u8]) -> Counted {
    let digits = rest.iter().take(DIGITS + 1).take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 {
        return if rest.is_empty() { Counted::Wait } else { Counted::No };
    }
    if digits > DIGITS || rest[0] == b'0' {
        return Counted::No;
    }
    match (rest.get(digits), rest.get(digits + 1)) {
        (Some(b' '), Some(b'<')) => {}
        (None, _) | (Some(b' '), None) => return Counted::Wait,
        _ => return Counted::No,
    }
    let length = std::str::from_utf8(&rest[..digits]).ok().and_then(|d| d.parse().ok());
    length.map_or(Counted::No, |length| Counted::Yes(digits + 1, length))
}

fn trimmed(record: &[u8]) -> &[u8] {
    let end = record.iter().rposition(|b| !matches!(b, b'\n' | b'\r' | 0)).map_or(0, |i| i + 1);
    &record[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::base::limits::RECORD_BYTES;

    fn split(input: &[u8], step: usize) -> Vec<(String, bool)> {
        let mut frames = Frames::default();
        let mut all = Vec::new();
        for chunk in input.chunks(step) {
            frames.push(chunk);
            while let Some(frame) = frames.next(RECORD_BYTES) {
                all.push((String::from_utf8_lossy(frame.record).into_owned(), frame.cut));
            }
        }
        frames.tidy();
        if let Some(frame) = frames.rest() {
            all.push((String::from_utf8_lossy(frame.record).into_owned(), frame.cut));
        }
        all
    }

    #[test]
    fn both_framings_in_any_pieces() {
        let input = b"7 <1>ab\nc<13>line one\n<13>line two\r\n\n12 <14>counted\n9 lives of a cat\n2026 is a year\n<13>last";
        for step in 1..=input.len() {
            let wanted = [
                "<1>ab\nc",
                "<13>line one",
                "<13>line two",
                "<14>counted\n9".trim_end_matches("\n9"),
                "9 lives of a cat",
                "2026 is a year",
                "<13>last",
            ];
            let got: Vec<String> = split(input, step).into_iter().map(|(r, _)| r).collect();
            assert_eq!(got, wanted, "{step}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_and_the_next_is_whole() {
        let body = "x".repeat(RECORD_BYTES + 500);
        for input in [format!("{} <1>{body}5 <1>ok", body.len() + 3), format!("<1>{body}\n<1>ok\n")] {
            for step in [1_000, 70_000, 1 << 20] {
                let got = split(input.as_bytes(), step);
                assert_eq!(got.len(), 2, "{step}");
                assert_eq!((got[0].0.len(), got[0].1), (RECORD_BYTES, true));
                assert_eq!(got[1], ("<1>ok".to_owned(), false));
            }
        }
    }
}
