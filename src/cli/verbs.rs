//! `pointsman verbs`: prints the verbs that scripts can use, as declared in the program.

use std::io::{self, Write as _};

/// Prints the reference of the verbs that scripts have (scripts/verbs.md)
#[derive(clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args) -> io::Result<u8> {
    io::stdout().lock().write_all(crate::core::script::reference().as_bytes())?;
    Ok(0)
}
