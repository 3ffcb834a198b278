//! `pointsman alarms` and `pointsman ack`: the active alarms, and what operators do with them.

use std::io;
use std::time::Duration;

use crate::shell::live::questions::Question;

use super::ask::{ControllerArgs, give_command, rows, show};
use super::local_time::span;
use super::output::{USAGE, wrong};
use super::past::PastArgs;
use super::status::{UNKNOWN, alarm_severity};
use super::table::print_rows;
use super::{drill, past_alarms};

const COLUMNS: [&str; 11] =
    ["alarm", "key", "category", "count", "since", "last", "acked", "silenced", "maintenance", "not_started", "summary"];

/// Lists the active alarms, or also past ones; clears, tests or comments on an alarm
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman alarms\n  pointsman alarms --all --since 2h        also those that have ended\n  pointsman alarms --all --alarm app_stopped --format csv\n  pointsman alarms clear app_frozen SIP_SERVER_PRIMARY\n  pointsman alarms test app_frozen --app SIP_SERVER_PRIMARY        what would be done\n  pointsman alarms --exit-code        for a monitoring system\n\nExit status with --exit-code: 0 no alarm is active, 1 an alarm is active, 2 a critical alarm is active, 3 the controller does not answer."
)]
pub(super) struct AlarmsArgs {
    #[command(subcommand)]
    command: Option<AlarmsCommand>,
    /// Report the state in the exit status
    #[arg(long, conflicts_with = "all")]
    exit_code: bool,
    /// Also list alarms that have ended, from the journal
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    past: PastArgs,
    #[command(flatten)]
    whom: ControllerArgs,
}

#[derive(Clone, clap::Subcommand)]
enum AlarmsCommand {
    /// Clears an active alarm
    Clear {
        /// The name of the alarm
        alarm: String,
        /// The key, as `pointsman alarms` shows it [default: all keys]
        key: Option<String>,
        /// The reason, for the history
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Raises an alarm as if an application had caused it, to test what follows
    Test(drill::TestArgs),
    /// Adds a comment to an active alarm
    Comment {
        /// The name of the alarm
        alarm: String,
        /// The comment
        text: String,
        /// The key, as `pointsman alarms` shows it [default: all keys]
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}

/// Acknowledges an active alarm: its reminders and its escalation stop
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman ack app_stopped SIP_SERVER_PRIMARY\n  pointsman ack app_stopped --by ann           for all keys\n  pointsman ack app_stopped --for 2h --comment 'ticket 4711'\n\nThe alarm stays active; `pointsman alarms` shows who acknowledged it. Rules can react to alarms that nobody acknowledges:\n  detect alarm app_stopped unacked for 15m"
)]
pub(super) struct AckArgs {
    /// The name of the alarm
    alarm: String,
    /// The key, as `pointsman alarms` shows it [default: all keys]
    key: Option<String>,
    /// The name of the person [default: your user name]
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// What is known or done about it
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// How long the acknowledgement lasts [default: until the alarm ends]
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    lasts: Option<Duration>,
    #[command(flatten)]
    whom: ControllerArgs,
}

pub(super) fn run(args: &AlarmsArgs) -> io::Result<u8> {
    match args.command.clone() {
        Some(AlarmsCommand::Clear { alarm, key, reason }) => {
            let done = format!("{alarm} is cleared");
            return give_command(&args.whom, Question::Clear { alarm, key, reason }, &done);
        }
        Some(AlarmsCommand::Comment { alarm, text, key }) => {
            let done = format!("{alarm} has the comment now");
            return give_command(&args.whom, Question::Comment { alarm, key, text }, &done);
        }
        Some(AlarmsCommand::Test(test)) => return drill::run(&test, &args.whom),
        None => {}
    }
    if args.all {
        return past_alarms::run(&args.past, &args.whom);
    }
    if args.past.selects() {
        wrong("--since, --until, --alarm, --host, --limit and --before are for `pointsman alarms --all`");
        return Ok(USAGE);
    }
    if args.exit_code {
        let Some(rows) = rows(&args.whom, &Question::Alarms)? else { return Ok(UNKNOWN) };
        print_rows(args.whom.format, &rows, &COLUMNS, "no alarm is active")?;
        return Ok(rows.iter().map(alarm_severity).max().unwrap_or(0));
    }
    show(&args.whom, &Question::Alarms, &COLUMNS, "no alarm is active")
}

pub(super) fn ack(args: &AckArgs) -> io::Result<u8> {
    let AckArgs { alarm, key, by, comment, lasts, whom } = args;
    let done = format!("{alarm} is acknowledged{}", by.as_ref().map_or(String::new(), |by| format!(" by {by}")));
    let (alarm, key, by, comment) = (alarm.clone(), key.clone(), by.clone(), comment.clone());
    give_command(whom, Question::Ack { alarm, key, by, comment, lasts: *lasts }, &done)
}
