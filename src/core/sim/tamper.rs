//! Ways to break the planner, the agent and their assumptions on purpose. A simulator that does not find these errors finds
//! nothing.
//!
//! Each is applied between the parts, to what passes there. The product has no switch for any of them.

use crate::core::agent::AgentMark;
use crate::core::inventory::Inventory;
use crate::core::plan;
use crate::core::wire::{Action, Command, Echo, Generation, PeerMessage, Presence, Probe, Report, Terms};

/// A way to break a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tamper {
    /// The planner skips the verification: a host that does not want the resource counts as one that does not hold it.
    ReleaseNotVerified,
    /// The planner accepts intents with a lower sequence than it has.
    LowerOrderAccepted,
    /// The planner assumes that a lost host has released the resource.
    LostMeansReleased,
    /// The planner's outputs are sent before they are on disk.
    SentBeforeSynced,
    /// A restarted planner does not raise the epoch, and counts from one.
    EpochForgotten,
    /// The command to the taker does not say that it must listen for silence.
    SilenceSkipped,
    /// The holder is granted a longer lease than the planner waits for.
    LeaseTooLong,
    /// Releases are never sent.
    ReleaseNotSent,
    /// Every command names the newest beat, so an agent can't recognise an old command.
    EchoForged,
    /// The planner never commands a take, only releases.
    TakeNotSent,
    /// A restarted planner forgets what it had granted.
    GrantsForgotten,
    /// Agents obey generations that they obeyed already.
    GenerationForged,
    /// The agent does not look: it reports what it commanded.
    AgentDoesNotLook,
    /// The agent keeps nothing on disk.
    AgentForgets,
    /// A holder that is cut off believes that it reaches its witnesses.
    WitnessesForged,
    /// The taker receives no answer of a rival.
    HearsNoRival,
    /// The kernel does not drop addresses whose time is over.
    KernelKeeps,
    /// An agent that starts believes that it started long ago, so that it waits for none of its earlier promises.
    VoterForgets,
    /// Agents vote for every host that asks.
    VotesForEverybody,
    /// An answer counts from the newest request, whichever request it answers.
    VoteAnswersNewest,
    /// A holder relies on votes for longer than the controller keeps them.
    VoteTooLong,
    /// Commands to takers say that all other hosts are clear.
    ClearForged,
    /// A restarted planner concludes from the configuration, not from what was granted.
    ConfiguredTermsCount,
    /// An agent that starts has forgotten its earlier list.
    EarlierListForgotten,
    /// Agents do not report their own lists.
    ListsNotReported,
    /// Agents do not report that an interface has no carrier.
    LinksNotReported,
    /// Agents never report newer generations than the journal has.
    NewerNumbersHidden,
}

impl Tamper {
    pub const ALL: [Tamper; 27] = [
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
        Tamper::VoterForgets,
        Tamper::VotesForEverybody,
        Tamper::VoteAnswersNewest,
        Tamper::VoteTooLong,
        Tamper::ClearForged,
        Tamper::ConfiguredTermsCount,
        Tamper::EarlierListForgotten,
        Tamper::ListsNotReported,
        Tamper::LinksNotReported,
        Tamper::NewerNumbersHidden,
    ];

    /// Changes a message between agents; `asked` is the number of the receiver's newest request.
    pub(super) fn votes(self, message: &mut PeerMessage, asked: Echo) {
        match (self, message) {
            (Tamper::VotesForEverybody, PeerMessage::Vote(vote)) => vote.refused = None,
            (Tamper::VoteAnswersNewest, PeerMessage::Vote(vote)) => vote.number = asked,
            _ => {}
        }
    }

    /// Changes a command that arrives at an agent. Returns false if it does not arrive.
    pub(super) fn delivers(self, command: &mut Command, beat: Option<Echo>, mark: Option<&AgentMark>) -> bool {
        match (self, &mut command.action) {
            (Tamper::SilenceSkipped, Action::Take { probe, .. }) => *probe = Probe::Nothing,
            (Tamper::VoteTooLong, Action::Take { terms, .. }) => terms.isolation *= 2,
            (Tamper::ClearForged, Action::Take { terms, clear, .. }) => {
                clear.extend(terms.voters.iter().map(|host| (host.clone(), command.generation)));
            }
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

    /// Changes a report that arrives at a controller with this ledger.
    pub(super) fn arrives(self, report: &mut Report, known: Option<&plan::Ledger>) {
        let Some(known) = known.filter(|_| self == Tamper::NewerNumbersHidden) else { return };
        for (resource, seen) in &mut report.resources {
            let ordered = known.placement(resource, &report.host).map_or(Generation::NONE, |p| p.ordered);
            seen.generation = seen.generation.min(ordered);
        }
    }

    /// Changes a report that leaves an agent.
    pub(super) fn reports(self, report: &mut Report) {
        match self {
            Tamper::ListsNotReported => report.places.clear(),
            Tamper::LinksNotReported => report.links.clear(),
            _ => {}
        }
        if self == Tamper::ReleaseNotVerified {
            for seen in report.resources.values_mut().filter(|s| !s.want) {
                seen.holds = Presence::No;
            }
        }
    }

    /// Changes a journal record that a controller with this configuration reads at its start. Returns `None` if it is left out.
    pub(super) fn reads(self, record: &plan::Record, configured: &Inventory) -> Option<plan::Record> {
        let mut record = record.clone();
        match (self, &mut record) {
            (Tamper::EpochForgotten, plan::Record::Epoch { .. })
            | (Tamper::EpochForgotten | Tamper::GrantsForgotten, plan::Record::Ordered { .. }) => return None,
            (Tamper::ConfiguredTermsCount, plan::Record::Ordered { resource, granted: Some(granted), .. }) => {
                if let Some(resource) = configured.resources.get(resource) {
                    granted.terms = Terms {
                        takeover: resource.takeover,
                        isolation: resource.isolation,
                        term: resource.term,
                        witnesses: resource.witnesses.clone(),
                        voters: resource.voting_agents().into(),
                        on_quorum_loss: resource.on_quorum_loss,
                    };
                }
            }
            _ => {}
        }
        Some(record)
    }
}
