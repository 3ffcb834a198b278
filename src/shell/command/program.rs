//! Runs one program until it ends or until its time expires.

use std::os::fd::AsFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::leftovers::{Leftovers, Mark};

/// The number of bytes of a program's output that are kept. The rest is read and dropped, and the output says so.
const OUTPUT: usize = 64 * 1024;
/// How often the program is checked for its end while it writes nothing.
const LOOK: Duration = Duration::from_millis(5);

/// The number of bytes that are read at once.
const CHUNK: usize = 4_096;
/// The number of reads after the program has ended: more than its pipes can contain (64 KiB each, pipe(7)).
const LAST_READS: usize = 64;

/// The result of a program that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit status; 128 if a signal ended the program.
    pub status: i32,
    pub stdout: String,
    /// The standard error output of the program.
    pub stderr: String,
}

/// Runs a program with its arguments, without a shell. If it takes longer than `within`, it is ended with everything that it has
/// started. When it ends, the rest of its process group is ended as well; `leftovers` says what happens to services in sessions
/// of their own. Their output is not waited for.
///
/// # Errors
/// Returns an error text if the program cannot be started or did not end in time.
#[expect(clippy::disallowed_methods, reason = "a deadline of the machine, not of the engine")]
pub fn run(program: &str, arguments: &[String], within: Duration, leftovers: Leftovers) -> Result<Ended, String> {
    let mark = Mark::new();
    let (name, value) = mark.variable();
    let mut child = Command::new(program)
        .args(arguments)
        .env(name, value)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // The program gets a process group of its own, so that everything that it has started can be ended with it.
        .process_group(0)
        .spawn()
        .map_err(|e| format!("{program} can't be started: {e}"))?;
    let (mut stdout, mut stderr) = (Output::of(child.stdout.take()), Output::of(child.stderr.take()));
    let end = Instant::now() + within;
    loop {
        // The check for the end comes first: all output that was written before it can then be read.
        let ended = child.try_wait().map_err(|e| format!("{program}: {e}"))?;
        let Some(status) = ended else {
            read_some(&mut stdout, &mut stderr, LOOK);
            if Instant::now() < end {
                continue;
            }
            end_group(&child);
            let _ = child.wait();
            mark.end_all();
            return Err(format!("{program} did not end within {} s and was ended", within.as_secs_f32()));
        };
        // What the program left in its group ends with it. A service that should stay makes a session of its own (setsid(2)), as
        // daemons do.
        end_group(&child);
        if leftovers == Leftovers::End {
            mark.end_all();
        }
        // A service that continues to write is not read forever.
        for _ in 0..LAST_READS {
            if !read_some(&mut stdout, &mut stderr, Duration::ZERO) {
                break;
            }
        }
        // The program was ended by a signal, which a shell also reports from 128 on.
        return Ok(Ended { status: status.code().unwrap_or(128), stdout: stdout.text(), stderr: stderr.text() });
    }
}

/// Ends everything that is still in the process group of a program.
fn end_group(child: &Child) {
    if let Ok(group) = i32::try_from(child.id()) {
        // The group may be empty.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
}

/// Reads what both pipes have, and waits for output for at most `wait`. Returns true if there was any.
fn read_some(stdout: &mut Output<ChildStdout>, stderr: &mut Output<ChildStderr>, wait: Duration) -> bool {
    let ready = {
        let open = [stdout.pipe.as_ref().map(AsFd::as_fd), stderr.pipe.as_ref().map(AsFd::as_fd)];
        if open.iter().all(Option::is_none) {
            std::thread::sleep(wait);
            return false;
        }
        let mut fds: Vec<PollFd<'_>> = open.iter().flatten().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)).collect();
        if nix::poll::poll(&mut fds, PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO)).is_err() {
            return false;
        }
        let mut ready = fds.iter().map(|fd| fd.any().unwrap_or(false));
        open.map(|fd| fd.is_some() && ready.next().unwrap_or(false))
    };
    if ready[0] {
        stdout.read();
    }
    if ready[1] {
        stderr.read();
    }
    ready.contains(&true)
}

/// The output of a program.
struct Output<P> {
    pipe: Option<P>,
    kept: Vec<u8>,
    dropped: usize,
}

impl<P: std::io::Read> Output<P> {
    fn of(pipe: Option<P>) -> Output<P> {
        Output { pipe, kept: Vec::new(), dropped: 0 }
    }

    /// Reads once. The pipe must have data or be at its end.
    fn read(&mut self) {
        let mut chunk = [0; CHUNK];
        let length = self.pipe.as_mut().and_then(|pipe| pipe.read(&mut chunk).ok()).unwrap_or(0);
        if length == 0 {
            self.pipe = None;
        }
        let kept = length.min(OUTPUT - self.kept.len());
        self.kept.extend_from_slice(&chunk[..kept]);
        self.dropped += length - kept;
    }

    fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.kept).into_owned();
        if self.dropped > 0 {
            text.push_str(&format!("\n({} more bytes were not kept)", self.dropped));
        }
        text
    }
}
