//! Conditions over one event: which match, by which clauses, and which nearly match.

use std::cell::OnceCell;

use crate::core::event::{Event, Value};
use crate::core::lang::program::{Atom, AtomId, Cancel, Comparison, FieldTest, IdPattern, Operand, Predicate, Program, Shape};
use crate::core::lang::{Clause, ClauseCount};
use crate::core::site::Site;

/// Maximum number of conditions that are examined clause by clause; of more, those that have most in common with the record.
const EXAMINED: usize = 100;

/// A condition, and the result of each of its clauses for an event.
#[derive(Clone, Debug)]
pub struct ConditionReport {
    pub atom: AtomId,
    /// The pattern's name, or `alarm/detect` for a condition without a name.
    pub name: String,
    /// `file:line`.
    pub place: String,
    /// The rules that use it.
    pub uses: Vec<ConditionUse>,
    pub clauses: Vec<Clause>,
    /// What it captured, if the event matches it.
    pub captures: Option<Vec<(String, Value<'static>)>>,
}

/// How a rule uses a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConditionUse {
    /// A part of the `detect` of an alarm; parts count from 1.
    Detect {
        alarm: String,
        part: usize,
        parts: usize,
    },
    Cancel {
        alarm: String,
    },
    Unless {
        alarm: String,
    },
    /// `ignore`: no rule receives a matching event.
    Ignore,
    /// A member of this pair claims a role.
    Claim {
        pair: String,
    },
}

impl ConditionUse {
    /// The alarm that uses the condition.
    pub fn alarm(&self) -> Option<&str> {
        match self {
            ConditionUse::Detect { alarm, .. } | ConditionUse::Cancel { alarm } | ConditionUse::Unless { alarm } => Some(alarm),
            ConditionUse::Ignore | ConditionUse::Claim { .. } => None,
        }
    }

    /// For people: `detect of alarm x`.
    pub fn words(&self) -> String {
        let of = |alarm: &str| match alarm.strip_prefix("pattern ") {
            Some(pattern) => format!("pattern {pattern}"),
            None => format!("alarm {alarm}"),
        };
        match self {
            ConditionUse::Detect { alarm, parts: 1, .. } => format!("`detect` of {}", of(alarm)),
            ConditionUse::Detect { alarm, part, parts } => format!("part {part} of {parts} of the `detect` of {}", of(alarm)),
            ConditionUse::Cancel { alarm } => format!("`cancel when` of {}", of(alarm)),
            ConditionUse::Unless { alarm } => format!("`unless` of {}", of(alarm)),
            ConditionUse::Ignore => "`ignore`".to_owned(),
            ConditionUse::Claim { pair } => format!("the role of a member of pair {pair}"),
        }
    }
}

impl ConditionReport {
    /// Examines a condition of a site for an event.
    pub fn new(site: &Site, atom: AtomId, event: &Event<'_>) -> Option<ConditionReport> {
        let compiled = site.program.atoms.get(atom.0 as usize)?;
        let (clauses, captures) = site.matcher.explain(compiled, event);
        let (line, _) = compiled.place.line_column();
        let place = format!("{}:{line}", compiled.place.source.name);
        Some(ConditionReport { atom, name: compiled.name.clone(), place, uses: uses_of(&site.program, atom), clauses, captures })
    }

    /// True when the event matches it.
    pub fn matches(&self) -> bool {
        self.captures.is_some()
    }

    /// How close the event is, from 0 to 100: the mean of the clauses.
    pub fn near(&self) -> usize {
        let all: usize = self.clauses.iter().map(|clause| usize::from(clause.near)).sum();
        if self.clauses.is_empty() { 0 } else { all / self.clauses.len() }
    }

    /// The first clause that failed.
    pub fn failed(&self) -> Option<&Clause> {
        self.clauses.iter().find(|clause| !clause.holds)
    }
}

/// All conditions about records that match, then at most `near` of those that nearly match, the closest first.
pub fn conditions(site: &Site, event: &Event<'_>, near: usize) -> Vec<ConditionReport> {
    let lower = LowerText::of(event);
    let about_records = |(atom, n): (&Atom, u32)| (atom.signal.is_none()).then(|| (score(site, atom, &lower), AtomId(n)));
    let mut all: Vec<(usize, AtomId)> = site.program.atoms.iter().zip(0..).filter_map(about_records).collect();
    all.sort_by_key(|(score, atom)| (usize::MAX - score, *atom));
    all.truncate(EXAMINED);
    let reports = all.into_iter().filter_map(|(_, atom)| ConditionReport::new(site, atom, event));
    let (mut matched, mut missed): (Vec<_>, Vec<_>) = reports.partition(ConditionReport::matches);
    matched.sort_by_key(|report| report.atom);
    missed.retain(|report| !report.uses.is_empty());
    missed.sort_by_key(|report| (usize::MAX - report.near(), report.atom));
    // The same condition in the text of a rule may be several parts of the rule.
    missed.dedup_by(|b, a| a.place == b.place && a.name == b.name && a.near() == b.near());
    // A condition without anything in common explains nothing.
    missed.retain(|report| report.near() > 0);
    missed.truncate(near);
    matched.append(&mut missed);
    matched
}

/// An event, and its record in lower case as soon as somebody wants that: once, for any number of conditions.
pub(super) struct LowerText<'e, 'r> {
    event: &'e Event<'r>,
    text: OnceCell<String>,
}

impl<'e, 'r> LowerText<'e, 'r> {
    pub(super) fn of(event: &'e Event<'r>) -> LowerText<'e, 'r> {
        LowerText { event, text: OnceCell::new() }
    }

    fn text(&self) -> &str {
        self.text.get_or_init(|| self.event.raw().to_lowercase())
    }
}

/// How much a condition and an event have in common, computed cheaply: its clauses that hold, and the words of its
/// expressions.
pub(super) fn score(site: &Site, atom: &Atom, lower: &LowerText<'_, '_>) -> usize {
    let ClauseCount { held, failed } = site.matcher.count_clauses(atom, lower.event);
    if failed == 0 {
        return usize::MAX;
    }
    held * 100 / (held + failed) + words_share(atom, lower.text())
}

/// The percentage of the words that a condition wants which are in the event: words of its expressions, texts and numbered
/// ids.
fn words_share(atom: &Atom, text: &str) -> usize {
    let share = |words: Vec<String>| {
        let worth = |word: &String| match text.contains(word.as_str()) {
            true => 100,
            // A misspelled word mostly begins like the correct one.
            false => word.get(..3).map_or(0, |begin| if text.contains(begin) { 50 } else { 0 }),
        };
        let sum: usize = words.iter().map(worth).sum();
        sum.checked_div(words.len()).unwrap_or_default()
    };
    let of_expressions = atom.matches.iter().map(|wanted| share(literal_words(wanted.regex.as_str()))).max().unwrap_or(0);
    let mut phrases = Vec::new();
    atom.predicates.iter().for_each(|predicate| phrases_of(predicate, &mut phrases));
    let of_phrase = |phrase: &String| {
        let phrase = phrase.to_lowercase();
        if text.contains(&phrase) { 100 } else { share(literal_words(&phrase)) }
    };
    let of_phrases = phrases.iter().map(of_phrase).max().unwrap_or(0);
    let numbers = atom
        .ids
        .iter()
        .filter_map(|id| if let IdPattern::Numbers { first, .. } = id { Some(format!("{first:05}")) } else { None });
    let of_ids = if numbers.into_iter().any(|number| text.contains(&number)) { 50 } else { 0 };
    of_expressions.max(of_phrases).max(of_ids)
}

/// The texts that a test of fields requires.
fn phrases_of(predicate: &Predicate, phrases: &mut Vec<String>) {
    match predicate {
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().for_each(|part| phrases_of(part, phrases)),
        Predicate::Not(_) => {}
        Predicate::Test { test: FieldTest::Contains(text) | FieldTest::StartsWith(text) | FieldTest::EndsWith(text), .. } => {
            phrases.push(text.clone())
        }
        Predicate::Test { test: FieldTest::Compare(Comparison::Equal, Operand::Value(value)), .. } => {
            phrases.push(value.to_string())
        }
        Predicate::Test { .. } => {}
    }
}

/// An estimate of the words that a match of an expression must contain: runs of three letters or more, in lower case.
pub fn literal_words(regex: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = regex.chars().peekable();
    let mut end = |word: &mut String| {
        let done = std::mem::take(word);
        if done.chars().count() >= 3 {
            words.push(done.to_lowercase());
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
                end(&mut word);
            }
            '[' => {
                end(&mut word);
                while chars.next_if(|c| *c != ']').is_some() {}
            }
            '(' if chars.peek() == Some(&'?') => {
                end(&mut word);
                while chars.next_if(|c| !matches!(c, '>' | ':' | ')')).is_some() {}
            }
            c if c.is_alphanumeric() || c == '_' || c == '-' => word.push(c),
            _ => end(&mut word),
        }
    }
    end(&mut word);
    words
}

/// The uses of a condition.
pub fn uses_of(program: &Program, atom: AtomId) -> Vec<ConditionUse> {
    let mut uses = Vec::new();
    for alarm in &program.alarms {
        let name = || alarm.name.clone();
        let parts = match alarm.detect.shape {
            // The beginning and the end of each state.
            Shape::States(_) => 1,
            _ => alarm.detect.parts.len(),
        };
        for (n, part) in alarm.detect.parts.iter().enumerate() {
            if part.contains(&atom) {
                uses.push(ConditionUse::Detect { alarm: name(), part: n + 1, parts });
            }
        }
        let cancels = alarm.cancel.iter().any(|cancel| match cancel {
            Cancel::When(atoms) | Cancel::Measured { of: atoms, .. } => atoms.contains(&atom),
            Cancel::After { .. } | Cancel::Falls(_) | Cancel::AtOnce | Cancel::ByHand => false,
        });
        if cancels {
            uses.push(ConditionUse::Cancel { alarm: name() });
        }
        if alarm.detect.unless.contains(&atom) {
            uses.push(ConditionUse::Unless { alarm: name() });
        }
    }
    if program.ignored.contains(&atom) {
        uses.push(ConditionUse::Ignore);
    }
    let claims = program.claims.iter().filter(|claim| claim.atom == atom);
    uses.extend(claims.map(|claim| ConditionUse::Claim { pair: claim.pair.clone() }));
    uses
}

#[cfg(test)]
mod tests {
    use super::literal_words;

    #[test]
    fn words_of_expressions() {
        assert_eq!(literal_words("^Host (?<h>\\S+) is (?:down|gone) [abc]xyz"), ["host", "down", "gone", "xyz"]);
    }
}
