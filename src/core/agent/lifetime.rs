//! How long a host may hold a resource by its terms, without another word of the controller or the voters: by its lease, by the
//! witnesses that it reaches, by the votes that it has. The kernel must drop the address by itself soon after that.

use std::net::IpAddr;
use std::time::Duration;

use crate::core::base::limits::{DRIVER_TIMEOUT, HOST_LOST};
use crate::core::base::time::Time;
use crate::core::inventory::{OnQuorumLoss, Takeover};
use crate::core::wire::{Generation, Terms};

use super::resource_agent::{Phase, ResourceAgent};
use super::turn::{Operation, Output};

/// A lease is given up this long before its end, because the kernel counts lifetimes in whole seconds.
const LEASE_MARGIN: Duration = Duration::from_secs(1);
/// How much longer than the isolation the kernel may keep an address under `probe`. It rounds down to seconds and may be a third
/// of a second late, and a taker listens a second longer than the isolation.
const KERNEL_SLACK: Duration = Duration::from_millis(600);
/// How much later than requested the kernel may say that it drops an address.
const KERNEL_LATE: Duration = Duration::from_secs(1);

impl ResourceAgent {
    /// How long after the beat that it answers a Take under these terms is obeyed.
    pub(super) fn obeyed_for(terms: &Terms) -> Duration {
        match terms.takeover {
            Takeover::Probe => HOST_LOST,
            Takeover::Lease => terms.term.saturating_sub(LEASE_MARGIN),
            Takeover::Confirmed | Takeover::Forced => DRIVER_TIMEOUT,
            Takeover::Quorum => ResourceAgent::asks_for(terms),
        }
    }

    /// Renews a lease, counted from the beat that is answered.
    pub(super) fn renew(&mut self, now: Time, generation: Generation, answered: Time, out: &mut Vec<Output>) {
        if self.quorum().is_some() {
            return;
        }
        let Some(terms) = self.mark.terms.as_ref().filter(|t| t.takeover == Takeover::Lease) else {
            return;
        };
        let until = answered + terms.term;
        if generation != self.mark.generation || !self.mark.want || self.lease_until.is_some_and(|old| until <= old) {
            return;
        }
        // A lease that ended is not revived: the controller may have relied on its end.
        if self.lease_until.is_some_and(|old| now + LEASE_MARGIN >= old) {
            return;
        }
        self.lease_until = Some(until);
        if self.phase == Phase::Holding {
            self.refresh(now, out);
        }
    }

    pub(super) fn lease_over(&self, now: Time) -> bool {
        self.lease_until.is_some_and(|until| now + LEASE_MARGIN >= until)
    }

    /// When the resource must be given up unless its lease is renewed.
    pub(super) fn lease_ends(&self) -> Option<Time> {
        self.lease_until.map(|until| until - LEASE_MARGIN)
    }

    pub(super) fn witness(&mut self, now: Time, witness: IpAddr, sent: Time, out: &mut Vec<Output>) {
        if !self.mark.terms.as_ref().is_some_and(|t| t.witnesses.contains(&witness)) {
            return;
        }
        let before = self.majority_at();
        let at = self.heard.entry(witness).or_insert(sent);
        *at = (*at).max(sent);
        if self.phase == Phase::Holding && self.majority_at() > before && now < self.isolated_at() {
            self.refresh(now, out);
        }
    }

    pub(super) fn watched(&self) -> bool {
        self.mark.terms.as_ref().is_some_and(|t| t.takeover == Takeover::Probe)
    }

    /// The latest time at which a majority of the witnesses was reachable.
    pub(super) fn majority_at(&self) -> Time {
        let Some(terms) = &self.mark.terms else {
            return Time::MIN;
        };
        let mut heard: Vec<Time> = self.heard.values().copied().collect();
        heard.sort_unstable_by(|a, b| b.cmp(a));
        heard.get(terms.witnesses.len() / 2).copied().unwrap_or(Time::MIN)
    }

    /// When a holder under `probe` must have given the address up.
    pub(super) fn isolated_at(&self) -> Time {
        let isolation = self.mark.terms.as_ref().map_or(Duration::ZERO, |t| t.isolation);
        self.majority_at().max(self.held_since) + isolation
    }

    /// True if the kernel was seen to know when to drop the address that an operation added. A holder must not rely on it
    /// otherwise.
    pub(super) fn is_bounded(ended: Option<Operation>, until: Option<Time>) -> bool {
        match ended {
            Some(Operation::Add { until: Some(asked), .. }) => until.is_some_and(|seen| seen <= asked + KERNEL_LATE),
            _ => true,
        }
    }

    /// True if the kernel will drop an address that was found, as its terms require.
    pub(super) fn found_bounded(&self, now: Time, until: Option<Time>) -> bool {
        let Some(terms) = &self.mark.terms else {
            return true;
        };
        let longest = match terms.takeover {
            Takeover::Confirmed | Takeover::Forced => return true,
            Takeover::Quorum if terms.on_quorum_loss == OnQuorumLoss::Keep => return true,
            Takeover::Probe | Takeover::Quorum => terms.isolation + KERNEL_SLACK,
            Takeover::Lease => terms.term,
        };
        until.is_some_and(|until| until <= now + longest + KERNEL_LATE)
    }

    /// When the kernel must drop the address if the agent does not renew it.
    pub(super) fn kept_until(&self, now: Time) -> Option<Time> {
        let terms = self.mark.terms.as_ref()?;
        match terms.takeover {
            Takeover::Confirmed | Takeover::Forced => None,
            Takeover::Quorum if terms.on_quorum_loss == OnQuorumLoss::Keep => None,
            // Without a majority no time is left. It must never read as "for ever".
            Takeover::Quorum => Some(self.voted_until().map_or(now, |until| until + KERNEL_SLACK)),
            Takeover::Probe if self.phase == Phase::Holding => Some(self.isolated_at() + KERNEL_SLACK),
            Takeover::Probe => Some(now + terms.isolation + KERNEL_SLACK),
            Takeover::Lease => self.lease_until,
        }
    }
}
