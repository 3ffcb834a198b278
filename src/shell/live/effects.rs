//! What scripts have done in the world beside moving resources: telling people, and running commands on this host.
//!
//! Notifications and commands have workers of their own, so that those that hang delay neither a move nor each other's kind: at
//! most so many run at once, few of them for one channel, and some workers are for claims alone. What waits too long is not begun any
//! more: its script has been told that it did not end in time.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::core::base::limits::{DRIVER_TIMEOUT, EFFECTS, EFFECTS_FOR_CLAIMS, EFFECTS_OF_CHANNEL, EFFECTS_WAITING};
use crate::core::base::text::printable_short;
use crate::core::base::time::Time;
use crate::core::event::Value;
use crate::core::inventory::{Channel, Inventory};
use crate::core::script::{Step, StepResult, Verb};
use crate::shell::command::{Leftovers, run};

use super::clock::EngineClock;
use super::notification;
use super::urgency::{Queue, Urgency};

/// A step to be done.
struct Job {
    inventory: Arc<Inventory>,
    step: Step,
    /// Its script is told by then that it did not end.
    due: Option<Time>,
    done: Box<dyn FnOnce(StepResult) + Send>,
}

impl Job {
    /// The channel of a notification.
    fn channel(&self) -> String {
        self.step.args.first().map(ToString::to_string).unwrap_or_default()
    }
}

/// Workers for one kind of effects.
struct Pool {
    queue: Queue<Job>,
    /// How many of the workers are busy with each channel; of commands nothing is counted.
    busy: Mutex<BTreeMap<String, usize>>,
    /// What the effects are called.
    what: &'static str,
    by_channel: bool,
}

/// The workers that do what scripts ask for.
pub(super) struct Effects {
    notifications: Arc<Pool>,
    commands: Arc<Pool>,
}

impl Effects {
    /// Starts the workers.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(clock: &EngineClock) -> io::Result<Effects> {
        let pool = |what, by_channel| Arc::new(Pool { queue: Queue::default(), busy: Mutex::default(), what, by_channel });
        let effects = Effects { notifications: pool("notifications", true), commands: pool("commands", false) };
        for pool in [&effects.notifications, &effects.commands] {
            for n in 0..EFFECTS {
                let pool = pool.clone();
                let least = if n < EFFECTS_FOR_CLAIMS { Urgency::CLAIM } else { Urgency::ANY };
                let clock = clock.clone();
                let work = move || pool.work(least, &clock);
                thread::Builder::new().name("effect".to_owned()).spawn(work)?;
            }
        }
        Ok(effects)
    }

    /// Does a step as soon as a worker is free, and tells its result.
    pub(super) fn perform(
        &self,
        inventory: Arc<Inventory>,
        step: Step,
        due: Option<Time>,
        urgency: Urgency,
        done: impl FnOnce(StepResult) + Send + 'static,
    ) {
        let pool = if step.verb == Verb::Notify { &self.notifications } else { &self.commands };
        let room = if urgency.claim { EFFECTS_WAITING } else { urgency.trust.share_of(EFFECTS_WAITING) };
        let job = Job { inventory, step, due, done: Box::new(done) };
        // One channel that hangs leaves half of the room for the others.
        let channel = job.channel();
        let of_channel = || pool.queue.count_where(|other| other.channel() == channel);
        if pool.queue.count_up_to(urgency) >= room || pool.by_channel && of_channel() >= room / 2 {
            let why = format!("too many {} wait already for events with this trust: this one is dropped", pool.what);
            return (job.done)(Err(why));
        }
        pool.queue.push(urgency, job);
    }
}

impl Drop for Effects {
    fn drop(&mut self) {
        self.notifications.queue.end();
        self.commands.queue.end();
    }
}

impl Pool {
    fn work(&self, least: Urgency, clock: &EngineClock) {
        // Workers for claims may use a channel that is busy to its bound with other things.
        let most = if least == Urgency::CLAIM { EFFECTS_OF_CHANNEL + EFFECTS_FOR_CLAIMS } else { EFFECTS_OF_CHANNEL };
        while let Some(job) = self.queue.next(least..=Urgency::MOST, |job| self.claim_channel(job, most)) {
            let channel = job.channel();
            let Job { inventory, step, due, done } = job;
            let result = if due.is_some_and(|due| due <= clock.now()) {
                Err(format!("too many {} waited: it was not begun in time", self.what))
            } else {
                effect(&inventory, &step)
            };
            self.free_channel(&channel);
            done(result);
        }
    }

    /// Counts a job for its channel, when the channel is not busy to its bound.
    fn claim_channel(&self, job: &Job, most: usize) -> bool {
        if !self.by_channel {
            return true;
        }
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let count = busy.entry(job.channel()).or_default();
        if *count >= most {
            return false;
        }
        *count += 1;
        true
    }

    fn free_channel(&self, channel: &str) {
        if !self.by_channel {
            return;
        }
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = busy.get_mut(channel) {
            *count -= 1;
            if *count == 0 {
                busy.remove(channel);
            }
        }
        drop(busy);
        self.queue.look_again();
    }
}

fn effect(inventory: &Inventory, step: &Step) -> StepResult {
    let text = |i: usize| step.args.get(i).map(ToString::to_string).unwrap_or_default();
    match step.verb {
        Verb::Notify => {
            let Some(channel) = inventory.channels.get(&text(0)) else {
                return Err(format!("the configuration has no channel {}", text(0)));
            };
            notify(channel, &text(0), &notification::carried(channel, &text(1))).map(|()| Value::Unit)
        }
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
        Verb::Vip(_) | Verb::Port(_) | Verb::PairSwitchover | Verb::Wait | Verb::AlarmClear | Verb::Log | Verb::State(_) => {
            Err(format!("`{}` is nothing that is done here: this is a fault of the program", step.verb))
        }
    }
}

fn notify(channel: &Channel, name: &str, text: &str) -> Result<(), String> {
    match channel {
        Channel::Log => {
            tracing::info!(channel = name, "{text}");
            Ok(())
        }
        Channel::Syslog => {
            let formatter = syslog::Formatter3164 {
                facility: syslog::Facility::LOG_DAEMON,
                hostname: None,
                process: "pointsman".to_owned(),
                pid: std::process::id(),
            };
            let mut logger = syslog::unix(formatter).map_err(|e| format!("the system log can't be reached: {e}"))?;
            logger.notice(text).map_err(|e| format!("the system log did not take it: {e}"))
        }
        Channel::Command(words) => {
            let Some((program, arguments)) = words.split_first() else { return Err("the channel has no command".to_owned()) };
            let mut arguments = arguments.to_vec();
            arguments.push(text.to_owned());
            let done = run(program, &arguments, DRIVER_TIMEOUT, Leftovers::End)?;
            match done.status {
                0 => Ok(()),
                status => Err(format!("{program} ended with {status}: {}", printable_short(done.stderr.trim(), 200))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use crate::core::event::Trust;

    use super::*;

    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

    /// A channel whose command hangs holds up neither other channels nor commands, nor claims; and few of its processes run at once.
    #[test]
    fn what_hangs_holds_up_nobody_else() {
        let hangs = Channel::Command(["/bin/sh", "-c", "sleep 5"].map(str::to_owned).into());
        let works = Channel::Command(vec!["/bin/true".to_owned()]);
        let channels = [("hangs".to_owned(), hangs), ("works".to_owned(), works)].into();
        let inventory = Arc::new(Inventory { channels, ..Inventory::default() });
        let effects = Effects::start(&EngineClock::start(Time::from_millis(0))).unwrap();
        let (sender, results) = channel();
        let perform = |verb: Verb, to: &str, urgency: Urgency, name: &'static str| {
            let step = Step { n: 0, verb, args: vec![Value::from(to).into_owned(), "x".into()], line: 1 };
            let sender = sender.clone();
            effects.perform(inventory.clone(), step, None, urgency, move |result| {
                let _ = sender.send((name, result.is_ok()));
            });
        };
        let forged = Urgency { claim: false, trust: Trust::Unverified };
        let room = Trust::Unverified.share_of(EFFECTS_WAITING);
        for _ in 0..room + 50 {
            perform(Verb::Notify, "hangs", forged, "refused");
        }
        // The first of them are under way or wait; what is more than one channel's part of the room is refused at once.
        let most = room / 2 + 50 - EFFECTS_OF_CHANNEL;
        assert_eq!(results.iter().take(most).filter(|told| *told == ("refused", false)).count(), most);
        perform(Verb::Notify, "works", forged, "another channel");
        perform(Verb::Notify, "works", Urgency { claim: true, trust: Trust::Address }, "a claim");
        perform(Verb::HostRun, "nobody", forged, "a command");
        let mut told: Vec<(&str, bool)> = Vec::new();
        while told.len() < 3 {
            let (name, well) = results.recv_timeout(PATIENCE).unwrap();
            if name != "refused" {
                told.push((name, well));
            }
            let busy = effects.notifications.busy.lock().unwrap().get("hangs").copied();
            assert!(busy.unwrap_or_default() <= EFFECTS_OF_CHANNEL + EFFECTS_FOR_CLAIMS);
        }
        told.sort_unstable();
        assert_eq!(told, [("a claim", true), ("a command", false), ("another channel", true)]);
    }
}
