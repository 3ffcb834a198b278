//! What the deciding thread counts: its inputs, its outputs, and how long they take. Counting an input or output costs some
//! additions, and nothing that waits.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::base::time::Time;
use crate::core::control::{Controller, Input, Output};
use crate::core::engine;
use crate::core::event::Trust;
use crate::core::journal::{self, Record};
use crate::core::notice::Kind;
use crate::core::react::{self, RunId};
use crate::core::wire::Action;

use super::declared::MetricId;
use super::histogram::Histogram;
use super::latency::LatencyTracker;
use super::samples::Samples;

/// A label value of a metric: a word of a closed set.
type Series = (MetricId, &'static str);

/// The counters of a controller since its start.
#[derive(Clone, Debug, Default)]
pub struct ControllerCounts {
    /// What each event adds to: inputs, events by trust and records, by the index of their words.
    inputs: [u64; INPUTS.len()],
    events: [u64; Trust::ALL.len()],
    records: [u64; RECORDS.len()],
    counts: BTreeMap<Series, u64>,
    /// The runs with `mode dry` that have not ended.
    dry: BTreeSet<RunId>,
    notices: BTreeMap<Kind, u64>,
    latency: LatencyTracker,
    syncs: Histogram,
}

impl ControllerCounts {
    /// Counters of a controller that starts with these runs.
    pub fn start(runs: &react::State) -> ControllerCounts {
        let dry = runs.runs().filter(|(_, run)| run.bound.dry).map(|(id, _)| id).collect();
        ControllerCounts { dry, ..ControllerCounts::default() }
    }

    fn one(&mut self, metric: MetricId, label: &'static str) {
        *self.counts.entry((metric, label)).or_default() += 1;
    }

    /// Counts an input before the controller takes it. Returns the arrival of an event, for [`ControllerCounts::arrived`].
    pub fn input(&mut self, now: Time, input: &Input) -> Option<Time> {
        self.inputs[kind_of(input)] += 1;
        let Input::Event(log_event) = input else { return None };
        self.events[trust_of(log_event.event.trust)] += 1;
        Some(log_event.arrived.unwrap_or(now))
    }

    /// Records when an event arrived. `outputs` are those of its turn.
    pub fn arrived(&mut self, arrived: Time, outputs: &[Output]) {
        let event = outputs.iter().find_map(|output| match output {
            Output::Record(Record::Input { sequence, input: journal::Input::Event { .. }, .. }) => Some(*sequence),
            _ => None,
        });
        if let Some(sequence) = event {
            self.latency.arrived(sequence, arrived);
        }
    }

    /// Counts a record among the outputs, when it is written to the journal.
    pub fn written(&mut self, output: &Output) {
        if let Output::Record(record) = output {
            self.record(record);
        }
    }

    /// Counts any other output, when it is carried out.
    pub fn carried_out(&mut self, now: Time, output: &Output, controller: &Controller) {
        match output {
            Output::Send(_, command) => self.one(MetricId::Commands, action_name(&command.action)),
            Output::Step(step) => {
                self.one(MetricId::MoveSteps, step.verb);
                let entry = controller.planner().ledger().entry(&step.resource);
                let Some(desired) = entry.and_then(|entry| entry.desired_owner.as_ref()) else { return };
                match step.verb {
                    "release" | "take" => self.latency.commanded(&step.resource, &desired.host, desired.sequence, now),
                    "taken" => self.latency.held(&step.resource, &step.host, now),
                    _ => {}
                }
            }
            Output::Notice(notice) => *self.notices.entry(notice.kind).or_default() += 1,
            Output::Record(_) | Output::Evaluate(_) | Output::Do { .. } | Output::Deliver(_) | Output::Settled(..) => {}
        }
    }

    fn record(&mut self, record: &Record) {
        self.records[record_of(record)] += 1;
        match record {
            Record::Alarm(engine::Record::Raised { .. }) => self.one(MetricId::AlarmChanges, "raised"),
            Record::Alarm(engine::Record::Repeated { .. }) => self.one(MetricId::AlarmChanges, "repeated"),
            Record::Alarm(engine::Record::Cleared { .. }) => self.one(MetricId::AlarmChanges, "cleared"),
            Record::Run(record) => self.run(record),
            _ => {}
        }
    }

    fn run(&mut self, record: &react::Record) {
        let change = match record {
            react::Record::Wanted { run, bound, .. } => {
                if bound.dry {
                    self.dry.insert(*run);
                }
                Some((run, "wanted"))
            }
            react::Record::Begun { run, .. } => Some((run, "begun")),
            react::Record::Ended { run, outcome, .. } => Some((run, outcome.name())),
            react::Record::Again { run, .. } if !self.dry.contains(run) => {
                self.one(MetricId::Steps, "retried");
                None
            }
            react::Record::Answered { run, result } if !self.dry.contains(run) => {
                self.one(MetricId::Steps, if result.is_err() { "failed" } else { "done" });
                None
            }
            _ => None,
        };
        let Some((run, change)) = change else { return };
        self.one(if self.dry.contains(run) { MetricId::DryRunChanges } else { MetricId::RunChanges }, change);
        if matches!(record, react::Record::Ended { .. }) {
            self.dry.remove(run);
        }
    }

    /// Counts a sync of the journal to the disk, from `began` to `now`.
    pub fn synced(&mut self, began: Time, now: Time) {
        self.syncs.observe(now.since(began));
        self.latency.synced(now);
    }

    /// Counts a record that does not come from the controller's outputs: a notice for the history.
    pub fn noticed(&mut self) {
        self.records[NOTICE] += 1;
    }

    /// Counts the answer to a question.
    pub fn answered(&mut self, refused: bool) {
        self.one(MetricId::Questions, if refused { "refused" } else { "answered" });
    }

    /// Adds all counters and durations. Those of words that did not occur yet are 0, so that a first increase is seen.
    pub fn add_to(&self, samples: &mut Samples) {
        for (metric, words) in WORDS {
            for word in *words {
                samples.count(*metric, &[word], 0);
            }
        }
        let indexed: [(MetricId, &[&str], &[u64]); 3] = [
            (MetricId::Inputs, &INPUTS, &self.inputs),
            (MetricId::Events, &Trust::ALL.map(Trust::name), &self.events),
            (MetricId::JournalRecords, &RECORDS, &self.records),
        ];
        for (metric, words, counts) in indexed {
            words.iter().zip(counts).for_each(|(word, count)| samples.count(metric, &[word], *count));
        }
        for ((metric, word), count) in &self.counts {
            samples.count(*metric, &[word], *count);
        }
        for kind in Kind::ALL {
            samples.count(MetricId::Notices, &[kind.name()], self.notices.get(kind).copied().unwrap_or_default());
        }
        samples.durations(MetricId::JournalSync, &self.syncs);
        samples.durations(MetricId::Journaled, &self.latency.journaled);
        samples.durations(MetricId::FirstCommand, &self.latency.first_command);
        samples.durations(MetricId::HolderSeen, &self.latency.holder_seen);
    }
}

/// The words of counters that are 0 before the first of them is counted.
const WORDS: &[(MetricId, &[&str])] = &[
    (MetricId::AlarmChanges, &["raised", "repeated", "cleared"]),
    (MetricId::RunChanges, &["wanted", "begun", "finished", "failed", "replaced", "expired", "cancelled"]),
    (MetricId::DryRunChanges, &["wanted", "begun", "finished", "failed", "replaced", "expired", "cancelled"]),
    (MetricId::Steps, &["done", "failed", "retried"]),
    (MetricId::Commands, &["take", "release", "renew", "electorate"]),
    (MetricId::MoveSteps, &["release", "released", "take", "taken"]),
    (MetricId::Questions, &["answered", "refused"]),
];

/// The kinds of inputs, the levels of trust and the kinds of records, by index.
const INPUTS: [&str; 12] = [
    "event",
    "position",
    "source",
    "report",
    "connection",
    "evaluation",
    "result",
    "delivery",
    "operator",
    "refused",
    "reload",
    "timer",
];
const RECORDS: [&str; 7] = ["input", "alarm", "run", "plan", "override", "notification", "notice"];
/// The index of the records of notices.
const NOTICE: usize = 6;

fn kind_of(input: &Input) -> usize {
    match input {
        Input::Event(_) => 0,
        Input::Position { .. } | Input::Forget { .. } | Input::BacklogEnded { .. } => 1,
        Input::Source { .. } | Input::Gap { .. } | Input::Offset { .. } => 2,
        Input::Report(_) => 3,
        Input::Connected(_) => 4,
        Input::Evaluated { .. } => 5,
        Input::Done { .. } => 6,
        Input::Delivered { .. } => 7,
        Input::Operator { .. } => 8,
        Input::Refused { .. } => 9,
        Input::Reload(_) => 10,
        Input::Timer => 11,
    }
}

fn trust_of(trust: Trust) -> usize {
    match trust {
        Trust::Unverified => 0,
        Trust::Address => 1,
        Trust::Local => 2,
        Trust::Authenticated => 3,
    }
}

fn record_of(record: &Record) -> usize {
    match record {
        Record::Input { .. } => 0,
        Record::Alarm(_) => 1,
        Record::Run(_) => 2,
        Record::Plan(_) => 3,
        Record::Override(_) => 4,
        Record::Notify(_) => 5,
        Record::Notice(_) => NOTICE,
    }
}

pub(super) fn action_name(action: &Action) -> &'static str {
    match action {
        Action::Release => "release",
        Action::Take { .. } => "take",
        Action::Renew => "renew",
        Action::Electorate(_) => "electorate",
    }
}
