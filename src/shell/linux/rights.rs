//! Gives up the rights that a running program does not need: the user, capabilities, system calls and places to write.
//!
//! ```text
//!   started by root --> data folder belongs to the user --> user, groups --> capabilities --> no_new_privs
//!                   --> Landlock: writes only below the data folder --> seccomp: no system call that a server never makes
//! ```
//!
//! This applies to the calling thread and to threads and programs that it starts later. It is therefore done before any thread
//! starts. What each program keeps: `docs/explanation/security.md`. Tests: `tests/system/rights.rs`.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::Path;

use caps::{CapSet, Capability, CapsHashSet};
use landlock::{
    ABI, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
    RulesetStatus,
};
use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{User, geteuid, initgroups, setresgid, setresuid};
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};

use crate::core::base::limits::{DESCRIPTORS_MOST, DESCRIPTORS_RESERVED};

/// The user that a program becomes if root starts it and the configuration names no user. It applies only if the user exists.
const USER: &str = "pointsman";
/// The notice about a program that remains root although the configuration does not ask for it.
pub const AS_ROOT: &str = "runs as root, because this machine has no user `pointsman`: an attacker who takes over the program \
    has all files of root. Create the user (`useradd --system --no-create-home --shell /usr/sbin/nologin pointsman`) and start \
    it again, or name one with `user:`; `user: root` is for commands that need root";
/// The configured name that keeps a program running as root.
const ROOT: &str = "root";
/// The maximum depth of folders within the data folder that are given to the user.
const DEPTH: usize = 4;
/// Namespaces that clone(2) can create, one bit each.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// The rights that a program continues to need.
#[derive(Clone, Copy, Debug)]
pub struct Needs<'a> {
    /// The user that the configuration names.
    pub user: Option<&'a str>,
    /// The folder to which the program writes.
    pub data: &'a Path,
    /// Whether it needs the capabilities for addresses and frames (CAP_NET_ADMIN, CAP_NET_RAW).
    pub network: bool,
    /// Whether it needs the capabilities for low ports and large receive buffers (CAP_NET_BIND_SERVICE, CAP_NET_ADMIN) until
    /// [`keep`] drops them.
    pub listens: bool,
    /// Whether its configuration makes it start other programs. They may need to write anywhere, so the places to write are not
    /// restricted. They get the capabilities that the program itself keeps.
    pub programs: bool,
    /// Which programs it may start itself.
    pub starts: ProgramStarts,
}

/// Which programs a process ever starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramStarts {
    Programs,
    /// None: the system call that starts a program is refused.
    Nothing,
}

/// Makes new files and folders accessible to their owner only, unless they are created with other modes. Started programs inherit
/// this.
pub fn make_files_for_owner_only() {
    umask(Mode::from_bits_truncate(0o077));
}

/// Gives up all rights except those that are needed. Returns descriptions of the rights that are left, for the log.
///
/// # Errors
/// Returns an error text if the user does not exist or the kernel refuses.
pub fn give_up(needs: &Needs<'_>) -> Result<Vec<String>, String> {
    let mut said = Vec::new();
    let kept = capabilities(needs.network, needs.listens);
    drop_bounding(&kept)?;
    if geteuid().is_root() {
        match user(needs.user)? {
            Some(user) if !is_mapped(user.uid.as_raw()) => {
                said.push(format!("stays the root of its user namespace, which has no user {}", user.name));
            }
            Some(user) => become_user(&user, needs.data, &mut said)?,
            None if needs.user == Some(ROOT) => said.push("runs as root, as its configuration says".to_owned()),
            None => said.push(AS_ROOT.to_owned()),
        }
    }
    let given = if needs.programs { capabilities(needs.network, false) } else { CapsHashSet::new() };
    keep_capabilities(&kept, &given)?;
    nix::sys::prctl::set_no_new_privs().map_err(|e| format!("no_new_privs can't be set: {e}"))?;
    if !needs.programs {
        said.push(write_only_below(needs.data)?.to_owned());
    }
    refuse_system_calls(needs.starts).map_err(|e| format!("system calls can't be restricted: {e}"))?;
    Ok(said)
}

/// Reduces the capabilities of this thread to those for the network, or to none.
///
/// # Errors
/// Returns an error text if the kernel refuses.
pub fn keep(network: bool, programs: bool) -> Result<(), String> {
    let kept = capabilities(network, false);
    let given = if programs { kept.clone() } else { CapsHashSet::new() };
    keep_capabilities(&kept, &given)
}

/// Raises the limit of file descriptors as far as the system allows. Returns the number of connections that may be open: what is
/// left after the needs of the rest of the program.
pub fn connections_allowed() -> usize {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1_024, 1_024));
    let wanted = hard.min(DESCRIPTORS_MOST);
    let raised = soft < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok();
    let descriptors = usize::try_from(if raised { wanted } else { soft }).unwrap_or(usize::MAX);
    descriptors - DESCRIPTORS_RESERVED.min(descriptors / 2)
}

/// Ends this process when `parent` ends: a helper never outlives the process that wants its answer.
///
/// # Errors
/// Returns an error text if the parent has ended already or the kernel refuses.
pub fn end_with(parent: i32) -> Result<(), String> {
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).map_err(|e| format!("prctl(PR_SET_PDEATHSIG): {e}"))?;
    if nix::unistd::getppid().as_raw() == parent { Ok(()) } else { Err("the process that started this one has ended".to_owned()) }
}

fn capabilities(network: bool, listens: bool) -> CapsHashSet {
    let network = [Capability::CAP_NET_ADMIN, Capability::CAP_NET_RAW].into_iter().filter(|_| network);
    let listening = [Capability::CAP_NET_BIND_SERVICE, Capability::CAP_NET_ADMIN].into_iter().filter(|_| listens);
    network.chain(listening).collect()
}

fn words(e: caps::errors::CapsError) -> String {
    format!("rights can't be given up: {e}")
}

/// No program that is started later can get other capabilities than these.
fn drop_bounding(kept: &CapsHashSet) -> Result<(), String> {
    if caps::read(None, CapSet::Effective).map_err(words)?.contains(&Capability::CAP_SETPCAP) {
        for right in caps::all().difference(kept) {
            // A capability that this kernel does not know cannot be in use either.
            let _ = caps::drop(None, CapSet::Bounding, *right);
        }
    }
    Ok(())
}

/// Keeps only these capabilities. Started programs get those in `given`.
fn keep_capabilities(kept: &CapsHashSet, given: &CapsHashSet) -> Result<(), String> {
    let held = caps::read(None, CapSet::Permitted).map_err(words)?;
    let kept: CapsHashSet = held.intersection(kept).copied().collect();
    let given: CapsHashSet = kept.intersection(given).copied().collect();
    caps::clear(None, CapSet::Ambient).map_err(words)?;
    // A capability that is not permitted cannot be effective or inheritable, so those sets are reduced first.
    caps::set(None, CapSet::Effective, &kept).map_err(words)?;
    caps::set(None, CapSet::Permitted, &kept).map_err(words)?;
    caps::set(None, CapSet::Inheritable, &given).map_err(words)?;
    caps::set(None, CapSet::Ambient, &given).map_err(words)
}

/// The user to become. `None` if the program keeps its user.
fn user(named: Option<&str>) -> Result<Option<User>, String> {
    match named {
        Some(ROOT) => Ok(None),
        Some(name) => match User::from_name(name) {
            Ok(Some(user)) => Ok(Some(user)),
            Ok(None) => Err(format!(
                "this machine has no user `{name}`, which the configuration names (`user:`); make it with `useradd --system {name}`"
            )),
            Err(e) => Err(format!("the user `{name}` can't be looked up: {e}")),
        },
        None => Ok(User::from_name(USER).ok().flatten()),
    }
}

/// True if this process's user namespace contains the user (user_namespaces(7)).
fn is_mapped(user: u32) -> bool {
    let Ok(map) = fs::read_to_string("/proc/self/uid_map") else { return true };
    let range = |line: &str| {
        let mut numbers = line.split_whitespace().map(|n| n.parse::<u64>().unwrap_or(0));
        let (first, _, length) = (numbers.next()?, numbers.next()?, numbers.next()?);
        Some(first..first + length)
    };
    map.lines().filter_map(range).any(|range| range.contains(&u64::from(user)))
}

fn become_user(user: &User, data: &Path, said: &mut Vec<String>) -> Result<(), String> {
    let name = &user.name;
    give(data, user, DEPTH).map_err(|e| format!("the data folder {} can't be given to the user {name}: {e}", data.display()))?;
    let words = |what: &str, e: nix::Error| format!("the program can't become the user {name}: {what}: {e}");
    let c_name = std::ffi::CString::new(name.as_str()).map_err(|e| e.to_string())?;
    caps::securebits::set_keepcaps(true).map_err(|e| format!("rights can't be kept: {e}"))?;
    initgroups(&c_name, user.gid).map_err(|e| words("initgroups", e))?;
    setresgid(user.gid, user.gid, user.gid).map_err(|e| words("setresgid", e))?;
    setresuid(user.uid, user.uid, user.uid).map_err(|e| words("setresuid", e))?;
    if let Err(e) = fs::read_dir(data) {
        return Err(format!(
            "the user {name} can't read the data folder {}: {e}; give it access to the folders above (`namei -l {}` shows them), or set `user:`",
            data.display(),
            data.display()
        ));
    }
    said.push(format!("runs as the user {name}"));
    Ok(())
}

/// Gives the files that root made in the data folder to the user. Links are not followed. A file with several names is left
/// alone, because it may belong to another user.
fn give(path: &Path, user: &User, depth: usize) -> std::io::Result<()> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path);
    // Sockets cannot be opened. They are created again.
    let Ok(file) = file else { return if depth == DEPTH { file.map(drop) } else { Ok(()) } };
    let meta = file.metadata()?;
    if meta.uid() == 0 && (meta.is_dir() || (meta.is_file() && meta.nlink() == 1)) {
        fchown(&file, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
    }
    if meta.is_dir() && depth > 0 {
        for entry in fs::read_dir(path)?.flatten() {
            give(&entry.path(), user, depth - 1)?;
        }
    }
    Ok(())
}

/// Landlock: files can be created, changed and removed only in the data folder, in folders for temporary files and in /dev.
fn write_only_below(data: &Path) -> Result<&'static str, String> {
    let words = |e: &dyn std::fmt::Display| format!("Landlock: {e}");
    let write = AccessFs::from_write(ABI::V3);
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(write).map_err(|e| words(&e))?;
    let mut created = ruleset.create().map_err(|e| words(&e))?;
    let folders = [data, Path::new("/tmp"), Path::new("/var/tmp"), Path::new("/dev")];
    for folder in folders {
        // A folder that does not exist needs no rule.
        let Ok(fd) = PathFd::new(folder) else { continue };
        created = created.add_rule(PathBeneath::new(fd, write)).map_err(|e| words(&e))?;
    }
    let status = created.restrict_self().map_err(|e| words(&e))?;
    Ok(match status.ruleset {
        RulesetStatus::NotEnforced => "this kernel has no Landlock: where the program writes is not restricted",
        _ => "writes in its data folder only (Landlock)",
    })
}

/// Refuses system calls that a server never makes, with EPERM.
fn refuse_system_calls(starts: ProgramStarts) -> Result<(), Box<dyn std::error::Error>> {
    let arch = std::env::consts::ARCH.try_into()?;
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = [
        libc::SYS_acct,
        libc::SYS_add_key,
        libc::SYS_bpf,
        libc::SYS_chroot,
        libc::SYS_clock_adjtime,
        libc::SYS_clock_settime,
        libc::SYS_delete_module,
        libc::SYS_finit_module,
        libc::SYS_fsconfig,
        libc::SYS_fsmount,
        libc::SYS_fsopen,
        libc::SYS_init_module,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
        libc::SYS_io_uring_setup,
        libc::SYS_kcmp,
        libc::SYS_kexec_file_load,
        libc::SYS_kexec_load,
        libc::SYS_keyctl,
        libc::SYS_lookup_dcookie,
        libc::SYS_mount,
        libc::SYS_mount_setattr,
        libc::SYS_move_mount,
        libc::SYS_name_to_handle_at,
        libc::SYS_open_by_handle_at,
        libc::SYS_open_tree,
        libc::SYS_perf_event_open,
        libc::SYS_personality,
        libc::SYS_pivot_root,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_ptrace,
        libc::SYS_quotactl,
        libc::SYS_reboot,
        libc::SYS_request_key,
        libc::SYS_setdomainname,
        libc::SYS_sethostname,
        libc::SYS_setns,
        libc::SYS_settimeofday,
        libc::SYS_swapoff,
        libc::SYS_swapon,
        libc::SYS_syslog,
        libc::SYS_umount2,
        libc::SYS_unshare,
        libc::SYS_userfaultfd,
        libc::SYS_vhangup,
    ]
    .into_iter()
    .map(|number| (number, Vec::new()))
    .collect();
    if starts == ProgramStarts::Nothing {
        refused.extend([libc::SYS_execve, libc::SYS_execveat].map(|number| (number, Vec::new())));
    }
    // Allows sockets of the families that addresses, syslog and agents need.
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_PACKET];
    let others: Result<Vec<_>, _> = families
        .into_iter()
        .map(|family| SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(family.unsigned_abs())))
        .collect();
    refused.insert(libc::SYS_socket, vec![SeccompRule::new(others?)?]);
    // Refuses processes in new namespaces, where they would be root.
    let namespaces: Result<Vec<_>, seccompiler::Error> = NAMESPACES
        .into_iter()
        .map(|flag| {
            let flag = u64::from(flag.unsigned_abs());
            let set = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(flag), flag);
            SeccompRule::new(vec![set.map_err(seccompiler::Error::Backend)?]).map_err(seccompiler::Error::Backend)
        })
        .collect();
    refused.insert(libc::SYS_clone, namespaces?);
    let filter = SeccompFilter::new(refused, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM.unsigned_abs()), arch)?;
    // The arguments of clone3 are in memory, where no filter can see them. The C library falls back to clone.
    let clone3 = [(libc::SYS_clone3, Vec::new())].into_iter().collect();
    let clone3 = SeccompFilter::new(clone3, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS.unsigned_abs()), arch)?;
    for filter in [clone3, filter] {
        let program: BpfProgram = filter.try_into()?;
        seccompiler::apply_filter(&program)?;
    }
    Ok(())
}
