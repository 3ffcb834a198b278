//! `pointsman explain`: how a record is read, which conditions it matches and nearly matches, and why an alarm was raised or was
//! not.

mod alarm;
mod journal;
mod record;

use std::io;
use std::path::PathBuf;

use crate::core::base::time::Time;
use crate::core::base::zone::Zone;
use crate::core::event::Trust;

use super::dry_run;
use super::given::Given;
use super::output::{OutputFormat, USAGE, WRONG, report};

const EXAMPLES: &str = "\
Examples:
  pointsman explain -c pointsman.yaml 'Nov 29 10:00:00 sip1 app: link down'   one record
  pointsman explain -c pointsman.yaml app.log:17                             line 17, with all that came before it
  tail -1 app.log | pointsman explain --rules rules -                        records of standard input
  pointsman explain -c pointsman.yaml app.log:17 --rule link_down            one rule in full, however far away it is
  pointsman explain -c pointsman.yaml --alarm link_down app.log              why the alarm was raised by this log, or was not
  pointsman explain -c pointsman.yaml --alarm link_down --key eth0 app.log.1 app.log
  pointsman explain -c pointsman.yaml --alarm link_down --live               the same of the running controller, from its journal
  pointsman explain -c pointsman.yaml --run 17                               a run: from the record to its last step

The cause is said first. Nothing is changed: no address is moved, nobody is notified.";

/// Explains how a record is read, what matches it, and why an alarm was raised or was not
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    given: Given,
    /// Show this pattern, ignore or alarm in full, however little it matches
    #[arg(long, value_name = "NAME", conflicts_with_all = ["alarm", "run"])]
    rule: Option<String>,
    /// Explain why the named logs raised this alarm, or did not
    #[arg(long, value_name = "ALARM", conflicts_with = "run")]
    alarm: Option<String>,
    /// Only this key of the alarm, as `pointsman alarms` shows it
    #[arg(long, value_name = "KEY", requires = "alarm")]
    key: Option<String>,
    /// Explain what the running controller did, from its journal, instead of logs
    #[arg(long, requires = "alarm")]
    live: bool,
    /// Explain this run, from the journal
    #[arg(long, value_name = "RUN")]
    run: Option<u64>,
    /// The data folder of the controller, instead of the one that the configuration names
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The number of nearly matching conditions that are shown
    #[arg(long, value_name = "N", default_value_t = 3)]
    near: usize,
    /// Who holds a resource when the log begins [default: the host of its pair's primary]
    #[arg(long, value_name = "RESOURCE=HOST")]
    holder: Vec<String>,
    /// About when the log was written (RFC 3339), for stamps without year or date [default: the file's time]
    #[arg(long, value_name = "TIME", value_parser = dry_run::written)]
    written: Option<Time>,
    /// The trust of the records' senders: unverified, address, local or authenticated
    #[arg(long, value_name = "WORD", default_value = "local", value_parser = dry_run::trust)]
    trust: Trust,
    /// The time zone of stamps that contain none [default: that of the configuration, else this machine's]
    #[arg(long, value_name = "ZONE", value_parser = dry_run::zone)]
    timezone: Option<Zone>,
    /// Read the records like those of this followed file of the configuration: with its host, application, time zone and format
    #[arg(long = "as", value_name = "FILE")]
    read_as: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    format: OutputFormat,
    /// A record, `FILE:LINE`, or `-` for records of standard input; with `--alarm`, logs
    #[arg(value_name = "RECORD")]
    what: Vec<String>,
}

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
    let options = match dry_run::LogOptions::new(args.timezone).read_as(setup.config.as_ref(), args.read_as.as_deref()) {
        Ok(options) => options,
        Err(why) => {
            super::output::wrong(&why);
            return Ok(USAGE);
        }
    };
    let scene = Scene { site, config: setup.config, holders, written: args.written, options };
    match &args.alarm {
        Some(alarm) => alarm::run(args, &scene, alarm),
        None => record::run(args, &scene),
    }
}

/// The data with which records are explained.
struct Scene {
    site: std::sync::Arc<crate::core::site::Site>,
    config: Option<(crate::core::config::Config, PathBuf)>,
    holders: std::collections::BTreeMap<String, String>,
    written: Option<Time>,
    options: dry_run::LogOptions,
}
