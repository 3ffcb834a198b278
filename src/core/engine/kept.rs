//! Bytes of the events that alarms keep: of active, pending, suppressed and throttled instances.
//!
//! A stored event is cut to [`EVENT_BYTES`]. All stored events together have a share of the memory ([`MEMORY_ALARMS`]). Above
//! half of it, an event of an untrusted sender is stored in its short form; above three quarters, its instance is refused.
//! For trusted senders the limits are three quarters and the whole. Each case is a notice.

use std::sync::Arc;

use crate::core::base::limits::{MEMORY_ALARMS, share};
use crate::core::event::Trust;
use crate::core::lang::program::Alarm;

use super::Engine;
use super::bounds::{short, weight};
use super::fields::trust;
use super::record::{Fields, Instance, PendingFire, Suppressed, Throttled};
use super::state::State;
use super::turn::Output;
use crate::core::notice::{Kind, Notice};

/// Estimated bytes of an instance in addition to its event.
const INSTANCE_BYTES: usize = 512;

impl Instance {
    /// Estimates its memory in bytes. Its lines are counted separately.
    fn weight(&self) -> usize {
        INSTANCE_BYTES + weight(&self.event) + self.summary.len()
    }
}

impl PendingFire {
    /// Estimates its memory in bytes.
    fn weight(&self) -> usize {
        INSTANCE_BYTES + weight(&self.event)
    }
}

impl Suppressed {
    /// Estimates its memory in bytes.
    fn weight(&self) -> usize {
        INSTANCE_BYTES + weight(&self.event)
    }
}

impl Throttled {
    /// Estimates its memory in bytes.
    fn weight(&self) -> usize {
        self.instance.weight() + self.instance.line_bytes() + weight(&self.event)
    }
}

impl State {
    /// Bytes of the events that are kept for a key. For the group of a limit: of what is throttled.
    pub(super) fn kept_for(&self, alarm: &str, key: &super::Key) -> usize {
        let active = self.instance(alarm, key).map_or(0, Instance::weight);
        let pending = self.pending(alarm, key).map_or(0, PendingFire::weight);
        let suppressed = self.suppressed(alarm, key).map_or(0, Suppressed::weight);
        let throttled = self.starts(alarm, key).and_then(|s| s.throttled.as_deref()).map_or(0, Throttled::weight);
        active + pending + suppressed + throttled
    }

    /// Counts the bytes of all keys again.
    pub(super) fn count_kept(&self) -> usize {
        let active: usize = self.active().map(|(_, _, instance)| instance.weight()).sum();
        let pending: usize = self.all_pending().map(|(_, _, waiting)| waiting.weight()).sum();
        let suppressed: usize = self.all_suppressed().map(|(_, _, suppressed)| suppressed.weight()).sum();
        let throttled: usize = self.all_throttled().map(|(_, _, throttled)| throttled.weight()).sum();
        active + pending + suppressed + throttled
    }
}

impl Engine {
    /// Returns the event as an alarm stores it, depending on the memory in use.
    pub(super) fn keep(&mut self, alarm: &Alarm, event: Arc<Fields>, out: &mut Vec<Output>) -> Arc<Fields> {
        let [from, _] = self.rooms(trust(&event));
        if self.state.kept_bytes + weight(&event) <= from {
            return event;
        }
        let text = format!(
            "the stored events of alarms have nearly used up their {} MiB; further ones are stored in a short form: narrow `by`, clear alarms, or raise `limits: {{ memory: ... }}`",
            self.kept_most() >> 20
        );
        self.notify_once(
            "kept events".to_owned(),
            Notice { alarm: Some(alarm.name.clone()), ..Notice::new(Kind::Limit, text) },
            out,
        );
        Arc::new(short(&event))
    }

    /// True when the memory has room for one more instance of a sender of this trust.
    pub(super) fn has_memory(&mut self, alarm: &Alarm, trust: Trust, out: &mut Vec<Output>) -> bool {
        let [_, end] = self.rooms(trust);
        if self.state.kept_bytes < end {
            return true;
        }
        let text = format!(
            "the stored events of alarms have used up their {} MiB; further instances are dropped until some are cleared (a quarter of the room is reserved for trusted senders): narrow `by`, clear alarms, or raise `limits: {{ memory: ... }}`",
            self.kept_most() >> 20
        );
        self.notify_once(
            "instances".to_owned(),
            Notice { alarm: Some(alarm.name.clone()), ..Notice::new(Kind::Limit, text) },
            out,
        );
        false
    }

    /// The numbers of stored bytes from which events are shortened, and from which instances are refused.
    fn rooms(&self, trust: Trust) -> [usize; 2] {
        let quarter = self.kept_most() / 4;
        if trust >= Trust::Address { [3 * quarter, 4 * quarter] } else { [2 * quarter, 3 * quarter] }
    }

    fn kept_most(&self) -> usize {
        share(self.inventory.memory.0, MEMORY_ALARMS)
    }
}
