//! How many members of a group are in a state: hosts that are lost, applications that stopped, alarms that are active.
//!
//! The members of a group are fixed when the rules are compiled. The number in the state is counted again from the state at
//! each change of a member, so no stored count can become wrong.

use crate::core::event::{Trust, Value};
use crate::core::lang::program::{Alarm, Counted, Hit, MemberState, Members, Shape};

use super::arrival::{Arrival, Match};
use super::key::Key;
use super::record::Fields;
use super::turn::Output;
use super::{Engine, fields};

impl Engine {
    /// Evaluates the groups of a member whose state changed.
    pub(super) fn members<'a>(&mut self, arrival: &Arrival<'a>, alarm: &Alarm, hit: &'a Hit, out: &mut Vec<Output>) {
        let Shape::Members(counted) = &alarm.detect.shape else { return };
        let Counted { state, field, groups, .. } = counted.as_ref();
        let view = arrival.view(hit);
        let Some(member) = view.text(field) else { return };
        for group in groups.iter().filter(|group| group.has(&member)) {
            let trust = self.in_state(state, field, group);
            let key = Key::of(&group.key);
            let named =
                alarm.by.iter().zip(&group.key).map(|(field, value)| (field.clone(), Value::from(value.as_str()).into_owned()));
            let more: Fields = named.collect();
            let matched = Match { arrival, alarm, at: arrival.now, key, view };
            self.count_states(matched, group.n, trust, more, out);
        }
    }

    /// Returns the trust of each member of a group that is in a state.
    pub(super) fn in_state(&self, state: &MemberState, field: &str, group: &Members) -> Vec<Trust> {
        let agents =
            |is: &dyn Fn(&str) -> bool| group.members.iter().filter(|member| is(member)).map(|_| Trust::Authenticated).collect();
        match state {
            MemberState::Lost => agents(&|host| self.state.is_lost(host)),
            MemberState::Stopped => agents(&|app| self.state.is_stopped(app)),
            MemberState::Active(alarm) | MemberState::Unacked(alarm) => {
                let mut trust: std::collections::BTreeMap<usize, Trust> = std::collections::BTreeMap::new();
                for (_, instance) in self.state.active_of(alarm) {
                    let of = instance.event.get(field).and_then(Value::as_text);
                    if let Some(member) = of.and_then(|of| group.place(of)) {
                        let so_far = fields::trust(&instance.event);
                        trust.entry(member).and_modify(|trust| *trust = (*trust).min(so_far)).or_insert(so_far);
                    }
                }
                trust.into_values().collect()
            }
        }
    }
}
