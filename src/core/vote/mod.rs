//! Votes (`takeover: quorum`), pure: what a voter may promise, and how long a holder may rely on promises.
//!
//! ```text
//!   holder                                     voter
//!   Votes::ask: number 7, sent at 12.0 s ----> Voter::ask: promises (resource, host) until received + promise_lasts(term)
//!   Votes::answered: counts from 12.0 s  <---- yes, or why not
//!   holds until the time of the majority + term
//! ```
//!
//! **Invariant:** two hosts never hold a resource at once. A voter promises one host at a time. A host holds only while a
//! majority has promised it that, and two majorities of the same voters have a voter in common. The promise begins after the
//! request was sent and lasts longer than the term. So the holder's time ends first, whatever the two clocks show: each duration
//! is measured on one machine only, and [`promise_lasts`] allows for clocks that run at different rates.
//!
//! A promise is not on disk. A voter that starts promises nothing for as long as the longest promise that it ever gave. The
//! length of that promise is on disk before a longer promise leaves the process ([`Voter::longest`]).
//!
//! This module does not know who may ask, messages, disks or addresses. Tests: `tests.rs` beside this file (single rules),
//! `model` (all states of a small instance), `sim`.

mod holder;
mod model;
#[cfg(test)]
mod tests;
mod voter;

use std::time::Duration;

use crate::core::base::limits::VOTE_TERM_MOST;

pub use holder::{Elector, Votes};
pub use model::{BrokenRule, Searched, VoteModel};
pub use voter::{Promise, Voter};

/// A promise lasts longer than the term by this much. A kernel may keep an address 0.6 s beyond the term on purpose (see the
/// agent's `KERNEL_SLACK`) and up to 0.35 s by itself.
const SLACK: Duration = Duration::from_secs(1);
/// A promise also lasts longer by this part of the term: clocks may differ by 1 part in 200 each way.
const RATE_PARTS: u32 = 100;

/// How long a voter keeps a promise for a term.
pub fn promise_lasts(term: Duration) -> Duration {
    term.saturating_add(term / RATE_PARTS).saturating_add(SLACK)
}

/// The longest time that any promise may last.
pub fn promise_lasts_most() -> Duration {
    promise_lasts(VOTE_TERM_MOST)
}
