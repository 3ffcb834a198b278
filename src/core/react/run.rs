//! One run: asks for steps, receives answers, retries, waits, ends.

use std::time::Duration;

use crate::core::base::limits::STEPS_PER_RUN;
use crate::core::base::time::{Time, duration_text, parse_duration};
use crate::core::event::Value;
use crate::core::notice::{Kind, Notice};
use crate::core::script::{Again, Next, ResourceVerb, Step, StepResult, Verb};

use super::record::{Record, RunId, RunOutcome};
use super::state::is_state;
use super::{Output, Runs, Wanted};

impl Runs {
    /// Continues a run after a restart.
    pub(super) fn resume(&mut self, run: RunId, out: &mut Vec<Output>) {
        let Some(asked) = self.state.runs.get(&run).and_then(|r| r.asked.clone()) else {
            out.push(Output::Evaluate(run));
            return;
        };
        if asked.again_at.is_some() || asked.step.verb == Verb::Wait {
            return; // Its deadline stays.
        }
        if is_state(asked.step.verb) {
            return; // Its turn comes in `give_state`.
        }
        let dry = self.state.runs.get(&run).is_some_and(|r| r.bound.dry);
        match if dry { Again::Safe } else { asked.step.verb.decl().again } {
            Again::Safe => out.push(Output::Do { run, attempt: asked.attempt, step: asked.step }),
            Again::Ask | Again::Never => {
                let text = format!(
                    "run {run} was doing `{}` when the controller stopped; whether it was done is not known, and it is not done again",
                    asked.step.verb
                );
                let reaction = self.state.runs.get(&run).map(|r| r.bound.reaction.clone()).unwrap_or_default();
                out.push(Output::Notice(Notice {
                    run: Some(run),
                    reaction: Some(reaction),
                    ..Notice::new(Kind::StepUnknown, text)
                }));
                let result = Err(format!("unknown: `{}` was begun before a restart and its end was not seen", asked.step.verb));
                self.record(Record::Answered { run, result }, out);
                out.push(Output::Evaluate(run));
            }
        }
    }

    /// Handles what a script wants next.
    pub(super) fn evaluated(&mut self, now: Time, run: RunId, next: Next, out: &mut Vec<Output>) {
        let Some(state) = self.state.runs.get(&run).filter(|r| r.begun && r.asked.is_none()) else { return };
        match next {
            Next::Step(step) if step.n as usize != state.history.len() => {} // It was evaluated with an older history.
            Next::Step(step) if step.n as usize >= STEPS_PER_RUN => {
                self.end(now, run, RunOutcome::Failed(format!("it took {STEPS_PER_RUN} steps, which is the limit")), out);
            }
            Next::Step(step) => self.ask(now, run, step, 1, out),
            Next::Finished(value) => self.end(now, run, RunOutcome::Finished(value), out),
            Next::Failed(why) => self.end(now, run, RunOutcome::Failed(why), out),
        }
    }

    /// Records a step, and does it or has it done.
    pub(super) fn ask(&mut self, now: Time, run: RunId, step: Step, attempt: u32, out: &mut Vec<Output>) {
        let Some(state) = self.state.runs.get(&run) else { return };
        let (reaction, timeout, compartment) = (state.bound.reaction.clone(), state.bound.timeout, state.bound.compartment());
        let due = match step.verb {
            Verb::Wait => Some(now + span(step.args.first())),
            // It has its own time limit, and an answer comes in any case.
            Verb::Vip(ResourceVerb::Settle) | Verb::Port(ResourceVerb::Settle) => None,
            // It waits for another run, which ends within its own time limits.
            Verb::State(_) => None,
            Verb::Vip(_) | Verb::Port(_) | Verb::PairSwitchover | Verb::HostRun | Verb::Notify | Verb::AlarmClear | Verb::Log => {
                Some(now + timeout)
            }
        };
        let asked = Record::Asked { run, step: step.clone(), attempt, due };
        // A run that does something else releases the state to the others.
        let gives_back = !is_state(step.verb) && step.verb != Verb::Log && self.state.has_state(run);
        self.record(asked, out);
        if gives_back {
            self.give_state(&compartment, out);
        }
        let text = |i: usize| step.args.get(i).map(ToString::to_string).unwrap_or_default();
        match step.verb {
            Verb::Wait => {}
            Verb::Log => {
                let dry = self.state.runs.get(&run).map(|r| &r.bound).filter(|bound| bound.dry);
                let (kind, says) = if dry.is_some() { (Kind::Dry, " would log") } else { (Kind::Log, "") };
                let alarm = dry.map(|bound| bound.of_alarm("name"));
                let text = format!("{reaction}{says}: {}", text(1));
                out.push(Output::Notice(Notice { run: Some(run), alarm, reaction: Some(reaction), ..Notice::new(kind, text) }));
                self.answered(now, run, Ok(Value::Unit), out);
            }
            Verb::State(_) => self.give_state(&compartment, out),
            Verb::Vip(_) | Verb::Port(_) | Verb::PairSwitchover | Verb::HostRun | Verb::Notify | Verb::AlarmClear => {
                out.push(Output::Do { run, attempt, step });
            }
        }
    }

    /// Handles the result of the step that was asked for: it ends, or is retried.
    pub(super) fn answered(&mut self, now: Time, run: RunId, result: StepResult, out: &mut Vec<Output>) {
        let Some(state) = self.state.runs.get(&run) else { return };
        let Some(asked) = state.asked.clone() else { return };
        if let (Err(why), Some((times, every))) = (&result, state.bound.retry)
            && asked.attempt <= times
        {
            let text = format!(
                "`{}` of run {run} failed: {why}; it is tried again in {} ({} of {times})",
                asked.step.verb,
                duration_text(every),
                asked.attempt
            );
            out.push(Output::Notice(Notice {
                run: Some(run),
                reaction: Some(state.bound.reaction.clone()),
                ..Notice::new(Kind::Retry, text)
            }));
            return self.record(Record::Again { run, at: now + every }, out);
        }
        self.ended(run, result, out);
    }

    /// Ends the step that was asked for, and returns the result to its script.
    pub(super) fn ended(&mut self, run: RunId, result: StepResult, out: &mut Vec<Output>) {
        let result = self.with_room(run, result);
        self.record(Record::Answered { run, result }, out);
        out.push(Output::Evaluate(run));
    }

    /// Handles the deadlines that have passed.
    pub(super) fn timer(&mut self, now: Time, out: &mut Vec<Output>) {
        for run in self.index.due(now) {
            let Some(state) = self.state.runs.get(&run) else { continue };
            match state.asked.clone() {
                Some(asked) => match asked.again_at {
                    Some(at) if at <= now => self.ask(now, run, asked.step, asked.attempt + 1, out),
                    Some(_) => {}
                    None if asked.due.is_some_and(|due| due <= now) => {
                        let result = if asked.step.verb == Verb::Wait {
                            Ok(Value::Unit)
                        } else {
                            Err(format!("`{}` did not end within its time-out", asked.step.verb))
                        };
                        self.answered(now, run, result, out);
                    }
                    None => {}
                },
                None if !state.begun && state.approve_by.is_some_and(|by| by <= now) => {
                    self.end(now, run, RunOutcome::Expired, out);
                }
                None => {}
            }
        }
    }

    /// Ends a run, and starts what follows it.
    pub(super) fn end(&mut self, now: Time, run: RunId, outcome: RunOutcome, out: &mut Vec<Output>) {
        let Some(state) = self.state.runs.get(&run).cloned() else { return };
        let well = matches!(outcome, RunOutcome::Finished(_));
        // That nobody approves a run, or that an operator cancels it, is a decision: its claim moves nothing.
        let decided = well || matches!(outcome, RunOutcome::Expired | RunOutcome::Cancelled(_));
        if let RunOutcome::Cancelled(by) = &outcome {
            let text = format!("{} was cancelled by {by}", state.bound.reaction);
            let reaction = Some(state.bound.reaction.clone());
            out.push(Output::Notice(Notice { run: Some(run), reaction, ..Notice::new(Kind::RunCancelled, text) }));
        }
        let reaction = &state.bound.reaction;
        let notice = match &outcome {
            RunOutcome::Failed(why) if state.bound.dry => Some((Kind::Dry, format!("{reaction} would have failed: {why}"))),
            RunOutcome::Finished(_) if state.bound.dry => Some((Kind::Dry, format!("{reaction} would have ended well"))),
            RunOutcome::Failed(why) => Some((Kind::RunFailed, format!("{reaction} failed: {why}"))),
            RunOutcome::Finished(_) | RunOutcome::Replaced | RunOutcome::Expired | RunOutcome::Cancelled(_) => None,
        };
        out.extend(notice.map(|(kind, text)| {
            let alarm = state.bound.dry.then(|| state.bound.of_alarm("name"));
            Output::Notice(Notice { run: Some(run), alarm, reaction: Some(reaction.clone()), ..Notice::new(kind, text) })
        }));
        self.record(Record::Ended { run, at: now, outcome }, out);
        let lane = state.lane();
        self.give_state(&state.bound.compartment(), out);
        let mut then = state.then;
        if well && !then.is_empty() {
            let next = then.remove(0);
            let wanted = Wanted { sequence: state.sequence, claim: state.claim, key: state.key, then, approve_by: None };
            self.want(now, wanted, next, out);
        } else if let Some(next) = then.first() {
            let text = format!("{} is not started, because {} did not end well", next.reaction, state.bound.reaction);
            out.push(Output::Notice(Notice {
                run: Some(run),
                reaction: Some(next.reaction.clone()),
                ..Notice::new(Kind::NotStarted, text)
            }));
        }
        self.begin_next(now, &lane, out);
        if state.claim {
            out.push(Output::ClaimRun { sequence: state.sequence, well: decided });
        }
    }
}

/// How long a script wants to wait: a duration of the rule language, or seconds.
fn span(value: Option<&Value<'static>>) -> Duration {
    match value {
        Some(Value::Text(text)) => parse_duration(text).unwrap_or_default(),
        Some(Value::Int(seconds)) => Duration::from_secs(u64::try_from(*seconds).unwrap_or(0)),
        Some(Value::Float(seconds)) if seconds.is_finite() && *seconds > 0.0 => Duration::from_secs_f64(seconds.min(1e9)),
        _ => Duration::ZERO,
    }
}
