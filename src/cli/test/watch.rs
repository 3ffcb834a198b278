//! `pointsman test --watch`: runs the tests again whenever rules, tests, scripts or the configuration change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use crate::shell::sources::watch;

use super::super::output::wrong;
use super::args::Args;

/// Runs the tests now and after each change, until the program is ended.
pub(super) fn run(args: &Args, tests: impl Fn(&Args) -> io::Result<u8>) -> io::Result<u8> {
    let setup = args.given.load();
    let folders: Vec<PathBuf> =
        [args.paths.clone(), args.given.rules.clone(), setup.rule_paths, setup.scripts_folder.into_iter().collect()].concat();
    let near = args.given.config.clone().or_else(|| folders.first().map(|folder| folder.join("pointsman.yaml")));
    let file = near.unwrap_or_else(|| Path::new("pointsman.yaml").to_owned());
    let (sender, changes) = sync_channel(1);
    // The files are watched before they are read, so that no change is missed.
    let watched = watch(&file, &folders, move || {
        let _ = sender.try_send(());
    });
    let _watched = match watched {
        Ok(watched) => watched,
        Err(why) => return Ok(wrong(&why)),
    };
    loop {
        let code = tests(args)?;
        println!("waiting for changes; Ctrl-C ends");
        if changes.recv().is_err() {
            return Ok(code);
        }
        println!();
    }
}
