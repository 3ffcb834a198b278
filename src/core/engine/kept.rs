//! Bytes of the events that alarms keep: of active, pending, suppressed and throttled instances.
//!
//! One event is cut to [`EVENT_BYTES`] when it is kept at all. All together have a share of the memory
//! ([`MEMORY_ALARMS`]). When half of it is used, an event of an untrusted sender is kept in its short form, and from three
//! quarters on its instance is refused; for trusted senders these are three quarters and the whole. Each is a notice.

use std::sync::Arc;

use crate::core::base::limits::{MEMORY_ALARMS, share};
use crate::core::event::Trust;
use crate::core::lang::program::Alarm;

use super::bounds::{short, weight};
use super::fields::trust;
use super::record::{Fields, Instance, PendingFire, Suppressed, Throttled};
use super::state::State;
use super::{Engine, Output};
use crate::core::notice::{Kind, Notice};

/// Bytes that an instance takes beside its event.
const INSTANCE_BYTES: usize = 512;

impl Instance {
    /// Bytes of memory that it takes, roughly; its lines are counted apart.
    fn weight(&self) -> usize {
        INSTANCE_BYTES + weight(&self.event) + self.summary.len()
    }
}

impl PendingFire {
    /// Bytes of memory that it takes, roughly.
    fn weight(&self) -> usize {
        INSTANCE_BYTES + weight(&self.event)
    }
}

impl Suppressed {
    /// Bytes of memory that it takes, roughly.
    fn weight(&self) -> usize {
        INSTANCE_BYTES + weight(&self.event)
    }
}

impl Throttled {
    /// Bytes of memory that it takes, roughly.
    fn weight(&self) -> usize {
        self.instance.weight() + self.instance.line_bytes() + weight(&self.event)
    }
}

impl State {
    /// Bytes of the events that are kept for a key. Of a limit's group: for what it puts off.
    pub(super) fn kept_for(&self, alarm: &str, key: &super::Key) -> usize {
        let active = self.instance(alarm, key).map_or(0, Instance::weight);
        let pending = self.waiting(alarm, key).map_or(0, PendingFire::weight);
        let suppressed = self.inhibited(alarm, key).map_or(0, Suppressed::weight);
        let throttled = self.starts(alarm, key).and_then(|s| s.put_off.as_deref()).map_or(0, Throttled::weight);
        active + pending + suppressed + throttled
    }

    /// The same of all keys, counted anew.
    pub(super) fn count_kept(&self) -> usize {
        let active: usize = self.active().map(|(_, _, instance)| instance.weight()).sum();
        let pending: usize = self.all_awaited().map(|(_, _, waiting)| waiting.weight()).sum();
        let suppressed: usize = self.all_inhibited().map(|(_, _, held)| held.weight()).sum();
        let throttled: usize = self.all_put_off().map(|(_, _, put_off)| put_off.weight()).sum();
        active + pending + suppressed + throttled
    }
}

impl Engine {
    /// The event as an alarm keeps it now.
    pub(super) fn keep(&mut self, alarm: &Alarm, event: Arc<Fields>, out: &mut Vec<Output>) -> Arc<Fields> {
        let [from, _] = self.rooms(trust(&event));
        if self.state.kept_bytes + weight(&event) <= from {
            return event;
        }
        let text = format!(
            "alarms keep so many events that little of their {} MiB is left; further ones are kept in a short form: narrow `by`, clear alarms, or raise `limits: {{ memory: ... }}`",
            self.kept_most() >> 20
        );
        self.tell_once(
            "kept events".to_owned(),
            Notice { alarm: Some(alarm.name.clone()), ..Notice::new(Kind::Limit, text) },
            out,
        );
        Arc::new(short(&event))
    }

    /// True when the memory has room for one more instance, of a sender of this trust.
    pub(super) fn has_memory(&mut self, alarm: &Alarm, trust: Trust, out: &mut Vec<Output>) -> bool {
        let [_, end] = self.rooms(trust);
        if self.state.kept_bytes < end {
            return true;
        }
        let text = format!(
            "the events that alarms keep use up their {} MiB; further instances are dropped until some are cleared, a quarter of the room is for trusted senders: narrow `by`, clear alarms, or raise `limits: {{ memory: ... }}`",
            self.kept_most() >> 20
        );
        self.tell_once("instances".to_owned(), Notice { alarm: Some(alarm.name.clone()), ..Notice::new(Kind::Limit, text) }, out);
        false
    }

    /// From how many kept bytes on events are shortened, and instances refused.
    fn rooms(&self, trust: Trust) -> [usize; 2] {
        let quarter = self.kept_most() / 4;
        if trust >= Trust::Address { [3 * quarter, 4 * quarter] } else { [2 * quarter, 3 * quarter] }
    }

    fn kept_most(&self) -> usize {
        share(self.inventory.memory.0, MEMORY_ALARMS)
    }
}
