//! Claims: the conditions by which members of a pair claim to be primary or backup (`says_primary`, `says_backup` of the
//! configuration), and `claim primary` of rules, which is any of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::core::diag::{Code, Diagnostic, Source};
use crate::core::event::EventId;
use crate::core::inventory::{ClaimPattern, Pair, SAYS_BACKUP, SAYS_PRIMARY};
use crate::core::lang::ast::{File, Text, TextSpan};
use crate::core::lang::parse::expression;
use crate::core::lang::program::{Atom, AtomId, ClaimCondition, IdPattern, Predicate, Sender};

use super::Compiler;
use super::detection::one_of;

impl<'t> Compiler<'t, '_> {
    /// Compiles the patterns of all pairs to conditions of the program.
    pub(super) fn claims(&mut self) {
        let Some(inventory) = self.world.inventory else { return };
        for (name, pair) in &inventory.pairs {
            let roles = [("says_primary", true, &pair.primary_patterns), ("says_backup", false, &pair.backup_patterns)];
            for (key, primary, patterns) in roles {
                for pattern in patterns {
                    let atom = self.claim(name, key, pair, pattern);
                    self.program.claims.extend(atom.map(|atom| ClaimCondition { atom, pair: name.clone(), primary }));
                }
            }
            self.both_roles(name);
        }
    }

    /// Reports an expression of one role that also matches what the other role's expressions name: such records claim nothing.
    fn both_roles(&mut self, pair: &str) {
        let of_role = |primary: bool| -> Vec<&Atom> {
            let claims = self.program.claims.iter().filter(|claim| claim.pair == pair && claim.primary == primary);
            // Of a pattern of the rules, other clauses may tell the two apart.
            claims
                .filter_map(|claim| self.program.atoms.get(claim.atom.0 as usize))
                .filter(|a| a.predicates.is_empty() && a.ids.is_empty() && a.matches.iter().all(|m| m.field == "text"))
                .collect()
        };
        let (primary, backup) = (of_role(true), of_role(false));
        let mut found = Vec::new();
        for (all, others, key) in [(&primary, &backup, "says_backup"), (&backup, &primary, "says_primary")] {
            let texts: Vec<String> = others.iter().flat_map(|a| &a.matches).flat_map(|m| m.regex.some_texts()).collect();
            for atom in all {
                if let Some(text) = texts.iter().find(|text| atom.matches.iter().any(|m| m.regex.is_match(text))) {
                    let message =
                        format!("this also matches `{text}`, which `{key}` names: a record that matches both is not a claim");
                    let help = "write an expression that matches one role only";
                    found.push(Diagnostic::new(Code::NeverMatches, atom.place.clone(), message).help(help));
                }
            }
        }
        self.found.extend(found);
    }

    fn claim(&mut self, name: &str, key: &str, pair: &Pair, pattern: &ClaimPattern) -> Option<AtomId> {
        let (ClaimPattern::Match(text) | ClaimPattern::Pattern(text)) = pattern;
        // Mistakes are shown in the entry itself.
        let source = Arc::new(Source { name: format!("pair {name}, {key}"), text: text.clone() });
        let file = File { source: source.clone(), items: Vec::new(), mentions: Vec::new() };
        let span = 0..text.len();
        match pattern {
            ClaimPattern::Match(_) => {
                let (regex, found) = expression(&source);
                self.found.extend(found);
                let matches = vec![self.field_regex(&file, &regex?, "text".to_owned())?];
                let from = members(pair).map(Sender::App).collect();
                Some(self.add(Atom { from, matches, ..Atom::new(format!("{name}/{key}"), file.place(&span)) }))
            }
            ClaimPattern::Pattern(_) => {
                let word = Text { it: text.clone(), span: span.clone() };
                let id = self.named(&file, &word)?;
                if self.program.atoms.get(id.0 as usize).is_some_and(|atom| atom.signal.is_some()) {
                    let message = format!("the pattern `{text}` is about several events, and a claim is one record");
                    self.report(&file, Code::ClauseNotHere, &span, message).help = Some("name a pattern of one event".to_owned());
                    return None;
                }
                Some(id)
            }
        }
    }

    /// `claim primary`: the conditions of all pairs for this role. Pairs that use the same ids share one condition.
    pub(super) fn claim_atoms(
        &mut self,
        file: &File,
        primary: bool,
        outer: &[Arc<Predicate>],
        name: &str,
        span: &TextSpan,
    ) -> Vec<AtomId> {
        let place = file.place(span);
        let new = || Atom { predicates: outer.to_vec(), ..Atom::new(name.to_owned(), place.clone()) };
        let Some(inventory) = self.world.inventory else {
            let ids = if primary { SAYS_PRIMARY } else { SAYS_BACKUP };
            let ids = ids.iter().filter_map(|id| EventId::parse(id)).map(|id| IdPattern::of(&id)).collect();
            return vec![self.add(Atom { ids, ..new() })];
        };
        if inventory.pairs.is_empty() {
            let message = "the inventory has no pair, so no application claims a role";
            self.report(file, Code::NeverMatches, span, message).help =
                Some("add the pair to `pairs` of pointsman.yaml".to_owned());
        }
        let mut atoms = Vec::new();
        let mut by_ids: BTreeMap<&[EventId<'static>], Vec<Sender>> = BTreeMap::new();
        for pair in inventory.pairs.values() {
            let ids = if primary { &pair.says_primary } else { &pair.says_backup };
            by_ids.entry(ids).or_default().extend(members(pair).map(Sender::App));
        }
        for (ids, from) in by_ids {
            if !ids.is_empty() {
                let ids = ids.iter().map(IdPattern::of).collect();
                atoms.push(Atom { ids, from, ..new() });
            }
        }
        for claim in self.program.claims.iter().filter(|claim| claim.primary == primary) {
            let pattern = self.program.atoms.get(claim.atom.0 as usize).cloned();
            if let (Some(mut atom), Some(pair)) = (pattern, inventory.pairs.get(&claim.pair)) {
                let own: Vec<Sender> = members(pair).map(Sender::App).collect();
                if atom.from.is_empty() {
                    atom.from = own;
                } else if atom.from != own {
                    atom.predicates.push(Arc::new(one_of("app", members(pair).collect())));
                }
                atom.predicates.extend(outer.iter().cloned());
                (atom.name, atom.place) = (name.to_owned(), place.clone());
                atoms.push(atom);
            }
        }
        let mut ids = Vec::new();
        for atom in atoms {
            let id = self.add(atom);
            ids.push(self.rename(id, ""));
        }
        ids
    }
}

fn members(pair: &Pair) -> impl Iterator<Item = String> {
    [pair.primary.clone(), pair.backup.clone()].into_iter()
}
