//! The files that match a pattern now.

use std::fs;
use std::path::{Path, PathBuf};

/// The regular files that match a pattern, in any order. `*`, `?` and `[...]` match within one name; `**` alone between two `/` stands
/// for any number of folders. Links to files and folders are followed, but `**` does not go through links to folders, or a loop of links
/// would have no end. A folder that cannot be read has no files.
pub(super) fn files(pattern: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    // A path that is not UTF-8 matches nothing, as in the names of files below.
    let parts: Vec<&str> = pattern.to_str().unwrap_or_default().split('/').skip(1).filter(|part| !part.is_empty()).collect();
    collect(Path::new("/"), &parts, &mut found);
    found
}

fn collect(folder: &Path, parts: &[&str], found: &mut Vec<PathBuf>) {
    let Some((part, rest)) = parts.split_first() else { return };
    if *part == "**" {
        collect(folder, rest, found);
        for entry in entries(folder).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            collect(&entry.path(), parts, found);
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
    for entry in entries(folder).filter(|entry| entry.file_name().to_str().is_some_and(|own| name.matches(own))) {
        take(entry.path());
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}
