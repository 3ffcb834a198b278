//! The values of a reaction (`state.get`, `state.set`, `state.add` ...), and which of several active runs may change them.
//!
//! A run that reads with `state.get` owns the state of its reaction until it ends, or until it wants a step other than
//! `state` and `log`. Other runs of the reaction that want the state wait meanwhile; the lowest number is first. So a script
//! that reads a value, changes it and writes it back loses no update, and no run waits for an external step of another. The
//! owner follows from the histories of the runs: nothing is stored that a restart could lose.

use crate::core::base::limits::STATE_LIST;
use crate::core::event::Value;
use crate::core::script::{StateVerb, Verb};

use super::record::{DRY, Record, Run, RunId, State};
use super::{Output, Runs};

/// True for the verbs that read and write the values of a reaction.
pub(super) fn is_state(verb: Verb) -> bool {
    matches!(verb, Verb::State(_))
}

impl State {
    /// True when the run owns the state of its reaction.
    pub(super) fn has_state(&self, run: RunId) -> bool {
        self.runs.get(&run).is_some_and(has_state)
    }
}

fn has_state(run: &Run) -> bool {
    let within = |verb: Verb| is_state(verb) || verb == Verb::Log;
    let asks_else = run.asked.as_ref().is_some_and(|asked| !within(asked.step.verb));
    let mut since = run.history.iter().rev().map(|done| done.step.verb).take_while(|verb| within(*verb));
    !asks_else && since.any(|verb| verb == Verb::State(StateVerb::Get))
}

impl Runs {
    /// Answers the runs of a compartment (a reaction, and the trust of its events) that want its state, unless another run
    /// owns it.
    pub(super) fn give_state(&mut self, compartment: &str, out: &mut Vec<Output>) {
        loop {
            let runs = || self.state.runs.iter().filter(|(_, run)| run.begun && run.bound.compartment() == compartment);
            let owner = runs().find(|(_, run)| has_state(run)).map(|(id, _)| *id);
            let wants = |run: &Run| match run.asked.as_ref().map(|asked| (asked.step.verb, &asked.step)) {
                Some((Verb::State(verb), step)) => Some((verb, step.clone())),
                _ => None,
            };
            let next =
                runs().filter(|(id, _)| owner.is_none_or(|owner| owner == **id)).find_map(|(id, run)| Some((*id, wants(run)?)));
            let Some((id, (verb, step))) = next else { return };
            let key = step.args.first().map(ToString::to_string).unwrap_or_default();
            let result = self.keep(compartment, verb, key, step.args.get(1), out);
            self.ended(id, result, out);
        }
    }

    /// Does one step of `state`.
    fn keep(
        &mut self,
        compartment: &str,
        verb: StateVerb,
        key: String,
        value: Option<&Value<'static>>,
        out: &mut Vec<Output>,
    ) -> Result<Value<'static>, String> {
        let stored = |compartment: &str| self.state.kept.get(compartment).and_then(|k| k.get(&key)).cloned();
        // A dry run sees what other runs stored, and stores for dry runs only.
        let others = || stored(compartment.strip_suffix(DRY)?);
        let kept = stored(compartment).or_else(others).unwrap_or_default();
        let (value, result) = match verb {
            StateVerb::Get => return Ok(kept),
            StateVerb::Set => (value.cloned(), Value::Unit),
            // What other runs stored stays, and the dry runs do not see it.
            StateVerb::Remove => (compartment.ends_with(DRY).then_some(Value::Unit), Value::Unit),
            StateVerb::Add => {
                let sum = sum(&kept, value).ok_or_else(|| {
                    format!("state.add: `{key}` is {kept}, and the argument is {}; both must be numbers", shown(value))
                })?;
                (Some(sum.clone()), sum)
            }
            StateVerb::Append => {
                let mut list = match kept {
                    Value::Unit => Vec::new(),
                    Value::List(list) => list,
                    other => return Err(format!("state.append: `{key}` is {other}, not a list")),
                };
                list.extend(value.cloned());
                // The oldest elements are dropped.
                list.drain(..list.len().saturating_sub(STATE_LIST));
                let length = Value::Int(i64::try_from(list.len()).unwrap_or(i64::MAX));
                (Some(Value::List(list)), length)
            }
        };
        if let Some(value) = &value {
            self.has_room(compartment, &key, value)?;
        }
        self.record(Record::Kept { reaction: compartment.to_owned(), key, value }, out);
        Ok(result)
    }
}

/// The sum of a stored number, or 0 if there is none, and an added one.
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
