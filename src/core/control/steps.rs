//! The steps of scripts that the controller does itself: intents on resources, questions about them, and alarms.

use std::collections::VecDeque;

use crate::core::base::time::{Time, parse_duration};
use crate::core::engine;
use crate::core::event::{Trust, Value};
use crate::core::inventory::Name;
use crate::core::journal;
use crate::core::notice::{Kind, Notice};
use crate::core::plan::{Accepted, Intent, IntentVerb};
use crate::core::react::{self, RunId};
use crate::core::script::{Requirement, ResourceVerb, Step, StepResult, Verb};

use super::{Controller, Output, Task};

/// A step that waits until a resource is settled.
#[derive(Clone, Debug)]
pub(super) struct WaitingStep {
    run: RunId,
    n: u32,
    attempt: u32,
    resource: Name,
    pub(super) until: Time,
}

impl Controller {
    /// Does a step, or passes it to the shell.
    pub(super) fn step(
        &mut self,
        now: Time,
        run: RunId,
        attempt: u32,
        step: Step,
        tasks: &mut VecDeque<Task>,
        out: &mut Vec<Output>,
    ) {
        let text = |i: usize| step.args.get(i).map(ToString::to_string).unwrap_or_default();
        if let Some(why) = self.not_trusted(run, &step) {
            return tasks.push_back(Task::Runs(react::Input::Refused { run, n: step.n, attempt, why }));
        }
        if let Some(why) = self.withheld_step(run, &step, out) {
            return tasks.push_back(Task::Runs(react::Input::Refused { run, n: step.n, attempt, why }));
        }
        if step.verb == Verb::Notify && self.is_silenced(run) {
            let result = Ok(Value::from(journal::SILENCED));
            return tasks.push_back(Task::Runs(react::Input::Answered { run, n: step.n, attempt, result }));
        }
        if let Some(result) = self.dry_step(now, run, &step, out) {
            let n = step.n;
            return tasks.push_back(Task::Runs(match result {
                Ok(value) => react::Input::Answered { run, n, attempt, result: Ok(value) },
                Err(why) => react::Input::Refused { run, n, attempt, why },
            }));
        }
        let result = match step.verb {
            Verb::Vip(verb) | Verb::Port(verb) => match verb {
                ResourceVerb::Up | ResourceVerb::MoveTo => {
                    self.intent_of(now, run, IntentVerb::Up, (text(0), text(1)), tasks, out)
                }
                ResourceVerb::Down => self.intent_of(now, run, IntentVerb::Down, (text(0), text(1)), tasks, out),
                ResourceVerb::Owner => self.known(&text(0)).map(|r| match self.planner.owner(&r) {
                    Some(owner) => Value::from(owner.as_str()),
                    None => Value::Unit,
                }),
                ResourceVerb::Holders => self
                    .known(&text(0))
                    .map(|r| Value::List(self.planner.holders(&r).iter().map(|h| Value::from(h.as_str())).collect())),
                ResourceVerb::Settle => match self.known(&text(0)) {
                    Ok(resource) => {
                        let until = now + parse_duration(&text(1)).unwrap_or_default();
                        self.waiting.push(WaitingStep { run, n: step.n, attempt, resource, until });
                        return;
                    }
                    Err(why) => Err(why),
                },
            },
            Verb::PairSwitchover => self.switchover(now, run, &text(0), tasks, out),
            Verb::AlarmClear => {
                self.clear_own_alarm(run, tasks);
                Ok(Value::Unit)
            }
            Verb::Notify => self.notify(now, run, &step, out),
            Verb::HostRun => match self.trusts_journal() {
                Ok(()) => return out.push(Output::Do { run, attempt, step }),
                Err(why) => Err(why),
            },
            Verb::Wait | Verb::Log | Verb::State(_) => {
                Err(format!("`{}` is done by the run itself: this is an error in the program", step.verb))
            }
        };
        let n = step.n;
        // Nothing here fails by chance: a step that is refused now would be refused again.
        tasks.push_back(Task::Runs(match result {
            Ok(value) => react::Input::Answered { run, n, attempt, result: Ok(value) },
            Err(why) => react::Input::Refused { run, n, attempt, why },
        }));
    }

    /// Marks the text of a notification as a test if its run is one.
    pub(super) fn marked_as_test(&self, run: RunId, mut step: Step) -> Step {
        let is_test = self.runs.state().run(run).is_some_and(|run| engine::is_test(&run.bound.call.event));
        if is_test
            && step.verb == Verb::Notify
            && let Some(text) = step.args.get_mut(1).filter(|text| !text.to_string().is_empty())
        {
            let said = text.to_string();
            let mark = if said.starts_with(engine::TEST_MARK) { "" } else { engine::TEST_MARK };
            *text = Value::from(format!("{mark}{said}").as_str()).into_owned();
        }
        step
    }

    /// Why a step is refused: it would change something outside, and the sender of the event has too little trust for that. A
    /// resource has its own requirement.
    fn not_trusted(&self, run: RunId, step: &Step) -> Option<String> {
        match step.verb.decl().requires {
            // The resource's own requirement is checked where the resource is moved.
            Requirement::Nothing | Requirement::Resource => return None,
            Requirement::Reaction => {}
        }
        let bound = &self.runs.state().run(run)?.bound;
        (bound.trust() < bound.requires).then(|| {
            format!(
                "the event's sender has the trust `{}`, and `{}` requires `{}` (write `trust {}` in the reaction {} if that is intended)",
                bound.trust().name(),
                step.verb,
                bound.requires.name(),
                bound.trust().name(),
                bound.reaction
            )
        })
    }

    /// The steps that waited for a resource which is settled now, or that waited too long.
    pub(super) fn settled(&mut self, now: Time) -> Vec<Task> {
        let mut tasks = Vec::new();
        let planner = &self.planner;
        self.waiting.retain(|w| {
            let settled = planner.settled(&w.resource);
            if settled || w.until <= now {
                let result = Ok(Value::Bool(settled));
                tasks.push(Task::Runs(react::Input::Answered { run: w.run, n: w.n, attempt: w.attempt, result }));
                return false;
            }
            true
        });
        tasks
    }

    fn known(&self, resource: &str) -> Result<Name, String> {
        match self.inventory.resources.get_key_value(resource) {
            Some((name, _)) => Ok(name.clone()),
            None => Err(format!("the inventory has no resource {resource}")),
        }
    }

    /// What a step of a dry run would do, reported, and the answer with which its script goes on. `None` for a step that changes
    /// nothing outside, which is done, and for runs that are not dry.
    fn dry_step(&self, now: Time, run: RunId, step: &Step, out: &mut Vec<Output>) -> Option<StepResult> {
        let bound = self.runs.state().run(run).map(|run| &run.bound).filter(|bound| bound.dry)?;
        let text = |i: usize| step.args.get(i).map(ToString::to_string).unwrap_or_default();
        let result = match step.verb {
            Verb::Vip(verb) | Verb::Port(verb) => match verb {
                ResourceVerb::Owner | ResourceVerb::Holders => return None,
                ResourceVerb::Settle => self.known(&text(0)).map(|_| Value::Bool(true)),
                ResourceVerb::Up | ResourceVerb::MoveTo => self.dry_intent(now, run, IntentVerb::Up, (text(0), text(1))),
                ResourceVerb::Down => self.dry_intent(now, run, IntentVerb::Down, (text(0), text(1))),
            },
            Verb::PairSwitchover => self.other_host(&text(0)).and_then(|at| self.dry_intent(now, run, IntentVerb::Up, at)),
            Verb::HostRun => self.trusts_journal().and_then(|()| self.inventory.runs_commands(&text(0))).map(|()| {
                Value::Map(
                    [("status", Value::Int(0)), ("stdout", Value::from("")), ("stderr", Value::from(""))]
                        .map(|(name, value)| (name.to_owned(), value))
                        .into(),
                )
            }),
            Verb::Notify => self.notifier.has_channel(&text(0)).map(|()| Value::Unit),
            Verb::AlarmClear => Ok(Value::Unit),
            Verb::Wait | Verb::Log | Verb::State(_) => return None,
        };
        let args: Vec<String> = step.args.iter().map(ToString::to_string).collect();
        let what = match &result {
            Ok(_) => format!("{} would do {}({})", bound.reaction, step.verb, args.join(", ")),
            Err(why) => format!("{} could not do {}({}): {why}", bound.reaction, step.verb, args.join(", ")),
        };
        let stands = match step.verb {
            Verb::Vip(_) | Verb::Port(_) => match self.planner.owner(&text(0)) {
                Some(owner) => format!("; {} belongs on {owner} now", text(0)),
                None => format!("; where {} belongs is not known", text(0)),
            },
            _ => String::new(),
        };
        let (alarm, reaction) = (Some(bound.of_alarm("name")), Some(bound.reaction.clone()));
        out.push(Output::Notice(Notice { run: Some(run), alarm, reaction, ..Notice::new(Kind::Dry, format!("{what}{stands}")) }));
        Some(result)
    }

    /// Refuses a step that changes something outside while the journal may lack records.
    fn trusts_journal(&self) -> Result<(), String> {
        match self.doubt() {
            Some(_) => Err("nothing is done outside while the journal may lack records (`pointsman resources`)".to_owned()),
            None => Ok(()),
        }
    }

    /// The intent of a run's step, if its event is trusted enough to move the resource.
    fn wanted_intent(&self, run: RunId, verb: IntentVerb, (resource, host): (String, String)) -> Result<Intent, String> {
        let resource = self.known(&resource)?;
        let Some(state) = self.runs.state().run(run) else { return Err("the run has ended".to_owned()) };
        let (trust, sequence, at) = (state.bound.trust(), state.sequence, state.at);
        let requires = self.inventory.resources.get(&resource).map(|r| r.trust);
        if requires.is_some_and(|requires| trust < requires) {
            return Err(untrusted(&resource, trust));
        }
        let host = self.inventory.host(&host).map_or(host, |(name, _)| name.clone());
        Ok(Intent { resource, verb, host, sequence, operator: false, at })
    }

    fn intent_of(
        &mut self,
        now: Time,
        run: RunId,
        verb: IntentVerb,
        at: (String, String),
        tasks: &mut VecDeque<Task>,
        out: &mut Vec<Output>,
    ) -> StepResult {
        let intent = self.wanted_intent(run, verb, at)?;
        answer(self.intend(now, intent.clone(), tasks, out), &intent)
    }

    /// The answer that a run's intent would have.
    fn dry_intent(&self, now: Time, run: RunId, verb: IntentVerb, at: (String, String)) -> StepResult {
        let intent = self.wanted_intent(run, verb, at)?;
        answer(self.planner.would_accept(now, intent.clone()), &intent)
    }

    fn switchover(&mut self, now: Time, run: RunId, pair: &str, tasks: &mut VecDeque<Task>, out: &mut Vec<Output>) -> StepResult {
        let (resource, other) = self.other_host(pair)?;
        self.intent_of(now, run, IntentVerb::Up, (resource, other), tasks, out)
    }

    /// The resource of a pair, and the host of the pair where it does not belong now.
    fn other_host(&self, pair: &str) -> Result<(Name, Name), String> {
        let inventory = &self.inventory;
        let Some(pair) = inventory.pairs.get(pair) else { return Err(format!("the inventory has no pair {pair}")) };
        let Some(resource) = pair.resource.clone() else { return Err("the pair has no resource".to_owned()) };
        let hosts: Vec<&Name> = [&pair.primary, &pair.backup].into_iter().filter_map(|a| inventory.host_of(a)).collect();
        let owner = self.planner.owner(&resource);
        let Some(other) = hosts.into_iter().find(|h| owner.is_some_and(|o| o != *h)) else {
            return Err(format!("the holder of {resource} is not known: name the host with move_to"));
        };
        Ok((resource, other.clone()))
    }

    fn clear_own_alarm(&mut self, run: RunId, tasks: &mut VecDeque<Task>) {
        let Some(state) = self.runs.state().run(run) else { return };
        let (alarm, shown) = (state.bound.of_alarm("name"), state.bound.of_alarm("key"));
        let key = self.shown(&alarm, Some(shown));
        // A less trusted event must not clear what a more trusted one has raised.
        let raised = key.as_ref().and_then(|key| self.engine.state().instance(&alarm, key));
        let raised_by = raised.and_then(|i| i.event.get("trust")).and_then(Value::as_text).and_then(Trust::parse);
        if raised_by.is_some_and(|by| by > state.bound.trust()) {
            return;
        }
        let sequence = state.sequence;
        let by = state.bound.reaction.clone();
        tasks.push_back(Task::Engine(engine::Input::Clear { sequence, alarm, key, by }));
    }
}

/// What a script gets as the result of an intent.
fn answer(accepted: Accepted, intent: &Intent) -> StepResult {
    match accepted {
        Accepted::Yes => Ok(Value::from("accepted")),
        Accepted::Held => Ok(Value::from("held")),
        Accepted::Superseded => Ok(Value::from("superseded")),
        Accepted::Unknown => Err(format!("{} has no placement on {}", intent.resource, intent.host)),
    }
}

/// Why an event with too little trust moves nothing.
pub(super) fn untrusted(resource: &str, trust: Trust) -> String {
    format!(
        "the event's sender has only the trust `{}`, and {resource} requires more (`trust` in the configuration)",
        trust.name()
    )
}
