//! `limit`: how often the reactions of an alarm start. What is too much waits, joined to the newest, until it may start; so a limit
//! delays what an address should follow, and never forgets it.

use std::sync::Arc;

use crate::core::base::limits::COUNTED_KEYS;
use crate::core::base::time::{Time, duration_text};
use crate::core::lang::program::{Alarm, Limit};

use super::instance::start_reactions;
use super::key::Key;
use super::record::Instance;
use super::record::{Fields, Record, Throttled};
use super::state::Starts;
use super::trace::Decision;
use super::{Engine, Output, fields};
use crate::core::notice::{Kind, Notice};

impl Limit {
    /// What is counted together with an instance.
    fn group(&self, key: &Key) -> Key {
        Key::of(self.by.iter().filter_map(|place| key.value(*place)))
    }
}

impl Engine {
    /// Starts an alarm's reactions, or puts them off.
    #[expect(clippy::too_many_arguments, reason = "an instance, its event, and where they go")]
    pub(super) fn start_reactions(
        &mut self,
        now: Time,
        order: u64,
        alarm: &Alarm,
        key: &Key,
        instance: Instance,
        event: Arc<Fields>,
        out: &mut Vec<Output>,
    ) {
        if let Some(limit) = &alarm.limit {
            let group = limit.group(key);
            // What somebody less trusted started uses up nothing of the limit of others.
            let known = fields::trust(&event);
            let started = self.state.starts(&alarm.name, &group).map(Starts::all).into_iter().flatten();
            let counts: Vec<Time> = started.filter(|(at, by)| *at + limit.per > now && *by >= known).map(|(at, _)| at).collect();
            if let Some(first) = counts.len().checked_sub(limit.n).and_then(|i| counts.get(i)) {
                let due = *first + limit.per;
                let text = format!(
                    "{} has started its reactions {} times within {}: the newest waits until {due}",
                    alarm.name,
                    limit.n,
                    duration_text(limit.per)
                );
                // Nobody takes the place of one who is better known.
                let waits = self.state.starts(&alarm.name, &group).and_then(|s| s.put_off.as_ref());
                if waits.is_none_or(|w| fields::trust(&w.event) <= fields::trust(&event)) {
                    let what = Some(Box::new(Throttled { due, key: key.clone(), instance, event }));
                    self.record(Record::PutOff { alarm: alarm.name.clone(), group, what }, out);
                }
                self.decided(now, alarm, Some(key), Decision::NotStarted, || {
                    format!(
                        "its reactions are throttled by `limit {} per {}`: they wait until {due}",
                        limit.n,
                        duration_text(limit.per)
                    )
                });
                let notice = Notice { alarm: Some(alarm.name.clone()), ..Notice::new(Kind::Throttled, text) };
                return out.push(Output::Notice(notice));
            }
            let full = self.state.groups_of(&alarm.name) >= COUNTED_KEYS && self.state.starts(&alarm.name, &group).is_none();
            self.record(Record::Started { alarm: alarm.name.clone(), group, at: now, known, since: now - limit.per }, out);
            if full {
                self.too_many_keys(alarm, "limits", "`limit ... by`", out);
            }
        }
        // What is about a claim has its order, however long a rule put it off: a newer claim stays the newest.
        let claim = self.claim_behind(&event);
        let order = claim.as_ref().map_or(order, |claim| self.claim_stands(claim, alarm.mode, out));
        out.push(start_reactions(alarm, key, &instance, None, alarm.react.clone(), (order, claim.is_some()), event));
    }

    /// What a limit put off may start now.
    pub(super) fn may_start(&mut self, at: Time, order: u64, name: &str, group: &Key, out: &mut Vec<Output>) {
        let what = self.state.starts(name, group).and_then(|s| s.put_off.clone());
        self.record(Record::PutOff { alarm: name.to_owned(), group: group.clone(), what: None }, out);
        let program = self.program.clone();
        let alarm = self.alarm(&program, name);
        if let (Some(alarm), Some(what)) = (alarm, what) {
            let Throttled { key, instance, event, .. } = *what;
            let instance = self.state.instance(name, &key).cloned().unwrap_or(instance);
            self.start_reactions(at, order, alarm, &key, instance, event, out);
        }
    }

    /// What waits because of a limit is not started after its alarm has ended.
    pub(super) fn drop_put_off(&mut self, name: &str, key: &Key, out: &mut Vec<Output>) {
        let program = self.program.clone();
        let alarm = self.alarm(&program, name);
        let Some(group) = alarm.and_then(|a| a.limit.as_ref()).map(|limit| limit.group(key)) else { return };
        let waits = self.state.starts(name, &group).and_then(|s| s.put_off.as_ref()).is_some_and(|p| p.key == *key);
        if waits {
            self.record(Record::PutOff { alarm: name.to_owned(), group, what: None }, out);
        }
    }
}
