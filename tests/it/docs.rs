//! The compiler accepts every example in the reference of the rule language.

use std::collections::BTreeMap;
use std::fs;

use pointsman::core::config::load;
use pointsman::core::diag::{has_errors, render};
use pointsman::core::lang::{Declarations, compile};
use pointsman::core::script::{Param, check};

use crate::support::{Folder, files, inventory, read, source};

/// The code blocks of a page in this language.
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

/// The rules in the guides, the tutorial and the README compile, each block separately.
#[test]
fn the_rules_of_the_guides_compile() {
    let mut pages = files("docs/how-to", "md");
    pages.extend(["docs/tutorial.md", "README.md"].map(|page| (page.to_owned(), read(page))));
    let mut seen = 0;
    for (name, text) in pages {
        for (n, block) in blocks(&text, "alarm").into_iter().enumerate() {
            let (_, found) = compile(&[source(&format!("{name} block {}", n + 1), &block)], &Declarations::default());
            assert!(!has_errors(&found), "{}", render::human(&found, false));
            seen += 1;
        }
    }
    assert!(seen >= 9, "only {seen} examples were found");
}

/// The tutorial, followed literally: the site is valid, its test passes, and the dry run moves the address.
#[test]
fn the_tutorial_works_as_it_is_written() {
    let page = read("docs/tutorial.md");
    let folder = Folder::new();
    let block = |language: &str, n: usize| blocks(&page, language).swap_remove(n);
    for (path, text) in [
        ("pointsman.yaml", block("yaml", 0)),
        ("rules/web.alarm", block("alarm", 0)),
        ("scripts/follow_primary.rhai", block("rhai", 0)),
        ("failover.log", block("text", 0)),
        ("rules/web.test.yaml", block("yaml", 1)),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut seen = 0;
    for console in blocks(&page, "console") {
        let (command, printed) = console.split_once('\n').unwrap();
        let arguments: Vec<&str> = command.strip_prefix("$ pointsman ").unwrap().split(' ').collect();
        assert_eq!(folder.run(&arguments).trim_end(), printed.trim_end(), "{command}");
        seen += 1;
    }
    assert_eq!(seen, 3, "check, dry-run and test");
}

/// The sites that `pointsman init` writes are valid, and their tests and dry runs pass.
#[test]
fn the_starter_sites_work() {
    for (kind, log, shown) in
        [("--pair", "logs/failover.log", "service_address belongs on node2"), ("--logs", "logs/auth.log", "ssh_guessing")]
    {
        let folder = Folder::new();
        folder.run(&["init", kind]);
        assert!(folder.run(&["check"]).starts_with("all is well"));
        assert!(folder.run(&["test"]).contains("1 passed, 0 failed"));
        assert!(folder.run(&["dry-run", log]).contains(shown));
    }
}

/// The page about addresses that stay together, in the site that `pointsman init` writes.
#[test]
fn addresses_stay_together_as_the_page_says() {
    let page = read("docs/how-to/addresses-together.md");
    let folder = Folder::new();
    folder.run(&["init", "--pair"]);
    fs::remove_file(folder.path().join("rules/roles.test.yaml")).unwrap();
    let block = |language: &str, n: usize| blocks(&page, language).swap_remove(n);
    for (path, text) in [
        ("pointsman.yaml", block("yaml", 0)),
        ("rules/together.alarm", block("alarm", 0)),
        ("scripts/move_api.rhai", block("rhai", 0)),
        ("rules/together.test.yaml", block("yaml", 1)),
    ] {
        fs::write(folder.path().join(path), text).unwrap();
    }
    assert!(folder.run(&["check"]).starts_with("all is well"));
    assert!(folder.run(&["test"]).contains("1 passed, 0 failed"));
}

/// The page about `pointsman explain`, followed literally: each command prints the lines below it.
#[test]
fn explain_says_what_its_page_shows() {
    let page = read("docs/how-to/why-did-my-rule-not-fire.md");
    let folder = Folder::new();
    fs::create_dir_all(folder.join("rules")).unwrap();
    fs::write(folder.join("rules/links.alarm"), blocks(&page, "alarm").swap_remove(0)).unwrap();
    fs::write(folder.join("app.log"), blocks(&page, "text").swap_remove(0)).unwrap();
    let mut seen = 0;
    for block in blocks(&page, "console") {
        let mut lines = block.lines();
        let command = lines.next().and_then(|line| line.strip_prefix("$ pointsman ")).unwrap();
        let arguments: Vec<&str> = command.split(' ').collect();
        let out = folder.run(&arguments);
        for line in lines.filter(|line| !line.is_empty()) {
            assert!(out.lines().any(|shown| shown == line), "{command}: {line}\nis not in\n{out}");
        }
        seen += 1;
    }
    assert!(seen >= 3, "only {seen} commands were found");
}
