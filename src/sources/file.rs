//! A file that is followed: through growing, rotation, truncation, and restarts of the program.
//!
//! What is read is journaled with what came of it, so after a restart reading goes on behind the last record, wherever the
//! file is by then: it is told from others by its inode and the bytes before that place. What was written meanwhile is a
//! backlog. A rotated file is read to its end before the next one is begun. Without a known place, reading begins at the
//! end: what was written before the first start is nobody's news. A file that was read and can't be any more is told as away, after a time in
//! which logs are rotated.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};

use crate::base::limits::{HEADER_LINES, RECORD_BYTES, SOURCE_AWAY_AFTER};
use crate::base::time::Time;
use crate::control::Input;
use crate::decode::Decoder;
use crate::event::Provenance;
use crate::journal::Position;
use crate::site::{Current, Sieve};

use super::{Named, Sink, heard};

/// The file is looked at so often although nobody said that it changed (network file systems say nothing).
const LOOK_AROUND: Duration = Duration::from_millis(500);
/// Bytes read at once.
const READ: usize = 256 * 1024;
/// Bytes before a place by which the file is told from another.
const CHECKED: usize = 64;
/// How far was read is journaled after so many bytes without anything that a rule wants, and after so long.
const POSITION_BYTES: u64 = 1024 * 1024;
const POSITION_AFTER: Duration = Duration::from_secs(5);
/// Rotated files that are looked through for the one that was being read, at most.
const SIBLINGS: usize = 10_000;
/// Bytes of a file's header that are read again after a restart.
const HEADER_BYTES: u64 = 256 * 1024;

/// Where a file that was never followed is followed from: behind its last whole line. A file that is not there yet is read from
/// its beginning when it comes. The place is to be on the disk before anything is read, or a crash would move it.
pub fn place(path: &Path) -> Position {
    let behind_the_last_line = || -> io::Result<Position> {
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        let at = last_line_end(&mut file, meta.len())?;
        let tail = tail_of(&mut file, at)?;
        Ok(Position { at, file: meta.ino(), check: crc32fast::hash(&tail) })
    };
    behind_the_last_line().unwrap_or_default()
}

/// Follows a file from a place until `stop`.
pub fn follow(path: &Path, from: Position, current: &Arc<Current>, sink: &impl Sink, named: &Named, stop: &AtomicBool) {
    let news = News::of(path);
    let mut follower = Follower {
        path,
        sieve: Sieve::new(current, Decoder::new()),
        sink,
        named,
        reading: None,
        told: from,
        told_at: sink.now(),
        complained: false,
        was_read: from != Position::default(),
        trouble: None,
        unread_since: None,
        said: None,
    };
    follower.begin(from);
    follower.read_on(true);
    follower.look_after_it();
    let mut goes_on = sink.send(Input::BacklogEnded { source: named.name.clone() });
    while goes_on && !stop.load(Ordering::Relaxed) {
        news.wait();
        // What is written after it was told to stop is for whoever follows the file then.
        if !stop.load(Ordering::Relaxed) {
            goes_on = follower.read_on(false) && follower.look_after_it();
        }
    }
}

/// A file as far as it was read.
struct Reading {
    file: File,
    inode: u64,
    /// Behind the last whole record.
    at: u64,
    /// The last bytes before `at`.
    tail: Vec<u8>,
    /// A record whose end has not been written yet.
    pending: Vec<u8>,
    /// The pending record is too long: it was handed on, and the rest of the line is skipped.
    skipping: bool,
}

impl Reading {
    fn at_start(file: File) -> io::Result<Reading> {
        let inode = file.metadata()?.ino();
        Ok(Reading { file, inode, at: 0, tail: Vec::new(), pending: Vec::new(), skipping: false })
    }

    /// The file at a place where it was read before; `None` when it is another file.
    fn at_place(mut file: File, place: Position) -> io::Result<Option<Reading>> {
        let meta = file.metadata()?;
        if meta.len() < place.at {
            return Ok(None);
        }
        let tail = tail_of(&mut file, place.at)?;
        if crc32fast::hash(&tail) != place.check {
            return Ok(None);
        }
        Ok(Some(Reading { file, inode: meta.ino(), at: place.at, tail, pending: Vec::new(), skipping: false }))
    }

    fn position(&self) -> Position {
        Position { at: self.at, file: self.inode, check: crc32fast::hash(&self.tail) }
    }

    fn took(&mut self, line: &[u8]) {
        self.at += line.len() as u64;
        let kept = line.len().min(CHECKED);
        self.tail.extend_from_slice(&line[line.len() - kept..]);
        let extra = self.tail.len().saturating_sub(CHECKED);
        self.tail.drain(..extra);
    }
}

fn tail_of(file: &mut File, at: u64) -> io::Result<Vec<u8>> {
    let from = at.saturating_sub(CHECKED as u64);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = vec![0; usize::try_from(at - from).unwrap_or(0)];
    file.read_exact(&mut tail)?;
    Ok(tail)
}

struct Follower<'a, S> {
    path: &'a Path,
    sieve: Sieve,
    sink: &'a S,
    named: &'a Named,
    reading: Option<Reading>,
    told: Position,
    told_at: Time,
    complained: bool,
    /// It could be read, in this run of the program or an earlier one.
    was_read: bool,
    /// Why it could not be read just now.
    trouble: Option<String>,
    unread_since: Option<Time>,
    /// What was told of that; a controller may have been told otherwise before.
    said: Option<Said>,
}

#[derive(Clone, Copy, PartialEq)]
enum Said {
    Away,
    Back,
}

impl<S: Sink> Follower<'_, S> {
    /// Finds where to go on.
    fn begin(&mut self, place: Position) {
        let file = match File::open(self.path) {
            Ok(file) => Some(file),
            Err(e) => {
                self.complain(&e);
                None
            }
        };
        let same = file.and_then(|f| Reading::at_place(f, place).ok().flatten());
        let found = same.or_else(|| self.rotated(place));
        match found {
            Some(mut reading) => {
                self.read_header(&mut reading.file, reading.at);
                let _ = reading.file.seek(SeekFrom::Start(reading.at));
                self.reading = Some(reading);
            }
            None => {
                if place != Position::default() {
                    tracing::warn!(
                        "{}: the file that was read up to byte {} is gone or was written anew; what was in it and not read is lost, and the file is read from its beginning",
                        self.path.display(),
                        place.at
                    );
                }
                self.open_new();
            }
        }
    }

    /// The file under another name in the same folder.
    fn rotated(&self, place: Position) -> Option<Reading> {
        let folder = self.path.parent()?;
        let name = self.path.file_stem()?.to_string_lossy().into_owned();
        let siblings = fs::read_dir(folder).ok()?.flatten().take(SIBLINGS);
        let named = siblings.filter(|s| s.file_name().to_string_lossy().starts_with(&name));
        let same = named.filter(|s| s.metadata().is_ok_and(|m| m.is_file() && m.ino() == place.file));
        same.filter_map(|s| Reading::at_place(File::open(s.path()).ok()?, place).ok().flatten()).next()
    }

    /// Turns to the file of now; false when it can't be opened.
    fn open_new(&mut self) -> bool {
        match File::open(self.path).and_then(Reading::at_start) {
            Ok(reading) => {
                self.complained = false;
                self.trouble = None;
                self.sieve.next_file();
                self.reading = Some(reading);
                true
            }
            Err(e) => {
                self.complain(&e);
                false
            }
        }
    }

    /// Tells when the file can't be read any more, and when it can. False when nobody listens any more.
    fn look_after_it(&mut self) -> bool {
        let gone = || fs::metadata(self.path).err().map(|e| e.to_string());
        let Some(why) = self.trouble.take().or_else(gone) else {
            self.unread_since = None;
            self.was_read |= self.reading.is_some();
            return self.say(Said::Back, None);
        };
        let now = self.sink.now();
        let since = *self.unread_since.get_or_insert(now);
        !self.was_read || now.since(since) < SOURCE_AWAY_AFTER || self.say(Said::Away, Some(why))
    }

    fn say(&mut self, said: Said, away: Option<String>) -> bool {
        if self.said.replace(said) == Some(said) {
            return true;
        }
        self.sink.send(Input::Source { source: self.named.name.clone(), away })
    }

    fn complain(&mut self, e: &io::Error) {
        self.trouble = Some(e.to_string());
        if !std::mem::replace(&mut self.complained, true) {
            let what =
                if e.kind() == io::ErrorKind::NotFound { "it is followed as soon as it is there" } else { "it is tried again" };
            tracing::warn!("{}: {e}; {what}", self.path.display());
        }
    }

    /// Lets the decoder learn the file's header, up to a place.
    fn read_header(&mut self, file: &mut File, until: u64) {
        let mut bytes = Vec::new();
        let whole = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(until.min(HEADER_BYTES)).read_to_end(&mut bytes));
        if whole.is_err() {
            return;
        }
        let now = self.sink.now();
        for line in bytes.split_inclusive(|b| *b == b'\n').take(HEADER_LINES as usize).filter(|l| l.ends_with(b"\n")) {
            self.sieve.sift(line, now, |_, _| {});
        }
    }

    /// Reads what is there, and turns to the next file when this one is over. False when nobody listens any more.
    fn read_on(&mut self, backlog: bool) -> bool {
        loop {
            if self.reading.is_none() {
                self.open_new();
            }
            if !self.read_to_end(backlog) {
                return false;
            }
            match self.next_file() {
                Turn::Stay => break,
                Turn::Truncated => {
                    tracing::info!("{}: the file became shorter; it is read from its beginning", self.path.display());
                    if !self.open_new() {
                        break;
                    }
                }
                Turn::Rotated => {
                    // What was written between the last reading and the turn, and a last line without an end.
                    if !self.read_to_end(backlog) || !self.last_record(backlog) {
                        return false;
                    }
                    if !self.open_new() {
                        break;
                    }
                }
            }
        }
        let now = self.sink.now();
        let place = self.reading.as_ref().map(Reading::position);
        match place {
            Some(place) if place != self.told && now.since(self.told_at) >= POSITION_AFTER => self.tell_position(place),
            _ => true,
        }
    }

    fn next_file(&mut self) -> Turn {
        let Some(reading) = &self.reading else { return Turn::Stay };
        let Ok(now) = fs::metadata(self.path) else { return Turn::Stay };
        if now.ino() == reading.inode {
            return if now.len() < reading.at { Turn::Truncated } else { Turn::Stay };
        }
        // Whoever writes goes on in the old file until it opens the new one: the old is over when the new has something in it.
        if now.len() > 0 { Turn::Rotated } else { Turn::Stay }
    }

    fn read_to_end(&mut self, backlog: bool) -> bool {
        let Some(mut reading) = self.reading.take() else { return true };
        let mut chunk = vec![0; READ];
        let mut goes_on = true;
        while goes_on {
            let from = reading.at + reading.pending.len() as u64;
            let read = reading.file.seek(SeekFrom::Start(from)).and_then(|_| reading.file.read(&mut chunk));
            let length = match read {
                Ok(0) => break,
                Ok(length) => length,
                Err(e) => {
                    self.complain(&e);
                    break;
                }
            };
            reading.pending.extend_from_slice(&chunk[..length]);
            goes_on = self.take_lines(&mut reading, backlog);
        }
        self.reading = Some(reading);
        goes_on
    }

    fn take_lines(&mut self, reading: &mut Reading, backlog: bool) -> bool {
        let pending = std::mem::take(&mut reading.pending);
        let mut rest = pending.as_slice();
        let mut goes_on = true;
        while goes_on && let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let (line, behind) = rest.split_at(end + 1);
            reading.took(line);
            if !std::mem::take(&mut reading.skipping) {
                goes_on = self.record(line, reading.position(), backlog);
            }
            rest = behind;
        }
        if rest.len() > RECORD_BYTES {
            // The record is handed on as far as it is read; a restart here would read its rest as another one.
            reading.took(rest);
            if !std::mem::replace(&mut reading.skipping, true) {
                goes_on &= self.record(rest, reading.position(), backlog);
            }
            rest = &[];
        }
        reading.pending = rest.to_vec();
        goes_on
    }

    /// The last line of a file that is over, although it has no end.
    fn last_record(&mut self, backlog: bool) -> bool {
        let Some(reading) = &mut self.reading else { return true };
        let rest = std::mem::take(&mut reading.pending);
        reading.took(&rest);
        let position = reading.position();
        let skipping = reading.skipping;
        rest.is_empty() || skipping || self.record(&rest, position, backlog)
    }

    fn record(&mut self, line: &[u8], position: Position, backlog: bool) -> bool {
        let (event, met) = self.sieve.sift(line, self.sink.now(), |_, event| {
            event.provenance = Provenance::Local;
            event.marks.cut |= line.len() > RECORD_BYTES + 2;
        });
        self.named.counts.count(event.marks, met.is_some());
        let Some(met) = met else {
            let near = position.file == self.told.file && position.at.saturating_sub(self.told.at) < POSITION_BYTES;
            return near || self.tell_position(position);
        };
        (self.told, self.told_at) = (position, self.sink.now());
        self.sink.send(heard(&self.named.name, position, event.into_owned(), met, backlog))
    }

    fn tell_position(&mut self, position: Position) -> bool {
        (self.told, self.told_at) = (position, self.sink.now());
        self.sink.send(Input::Position { source: self.named.name.clone(), position })
    }
}

enum Turn {
    Stay,
    Truncated,
    Rotated,
}

/// Behind the last line end before `at`, within a record's length; at the beginning for a file of one long line.
fn last_line_end(file: &mut File, at: u64) -> io::Result<u64> {
    let from = at.saturating_sub(RECORD_BYTES as u64);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = vec![0; usize::try_from(at - from).unwrap_or(0)];
    file.read_exact(&mut bytes)?;
    Ok(bytes.iter().rposition(|b| *b == b'\n').map_or(from, |i| from + i as u64 + 1))
}

/// Word that something changed in a file's folder.
struct News {
    changed: Receiver<()>,
    _watcher: Option<notify::RecommendedWatcher>,
}

impl News {
    fn of(path: &Path) -> News {
        let (sender, changed) = sync_channel(1);
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let names = [Some(path.to_owned()), path.canonicalize().ok()].map(|p| p.and_then(|p| p.file_name().map(PathBuf::from)));
        let ours = move |event: &notify::Event| {
            event.paths.iter().any(|p| p.file_name().is_some_and(|n| names.iter().flatten().any(|ours| ours.as_os_str() == n)))
        };
        let watcher = notify::recommended_watcher(move |event: Result<notify::Event, notify::Error>| {
            // An error means that something was not told: looking is never wrong.
            if event.as_ref().map_or(true, |e| !e.kind.is_access() && ours(e)) {
                let _ = sender.try_send(());
            }
        });
        // A link says nothing of what happens to the file that it leads to.
        let leads_to = path.canonicalize().ok().and_then(|p| Some(p.parent()?.to_owned())).filter(|f| *f != folder);
        let watcher = watcher.and_then(|mut w| {
            w.watch(&folder, RecursiveMode::NonRecursive)?;
            if let Some(other) = &leads_to {
                w.watch(other, RecursiveMode::NonRecursive)?;
            }
            Ok(w)
        });
        if let Err(e) = &watcher {
            tracing::warn!(
                "{} can't be watched ({e}); its files are looked at every {} ms (`fs.inotify.max_user_watches` may be too small)",
                folder.display(),
                LOOK_AROUND.as_millis()
            );
        }
        News { changed, _watcher: watcher.ok() }
    }

    fn wait(&self) {
        match self.changed.recv_timeout(LOOK_AROUND) {
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
            // Without a watcher nobody sends: looking around is all there is.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK_AROUND),
        }
    }
}
