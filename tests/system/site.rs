//! A site in a folder, and a controller that runs there.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_pointsman");
/// The interval and the number of checks of a state: it is reached within a minute, or never.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: u32 = 3_000;

/// The default address for agents of a site in these tests.
pub(crate) const AGENTS: &str = "listen: { agents: 127.0.0.1:0 }";

const SITE: &str = "
hosts:
  sip1: { address: 10.77.0.1, via: VIA }
  sip2: { address: 10.77.0.2 }
applications:
  SIP_SERVER_PRIMARY: { type: SIP Server, host: sip1 }
  SIP_SERVER_BACKUP: { type: SIP Server, host: sip2 }
pairs:
  sip: { primary: SIP_SERVER_PRIMARY, backup: SIP_SERVER_BACKUP, resource: sip_vip }
resources:
  sip_vip: { address: 10.77.0.100/24, hosts: { sip1: lo, sip2: eth0 }, takeover: confirmed }
channels:
  note: { command: [/usr/bin/tee, -a, TOLD] }
";

/// A folder with a site in it. Every user may read it, and it is removed afterwards.
pub(crate) struct Site(pub(crate) PathBuf);

impl Site {
    pub(crate) fn new(name: &str, more: &str, via: &str) -> Site {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("pointsman-bad-{name}-{}", std::process::id()));
        for folder in ["", "rules", "scripts"] {
            fs::create_dir_all(path.join(folder)).unwrap();
        }
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::copy(here.join("rules/pairs/roles.alarm"), path.join("rules/roles.alarm")).unwrap();
        for script in ["vip_follows_primary.rhai", "vip_leaves_backup.rhai"] {
            fs::copy(here.join("scripts").join(script), path.join("scripts").join(script)).unwrap();
        }
        // The system chooses the port for agents, so that several sites can run at the same time.
        let more = match (more.contains("agents:"), more.contains("listen: {")) {
            (true, _) => more.to_owned(),
            (false, true) => more.replace("listen: {", "listen: { agents: 127.0.0.1:0,"),
            (false, false) => format!("{AGENTS}\n{more}"),
        };
        let told = path.join("told");
        let text = format!("{more}{SITE}").replace("VIA", via).replace("TOLD", told.to_str().unwrap());
        fs::write(path.join("pointsman.yaml"), text).unwrap();
        fs::write(path.join("sip.log"), "").unwrap();
        install(&path.join("pointsman"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o1777)).unwrap();
        Site(path)
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(["run", "-c", "pointsman.yaml"]).current_dir(&self.0).stdin(Stdio::null()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn ask(&self, what: &str) -> String {
        let out = Command::new(PROGRAM).args([what, "--format", "json"]).current_dir(&self.0).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    }

    pub(crate) fn append(&self, text: &str) {
        fs::OpenOptions::new().append(true).open(self.0.join("sip.log")).unwrap().write_all(text.as_bytes()).unwrap();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Copies the program to a path, for all users. Another process writes it: a child that another test has just forked would keep
/// the open file of this one, and a file that somebody writes can't be executed.
pub(crate) fn install(path: &Path) {
    assert!(Command::new("install").args(["-m", "755", PROGRAM]).arg(path).status().unwrap().success());
}

pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A controller that has reported that it is ready, and its output.
pub(crate) fn ready(mut command: Command) -> (Ended, String) {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut before = Vec::new();
    let line = lines.by_ref().map_while(Result::ok).find(|l| {
        before.push(l.clone());
        l.contains("ready:")
    });
    let line = line.unwrap_or_else(|| panic!("it does not get ready: {before:#?}"));
    // Its messages are read further, so that it can continue to write them.
    thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    (Ended(child), line)
}

pub(crate) fn claim(n: u32) -> String {
    let now = pointsman::shell::linux::wall_time().to_string();
    format!("{} Standard sip1 SIP_SERVER_PRIMARY GCTI-00-04563 number {n}\n", now.trim_end_matches('Z'))
}

pub(crate) fn until(what: &str, mut there: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if there() {
            return;
        }
        thread::sleep(LOOK);
    }
    panic!("it did not come to this: {what}");
}
