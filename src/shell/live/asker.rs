//! The sender of a question on the control socket: the user of the other end, as the kernel reports it, and the user who called
//! `sudo`.

use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;

use crate::core::base::text::printable_short;
use crate::core::config::{Access, AccessLevel};
use crate::shell::linux::{groups_of, own_uid, user_name};

use super::questions::Question;

/// The number of characters of a `sudo` user's name that are kept. The rest of a longer name is cut.
const NAME: usize = 100;

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

impl Asker {
    /// The user at the other end of a connection.
    pub(super) fn of(stream: &UnixStream) -> Asker {
        match stream.peer_cred() {
            Ok(peer) => {
                let user = user_name(peer.uid());
                Asker { uid: Some(peer.uid()), groups: groups_of(&user, peer.gid()), user, sudo: None }
            }
            Err(_) => Asker { user: "an unknown user".to_owned(), ..Asker::default() },
        }
    }

    /// The same user, with the one who called `sudo`. Only users who may do everything anyway are believed.
    pub(super) fn by_way_of(self, sudo: Option<String>) -> Asker {
        let sudo = sudo.filter(|name| self.owns() && !name.is_empty() && *name != self.user);
        Asker { sudo: sudo.map(|name| printable_short(&name, NAME)), ..self }
    }

    /// True for root and for the controller's own user.
    fn owns(&self) -> bool {
        self.uid.is_some_and(|uid| uid == 0 || uid == own_uid())
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
