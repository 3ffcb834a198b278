//! The fields that alarms use outside of their conditions: as keys, in summaries, as arguments.

use std::collections::BTreeSet;

use crate::core::event::{BuiltIn, DERIVED, INSIDE_PREFIXES};
use crate::core::lang::program::{Alarm, Argument, Cancel, Measure, Program, Shape};

/// The fields inside texts that a hit must include, sorted.
pub(super) fn inside(program: &Program) -> Vec<String> {
    let all: BTreeSet<&str> = program.alarms.iter().flat_map(fields).collect();
    let inside = all.into_iter().filter(|name| INSIDE_PREFIXES.iter().any(|p| name.starts_with(p)));
    inside.map(str::to_owned).collect()
}

/// The fields that an alarm uses when its condition fires.
pub(super) fn fields(alarm: &Alarm) -> Vec<&str> {
    let mut names: Vec<&str> = alarm.by.iter().map(String::as_str).collect();
    if let Shape::Count { distinct: Some(field), .. } = &alarm.detect.shape {
        names.push(field);
    }
    if let Shape::Measure(Measure { field: Some(field), .. }) = &alarm.detect.shape {
        names.push(field);
    }
    names.extend(alarm.cancel.iter().filter_map(|c| match c {
        Cancel::Measured { measure: Measure { field: Some(field), .. }, .. } => Some(field.as_str()),
        _ => None,
    }));
    names.extend(in_braces(&alarm.summary));
    names.extend(in_braces(&alarm.end_summary));
    for call in alarm.react.iter().chain(&alarm.on_cancel).flatten() {
        names.extend(call.args.iter().filter_map(|(_, argument)| match argument {
            Argument::Field(name) | Argument::PairOf(name) | Argument::HostOf(name) => Some(name.as_str()),
            Argument::Value(_) => None,
        }));
    }
    names
}

/// The names in braces in a text for people.
pub(super) fn in_braces(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0))
}

/// Every field that a rule may rely on: built-in fields, what patterns capture and set, and names of keys.
pub fn fields_set(program: &Program) -> BTreeSet<String> {
    let given = BuiltIn::ALL.iter().map(|field| field.name()).chain(DERIVED).map(str::to_owned);
    let atoms = program.atoms.iter().flat_map(|atom| {
        let captures = atom.matches.iter().flat_map(|m| &m.captures).map(|c| c.name.clone());
        captures.chain(atom.sets.iter().map(|(name, _)| name.clone())).chain(atom.renames.iter().map(|(name, _)| name.clone()))
    });
    given.chain(atoms).chain(program.alarms.iter().flat_map(|alarm| alarm.by.clone())).collect()
}

/// The built-in field for which other systems use this name.
pub(super) fn called_otherwise(field: &str) -> Option<&'static str> {
    Some(match field {
        "application" | "program" | "programname" | "process" | "service_name" | "appname" | "app_name" => "app",
        "hostname" | "server" | "node" | "machine" => "host",
        "message" | "msg" | "body" | "line" => "text",
        "severity" | "priority" | "loglevel" => "level",
        "timestamp" | "date" => "time",
        "event_id" | "eventid" | "msgid" => "id",
        _ => return None,
    })
}
