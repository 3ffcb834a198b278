//! What lets a host take a resource although others can't be asked: by the takeover policy, silence, time, or an operator's word.

use std::time::Duration;

use crate::base::limits::DRIVER_TIMEOUT;
use crate::base::time::{Time, duration_text};
use crate::inventory::{Name, Resource, Takeover};
use crate::wire::{Generation, Probe};

use super::{Output, Planner, Record};

/// A taker under `probe` listens so much longer than the isolation after which a holder gives up.
const SILENCE_MARGIN: Duration = Duration::from_secs(1);
/// A lease counts as over so long after its end, since clocks differ and kernels are late.
const LEASE_GRACE: Duration = Duration::from_secs(2);
/// A release that was confirmed so recently needs no listening before the take.
const RELEASE_IS_NEWS: Duration = Duration::from_secs(2);

impl Planner {
    /// What lets the owner take although some hosts are not known to be clear, and what it must listen for first.
    /// `None`: not yet.
    pub(super) fn evidence(
        &mut self,
        now: Time,
        name: &str,
        resource: &Resource,
        others: &[Name],
        out: &mut Vec<Output>,
    ) -> Option<Probe> {
        if others.is_empty() {
            let news = self.pursue(name).released_at.is_some_and(|at| now.since(at) < RELEASE_IS_NEWS);
            return Some(if news { Probe::Nothing } else { Probe::Once });
        }
        // Listening for silence may begin before a host counts as lost: the silence itself is what is waited for.
        let asked =
            |h: &Name| self.views.get(h).is_some_and(|v| v.reachable() && !(v.suspected && resource.takeover == Takeover::Probe));
        if let Some(here) = others.iter().find(|h| asked(h))
            && resource.takeover != Takeover::Forced
        {
            self.hold_back(name, &format!("waiting for its release on {here}"));
            return None;
        }
        let missing = others.join(", ");
        let bound = |h: &Name| self.ledger.seat(name, h).is_some_and(|s| s.bound);
        let all_bound = others.iter().all(bound);
        match resource.takeover {
            Takeover::Probe if all_bound => Some(Probe::Silence(resource.isolation + SILENCE_MARGIN)),
            // A host of which nothing was ever heard keeps no terms of ours: silence or waiting proves nothing.
            Takeover::Confirmed | Takeover::Probe => self.unconfirmed(name, &missing, out),
            Takeover::Lease if !all_bound => self.unconfirmed(name, &missing, out),
            Takeover::Lease => {
                let ends = others.iter().filter_map(|h| self.pursue(name).lease_until.get(h).copied()).max()? + LEASE_GRACE;
                if now < ends {
                    self.wake_at(ends);
                    self.hold_back(name, &format!("waiting for the lease of {missing} to end"));
                    return None;
                }
                for host in others {
                    self.pass_over(name, host, out);
                }
                Some(Probe::Once)
            }
            Takeover::Forced => {
                let since = others.iter().filter_map(|h| self.pursue(name).asking_since.get(h).copied()).max();
                let ends = since.unwrap_or(now) + DRIVER_TIMEOUT;
                if now < ends {
                    self.wake_at(ends);
                    self.hold_back(name, &format!("waiting {} for its release on {missing}", duration_text(DRIVER_TIMEOUT)));
                    return None;
                }
                let text = format!(
                    "{name} is taken although its release on {missing} is not confirmed (takeover: forced): two hosts may hold it"
                );
                self.notice(name, "takeover_forced", &missing, text, out);
                Some(Probe::Nothing)
            }
        }
    }

    fn unconfirmed(&mut self, name: &str, missing: &str, out: &mut Vec<Output>) -> Option<Probe> {
        let text = format!(
            "{name} can't be taken: its release on {missing} is not confirmed; when it is surely off there, say `pointsman resources released {name} {missing}`"
        );
        self.notice(name, "release_unconfirmed", missing, text, out);
        self.hold_back(name, &format!("its release on {missing} is not confirmed"));
        None
    }

    pub(super) fn pass_over(&mut self, name: &str, host: &Name, out: &mut Vec<Output>) {
        let generation = self.ledger.seat(name, host).map_or(Generation::NONE, |s| s.granted);
        self.record(Record::Fenced { resource: name.to_owned(), host: host.clone(), generation }, out);
    }
}
