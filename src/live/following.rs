//! The files that a controller follows: they come and go with its configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::control::Input;
use crate::journal::Position;
use crate::site::Current;
use crate::sources::{self, Named};

use super::controller::{Inbox, Running};

/// Followers, by the names of their sources.
#[derive(Default)]
pub(super) struct Following {
    followed: BTreeMap<String, Follower>,
    /// Told to stop: whether the thread had ended when the inbox was last begun to be read, so that nothing of it is in there.
    leaving: Vec<(String, JoinHandle<()>, bool)>,
    /// To be followed from now on.
    wanted: Vec<PathBuf>,
}

/// A thread that follows a file.
struct Follower {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Following {
    /// What a source says that is not followed any more says nothing of what is.
    pub(super) fn is_over(&self, input: &Input) -> bool {
        matches!(input, Input::Source { source, .. } if !self.followed.contains_key(source))
    }

    /// These are not followed, and nobody says any more whether they can be read.
    pub(super) fn unfollowed<'a>(&self, sources: impl Iterator<Item = &'a String>) -> Vec<Input> {
        let over = sources.filter(|source| !self.followed.contains_key(*source));
        over.map(|source| Input::Source { source: source.clone(), away: None }).collect()
    }

    /// Before the inbox is read: which threads have said all that they had to say?
    pub(super) fn look(&mut self) {
        for (_, thread, ended) in &mut self.leaving {
            *ended = thread.is_finished();
        }
    }

    /// Follows a file from a place that is on the disk.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(
        &mut self,
        path: &Path,
        from: Position,
        named: Named,
        current: &Arc<Current>,
        inbox: &Inbox,
    ) -> Result<(), String> {
        let stop = Arc::new(AtomicBool::new(false));
        let name = named.name.clone();
        let work = {
            let (path, current, inbox, stop) = (path.to_owned(), current.clone(), inbox.clone(), stop.clone());
            move || sources::follow(&path, from, &current, &inbox, &named, &stop)
        };
        let thread = thread::Builder::new().name("file".to_owned()).spawn(work);
        let thread = thread.map_err(|e| format!("no thread can be started: {e}"))?;
        self.followed.insert(name, Follower { stop, thread });
        Ok(())
    }
}

/// What the source of a file is called.
pub(super) fn named(path: &Path) -> Named {
    Named { name: path.display().to_string(), counts: Arc::default() }
}

impl Running {
    /// These files are followed from now on, and no others.
    pub(super) fn follow_only(&mut self, files: &[PathBuf]) {
        let names: Vec<String> = files.iter().map(|f| named(f).name).collect();
        let over: Vec<String> = self.following.followed.keys().filter(|name| !names.contains(name)).cloned().collect();
        for name in over {
            if let Some(follower) = self.following.followed.remove(&name) {
                follower.stop.store(true, Ordering::Relaxed);
                self.sources.retain(|s| s.name != name);
                self.own.push(Input::Source { source: name.clone(), away: None });
                self.following.leaving.push((name, follower.thread, false));
            }
        }
        let known = &self.following.followed;
        self.following.wanted = files.iter().filter(|f| !known.contains_key(&named(f).name)).cloned().collect();
    }

    /// Begins to follow what is wanted. One that was followed just now is read on when all that its old follower found is known:
    /// nothing is read twice. `all_read`: the inbox was read to its end.
    ///
    /// # Errors
    /// When the disk refuses, or no thread can be started.
    pub(super) fn begin_to_follow(&mut self, all_read: bool) -> Result<(), String> {
        if self.following.wanted.is_empty() && self.following.leaving.is_empty() {
            return Ok(());
        }
        self.following.leaving.retain(|(_, _, ended)| !(*ended && all_read));
        let leaving: Vec<&String> = self.following.leaving.iter().map(|(name, ..)| name).collect();
        let (later, now): (Vec<PathBuf>, Vec<PathBuf>) =
            std::mem::take(&mut self.following.wanted).into_iter().partition(|f| leaving.contains(&&named(f).name));
        self.following.wanted = later;
        for path in now {
            let named = named(&path);
            let from = match self.position(&named.name) {
                Some(known) => known,
                None => {
                    let position = sources::place(&path);
                    let mut outputs = Vec::new();
                    let input = Input::Position { source: named.name.clone(), position };
                    self.controller.turn(self.clock.now(), input, &mut outputs);
                    self.carry_out(outputs)?;
                    position
                }
            };
            self.sync()?;
            self.sources.push(named.clone());
            self.following.start(&path, from, named, &self.current, &self.inbox)?;
        }
        Ok(())
    }
}
