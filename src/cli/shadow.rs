//! `pointsman shadow`: other rules beside a running controller, on the same input, touching nothing.
//!
//! What the controller receives, it writes to its journal, and (with `journal: { unwanted: ... }`) records that its rules do not want
//! beside it. This command reads both while they are written, and replays them with the other rules. So the running controller
//! does nothing more than before, and a shadow cannot disturb it.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::core::base::time::{Time, duration_text};
use crate::core::journal::Record;
use crate::core::replay::{DecidedBy, Difference, Rerun};
use crate::shell::linux::wall_time;
use crate::shell::live::control_socket;
use crate::shell::live::questions::Question;
use crate::shell::store::{JournalReader, UnwantedReader, UnwantedRecord};

use super::ask::{ControllerArgs, data};
use super::dry_run::against::{ending, write_difference};
use super::dry_run::follow::Stop;
use super::dry_run::holders;
use super::given::Given;
use super::local_time::span;
use super::output::{FAILED, OutputFormat, USAGE, WRONG, colour, report, wrong};
use super::table::RowFormat;

/// How often the journal is read.
const LOOK: Duration = Duration::from_millis(500);
/// How long a record may be on its way to the disk: what is younger may still come.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// How many records of the journal are in memory at once.
const AT_ONCE: usize = 10_000;
/// How much of what the controller received before is replayed at the beginning.
const BEFORE: Duration = Duration::from_secs(3_600);

const EXAMPLES: &str = "\
Examples:
  pointsman shadow -c new/pointsman.yaml --data /var/lib/pointsman              shows each decision that differs, until Ctrl-C
  pointsman shadow -c new/pointsman.yaml --data /var/lib/pointsman --for 1h     does so for an hour

Nothing is changed: no address is moved, nobody is notified. Exit status: 0 no decision differs, 1 some do.
`pointsman dry-run --against JOURNAL` compares what was recorded earlier, and shows why decisions differ.";

/// Runs other rules beside a running controller, and shows which decisions differ
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    given: Given,
    /// The data folder of the running controller [default: that of ./pointsman.yaml, then of /etc/pointsman/pointsman.yaml]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How long to compare [default: until Ctrl-C]
    #[arg(long = "for", value_name = "DURATION", value_parser = span)]
    lasts: Option<Duration>,
    /// The holder of a resource at the beginning [default: the host of its pair's primary]
    #[arg(long, value_name = "RESOURCE=HOST")]
    holder: Vec<String>,
    /// The output format
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    format: OutputFormat,
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    let setup = args.given.load();
    report(&setup.diagnostics, OutputFormat::Human)?;
    let Some(site) = setup.site else { return Ok(WRONG) };
    let holders = match holders(&site, &args.holder) {
        Ok(holders) => holders,
        Err(why) => {
            wrong(&why);
            return Ok(USAGE);
        }
    };
    let Some(data) = data(&ControllerArgs::of(None, args.data.clone(), args.format))? else { return Ok(WRONG) };
    // Without a running controller there is nothing to compare with.
    if let Err(why) = control_socket::ask(&data, &Question::Alarms) {
        return Ok(wrong(&why));
    }
    let stop = Stop::by_signal()?;
    let mut shadow = match Shadow::begin(&data, Rerun::new(site, holders)) {
        Ok(shadow) => shadow,
        Err(why) => return Ok(wrong(&why)),
    };
    let stdout = io::stdout();
    let paint = colour(&stdout);
    let format = RowFormat::from(args.format);
    if format == RowFormat::Human {
        println!("comparing with the controller of {}", data.display());
    }
    let began = clock();
    let mut differing = [0, 0];
    loop {
        let left = args.lasts.map(|lasts| lasts.saturating_sub(clock().duration_since(began)));
        let over = stop.is_wanted() || left.is_some_and(|left| left.is_zero());
        let mut out = stdout.lock();
        let mut written = Ok(());
        let mut show = |found: Vec<Difference>| {
            for one in found {
                differing[usize::from(one.by == DecidedBy::Rules)] += 1;
                if written.is_ok() {
                    written = write_difference(&mut out, &one, &[], format, paint);
                }
            }
        };
        if let Err(why) = shadow.look(&mut show) {
            return Ok(wrong(&why));
        }
        if over {
            show(shadow.rerun.finish());
        }
        written?;
        out.flush()?;
        if over {
            break;
        }
        thread::sleep(left.map_or(LOOK, |left| left.min(LOOK)));
    }
    let ending =
        format!("{}\nin {}", ending(&shadow.rerun.counts(), differing, shadow.unreadable), duration_text(whole_seconds(began)));
    match format {
        RowFormat::Human => println!("{ending}"),
        RowFormat::Json | RowFormat::Csv => eprintln!("{ending}"),
    }
    Ok(if differing == [0, 0] { 0 } else { FAILED })
}

/// The other rules, and how far the controller's files were read.
struct Shadow<'a> {
    data: &'a Path,
    rerun: Rerun,
    /// The next record of the journal.
    next: u64,
    unwanted: UnwantedReader,
    waiting: Option<UnwantedRecord>,
    unreadable: u64,
}

impl Shadow<'_> {
    /// Begins with what the controller receives from now on. What it received in the last hour fills windows and counts.
    fn begin(data: &Path, rerun: Rerun) -> Result<Shadow<'_>, String> {
        let since = wall_time() - BEFORE;
        let next = JournalReader::open(data).and_then(|reader| reader.first_since(since)).map_err(|e| e.to_string())?;
        let mut unwanted = UnwantedReader::open(data);
        let waiting = std::iter::from_fn(|| unwanted.next_record()).find(|record| record.at >= since);
        let mut shadow = Shadow { data, rerun, next, unwanted, waiting, unreadable: 0 };
        shadow.look(&mut |_| ())?;
        shadow.unreadable = 0;
        let alarms = control_socket::ask(data, &Question::Alarms)?;
        let text = |alarm: &Json, name: &str| alarm[name].as_str().unwrap_or_default().to_owned();
        let active = alarms.as_array().into_iter().flatten().map(|alarm| (text(alarm, "alarm"), text(alarm, "key")));
        shadow.rerun.begin(wall_time(), active);
        Ok(shadow)
    }

    /// Replays what was written since the last look. The controller writes everything to the disk within [`ON_ITS_WAY`], so it is
    /// not asked. `found` gets the differences.
    fn look(&mut self, found: &mut dyn FnMut(Vec<Difference>)) -> Result<(), String> {
        let until = wall_time() - ON_ITS_WAY;
        let reader = JournalReader::open(self.data).map_err(|e| e.to_string())?;
        loop {
            let mut records = Vec::new();
            let (mut next, mut unreadable) = (self.next, 0);
            let read = reader.lines(self.next, &mut |n, line| {
                match Record::read(line) {
                    Ok(record) => records.push((n, record)),
                    Err(_) => unreadable += 1,
                }
                next = n + 1;
                records.len() < AT_ONCE
            });
            read.map_err(|e| e.to_string())?;
            (self.next, self.unreadable) = (next, self.unreadable + unreadable);
            let is_all = records.len() < AT_ONCE;
            for (n, record) in records {
                if let Record::Input { at, .. } = &record {
                    self.unwanted_until(*at, found);
                }
                found(self.rerun.see(n, record));
            }
            if is_all {
                break;
            }
        }
        self.unwanted_until(until, found);
        found(self.rerun.pass(until));
        Ok(())
    }

    /// Replays records that the controller's rules do not want, up to this time.
    fn unwanted_until(&mut self, at: Time, found: &mut dyn FnMut(Vec<Difference>)) {
        loop {
            self.waiting = self.waiting.take().or_else(|| self.unwanted.next_record());
            let Some(UnwantedRecord { at, source, event }) = self.waiting.take_if(|next| next.at <= at) else { return };
            found(self.rerun.see_unwanted(at, source, event));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the shell reads the clock: how long the shadow runs")]
fn clock() -> Instant {
    Instant::now()
}

fn whole_seconds(since: Instant) -> Duration {
    Duration::from_secs(clock().duration_since(since).as_secs())
}
