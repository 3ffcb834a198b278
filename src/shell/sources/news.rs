//! Word that something changed in the folders of followed files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use notify::{EventKind, RecursiveMode, Watcher as _};

use super::rotated::folder;

/// Files are looked at so often although nothing was reported: network file systems report nothing.
pub(super) const LOOK_AROUND: Duration = Duration::from_millis(500);

pub(super) struct News {
    changed: Receiver<()>,
    /// Files came, went or were renamed.
    names: Arc<AtomicBool>,
    _watcher: Option<notify::RecommendedWatcher>,
}

impl News {
    /// Of one file, or of all files of a pattern's folder.
    pub(super) fn of(path: &Path, is_pattern: bool) -> News {
        let (sender, changed) = sync_channel(1);
        let names = Arc::new(AtomicBool::new(true));
        // Folders of which the name is a pattern are only looked at.
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
            // An error means that something was not reported: looking is never wrong.
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
        // A link reports nothing of what happens to the file that it leads to.
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

    /// Waits until something is reported, or it is time to look.
    pub(super) fn wait(&self) {
        match self.changed.recv_timeout(LOOK_AROUND) {
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
            // Without a watcher nobody sends: looking around is all there is.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK_AROUND),
        }
    }

    /// True when names may have changed since the last call.
    pub(super) fn names_changed(&self) -> bool {
        self.names.swap(false, Ordering::Relaxed)
    }
}
