//! `pointsman init`: writes a commented site to start from. The files are those of `examples/starter-pair` and
//! `examples/starter-logs`.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::output::wrong;

const EXAMPLES: &str = "\
Examples:
  pointsman init --pair            a pair of servers and the address that follows the primary
  pointsman init --logs /tmp/try   alarms from logs; nothing is moved

It asks nothing and overwrites nothing. Afterwards `pointsman check`, `pointsman test` and `pointsman dry-run` work in that folder.";

/// Writes a commented site to start from
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A pair of servers and an address (the default)
    #[arg(long, conflicts_with = "logs")]
    pair: bool,
    /// Only alarms from logs
    #[arg(long)]
    logs: bool,
    /// The folder to write to; it is created if necessary
    #[arg(default_value = ".")]
    folder: PathBuf,
}

/// A starter site: the path and the text of each file.
type Starter = &'static [(&'static str, &'static str)];

const PAIR: Starter = &[
    ("pointsman.yaml", include_str!("../../examples/starter-pair/pointsman.yaml")),
    ("rules/roles.alarm", include_str!("../../examples/starter-pair/rules/roles.alarm")),
    ("rules/roles.test.yaml", include_str!("../../examples/starter-pair/rules/roles.test.yaml")),
    ("scripts/follow_primary.rhai", include_str!("../../examples/starter-pair/scripts/follow_primary.rhai")),
    ("logs/failover.log", include_str!("../../examples/starter-pair/logs/failover.log")),
];

const LOGS: Starter = &[
    ("pointsman.yaml", include_str!("../../examples/starter-logs/pointsman.yaml")),
    ("rules/ssh.alarm", include_str!("../../examples/starter-logs/rules/ssh.alarm")),
    ("rules/ssh.test.yaml", include_str!("../../examples/starter-logs/rules/ssh.test.yaml")),
    ("logs/auth.log", include_str!("../../examples/starter-logs/logs/auth.log")),
];

pub(super) fn run(args: &Args) -> u8 {
    let (starter, log) = if args.logs { (LOGS, "logs/auth.log") } else { (PAIR, "logs/failover.log") };
    if let Some((path, _)) = starter.iter().find(|(path, _)| args.folder.join(path).symlink_metadata().is_ok()) {
        let path = args.folder.join(path);
        return wrong(&format!("{} exists; nothing was written. Name another folder: pointsman init FOLDER", path.display()));
    }
    for (path, text) in starter {
        let path = args.folder.join(path);
        if let Err(e) = write_new(&path, text) {
            return wrong(&format!("{} could not be written: {e}", path.display()));
        }
        println!("wrote {}", path.display());
    }
    let enter = if args.folder == Path::new(".") { String::new() } else { format!("  cd {}\n", args.folder.display()) };
    println!("\nNext:\n{enter}  pointsman check\n  pointsman test\n  pointsman dry-run {log}");
    0
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}
