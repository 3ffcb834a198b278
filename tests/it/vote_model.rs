//! All states of small quorums (`core::vote::VoteModel`): none has two owners, and every broken rule is found. Larger instances:
//! `examples/votes.rs`.

use std::time::Duration;

use pointsman::core::vote::{BrokenRule, VoteModel};

use crate::support::say;

/// Clocks may be wrong by 1 part in 200.
const SLOW: i64 = 995;
const FAST: i64 = 1_005;
/// More states than an instance of these tests has.
const MOST: usize = 4_000_000;

fn model(term: u64, rates: [i64; 3]) -> VoteModel {
    let term = Duration::from_secs(term);
    VoteModel { term, rates, steps: 2, commands: 2, crashes: 1, requests: 1, broken: None }
}

#[test]
fn no_state_of_a_small_quorum_has_two_owners() {
    let all = [
        // A slow clock of the holder and fast clocks of the other voters are the worst case.
        model(10, [FAST, SLOW, FAST]),
        VoteModel { crashes: 0, ..model(10, [FAST, FAST, SLOW]) },
        VoteModel { crashes: 0, ..model(3, [SLOW, SLOW, FAST]) },
    ];
    let mut states = 0;
    for model in all {
        let searched = model.search(MOST);
        assert!(!searched.two_owners, "two owners: {model:?}");
        assert!(searched.complete, "too large: {model:?}");
        states += searched.states;
    }
    say(&format!("votes: {states} states of three voters and two hosts, none with two owners"));
}

#[test]
fn the_search_finds_what_is_broken() {
    for broken in BrokenRule::ALL {
        let requests = if broken == BrokenRule::CountsFromNewest { 2 } else { 1 };
        let searched = VoteModel { broken: Some(broken), requests, ..model(10, [FAST, SLOW, FAST]) }.search(MOST);
        assert!(searched.two_owners, "{broken:?} is not found: {searched:?}");
        say(&format!("votes: {broken:?} is found after {} states", searched.states));
    }
}
