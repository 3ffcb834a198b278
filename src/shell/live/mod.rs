//! The programs as they run: the pure parts driven by real clocks, disks, addresses and connections.
//!
//! ```text
//!   sources --+                                     +--> store (synced) --> agents, effects, people
//!   agents ---+--> controller thread: turn, record -+
//!   operators-+                                     +--> evaluator process --> next step
//!
//!   controller --> host thread: turn, marks (synced) --> driver threads, announcer;  monitor --> host thread
//! ```
//!
//! One thread owns each state machine. Everything else communicates with it through a bounded channel. This module decides
//! nothing.

mod answers;
mod asker;
mod asker_limits;
mod changes;
pub mod clock;
mod connection_log;
pub mod control_socket;
mod controller;
mod controller_setup;
mod desk;
mod effects;
pub mod evaluator;
mod failures;
mod follow;
mod following;
pub mod host;
pub mod inbox;
mod lanes;
mod notice_budget;
mod observing;
mod outputs;
mod override_desk;
pub mod program;
pub mod questions;
pub mod reload;
mod reloading;
mod run_sites;
mod supervisor;
pub mod urgency;
mod watch;

pub use crate::shell::linux::machine_zone;
