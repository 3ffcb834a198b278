//! Explains one alarm over whole logs.

use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};

use crate::core::base::text::printable_json;
use crate::core::base::time::Time;
use crate::core::decode::Lines;
use crate::core::explain::{AlarmStory, stories_of, story_json, story_text};
use crate::core::replay::{Acting, DryRun, LINES_OF_A_LOG, LogReader, Settling, SiftRoom, Sifted, Sifting, TimelineEntry};
use crate::core::site::Site;

use super::super::dry_run::{self, DryRunLog};
use super::super::output::{OutputFormat, colour, wrong};
use super::args::{Args, Scene};

pub(super) fn run(args: &Args, scene: &Scene, alarm: &str) -> io::Result<u8> {
    let (mut story, names) = match stories_of(&scene.site.program, alarm, args.key.as_deref()) {
        Ok((story, names)) => (story.of_logs(), names),
        Err(why) => return Ok(wrong(&why)),
    };
    let paths: Vec<PathBuf> = if args.what.is_empty() { vec!["-".into()] } else { args.what.iter().map(PathBuf::from).collect() };
    let mut run = DryRun::new(scene.site.clone(), scene.holders.clone(), args.trust);
    run.trace(names);
    let mut logs = Vec::new();
    for (path, number) in paths.iter().zip(0..) {
        match dry_run::open(path) {
            Ok(log) => {
                let origin = dry_run::origin(scene.config.as_ref(), &scene.options, scene.written, path, &log, number);
                logs.push((run.reader(origin), log));
            }
            Err(why) => return Ok(wrong(&why)),
        }
    }
    if let Err((path, e)) = read(&scene.site, &mut run, logs, &mut story, &paths) {
        return Ok(wrong(&format!("{}: {e}", path.display())));
    }
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let named = |line: u64| line_name(&names, line);
    let stdout = io::stdout();
    let paint = colour(&stdout);
    let mut out = stdout.lock();
    match args.format {
        OutputFormat::Human => write!(out, "{}", story_text(&story, &scene.site.program, &named, paint))?,
        OutputFormat::Json => writeln!(out, "{}", printable_json(&story_json(&story, &scene.site.program, &named).to_string()))?,
    }
    Ok(0)
}

/// The number of a line. If there are several logs, with the log's name.
fn line_name(names: &[String], line: u64) -> String {
    let number = line % LINES_OF_A_LOG;
    let of = usize::try_from(line / LINES_OF_A_LOG).ok().and_then(|log| names.get(log)).filter(|_| names.len() > 1);
    of.map_or_else(|| format!("line {number}"), |name| format!("{name}:{number}"))
}

/// Reads all logs. Lines of several logs are replayed in the order of their times.
fn read<'p>(
    site: &Site,
    run: &mut DryRun,
    logs: Vec<(LogReader, DryRunLog)>,
    story: &mut AlarmStory,
    paths: &'p [PathBuf],
) -> Result<(), (&'p Path, io::Error)> {
    let alone = logs.len() == 1;
    let mut kept: Vec<(Time, Sifted)> = Vec::new();
    let (sifting, acting) = run.parts();
    for ((mut reader, log), path) in logs.into_iter().zip(paths) {
        let mut last = Time::MIN;
        let mut take = |sifted: Sifted, story: &mut AlarmStory| {
            if alone {
                act(acting, sifted, story);
                return;
            }
            last = sifted.at().map_or(last, |at| at.max(last));
            if !sifted.is_idle() {
                kept.push((last, sifted));
            }
        };
        read_one(site, sifting, &mut reader, log, story, &mut take).map_err(|e| (path.as_path(), e))?;
    }
    kept.sort_by_key(|(at, _)| *at);
    for (_, sifted) in kept {
        act(acting, sifted, story);
    }
    let mut reported: Vec<TimelineEntry> = Vec::new();
    run.finish(&mut |entry| reported.push(entry));
    reported.iter().for_each(|entry| story.add(entry));
    run.parts().1.decisions().iter().for_each(|decision| story.decided(decision));
    Ok(())
}

fn read_one(
    site: &Site,
    sifting: &Sifting,
    reader: &mut LogReader,
    log: DryRunLog,
    story: &mut AlarmStory,
    take: &mut dyn FnMut(Sifted, &mut AlarmStory),
) -> io::Result<()> {
    let mut lines = Lines::new(BufReader::new(log.text));
    let (mut settling, mut room) = (Settling::default(), SiftRoom::default());
    while let Some(record) = lines.next_line()? {
        let mut read = reader.read(record.bytes, record.cut);
        sifting.look(&read, &mut room, |event| story.see(site, read.line(), event));
        let sifted = sifting.sift(&mut read, &mut room);
        settling.take(sifted, &mut |sifted| take(sifted, story));
    }
    if let Some(end) = reader.end() {
        settling.take(end, &mut |sifted| take(sifted, story));
    }
    Ok(())
}

fn act(acting: &mut Acting, sifted: Sifted, story: &mut AlarmStory) {
    acting.take(sifted, &mut |entry| story.add(&entry));
    acting.decisions().iter().for_each(|decision| story.decided(decision));
}
