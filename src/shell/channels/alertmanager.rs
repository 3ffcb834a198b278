//! Alertmanager, API v2: one alert for each alarm. The alert fires until some minutes from now, or it is resolved.
//!
//! Alertmanager forgets an alert that is not sent again. The notifier therefore sends all active alarms once a minute, and an
//! alert expires some minutes after the controller stops.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::core::base::time::Time;
use crate::core::inventory::HttpTarget;
use crate::core::notifications::{AlarmFacts, Notification, Occasion, Undelivered};
use crate::shell::linux::wall_time;

use super::http::{HttpClient, HttpRequest};
use super::secret::Secrets;

/// How long an alert fires if it is not sent again.
const FIRES: Duration = Duration::from_secs(600);
/// The number of alerts of one request: a refresh may have thousands.
const AT_ONCE: usize = 100;
/// Fields that differ from event to event. As labels they would make a new alert of each event.
const NO_LABELS: [&str; 9] = ["text", "raw", "time", "pid", "sender", "facility", "level", "trust", "cause"];

pub(super) fn send(target: &HttpTarget, notification: &Notification) -> Result<(), Undelivered> {
    let now = wall_time();
    let alerts: Vec<Json> = match notification.occasion {
        Occasion::Said | Occasion::Test | Occasion::More => vec![message(notification, now)],
        _ => notification.alarms.iter().map(|alarm| alert(alarm, now)).collect(),
    };
    let mut secrets = Secrets::default();
    let client = HttpClient::new(target, notification, &mut secrets)?;
    for part in alerts.chunks(AT_ONCE) {
        let request = HttpRequest {
            body: Json::from(part).to_string(),
            content_type: "application/json",
            path: "/api/v2/alerts".to_owned(),
            headers: Vec::new(),
        };
        client.post(&request, &secrets)?;
    }
    Ok(())
}

fn alert(alarm: &AlarmFacts, now: Time) -> Json {
    let mut labels = BTreeMap::from(
        [("alertname", alarm.alarm.clone()), ("severity", alarm.category.clone())].map(|(n, v)| (n.to_owned(), v)),
    );
    labels.insert("source".to_owned(), "pointsman".to_owned());
    if !alarm.key.is_empty() {
        labels.insert("key".to_owned(), alarm.key.clone());
    }
    for (name, value) in &alarm.fields {
        if !value.is_empty() && !NO_LABELS.contains(&name.as_str()) {
            labels.entry(label(name)).or_insert_with(|| value.clone());
        }
    }
    let ends = alarm.cleared_at.map_or(now + FIRES, |at| at.min(now));
    json!({ "labels": labels, "annotations": annotations(alarm), "startsAt": alarm.raised_at.min(ends).to_string(), "endsAt": ends.to_string() })
}

fn annotations(alarm: &AlarmFacts) -> Json {
    let mut all = BTreeMap::from([("summary", alarm.summary.as_str()), ("description", alarm.help.as_str())]);
    all.insert("text", alarm.fields.get("text").map_or("", String::as_str));
    all.retain(|_, value| !value.is_empty());
    json!(all)
}

/// A notification that belongs to no alarm fires for some minutes.
fn message(notification: &Notification, now: Time) -> Json {
    json!({ "labels": { "alertname": "PointsmanMessage", "source": "pointsman", "severity": "info", "key": notification.key },
            "annotations": { "summary": notification.title, "description": notification.text },
            "startsAt": notification.at.min(now).to_string(), "endsAt": (now + FIRES).to_string() })
}

/// A label name as Prometheus allows it.
fn label(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    if plain.starts_with(|c: char| c.is_ascii_digit()) { format!("_{plain}") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_has_the_same_labels_when_it_ends() {
        let fields = [("host", "sip1"), ("kv.user", "x"), ("2nd", "y"), ("text", "said"), ("empty", "")];
        let alarm = AlarmFacts {
            alarm: "sip_down".to_owned(),
            key: "sip1".to_owned(),
            category: "critical".to_owned(),
            raised_at: Time::from_millis(0),
            fields: fields.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            ..AlarmFacts::default()
        };
        let now = Time::from_millis(5_000);
        let begun = alert(&alarm, now);
        assert_eq!(
            begun["labels"],
            json!({ "alertname": "sip_down", "severity": "critical", "source": "pointsman", "key": "sip1", "host": "sip1", "kv_user": "x", "_2nd": "y" })
        );
        assert_eq!(begun["endsAt"], "1970-01-01T00:10:05.000Z");
        let ended = alert(&AlarmFacts { cleared_at: Some(Time::from_millis(4_000)), summary: "ended".to_owned(), ..alarm }, now);
        assert_eq!((&ended["labels"], &ended["endsAt"]), (&begun["labels"], &json!("1970-01-01T00:00:04.000Z")));
    }
}
