//! What was written to a log between the file that was read and the file that its path refers to now.
//!
//! All files that were rotated meanwhile are read first, in their order, however often and in whatever way they were rotated
//! ([`super::rotated`]). A file is known by its content and not by its name, which the next rotation changes: so each file is
//! read once, compressed or not. What cannot be known is reported as a possible loss.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::iter;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::journal::Position;

use super::Sink;
use super::log::Log;
use super::packed;
use super::reading::{Cutter, FileTail, Finished, Outcome, Print};
use super::rotated::{self, Content, Found, Sibling};

/// The maximum number of rotated files that are opened together. The others are looked for again when these are read.
const OPENED: usize = 64;
/// The number of files whose content is remembered after they were read.
const FINISHED: usize = 2 * OPENED;
/// The number of directory listings without a pause while files are being renamed: two in a row must be equal.
const LOOKS: usize = 10;
/// The pause between further listings.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// The number of bytes of a compressed file that are read at once.
const READ: usize = 256 * 1024;
/// How often, and after which time, a compressed file is tried again while it is being written.
const COMPLETED: (usize, Duration) = (100, Duration::from_millis(50));

/// The files of a log at one moment: the rotated files that were not read, and the current file.
struct Snapshot {
    found: Option<Found>,
    missed: Vec<(Sibling, io::Result<Content>)>,
    /// Whether further rotated files were missed.
    more: bool,
    current: Option<io::Result<FileTail>>,
}

impl<S: Sink> Log<'_, S> {
    /// Finds the position at which to continue, and reads what was rotated meanwhile. Returns false when nobody listens any more.
    pub(super) fn begin(&mut self, place: Position, backlog: bool) -> bool {
        self.reported = place;
        if place == Position::default() {
            return true;
        }
        let print = Print::of(place);
        let is_it = |sibling: &Sibling| sibling.inode == print.inode && matches!(rotated::at_place(sibling, &print), Ok(Some(_)));
        let is_elsewhere = || self.siblings().iter().any(is_it);
        if let Ok(Some(tail)) = FileTail::open_at(&self.path, &print)
            && (tail.inode() == print.inode || !is_elsewhere())
        {
            self.read_header(&self.path.clone(), print.at);
            self.size_at_open = tail.length();
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
        let Some(snapshot) = snapshot else {
            self.resumes = Some(place);
            return true;
        };
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
        self.catch_up(snapshot, backlog)
    }

    /// Opens the file that comes after the last one that was read. Returns false when nobody listens any more.
    pub(super) fn open_next(&mut self, backlog: bool) -> bool {
        let Some(last) = self.finished.back().copied().filter(|_| self.path.exists()) else {
            self.open_new();
            return true;
        };
        let Some((snapshot, is_known)) = self.since(&last, &BTreeSet::new()) else { return true };
        (is_known || self.lost_between(&snapshot)) && self.catch_up(snapshot, backlog)
    }

    /// Handles a file that was truncated or overwritten. Returns false when nobody listens any more.
    pub(super) fn rewritten(&mut self, backlog: bool) -> bool {
        let Some(tail) = self.tail.take() else { return true };
        let place = tail.cutter.place(self.shared.sink.now());
        let print = Print::of(place);
        // The tool that truncates a log copies it first.
        let snapshot = self.snapshot(|siblings| {
            let found = rotated::find(siblings, &print);
            let missed = found.as_ref().map(|found| rotated::newer(siblings, Some(&found.sibling), 0));
            (found, missed.unwrap_or_default())
        });
        let Some(snapshot) = snapshot else {
            self.resumes = Some(place);
            return true;
        };
        if snapshot.found.is_none() && !self.lost(&print, "was truncated or written anew") {
            return false;
        }
        self.catch_up(snapshot, backlog)
    }

    /// Switches to the file that the path refers to now. Returns `None` if it is the same file, and false when nobody listens any
    /// more.
    pub(super) fn rotated(&mut self, backlog: bool) -> Option<bool> {
        let inode = self.tail.as_ref().map(FileTail::inode)?;
        if fs::metadata(&self.path).ok()?.ino() == inode {
            return None;
        }
        // What the file got until now shows which one it is, even if it is compressed by now.
        match self.read_to_end(backlog) {
            Outcome::SinkEnded => return Some(false),
            Outcome::Changed => return Some(self.rewritten(backlog)),
            Outcome::Ended => {}
        }
        let now = self.shared.sink.now();
        let own = self.tail.as_ref().map(|tail| Finished::of(tail, now))?;
        let (snapshot, is_known) = self.since(&own, &BTreeSet::new())?;
        // Between two renames the path refers to no file.
        let current = snapshot.current.as_ref()?.as_ref().map_or(0, FileTail::length);
        // Programs write to the old file until they open the new one. The old file is finished when a newer one has content.
        if current == 0 && !snapshot.more && snapshot.missed.iter().all(|(sibling, _)| sibling.length == 0) {
            return None;
        }
        if !is_known && !self.moved() && !self.lost_between(&snapshot) {
            return Some(false);
        }
        // Reads what was written between the last read and the switch, and a last line without an end.
        if matches!(self.read_to_end(backlog), Outcome::SinkEnded) || !self.leave(backlog) {
            return Some(false);
        }
        Some(self.catch_up(snapshot, backlog))
    }

    /// Remembers a file that was read to its end.
    pub(super) fn finish(&mut self, file: Finished) {
        self.finished.push_back(file);
        if self.finished.len() > FINISHED {
            self.finished.pop_front();
        }
    }

    /// The files that are newer than a file that was read to its end. If that one is gone, the files that are newer than the last
    /// one before it that is still there. If none is there, the files that were written later, and false. Returns `None` if the
    /// program stops. `unread`: the inodes of files that cannot be opened, which were reported.
    fn since(&self, last: &Finished, unread: &BTreeSet<u64>) -> Option<(Snapshot, bool)> {
        // The inode of a file that is open is not given to another one.
        let is_held = self.inodes().any(|inode| inode == last.print.inode);
        let before = || self.finished.iter().rev().map(|file| &file.print);
        let is_known = Cell::new(false);
        let snapshot = self.snapshot(|siblings| {
            let own = siblings.iter().find(|sibling| is_held && sibling.inode == last.print.inode).cloned();
            let by_content = || {
                let mut all = iter::once(&last.print).chain(before());
                all.find_map(|print| rotated::find(siblings, print)).map(|found| found.sibling)
            };
            let own = own.or_else(by_content);
            is_known.set(own.is_some());
            let mut missed = rotated::newer(siblings, own.as_ref(), last.written);
            if own.is_none() {
                missed.retain(|sibling| !iter::once(&last.print).chain(before()).any(|print| rotated::is_all_of(sibling, print)));
            }
            missed.retain(|sibling| !unread.contains(&sibling.inode));
            (None, missed)
        })?;
        Some((snapshot, is_known.get()))
    }

    /// The files at one moment: nothing is renamed between the directory listing and the opening of the files. Returns `None` if
    /// the program stops.
    fn snapshot(&self, choose: impl Fn(&[Sibling]) -> (Option<Found>, Vec<Sibling>)) -> Option<Snapshot> {
        let inode = |path: &Path| fs::metadata(path).map(|meta| meta.ino()).ok();
        for look in 0.. {
            if look >= LOOKS {
                if self.shared.stop.load(Ordering::Relaxed) {
                    break;
                }
                thread::sleep(LOOK_AGAIN);
            }
            let (before, siblings) = (inode(&self.path), self.siblings());
            let (found, mut missed) = choose(&siblings);
            let current = before.map(|_| FileTail::open(&self.path));
            let more = missed.len() > OPENED;
            missed.truncate(OPENED);
            let opened = |sibling: Sibling| {
                let content = Content::open(&sibling);
                (sibling, content)
            };
            let missed = missed.into_iter().map(opened).collect();
            if rotated::is_same(&siblings, &self.siblings()) && inode(&self.path) == before {
                return Some(Snapshot { found, missed, more, current });
            }
        }
        None
    }

    /// Reads the rotated files of a log, and switches to the current one. Returns false when nobody listens any more.
    fn catch_up(&mut self, mut snapshot: Snapshot, backlog: bool) -> bool {
        let mut unread = BTreeSet::new();
        loop {
            let Snapshot { found, missed, more, current } = snapshot;
            if let Some(Found { sibling, content, .. }) = found {
                self.read_header(&sibling.path, content.at());
                if !self.read_through(&sibling, content, backlog) {
                    return false;
                }
            }
            for (sibling, content) in missed {
                self.sieve.next_file();
                let goes_on = match content {
                    Ok(content) => self.read_through(&sibling, content, backlog),
                    Err(e) => {
                        unread.insert(sibling.inode);
                        self.unreadable(&sibling, &e)
                    }
                };
                if !goes_on {
                    return false;
                }
            }
            let Some(last) = self.finished.back().copied().filter(|_| more) else {
                match current {
                    Some(Ok(tail)) => self.turn_to(tail),
                    Some(Err(e)) => self.complain(&e),
                    None => {}
                }
                return true;
            };
            let Some((next, is_known)) = self.since(&last, &unread) else { return true };
            if !is_known && !self.lost_between(&next) {
                return false;
            }
            snapshot = next;
        }
    }

    /// Reads a rotated file to its end.
    fn read_through(&mut self, sibling: &Sibling, content: Content, backlog: bool) -> bool {
        tracing::info!("{}: reading {}, which it was before", self.path.display(), sibling.path.display());
        self.size_at_open = u64::MAX;
        match content {
            Content::Plain(tail) => {
                self.tail = Some(tail);
                let goes_on = match self.read_tail(backlog) {
                    Ok(Outcome::Ended) => true,
                    Ok(Outcome::SinkEnded) => false,
                    Ok(Outcome::Changed) => self.unreadable(sibling, &io::Error::other("it was changed meanwhile")),
                    Err(e) => self.unreadable(sibling, &e),
                };
                goes_on && self.leave(backlog)
            }
            Content::Packed(bytes, cutter) => self.read_packed(sibling, bytes, cutter, backlog),
        }
    }

    fn read_packed(&mut self, sibling: &Sibling, mut bytes: packed::Bytes, mut cutter: Cutter, backlog: bool) -> bool {
        let mut chunk = vec![0; READ];
        loop {
            let now = self.shared.sink.now();
            match bytes.read(&mut chunk) {
                Ok(0) => break,
                Ok(length) => {
                    if !cutter.push(&chunk[..length], now, &mut |line| self.record(line, now, backlog, None)) {
                        return false;
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => match self.completed(sibling, &Print::of(cutter.place(now))) {
                    Some(Content::Packed(again, from)) => (bytes, cutter) = (again, from),
                    _ => {
                        self.finish(Finished { print: Print::of(cutter.place(now)), written: sibling.written });
                        return self.unreadable(sibling, &e);
                    }
                },
            }
        }
        let now = self.shared.sink.now();
        let goes_on = cutter.finish(now, &mut |line| self.record(line, now, backlog, None));
        self.finish(Finished { print: Print::of(cutter.place(now)), written: sibling.written });
        goes_on
    }

    /// The rest of a compressed file that was still being written, as soon as there is more of it. `None` if it does not grow.
    fn completed(&self, sibling: &Sibling, print: &Print) -> Option<Content> {
        let (times, pause) = COMPLETED;
        for _ in 0..times {
            if self.shared.stop.load(Ordering::Relaxed) {
                return None;
            }
            thread::sleep(pause);
            // It may have another name by now. It is open, so its inode is its own.
            let now = self.siblings().into_iter().find(|other| other.inode == sibling.inode)?;
            if now.length != sibling.length
                && let Ok(Some(Found { content: Content::Packed(mut bytes, _), .. })) = rotated::at_place(&now, print)
                && io::copy(&mut bytes, &mut io::sink()).is_ok()
            {
                return rotated::at_place(&now, print).ok().flatten().map(|found| found.content);
            }
        }
        None
    }

    fn siblings(&self) -> Vec<Sibling> {
        rotated::siblings(&self.path, self.shared.entry.olddir.as_deref())
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

    /// Reports that there are newer rotated files, and that it is not known what was between them and the file that was read.
    /// Returns false when nobody listens any more.
    fn lost_between(&self, snapshot: &Snapshot) -> bool {
        let Some((oldest, _)) = snapshot.missed.first() else { return true };
        self.report(format!(
            "{}: the file that was read was deleted before {} was: if it was rotated more than once since it was read, what is between may be lost; keep more rotated files",
            self.path.display(),
            oldest.path.display()
        ))
    }

    /// Reports that the file that was read is not in the folder of rotated files. Returns false if it was deleted.
    fn moved(&mut self) -> bool {
        let Some(now) = self.tail.as_ref().and_then(FileTail::path_now) else { return false };
        if std::mem::replace(&mut self.reported_moved, true) {
            return true;
        }
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

    fn unreadable(&self, sibling: &Sibling, e: &io::Error) -> bool {
        self.report(format!(
            "{}: {} can't be read to its end ({e}): what is in it and was not read is lost",
            self.path.display(),
            sibling.path.display()
        ))
    }
}
