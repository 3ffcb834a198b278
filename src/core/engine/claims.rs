//! The roles that the members of a pair claim, and what follows from them. A claim is state, not a moment.
//!
//! ```text
//!   a claim that is not late        rules react live      Open --- its runs succeed, or the resource was moved ------> Done
//!                                                           |  \-- a run fails, is refused or lost --> Failed --+
//!                                                           +-- no run is started for it (repeats) -------------+--> carried out
//!   a late claim                    rules would react     Late --- it is the newest of its pair --------------------> CatchUp
//!                                   in mode `confirm`     Ask  --- the same -----------------------------> an operator is asked
//!   any claim                       no rule reacts, or only in mode `dry`: Withheld, and it moves nothing
//! ```
//!
//! Only credible claims count: the sender must have the trust that the pair's resource requires. For one application, the
//! claim whose record was written last counts. Between two applications the sequence of arrival decides; a late claim is
//! placed by the time at which it was probably written. If nothing decides, the claim of a lost host counts less. If that
//! does not decide either, people are asked until the claims are clear. Late claims are evaluated again whenever a host is
//! lost or returns.
//!
//! `control::claims` carries out open claims. This module knows neither runs nor owners of resources. Tests:
//! `tests/it/failover.rs`, rule tests.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::core::base::limits::{CLOCK_ERROR, LATE_CLAIMS_QUIET, LATE_CLAIMS_WAIT};
use crate::core::base::time::Time;
use crate::core::event::{ClaimedRole, Event, EventId, Trust};
use crate::core::inventory::{CatchUp, Index, Inventory, Name, Pair};
use crate::core::lang::program::{Hit, IdPattern, Mode, Program};

use super::record::{Claim, ClaimStatus, Fields, Record};
use super::turn::Output;
use super::{Engine, fields};
use crate::core::notice::{Kind, Notice};

/// True when the event says which member of a pair is primary. `hits` are the conditions that it matches.
pub fn is_claim(inventory: &Inventory, program: &Program, index: &Index, event: &Event<'_>, hits: &[Hit]) -> bool {
    claim_of(inventory, program, index, event, hits).is_some()
}

/// True when the event is a claim with the trust that its pair requires.
pub fn is_credible_claim(inventory: &Inventory, program: &Program, index: &Index, event: &Event<'_>, hits: &[Hit]) -> bool {
    claim_of(inventory, program, index, event, hits).is_some()
        && inventory.pairs.get(index.names(event).pair).is_some_and(|pair| event.trust >= trust_required(inventory, pair))
}

/// Returns what an event claims: the application by its inventory name, and whether it claims to be primary. An id or a
/// pattern of the pair decides (`hits` are the conditions that the event matches). A record that says both is not a claim.
pub(super) fn claim_of<'a>(
    inventory: &'a Inventory,
    program: &Program,
    index: &Index,
    event: &Event<'_>,
    hits: &[Hit],
) -> Option<(&'a Name, bool)> {
    let patterns = !hits.is_empty() && !program.claims.is_empty();
    if inventory.pairs.is_empty() || event.id.is_none() && !patterns {
        return None;
    }
    let names = index.names(event);
    let pair = inventory.pairs.get(names.pair)?;
    let app = [&pair.primary, &pair.backup].into_iter().find(|member| *member == names.app)?;
    let by_id =
        |ids: &[EventId<'static>]| event.id.as_ref().is_some_and(|id| ids.iter().any(|want| IdPattern::of(want).matches(id)));
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

/// The trust that a claim about a pair requires: that of the pair's resource.
pub fn trust_required(inventory: &Inventory, pair: &Pair) -> Trust {
    let resource = pair.resource.as_ref().and_then(|resource| inventory.resources.get(resource));
    resource.map_or(Trust::Address, |r| r.trust)
}

/// When late claims are evaluated. This is not stored: after a start every source reports again that its backlog has been
/// read.
#[derive(Clone, Debug, Default)]
pub(super) struct ClaimEvaluation {
    /// Sources whose backlog is being read.
    reading: BTreeSet<String>,
    /// At least one source has reported that its backlog was read.
    listens: bool,
    /// Something changed that late claims depend on; they are evaluated from this time on.
    due: Option<Time>,
    /// When the first claim arrived that waits for a queue to become quiet.
    first: Option<Time>,
}

/// The claim that an event makes or repeats.
#[derive(Clone, Debug)]
pub(super) struct Behind {
    app: Name,
    sequence: u64,
}

/// The result of evaluating the claims of a pair.
enum Verdict<'a> {
    /// No late claim counts: no application claims to be primary, or a claim that was not late is the newest.
    Nothing,
    /// This late claim is the newest.
    Newest(&'a Name, &'a Claim),
    /// The claimant's host is lost. Nothing is moved to it until it returns.
    Wait,
    /// Both members claim to be primary, and nothing shows which claim is newer.
    Unclear,
}

impl Engine {
    /// Marks an event that is a claim with its role, so that reactions which start later still have it.
    pub(super) fn mark_claim(&self, event: &mut Event<'static>, hits: &[Hit]) {
        let claim = claim_of(&self.inventory, &self.program, &self.index, event, hits);
        event.claimed_role = claim.map(|(_, primary)| if primary { ClaimedRole::Primary } else { ClaimedRole::Backup });
    }

    /// Returns the application and its role, for an event that [`Engine::mark_claim`] marked.
    fn marked(&self, event: &Event<'_>) -> Option<(Name, bool)> {
        let role = event.claimed_role?;
        let names = self.index.names(event);
        self.inventory.applications.contains_key(names.app).then(|| (names.app.to_owned(), role == ClaimedRole::Primary))
    }

    /// Records the claim of an event, if it is a credible claim. `late`: it arrived late, or came out of a backlog.
    pub(super) fn claim(
        &mut self,
        (now, arrived): (Time, Time),
        sequence: u64,
        source: &str,
        (late, backlog): (bool, bool),
        event: &Event<'_>,
        out: &mut Vec<Output>,
    ) {
        if backlog {
            self.evaluation.reading.insert(source.to_owned());
        }
        let inventory = self.inventory.clone();
        let Some((app, primary)) = self.marked(event) else { return };
        let Some(pair) = inventory.pairs.get(self.index.names(event).pair) else { return };
        if event.trust < trust_required(&inventory, pair) {
            return;
        }
        let at = event.at.unwrap_or(arrived);
        // Of two records of one application the one that was written later counts, whichever is read first.
        if late && self.state.claims.get(&app).is_some_and(|last| last.at > at) {
            return;
        }
        let written = if late { self.written(source, event, arrived) } else { arrived };
        let claim = Claim { primary, sequence, at, late, backlog, written, status: ClaimStatus::Withheld, trust: event.trust };
        if late {
            self.postpone_evaluation(now);
        } else if !self.state.unevaluated.is_empty() {
            self.evaluation.due.get_or_insert(now);
        }
        self.record(Record::Claimed { app, claim }, out);
    }

    /// A late claim usually comes from a queue that its sender empties, and a newer claim of the same server may follow.
    /// Therefore late claims are evaluated only when none has arrived for a moment.
    fn postpone_evaluation(&mut self, now: Time) {
        let first = *self.evaluation.first.get_or_insert(now);
        self.evaluation.due = Some((now + LATE_CLAIMS_QUIET).min(first + LATE_CLAIMS_WAIT));
    }

    /// When late claims are evaluated next, if nothing happens before.
    pub(super) fn evaluates_claims_at(&self) -> Option<Time> {
        self.evaluation.due.filter(|_| !self.state.unevaluated.is_empty() && !self.is_reading())
    }

    /// True while a backlog that may contain claims is read, or after a start until it is clear whether there is one.
    fn is_reading(&self) -> bool {
        let of_backlog = |app: &Name| self.state.claims.get(app).is_some_and(|claim| claim.backlog);
        !self.evaluation.reading.is_empty() || !self.evaluation.listens && self.state.unevaluated.iter().any(of_backlog)
    }

    /// When a record was probably written, by the controller's clock: its time stamp plus the usual delay of its source.
    fn written(&self, source: &str, event: &Event<'_>, arrived: Time) -> Time {
        let Some(stamp) = event.at else { return arrived };
        let usual = self.state.usual_age(source, event.trust, &event.host);
        let by = Duration::from_micros(usual.unsigned_abs());
        let written = if usual >= 0 { stamp + by } else { stamp - by };
        written.min(arrived)
    }

    /// True when reactions to an event of this application may be about a claim.
    pub(super) fn may_be_claim(&self, app: Option<&str>) -> bool {
        app.is_some_and(|app| !self.index.names(&Event { app: app.into(), ..Event::default() }).pair.is_empty())
    }

    /// The newest claim of an application, if the event that starts reactions is that claim, or an earlier one that says the
    /// same. Reactions that a rule delayed are still about the claim.
    pub(super) fn claim_behind(&self, event: &Fields) -> Option<Behind> {
        let app = event.get("app").and_then(crate::core::event::Value::as_text);
        if !self.may_be_claim(app) {
            return None;
        }
        let event = fields::event_of(event);
        let (app, primary) = self.marked(&event)?;
        let pair = self.inventory.pairs.get(self.index.names(&event).pair)?;
        if event.trust < trust_required(&self.inventory, pair) {
            return None;
        }
        let claim = self.state.claims.get(&app).filter(|claim| claim.primary == primary)?;
        Some(Behind { sequence: claim.sequence, app })
    }

    /// Marks a claim as open, because rules react to it. Returns the sequence of the claim, which its reactions get.
    pub(super) fn mark_claim_open(&mut self, behind: &Behind, mode: Mode, out: &mut Vec<Output>) -> u64 {
        if matches!(mode, Mode::Live | Mode::Confirm { .. }) {
            self.set_claim_status(&behind.app, ClaimStatus::Open, out);
            out.push(Output::ClaimOpened(behind.sequence));
        }
        behind.sequence
    }

    /// Marks a claim to which rules would have reacted if it had not arrived late.
    pub(super) fn mark_late_claim(&mut self, now: Time, behind: &Behind, mode: Mode, out: &mut Vec<Output>) {
        let status = match mode {
            Mode::Live => ClaimStatus::Late,
            Mode::Confirm { .. } => ClaimStatus::Ask,
            Mode::Dry | Mode::Off => return,
        };
        let before = self.state.claims.get(&behind.app).map(|claim| claim.status);
        // One alarm in mode `live` is enough.
        if before == Some(ClaimStatus::Withheld) || before == Some(ClaimStatus::Ask) && status == ClaimStatus::Late {
            self.evaluation.due.get_or_insert(now);
            self.set_claim_status(&behind.app, status, out);
        }
    }

    /// Marks the claim with this sequence as failed: a run that was started for it did not succeed.
    pub fn claim_failed(&mut self, sequence: u64, out: &mut Vec<Output>) {
        if let Some(app) = self.state.open_claim(sequence).cloned() {
            self.set_claim_status(&app, ClaimStatus::Failed, out);
        }
    }

    /// Marks the claim with this sequence as done: it, or a newer one, is carried out.
    pub fn claim_done(&mut self, sequence: u64, out: &mut Vec<Output>) {
        if let Some(app) = self.state.open_claim(sequence).cloned() {
            self.set_claim_status(&app, ClaimStatus::Done, out);
        }
    }

    fn set_claim_status(&mut self, app: &Name, status: ClaimStatus, out: &mut Vec<Output>) {
        if self.state.claims.get(app).is_some_and(|claim| claim.status != status) {
            self.record(Record::ClaimStatus { app: app.clone(), status }, out);
        }
    }

    /// Handles the end of a source's backlog.
    pub(super) fn backlog_ended(&mut self, now: Time, source: &str) {
        self.evaluation.reading.remove(source);
        self.evaluation.listens = true;
        self.evaluation.due = Some(now);
    }

    /// Schedules an evaluation of late claims, which depend on the hosts that are lost.
    pub(super) fn evaluate_claims_again(&mut self, now: Time) {
        self.evaluation.due.get_or_insert(now);
    }

    /// Evaluates the claims of every pair with late claims, unless a backlog or a queue is still being read.
    pub(super) fn evaluate_all_claims(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.evaluation.due.is_none_or(|due| due > now) || self.is_reading() {
            return;
        }
        (self.evaluation.due, self.evaluation.first) = (None, None);
        let inventory = self.inventory.clone();
        let pair_of = |app: &Name| self.index.names(&Event { app: app.as_str().into(), ..Event::default() }).pair.to_owned();
        let pairs: BTreeSet<Name> = self.state.unevaluated.iter().map(pair_of).collect();
        // Applications that no longer have a pair: nothing follows from their claims.
        let strays: Vec<Name> = self.state.unevaluated.iter().filter(|app| pair_of(app).is_empty()).cloned().collect();
        for app in strays {
            self.record(Record::ClaimsEvaluated { app }, out);
        }
        for name in pairs {
            if let Some(pair) = inventory.pairs.get(&name) {
                self.evaluate_pair(&inventory, &name, pair, out);
            }
        }
    }

    fn evaluate_pair(&mut self, inventory: &Inventory, name: &Name, pair: &Pair, out: &mut Vec<Output>) {
        let verdict = self.verdict(inventory, pair);
        let unclear = matches!(verdict, Verdict::Unclear);
        let newest = match verdict {
            Verdict::Newest(app, claim) => Some((app.clone(), claim.clone())),
            Verdict::Nothing => None,
            Verdict::Wait | Verdict::Unclear => {
                if unclear && !self.state.unclear.contains(name) {
                    self.record(Record::RoleUnclear { pair: name.clone(), unclear: true }, out);
                    let text = format!(
                        "{} and {} both claim to be primary of {name} in records that arrived late, and it is unknown which claim is newer, so nothing is moved. Check the servers, then move the resource with `pointsman move`",
                        pair.primary, pair.backup
                    );
                    out.push(Output::Notice(Notice { resource: pair.resource.clone(), ..Notice::new(Kind::RoleUnclear, text) }));
                }
                return;
            }
        };
        if self.state.unclear.contains(name) {
            self.record(Record::RoleUnclear { pair: name.clone(), unclear: false }, out);
            let notice = Notice::new(Kind::RoleClear, format!("it is clear again which member of {name} is primary"));
            out.push(Output::Notice(Notice { resource: pair.resource.clone(), ..notice }));
        }
        for member in [&pair.primary, &pair.backup] {
            if self.state.unevaluated.contains(member) {
                self.record(Record::ClaimsEvaluated { app: member.clone() }, out);
            }
        }
        if let Some((app, claim)) = newest {
            self.catch_up(inventory, name, pair, &app, &claim, out);
        }
    }

    /// Carries out the newest claim of a pair, which arrived late, or asks an operator, as far as rules would have reacted to
    /// it.
    fn catch_up(&mut self, inventory: &Inventory, name: &Name, pair: &Pair, app: &Name, claim: &Claim, out: &mut Vec<Output>) {
        let (Some(resource), Some(host)) = (pair.resource.clone(), inventory.host_of(app).cloned()) else { return };
        let moves = match (claim.status, pair.catch_up) {
            (ClaimStatus::Late, CatchUp::Move) => true,
            (ClaimStatus::Late, CatchUp::Ask) | (ClaimStatus::Ask, _) => false,
            (ClaimStatus::Withheld | ClaimStatus::Open | ClaimStatus::Failed | ClaimStatus::Done, _) => return,
        };
        self.set_claim_status(app, ClaimStatus::Done, out);
        if moves {
            let written = (!claim.backlog).then_some(claim.written);
            out.push(Output::CatchUp { pair: name.clone(), resource, host, sequence: claim.sequence, written });
            return;
        }
        let why = if pair.catch_up == CatchUp::Ask { "`catch_up: ask`" } else { "`mode confirm`" };
        let text = format!(
            "{app} claimed at {} to be primary of {name} in a record that arrived late; {why} leaves the decision to you: `pointsman move {resource} {host}`",
            claim.at
        );
        let notice = Notice { resource: Some(resource), host: Some(host), ..Notice::new(Kind::CatchUp, text) };
        out.push(Output::Notice(notice));
    }

    fn verdict<'a>(&'a self, inventory: &Inventory, pair: &'a Pair) -> Verdict<'a> {
        let lost = |app: &Name| inventory.host_of(app).is_some_and(|h| self.state.lost.contains(h));
        let says_primary = |app: &'a Name| self.state.claims.get(app).filter(|c| c.primary).map(|c| (app, c));
        let newest = match (says_primary(&pair.primary), says_primary(&pair.backup)) {
            (None, None) => return Verdict::Nothing,
            (Some(only), None) | (None, Some(only)) => only,
            (Some(one), Some(other)) => match newer(one, other) {
                Some(newest) => newest,
                None => match (lost(one.0), lost(other.0)) {
                    (false, true) => one,
                    (true, false) => other,
                    (true, true) => return Verdict::Wait,
                    (false, false) => return Verdict::Unclear,
                },
            },
        };
        match newest {
            (_, claim) if !claim.late => Verdict::Nothing,
            (app, _) if lost(app) => Verdict::Wait,
            (app, claim) => Verdict::Newest(app, claim),
        }
    }
}

/// An application with its claim.
type ClaimOf<'a> = (&'a Name, &'a Claim);

/// Returns the newer of two claims of different applications; `None` when nothing decides.
fn newer<'a>(one: ClaimOf<'a>, other: ClaimOf<'a>) -> Option<ClaimOf<'a>> {
    let (late, timely) = match (one.1.late, other.1.late) {
        (true, true) => return None,
        (false, false) => return Some(if one.1.sequence > other.1.sequence { one } else { other }),
        (true, false) => (one, other),
        (false, true) => (other, one),
    };
    if timely.1.sequence > late.1.sequence {
        return Some(timely);
    }
    if late.1.backlog {
        // The late claim was written after the controller had stopped, so it is newer. Only a clock that is far off contradicts this.
        return (late.1.written + CLOCK_ERROR >= timely.1.written).then_some(late);
    }
    Some(if late.1.written > timely.1.written { late } else { timely })
}
