//! Bytes that a queue or a set of buffers may hold at once.
//!
//! ```text
//!   Budget: [ common ............................ | reserved for trusted senders ]
//!   anybody      takes from the common part, or waits for it
//!   trusted      takes from the common part, else from the reserved part, else waits for the reserved part
//! ```
//!
//! A holder of bytes has a [`Room`], which returns its bytes to the budget when it is dropped. Waiting is fair: the first waiter
//! is the first to get room. Invariant: the sum of all rooms never exceeds the limit of the budget. This module does not know
//! what the bytes are. Tests: below.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The reserved part is one quarter of the whole budget.
const RESERVED_ONE_IN: usize = 4;

/// A limit of bytes that several holders share.
#[derive(Clone, Debug)]
pub struct Budget {
    common: Part,
    reserved: Part,
}

#[derive(Clone, Debug)]
struct Part {
    free: Arc<Semaphore>,
    /// The total number of bytes. A larger request takes all of them.
    bytes: u32,
}

/// Bytes of a budget that somebody uses. They return to the budget when this is dropped.
#[derive(Debug)]
pub struct Room {
    _permit: OwnedSemaphorePermit,
}

impl Budget {
    /// Makes a budget of `bytes` (at most 4 GiB). A quarter of it is reserved for trusted senders.
    pub fn new(bytes: usize) -> Budget {
        let reserved = bytes / RESERVED_ONE_IN;
        Budget { common: Part::new(bytes - reserved), reserved: Part::new(reserved) }
    }

    /// Takes room for `bytes` if it is free now.
    pub fn try_take(&self, bytes: usize, trusted: bool) -> Option<Room> {
        let reserved = || if trusted { self.reserved.try_take(bytes) } else { None };
        self.common.try_take(bytes).or_else(reserved)
    }

    /// Takes room for `bytes` and waits until it is free. A cancelled wait takes nothing.
    pub async fn take(&self, bytes: usize, trusted: bool) -> Room {
        if let Some(room) = self.try_take(bytes, trusted) {
            return room;
        }
        let part = if trusted { &self.reserved } else { &self.common };
        part.take(bytes).await
    }

    /// Takes room for `bytes` and blocks the calling thread until it is free. Must not be called within a task of a runtime.
    pub fn take_blocking(&self, bytes: usize, trusted: bool) -> Room {
        wait_for(self.take(bytes, trusted))
    }

    /// The number of bytes that are free.
    pub fn free(&self) -> usize {
        self.common.free.available_permits() + self.reserved.free.available_permits()
    }
}

impl Part {
    fn new(bytes: usize) -> Part {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        Part { free: Arc::new(Semaphore::new(bytes as usize)), bytes }
    }

    fn clamped(&self, bytes: usize) -> u32 {
        u32::try_from(bytes).unwrap_or(u32::MAX).min(self.bytes)
    }

    fn try_take(&self, bytes: usize) -> Option<Room> {
        let permit = self.free.clone().try_acquire_many_owned(self.clamped(bytes)).ok()?;
        Some(Room { _permit: permit })
    }

    async fn take(&self, bytes: usize) -> Room {
        let permit = self.free.clone().acquire_many_owned(self.clamped(bytes)).await;
        Room { _permit: permit.expect("this semaphore is never closed") }
    }
}

/// Waits for a future on a thread that has no runtime.
pub fn wait_for<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_senders_never_take_the_reserved_quarter() {
        let budget = Budget::new(1_000);
        let forged: Vec<Room> = (0..100).map_while(|_| budget.try_take(10, false)).collect();
        assert_eq!(forged.len(), 75);
        let genuine: Vec<Room> = (0..100).map_while(|_| budget.try_take(10, true)).collect();
        assert_eq!(genuine.len(), 25);
        drop(forged);
        assert_eq!(budget.free(), 750);
        assert!(budget.try_take(700, true).is_some(), "trusted senders use the common part as well");
    }

    #[test]
    fn a_request_larger_than_the_budget_takes_all_of_it_and_not_more() {
        let budget = Budget::new(1_000);
        let all = budget.try_take(1 << 40, false).unwrap();
        assert!(budget.try_take(1, false).is_none());
        drop(all);
        assert_eq!(budget.free(), 1_000);
    }

    #[test]
    fn a_thread_waits_until_room_is_given_back() {
        let budget = Budget::new(1_000);
        let held = budget.try_take(750, false).unwrap();
        let waiting = {
            let budget = budget.clone();
            thread::spawn(move || drop(budget.take_blocking(100, false)))
        };
        drop(held);
        waiting.join().unwrap();
        assert_eq!(budget.free(), 1_000);
    }
}
