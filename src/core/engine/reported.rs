//! What agents report, as conditions match it: applications that stop and run again, and metrics of hosts.
//!
//! Whether an application is stopped is state. If its host is lost, nothing new is reported, so the state stays the same. A
//! metric is not state: the newest value of each key is in the measures of the alarms (`measure.rs`), and a metric that no
//! rule uses is dropped here.

use std::sync::Arc;

use crate::core::event::OWN_APP;
use crate::core::inventory::Name;
use crate::core::lang::program::Signal;

use super::record::{Fields, Record};
use super::turn::{MetricValue, Output};
use super::{Engine, fields};

impl Engine {
    /// True when a condition is about this metric.
    pub fn wants_metric(&self, name: &str) -> bool {
        self.is_wanted(&Signal::Metric(name.to_owned()))
    }

    /// Handles an application that stopped, or no longer counts as stopped.
    pub(super) fn app_changed(&mut self, app: Name, stopped: bool, text: &str, out: &mut Vec<Output>) {
        if self.state.is_stopped(&app) == stopped {
            return;
        }
        let mut event = self.of_app(&app);
        event.extend(fields::authenticated([("text", text)]));
        self.signal(if stopped { Signal::AppStopped } else { Signal::AppRuns }, Arc::new(event), None);
        self.record(Record::App { app, stopped }, out);
    }

    /// The fields of an application that an agent reports about.
    pub(super) fn of_app(&self, app: &str) -> Fields {
        let host = self.inventory.applications.get(app).map_or("", |a| a.host.as_str());
        fields::authenticated([("host", host), ("app", app)])
    }

    /// Forgets stopped applications that are no longer in the inventory.
    pub(super) fn forget_unknown_apps(&mut self, out: &mut Vec<Output>) {
        let unknown = |app: &&Name| !self.inventory.applications.contains_key(*app);
        let gone: Vec<Name> = self.state.stopped().filter(unknown).cloned().collect();
        for app in gone {
            let text = format!("{app} is not in the inventory any more");
            self.app_changed(app, false, &text, out);
        }
    }

    /// Handles the metrics of a host.
    pub(super) fn was_measured(&mut self, host: &str, values: Vec<MetricValue>) {
        for MetricValue { name, mount, value } in values {
            let of = if mount.is_empty() { String::new() } else { format!(" of {mount}") };
            let text = format!("{name}{of} on {host} is {value}");
            let mut event =
                fields::authenticated([("host", host), ("app", OWN_APP), ("text", &text), ("metric", &name), ("mount", &mount)]);
            event.insert("value".to_owned(), fields::number(value));
            self.signal(Signal::Metric(name), Arc::new(event), None);
        }
    }
}
