//! Published SEC rules, by what is recorded of each: which have a counterpart here, and why the others have none.
//!
//! `tests/packs/sec.tsv` describes the counterpart of each feature, or the reason why there is none. A rule has a counterpart if
//! all its features have one.

use std::collections::{BTreeMap, BTreeSet};

use pointsman::core::diag::render;
use pointsman::core::lang::{Declarations, compile};
use serde_json::Value as Json;

use crate::support::{read, root, say, source};

const RULES: usize = 403;
/// The number of rules that had a counterpart when this was written. A smaller number is a regression.
const WITH_COUNTERPART: usize = 389;

/// The features of a rule, in the words of the table.
fn features(rule: &Json) -> Vec<String> {
    let text = |name: &str| rule[name].as_str().map(str::to_lowercase);
    let mut all =
        vec![format!("type {}", text("type").unwrap()), format!("pattern {}", text("pattern_type").unwrap_or("none".into()))];
    // `goto LABEL` is one feature, whatever the label.
    all.extend(text("continue").map(|c| format!("continue {}", c.split(' ').next().unwrap())));
    all.extend(rule["action_verbs"].as_array().unwrap().iter().map(|v| format!("action {}", v.as_str().unwrap())));
    for (field, feature) in [("window_s", "window"), ("threshold", "threshold"), ("calendar", "calendar")]
        .into_iter()
        .filter(|(f, _)| !rule[*f].is_null())
    {
        assert_ne!(rule[field], "", "{rule}");
        all.push(feature.to_owned());
    }
    for (field, feature) in [("uses_context", "context"), ("second_pattern", "second pattern")] {
        all.extend((rule[field] == true).then(|| feature.to_owned()));
    }
    all
}

#[test]
fn rules_of_sec_have_counterparts() {
    let table = read("tests/packs/sec.tsv");
    let mut rows = BTreeMap::new();
    for row in table.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let &[feature, expressed, here] = &columns[..] else { panic!("three columns: {row}") };
        assert!(["yes", "no"].contains(&expressed) && !here.is_empty(), "{row}");
        assert!(rows.insert(feature, (expressed == "yes", here)).is_none(), "twice: {row}");
    }
    // The document contains every reason literally.
    let document = read("rules/sec/README.md");
    for (feature, (_, reason)) in rows.iter().filter(|(_, (expressed, _))| !expressed) {
        let reason = reason.split(" (").next().unwrap();
        assert!(document.contains(reason), "rules/sec/README.md does not say of `{feature}`: {reason}");
    }
    let Ok(inventory) = std::fs::read_to_string(root().join("../shared/corpora/sec_rule_inventory.jsonl")) else {
        return say(&format!("NOT RUN: {RULES} rules of SEC (../shared/corpora is absent)"));
    };
    let mut unused: BTreeSet<&str> = rows.keys().copied().collect();
    let (mut all, mut with) = (0, 0);
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut without: BTreeMap<&str, usize> = BTreeMap::new();
    for line in inventory.lines() {
        let rule: Json = serde_json::from_str(line).unwrap();
        let features = features(&rule);
        let mut missing = None;
        for feature in &features {
            let (name, (expressed, _)) = rows.get_key_value(feature.as_str()).unwrap_or_else(|| panic!("no row: {feature}"));
            unused.remove(name);
            missing = missing.or((!expressed).then_some(*name));
        }
        if let Some(cron) = rule["calendar"].as_str() {
            is_a_calendar_here(cron);
        }
        all += 1;
        with += usize::from(missing.is_none());
        let kind = features[0].trim_start_matches("type ").trim_end_matches(['2', '3']).to_owned();
        let of = kinds.entry(kind).or_default();
        *of = (of.0 + usize::from(missing.is_none()), of.1 + 1);
        if let Some(missing) = missing {
            *without.entry(missing).or_default() += 1;
        }
    }
    assert!(unused.is_empty(), "no rule has {unused:?}");
    let each: Vec<String> = kinds.iter().map(|(kind, (with, all))| format!("{kind} {with}/{all}")).collect();
    say(&format!("rules of SEC: {with} of {all} have a counterpart ({}); not because of {without:?}", each.join(", ")));
    assert_eq!((all, kinds.len()), (RULES, 12), "all rules, of all twelve kinds");
    assert_eq!(with, WITH_COUNTERPART);
}

/// If a day of the month and a day of the week are given, SEC requires both, as `+` does.
fn is_a_calendar_here(cron: &str) {
    let fields: Vec<&str> = cron.split(' ').collect();
    let both = fields[2] != "*" && fields[4] != "*";
    let cron = if both { format!("{} +{}", fields[..4].join(" "), fields[4]) } else { cron.to_owned() };
    let text = format!("calendar c {{ cron \"{cron}\" }}\nalarm a {{ detect calendar c begins  cancel at once }}\n");
    let (program, found) = compile(&[source("c.alarm", &text)], &Declarations::default());
    assert!(found.is_empty() && program.calendars.len() == 1, "{cron}: {}", render::human(&found, false));
}
