//! Compiles trees to the program: resolves names, checks everything, reports all mistakes.

mod advice;
pub use uses::fields_set;

mod alarms;
mod atoms;
mod calendars;
mod claims;
mod condition;
mod detection;
mod expressions;
mod members;
mod metrics;
mod predicates;
mod reactions;
mod renames;
mod self_events;
mod states;
mod uses;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::core::base::limits::{MISTAKES_PER_FILE, NEAR_MISSES};
use crate::core::diag::suggest::{did_you_mean, nearest};
use crate::core::diag::{Code, Diagnostic, Place, Severity, Source};
use crate::core::inventory::Inventory;
use crate::core::script::Param;

use super::ast::{File, Item, Piece, Text, TextSpan};
use super::parse::parse;
use super::program::{AtomId, Cancel, Program};

/// The names outside of the rules that they may refer to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Declarations<'a> {
    /// Hosts, applications, pairs and resources. Without an inventory, their names are not checked, and conditions about
    /// groups, pairs and sites are refused.
    pub inventory: Option<&'a Inventory>,
    /// The scripts by file name, with their declared parameters. Without them, calls are not checked.
    pub scripts: Option<&'a BTreeMap<String, Vec<Param>>>,
}

/// Warnings that mean nothing while a part of the rules cannot be read.
const DOUBTFUL: &[Code] = &[
    Code::UnusedPattern,
    Code::UnusedReaction,
    Code::UnusedCapture,
    Code::UnusedCalendar,
    Code::EndlessWindow,
    Code::NoCancel,
    Code::NeverRaised,
];

/// Compiles rule files in the given order, and reports all mistakes in them. The program contains what could be compiled. If
/// there are errors among the diagnostics, it must not run.
///
/// ```
/// use std::sync::Arc;
///
/// use pointsman::core::diag::Source;
/// use pointsman::core::lang::{Declarations, compile};
///
/// let text = "pattern link { match /link down/ }\nalarm link_down { detect link  cancel at once }\n";
/// let file = Arc::new(Source { name: "link.alarm".to_owned(), text: text.to_owned() });
/// let (program, _diagnostics) = compile(&[file], &Declarations::default());
/// assert_eq!(program.alarms[0].name, "link_down");
/// ```
pub fn compile(files: &[Arc<Source>], world: &Declarations<'_>) -> (Program, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let mut trees = Vec::new();
    for source in files {
        let (tree, diagnostics) = parse(source);
        found.extend(diagnostics);
        trees.push(tree);
    }
    let unread: Vec<Code> = found.iter().map(|d: &Diagnostic| d.code).collect();
    let mut compiler = Compiler {
        world,
        program: Program::default(),
        patterns: BTreeMap::new(),
        pattern_atoms: BTreeMap::new(),
        pieces: BTreeMap::new(),
        used_pieces: BTreeSet::new(),
        lists: BTreeMap::new(),
        used_lists: BTreeSet::new(),
        listed: 0,
        captured: trees.iter().flat_map(atoms::captured).collect(),
        open_patterns: BTreeSet::new(),
        alarm_keys: states::all_keys(alarms_of(&trees)),
        renamings: Vec::new(),
        alarm_names: alarms_of(&trees).map(|alarm| alarm.name.it.as_str()).collect(),
        used_patterns: BTreeSet::new(),
        used_reactions: BTreeSet::new(),
        calendars: BTreeMap::new(),
        used_calendars: BTreeSet::new(),
        regex_bytes: 0,
        copies: 0,
        group_senders: 0,
        compared: 0,
        found,
    };
    compiler.mentions(&trees);
    compiler.pieces(&trees);
    compiler.lists(&trees);
    compiler.patterns(&trees);
    compiler.claims();
    compiler.reactions(&trees);
    compiler.calendars(&trees);
    compiler.calendars_of_configuration();
    compiler.alarms(&trees);
    compiler.unused(&trees);
    compiler.cycles();
    compiler.program.inside = uses::inside(&compiler.program);
    compiler.advise(&trees);
    let mut found = compiler.found;
    let numbers: BTreeMap<*const Source, usize> = files.iter().map(Arc::as_ptr).zip(0..).collect();
    let order = |d: &Diagnostic| {
        let place = d.place.as_ref();
        (place.and_then(|p| numbers.get(&Arc::as_ptr(&p.source))).copied(), place.map(|p| p.bytes.start))
    };
    found.sort_by_key(order);
    // If a part could not be read, it is unknown what that part uses and sets.
    if !unread.is_empty() {
        found.retain(|d| !DOUBTFUL.contains(&d.code));
    }
    // A mistake in `defaults` is found again with every alarm.
    found.dedup();
    bound(&mut found);
    (compiler.program, found)
}

/// Keeps at most [`MISTAKES_PER_FILE`] diagnostics of each file, errors before warnings, and counts the rest in one more.
fn bound(found: &mut Vec<Diagnostic>) {
    let file = |d: &Diagnostic| d.place.as_ref().map(|p| (p.source.name.clone(), Arc::as_ptr(&p.source)));
    let mut counts = BTreeMap::new();
    found.iter().for_each(|d| *counts.entry(d.place.as_ref().map(|p| Arc::as_ptr(&p.source))).or_insert(0_usize) += 1);
    if counts.values().all(|count| *count <= MISTAKES_PER_FILE) {
        return;
    }
    let mut seen = BTreeMap::new();
    let mut keep = vec![false; found.len()];
    for severity in [Severity::Error, Severity::Warning] {
        for (d, keep) in found.iter().zip(&mut keep).filter(|(d, _)| d.code.severity() == severity) {
            let seen = seen.entry(file(d)).or_insert(0_usize);
            *seen += 1;
            *keep = *seen <= MISTAKES_PER_FILE;
        }
    }
    let mut keep = keep.into_iter();
    found.retain(|_| keep.next().unwrap_or(true));
    for (file, seen) in seen.into_iter().filter(|(_, seen)| *seen > MISTAKES_PER_FILE) {
        let name = file.map_or_else(|| "the site".to_owned(), |(name, _)| name);
        let message = format!("{name} has {} more errors and warnings, which are not listed", seen - MISTAKES_PER_FILE);
        found.push(Diagnostic::whole(Code::MoreMistakes, message).help("fix these first"));
    }
}

fn alarms_of(trees: &[File]) -> impl Iterator<Item = &super::ast::AlarmSyntax> {
    trees.iter().flat_map(|f| &f.items).filter_map(|item| if let Item::Alarm(alarm) = item { Some(alarm) } else { None })
}

fn pieces_of(trees: &[File]) -> impl Iterator<Item = (&File, &Piece)> {
    trees.iter().flat_map(|file| {
        file.items.iter().filter_map(move |item| if let Item::Piece(piece) = item { Some((file, piece)) } else { None })
    })
}

/// The tree of a pattern, with its file.
#[derive(Clone, Copy)]
struct Named<'t> {
    file: &'t File,
    pattern: &'t super::ast::Pattern,
}

struct Compiler<'t, 'w> {
    world: &'w Declarations<'w>,
    program: Program,
    patterns: BTreeMap<&'t str, Named<'t>>,
    /// The atom of each pattern; `None` if it could not be compiled.
    pattern_atoms: BTreeMap<String, Option<AtomId>>,
    /// Parts of expressions by name, with the file that defines each.
    pieces: BTreeMap<&'t str, (&'t File, &'t Piece)>,
    used_pieces: BTreeSet<String>,
    /// Lists of values by name, with the file that defines each.
    lists: BTreeMap<&'t str, (&'t File, &'t super::ast::List)>,
    used_lists: BTreeSet<String>,
    /// The number of values of all lists so far.
    listed: usize,
    /// Names that expressions capture anywhere: an unquoted word may be one of them.
    captured: BTreeSet<String>,
    /// Patterns whose conditions are being compiled.
    open_patterns: BTreeSet<String>,
    /// The keys of each alarm.
    alarm_keys: BTreeMap<&'t str, Vec<String>>,
    /// The names of keys in the operands of the condition that is being compiled.
    renamings: Vec<renames::Renaming>,
    /// The names that `inhibited by` may use.
    alarm_names: BTreeSet<&'t str>,
    used_patterns: BTreeSet<String>,
    used_reactions: BTreeSet<String>,
    /// Calendars by name, with the file that defines each.
    calendars: BTreeMap<&'t str, (&'t File, &'t super::ast::CalendarSyntax)>,
    used_calendars: BTreeSet<String>,
    /// Approximate bytes of all compiled expressions.
    regex_bytes: usize,
    /// Number of conditions and expressions that were copied to be narrowed.
    copies: usize,
    /// Number of senders that groups stand for, so far.
    group_senders: usize,
    /// Number of names with which unknown names were compared.
    compared: usize,
    found: Vec<Diagnostic>,
}

impl<'t> Compiler<'t, '_> {
    fn report(&mut self, file: &File, code: Code, span: &TextSpan, message: impl Into<String>) -> &mut Diagnostic {
        self.found.push(Diagnostic::new(code, file.place(span), message));
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    /// Reports an unknown name with a similar name, or with all names if they are few.
    fn unknown<'n>(&mut self, file: &File, code: Code, word: &Text, message: String, known: impl IntoIterator<Item = &'n str>) {
        let known: Vec<&str> = known.into_iter().collect();
        let help = match self.near(&word.it, &known) {
            Some(near) => Some(did_you_mean(near)),
            None if !known.is_empty() && known.len() <= 12 => Some(format!("there are {}", known.join(", "))),
            None => None,
        };
        self.report(file, code, &word.span, message).help = help;
    }

    /// A similar name. For rules with thousands of unknown names the search stops, because it would take too long.
    fn near<'n>(&mut self, wrong: &str, known: &[&'n str]) -> Option<&'n str> {
        self.compared = self.compared.saturating_add(known.len());
        if self.compared > NEAR_MISSES { None } else { nearest(wrong, known.iter().copied()) }
    }

    /// The names of all patterns, to find a similar one; empty when the search has stopped.
    fn pattern_names(&self) -> Vec<&'t str> {
        if self.compared > NEAR_MISSES { Vec::new() } else { self.patterns.keys().copied().collect() }
    }

    /// The names of all alarms, likewise.
    fn alarm_names(&self) -> Vec<&'t str> {
        if self.compared > NEAR_MISSES { Vec::new() } else { self.alarm_names.iter().copied().collect() }
    }

    /// The names of all reactions, likewise.
    fn reaction_names(&self) -> Vec<String> {
        if self.compared > NEAR_MISSES { Vec::new() } else { self.program.reactions.keys().cloned().collect() }
    }

    fn twice(&mut self, file: &File, word: &Text, what: &str, first: Place) {
        let message = format!("there are two {what} named `{}`", word.it);
        self.report(file, Code::DuplicateName, &word.span, message).context.push((first, "first defined here".to_owned()));
    }

    /// Names in parts that this version does not have count as used.
    fn mentions(&mut self, trees: &[File]) {
        for name in trees.iter().flat_map(|f| &f.mentions) {
            self.used_patterns.insert(name.clone());
            self.used_reactions.insert(name.clone());
            self.used_calendars.insert(name.clone());
        }
    }

    fn patterns(&mut self, trees: &'t [File]) {
        for file in trees {
            for item in &file.items {
                let (Item::Pattern(pattern) | Item::Ignore(pattern)) = item else { continue };
                if let Some(first) = self.patterns.get(pattern.name.it.as_str()).copied() {
                    self.twice(file, &pattern.name, "patterns", first.file.place(&first.pattern.name.span));
                    continue;
                }
                self.patterns.insert(&pattern.name.it, Named { file, pattern });
            }
        }
        let names: Vec<&str> = self.patterns.keys().copied().collect();
        for name in names {
            self.pattern_atom(name);
        }
        for item in trees.iter().flat_map(|f| &f.items) {
            if let Item::Ignore(pattern) = item {
                self.used_patterns.insert(pattern.name.it.clone());
                let atom = self.pattern_atom(&pattern.name.it);
                self.program.ignored.extend(atom);
            }
        }
    }

    fn unused(&mut self, trees: &[File]) {
        for file in trees {
            for item in &file.items {
                match item {
                    Item::Pattern(p) if !self.used_patterns.contains(&p.name.it) => {
                        let message = format!("no alarm uses the pattern `{}`", p.name.it);
                        self.report(file, Code::UnusedPattern, &p.name.span, message);
                    }
                    Item::Piece(p) if !self.used_pieces.contains(&p.name.it) && self.pieces.contains_key(p.name.it.as_str()) => {
                        let message = format!("no expression uses the piece `{}`", p.name.it);
                        self.report(file, Code::UnusedPattern, &p.name.span, message);
                    }
                    Item::List(l) if !self.used_lists.contains(&l.name.it) => {
                        let message = format!("no condition uses the list `{}`", l.name.it);
                        self.report(file, Code::UnusedPattern, &l.name.span, message);
                    }
                    Item::Reaction(r) if !self.used_reactions.contains(&r.name.it) => {
                        let message = format!("no alarm uses the reaction `{}`", r.name.it);
                        self.report(file, Code::UnusedReaction, &r.name.span, message);
                    }
                    Item::Calendar(c) if !self.used_calendars.contains(&c.name.it) => {
                        let message = format!("nothing uses the calendar `{}`", c.name.it);
                        self.report(file, Code::UnusedCalendar, &c.name.span, message);
                    }
                    _ => {}
                }
            }
        }
    }
}
