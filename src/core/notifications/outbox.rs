//! The outbox: the queue of notifications for each channel, the attempts to deliver them, and limits.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::core::base::limits::{
    NOTIFICATION_ALARMS, NOTIFICATION_RETRY, NOTIFICATION_RETRY_MOST, OUTBOX_BYTES, OUTBOX_CHANNEL, OUTBOX_NOTIFICATIONS,
};
use crate::core::base::time::{Time, duration_text};
use crate::core::event::Trust;
use crate::core::inventory::{Channel, ChannelKind, Name};
use crate::core::notice::Kind;

use super::notification::{AlarmFacts, Notification, Occasion, bounded, compose, title_of};
use super::{Delivery, Notifier, NotifyDue, Output, Record, Undelivered};

/// How often a channel that forgets active alarms gets them again.
pub(super) const REFRESH: Duration = Duration::from_secs(60);
/// Deliveries whose result is remembered, for those who wait for it.
const ENDS: usize = 64;
/// Delay before a full outbox is looked at again.
const FULL: Duration = Duration::from_secs(60);

/// The content of a notification, without its number and channel.
#[derive(Default)]
struct Content {
    step: Option<(u64, u32)>,
    occasion: Occasion,
    category: String,
    title: String,
    text: String,
    alarms: Vec<AlarmFacts>,
    more: u64,
}

impl Notifier {
    /// Checks that the configuration has a channel.
    ///
    /// # Errors
    /// A text that says that it does not.
    pub fn has_channel(&self, channel: &str) -> Result<(), String> {
        if self.inventory.channels.contains_key(channel) {
            return Ok(());
        }
        Err(format!("the configuration has no channel {channel}"))
    }

    /// Sends the text of a script through a channel, as a step of a run. `facts` are those of the alarm that started the run.
    ///
    /// # Errors
    /// A text that says that there is no such channel.
    pub fn say(
        &mut self,
        now: Time,
        channel: &Name,
        text: &str,
        facts: AlarmFacts,
        step: (u64, u32),
        out: &mut Vec<Output>,
    ) -> Result<(), String> {
        // This step is done again after a crash: its end was not journaled, but its notification was.
        if self.state.outbox.values().any(|w| w.notification.step == Some(step)) {
            return Ok(());
        }
        self.has_channel(channel)?;
        let (category, title, text) = (facts.category.clone(), title_of(text), bounded(text.to_owned()));
        let content = Content { step: Some(step), occasion: Occasion::Said, category, title, text, alarms: vec![facts], more: 0 };
        self.queue(now, channel, content, out);
        Ok(())
    }

    /// Sends a test notification for an operator. Returns its number.
    ///
    /// # Errors
    /// A text that says that there is no such channel.
    pub fn test(&mut self, now: Time, channel: &Name, by: &str, out: &mut Vec<Output>) -> Result<u64, String> {
        self.has_channel(channel)?;
        let title = format!("Pointsman: a test of the channel {channel} by {by}");
        let text = format!("{title}\nNothing has happened: {by} asked for this with `pointsman channels test {channel}`.\n");
        let content = Content { occasion: Occasion::Test, category: "minor".to_owned(), title, text, ..Content::default() };
        // A test ignores the limit: somebody waits for it.
        self.enqueue(now, channel, content, out);
        Ok(self.state.last)
    }

    /// Queues a notification about alarms, except if there are too many.
    pub(super) fn queue_about(
        &mut self,
        now: Time,
        channel: &Name,
        occasion: Occasion,
        alarms: &[AlarmFacts],
        more: u64,
        out: &mut Vec<Output>,
    ) {
        let Some(config) = self.inventory.channels.get(channel) else { return };
        let (title, text) = compose(config, occasion, alarms, more);
        let category = alarms.iter().min_by_key(|a| a.severity()).map(|a| a.category.clone()).unwrap_or_default();
        let content = Content { step: None, occasion, category, title, text, alarms: alarms.to_vec(), more };
        self.queue(now, channel, content, out);
    }

    fn queue(&mut self, now: Time, channel: &Name, content: Content, out: &mut Vec<Output>) {
        let trust = content.alarms.iter().map(|a| a.trust).max().unwrap_or_default();
        let Some(due) = self.withheld_until(now, channel, trust) else { return self.enqueue(now, channel, content, out) };
        let about = match content.alarms.first() {
            Some(first) if !first.alarm.is_empty() => first.alarm.clone(),
            _ => content.occasion.name().to_owned(),
        };
        let first = self.state.channels.get(channel).is_none_or(|c| c.held.is_empty());
        self.record(Record::Held { channel: channel.clone(), about, due }, out);
        if first {
            let due = self.state.channels.get(channel).and_then(|c| c.due);
            self.due.set(NotifyDue::More(channel.clone()), due);
            let text = format!(
                "the channel {channel} gets no more notifications for now, because its limit or the outbox is full; further ones are counted, and the count is sent at {due}",
                due = due.unwrap_or(now)
            );
            out.push(Output::Notice { kind: Kind::NotificationsHeld, text });
        }
    }

    /// Until when a notification is withheld; `None` if it may be queued. Senders with less trust leave room for the others.
    fn withheld_until(&self, now: Time, channel: &Name, trust: Trust) -> Option<Time> {
        let config = self.inventory.channels.get(channel)?;
        let waiting = self.queues.get(channel).map_or(0, BTreeSet::len);
        let full = self.state.outbox.len() >= trust.share_of(OUTBOX_NOTIFICATIONS)
            || self.outbox_bytes >= trust.share_of(OUTBOX_BYTES)
            || waiting >= trust.share_of(OUTBOX_CHANNEL);
        if full {
            return Some(now + FULL);
        }
        let limit = config.limit?;
        let known = self.state.channels.get(channel)?;
        // One place is left for the count.
        let room = trust.share_of(limit.count as usize * 8).div_ceil(8).saturating_sub(1).max(1);
        // The times are in order.
        let until = *known.accepted.iter().rev().nth(room - 1)? + limit.per;
        (until > now).then_some(until)
    }

    fn enqueue(&mut self, now: Time, channel: &Name, content: Content, out: &mut Vec<Output>) {
        let Content { step, occasion, category, title, text, alarms, more } = content;
        let id = self.state.last + 1;
        let key = format!("{:016x}-{id}", self.id);
        let notification =
            Notification { id, key, channel: channel.clone(), at: now, step, occasion, category, title, text, alarms, more };
        let limit = self.inventory.channels.get(channel).and_then(|c| c.limit);
        let since = limit.map_or(now, |limit| now - limit.per);
        self.outbox_bytes += notification.weight();
        self.record(Record::Queued { notification: Box::new(notification), since }, out);
        self.queues.entry(channel.clone()).or_default().insert(id);
        self.send_next(now, channel, out);
    }

    /// Sends a channel the count of withheld notifications.
    pub(super) fn send_withheld_count(&mut self, now: Time, channel: &Name, out: &mut Vec<Output>) {
        let Some(held) = self.state.channels.get(channel).map(|c| c.held.clone()).filter(|held| !held.is_empty()) else { return };
        let waiting = self.queues.get(channel).map_or(0, BTreeSet::len);
        if waiting >= OUTBOX_CHANNEL {
            return self.due.set(NotifyDue::More(channel.clone()), Some(now + FULL));
        }
        let count: u64 = held.values().sum();
        let mut by_count: Vec<(&String, &u64)> = held.iter().collect();
        by_count.sort_by_key(|(name, n)| (std::cmp::Reverse(**n), (*name).clone()));
        let listed: Vec<String> = by_count.iter().take(NOTIFICATION_ALARMS).map(|(name, n)| format!("{name}: {n}")).collect();
        let title = format!("and {count} more notifications were withheld by the limit of the channel {channel}");
        let mut text = format!("{title}\n\n{}\n", listed.join("\n"));
        if by_count.len() > listed.len() {
            text.push_str(&format!("and of {} more alarms\n", by_count.len() - listed.len()));
        }
        text.push_str("\n`pointsman alarms` lists what is active.\n");
        self.record(Record::Released { channel: channel.clone() }, out);
        let content =
            Content { occasion: Occasion::More, category: "minor".to_owned(), title, text, more: count, ..Content::default() };
        self.enqueue(now, channel, content, out);
    }

    /// Sends the first notification that waits for a channel, if none is under way.
    pub(super) fn send_next(&mut self, now: Time, channel: &Name, out: &mut Vec<Output>) {
        if self.under_way.contains_key(channel) {
            return;
        }
        let Some(id) = self.queues.get(channel).and_then(|queue| queue.first().copied()) else { return };
        let Some(waiting) = self.state.outbox.get(&id) else { return };
        if let Some(at) = waiting.again_at.filter(|at| *at > now) {
            return self.due.set(NotifyDue::Again(channel.clone()), Some(at));
        }
        let attempt = waiting.tries + 1;
        let delivery = Delivery { notification: waiting.notification.clone(), attempt, reached: waiting.reached.clone() };
        self.under_way.insert(channel.clone(), (id, attempt));
        out.push(Output::Deliver(Box::new(delivery)));
    }

    /// Takes the result of an attempt.
    pub fn delivered(
        &mut self,
        now: Time,
        channel: &Name,
        (id, attempt): (u64, u32),
        result: Result<(), Undelivered>,
        out: &mut Vec<Output>,
    ) {
        if self.under_way.get(channel) != Some(&(id, attempt)) {
            return; // Of a refresh, or of what was given up meanwhile.
        }
        self.under_way.remove(channel);
        let Some(waiting) = self.state.outbox.get(&id) else { return self.send_next(now, channel, out) };
        match result {
            Ok(()) => {
                self.remove(channel, id);
                self.remember(id, Ok(()));
                self.record(Record::Delivered { id, at: now }, out);
            }
            // Somebody waits for the result of a test, and can try again.
            Err(Undelivered { why, .. }) if waiting.notification.occasion == Occasion::Test => {
                self.remove(channel, id);
                self.remember(id, Err(why.clone()));
                self.record(Record::GaveUp { id, at: now, why }, out);
            }
            Err(Undelivered { why, refused, reached }) => {
                let give_up = self.inventory.channels.get(channel).map_or(Duration::ZERO, |c| c.give_up);
                if refused || waiting.notification.at + give_up <= now {
                    let after = if refused {
                        "refused for good".to_owned()
                    } else {
                        format!("it was tried for {}", duration_text(give_up))
                    };
                    self.give_up(now, channel, id, !reached.is_empty(), &format!("{why} ({after})"), out);
                } else {
                    let tries = waiting.tries;
                    let again_at = now + backoff(id, tries);
                    if tries == 0 {
                        let text = format!(
                            "the channel {channel} did not deliver a notification: {why}; it is tried again until it is delivered, or for {}",
                            duration_text(give_up)
                        );
                        out.push(Output::Notice { kind: Kind::NotificationRetried, text });
                    }
                    self.record(Record::Failed { id, at: now, again_at, why, reached }, out);
                }
            }
        }
        self.send_next(now, channel, out);
    }

    fn remember(&mut self, id: u64, result: Result<(), String>) {
        self.ends.push_back((id, result));
        if self.ends.len() > ENDS {
            self.ends.pop_front();
        }
    }

    /// Ends the attempts for a notification. `reached_now`: some of its recipients got it by the last attempt.
    fn give_up(&mut self, now: Time, channel: &Name, id: u64, reached_now: bool, why: &str, out: &mut Vec<Output>) {
        let waiting = self.state.outbox.get(&id);
        let title = waiting.map(|w| w.notification.title.clone()).unwrap_or_default();
        let in_part = reached_now || waiting.is_some_and(|w| !w.reached.is_empty());
        self.remove(channel, id);
        self.record(Record::GaveUp { id, at: now, why: why.to_owned() }, out);
        let text = match in_part {
            true => format!(
                "the channel {channel} delivered notification {id} (\"{title}\") only to some of its recipients: {why}; correct `to` of the channel"
            ),
            false => format!(
                "the channel {channel} did not deliver notification {id} (\"{title}\"): {why}; notify people by other means, then run `pointsman channels test {channel}`"
            ),
        };
        out.push(Output::Notice { kind: Kind::NotificationFailed, text });
    }

    /// Takes a notification out of its queue, before it is removed from the outbox.
    fn remove(&mut self, channel: &Name, id: u64) {
        let weight = self.state.outbox.get(&id).map_or(0, |w| w.notification.weight());
        self.outbox_bytes = self.outbox_bytes.saturating_sub(weight);
        if let Some(queue) = self.queues.get_mut(channel) {
            queue.remove(&id);
            if queue.is_empty() {
                self.queues.remove(channel);
            }
        }
    }

    /// Gives up what waits for channels that the configuration does not have any more.
    pub(super) fn give_up_gone(&mut self, now: Time, out: &mut Vec<Output>) {
        let gone: Vec<Name> = self.queues.keys().filter(|c| !self.inventory.channels.contains_key(*c)).cloned().collect();
        for channel in gone {
            self.under_way.remove(&channel);
            for id in self.queues.get(&channel).cloned().unwrap_or_default() {
                self.give_up(now, &channel, id, false, "the configuration does not have the channel any more", out);
            }
        }
        // A channel that is configured again gets the count of what was withheld from it.
        for (channel, state) in &self.state.channels {
            let due = state.due.filter(|_| self.inventory.channels.contains_key(channel));
            self.due.set(NotifyDue::More(channel.clone()), due);
        }
    }

    /// True for a channel whose receiver forgets active alarms that are not sent to it again.
    pub(super) fn forgets(&self, channel: &Name) -> bool {
        matches!(self.inventory.channels.get(channel), Some(Channel { kind: ChannelKind::Alertmanager(_), .. }))
    }

    /// Schedules refreshes for channels that forget, after a start.
    pub(super) fn begin_refreshes(&mut self, now: Time) {
        let channels: Vec<Name> = self.inventory.channels.keys().filter(|channel| self.forgets(channel)).cloned().collect();
        for channel in channels {
            self.refresh_later(now, channel);
        }
    }

    /// Sends a channel all active alarms that it was notified of. This is not journaled: the next refresh says the same.
    pub(super) fn refresh(&mut self, now: Time, channel: &Name, out: &mut Vec<Output>) {
        if !self.forgets(channel) {
            return;
        }
        let alarms = self.known_by(channel);
        if alarms.is_empty() {
            return;
        }
        // Waiting notifications go first, and say more.
        if !self.queues.contains_key(channel) {
            let notification = Notification {
                id: 0,
                key: String::new(),
                channel: channel.clone(),
                at: now,
                step: None,
                occasion: Occasion::Reminder,
                category: String::new(),
                title: String::new(),
                text: String::new(),
                alarms,
                more: 0,
            };
            out.push(Output::Deliver(Box::new(Delivery { notification, attempt: 0, reached: Vec::new() })));
        }
        self.due.set(NotifyDue::Refresh(channel.clone()), Some(now + REFRESH));
    }

    /// The active alarms that a channel was notified of, by its routes or by an escalation.
    fn known_by(&self, channel: &Name) -> Vec<AlarmFacts> {
        let mut known = BTreeSet::new();
        for (id, group) in &self.state.groups {
            let Some(options) = self.options(id) else { continue };
            let informed = group.active.difference(&group.raised);
            if options.to.contains(channel) {
                known.extend(informed);
            } else if options.escalate.is_some_and(|escalate| escalate.to.contains(channel)) {
                let escalated = |i: &&String| self.state.open.get(*i).is_some_and(|open| open.escalated.contains(id));
                known.extend(informed.filter(escalated));
            }
        }
        known.into_iter().filter_map(|id| self.state.open.get(id)).map(|open| open.facts.clone()).collect()
    }
}

/// The delay before the next attempt. It doubles each time up to a bound, and varies by a quarter, so that many senders do not
/// all come back at once. It is computed from the number, so a simulation repeats it.
fn backoff(id: u64, tries: u32) -> Duration {
    let span = NOTIFICATION_RETRY.saturating_mul(1 << tries.min(20)).min(NOTIFICATION_RETRY_MOST);
    // The last step of SplitMix64: neighbours get different values.
    let mut mixed = id.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(tries));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(millis - millis / 4 + (mixed >> 33) % (millis / 2 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_later_each_time_up_to_a_bound() {
        let mut before = Duration::ZERO;
        for tries in 0..30 {
            let span = backoff(7, tries);
            assert!(span <= NOTIFICATION_RETRY_MOST * 5 / 4 && span >= NOTIFICATION_RETRY * 3 / 4, "{span:?}");
            assert!(tries > 6 || span > before, "{span:?}");
            before = span;
        }
        assert_ne!(backoff(1, 0), backoff(2, 0));
    }
}
