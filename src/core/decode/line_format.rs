//! The form of a file's stamps, as the configuration declares it: `%d.%m.%Y %H:%M:%S`.
//!
//! | directive | what | | directive | what |
//! |---|---|---|---|---|
//! | `%Y` | year, four digits | | `%H` | hour, 0 to 23 |
//! | `%y` | year, two digits: 2000 to 2099 | | `%I` | hour, 1 to 12, with `%p` |
//! | `%m` | month, one or two digits | | `%p` | `AM` or `PM` |
//! | `%b`, `%B` | month's English name, short or long | | `%M`, `%S` | minute, second |
//! | `%d`, `%e` | day, one or two digits | | `%f` | fraction of a second, any number of digits |
//! | `%j` | day of the year | | `%L`, `%3f` | milliseconds, `%6f` microseconds, `%9f` nanoseconds |
//! | `%a`, `%A` | weekday's English name | | `%z` | offset: `+0100`, `+01:00`, `Z` |
//! | `%s` | seconds since 1970, a fraction may follow | | `%Z` | zone's name |
//! | `%F` | `%Y-%m-%d` | | `%T` | `%H:%M:%S` |
//! | `%D` | `%m/%d/%y` | | `%R` | `%H:%M` |
//! | `%%` | a per cent sign | | `%*` | any characters up to the next one of the form |
//!
//! Any other character stands for itself; a blank stands for one or more blanks or tabs. The stamp begins at the beginning of the
//! line: write what comes before it (`[%d.%m.%Y %H:%M:%S]`, `%* %T`). In: a form; later a line. Out: its time, and what follows.
//! Pure: no clock, no zone of this machine.

use std::fmt;

use crate::core::base::time::Time;
use crate::core::base::zone::Zone;

use super::calendar::{self, SECOND_US};
use super::clock::StampClock;
use super::stamp::{self, Day, Stamp};

/// The greatest length of a form, in bytes.
const FORM_BYTES: usize = 256;
/// How many characters of a line are shown if a form does not match it.
const MISFIT_CHARS: usize = 24;

/// A declared form of stamps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFormat {
    written: String,
    pieces: Vec<Piece>,
}

/// Why a form is refused: what is wrong with it, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError(String);

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FormatError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Literal(char),
    Blanks,
    Year,
    ShortYear,
    Month,
    MonthName,
    Day,
    DayOfYear,
    Weekday,
    Hour,
    Hour12,
    Half,
    Minute,
    Second,
    /// A number of digits, or as many as there are.
    Fraction(Option<u8>),
    Offset,
    ZoneName,
    Epoch,
    Any,
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Piece::Literal('%') => "%%",
            Piece::Literal(c) => return write!(f, "{c}"),
            Piece::Blanks => " ",
            Piece::Year => "%Y",
            Piece::ShortYear => "%y",
            Piece::Month => "%m",
            Piece::MonthName => "%b",
            Piece::Day => "%d",
            Piece::DayOfYear => "%j",
            Piece::Weekday => "%a",
            Piece::Hour => "%H",
            Piece::Hour12 => "%I",
            Piece::Half => "%p",
            Piece::Minute => "%M",
            Piece::Second => "%S",
            Piece::Fraction(None) => "%f",
            Piece::Fraction(Some(digits)) => return write!(f, "%{digits}f"),
            Piece::Offset => "%z",
            Piece::ZoneName => "%Z",
            Piece::Epoch => "%s",
            Piece::Any => "%*",
        })
    }
}

/// The values of the pieces read so far.
#[derive(Default)]
struct Parts {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: u32,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    us: i64,
    east_s: Option<i64>,
    epoch: Option<Stamp>,
}

impl LineFormat {
    /// Parses a form.
    ///
    /// # Errors
    /// An unknown directive, a form without a time of day or without an unambiguous day, or a form that is too long.
    pub fn parse(form: &str) -> Result<LineFormat, FormatError> {
        if form.len() > FORM_BYTES {
            return Err(FormatError(format!("the form has more than {FORM_BYTES} bytes")));
        }
        let mut pieces = Vec::new();
        let mut chars = form.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '%' {
                match c {
                    ' ' | '\t' if pieces.last() == Some(&Piece::Blanks) => {}
                    ' ' | '\t' => pieces.push(Piece::Blanks),
                    c => pieces.push(Piece::Literal(c)),
                }
                continue;
            }
            let Some(directive) = chars.next() else {
                return Err(FormatError("the form ends with `%`; write `%%` for a per cent sign".to_owned()));
            };
            match directive {
                'Y' => pieces.push(Piece::Year),
                'y' => pieces.push(Piece::ShortYear),
                'm' => pieces.push(Piece::Month),
                'b' | 'B' | 'h' => pieces.push(Piece::MonthName),
                'd' | 'e' => pieces.push(Piece::Day),
                'j' => pieces.push(Piece::DayOfYear),
                'a' | 'A' => pieces.push(Piece::Weekday),
                'H' | 'k' => pieces.push(Piece::Hour),
                'I' | 'l' => pieces.push(Piece::Hour12),
                'p' | 'P' => pieces.push(Piece::Half),
                'M' => pieces.push(Piece::Minute),
                'S' => pieces.push(Piece::Second),
                'f' | 'N' => pieces.push(Piece::Fraction(None)),
                'L' => pieces.push(Piece::Fraction(Some(3))),
                digit @ ('3' | '6' | '9') if matches!(chars.peek(), Some('f' | 'N')) => {
                    chars.next();
                    pieces.push(Piece::Fraction(digit.to_digit(10).and_then(|n| u8::try_from(n).ok())));
                }
                'z' => pieces.push(Piece::Offset),
                'Z' => pieces.push(Piece::ZoneName),
                's' => pieces.push(Piece::Epoch),
                '*' => pieces.push(Piece::Any),
                '%' => pieces.push(Piece::Literal('%')),
                'F' => {
                    pieces.extend([Piece::Year, Piece::Literal('-'), Piece::Month, Piece::Literal('-'), Piece::Day]);
                }
                'T' => {
                    pieces.extend([Piece::Hour, Piece::Literal(':'), Piece::Minute, Piece::Literal(':'), Piece::Second]);
                }
                'D' => {
                    pieces.extend([Piece::Month, Piece::Literal('/'), Piece::Day, Piece::Literal('/'), Piece::ShortYear]);
                }
                'R' => pieces.extend([Piece::Hour, Piece::Literal(':'), Piece::Minute]),
                other => {
                    return Err(FormatError(format!(
                        "`%{}` is not known; known are %Y %y %m %b %B %d %e %j %a %A %H %I %p %M %S %f %3f %6f %9f %L %z %Z %s %F %T %D %R %* %%",
                        other.escape_debug()
                    )));
                }
            }
        }
        let has = |wanted: &[Piece]| wanted.iter().any(|piece| pieces.contains(piece));
        let day = has(&[Piece::Day]) && has(&[Piece::Month, Piece::MonthName]) || has(&[Piece::DayOfYear]);
        if !has(&[Piece::Epoch]) && !has(&[Piece::Hour, Piece::Hour12]) {
            return Err(FormatError("the form has no time of day: it needs `%H`, `%I` with `%p`, `%T` or `%s`".to_owned()));
        }
        if has(&[Piece::Hour12]) && !has(&[Piece::Half]) {
            return Err(FormatError("`%I` is an hour of half a day: it needs `%p`, or write `%H`".to_owned()));
        }
        if !day && has(&[Piece::Day, Piece::Month, Piece::MonthName, Piece::Year, Piece::ShortYear]) {
            return Err(FormatError("the form has a part of a date: it needs `%m` (or `%b`) and `%d`, or neither".to_owned()));
        }
        Ok(LineFormat { written: form.to_owned(), pieces })
    }

    /// The form as it was written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The time with which a line begins, and what follows it; `None` if the line does not begin so. `reference` supplies what
    /// the stamp leaves out; a stamp without a zone is in `zone`.
    pub fn read<'a>(&self, line: &'a [u8], zone: Zone, reference: Time) -> Option<(Time, &'a [u8])> {
        let text = std::str::from_utf8(line).ok().or_else(|| line.utf8_chunks().next().map(|chunk| chunk.valid()))?;
        let (stamp, behind) = self.stamp(text)?;
        let at = StampClock::default().resolve(&stamp, zone, reference, None)?.at;
        Some((at, &line[text.len() - behind.len()..]))
    }

    /// The part of a line that this form does not match; `None` if the line matches.
    pub fn misfit(&self, line: &str) -> Option<String> {
        let mut parts = Parts::default();
        let mut rest = line;
        for (i, piece) in self.pieces.iter().enumerate() {
            match take(*piece, self.pieces.get(i + 1), rest, &mut parts) {
                Some(behind) => rest = behind,
                None => {
                    let shown: String = rest.chars().take(MISFIT_CHARS).collect();
                    let there = if rest.is_empty() { "at the line's end".to_owned() } else { format!("`{shown}`") };
                    return Some(format!("`{piece}` does not read {there}"));
                }
            }
        }
        parts.stamp().is_none().then(|| "there is no such day or time".to_owned())
    }

    /// The stamp with which a line begins, and what follows it.
    pub(super) fn stamp<'a>(&self, line: &'a str) -> Option<(Stamp, &'a str)> {
        let mut parts = Parts::default();
        let mut rest = line;
        for (i, piece) in self.pieces.iter().enumerate() {
            rest = take(*piece, self.pieces.get(i + 1), rest, &mut parts)?;
        }
        Some((parts.stamp()?, rest))
    }
}

impl Parts {
    fn stamp(self) -> Option<Stamp> {
        if self.epoch.is_some() {
            return self.epoch;
        }
        let hour = match self.afternoon {
            Some(_) if !(1..=12).contains(&self.hour) => return None,
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
            None => self.hour,
        };
        if hour > 23 || self.minute > 59 || self.second > 60 {
            return None;
        }
        let us = i64::from(hour * 3600 + self.minute * 60 + self.second) * SECOND_US + self.us;
        let day = match (self.year, self.month, self.day, self.day_of_year) {
            (Some(year), _, _, Some(day)) => {
                Day::Full(calendar::days(year, 1, 1)? + i64::from((1..=366).contains(&day).then(|| day - 1)?))
            }
            (year, Some(month), Some(day), None) => Day::of(year, month, day)?,
            (None, None, None, None) => Day::Unknown,
            _ => return None,
        };
        Some(Stamp { day, us, east_s: self.east_s })
    }
}

fn take<'a>(piece: Piece, next: Option<&Piece>, text: &'a str, parts: &mut Parts) -> Option<&'a str> {
    let mut set = |max: usize, part: fn(&mut Parts) -> &mut u32| {
        let (number, rest) = digits(text, max)?;
        *part(parts) = number;
        Some(rest)
    };
    match piece {
        Piece::Literal(c) => text.strip_prefix(c),
        Piece::Blanks => {
            let rest = text.trim_start_matches([' ', '\t']);
            (rest.len() < text.len()).then_some(rest)
        }
        Piece::Year => {
            let (number, rest) = digits(text, 4).filter(|(_, rest)| text.len() - rest.len() == 4)?;
            parts.year = i32::try_from(number).ok();
            Some(rest)
        }
        Piece::ShortYear => {
            let (number, rest) = digits(text, 2).filter(|(_, rest)| text.len() - rest.len() == 2)?;
            parts.year = i32::try_from(2000 + number).ok();
            Some(rest)
        }
        Piece::Month => set(2, |parts| parts.month.get_or_insert_default()),
        Piece::Day => set(2, |parts| parts.day.get_or_insert_default()).or_else(|| {
            // `%e` may be padded with a blank.
            let (number, rest) = digits(text.strip_prefix(' ')?, 1)?;
            parts.day = Some(number);
            Some(rest)
        }),
        Piece::DayOfYear => set(3, |parts| parts.day_of_year.get_or_insert_default()),
        Piece::Hour | Piece::Hour12 => set(2, |parts| &mut parts.hour).or_else(|| {
            let (number, rest) = digits(text.strip_prefix(' ')?, 1)?;
            parts.hour = number;
            Some(rest)
        }),
        Piece::Minute => set(2, |parts| &mut parts.minute),
        Piece::Second => set(2, |parts| &mut parts.second),
        Piece::MonthName => {
            let (rest, month) = stamp::month_name(text).ok()?;
            parts.month = Some(month);
            Some(rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()))
        }
        Piece::Weekday => {
            let rest = text.trim_start_matches(|c: char| c.is_alphabetic());
            (text.len() - rest.len() >= 2).then_some(rest)
        }
        Piece::Half => {
            let half = text.get(..2)?;
            parts.afternoon = Some(match half {
                "AM" | "am" => false,
                "PM" | "pm" => true,
                _ => return None,
            });
            Some(&text[2..])
        }
        Piece::Fraction(count) => {
            let all = text.bytes().take_while(u8::is_ascii_digit).count();
            let n = count.map_or(all, usize::from);
            if n == 0 || all < n {
                return None;
            }
            parts.us = (0..6).fold(0, |us, i| us * 10 + if i < n { i64::from(text.as_bytes()[i] - b'0') } else { 0 });
            Some(&text[n..])
        }
        Piece::Offset => {
            let (rest, east_s) = stamp::zone_number(text).ok()?;
            parts.east_s = Some(east_s);
            Some(rest)
        }
        Piece::ZoneName => {
            let rest = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
            let name = &text[..text.len() - rest.len()];
            parts.east_s = parts.east_s.or(stamp::named_zone(name));
            (!name.is_empty()).then_some(rest)
        }
        Piece::Epoch => {
            let end = text.bytes().position(|b| !b.is_ascii_digit() && b != b'.').unwrap_or(text.len());
            let number = text[..end].trim_end_matches('.');
            parts.epoch = Some(stamp::epoch(number)?);
            Some(&text[number.len()..])
        }
        Piece::Any => match next {
            Some(Piece::Literal(c)) => Some(&text[text.find(*c)?..]),
            Some(Piece::Blanks) => Some(&text[text.find([' ', '\t'])?..]),
            Some(_) => Some(&text[text.find(|c: char| c.is_ascii_digit())?..]),
            None => Some(text),
        },
    }
}

/// A number of at least one and at most `max` digits.
fn digits(text: &str, max: usize) -> Option<(u32, &str)> {
    let n = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    Some((text[..n].parse().ok()?, &text[n..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CASES: &[(&str, &str, &str, &str)] = &[
        ("%d.%m.%Y %H:%M:%S", "14.03.2026 02:11:57 started", "2026-03-14T02:11:57.000Z", " started"),
        ("[%d/%b/%Y:%T %z]", "[14/Mar/2026:02:11:57 +0100] x", "2026-03-14T01:11:57.000Z", " x"),
        ("%F %T,%3f", "2026-03-14 02:11:57,123 x", "2026-03-14T02:11:57.123Z", " x"),
        ("%F %T.%f", "2026-03-14 02:11:57.123456789 x", "2026-03-14T02:11:57.123456Z", " x"),
        ("%m/%d/%y %I:%M:%S %p", "3/14/26 2:11:57 PM x", "2026-03-14T14:11:57.000Z", " x"),
        ("%b %e %T", "Mar  4 02:11:57 x", "2026-03-04T02:11:57.000Z", " x"),
        ("%s", "1773454317.5 x", "2026-03-14T02:11:57.500Z", " x"),
        ("%Y%j %H%M%S", "2026073 021157 x", "2026-03-14T02:11:57.000Z", " x"),
        ("%T", "02:11:57 x", "2026-03-14T02:11:57.000Z", " x"),
        ("%* %F %T %Z", "srv-1 2026-03-14 02:11:57 CET x", "2026-03-14T01:11:57.000Z", " x"),
        ("100%% %F %R", "100% 2026-03-14 02:11 x", "2026-03-14T02:11:00.000Z", " x"),
        ("%a, %d %B %Y %T", "Sat, 14 March 2026 02:11:57 x", "2026-03-14T02:11:57.000Z", " x"),
    ];

    #[test]
    fn a_line_begins_as_its_form_says() {
        let reference = Time::parse_rfc3339("2026-03-14T12:00:00Z").unwrap();
        for (form, line, at, behind) in CASES {
            let format = LineFormat::parse(form).unwrap_or_else(|e| panic!("{form}: {e}"));
            let (found, rest) =
                format.read(line.as_bytes(), Zone::default(), reference).unwrap_or_else(|| panic!("{form}: {line}"));
            assert_eq!((found.to_string().as_str(), std::str::from_utf8(rest).unwrap()), (*at, *behind), "{form}");
            assert_eq!(format.read(b"something else", Zone::default(), reference), None);
        }
        let format = LineFormat::parse("%d.%m.%Y %T").unwrap();
        assert_eq!(format.read(b"31.02.2026 02:11:57", Zone::default(), reference), None);
        assert_eq!(format.read(b"14.03.2026 25:11:57", Zone::default(), reference), None);
        let west = format.read(b"14.03.2026 02:11:57", Zone::Fixed(-18_000), reference).unwrap().0;
        assert_eq!(west.to_string(), "2026-03-14T07:11:57.000Z");
    }

    #[test]
    fn what_a_form_does_not_read_is_said() {
        for (form, line, wanted) in [
            ("%d.%m.%Y %T", "2026-03-14 02:11:57 x", Some("`.` does not read `26-03-14 02:11:57 x`")),
            ("%F %T", "2026-03-14", Some("` ` does not read at the line's end")),
            ("%F %T.%3f", "2026-03-14 02:11:57.1", Some("`%3f` does not read `1`")),
            ("%F %T", "2026-02-31 02:11:57", Some("there is no such day or time")),
            ("%F %T", "2026-03-14 02:11:57", None),
        ] {
            let misfit = LineFormat::parse(form).unwrap().misfit(line);
            assert_eq!(misfit.as_deref(), wanted, "{form}: {line}");
        }
    }

    #[test]
    fn a_form_that_says_no_time_is_refused() {
        for (form, part) in [
            ("%Q", "`%Q` is not known"),
            ("%F", "no time of day"),
            ("%I:%M", "needs `%p`"),
            ("%Y %T", "part of a date"),
            ("x%", "ends with `%`"),
        ] {
            let error = LineFormat::parse(form).unwrap_err().to_string();
            assert!(error.contains(part), "{form}: {error}");
        }
        assert!(LineFormat::parse(&"%T".repeat(200)).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_form_and_no_line_panics(form in "(%[a-zA-Z*%3]f?|[ -~ä]){0,12}", line in prop::collection::vec(any::<u8>(), 0..60)) {
            let reference = Time::from_micros(0);
            for (_, sample, ..) in CASES {
                if let Ok(format) = LineFormat::parse(&form) {
                    let _ = format.read(&line, Zone::default(), reference);
                    for end in 0..=sample.len() {
                        let _ = format.read(&sample.as_bytes()[..end], Zone::default(), reference);
                    }
                }
            }
        }
    }
}
