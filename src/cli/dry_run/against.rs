//! `dry-run --against`: what a site recorded in its journal, through other rules, as a diff with reasons.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use crate::core::base::text::{printable, printable_json, printable_lines};
use crate::core::explain::{AlarmStory, stories_of};
use crate::core::inventory::Name;
use crate::core::journal::Record;
use crate::core::replay::{DecidedBy, Difference, Rerun, RerunCounts, SiteDecisionKind};
use crate::core::site::Site;
use crate::shell::live::control_socket;
use crate::shell::live::questions::Question;
use crate::shell::store::{JournalReader, UnwantedReader};

use super::super::output::{FAILED, colour, plural, wrong};
use super::super::table::{RowFormat, csv_text};
use super::Shows;

/// The number of alarms, each with a key, whose absence is explained.
const EXPLAINED: usize = 50;
/// The columns of a difference as CSV, as in JSON.
const COLUMNS: [&str; 9] = ["by", "at", "kind", "alarm", "key", "reaction", "text", "record", "why"];
/// The number of lines of an explanation.
const LINES: usize = 3;

/// An instance of an alarm: its name and its key, as shown.
type Instance = (String, String);

/// Compares the journal in a folder, or a backup of it, with what the site's rules decide. Returns the exit status: 1 if they
/// differ.
pub(super) fn run(
    journal: &Path,
    site: &Arc<Site>,
    holders: &BTreeMap<Name, Name>,
    format: RowFormat,
    shows: &Shows,
) -> io::Result<u8> {
    // A running controller may have records that are not on the disk yet.
    let _ = control_socket::ask(journal, &Question::History);
    let mut differences = Vec::new();
    let mut rerun = Rerun::new(site.clone(), holders.clone());
    let unwanted_are_known = !UnwantedReader::open(journal).is_empty();
    let unreadable = match read(journal, &mut rerun, &mut |_, found| differences.extend(found)) {
        Ok(unreadable) => unreadable,
        Err(why) => return Ok(wrong(&why)),
    };
    differences.retain(|one| shows.has(one.decision.at, Some(&one.decision.alarm)));
    // Reasons need the journal once more.
    let why = if shows.entries { reasons(journal, site, holders, &differences) } else { BTreeMap::new() };
    let stdout = io::stdout();
    let paint = colour(&stdout) && format == RowFormat::Human;
    let mut out = BufWriter::new(stdout.lock());
    if shows.entries {
        if format == RowFormat::Csv {
            writeln!(out, "{}", COLUMNS.join(","))?;
        }
        for (n, one) in differences.iter().enumerate() {
            write_difference(&mut out, one, why.get(&n).map_or(&[], Vec::as_slice), format, paint)?;
        }
    }
    let of = |by| differences.iter().filter(|one| one.by == by).count();
    let mut ending = ending(&rerun.counts(), [DecidedBy::Site, DecidedBy::Rules].map(of), unreadable);
    if !unwanted_are_known {
        ending.push_str(
            "\nrecords that the site's own rules do not match were not kept; `journal: { unwanted: 256MiB }` keeps them",
        );
    }
    match format {
        RowFormat::Human => writeln!(out, "{ending}")?,
        RowFormat::Json | RowFormat::Csv => eprintln!("{ending}"),
    }
    out.flush()?;
    Ok(if differences.is_empty() { 0 } else { FAILED })
}

/// Replays all records of a journal. `found` gets the differences after each record. Returns the number of records that cannot be
/// read.
fn read(journal: &Path, rerun: &mut Rerun, found: &mut dyn FnMut(&mut Rerun, Vec<Difference>)) -> Result<u64, String> {
    let mut unreadable = 0;
    let reader = JournalReader::open_or_backup(journal).map_err(|e| e.to_string())?;
    let mut unwanted = UnwantedReader::open(journal);
    let mut next = unwanted.next_record();
    let ended = reader.lines(0, &mut |n, line| {
        match Record::read(line) {
            Ok(record) => {
                if let Record::Input { at, .. } = &record {
                    while let Some(earlier) = next.take_if(|next| next.at <= *at) {
                        let differences = rerun.see_unwanted(earlier.at, earlier.source, earlier.event);
                        found(rerun, differences);
                        next = unwanted.next_record();
                    }
                }
                let differences = rerun.see(n, record);
                found(rerun, differences);
            }
            Err(_) => unreadable += 1,
        }
        true
    });
    ended.map_err(|e| e.to_string())?;
    while let Some(later) = next {
        let differences = rerun.see_unwanted(later.at, later.source, later.event);
        found(rerun, differences);
        next = unwanted.next_record();
    }
    let differences = rerun.finish();
    found(rerun, differences);
    Ok(unreadable)
}

/// Why these rules did not raise what the site raised, by the number of the difference. This reads the journal once more, because
/// only now it is known which alarms are of interest.
fn reasons(
    journal: &Path,
    site: &Arc<Site>,
    holders: &BTreeMap<Name, Name>,
    differences: &[Difference],
) -> BTreeMap<usize, Vec<String>> {
    let mut why: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut missing: BTreeMap<Instance, usize> = BTreeMap::new();
    // The instances that only one side has raised so far.
    let mut raised: BTreeSet<(bool, Instance)> = BTreeSet::new();
    for (n, one) in differences.iter().enumerate() {
        let has = |name: &str| site.program.alarms.iter().any(|a| a.name == name);
        let instance = (one.decision.alarm.clone(), one.decision.key.clone());
        if one.decision.kind == SiteDecisionKind::Raised {
            raised.insert((one.by == DecidedBy::Site, instance.clone()));
        }
        let raises = |by| raised.contains(&(by == DecidedBy::Site, instance.clone()));
        let text = match (one.by, one.decision.kind) {
            (DecidedBy::Site, _) if !has(&one.decision.alarm) => format!("these rules have no alarm {}", one.decision.alarm),
            (DecidedBy::Site, SiteDecisionKind::Raised) => {
                if missing.len() < EXPLAINED {
                    missing.entry(instance.clone()).or_insert(n);
                }
                continue;
            }
            (DecidedBy::Site, SiteDecisionKind::Cleared | SiteDecisionKind::Started) if raises(DecidedBy::Site) => {
                "these rules did not raise it; see above".to_owned()
            }
            (DecidedBy::Rules, SiteDecisionKind::Cleared | SiteDecisionKind::Started) if raises(DecidedBy::Rules) => {
                "the site did not raise it; see above".to_owned()
            }
            (DecidedBy::Site, SiteDecisionKind::Cleared) => {
                "with these rules it is still active, or was cleared at another time".to_owned()
            }
            (DecidedBy::Site, SiteDecisionKind::Started) => {
                format!("these rules do not start {} here", one.decision.reaction)
            }
            (DecidedBy::Rules, _) if one.cause.is_empty() => "with these rules it is due now".to_owned(),
            (DecidedBy::Rules, SiteDecisionKind::Raised) => "with these rules its condition is true".to_owned(),
            (DecidedBy::Rules, SiteDecisionKind::Cleared) => "these rules end it here".to_owned(),
            (DecidedBy::Rules, SiteDecisionKind::Started) => "these rules start it here".to_owned(),
        };
        why.insert(n, vec![text]);
    }
    if missing.is_empty() {
        return why;
    }
    let mut names = BTreeSet::new();
    let mut stories: BTreeMap<Instance, AlarmStory> = BTreeMap::new();
    for instance in missing.keys() {
        let key = Some(instance.1.as_str()).filter(|key| !key.is_empty());
        if let Ok((story, needs)) = stories_of(&site.program, &instance.0, key) {
            stories.insert(instance.clone(), story);
            names.extend(needs);
        }
    }
    let mut rerun = Rerun::new(site.clone(), holders.clone());
    rerun.trace(names);
    // The journal was read a moment ago. If it cannot be read now, there are no reasons.
    let _ = read(journal, &mut rerun, &mut |rerun, found| {
        let (events, decisions) = rerun.take_traced();
        for story in stories.values_mut() {
            events.iter().for_each(|(n, event)| story.see(site, *n, event));
            decisions.iter().for_each(|decision| story.decided(decision));
        }
        for one in found {
            let instance = (one.decision.alarm, one.decision.key);
            let is_missing = one.by == DecidedBy::Site && one.decision.kind == SiteDecisionKind::Raised;
            if let (true, Some(n), Some(story)) = (is_missing, missing.remove(&instance), stories.get(&instance)) {
                let mut lines = story.verdict(&site.program, &record_name);
                lines.truncate(LINES);
                why.insert(n, lines);
            }
        }
    });
    why
}

fn record_name(n: u64) -> String {
    if n == 0 { "a record that the site's rules do not match".to_owned() } else { format!("record {n}") }
}

/// Writes a difference with its reasons.
pub(in crate::cli) fn write_difference(
    out: &mut impl Write,
    one: &Difference,
    why: &[String],
    format: RowFormat,
    paint: bool,
) -> io::Result<()> {
    let decision = &one.decision;
    let (sign, tint) = match one.by {
        DecidedBy::Site => ("-", "31"),
        DecidedBy::Rules => ("+", "32"),
    };
    match format {
        RowFormat::Human => {
            let key = if decision.key.is_empty() { String::new() } else { format!(" [{}]", decision.key) };
            let reaction = if decision.reaction.is_empty() { String::new() } else { format!("{} for ", decision.reaction) };
            let text = if decision.text.is_empty() { String::new() } else { format!(": {}", decision.text) };
            let line = printable(&format!("{}  {} {reaction}{}{key}{text}", decision.at, decision.kind.name(), decision.alarm));
            if paint {
                writeln!(out, "\x1b[{tint}m{sign} {line}\x1b[0m")?
            } else {
                writeln!(out, "{sign} {line}")?
            }
            match (one.record, one.cause.as_str()) {
                (_, "") => {}
                (0, cause) => writeln!(out, "      a record that the site's rules do not match: {}", printable(cause))?,
                (n, cause) => writeln!(out, "      record {n}: {}", printable(cause))?,
            }
            for line in why {
                writeln!(out, "      why: {}", printable_lines(line))?;
            }
            Ok(())
        }
        RowFormat::Json => {
            let mut object = json!(one);
            object["at"] = json!(decision.at.to_string());
            object["why"] = json!(why);
            writeln!(out, "{}", printable_json(&object.to_string()))
        }
        RowFormat::Csv => {
            let by = if one.by == DecidedBy::Site { "site" } else { "rules" };
            let cells = [
                by,
                &decision.at.to_string(),
                decision.kind.name(),
                &decision.alarm,
                &decision.key,
                &decision.reaction,
                &decision.text,
                &one.record.to_string(),
                &why.join(" "),
            ];
            writeln!(out, "{}", cells.map(csv_text).join(","))
        }
    }
}

/// What was compared, and the number of differences.
pub(in crate::cli) fn ending(counts: &RerunCounts, [site, rules]: [usize; 2], unreadable: u64) -> String {
    let many = |n: u64, what: &str| plural(usize::try_from(n).unwrap_or(usize::MAX), what);
    let mut text = format!(
        "{} of the journal, {} of logs, {} wanted by these rules\n{} equal, {} only by the site (-), {} only by these rules (+)",
        many(counts.records, "record"),
        counts.events,
        counts.wanted,
        many(counts.equal, "decision"),
        site,
        rules
    );
    if counts.records == 0 {
        return "the journal is empty: nothing was compared".to_owned();
    }
    if counts.accepted > 1 {
        text.push_str(&format!(
            "\nthe site accepted other rules {}: differences may come from those",
            many(counts.accepted - 1, "time")
        ));
    }
    if unreadable > 0 {
        text.push_str(&format!("\n{} could not be read; see `pointsman journal verify`", many(unreadable, "record")));
    }
    text
}
