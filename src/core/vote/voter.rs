//! One voter: the controller, or an agent.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::base::limits::{BALLOTS, VOTE_TERM_MOST};
use crate::core::base::time::Time;
use crate::core::inventory::Name;
use crate::core::wire::{Generation, Refusal};

use super::{promise_lasts, promise_lasts_most};

/// A promise to one host that no other host is promised the resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Promise {
    pub holder: Name,
    /// The newest command for which the host asked.
    pub generation: Generation,
    /// When the promise ends, on the voter's clock.
    pub until: Time,
}

/// What a voter remembers of one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Ballot {
    pub(super) promise: Option<Promise>,
    /// The newest command that the voter knows of.
    newest: Generation,
}

/// What a voter remembers. All of it is volatile, except [`Voter::longest`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Voter {
    /// The voter promises nothing before this time: promises from before its start are forgotten, and may last that long.
    pub(super) silent_until: Time,
    pub(super) longest: Duration,
    pub(super) ballots: BTreeMap<Name, Ballot>,
}

impl Voter {
    /// A voter that starts now. `longest` is what its disk says ([`Voter::longest`]): zero if it never promised anything.
    pub fn start(now: Time, longest: Duration) -> Voter {
        let silent_until = if longest.is_zero() { Time::MIN } else { now + longest };
        Voter { silent_until, longest, ballots: BTreeMap::new() }
    }

    /// Promises nothing before this time.
    pub fn stay_silent(&mut self, until: Time) {
        self.silent_until = self.silent_until.max(until);
    }

    /// A promise of this length may have been given before the start at `started`, although the disk does not know of it.
    pub fn may_have_promised(&mut self, started: Time, lasts: Duration) {
        let lasts = lasts.min(promise_lasts_most());
        self.longest = self.longest.max(lasts);
        self.stay_silent(started + lasts);
    }

    /// The longest promise that was ever given. It must be on disk before the vote leaves the process.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// Promises nothing for as long as any promise can last: there are commands that this voter has forgotten.
    pub fn distrust_itself(&mut self, now: Time) {
        self.stay_silent(now + promise_lasts_most());
    }

    /// Promises the resource to a host, or extends the promise.
    ///
    /// # Errors
    /// The reason for the refusal. After [`Refusal::Started`] and [`Refusal::Promised`] the voter knows the command even so: it
    /// renews nothing older.
    pub fn ask(
        &mut self,
        now: Time,
        resource: &str,
        holder: &str,
        generation: Generation,
        term: Duration,
    ) -> Result<(), Refusal> {
        let newest = self.ballots.get(resource).map_or(Generation::NONE, |b| b.newest);
        if term.is_zero() || term > VOTE_TERM_MOST || !generation.is_plausible_after(newest) {
            return Err(Refusal::Implausible);
        }
        if generation < newest {
            return Err(Refusal::Newer);
        }
        if !self.has_room(now, resource) {
            return Err(Refusal::Full);
        }
        let ballot = self.ballots.entry(resource.to_owned()).or_default();
        ballot.newest = generation;
        if now < self.silent_until {
            return Err(Refusal::Started);
        }
        let lasts = promise_lasts(term);
        let mut until = now + lasts;
        if let Some(promise) = &ballot.promise {
            if promise.holder == holder {
                until = until.max(promise.until);
            } else if now < promise.until {
                return Err(Refusal::Promised(promise.holder.clone()));
            }
        }
        ballot.promise = Some(Promise { holder: holder.to_owned(), generation, until });
        self.longest = self.longest.max(lasts);
        Ok(())
    }

    /// A host does not hold the resource and obeys only commands newer than `generation`: what it was promised for that command
    /// or for older ones is void.
    pub fn clear(&mut self, resource: &str, holder: &str, generation: Generation) {
        if let Some(ballot) = self.ballots.get_mut(resource)
            && ballot.promise.as_ref().is_some_and(|p| p.holder == holder && p.generation <= generation)
        {
            ballot.promise = None;
        }
    }

    /// Learns that a command to hold the resource with this generation exists: nothing older is renewed.
    pub fn learn_command(&mut self, now: Time, resource: &str, generation: Generation) {
        if self.has_room(now, resource) {
            let ballot = self.ballots.entry(resource.to_owned()).or_default();
            if generation.is_plausible_after(ballot.newest) {
                ballot.newest = ballot.newest.max(generation);
            }
        }
    }

    /// The promise that stands now.
    pub fn promise(&self, now: Time, resource: &str) -> Option<&Promise> {
        self.ballots.get(resource)?.promise.as_ref().filter(|p| now < p.until)
    }

    /// True if another resource can be remembered. Resources without a promise are forgotten if room is needed.
    fn has_room(&mut self, now: Time, resource: &str) -> bool {
        if self.ballots.len() < BALLOTS || self.ballots.contains_key(resource) {
            return true;
        }
        self.end_promises(now);
        self.ballots.retain(|_, b| b.promise.is_some());
        self.ballots.len() < BALLOTS
    }

    /// Drops promises that have ended. No decision depends on whether that was done.
    pub fn end_promises(&mut self, now: Time) {
        for ballot in self.ballots.values_mut() {
            ballot.promise = ballot.promise.take().filter(|p| now < p.until);
        }
        if self.silent_until <= now {
            self.silent_until = Time::MIN;
        }
    }
}
