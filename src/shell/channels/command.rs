//! A program that receives the text as its last argument.

use crate::core::base::limits::DRIVER_TIMEOUT;
use crate::core::base::text::printable_short;
use crate::core::notifications::{Notification, Undelivered};
use crate::shell::command::{Leftovers, run};

use super::attempt::later;

/// The number of characters of a failing program's error output that are reported.
const SAID: usize = 200;

pub(super) fn send(words: &[String], notification: &Notification) -> Result<(), Undelivered> {
    let Some((program, arguments)) = words.split_first() else { return Err(later("the channel has no command")) };
    let mut arguments = arguments.to_vec();
    arguments.push(notification.whole());
    let done = run(program, &arguments, DRIVER_TIMEOUT, Leftovers::End).map_err(later)?;
    match done.status {
        0 => Ok(()),
        status => Err(later(format!("{program} ended with {status}: {}", printable_short(done.stderr.trim(), SAID)))),
    }
}
