//! Bytes of the events that alarms keep: of active, pending, suppressed and throttled instances.
//!
//! One event is cut to [`EVENT_BYTES`] when it is kept at all. All together have a share of the memory
//! ([`MEMORY_ALARMS`]). When half of it is used, an event of an untrusted sender is kept in its short form, and from three
//! quarters on its instance is refused; for trusted senders these are three quarters and the whole. Each is a notice.

use std::sync::Arc;

use crate::core::base::limits::{EVENT_BYTES, EVENT_FIELD_BYTES, EVENT_SHORT_BYTES, EVENT_TEXT_BYTES, MEMORY_ALARMS, share};
use crate::core::event::{BuiltIn, Trust, Value};
use crate::core::lang::program::Alarm;

use super::fields::trust;
use super::record::{Fields, PendingFire, Suppressed, Throttled};
use super::state::{Instance, State};
use super::{Engine, Output};
use crate::core::notice::{Kind, Notice};

/// Bytes that an instance takes beside its event.
const INSTANCE_BYTES: usize = 512;
/// Bytes that a field takes beside its name and value.
const FIELD_BYTES: usize = 48;
/// Fields of the short form of an event.
const SHORT_FIELDS: usize = 24;

/// Bytes of memory that fields take, roughly.
pub(super) fn weight(fields: &Fields) -> usize {
    fields.iter().map(|(name, value)| FIELD_BYTES + name.len() + value.weight()).sum()
}

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

/// An event as it is kept: long fields are cut, and of very many the last are left out; the text stays.
pub(super) fn bounded(mut fields: Fields) -> Fields {
    if weight(&fields) <= EVENT_FIELD_BYTES {
        return fields;
    }
    for (name, value) in &mut fields {
        let most = if name == "text" { EVENT_TEXT_BYTES } else { EVENT_FIELD_BYTES };
        // As JSON a control character takes six bytes.
        if value.weight() > most / 6 {
            *value = value.cut(most);
        }
    }
    let mut left = EVENT_BYTES - EVENT_TEXT_BYTES;
    fields.retain(|name, value| {
        if name == "text" {
            return true;
        }
        let bytes = FIELD_BYTES + name.len() + value.weight();
        let stays = BuiltIn::is_fixed(name) || bytes <= left;
        left -= if stays { bytes.min(left) } else { 0 };
        stays
    });
    fields
}

/// An event as it is kept when there is little room.
fn short(fields: &Fields) -> Fields {
    let cut = |(name, value): (&String, &Value<'static>)| (name.clone(), value.cut(EVENT_SHORT_BYTES));
    let own = fields.iter().filter(|(name, _)| BuiltIn::is_fixed(name)).map(cut);
    let others = fields.iter().filter(|(name, _)| !BuiltIn::is_fixed(name)).take(SHORT_FIELDS);
    let others = others.filter(|(name, value)| name.len() + value.weight() <= 4 * EVENT_SHORT_BYTES || value.as_text().is_some());
    own.chain(others.map(cut)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: usize) -> Value<'static> {
        Value::from("x".repeat(bytes).as_str())
    }

    #[test]
    fn one_event_is_bounded_whatever_its_fields_are() {
        let mut fields: Fields = (0..128).map(|n| (format!("field{n:03}"), text(60_000))).collect();
        fields.insert("text".to_owned(), Value::from("\u{1}".repeat(60_000).as_str()));
        fields.insert("trust".to_owned(), Value::from("address"));
        let kept = bounded(fields);
        assert!(weight(&kept) <= EVENT_BYTES + EVENT_FIELD_BYTES, "{}", weight(&kept));
        assert!(serde_json::to_string(&kept).unwrap().len() <= EVENT_BYTES + EVENT_FIELD_BYTES);
        assert!(kept["text"].as_text().unwrap().ends_with('…'));
        assert_eq!((trust(&kept), kept["field000"].as_text().unwrap().len()), (Trust::Address, EVENT_FIELD_BYTES + 3));
        assert!(weight(&short(&kept)) < 8 * 1024);
    }

    #[test]
    fn a_small_event_is_kept_as_it_is() {
        let fields = Fields::from([("text".to_owned(), text(500)), ("peer".to_owned(), Value::Int(3))]);
        assert_eq!(bounded(fields.clone()), fields);
    }
}
