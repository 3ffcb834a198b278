//! `pointsman alarms --all`: the alarms of the past, each with its end.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use serde_json::{Value as Json, json};

use crate::core::base::text::printable;
use crate::core::base::time::{Time, duration_text};
use crate::core::journal::{HistoryEntry, HistoryFilter};
use crate::shell::live;

use super::ask::ControllerArgs;
use super::local_time::local;
use super::output::{USAGE, WRONG, wrong};
use super::past::{self, PastArgs};
use super::table::{Paged, RowFormat, coloured_table, csv, json_rows};

/// The number of entries of a page in which ends are searched.
const PAGE: usize = 1_000;

const COLUMNS: [&str; 7] = ["alarm", "key", "raised_at", "cleared_at", "lasted", "acked", "summary"];

/// An alarm as it was active for a time.
#[derive(Debug, Default, PartialEq, Eq)]
struct PastAlarm {
    alarm: String,
    key: String,
    host: Option<String>,
    /// When it was raised; `None` if that was before what was read.
    raised_at: Option<Time>,
    cleared_at: Option<Time>,
    acked: Option<String>,
    summary: String,
    /// The number of the record that raised it.
    record: u64,
}

pub(super) fn run(args: &PastArgs, whom: &ControllerArgs) -> io::Result<u8> {
    let limit = args.limit();
    let kinds = ["raised", "cleared", "acked"].map(str::to_owned).to_vec();
    if let Some(why) = args.backwards() {
        wrong(&why);
        return Ok(USAGE);
    }
    // Only the entry of the beginning names the host. Most alarms have two or three entries.
    let filter = HistoryFilter { kinds, host: None, limit: limit.saturating_mul(3), ..args.filter() };
    let of_host = |host: &Option<String>| args.host.is_none() || *host == args.host;
    let mut count = 0;
    let mut enough = |page: &[HistoryEntry]| {
        count += page.iter().filter(|entry| entry.kind == "raised" && of_host(&entry.host)).count();
        count >= limit
    };
    let Some(mut past) = past::read(whom, filter, &mut enough)? else { return Ok(WRONG) };
    let mut alarms = paired(&past.entries);
    alarms.retain(|alarm| of_host(&alarm.host));
    let more = alarms.len().saturating_sub(limit);
    alarms.drain(..more);
    let open = alarms.iter().filter(|alarm| alarm.cleared_at.is_none()).filter_map(|alarm| alarm.raised_at);
    if let Some(since) = open.min().filter(|_| args.has_an_end()) {
        let kinds = vec!["cleared".to_owned()];
        let later = HistoryFilter { kinds, since: Some(since), alarm: args.of_alarm.clone(), ..HistoryFilter::default() };
        let Some(later) = past::read(whom, HistoryFilter { limit: PAGE, ..later }, &mut |_| false)? else { return Ok(WRONG) };
        ended_later(&mut alarms, &later.entries);
        past.unread = past.unread.or(later.unread);
    }
    let before = if more > 0 { alarms.first().map(|alarm| alarm.record) } else { past.before };
    let mut out = Paged::open();
    let zone = live::machine_zone().unwrap_or_default();
    let time = |at: Option<Time>| match whom.format {
        RowFormat::Human => at.map(|at| local(at, zone)),
        RowFormat::Json | RowFormat::Csv => at.map(|at| at.to_string()),
    };
    let row = |a: &PastAlarm| {
        let lasted = a.raised_at.zip(a.cleared_at).map(|(raised, cleared)| duration_text(cleared.since(raised)));
        json!({ "alarm": a.alarm, "key": printable(&a.key), "host": a.host, "raised_at": time(a.raised_at),
                "cleared_at": time(a.cleared_at), "lasted": lasted, "acked": a.acked, "summary": a.summary, "record": a.record })
    };
    let rows: Vec<Json> = alarms.iter().map(row).collect();
    match whom.format {
        RowFormat::Json => json_rows(&mut out, &rows)?,
        RowFormat::Csv => csv(&mut out, &rows, &COLUMNS)?,
        RowFormat::Human if rows.is_empty() => writeln!(out, "the journal has no such alarm")?,
        RowFormat::Human => {
            let colour_of = |row: &Json| row.get("cleared_at").is_some_and(Json::is_null).then_some("31");
            coloured_table(&mut out, &rows, &COLUMNS, &colour_of)?;
        }
    }
    out.flush()?;
    drop(out);
    Ok(past.end(whom.format, before.map(|before| past::newest(rows.len(), before))))
}

/// The alarms of entries, in the order in which they were raised.
fn paired(entries: &[HistoryEntry]) -> Vec<PastAlarm> {
    let mut alarms: Vec<PastAlarm> = Vec::new();
    let mut active: BTreeMap<(String, String), usize> = BTreeMap::new();
    for entry in entries {
        let (alarm, key) = (entry.alarm.clone().unwrap_or_default(), entry.key.clone().unwrap_or_default());
        let shown = if key.is_empty() { String::new() } else { format!(" [{key}]") };
        let rest = |text: &str| match text.strip_prefix(&printable(&format!("{alarm}{shown}"))) {
            Some(rest) => rest.trim_start_matches(": ").to_owned(),
            None => text.to_owned(),
        };
        let id = (alarm.clone(), key.clone());
        if entry.kind == "raised" {
            active.insert(id, alarms.len());
            let (host, raised_at, summary) = (entry.host.clone(), Some(entry.at), rest(&entry.text));
            alarms.push(PastAlarm { alarm, key, host, raised_at, summary, record: entry.n, ..PastAlarm::default() });
            continue;
        }
        // It was raised before what was read.
        let place = *active.entry(id).or_insert_with(|| {
            alarms.push(PastAlarm { alarm: alarm.clone(), key: key.clone(), record: entry.n, ..PastAlarm::default() });
            alarms.len() - 1
        });
        if entry.kind == "acked" {
            alarms[place].acked = Some(rest(&entry.text));
        } else {
            alarms[place].cleared_at = Some(entry.at);
            active.remove(&(alarm, key));
        }
    }
    alarms
}

/// Adds the ends of alarms that came after the part of the past that is shown.
fn ended_later(alarms: &mut [PastAlarm], ends: &[HistoryEntry]) {
    let mut first: BTreeMap<(&str, &str), Vec<&HistoryEntry>> = BTreeMap::new();
    for entry in ends {
        let id = (entry.alarm.as_deref().unwrap_or_default(), entry.key.as_deref().unwrap_or_default());
        first.entry(id).or_default().push(entry);
    }
    for alarm in alarms.iter_mut().filter(|alarm| alarm.cleared_at.is_none()) {
        let of_alarm = first.get(&(alarm.alarm.as_str(), alarm.key.as_str())).into_iter().flatten();
        alarm.cleared_at = of_alarm.filter(|entry| entry.n > alarm.record).min_by_key(|entry| entry.n).map(|entry| entry.at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_alarm_has_its_end() {
        let entry = |n: u64, kind: &str, key: &str, text: &str| HistoryEntry {
            n,
            at: Time::from_millis(i64::try_from(n).unwrap() * 1_000),
            kind: kind.to_owned(),
            text: text.to_owned(),
            alarm: Some("down".to_owned()),
            key: Some(key.to_owned()),
            ..HistoryEntry::default()
        };
        let entries = [
            entry(1, "cleared", "a", "down [a]: when"),
            entry(2, "raised", "a", "down [a]: it stopped"),
            entry(3, "raised", "b", "down [b]"),
            entry(4, "acked", "a", "down [a]: by ann"),
            entry(5, "cleared", "a", "down [a]: when"),
            entry(6, "raised", "a", "down [a]: again"),
        ];
        let alarms = paired(&entries);
        let seconds = |at: Option<Time>| at.map(|at| at.micros() / 1_000_000);
        let rows: Vec<_> = alarms
            .iter()
            .map(|a| (a.key.as_str(), seconds(a.raised_at), seconds(a.cleared_at), a.acked.as_deref(), a.summary.as_str()))
            .collect();
        assert_eq!(
            rows,
            [
                ("a", None, Some(1), None, ""),
                ("a", Some(2), Some(5), Some("by ann"), "it stopped"),
                ("b", Some(3), None, None, ""),
                ("a", Some(6), None, None, "again"),
            ]
        );
        let mut alarms = alarms;
        let later = [entry(5, "cleared", "a", ""), entry(9, "cleared", "b", ""), entry(10, "cleared", "b", "")];
        ended_later(&mut alarms, &later);
        let ends: Vec<_> = alarms.iter().map(|a| seconds(a.cleared_at)).collect();
        assert_eq!(ends, [Some(1), Some(5), Some(9), None], "the first end after it was raised");
    }
}
