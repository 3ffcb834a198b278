//! The result of compiling a condition, which the compilers of its kinds fill in.

use std::time::Duration;

use crate::core::lang::program::{AtomId, Detection};

/// A condition, and what else it says of its alarm.
#[derive(Default)]
pub(super) struct CompiledDetect {
    pub(super) detect: Detection,
    pub(super) by: Vec<String>,
    /// `for D` of a state: how long it has to last.
    pub(super) hold: Option<Duration>,
    /// What ends the state that it is about.
    pub(super) ends: Vec<AtomId>,
}
