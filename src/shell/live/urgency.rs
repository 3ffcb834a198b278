//! Work that waits for a worker: claims first, then by trust, then by age.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::core::event::Trust;
use crate::core::react::Run;

/// The urgency of a piece of work. The greatest goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Urgency {
    /// Whether it concerns the newest claim of a member of a pair.
    pub claim: bool,
    /// The trust of the event that it concerns.
    pub trust: Trust,
}

impl Urgency {
    /// The least urgency of claims.
    pub(super) const CLAIM: Urgency = Urgency { claim: true, trust: Trust::Unverified };
    /// The least urgency of senders with trust `address` or better.
    pub(super) const KNOWN: Urgency = Urgency { claim: false, trust: Trust::Address };
    pub(super) const ANY: Urgency = Urgency { claim: false, trust: Trust::Unverified };
    /// The greatest urgency of work that concerns no claim.
    pub(super) const NO_CLAIM: Urgency = Urgency { claim: false, trust: Trust::Authenticated };
    /// The greatest urgency of all.
    pub(super) const MOST: Urgency = Urgency { claim: true, trust: Trust::Authenticated };

    /// The urgency of what a run requests.
    pub(super) fn of(run: &Run) -> Urgency {
        Urgency { claim: run.claim, trust: run.bound.trust() }
    }
}

/// Waiting work, the most urgent first. Work of equal urgency is taken by age.
#[derive(Debug)]
pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    came: Condvar,
}

#[derive(Debug)]
struct Inner<T> {
    /// By reversed urgency and the number of arrival.
    waiting: BTreeMap<(std::cmp::Reverse<Urgency>, u64), T>,
    last: u64,
    ended: bool,
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue { inner: Mutex::new(Inner { waiting: BTreeMap::new(), last: 0, ended: false }), came: Condvar::new() }
    }
}

impl<T> Queue<T> {
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a piece of work.
    pub(super) fn push(&self, urgency: Urgency, work: T) {
        let mut inner = self.lock();
        inner.last += 1;
        let number = inner.last;
        inner.waiting.insert((std::cmp::Reverse(urgency), number), work);
        // All workers are woken, because not every worker may take this work.
        self.came.notify_all();
    }

    /// The number of waiting pieces that are at most this urgent.
    pub(super) fn count_up_to(&self, urgency: Urgency) -> usize {
        self.lock().waiting.range((std::cmp::Reverse(urgency), 0)..).count()
    }

    /// Takes the most urgent piece of work in this range, and waits for it. Returns `None` after the end.
    pub(super) fn next(&self, between: RangeInclusive<Urgency>) -> Option<T> {
        let (least, most) = between.into_inner();
        let mut inner = self.lock();
        loop {
            if inner.ended {
                return None;
            }
            let mut urgent = inner.waiting.range((std::cmp::Reverse(most), 0)..=(std::cmp::Reverse(least), u64::MAX));
            let found = urgent.next().map(|(key, _)| *key);
            if let Some(work) = found.and_then(|key| inner.waiting.remove(&key)) {
                return Some(work);
            }
            inner = self.came.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Removes the waiting work that does not meet a condition.
    pub(super) fn retain(&self, keep: impl Fn(&T) -> bool) {
        self.lock().waiting.retain(|_, work| keep(work));
    }

    /// Ends the queue: no more work is taken.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.came.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_go_first_and_then_the_better_trusted() {
        let queue = Queue::default();
        let urgency = |claim, trust| Urgency { claim, trust };
        for (n, (claim, trust)) in [
            (false, Trust::Unverified),
            (false, Trust::Local),
            (true, Trust::Address),
            (false, Trust::Local),
            (false, Trust::Authenticated),
        ]
        .into_iter()
        .enumerate()
        {
            queue.push(urgency(claim, trust), n);
        }
        assert_eq!(queue.count_up_to(Urgency::ANY), 1);
        assert_eq!(queue.count_up_to(urgency(false, Trust::Local)), 3);
        let mut all = Vec::new();
        all.extend(queue.next(Urgency::CLAIM..=Urgency::MOST));
        queue.push(urgency(true, Trust::Address), 5);
        all.extend(queue.next(Urgency::KNOWN..=Urgency::NO_CLAIM));
        for _ in 0..4 {
            all.extend(queue.next(Urgency::ANY..=Urgency::MOST));
        }
        assert_eq!(all, [2, 4, 5, 1, 3, 0]);
        (6..9).for_each(|n| queue.push(Urgency::ANY, n));
        queue.retain(|n| *n != 6);
        assert_eq!(queue.next(Urgency::ANY..=Urgency::MOST), Some(7));
        queue.end();
        assert_eq!(queue.next(Urgency::ANY..=Urgency::MOST), None);
    }
}
