//! Tests of single decisions of the planner. The simulator (`sim`) tests everything at once.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::core::base::time::Time;
use crate::core::event::Trust;
use crate::core::inventory::{Inventory, Moves, Name, OnLinkLoss, Placement, Resource, ResourceKind, Takeover, Via};
use crate::core::notice::Kind;
use crate::core::wire::{
    Action, Command, Echo, Generation, LocalPlacement, Presence, Probe, Report, ResourceStatus, StatusNote, Terms,
};

mod damping;
mod drift;
mod foresight;
mod holders;
mod link;
mod lists;
mod pause;

const VIP: &str = "vip";

fn ms(n: i64) -> Time {
    Time::from_millis(n)
}

fn inventory(takeover: Takeover) -> Inventory {
    let placement = |h: &str| Placement { host: h.to_owned(), interface: "eth0".to_owned(), commands: None };
    let host = || crate::core::inventory::Host {
        address: None,
        platform: "linux".to_owned(),
        via: crate::core::inventory::Via::Agent,
        ..crate::core::inventory::Host::default()
    };
    let resource = Resource {
        what: ResourceKind::Address("10.0.0.9".parse().unwrap(), 24),
        placements: vec![placement("a"), placement("b")],
        takeover,
        witnesses: vec![],
        term: Duration::from_secs(30),
        isolation: Duration::from_secs(3),
        voters: vec![],
        on_quorum_loss: crate::core::inventory::OnQuorumLoss::Release,
        moves: Moves::default(),
        on_link_loss: OnLinkLoss::default(),
        repair: true,
        trust: Trust::Local,
    };
    Inventory {
        hosts: [("a".to_owned(), host()), ("b".to_owned(), host())].into(),
        resources: [(VIP.to_owned(), resource)].into(),
        ..Inventory::default()
    }
}

/// A bench in which `a` holds the resource.
fn held_by_a(takeover: Takeover) -> Bench {
    let mut bench = Bench::new(takeover);
    bench.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    bench.up("a", 1);
    bench.report("a", (1, 1), true, Presence::Yes);
    bench.sent();
    bench
}

/// A planner with simulated hosts. They report only when a test says so.
struct Bench {
    planner: Planner,
    now: Time,
    beats: u64,
    /// The controller that the hosts obey.
    controller: Option<u64>,
    out: Vec<Output>,
}

impl Bench {
    fn new(takeover: Takeover) -> Bench {
        // The start lies in the past, because a controller that has just started does not vote under `quorum`.
        Bench::started(takeover, Ledger::default(), ms(-10_000))
    }

    fn with(takeover: Takeover, ledger: Ledger) -> Bench {
        Bench::started(takeover, ledger, ms(0))
    }

    fn started(takeover: Takeover, ledger: Ledger, at: Time) -> Bench {
        let mut out = Vec::new();
        let at = if takeover == Takeover::Quorum { at } else { ms(0) };
        let planner = Planner::start(1, &inventory(takeover), ledger, at, &mut out);
        Bench { planner, now: ms(0), beats: 0, controller: None, out }
    }

    fn report(&mut self, host: &str, n: (u64, u64), want: bool, holds: Presence) -> &mut Bench {
        self.beats += 1;
        let generation = Generation { epoch: n.0, n: n.1 };
        let seen = ResourceStatus { generation, want, holds, note: None };
        let beat = Echo { incarnation: 1, beat: self.beats };
        let controller = self.controller;
        let report =
            Report { host: host.to_owned(), beat, controller, resources: [(VIP.to_owned(), seen)].into(), ..Report::default() };
        self.planner.turn(self.now, Input::Report(report), &mut self.out);
        self
    }

    fn up(&mut self, host: &str, sequence: u64) -> Accepted {
        self.intent(IntentVerb::Up, host, sequence, false)
    }

    fn intent(&mut self, verb: IntentVerb, host: &str, sequence: u64, operator: bool) -> Accepted {
        let intent = Intent { resource: VIP.to_owned(), verb, host: host.to_owned(), sequence, operator, at: None };
        self.planner.intent(self.now, intent, &mut self.out)
    }

    fn at(&mut self, at: Time) -> &mut Bench {
        while let Some(due) = self.planner.next_deadline().filter(|d| *d <= at) {
            self.now = self.now.max(due);
            self.planner.turn(self.now, Input::Timer, &mut self.out);
        }
        self.now = at;
        self
    }

    /// The commands that were sent since the last call: host, action and generation.
    fn sent(&mut self) -> Vec<String> {
        std::mem::take(&mut self.out)
            .into_iter()
            .filter_map(|o| match o {
                Output::Send(host, c) => {
                    let action = match c.action {
                        Action::Release => "release".to_owned(),
                        Action::Take { probe: Probe::Nothing, .. } => "take".to_owned(),
                        Action::Take { probe: Probe::Once, .. } => "take, probe".to_owned(),
                        Action::Take { probe: Probe::Silence(d), .. } => format!("take after {}s of silence", d.as_secs()),
                        Action::Renew => "renew".to_owned(),
                        Action::Electorate(_) => "electorate".to_owned(),
                    };
                    Some(format!("{host}: {action} {}", c.generation))
                }
                _ => None,
            })
            .collect()
    }

    fn notices(&self) -> Vec<&'static str> {
        let notice = |o: &Output| match o {
            Output::Notice(n) => Some(n.kind.name()),
            _ => None,
        };
        self.out.iter().filter_map(notice).collect()
    }
}

#[test]
fn a_move_releases_verifies_and_only_then_takes() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    assert_eq!(bench.up("a", 1), Accepted::Yes);
    assert_eq!(bench.sent(), ["a: take, probe 1.1"], "a first take is preceded by probing");
    bench.report("a", (1, 1), true, Presence::Yes);
    assert!(bench.planner.settled(VIP));
    bench.up("b", 2);
    assert_eq!(bench.sent(), ["a: release 1.2"]);
    bench.report("a", (1, 2), false, Presence::Yes);
    assert_eq!(bench.sent(), Vec::<String>::new(), "obeyed, but still seen there");
    bench.report("a", (1, 2), false, Presence::Unknown);
    assert_eq!(bench.sent(), Vec::<String>::new());
    bench.report("a", (1, 2), false, Presence::No);
    assert_eq!(bench.sent(), ["b: take 1.3"]);
    bench.report("b", (1, 3), true, Presence::Yes);
    assert!(bench.planner.settled(VIP));
    assert_eq!(bench.planner.holders(VIP), ["b"]);
}

#[test]
fn what_is_not_obeyed_is_said_again_once_a_beat() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    bench.up("a", 1);
    assert_eq!(bench.sent(), ["a: take, probe 1.1"]);
    bench.up("a", 1);
    bench.report("b", (0, 0), false, Presence::No);
    assert_eq!(bench.sent(), Vec::<String>::new());
    bench.report("a", (0, 0), false, Presence::No);
    assert_eq!(bench.sent(), ["a: take, probe 1.1"]);
}

#[test]
fn the_order_of_intents_is_the_order_of_their_causes() {
    let mut bench = Bench::new(Takeover::Confirmed);
    assert_eq!(bench.up("a", 5), Accepted::Yes);
    assert_eq!(bench.up("b", 4), Accepted::Superseded);
    assert_eq!(bench.intent(IntentVerb::Down, "a", 4, false), Accepted::Superseded, "desired by a newer intent");
    assert_eq!(bench.intent(IntentVerb::Down, "b", 4, false), Accepted::Yes, "nothing newer wants it there");
    assert_eq!(bench.planner.owner(VIP), Some(&"a".to_owned()));
    assert_eq!(bench.up("nowhere", 9), Accepted::Unknown);
}

#[test]
fn the_first_owner_is_unknown_and_a_sole_holder_is_adopted() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Presence::No);
    assert_eq!(bench.planner.held(VIP).as_deref(), Some("observing after the start"));
    bench.report("b", (0, 0), false, Presence::Yes);
    assert_eq!(bench.planner.owner(VIP), Some(&"b".to_owned()));
    assert_eq!(bench.sent(), ["b: take, probe 1.1"]);

    let mut none = Bench::new(Takeover::Confirmed);
    none.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    assert_eq!(none.planner.owner(VIP), None);
    assert_eq!(none.notices(), ["owner_unknown"]);
    assert_eq!(none.sent(), Vec::<String>::new());

    let mut two = Bench::new(Takeover::Confirmed);
    two.report("a", (0, 0), false, Presence::Yes).report("b", (0, 0), false, Presence::Yes);
    assert_eq!(two.planner.owner(VIP), None);
    assert_eq!(two.notices(), ["two_holders"]);
    assert_eq!(two.sent(), Vec::<String>::new());
}

/// A bench in which a holds the resource and is lost, and b should have it.
fn lost_holder(takeover: Takeover) -> Bench {
    let mut bench = held_by_a(takeover);
    bench.now = ms(900);
    bench.report("b", (0, 0), false, Presence::No);
    bench.at(ms(1_100));
    bench.report("b", (0, 0), false, Presence::No);
    bench.up("b", 2);
    bench
}

#[test]
fn confirmed_waits_for_the_release_or_an_operators_word() {
    let mut bench = lost_holder(Takeover::Confirmed);
    assert_eq!(bench.notices(), ["release_unconfirmed"]);
    assert_eq!(bench.sent(), Vec::<String>::new());
    assert_eq!(bench.planner.held(VIP).as_deref(), Some("its release on a is not confirmed"));
    let input = Input::Released { resource: VIP.to_owned(), host: "a".to_owned() };
    bench.planner.turn(bench.now, input, &mut bench.out);
    assert_eq!(bench.sent(), ["b: take, probe 1.3"]);
}

/// An operator can confirm a host even before any command was sent to it.
#[test]
fn an_operators_word_about_a_host_that_never_spoke() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Presence::No);
    let input = Input::Released { resource: VIP.to_owned(), host: "b".to_owned() };
    bench.planner.turn(bench.now, input, &mut bench.out);
    bench.intent(IntentVerb::Up, "a", 1, true);
    for beat in 1..25 {
        bench.at(ms(beat * 250)).report("a", (0, 0), false, Presence::No);
    }
    assert_eq!(bench.sent().first().map(String::as_str), Some("a: take, probe 1.1"));
}

/// A host that obeys another controller may take the resource at any time, whatever it reports. Its generations are not ours.
#[test]
fn a_host_of_another_controller_is_never_clear() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.controller = Some(99);
    bench.report("a", (1, 1), false, Presence::No);
    bench.controller = Some(1);
    bench.report("b", (0, 0), false, Presence::No);
    bench.up("b", 1);
    assert!(!bench.sent().iter().any(|s| s.contains("take")));
    assert_eq!(bench.planner.held(VIP).as_deref(), Some("waiting for its release on a"));
    // The host was adopted: it obeys no controller, and has forgotten the generations.
    bench.controller = None;
    bench.report("a", (0, 0), false, Presence::No);
    assert_eq!(bench.sent(), ["b: take, probe 1.2"]);
}

/// The holder is not released for the sake of a host that would refuse to take the resource.
#[test]
fn a_move_to_a_host_of_another_controller_waits() {
    let mut bench = held_by_a(Takeover::Confirmed);
    bench.controller = Some(99);
    bench.report("b", (0, 0), false, Presence::No);
    bench.up("b", 2);
    assert!(!bench.sent().iter().any(|s| s.starts_with("a: release")));
    assert_eq!(bench.planner.held(VIP).as_deref(), Some("its owner obeys another controller"));
    bench.controller = Some(1);
    bench.report("b", (0, 0), false, Presence::No);
    assert!(bench.sent().iter().any(|s| s.starts_with("a: release")));
}

/// After a start, the planner reports each host as lost or back as soon as it is certain, and each resource as settled.
#[test]
fn what_changed_while_the_controller_was_away_is_reported() {
    let mut bench = Bench::new(Takeover::Confirmed);
    let reported = |bench: &mut Bench| -> Vec<Output> {
        let all = std::mem::take(&mut bench.out).into_iter();
        all.filter(|o| matches!(o, Output::Lost(..) | Output::Settled(..))).collect()
    };
    bench.report("a", (0, 0), true, Presence::No);
    assert_eq!(reported(&mut bench), [Output::Lost("a".to_owned(), false)]);
    for beat in 1..25 {
        bench.at(ms(beat * 250)).report("a", (0, 0), false, Presence::No);
    }
    assert_eq!(reported(&mut bench), [Output::Lost("b".to_owned(), true)]);
    bench.report("b", (0, 0), false, Presence::No);
    bench.up("a", 1);
    assert_eq!(reported(&mut bench), [Output::Lost("b".to_owned(), false)]);
    bench.report("a", (1, 1), true, Presence::Yes);
    assert_eq!(reported(&mut bench), [Output::Settled(VIP.to_owned(), "a".to_owned())]);
    assert!(bench.planner.settled(VIP));
    bench.at(ms(8_000));
    assert!(!bench.planner.settled(VIP), "nothing is known of a host that does not report");
}

#[test]
fn probe_listens_longer_than_a_holder_may_stay() {
    let mut bench = lost_holder(Takeover::Probe);
    assert_eq!(bench.sent(), ["b: take after 4s of silence 1.3"]);
    // The host is connected again: it is asked to release. The command to listen is replaced when the host is gone again.
    bench.report("a", (1, 1), true, Presence::Yes);
    assert_eq!(bench.sent(), ["a: release 1.2"]);
    bench.report("a", (1, 2), false, Presence::No);
    assert_eq!(bench.sent(), ["b: take 1.4"]);
}

#[test]
fn lease_waits_out_the_term() {
    let mut bench = lost_holder(Takeover::Lease);
    assert_eq!(bench.sent(), Vec::<String>::new());
    for second in 2..32 {
        bench.at(ms(second * 1_000)).report("b", (0, 0), false, Presence::No);
        assert_eq!(bench.sent(), Vec::<String>::new(), "{second} s");
    }
    bench.at(ms(32_500)).report("b", (0, 0), false, Presence::No);
    assert_eq!(bench.sent(), ["b: take, probe 1.3"]);
}

#[test]
fn forced_goes_on_after_the_time_out_and_says_so_first() {
    let mut bench = lost_holder(Takeover::Forced);
    assert_eq!(bench.sent(), Vec::<String>::new());
    for second in 2..9 {
        bench.at(ms(second * 1_000)).report("b", (0, 0), false, Presence::No);
        assert_eq!(bench.sent(), Vec::<String>::new(), "{second} s");
    }
    bench.at(ms(9_500)).report("b", (0, 0), false, Presence::No);
    let notice = bench.out.iter().position(|o| matches!(o, Output::Notice(n) if n.kind == Kind::TakeoverForced));
    let take = bench.out.iter().position(|o| matches!(o, Output::Send(..)));
    assert!(notice.unwrap() < take.unwrap());
    assert_eq!(bench.sent(), ["b: take 1.3"]);
}

#[test]
fn a_host_that_returns_is_brought_into_line_first() {
    let mut bench = lost_holder(Takeover::Forced);
    for second in 2..11 {
        bench.at(ms(second * 1_000)).report("b", (0, 0), false, Presence::No);
    }
    bench.report("b", (1, 3), true, Presence::Yes);
    bench.sent();
    bench.report("a", (1, 1), true, Presence::Yes);
    assert_eq!(bench.sent(), ["a: release 1.2"]);
}

#[test]
fn a_restart_goes_on_with_a_higher_epoch() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    bench.up("a", 1);
    bench.report("a", (1, 1), true, Presence::Yes);
    let mut folded = Ledger::default();
    for output in &bench.out {
        if let Output::Record(record) = output {
            folded.apply(record);
        }
    }
    assert_eq!(&folded, bench.planner.ledger(), "the records are the whole truth");
    let mut again = Bench::with(Takeover::Confirmed, folded);
    again.report("a", (1, 1), true, Presence::Yes).report("b", (0, 0), false, Presence::No);
    assert_eq!(again.sent(), Vec::<String>::new(), "what is in its place is left alone");
    assert!(again.planner.settled(VIP));
    again.up("b", 2);
    assert_eq!(again.sent(), ["a: release 2.1"]);
    // A restored journal can't fall behind for long: an agent reports a higher epoch.
    again.report("a", (9, 4), true, Presence::Yes);
    assert_eq!(again.sent(), ["a: release 10.1"]);
}

/// Tests of a resource with the controller and two agents as voters.
mod quorum {
    use super::*;
    use crate::core::inventory::OnQuorumLoss;

    /// Reports as an agent that supports votes.
    fn report(bench: &mut Bench, host: &str, n: (u64, u64), want: bool, holds: Presence) {
        bench.beats += 1;
        let seen = ResourceStatus { generation: Generation { epoch: n.0, n: n.1 }, want, holds, note: None };
        let report = Report {
            host: host.to_owned(),
            beat: Echo { incarnation: 1, beat: bench.beats },
            resources: [(VIP.to_owned(), seen)].into(),
            votes: true,
            ..Report::default()
        };
        bench.planner.turn(bench.now, Input::Report(report), &mut bench.out);
    }

    fn takes(bench: &mut Bench) -> Vec<(Name, bool, Vec<Name>)> {
        let take = |o: Output| match o {
            Output::Send(host, Command { action: Action::Take { vote, clear, .. }, .. }) => {
                Some((host, vote, clear.into_keys().collect()))
            }
            _ => None,
        };
        std::mem::take(&mut bench.out).into_iter().filter_map(take).collect()
    }

    fn held() -> Bench {
        let mut bench = Bench::new(Takeover::Quorum);
        report(&mut bench, "a", (0, 0), false, Presence::No);
        report(&mut bench, "b", (0, 0), false, Presence::No);
        bench.up("a", 1);
        assert_eq!(takes(&mut bench), [("a".to_owned(), true, vec![])]);
        report(&mut bench, "a", (1, 1), true, Presence::Yes);
        assert!(bench.planner.settled(VIP));
        bench
    }

    #[test]
    fn a_planned_move_carries_the_vote_and_who_is_clear() {
        let mut bench = held();
        bench.up("b", 2);
        assert_eq!(bench.sent().last().map(String::as_str), Some("a: release 1.2"));
        report(&mut bench, "a", (1, 2), false, Presence::No);
        assert_eq!(takes(&mut bench), [("b".to_owned(), true, vec!["a".to_owned()])], "no promise is waited for");
    }

    #[test]
    fn a_lost_holder_is_promised_nothing_more_and_the_taker_asks_at_once() {
        let mut bench = held();
        for _ in 0..6 {
            bench.at(bench.now + Duration::from_millis(250));
            report(&mut bench, "b", (0, 0), false, Presence::No);
        }
        bench.up("b", 2);
        assert_eq!(takes(&mut bench), [("b".to_owned(), false, vec![])], "the controller's promise to a lasts still");
        let mut voted_at = None;
        while voted_at.is_none() && bench.now < ms(10_000) {
            bench.at(bench.now + Duration::from_millis(250));
            report(&mut bench, "b", (1, 3), true, Presence::No);
            voted_at = takes(&mut bench).iter().any(|(_, vote, _)| *vote).then_some(bench.now);
        }
        assert_eq!(voted_at, Some(ms(4_250)), "4.03 s after the last renewal");
        report(&mut bench, "b", (1, 3), true, Presence::Yes);
        assert!(bench.planner.settled(VIP), "{:?}", bench.planner.held(VIP));
    }

    #[test]
    fn a_holder_that_keeps_must_be_confirmed() {
        let mut inventory = inventory(Takeover::Quorum);
        inventory.resources.get_mut(VIP).unwrap().on_quorum_loss = OnQuorumLoss::Keep;
        let mut out = Vec::new();
        let planner = Planner::start(1, &inventory, Ledger::default(), ms(0), &mut out);
        let mut bench = Bench { planner, now: ms(0), beats: 0, controller: None, out };
        report(&mut bench, "a", (0, 0), false, Presence::No);
        report(&mut bench, "b", (0, 0), false, Presence::No);
        bench.up("a", 1);
        report(&mut bench, "a", (1, 1), true, Presence::Yes);
        bench.up("b", 2);
        bench.out.clear();
        for _ in 0..80 {
            bench.at(bench.now + Duration::from_millis(250));
            report(&mut bench, "b", (0, 0), false, Presence::No);
        }
        assert!(bench.notices().contains(&"release_unconfirmed"));
        assert_eq!(takes(&mut bench), []);
    }

    #[test]
    fn an_agent_of_an_earlier_version_holds_as_confirmed_until_it_is_upgraded() {
        let mut bench = Bench::new(Takeover::Quorum);
        bench.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
        bench.up("a", 1);
        assert!(bench.notices().contains(&"agent_too_old"));
        assert!(bench.sent().contains(&"a: take, probe 1.1".to_owned()));
        bench.report("a", (1, 1), true, Presence::Yes);
        let terms = |bench: &Bench| bench.planner.ledger().placement(VIP, "a").and_then(|s| s.newest()).unwrap().terms.takeover;
        assert_eq!(terms(&bench), Takeover::Confirmed);
        bench.sent();
        report(&mut bench, "a", (1, 1), true, Presence::Yes);
        assert_eq!(terms(&bench), Takeover::Quorum, "granted anew, by votes");
        assert_eq!(takes(&mut bench), [("a".to_owned(), true, vec![])]);
    }

    /// The taker waits for votes that nobody gives, and an operator changes the policy.
    #[test]
    fn a_take_under_way_gets_the_terms_of_the_changed_configuration() {
        let mut bench = Bench::new(Takeover::Quorum);
        report(&mut bench, "a", (0, 0), false, Presence::No);
        report(&mut bench, "b", (0, 0), false, Presence::No);
        bench.up("a", 1);
        report(&mut bench, "a", (1, 1), true, Presence::No);
        bench.sent();
        bench.planner.reload(bench.now, &inventory(Takeover::Confirmed), &mut bench.out);
        report(&mut bench, "a", (1, 1), true, Presence::No);
        let sent = bench.sent();
        assert!(sent.iter().any(|s| s.starts_with("a: take") && s.ends_with(" 1.2")), "{sent:?}");
        let granted = bench.planner.ledger().placement(VIP, "a").and_then(|s| s.newest()).unwrap();
        assert_eq!(granted.terms.takeover, Takeover::Confirmed);
        report(&mut bench, "a", (1, 2), true, Presence::Yes);
        assert!(bench.planner.settled(VIP), "{:?}", bench.planner.held(VIP));
    }

    #[test]
    fn the_controller_votes_for_nobody_after_a_start() {
        let bench = held();
        let ledger = bench.planner.ledger().clone();
        let mut bench = Bench::with(Takeover::Quorum, ledger);
        report(&mut bench, "b", (0, 0), false, Presence::No);
        report(&mut bench, "a", (1, 1), true, Presence::Yes);
        bench.up("b", 9);
        report(&mut bench, "a", (2, 1), false, Presence::No);
        assert_eq!(takes(&mut bench), [("b".to_owned(), false, vec!["a".to_owned()])]);
    }
}

#[test]
fn terms_that_were_granted_count() {
    // The resource is granted under `confirmed`. Then the journal is used with another policy.
    let mut before = Bench::new(Takeover::Confirmed);
    before.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    before.up("a", 1);
    before.report("a", (1, 1), true, Presence::Yes);
    for policy in [Takeover::Probe, Takeover::Lease, Takeover::Quorum] {
        let mut bench = Bench::with(policy, before.planner.ledger().clone());
        bench.report("b", (0, 0), false, Presence::No);
        bench.up("b", 5);
        for _ in 0..200 {
            bench.at(bench.now + Duration::from_millis(250));
            bench.report("b", (0, 0), false, Presence::No);
        }
        assert!(bench.notices().contains(&"release_unconfirmed"), "{policy:?}");
        assert_eq!(bench.sent(), Vec::<String>::new(), "{policy:?}");
    }
}

#[test]
fn another_set_of_witnesses_proves_nothing() {
    let with = |witnesses: &[&str], ledger: Ledger| {
        let mut inventory = inventory(Takeover::Probe);
        let all = witnesses.iter().map(|w| w.parse().unwrap()).collect();
        inventory.resources.get_mut(VIP).unwrap().witnesses = all;
        let mut out = Vec::new();
        let planner = Planner::start(1, &inventory, ledger, ms(0), &mut out);
        Bench { planner, now: ms(0), beats: 0, controller: None, out }
    };
    let mut before = with(&["10.0.0.1", "10.0.0.2", "10.0.0.3"], Ledger::default());
    before.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    before.up("a", 1);
    before.report("a", (1, 1), true, Presence::Yes);
    for (witnesses, proves) in [(&["10.0.0.1", "10.0.0.2", "10.0.0.4"][..], false), (&["10.0.0.3", "10.0.0.1", "10.0.0.2"], true)]
    {
        let mut bench = with(witnesses, before.planner.ledger().clone());
        bench.report("b", (0, 0), false, Presence::No);
        bench.up("b", 5);
        for _ in 0..30 {
            bench.at(bench.now + Duration::from_millis(250));
            bench.report("b", (0, 0), false, Presence::No);
        }
        assert_eq!(bench.sent().iter().any(|s| s.contains("silence")), proves, "{witnesses:?}");
    }
}

#[test]
fn numbers_that_cannot_be_are_not_believed() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    bench.report("b", (u64::MAX, 5), false, Presence::No);
    bench.report("b", (1, u64::MAX), true, Presence::No);
    assert_eq!(bench.notices().iter().filter(|k| **k == "implausible_report").count(), 1, "reported once");
    assert_eq!(bench.planner.ledger().epoch(), 1);
    let report = Report { host: "b".to_owned(), beat: Echo { incarnation: u64::MAX, beat: 1 }, ..Report::default() };
    bench.planner.turn(bench.now, Input::Report(report), &mut bench.out);
    bench.report("b", (0, 0), false, Presence::No);
    bench.up("a", 1);
    bench.report("a", (1, 1), true, Presence::Yes);
    bench.up("b", 2);
    bench.report("a", (1, 2), false, Presence::No);
    bench.sent();
    bench.report("b", (1, 3), true, Presence::Yes);
    assert!(bench.planner.settled(VIP));
}

/// The clock of a controller without a battery begins in 1970. The agents' starts have the numbers of their own, right clocks.
#[test]
fn agents_are_believed_although_the_controllers_clock_is_decades_behind() {
    let mut bench = Bench::new(Takeover::Confirmed);
    for host in ["a", "b"] {
        let beat = Echo { incarnation: 1_796_041_228, beat: 1 };
        let report = Report { host: host.to_owned(), beat, ..Report::default() };
        bench.planner.turn(Time::from_micros(0), Input::Report(report), &mut bench.out);
    }
    assert_eq!(bench.notices(), Vec::<&str>::new());
    bench.up("a", 1);
    assert_eq!(bench.sent().len(), 1, "a is commanded to take it");
}

#[test]
fn two_holders_are_reported_while_they_last_and_never_settled() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    bench.up("a", 1);
    bench.report("a", (1, 1), true, Presence::Yes);
    assert!(bench.planner.settled(VIP));
    bench.out.clear();
    bench.report("b", (0, 0), false, Presence::Yes);
    assert!(!bench.planner.settled(VIP));
    bench.report("b", (1, 2), false, Presence::Yes);
    assert_eq!(bench.notices(), ["drift", "two_holders"]);
    bench.report("b", (1, 2), false, Presence::No);
    assert_eq!(bench.notices().last(), Some(&"one_holder"));
    assert!(bench.planner.settled(VIP));
}

#[test]
fn a_rival_is_reported_when_it_comes_and_when_it_goes() {
    let mut bench = Bench::new(Takeover::Confirmed);
    let report = |bench: &mut Bench, rival: bool| {
        bench.beats += 1;
        let rivals = rival.then(|| VIP.to_owned()).into_iter().collect();
        let beat = Echo { incarnation: 1, beat: bench.beats };
        let report = Report { host: "a".to_owned(), beat, rivals, ..Report::default() };
        bench.planner.turn(bench.now, Input::Report(report), &mut bench.out);
    };
    report(&mut bench, false);
    report(&mut bench, true);
    report(&mut bench, true);
    assert_eq!(bench.notices(), ["rival"]);
    report(&mut bench, false);
    assert_eq!(bench.notices(), ["rival", "rival_gone"]);
}

#[test]
fn what_a_host_may_have_under_another_address_or_agent_is_left_behind() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    bench.up("a", 1);
    bench.report("a", (1, 1), true, Presence::Yes);
    let why = |change: &dyn Fn(&mut Inventory)| {
        let mut after = inventory(Takeover::Confirmed);
        change(&mut after);
        let from_the_journal: Vec<Why> = left_by(bench.planner.ledger(), &after).into_iter().map(|l| l.why).collect();
        assert_eq!(from_the_journal, bench.planner.left_by(&after).into_iter().map(|l| l.why).collect::<Vec<_>>());
        from_the_journal
    };
    assert_eq!(why(&|_| {}), []);
    assert_eq!(
        why(&|i| i.resources.get_mut(VIP).unwrap().what = ResourceKind::Address("10.0.0.7".parse().unwrap(), 24)),
        [Why::OtherAddress]
    );
    assert_eq!(why(&|i| i.hosts.get_mut("a").unwrap().via = Via::Local), [Why::OtherWay]);
    assert_eq!(why(&|i| i.hosts.get_mut("b").unwrap().via = Via::Local), []);
    assert_eq!(why(&|i| drop(i.hosts.remove("a"))), [Why::Gone]);
}
