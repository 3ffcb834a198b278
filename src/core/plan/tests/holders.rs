//! Tests of what reports say about holders: of hosts that are lost, and of hosts that were removed from the configuration.

use super::*;

/// A dead host whose last report said that it holds the resource is no second holder after a failover.
#[test]
fn a_lost_host_is_no_holder() {
    let mut bench = lost_holder(Takeover::Confirmed);
    assert_eq!((bench.planner.holders(VIP), bench.planner.unheard_holders(VIP)), (vec![], vec!["a".to_owned()]));
    let input = Input::Released { resource: VIP.to_owned(), host: "a".to_owned() };
    bench.planner.turn(bench.now, input, &mut bench.out);
    bench.report("b", (1, 3), true, Presence::Yes);
    assert_eq!((bench.planner.holders(VIP), bench.planner.settled(VIP)), (vec!["b".to_owned()], true));
    bench.report("a", (1, 1), true, Presence::Yes);
    assert_eq!((bench.planner.holders(VIP).len(), bench.planner.settled(VIP)), (2, false));
    assert_eq!(bench.planner.unheard_holders(VIP), Vec::<Name>::new());
}

/// A command of the time before a resource was removed from the configuration is no sign of a journal that is behind: the
/// controller goes on to vote.
#[test]
fn a_resource_that_comes_back_does_not_silence_the_controller_as_a_voter() {
    let mut bench = held_by_a(Takeover::Quorum);
    let with = inventory(Takeover::Quorum);
    let without = Inventory { resources: BTreeMap::new(), ..with.clone() };
    bench.planner.reload(bench.now, &without, &mut bench.out);
    bench.planner.reload(bench.now, &with, &mut bench.out);
    bench.report("a", (1, 1), true, Presence::Yes);
    assert_eq!(bench.planner.voter.promise(bench.now, VIP), None);
    let ask = |bench: &mut Bench| {
        let generation = Generation { epoch: 1, n: 9 };
        bench.planner.voter.ask(bench.now, VIP, "a", generation, Duration::from_secs(3))
    };
    assert_eq!(ask(&mut bench), Ok(()));
    // A newer one is such a sign.
    bench.report("a", (1, 7), true, Presence::Yes);
    assert!(ask(&mut bench).is_err());
}
