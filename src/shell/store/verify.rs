//! Reads a journal from its beginning to its end and checks its consistency, also while the controller runs.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::end::End;
use super::reader::{Folded, JournalReader};
use super::{Error, end, snapshot};

/// The maximum number of errors that are kept. Further ones are only counted.
const MISTAKES: usize = 1_000;

/// The result of checking a journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The number of records that were read.
    pub records: u64,
    /// The number of snapshots that equal the fold of the records up to them.
    pub snapshots: u64,
    /// Descriptions of what is wrong.
    pub wrong: Vec<String>,
    /// The number of errors that `wrong` has no room for.
    pub more: u64,
}

impl Verified {
    fn found(&mut self, what: String) {
        if self.wrong.len() < MISTAKES { self.wrong.push(what) } else { self.more += 1 }
    }
}

impl super::Journal {
    /// Reads everything and checks it: the structure of the file, every record against the chain, the numbers for gaps, every
    /// snapshot against the fold of the records before it, and the end of the journal against the end file.
    ///
    /// # Errors
    /// When there is no journal, or it cannot be read at all. The result describes what is wrong with it.
    pub fn verify(folder: &Path) -> Result<Verified, Error> {
        // The end file is read first: what is written meanwhile comes after that end.
        let known = end::read(folder);
        let reader = match JournalReader::open(folder) {
            Ok(reader) => reader,
            Err(_) if matches!(known, Ok(Some(end)) if end.n > 0) && !folder.join("journal.db").exists() => {
                return Ok(Verified {
                    wrong: vec!["the database is missing, and journal.end knows of records".to_owned()],
                    ..Verified::default()
                });
            }
            Err(e) => return Err(e),
        };
        let mut found = Verified::default();
        match reader.connection().query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)) {
            Ok(said) if said == "ok" => {}
            Ok(said) => found.found(format!("the file's structure is damaged: {said}")),
            Err(e) => found.found(format!("the file's structure is damaged: {e}")),
        }
        let end = known.as_ref().ok().copied().flatten().unwrap_or_default();
        let records = check_records(&reader, folder, end, &mut found);
        match (&known, records) {
            (_, None) => {}
            (Ok(None), _) if reader.is_earlier() => {}
            (Ok(None), Some((last, _))) if last.last > 0 => {
                found.found("journal.end is missing: whether the newest records are there is not known".to_owned());
            }
            (Ok(None), Some(_)) => {}
            (Ok(Some(end)), Some((last, at_end))) => {
                if last.last < end.n {
                    found.found(format!(
                        "records {} to {} are missing: they were written and acted on (journal.end)",
                        last.last + 1,
                        end.n
                    ));
                } else if end.n > 0 && at_end.is_some_and(|chain| chain != end.chain) {
                    found.found(format!("record {} is not the one that was written there (journal.end)", end.n));
                }
            }
            (Err(why), Some(_)) => found.found(format!("journal.end is damaged: {why}")),
        }
        Ok(found)
    }
}

/// Checks every record against the chain and nothing else. This is fast enough to do beside a start, which reads only the records
/// after the newest snapshot. Returns the first error, if there is one.
///
/// # Errors
/// When there is no journal, or it cannot be read.
pub fn check_chain(folder: &Path) -> Result<Option<String>, Error> {
    let reader = JournalReader::open(folder)?;
    let mut before: Option<(u64, u32)> = (reader.kept_from == 1).then_some((0, 0));
    let mut wrong = None;
    reader.rows(1, &mut |row| {
        let n = row.n;
        wrong = match (&row.line, row.sum, before) {
            (_, _, Some((last, _))) if n != last + 1 => {
                Some(format!("records {} to {} are missing", last + 1, n.saturating_sub(1)))
            }
            (Some(line), Some(sum), Some((_, chain))) if sum != reader.expected(chain, n, line) => {
                Some(format!("record {n} is damaged"))
            }
            (Some(_), Some(_), _) => None,
            _ => Some(format!("record {n} is damaged")),
        };
        before = row.sum.map(|sum| (n, sum));
        wrong.is_none()
    })?;
    Ok(wrong)
}

/// Checks every record and snapshot. Returns where the records end, and the chain value of the record that the
/// end file named before.
fn check_records(reader: &JournalReader, folder: &Path, end: End, found: &mut Verified) -> Option<(Folded, Option<u32>)> {
    let mut snapshots = Vec::new();
    for (n, path) in snapshot::list(folder) {
        match snapshot::read(&path) {
            Ok(whole) if whole.n == n => snapshots.push(whole),
            Ok(_) => found.found(format!("{} is of another record than its name says", path.display())),
            // Another process may have removed it since it was listed.
            Err(_) if !path.exists() => {}
            Err(why) => found.found(format!("{}: {why}", path.display())),
        }
    }
    snapshots.sort_by_key(|s| s.n);
    let mut now = Folded::default();
    // If the oldest records were removed, the fold begins with the snapshot that was made of them.
    let mut folds = reader.kept_from == 1;
    if reader.kept_from > 1 {
        match snapshots.iter().position(|s| s.n + 1 == reader.kept_from) {
            Some(i) => {
                let first = snapshots.remove(i);
                now = Folded { state: first.state, last: first.n, chain: first.chain, ..Folded::default() };
                folds = true;
                found.snapshots += 1;
            }
            None => now.last = reader.kept_from - 1,
        }
    }
    let mut at_end = None;
    let mut first = true;
    let read = reader.rows(1, &mut |row| {
        found.records += 1;
        let begins = std::mem::take(&mut first) && !folds;
        if begins {
            // The records before the first one are gone, so it can only be taken as it is. Retention may have continued
            // meanwhile.
            now.last = row.n.saturating_sub(1).max(now.last);
        }
        let n = row.n;
        let checked = if begins { Ok(None) } else { reader.checked(&now, &row).map(Some) };
        match checked {
            Ok(Some((record, _, _))) => {
                if folds {
                    now.state.apply(&record);
                }
            }
            Ok(None) => {}
            Err(why) => found.found(why),
        }
        // After an error the check continues with the stored values, so that each error is reported once.
        (now.last, now.chain) = (n, row.sum.unwrap_or_default());
        if n == end.n {
            at_end = Some(now.chain);
        }
        if let Some(i) = snapshots.iter().position(|s| s.n == n) {
            let kept = snapshots.remove(i);
            if kept.chain != now.chain || (folds && kept.state != now.state) {
                found.found(format!("the snapshot at record {n} is not what the records before it come to"));
            } else {
                found.snapshots += 1;
            }
            if !folds {
                (now.state, folds) = (kept.state, true);
            }
        }
        true
    });
    if let Err(e) = read {
        found.found(format!("after record {}: {e}", now.last));
        return None;
    }
    if reader.is_earlier() && reader.fold(&AtomicBool::new(false)).is_err() {
        found.found("the snapshot of an earlier version is damaged".to_owned());
    }
    for left in snapshots.iter().filter(|s| s.n > now.last) {
        found.found(format!("the snapshot at record {} is newer than the newest record, {}", left.n, now.last));
    }
    Ok::<_, ()>((now, at_end)).ok()
}
