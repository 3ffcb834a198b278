//! Notifications that something changed in the folders of followed files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use notify::{EventKind, RecursiveMode, Watcher as _};

use super::rotated::folder;

/// How often files are checked even without a notification. Network file systems send none.
pub(super) const LOOK_AROUND: Duration = Duration::from_millis(500);

pub(super) struct News {
    changed: Receiver<()>,
    /// Whether files appeared, disappeared or were renamed.
    names: Arc<AtomicBool>,
    _watcher: Option<notify::RecommendedWatcher>,
}

impl News {
    /// Watches one file, or all files in the folder of a pattern.
    pub(super) fn of(path: &Path, is_pattern: bool) -> News {
        let (sender, changed) = sync_channel(1);
        let names = Arc::new(AtomicBool::new(true));
        // A folder whose name is a pattern cannot be watched. It is checked regularly instead.
        let plain = |p: &&Path| !p.to_string_lossy().contains(['*', '?', '[']);
        let watched = path.ancestors().skip(1).find(plain).map_or_else(|| folder(path), Path::to_owned);
        let watched = if watched.as_os_str().is_empty() { PathBuf::from(".") } else { watched };
        let own = [Some(path.to_owned()), path.canonicalize().ok()].map(|p| p.and_then(|p| p.file_name().map(PathBuf::from)));
        let is_ours = move |event: &notify::Event| {
            let ours = |p: &PathBuf| p.file_name().is_some_and(|n| own.iter().flatten().any(|own| own.as_os_str() == n));
            is_pattern || event.paths.iter().any(ours)
        };
        let renamed = names.clone();
        let watcher = notify::recommended_watcher(move |event: Result<notify::Event, notify::Error>| {
            // An error means that a notification may be missing. Checking is always safe.
            let moves = |e: &notify::Event| {
                matches!(
                    e.kind,
                    EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(notify::event::ModifyKind::Name(_))
                )
            };
            if event.as_ref().map_or(true, moves) {
                renamed.store(true, Ordering::Relaxed);
            }
            if event.as_ref().map_or(true, |e| !e.kind.is_access() && is_ours(e)) {
                let _ = sender.try_send(());
            }
        });
        // A watch on a link does not report changes of the file that it refers to.
        let leads_to = path.canonicalize().ok().and_then(|p| Some(p.parent()?.to_owned())).filter(|f| *f != watched);
        let watcher = watcher.and_then(|mut w| {
            w.watch(&watched, RecursiveMode::NonRecursive)?;
            if let Some(other) = &leads_to {
                w.watch(other, RecursiveMode::NonRecursive)?;
            }
            Ok(w)
        });
        if let Err(e) = &watcher {
            tracing::warn!(
                "{} can't be watched ({e}); its files are looked at every {} ms (`fs.inotify.max_user_watches` may be too small)",
                watched.display(),
                LOOK_AROUND.as_millis()
            );
        }
        News { changed, names, _watcher: watcher.ok() }
    }

    /// Waits for a notification, or until the next regular check.
    pub(super) fn wait(&self) {
        match self.changed.recv_timeout(LOOK_AROUND) {
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
            // Without a watcher there are no notifications, only regular checks.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK_AROUND),
        }
    }

    /// True if names may have changed since the last call.
    pub(super) fn names_changed(&self) -> bool {
        self.names.swap(false, Ordering::Relaxed)
    }
}
