//! `pointsman journal`: shows, checks, copies and restores the journal, or accepts the loss of records.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::core::base::text::{printable, printable_json};
use crate::shell::live::control_socket;
use crate::shell::live::questions::Question;
use crate::shell::store::{Journal, JournalReader, accept_loss, backup, restore};

use super::ask::{ControllerArgs, data, operator};
use super::output::{FAILED, OutputFormat, WRONG, plural, wrong};
use super::table::{Paged, RowFormat, csv_field, csv_head, json_rows, table};

const EXAMPLES: &str = "\
Examples:
  pointsman journal verify                                  checks every record
  pointsman journal show --from 4711                        prints the records from number 4711 on
  pointsman journal query 'SELECT alarm, count(*) AS n FROM alarms GROUP BY alarm ORDER BY n DESC'
  pointsman journal show --data /var/lib/pointsman          uses this data folder
  pointsman journal backup /backup/journal-2026-11-29       copies the journal to one file
  pointsman journal restore /backup/journal-2026-11-29      replaces the journal with that copy
  pointsman journal accept-loss --reason 'disk of 11-29'    continues without lost records

`verify`, `show`, `query` and `backup` work while the controller runs. `restore` requires that it is stopped. `accept-loss` works in both cases.";

/// Shows, queries, verifies, backs up and restores the journal
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Args)]
struct Where {
    /// The configuration of the controller [default: ./pointsman.yaml, then /etc/pointsman/pointsman.yaml]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder of the controller, instead of the one that the configuration names
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Where {
    /// The data folder. Errors of the configuration are reported if they hide it.
    fn folder(&self) -> io::Result<Option<PathBuf>> {
        data(&ControllerArgs::of(self.config.clone(), self.data.clone(), OutputFormat::Human))
    }
}

#[derive(Subcommand)]
enum What {
    /// Reads every record and compares checksums, snapshots and the end file
    Verify {
        #[command(flatten)]
        of: Where,
    },
    /// Prints the records, one JSON object on each line
    Show {
        /// The number of the first record
        #[arg(long, value_name = "N", default_value_t = 1)]
        from: u64,
        #[command(flatten)]
        of: Where,
    },
    /// Runs a read-only SQL query; docs/reference/sql-views.md describes the views
    Query {
        /// One SQL statement
        sql: String,
        /// The output format
        #[arg(long, value_enum, default_value_t, value_name = "HOW")]
        format: RowFormat,
        #[command(flatten)]
        of: Where,
    },
    /// Copies the journal to one file
    Backup {
        /// The file to write; it must not exist
        file: PathBuf,
        #[command(flatten)]
        of: Where,
    },
    /// Replaces the journal with a backup, and keeps the former journal
    Restore {
        /// A file that `backup` made
        file: PathBuf,
        #[command(flatten)]
        of: Where,
    },
    /// Continues although records are missing or damaged: intact records are kept, the rest is set aside
    AcceptLoss {
        /// The reason, which is written to the journal
        #[arg(long, value_name = "WHY")]
        reason: String,
        #[command(flatten)]
        of: Where,
    },
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    let (What::Verify { of }
    | What::Show { of, .. }
    | What::Query { of, .. }
    | What::Backup { of, .. }
    | What::Restore { of, .. }
    | What::AcceptLoss { of, .. }) = &args.what;
    let Some(data) = of.folder()? else { return Ok(WRONG) };
    match &args.what {
        What::Verify { .. } => verify(&data),
        What::Show { from, .. } => show(&data, *from),
        What::Query { sql, format, .. } => query(&data, sql, *format),
        What::Backup { file, .. } => Ok(match backup(&data, file) {
            Ok(last) => {
                println!("{} contains the journal up to record {last}", file.display());
                0
            }
            Err(e) => wrong(&e.to_string()),
        }),
        What::Restore { file, .. } => Ok(match restore(&data, file) {
            Ok(done) => {
                println!("{} now has the journal up to record {}, from {}", data.display(), done.last, file.display());
                if let Some(kept) = done.kept {
                    println!("the former journal is in {}", kept.display());
                }
                println!(
                    "when the controller starts, it sends nothing to hosts until every agent has reported and none knows more than this journal"
                );
                0
            }
            Err(e) => wrong(&e.to_string()),
        }),
        What::AcceptLoss { reason, .. } => Ok(accept(&data, reason)),
    }
}

fn verify(data: &Path) -> io::Result<u8> {
    let found = match Journal::verify(data) {
        Ok(found) => found,
        Err(e) => return Ok(wrong(&e.to_string())),
    };
    for line in &found.wrong {
        eprintln!("{}", printable(line));
    }
    let mistakes = found.wrong.len() as u64 + found.more;
    println!(
        "{}: {}, {} compared: {}",
        data.display(),
        plural(usize::try_from(found.records).unwrap_or(usize::MAX), "record"),
        plural(usize::try_from(found.snapshots).unwrap_or(usize::MAX), "snapshot"),
        if mistakes == 0 { "all is well".to_owned() } else { plural(usize::try_from(mistakes).unwrap_or(usize::MAX), "mistake") }
    );
    Ok(if mistakes == 0 { 0 } else { FAILED })
}

fn show(data: &Path, from: u64) -> io::Result<u8> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut failed = None;
    let shown = JournalReader::open(data).and_then(|reader| {
        reader.lines(from, &mut |n, line| {
            // A damaged record must not look like a valid one.
            let record = if serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok() { line } else { "null" };
            failed = writeln!(out, "{{\"n\":{n},\"record\":{}}}", printable_json(record)).err();
            failed.is_none()
        })
    });
    failed.map_or_else(|| out.flush(), Err)?;
    Ok(shown.map_or_else(|e| wrong(&e.to_string()), |()| 0))
}

fn query(data: &Path, sql: &str, format: RowFormat) -> io::Result<u8> {
    // What a running controller has not written yet. If none runs, or it does not answer, the rest can still be read.
    let _ = control_socket::ask(data, &Question::History);
    let mut out = Paged::open();
    let (mut rows, mut failed, mut first) = (Vec::new(), None, true);
    let asked = JournalReader::open(data).and_then(|reader| {
        reader.query(sql, &mut |columns, values| {
            let ended = match format {
                RowFormat::Csv => {
                    let head = if std::mem::take(&mut first) { csv_head(columns) + "\n" } else { String::new() };
                    let fields: Vec<String> = values.iter().map(|value| csv_field(Some(value))).collect();
                    writeln!(out, "{head}{}", fields.join(","))
                }
                RowFormat::Json | RowFormat::Human => {
                    let row: serde_json::Map<_, _> = columns.iter().cloned().zip(values).collect();
                    if format == RowFormat::Human {
                        rows.push(row.into());
                        return true;
                    }
                    json_rows(&mut out, &[row.into()])
                }
            };
            failed = ended.err();
            failed.is_none()
        })
    });
    failed.map_or(Ok(()), Err)?;
    let columns = match asked {
        Ok(columns) => columns,
        Err(e) => {
            drop(out);
            return Ok(wrong(&e.to_string()));
        }
    };
    if format == RowFormat::Csv && first {
        writeln!(out, "{}", csv_head(&columns))?;
    }
    if format == RowFormat::Human {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        table(&mut out, &rows, &columns)?;
    }
    out.flush()?;
    Ok(0)
}

fn accept(data: &Path, reason: &str) -> u8 {
    if reason.trim().is_empty() {
        return wrong("give a reason with --reason: others read it later");
    }
    let runs = std::os::unix::net::UnixStream::connect(control_socket::path(data)).is_ok();
    if runs {
        return match control_socket::ask(data, &Question::AcceptLoss(reason.to_owned())) {
            Ok(_) => {
                println!(
                    "the controller continues; `pointsman resources` shows the resources that wait for a claim or for `pointsman move`"
                );
                0
            }
            Err(why) => wrong(&why),
        };
    }
    match accept_loss(data, &operator(), reason) {
        Ok(done) => {
            println!(
                "{} continues after record {}{}; the former files are in {}",
                data.display(),
                done.last,
                if done.missing > 0 {
                    format!(" without {}", plural(usize::try_from(done.missing).unwrap_or(usize::MAX), "record"))
                } else {
                    String::new()
                },
                done.kept.display()
            );
            0
        }
        Err(e) => wrong(&e.to_string()),
    }
}
