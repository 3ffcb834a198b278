//! Scripts: their next steps, what `check` finds, and what hostile scripts cannot do.

use std::collections::BTreeMap;
use std::sync::Arc;

use pointsman::core::event::Value;
use pointsman::core::inventory::Via;
use pointsman::core::script::{Compiled, Evaluator, FinishedStep, Next, ScriptCall, Verb, check, reference};

use crate::support::{expect, files, inventory, source};

fn call(params: &[(&str, &str)]) -> ScriptCall {
    let map = |all: &[(&str, &str)]| all.iter().map(|(k, v)| ((*k).to_owned(), Value::from(*v))).collect::<BTreeMap<_, _>>();
    ScriptCall { alarm: map(&[("name", "a"), ("key", "")]), event: map(&[("host", "sip1")]), params: map(params) }
}

/// Runs a script to its end; `answer` gives each step's result.
fn run(
    evaluator: &Evaluator,
    script: &Compiled,
    call: &ScriptCall,
    answer: impl Fn(&str) -> Result<Value<'static>, String>,
) -> (Vec<FinishedStep>, Next) {
    let mut history = Vec::new();
    for _ in 0..100 {
        match evaluator.next(script, call, &history) {
            Next::Step(step) => {
                let result = answer(step.verb.name());
                history.push(FinishedStep { step, result });
            }
            end => return (history, end),
        }
    }
    panic!("a hundred steps and no end");
}

fn told(history: &[FinishedStep], end: &Next) -> String {
    let mut text = String::new();
    for done in history {
        let args: Vec<String> = done.step.args.iter().map(ToString::to_string).collect();
        text.push_str(&format!("{} {} ({}) line {}\n", done.step.n, done.step.verb, args.join(", "), done.step.line));
    }
    match end {
        Next::Finished(value) => text.push_str(&format!("finished {value}\n")),
        Next::Failed(why) => text.push_str(&format!("failed: {why}\n")),
        Next::Step(_) => unreachable!(),
    }
    text
}

#[test]
fn scripts_do_what_stands_beside_them() {
    let evaluator = Evaluator::new(Arc::new(inventory()));
    let mut known = inventory();
    known.hosts.values_mut().for_each(|host| host.via = Via::Local);
    for (name, text) in files("tests/script/ok", "rhai") {
        if !name.starts_with("unknown") {
            let found: Vec<_> = check(&source(&name, &text), Some(&known)).1;
            assert!(!pointsman::core::diag::has_errors(&found), "{}", pointsman::core::diag::render::human(&found, false));
        }
        let script = evaluator.compile(&source(&name, &text)).unwrap();
        let params = call(&[("vip", "sip_vip"), ("pair", "sip"), ("host", "sip2")]);
        // A comment `// fails: verb` makes the steps of this verb fail.
        let fails = |verb: &str| text.contains(&format!("// fails: {verb}\n"));
        let (history, end) = run(&evaluator, &script, &params, |verb| match verb {
            verb if fails(verb) => Err(format!("{verb} does not work")),
            "vip.up" | "vip.move_to" | "vip.down" => Ok("accepted".into()),
            "vip.holders" => Ok(Value::List(vec!["sip1".into()])),
            "vip.settle" => Ok(Value::Bool(true)),
            "host.run" => Ok(Value::Map([("status".to_owned(), Value::Int(0)), ("stdout".to_owned(), "fine".into())].into())),
            "vip.owner" => Ok("sip1".into()),
            _ => Ok(Value::Unit),
        });
        expect(format!("tests/script/ok/{}", name.replace(".rhai", ".expected")), &told(&history, &end));
        // Every prefix of the history leads to the same next step.
        for n in 0..history.len() {
            assert_eq!(evaluator.next(&script, &params, &history[..n]), Next::Step(history[n].step.clone()), "{name} after {n}");
        }
    }
}

#[test]
fn a_step_that_differs_from_its_record_ends_the_run() {
    let evaluator = Evaluator::new(Arc::new(inventory()));
    let script = evaluator.compile(&source("x", "fn react(alarm, event, params) { wait(\"1s\"); log.info(\"done\"); }")).unwrap();
    let (mut history, _) = run(&evaluator, &script, &call(&[]), |_| Ok(Value::Unit));
    history[0].step.args = vec!["2s".into()];
    let Next::Failed(why) = evaluator.next(&script, &call(&[]), &history) else { panic!() };
    assert!(why.contains("the recorded step"), "{why}");
}

#[test]
fn check_finds_what_stands_beside_the_scripts() {
    let inventory = inventory();
    for (name, text) in files("tests/script/err", "rhai") {
        let (_, found) = check(&source(&name, &text), Some(&inventory));
        let mut told = String::new();
        for d in &found {
            let (line, column) = d.place.as_ref().map_or((0, 0), |p| p.line_column());
            told.push_str(&format!(
                "{line}:{column} {} {}{}\n",
                d.code.text(),
                d.message,
                d.help.as_ref().map(|h| format!(" | {h}")).unwrap_or_default()
            ));
        }
        assert!(!found.is_empty(), "{name}");
        expect(format!("tests/script/err/{}", name.replace(".rhai", ".expected")), &told);
    }
}

#[test]
fn the_shipped_scripts_are_clean() {
    for (name, text) in files("scripts", "rhai") {
        let (params, found) = check(&source(&name, &text), Some(&inventory()));
        assert_eq!(found, [], "{name}");
        assert_eq!(params.len(), 2, "{name}");
    }
}

#[test]
fn the_verbs_examples_are_clean_and_their_reference_is_fresh() {
    for verb in Verb::ALL.iter().map(|verb| verb.decl()) {
        let text = format!(
            "const PARAMS = #{{ host: \"host\" }};\nfn react(alarm, event, params) {{\n    {}\n    params.host\n}}\n",
            verb.example
        );
        // Commands are run on the controller's own machine only.
        let mut known = inventory();
        known.hosts.values_mut().for_each(|host| host.via = Via::Local);
        let (_, found) = check(&source(verb.name, &text), Some(&known));
        assert_eq!(found, [], "{}", verb.name);
        let evaluator = Evaluator::new(Arc::new(inventory()));
        let script = evaluator.compile(&source(verb.name, &text)).unwrap();
        let first = evaluator.next(&script, &call(&[("host", "sip1")]), &[]);
        let Next::Step(step) = first else { panic!("{}: {first:?}", verb.name) };
        assert!(verb.name == step.verb.name(), "{} asked for {}", verb.name, step.verb);
    }
    expect("scripts/verbs.md", &reference());
}

#[test]
fn hostile_scripts_end_within_their_limits() {
    let evaluator = Evaluator::new(Arc::new(inventory()));
    for (name, text) in files("tests/script/hostile", "rhai") {
        let Ok(script) = evaluator.compile(&source(&name, &text)) else { continue };
        let next = evaluator.next(&script, &call(&[]), &[]);
        assert!(matches!(next, Next::Failed(_)), "{name}: {next:?}");
    }
}
