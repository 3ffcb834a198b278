//! One followed log: the file of a path, and its rotated, truncated or rewritten versions.
//!
//! Nothing is skipped: when the path refers to another file, all files that were rotated meanwhile are read first, in their
//! order, however often and in whatever way they were rotated ([`super::rotated`]). Anything that may still be lost is reported.

use std::fs;
use std::io::{self, BufReader, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::core::base::limits::HEADER_LINES;
use crate::core::base::time::Time;
use crate::core::control::Input;
use crate::core::decode::Lines;
use crate::core::event::Trust;
use crate::core::journal::Position;
use crate::core::site::{Current, Sieve};

use super::reading::{Cutter, FileLine, FileTail, Outcome, Print};
use super::rotated::{self, Found, Sibling};
use super::{Entry, Named, Sink, heard, packed};

/// The position is journaled after this number of bytes without a wanted event, and after a time.
const POSITION_BYTES: u64 = 1024 * 1024;
const POSITION_AFTER: Duration = Duration::from_secs(5);
/// The number of bytes of a file's header that are read again after a restart.
const HEADER_BYTES: u64 = 256 * 1024;
/// How long a rotated file is still read, because a program may continue to write to it.
const STRAGGLERS: Duration = Duration::from_secs(60);
/// The maximum number of directory listings while files are being renamed: two in a row must be equal.
const LOOKS: usize = 100;
/// The maximum number of rotated files that are opened together. Further ones are opened when they are read.
const OPENED: usize = 64;
/// The number of bytes of a rotated file that are read at once.
const READ: usize = 256 * 1024;

/// The data that all logs of an entry share.
pub(super) struct Shared<'a, S> {
    pub(super) entry: &'a Entry,
    pub(super) named: &'a Named,
    pub(super) current: &'a Arc<Current>,
    pub(super) sink: &'a S,
    pub(super) stop: &'a AtomicBool,
}

pub(super) struct Log<'a, S> {
    shared: &'a Shared<'a, S>,
    pub(super) path: PathBuf,
    /// Its name in the journal.
    name: String,
    sieve: Sieve,
    tail: Option<FileTail>,
    told: Position,
    told_at: Time,
    complained: bool,
    /// The reason why it could not be read last time.
    pub(super) trouble: Option<String>,
    /// Its previous files, with the time since when they are not the current file.
    left: Vec<(FileTail, Time)>,
    /// The time of the last successful read.
    pub(super) read_at: Time,
    /// The position at which reading continues when the file can be read again.
    resumes: Option<Position>,
    /// Whether it was reported that rotated files are moved to an unknown folder.
    told_moved: bool,
    /// The size of the file when it was opened. Only this much of it can be a backlog.
    held: u64,
}

/// The files of a log at one moment: the rotated files that were not read, and the current file.
struct Snapshot {
    found: Option<Found>,
    missed: Vec<(Sibling, io::Result<packed::Bytes>)>,
    current: Option<io::Result<FileTail>>,
}

impl<'a, S: Sink> Log<'a, S> {
    pub(super) fn new(shared: &'a Shared<'a, S>, path: PathBuf) -> Log<'a, S> {
        let now = shared.sink.now();
        Log {
            shared,
            name: path.display().to_string(),
            path,
            sieve: shared.entry.sieve(shared.named, shared.current),
            tail: None,
            told: Position::default(),
            told_at: now,
            complained: false,
            trouble: None,
            left: Vec::new(),
            read_at: now,
            resumes: None,
            told_moved: false,
            held: u64::MAX,
        }
    }

    /// The inodes of the files that it reads.
    pub(super) fn inodes(&self) -> impl Iterator<Item = u64> {
        self.tail.iter().chain(self.left.iter().map(|(tail, _)| tail)).map(FileTail::inode)
    }

    /// True if its file is open.
    pub(super) fn is_open(&self) -> bool {
        self.tail.is_some()
    }

    /// The position at which reading continues.
    pub(super) fn place(&self) -> Position {
        self.tail.as_ref().map_or(self.told, |tail| tail.cutter.place(self.shared.sink.now()))
    }

    /// Finds the position at which to continue, and reads what was rotated meanwhile. Returns false when nobody listens any more.
    pub(super) fn begin(&mut self, place: Position, backlog: bool) -> bool {
        self.told = place;
        if place == Position::default() {
            return true;
        }
        let print = Print::of(place);
        if let Ok(Some(tail)) = FileTail::open_at(&self.path, &print) {
            self.read_header(&self.path.clone(), print.at);
            self.held = tail.length();
            self.tail = Some(tail);
            return true;
        }
        let since = i128::from(place.read_at.micros()) * 1_000;
        let after = if place.read_at == Time::default() { i128::MAX } else { since };
        let snapshot = self.snapshot(|siblings| {
            let found = rotated::find(siblings, &print);
            let missed = rotated::newer(siblings, found.as_ref().map(|f| &f.sibling), after);
            (found, missed)
        });
        if snapshot.found.is_none() && !matches!(snapshot.current, Some(Ok(_))) {
            // The file may return unchanged.
            self.resumes = Some(place);
            let why = snapshot.current.and_then(Result::err).unwrap_or_else(|| io::ErrorKind::NotFound.into());
            self.complain(&why);
            return true;
        }
        if snapshot.found.is_none() && !self.lost(&print, "is gone or was written anew") {
            return false;
        }
        self.read_missed(snapshot, backlog)
    }

    /// Reads what is available, and switches to the next file when this one is finished. Returns false when nobody listens any
    /// more.
    pub(super) fn read_on(&mut self, backlog: bool) -> bool {
        loop {
            if self.tail.is_none() {
                match self.resumes.take_if(|_| self.path.exists()) {
                    // What was written before the file became readable again is a backlog.
                    Some(place) => {
                        if !self.begin(place, true) {
                            return false;
                        }
                        if self.resumes.is_some() {
                            return true;
                        }
                        let backlog_ended = Input::BacklogEnded { source: self.shared.named.name.clone() };
                        if matches!(self.read_to_end(true), Outcome::Unheard) || !self.shared.sink.send(backlog_ended) {
                            return false;
                        }
                    }
                    None if self.resumes.is_none() => self.open_new(),
                    None => {}
                }
            }
            match self.read_to_end(backlog) {
                Outcome::Unheard => return false,
                Outcome::Changed => {
                    if !self.rewritten(backlog) {
                        return false;
                    }
                }
                Outcome::Ended => match self.rotated(backlog) {
                    None => break,
                    Some(false) => return false,
                    Some(true) => {}
                },
            }
        }
        let now = self.shared.sink.now();
        if !self.read_stragglers(now) {
            return false;
        }
        let place = self.tail.as_ref().map(|tail| tail.cutter.place(now));
        match place {
            Some(place) if !place.is_same_place(&self.told) && now.since(self.told_at) >= POSITION_AFTER => self.tell(place),
            _ => true,
        }
    }

    /// Closes the file. Reading continues at its position when it grows again.
    pub(super) fn let_go(&mut self) -> bool {
        let Some(mut tail) = self.tail.take() else { return true };
        let now = self.shared.sink.now();
        let goes_on = tail.cutter.finish(now, &mut |line| self.record(line, now, false, None));
        let place = tail.cutter.place(now);
        goes_on && (place.is_same_place(&self.told) || self.tell(place))
    }

    fn open_new(&mut self) {
        match FileTail::open(&self.path) {
            Ok(tail) => self.turn_to(tail),
            Err(e) => self.complain(&e),
        }
    }

    fn turn_to(&mut self, tail: FileTail) {
        self.complained = false;
        self.trouble = None;
        self.sieve.next_file();
        self.held = tail.length();
        self.tail = Some(tail);
    }

    fn complain(&mut self, e: &io::Error) {
        self.trouble = Some(e.to_string());
        if !std::mem::replace(&mut self.complained, true) {
            let what =
                if e.kind() == io::ErrorKind::NotFound { "it is followed as soon as it is there" } else { "it is tried again" };
            tracing::warn!("{}: {e}; {what}", self.path.display());
        }
    }

    /// Reports that records may be lost. Returns false when nobody listens any more.
    fn lost(&self, print: &Print, how: &str) -> bool {
        let text = format!(
            "{}: the file that was read up to byte {} {how}, and no copy of it is beside it or in its `olddir`: what was written behind that place and not read is lost; the file is read from its beginning",
            self.path.display(),
            print.at
        );
        self.report(text)
    }

    /// Reports that the file that was read is not in the folder of rotated files. Returns false when nobody listens any more.
    fn moved(&mut self) -> bool {
        let Some(now) = self.tail.as_ref().and_then(FileTail::path_now).filter(|_| !self.told_moved) else { return true };
        self.told_moved = true;
        let own = rotated::folder(&self.path);
        let help = match now.parent().filter(|folder| own.canonicalize().ok().as_deref() != Some(folder)) {
            Some(folder) => format!("write `olddir: {}` for it", folder.display()),
            None => "let the names of rotated files begin with the log's own name".to_owned(),
        };
        self.report(format!(
            "{}: the file that was read is {} now, where rotated files are not looked for: if it was rotated more than once since it was read, what is between is lost; {help}",
            self.path.display(),
            now.display()
        ))
    }

    fn report(&self, text: String) -> bool {
        self.shared.sink.send(Input::Gap { source: self.name.clone(), text })
    }

    fn siblings(&self) -> Vec<Sibling> {
        rotated::siblings(&self.path, self.shared.entry.olddir.as_deref())
    }

    /// The files at one moment: nothing is renamed between the directory listing and the opening of the files.
    fn snapshot(&self, choose: impl Fn(&[Sibling]) -> (Option<Found>, Vec<Sibling>)) -> Snapshot {
        let inode = |path: &Path| fs::metadata(path).map(|meta| meta.ino()).ok();
        let mut looks = 0;
        loop {
            looks += 1;
            let (before, siblings) = (inode(&self.path), self.siblings());
            let (found, missed) = choose(&siblings);
            let current = before.map(|_| FileTail::open(&self.path));
            let opened = |(n, sibling): (usize, Sibling)| {
                let bytes = if n < OPENED { packed::open(&sibling.path) } else { Ok(later(&sibling.path)) };
                (sibling, bytes)
            };
            let missed = missed.into_iter().enumerate().map(opened).collect();
            let same = rotated::is_same(&siblings, &self.siblings()) && inode(&self.path) == before;
            if same || looks == LOOKS {
                return Snapshot { found, missed, current };
            }
        }
    }

    /// Reads the rotated files of a log, and switches to the current one.
    fn read_missed(&mut self, snapshot: Snapshot, backlog: bool) -> bool {
        let Snapshot { found, missed, current } = snapshot;
        if let Some(Found { sibling, cutter, bytes }) = found {
            let at = cutter.place(Time::default()).at;
            self.read_header(&sibling.path, at);
            if !self.read_through(&sibling, bytes, cutter, backlog) {
                return false;
            }
        }
        for (sibling, bytes) in missed {
            self.sieve.next_file();
            let cutter = Cutter::new(sibling.inode);
            let goes_on = match bytes {
                Ok(bytes) => self.read_through(&sibling, bytes, cutter, backlog),
                Err(e) => self.unreadable(&sibling, &e),
            };
            if !goes_on {
                return false;
            }
        }
        match current {
            Some(Ok(tail)) => self.turn_to(tail),
            Some(Err(e)) => self.complain(&e),
            None => {}
        }
        true
    }

    /// Reads a finished file to its end.
    fn read_through(&mut self, sibling: &Sibling, mut bytes: packed::Bytes, mut cutter: Cutter, backlog: bool) -> bool {
        tracing::info!("{}: reading {}, which it was before", self.path.display(), sibling.path.display());
        self.held = u64::MAX;
        let mut chunk = vec![0; READ];
        loop {
            let length = match bytes.read(&mut chunk) {
                Ok(0) => break,
                Ok(length) => length,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return self.unreadable(sibling, &e),
            };
            let now = self.shared.sink.now();
            if !cutter.push(&chunk[..length], now, &mut |line| self.record(line, now, backlog, None)) {
                return false;
            }
        }
        let now = self.shared.sink.now();
        cutter.finish(now, &mut |line| self.record(line, now, backlog, None))
    }

    fn unreadable(&self, sibling: &Sibling, e: &io::Error) -> bool {
        self.report(format!(
            "{}: {} can't be read to its end ({e}): what is in it and was not read is lost",
            self.path.display(),
            sibling.path.display()
        ))
    }

    fn read_to_end(&mut self, backlog: bool) -> Outcome {
        let Some(mut tail) = self.tail.take() else { return Outcome::Ended };
        let sink = self.shared.sink;
        let mut arrived = sink.now();
        let outcome = {
            let now = std::cell::Cell::new(arrived);
            let read = tail.read_on(
                &|| {
                    now.set(sink.now());
                    now.get()
                },
                &mut |line| {
                    arrived = now.get();
                    self.read_at = arrived;
                    self.record(line, arrived, backlog, None)
                },
            );
            read.unwrap_or_else(|e| {
                self.complain(&e);
                Outcome::Ended
            })
        };
        self.tail = Some(tail);
        outcome
    }

    /// Handles a file that was truncated or overwritten. Returns false when nobody listens any more.
    fn rewritten(&mut self, backlog: bool) -> bool {
        let Some(tail) = self.tail.take() else { return true };
        let print = Print::of(tail.cutter.place(self.shared.sink.now()));
        // The tool that truncates a log copies it first.
        let snapshot = self.snapshot(|siblings| {
            let found = rotated::find(siblings, &print);
            let missed = found.as_ref().map(|found| rotated::newer(siblings, Some(&found.sibling), 0));
            (found, missed.unwrap_or_default())
        });
        if snapshot.found.is_none() && !self.lost(&print, "was truncated or written anew") {
            return false;
        }
        self.read_missed(snapshot, backlog)
    }

    /// Switches to the file that the path refers to now. Returns `None` if it is the same file, and false when nobody listens any
    /// more.
    fn rotated(&mut self, backlog: bool) -> Option<bool> {
        let (inode, written) = self.tail.as_ref().map(|tail| (tail.inode(), tail.written()))?;
        if fs::metadata(&self.path).ok()?.ino() == inode {
            return None;
        }
        let print = Print::of(self.place());
        let is_beside = std::cell::Cell::new(true);
        let snapshot = self.snapshot(|siblings| {
            let same = siblings.iter().find(|s| s.inode == inode).cloned();
            let same = same.or_else(|| rotated::find(siblings, &print).map(|found| found.sibling));
            is_beside.set(same.is_some());
            (None, rotated::newer(siblings, same.as_ref(), written))
        });
        // Programs write to the old file until they open the new one. The old file is finished when a newer one has content.
        let current = fs::metadata(&self.path).map_or(0, |meta| meta.len());
        if current == 0 && snapshot.missed.iter().all(|(sibling, _)| sibling.length == 0) {
            return None;
        }
        if !is_beside.get() && !self.moved() {
            return Some(false);
        }
        // Reads what was written between the last read and the switch, and a last line without an end.
        if matches!(self.read_to_end(backlog), Outcome::Unheard) {
            return Some(false);
        }
        let now = self.shared.sink.now();
        if let Some(mut tail) = self.tail.take() {
            if !tail.cutter.finish(now, &mut |line| self.record(line, now, backlog, None)) {
                return Some(false);
            }
            self.left.push((tail, now));
        }
        Some(self.read_missed(snapshot, backlog))
    }

    /// Reads what programs still write to files that were rotated away.
    fn read_stragglers(&mut self, now: Time) -> bool {
        for (mut tail, since) in std::mem::take(&mut self.left) {
            // Reading does not continue at this position after a restart.
            let place = self.place();
            let sink = self.shared.sink;
            let read = tail.read_on(&|| sink.now(), &mut |line| self.record(line, now, false, Some(place)));
            match read {
                Ok(Outcome::Unheard) => return false,
                Ok(Outcome::Ended) if now.since(since) < STRAGGLERS => self.left.push((tail, since)),
                _ => {}
            }
        }
        true
    }

    /// Passes a file's header to the decoder, up to a position.
    fn read_header(&mut self, path: &Path, until: u64) {
        let Ok(bytes) = packed::open(path) else { return };
        let now = self.shared.sink.now();
        let mut lines = Lines::new(BufReader::new(bytes.take(until.min(HEADER_BYTES))));
        for _ in 0..HEADER_LINES {
            match lines.next_line() {
                Ok(Some(line)) if line.ended => self.sieve.learn_header(line.bytes, now),
                _ => return,
            }
        }
    }

    fn record(&mut self, line: FileLine<'_>, arrived: Time, backlog: bool, place: Option<Position>) -> bool {
        let Shared { entry, named, sink, .. } = self.shared;
        let text = line.encoding.text(line.bytes);
        let (event, met) = self.sieve.sift(&text, arrived, |_, event| {
            event.trust = Trust::Local;
            event.marks.cut |= line.cut;
            event.default_names(&entry.host, &entry.app);
        });
        named.counts.count(event.marks, met.is_some());
        let is_straggler = place.is_some();
        let position = place.unwrap_or(line.place);
        let Some(met) = met else {
            sink.unwanted(&self.name, &event, arrived);
            let near = position.file == self.told.file && position.at.saturating_sub(self.told.at) < POSITION_BYTES;
            return is_straggler || near || self.tell(position);
        };
        let backlog = backlog && position.at <= self.held;
        (self.told, self.told_at) = (position, arrived);
        sink.send(heard(&self.name, position, event.into_owned(), met, backlog))
    }

    fn tell(&mut self, position: Position) -> bool {
        (self.told, self.told_at) = (position, self.shared.sink.now());
        self.shared.sink.send(Input::Position { source: self.name.clone(), position })
    }
}

/// A file that is opened when it is read.
fn later(path: &Path) -> packed::Bytes {
    struct Later(PathBuf, Option<packed::Bytes>);
    impl io::Read for Later {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.1.is_none() {
                self.1 = Some(packed::open(&self.0)?);
            }
            self.1.as_mut().map_or(Ok(0), |bytes| bytes.read(into))
        }
    }
    Box::new(Later(path.to_owned(), None))
}
