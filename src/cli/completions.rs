//! The commands `completions` and `man`, generated from the declaration of the command line.

use std::io::{self, Write as _};
use std::path::PathBuf;

use super::output::wrong;

/// Prints a completion script for a shell
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman completions bash > /usr/share/bash-completion/completions/pointsman\n  pointsman completions zsh > /usr/share/zsh/site-functions/_pointsman\n  pointsman completions fish > ~/.config/fish/completions/pointsman.fish"
)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

/// Writes the manual pages
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman man /usr/local/share/man/man1\n  pointsman man /tmp/man && man /tmp/man/pointsman-check.1"
)]
pub(super) struct ManArgs {
    /// The folder for the pages; it is created
    folder: PathBuf,
}

pub(super) fn print(args: &CompletionsArgs, mut command_line: clap::Command) -> io::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command_line, "pointsman", &mut script);
    io::stdout().lock().write_all(&script).map(|()| 0)
}

pub(super) fn man(args: &ManArgs, command_line: clap::Command) -> io::Result<u8> {
    let written = std::fs::create_dir_all(&args.folder).and_then(|()| clap_mangen::generate_to(command_line, &args.folder));
    Ok(match written {
        Ok(()) => {
            println!("the manual pages are in {}", args.folder.display());
            0
        }
        Err(e) => wrong(&format!("the manual pages could not be written to {}: {e}", args.folder.display())),
    })
}
