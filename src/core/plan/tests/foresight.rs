//! Tests of what the planner says that it would do.

use super::*;

fn intent(verb: IntentVerb, resource: &str, host: &str, order: u64) -> Intent {
    Intent { resource: resource.to_owned(), verb, host: host.to_owned(), order, operator: false, at: None }
}

/// It is the answer that the intent gets then, and asking changes nothing.
#[test]
fn an_intent_is_accepted_as_it_was_foreseen() {
    let mut bench = Bench::new(Takeover::Confirmed);
    bench.report("a", (0, 0), false, Presence::No).report("b", (0, 0), false, Presence::No);
    let mut answers = Vec::new();
    let story = [
        (IntentVerb::Up, VIP, "a", 1),
        (IntentVerb::Up, VIP, "c", 2),
        (IntentVerb::Up, "other", "a", 2),
        (IntentVerb::Up, VIP, "b", 2),
        (IntentVerb::Up, VIP, "a", 1),
        (IntentVerb::Down, VIP, "b", 1),
        (IntentVerb::Down, VIP, "a", 1),
        (IntentVerb::Up, VIP, "a", 3),
        (IntentVerb::Up, VIP, "b", 4),
        (IntentVerb::Up, VIP, "a", 5),
        (IntentVerb::Up, VIP, "b", 6),
        (IntentVerb::Up, VIP, "b", 2),
    ];
    for (verb, resource, host, order) in story {
        let before = bench.planner.ledger().clone();
        let foreseen = bench.planner.would_accept(bench.now, intent(verb, resource, host, order));
        assert_eq!(bench.planner.ledger(), &before);
        let found = bench.planner.intent(bench.now, intent(verb, resource, host, order), &mut bench.out);
        assert_eq!(foreseen, found, "{verb:?} {resource} {host} {order}");
        answers.push(found);
    }
    for answer in [Accepted::Yes, Accepted::Held, Accepted::Superseded, Accepted::Unknown] {
        assert!(answers.contains(&answer), "{answers:?}");
    }
    let paused = BTreeMap::from([(VIP.to_owned(), "paused by ann".to_owned())]);
    bench.planner.pause(bench.now, paused, &mut bench.out);
    assert_eq!(bench.planner.would_accept(bench.now, intent(IntentVerb::Up, VIP, "a", 9)), Accepted::Held);
}
