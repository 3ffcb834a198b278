//! `pointsman demo`: shows a failover on this machine.

use crate::demo;

use super::output::{FAILED, wrong};

const EXAMPLES: &str = "\
Examples:
  pointsman demo
  pointsman demo --keep        keeps the configuration, the logs and the journal, so that you can look at them

Two hosts, a controller and a client in network namespaces on this machine. Root can run it, and any user who may create
such namespaces. It ends by itself and leaves nothing behind. Exit status: 0 if every workflow ended as expected.";

/// Shows a failover on this machine, with two hosts and a client
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Keep the files of the demo, and print where they are
    #[arg(long)]
    keep: bool,
}

pub(super) fn run(args: &Args) -> u8 {
    println!("making networks, starting a controller and two agents ...");
    let report = match demo::run(args.keep, &mut |line| println!("{line}")) {
        Ok(report) => report,
        Err(why) => return wrong(&why),
    };
    let well = report.workflows.iter().filter(|(_, seen)| seen.is_ok()).count();
    if report.is_well() {
        println!("all {well} workflows ended as expected; no two hosts had the address at once");
        return 0;
    }
    println!("{well} of {} workflows ended as expected", report.planned);
    FAILED
}
