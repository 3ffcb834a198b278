//! An archive of logs (tar): its files, one after the other.
//!
//! Names do not matter here, so only the sizes and types in the headers are read. Anything but a regular file is skipped.

use std::io::{self, BufRead, Read};
use std::sync::{Arc, Mutex, PoisonError};

use tar::Header;

/// The size of a header in bytes. All parts are padded to a multiple of it.
const BLOCK: u64 = 512;

/// The archive's bytes, and how many of them belong to the rest of the current file.
struct Open<R> {
    from: R,
    left: u64,
}

/// The files of an archive, in their order.
pub(super) struct Archive<R> {
    open: Arc<Mutex<Open<R>>>,
    /// The padding of the last block of the current file.
    padding: u64,
}

/// A file within an archive. It can be read until the next one is opened.
pub(super) struct ArchivedFile<R>(Arc<Mutex<Open<R>>>);

impl<R: Read> Read for ArchivedFile<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let most = usize::try_from(open.left).unwrap_or(usize::MAX).min(into.len());
        let read = open.from.read(&mut into[..most])?;
        if read == 0 && most > 0 {
            return Err(cut());
        }
        open.left -= read as u64;
        Ok(read)
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends within a file: it was cut")
}

impl<R: BufRead> Archive<R> {
    pub(super) fn new(from: R) -> Archive<R> {
        Archive { open: Arc::new(Mutex::new(Open { from, left: 0 })), padding: 0 }
    }

    /// Opens the next file that has content; `None` at the end of the archive.
    ///
    /// # Errors
    /// The errors of the reader, and an error for an archive that was cut or is damaged.
    pub(super) fn next_file(&mut self) -> io::Result<Option<ArchivedFile<R>>> {
        loop {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            // A header may claim any size.
            let rest = open.left.saturating_add(self.padding);
            open.left = 0;
            if io::copy(&mut (&mut open.from).take(rest), &mut io::sink())? < rest {
                return Err(cut());
            }
            self.padding = 0;
            let mut header = Header::new_old();
            let mut block = [0; BLOCK as usize];
            let mut filled = 0;
            while filled < block.len() {
                match open.from.read(&mut block[filled..])? {
                    0 if filled == 0 => return Ok(None),
                    0 => return Err(cut()),
                    read => filled += read,
                }
            }
            // Two empty blocks end the archive.
            if block.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            header.as_mut_bytes().copy_from_slice(&block);
            let size = header.entry_size()?;
            open.left = size;
            self.padding = (BLOCK - size % BLOCK) % BLOCK;
            if header.entry_type().is_file() && size > 0 {
                return Ok(Some(ArchivedFile(self.open.clone())));
            }
        }
    }
}
