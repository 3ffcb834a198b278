//! Code that several areas share: files of the project, and expectations beside their cases.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use pointsman::core::diag::Source;
use pointsman::core::inventory::Inventory;

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn source(name: &str, text: &str) -> Arc<Source> {
    Arc::new(Source { name: name.to_owned(), text: text.to_owned() })
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The files of a folder with an extension, by name, with their texts.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut all: Vec<PathBuf> = fs::read_dir(root().join(folder)).unwrap().map(|e| e.unwrap().path()).collect();
    all.retain(|p| p.extension().is_some_and(|e| e == extension));
    all.sort();
    assert!(!all.is_empty(), "{folder}");
    all.into_iter().map(|p| (p.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&p).unwrap())).collect()
}

/// Prints a text that every run of the tests shows, because the test runner captures normal output.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Two hosts, a pair, and its address.
pub(crate) fn inventory() -> Inventory {
    serde_json::from_str(&read("tests/script/inventory.json")).unwrap()
}

/// Bytes as `gzip` compresses them.
pub(crate) fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(bytes.as_ref()).unwrap();
    to.finish().unwrap()
}

/// Compares with the expectation beside a case. `UPDATE_EXPECTED=1` writes it anew, for review.
pub(crate) fn expect(path: impl AsRef<Path>, got: &str) {
    let path = root().join(path);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, got).unwrap();
    }
    let want = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(got, want, "{}", path.display());
}

/// A folder for one test, which is removed afterwards.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let n = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pointsman-{}-{n}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Runs the program in this folder.
    pub(crate) fn pointsman(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_pointsman")).args(arguments).current_dir(&self.0).output().unwrap()
    }

    /// Runs the program in this folder. Returns what it printed; it must succeed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.pointsman(arguments);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {out}{err}");
        out.into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
