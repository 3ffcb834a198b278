//! How many users may ask at once. One user of this machine never keeps the others from an answer.
//!
//! ```text
//!   connection --> counted by user --> its question is read --> a place --> asked and answered
//!                  too many: refused                            waits for its turn
//! ```
//!
//! Root and the controller's own user have places of their own. All other users share places, of which one user has a part. A
//! place is taken after the question was read, so a connection that says nothing holds none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::core::base::limits::{ANSWERS, ANSWERS_OF_OTHERS, ANSWERS_OF_USER, ASKERS, ASKERS_OF_OTHERS, ASKERS_OF_USER};

/// Counts connections of the control socket by user.
#[derive(Clone, Debug)]
pub(super) struct AskerLimits {
    owners: Arc<Semaphore>,
    others: Arc<Semaphore>,
    open: Arc<Mutex<BTreeMap<Who, Own>>>,
}

/// The user of a connection, as far as it matters for the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// Root or the controller's own user.
    Owner,
    /// Another user by its number; `None` if the kernel does not say.
    Other(Option<u32>),
}

/// The connections of one user.
#[derive(Debug)]
struct Own {
    connections: usize,
    places: Arc<Semaphore>,
}

/// One connection that was admitted. It counts until this is dropped.
#[derive(Debug)]
pub(super) struct AskerSlot {
    limits: AskerLimits,
    who: Who,
    places: Arc<Semaphore>,
}

impl AskerLimits {
    pub(super) fn new() -> AskerLimits {
        AskerLimits {
            owners: Arc::new(Semaphore::new(ANSWERS)),
            others: Arc::new(Semaphore::new(ANSWERS_OF_OTHERS)),
            open: Arc::default(),
        }
    }

    /// Admits a connection, or returns `None` if this user has too many, or all ordinary users together.
    pub(super) fn admit(&self, who: Who) -> Option<AskerSlot> {
        let mut open = self.lock();
        let others = || open.iter().filter(|(w, _)| **w != Who::Owner).map(|(_, own)| own.connections).sum::<usize>();
        let (most, has_room) = match who {
            Who::Owner => (ASKERS, true),
            Who::Other(_) => (ASKERS_OF_USER, others() < ASKERS_OF_OTHERS),
        };
        if !has_room || open.get(&who).is_some_and(|own| own.connections >= most) {
            return None;
        }
        let places = || match who {
            Who::Owner => self.owners.clone(),
            Who::Other(_) => Arc::new(Semaphore::new(ANSWERS_OF_USER)),
        };
        let own = open.entry(who).or_insert_with(|| Own { connections: 0, places: places() });
        own.connections += 1;
        Some(AskerSlot { limits: self.clone(), who, places: own.places.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Who, Own>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AskerSlot {
    /// Waits for a place: first for one of this user, then for one of all ordinary users.
    pub(super) async fn place(&self) -> [Option<OwnedSemaphorePermit>; 2] {
        // The semaphores are never closed.
        let own = self.places.clone().acquire_owned().await.ok();
        let shared = match self.who {
            Who::Owner => None,
            Who::Other(_) => self.limits.others.clone().acquire_owned().await.ok(),
        };
        [own, shared]
    }
}

impl Drop for AskerSlot {
    fn drop(&mut self) {
        let mut open = self.limits.lock();
        let left = open.get_mut(&self.who).map_or(0, |own| {
            own.connections = own.connections.saturating_sub(1);
            own.connections
        });
        if left == 0 {
            open.remove(&self.who);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_shuts_out_neither_root_nor_another_user() {
        let limits = AskerLimits::new();
        let greedy: Vec<AskerSlot> = (0..1_000).map_while(|_| limits.admit(Who::Other(Some(1_000)))).collect();
        assert_eq!(greedy.len(), ASKERS_OF_USER);
        assert!(limits.admit(Who::Other(Some(1_001))).is_some() && limits.admit(Who::Owner).is_some());
        // A user with many numbers (user namespaces) shuts out ordinary users at most.
        let many: Vec<AskerSlot> = (2_000..9_000).filter_map(|uid| limits.admit(Who::Other(Some(uid)))).collect();
        assert_eq!(many.len() + greedy.len(), ASKERS_OF_OTHERS);
        assert!(limits.admit(Who::Other(None)).is_none());
        let root: Vec<AskerSlot> = (0..1_000).map_while(|_| limits.admit(Who::Owner)).collect();
        assert_eq!(root.len(), ASKERS);
        drop((greedy, many, root));
        assert!(limits.lock().is_empty());
        assert!(limits.admit(Who::Other(Some(1_000))).is_some());
    }

    #[tokio::test]
    async fn a_user_who_reads_no_answers_holds_only_places_of_its_own() {
        let limits = AskerLimits::new();
        let slots: Vec<AskerSlot> = (0..=ANSWERS_OF_USER).filter_map(|_| limits.admit(Who::Other(Some(1_000)))).collect();
        let mut held = Vec::new();
        for slot in &slots[..ANSWERS_OF_USER] {
            held.push(slot.place().await);
        }
        let waits = std::pin::pin!(slots[ANSWERS_OF_USER].place());
        assert!(matches!(futures_poll(waits).await, std::task::Poll::Pending), "its next question waits");
        let (root, other) = (limits.admit(Who::Owner).unwrap(), limits.admit(Who::Other(Some(1_001))).unwrap());
        assert!(root.place().await[0].is_some() && other.place().await[1].is_some());
    }

    /// Polls a future once.
    async fn futures_poll<F: Future + Unpin>(mut future: F) -> std::task::Poll<F::Output> {
        std::future::poll_fn(|context| std::task::Poll::Ready(std::pin::Pin::new(&mut future).poll(context))).await
    }
}
