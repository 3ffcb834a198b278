//! Pairs without a primary: a member claims to be backup, and no member is primary. If this lasts, people are notified of the
//! beginning and the end, and the resource of such a pair is not settled.
//!
//! A member counts as primary if its newest claim says so and its host is not lost. A member that has never claimed anything
//! counts as primary while the pair's resource should be on its host and the host is connected. All of this is computed again each
//! time, and nothing is stored.

use std::collections::BTreeSet;

use crate::core::base::limits::NO_PRIMARY_AFTER;
use crate::core::base::time::{Time, duration_text};
use crate::core::inventory::{Name, Pair};

use super::{Controller, Output};
use crate::core::notice::{Kind, Notice};

/// A pair without a primary.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vacancy {
    /// When this controller first saw it.
    since: Time,
    notified: bool,
}

impl Controller {
    /// Marks the roles of all pairs as possibly changed.
    pub(super) fn all_roles_changed(&mut self) {
        self.roles_due = self.inventory.pairs.keys().cloned().collect();
    }

    /// Evaluates the pairs whose roles may have changed, and those that have been without a primary for long enough.
    pub(super) fn look_at_roles(&mut self, now: Time, out: &mut Vec<Output>) {
        let due = self.vacancies.iter().filter(|(_, v)| !v.notified && v.since + NO_PRIMARY_AFTER <= now).map(|(p, _)| p.clone());
        let mut pairs: BTreeSet<Name> = due.collect();
        pairs.append(&mut self.roles_due);
        for name in pairs {
            let pair = self.inventory.pairs.get(&name).cloned();
            let says = pair.as_ref().filter(|pair| self.is_vacant(pair));
            match (says, self.vacancies.get(&name).copied()) {
                (None, None) => {}
                (None, Some(vacancy)) => {
                    self.vacancies.remove(&name);
                    if vacancy.notified {
                        let text = format!("a member of {name} is known to be primary again, or the pair was removed");
                        out.push(notice(Kind::PrimaryKnown, &name, pair.as_ref(), text));
                    }
                }
                (Some(_), None) => {
                    self.vacancies.insert(name, Vacancy { since: now, notified: false });
                }
                (Some(pair), Some(vacancy)) if !vacancy.notified && vacancy.since + NO_PRIMARY_AFTER <= now => {
                    let text = format!(
                        "no member of {name} has been primary for {}: {} Check the servers; `pointsman move` moves the resource",
                        duration_text(now.since(vacancy.since)),
                        self.roles_in_words(pair),
                    );
                    out.push(notice(Kind::NoPrimary, &name, Some(pair), text));
                    self.vacancies.insert(name, Vacancy { notified: true, ..vacancy });
                }
                (Some(_), Some(_)) => {}
            }
        }
    }

    /// When a pair will have been without a primary for long enough to notify people.
    pub(super) fn next_vacancy(&self) -> Option<Time> {
        self.vacancies.values().filter(|v| !v.notified).map(|v| v.since + NO_PRIMARY_AFTER).min()
    }

    /// True if the resource is where it should be, and its pair, if it has one, has a primary.
    pub fn is_settled(&self, resource: &str) -> bool {
        self.planner.is_as_wanted(resource) && self.without_primary(resource).is_none()
    }

    /// Why the resource waits where it is; `None` if it is settled or under way.
    pub fn blocked_reason(&self, resource: &str) -> Option<String> {
        self.planner.held(resource).or_else(|| self.without_primary(resource))
    }

    /// Why the resource is not settled although it is where it should be: its pair has no primary.
    pub(super) fn without_primary(&self, resource: &str) -> Option<String> {
        let notified = self.vacancies.iter().filter(|(_, v)| v.notified);
        let mut pairs = notified.filter_map(|(name, _)| Some((name, self.inventory.pairs.get(name)?)));
        let (name, _) = pairs.find(|(_, pair)| pair.resource.as_deref() == Some(resource))?;
        Some(format!("no member of {name} is known to be primary"))
    }

    /// True if a member claims to be backup and no member is primary.
    fn is_vacant(&self, pair: &Pair) -> bool {
        let members = [&pair.primary, &pair.backup];
        let says_backup = |app: &&Name| self.engine.state().claim(app).is_some_and(|claim| !claim.primary);
        members.iter().any(says_backup) && !members.iter().any(|app| self.is_primary(pair, app))
    }

    fn is_primary(&self, pair: &Pair, app: &Name) -> bool {
        let Some(host) = self.inventory.host_of(app) else { return false };
        if self.engine.state().is_lost(host) {
            return false;
        }
        match self.engine.state().claim(app) {
            Some(claim) => claim.primary,
            None => pair.resource.as_ref().and_then(|resource| self.planner.owner(resource)) == Some(host),
        }
    }

    fn roles_in_words(&self, pair: &Pair) -> String {
        let state = self.engine.state();
        let says = |app: &Name| {
            let lost = self.inventory.host_of(app).filter(|host| state.is_lost(host));
            match (state.claim(app), lost) {
                (_, Some(host)) => format!("{host}, where {app} runs, does not report;"),
                (Some(claim), None) if claim.primary => format!("{app} claimed at {} to be primary;", claim.at),
                (Some(claim), None) => format!("{app} claimed at {} to be backup;", claim.at),
                (None, None) => format!("{app} has claimed nothing;"),
            }
        };
        let both = format!("{} {}", says(&pair.primary), says(&pair.backup));
        format!("{}.", both.trim_end_matches(';'))
    }
}

fn notice(kind: Kind, name: &Name, pair: Option<&Pair>, text: String) -> Output {
    Output::Notice(Notice {
        resource: pair.and_then(|p| p.resource.clone()),
        pair: Some(name.clone()),
        ..Notice::new(kind, text)
    })
}
