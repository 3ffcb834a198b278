//! Hostile scripts in separate processes: the program survives, each run fails within its time, and others are not delayed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use pointsman::core::lang::{Declarations, Matcher, compile};
use pointsman::core::script::{Evaluator, Next, ScriptCall};
use pointsman::core::site::Site;
use pointsman::shell::live::evaluator::{Evaluators, Task};
use pointsman::shell::live::urgency::Urgency;

use crate::support::{files, inventory, source};

const PATIENCE: Duration = Duration::from_secs(60);

/// Scripts that kill a process which embeds the library, in addition to those that its limits stop.
const DEADLY: [(&str, &str); 2] = [
    ("deep.rhai", "fn react(a, e, p) { let a = []; for i in 0..190 { a = [a]; } let b = a; if b == a { throw \"equal\"; } a }"),
    ("busy.rhai", "fn react(a, e, p) { let s = \"x\"; loop { let t = s + s; if t == \"y\" { break; } } }"),
];

#[test]
fn hostile_scripts_end_and_hold_nobody_up() {
    let inventory = Arc::new(inventory());
    let evaluator = Evaluator::new(inventory.clone());
    let mut all: Vec<(String, String)> = files("tests/script/hostile", "rhai");
    all.extend(DEADLY.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    all.push(("good.rhai".to_owned(), "fn react(alarm, event, params) { 6 * 7 }".to_owned()));
    let compiled: BTreeMap<_, _> =
        all.iter().filter_map(|(name, text)| Some((name.clone(), evaluator.compile(&source(name, text)).ok()?))).collect();
    let hostile: Vec<String> = compiled.keys().filter(|n| *n != "good.rhai").cloned().collect();
    assert!(hostile.len() > 15, "{}", hostile.len());
    let (program, found) = compile(&[source("r", "")], &Declarations { inventory: Some(&inventory), scripts: None });
    assert_eq!(found, []);
    let matcher = Matcher::new(&program, Some(&inventory));
    let site = Site::new(inventory, Arc::new(program), matcher, compiled, evaluator);

    let (sender, answers) = channel();
    let program = PathBuf::from(env!("CARGO_BIN_EXE_pointsman"));
    let evaluators = Evaluators::start(program, &site, move |run, next| drop(sender.send((run, next)))).unwrap();
    let evaluate = |run: u64, script: &str| {
        evaluators.evaluate(
            Urgency::default(),
            Task { run, script: script.to_owned(), call: ScriptCall::default(), history: Vec::new() },
        );
    };
    let finished = |next: &Next| matches!(next, Next::Finished(value) if value.to_string() == "42");
    for (n, script) in (1..).zip(&hostile) {
        evaluate(n, script);
        evaluate(1_000 + n, "good.rhai");
        let two: BTreeMap<u64, Next> = (0..2).map(|_| answers.recv_timeout(PATIENCE).unwrap()).collect();
        // Whatever the script does, the program survives. A script that asks for a step has done nothing yet.
        assert!(two.contains_key(&n), "{script}");
        assert!(finished(&two[&(1_000 + n)]), "{script} held another up: {two:?}");
    }
    // All scripts run at once, and afterwards everything works as before.
    for (n, script) in (2_000..).zip(&hostile) {
        evaluate(n, script);
    }
    evaluate(9_000, "good.rhai");
    let rest: BTreeMap<u64, Next> = (0..=hostile.len()).map(|_| answers.recv_timeout(PATIENCE).unwrap()).collect();
    assert!(finished(&rest[&9_000]));
}

/// An evaluating process may use only its pipe. The kernel enforces that.
#[test]
fn the_process_has_no_rights() {
    let inventory = Arc::new(inventory());
    let evaluator = Evaluator::new(inventory.clone());
    let (program, _) = compile(&[source("r", "")], &Declarations { inventory: Some(&inventory), scripts: None });
    let matcher = Matcher::new(&program, Some(&inventory));
    let site = Site::new(inventory, Arc::new(program), matcher, BTreeMap::new(), evaluator);
    let (sender, answers) = channel();
    let program = PathBuf::from(env!("CARGO_BIN_EXE_pointsman"));
    let evaluators = Evaluators::start(program, &site, move |run, next| drop(sender.send((run, next)))).unwrap();
    evaluators
        .evaluate(Urgency::default(), Task { run: 1, script: "x".to_owned(), call: ScriptCall::default(), history: Vec::new() });
    assert_eq!(answers.recv_timeout(PATIENCE).unwrap(), (1, Next::Failed("there is no script x".to_owned())));
    let me = std::process::id().to_string();
    let mut found = 0;
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let read = |name: &str| std::fs::read_to_string(process.path().join(name)).unwrap_or_default();
        let status = read("status");
        let field = |name: &str| status.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default().trim().to_owned();
        if field("PPid:") != me || !read("cmdline").contains("\0evaluate") {
            continue;
        }
        // For processes that have answered, the filter is active and new rights cannot be obtained.
        if field("Seccomp:") == "2" {
            assert_eq!(field("NoNewPrivs:"), "1");
            let limits = read("limits");
            if limits.is_empty() {
                // It is that of another test, and has ended meanwhile.
                continue;
            }
            let limit = |name: &str| limits.lines().find(|l| l.starts_with(name)).unwrap().split_whitespace().collect::<Vec<_>>();
            assert!(limit("Max open files").contains(&"3"));
            assert!(limit("Max file size").contains(&"0"));
            found += 1;
        }
    }
    assert!(found >= 1, "a process that evaluates is there");
}
