//! `dry-run --summary`: counts of the results of the logs, as tables, JSON or CSV.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use crate::core::base::text::{printable_json, printable_short};
use crate::core::base::time::duration_text;
use crate::core::event::Level;
use crate::core::replay::{LINES_OF_A_LOG, LogCounts, Seen, Summary};

use super::super::table::{RowFormat, csv_text, table};

/// The maximum number of shapes of records that no rule wants.
const SHAPES: usize = 20;

/// The maximum width of a shape in a table, in characters.
const SHAPE_WIDTH: usize = 100;

/// Writes the counts. `logs` has the names of the logs.
pub(super) fn write(out: &mut impl Write, summary: &Summary, seen: &Seen, logs: &[String], format: RowFormat) -> io::Result<()> {
    let mut sections = sections(summary, seen, logs);
    if format == RowFormat::Human {
        // A table is as wide as its widest cell.
        for row in sections.iter_mut().flat_map(|(_, _, rows)| rows) {
            if let Some(Json::String(shape)) = row.get_mut("shape") {
                *shape = printable_short(shape, SHAPE_WIDTH);
            }
        }
    }
    match format {
        RowFormat::Human => {
            for (name, columns, rows) in &sections {
                if rows.is_empty() {
                    writeln!(out, "{name}: none\n")?;
                    continue;
                }
                writeln!(out, "{name}")?;
                table(out, rows, columns)?;
                writeln!(out)?;
            }
            Ok(())
        }
        RowFormat::Json => {
            let object: serde_json::Map<String, Json> =
                sections.into_iter().map(|(name, _, rows)| (name.replace(' ', "_"), Json::from(rows))).collect();
            writeln!(out, "{}", printable_json(&Json::from(object).to_string()))
        }
        RowFormat::Csv => {
            writeln!(out, "section,name,measure,value")?;
            for (section, columns, rows) in sections {
                for row in rows {
                    let cell = |column: &str| match &row[column] {
                        Json::String(text) => text.clone(),
                        Json::Null => String::new(),
                        other => other.to_string(),
                    };
                    let Some((name, measures)) = columns.split_first() else { continue };
                    for measure in measures {
                        let cells = [section, &cell(name), measure, &cell(measure)].map(csv_text);
                        writeln!(out, "{}", cells.join(","))?;
                    }
                }
            }
            Ok(())
        }
    }
}

type Section = (&'static str, Vec<&'static str>, Vec<Json>);

fn sections(summary: &Summary, seen: &Seen, logs: &[String]) -> Vec<Section> {
    let alarms = summary.alarms.iter().map(|(name, of)| {
        json!({
            "alarm": name, "raised": of.raised, "first": of.first.map(|at| at.to_string()), "last": of.last.map(|at| at.to_string()),
            "longest": of.longest.map(duration_text), "suppressed": of.suppressed, "throttled": of.throttled,
        })
    });
    let reactions = summary
        .reactions
        .iter()
        .map(|(name, of)| json!({ "reaction": name, "runs": of.runs, "finished": of.finished, "failed": of.failed, "other": of.other }));
    let moves =
        summary.moves.iter().map(|((resource, host), taken)| json!({ "resource": resource, "host": host, "taken": taken }));
    let sources = seen.logs().map(|(number, of)| {
        let name = usize::try_from(number).ok().and_then(|n| logs.get(n)).cloned().unwrap_or_default();
        let share = (of.decoded * 100).checked_div(of.records).unwrap_or_default();
        json!({
            "log": name, "records": of.records, "wanted": of.wanted, "ignored": of.ignored, "decoded": format!("{share} %"), "levels": levels(of),
        })
    });
    let shapes = seen
        .most_frequent(SHAPES)
        .into_iter()
        .map(|shape| json!({ "shape": shape.shape, "records": shape.count, "line": shape.line % LINES_OF_A_LOG }));
    vec![
        ("alarms", vec!["alarm", "raised", "first", "last", "longest", "suppressed", "throttled"], alarms.collect()),
        ("reactions", vec!["reaction", "runs", "finished", "failed", "other"], reactions.collect()),
        ("resources", vec!["resource", "host", "taken"], moves.collect()),
        ("logs", vec!["log", "records", "wanted", "ignored", "decoded", "levels"], sources.collect()),
        ("unwanted records", vec!["shape", "records", "line"], shapes.collect()),
    ]
}

/// The text `error 3, info 20, none 7`, with the most severe level first.
fn levels(of: &LogCounts) -> String {
    let names = Level::ALL.iter().map(|level| level.name()).chain(["none"]);
    let mut each: Vec<String> = names.zip(of.levels).filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name} {n}")).collect();
    if each.last().is_some_and(|last| !last.starts_with("none")) {
        each.reverse();
    } else if let Some((_, named)) = each.split_last_mut() {
        named.reverse();
    }
    each.join(", ")
}
