//! Who may do what with a running controller: `access: { operator: { users: [ann], groups: [noc] } }`.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::yaml::{Section, YamlReader};

use super::keys;

/// A level of access to a running controller. Each level includes the levels below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessLevel {
    /// May look at everything, and change nothing.
    Viewer,
    /// May move resources, pause, silence, acknowledge, clear and approve.
    Operator,
    /// May state what agents do not know, accept a loss of journal records, and change the configuration.
    Administrator,
}

impl AccessLevel {
    pub const ALL: [AccessLevel; 3] = [AccessLevel::Viewer, AccessLevel::Operator, AccessLevel::Administrator];

    /// Its name, as in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            AccessLevel::Viewer => "viewer",
            AccessLevel::Operator => "operator",
            AccessLevel::Administrator => "administrator",
        }
    }
}

/// The users and groups that have a level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Grantees {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
}

/// Who may use the control socket, in addition to root and the controller's own user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    levels: BTreeMap<AccessLevel, Grantees>,
}

impl Access {
    /// True if no one else may use it: the socket is closed to others.
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// The users of all levels.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.levels.values().flat_map(|grantees| &grantees.users).map(String::as_str)
    }

    /// The groups of all levels.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.levels.values().flat_map(|grantees| &grantees.groups).map(String::as_str)
    }

    /// The highest level of a user who is in these groups; `None` means no access.
    pub fn level_of(&self, user: &str, groups: &[String]) -> Option<AccessLevel> {
        let has = |grantees: &Grantees| grantees.users.contains(user) || groups.iter().any(|g| grantees.groups.contains(g));
        self.levels.iter().rev().find(|(_, grantees)| has(grantees)).map(|(level, _)| *level)
    }
}

/// Reads the section, and reports what is wrong.
pub(super) fn access(reader: &mut YamlReader<'_>, top: &Section<'_>) -> Access {
    let mut access = Access::default();
    let Some(node) = top.get("access") else { return access };
    let Some(section) = reader.section(node, "access", &node.place.clone(), &keys::ACCESS) else { return access };
    for level in AccessLevel::ALL {
        let Some(node) = section.get(level.name()) else { continue };
        let Some(of_level) = reader.section(node, level.name(), &node.place.clone(), &keys::ACCESS_LEVEL) else { continue };
        let mut names = |key: &str| reader.texts(of_level.get(key)).into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>();
        let grantees = Grantees { users: names("users"), groups: names("groups") };
        if grantees != Grantees::default() {
            access.levels.insert(level, grantees);
        }
    }
    access
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_level_counts() {
        let grantees = |users: &[&str], groups: &[&str]| Grantees {
            users: users.iter().map(|u| (*u).to_owned()).collect(),
            groups: groups.iter().map(|g| (*g).to_owned()).collect(),
        };
        let access = Access {
            levels: [(AccessLevel::Viewer, grantees(&["bob"], &["staff"])), (AccessLevel::Operator, grantees(&[], &["noc"]))]
                .into(),
        };
        let of = |user: &str, groups: &[&str]| {
            access.level_of(user, &groups.iter().map(|g| (*g).to_owned()).collect::<Vec<_>>()).map(AccessLevel::name)
        };
        assert_eq!(of("bob", &[]), Some("viewer"));
        assert_eq!(of("bob", &["noc"]), Some("operator"));
        assert_eq!(of("ann", &["staff", "noc"]), Some("operator"));
        assert_eq!(of("eve", &["users"]), None);
        assert_eq!(of("noc", &[]), None, "a group is no user");
    }
}
