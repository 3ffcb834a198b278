//! The subject of an alarm, and the alarms that a silence matches.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::core::base::time::Time;
use crate::core::engine::Fields;
use crate::core::event::Value;
use crate::core::inventory::{Inventory, Name};
use crate::core::lang::program::Program;

use super::State;

/// What an instance of an alarm is about.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlarmSubject<'a> {
    pub alarm: &'a str,
    /// The key, as shown; empty for an alarm without one.
    pub key: &'a str,
    pub category: &'a str,
    pub host: Option<&'a str>,
    pub app: Option<&'a str>,
    pub pair: Option<&'a str>,
    pub resource: Option<&'a str>,
}

impl<'a> AlarmSubject<'a> {
    /// The subject of an alarm that was raised for an event with these fields.
    pub fn of(alarm: &'a str, key: &'a str, category: &'a str, event: &'a Fields, inventory: &'a Inventory) -> AlarmSubject<'a> {
        AlarmSubject::of_fields(alarm, key, category, |name| event.get(name).and_then(Value::as_text), inventory)
    }

    /// The subject of an alarm whose event has these texts.
    pub fn of_fields(
        alarm: &'a str,
        key: &'a str,
        category: &'a str,
        text: impl Fn(&str) -> Option<&'a str>,
        inventory: &'a Inventory,
    ) -> AlarmSubject<'a> {
        let field = |name: &str| text(name).filter(|text| !text.is_empty());
        let app = field("app");
        let pair = field("pair").or_else(|| Some(inventory.pair_of(app?)?.0.as_str()));
        let of_pair = || inventory.pairs.get(pair?)?.resource.as_deref();
        let of_app = || inventory.host_of(app?).map(String::as_str);
        AlarmSubject {
            alarm,
            key,
            category,
            host: field("host").or_else(of_app),
            app,
            pair,
            resource: field("resource").or_else(of_pair),
        }
    }

    /// The subject of a claim of an application.
    pub fn of_claim(app: &'a str, inventory: &'a Inventory) -> AlarmSubject<'a> {
        let pair = inventory.pair_of(app);
        AlarmSubject {
            app: Some(app),
            host: inventory.host_of(app).map(String::as_str),
            pair: pair.map(|(name, _)| name.as_str()),
            resource: pair.and_then(|(_, pair)| pair.resource.as_deref()),
            ..AlarmSubject::default()
        }
    }

    /// Why the subject is in maintenance at a time, by an operator or by a calendar of the configuration.
    pub fn maintenance(&self, now: Time, state: &State, inventory: &Inventory, program: &Program) -> Option<String> {
        if let Some(standing) = self.host.and_then(|host| state.maintenance_of(host)) {
            return Some(standing.text());
        }
        let (what, name, calendar) = self
            .calendars(inventory)
            .into_iter()
            .flatten()
            .find(|(_, _, calendar)| program.calendars.get(*calendar).is_some_and(|calendar| calendar.active(now)))?;
        Some(format!("{what} {name} is in maintenance (calendar {calendar})"))
    }

    /// When a calendar that may put the subject into maintenance changes next.
    pub fn next_window(&self, now: Time, inventory: &Inventory, program: &Program) -> Option<Time> {
        let calendars = self.calendars(inventory).into_iter().flatten();
        calendars.filter_map(|(_, _, name)| program.calendars.get(name)?.next_change(now)).min()
    }

    /// The calendars of maintenance that apply to the subject.
    fn calendars(&self, inventory: &'a Inventory) -> [Option<(&'static str, &'a str, &'a str)>; 4] {
        let all = &inventory.maintenance;
        let parts = [
            ("host", self.host, &all.hosts),
            ("application", self.app, &all.applications),
            ("pair", self.pair, &all.pairs),
            ("resource", self.resource, &all.resources),
        ];
        parts.map(|(what, name, calendars)| {
            let (name, calendar) = calendars.get_key_value(name?)?;
            Some((what, name.as_str(), calendar.as_str()))
        })
    }
}

/// Selects the alarms of a silence: those that match every part that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SilenceMatcher {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<String>,
    /// The key, as shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

impl SilenceMatcher {
    /// True if it names nothing, and so matches every alarm.
    pub fn matches_everything(&self) -> bool {
        *self == SilenceMatcher::default()
    }

    /// True if it matches this alarm.
    pub fn matches(&self, subject: &AlarmSubject<'_>) -> bool {
        let is = |wanted: &Option<String>, has: Option<&str>| wanted.as_deref().is_none_or(|wanted| has == Some(wanted));
        is(&self.alarm, Some(subject.alarm))
            && is(&self.key, Some(subject.key))
            && is(&self.host, subject.host)
            && is(&self.app, subject.app)
            && is(&self.category, Some(subject.category))
    }
}

impl fmt::Display for SilenceMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            (
                "",
                self.alarm.as_ref().map(|alarm| match &self.key {
                    Some(key) => format!("{alarm} [{key}]"),
                    None => alarm.clone(),
                }),
            ),
            ("host ", self.host.clone()),
            ("application ", self.app.clone()),
            ("category ", self.category.clone()),
        ];
        let parts: Vec<String> = named.into_iter().filter_map(|(what, name)| Some(format!("{what}{}", name?))).collect();
        if parts.is_empty() { f.write_str("every alarm") } else { f.write_str(&parts.join(", ")) }
    }
}
