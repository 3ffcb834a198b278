//! How much scripts may store: in `state`, and in the answers of the steps of one run.

use crate::core::base::limits::{MEMORY_RUNS, RUN_BYTES, STATE_BYTES, STATE_ENTRIES, share};
use crate::core::event::Value;
use crate::core::script::{FinishedStep, StepResult};

use super::Runs;
use super::record::{Run, RunId, State};

impl State {
    /// Checks that the `state` of a reaction has room for a value.
    ///
    /// # Errors
    /// A text for the script's author: what is full, and what to do.
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
    /// The bytes of its call and of the steps that ended.
    pub(super) fn weight(&self) -> usize {
        let call = &self.bound.call;
        let called = [&call.alarm, &call.event, &call.params].into_iter().flatten();
        called.map(|(name, value)| name.len() + value.weight()).sum::<usize>() + self.answered()
    }

    /// The bytes of the steps that ended.
    fn answered(&self) -> usize {
        let done = |done: &FinishedStep| weight(&done.result) + done.step.args.iter().map(Value::weight).sum::<usize>();
        self.history.iter().map(done).sum()
    }
}

fn weight(result: &StepResult) -> usize {
    result.as_ref().map_or_else(String::len, Value::weight)
}

impl Runs {
    /// The answer of a run's step, or an error if there is no room for it.
    pub(super) fn with_room(&self, run: RunId, result: StepResult) -> StepResult {
        let Some(state) = self.state.run(run) else { return result };
        // The reason of a failed step is short, and more useful than the message that there is no room for it.
        let more = match &result {
            Ok(value) => value.weight(),
            Err(_) => return result,
        };
        if state.answered() + more > RUN_BYTES {
            return Err(format!("the steps of this run have answered more than {} KiB, which is the limit", RUN_BYTES >> 10));
        }
        let most = share(self.inventory.memory.0, MEMORY_RUNS);
        match self.index.lacks_memory(state.claim, state.bound.trust(), more, most) {
            None => result,
            Some(room) => Err(format!(
                "the runs that have not ended take up {} MiB, which is the limit for this trust; see `pointsman runs`, or raise `limits: {{ memory: ... }}`",
                room >> 20
            )),
        }
    }
}
