//! Followed files: through growth, rotation, truncation, and restarts of the program.
//!
//! ```text
//!   entry: a path or a pattern --> Log for each file --lines--> Sieve: decode, match --> Sink
//!                                    | current file: reading.rs (cut into records, recognized by its content)
//!                                    | rotated files: catch_up.rs (which were missed), rotated.rs (names and their order),
//!                                    |   packed.rs (gzip, Zstandard, xz)
//! ```
//!
//! The journal records what was read together with its results. After a restart, reading therefore continues after the last
//! record, wherever the file is by then. What was written meanwhile is a backlog. Without a known position, reading begins at the
//! end, because what was written before the first start is old. A file that matches a pattern later is read from its beginning.
//! Files that are no longer written are closed. A file that was read and cannot be read any more is reported as away, after a
//! delay that covers log rotation.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::core::base::limits::{FOLLOWED_FILES, SOURCE_AWAY_AFTER};
use crate::core::base::time::Time;
use crate::core::control::Input;
use crate::core::journal::Position;
use crate::core::site::Current;

use super::entry::{Entry, Places};
use super::log::{Log, Shared};
use super::news::{LOOK_AROUND, News};
use super::reading::{FileTail, Print};
use super::{Named, Sink, packed};

/// A file of a pattern is closed if it was not written for this time. It is opened again when it grows.
const LET_GO: Duration = Duration::from_secs(600);
/// The maximum number of files that are remembered after they were read and renamed.
const REMEMBERED: usize = 1_000;

/// Follows the files of an entry until `stop`.
pub fn follow(entry: &Entry, places: Places, current: &Arc<Current>, sink: &impl Sink, named: &Named, stop: &AtomicBool) {
    // What is written after a position that was just determined is not a backlog.
    let backlog = places.known;
    let is_pattern = entry.is_pattern();
    let news = News::of(&entry.path, is_pattern);
    let shared = Shared { entry, named, current, sink, stop, chunk: RefCell::default() };
    let mut follower = Follower {
        shared: &shared,
        is_pattern,
        was_read: places.of.values().any(|place| *place != Position::default()),
        known: places.of,
        logs: Vec::new(),
        listed_at: Time::MIN,
        reported_too_many: false,
        unread_since: None,
        said: None,
    };
    let mut goes_on = follower.list(backlog) && follower.read_on(backlog) && follower.look_after_it();
    goes_on = goes_on && sink.send(Input::BacklogEnded { source: named.name.clone() });
    while goes_on && !stop.load(Ordering::Relaxed) {
        news.wait();
        // What is written after the stop belongs to the next follower of the file.
        if !stop.load(Ordering::Relaxed) {
            let due = sink.now().since(follower.listed_at) >= LOOK_AROUND || news.names_changed();
            goes_on = (!due || follower.list(false)) && follower.read_on(false) && follower.look_after_it();
        }
    }
}

struct Follower<'a, S> {
    shared: &'a Shared<'a, S>,
    is_pattern: bool,
    /// The positions of files that are not being read now.
    known: BTreeMap<PathBuf, Position>,
    /// The logs, in the order in which they are read.
    logs: Vec<Log<'a, S>>,
    listed_at: Time,
    reported_too_many: bool,
    /// Whether it could be read, in this run of the program or an earlier one.
    was_read: bool,
    unread_since: Option<Time>,
    /// The last reported status. An earlier run may have reported another one.
    said: Option<Said>,
}

#[derive(Clone, Copy, PartialEq)]
enum Said {
    Away,
    Back,
}

impl<S: Sink> Follower<'_, S> {
    /// Updates the list of files, and their order. Returns false when nobody listens any more.
    fn list(&mut self, backlog: bool) -> bool {
        self.listed_at = self.shared.sink.now();
        if !self.is_pattern {
            if self.logs.is_empty() {
                let path = self.shared.entry.path.clone();
                let place = self.known.remove(&path).unwrap_or_default();
                let mut log = Log::new(self.shared, path);
                let goes_on = log.begin(place, backlog);
                self.logs.push(log);
                return goes_on;
            }
            return true;
        }
        let mut now = self.shared.entry.pattern_matches();
        if now.len() > FOLLOWED_FILES {
            now.drain(..now.len() - FOLLOWED_FILES);
            let text = format!(
                "{}: more than {FOLLOWED_FILES} files match; those whose names come last are followed, and the others are not; move or delete old files, or write narrower patterns in entries of their own",
                self.shared.named.name
            );
            if !std::mem::replace(&mut self.reported_too_many, true)
                && !self.shared.sink.send(Input::Gap { source: self.shared.named.name.clone(), text })
            {
                return false;
            }
        }
        let places: BTreeMap<&Path, usize> = now.iter().enumerate().map(|(at, path)| (path.as_path(), at)).collect();
        let followed: BTreeSet<PathBuf> = self.logs.iter().map(|log| log.path.clone()).collect();
        let mut being_read: BTreeSet<u64> = self.logs.iter().flat_map(Log::inodes).collect();
        for path in now.iter().filter(|path| !followed.contains(*path)) {
            // If the file was renamed while it is being read, the log that reads it already has it.
            let inode = FileTail::open(path).map(|tail| tail.inode()).ok();
            if inode.is_some_and(|inode| being_read.contains(&inode)) {
                continue;
            }
            let place = self.known.remove(path).or_else(|| self.renamed(path, inode)).unwrap_or_default();
            let mut log = Log::new(self.shared, path.clone());
            if !log.begin(place, backlog) {
                return false;
            }
            being_read.extend(log.inodes());
            self.logs.push(log);
        }
        // In the order of the names. Those that are gone come first: they are older than what took their place.
        self.logs.sort_by_key(|log| places.get(log.path.as_path()).copied());
        self.drop_those_that_are_gone(&places)
    }

    /// The position of a file that had another name when it was read.
    fn renamed(&mut self, path: &Path, inode: Option<u64>) -> Option<Position> {
        let mut known = self.known.values().filter(|place| Some(place.file) == inode && place.at > 0);
        known.find(|place| matches!(FileTail::open_at(path, &Print::of(**place)), Ok(Some(_)))).copied()
    }

    /// Reads files that have disappeared without a rotation to their end and forgets them.
    fn drop_those_that_are_gone(&mut self, now: &BTreeMap<&Path, usize>) -> bool {
        let at = self.shared.sink.now();
        let (stay, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut self.logs).into_iter().partition(|log| {
            now.contains_key(log.path.as_path()) || log.path.exists() || at.since(log.read_at) < SOURCE_AWAY_AFTER
        });
        self.logs = stay;
        for mut log in gone {
            if !log.read_on(false) || !log.let_go() {
                return false;
            }
            let source = log.path.display().to_string();
            // The file may return under another name that matches.
            self.known.insert(log.path.clone(), log.place());
            if self.known.len() > REMEMBERED {
                self.known.pop_first();
            }
            if !self.shared.sink.send(Input::Forget { source }) {
                return false;
            }
        }
        true
    }

    fn read_on(&mut self, backlog: bool) -> bool {
        let now = self.shared.sink.now();
        for log in &mut self.logs {
            if self.shared.stop.load(Ordering::Relaxed) {
                return true;
            }
            if self.is_pattern && !log.is_open() {
                let place = log.place();
                let grown = std::fs::metadata(&log.path).is_ok_and(|meta| meta.len() != place.at);
                if place != Position::default() && (!grown || !log.begin(place, backlog)) {
                    continue;
                }
            }
            if !log.read_on(backlog) {
                return false;
            }
            if self.is_pattern && now.since(log.read_at) >= LET_GO && !log.let_go() {
                return false;
            }
        }
        true
    }

    /// Reports when the files cannot be read any more, and when they can again. Returns false when nobody listens any more.
    fn look_after_it(&mut self) -> bool {
        let entry = self.shared.entry;
        let trouble = self.logs.iter_mut().find_map(|log| log.trouble.take());
        let gone = || match self.is_pattern {
            true => self.logs.is_empty().then(|| "no file matches it".to_owned()),
            // A pipe or a folder in its place is not a log.
            false => packed::is_regular(&entry.path).err().map(|e| e.to_string()),
        };
        let Some(why) = trouble.or_else(gone) else {
            self.unread_since = None;
            self.was_read |= self.logs.iter().any(Log::is_open);
            return self.say(Said::Back, None);
        };
        let now = self.shared.sink.now();
        let since = *self.unread_since.get_or_insert(now);
        !self.was_read || now.since(since) < SOURCE_AWAY_AFTER || self.say(Said::Away, Some(why))
    }

    fn say(&mut self, said: Said, away: Option<String>) -> bool {
        if self.said.replace(said) == Some(said) {
            return true;
        }
        self.shared.sink.send(Input::Source { source: self.shared.named.name.clone(), away })
    }
}
