//! Records of logs that no rule wants, kept for `dry-run --against` and `shadow` if the configuration says so
//! (`journal: { unwanted: 256MiB }`).
//!
//! ```text
//!   sources --bounded queue--> a thread --> data/unwanted.log, and before it data/unwanted.log.1
//! ```
//!
//! Nothing depends on them: they are not synced, and are dropped and counted when they come faster than the disk takes them. Each
//! of the two files has half of the size; the older one is replaced. Records that rules want are in the journal itself.

use std::fs::{self, File, Metadata};
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::limits::UNWANTED_QUEUE;
use crate::core::base::time::Time;
use crate::core::event::Event;
use crate::shell::linux::boot_time;

use super::Error;

/// After an error, writing is tried again after this time.
const AGAIN: Duration = Duration::from_secs(10);

/// A record that no rule wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnwantedRecord {
    /// When it arrived, in the engine's time.
    pub at: Time,
    pub source: String,
    /// Long texts are cut, as in the journal.
    pub event: Event<'static>,
}

/// Keeps records that no rule wants, up to a size.
#[derive(Debug)]
pub struct UnwantedRecords {
    queue: SyncSender<UnwantedRecord>,
    dropped: AtomicU64,
}

impl UnwantedRecords {
    /// Keeps records in a folder from now on, up to this number of bytes. They are written by a thread, which ends with this value.
    ///
    /// # Errors
    /// The folder cannot be written, or no thread can be started.
    pub fn open(folder: &Path, bytes: u64) -> Result<UnwantedRecords, Error> {
        let wrong = |e: io::Error| Error::new(&path(folder), format!("it can't be opened for writing: {e}"));
        let writer = Writer::open(folder, bytes / 2).map_err(wrong)?;
        let (queue, records) = sync_channel(UNWANTED_QUEUE);
        let folder = folder.to_owned();
        let work = move || {
            keep_all(writer, &records, AGAIN, &mut |trouble| {
                let path = path(&folder);
                match trouble {
                    Some(e) => tracing::warn!(
                        "{}: {e}; records that no rule wants are not kept until it can be written again",
                        path.display()
                    ),
                    None => tracing::info!("{}: records that no rule wants are kept again", path.display()),
                }
            });
        };
        std::thread::Builder::new().name("unwanted".to_owned()).spawn(work).map_err(wrong)?;
        Ok(UnwantedRecords { queue, dropped: AtomicU64::new(0) })
    }

    /// Keeps one record, unless too many wait.
    pub fn keep(&self, at: Time, source: &str, event: &Event<'_>) {
        let record = UnwantedRecord { at, source: source.to_owned(), event: event.kept() };
        if self.queue.try_send(record).is_err() && self.dropped.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!("records that no rule wants come faster than they can be kept: those that can't are dropped");
        }
    }
}

/// Writes records until no more come. After an error, it drops the records of a while and tries again. `report` gets the first
/// error, and `None` when writing has succeeded again for as long: a full disk may have room for a few lines all the time.
fn keep_all(writer: Writer, records: &Receiver<UnwantedRecord>, again: Duration, report: &mut dyn FnMut(Option<&io::Error>)) {
    let (folder, most) = (writer.folder.clone(), writer.most);
    let (mut next, mut reported) = (Ok(writer), false);
    loop {
        let good_at = boot_time() + again;
        let mut written = || {
            if reported && boot_time() >= good_at {
                reported = false;
                report(None);
            }
        };
        // A writer ends before the next one begins: what it could not write would come behind newer records.
        let ended = next.and_then(|mut writer: Writer| writer.run(records, &mut written));
        let Err(e) = ended else { return };
        if !std::mem::replace(&mut reported, true) {
            report(Some(&e));
        }
        if drop_for_a_while(records, again).is_none() {
            return;
        }
        next = Writer::open(&folder, most);
    }
}

/// Drops the records of the next while, in which the disk may get room. `None` if no more records come.
fn drop_for_a_while(records: &Receiver<UnwantedRecord>, again: Duration) -> Option<()> {
    let until = boot_time() + again;
    loop {
        match records.recv_timeout(until.since(boot_time())) {
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => return Some(()),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("unwanted.log")
}

fn older(folder: &Path) -> PathBuf {
    folder.join("unwanted.log.1")
}

struct Writer {
    folder: PathBuf,
    path: PathBuf,
    out: BufWriter<File>,
    written: u64,
    most: u64,
}

impl Writer {
    fn open(folder: &Path, most: u64) -> io::Result<Writer> {
        let path = path(folder);
        let file = File::options().append(true).create(true).mode(0o600).open(&path)?;
        let written = file.metadata()?.len();
        let mut out = BufWriter::new(file);
        if written > 0 {
            // A process that was killed may have left half of a line.
            out.write_all(b"\n")?;
        }
        Ok(Writer { folder: folder.to_owned(), path, out, written, most })
    }

    /// Writes records until no more come. `written` is called when some are written and none waits.
    fn run(&mut self, records: &Receiver<UnwantedRecord>, written: &mut dyn FnMut()) -> io::Result<()> {
        let mut some = false;
        loop {
            let record = match records.try_recv() {
                Ok(record) => record,
                Err(TryRecvError::Empty) => {
                    self.out.flush()?;
                    if some {
                        written();
                    }
                    let Ok(record) = records.recv() else { return Ok(()) };
                    record
                }
                Err(TryRecvError::Disconnected) => return self.out.flush(),
            };
            // What cannot be written as JSON (a number that is not one) is of no use.
            let Ok(mut line) = serde_json::to_vec(&record) else { continue };
            line.push(b'\n');
            self.out.write_all(&line)?;
            some = true;
            self.written += line.len() as u64;
            if self.written >= self.most {
                self.out.flush()?;
                fs::rename(&self.path, older(&self.folder))?;
                *self = Writer::open(&self.folder, self.most)?;
            }
        }
    }
}

/// Reads the records that were kept, and those that are kept meanwhile.
pub struct UnwantedReader {
    folder: PathBuf,
    file: Option<BufReader<File>>,
    /// The position up to which complete lines were read.
    at: u64,
    /// Another file has taken the place of this one, so that nothing more is written to this one.
    exchanged: bool,
}

impl UnwantedReader {
    /// Reads from the oldest record on. Where nothing is kept, there are none.
    pub fn open(folder: &Path) -> UnwantedReader {
        let file = File::open(older(folder)).or_else(|_| File::open(path(folder))).ok();
        UnwantedReader { folder: folder.to_owned(), file: file.map(BufReader::new), at: 0, exchanged: false }
    }

    /// True if nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.file.is_none()
    }

    /// The next record; `None` if there is no further one yet. Lines that are no records are skipped.
    pub fn next_record(&mut self) -> Option<UnwantedRecord> {
        loop {
            let file = match &mut self.file {
                Some(file) => file,
                None => self.file.insert(BufReader::new(File::open(path(&self.folder)).ok()?)),
            };
            let mut line = Vec::new();
            let read = file.read_until(b'\n', &mut line).ok()?;
            if line.last() == Some(&b'\n') {
                self.at += read as u64;
                match serde_json::from_slice(&line) {
                    Ok(record) => return Some(record),
                    Err(_) => continue,
                }
            }
            // The rest of the line is written later, or the file was exchanged.
            file.seek(SeekFrom::Start(self.at)).ok()?;
            let this = file.get_ref().metadata().ok()?;
            let same = |other: &Metadata| (other.dev(), other.ino()) == (this.dev(), this.ino());
            if same(&fs::metadata(path(&self.folder)).ok()?) {
                return None;
            }
            // Something may have been written between the last look and the exchange.
            if !std::mem::replace(&mut self.exchanged, true) {
                continue;
            }
            // After two exchanges, the file after this one is the older one.
            let older = older(&self.folder);
            let next = if fs::metadata(&older).is_ok_and(|meta| !same(&meta)) { older } else { path(&self.folder) };
            self.file = Some(BufReader::new(File::open(next).ok()?));
            (self.at, self.exchanged) = (0, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(n: u64) -> Event<'static> {
        Event { text: format!("number {n} {}", "x".repeat(200)).into(), ..Event::default() }
    }

    #[test]
    fn the_newest_are_kept_and_read_while_they_are_written() {
        let folder = std::env::temp_dir().join(format!("pointsman-unwanted-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        assert!(UnwantedReader::open(&folder).next_record().is_none());
        let mut writer = Writer::open(&folder, 5_000).unwrap();
        let mut write = |from: u64, to: u64| {
            let (queue, records) = sync_channel(1_000);
            for n in from..to {
                queue.send(UnwantedRecord { at: Time::from_millis(n as i64), source: "a".to_owned(), event: event(n) }).unwrap();
            }
            drop(queue);
            writer.run(&records, &mut || {}).unwrap();
        };
        write(0, 5);
        let mut reader = UnwantedReader::open(&folder);
        let mut next = || reader.next_record().map(|r| r.at.micros() / 1_000);
        assert_eq!((0..5).map(|_| next()).collect::<Vec<_>>(), (0..5).map(Some).collect::<Vec<_>>());
        assert_eq!(next(), None);
        // The file is exchanged several times: what was in between is gone, and the newest is there.
        write(5, 40);
        let rest: Vec<i64> = std::iter::from_fn(&mut next).collect();
        assert!(rest.starts_with(&[5, 6]) && rest.last() == Some(&39) && rest.is_sorted(), "{rest:?}");
        // It is exchanged twice: the file that was read is gone, and nothing of the next one is lost.
        write(40, 56);
        let rest: Vec<i64> = std::iter::from_fn(&mut next).collect();
        assert_eq!(rest, (40..56).collect::<Vec<_>>());
        let mut again = UnwantedReader::open(&folder);
        let kept = std::iter::from_fn(|| again.next_record()).count();
        assert!((10..40).contains(&kept), "{kept}");
        // Half of a line, and what is no record.
        File::options().append(true).open(path(&folder)).unwrap().write_all(b"{\"at\":1,\n\xff\xfe\n{\"at\"").unwrap();
        assert!(again.next_record().is_none());
        drop(writer);
        let records = UnwantedRecords::open(&folder, 1 << 20).unwrap();
        records.keep(Time::from_millis(77), "b", &event(77));
        drop(records);
        let found = (0..500).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            again.next_record()
        });
        assert_eq!(found.map(|r| r.source), Some("b".to_owned()));
        fs::remove_dir_all(&folder).unwrap();
    }

    /// A full disk is reported once, however long it is full and however often it is tried, and again when it is over.
    #[test]
    fn a_full_disk_is_reported_once() {
        let folder = std::env::temp_dir().join(format!("pointsman-unwanted-full-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink("/dev/full", path(&folder)).unwrap();
        let writer = Writer::open(&folder, 1 << 20).unwrap();
        let (queue, records) = sync_channel(4);
        let (say, said) = sync_channel(100);
        let keeps = std::thread::spawn(move || {
            keep_all(writer, &records, Duration::from_millis(5), &mut |trouble| say.send(trouble.is_some()).unwrap());
        });
        let send =
            |n: u64| queue.send(UnwantedRecord { at: Time::from_millis(0), source: "a".to_owned(), event: event(n) }).unwrap();
        let first = (0..).find_map(|n| {
            send(n);
            said.try_recv().ok()
        });
        assert_eq!(first, Some(true));
        // Records are written, or dropped, one after another: after so long, it was tried several times.
        let began = boot_time();
        while boot_time() < began + Duration::from_millis(60) {
            send(0);
        }
        assert_eq!(said.try_iter().count(), 0);
        fs::remove_file(path(&folder)).unwrap();
        let over = (0..).find_map(|n| {
            send(n);
            said.try_recv().ok()
        });
        assert_eq!(over, Some(false));
        drop(queue);
        keeps.join().unwrap();
        assert_eq!(said.try_iter().count(), 0);
        fs::remove_dir_all(&folder).unwrap();
    }
}
