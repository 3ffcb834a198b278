//! An event on its way through the alarms, and what it does to one of them.

use crate::core::base::time::Time;
use crate::core::event::{Event, Stale};
use crate::core::inventory::Index;
use crate::core::lang::program::{Alarm, Hit};

use super::fields::EventView;
use super::key::Key;

/// An event on its way through the alarms.
pub(super) struct Arrival<'a> {
    pub(super) now: Time,
    pub(super) sequence: u64,
    pub(super) event: &'a Event<'static>,
    pub(super) index: &'a Index,
    pub(super) late: Option<Stale>,
}

/// An event that matches a part of an alarm's condition.
pub(super) struct Match<'m, 'a> {
    pub(super) arrival: &'m Arrival<'a>,
    pub(super) alarm: &'m Alarm,
    pub(super) at: Time,
    pub(super) key: Key,
    pub(super) view: EventView<'a>,
}

/// When and why an alarm's condition fires.
pub(super) struct Firing {
    pub(super) now: Time,
    pub(super) sequence: u64,
    /// Why it may start nothing: its cause was late.
    pub(super) late: Option<Stale>,
    /// Why it may not start its reactions, and makes no late claim either: its cause is older than the alarm allows (`max age`).
    pub(super) old: Option<Stale>,
    /// When it would expire, if it was suppressed or delayed before.
    pub(super) over: Option<Time>,
}

impl<'a> Arrival<'a> {
    /// Returns a view of the event, with what an atom captured.
    pub(super) fn view(&self, hit: &'a Hit) -> EventView<'a> {
        EventView::new(self.event, &hit.captures, self.index)
    }

    pub(super) fn firing(&self, alarm: &Alarm) -> Firing {
        Firing { now: self.now, sequence: self.sequence, late: self.late.clone(), old: too_old(alarm, self), over: None }
    }
}

fn too_old(alarm: &Alarm, arrival: &Arrival<'_>) -> Option<Stale> {
    let limit = alarm.max_age?;
    let age = arrival.now.since(arrival.event.at?);
    (age > limit).then_some(Stale::TooOld { age, limit })
}
