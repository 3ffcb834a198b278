//! Tests of hosts whose own list differs from the configuration.

use super::*;

impl Bench {
    /// A host whose own list has this address reports what it sees of it.
    fn listed(&mut self, host: &str, address: &str, n: (u64, u64), want: bool, holds: Presence) -> &mut Bench {
        self.beats += 1;
        let place = LocalPlacement { what: ResourceKind::Address(address.parse().unwrap(), 24), interface: "eth0".to_owned() };
        let seen = ResourceStatus { generation: Generation { epoch: n.0, n: n.1 }, want, holds, note: None };
        let report = Report {
            host: host.to_owned(),
            beat: Echo { incarnation: 1, beat: self.beats },
            resources: [(VIP.to_owned(), seen)].into(),
            places: [(VIP.to_owned(), place)].into(),
            votes: true,
            ..Report::default()
        };
        self.planner.turn(self.now, Input::Report(report), &mut self.out);
        self
    }
}

#[test]
fn a_host_with_another_address_on_its_list_is_not_granted_it() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.listed("a", "10.0.0.8", (0, 0), false, Presence::No).listed("b", "10.0.0.9", (0, 0), false, Presence::No);
    bench.up("a", 1);
    assert!(bench.notices().contains(&"list_differs"));
    assert_eq!(bench.sent(), Vec::<String>::new());
    bench.up("b", 2);
    // That a does not have 10.0.0.8 proves nothing about 10.0.0.9.
    assert_eq!(bench.sent(), ["a: release 1.1"]);
}

/// An agent starts with another list. That it does not have the present address frees no votes for the earlier one.
#[test]
fn a_host_with_another_address_on_its_list_is_not_known_to_be_clear() {
    let mut bench = Bench::new(Takeover::Quorum);
    bench.listed("a", "10.0.0.9", (0, 0), false, Presence::No).listed("b", "10.0.0.9", (0, 0), false, Presence::No);
    bench.up("a", 1);
    bench.listed("a", "10.0.0.9", (1, 1), true, Presence::Yes);
    bench.listed("a", "10.0.0.8", (1, 1), false, Presence::No);
    assert!(bench.planner.known_clear(VIP, "b").is_empty());
    bench.listed("a", "10.0.0.9", (1, 1), false, Presence::No);
    assert_eq!(bench.planner.known_clear(VIP, "b").keys().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn who_has_another_address_is_no_holder() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.listed("a", "10.0.0.8", (0, 0), false, Presence::Yes).listed("b", "10.0.0.9", (0, 0), false, Presence::Yes);
    assert_eq!(bench.planner.holders(VIP), ["b"]);
    assert!(!bench.notices().contains(&"two_holders"));
}

/// The journal may be an older copy, which has no record of a promise.
#[test]
fn a_controller_that_starts_does_not_vote_before_every_promise_is_over() {
    let mut bench = Bench::with(Takeover::Quorum, Ledger::default());
    let terms = Terms { takeover: Takeover::Quorum, ..bench.planner.terms_now(VIP, &bench.planner.resources[VIP].clone(), "a") };
    let mut votes_at = |at| bench.planner.vote(ms(at), VIP, &"a".to_owned(), Generation { epoch: 1, n: 1 }, &terms);
    assert!(!votes_at(4_029));
    assert!(votes_at(4_030));
}

/// The present holder serves until the lists agree: a host that cannot take the resource is no reason to release it.
#[test]
fn a_holder_serves_while_the_list_of_the_next_host_is_wrong() {
    for lacks in [false, true] {
        let mut bench = held_by_a(Takeover::Confirmed);
        bench.report("b", (0, 0), false, Presence::No);
        let wrong = |bench: &mut Bench| match lacks {
            true => {
                bench.beats += 1;
                let beat = Echo { incarnation: 1, beat: bench.beats };
                let report = Report { host: "b".to_owned(), beat, ..Report::default() };
                bench.planner.turn(bench.now, Input::Report(report), &mut bench.out);
            }
            false => {
                bench.listed("b", "10.0.0.8", (0, 0), false, Presence::No);
            }
        };
        wrong(&mut bench);
        bench.up("b", 2);
        assert!(bench.notices().contains(&"list_differs"), "lacks: {lacks}");
        for n in 1..40 {
            bench.at(ms(n * 250)).report("a", (1, 1), true, Presence::Yes);
            wrong(&mut bench);
        }
        assert_eq!(bench.sent(), Vec::<String>::new(), "lacks: {lacks}");
        assert!(bench.planner.held(VIP).unwrap().contains("own list"), "lacks: {lacks}");
        // As soon as the lists agree, it moves.
        bench.at(ms(10_000)).report("a", (1, 1), true, Presence::Yes);
        bench.listed("b", "10.0.0.9", (0, 0), false, Presence::No);
        assert_eq!(bench.sent(), ["a: release 1.2"], "lacks: {lacks}");
    }
}
