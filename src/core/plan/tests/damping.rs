//! Tests of flap damping.

use super::*;

#[test]
fn too_many_moves_are_held_and_not_forgotten() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    for (i, host) in ["a", "b", "a", "b"].into_iter().enumerate() {
        assert_eq!(bench.up(host, i as u64 + 1), Accepted::Yes);
    }
    assert_eq!(bench.up("a", 5), Accepted::Held);
    assert!(bench.notices().contains(&"flapping"));
    let current_target = |b: &Bench| b.planner.ledger().entry(VIP).unwrap().current_target.clone();
    assert_eq!(current_target(&bench).as_deref(), Some("b"));
    assert_eq!(bench.planner.owner(VIP), Some(&"a".to_owned()), "the newest claim is kept and shown");
    let held = bench.planner.held(VIP).unwrap();
    assert!(held.contains("too many moves: it goes to a at"), "{held}");
    assert!(!bench.planner.settled(VIP));
    bench.at(ms(151_000));
    assert_eq!(current_target(&bench).as_deref(), Some("a"), "and applied when the pause is over");
    // Commands of an operator are not damped.
    bench.up("b", 6);
    assert_eq!(current_target(&bench).as_deref(), Some("a"));
    assert_eq!(bench.intent(IntentVerb::Up, "b", 7, true), Accepted::Yes);
    assert_eq!(current_target(&bench).as_deref(), Some("b"));
}

/// Damping must not leave an address on a host that does not report: nobody would be served there.
#[test]
fn a_failover_from_a_lost_host_is_not_damped() {
    let mut bench = Bench::new(Takeover::Lease);
    bench.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    for (i, host) in ["a", "b", "a", "b"].into_iter().enumerate() {
        bench.up(host, i as u64 + 1);
    }
    assert_eq!(bench.up("a", 5), Accepted::Held);
    let current_target = |b: &Bench| b.planner.ledger().entry(VIP).unwrap().current_target.clone();
    assert_eq!(current_target(&bench).as_deref(), Some("b"));
    // The host where it stays is lost.
    for n in 1..10 {
        bench.at(ms(n * 250)).report("a", (0, 0), false, Presence::No);
    }
    assert!(!bench.planner.reachable("b"));
    assert_eq!(current_target(&bench).as_deref(), Some("a"));
    // Both report again: it is damped as before.
    bench.report("b", (0, 0), false, Presence::No);
    assert_eq!(bench.up("b", 6), Accepted::Held);
    // A claim whose host is lost as well moves nothing.
    let mut bench = Bench::new(Takeover::Lease);
    bench.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    for (i, host) in ["a", "b", "a", "b", "a"].into_iter().enumerate() {
        bench.up(host, i as u64 + 1);
    }
    bench.at(ms(3_000));
    assert_eq!(current_target(&bench).as_deref(), Some("b"));
}
