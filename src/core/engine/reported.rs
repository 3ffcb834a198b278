//! What agents report, as conditions meet it: applications that stop and run again, and what hosts measure.
//!
//! Whether an application is stopped is state: of one whose host is lost nothing new is known, so it stays what it was. A metric is
//! no state; the newest of each key stands in what the alarms measure (`measure.rs`), and one that no rule is about ends here.

use std::sync::Arc;

use crate::core::event::OWN_APP;
use crate::core::inventory::Name;
use crate::core::lang::program::Signal;

use super::record::{Fields, Record};
use super::{Engine, MetricValue, Output, fields};

impl Engine {
    /// True when a condition is about this metric.
    pub fn wants_metric(&self, name: &str) -> bool {
        self.is_wanted(&Signal::Metric(name.to_owned()))
    }

    /// An application stopped, or does not count as stopped any more.
    pub(super) fn app_changed(&mut self, app: Name, stopped: bool, text: &str, out: &mut Vec<Output>) {
        if self.state.is_stopped(&app) == stopped {
            return;
        }
        let mut event = self.of_app(&app);
        event.extend(fields::vouched([("text", text)]));
        self.signal(if stopped { Signal::AppStopped } else { Signal::AppRuns }, Arc::new(event), None);
        self.record(Record::App { app, stopped }, out);
    }

    /// What is known of an application when an agent speaks of it.
    pub(super) fn of_app(&self, app: &str) -> Fields {
        let host = self.inventory.applications.get(app).map_or("", |a| a.host.as_str());
        fields::vouched([("host", host), ("app", app)])
    }

    /// What stopped and is not in the inventory any more is nobody's business.
    pub(super) fn drop_strangers(&mut self, out: &mut Vec<Output>) {
        let known = |app: &&Name| !self.inventory.applications.contains_key(*app);
        let gone: Vec<Name> = self.state.stopped().filter(known).cloned().collect();
        for app in gone {
            let text = format!("{app} is not in the inventory any more");
            self.app_changed(app, false, &text, out);
        }
    }

    /// A host was measured.
    pub(super) fn was_measured(&mut self, host: &str, values: Vec<MetricValue>) {
        for MetricValue { name, mount, value } in values {
            let of = if mount.is_empty() { String::new() } else { format!(" of {mount}") };
            let text = format!("{name}{of} on {host} is {value}");
            let mut event =
                fields::vouched([("host", host), ("app", OWN_APP), ("text", &text), ("metric", &name), ("mount", &mount)]);
            event.insert("value".to_owned(), fields::number(value));
            self.signal(Signal::Metric(name), Arc::new(event), None);
        }
    }
}
