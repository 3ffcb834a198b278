//! Left-overs: what an agent brought up on its host by an earlier list, and the present list does not have there. The resource is
//! not listed, or it has another address, or another interface.
//!
//! A left-over is removed at the start, before anything else is done with that resource. Until it is seen gone, the host neither
//! reports that it does not hold the resource nor takes it: others would conclude that the address is free.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::inventory::Name;
use crate::core::wire::{LocalPlacement, Presence};

use super::durable::Durable;
use super::turn::Output;

/// How often an attempt to remove it is made.
const LEAVE_AGAIN: Duration = Duration::from_secs(1);

/// One left-over that is to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LeftOver {
    place: LocalPlacement,
    /// When the next attempt is due; `None` while one is under way.
    next: Option<Time>,
}

/// The left-overs of a host, by resource.
#[derive(Clone, Debug, Default)]
pub(super) struct LeftOvers(BTreeMap<Name, LeftOver>);

impl LeftOvers {
    /// What was brought up and is not listed at that place now. It is not wanted from here on, and that is on disk before it is
    /// removed.
    pub(super) fn begin(durable: &mut Durable, list: &BTreeMap<Name, Option<LocalPlacement>>, now: Time) -> LeftOvers {
        let mut all = BTreeMap::new();
        for (resource, mark) in &mut durable.marks {
            let listed = list.get(resource).and_then(Option::as_ref);
            if let Some(place) = mark.place.clone().filter(|place| listed != Some(place)) {
                (mark.want, mark.terms) = (false, None);
                all.insert(resource.clone(), LeftOver { place, next: Some(now) });
            }
        }
        LeftOvers(all)
    }

    /// True if there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if there is a left-over of this resource.
    pub(super) fn contains(&self, resource: &str) -> bool {
        self.0.contains_key(resource)
    }

    /// Starts the attempts that are due.
    pub(super) fn attempt(&mut self, now: Time, out: &mut Vec<Output>) {
        for (resource, left) in &mut self.0 {
            if left.next.is_some_and(|at| at <= now) {
                left.next = None;
                out.push(Output::Leave { resource: resource.clone(), place: left.place.clone() });
            }
        }
    }

    /// An attempt ended with this observation. True if the left-over is gone now.
    pub(super) fn ended(&mut self, now: Time, resource: &str, holds: Presence) -> bool {
        let Some(left) = self.0.get_mut(resource) else { return false };
        if holds != Presence::No {
            left.next = Some(now + LEAVE_AGAIN);
            return false;
        }
        self.0.remove(resource);
        true
    }

    /// When the next attempt is due.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.0.values().filter_map(|left| left.next).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::agent::{AgentMark, AgentState, Input, Operation};
    use crate::core::inventory::{OnQuorumLoss, ResourceKind, Takeover};
    use crate::core::wire::{Action, Command, Echo, Generation, Probe, StatusNote, Terms};

    fn place(last: u8, interface: &str) -> LocalPlacement {
        LocalPlacement { what: ResourceKind::Address([10, 0, 0, last].into(), 24), interface: interface.to_owned() }
    }

    fn terms() -> Terms {
        Terms {
            takeover: Takeover::Confirmed,
            isolation: Duration::from_secs(3),
            term: Duration::from_secs(30),
            witnesses: Vec::new(),
            voters: Default::default(),
            on_quorum_loss: OnQuorumLoss::Release,
        }
    }

    /// Starts an agent with this list after `vip` was brought up as .100 on eth0.
    fn started(list: Option<LocalPlacement>) -> (AgentState, Vec<Output>) {
        let generation = Generation { epoch: 1, n: 3 };
        let mark = AgentMark { generation, want: true, terms: Some(terms()), place: Some(place(100, "eth0")) };
        let durable = Durable { controller: Some(7), marks: [("vip".to_owned(), mark)].into(), ..Durable::default() };
        let list = list.map(|place| ("vip".to_owned(), Some(place))).into_iter().collect();
        let mut out = Vec::new();
        let agent = AgentState::start("h".to_owned(), 1, durable, list, Time::from_millis(0), &mut out);
        (agent, out)
    }

    fn leaves(out: &[Output]) -> bool {
        out.iter().any(|o| matches!(o, Output::Leave { place: left, .. } if *left == place(100, "eth0")))
    }

    /// What the agent reports after it looked at the listed place and saw nothing there.
    fn reported(agent: &mut AgentState) -> Presence {
        let mut out = Vec::new();
        let driven = Input::Driven { resource: "vip".to_owned(), failed: None, holds: Presence::No, until: None };
        agent.turn(Time::from_millis(1), driven, &mut out);
        let report = out.iter().find_map(|o| if let Output::Report(r) = o { Some(r) } else { None }).unwrap();
        report.resources["vip"].holds
    }

    #[test]
    fn what_is_listed_as_before_is_kept() {
        let (agent, out) = started(Some(place(100, "eth0")));
        assert!(!leaves(&out));
        assert!(agent.durable().marks["vip"].want);
    }

    #[test]
    fn what_is_listed_elsewhere_is_taken_off_first() {
        for now in [place(101, "eth0"), place(100, "eth1")] {
            let (mut agent, out) = started(Some(now));
            assert!(matches!(&out[0], Output::Persist(d) if !d.marks["vip"].want), "on disk before it is taken off");
            assert!(leaves(&out));
            assert_eq!(reported(&mut agent), Presence::Unknown, "nobody may conclude that it is free");
            let mut out = Vec::new();
            let action = Action::Take { probe: Probe::Nothing, terms: terms(), vote: false, clear: BTreeMap::new() };
            let generation = Generation { epoch: 1, n: 4 };
            let echo = Echo { incarnation: 1, beat: 1 };
            let take = Input::Command(Command { controller: 7, resource: "vip".to_owned(), generation, echo, action });
            agent.turn(Time::from_millis(2), take.clone(), &mut out);
            let adds = |out: &[Output]| out.iter().any(|o| matches!(o, Output::Drive { operation: Operation::Add { .. }, .. }));
            assert!(!adds(&out));
            let noted =
                |o: &Output| matches!(o, Output::Report(r) if matches!(r.resources["vip"].note, Some(StatusNote::Failed(_))));
            assert!(out.iter().any(noted), "it says why");
            out.clear();
            agent.turn(Time::from_millis(3), Input::Left { resource: "vip".to_owned(), holds: Presence::Yes }, &mut out);
            agent.turn(Time::from_millis(900), Input::Timer, &mut out);
            assert!(!leaves(&out));
            agent.turn(Time::from_millis(1_003), Input::Timer, &mut out);
            assert!(leaves(&out), "tried again");
            agent.turn(Time::from_millis(1_004), Input::Left { resource: "vip".to_owned(), holds: Presence::No }, &mut out);
            assert_eq!(agent.durable().marks["vip"].place, None);
            out.clear();
            agent.turn(Time::from_millis(1_005), take, &mut out);
            assert!(adds(&out));
        }
    }

    #[test]
    fn what_is_not_listed_any_more_is_taken_off() {
        let (mut agent, out) = started(None);
        assert!(leaves(&out));
        let mut out = Vec::new();
        agent.turn(Time::from_millis(5), Input::Left { resource: "vip".to_owned(), holds: Presence::No }, &mut out);
        assert_eq!(agent.durable().marks["vip"].place, None);
        assert!(matches!(out[0], Output::Persist(_)));
    }
}
