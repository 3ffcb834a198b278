//! The ledger: what the planner must not forget. It holds desired owners, commands that were sent, grants that can't act any
//! more, and flap damping. It is a fold over [`Record`]s.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::time::Time;
use crate::core::inventory::{Moves, Name, ResourceKind, Takeover, Via};
use crate::core::vote::promise_lasts;
use crate::core::wire::{Generation, Terms};

use super::intent::{Intent, IntentVerb};

/// A decision of the planner, as it is in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "planned")]
pub enum Record {
    /// Generations belong to this epoch from now on.
    Epoch {
        epoch: u64,
    },
    /// An intent was accepted.
    Intent(Intent),
    /// The only holder that was found at the start becomes the desired owner.
    Adopted {
        resource: Name,
        host: Name,
    },
    /// A move begins: this host becomes the current target.
    Move {
        resource: Name,
        to: Name,
        at: Time,
    },
    /// A host is commanded to hold the resource, or to release it.
    Ordered {
        resource: Name,
        host: Name,
        #[serde(rename = "order")]
        instruction: Instruction,
        /// The generation of the command.
        generation: Generation,
        /// What a Take grants. `None` in journals of earlier versions, and for grants that an agent reported and this journal
        /// lacks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        granted: Option<Box<Granted>>,
    },
    /// No grant up to this generation can act on this host any more. The host reported that it does not hold the resource and
    /// obeys only newer commands, or the takeover policy's evidence or an operator says so.
    Fenced {
        resource: Name,
        host: Name,
        /// The newest generation that can't act any more.
        generation: Generation,
    },
    /// A host was seen to hold the resource by one of our grants. Whatever it had before, it now holds the resource on our terms.
    Bound {
        resource: Name,
        host: Name,
        /// The generation of that grant. Older grants can't act any more.
        #[serde(default)]
        generation: Generation,
    },
    /// Flap damping: there were too many moves, and no further one begins before this time.
    Held {
        resource: Name,
        until: Time,
        /// Damping periods in a row, this one included.
        holds: u32,
    },
    Freed {
        resource: Name,
    },
    /// The journal lost records. The desired owner is unknown, nothing proves that a host does not hold the resource, and intents
    /// of older inputs have no effect any more.
    Forgotten {
        /// Inputs with a lower sequence are older.
        before: u64,
    },
    /// The resource is paused, and a move that began before the pause is finished first; or that move has ended.
    Finishing {
        resource: Name,
        finishing: bool,
    },
    /// The configuration does not have the resource any more, or not on this host.
    Dropped {
        resource: Name,
        /// The host; `None` means all hosts.
        host: Option<Name>,
    },
}

/// The last instruction for a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Instruction {
    /// The host must not hold the resource.
    #[default]
    Release,
    Take,
}

/// The desired owner, and the sequence of the input that asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredOwner {
    pub host: Name,
    #[serde(rename = "order")]
    pub sequence: u64,
    /// An operator asked for it.
    pub operator: bool,
    /// When the cause of that intent happened; `None` if the journal does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

/// What a host was granted. Decisions about a grant follow from this, not from the present configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// The terms on which the host may hold the resource.
    pub terms: Terms,
    /// The resource as it was at the time of the grant.
    pub what: ResourceKind,
    /// How the host was reached at that time.
    pub via: Via,
}

/// Grants on equal terms that may still act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The newest generation among them.
    pub generation: Generation,
    /// What was granted; `None` if the journal does not say.
    pub granted: Option<Granted>,
}

/// Instructions and grants for one host and one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacementLedger {
    #[serde(rename = "order")]
    pub instruction: Instruction,
    pub ordered: Generation,
    /// The newest generation of a Take.
    pub granted: Generation,
    /// No grant up to this generation can act any more. `None` until the host has first reported that it does not hold the
    /// resource.
    pub fenced: Option<Generation>,
    /// The grants that may still act, by their terms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// The host was once seen without the resource, or holding it by our grant. Before that it may hold the resource from
    /// earlier, on no terms of ours. Then neither silence nor the end of a lease proves anything about it.
    pub bound: bool,
}

impl PlacementLedger {
    /// True if no grant that was ever given can act any more.
    pub fn is_fenced(&self) -> bool {
        self.fenced.is_some_and(|f| f >= self.granted)
    }

    /// What was granted and may still act. `None` in the list is a grant with unknown contents.
    pub fn outstanding(&self) -> Vec<Option<&Granted>> {
        if self.is_fenced() || self.granted == Generation::NONE {
            return Vec::new();
        }
        let mut all: Vec<Option<&Granted>> = self.grants.iter().map(|g| g.granted.as_ref()).collect();
        if self.grants.iter().all(|g| g.generation < self.granted) {
            all.push(None);
        }
        all
    }

    /// What the newest grant contains, if that is known.
    pub fn newest(&self) -> Option<&Granted> {
        self.grants.iter().find(|g| g.generation == self.granted)?.granted.as_ref()
    }

    fn grant(&mut self, generation: Generation, granted: Option<Granted>) {
        self.granted = generation;
        if let Some(same) = self.grants.iter_mut().find(|g| g.granted == granted) {
            same.generation = generation;
            return;
        }
        // Terms change only by hand. After so many changes without any obeyed command, the oldest grant counts as one of unknown
        // terms.
        if self.grants.len() == GRANTS_KEPT {
            self.grants.retain(|g| g.granted.is_some());
            if let Some(oldest) = self.grants.first_mut() {
                oldest.granted = None;
            }
        }
        self.grants.push(Grant { generation, granted });
    }
}

/// The ledger of one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceLedger {
    /// The desired owner; `None` while it is unknown.
    #[serde(alias = "wish")]
    pub desired_owner: Option<DesiredOwner>,
    /// Hosts that must not hold the resource, with the sequence of the input that said so.
    pub banned: BTreeMap<Name, u64>,
    /// The host to which the resource is moved now: the desired owner, except while that move is blocked.
    #[serde(alias = "pursued")]
    pub current_target: Option<Name>,
    /// The last generation that was issued.
    pub generation: Generation,
    /// Commands up to this generation went to hosts, or may be on their way, and the ledger does not know to which: the resource, or
    /// a host of it, was removed from the configuration since.
    #[serde(default, skip_serializing_if = "is_none")]
    pub dropped: Generation,
    #[serde(alias = "seats")]
    pub placements: BTreeMap<Name, PlacementLedger>,
    /// When the latest moves began, oldest first.
    pub moves: VecDeque<Time>,
    /// Flap damping: no move begins before this time.
    pub held_until: Option<Time>,
    /// Damping periods in a row.
    pub holds: u32,
    /// A damping period has just ended: one move is allowed at once.
    pub free_move: bool,
    /// The resource is paused, and a move that began before the pause is finished first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub finishing: bool,
}

impl ResourceLedger {
    /// What is left of a resource that the configuration does not have any more: the last generation.
    pub(super) fn dropped(generation: Generation) -> ResourceLedger {
        ResourceLedger { generation, dropped: generation, ..ResourceLedger::default() }
    }

    /// True if one more move at `now` is within the limit.
    pub(super) fn may_move(&self, now: Time, limit: Moves) -> bool {
        self.free_move || self.moves.iter().filter(|at| now.since(**at) < limit.per).count() < limit.count as usize
    }
}

/// The ledger of all resources: the fold of all records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    epoch: u64,
    entries: BTreeMap<Name, ResourceLedger>,
    /// The longest promise that the controller may have given as a voter.
    #[serde(default)]
    longest_promise: Duration,
    /// Intents of inputs with a lower sequence are superseded, because the journal lost what came after them.
    #[serde(default, skip_serializing_if = "is_zero")]
    forgotten_before: u64,
    /// The epoch when an operator last accepted a loss. Voters may have seen newer commands of it and of earlier ones than the
    /// journal has, and agree to none of those that it has.
    #[serde(default, skip_serializing_if = "is_zero")]
    forgotten_epoch: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_none(generation: &Generation) -> bool {
    *generation == Generation::NONE
}

/// The number of controller starts that a journal may have lost at most. The epoch after a loss is higher than any that was used.
const EPOCHS_LOST: u64 = 1_000_000;

/// The records that are written when an operator accepts the loss of journal records. `sequence` is the number of that input.
pub fn forget(ledger: &Ledger, sequence: u64) -> [Record; 2] {
    [Record::Forgotten { before: sequence }, Record::Epoch { epoch: ledger.epoch.saturating_add(EPOCHS_LOST) }]
}

/// How many different terms the ledger remembers for the grants of one host.
const GRANTS_KEPT: usize = 8;

/// How many beginnings of moves the ledger remembers for flap damping.
const MOVES_KEPT: usize = 64;

impl Ledger {
    /// The current epoch; 0 before the first start.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// True if the command is of a time before the resource, or a host of it, was removed from the configuration.
    pub(super) fn is_dropped(&self, resource: &str, command: Generation) -> bool {
        self.entry(resource).is_some_and(|entry| command <= entry.dropped)
    }

    /// True if the command was given before a loss that an operator accepted.
    pub(super) fn is_forgotten(&self, command: Generation) -> bool {
        command.epoch <= self.forgotten_epoch && self.forgotten_epoch > 0
    }

    /// The longest promise that the controller may have given as a voter; zero if it never gave one.
    pub fn longest_promise(&self) -> Duration {
        self.longest_promise
    }

    /// A copy that has only the entry of one resource.
    pub(super) fn with_only(&self, resource: &str) -> Ledger {
        let entry = self.entries.get_key_value(resource).map(|(name, entry)| (name.clone(), entry.clone()));
        Ledger { entries: entry.into_iter().collect(), ..*self }
    }

    /// The ledger of one resource, if there is one.
    pub fn entry(&self, resource: &str) -> Option<&ResourceLedger> {
        self.entries.get(resource)
    }

    /// The ledgers of all resources that have one.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Name, &ResourceLedger)> {
        self.entries.iter()
    }

    /// Instructions and grants for one host and one resource, if there are any.
    pub fn placement(&self, resource: &str, host: &str) -> Option<&PlacementLedger> {
        self.entries.get(resource)?.placements.get(host)
    }

    /// The generation of the next command for a resource.
    pub(super) fn next_generation(&self, resource: &str) -> Generation {
        let last = self.entries.get(resource).map_or(Generation::NONE, |e| e.generation);
        let n = if last.epoch == self.epoch { last.n.saturating_add(1) } else { 1 };
        Generation { epoch: self.epoch, n }
    }

    /// True if the resource already has an intent with a higher sequence.
    pub(super) fn supersedes(&self, intent: &Intent) -> bool {
        if intent.sequence < self.forgotten_before {
            return true;
        }
        let Some(desired_owner) = self.entries.get(&intent.resource).and_then(|e| e.desired_owner.as_ref()) else {
            return false;
        };
        match intent.verb {
            IntentVerb::Up => intent.sequence < desired_owner.sequence,
            IntentVerb::Down => desired_owner.host == intent.host && intent.sequence < desired_owner.sequence,
        }
    }

    /// True if accepting the intent would change the ledger. An intent that only repeats what is recorded is not journaled.
    pub(super) fn changes(&self, intent: &Intent) -> bool {
        let mut after = self.entries.get(&intent.resource).cloned().unwrap_or_default();
        let before = after.clone();
        accept(&mut after, intent);
        after != before
    }

    /// Applies one record. A ledger changes in no other way.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Epoch { epoch } => self.epoch = *epoch,
            Record::Intent(intent) => accept(self.entries.entry(intent.resource.clone()).or_default(), intent),
            Record::Adopted { resource, host } => {
                let entry = self.entries.entry(resource.clone()).or_default();
                entry.desired_owner = Some(DesiredOwner { host: host.clone(), sequence: 0, operator: false, at: None });
                entry.current_target = Some(host.clone());
            }
            Record::Move { resource, to, at } => {
                let entry = self.entries.entry(resource.clone()).or_default();
                entry.current_target = Some(to.clone());
                entry.free_move = false;
                entry.moves.push_back(*at);
                if entry.moves.len() > MOVES_KEPT {
                    entry.moves.pop_front();
                }
            }
            Record::Ordered { resource, host, instruction, generation, granted } => {
                if let Some(granted) = granted.as_ref().filter(|g| g.terms.takeover == Takeover::Quorum) {
                    self.longest_promise = self.longest_promise.max(promise_lasts(granted.terms.isolation));
                }
                let entry = self.entries.entry(resource.clone()).or_default();
                entry.generation = entry.generation.max(*generation);
                let placement = entry.placements.entry(host.clone()).or_default();
                placement.instruction = *instruction;
                placement.ordered = *generation;
                if *instruction == Instruction::Take {
                    placement.grant(*generation, granted.as_deref().cloned());
                }
            }
            Record::Fenced { resource, host, generation } => {
                let entry = self.entries.entry(resource.clone()).or_default();
                let placement = entry.placements.entry(host.clone()).or_default();
                placement.fenced = Some(*generation);
                placement.bound = true;
                placement.grants.retain(|g| g.generation > *generation);
            }
            Record::Bound { resource, host, generation } => {
                let entry = self.entries.entry(resource.clone()).or_default();
                let placement = entry.placements.entry(host.clone()).or_default();
                placement.bound = true;
                placement.grants.retain(|g| g.generation >= *generation);
            }
            Record::Held { resource, until, holds } => {
                let entry = self.entries.entry(resource.clone()).or_default();
                entry.held_until = Some(*until);
                entry.holds = *holds;
            }
            Record::Freed { resource } => {
                let entry = self.entries.entry(resource.clone()).or_default();
                entry.held_until = None;
                entry.free_move = true;
            }
            Record::Finishing { resource, finishing } => {
                self.entries.entry(resource.clone()).or_default().finishing = *finishing;
            }
            Record::Forgotten { before } => {
                (self.forgotten_before, self.forgotten_epoch) = (*before, self.epoch);
                for entry in self.entries.values_mut() {
                    let known = entry.desired_owner.as_ref().is_none_or(|w| w.sequence < *before);
                    if known {
                        (entry.desired_owner, entry.current_target, entry.held_until) = (None, None, None);
                        entry.banned.clear();
                    }
                    for placement in entry.placements.values_mut() {
                        (placement.fenced, placement.bound) = (None, false);
                    }
                }
            }
            Record::Dropped { resource, host: None } => {
                // Generations only grow, also if the resource comes back.
                let generation = self.entries.get(resource).map_or(Generation::NONE, |e| e.generation);
                self.entries.insert(resource.clone(), ResourceLedger::dropped(generation));
            }
            Record::Dropped { resource, host: Some(host) } => {
                let entry = self.entries.entry(resource.clone()).or_default();
                entry.dropped = entry.generation;
                entry.placements.remove(host);
                entry.banned.remove(host);
                if entry.desired_owner.as_ref().is_some_and(|w| w.host == *host) {
                    (entry.desired_owner, entry.current_target, entry.held_until) = (None, None, None);
                }
                entry.current_target = entry.current_target.take().filter(|p| p != host);
            }
        }
    }
}

/// Applies an intent. `up(h)` makes h the desired owner. `down(h)` bans h from holding the resource, except if a newer intent
/// desires h. Of two intents with the same sequence for one host, the later one counts.
fn accept(entry: &mut ResourceLedger, intent: &Intent) {
    match intent.verb {
        IntentVerb::Up => {
            let (operator, at) = (intent.operator, intent.at);
            let moved = entry.desired_owner.as_ref().is_none_or(|w| w.host != intent.host || w.sequence < intent.sequence);
            if moved {
                entry.desired_owner = Some(DesiredOwner { host: intent.host.clone(), sequence: intent.sequence, operator, at });
            }
            if entry.banned.get(&intent.host).is_some_and(|ban| *ban <= intent.sequence) {
                entry.banned.remove(&intent.host);
            }
        }
        IntentVerb::Down => {
            let ban = entry.banned.entry(intent.host.clone()).or_insert(intent.sequence);
            *ban = (*ban).max(intent.sequence);
        }
    }
}
