//! What a reaction keeps (`state.get`, `state.set`, `state.add` ...), and who may change it when several of its runs go on at once.
//!
//! A run that reads with `state.get` has the state of its reaction to itself until it ends, or until it wants a step other than
//! `state` and `log`. Other runs of the reaction that want the state wait meanwhile, the one with the lowest number first. So a
//! script that reads a value, changes it and writes it back loses nothing, and nobody waits for a step of the outer world.
//! Who has the state is read from the histories of the runs: nothing is kept that a restart could lose.

use crate::core::base::limits::STATE_LIST;
use crate::core::event::Value;

use super::record::{Record, Run, RunId, State};
use super::{Output, Runs};

/// True for the verbs that read and write what a reaction keeps.
pub(super) fn is_state(verb: &str) -> bool {
    verb.starts_with("state.")
}

impl State {
    /// True when the run has the state of its reaction to itself.
    pub(super) fn has_state(&self, run: RunId) -> bool {
        self.runs.get(&run).is_some_and(has_state)
    }
}

fn has_state(run: &Run) -> bool {
    let within = |verb: &str| is_state(verb) || verb == "log";
    let asks_else = run.asked.as_ref().is_some_and(|asked| !within(&asked.step.verb));
    let mut since = run.history.iter().rev().map(|done| done.step.verb.as_str()).take_while(|verb| within(verb));
    !asks_else && since.any(|verb| verb == "state.get")
}

impl Runs {
    /// Answers the runs of a compartment (a reaction, and the trust of its events) that want its state, as far as no other run has it.
    pub(super) fn give_state(&mut self, compartment: &str, out: &mut Vec<Output>) {
        loop {
            let runs = || self.state.runs.iter().filter(|(_, run)| run.begun && run.bound.compartment() == compartment);
            let owner = runs().find(|(_, run)| has_state(run)).map(|(id, _)| *id);
            let wants = |run: &Run| run.asked.as_ref().is_some_and(|asked| is_state(&asked.step.verb));
            let next = runs().find(|(id, run)| wants(run) && owner.is_none_or(|owner| owner == **id));
            let Some((id, step)) = next.and_then(|(id, run)| Some((*id, run.asked.as_ref()?.step.clone()))) else { return };
            let text = |i: usize| step.args.get(i).map(ToString::to_string).unwrap_or_default();
            let result = self.keep(compartment, &step.verb, text(0), step.args.get(1), out);
            self.ended(id, result, out);
        }
    }

    /// Does one step of `state`.
    fn keep(
        &mut self,
        compartment: &str,
        verb: &str,
        key: String,
        value: Option<&Value<'static>>,
        out: &mut Vec<Output>,
    ) -> Result<Value<'static>, String> {
        let kept = self.state.kept.get(compartment).and_then(|k| k.get(&key)).cloned().unwrap_or_default();
        let (value, result) = match verb {
            "state.get" => return Ok(kept),
            "state.set" => (value.cloned(), Value::Unit),
            "state.remove" => (None, Value::Unit),
            "state.add" => {
                let sum = sum(&kept, value).ok_or_else(|| {
                    format!("state.add: `{key}` is {kept}, and what is added is {}; numbers are added", shown(value))
                })?;
                (Some(sum.clone()), sum)
            }
            "state.append" => {
                let mut list = match kept {
                    Value::Unit => Vec::new(),
                    Value::List(list) => list,
                    other => return Err(format!("state.append: `{key}` is {other}, and no list")),
                };
                list.extend(value.cloned());
                // The oldest go.
                list.drain(..list.len().saturating_sub(STATE_LIST));
                let length = Value::Int(i64::try_from(list.len()).unwrap_or(i64::MAX));
                (Some(Value::List(list)), length)
            }
            other => return Err(format!("there is no verb {other}")),
        };
        if let Some(value) = &value {
            self.state.has_room(compartment, &key, value)?;
        }
        self.record(Record::Kept { reaction: compartment.to_owned(), key, value }, out);
        Ok(result)
    }
}

/// The sum of a number that is kept, 0 where none is, and one that is added.
fn sum(kept: &Value<'static>, more: Option<&Value<'static>>) -> Option<Value<'static>> {
    match (kept, more?) {
        (Value::Unit, more @ (Value::Int(_) | Value::Float(_))) => Some(more.clone()),
        (Value::Int(a), Value::Int(b)) => Some(Value::Int(a.saturating_add(*b))),
        (a @ (Value::Int(_) | Value::Float(_)), b @ (Value::Int(_) | Value::Float(_))) => {
            Some(Value::Float(a.as_number()? + b.as_number()?))
        }
        _ => None,
    }
}

fn shown(value: Option<&Value<'static>>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}
