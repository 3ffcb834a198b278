//! How much scripts may store: in `state`, and in the answers of the steps of one run.

use crate::core::base::limits::{MEMORY_RUNS, RUN_BYTES, STATE_BYTES, STATE_BYTES_ALL, STATE_ENTRIES, share};
use crate::core::event::{Trust, Value};
use crate::core::script::{FinishedStep, StepResult};

use super::Runs;
use super::record::{Run, RunId, State, trust_of_compartment};

impl Runs {
    /// Checks that the `state` of a reaction has room for a value. Senders with less trust may fill only a part of the room that
    /// all reactions share.
    ///
    /// # Errors
    /// A text for the script's author: what is full, and what to do.
    pub(super) fn has_room(&self, compartment: &str, key: &str, value: &Value<'_>) -> Result<(), String> {
        // What a reaction of earlier rules stored counts for everybody.
        let requires = |name: &str| self.program.reactions.get(name).map_or(Trust::Unverified, |reaction| reaction.requires);
        self.state.has_room(compartment, key, value, |name| trust_of_compartment(name, requires))
    }
}

impl State {
    fn has_room(&self, compartment: &str, key: &str, value: &Value<'_>, trust_of: impl Fn(&str) -> Trust) -> Result<(), String> {
        let kept = self.kept.get(compartment);
        let others = kept.into_iter().flatten().filter(|(k, _)| *k != key);
        let (count, bytes) = others.fold((0, 0), |(n, b), (k, v)| (n + 1, b + k.len() + v.weight()));
        if count >= STATE_ENTRIES {
            return Err(format!(
                "`state` of {compartment} has {STATE_ENTRIES} entries, which is the limit; remove some with `state.remove`"
            ));
        }
        if bytes + key.len() + value.weight() > STATE_BYTES {
            let most = STATE_BYTES >> 10;
            return Err(format!(
                "`state` of {compartment} would have more than {most} KiB, which is the limit; keep less, or remove some with `state.remove`"
            ));
        }
        let trust = trust_of(compartment);
        let other = self.kept.iter().filter(|(name, _)| *name != compartment && trust_of(name) <= trust);
        let all = other.flat_map(|(_, kept)| kept).map(|(k, v)| k.len() + v.weight()).sum::<usize>();
        let room = trust.share_of(STATE_BYTES_ALL);
        if all + bytes + key.len() + value.weight() > room {
            return Err(format!(
                "`state` of all reactions would have more than {} MiB, which is the limit for events with the trust `{}` or less; keep less, or remove some with `state.remove`",
                room >> 20,
                trust.name()
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
        match self.index.lacks_memory(state.claim, &state.bound, more, most) {
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

    /// Stores values of half a reaction's limit until there is no room. Returns how many there are.
    fn fill(state: &mut State, compartment: impl Fn(usize) -> String) -> usize {
        let value = Value::from("x".repeat(STATE_BYTES / 2).as_str()).into_owned();
        let mut n = 0;
        while state.has_room(&compartment(n), "k", &value, trust).is_ok() {
            state.kept.entry(compartment(n)).or_default().insert("k".to_owned(), value.clone());
            n += 1;
        }
        n
    }

    fn trust(name: &str) -> Trust {
        trust_of_compartment(name, |name| if name.starts_with("strict") { Trust::Authenticated } else { Trust::Address })
    }

    #[test]
    fn less_trusted_senders_fill_a_part_of_what_all_reactions_store() {
        let value = Value::from("x".repeat(STATE_BYTES / 2).as_str()).into_owned();
        let mut state = State::default();
        // Half values: the limits of 16, 12 and 8 MiB are 31, 23 and 15 of them, with their keys.
        assert_eq!(fill(&mut state, |n| format!("r{n} (unverified)")), 15);
        assert_eq!(fill(&mut state, |n| format!("r{n}")), 8);
        assert_eq!(fill(&mut state, |n| format!("strict{n}")), 8);
        for full in ["another (unverified)", "another", "strict"] {
            assert!(state.has_room(full, "k", &value, trust).unwrap_err().contains("all reactions"), "{full}");
        }
        assert_eq!(state.has_room("r0", "k", &value, trust), Ok(()), "a value may be replaced");
    }
}
