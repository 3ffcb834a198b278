//! The generic driver: programs with arguments, without a shell, bring a resource up and down and observe it.
//!
//! The exit status of a program is kept for people. Whether the resource is present is what `observe` prints. Programs cannot
//! refuse outdated instructions, so the agent does: it runs them one at a time on its host. Platforms that differ only in their
//! commands are tables (`tables/`), not code. This module does not know who should have what. Tests: `tests/system/port.rs`.

mod leftovers;
mod program;

use std::time::Duration;

use regex::Regex;

use crate::core::agent::{Operation, OperationResult};
use crate::core::base::limits::DRIVER_TIMEOUT;
use crate::core::base::text::printable_short;
use crate::core::inventory::Commands;
use crate::core::wire::Presence;
use crate::shell::linux::boot_time;

pub use leftovers::Leftovers;
pub use program::{Ended, run};

/// The number of characters of a program's output that are reported.
const WORDS: usize = 200;

/// Brings one resource up and down.
#[derive(Debug)]
pub struct CommandDriver {
    commands: Commands,
    up_when: Regex,
    down_when: Regex,
    within: Duration,
}

impl CommandDriver {
    /// Makes a driver that uses these commands.
    ///
    /// # Errors
    /// When a regular expression is invalid.
    pub fn new(commands: Commands) -> Result<CommandDriver, String> {
        let compile = |text: &str| Regex::new(text).map_err(|e| format!("`{text}` is no regular expression: {e}"));
        let (up_when, down_when) = (compile(&commands.up_when)?, compile(&commands.down_when)?);
        Ok(CommandDriver { commands, up_when, down_when, within: DRIVER_TIMEOUT })
    }

    /// Performs an operation and observes its result.
    pub fn drive(&self, operation: Operation) -> OperationResult {
        let failed = match operation {
            Operation::Observe => None,
            Operation::Add { not_after, .. } if boot_time() > not_after => Some("it was too late to begin".to_owned()),
            Operation::Add { .. } => self.all(&self.commands.up),
            Operation::Remove => self.all(&self.commands.down),
        };
        let (holds, words) = self.observe();
        let wanted = match operation {
            Operation::Observe => true,
            Operation::Add { .. } => holds == Presence::Yes,
            Operation::Remove => holds == Presence::No,
        };
        // A command that fails because its work is already done has caused no harm.
        let failed = failed.filter(|_| !wanted).or(words);
        OperationResult { failed, holds, until: None }
    }

    /// Runs all commands even if one fails. The observation afterwards decides.
    fn all(&self, commands: &[Vec<String>]) -> Option<String> {
        let failed: Vec<String> = commands.iter().filter_map(|words| self.one(words).err()).collect();
        (!failed.is_empty()).then(|| failed.join("; "))
    }

    fn one(&self, words: &[String]) -> Result<Ended, String> {
        let (program, arguments) = words.split_first().ok_or("an empty command")?;
        let ended = run(program, arguments, self.within, Leftovers::Stay)?;
        if ended.status == 0 {
            return Ok(ended);
        }
        let said = if ended.stderr.trim().is_empty() { &ended.stdout } else { &ended.stderr };
        Err(format!("`{}` ended with {}: {}", words.join(" "), ended.status, printable_short(said.trim(), WORDS)))
    }

    fn observe(&self) -> (Presence, Option<String>) {
        let ended = match self.one(&self.commands.observe) {
            Ok(ended) => ended,
            Err(why) => return (Presence::Unknown, Some(why)),
        };
        match (self.up_when.is_match(&ended.stdout), self.down_when.is_match(&ended.stdout)) {
            (true, false) => (Presence::Yes, None),
            (false, true) => (Presence::No, None),
            _ => {
                let said = printable_short(ended.stdout.trim(), WORDS);
                let words = self.commands.observe.join(" ");
                (
                    Presence::Unknown,
                    Some(format!("the output of `{words}` matches neither the expression for up nor the one for down: {said}")),
                )
            }
        }
    }
}
