//! Explains one record: from its bytes to its consequences.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;

use crate::core::base::text::printable_json;
use crate::core::decode::Lines;
use crate::core::event::Event;
use crate::core::explain::{ConditionReport, RecordReading, RecordStory, ZoneReason, conditions, record_json, record_text};
use crate::core::lang::program::AtomId;
use crate::core::replay::{DecisionOfLine, DryRun, Origin, Settling, SiftRoom, Sifted, TimelineEntry};

use super::super::dry_run;
use super::super::output::{OutputFormat, USAGE, colour, missing, wrong};
use super::args::{Args, Scene};

/// The maximum number of records of standard input that are explained.
const RECORDS: usize = 1_000;

pub(super) fn run(args: &Args, scene: &Scene) -> io::Result<u8> {
    let [what] = args.what.as_slice() else {
        wrong("name one record, FILE:LINE, or - for records of standard input; `pointsman explain --help` has examples");
        return Ok(USAGE);
    };
    if let Some(rule) = &args.rule
        && of_rule(scene, rule).is_empty()
    {
        let names = scene.site.program.alarms.iter().map(|a| a.name.as_str());
        let names = names.chain(scene.site.program.atoms.iter().map(|a| a.name.as_str()));
        return Ok(wrong(&missing("the rules have no pattern, ignore or alarm", rule, names)));
    }
    if let Some((path, line)) = file_and_line(what) {
        let log = match dry_run::open(path) {
            Ok(log) => log,
            Err(why) => return Ok(wrong(&why)),
        };
        let origin = dry_run::origin(scene.config.as_ref(), &scene.zones, scene.written, path, &log, 0);
        let zone = zone_reason(scene, &origin);
        return match explain(args, scene, origin, &zone, log.text, line, what) {
            Ok(Some(story)) => show(args, &story).map(|()| 0),
            Ok(None) => Ok(wrong(&format!("{} has fewer than {line} lines", path.display()))),
            Err(e) => Ok(wrong(&format!("{}: {e}", path.display()))),
        };
    }
    let records: Vec<Vec<u8>> = if what == "-" {
        let lines = io::stdin().lock().split(b'\n').take(RECORDS);
        match lines.collect::<io::Result<_>>() {
            Ok(lines) => lines,
            Err(e) => return Ok(wrong(&format!("standard input could not be read: {e}"))),
        }
    } else {
        vec![what.clone().into_bytes()]
    };
    if records.is_empty() {
        return Ok(wrong("standard input has no record; write one a line: tail -1 app.log | pointsman explain -"));
    }
    for (n, record) in records.iter().enumerate() {
        let written = scene.written.unwrap_or_else(|| dry_run::time_of(dry_run::now()));
        let (zone, given) = (scene.zones.given.unwrap_or(scene.zones.machine), scene.zones.given.is_some());
        let (host, app) = names_of_files(scene);
        let origin = Origin { written, zone, zone_is_given: given, host, app, ..Origin::default() };
        let reason = zone_reason(scene, &origin);
        let name = if records.len() > 1 { format!("{} of standard input", n + 1) } else { String::new() };
        if n > 0 && args.format == OutputFormat::Human {
            println!("");
        }
        // A record is one line. The text after its end is another record.
        let text = BufReader::new(record.as_slice());
        match explain(args, scene, origin, &reason, text, 1, name.trim())? {
            Some(story) => show(args, &story)?,
            None => return Ok(wrong("the record is empty: name one, as it stands in the log")),
        }
    }
    Ok(0)
}

/// The host and the application that a record without them gets, whichever log it comes from: those of the followed files, if all
/// have the same and nothing else brings records.
fn names_of_files(scene: &Scene) -> (String, String) {
    let Some((config, _)) = &scene.config else { return Default::default() };
    let mut all = config.files.iter().map(|file| (&file.host, &file.app));
    let listens = !(config.listen.udp.is_empty() && config.listen.tcp.is_empty());
    match all.next() {
        Some((host, app)) if !listens && all.all(|other| other == (host, app)) => (host.clone(), app.clone()),
        _ => Default::default(),
    }
}

fn show(args: &Args, story: &RecordStory) -> io::Result<()> {
    let stdout = io::stdout();
    let paint = colour(&stdout);
    let mut out = stdout.lock();
    match args.format {
        OutputFormat::Human => write!(out, "{}", record_text(story, paint)),
        OutputFormat::Json => writeln!(out, "{}", printable_json(&record_json(story).to_string())),
    }
}

/// Parses `app.log:17`, if there is such a file.
fn file_and_line(what: &str) -> Option<(&Path, u64)> {
    let (path, line) = what.rsplit_once(':')?;
    let line = line.parse().ok().filter(|n| *n > 0)?;
    Some((Path::new(path), line)).filter(|(path, _)| path.exists())
}

pub(super) fn zone_reason(scene: &Scene, origin: &Origin) -> ZoneReason {
    let zone = origin.zone.to_string();
    match (scene.zones.given, origin.zone_is_given) {
        (Some(_), _) => ZoneReason::CommandLine(zone),
        (None, true) => ZoneReason::File(zone),
        (None, false) => ZoneReason::Machine(zone),
    }
}

/// The conditions of a pattern, an `ignore` or an alarm.
fn of_rule(scene: &Scene, rule: &str) -> Vec<AtomId> {
    let program = &scene.site.program;
    let alarm = program.alarms.iter().find(|a| a.name == rule);
    let of_alarm = alarm.map(|a| a.name.as_str());
    let ids = (0..).zip(&program.atoms).map(|(n, atom)| (AtomId(n), atom)).filter(|(_, atom)| atom.signal.is_none());
    let wanted = ids.filter(|(id, atom)| {
        let used = || crate::core::explain::uses_of(program, *id).iter().any(|u| u.alarm() == of_alarm);
        atom.name == rule || of_alarm.is_some() && used()
    });
    wanted.map(|(id, _)| id).collect()
}

fn reports(args: &Args, scene: &Scene, event: &Event<'_>) -> Vec<ConditionReport> {
    match &args.rule {
        Some(rule) => of_rule(scene, rule).into_iter().filter_map(|id| ConditionReport::new(&scene.site, id, event)).collect(),
        None => conditions(&scene.site, event, args.near),
    }
}

/// Replays a log up to a line and explains that line. Returns `None` if the log has fewer lines.
fn explain(
    args: &Args,
    scene: &Scene,
    origin: Origin,
    zone: &ZoneReason,
    log: impl io::Read,
    line: u64,
    name: &str,
) -> io::Result<Option<RecordStory>> {
    let mut run = DryRun::new(scene.site.clone(), scene.holders.clone(), args.trust);
    run.trace(BTreeSet::new());
    let (host, app) = (origin.host.clone(), origin.app.clone());
    let mut reader = run.reader(origin);
    let mut lines = Lines::new(BufReader::new(log));
    let (mut settling, mut room) = (Settling::default(), SiftRoom::default());
    let mut story: Option<RecordStory> = None;
    let mut acted = false;
    let (sifting, acting) = run.parts();
    let mut reported: Vec<TimelineEntry> = Vec::new();
    let mut decisions: Vec<DecisionOfLine> = Vec::new();
    let mut is_wanted = false;
    let mut take = |sifted: Sifted, reported: &mut Vec<TimelineEntry>, acted: &mut bool| {
        settling.take(sifted, &mut |sifted| {
            let (number, at) = (sifted.line(), sifted.at());
            acting.take(sifted, &mut |entry| reported.extend((entry.line == Some(line)).then_some(entry)));
            let found = acting.decisions();
            if number == line && at.is_some() {
                *acted = true;
                decisions.extend(found.into_iter().filter(|d| d.line == Some(line)));
            }
        });
    };
    while let Some(record) = lines.next_line()? {
        let mut read = reader.read(record.bytes, record.cut);
        if read.line() == line {
            let event = read.event();
            let reading = RecordReading::new(record.bytes, event, &scene.site.index, zone, [&host, &app]);
            let conditions = reports(args, scene, event);
            story = Some(RecordStory { name: name.to_owned(), reading, conditions, decisions: Vec::new(), reported: Vec::new() });
        }
        let is_it = read.line() == line;
        let sifted = sifting.sift(&mut read, &mut room);
        if is_it {
            is_wanted = sifted.is_wanted();
            if let Some(story) = &mut story {
                story.reading.ignored = sifted.is_ignored();
            }
        }
        take(sifted, &mut reported, &mut acted);
        if story.is_some() && (acted || !is_wanted) {
            break;
        }
    }
    if story.is_some() && is_wanted && !acted {
        reader.end().into_iter().for_each(|end| take(end, &mut reported, &mut acted));
    }
    Ok(story.map(|story| RecordStory { decisions, reported, ..story }))
}
