//! How much scripts may keep: in `state`, and in the answers of the steps of one run.

use crate::core::base::limits::{RUN_BYTES, STATE_BYTES, STATE_ENTRIES};
use crate::core::event::Value;
use crate::core::script::{FinishedStep, StepResult};

use super::record::{Run, State};

impl State {
    /// Whether `state` of a reaction has room for a value.
    ///
    /// # Errors
    /// In words for the script's author: what is full, and what to do.
    pub(super) fn has_room(&self, reaction: &str, key: &str, value: &Value<'_>) -> Result<(), String> {
        let Some(kept) = self.kept.get(reaction) else { return Ok(()) };
        let others = kept.iter().filter(|(k, _)| *k != key);
        let (count, bytes) = others.fold((0, 0), |(n, b), (k, v)| (n + 1, b + k.len() + v.weight()));
        if count >= STATE_ENTRIES {
            return Err(format!(
                "`state` of {reaction} has {STATE_ENTRIES} entries, which is the limit; remove some with `state.remove`"
            ));
        }
        if bytes + key.len() + value.weight() > STATE_BYTES {
            let most = STATE_BYTES >> 10;
            return Err(format!(
                "`state` of {reaction} would have more than {most} KiB, which is the limit; keep less, or remove some with `state.remove`"
            ));
        }
        Ok(())
    }
}

impl Run {
    /// The answer of its step, or why there is no room for it.
    pub(super) fn with_room(&self, result: StepResult) -> StepResult {
        let weight = |result: &StepResult| result.as_ref().map_or_else(String::len, Value::weight);
        let done = |done: &FinishedStep| weight(&done.result) + done.step.args.iter().map(Value::weight).sum::<usize>();
        let held: usize = self.history.iter().map(done).sum();
        if held + weight(&result) <= RUN_BYTES {
            return result;
        }
        Err(format!("the steps of this run have answered more than {} KiB, which is the limit", RUN_BYTES >> 10))
    }
}
