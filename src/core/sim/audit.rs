//! The audit: what must be true after every step.

use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::inventory::Takeover;

use super::controller::SimController;
use super::host::SimHost;
use super::scenario::{Scenario, SimPlace};
use super::site::host_name;

/// After this time, every take that began before a link was lost is over.
const LINK_IS_KNOWN: Duration = Duration::from_secs(12);

/// An invariant that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The name of the invariant: `I1`, `I2`, `I4`, `link` or `fold`.
    pub invariant: &'static str,
    pub text: String,
}

#[derive(Debug)]
pub(super) struct Audit {
    /// True if I1 is promised. It is not by `forced`, which takes without confirmation, and not by `probe` if hosts that reach
    /// the same witnesses do not hear each other.
    one_owner: bool,
    /// The first breach of something that is not promised.
    pub(super) tolerated: Option<Violation>,
    pub(super) violation: Option<Violation>,
    pub(super) failovers: u64,
    pub(super) last_announcer: Option<usize>,
    last_holder: Option<usize>,
    /// True if no host may take the address while its interface has had no carrier for long.
    links: bool,
    /// True if no such host may keep it either (`on_link_loss: move`).
    moves_off: bool,
    /// True if every step must be done only once. A journal that lost records does not promise that.
    once: bool,
}

impl Audit {
    pub(super) fn new(scenario: &Scenario) -> Audit {
        Audit {
            one_owner: scenario.policies().into_iter().all(|policy| match policy {
                Takeover::Forced => false,
                Takeover::Probe => {
                    !scenario.is_beyond_probe() && !scenario.loses_records() && !scenario.abandons_on_a_removed_host()
                }
                // What lost records granted is unknown, and so is what was abandoned on a removed host; votes are not lost.
                Takeover::Confirmed | Takeover::Lease => !scenario.loses_records() && !scenario.abandons_on_a_removed_host(),
                // An agent of an earlier version holds on the terms of `confirmed`.
                Takeover::Quorum => !(scenario.loses_records() && scenario.has_an_old_agent()),
            }),
            tolerated: None,
            violation: None,
            failovers: 0,
            last_announcer: scenario.holder,
            last_holder: None,
            links: scenario.is_about_links(),
            moves_off: scenario.moves_off,
            once: !scenario.loses_records(),
        }
    }

    fn broken(&mut self, invariant: &'static str, text: String) {
        self.violation.get_or_insert(Violation { invariant, text });
    }

    /// I1: a host's kernel has an address now.
    pub(super) fn came(&mut self, now: Time, host: usize, place: SimPlace, hosts: &[SimHost]) {
        let now_held: Vec<usize> = (0..hosts.len()).filter(|h| hosts[*h].has(place)).collect();
        if self.links && hosts[host].unplugged_since.is_some_and(|since| now.since(since) > LINK_IS_KNOWN) {
            self.broken("link", format!("{} takes it, where clients cannot reach it", host_name(host)));
        }
        if now_held.len() > 1 {
            let names: Vec<String> = now_held.into_iter().map(host_name).collect();
            let text = format!("two owners at once: {}", names.join(" and "));
            if self.one_owner {
                self.broken("I1", text);
            } else {
                self.tolerated.get_or_insert(Violation { invariant: "I1", text });
            }
        }
        if self.last_holder.is_some_and(|last| last != host) {
            self.failovers += 1;
        }
        self.last_holder = Some(host);
    }

    /// I2: the resource was not settled in time.
    pub(super) fn not_in_place(&mut self, why: String) {
        self.broken("I2", why);
    }

    pub(super) fn done_twice(&mut self, what: String) {
        if !self.once {
            return;
        }
        self.broken("I4", what);
    }

    /// A cable is plugged in again. With `on_link_loss: move` the address must have left the host long ago, if there was another
    /// place.
    pub(super) fn plugged_in(&mut self, now: Time, host: usize, hosts: &[SimHost]) {
        let long = |h: &SimHost| h.unplugged_since.is_some_and(|since| now.since(since) > LINK_IS_KNOWN);
        let reached = |h: &SimHost| h.reached_since.is_some_and(|since| now.since(since) > LINK_IS_KNOWN);
        let elsewhere = (0..hosts.len()).any(|other| other != host && reached(&hosts[other]));
        if self.links && self.moves_off && long(&hosts[host]) && elsewhere && hosts[host].has(SimPlace::Usual) {
            self.broken("link", format!("{} kept it, where clients could not reach it", host_name(host)));
        }
    }

    /// When all is quiet, the journal must fold to the state of the process.
    pub(super) fn at_the_end(&mut self, controller: &SimController) {
        if !controller.folds() {
            self.broken("fold", "the journal does not fold to what the controller knows".to_owned());
        }
    }
}

/// The hosts that have the address, in sequence.
pub(super) fn holders(hosts: &[SimHost]) -> Vec<usize> {
    hosts.iter().enumerate().filter(|(_, h)| h.has(SimPlace::Usual)).map(|(i, _)| i).collect()
}
