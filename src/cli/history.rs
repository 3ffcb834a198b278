//! `pointsman history`: shows what happened according to the journal, whether the controller runs or not.

mod names;

use std::io::{self, Write as _};

use serde_json::{Value as Json, json};

use crate::core::base::text::printable;
use crate::core::journal::{HistoryEntry, HistoryFilter};
use crate::shell::live;

use super::ask::ControllerArgs;
use super::local_time::local;
use super::output::{USAGE, WRONG, wrong};
use super::past::{self, PastArgs};
use super::table::{Paged, RowFormat, coloured_table, csv};
use names::{SeenNames, kind};

const EXAMPLES: &str = "\
Examples:
  pointsman history                                    the newest 500 entries since the controller started
  pointsman history --all                              also earlier ones
  pointsman history --since 2h --resource sip_vip      what happened to an address within the last two hours
  pointsman history --since '2026-11-29 14:00' --until '2026-11-29 15:00' --limit 0
  pointsman history --before 48213                     the 500 entries before record 48213
  pointsman history --alarm app_stopped --format json
  pointsman history --since 30d --format csv > month.csv
  pointsman history --audit                            commands of operators, also refused ones

Tables have local times; JSON and CSV have UTC. WHEN is a duration before now (90s, 2h, 3d), a date, a date with a local time, or a time of RFC 3339. On a terminal the output goes through the pager that PAGER names, or through less.";

/// Shows what happened: alarms, moves, notifications, commands of operators, refusals
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    past: PastArgs,
    /// Only entries about this resource
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    /// Only entries about runs of this reaction
    #[arg(long, value_name = "REACTION")]
    reaction: Option<String>,
    /// Only entries of this run
    #[arg(long, value_name = "RUN")]
    run: Option<u64>,
    /// Only entries of this kind: raised, cleared, acked, notified, ran, move, operator ...
    #[arg(long, value_name = "KIND", value_parser = kind, conflicts_with = "audit")]
    kind: Option<String>,
    /// Only commands of operators, including refused ones
    #[arg(long)]
    audit: bool,
    /// All entries [default: since the controller started, unless another option selects entries]
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    whom: ControllerArgs,
}

/// The kinds of entries about requests of operators.
const AUDIT: [&str; 3] = ["operator", "command_refused", "journal_loss_accepted"];
/// The number of the newest entries whose names are known, for a message about an unknown one.
const NAMES: usize = 10_000;
/// The kind of the entry about a start of the controller.
const START: &str = "start";
/// The columns of CSV: the fields of the JSON.
const COLUMNS: [&str; 11] = ["at", "kind", "text", "alarm", "key", "host", "resource", "run", "reaction", "by", "record"];

impl Args {
    /// True if a part is chosen. Entries before the last start are then shown as well.
    fn selects(&self) -> bool {
        let named = [&self.resource, &self.reaction, &self.kind];
        self.all || self.audit || self.past.selects() || self.run.is_some() || named.iter().any(|text| text.is_some())
    }

    fn filter(&self) -> HistoryFilter {
        let kinds = match &self.kind {
            Some(kind) => vec![kind.clone()],
            None if self.audit => AUDIT.map(str::to_owned).to_vec(),
            None => Vec::new(),
        };
        let (resource, reaction) = (self.resource.clone(), self.reaction.clone());
        HistoryFilter { resource, reaction, run: self.run, kinds, ..self.past.filter() }
    }
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    if let Some(why) = args.past.backwards() {
        wrong(&why);
        return Ok(USAGE);
    }
    let (limit, since_start) = (args.past.limit(), !args.selects());
    let mut count = 0;
    let mut enough = |page: &[HistoryEntry]| {
        count += page.len();
        count >= limit || (since_start && page.iter().any(|entry| entry.kind == START))
    };
    let Some(mut past) = past::read(&args.whom, args.filter(), &mut enough)? else { return Ok(WRONG) };
    let mut entries = std::mem::take(&mut past.entries);
    let mut before = past.before;
    if let Some(more) = entries.len().checked_sub(limit).filter(|more| *more > 0) {
        entries.drain(..more);
        before = entries.first().map(|entry| entry.n);
    }
    let mut hint = None;
    if since_start && let Some(start) = entries.iter().rposition(|entry| entry.kind == START) {
        if start > 0 || before.is_some() {
            hint = Some(
                "these are the entries since the controller started; `pointsman history --all` shows earlier ones".to_owned(),
            );
        }
        entries.drain(..start);
    } else if let Some(before) = before {
        hint = Some(past::newest(entries.len(), before));
    }
    if entries.is_empty()
        && let Some(why) = unknown_name(args)?
    {
        wrong(&why);
        return Ok(USAGE);
    }
    let mut out = Paged::open();
    print(&mut out, args, &entries)?;
    out.flush()?;
    drop(out);
    Ok(past.end(args.whom.format, hint))
}

/// A message about a name that the newest part of the journal and the configuration do not have, if one is wanted.
fn unknown_name(args: &Args) -> io::Result<Option<String>> {
    let newest = HistoryFilter { limit: NAMES, ..HistoryFilter::default() };
    let Some(past) = past::read(&args.whom, newest, &mut |_| true)? else { return Ok(None) };
    let mut names = SeenNames::default();
    past.entries.iter().for_each(|entry| names.add(entry));
    Ok(names.unknown(args))
}

fn print(out: &mut Paged, args: &Args, entries: &[HistoryEntry]) -> io::Result<()> {
    let rows: Vec<Json> = match args.whom.format {
        RowFormat::Json => return entries.iter().try_for_each(|entry| writeln!(out, "{}", entry.json())),
        RowFormat::Csv => {
            let rows: Vec<Json> = entries.iter().map(HistoryEntry::json).collect();
            return csv(out, &rows, &COLUMNS);
        }
        RowFormat::Human if entries.is_empty() => return writeln!(out, "{}", names::nothing(args)),
        RowFormat::Human => {
            let zone = live::machine_zone().unwrap_or_default();
            let row = |entry: &HistoryEntry| {
                let by = entry.by.as_deref().map(printable);
                json!({ "at": local(entry.at, zone), "kind": entry.kind, "text": entry.text, "by": by })
            };
            entries.iter().map(row).collect()
        }
    };
    coloured_table(out, &rows, &["at", "kind", "text"], &|row| colour_of(row.get("kind")?.as_str()?))
}

/// The colour of an entry on a terminal: red for what begins badly, green for its end, yellow for what did not work.
fn colour_of(kind: &str) -> Option<&'static str> {
    match kind {
        "raised" | "conflict" | "host_lost" => Some("31"),
        "cleared" | "host_back" | "settled" => Some("32"),
        kind if kind.ends_with("_failed") || kind.ends_with("_refused") => Some("33"),
        "start" | "operator" => Some("36"),
        _ => None,
    }
}
