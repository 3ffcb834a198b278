//! Reads folders and files as texts, within limits, and reports errors.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::base::limits::{RULE_FILE_BYTES, SOURCE_BYTES};
use crate::core::diag::{Code, Diagnostic, Place, Source};
use crate::shell::linux::accounts::current_user;
use crate::shell::linux::file::{kind_of, open_regular, writable_by_others};

use super::paths;

/// The maximum number of files in one folder, with those in its subfolders.
const FILES: usize = 10_000;
/// The maximum depth of folders, so that a link to a folder above does not cause endless recursion.
const FOLDERS: usize = 16;

/// The files of a folder and its subfolders that have an extension, by name. For a file, the file itself.
pub fn files(path: &Path, extension: &str, found: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    if let Ok(meta) = fs::metadata(path).as_ref()
        && !meta.is_dir()
    {
        found.push(refused(path, &format!("it is {}, and must be a regular file or a folder", kind_of(meta.file_type()))));
        return Vec::new();
    }
    let mut all = Vec::new();
    walk(path, extension, 0, &mut BTreeSet::new(), &mut all, found);
    all.sort();
    all
}

fn walk(
    folder: &Path,
    extension: &str,
    depth: usize,
    seen: &mut BTreeSet<PathBuf>,
    all: &mut Vec<PathBuf>,
    found: &mut Vec<Diagnostic>,
) {
    // A link to a folder that was already visited adds nothing.
    if !seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.to_owned())) {
        return;
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => return found.push(unreadable(folder, &e)),
    };
    for entry in entries.flatten() {
        let path = entry.path();
        // A link that leads nowhere is left by some editors while a file is open.
        let Ok(meta) = fs::metadata(&path) else { continue };
        if meta.is_dir() && depth < FOLDERS {
            walk(&path, extension, depth + 1, seen, all, found);
        } else if path.to_string_lossy().ends_with(&format!(".{extension}")) && !meta.is_dir() {
            if !meta.is_file() {
                found.push(refused(&path, &format!("it is {}, and must be a regular file", kind_of(meta.file_type()))));
                continue;
            }
            if all.len() == FILES {
                let why = format!("it has more than {FILES} files");
                return found.push(refused(folder, &why).help("name the folders or files that you need, not one above them"));
            }
            all.push(path);
        }
    }
}

/// Reads a file as a text and reports errors.
pub fn read(path: &Path, found: &mut Vec<Diagnostic>) -> Option<Arc<Source>> {
    read_up_to(path, SOURCE_BYTES, found)
}

/// Reads a rule file as a text and reports errors.
pub fn read_rules(path: &Path, found: &mut Vec<Diagnostic>) -> Option<Arc<Source>> {
    read_up_to(path, RULE_FILE_BYTES, found)
}

fn read_up_to(path: &Path, most: usize, found: &mut Vec<Diagnostic>) -> Option<Arc<Source>> {
    let file = open_regular(path);
    if let (Ok(_), Some(open)) = (&file, writable_by_others(path)) {
        let message = format!("{} is not read: every user of this machine may change {}", path.display(), open.display());
        found.push(Diagnostic::whole(Code::FileUnreadable, message).help(format!("chmod o-w {}", open.display())));
        return None;
    }
    match file.and_then(|file| bytes_up_to(file, most)) {
        Ok(bytes) => text_up_to(path.display().to_string(), bytes, most, found),
        Err(e) => {
            found.push(unreadable(path, &e));
            None
        }
    }
}

/// The bytes of a rule file, and one more byte if it is too large.
///
/// # Errors
/// When reading fails.
pub fn bytes(from: impl Read) -> io::Result<Vec<u8>> {
    bytes_up_to(from, RULE_FILE_BYTES)
}

fn bytes_up_to(from: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Converts the bytes of a rule file to a text and reports errors.
pub fn text(name: String, bytes: Vec<u8>, found: &mut Vec<Diagnostic>) -> Option<Arc<Source>> {
    text_up_to(name, bytes, RULE_FILE_BYTES, found)
}

fn text_up_to(name: String, bytes: Vec<u8>, most: usize, found: &mut Vec<Diagnostic>) -> Option<Arc<Source>> {
    // A file that is too large gets only that error: the cut may also have split a character.
    if bytes.len() > most {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        return Some(Arc::new(Source { name, text }));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Some(Arc::new(Source { name, text })),
        Err(e) => {
            let at = e.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(e.as_bytes()).into_owned();
            let source = Arc::new(Source { name, text });
            let place = Place { source, bytes: at..at + '\u{FFFD}'.len_utf8() };
            let message = format!("byte {at} is not UTF-8: the file is not read");
            found.push(Diagnostic::new(Code::FileUnreadable, place, message).help("save it as UTF-8"));
            None
        }
    }
}

/// The diagnostic for a file that the system does not let us read.
fn unreadable(path: &Path, e: &io::Error) -> Diagnostic {
    let diagnostic = refused(path, &e.to_string());
    match e.kind() {
        io::ErrorKind::NotFound => diagnostic.help(paths::help_if_missing(path)),
        io::ErrorKind::PermissionDenied => {
            let user = current_user();
            diagnostic.help(format!("allow the user {user} to read it; `namei -l {}` shows who may", path.display()))
        }
        _ => diagnostic,
    }
}

/// The diagnostic for a file that is not read.
fn refused(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::whole(Code::FileUnreadable, format!("{} could not be read: {why}", path.display()))
}
