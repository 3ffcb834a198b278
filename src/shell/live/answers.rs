//! Answers the questions of operators: which user may ask what, and what must be on the disk before an answer is sent.

use std::time::Duration;

use serde_json::Value as Json;
use tokio::sync::oneshot;

use crate::core::base::limits::NOTICES_A_MINUTE;
use crate::core::control::{Input, OperatorCommand, Output};

use super::asker::Asker;
use super::controller::Running;
use super::desk::Desk;
use super::questions::{Answer, Question, Reply};
use super::reloading::Trigger;

impl Running {
    /// Takes a question of a user: refuses it, begins a reload, or answers it. The answer is sent by [`Running::give_answers`].
    pub(super) fn ask(&mut self, by: &Asker, question: Question, reply: oneshot::Sender<Answer>, outputs: &mut Vec<Output>) {
        if let Some(why) = self.refuses(by, &question) {
            self.record_refused(by, &question, &why, outputs);
            self.answers.push((reply, Err(why), true));
            return;
        }
        if let Question::Reload { check, abandon } = question {
            return self.reload(Trigger::Command { check, abandon, reply });
        }
        let before = outputs.len();
        let answer = self.answer(by.name(), question, outputs);
        // A change is on the disk before the operator learns of it.
        self.answers.push((reply, answer, outputs.len() > before));
    }

    /// Answers operators. If something changed, the answer follows the sync.
    pub(super) fn give_answers(&mut self) -> Result<(), String> {
        if self.answers.iter().any(|(_, _, changes)| *changes) {
            self.sync()?;
        }
        for (reply, answer, _) in std::mem::take(&mut self.answers) {
            self.counts.answered(answer.is_err());
            // The operator may have disconnected.
            let _ = reply.send(answer);
        }
        Ok(())
    }

    /// The reason why a user may not ask this question; `None` if it is allowed.
    fn refuses(&self, by: &Asker, question: &Question) -> Option<String> {
        let (level, needed) = (by.level(&self.reloading.config.access), question.level());
        if level >= Some(needed) {
            return None;
        }
        let has = level.map_or("no access at all".to_owned(), |level| format!("the access `{}`", level.name()));
        Some(format!(
            "{} has {has}, and `{}` needs `{}` (`access` in the configuration)",
            by.name(),
            question.name(),
            needed.name()
        ))
    }

    /// Records a refused question, unless there are too many of them.
    fn record_refused(&mut self, by: &Asker, question: &Question, why: &str, outputs: &mut Vec<Output>) {
        let now = self.clock.now();
        if now.since(self.refused.0) >= Duration::from_secs(60) || now < self.refused.0 {
            self.refused = (now, 0);
        }
        self.refused.1 += 1;
        if self.refused.1 > NOTICES_A_MINUTE {
            return;
        }
        let refused = Input::Refused { by: by.name(), command: question.name().to_owned(), why: why.to_owned() };
        self.turn(now, refused, outputs);
    }

    fn answer(&mut self, by: String, question: Question, outputs: &mut Vec<Output>) -> Answer {
        if question == Question::Metrics {
            return Ok(Json::Array(self.observation().samples.rows()));
        }
        let connected = self.connected();
        let now = self.clock.now();
        let desk = Desk { site: &self.site, controller: &self.controller, connected, sources: &self.sources, now };
        match desk.reply(&by, question)? {
            Reply::Shown(table) => Ok(table),
            Reply::Synced => {
                let before = std::mem::take(outputs);
                self.carry_out(before)?;
                self.sync()?;
                Ok(Json::Null)
            }
            Reply::Tested(channel) => {
                self.turn(self.clock.now(), Input::Operator { by, command: OperatorCommand::TestChannel { channel } }, outputs);
                Ok(Json::from(self.controller.notifier().last()))
            }
            Reply::Asked(command) => {
                self.turn(self.clock.now(), Input::Operator { by, command }, outputs);
                Ok(Json::Null)
            }
        }
    }
}
