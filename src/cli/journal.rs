//! `pointsman journal`: look into it, check it.

use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::base::text::{printable, printable_json};
use crate::store::Journal;

use super::{FAILED, plural, wrong};

const EXAMPLES: &str = "\
Examples:
  pointsman journal verify --data /var/lib/pointsman   read everything again, and compare
  pointsman journal show --data /var/lib/pointsman     every record, one JSON object a line
  pointsman journal show --from 4711

The controller must not run meanwhile; a copy of journal.db and journal.db-wal in another folder will do.";

/// Looks into a journal, or checks it
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// What to do
    #[arg(value_enum)]
    what: What,
    /// The folder that the configuration has as `data`
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Show the records from this number on
    #[arg(long, value_name = "N", default_value_t = 1)]
    from: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Read everything again, and compare
    Verify,
    /// Print the records
    Show,
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    match args.what {
        What::Verify => match Journal::verify(&args.data) {
            Ok(found) => {
                for line in &found.wrong {
                    eprintln!("{}", printable(line));
                }
                println!(
                    "{}: {}, {} compared: {}",
                    args.data.display(),
                    plural(usize::try_from(found.records).unwrap_or(usize::MAX), "record"),
                    plural(usize::try_from(found.snapshots).unwrap_or(usize::MAX), "snapshot"),
                    if found.wrong.is_empty() { "all is well".to_owned() } else { plural(found.wrong.len(), "mistake") }
                );
                Ok(if found.wrong.is_empty() { 0 } else { FAILED })
            }
            Err(e) => Ok(wrong(&e.to_string())),
        },
        What::Show => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            let mut failed = None;
            let shown = Journal::open(&args.data).and_then(|journal| {
                journal.lines(args.from, &mut |n, line| {
                    if failed.is_none() {
                        failed = writeln!(out, "{{\"n\":{n},\"record\":{}}}", printable_json(line)).err();
                    }
                })
            });
            if let Err(e) = shown {
                return Ok(wrong(&e.to_string()));
            }
            failed.map_or_else(|| out.flush(), Err).map(|()| 0)
        }
    }
}
