//! Simulated failovers: the invariants hold over many seeds, every deliberate defect is found, and the stories of past failures
//! stay solved.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pointsman::core::inventory::Takeover;
use pointsman::core::sim::{self, Scenario, Tamper};

use crate::support::say;

/// The number of failovers in every run of the tests; `examples/simulate.rs` does millions.
const FAILOVERS: u64 = 1_500;
/// The number of seeds that suffices to find any of the defects.
const SEEDS_TO_FIND: u64 = 3_000;
/// Defects that random scenarios did not find in several thousand seeds: a vote counts from the newest request although it
/// answers an older one. That needs a delay just short of the vote's margin. `src/core/vote` tests this rule separately.
const NOT_BY_CHANCE: [Tamper; 1] = [Tamper::VoteAnswersNewest];

#[test]
#[expect(clippy::disallowed_methods, reason = "the speed is printed, not judged")]
fn no_failover_breaks_an_invariant() {
    let began = std::time::Instant::now();
    let (mut failovers, mut seeds) = (0, 0);
    while failovers < FAILOVERS {
        seeds += 1;
        let scenario = Scenario::of_seed(seeds);
        let outcome = sim::run(&scenario, None);
        if outcome.violation.is_some() {
            let (short, outcome) = sim::shorten(&scenario, None);
            let saved = serde_json::to_string(&short).unwrap();
            panic!("seed {seeds}:\n{}\nsave it under tests/sim/ as a story:\n{saved}", sim::story_text(&short, &outcome));
        }
        failovers += outcome.failovers;
    }
    let speed = seeds as f64 / began.elapsed().as_secs_f64();
    say(&format!("simulated: {failovers} failovers from {seeds} seeds, {speed:.0} seeds/s, no violation"));
}

#[test]
fn equal_seeds_tell_equal_stories() {
    for seed in 1..50 {
        let scenario = Scenario::of_seed(seed);
        assert_eq!(sim::shorten(&scenario, None).1, sim::shorten(&scenario, None).1);
    }
}

#[test]
fn every_breakage_is_found() {
    // The scenario that was designed for a defect comes first: seed 0.
    let thought_out: Vec<Scenario> = stories().into_iter().map(|(_, scenario)| scenario).collect();
    let find = |tamper| {
        let of_seed = |seed| [Scenario::of_seed(seed), Scenario::narrow_of_seed(seed)];
        let seeds = (1..=SEEDS_TO_FIND).flat_map(|seed| of_seed(seed).map(|scenario| (seed, scenario)));
        let all = thought_out.iter().map(|scenario| (0, scenario.clone())).chain(seeds);
        all.into_iter().find_map(|(seed, scenario)| Some((seed, sim::run(&scenario, Some(tamper)).violation?)))
    };
    let next = AtomicUsize::new(0);
    let missed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |n| n.get()) {
            scope.spawn(|| {
                while let Some(tamper) = Tamper::ALL.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
                    if NOT_BY_CHANCE.contains(&tamper) {
                        continue;
                    }
                    match find(tamper) {
                        Some((seed, v)) => println!("{tamper:?}: seed {seed}, {} ({})", v.invariant, v.text),
                        None => missed.lock().unwrap().push(tamper),
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "not found: {missed:?}");
}

/// The stories in `tests/sim`: the file's name and the scenario.
fn stories() -> Vec<(String, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sim");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "json"));
    files.sort();
    let read = |path: &Path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    files.iter().map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), read(path))).collect()
}

fn story(name: &str) -> Scenario {
    stories().into_iter().find(|(n, _)| n == name).unwrap().1
}

/// The holder is cut off from the controller and from the other host, and both hosts reach the witnesses. `probe` does not cover
/// that, as documented; `quorum` does.
#[test]
fn a_partial_partition_makes_two_owners_under_probe_and_one_under_quorum() {
    let under = |takeover| Scenario { takeover, ..story("partial_partition") };
    let probe = sim::run(&under(Takeover::Probe), None);
    assert_eq!(probe.violation, None, "it is not promised");
    assert!(probe.tolerated.is_some(), "{}", sim::story_text(&under(Takeover::Probe), &probe));
    for takeover in [Takeover::Quorum, Takeover::Lease, Takeover::Confirmed] {
        let outcome = sim::run(&under(takeover), None);
        assert_eq!((outcome.violation, outcome.tolerated), (None, None), "{takeover:?}");
    }
}

/// Conclusions from terms that are configured but were not granted lead to two owners.
#[test]
fn terms_that_are_configured_prove_nothing() {
    let scenario = story("terms_changed_while_the_holder_is_away");
    assert_eq!(sim::run(&scenario, None).violation, None);
    let violation = sim::run(&scenario, Some(Tamper::ConfiguredTermsCount)).violation;
    assert_eq!(
        violation.map(|v| v.invariant),
        Some("I1"),
        "{}",
        sim::story_text(&scenario, &sim::shorten(&scenario, Some(Tamper::ConfiguredTermsCount)).1)
    );
}

/// Every failure that was ever found is kept as data and stays solved.
#[test]
fn stories_of_past_failures_stay_solved() {
    let all = stories();
    assert!(!all.is_empty());
    for (name, scenario) in all {
        let outcome = sim::run(&scenario, None);
        assert_eq!(outcome.violation, None, "{name}:\n{}", sim::story_text(&scenario, &sim::shorten(&scenario, None).1));
    }
}

/// Each rule of voting is necessary: without it, the scenario that was designed for it has two owners.
#[test]
fn every_rule_of_voting_is_needed() {
    let needed = [
        ("a_holder_by_votes_of_its_peer", Tamper::VotesForEverybody),
        ("a_holder_by_votes_of_its_peer", Tamper::ClearForged),
        ("a_voter_restarts_between_two_holders", Tamper::VoterForgets),
        ("a_voter_loses_its_store_between_two_holders", Tamper::VoterForgets),
        ("a_holder_by_votes_of_the_controller", Tamper::VoteTooLong),
    ];
    for (name, tamper) in needed {
        let violation = sim::run(&story(name), Some(tamper)).violation;
        assert_eq!(violation.map(|v| v.invariant), Some("I1"), "{tamper:?} in {name}");
    }
}
