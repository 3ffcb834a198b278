//! Checks the samples of patterns: each sample is decoded and matched as a record of a log would be.

use crate::core::base::text::printable_short;
use crate::core::base::time::Time;
use crate::core::decode::Decoder;
use crate::core::diag::{Code, Diagnostic};
use crate::core::engine::{Fields, fields_of};
use crate::core::event::{Event, Trust};
use crate::core::inventory::Index;
use crate::core::lang::Matcher;
use crate::core::lang::program::{AtomId, Hit, Program, Sample};

use super::Site;

/// The number of fields and of characters of a record that are shown.
const FIELDS: usize = 4;
const SHOWN: usize = 300;

/// Reports samples that differ from what their pattern says.
pub fn check(program: &Program, matcher: &Matcher) -> Vec<Diagnostic> {
    let nothing = Index::default();
    program.samples.iter().filter_map(|sample| wrong(sample, matcher, &nothing)).collect()
}

/// The fields that a sample has, captures included, when its record matches a condition: its pattern, or one that is made of it.
pub fn fields(sample: &Sample, site: &Site, atom: AtomId) -> Option<Fields> {
    let (event, hits) = matched(sample, &site.matcher);
    let hit = hits.iter().find(|hit| hit.atom == atom)?;
    Some(fields_of(&event, &hit.captures, &site.index))
}

/// The record of a sample as it is read, and what it matches.
fn matched<'s>(sample: &'s Sample, matcher: &Matcher) -> (Event<'s>, Vec<Hit>) {
    let mut event = Decoder::new().decode(sample.record.as_bytes(), Time::default());
    event.trust = Trust::Authenticated;
    let mut hits = Vec::new();
    matcher.matches(&event, &mut hits);
    (event, hits)
}

fn wrong(sample: &Sample, matcher: &Matcher, index: &Index) -> Option<Diagnostic> {
    let say = |message: String| Some(Diagnostic::new(Code::SampleFails, sample.place.clone(), message));
    let (event, hits) = matched(sample, matcher);
    let hit = hits.iter().find(|h| h.atom == sample.atom);
    match (hit, sample.matches) {
        (None, false) => None,
        (Some(_), false) => say("the pattern matches this record, and `not sample` says that it must not".to_owned()),
        (None, true) => {
            let found = say("the pattern does not match its sample".to_owned());
            found.map(|found| found.help(format!("the record is read as: {}", as_read(&event))))
        }
        (Some(hit), true) => {
            let fields = fields_of(&event, &hit.captures, index);
            let (name, want) =
                sample.fields.iter().find(|(name, want)| fields.get(name).map(ToString::to_string) != Some(want.to_string()))?;
            let have = fields.get(name).map_or_else(|| "nothing".to_owned(), |v| format!("`{v}`"));
            say(format!("the sample says that `{name}` is `{want}`, and it is {have}"))
        }
    }
}

/// The parts of a record as it was read, for people.
fn as_read(event: &Event<'_>) -> String {
    let mut parts = Vec::new();
    for name in ["host", "app", "pid", "id", "level"] {
        parts.extend(event.field(name).map(|value| format!("{name} `{value}`")));
    }
    for (name, value) in event.fields.iter().take(FIELDS) {
        parts.push(format!("{name} `{value}`"));
    }
    parts.push(format!("text `{}`", event.text));
    printable_short(&parts.join(", "), SHOWN)
}
