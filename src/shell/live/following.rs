//! The files that a controller follows: they come and go with its configuration.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::core::base::zone::Zone;
use crate::core::config::{Config, Followed};
use crate::core::control::Input;
use crate::core::site::Current;
use crate::shell::linux;
use crate::shell::sources::{self, Entry, Named, Places};

use super::controller::Running;
use super::inbox::Inbox;

/// Followers, by the names of their sources.
#[derive(Default)]
pub(super) struct Following {
    followed: BTreeMap<String, Follower>,
    /// Told to stop: whether the thread had ended when the inbox was last begun to be read, so that nothing of it is in there.
    leaving: Vec<(String, JoinHandle<()>, bool)>,
    /// To be followed from now on.
    wanted: Vec<Entry>,
}

/// A thread that follows the files of an entry.
struct Follower {
    entry: Entry,
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

    /// Follows the files of an entry from places that are on the disk.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(
        &mut self,
        entry: Entry,
        places: Places,
        named: Named,
        current: &Arc<Current>,
        inbox: &Inbox,
    ) -> Result<(), String> {
        let stop = Arc::new(AtomicBool::new(false));
        let name = named.name.clone();
        let work = {
            let (entry, current, inbox, stop) = (entry.clone(), current.clone(), inbox.clone(), stop.clone());
            move || sources::follow(&entry, places, &current, &inbox, &named, &stop)
        };
        let thread = thread::Builder::new().name("file".to_owned()).spawn(work);
        let thread = thread.map_err(|e| format!("no thread can be started: {e}"))?;
        self.followed.insert(name, Follower { entry, stop, thread });
        Ok(())
    }
}

/// What is followed by a configuration whose paths are relative to a folder.
pub(super) fn entries(config: &Config, base: &Path) -> Vec<Entry> {
    let machine = linux::machine_zone().unwrap_or_else(|why| {
        tracing::warn!("{why}");
        Zone::UTC
    });
    let entry = |file: &Followed| {
        // A place in the journal is found again from wherever the program is started.
        let path = std::path::absolute(base.join(&file.path)).unwrap_or_else(|_| base.join(&file.path));
        Entry { path, host: file.host.clone(), app: file.app.clone(), zone: file.zone, machine }
    };
    config.files.iter().map(entry).collect()
}

impl Running {
    /// These files are followed from now on, and no others.
    pub(super) fn follow_only(&mut self, entries: Vec<Entry>) {
        let known = &self.following.followed;
        let over: Vec<String> =
            known.iter().filter(|(_, follower)| !entries.contains(&follower.entry)).map(|(name, _)| name.clone()).collect();
        for name in over {
            if let Some(follower) = self.following.followed.remove(&name) {
                follower.stop.store(true, Ordering::Relaxed);
                self.sources.retain(|s| s.name != name);
                self.own.push(Input::Source { source: name.clone(), away: None });
                self.following.leaving.push((name, follower.thread, false));
            }
        }
        let known = &self.following.followed;
        self.following.wanted = entries.into_iter().filter(|entry| !known.contains_key(&entry.name())).collect();
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
        let (later, now): (Vec<Entry>, Vec<Entry>) =
            std::mem::take(&mut self.following.wanted).into_iter().partition(|entry| leaving.contains(&&entry.name()));
        self.following.wanted = later;
        for entry in now {
            let named = entry.named();
            named.arrivals.recall(self.offsets_of(&named.name));
            let (places, new) = sources::places(&entry, self.positions(), self.clock.now());
            let mut outputs = Vec::new();
            for (source, position) in new {
                self.controller.turn(self.clock.now(), Input::Position { source, position }, &mut outputs);
            }
            self.carry_out(outputs)?;
            self.sync()?;
            self.sources.push(named.clone());
            self.following.start(entry, places, named, &self.current, &self.inbox)?;
        }
        Ok(())
    }
}
