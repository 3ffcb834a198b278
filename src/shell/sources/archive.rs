//! An archive of logs (tar), read as one log: its files one after the other, each unpacked if it is compressed itself.
//!
//! Names do not matter here, so only the sizes and types in the headers are read. Anything but a regular file is skipped.

use std::io::{self, BufRead, Read};
use std::sync::{Arc, Mutex, PoisonError};

use tar::Header;

use super::packed::{Bytes, unpacked_at};

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
    /// The file that is being read.
    file: Option<Bytes>,
    /// The padding of its last block.
    padding: u64,
    ends_within_line: bool,
    depth: usize,
}

/// A file within an archive.
struct File<R>(Arc<Mutex<Open<R>>>);

impl<R: Read> Read for File<R> {
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

impl<R: BufRead + Send + 'static> Archive<R> {
    pub(super) fn new(from: R, depth: usize) -> Archive<R> {
        let open = Arc::new(Mutex::new(Open { from, left: 0 }));
        Archive { open, file: None, padding: 0, ends_within_line: false, depth }
    }

    /// Opens the next file. Returns false at the end of the archive.
    fn next(&mut self) -> io::Result<bool> {
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
                    0 if filled == 0 => return Ok(false),
                    0 => return Err(cut()),
                    read => filled += read,
                }
            }
            // Two empty blocks end the archive.
            if block.iter().all(|byte| *byte == 0) {
                return Ok(false);
            }
            header.as_mut_bytes().copy_from_slice(&block);
            let size = header.entry_size()?;
            open.left = size;
            self.padding = (BLOCK - size % BLOCK) % BLOCK;
            if header.entry_type().is_file() && size > 0 {
                drop(open);
                self.file = Some(unpacked_at(Box::new(File(self.open.clone())), self.depth)?);
                return Ok(true);
            }
        }
    }
}

impl<R: BufRead + Send + 'static> Read for Archive<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(first) = into.first_mut() else { return Ok(0) };
        if self.file.is_none() && self.ends_within_line {
            // The next file begins on a new line.
            *first = b'\n';
            self.ends_within_line = false;
            return Ok(1);
        }
        loop {
            if let Some(file) = &mut self.file {
                let read = file.read(into)?;
                if let Some(last) = read.checked_sub(1).and_then(|last| into.get(last)) {
                    self.ends_within_line = *last != b'\n';
                    return Ok(read);
                }
                self.file = None;
                if self.ends_within_line {
                    return self.read(into);
                }
            }
            if !self.next()? {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::packed::{tests::gzip, unpacked};
    use super::*;

    fn archive(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn read(bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        unpacked(io::Cursor::new(bytes))?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn the_files_of_an_archive_are_one_log() {
        let long = "a line\n".repeat(20_000);
        let whole = archive(&[
            ("app.log.2.gz", gzip(b"oldest\n")),
            ("app.log.1", b"older".to_vec()),
            ("app.log", long.clone().into_bytes()),
        ]);
        let text = format!("oldest\nolder\n{long}");
        assert_eq!(read(whole.clone()).unwrap(), text);
        assert_eq!(read(gzip(&whole)).unwrap(), text, "the archive may be packed as a whole");
        assert!(read(whole[..5_000].to_vec()).unwrap_err().to_string().contains("was cut"));
        let mut broken = whole;
        broken[124..136].copy_from_slice(b"not a number");
        assert!(read(broken).is_err());
    }
}
