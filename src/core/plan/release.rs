//! Tells hosts to release a resource that they should not hold.

use std::time::Duration;

use crate::core::base::limits::DRIVER_TIMEOUT;
use crate::core::base::time::{Time, duration_text};
use crate::core::inventory::{Name, Resource};
use crate::core::notice::Kind;
use crate::core::wire::{Action, Presence, ResourceStatus, StatusNote};

use super::host_view::HostView;
use super::ledger::Instruction;
use super::planner::Planner;
use super::standing::Target;
use super::turn::Output;

/// Minimum time between two commands to remove what somebody put on a host by hand.
const REPAIR_AGAIN: Duration = Duration::from_secs(1);

impl Planner {
    /// Tells every host that should not hold the resource, and may hold it, to release it.
    pub(super) fn release_others(&mut self, now: Time, name: &str, resource: &Resource, target: &Target, out: &mut Vec<Output>) {
        let incumbent = self.incumbent(name);
        for placement in &resource.placements {
            let host = &placement.host;
            let wanted_here = match target {
                Target::Host(owner) => owner == host,
                Target::Nobody => false,
                Target::Unknown => !self.ledger.entry(name).is_some_and(|e| e.banned.contains_key(host)),
            };
            if wanted_here || self.clear(name, host) {
                self.pursue(name).asking_since.remove(host);
                continue;
            }
            // The present holder continues to serve while the host that should take over is lost, does not obey, or cannot take it.
            if let Target::Host(owner) = target
                && (!self.views.get(owner).is_some_and(HostView::obeys)
                    || self.unfit(name, owner).is_some()
                    || self.list_fault(name, owner).is_some())
                && incumbent.as_ref() == Some(host)
            {
                continue;
            }
            // A move needs the release, whatever `repair` says. If somebody also took the address off its owner, the move was made
            // by hand.
            let moves = match target {
                Target::Host(owner) => {
                    let seen = self.seen(name, owner);
                    seen.holds != Presence::Yes && seen.note != Some(StatusNote::Gone)
                }
                Target::Nobody | Target::Unknown => false,
            };
            self.release(now, name, host, resource.repair || moves, out);
        }
    }

    /// Tells a host to release the resource. If it got the resource by hand, this is done only if that is to be corrected.
    fn release(&mut self, now: Time, name: &str, host: &Name, corrects: bool, out: &mut Vec<Output>) {
        let placement = self.ledger.placement(name, host);
        let (instruction, ordered, granted) = placement.map(|p| (p.instruction, p.ordered, p.granted)).unwrap_or_default();
        let fenced = placement.and_then(|p| p.fenced);
        let seen = self.seen(name, host);
        // A host that was seen without the resource after its last command and reports it again got it by hand.
        let drifted = fenced.is_some_and(|f| f >= ordered) && seen.holds == Presence::Yes;
        if drifted {
            let text = format!(
                "something other than Pointsman put {name} on {host}{}",
                if corrects { "; it is removed" } else { "; repair is off" }
            );
            self.notice(name, Kind::Drift, host, text, out);
            if !corrects {
                return;
            }
            // Somebody who puts it back at once would otherwise keep the planner busy for ever.
            let again = self.pursue(name).repaired.get(host).map(|at| *at + REPAIR_AGAIN);
            if let Some(at) = again.filter(|at| now < *at) {
                return self.wake_at(at);
            }
            self.pursue(name).repaired.insert(host.clone(), now);
        }
        let since = *self.pursue(name).asking_since.entry(host.clone()).or_insert(now);
        if self.reachable(host) {
            self.release_lasts(now, since, name, host, &seen, out);
        }
        // A host that holds the resource by the generation of its release obeyed another command of that generation, which the journal
        // has lost: an older copy of it gives generations again.
        let given_twice = seen.generation == ordered && seen.want;
        let again = instruction == Instruction::Release && ordered > granted;
        let generation = if again && !drifted && !given_twice {
            ordered
        } else {
            let generation = self.ledger.next_generation(name);
            self.instruct(name, host, Instruction::Release, generation, None, out);
            generation
        };
        if seen.generation < generation {
            self.send(now, name, host, generation, Action::Release, out);
        }
    }

    /// Notifies people of a host that answers and has not released the resource when its driver's time is over.
    fn release_lasts(&mut self, now: Time, since: Time, name: &str, host: &Name, seen: &ResourceStatus, out: &mut Vec<Output>) {
        if now < since + DRIVER_TIMEOUT {
            return self.wake_at(since + DRIVER_TIMEOUT);
        }
        let why = match &seen.note {
            Some(StatusNote::Failed(why)) => format!(" ({why})"),
            _ => String::new(),
        };
        let text = format!(
            "{host} was commanded to release {name} and has not done so for {}{why}. No other host takes it meanwhile. Check {host}, or remove it there by hand",
            duration_text(DRIVER_TIMEOUT)
        );
        self.notice(name, Kind::ReleaseFailed, host, text, out);
    }
}
