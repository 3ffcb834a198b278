//! One followed log: the file of a path, read as it grows.
//!
//! Nothing is skipped: when the path refers to another file, or the file was truncated, [`super::catch_up`] reads everything
//! between. Here is what is read of the current file, and what becomes of each record.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::core::base::limits::HEADER_LINES;
use crate::core::base::time::Time;
use crate::core::control::Input;
use crate::core::decode::Lines;
use crate::core::event::Trust;
use crate::core::journal::Position;
use crate::core::site::{Current, Sieve};
use crate::shell::linux::accounts::current_user;

use super::reading::{FileLine, FileTail, Finished, Outcome};
use super::{Entry, Named, Sink, log_event, packed};

/// The position is journaled after this number of bytes without a wanted event, and after a time.
const POSITION_BYTES: u64 = 1024 * 1024;
const POSITION_AFTER: Duration = Duration::from_secs(5);
/// The number of bytes of a file's header that are read again after a restart.
const HEADER_BYTES: u64 = 256 * 1024;
/// How long a rotated file is still read, because a program may continue to write to it.
const STRAGGLERS: Duration = Duration::from_secs(60);
/// The maximum number of such files.
const STRAGGLER_FILES: usize = 64;

/// The data that all logs of an entry share.
pub(super) struct Shared<'a, S> {
    pub(super) entry: &'a Entry,
    pub(super) named: &'a Named,
    pub(super) current: &'a Arc<Current>,
    pub(super) sink: &'a S,
    pub(super) stop: &'a AtomicBool,
    /// Files are read one after the other, by way of this buffer.
    pub(super) chunk: RefCell<Vec<u8>>,
}

pub(super) struct Log<'a, S> {
    pub(super) shared: &'a Shared<'a, S>,
    pub(super) path: PathBuf,
    /// Its name in the journal.
    name: String,
    pub(super) sieve: Sieve,
    pub(super) tail: Option<FileTail>,
    pub(super) reported: Position,
    reported_at: Time,
    complained: bool,
    /// The reason why it could not be read last time.
    pub(super) trouble: Option<String>,
    /// Its previous files, with the time since when they are not the current file.
    left: VecDeque<(FileTail, Time)>,
    /// The files that were read to their end, the last one last.
    pub(super) finished: VecDeque<Finished>,
    /// The time of the last successful read.
    pub(super) read_at: Time,
    /// The position at which reading continues when the file can be read again.
    pub(super) resumes: Option<Position>,
    /// Whether it was reported that rotated files are moved to an unknown folder.
    pub(super) reported_moved: bool,
    /// The size of the file when it was opened. Only this much of it can be a backlog.
    pub(super) size_at_open: u64,
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
            reported: Position::default(),
            reported_at: now,
            complained: false,
            trouble: None,
            left: VecDeque::new(),
            finished: VecDeque::new(),
            read_at: now,
            resumes: None,
            reported_moved: false,
            size_at_open: u64::MAX,
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
        self.tail.as_ref().map_or(self.reported, |tail| tail.cutter.place(self.shared.sink.now()))
    }

    /// Reads what is available, and switches to the next file when this one is finished. Returns false when the sink has ended.
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
                        if matches!(self.read_to_end(true), Outcome::SinkEnded) || !self.shared.sink.send(backlog_ended) {
                            return false;
                        }
                    }
                    None if self.resumes.is_none() && !self.open_next(backlog) => return false,
                    None => {}
                }
            }
            match self.read_to_end(backlog) {
                Outcome::SinkEnded => return false,
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
            Some(place) if !place.is_same_place(&self.reported) && now.since(self.reported_at) >= POSITION_AFTER => {
                self.send_position(place)
            }
            _ => true,
        }
    }

    /// Closes the file. Reading continues at its position when it grows again.
    pub(super) fn let_go(&mut self) -> bool {
        let Some(mut tail) = self.tail.take() else { return true };
        let now = self.shared.sink.now();
        let goes_on = tail.cutter.finish(now, &mut |line| self.record(line, now, false, None));
        let place = tail.cutter.place(now);
        goes_on && (place.is_same_place(&self.reported) || self.send_position(place))
    }

    /// Opens the file of the path, from its beginning.
    pub(super) fn open_new(&mut self) {
        match FileTail::open(&self.path) {
            Ok(tail) => self.turn_to(tail),
            Err(e) => self.complain(&e),
        }
    }

    /// Continues with this file.
    pub(super) fn turn_to(&mut self, tail: FileTail) {
        self.complained = false;
        self.trouble = None;
        self.sieve.next_file();
        self.size_at_open = tail.length();
        self.tail = Some(tail);
    }

    /// Logs that the file cannot be read, once until it can be read again.
    pub(super) fn complain(&mut self, e: &io::Error) {
        self.trouble = Some(e.to_string());
        if !std::mem::replace(&mut self.complained, true) {
            let what = match e.kind() {
                io::ErrorKind::NotFound => "it is followed as soon as it is there".to_owned(),
                io::ErrorKind::PermissionDenied => format!("let the user {} read it; it is tried again", current_user()),
                _ => "it is tried again".to_owned(),
            };
            tracing::warn!("{}: {e}; {what}", self.path.display());
        }
    }

    /// Reports that records may be lost.
    pub(super) fn report(&self, text: String) -> bool {
        self.shared.sink.send(Input::Gap { source: self.name.clone(), text })
    }

    /// Reads what is available of the current file, and reports an error once.
    pub(super) fn read_to_end(&mut self, backlog: bool) -> Outcome {
        self.read_tail(backlog).unwrap_or_else(|e| {
            self.complain(&e);
            Outcome::Ended
        })
    }

    /// Reads what is available of the current file.
    ///
    /// # Errors
    /// The errors of the system.
    pub(super) fn read_tail(&mut self, backlog: bool) -> io::Result<Outcome> {
        let Some(mut tail) = self.tail.take() else { return Ok(Outcome::Ended) };
        let (sink, chunk) = (self.shared.sink, &self.shared.chunk);
        let now = Cell::new(sink.now());
        let clock = || {
            now.set(sink.now());
            now.get()
        };
        let outcome = tail.read_on(&mut chunk.borrow_mut(), &clock, &mut |line| {
            self.read_at = now.get();
            self.record(line, now.get(), backlog, None)
        });
        self.tail = Some(tail);
        outcome
    }

    /// Ends the current file. It is still read for some time. Returns false when the sink has ended.
    pub(super) fn leave(&mut self, backlog: bool) -> bool {
        let Some(mut tail) = self.tail.take() else { return true };
        let now = self.shared.sink.now();
        let goes_on = tail.cutter.finish(now, &mut |line| self.record(line, now, backlog, None));
        self.finish(Finished::of(&tail, now));
        self.left.push_back((tail, now));
        if self.left.len() > STRAGGLER_FILES {
            self.left.pop_front();
        }
        goes_on
    }

    /// Reads what programs still write to files that were rotated away.
    fn read_stragglers(&mut self, now: Time) -> bool {
        for (mut tail, since) in std::mem::take(&mut self.left) {
            // Reading does not continue at this position after a restart.
            let place = self.place();
            let (sink, chunk) = (self.shared.sink, &self.shared.chunk);
            let read =
                tail.read_on(&mut chunk.borrow_mut(), &|| sink.now(), &mut |line| self.record(line, now, false, Some(place)));
            match read {
                Ok(Outcome::SinkEnded) => return false,
                Ok(Outcome::Ended) if now.since(since) < STRAGGLERS => self.left.push_back((tail, since)),
                _ => {}
            }
        }
        true
    }

    /// Passes a file's header to the decoder, up to a position.
    pub(super) fn read_header(&mut self, path: &Path, until: u64) {
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

    /// Decodes and matches a line, and sends what a rule wants. `place` is the position that is journaled with it, if that is not
    /// the end of the line.
    pub(super) fn record(&mut self, line: FileLine<'_>, arrived: Time, backlog: bool, place: Option<Position>) -> bool {
        let Shared { entry, named, sink, stop, .. } = self.shared;
        // The rest belongs to the next follower, which may have another configuration.
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        let text = line.encoding.text(line.bytes);
        let (event, matched) = self.sieve.sift(&text, arrived, |_, event| {
            // Of a record of another machine, this one only knows what a relay, or anybody who writes here, says.
            event.trust = if event.has_relay() { Trust::Unverified } else { Trust::Local };
            event.marks.cut |= line.cut;
            event.default_names(&entry.host, &entry.app);
        });
        named.counts.count(event.marks, matched.is_some());
        let Some(matched) = matched else {
            sink.unwanted(&self.name, &event, arrived);
            let near = || line.inode() == self.reported.file && line.at().saturating_sub(self.reported.at) < POSITION_BYTES;
            return place.is_some() || near() || self.send_position(line.place());
        };
        let position = place.unwrap_or_else(|| line.place());
        let backlog = backlog && position.at <= self.size_at_open;
        (self.reported, self.reported_at) = (position, arrived);
        sink.send(log_event(&self.name, position, event.into_owned(), matched, backlog))
    }

    /// Sends a position to the journal.
    fn send_position(&mut self, position: Position) -> bool {
        (self.reported, self.reported_at) = (position, self.shared.sink.now());
        self.shared.sink.send(Input::Position { source: self.name.clone(), position })
    }
}
