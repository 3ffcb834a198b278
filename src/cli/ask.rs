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
    ["alarm", "key", "category", "count", "since", "last", "acked", "silenced", "maintenance", "summary", "not_started"];
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
    /// How to print
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

/// Shows the active alarms, or also those that have ended; clears or tests one
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman alarms\n  pointsman alarms --all --since 2h        also those that have ended\n  pointsman alarms --all --alarm app_stopped --format csv\n  pointsman alarms clear app_frozen SIP_SERVER_PRIMARY\n  pointsman alarms test app_frozen --app SIP_SERVER_PRIMARY        what would be done\n  pointsman alarms --exit-code        for a monitoring system\n\nExit status with --exit-code: 0 no alarm is active, 1 an alarm is active, 2 a critical alarm is active, 3 not known."
)]
pub(super) struct AlarmsArgs {
    #[command(subcommand)]
    command: Option<AlarmsCommand>,
    /// Report the state in the exit status
    #[arg(long, conflicts_with = "all")]
    exit_code: bool,
    /// Also alarms that have ended, from the journal
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
        alarm: String,
        /// The key, as `pointsman alarms` shows it [default: every key]
        key: Option<String>,
        /// Why, for the history
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// The test button: raises an alarm as if an application had caused it
    Test(super::drill::TestArgs),
    /// Writes something about an active alarm, for everybody who looks at it
    Comment {
        alarm: String,
        text: String,
        /// The key, as `pointsman alarms` shows it [default: every key]
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}

/// Acknowledges an active alarm, so that nobody else is called for it
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman ack app_stopped SIP_SERVER_PRIMARY\n  pointsman ack app_stopped --by ann           of every key\n  pointsman ack app_stopped --for 2h --comment 'ticket 4711'\n\nThe alarm stays active; `pointsman alarms` shows who acknowledged it. Rules can react to alarms that nobody acknowledges:\n  detect alarm app_stopped unacked for 15m"
)]
pub(super) struct AckArgs {
    alarm: String,
    /// The key, as `pointsman alarms` shows it [default: every key]
    key: Option<String>,
    /// The name of the person [default: the user who asks]
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// What is known or done about it
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// The acknowledgement ends after so long [default: with the alarm]
    #[arg(long = "for", value_name = "TIME", value_parser = super::set_aside::span)]
    lasts: Option<std::time::Duration>,
    #[command(flatten)]
    whom: ControllerArgs,
}

/// Shows who should have what, and who does
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman resources\n  pointsman resources resume sip_vip            end the wait after too many moves\n  pointsman resources released sip_vip sip1     I made sure that sip1 does not have it"
)]
pub(super) struct ResourcesArgs {
    #[command(subcommand)]
    command: Option<ResourcesCommand>,
    #[command(flatten)]
    whom: ControllerArgs,
}

#[derive(clap::Subcommand)]
enum ResourcesCommand {
    /// Ends the wait of a resource that moved too often
    Resume { resource: String },
    /// States that a host does not hold a resource: you looked, or you cut its power
    Released { resource: String, host: String },
}

/// Shows the runs that have not ended, or approves one
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman runs\n  pointsman runs approve 17\n  pointsman runs cancel 17\n  pointsman runs retry           which runs can be started again\n  pointsman runs retry 17"
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
    Approve { run: u64 },
    /// Ends a run: no further step of it is done
    Cancel { run: u64 },
    /// Starts a run again that failed or was cancelled, or tries the step of one that waits at once. Without a number, lists them
    Retry { run: Option<u64> },
}

/// Shows whether everything is in order, on one screen
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman status\n  pointsman status --exit-code        for a monitoring system\n\nExit status with --exit-code: 0 healthy, 1 something needs attention, 2 a resource or a critical alarm needs action, 3 not known."
)]
pub(super) struct StatusArgs {
    /// Report the state in the exit status
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    whom: ControllerArgs,
}

/// Shows what the sources counted since the start
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  pointsman sources")]
pub(super) struct SourcesArgs {
    #[command(flatten)]
    whom: ControllerArgs,
}

/// Moves a resource to a host
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman move sip_vip sip2      at once, whatever the pause after too many moves says\n\nThe newest instruction counts: a claim that arrives in a log later moves it again."
)]
pub(super) struct MoveArgs {
    resource: String,
    /// The host that should have it
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
            let done = format!("the comment on {alarm} is kept");
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
            tell(&args.whom, Question::Resume(resource.clone()), &format!("{resource} may move again"))
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
            return show(
                &args.whom,
                &Question::Retryable,
                &columns,
                "no run failed, was cancelled, or waits to try a step again",
            );
        }
        Some(RunsCommand::Retry { run: Some(run) }) => {
            return tell(&args.whom, Question::Retry(*run), &format!("run {run} is tried again; `pointsman runs` shows it"));
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
    tell(&args.whom, question, &format!("{} goes to {}; `pointsman resources` shows how far it is", args.resource, args.host))
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
