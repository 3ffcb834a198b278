//! Statistics of a dry run: for each log, the number of records, of those at each level, and of those with a recognised head.
//! Also the most frequent shapes of records that no rule wants.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::core::base::text::cut;
use crate::core::event::{Event, Format, Level};

/// How many shapes are counted at once. If there are more, those that came once are forgotten.
const SHAPES: usize = 10_000;
/// How much of a record's text makes its shape, in bytes.
const SHAPE_BYTES: usize = 160;

/// The statistics of one log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    pub records: u64,
    /// Records that a rule wants.
    pub wanted: u64,
    pub ignored: u64,
    /// Records with a recognised head: a time, a sender or a level was read.
    pub decoded: u64,
    /// Records by level, lowest first. The last number is for records without a level.
    pub levels: [u64; Level::ALL.len() + 1],
}

/// Records of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeCount {
    pub shape: String,
    pub count: u64,
    /// The first line with this shape.
    pub line: u64,
}

/// The statistics of all logs.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    logs: BTreeMap<u64, LogCounts>,
    /// Shapes by a hash of the shape.
    shapes: BTreeMap<u64, ShapeCount>,
}

impl Seen {
    /// Counts one record of a log.
    pub(super) fn see(&mut self, log: u64, line: u64, event: &Event<'_>, wanted: bool) {
        // The record is counted when its last piece is there.
        if event.marks.partial {
            return;
        }
        let counts = self.logs.entry(log).or_default();
        counts.records += 1;
        counts.wanted += u64::from(wanted);
        counts.ignored += u64::from(event.marks.ignored);
        let known = event.format != Format::Plain || event.at.is_some() || event.level.is_some() || !event.app.is_empty();
        counts.decoded += u64::from(known);
        let level = event.level.and_then(|level| Level::ALL.iter().position(|l| *l == level)).unwrap_or(Level::ALL.len());
        if let Some(count) = counts.levels.get_mut(level) {
            *count += 1;
        }
        if wanted || event.marks.ignored {
            return;
        }
        let text = event.text.as_bytes();
        let text = &text[..SHAPE_BYTES.min(text.len())];
        let new = || ShapeCount { shape: cut(&shape(text), SHAPE_BYTES * 6).into_owned(), count: 0, line };
        self.shapes.entry(shape_hash(text)).or_insert_with(new).count += 1;
        self.bound();
    }

    fn bound(&mut self) {
        if self.shapes.len() > SHAPES {
            self.shapes.retain(|_, shape| shape.count > 1);
            // All shapes came often: the rarest half is forgotten.
            if self.shapes.len() > SHAPES / 2 {
                let mut counts: Vec<u64> = self.shapes.values().map(|shape| shape.count).collect();
                counts.sort_unstable();
                let middle = counts.get(counts.len() / 2).copied().unwrap_or_default();
                self.shapes.retain(|_, shape| shape.count > middle);
            }
        }
    }

    /// Adds the statistics of another part.
    pub(super) fn add(&mut self, more: Seen) {
        for (log, counts) in more.logs {
            let own = self.logs.entry(log).or_default();
            own.records += counts.records;
            own.wanted += counts.wanted;
            own.ignored += counts.ignored;
            own.decoded += counts.decoded;
            own.levels.iter_mut().zip(counts.levels).for_each(|(own, more)| *own += more);
        }
        for (sum, shape) in more.shapes {
            match self.shapes.entry(sum) {
                Entry::Vacant(place) => {
                    place.insert(shape);
                }
                Entry::Occupied(mut own) => {
                    own.get_mut().count += shape.count;
                    own.get_mut().line = own.get().line.min(shape.line);
                }
            }
        }
        self.bound();
    }

    /// The statistics of each log, by the number of the log from 0.
    pub fn logs(&self) -> impl Iterator<Item = (u64, &LogCounts)> {
        self.logs.iter().map(|(log, counts)| (*log, counts))
    }

    /// The most frequent shapes, at most `most` of them.
    pub fn most_frequent(&self, most: usize) -> Vec<&ShapeCount> {
        let mut all: Vec<&ShapeCount> = self.shapes.values().collect();
        all.sort_by(|a, b| b.count.cmp(&a.count).then(a.line.cmp(&b.line)));
        all.truncate(most);
        all
    }
}

/// What a byte is in a shape: 1 for a part of a word, 3 for a digit, 0 for anything else. Bytes that are not ASCII are parts of
/// words.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut n = 0;
    while n < 256 {
        let byte = n as u8;
        classes[n] =
            if byte.is_ascii_digit() { 3 } else { (byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()) as u8 };
        n += 1;
    }
    classes
};

/// A part of a text's shape.
enum ShapePart<'t> {
    /// These bytes, as they are.
    Same(&'t [u8]),
    /// Digits, or a word of them.
    Number,
}

/// The parts of a text's shape, in order. A word with a digit becomes a number; quoted text and anything like an address is split
/// into parts first.
#[inline]
fn shape_parts<'t>(text: &'t [u8], mut each: impl FnMut(ShapePart<'t>)) {
    let mut rest = text;
    while !rest.is_empty() {
        let (mut length, mut digits) = (0, 0);
        for byte in rest {
            let class = CLASSES[usize::from(*byte)];
            if class == 0 {
                break;
            }
            length += 1;
            digits += usize::from(class >> 1);
        }
        let (word, behind) = rest.split_at(length.max(1));
        // `eth0` becomes `eth#`.
        let kept = match digits {
            0 => word,
            _ if digits * 2 >= length || word.iter().all(u8::is_ascii_hexdigit) => &[],
            _ => &word[..word.iter().position(u8::is_ascii_digit).unwrap_or(0)],
        };
        if !kept.is_empty() {
            each(ShapePart::Same(kept));
        }
        if digits > 0 {
            each(ShapePart::Number);
        }
        rest = behind;
    }
}

/// A hash of a text's shape. It is computed for every record that no rule wants, so it builds no text.
fn shape_hash(text: &[u8]) -> u64 {
    let mut hash = 0_u64;
    let mut mix = |value: u64| hash = (hash.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    shape_parts(text, |part| match part {
        ShapePart::Same(bytes) => {
            for chunk in bytes.chunks(8) {
                mix(chunk.iter().fold(chunk.len() as u64, |value, byte| value << 8 | u64::from(*byte)));
            }
        }
        ShapePart::Number => mix(u64::from(b'#')),
    });
    hash
}

/// A text's shape, for people.
fn shape(text: &[u8]) -> String {
    let mut shape = Vec::new();
    shape_parts(text, |part| match part {
        ShapePart::Same(bytes) => shape.extend_from_slice(bytes),
        ShapePart::Number => shape.push(b'#'),
    });
    // A letter at the end of the text may be cut.
    String::from_utf8_lossy(&shape).trim_end_matches(char::REPLACEMENT_CHARACTER).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_one_shape_are_counted_together() {
        let mut seen = Seen::default();
        let mut see = |line: u64, text: &str| {
            let event = Event { text: text.to_owned().into(), level: Some(Level::Error), ..Event::default() };
            seen.see(0, line, &event, text == "wanted");
        };
        see(1, "peer 10.0.0.1 lost after 17 ms");
        see(2, "peer 192.168.100.7 lost after 1 ms");
        see(3, "link eth0 is down, id a3f09b");
        see(4, "link eth17 is down, id 77c1ff");
        see(5, "peer 10.0.0.9 lost after 12000 ms");
        see(6, "wanted");
        let top: Vec<(&str, u64, u64)> = seen.most_frequent(9).into_iter().map(|s| (s.shape.as_str(), s.count, s.line)).collect();
        assert_eq!(top, [("peer #.#.#.# lost after # ms", 3, 1), ("link eth# is down, id #", 2, 3)]);
        let twice = seen.clone();
        seen.add(twice);
        let (_, counts) = seen.logs().next().unwrap();
        assert_eq!((counts.records, counts.wanted, counts.decoded, counts.levels[5]), (12, 2, 12, 12));
        assert_eq!(seen.most_frequent(1)[0].count, 6);
    }

    /// A sender that invents shapes uses no more memory.
    #[test]
    fn invented_shapes_are_bounded() {
        let mut seen = Seen::default();
        for n in 0..30_000_u32 {
            let letters: String = n.to_string().bytes().map(|b| char::from(b - b'0' + b'a')).collect();
            seen.see(0, 1, &Event { text: letters.into(), ..Event::default() }, false);
            seen.see(0, 1, &Event { text: "often".into(), ..Event::default() }, false);
        }
        assert!(seen.shapes.len() <= SHAPES);
        assert_eq!(seen.most_frequent(1)[0].shape, "often");
        assert_eq!(seen.most_frequent(1)[0].count, 30_000);
    }
}
