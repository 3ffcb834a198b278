//! Questions to a running controller: `alarms`, `resources`, `runs`, `sources`, `move`.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use serde_json::Value as Json;

use crate::core::base::text::printable_lines;
use crate::shell::linux::rights;
use crate::shell::live::control_socket::{self, ask};
use crate::shell::live::questions::Question;

use super::past::PastArgs;
use super::status::{Status, UNKNOWN, alarm_severity};
use super::table::{RowFormat, print_rows};
use super::{Format, USAGE, WRONG, agent, report, wrong};
use crate::shell::site_files::{paths, read};

const ALARM_COLUMNS: [&str; 11] =
    ["alarm", "key", "category", "count", "since", "last", "acked", "silenced", "maintenance", "not_started", "summary"];
const RESOURCE_COLUMNS: [&str; 8] = ["resource", "what", "owner", "holders", "settled", "held", "would_do", "hosts"];

/// The controller to ask, and how to print the answer.
#[derive(clap::Args)]
pub(super) struct ControllerArgs {
    /// The configuration of the controller [default: ./pointsman.yaml, then /etc/pointsman/pointsman.yaml]
    #[arg(short, long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
    /// The data folder of the controller, instead of the one that the configuration names
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// The output format
    #[arg(long, value_enum, default_value_t, value_name = "HOW", global = true)]
    pub(super) format: RowFormat,
}

impl ControllerArgs {
    /// Makes the arguments for the controller of a configuration or a data folder.
    pub(super) fn of(config: Option<PathBuf>, data: Option<PathBuf>, format: Format) -> ControllerArgs {
        ControllerArgs { config, data, format: format.into() }
    }

    /// The format of a command that prints no table. Otherwise an error has been reported.
    pub(super) fn format_without_table(&self) -> Result<Format, u8> {
        match self.format {
            RowFormat::Human => Ok(Format::Human),
            RowFormat::Json => Ok(Format::Json),
            RowFormat::Csv => {
                wrong("this command prints no table, so there is no CSV; use --format json");
                Err(USAGE)
            }
        }
    }
}

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
    Test(super::drill::TestArgs),
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
    #[arg(long = "for", value_name = "TIME", value_parser = super::set_aside::span)]
    lasts: Option<std::time::Duration>,
    #[command(flatten)]
    whom: ControllerArgs,
}

/// Lists the resources, their desired owners and their holders
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman resources\n  pointsman resources resume sip_vip            ends the wait after too many moves\n  pointsman resources released sip_vip sip1     you made sure that sip1 does not hold it"
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

/// Lists the runs that have not ended; approves, cancels or retries a run
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman runs\n  pointsman runs approve 17\n  pointsman runs cancel 17\n  pointsman runs retry           lists the runs that can be started again\n  pointsman runs retry 17"
)]
pub(super) struct RunsArgs {
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
    /// Starts a failed or cancelled run again, or repeats a step that waits at once
    Retry {
        /// The number of the run [default: list the runs that can be retried]
        run: Option<u64>,
    },
}

/// Shows on one screen whether everything is healthy, and if not, why
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman status\n  pointsman status --exit-code        for a monitoring system\n\nExit status with --exit-code: 0 healthy, 1 something needs attention, 2 somebody must act, 3 the controller does not answer."
)]
pub(super) struct StatusArgs {
    /// Report the state in the exit status
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    whom: ControllerArgs,
}

/// Lists the sources and what they counted since the controller started
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  pointsman sources")]
pub(super) struct SourcesArgs {
    #[command(flatten)]
    whom: ControllerArgs,
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

pub(super) fn alarms(args: &AlarmsArgs) -> io::Result<u8> {
    match args.command.clone() {
        Some(AlarmsCommand::Clear { alarm, key, reason }) => {
            let done = format!("{alarm} is cleared");
            return tell(&args.whom, Question::Clear { alarm, key, reason }, &done);
        }
        Some(AlarmsCommand::Comment { alarm, text, key }) => {
            let done = format!("{alarm} has the comment now");
            return tell(&args.whom, Question::Comment { alarm, key, text }, &done);
        }
        Some(AlarmsCommand::Test(test)) => return super::drill::run(&test, &args.whom),
        None => {}
    }
    if args.all {
        return super::past_alarms::run(&args.past, &args.whom);
    }
    if args.past.selects() {
        wrong("--since, --until, --alarm, --host, --limit and --before are for `pointsman alarms --all`");
        return Ok(USAGE);
    }
    if args.exit_code {
        let Some(rows) = rows(&args.whom, &Question::Alarms)? else { return Ok(UNKNOWN) };
        print_rows(args.whom.format, &rows, &ALARM_COLUMNS, "no alarm is active")?;
        return Ok(rows.iter().map(alarm_severity).max().unwrap_or(0));
    }
    show(&args.whom, &Question::Alarms, &ALARM_COLUMNS, "no alarm is active")
}

pub(super) fn ack(args: &AckArgs) -> io::Result<u8> {
    let AckArgs { alarm, key, by, comment, lasts, whom } = args;
    let done = format!("{alarm} is acknowledged{}", by.as_ref().map_or(String::new(), |by| format!(" by {by}")));
    let (alarm, key, by, comment) = (alarm.clone(), key.clone(), by.clone(), comment.clone());
    tell(whom, Question::Ack { alarm, key, by, comment, lasts: *lasts }, &done)
}

pub(super) fn resources(args: &ResourcesArgs) -> io::Result<u8> {
    match &args.command {
        Some(ResourcesCommand::Resume { resource }) => {
            tell(&args.whom, Question::Resume(resource.clone()), &format!("{resource} may move again now"))
        }
        Some(ResourcesCommand::Released { resource, host }) => {
            let done = format!("{host} counts as not holding {resource}");
            tell(&args.whom, Question::Released(resource.clone(), host.clone()), &done)
        }
        None => show(&args.whom, &Question::Resources, &RESOURCE_COLUMNS, "the configuration has no resources"),
    }
}

pub(super) fn runs(args: &RunsArgs) -> io::Result<u8> {
    match &args.command {
        Some(RunsCommand::Approve { run }) => {
            return tell(&args.whom, Question::Approve(*run), &format!("run {run} continues"));
        }
        Some(RunsCommand::Cancel { run }) => {
            return tell(
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
            return tell(&args.whom, Question::Retry(*run), &format!("run {run} is started again; `pointsman runs` shows it"));
        }
        None => {}
    }
    show(&args.whom, &Question::Runs, &["run", "reaction", "key", "steps", "doing", "test"], "no run is under way")
}

pub(super) fn sources(args: &SourcesArgs) -> io::Result<u8> {
    let columns = ["source", "records", "wanted", "dropped", "cut", "latin1", "broken", "refused"];
    show(&args.whom, &Question::Sources, &columns, "the configuration has no sources")
}

pub(super) fn move_to(args: &MoveArgs) -> io::Result<u8> {
    let question = Question::Move(args.resource.clone(), args.host.clone());
    tell(&args.whom, question, &format!("{} moves to {}; `pointsman resources` shows the progress", args.resource, args.host))
}

pub(super) fn status(args: &StatusArgs) -> io::Result<u8> {
    let format = match args.whom.format_without_table() {
        Ok(format) => format,
        Err(code) => return Ok(code),
    };
    let mut answers = Vec::new();
    let questions =
        [Question::Alarms, Question::Resources, Question::Runs, Question::Channels, Question::Overrides, Question::Metrics];
    for question in questions {
        let Some(rows) = rows(&args.whom, &question)? else { return Ok(if args.exit_code { UNKNOWN } else { WRONG }) };
        answers.push(rows);
    }
    let [alarms, resources, runs, channels, overrides, metrics] = &answers[..] else { return Ok(UNKNOWN) };
    let status = Status::of(alarms, resources, runs, channels, overrides).with_metrics(metrics).with_note(as_root(&args.whom)?);
    let mut out = io::stdout().lock();
    if format == Format::Json {
        writeln!(out, "{}", status.json())?;
    } else {
        for line in status.lines() {
            writeln!(out, "{line}")?;
        }
    }
    out.flush()?;
    Ok(if args.exit_code { status.severity() } else { 0 })
}

/// A warning about a controller that runs as root without being configured to.
fn as_root(whom: &ControllerArgs) -> io::Result<Option<String>> {
    let Some(data) = data(whom)? else { return Ok(None) };
    let is_root = fs::metadata(control_socket::path(&data)).is_ok_and(|meta| meta.uid() == 0);
    let source = read::read(&paths::controller(whom.config.as_deref()), &mut Vec::new());
    let (config, _) = source.as_ref().map(crate::core::config::load).unwrap_or_default();
    let is_meant = config.is_some_and(|c| c.user.is_some());
    Ok((is_root && !is_meant).then(|| rights::AS_ROOT.to_owned()))
}

/// The data folder of the controller to ask. Errors in its configuration are reported only if they hide the folder.
pub(super) fn data(whom: &ControllerArgs) -> io::Result<Option<PathBuf>> {
    if let Some(data) = &whom.data {
        return Ok(Some(data.clone()));
    }
    let mut found = Vec::new();
    let file = paths::controller(whom.config.as_deref());
    let source = read::read(&file, &mut found);
    let (config, more) = source.as_ref().map(crate::core::config::load).unwrap_or_default();
    let base = agent::base(&file);
    if let Some(config) = config {
        return Ok(Some(base.join(config.data)));
    }
    // The configuration is being edited, and a controller runs with an earlier version that it accepted.
    let as_it_was = source.map(|s| base.join(crate::core::config::data_of(&s)));
    if let Some(data) = as_it_was.filter(|data| control_socket::path(data).exists()) {
        return Ok(Some(data));
    }
    found.extend(more);
    report(&found, Format::Human)?;
    Ok(None)
}

pub(super) fn tell(whom: &ControllerArgs, question: Question, done: &str) -> io::Result<u8> {
    let Some(data) = data(whom)? else { return Ok(WRONG) };
    Ok(match ask(&data, &question) {
        Ok(_) => {
            println!("{}", printable_lines(done));
            0
        }
        Err(why) => wrong(&why),
    })
}

pub(super) fn show(whom: &ControllerArgs, question: &Question, columns: &[&str], nothing: &str) -> io::Result<u8> {
    let Some(rows) = rows(whom, question)? else { return Ok(WRONG) };
    print_rows(whom.format, &rows, columns, nothing).map(|()| 0)
}

/// The controller's answer. `None` if there is no answer; the reason has been reported then.
pub(super) fn answer_of(whom: &ControllerArgs, question: &Question) -> io::Result<Option<Json>> {
    let Some(data) = data(whom)? else { return Ok(None) };
    match ask(&data, question) {
        Ok(answer) => return Ok(Some(answer)),
        Err(why) => wrong(&why),
    };
    Ok(None)
}

/// The rows of the controller's answer. `None` if there is no answer; the reason has been reported then.
pub(super) fn rows(whom: &ControllerArgs, question: &Question) -> io::Result<Option<Vec<Json>>> {
    let Some(data) = data(whom)? else { return Ok(None) };
    match ask(&data, question) {
        Ok(Json::Array(rows)) => return Ok(Some(rows)),
        Ok(_) => wrong("the controller's answer is not a table; it may be of another version"),
        Err(why) => wrong(&why),
    };
    Ok(None)
}
