//! Who says to be primary: the newest claim of each application, and what follows from those that came too late to act.

use crate::base::time::Time;
use crate::event::{Event, EventId};
use crate::inventory::{CatchUp, Index, Inventory, Name, Pair};
use crate::lang::program::{Hit, IdPattern, Program};

use super::record::{Claim, Record};
use super::{Engine, Notice, Output};

/// What an event claims: the application by its inventory name, and whether it says to be primary. An id or a pattern of its pair
/// says so (`hits` are the conditions that it meets). A record that says both is no claim.
pub(super) fn claim_of<'a>(
    inventory: &'a Inventory,
    program: &Program,
    index: &Index,
    event: &Event<'_>,
    hits: &[Hit],
) -> Option<(&'a Name, bool)> {
    let patterns = !hits.is_empty() && !program.claims.is_empty();
    if event.id.is_none() && !patterns {
        return None;
    }
    let names = index.names(event);
    let pair = inventory.pairs.get(names.pair)?;
    let app = [&pair.primary, &pair.backup].into_iter().find(|member| *member == names.app)?;
    let by_id =
        |ids: &[EventId<'static>]| event.id.as_ref().is_some_and(|id| ids.iter().any(|want| IdPattern::of(want).meets(id)));
    let by_pattern = |primary: bool| {
        let of_role = program.claims.iter().filter(|claim| claim.primary == primary && claim.pair == names.pair);
        patterns && of_role.into_iter().any(|claim| hits.iter().any(|hit| hit.atom == claim.atom))
    };
    match (by_id(&pair.says_primary) || by_pattern(true), by_id(&pair.says_backup) || by_pattern(false)) {
        (true, false) => Some((app, true)),
        (false, true) => Some((app, false)),
        (true, true) | (false, false) => None,
    }
}

/// What the claims of a pair come to.
enum Verdict<'a> {
    /// Nobody says to be primary.
    Nobody,
    /// This one does, and nobody contradicts.
    One(&'a Name, &'a Claim),
    /// Both do, and the other's host is not lost.
    Both,
}

impl Engine {
    /// Records the claim of an event, if it is one.
    pub(super) fn claim(
        &mut self,
        arrived: Time,
        order: u64,
        backlog: bool,
        event: &Event<'_>,
        hits: &[Hit],
        out: &mut Vec<Output>,
    ) {
        let inventory = self.inventory.clone();
        if let Some((app, primary)) = claim_of(&inventory, &self.program, &self.index, event, hits) {
            let claim = Claim { primary, order, at: event.at.unwrap_or(arrived), backlog, provenance: event.provenance };
            // Of two records of one application the one that was written later counts, in whatever order they are read.
            let newer = self.state.claims.get(app).is_none_or(|last| last.at <= claim.at || !backlog);
            if newer {
                self.record(Record::Claimed { app: app.clone(), claim }, out);
            }
        }
    }

    /// Weighs the claims of every pair of which some came out of a backlog.
    pub(super) fn weigh(&mut self, out: &mut Vec<Output>) {
        let inventory = self.inventory.clone();
        for (name, pair) in &inventory.pairs {
            let members = [&pair.primary, &pair.backup];
            if !members.iter().any(|m| self.state.unweighed.contains(*m)) {
                continue;
            }
            for member in members {
                self.record(Record::Weighed { app: member.clone() }, out);
            }
            self.weigh_pair(&inventory, name, pair, out);
        }
    }

    fn weigh_pair(&mut self, inventory: &Inventory, name: &Name, pair: &Pair, out: &mut Vec<Output>) {
        let (app, claim) = match self.verdict(inventory, pair) {
            Verdict::Nobody => return,
            Verdict::One(app, claim) => (app.clone(), claim.clone()),
            Verdict::Both => {
                let text = format!(
                    "{} and {} both say that they are primary of {name}, in records that came late; nothing is moved; look at the servers, then `pointsman move` the resource",
                    pair.primary, pair.backup
                );
                out.push(Output::Notice(Notice { resource: pair.resource.clone(), ..Notice::new("role_unclear", text) }));
                return;
            }
        };
        let (Some(resource), Some(host)) = (pair.resource.clone(), inventory.host_of(&app).cloned()) else { return };
        match pair.catch_up {
            CatchUp::Move => {
                out.push(Output::CatchUp { pair: name.clone(), resource, host, order: claim.order, provenance: claim.provenance })
            }
            CatchUp::Ask => {
                let text = format!(
                    "{app} said at {} that it is primary of {name}, while nobody listened; `catch_up: ask` leaves it to you: `pointsman move {resource} {host}`",
                    claim.at
                );
                let notice = Notice { resource: Some(resource), host: Some(host), ..Notice::new("catch_up", text) };
                out.push(Output::Notice(notice));
            }
        }
    }

    fn verdict<'a>(&'a self, inventory: &Inventory, pair: &'a Pair) -> Verdict<'a> {
        let claim = |app: &Name| self.state.claims.get(app);
        let says_primary = |app: &Name| claim(app).filter(|c| c.primary);
        let lost = |app: &Name| inventory.host_of(app).is_some_and(|h| self.state.lost.contains(h));
        match (says_primary(&pair.primary), says_primary(&pair.backup)) {
            (None, None) => Verdict::Nobody,
            (Some(c), None) => Verdict::One(&pair.primary, c),
            (None, Some(c)) => Verdict::One(&pair.backup, c),
            (Some(c), Some(_)) if lost(&pair.backup) && !lost(&pair.primary) => Verdict::One(&pair.primary, c),
            (Some(_), Some(c)) if lost(&pair.primary) && !lost(&pair.backup) => Verdict::One(&pair.backup, c),
            (Some(_), Some(_)) => Verdict::Both,
        }
    }
}
