//! Time that went by: deadlines come to pass at their own times, unless there are too many of them.

use std::collections::VecDeque;

use crate::core::base::limits::DEADLINES_OF_A_JUMP;
use crate::core::base::time::{Time, duration_text};
use crate::core::notice::{Kind, Notice};
use crate::{core::engine, core::journal, core::react};

use super::{Controller, Output, Task};

impl Controller {
    /// Deadlines of alarms and runs that passed come to pass at their own times, so that it does not matter in how many
    /// turns the time went by. Of a jump over very many those that are left come to pass at its end.
    pub(super) fn catch_up_with(&mut self, now: Time, out: &mut Vec<Output>) {
        for _ in 0..DEADLINES_OF_A_JUMP {
            let Some(at) = self.next_due().filter(|at| *at <= now) else { return };
            self.pass_overrides(at, out);
            let order = self.input(at, journal::Input::Timer, out);
            let tasks = [Task::Engine(engine::Input::Timer { order }), Task::Runs(react::Input::Timer)];
            self.work(at, VecDeque::from(tasks), out);
        }
        self.skip_to(now, out);
    }

    /// The deadlines that are left up to a time come to pass then, and once each: that is told.
    pub fn skip_to(&mut self, now: Time, out: &mut Vec<Output>) {
        let Some(from) = self.next_due().filter(|at| *at <= now) else { return };
        let text = format!(
            "{} of time is skipped, from {from} on: more than {DEADLINES_OF_A_JUMP} deadlines of alarms fell due in one jump of the time, and those that are left do now, once each",
            duration_text(now.since(from))
        );
        out.push(Output::Notice(Notice::new(Kind::TimeSkipped, text)));
        self.pass_overrides(now, out);
        let order = self.input(now, journal::Input::Timer, out);
        let tasks = [Task::Engine(engine::Input::Skipped { order }), Task::Runs(react::Input::Timer)];
        self.work(now, VecDeque::from(tasks), out);
    }

    fn next_due(&self) -> Option<Time> {
        let parts =
            [self.engine.next_deadline(), self.runs.next_deadline(), self.notifier.next_deadline(), self.overrides.next_end()];
        parts.into_iter().flatten().min()
    }
}
