//! Finds where the stamp of a record is, and which form it has, with the readers of stamps themselves. For people who ask.

use std::ops::Range;

use super::stamp::{
    self,
    forms::{FORMS, StampForm},
};

/// How many bytes of a record are searched for its stamp.
const HEAD: usize = 160;

/// The place of the first stamp of a record, and the name of its form.
pub fn stamp_in(record: &str) -> Option<(Range<usize>, &'static str)> {
    let span = first_stamp(record)?;
    let shape = shape(&record[span.clone()]);
    let of = |form: &StampForm| first_stamp(form.sample).map(|span| self::shape(&form.sample[span])).unwrap_or_default();
    let bracketed = |text: &str| text.starts_with('[');
    let fits = |form: &&StampForm| bracketed(form.sample) == bracketed(record);
    // A zone may be written or left out.
    let alike = |other: &str| !other.is_empty() && (other.starts_with(&shape) || shape.starts_with(other));
    let form = FORMS
        .iter()
        .filter(fits)
        .find(|form| of(form) == shape)
        .or_else(|| FORMS.iter().filter(fits).find(|form| alike(&of(form))));
    Some((span, form.map_or("of a form without a name", |form| form.name)))
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

/// The kinds of digits and letters, without fractions of a second, so that stamps of one form are alike.
fn shape(stamp: &str) -> String {
    let mut shape = String::new();
    let mut fraction = false;
    for c in stamp.chars() {
        fraction = fraction && c.is_ascii_digit() || matches!(c, '.' | ',') && shape.contains(':');
        if fraction {
            continue;
        }
        shape.push(match c {
            '0'..='9' => '9',
            c if c.is_alphabetic() && !(c == 'T' && shape.ends_with('9')) => 'a',
            '-' if shape.contains(':') => '+',
            other => other,
        });
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
            ("2026-03-14T02:11:57 x", "2026-03-14T02:11:57", "RFC 5424"),
        ] {
            let (span, name) = stamp_in(record).unwrap();
            assert_eq!((&record[span], name), (stamp, form));
        }
        assert_eq!(stamp_in("no stamp 12 here"), None);
    }
}
