//! One program, run to its end or to the end of its time.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Bytes of a program's output that are kept; the rest is read and dropped, and the output says so.
const OUTPUT: usize = 64 * 1024;
/// How often an ended program is looked for.
const LOOK: Duration = Duration::from_millis(5);

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit status; 128 when a signal ended it.
    pub status: i32,
    /// What it printed.
    pub stdout: String,
    /// What it printed as errors.
    pub stderr: String,
}

/// Runs a program with its arguments, no shell between; it is ended when it takes longer than `within`.
///
/// # Errors
/// In words: it can't be started, or did not end in time.
pub fn run(program: &str, arguments: &[String], within: Duration) -> Result<Ended, String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own: when its time is over, what it has started goes with it.
        .process_group(0)
        .spawn()
        .map_err(|e| format!("{program} can't be started: {e}"))?;
    let stdout = child.stdout.take().map(|pipe| thread::spawn(move || keep(pipe)));
    let stderr = child.stderr.take().map(|pipe| thread::spawn(move || keep(pipe)));
    let status = wait(&mut child, within).ok_or_else(|| {
        if let Ok(group) = i32::try_from(child.id()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = child.kill();
        let _ = child.wait();
        format!("{program} did not end within {} s and was ended", within.as_secs_f32())
    })?;
    let text = |thread: Option<thread::JoinHandle<String>>| thread.and_then(|t| t.join().ok()).unwrap_or_default();
    Ok(Ended { status, stdout: text(stdout), stderr: text(stderr) })
}

#[expect(clippy::disallowed_methods, reason = "a deadline of the machine, not of the engine")]
fn wait(child: &mut Child, span: Duration) -> Option<i32> {
    let end = std::time::Instant::now() + span;
    loop {
        match child.try_wait() {
            // Ended by a signal, as a shell would count it.
            Ok(Some(status)) => return Some(status.code().unwrap_or(128)),
            Ok(None) if std::time::Instant::now() < end => thread::sleep(LOOK),
            Ok(None) | Err(_) => return None,
        }
    }
}

fn keep(mut pipe: impl std::io::Read) -> String {
    let mut kept = Vec::new();
    let _ = pipe.by_ref().take(OUTPUT as u64).read_to_end(&mut kept);
    let rest = std::io::copy(&mut pipe, &mut std::io::sink()).unwrap_or(0);
    let mut text = String::from_utf8_lossy(&kept).into_owned();
    if rest > 0 {
        text.push_str(&format!("\n({rest} more bytes were not kept)"));
    }
    text
}
