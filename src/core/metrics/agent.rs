//! What an agent counts, and its present state.

use std::collections::BTreeMap;

use crate::core::agent::{AgentState, Input, Operation, Output};
use crate::core::wire::Metric;

use super::counts::action_name;
use super::declared::MetricId;
use super::samples::Samples;

/// The counters of an agent since its start.
#[derive(Clone, Debug, Default)]
pub struct AgentCounts {
    counts: BTreeMap<(MetricId, &'static str), u64>,
    /// Results of operations: the operation, and whether it failed.
    operations: BTreeMap<(&'static str, bool), u64>,
    /// The values of the last measurement of the host.
    measured: Vec<Metric>,
}

impl AgentCounts {
    fn one(&mut self, metric: MetricId, label: &'static str) {
        *self.counts.entry((metric, label)).or_default() += 1;
    }

    /// Counts an input before the agent takes it.
    pub fn input(&mut self, input: &Input) {
        match input {
            Input::Command(command) => self.one(MetricId::AgentCommands, action_name(&command.action)),
            Input::Peer(..) => self.one(MetricId::AgentPeerMessages, "received"),
            Input::Measured(measured) => self.measured.clone_from(measured),
            _ => {}
        }
    }

    /// Counts an output that is carried out.
    pub fn output(&mut self, output: &Output) {
        match output {
            Output::Report(_) => self.one(MetricId::AgentReports, ""),
            Output::Announce { .. } => self.one(MetricId::AgentAnnouncements, ""),
            Output::Peer(..) => self.one(MetricId::AgentPeerMessages, "sent"),
            _ => {}
        }
    }

    /// Counts the end of an operation of a driver.
    pub fn operation(&mut self, operation: Operation, failed: bool) {
        let name = match operation {
            Operation::Observe => "observe",
            Operation::Add { .. } => "add",
            Operation::Remove => "remove",
        };
        *self.operations.entry((name, failed)).or_default() += 1;
    }

    /// Adds all counters, and the present state of the agent.
    pub fn add_to(&self, agent: &AgentState, samples: &mut Samples) {
        for action in ["take", "release", "renew", "electorate"] {
            samples.count(MetricId::AgentCommands, &[action], 0);
        }
        for direction in ["received", "sent"] {
            samples.count(MetricId::AgentPeerMessages, &[direction], 0);
        }
        for metric in [MetricId::AgentReports, MetricId::AgentAnnouncements] {
            samples.count(metric, &[], 0);
        }
        for ((metric, word), count) in &self.counts {
            let labels: &[&str] = if word.is_empty() { &[] } else { &[word] };
            samples.count(*metric, labels, *count);
        }
        for operation in ["observe", "add", "remove"] {
            for (failed, result) in [(false, "done"), (true, "failed")] {
                let count = self.operations.get(&(operation, failed)).copied().unwrap_or_default();
                samples.count(MetricId::AgentOperations, &[operation, result], count);
            }
        }
        for resource in agent.resources() {
            samples.truth(MetricId::AgentHolds, &[resource], agent.holds(resource));
            samples.truth(MetricId::AgentWants, &[resource], agent.wants(resource));
        }
        for metric in &self.measured {
            let name = if metric.mount.is_empty() { metric.name.clone() } else { format!("{} {}", metric.name, metric.mount) };
            samples.add(MetricId::AgentMeasured, &[&name], f64_of(metric.thousandths));
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "the numbers of Prometheus are floating-point numbers")]
fn f64_of(thousandths: i64) -> f64 {
    thousandths as f64 / 1_000.0
}
