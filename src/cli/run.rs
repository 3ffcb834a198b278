//! `pointsman run`: runs the controller.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::shell::live::program;
use crate::shell::store::Journal;

use super::log_output::LogArgs;
use super::output::{OutputFormat, WRONG, report, wrong};
use crate::shell::site_files::Disk;
use crate::shell::site_files::paths;

const EXAMPLES: &str = "\
Examples:
  pointsman run -c /etc/pointsman/pointsman.yaml
  pointsman run --log debug              more messages

It listens where `listen` and `files` of the configuration say, and keeps its journal and keys in `data`. SIGTERM ends it:
nothing is released, and addresses stay where they are. SIGHUP and `pointsman reload` load changed files. Messages
go to standard error. If the files are refused at a start, the controller runs the site that it accepted last, and reports that.";

/// Runs the controller
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The configuration [default: ./pointsman.yaml, then /etc/pointsman/pointsman.yaml]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    log: LogArgs,
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    let files = Disk { config: paths::controller(args.config.as_deref()) };
    let reading = files.read();
    report(&reading.diagnostics, OutputFormat::Human)?;
    if reading.good.is_none() && !Journal::is_in(&files.data()) {
        // No configuration was ever accepted here.
        return Ok(WRONG);
    }
    args.log.begin();
    program::fail_as_a_whole();
    let ended = program::controller(Arc::new(files), reading, |opened| {
        let all = opened.udp.iter().map(|a| format!("udp {a}")).chain(opened.tcp.iter().map(|a| format!("tcp {a}")));
        let all = all
            .chain(opened.agents.iter().map(|a| format!("agents {a}")))
            .chain(opened.metrics.iter().map(|a| format!("metrics {a}")));
        let all = all.chain(opened.files.iter().cloned());
        tracing::info!("ready: {}", all.collect::<Vec<_>>().join(", "));
    });
    Ok(match ended {
        Ok(()) => {
            tracing::info!("ended; addresses stay where they are");
            0
        }
        Err(why) => wrong(&why),
    })
}
