//! The tape of a run: it plays recorded steps back, and the first step that is not recorded stops the script.

use std::sync::{Arc, Mutex, PoisonError};

use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};

use crate::core::event::Value;

use super::value::{from_dynamic, to_dynamic};
use super::{FinishedStep, Step, Verb};

#[derive(Debug, Default)]
struct Inner {
    history: Vec<FinishedStep>,
    n: usize,
    /// The step at which the script stopped.
    wanted: Option<Step>,
    /// How the script differs from its record.
    differs: Option<String>,
}

/// The tape that the evaluator and the verbs of a script share.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape(Arc<Mutex<Inner>>);

/// What the tape contains when the script has ended.
pub(super) struct Played {
    pub(super) wanted: Option<Step>,
    pub(super) differs: Option<String>,
    /// The number of recorded steps that the script did not reach.
    pub(super) left: usize,
}

impl Tape {
    pub(super) fn new(history: &[FinishedStep]) -> Tape {
        Tape(Arc::new(Mutex::new(Inner { history: history.to_vec(), ..Inner::default() })))
    }

    /// The tape of the call that contains a verb.
    pub(super) fn of(context: &NativeCallContext<'_>) -> Option<Tape> {
        context.tag().and_then(|tag| tag.clone().try_cast::<Tape>())
    }

    pub(super) fn played(&self) -> Played {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Played { wanted: inner.wanted.clone(), differs: inner.differs.clone(), left: inner.history.len().saturating_sub(inner.n) }
    }

    /// Handles a step that the script wants: returns its recorded result, or stops the evaluation.
    pub(super) fn step(&self, verb: Verb, args: Vec<Dynamic>, at: Position) -> Result<Dynamic, Box<EvalAltResult>> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stop = || Err(EvalAltResult::ErrorTerminated("suspended".into(), at).into());
        if inner.wanted.is_some() || inner.differs.is_some() {
            return stop();
        }
        let args: Vec<Value<'static>> = args.iter().map(from_dynamic).collect();
        let n = inner.n;
        let Some(done) = inner.history.get(n) else {
            let line = u32::try_from(at.line().unwrap_or(0)).unwrap_or(0);
            inner.wanted = Some(Step { n: u32::try_from(n).unwrap_or(u32::MAX), verb, args, line });
            return stop();
        };
        if done.step.verb != verb || done.step.args != args {
            inner.differs = Some(format!(
                "step {n} is `{verb}` now, and the recorded step `{}` has another name or other arguments: the script is not a function of its arguments",
                done.step.verb
            ));
            return stop();
        }
        let result = done.result.clone();
        inner.n += 1;
        match result {
            Ok(value) => Ok(to_dynamic(&value)),
            Err(why) => Err(EvalAltResult::ErrorRuntime(why.into(), at).into()),
        }
    }
}
