//! What a host does while it holds a resource: it keeps its right to hold it, announces the address, looks at it, and defends it
//! against rivals.

use std::time::Duration;

use crate::core::base::limits::HEARTBEAT;
use crate::core::base::time::Time;
use crate::core::wire::StatusNote;

use super::resource_agent::{ADD_WITHIN, Phase, ResourceAgent};
use super::turn::{Operation, Output};

/// How often a held address is announced again. Switches and hosts forget it in minutes.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(30);
/// How often held addresses are looked at, in addition to the kernel's own notices.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How often a rival is asked for. It counts as gone after the same time without a sign of it.
const RIVAL_EVERY: Duration = Duration::from_secs(5);
const RIVAL_LASTS: Duration = Duration::from_secs(16);

impl ResourceAgent {
    /// The address is seen here and is ours.
    pub(super) fn hold(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.phase == Phase::Idle {
            // The address was found after a restart: it is unknown which witnesses were reachable before.
            self.held_since = now;
        }
        self.phase = Phase::Holding;
        self.rival_until = None;
        self.rival_at = now + LOOK_EVERY;
        self.note = None;
        self.announce(now, true, out);
        self.keep(now, out);
    }

    /// The periodic work of a holder: witnesses, lifetime, announcements, looking at the address.
    pub(super) fn keep(&mut self, now: Time, out: &mut Vec<Output>) {
        let mut wake = now + ANNOUNCE_EVERY;
        if self.watched() {
            if now >= self.isolated_at() {
                return self.give_up(now, Some(StatusNote::Isolated), out);
            }
            if now >= self.ping_at {
                self.ping_at = now + HEARTBEAT;
                out.push(Output::Ping { resource: self.resource.clone() });
            }
            wake = wake.min(self.ping_at).min(self.isolated_at());
        }
        if self.quorum().is_some() {
            if let Some(note) = self.lapsed(now) {
                return self.give_up(now, Some(note), out);
            }
            self.poll(now, out);
            wake = wake.min(self.ask_at).min(self.quorum_ends().unwrap_or(wake));
        }
        wake = wake.min(self.lease_ends().unwrap_or(wake));
        if self.rival_until.is_some_and(|until| now >= until) {
            self.rival_until = None;
        }
        // Not every station announces what it claims, but it answers when it is asked.
        if now >= self.rival_at {
            let every = if self.rival_until.is_some() { RIVAL_EVERY } else { LOOK_EVERY };
            self.rival_at = now + every;
            out.push(Output::Ask { resource: self.resource.clone() });
        }
        wake = wake.min(self.rival_at).min(self.rival_until.unwrap_or(wake));
        if now >= self.announce_at {
            self.announce(now, false, out);
        }
        if now >= self.look_at {
            self.look(now, out);
        }
        self.wake = Some(wake.min(self.announce_at).min(self.look_at).max(now + Duration::from_millis(1)));
    }

    pub(super) fn refresh(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.kept_until(now).is_some() {
            self.take_by = now + ADD_WITHIN;
            self.add(now, out);
        }
    }

    pub(super) fn announce(&mut self, now: Time, burst: bool, out: &mut Vec<Output>) {
        self.announce_at = now + ANNOUNCE_EVERY;
        out.push(Output::Announce { resource: self.resource.clone(), burst });
    }

    pub(super) fn look(&mut self, now: Time, out: &mut Vec<Output>) {
        self.look_at = now + LOOK_EVERY;
        self.drive(Operation::Observe, out);
    }

    pub(super) fn rival(&mut self, now: Time, out: &mut Vec<Output>) {
        match &mut self.phase {
            Phase::Probing(listening) if listening.is_for_silence() => listening.interrupt(),
            Phase::Probing(_) => self.give_up(now, Some(StatusNote::Conflict), out),
            Phase::Holding => {
                self.rival_until = Some(now + RIVAL_LASTS);
                self.rival_at = self.rival_at.min(now + RIVAL_EVERY);
                let wake = self.wake.map_or(self.rival_at, |at| at.min(self.rival_at));
                self.wake = Some(wake);
                self.announce(now, true, out);
            }
            Phase::Idle | Phase::Electing { .. } | Phase::Adding { .. } | Phase::Releasing => {}
        }
    }

    /// True if another station claims an address that is held here.
    pub(super) fn has_rival(&self) -> bool {
        self.rival_until.is_some()
    }
}
