//! The threads of the channels.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use crate::core::base::text::printable_short;
use crate::core::inventory::{Channel, Name};
use crate::core::notifications::{Delivery, Undelivered};

use super::attempt::later;
use super::send;

/// The number of notifications that may wait for one thread: the one that is being sent, and a refresh.
const WAITING: usize = 16;
/// The number of characters of a failure's reason that are kept.
const WHY: usize = 500;

type Done = Box<dyn FnOnce(Result<(), Undelivered>) + Send>;

struct Job {
    channel: Channel,
    delivery: Box<Delivery>,
    done: Done,
}

/// The threads: one for each channel that was used.
#[derive(Default)]
pub struct Workers {
    threads: BTreeMap<Name, SyncSender<Job>>,
}

impl Workers {
    /// Sends a notification in the thread of its channel; `done` receives the result. Threads of removed channels end.
    pub fn deliver(
        &mut self,
        channels: &BTreeMap<Name, Channel>,
        delivery: Box<Delivery>,
        done: impl FnOnce(Result<(), Undelivered>) + Send + 'static,
    ) {
        self.threads.retain(|name, _| channels.contains_key(name));
        let name = delivery.notification.channel.clone();
        let Some(channel) = channels.get(&name).cloned() else {
            return done(Err(later("the configuration has no such channel")));
        };
        let job = Job { channel, delivery, done: Box::new(done) };
        let sender = match self.threads.get(&name) {
            Some(sender) => sender,
            None => match start() {
                Ok(sender) => self.threads.entry(name).or_insert(sender),
                Err(e) => return (job.done)(Err(later(format!("no thread can be started: {e}")))),
            },
        };
        match sender.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(job)) => (job.done)(Err(later("the channel is busy"))),
            Err(TrySendError::Disconnected(job)) => {
                self.threads.remove(&job.delivery.notification.channel);
                (job.done)(Err(later("the thread of the channel has ended")));
            }
        }
    }
}

fn start() -> std::io::Result<SyncSender<Job>> {
    let (sender, jobs) = sync_channel(WAITING);
    thread::Builder::new().name("channel".to_owned()).spawn(move || work(&jobs))?;
    Ok(sender)
}

fn work(jobs: &Receiver<Job>) {
    while let Ok(Job { channel, delivery, done }) = jobs.recv() {
        // A panic of a library counts as a failed attempt and does not end the channel.
        let result = catch_unwind(AssertUnwindSafe(|| send(&channel, &delivery)));
        let result = result.unwrap_or_else(|_| Err(later("an error in the program (see its log)")));
        done(result.map_err(|undelivered| Undelivered { why: printable_short(&undelivered.why, WHY), ..undelivered }));
    }
}
