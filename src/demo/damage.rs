//! Damages a journal's files in every known way, one at a time, and checks the result: the journal must be recovered exactly, or
//! be refused with a reason. It must never be shorter or different without a report.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::core::base::time::Time;
use crate::core::journal::{Input, NoticeRecord, Position, Record, State};
use crate::core::plan;
use crate::core::sim::Rng;
use crate::core::wire::Generation;
use crate::shell::store::{Journal, JournalReader};

/// The number of records before the first copy, between copies, and in the write-ahead log.
const RECORDS: u64 = 60;

/// The results of all damages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damages {
    /// The counts for each kind of damage: recovered exactly, recovered and blocked until agents agree, refused.
    pub outcomes: BTreeMap<String, [u64; 3]>,
}

impl Damages {
    /// The totals: recovered exactly, recovered and blocked until agents agree, refused.
    pub fn totals(&self) -> [u64; 3] {
        self.outcomes.values().fold([0; 3], |sum, one| [sum[0] + one[0], sum[1] + one[1], sum[2] + one[2]])
    }
}

/// A journal after a crash, a journal after a clean end, and older copies of its files.
struct Reference {
    files: BTreeMap<String, Vec<u8>>,
    closed: BTreeMap<String, Vec<u8>>,
    older: Vec<BTreeMap<String, Vec<u8>>>,
    lines: Vec<String>,
    state: State,
}

/// Damages a journal this number of times, with a seed, in a folder that is emptied each time.
///
/// # Errors
/// Returns a text that says which damage was not detected.
pub fn damage(folder: &Path, times: u64, seed: u64, tell: &mut dyn FnMut(&str)) -> Result<Damages, String> {
    let mut rng = Rng::new(seed);
    let reference = Reference::make(&folder.join("reference"), &mut rng)?;
    let mut damages = Damages::default();
    let place = folder.join("damaged");
    for n in 0..times {
        let killed = rng.percent(50);
        let mut files = if killed { reference.files.clone() } else { reference.closed.clone() };
        let kind = reference.hurt(&mut files, &mut rng);
        let outcome = reference
            .judge(&place, &files)
            .map_err(|why| format!("damage {n} of seed {seed} ({kind}): {why}; the files are kept in {}", place.display()))?;
        damages.outcomes.entry(kind).or_default()[outcome] += 1;
        if (n + 1).is_multiple_of(1_000) {
            tell(&format!("{} damages: {:?} recovered, held, refused", n + 1, damages.totals()));
        }
    }
    let _ = fs::remove_dir_all(folder);
    Ok(damages)
}

impl Reference {
    fn make(folder: &Path, rng: &mut Rng) -> Result<Reference, String> {
        let words = |e: crate::shell::store::Error| e.to_string();
        let io = |e: std::io::Error| format!("{}: {e}", folder.display());
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).map_err(io)?;
        let mut records = Vec::new();
        let mut older = Vec::new();
        for _ in 0..3 {
            let mut journal = Journal::open(folder).map_err(words)?;
            journal.controller_id(|| 42).map_err(words)?;
            for part in 0..2 {
                for _ in 0..RECORDS {
                    let record = record(records.len() as u64 + 1, rng);
                    journal.append(&record).map_err(words)?;
                    records.push(record);
                    if rng.percent(30) {
                        journal.sync().map_err(words)?;
                    }
                }
                journal.sync().map_err(words)?;
                if part == 0 {
                    journal.make_snapshot().map_err(words)?;
                }
            }
            // The files as they are while the program runs, which is what it leaves when it is killed.
            older.push(contents(folder)?);
        }
        let files = older.pop().unwrap_or_default();
        let closed = contents(folder)?;
        let lines = records.iter().filter_map(|r| r.line().ok()).collect();
        Ok(Reference { files, closed, older, lines, state: State::fold(&records) })
    }

    /// Damages the files, and describes the damage.
    fn hurt(&self, files: &mut BTreeMap<String, Vec<u8>>, rng: &mut Rng) -> String {
        let names: Vec<String> = files.keys().filter(|n| !n.ends_with(".lock")).cloned().collect();
        let name = names[rng.below(names.len() as u64) as usize].clone();
        let what = if name.starts_with("snapshot") { "snapshot".to_owned() } else { name.clone() };
        let bytes = files.entry(name.clone()).or_default();
        let length = bytes.len() as u64;
        match rng.below(100) {
            0..50 => {
                for _ in 0..=rng.below(2) {
                    bytes[rng.below(length) as usize] ^= 1 << rng.below(8);
                }
                format!("bits of {what}")
            }
            50..65 => {
                bytes.truncate(rng.below(length) as usize);
                format!("{what} cut short")
            }
            65..75 => {
                let (at, n) = (rng.below(length) as usize, rng.between(1, 5_000) as usize);
                bytes.iter_mut().skip(at).take(n).for_each(|b| *b = 0);
                format!("zeros in {what}")
            }
            75..80 => {
                files.remove(&name);
                format!("{what} gone")
            }
            80..85 => {
                bytes.clear();
                format!("{what} emptied")
            }
            85..95 => {
                let older = &self.older[rng.below(self.older.len() as u64) as usize];
                match older.get(&name) {
                    Some(old) => *bytes = old.clone(),
                    None => drop(files.remove(&name)),
                }
                format!("older {what}")
            }
            _ => {
                let older = &self.older[rng.below(self.older.len() as u64) as usize];
                for name in ["journal.db", "journal.db-wal"] {
                    match older.get(name) {
                        Some(old) => drop(files.insert(name.to_owned(), old.clone())),
                        None => drop(files.remove(name)),
                    }
                }
                "older database with its log".to_owned()
            }
        }
    }

    /// The result with these files: 0 recovered, 1 recovered and blocked, 2 refused.
    fn judge(&self, place: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<usize, String> {
        lay(place, files)?;
        let verified = Journal::verify(place).map(|v| v.wrong);
        let looks_well = verified.as_ref().is_ok_and(Vec::is_empty);
        lay(place, files)?;
        let mut lines = Vec::new();
        let read = JournalReader::open(place).and_then(|reader| {
            reader.lines(1, &mut |_, line| {
                lines.push(line.to_owned());
                true
            })
        });
        let same = read.is_ok() && lines == self.lines;
        if looks_well && !same {
            return Err(format!("`verify` finds nothing wrong with {} of {} records", lines.len(), self.lines.len()));
        }
        lay(place, files)?;
        match Journal::open(place) {
            Err(why) if looks_well => Err(format!("it is refused ({why}), and `verify` finds nothing wrong")),
            Err(_) => Ok(2),
            Ok(journal) => {
                let held = journal.state().doubt.is_some();
                let mut state = journal.state().clone();
                if held {
                    (state.doubt, state.sequence) = (None, state.sequence - 1);
                }
                if state != self.state {
                    return Err("another state than the journal's is gone on with".to_owned());
                }
                if !same && looks_well {
                    return Err("it starts, and what is shown differs".to_owned());
                }
                Ok(usize::from(held))
            }
        }
    }
}

/// A record of a random kind.
fn record(n: u64, rng: &mut Rng) -> Record {
    let at = Time::from_millis(1_000 * n as i64);
    let resource = format!("vip{}", rng.below(3));
    let host = format!("sip{}", rng.below(2) + 1);
    match rng.below(4) {
        0 => Record::Plan(plan::Record::Ordered {
            resource,
            host,
            instruction: if rng.percent(50) { plan::Instruction::Take } else { plan::Instruction::Release },
            generation: Generation { epoch: 1, n },
            granted: None,
        }),
        1 => Record::Plan(plan::Record::Move { resource, to: host, at }),
        2 => Record::Notice(NoticeRecord {
            at,
            kind: "log".to_owned(),
            text: "x".repeat(rng.below(600) as usize),
            ..NoticeRecord::default()
        }),
        _ => {
            let position = Position { at: n * 100, file: rng.below(1_000), check: n as u32, ..Position::default() };
            Record::Input { sequence: n, at, input: Input::Position { source: format!("log{}", rng.below(5)), position } }
        }
    }
}

/// The files of a folder, without the file that processes share.
fn contents(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let io = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_file() && !name.ends_with("-shm") {
            files.insert(name, fs::read(&path).map_err(io)?);
        }
    }
    Ok(files)
}

fn lay(place: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    let _ = fs::remove_dir_all(place);
    fs::create_dir_all(place).map_err(|e| format!("{}: {e}", place.display()))?;
    for (name, bytes) in files {
        let path: PathBuf = place.join(name);
        fs::write(&path, bytes).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}
