//! Decisions about notifications, as they are in the journal, and the state that they fold to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::core::base::time::Time;
use crate::core::inventory::Name;

use super::notification::{AlarmFacts, Notification};

/// The separator between the parts of an [`InstanceId`] and a [`GroupId`].
const BETWEEN: char = '\u{1f}';

/// An alarm and its key, as shown.
pub(super) type InstanceId = String;
/// A route and the values by which it groups alarms.
pub(super) type GroupId = String;

/// The id of an instance of an alarm.
pub(super) fn instance_id(alarm: &str, key: &str) -> InstanceId {
    format!("{alarm}{BETWEEN}{key}")
}

/// The id of a group of a route.
pub(super) fn group_id<'v>(route: &str, values: impl IntoIterator<Item = &'v str>) -> GroupId {
    let mut id = route.to_owned();
    for value in values {
        id.push(BETWEEN);
        id.push_str(value);
    }
    id
}

/// The route of a group.
pub(super) fn route_of(group: &str) -> &str {
    group.split(BETWEEN).next().unwrap_or_default()
}

/// An alarm that people are notified of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct OpenAlarm {
    pub(super) facts: AlarmFacts,
    /// The groups in which people are notified of it.
    pub(super) groups: BTreeSet<GroupId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) acked: Option<String>,
    /// The groups in which it was escalated.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) escalated: BTreeSet<GroupId>,
}

/// Alarms that share notifications.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct AlarmGroup {
    /// The active alarms of the group.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) active: BTreeSet<InstanceId>,
    /// The active alarms that were not notified yet.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) raised: BTreeSet<InstanceId>,
    /// The ended alarms whose end was not notified yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ended: Vec<AlarmFacts>,
    /// How many more were raised or have ended.
    #[serde(default)]
    pub(super) more: u64,
    /// When the next notification is due.
    pub(super) due: Option<Time>,
    /// When the last notification was made.
    pub(super) last: Option<Time>,
    /// When the reminder is due, if nobody acknowledges the alarms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) repeat_at: Option<Time>,
    /// When the first of its alarms may have to be escalated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) escalate_at: Option<Time>,
}

impl AlarmGroup {
    /// When something of the group is due.
    pub(super) fn next(&self) -> Option<Time> {
        [self.due, self.repeat_at, self.escalate_at].into_iter().flatten().min()
    }

    /// True if there is nothing to notify.
    pub(super) fn is_notified(&self) -> bool {
        self.raised.is_empty() && self.ended.is_empty() && self.more == 0
    }
}

/// A notification that was not delivered yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) notification: Notification,
    /// The number of attempts so far.
    pub(super) tries: u32,
    /// When it is tried again after a failure.
    pub(super) again_at: Option<Time>,
    /// The recipients who got it already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) reached: Vec<String>,
}

/// What a channel has to remember.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ChannelState {
    /// When notifications were put into its queue, as far as its limit counts them.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub(super) accepted: VecDeque<Time>,
    /// How many were withheld, by what they are about.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) held: BTreeMap<String, u64>,
    /// When the count of withheld notifications is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) due: Option<Time>,
    pub(super) delivered: u64,
    /// The number of notifications that were given up.
    pub(super) failed: u64,
    pub(super) last_delivered: Option<Time>,
    /// When it failed last, and why.
    pub(super) last_failure: Option<(Time, String)>,
}

/// A decision about notifications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "notified")]
pub enum Record {
    /// An alarm was raised, and these groups will notify people of it, each at its time.
    Opened {
        facts: Box<AlarmFacts>,
        groups: Vec<(String, Time)>,
        /// When it may have to be escalated, if its route says so.
        escalate_at: Vec<(String, Time)>,
        /// It was raised and has ended at once: nothing is kept after the notification.
        brief: bool,
    },
    /// More was raised or has ended than is kept: it is only counted.
    Counted {
        group: String,
        due: Time,
    },
    /// An alarm of a group has ended.
    Ended {
        facts: Box<AlarmFacts>,
        /// The groups that notify people of the end, and when.
        groups: Vec<(String, Time)>,
    },
    /// Somebody acknowledged an alarm.
    Acked {
        alarm: String,
        key: String,
        by: String,
    },
    /// A group made a notification of what is new, or a reminder.
    #[serde(rename = "told")]
    Notified {
        group: String,
        at: Time,
        /// When the group is due again. It is forgotten if nothing of it is left.
        due: Option<Time>,
        repeat_at: Option<Time>,
    },
    /// Alarms of a group are withheld, and nobody was notified of them: nobody will be.
    Withheld {
        group: String,
        raised: Vec<String>,
        /// The places of those among the ended alarms of the group that have ended already.
        ended: Vec<usize>,
    },
    /// Alarms of a group were escalated.
    Escalated {
        group: String,
        alarms: Vec<String>,
        /// When further ones may have to be escalated.
        next: Option<Time>,
    },
    /// A group makes no more notifications, because its route is gone.
    Dropped {
        group: String,
    },
    /// A notification waits to be delivered.
    Queued {
        notification: Box<Notification>,
        /// The limit counts only notifications from this time on.
        since: Time,
    },
    /// A notification is only counted, because there were too many for the channel.
    Held {
        channel: Name,
        /// What it was about.
        about: String,
        /// When the count is sent.
        due: Time,
    },
    /// The count was sent.
    Released {
        channel: Name,
    },
    /// An attempt to deliver failed; the time of the next one.
    Failed {
        id: u64,
        at: Time,
        again_at: Time,
        why: String,
        /// The recipients who got it by this attempt.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reached: Vec<String>,
    },
    Delivered {
        id: u64,
        at: Time,
    },
    /// A notification is not tried any more.
    GaveUp {
        id: u64,
        at: Time,
        why: String,
    },
}

/// Everything about notifications that must not be forgotten.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The number of the last notification.
    pub(super) last: u64,
    pub(super) open: BTreeMap<InstanceId, OpenAlarm>,
    pub(super) groups: BTreeMap<GroupId, AlarmGroup>,
    pub(super) outbox: BTreeMap<u64, Waiting>,
    pub(super) channels: BTreeMap<Name, ChannelState>,
}

impl State {
    /// True if there was never a notification.
    pub fn is_empty(&self) -> bool {
        *self == State::default()
    }

    /// Applies one record. The state changes in no other way.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Opened { facts, groups, escalate_at, brief } => {
                let id = instance_id(&facts.alarm, &facts.key);
                for (group, due) in groups {
                    let group = self.groups.entry(group.clone()).or_default();
                    group.due = Some(group.due.map_or(*due, |at| at.min(*due)));
                    if *brief {
                        group.ended.push(facts.as_ref().clone());
                    } else {
                        group.active.insert(id.clone());
                        group.raised.insert(id.clone());
                    }
                }
                for (group, at) in escalate_at {
                    let group = self.groups.entry(group.clone()).or_default();
                    group.escalate_at = Some(group.escalate_at.map_or(*at, |earlier| earlier.min(*at)));
                }
                if !brief {
                    let groups = groups.iter().map(|(group, _)| group.clone());
                    let open = self.open.entry(id).or_insert_with(|| OpenAlarm {
                        facts: facts.as_ref().clone(),
                        groups: BTreeSet::new(),
                        acked: None,
                        escalated: BTreeSet::new(),
                    });
                    open.groups.extend(groups);
                }
            }
            Record::Counted { group, due } => {
                let group = self.groups.entry(group.clone()).or_default();
                group.more += 1;
                group.due = Some(group.due.map_or(*due, |at| at.min(*due)));
            }
            Record::Ended { facts, groups } => {
                let id = instance_id(&facts.alarm, &facts.key);
                let open = self.open.remove(&id);
                for group in open.iter().flat_map(|open| &open.groups) {
                    if let Some(group) = self.groups.get_mut(group) {
                        group.active.remove(&id);
                        group.raised.remove(&id);
                        if group.active.is_empty() {
                            (group.repeat_at, group.escalate_at) = (None, None);
                        }
                    }
                }
                for (group, due) in groups {
                    let group = self.groups.entry(group.clone()).or_default();
                    group.ended.push(facts.as_ref().clone());
                    group.due = Some(group.due.map_or(*due, |at| at.min(*due)));
                }
                // Nothing is left of a group that does not notify people of ends.
                for group in open.iter().flat_map(|open| &open.groups) {
                    if self.groups.get(group).is_some_and(|g| g.active.is_empty() && g.is_notified() && g.due.is_none()) {
                        self.groups.remove(group);
                    }
                }
            }
            Record::Acked { alarm, key, by } => {
                if let Some(open) = self.open.get_mut(&instance_id(alarm, key)) {
                    open.acked = Some(by.clone());
                }
            }
            Record::Notified { group: id, at, due, repeat_at } => {
                let Some(group) = self.groups.get_mut(id) else { return };
                group.raised.clear();
                group.ended.clear();
                group.more = 0;
                (group.due, group.repeat_at) = (*due, *repeat_at);
                group.last = Some(*at);
                if group.active.is_empty() && due.is_none() {
                    self.groups.remove(id);
                }
            }
            Record::Withheld { group: id, raised, ended } => {
                let Some(group) = self.groups.get_mut(id) else { return };
                let mut places = 0..;
                group.ended.retain(|_| places.next().is_none_or(|place| !ended.contains(&place)));
                for instance in raised {
                    group.raised.remove(instance);
                    group.active.remove(instance);
                    if let Some(open) = self.open.get_mut(instance) {
                        open.groups.remove(id);
                        if open.groups.is_empty() {
                            self.open.remove(instance);
                        }
                    }
                }
                if group.active.is_empty() {
                    (group.repeat_at, group.escalate_at) = (None, None);
                }
            }
            Record::Escalated { group, alarms, next } => {
                for alarm in alarms {
                    if let Some(open) = self.open.get_mut(alarm) {
                        open.escalated.insert(group.clone());
                    }
                }
                if let Some(group) = self.groups.get_mut(group) {
                    group.escalate_at = *next;
                }
            }
            Record::Dropped { group: id } => {
                let Some(group) = self.groups.remove(id) else { return };
                for instance in group.active {
                    if let Some(open) = self.open.get_mut(&instance) {
                        open.groups.remove(id);
                        if open.groups.is_empty() {
                            self.open.remove(&instance);
                        }
                    }
                }
            }
            Record::Queued { notification, since } => {
                self.last = notification.id;
                let channel = self.channels.entry(notification.channel.clone()).or_default();
                channel.accepted.retain(|at| at >= since);
                channel.accepted.push_back(notification.at);
                let waiting =
                    Waiting { notification: notification.as_ref().clone(), tries: 0, again_at: None, reached: Vec::new() };
                self.outbox.insert(notification.id, waiting);
            }
            Record::Held { channel, about, due } => {
                let channel = self.channels.entry(channel.clone()).or_default();
                *channel.held.entry(about.clone()).or_default() += 1;
                channel.due.get_or_insert(*due);
            }
            Record::Released { channel } => {
                let channel = self.channels.entry(channel.clone()).or_default();
                channel.held.clear();
                channel.due = None;
            }
            Record::Failed { id, at, again_at, why, reached } => {
                let Some(waiting) = self.outbox.get_mut(id) else { return };
                waiting.tries += 1;
                waiting.again_at = Some(*again_at);
                waiting.reached.extend_from_slice(reached);
                let channel = waiting.notification.channel.clone();
                self.channels.entry(channel).or_default().last_failure = Some((*at, why.clone()));
            }
            Record::Delivered { id, at } => {
                let Some(waiting) = self.outbox.remove(id) else { return };
                let channel = self.channels.entry(waiting.notification.channel).or_default();
                channel.delivered += 1;
                channel.last_delivered = Some(*at);
            }
            Record::GaveUp { id, at, why } => {
                let Some(waiting) = self.outbox.remove(id) else { return };
                let channel = self.channels.entry(waiting.notification.channel).or_default();
                channel.failed += 1;
                channel.last_failure = Some((*at, why.clone()));
            }
        }
    }
}
