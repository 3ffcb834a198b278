//! Explains an alarm or a run from the journal of a controller, whether the controller runs or not.

use std::io::{self, Write as _};

use serde_json::json;

use crate::core::base::text::printable_json;
use crate::core::explain::{JournaledDecisions, RunStory, stories_of, story_json, story_text};
use crate::core::journal::Record;
use crate::core::site::Site;
use crate::shell::live::control_socket;
use crate::shell::live::questions::Question;
use crate::shell::store::JournalReader;

use super::super::ask::{ControllerArgs, data};
use super::super::output::{OutputFormat, WRONG, colour, wrong};
use super::args::Args;

/// Reads the records of the journal in their order while `each` returns true. Errors are reported.
fn read(args: &Args, mut each: impl FnMut(u64, &Record) -> bool) -> io::Result<Result<(), u8>> {
    let whom = ControllerArgs::of(args.given.config.clone(), args.data.clone(), args.format);
    let Some(data) = data(&whom)? else { return Ok(Err(WRONG)) };
    // A running controller may have records that are not on the disk yet. If it does not answer, the rest can still be read.
    let _ = control_socket::ask(&data, &Question::History);
    let mut bad = 0u64;
    let ended = JournalReader::open(&data).and_then(|reader| {
        reader.lines(0, &mut |n, line| match Record::read(line) {
            Ok(record) => each(n, &record),
            Err(_) => {
                bad += 1;
                true
            }
        })
    });
    if let Err(why) = ended {
        return Ok(Err(wrong(&why.to_string())));
    }
    if bad > 0 {
        wrong(&format!("{bad} records of the journal can't be read; see `pointsman journal verify`"));
    }
    Ok(Ok(()))
}

pub(super) fn run(args: &Args, run: u64) -> io::Result<u8> {
    let mut story = RunStory::new(run);
    if let Err(code) = read(args, |n, record| story.see(n, record))? {
        return Ok(code);
    }
    if story.lines.is_empty() {
        return Ok(wrong(&format!(
            "the journal has no run {run}; `pointsman history --kind raised` and `pointsman runs` show what there is"
        )));
    }
    let mut out = io::stdout().lock();
    for line in &story.lines {
        match args.format {
            OutputFormat::Human => writeln!(out, "{}  {}", line.at, line.text)?,
            OutputFormat::Json => {
                let object = json!({ "at": line.at.to_string(), "record": line.n, "text": line.text });
                writeln!(out, "{}", printable_json(&object.to_string()))?;
            }
        }
    }
    Ok(0)
}

pub(super) fn alarm(args: &Args, site: &Site, alarm: &str) -> io::Result<u8> {
    let (mut story, _) = match stories_of(&site.program, alarm, args.key.as_deref()) {
        Ok(found) => found,
        Err(why) => return Ok(wrong(&why)),
    };
    let mut decisions = JournaledDecisions::default();
    if let Err(code) = read(args, |n, record| {
        decisions.see(n, record, site, &mut story);
        true
    })? {
        return Ok(code);
    }
    let named = |n: u64| format!("record {n}");
    let stdout = io::stdout();
    let paint = colour(&stdout);
    let mut out = stdout.lock();
    match args.format {
        OutputFormat::Human => write!(out, "{}", story_text(&story, &site.program, &named, paint))?,
        OutputFormat::Json => writeln!(out, "{}", printable_json(&story_json(&story, &site.program, &named).to_string()))?,
    }
    Ok(0)
}
