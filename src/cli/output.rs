//! What all commands print alike: diagnostics, errors, numbers of things; and the exit statuses.

use std::io::{self, Write as _};

use clap::ValueEnum;

use crate::core::base::text::{printable, printable_json, printable_lines};
use crate::core::diag::{Diagnostic, LineIndex, render, suggest};

/// A rule test failed, or a file is not formatted.
pub(super) const FAILED: u8 = 1;
/// The input is wrong or cannot be read.
pub(super) const WRONG: u8 = 2;
/// The command line is wrong.
pub(super) const USAGE: u8 = 3;

/// How things are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    #[default]
    Human,
    /// For programs: one JSON object a line.
    Json,
}

/// Whether to use colour: on a terminal, unless `NO_COLOR` is set (no-color.org).
pub(super) fn colour(of: &impl io::IsTerminal) -> bool {
    of.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Prints diagnostics: for people on standard error, as JSON on standard output.
pub(super) fn report(diagnostics: &[Diagnostic], format: OutputFormat) -> io::Result<()> {
    match format {
        OutputFormat::Human => {
            let stderr = io::stderr();
            let text = render::human(diagnostics, colour(&stderr));
            stderr.lock().write_all(text.as_bytes())
        }
        OutputFormat::Json => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            let mut lines = LineIndex::default();
            for diagnostic in diagnostics {
                writeln!(out, "{}", printable_json(&render::json(diagnostic, &mut lines)))?;
            }
            out.flush()
        }
    }
}

/// Reports an error to an operator and returns its exit status.
pub(super) fn wrong(why: &str) -> u8 {
    eprintln!("pointsman: {}", printable_lines(why));
    WRONG
}

/// The text `the rules have no alarm lnk; did you mean link?`: without a name that is near, those that there are if they are few.
pub(super) fn missing<'n>(what: &str, name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    format!("{what} {}{}", printable(name), suggest::hint(name, known))
}

/// The text `3 rule files` or `1 rule file`.
pub(super) fn plural(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
