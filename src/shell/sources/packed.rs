//! Log files as they are on the disk: plain, or compressed with gzip, Zstandard or xz by the tool that rotates them. An archive
//! (tar) of such files is read as one log, file after file.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

use ruzstd::decoding::StreamingDecoder;

use crate::core::base::limits::XZ_DICTIONARY;

use super::archive::Archive;
use super::xz;

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// The offset and the content of the magic of a tar archive.
const TAR: (usize, &[u8]) = (257, b"ustar");
const BZIP2: &[u8] = b"BZh";
const XZ: &[u8] = b"\xfd7zXZ\0";
/// The number of bytes that are read at once.
const BUFFER: usize = 256 * 1024;

/// The uncompressed bytes of a log.
pub type Bytes = Box<dyn Read + Send>;

/// Opens a plain or compressed log.
///
/// # Errors
/// The errors of the system, and errors for a path that is not a regular file or for an unsupported compression.
pub fn open(path: &Path) -> io::Result<Bytes> {
    unpacked(regular(path)?)
}

/// Opens a regular file. Reading a pipe or a device could block or never end.
///
/// # Errors
/// The errors of the system, and an error for anything but a regular file.
pub fn regular(path: &Path) -> io::Result<File> {
    is_regular(path)?;
    File::open(path)
}

/// Checks that the path is a regular file.
///
/// # Errors
/// The errors of the system, and an error for anything but a regular file.
pub fn is_regular(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no regular file"))
}

/// The number of bytes at the beginning of a file that show whether it is compressed.
pub(super) const MAGIC_BYTES: u64 = 512;

/// True if a file with this beginning is compressed or an archive.
pub(super) fn is_packed(begin: &[u8]) -> bool {
    let is_archive = begin.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1));
    is_archive || [GZIP, ZSTD, BZIP2, XZ].iter().any(|magic| begin.starts_with(magic))
}

/// The uncompressed content of a reader.
///
/// # Errors
/// The errors of the reader, and an error for an unsupported compression.
pub fn unpacked(log: impl Read + Send + 'static) -> io::Result<Bytes> {
    unpacked_at(Box::new(log), 0)
}

/// The maximum number of nested packings, such as a compressed archive of compressed logs.
const DEPTH: usize = 3;

pub(super) fn unpacked_at(log: Bytes, depth: usize) -> io::Result<Bytes> {
    let mut log = BufReader::with_capacity(BUFFER, log);
    if depth >= DEPTH {
        return Ok(Box::new(log));
    }
    let begin = log.fill_buf()?;
    if begin.starts_with(GZIP) {
        return unpacked_at(Packed::boxed("gzip", MultiGzDecoder::new(log)), depth + 1);
    }
    if begin.starts_with(ZSTD) {
        return unpacked_at(Packed::boxed("Zstandard", Frames { source: Some(Source::Between(log)) }), depth + 1);
    }
    if begin.starts_with(XZ) {
        if let Some(bytes) = xz::dictionary(begin).filter(|bytes| *bytes > XZ_DICTIONARY) {
            let why = format!(
                "unpacking it takes {} MiB of memory, and at most {} MiB are used (XZ_DICTIONARY); unpack it with xzcat",
                bytes >> 20,
                XZ_DICTIONARY >> 20
            );
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
        return unpacked_at(Packed::boxed("xz", XzReader::new(log, true)), depth + 1);
    }
    if begin.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1)) {
        return Ok(Box::new(UnpackedFiles::of(Archive::new(log), depth + 1)));
    }
    if begin.starts_with(BZIP2) {
        let why = "it is compressed in a way that is not read; unpack it with bzcat";
        return Err(io::Error::new(io::ErrorKind::Unsupported, why));
    }
    Ok(Box::new(log))
}

/// The uncompressed content of a file. The errors of the libraries do not say that the file is the reason.
struct Packed<R> {
    form: &'static str,
    content: R,
}

impl<R: Read + Send + 'static> Packed<R> {
    fn boxed(form: &'static str, content: R) -> Bytes {
        Box::new(Packed { form, content })
    }
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.content.read(into).map_err(|e| match e.kind() {
            // The disk, not the file.
            _ if e.raw_os_error().is_some() => e,
            io::ErrorKind::Interrupted => e,
            kind => io::Error::new(kind, format!("its {} data are damaged, or the file was cut ({e})", self.form)),
        })
    }
}

/// The files of an archive as one log, each unpacked if it is compressed itself.
struct UnpackedFiles<R> {
    archive: Archive<R>,
    /// The file that is being read.
    file: Option<Bytes>,
    ends_within_line: bool,
    depth: usize,
}

impl<R> UnpackedFiles<R> {
    fn of(archive: Archive<R>, depth: usize) -> UnpackedFiles<R> {
        UnpackedFiles { archive, file: None, ends_within_line: false, depth }
    }
}

impl<R: BufRead + Send + 'static> Read for UnpackedFiles<R> {
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
            let Some(next) = self.archive.next_file()? else { return Ok(0) };
            self.file = Some(unpacked_at(Box::new(next), self.depth)?);
        }
    }
}

/// Zstandard frames, one after the other.
struct Frames<R: BufRead> {
    source: Option<Source<R>>,
}

enum Source<R: BufRead> {
    Between(R),
    Within(Box<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>),
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            match self.source.take() {
                None => return Ok(0),
                Some(Source::Between(mut log)) => {
                    if log.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    let decoder =
                        StreamingDecoder::new(log).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.to_string()))?;
                    self.source = Some(Source::Within(Box::new(decoder)));
                }
                Some(Source::Within(mut decoder)) => match decoder.read(into)? {
                    0 => self.source = Some(Source::Between(decoder.into_inner())),
                    length => {
                        self.source = Some(Source::Within(decoder));
                        return Ok(length);
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Bytes as `gzip` compresses them.
    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        to.write_all(bytes).unwrap();
        to.finish().unwrap()
    }

    fn read(bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        unpacked(io::Cursor::new(bytes))?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn what_is_packed_is_read_as_what_it_was() {
        let text = "a line\n".repeat(100_000);
        assert_eq!(read(text.clone().into_bytes()).unwrap(), text);
        let gzip = |text: &str| gzip(text.as_bytes());
        let zstd = |text: &str| ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
        // A compressed file to which something was appended has several parts.
        assert_eq!(read([gzip(&text), gzip("end\n")].concat()).unwrap(), format!("{text}end\n"));
        assert_eq!(read([zstd(&text), zstd("end\n")].concat()).unwrap(), format!("{text}end\n"));
        // `printf 'a line\n' | xz`, twice.
        let xz = b"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3\x01\x00\x06\x61\x20\x6c\x69\x6e\x65\x0a\x00\x00\x0d\x13\xb8\x2b\
            \x65\x3e\x08\x52\x00\x01\x1f\x07\x16\x2e\xb8\x73\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a";
        assert_eq!(read(xz.repeat(2)).unwrap(), "a line\na line\n");
        // The same file, as if 4 GiB were needed: the header says so in its 17th byte.
        let mut greedy = xz.to_vec();
        greedy[16] = 40;
        assert!(read(greedy).unwrap_err().to_string().contains("XZ_DICTIONARY"));
        assert!(read(b"BZh91AY".to_vec()).unwrap_err().to_string().contains("bzcat"));
        let cut = &gzip(&text)[..200];
        assert!(read(cut.to_vec()).is_err(), "a file that was cut is an error");
        assert_eq!(read(Vec::new()).unwrap(), "");
    }

    fn archive(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
        }
        builder.into_inner().unwrap()
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
