//! Voters and votes as they look when their clock is set back. No decision depends on where a clock began to count.

use std::time::Duration;

use crate::core::base::time::Time;

use super::super::{Voter, Votes};

const NOW: Time = Time::from_micros(0);

impl Voter {
    /// Lets so much time pass, after which the clock shows zero again.
    pub(super) fn rebase(&mut self, by: Duration) {
        self.end_promises(NOW + by);
        if self.silent_until != Time::MIN {
            self.silent_until = self.silent_until - by;
        }
        for promise in self.ballots.values_mut().filter_map(|b| b.promise.as_mut()) {
            promise.until = promise.until - by;
        }
    }

    /// Shortens promises to this time from now.
    pub(super) fn shorten(&mut self, lasts: Duration) {
        for promise in self.ballots.values_mut().filter_map(|b| b.promise.as_mut()) {
            promise.until = promise.until.min(NOW + lasts);
        }
        self.longest = self.longest.min(lasts);
    }
}

impl Votes {
    /// Lets so much time pass, after which the clock shows zero again. Forgets what is older than a term; returns the number of
    /// forgotten requests.
    pub(super) fn rebase(&mut self, by: Duration, term: Duration) -> u64 {
        for at in self.sent.iter_mut().map(|(_, at)| at).chain(self.granted.values_mut()) {
            *at = *at - by;
        }
        self.granted.retain(|_, at| NOW < *at + term);
        let mut gone = 0;
        while self.sent.front().is_some_and(|(_, at)| NOW >= *at + term) {
            gone += self.forget_oldest();
        }
        gone
    }

    /// Forgets the oldest request, and numbers the others from 1. Returns how many there were to forget: one, or none.
    pub(super) fn forget_oldest(&mut self) -> u64 {
        let gone = u64::from(self.sent.pop_front().is_some());
        for (number, _) in &mut self.sent {
            *number -= gone;
        }
        self.number.beat -= gone;
        gone
    }

    /// The number of requests whose answers count.
    pub(super) fn requests(&self) -> u64 {
        self.sent.len() as u64
    }

    /// The echo of the request with this number.
    pub(super) fn echo(&self, number: u64) -> crate::core::wire::Echo {
        crate::core::wire::Echo { beat: number, ..self.number }
    }
}
