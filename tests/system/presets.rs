//! The services that webhooks have presets for: a real HTTP server gets exactly the requests that each of them documents, with
//! secrets from files and from credentials of systemd, and through a proxy. `receivers/presets.json` has the requests.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value as Json, json};

use pointsman::core::base::time::Time;
use pointsman::shell::linux::wall_time;

use crate::notify::{here, lines, listening_to, port, read, receiver, site};
use crate::site::until;

/// The headers that a service looks at. Others, such as the length, are left out.
const HEADERS: [&str; 6] = ["authorization", "content-type", "title", "priority", "tags", "x-pointsman-signature"];

/// The services, with their keys. Slack, Teams and Mattermost have their secret in the address.
const SERVICES: [(&str, &str); 6] = [
    ("slack", "url: { file: HERE/slack.url }"),
    ("teams", "url: 'http://127.0.0.1:PORT/teams'"),
    ("mattermost", "url: 'http://127.0.0.1:PORT/mattermost'"),
    ("pagerduty", "url: 'http://127.0.0.1:PORT/pagerduty', key: { file: HERE/pagerduty.key }"),
    ("opsgenie", "url: 'http://127.0.0.1:PORT/opsgenie/v2/alerts', key: { credential: opsgenie.key }"),
    ("ntfy", "url: 'http://127.0.0.1:PORT/ntfy', key: { credential: ntfy.key }, proxy: 'http://127.0.0.1:PROXY'"),
];

#[test]
fn each_service_gets_what_it_documents() {
    let (http, proxy) = (port(), port());
    let channels: String = SERVICES
        .iter()
        .map(|(name, more)| format!("  {name}: {{ webhook: {{ preset: {name}, {more} }} }}\n"))
        .collect::<String>()
        .replace("PORT", &http.to_string())
        .replace("PROXY", &proxy.to_string());
    let names: Vec<&str> = SERVICES.iter().map(|(name, _)| *name).collect();
    let site = site("presets", &channels, &names.join(", "));
    let path = |name: &str| site.0.join(name).to_str().unwrap().to_owned();
    fs::write(site.0.join("slack.url"), format!("http://127.0.0.1:{http}/slack/T0/B1/s3cret-path\n")).unwrap();
    fs::write(site.0.join("pagerduty.key"), "s3cret-pagerduty\n").unwrap();
    fs::create_dir(site.0.join("credentials")).unwrap();
    for service in ["opsgenie", "ntfy"] {
        fs::write(site.0.join(format!("credentials/{service}.key")), format!("s3cret-{service}\n")).unwrap();
    }
    let _server = receiver("web_server.py", &[&http.to_string(), &path("requests"), "ok"]);
    let _proxy = receiver("proxy_server.py", &[&proxy.to_string(), &path("proxied")]);
    let mut command = site.command();
    // As systemd does it for `LoadCredential`.
    command.env("CREDENTIALS_DIRECTORY", site.0.join("credentials"));
    let _controller = listening_to(&site, command);

    let line = |text: &str| {
        let now = wall_time().to_string();
        format!("{} Standard sip1 SIP_SERVER_PRIMARY GCTI-00-09999 {text}\n", now.trim_end_matches('Z'))
    };
    let requests = || lines(&site.0.join("requests"));
    site.append(&line("number 1 is down: \"Zürich\" <!channel> & `x` @here"));
    until("each service has the alarm", || requests().len() >= SERVICES.len());
    site.append(&line("number 1 is up"));
    until("each service has its end", || requests().len() >= 2 * SERVICES.len());

    // The requests of each service in order.
    let mut by_service: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for request in requests() {
        let path = request["path"].as_str().unwrap().to_owned();
        let headers: BTreeMap<&str, &Json> =
            HEADERS.iter().filter_map(|name| Some((*name, request["headers"].get(*name)?))).collect();
        let body = request["body"].as_str().unwrap();
        let body = serde_json::from_str(body).unwrap_or_else(|_| Json::from(body));
        let service = path.split('/').nth(1).unwrap().to_owned();
        by_service.entry(service).or_default().push(json!({ "path": path, "headers": headers, "body": without_times(body) }));
    }
    let got = serde_json::to_string_pretty(&by_service).unwrap() + "\n";
    let expected = here("tests/system/receivers/presets.json");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&expected, &got).unwrap();
    }
    assert_eq!(got, read(&expected));
    assert_eq!(read(&site.0.join("proxied")), format!("CONNECT 127.0.0.1:{http} HTTP/1.1\n").repeat(2));
}

/// The texts with `TIME` in the place of each time.
fn without_times(value: Json) -> Json {
    match value {
        Json::String(text) => {
            let word = |word: &str| {
                let end = word.len() - word.trim_start_matches(|c: char| !c.is_whitespace()).len();
                match Time::parse_rfc3339(&word[..end]) {
                    Some(_) => format!("TIME{}", &word[end..]),
                    None => word.to_owned(),
                }
            };
            Json::from(text.split_inclusive(char::is_whitespace).map(word).collect::<String>())
        }
        Json::Array(all) => all.into_iter().map(without_times).collect(),
        Json::Object(all) => Json::Object(all.into_iter().map(|(name, value)| (name, without_times(value))).collect()),
        other => other,
    }
}
