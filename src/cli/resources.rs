//! `pointsman resources` and `pointsman move`: which host should hold each resource, and which does.

use std::io;

use crate::shell::live::questions::Question;

use super::ask::{ControllerArgs, give_command, show};

const COLUMNS: [&str; 8] = ["resource", "what", "owner", "holders", "settled", "held", "would_do", "hosts"];

/// Lists the resources, their desired owners and their holders
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman resources\n  pointsman resources resume sip_vip            ends the wait after too many moves\n  pointsman resources released sip_vip sip1     you made sure that sip1 does not hold it\n\n`owner` is the host that should have the resource, and `holders` are the hosts that have it. `held` says why it is not moved\nnow, and `would_do` what a pause withholds. A `!` behind a host means that its agent is not connected."
)]
pub(super) struct ResourcesArgs {
    #[command(subcommand)]
    command: Option<ResourcesCommand>,
    #[command(flatten)]
    whom: ControllerArgs,
}

#[derive(clap::Subcommand)]
enum ResourcesCommand {
    /// Ends flap damping: a resource that moved too often may move again
    Resume {
        /// The name of the resource
        resource: String,
    },
    /// Confirms that a host does not hold a resource, because you checked or cut its power
    Released {
        /// The name of the resource
        resource: String,
        /// The host that does not hold it
        host: String,
    },
}

/// Moves a resource to a host
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman move sip_vip sip2      at once, even during flap damping\n\nThe newest instruction counts: a later claim in a log moves the resource again."
)]
pub(super) struct MoveArgs {
    /// The name of the resource
    resource: String,
    /// The host that should have the resource
    host: String,
    #[command(flatten)]
    whom: ControllerArgs,
}

pub(super) fn run(args: &ResourcesArgs) -> io::Result<u8> {
    match &args.command {
        Some(ResourcesCommand::Resume { resource }) => {
            give_command(&args.whom, Question::Resume(resource.clone()), &format!("{resource} may move again now"))
        }
        Some(ResourcesCommand::Released { resource, host }) => {
            let done = format!("{host} counts as not holding {resource}");
            give_command(&args.whom, Question::Released(resource.clone(), host.clone()), &done)
        }
        None => show(&args.whom, &Question::Resources, &COLUMNS, "the configuration has no resources"),
    }
}

pub(super) fn move_to(args: &MoveArgs) -> io::Result<u8> {
    let question = Question::Move(args.resource.clone(), args.host.clone());
    give_command(
        &args.whom,
        question,
        &format!("{} moves to {}; `pointsman resources` shows the progress", args.resource, args.host),
    )
}
