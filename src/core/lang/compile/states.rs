//! Joined states: `alarm a active and not alarm b active by host`, `host a lost or app X stopped`.
//!
//! Finds the states of a tree, their keys, and the keys for which the condition may be true. The engine evaluates it at each
//! change of one.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::base::limits::HOPS;
use crate::core::diag::Code;
use crate::core::lang::ast::{self, AtomSyntax, ChangeSyntax, Choice, File, TextSpan};
use crate::core::lang::program::{AtomId, Detection, MemberState, Shape, Signal, StateHolds, States, Term};

use super::condition::CompiledDetect;
use super::metrics::{metric_keys, metric_of};
use super::{Compiler, members};

/// What a condition joins.
pub(super) enum Joined<'t> {
    /// Events, or one state alone.
    Events,
    /// States, of which all or one must hold.
    States { terms: Vec<&'t AtomSyntax>, all: bool },
    /// A state at a place where states are not valid.
    Mixed { state: &'t AtomSyntax, why: Mixed<'t> },
}

/// Why a state does not fit.
pub(super) enum Mixed<'t> {
    /// The condition contains this event.
    Event(&'t AtomSyntax),
    /// States cannot be counted.
    Counted,
    /// `and` and `or` are nested.
    Nested,
}

/// Returns what the condition joins by `and` or `or`.
pub(super) fn joined(tree: &ast::Detect) -> Joined<'_> {
    let (all, counted) = match (&tree.shape, tree.parts.as_slice()) {
        (Shape::One, [Choice { condition: None, .. }]) => (false, false),
        (Shape::All { counts }, _) => (true, counts.iter().any(|n| *n != 1)),
        _ => return Joined::Events,
    };
    let mut terms = Vec::new();
    tree.parts.iter().for_each(|part| leaves(part, &mut terms));
    let Some(state) = terms.iter().copied().find(|atom| is_state(atom)) else { return Joined::Events };
    if let ([_], Some(AtomSyntax::Alarm { .. } | AtomSyntax::Host { .. } | AtomSyntax::App { .. })) =
        (terms.as_slice(), terms.first())
    {
        return Joined::Events;
    }
    if let Some(event) = terms.iter().copied().find(|atom| !is_state(atom)) {
        return Joined::Mixed { state, why: Mixed::Event(event) };
    }
    if counted {
        return Joined::Mixed { state, why: Mixed::Counted };
    }
    if all && terms.len() != tree.parts.len() {
        return Joined::Mixed { state, why: Mixed::Nested };
    }
    Joined::States { terms, all }
}

/// The alternatives of a choice; one with a `where` is an event.
fn leaves<'t>(choice: &'t Choice, found: &mut Vec<&'t AtomSyntax>) {
    for atom in &choice.atoms {
        match atom {
            AtomSyntax::Group(inner) if inner.condition.is_none() => leaves(inner, found),
            atom => found.push(atom),
        }
    }
}

fn is_state(atom: &AtomSyntax) -> bool {
    match atom {
        AtomSyntax::Alarm { change, .. } | AtomSyntax::Host { change, .. } | AtomSyntax::App { change, .. } => {
            matches!(change, ChangeSyntax::Lasts | ChangeSyntax::Unacked)
        }
        AtomSyntax::Not { .. } => true,
        _ => false,
    }
}

/// The state, and whether it is negated.
fn bare(term: &AtomSyntax) -> (&AtomSyntax, bool) {
    match term {
        AtomSyntax::Not { state, .. } => (state, true),
        state => (state, false),
    }
}

/// The keys by which a state differs between instances. A named member, and a count of one group, have none.
fn own_keys(term: &AtomSyntax, alarms: &BTreeMap<&str, Vec<String>>) -> Vec<String> {
    let (state, _) = bare(term);
    match state {
        _ if members::on(state).is_some() => members::keys(state),
        AtomSyntax::Alarm { name, .. } => alarms.get(name.it.as_str()).cloned().unwrap_or_default(),
        AtomSyntax::Host { names, .. } if names.len() != 1 => vec!["host".to_owned()],
        AtomSyntax::App { names, .. } if names.len() != 1 => vec!["app".to_owned()],
        _ => Vec::new(),
    }
}

/// True when something with these keys also has this field, by the inventory.
fn has(keys: &[String], field: &str) -> bool {
    let derived = |of: &str, fields: &[&str]| keys.iter().any(|key| key == of) && fields.contains(&field);
    keys.iter().any(|key| key == field) || derived("app", &["host", "type", "pair", "site"]) || derived("host", &["site"])
}

/// True for a lost host, which counts as lost for each of its applications.
fn of_its_apps(term: &AtomSyntax, field: &str) -> bool {
    let (state, _) = bare(term);
    matches!(state, AtomSyntax::Host { on: None, .. }) && ["app", "type", "pair"].contains(&field)
}

/// The keys that all have; empty when one of them has none.
fn common(all: &[Vec<String>]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for key in all.iter().flatten() {
        if !keys.contains(key) && all.iter().all(|own| has(own, key)) {
            keys.push(key.clone());
        }
    }
    keys
}

/// The default keys of joined states.
pub(super) fn keys_of(terms: &[&AtomSyntax], alarms: &BTreeMap<&str, Vec<String>>) -> Vec<String> {
    common(&terms.iter().map(|term| own_keys(term, alarms)).collect::<Vec<_>>())
}

/// The keys of all alarms, from their trees. An alarm about states of others has their keys, over as many hops as changes are
/// followed.
pub(super) fn all_keys<'t>(trees: impl Iterator<Item = &'t ast::AlarmSyntax>) -> BTreeMap<&'t str, Vec<String>> {
    let trees: Vec<&ast::AlarmSyntax> = trees.collect();
    let mut known = BTreeMap::new();
    for _ in 0..=HOPS {
        known = trees.iter().map(|alarm| (alarm.name.it.as_str(), keys(alarm, &known))).collect();
    }
    known
}

impl<'t> Compiler<'t, '_> {
    /// Compiles a condition that joins states. Its default keys are those of the states.
    pub(super) fn states(
        &mut self,
        file: &'t File,
        of: &str,
        tree: &'t ast::Detect,
        (terms, all): (&[&'t AtomSyntax], bool),
        keys: &[String],
        span: &TextSpan,
    ) -> CompiledDetect {
        let own: Vec<Vec<String>> = terms.iter().map(|term| own_keys(term, &self.alarm_keys)).collect();
        if let Some(rename) = tree.tail.keys.renames.first() {
            let message = format!(
                "states have the keys of their alarms, hosts or applications: `{}` cannot be renamed to `{}`",
                rename.of.it, rename.key
            );
            let help = "rename it where the alarm is raised".to_owned();
            self.report(file, Code::KeyRenamed, &rename.of.span, message).help = Some(help);
        }
        let said: Vec<String> = tree.tail.keys.by.iter().map(|w| w.it.clone()).collect();
        let by = [&said, keys, &common(&own)].into_iter().find(|by| !by.is_empty()).map(<[_]>::to_vec).unwrap_or_default();
        let mut found = CompiledDetect { by, ..CompiledDetect::default() };
        let (mut parts, mut compiled) = (Vec::new(), Vec::new());
        for (term, own) in terms.iter().zip(&own) {
            let (state, negated) = bare(term);
            let Some((what, begins, ends)) = self.term(file, state) else { continue };
            parts.extend([vec![begins], ends]);
            compiled.push(Term { what, negated, keyed: !own.is_empty() && !found.by.is_empty() });
        }
        // If a state could not be compiled, the condition has no meaning, and there is a diagnostic already.
        if compiled.len() < terms.len() {
            return found;
        }
        self.states_keys(file, terms, &own, &found.by, span);
        self.states_twice(file, terms, all);
        if let Some(unless) = &tree.unless {
            let at = unless.atoms.first().map_or(span.clone(), AtomSyntax::span);
            let message = "`unless` drops what was counted, and states are not counted";
            self.report(file, Code::BadTime, &at, message).help = Some("join `not alarm X active`".to_owned());
        }
        let unnamed =
            if all { !compiled.iter().any(|t| t.keyed && !t.negated) } else { compiled.iter().any(|t| t.negated || !t.keyed) };
        let candidates = (unnamed && !found.by.is_empty()).then(|| self.candidates(file, &found.by, &compiled, span));
        let shape = Shape::States(Box::new(States { terms: compiled, all, candidates }));
        found.detect = Detection { parts, shape, ..Detection::default() };
        self.time(file, of, tree, &mut found, span);
        found
    }

    /// When a state holds, what begins it, and what ends it.
    fn term(&mut self, file: &'t File, state: &'t AtomSyntax) -> Option<(StateHolds, AtomId, Vec<AtomId>)> {
        if let Some(on) = members::on(state) {
            let (counted, began, ended) = self.counted(file, state, on)?;
            let [began, ended] = [began, ended].map(|signal| self.signal(file, signal, &on.span));
            return Some((StateHolds::Members(counted), began, vec![ended]));
        }
        match state {
            AtomSyntax::Alarm { name, change: change @ (ChangeSyntax::Lasts | ChangeSyntax::Unacked), .. } => {
                let alarm = || name.it.clone();
                let began = self.signal(file, Signal::Raised(alarm()), &name.span);
                if !self.alarm_names.contains(name.it.as_str()) {
                    return None;
                }
                let mut ends = vec![self.signal(file, Signal::Cleared(alarm()), &name.span)];
                if *change == ChangeSyntax::Lasts {
                    return Some((StateHolds::Any(MemberState::Active(alarm()), Vec::new()), began, ends));
                }
                ends.push(self.signal(file, Signal::Acked(alarm()), &name.span));
                ends.push(self.signal(file, Signal::AckEnded(alarm()), &name.span));
                Some((StateHolds::Any(MemberState::Unacked(alarm()), Vec::new()), began, ends))
            }
            AtomSyntax::Host { names, group, change: ChangeSyntax::Lasts, span, .. } => {
                self.names_twice(file, names, "`host`");
                let hosts = self.those_hosts(file, names, group.as_ref());
                Some(self.of_those(file, (MemberState::Lost, "host"), hosts, [Signal::HostLost, Signal::HostBack], span))
            }
            AtomSyntax::App { names, group, change: ChangeSyntax::Lasts, span, .. } => {
                self.names_twice(file, names, "`app`");
                let apps = self.those_apps(file, names, group.as_ref());
                Some(self.of_those(file, (MemberState::Stopped, "app"), apps, [Signal::AppStopped, Signal::AppRuns], span))
            }
            other => {
                let message = "`not` is valid before a state, and this is an event";
                self.report(file, Code::NotJoined, &other.span(), message).help =
                    Some("the states are `alarm X active`, `host lost` and `app stopped`".to_owned());
                None
            }
        }
    }

    fn of_those(
        &mut self,
        file: &File,
        (state, field): (MemberState, &str),
        mut those: Vec<String>,
        signals: [Signal; 2],
        span: &TextSpan,
    ) -> (StateHolds, AtomId, Vec<AtomId>) {
        let [began, ended] = signals.map(|signal| {
            let atom = self.signal(file, signal, span);
            self.only(atom, field, those.clone());
            atom
        });
        those.sort_unstable();
        (StateHolds::Any(state, those), began, vec![ended])
    }

    /// Checks that each state has the keys, or none.
    fn states_keys(&mut self, file: &File, terms: &[&AtomSyntax], own: &[Vec<String>], by: &[String], span: &TextSpan) {
        for (term, own) in terms.iter().zip(own).filter(|(_, own)| !own.is_empty()) {
            let Some(lacks) = by.iter().find(|field| !has(own, field) && !of_its_apps(term, field)) else { continue };
            let message = format!("this state has no key `{lacks}`, so it does not say which one it is about");
            let help = format!("it has {}: write a key that all of these states have, or remove `by`", own.join(", "));
            self.report(file, Code::KeysDiffer, &term.span(), message).help = Some(help);
        }
        if !by.is_empty() && own.iter().all(Vec::is_empty) {
            let message = format!("none of these states has the key `{}`", by.join(", "));
            self.report(file, Code::KeysDiffer, span, message).help = Some("leave `by` out".to_owned());
        }
    }

    /// Reports a state that occurs twice, and a state with its opposite.
    fn states_twice(&mut self, file: &File, terms: &[&AtomSyntax], all: bool) {
        for (n, term) in terms.iter().enumerate() {
            let (state, negated) = bare(term);
            let Some(first) = terms.iter().take(n).find(|t| bare(t).0 == state) else { continue };
            if bare(first).1 == negated {
                self.stands_twice(file, &term.span(), &first.span(), "this state is given twice".to_owned());
                continue;
            }
            let (code, message) = if all {
                (Code::NeverMatches, "a state and its opposite are never true together: this condition is never true")
            } else {
                (Code::MatchesEverything, "a state or its opposite is always true: this condition is always true")
            };
            self.report(file, code, &term.span(), message).context.push((file.place(&first.span()), "this one".to_owned()));
        }
    }

    /// The candidate keys of a condition that may be true for a key which no active state has: those of its groups, or of the
    /// inventory.
    fn candidates(&mut self, file: &File, by: &[String], terms: &[Term], span: &TextSpan) -> Vec<Vec<String>> {
        let counted =
            terms.iter().filter(|t| t.keyed).filter_map(|t| if let StateHolds::Members(c) = &t.what { Some(c) } else { None });
        let groups: BTreeSet<&Vec<String>> = counted.flat_map(|c| &c.groups).map(|group| &group.key).collect();
        if !groups.is_empty() {
            return groups.into_iter().cloned().collect();
        }
        let Some(inventory) = self.world.inventory else { return Vec::new() };
        let names: BTreeSet<&str> = match by {
            [field] if field == "host" => inventory.hosts.keys().map(String::as_str).collect(),
            [field] if field == "app" => inventory.applications.keys().map(String::as_str).collect(),
            [field] if field == "pair" => inventory.pairs.keys().map(String::as_str).collect(),
            [field] if field == "site" => members::sites(inventory),
            _ => {
                let message = format!(
                    "this can be true while nothing is active, and the possible values of `{}` are not known",
                    by.join(", ")
                );
                let help = "use one of the keys `host`, `app`, `pair` and `site`; or join with `and` a state that has these keys and must be true";
                self.report(file, Code::KeysUnknown, span, message).help = Some(help.to_owned());
                BTreeSet::new()
            }
        };
        names.into_iter().map(|name| vec![name.to_owned()]).collect()
    }

    /// Reports a state at a place where states are not valid, and what to write instead.
    pub(super) fn mixed(&mut self, file: &'t File, tree: &'t ast::Detect, state: &'t AtomSyntax, why: &Mixed<'t>) {
        let mut all = Vec::new();
        tree.parts.iter().chain(&tree.unless).for_each(|part| leaves(part, &mut all));
        for atom in all {
            if let AtomSyntax::Named(word) = atom {
                self.named(file, word);
            }
        }
        let (message, context) = match why {
            Mixed::Event(event) => ("a condition cannot have both a state and an event", Some(event.span())),
            Mixed::Counted => ("a state cannot be counted", None),
            Mixed::Nested => ("states can be joined by `and` or by `or`, not by both", None),
        };
        let help = match (why, bare(state)) {
            (Mixed::Nested, _) => {
                "make an alarm of the part in parentheses (category none), and join `alarm X active`".to_owned()
            }
            (_, (AtomSyntax::Alarm { name, .. }, negated)) => {
                let not = if negated { "not " } else { "" };
                format!("write the clause `only while {not}alarm {0} active`, or here the event `alarm {0} raised`", name.it)
            }
            _ => "make an alarm of the state (category none): `only while alarm X active` is a clause, `alarm X raised` an event"
                .to_owned(),
        };
        let context = context.map(|span| (file.place(&span), "this is an event".to_owned()));
        let found = self.report(file, Code::NotJoined, &state.span(), message);
        found.context.extend(context);
        found.help = Some(help);
    }
}

/// The state that a condition is about, if it is about only one.
pub(super) fn state_of(parts: &[Choice]) -> Option<&ast::AtomSyntax> {
    let [Choice { atoms, condition: None }] = parts else { return None };
    match atoms.as_slice() {
        [ast::AtomSyntax::Group(inner)] => state_of(std::slice::from_ref(inner)),
        [
            state @ (ast::AtomSyntax::Alarm { change: ChangeSyntax::Lasts | ChangeSyntax::Unacked, .. }
            | ast::AtomSyntax::Host { change: ChangeSyntax::Lasts, .. }
            | ast::AtomSyntax::App { change: ChangeSyntax::Lasts, .. }),
        ] => Some(state),
        _ => None,
    }
}

/// The keys that an alarm has by its tree, given those of the others.
fn keys(alarm: &ast::AlarmSyntax, alarms: &BTreeMap<&str, Vec<String>>) -> Vec<String> {
    let detect = alarm.clauses.iter().find_map(|c| if let ast::ClauseKind::Detect(d) = &c.it { Some(d) } else { None });
    let by: Vec<String> = detect.into_iter().flat_map(|d| &d.tail.keys.by).map(|w| w.it.clone()).collect();
    if let Some(Joined::States { terms, .. }) = detect.filter(|_| by.is_empty()).map(joined) {
        return keys_of(&terms, alarms);
    }
    match detect.filter(|d| d.shape == Shape::One).and_then(|d| state_of(&d.parts)) {
        Some(state) if members::on(state).is_some() => members::keys(state),
        Some(ast::AtomSyntax::Alarm { name, .. }) if by.is_empty() => alarms.get(name.it.as_str()).cloned().unwrap_or_default(),
        Some(ast::AtomSyntax::Host { .. }) if by.is_empty() => vec!["host".to_owned()],
        Some(ast::AtomSyntax::App { .. }) if by.is_empty() => vec!["app".to_owned()],
        _ if by.is_empty() => detect.and_then(|d| metric_of(&d.parts)).map_or(by, metric_keys),
        _ => by,
    }
}
