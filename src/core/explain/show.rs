//! Explanations for people, with colours on a terminal, and as JSON.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::core::base::text::{printable, printable_short};
use crate::core::engine::Decision;
use crate::core::lang::Clause;
use crate::core::lang::program::Program;
use crate::core::notice::Kind;
use crate::core::replay::{DecisionOfLine, EntryKind, TimelineEntry};

use super::condition::{ConditionReport, ConditionUse};
use super::key::key_of;
use super::reading::RecordReading;
use super::story::AlarmStory;
use super::verdict::{failure, withholds};

/// Maximum characters of a value that are shown.
const VALUE: usize = 200;
/// Maximum lines about what was withheld that stand before the decisions about a record.
const WITHHELD: usize = 2;
/// Maximum decisions that the small timeline shows.
const TIMELINE: usize = 40;
/// Colours that mark fields in turn.
const COLOURS: [&str; 5] = ["36", "33", "35", "34", "32"];

/// The complete explanation of one record.
#[derive(Clone, Debug)]
pub struct RecordStory {
    /// `app.log:17`, or another name.
    pub name: String,
    pub reading: RecordReading,
    /// Those that match, then the closest.
    pub conditions: Vec<ConditionReport>,
    /// What the engine decided when the record came.
    pub decisions: Vec<DecisionOfLine>,
    /// What would have been reported: alarms, reactions, steps.
    pub reported: Vec<TimelineEntry>,
}

impl RecordStory {
    fn matched(&self) -> impl Iterator<Item = &ConditionReport> {
        self.conditions.iter().filter(|c| c.matches())
    }

    fn missed(&self) -> impl Iterator<Item = &ConditionReport> {
        self.conditions.iter().filter(|c| !c.matches())
    }

    /// The cause, in one or two lines.
    fn verdict(&self) -> Vec<String> {
        let ignored = self.matched().find(|c| c.uses.contains(&ConditionUse::Ignore));
        if let (true, Some(by)) = (self.reading.ignored, ignored) {
            return vec![format!("no rule sees this record: ignore {} ({}) matches it", by.name, by.place)];
        }
        let mut lines = Vec::new();
        // Reactions that fail explain most. An event that would end an alarm which is not active explains least.
        for entry in &self.reported {
            let failed = entry.kind == EntryKind::RunFinished && entry.result.as_deref() == Some("failed");
            // The end of the run says the same.
            if entry.result.as_deref() == Some(Kind::RunFailed.name()) {
                continue;
            }
            let text = entry.text.as_deref().unwrap_or_default();
            if failed {
                let reaction = entry.reaction.as_deref().unwrap_or_default();
                lines.push(printable(&format!("reaction {reaction} fails: {text}")));
            } else if withholds(entry) && lines.len() < WITHHELD && !lines.iter().any(|line| line == text) {
                lines.push(printable(text));
            }
        }
        let mut decisions: Vec<&DecisionOfLine> = self.decisions.iter().collect();
        decisions.sort_by_key(|d| d.decision.decision == Decision::CancelsNothing);
        lines.extend(decisions.into_iter().map(|d| {
            let key = key_of(&d.decision, " ");
            printable(&format!("alarm {}{key}: {}", d.decision.alarm, d.decision.reason))
        }));
        if !lines.is_empty() {
            return lines;
        }
        match (self.matched().next(), self.missed().next()) {
            (Some(one), _) => vec![format!("{} ({}) matches, and nothing came of it", one.name, one.place)],
            (None, Some(near)) => {
                let uses = near.uses.first().map(|u| format!(", {}", u.words())).unwrap_or_default();
                vec![
                    "no condition of the rules matches this record".to_owned(),
                    format!("nearest is {}{uses}: {}", near.name, printable(&failure(near))),
                ]
            }
            (None, None) => {
                vec!["no condition of the rules matches this record, and none has anything in common with it".to_owned()]
            }
        }
    }
}

/// For people: the cause first, then everything as a tree.
pub fn record_text(story: &RecordStory, colour: bool) -> String {
    let paint = |code: &str, text: &str| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let mut out = String::new();
    for (n, line) in story.verdict().iter().enumerate() {
        let _ = writeln!(out, "{}", if n == 0 { paint("1", line) } else { line.clone() });
    }
    let name = format!("record {}", printable(&story.name));
    let _ = writeln!(out, "\n{}", name.trim_end());
    let reading = &story.reading;
    marked(&mut out, reading, colour);
    let _ = writeln!(out, "read as {}", reading.head);
    let width = reading.fields.iter().map(|f| f.name.chars().count()).max().unwrap_or(4).min(24);
    for (n, field) in reading.fields.iter().enumerate() {
        let note = field.note.as_ref().map(|note| format!("   ({})", printable(note))).unwrap_or_default();
        let value = printable_short(&field.value, VALUE);
        let value = if field.span.is_some() { paint(COLOURS[n % COLOURS.len()], &value) } else { value };
        let _ = writeln!(out, "  {:<width$}  {value}{note}", printable(&field.name));
    }
    for mark in &reading.marks {
        let _ = writeln!(out, "  {}", paint("33", mark));
    }
    let mut seen = false;
    for report in story.matched() {
        if !seen {
            let _ = writeln!(out, "matches");
        }
        seen = true;
        condition(&mut out, report, colour);
    }
    if !story.decisions.is_empty() || !story.reported.is_empty() {
        let _ = writeln!(out, "what came of it");
        for d in &story.decisions {
            let key = key_of(&d.decision, " ");
            let _ = writeln!(out, "  alarm {}{}: {}", d.decision.alarm, printable(&key), printable(&d.decision.reason));
        }
        for entry in &story.reported {
            let _ = writeln!(out, "  | {}", entry.human(false));
        }
    }
    let mut seen = false;
    for report in story.missed() {
        if !seen {
            let _ = writeln!(out, "nearly matches");
        }
        seen = true;
        condition(&mut out, report, colour);
    }
    out
}

/// The record with each field underlined by its first letter.
fn marked(out: &mut String, reading: &RecordReading, colour: bool) {
    let mut columns: Vec<Option<usize>> = vec![None; reading.record.len() + 1];
    // Small parts are marked over large ones.
    let mut order: Vec<(usize, &std::ops::Range<usize>)> =
        reading.fields.iter().enumerate().filter_map(|(n, f)| Some((n, f.span.as_ref()?))).collect();
    order.sort_by_key(|(_, span)| std::cmp::Reverse(span.len()));
    for (n, span) in order {
        columns.iter_mut().take(span.end).skip(span.start).for_each(|c| *c = Some(n));
    }
    let (mut shown, mut below) = (String::new(), String::new());
    for (at, c) in reading.record.char_indices() {
        let safe = printable(c.encode_utf8(&mut [0; 4]));
        let of = columns.get(at).copied().flatten();
        let mark = match of {
            None => ' ',
            Some(n) => {
                let begins = at == 0 || columns.get(at - 1).copied().flatten() != of;
                if begins { reading.fields[n].name.chars().next().unwrap_or('^') } else { '~' }
            }
        };
        match of {
            Some(n) if colour => {
                let _ = write!(shown, "\x1b[{}m{safe}\x1b[0m", COLOURS[n % COLOURS.len()]);
                let _ = write!(below, "\x1b[{}m", COLOURS[n % COLOURS.len()]);
            }
            _ => shown.push_str(&safe),
        }
        below.extend(std::iter::repeat_n(mark, safe.chars().count()));
        if colour && of.is_some() {
            below.push_str("\x1b[0m");
        }
    }
    let _ = writeln!(out, "  {shown}\n  {}", below.trim_end());
}

fn condition(out: &mut String, report: &ConditionReport, colour: bool) {
    let uses: Vec<String> = report.uses.iter().map(ConditionUse::words).collect();
    let uses = if uses.is_empty() { "no alarm uses it".to_owned() } else { uses.join(", ") };
    let near = if report.matches() { String::new() } else { format!("   {} % alike", report.near()) };
    let _ = writeln!(out, "  {} ({}): {uses}{near}", printable(&report.name), printable(&report.place));
    for clause in &report.clauses {
        let _ = writeln!(out, "    {}", clause_text(clause, colour));
    }
    if report.clauses.is_empty() {
        let _ = writeln!(out, "    it wants nothing of a record: every one matches");
    }
    for (name, value) in report.captures.iter().flatten() {
        let _ = writeln!(out, "    {} = {}", printable(name), printable_short(&value.to_string(), VALUE));
    }
}

fn clause_text(clause: &Clause, colour: bool) -> String {
    let (word, code) = if clause.holds { ("ok  ", "32") } else { ("FAIL", "31") };
    let word = if colour { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() };
    let mut text = format!("{word} {} {}", clause.kind.name(), printable_short(&clause.wanted, VALUE));
    if let Some(seen) = &clause.seen {
        let _ = write!(text, "   seen: {}", printable_short(seen, VALUE));
    } else if !clause.holds {
        text.push_str("   seen: nothing");
    }
    if let Some(progress) = clause.progress.as_ref().filter(|progress| !progress.matched.is_empty()) {
        let behind = clause.seen.as_deref().and_then(|seen| seen.get(progress.at..)).unwrap_or_default();
        let _ = write!(
            text,
            "   matched up to `{}`, then `{}` is wanted and `{}` stands there",
            printable(&progress.matched),
            printable(&progress.rest),
            printable_short(behind, 40)
        );
    }
    if let Some(hint) = &clause.hint {
        let _ = write!(text, "   {}", printable(hint));
    }
    text
}

/// The explanation of a record as one JSON object.
pub fn record_json(story: &RecordStory) -> Json {
    let fields: Vec<Json> = story
        .reading
        .fields
        .iter()
        .map(|f| json!({ "name": f.name, "value": f.value, "span": f.span.as_ref().map(|s| [s.start, s.end]), "note": f.note }))
        .collect();
    json!({
        "record": story.reading.record,
        "from": story.name,
        "verdict": story.verdict(),
        "read_as": story.reading.head,
        "ignored": story.reading.ignored,
        "marks": story.reading.marks,
        "fields": fields,
        "matches": story.matched().map(condition_json).collect::<Vec<_>>(),
        "nearest": story.missed().map(condition_json).collect::<Vec<_>>(),
        "decisions": story.decisions.iter().map(decision_json).collect::<Vec<_>>(),
    })
}

fn condition_json(report: &ConditionReport) -> Json {
    let clause = |c: &Clause| {
        json!({
            "clause": c.kind.name(), "holds": c.holds, "wanted": c.wanted, "seen": c.seen, "near": c.near, "hint": c.hint,
            "progress": c.progress.as_ref().map(|p| json!({ "matched": p.matched, "rest": p.rest, "at": p.at })),
        })
    };
    let captures: serde_json::Map<String, Json> =
        report.captures.iter().flatten().map(|(name, value)| (name.clone(), Json::from(value.to_string()))).collect();
    json!({
        "condition": report.name,
        "place": report.place,
        "uses": report.uses.iter().map(ConditionUse::words).collect::<Vec<_>>(),
        "alike": report.near(),
        "clauses": report.clauses.iter().map(clause).collect::<Vec<_>>(),
        "captures": captures,
    })
}

fn decision_json(d: &DecisionOfLine) -> Json {
    json!({
        "at": d.decision.at.to_string(), "line": d.line, "alarm": d.decision.alarm, "decision": d.decision.decision.name(),
        "key": d.decision.key.as_ref().map(ToString::to_string), "reason": d.decision.reason,
    })
}

/// Why an alarm was raised or was not, for people: the cause, its parts, a small timeline.
pub fn story_text(story: &AlarmStory, program: &Program, named: &dyn Fn(u64) -> String, colour: bool) -> String {
    let paint = |code: &str, text: &str| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let mut out = String::new();
    for (n, line) in story.verdict(program, named).iter().enumerate() {
        let line = printable(line);
        let _ = writeln!(out, "{}", if n == 0 { paint("1", &line) } else { line });
    }
    let _ = writeln!(out);
    for part in &story.parts {
        let what = part.is.words();
        let lines = match (part.first, part.last) {
            (Some(first), Some(last)) if first != last => format!(", first {}, last {}", named(first), named(last)),
            (Some(first), _) => format!(", {}", named(first)),
            _ => String::new(),
        };
        if part.is_about_records(program) {
            let _ = writeln!(out, "{what}: {} matched{lines}", part.matched);
        } else {
            let about: Vec<&str> = part.about.iter().map(String::as_str).collect();
            let about = if about.is_empty() { "hosts, applications or metrics".to_owned() } else { about.join(", ") };
            let _ = writeln!(out, "{what}: about {about}, and no record of a log");
        }
        for near in &part.near {
            let _ = writeln!(
                out,
                "  nearly: {} ({} % alike): {}",
                named(near.line),
                near.report.near(),
                printable(&failure(&near.report))
            );
        }
    }
    if !story.decisions.is_empty() {
        let _ = writeln!(out, "timeline");
    }
    let skipped = story.decisions.len().saturating_sub(TIMELINE);
    for (n, d) in story.decisions.iter().enumerate() {
        if skipped > 0 && n == TIMELINE / 2 {
            let _ = writeln!(out, "  ... {skipped} more decisions; `--format json` has them");
        }
        if skipped > 0 && n >= TIMELINE / 2 && n < TIMELINE / 2 + skipped {
            continue;
        }
        let key = key_of(&d.decision, "");
        let key = if key.is_empty() { key } else { key + " " };
        let line = d.line.map(named).unwrap_or_default();
        let _ = writeln!(
            out,
            "  {}  {line:>9}  {:<15} {}",
            d.decision.at,
            d.decision.decision.name(),
            printable(&format!("{key}{}", d.decision.reason))
        );
    }
    out
}

/// The same as one JSON object.
pub fn story_json(story: &AlarmStory, program: &Program, named: &dyn Fn(u64) -> String) -> Json {
    let parts: Vec<Json> = story
        .parts
        .iter()
        .map(|part| {
            let near = part
                .near
                .iter()
                .map(|n| json!({ "line": named(n.line), "record": n.text, "condition": condition_json(&n.report) }));
            json!({ "part": part.is.words(), "matched": part.matched, "nearest": near.collect::<Vec<_>>() })
        })
        .collect();
    json!({
        "alarm": story.alarm.name,
        "key": story.key,
        "records": story.lines,
        "verdict": story.verdict(program, named),
        "parts": parts,
        "decisions": story.decisions.iter().map(decision_json).collect::<Vec<_>>(),
        "decisions_left_out": story.dropped,
    })
}
