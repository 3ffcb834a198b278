//! Groups of alarms that share notifications: when these are due, reminders, and escalation.

use std::time::Duration;

use crate::core::base::limits::{NOTIFICATION_ALARMS, NOTIFIED_ALARMS, NOTIFY_GROUPS};
use crate::core::base::time::Time;
use crate::core::engine::{self, Cause};
use crate::core::event::{Trust, Value};
use crate::core::inventory::{Name, NotifyRoute};
use crate::core::lang::program::Cancel;

use super::notification::{AlarmFacts, Occasion, kept_fields};
use super::record::{GroupId, group_id, instance_id, route_of};
use super::{IsWithheld, Notifier, NotifyDue, Output, Record, route};

/// The beginning of the id of a group that a reaction made (`react notify("noc")`), before the name of its channel. No route has
/// such a name.
const OF_REACTION: &str = "\u{1e}";

/// The least time between two escalations of a group: alarms that were raised together are escalated together.
const APART: Duration = Duration::from_secs(1);

impl Notifier {
    /// An alarm changed: adds it to the groups of the routes that it matches.
    pub fn observed(&mut self, now: Time, record: &engine::Record, out: &mut Vec<Output>) {
        match record {
            engine::Record::Raised { alarm, key, at, event, summary, .. } if !self.inventory.routes.is_empty() => {
                let Some(rule) = self.alarms.get(alarm).and_then(|n| self.program.alarms.get(*n)) else { return };
                let trust = event.get("trust").and_then(Value::as_text).and_then(Trust::parse).unwrap_or_default();
                let facts = AlarmFacts {
                    alarm: alarm.clone(),
                    key: key.to_string(),
                    category: rule.category.name().to_owned(),
                    summary: summary.clone(),
                    help: rule.help.clone(),
                    raised_at: *at,
                    trust,
                    fields: kept_fields(event),
                    ..AlarmFacts::default()
                }
                .summarized();
                let brief = rule.cancel.contains(&Cancel::AtOnce);
                let program = self.program.clone();
                let inventory = self.inventory.clone();
                let taken = inventory.routes.iter().filter(|(_, route)| route::takes(&program, route, &facts, *at));
                let groups = taken.map(|(name, route)| (self.group_for(name, route, &facts), route.wait)).collect();
                self.open(now, facts, brief, groups, out);
            }
            engine::Record::Cleared { alarm, key, at, cause, summary } => {
                self.ended(now, alarm, &key.to_string(), *at, cause, summary.as_deref(), out);
            }
            engine::Record::Acked { alarm, key, by, .. } => {
                let key = key.to_string();
                if self.state.open.contains_key(&instance_id(alarm, &key)) {
                    self.record(Record::Acked { alarm: alarm.clone(), key, by: by.clone() }, out);
                }
            }
            _ => {}
        }
    }

    /// Notifies one channel of an alarm, for a reaction without a script, and of the end of the alarm if it is `active`. The
    /// notification is due at once.
    ///
    /// # Errors
    /// A text that says that there is no such channel.
    pub fn announce(
        &mut self,
        now: Time,
        channel: &Name,
        facts: AlarmFacts,
        active: bool,
        out: &mut Vec<Output>,
    ) -> Result<(), String> {
        self.has_channel(channel)?;
        let group = group_id(&format!("{OF_REACTION}{channel}"), [facts.alarm.as_str(), facts.key.as_str()]);
        match self.state.open.get(&instance_id(&facts.alarm, &facts.key)) {
            // The channel was notified already; the reaction was started again.
            Some(open) if open.groups.contains(&group) => {
                self.queue_about(now, channel, Occasion::Raised, &[facts], 0, out);
            }
            _ => self.open(now, facts, !active, vec![(group, Duration::ZERO)], out),
        }
        Ok(())
    }

    /// The help text of an alarm in the rules: what an operator should know or do.
    pub fn help_of(&self, alarm: &str) -> String {
        self.alarms.get(alarm).and_then(|n| self.program.alarms.get(*n)).map(|rule| rule.help.clone()).unwrap_or_default()
    }

    /// How a group makes notifications; `None` if its route is gone.
    pub(super) fn options(&self, group: &GroupId) -> Option<NotifyRoute> {
        let route = route_of(group);
        match route.strip_prefix(OF_REACTION) {
            Some(channel) => self.inventory.channels.contains_key(channel).then(|| NotifyRoute {
                to: vec![channel.to_owned()],
                cleared: true,
                ..NotifyRoute::default()
            }),
            None => self.inventory.routes.get(route).cloned(),
        }
    }

    /// The group of a route that an alarm belongs to. If there are too many groups, further alarms share one.
    fn group_for(&self, name: &str, route: &NotifyRoute, facts: &AlarmFacts) -> GroupId {
        let values: Vec<String> = route.by.iter().map(|field| facts.get(field).unwrap_or_default()).collect();
        let group = group_id(name, values.iter().map(String::as_str));
        if self.state.groups.contains_key(&group) || self.state.groups.len() < NOTIFY_GROUPS { group } else { name.to_owned() }
    }

    fn open(&mut self, now: Time, facts: AlarmFacts, brief: bool, groups: Vec<(GroupId, Duration)>, out: &mut Vec<Output>) {
        if groups.is_empty() {
            return;
        }
        let due = |me: &Notifier, group: &GroupId, wait: Duration| {
            let known = me.state.groups.get(group);
            let interval = me.options(group).map(|o| o.interval).unwrap_or_default();
            let next = known.and_then(|g| g.last).map(|last| last + interval);
            next.unwrap_or(now).max(now + wait)
        };
        let full = !brief && self.state.open.len() >= NOTIFIED_ALARMS;
        let mut informed = Vec::new();
        for (group, wait) in &groups {
            let at = due(self, group, *wait);
            let crowded = brief && self.state.groups.get(group).is_some_and(|g| g.ended.len() >= NOTIFICATION_ALARMS);
            if full || crowded {
                self.record(Record::Counted { group: group.clone(), due: at }, out);
            } else {
                informed.push((group.clone(), at));
            }
        }
        if !informed.is_empty() {
            let escalation = |group: &GroupId| Some((group.clone(), facts.raised_at + self.options(group)?.escalate?.after));
            let escalate_at =
                if brief { Vec::new() } else { informed.iter().filter_map(|(group, _)| escalation(group)).collect() };
            self.record(Record::Opened { facts: Box::new(facts), groups: informed, escalate_at, brief }, out);
        }
        for (group, _) in &groups {
            self.group_changed(group);
        }
        self.channels_changed(now, groups.iter().map(|(group, _)| group));
    }

    #[allow(clippy::too_many_arguments, reason = "what the record of the end has")]
    fn ended(
        &mut self,
        now: Time,
        alarm: &str,
        key: &str,
        at: Time,
        cause: &Cause,
        summary: Option<&str>,
        out: &mut Vec<Output>,
    ) {
        let Some(open) = self.state.open.get(&instance_id(alarm, key)).cloned() else { return };
        let mut facts = open.facts;
        facts.cleared_at = Some(at);
        facts.cause = Some(cause.to_string());
        facts.escalated = !open.escalated.is_empty();
        if let Some(summary) = summary {
            facts.summary = summary.to_owned();
        }
        let (mut informed, mut counted) = (Vec::new(), Vec::new());
        for group in &open.groups {
            let Some(options) = self.options(group) else { continue };
            let Some(known) = self.state.groups.get(group) else { continue };
            // An alarm that has ended before its notification is reported with its end, except if the route leaves ends out.
            if !options.cleared && !known.raised.contains(&instance_id(alarm, key)) {
                continue;
            }
            let next = known.last.map(|last| last + options.interval).unwrap_or(now);
            let due = known.due.unwrap_or(next.max(now + options.wait));
            if known.ended.len() < NOTIFICATION_ALARMS {
                informed.push((group.clone(), due))
            } else {
                counted.push((group.clone(), due))
            }
        }
        // In a storm most ends are only counted: then the record needs no more than the name of the instance.
        let facts = match informed.is_empty() {
            true => AlarmFacts { alarm: facts.alarm, key: facts.key, ..AlarmFacts::default() },
            false => facts,
        };
        self.record(Record::Ended { facts: Box::new(facts), groups: informed }, out);
        for (group, due) in counted {
            self.record(Record::Counted { group, due }, out);
        }
        for group in &open.groups {
            self.group_changed(group);
        }
    }

    /// Does what is due for a group: a notification of what is new, a reminder, an escalation.
    pub(super) fn group_due(&mut self, now: Time, id: &GroupId, withheld: IsWithheld<'_>, out: &mut Vec<Output>) {
        let Some(options) = self.options(id) else {
            return self.record(Record::Dropped { group: id.clone() }, out);
        };
        if self.state.groups.get(id).is_some_and(|group| group.escalate_at.is_some_and(|at| at <= now)) {
            self.escalate(now, id, &options, withheld, out);
        }
        self.withhold_news(id, withheld, out);
        let Some(group) = self.state.groups.get(id).cloned() else { return };
        let is_due = group.due.is_some_and(|at| at <= now);
        let remind = group.repeat_at.is_some_and(|at| at <= now);
        if is_due || remind {
            if !group.is_notified() {
                self.send_news(now, id, &options, out);
            } else if remind {
                self.remind(now, id, &options, withheld, out);
            }
            // A group that has just made a notification is remembered until it may make another one.
            let notified_now = !group.is_notified();
            let next = if notified_now || remind { options.repeat.map(|every| now + every) } else { group.repeat_at };
            let repeat_at = next.filter(|_| !group.active.is_empty());
            let due = (notified_now && !options.interval.is_zero()).then(|| now + options.interval);
            self.record(Record::Notified { group: id.clone(), at: now, due, repeat_at }, out);
        }
        self.group_changed(id);
    }

    /// Drops the alarms of a group that nobody was notified of and that are withheld now. As with an alarm that was withheld when
    /// it was raised, people are not notified of it later, nor of its end. The end of an alarm that people know of is never
    /// withheld: a receiver would show it as active for ever.
    fn withhold_news(&mut self, id: &GroupId, withheld: IsWithheld<'_>, out: &mut Vec<Output>) {
        let Some(group) = self.state.groups.get(id).filter(|group| !group.is_notified()) else { return };
        let unknown = |facts: &AlarmFacts| group.last.is_none_or(|last| facts.raised_at > last);
        let facts = |instance: &String| self.state.open.get(instance).map(|open| &open.facts);
        let raised = group.raised.iter().filter(|instance| facts(instance).is_some_and(withheld)).cloned().collect::<Vec<_>>();
        let of_ended = |(n, facts): (usize, &AlarmFacts)| (unknown(facts) && withheld(facts)).then_some(n);
        let ended: Vec<usize> = group.ended.iter().enumerate().filter_map(of_ended).collect();
        if !raised.is_empty() || !ended.is_empty() {
            self.record(Record::Withheld { group: id.clone(), raised, ended }, out);
        }
    }

    fn send_news(&mut self, now: Time, id: &GroupId, options: &NotifyRoute, out: &mut Vec<Output>) {
        let Some(group) = self.state.groups.get(id) else { return };
        let raised = group.raised.iter().filter_map(|instance| self.state.open.get(instance)).map(|open| &open.facts);
        let mut alarms: Vec<&AlarmFacts> = raised.chain(&group.ended).collect();
        alarms.sort_by_key(|a| (a.cleared_at.is_some(), a.severity(), a.raised_at));
        let all = alarms.len();
        let only_ends = alarms.iter().all(|a| a.cleared_at.is_some()) && group.raised.is_empty() && !alarms.is_empty();
        let occasion = if only_ends { Occasion::Cleared } else { Occasion::Raised };
        let shown: Vec<AlarmFacts> = alarms.into_iter().take(NOTIFICATION_ALARMS).cloned().collect();
        let more = group.more + (all - shown.len()) as u64;
        let mut to = options.to.clone();
        // The channels of an escalation are notified of the end as well.
        if let Some(escalate) = options.escalate.as_ref().filter(|_| shown.iter().any(|a| a.escalated)) {
            to.extend(escalate.to.iter().filter(|channel| !options.to.contains(channel)).cloned());
        }
        for channel in &to {
            self.queue_about(now, channel, occasion, &shown, more, out);
        }
    }

    /// Sends a reminder of active alarms that nobody acknowledged.
    fn remind(&mut self, now: Time, id: &GroupId, options: &NotifyRoute, withheld: IsWithheld<'_>, out: &mut Vec<Output>) {
        let Some(group) = self.state.groups.get(id) else { return };
        let open = group.active.iter().filter_map(|instance| self.state.open.get(instance)).filter(|open| open.acked.is_none());
        let mut alarms: Vec<AlarmFacts> = open.map(|open| open.facts.clone()).filter(|facts| !withheld(facts)).collect();
        if alarms.is_empty() {
            return;
        }
        alarms.sort_by_key(|a| (a.severity(), a.raised_at));
        let more = alarms.len().saturating_sub(NOTIFICATION_ALARMS) as u64;
        alarms.truncate(NOTIFICATION_ALARMS);
        for channel in &options.to {
            self.queue_about(now, channel, Occasion::Reminder, &alarms, more, out);
        }
    }

    /// Notifies others of alarms that nobody acknowledged in time. One that is withheld is looked at again after the same time.
    fn escalate(&mut self, now: Time, id: &GroupId, options: &NotifyRoute, withheld: IsWithheld<'_>, out: &mut Vec<Output>) {
        let (Some(group), Some(escalation)) = (self.state.groups.get(id), &options.escalate) else { return };
        let open = group.active.iter().filter_map(|instance| Some((instance, self.state.open.get(instance)?)));
        let waiting: Vec<_> = open.filter(|(_, open)| open.acked.is_none() && !open.escalated.contains(id)).collect();
        let is_due = |raised_at: Time| raised_at + escalation.after <= now;
        let mut due: Vec<(String, AlarmFacts)> =
            waiting.iter().filter(|(_, o)| is_due(o.facts.raised_at)).map(|(id, o)| ((*id).clone(), o.facts.clone())).collect();
        let all = due.len();
        due.retain(|(_, facts)| !withheld(facts));
        let again = (due.len() < all).then(|| now + escalation.after);
        let later = waiting.iter().map(|(_, o)| o.facts.raised_at).filter(|at| !is_due(*at)).map(|at| at + escalation.after);
        // What falls due soon after an escalation is sent together.
        let apart = if due.is_empty() { Duration::ZERO } else { options.wait.max(APART) };
        let next = later.chain(again).min().map(|at| at.max(now + apart));
        due.sort_by_key(|(_, facts)| (facts.severity(), facts.raised_at));
        let alarms: Vec<String> = due.iter().map(|(id, _)| id.clone()).collect();
        self.record(Record::Escalated { group: id.clone(), alarms, next }, out);
        let facts: Vec<AlarmFacts> = due.into_iter().map(|(_, facts)| facts).collect();
        if facts.is_empty() {
            return;
        }
        let more = facts.len().saturating_sub(NOTIFICATION_ALARMS) as u64;
        let shown = &facts[..facts.len().min(NOTIFICATION_ALARMS)];
        for channel in &escalation.to {
            self.queue_about(now, channel, Occasion::Escalated, shown, more, out);
            if self.forgets(channel) {
                self.refresh_later(now, channel.clone());
            }
        }
    }

    /// Schedules refreshes for the channels of these groups that forget alarms.
    fn channels_changed<'g>(&mut self, now: Time, groups: impl Iterator<Item = &'g GroupId>) {
        let channels = groups.filter_map(|group| self.options(group)).flat_map(|o| o.to);
        let forgetful: Vec<Name> = channels.filter(|channel| self.forgets(channel)).collect();
        for channel in forgetful {
            self.refresh_later(now, channel);
        }
    }

    pub(super) fn refresh_later(&mut self, now: Time, channel: Name) {
        let what = NotifyDue::Refresh(channel);
        if !self.due.times.contains_key(&what) {
            self.due.set(what, Some(now + super::outbox::REFRESH));
        }
    }
}
