//! Conditions over single events: patterns, inline events, senders.

use std::sync::Arc;

use crate::base::limits::ALTERNATIVES;
use crate::diag::Code;
use crate::diag::suggest::nearest;
use crate::event::OWN_APP;
use crate::lang::ast::{self, Choice, File, From, PatternClause, Span, Word};
use crate::lang::program::{Atom, AtomId, Predicate, Sample, Sender};

use super::{Compiler, Named, expressions};

/// Fields that every event has or derives; a capture of such a name would never be seen.
pub(super) const BUILT_IN: &[&str] =
    &["host", "app", "type", "text", "level", "provenance", "pid", "id", "facility", "pair", "time"];

impl<'t> Compiler<'t, '_> {
    /// The atom of a named pattern; compiled once.
    pub(super) fn pattern_atom(&mut self, name: &str) -> Option<AtomId> {
        if let Some(atom) = self.pattern_atoms.get(name) {
            return *atom;
        }
        let named = self.patterns.get(name).copied()?;
        // Reported once, whatever comes of it.
        self.pattern_atoms.insert(name.to_owned(), None);
        let atom = self.compile_pattern(named);
        self.pattern_atoms.insert(name.to_owned(), atom);
        atom
    }

    fn compile_pattern(&mut self, Named { file, pattern }: Named<'t>) -> Option<AtomId> {
        let mut atom = Atom {
            name: pattern.name.it.clone(),
            ids: Vec::new(),
            from: Vec::new(),
            matches: Vec::new(),
            predicates: Vec::new(),
            place: file.place(&pattern.name.span),
        };
        let mut whole = true;
        let mut selected = false;
        for clause in &pattern.clauses {
            match &clause.it {
                PatternClause::From(from) => {
                    if selected {
                        self.report(file, Code::DuplicateClause, &clause.span, "`from` stands twice in this pattern");
                    }
                    selected = true;
                    atom.from = self.senders(file, from);
                }
                PatternClause::Match { field, regex } => {
                    let field = field.as_ref().map_or("text", |f| &f.it).to_owned();
                    match self.field_regex(file, regex, field) {
                        Some(regex) => atom.matches.push(regex),
                        None => whole = false,
                    }
                }
                PatternClause::Where(predicate) => match self.predicate(file, predicate) {
                    Some(predicate) => atom.predicates.push(Arc::new(predicate)),
                    None => whole = false,
                },
                PatternClause::Sample(_) => {}
                PatternClause::Later => whole = false,
            }
        }
        if whole && atom.from.is_empty() && atom.matches.is_empty() && atom.predicates.is_empty() {
            self.report(
                file,
                Code::MatchesEverything,
                &pattern.name.span,
                format!("every event meets the pattern `{}`", pattern.name.it),
            );
        }
        if !whole {
            return None;
        }
        let id = self.add(atom);
        for clause in &pattern.clauses {
            if let PatternClause::Sample(sample) = &clause.it {
                let fields = sample.fields.iter().map(|b| (b.name.it.clone(), super::values::literal(&b.value))).collect();
                let place = file.place(&clause.span);
                self.program.samples.push(Sample { atom: id, record: sample.record.clone(), meets: sample.meets, fields, place });
            }
        }
        Some(id)
    }

    fn add(&mut self, atom: Atom) -> AtomId {
        let id = AtomId(u32::try_from(self.program.atoms.len()).unwrap_or(u32::MAX));
        self.program.atoms.push(atom);
        id
    }

    /// The atoms of a choice; `None` when a part of it could not be compiled.
    pub(super) fn choice(&mut self, file: &'t File, choice: &'t Choice, name: &str, span: &Span) -> Option<Vec<AtomId>> {
        let mut atoms = Vec::new();
        let mut whole = true;
        self.gather(file, choice, name, &mut Vec::new(), &mut atoms, &mut whole);
        if atoms.len() > ALTERNATIVES {
            self.report(file, Code::TooManyAlternatives, span, format!("a condition has at most {ALTERNATIVES} alternatives"));
            return None;
        }
        whole.then_some(atoms)
    }

    fn gather(
        &mut self,
        file: &'t File,
        choice: &'t Choice,
        name: &str,
        outer: &mut Vec<Arc<Predicate>>,
        atoms: &mut Vec<AtomId>,
        whole: &mut bool,
    ) {
        let depth = outer.len();
        if let Some(condition) = &choice.condition {
            match self.predicate(file, condition) {
                Some(predicate) => outer.push(Arc::new(predicate)),
                None => *whole = false,
            }
        }
        for atom in &choice.atoms {
            match atom {
                ast::Atom::Named(word) => match self.named(file, word) {
                    Some(id) if outer.is_empty() => atoms.push(id),
                    Some(id) => {
                        let Some(mut narrowed) = self.program.atoms.get(id.0 as usize).cloned() else { continue };
                        narrowed.predicates.extend(outer.iter().cloned());
                        let id = self.add(narrowed);
                        atoms.push(id);
                    }
                    None => *whole = false,
                },
                ast::Atom::Event(event) => {
                    let from = match &event.it.from {
                        Some(from) => self.senders(file, &from.it),
                        None => Vec::new(),
                    };
                    let all = event.it.ids.is_empty() && from.is_empty() && outer.is_empty();
                    if all && *whole {
                        self.report(file, Code::MatchesEverything, &event.span, "every event meets this condition");
                    }
                    let atom = Atom {
                        name: name.to_owned(),
                        ids: event.it.ids.iter().map(|id| id.it.clone()).collect(),
                        from,
                        matches: Vec::new(),
                        predicates: outer.clone(),
                        place: file.place(&event.span),
                    };
                    let id = self.add(atom);
                    atoms.push(id);
                }
                ast::Atom::Group(inner) => self.gather(file, inner, name, outer, atoms, whole),
            }
        }
        outer.truncate(depth);
    }

    fn named(&mut self, file: &File, word: &Word) -> Option<AtomId> {
        self.used_patterns.insert(word.it.clone());
        if !self.patterns.contains_key(word.it.as_str()) {
            let known: Vec<&str> = self.patterns.keys().copied().collect();
            self.unknown(file, Code::UnknownPattern, word, format!("no pattern has the name `{}`", word.it), known);
            return None;
        }
        self.pattern_atom(&word.it)
    }

    /// Senders, looked up in the inventory: an alias stands for its name.
    fn senders(&mut self, file: &File, from: &From) -> Vec<Sender> {
        let inventory = self.world.inventory;
        match from {
            From::Any => Vec::new(),
            From::Apps(words) => {
                let all = words.iter().map(|word| {
                    if let Some(inventory) = inventory {
                        if let Some((name, _)) = inventory.application(&word.it) {
                            return Sender::App(name.clone());
                        }
                        let known: Vec<&str> = inventory.applications.keys().map(String::as_str).collect();
                        if word.it != OWN_APP {
                            self.sender(file, word, "application", &known);
                        }
                    }
                    Sender::App(word.it.clone())
                });
                all.collect()
            }
            From::Hosts(words) => {
                let all = words.iter().map(|word| {
                    if let Some(inventory) = inventory {
                        if let Some((name, _)) = inventory.host(&word.it) {
                            return Sender::Host(name.clone());
                        }
                        let known: Vec<&str> = inventory.hosts.keys().map(String::as_str).collect();
                        self.sender(file, word, "host", &known);
                    }
                    Sender::Host(word.it.clone())
                });
                all.collect()
            }
            From::Types(words) => {
                let all = words.iter().map(|word| {
                    if let Some(inventory) = inventory {
                        let known: Vec<&str> = inventory.applications.values().map(|a| a.kind.as_str()).collect();
                        if !known.contains(&word.it.as_str()) {
                            self.sender(file, word, "application type", &known);
                        }
                    }
                    Sender::Type(word.it.clone())
                });
                all.collect()
            }
        }
    }

    fn sender(&mut self, file: &File, word: &Word, what: &str, known: &[&str]) {
        if word.it.contains('*') {
            return;
        }
        let message = format!("the inventory has no {what} `{}`", word.it);
        match nearest(&word.it, known.iter().copied()) {
            Some(near) => {
                self.report(file, Code::UnknownSender, &word.span, message).help = Some(format!("did you mean `{near}`?"));
            }
            None => {
                let help = "the condition compares with the name as it stands in the record".to_owned();
                self.report(file, Code::SenderNotInInventory, &word.span, message).help = Some(help);
            }
        }
    }
}

/// The names that the expressions of a file capture.
pub(super) fn captured(file: &File) -> Vec<String> {
    let mut names = Vec::new();
    for item in &file.items {
        let clauses = match item {
            ast::Item::Pattern(pattern) | ast::Item::Ignore(pattern) => pattern.clauses.as_slice(),
            ast::Item::Piece(piece) => {
                names.extend(expressions::captured(&piece.regex));
                continue;
            }
            _ => continue,
        };
        for clause in clauses {
            if let PatternClause::Match { regex, .. } = &clause.it {
                names.extend(expressions::captured(regex));
            }
        }
    }
    names
}
