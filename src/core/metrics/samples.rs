//! The values of all metrics at one time, as text for Prometheus and as JSON for `pointsman top`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::core::base::limits::METRIC_SERIES;

use super::declared::MetricId;
use super::histogram::Histogram;

/// The value of one time series.
#[derive(Clone, Debug, PartialEq)]
enum SampleValue {
    Number(f64),
    Durations(Box<Histogram>),
}

/// The values of metrics at one time.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    values: BTreeMap<MetricId, BTreeMap<Vec<String>, SampleValue>>,
    /// The number of time series that had no room.
    left_out: u64,
}

impl Samples {
    /// Adds to the value of a time series, which is 0 before. `labels` are the values of the metric's labels, in order.
    pub fn add(&mut self, metric: MetricId, labels: &[&str], value: f64) {
        debug_assert_eq!(labels.len(), metric.labels().len(), "{}", metric.name());
        let series = self.values.entry(metric).or_default();
        let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
        if series.len() >= METRIC_SERIES && !series.contains_key(&labels) {
            self.left_out += 1;
            return;
        }
        if let SampleValue::Number(number) = series.entry(labels).or_insert(SampleValue::Number(0.0)) {
            *number += value;
        }
    }

    /// The same for a count.
    #[allow(clippy::cast_precision_loss, reason = "the numbers of Prometheus are floating-point numbers")]
    pub fn count(&mut self, metric: MetricId, labels: &[&str], value: u64) {
        self.add(metric, labels, value as f64);
    }

    /// The same for a length or a number of bytes.
    pub fn size(&mut self, metric: MetricId, labels: &[&str], value: usize) {
        self.count(metric, labels, value as u64);
    }

    /// The same for a state that is true or false.
    pub fn truth(&mut self, metric: MetricId, labels: &[&str], value: bool) {
        self.count(metric, labels, u64::from(value));
    }

    /// Sets the durations of a metric without labels.
    pub fn durations(&mut self, metric: MetricId, durations: &Histogram) {
        self.values.entry(metric).or_default().insert(Vec::new(), SampleValue::Durations(Box::new(durations.clone())));
    }

    /// The text for Prometheus, version 0.0.4 of its format.
    pub fn text(mut self) -> String {
        let mut text = String::new();
        self.count(MetricId::SeriesLeftOut, &[], self.left_out);
        for (metric, series) in &self.values {
            let name = metric.name();
            let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {}", escaped(metric.help(), false), metric.kind().name());
            for (labels, value) in series {
                let labels: Vec<String> = metric
                    .labels()
                    .iter()
                    .zip(labels)
                    .map(|(label, value)| format!("{label}=\"{}\"", escaped(value, true)))
                    .collect();
                let shown = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
                let _ = match value {
                    SampleValue::Number(number) => writeln!(text, "{name}{shown} {number}"),
                    SampleValue::Durations(durations) => {
                        for (end, count) in durations.buckets() {
                            let _ = writeln!(text, "{name}_bucket{{le=\"{end}\"}} {count}");
                        }
                        let (count, sum) = (durations.count(), durations.seconds());
                        writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {sum}\n{name}_count {count}")
                    }
                };
            }
        }
        text
    }

    /// One object for each time series: its metric, its labels and its value, or the number, sum and buckets of its durations.
    pub fn rows(&self) -> Vec<Json> {
        let row = |metric: &MetricId, labels: &Vec<String>, value: &SampleValue| {
            let labels: BTreeMap<&str, &String> = metric.labels().iter().copied().zip(labels).collect();
            match value {
                SampleValue::Number(number) => json!({ "metric": metric.name(), "labels": labels, "value": number }),
                SampleValue::Durations(d) => {
                    let buckets: Vec<(f64, u64)> = d.buckets().collect();
                    json!({ "metric": metric.name(), "labels": labels, "count": d.count(), "sum": d.seconds(), "buckets": buckets })
                }
            }
        };
        self.values.iter().flat_map(|(metric, all)| all.iter().map(move |(labels, value)| row(metric, labels, value))).collect()
    }
}

/// A text in which no character ends a line or a label.
fn escaped(text: &str, quoted: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if quoted { text.replace('"', "\\\"") } else { text }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let mut samples = Samples::default();
        samples.count(MetricId::SourceRecords, &["a\"b\\c\nd"], 7);
        samples.count(MetricId::SourceRecords, &["a\"b\\c\nd"], 1);
        let mut durations = Histogram::default();
        durations.observe(Duration::from_millis(3));
        samples.durations(MetricId::Journaled, &durations);
        let text = samples.text();
        assert!(text.contains("pointsman_source_records_total{source=\"a\\\"b\\\\c\\nd\"} 8\n"), "{text}");
        assert!(text.contains("# TYPE pointsman_event_journaled_seconds histogram\n"), "{text}");
        let buckets = "_bucket{le=\"0.002\"} 0\npointsman_event_journaled_seconds_bucket{le=\"0.005\"} 1\n";
        assert!(text.contains(buckets), "{text}");
        assert!(text.ends_with("pointsman_series_left_out 0\n"), "{text}");
    }

    #[test]
    fn a_metric_has_a_bounded_number_of_series() {
        let mut samples = Samples::default();
        for n in 0..METRIC_SERIES + 3 {
            samples.count(MetricId::ResourceHolders, &[&format!("r{n}")], 1);
        }
        samples.count(MetricId::ResourceHolders, &["r0"], 1);
        assert_eq!(samples.rows().len(), METRIC_SERIES);
        assert!(samples.text().contains("pointsman_series_left_out 3\n"));
    }
}
