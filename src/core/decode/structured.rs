//! Structured data of RFC 5424 (section 6.3), as strictly as necessary and as loosely as senders write it.
//!
//! In: text at which structured data begins. Out: the rest, and the fields (`SD-ID.name`; an element without parameters is a
//! field of its id with an empty text). This reader is looser than the RFC. A value may have no quotes (VMware), there may be
//! blanks after `=` and before `]`, and names may be longer than 32 characters. A backslash before anything except `"`, `\` and
//! `]` is a plain character (section 6.3.3). Everything else that is malformed is an error, and the caller keeps it as text.

use std::borrow::Cow;

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::take_while1;
use nom::character::complete::{char, space0, space1};
use nom::multi::{fold_many0, fold_many1};
use nom::sequence::{preceded, separated_pair, terminated};

use crate::core::base::limits::FIELDS_PER_EVENT;
use crate::core::event::Value;

use super::stamp::StampResult;

/// Fields, as an event has them.
pub(super) type StructuredFields<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// STRUCTURED-DATA = NILVALUE / 1*SD-ELEMENT. The flag is true if there were more fields than an event takes.
pub(super) fn data(input: &str) -> StampResult<'_, (StructuredFields<'_>, bool)> {
    if let Some(rest) = input.strip_prefix('-') {
        return Ok((rest, (Vec::new(), false)));
    }
    let mut fields = Vec::new();
    let mut dropped = false;
    let (rest, ()) = fold_many1(
        element,
        || (),
        |(), element| {
            for field in element {
                if fields.len() < FIELDS_PER_EVENT {
                    fields.push(field);
                } else {
                    dropped = true;
                }
            }
        },
    )
    .parse(input)?;
    Ok((rest, (fields, dropped)))
}

/// SD-ELEMENT = "[" SD-ID *(SP SD-PARAM) "]"
fn element(input: &str) -> StampResult<'_, StructuredFields<'_>> {
    let (rest, id) = preceded(char('['), name).parse(input)?;
    // Reads one field more than an event takes, so that the caller sees that there were more.
    let (rest, mut fields) = fold_many0(preceded(space1, param), Vec::new, |mut fields, (name, value)| {
        if fields.len() <= FIELDS_PER_EVENT {
            fields.push((Cow::Owned(format!("{id}.{name}")), Value::Text(value)));
        }
        fields
    })
    .parse(rest)?;
    let (rest, _) = preceded(space0, char(']')).parse(rest)?;
    if fields.is_empty() {
        fields.push((Cow::Borrowed(id), Value::Text(Cow::Borrowed(""))));
    }
    Ok((rest, fields))
}

/// SD-PARAM = PARAM-NAME "=" %d34 PARAM-VALUE %d34
fn param(input: &str) -> StampResult<'_, (&str, Cow<'_, str>)> {
    separated_pair(name, terminated(char('='), space0), alt((quoted, bare))).parse(input)
}

/// SD-NAME = 1*PRINTUSASCII except "=", SP, "]" and %d34
fn name(input: &str) -> StampResult<'_, &str> {
    take_while1(|c: char| c > ' ' && !c.is_control() && !matches!(c, '=' | ']' | '"' | '[')).parse(input)
}

/// A value without quotes, up to the next blank or the end of the element.
fn bare(input: &str) -> StampResult<'_, Cow<'_, str>> {
    take_while1(|c: char| c > ' ' && !matches!(c, ']' | '"')).map(Cow::Borrowed).parse(input)
}

/// PARAM-VALUE in its quotes; borrowed if it contains no escape.
fn quoted(input: &str) -> StampResult<'_, Cow<'_, str>> {
    let (inner, _) = char('"').parse(input)?;
    let mut unescaped: Option<String> = None;
    let mut from = 0;
    let mut bytes = inner.bytes().enumerate();
    while let Some((i, b)) = bytes.next() {
        match b {
            b'\\' if matches!(inner.as_bytes().get(i + 1), Some(b'"' | b'\\' | b']')) => {
                unescaped.get_or_insert_default().push_str(&inner[from..i]);
                from = i + 1;
                bytes.next();
            }
            b'"' => {
                let value = match unescaped {
                    Some(mut s) => {
                        s.push_str(&inner[from..i]);
                        Cow::Owned(s)
                    }
                    None => Cow::Borrowed(&inner[..i]),
                };
                return Ok((&inner[i + 1..], value));
            }
            b']' => break,
            _ => {}
        }
    }
    Err(nom::Err::Error(()))
}
