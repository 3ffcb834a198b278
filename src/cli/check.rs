//! `pointsman check`: checks everything that a start or a reload requires of a site: configuration, rules, scripts, rule tests.

use std::collections::BTreeMap;
use std::io;

use serde_json::json;

use crate::core::base::text::{printable, printable_json};
use crate::core::config;
use crate::core::diag::{LineIndex, has_errors, render};
use crate::core::lang::program::{Atom, Program};
use crate::core::lang::{Lookup, plan, why_always};

use super::given::Given;
use super::output::{OutputFormat, WRONG, plural, report};
use super::test;
use crate::shell::site_files::followed;

/// The maximum number of conditions in a plan. Further ones are only counted.
const SHOWN: usize = 50;

const EXAMPLES: &str = "\
Examples:
  pointsman check                        pointsman.yaml of this folder, its rules and scripts
  pointsman check -c site/pointsman.yaml
  pointsman check --rules rules          only rules: their syntax, and the names that they have in common
  pointsman check --plan                 also how each condition is found: which are evaluated for every event, and why
  pointsman check --format json          one object for each error (and condition)";

/// Checks configuration, rules and scripts
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    given: Given,
    /// Also show how the events of each condition are found
    #[arg(long)]
    plan: bool,
    /// Do not run the rule tests that are beside the rules
    #[arg(long)]
    no_tests: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    format: OutputFormat,
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    let mut setup = args.given.load_to_run();
    // A start and a reload refuse a site whose rule tests fail, so this does, too.
    if setup.site.is_some() && setup.config.is_some() && !args.no_tests {
        let failing = test::failing(&args.given, &setup.rule_paths);
        setup.diagnostics.extend(failing);
    }
    report(&setup.diagnostics, args.format)?;
    let count = render::count(&setup.diagnostics);
    let bad = has_errors(&setup.diagnostics);
    if args.format == OutputFormat::Human {
        let what = setup.site.as_ref().map(|site| {
            let program = &site.program;
            format!(
                "{} with {} and {}, {}, {}",
                plural(setup.texts.rules.len(), "rule file"),
                plural(program.alarms.iter().filter(|a| !a.composite).count(), "alarm"),
                plural(program.samples.len(), "sample"),
                plural(setup.texts.scripts.as_ref().map_or(0, BTreeMap::len), "script"),
                plural(site.inventory.resources.len(), "resource"),
            )
        });
        let what = what.filter(|_| !bad);
        match (what, count.is_empty()) {
            (Some(what), true) => println!("all is well: {what}"),
            (Some(what), false) => println!("{count}: {what}"),
            (None, _) => eprintln!("{count}"),
        }
    }
    if let (OutputFormat::Human, Some((config, base))) = (args.format, &setup.config) {
        for (pattern, matches) in followed::patterns(config, base).into_iter().filter(|(_, matches)| *matches > 0) {
            println!("{pattern}: {} {} now", plural(matches, "file"), if matches == 1 { "matches" } else { "match" });
        }
    }
    if let (OutputFormat::Human, false, Some(site)) = (args.format, bad, &setup.site) {
        let all = site.inventory.resources.iter().filter_map(|(name, resource)| config::coverage(name, resource));
        for (n, covered) in all.enumerate() {
            match n {
                0..SHOWN => println!("{}", printable(&covered)),
                SHOWN => println!("... and more resources under `takeover: quorum`"),
                _ => {}
            }
        }
    }
    if let (true, Some(site)) = (args.plan, &setup.site) {
        show_plan(&site.program, args.format);
    }
    Ok(if bad { WRONG } else { 0 })
}

fn show_plan(program: &Program, format: OutputFormat) {
    let ways = plan(program);
    let all = program.atoms.iter().zip(&ways);
    let mut lines = LineIndex::default();
    let mut place = |atom: &Atom| format!("{}:{}", atom.place.source.name, lines.line_column(&atom.place).0);
    if format == OutputFormat::Json {
        for (atom, way) in all {
            let texts = if let Lookup::Text(texts) = way { texts.as_slice() } else { &[] };
            let why = if *way == Lookup::Nothing { Some(why_always(atom)) } else { None };
            let row =
                json!({ "condition": atom.name, "at": place(atom), "found_by": way.to_string(), "texts": texts, "why": why });
            println!("{}", printable_json(&row.to_string()));
        }
        return;
    }
    let count = |name: &str| ways.iter().filter(|w| w.to_string() == name).count();
    println!("\n{}:", plural(ways.len(), "condition"));
    for (name, what) in [
        ("id", "found by an id of the event"),
        ("text", "found by a text that the event must contain (one search finds all such texts)"),
        ("sender", "evaluated for every event of their senders"),
        ("nothing", "evaluated for every event"),
        ("engine", "about changes of alarms, hosts and applications, not about events of logs"),
    ] {
        if name != "engine" || count(name) > 0 {
            println!("  {:>6}  {what}", count(name));
        }
    }
    let slow = all.filter(|(_, way)| matches!(way, Lookup::Sender | Lookup::Nothing)).collect::<Vec<_>>();
    for (atom, way) in slow.iter().take(SHOWN) {
        let why = if *way == &Lookup::Nothing { why_always(atom) } else { "only its sender limits it" };
        println!("{} {}: {}", printable(&place(atom)), printable(&atom.name), printable(why));
    }
    if slow.len() > SHOWN {
        println!("... and {} more (`--format json` shows all)", slow.len() - SHOWN);
    }
}
