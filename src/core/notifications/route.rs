//! Which routes an alarm matches.

use std::collections::BTreeSet;

use crate::core::base::time::Time;
use crate::core::diag::suggest::hint;
use crate::core::inventory::{Inventory, NotifyRoute};
use crate::core::lang::program::Program;

use super::notification::AlarmFacts;

/// The default categories of a route. Alarms of the category `none` are state, and not news.
const CATEGORIES: [&str; 3] = ["critical", "major", "minor"];

/// True if an alarm that was raised at this time matches a route.
pub(super) fn takes(program: &Program, route: &NotifyRoute, facts: &AlarmFacts, at: Time) -> bool {
    let active = |names: &[String]| names.iter().filter_map(|name| program.calendars.get(name)).any(|c| c.active(at));
    let category = facts.category.as_str();
    let of_category = match route.categories.is_empty() {
        true => CATEGORIES.contains(&category),
        false => route.categories.iter().any(|c| c == category),
    };
    of_category
        && (route.alarms.is_empty() || route.alarms.iter().any(|pattern| is_like(pattern, &facts.alarm)))
        && route.fields.iter().all(|(name, pattern)| facts.get(name).is_some_and(|value| is_like(pattern, &value)))
        && (route.during.is_empty() || active(&route.during))
        && !active(&route.not_during)
}

/// True if a text matches a pattern, in which `*` stands for any characters.
pub fn is_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

/// The names in the routes of an inventory that the rules do not have, as texts.
pub fn unknown_names(inventory: &Inventory, program: &Program) -> Vec<String> {
    let calendars: BTreeSet<&str> = program.calendars.keys().map(String::as_str).collect();
    let alarms: BTreeSet<&str> = program.alarms.iter().map(|a| a.name.as_str()).collect();
    let mut unknown = Vec::new();
    let mut missing = |route: &str, what: &str, name: &str, known: &BTreeSet<&str>| {
        let help = hint(name, known.iter().copied());
        unknown.push(format!("the route {route} names the {what} `{name}`, which the rules do not have{help}"));
    };
    for (name, route) in &inventory.routes {
        for calendar in route.during.iter().chain(&route.not_during).filter(|c| !calendars.contains(c.as_str())) {
            missing(name, "calendar", calendar, &calendars);
        }
        for pattern in route.alarms.iter().filter(|pattern| !alarms.iter().any(|alarm| is_like(pattern, alarm))) {
            missing(name, "alarm", pattern, &alarms);
        }
    }
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, text, like) in [
            ("sip", "sip", true),
            ("sip", "sip1", false),
            ("sip*", "sip1", true),
            ("*", "", true),
            ("*down", "sip_down", true),
            ("s*p*n", "sip_down", true),
            ("a*a", "a", false),
            ("a*b*", "acbd", true),
            ("a**b", "ab", true),
            ("x*", "ax", false),
        ] {
            assert_eq!(is_like(pattern, text), like, "{pattern} {text}");
        }
    }
}
