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
    if let Some(found) = FORMS.iter().find_map(|form| Some((begins_like(record, form)?, form.name))) {
        return Some(found);
    }
    let span = first_stamp(record)?;
    let stamp = &record[span.clone()];
    let shape = shape(stamp);
    let bracketed = |text: &str| text.starts_with('[');
    let fits = |form: &&StampForm| form.stamp.is_none() && bracketed(form.sample) == bracketed(record);
    let others = || FORMS.iter().filter(fits).filter_map(|form| Some((form, &form.sample[first_stamp(form.sample)?])));
    let is_day = |stamp: &str| stamp.get(..2).and_then(|first| first.parse::<u32>().ok()).is_some_and(|first| first > 12);
    let fraction = |stamp: &str| stamp.split_once(':').is_some_and(|(_, clock)| clock.contains(['.', ',']));
    let versioned = |text: &str| text.starts_with('<') && text.contains(">1 ");
    // Of several forms alike, that with the most in common: the head of RFC 5424, a day first, a fraction.
    let in_common = |(form, sample): &(&StampForm, &str)| {
        let head = versioned(form.sample) == versioned(record);
        (head, is_day(sample) == is_day(stamp), fraction(sample) == fraction(stamp))
    };
    let best = |alike: &dyn Fn(&str) -> bool| {
        let alike = others().filter(|(_, sample)| alike(&self::shape(sample))).map(|one| (in_common(&one), one.0));
        alike.reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, form)| form)
    };
    // A zone may be written or left out.
    let nearly = |other: &str| !other.is_empty() && (other.starts_with(&shape) || shape.starts_with(other));
    let form = best(&|other| other == shape).or_else(|| best(&nearly));
    Some((span, form.map_or("of a form without a name", |form| form.name)))
}

/// The place of the stamp if the record begins like the sample of a form that says where its stamp is.
fn begins_like(record: &str, form: &StampForm) -> Option<Range<usize>> {
    let wanted = form.stamp?;
    let record = record.char_indices().nth(2 * HEAD).map_or(record, |(at, _)| &record[..at]);
    let (before, _) = form.sample.split_once(wanted)?;
    let (before, wanted) = (outline(before), shape(wanted));
    let ends = || record.char_indices().map(|(at, _)| at).chain([record.len()]).take_while(|at| *at <= HEAD);
    let begin = ends().find(|at| outline(&record[..*at]) == before && shape(&record[*at..]).starts_with(&wanted))?;
    let end = ends().skip_while(|at| *at <= begin).find(|at| shape(&record[begin..*at]) == wanted)?;
    // Digits that follow belong to the stamp: a fraction, or a longer number, which is another form.
    let rest = &record[end..];
    let fraction =
        rest.strip_prefix(['.', ',']).map_or(0, |f| f.len() - f.trim_start_matches(|c: char| c.is_ascii_digit()).len());
    let is_clock = wanted.contains(':');
    if rest.starts_with(|c: char| c.is_ascii_digit()) || (!is_clock && fraction > 0) {
        return None;
    }
    Some(begin..end + if fraction > 0 { 1 + fraction } else { 0 })
}

/// The kinds of characters of a text; a run of letters or digits counts as one.
fn outline(text: &str) -> String {
    let mut outline = String::new();
    for c in text.chars() {
        let kind = match c {
            c if c.is_alphabetic() || c == '_' => 'a',
            '0'..='9' => '9',
            other => other,
        };
        if !(outline.ends_with(kind) && matches!(kind, 'a' | '9')) {
            outline.push(kind);
        }
    }
    outline
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

    /// A form is named as it is, for the sample of each: another one's name would mislead whoever asks why.
    #[test]
    fn every_form_has_its_own_name() {
        let wrong: Vec<String> = FORMS
            .iter()
            .map(|form| (form, stamp_in(form.sample).map(|(_, name)| name)))
            // Nothing shows where these two begin.
            .filter(|(form, _)| !form.name.starts_with("multilog") && !form.name.starts_with("JSON"))
            .filter(|(form, found)| *found != Some(form.name))
            .map(|(form, found)| format!("{}: {found:?}", form.name))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn stamps_are_found_with_their_form() {
        for (record, stamp, form) in [
            ("<34>1 2026-03-14T02:11:57.000003-07:00 h1 app - - - x", "2026-03-14T02:11:57.000003-07:00", "RFC 5424"),
            ("Mar 14 02:11:57 h1 app: x", "Mar 14 02:11:57", "RFC 3164"),
            ("2026-03-14 02:11:57,123 x", "2026-03-14 02:11:57,123", "ISO 8601 with a blank"),
            ("2026-03-14T02:11:57 x", "2026-03-14T02:11:57", "ISO 8601"),
            ("26/03/14 02:11:57 x", "26/03/14 02:11:57", "a year of two digits first, as Spark writes it"),
            ("260314 12:11:57 x", "12:11:57", "of a form without a name"),
        ] {
            let (span, name) = stamp_in(record).unwrap();
            assert_eq!((&record[span], name), (stamp, form));
        }
        assert_eq!(stamp_in("no stamp 12 here"), None);
    }
}
