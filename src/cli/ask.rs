//! Questions to a running controller: `alarms`, `resources`, `runs`, `history`, `sources`, `move`.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use serde_json::Value as Json;

use crate::base::text::{printable_json, printable_lines, printable_short};
use crate::live::control_socket::{self, ask};
use crate::live::questions::Question;

use super::{Format, WRONG, agent, report, setup, wrong};

/// Which controller, and how to print.
#[derive(clap::Args)]
pub(super) struct Whom {
    /// The configuration of the controller
    #[arg(short, long, value_name = "FILE", default_value = "pointsman.yaml")]
    config: PathBuf,
    /// The data folder of the controller, instead of the one that the configuration names
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(super) format: Format,
}

/// Shows the active alarms, or clears one
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  pointsman alarms\n  pointsman alarms --clear app_frozen --key SIP_SERVER_PRIMARY")]
pub(super) struct AlarmsArgs {
    /// Clear this alarm, of the key or of all
    #[arg(long, value_name = "ALARM")]
    clear: Option<String>,
    /// Of which key, as shown
    #[arg(long, value_name = "KEY", requires = "clear")]
    key: Option<String>,
    #[command(flatten)]
    whom: Whom,
}

/// Takes an active alarm on, so that nobody else is called for it
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman ack app_stopped SIP_SERVER_PRIMARY\n  pointsman ack app_stopped --by ann           of every key\n\nIt stays active; `pointsman alarms` shows who has it. Rules may be about what nobody takes on:\n  detect alarm app_stopped unacked for 15m"
)]
pub(super) struct AckArgs {
    /// Which alarm
    alarm: String,
    /// Of which key, as shown; of all unless said
    key: Option<String>,
    /// Who does; unless said, who is logged in
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    #[command(flatten)]
    whom: Whom,
}

/// Shows who should have what, and who does
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman resources\n  pointsman resources --resume sip_vip            end a pause after too many moves\n  pointsman resources --released sip_vip sip1     I made sure that sip1 does not have it"
)]
pub(super) struct ResourcesArgs {
    /// End the pause of a resource
    #[arg(long, value_name = "RESOURCE", conflicts_with = "released")]
    resume: Option<String>,
    /// A host surely does not hold a resource: you looked, or took its power
    #[arg(long, num_args = 2, value_names = ["RESOURCE", "HOST"])]
    released: Vec<String>,
    #[command(flatten)]
    whom: Whom,
}

/// Shows the runs that have not ended, or agrees to one
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  pointsman runs\n  pointsman runs --approve 17")]
pub(super) struct RunsArgs {
    /// Agree to a run that waits for a yes
    #[arg(long, value_name = "RUN")]
    approve: Option<u64>,
    #[command(flatten)]
    whom: Whom,
}

/// Shows what happened lately
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  pointsman history\n  pointsman history --format json")]
pub(super) struct HistoryArgs {
    #[command(flatten)]
    whom: Whom,
}

/// Shows what the sources counted since the start
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  pointsman sources")]
pub(super) struct SourcesArgs {
    #[command(flatten)]
    whom: Whom,
}

/// Moves a resource to a host
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman move sip_vip sip2      at once, whatever the pause after too many moves says\n\nThe newest order counts, also against this one: a claim in a log that comes later moves it again."
)]
pub(super) struct MoveArgs {
    /// Which resource
    resource: String,
    /// Where
    host: String,
    #[command(flatten)]
    whom: Whom,
}

pub(super) fn alarms(args: &AlarmsArgs) -> io::Result<u8> {
    if let Some(alarm) = &args.clear {
        return tell(&args.whom, Question::Clear(alarm.clone(), args.key.clone()), &format!("{alarm} is cleared"));
    }
    show(
        &args.whom,
        &Question::Alarms,
        &["alarm", "key", "category", "count", "since", "last", "acked", "summary"],
        "no alarm is active",
    )
}

pub(super) fn ack(args: &AckArgs) -> io::Result<u8> {
    let logged_in = || ["SUDO_USER", "USER"].iter().find_map(|name| std::env::var(name).ok().filter(|who| !who.is_empty()));
    let by = args.by.clone().or_else(logged_in).unwrap_or_else(|| "an operator".to_owned());
    let done = format!("{} is taken on by {by}", args.alarm);
    tell(&args.whom, Question::Ack(args.alarm.clone(), args.key.clone(), by), &done)
}

pub(super) fn resources(args: &ResourcesArgs) -> io::Result<u8> {
    if let Some(resource) = &args.resume {
        return tell(&args.whom, Question::Resume(resource.clone()), &format!("{resource} may move again"));
    }
    if let [resource, host] = &args.released[..] {
        let said = format!("{host} counts as having let {resource} go");
        return tell(&args.whom, Question::Released(resource.clone(), host.clone()), &said);
    }
    let columns = ["resource", "what", "owner", "holders", "settled", "held", "hosts"];
    show(&args.whom, &Question::Resources, &columns, "the configuration has no resources")
}

pub(super) fn runs(args: &RunsArgs) -> io::Result<u8> {
    if let Some(run) = args.approve {
        return tell(&args.whom, Question::Approve(run), &format!("run {run} goes on"));
    }
    show(&args.whom, &Question::Runs, &["run", "reaction", "key", "steps", "doing"], "no run is under way")
}

pub(super) fn history(args: &HistoryArgs) -> io::Result<u8> {
    show(&args.whom, &Question::History, &["at", "kind", "text"], "nothing happened since the start")
}

pub(super) fn sources(args: &SourcesArgs) -> io::Result<u8> {
    let columns = ["source", "records", "wanted", "dropped", "cut", "latin1", "broken", "refused"];
    show(&args.whom, &Question::Sources, &columns, "the configuration has no sources")
}

pub(super) fn move_to(args: &MoveArgs) -> io::Result<u8> {
    let question = Question::Move(args.resource.clone(), args.host.clone());
    tell(&args.whom, question, &format!("{} goes to {}; `pointsman resources` shows how far it is", args.resource, args.host))
}

/// The data folder of the controller that is meant. What is wrong with its configuration matters only when that is not told.
pub(super) fn data(whom: &Whom) -> io::Result<Option<PathBuf>> {
    if let Some(data) = &whom.data {
        return Ok(Some(data.clone()));
    }
    let mut found = Vec::new();
    let source = setup::read(&whom.config, &mut found);
    let (config, more) = source.as_ref().map(crate::config::load).unwrap_or_default();
    let base = agent::base(&whom.config);
    if let Some(config) = config {
        return Ok(Some(base.join(config.data)));
    }
    // It is being written, and a controller runs on what it accepted before.
    let as_it_was = source.map(|s| base.join(crate::config::data_of(&s.text)));
    if let Some(data) = as_it_was.filter(|data| control_socket::path(data).exists()) {
        return Ok(Some(data));
    }
    found.extend(more);
    report(&found, Format::Human)?;
    Ok(None)
}

fn tell(whom: &Whom, question: Question, done: &str) -> io::Result<u8> {
    let Some(data) = data(whom)? else { return Ok(WRONG) };
    Ok(match ask(&data, &question) {
        Ok(_) => {
            println!("{}", printable_lines(done));
            0
        }
        Err(why) => wrong(&why),
    })
}

fn show(whom: &Whom, question: &Question, columns: &[&str], nothing: &str) -> io::Result<u8> {
    let Some(data) = data(whom)? else { return Ok(WRONG) };
    let rows = match ask(&data, question) {
        Ok(Json::Array(rows)) => rows,
        Ok(_) => return Ok(wrong("the controller answers something else; is it of another version?")),
        Err(why) => return Ok(wrong(&why)),
    };
    let mut out = io::stdout().lock();
    if whom.format == Format::Json {
        for row in rows {
            writeln!(out, "{}", printable_json(&row.to_string()))?;
        }
        return out.flush().map(|()| 0);
    }
    if rows.is_empty() {
        writeln!(out, "{nothing}")?;
        return Ok(0);
    }
    table(&mut out, &rows, columns)?;
    out.flush().map(|()| 0)
}

/// Characters of a value in a table that does not go to a terminal.
const WIDEST: usize = 1_000;

/// Prints rows as aligned columns.
pub(super) fn table(out: &mut impl io::Write, rows: &[Json], columns: &[&str]) -> io::Result<()> {
    // A terminal is narrow. Whoever wants all of a long value asks for JSON.
    let most = if io::stdout().is_terminal() { 100 } else { WIDEST };
    let mut table = vec![columns.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>()];
    table.extend(rows.iter().map(|row| columns.iter().map(|c| cell(row.get(*c), most)).collect()));
    let widths: Vec<usize> = (0..columns.len()).map(|i| table.iter().map(|r| r[i].chars().count()).max().unwrap_or(0)).collect();
    for row in table {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// A value in a table. What came in a log was made safe by the controller, or is here.
fn cell(value: Option<&Json>, most: usize) -> String {
    let text = match value {
        None | Some(Json::Null) => "-".to_owned(),
        Some(Json::String(text)) => text.clone(),
        Some(Json::Bool(true)) => "yes".to_owned(),
        Some(Json::Bool(false)) => "no".to_owned(),
        Some(Json::Array(items)) => {
            items.iter().map(|i| host(i).unwrap_or_else(|| cell(Some(i), most))).collect::<Vec<_>>().join(",")
        }
        Some(other) => other.to_string(),
    };
    printable_short(if text.is_empty() { "-" } else { &text }, most)
}

/// `sip1` for a host that is heard, `sip2!` for one that is not.
fn host(item: &Json) -> Option<String> {
    let name = item.get("host")?.as_str()?;
    let heard = item.get("reachable").and_then(Json::as_bool).unwrap_or(false);
    Some(format!("{name}{}", if heard { "" } else { "!" }))
}
