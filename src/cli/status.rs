//! `pointsman status`: whether everything is healthy, and if not, the problems, most severe first.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;

use serde_json::{Value as Json, json};

use crate::core::base::text::printable;
use crate::core::metrics::MetricId;
use crate::shell::linux::rights;
use crate::shell::live;
use crate::shell::live::control_socket;
use crate::shell::live::questions::Question;

use super::ask::{ControllerArgs, data, rows};
use super::local_time::localized;
use super::output::{OutputFormat, WRONG, plural};
use crate::shell::site_files::{paths, read};

/// The exit status for monitoring systems (the Nagios plugin convention) when nothing needs attention.
const HEALTHY: u8 = 0;
/// The exit status when something needs attention.
const WARNING: u8 = 1;
/// The exit status when somebody has to act now.
const CRITICAL: u8 = 2;
/// The exit status when the controller does not answer.
pub(super) const UNKNOWN: u8 = 3;

/// The number of problems that one screen shows.
const SHOWN: usize = 20;

/// Shows on one screen whether everything is healthy, and if not, why
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  pointsman status\n  pointsman status --exit-code        for a monitoring system\n\nExit status with --exit-code: 0 healthy, 1 something needs attention, 2 somebody must act, 3 the controller does not answer."
)]
pub(super) struct Args {
    /// Report the state in the exit status
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    whom: ControllerArgs,
}

/// The state of a site in a few lines.
pub(super) struct Status {
    /// The problems with their severity, most severe first.
    troubles: Vec<(u8, String)>,
    resources: usize,
    hosts: usize,
    runs: usize,
    /// Hints that are not problems.
    notes: Vec<String>,
}

impl Status {
    /// Evaluates the rows of the questions `alarms`, `resources`, `runs`, `channels` and `overrides`.
    pub(super) fn of(alarms: &[Json], resources: &[Json], runs: &[Json], channels: &[Json], overrides: &[Json]) -> Status {
        let text = |row: &Json, key: &str| row.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        let zone = live::machine_zone().unwrap_or_default();
        let mut troubles = Vec::new();
        let mut hosts: Vec<(String, bool)> = Vec::new();
        for row in resources {
            for host in row.get("hosts").and_then(Json::as_array).into_iter().flatten() {
                hosts.push((text(host, "host"), host.get("reachable").and_then(Json::as_bool).unwrap_or(false)));
            }
            if row.get("settled").and_then(Json::as_bool) != Some(true) {
                let why = text(row, "held");
                let why = if why.is_empty() { "it is being moved".to_owned() } else { why };
                troubles.push((CRITICAL, format!("{} is not settled: {}", text(row, "resource"), localized(&why, zone))));
            } else if row.get("paused") != Some(&Json::Bool(true))
                && let Some(why) = row.get("held").and_then(Json::as_str)
            {
                // A pause has a line of its own below.
                troubles.push((WARNING, format!("{}: {}", text(row, "resource"), localized(why, zone))));
            }
        }
        for row in overrides {
            let until = text(row, "until");
            let until = if until.is_empty() { until } else { format!(", until {}", localized(&until, zone)) };
            let (command, what) = (text(row, "command"), text(row, "what"));
            troubles.push((WARNING, format!("{command} of {what}, by {} ({}){until}", text(row, "by"), text(row, "reason"))));
        }
        hosts.sort();
        hosts.dedup();
        for (host, _) in hosts.iter().filter(|(_, reachable)| !reachable) {
            troubles.push((WARNING, format!("{host} is not connected")));
        }
        for row in alarms {
            let key = text(row, "key");
            let key = if key.is_empty() { key } else { format!(" [{key}]") };
            let summary = text(row, "summary");
            let summary = if summary.is_empty() { summary } else { format!(": {summary}") };
            troubles.push((alarm_severity(row), format!("alarm {}{key}{summary}", text(row, "alarm"))));
        }
        for row in channels {
            let number = |key: &str| row.get(key).and_then(Json::as_u64).unwrap_or_default();
            let count = |key: &str| plural(usize::try_from(number(key)).unwrap_or(usize::MAX), "notification");
            let name = text(row, "channel");
            if number("tries") > 0 {
                troubles
                    .push((WARNING, format!("the channel {name} has not delivered {}: {}", count("waiting"), text(row, "why"))));
            }
            if number("held") > 0 {
                troubles.push((WARNING, format!("the limit of the channel {name} withholds {}", count("held"))));
            }
        }
        troubles.retain(|(severity, _)| *severity > HEALTHY);
        troubles.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
        Status { troubles, resources: resources.len(), hosts: hosts.len(), runs: runs.len(), notes: Vec::new() }
    }

    /// Adds the problems that only metrics show: those of the controller itself.
    pub(super) fn with_metrics(mut self, metrics: &[Json]) -> Status {
        let sum = |metric: MetricId, state: Option<&str>| -> f64 {
            let of = metrics.iter().filter(|row| row["metric"] == metric.name());
            let of = of.filter(|row| state.is_none_or(|state| row["labels"]["state"] == state));
            of.filter_map(|row| row["value"].as_f64()).sum()
        };
        let mut add = |severity: u8, is: bool, text: String| {
            if is {
                self.troubles.push((severity, text));
            }
        };
        let doubt = sum(MetricId::JournalDoubt, None) > 0.0;
        let text = "the journal may have lost records, and nothing is acted on; `pointsman journal verify` says more";
        add(CRITICAL, doubt, text.to_owned());
        let refused = sum(MetricId::ReloadRefused, None) > 0.0;
        add(WARNING, refused, "the files are in error, and what was accepted last runs; see `pointsman check`".to_owned());
        let unreadable = sum(MetricId::SourcesUnreadable, None) as usize;
        let text = format!("unreadable: {}; see `pointsman history`", plural(unreadable, "followed file"));
        add(WARNING, unreadable > 0, text);
        let approvals = sum(MetricId::RunsActive, Some("approval")) as usize;
        let text = format!("waiting for approval: {}; see `pointsman runs`", plural(approvals, "run"));
        add(WARNING, approvals > 0, text);
        self.troubles.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
        self
    }

    /// Adds a note, which does not change the exit status.
    pub(super) fn with_note(mut self, note: Option<String>) -> Status {
        self.notes.extend(note);
        self
    }

    /// The exit status for this state.
    pub(super) fn severity(&self) -> u8 {
        self.troubles.first().map_or(HEALTHY, |(severity, _)| *severity)
    }

    /// The text for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let word = ["healthy", "needs attention", "needs action"][usize::from(self.severity().min(CRITICAL))];
        let mut lines = vec![format!(
            "{word}: {}, {}, {} under way",
            plural(self.resources, "resource"),
            plural(self.hosts, "host"),
            plural(self.runs, "run")
        )];
        // If one more line would do, it has the problem itself.
        let shown = if self.troubles.len() <= SHOWN + 1 { SHOWN + 1 } else { SHOWN };
        lines.extend(self.troubles.iter().take(shown).map(|(severity, text)| {
            format!("  {} {}", if *severity == CRITICAL { "CRITICAL" } else { "warning " }, printable(text))
        }));
        if let Some(more) = self.troubles.len().checked_sub(shown).filter(|more| *more > 0) {
            lines.push(format!("  and {more} more, which are not more severe; `--format json` has all"));
        }
        lines.extend(self.notes.iter().map(|note| format!("  note     {}", printable(note))));
        lines
    }

    /// One object for programs.
    pub(super) fn json(&self) -> Json {
        let troubles: Vec<Json> = self
            .troubles
            .iter()
            .map(|(severity, text)| json!({ "severity": if *severity == CRITICAL { "critical" } else { "warning" }, "text": text }))
            .collect();
        json!({ "healthy": self.severity() == HEALTHY, "troubles": troubles, "resources": self.resources, "hosts": self.hosts, "runs": self.runs, "notes": self.notes })
    }
}

/// The severity of an active alarm for a monitoring system. An acknowledged alarm has a person responsible for it, and a silenced
/// alarm or one in maintenance is expected.
pub(super) fn alarm_severity(row: &Json) -> u8 {
    let acknowledged = ["acked", "silenced", "maintenance"].iter().any(|mark| row.get(*mark).is_some_and(Json::is_string));
    match row.get("category").and_then(Json::as_str) {
        Some("none") => HEALTHY,
        Some("critical") if !acknowledged => CRITICAL,
        _ => WARNING,
    }
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    let format = match args.whom.format_without_table() {
        Ok(format) => format,
        Err(code) => return Ok(code),
    };
    let mut answers = Vec::new();
    let questions =
        [Question::Alarms, Question::Resources, Question::Runs, Question::Channels, Question::Overrides, Question::Metrics];
    for question in questions {
        let Some(rows) = rows(&args.whom, &question)? else { return Ok(if args.exit_code { UNKNOWN } else { WRONG }) };
        answers.push(rows);
    }
    let [alarms, resources, runs, channels, overrides, metrics] = &answers[..] else { return Ok(UNKNOWN) };
    let status = Status::of(alarms, resources, runs, channels, overrides).with_metrics(metrics).with_note(as_root(&args.whom)?);
    let mut out = io::stdout().lock();
    if format == OutputFormat::Json {
        writeln!(out, "{}", status.json())?;
    } else {
        for line in status.lines() {
            writeln!(out, "{line}")?;
        }
    }
    out.flush()?;
    Ok(if args.exit_code { status.severity() } else { 0 })
}

/// A warning about a controller that runs as root without being configured to.
fn as_root(whom: &ControllerArgs) -> io::Result<Option<String>> {
    let Some(data) = data(whom)? else { return Ok(None) };
    let is_root = fs::metadata(control_socket::path(&data)).is_ok_and(|meta| meta.uid() == 0);
    let source = read::read(&paths::controller(whom.config.as_deref()), &mut Vec::new());
    let (config, _) = source.as_ref().map(crate::core::config::load).unwrap_or_default();
    let is_meant = config.is_some_and(|c| c.user.is_some());
    Ok((is_root && !is_meant).then(|| rights::AS_ROOT.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(settled: bool, reachable: bool) -> Json {
        json!({ "resource": "vip", "settled": settled, "held": (!settled).then_some("waiting for its release"), "hosts": [{ "host": "a", "reachable": reachable }] })
    }

    #[test]
    fn the_worst_trouble_decides() {
        let of = |alarms: &[Json], resources: &[Json]| Status::of(alarms, resources, &[], &[], &[]).severity();
        assert_eq!(of(&[], &[resource(true, true)]), HEALTHY);
        assert_eq!(of(&[], &[resource(true, false)]), WARNING);
        assert_eq!(of(&[], &[resource(false, true)]), CRITICAL);
        let stays = json!({ "resource": "vip", "settled": true, "held": "a is drained: it stays on b until the drain ends" });
        assert_eq!(of(&[], &[stays]), WARNING);
        let alarm =
            |category: &str, acked: Json| json!({ "alarm": "x", "key": "", "category": category, "acked": acked, "summary": "" });
        assert_eq!(of(&[alarm("none", Json::Null)], &[]), HEALTHY);
        assert_eq!(of(&[alarm("major", Json::Null)], &[]), WARNING);
        assert_eq!(of(&[alarm("critical", Json::Null)], &[]), CRITICAL);
        assert_eq!(of(&[alarm("critical", json!("ann"))], &[]), WARNING);
        let silenced =
            json!({ "alarm": "x", "key": "", "category": "critical", "acked": null, "silenced": "by ann", "summary": "" });
        assert_eq!(of(&[silenced], &[]), WARNING);
        let pause = json!({ "command": "pause", "what": "everything", "by": "ann", "reason": "a drill", "until": null });
        assert_eq!(Status::of(&[], &[], &[], &[], &[pause]).severity(), WARNING);
    }

    #[test]
    fn channels_that_fail_are_reported() {
        let channel =
            |tries: u64, held: u64| json!({ "channel": "mail", "waiting": 3, "tries": tries, "held": held, "why": "away" });
        assert_eq!(Status::of(&[], &[], &[], &[channel(0, 0)], &[]).severity(), HEALTHY);
        let lines = Status::of(&[], &[], &[], &[channel(2, 7)], &[]).lines();
        assert_eq!(lines[1], "  warning  the channel mail has not delivered 3 notifications: away");
        assert_eq!(lines[2], "  warning  the limit of the channel mail withholds 7 notifications");
    }

    #[test]
    fn a_note_is_shown_and_is_no_trouble() {
        let status = Status::of(&[], &[resource(true, true)], &[], &[], &[]).with_note(Some("it runs as root".to_owned()));
        assert_eq!(status.severity(), HEALTHY);
        assert!(status.lines().iter().any(|l| l.contains("note") && l.contains("it runs as root")));
        assert_eq!(status.json()["notes"][0], "it runs as root");
    }

    #[test]
    fn the_controllers_own_problems_are_shown() {
        let one = |metric: &str, state: &str| json!({ "metric": metric, "labels": { "state": state }, "value": 2.0 });
        let of = |metrics: &[Json]| Status::of(&[], &[], &[], &[], &[]).with_metrics(metrics);
        assert_eq!(of(&[one("pointsman_runs_active", "running")]).severity(), HEALTHY);
        let status = of(&[one("pointsman_runs_active", "approval"), one("pointsman_journal_in_doubt", "")]);
        assert_eq!(status.severity(), CRITICAL);
        let lines = status.lines();
        assert!(lines[1].contains("CRITICAL the journal") && lines[2].contains("waiting for approval: 2 runs"), "{lines:?}");
    }

    #[test]
    fn one_screen_shows_the_worst_and_counts_the_rest() {
        let alarm = |n: usize| json!({ "alarm": "x", "key": n.to_string(), "category": "major", "acked": null, "summary": "" });
        let many: Vec<Json> = (0..1_000).map(alarm).chain([json!({ "alarm": "worst", "category": "critical" })]).collect();
        let lines = Status::of(&many, &[], &[], &[], &[]).lines();
        assert_eq!(lines.len(), SHOWN + 2);
        assert!(lines[1].contains("alarm worst") && lines[SHOWN + 1].contains("981 more"), "{lines:?}");
        assert_eq!(Status::of(&many[..SHOWN + 1], &[], &[], &[], &[]).lines().len(), SHOWN + 2);
    }

    #[test]
    fn what_came_in_a_log_is_escaped() {
        let alarm = json!({ "alarm": "x", "key": "\u{1b}[2J", "category": "major", "acked": null, "summary": "" });
        assert!(Status::of(&[alarm], &[], &[], &[], &[]).lines().iter().all(|l| !l.contains('\u{1b}')));
    }
}
