//! Reads every form of a stamp by hand: without format strings and without allocation.
//!
//! In: text that may begin with a stamp. Out: the stamp as written, which is not yet a point in time: a day (full, without year,
//! or none), a time of day and, if it is written, the offset from UTC. [`super::clock`] supplies what is missing.
//!
//! Every form has a sample in [`forms::FORMS`], which is tested and shown in `docs/reference/formats.md`.

use std::ops::Range;

use nom::branch::alt;
use nom::character::complete::{char, one_of, space1};
use nom::combinator::{opt, verify};
use nom::sequence::{preceded, terminated};
use nom::{Err, IResult, Parser};

use super::calendar::{self, SECOND_US};
use zone::{ZONES, offset, zone_behind, zone_name};

pub(super) use zone::zone_number;

pub(super) mod dated;
pub(super) mod forms;
mod named;
mod words;
mod zone;

/// The result of a parser in this module: the rest and the value, or an error without a reason.
pub(super) type StampResult<'a, T> = IResult<&'a str, T, ()>;

/// The day of a stamp, as far as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    Full(i64),
    /// Month and day without a year.
    Yearless(u32, u32),
    /// Only a time of day.
    Unknown,
}

impl Day {
    /// The day of a stamp that may have no year; `None` if there is no such day.
    pub(super) fn of(year: Option<i32>, month: u32, day: u32) -> Option<Day> {
        match year {
            Some(year) => calendar::days(year, month, day).map(Day::Full),
            // 2000 is a leap year, so 29 February is accepted.
            None => calendar::days(2000, month, day).map(|_| Day::Yearless(month, day)),
        }
    }
}

/// A stamp as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) day: Day,
    pub(super) us: i64,
    /// Seconds east of UTC, if the stamp has an offset.
    pub(super) east_s: Option<i64>,
}

impl Stamp {
    /// Microseconds since 1970 in the stamp's own zone, if its date is full.
    pub(super) fn local_us(&self) -> Option<i64> {
        match self.day {
            Day::Full(day) => Some(day * calendar::DAY_US + self.us),
            _ => None,
        }
    }
}

/// TIMESTAMP = FULL-DATE "T" FULL-TIME (RFC 5424 section 6.2.3): upper-case letters, no leap second. This reader is looser than
/// the RFC in two points. It accepts nine digits of a second, for senders whose clock has nanoseconds, and a missing offset, for
/// senders that leave it out; then the source's zone applies.
pub(super) fn rfc5424(input: &str) -> StampResult<'_, Stamp> {
    let (rest, day) = date(input, b'-')?;
    let Some(rest) = rest.strip_prefix('T') else { return fail() };
    let (rest, us) = time_of_day(rest, 59)?;
    let (rest, us) = match rest.strip_prefix('.').map(fraction) {
        Some(Ok((behind, (1..=9, part)))) => (behind, us + part),
        _ => (rest, us),
    };
    let (rest, east_s) = match rest.as_bytes().first() {
        Some(b'Z') => (&rest[1..], Some(0)),
        _ => offset(rest).map_or((rest, None), |(behind, east_s)| (behind, Some(east_s))),
    };
    Ok((rest, full(day, us, east_s)))
}

/// iso = 4DIGIT sep 2DIGIT sep 2DIGIT ("T" / " " / tab / "_" / "-") clock [blank ("AM" / "PM")] [ "Z" / offset / blank zone ], where
/// sep is "-" or "/".
pub(super) fn iso(input: &str) -> StampResult<'_, Stamp> {
    let (rest, day) = date(input, b'-').or_else(|_| date(input, b'/'))?;
    let [b'T' | b' ' | b'_' | b'-' | b'\t', ..] = rest.as_bytes() else { return fail() };
    let (rest, us) = clock_us(&rest[1..])?;
    let (rest, us) = half_behind(rest, us);
    let (rest, east_s) = zone(rest);
    Ok((rest, full(day, us, east_s)))
}

/// bsd = month blanks day [blanks year] blanks clock [blank ("AM" / "PM")] [offset] [blanks zone] [blanks year] (RFC 3164 section
/// 4.1.2, loosely).
pub(super) fn bsd(input: &str) -> StampResult<'_, Stamp> {
    if let Some((rest, stamp)) = exact_bsd(input) {
        return Ok((rest, stamp));
    }
    let (rest, month) = month(input)?;
    let (rest, day) = preceded(space1, digits(1, 2)).parse(rest)?;
    let (rest, before) = opt(terminated(preceded(space1, year), one_of(" "))).parse(rest)?;
    let (rest, us) = alt((preceded(space1, clock_of_day), clock_us)).parse(rest)?;
    // In small letters it may be a host's name.
    let (rest, us) = if rest.starts_with(" AM") || rest.starts_with(" PM") { half_behind(rest, us) } else { (rest, us) };
    if !input[..input.len() - rest.len()].contains(' ') {
        return fail();
    }
    let (rest, number) = opt(zone_number).parse(rest)?;
    let (rest, number) = match (number, rest.as_bytes()) {
        (None, [b' ', b'+' | b'-', ..] | [b' ', b'U' | b'G', _, _, b'+' | b'-', ..]) => zone_behind(rest),
        (number, _) => (rest, number),
    };
    let (rest, named) = opt(preceded(space1, zone_name)).parse(rest)?;
    let (rest, after) = match before {
        Some(_) => (rest, None),
        None => opt(preceded(char(' '), terminated_word(likely_year))).parse(rest)?,
    };
    let east_s = number.or(named.flatten());
    on(rest, before.or(after), month, day, us, east_s)
}

/// The same as most senders write it, `Mar 14 02:11:57` or `Mar  4 02:11:57`, before a word in small letters: that is no zone.
fn exact_bsd(input: &str) -> Option<(&str, Stamp)> {
    let (behind, month) = month_name(input).ok()?;
    let &[b' ', tens, ones, b' ', ..] = behind.as_bytes() else { return None };
    let day = two(if tens == b' ' { b'0' } else { tens }, ones)?;
    let (rest, us) = time_of_day(&behind[4..], 60).ok()?;
    matches!(rest.as_bytes(), [b' ', b'a'..=b'z', ..]).then(|| on(rest, None, month, day, us, None).ok()).flatten()
}

/// slashed = 1*2DIGIT "/" 1*2DIGIT "/" (4DIGIT / 2DIGIT) ("@" / " " / ":" / "," / "-") clock [blank ("AM" / "PM")] [zone]: month,
/// day, year. If that is no valid day: day, month, year. A year of two digits may come first (Spark, Hadoop); if both readings
/// are valid days, it does if a level follows.
pub(super) fn slashed(input: &str) -> StampResult<'_, Stamp> {
    let (rest, a) = terminated(digits(1, 2), char('/')).parse(input)?;
    if rest.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) {
        return named::day_month_year(input, b'/');
    }
    let (rest, b) = digits(1, 2)(rest)?;
    if let Some(rest) = rest.strip_prefix('-') {
        // `03/14-02:11:57.123456` of Snort.
        let (rest, us) = clock_us(rest)?;
        return on(rest, None, a, b, us, None);
    }
    let (rest, _) = char('/').parse(rest)?;
    let (rest, c) = alt((digits(4, 4), digits(2, 2))).parse(rest)?;
    // ` - ` of game servers.
    let rest = rest.strip_prefix(" -").unwrap_or(rest);
    // `, ` of JavaScript.
    let rest = rest.strip_prefix(',').filter(|rest| rest.starts_with(' ')).unwrap_or(rest);
    let (rest, us) = preceded(one_of("@ :,-\t"), named::clock_12).parse(rest)?;
    let (rest, east_s) = zone(rest);
    let short = |year: u32| 2000 + year as i32;
    let month_first = calendar::days(if c < 100 { short(c) } else { c as i32 }, a, b);
    let day = if c >= 100 {
        month_first.or_else(|| calendar::days(c as i32, b, a))
    } else {
        let year_first = calendar::days(short(a), b, c);
        let word = || rest.trim_start_matches(' ').split(' ').next().unwrap_or_default();
        month_first.filter(|_| year_first.is_none() || !super::level::is_word(word())).or(year_first)
    };
    match day {
        Some(day) => Ok((rest, full(day, us, east_s))),
        None => fail(),
    }
}

/// locale = weekday blanks ( month blanks day blanks clock blanks year / day blanks month blanks year blanks clock
/// [blanks ("AM" / "PM")] [blanks zone] ) [ "." 3DIGIT ], as `ctime` and the `C` and `en_US` locales write it.
pub(super) fn locale(input: &str) -> StampResult<'_, Stamp> {
    let (rest, _) = weekday(input)?;
    let (rest, _) = space1.parse(rest)?;
    let (rest, (day, us, east_s)) = alt((ctime, long_date)).parse(rest)?;
    let (rest, part) = opt(preceded(char('.'), fraction)).parse(rest)?;
    Ok((rest, full(day, us + part.map_or(0, |(_, us)| us), east_s)))
}

/// clock = 2DIGIT ":" 2DIGIT ":" 2DIGIT [("." / ",") *DIGIT], a stamp without a date.
pub(super) fn clock(input: &str) -> StampResult<'_, Stamp> {
    let (rest, us) = clock_us(input)?;
    let day = Day::Unknown;
    Ok((rest, Stamp { day, us, east_s: None }))
}

/// zabbix = 8DIGIT ":" 6DIGIT ["."] 3DIGIT, local time; Avaya's call managers leave the point out.
pub(super) fn zabbix(input: &str) -> StampResult<'_, Stamp> {
    let (rest, (year, month, day)) = (year, digits(2, 2), digits(2, 2)).parse(input)?;
    let (rest, (hour, minute, second)) = preceded(char(':'), (digits(2, 2), digits(2, 2), digits(2, 2))).parse(rest)?;
    let (rest, (count, part)) = preceded(opt(char('.')), fraction).parse(rest)?;
    match calendar::days(year, month, day) {
        Some(days) if hour < 24 && minute < 60 && second < 60 && count == 3 => {
            Ok((rest, full(days, i64::from(hour * 3600 + minute * 60 + second) * SECOND_US + part, None)))
        }
        _ => fail(),
    }
}

/// mmddhhmmyy, local time, as AIX's `errpt` writes it.
pub(super) fn errpt(word: &str) -> Option<Stamp> {
    let two = |at: usize| word.get(at..at + 2)?.parse::<u32>().ok();
    let (month, day, hour, minute, year) = (two(0)?, two(2)?, two(4)?, two(6)?, two(8)?);
    let days = calendar::days(2000 + year as i32, month, day)?;
    (word.len() == 10 && hour < 24 && minute < 60).then(|| full(days, i64::from(hour * 3600 + minute * 60) * SECOND_US, None))
}

/// Any stamp with which a line of a file may begin. The first bytes decide which form it is.
pub(super) fn any(input: &str) -> StampResult<'_, Stamp> {
    let (rest, stamp) = of_any_form(input)?;
    Ok(match rest.as_bytes() {
        [b' ', b'A'..=b'Z', b'a'..=b'z', ..] if stamp.east_s.is_none() => zone::place_behind(rest, stamp),
        _ => (rest, stamp),
    })
}

fn of_any_form(input: &str) -> StampResult<'_, Stamp> {
    match input.as_bytes() {
        [b'0'..=b'9', _, b':', ..] => clock(input),
        [b'0'..=b'9', _, b'/', ..] | [b'0'..=b'9', b'/', ..] => slashed(input),
        [b'0'..=b'9', b'0'..=b'9', b'-' | b'.', ..] | [b'0'..=b'9', b'.', ..] => named::two_digits(input),
        [b'0'..=b'9', b'0'..=b'9', b' ', b'A'..=b'Z' | b'a'..=b'z', ..] | [b'0'..=b'9', b' ', b'A'..=b'Z' | b'a'..=b'z', ..] => {
            named::day_first(input)
        }
        // The first byte of the characters for year and month.
        [b'0'..=b'9', 0xe6, ..] | [b'0'..=b'9', _, 0xe6, ..] | [b'0'..=b'9', _, _, _, 0xe5, ..] => words::numbered(input),
        [b'0'..=b'9', _, _, _, b' ', ..] => named::year_first(input),
        [b'0'..=b'9', _, _, _, b'0'..=b'9', ..] => named::compact(input),
        [b'0'..=b'9', _, _, _, _, _, _, _, _, _, b'-', ..] => iso(input).or_else(|_| named::db2(input)),
        [b'0'..=b'9', _, _, _, b'-' | b'/', ..] => iso(input).or_else(|_| named::loose_iso(input)),
        [b'A'..=b'Z' | b'a'..=b'z', ..] if month_name(input).is_ok() => bsd(input).or_else(|_| named::month_first(input)),
        // Nearly every text ends here.
        [b'A'..=b'Z' | b'a'..=b'z' | 0x80.., ..] if words::has_clock(input) => word_first(input),
        _ => fail(),
    }
}

/// A stamp that begins with a weekday, or with a month's name in any language.
fn word_first(input: &str) -> StampResult<'_, Stamp> {
    if words::month(input).is_ok() {
        return bsd(input).or_else(|_| named::month_first(input));
    }
    if weekday(input).is_err() && weekday_comma(input).is_err() {
        return fail();
    }
    locale(input).or_else(|_| named::weekday_iso(input)).or_else(|_| named::of_date(input)).or_else(|_| named::weekday_bsd(input))
}

/// A stamp of a Genesys file. Other forms are refused, because a line of a body may begin with any of them.
pub(super) fn of_genesys(input: &str) -> StampResult<'_, Stamp> {
    match input.as_bytes() {
        [b'0'..=b'9', b'0'..=b'9', b':', ..] => clock(input),
        [b'0'..=b'9', b'0'..=b'9', b'/', b'0'..=b'9', b'0'..=b'9', b'/', ..] => slashed(input),
        [b'0'..=b'9', _, _, _, b'-' | b'/', ..] => iso(input),
        [b'A'..=b'Z' | b'a'..=b'z', ..] => alt((bsd, locale)).parse(input),
        _ => fail(),
    }
}

/// The zone directly behind a stamp, or behind a blank.
fn zone(rest: &str) -> (&str, Option<i64>) {
    match rest.as_bytes().first() {
        None => (rest, None),
        Some(b' ') => zone_behind(rest),
        Some(b'Z' | b'+' | b'-') => zone_number(rest).map_or((rest, None), |(rest, east_s)| (rest, Some(east_s))),
        Some(_) => (rest, None),
    }
}

/// Any stamp that is the value of a key. Its zone may follow (`UTC`, ` +0200`), or characters that form no word.
pub(super) fn alone(input: &str) -> Option<Stamp> {
    let (rest, stamp) = any(input).ok()?;
    let Some(behind) = rest.strip_prefix(' ') else {
        return (!rest.starts_with(|c: char| c.is_alphanumeric())).then_some(stamp);
    };
    let named = || ZONES.iter().find(|(zone, _)| behind.split(' ').next() == Some(zone)).map(|(_, hours)| hours * 3600);
    let zone = || offset(behind).ok().map(|(_, east_s)| east_s).or_else(named);
    Some(Stamp { east_s: stamp.east_s.or_else(zone), ..stamp })
}

/// Seconds east of UTC of a zone's name, if it means one offset everywhere.
pub(super) fn named_zone(name: &str) -> Option<i64> {
    ZONES.iter().find(|(zone, _)| *zone == name).map(|(_, hours)| hours * 3600)
}

/// A day that is the value of a key, in days since 1970.
pub(super) fn day(input: &str) -> Option<i64> {
    let (rest, day) = date(input, b'-').or_else(|_| date(input, b'/')).ok()?;
    rest.is_empty().then_some(day)
}

/// The range of numbers that may be seconds since 1970: 1985 to 2286. Other numbers are durations, or dates written as one
/// number.
const EPOCH_S: Range<u64> = 500_000_000..10_000_000_000;

/// epoch = 9*19DIGIT ["." 1*DIGIT]: seconds, milliseconds, microseconds or nanoseconds since 1970, depending on the size. A
/// number with an exponent is accepted as well.
pub(super) fn epoch(input: &str) -> Option<Stamp> {
    let count = input.bytes().take_while(u8::is_ascii_digit).take(20).count();
    let (whole, part_us) = match &input.as_bytes()[count..] {
        [] if (9..20).contains(&count) => (input.parse().ok()?, 0),
        [b'.', part @ ..] if (9..20).contains(&count) && part.iter().all(u8::is_ascii_digit) => {
            let (_, (_, us)) = fraction(&input[count + 1..]).ok()?;
            (input[..count].parse().ok()?, us)
        }
        [b'.' | b'e' | b'E', ..] if count > 0 && input.len() <= 32 => {
            let number: f64 = input.parse().ok()?;
            (number as u64, (number.fract() * 1e6).round() as i64)
        }
        _ => return None,
    };
    let unit = [1, 1_000, 1_000_000, 1_000_000_000].into_iter().find(|unit| EPOCH_S.contains(&(whole / unit)))?;
    let us = match unit {
        1 => whole as i64 * SECOND_US + part_us,
        1_000 => whole as i64 * 1_000 + part_us / 1_000,
        _ => (whole / (unit / 1_000_000)) as i64,
    };
    Some(full(us.div_euclid(calendar::DAY_US), us.rem_euclid(calendar::DAY_US), Some(0)))
}

/// A stamp of a day that may have no year, and what follows it.
#[inline]
fn on(rest: &str, year: Option<i32>, month: u32, day: u32, us: i64, east_s: Option<i64>) -> StampResult<'_, Stamp> {
    match Day::of(year, month, day) {
        Some(day) => Ok((rest, Stamp { day, us, east_s })),
        None => fail(),
    }
}

fn full(day: i64, us: i64, east_s: Option<i64>) -> Stamp {
    Stamp { day: Day::Full(day), us, east_s }
}

fn fail<'a, T>() -> StampResult<'a, T> {
    Err(Err::Error(()))
}

/// `min` to `max` digits.
fn digits<'a>(min: usize, max: usize) -> impl Fn(&'a str) -> StampResult<'a, u32> {
    move |input| {
        let bytes = input.as_bytes();
        let mut number = 0;
        let mut n = 0;
        while n < max && n < bytes.len() && bytes[n].is_ascii_digit() {
            number = number * 10 + u32::from(bytes[n] - b'0');
            n += 1;
        }
        if n < min {
            return fail();
        }
        Ok((&input[n..], number))
    }
}

/// The number of two digits.
fn two(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| u32::from(tens * 10 + ones))
}

/// Four digits, a separator, two digits, the separator, two digits: a valid day, in days since 1970.
fn date(input: &str, separator: u8) -> StampResult<'_, i64> {
    let &[c, d, y, z, first, m, n, second, e, f, ..] = input.as_bytes() else { return fail() };
    let days = match (two(c, d), two(y, z), two(m, n), two(e, f)) {
        (Some(century), Some(year), Some(month), Some(day)) if first == separator && second == separator => {
            calendar::days((century * 100 + year) as i32, month, day)
        }
        _ => None,
    };
    days.map_or_else(fail, |days| Ok((&input[10..], days)))
}

fn year(input: &str) -> StampResult<'_, i32> {
    let (rest, year) = digits(4, 4)(input)?;
    Ok((rest, year as i32))
}

/// `AM` or `PM` behind a time of day, as a word of its own: the clock has twelve hours.
fn half_behind(rest: &str, us: i64) -> (&str, i64) {
    let [b' ', half @ (b'A' | b'P' | b'a' | b'p'), b'M' | b'm', after @ ..] = rest.as_bytes() else { return (rest, us) };
    // Otherwise it is a name: `America/New_York`.
    let ends = !after.first().is_some_and(u8::is_ascii_alphanumeric) && !matches!(after.first(), Some(b'-' | b'_' | b'.' | b'/'));
    if !ends || us >= 13 * 3600 * SECOND_US {
        return (rest, us);
    }
    (&rest[3..], half_day(us, Some(char::from(half.to_ascii_uppercase()))))
}

/// A year behind the time of day, where a host could stand as well. It must be one in which a log may have been written.
fn likely_year(input: &str) -> StampResult<'_, i32> {
    verify(year, |y| (1970..2100).contains(y)).parse(input)
}

/// A year of four digits, or of two digits in this century.
fn short_or_long_year(input: &str) -> StampResult<'_, i32> {
    let (rest, year) = alt((digits(4, 4), digits(2, 2))).parse(input)?;
    Ok((rest, if year < 100 { 2000 + year as i32 } else { year as i32 }))
}

/// A time of the twelve-hour clock: `A` for the morning and `P` for the afternoon.
fn half_day(us: i64, half: Option<char>) -> i64 {
    let hour_us = 3600 * SECOND_US;
    match (half, us / hour_us) {
        (Some('A'), 12) => us - 12 * hour_us,
        (Some('P'), 0..=11) => us + 12 * hour_us,
        _ => us,
    }
}

/// A value that is followed by a blank, by a colon and a blank, or by the end.
fn terminated_word<'a, T>(mut parser: impl Parser<&'a str, Output = T, Error = ()>) -> impl FnMut(&'a str) -> StampResult<'a, T> {
    move |input| {
        let (rest, found) = parser.parse(input)?;
        // An address of IPv6 may follow as well: `2001:db8::1`.
        match rest.as_bytes() {
            [] | [b' ', ..] | [b':'] | [b':', b' ', ..] => Ok((rest, found)),
            _ => fail(),
        }
    }
}

/// Hours, minutes and seconds in microseconds. Second 60 is a leap second if the form allows one.
fn time_of_day(input: &str, second_max: u32) -> StampResult<'_, i64> {
    let &[h, o, b':', m, n, b':', s, t, ..] = input.as_bytes() else { return fail() };
    match (two(h, o), two(m, n), two(s, t)) {
        (Some(hour), Some(minute), Some(second)) if hour < 24 && minute < 60 && second <= second_max => {
            Ok((&input[8..], i64::from(hour * 3600 + minute * 60 + second) * SECOND_US))
        }
        _ => fail(),
    }
}

/// A clock whose hour may have one digit.
fn clock_of_day(input: &str) -> StampResult<'_, i64> {
    match input.as_bytes() {
        [b'0'..=b'9', b':', ..] => named::short_hour(input),
        _ => clock_us(input),
    }
}

fn clock_us(input: &str) -> StampResult<'_, i64> {
    let (rest, us) = time_of_day(input, 60)?;
    match rest.as_bytes() {
        [b'.' | b',', b'0'..=b'9', ..] => {
            let (rest, (_, part)) = fraction(&rest[1..])?;
            Ok((rest, us + part))
        }
        // `02:00:00:123`: H3C, WebSphere.
        [b':', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', after @ ..] if !matches!(after.first(), Some(b'0'..=b'9' | b':')) => {
            let (rest, (_, part)) = fraction(&rest[1..])?;
            Ok((rest, us + part))
        }
        // `02:00:00. host`: a sender that always prints the point.
        [b'.', b' ', ..] => Ok((&rest[1..], us)),
        _ => Ok((rest, us)),
    }
}

/// Digits after the point: how many there are, and the microseconds. Digits after the sixth are read and dropped.
fn fraction(input: &str) -> StampResult<'_, (usize, i64)> {
    let bytes = input.as_bytes();
    let mut us = 0;
    let mut unit = SECOND_US / 10;
    let mut n = 0;
    while n < bytes.len() && bytes[n].is_ascii_digit() {
        us += i64::from(bytes[n] - b'0') * unit;
        unit /= 10;
        n += 1;
    }
    Ok((&input[n..], (n, us)))
}

pub(super) const MONTHS: [&[u8; 3]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

fn month(input: &str) -> StampResult<'_, u32> {
    named(input, &MONTHS).or_else(|_| words::month(input))
}

/// What follows a month's name and a blank, in any language.
pub(super) fn behind_month(input: &str) -> Option<&str> {
    month(input).ok().map(|(rest, _)| rest)
}

/// A month, whatever follows it.
pub(super) fn month_name(input: &str) -> StampResult<'_, u32> {
    let &[a, b, c, ..] = input.as_bytes() else {
        return fail();
    };
    match MONTHS.iter().position(|n| **n == [a | 0x20, b | 0x20, c | 0x20]) {
        Some(i) => Ok((&input[3..], i as u32 + 1)),
        None => fail(),
    }
}

const WEEKDAYS: [&[u8; 3]; 7] = [b"sun", b"mon", b"tue", b"wed", b"thu", b"fri", b"sat"];

pub(super) fn weekday(input: &str) -> StampResult<'_, ()> {
    named(input, &WEEKDAYS).map(|(rest, _)| (rest, ())).or_else(|_| words::weekday(input))
}

/// A weekday before a comma and a blank (RFC 5322 section 3.3).
fn weekday_comma(input: &str) -> StampResult<'_, ()> {
    match input.as_bytes() {
        &[a, b, c, b',', b' ', ..] if WEEKDAYS.contains(&&[a | 0x20, b | 0x20, c | 0x20]) => Ok((&input[4..], ())),
        _ => fail(),
    }
}

/// One of `names` in any letter case, by its number from 1, followed by a blank.
fn named<'a>(input: &'a str, names: &[&[u8; 3]]) -> StampResult<'a, u32> {
    let &[a, b, c, b' ', ..] = input.as_bytes() else {
        return fail();
    };
    let word = [a | 0x20, b | 0x20, c | 0x20];
    match names.iter().position(|n| **n == word) {
        Some(i) => Ok((&input[3..], i as u32 + 1)),
        None => fail(),
    }
}

type Local = (i64, i64, Option<i64>);

fn ctime(input: &str) -> StampResult<'_, Local> {
    let (rest, month) = month(input)?;
    let (rest, day) = preceded(space1, digits(1, 2)).parse(rest)?;
    let (rest, us) = preceded(space1, clock_us).parse(rest)?;
    let (rest, year) = preceded(space1, year).parse(rest)?;
    match calendar::days(year, month, day) {
        Some(day) => Ok((rest, (day, us, None))),
        None => fail(),
    }
}

fn long_date(input: &str) -> StampResult<'_, Local> {
    let (rest, day) = terminated(digits(1, 2), space1).parse(input)?;
    let (rest, month) = month(rest)?;
    let (rest, year) = preceded(space1, year).parse(rest)?;
    let (rest, us) = preceded(space1, clock_us).parse(rest)?;
    let (rest, half) = opt(preceded(space1, terminated(one_of("AP"), char('M')))).parse(rest)?;
    let (rest, zone) = match opt(preceded(space1, zone_name)).parse(rest)? {
        (rest, Some(zone)) => (rest, zone),
        (rest, None) => zone_behind(rest),
    };
    let us = half_day(us, half);
    match calendar::days(year, month, day) {
        Some(day) => Ok((rest, (day, us, zone))),
        None => fail(),
    }
}

#[cfg(test)]
mod tests;
