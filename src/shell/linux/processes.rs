//! Finds out whether applications run, from what the kernel shows of processes and control groups. It does not contact the
//! applications and runs no program.
//!
//! Processes write some of the content of `/proc` themselves. It is read up to a limit and compared, and used for nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::core::inventory::{Name, Sign};
use crate::core::wire::AppStatus;

use super::beginning;

/// The number of bytes of one file that are read.
const BYTES: u64 = 4_096;
/// The number of bytes of a process name that the kernel keeps.
const COMM: usize = 15;
/// The control group of systemd units if no path is configured.
const SLICE: &str = "system.slice";

/// The applications that are observed.
#[derive(Clone, Debug)]
pub struct Processes {
    proc: PathBuf,
    cgroup: PathBuf,
    watched: BTreeMap<Name, Sign>,
}

impl Processes {
    /// Observes the processes of this machine.
    pub fn new(watched: BTreeMap<Name, Sign>) -> Processes {
        Processes { proc: "/proc".into(), cgroup: "/sys/fs/cgroup".into(), watched }
    }

    /// True if no application is observed.
    pub fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    /// The status of each application now.
    pub fn look(&self) -> BTreeMap<Name, AppStatus> {
        // One pass over all processes serves all names, and only if names are needed.
        let wanted: BTreeSet<&str> =
            self.watched.values().filter_map(|s| if let Sign::Process(name) = s { Some(name.as_str()) } else { None }).collect();
        let found = if wanted.is_empty() { Ok(BTreeSet::new()) } else { self.named(&wanted) };
        let runs = |sign: &Sign| match sign {
            Sign::PidFile(file, process) => self.by_file(file, process.as_deref()),
            Sign::Unit(unit) => self.by_unit(unit),
            Sign::Process(name) => match &found {
                Ok(found) if found.contains(name.as_str()) => AppStatus::Yes,
                Ok(_) => AppStatus::No,
                Err(_) => AppStatus::Unknown,
            },
        };
        self.watched.iter().map(|(app, sign)| (app.clone(), runs(sign))).collect()
    }

    fn by_file(&self, file: &Path, process: Option<&str>) -> AppStatus {
        let text = match read(file) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return AppStatus::No,
            Err(_) => return AppStatus::Unknown,
        };
        // A file that is being written is empty for a moment.
        let Some(pid) = text.split_whitespace().next().and_then(|t| t.parse::<u32>().ok()).filter(|pid| *pid > 0) else {
            return AppStatus::Unknown;
        };
        if !self.sees() {
            return AppStatus::Unknown;
        }
        let folder = self.proc.join(pid.to_string());
        let is = is_alive(&folder) && process.is_none_or(|name| is_named(&folder, name));
        if is { AppStatus::Yes } else { AppStatus::No }
    }

    fn by_unit(&self, unit: &str) -> AppStatus {
        let path = if unit.contains('/') { PathBuf::from(unit) } else { Path::new(SLICE).join(unit) };
        // Version 2 of control groups, or the tree of systemd in version 1.
        let roots = [self.cgroup.clone(), self.cgroup.join("systemd")];
        let Some(root) = roots.iter().find(|root| root.join("cgroup.procs").exists()) else { return AppStatus::Unknown };
        let group = root.join(path);
        // `cgroup.events` includes the groups below. Version 1 does not have it.
        if let Ok(events) = read(&group.join("cgroup.events")) {
            return if events.lines().any(|l| l == "populated 1") { AppStatus::Yes } else { AppStatus::No };
        }
        match read(&group.join("cgroup.procs")) {
            Ok(pids) if pids.trim().is_empty() => AppStatus::No,
            Ok(_) => AppStatus::Yes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => AppStatus::No,
            Err(_) => AppStatus::Unknown,
        }
    }

    /// True if the processes of other users are visible: process 1 always exists (proc(5), hidepid).
    fn sees(&self) -> bool {
        self.proc.join("1/stat").exists()
    }

    /// The names that a process has, of those that are wanted.
    fn named<'n>(&self, wanted: &BTreeSet<&'n str>) -> io::Result<BTreeSet<&'n str>> {
        let mut found = BTreeSet::new();
        if !self.sees() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        for entry in fs::read_dir(&self.proc)? {
            let Ok(entry) = entry else { continue };
            if !entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit) {
                continue;
            }
            let folder = entry.path();
            let missing = wanted.iter().filter(|name| !found.contains(**name));
            let is: Vec<&str> = missing.filter(|name| is_named(&folder, name)).copied().collect();
            if !is.is_empty() && is_alive(&folder) {
                found.extend(is);
            }
            if found.len() == wanted.len() {
                break;
            }
        }
        Ok(found)
    }
}

/// A zombie is still in the process table and does not run.
fn is_alive(folder: &Path) -> bool {
    let Ok(stat) = read(&folder.join("stat")) else { return false };
    // The name is in parentheses and may contain any character.
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X' | 'x'))
}

/// Compares the kernel's name of the process, or the last part of the path with which it was started. A whole path is compared
/// with the executable if that can be read, and otherwise with the path with which it was started.
fn is_named(folder: &Path, name: &str) -> bool {
    if name.starts_with('/') {
        return fs::read_link(folder.join("exe")).is_ok_and(|exe| exe == Path::new(name))
            || started_as(folder).is_some_and(|first| first == name);
    }
    // As bytes, because the kernel may have cut the name within a character.
    let comm = beginning::of(&folder.join("comm"), BYTES).unwrap_or_default();
    let comm = comm.strip_suffix(b"\n").unwrap_or(&comm);
    comm == name.as_bytes()
        || (comm.len() == COMM && name.as_bytes().starts_with(comm))
            && started_as(folder).is_none_or(|first| first.rsplit('/').next() == Some(name))
}

/// The first word of the command line. A kernel thread has none.
fn started_as(folder: &Path) -> Option<String> {
    let line = read(&folder.join("cmdline")).ok()?;
    line.split('\0').next().filter(|first| !first.is_empty()).map(str::to_owned)
}

/// The beginning of a file. Invalid text is replaced.
fn read(path: &Path) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&beginning::of(path, BYTES)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Machine(PathBuf);

    impl Machine {
        fn new(name: &str) -> Machine {
            let path = std::env::temp_dir().join(format!("pointsman-processes-{name}-{}", std::process::id()));
            let machine = Machine(path);
            machine.process(1, "init", 'S', "/sbin/init\0");
            machine
        }

        fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }

        fn process(&self, pid: u32, comm: &str, state: char, line: &str) {
            self.write(&format!("proc/{pid}/comm"), format!("{comm}\n"));
            self.write(&format!("proc/{pid}/stat"), format!("{pid} ({comm}) {state} 1 1 1\n"));
            self.write(&format!("proc/{pid}/cmdline"), line);
        }

        fn look(&self, sign: Sign) -> AppStatus {
            let watched = [("a".to_owned(), sign)].into();
            Processes { proc: self.0.join("proc"), cgroup: self.0.join("cgroup"), watched }.look()["a"]
        }
    }

    impl Drop for Machine {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_pid_file_names_a_process_that_lives() {
        let machine = Machine::new("pid");
        let sign = |name: Option<&str>| Sign::PidFile(machine.0.join("a.pid"), name.map(str::to_owned));
        assert_eq!(machine.look(sign(None)), AppStatus::No, "no file");
        machine.process(7, "sip ) Z (", 'S', "/opt/sip\0-x\0");
        machine.write("a.pid", "7\n");
        assert_eq!((machine.look(sign(None)), machine.look(sign(Some("sip ) Z (")))), (AppStatus::Yes, AppStatus::Yes));
        assert_eq!(machine.look(sign(Some("other"))), AppStatus::No, "the number is another's now");
        machine.process(7, "sip", 'Z', "");
        assert_eq!(machine.look(sign(None)), AppStatus::No, "it has ended");
        machine.write("a.pid", "8");
        assert_eq!(machine.look(sign(None)), AppStatus::No, "no such process");
        for odd in ["", "x", "-1", "0", "99999999999999999999", "\u{0}\u{1}"] {
            machine.write("a.pid", odd);
            assert_eq!(machine.look(sign(None)), AppStatus::Unknown, "{odd:?}");
        }
        machine.write("a.pid", [0xff, 0xfe]);
        assert_eq!(machine.look(sign(None)), AppStatus::Unknown);
    }

    #[test]
    fn a_process_has_a_name_or_a_path() {
        let machine = Machine::new("name");
        let look = |name: &str| machine.look(Sign::Process(name.to_owned()));
        assert_eq!(look("sipserver"), AppStatus::No);
        machine.process(7, "sipserver", 'S', "/opt/genesys/sip/sipserver\0-x\0");
        machine.process(8, "a_name_of_more_", 'R', "./a_name_of_more_than_fifteen\0");
        machine.process(9, "gone", 'Z', "");
        machine.write("proc/10/comm", [0xff; 9_000]);
        machine.write("proc/10/stat", ")))))");
        machine.write("proc/notes/comm", "sip\n");
        assert_eq!((look("sipserver"), look("/opt/genesys/sip/sipserver")), (AppStatus::Yes, AppStatus::Yes));
        assert_eq!((look("sip"), look("/opt/sipserver"), look("gone")), (AppStatus::No, AppStatus::No, AppStatus::No));
        assert_eq!((look("a_name_of_more_than_fifteen"), look("a_name_of_more_than_you")), (AppStatus::Yes, AppStatus::No));
        fs::remove_dir_all(machine.0.join("proc/1")).unwrap();
        assert_eq!(look("sipserver"), AppStatus::Unknown, "others can't be seen");
        fs::remove_dir_all(machine.0.join("proc")).unwrap();
        assert_eq!(look("sipserver"), AppStatus::Unknown, "nothing can be seen");
    }

    #[test]
    fn a_unit_is_its_control_group() {
        let machine = Machine::new("unit");
        let look = |unit: &str| machine.look(Sign::Unit(unit.to_owned()));
        assert_eq!(look("sip.service"), AppStatus::Unknown, "no control groups");
        machine.write("cgroup/cgroup.procs", "");
        assert_eq!(look("sip.service"), AppStatus::No);
        machine.write("cgroup/system.slice/sip.service/cgroup.events", "populated 1\nfrozen 0\n");
        machine.write("cgroup/system.slice/sip.service/cgroup.procs", "");
        machine.write("cgroup/machine.slice/b.service/cgroup.procs", "12\n13\n");
        assert_eq!(
            (look("sip.service"), look("machine.slice/b.service"), look("b.service")),
            (AppStatus::Yes, AppStatus::Yes, AppStatus::No)
        );
        machine.write("cgroup/system.slice/sip.service/cgroup.events", "populated 0\nfrozen 0\n");
        machine.write("cgroup/machine.slice/b.service/cgroup.procs", "\n");
        assert_eq!((look("sip.service"), look("machine.slice/b.service")), (AppStatus::No, AppStatus::No));
    }

    /// Observes the machine that runs the test.
    #[test]
    fn this_very_process_runs() {
        let comm = fs::read_to_string("/proc/self/comm").unwrap().trim_end().to_owned();
        let watched =
            BTreeMap::from([("me".to_owned(), Sign::Process(comm)), ("no".to_owned(), Sign::Process("nobody-here".to_owned()))]);
        let seen = Processes::new(watched).look();
        assert_eq!((seen["me"], seen["no"]), (AppStatus::Yes, AppStatus::No));
    }
}
