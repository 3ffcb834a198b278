//! What a frame shows, made of the controller's answers. Texts of logs are escaped here.

use std::time::Duration;

use serde_json::Value as Json;

use crate::core::base::text::{printable, printable_short};
use crate::core::metrics::MetricId;
use crate::shell::live::questions::{Answer, Question};

use super::super::status::{Status, alarm_severity};

/// The longest text of one cell, in characters.
const CELL: usize = 200;
/// The number of alarms that are shown at most; more do not fit on any screen.
const ALARMS: usize = 200;

/// The answers of a controller at one time.
pub(super) struct Answers {
    metrics: Vec<Json>,
    resources: Vec<Json>,
    alarms: Vec<Json>,
    runs: Vec<Json>,
    channels: Vec<Json>,
    overrides: Vec<Json>,
}

impl Answers {
    /// Asks for everything that a frame shows.
    pub(super) fn of(ask: impl Fn(&Question) -> Answer) -> Result<Answers, String> {
        let rows = |question: Question| match ask(&question)? {
            Json::Array(rows) => Ok(rows),
            _ => Err("the controller's answer is not a table; it may be of another version".to_owned()),
        };
        Ok(Answers {
            metrics: rows(Question::Metrics)?,
            resources: rows(Question::Resources)?,
            alarms: rows(Question::Alarms)?,
            runs: rows(Question::Runs)?,
            channels: rows(Question::Channels)?,
            overrides: rows(Question::Overrides)?,
        })
    }

    fn of_metric(&self, metric: MetricId) -> impl Iterator<Item = &Json> {
        self.metrics.iter().filter(move |row| row["metric"] == metric.name())
    }

    /// The sum over all time series of a metric.
    fn sum(&self, metric: MetricId) -> f64 {
        self.of_metric(metric).filter_map(|row| row["value"].as_f64()).sum()
    }

    /// The end of the bucket within which a part of all durations is, in seconds; `None` if there are none. Infinite if the
    /// durations are longer than every bucket.
    #[allow(clippy::cast_precision_loss, reason = "counts for people")]
    fn quantile(&self, metric: MetricId, part: f64) -> Option<f64> {
        let row = self.of_metric(metric).next()?;
        let wanted = row["count"].as_u64().filter(|count| *count > 0)? as f64 * part;
        let buckets = row["buckets"].as_array()?.iter();
        let mut ends = buckets.filter_map(|bucket| Some((bucket[0].as_f64()?, bucket[1].as_u64()? as f64)));
        Some(ends.find(|(_, count)| *count >= wanted).map_or(f64::INFINITY, |(end, _)| end))
    }
}

/// A row of the table of resources or of alarms, with its severity.
pub(super) struct TopRow {
    /// 0 is in order, 1 needs attention, 2 needs action.
    pub(super) severity: u8,
    pub(super) cells: Vec<String>,
}

/// Everything that one frame shows.
pub(super) struct View {
    /// The state in words, and its severity.
    pub(super) title: (u8, String),
    /// Names with values: rates, queues, durations.
    pub(super) numbers: Vec<(&'static str, String)>,
    pub(super) resources: Vec<TopRow>,
    pub(super) alarms: Vec<TopRow>,
    /// The number of active alarms.
    pub(super) active: usize,
}

impl View {
    /// What changed from `before` to `now`, within `since`.
    pub(super) fn new(before: Option<&Answers>, now: &Answers, since: Duration) -> View {
        let status = Status::of(&now.alarms, &now.resources, &now.runs, &now.channels, &now.overrides).with_metrics(&now.metrics);
        let title = status.lines().into_iter().next().unwrap_or_default();
        let mut alarms: Vec<TopRow> = now.alarms.iter().map(alarm).collect();
        alarms.sort_by_key(|row| std::cmp::Reverse(row.severity));
        let active = alarms.len();
        alarms.truncate(ALARMS);
        let mut resources: Vec<TopRow> = now.resources.iter().map(resource).collect();
        resources.sort_by_key(|row| std::cmp::Reverse(row.severity));
        View { title: (status.severity(), title), numbers: numbers(before, now, since), resources, alarms, active }
    }

    /// A frame that only says why there is nothing to see.
    pub(super) fn without_answer(why: &str) -> View {
        View { title: (2, printable_short(why, CELL)), numbers: Vec::new(), resources: Vec::new(), alarms: Vec::new(), active: 0 }
    }
}

fn numbers(before: Option<&Answers>, now: &Answers, since: Duration) -> Vec<(&'static str, String)> {
    let rate = |metric: MetricId| match before {
        Some(before) if !since.is_zero() => {
            format!("{:.0}/s", ((now.sum(metric) - before.sum(metric)) / since.as_secs_f64()).max(0.0))
        }
        _ => "-".to_owned(),
    };
    let durations = |metric: MetricId| match (now.quantile(metric, 0.5), now.quantile(metric, 0.99)) {
        (Some(half), Some(most)) => format!("{} / {}", time(half), time(most)),
        _ => "-".to_owned(),
    };
    let number = |metric: MetricId| format!("{:.0}", now.sum(metric));
    vec![
        ("received", rate(MetricId::SourceRecords)),
        ("wanted", rate(MetricId::SourceWanted)),
        ("dropped", rate(MetricId::SourceDropped)),
        ("journaled", rate(MetricId::JournalRecords)),
        ("queued", number(MetricId::QueueMessages)),
        ("runs", number(MetricId::RunsActive)),
        ("undelivered", number(MetricId::ChannelWaiting)),
        ("overrides", number(MetricId::Overrides)),
        ("to journal", durations(MetricId::Journaled)),
        ("to command", durations(MetricId::FirstCommand)),
        ("to holder", durations(MetricId::HolderSeen)),
    ]
}

/// A duration of a bucket's end, for people.
fn time(seconds: f64) -> String {
    match seconds {
        s if s.is_infinite() => "> 60 s".to_owned(),
        s if s < 1.0 => format!("{} ms", s * 1_000.0),
        s => format!("{s} s"),
    }
}

fn text(row: &Json, key: &str) -> String {
    match &row[key] {
        Json::Null => "-".to_owned(),
        Json::String(text) if text.is_empty() => "-".to_owned(),
        Json::String(text) => printable_short(text, CELL),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(Json::as_str).map(printable).collect();
            if items.is_empty() { "-".to_owned() } else { printable_short(&items.join(","), CELL) }
        }
        other => printable_short(&other.to_string(), CELL),
    }
}

fn resource(row: &Json) -> TopRow {
    let is = |key: &str| row[key].as_bool().unwrap_or(false);
    let (severity, state) = match (is("settled"), is("paused"), row["held"].is_string()) {
        (_, true, _) => (1, "paused"),
        (true, ..) => (0, "settled"),
        (_, _, true) => (2, "blocked"),
        _ => (2, "moving"),
    };
    let cells = [text(row, "resource"), text(row, "what"), text(row, "owner"), text(row, "holders"), state.to_owned()];
    TopRow { severity, cells: cells.into_iter().chain([text(row, "held")]).collect() }
}

fn alarm(row: &Json) -> TopRow {
    let marks = [("acked", "acknowledged"), ("silenced", "silenced"), ("maintenance", "maintenance")];
    let mark = marks.iter().find(|(key, _)| row[*key].is_string()).map_or("", |(_, word)| *word);
    // The day is of less use than the time.
    let since = text(row, "since").split_once('T').map_or_else(|| text(row, "since"), |(_, time)| time.chars().take(8).collect());
    let cells = [text(row, "category"), text(row, "alarm"), text(row, "key"), since, mark.to_owned(), text(row, "summary")];
    TopRow { severity: alarm_severity(row), cells: cells.into() }
}
