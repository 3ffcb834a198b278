//! The logs of a dry run: opened before anything is printed, with what is known of each before it is read.

use std::fs::File;
use std::io::{self, BufReader, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::core::base::time::Time;
use crate::core::base::zone::Zone;
use crate::core::config::{Config, Followed};
use crate::core::decode::{Decoder, first_moment};
use crate::core::replay::Origin;
use crate::shell::linux::file::kind_of;
use crate::shell::live;
use crate::shell::site_files::followed;
use crate::shell::sources::packed;

use super::super::output::missing;
use super::follow::{GrowingLog, Stop};
use super::progress::CountedFile;

/// The number of bytes that are read at once.
const BUFFER: usize = 256 * 1024;

/// What logs do not say themselves.
pub(in crate::cli) struct LogOptions {
    /// The zone on the command line, for stamps without a zone.
    pub(in crate::cli) zone: Option<Zone>,
    /// The zone of this machine.
    pub(in crate::cli) machine: Zone,
    /// The followed file like which all logs are read.
    read_as: Option<Followed>,
}

impl LogOptions {
    pub(in crate::cli) fn new(zone: Option<Zone>) -> LogOptions {
        LogOptions { zone, machine: live::machine_zone().unwrap_or_default(), read_as: None }
    }

    /// Reads all logs like this followed file, if one is named.
    ///
    /// # Errors
    /// Returns an error text if the configuration does not follow that file.
    pub(in crate::cli) fn read_as(
        mut self,
        config: Option<&(Config, PathBuf)>,
        file: Option<&Path>,
    ) -> Result<LogOptions, String> {
        let Some(file) = file else { return Ok(self) };
        let files = config.map(|(config, _)| config.files.as_slice()).unwrap_or_default();
        let as_written = files.iter().find(|followed| followed.path == file).cloned();
        self.read_as = as_written.or_else(|| config.and_then(|(config, base)| followed::of_log(config, base, file)));
        if self.read_as.is_none() {
            let known: Vec<String> = files.iter().map(|followed| followed.path.display().to_string()).collect();
            let known = known.iter().map(String::as_str);
            return Err(missing("--as: the configuration follows no file", &file.display().to_string(), known));
        }
        Ok(self)
    }

    /// The entry of the configuration that says how a log is read.
    pub(in crate::cli) fn entry(&self, config: Option<&(Config, PathBuf)>, log: Option<&Path>) -> Option<Followed> {
        self.read_as.clone().or_else(|| config.zip(log).and_then(|((config, base), log)| followed::of_log(config, base, log)))
    }
}

/// The facts about a log before it is read.
pub(in crate::cli) fn origin(
    config: Option<&(Config, PathBuf)>,
    options: &LogOptions,
    written: Option<Time>,
    path: &Path,
    log: &DryRunLog,
    number: u64,
) -> Origin {
    let followed = options.entry(config, Some(path));
    let given = options.zone.or(followed.as_ref().and_then(|f| f.zone));
    let (zone, zone_is_given) = (given.unwrap_or(options.machine), given.is_some());
    let written = written.unwrap_or_else(|| time_of(log.written));
    let Followed { host, app, format, .. } = followed.unwrap_or_default();
    let format = format.map(|declared| declared.form);
    let origin = Origin { number, written, began: None, grows: log.grows, zone, zone_is_given, host, app, format };
    let began = if log.whole || log.grows { began(path, written, origin.decoder()) } else { None };
    Origin { began, ..origin }
}

/// A log to replay.
pub(in crate::cli) struct DryRunLog {
    pub(in crate::cli) text: BufReader<Box<dyn Read + Send>>,
    /// The time of its last change.
    pub(in crate::cli) written: SystemTime,
    /// Whether all of it exists already. More of a pipe may arrive at any time, or not for hours.
    pub(super) whole: bool,
    /// It is a file to which more is written.
    grows: bool,
    /// Its size on the disk, and how much of it was read. `None` for a pipe.
    pub(super) size: Option<(u64, Arc<AtomicU64>)>,
}

/// A log is a file, or a pipe or terminal that somebody writes to. Devices are not read, because they may never end.
fn is_log(file: &File) -> io::Result<bool> {
    let kind = file.metadata()?.file_type();
    Ok(kind.is_file() || kind_of(kind) == "a FIFO" || file.is_terminal())
}

fn not_a_log(kind: std::fs::FileType) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("it is {}, and has to be a file or a pipe", kind_of(kind)))
}

/// Opens a file, or standard input for `-`. It may be compressed.
///
/// # Errors
/// Returns an error text if it can't be read, or is a device or a folder.
pub(in crate::cli) fn open(path: &Path) -> Result<DryRunLog, String> {
    let words = |e: io::Error| format!("{}: {e}", path.display());
    let (log, written, whole, size) = if path.as_os_str() == "-" {
        if io::stdin().is_terminal() {
            eprintln!("reading the log from the terminal; Ctrl-D ends it");
        }
        (packed::unpacked(io::stdin()).map_err(words)?, now(), false, None)
    } else {
        let opened = File::open(path).and_then(|f| if is_log(&f)? { Ok(f) } else { Err(not_a_log(f.metadata()?.file_type())) });
        let file = opened.map_err(words)?;
        let meta = file.metadata().map_err(words)?;
        let (file, read) = CountedFile::new(file);
        let log = packed::unpacked(file).map_err(words)?;
        let size = meta.is_file().then_some((meta.len(), read));
        (log, meta.modified().unwrap_or_else(|_| now()), meta.is_file(), size)
    };
    Ok(DryRunLog { text: BufReader::with_capacity(BUFFER, log), written, whole, grows: false, size })
}

/// Opens a log that grows. It is not compressed.
pub(super) fn open_growing(path: &Path, stop: &Stop) -> Result<DryRunLog, String> {
    let words = |e: io::Error| format!("{}: {e}", path.display());
    if path.extension().is_some_and(|packed| ["gz", "zst", "xz", "tar", "tgz"].iter().any(|known| packed == *known)) {
        return Err(format!("{}: a compressed log does not grow: leave out --follow", path.display()));
    }
    let meta = std::fs::metadata(path).map_err(words)?;
    if !meta.is_file() {
        return Err(words(not_a_log(meta.file_type())));
    }
    let log = GrowingLog::open(path, stop.clone()).map_err(words)?;
    // What it is now is searched for dates; more may come at any time.
    let text: BufReader<Box<dyn Read + Send>> = BufReader::with_capacity(BUFFER, Box::new(log));
    Ok(DryRunLog { text, written: meta.modified().unwrap_or_else(|_| now()), whole: false, grows: true, size: None })
}

/// The approximate time at which a log without years begins. The whole log is searched for dates.
fn began(path: &Path, written: Time, decoder: Decoder) -> Option<Time> {
    let log = packed::open(path).ok()?;
    first_moment(BufReader::with_capacity(BUFFER, log), written, decoder).ok().flatten()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the shell reads the clock: for progress, and for stamps of standard input without a year"
)]
pub(in crate::cli) fn now() -> SystemTime {
    SystemTime::now()
}

pub(in crate::cli) fn time_of(time: SystemTime) -> Time {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX / 1_000))
}
