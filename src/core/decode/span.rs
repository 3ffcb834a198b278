//! Where in a record its stamp stands, and which form it has: found with the readers of the stamps themselves, for people who ask.

use std::ops::Range;

use super::stamp::{self, forms::FORMS};

/// Bytes of a record in which its stamp is looked for.
const HEAD: usize = 160;

/// Where the first stamp of a record stands, and what its form is called.
pub fn stamp_in(record: &str) -> Option<(Range<usize>, &'static str)> {
    let span = first_stamp(record)?;
    let shape = shape(&record[span.clone()]);
    let form = FORMS.iter().find(|form| first_stamp(form.sample).is_some_and(|span| self::shape(&form.sample[span]) == shape));
    Some((span, form.map_or("a stamp", |form| form.name)))
}

fn first_stamp(record: &str) -> Option<Range<usize>> {
    let mut before = ' ';
    for (at, c) in record.char_indices().take_while(|(at, _)| *at < HEAD) {
        let begins = c.is_ascii_alphanumeric() && !before.is_alphanumeric();
        before = c;
        if !begins {
            continue;
        }
        let rest = &record[at..];
        let found = stamp::rfc5424(rest).or_else(|_| stamp::any(rest));
        if let Ok((behind, _)) = found {
            return Some(at..record.len() - behind.len());
        }
    }
    None
}

/// Digits and letters by their kind, so that stamps of one form are alike.
fn shape(stamp: &str) -> String {
    let mut shape = String::new();
    let mut fraction = false;
    for c in stamp.chars() {
        let kind = match c {
            '0'..='9' if fraction => continue,
            '0'..='9' => '9',
            c if c.is_alphabetic() => 'a',
            '+' | '-' if shape.contains(':') => '+',
            other => other,
        };
        fraction = matches!(c, '.' | ',') && shape.contains(':') || fraction && c.is_ascii_digit();
        shape.push(kind);
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_found_with_their_form() {
        for (record, stamp, form) in [
            ("<34>1 2026-03-14T02:11:57.000003-07:00 h1 app - - - x", "2026-03-14T02:11:57.000003-07:00", "RFC 5424"),
            ("Mar 14 02:11:57 h1 app: x", "Mar 14 02:11:57", "RFC 3164"),
            ("2026-03-14 02:11:57,123 x", "2026-03-14 02:11:57,123", "ISO 8601 with a blank, a comma before the fraction"),
        ] {
            let (span, name) = stamp_in(record).unwrap();
            assert_eq!((&record[span], name), (stamp, form));
        }
        assert_eq!(stamp_in("no stamp 12 here"), None);
    }
}
