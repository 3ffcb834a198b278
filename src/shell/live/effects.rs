//! Commands that scripts run on this host.
//!
//! They have workers of their own, so that commands that hang do not delay a move. The number of concurrent commands is limited,
//! and some workers are reserved for claims. A command that waits too long is never started: its script already has the error
//! that it did not end in time.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::thread;

use crate::core::base::limits::{DRIVER_TIMEOUT, EFFECTS, EFFECTS_FOR_CLAIMS, EFFECTS_WAITING};
use crate::core::base::time::Time;
use crate::core::event::Value;
use crate::core::inventory::Inventory;
use crate::core::react::RunId;
use crate::core::script::{Step, StepResult, Verb};
use crate::shell::command::{Leftovers, run};

use super::clock::EngineClock;
use super::urgency::{Queue, Urgency};

/// A step to perform.
struct Job {
    run: RunId,
    inventory: Arc<Inventory>,
    step: Step,
    /// The time at which its script gets the error that the step did not end.
    due: Option<Time>,
    done: Box<dyn FnOnce(StepResult) + Send>,
}

/// The workers for steps of scripts.
pub(super) struct Effects {
    queue: Arc<Queue<Job>>,
}

impl Effects {
    /// Starts the workers.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(clock: &EngineClock) -> io::Result<Effects> {
        let queue = Arc::new(Queue::default());
        for n in 0..EFFECTS {
            let queue = queue.clone();
            let least = if n < EFFECTS_FOR_CLAIMS { Urgency::CLAIM } else { Urgency::ANY };
            let clock = clock.clone();
            thread::Builder::new().name("effect".to_owned()).spawn(move || work(&queue, least, &clock))?;
        }
        Ok(Effects { queue })
    }

    /// Performs a step as soon as a worker is free, and reports its result.
    pub(super) fn perform(
        &self,
        inventory: Arc<Inventory>,
        (run, step): (RunId, Step),
        due: Option<Time>,
        urgency: Urgency,
        done: impl FnOnce(StepResult) + Send + 'static,
    ) {
        let room = if urgency.claim { EFFECTS_WAITING } else { urgency.trust.share_of(EFFECTS_WAITING) };
        if self.queue.count_up_to(urgency) >= room {
            return done(Err("too many commands for events with this trust are waiting, so this one is dropped".to_owned()));
        }
        self.queue.push(urgency, Job { run, inventory, step, due, done: Box::new(done) });
    }

    /// Drops the commands of runs that do not wait for them any more: a run has ended, or its step has been answered.
    pub(super) fn drop_waiting(&self, runs: &BTreeSet<RunId>) {
        if !runs.is_empty() {
            self.queue.retain(|job| !runs.contains(&job.run));
        }
    }
}

impl Drop for Effects {
    fn drop(&mut self) {
        self.queue.end();
    }
}

fn work(queue: &Queue<Job>, least: Urgency, clock: &EngineClock) {
    while let Some(Job { inventory, step, due, done, .. }) = queue.next(least..=Urgency::MOST) {
        done(if due.is_some_and(|due| due <= clock.now()) {
            Err("too many commands were waiting, so this one was not started in time".to_owned())
        } else {
            effect(&inventory, &step)
        });
    }
}

fn effect(inventory: &Inventory, step: &Step) -> StepResult {
    let text = |i: usize| step.args.get(i).map(ToString::to_string).unwrap_or_default();
    match step.verb {
        Verb::HostRun => {
            let host = text(0);
            inventory.runs_commands(&host)?;
            let arguments: Vec<String> = match step.args.get(2) {
                Some(Value::List(all)) => all.iter().map(ToString::to_string).collect(),
                _ => Vec::new(),
            };
            let done = run(&text(1), &arguments, DRIVER_TIMEOUT, Leftovers::End)?;
            Ok(Value::Map(BTreeMap::from([
                ("status".to_owned(), Value::Int(i64::from(done.status))),
                ("stdout".to_owned(), Value::Text(done.stdout.into())),
                ("stderr".to_owned(), Value::Text(done.stderr.into())),
            ])))
        }
        verb => Err(format!("`{verb}` is nothing that is done here; this is an error in the program")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use crate::core::event::Trust;
    use crate::core::inventory::{Host, Via};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// An inventory with the controller's own host.
    fn inventory() -> Arc<Inventory> {
        let here = Host { via: Via::Local, ..Host::default() };
        Arc::new(Inventory { hosts: [("here".to_owned(), here)].into(), ..Inventory::default() })
    }

    /// A step that runs a command on that host.
    fn step(words: &[&str]) -> Step {
        let arguments = Value::List(words[1..].iter().map(|word| Value::from(*word).into_owned()).collect());
        let args = vec![Value::from("here"), Value::from(words[0]).into_owned(), arguments];
        Step { n: 0, verb: Verb::HostRun, args, line: 1 }
    }

    /// A command that waits for a worker is not started after its run has ended.
    #[test]
    fn what_waits_for_a_run_that_has_ended_is_dropped() {
        let inventory = inventory();
        // No worker is there yet, so that everything waits.
        let effects = Effects { queue: Arc::new(Queue::default()) };
        let (sender, results) = channel();
        for run in [17, 18] {
            let sender = sender.clone();
            effects.perform(inventory.clone(), (run, step(&["/bin/true"])), None, Urgency::default(), move |_| {
                let _ = sender.send(run);
            });
        }
        effects.drop_waiting(&[17].into());
        drop(sender);
        let queue = effects.queue.clone();
        let clock = EngineClock::start(Time::from_millis(0));
        let worker = thread::spawn(move || work(&queue, Urgency::ANY, &clock));
        assert_eq!(results.iter().collect::<Vec<_>>(), [18]);
        drop(effects);
        worker.join().unwrap();
    }

    /// Commands that hang leave workers for claims. Senders without trust fill only a part of the room.
    #[test]
    fn what_hangs_holds_up_no_claim() {
        let inventory = inventory();
        let effects = Effects::start(&EngineClock::start(Time::from_millis(0))).unwrap();
        let (sender, results) = channel();
        let perform = |words: &[&str], urgency: Urgency, name: &'static str| {
            let sender = sender.clone();
            effects.perform(inventory.clone(), (1, step(words)), None, urgency, move |result| {
                let _ = sender.send((name, result.is_ok()));
            });
        };
        let forged = Urgency { claim: false, trust: Trust::Unverified };
        let room = Trust::Unverified.share_of(EFFECTS_WAITING);
        for _ in 0..room + 50 {
            perform(&["/bin/sleep", "5"], forged, "hangs");
        }
        let most = 50 - (EFFECTS - EFFECTS_FOR_CLAIMS);
        assert_eq!(results.iter().take(most).filter(|result| *result == ("hangs", false)).count(), most);
        perform(&["/bin/true"], Urgency { claim: true, trust: Trust::Address }, "a claim");
        while results.recv_timeout(PATIENCE).unwrap() != ("a claim", true) {}
    }
}
