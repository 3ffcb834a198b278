//! What the planner must not forget: wishes, orders given, grants that can't act any more, holds. A fold over [`Record`]s.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::base::time::Time;
use crate::core::inventory::{Moves, Name, ResourceKind, Takeover, Via};
use crate::core::vote::promise_lasts;
use crate::core::wire::{Generation, Terms};

use super::{Intent, IntentVerb};

/// A decision of the planner, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "planned")]
pub enum Record {
    /// Generations are of this epoch from now on.
    Epoch {
        epoch: u64,
    },
    /// An intent was accepted.
    Intent(Intent),
    /// The sole holder, found at the start, becomes desired owner.
    Adopted {
        resource: Name,
        host: Name,
    },
    /// The desired owner is pursued from now on: a move begins.
    Move {
        resource: Name,
        to: Name,
        at: Time,
    },
    /// A host is told to hold the resource, or not to.
    Ordered {
        resource: Name,
        host: Name,
        order: Instruction,
        /// With which fencing number.
        generation: Generation,
        /// Of a Take: what was granted. None in journals of earlier versions, and for what an agent knew and this journal did not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        granted: Option<Box<Granted>>,
    },
    /// No grant up to this generation can act on this host any more: it was seen without the resource and obeys newer
    /// orders only; or the takeover policy's evidence, or an operator, says so.
    Fenced {
        resource: Name,
        host: Name,
        /// Up to which fencing number.
        generation: Generation,
    },
    /// A host was seen to hold it by an order of ours: whatever was on it before, it is held on our terms now.
    Bound {
        resource: Name,
        host: Name,
        /// By the order with this fencing number; older ones can't act any more.
        #[serde(default)]
        generation: Generation,
    },
    /// Too many moves: none until then.
    Held {
        resource: Name,
        until: Time,
        /// Holds in a row, this one included.
        holds: u32,
    },
    Freed {
        resource: Name,
    },
    /// The journal lost records: who should have what is not known, nothing proves that a host does not have it, and what older
    /// inputs ask for counts no more.
    Forgotten {
        /// Inputs before this one are older.
        before: u64,
    },
    /// The resource is paused, and a move that had begun before is finished first; or it has ended.
    Finishing {
        resource: Name,
        finishing: bool,
    },
    /// The configuration does not have the resource any more, or not on this host.
    Dropped {
        resource: Name,
        /// From which host; from all when none is named.
        host: Option<Name>,
    },
}

/// What a host was told last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Instruction {
    /// Not to hold it.
    #[default]
    Release,
    Take,
}

/// The desired owner, and by which order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredOwner {
    pub host: Name,
    pub order: u64,
    /// An operator said so.
    pub operator: bool,
}

/// What a host was granted. What follows from a grant follows from this, and not from what is configured now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// On what terms it may hold the resource.
    pub terms: Terms,
    /// What the resource was.
    pub what: ResourceKind,
    /// How the host was reached.
    pub via: Via,
}

/// Grants on equal terms that may still act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The newest of them.
    pub generation: Generation,
    /// What was granted; unknown where the journal does not say.
    pub granted: Option<Granted>,
}

/// What was told to one host about one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacementLedger {
    pub order: Instruction,
    pub ordered: Generation,
    /// The newest generation of a Take.
    pub granted: Generation,
    /// No grant up to here can act any more; `None` until the host first showed that it holds nothing.
    pub fenced: Option<Generation>,
    /// The grants that may still act, by their terms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// It was once seen without the resource, or holding it by our order. Until then it may have had it before we came, on
    /// nobody's terms, and neither silence nor the end of a lease proves anything about it.
    pub bound: bool,
}

impl PlacementLedger {
    /// True when no grant that was ever given can act any more.
    pub fn is_fenced(&self) -> bool {
        self.fenced.is_some_and(|f| f >= self.granted)
    }

    /// What was granted and may still act; a `None` is a grant of which nothing is known.
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

    /// What the newest grant granted, when that is known.
    pub fn newest(&self) -> Option<&Granted> {
        self.grants.iter().find(|g| g.generation == self.granted)?.granted.as_ref()
    }

    fn grant(&mut self, generation: Generation, granted: Option<Granted>) {
        self.granted = generation;
        if let Some(same) = self.grants.iter_mut().find(|g| g.granted == granted) {
            same.generation = generation;
            return;
        }
        // Terms change by hand only. When nobody was seen to obey for so many changes, the oldest is not told from unknown ones.
        if self.grants.len() == GRANTS_KEPT {
            self.grants.retain(|g| g.granted.is_some());
            if let Some(oldest) = self.grants.first_mut() {
                oldest.granted = None;
            }
        }
        self.grants.push(Grant { generation, granted });
    }
}

/// One resource in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceLedger {
    /// Desired owner; `None` while unknown.
    #[serde(alias = "wish")]
    pub desired_owner: Option<DesiredOwner>,
    /// Hosts that must not hold it, by the order that said so.
    pub banned: BTreeMap<Name, u64>,
    /// The owner that is pursued: the desired owner, unless that is held back.
    #[serde(alias = "pursued")]
    pub current_target: Option<Name>,
    /// The last generation issued.
    pub generation: Generation,
    #[serde(alias = "seats")]
    pub placements: BTreeMap<Name, PlacementLedger>,
    /// When the last moves began, oldest first.
    pub moves: VecDeque<Time>,
    /// No move until then.
    pub held_until: Option<Time>,
    /// Holds in a row.
    pub holds: u32,
    /// A hold just ended: one move goes through.
    pub free_move: bool,
    /// It is paused, and the move that had begun before is finished first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub finishing: bool,
}

impl ResourceLedger {
    /// True when one more move at `now` is within the limit.
    pub(super) fn may_move(&self, now: Time, limit: Moves) -> bool {
        self.free_move || self.moves.iter().filter(|at| now.since(**at) < limit.per).count() < limit.count as usize
    }
}

/// All resources: the fold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    epoch: u64,
    entries: BTreeMap<Name, ResourceLedger>,
    /// How long the longest promise lasts that the controller may have given as a voter.
    #[serde(default)]
    longest_promise: Duration,
    /// Intents of inputs before this one are superseded: the journal lost what came after them.
    #[serde(default, skip_serializing_if = "is_zero")]
    forgotten_before: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Starts of a controller that a journal may have lost at most: epochs after a loss are beyond all that were used.
const EPOCHS_LOST: u64 = 1_000_000;

/// What is recorded when records of the journal were lost, and that is accepted by the input of this number.
pub fn forget(ledger: &Ledger, order: u64) -> [Record; 2] {
    [Record::Forgotten { before: order }, Record::Epoch { epoch: ledger.epoch.saturating_add(EPOCHS_LOST) }]
}

/// Different terms that are remembered of one host's grants.
const GRANTS_KEPT: usize = 8;

/// Beginnings of moves that are remembered for damping.
const MOVES_KEPT: usize = 64;

impl Ledger {
    /// The current epoch; 0 before the first start.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// How long the longest promise lasts that the controller may have given as a voter; zero when it never gave one.
    pub fn longest_promise(&self) -> Duration {
        self.longest_promise
    }

    /// One resource, once anything is known of it.
    pub fn entry(&self, resource: &str) -> Option<&ResourceLedger> {
        self.entries.get(resource)
    }

    /// All resources of which anything is known.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Name, &ResourceLedger)> {
        self.entries.iter()
    }

    /// What was told to one host about one resource.
    pub fn placement(&self, resource: &str, host: &str) -> Option<&PlacementLedger> {
        self.entries.get(resource)?.placements.get(host)
    }

    /// The generation of the next order for a resource.
    pub(super) fn next_generation(&self, resource: &str) -> Generation {
        let last = self.entries.get(resource).map_or(Generation::NONE, |e| e.generation);
        let n = if last.epoch == self.epoch { last.n.saturating_add(1) } else { 1 };
        Generation { epoch: self.epoch, n }
    }

    /// True when the resource has a newer order than the intent's.
    pub(super) fn supersedes(&self, intent: &Intent) -> bool {
        if intent.order < self.forgotten_before {
            return true;
        }
        let Some(desired_owner) = self.entries.get(&intent.resource).and_then(|e| e.desired_owner.as_ref()) else {
            return false;
        };
        match intent.verb {
            IntentVerb::Up => intent.order < desired_owner.order,
            IntentVerb::Down => desired_owner.host == intent.host && intent.order < desired_owner.order,
        }
    }

    /// True when accepting the intent would change the ledger: what repeats what is known need not be journaled.
    pub(super) fn changes(&self, intent: &Intent) -> bool {
        let mut after = self.entries.get(&intent.resource).cloned().unwrap_or_default();
        let before = after.clone();
        accept(&mut after, intent);
        after != before
    }

    /// Applies one record. The only way in which a ledger changes.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Epoch { epoch } => self.epoch = *epoch,
            Record::Intent(intent) => accept(self.entries.entry(intent.resource.clone()).or_default(), intent),
            Record::Adopted { resource, host } => {
                let entry = self.entries.entry(resource.clone()).or_default();
                entry.desired_owner = Some(DesiredOwner { host: host.clone(), order: 0, operator: false });
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
            Record::Ordered { resource, host, order, generation, granted } => {
                if let Some(granted) = granted.as_ref().filter(|g| g.terms.takeover == Takeover::Quorum) {
                    self.longest_promise = self.longest_promise.max(promise_lasts(granted.terms.isolation));
                }
                let entry = self.entries.entry(resource.clone()).or_default();
                entry.generation = entry.generation.max(*generation);
                let placement = entry.placements.entry(host.clone()).or_default();
                placement.order = *order;
                placement.ordered = *generation;
                if *order == Instruction::Take {
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
                self.forgotten_before = *before;
                for entry in self.entries.values_mut() {
                    let known = entry.desired_owner.as_ref().is_none_or(|w| w.order < *before);
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
                // Numbers only grow, also when it comes back.
                let generation = self.entries.get(resource).map_or(Generation::NONE, |e| e.generation);
                self.entries.insert(resource.clone(), ResourceLedger { generation, ..ResourceLedger::default() });
            }
            Record::Dropped { resource, host: Some(host) } => {
                let entry = self.entries.entry(resource.clone()).or_default();
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

/// `up(h)`: the desired owner becomes h. `down(h)`: h must not hold it, unless it is desired by a newer order. Of two
/// intents of one order on one host the later one counts.
fn accept(entry: &mut ResourceLedger, intent: &Intent) {
    match intent.verb {
        IntentVerb::Up => {
            let operator = intent.operator;
            let moved = entry.desired_owner.as_ref().is_none_or(|w| w.host != intent.host || w.order < intent.order);
            if moved {
                entry.desired_owner = Some(DesiredOwner { host: intent.host.clone(), order: intent.order, operator });
            }
            if entry.banned.get(&intent.host).is_some_and(|ban| *ban <= intent.order) {
                entry.banned.remove(&intent.host);
            }
        }
        IntentVerb::Down => {
            let ban = entry.banned.entry(intent.host.clone()).or_insert(intent.order);
            *ban = (*ban).max(intent.order);
        }
    }
}
