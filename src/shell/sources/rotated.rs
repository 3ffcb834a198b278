//! The rotated files of a log, and their order.
//!
//! Tools rename a log (`app.log` to `app.log.1`, to `app.log-20261129`, to `app-20261129.log`) or copy it, and may compress it
//! later. A file is recognized by its content ([`Print`]). Its name only says which files are older and newer.

use std::cmp::Ordering;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::core::base::time::Time;

use super::packed;
use super::reading::{Cutter, FileTail, Print};

/// The maximum number of files of one folder that are considered.
const SIBLINGS: usize = 10_000;
/// The extensions of compressed files.
pub(super) const PACKED: [&str; 6] = ["gz", "zst", "bz2", "xz", "lz4", "Z"];

/// A file beside a log that may be a rotated version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sibling {
    pub(super) path: PathBuf,
    pub(super) inode: u64,
    /// The time of the last change, in nanoseconds.
    pub(super) written: i128,
    pub(super) length: u64,
    /// How its name continues the log's name. `None` if it only begins with the same characters.
    suffix: Option<Suffix>,
    packed: bool,
}

/// How the name of a rotated file continues the log's name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Suffix {
    /// A small number: the larger the number, the older the file.
    Number(Place, u64),
    /// A date, and what distinguishes several files of a day: the larger, the newer.
    Date(Place, Vec<u64>),
    /// A word such as `old` or `bak`.
    Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// `app.log.1`
    Behind,
    /// `app.1.log`
    Before,
}

impl Suffix {
    /// Orders two rotated files by their names, the older first. Returns `None` if the names do not tell.
    fn order(&self, other: &Suffix) -> Option<Ordering> {
        match (self, other) {
            (Suffix::Number(p, a), Suffix::Number(q, b)) if p == q => Some(b.cmp(a)),
            (Suffix::Date(p, a), Suffix::Date(q, b)) if p == q => Some(a.cmp(b)),
            _ => None,
        }
    }
}

impl Sibling {
    /// Orders two files, the older first: by their names, or else by their time of change.
    fn order(&self, other: &Sibling) -> Ordering {
        let by_name = self.suffix.as_ref().zip(other.suffix.as_ref()).and_then(|(a, b)| a.order(b));
        by_name.unwrap_or_else(|| self.written.cmp(&other.written))
    }
}

/// What a file's name adds to the name of the log from which it was rotated. `None` if it is not such a name.
fn suffix(log: &str, name: &str) -> Option<Suffix> {
    let name = unpacked_name(name);
    let behind = name.strip_prefix(log).map(|rest| (Place::Behind, rest));
    let before = || {
        let (stem, ending) = log.rsplit_once('.')?;
        let between = name.strip_prefix(stem)?.strip_suffix(ending)?.strip_suffix('.')?;
        Some((Place::Before, between))
    };
    let (place, rest) = behind.or_else(before)?;
    // A separator is required: `sip2.log` is not a rotated `sip.log`.
    let rest = rest.strip_prefix(['.', '-', '_'])?;
    let groups: Option<Vec<u64>> =
        rest.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).map(|group| group.parse().ok()).collect();
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    match (groups?.as_slice(), rest) {
        ([number], _) if digits == rest.len() && digits < 6 => Some(Suffix::Number(place, *number)),
        (groups, _) if digits >= 6 && rest.chars().all(|c| c.is_ascii_digit() || "-_.T:Z+".contains(c)) => {
            Some(Suffix::Date(place, groups.to_vec()))
        }
        (_, "old" | "bak" | "prev" | "previous" | "last" | "save" | "orig") => Some(Suffix::Word),
        _ => None,
    }
}

/// True if a file of this name is a rotated version of a log of that name.
pub(super) fn is_rotated(log: &str, name: &str) -> bool {
    name != log && (suffix(log, name).is_some() || unpacked_name(name) == log)
}

/// The names of the logs from which a file of this name can have been rotated. Most of them are not there.
pub(super) fn logs_of(name: &str) -> impl Iterator<Item = String> {
    let unpacked = unpacked_name(name);
    let ending = unpacked.rsplit_once('.').map_or("", |(_, ending)| ending);
    let stems = unpacked.match_indices(['.', '-', '_']).map(|(at, _)| &unpacked[..at]);
    let names = stems.flat_map(move |stem| [stem.to_owned(), format!("{stem}.{ending}")]).chain([unpacked.to_owned()]);
    names.filter(move |log| is_rotated(log, name))
}

fn unpacked_name(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((rest, ending)) if PACKED.contains(&ending) => rest,
        _ => name,
    }
}

/// True if two listings of a folder have the same rotated files under the same names. What only begins with the same characters
/// may come and go.
pub(super) fn is_same(a: &[Sibling], b: &[Sibling]) -> bool {
    fn rotated(all: &[Sibling]) -> impl Iterator<Item = (u64, &Path)> {
        all.iter().filter(|s| s.suffix.is_some()).map(|s| (s.inode, s.path.as_path()))
    }
    rotated(a).eq(rotated(b))
}

/// The files whose names begin like the log's name, beside the log and in the folder of its rotated files, in order of their
/// names.
pub(super) fn siblings(log: &Path, olddir: Option<&Path>) -> Vec<Sibling> {
    let Some(own) = log.file_name().map(|n| n.to_string_lossy().into_owned()) else { return Vec::new() };
    let stem = own.split('.').next().unwrap_or(&own).to_owned();
    let folder = folder(log);
    // A link may refer to the folder with the files.
    let target = log.canonicalize().ok().and_then(|t| t.parent().map(Path::to_owned)).filter(|t| *t != folder);
    let old = [Some(&folder), target.as_ref()].map(|beside| beside.zip(olddir).map(|(beside, olddir)| beside.join(olddir)));
    let mut found = Vec::new();
    for folder in [Some(folder), target].into_iter().chain(old).flatten() {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten().take(SIBLINGS);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == own || !name.starts_with(&stem) {
                continue;
            }
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_file() {
                found.push(Sibling {
                    path: entry.path(),
                    inode: meta.ino(),
                    written: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
                    length: meta.len(),
                    packed: unpacked_name(&name) != name,
                    suffix: suffix(&own, &name),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup_by_key(|s| s.inode);
    found
}

/// The folder of a file.
pub(super) fn folder(path: &Path) -> PathBuf {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// The content of a rotated file, from a position on.
pub(super) enum Content {
    /// A file as it was written. A program may still write to it.
    Plain(FileTail),
    Packed(packed::Bytes, Cutter),
}

impl Content {
    /// Opens a rotated file at its beginning.
    ///
    /// # Errors
    /// The errors of the system, and an error for an unsupported compression.
    pub(super) fn open(sibling: &Sibling) -> io::Result<Content> {
        let mut tail = FileTail::open(&sibling.path)?;
        if !tail.is_packed()? {
            return Ok(Content::Plain(tail));
        }
        Ok(Content::Packed(packed::open(&sibling.path)?, Cutter::new(sibling.inode)))
    }

    /// The position from which it is read.
    pub(super) fn at(&self) -> u64 {
        let (Content::Plain(FileTail { cutter, .. }) | Content::Packed(_, cutter)) = self;
        cutter.place(Time::default()).at
    }
}

/// A file in which a log was read up to a position, and its content behind that position.
pub(super) struct Found {
    pub(super) sibling: Sibling,
    pub(super) content: Content,
    /// Whether nothing is behind the position.
    ends: bool,
}

/// Finds, among the files beside a log, the file that was read up to a position. It is recognized by its content, whatever its
/// name is now.
pub(super) fn find(siblings: &[Sibling], print: &Print) -> Option<Found> {
    // Likely candidates come first: the same inode, then uncompressed files, the newest first.
    let mut order: Vec<&Sibling> = siblings.iter().collect();
    order.sort_by_key(|s| (s.inode != print.inode, s.packed, std::cmp::Reverse(s.written)));
    let mut first = None;
    for sibling in order {
        let Ok(Some(found)) = at_place(sibling, print) else { continue };
        // Another file may begin with the same lines. If one is no longer than what was read, nothing is skipped by taking it.
        if sibling.inode == print.inode || found.ends {
            return Some(found);
        }
        first.get_or_insert(found);
    }
    first
}

/// True if a file has the content that was read, and no more.
pub(super) fn is_all_of(sibling: &Sibling, print: &Print) -> bool {
    print.at > 0 && at_place(sibling, print).is_ok_and(|found| found.is_some_and(|found| found.ends))
}

/// A file's content from a position on. `None` if its content before the position is different.
///
/// # Errors
/// The errors of the system, and errors of the compression.
pub(super) fn at_place(sibling: &Sibling, print: &Print) -> io::Result<Option<Found>> {
    let found = |content, ends| Ok(Some(Found { sibling: sibling.clone(), content, ends }));
    if !FileTail::open(&sibling.path)?.is_packed()? {
        return match FileTail::open_at(&sibling.path, print)? {
            Some(tail) => {
                let ends = tail.length() == print.at;
                found(Content::Plain(tail), ends)
            }
            None => Ok(None),
        };
    }
    if print.at == 0 && !print.may_be(sibling.inode, None) {
        return Ok(None);
    }
    let mut bytes = BufReader::new(packed::open(&sibling.path)?);
    let (mut head, mut tail, mut at) = (Vec::new(), Vec::new(), 0_u64);
    let mut chunk = vec![0; 64 * 1024];
    while at < print.at {
        let wanted = usize::try_from(print.at - at).map_or(chunk.len(), |left| left.min(chunk.len()));
        let length = bytes.read(&mut chunk[..wanted])?;
        if length == 0 {
            return Ok(None);
        }
        Print::took(&mut head, &mut tail, &chunk[..length]);
        at += length as u64;
        // The beginning rules out another file without reading all of it.
        if !print.may_begin(&head) {
            return Ok(None);
        }
    }
    if !print.is_at(&head, &tail) {
        return Ok(None);
    }
    let ends = bytes.fill_buf().is_ok_and(|rest| rest.is_empty());
    found(Content::Packed(Box::new(bytes), Cutter::from(sibling.inode, print.at, head, tail)), ends)
}

/// The files that are newer than a rotated file, the oldest first. If that file is unknown, those that were not written before a
/// time in nanoseconds: the times of files that were written one after the other may be equal. A file that exists both compressed
/// and uncompressed is returned once.
pub(super) fn newer(siblings: &[Sibling], than: Option<&Sibling>, written_after: i128) -> Vec<Sibling> {
    let is_newer = |s: &&Sibling| match than {
        Some(than) => s.inode != than.inode && s.order(than) == Ordering::Greater,
        None => s.written >= written_after,
    };
    let mut newer: Vec<Sibling> = siblings.iter().filter(|s| s.suffix.is_some()).filter(is_newer).cloned().collect();
    // Names of two kinds cannot be compared.
    let first = newer.first().and_then(|s| s.suffix.clone());
    let by_name = newer.iter().all(|s| s.suffix.as_ref().zip(first.as_ref()).is_some_and(|(a, b)| a.order(b).is_some()));
    newer.sort_by(|a, b| {
        let order = if by_name { a.order(b) } else { a.written.cmp(&b.written) };
        order.then_with(|| a.packed.cmp(&b.packed))
    });
    newer.dedup_by(|b, a| match (&a.suffix, &b.suffix) {
        (Some(Suffix::Word), _) | (_, Some(Suffix::Word)) => false,
        (a, b) => a == b,
    });
    newer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_is_older() {
        let order = |log: &str, names: &[&str]| -> Vec<String> {
            let of = |(written, name): (usize, &&str)| Sibling {
                path: PathBuf::from(name),
                inode: written as u64 + 10,
                written: 1_000 - written as i128,
                length: 1,
                packed: unpacked_name(name) != *name,
                suffix: suffix(log, name),
            };
            let all: Vec<Sibling> = names.iter().enumerate().map(of).collect();
            newer(&all, None, 0).iter().map(|s| s.path.display().to_string()).collect()
        };
        assert_eq!(
            order("app.log", &["app.log.2.gz", "app.log.10.gz", "app.log.1", "app.log.2", "app.login", "app.log1", "app2.log"]),
            ["app.log.10.gz", "app.log.2", "app.log.1"]
        );
        assert_eq!(
            order("app.log", &["app.log-20261129", "app.log-20261128.zst", "app.log-20261129-1764403200"]),
            ["app.log-20261128.zst", "app.log-20261129", "app.log-20261129-1764403200"]
        );
        assert_eq!(order("app.log", &["app-2026-11-29.log", "app-2026-11-28.log"]), ["app-2026-11-28.log", "app-2026-11-29.log"]);
        // Words are ordered only by the time of change.
        assert_eq!(order("app.log", &["app.log.old", "app.log.bak"]), ["app.log.bak", "app.log.old"]);
        assert!(is_rotated("messages", "messages.gz") && is_rotated("messages", "messages-20260101.xz"));
        for other in ["messages", "messages2", "messages.d", "messages-errors"] {
            assert!(!is_rotated("messages", other), "{other}");
        }
    }
}
