//! Evidence that lets a host take a resource although other hosts can't be asked. What counts depends on the terms of their
//! grants: votes, silence, time, or the confirmation of an operator.
//!
//! What an unreachable host does follows from the terms of all its grants that may still act, not from the present configuration.
//! Silence and votes are evidence only for a taker whose own terms name the same witnesses or voters. For voters it is enough if
//! any two majorities have a voter in common.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::core::base::limits::{DRIVER_TIMEOUT, HOST_LOST};
use crate::core::base::time::{Time, duration_text};
use crate::core::inventory::{Name, OnQuorumLoss, Takeover};
use crate::core::notice::Kind;
use crate::core::wire::{Generation, Probe, Terms};

use super::ledger::{Granted, Record};
use super::planner::Planner;
use super::turn::Output;

/// A taker under `probe` listens longer by this than the isolation after which a holder gives up.
const SILENCE_MARGIN: Duration = Duration::from_secs(1);
/// A lease counts as ended only so long after its end, because clocks differ and kernels are late.
const LEASE_GRACE: Duration = Duration::from_secs(2);
/// After a release that was confirmed so recently the taker need not listen.
const RELEASE_IS_NEWS: Duration = Duration::from_secs(2);

/// What proves that a host which can't be asked does not hold a resource when another one takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Proof {
    /// The taker's own majority: no voter promises its vote to two hosts.
    Votes,
    /// The end of the host's lease.
    Lease(Time),
    /// Silence for this long.
    Silence(Duration),
    /// Only a report that the host does not hold the resource, or the confirmation of an operator.
    Confirmation,
}

impl Planner {
    /// What lets the owner take although some hosts are not known to be clear, and what it must listen for first. `terms` are the
    /// terms of the take. `None` means that there is not enough evidence yet.
    pub(super) fn evidence(
        &mut self,
        now: Time,
        name: &str,
        terms: &Terms,
        others: &[Name],
        out: &mut Vec<Output>,
    ) -> Option<Probe> {
        if others.is_empty() {
            let news = self.pursue(name).released_at.is_some_and(|at| now.since(at) < RELEASE_IS_NEWS);
            return Some(if news { Probe::Nothing } else { Probe::Once });
        }
        if terms.takeover == Takeover::Forced {
            return self.by_force(now, name, others, out);
        }
        let mut probe = Probe::Once;
        let mut leases: Vec<(&Name, Time)> = Vec::new();
        let mut unproven = Vec::new();
        for host in others {
            let proof = self.proof(now, name, host, terms);
            if self.is_asked(now, name, host, proof) {
                self.block(name, &format!("waiting for its release on {host}"));
                return None;
            }
            match proof {
                Proof::Votes => {}
                Proof::Silence(span) => {
                    probe = match probe {
                        Probe::Silence(longer) if longer > span => probe,
                        _ => Probe::Silence(span),
                    }
                }
                Proof::Lease(ends) => leases.push((host, ends)),
                Proof::Confirmation => unproven.push(host.as_str()),
            }
        }
        if !unproven.is_empty() {
            return self.unconfirmed(name, &unproven.join(", "), out);
        }
        if let Some((host, ends)) = leases.iter().copied().max_by_key(|(_, ends)| *ends)
            && now < ends
        {
            self.wake_at(ends);
            self.block(name, &format!("waiting for the lease of {host} to end"));
            return None;
        }
        for (host, _) in leases {
            self.pass_over(name, host, out);
        }
        Some(probe)
    }

    /// True if a host can be asked to release, and the planner waits for it.
    fn is_asked(&self, now: Time, name: &str, host: &Name, proof: Proof) -> bool {
        let Some(view) = self.views.get(host).filter(|v| v.reachable()) else { return false };
        match proof {
            // Listening for silence may begin before a host counts as lost: the silence itself is the evidence.
            Proof::Silence(_) => !view.suspected,
            // Either the host obeys and still reports the resource: its driver fails, and perhaps its kernel. Or its reports arrive
            // and commands to it do not. In both cases votes end its time when another host asks for them.
            Proof::Votes => {
                let obeys = self.ledger.placement(name, host).is_some_and(|s| view.seen(name).generation >= s.ordered);
                let since = self.pursuits.get(name).and_then(|p| p.asking_since.get(host).copied()).unwrap_or(now);
                obeys || now < since + HOST_LOST
            }
            Proof::Lease(_) | Proof::Confirmation => true,
        }
    }

    /// What proves that a host is clear, for a take on these terms: the weakest proof that its grants allow.
    pub(super) fn proof(&self, now: Time, name: &str, host: &Name, terms: &Terms) -> Proof {
        let Some(placement) = self.ledger.placement(name, host) else { return Proof::Confirmation };
        let outstanding = placement.outstanding();
        // A host that was never seen with or without the resource keeps no terms of ours.
        if !placement.bound || outstanding.is_empty() {
            return Proof::Confirmation;
        }
        let of_one = |granted: Option<&Granted>| {
            let Some(granted) = granted.map(|g| &g.terms) else { return Proof::Confirmation };
            match (granted.takeover, terms.takeover) {
                (Takeover::Quorum, Takeover::Quorum)
                    if granted.on_quorum_loss == OnQuorumLoss::Release && share_a_voter(granted, terms) =>
                {
                    Proof::Votes
                }
                (Takeover::Probe, Takeover::Probe) if share_a_witness(granted, terms) => {
                    Proof::Silence(granted.isolation + SILENCE_MARGIN)
                }
                (Takeover::Lease, Takeover::Lease | Takeover::Quorum) => {
                    let ends = self.pursuits.get(name).and_then(|p| p.lease_until.get(host).copied());
                    // It is unknown when the lease was last renewed: it may have been just now.
                    Proof::Lease(ends.unwrap_or(now + granted.term) + LEASE_GRACE)
                }
                _ => Proof::Confirmation,
            }
        };
        outstanding.into_iter().map(of_one).max().unwrap_or(Proof::Confirmation)
    }

    fn by_force(&mut self, now: Time, name: &str, others: &[Name], out: &mut Vec<Output>) -> Option<Probe> {
        let missing = others.join(", ");
        let since = others.iter().filter_map(|h| self.pursue(name).asking_since.get(h).copied()).max();
        let ends = since.unwrap_or(now) + DRIVER_TIMEOUT;
        if now < ends {
            self.wake_at(ends);
            self.block(name, &format!("waiting {} for its release on {missing}", duration_text(DRIVER_TIMEOUT)));
            return None;
        }
        let text = format!(
            "{name} is taken although its release on {missing} is not confirmed (takeover: forced): two hosts may hold it"
        );
        self.notice(name, Kind::TakeoverForced, &missing, text, out);
        Some(Probe::Nothing)
    }

    fn unconfirmed(&mut self, name: &str, missing: &str, out: &mut Vec<Output>) -> Option<Probe> {
        let text = format!(
            "{name} can't be taken: its release on {missing} is not confirmed; when {missing} certainly does not hold it, run `pointsman resources released {name} {missing}`"
        );
        self.notice(name, Kind::ReleaseUnconfirmed, missing, text, out);
        self.block(name, &format!("its release on {missing} is not confirmed"));
        None
    }

    /// Records that no grant which this host ever got can act any more.
    pub(super) fn pass_over(&mut self, name: &str, host: &Name, out: &mut Vec<Output>) {
        let generation = self.ledger.placement(name, host).map_or(Generation::NONE, |s| s.granted);
        self.record(Record::Fenced { resource: name.to_owned(), host: host.clone(), generation }, out);
    }
}

/// True if any majority of the voters of one has a voter in common with any majority of the voters of the other.
fn share_a_voter(a: &Terms, b: &Terms) -> bool {
    // The controller is a voter in both.
    let all = a.voters.union(&b.voters).count() + 1;
    a.majority() + b.majority() > all
}

/// True if any majority of the witnesses of one has a witness in common with any majority of the witnesses of the other.
fn share_a_witness(a: &Terms, b: &Terms) -> bool {
    let all: BTreeSet<_> = a.witnesses.iter().chain(&b.witnesses).collect();
    let majority = |t: &Terms| t.witnesses.len() / 2 + 1;
    majority(a) + majority(b) > all.len()
}
