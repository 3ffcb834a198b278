//! The files that a controller follows. They change with its configuration.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};

use crate::core::base::zone::Zone;
use crate::core::config::{Config, Followed};
use crate::core::control::Input;
use crate::core::site::Current;
use crate::shell::linux;
use crate::shell::sources::{self, Entry, Named, Places, Sink};

/// Followers, by the names of their sources.
#[derive(Default)]
pub(super) struct Following {
    pub(super) followed: BTreeMap<String, Follower>,
    /// Followers that were asked to stop, and whether the thread had ended when the inbox was last read from its beginning. In
    /// that case the inbox contains nothing from it.
    pub(super) leaving: Vec<(String, JoinHandle<()>, bool)>,
    /// The entries to follow from now on.
    pub(super) wanted: Vec<Entry>,
}

/// A thread that follows the files of an entry.
pub(super) struct Follower {
    pub(super) entry: Entry,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) thread: JoinHandle<()>,
}

impl Following {
    /// True for the status of a source that is not followed any more.
    pub(super) fn is_over(&self, input: &Input) -> bool {
        matches!(input, Input::Source { source, .. } if !self.followed.contains_key(source))
    }

    /// Clears the status of sources that are not followed any more, because no follower reports it.
    pub(super) fn unfollowed<'a>(&self, sources: impl Iterator<Item = &'a String>) -> Vec<Input> {
        let over = sources.filter(|source| !self.followed.contains_key(*source));
        over.map(|source| Input::Source { source: source.clone(), away: None }).collect()
    }

    /// Checks, before the inbox is read, which stopping threads have ended.
    pub(super) fn look(&mut self) {
        for (_, thread, ended) in &mut self.leaving {
            *ended = thread.is_finished();
        }
    }

    /// Follows the files of an entry from positions that are on the disk.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(
        &mut self,
        entry: Entry,
        places: Places,
        named: Named,
        current: &Arc<Current>,
        inbox: &(impl Sink + 'static),
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

/// The entries of a configuration whose paths are relative to a folder.
pub(super) fn entries(config: &Config, base: &Path) -> Vec<Entry> {
    let machine = linux::machine_zone().unwrap_or_else(|why| {
        tracing::warn!("{why}");
        Zone::UTC
    });
    let entry = |file: &Followed| {
        // Paths are absolute, so that a position in the journal is found again wherever the program is started.
        let path = std::path::absolute(base.join(&file.path)).unwrap_or_else(|_| base.join(&file.path));
        let format = file.format.as_ref().map(|format| format.form.clone());
        let (host, app, olddir) = (file.host.clone(), file.app.clone(), file.olddir.clone());
        Entry { path, host, app, zone: file.zone, machine, format, olddir }
    };
    config.files.iter().map(entry).collect()
}
