//! What must be true after every step.

use crate::core::inventory::Takeover;

use super::controller::SimController;
use super::host::SimHost;
use super::scenario::Scenario;
use super::site::host_name;

/// An invariant that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// `I1`, `I2` or `I4`.
    pub invariant: &'static str,
    pub text: String,
}

#[derive(Debug)]
pub(super) struct Audit {
    /// I1 is promised: not by `forced`, which takes without confirmation, and not by `probe` when hosts that reach the same witnesses do
    /// not hear each other.
    one_owner: bool,
    /// The first breach of what is not promised.
    pub(super) tolerated: Option<Violation>,
    pub(super) violation: Option<Violation>,
    pub(super) failovers: u64,
    pub(super) last_announcer: Option<usize>,
    last_holder: Option<usize>,
}

impl Audit {
    pub(super) fn new(scenario: &Scenario) -> Audit {
        Audit {
            one_owner: scenario.policies().into_iter().all(|policy| match policy {
                Takeover::Forced => false,
                Takeover::Probe => !scenario.is_beyond_probe(),
                Takeover::Quorum | Takeover::Confirmed | Takeover::Lease => true,
            }),
            tolerated: None,
            violation: None,
            failovers: 0,
            last_announcer: scenario.holder,
            last_holder: None,
        }
    }

    fn broken(&mut self, invariant: &'static str, text: String) {
        self.violation.get_or_insert(Violation { invariant, text });
    }

    /// I1: a host's kernel has the address now.
    pub(super) fn came(&mut self, host: usize, hosts: &[SimHost]) {
        let now_held = holders(hosts);
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

    /// I2: things did not come to their place in time.
    pub(super) fn not_in_place(&mut self, why: String) {
        self.broken("I2", why);
    }

    pub(super) fn done_twice(&mut self, what: String) {
        self.broken("I4", what);
    }

    /// When all is quiet, the journal must fold to what the process knows.
    pub(super) fn at_the_end(&mut self, controller: &SimController) {
        if !controller.folds() {
            self.broken("fold", "the journal does not fold to what the controller knows".to_owned());
        }
    }
}

/// Who has the address, in order.
pub(super) fn holders(hosts: &[SimHost]) -> Vec<usize> {
    hosts.iter().enumerate().filter(|(_, h)| h.address.is_some()).map(|(i, _)| i).collect()
}
