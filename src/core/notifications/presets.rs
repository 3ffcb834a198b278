//! Bodies of webhooks, in the formats that services expect.

use serde_json::{Value as Json, json};

use crate::core::base::limits::WEBHOOK_BODY;
use crate::core::base::text::printable_short;
use crate::core::inventory::{ChannelKind, Inventory, Preset, Webhook};

use super::notification::{AlarmFacts, Notification, Occasion};
use super::template::{Escape, fill};

/// The longest text for chats and pagers, in characters; Slack and Opsgenie have the smallest limits.
const SHOWN: usize = 3_000;
/// PagerDuty's limit of a summary.
const PAGERDUTY_SUMMARY: usize = 1_024;
/// Opsgenie's limits of a message and an alias.
const OPSGENIE_MESSAGE: usize = 130;
const OPSGENIE_ALIAS: usize = 512;

/// One request of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRequest {
    pub body: String,
    pub content_type: &'static str,
    /// Appended to the address of the configuration; may be empty.
    pub path: String,
    /// Headers of the preset; `{key}` marks the place of the key.
    pub headers: Vec<(&'static str, String)>,
}

/// True for a template of a JSON body: `{title}` is a field, `{"` begins an object.
fn is_json(template: &str) -> bool {
    let begin = template.trim_start();
    begin.starts_with('[') || begin.strip_prefix('{').is_some_and(|b| b.trim_start().starts_with('"'))
}

/// The channels whose body looks like JSON and cannot be JSON, as texts that say why.
pub fn malformed_bodies(inventory: &Inventory) -> Vec<String> {
    let why = |template: &str| {
        let value = |name: &str| Some(if name == "count" { "1" } else { "value" }.to_owned());
        serde_json::from_str::<Json>(&fill(template, Escape::Json, value)).err()
    };
    let bodies = inventory.channels.iter().filter_map(|(name, channel)| match &channel.kind {
        ChannelKind::Webhook(webhook) => Some((name, webhook.body.as_deref()?)),
        _ => None,
    });
    let wrong = bodies.filter(|(_, body)| is_json(body)).filter_map(|(name, body)| Some((name, why(body)?)));
    wrong
        .map(|(name, why)| {
            format!(
                "the body of the channel {name} is not JSON ({why}); a field stands in quotes, except {{count}}: \"{{title}}\""
            )
        })
        .collect()
}

/// The requests for a notification: one request, or one for each alarm for services that manage incidents. If a body needs the
/// key of the configuration, `key` is inserted.
pub fn requests(webhook: &Webhook, notification: &Notification, key: Option<&str>) -> Vec<WebhookRequest> {
    let json_of = |body: Json| WebhookRequest {
        body: body.to_string(),
        content_type: "application/json",
        path: String::new(),
        headers: Vec::new(),
    };
    let text = || shown(&notification.whole());
    match webhook.preset {
        Preset::Own => match &webhook.body {
            Some(template) => {
                let value = |name: &str| notification.get(name);
                // The values of a JSON body are bounded themselves: cut at its end, it would not be JSON any more.
                let (body, content_type) = match is_json(template) {
                    true => (fill(template, Escape::Json, value), "application/json"),
                    false => (bounded(fill(template, Escape::Lines, value)), "text/plain; charset=utf-8"),
                };
                vec![WebhookRequest { body, content_type, path: String::new(), headers: Vec::new() }]
            }
            None => vec![json_of(whole(notification))],
        },
        Preset::Slack => vec![json_of(json!({ "text": slack_text(&text()) }))],
        Preset::Mattermost => vec![json_of(json!({ "text": format!("```\n{}\n```", text().replace("```", "'''")) }))],
        Preset::Teams => vec![json_of(teams(notification))],
        Preset::Pagerduty => {
            incidents(notification).map(|(alias, alarm)| json_of(pagerduty(notification, &alias, alarm, key))).collect()
        }
        Preset::Opsgenie => incidents(notification)
            .map(|(alias, alarm)| {
                // An incident is closed by the name by which it was opened.
                let alias = printable_short(&alias, OPSGENIE_ALIAS);
                let ended = alarm.is_some_and(|a| a.cleared_at.is_some());
                let (path, body) = match ended {
                    true => (format!("/{}/close?identifierType=alias", percent(&alias)), json!({ "source": "pointsman" })),
                    false => (String::new(), opsgenie(notification, &alias, alarm)),
                };
                let headers = vec![("Authorization", format!("GenieKey {}", key.unwrap_or_default()))];
                WebhookRequest { path, headers, ..json_of(body) }
            })
            .collect(),
        Preset::Ntfy => {
            let mut headers = vec![
                ("Title", encoded_word(&notification.title)),
                ("Priority", ntfy_priority(notification).to_owned()),
                ("Tags", notification.occasion.name().to_owned()),
            ];
            headers.extend(key.map(|key| ("Authorization", format!("Bearer {key}"))));
            let body = shown(&notification.text);
            vec![WebhookRequest { body, content_type: "text/plain; charset=utf-8", path: String::new(), headers }]
        }
    }
}

/// The notification as JSON, for receivers that take all of it.
pub fn whole(notification: &Notification) -> Json {
    let alarm = |a: &AlarmFacts| {
        json!({ "alarm": a.alarm, "key": a.key, "category": a.category, "summary": a.summary, "help": a.help, "status": a.get("status"),
                "raised_at": a.raised_at.to_string(), "cleared_at": a.cleared_at.map(|at| at.to_string()), "cause": a.cause,
                "trust": a.trust.name(), "fields": a.fields })
    };
    json!({ "id": notification.key, "time": notification.at.to_string(), "channel": notification.channel,
            "occasion": notification.occasion.name(), "category": notification.category, "title": notification.title,
            "text": notification.text, "alarms": notification.alarms.iter().map(alarm).collect::<Vec<_>>(), "more": notification.more })
}

/// Each alarm with the name by which a service recognises it. A notification that is about no alarm is one incident of its own.
fn incidents(notification: &Notification) -> impl Iterator<Item = (String, Option<&AlarmFacts>)> {
    let of_alarms = notification.of_alarms();
    let alone = of_alarms.is_empty().then(|| (notification.key.clone(), None));
    of_alarms.iter().map(|a| (format!("pointsman/{}/{}", a.alarm, a.key), Some(a))).chain(alone)
}

fn pagerduty(notification: &Notification, alias: &str, alarm: Option<&AlarmFacts>, key: Option<&str>) -> Json {
    let action = if alarm.is_some_and(|a| a.cleared_at.is_some()) { "resolve" } else { "trigger" };
    let severity = match alarm.map_or("", |a| a.category.as_str()) {
        "critical" => "critical",
        "major" => "error",
        "minor" => "warning",
        _ => "info",
    };
    let summary = alarm.map_or(&notification.title, |a| &a.summary);
    let summary = if summary.is_empty() { alarm.map_or("", |a| &a.alarm) } else { summary };
    let source = alarm.and_then(|a| a.fields.get("host")).map_or("pointsman", String::as_str);
    json!({ "routing_key": key, "event_action": action, "dedup_key": printable_short(alias, 255), "client": "Pointsman",
            "payload": { "summary": printable_short(summary, PAGERDUTY_SUMMARY), "source": source, "severity": severity,
                         "timestamp": notification.at.to_string(), "component": alarm.map(|a| a.alarm.clone()),
                         "custom_details": alarm.map_or_else(|| json!({ "text": notification.text }), |a| json!({
                             "key": a.key, "help": a.help, "raised_at": a.raised_at.to_string(), "fields": a.fields })) } })
}

fn opsgenie(notification: &Notification, alias: &str, alarm: Option<&AlarmFacts>) -> Json {
    let priority = match alarm.map_or("", |a| a.category.as_str()) {
        "critical" => "P1",
        "major" => "P2",
        "minor" => "P3",
        _ => "P5",
    };
    let message = alarm.map_or(notification.title.clone(), |a| format!("{}: {}", a.alarm, a.summary));
    json!({ "message": printable_short(&message, OPSGENIE_MESSAGE), "alias": alias, "priority": priority,
            "source": "pointsman", "description": shown(&notification.text),
            "details": alarm.map(|a| a.fields.clone()).unwrap_or_default() })
}

/// A message card of Teams workflows: an adaptive card.
fn teams(notification: &Notification) -> Json {
    let block = |text: &str, bold: bool| json!({ "type": "TextBlock", "text": text, "wrap": true, "weight": if bold { "Bolder" } else { "Default" } });
    // An empty line ends a paragraph in Markdown; a single line feed is only a space.
    let text = shown(&notification.text).replace('\n', "\n\n");
    let mut body = vec![block(&notification.title, true)];
    body.push(block(&text, false));
    let card = json!({ "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body });
    json!({ "type": "message", "attachments": [{ "contentType": "application/vnd.microsoft.card.adaptive", "content": card }] })
}

fn ntfy_priority(notification: &Notification) -> &'static str {
    match (notification.occasion, notification.category.as_str()) {
        (Occasion::Cleared, _) => "default",
        (_, "critical") => "urgent",
        (_, "major") => "high",
        _ => "default",
    }
}

/// Escapes characters with a meaning in Slack's texts, so that a log can't mention people.
fn slack_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A text cut to what chats show.
fn shown(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN - 1).chain(['…']).collect()
}

fn bounded(mut body: String) -> String {
    if body.len() > WEBHOOK_BODY {
        let at = (0..=WEBHOOK_BODY).rev().find(|at| body.is_char_boundary(*at)).unwrap_or_default();
        body.truncate(at);
    }
    body
}

/// What a header may contain: characters outside ASCII become `?`.
pub fn ascii(text: &str) -> String {
    text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
}

/// A header that has characters outside ASCII, as an encoded word (RFC 2047). Others stay as they are.
fn encoded_word(text: &str) -> String {
    if text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        return text.to_owned();
    }
    let letter = |b: u8| match b {
        b' ' => "_".to_owned(),
        b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
        b => format!("={b:02X}"),
    };
    format!("=?UTF-8?Q?{}?=", text.bytes().map(letter).collect::<String>())
}

/// Encodes a part of an address.
fn percent(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if is_plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::base::time::Time;
    use crate::core::inventory::{Channel, HttpTarget, MaybeSecret};
    use std::collections::BTreeMap;

    fn notification(cleared: bool) -> Notification {
        let alarm = AlarmFacts {
            alarm: "sip_down".to_owned(),
            key: "sip1/a".to_owned(),
            category: "critical".to_owned(),
            summary: "SIP \"stopped\" <!channel>".to_owned(),
            cleared_at: cleared.then(|| Time::from_millis(5_000)),
            fields: [("host".to_owned(), "sip1".to_owned())].into(),
            ..AlarmFacts::default()
        };
        Notification {
            id: 3,
            key: "ab-3".to_owned(),
            channel: "hook".to_owned(),
            at: Time::from_millis(1_000),
            step: None,
            occasion: if cleared { Occasion::Cleared } else { Occasion::Raised },
            category: "critical".to_owned(),
            title: "SIP \"stopped\" <!channel>".to_owned(),
            text: "line 1\nline 2".to_owned(),
            alarms: vec![alarm],
            more: 0,
        }
    }

    fn request(preset: Preset, body: Option<&str>, cleared: bool) -> WebhookRequest {
        let target = HttpTarget { url: MaybeSecret::Plain("http://h/".to_owned()), ca: None, proxy: None, headers: [].into() };
        let webhook = Webhook { target, preset, body: body.map(str::to_owned), key: None, sign: None };
        requests(&webhook, &notification(cleared), Some("KEY")).remove(0)
    }

    fn read(request: &WebhookRequest) -> Json {
        serde_json::from_str(&request.body).unwrap()
    }

    #[test]
    fn each_service_gets_its_form() {
        let slack = read(&request(Preset::Slack, None, false));
        assert_eq!(slack["text"], "SIP \"stopped\" &lt;!channel&gt;\n\nline 1\nline 2");
        let pager = read(&request(Preset::Pagerduty, None, false));
        assert_eq!((&pager["event_action"], &pager["routing_key"]), (&json!("trigger"), &json!("KEY")));
        assert_eq!(pager["payload"]["severity"], "critical");
        let end = read(&request(Preset::Pagerduty, None, true));
        assert_eq!((&end["event_action"], &end["dedup_key"]), (&json!("resolve"), &pager["dedup_key"]));
        let opsgenie = request(Preset::Opsgenie, None, false);
        assert_eq!(opsgenie.headers, [("Authorization", "GenieKey KEY".to_owned())]);
        assert_eq!(read(&opsgenie)["alias"], "pointsman/sip_down/sip1/a");
        let close = request(Preset::Opsgenie, None, true);
        assert_eq!(close.path, "/pointsman%2Fsip_down%2Fsip1%2Fa/close?identifierType=alias");
        let teams = read(&request(Preset::Teams, None, false));
        assert_eq!(teams["attachments"][0]["content"]["body"][1]["text"], "line 1\n\nline 2");
        let ntfy = request(Preset::Ntfy, None, false);
        assert!(ntfy.headers.contains(&("Priority", "urgent".to_owned())), "{ntfy:?}");
        assert_eq!(ntfy.body, "line 1\nline 2");
        assert!(read(&request(Preset::Mattermost, None, false))["text"].as_str().unwrap().starts_with("```\nSIP"));
    }

    #[test]
    fn headers_have_only_ascii() {
        assert_eq!(encoded_word("[MAJOR] plain"), "[MAJOR] plain");
        assert_eq!(encoded_word("Zürich 1?\r\nX: y"), "=?UTF-8?Q?Z=C3=BCrich_1=3F=0D=0AX=3A_y?=");
    }

    #[test]
    fn a_template_of_the_site_is_filled() {
        let own =
            request(Preset::Own, Some("{\"t\": \"{title}\", \"host\": \"{host}\", \"n\": {count}, \"id\": \"{id}\"}"), false);
        let read = read(&own);
        assert_eq!((&read["t"], &read["host"]), (&json!("SIP \"stopped\" <!channel>"), &json!("sip1")));
        assert_eq!((&read["n"], &read["id"]), (&json!(1), &json!("ab-3")));
        assert_eq!(request(Preset::Own, Some("{title}"), false).content_type, "text/plain; charset=utf-8");
    }

    #[test]
    fn a_body_that_cannot_be_json_is_found() {
        let of = |body: &str| {
            let webhook = Webhook {
                target: HttpTarget { url: MaybeSecret::Plain(String::new()), ca: None, proxy: None, headers: BTreeMap::new() },
                preset: Preset::Own,
                body: Some(body.to_owned()),
                key: None,
                sign: None,
            };
            let channel = Channel::from(ChannelKind::Webhook(Box::new(webhook)));
            let channels = [("hook".to_owned(), channel)].into();
            malformed_bodies(&Inventory { channels, ..Inventory::default() })
        };
        for good in ["{\"a\": \"{title}\", \"n\": {count}}", "[\"{text}\"]", "{title}", "a=\"{title}", "{ \"a\": {} }"] {
            assert_eq!(of(good), [] as [String; 0], "{good}");
        }
        for bad in ["{\"a\": {title}}", "{\"a\": \"{title}\"", "[\"a\",]"] {
            assert!(of(bad).concat().contains("the body of the channel hook is not JSON"), "{bad}");
        }
    }
}
