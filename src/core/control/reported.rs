//! What agents report besides their resources. An agent is believed about its own host, and about what the inventory has there.
//!
//! A report contains everything that its agent watches, so a report may be lost or arrive twice. Only what differs from the last
//! state is an input of the engine and a record of the journal. A metric that no rule uses ends here, and costs neither.

use std::collections::BTreeMap;

use crate::core::base::limits::{METRICS_A_SECOND, REPORTED_NAME, WATCHED};
use crate::core::base::time::Time;
use crate::core::engine::{self, MetricValue};
use crate::core::inventory::{Inventory, Name};
use crate::core::journal;
use crate::core::notice::{Kind, Notice};
use crate::core::wire::{self, AppStatus, Echo, Report};

use super::{Controller, Output, Task};

/// What the controller remembers of reports, by host of the inventory.
#[derive(Clone, Debug, Default)]
pub(super) struct Reported {
    hosts: BTreeMap<Name, Last>,
}

#[derive(Clone, Debug, Default)]
struct Last {
    beat: Option<Echo>,
    /// Since when metrics are counted, and how many there were.
    since: Time,
    metrics: usize,
    /// People were notified that a part of the reports is not believed.
    notified: bool,
}

/// The part of a report that is not about resources.
pub(super) struct HostReport {
    host: Name,
    beat: Echo,
    watched: Option<BTreeMap<Name, AppStatus>>,
    metrics: Vec<wire::Metric>,
}

impl Reported {
    /// Takes this part out of a report; `None` if it is empty.
    pub(super) fn take(&self, report: &mut Report) -> Option<HostReport> {
        let (watched, metrics) = (report.watched.take(), std::mem::take(&mut report.metrics));
        let said = watched.is_some() || !metrics.is_empty();
        said.then(|| HostReport { host: report.host.clone(), beat: report.beat, watched, metrics })
    }

    /// The numbers of an earlier connection say nothing about those of the next one.
    pub(super) fn connected(&mut self, host: &str) {
        if let Some(last) = self.hosts.get_mut(host) {
            last.beat = None;
        }
    }

    /// Another inventory: what it does not have is reported again.
    pub(super) fn reload(&mut self, inventory: &Inventory) {
        self.hosts.retain(|host, _| inventory.hosts.contains_key(host));
        self.hosts.values_mut().for_each(|last| last.notified = false);
    }
}

impl Controller {
    /// Turns what a report says of its host into inputs of the engine.
    pub(super) fn host_report(&mut self, now: Time, said: HostReport, out: &mut Vec<Output>) -> Vec<Task> {
        let HostReport { host, beat, watched, metrics } = said;
        if !self.inventory.hosts.contains_key(&host) {
            return Vec::new();
        }
        let last = self.reported.hosts.entry(host.clone()).or_default();
        if last.beat.is_some_and(|newest| beat <= newest) {
            return Vec::new(); // Overtaken by a newer one.
        }
        last.beat = Some(beat);
        let mut tasks = Vec::new();
        if let Some(watched) = watched {
            self.watched(now, &host, &watched, &mut tasks, out);
        }
        self.measured(now, &host, metrics, &mut tasks, out);
        tasks
    }

    fn watched(
        &mut self,
        now: Time,
        host: &Name,
        watched: &BTreeMap<Name, AppStatus>,
        tasks: &mut Vec<Task>,
        out: &mut Vec<Output>,
    ) {
        let here = |app: &str| self.inventory.applications.get(app).is_some_and(|a| a.host == *host);
        let state = self.engine.state();
        let mut strange = watched.keys().enumerate().filter(|(n, app)| *n >= WATCHED || !here(app)).map(|(_, app)| app);
        let first = strange.next().cloned();
        let others = strange.count();
        let said = watched.iter().take(WATCHED).filter(|(app, _)| here(app)).filter_map(|(app, runs)| match runs {
            AppStatus::Yes if state.is_stopped(app) => Some((app.clone(), false, format!("{app} runs on {host}"))),
            AppStatus::No if !state.is_stopped(app) => Some((app.clone(), true, format!("{app} has stopped on {host}"))),
            _ => None,
        });
        let unwatched = state.stopped().filter(|app| here(app) && !watched.contains_key(*app));
        let unwatched = unwatched.map(|app| (app.clone(), false, format!("{app} is not watched on {host} any more")));
        let changes: Vec<(Name, bool, String)> = said.chain(unwatched).collect();
        for (app, stopped, text) in changes {
            let kind = if stopped { Kind::AppStopped } else { Kind::AppRuns };
            out.push(Output::Notice(Notice { host: Some(host.clone()), ..Notice::new(kind, text.clone()) }));
            let kept = journal::Input::Application { app: app.clone(), host: host.clone(), stopped };
            let sequence = self.input(now, kept, out);
            tasks.push(Task::Engine(engine::Input::App { sequence, app, stopped, text }));
        }
        if let Some(app) = first
            && let Some(last) = self.reported.hosts.get_mut(host).filter(|last| !last.notified)
        {
            last.notified = true;
            let text = format!(
                "the agent of {host} reports {app}{}, which the inventory does not have there, so that is ignored (reported \
                 once); compare its `watch` with `applications`",
                if others > 0 { format!(" and {others} more") } else { String::new() }
            );
            out.push(Output::Notice(Notice { host: Some(host.clone()), ..Notice::new(Kind::ReportStrange, text) }));
        }
    }

    fn measured(&mut self, now: Time, host: &Name, metrics: Vec<wire::Metric>, tasks: &mut Vec<Task>, out: &mut Vec<Output>) {
        let Some(last) = self.reported.hosts.get_mut(host) else { return };
        if now.since(last.since).as_secs() >= 1 || now < last.since {
            (last.since, last.metrics) = (now, 0);
        }
        let room = METRICS_A_SECOND.saturating_sub(last.metrics);
        last.metrics += metrics.len().min(room);
        let wanted = |m: &wire::Metric| m.mount.chars().count() <= REPORTED_NAME && self.engine.wants_metric(&m.name);
        let values: Vec<MetricValue> = metrics.into_iter().take(room).filter(wanted).map(metric).collect();
        if !values.is_empty() {
            let sequence = self.input(now, journal::Input::Metrics { host: host.clone(), values: values.clone() }, out);
            tasks.push(Task::Engine(engine::Input::Metrics { sequence, host: host.clone(), values }));
        }
    }
}

fn metric(said: wire::Metric) -> MetricValue {
    #[allow(clippy::cast_precision_loss, reason = "beyond 2^53 thousandths the last digits do not matter")]
    let value = said.thousandths as f64 / 1_000.0;
    MetricValue { name: said.name, mount: said.mount, value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::control::Input;
    use crate::core::diag::Source;
    use crate::core::inventory::{Application, Host, Via};
    use crate::core::journal::{Record, State};
    use crate::core::lang::{Declarations, compile};
    use std::sync::Arc;

    fn controller(rules: &str) -> Controller {
        let host = Host { address: None, platform: "linux".to_owned(), via: Via::Agent, ..Host::default() };
        let app =
            |host: &str| Application { kind: String::new(), host: host.to_owned(), aliases: Vec::new(), ..Default::default() };
        let inventory = Arc::new(Inventory {
            hosts: ["a", "b"].map(|name| (name.to_owned(), host.clone())).into(),
            applications: [("A".to_owned(), app("a")), ("B".to_owned(), app("b"))].into(),
            ..Inventory::default()
        });
        let source = Arc::new(Source { name: "r".to_owned(), text: rules.to_owned() });
        let (program, found) = compile(&[source], &Declarations { inventory: Some(&inventory), scripts: None });
        assert_eq!(found, []);
        Controller::start(1, Arc::new(program), inventory, State::default(), Time::default(), &mut Vec::new())
    }

    fn metric(name: &str, value: i64) -> wire::Metric {
        wire::Metric { name: name.to_owned(), mount: String::new(), thousandths: value * 1_000 }
    }

    /// The outputs of one report: the number of records, and the kinds of notices.
    fn report(
        c: &mut Controller,
        at: i64,
        host: &str,
        n: u64,
        watched: &[(&str, AppStatus)],
        metrics: Vec<wire::Metric>,
    ) -> (usize, Vec<String>) {
        let beat = Echo { incarnation: 1, beat: n };
        let watched = Some(watched.iter().map(|(app, runs)| ((*app).to_owned(), *runs)).collect());
        let report = Report { host: host.to_owned(), beat, watched, metrics, ..Report::default() };
        let mut out = Vec::new();
        c.turn(Time::from_millis(at), Input::Report(report), &mut out);
        let notices =
            out.iter().filter_map(|o| if let Output::Notice(n) = o { Some(n.kind.name().to_owned()) } else { None }).collect();
        (out.iter().filter(|o| matches!(o, Output::Record(_))).count(), notices)
    }

    #[test]
    fn an_agent_is_believed_of_its_own_host_alone() {
        let mut c = controller("alarm stopped { detect app stopped }");
        assert_eq!(report(&mut c, 1, "a", 1, &[("A", AppStatus::Yes)], Vec::new()), (0, Vec::new()), "what runs is no news");
        let strange = [("A", AppStatus::Unknown), ("B", AppStatus::No), ("C", AppStatus::No)];
        assert_eq!(report(&mut c, 2, "a", 2, &strange, Vec::new()), (0, vec!["report_strange".to_owned()]));
        assert_eq!(report(&mut c, 3, "a", 3, &strange, Vec::new()), (0, Vec::new()), "said once");
        assert_eq!(report(&mut c, 4, "x", 1, &[("A", AppStatus::No)], Vec::new()), (0, Vec::new()), "no such host");
        assert_eq!(report(&mut c, 5, "a", 4, &[("A", AppStatus::No)], Vec::new()).1, ["app_stopped"]);
        assert_eq!(report(&mut c, 6, "a", 4, &[("A", AppStatus::Yes)], Vec::new()).0, 0, "overtaken");
        assert_eq!(c.alarms().active().count(), 1);
        assert!(report(&mut c, 7, "a", 5, &[], Vec::new()).0 > 0, "not watched any more");
        assert_eq!(c.alarms().active().count(), 0);
    }

    #[test]
    fn metrics_that_no_rule_wants_cost_nothing_and_too_many_are_dropped() {
        let mut c = controller("alarm busy { detect metric cpu > 90 }");
        let unwanted = vec![metric("load1", 99), metric("what", 1), metric("", -5)];
        assert_eq!(report(&mut c, 1, "a", 1, &[], unwanted), (0, Vec::new()));
        let (records, _) = report(&mut c, 2_000, "a", 2, &[], vec![metric("cpu", 95); 1_000]);
        // Two records for each metric, one for the input and one for the alarm.
        assert_eq!(records, 2 * METRICS_A_SECOND + 2);
        assert_eq!(report(&mut c, 2_500, "a", 3, &[], vec![metric("cpu", 5)]).0, 0);
        assert!(report(&mut c, 3_000, "a", 4, &[], vec![metric("cpu", 5)]).0 > 0);
        assert_eq!(c.alarms().active().count(), 0);
    }

    /// The state of applications is the fold of the records.
    #[test]
    fn what_stopped_is_on_record() {
        let mut c = controller("alarm stopped { detect app stopped }");
        let mut out = Vec::new();
        let report = Report {
            host: "a".to_owned(),
            beat: Echo { incarnation: 1, beat: 1 },
            watched: Some([("A".to_owned(), AppStatus::No)].into()),
            ..Report::default()
        };
        c.turn(Time::from_millis(1), Input::Report(report), &mut out);
        let records: Vec<Record> =
            out.into_iter().filter_map(|o| if let Output::Record(r) = o { Some(r) } else { None }).collect();
        let state = State::fold(&records);
        assert_eq!(&state.alarms, c.alarms());
        assert!(state.alarms.is_stopped("A"));
    }
}
