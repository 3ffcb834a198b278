//! The arguments of `pointsman explain`, and what is loaded for them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::core::base::time::Time;
use crate::core::base::zone::Zone;
use crate::core::config::Config;
use crate::core::event::Trust;
use crate::core::site::Site;

use super::super::dry_run;
use super::super::given::Given;
use super::super::output::OutputFormat;

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
pub(in crate::cli) struct Args {
    #[command(flatten)]
    pub(super) given: Given,
    /// Show this pattern, ignore or alarm in full, however little it matches
    #[arg(long, value_name = "NAME", conflicts_with_all = ["alarm", "run"])]
    pub(super) rule: Option<String>,
    /// Explain why the named logs raised this alarm, or did not
    #[arg(long, value_name = "ALARM", conflicts_with = "run")]
    pub(super) alarm: Option<String>,
    /// Only this key of the alarm, as `pointsman alarms` shows it
    #[arg(long, value_name = "KEY", requires = "alarm")]
    pub(super) key: Option<String>,
    /// Explain what the running controller did, from its journal, instead of logs
    #[arg(long, requires = "alarm")]
    pub(super) live: bool,
    /// Explain this run, from the journal
    #[arg(long, value_name = "RUN")]
    pub(super) run: Option<u64>,
    /// The data folder of the controller, instead of the one that the configuration names
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The number of nearly matching conditions that are shown
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(super) near: usize,
    /// Who holds a resource when the log begins [default: the host of its pair's primary]
    #[arg(long, value_name = "RESOURCE=HOST")]
    pub(super) holder: Vec<String>,
    /// About when the log was written (RFC 3339), for stamps without year or date [default: the file's time]
    #[arg(long, value_name = "TIME", value_parser = dry_run::written)]
    pub(super) written: Option<Time>,
    /// The trust of the records' senders: unverified, address, local or authenticated
    #[arg(long, value_name = "WORD", default_value = "local", value_parser = dry_run::trust)]
    pub(super) trust: Trust,
    /// The time zone of stamps that contain none [default: that of the configuration, else this machine's]
    #[arg(long, value_name = "ZONE", value_parser = dry_run::zone)]
    pub(super) timezone: Option<Zone>,
    /// How to print
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(super) format: OutputFormat,
    /// A record, `FILE:LINE`, or `-` for records of standard input; with `--alarm`, logs
    #[arg(value_name = "RECORD")]
    pub(super) what: Vec<String>,
}

/// The data with which records are explained.
pub(super) struct Scene {
    pub(super) site: Arc<Site>,
    pub(super) config: Option<(Config, PathBuf)>,
    pub(super) holders: BTreeMap<String, String>,
    pub(super) written: Option<Time>,
    pub(super) zones: dry_run::Zones,
}
