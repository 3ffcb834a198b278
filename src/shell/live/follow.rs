//! The followed files change with the configuration: this decides which followers stop, which start, and in which order.

use std::sync::atomic::Ordering;

use crate::core::control::Input;
use crate::shell::sources::{self, Entry};

use super::controller::Running;

impl Running {
    /// Follows these files from now on, and no others.
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

    /// Starts to follow the wanted files. If a file was followed until now, the new follower starts after everything that the old
    /// one found has been taken, so that nothing is read twice. `all_read` says that the inbox was read to its end.
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
                self.turn(self.clock.now(), Input::Position { source, position }, &mut outputs);
            }
            self.carry_out(outputs)?;
            self.sync()?;
            self.sources.push(named.clone());
            self.following.start(entry, places, named, &self.current, &self.inbox)?;
        }
        Ok(())
    }
}
