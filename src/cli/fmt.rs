//! `pointsman fmt`: formats rule files.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::base::text::printable;
use crate::core::diag::{Code, Diagnostic, Source, has_errors};
use crate::core::lang::format::formatted;

use super::output::{FAILED, OutputFormat, WRONG, plural, report};
use crate::shell::site_files::{self, read};

const EXAMPLES: &str = "\
Examples:
  pointsman fmt                       the rules that pointsman.yaml of this folder names, or else those below this folder
  pointsman fmt rules more.alarm      folders and files
  pointsman fmt --check rules         changes nothing, lists the files that would change
  pointsman fmt - < in.alarm          standard input to standard output, for editors

Only blanks and line ends are changed. A file that cannot be parsed is left unchanged and reported.
`pointsman check` checks whether the names in it exist.

Exit status: 0 all is well, 1 with --check a file would change, 2 a file has mistakes or cannot be read or written.";

/// Formats rule files
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Change nothing; list the files that would change
    #[arg(long)]
    check: bool,
    /// The configuration that names the rules
    #[arg(short, long, value_name = "FILE", conflicts_with = "paths")]
    config: Option<PathBuf>,
    /// Rule files, or folders of them; - is standard input
    paths: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    if args.paths.iter().any(|p| p.as_os_str() == "-") {
        return if args.paths.len() == 1 {
            input(args.check)
        } else {
            Ok(super::output::wrong(
                "`-` (standard input) and files were both named, so nothing was changed; name only one of them",
            ))
        };
    }
    let mut found = Vec::new();
    let paths = paths(args, &mut found);
    let files: Vec<PathBuf> = paths.iter().flat_map(|p| read::files(p, "alarm", &mut found)).collect();
    if files.is_empty() && found.is_empty() {
        let places: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        found.push(Diagnostic::whole(Code::FileUnreadable, format!("there is no rule file (*.alarm) in {}", places.join(", "))));
    }
    let mut changed = 0;
    let mut out = io::stdout().lock();
    for file in &files {
        let Some(source) = read::read_rules(file, &mut found) else { continue };
        let text = match formatted(&source) {
            Ok(text) => text,
            Err(more) => {
                found.extend(more);
                continue;
            }
        };
        if text == source.text {
            continue;
        }
        if !args.check
            && let Err(e) = replace(file, text.as_bytes())
        {
            let message = format!("{} could not be written: {e}", file.display());
            found.push(
                Diagnostic::whole(Code::FileUnreadable, message)
                    .help("it is unchanged; a user who may write its folder may format it"),
            );
            continue;
        }
        changed += 1;
        writeln!(out, "{}", printable(&file.display().to_string()))?;
    }
    out.flush()?;
    report(&found, OutputFormat::Human)?;
    let of = plural(files.len(), "rule file");
    eprintln!("{changed} of {of} {}", if args.check { "would change" } else { "changed" });
    Ok(status(&found, args.check && changed > 0))
}

/// Formats standard input to standard output.
fn input(check: bool) -> io::Result<u8> {
    let mut found = Vec::new();
    let bytes = match read::bytes(io::stdin().lock()) {
        Ok(bytes) => bytes,
        Err(e) => return Ok(super::output::wrong(&format!("standard input could not be read: {e}"))),
    };
    let source: Option<Arc<Source>> = read::text("standard input".to_owned(), bytes, &mut found);
    let text = source.as_ref().and_then(|s| formatted(s).map_err(|more| found.extend(more)).ok());
    report(&found, OutputFormat::Human)?;
    let differs = text.as_ref().zip(source).is_some_and(|(text, source)| *text != source.text);
    if !check && let Some(text) = text {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
    }
    Ok(status(&found, check && differs))
}

fn status(found: &[Diagnostic], differs: bool) -> u8 {
    if has_errors(found) {
        WRONG
    } else if differs {
        FAILED
    } else {
        0
    }
}

/// The files to format.
fn paths(args: &Args, found: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let unless = PathBuf::from("pointsman.yaml");
    match &args.config {
        Some(config) => site_files::rules_of(config, found),
        None if !args.paths.is_empty() => args.paths.clone(),
        None if unless.exists() => site_files::rules_of(&unless, found),
        None => vec![PathBuf::from(".")],
    }
}

/// Replaces the content of a file, completely or not at all. If the path is a link, the file that it refers to is replaced, not
/// the link.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = file.canonicalize()?;
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(name);
    let written = write(&new, &file, bytes).and_then(|()| fs::rename(&new, &file));
    if written.is_err() {
        // The temporary file may not exist.
        let _ = fs::remove_file(&new);
    }
    written
}

/// Writes a new file with the owner and mode of another file.
fn write(new: &Path, as_of: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    // A user who may write the folder but not the file must not be able to change the file.
    let old = fs::OpenOptions::new().write(true).open(as_of)?.metadata()?;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(new)?;
    if (file.metadata()?.uid(), file.metadata()?.gid()) != (old.uid(), old.gid()) {
        std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()))?;
    }
    file.set_permissions(old.permissions())?;
    file.write_all(bytes)?;
    file.sync_all()
}
