//! The sender of a question on the control socket: the user of the other end, as the kernel reports it, and the user who called
//! `sudo`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::unix::UCred;
use tokio::sync::Semaphore;

use crate::core::base::text::printable_short;
use crate::core::base::time::duration_text;
use crate::core::config::{Access, AccessLevel};
use crate::shell::linux::{groups_of, own_uid, user_name};

use super::asker_limits::Who;
use super::questions::Question;

/// The number of characters of a `sudo` user's name that are kept. The rest of a longer name is cut.
const NAME: usize = 100;
/// How long a user's name and groups are looked up. They may come from a directory service on the network.
const LOOKUP: Duration = Duration::from_secs(2);
/// The number of lookups at once. One that hangs keeps its thread until it ends.
const LOOKUPS: usize = 4;

/// A question as it arrives on the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub question: Question,
    /// The user who called `sudo` (`SUDO_USER`), as the sender says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sudo: Option<String>,
}

/// The user who asks a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// `None` if the kernel does not say.
    uid: Option<u32>,
    user: String,
    groups: Vec<String>,
    sudo: Option<String>,
}

/// Finds the names of users and their groups, a limited number at once and in limited time. A user has one lookup at a time, so
/// one whose lookups hang does not keep others from theirs.
#[derive(Clone, Debug)]
pub(super) struct UserLookups {
    threads: Arc<Semaphore>,
    /// The turns of users who are being looked up.
    turns: Arc<Mutex<BTreeMap<u32, Weak<Semaphore>>>>,
}

impl UserLookups {
    pub(super) fn new() -> UserLookups {
        UserLookups { threads: Arc::new(Semaphore::new(LOOKUPS)), turns: Arc::default() }
    }

    /// The user with these credentials. Root is always known.
    ///
    /// # Errors
    /// Returns an error text if the groups of an ordinary user could not be found in time.
    pub(super) async fn asker(&self, peer: Option<UCred>) -> Result<Asker, String> {
        let Some(peer) = peer else {
            return Ok(Asker { user: "an unknown user".to_owned(), ..Asker::default() });
        };
        let (uid, gid) = (peer.uid(), peer.gid());
        if uid == 0 {
            return Ok(Asker { uid: Some(uid), user: "root".to_owned(), ..Asker::default() });
        }
        let found = self.look_up(uid, LOOKUP, move || {
            let user = user_name(uid);
            let groups = groups_of(&user, gid);
            (user, groups)
        });
        match found.await {
            Some((user, groups)) => Ok(Asker { uid: Some(uid), user, groups, sudo: None }),
            None if owns(uid) => Ok(Asker { uid: Some(uid), user: format!("uid {uid}"), ..Asker::default() }),
            None => Err(format!(
                "the groups of uid {uid} were not found within {}: does the directory service answer (`id {uid}`)? Root needs no lookup",
                duration_text(LOOKUP)
            )),
        }
    }

    /// The result of work about a user that may block; `None` if it did not end in time.
    async fn look_up<T: Send + 'static>(
        &self,
        uid: u32,
        within: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let found = async {
            let turn = self.turn(uid).acquire_owned().await.ok()?;
            let thread = self.threads.clone().acquire_owned().await.ok()?;
            let work = move || {
                let found = work();
                drop((turn, thread));
                found
            };
            tokio::task::spawn_blocking(work).await.ok()
        };
        tokio::time::timeout(within, found).await.ok().flatten()
    }

    fn turn(&self, uid: u32) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        let known = turns.get(&uid).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let turn = Arc::new(Semaphore::new(1));
            turns.insert(uid, Arc::downgrade(&turn));
            turn
        })
    }
}

/// True for root and for the controller's own user.
fn owns(uid: u32) -> bool {
    uid == 0 || uid == own_uid()
}

/// The user of a connection, as far as it matters for the number of connections.
pub(super) fn who(peer: Option<&UCred>) -> Who {
    match peer.map(UCred::uid) {
        Some(uid) if owns(uid) => Who::Owner,
        uid => Who::Other(uid),
    }
}

impl Asker {
    /// The same user, with the one who called `sudo`. Only users who may do everything anyway are believed.
    pub(super) fn by_way_of(self, sudo: Option<String>) -> Asker {
        let sudo = sudo.filter(|name| self.owns() && !name.is_empty() && *name != self.user);
        Asker { sudo: sudo.map(|name| printable_short(&name, NAME)), ..self }
    }

    fn owns(&self) -> bool {
        self.uid.is_some_and(owns)
    }

    /// The access level of this user; `None` if the user has no access.
    pub(super) fn level(&self, access: &Access) -> Option<AccessLevel> {
        if self.owns() { Some(AccessLevel::Administrator) } else { access.level_of(&self.user, &self.groups) }
    }

    /// The name for the journal: the user, and who called `sudo`.
    pub fn name(&self) -> String {
        match &self.sudo {
            Some(sudo) => format!("{sudo} (sudo as {})", self.user),
            None => self.user.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory service that hangs delays an answer for a bounded time and holds a bounded number of threads, and none that
    /// another user needs.
    #[tokio::test]
    async fn lookups_that_hang_end_in_time_and_block_nobody_else() {
        let lookups = UserLookups::new();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let ended = Arc::new(std::sync::Mutex::new(ended));
        let hangs = || {
            let ended = ended.clone();
            move || drop(ended.lock().map(|ended| ended.recv()))
        };
        for _ in 0..2 * LOOKUPS {
            assert_eq!(lookups.look_up(1, Duration::from_millis(10), hangs()).await, None);
        }
        assert_eq!(lookups.threads.available_permits(), LOOKUPS - 1);
        assert_eq!(lookups.look_up(2, Duration::from_secs(60), || 7).await, Some(7), "another user is looked up");
        for uid in 2..8 {
            assert_eq!(lookups.look_up(uid, Duration::from_millis(10), hangs()).await, None);
        }
        assert_eq!(lookups.threads.available_permits(), 0);
        drop(end);
        while lookups.threads.available_permits() < LOOKUPS {
            tokio::task::yield_now().await;
        }
        assert_eq!(lookups.look_up(1, Duration::from_secs(60), || 8).await, Some(8), "once they end, others are looked up");
        assert_eq!(lookups.turns.lock().unwrap().len(), 1, "users are forgotten");
    }
}
