//! Placements that clients cannot reach: their interface has no carrier, is down or is missing.
//!
//! An agent reports the state of the interface of each resource. The planner moves nothing to a placement without a link while
//! another one serves, and moves a resource away from such a placement if its configuration says `on_link_loss: move`. The
//! desired owner does not change: when its link is back, the resource goes there. Tests: `src/core/plan/tests/link.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::inventory::{Name, OnLinkLoss, Resource};
use crate::core::notice::{Kind, Notice};
use crate::core::wire::{LinkState, Presence};

use super::host_view::{HostView, Link};
use super::planner::Planner;
use super::turn::Output;

/// A change of a link counts when it has lasted this long. Bonds and switches interrupt a link for a moment, and a bad plug does
/// so many times a second.
const LINK_STEADY: Duration = Duration::from_secs(2);

impl Planner {
    /// Takes the links of a report.
    pub(super) fn learn_links(&mut self, now: Time, host: &str, mut reported: BTreeMap<Name, LinkState>) {
        let placed: Vec<Name> = self.resources.keys().filter(|r| self.has_placement(r, host)).cloned().collect();
        let Some(view) = self.views.get_mut(host) else { return };
        view.links.retain(|resource, _| placed.contains(resource));
        for resource in placed {
            let state = reported.remove(&resource).unwrap_or_default();
            let link = view.links.entry(resource).or_insert(Link { since: Time::MIN, ..Link::default() });
            if link.state.is_lost() != state.is_lost() {
                link.since = now;
            }
            link.state = state;
        }
    }

    fn link(&self, name: &str, host: &str) -> Link {
        self.views.get(host).and_then(|v| v.links.get(name)).copied().unwrap_or_default()
    }

    /// Why clients cannot reach the resource on this host; `None` if they can, or if that is unknown.
    pub(super) fn unreachable_placement(&self, name: &str, host: &str) -> Option<String> {
        let state = self.link(name, host).state;
        let placement = self.resources.get(name)?.placements.iter().find(|s| s.host == host)?;
        state.is_lost().then(|| format!("{} on {host} {state}", placement.interface))
    }

    /// Why the resource stays on a drained host that it should leave.
    pub(super) fn stays_drained(&self, name: &str) -> Option<String> {
        let entry = self.ledger.entry(name)?;
        let (desired_owner, current_target) = (entry.desired_owner.as_ref()?, entry.current_target.as_ref()?);
        let stays = desired_owner.host == *current_target
            && self.drained.contains(current_target)
            && self.seen(name, current_target).holds == Presence::Yes;
        stays.then(|| format!("{current_target} is drained, and no other host can take it: it stays there"))
    }

    /// Why the resource is kept from its desired owner, if only a missing link or a drain does that.
    pub(super) fn diverted(&self, name: &str) -> Option<String> {
        let entry = self.ledger.entry(name)?;
        let (desired_owner, current_target) = (entry.desired_owner.as_ref()?, entry.current_target.as_ref()?);
        if entry.held_until.is_some() || desired_owner.host == *current_target {
            return None;
        }
        let why = self.unfit(name, &desired_owner.host).unwrap_or_else(|| format!("the link of {} is new", desired_owner.host));
        if self.drained.contains(&desired_owner.host) {
            return Some(format!("{why}: it stays on {current_target} until the drain ends"));
        }
        Some(format!("{why}: it stays on {current_target} until clients can reach it there"))
    }

    /// The host to which the resource is brought: its desired owner, except if clients could not reach it there.
    pub(super) fn destination(
        &mut self,
        now: Time,
        name: &str,
        resource: &Resource,
        desired: &Name,
        out: &mut Vec<Output>,
    ) -> Name {
        let target = self.ledger.entry(name).and_then(|e| e.current_target.clone());
        let target = target.filter(|t| self.has_placement(name, t)).unwrap_or_else(|| desired.clone());
        let reachable = |planner: &Planner, host: &str| planner.unfit(name, host).is_none();
        if reachable(self, desired) {
            let steady = self.link(name, desired).since + LINK_STEADY;
            if target == *desired || !reachable(self, &target) || now >= steady {
                return desired.clone();
            }
            self.wake_at(steady);
            return target;
        }
        if target != *desired && reachable(self, &target) {
            // A drain is wanted, and the notice `drained` reports it.
            if !self.drained.contains(desired) {
                let why = self.unfit(name, desired).unwrap_or_default();
                let text = format!("{name} stays on {target}: {why}; it moves to {desired} when the link is back");
                self.notice(name, Kind::PlacementUnreachable, desired, text, out);
            }
            return target;
        }
        let due = self.link(name, &target).since + LINK_STEADY;
        match resource.on_link_loss {
            _ if self.drained.contains(&target) => {}
            OnLinkLoss::Stay => return target,
            OnLinkLoss::Move if now < due => {
                self.wake_at(due);
                return target;
            }
            OnLinkLoss::Move => {}
        }
        let at = resource.placements.iter().position(|s| s.host == target).unwrap_or(0);
        let others = resource.placements.iter().cycle().skip(at + 1).take(resource.placements.len() - 1).map(|s| &s.host);
        let may = |host: &&Name| {
            let banned = self.ledger.entry(name).is_some_and(|e| e.banned.contains_key(*host));
            !banned
                && self.list_fault(name, host).is_none()
                && reachable(self, host)
                && self.views.get(*host).is_some_and(HostView::obeys)
        };
        others.into_iter().find(may).cloned().unwrap_or(target)
    }

    /// Notifies people of links that were lost or came back, and of whether clients can reach the present holder.
    pub(super) fn report_links(&mut self, now: Time, name: &str, resource: &Resource, out: &mut Vec<Output>) {
        let mut unreachable_holder = None;
        for placement in &resource.placements {
            let Some(link) = self.views.get_mut(&placement.host).and_then(|v| v.links.get_mut(name)) else { continue };
            let lost = link.state.is_lost();
            let steady = link.since + LINK_STEADY;
            let (notified, state, first) = (link.notified, link.state, link.notified.is_none());
            // The first report of a good link needs no waiting, and a link of unknown state is no news.
            let news = notified != Some(lost) && state != LinkState::Unknown;
            if news && lost && now < steady {
                self.wake_at(steady);
                continue;
            }
            if news {
                link.notified = Some(lost);
                let (host, interface) = (&placement.host, &placement.interface);
                let (kind, text) = if lost {
                    (
                        Kind::LinkLost,
                        format!(
                            "{interface} on {host} {state}: {name} can't be reached there; check the cable, the switch port and `ip link`"
                        ),
                    )
                } else {
                    (Kind::LinkUp, format!("{interface} on {host} {state}{}", if first { "" } else { " again" }))
                };
                out.push(Output::Notice(Notice {
                    resource: Some(name.to_owned()),
                    host: Some(host.clone()),
                    ..Notice::new(kind, text)
                }));
            }
            let seen = self.seen(name, &placement.host);
            if lost && seen.want && seen.holds == Presence::Yes {
                unreachable_holder = Some(placement.host.clone());
            }
        }
        let before = std::mem::replace(&mut self.pursue(name).unreachable_holder, unreachable_holder.clone());
        if before == unreachable_holder {
            return;
        }
        let (kind, host, text) = match unreachable_holder {
            Some(host) => {
                let why = self.unreachable_placement(name, &host).unwrap_or_default();
                let then = match resource.on_link_loss {
                    OnLinkLoss::Stay => format!("on_link_loss: stay; `pointsman move {name} HOST` moves it"),
                    OnLinkLoss::Move => "on_link_loss: move; it moves to the next host that can be reached".to_owned(),
                };
                let text = format!("clients can't reach {name}: {why}, and {host} holds it ({then})");
                (Kind::HolderUnreachable, Some(host), text)
            }
            None => {
                let text = format!("the host that holds {name} has a link again, or does not hold it any more");
                (Kind::HolderReachable, before, text)
            }
        };
        out.push(Output::Notice(Notice { resource: Some(name.to_owned()), host, ..Notice::new(kind, text) }));
    }
}
