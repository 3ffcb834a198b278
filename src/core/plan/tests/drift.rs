//! Tests of resources that somebody put on a host, or took off it, by hand.

use super::*;

#[test]
fn drift_is_repaired() {
    let mut bench = held_by_a(Takeover::Confirmed);
    // Somebody brought the address up on b by hand.
    bench.report("b", (0, 0), false, Presence::Yes);
    assert_eq!(bench.notices(), ["drift", "two_holders"]);
    assert_eq!(bench.sent(), ["b: release 1.2"]);
    bench.report("b", (1, 2), false, Presence::No);
    // It is brought up there again at once. The planner waits a moment first: a hand that always does that would never end.
    bench.report("b", (1, 2), false, Presence::Yes);
    assert_eq!(bench.sent(), Vec::<String>::new());
    bench.report("b", (1, 2), false, Presence::No);
    // Somebody took the address off a by hand. The grant has ended, and a new one follows after a moment.
    bench.report("a", (1, 1), false, Presence::No);
    bench.at(ms(500)).report("a", (1, 1), false, Presence::No).report("b", (1, 2), false, Presence::No);
    bench.at(ms(1_100));
    assert_eq!(bench.sent(), ["a: take, probe 1.3"]);
}

/// With `repair: false` a hand may remove the address and put it back. A claim of another host still moves it.
#[test]
fn a_claim_moves_an_address_that_was_put_back_by_hand() {
    for takeover in [Takeover::Confirmed, Takeover::Probe, Takeover::Lease, Takeover::Forced] {
        let mut bench = held_by_a(takeover);
        std::sync::Arc::make_mut(bench.planner.resources.get_mut(VIP).unwrap()).repair = false;
        bench.report("a", (1, 1), false, Presence::No);
        bench.report("a", (1, 1), false, Presence::Yes);
        bench.at(ms(900)).report("a", (1, 1), false, Presence::Yes).report("b", (0, 0), false, Presence::No);
        assert!(!bench.sent().iter().any(|sent| sent.contains("release")), "{takeover:?}: it is not repaired");
        bench.up("b", 2);
        let sent = bench.sent();
        assert!(sent.iter().any(|sent| sent.starts_with("a: release")), "{takeover:?}: {sent:?}");
        let generation = bench.planner.ledger().placement(VIP, "a").unwrap().ordered;
        bench.report("a", (generation.epoch, generation.n), false, Presence::No);
        assert!(bench.sent().iter().any(|sent| sent.starts_with("b: take")), "{takeover:?}");
    }
}

/// With `repair: false` a hand may also move it to another host.
#[test]
fn a_move_by_hand_is_left_alone_without_repair() {
    let mut bench = held_by_a(Takeover::Confirmed);
    std::sync::Arc::make_mut(bench.planner.resources.get_mut(VIP).unwrap()).repair = false;
    let gone = ResourceStatus {
        generation: Generation { epoch: 1, n: 1 },
        want: false,
        holds: Presence::No,
        note: Some(StatusNote::Gone),
    };
    for beat in 1_000..1_040 {
        bench.now = bench.now + Duration::from_millis(250);
        let resources = [(VIP.to_owned(), gone.clone())].into();
        let beat = Echo { incarnation: 1, beat };
        bench.planner.turn(
            bench.now,
            Input::Report(Report { host: "a".to_owned(), beat, resources, ..Report::default() }),
            &mut bench.out,
        );
        bench.report("b", (0, 0), false, Presence::Yes);
        bench.at(bench.now);
    }
    assert_eq!(bench.sent(), Vec::<String>::new());
}
