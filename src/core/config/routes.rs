//! Routes of notifications: which alarms people are notified of, by which channels, and how often.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::base::limits::NOTIFY_ROUTES;
use crate::core::diag::{Code, Place};
use crate::core::inventory::{Escalation, Inventory, Name, NotifyRoute};

use crate::core::yaml::{Section, YamlNode, YamlReader};

use super::keys;

const CATEGORIES: &[(&str, &str)] = &[("critical", "critical"), ("major", "major"), ("minor", "minor"), ("none", "none")];
/// The defaults of `by`, `wait` and `interval`. With them, a storm of one alarm is a handful of notifications.
const BY: &str = "alarm";
const WAIT: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_secs(300);
const DAY: Duration = Duration::from_secs(86_400);
const REPEAT_LEAST: Duration = Duration::from_secs(60);
const REPEAT_MOST: Duration = Duration::from_secs(30 * 86_400);

pub(super) fn read(reader: &mut YamlReader<'_>, top: &Section<'_>, inventory: &mut Inventory) {
    let all = reader.named(top.get("routes"));
    if let Some((key, _)) = all.get(NOTIFY_ROUTES) {
        reader.report(Code::BadValue, &key.place, format!("there are more than {NOTIFY_ROUTES} routes"));
    }
    for (key, node) in all.into_iter().take(NOTIFY_ROUTES) {
        let what = format!("route {}", key.text);
        if let Some(route) = route(reader, node, &what, &key.place, inventory) {
            inventory.routes.insert(key.text.clone(), route);
        }
    }
}

fn route(reader: &mut YamlReader<'_>, node: &YamlNode, what: &str, place: &Place, inventory: &Inventory) -> Option<NotifyRoute> {
    let section = reader.section(node, what, place, &keys::ROUTE)?;
    let to = section.want(reader, "to").map(|n| channels(reader, n, inventory)).unwrap_or_default();
    let categories = reader.list(section.get("category"));
    let categories = categories.into_iter().filter_map(|n| reader.word(n, "category", CATEGORIES)).map(str::to_owned).collect();
    let mut texts = |key: &str| -> Vec<String> { reader.texts(section.get(key)).into_iter().map(|(text, _)| text).collect() };
    let (alarms, during, not_during) = (texts("alarm"), texts("during"), texts("not_during"));
    let by = if section.get("by").is_some() { texts("by") } else { vec![BY.to_owned()] };
    let mut fields = BTreeMap::new();
    for (key, node) in reader.named(section.get("where")) {
        if let Some(pattern) = reader.text(node) {
            fields.insert(key.text.clone(), pattern.to_owned());
        }
    }
    let mut span = |key: &str, bounds| section.get(key).and_then(|n| reader.span(n, bounds));
    let wait = span("wait", Duration::ZERO..=DAY).unwrap_or(WAIT);
    let interval = span("interval", Duration::ZERO..=DAY).unwrap_or(INTERVAL);
    let repeat = span("repeat", REPEAT_LEAST..=REPEAT_MOST);
    let escalate = section.get("escalate").and_then(|n| escalation(reader, n, place, inventory));
    let cleared = section.get("cleared").and_then(|n| reader.truth(n)).unwrap_or(true);
    Some(NotifyRoute { to, categories, alarms, fields, during, not_during, by, wait, interval, repeat, escalate, cleared })
}

fn escalation(reader: &mut YamlReader<'_>, node: &YamlNode, place: &Place, inventory: &Inventory) -> Option<Escalation> {
    let section = reader.section(node, "`escalate`", place, &keys::ESCALATE)?;
    let after = section.want(reader, "after").and_then(|n| reader.span(n, Duration::from_secs(1)..=REPEAT_MOST));
    let to = section.want(reader, "to").map(|n| channels(reader, n, inventory)).unwrap_or_default();
    Some(Escalation { after: after?, to })
}

fn channels(reader: &mut YamlReader<'_>, node: &YamlNode, inventory: &Inventory) -> Vec<Name> {
    let named = reader.list(Some(node));
    let mut to: Vec<Name> = Vec::new();
    for node in named {
        if let Some(channel) = reader.known(node, "channel", inventory.channels.keys())
            && !to.contains(&channel)
        {
            to.push(channel);
        }
    }
    to
}
