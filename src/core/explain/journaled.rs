//! The same stories from a journal: what a running controller decided, and a run from its record to its last step.

use std::collections::BTreeMap;

use crate::core::base::text::printable;
use crate::core::base::time::{Time, duration_text};
use crate::core::engine::{self, Decision, Key, TracedDecision};
use crate::core::journal::{History, Input, NoticeRecord, Record};
use crate::core::lang::program::{Program, Shape};
use crate::core::notice::Kind;
use crate::core::overrides::{self, AlarmSubject};
use crate::core::react::{self, RunId, RunOutcome};
use crate::core::replay::{DecisionOfLine, EntryKind, TimelineEntry};
use crate::core::site::Site;

use super::key::in_brackets;
use super::story::AlarmStory;

/// Converts the records of a journal, one after the other, to decisions.
#[derive(Default)]
pub struct JournaledDecisions {
    at: Time,
    /// The overrides that were in force.
    overrides: overrides::State,
    /// The times of the events that count, for each alarm and key.
    counted: BTreeMap<(String, Key), Vec<Time>>,
}

impl JournaledDecisions {
    /// Reads one record, with its number, and adds what it says of the alarm to its story.
    pub fn see(&mut self, n: u64, record: &Record, site: &Site, story: &mut AlarmStory) {
        match record {
            Record::Input { at, input, .. } => {
                self.at = *at;
                if let Input::Event { event, .. } = input {
                    story.see(site, n, event);
                }
            }
            Record::Alarm(record) => {
                for decision in self.decisions(record, &site.program) {
                    story.decided(&DecisionOfLine { line: Some(n), decision });
                }
                if let Some(why) = self.silenced(record, site) {
                    story.add(&why);
                }
            }
            Record::Override(record) => self.overrides.apply(record),
            Record::Notice(notice) => self.notice(n, notice, story),
            Record::Run(_) | Record::Plan(_) | Record::Notify(_) => {}
        }
    }

    /// The silence that an alarm was raised under.
    fn silenced(&self, record: &engine::Record, site: &Site) -> Option<TimelineEntry> {
        let engine::Record::Raised { alarm, key, at, event, category, .. } = record else { return None };
        let key = key.to_string();
        // The rules may have given it another one since.
        let now = || site.program.alarms.iter().find(|a| a.name == *alarm).map(|a| a.category);
        let category = category.or_else(now).map(|category| category.name()).unwrap_or_default();
        let silence = self.overrides.silence_of(&AlarmSubject::of(alarm, &key, category, event, &site.inventory))?;
        let text = format!("nobody is notified of it: {}", silence.text());
        let kind = Some(Kind::WouldDo.name().to_owned());
        let entry = TimelineEntry::new(*at, EntryKind::Notice);
        Some(TimelineEntry { alarm: Some(alarm.clone()), key: Some(key), result: kind, text: Some(text), ..entry })
    }

    /// Adds what people were notified of: what withheld, delayed or suppressed something.
    fn notice(&self, n: u64, notice: &NoticeRecord, story: &mut AlarmStory) {
        let Some(kind) = Kind::parse(&notice.kind) else { return };
        let decision = match kind {
            Kind::Suppressed => Some(Decision::Suppressed),
            Kind::NotNow => Some(Decision::NotNow),
            Kind::Limit => Some(Decision::NoRoom),
            Kind::NoKey => Some(Decision::NoField),
            _ => None,
        };
        match (decision, &notice.alarm) {
            (Some(decision), Some(alarm)) => {
                let (at, alarm, reason) = (notice.at, alarm.clone(), notice.text.clone());
                let decision = TracedDecision { at, alarm, key: None, decision, reason, value: None };
                story.decided(&DecisionOfLine { line: Some(n), decision });
            }
            _ => {
                let text = Some(notice.text.clone());
                let entry = TimelineEntry::new(notice.at, EntryKind::Notice);
                let result = Some(notice.kind.clone());
                story.add(&TimelineEntry {
                    alarm: notice.alarm.clone(),
                    reaction: notice.reaction.clone(),
                    run: notice.run,
                    result,
                    text,
                    ..entry
                });
            }
        }
    }

    fn decisions(&mut self, record: &engine::Record, program: &Program) -> Vec<TracedDecision> {
        let one = |at: Time, alarm: &str, key: &Key, decision: Decision, reason: String| TracedDecision {
            at,
            alarm: alarm.to_owned(),
            key: Some(key.clone()),
            decision,
            reason,
            value: None,
        };
        match record {
            engine::Record::Raised { alarm, key, at, idle, .. } => {
                let mut all = vec![one(*at, alarm, key, Decision::Raised, "it is raised".to_owned())];
                let idle = idle.as_ref().map(|why| format!("its reactions are not started: {why}"));
                all.extend(idle.map(|why| one(*at, alarm, key, Decision::NotStarted, why)));
                all
            }
            engine::Record::Repeated { alarm, key, at, .. } => {
                vec![one(*at, alarm, key, Decision::Repeated, "it is active already: the event counts as a repeat".to_owned())]
            }
            engine::Record::Cleared { alarm, key, at, cause, .. } => {
                let of = program.alarms.iter().find(|a| a.name == *alarm);
                let cause = of.map_or_else(|| cause.to_string(), |alarm| engine::cause_text(cause, alarm));
                vec![one(*at, alarm, key, Decision::Cleared, format!("it is cleared: {cause}"))]
            }
            engine::Record::PartialMatches { alarm, key, note, since, .. } => {
                let times = self.counted.entry((alarm.clone(), key.clone())).or_default();
                times.retain(|at| since.is_none_or(|since| *at >= since));
                times.extend(std::iter::repeat_n(note.at, note.times()));
                let of = program.alarms.iter().find(|a| a.name == *alarm);
                let within =
                    of.and_then(|a| a.detect.within).map(|w| format!(" within {}", duration_text(w))).unwrap_or_default();
                let reason = match of.map(|a| &a.detect.shape) {
                    Some(Shape::Count { n, .. }) => format!("{} of {n} events{within}", times.len()),
                    _ => format!("part {} of its condition matches{within}", note.part() + 1),
                };
                vec![one(note.at, alarm, key, Decision::Partial, reason)]
            }
            engine::Record::Forgotten { alarm, key, .. } => {
                self.counted.remove(&(alarm.clone(), key.clone()));
                vec![one(self.at, alarm, key, Decision::Forgotten, "what was counted or pending counts no more".to_owned())]
            }
            engine::Record::Pending { alarm, key, waiting } => {
                vec![one(self.at, alarm, key, Decision::Pending, format!("it is pending until {}", waiting.due))]
            }
            engine::Record::Throttled { alarm, group, what: Some(what) } => {
                let reason = format!("its reactions are throttled by `limit` until {}", what.due);
                vec![one(self.at, alarm, group, Decision::NotStarted, reason)]
            }
            _ => Vec::new(),
        }
    }
}

/// A run from the record that caused it to its end: lines for people, each with its time and the number of its record.
#[derive(Default)]
pub struct RunStory {
    run: RunId,
    history: History,
    at: Time,
    /// The newest input, and what the engine decided about it.
    cause: Vec<StoryLine>,
    pub lines: Vec<StoryLine>,
    /// The step that was asked for last.
    step: String,
    ended: bool,
}

/// One line of a run's story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryLine {
    /// The number of the record.
    pub n: u64,
    pub at: Time,
    pub text: String,
}

impl RunStory {
    /// An empty story of a run, which the records of a journal fill in order.
    pub fn new(run: RunId) -> RunStory {
        RunStory { run, ..RunStory::default() }
    }

    /// Reads one record; returns false when the story is complete.
    pub fn see(&mut self, n: u64, record: &Record) -> bool {
        if let Record::Input { at, .. } = record {
            self.at = *at;
        }
        let entry = self.history.entry(n, record);
        let at = self.at;
        let line = |text: String| StoryLine { n, at, text: printable(&text) };
        match record {
            Record::Input { input, .. } => {
                if self.lines.is_empty() {
                    self.cause = vec![line(input_text(input))];
                }
                return !self.ended;
            }
            Record::Alarm(_) => {
                if let Some(entry) = entry {
                    let to = if self.lines.is_empty() { &mut self.cause } else { return true };
                    to.push(line(format!("alarm {}: {}", entry.kind, entry.text)));
                }
            }
            Record::Run(record) => {
                if let Some(text) = self.run_text(record) {
                    if self.lines.is_empty() {
                        self.lines = std::mem::take(&mut self.cause);
                    }
                    self.lines.push(line(text));
                }
            }
            Record::Plan(_) if !self.lines.is_empty() => {
                self.lines.extend(entry.map(|e| line(format!("{}: {}", e.kind, e.text))))
            }
            Record::Notice(notice) if !self.lines.is_empty() && (notice.run == Some(self.run) || notice.kind == "step") => {
                self.lines.push(line(format!("{}: {}", notice.kind, notice.text)));
            }
            Record::Plan(_) | Record::Notify(_) | Record::Override(_) | Record::Notice(_) => {}
        }
        true
    }

    fn run_text(&mut self, record: &react::Record) -> Option<String> {
        let own = self.run;
        match record {
            react::Record::Wanted { run, key, bound, approve_by, .. } if *run == own => {
                let (alarm, key) = (bound.of_alarm("name"), in_brackets(key, " "));
                let approval = approve_by.map(|by| format!("; an operator must approve it by {by}")).unwrap_or_default();
                let dry = if bound.dry { "; its mode is `dry`: nothing outside is changed" } else { "" };
                Some(format!("run {run} of reaction {} is wanted by alarm {alarm}{key}{approval}{dry}", bound.reaction))
            }
            react::Record::Approved { run } if *run == own => Some("an operator approves it".to_owned()),
            react::Record::Begun { run, .. } if *run == own => Some("it begins".to_owned()),
            react::Record::Asked { run, step, attempt, .. } if *run == own => {
                let args: Vec<String> = step.args.iter().map(ToString::to_string).collect();
                let text = format!("{}({})", step.verb, args.join(", "));
                let again = if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
                self.step.clone_from(&text);
                Some(format!("step {}: {text}{again}", step.n + 1))
            }
            react::Record::Again { run, at } if *run == own => Some(format!("the step failed, and is tried again at {at}")),
            react::Record::Answered { run, result } if *run == own => {
                let step = &self.step;
                Some(match result {
                    Ok(crate::core::event::Value::Unit) => format!("{step} is done"),
                    Ok(value) => format!("{step} is done: {value}"),
                    Err(why) => format!("{step} failed: {why}"),
                })
            }
            react::Record::Ended { run, outcome, .. } if *run == own => {
                self.ended = true;
                Some(match outcome {
                    RunOutcome::Finished(_) => "it finished well".to_owned(),
                    RunOutcome::Failed(why) => format!("it failed: {why}"),
                    RunOutcome::Replaced => "a newer run of the same reaction and key took its place before it began".to_owned(),
                    RunOutcome::Expired => "nobody approved it in time".to_owned(),
                    RunOutcome::Cancelled(by) => format!("it was cancelled by {by}"),
                })
            }
            _ => None,
        }
    }
}

/// Describes an input for people.
fn input_text(input: &Input) -> String {
    match input {
        Input::Event { source, event, .. } => format!("a record of {source}: {}", event.raw()),
        Input::Timer => "time passed".to_owned(),
        Input::HostLost { host, .. } => format!("host {host} is lost"),
        Input::HostBack { host, .. } => format!("host {host} reports again"),
        Input::Operator(text) => text.clone(),
        Input::OperatorCommand { by, command, .. } => format!("{by}: {command}"),
        Input::Start => "the controller started".to_owned(),
        other => format!("{other:?}").split([' ', '{', '(']).next().unwrap_or_default().to_owned(),
    }
}
