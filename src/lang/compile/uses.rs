//! Which fields alarms use beside their conditions: as keys, in summaries, as arguments.

use std::collections::BTreeSet;

use crate::event::INSIDE_PREFIXES;
use crate::lang::program::{Alarm, Argument, Cancel, Measure, Program, Shape};

/// The fields inside texts that must come with a hit, sorted.
pub(super) fn inside(program: &Program) -> Vec<String> {
    let all: BTreeSet<&str> = program.alarms.iter().flat_map(fields).collect();
    let inside = all.into_iter().filter(|name| INSIDE_PREFIXES.iter().any(|p| name.starts_with(p)));
    inside.map(str::to_owned).collect()
}

/// The fields that an alarm uses when its condition was met.
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
    names.extend(alarm.summary.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0)));
    for call in alarm.react.iter().chain(&alarm.on_cancel).flatten() {
        names.extend(call.args.iter().filter_map(|(_, argument)| match argument {
            Argument::Field(name) | Argument::PairOf(name) | Argument::HostOf(name) => Some(name.as_str()),
            Argument::Value(_) => None,
        }));
    }
    names
}
