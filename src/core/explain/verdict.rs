//! The cause in a few lines: why an alarm was raised, or was not. It is selected from the decisions of the engine; none is
//! made here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::core::base::text::printable_short;
use crate::core::base::time::{Time, duration_text};
use crate::core::diag::suggest::hint;
use crate::core::engine::Decision;
use crate::core::lang::ClauseType;
use crate::core::lang::expression::Would;
use crate::core::lang::program::{Program, Shape};
use crate::core::notice::Kind;
use crate::core::replay::{DecisionOfLine, EntryKind, TimelineEntry};

use super::condition::{ConditionReport, ConditionUse};
use super::key::{in_brackets, key_of};
use super::story::{AlarmStory, PartStory};

/// Maximum characters of a record that are shown.
const SHOWN: usize = 160;

impl AlarmStory {
    /// The cause, the most important line first; `named` shows the number of a line in the form that people use.
    pub fn verdict(&self, program: &Program, named: &dyn Fn(u64) -> String) -> Vec<String> {
        let name = self.title();
        let raised: Vec<&DecisionOfLine> = self.of(Decision::Raised);
        if raised.is_empty() {
            let mut lines = vec![format!("{name} was not raised ({} read)", records(self.lines))];
            lines.extend(self.why_not(program, named));
            return lines;
        }
        let times = if raised.len() == 1 { "once".to_owned() } else { format!("{} times", raised.len()) };
        let at = |d: &DecisionOfLine| match d.line {
            Some(line) => format!("{} ({})", d.decision.at, named(line)),
            None if self.is_after_end(d) => format!("{}, after the last record, if nothing else comes", d.decision.at),
            None => d.decision.at.to_string(),
        };
        let mut first = format!("{name} was raised {times}");
        if let (Some(one), Some(last)) = (raised.first(), raised.last()) {
            first.push_str(&format!(": {}", at(one)));
            if raised.len() > 1 {
                first.push_str(&format!(", last {}", at(last)));
            }
        }
        let mut lines = vec![first];
        lines.extend(self.after_raise(named));
        lines
    }

    fn title(&self) -> String {
        let what = match self.alarm.name.strip_prefix("pattern ") {
            Some(pattern) => format!("pattern {pattern}"),
            None => format!("alarm {}", self.alarm.name),
        };
        let key = self.key.as_ref().map(|key| in_brackets(key, " ")).unwrap_or_default();
        format!("{what}{key}")
    }

    fn of(&self, decision: Decision) -> Vec<&DecisionOfLine> {
        self.decisions.iter().filter(|d| d.decision.decision == decision).collect()
    }

    /// True for a decision that only time brings, behind the last record of the logs.
    fn is_after_end(&self, d: &DecisionOfLine) -> bool {
        self.of_logs && d.line.is_none() && self.last_record.is_some_and(|last| d.decision.at > last)
    }

    /// What followed a raise: reactions that did not start or failed, and its end.
    fn after_raise(&self, named: &dyn Fn(u64) -> String) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(first) = self.of(Decision::NotStarted).first() {
            lines.push(said(first, named));
        }
        let failed = self.entries.iter().find(|e| e.kind == EntryKind::RunFinished && e.result.as_deref() == Some("failed"));
        lines.extend(failed.map(|e| {
            format!(
                "its reaction {} failed: {}",
                e.reaction.as_deref().unwrap_or_default(),
                e.text.as_deref().unwrap_or("no reason was given")
            )
        }));
        // A journal has only the notice of a failed run.
        let is_reported = |e: &TimelineEntry| failed.is_some() && e.result.as_deref() == Some(Kind::RunFailed.name());
        let odd = self.entries.iter().filter(|e| withholds(e) && !is_reported(e));
        let mut odd: Vec<String> = odd.filter_map(|e| e.text.clone()).collect();
        odd.dedup();
        // Of a journal, the newest is of interest.
        let skipped = if self.of_logs { 0 } else { odd.len().saturating_sub(2) };
        lines.extend(odd.into_iter().skip(skipped).take(2));
        let repeats = self.of(Decision::Repeated);
        let cleared = self.of(Decision::Cleared);
        let active = self.of(Decision::Raised).len() > cleared.len();
        match cleared.last() {
            Some(last) if !active => lines.push(said(last, named)),
            _ if active => {
                let more = match repeats.len() {
                    0 => String::new(),
                    n => format!("; {n} more events came while it was active, and count as repeats (`while active`)"),
                };
                let end = if self.of_logs { "it is active at the end of the log" } else { "it is active at the end" };
                lines.push(format!("{end}{more}"));
                // An event that would end it came for another key, or before it was raised.
                lines.extend(self.of(Decision::CancelsNothing).last().map(|d| said(d, named)));
                let cancel = self.parts.iter().find(|p| matches!(p.is, ConditionUse::Cancel { .. }) && p.matched == 0);
                lines.extend(cancel.into_iter().flat_map(|part| nearest(part, named)));
            }
            _ => {}
        }
        for other in [Decision::NoRoom, Decision::NoField] {
            let all = self.of(other);
            let more = if all.len() > 1 { format!(" ({} times)", all.len()) } else { String::new() };
            lines.extend(all.first().map(|d| format!("{}{more}", said(d, named))));
        }
        lines
    }

    /// Why there is no decision for the key that is asked for.
    fn no_such_key(&self) -> Option<Vec<String>> {
        let key = self.key.as_ref().filter(|key| !self.keys.is_empty() && !self.keys.contains(*key))?;
        let names = self.keys.iter().map(String::as_str);
        Some(vec![format!("no event has the key {}{}", in_brackets(key, ""), hint(key, names))])
    }

    /// Why it was not raised.
    fn why_not(&self, program: &Program, named: &dyn Fn(u64) -> String) -> Vec<String> {
        if !self.of(Decision::Off).is_empty() || self.alarm.mode == crate::core::lang::program::Mode::Off {
            return vec!["its `mode` is `off`: it is never raised".to_owned()];
        }
        if self.lines > 0 && self.lines == self.ignored {
            return vec![format!("every record is taken away by an `ignore` of the rules: {}", self.ignores())];
        }
        // An event for which there is no room has no key either.
        if let Some(lines) = self.no_such_key().filter(|_| {
            let of_no_event = [Decision::NoRoom, Decision::Suppressed, Decision::NotNow];
            of_no_event.into_iter().all(|decision| self.of(decision).is_empty())
        }) {
            return lines;
        }
        let furthest = self.decisions.iter().map(|d| d.decision.decision).filter(|d| *d != Decision::CancelsNothing).max();
        // A condition that nearly fired explains more than a part without events, except for a sequence.
        if furthest.is_none_or(|d| d <= Decision::Partial)
            && let Some(lines) = self.missing_part(program, named)
        {
            return lines;
        }
        let Some(furthest) = furthest else { return self.nothing_happened(program, named) };
        match furthest {
            Decision::Partial | Decision::NotUsed => {
                let mut lines = self.not_enough(named);
                if let Some(unused) = self.of(Decision::NoField).first() {
                    lines.insert(lines.len().min(1), said(unused, named));
                }
                lines
            }
            Decision::NoField => self.of(Decision::NoField).first().map(|d| said(d, named)).into_iter().collect(),
            other => {
                // The last decision shows the state at the end.
                let all = self.of(other);
                let mut lines: Vec<String> = all.last().map(|d| said(d, named)).into_iter().collect();
                if other == Decision::Pending {
                    // What was pending was dropped, or is still pending.
                    let since = all.last().map(|d| d.decision.at);
                    match self.of(Decision::Forgotten).last().filter(|d| Some(d.decision.at) >= since) {
                        Some(forgot) => lines.insert(0, said(forgot, named)),
                        None => lines.insert(0, "its condition is true, and its time is not over at the end".to_owned()),
                    }
                }
                lines
            }
        }
    }

    /// The `ignore` rules that hid records.
    fn ignores(&self) -> String {
        self.ignored_by.iter().cloned().collect::<Vec<_>>().join(", ")
    }

    /// Nothing that its condition is about happened.
    fn nothing_happened(&self, program: &Program, named: &dyn Fn(u64) -> String) -> Vec<String> {
        if let Some((name, other)) = self.about.iter().find(|(_, other)| !other.of(Decision::Raised).is_empty()) {
            let mut lines = vec![format!("its condition waits for a change of {name} that did not come")];
            lines.extend(other.verdict(program, named));
            return lines;
        }
        if let (Shape::Silence { .. }, Some(part)) = (&self.alarm.detect.shape, self.parts.first()) {
            let begins = "its silence begins with the first event of a key that is not in the inventory, and no record matches";
            let mut lines = nearest(part, named);
            match lines.first_mut() {
                Some(first) => *first = format!("{begins}; {first}"),
                None => lines.push(begins.to_owned()),
            }
            return lines;
        }
        let agents = !self.parts.iter().any(|part| part.is_about_records(program) || !part.about.is_empty());
        match (agents, self.of_logs) {
            (true, true) => vec![
                "its condition is about what agents report of hosts, applications and metrics, and a log has none of that"
                    .to_owned(),
                "`explain --live` shows the running controller, and a rule test can bring it about (`lose`, `stops`, `metric`)"
                    .to_owned(),
            ],
            (true, false) => vec!["its condition is about what agents report, and nothing of it was reported".to_owned()],
            (false, _) => {
                vec!["no decision was made about it: its condition waits for something that did not happen".to_owned()]
            }
        }
    }

    /// A part of its condition that nothing matched, with the closest record.
    fn missing_part(&self, program: &Program, named: &dyn Fn(u64) -> String) -> Option<Vec<String>> {
        let needed = |part: &&PartStory| match (&part.is, &self.alarm.detect.shape) {
            (ConditionUse::Detect { part, .. }, Shape::Without | Shape::NotPreceded) => *part == 1,
            (ConditionUse::Detect { .. }, Shape::Silence { .. }) => false,
            (ConditionUse::Detect { .. }, _) => true,
            _ => false,
        };
        for part in self.parts.iter().filter(needed) {
            if part.is_about_records(program) {
                if part.matched > 0 {
                    continue;
                }
                let taken = self.ignored > 0 && part.near.iter().any(|near| near.report.matches());
                if taken {
                    return Some(vec![format!(
                        "the record that would match is taken away by an `ignore` of the rules: {}",
                        self.ignores()
                    )]);
                }
                let which = match &part.is {
                    ConditionUse::Detect { part: n, parts, .. } if *parts > 1 => {
                        format!("no record matches part {n} of {parts} of its condition")
                    }
                    _ => "no record matches its condition".to_owned(),
                };
                let mut lines = nearest(part, named);
                match lines.first_mut() {
                    Some(first) => *first = format!("{which}; {first}"),
                    None => {
                        lines.push(format!("{which}, and none has anything in common with it"));
                        lines.extend(part.near.first().map(|near| format!("{}: {}", named(near.line), failure(&near.report))));
                    }
                }
                return Some(lines);
            }
            if let Some(other) = part.about.iter().find_map(|name| self.about.get(name)) {
                let inner = other.verdict(program, named);
                if other.of(Decision::Raised).is_empty() && !inner.is_empty() {
                    return Some(inner);
                }
            }
        }
        if self.decisions.is_empty()
            && let Some(other) = self.about.values().find(|other| other.of(Decision::Raised).is_empty())
        {
            return Some(other.verdict(program, named));
        }
        None
    }

    /// Parts of its condition were matched, but not enough.
    fn not_enough(&self, named: &dyn Fn(u64) -> String) -> Vec<String> {
        let partial = self.of(Decision::Partial);
        let mut lines = Vec::new();
        match &self.alarm.detect.shape {
            Shape::Count { n, distinct } => {
                lines.extend(self.not_enough_counted(&partial, *n, distinct.as_deref()));
                // The newest of the best.
                let best = partial.iter().max_by_key(|d| (leading_number(&d.decision.reason), d.decision.at));
                lines.extend(best.map(|d| format!("not enough: {}", said(d, named))));
            }
            Shape::Sequence { .. } | Shape::All { .. } => {
                let unused = self.of(Decision::NotUsed);
                let later = |a: &&&DecisionOfLine| {
                    partial.iter().any(|p| p.decision.at >= a.decision.at && p.line > a.line && p.decision.key == a.decision.key)
                };
                let keys: BTreeSet<String> =
                    partial.iter().chain(&unused).filter_map(|d| d.decision.key.as_ref().map(ToString::to_string)).collect();
                if let Some(early) = unused.iter().find(later) {
                    lines.push(format!("the steps come in another order than `detect` wants: {}", said(early, named)));
                } else if keys.len() > 1 {
                    let shown: Vec<String> = keys.iter().take(4).map(|key| in_brackets(key, "")).collect();
                    lines.push(format!(
                        "its parts come for different keys of `by {}`: {}{}",
                        self.alarm.by.join(", "),
                        shown.join(", "),
                        only_case(keys.iter())
                    ));
                }
                lines.extend(unused.first().map(|d| said(d, named)));
                lines.extend(partial.last().map(|d| said(d, named)));
            }
            _ => {
                lines.extend(self.of(Decision::NotUsed).last().map(|d| said(d, named)));
                lines.extend(partial.last().map(|d| said(d, named)));
            }
        }
        lines
    }
}

impl AlarmStory {
    /// Why the events that count are not enough: they come for different keys, or within too long a time.
    fn not_enough_counted(&self, partial: &[&DecisionOfLine], n: usize, distinct: Option<&str>) -> Option<String> {
        let mut by_key: BTreeMap<String, Vec<&DecisionOfLine>> = BTreeMap::new();
        for d in partial {
            by_key.entry(d.decision.key.as_ref().map(ToString::to_string).unwrap_or_default()).or_default().push(d);
        }
        let at = |d: &&DecisionOfLine| d.decision.at;
        // Of each key, the shortest time in which as many came as are wanted.
        let spans = by_key.values().filter_map(|all| match distinct {
            None => shortest(&all.iter().map(at).collect::<Vec<_>>(), n),
            Some(_) => shortest_distinct(all, n),
        });
        let what = distinct.map_or_else(|| "events match".to_owned(), |field| format!("different values of `{field}` come"));
        if let (Some(span), Some(within)) = (spans.min(), self.alarm.detect.within) {
            return Some(format!(
                "{n} {what}, and the window is too short: they came within {}, and `within` is {}",
                duration_text(span),
                duration_text(within)
            ));
        }
        let have = match distinct {
            None => partial.len(),
            Some(_) => partial.iter().filter_map(|d| d.decision.value.as_deref()).collect::<BTreeSet<_>>().len(),
        };
        if by_key.len() < 2 || have < n {
            return None;
        }
        let keys: Vec<String> = by_key.keys().take(3).map(|key| in_brackets(key, "")).collect();
        let most = by_key.values().map(Vec::len).max().unwrap_or_default();
        Some(format!(
            "{have} {what}, for {} different keys of `by {}`: {n} of one key are wanted, and at most {most} came ({}){}",
            by_key.len(),
            self.alarm.by.join(", "),
            keys.join(", "),
            only_case(by_key.keys())
        ))
    }
}

/// True for an entry that says that something of an alarm was not done, or waits.
pub(super) fn withholds(entry: &TimelineEntry) -> bool {
    let kind = entry.result.as_deref().and_then(Kind::parse);
    let kinds = [Kind::Dry, Kind::Confirm, Kind::NotStarted, Kind::NoField, Kind::WouldDo, Kind::RunFailed];
    entry.kind == EntryKind::Notice && kind.is_some_and(|kind| kinds.contains(&kind))
}

/// Says so if two of these keys differ only in their letter case.
fn only_case<'k>(keys: impl Iterator<Item = &'k String>) -> &'static str {
    let mut seen = BTreeSet::new();
    let mut keys = keys.map(|key| key.to_lowercase());
    if keys.any(|key| !seen.insert(key)) { "; only the letter case differs" } else { "" }
}

/// The shortest time in which so many different values came.
fn shortest_distinct(all: &[&DecisionOfLine], n: usize) -> Option<Duration> {
    let mut newest: BTreeMap<&str, Time> = BTreeMap::new();
    let mut best: Option<Duration> = None;
    for d in all {
        newest.insert(d.decision.value.as_deref()?, d.decision.at);
        let mut times: Vec<Time> = newest.values().copied().collect();
        let first = times.len().checked_sub(n).filter(|first| *first < times.len());
        let since = first.map(|first| *times.select_nth_unstable(first).1);
        best = best.into_iter().chain(since.map(|since| d.decision.at.since(since))).min();
    }
    best
}

/// The closest record to a part, and why it does not match.
fn nearest(part: &PartStory, named: &dyn Fn(u64) -> String) -> Vec<String> {
    let Some(near) = part.near.first().filter(|near| near.report.near() > 0) else { return Vec::new() };
    let mut lines = vec![format!("nearest is {}: {}", named(near.line), failure(&near.report))];
    lines.push(printable_short(&near.text, SHOWN));
    lines
}

/// The clause that failed: what is wanted, what was seen, what to write.
pub(super) fn failure(report: &ConditionReport) -> String {
    let Some(clause) = report.failed() else { return format!("{} matches", report.name) };
    let kind = clause.kind.name();
    let mut text = format!("`{kind} {}` ({})", clause.wanted, report.place);
    match (&clause.progress, &clause.seen) {
        (Some(progress), Some(seen))
            if clause.hint.is_none() || matches!(progress.would, Some(Would::Literal { .. } | Would::OtherBlanks)) =>
        {
            let behind = printable_short(seen.get(progress.at..).unwrap_or_default(), 40);
            let behind =
                if behind.is_empty() { "the text ends there".to_owned() } else { format!("the text goes on with `{behind}`") };
            if progress.matched.is_empty() {
                text.push_str(&format!(" fails: `{}` stands nowhere in the text", progress.rest));
            } else {
                text.push_str(&format!(" fails behind `{}`: `{}` is wanted, and {behind}", progress.matched, progress.rest));
            }
        }
        (None, Some(seen)) if clause.kind == ClauseType::Where => {
            text.push_str(&format!(" fails: {}", printable_short(seen, SHOWN)))
        }
        (None, Some(seen)) => text.push_str(&format!(" fails: the record has {}", printable_short(seen, SHOWN))),
        (Some(_), Some(_)) => text.push_str(" fails"),
        (_, None) => text.push_str(&format!(" fails: the record has no {kind}")),
    }
    if let Some(hint) = &clause.hint {
        text.push_str(&format!("; {hint}"));
    }
    let more = report.clauses.iter().filter(|c| !c.holds).count().saturating_sub(1);
    if more > 0 {
        text.push_str(&format!(" (and {more} more)"));
    }
    text
}

fn said(d: &DecisionOfLine, named: &dyn Fn(u64) -> String) -> String {
    let key = key_of(&d.decision, "");
    let apart = if key.is_empty() { "" } else { " " };
    let line = d.line.map(|n| format!(", {}", named(n))).unwrap_or_default();
    format!("{key}{apart}{} ({}{line})", d.decision.reason, d.decision.at)
}

fn leading_number(text: &str) -> u64 {
    text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn records(n: u64) -> String {
    if n == 1 { "1 record".to_owned() } else { format!("{n} records") }
}

/// The shortest time in which `n` of them came.
fn shortest(times: &[Time], n: usize) -> Option<Duration> {
    times.windows(n.max(1)).filter_map(|w| Some(w.last()?.since(*w.first()?))).min()
}
