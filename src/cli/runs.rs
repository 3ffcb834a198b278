//! `pointsman runs`: the runs of reactions, and what operators do with them.

use std::io;

use crate::shell::live::questions::Question;

use super::ask::{ControllerArgs, give_command, show};

/// Lists the runs that have not ended; approves, cancels or retries a run
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman runs\n  pointsman runs approve 17\n  pointsman runs cancel 17\n  pointsman runs retry           lists the runs that can be started again\n  pointsman runs retry 17"
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<RunsCommand>,
    #[command(flatten)]
    whom: ControllerArgs,
}

#[derive(clap::Subcommand)]
enum RunsCommand {
    /// Approves a run that waits for an operator
    Approve {
        /// The number of the run
        run: u64,
    },
    /// Cancels a run: it does no further step
    Cancel {
        /// The number of the run
        run: u64,
    },
    /// Starts a failed or cancelled run again, or repeats at once a step that waits
    Retry {
        /// The number of the run [default: list the runs that can be retried]
        run: Option<u64>,
    },
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    match &args.command {
        Some(RunsCommand::Approve { run }) => {
            return give_command(&args.whom, Question::Approve(*run), &format!("run {run} continues"));
        }
        Some(RunsCommand::Cancel { run }) => {
            return give_command(
                &args.whom,
                Question::Cancel(*run),
                &format!("run {run} is cancelled; a command that it started may still run"),
            );
        }
        Some(RunsCommand::Retry { run: None }) => {
            let columns = ["run", "reaction", "key", "doing", "test"];
            return show(&args.whom, &Question::Retryable, &columns, "no run failed, was cancelled, or waits to repeat a step");
        }
        Some(RunsCommand::Retry { run: Some(run) }) => {
            return give_command(
                &args.whom,
                Question::Retry(*run),
                &format!("run {run} is started again; `pointsman runs` shows it"),
            );
        }
        None => {}
    }
    show(&args.whom, &Question::Runs, &["run", "reaction", "key", "steps", "doing", "test"], "no run is under way")
}
