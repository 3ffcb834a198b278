//! Generates `scripts/verbs.md` from the declarations.

use std::fmt::Write as _;

use super::Again;
use super::params::HANDLES;
use super::verbs::{Executor, Requirement, Verb};

/// The reference of handles and verbs, as Markdown.
pub fn reference() -> String {
    let mut text = String::from("# Verbs\n\nThis page is generated from the program (`pointsman verbs`).\n\n## Handles\n\n");
    for handle in HANDLES {
        let properties: Vec<String> = handle.properties.iter().map(|p| format!("`{p}`")).collect();
        let _ =
            writeln!(text, "- `{}({})`: {} Properties: {}.", handle.name, handle.of.name(), handle.help, properties.join(", "));
    }
    text.push_str("- `retry(n, every, || ...)`: calls the function again, up to `n` times, `every` apart, while it throws.\n\n## Steps\n\n- `again` says what a restart does with a step whose end was not seen: *safe* is done again, *ask* and *never* give the script the\n  error `unknown: ...`, which it may catch.\n- `by` says who does the step: the *run* itself, the *controller*, or an *effect* in the world.\n- `trust` says whose requirement the event must meet: the resource's (`trust` in the configuration) or the reaction's (`trust` in\n  the rules). Both are `address` by default.\n\n| verb | gives | again | by | trust | |\n|---|---|---|---|---|---|\n");
    for verb in Verb::ALL.iter().map(|verb| verb.decl()) {
        let params: Vec<String> = verb.params.iter().map(|(n, k)| format!("{n}: {}", k.name())).collect();
        let trust = match verb.requires {
            Requirement::Resource => "resource",
            Requirement::Reaction => "reaction",
            Requirement::Nothing => "",
        };
        let again = match verb.again {
            Again::Safe => "safe",
            Again::Ask => "ask",
            Again::Never => "never",
        };
        let by = match verb.executor {
            Executor::Run => "run",
            Executor::Controller => "controller",
            Executor::Effects => "effect",
        };
        let calls: Vec<String> = verb.calls.iter().map(|call| format!("`{call}({})`", params.join(", "))).collect();
        let _ = writeln!(text, "| {} | {} | {again} | {by} | {trust} | {} |", calls.join(", "), verb.gives, verb.help);
    }
    text.push_str("\n## Examples\n\n```rhai\n");
    for verb in Verb::ALL {
        let _ = writeln!(text, "{}", verb.decl().example);
    }
    text.push_str("```\n");
    text
}
