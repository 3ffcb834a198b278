//! Stamps that only some kinds of program write. Punctuation distinguishes them.

use nom::Parser;
use nom::branch::alt;
use nom::character::complete::{char, one_of, space1};
use nom::combinator::{map, opt};
use nom::sequence::{pair, preceded, terminated};

use super::{
    Stamp, StampResult, bsd, clock_of_day, clock_us, date, digits, fail, fraction, full, half_behind, iso, month, month_name,
    named_zone, offset, on, short_or_long_year, weekday, weekday_comma, words, year, zone,
};
use crate::core::decode::calendar::SECOND_US;

/// clock [blank ("AM" / "PM")] in any letter case. Its hour may have one digit, and its seconds may be missing.
pub(super) fn clock_12(input: &str) -> StampResult<'_, i64> {
    let (rest, us) = clock_of_day(input).or_else(|_| minutes(input))?;
    Ok(half_behind(rest, us))
}

/// hour ":" 2DIGIT, a time of day without seconds, as a word of its own.
fn minutes(input: &str) -> StampResult<'_, i64> {
    let (rest, hour) = terminated(digits(1, 2), char(':')).parse(input)?;
    let (rest, minute) = digits(2, 2)(rest)?;
    let ends = matches!(rest.as_bytes().first(), None | Some(b' ' | b']' | b',' | b'|' | b'\t' | b'"'));
    if hour > 23 || minute > 59 || !ends {
        return fail();
    }
    Ok((rest, i64::from(hour * 3600 + minute * 60) * SECOND_US))
}

/// The same as [`iso`], with a month, a day and an hour that may have one digit, and without seconds: `2026-3-4 2:11`.
pub(super) fn loose_iso(input: &str) -> StampResult<'_, Stamp> {
    let (rest, year) = year(input)?;
    let (rest, separator) = one_of("-/").parse(rest)?;
    let (rest, month) = terminated(digits(1, 2), char(separator)).parse(rest)?;
    let (rest, day) = digits(1, 2)(rest)?;
    let (rest, us) = preceded(one_of("T "), clock_12).parse(rest)?;
    let (rest, east_s) = zone(rest);
    on(rest, Some(year), month, day, us, east_s)
}

pub(super) fn short_hour(input: &str) -> StampResult<'_, i64> {
    // In a buffer, with its missing digit added, it is a clock like any other.
    let end = input
        .bytes()
        .take(20)
        .position(|b| !b.is_ascii_digit() && !matches!(b, b':' | b'.' | b','))
        .unwrap_or(input.len().min(20));
    let (Some(clock), Some(rest)) = (input.get(..end), input.get(end..)) else { return fail() };
    let padded = format!("0{clock}");
    match clock_us(&padded) {
        Ok((behind, us)) => Ok((&input[input.len() - rest.len() - behind.len()..], us)),
        Err(_) => fail(),
    }
}

/// day sep month-name sep year, then a blank, or a colon, or two colons, the time and the zone: `14-Mar-2026 02:11:57.123`,
/// `14/Mar/2026:02:11:57 +0100`, `14-Mar-2026::02:11:57`.
pub(super) fn day_month_year(input: &str, separator: u8) -> StampResult<'_, Stamp> {
    let separator = char::from(separator);
    let (rest, day) = terminated(digits(1, 2), char(separator)).parse(input)?;
    let (rest, month) = terminated(month_name, char(separator)).parse(rest)?;
    let (rest, year) = short_or_long_year(rest)?;
    let (rest, _) = one_of(" :").parse(rest)?;
    let (rest, _) = opt(char(':')).parse(rest)?;
    let (rest, us) = clock_12(rest)?;
    let (rest, east_s) = zone(rest);
    on(rest, Some(year), month, day, us, east_s)
}

/// Digits and a dash or a point: `14-Mar-2026 02:11:57`, `03-14 02:11:57.123` (logcat), `14-03-2026 02:11:57 +0300`,
/// `14.03.2026 02:11:57`, `14.3.26, 2:11:57`. Except for logcat, the day comes first if the first number may be one.
pub(super) fn two_digits(input: &str) -> StampResult<'_, Stamp> {
    match input.as_bytes() {
        [_, _, b'-', b'A'..=b'Z' | b'a'..=b'z', ..] => day_month_year(input, b'-'),
        [_, _, b'-', _, _, b' ', ..] => {
            let (rest, month) = terminated(digits(2, 2), char('-')).parse(input)?;
            let (rest, day) = terminated(digits(2, 2), char(' ')).parse(rest)?;
            let (rest, us) = clock_us(rest)?;
            on(rest, None, month, day, us, None)
        }
        [_, _, b'-', _, _, b'-', ..] => {
            let (rest, day) = terminated(digits(2, 2), char('-')).parse(input)?;
            let (rest, month) = terminated(digits(2, 2), char('-')).parse(rest)?;
            let (behind, year) = short_or_long_year(rest)?;
            // `03-14-26`: with a short year, the first number must be the month.
            let short = rest.len() - behind.len() == 2;
            let (rest, us) = preceded(one_of(" \t"), clock_12).parse(behind)?;
            let (rest, east_s) = zone(rest);
            match on(rest, Some(year), month, day, us, east_s) {
                Ok(_) if short => fail(),
                Ok(found) => Ok(found),
                Err(_) => on(rest, Some(year), day, month, us, east_s),
            }
        }
        [_, b'.', ..] | [_, _, b'.', ..] => {
            let (rest, day) = terminated(digits(1, 2), char('.')).parse(input)?;
            let (rest, month) = terminated(digits(1, 2), char('.')).parse(rest)?;
            let (rest, year) = short_or_long_year(rest)?;
            let (rest, _) = opt(char(',')).parse(rest)?;
            let (rest, us) = preceded(one_of(" _-"), clock_12).parse(rest)?;
            let (rest, east_s) = zone(rest);
            on(rest, Some(year), month, day, us, east_s)
        }
        _ => fail(),
    }
}

/// day month-name [year] clock [zone]: `14 Mar 2026 02:11:57`, `14 Mar 02:11:57.123`.
pub(super) fn day_first(input: &str) -> StampResult<'_, Stamp> {
    let (rest, day) = terminated(digits(1, 2), char(' ')).parse(input)?;
    let (rest, month) = month(rest)?;
    let (rest, year) = opt(preceded(space1, year)).parse(rest)?;
    let (rest, us) = preceded(space1, clock_us).parse(rest)?;
    let (rest, east_s) = zone(rest);
    on(rest, year, month, day, us, east_s)
}

/// yyyy-mm-dd-hh.mm.ss.uuuuuu and the minutes east of UTC: `2026-03-14-02.11.57.123456+060`, as Db2 writes it.
pub(super) fn db2(input: &str) -> StampResult<'_, Stamp> {
    let (rest, day) = date(input, b'-')?;
    let (rest, hour) = preceded(char('-'), digits(2, 2)).parse(rest)?;
    let (rest, minute) = preceded(char('.'), digits(2, 2)).parse(rest)?;
    let (rest, second) = preceded(char('.'), digits(2, 2)).parse(rest)?;
    let (rest, (_, part)) = preceded(char('.'), fraction).parse(rest)?;
    let (rest, sign) = one_of("+-").parse(rest)?;
    let (rest, minutes) = digits(3, 3)(rest)?;
    if hour > 23 || minute > 59 || second > 60 || minutes > 14 * 60 {
        return fail();
    }
    let us = i64::from(hour * 3600 + minute * 60 + second) * SECOND_US + part;
    let east_s = i64::from(minutes) * 60;
    Ok((rest, full(day, us, Some(if sign == '-' { -east_s } else { east_s }))))
}

/// year month-name day clock [zone]: `2026 Mar 14 02:11:57.123 UTC`, as NX-OS writes it.
pub(super) fn year_first(input: &str) -> StampResult<'_, Stamp> {
    let (rest, year) = terminated(year, space1).parse(input)?;
    let (rest, month) = month(rest)?;
    let (rest, day) = preceded(space1, digits(1, 2)).parse(rest)?;
    let (rest, us) = preceded(space1, clock_us).parse(rest)?;
    let (rest, east_s) = zone(rest);
    on(rest, Some(year), month, day, us, east_s)
}

/// yyyymmdd, then `T`, a blank, `-`, `_` or a point, and a clock with colons or without: `20260314-02:11:57.123`,
/// `20260314T021157.123Z`. Or mmddyyyy, which is no valid date if it is read the other way.
pub(super) fn compact(input: &str) -> StampResult<'_, Stamp> {
    let (rest, date) = (digits(2, 2), digits(2, 2), digits(2, 2), digits(2, 2)).parse(input)?;
    let (year, month, day) = match date {
        (century, year, month, day) if (1..=12).contains(&month) => (century * 100 + year, month, day),
        (month, day, century, year) => (century * 100 + year, month, day),
    };
    let (rest, _) = one_of("T -_.").parse(rest)?;
    let (rest, us) = match clock_us(rest) {
        Ok(read) => read,
        Err(_) => {
            let (rest, hour) = digits(2, 2)(rest)?;
            let (rest, minute) = digits(2, 2)(rest)?;
            let (rest, second) = digits(2, 2)(rest)?;
            if hour > 23 || minute > 59 || second > 60 || rest.as_bytes().first().is_some_and(u8::is_ascii_digit) {
                return fail();
            }
            let us = i64::from(hour * 3600 + minute * 60 + second) * SECOND_US;
            let (rest, part) = opt(preceded(one_of(".,"), fraction)).parse(rest)?;
            (rest, us + part.map_or(0, |(_, us)| us))
        }
    };
    let (rest, east_s) = zone(rest);
    on(rest, Some(year as i32), month, day, us, east_s)
}

/// A stamp that begins with a month's name and is unlike RFC 3164: `Mar 14, 2026 2:11:57 AM` (Java), `Mar-14-26 02:11:57`,
/// `mar/14/2026 02:11:57` (MikroTik).
pub(super) fn month_first(input: &str) -> StampResult<'_, Stamp> {
    let (rest, month) = words::month(input).or_else(|_| month_name(input))?;
    let (rest, separator) = one_of(" -/").parse(rest)?;
    let (rest, day) = digits(1, 2)(rest)?;
    if separator == '/' && rest.starts_with(' ') {
        let (rest, us) = preceded(char(' '), clock_us).parse(rest)?;
        return on(rest, None, month, day, us, None);
    }
    let (rest, year) = match separator {
        ' ' => preceded((char(','), space1), year).parse(rest)?,
        separator => preceded(char(separator), short_or_long_year).parse(rest)?,
    };
    let (rest, _) = opt(char(',')).parse(rest)?;
    let (rest, us) = preceded(space1, clock_12).parse(rest)?;
    let (rest, east_s) = zone(rest);
    on(rest, Some(year), month, day, us, east_s)
}

/// weekday blank iso: `Sat 2026-03-14 02:11:57 CET`, as journalctl and systemctl write it.
pub(super) fn weekday_iso(input: &str) -> StampResult<'_, Stamp> {
    let (rest, _) = weekday(input)?;
    preceded(char(' '), iso).parse(rest)
}

/// weekday [","] blanks (month blanks day / day blanks month) [blanks year] blanks clock [blank ("AM" / "PM")] [blanks zone]
/// [blanks year], with the year in one of the two places: what `date` prints, with or without `-R`, in English.
pub(super) fn of_date(input: &str) -> StampResult<'_, Stamp> {
    let (rest, ()) = alt((weekday_comma, weekday)).parse(input)?;
    let month_first = pair(month, preceded(space1, digits(1, 2)));
    let day_first = map(pair(digits(1, 2), preceded((opt(char('.')), space1), month)), |(day, month)| (month, day));
    let (rest, (month, day)) = preceded(space1, alt((month_first, day_first))).parse(rest)?;
    let (rest, _) = opt(char(',')).parse(rest)?;
    let (rest, before) = opt(preceded(space1, year)).parse(rest)?;
    let (rest, us) = preceded(space1, clock_12).parse(rest)?;
    if let Some(year) = before {
        let (rest, east_s) = zone(rest);
        return on(rest, Some(year), month, day, us, east_s);
    }
    let (rest, east_s) = opt(preceded(space1, zone_word)).parse(rest)?;
    let (rest, year) = preceded(space1, year).parse(rest)?;
    on(rest, Some(year), month, day, us, east_s.flatten())
}

/// weekday blanks bsd: `Sat Mar 14 02:11:57`.
pub(super) fn weekday_bsd(input: &str) -> StampResult<'_, Stamp> {
    let (rest, ()) = weekday(input)?;
    preceded(space1, bsd).parse(rest)
}

/// A zone between the time and the year, which show that it is one: any capital letters, or an offset, whose minutes may be
/// missing. A name that is not known has no offset.
fn zone_word(input: &str) -> StampResult<'_, Option<i64>> {
    let (word, rest) = input.split_at(input.bytes().position(|b| b == b' ').unwrap_or(input.len()));
    if (2..=5).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok((rest, named_zone(word)));
    }
    let padded = format!("{word}00");
    match offset(if word.len() == 3 { &padded } else { word }) {
        Ok(("", east_s)) => Ok((rest, Some(east_s))),
        _ => fail(),
    }
}
