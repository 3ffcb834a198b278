//! Word of files that an administrator changes. Editors write several times: they are left to come to an end.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};

/// Nothing may have happened for so long before the word is passed on.
const QUIET: Duration = Duration::from_millis(400);
/// Waits for quiet, at most: where something is written without end, the word is passed on now and then.
const WAITS: u32 = 25;
/// What the files are called that matter.
const ENDINGS: [&str; 3] = ["alarm", "rhai", "yaml"];

/// Files that are watched until this is dropped.
pub struct FileWatch {
    _watcher: notify::RecommendedWatcher,
}

/// Watches a file, and folders with all that is in them; `changed` is called on a thread of its own.
///
/// # Errors
/// In words: what can't be watched, and why.
pub fn watch(file: &Path, folders: &[PathBuf], changed: impl Fn() + Send + 'static) -> Result<FileWatch, String> {
    let (sender, word) = sync_channel::<()>(1);
    let matters = |path: &Path| {
        // A folder that came or went has files in it; a mounted set of files is exchanged by one link, `..data`.
        let ending = path.extension().and_then(|e| e.to_str());
        ending.is_none_or(|e| ENDINGS.contains(&e)) || path.file_name().is_some_and(|n| n == "..data")
    };
    let mut watcher = notify::recommended_watcher(move |event: Result<notify::Event, notify::Error>| {
        // An error means that something was not told: looking is never wrong.
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
    // What is watched with all that is in it is not watched again without.
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
