//! Notifications, pure: which alarms people are notified of, by which channels, when, and what was not delivered yet.
//!
//! ```text
//!   alarms raised, ended, acknowledged --routes--> groups --wait, interval, repeat--+
//!   reactions: notify("noc")           ------------^                                +--> outbox --> Deliver (one at a time for a channel)
//!   scripts: notify("noc", "text")     ---------------------------------------------+       ^            |
//!                                                                                           +-- again <--+-- Delivered, or why not
//! ```
//!
//! A notification is journaled before it is sent. Until it is delivered or given up, a restart sends it again with the same key:
//! it is delivered at least once. The notifications of one channel are sent one after the other; channels do not wait for each
//! other. The rate of a channel is limited: further notifications are counted, and one notification says how many there were.
//! This module does not know sockets, clocks or chance (the jitter is computed from the number of the notification). Tests:
//! `tests.rs`.

mod groups;
mod misspelled;
mod notification;
mod outbox;
pub mod presets;
mod record;
mod route;
mod shown;
mod template;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::core::base::time::Time;
use crate::core::inventory::{Inventory, Name};
use crate::core::lang::program::Program;
use crate::core::notice::Kind;

pub use misspelled::misspelled_names;
pub use notification::{AlarmFacts, Notification, Occasion, kept_fields};
pub use record::{Record, State};
pub use route::{is_like, unknown_names};
pub use shown::ChannelStatus;
pub use template::{Escape, fill, lines};

use record::GroupId;

/// What the notifier wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Record(Record),
    /// Send this, and report the result.
    Deliver(Box<Delivery>),
    /// Something that people should know.
    Notice {
        kind: Kind,
        /// What happened, and what to do.
        text: String,
    },
}

/// A notification to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub notification: Notification,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The recipients who got it by an earlier attempt, for a channel that has several.
    pub reached: Vec<String>,
}

/// Why a notification was not delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undelivered {
    pub why: String,
    /// The receiver refuses it, and would refuse it later as well.
    pub refused: bool,
    /// The recipients who got it nevertheless, for a channel that has several. They do not get it again.
    pub reached: Vec<String>,
}

/// Decides whether an operator or a calendar withholds news of an alarm at the moment.
pub type IsWithheld<'a> = &'a dyn Fn(&AlarmFacts) -> bool;

/// What can be due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum NotifyDue {
    /// A notification of a group.
    Group(GroupId),
    /// The next attempt for the first notification in the queue of a channel.
    Again(Name),
    /// The count of withheld notifications of a channel.
    More(Name),
    /// The refresh of a channel that forgets active alarms.
    Refresh(Name),
}

/// What is due when, each thing once.
#[derive(Clone, Debug, Default)]
struct Deadlines {
    by_time: BTreeSet<(Time, NotifyDue)>,
    times: BTreeMap<NotifyDue, Time>,
}

impl Deadlines {
    fn set(&mut self, what: NotifyDue, at: Option<Time>) {
        if let Some(before) = self.times.remove(&what) {
            self.by_time.remove(&(before, what.clone()));
        }
        if let Some(at) = at {
            self.by_time.insert((at, what.clone()));
            self.times.insert(what, at);
        }
    }

    fn first(&self) -> Option<Time> {
        self.by_time.first().map(|(at, _)| *at)
    }

    fn take(&mut self, now: Time) -> Option<NotifyDue> {
        let (at, what) = self.by_time.first().filter(|(at, _)| *at <= now).cloned()?;
        self.by_time.remove(&(at, what.clone()));
        self.times.remove(&what);
        Some(what)
    }
}

/// Decides which channel is notified of what.
#[derive(Clone, Debug)]
pub struct Notifier {
    /// Makes keys of notifications different from those of other controllers.
    id: u64,
    program: Arc<Program>,
    inventory: Arc<Inventory>,
    state: State,
    /// The index of each alarm in the program, by name.
    alarms: BTreeMap<String, usize>,
    /// The notifications that wait for each channel, oldest first.
    queues: BTreeMap<Name, BTreeSet<u64>>,
    /// For each channel, the notification that is being sent, and the number of the attempt.
    under_way: BTreeMap<Name, (u64, u32)>,
    due: Deadlines,
    /// The size of what waits, in bytes, roughly.
    outbox_bytes: usize,
    /// The results of the last deliveries.
    ends: VecDeque<(u64, Result<(), String>)>,
}

impl Notifier {
    /// A notifier that continues from a state. What waits in the outbox is sent from now on.
    pub fn start(id: u64, program: Arc<Program>, inventory: Arc<Inventory>, state: State) -> Notifier {
        let mut notifier = Notifier {
            id,
            program: program.clone(),
            inventory: inventory.clone(),
            state,
            alarms: BTreeMap::new(),
            queues: BTreeMap::new(),
            under_way: BTreeMap::new(),
            due: Deadlines::default(),
            outbox_bytes: 0,
            ends: VecDeque::new(),
        };
        notifier.set_site(program, inventory);
        for (id, waiting) in &notifier.state.outbox {
            notifier.queues.entry(waiting.notification.channel.clone()).or_default().insert(*id);
            notifier.outbox_bytes += waiting.notification.weight();
        }
        let groups: Vec<GroupId> = notifier.state.groups.keys().cloned().collect();
        for group in groups {
            notifier.group_changed(&group);
        }
        notifier
    }

    fn set_site(&mut self, program: Arc<Program>, inventory: Arc<Inventory>) {
        self.alarms = program.alarms.iter().enumerate().map(|(n, alarm)| (alarm.name.clone(), n)).collect();
        (self.program, self.inventory) = (program, inventory);
    }

    /// Takes over another configuration: groups of removed routes are dropped, and notifications for removed channels are given
    /// up.
    pub fn reload(&mut self, now: Time, program: Arc<Program>, inventory: Arc<Inventory>, out: &mut Vec<Output>) {
        self.set_site(program, inventory);
        let gone: Vec<GroupId> = self.state.groups.keys().filter(|group| self.options(group).is_none()).cloned().collect();
        for group in gone {
            self.record(Record::Dropped { group: group.clone() }, out);
            self.due.set(NotifyDue::Group(group), None);
        }
        self.begin(now, out);
    }

    /// Sends what waits. Called after a start, and after a reload.
    pub fn begin(&mut self, now: Time, out: &mut Vec<Output>) {
        self.give_up_gone(now, out);
        let channels: Vec<Name> = self.queues.keys().cloned().collect();
        for channel in channels {
            self.send_next(now, &channel, out);
        }
        self.begin_refreshes(now);
    }

    /// The state that must not be forgotten.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// When [`Notifier::fall_due`] has something to do next.
    pub fn next_deadline(&self) -> Option<Time> {
        self.due.first()
    }

    /// Does everything that is due by now. Alarms that are withheld now appear in no news, reminder or escalation.
    pub fn fall_due(&mut self, now: Time, withheld: IsWithheld<'_>, out: &mut Vec<Output>) {
        while let Some(what) = self.due.take(now) {
            match what {
                NotifyDue::Group(group) => self.group_due(now, &group, withheld, out),
                NotifyDue::Again(channel) => self.send_next(now, &channel, out),
                NotifyDue::More(channel) => self.send_withheld_count(now, &channel, out),
                NotifyDue::Refresh(channel) => self.refresh(now, &channel, out),
            }
        }
    }

    fn record(&mut self, record: Record, out: &mut Vec<Output>) {
        self.state.apply(&record);
        out.push(Output::Record(record));
    }

    fn group_changed(&mut self, group: &GroupId) {
        let next = self.state.groups.get(group).and_then(record::AlarmGroup::next);
        self.due.set(NotifyDue::Group(group.clone()), next);
    }
}
