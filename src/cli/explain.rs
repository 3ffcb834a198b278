//! `pointsman explain`: how a record is read, which conditions it matches and nearly matches, and why an alarm was raised or was
//! not.

mod alarm;
mod args;
mod journal;
mod record;

use std::io;

use super::dry_run;
use super::output::{OutputFormat, USAGE, WRONG, report};

use args::Scene;

pub(super) use args::Args;

pub(super) fn run(args: &Args) -> io::Result<u8> {
    if let Some(run) = args.run {
        return journal::run(args, run);
    }
    let setup = args.given.load();
    report(&setup.diagnostics, OutputFormat::Human)?;
    let Some(site) = setup.site else { return Ok(WRONG) };
    if let (Some(alarm), true) = (&args.alarm, args.live) {
        return journal::alarm(args, &site, alarm);
    }
    let holders = match dry_run::holders(&site, &args.holder) {
        Ok(holders) => holders,
        Err(why) => {
            super::output::wrong(&why);
            return Ok(USAGE);
        }
    };
    let scene = Scene { site, config: setup.config, holders, written: args.written, zones: dry_run::Zones::new(args.timezone) };
    match &args.alarm {
        Some(alarm) => alarm::run(args, &scene, alarm),
        None => record::run(args, &scene),
    }
}
