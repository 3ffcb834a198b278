//! Every example in the reference of the rule language is one that the compiler takes.

use std::collections::BTreeMap;

use pointsman::core::config::load;
use pointsman::core::diag::{has_errors, render};
use pointsman::core::lang::{Declarations, compile};
use pointsman::core::script::{Param, check};

use crate::support::{files, inventory, source};

/// The blocks of a page that are in this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let ends = |rest: &str| rest.find("\n```").map(|end| rest[..=end].to_owned());
    page.match_indices(&fence).filter_map(|(at, _)| ends(&page[at + fence.len()..])).collect()
}

#[test]
fn the_rules_of_the_reference_compile() {
    let inventory = inventory();
    let any = |name: &str| (format!("{name}.rhai"), Vec::new());
    let shipped = files("scripts", "rhai").into_iter().map(|(name, text)| (name.clone(), check(&source(&name, &text), None).0));
    let scripts: BTreeMap<String, Vec<Param>> = ["tell_on_call", "restart_service"].map(any).into_iter().chain(shipped).collect();
    let mut seen = 0;
    for (name, text) in files("docs/reference/rules", "md") {
        for (n, block) in blocks(&text, "pointsman").into_iter().enumerate() {
            let world = Declarations { inventory: Some(&inventory), scripts: Some(&scripts) };
            let (_, found) = compile(&[source(&format!("{name} block {}", n + 1), &block)], &world);
            assert!(!has_errors(&found), "{}", render::human(&found, false));
            seen += 1;
        }
    }
    assert!(seen >= 18, "only {seen} examples were found");
}

#[test]
fn the_configurations_of_the_reference_are_read() {
    let mut seen = 0;
    for (name, text) in files("docs/reference", "md") {
        for (n, block) in blocks(&text, "yaml").into_iter().enumerate() {
            let (_, found) = load(&source(&format!("{name} block {}", n + 1), &block));
            assert!(!has_errors(&found), "{}", render::human(&found, false));
            seen += 1;
        }
    }
    assert!(seen >= 2, "only {seen} examples were found");
}
