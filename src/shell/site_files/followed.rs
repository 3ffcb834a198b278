//! The files that a configuration follows, as they are now: for `check`, and for dry runs of one of them.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::core::config::{Config, DeclaredFormat, Followed};
use crate::core::decode::Lines;
use crate::core::diag::suggest::nearest;
use crate::core::diag::{Code, Diagnostic};
use crate::shell::sources::{Entry, packed};

/// The number of lines of a file that are tried to see whether a format reads any of them.
const FIRST_LINES: usize = 50;
/// The number of files of one entry whose first lines are tried. They are the last ones by name, which are the newest if names
/// are dated.
const FILES_OF_AN_ENTRY: usize = 5;
/// The number of names of a folder that are compared with that of a file that does not exist.
const NAMES_COMPARED: usize = 10_000;

/// Warnings about the followed files, as they are now.
pub fn check(config: &Config, base: &Path) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut listed: BTreeMap<PathBuf, Entry> = BTreeMap::new();
    for file in &config.files {
        let entry = entry(file, base);
        let logs = entry.matches();
        if let Some(why) = entry.mistake() {
            let message = format!("{} is not a pattern of files: {why}", entry.name());
            let help = "`*` and `?` match within a name, `[abc]` one character, `**` alone between two `/` any folders";
            found.push(at(file, Code::BadValue, message).help(help));
        } else if entry.is_pattern() && logs.is_empty() {
            let message = format!("no file matches the pattern {} now", entry.name());
            found.push(at(file, Code::NoFileMatches, message).help("a file that appears later is followed; is the path right?"));
        } else if !entry.is_pattern() && entry.path.symlink_metadata().is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound) {
            let message = format!("there is no file {} now", entry.name());
            found.push(at(file, Code::NoFileMatches, message).help(missing(&entry.path, &file.path)));
        }
        let last = logs.len().saturating_sub(FILES_OF_AN_ENTRY);
        found.extend(file.format.iter().flat_map(|format| logs[last..].iter().filter_map(|log| unread(format, log))));
        found.extend(no_olddir(file, &entry, &logs));
        // A single file is followed before it exists, too.
        let logs = if entry.is_pattern() { logs } else { vec![entry.path.clone()] };
        found.extend(logs.iter().find_map(|log| listed.get(log).map(|earlier| followed_twice(file, log, earlier, &entry))));
        for log in logs {
            listed.entry(log).or_insert_with(|| entry.clone());
        }
    }
    found
}

/// What to do about a file that does not exist: its name may be misspelled, or be meant for a shell.
fn missing(path: &Path, written: &Path) -> String {
    let text = written.to_string_lossy();
    if text.starts_with('~') || text.contains('$') {
        return "write the whole path: no shell replaces `~` and `$`".to_owned();
    }
    let folder = path.ancestors().skip(1).find(|folder| folder.is_dir());
    // Below the last folder that exists, the name that is not there.
    let wrong = folder.and_then(|folder| path.strip_prefix(folder).ok()?.components().next()?.as_os_str().to_str());
    let names = folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let mut names: Vec<String> = names.take(NAMES_COMPARED).filter_map(|name| name.file_name().into_string().ok()).collect();
    names.sort_unstable();
    let near = wrong.and_then(|wrong| Some((nearest(wrong, names.iter().map(String::as_str))?, folder?)));
    let near = near.map(|(name, folder)| format!("did you mean {}? Otherwise ", folder.join(name).display())).unwrap_or_default();
    format!("{near}it is followed from its beginning when it is made")
}

/// A warning about a log that two entries follow: each of its lines would count twice.
fn followed_twice(file: &Followed, log: &Path, earlier: &Entry, later: &Entry) -> Diagnostic {
    let message = format!("{} is followed by two entries, {} and {}", log.display(), earlier.name(), later.name());
    let help = "each of its lines would count twice; write patterns that have no file in common";
    at(file, Code::FollowedTwice, message).help(help)
}

/// A diagnostic at the place of an entry.
fn at(file: &Followed, code: Code, message: String) -> Diagnostic {
    Diagnostic { place: file.place.clone(), ..Diagnostic::whole(code, message) }
}

/// The file patterns that a configuration follows, with the number of files that match each now.
pub fn patterns(config: &Config, base: &Path) -> Vec<(String, usize)> {
    let patterns = config.files.iter().map(|file| entry(file, base)).filter(Entry::is_pattern);
    patterns.map(|entry| (entry.name(), entry.matches().len())).collect()
}

/// The entry of the configuration that follows a log, or the log from which this file was rotated.
pub fn of_log(config: &Config, base: &Path, log: &Path) -> Option<Followed> {
    let log = in_real_folder(log);
    let entry = |file: &Followed| {
        let entry = entry(file, base);
        Entry { path: in_real_folder(&entry.path), ..entry }
    };
    let is_it = |file: &&Followed| entry(file).covers(&log);
    let was_it = |file: &&Followed| entry(file).owns(&log);
    config.files.iter().find(is_it).or_else(|| config.files.iter().find(was_it)).cloned()
}

pub(super) fn entry(file: &Followed, base: &Path) -> Entry {
    let path = base.join(&file.path);
    Entry { path: std::path::absolute(&path).unwrap_or(path), olddir: file.olddir.clone(), ..Entry::default() }
}

/// The path with its folder resolved, without links and `..`. If there is no such folder, the path is unchanged.
pub(super) fn in_real_folder(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// A warning if a format reads none of a file's first lines. There is none for a file that is empty or cannot be read.
fn unread(format: &DeclaredFormat, log: &Path) -> Option<Diagnostic> {
    let mut lines = Lines::new(BufReader::new(packed::open(log).ok()?));
    let (mut first, mut count) = (None, 0_usize);
    while count < FIRST_LINES
        && let Ok(Some(line)) = lines.next_line()
    {
        let text = String::from_utf8_lossy(line.bytes);
        if text.trim().is_empty() {
            continue;
        }
        let misfit = format.form.misfit(&text)?;
        count += 1;
        first.get_or_insert(misfit);
    }
    let misfit = first?;
    let of_lines = if count == 1 { "the first line".to_owned() } else { format!("any of the first {count} lines") };
    let message = format!("the format does not read {of_lines} of {}: in the first, {misfit}", log.display());
    let help = "a line that it does not read is read as if there were no format";
    Some(Diagnostic::new(Code::FormatUnread, format.place.clone(), message).help(help))
}

/// A warning if the folder of an entry's rotated files does not exist.
fn no_olddir(file: &Followed, entry: &Entry, logs: &[PathBuf]) -> Option<Diagnostic> {
    let olddir = entry.olddir.as_ref()?;
    let own = if entry.is_pattern() { logs.last()?.parent()? } else { entry.path.parent()? };
    let folder = own.join(olddir);
    let message =
        format!("there is no folder {}, in which rotated files of {} would be searched", folder.display(), entry.name());
    (!folder.is_dir()).then(|| {
        at(file, Code::NoOlddir, message).help("`olddir` is relative to the folder of the log, as in logrotate's configuration")
    })
}
