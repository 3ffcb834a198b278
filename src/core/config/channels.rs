//! Channels of notifications: where they go, and how each is reached.
//!
//! A channel is `log`, `syslog`, or a map with one of the keys `command`, `mail`, `webhook`, `alertmanager`, `snmp` and
//! `remote_syslog`. Secrets are never in the configuration, which the journal keeps. It names a file or a credential of systemd
//! instead.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::core::base::limits::{CHANNEL_LIMIT, CHANNELS, NOTIFICATION_GIVE_UP, NOTIFICATION_GIVE_UP_MOST, TEMPLATE_BYTES};
use crate::core::base::time::parse_duration;
use crate::core::diag::{Code, Place};
use crate::core::inventory::{
    Channel, ChannelKind, ChannelLimit, HttpTarget, Inventory, MailEncryption, MailServer, MaybeSecret, Preset, Secret,
    SnmpTarget, SyslogServer, SyslogTransport, Webhook,
};

use crate::core::yaml::{Section, YamlKind, YamlNode, YamlReader};

use super::keys;

const KINDS: [&str; 6] = ["command", "mail", "webhook", "alertmanager", "snmp", "remote_syslog"];
/// The names of syslog facilities, each at its number (RFC 5424, 6.2.1).
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit",
    "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
/// Headers that are set for every request.
const OWN_HEADERS: [&str; 6] =
    ["content-length", "content-type", "host", "transfer-encoding", "idempotency-key", "x-pointsman-signature"];
const LIMIT_PER: Duration = Duration::from_secs(600);

pub(super) fn read(reader: &mut YamlReader<'_>, top: &Section<'_>, inventory: &mut Inventory) {
    let all = reader.named(top.get("channels"));
    if let Some((key, _)) = all.get(CHANNELS) {
        reader.report(Code::BadValue, &key.place, format!("there are more than {CHANNELS} channels"));
    }
    for (key, node) in all.into_iter().take(CHANNELS) {
        let what = format!("channel {}", key.text);
        let channel = match &node.kind {
            YamlKind::Map(_) => channel(reader, node, &what, &key.place),
            _ => {
                let words = [("log", 0), ("syslog", 1)];
                let kind = reader.word(node, "channel (or a map with `mail`, `webhook`, `command` ...)", &words);
                kind.map(|kind| Channel::from(if kind == 0 { ChannelKind::Log } else { ChannelKind::Syslog }))
            }
        };
        if let Some(channel) = channel {
            inventory.channels.insert(key.text.clone(), channel);
        }
    }
}

fn channel(reader: &mut YamlReader<'_>, node: &YamlNode, what: &str, place: &Place) -> Option<Channel> {
    let section = reader.section(node, what, place, &keys::CHANNEL)?;
    let given: Vec<&str> = KINDS.into_iter().filter(|kind| section.get(kind).is_some()).collect();
    let [kind] = given[..] else {
        let message = match given.is_empty() {
            true => format!("{what} has no kind"),
            false => format!("{what} has several kinds: {}", given.join(", ")),
        };
        reader.report(Code::MissingKey, place, message).help = Some(format!("write one of {}", KINDS.join(", ")));
        return None;
    };
    let node = section.get(kind)?;
    let title = section.get("title").and_then(|n| template(reader, n));
    let text = section.get("text").and_then(|n| template(reader, n));
    let give_up = section.get("give_up").and_then(|n| reader.span(n, Duration::from_secs(1)..=NOTIFICATION_GIVE_UP_MOST));
    let usual = (kind != "alertmanager").then_some(ChannelLimit { count: CHANNEL_LIMIT, per: LIMIT_PER });
    let limit = match section.get("limit") {
        Some(node) => limit(reader, node)?,
        None => usual,
    };
    let kind = match kind {
        "command" => ChannelKind::Command(command(reader, node)),
        "mail" => ChannelKind::Mail(Box::new(mail(reader, node, what, place)?)),
        "webhook" => ChannelKind::Webhook(Box::new(webhook(reader, node, what, place)?)),
        "alertmanager" => {
            let section = reader.section(node, what, place, &keys::ALERTMANAGER)?;
            let target = http(reader, &section, Preset::Own)?;
            if let (MaybeSecret::Plain(url), Some(node)) = (&target.url, section.get("url"))
                && url.contains("/api/v")
            {
                reader.report(Code::BadValue, &node.place, "the address of Alertmanager is written without `/api`").help =
                    Some("http://alertmanager.example.com:9093; `/api/v2/alerts` is added".to_owned());
            }
            ChannelKind::Alertmanager(Box::new(target))
        }
        "snmp" => ChannelKind::Snmp(Box::new(snmp(reader, node, what, place)?)),
        _ => ChannelKind::RemoteSyslog(Box::new(syslog(reader, node, what, place)?)),
    };
    Some(Channel { kind, title, text, limit, give_up: give_up.unwrap_or(NOTIFICATION_GIVE_UP) })
}

/// `30 per 10m`, or `none`; the outer `None` if it is neither.
fn limit(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<Option<ChannelLimit>> {
    let text = reader.text(node)?;
    if text == "none" {
        return Some(None);
    }
    let parsed = text.split_once(" per ").and_then(|(count, per)| {
        let (count, per) = (count.trim().parse().ok()?, parse_duration(per.trim())?);
        // One place is for the count of withheld notifications.
        (2..=10_000).contains(&count).then_some(())?;
        (Duration::from_secs(1)..=Duration::from_secs(86_400)).contains(&per).then_some(ChannelLimit { count, per })
    });
    if parsed.is_none() {
        let message = format!("`{text}` is not a limit: it needs a number of notifications (at least 2) and a time (1s to 1d)");
        reader.report(Code::BadValue, &node.place, message).help = Some("write 30 per 10m, or none".to_owned());
        return None;
    }
    Some(parsed)
}

fn template(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<String> {
    let text = reader.text(node)?;
    if text.len() > TEMPLATE_BYTES {
        reader.report(Code::BadValue, &node.place, format!("a template may have at most {TEMPLATE_BYTES} bytes"));
        return None;
    }
    Some(text.to_owned())
}

fn command(reader: &mut YamlReader<'_>, node: &YamlNode) -> Vec<String> {
    let words: Vec<String> = reader.list(Some(node)).into_iter().filter_map(|n| reader.text(n)).map(str::to_owned).collect();
    if words.first().is_none_or(|w| !w.starts_with('/')) {
        let message = "write the absolute path of the program: no shell searches for it";
        reader.report(Code::BadValue, &node.place, message).help =
            Some("command: [/usr/bin/mail-noc, --to, noc@example.com]".to_owned());
    }
    if let ([one], true) = (words.as_slice(), words.iter().any(|w| w.contains(' '))) {
        let message = format!("`{one}` is one argument here: no shell splits it");
        let parts = one.split_whitespace().collect::<Vec<_>>().join(", ");
        reader.report(Code::BadValue, &node.place, message).help = Some(format!("command: [{parts}]"));
    }
    words
}

fn mail(reader: &mut YamlReader<'_>, node: &YamlNode, what: &str, place: &Place) -> Option<MailServer> {
    let section = reader.section(node, what, place, &keys::MAIL)?;
    let words = [("starttls", MailEncryption::Starttls), ("tls", MailEncryption::Tls), ("none", MailEncryption::None)];
    let encryption = section.get("encryption").and_then(|n| reader.word(n, "encryption of mail", &words)).unwrap_or_default();
    let usual = match encryption {
        MailEncryption::Starttls => 587,
        MailEncryption::Tls => 465,
        MailEncryption::None => 25,
    };
    let server = section.want(reader, "server");
    let (host, port) = server.and_then(|n| host_and_port(reader, n, Some(usual)))?;
    let user = section.get("user").and_then(|n| reader.text(n)).map(str::to_owned);
    let password = section.get("password").and_then(|n| secret(reader, n));
    if user.is_some() != section.get("password").is_some() {
        reader.report(Code::MissingKey, place, format!("{what} needs both `user` and `password`, or neither"));
    }
    if let (MailEncryption::None, Some(node)) = (encryption, section.get("password")) {
        let message = "a password must not be sent without encryption";
        reader.report(Code::CannotRun, &node.place, message).help = Some("encryption: starttls".to_owned());
    }
    let mut address = |node: &YamlNode, text: &str| {
        let is_address =
            text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
        if !is_address || text.chars().any(|c| c.is_control()) {
            reader.report(Code::BadValue, &node.place, format!("`{text}` is not a mail address"));
        }
    };
    let from =
        section.get("from").and_then(|n| if let YamlKind::Text { text, .. } = &n.kind { Some((n, text.clone())) } else { None });
    if let Some((node, text)) = &from {
        address(node, text);
    }
    let to: Vec<(YamlText<'_>, String)> = match section.get("to").map(|n| &n.kind) {
        Some(YamlKind::List(items)) => items.iter().filter_map(text_of).collect(),
        _ => section.get("to").and_then(text_of).into_iter().collect(),
    };
    for (node, text) in &to {
        address(node, text);
    }
    let from = from.map(|(_, text)| text);
    if from.is_none() {
        section.want(reader, "from");
    }
    if to.is_empty() {
        reader.report(Code::MissingKey, place, format!("{what} has no `to`")).help = Some("add to: [noc@example.com]".to_owned());
    }
    let to = to.into_iter().map(|(_, text)| text).collect();
    Some(MailServer { host, port, encryption, ca: ca(reader, &section), user, password, from: from?, to })
}

type YamlText<'n> = &'n YamlNode;

fn text_of(node: &YamlNode) -> Option<(YamlText<'_>, String)> {
    match &node.kind {
        YamlKind::Text { text, .. } => Some((node, text.clone())),
        _ => None,
    }
}

fn webhook(reader: &mut YamlReader<'_>, node: &YamlNode, what: &str, place: &Place) -> Option<Webhook> {
    let section = reader.section(node, what, place, &keys::WEBHOOK)?;
    let preset = section.get("preset").and_then(|n| reader.word(n, "preset", &Preset::NAMES)).unwrap_or_default();
    let body = section.get("body").and_then(|n| template(reader, n));
    if let (Some(node), false) = (section.get("body"), preset == Preset::Own) {
        reader.report(Code::NothingComesOfIt, &node.place, "a preset has its own body, so `body` has no effect");
    }
    let key = section.get("key").and_then(|n| secret(reader, n));
    let wants_key = matches!(preset, Preset::Pagerduty | Preset::Opsgenie);
    if wants_key && section.get("key").is_none() {
        reader
            .report(Code::MissingKey, place, format!("{what} has no `key`, by which the service identifies its customer"))
            .help = Some("add key: { file: /etc/pointsman/pager.key }".to_owned());
    }
    let sign = section.get("sign").and_then(|n| secret(reader, n));
    Some(Webhook { target: http(reader, &section, preset)?, preset, body, key, sign })
}

fn http(reader: &mut YamlReader<'_>, section: &Section<'_>, preset: Preset) -> Option<HttpTarget> {
    let usual = match preset {
        Preset::Pagerduty => Some("https://events.pagerduty.com/v2/enqueue"),
        Preset::Opsgenie => Some("https://api.opsgenie.com/v2/alerts"),
        _ => None,
    };
    let url = match (section.get("url"), usual) {
        (Some(node), _) => maybe_secret(reader, node)?,
        (None, Some(url)) => MaybeSecret::Plain(url.to_owned()),
        (None, None) => {
            section.want(reader, "url");
            return None;
        }
    };
    if let (MaybeSecret::Plain(text), Some(node)) = (&url, section.get("url")) {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        if rest.is_none_or(|rest| rest.is_empty() || rest.chars().any(|c| c.is_whitespace() || c.is_control())) {
            reader.report(Code::BadValue, &node.place, format!("`{text}` is not an HTTP address")).help =
                Some("https://example.com/hook, or { file: PATH } if the address is a secret".to_owned());
        }
        if rest.is_some_and(|rest| rest.split('/').next().unwrap_or_default().contains('@')) {
            let message = "write no password in an address: the journal stores the configuration";
            reader.report(Code::BadValue, &node.place, message).help =
                Some("headers: { Authorization: { file: PATH } }".to_owned());
        }
    }
    let proxy = section.get("proxy").and_then(|n| reader.text(n)).map(str::to_owned);
    let mut headers = BTreeMap::new();
    for (key, node) in reader.named(section.get("headers")) {
        let lower = key.text.to_ascii_lowercase();
        if !key.text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') || OWN_HEADERS.contains(&lower.as_str())
        {
            reader.report(Code::BadValue, &key.place, format!("the header `{}` can't be set here", key.text));
            continue;
        }
        if let Some(value) = maybe_secret(reader, node) {
            headers.insert(key.text.clone(), value);
        }
    }
    Some(HttpTarget { url, ca: ca(reader, section), proxy, headers })
}

fn snmp(reader: &mut YamlReader<'_>, node: &YamlNode, what: &str, place: &Place) -> Option<SnmpTarget> {
    let section = reader.section(node, what, place, &keys::SNMP)?;
    let server = section.want(reader, "server").and_then(|n| host_and_port(reader, n, Some(162)));
    let community = section.want(reader, "community").and_then(|n| maybe_secret(reader, n));
    let inform = section.get("inform").and_then(|n| reader.truth(n)).unwrap_or(false);
    Some(SnmpTarget { server: together(server?), community: community?, inform })
}

fn syslog(reader: &mut YamlReader<'_>, node: &YamlNode, what: &str, place: &Place) -> Option<SyslogServer> {
    let section = reader.section(node, what, place, &keys::REMOTE_SYSLOG)?;
    let node = section.want(reader, "server")?;
    let text = reader.text(node)?;
    let transports =
        [("udp", SyslogTransport::Udp, 514), ("tcp", SyslogTransport::Tcp, 601), ("tls", SyslogTransport::Tls, 6514)];
    let parsed = text.split_once("://").and_then(|(scheme, rest)| {
        let (_, transport, port) = transports.iter().find(|(name, ..)| *name == scheme)?;
        Some((*transport, host_and_port_of(rest, Some(*port))?))
    });
    let Some((transport, server)) = parsed else {
        reader.report(Code::BadValue, &node.place, format!("`{text}` is not the address of a syslog server")).help =
            Some("write udp://HOST, tcp://HOST:601 or tls://HOST:6514".to_owned());
        return None;
    };
    let numbers: Vec<(&str, u8)> = FACILITIES.into_iter().zip(0..).collect();
    let facility = section.get("facility").and_then(|n| reader.word(n, "facility", &numbers)).unwrap_or(3);
    let ca = ca(reader, &section);
    if let (Some(node), false) = (section.get("ca"), transport == SyslogTransport::Tls) {
        reader.report(Code::NothingComesOfIt, &node.place, "only TLS has certificates, so `ca` has no effect");
    }
    Some(SyslogServer { server: together(server), transport, ca, facility })
}

fn together((host, port): (String, u16)) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn ca(reader: &mut YamlReader<'_>, section: &Section<'_>) -> Option<PathBuf> {
    section.get("ca").and_then(|n| path(reader, n))
}

pub(super) fn path(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<PathBuf> {
    let text = reader.text(node)?;
    if !text.starts_with('/') {
        reader.report(Code::BadValue, &node.place, format!("`{text}` is not an absolute path"));
        return None;
    }
    Some(PathBuf::from(text))
}

pub(super) fn secret(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<Secret> {
    if !matches!(node.kind, YamlKind::Map(_)) {
        let message = "write no secret in the configuration: the journal stores it";
        reader.report(Code::BadValue, &node.place, message).help =
            Some("write { file: /etc/pointsman/NAME.secret }, or { credential: NAME } for a credential of systemd".to_owned());
        return None;
    }
    let section = reader.section(node, "the secret", &node.place, &keys::SECRET)?;
    match (section.get("file"), section.get("credential")) {
        (Some(file), None) => Some(Secret::File(path(reader, file)?)),
        (None, Some(name)) => {
            let text = reader.text(name)?;
            if text.is_empty() || text.contains('/') || text.starts_with('.') || text.len() > 255 {
                reader.report(Code::BadValue, &name.place, format!("`{text}` is not the name of a credential"));
                return None;
            }
            Some(Secret::Credential(text.to_owned()))
        }
        _ => {
            reader.report(Code::MissingKey, &node.place, "a secret needs exactly one of `file` and `credential`");
            None
        }
    }
}

/// A text, or a secret.
fn maybe_secret(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<MaybeSecret> {
    match &node.kind {
        YamlKind::Map(_) => secret(reader, node).map(MaybeSecret::Secret),
        _ => template(reader, node).map(MaybeSecret::Plain),
    }
}

fn host_and_port(reader: &mut YamlReader<'_>, node: &YamlNode, usual: Option<u16>) -> Option<(String, u16)> {
    let text = reader.text(node)?;
    let parsed = host_and_port_of(text, usual);
    if parsed.is_none() {
        reader.report(Code::BadValue, &node.place, format!("`{text}` is not the name of a server")).help =
            Some("write HOST or HOST:PORT, with an IPv6 address in brackets: [fd00::1]:162".to_owned());
    }
    parsed
}

fn host_and_port_of(text: &str, usual: Option<u16>) -> Option<(String, u16)> {
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        return Some((text.to_owned(), usual?));
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, port.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None => usual?,
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    (!host.is_empty() && host.chars().all(is_name)).then(|| (host.to_owned(), port))
}
