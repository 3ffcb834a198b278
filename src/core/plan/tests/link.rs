//! Tests of placements without a link.

use super::*;
use crate::core::wire::LinkState;

/// A bench in which `a` holds the resource.
fn held_by_a_with(on_link_loss: OnLinkLoss) -> Bench {
    let mut bench = held_by_a(Takeover::Confirmed);
    std::sync::Arc::make_mut(bench.planner.resources.get_mut(VIP).unwrap()).on_link_loss = on_link_loss;
    bench
}

impl Bench {
    /// A host repeats its last report with this state of its link.
    fn link(&mut self, host: &str, state: LinkState) -> &mut Bench {
        self.beats += 1;
        let resources = self.planner.views[host].resources.clone();
        let beat = Echo { incarnation: 1, beat: self.beats };
        let links = [(VIP.to_owned(), state)].into();
        let report = Report { host: host.to_owned(), beat, resources, links, ..Report::default() };
        self.planner.turn(self.now, Input::Report(report), &mut self.out);
        self
    }

    fn current_target(&self) -> Option<&str> {
        self.planner.ledger().entry(VIP).unwrap().current_target.as_deref()
    }

    /// Lets some seconds pass in which both hosts report these links.
    fn seconds(&mut self, seconds: i64, a: LinkState, b: LinkState) -> &mut Bench {
        let end = self.now + Duration::from_secs(seconds.unsigned_abs());
        while self.now < end {
            self.link("a", a).link("b", b);
            self.at(self.now + Duration::from_millis(250));
        }
        self
    }
}

#[test]
fn a_move_to_a_placement_without_a_link_waits_and_the_holder_serves() {
    for state in [LinkState::NoCarrier, LinkState::Down, LinkState::Missing] {
        let mut bench = held_by_a_with(OnLinkLoss::Stay);
        bench.link("a", LinkState::Up).link("b", state);
        assert_eq!(bench.up("b", 2), Accepted::Held);
        // The server on `a` claims to be backup.
        assert_eq!(bench.intent(IntentVerb::Down, "a", 3, false), Accepted::Held);
        bench.seconds(60, LinkState::Up, state);
        assert!(bench.notices().contains(&"placement_unreachable") && bench.notices().contains(&"link_lost"));
        assert_eq!(bench.sent(), Vec::<String>::new());
        assert_eq!(
            bench.planner.held(VIP).unwrap(),
            format!("eth0 on b {state}: it stays on a until clients can reach it there")
        );
        assert!(!bench.planner.settled(VIP));
        // The link is back. The resource moves as soon as the link has been steady.
        bench.link("b", LinkState::Up);
        assert_eq!(bench.sent(), Vec::<String>::new());
        bench.seconds(3, LinkState::Up, LinkState::Up);
        assert_eq!(bench.sent().first().map(String::as_str), Some("a: release 1.2"));
    }
}

#[test]
fn a_take_at_a_placement_without_a_link_is_not_granted() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    bench.link("a", LinkState::Missing);
    bench.up("a", 1);
    assert_eq!(bench.sent(), Vec::<String>::new());
    assert_eq!(bench.planner.held(VIP).as_deref(), Some("eth0 on a is missing"));
    bench.link("a", LinkState::Up);
    assert_eq!(bench.sent(), ["a: take, probe 1.1"]);
}

#[test]
fn a_holder_without_a_link_is_reported_and_stays() {
    let mut bench = held_by_a_with(OnLinkLoss::Stay);
    bench.seconds(3, LinkState::Up, LinkState::Up);
    bench.out.clear();
    bench.seconds(1, LinkState::NoCarrier, LinkState::Up);
    assert_eq!(bench.notices(), Vec::<&str>::new(), "not for a moment");
    bench.seconds(10, LinkState::NoCarrier, LinkState::Up);
    assert_eq!(bench.notices(), ["link_lost", "holder_unreachable"]);
    assert!(bench.planner.settled(VIP), "it is where it should be");
    bench.out.clear();
    bench.seconds(3, LinkState::Up, LinkState::Up);
    assert_eq!(bench.notices(), ["link_up", "holder_reachable"]);
    assert_eq!(bench.sent(), Vec::<String>::new());
}

#[test]
fn a_holder_without_a_link_is_moved_away_from_where_the_resource_says_so() {
    let mut bench = held_by_a_with(OnLinkLoss::Move);
    bench.seconds(1, LinkState::Up, LinkState::Up).seconds(1, LinkState::NoCarrier, LinkState::Up);
    assert_eq!(bench.current_target(), Some("a"));
    bench.seconds(2, LinkState::NoCarrier, LinkState::Up);
    assert_eq!(bench.current_target(), Some("b"));
    assert_eq!(bench.planner.owner(VIP).unwrap(), "a", "the claim stands");
    bench.report("a", (1, 2), false, Presence::No).report("b", (1, 3), true, Presence::Yes);
    bench.seconds(30, LinkState::NoCarrier, LinkState::Up);
    assert_eq!((bench.current_target(), bench.planner.holders(VIP)), (Some("b"), vec!["b".to_owned()]));
    // The resource goes back to the desired owner when clients can reach it there again.
    bench.seconds(3, LinkState::Up, LinkState::Up);
    assert_eq!(bench.current_target(), Some("a"));
    // If no host has a link, the resource stays.
    bench.seconds(10, LinkState::Down, LinkState::NoCarrier);
    assert_eq!(bench.current_target(), Some("a"));
}

/// Numbers of an earlier connection, whoever sent them, do not make the reports of the next connection look old.
#[test]
fn the_reports_of_an_agent_that_connects_anew_count() {
    let mut bench = Bench::new(Takeover::Confirmed);
    let beat = Echo { incarnation: 2, beat: 1 };
    let report = Report { host: "b".to_owned(), beat, ..Report::default() };
    bench.planner.turn(bench.now, Input::Report(report), &mut bench.out);
    bench.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    assert!(bench.planner.views["b"].resources.is_empty(), "overtaken");
    bench.planner.turn(bench.now, Input::Connected("b".to_owned()), &mut bench.out);
    bench.report("b", (0, 0), false, Presence::No);
    bench.up("b", 1);
    assert_eq!(bench.sent(), ["b: take, probe 1.1"]);
}

#[test]
fn a_link_that_flaps_moves_nothing_and_is_reported_seldom() {
    let mut bench = held_by_a_with(OnLinkLoss::Move);
    bench.seconds(3, LinkState::Up, LinkState::Up);
    bench.out.clear();
    for _ in 0..60 {
        bench.seconds(1, LinkState::NoCarrier, LinkState::Up).seconds(1, LinkState::Up, LinkState::Up);
    }
    assert_eq!((bench.current_target(), bench.notices()), (Some("a"), vec![]));
}
