//! Lines and columns of places. A text is counted once, however many places in it are asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Place, Source};

/// The number of bytes after which a count is remembered.
const STEP: usize = 16 * 1024;

/// A byte of a text, with its line and column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LinePosition {
    pub(super) byte: usize,
    /// The number of line ends before it.
    pub(super) line: usize,
    /// The byte at which its line begins.
    pub(super) line_start: usize,
    /// The number of characters before it in its line.
    pub(super) column: usize,
}

impl LinePosition {
    /// Counts on to a later byte of the same text.
    pub(super) fn advance(self, text: &str, to: usize) -> LinePosition {
        let mut mark = self;
        for (at, byte) in (self.byte..).zip(&text.as_bytes()[self.byte..to]) {
            match byte {
                b'\n' => mark = LinePosition { line: mark.line + 1, line_start: at + 1, column: 0, ..mark },
                // Further bytes of a character.
                0x80..0xC0 => {}
                _ => mark.column += 1,
            }
        }
        LinePosition { byte: to, ..mark }
    }
}

/// Finds lines and columns of many places.
#[derive(Debug, Default)]
pub struct LineIndex {
    /// For each text, what was counted up to each multiple of [`STEP`].
    marks: BTreeMap<usize, (Arc<Source>, Vec<LinePosition>)>,
}

impl LineIndex {
    /// The line and the column of a place's start, from 1; the column in characters.
    pub fn line_column(&mut self, place: &Place) -> (usize, usize) {
        let mark = self.mark(&place.source, place.bytes.start);
        (mark.line + 1, mark.column + 1)
    }

    /// The line and the column of a byte.
    pub(super) fn mark(&mut self, source: &Arc<Source>, byte: usize) -> LinePosition {
        let key = Arc::as_ptr(source) as usize;
        // The text is kept, so that no other one can get its address.
        let (_, marks) = self.marks.entry(key).or_insert_with(|| (source.clone(), vec![LinePosition::default()]));
        let byte = byte.min(source.text.len());
        while let Some(last) = marks.last().filter(|_| marks.len() * STEP <= byte) {
            marks.push(last.advance(&source.text, marks.len() * STEP));
        }
        marks[byte / STEP].advance(&source.text, byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The index says what counting from the beginning says, in any order.
    #[test]
    fn places_are_found_in_any_order() {
        let text = "alarm grün { }\n\n\u{1F600} x\n".repeat(5_000);
        let source = Arc::new(Source { name: "a".to_owned(), text });
        let mut index = LineIndex::default();
        let places = [0, 90_000, 3, STEP, STEP - 1, STEP + 1, 40_000, 40_001, source.text.len(), source.text.len() + 9];
        for start in places {
            let place = Place { source: source.clone(), bytes: start..start };
            let before = String::from_utf8_lossy(&source.text.as_bytes()[..start.min(source.text.len())]).into_owned();
            let line = before.matches('\n').count() + 1;
            assert_eq!(index.line_column(&place).0, line, "{start}");
            assert_eq!(index.line_column(&place), place.line_column(), "{start}");
        }
    }
}
