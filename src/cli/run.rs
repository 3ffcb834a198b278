//! `pointsman run`: the controller.

use std::io;
use std::path::PathBuf;

use crate::live::program;

use super::setup::{self, Given};
use super::{Format, WRONG, log_to_stderr, report, wrong};

const EXAMPLES: &str = "\
Examples:
  pointsman run -c /etc/pointsman/pointsman.yaml
  pointsman run --log debug              more words

It listens where `listen` and `files` of the configuration say, and keeps its journal and keys in `data`. SIGTERM ends it:
nothing is released, and addresses stay where they are. Messages go to standard error.";

/// Runs the controller
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The configuration
    #[arg(short, long, value_name = "FILE", default_value = "pointsman.yaml")]
    config: PathBuf,
    /// Which messages: error, warn, info, debug
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: String,
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    let setup = setup::load(&Given { config: Some(args.config.clone()), ..Given::default() });
    report(&setup.diagnostics, Format::Human)?;
    let (Some(site), Some((config, base))) = (setup.site, setup.config) else { return Ok(WRONG) };
    log_to_stderr(&args.log);
    if config.listen.udp.is_empty() && config.listen.tcp.is_empty() && config.files.is_empty() {
        tracing::warn!("no events will come: the configuration has neither `listen: {{ syslog: [...] }}` nor `files`");
    }
    program::fail_as_a_whole();
    let ended = program::controller(site, &config, &base, |opened| {
        let all = opened.udp.iter().map(|a| format!("udp {a}")).chain(opened.tcp.iter().map(|a| format!("tcp {a}")));
        let all = all
            .chain(opened.agents.iter().map(|a| format!("agents {a}")))
            .chain(config.files.iter().map(|f| f.display().to_string()));
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
