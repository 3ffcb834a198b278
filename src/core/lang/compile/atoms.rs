//! Conditions over single events: patterns, inline events, senders.

use std::sync::Arc;

use crate::core::base::limits::{ALTERNATIVES, COPIES};
use crate::core::diag::Code;
use crate::core::diag::suggest::nearest;
use crate::core::event::{BuiltIn, OWN_APP};
use crate::core::lang::ast::{self, ChangeSyntax, Choice, File, From, PatternClause, SenderSyntax, Text, TextSpan};
use crate::core::lang::program::{Alarm, Atom, AtomId, Cancel, Category, Operand, Predicate, Sample, Sender, Signal};

use super::renames::Inherited;
use super::{Compiler, Named, expressions};

impl<'t> Compiler<'t, '_> {
    /// The atom of a named pattern, which is compiled once.
    pub(super) fn pattern_atom(&mut self, name: &str) -> Option<AtomId> {
        if let Some(atom) = self.pattern_atoms.get(name) {
            return *atom;
        }
        let named = self.patterns.get(name).copied()?;
        // Reported once, whatever the result.
        self.pattern_atoms.insert(name.to_owned(), None);
        self.open_patterns.insert(name.to_owned());
        let atom = self.compile_pattern(named);
        self.open_patterns.remove(name);
        self.pattern_atoms.insert(name.to_owned(), atom);
        atom
    }

    fn compile_pattern(&mut self, Named { file, pattern }: Named<'t>) -> Option<AtomId> {
        let composite = pattern
            .clauses
            .iter()
            .find_map(|c| if let PatternClause::Detect(detect) = &c.it { Some((detect, &c.span)) } else { None });
        if let Some((detect, span)) = composite {
            return self.composite(Named { file, pattern }, detect, span);
        }
        let mut atom = Atom::new(pattern.name.it.clone(), file.place(&pattern.name.span));
        let mut whole = true;
        let mut selected = false;
        for clause in &pattern.clauses {
            match &clause.it {
                PatternClause::From(from) => {
                    if selected {
                        self.report(file, Code::DuplicateClause, &clause.span, "`from` is given twice in this pattern");
                    }
                    selected = true;
                    atom.from = self.senders(file, &from.whom);
                    atom.predicates.extend(self.on(file, from));
                }
                PatternClause::Match { field, regex } => {
                    if let Some(field) = field {
                        self.misspelled(file, field);
                    }
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
                PatternClause::Set(field, operand) => match self.setting(file, operand) {
                    Some(_) if BuiltIn::is_fixed(&field.it) => {
                        let message = format!(
                            "every event already has a field `{}`, so the value that is set here is never seen",
                            field.it
                        );
                        self.report(file, Code::HiddenCapture, &field.span, message).help =
                            Some("give it another name".to_owned());
                    }
                    Some(value) => atom.sets.push((field.it.clone(), value)),
                    None => whole = false,
                },
                PatternClause::Sample(_) | PatternClause::Detect(_) => {}
                PatternClause::Later => whole = false,
            }
        }
        if whole && atom.from.is_empty() && atom.matches.is_empty() && atom.predicates.is_empty() {
            self.report(
                file,
                Code::MatchesEverything,
                &pattern.name.span,
                format!("every event matches the pattern `{}`", pattern.name.it),
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
                self.program.samples.push(Sample {
                    atom: id,
                    record: sample.record.clone(),
                    matches: sample.matches,
                    fields,
                    place,
                });
            }
        }
        Some(id)
    }

    /// A pattern of several events: a condition of its own, and the atom that matches when it fires.
    fn composite(&mut self, Named { file, pattern }: Named<'t>, detect: &'t ast::Detect, span: &TextSpan) -> Option<AtomId> {
        for clause in &pattern.clauses {
            if !matches!(clause.it, PatternClause::Detect(_) | PatternClause::Later) || clause.span != *span {
                let message = "a pattern with `detect` is about several events and can have no other clause";
                self.report(file, Code::ClauseNotHere, &clause.span, message);
            }
        }
        let atom = self.named_condition(file, &pattern.name, detect, Inherited::default(), span);
        self.renamings.clear();
        atom
    }

    /// A named condition of several events: returns the atom that matches when it fires.
    pub(super) fn named_condition(
        &mut self,
        file: &'t File,
        name: &Text,
        detect: &'t ast::Detect,
        inherited: Inherited<'_>,
        span: &TextSpan,
    ) -> Option<AtomId> {
        let found = self.detection(file, &name.it, detect, inherited, span);
        if found.detect.parts.is_empty() {
            return None;
        }
        let mut alarm = Alarm::new(format!("pattern {}", name.it), file.place(&name.span));
        alarm.category = Category::None;
        alarm.detect = found.detect;
        alarm.by = found.by;
        alarm.hold = found.hold;
        if alarm.hold.is_some() {
            alarm.detect.unless.extend(found.ends);
        }
        alarm.cancel = vec![Cancel::AtOnce];
        alarm.composite = true;
        self.program.alarms.push(alarm);
        Some(self.signal(file, Signal::Occurrence(name.it.clone()), &name.span))
    }

    /// The value to which a field is set.
    fn setting(&mut self, file: &File, operand: &ast::OperandSyntax) -> Option<Operand> {
        match operand {
            ast::OperandSyntax::Literal(literal) => Some(Operand::Value(super::values::value_of(&literal.it))),
            ast::OperandSyntax::Bare(word) => self.bare_operand(file, "", word),
        }
    }

    /// A condition on the hosts that `from ... on host` names.
    fn on(&mut self, file: &File, from: &From) -> Option<Arc<Predicate>> {
        let hosts = self.hosts(file, &from.on);
        (!hosts.is_empty()).then(|| Arc::new(super::predicates::one_of("host", hosts)))
    }

    /// Hosts by the inventory's names.
    pub(super) fn hosts(&mut self, file: &File, words: &[Text]) -> Vec<String> {
        let senders = self.senders(file, &SenderSyntax::Hosts(words.to_vec()));
        senders.into_iter().filter_map(|s| if let Sender::Host(name) = s { Some(name) } else { None }).collect()
    }

    pub(super) fn apps(&mut self, file: &File, words: &[Text]) -> Vec<String> {
        let senders = self.senders(file, &SenderSyntax::Apps(words.to_vec()));
        senders.into_iter().filter_map(|s| if let Sender::App(name) = s { Some(name) } else { None }).collect()
    }

    pub(super) fn add(&mut self, atom: Atom) -> AtomId {
        let id = AtomId(u32::try_from(self.program.atoms.len()).unwrap_or(u32::MAX));
        self.program.atoms.push(atom);
        id
    }

    /// The atoms of a choice; `None` when a part of it could not be compiled.
    pub(super) fn choice(&mut self, file: &'t File, choice: &'t Choice, name: &str, span: &TextSpan) -> Option<Vec<AtomId>> {
        let mut atoms = Vec::new();
        let mut whole = true;
        self.gather(file, choice, name, &mut Vec::new(), &mut atoms, &mut whole);
        if atoms.len() > ALTERNATIVES {
            self.report(file, Code::TooManyAlternatives, span, format!("a condition has at most {ALTERNATIVES} alternatives"));
            return None;
        }
        if whole {
            self.alternatives(file, choice, &atoms);
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
                ast::AtomSyntax::Named(word) => match self.named(file, word) {
                    Some(id) if outer.is_empty() && !self.is_renamed(&word.it) => atoms.push(id),
                    Some(id) => {
                        if !self.room_for_copy(file, id, &word.span) {
                            *whole = false;
                            continue;
                        }
                        let Some(copy) = self.program.atoms.get(id.0 as usize).cloned() else { continue };
                        let id = self.add(copy);
                        let id = self.rename(id, &word.it);
                        atoms.push(self.narrowed(id, outer));
                    }
                    None => *whole = false,
                },
                ast::AtomSyntax::Event(event) => {
                    let (mut from, mut predicates) = (Vec::new(), outer.clone());
                    if let Some(said) = &event.it.from {
                        from = self.senders(file, &said.it.whom);
                        predicates.extend(self.on(file, &said.it));
                    }
                    let all = event.it.ids.is_empty() && from.is_empty() && predicates.is_empty();
                    if all && *whole {
                        self.report(file, Code::MatchesEverything, &event.span, "every event matches this condition");
                    }
                    self.known_notices(file, &from, &event.it.ids);
                    let ids = event.it.ids.iter().map(|id| self.readable(file, &id.it, &id.span)).collect();
                    let id = self.add(Atom { ids, from, predicates, ..Atom::new(name.to_owned(), file.place(&event.span)) });
                    atoms.push(self.rename(id, ""));
                }
                ast::AtomSyntax::Alarm { name, change, .. } => {
                    let signal = match change {
                        ChangeSyntax::Began | ChangeSyntax::Lasts | ChangeSyntax::Unacked => Signal::Raised(name.it.clone()),
                        ChangeSyntax::Ended => Signal::Cleared(name.it.clone()),
                    };
                    let id = self.signal(file, signal, &name.span);
                    let id = self.rename(id, "");
                    atoms.push(self.narrowed(id, outer));
                }
                ast::AtomSyntax::Host { names, group, change, span, .. } => {
                    let signal = if *change == ChangeSyntax::Ended { Signal::HostBack } else { Signal::HostLost };
                    let hosts = self.those_hosts(file, names, group.as_ref());
                    let id = self.signal(file, signal, span);
                    self.only(id, "host", hosts);
                    atoms.push(self.narrowed(id, outer));
                }
                ast::AtomSyntax::App { names, group, change, span, .. } => {
                    let signal = if *change == ChangeSyntax::Ended { Signal::AppRuns } else { Signal::AppStopped };
                    let apps = self.those_apps(file, names, group.as_ref());
                    let id = self.signal(file, signal, span);
                    self.only(id, "app", apps);
                    atoms.push(self.narrowed(id, outer));
                }
                ast::AtomSyntax::Metric { name, of, span } => match self.metric(file, name, of, span) {
                    Some(id) => atoms.push(self.narrowed(id, outer)),
                    None => *whole = false,
                },
                ast::AtomSyntax::Calendar { name, change } => {
                    self.calendar_name(file, name);
                    let signal = match change {
                        ChangeSyntax::Ended => Signal::Ends(name.it.clone()),
                        ChangeSyntax::Began | ChangeSyntax::Lasts | ChangeSyntax::Unacked => Signal::Begins(name.it.clone()),
                    };
                    let id = self.signal(file, signal, &name.span);
                    atoms.push(self.narrowed(id, outer));
                }
                ast::AtomSyntax::Claim { primary, span } => atoms.extend(self.claim_atoms(file, *primary, outer, name, span)),
                ast::AtomSyntax::Not { span, .. } => {
                    let message = "`not` before a state is valid only among states that are joined by `and` or `or`";
                    let help = "for events write `A without B within 30s`; the end of a state is `alarm X cleared`, `host back` or `app running`";
                    self.report(file, Code::NotJoined, span, message).help = Some(help.to_owned());
                    *whole = false;
                }
                ast::AtomSyntax::Group(inner) => self.gather(file, inner, name, outer, atoms, whole),
            }
        }
        outer.truncate(depth);
    }

    /// Compiles the patterns that a choice names and that exist.
    pub(super) fn patterns_of(&mut self, choice: &Choice) {
        for atom in &choice.atoms {
            match atom {
                ast::AtomSyntax::Named(word) if !self.open_patterns.contains(&word.it) => {
                    self.pattern_atom(&word.it);
                }
                ast::AtomSyntax::Group(inner) => self.patterns_of(inner),
                _ => {}
            }
        }
    }

    /// Adds these conditions to an atom.
    fn narrowed(&mut self, id: AtomId, outer: &[Arc<Predicate>]) -> AtomId {
        if let Some(atom) = self.program.atoms.get_mut(id.0 as usize) {
            atom.predicates.extend(outer.iter().cloned());
        }
        id
    }

    /// False when too much has been copied already; this is reported once.
    fn room_for_copy(&mut self, file: &File, id: AtomId, span: &TextSpan) -> bool {
        let before = self.copies;
        let expressions = self.program.atoms.get(id.0 as usize).map_or(0, |atom| atom.matches.len());
        self.copies = before.saturating_add(expressions + 1);
        if before <= COPIES && self.copies > COPIES {
            let message = format!("the conditions that `where` narrows have more than {COPIES} expressions together");
            let help = "write the `where` in the pattern itself, or name fewer patterns".to_owned();
            self.report(file, Code::TooManyAlternatives, span, message).help = Some(help);
        }
        self.copies <= COPIES
    }

    pub(super) fn named(&mut self, file: &File, word: &Text) -> Option<AtomId> {
        self.used_patterns.insert(word.it.clone());
        if self.open_patterns.contains(&word.it) {
            let message = format!("the pattern `{}` refers to itself", word.it);
            self.report(file, Code::Cycle, &word.span, message);
            return None;
        }
        if !self.patterns.contains_key(word.it.as_str()) {
            let known = self.pattern_names();
            let message = format!("there is no pattern `{}`", word.it);
            if word.it == "claim" {
                let help = "a role that a member of a pair claims is written `claim primary` or `claim backup`".to_owned();
                self.report(file, Code::UnknownPattern, &word.span, message).help = Some(help);
                return None;
            }
            if word.it.contains(' ') && self.near(&word.it, &known).is_none() {
                let text = word.it.replace('\\', "\\\\").replace('"', "\\\"");
                let help = format!("to look for a text write `event where text contains \"{text}\"`");
                self.report(file, Code::UnknownPattern, &word.span, message).help = Some(help);
            } else {
                let event = nearest(&word.it, ["event"]);
                self.unknown(file, Code::UnknownPattern, word, message, known.into_iter().chain(event));
            }
            return None;
        }
        self.pattern_atom(&word.it)
    }

    /// Senders as the inventory resolves them: an alias stands for its name.
    fn senders(&mut self, file: &File, whom: &SenderSyntax) -> Vec<Sender> {
        let inventory = self.world.inventory;
        match whom {
            SenderSyntax::Any => Vec::new(),
            SenderSyntax::Apps(words) => {
                let all = words.iter().flat_map(|word| {
                    if let Some(inventory) = inventory {
                        if let Some((name, _)) = inventory.application(&word.it) {
                            return vec![Sender::App(name.clone())];
                        }
                        // A program that runs on several hosts; its own name stands for records of hosts that the inventory
                        // does not have.
                        let programs = inventory.of_program(&word.it).map(|(name, _)| Sender::App(name.clone()));
                        let programs: Vec<Sender> = programs.chain([Sender::App(word.it.clone())]).collect();
                        if programs.len() > 1 {
                            return programs;
                        }
                        let known: Vec<&str> = inventory.applications.keys().map(String::as_str).collect();
                        let all = inventory.applications.values();
                        let others = all.flat_map(|a| a.aliases.iter().chain([&a.program])).map(String::as_str);
                        let others: Vec<&str> = others.filter(|name| !name.is_empty()).collect();
                        if word.it != OWN_APP {
                            self.sender(file, word, "application", &known, &others);
                        }
                    }
                    vec![Sender::App(word.it.clone())]
                });
                all.collect()
            }
            SenderSyntax::Hosts(words) => {
                let all = words.iter().map(|word| {
                    if let Some(inventory) = inventory {
                        if let Some((name, _)) = inventory.host(&word.it) {
                            return Sender::Host(name.clone());
                        }
                        let known: Vec<&str> = inventory.hosts.keys().map(String::as_str).collect();
                        let others: Vec<&str> = inventory.hosts.values().flat_map(|h| &h.aliases).map(String::as_str).collect();
                        self.sender(file, word, "host", &known, &others);
                    }
                    Sender::Host(word.it.clone())
                });
                all.collect()
            }
            SenderSyntax::Groups(words) => words.iter().flat_map(|word| self.group_senders(file, word)).collect(),
            SenderSyntax::Sites(words) => words.iter().flat_map(|word| self.site_senders(file, word)).collect(),
            SenderSyntax::Types(words) => {
                let all = words.iter().map(|word| {
                    if let Some(inventory) = inventory {
                        let known: Vec<&str> = inventory.applications.values().map(|a| a.kind.as_str()).collect();
                        if !known.contains(&word.it.as_str()) {
                            self.sender(file, word, "application type", &known, &[]);
                        }
                    }
                    Sender::Type(word.it.clone())
                });
                all.collect()
            }
        }
    }

    /// Reports a sender that the inventory does not have. `others`: aliases and programs, which logs may have in any number, so that
    /// a similar one is a doubt only.
    fn sender(&mut self, file: &File, word: &Text, what: &str, known: &[&str], others: &[&str]) {
        if word.it.contains('*') {
            return;
        }
        let message = format!("the inventory has no {what} `{}`", word.it);
        match self.near(&word.it, known) {
            Some(near) => {
                self.report(file, Code::UnknownSender, &word.span, message).help =
                    Some(crate::core::diag::suggest::did_you_mean(near));
            }
            // There is nothing to compare with: an inventory of hosts alone has no applications.
            None if known.is_empty() => {}
            None => {
                let near = self.near(&word.it, others).map(|near| format!("did you mean `{near}`? Otherwise "));
                let help =
                    format!("{}the condition compares with the name as it is written in the record", near.unwrap_or_default());
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
            match &clause.it {
                PatternClause::Match { regex, .. } => names.extend(expressions::captured(regex)),
                PatternClause::Set(field, _) => names.push(field.it.clone()),
                _ => {}
            }
        }
    }
    names
}
