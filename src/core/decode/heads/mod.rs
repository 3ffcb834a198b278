//! The heads of vendors and loggers, as data: each has one entry of a table, with its samples.
//!
//! ```text
//! Head { name: "F5 BIG-IP", place: Place::Syslog, form: "{host} {level} {app}[{pid}]:~{text}", samples: &[...] }
//! ```
//!
//! In: text at one of seven places ([`HeadPlace`]). Out: the parts that the first matching form names ([`HeadFound`]). The modules
//! of the standard heads (RFC 3164 and 5424) read those themselves. These forms are asked for what that reading leaves open.
//!
//! A form is read from left to right without going back. A blank stands for one or more blanks or tabs, `~` for any number of
//! them, a name in braces for a part ([`part::HeadPart`]), and anything else for itself. `{text}` marks the beginning of the
//! text; what follows it in the form must match as well and stays in the text.
//!
//! Invariants: a form costs one pass over what it matches, and only forms that fit the first bytes of a text and the byte behind
//! its first word are tried. Every sample is a test, and a row of `docs/reference/formats.md` (`catalog`). To read another
//! vendor's head, add an entry to the table of its place.

mod bare;
mod databases;
mod devices;
mod form;
mod front;
mod head;
mod loggers;
mod part;
mod security;
mod servers;
mod telephony;
mod ubiquiti;

use std::sync::LazyLock;

use memchr::memchr;

use form::Form;

pub(super) use head::{Head, HeadPlace};
pub(super) use part::HeadFound;

/// All heads, in the sequence in which they are tried.
pub(super) fn all() -> impl Iterator<Item = &'static Head> {
    [
        security::HEADS,
        ubiquiti::HEADS,
        devices::HEADS,
        servers::HEADS,
        databases::HEADS,
        telephony::HEADS,
        loggers::HEADS,
        front::HEADS,
        bare::HEADS,
    ]
    .into_iter()
    .flatten()
}

/// Some of the forms of a place: a bit for each.
type FormSet = u128;

/// The compiled forms of a place, and which of them may match a text that has a certain byte at a certain place. Most texts match
/// none, and a few lookups show that, however many forms there are.
struct Forms {
    forms: Vec<Form>,
    /// By the text's first byte.
    by_first: [FormSet; 256],
    /// By its second byte; 0 if there is none.
    by_second: [FormSet; 256],
    /// By the byte behind its first word.
    behind_word: [FormSet; 256],
    /// By the first byte of what follows its first blanks.
    behind_blanks: [FormSet; 256],
    /// Forms that begin with a host and blanks.
    hosts: FormSet,
    /// Forms of texts that contain a `%`.
    percent: FormSet,
}

impl Forms {
    fn new(place: HeadPlace) -> Forms {
        let forms: Vec<Form> = all().filter(|head| head.place == place).map(|head| Form::compile(head.form)).collect();
        let which =
            |may: &dyn Fn(&Form) -> bool| (0..).zip(&forms).filter(|(_, form)| may(form)).fold(0, |set, (n, _)| set | 1 << n);
        let by_byte = |may: &dyn Fn(&Form, u8) -> bool| {
            let mut sets = [0; 256];
            sets.iter_mut().zip(0..=u8::MAX).for_each(|(set, byte)| *set = which(&|form| may(form, byte)));
            sets
        };
        Forms {
            by_first: by_byte(&Form::may_begin_with),
            by_second: by_byte(&Form::may_go_on_with),
            behind_word: by_byte(&Form::may_have_behind_word),
            behind_blanks: by_byte(&Form::may_have_behind_host),
            hosts: which(&Form::begins_with_host),
            percent: which(&|form| form.has_percent),
            forms,
        }
    }

    /// The forms that may match a text.
    fn candidates(&self, text: &[u8]) -> FormSet {
        let at = |place: Option<usize>| usize::from(place.and_then(|at| text.get(at)).copied().unwrap_or(0));
        let mut may = self.by_first[at(Some(0))] & self.by_second[at(Some(1))];
        if may != 0 {
            may &= self.behind_word[at(text.iter().position(|byte| !form::is_word(*byte)))];
        }
        if may & self.hosts != 0 {
            let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
            let end = text.iter().position(is_blank).unwrap_or(text.len());
            may &= self.behind_blanks[at(text[end..].iter().position(|byte| !is_blank(byte)).map(|gap| end + gap))];
        }
        if may & self.percent != 0 && memchr(b'%', text).is_none() {
            may &= !self.percent;
        }
        may
    }
}

static TABLE: LazyLock<[Forms; 7]> = LazyLock::new(|| HeadPlace::ALL.map(Forms::new));

/// The parts of the first form of a place that matches.
pub(super) fn read(place: HeadPlace, text: &str) -> Option<HeadFound<'_>> {
    let table = &TABLE[place as usize];
    let mut may = table.candidates(text.as_bytes());
    if may == 0 {
        return None;
    }
    let mut found = HeadFound::default();
    while may != 0 {
        if table.forms[may.trailing_zeros() as usize].read(text, &mut found) {
            return Some(found);
        }
        may &= may - 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood_and_has_samples() {
        for head in all() {
            assert!(Form::compile(head.form).is_understood(), "{}: {}", head.name, head.form);
            assert!(!head.samples.is_empty(), "{}", head.name);
        }
        for place in HeadPlace::ALL {
            let count = all().filter(|head| head.place == place).count();
            assert!(count <= FormSet::BITS as usize, "{place:?} has {count} forms: a set of forms needs more bits");
        }
    }

    /// What follows the first bytes leaves out only forms that cannot match: with all forms tried that may begin so, the same
    /// one is found.
    #[test]
    fn no_form_is_left_out_that_matches() {
        let samples = all().flat_map(|head| head.samples).map(|(record, _)| *record);
        let begins = |record: &str, at: usize| !record[..at].ends_with(|c: char| c.is_ascii_lowercase());
        let of =
            |record: &'static str| record.char_indices().filter(move |(at, _)| begins(record, *at)).map(|(at, _)| &record[at..]);
        let texts: Vec<&str> = samples.flat_map(of).collect();
        let mut read = 0;
        for place in HeadPlace::ALL {
            let forms = &TABLE[place as usize].forms;
            for text in &texts {
                let (first, second) = (text.as_bytes()[0], text.as_bytes().get(1).copied().unwrap_or(0));
                let mut tried = forms.iter().filter(|form| form.may_begin_with(first) && form.may_go_on_with(second));
                let mut found = HeadFound::default();
                let wanted = tried.any(|form| form.read(text, &mut found)).then_some(found);
                read += usize::from(wanted.is_some());
                assert_eq!(super::read(place, text), wanted, "{place:?}: {text}");
            }
        }
        assert!(read > 1_000, "{read}");
    }
}
