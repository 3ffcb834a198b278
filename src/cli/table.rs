//! Tables: aligned for people, JSON or CSV for programs, and through a pager on a terminal.

use std::io::{self, IsTerminal as _, Write};
use std::process::{Child, Command, Stdio};

use clap::ValueEnum;
use serde_json::Value as Json;

use crate::core::base::text::{printable, printable_json, printable_short};
use crate::core::base::zone::Zone;
use crate::shell::live;

use super::local_time::localized;
use super::output::OutputFormat;

/// How rows are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum RowFormat {
    /// For people: an aligned table.
    #[default]
    Human,
    /// For programs: one JSON object on each line.
    Json,
    /// For spreadsheets: comma-separated values (RFC 4180), with the names of the columns first.
    Csv,
}

impl From<OutputFormat> for RowFormat {
    fn from(format: OutputFormat) -> RowFormat {
        match format {
            OutputFormat::Human => RowFormat::Human,
            OutputFormat::Json => RowFormat::Json,
        }
    }
}

pub(super) fn print_rows(format: RowFormat, rows: &[Json], columns: &[&str], nothing: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        RowFormat::Json => json_rows(&mut out, rows)?,
        RowFormat::Csv => csv(&mut out, rows, columns)?,
        RowFormat::Human if rows.is_empty() => writeln!(out, "{nothing}")?,
        RowFormat::Human => {
            let zone = live::machine_zone().unwrap_or_default();
            table(&mut out, &rows.iter().map(|row| in_local_time(row, zone)).collect::<Vec<_>>(), columns)?;
        }
    }
    out.flush()
}

/// The columns of the controller's answers that have times, alone or within a text.
const TIMES: [&str; 10] =
    ["since", "last", "until", "last_delivered", "last_failure", "silenced", "maintenance", "doing", "held", "would_do"];

/// A row for people, whose times are local.
fn in_local_time(row: &Json, zone: Zone) -> Json {
    let mut row = row.clone();
    for column in TIMES {
        if let Some(Json::String(text)) = row.get_mut(column) {
            *text = localized(text, zone);
        }
    }
    row
}

/// Prints one JSON object a line.
pub(super) fn json_rows(out: &mut impl Write, rows: &[Json]) -> io::Result<()> {
    rows.iter().try_for_each(|row| writeln!(out, "{}", printable_json(&row.to_string())))
}

/// Prints the columns of rows as CSV.
pub(super) fn csv(out: &mut impl Write, rows: &[Json], columns: &[&str]) -> io::Result<()> {
    writeln!(out, "{}", csv_head(columns))?;
    for row in rows {
        let fields: Vec<String> = columns.iter().map(|column| csv_field(row.get(*column))).collect();
        writeln!(out, "{}", fields.join(","))?;
    }
    Ok(())
}

/// The first line of CSV: the names of the columns.
pub(super) fn csv_head(columns: &[impl AsRef<str>]) -> String {
    columns.iter().map(|column| csv_text(column.as_ref())).collect::<Vec<_>>().join(",")
}

/// One field of a line of CSV.
pub(super) fn csv_field(value: Option<&Json>) -> String {
    let text = match value {
        None | Some(Json::Null) => return String::new(),
        Some(Json::String(text)) => text,
        Some(other) => return quoted(&other.to_string()),
    };
    csv_text(text)
}

/// A text as one field of a line of CSV. The text of a log does not become a formula of a spreadsheet, and does not control a
/// terminal.
pub(super) fn csv_text(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    quoted(&format!("{}{}", if is_formula { "'" } else { "" }, printable(text)))
}

/// Quotes a field of CSV (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// Where long output goes: a pager if it is a terminal and there is one, or else standard output.
pub(super) enum Paged {
    Pager(Child),
    Plain(io::BufWriter<io::StdoutLock<'static>>),
}

impl Paged {
    /// Opens the output. `PAGER` names the pager; it is `less` if nothing is named, and `cat` or an empty text means none.
    pub(super) fn open() -> Paged {
        let plain = || Paged::Plain(io::BufWriter::new(io::stdout().lock()));
        if !io::stdout().is_terminal() {
            return plain();
        }
        let pager = std::env::var("PAGER").unwrap_or_else(|_| "less".to_owned());
        let mut words = pager.split_whitespace();
        let Some(program) = words.next().filter(|program| *program != "cat") else { return plain() };
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::piped());
        if std::env::var_os("LESS").is_none() {
            // Short output stays on the screen, colours are shown, and long lines are cut.
            command.env("LESS", "FRSX");
        }
        command.spawn().map_or_else(|_| plain(), Paged::Pager)
    }
}

impl Write for Paged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Paged::Pager(child) => match child.stdin.as_mut() {
                Some(to) => to.write(bytes),
                None => Err(io::ErrorKind::BrokenPipe.into()),
            },
            Paged::Plain(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Paged::Pager(child) => child.stdin.as_mut().map_or(Ok(()), io::Write::flush),
            Paged::Plain(out) => out.flush(),
        }
    }
}

impl Drop for Paged {
    fn drop(&mut self) {
        if let Paged::Pager(child) = self {
            // The pager shows the rest when its input has ended.
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// The maximum number of characters of a value in a table that is not printed to a terminal.
const WIDEST: usize = 1_000;

/// Prints rows as aligned columns.
pub(super) fn table(out: &mut impl Write, rows: &[Json], columns: &[&str]) -> io::Result<()> {
    coloured_table(out, rows, columns, &|_| None)
}

/// Prints rows as aligned columns. `colour_of` gives the number of a terminal's colour for a row, if it has one.
pub(super) fn coloured_table(
    out: &mut impl Write,
    rows: &[Json],
    columns: &[&str],
    colour_of: &dyn Fn(&Json) -> Option<&'static str>,
) -> io::Result<()> {
    // A terminal is narrow. JSON output has the whole value.
    let most = if io::stdout().is_terminal() { 100 } else { WIDEST };
    let paint = super::output::colour(&io::stdout());
    let mut table = vec![columns.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>()];
    table.extend(rows.iter().map(|row| columns.iter().map(|c| cell(row.get(*c), most)).collect()));
    let widths: Vec<usize> = (0..columns.len()).map(|i| table.iter().map(|r| r[i].chars().count()).max().unwrap_or(0)).collect();
    for (n, row) in table.iter().enumerate() {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let line = cells.join("  ");
        // The first row has the names of the columns.
        match n.checked_sub(1).and_then(|n| rows.get(n)).filter(|_| paint).and_then(colour_of) {
            Some(colour) => writeln!(out, "\x1b[{colour}m{}\x1b[0m", line.trim_end())?,
            None => writeln!(out, "{}", line.trim_end())?,
        }
    }
    Ok(())
}

/// A value in a table. The text of a log is escaped by the controller or here.
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

/// `sip1` for a host that is connected, `sip2!` for one that is not.
fn host(item: &Json) -> Option<String> {
    let name = item.get("host")?.as_str()?;
    let reachable = item.get("reachable").and_then(Json::as_bool).unwrap_or(false);
    Some(format!("{name}{}", if reachable { "" } else { "!" }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn csv_is_quoted_and_holds_no_formula() {
        let rows = [json!({ "a": "x,\"y\"", "b": 7, "c": null }), json!({ "a": "=cmd()", "b": true })];
        let mut out = Vec::new();
        csv(&mut out, &rows, &["a", "b", "c"]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a,b,c\n\"x,\"\"y\"\"\",7,\n'=cmd(),true,\n");
    }
}
