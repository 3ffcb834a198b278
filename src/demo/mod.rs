//! Two hosts, a controller and a client in networks of their own on this machine, and a failover that can be watched.
//!
//! ```text
//!   client ---+                 +--- sip1: agent, a service       real programs, real TLS, real addresses:
//!             +--- switch ------+                                 the demo only pulls cables, kills processes
//!   control --+                 +--- sip2: agent, a service       and writes what servers write
//! ```
//!
//! Every workflow says what the client saw. While all of them run, the address is watched in both hosts' networks on one
//! clock, and what hosts say of it on the switch: two hosts that have it at once are a failure, whatever the client saw, and so
//! is one that says it has what its kernel does not have.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "the demo reads clocks and files; the core gets values")]

mod client;
mod damage;
mod flood;
mod moves;
mod network;
mod siege;
mod storm;
mod workflows;

use std::io::{self, Write as _};
use std::path::Path;

pub use damage::{Damages, damage};
pub use flood::{Flood, Flooded, measure_floods};
pub use moves::{Move, measure};
pub use network::{ControllerSite, Lab, Layout};
pub use siege::{Siege, siege};
pub use storm::{Storm, storm};

/// The address that moves.
const VIP: &str = "10.77.0.100";
/// This program, as it was when it started.
const MYSELF: &str = "/proc/self/exe";
/// Where the hosts' services answer.
const SERVICE: u16 = 7_777;

#[derive(Clone, Debug)]
pub struct DemoReport {
    /// One line for each workflow: its name, and what was seen, or what went wrong.
    pub workflows: Vec<(String, Result<String, String>)>,
    /// How many there are: after one that failed the others are not tried.
    pub planned: usize,
}

impl DemoReport {
    /// True when every workflow ended as it must.
    pub fn is_well(&self) -> bool {
        self.workflows.iter().all(|(_, seen)| seen.is_ok())
    }
}

/// Runs it, and tells what happens while it does.
///
/// # Errors
/// In words: the networks can't be made, or a program does not start.
pub fn run(tell: &mut dyn FnMut(&str)) -> Result<DemoReport, String> {
    let mut lab = Lab::start(Path::new(MYSELF), Layout::usual(ControllerSite::Apart))?;
    let report = workflows::run(&mut lab, tell);
    if !report.is_well() {
        let kept = lab.keep();
        tell(&format!("the programs' messages and files are kept in {}", kept.display()));
    }
    Ok(report)
}

/// Keeps a network of its own until its input ends: what the demo starts for each host.
///
/// # Errors
/// In words: it has no right.
pub fn hold() -> Result<(), String> {
    crate::shell::linux::lab::hold()
}

/// Becomes another command of this program within a network.
///
/// # Errors
/// Those of the system; otherwise it does not return.
pub fn within(namespace: &Path, arguments: &[String]) -> io::Error {
    use std::os::unix::process::CommandExt as _;
    if let Err(e) = crate::shell::linux::lab::enter(namespace) {
        return e;
    }
    let _ = io::stdout().flush();
    std::process::Command::new(MYSELF).args(arguments).exec()
}
