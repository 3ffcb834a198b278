//! What is followed: a file or a pattern of files, with its settings in the configuration and the positions from which the files
//! are read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use glob::MatchOptions;

use crate::core::base::time::Time;
use crate::core::base::zone::Zone;
use crate::core::decode::{Decoder, LineFormat};
use crate::core::journal::Position;
use crate::core::site::{Arrivals, Sieve, Stamps};

use super::{Named, pattern, reading, rotated};

/// An entry of `files:`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The file, or a pattern of files. The path is absolute, so that a position in the journal is valid wherever the program is
    /// started.
    pub path: PathBuf,
    /// The host of records that name none. Empty if there is no default.
    pub host: String,
    /// The application of records that name none. Empty if there is no default.
    pub app: String,
    /// The time zone of stamps without a zone, if the configuration sets it.
    pub zone: Option<Zone>,
    /// This machine's time zone, which is the default.
    pub machine: Zone,
    /// The format of its lines, if the configuration sets it.
    pub format: Option<LineFormat>,
    /// The folder to which its rotated files are moved, relative to the file's own folder.
    pub olddir: Option<PathBuf>,
}

impl Entry {
    /// An entry for one file.
    pub fn new(path: impl Into<PathBuf>) -> Entry {
        Entry { path: path.into(), ..Entry::default() }
    }

    /// True if several files may match. A follower decides this once, or a file that is named like the pattern would turn the
    /// pattern into a single file.
    pub fn is_pattern(&self) -> bool {
        self.path.to_string_lossy().contains(['*', '?', '[']) && !self.path.exists()
    }

    /// The name of the source.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The source, with counters.
    pub fn named(&self) -> Named {
        let stamps = if self.zone.is_some() { Stamps::Stated } else { Stamps::Assumed };
        Named { name: self.name(), arrivals: Arrivals::of(stamps), zone: self.zone, ..Named::default() }
    }

    /// The sieve that decodes one of its files.
    pub(super) fn sieve(&self, named: &Named, current: &std::sync::Arc<crate::core::site::Current>) -> Sieve {
        let decoder = Decoder::new().in_zone(self.machine);
        named.sieve(
            current,
            match &self.format {
                Some(format) => decoder.with_format(format.clone()),
                None => decoder,
            },
        )
    }

    /// The files that match now, in the order in which they are read. Numbers in names are compared by value, so that the older
    /// of two files with dated names comes first. Rotated versions of another matching file and compressed files are left out.
    pub fn matches(&self) -> Vec<PathBuf> {
        match self.is_pattern() {
            true => self.pattern_matches(),
            false => self.path.exists().then(|| self.path.clone()).into_iter().collect(),
        }
    }

    /// The files that match the path as a pattern, even if a file has that very name.
    pub(super) fn pattern_matches(&self) -> Vec<PathBuf> {
        let found: BTreeSet<PathBuf> = pattern::files(&self.path).into_iter().collect();
        let is_log = |path: &&PathBuf| {
            let packed = path.extension().is_some_and(|e| rotated::PACKED.iter().any(|packed| e == *packed));
            !packed && !rotated::logs_of(name_of(path)).any(|log| found.contains(&path.with_file_name(log)))
        };
        let mut logs: Vec<PathBuf> = found.iter().filter(is_log).cloned().collect();
        logs.sort_by_cached_key(|path| (natural(&path.to_string_lossy()), path.clone()));
        logs
    }

    /// True if this entry follows a file with this path, or if the path is a rotated version of such a file.
    pub fn owns(&self, path: &Path) -> bool {
        if self.covers(path) {
            return true;
        }
        let name = name_of(path);
        let Some(folder) = path.parent() else { return false };
        let is_log = |log: &str| {
            let beside = self.covers(&folder.join(log));
            let moved = || {
                let olddir = self.olddir.as_ref()?;
                let own = self.path.parent()?;
                // In `log/old`, rotated files of `log/app.log` are found by the part of the path after the log's folder.
                let of = if olddir.is_absolute() { own } else { folder.ancestors().find(|of| of.join(olddir) == folder)? };
                (of.join(olddir) == folder && self.covers(&of.join(log))).then_some(())
            };
            rotated::is_rotated(log, name) && (beside || moved().is_some())
        };
        is_log(name_of(&self.path)) || name.match_indices(['.', '-', '_']).any(|(at, _)| is_log(&name[..at]))
    }

    /// Why its pattern can match nothing, such as a bracket that is not closed.
    pub fn mistake(&self) -> Option<String> {
        let pattern = self.is_pattern().then(|| glob::Pattern::new(&self.path.to_string_lossy()))?;
        pattern.err().map(|e| e.msg.to_owned())
    }

    /// True if this entry follows a file with this path.
    pub fn covers(&self, path: &Path) -> bool {
        let within_names = MatchOptions { require_literal_separator: true, ..MatchOptions::default() };
        let is_match = |pattern: glob::Pattern| pattern.matches_path_with(path, within_names);
        path == self.path || glob::Pattern::new(&self.path.to_string_lossy()).is_ok_and(is_match)
    }
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// A name with its numbers as numbers, for comparison.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let end = rest[digits..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |end| digits + end);
        parts.push((rest[..digits].to_owned(), rest[digits..end].parse().unwrap_or(u64::MAX)));
        rest = &rest[end..];
    }
    parts
}

/// The positions from which the files of an entry are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The position in each file. A file without a position is read from its beginning.
    pub(super) of: BTreeMap<PathBuf, Position>,
    /// Whether the files were followed before. What was written since then is a backlog.
    pub(super) known: bool,
}

/// The positions from which the files of an entry are read, according to the journal. The second value has the positions that the
/// journal does not know yet. They must be on the disk before anything is read, or a crash would change them.
///
/// A file that was never followed is read from its end, because what was written before the first start is old. A file that does
/// not exist yet, and a file that matches a pattern later, is read from its beginning.
pub fn places(entry: &Entry, known: &BTreeMap<String, Position>, now: Time) -> (Places, Vec<(String, Position)>) {
    let name = entry.name();
    let end = |path: &Path| reading::end_of(path, now).unwrap_or_default();
    if !entry.is_pattern() {
        let place = known.get(&name).copied();
        let is_known = place.is_some();
        let new = if is_known { Vec::new() } else { vec![(name, end(&entry.path))] };
        let place = place.or(new.first().map(|(_, place)| *place)).unwrap_or_default();
        return (Places { of: [(entry.path.clone(), place)].into(), known: is_known }, new);
    }
    let mut of: BTreeMap<PathBuf, Position> = known
        .iter()
        .filter(|(path, _)| entry.covers(Path::new(path)))
        .map(|(path, place)| (PathBuf::from(path), *place))
        .collect();
    of.remove(&entry.path);
    if known.contains_key(&name) {
        return (Places { of, known: true }, Vec::new());
    }
    let mut new = vec![(name, Position::default())];
    for path in entry.matches() {
        of.entry(path.clone()).or_insert_with(|| {
            let place = end(&path);
            new.push((path.display().to_string(), place));
            place
        });
    }
    (Places { of, known: false }, new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_by_their_numbers() {
        let mut names = ["sip.20261129_101010_123.log", "sip.20261128_235959_999.log", "sip.9.log", "sip.10.log"];
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(names, ["sip.9.log", "sip.10.log", "sip.20261128_235959_999.log", "sip.20261129_101010_123.log"]);
    }
}
