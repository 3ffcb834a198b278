//! `limit`: how often the reactions of an alarm start. Reactions above the limit are throttled: the newest wait until they
//! may start. A limit delays an address change and never drops it.

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
use super::turn::Output;
use super::{Engine, fields};
use crate::core::notice::{Kind, Notice};

impl Limit {
    /// The part of a key that shares one limit.
    fn group(&self, key: &Key) -> Key {
        Key::of(self.by.iter().filter_map(|place| key.value(*place)))
    }
}

impl Engine {
    /// Starts an alarm's reactions, or throttles them.
    #[expect(clippy::too_many_arguments, reason = "an instance, its event, and where they go")]
    pub(super) fn start_reactions(
        &mut self,
        now: Time,
        sequence: u64,
        alarm: &Alarm,
        key: &Key,
        instance: Instance,
        event: Arc<Fields>,
        out: &mut Vec<Output>,
    ) {
        if let Some(limit) = &alarm.limit {
            let group = limit.group(key);
            // Reactions that a less trusted sender started do not use up the limit of the others.
            let trust = fields::trust(&event);
            let started = self.state.starts(&alarm.name, &group).map(Starts::all).into_iter().flatten();
            let counts: Vec<Time> = started.filter(|(at, by)| *at + limit.per > now && *by >= trust).map(|(at, _)| at).collect();
            if let Some(first) = counts.len().checked_sub(limit.n).and_then(|i| counts.get(i)) {
                let due = *first + limit.per;
                let text = format!(
                    "{} has started its reactions {} times within {}: the newest waits until {due}",
                    alarm.name,
                    limit.n,
                    duration_text(limit.per)
                );
                // An event of a less trusted sender does not replace one of a more trusted sender.
                let waits = self.state.starts(&alarm.name, &group).and_then(|s| s.throttled.as_ref());
                if waits.is_none_or(|w| fields::trust(&w.event) <= fields::trust(&event)) {
                    let what = Some(Box::new(Throttled { due, key: key.clone(), instance, event }));
                    self.record(Record::Throttled { alarm: alarm.name.clone(), group, what }, out);
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
            self.record(Record::Started { alarm: alarm.name.clone(), group, at: now, trust, since: now - limit.per }, out);
            if full {
                self.too_many_keys(alarm, "limits", "`limit ... by`", out);
            }
        }
        // Reactions to a claim have the sequence of the claim, however long a rule delayed them. So a newer claim stays the
        // newest.
        let claim = self.claim_behind(&event);
        let sequence = claim.as_ref().map_or(sequence, |claim| self.mark_claim_open(claim, alarm.mode, out));
        out.push(start_reactions(alarm, key, &instance, None, alarm.react.clone(), (sequence, claim.is_some()), event));
    }

    /// Starts throttled reactions, now that the limit allows it.
    pub(super) fn may_start(&mut self, at: Time, sequence: u64, name: &str, group: &Key, out: &mut Vec<Output>) {
        let what = self.state.starts(name, group).and_then(|s| s.throttled.clone());
        self.record(Record::Throttled { alarm: name.to_owned(), group: group.clone(), what: None }, out);
        let program = self.program.clone();
        let alarm = self.alarm(&program, name);
        if let (Some(alarm), Some(what)) = (alarm, what) {
            let Throttled { key, instance, event, .. } = *what;
            let instance = self.state.instance(name, &key).cloned().unwrap_or(instance);
            self.start_reactions(at, sequence, alarm, &key, instance, event, out);
        }
    }

    /// Drops throttled reactions of an alarm that has ended.
    pub(super) fn drop_throttled(&mut self, name: &str, key: &Key, out: &mut Vec<Output>) {
        let program = self.program.clone();
        let alarm = self.alarm(&program, name);
        let Some(group) = alarm.and_then(|a| a.limit.as_ref()).map(|limit| limit.group(key)) else { return };
        let waits = self.state.starts(name, &group).and_then(|s| s.throttled.as_ref()).is_some_and(|p| p.key == *key);
        if waits {
            self.record(Record::Throttled { alarm: name.to_owned(), group, what: None }, out);
        }
    }
}
