//! Notifications about files that an administrator changes. Editors write several times, so a notification waits until they have
//! finished.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};

/// How long there must be no change before the notification is sent.
const QUIET: Duration = Duration::from_millis(400);
/// The maximum number of waits for this. If something is written all the time, a notification is sent at intervals.
const WAITS: u32 = 25;
/// The extensions of the files that matter.
const ENDINGS: [&str; 3] = ["alarm", "rhai", "yaml"];

/// Files that are watched until this is dropped.
pub struct FileWatch {
    _watcher: notify::RecommendedWatcher,
}

/// Watches a file, and folders with everything in them. `changed` is called on a separate thread.
///
/// # Errors
/// Returns a text that says what cannot be watched, and why.
pub fn watch(file: &Path, folders: &[PathBuf], changed: impl Fn() + Send + 'static) -> Result<FileWatch, String> {
    let (sender, word) = sync_channel::<()>(1);
    let matters = |path: &Path| {
        // A folder that appears or disappears contains files. A mounted set of files is replaced by one link, `..data`.
        let ending = path.extension().and_then(|e| e.to_str());
        ending.is_none_or(|e| ENDINGS.contains(&e)) || path.file_name().is_some_and(|n| n == "..data")
    };
    let mut watcher = notify::recommended_watcher(move |event: Result<notify::Event, notify::Error>| {
        // An error means that a notification may be missing. Checking is always safe.
        if event.as_ref().map_or(true, |e| !e.kind.is_access() && e.paths.iter().any(|p| matters(p))) {
            let _ = sender.try_send(());
        }
    })
    .map_err(|e| format!("files can't be watched: {e}"))?;
    let beside = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut all = vec![(beside, RecursiveMode::NonRecursive)];
    for folder in folders {
        if folder.is_dir() {
            all.push((folder, RecursiveMode::Recursive));
        } else if let Some(parent) = folder.parent() {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            all.push((parent, RecursiveMode::NonRecursive));
        }
    }
    // A folder that is watched recursively is not watched again without its subfolders.
    all.sort_by_key(|(path, mode)| (path.to_owned(), *mode == RecursiveMode::NonRecursive));
    all.dedup_by_key(|(path, _)| *path);
    for (path, mode) in all {
        watcher
            .watch(path, mode)
            .map_err(|e| format!("{} can't be watched: {e} (`fs.inotify.max_user_watches` may be too small)", path.display()))?;
    }
    let pass_on = move || {
        while word.recv().is_ok() {
            for _ in 0..WAITS {
                if matches!(word.recv_timeout(QUIET), Err(RecvTimeoutError::Timeout)) {
                    break;
                }
            }
            changed();
        }
    };
    thread::Builder::new().name("watch".to_owned()).spawn(pass_on).map_err(|e| format!("no thread can be started: {e}"))?;
    Ok(FileWatch { _watcher: watcher })
}
