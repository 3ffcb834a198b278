//! The planner, pure: it decides which host should hold each resource, knows which one does, and sends the next commands.
//!
//! ```text
//!   intents (up, down) --+                            +--> Record   (journaled and synced before what follows it)
//!   reports of agents ---+--> turn -> reconcile() ----+--> Send     (a command to one agent)
//!   operator, time ------+    for each resource       +--> Step, Notice (for people)
//! ```
//!
//! `planner.rs` has the turns. `standing.rs` says where a resource should be and where it is. `reconcile.rs` compares the two, and
//! `damping.rs`, `release.rs` and `grant.rs` do what follows.
//!
//! What must survive a crash is in the [`Ledger`]. It changes only by applying [`Record`]s, so the journal folds to it. Reports
//! of agents are volatile: after a start, the agents send them again.
//!
//! One rule makes sure that a resource has only one holder (I1). A host may be granted a resource only while every other
//! placement is *clear*: the host there reported that it does not hold the resource, does not want it, and has obeyed a
//! generation at least as new as every grant that it was ever given. Then no grant on its way can still act. A placement that
//! can't be made clear is passed over only on the evidence that the terms of its own grants allow (`evidence.rs`). Under `quorum`
//! the votes of a majority are that evidence, and the controller is one of the voters (`voting.rs`).
//!
//! The planner is level-triggered. Every report and every deadline compares what is wanted with what is reported, and repeats
//! commands that were not obeyed yet. Nothing depends on the arrival of one message. The planner does not know sockets, drivers,
//! alarms or scripts. Tests: `tests.rs` beside this file for single decisions, `sim` for everything at once.

mod commands;
mod damping;
mod electorates;
mod evidence;
mod foresight;
mod grant;
mod host_view;
mod intent;
mod ledger;
mod link;
mod pause;
mod planner;
mod pursuit;
mod reconcile;
mod release;
mod reload;
mod reports;
mod standing;
#[cfg(test)]
mod tests;
mod turn;
mod voting;

pub use foresight::Pending;
pub use intent::{Accepted, Intent, IntentVerb};
pub use ledger::{DesiredOwner, Grant, Granted, Instruction, Ledger, PlacementLedger, Record, ResourceLedger, forget};
pub use planner::Planner;
pub use reload::{Left, Why, left_by};
pub use turn::{Input, MoveStep, Output};
