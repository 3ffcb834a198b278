//! The parts of a rule that decide whether its state stays valid, as a text. Two programs number their conditions
//! differently, so conditions are compared by their contents.
//!
//! The texts are compared within one version of the program and never stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::core::diag::{Place, Source};

use super::program::{Alarm, Atom, AtomId, Cancel, Detection, Program, Shape};

/// Alarms whose state is not valid for other rules, and why.
pub type Reset = BTreeMap<String, &'static str>;

/// The alarms of both programs whose state is not valid for the new one, and why.
pub fn reset(before: &Program, after: &Program) -> Reset {
    let known: BTreeMap<&str, &Alarm> = before.alarms.iter().map(|a| (a.name.as_str(), a)).collect();
    let why = |new: &Alarm| -> Option<&'static str> {
        let old = known.get(new.name.as_str())?;
        if old.by != new.by {
            return Some("`by` changed");
        }
        (detection(before, old) != detection(after, new)).then_some("the shape of `detect` changed")
    };
    after.alarms.iter().filter_map(|a| Some((a.name.clone(), why(a)?))).collect()
}

/// The contents of a program, by kind (`alarm`, `pattern`, `reaction`) and name.
pub fn all(program: &Program) -> BTreeMap<(&'static str, String), String> {
    let name = |a: &Alarm| match a.name.strip_prefix("pattern ").filter(|_| a.composite) {
        Some(pattern) => ("pattern", pattern.to_owned()),
        None => ("alarm", a.name.clone()),
    };
    let mut all: BTreeMap<(&'static str, String), String> = program.alarms.iter().map(|a| (name(a), alarm(program, a))).collect();
    all.extend(program.calendars.iter().map(|(name, c)| (("calendar", name.clone()), format!("{c:?}"))));
    all.extend(program.reactions.iter().map(|(name, r)| (("reaction", name.clone()), format!("{r:?}"))));
    // A condition within an alarm is named after it, with a slash between.
    for pattern in program.atoms.iter().filter(|a| a.signal.is_none() && !a.name.contains('/')) {
        all.entry(("pattern", pattern.name.clone())).or_default().push_str(&atom(pattern));
    }
    all
}

/// The condition of the alarm as a text.
fn detection(program: &Program, alarm: &Alarm) -> String {
    let parts: Vec<BTreeSet<String>> = alarm.detect.parts.iter().map(|atoms| any_of(program, atoms)).collect();
    let unless = any_of(program, &alarm.detect.unless);
    // All other properties of a condition. The keys that exist from the start depend on the inventory, and do not count.
    let mut rest = Detection { parts: Vec::new(), unless: Vec::new(), ..alarm.detect.clone() };
    match &mut rest.shape {
        Shape::Silence { expected, .. } => expected.clear(),
        Shape::States(states) => states.candidates.iter_mut().for_each(Vec::clear),
        _ => {}
    }
    format!("{parts:?} {unless:?} {rest:?}")
}

fn alarm(program: &Program, alarm: &Alarm) -> String {
    let when = |cancel: &Cancel| match cancel {
        Cancel::When(atoms) | Cancel::Measured { of: atoms, .. } => Some(any_of(program, atoms)),
        _ => None,
    };
    let cancels: Vec<BTreeSet<String>> = alarm.cancel.iter().filter_map(when).collect();
    let nowhere = Place { source: Arc::new(Source { name: String::new(), text: String::new() }), bytes: 0..0 };
    let numberless = |cancel: &Cancel| match cancel {
        Cancel::When(_) => Cancel::When(Vec::new()),
        Cancel::Measured { over, measure, .. } => Cancel::Measured { of: Vec::new(), over: *over, measure: measure.clone() },
        other => other.clone(),
    };
    let cancel = alarm.cancel.iter().map(numberless).collect();
    let rest = Alarm { detect: Detection::default(), cancel, place: nowhere, ..alarm.clone() };
    format!("{} {cancels:?} {rest:?}", detection(program, alarm))
}

fn any_of(program: &Program, atoms: &[AtomId]) -> BTreeSet<String> {
    atoms.iter().filter_map(|id| program.atoms.get(id.0 as usize)).map(atom).collect()
}

/// What an event must be like; without the name and the place of the condition.
fn atom(atom: &Atom) -> String {
    let Atom { ids, from, matches, predicates, sets, renames, signal, .. } = atom;
    format!("{ids:?} {from:?} {matches:?} {predicates:?} {sets:?} {renames:?} {signal:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::lang::{Declarations, compile};

    fn program(text: &str) -> Program {
        let (program, found) =
            compile(&[Arc::new(Source { name: "a".to_owned(), text: text.to_owned() })], &Declarations::default());
        assert!(!crate::core::diag::has_errors(&found), "{}", crate::core::diag::render::human(&found, false));
        program
    }

    /// Only what the state depends on counts; numbers of conditions, places and names of patterns do not.
    #[test]
    fn state_hangs_on_key_and_shape_alone() {
        let before = "pattern p { match /x (?<u>\\S+)/ }
            alarm a { detect 3 of p by u within 1m cancel after 1m }";
        let why = |after: &str| reset(&program(before), &program(after)).get("a").copied();
        assert_eq!(why(before), None);
        assert_eq!(why(&format!("# more\nalarm b {{ detect event 1 cancel by hand }}\n{before}")), None);
        assert_eq!(why(&before.replace("pattern p", "pattern q").replace("of p", "of q")), None);
        assert_eq!(why(&before.replace("cancel after 1m", "category minor cancel after 2m limit 1 per 1m")), None);
        assert_eq!(why(&before.replace("3 of", "4 of")), Some("the shape of `detect` changed"));
        assert_eq!(why(&before.replace("within 1m", "within 2m")), Some("the shape of `detect` changed"));
        assert_eq!(why(&before.replace("/x ", "/y ")), Some("the shape of `detect` changed"));
        assert_eq!(why(&before.replace("by u", "by host")), Some("`by` changed"));
    }

    #[test]
    fn all_that_a_program_says_has_a_name() {
        let text = "pattern p { match /x/ }
            alarm a { detect p or event 5 cancel when event 6 react r } reaction r { script \"s.rhai\" }";
        let names = |p: &Program| all(p).keys().map(|(kind, name)| format!("{kind} {name}")).collect::<Vec<_>>();
        let before = program(text);
        assert_eq!(names(&before), ["alarm a", "pattern p", "reaction r"]);
        let changed = |after: &str| {
            let (before, after) = (all(&before), all(&program(after)));
            after.into_iter().filter(|(k, v)| before.get(k) != Some(v)).map(|((kind, _), _)| kind).collect::<Vec<_>>()
        };
        assert_eq!(changed(&format!("\n\n{text}")), [""; 0]);
        assert_eq!(changed(&text.replace("event 6", "event 7")), ["alarm"]);
        assert_eq!(changed(&text.replace("/x/", "/y/")), ["alarm", "pattern"]);
        assert_eq!(changed(&text.replace("s.rhai", "t.rhai")), ["reaction"]);
    }
}
