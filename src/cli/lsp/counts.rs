//! How often alarms were raised in a log: a dry run by this program, beside the thread that answers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value as Json;

use super::sites::SiteKey;

/// The bytes of a log that are read. The rest is not counted.
const LOG_BYTES: u64 = 64 * 1024 * 1024;

/// How often each alarm of a site was raised.
pub(super) struct TimesRaised {
    pub(super) key: SiteKey,
    /// By alarm; or why there are no counts.
    pub(super) counts: Result<BTreeMap<String, u64>, String>,
}

/// Counts with the rules as they are on disk.
pub(super) fn count(key: SiteKey, log: &Path) -> TimesRaised {
    let counts = dry_run(&key, log);
    TimesRaised { key, counts }
}

fn dry_run(key: &SiteKey, log: &Path) -> Result<BTreeMap<String, u64>, String> {
    let file = File::open(log).map_err(|e| format!("{}: {e}", log.display()))?;
    let program = std::env::current_exe().map_err(|e| format!("this program is not found: {e}"))?;
    let mut command = Command::new(program);
    command.args(["dry-run", "--summary", "--format", "json"]);
    for (option, paths) in [("-c", key.config.as_slice()), ("--rules", &key.rules), ("--scripts", key.scripts.as_slice())] {
        for path in paths {
            command.arg(option).arg(path);
        }
    }
    command.arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("the dry run does not start: {e}"))?;
    let input = child.stdin.take();
    let feeding = thread::spawn(move || {
        let mut log = file.take(LOG_BYTES);
        // A dry run that ends early does not read the rest.
        input.map(|mut input| std::io::copy(&mut log, &mut input).and_then(|_| input.flush()))
    });
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    let _ = feeding.join();
    if !output.status.success() {
        return Err("the saved rules have errors; correct them first".to_owned());
    }
    let summary: Json = serde_json::from_slice(&output.stdout).map_err(|e| e.to_string())?;
    let alarms = summary["alarms"].as_array().map(Vec::as_slice).unwrap_or_default();
    let count = |row: &Json| Some((row["alarm"].as_str()?.to_owned(), row["raised"].as_u64()?));
    Ok(alarms.iter().filter_map(count).collect())
}
