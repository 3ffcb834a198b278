//! `pointsman dry-run`: what would have come of a log.

mod cores;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::base::text::{printable, printable_json, printable_lines};
use crate::base::time::Time;
use crate::decode::Lines;
use crate::event::Provenance;
use crate::inventory::Name;
use crate::linux::file::kind_of;
use crate::replay::{Counts, DryRun, Entry};
use crate::site::Site;

use super::setup::{self, Given};
use super::{Format, USAGE, WRONG, colour, plural, report, shows_progress};

const EXAMPLES: &str = "\
Examples:
  pointsman dry-run -c pointsman.yaml /var/log/sip_server.log
  journalctl -o short-iso -u sip-server | pointsman dry-run -c pointsman.yaml -
  pointsman dry-run -c pointsman.yaml app.log.2 app.log.1 app.log
  pointsman dry-run --rules rules --format json app.log | jq 'select(.kind == \"alarm_raised\")'
  pointsman dry-run -c pointsman.yaml --holder sip_vip=sip2 sip_server.log

Nothing is touched: no address is moved, nobody is notified. The time is the log's own.";

/// Lines after which the progress is looked at.
const PROGRESS_LINES: u64 = 50_000;
/// How often the progress is shown.
const PROGRESS: Duration = Duration::from_millis(500);
/// Names that are shown of a long list.
const SHOWN: usize = 20;
/// Bytes that are read at once.
const BUFFER: usize = 256 * 1024;

/// Replays a log and prints what would have happened
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    given: Given,
    /// Who holds a resource when the log begins; unless said, the host of its pair's primary
    #[arg(long, value_name = "RESOURCE=HOST")]
    holder: Vec<String>,
    /// About when the log was written (RFC 3339), for stamps without year or date; unless said, the file's time
    #[arg(long, value_name = "TIME")]
    written: Option<String>,
    /// How far the log's senders are known: unverified, address, local or authenticated
    #[arg(long, value_name = "WORD", default_value = "local", value_parser = provenance)]
    provenance: Provenance,
    /// How to print
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    format: Format,
    /// The log; `-` is standard input. Several are read one after the other, as one that goes on: the oldest first
    #[arg(default_value = "-", value_name = "LOG")]
    logs: Vec<PathBuf>,
}

pub(super) fn run(args: Args) -> io::Result<u8> {
    let setup = setup::load(&args.given);
    // On a dry run JSON is the timeline; what is wrong is for people.
    report(&setup.diagnostics, Format::Human)?;
    let Some(site) = setup.site else { return Ok(WRONG) };
    let holders = match holders(&site, &args.holder) {
        Ok(holders) => holders,
        Err(why) => {
            eprintln!("pointsman: {}", printable_lines(&why));
            return Ok(USAGE);
        }
    };
    let written = match args.written.as_deref().map(|t| (t, Time::parse_rfc3339(t))) {
        None => None,
        Some((_, Some(time))) => Some(time),
        Some((text, None)) => {
            eprintln!("pointsman: --written {}: not a time; write 2026-01-31T12:00:00Z", printable(text));
            return Ok(USAGE);
        }
    };
    // All are opened before anything is told.
    let logs: Vec<_> = match args.logs.iter().map(|path| open(path)).collect() {
        Ok(logs) => logs,
        Err(why) => {
            eprintln!("pointsman: {}", printable_lines(&why));
            return Ok(WRONG);
        }
    };
    let written = written.unwrap_or_else(|| time_of(logs.first().map_or_else(now, |log| log.written)));
    let mut run = DryRun::new(site, holders, written, args.provenance);
    let stdout = io::stdout();
    let mut told = Told {
        format: args.format,
        paint: colour(&stdout),
        out: BufWriter::new(stdout.lock()),
        several: logs.len() > 1,
        begun: Vec::new(),
        failed: Ok(()),
    };
    let mut wrong = None;
    for (path, log) in args.logs.iter().zip(logs) {
        let before = run.next_log();
        told.begun.push((before, path.display().to_string()));
        if let Err(e) = replay(&mut run, log, &mut told) {
            wrong = Some(format!("{}: line {} could not be read: {e}", path.display(), run.next_log() - before + 1));
            break;
        }
    }
    let counts = run.finish(&mut |entry| {
        told.entry(entry);
    });
    let Told { mut out, failed, .. } = told;
    failed?;
    if args.format == Format::Human {
        let apart = if counts.entries > 0 { "\n" } else { "" };
        writeln!(out, "{apart}{}", ending(&run, &counts))?;
    }
    out.flush()?;
    if args.format == Format::Json {
        eprintln!("{}", ending(&run, &counts));
    }
    if let Some(why) = wrong {
        eprintln!("pointsman: {}", printable_lines(&why));
        return Ok(WRONG);
    }
    Ok(0)
}

/// A log.
struct Log {
    text: BufReader<Box<dyn io::Read + Send>>,
    /// When it was written last.
    written: SystemTime,
    /// All of it is there; of a pipe more may come at any time, or not for hours.
    whole: bool,
}

/// A log is a file, or a pipe or terminal that somebody writes to: no device is read, which may never end.
fn is_log(file: &File) -> io::Result<bool> {
    let kind = file.metadata()?.file_type();
    Ok(kind.is_file() || kind_of(kind) == "a FIFO" || file.is_terminal())
}

fn not_a_log(kind: std::fs::FileType) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("it is {}, and has to be a file or a pipe", kind_of(kind)))
}

fn open(path: &Path) -> Result<Log, String> {
    let (log, written, whole): (Box<dyn io::Read + Send>, _, _) = if path.as_os_str() == "-" {
        if io::stdin().is_terminal() {
            eprintln!("reading the log from the terminal; Ctrl-D ends it");
        }
        (Box::new(io::stdin()), now(), false)
    } else {
        let opened = File::open(path).and_then(|f| if is_log(&f)? { Ok(f) } else { Err(not_a_log(f.metadata()?.file_type())) });
        let file = opened.map_err(|e| format!("{}: {e}", path.display()))?;
        let written = file.metadata().and_then(|m| m.modified()).unwrap_or_else(|_| now());
        let whole = file.metadata().is_ok_and(|m| m.is_file());
        (Box::new(file), written, whole)
    };
    let mut text = BufReader::with_capacity(BUFFER, log);
    match text.fill_buf().ok().and_then(compressed) {
        Some(tool) => Err(format!("{} is compressed; write {tool} FILE | pointsman dry-run ... -", path.display())),
        None => Ok(Log { text, written, whole }),
    }
}

/// What was told, and where it goes.
struct Told<W> {
    format: Format,
    paint: bool,
    out: W,
    /// Entries say which log their line is of.
    several: bool,
    /// The logs that were begun: how many lines there were before, and the name.
    begun: Vec<(u64, String)>,
    failed: io::Result<()>,
}

impl<W: Write> Told<W> {
    /// Nothing more may come for long: what was told is shown.
    fn flush(&mut self) {
        if self.failed.is_ok() {
            self.failed = self.out.flush();
        }
    }

    /// True while somebody listens.
    fn entry(&mut self, mut entry: Entry) -> bool {
        if self.failed.is_err() {
            return false;
        }
        if self.several
            && let Some(line) = entry.line
            && let Some((before, name)) = self.begun.iter().rfind(|(before, _)| *before < line)
        {
            (entry.file, entry.line) = (Some(name.clone()), Some(line - before));
        }
        self.failed = match self.format {
            Format::Human => writeln!(self.out, "{}", entry.human(self.paint)),
            Format::Json => writeln!(self.out, "{}", printable_json(&entry.json())),
        };
        self.failed.is_ok()
    }
}

/// What unpacks a log that begins so; `None` for one that is not packed.
fn compressed(begin: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 4] =
        [(b"\x1f\x8b", "zcat"), (b"BZh", "bzcat"), (b"\xfd7zXZ\0", "xzcat"), (b"\x28\xb5\x2f\xfd", "zstdcat")];
    kinds.iter().find(|(magic, _)| begin.starts_with(magic)).map(|(_, tool)| *tool)
}

fn provenance(word: &str) -> Result<Provenance, String> {
    Provenance::parse(word).ok_or_else(|| "write unverified, address, local or authenticated".to_owned())
}

/// Reads the log to its end, or until nobody listens any more.
fn replay<W: Write>(run: &mut DryRun, log: Log, told: &mut Told<W>) -> io::Result<()> {
    let mut progress = Progress { shows: shows_progress(), shown: now(), at: PROGRESS_LINES };
    let threads = cores::worth_it();
    if log.whole && threads > 1 {
        return cores::replay(run, log.text, threads, &mut |entry| told.entry(entry), &mut |line| progress.at_line(line));
    }
    let mut lines = Lines::new(log.text);
    let (mut count, mut listens) = (0, true);
    while let Some(line) = lines.next_line()? {
        run.line(line.bytes, line.cut, &mut |entry| listens &= told.entry(entry));
        if !listens {
            break;
        }
        if lines.is_drained() {
            told.flush();
        }
        count += 1;
        progress.at_line(count);
    }
    Ok(())
}

/// How many lines were read, for who waits.
struct Progress {
    shows: bool,
    shown: SystemTime,
    /// The line at which the clock is looked at.
    at: u64,
}

impl Progress {
    fn at_line(&mut self, line: u64) {
        if line < self.at {
            return;
        }
        self.at = line + PROGRESS_LINES;
        if self.shows && self.shown.elapsed().is_ok_and(|e| e > PROGRESS) {
            eprint!("\r{line} lines\r");
            self.shown = now();
        }
    }
}

/// Who holds what at the beginning.
fn holders(site: &Site, said: &[String]) -> Result<BTreeMap<Name, Name>, String> {
    let inventory = &site.inventory;
    let mut holders: BTreeMap<Name, Name> = BTreeMap::new();
    for pair in inventory.pairs.values() {
        if let (Some(resource), Some(host)) = (&pair.resource, inventory.host_of(&pair.primary)) {
            holders.insert(resource.clone(), host.clone());
        }
    }
    for text in said {
        let (resource, host) =
            text.split_once('=').ok_or_else(|| format!("--holder {}: write RESOURCE=HOST", printable(text)))?;
        let known =
            inventory.resources.get(resource).ok_or_else(|| format!("--holder: there is no resource {}", printable(resource)))?;
        if host.is_empty() {
            holders.remove(resource);
        } else if known.seats.iter().any(|s| s.host == host) {
            holders.insert(resource.to_owned(), host.to_owned());
        } else {
            let seats: Vec<&str> = known.seats.iter().map(|s| s.host.as_str()).collect();
            return Err(format!("--holder: {resource} can't be on {}; it can be on {}", printable(host), seats.join(", ")));
        }
    }
    Ok(holders)
}

/// What was read, and how things stand at the end.
fn ending(run: &DryRun, counts: &Counts) -> String {
    if counts.lines == 0 {
        return "the log is empty: nothing was replayed".to_owned();
    }
    let lines = plural(usize::try_from(counts.lines).unwrap_or(usize::MAX), "line");
    let mut parts = vec![format!("{lines}, {} wanted by a rule", counts.matched)];
    let mut odd = |n: u64, what: &str| {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    };
    odd(counts.ignored, "ignored by the rules");
    odd(counts.cut, "cut (longer than is read)");
    odd(counts.latin1, "not UTF-8 (read as Latin-1)");
    odd(counts.broken, "with a broken header (kept as text)");
    if counts.undated == counts.lines {
        odd(
            counts.undated,
            "without a time that could be read: all count as of one moment, so nothing here says what windows and silences would do",
        );
    } else {
        odd(counts.undated, "without a time that could be read (they count at the time of the line before)");
    }
    odd(counts.stamps_disbelieved, "with a time that was not believed (over an hour from the lines around it)");
    let mut text = parts.join("; ");
    if let Some(controller) = run.controller() {
        let active: Vec<String> = controller
            .alarms()
            .active()
            .map(
                |(alarm, key, _)| {
                    if key.is_empty() { alarm.to_owned() } else { format!("{alarm} [{}]", printable(&key.to_string())) }
                },
            )
            .collect();
        text.push_str(&match active.as_slice() {
            [] => "\nno alarm is active at the end".to_owned(),
            some => {
                let shown = some.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
                let more = if some.len() > SHOWN { ", ..." } else { "" };
                format!("\n{} active at the end: {shown}{more}", plural(some.len(), "alarm"))
            }
        });
        let runs: Vec<String> = controller.runs().runs().map(|(id, run)| format!("{} #{id}", run.bound.reaction)).collect();
        if !runs.is_empty() {
            let shown = runs.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if runs.len() > SHOWN { ", ..." } else { "" };
            text.push_str(&format!("\n{} not ended an hour after the last line: {shown}{more}", plural(runs.len(), "run")));
        }
        let planner = controller.planner();
        for resource in run.site().inventory.resources.keys() {
            let owner = planner.owner(resource);
            let held = planner.held(resource).map(|why| format!(" (held: {why})")).unwrap_or_default();
            text.push_str(&format!("\n{resource} belongs on {}{held}", owner.map_or("no host that is known", String::as_str)));
        }
    }
    text
}

#[expect(
    clippy::disallowed_methods,
    reason = "the shell reads the clock: for progress, and for stamps of standard input without a year"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

fn time_of(time: SystemTime) -> Time {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX / 1_000))
}
