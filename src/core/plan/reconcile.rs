//! Compares what is wanted of a resource with what is reported of it, and does what follows: hosts release it, one host takes it,
//! or it is blocked with a reason.

use crate::core::base::limits::SETTLE;
use crate::core::base::time::Time;
use crate::core::inventory::{Name, Resource};
use crate::core::notice::{Kind, Notice};
use crate::core::wire::Presence;

use super::host_view::HostView;
use super::ledger::Record;
use super::planner::Planner;
use super::standing::Target;
use super::turn::Output;

impl Planner {
    pub(super) fn reconcile(&mut self, now: Time, name: &str, out: &mut Vec<Output>) {
        let Some(resource) = self.resources.get(name).cloned() else {
            return;
        };
        if let Some(why) = self.hold.clone() {
            return self.block(name, &why);
        }
        self.renew(now, name, out);
        if self.left_alone(name).is_some() {
            self.pursue(name).converged = self.is_in_place(name, &resource);
            self.count_holders(name, out);
            return self.report_links(now, name, &resource, out);
        }
        let observing = resource.placements.iter().any(|s| self.views.get(&s.host).is_none_or(|v| v.last_report_at.is_none()));
        if observing && now < self.started + SETTLE {
            return self.block(name, "observing after the start");
        }
        let reported = |v: &HostView| v.last_report_at.is_some() && v.resources.contains_key(name);
        let new = resource.placements.iter().any(|s| self.views.get(&s.host).is_none_or(|v| !reported(v)));
        if new && self.pursuits.get(name).and_then(|p| p.observed_until).is_some_and(|until| now < until) {
            return self.block(name, "observing after it came with a reload");
        }
        // A pause is in force: only a move that began before is finished.
        let finishing = self.is_finishing(name);
        if !finishing {
            self.adopt(name, &resource, out);
            self.damp(now, name, &resource, out);
        }
        let target = self.target(name);
        if finishing && !matches!(target, Target::Host(_)) {
            return self.finish(name, false, out);
        }
        self.release_others(now, name, &resource, &target, out);
        match target {
            Target::Host(owner) => self.grant(now, name, &resource, &owner, out),
            Target::Nobody => {
                let gone = resource.placements.iter().all(|s| self.clear(name, &s.host));
                self.pursue(name).converged = gone;
                if gone {
                    self.pursue(name).held = None;
                } else {
                    self.block(name, "waiting for its release");
                }
            }
            Target::Unknown => self.block(name, "the owner is unknown until a claim or an operator names it"),
        }
        self.count_holders(name, out);
        if finishing && self.pursue(name).converged {
            self.finish(name, false, out);
        }
        let settled = self.settled(name);
        if std::mem::replace(&mut self.pursue(name).settled, settled) != settled
            && settled
            && let Some(owner) = self.owner(name).cloned()
        {
            out.push(Output::Settled(name.to_owned(), owner));
            // A reader of a settled notice assumes that clients can reach the holder.
            self.pursue(name).unreachable_holder = None;
        }
        self.report_links(now, name, &resource, out);
    }

    /// Reports two holders at once, whatever the cause, and that there is only one again.
    fn count_holders(&mut self, name: &str, out: &mut Vec<Output>) {
        let holders = self.holders(name);
        let two = holders.len() > 1;
        if std::mem::replace(&mut self.pursue(name).two, two) == two {
            return;
        }
        let (kind, text) = if two {
            let text = format!(
                "{name} is held by {} hosts at once ({}): clients may reach either. If it is not gone in a moment from the host where it does not belong, remove it there by hand",
                holders.len(),
                holders.join(", ")
            );
            (Kind::TwoHolders, text)
        } else {
            (Kind::OneHolder, format!("{name} is not held by several hosts any more"))
        };
        out.push(Output::Notice(Notice { resource: Some(name.to_owned()), ..Notice::new(kind, text) }));
    }

    /// Finds the first desired owner: if all agents report and exactly one host holds the resource, that host becomes the owner.
    fn adopt(&mut self, name: &str, resource: &Resource, out: &mut Vec<Output>) {
        if self.ledger.entry(name).is_some_and(|e| e.desired_owner.is_some() || !e.banned.is_empty()) {
            return;
        }
        let all =
            resource.placements.iter().all(|s| self.reachable(&s.host) && self.seen(name, &s.host).holds != Presence::Unknown);
        let holders: Vec<&Name> =
            resource.placements.iter().map(|s| &s.host).filter(|h| self.seen(name, h).holds == Presence::Yes).collect();
        match holders[..] {
            [sole] if all => {
                let host = sole.clone();
                self.record(Record::Adopted { resource: name.to_owned(), host }, out);
            }
            [] | [_] => self.notice(
                name,
                Kind::OwnerUnknown,
                "",
                format!(
                    "it is not known which host should hold {name}; a claim in the logs or `pointsman move {name} HOST` decides"
                ),
                out,
            ),
            _ => {
                let text = format!(
                    "{name} is held by {} hosts ({}); nothing is changed until a claim or `pointsman move {name} HOST` decides",
                    holders.len(),
                    holders.iter().map(|h| h.as_str()).collect::<Vec<_>>().join(", ")
                );
                self.notice(name, Kind::TwoHolders, "", text, out);
                self.pursue(name).two = true;
            }
        }
    }
}
