//! Evaluates scripts in separate processes, which are started in advance, have no rights, and are killed at their deadline.
//!
//! Nested data can overflow the stack of any process that embeds the script library, and an endless loop occupies its thread.
//! Here this ends only a process that has nothing but a pipe. The parent sends the site once, and then calls. The child answers
//! with the next step. A frame is a length of four octets and JSON.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::ops::RangeInclusive;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::resource::{Resource, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use serde::{Deserialize, Serialize};

use crate::core::diag::Source;
use crate::core::inventory::Inventory;
use crate::core::react::RunId;
use crate::core::script::{Compiled, Evaluator, FinishedStep, Next, ScriptCall};
use crate::core::site::Site;
use crate::shell::linux::give_way;

use super::urgency::{Queue, Urgency};

/// The time limit of one evaluation. A reaction takes a fraction of a millisecond.
const DEADLINE: Duration = Duration::from_secs(1);
/// The processes, with the least and the greatest urgency that each evaluates. A process that is busy with a hostile script
/// delays no other work while another process is free, and untrusted senders cannot occupy all processes. Those that untrusted
/// senders can occupy run at low priority and evaluate no claims. The number of waiting evaluations is bounded by the number of
/// runs.
const PROCESSES: [RangeInclusive<Urgency>; 4] = [
    Urgency::CLAIM..=Urgency::MOST,
    Urgency::KNOWN..=Urgency::MOST,
    Urgency::ANY..=Urgency::NO_CLAIM,
    Urgency::ANY..=Urgency::NO_CLAIM,
];
/// The maximum size of one frame in bytes. A larger answer is an error.
const FRAME: usize = 64 * 1024 * 1024;
/// The memory limit of a process: the site, and several times what the limits of a script allow.
const MEMORY: u64 = 512 * 1024 * 1024;

#[derive(Debug, Serialize, Deserialize)]
struct Setup {
    inventory: Inventory,
    scripts: BTreeMap<String, String>,
}

/// One evaluation of a script.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    pub run: RunId,
    /// The file name of its script.
    pub script: String,
    /// The call of the script with its arguments.
    pub call: ScriptCall,
    pub history: Vec<FinishedStep>,
}

/// The processes that evaluate the scripts of one site.
#[derive(Debug)]
pub struct Evaluators {
    tasks: Arc<Queue<Task>>,
}

impl Drop for Evaluators {
    fn drop(&mut self) {
        self.tasks.end();
    }
}

impl Evaluators {
    /// Starts the processes. They run `program evaluate`, and `answer` receives the next step of each run.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(program: PathBuf, site: &Site, answer: impl Fn(RunId, Next) + Clone + Send + 'static) -> io::Result<Evaluators> {
        let scripts = site.scripts.iter().map(|(name, s)| (name.clone(), s.source.text.clone())).collect();
        let setup = serde_json::to_vec(&Setup { inventory: site.inventory.as_ref().clone(), scripts })?;
        let setup = Arc::new(setup);
        let evaluators = Evaluators { tasks: Arc::default() };
        for (n, takes) in PROCESSES.into_iter().enumerate() {
            let mut keeper = Keeper {
                program: program.clone(),
                setup: setup.clone(),
                process: None,
                takes,
                tasks: evaluators.tasks.clone(),
                answer: answer.clone(),
            };
            thread::Builder::new().name(format!("evaluator-{n}")).spawn(move || keeper.work())?;
        }
        Ok(evaluators)
    }

    /// Queues an evaluation by urgency. The answer arrives later.
    pub fn evaluate(&self, urgency: Urgency, task: Task) {
        self.tasks.push(urgency, task);
    }
}

/// A thread that manages one process.
struct Keeper<A> {
    program: PathBuf,
    setup: Arc<Vec<u8>>,
    process: Option<Process>,
    /// The range of urgency that it evaluates.
    takes: RangeInclusive<Urgency>,
    tasks: Arc<Queue<Task>>,
    answer: A,
}

impl<A: Fn(RunId, Next)> Keeper<A> {
    fn work(&mut self) {
        // The low priority also applies to the processes that this thread starts.
        if !self.takes.contains(&Urgency::MOST) {
            give_way();
        }
        loop {
            // The process is started before the first task arrives.
            if self.process.is_none() {
                self.process = Process::start(&self.program, &self.setup).ok();
            }
            let Some(task) = self.tasks.next(self.takes.clone()) else { return };
            let next = self.evaluate(&task);
            (self.answer)(task.run, next);
        }
    }

    fn evaluate(&mut self, task: &Task) -> Next {
        let process = match self.process.take() {
            Some(process) => Ok(process),
            None => Process::start(&self.program, &self.setup),
        };
        let mut process = match process {
            Ok(process) => process,
            Err(e) => return Next::Failed(format!("no process to evaluate scripts can be started: {e}")),
        };
        match process.ask(task) {
            Ok(next) => {
                self.process = Some(process);
                next
            }
            Err(e) if e.kind() == io::ErrorKind::TimedOut => {
                Next::Failed(format!("its evaluation took longer than {} ms and was ended", DEADLINE.as_millis()))
            }
            Err(_) => {
                Next::Failed("its evaluation ended its process: values were nested too deep, or used too much memory".to_owned())
            }
        }
    }
}

/// A child process, which is killed when this is dropped.
#[derive(Debug)]
struct Process {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    fn start(program: &PathBuf, setup: &[u8]) -> io::Result<Process> {
        let mut child = Command::new(program)
            .args(["--parent", &std::process::id().to_string(), "evaluate"])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the process has no pipes"));
        };
        let mut process = Process { child, to, from };
        write_frame(&mut process.to, setup)?;
        // The first answer says that the child has compiled everything and has given up its rights.
        process.read_within(Duration::from_secs(10)).map(|_| process)
    }

    fn ask(&mut self, task: &Task) -> io::Result<Next> {
        write_frame(&mut self.to, &serde_json::to_vec(task)?)?;
        let answer = self.read_within(DEADLINE)?;
        serde_json::from_slice(&answer).map_err(io::Error::other)
    }

    #[expect(clippy::disallowed_methods, reason = "a deadline of the machine, not of the engine")]
    fn read_within(&mut self, span: Duration) -> io::Result<Vec<u8>> {
        let end = Instant::now() + span;
        let mut frame = Vec::new();
        let mut wanted = 4;
        let mut chunk = vec![0; 64 * 1024];
        loop {
            while frame.len() < wanted {
                let left = end.saturating_duration_since(Instant::now());
                let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
                let mut fds = [PollFd::new(self.from.as_fd(), PollFlags::POLLIN)];
                if nix::poll::poll(&mut fds, timeout)? == 0 {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                let most = chunk.len().min(wanted - frame.len());
                match self.from.read(&mut chunk[..most])? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    length => frame.extend_from_slice(&chunk[..length]),
                }
            }
            if wanted > 4 || frame == [0; 4] {
                return Ok(frame.split_off(4));
            }
            let length = frame.first_chunk().map_or(0, |b| u32::from_be_bytes(*b) as usize);
            if length > FRAME {
                return Err(io::ErrorKind::InvalidData.into());
            }
            wanted = 4 + length;
        }
    }
}

fn write_frame(to: &mut impl Write, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(body)?;
    to.flush()
}

fn read_frame(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut body = vec![0; (u32::from_be_bytes(length) as usize).min(FRAME)];
    from.read_exact(&mut body)?;
    Ok(body)
}

/// The child process: it reads the site, gives up all rights, and answers until its parent is gone.
///
/// # Errors
/// When the pipe breaks, or the rights cannot be given up.
pub fn serve(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    let setup: Setup = serde_json::from_slice(&read_frame(&mut from)?)?;
    let evaluator = Evaluator::new(Arc::new(setup.inventory));
    let scripts: BTreeMap<String, Arc<Compiled>> = setup
        .scripts
        .into_iter()
        .filter_map(|(name, text)| Some((name.clone(), evaluator.compile(&Arc::new(Source { name, text })).ok()?)))
        .collect();
    give_up_rights()?;
    write_frame(&mut to, b"")?;
    loop {
        let task: Task = match read_frame(&mut from) {
            Ok(frame) => serde_json::from_slice(&frame)?,
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(e) => return Err(e),
        };
        let next = match scripts.get(&task.script) {
            Some(script) => evaluator.next(script, &task.call, &task.history),
            None => Next::Failed(format!("there is no script {}", task.script)),
        };
        write_frame(&mut to, &serde_json::to_vec(&next)?)?;
    }
}

/// Gives up files, sockets, programs and signals. The pipe and a limited amount of memory remain.
fn give_up_rights() -> io::Result<()> {
    use nix::libc;
    setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_NOFILE, 3, 3)?;
    setrlimit(Resource::RLIMIT_FSIZE, 0, 0)?;
    let allowed = [
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_mprotect,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_rt_sigreturn,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_sigaltstack,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_sched_yield,
    ];
    let rules = allowed.into_iter().map(|number| (number, Vec::new())).collect();
    let arch = std::env::consts::ARCH.try_into().map_err(|e| io::Error::other(format!("{e}")))?;
    let filter = SeccompFilter::new(rules, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow, arch);
    let program: BpfProgram = filter.and_then(TryInto::try_into).map_err(|e| io::Error::other(format!("{e}")))?;
    seccompiler::apply_filter(&program).map_err(|e| io::Error::other(format!("{e}")))
}
