//! The files that match a pattern now.

use std::fs;
use std::path::{Path, PathBuf};

/// The regular files that match a pattern, in any order. `*`, `?` and `[...]` match within one name; `**` alone between two `/`
/// stands for any number of folders. Links to files and folders are followed, but `**` does not go through links to folders, or a
/// loop of links would have no end. A folder that cannot be read has no files.
pub(super) fn files(pattern: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    // A path that is not UTF-8 matches nothing, as in the names of files below.
    let mut parts: Vec<&str> = pattern.to_str().unwrap_or_default().split('/').skip(1).filter(|part| !part.is_empty()).collect();
    parts.dedup_by(|a, b| *a == "**" && *b == "**");
    collect(Path::new("/"), &parts, &mut found);
    found
}

fn collect(folder: &Path, parts: &[&str], found: &mut Vec<PathBuf>) {
    let Some((part, rest)) = parts.split_first() else { return };
    if *part == "**" {
        collect(folder, rest, found);
        for folder in entries(folder, |entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            collect(&folder, parts, found);
        }
        return;
    }
    let mut take = |path: PathBuf| match rest {
        [] if path.is_file() => found.push(path),
        [] => {}
        _ => collect(&path, rest, found),
    };
    if !part.contains(['*', '?', '[']) {
        return take(folder.join(part));
    }
    let Ok(name) = glob::Pattern::new(part) else { return };
    for path in entries(folder, |entry| entry.file_name().to_str().is_some_and(|own| name.matches(own))) {
        take(path);
    }
}

/// What is wanted of a folder. It is closed before any of that is opened: nested folders may be many.
fn entries(folder: &Path, wanted: impl Fn(&fs::DirEntry) -> bool) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().filter(wanted).map(|entry| entry.path()).collect()
}
