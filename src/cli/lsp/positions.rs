//! Places as editors count them: lines, and units within a line.

use std::ops::Range;

use lsp_types::{Position, PositionEncodingKind};

/// In which units an editor counts within a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Units {
    Utf8,
    #[default]
    Utf16,
}

impl Units {
    /// The units to use with an editor that offers these.
    pub(super) fn chosen(offered: Option<&Vec<PositionEncodingKind>>) -> Units {
        let utf8 = offered.is_some_and(|all| all.contains(&PositionEncodingKind::UTF8));
        if utf8 { Units::Utf8 } else { Units::Utf16 }
    }

    pub(super) fn kind(self) -> PositionEncodingKind {
        match self {
            Units::Utf8 => PositionEncodingKind::UTF8,
            Units::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn of(self, c: char) -> usize {
        match self {
            Units::Utf8 => c.len_utf8(),
            Units::Utf16 => c.len_utf16(),
        }
    }
}

/// A text with the beginnings of its lines.
pub(super) struct TextLines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    units: Units,
}

impl<'t> TextLines<'t> {
    pub(super) fn new(text: &'t str, units: Units) -> TextLines<'t> {
        let starts = [0].into_iter().chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        TextLines { text, starts, units }
    }

    /// The byte at a position. A position behind the end of its line is that end, and one behind the last line the end of the text.
    pub(super) fn byte(&self, position: Position) -> usize {
        let line = usize::try_from(position.line).unwrap_or(usize::MAX);
        let Some(start) = self.starts.get(line).copied() else { return self.text.len() };
        let mut left = usize::try_from(position.character).unwrap_or(usize::MAX);
        for (at, c) in self.text[start..].char_indices() {
            if c == '\n' || left < self.units.of(c) {
                return start + at;
            }
            left -= self.units.of(c);
        }
        self.text.len()
    }

    /// The position of a byte.
    pub(super) fn position(&self, byte: usize) -> Position {
        let byte = byte.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= byte).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let before = self.text[start..].char_indices().take_while(|(at, _)| start + at < byte);
        let character: usize = before.map(|(_, c)| self.units.of(c)).sum();
        Position { line: u32::try_from(line).unwrap_or(u32::MAX), character: u32::try_from(character).unwrap_or(u32::MAX) }
    }

    pub(super) fn range(&self, bytes: &Range<usize>) -> lsp_types::Range {
        lsp_types::Range { start: self.position(bytes.start), end: self.position(bytes.end) }
    }

    pub(super) fn bytes(&self, range: lsp_types::Range) -> Range<usize> {
        let start = self.byte(range.start);
        start..self.byte(range.end).max(start)
    }
}

#[cfg(test)]
mod tests {
    use lsp_types::Position;

    use super::{TextLines, Units};

    #[test]
    fn units_are_counted_as_the_editor_counts_them() {
        let text = "aé🙂b\r\n\nz";
        for (units, characters) in [(Units::Utf16, [0, 1, 2, 4, 5]), (Units::Utf8, [0, 1, 3, 7, 8])] {
            let lines = TextLines::new(text, units);
            for (byte, character) in [0, 1, 3, 7, 8].into_iter().zip(characters) {
                let position = Position { line: 0, character };
                assert_eq!((lines.position(byte), lines.byte(position)), (position, byte), "{units:?}");
            }
            assert_eq!(lines.byte(Position { line: 0, character: 99 }), 9);
            assert_eq!(lines.byte(Position { line: 1, character: 5 }), 10);
            assert_eq!(lines.byte(Position { line: 9, character: 0 }), text.len());
            assert_eq!(lines.position(11), Position { line: 2, character: 0 });
        }
        // A position within a character is its beginning.
        assert_eq!(TextLines::new(text, Units::Utf16).byte(Position { line: 0, character: 3 }), 3);
    }
}
