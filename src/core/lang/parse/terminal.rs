//! The terminals of the grammar, as nom parsers over the rest of the file. Each returns the bytes that it read.
//!
//! A word or a number ends where no letter, digit or underscore follows: `5x` is neither a number nor a name.

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while, take_while_m_n, take_while1};
use nom::character::complete::{none_of, one_of, satisfy};
use nom::combinator::{not, opt, recognize};
use nom::multi::{count, many0_count, many1_count};
use nom::{IResult, Parser};

/// The result of a terminal: the rest, and what was read.
pub(super) type TerminalResult<'s> = IResult<&'s str, &'s str>;

/// `NAME = /[A-Za-z_][A-Za-z0-9_.-]*/`
pub(super) fn name(i: &str) -> TerminalResult<'_> {
    recognize((
        satisfy(|c| c.is_ascii_alphabetic() || c == '_'),
        take_while(|c: char| c.is_ascii_alphanumeric() || "_.-".contains(c)),
    ))
    .parse(i)
}

/// `WORD = /[A-Za-z_][A-Za-z0-9_.-]*/`
pub(super) fn word(i: &str) -> TerminalResult<'_> {
    name(i)
}

/// `FIELD_OF = /[A-Za-z_][A-Za-z0-9_-]*\.[A-Za-z0-9_.-]+/`
pub(super) fn field_of(i: &str) -> TerminalResult<'_> {
    recognize((
        satisfy(|c| c.is_ascii_alphabetic() || c == '_'),
        take_while(|c: char| c.is_ascii_alphanumeric() || "_-".contains(c)),
        tag("."),
        take_while1(|c: char| c.is_ascii_alphanumeric() || "_.-".contains(c)),
    ))
    .parse(i)
}

/// `STRING = /"([^"\\\r\n]|\\["\\nrt])*"/`
pub(super) fn string(i: &str) -> TerminalResult<'_> {
    recognize((tag("\""), many0_count(alt((is_not("\"\\\r\n"), recognize((tag("\\"), one_of("\"\\nrt")))))), tag("\""))).parse(i)
}

/// `REGEX = /\/([^\/\\\r\n]|\\[^\r\n])+\/[is]*/`
pub(super) fn regex(i: &str) -> TerminalResult<'_> {
    recognize((tag("/"), many1_count(alt((is_not("/\\\r\n"), recognize((tag("\\"), none_of("\r\n")))))), tag("/"), flags))
        .parse(i)
}

/// `RAW_REGEX = /r"[^"\r\n]+"[is]*/`
pub(super) fn raw_regex(i: &str) -> TerminalResult<'_> {
    recognize((tag("r\""), is_not("\"\r\n"), tag("\""), flags)).parse(i)
}

/// `RECORD = /\|[^\n]*/`
pub(super) fn record(i: &str) -> TerminalResult<'_> {
    recognize((tag("|"), take_while(|c| c != '\n'))).parse(i)
}

/// `ID = /(GCTI-)?[0-9]{2}-[0-9]{1,5}/`
pub(super) fn id(i: &str) -> TerminalResult<'_> {
    recognize((opt(tag("GCTI-")), digits(2, 2), tag("-"), digits(1, 5), end)).parse(i)
}

/// `NETWORK = /[0-9]{1,3}(\.[0-9]{1,3}){3}\/[0-9]{1,2}/`
pub(super) fn network(i: &str) -> TerminalResult<'_> {
    recognize((quad, tag("/"), digits(1, 2), end)).parse(i)
}

/// `ADDRESS = /[0-9]{1,3}(\.[0-9]{1,3}){3}/`
pub(super) fn address(i: &str) -> TerminalResult<'_> {
    recognize((quad, end)).parse(i)
}

/// `DURATION = /([0-9]+(\.[0-9]+)?(ms|[smhdw]))+/`
pub(super) fn duration(i: &str) -> TerminalResult<'_> {
    recognize((many1_count((decimal, alt((tag("ms"), recognize(one_of("smhdw")))))), end)).parse(i)
}

/// `NUMBER = /-?[0-9]+(\.[0-9]+)?/`
pub(super) fn number(i: &str) -> TerminalResult<'_> {
    recognize((opt(tag("-")), decimal, end)).parse(i)
}

/// `INTEGER = /[0-9]{1,5}/`
pub(super) fn integer(i: &str) -> TerminalResult<'_> {
    recognize((digits(1, 5), end)).parse(i)
}

/// `COMPARISON = /==|!=|<=|>=|<|>/`
pub(super) fn comparison(i: &str) -> TerminalResult<'_> {
    alt((tag("=="), tag("!="), tag("<="), tag(">="), tag("<"), tag(">"))).parse(i)
}

/// `SIZE = /[0-9]+(\.[0-9]+)?[KMGT]B/`
pub(super) fn size(i: &str) -> TerminalResult<'_> {
    recognize((decimal, one_of("KMGT"), tag("B"), end)).parse(i)
}

/// `PERCENT = /[0-9]+(\.[0-9]+)?%/`
pub(super) fn percent(i: &str) -> TerminalResult<'_> {
    recognize((decimal, tag("%"))).parse(i)
}

/// `FACTOR = /[0-9]{1,3}x/`
pub(super) fn factor(i: &str) -> TerminalResult<'_> {
    recognize((digits(1, 3), tag("x"), end)).parse(i)
}

/// `DATE = /[0-9]{4}-[0-9]{2}-[0-9]{2}/`
pub(super) fn date(i: &str) -> TerminalResult<'_> {
    recognize((digits(4, 4), tag("-"), digits(2, 2), tag("-"), digits(2, 2), end)).parse(i)
}

/// `TIME = /[0-9]{1,2}:[0-9]{2}/`
pub(super) fn time(i: &str) -> TerminalResult<'_> {
    recognize((digits(1, 2), tag(":"), digits(2, 2), end)).parse(i)
}

/// `DAY = /[A-Za-z]+/`
pub(super) fn day(i: &str) -> TerminalResult<'_> {
    recognize((take_while1(|c: char| c.is_ascii_alphabetic()), end)).parse(i)
}

/// Digits and letters that begin like a number: `5`, `5x`, `00-4561`, `1.2.3`. For messages.
pub(super) fn numberish(i: &str) -> TerminalResult<'_> {
    recognize((
        opt(tag("-")),
        satisfy(|c| c.is_ascii_digit()),
        take_while(|c: char| c.is_ascii_alphanumeric() || "_.-%".contains(c)),
    ))
    .parse(i)
}

/// Blanks, line breaks and comments.
pub(super) fn blank(i: &str) -> TerminalResult<'_> {
    recognize(many0_count(alt((
        take_while1(|c: char| matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{FEFF}')),
        recognize((tag("#"), take_while(|c| c != '\n'))),
    ))))
    .parse(i)
}

/// Letters after a regular expression. All are read, so that an unknown flag can be named.
fn flags(i: &str) -> TerminalResult<'_> {
    take_while(|c: char| c.is_ascii_alphanumeric() || c == '_').parse(i)
}

fn digits<'s>(min: usize, max: usize) -> impl Parser<&'s str, Output = &'s str, Error = nom::error::Error<&'s str>> {
    take_while_m_n(min, max, |c: char| c.is_ascii_digit())
}

fn decimal(i: &str) -> TerminalResult<'_> {
    let ones = take_while1(|c: char| c.is_ascii_digit());
    let fraction = (tag("."), take_while1(|c: char| c.is_ascii_digit()));
    recognize((ones, opt(fraction))).parse(i)
}

fn quad(i: &str) -> TerminalResult<'_> {
    recognize((digits(1, 3), count((tag("."), digits(1, 3)), 3))).parse(i)
}

/// Succeeds if no letter, digit or underscore follows.
fn end(i: &str) -> IResult<&str, ()> {
    not(satisfy(|c| c.is_ascii_alphanumeric() || c == '_')).parse(i)
}
