//! The agent on a target host, pure: what it does with commands, with time, and with what its driver saw.
//!
//! ```text
//!              Take (newer generation, fresh echo)
//!    +------+ ------------------> +---------+ silent +--------+ seen there +---------+
//!    | Idle |                     | Probing | -----> | Adding | ---------> | Holding |
//!    +------+ <------------+      +---------+        +--------+            +---------+
//!        ^     seen gone   |           | found a rival    | failed             | newer Release, isolated,
//!        |                 |           v                  v                    | lease ended
//!        |            +-----------+ <------------------------------------------+
//!        +------------| Releasing |   (want = false is on disk before anything is removed)
//!                     +-----------+
//! ```
//!
//! Flows in: [`Input`]s with the host's boot-clock time. Flows out: [`Output`]s. The shell must carry them out in sequence: what
//! must be on disk ([`Output::Persist`]) comes before everything that depends on it.
//!
//! Invariants: a generation is obeyed once, so a doubled or late Take never takes again what was given up. Only one driver
//! operation of a resource is under way. Nothing is touched before a first command. What the driver *saw* counts, not what an
//! operation returned: an address is not held if the kernel should drop it by itself and was not seen to do so. This module does
//! not know netlink, sockets or other hosts. Tests: `tests.rs` beside this file, and `sim`.

mod agent_state;
mod durable;
mod holding;
mod left;
mod lifetime;
mod listening;
mod quorum;
mod resource_agent;
#[cfg(test)]
mod tests;
mod turn;
mod voting;

pub use agent_state::AgentState;
pub use durable::{AgentMark, Durable};
pub use turn::{Input, Operation, OperationResult, Output};
