//! Stamps that one kind of program writes. Each form includes what surrounds the stamp there, so that little else is taken for
//! one.
//!
//! In: a line in which nothing else was recognised. Out: its stamp, what follows it, and the level and process if the form has
//! them. The first byte selects the form, because most lines have none of them.
//!
//! Each form has a sample in [`super::forms`].

use nom::Parser;
use nom::character::complete::{char, one_of};
use nom::sequence::{preceded, terminated};

use super::{
    Day, EPOCH_S, Stamp, StampResult, ZONES, calendar, clock_us, date, digits, epoch, fail, full, iso, month, month_name, offset,
    on, slashed, year,
};
use crate::core::decode::calendar::{DAY_US, SECOND_US};
use crate::core::decode::level;
use crate::core::event::Level;

/// The greatest offset at which the bracket of an access log may begin.
const BRACKET_WITHIN: usize = 200;
/// The days of this century, since 1970-01-01.
const CENTURY: std::ops::Range<i64> = 10_957..47_482;
/// The TAI64 seconds of 1970-01-01, with the ten leap seconds that multilog adds.
const TAI64_EPOCH: u64 = (1 << 62) + 10;

/// The beginning of such a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core::decode) struct Dated<'a> {
    pub(in crate::core::decode) stamp: Stamp,
    /// What follows the stamp; `None` if the stamp is inside the text of the record.
    pub(in crate::core::decode) behind: Option<&'a str>,
    pub(in crate::core::decode) level: Option<Level>,
    pub(in crate::core::decode) pid: &'a str,
    pub(in crate::core::decode) host: &'a str,
}

/// The stamp with which a line begins.
pub(in crate::core::decode) fn begun(record: &str) -> Option<Dated<'_>> {
    let plain = |(behind, stamp)| Dated { stamp, behind: Some(behind), level: None, pid: "", host: "" };
    match record.as_bytes() {
        [b'0'..=b'9', ..] => numeric(record),
        [b'@', b'4', ..] => tai64n(&record[1..]).map(plain),
        [b'I' | b'W' | b'E' | b'F', b'0'..=b'9', ..] => {
            // Nothing else says here that it is a head, so the stamp must be exactly as klog writes it.
            let found = whole(klog(&record[1..]))?;
            let clock = record[..record.len() - found.0.len()].rsplit(' ').next()?;
            (clock.len() == "09:15:02.123456".len()).then(|| Dated { level: level::letter(&record[..1]), ..plain(found) })
        }
        [b't', b'y', b'p', b'e', b'=', ..] => {
            audit(&record[5..]).map(|stamp| Dated { stamp, behind: None, level: None, pid: "", host: "" })
        }
        [b'n', b'o', b'd', b'e', b'=', ..] => {
            let (host, rest) = record[5..].split_once(' ')?;
            let stamp = audit(rest.strip_prefix("type=")?)?;
            Some(Dated { stamp, behind: None, level: None, pid: "", host })
        }
        _ => None,
    }
}

/// The stamp of an access log: in brackets behind three to five words without a quote, so a stamp in a quoted body does not
/// count.
pub(in crate::core::decode) fn access(record: &str) -> Option<Stamp> {
    let bytes = record.as_bytes();
    if !matches!(bytes.first(), Some(b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b':')) {
        return None;
    }
    let open = bytes.iter().take(BRACKET_WITHIN).position(|b| *b == b'[')?;
    let (before, inner) = (&record[..open], &record[open + 1..]);
    let words = before.strip_suffix(' ')?;
    if words.contains(['"', '\'']) || !(3..=5).contains(&words.split(' ').filter(|w| !w.is_empty()).count()) {
        return None;
    }
    let (rest, day) = day_month_year(inner, '/').ok()?;
    let (rest, us) = preceded(char(':'), clock_us).parse(rest).ok()?;
    closed(rest, full(day, us, None))
}

/// The level of klog at the beginning of a text, and what follows its stamp. For texts behind another head: the fraction may have
/// fewer digits.
pub(in crate::core::decode) fn klog_level(text: &str) -> Option<(Level, &str)> {
    let [b'I' | b'W' | b'E' | b'F', b'0'..=b'9', ..] = text.as_bytes() else { return None };
    let (behind, _) = whole(klog(&text[1..]))?;
    Some((level::letter(&text[..1])?, behind))
}

/// What follows a stamp at the front of a line: a blank, a colon, or nothing.
fn whole(found: StampResult<'_, Stamp>) -> Option<(&str, Stamp)> {
    let (rest, stamp) = found.ok()?;
    matches!(rest.as_bytes().first(), None | Some(b' ' | b'\t' | b':' | b'|')).then_some((rest, stamp))
}

fn numeric(record: &str) -> Option<Dated<'_>> {
    let bytes = record.as_bytes();
    let count = bytes.iter().take(20).take_while(|b| b.is_ascii_digit()).count();
    let found = match (count, bytes.get(count)?) {
        (4, b'-') => whole(iso(record)).or_else(|| whole(padded_iso(record))),
        (4, b'.') => whole(pieces(record, b'.', ' ')),
        (4, b':') if bytes.get(5).is_some_and(u8::is_ascii_digit) => whole(pieces(record, b':', '-')),
        (6, b' ') => whole(mysql(record)),
        (1, b'.') | (10, b'.') | (13 | 16 | 19, b' ' | b'\t') => since_1970(record),
        (1..=7, b':') => {
            let (behind, stamp, level) = redis(&record[count + 1..])?;
            return Some(Dated { stamp, behind: Some(behind), level, pid: &record[..count], host: "" });
        }
        _ => None,
    };
    found.map(|(behind, stamp)| Dated { stamp, behind: Some(behind), level: None, pid: "", host: "" })
}

/// yyyy sep mm sep dd between clock.
fn pieces(input: &str, separator: u8, between: char) -> StampResult<'_, Stamp> {
    let (rest, day) = date(input, separator)?;
    let (rest, us) = preceded(char(between), clock_us).parse(rest)?;
    Ok((rest, full(day, us, None)))
}

fn padded_iso(input: &str) -> StampResult<'_, Stamp> {
    let (rest, day) = date(input, b'-')?;
    let (rest, us) = preceded(char(' '), padded).parse(rest)?;
    Ok((rest, full(day, us, None)))
}

/// yymmdd and a clock whose hour may be padded with a blank.
fn mysql(input: &str) -> StampResult<'_, Stamp> {
    let (rest, year) = digits(2, 2)(input)?;
    let (rest, month) = digits(2, 2)(rest)?;
    let (rest, day) = digits(2, 2)(rest)?;
    let (rest, _) = char(' ').parse(rest)?;
    let (rest, us) = clock_us(rest).or_else(|_| padded(rest))?;
    on(rest, Some(2000 + year as i32), month, day, us, None)
}

/// A clock whose hour is a blank and a digit.
fn padded(input: &str) -> StampResult<'_, i64> {
    let (rest, hour) = preceded(char(' '), digits(1, 1)).parse(input)?;
    let (rest, minute) = preceded(char(':'), digits(2, 2)).parse(rest)?;
    let (rest, second) = preceded(char(':'), digits(2, 2)).parse(rest)?;
    if minute > 59 || second > 60 {
        return fail();
    }
    Ok((rest, i64::from(hour * 3600 + minute * 60 + second) * SECOND_US))
}

/// Seconds since 1970 with a fraction or an exponent, or milliseconds, microseconds or nanoseconds, and a blank: in this century,
/// because other numbers may begin a line as well.
fn since_1970(record: &str) -> Option<(&str, Stamp)> {
    let (number, _) = record.split_at(record.bytes().take(32).position(|b| matches!(b, b' ' | b'\t'))?);
    let whole = number.split('.').next()?;
    // `1.773454317123e+09` of zap.
    if whole.len() == 1 && !number.ends_with("e+09") {
        return None;
    }
    let stamp = epoch(number).filter(|stamp| matches!(stamp.day, Day::Full(day) if CENTURY.contains(&day)))?;
    Some((&record[number.len()..], stamp))
}

/// role blank day blank month blank year blank clock blank level blank, behind the process's number.
fn redis(rest: &str) -> Option<(&str, Stamp, Option<Level>)> {
    let (behind, stamp) = redis_stamp(rest).ok()?;
    let &[b' ', mark, b' ', ..] = behind.as_bytes() else { return None };
    let level = match mark {
        b'.' => Level::Debug,
        b'-' => Level::Info,
        b'*' => Level::Notice,
        b'#' => Level::Warning,
        _ => return None,
    };
    Some((&behind[3..], stamp, Some(level)))
}

fn redis_stamp(rest: &str) -> StampResult<'_, Stamp> {
    let (rest, _) = terminated(one_of("MSCX"), char(' ')).parse(rest)?;
    let (rest, day) = terminated(digits(2, 2), char(' ')).parse(rest)?;
    let (rest, month) = terminated(month, char(' ')).parse(rest)?;
    let (rest, year) = terminated(year, char(' ')).parse(rest)?;
    let (rest, us) = clock_us(rest)?;
    on(rest, Some(year), month, day, us, None)
}

/// [[yy] yy] mmdd blank clock with a fraction, behind the level's letter.
fn klog(input: &str) -> StampResult<'_, Stamp> {
    let (input, year) = match input.bytes().take(9).take_while(u8::is_ascii_digit).count() {
        8 => year(input).map(|(rest, year)| (rest, Some(year)))?,
        6 => digits(2, 2)(input).map(|(rest, year)| (rest, Some(2000 + year as i32)))?,
        _ => (input, None),
    };
    let (rest, month) = digits(2, 2)(input)?;
    let (rest, day) = terminated(digits(2, 2), char(' ')).parse(rest)?;
    let (behind, us) = clock_us(rest)?;
    if rest.len() - behind.len() <= "09:15:02.".len() {
        return fail();
    }
    on(behind, year, month, day, us, None)
}

/// 16 hex digits of seconds and 8 of nanoseconds.
fn tai64n(rest: &str) -> Option<(&str, Stamp)> {
    let (seconds, nanos) = (rest.get(..16)?, rest.get(16..24)?);
    let ends = matches!(rest.as_bytes().get(24), None | Some(b' '));
    if !ends || !rest.bytes().take(24).all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let seconds = u64::from_str_radix(seconds, 16).ok()?.checked_sub(TAI64_EPOCH)?;
    let nanos = i64::from_str_radix(nanos, 16).ok()?;
    if !EPOCH_S.contains(&seconds) || nanos >= 1_000_000_000 {
        return None;
    }
    let us = seconds as i64 * SECOND_US + nanos / 1_000;
    Some((&rest[24..], full(us.div_euclid(DAY_US), us.rem_euclid(DAY_US), Some(0))))
}

/// kind " msg=audit(" (seconds / date) ":" serial ")"
fn audit(rest: &str) -> Option<Stamp> {
    let (kind, rest) = rest.split_once(' ')?;
    let named = kind.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'[' | b']'));
    let (written, _) = rest.strip_prefix("msg=audit(")?.split_once(')')?;
    let (written, serial) = written.rsplit_once(':')?;
    let serial = !serial.is_empty() && serial.bytes().all(|b| b.is_ascii_digit());
    if !(named && serial) {
        return None;
    }
    // `03/14/2026 02:11:57.123`, as `ausearch -i` writes it.
    if written.contains('/') {
        return slashed(written).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, stamp)| stamp);
    }
    (written.len() == 14 && written.as_bytes()[10] == b'.').then(|| epoch(written)).flatten()
}

fn day_month_year(input: &str, separator: char) -> StampResult<'_, i64> {
    let (rest, day) = terminated(digits(1, 2), char(separator)).parse(input)?;
    let (rest, month) = terminated(month_name, char(separator)).parse(rest)?;
    let (rest, year) = year(rest)?;
    match calendar::days(year, month, day) {
        Some(day) => Ok((rest, day)),
        None => fail(),
    }
}

/// The zone, if there is one, and the bracket's end, which a blank, a colon or nothing follows.
fn closed(rest: &str, stamp: Stamp) -> Option<Stamp> {
    let (zone, behind) = rest.split_once(']')?;
    let east_s = match zone.trim_matches(' ') {
        "" => None,
        zone => Some(match offset(zone) {
            Ok(("", east_s)) => east_s,
            _ => ZONES.iter().find(|(name, _)| *name == zone)?.1 * 3600,
        }),
    };
    (zone.is_empty() || zone.starts_with(' ')).then_some(())?;
    matches!(behind.as_bytes().first(), None | Some(b' ' | b':')).then_some(Stamp { east_s, ..stamp })
}
