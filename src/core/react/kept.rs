//! How much scripts may store: in `state`, and in the answers of the steps of one run.

use crate::core::base::limits::{MEMORY_RUNS, RUN_BYTES, STATE_BYTES, STATE_BYTES_ALL, STATE_ENTRIES, share};
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
        let kept = self.kept.get(reaction);
        let others = kept.into_iter().flatten().filter(|(k, _)| *k != key);
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
        let other = self.kept.iter().filter(|(name, _)| *name != reaction).flat_map(|(_, kept)| kept);
        let all = other.map(|(k, v)| k.len() + v.weight()).sum::<usize>();
        if all + bytes + key.len() + value.weight() > STATE_BYTES_ALL {
            let most = STATE_BYTES_ALL >> 20;
            return Err(format!(
                "`state` of all reactions would have more than {most} MiB, which is the limit; keep less, or remove some with `state.remove`"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_reactions_store_is_bounded() {
        let mut state = State::default();
        let value = Value::from("x".repeat(STATE_BYTES / 2).as_str()).into_owned();
        let mut reactions = 0;
        while state.has_room(&format!("r{reactions}"), "k", &value).is_ok() {
            state.kept.entry(format!("r{reactions}")).or_default().insert("k".to_owned(), value.clone());
            reactions += 1;
        }
        assert!((28..=32).contains(&reactions), "{reactions}");
        assert_eq!(state.has_room("r0", "k", &value), Ok(()), "a value may be replaced");
        assert!(state.has_room("another", "k", &value).unwrap_err().contains("all reactions"));
    }
}
