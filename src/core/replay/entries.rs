//! Turns the outputs of a controller into entries of a timeline.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::base::time::Time;
use crate::core::control::{Controller, Output};
use crate::core::engine::{self, Fields};
use crate::core::event::Value;
use crate::core::journal::{Input, Record};
use crate::core::notice::Kind;
use crate::core::react::{self, RunId, RunOutcome};
use crate::core::script::{ResourceVerb, Step, StepResult, Verb};

use super::timeline::{EntryKind, TimelineEntry};

/// How many sequences the timeline remembers the line of. Consequences of an older input have no line.
const LINES_KEPT: usize = 10_000;

/// What is remembered of a run while it lasts.
#[derive(Clone, Debug, Default)]
struct About {
    reaction: String,
    alarm: Option<String>,
    key: Option<String>,
    event_id: Option<String>,
    line: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct TimelineBuilder {
    entries: Vec<TimelineEntry>,
    /// The input line that is being handled.
    pub(super) line: Option<u64>,
    lines: BTreeMap<u64, u64>,
    runs: BTreeMap<RunId, About>,
    /// The runs of alarms with `mode dry`.
    dry: BTreeSet<RunId>,
}

impl TimelineBuilder {
    pub(super) fn take(&mut self) -> Vec<TimelineEntry> {
        std::mem::take(&mut self.entries)
    }

    /// Adds the outputs of one turn. A step has its entry where it was requested, with the result if that came in the same turn.
    pub(super) fn add(&mut self, now: Time, outputs: &[Output], controller: Option<&Controller>) {
        for (i, output) in outputs.iter().enumerate() {
            match output {
                Output::Record(Record::Input { sequence, input: Input::Event { .. }, .. }) => {
                    if let Some(line) = self.line {
                        self.lines.insert(*sequence, line);
                        if self.lines.len() > LINES_KEPT {
                            self.lines.pop_first();
                        }
                    }
                }
                Output::Record(Record::Alarm(record)) => self.alarm(record),
                Output::Record(Record::Run(record)) => self.run(now, record, &outputs[i + 1..]),
                Output::Record(
                    Record::Plan(_) | Record::Notify(_) | Record::Override(_) | Record::Input { .. } | Record::Notice(_),
                )
                | Output::Evaluate(_)
                | Output::Do { .. }
                | Output::Deliver(_)
                | Output::Send(..)
                | Output::Settled(..) => {}
                Output::Step(step) => {
                    let mut entry = TimelineEntry::new(now, EntryKind::Step);
                    let sequence = controller
                        .and_then(|c| c.planner().ledger().entry(&step.resource)?.desired_owner.as_ref())
                        .map(|desired_owner| desired_owner.sequence);
                    entry.line = self.line.or_else(|| self.lines.get(&sequence?).copied());
                    entry.verb = Some(step.verb.to_owned());
                    entry.resource = Some(step.resource.clone());
                    entry.host = Some(step.host.clone());
                    self.entries.push(entry);
                }
                // A step already has an entry of its own.
                Output::Notice(notice) if notice.kind == Kind::Log => {}
                Output::Notice(notice) => {
                    let mut entry = TimelineEntry::new(now, EntryKind::Notice);
                    let about = notice.run.and_then(|run| self.runs.get(&run)).cloned().unwrap_or_default();
                    entry.line = about.line.or(self.line);
                    entry.alarm = notice.alarm.clone().or(about.alarm);
                    entry.reaction = Some(about.reaction).filter(|r| !r.is_empty()).or_else(|| notice.reaction.clone());
                    entry.run = notice.run;
                    entry.resource = notice.resource.clone();
                    entry.host = notice.host.clone();
                    entry.result = Some(notice.kind.name().to_owned());
                    entry.text = Some(notice.text.clone());
                    self.entries.push(entry);
                }
            }
        }
    }

    fn alarm(&mut self, record: &engine::Record) {
        match record {
            engine::Record::Raised { alarm, key, sequence, at, event, summary, .. } => {
                let mut entry = TimelineEntry::new(*at, EntryKind::AlarmRaised);
                entry.line = self.lines.get(sequence).copied();
                entry.alarm = Some(alarm.clone());
                entry.key = Some(key.to_string());
                entry.event_id = field(event, "id");
                entry.host = field(event, "host");
                entry.text = Some(summary.clone()).filter(|s| !s.is_empty());
                self.entries.push(entry);
            }
            engine::Record::Cleared { alarm, key, at, cause, summary } => {
                let mut entry = TimelineEntry::new(*at, EntryKind::AlarmCleared);
                entry.line = self.line;
                entry.alarm = Some(alarm.clone());
                entry.key = Some(key.to_string());
                entry.result = Some(cause.to_string());
                entry.text = summary.clone();
                self.entries.push(entry);
            }
            _ => {}
        }
    }

    fn run(&mut self, now: Time, record: &react::Record, rest: &[Output]) {
        match record {
            // Notices report what a dry run would do.
            react::Record::Wanted { run, bound, .. } if bound.dry => {
                self.dry.insert(*run);
            }
            react::Record::Ended { run, .. } if self.dry.remove(run) => {}
            react::Record::Begun { run, .. } | react::Record::Asked { run, .. } if self.dry.contains(run) => {}
            react::Record::Wanted { run, sequence, bound, key, .. } => {
                let about = About {
                    reaction: bound.reaction.clone(),
                    alarm: Some(bound.of_alarm("name")).filter(|name| !name.is_empty()),
                    key: Some(key.clone()),
                    event_id: field(&bound.call.event, "id"),
                    line: self.lines.get(sequence).copied(),
                };
                self.runs.insert(*run, about);
            }
            react::Record::Begun { run, at } => {
                let entry = self.entry(*at, EntryKind::RunStarted, *run);
                self.entries.push(entry);
            }
            react::Record::Asked { run, step, .. } => {
                let answered = rest.iter().find_map(|o| match o {
                    Output::Record(Record::Run(react::Record::Answered { run: r, result })) if r == run => Some(result),
                    _ => None,
                });
                let mut entry = self.entry(now, EntryKind::Step, *run);
                describe(&mut entry, step, answered);
                self.entries.push(entry);
            }
            react::Record::Ended { run, at, outcome } => {
                let mut entry = self.entry(*at, EntryKind::RunFinished, *run);
                entry.result = Some(outcome.name().to_owned());
                if let RunOutcome::Failed(why) = outcome {
                    entry.text = Some(why.clone());
                }
                self.entries.push(entry);
                self.runs.remove(run);
            }
            _ => {}
        }
    }

    fn entry(&self, at: Time, kind: EntryKind, run: RunId) -> TimelineEntry {
        let mut entry = TimelineEntry::new(at, kind);
        entry.run = Some(run);
        if let Some(about) = self.runs.get(&run) {
            entry.reaction = Some(about.reaction.clone());
            entry.alarm = about.alarm.clone();
            entry.key = about.key.clone();
            entry.event_id = about.event_id.clone();
            entry.line = about.line;
        }
        entry
    }
}

fn field(fields: &Fields, name: &str) -> Option<String> {
    fields.get(name).map(Value::to_string)
}

/// Describes a script's step: its subject, its arguments, and its result if that is known.
fn describe(entry: &mut TimelineEntry, step: &Step, answered: Option<&StepResult>) {
    let arg = |i: usize| step.args.get(i).map(Value::to_string);
    entry.verb = Some(step.verb.name().to_owned());
    let rest = match step.verb {
        Verb::Vip(ResourceVerb::Up | ResourceVerb::Down | ResourceVerb::MoveTo)
        | Verb::Port(ResourceVerb::Up | ResourceVerb::Down | ResourceVerb::MoveTo) => {
            (entry.resource, entry.host) = (arg(0), arg(1));
            2
        }
        Verb::Vip(ResourceVerb::Settle | ResourceVerb::Owner | ResourceVerb::Holders)
        | Verb::Port(ResourceVerb::Settle | ResourceVerb::Owner | ResourceVerb::Holders) => {
            entry.resource = arg(0);
            1
        }
        Verb::HostRun => {
            entry.host = arg(0);
            1
        }
        Verb::PairSwitchover | Verb::Notify | Verb::Wait | Verb::AlarmClear | Verb::Log | Verb::State(_) => 0,
    };
    let words: Vec<String> = step.args.iter().skip(rest).map(Value::to_string).collect();
    entry.text = Some(words.join(" ")).filter(|t| !t.is_empty());
    entry.result = match answered {
        Some(Ok(Value::Unit)) | None => None,
        Some(Ok(value)) => Some(value.to_string()),
        Some(Err(why)) => Some(format!("failed: {why}")),
    };
}
