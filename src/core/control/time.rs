//! The passing of time: deadlines take effect at their own times, except if there are too many of them.

use std::collections::VecDeque;

use crate::core::base::limits::DEADLINES_OF_A_JUMP;
use crate::core::base::time::{Time, duration_text};
use crate::core::notice::{Kind, Notice};
use crate::{core::engine, core::journal, core::react};

use super::{Controller, Output, Task};

impl Controller {
    /// Deadlines of alarms and runs in the past take effect at their own times, so the number of turns in which the time passed
    /// does not matter. After a jump over very many deadlines, the rest takes effect at its end.
    pub(super) fn catch_up_with(&mut self, now: Time, out: &mut Vec<Output>) {
        for _ in 0..DEADLINES_OF_A_JUMP {
            let Some(at) = self.next_due().filter(|at| *at <= now) else { return };
            self.pass_overrides(at, out);
            let sequence = self.input(at, journal::Input::Timer, out);
            let tasks = [Task::Engine(engine::Input::Timer { sequence }), Task::Runs(react::Input::Timer)];
            self.work(at, VecDeque::from(tasks), out);
        }
        self.skip_to(now, out);
    }

    /// The deadlines that are left take effect at `now`, and each only once. People are notified of this.
    pub fn skip_to(&mut self, now: Time, out: &mut Vec<Output>) {
        let Some(from) = self.next_due().filter(|at| *at <= now) else { return };
        let text = format!(
            "{} of time is skipped, from {from} on: more than {DEADLINES_OF_A_JUMP} deadlines of alarms expired in one jump of the time, and the remaining ones expire now, once each",
            duration_text(now.since(from))
        );
        out.push(Output::Notice(Notice::new(Kind::TimeSkipped, text)));
        self.pass_overrides(now, out);
        let sequence = self.input(now, journal::Input::Timer, out);
        let tasks = [Task::Engine(engine::Input::Skipped { sequence }), Task::Runs(react::Input::Timer)];
        self.work(now, VecDeque::from(tasks), out);
    }

    fn next_due(&self) -> Option<Time> {
        let parts =
            [self.engine.next_deadline(), self.runs.next_deadline(), self.notifier.next_deadline(), self.overrides.next_end()];
        parts.into_iter().flatten().min()
    }
}
