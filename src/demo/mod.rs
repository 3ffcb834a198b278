//! Two hosts, a controller and a client in separate networks on this machine, and a failover to watch.
//!
//! ```text
//!   client ---+                 +--- sip1: agent, a service       real programs, real TLS, real addresses:
//!             +--- switch ------+                                 the demo only pulls cables, kills processes
//!   control --+                 +--- sip2: agent, a service       and writes what servers write
//! ```
//!
//! Every workflow reports what the client observed. During all of them, the address is watched in both hosts' networks with one
//! clock, and so are the announcements on the switch. Two hosts that have the address at once are a failure, whatever the client
//! observed. A host that announces an address which its kernel does not have is a failure, too.
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
pub use siege::{Killed, Siege, siege};
pub use storm::{Storm, storm};
pub use workflows::DemoReport;

/// This program, as it was when it started.
const MYSELF: &str = "/proc/self/exe";
/// Runs the demo and reports its progress to `tell`. Its files are removed if it succeeds, except if they are to be kept.
///
/// # Errors
/// Returns an error text if the networks cannot be made, or a program does not start.
pub fn run(keep: bool, tell: &mut dyn FnMut(&str)) -> Result<DemoReport, String> {
    let mut lab = Lab::start(Path::new(MYSELF), Layout::usual(ControllerSite::Apart))?;
    let report = workflows::run(&mut lab, tell);
    if keep || !report.is_well() {
        let kept = lab.keep();
        tell(&format!("the programs' messages and files are kept in {}", kept.display()));
    }
    Ok(report)
}

/// Keeps a network of its own until its input ends. The demo starts this for each host.
///
/// # Errors
/// Returns an error text if a right is missing.
pub fn hold() -> Result<(), String> {
    crate::shell::linux::lab::hold()
}

/// Replaces this process by another command of this program within a network.
///
/// # Errors
/// The errors of the system. On success it does not return.
pub fn within(namespace: &Path, arguments: &[String]) -> io::Error {
    use std::os::unix::process::CommandExt as _;
    if let Err(e) = crate::shell::linux::lab::enter(namespace) {
        return e;
    }
    let _ = io::stdout().flush();
    std::process::Command::new(MYSELF).args(arguments).exec()
}
