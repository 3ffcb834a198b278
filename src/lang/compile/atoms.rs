//! Conditions over single events: patterns, inline events, senders, regular expressions.

use std::sync::Arc;

use crate::base::limits::{ALTERNATIVES, REGEX_BYTES};
use crate::diag::Code;
use crate::diag::suggest::nearest;
use crate::event::OWN_APP;
use crate::lang::ast::{self, At, Choice, File, From, PatternClause, Regex, Span, Word};
use crate::lang::expression::{Expression, Refused};
use crate::lang::program::{Atom, AtomId, FieldRegex, Predicate, Sample, Sender};

use super::{Compiler, Named};

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
                PatternClause::Match { field, regex } => match self.regex(file, regex, true) {
                    Some(regex) => {
                        let field = field.as_ref().map_or("text", |f| &f.it).to_owned();
                        atom.matches.push(FieldRegex { field, regex });
                    }
                    None => whole = false,
                },
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

    /// A compiled expression, or what is wrong with it, at the very character where that is known.
    pub(super) fn regex(&mut self, file: &File, regex: &Regex, captures: bool) -> Option<Arc<Expression>> {
        let text: String = regex.pieces.iter().map(|p| p.it.as_str()).collect();
        if let Some(at) = typed_capture(&text) {
            let span = within(regex, at);
            let message = "captures with a type (`(?<name:type>...)`) are not in this version of the language yet";
            self.report(file, Code::NotYet, &span, message);
            return None;
        }
        // The flags stand in the expression itself, so that the matcher, which reads it again, knows them.
        let flags = match (regex.ignore_case, regex.dot_all) {
            (false, false) => "",
            (true, false) => "(?i)",
            (false, true) => "(?s)",
            (true, true) => "(?is)",
        };
        match Expression::new(&format!("{flags}{text}"), REGEX_BYTES) {
            Ok(built) => {
                for name in built.capture_names().into_iter().filter(|n| captures && BUILT_IN.contains(n)) {
                    let message = format!("every event has a field `{name}`: this capture is never seen");
                    self.report(file, Code::HiddenCapture, &regex.span, message).help = Some("give it another name".to_owned());
                }
                Some(Arc::new(built))
            }
            Err(Refused::TooLarge) => {
                let message = format!("this regular expression takes more than {REGEX_BYTES} bytes when compiled");
                let help = "bounded repeats of large classes multiply: shorten them, or use several patterns".to_owned();
                self.report(file, Code::RegexTooLarge, &regex.span, message).help = Some(help);
                None
            }
            Err(Refused::Wrong) => {
                let (message, at) = why(&text);
                let span = at.map_or(regex.span.clone(), |at| within(regex, at));
                self.report(file, Code::BadRegex, &span, format!("the regular expression is not understood: {message}"));
                None
            }
        }
    }
}

/// The names that the expressions of a file capture.
pub(super) fn captured(file: &File) -> Vec<String> {
    let mut names = Vec::new();
    for item in &file.items {
        let ast::Item::Pattern(pattern) = item else { continue };
        for clause in &pattern.clauses {
            let PatternClause::Match { regex, .. } = &clause.it else { continue };
            let text: String = regex.pieces.iter().map(|p| p.it.as_str()).collect();
            let starts = text.split("(?<").chain(text.split("(?P<")).skip(1);
            names.extend(starts.filter_map(|s| Some(s.split_once('>')?.0.to_owned())));
        }
    }
    names
}

/// Why the library refuses an expression, in its words, and at which byte.
fn why(text: &str) -> (String, Option<usize>) {
    match regex_syntax::ast::parse::Parser::new().parse(text) {
        Err(e) => (e.kind().to_string(), Some(e.span().start.offset)),
        Ok(_) => match regex_syntax::parse(text) {
            Err(regex_syntax::Error::Translate(e)) => (e.kind().to_string(), Some(e.span().start.offset)),
            Err(e) => (e.to_string(), None),
            Ok(_) => ("it can't be compiled".to_owned(), None),
        },
    }
}

fn typed_capture(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text[from..].find("(?<").map(|i| i + from) {
        let name = &text[at + 3..];
        let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
        if end > 0 && name[end..].starts_with(':') {
            return Some(at);
        }
        from = at + 3;
    }
    None
}

/// The place in the file of a byte of the joined expression. Escaped slashes before it shift it; near enough for a caret.
fn within(regex: &Regex, at: usize) -> Span {
    let mut left = at;
    for At { it, span } in &regex.pieces {
        if left < it.len() {
            let start = (span.start + left).min(span.end.saturating_sub(1));
            return start..start + 1;
        }
        left -= it.len();
    }
    regex.span.clone()
}
