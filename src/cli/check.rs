//! `pointsman check`: everything, statically.

use std::io;

use crate::diag::{has_errors, render};

use super::setup::{self, Given};
use super::{Format, WRONG, plural, report};

const EXAMPLES: &str = "\
Examples:
  pointsman check                        pointsman.yaml of this folder, its rules and scripts
  pointsman check -c site/pointsman.yaml
  pointsman check --rules rules          rules alone, for syntax and names among themselves
  pointsman check --format json          one object for each mistake";

/// Checks configuration, rules and scripts
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    given: Given,
    /// How to print
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    format: Format,
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    let setup = setup::load(&args.given);
    report(&setup.diagnostics, args.format)?;
    let count = render::count(&setup.diagnostics);
    let bad = has_errors(&setup.diagnostics);
    if args.format == Format::Human {
        let what = setup.site.as_ref().map(|site| {
            let program = &site.program;
            format!(
                "{} with {} and {}, {}, {}",
                plural(setup.rule_files, "rule file"),
                plural(program.alarms.len(), "alarm"),
                plural(program.samples.len(), "sample"),
                plural(setup.scripts, "script"),
                plural(site.inventory.resources.len(), "resource"),
            )
        });
        match (what, count.is_empty()) {
            (Some(what), true) => println!("all is well: {what}"),
            (Some(what), false) => println!("{count}: {what}"),
            (None, _) => eprintln!("{count}"),
        }
    }
    Ok(if bad { WRONG } else { 0 })
}
