//! `pause`, `silence`, `maintenance`, `drain`, the commands that end them, and the lists of what is in force.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use serde_json::Value as Json;

use crate::core::base::text::printable;
use crate::core::overrides::SilenceMatcher;
use crate::shell::live::questions::OverrideScope;
use crate::shell::live::questions::Question;

use super::ask::{ControllerArgs, answer_of, give_command, rows};
use super::local_time::span;
use super::output::{FAILED, WRONG};
use super::table::print_rows;

const COLUMNS: [&str; 7] = ["number", "command", "what", "by", "since", "until", "reason"];

/// How long, and why.
#[derive(clap::Args)]
struct Why {
    /// It ends by itself after this time [default: only a command ends it]
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    lasts: Option<Duration>,
    /// The reason, for the next person who looks
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// What is paused or resumed.
#[derive(clap::Args)]
struct Paused {
    /// A resource or a reaction
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,
    /// Everything, instead of one resource or reaction
    #[arg(long)]
    all: bool,
}

impl Paused {
    fn scope(&self) -> OverrideScope {
        self.name.clone().map_or(OverrideScope::Everything, OverrideScope::Named)
    }

    fn text(&self) -> &str {
        self.name.as_deref().unwrap_or("everything")
    }
}

/// Pauses everything, a resource or a reaction: until it is resumed, nothing outside is changed, but notifications are sent
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman pause --all --for 2h --reason 'the network is being rebuilt'\n  pointsman pause sip_vip --reason 'ann looks at it'\n  pointsman pause restart_sip --reason 'the script is wrong'\n\nWhat would have been done is shown by `resources`, `status` and `history`. Leases and votes are renewed, and a move that has begun is\nfinished: a pause makes no address disappear. It survives restarts."
)]
pub(super) struct PauseArgs {
    #[command(flatten)]
    paused: Paused,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    whom: ControllerArgs,
}

/// Ends a pause, after showing what will happen then
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman resume --all             shows what will happen, and asks\n  pointsman resume sip_vip --yes     does not ask\n\nExit status: 0 resumed, 1 only shown, because it was not confirmed."
)]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    paused: Paused,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    whom: ControllerArgs,
}

/// Withholds notifications about matching alarms for a time
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman silence app_stopped --for 2h --reason 'known, ticket 4711'\n  pointsman silence app_stopped SIP_SERVER_PRIMARY --for 30m --reason 'restart planned'\n  pointsman silence --host sip1 --category minor --for 1d --reason 'new disk'\n\nThe alarms are raised and kept, and `pointsman alarms` marks them. Reactions start as usual; only what they send with\n`notify` is withheld."
)]
pub(super) struct SilenceArgs {
    /// The name of an alarm [default: all alarms that the options select]
    alarm: Option<String>,
    /// The key, as `pointsman alarms` shows it [default: all keys]
    key: Option<String>,
    /// Alarms about this host
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Alarms about this application
    #[arg(long, value_name = "APPLICATION")]
    app: Option<String>,
    /// Alarms of this category: critical, major, minor ...
    #[arg(long, value_name = "CATEGORY")]
    category: Option<String>,
    /// Allow a silence that matches every alarm
    #[arg(long)]
    all: bool,
    /// It ends by itself after this time
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    lasts: Duration,
    /// The reason, for the next person who looks
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    whom: ControllerArgs,
}

/// Parses the number of a silence.
fn silence_number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "write the number that `pointsman silences` shows".to_owned())
}

/// Ends a silence
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  pointsman unsilence 1842      the number is that of `pointsman silences`")]
pub(super) struct UnsilenceArgs {
    /// The number of the silence, as `pointsman silences` shows it
    #[arg(value_parser = silence_number)]
    number: u64,
    #[command(flatten)]
    whom: ControllerArgs,
}

/// Lists the silences
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  pointsman silences")]
pub(super) struct SilencesArgs {
    #[command(flatten)]
    whom: ControllerArgs,
}

/// Lists the pauses, silences, maintenances and drains in force
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  pointsman overrides")]
pub(super) struct OverridesArgs {
    #[command(flatten)]
    whom: ControllerArgs,
}

/// Puts a host into maintenance: alarms about it start no reactions
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman maintenance sip1 --for 2h --reason 'new kernel'\n  pointsman maintenance sip1 --end\n\n`pointsman drain` moves resources off a host and keeps it empty. For recurring maintenance, name a calendar in the configuration:\n`maintenance: CALENDAR`."
)]
pub(super) struct MaintenanceArgs {
    /// The name of the host
    host: String,
    /// Ends the maintenance
    #[arg(long, conflicts_with_all = ["lasts", "reason"])]
    end: bool,
    /// It ends by itself after this time [default: only a command ends it]
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    lasts: Option<Duration>,
    /// The reason, for the next person who looks
    #[arg(long, value_name = "TEXT", required_unless_present = "end")]
    reason: Option<String>,
    #[command(flatten)]
    whom: ControllerArgs,
}

/// Moves all resources off a host and keeps it empty
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman drain sip1 --reason 'it is replaced'\n  pointsman undrain sip1\n\nA resource that no other host can take stays. When the drain ends, resources go back to the hosts of their primaries."
)]
pub(super) struct DrainArgs {
    /// The name of the host
    host: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    whom: ControllerArgs,
}

/// Ends a drain
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  pointsman undrain sip1")]
pub(super) struct UndrainArgs {
    /// The name of the host
    host: String,
    #[command(flatten)]
    whom: ControllerArgs,
}

pub(super) fn pause(args: &PauseArgs) -> io::Result<u8> {
    let done = format!(
        "{} is paused; `pointsman resources` and `pointsman history --kind would_do` show what would be done",
        args.paused.text()
    );
    begin(&args.whom, args.paused.scope(), args.why.lasts, &args.why.reason, &done)
}

pub(super) fn resume(args: &ResumeArgs) -> io::Result<u8> {
    let scope = args.paused.scope();
    let Some(answer) = answer_of(&args.whom, &Question::After(scope.clone()))? else { return Ok(WRONG) };
    let lines: Vec<&str> = answer.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    println!("when {} is resumed:", args.paused.text());
    for line in &lines {
        println!("  {}", printable(line));
    }
    if lines.is_empty() {
        println!("  nothing is moved");
    }
    println!(
        "steps of reactions that were withheld meanwhile are not done later (`pointsman history --kind would_do` lists them)"
    );
    if !args.yes && !agreed()? {
        eprintln!("pointsman: nothing was resumed; --yes resumes without asking");
        return Ok(FAILED);
    }
    give_command(&args.whom, Question::End(scope), &format!("{} is resumed", args.paused.text()))
}

pub(super) fn silence(args: &SilenceArgs) -> io::Result<u8> {
    let SilenceArgs { alarm, key, host, app, category, all, .. } = args;
    let matcher = SilenceMatcher {
        alarm: alarm.clone(),
        key: key.clone(),
        host: host.clone(),
        app: app.clone(),
        category: category.clone(),
    };
    let done = format!("silenced: {matcher}; `pointsman silences` lists it");
    let scope = OverrideScope::Silence { matcher, all: *all };
    begin(&args.whom, scope, Some(args.lasts), &args.reason, &done)
}

pub(super) fn unsilence(args: &UnsilenceArgs) -> io::Result<u8> {
    give_command(
        &args.whom,
        Question::End(OverrideScope::SilenceNumber(args.number)),
        &format!("the silence {} has ended", args.number),
    )
}

pub(super) fn silences(args: &SilencesArgs) -> io::Result<u8> {
    let Some(mut all) = rows(&args.whom, &Question::Overrides)? else { return Ok(WRONG) };
    all.retain(|row| row.get("command").and_then(Json::as_str) == Some("silence"));
    print_rows(args.whom.format, &all, &COLUMNS, "nothing is silenced").map(|()| 0)
}

pub(super) fn overrides(args: &OverridesArgs) -> io::Result<u8> {
    let Some(all) = rows(&args.whom, &Question::Overrides)? else { return Ok(WRONG) };
    print_rows(args.whom.format, &all, &COLUMNS, "nothing is paused, silenced, drained or in maintenance by a command")
        .map(|()| 0)
}

pub(super) fn maintenance(args: &MaintenanceArgs) -> io::Result<u8> {
    let scope = OverrideScope::Maintenance(args.host.clone());
    if args.end {
        return give_command(&args.whom, Question::End(scope), &format!("the maintenance of {} has ended", args.host));
    }
    let reason = args.reason.clone().unwrap_or_default();
    begin(&args.whom, scope, args.lasts, &reason, &format!("{} is in maintenance", args.host))
}

pub(super) fn drain(args: &DrainArgs) -> io::Result<u8> {
    let done = format!("{} is drained; `pointsman resources` shows the progress", args.host);
    begin(&args.whom, OverrideScope::Drain(args.host.clone()), args.why.lasts, &args.why.reason, &done)
}

pub(super) fn undrain(args: &UndrainArgs) -> io::Result<u8> {
    give_command(
        &args.whom,
        Question::End(OverrideScope::Drain(args.host.clone())),
        &format!("{} is not drained any more", args.host),
    )
}

fn begin(whom: &ControllerArgs, scope: OverrideScope, lasts: Option<Duration>, reason: &str, done: &str) -> io::Result<u8> {
    give_command(whom, Question::Begin { scope, lasts, reason: reason.to_owned() }, done)
}

/// Asks the person at the terminal. Without a terminal the answer is no.
fn agreed() -> io::Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let mut out = io::stdout().lock();
    write!(out, "resume? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
