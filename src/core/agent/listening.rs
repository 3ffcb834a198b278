//! What a host listens for before it takes an address: other stations that answer for it, or silence for a while.

use std::time::Duration;

use crate::core::base::limits::HEARTBEAT;
use crate::core::base::time::Time;
use crate::core::wire::Probe;

/// Rounds of conflict probes before an unconfirmed take, and the time between them (RFC 5227 section 2.1.1, shortened as its
/// section 2.2 permits on media that are known to be fast).
const PROBE_ROUNDS: u32 = 3;
const PROBE_EVERY: Duration = Duration::from_millis(200);
/// A longer gap between two rounds of listening for silence (a paused process) starts the listening again.
const SILENCE_GAP: Duration = Duration::from_millis(600);

/// How far the listening has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProbeListening {
    probe: Probe,
    rounds: u32,
    last_round: Option<Time>,
    silent_since: Option<Time>,
}

impl ProbeListening {
    /// Begins to listen as a command said.
    pub(super) fn begin(probe: Probe) -> ProbeListening {
        ProbeListening { probe, rounds: 0, last_round: None, silent_since: None }
    }

    /// True if it listens for silence: the holder cannot be asked, and must have given up.
    pub(super) fn is_for_silence(&self) -> bool {
        matches!(self.probe, Probe::Silence(_))
    }

    /// Another station was heard: the silence begins again.
    pub(super) fn interrupt(&mut self) {
        self.silent_since = None;
    }

    /// True if enough was listened. `majority_at` is when a majority of the witnesses was last reachable: a host that is cut off
    /// hears silence too.
    pub(super) fn is_enough(&mut self, now: Time, majority_at: Time) -> bool {
        match self.probe {
            Probe::Nothing => true,
            Probe::Once => self.rounds >= PROBE_ROUNDS,
            Probe::Silence(span) => {
                let gap = self.last_round.is_some_and(|at| now.since(at) > SILENCE_GAP);
                if gap || now.since(majority_at) > SILENCE_GAP {
                    self.interrupt();
                }
                self.silent_since.is_some_and(|since| now.since(since) >= span)
            }
        }
    }

    /// Begins a round, in which the neighbourhood is asked. Returns the time until the next one.
    pub(super) fn begin_round(&mut self, now: Time) -> Duration {
        self.rounds += 1;
        self.last_round = Some(now);
        self.silent_since.get_or_insert(now);
        if self.is_for_silence() { HEARTBEAT } else { PROBE_EVERY }
    }
}
