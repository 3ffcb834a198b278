//! `pointsman sources`: what the sources counted.

use std::io;

use crate::shell::live::questions::Question;

use super::ask::{ControllerArgs, show};

/// Lists the sources and what they counted since the controller started
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  pointsman sources")]
pub(super) struct Args {
    #[command(flatten)]
    whom: ControllerArgs,
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    let columns = ["source", "records", "wanted", "dropped", "cut", "latin1", "broken", "refused"];
    show(&args.whom, &Question::Sources, &columns, "the configuration has no sources")
}
