//! Tests of single rules of voting.

use std::time::Duration;

use crate::core::base::limits::{BALLOTS, VOTE_TERM_MOST};
use crate::core::base::time::Time;
use crate::core::wire::{Echo, Generation, Refusal};

use super::{Elector, Voter, Votes, promise_lasts};

const TERM: Duration = Duration::from_secs(3);

fn ms(n: i64) -> Time {
    Time::from_millis(n)
}

fn g(n: u64) -> Generation {
    Generation { epoch: 1, n }
}

#[test]
fn a_voter_promises_one_host_at_a_time() {
    let mut voter = Voter::start(ms(0), Duration::ZERO);
    assert_eq!(voter.ask(ms(0), "vip", "a", g(1), TERM), Ok(()));
    assert_eq!(voter.ask(ms(1), "other", "b", g(1), TERM), Ok(()), "of another resource it knows nothing");
    let ends = ms(0) + promise_lasts(TERM);
    assert_eq!(voter.ask(ends - Duration::from_micros(1), "vip", "b", g(2), TERM), Err(Refusal::Promised("a".to_owned())));
    assert_eq!(voter.ask(ends, "vip", "b", g(2), TERM), Ok(()));
    assert_eq!(voter.promise(ends, "vip").map(|p| p.holder.as_str()), Some("b"));
}

#[test]
fn a_request_that_is_refused_ends_the_renewals_of_older_ones() {
    let mut voter = Voter::start(ms(0), Duration::ZERO);
    voter.ask(ms(0), "vip", "a", g(1), TERM).unwrap();
    assert!(voter.ask(ms(100), "vip", "b", g(2), TERM).is_err());
    assert_eq!(voter.ask(ms(200), "vip", "a", g(1), TERM), Err(Refusal::Newer));
    assert_eq!(voter.promise(ms(200), "vip").unwrap().until, ms(0) + promise_lasts(TERM), "what was promised stays promised");
}

#[test]
fn what_a_host_shows_to_have_given_up_is_void_and_nothing_newer() {
    let mut voter = Voter::start(ms(0), Duration::ZERO);
    voter.ask(ms(0), "vip", "a", g(3), TERM).unwrap();
    voter.clear("vip", "b", g(9));
    voter.clear("vip", "a", g(2));
    assert!(voter.ask(ms(1), "vip", "b", g(4), TERM).is_err());
    voter.clear("vip", "a", g(3));
    assert_eq!(voter.ask(ms(2), "vip", "b", g(4), TERM), Ok(()));
}

#[test]
fn a_voter_that_starts_waits_for_what_it_may_have_promised() {
    let mut voter = Voter::start(ms(0), Duration::ZERO);
    voter.ask(ms(0), "vip", "a", g(1), TERM).unwrap();
    let longest = voter.longest();
    assert_eq!(longest, promise_lasts(TERM));
    let mut again = Voter::start(ms(10), longest);
    assert_eq!(again.ask(ms(10) + longest - Duration::from_micros(1), "vip", "b", g(2), TERM), Err(Refusal::Started));
    assert_eq!(again.ask(ms(10) + longest, "vip", "b", g(2), TERM), Ok(()));
    again.distrust_itself(ms(20_000));
    assert_eq!(again.ask(ms(20_001), "vip", "b", g(2), TERM), Err(Refusal::Started));
}

#[test]
fn numbers_that_cannot_be_are_refused() {
    let mut voter = Voter::start(ms(0), Duration::ZERO);
    let highest = Generation { epoch: u64::MAX, n: u64::MAX };
    assert_eq!(voter.ask(ms(0), "vip", "a", highest, TERM), Err(Refusal::Implausible));
    voter.learn_command(ms(0), "vip", highest);
    assert_eq!(voter.ask(ms(0), "vip", "a", g(1), Duration::ZERO), Err(Refusal::Implausible));
    assert_eq!(voter.ask(ms(0), "vip", "a", g(1), Duration::MAX), Err(Refusal::Implausible));
    assert_eq!(voter.ask(ms(0), "vip", "a", g(1), VOTE_TERM_MOST), Ok(()), "and nothing stays behind");
}

#[test]
fn a_voter_remembers_so_many_resources_and_forgets_no_promise() {
    let mut voter = Voter::start(ms(0), Duration::ZERO);
    for i in 0..BALLOTS {
        voter.ask(ms(0), &format!("r{i}"), "a", g(1), TERM).unwrap();
    }
    assert_eq!(voter.ask(ms(1), "one more", "a", g(1), TERM), Err(Refusal::Full));
    assert!(voter.ask(ms(1), "r7", "b", g(2), TERM).is_err());
    assert_eq!(voter.ask(ms(0) + promise_lasts(TERM), "one more", "a", g(1), TERM), Ok(()));
}

#[test]
fn a_vote_counts_from_the_time_when_its_request_was_sent() {
    let agent = |n: &str| Elector::Agent(n.to_owned());
    let mut votes = Votes::default();
    votes.begin(5);
    let (first, second) = (votes.ask(ms(100)), votes.ask(ms(200)));
    votes.answered(agent("a"), second, None);
    assert_eq!(votes.majority_at(2), None);
    votes.answered(agent("b"), first, None);
    assert_eq!(votes.majority_at(2), Some(ms(100)));
    votes.answered(agent("b"), first, None);
    votes.answered(agent("b"), Echo { incarnation: 4, beat: second.beat }, None);
    votes.answered(agent("b"), Echo { incarnation: 5, beat: 77 }, None);
    assert_eq!(votes.majority_at(2), Some(ms(100)), "doubled, of an earlier start, never asked");
    votes.answered(agent("a"), first, None);
    votes.answered(agent("b"), second, Some(Refusal::Newer));
    assert_eq!(votes.majority_at(2), Some(ms(100)), "what was promised is not taken back");
    votes.granted(Elector::Controller, ms(150));
    assert_eq!(votes.majority_at(2), Some(ms(150)));
    votes.begin(5);
    assert_eq!(votes.majority_at(1), None);
    votes.ask(ms(300));
    votes.answered(agent("a"), second, None);
    assert_eq!(votes.majority_at(1), None, "an answer about the command before");
}
