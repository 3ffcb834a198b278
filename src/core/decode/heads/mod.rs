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
//! them, a name in braces for a part ([`part::HeadPart`]), and anything else for itself. `{text}` marks the beginning of the text; what
//! follows it in the form must match as well and stays in the text.
//!
//! Invariants: a form costs one pass over what it matches, and only forms whose first byte fits are tried. Every sample is a
//! test, and a row of `docs/reference/formats.md` (`catalog`). To read another vendor's head, add an entry to the table of its
//! place.

mod bare;
mod databases;
mod devices;
mod form;
mod front;
mod loggers;
mod part;
mod security;
mod servers;
mod telephony;
mod ubiquiti;

use std::cell::LazyCell;
use std::sync::LazyLock;

use memchr::memchr;

use form::Form;

pub(super) use part::HeadFound;

#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// The vendor or program, as a table of the documentation shows it.
    pub(super) name: &'static str,
    pub(super) place: HeadPlace,
    /// The form of the head.
    pub(super) form: &'static str,
    /// Records with what is read from them, as [`super::catalog`] shows an event.
    pub(super) samples: &'static [(&'static str, &'static str)],
}

/// The place of a head in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadPlace {
    /// At the beginning of a line or behind a priority, if no stamp begins there.
    Front,
    /// Behind the stamp of a syslog message that contains a `%`: heads of network devices, tried if the standard reading finds no
    /// program.
    Device,
    /// Behind the stamp of a syslog message in which the standard reading finds no program.
    Syslog,
    /// At the beginning of a syslog message's text, behind its tag.
    Text,
    /// Behind the stamp of a line that is no syslog message, if a level comes first.
    Level,
    /// Behind the stamp of a line that is no syslog message, if something else comes first.
    Line,
    /// At the beginning of a line without a stamp.
    Bare,
}

impl HeadPlace {
    const ALL: [HeadPlace; 7] = [
        HeadPlace::Front,
        HeadPlace::Device,
        HeadPlace::Syslog,
        HeadPlace::Text,
        HeadPlace::Level,
        HeadPlace::Line,
        HeadPlace::Bare,
    ];
}

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

/// The compiled forms of a place, and which of them may begin with each byte.
struct Forms {
    forms: Vec<Form>,
    by_byte: Vec<Vec<u8>>,
    /// For forms that begin with a host: which bytes may follow it.
    behind_host: Vec<Option<[bool; 256]>>,
}

static TABLE: LazyLock<[Forms; 7]> = LazyLock::new(|| {
    HeadPlace::ALL.map(|place| {
        let forms: Vec<Form> = all().filter(|head| head.place == place).map(|head| Form::compile(head.form)).collect();
        let of_byte = |byte| (0..u8::MAX).zip(&forms).filter(|(_, form)| form.may_begin_with(byte)).map(|(n, _)| n).collect();
        let behind_host = forms.iter().map(Form::behind_host).collect();
        Forms { by_byte: (0..=u8::MAX).map(of_byte).collect(), behind_host, forms }
    })
});

/// The parts of the first form of a place that matches.
pub(super) fn read(place: HeadPlace, text: &str) -> Option<HeadFound<'_>> {
    let (first, second) = match text.as_bytes() {
        [first, second, ..] => (*first, *second),
        [first] => (*first, 0),
        [] => return None,
    };
    let table = &TABLE[place as usize];
    let has_percent = LazyCell::new(|| memchr(b'%', text.as_bytes()).is_some());
    // The first byte of the second word. Most forms behind a host end there.
    let mut next = None;
    let mut behind_host = |may: &[bool; 256]| {
        let next = next.get_or_insert_with(|| {
            let bytes = text.as_bytes();
            let end = bytes.iter().position(|b| matches!(b, b' ' | b'\t')).unwrap_or(bytes.len());
            bytes[end..].iter().find(|b| !matches!(b, b' ' | b'\t')).copied().unwrap_or(0)
        });
        may[usize::from(*next)]
    };
    let mut tried = table.by_byte[usize::from(first)]
        .iter()
        .map(|n| (&table.forms[usize::from(*n)], &table.behind_host[usize::from(*n)]))
        .filter(|(form, may)| {
            form.may_go_on_with(second) && (!form.has_percent || *has_percent) && may.as_ref().is_none_or(&mut behind_host)
        })
        .map(|(form, _)| form);
    let form = tried.next()?;
    let mut found = HeadFound::default();
    (form.read(text, &mut found) || tried.any(|form| form.read(text, &mut found))).then_some(found)
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
    }
}
