//! Metrics: the reference page, and the names in the examples for Grafana and Prometheus.

use std::collections::BTreeSet;

use pointsman::core::control::Output;
use pointsman::core::journal::{Record, State};
use pointsman::core::metrics::{ControllerCounts, MetricId, MetricKind, Samples, reference};

use crate::support::{expect, read};

#[test]
fn the_reference_of_metrics_is_the_programs() {
    expect("docs/reference/metrics.md", &reference());
}

/// Counters end with `_total`, durations with `_seconds`; no name or label is one that Prometheus reserves.
#[test]
fn names_follow_the_conventions_of_prometheus() {
    let name = regex::Regex::new("^(pointsman|process)_[a-z0-9_]+$").unwrap();
    let mut names = BTreeSet::new();
    for metric in MetricId::ALL {
        assert!(name.is_match(metric.name()) && names.insert(metric.name()), "{}", metric.name());
        assert_eq!(metric.kind() == MetricKind::Counter, metric.name().ends_with("_total"), "{}", metric.name());
        if metric.kind() == MetricKind::Histogram {
            assert!(metric.unit() == "seconds" && metric.labels().is_empty(), "{}", metric.name());
        }
        assert!(metric.labels().iter().all(|label| !matches!(*label, "le" | "quantile" | "job" | "instance")));
        assert!(metric.help().ends_with('.'), "{}", metric.name());
        assert_eq!(MetricId::parse(metric.name()), Some(*metric));
    }
}

/// A dashboard or alert about a metric or label that does not exist would be silent for ever.
#[test]
fn the_examples_name_only_metrics_that_exist() {
    let word = regex::Regex::new(r"\b(pointsman_[a-z0-9_]+|process_[a-z0-9_]+)\b(?:\{([^}]*)\})?").unwrap();
    let label = regex::Regex::new(r#"([a-z_]+)\s*(?:=|!=|=~|!~)\s*\\?""#).unwrap();
    for file in ["examples/monitoring/grafana.json", "examples/monitoring/alerts.yaml", "docs/how-to/monitor-pointsman.md"] {
        let text = read(file);
        let mut seen = 0;
        for found in word.captures_iter(&text) {
            let name = &found[1];
            let end = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let metric = MetricId::parse(name).or_else(|| end.and_then(MetricId::parse));
            let metric = metric.unwrap_or_else(|| panic!("{file} names {name}, which there is not"));
            assert_eq!(
                metric.kind() == MetricKind::Histogram,
                end.is_some() && MetricId::parse(name).is_none(),
                "{file}: {name}"
            );
            for found in label.captures_iter(found.get(2).map_or("", |labels| labels.as_str())) {
                let known = metric.labels().contains(&&found[1]) || matches!(&found[1], "job" | "instance");
                assert!(known, "{file}: {name} has no label {}", &found[1]);
            }
            seen += 1;
        }
        assert!(seen > 3, "{file}: {seen}");
    }
}

/// What a dry run does is no run and no step of the real ones, also after a restart in its middle.
#[test]
fn dry_runs_are_counted_separately() {
    let text = read("tests/journal/night.jsonl");
    let wanted = text.lines().find(|line| line.contains("\"ran\":\"wanted\",\"run\":1,")).unwrap();
    let dry = wanted.replace("\"retry\":null}", "\"retry\":null,\"dry\":true}");
    let record = |line: &str| Record::read(line).unwrap();
    let begun = r#"{"run":{"ran":"begun","run":1,"at":1795990200000000}}"#;
    let answered = r#"{"run":{"ran":"answered","run":1,"result":{"Ok":null}}}"#;
    let ended = r#"{"run":{"ran":"ended","run":1,"at":1795990200000000,"outcome":{"failed":"no"}}}"#;
    for (wanted, metric, steps) in [(wanted, MetricId::RunChanges, 1.0), (&dry, MetricId::DryRunChanges, 0.0)] {
        let mut state = State::default();
        state.apply(&record(wanted));
        for (mut counts, is_new) in [(ControllerCounts::default(), true), (ControllerCounts::start(&state.runs), false)] {
            let lines = if is_new { vec![wanted, begun, answered, ended] } else { vec![begun, answered, ended] };
            for line in lines {
                counts.written(&Output::Record(record(line)));
            }
            let mut samples = Samples::default();
            counts.add_to(&mut samples);
            let all = samples.rows();
            let of = |metric: MetricId, word: &str| {
                let found = all.iter().find(|one| {
                    one["metric"] == metric.name() && one["labels"].as_object().is_some_and(|l| l.values().any(|v| v == word))
                });
                found.map(|one| one["value"].as_f64().unwrap())
            };
            let other = if metric == MetricId::RunChanges { MetricId::DryRunChanges } else { MetricId::RunChanges };
            assert_eq!((of(metric, "failed"), of(other, "failed")), (Some(1.0), Some(0.0)));
            assert_eq!((of(metric, "begun"), of(other, "begun")), (Some(1.0), Some(0.0)));
            assert_eq!(of(MetricId::Steps, "done"), Some(steps));
        }
    }
}
