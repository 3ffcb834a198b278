//! Tests of paused resources and drained hosts.

use super::*;

impl Bench {
    fn paused(&mut self, on: bool) -> &mut Bench {
        let all = if on { BTreeMap::from([(VIP.to_owned(), "paused by ann (a drill)".to_owned())]) } else { BTreeMap::new() };
        self.planner.pause(self.now, all, &mut self.out);
        self
    }

    fn drained(&mut self, hosts: &[&str]) -> &mut Bench {
        self.planner.drain(self.now, hosts.iter().map(|h| (*h).to_owned()).collect(), &mut self.out);
        self
    }
}

#[test]
fn nothing_is_sent_while_it_is_paused_and_the_newest_intent_counts_afterwards() {
    let mut bench = held_by_a(Takeover::Confirmed);
    bench.paused(true);
    assert_eq!(bench.up("b", 2), Accepted::Held);
    assert_eq!(bench.intent(IntentVerb::Down, "a", 3, false), Accepted::Held);
    bench.report("a", (1, 1), true, Presence::Yes).report("b", (0, 0), false, Presence::No);
    bench.at(ms(60_000));
    assert_eq!(bench.sent(), Vec::<String>::new());
    assert!(bench.planner.held(VIP).unwrap().starts_with("paused by ann"));
    assert!(!bench.planner.settled(VIP), "it should be elsewhere");
    bench.report("a", (1, 1), true, Presence::Yes).report("b", (0, 0), false, Presence::No);
    let would = bench.planner.would_do(bench.now, BTreeMap::new());
    assert_eq!(would[VIP], [Pending::Move("b".to_owned()), Pending::Release("a".to_owned())]);
    assert_eq!(bench.sent(), Vec::<String>::new(), "only shown");
    bench.paused(false);
    assert_eq!(bench.sent(), ["a: release 1.2"]);
}

/// The address was being moved when everything was paused. Without the rest of the move no host would have it.
#[test]
fn a_move_that_has_begun_is_finished() {
    let mut bench = held_by_a(Takeover::Confirmed);
    bench.up("b", 2);
    assert_eq!(bench.sent(), ["a: release 1.2"]);
    bench.paused(true);
    assert!(bench.planner.held(VIP).unwrap().ends_with("is finished first"));
    // A controller that restarts meanwhile knows this from the journal.
    let ledger = bench.planner.ledger().clone();
    assert!(ledger.entry(VIP).unwrap().finishing);
    bench.report("a", (1, 2), false, Presence::No);
    assert_eq!(bench.sent(), ["b: take 1.3"]);
    // Intents that arrive meanwhile wait.
    assert_eq!(bench.up("a", 3), Accepted::Held);
    bench.report("b", (1, 3), true, Presence::Yes);
    assert!(!bench.planner.ledger().entry(VIP).unwrap().finishing);
    bench.report("a", (1, 2), false, Presence::No).report("b", (1, 3), true, Presence::Yes);
    assert_eq!(bench.sent(), Vec::<String>::new());
    assert_eq!(bench.planner.holders(VIP), ["b"]);
    bench.paused(false);
    assert_eq!(bench.sent(), ["b: release 1.4"]);
}

#[test]
fn what_other_hands_do_to_a_paused_resource_stands() {
    let mut bench = held_by_a(Takeover::Confirmed);
    bench.paused(true);
    bench.report("a", (1, 1), true, Presence::Yes);
    assert!(bench.planner.settled(VIP));
    bench.beats += 1;
    let seen = ResourceStatus {
        generation: Generation { epoch: 1, n: 1 },
        want: false,
        holds: Presence::No,
        note: Some(StatusNote::Gone),
    };
    let beat = Echo { incarnation: 1, beat: bench.beats };
    let report = Report { host: "a".to_owned(), beat, resources: [(VIP.to_owned(), seen)].into(), ..Report::default() };
    bench.planner.turn(bench.now, Input::Report(report), &mut bench.out);
    bench.at(ms(30_000));
    assert_eq!(bench.sent(), Vec::<String>::new(), "not repaired");
    assert!(!bench.planner.settled(VIP));
}

#[test]
fn leases_and_votes_are_renewed_during_a_pause() {
    for takeover in [Takeover::Lease, Takeover::Quorum] {
        let mut bench = held_by_a(takeover);
        bench.paused(true);
        let mut renewed = 0;
        for n in 1..200 {
            bench.at(ms(n * 250)).report("a", (1, 1), true, Presence::Yes).report("b", (0, 0), false, Presence::No);
            let sent = bench.sent();
            assert!(sent.iter().all(|s| s.contains("renew")), "{sent:?}");
            renewed += sent.len();
        }
        // An agent of the bench does not support votes: its grant under `quorum` has other terms, which need no renewal.
        assert!(takeover == Takeover::Quorum || renewed >= 190, "{takeover:?}: {renewed}");
    }
}

#[test]
fn a_drained_host_gives_up_what_it_has_and_gets_nothing() {
    let mut bench = held_by_a(Takeover::Confirmed);
    bench.drained(&["a"]);
    assert_eq!(bench.sent(), ["a: release 1.2"]);
    bench.report("a", (1, 2), false, Presence::No);
    assert_eq!(bench.sent(), ["b: take 1.3"]);
    bench.report("b", (1, 3), true, Presence::Yes);
    assert_eq!(bench.up("a", 2), Accepted::Held);
    bench.report("a", (1, 2), false, Presence::No).report("b", (1, 3), true, Presence::Yes);
    assert_eq!(bench.sent(), Vec::<String>::new());
    assert_eq!(bench.planner.held(VIP).unwrap(), "a is drained: it stays on b until the drain ends");
    assert!(bench.planner.is_as_wanted(VIP) && !bench.planner.settled(VIP), "the replacement is wanted");
    bench.drained(&["a", "b"]);
    assert!(!bench.planner.is_as_wanted(VIP), "nothing can leave b");
    bench.drained(&["a"]);
    bench.drained(&[]);
    bench.at(ms(3_000));
    assert_eq!(bench.sent().last().unwrap(), "b: release 1.4");
}

#[test]
fn a_resource_stays_on_a_drained_host_when_no_other_can_take_it() {
    let mut bench = held_by_a(Takeover::Confirmed);
    bench.at(ms(2_000)).report("a", (1, 1), true, Presence::Yes);
    bench.drained(&["a", "b"]);
    bench.report("a", (1, 1), true, Presence::Yes);
    assert_eq!(bench.sent(), Vec::<String>::new());
    // `b` is lost, and can't take the resource either.
    bench.drained(&["a"]);
    bench.report("a", (1, 1), true, Presence::Yes);
    assert_eq!(bench.sent(), Vec::<String>::new());
    assert_eq!(bench.planner.held(VIP).unwrap(), "a is drained, and no other host can take it: it stays there");
    bench.report("b", (0, 0), false, Presence::No);
    assert_eq!(bench.sent(), ["a: release 1.2"]);
}
