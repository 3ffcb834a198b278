//! `dry-run --html`: one page with the timeline drawn, which needs no network and no other file.
//!
//! The page is written while the log is replayed: its beginning, one entry after the other, its end. The entries come from logs,
//! which are hostile. They are JSON in which no `<` is left, and the page's own script makes text of them. The page allows no
//! other script, style or connection (`Content-Security-Policy`).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::core::base::limits::ENTRIES_OF_A_PAGE;
use crate::core::base::text::printable_json;
use crate::core::inventory::Name;
use crate::core::replay::TimelineEntry;

const HTML: &str = include_str!("page.html");
const CSS: &str = include_str!("page.css");
const JS: &str = include_str!("page.js");
/// The hashes of [`CSS`] and [`JS`], which the page allows. A test says what they are.
const CSS_HASH: &str = "sha256-ynY0LHsLA4fdkiOzdW1BQPTx+5UG5y0A4vMcdPU4H8w=";
const JS_HASH: &str = "sha256-wfgIl5UmAhSLebsp0VpthrUFwgIjDciuUzBVKsrYynw=";
/// The place of the entries in [`HTML`].
const DATA: &str = "{{data}}";

/// A page that is being written.
pub(super) struct TimelinePage {
    out: BufWriter<File>,
    /// The unfinished file, which has its name in the end.
    partial: PathBuf,
    to: PathBuf,
    entries: usize,
    left_out: u64,
}

impl TimelinePage {
    /// Begins a page about these logs, with the holders of resources at the beginning.
    ///
    /// # Errors
    /// A text that says why the file can't be written.
    pub(super) fn create(to: &Path, logs: &[String], holders: &BTreeMap<Name, Name>) -> Result<TimelinePage, String> {
        let words = |e: io::Error| format!("--html {}: {e}", to.display());
        if to.exists() && !is_page(to).map_err(words)? {
            return Err(format!(
                "--html {}: the file exists and is not such a page, so it is not replaced; name another file",
                to.display()
            ));
        }
        let name = to.file_name().ok_or_else(|| format!("--html {}: this is not the name of a file", to.display()))?;
        let partial = to.with_file_name(format!(".{}.partial", name.to_string_lossy()));
        // Whoever may write the folder could have put a link there.
        match fs::remove_file(&partial) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(words(e)),
            _ => {}
        }
        let file = File::options().write(true).create_new(true).open(&partial).map_err(words)?;
        let mut page = TimelinePage { out: BufWriter::new(file), partial, to: to.to_owned(), entries: 0, left_out: 0 };
        let begin =
            format!("{{\"logs\":{},\"holders\":{},\"entries\":[\n", script_json(&json!(logs)), script_json(&json!(holders)));
        page.out.write_all(around().0.as_bytes()).and_then(|()| page.out.write_all(begin.as_bytes())).map_err(words)?;
        Ok(page)
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// The file can't be written.
    pub(super) fn add(&mut self, entry: &TimelineEntry) -> io::Result<()> {
        if self.entries >= ENTRIES_OF_A_PAGE {
            self.left_out += 1;
            return Ok(());
        }
        self.entries += 1;
        let apart = if self.entries > 1 { ",\n" } else { "" };
        write!(self.out, "{apart}{}", script_text(&entry.json()))
    }

    /// Ends the page with the text about the end of the run, and gives the file its name.
    ///
    /// # Errors
    /// The file can't be written.
    pub(super) fn finish(mut self, ending: &str) -> io::Result<()> {
        let end = format!("\n],\"left_out\":{},\"ending\":{}}}", self.left_out, script_json(&json!(ending)));
        self.out.write_all(end.as_bytes())?;
        self.out.write_all(around().1.as_bytes())?;
        self.out.flush()?;
        fs::rename(&self.partial, &self.to)
    }
}

impl Drop for TimelinePage {
    fn drop(&mut self) {
        // After the end there is no such file any more.
        let _ = fs::remove_file(&self.partial);
    }
}

/// The page before and after the entries.
fn around() -> (String, String) {
    let (before, after) = HTML.split_once(DATA).unwrap_or((HTML, ""));
    let before = before.replace("{{script hash}}", JS_HASH).replace("{{style hash}}", CSS_HASH).replace("{{style}}", CSS);
    (before, after.replace("{{script}}", JS))
}

/// Whether a file is a page of a dry run: a log or rules that are named here by mistake stay as they are.
fn is_page(path: &Path) -> io::Result<bool> {
    let start = HTML.split("{{").next().unwrap_or_default().as_bytes();
    let mut read = Vec::new();
    if !fs::metadata(path)?.is_file() {
        return Ok(false);
    }
    File::open(path)?.take(start.len() as u64).read_to_end(&mut read)?;
    Ok(read == start)
}

/// JSON that may stand in a `<script>` of an HTML page: no `<` is left, which could end the script or begin a comment.
fn script_text(json: &str) -> String {
    printable_json(json).replace('<', "\\u003c")
}

fn script_json(value: &serde_json::Value) -> String {
    script_text(&value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::base::time::Time;
    use crate::core::replay::EntryKind;

    /// A content security policy names a script by its hash.
    #[test]
    fn the_page_allows_its_own_script_and_style() {
        let hash = |text: &str| {
            let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
            let encoded = pem::encode(&pem::Pem::new("X", digest.as_ref()));
            format!("sha256-{}", encoded.lines().nth(1).unwrap().trim())
        };
        assert_eq!((CSS_HASH, JS_HASH), (hash(CSS).as_str(), hash(JS).as_str()), "page.css or page.js has changed");
    }

    #[test]
    fn hostile_text_does_not_leave_the_script() {
        let folder = std::env::temp_dir().join(format!("pointsman-page-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let to = folder.join("page.html");
        let logs = ["</script><script>alert(1)</script>.log".to_owned()];
        let mut page = TimelinePage::create(&to, &logs, &BTreeMap::new()).unwrap();
        let mut entry = TimelineEntry::new(Time::from_millis(1), EntryKind::Notice);
        entry.text = Some("</SCRIPT><!-- {{script}} \u{2028}\u{202e}\u{7} <img src=x onerror=alert(1)>".to_owned());
        page.add(&entry).unwrap();
        page.add(&entry).unwrap();
        page.finish("{{data}} the end").unwrap();
        let text = fs::read_to_string(&to).unwrap();
        let (_, rest) = text.split_once("id=\"data\">").unwrap();
        let data = rest.split("</script>").next().unwrap();
        assert!(!data.contains('<') && !data.contains(['\u{202e}', '\u{7}', '\u{2028}']), "{data}");
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!((&data["logs"][0], &data["ending"]), (&logs[0].as_str().into(), &"{{data}} the end".into()));
        assert_eq!(data["entries"].as_array().unwrap().len(), 2);
        assert_eq!(text.matches("<script").count(), 2);

        // A page is replaced, any other file is not, and nothing stays behind.
        drop(TimelinePage::create(&to, &logs, &BTreeMap::new()).unwrap());
        let log = folder.join("app.log");
        fs::write(&log, "2026-01-01T10:00:00Z h app: up\n").unwrap();
        assert!(TimelinePage::create(&log, &logs, &BTreeMap::new()).is_err_and(|why| why.contains("not a page")));
        assert!(TimelinePage::create(Path::new("/dev/null"), &logs, &BTreeMap::new()).is_err());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        fs::remove_dir_all(&folder).unwrap();
    }
}
