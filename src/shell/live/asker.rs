//! Who asks on the control socket: the user of the other end, as the kernel says, and who called `sudo` for that.

use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;

use crate::core::base::text::printable_short;
use crate::core::config::{Access, AccessLevel};
use crate::shell::linux::{groups_of, own_uid, user_name};

use super::questions::Question;

/// Characters of the name of who called `sudo`; of a longer one the rest is cut.
const NAME: usize = 100;

/// A question as it comes through the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub question: Question,
    /// Who called `sudo` (`SUDO_USER`), as the one who asks says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sudo: Option<String>,
}

/// Somebody who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// `None` where the kernel does not say.
    uid: Option<u32>,
    user: String,
    groups: Vec<String>,
    sudo: Option<String>,
}

impl Asker {
    /// The other end of a connection.
    pub(super) fn of(stream: &UnixStream) -> Asker {
        match stream.peer_cred() {
            Ok(peer) => {
                let user = user_name(peer.uid());
                Asker { uid: Some(peer.uid()), groups: groups_of(&user, peer.gid()), user, sudo: None }
            }
            Err(_) => Asker { user: "an unknown user".to_owned(), ..Asker::default() },
        }
    }

    /// The same, called by way of `sudo`. Only who could say anything anyway is believed.
    pub(super) fn by_way_of(self, sudo: Option<String>) -> Asker {
        let sudo = sudo.filter(|name| self.owns() && !name.is_empty() && *name != self.user);
        Asker { sudo: sudo.map(|name| printable_short(&name, NAME)), ..self }
    }

    /// Root, or the controller's own user.
    fn owns(&self) -> bool {
        self.uid.is_some_and(|uid| uid == 0 || uid == own_uid())
    }

    /// How much he or she may do.
    pub(super) fn level(&self, access: &Access) -> Option<AccessLevel> {
        if self.owns() { Some(AccessLevel::Administrator) } else { access.level_of(&self.user, &self.groups) }
    }

    /// For the journal: the user, and who called `sudo`.
    pub fn name(&self) -> String {
        match &self.sudo {
            Some(sudo) => format!("{sudo} (sudo as {})", self.user),
            None => self.user.clone(),
        }
    }
}
