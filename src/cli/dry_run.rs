//! `pointsman dry-run`: shows what would have happened with a log.

pub(super) mod against;
mod cores;
mod counts;
pub(super) mod follow;
mod logs;
mod merge;
mod page;
mod progress;

use std::collections::BTreeMap;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::PathBuf;

use crate::core::base::text::{printable, printable_json, printable_lines};
use crate::core::base::time::Time;
use crate::core::base::zone::Zone;
use crate::core::event::Trust;
use crate::core::inventory::Name;
use crate::core::replay::{DryRun, DryRunCounts, LINES_OF_A_LOG, Origin, Summary, TimelineEntry};
use crate::core::site::Site;

use super::given::Given;
use super::local_time;
use super::output::{OutputFormat, USAGE, WRONG, colour, missing, plural, report};
use super::table::{RowFormat, csv_text};
use follow::{Pace, Stop};
use logs::open_growing;
pub(super) use logs::{DryRunLog, LogOptions, now, open, origin, time_of};
use page::TimelinePage;
use progress::ReadProgress;

const EXAMPLES: &str = "\
Examples:
  pointsman dry-run -c pointsman.yaml /var/log/sip_server.log
  journalctl -o short-iso -u sip-server | pointsman dry-run -c pointsman.yaml -
  pointsman dry-run -c pointsman.yaml app.log.2.gz app.log.1 app.log
  pointsman dry-run -c pointsman.yaml sip1/sip.log sip2/sip.log     merges the logs of two hosts by time
  pointsman dry-run --rules rules --format json app.log | jq 'select(.kind == \"alarm_raised\")'
  pointsman dry-run -c pointsman.yaml --holder sip_vip=sip2 sip_server.log
  pointsman dry-run -c pointsman.yaml --as /var/log/shop.log copy-of-shop.log          reads a copy like the followed file
  pointsman dry-run -c pointsman.yaml --summary app.log.2.gz app.log.1 app.log         counts only, and what no rule wants
  pointsman dry-run -c pointsman.yaml --html timeline.html app.log                     a page for a browser
  pointsman dry-run -c new/pointsman.yaml --against /var/lib/pointsman                 compares other rules with a site's journal
  pointsman dry-run -c pointsman.yaml --follow /var/log/app.log                        follows a log that grows
  pointsman dry-run -c pointsman.yaml --speed 60x app.log                              shows a minute in each second
  pointsman dry-run -c pointsman.yaml --only link_down --since '2026-03-14 10:00' app.log

Nothing is changed: no address is moved, nobody is notified. The time is the log's own.";

/// The number of names of a long list that are shown.
const SHOWN: usize = 20;

/// Replays a log and prints what would have happened
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    given: Given,
    /// The holder of a resource when the log begins [default: the host of its pair's primary]
    #[arg(long, value_name = "RESOURCE=HOST")]
    holder: Vec<String>,
    /// About when the log was written (RFC 3339), for stamps without year or date [default: the file's time]
    #[arg(long, value_name = "TIME", value_parser = written)]
    written: Option<Time>,
    /// How far the log's senders are trusted: unverified, address, local or authenticated
    #[arg(long, value_name = "WORD", default_value = "local", value_parser = trust)]
    trust: Trust,
    /// The output format
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    format: RowFormat,
    /// Print counts instead of entries: alarms, reactions, moves, logs, and the most frequent records that no rule wants
    #[arg(long)]
    summary: bool,
    /// Print only the state at the end
    #[arg(short, long)]
    quiet: bool,
    /// Write the timeline as one page for a browser, instead of printing it; the page needs no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Replay a site's journal (its data folder, or a backup) instead of a log with these rules, and show which decisions differ
    /// and why
    #[arg(long, value_name = "JOURNAL", conflicts_with_all = ["logs", "html", "summary", "written", "trust", "timezone", "from_line"])]
    against: Option<PathBuf>,
    /// Wait for more lines at the end of the log, until Ctrl-C
    #[arg(short, long, conflicts_with_all = ["against", "until"])]
    follow: bool,
    /// Replay at the speed of the log (1x) or faster, to watch it: 60x shows a minute in each second
    #[arg(long, value_name = "SPEED", value_parser = follow::speed, conflicts_with = "against")]
    speed: Option<f64>,
    /// Print only entries about this alarm; may be given several times
    #[arg(long, value_name = "ALARM")]
    only: Vec<String>,
    /// Print only entries from this time of the log on; earlier lines are still replayed
    #[arg(long, value_name = "WHEN", value_parser = local_time::moment)]
    since: Option<Time>,
    /// End at this time of the log
    #[arg(long, value_name = "WHEN", value_parser = local_time::moment)]
    until: Option<Time>,
    /// Give the rules each log from this line on; earlier lines are read only for headers and dates
    #[arg(long, value_name = "N", default_value_t = 1)]
    from_line: u64,
    /// The time zone of stamps without one: Europe/Berlin, UTC, +02:00 [default: that of the configuration, else this machine's]
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    timezone: Option<Zone>,
    /// Read the logs like this followed file of the configuration: with its host, application, time zone and format
    #[arg(long = "as", value_name = "FILE", conflicts_with = "against")]
    read_as: Option<PathBuf>,
    /// The log; `-` is standard input. The lines of several logs are merged by time. A log may be compressed (gzip, Zstandard,
    /// xz), or an archive (tar), whose files are read as one log
    #[arg(default_value = "-", value_name = "LOG")]
    logs: Vec<PathBuf>,
}

pub(super) fn run(args: Args) -> io::Result<u8> {
    let setup = args.given.load();
    let config = setup.config;
    // The JSON of a dry run is the timeline. Diagnostics are for people.
    report(&setup.diagnostics, OutputFormat::Human)?;
    let Some(site) = setup.site else { return Ok(WRONG) };
    let holders = match holders(&site, &args.holder) {
        Ok(holders) => holders,
        Err(why) => {
            super::output::wrong(&why);
            return Ok(USAGE);
        }
    };
    if let Some(why) = local_time::backwards(args.since, args.until) {
        super::output::wrong(&why);
        return Ok(USAGE);
    }
    let alarms: Vec<&str> = site.program.alarms.iter().map(|a| a.name.as_str()).collect();
    if let Some(unknown) = args.only.iter().find(|name| !alarms.contains(&name.as_str())) {
        super::output::wrong(&format!("--only: {}", missing("the rules have no alarm", unknown, alarms)));
        return Ok(USAGE);
    }
    if let Some(journal) = &args.against {
        let shows = Shows { entries: !args.quiet, only: args.only, since: args.since, until: args.until };
        return against::run(journal, &site, &holders, args.format, &shows);
    }
    // All logs are opened before anything is printed.
    if args.follow && (args.logs.len() > 1 || args.logs.iter().any(|log| log.as_os_str() == "-")) {
        eprintln!("pointsman: --follow needs exactly one log, which is a file; standard input is always followed");
        return Ok(USAGE);
    }
    let options = match LogOptions::new(args.timezone).read_as(config.as_ref(), args.read_as.as_deref()) {
        Ok(options) => options,
        Err(why) => {
            super::output::wrong(&why);
            return Ok(USAGE);
        }
    };
    let stop = if args.follow || args.speed.is_some() { Stop::by_signal()? } else { Stop::default() };
    let logs: Result<Vec<DryRunLog>, String> =
        args.logs.iter().map(|path| if args.follow { open_growing(path, &stop) } else { open(path) }).collect();
    let logs = match logs {
        Ok(logs) => logs,
        Err(why) => return Ok(super::output::wrong(&why)),
    };
    let names: Vec<String> = args.logs.iter().map(|path| path.display().to_string()).collect();
    let page = match args.html.as_deref().map(|to| TimelinePage::create(to, &names, &holders)).transpose() {
        Ok(page) => page,
        Err(why) => {
            eprintln!("pointsman: {}", printable_lines(&why));
            return Ok(WRONG);
        }
    };
    let mut run = DryRun::new(site, holders, args.trust);
    run.begin_at(args.from_line);
    args.until.into_iter().for_each(|until| run.end_at(until));
    if args.follow {
        // What happens after the last line is not known yet.
        run.end_at_last_line();
    }
    if args.summary {
        run.count_seen();
    }
    let stdout = io::stdout();
    let mut output = DryRunOutput {
        format: args.format,
        paint: colour(&stdout),
        out: BufWriter::new(stdout.lock()),
        logs: names,
        page,
        failed: Ok(()),
        shows: Shows {
            entries: !(args.quiet || args.summary || args.html.is_some()),
            only: args.only,
            since: args.since,
            until: args.until,
        },
        shown: 0,
        ended: false,
        pace: args.speed.map(Pace::new),
        stop,
        summary: Summary::default(),
        last: None,
    };
    if output.format == RowFormat::Csv && output.shows.entries {
        let names = TimelineEntry::FIELDS.into_iter().chain(["file"]).collect::<Vec<_>>();
        writeln!(output.out, "{}", names.join(","))?;
    }
    let origins = args.logs.iter().zip(&logs).zip(0..);
    let origins: Vec<Origin> =
        origins.map(|((path, log), number)| origin(config.as_ref(), &options, args.written, path, log, number)).collect();
    let wrong = replay(&mut run, logs, origins, &mut output).map(|(log, line, e)| {
        format!("{}: line {} could not be read: {e}", output.logs.get(log).map(String::as_str).unwrap_or_default(), line + 1)
    });
    let counts = run.finish(&mut |entry| {
        output.entry(entry);
    });
    let DryRunOutput { mut out, page, failed, logs: names, mut summary, last, shows, shown, .. } = output;
    failed?;
    let ending = ending(&run, &counts, args.until);
    if let (Some(page), Some(to)) = (page, &args.html)
        && let Err(e) = page.finish(&ending)
    {
        return Ok(super::output::wrong(&format!("--html {}: {e}", to.display())));
    }
    if args.summary {
        last.into_iter().for_each(|at| summary.end(at));
        counts::write(&mut out, &summary, run.seen(), &names, args.format)?;
    }
    if args.format == RowFormat::Human {
        let apart = if shown > 0 { "\n" } else { "" };
        writeln!(out, "{apart}{ending}")?;
    }
    out.flush()?;
    if args.format != RowFormat::Human {
        eprintln!("{ending}");
    }
    if let Some(why) = nothing_shown(&run, &counts, &shows).filter(|_| shown == 0) {
        eprintln!("{}", printable_lines(&why));
    }
    Ok(wrong.map_or(0, |why| super::output::wrong(&why)))
}

/// Why no entry is left of those that there were; `None` if none was wanted, or if the last lines say it already.
fn nothing_shown(run: &DryRun, counts: &DryRunCounts, shows: &Shows) -> Option<String> {
    let (_, last) = run.span().filter(|_| shows.entries)?;
    if let Some(since) = shows.since.filter(|since| *since > last) {
        return Some(format!("nothing is shown: the log ends at {last}, before --since ({since})"));
    }
    let chosen = if shows.only.is_empty() { "in that time" } else { "about --only" };
    (counts.entries > 0).then(|| format!("nothing is shown: no entry of this dry run is {chosen}"))
}

/// The entries that are shown.
struct Shows {
    /// Whether any entries are shown.
    entries: bool,
    /// The alarms whose entries are shown; empty means all.
    only: Vec<String>,
    since: Option<Time>,
    until: Option<Time>,
}

impl Shows {
    /// Whether an entry about an alarm is shown, by its time and the alarm.
    fn has(&self, at: Time, alarm: Option<&String>) -> bool {
        let in_time = self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until);
        in_time && (self.only.is_empty() || alarm.is_some_and(|alarm| self.only.contains(alarm)))
    }
}

/// The output, and what was printed.
struct DryRunOutput<W> {
    format: RowFormat,
    paint: bool,
    out: W,
    /// The names of the logs. If there are several, entries name the log of their line.
    logs: Vec<String>,
    page: Option<TimelinePage>,
    failed: io::Result<()>,
    shows: Shows,
    /// The number of entries that were shown.
    shown: u64,
    /// Whether the user wanted to end.
    ended: bool,
    pace: Option<Pace>,
    /// The user wants to end.
    stop: Stop,
    summary: Summary,
    /// The time of the newest entry.
    last: Option<Time>,
}

impl<W: Write> DryRunOutput<W> {
    /// Flushes the output, because more may not arrive for a long time.
    fn flush(&mut self) {
        if self.failed.is_ok() {
            self.failed = self.out.flush();
        }
    }

    /// Prints an entry. Returns true while somebody reads the output.
    fn entry(&mut self, mut entry: TimelineEntry) -> bool {
        if self.failed.is_err() || self.ended {
            return false;
        }
        if let Some(pace) = &mut self.pace {
            let (out, failed) = (&mut self.out, &mut self.failed);
            pace.wait(entry.at, &self.stop, &mut || *failed = out.flush());
            if self.stop.is_wanted() || self.failed.is_err() {
                self.ended = true;
                return false;
            }
        }
        self.last = self.last.max(Some(entry.at));
        if !self.shows.has(entry.at, entry.alarm.as_ref()) {
            return true;
        }
        self.summary.add(&entry);
        if !self.shows.entries && self.page.is_none() {
            return true;
        }
        self.shown += 1;
        if let Some(line) = entry.line {
            entry.line = Some(line % LINES_OF_A_LOG);
            if self.logs.len() > 1 {
                entry.file = usize::try_from(line / LINES_OF_A_LOG).ok().and_then(|log| self.logs.get(log).cloned());
            }
        }
        if let Some(page) = &mut self.page
            && let Err(e) = page.add(&entry)
        {
            self.failed = Err(e);
            return false;
        }
        if !self.shows.entries {
            return true;
        }
        self.failed = match self.format {
            RowFormat::Human => writeln!(self.out, "{}", entry.human(self.paint)),
            RowFormat::Json => writeln!(self.out, "{}", printable_json(&entry.json())),
            RowFormat::Csv => {
                let cells = TimelineEntry::FIELDS.into_iter().map(|name| entry.field(name)).chain([entry.file.clone()]);
                let cells: Vec<String> = cells.map(|cell| csv_text(&cell.unwrap_or_default())).collect();
                writeln!(self.out, "{}", cells.join(","))
            }
        };
        self.failed.is_ok()
    }
}

pub(super) fn trust(word: &str) -> Result<Trust, String> {
    Trust::parse(word).ok_or_else(|| "write unverified, address, local or authenticated".to_owned())
}

/// Parses the value of `--written`.
pub(super) fn written(text: &str) -> Result<Time, String> {
    Time::parse_rfc3339(text).ok_or_else(|| "not a time; write 2026-01-31T12:00:00Z".to_owned())
}

pub(super) fn zone(text: &str) -> Result<Zone, String> {
    Zone::parse(text).ok_or_else(|| "write a name such as Europe/Berlin, or a distance from UTC such as +02:00".to_owned())
}

/// Reads the logs to their ends, or until nobody reads the output any more.
fn replay<W: Write>(
    run: &mut DryRun,
    logs: Vec<DryRunLog>,
    origins: Vec<Origin>,
    output: &mut DryRunOutput<W>,
) -> Option<merge::Failure> {
    let sizes: Vec<_> = logs.iter().map(|log| log.size.clone()).collect();
    let bytes = sizes.iter().map(|size| size.as_ref().map(|(bytes, _)| *bytes)).sum();
    let mut progress =
        ReadProgress::new(bytes, sizes.into_iter().flatten().map(|(_, read)| read).collect(), output.shows.entries);
    let failure = replay_with(run, logs, origins, output, &mut progress);
    progress.end();
    failure
}

fn replay_with<W: Write>(
    run: &mut DryRun,
    logs: Vec<DryRunLog>,
    origins: Vec<Origin>,
    output: &mut DryRunOutput<W>,
    progress: &mut ReadProgress,
) -> Option<merge::Failure> {
    let threads = cores::worth_it();
    let mut logs: Vec<_> = logs.into_iter().zip(origins).map(|(log, origin)| (run.reader(origin), log)).collect();
    if let [(reader, log)] = &mut logs[..]
        && log.whole
        && threads > 1
    {
        let text = std::mem::replace(&mut log.text, BufReader::new(Box::new(io::empty())));
        let read =
            cores::replay(run, reader, text, threads, &mut |entry| output.entry(entry), &mut |line| progress.at_line(line));
        return read.err().map(|e| (0, reader.lines(), e));
    }
    let logs = logs.into_iter().map(|(reader, log)| (reader, log.text)).collect();
    let mut emit = |entry: Option<TimelineEntry>| match entry {
        Some(entry) => output.entry(entry),
        None => {
            output.flush();
            true
        }
    };
    merge::replay(run, logs, threads > 1, &mut emit, &mut |lines| progress.at_line(lines))
}

/// The holders of resources at the beginning.
pub(super) fn holders(site: &Site, said: &[String]) -> Result<BTreeMap<Name, Name>, String> {
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
        } else if known.placements.iter().any(|s| s.host == host) {
            holders.insert(resource.to_owned(), host.to_owned());
        } else {
            let placements: Vec<&str> = known.placements.iter().map(|s| s.host.as_str()).collect();
            return Err(format!("--holder: {resource} can't be on {}; it can be on {}", printable(host), placements.join(", ")));
        }
    }
    Ok(holders)
}

/// What was read, and the final state.
fn ending(run: &DryRun, counts: &DryRunCounts, until: Option<Time>) -> String {
    if counts.lines == 0 {
        return match run.span() {
            None => "the log is empty: nothing was replayed".to_owned(),
            Some((first, _)) if until.is_some_and(|until| until < first) => {
                format!("nothing was replayed: the log begins at {first}, after --until")
            }
            Some(_) => "nothing was replayed: the log ends before --from-line".to_owned(),
        };
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
            "without a readable time: all count as simultaneous, so windows and silences are not tested here; a copy of a followed file is read like that file with --as",
        );
    } else {
        odd(counts.undated, "without a readable time (each has the time of the previous line)");
    }
    odd(counts.stamps_disbelieved, "with an implausible time (more than an hour from the lines around it)");
    if counts.undated == counts.lines && counts.latin1 * 2 > counts.lines {
        parts.push(
            "most of it is not text (UTF-8): is it a log, or a program, or a file that is compressed in another way?".to_owned(),
        );
    }
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
            let when = if run.ends_at_last_line() { "with" } else { "an hour after" };
            text.push_str(&format!("\n{} not ended {when} the last line: {shown}{more}", plural(runs.len(), "run")));
        }
        let planner = controller.planner();
        for resource in run.site().inventory.resources.keys() {
            let owner = planner.owner(resource);
            let held = planner.held(resource).map(|why| format!(" (held: {why})")).unwrap_or_default();
            text.push_str(&format!("\n{resource} belongs on {}{held}", owner.map_or("an unknown host", String::as_str)));
        }
    }
    text
}
