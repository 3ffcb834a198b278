//! Ways to break the planner, the agent and their assumptions on purpose: a simulator that does not find them finds nothing.
//!
//! Each is applied at a seam between the parts, to what passes there; the product has no switch for any of them.

use crate::agent::Mark;
use crate::plan;
use crate::wire::{Action, Command, Echo, Generation, Holds, Probe, Report};

/// A way to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tamper {
    /// The planner skips the verification: it believes every release as soon as it is told of the host at all.
    ReleaseNotVerified,
    /// The planner accepts lower orders than it has.
    LowerOrderAccepted,
    /// The planner takes an unreachable host for released.
    LostMeansReleased,
    /// The planner's words go out before they are on disk.
    SentBeforeSynced,
    /// A restarted planner does not raise the epoch, and counts from one.
    EpochForgotten,
    /// The taker is not told to listen for silence.
    SilenceSkipped,
    /// The holder is granted a longer lease than the planner waits for.
    LeaseTooLong,
    /// Releases are never sent.
    ReleaseNotSent,
    /// Every command names the newest beat: nobody can tell that it is old.
    EchoForged,
    /// The planner never takes, only releases.
    TakeNotSent,
    /// A restarted planner forgets what it had granted.
    GrantsForgotten,
    /// Agents obey generations that they obeyed already.
    GenerationForged,
    /// The agent does not look: what it commanded is what it reports.
    AgentDoesNotLook,
    /// The agent keeps nothing on disk.
    AgentForgets,
    /// A cut-off holder believes that it reaches its witnesses.
    WitnessesForged,
    /// The taker is deaf.
    HearsNoRival,
    /// The kernel does not drop addresses whose time is over.
    KernelKeeps,
}

impl Tamper {
    /// All of them.
    pub const ALL: [Tamper; 17] = [
        Tamper::ReleaseNotVerified,
        Tamper::LowerOrderAccepted,
        Tamper::LostMeansReleased,
        Tamper::SentBeforeSynced,
        Tamper::EpochForgotten,
        Tamper::SilenceSkipped,
        Tamper::LeaseTooLong,
        Tamper::ReleaseNotSent,
        Tamper::EchoForged,
        Tamper::TakeNotSent,
        Tamper::GrantsForgotten,
        Tamper::GenerationForged,
        Tamper::AgentDoesNotLook,
        Tamper::AgentForgets,
        Tamper::WitnessesForged,
        Tamper::HearsNoRival,
        Tamper::KernelKeeps,
    ];

    /// What becomes of a command that arrives at an agent; false when it does not.
    pub(super) fn delivers(self, command: &mut Command, beat: Option<Echo>, mark: Option<&Mark>) -> bool {
        match (self, &mut command.action) {
            (Tamper::SilenceSkipped, Action::Take { probe, .. }) => *probe = Probe::Nothing,
            (Tamper::LeaseTooLong, Action::Take { terms, .. }) => terms.term *= 2,
            (Tamper::ReleaseNotSent, Action::Release) | (Tamper::TakeNotSent, Action::Take { .. }) => return false,
            (Tamper::EchoForged, _) => command.echo = beat.unwrap_or(command.echo),
            (Tamper::GenerationForged, _) => {
                let last = mark.map_or(Generation::NONE, |m| m.generation);
                command.generation = Generation { epoch: last.epoch.max(command.generation.epoch), n: last.n + 1 };
            }
            _ => {}
        }
        true
    }

    /// What becomes of a report that leaves an agent.
    pub(super) fn reports(self, report: &mut Report) {
        if self == Tamper::ReleaseNotVerified {
            for seen in report.resources.values_mut().filter(|s| !s.want) {
                seen.holds = Holds::No;
            }
        }
    }

    /// What becomes of a journal record when it is read again.
    pub(super) fn reads(self, record: &plan::Record) -> bool {
        !matches!(
            (self, record),
            (Tamper::EpochForgotten, plan::Record::Epoch { .. })
                | (Tamper::EpochForgotten | Tamper::GrantsForgotten, plan::Record::Ordered { .. })
        )
    }
}
