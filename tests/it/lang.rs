//! Rule files: their errors, and the records that match their conditions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pointsman::core::base::limits::{
    COPIES, DIAGNOSTICS_PER_FILE, EXPRESSION_BYTES, GROUP_SENDERS, MISTAKES_PER_FILE, NESTING, REACTION_CALLS, REGEX_BYTES_ALL,
};
use pointsman::core::base::time::Time;
use pointsman::core::decode::Decoder;
use pointsman::core::diag::{Code, Diagnostic, has_errors, render};
use pointsman::core::inventory::{Group, Inventory};
use pointsman::core::lang::program::Program;
use pointsman::core::lang::{Declarations, Matcher, compile};
use pointsman::core::script::{Param, check};

use crate::support::{expect, files, inventory, read, root, source};

/// The shipped scripts with their parameters.
fn scripts() -> BTreeMap<String, Vec<Param>> {
    scripts_of("scripts")
}

fn scripts_of(folder: &str) -> BTreeMap<String, Vec<Param>> {
    files(folder, "rhai").into_iter().map(|(name, text)| (name.clone(), check(&source(&name, &text), None).0)).collect()
}

fn compiled(name: &str, text: &str) -> (Program, Vec<Diagnostic>) {
    let (inventory, scripts) = (inventory(), scripts());
    compile(&[source(name, text)], &Declarations { inventory: Some(&inventory), scripts: Some(&scripts) })
}

/// Every error is reported with line, caret, code and remedy, as in the expected files.
#[test]
fn mistakes_are_reported_as_the_files_beside_them_say() {
    let mut codes = BTreeSet::new();
    for (name, text) in files("tests/lang/err", "alarm") {
        let (_, found) = compiled(&name, &text);
        assert!(!found.is_empty(), "{name}");
        codes.extend(found.iter().map(|d| d.code));
        expect(format!("tests/lang/err/{}", name.replace(".alarm", ".expected")), &render::human(&found, false));
    }
    // Too large for a file of its own, or about samples, which `replay` tests.
    let elsewhere = [Code::RuleFileTooLarge, Code::TooManyAlternatives, Code::SampleFails, Code::MoreMistakes];
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|c| c.text().starts_with('R') && !codes.contains(c) && !elsewhere.contains(c))
        .map(|c| c.text())
        .collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

/// The records of a log beside each rule file, and the conditions that each record matches.
#[test]
fn conditions_meet_what_stands_beside_them() {
    for (name, text) in files("tests/lang/match", "alarm") {
        let (program, found) = compiled(&name, &text);
        assert!(!has_errors(&found), "{}", render::human(&found, false));
        let inventory = inventory();
        let matcher = Matcher::new(&program, Some(&inventory));
        let log = read(&format!("tests/lang/match/{}", name.replace(".alarm", ".log")));
        let mut told = String::new();
        let mut decoder = Decoder::new();
        let mut hits = Vec::new();
        for record in log.lines() {
            let event = decoder.decode(record.as_bytes(), Time::default());
            matcher.matches(&event, &mut hits);
            let matched = hits.iter().map(|hit| {
                let captures: Vec<String> = hit.captures.iter().map(|(n, v)| format!("{n}={v}")).collect();
                let name = &program.atoms[hit.atom.0 as usize].name;
                if captures.is_empty() { name.clone() } else { format!("{name}({})", captures.join(", ")) }
            });
            let matched: Vec<String> = matched.collect();
            told.push_str(&format!("{record}\n    {}\n", if matched.is_empty() { "-".to_owned() } else { matched.join("  ") }));
        }
        expect(format!("tests/lang/match/{}", name.replace(".alarm", ".expected")), &told);
    }
}

#[test]
fn a_hundred_thousand_parentheses_are_one_clear_message() {
    for (open, close) in [("(", ")"), ("not ", "")] {
        let many = |text: &str| text.repeat(100_000);
        let text = format!(
            "pattern p {{ where {}text contains \"x\"{} }}\nalarm a {{ detect p cancel by hand }}\n",
            many(open),
            many(close)
        );
        let (_, found) = compiled("deep.alarm", &text);
        let errors: Vec<&Diagnostic> = found.iter().filter(|d| d.code == Code::TooDeep).collect();
        assert_eq!(errors.len(), 1, "{}", render::human(&found, false));
        assert!(errors[0].message.contains(&NESTING.to_string()), "{}", errors[0].message);
        assert_eq!(found.len(), 1, "{}", render::human(&found, false));
    }
    let text = format!("alarm a {{ detect {}event 1{} cancel by hand }}", "(".repeat(100_000), ")".repeat(100_000));
    let (_, found) = compiled("deep.alarm", &text);
    assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::TooDeep], "{}", render::human(&found, false));
}

#[test]
fn what_is_too_much_is_refused_by_name() {
    let codes = |text: &str| compiled("much.alarm", text).1.iter().map(|d| d.code).collect::<Vec<_>>();
    let large = format!("# {}", "x".repeat(pointsman::core::base::limits::RULE_FILE_BYTES));
    assert_eq!(codes(&large), [Code::RuleFileTooLarge]);
    let wide = format!("alarm a {{ detect event 1{} cancel by hand }}", " or event 1".repeat(1_000));
    assert_eq!(codes(&wide), [Code::TooManyAlternatives]);
    let (_, found) = compiled("junk.alarm", &"junk ".repeat(5_000));
    assert!(found.len() <= pointsman::core::base::limits::MISTAKES_PER_FILE + 1, "{}", found.len());
}

/// Expressions of a megabyte, short expressions of great size, and many that are valid separately. There is one message for each
/// cause.
#[test]
fn expressions_are_bounded_alone_and_together() {
    let told = |text: &str, code: Code| {
        let (_, found) = compiled("much.alarm", text);
        found.into_iter().filter(|d| d.code == code).map(|d| d.message).collect::<Vec<_>>()
    };
    let one = |regex: &str| format!("pattern p {{ match /{regex}/ }}\nalarm a {{ detect p cancel by hand }}\n");
    for (regex, word) in [
        (r"\w".repeat(500_000), "longer"),
        ("(abc|def)".repeat(110_000), "longer"),
        (r"\w".repeat(EXPRESSION_BYTES / 2), "compiled"),
        (r"(\w{999}){999}".to_owned(), "compiled"),
    ] {
        let messages = told(&one(&regex), Code::RegexTooLarge);
        assert!(messages.len() == 1 && messages[0].contains(word), "{messages:?}");
    }
    let deep = told(&one(&format!("{}a{}", "(".repeat(5_000), ")".repeat(5_000))), Code::BadRegex);
    assert_eq!(deep.len(), 1);
    let many: String = (0..2_000).map(|i| format!("pattern p{i} {{ match /a{i} \\w{{18}}/ }}\n")).collect();
    let messages = told(&many, Code::RegexTooLarge);
    assert!(messages.len() == 1 && messages[0].contains(&REGEX_BYTES_ALL.to_string()), "{messages:?}");
    let wide: String = (0..1_000).map(|i| format!("match /user x{i}/ ")).collect();
    let narrowed = format!("detect ({}) where level > info cancel by hand", vec!["p"; 120].join(" or "));
    let text = format!("pattern p {{ {wide} }}\nalarm a {{ {narrowed} }}\nalarm b {{ {narrowed} }}\n");
    let messages = told(&text, Code::TooManyAlternatives);
    assert!(messages.len() == 1 && messages[0].contains(&COPIES.to_string()), "{messages:?}");
}

/// A group stands for all its members, so the total number of members is bounded.
#[test]
fn senders_of_groups_are_bounded() {
    let group = Group { hosts: (0..10_000).map(|n| format!("h{n}")).collect(), applications: Vec::new() };
    let inventory = Inventory { groups: BTreeMap::from([("all".to_owned(), group)]), ..Inventory::default() };
    let rules = |alarms: usize| {
        let alarm = |n| format!("alarm a{n} {{ detect event {n} from group all cancel by hand }}\n");
        source("many", &(0..alarms).map(alarm).collect::<String>())
    };
    let told = |alarms: usize| {
        let (_, found) = compile(&[rules(alarms)], &Declarations { inventory: Some(&inventory), scripts: None });
        found.into_iter().filter(|d| d.code == Code::TooManyAlternatives).map(|d| d.message).collect::<Vec<_>>()
    };
    assert_eq!(told(GROUP_SENDERS / 10_000), Vec::<String>::new());
    let messages = told(GROUP_SENDERS / 10_000 + 5);
    assert!(messages.len() == 1 && messages[0].contains(&GROUP_SENDERS.to_string()), "{messages:?}");
}

/// A hundred thousand alarms with unknown names take seconds, where comparing all with all would take minutes.
#[test]
fn very_many_rules_are_read() {
    let files: Vec<Arc<_>> = (0..5)
        .map(|file| {
            let alarm = |n: usize| format!("alarm a{file}_{n}{{detect event {n} cancel by hand}}\n");
            source(&format!("{file}.alarm"), &(0..20_000).map(alarm).collect::<String>())
        })
        .collect();
    let (program, found) = compile(&files, &Declarations::default());
    // The same events under five names: all except the first are reported, as many of each file as are listed.
    let of = |found: &[Diagnostic], code: Code| found.iter().filter(|d| d.code == code).count();
    assert_eq!((program.alarms.len(), found.len()), (100_000, 4 * (MISTAKES_PER_FILE + 1)));
    assert_eq!(of(&found, Code::SameAlarm), 4 * MISTAKES_PER_FILE);
    let rest = found.iter().find(|d| d.code == Code::MoreMistakes).map(|d| d.message.clone());
    assert_eq!(rest.as_deref(), Some("1.alarm has 19000 more errors and warnings, which are not listed"));
    let unknown = |n: usize| format!("pattern p{n}{{match /ab/}}\nalarm a{n}{{detect q{n} cancel by hand}}\n");
    let (_, found) = compile(&[source("u.alarm", &(0..14_000).map(unknown).collect::<String>())], &Declarations::default());
    // Errors come before warnings.
    assert_eq!((of(&found, Code::UnknownPattern), of(&found, Code::UnusedPattern)), (MISTAKES_PER_FILE, 0));
    let shown = render::human(&found, false);
    assert!(shown.contains(&format!("u.alarm: {} more are not shown", MISTAKES_PER_FILE - DIAGNOSTICS_PER_FILE)));
    assert!(shown.len() < 100_000, "{}", shown.len());
}

/// Advice is given only if it is certain. The rules that come with the program cause none.
#[test]
fn no_shipped_rule_is_advised_against() {
    for folder in std::fs::read_dir(root().join("rules")).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()) {
        let name = format!("rules/{}", folder.file_name().unwrap().to_str().unwrap());
        let all: Vec<_> = files(&name, "alarm").into_iter().map(|(name, text)| source(&name, &text)).collect();
        // The scripts of the rules, or the shipped ones.
        let own = folder.join("scripts").is_dir().then(|| format!("{name}/scripts"));
        let scripts = scripts_of(own.as_deref().unwrap_or("scripts"));
        // The rules of pairs apply to all pairs of an inventory.
        let known = inventory();
        let inventory = (name == "rules/pairs").then_some(&known);
        let (program, found) = compile(&all, &Declarations { inventory, scripts: Some(&scripts) });
        assert!(found.is_empty() && !program.alarms.is_empty(), "{name}\n{}", render::human(&found, false));
    }
}

/// One `react` starts a bounded number of reactions, in whatever way they are joined: each run keeps those that follow it.
#[test]
fn one_react_starts_a_bounded_number_of_reactions() {
    for joint in [" then ", ", "] {
        let errors = |calls: usize| {
            let calls = vec!["r"; calls].join(joint);
            let rules =
                format!("alarm a {{ detect event \"A\" cancel at once react {calls} }}\nreaction r {{ script \"r.rhai\" }}\n");
            let (_, found) = compiled("r.alarm", &rules);
            found.iter().filter(|d| d.code == Code::TooManyAlternatives).count()
        };
        assert_eq!((errors(REACTION_CALLS), errors(REACTION_CALLS + 1)), (0, 1), "{joint}");
    }
}

/// The shipped rules have no errors with the inventory for which they are made, and without any.
#[test]
fn the_shipped_rules_are_clean() {
    let all: Vec<_> = ["ip_takeover", "pairs"]
        .iter()
        .flat_map(|folder| files(&format!("rules/{folder}"), "alarm"))
        .map(|(name, text)| source(&name, &text))
        .collect();
    let (inventory, scripts) = (inventory(), scripts());
    let alone: Vec<_> = all.iter().filter(|source| source.name != "split_brain.alarm").cloned().collect();
    for (inventory, sources, alarms) in [(Some(&inventory), &all, 14), (None, &alone, 10)] {
        let (program, found) = compile(sources, &Declarations { inventory, scripts: Some(&scripts) });
        assert!(found.is_empty(), "{}", render::human(&found, false));
        assert_eq!(program.alarms.len(), alarms);
    }
}

/// Names, order, category, time-out and reactions are exactly as in the tables of the deployment guide.
#[test]
fn the_tables_of_the_guide_are_as_printed() {
    let sources: Vec<Arc<_>> =
        ["hot", "warm", "reactions"].iter().map(|n| source(n, &read(&format!("rules/ip_takeover/{n}.alarm")))).collect();
    let (inventory, scripts) = (inventory(), scripts());
    let (program, _) = compile(&sources, &Declarations { inventory: Some(&inventory), scripts: Some(&scripts) });
    let mut told = String::new();
    for alarm in &program.alarms {
        let reactions: Vec<&str> = alarm.react.iter().flatten().map(|c| c.reaction.as_str()).collect();
        let atom = &program.atoms[alarm.detect.parts[0][0].0 as usize];
        told.push_str(&format!(
            "{} | {} | {:?} | {:?} | {:?} | {}\n",
            alarm.name,
            alarm.category.name(),
            atom.ids[0],
            atom.from,
            alarm.cancel,
            reactions.join(", ")
        ));
    }
    expect("tests/lang/tables.expected", &told);
}

/// The size of filled-in rows is limited before they are filled in.
#[test]
fn rows_are_bounded() {
    let rows: String = (0..999).map(|n| format!(" with n = \"{n}\"")).collect();
    let text = format!("alarm \"a ${{n}}\"{rows} {{ detect event ${{n}} cancel after 1m help \"{}\" }}\n", "x".repeat(100_000));
    let (_, found) = compiled("rows.alarm", &text);
    assert!(found.iter().any(|d| d.code == Code::BadRow && d.message.contains("more than")), "{}", render::human(&found, false));
}

/// `docs/reference/notices.md` is generated from the program, and the shipped rules use only notices that exist.
#[test]
fn the_notices_are_the_programs_own() {
    expect("docs/reference/notices.md", &pointsman::core::notice::reference());
    for kind in pointsman::core::notice::Kind::ALL {
        assert_eq!(pointsman::core::notice::Kind::parse(kind.name()), Some(*kind), "two kinds are called {kind}");
    }
}

/// `grammar/codes.md` is generated from the program.
#[test]
fn the_list_of_codes_is_fresh() {
    expect("grammar/codes.md", &pointsman::core::diag::codes::reference());
}

/// The examples in the grammar's README compile.
#[test]
fn the_examples_of_the_grammar_compile() {
    let text = read("grammar/README.md");
    let mut examples = 0;
    for (i, part) in text.split("```").enumerate().filter(|(i, _)| i % 2 == 1) {
        let Some(rules) = part.strip_prefix("alarm\n") else { continue };
        examples += 1;
        let (_, found) = compiled(&format!("grammar/README.md, block {}", i / 2 + 1), rules);
        assert!(!has_errors(&found), "{}", render::human(&found, false));
    }
    assert!(examples >= 4, "{examples}");
}
