//! Flap damping: a resource that moved too often stays where it is for a while.

use crate::core::base::time::{Time, duration_text};
use crate::core::inventory::Resource;
use crate::core::notice::Kind;

use super::ledger::Record;
use super::planner::Planner;
use super::turn::Output;

/// The pause of flap damping doubles at most so often for damping periods in a row.
const PAUSE_DOUBLINGS: u32 = 2;

impl Planner {
    /// Begins a move to a new desired owner, except if there were too many moves.
    pub(super) fn damp(&mut self, now: Time, name: &str, resource: &Resource, out: &mut Vec<Output>) {
        let Some(entry) = self.ledger.entry(name) else {
            return;
        };
        let Some(desired_owner) = entry.desired_owner.clone() else {
            return;
        };
        let held = entry.held_until;
        // Nobody is served where nothing is heard of the host: a failover does not wait.
        let target = entry.current_target.as_ref();
        let from_lost = target.is_some_and(|target| !self.reachable(target)) && self.reachable(&desired_owner.host);
        if held.is_some_and(|until| now >= until) || (held.is_some() && (desired_owner.operator || from_lost)) {
            self.record(Record::Freed { resource: name.to_owned() }, out);
        } else if let Some(until) = held {
            self.wake_at(until);
            return;
        }
        let to = self.destination(now, name, resource, &desired_owner.host, out);
        let Some(entry) = self.ledger.entry(name).filter(|e| e.current_target.as_ref() != Some(&to)) else {
            return;
        };
        let from_drained = entry.current_target.as_ref().is_some_and(|target| self.drained.contains(target));
        let at_once = (desired_owner.operator && to == desired_owner.host) || from_drained || from_lost;
        if at_once || entry.may_move(now, resource.moves) {
            self.pursue(name).notified.clear();
            self.pursue(name).failures = 0;
            self.pursue(name).again_at = None;
            self.record(Record::Move { resource: name.to_owned(), to, at: now }, out);
            return;
        }
        let recent = entry.moves.back().is_some_and(|at| now.since(*at) < resource.moves.per);
        let holds = if recent { entry.holds + 1 } else { 1 };
        let pause = resource.moves.per / resource.moves.count.max(1) * 2u32.pow((holds - 1).min(PAUSE_DOUBLINGS));
        let until = now + pause;
        self.record(Record::Held { resource: name.to_owned(), until, holds }, out);
        let text = format!(
            "{name} moved {} times in {}; it stays for {}, then goes to {}; `pointsman move` goes at once",
            resource.moves.count,
            duration_text(resource.moves.per),
            duration_text(pause),
            to
        );
        self.pursue(name).notified.remove(&(Kind::Flapping, String::new()));
        self.notice(name, Kind::Flapping, "", text, out);
        self.wake_at(until);
    }
}
