//! One log file that was read up to a position: where its lines end, where reading continues, and how the file is recognized
//! again.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::core::base::limits::RECORD_BYTES;
use crate::core::base::time::Time;
use crate::core::decode::Encoding;
use crate::core::journal::Position;

use super::packed;

/// The number of bytes that are read at once.
const READ: usize = 256 * 1024;
/// The number of bytes before a position that identify a file, ...
const TAIL: usize = 64;
/// ... and the number of bytes of its beginning.
const HEAD: usize = 256;

/// The fingerprint of a file that was read up to a position.
#[derive(Clone, Copy, Debug)]
pub(super) struct Print {
    pub(super) at: u64,
    pub(super) inode: u64,
    tail: u32,
    head: Option<u32>,
    read_at: Time,
}

impl Print {
    pub(super) fn of(place: Position) -> Print {
        // Positions of earlier versions have no checksum of the beginning.
        let head = (place.head != 0).then_some(place.head);
        Print { at: place.at, inode: place.file, tail: place.check, head, read_at: place.read_at }
    }

    /// True if a file without known content may be the one that was read: it has the inode, and existed when it was read. The
    /// inode of a deleted file is given to the next new file.
    pub(super) fn may_be(&self, inode: u64, created: Option<SystemTime>) -> bool {
        let created = created
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
            .map_or(i64::MIN, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        inode == self.inode && (self.read_at == Time::default() || created <= self.read_at.micros())
    }

    /// Updates the beginning and the end of a file with bytes that were read.
    pub(super) fn took(head: &mut Vec<u8>, tail: &mut Vec<u8>, bytes: &[u8]) {
        head.extend_from_slice(&bytes[..bytes.len().min(HEAD - head.len())]);
        tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        tail.drain(..tail.len().saturating_sub(TAIL));
    }

    /// False if a file with this beginning is another file. Always true while the beginning is too short to tell.
    pub(super) fn may_begin(&self, head: &[u8]) -> bool {
        let whole = head.len() as u64 == self.at.min(HEAD as u64);
        !whole || self.head.is_none_or(|wanted| wanted == sum(head))
    }

    /// True if a file with this beginning, and with these bytes before the position, is the same file.
    pub(super) fn is_at(&self, head: &[u8], tail: &[u8]) -> bool {
        self.may_begin(head) && crc32fast::hash(tail) == self.tail
    }
}

/// Zero stands for an unknown checksum.
fn sum(head: &[u8]) -> u32 {
    if head.is_empty() { 0 } else { crc32fast::hash(head).max(1) }
}

/// A file that was read to its end.
#[derive(Clone, Copy)]
pub(super) struct Finished {
    pub(super) print: Print,
    /// The time of the last change, in nanoseconds.
    pub(super) written: i128,
}

impl Finished {
    /// The file that is open at the end of what was read.
    pub(super) fn of(tail: &FileTail, now: Time) -> Finished {
        Finished { print: Print::of(tail.cutter.place(now)), written: tail.written() }
    }
}

/// Cuts the bytes of one file into records.
#[derive(Debug)]
pub(super) struct Cutter {
    inode: u64,
    /// The position after the last whole record.
    at: u64,
    head: Vec<u8>,
    head_sum: u32,
    tail: Vec<u8>,
    /// A record whose end was not read yet.
    pending: Vec<u8>,
    /// Whether the rest of the line belongs to a record that was too long and was already passed on, before or after a restart.
    skipping: bool,
    /// The encoding, as soon as enough of the beginning was read.
    encoding: Option<Encoding>,
}

/// True if the beginning of a file shows its encoding: it has a byte order mark, some characters, or a line that is not UTF-16.
fn is_enough(begin: &[u8]) -> bool {
    let marked = begin.starts_with(b"\xff\xfe") || begin.starts_with(b"\xfe\xff");
    marked || begin.len() >= 8 || (begin.contains(&b'\n') && !begin.contains(&0))
}

/// True if the bytes end with a line end.
fn ends_line(encoding: Encoding, bytes: &[u8]) -> bool {
    let last = bytes.len().checked_sub(encoding.unit_bytes()).map(|from| &bytes[from..]);
    last.is_some_and(|unit| encoding.line_end(unit).is_some())
}

/// A record of a file. What was read of the file ends behind it.
pub(super) struct FileLine<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) encoding: Encoding,
    pub(super) cut: bool,
    cutter: &'a Cutter,
    now: Time,
}

impl FileLine<'_> {
    /// The number of bytes up to the end of the record.
    pub(super) fn at(&self) -> u64 {
        self.cutter.at
    }

    /// The inode of the file.
    pub(super) fn inode(&self) -> u64 {
        self.cutter.inode
    }

    /// The position after the record. Most records need none, and its checksum costs more than finding their end.
    pub(super) fn place(&self) -> Position {
        self.cutter.place(self.now)
    }
}

impl Cutter {
    /// Begins at the start of a file.
    pub(super) fn new(inode: u64) -> Cutter {
        Cutter {
            inode,
            at: 0,
            head: Vec::new(),
            head_sum: 0,
            tail: Vec::new(),
            pending: Vec::new(),
            skipping: false,
            encoding: None,
        }
    }

    /// Begins at a position with these bytes before it. If the position is within a line, the rest of the line is not a record,
    /// because its beginning was one.
    pub(super) fn from(inode: u64, at: u64, head: Vec<u8>, tail: Vec<u8>) -> Cutter {
        let encoding = (at > 0).then(|| Encoding::of(&head));
        let skipping = at > 0 && !ends_line(encoding.unwrap_or_default(), &tail);
        Cutter { at, head_sum: sum(&head), head, tail, skipping, encoding, ..Cutter::new(inode) }
    }

    /// The position at which reading continues, with the time.
    pub(super) fn place(&self, now: Time) -> Position {
        Position { at: self.at, file: self.inode, check: crc32fast::hash(&self.tail), head: self.head_sum, read_at: now }
    }

    /// The position after all bytes that were read, with the unfinished record.
    fn end(&self) -> u64 {
        self.at + self.pending.len() as u64
    }

    /// The last bytes that were read.
    fn overlap(&self) -> Vec<u8> {
        let mut last = self.tail.clone();
        last.extend_from_slice(&self.pending[self.pending.len().saturating_sub(TAIL)..]);
        last.drain(..last.len().saturating_sub(TAIL));
        last
    }

    /// Adds the next bytes. `take` receives each record and returns whether to continue. Returns false if it did not.
    pub(super) fn push(&mut self, bytes: &[u8], now: Time, take: &mut dyn FnMut(FileLine<'_>) -> bool) -> bool {
        self.pending.extend_from_slice(bytes);
        if self.encoding.is_none() {
            let begin = if self.at == 0 { &self.pending } else { &self.head };
            self.encoding = is_enough(begin).then(|| Encoding::of(begin));
        }
        let Some(encoding) = self.encoding else { return true };
        let most = match encoding {
            Encoding::Bytes => RECORD_BYTES,
            Encoding::Utf16Le | Encoding::Utf16Be => 2 * RECORD_BYTES,
        };
        let pending = std::mem::take(&mut self.pending);
        let mut rest = pending.as_slice();
        let mut goes_on = true;
        while goes_on && let Some((_, end)) = encoding.line_end(rest) {
            let (line, behind) = rest.split_at(end);
            self.took(line);
            if !std::mem::take(&mut self.skipping) {
                goes_on = take(FileLine { bytes: line, encoding, cut: line.len() > most + 4, cutter: self, now });
            }
            rest = behind;
        }
        if rest.len() > most {
            // The part of the record that was read is passed on, with a whole number of characters.
            let whole = rest.len() & !1;
            let (part, behind) = rest.split_at(whole);
            self.took(part);
            if !std::mem::replace(&mut self.skipping, true) {
                goes_on &= take(FileLine { bytes: part, encoding, cut: true, cutter: self, now });
            }
            rest = behind;
        }
        self.pending = rest.to_vec();
        goes_on
    }

    /// Ends the file: its last line is a record even without a line end.
    pub(super) fn finish(&mut self, now: Time, take: &mut dyn FnMut(FileLine<'_>) -> bool) -> bool {
        let rest = std::mem::take(&mut self.pending);
        self.took(&rest);
        let skipping = std::mem::take(&mut self.skipping);
        let begin = if self.head.is_empty() { &rest } else { &self.head };
        let encoding = self.encoding.unwrap_or_else(|| Encoding::of(begin));
        rest.is_empty() || skipping || take(FileLine { bytes: &rest, encoding, cut: false, cutter: self, now })
    }

    fn took(&mut self, bytes: &[u8]) {
        self.at += bytes.len() as u64;
        let before = self.head.len();
        Print::took(&mut self.head, &mut self.tail, bytes);
        if self.head.len() > before {
            self.head_sum = sum(&self.head);
        }
    }
}

/// A file that grows.
#[derive(Debug)]
pub(super) struct FileTail {
    file: File,
    pub(super) cutter: Cutter,
}

/// The result of reading to the end.
pub(super) enum Outcome {
    /// Everything that was available was read.
    Ended,
    /// The sink has ended: no more events are wanted.
    SinkEnded,
    /// The file is another one: it is shorter than what was read of it, or its content before the position has changed.
    Changed,
}

impl FileTail {
    /// Opens a file at its beginning.
    pub(super) fn open(path: &Path) -> io::Result<FileTail> {
        let file = packed::regular(path)?;
        let inode = file.metadata()?.ino();
        Ok(FileTail { file, cutter: Cutter::new(inode) })
    }

    /// Opens a file at a position up to which it was read. Returns `None` if it is another file.
    pub(super) fn open_at(path: &Path, print: &Print) -> io::Result<Option<FileTail>> {
        let mut file = packed::regular(path)?;
        let meta = file.metadata()?;
        if meta.len() < print.at || (print.at == 0 && !print.may_be(meta.ino(), meta.created().ok())) {
            return Ok(None);
        }
        let head = bytes_of(&mut file, 0, print.at.min(HEAD as u64))?;
        let from = print.at.saturating_sub(TAIL as u64);
        let tail = bytes_of(&mut file, from, print.at - from)?;
        let is_it = print.is_at(&head, &tail);
        Ok(is_it.then(|| FileTail { file, cutter: Cutter::from(meta.ino(), print.at, head, tail) }))
    }

    /// The inode of the file.
    pub(super) fn inode(&self) -> u64 {
        self.cutter.inode
    }

    /// The current path of the file. Returns `None` if it was deleted.
    pub(super) fn path_now(&self) -> Option<PathBuf> {
        let linked = self.file.metadata().is_ok_and(|meta| meta.nlink() > 0);
        linked.then(|| std::fs::read_link(format!("/proc/self/fd/{}", self.file.as_raw_fd())).ok()).flatten()
    }

    /// The current length of the file.
    pub(super) fn length(&self) -> u64 {
        self.file.metadata().map_or(u64::MAX, |meta| meta.len())
    }

    /// The time of the last change, in nanoseconds.
    pub(super) fn written(&self) -> i128 {
        self.file.metadata().map_or(0, |meta| i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()))
    }

    /// True if the content is compressed, whatever the file's name says.
    pub(super) fn is_packed(&mut self) -> io::Result<bool> {
        Ok(packed::is_packed(&bytes_of(&mut self.file, 0, packed::MAGIC_BYTES)?))
    }

    /// Reads what is available, by way of a buffer that files share.
    ///
    /// # Errors
    /// The errors of the system.
    pub(super) fn read_on(
        &mut self,
        chunk: &mut Vec<u8>,
        now: &dyn Fn() -> Time,
        take: &mut dyn FnMut(FileLine<'_>) -> bool,
    ) -> io::Result<Outcome> {
        let mut looked_at_head = false;
        loop {
            let overlap = self.cutter.overlap();
            let from = self.cutter.end() - overlap.len() as u64;
            self.file.seek(SeekFrom::Start(from))?;
            chunk.resize(chunk.len().max(TAIL + READ), 0);
            let length = read_up_to(&mut self.file, &mut chunk[..overlap.len() + READ])?;
            // A file that was truncated and has grown again is recognized by its content, not by its length.
            if length < overlap.len() || chunk[..overlap.len()] != overlap {
                return Ok(Outcome::Changed);
            }
            if length == overlap.len() {
                return Ok(Outcome::Ended);
            }
            if !std::mem::replace(&mut looked_at_head, true) {
                let head = self.cutter.head.clone();
                if bytes_of(&mut self.file, 0, head.len() as u64)? != head {
                    return Ok(Outcome::Changed);
                }
            }
            let arrived = now();
            if !self.cutter.push(&chunk[overlap.len()..length], arrived, take) {
                return Ok(Outcome::SinkEnded);
            }
        }
    }
}

/// The position after the last line end of a file, within a record's length of its end, with the fingerprint of the file.
pub(super) fn end_of(path: &Path, now: Time) -> io::Result<Position> {
    let mut file = packed::regular(path)?;
    let meta = file.metadata()?;
    let head = bytes_of(&mut file, 0, meta.len().min(HEAD as u64))?;
    let encoding = Encoding::of(&head);
    let from = meta.len().saturating_sub(RECORD_BYTES as u64) & !1;
    let last = bytes_of(&mut file, from, meta.len() - from)?;
    let mut at = 0;
    while let Some((_, next)) = encoding.line_end(&last[at..]) {
        at += next;
    }
    let at = from + at as u64;
    let tail_from = at.saturating_sub(TAIL as u64);
    let tail = bytes_of(&mut file, tail_from, at - tail_from)?;
    let head = head[..head.len().min(usize::try_from(at).unwrap_or(HEAD))].to_vec();
    Ok(Cutter::from(meta.ino(), at, head, tail).place(now))
}

/// Reads until the buffer is full or the file ends.
fn read_up_to(file: &mut File, into: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < into.len() {
        match file.read(&mut into[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(length)
}

/// Bytes of a file. There are fewer if the file ends before.
pub(super) fn bytes_of(file: &mut File, from: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let read = read_up_to(file, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}
