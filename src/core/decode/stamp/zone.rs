//! Zones of stamps: offsets, and names that mean one offset everywhere.

use nom::Parser;
use nom::branch::alt;
use nom::character::complete::{char, one_of};
use nom::combinator::{opt, value};

use super::{Stamp, StampResult, digits, fail, terminated_word, year};
use crate::core::base::zone::{Moments, Zone};
use crate::core::decode::calendar::SECOND_US;

/// `Z`, `+01:00`, `+0100` or `+01`.
pub(in crate::core::decode) fn zone_number(input: &str) -> StampResult<'_, i64> {
    alt((value(0, char('Z')), offset, hours)).parse(input)
}

/// ("+" / "-") 2DIGIT as a word of its own, in seconds east.
fn hours(input: &str) -> StampResult<'_, i64> {
    let (rest, sign) = one_of("+-").parse(input)?;
    let (rest, hours) = digits(2, 2)(rest)?;
    if hours > 14 || !ends(rest) {
        return fail();
    }
    let east = i64::from(hours * 3600);
    Ok((rest, if sign == '-' { -east } else { east }))
}

/// True if no part of a zone follows.
fn ends(rest: &str) -> bool {
    matches!(rest.as_bytes().first(), None | Some(b' ' | b':' | b']' | b',' | b';' | b'|' | b'\t' | b'>' | b'['))
}

/// offset = ("+" / "-") 2DIGIT [":"] 2DIGIT, in seconds east.
pub(super) fn offset(input: &str) -> StampResult<'_, i64> {
    let (rest, sign) = one_of("+-").parse(input)?;
    let (rest, hours) = digits(2, 2)(rest)?;
    let (rest, _) = opt(char(':')).parse(rest)?;
    let (rest, minutes) = digits(2, 2)(rest)?;
    if hours > 23 || minutes > 59 {
        return fail();
    }
    let east = i64::from(hours * 3600 + minutes * 60);
    Ok((rest, if sign == '-' { -east } else { east }))
}

/// The names of zones that mean one offset everywhere, in hours east. Other names are not guessed.
pub(super) const ZONES: [(&str, i64); 36] = [
    ("UTC", 0),
    ("GMT", 0),
    ("WET", 0),
    ("WEST", 1),
    ("CET", 1),
    ("MET", 1),
    ("CEST", 2),
    ("EET", 2),
    ("EEST", 3),
    ("MSK", 3),
    ("EST", -5),
    ("EDT", -4),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
    ("JST", 9),
    ("KST", 9),
    ("SAST", 2),
    ("HKT", 8),
    ("SGT", 8),
    ("AEST", 10),
    ("AEDT", 11),
    ("NZST", 12),
    ("NZDT", 13),
    ("MEZ", 1),
    ("MESZ", 2),
    ("IDT", 3),
    ("PKT", 5),
    ("WIB", 7),
    ("AWST", 8),
    ("AKST", -9),
    ("AKDT", -8),
    ("HST", -10),
    ("BRT", -3),
];

/// The name of a zone, and its seconds east if the name means one offset. Capital letters that are not in the table are a zone
/// only before `:` (Cisco) or a year (RFC 3164 section 5.4, example 3: `CST 1987`); elsewhere they are a host.
pub(super) fn zone_name(input: &str) -> StampResult<'_, Option<i64>> {
    let n = input.bytes().take_while(u8::is_ascii_uppercase).take(6).count();
    if !(2..=5).contains(&n) {
        return fail();
    }
    let (name, rest) = input.split_at(n);
    let known = ZONES.iter().find(|(z, _)| *z == name);
    let zone_follows = match rest.as_bytes() {
        [b':', b' ', ..] => true,
        [b' ', ..] => known.is_some() || terminated_word(year).parse(&rest[1..]).is_ok(),
        [b'.', b'0'..=b'9', ..] => true,
        _ => false,
    };
    if zone_follows { Ok((rest, known.map(|(_, hours)| hours * 3600))) } else { fail() }
}

/// Names that mean several offsets. They count as zones without an offset, and the source's own zone applies.
const AMBIGUOUS: [&str; 6] = ["CST", "IST", "BST", "AST", "GST", "SST"];

/// A zone behind a blank, if it is a word of its own: `+0800`, `-08:00`, `-03`, `UTC`, `CEST`, `GMT+1`. Returns what follows it,
/// or the whole text.
pub(super) fn zone_behind(rest: &str) -> (&str, Option<i64>) {
    let Some(behind) = rest.strip_prefix(' ') else { return (rest, None) };
    match behind.as_bytes().first() {
        Some(b'+' | b'-') => match offset(behind).or_else(|_| hours(behind)) {
            Ok((after, east_s)) if ends(after) => (without_name(after), Some(east_s)),
            _ => (rest, None),
        },
        Some(b'A'..=b'Z') => {
            let n = behind.bytes().take_while(u8::is_ascii_uppercase).take(6).count();
            let (name, after) = behind.split_at(n);
            if matches!(name, "UTC" | "GMT")
                && let Some((after, east_s)) = from_utc(after)
            {
                return (after, Some(east_s));
            }
            if !ends(after) {
                return (rest, None);
            }
            match ZONES.iter().find(|(zone, _)| *zone == name) {
                Some((_, hours)) => (after, Some(hours * 3600)),
                None if AMBIGUOUS.contains(&name) => (after, None),
                None => (rest, None),
            }
        }
        _ => (rest, None),
    }
}

/// What follows the name of a zone behind its offset, as Go writes both: `+0100 CET`. Or the whole text.
fn without_name(rest: &str) -> &str {
    let Some(behind) = rest.strip_prefix(' ') else { return rest };
    let (name, after) = behind.split_at(behind.bytes().take_while(u8::is_ascii_uppercase).take(6).count());
    let known = AMBIGUOUS.contains(&name) || ZONES.iter().any(|(zone, _)| *zone == name);
    if known && ends(after) { after } else { rest }
}

/// ("+" / "-") 1*2DIGIT [[":"] 2DIGIT] behind `UTC` or `GMT`, in seconds east. JavaScript writes the zone's long name behind it in
/// parentheses.
fn from_utc(after: &str) -> Option<(&str, i64)> {
    let (rest, sign) = one_of::<_, _, ()>("+-").parse(after).ok()?;
    let (rest, hours) = digits(1, 2)(rest).ok()?;
    let (rest, minutes) = opt((opt(char(':')), digits(2, 2))).parse(rest).ok()?;
    let minutes = minutes.map_or(0, |(_, minutes)| minutes);
    if hours > 14 || minutes > 59 || !ends(rest) {
        return None;
    }
    let long = rest.strip_prefix(" (").and_then(|inner| inner.split_once(')'));
    let rest = match long {
        Some((name, behind)) if name.chars().all(|c| c.is_alphabetic() || c == ' ') => behind,
        _ => rest,
    };
    let east = i64::from(hours * 3600 + minutes * 60);
    Some((rest, if sign == '-' { -east } else { east }))
}

/// A place of the IANA database behind a stamp: `14-Mar-2026 02:11:57 Europe/Berlin`. Returns what follows it, with its offset at
/// that time, or both unchanged. A stamp without a year has the source's own zone.
pub(super) fn place_behind(rest: &str, stamp: Stamp) -> (&str, Stamp) {
    let word = rest[1..].split([' ', ']']).next().unwrap_or_default();
    if !word.contains('/') {
        return (rest, stamp);
    }
    let Some(zone) = Zone::parse(word) else { return (rest, stamp) };
    let east_s = stamp.local_us().map(|local_us| {
        let (Moments::One(at) | Moments::Two(at, _)) = zone.moments(local_us);
        (local_us - at.micros()) / SECOND_US
    });
    (&rest[1 + word.len()..], Stamp { east_s, ..stamp })
}
